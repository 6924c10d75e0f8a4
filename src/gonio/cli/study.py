"""``gonio study``: variants of a recipe trained and compared; a table and a page."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gonio.cli import console
from gonio.cli.options import UNCHECKED, Device, Json, Quiet
from gonio.errors import ConfigError

if TYPE_CHECKING:
    from gonio.workflows.study import StudyOutcome

_INTERRUPTED = 130

app = typer.Typer(no_args_is_help=True, help="Compare variants of a recipe.")

_Study = Annotated[
    str, typer.Argument(metavar="STUDY", help="A built-in study's name, or a YAML file.")
]
_Budget = Annotated[
    str,
    typer.Option(
        "--budget",
        help="smoke (minutes), small (two hours on two cores) or full (what it deserves).",
    ),
]
_Out = Annotated[
    Path, typer.Option("--out", metavar="FOLDER", help="Folder of all runs.", **UNCHECKED)
]


@app.command("list")
def list_studies(json: Json = False) -> None:
    """List the built-in studies."""
    from gonio.workflows.study_plan import load_study, study_names, variants_of

    studies = [load_study(name) for name in study_names()]
    sizes = [
        {name: len(variants_of(study, budget)) for name, budget in study.budgets.items()}
        for study in studies
    ]
    if json:
        console.print_json(
            [
                {"name": s.name, "title": s.title, "base": s.base, "variants": n}
                for s, n in zip(studies, sizes, strict=True)
            ]
        )
        return
    rows = [
        [s.name, s.title, s.base, ", ".join(f"{name} {count}" for name, count in n.items())]
        for s, n in zip(studies, sizes, strict=True)
    ]
    console.print_table(["name", "title", "recipe", "variants"], rows)


@app.command()
def run(
    study: _Study,
    budget: _Budget = "smoke",
    out: _Out = Path("runs"),
    data: Annotated[
        list[str] | None,
        typer.Option("--data", metavar="NAME=PATH", help="Labels that the study asks for."),
    ] = None,
    images: Annotated[
        list[str] | None,
        typer.Option(
            "--images", metavar="NAME=FOLDER", help="Their images, where not beside them."
        ),
    ] = None,
    device: Device = "auto",
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Train anew what is there.")
    ] = False,
    quiet: Quiet = False,
    json: Json = False,
) -> None:
    """Train, evaluate and time all variants; what is finished is kept, the rest goes on."""
    from gonio.workflows.study import StudySettings, run_study

    settings = StudySettings(
        budget, out, _pairs(data, "--data"), _pairs(images, "--images"), device, overwrite
    )
    with console.progress_bar(quiet=quiet) as progress:
        outcome = run_study(study, settings, command=shlex.join(sys.argv), progress=progress)
    _tell(outcome, quiet=quiet, json=json)
    for name, message in outcome.failures.items():
        console.print_error(f"{name}: {message}")
    if outcome.interrupted:
        console.print_error("interrupted; the same command goes on where it was")
        raise typer.Exit(_INTERRUPTED)
    if outcome.failures:
        raise typer.Exit(1)


@app.command()
def report(
    study: _Study, budget: _Budget = "smoke", out: _Out = Path("runs"), json: Json = False
) -> None:
    """Print the table of what is finished, and write the page."""
    from gonio.workflows.study import StudySettings, report_study

    _tell(report_study(study, StudySettings(budget, out)), quiet=False, json=json)


def _tell(outcome: StudyOutcome, *, quiet: bool, json: bool) -> None:
    from gonio.workflows.study_table import (
        as_json,
        columns,
        contrast_line,
        headline,
        legend,
        notes,
        rows,
    )

    table = outcome.table
    if json:
        console.print_json({**as_json(table), "failures": outcome.failures})
        return
    if quiet:
        return
    _print(columns(table, short=True), rows(table), headline(table))
    for line in [legend(table), *map(contrast_line, table.contrasts), *notes(table)]:
        console.print_dim(line)
    console.print_text(f"{outcome.page}")


def _print(headings: list[str], lines: list[list[str]], title: str) -> None:
    """Print the table without rules; where it is too wide, its last columns stand below."""
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    screen = Console()
    widths = [max(map(len, column)) + 3 for column in zip(headings, *lines, strict=True)]
    console.print_text(title)
    first = 1
    while first < len(headings):
        last = first + 1
        while last < len(headings) and widths[0] + sum(widths[first : last + 1]) <= screen.width:
            last += 1
        table = Table(box=SIMPLE_HEAD, pad_edge=False)
        for i in (0, *range(first, last)):
            table.add_column(headings[i], justify="right" if i else "left", no_wrap=True)
        for line in lines:
            table.add_row(*(Text(line[i]) for i in (0, *range(first, last))))
        screen.print(table)
        first = last


def _pairs(texts: list[str] | None, option: str) -> dict[str, Path]:
    pairs = {}
    for text in texts or []:
        name, equals, path = text.partition("=")
        if not (name and equals and path):
            raise ConfigError(f"{option} {text}: not of the form NAME=PATH")
        pairs[name] = Path(path)
    return pairs
