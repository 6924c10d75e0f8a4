"""The whole ways from input to result, called by the command line and the app alike.

Each is imported when it is first used: ``gonio doctor`` must run where an analysis cannot.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gonio.workflows.analysis import analyze, analyze_batch
    from gonio.workflows.demonstration import demo
    from gonio.workflows.doctor import Check, diagnose
    from gonio.workflows.evaluation import EvaluateSettings, ModelEvaluation, evaluate
    from gonio.workflows.model_files import ExportResult, export
    from gonio.workflows.results import AnalysisResult, BatchResult, Failure
    from gonio.workflows.settings import AnalyzeSettings, Progress
    from gonio.workflows.training import TrainResult, TrainSettings, train

_HOMES = {
    "AnalysisResult": "results",
    "AnalyzeSettings": "settings",
    "BatchResult": "results",
    "Check": "doctor",
    "EvaluateSettings": "evaluation",
    "ExportResult": "model_files",
    "Failure": "results",
    "ModelEvaluation": "evaluation",
    "Progress": "settings",
    "TrainResult": "training",
    "TrainSettings": "training",
    "analyze": "analysis",
    "analyze_batch": "analysis",
    "demo": "demonstration",
    "diagnose": "doctor",
    "evaluate": "evaluation",
    "export": "model_files",
    "train": "training",
}
__all__ = [
    "AnalysisResult",
    "AnalyzeSettings",
    "BatchResult",
    "Check",
    "EvaluateSettings",
    "ExportResult",
    "Failure",
    "ModelEvaluation",
    "Progress",
    "TrainResult",
    "TrainSettings",
    "analyze",
    "analyze_batch",
    "demo",
    "diagnose",
    "evaluate",
    "export",
    "train",
]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(f"gonio.workflows.{_HOMES[name]}"), name)
    raise AttributeError(f"module 'gonio.workflows' has no attribute '{name}'")
