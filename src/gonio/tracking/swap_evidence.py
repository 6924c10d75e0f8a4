"""What speaks for and against a left/right swap, frame by frame.

Everything is measured in lengths of the limb. An exchange leaves the middle of a left/right pair
where it is and turns the difference of the two points round: all evidence over time lies in the
differences; and the lengths of the bones tell which joints belong together within a frame.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from gonio.tracking.limbs import BONES

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gonio.tracking.limbs import Limb

    Doubles = NDArray[np.float64]
    Floats = NDArray[np.float32]

_LEAST_NOISE: Final = 0.006
_LEAST_ACCELERATION_PER_S2: Final = 15.0
_LEAST_CONFIDENCE: Final = 0.25
_LEAST_BONE_SPREAD: Final = 0.04
_BONE_FREE: Final = 4.0
_BONE_CAP: Final = 6.0
_USUAL_JUMPS: Final = 6.0
_SIZE_WINDOW_S: Final = 1.0
_MOST_SAMPLES: Final = 100_000


@dataclass(frozen=True, eq=False)
class Evidence:
    """One person's limb over time.

    Attributes
    ----------
    difference
        Left minus right of the watched pairs, shape ``(time, space, pair)``, limb lengths; NaN
        where a side is not seen.
    noise
        Variance of the difference's coordinates, shape ``(time, pair)``.
    acceleration
        Standard deviation of the change of velocity from frame to frame, shape ``(pair,)``,
        limb lengths a frame.
    bones
        Price of a pattern by the lengths of its bones, shape ``(time, pattern)``.
    trust
        The model's mean confidence in the limb, shape ``(time,)``, 0–1.
    """

    difference: Floats
    noise: Floats
    acceleration: Floats
    bones: Floats
    trust: Floats


def gather_evidence(
    limb: Limb, position: Floats, confidence: Floats, frame_s: float
) -> Evidence | None:
    """Measure one person's limb.

    Parameters
    ----------
    limb
        The limb.
    position
        Shape ``(time, space, keypoints)``; NaN = not seen.
    confidence
        Shape ``(time, keypoints)``; NaN says nothing and counts as 1.
    frame_s
        Time between frames, seconds.

    Returns
    -------
    Evidence or None
        None where no bone is ever seen on both sides.
    """
    left, right = position[:, :, limb.left], position[:, :, limb.right]
    lengths = _bone_lengths(limb, left, right)
    size = _limb_size(lengths, max(round(_SIZE_WINDOW_S / frame_s), 1))
    if size is None:
        return None
    watched = limb.watched
    difference = (left[..., watched] - right[..., watched]) / size[:, None, None]
    sure = np.minimum(confidence[:, limb.left[watched]], confidence[:, limb.right[watched]])
    sure = np.where(np.isfinite(sure), sure, np.float32(1))
    white, bend = _noise(difference)
    noise: Floats = np.square(white / np.maximum(sure, np.float32(_LEAST_CONFIDENCE)))
    noise += _jumps((left[..., watched] + right[..., watched]) / size[:, None, None])
    return Evidence(
        difference=difference,
        noise=noise,
        acceleration=np.maximum(bend, np.float32(_LEAST_ACCELERATION_PER_S2 * frame_s**2)),
        bones=_bone_prices(limb, lengths, size),
        trust=sure.mean(axis=1),
    )


def _bone_lengths(limb: Limb, left: Floats, right: Floats) -> list[Floats | None]:
    """Return each bone's lengths, ``(4, time)``: left, right, and the two crosswise."""
    bones: list[Floats | None] = []
    for upper, lower in BONES:
        a, b = limb.joints[upper], limb.joints[lower]
        if a is None or b is None:
            bones.append(None)
            continue
        ends = ((left, left), (right, right), (left, right), (right, left))
        bones.append(np.stack([_length(p[:, :, a] - q[:, :, b]) for p, q in ends]))
    return bones


def _length(vector: Floats) -> Floats:
    length: Floats = np.sqrt((vector * vector).sum(axis=1))
    return length


def _limb_size(lengths: list[Floats | None], window: int) -> Floats | None:
    """Return the limb's length over time, ``(time,)``: medians of windows, joined by lines."""
    # A confused joint makes one side longer and the other shorter: the mean holds.
    known_bones = np.stack([bone[:2] for bone in lengths if bone is not None])
    whole = known_bones.mean(axis=1).sum(axis=0)
    rest = np.full(-len(whole) % window, np.nan, np.float32)
    padded = np.append(whole, rest).reshape(-1, window)
    known = np.isfinite(padded).any(axis=1)
    if not known.any():
        return None
    middle = (np.flatnonzero(known) + 0.5) * window - 0.5
    size = np.interp(np.arange(len(whole)), middle, np.nanmedian(padded[known], axis=1))
    return size.astype(np.float32) if (size > 0).all() else None


def _noise(difference: Floats) -> tuple[Floats, Floats]:
    """Return the white part and the bend of each pair's motion, standard deviations ``(pair,)``.

    From the median absolute second and third difference over time; white noise of variance 1
    has 6 and 20.
    """
    second = np.diff(difference, 2, axis=0)
    third = np.diff(second, axis=0)
    white = _spread(third) / np.sqrt(20)
    bend = np.sqrt(np.maximum(_spread(second) ** 2 - 6 * white**2, 0))
    return np.maximum(white, _LEAST_NOISE).astype(np.float32), bend.astype(np.float32)


def _jumps(sum_of_sides: Floats) -> Floats:
    """Return the variance that a jump of both sides' middle adds, ``(time, pair)``.

    An exchange leaves the middle where it is. Where the middle jumps (a point was lost, somebody
    else was seen, the scene was cut), the difference jumps too, and not because of an exchange.
    """
    away = np.zeros((len(sum_of_sides), sum_of_sides.shape[2]), np.float32)
    middle = sum_of_sides[1:-1] - (sum_of_sides[:-2] + sum_of_sides[2:]) / 2
    away[1:-1] = (middle * middle).sum(axis=1)
    away[~np.isfinite(away)] = 0
    usual = np.median(away[1 : -1 : -(-len(away) // _MOST_SAMPLES) or 1], axis=0)
    return np.maximum(away - _USUAL_JUMPS * usual, 0)


def _spread(values: Floats) -> Doubles:
    """Return 1.4826 times the median absolute value of each pair; 0 where it has none."""
    spread = np.zeros(values.shape[2])
    step = -(-len(values) // _MOST_SAMPLES) or 1
    for pair in range(values.shape[2]):
        size = np.abs(values[::step, :, pair])
        size = size[np.isfinite(size)]
        if size.size:
            spread[pair] = 1.4826 * float(np.median(size))
    return spread


def _bone_prices(limb: Limb, lengths: list[Floats | None], size: Floats) -> Floats:
    """Price the patterns by the lengths of their bones, ``(time, pattern)``.

    A bone within two standard deviations of its usual length is free: small misfits last for
    many frames and would add up to certainty.
    """
    prices = np.zeros((len(size), len(limb.patterns)), np.float32)
    for bone, (upper, lower) in zip(lengths, BONES, strict=True):
        if bone is None:
            continue
        share = bone / size
        usual = share[:2][:, :: -(-len(size) // _MOST_SAMPLES) or 1]
        usual = usual[np.isfinite(usual)]
        if not usual.size:
            continue
        middle = np.float32(np.median(usual))
        spread = max(1.4826 * float(np.median(np.abs(usual - middle))), _LEAST_BONE_SPREAD)
        off = np.maximum(((share - middle) / np.float32(spread)) ** 2 - _BONE_FREE, 0)
        off /= 1 + off / _BONE_CAP
        straight, crosswise = off[0] + off[1], off[2] + off[3]
        known = np.isfinite(straight + crosswise)
        mixed = np.array([p[upper] != p[lower] for p in limb.patterns])
        prices += np.where(
            known[:, None], np.where(mixed, crosswise[:, None], straight[:, None]), 0
        )
    return prices
