"""Options that several verbs share, so that they read alike everywhere."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Out = Annotated[Path, typer.Option("--out", help="Folder for results; made if missing.")]
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
    str, typer.Option("--device", help="Where models run: auto, cpu, cuda, coreml, directml.")
]
