"""Which number tells the best epoch, and when a training has stopped getting better."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

from gonio.errors import UnknownNameError

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from gonio.training.settings import EarlyStopping

_HIGH: Final = ("pck", "oks_", "box_", "acceptable_share", "found")


def higher_is_better(key: str) -> bool:
    """Say which way a column of ``metrics.csv`` is better: shares and AP up, the rest down."""
    return key.startswith(_HIGH)


def check_monitor(key: str, columns: Collection[str], where: str) -> None:
    """Refuse to watch a column that ``metrics.csv`` will not have.

    Raises
    ------
    UnknownNameError
        Naming the column that was probably meant.
    """
    if key not in columns:
        raise UnknownNameError("column", key, columns, where=where)


class Best:
    """The best epoch so far.

    Parameters
    ----------
    key
        The column that is watched.
    stopping
        When to stop; None: never.

    Attributes
    ----------
    value, epoch
        Of the best; None before the first.
    """

    def __init__(self, key: str, stopping: EarlyStopping | None = None) -> None:
        self.key, self._stopping = key, stopping
        self.value: float | None = None
        self.epoch: int | None = None
        self._mark: float | None = None
        self._waited = 0

    def see(self, epoch: int, value: float) -> bool:
        """Look at an epoch's number; NaN is never the best.

        Returns
        -------
        bool
            Whether it is the best so far.
        """
        best = self._beats(value, self.value, 0.0)
        if best:
            self.value, self.epoch = value, epoch
        margin = self._stopping.min_delta if self._stopping else 0.0
        if self._beats(value, self._mark, margin):
            self._mark, self._waited = value, 0
        else:
            self._waited += 1
        return best

    @property
    def is_over(self) -> bool:
        """Whether the training has waited long enough."""
        return self._stopping is not None and self._waited >= self._stopping.patience

    def _beats(self, value: float, other: float | None, margin: float) -> bool:
        if math.isnan(value):
            return False
        if other is None:
            return True
        gain = value - other if higher_is_better(self.key) else other - value
        return gain > margin

    def state_dict(self) -> dict[str, Any]:
        """Return what a resumed training takes up."""
        return {"value": self.value, "epoch": self.epoch, "mark": self._mark, "wait": self._waited}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take up what was kept."""
        self.value, self.epoch = state["value"], state["epoch"]
        self._mark, self._waited = state["mark"], state["wait"]
