"""From a point to its marker's center, or to the answer that there is none."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from gonio.runtime.markers.blobs import find_blobs
from gonio.runtime.markers.ellipses import REACH, ROOM, Ellipses, fit_ellipses
from gonio.runtime.markers.rays import look_along_rays
from gonio.runtime.markers.windows import cut_windows

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.floating[Any]]

MIN_CONTRAST: Final = 14.0
"""Least difference between a marker and its surroundings: the length of the difference of red,
green and blue, 0 to 442."""
_TRIES: Final = 2
_LEAST_SCORE: Final = 1.2
_HALF: Final = 23
_LARGEST: Final = 8.5  # radius in a window, cells
_LEAST_PLAIN: Final = 1.25
_LEAST_CLOSED: Final = 0.8
_LEAST_RATIO: Final = 0.65


class MarkerFit(NamedTuple):
    """Markers found near points.

    Attributes
    ----------
    centers_px
        Shape ``(N, 2)``, pixels; NaN where there is no marker.
    radii_px
        Shape ``(N,)``; likewise.
    quality
        Shape ``(N,)``, 0–1: how plainly it is one; 0 where there is none.
    """

    centers_px: Floats
    radii_px: Floats
    quality: Floats


def fit_markers(
    image: NDArray[np.uint8],
    points_px: Floats,
    *,
    search_px: float,
    radius_px: tuple[float, float] = (2.0, 30.0),
) -> MarkerFit:
    """Fit the center of the marker near each point.

    A marker is round, seen at most obliquely, has an edge all round, and differs from its
    surroundings in light or color: a sticker or a pen dot. Shadows, hairs, creases and the edges of
    a leg are none.

    Parameters
    ----------
    image
        Shape ``(H, W, 3)``, RGB, at the source's resolution.
    points_px
        Shape ``(N, 2)``, where to look; NaN: nowhere.
    search_px
        How far from the point the center may lie.
    radius_px
        Least and greatest radius.

    Returns
    -------
    MarkerFit
        Each point by itself; two points may have found the same marker.
    """
    points = np.asarray(points_px, np.float64)
    result = MarkerFit(np.full_like(points, np.nan), np.full(len(points), np.nan),
                       np.zeros(len(points)))  # fmt: skip
    height, width = image.shape[:2]
    asked = np.flatnonzero(
        np.isfinite(points).all(axis=1)
        & ((points >= -search_px) & (points < np.array([width, height]) + search_px)).all(axis=1)
    )
    if not asked.size:
        return result
    centers, radii = find_blobs(image, points[asked], search_px, radius_px)
    there = np.isfinite(radii)
    rays = look_along_rays(image, centers[there], radii[there])
    score = np.zeros(radii.shape)
    away = np.linalg.norm(centers - points[asked, None], axis=2)
    score[there] = rays.score
    rank = np.where(score > _LEAST_SCORE, score, 0) * np.exp(-0.5 * (away / search_px) ** 2)
    place = np.cumsum(there.ravel()).reshape(there.shape) - 1
    for chosen in _best(rank, centers, radii):
        open_ = ~np.isfinite(result.radii_px[asked])
        rows = np.flatnonzero(open_ & (chosen >= 0))
        if not rows.size:
            continue
        at = place[rows, chosen[rows]]
        found = _fit(image, centers[rows, chosen[rows]], rays.radius_px[at], rays.axis[at])
        size = np.abs(found.height) * np.linalg.norm(rays.contrast[at], axis=1)
        off = np.linalg.norm(found.center - points[asked[rows]], axis=1)
        plain = _plainness(found, score[rows, chosen[rows]])
        good = (
            (plain >= _LEAST_PLAIN)
            & _is_possible(found, radius_px)
            & (size >= MIN_CONTRAST)
            & (off <= search_px)
            & ((found.center >= -0.5) & (found.center < np.array([width, height]) - 0.5)).all(
                axis=1
            )
        )
        rows = asked[rows[good]]
        result.centers_px[rows], result.radii_px[rows] = found.center[good], found.radius[good]
        result.quality[rows] = 1 / (1 + np.exp(-plain[good]))
    return result


def _best(score: Floats, centers: Floats, radii: Floats) -> list[NDArray[np.intp]]:
    """Return the best candidate of each point, then the best that is another one; −1 for none."""
    rows = np.arange(len(score))
    left = score.copy()
    tries = []
    for _ in range(_TRIES):
        best = left.argmax(axis=1)
        tries.append(np.where(left[rows, best] > 0, best, -1))
        apart = np.linalg.norm(centers - centers[rows, best][:, None], axis=2)
        same = apart < 0.7 * np.nan_to_num(radii[rows, best])[:, None]
        left[same] = 0
        left[rows, best] = 0
    return tries


def _fit(image: NDArray[np.uint8], centers: Floats, radii: Floats, axes: Floats) -> Ellipses:
    """Fit ellipses in source pixels, each at the resolution that suits its size."""
    factors = 2 ** np.ceil(np.log2(np.maximum(radii / _LARGEST, 1))).astype(int)
    # One person's markers are of like size: a little more room for some saves a second round.
    finest = factors.min()
    factors[radii <= 1.25 * _LARGEST * finest] = finest
    parts: list[Floats | None] = [None] * len(Ellipses._fields)
    for factor in np.unique(factors):
        rows = np.flatnonzero(factors == factor)
        sizes = radii[rows] / factor
        half = min(_HALF, int(np.ceil(REACH * sizes.max() + ROOM)) + 1)
        windows, origins, inside = cut_windows(image, centers[rows], half, int(factor))
        values = (windows @ axes[rows][:, None, :, None])[..., 0]
        middle = origins + half * factor
        start = (centers[rows] - middle) / factor
        found = fit_ellipses(values, inside, start, sizes)
        lengths = found._replace(
            center=found.center * factor + middle,
            radius=found.radius * factor,
            softness=found.softness * factor,
        )
        for i, part in enumerate(lengths):
            whole = parts[i]
            if whole is None:
                whole = parts[i] = np.empty((len(radii), *part.shape[1:]))
            whole[rows] = part
    return Ellipses(*(part for part in parts if part is not None))


def _plainness(found: Ellipses, score: Floats) -> Floats:
    """Return the logarithm of the odds that a fit is a marker's.

    A logistic regression on discs drawn on skin and on photographs, against skin, hair, creases,
    edges, bumps, texture and photographs without (`docs/models.md` says how it does).
    """
    allowed = 0.2 * found.radius + 0.8  # of an edge's softness; a blur of the lens is in pixels
    plain: Floats = (
        1.7 * np.log(np.maximum(score, 1e-6))
        - 1.4 * np.log(1.003 - found.explained)
        + 10.0 * found.ratio
        - 4.0 * found.softness / allowed
        + 8.0 * found.closed
        - 18.2
    )
    return plain


def _is_possible(found: Ellipses, radius_px: tuple[float, float]) -> NDArray[np.bool_]:
    least, most = radius_px
    return (
        (found.closed >= _LEAST_CLOSED)
        & (found.ratio >= _LEAST_RATIO)
        & (found.height > 0.5)
        & (found.height < 3.0)
        & (found.radius >= 0.7 * least)
        & (found.radius <= 1.2 * most)
    )
