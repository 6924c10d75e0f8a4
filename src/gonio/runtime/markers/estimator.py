"""An estimator whose points are markers: fitted where they are, not seen where they are not."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from gonio.runtime.markers.fitting import fit_markers

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from gonio.runtime.cards import Card
    from gonio.runtime.estimator import Estimator, Person
    from gonio.runtime.markers.spec import MarkerSpec

_LEAST_SEARCH_PX = 3.0


class MarkerEstimator:
    """Another estimator's people, their points fitted to the markers in the image.

    Parameters
    ----------
    estimator
        Finds people and, coarsely, their markers.
    spec
        The card's ``markers``.
    """

    def __init__(self, estimator: Estimator, spec: MarkerSpec) -> None:
        self._coarse, self._spec = estimator, spec
        self.card: Card = estimator.card
        self.skeleton = estimator.skeleton
        self.provider = estimator.provider

    def estimate(self, image: NDArray[np.uint8]) -> Sequence[Person]:
        """Find the people in the next image of the series; those without any marker are none."""
        people = [self._refined(image, person) for person in self._coarse.estimate(image)]
        return [person for person in people if np.isfinite(person.keypoints_px).any()]

    def reset(self) -> None:
        """Forget what was seen."""
        self._coarse.reset()

    def close(self) -> None:
        """Forget what was seen."""
        self._coarse.close()

    def _refined(self, image: NDArray[np.uint8], person: Person) -> Person:
        scale = person.region.size_px[0] / self.card.input.width
        points, confidence = refine_person(
            image, person.keypoints_px, person.confidence, self._spec, scale
        )
        return replace(
            person,
            keypoints_px=points.astype(np.float32),
            confidence=confidence.astype(np.float32),
        )


def refine_person(
    image: NDArray[np.uint8],
    points_px: NDArray[np.floating],
    confidence: NDArray[np.floating],
    spec: MarkerSpec,
    scale: float,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Fit one person's markers.

    Parameters
    ----------
    image
        Shape ``(H, W, 3)``, RGB, at the source's resolution.
    points_px, confidence
        The network's, shapes ``(K, 2)`` and ``(K,)``.
    spec
        How far to look, for what.
    scale
        Source pixels in a pixel of the network's input.

    Returns
    -------
    points, confidence
        The markers' centers with the network's confidence; NaN and 0 where there is no marker, or
        where a point of more confidence has found the same one.
    """
    sure = confidence >= spec.min_confidence
    points = np.where(sure[:, None], points_px, np.nan).astype(np.float64)
    search_px = max(spec.search * scale, _LEAST_SEARCH_PX)
    found = fit_markers(image, points, search_px=search_px, radius_px=spec.radius_px)
    centers, radii = found.centers_px, found.radii_px
    apart = np.linalg.norm(centers[:, None] - centers, axis=2)
    with np.errstate(invalid="ignore"):
        same = apart < np.maximum(radii[:, None], radii)
    better = (confidence[:, None] > confidence) | (
        (confidence[:, None] == confidence) & np.triu(np.ones_like(same), 1)
    )
    taken = (same & better).any(axis=0)
    seen = np.isfinite(radii) & ~taken
    return np.where(seen[:, None], centers, np.nan), np.where(seen, confidence, 0.0)
