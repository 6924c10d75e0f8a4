"""From a trained network to a model file with its card, checked against the network (torch)."""

from __future__ import annotations

from gonio.export.onnx import export_onnx
from gonio.export.parity import Parity
from gonio.export.run import ONNX, export_run

__all__ = ["ONNX", "Parity", "export_onnx", "export_run"]
