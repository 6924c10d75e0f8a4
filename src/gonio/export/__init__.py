"""From a trained network to a model file with its card, checked against the network (torch)."""

from __future__ import annotations

from gonio.export.onnx import export_onnx
from gonio.export.parity import Parity

__all__ = ["Parity", "export_onnx"]
