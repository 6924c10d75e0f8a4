"""BlazePose's landmark model: region of an image → 39 points of one person."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from gonio.codec import (
    crop_matrix,
    heatmap_to_input,
    input_to_heatmap,
    invert,
    normalized_to_input,
    refine_in_window,
    transform,
    warp,
)
from gonio.runtime.fit import output_name

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gonio.codec import Region
    from gonio.runtime.cards import Card
    from gonio.runtime.sessions import Session

BODY_POINTS: Final = 33
_POINTS: Final = 39
_VALUES: Final = 5
_REGION_POINTS: Final = slice(33, 35)


@dataclass(frozen=True, eq=False)
class Landmarks:
    """What the landmark model sees in a region.

    Attributes
    ----------
    points_px
        Shape ``(39, 2)``, image pixels: 33 of the body, then auxiliary ones.
    visibility
        Shape ``(39,)``, 0–1: inside the image and not hidden.
    score
        That there is a person, 0–1.
    """

    points_px: NDArray[np.float64]
    visibility: NDArray[np.float64]
    score: float

    @property
    def region_points(self) -> NDArray[np.float64]:
        """Centre and top of the circle around the whole body, shape ``(2, 2)``."""
        return self.points_px[_REGION_POINTS]


class LandmarkModel:
    """Finds the landmarks of the person in a region, without memory.

    Parameters
    ----------
    session
        The opened model.
    card
        Its card.
    """

    def __init__(self, session: Session, card: Card) -> None:
        self._session, self._input = session, card.input
        self._landmarks, self._heatmap, self._presence = (
            output_name(session, card, role) for role in ("landmarks", "heatmap", "presence")
        )
        self._stride = card.output.stride or 4.0

    def locate(self, image: NDArray[np.uint8], region: Region) -> Landmarks:
        """Find the landmarks of the person in a region.

        Parameters
        ----------
        image
            Shape ``(H, W, 3)``, RGB.
        region
            Where to look; beyond the image its edge is repeated.

        Returns
        -------
        Landmarks
        """
        input_wh = (self._input.width, self._input.height)
        matrix = crop_matrix(region, input_wh)
        tensor = self._input.to_tensor(warp(image, matrix, input_wh, border="replicate"))
        outputs = self._session.run({self._session.input_names[0]: tensor})
        values = outputs[self._landmarks].reshape(_POINTS, _VALUES)
        maps = outputs[self._heatmap][0]
        points = refine(values[:, :2] / input_wh, maps, input_wh, self._stride)
        return Landmarks(
            transform(points, invert(matrix)),
            1 / (1 + np.exp(-values[:, 3].astype(np.float64))),
            float(outputs[self._presence].item()),
        )


def refine(
    points01: NDArray[np.floating],
    maps: NDArray[np.floating],
    input_wh: tuple[int, int],
    stride: float,
) -> NDArray[np.float64]:
    """Refine regressed landmarks by their heatmaps.

    Parameters
    ----------
    points01
        Shape ``(K, 2)``, relative to the input's edges.
    maps
        Shape ``(h, w, K)``, logits.
    input_wh
        Width and height of the input, pixels.
    stride
        Input pixels a heatmap pixel.

    Returns
    -------
    ndarray
        Shape ``(K, 2)``, input pixels.

    Notes
    -----
    This model's heatmaps peak half a heatmap pixel right of and below where the codec's
    convention would have it (their first pixel stands for the input's edge): mirrored crops
    agree to 0.2 input pixels when that is taken off, and are 4 apart when it is not. The
    regressed values do follow the convention.
    """
    rough = input_to_heatmap(normalized_to_input(points01, input_wh), stride)
    fine = refine_in_window(rough, maps.transpose(2, 0, 1), kernel=7, min_score=0.5, logits=True)
    moved = np.any(fine != rough, axis=1)
    fine[moved] -= 0.5
    return heatmap_to_input(fine, stride)
