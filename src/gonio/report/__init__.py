"""The report of an evaluation: prepared data, two renderers of figures, one HTML page."""

from __future__ import annotations

from gonio.report.html import write_report
from gonio.report.matplotlib_figures import draw_panels, save_figure
from gonio.report.prepare import Curve, Panel, ReportData, prepare

__all__ = [
    "Curve",
    "Panel",
    "ReportData",
    "draw_panels",
    "prepare",
    "save_figure",
    "write_report",
]
