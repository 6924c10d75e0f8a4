"""Does an exported file give what the network gives? Outputs and keypoints compared."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from gonio.errors import ModelOutputError
from gonio.runtime.topdown.decoding import decode_points

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    from gonio.runtime import Card

    Outputs = Mapping[str, NDArray[Any]]

MOST_RELATIVE: Final = 1e-4
"""Largest difference of an output, relative to its largest magnitude. Single precision and a few
hundred layers computed in another order give about 1e-6; a wrong operation gives far more."""
MOST_PX: Final = 0.05
"""Largest distance between keypoints, input pixels: a tenth of what labels are good for."""
_CLEAR: Final = 0.1
_SEED: Final = 7


@dataclass(frozen=True)
class Parity:
    """How far an exported file is from its network, over all images compared.

    Attributes
    ----------
    relative
        Largest difference of an output, relative to the output's largest magnitude.
    keypoints_px
        Largest distance between the two keypoints, input px; NaN where none was compared.
    compared, keypoints
        How many keypoints were compared, of how many. Left out are those without a clear peak
        (one that stands at least a tenth of a sure peak above the median of its map) and those
        whose two highest cells differ by no more than the outputs may: any tiny difference moves
        them far.
    """

    relative: float
    keypoints_px: float
    compared: int
    keypoints: int

    def require(self, path: Path) -> None:
        """Refuse a file that is too far from its network.

        Raises
        ------
        ModelOutputError
            If an output differs by more than 1e-4 of its range or a keypoint by more than
            0.05 px, or something is not finite.
        """
        if not self.relative <= MOST_RELATIVE or self.keypoints_px > MOST_PX:
            raise ModelOutputError(
                f"model '{path}': is not written: what it gives differs from what the network "
                f"gives, outputs by {self.relative:.1e} of their range (at most "
                f"{MOST_RELATIVE:.0e}), keypoints by {self.keypoints_px:.3g} px (at most "
                f"{MOST_PX:g})"
            )


def example_images(card: Card, count: int) -> NDArray[np.uint8]:
    """Make images that a network can be tried on: half noise, half as smooth as photographs.

    Parameters
    ----------
    card
        Says the size.
    count
        How many.

    Returns
    -------
    ndarray
        Shape ``(count, height, width, 3)``, the same at every call. The amplitude of a
        photograph's spatial frequencies falls as 1/f (Field 1987, JOSA A 4:2379).
    """
    rng = np.random.default_rng(_SEED)
    size = (card.input.height, card.input.width)
    noise = rng.standard_normal((count, 3, *size))
    down, across = np.fft.fftfreq(size[0])[:, None], np.fft.fftfreq(size[1])
    frequency = np.maximum(np.hypot(down, across), 1 / max(size))
    smooth = np.fft.ifft2(np.fft.fft2(noise) / frequency).real
    smooth /= smooth.std(axis=(1, 2, 3), keepdims=True)
    half = np.arange(count)[:, None, None, None] % 2 == 0
    pixels = 127.5 + 60 * np.where(half, smooth, noise)
    return pixels.clip(0, 255).astype(np.uint8).transpose(0, 2, 3, 1)


def compare(network: Outputs, exported: Outputs, card: Card) -> Parity:
    """Compare what a network and its exported file give for the same images.

    Parameters
    ----------
    network, exported
        Role → array, the batch first; activations applied.
    card
        Says how keypoints are read.

    Returns
    -------
    Parity
    """
    relative = max(_relative(network[role], exported[role]) for role in network)
    here, _ = decode_points(network, card)
    there, _ = decode_points(exported, card)
    clear = np.isfinite(here).all(axis=-1)
    for role in {"heatmap", "x", "y"} & set(network):
        clear &= _clear(network[role], exported[role], card)
    gaps = np.linalg.norm(here - there, axis=-1)[clear]
    # A point that one of the two does not find at all is as far off as can be.
    farthest = float(np.nan_to_num(gaps, nan=np.inf).max()) if gaps.size else float("nan")
    return Parity(relative, farthest, int(clear.sum()), clear.size)


def _relative(one: NDArray[Any], other: NDArray[Any]) -> float:
    if one.shape != other.shape or not np.isfinite(one).all():
        return float("inf")
    scale = float(np.abs(one).max())
    gap = float(np.abs(one - other).max())  # NaN where the other is not finite
    return gap / scale if scale > 0 else gap


def _clear(one: NDArray[Any], other: NDArray[Any], card: Card) -> NDArray[np.bool_]:
    """Say which maps or distributions (N, K, …) have one clear peak."""
    if card.input.layout == "nhwc" and one.ndim == 4:
        one, other = (a.transpose(0, 3, 1, 2) for a in (one, other))
    flat, flat_other = (a.reshape(*a.shape[:2], -1) for a in (one, other))
    best = flat.max(axis=-1)
    above = best - np.median(flat, axis=-1)
    there = np.take_along_axis(flat, flat_other.argmax(axis=-1)[..., None], axis=-1)[..., 0]
    gap = np.minimum(np.abs(flat - flat_other).max(axis=-1), MOST_RELATIVE * np.abs(one).max())
    tied = (flat.argmax(axis=-1) != flat_other.argmax(axis=-1)) & (best - there <= 2 * gap)
    return np.asarray((above >= _CLEAR * card.output.peak) & ~tied, dtype=np.bool_)
