"""Options that several verbs share, so that they read alike everywhere."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

# Typer's own check of a path prints a box of usage, and ends a batch at its first unreadable file:
# a path is opened where it is used, and what is wrong with it is said there.
UNCHECKED: dict[str, Any] = {"readable": False}

Out = Annotated[
    Path,
    typer.Option("--out", metavar="FOLDER", help="Where results go; made if missing.", **UNCHECKED),
]
Protocol = Annotated[
    str,
    typer.Option("--protocol", metavar="NAME|FILE", help="What to measure: a name or a YAML file."),
]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No progress, no summary.")]
Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON on stdout.")]
Overwrite = Annotated[
    bool,
    typer.Option("--overwrite", help="Replace an existing evaluation once the new is complete."),
]
Resume = Annotated[
    bool,
    typer.Option("--resume", help="Go on with what was interrupted; keep what is complete."),
]
Workers = Annotated[
    int | None,
    typer.Option(
        "--workers",
        help="How many parts to work on side by side; the result does not depend on it.",
        show_default="as many as cores",
        min=1,
    ),
]
Device = Annotated[
    str,
    typer.Option(
        "--device", metavar="NAME", help="Where models run: auto, cpu, cuda, coreml, directml."
    ),
]
