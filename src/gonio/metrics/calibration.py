"""Whether a confidence of 0.8 means that 8 of 10 keypoints are right."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from gonio.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Calibration:
    """A reliability table: one row a range of confidence, equally wide from 0 to 1.

    Attributes
    ----------
    edges
        Shape ``(B + 1,)``; a confidence at an edge belongs to the range above it, 1 to the last.
    confidence, accuracy
        Shape ``(B,)``: mean confidence in the range, and the share that was right; NaN where
        nothing lies in it.
    counts
        Shape ``(B,)``.
    ece
        Expected calibration error: the mean of ``abs(accuracy − confidence)``, weighted by
        counts; NaN where there is nothing.
    """

    edges: Floats
    confidence: Floats
    accuracy: Floats
    counts: NDArray[np.intp]
    ece: float

    def rows(self) -> list[dict[str, Any]]:
        """Return the ranges that hold something, as mappings for JSON."""
        return [
            {
                "from": float(self.edges[i]),
                "to": float(self.edges[i + 1]),
                "n": int(self.counts[i]),
                "confidence": float(self.confidence[i]),
                "accuracy": float(self.accuracy[i]),
            }
            for i in np.flatnonzero(self.counts)
        ]


def calibration(confidence: ArrayLike, right: ArrayLike, *, bins: int = 10) -> Calibration:
    """Compare confidence with how often it was right.

    Parameters
    ----------
    confidence
        Any shape, 0–1 (values beyond are cut). NaN = the model gives none: does not count.
    right
        The same shape: whether each was right.
    bins
        How many ranges.

    Returns
    -------
    Calibration

    Raises
    ------
    InputError
        If the shapes differ, or there is no range.

    References
    ----------
    Guo, Pleiss, Sun & Weinberger (2017), On calibration of modern neural networks, ICML.
    """
    sure, correct = np.asarray(confidence, dtype=np.float64), np.asarray(right, dtype=bool)
    if sure.shape != correct.shape or bins < 1:
        raise InputError("calibration: needs one confidence for each answer, and at least one bin")
    known = np.isfinite(sure)
    sure, correct = sure[known].clip(0, 1), correct[known]
    edges = np.arange(bins + 1) / bins  # linspace would put 0.7 below its own edge
    place = np.searchsorted(edges, sure, side="right").clip(1, bins) - 1
    counts = np.bincount(place, minlength=bins)
    divide = np.where(counts > 0, counts, np.nan)
    mean = np.bincount(place, weights=sure, minlength=bins) / divide
    share = np.bincount(place, weights=correct, minlength=bins) / divide
    total = int(counts.sum())
    ece = float((counts * np.nan_to_num(np.abs(share - mean))).sum() / total) if total else np.nan
    return Calibration(edges, mean, share, counts.astype(np.intp), ece)
