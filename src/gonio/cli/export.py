"""``gonio export``: a run's network as a model file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gonio.cli import console
from gonio.cli.options import UNCHECKED, Json, Quiet


def export(
    run: Annotated[
        Path, typer.Argument(metavar="RUN", help="The folder of a training.", **UNCHECKED)
    ],
    to: Annotated[str, typer.Option("--to", metavar="FORMAT", help="onnx.")] = "onnx",
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            metavar="FILE",
            help="The file to write; its card goes beside it.",
            show_default="model.onnx in RUN",
            **UNCHECKED,
        ),
    ] = None,
    quiet: Quiet = False,
    json: Json = False,
) -> None:
    """Write a run's network as a model file that runs without torch."""
    from gonio import workflows

    with console.progress_bar(quiet=quiet or json) as report:
        result = workflows.export(run, to=to, out=out, progress=report)
    if json:
        console.print_json(result.as_dict())
    elif not quiet:
        console.print_text(result.summary())
