"""What an analysis returns to the app and the command line."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from gonio.poses import KEYPOINTS
from gonio.store import summarize

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from gonio.store import Evaluation

_PRINTED = frozenset({"hip", "knee", "ankle", "trunk"})


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
        """One sentence: who was measured in what, and why that person."""
        evaluation = self.evaluation
        people = [evaluation.person_id(name) for name in evaluation.chosen]
        if not people:
            return f"{evaluation.name}: nobody was measured."
        who = f"person {people[0]} was" if len(people) == 1 else f"{len(people)} people were"
        return f"{evaluation.name}: {who} measured, {self._why(len(people))}."

    def _why(self, measured: int) -> str:
        evaluation = self.evaluation
        rule = str(evaluation.protocol.get("person", ""))
        seen = evaluation.raw["position"].notnull().any(["time", "space", KEYPOINTS])
        others = int(seen.sum())
        if rule.isdecimal():
            return f"as asked for (--person {rule})"
        if rule == "all" and measured > 1:
            return "everybody who was seen"
        if others == 1:
            return "the only one seen"
        reasons = {
            "largest": f"the largest of the {others} people seen",
            "longest": f"of {others} people the one seen longest",
            "confident": f"of {others} people the one found most surely",
        }
        return reasons.get(rule, evaluation.person_reason)

    def speed(self) -> str:
        """One line: how long the measuring took."""
        timing, frames = self.evaluation.timing, self.evaluation.raw.sizes["time"]
        return (
            f"{frames} frames in {timing['wall_s']:.1f} s ({timing['frames_per_s']:.1f} a second)"
        )

    def tables(self, *, all_angles: bool = False) -> list[tuple[str, list[str], list[list[str]]]]:
        """Return one table of ranges a person with angles: title, columns, a row an angle.

        Parameters
        ----------
        all_angles
            Show every angle. Otherwise only the legs' joints and the trunk, unless the protocol
            names its angles: then it is those.
        """
        shows = self._shows(all_angles=all_angles)
        columns = ["angle", "min °", "max °", "mean °", "missing %"]
        tables = [
            (
                f"Person {person['id']}",
                columns,
                [[n, *_range_cells(a)] for n, a in person["angles"].items() if shows(n)],
            )
            for person in self.summary["people"]
        ]
        return [table for table in tables if table[2]]

    def left_out(self, *, all_angles: bool = False) -> str:
        """Say how many angles :meth:`tables` leaves out and where they are; empty if none."""
        shows = self._shows(all_angles=all_angles)
        names = {name for person in self.summary["people"] for name in person["angles"]}
        hidden = sum(not shows(name) for name in names)
        return f"{hidden} more angles are in the report; --all-angles prints them." * bool(hidden)

    def _shows(self, *, all_angles: bool) -> Callable[[str], bool]:
        everything = all_angles or bool(self.evaluation.protocol.get("angles"))
        return lambda name: everything or name.split("_")[0] in _PRINTED

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

    def line(self) -> str:
        """Return the message, with the path in front where it does not name it itself."""
        named = str(self.path) in self.message
        return self.message if named else f"'{self.path}': {self.message}"


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
