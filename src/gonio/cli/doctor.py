"""``gonio doctor``: whether everything is here that an analysis needs."""

from __future__ import annotations

import typer

from gonio.cli import console
from gonio.cli.options import Json


def doctor(json: Json = False) -> None:
    """Check this installation: versions, video codecs, models, and write access."""
    from gonio.workflows import diagnose

    checks = diagnose()
    if json:
        console.print_json([check.as_json() for check in checks])
    else:
        marks = {True: "ok", False: "PROBLEM", None: "note"}
        rows = [[marks[check.ok], check.name, check.detail] for check in checks]
        console.print_table(["", "what", "found"], rows)
    if any(check.ok is False for check in checks):
        raise typer.Exit(1)
