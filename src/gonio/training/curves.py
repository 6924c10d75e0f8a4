"""A run's numbers by epoch, gathered into panels of one kind and unit each."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

from gonio.errors import InputError
from gonio.training.monitor import higher_is_better
from gonio.training.run_folder import read_metrics

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

_UP, _DOWN = "higher is better", "lower is better"
_PANELS: Final = {
    "loss": ("Loss", _DOWN),
    "share": ("Shares and AP", _UP),
    "px": ("Error, pixels", _DOWN),
    "px2": ("Squared error, square pixels", _DOWN),
    "deg": ("Error, degrees", _DOWN),
    "other": ("Other numbers", ""),
    "lr": ("Learning rate", ""),
    "gradient": ("Norm of the gradient", ""),
    "speed": ("Images a second", ""),
    "s": ("Seconds", ""),
}
_NO_CURVES: Final = {"epoch", "stage", "step", "steps"}
_TRAINING: Final = "train_"
_PREFIXES: Final = (_TRAINING, "validation_", "val_")
_WIDE: Final = 20  # ratio of largest to smallest from which an axis is logarithmic


@dataclass(frozen=True)
class Curve:
    """One column.

    Attributes
    ----------
    name
        The column's.
    epoch, value
        Where there is a number.
    training
        Whether it was measured on what the network learns from.
    color
        Number of a color: alike for training and validation of one thing.
    place
        Its place in the panel.
    """

    name: str
    epoch: Sequence[int]
    value: Sequence[float]
    training: bool
    color: int
    place: int


@dataclass(frozen=True)
class Panel:
    """Curves that share an axis.

    Attributes
    ----------
    title
        What they show.
    better
        Which way is better; empty where that cannot be said.
    curves
        At least one.
    log
        Whether the axis is logarithmic.
    stages
        Epochs at which another stage began.
    """

    title: str
    better: str
    curves: tuple[Curve, ...]
    log: bool
    stages: tuple[int, ...]


def prepare_curves(metrics_csv: Path) -> list[Panel]:
    """Read a ``metrics.csv`` and gather its columns.

    Parameters
    ----------
    metrics_csv
        One row an epoch; a field may be empty. Columns that hold no number are left out.

    Returns
    -------
    list of Panel
        Losses, shares, errors by unit, other numbers, learning rate, gradient, speed; only those
        that there are.

    Raises
    ------
    InputError
        If the file cannot be read or holds no numbers.
    """
    rows = read_metrics(metrics_csv)
    groups: dict[str, list[str]] = {kind: [] for kind in _PANELS}
    for column in dict.fromkeys(key for row in rows for key in row):
        if column not in _NO_CURVES and any(_has(row, column) for row in rows):
            groups[_kind(column)].append(column)
    stages = _stages(rows)
    panels = [_panel(rows, kind, names, stages) for kind, names in groups.items() if names]
    if not panels:
        raise InputError(f"'{metrics_csv}': holds no numbers of any epoch")
    return panels


def _kind(column: str) -> str:
    plain = _without_prefix(column)
    measure = plain.split(":", 1)[0]
    unit = measure.rsplit("_", 1)[-1]
    kinds = {
        "loss": "loss" in column,
        "lr": unit == "lr" or measure.startswith(("lr_", "learning_rate")),
        "gradient": "grad" in measure,
        "speed": measure.endswith("_per_s"),
        "share": higher_is_better(plain),
    }
    found = next((kind for kind, is_it in kinds.items() if is_it), unit)
    return found if found in _PANELS else "other"


def _panel(
    rows: Sequence[dict[str, Any]], kind: str, names: Sequence[str], stages: tuple[int, ...]
) -> Panel:
    title, better = _PANELS[kind]
    colors = {base: i for i, base in enumerate(dict.fromkeys(map(_without_prefix, names)))}
    curves = []
    for place, name in enumerate(names):
        known = [(_epoch(i, row), row[name]) for i, row in enumerate(rows) if _has(row, name)]
        curves.append(
            Curve(
                name=name,
                epoch=[epoch for epoch, _ in known],
                value=[value for _, value in known],
                training=name.startswith(_TRAINING) and len(names) > 1,
                color=colors[_without_prefix(name)],
                place=place,
            )
        )
    if len(curves) == 1:  # a panel of one curve has no legend
        title = f"{title}: {curves[0].name}"
    values = [value for curve in curves for value in curve.value]
    log = kind != "share" and min(values) > 0 and max(values) > _WIDE * min(values)
    return Panel(title, better, tuple(curves), log, stages)


def _has(row: dict[str, Any], name: str) -> bool:
    value = row.get(name)
    return value is not None and math.isfinite(value)


def _epoch(index: int, row: dict[str, Any]) -> int:
    return int(row["epoch"]) if row.get("epoch") is not None else index


def _stages(rows: Sequence[dict[str, Any]]) -> tuple[int, ...]:
    found = [(_epoch(i, row), row.get("stage")) for i, row in enumerate(rows)]
    return tuple(epoch for (_, before), (epoch, now) in pairwise(found) if now != before)


def _without_prefix(column: str) -> str:
    prefix = next((p for p in _PREFIXES if column.startswith(p)), "")
    return column.removeprefix(prefix)
