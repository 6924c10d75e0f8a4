"""What a study found: results gathered over seeds, differences told apart from chance."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from scipy import stats

from gonio.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from gonio.workflows.study_plan import BudgetSettings, Study, Variant

RESULT_FILE: Final = "result.json"
RESULT_SCHEMA: Final = "gonio.study-result/1"
LEVEL: Final = 0.95
LEAST_SEEDS: Final = 3
"""Fewer seeds say nothing about chance: no difference is claimed."""


@dataclass(frozen=True)
class Spread:
    """A number over several seeds.

    Attributes
    ----------
    values
        One a seed, NaN where it was not measured.
    """

    values: tuple[float, ...]

    @property
    def mean(self) -> float:
        """Mean; NaN without a value."""
        return float(np.mean(self._known)) if self._known else math.nan

    @property
    def sd(self) -> float:
        """Sample standard deviation; NaN with fewer than two values."""
        return float(np.std(self._known, ddof=1)) if len(self._known) > 1 else math.nan

    @property
    def _known(self) -> list[float]:
        return [v for v in self.values if math.isfinite(v)]


@dataclass(frozen=True)
class Row:
    """One variant's line of the table.

    Attributes
    ----------
    variant
        Its name.
    place
        Axis → value.
    seeds
        Those that are finished.
    metrics
        Data → metric → its spread over the seeds.
    latency_ms, parameters, flops
        Of one person on one thread; of the network. NaN and None where nothing is finished.
    train_s
        Mean duration of a training, seconds.
    from_best
        Mean difference from the best variant in the study's metric; NaN for the best itself.
    claim
        Whether that difference is more than chance between seeds; None where it cannot be told.
    """

    variant: str
    place: dict[str, str]
    seeds: tuple[int, ...]
    metrics: dict[str, dict[str, Spread]]
    latency_ms: float
    parameters: int | None
    flops: int | None
    train_s: float
    from_best: float = math.nan
    claim: bool | None = None

    def metric(self, data: str, key: str) -> Spread:
        """Return a metric's spread; empty where it was not measured."""
        return self.metrics.get(data, {}).get(key, Spread(()))


@dataclass(frozen=True)
class Contrast:
    """Two values of one axis, compared over all that is otherwise alike.

    Attributes
    ----------
    axis, first, second
        What is compared.
    difference
        Mean of first − second over pairs that share all other values and the seed.
    margin
        Half the width of its 95 % interval (t, over the pairs); NaN with fewer than 2 pairs.
    pairs
        How many.
    claim
        Whether the interval leaves 0 out; None where no claim can be made.
    """

    axis: str
    first: str
    second: str
    difference: float
    margin: float
    pairs: int
    claim: bool | None


@dataclass(frozen=True)
class StudyTable:
    """All that a study found with one budget.

    Attributes
    ----------
    rows
        One a variant, in the study's order.
    contrasts
        One a pair of values of each axis.
    tests
        The test data that were measured, the first being what is compared on.
    missing
        Variants and seeds that are not finished.
    left_out
        Optional data that were not given.
    """

    study: Study
    budget_name: str
    budget: BudgetSettings
    rows: tuple[Row, ...]
    contrasts: tuple[Contrast, ...]
    tests: tuple[str, ...]
    missing: tuple[str, ...]
    left_out: tuple[str, ...]

    @property
    def is_run(self) -> bool:
        """Whether anything is finished."""
        return any(row.seeds for row in self.rows)


def run_folder(folder: Path, variant: str, seed: int) -> Path:
    """Return the folder of one training of a study."""
    return folder / variant / f"seed-{seed}"


def read_result(folder: Path) -> dict[str, Any] | None:
    """Return what was measured of one training; None where it is not finished.

    Raises
    ------
    InputError
        If the file is damaged.
    """
    file = folder / RESULT_FILE
    if not file.is_file():
        return None
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"'{file}': cannot be read ({error})") from error
    if not isinstance(found, dict) or found.get("schema") != RESULT_SCHEMA:
        raise InputError(f"'{file}': not written by this version of 'gonio study run'")
    return found


def gather(
    study: Study,
    budget_name: str,
    budget: BudgetSettings,
    variants: Sequence[Variant],
    folder: Path,
) -> StudyTable:
    """Gather what is finished.

    Parameters
    ----------
    study, budget_name, budget, variants
        What was to be run.
    folder
        Where its runs lie.
    """
    results = {
        (v.name, seed): read_result(run_folder(folder, v.name, seed))
        for v in variants
        for seed in budget.seeds
    }
    tests = [t for t in budget.tests if any(t in r["metrics"] for r in results.values() if r)]
    tests = tests or [t for t in budget.tests if not study.datasets[t].optional]
    rows = [_row(v, budget.seeds, results) for v in variants]
    rows = _compared(rows, tests[0] if tests else "", study.metric)
    started = any(results.values())
    return StudyTable(
        study,
        budget_name,
        budget,
        tuple(rows),
        tuple(_contrasts(study, variants, budget, results, tests)),
        tuple(tests),
        missing=tuple(f"{name} (seed {seed})" for (name, seed), r in results.items() if r is None)
        if started
        else (),
        left_out=tuple(t for t in budget.tests if t not in tests),
    )


def _row(
    variant: Variant,
    seeds: Sequence[int],
    results: Mapping[tuple[str, int], dict[str, Any] | None],
) -> Row:
    done = {seed: r for seed in seeds if (r := results[variant.name, seed]) is not None}
    datas = list(dict.fromkeys(d for r in done.values() for d in r["metrics"]))
    metrics = {}
    for data in datas:
        keys = dict.fromkeys(k for r in done.values() for k in r["metrics"].get(data, {}))
        metrics[data] = {
            key: Spread(tuple(_number(r["metrics"].get(data, {}).get(key)) for r in done.values()))
            for key in keys
        }
    first = next(iter(done.values()), None)
    return Row(
        variant=variant.name,
        place=variant.place,
        seeds=tuple(done),
        metrics=metrics,
        latency_ms=float(np.median([r["latency_ms"] for r in done.values()])) if done else math.nan,
        parameters=first["parameters"] if first else None,
        flops=first["flops"] if first else None,
        train_s=float(np.mean([r["train_s"] for r in done.values()])) if done else math.nan,
    )


def _compared(rows: Sequence[Row], data: str, metric: str) -> list[Row]:
    """Say how far each row is from the best, and whether that is more than chance.

    The spread between seeds is pooled over the variants, as in an analysis of variance: with
    three seeds a variant's own says little.
    """
    found = [row.metric(data, metric) for row in rows]
    means = np.array([spread.mean for spread in found])
    if not np.isfinite(means).any():
        return list(rows)
    best = int(np.nanargmax(means))
    counts = np.array([len(spread.values) for spread in found])
    freedom = int((counts[counts > 1] - 1).sum())
    squares = sum(s.sd**2 * (len(s.values) - 1) for s in found if len(s.values) > 1)
    enough = freedom > 0
    sd = math.sqrt(squares / freedom) if enough else math.nan
    compared = []
    for row, mean, count in zip(rows, means, counts, strict=True):
        if row is rows[best] or not math.isfinite(mean):
            compared.append(row)
            continue
        claim = None
        if enough and min(count, counts[best]) >= LEAST_SEEDS:
            margin = stats.t.ppf((1 + LEVEL) / 2, freedom) * sd
            margin *= math.sqrt(1 / count + 1 / counts[best])
            claim = bool(means[best] - mean > margin)
        difference = float(mean - means[best])
        compared.append(Row(**{**vars(row), "from_best": difference, "claim": claim}))
    return compared


def _contrasts(
    study: Study,
    variants: Sequence[Variant],
    budget: BudgetSettings,
    results: Mapping[tuple[str, int], dict[str, Any] | None],
    tests: Sequence[str],
) -> list[Contrast]:
    if not tests:
        return []
    measured = {
        (frozenset(variant.place.items()), seed): _number(
            result["metrics"].get(tests[0], {}).get(study.metric)
        )
        for variant in variants
        for seed in budget.seeds
        if (result := results[variant.name, seed]) is not None
    }
    contrasts = []
    for axis in study.axes:
        values = [v for v in study.axes[axis] if any(x.place.get(axis) == v for x in variants)]
        for first, second in combinations(values, 2):
            found = _differences(measured, (axis, first), (axis, second))
            if found:
                contrasts.append(_contrast(axis, first, second, found, len(budget.seeds)))
    return contrasts


def _differences(
    measured: Mapping[tuple[frozenset[tuple[str, str]], int], float],
    first: tuple[str, str],
    second: tuple[str, str],
) -> list[float]:
    """Return first − second of all that is otherwise alike."""
    differences = []
    for (place, seed), value in measured.items():
        if first in place:
            difference = value - measured.get((place - {first} | {second}, seed), math.nan)
            if math.isfinite(difference):
                differences.append(difference)
    return differences


def _contrast(
    axis: str, first: str, second: str, differences: Sequence[float], seeds: int
) -> Contrast:
    count = len(differences)
    margin = math.nan
    if count > 1:
        error = float(np.std(differences, ddof=1)) / math.sqrt(count)
        margin = float(stats.t.ppf((1 + LEVEL) / 2, count - 1)) * error
    mean = float(np.mean(differences))
    claim = abs(mean) > margin if seeds >= LEAST_SEEDS and count > 1 else None
    return Contrast(axis, first, second, mean, margin, count, claim)


def _number(value: Any) -> float:
    return float(value) if isinstance(value, int | float) else math.nan
