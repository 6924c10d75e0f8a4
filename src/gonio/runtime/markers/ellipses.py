"""A soft-edged ellipse on a sloping ground, fitted to pixels by damped least squares."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.floating[Any]]

_ROUNDS: Final = 10
_REWEIGHTED: Final = (2, 4)  # anew once it fits: weights of a poor fit are lopsided
_STILL: Final = 4e-3
_LEVEL: Final = 12.0  # how strongly a marker is taken to be of one color
_SOFTEST: Final = 0.6
_SHARPEST: Final = 0.18
_MOST_OVAL: Final = 0.6
SECTORS: Final = 12
REACH: Final = 1.85
ROOM: Final = 2.0
"""Cells count to this many radii, and so many cells more."""
_LEAST_STEP: Final = 0.5


class Ellipses(NamedTuple):
    """Fitted ellipses, in cells of the window.

    Attributes
    ----------
    center
        Shape ``(N, 2)``, from the window's middle.
    radius
        Shape ``(N,)``: of the circle of the same area.
    ratio
        Shape ``(N,)``: shorter over longer axis.
    softness
        Shape ``(N,)``: width of the edge (of a logistic).
    height
        Shape ``(N,)``: inside less outside.
    explained
        Shape ``(N,)``: share of the variance around the slope that the ellipse explains.
    closed
        Shape ``(N,)``: share of the sectors in which inside and outside differ as in the whole.
    """

    center: Floats
    radius: Floats
    ratio: Floats
    softness: Floats
    height: Floats
    explained: Floats
    closed: Floats


def fit_ellipses(
    values: Floats, inside: NDArray[np.bool_], start: Floats, radius: Floats
) -> Ellipses:
    """Fit one ellipse in each window.

    Parameters
    ----------
    values
        Shape ``(N, cells, cells)``: about 1 inside, about 0 outside, plus a constant.
    inside
        Likewise: which cells lie in the picture.
    start
        Shape ``(N, 2)``: where the center may be, cells from the window's middle.
    radius
        Shape ``(N,)``: what the radius may be, cells.

    Returns
    -------
    Ellipses
    """
    count, cells = values.shape[:2]
    offset = np.arange(cells) - (cells - 1) / 2
    x = np.broadcast_to(offset, (count, cells, cells)).reshape(count, -1).astype(np.float32)
    y = np.broadcast_to(offset[:, None], (count, cells, cells)).reshape(count, -1)
    y = y.astype(np.float32)
    v = values.reshape(count, -1).astype(np.float32)
    reach = np.hypot(x - start[:, :1], y - start[:, 1:])
    counts = (reach <= REACH * radius[:, None] + ROOM) & inside.reshape(count, -1)
    weight: Floats = counts.astype(np.float32)
    ground = _mean_where(v, weight * (reach > 1.25 * radius[:, None]))
    top = _mean_where(v, weight * (reach < 0.7 * radius[:, None]))
    zero = np.zeros(count)
    # cx, cy, radius, oval along x, oval along the diagonal, log softness; height, ground, its
    # slopes, and the height's: light on a marker and on darker skin changes by as many percent.
    p = np.stack(
        [*start.T, radius, zero, zero, zero + np.log(0.5), top - ground, ground, *[zero] * 4],
        axis=1,
    )
    robust: Floats = weight
    damping = np.full(count, 1e-2)
    model, jacobian = _model(p, x, y, radius)
    cost = _cost(p, robust, v - model)
    for turn in range(_ROUNDS):
        if turn in _REWEIGHTED:
            robust = weight * _cauchy(v - model, weight)
            cost = _cost(p, robust, v - model)
        old = p
        new = _limited(p + _step(p, jacobian, robust, v - model, damping), p, radius)
        trial, trial_jacobian = _model(new, x, y, radius)
        trial_cost = _cost(new, robust, v - trial)
        better = trial_cost <= cost
        p = np.where(better[:, None], new, p)
        model = np.where(better[:, None], trial, model)
        jacobian = np.where(better[:, None, None], trial_jacobian, jacobian)
        cost = np.where(better, trial_cost, cost)
        damping = np.clip(np.where(better, damping / 4, damping * 8), 1e-6, 1e4)
        if turn > _REWEIGHTED[-1] and np.abs(new - old)[:, :3].max() < _STILL:
            break
    return _judge(p, v - model, jacobian, weight, x, y)


def _model(p: Floats, x: Floats, y: Floats, scale: Floats) -> tuple[Floats, Floats]:
    """Return the values ``(N, P)`` and their derivatives by the parameters ``(N, 12, P)``."""
    parts = p.astype(np.float32).T[:, :, None]
    cx, cy, radius, oval, skew, log_soft, height, ground, slope_x, slope_y, tilt_x, tilt_y = parts
    dx, dy = x - cx, y - cy
    soft = np.exp(log_soft)
    length = np.sqrt(
        np.maximum((1 + oval) * dx * dx + (1 - oval) * dy * dy + 2 * skew * dx * dy, 1e-12)
    )
    beyond = length - radius
    level = 1 / (1 + np.exp(np.clip(beyond / soft, -40, 40)))
    u, w = (axis / scale[:, None].astype(np.float32) for axis in (x, y))
    above = height + tilt_x * u + tilt_y * w
    edge = level * (1 - level) / soft * above  # minus the derivative by the distance
    gx, gy = ((1 + oval) * dx + skew * dy) / length, ((1 - oval) * dy + skew * dx) / length
    one = np.ones_like(x)
    jacobian = np.stack(
        [
            edge * gx, edge * gy, edge,
            -edge * (dx * dx - dy * dy) / (2 * length), -edge * dx * dy / length,
            edge * beyond, level, one, u, w, level * u, level * w,
        ],
        axis=1,
    )  # fmt: skip
    return above * level + ground + slope_x * u + slope_y * w, jacobian


def _cost(p: Floats, robust: Floats, residual: Floats) -> Floats:
    cost: Floats = (robust * residual**2).sum(axis=1) + _LEVEL * (p[:, 10:] ** 2).sum(axis=1)
    return cost


def _step(p: Floats, jacobian: Floats, weight: Floats, residual: Floats, damping: Floats) -> Floats:
    weighted = jacobian * weight[:, None]
    normal = (weighted @ jacobian.transpose(0, 2, 1)).astype(np.float64)
    right = (weighted @ residual[..., None])[..., 0].astype(np.float64)
    right[:, 10:] -= _LEVEL * p[:, 10:]
    diagonal = np.einsum("nii->ni", normal)
    diagonal[:, 10:] += _LEVEL
    diagonal += damping[:, None] * diagonal + 1e-9 * (1 + diagonal.max(axis=1, keepdims=True))
    step: Floats = np.linalg.solve(normal, right[..., None])[..., 0]
    return step


def _limited(new: Floats, old: Floats, radius: Floats) -> Floats:
    reach = 0.4 * radius[:, None] + 0.2
    new[:, :2] = np.clip(new[:, :2], old[:, :2] - reach, old[:, :2] + reach)
    new[:, 2] = np.clip(new[:, 2], 0.5 * radius, 1.8 * radius)
    oval = np.hypot(new[:, 3], new[:, 4])
    new[:, 3:5] *= np.minimum(1, _MOST_OVAL / np.maximum(oval, 1e-9))[:, None]
    new[:, 5] = np.clip(new[:, 5], np.log(_SHARPEST), np.log(_SOFTEST * radius + 0.4))
    return new


def _cauchy(residual: Floats, weight: Floats) -> Floats:
    """Return weights that make little of hairs, glints and what lies beside."""
    # The median of every third cell that counts: the others are sorted to the end.
    size = np.where(weight > 0, np.abs(residual), np.inf)[:, ::3]
    middle = (np.isfinite(size).sum(axis=1) // 2)[:, None]
    scale = 1.4826 * np.take_along_axis(np.sort(size, axis=1), middle, axis=1)[:, 0]
    ratio = residual / (2.5 * np.clip(scale, 0.05, 1.0))[:, None]
    return 1 / (1 + ratio * ratio)


def _mean_where(values: Floats, weight: Floats) -> Floats:
    mean: Floats = (values * weight).sum(axis=1) / np.maximum(weight.sum(axis=1), 1e-6)
    return mean


def _judge(
    p: Floats, residual: Floats, jacobian: Floats, weight: Floats, x: Floats, y: Floats
) -> Ellipses:
    cx, cy, radius, oval, skew, log_soft, height = p.T[:7]
    dx, dy = x - cx[:, None], y - cy[:, None]
    length = np.sqrt(
        np.maximum(
            (1 + oval[:, None]) * dx * dx + (1 - oval[:, None]) * dy * dy
            + 2 * skew[:, None] * dx * dy, 0
        )
    ) / radius[:, None]  # fmt: skip
    near = weight * (length < 1.8)
    total = np.maximum(near.sum(axis=1), 1)
    level = jacobian[:, 6]
    mean = (near * level).sum(axis=1) / total
    signal = height**2 * (near * (level - mean[:, None]) ** 2).sum(axis=1)
    noise = (near * residual**2).sum(axis=1)
    disc = height[:, None] * level
    closed = _closed(residual + disc, disc, length, np.arctan2(dy, dx), near)
    spread = np.minimum(np.hypot(oval, skew), 0.999)
    return Ellipses(
        center=p[:, :2],
        # The axes are radius / sqrt(1 ± spread).
        radius=radius / (1 - spread**2) ** 0.25,
        ratio=np.sqrt((1 - spread) / (1 + spread)),
        softness=np.exp(log_soft),
        height=height,
        explained=signal / np.maximum(signal + noise, 1e-12),
        closed=closed,
    )


def _closed(flat: Floats, disc: Floats, length: Floats, angle: Floats, near: Floats) -> Floats:
    """Return the share of sectors with the edge that the fitted disc has there.

    ``flat`` are the values less the slope, ``disc`` the fitted disc alone.
    """
    sector = np.floor((angle / (2 * np.pi) + 0.5) * SECTORS).astype(int) % SECTORS
    cell = (sector + np.arange(len(flat))[:, None] * SECTORS).ravel()
    size = len(flat) * SECTORS

    def steps(values: Floats) -> Floats:
        means = []
        for mask in ((length > 0.3) & (length < 1.0), (length > 1.15) & (length < 1.8)):
            weight = (near * mask).ravel()
            counts = np.bincount(cell, weight, size)
            sums = np.bincount(cell, weight * values.ravel(), size)
            means.append(np.divide(sums, counts, out=np.full(size, np.nan), where=counts > 0))
        return np.asarray(means[0] - means[1]).reshape(len(flat), SECTORS)

    step, expected = steps(flat), steps(disc)
    known = np.isfinite(step) & np.isfinite(expected)
    with np.errstate(invalid="ignore"):
        good = known & (step * np.sign(expected) > _LEAST_STEP * np.abs(expected))
    closed: Floats = good.sum(axis=1) / np.maximum(known.sum(axis=1), SECTORS // 2)
    return closed
