"""Pages that are made from the code: the command line's help and the list of modules."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

VERBS = ["", "demo", "analyze", "models", "models list", "models info", "models pull", "models add"]
VERBS += ["protocols", "protocols list", "protocols show", "convert", "data", "data info"]
VERBS += ["data filter", "data boxes", "data subset", "data split", "data augment", "data preview"]
VERBS += ["data extract-frames", "data synthesize", "train", "evaluate", "study", "study list"]
VERBS += ["study run", "study report", "export", "doctor"]
MODULES = {
    "gonio.errors": "Exceptions",
    "gonio.skeletons": "Skeletons",
    "gonio.poses": "Poses and angles as arrays",
    "gonio.labels": "Labelled images",
    "gonio.codec": "Coordinates and heatmaps",
    "gonio.formats": "Other programs' files",
    "gonio.video": "Video in and out",
    "gonio.imaging": "What happens to pictures",
    "gonio.synthetic": "Drawn people with known angles",
    "gonio.datasets": "Sets of labelled images",
    "gonio.runtime": "Models and estimators",
    "gonio.tracking": "Identity, gaps, smoothing",
    "gonio.analysis.angles": "Joint and segment angles",
    "gonio.metrics": "Errors against truth",
    "gonio.networks": "Networks",
    "gonio.training": "Training",
    "gonio.export": "Export",
    "gonio.protocols": "Protocols",
    "gonio.store": "Evaluations on disk",
    "gonio.report": "Reports",
    "gonio.workflows": "The whole ways",
}


def help_text(verb: str) -> str:
    """Return what ``gonio VERB --help`` prints, without colors, 90 columns wide."""
    environment = os.environ | {"COLUMNS": "90", "TERM": "dumb", "NO_COLOR": "1"}
    command = [sys.executable, "-m", "gonio", *verb.split(), "--help"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    plain = re.sub(r"\x1b\[[0-9;]*m", "", done.stdout)
    return "\n".join(line.rstrip() for line in plain.strip().splitlines())


def write_command_line(path: Path) -> None:
    """Write the page of the command line's help."""
    parts = ["# Command line\n\nMade from the program itself.\n"]
    for verb in VERBS:
        title = f"gonio {verb}".strip()
        parts.append(f"## `{title}`\n\n```text\n{help_text(verb)}\n```\n")
    path.parent.mkdir(exist_ok=True)
    path.write_text("\n".join(parts), encoding="utf-8")


def write_reference(path: Path) -> None:
    """Write the page that documents every public name of every room."""
    lines = ["Python reference", "================", ""]
    for module, title in MODULES.items():
        lines += [title, "-" * len(title), "", f".. automodule:: {module}", "   :members:", ""]
        lines += ["   :imported-members:" if module != "gonio.poses" else "", ""]
    path.parent.mkdir(exist_ok=True)
    path.write_text("\n".join(lines), encoding="utf-8")
