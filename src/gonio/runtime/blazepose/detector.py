"""BlazePose's person detector: image → boxes with alignment points."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from gonio.codec import (
    Region,
    crop_matrix,
    invert,
    normalized_to_input,
    transform,
    warp,
)
from gonio.errors import ModelOutputError
from gonio.runtime.blazepose.anchors import anchor_centers
from gonio.runtime.fit import output_name
from gonio.runtime.sessions import shape_fits, show_shape

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gonio.runtime.cards import Card
    from gonio.runtime.sessions import Session

MIN_SCORE: Final = 0.5
MAX_OVERLAP: Final = 0.3
_LARGEST_LOGIT: Final = 100.0
_VALUES: Final = 12
_SMALLEST_VIEW: Final = 0.25


@dataclass(frozen=True, eq=False)
class Detection:
    """A person found in an image.

    Attributes
    ----------
    box
        Shape ``(4,)``: left, top, right, bottom; pixels.
    keypoints
        Shape ``(4, 2)``, pixels: the middle of the hips, a point whose distance from it is the
        radius of a circle around the whole body (and whose direction is the body's "up"), then
        the same two for the upper body.
    score
        0–1.
    """

    box: NDArray[np.float64]
    keypoints: NDArray[np.float64]
    score: float


class PoseDetector:
    """Finds people anywhere in an image, without memory.

    Parameters
    ----------
    session
        The opened detector.
    card
        Its card.
    min_score
        Boxes below it are dropped.

    Raises
    ------
    ModelOutputError
        If the outputs do not fit the anchors.
    """

    def __init__(self, session: Session, card: Card, *, min_score: float = MIN_SCORE) -> None:
        self._session, self._input, self._min_score = session, card.input, min_score
        self._boxes, self._scores = (output_name(session, card, r) for r in ("boxes", "scores"))
        self._anchors = anchor_centers(card.input.width)
        found, expected = session.output_shapes[self._boxes], (1, len(self._anchors), _VALUES)
        if not shape_fits(found, expected):
            raise ModelOutputError(
                f"model '{session.path}': output '{self._boxes}' is {show_shape(found)}; "
                f"BlazePose's detector gives {show_shape(expected)}"
            )

    def detect(self, image: NDArray[np.uint8], *, closely: bool = False) -> list[Detection]:
        """Find the people in an image.

        Parameters
        ----------
        image
            Shape ``(H, W, 3)``, RGB.
        closely
            Look at overlapping squares of the image as well as at the whole of it: finds people
            who are small in the image or not alone, at a few times the cost.

        Returns
        -------
        list of Detection
            In image pixels, the surest first; empty where nobody is.
        """
        input_wh = (self._input.width, self._input.height)
        found = []
        for view in views(image.shape[1], image.shape[0], closely=closely):
            matrix = crop_matrix(view, input_wh)
            tensor = self._input.to_tensor(warp(image, matrix, input_wh, border="zero"))
            outputs = self._session.run({self._session.input_names[0]: tensor})
            raw, logits = outputs[self._boxes][0], outputs[self._scores].ravel()
            inside = decode_boxes(raw, logits, self._anchors, input_wh, min_score=self._min_score)
            to_image = invert(matrix)
            found += [
                Detection(
                    transform(d.box.reshape(2, 2), to_image).ravel(),
                    transform(d.keypoints, to_image),
                    d.score,
                )
                for d in inside
            ]
        return suppress_overlaps(found)


def views(width: int, height: int, *, closely: bool) -> list[Region]:
    """Return the squares of an image that the detector looks at.

    Parameters
    ----------
    width, height
        The image's, pixels.
    closely
        Also squares as large as the image's shorter side (of a strip: as a quarter of the longer
        one, so that their number stays small), each half covered by the next.

    Returns
    -------
    list of Region
        First the square around the whole image (the letterbox).
    """
    x, y, long = (width - 1) / 2, (height - 1) / 2, max(width, height)
    squares = [Region((x, y), (long, long))]
    side = max(min(width, height), _SMALLEST_VIEW * long)
    if not closely or side == long:
        return squares
    steps = math.ceil(2 * (long - side) / side)
    for offset in np.linspace(-0.5, 0.5, steps + 1) * (long - side):
        center = (x + float(offset), y) if width > height else (x, y + float(offset))
        squares.append(Region(center, (side, side)))
    return squares


def decode_boxes(
    raw: NDArray[np.floating],
    logits: NDArray[np.floating],
    anchors: NDArray[np.float64],
    input_wh: tuple[int, int],
    *,
    min_score: float = MIN_SCORE,
) -> list[Detection]:
    """Turn the detector's outputs into boxes.

    Parameters
    ----------
    raw
        Shape ``(N, 12)``: the box's centre x and y, its width and height, and four points x and
        y; input pixels, positions relative to the anchor's centre.
    logits
        Shape ``(N,)``.
    anchors
        Shape ``(N, 2)``, relative to the input.
    input_wh
        Width and height of the detector's input, pixels.
    min_score
        Boxes below it, and boxes of negative size, are dropped.

    Returns
    -------
    list of Detection
        In input pixels, in the anchors' order.
    """
    scores = 1 / (1 + np.exp(-logits.astype(np.float64).clip(-_LARGEST_LOGIT, _LARGEST_LOGIT)))
    keep = np.flatnonzero((scores >= min_score) & (raw[:, 2] >= 0) & (raw[:, 3] >= 0))
    values = raw[keep].astype(np.float64).reshape(-1, _VALUES // 2, 2)
    origin = normalized_to_input(anchors[keep], input_wh)
    centers, half = values[:, 0] + origin, values[:, 1] / 2
    boxes = np.concatenate([centers - half, centers + half], axis=1)
    points = values[:, 2:] + origin[:, None]
    return [Detection(b, p, float(s)) for b, p, s in zip(boxes, points, scores[keep], strict=True)]


def suppress_overlaps(
    detections: list[Detection], *, max_overlap: float = MAX_OVERLAP
) -> list[Detection]:
    """Merge boxes that show the same person (weighted non-maximum suppression).

    Parameters
    ----------
    detections
        In any order.
    max_overlap
        Boxes whose intersection over union with the surest box left is greater are merged with
        it: positions become the mean weighted by score, the score stays the surest one's.

    Returns
    -------
    list of Detection
        The surest first.

    References
    ----------
    Bazarevsky et al. (2019), "BlazeFace", arXiv:1907.05047, section 3.3.
    """
    left = sorted(detections, key=lambda d: d.score, reverse=True)
    merged = []
    while left:
        boxes = np.array([d.box for d in left])
        same = overlaps(boxes[0], boxes) > max_overlap
        same[0] = True  # an empty box overlaps nothing, not even itself
        group = [d for d, is_same in zip(left, same, strict=True) if is_same]
        weights = np.array([d.score for d in group])
        merged.append(
            Detection(
                np.average([d.box for d in group], axis=0, weights=weights),
                np.average([d.keypoints for d in group], axis=0, weights=weights),
                group[0].score,
            )
        )
        left = [d for d, is_same in zip(left, same, strict=True) if not is_same]
    return merged


def overlaps(box: NDArray[np.float64], boxes: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the intersection over union of one box with several.

    Parameters
    ----------
    box, boxes
        Shapes ``(4,)`` and ``(N, 4)``: left, top, right, bottom.

    Returns
    -------
    ndarray
        Shape ``(N,)``, 0–1; 0 where the union is empty.
    """
    sides = np.minimum(box[2:], boxes[:, 2:]) - np.maximum(box[:2], boxes[:, :2])
    shared = sides.clip(min=0).prod(axis=1)
    areas = (boxes[:, 2:] - boxes[:, :2]).prod(axis=1)
    union = areas + (box[2:] - box[:2]).prod() - shared
    shares: NDArray[np.float64] = shared / np.where(union > 0, union, np.inf)
    return shares
