"""``gonio data synthesize``: drawn people with exactly known keypoints, as training data."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gonio.cli import console
from gonio.cli.options import UNCHECKED, Json, Quiet


def synthesize(
    out: Annotated[
        Path,
        typer.Option("--out", metavar="FOLDER", help="Where pictures and labels go.", **UNCHECKED),
    ],
    people: Annotated[
        int, typer.Option("--people", help="How many, in about two thirds as many pictures.", min=1)
    ] = 1000,
    skeleton: Annotated[
        str,
        typer.Option("--skeleton", metavar="NAME|FILE", help="The keypoints: coco17, lower6, …"),
    ] = "coco17",
    seed: Annotated[int, typer.Option("--seed", help="Decides everything.", min=0)] = 0,
    size: Annotated[
        tuple[int, int] | None,
        typer.Option(
            "--size",
            metavar="WIDTH HEIGHT",
            help="Of every picture, pixels.",
            show_default="each 256 to 640, by chance",
        ),
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with what was interrupted.")
    ] = False,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace people drawn there before.")
    ] = False,
    quiet: Quiet = False,
    json: Json = False,
) -> None:
    """Draw people with exactly known keypoints into a folder: COCO labels and pictures."""
    from gonio.workflows.synthesize import SynthesizeSettings
    from gonio.workflows.synthesize import synthesize as run

    settings = SynthesizeSettings(people, skeleton, seed, size, resume, overwrite)
    with console.progress_bar(quiet=quiet) as progress:
        done = run(out, settings, progress)
    if json:
        console.print_json(done.as_json())
    elif not quiet:
        console.print_text(f"{done.labels}: {done.title()}")
