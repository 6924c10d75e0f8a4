r"""Smoothing splines whose smoothness the data choose (generalized cross-validation).

A natural cubic spline g through n evenly spaced samples y minimizes
Σ(y − g)² + λ∫g″². With the second differences Qᵀy it is g = y − λQγ, (R + λQᵀQ)γ = Qᵀy
(Reinsch 1967), where R is tridiagonal (1/6, 4/6, 1/6). Both R and QᵀQ are polynomials in the
second-difference matrix T, whose eigenvectors are sines, but for a 1 more in both corners of
QᵀQ. So a sine transform makes the system diagonal up to one correction of rank one for the
symmetric and one for the antisymmetric half of the modes (Sherman-Morrison), and the score of
cross-validation costs a few sums for any λ, the trace of the smoother included.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy.fft import dst

from gonio.poses import log_operation
from gonio.tracking.series import frame_rate, seen_points
from gonio.tracking.stretches import count_changed, smooth_stretches

if TYPE_CHECKING:
    import xarray as xr
    from numpy.typing import NDArray

    Rows = NDArray[np.float64]

_FEWEST = 5
_LEAST_CUTOFF = 1e-3
_GRID = 64
_BANDS = 1 << 14
_LEAST_LAMBDA = 1e-6


def gcv_spline(poses: xr.Dataset) -> xr.Dataset:
    """Smooth with cubic splines that find their own strength: there is nothing to set.

    For each coordinate of each stretch the spline is as smooth as predicts left-out samples best
    (generalized cross-validation). That holds for noise that differs from frame to frame; jitter
    that lasts over several frames is taken for movement and stays.

    Parameters
    ----------
    poses
        Poses; NaN ends a stretch, and each stretch is smoothed by itself. Lines and constants
        pass unchanged, and so do stretches of fewer than five frames, which say too little
        about their noise.

    Returns
    -------
    xr.Dataset
        The log tells ``cutoffs_hz``: the frequencies at which the gains of the splines are −3 dB
        (least, median, most), not below a thousandth of the frame rate. Series of variable rate
        are brought to their median rate by a cubic spline, smoothed, and brought back.

    References
    ----------
    Craven & Wahba (1979), Numerische Mathematik 31:377-403; Woltring (1986), A Fortran package
    for generalized, cross-validatory spline smoothing and differentiation, Advances in
    Engineering Software 8(2):104-113.
    """
    time_s = poses["time"].values.astype(np.float64)
    values = poses["position"].values
    if len(time_s) < _FEWEST:
        return log_operation(poses, "gcv_spline", changed=0)
    rate_hz, uniform = frame_rate(time_s)
    cutoffs: list[Rows] = []

    def smooth_rows(rows: Rows) -> Rows:
        smooth, smoothness = cross_validated(rows)
        cutoffs.append(cutoff_of(smoothness) * rate_hz)
        return smooth

    result = smooth_stretches(
        values,
        seen_points(poses),
        smooth_rows,
        time_s=None if uniform else time_s,
        rate_hz=rate_hz,
        shortest=_FEWEST,
    )
    found = np.concatenate(cutoffs) if cutoffs else np.empty(0)
    spread = (found.min(), np.median(found), found.max()) if found.size else ()
    smooth = poses.assign(position=poses["position"].copy(data=result))
    return log_operation(
        smooth,
        "gcv_spline",
        cutoffs_hz=[round(float(f), 4) for f in spread],
        rate_hz=round(rate_hz, 4),
        resampled=not uniform,
        changed=count_changed(values, result),
    )


def cross_validated(rows: Rows) -> tuple[Rows, Rows]:
    """Smooth each row by the spline of least generalized cross-validation score.

    Parameters
    ----------
    rows
        Shape ``(rows, length)``, evenly spaced samples, at least five.

    Returns
    -------
    tuple
        The smooth rows, and each one's λ in units of the frame's duration cubed.
    """
    spectrum = _Spectrum.of(rows)
    smoothness = np.exp(_least(spectrum.in_bands(), _search_range(rows.shape[1])))
    return spectrum.smooth(rows, smoothness), smoothness


def smoothing_spline(rows: Rows, smoothness: float) -> Rows:
    """Smooth each row by the natural cubic spline of a given λ (frame's duration cubed)."""
    return _Spectrum.of(rows).smooth(rows, np.full(len(rows), float(smoothness)))


def cutoff_of(smoothness: Rows) -> Rows:
    """Return the frequency at which a spline's gain is −3 dB, cycles a frame; at most 0.5.

    The gain is r / (r + λt²) with t = 2 − 2cos ω and r = 1 − t/6.
    """
    # The quadratic λt² + (√2 − 1)t/6 = √2 − 1, solved for t.
    c = np.sqrt(2) - 1
    t = (np.sqrt(c * c / 36 + 4 * smoothness * c) - c / 6) / (2 * smoothness)
    cutoff: Rows = np.arccos(1 - np.minimum(t, 4) / 2) / (2 * np.pi)
    return cutoff


def smoothness_of(cutoff: float) -> float:
    """Return the λ whose gain is −3 dB at a frequency in cycles a frame."""
    t = 2 - 2 * np.cos(2 * np.pi * cutoff)
    return float((np.sqrt(2) - 1) * (1 - t / 6) / t**2)


class _Half(NamedTuple):
    """Symmetric or antisymmetric modes.

    Attributes
    ----------
    r, t2
        Eigenvalues of R and of T², shape ``(modes,)``.
    corner
        The modes' weight in the corners.
    power
        The samples' second differences in these modes, shape ``(rows, modes)``.
    """

    r: Rows
    t2: Rows
    corner: Rows
    power: Rows

    def solve(self, smoothness: Rows) -> tuple[Rows, Rows, Rows, Rows]:
        """Return the spline's second derivatives in these modes, and three sums for the score."""
        inverse = 1 / (self.r + smoothness[:, None] * self.t2)
        second = self.power * inverse
        at_corner = _sum(self.corner * self.corner, inverse)
        share = 1 + smoothness * at_corner
        pull = _sum(self.corner, second) / share
        second -= (smoothness * pull)[:, None] * (self.corner * inverse)
        freedom = _sum(self.r, inverse)
        inverse *= inverse
        freedom -= smoothness / share * _sum(self.corner * self.corner * self.r, inverse)
        return second, pull, freedom, share

    def in_bands(self, width: int) -> _Half:
        """Return the mean of each ``width`` neighboring modes, and nothing in the corners."""
        used = len(self.r) - len(self.r) % width
        r, t2 = (v[:used].reshape(-1, width).mean(axis=1) for v in (self.r, self.t2))
        energy = np.square(self.power[:, :used]).reshape(len(self.power), -1, width).mean(axis=2)
        return _Half(r, t2, np.zeros_like(r), np.sqrt(energy))


class _Spectrum(NamedTuple):
    halves: tuple[_Half, _Half]

    @classmethod
    def of(cls, rows: Rows) -> _Spectrum:
        """Transform the second differences of each row."""
        modes = rows.shape[1] - 2
        phase = np.pi * np.arange(1, modes + 1) / (modes + 1)
        t = 2 - 2 * np.cos(phase)
        corner = np.sqrt(4 / (modes + 1)) * np.sin(phase)
        power = dst(np.diff(rows, 2, axis=1), type=1, norm="ortho", axis=1, overwrite_x=True)
        halves = [
            _Half(1 - t[p::2] / 6, t[p::2] ** 2, corner[p::2].copy(), power[:, p::2].copy())
            for p in (0, 1)
        ]
        return cls((halves[0], halves[1]))

    def in_bands(self) -> _Spectrum:
        """Return a spectrum of fewer modes for the search, where there are very many.

        The score is a sum over smooth functions of frequency: bands of a few hundred-thousandths of
        the frame rate change it by less than one in 10⁵, as does leaving out the corners.
        """
        width = len(self.halves[0].r) // _BANDS
        if width < 2:
            return self
        first, second = (half.in_bands(width) for half in self.halves)
        return _Spectrum((first, second))

    def score(self, smoothness: Rows) -> Rows:
        """Return each row's generalized cross-validation score (but for constant factors)."""
        residual, freedom = np.zeros((2, len(smoothness)))
        for half in self.halves:
            second, pull, tied, _ = half.solve(smoothness)
            second *= second
            residual += _sum(half.t2, second) + pull * pull
            freedom += len(half.r) - tied
        scores: Rows = (smoothness / freedom) ** 2 * residual
        return scores

    def scores(self, smoothness: Rows) -> Rows:
        """Return every row's score for every λ, shape ``(rows, λ)``.

        The same sums as in :meth:`score`, multiplied out, so that most do not depend on the row
        and the others are matrix products.
        """
        residual = np.zeros((len(self.halves[0].power), len(smoothness)))
        freedom = np.zeros(len(smoothness))
        for half in self.halves:
            inverse = 1 / (half.r[:, None] + half.t2[:, None] * smoothness)
            square = inverse * inverse
            corner2 = half.corner * half.corner
            pulled = half.power * half.corner
            share = 1 + smoothness * (corner2 @ inverse)
            pull = (pulled @ inverse) / share
            away = smoothness * pull
            residual += (half.power * half.power * half.t2) @ square + pull * pull
            residual -= 2 * away * ((pulled * half.t2) @ square)
            residual += away * away * ((corner2 * half.t2) @ square)
            freedom += len(half.r) - half.r @ inverse
            freedom += smoothness / share * ((corner2 * half.r) @ square)
        scores: Rows = (smoothness / freedom) ** 2 * np.maximum(residual, 0)
        return scores

    def smooth(self, rows: Rows, smoothness: Rows) -> Rows:
        """Return the rows' splines."""
        second = np.empty((len(rows), rows.shape[1] - 2))
        for p, half in enumerate(self.halves):
            second[:, p::2] = half.solve(smoothness)[0]
        second = dst(second, type=1, norm="ortho", axis=1, overwrite_x=True)
        second *= smoothness[:, None]
        smooth = rows.copy()
        smooth[:, :-2] -= second
        smooth[:, 1:-1] += 2 * second
        smooth[:, 2:] -= second
        return smooth


def _sum(weight: Rows, rows: Rows) -> Rows:
    # Not a matrix product: its rounding would depend on how many rows there are.
    total: Rows = np.einsum("j,ij->i", weight, rows)
    return total


def _search_range(frames: int) -> tuple[float, float]:
    most = smoothness_of(max(_LEAST_CUTOFF, 0.5 / frames))
    return float(np.log(_LEAST_LAMBDA)), float(np.log(most))


def _least(spectrum: _Spectrum, bounds: tuple[float, float]) -> Rows:
    """Return each row's log λ of least score: the best of a grid, then twice a parabola."""
    grid, step = np.linspace(*bounds, _GRID, retstep=True)
    scores = spectrum.scores(np.exp(grid))
    best = np.clip(scores.argmin(axis=1), 1, _GRID - 2)
    row = np.arange(len(scores))
    around = [scores[row, best + offset] for offset in (-1, 0, 1)]
    found = grid[best] + step * _vertex(*around)
    step /= 8
    around = [spectrum.score(np.exp(found + offset * step)) for offset in (-1, 0, 1)]
    least: Rows = np.clip(found + step * _vertex(*around), *bounds)
    return least


def _vertex(left: Rows, center: Rows, right: Rows) -> Rows:
    """Return where the parabola through three points is least, −1 to 1 steps from the center."""
    bend = left - 2 * center + right
    convex = bend > 0
    offset = np.where(convex, (left - right) / (2 * np.where(convex, bend, 1)), 0)
    offset = np.where(convex, offset, np.sign(left - right))
    vertex: Rows = np.clip(offset, -1, 1)
    return vertex
