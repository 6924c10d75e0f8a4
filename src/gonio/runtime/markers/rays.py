"""Blobs looked at along rays from their middle, for an edge all round."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

import cv2
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.floating[Any]]

RAYS: Final = 16
_STEPS: Final = np.linspace(0.15, 2.6, 18)
_NOISE: Final = 4.0


class Rays(NamedTuple):
    """What the rays of C candidates show.

    Attributes
    ----------
    radius_px
        Shape ``(C,)``: where inside and outside differ most.
    contrast
        Shape ``(C, 3)``: inside less outside, levels of red, green and blue.
    axis
        Shape ``(C, 3)``: the mixture of colors in which they differ most, relative to their
        spread; a pixel's value along it is 1 inside and 0 outside, plus a constant.
    round
        Shape ``(C,)``: share of the rays with such an edge.
    score
        Shape ``(C,)``: how plainly the blob stands out; 0 for none.
    """

    radius_px: Floats
    contrast: Floats
    axis: Floats
    round: Floats
    score: Floats


def look_along_rays(image: NDArray[np.uint8], centers_px: Floats, radii_px: Floats) -> Rays:
    """Look at candidates along rays.

    Parameters
    ----------
    image
        Shape ``(H, W, 3)``.
    centers_px
        Shape ``(C, 2)``, finite.
    radii_px
        Shape ``(C,)``, finite.

    Returns
    -------
    Rays
    """
    turn = np.arange(RAYS) * (2 * np.pi / RAYS)
    reach = radii_px[:, None, None] * _STEPS
    x = (centers_px[:, 0, None, None] + np.cos(turn)[:, None] * reach).astype(np.float32)
    y = (centers_px[:, 1, None, None] + np.sin(turn)[:, None] * reach).astype(np.float32)
    flat = (len(x), -1)
    samples = cv2.remap(
        image, x.reshape(flat), y.reshape(flat), cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )  # fmt: skip
    values = samples.reshape(*x.shape, 3).astype(np.float32)  # (C, rays, steps, 3)
    step = _edge(values.mean(axis=1))
    weights = np.stack([_INNER[step], _OUTER[step]], axis=1)  # (C, 2, steps)
    levels = weights[:, None] @ values  # (C, rays, 2, 3)
    both = np.median(levels, axis=1)
    contrast = (both[:, 0] - both[:, 1]).astype(np.float64)
    axis = _axis(values[:, ::2], weights > 0, contrast)
    edges = ((levels[:, :, 0] - levels[:, :, 1]) @ axis[..., None])[..., 0]
    spread = _spread(values, weights > 0, axis)
    share = (edges > 0.4).mean(axis=1)
    size = np.linalg.norm(contrast, axis=1)
    score = np.where(size > 0, share**4 / np.sqrt(spread**2 + 0.03), 0.0)
    score *= np.minimum(size / 40, 1.0)
    radius = radii_px * (_STEPS[step] + _STEPS[step + 1]) / 2
    return Rays(radius, contrast, axis, share, score)


def _masks() -> tuple[Floats, Floats]:
    """Return, for an edge behind each step, the weights of steps inside and outside it, (S, S)."""
    edge = (_STEPS + np.append(_STEPS[1:], _STEPS[-1]))[:, None] / 2
    inner = (edge * 0.85 > _STEPS) * _STEPS  # as many pixels lie at a radius as it is long
    outer = ((edge * 1.2 < _STEPS) & (edge * 1.9 > _STEPS)) * 1.0
    inner[:, 0] += ~inner.any(axis=1)
    outer[:, -1] += ~outer.any(axis=1)
    return inner / inner.sum(axis=1, keepdims=True), outer / outer.sum(axis=1, keepdims=True)


_INNER, _OUTER = (mask.astype(np.float32) for mask in _masks())
_FIRST, _LAST = 3, 12  # edges from 0.65 to 1.95 of the radius asked for


def _edge(profile: NDArray[np.float32]) -> NDArray[np.intp]:
    """Return behind which step of each profile ``(C, S, 3)`` the strongest edge lies."""
    inner, outer = _INNER[_FIRST : _LAST + 1], _OUTER[_FIRST : _LAST + 1]
    mean = inner @ profile
    # A disc whose edge is taken too far out has part of its surroundings within.
    variance = np.maximum(inner @ profile**2 - mean**2, 0).sum(axis=2)
    power = ((mean - outer @ profile) ** 2).sum(axis=2)
    gain = power / (variance + 0.02 * power.max(axis=1, keepdims=True) + 9)
    return np.asarray(_FIRST + gain.argmax(axis=1), np.intp)


def _axis(values: NDArray[np.float32], sides: NDArray[np.bool_], contrast: Floats) -> Floats:
    """Return Fisher's direction, scaled so that the contrast along it is 1."""
    count, rays = values.shape[:2]
    flat = values.reshape(count, -1, 3)
    covariance = np.zeros((count, 3, 3))
    for side in (0, 1):
        weight = np.repeat(sides[:, None, side], rays, axis=1).reshape(count, 1, -1)
        weight = weight / weight.sum(axis=2, keepdims=True)
        centered = flat - weight @ flat
        covariance += (centered.transpose(0, 2, 1) * weight) @ centered / 2
    covariance += _NOISE**2 * np.eye(3)
    axis: Floats = np.linalg.solve(covariance, contrast[..., None])[..., 0]
    along = (axis * contrast).sum(axis=1, keepdims=True)
    scaled: Floats = np.divide(axis, along, out=np.zeros_like(axis), where=along > 0)
    return scaled


def _spread(values: NDArray[np.float32], sides: NDArray[np.bool_], axis: Floats) -> Floats:
    """Return the standard deviation within inside and outside along the axis."""
    along = (values @ axis[:, None, :, None])[..., 0]  # (C, rays, steps)
    total = np.zeros(len(values))
    for side in (0, 1):
        weight = sides[:, None, side].astype(np.float64)
        weight /= weight.sum(axis=2, keepdims=True) * along.shape[1]
        mean = (along * weight).sum(axis=(1, 2), keepdims=True)
        total += ((along - mean) ** 2 * weight).sum(axis=(1, 2)) / 2
    return np.sqrt(total)
