"""A person detector with boxes as its output: image → boxes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from gonio.codec import invert, letterbox_matrix, normalized_to_input, transform, warp
from gonio.errors import ModelError, ModelOutputError
from gonio.imaging import FrameFilters
from gonio.runtime.fit import output_name
from gonio.runtime.sessions import show_shape
from gonio.runtime.topdown.boxes import suppress

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gonio.runtime.cards import Card
    from gonio.runtime.sessions import Session

MIN_SCORE: Final = 0.3
MAX_OVERLAP: Final = 0.7
PERSON: Final = 0


@dataclass(frozen=True, eq=False)
class Detection:
    """A person found in an image.

    Attributes
    ----------
    box
        Shape ``(4,)``: left, top, right, bottom; pixels; inside the image.
    score
        0–1.
    """

    box: NDArray[np.float64]
    score: float


class PersonDetector:
    """Finds people anywhere in an image, without memory.

    Parameters
    ----------
    session
        The opened detector.
    card
        Its card, output kind ``boxes``: output ``boxes`` of shape ``(1, N, 5)`` (left, top,
        right, bottom, score; input pixels measured from the input's edges), or ``(1, N, 4)``
        and an output ``scores``; where there is an output ``labels``, 0 means person.
    min_score
        Boxes below it are dropped.

    Raises
    ------
    ModelOutputError
        If the card is of another kind of output or has no scores.
    ModelError
        If the card names a filter of whole frames.
    """

    def __init__(self, session: Session, card: Card, *, min_score: float = MIN_SCORE) -> None:
        if card.task != "detector" or card.output.kind != "boxes":
            raise ModelOutputError(
                f"model '{card.name}': finds no boxes (task {card.task}, output "
                f"{card.output.kind}); a detector of output kind 'boxes' is needed"
            )
        if FrameFilters(card.filters):
            raise ModelError(
                f"model '{card.name}': mog2 is for pose models; a detector is not asked about "
                "every frame and would not learn the background"
            )
        self._session, self._card, self._min_score = session, card, min_score
        self._boxes = output_name(session, card, "boxes")
        self._scores, self._labels = (
            output_name(session, card, role) if role in card.output.names else None
            for role in ("scores", "labels")
        )

    def detect(self, image: NDArray[np.uint8]) -> list[Detection]:
        """Find the people in an image.

        Parameters
        ----------
        image
            Shape ``(H, W, 3)``, RGB.

        Returns
        -------
        list of Detection
            The surest first; empty where nobody is.

        Raises
        ------
        ModelOutputError
            If an output has not the shape it should have.
        """
        spec = self._card.input
        image_wh, input_wh = (image.shape[1], image.shape[0]), (spec.width, spec.height)
        matrix = letterbox_matrix(image_wh, input_wh)
        tensor = self._card.to_tensor(warp(image, matrix, input_wh, fill=spec.crop.fill))
        outputs = self._session.run({self._session.input_names[0]: tensor})
        boxes, scores = self._people(outputs)
        corners = normalized_to_input(boxes.reshape(-1, 2, 2) / input_wh, input_wh)
        corners = transform(corners, invert(matrix)).clip(-0.5, np.subtract(image_wh, 0.5))
        found = corners.reshape(-1, 4)
        visible = (found[:, 2:] - found[:, :2]).min(axis=1, initial=np.inf) > 0
        found, scores = found[visible], scores[visible]
        kept = suppress(found, scores, most=MAX_OVERLAP)
        return [Detection(found[i], float(scores[i])) for i in kept]

    def _people(
        self, outputs: dict[str, NDArray[Any]]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return boxes and scores of the people above the least score."""
        values = outputs[self._boxes].astype(np.float64)
        width = 5 if self._scores is None else 4
        if values.ndim != 3 or len(values) != 1 or values.shape[2] < width:
            raise ModelOutputError(
                f"model '{self._session.path}': output '{self._boxes}' (boxes) is "
                f"{show_shape(values.shape)}, expected 1×?×{width} (left, top, right, bottom"
                f"{', score)' if width == 5 else ')'}"
            )
        boxes = values[0, :, :4]
        scores = values[0, :, 4] if self._scores is None else outputs[self._scores].ravel()
        scores = scores.astype(np.float64)
        wanted = (scores >= self._min_score) & np.isfinite(boxes).all(axis=1)
        if self._labels is not None:
            wanted &= outputs[self._labels].ravel() == PERSON
        return boxes[wanted], scores[wanted].clip(0, 1)
