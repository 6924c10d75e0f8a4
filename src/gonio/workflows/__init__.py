"""The whole ways from input to result, called by the command line and the app alike."""

from __future__ import annotations

from gonio.workflows.analysis import analyze, analyze_batch
from gonio.workflows.demonstration import demo
from gonio.workflows.doctor import Check, diagnose
from gonio.workflows.results import AnalysisResult, BatchResult, Failure
from gonio.workflows.settings import AnalyzeSettings, Progress

__all__ = [
    "AnalysisResult",
    "AnalyzeSettings",
    "BatchResult",
    "Check",
    "Failure",
    "Progress",
    "analyze",
    "analyze_batch",
    "demo",
    "diagnose",
]
