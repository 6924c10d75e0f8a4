"""The command line: one short file per verb; a verb only parses, calls and prints."""

from __future__ import annotations

from gonio.cli.main import app, main

__all__ = ["app", "main"]
