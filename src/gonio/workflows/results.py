"""What an analysis returns to the app and the command line."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from gonio.store import summarize

if TYPE_CHECKING:
    from pathlib import Path

    from gonio.store import Evaluation


@dataclass(frozen=True)
class AnalysisResult:
    """One analyzed recording: its folder, its report, and the evaluation itself."""

    evaluation: Evaluation
    folder: Path

    @property
    def report(self) -> Path:
        """The report's path."""
        return self.folder / "report.html"

    @cached_property
    def summary(self) -> dict[str, Any]:
        """What ``summary.json`` holds."""
        return summarize(self.evaluation)

    def title(self) -> str:
        """One line: what was analyzed, who was measured, how fast."""
        speed = self.evaluation.timing["frames_per_s"]
        return f"{self.evaluation.name}: {self.evaluation.person_reason} ({speed:.1f} frames/s)"

    def table(self) -> tuple[list[str], list[list[str]]]:
        """Return columns and rows of the measured angles' ranges, one row a person and angle."""
        rows = [
            [str(person["id"]), name, *_range_cells(angle)]
            for person in self.summary["people"]
            for name, angle in person["angles"].items()
        ]
        return ["person", "angle", "min °", "max °", "mean °", "missing %"], rows

    def truth_table(self) -> tuple[list[str], list[list[str]]]:
        """Return columns and rows of the mean absolute errors against known angles."""
        truth = self.summary.get("truth", {})
        return ["joint", "mean absolute error °"], [
            [name, f"{values['mae_deg']:.1f}"] for name, values in truth.items()
        ]


@dataclass(frozen=True)
class Failure:
    """An input of a batch that could not be analyzed, and why."""

    path: Path
    message: str


@dataclass
class BatchResult:
    """Results and failures of a batch, in the order of the inputs.

    ``complete`` are folders of evaluations that were there already when a batch was resumed.
    """

    done: list[AnalysisResult] = field(default_factory=list)
    complete: list[Path] = field(default_factory=list)
    failed: list[Failure] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """Return the batch as a mapping for JSON."""
        return {
            "schema": "gonio.batch/1",
            "done": [{"folder": str(r.folder), **r.summary} for r in self.done],
            "complete": [str(folder) for folder in self.complete],
            "failed": [{"path": str(f.path), "message": f.message} for f in self.failed],
        }


def _range_cells(angle: dict[str, Any]) -> list[str]:
    ends = [_number(angle[key]) for key in ("min_deg", "max_deg", "mean_deg")]
    return [*ends, f"{100 * angle['missing']:.0f}"]


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.1f}"
