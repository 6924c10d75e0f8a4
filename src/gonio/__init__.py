"""Gonio: joint angles a clinician can trust, from video of a moving person.

Importing this package does nothing else: rooms are imported when they are first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gonio.workflows import analyze, demo

__version__ = "0.1.0"

_EXPORTS = {
    "analyze": "gonio.workflows",
    "demo": "gonio.workflows",
    "load_poses": "gonio.poses",
    "load_skeleton": "gonio.skeletons",
}
__all__ = ["__version__", "analyze", "demo", "load_poses", "load_skeleton"]


def __getattr__(name: str) -> Any:
    if name in _EXPORTS:
        return getattr(import_module(_EXPORTS[name]), name)
    raise AttributeError(f"module 'gonio' has no attribute '{name}'")


def __dir__() -> list[str]:
    return sorted(__all__)
