"""``gonio demo``: a drawn walker with known angles, analyzed by the real model."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gonio.cli import console
from gonio.cli.options import Device, Json, Out, Overwrite, Protocol, Quiet


def demo(
    protocol: Protocol = "general",
    out: Out = Path("results"),
    seed: Annotated[
        int, typer.Option("--seed", metavar="N", help="Look and light of the drawn person.", min=0)
    ] = 0,
    device: Device = "auto",
    overwrite: Overwrite = False,
    quiet: Quiet = False,
    json: Json = False,
) -> None:
    """Draw a walking person, analyze it, and compare measured with true angles."""
    from gonio.workflows import demo as run_demo

    with console.progress_bar(quiet=quiet or json) as report:
        result = run_demo(
            out=out,
            protocol=protocol,
            seed=seed,
            device=device,
            overwrite=overwrite,
            progress=report,
        )
    if json:
        console.print_json(result.summary)
        return
    for message in result.evaluation.warnings:
        console.print_warning(message)
    if not quiet:
        console.print_table(*result.truth_table(), title="Measured against true angles")
    console.print_text(f"Report: {result.report}")
