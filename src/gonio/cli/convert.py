"""``gonio convert``: tracks from one program's file to another's."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gonio.cli import console
from gonio.cli.options import Json, Quiet


def convert(
    source: Annotated[
        Path, typer.Argument(metavar="IN", help="A file of tracks, or a folder of OpenPose JSON.")
    ],
    target: Annotated[
        Path, typer.Argument(metavar="OUT", help="The file to write; its suffix tells the format.")
    ],
    from_format: Annotated[
        str | None, typer.Option("--from", help="Format of IN, where it is not recognized.")
    ] = None,
    to_format: Annotated[
        str | None,
        typer.Option(
            "--to",
            help="Format of OUT: movement, csv, openpose, deeplabcut, sleap, nwb, trc, mot or c3d.",
        ),
    ] = None,
    fps: Annotated[
        float | None,
        typer.Option("--fps", help="Frames per second, where IN does not hold it.", min=0.001),
    ] = None,
    skeleton: Annotated[
        str | None,
        typer.Option("--skeleton", help="What the keypoints follow: a name or a TOML file."),
    ] = None,
    person: Annotated[
        str | None, typer.Option("--person", help="Write only this person (person_0).")
    ] = None,
    height_m: Annotated[
        float | None,
        typer.Option(
            "--height-m",
            help="The person's height in meters: the scale from pixels to .trc and .c3d.",
            min=0.3,
            max=2.8,
        ),
    ] = None,
    px_per_m: Annotated[
        float | None,
        typer.Option("--px-per-m", help="That scale itself, pixels per meter.", min=0.001),
    ] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace OUT if it exists.")
    ] = False,
    quiet: Quiet = False,
    json: Json = False,
) -> None:
    """Convert tracks of keypoints, markers or angles between formats."""
    from gonio.workflows.convert import ConvertSettings
    from gonio.workflows.convert import convert as run

    settings = ConvertSettings(
        from_format=from_format, to_format=to_format, fps=fps, skeleton=skeleton, person=person,
        height_m=height_m, px_per_m=px_per_m, overwrite=overwrite,
    )  # fmt: skip
    done = run(source, target, settings)
    if json:
        console.print_json(done.as_json())
    elif not quiet:
        console.print_text(f"{done.target}: {done.title()}")
