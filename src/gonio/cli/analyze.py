"""``gonio analyze``: videos or tracks in; angles, an overlay and a report out."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gonio.cli import console
from gonio.cli.options import Device, Json, Out, Overwrite, Quiet, Resume, Workers

if TYPE_CHECKING:
    from gonio.workflows import BatchResult


_INTERRUPTED = 130  # as shells count: 128 + SIGINT


def analyze(
    inputs: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="[VIDEO|IMAGE|FOLDER]...", help="What to analyze.", show_default=False
        ),
    ] = None,
    protocol: Annotated[
        str, typer.Option("--protocol", help="What to measure: a name or a YAML file.")
    ] = "general",
    model: Annotated[
        str | None, typer.Option("--model", help="Model instead of the protocol's: name or path.")
    ] = None,
    person: Annotated[
        str | None,
        typer.Option(
            "--person", help="Whom to measure: largest, longest, confident, all or an index."
        ),
    ] = None,
    out: Out = Path("results"),
    from_poses: Annotated[
        Path | None,
        typer.Option(
            "--from-poses",
            help="Start from tracks instead of finding people: poses.nc, OpenPose, DeepLabCut…",
        ),
    ] = None,
    overlay: Annotated[
        bool, typer.Option("--overlay/--no-overlay", help="Draw the result over the video.")
    ] = True,
    fps: Annotated[
        float | None,
        typer.Option(
            "--fps", help="Frames per second of a folder of images, or of tracks.", min=0.001
        ),
    ] = None,
    height_m: Annotated[
        float | None,
        typer.Option(
            "--height-m",
            help="The person's height in meters: the scale of --trc.",
            min=0.3,
            max=2.8,
        ),
    ] = None,
    trc: Annotated[bool, typer.Option("--trc", help="Also write points as OpenSim .trc.")] = False,
    mot: Annotated[bool, typer.Option("--mot", help="Also write angles as OpenSim .mot.")] = False,
    max_people: Annotated[
        int, typer.Option("--max-people", help="How many people to follow at once.", min=1, max=10)
    ] = 2,
    workers: Workers = None,
    device: Device = "auto",
    resume: Resume = False,
    overwrite: Overwrite = False,
    quiet: Quiet = False,
    json: Json = False,
) -> None:
    """Measure joint angles in videos, images, or folders of numbered images."""
    try:
        from gonio.workflows import AnalyzeSettings, analyze_batch

        settings = AnalyzeSettings(
            protocol=protocol, model=model, person=person, out=out, from_poses=from_poses,
            overlay=overlay, fps=fps, height_m=height_m, trc=trc, mot=mot, max_people=max_people,
            workers=workers, device=device, resume=resume, overwrite=overwrite,
        )  # fmt: skip
        with console.progress_bar(quiet=quiet or json) as report:
            batch = analyze_batch(inputs or [], settings, progress=report)
    except KeyboardInterrupt:
        console.print_error("stopped. The same command with --resume keeps what is complete and goes on.")
        raise typer.Exit(_INTERRUPTED) from None
    _print(batch, json=json, quiet=quiet)
    if batch.failed:
        raise typer.Exit(1)


def _print(batch: BatchResult, *, json: bool, quiet: bool) -> None:
    if json:
        console.print_json(batch.as_json())
        return
    for result in batch.done:
        if not quiet:
            console.print_table(*result.table(), title=result.title())
        console.print_text(str(result.report))
    for folder in batch.complete:
        if not quiet:
            console.print_error(f"{folder}: complete already")
    for failure in batch.failed:
        console.print_error(f"{failure.path}: {failure.message}")
    if batch.failed and not quiet:
        total = len(batch.done) + len(batch.complete) + len(batch.failed)
        console.print_error(f"{len(batch.failed)} of {total} inputs could not be analyzed")
