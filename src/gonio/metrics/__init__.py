"""Numbers against truth: how far measured angles lie from true ones."""

from __future__ import annotations

from gonio.metrics.angle_errors import angle_errors

__all__ = ["angle_errors"]
