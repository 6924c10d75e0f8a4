"""The 1 € filter: strong smoothing of what stands still, little delay of what moves fast."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from gonio.tracking.causal import CausalFilter, Sample, filter_poses
from gonio.tracking.series import positive

if TYPE_CHECKING:
    import xarray as xr
    from numpy.typing import NDArray

    Doubles = NDArray[np.float64]
    Mask = NDArray[np.bool_]


class OneEuro(CausalFilter):
    """The 1 € filter, frame by frame, for each coordinate by itself.

    An exponential average x̂ += α(fc)·(x − x̂), α(fc) = 1 / (1 + 1 / (2π·fc·Te)), Te the time since
    the last sample, whose cutoff follows the speed: fc = min_cutoff + beta·abs(speed). The speed
    (x − x̂ of before) / Te is averaged in the same way, with a cutoff of its own.

    Parameters
    ----------
    min_cutoff_hz
        Cutoff at rest, Hz: less of it, less jitter.
    beta
        Cutoff that each pixel a second adds, Hz: more of it, less delay. The default suits people
        of about 500 px; it grows with one over their size in the picture.
    derivative_cutoff_hz
        Cutoff of the speed, Hz.
    max_gap_s
        See :class:`CausalFilter`.

    Raises
    ------
    ConfigError
        If a setting is out of range.

    References
    ----------
    Casiez, Roussel & Vogel (2012), 1 € filter: a simple speed-based low-pass filter for noisy
    input in interactive systems, CHI '12: 2527-2530, algorithm 1 (the speed is measured from
    the last *filtered* value, as there).
    """

    def __init__(
        self,
        *,
        min_cutoff_hz: float = 1.0,
        beta: float = 0.1,
        derivative_cutoff_hz: float = 1.0,
        max_gap_s: float = 0.2,
    ) -> None:
        self._min_cutoff_hz = positive("one_euro", "min_cutoff_hz", min_cutoff_hz)
        self._beta = positive("one_euro", "beta", beta, zero=True)
        self._derivative_hz = positive("one_euro", "derivative_cutoff_hz", derivative_cutoff_hz)
        super().__init__("one_euro", max_gap_s)

    def _start(self, shape: tuple[int, ...]) -> None:
        self._smooth: Doubles = np.zeros(shape)
        self._speed: Doubles = np.zeros(shape)
        self._away: Doubles = np.zeros(shape)
        self._ratio: Doubles = np.zeros(shape)

    def _begin(self, position: Doubles, fresh: Mask) -> None:
        np.copyto(self._smooth, position, where=fresh)
        np.copyto(self._speed, 0.0, where=fresh)

    def _tune(self, elapsed_s: Doubles) -> None:
        moving = elapsed_s > 0
        self._rate_hz: Doubles = np.divide(
            1.0, elapsed_s, out=np.zeros_like(elapsed_s), where=moving
        )
        self._turn_s: Doubles = 2 * np.pi * elapsed_s
        ratio = self._derivative_hz * self._turn_s
        self._speed_alpha: Doubles = ratio / (1 + ratio)

    def _step(self, sample: Sample, *, same: bool) -> Doubles:  # noqa: ARG002
        # Twelve operations on small arrays: written into place, a million frames take seconds.
        away, ratio, speed = self._away, self._ratio, self._speed
        np.subtract(sample.position, self._smooth, out=away)
        np.multiply(away, self._rate_hz, out=ratio)
        ratio -= speed
        ratio *= self._speed_alpha
        speed += ratio
        np.absolute(speed, out=ratio)
        ratio *= self._beta
        ratio += self._min_cutoff_hz
        ratio *= self._turn_s
        away *= ratio
        ratio += 1.0
        away /= ratio
        self._smooth += away
        return self._smooth


def one_euro(
    poses: xr.Dataset,
    *,
    min_cutoff_hz: float = 1.0,
    beta: float = 0.1,
    derivative_cutoff_hz: float = 1.0,
    max_gap_s: float = 0.2,
) -> xr.Dataset:
    """Smooth as a live view does, with the 1 € filter: only from the past, with some delay.

    Parameters
    ----------
    poses
        Poses; NaN stays NaN. Uneven times are followed as they are.
    min_cutoff_hz, beta, derivative_cutoff_hz, max_gap_s
        See :class:`OneEuro`.

    Returns
    -------
    xr.Dataset

    Raises
    ------
    ConfigError
        If a setting is out of range.
    InputError
        If frames are further apart than ``max_gap_s``.

    References
    ----------
    Casiez, Roussel & Vogel (2012), CHI '12: 2527-2530.
    """
    settings = {
        "min_cutoff_hz": min_cutoff_hz,
        "beta": beta,
        "derivative_cutoff_hz": derivative_cutoff_hz,
    }
    causal = OneEuro(**settings, max_gap_s=max_gap_s)
    return filter_poses(poses, causal, **settings)
