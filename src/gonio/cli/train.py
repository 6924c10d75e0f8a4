"""``gonio train``: a network learns the keypoints of labelled images."""

from __future__ import annotations

import shlex
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gonio.cli import console
from gonio.cli.options import UNCHECKED, Device, Json, Quiet

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from gonio.training import Moment

_INTERRUPTED = 130


def train(
    recipe: Annotated[
        str,
        typer.Argument(
            metavar="RECIPE",
            help="A built-in recipe's name or a YAML file; with --resume also a run's folder.",
        ),
    ],
    overrides: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="KEY=VALUE",
            help="What replaces the recipe's own: data=labels.json trainer.epochs=50.",
            show_default=False,
        ),
    ] = None,
    out: Annotated[
        Path, typer.Option("--out", metavar="FOLDER", help="Folder of all runs.", **UNCHECKED)
    ] = Path("runs"),
    resume: Annotated[
        bool,
        typer.Option("--resume", help="Go on with the newest unfinished run of the recipe."),
    ] = False,
    device: Device = "auto",
    quiet: Quiet = False,
    json: Json = False,
) -> None:
    """Train a network on labelled images; ends with a model that needs no PyTorch."""
    from gonio.workflows import TrainSettings
    from gonio.workflows import train as run

    settings = TrainSettings(
        recipe, tuple(overrides or ()), out, resume, device, command=shlex.join(sys.argv)
    )
    with _shown(quiet=quiet or json) as watch:
        result = run(settings, watch=watch)
    if not result.is_first:
        return
    if json:
        console.print_json(result.as_json())
    elif not quiet:
        console.print_text(result.title())
        if result.metrics:
            console.print_table(["best epoch", "value"], result.rows())
    if not json:
        console.print_text(str(result.model or result.folder))
    if result.status == "interrupted":
        console.print_error(f"interrupted. Go on: gonio train {result.folder} --resume")
        raise console.ToldAlready(_INTERRUPTED)


@contextmanager
def _shown(*, quiet: bool) -> Iterator[Callable[[Moment], None] | None]:
    """Show a bar with epoch, loss, what is watched, and the time left; lines where no terminal."""
    if quiet:
        yield None
        return
    if not sys.stderr.isatty():
        with _lines() as watch:
            yield watch
        return
    from rich import progress as bars
    from rich.console import Console

    columns = (
        bars.TextColumn("{task.description}"),
        bars.BarColumn(),
        bars.TextColumn("{task.fields[told]}"),
        bars.TimeElapsedColumn(),
        bars.TimeRemainingColumn(),
    )
    with bars.Progress(*columns, console=Console(stderr=True)) as shown:
        task = shown.add_task("", total=None, told="")

        def watch(moment: Moment) -> None:
            shown.update(
                task, description=moment.stage, completed=moment.done, total=moment.total,
                told=_told(moment),
            )  # fmt: skip

        yield watch


@contextmanager
def _lines() -> Iterator[Callable[[Moment], None]]:
    """Print a line at the end of each epoch, for logs."""
    last: Moment | None = None

    def watch(moment: Moment) -> None:
        nonlocal last
        if last is not None and (moment.epoch != last.epoch or not moment.epochs):
            sys.stderr.write(f"{_told(last)}\n")
        last = moment if moment.epochs else None

    yield watch


def _told(moment: Moment) -> str:
    if not moment.epochs:
        return ""
    parts = [f"epoch {min(moment.epoch + 1, moment.epochs)}/{moment.epochs}"]
    if moment.loss is not None:
        parts.append(f"loss {moment.loss:.3g}")
    if moment.value is not None:
        best = "" if moment.best is None else f" (best {moment.best:.3f})"
        parts.append(f"{moment.monitor} {moment.value:.3f}{best}")
    return "  ".join(parts)
