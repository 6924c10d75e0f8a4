"""``gonio analyze``: videos or tracks in; angles, an overlay and a report out."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gonio.cli import console
from gonio.cli.options import (
    UNCHECKED,
    Device,
    Json,
    Out,
    Overwrite,
    Protocol,
    Quiet,
    Resume,
    Workers,
)

if TYPE_CHECKING:
    from gonio.workflows import AnalysisResult, BatchResult


def analyze(
    inputs: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="INPUT",
            help="Videos, images, or folders of numbered images.",
            show_default=False,
            **UNCHECKED,
        ),
    ] = None,
    protocol: Protocol = "general",
    model: Annotated[
        str | None,
        typer.Option("--model", metavar="NAME|FILE", help="Model instead of the protocol's."),
    ] = None,
    person: Annotated[
        str | None,
        typer.Option(
            "--person",
            metavar="WHOM",
            help="Whom to measure: largest, longest, confident, all, or a number from 0.",
        ),
    ] = None,
    out: Out = Path("results"),
    from_poses: Annotated[
        Path | None,
        typer.Option(
            "--from-poses",
            metavar="FILE",
            help="Start from tracks instead of finding people: poses.nc, OpenPose, DeepLabCut…",
            **UNCHECKED,
        ),
    ] = None,
    overlay: Annotated[
        bool, typer.Option("--overlay/--no-overlay", help="Draw the result over the video.")
    ] = True,
    fps: Annotated[
        float | None,
        typer.Option(
            "--fps",
            metavar="N",
            help="Frames per second of a folder of images, or of tracks without times.",
        ),
    ] = None,
    height_m: Annotated[
        float | None,
        typer.Option(
            "--height-m",
            metavar="METERS",
            help="The person's height in meters (1.65): the scale of --trc.",
        ),
    ] = None,
    trc: Annotated[bool, typer.Option("--trc", help="Also write points as OpenSim .trc.")] = False,
    mot: Annotated[bool, typer.Option("--mot", help="Also write angles as OpenSim .mot.")] = False,
    max_people: Annotated[
        int,
        typer.Option(
            "--max-people", metavar="N", help="How many people to follow at once.", min=1, max=10
        ),
    ] = 2,
    all_angles: Annotated[
        bool,
        typer.Option("--all-angles", help="Print every angle, not only the legs' and the trunk's."),
    ] = False,
    workers: Workers = None,
    device: Device = "auto",
    resume: Resume = False,
    overwrite: Overwrite = False,
    quiet: Quiet = False,
    json: Json = False,
) -> None:
    """Measure joint angles in videos, images, or folders of numbered images."""
    from gonio.workflows import AnalyzeSettings, analyze_batch

    settings = AnalyzeSettings(
        protocol=protocol, model=model, person=person, out=out, from_poses=from_poses,
        overlay=overlay, fps=fps, height_m=height_m, trc=trc, mot=mot, max_people=max_people,
        workers=workers, device=device, resume=resume, overwrite=overwrite,
    )  # fmt: skip
    with console.progress_bar(quiet=quiet or json) as report:
        batch = analyze_batch(inputs or [], settings, progress=report)
    if json:
        console.print_json(batch.as_json())
    else:
        _print(batch, quiet=quiet, all_angles=all_angles)
    if batch.failed:
        raise typer.Exit(1)


def _print(batch: BatchResult, *, quiet: bool, all_angles: bool) -> None:
    for result in batch.done:
        for message in result.evaluation.warnings:
            console.print_warning(f"{result.evaluation.name}: {message}")
        if not quiet:
            _print_angles(result, all_angles=all_angles)
        console.print_text(str(result.report))
    for folder in batch.complete:
        if not quiet:
            console.print_error(f"{folder}: complete already")
    for failure in batch.failed:
        console.print_error(failure.line())
    if batch.failed and not quiet:
        total = len(batch.done) + len(batch.complete) + len(batch.failed)
        console.print_error(f"{len(batch.failed)} of {total} inputs could not be analyzed")


def _print_angles(result: AnalysisResult, *, all_angles: bool) -> None:
    console.print_text(result.title())
    console.print_dim(result.speed())
    tables = result.tables(all_angles=all_angles)
    for person, columns, rows in tables:
        console.print_table(columns, rows, title=person if len(tables) > 1 else "")
    if left_out := result.left_out(all_angles=all_angles):
        console.print_dim(left_out)
