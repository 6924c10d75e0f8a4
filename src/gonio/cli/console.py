"""What the verbs print with: messages on stderr, results on stdout, progress with time left."""

from __future__ import annotations

import json
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Progress = Callable[[str, int, int | None], None]


class ToldAlready(SystemExit):
    """The end of a verb that has itself said why."""


def print_error(message: str) -> None:
    """Print an error as ``gonio: message`` on stderr."""
    sys.stderr.write(f"gonio: {message}\n")


def print_warning(message: str) -> None:
    """Print a warning on stderr."""
    sys.stderr.write(f"gonio: warning: {message}\n")


def print_text(message: str) -> None:
    """Print a result on stdout."""
    sys.stdout.write(f"{message}\n")


def print_dim(message: str) -> None:
    """Print what matters less on stdout: dim where the terminal can."""
    from rich.console import Console
    from rich.text import Text

    Console().print(Text(message, style="dim"))


def print_json(value: Any) -> None:
    """Print a result as strict JSON on stdout; ASCII, which every terminal's encoding holds."""
    sys.stdout.write(json.dumps(value, indent=2, allow_nan=False) + "\n")


def print_table(columns: list[str], rows: list[list[str]], *, title: str = "") -> None:
    """Print a table on stdout; numbers right-aligned."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(title=Text(title) if title else None, title_justify="left")
    for i, column in enumerate(columns):
        numbers = all(row[i][:1].isdigit() or row[i][:1] in "-−–" for row in rows if row[i])
        table.add_column(column, justify="right" if numbers and rows else "left", overflow="fold")
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    Console().print(table)


@contextmanager
def progress_bar(*, quiet: bool) -> Iterator[Progress | None]:
    """Show progress bars on stderr, one a stage, with the time left.

    Yields
    ------
    Callable or None
        ``report(stage, done, total)``; None when ``quiet`` or when stderr is no terminal.
    """
    if quiet or not sys.stderr.isatty():
        yield None
        return
    from rich import progress as bars
    from rich.console import Console

    columns = (
        bars.TextColumn("{task.description}"),
        bars.BarColumn(),
        bars.MofNCompleteColumn(),
        bars.TimeElapsedColumn(),
        bars.TimeRemainingColumn(),
    )
    with bars.Progress(*columns, console=Console(stderr=True)) as shown:
        tasks: dict[str, bars.TaskID] = {}

        def report(stage: str, done: int, total: int | None) -> None:
            if stage not in tasks:
                tasks[stage] = shown.add_task(stage, total=total)
            elif done < shown.tasks[tasks[stage]].completed:  # the next of several inputs
                shown.reset(tasks[stage], total=total)
            shown.update(tasks[stage], completed=done, total=total)

        yield report
