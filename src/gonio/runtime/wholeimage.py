"""One person or animal an image, looked for in all of it: no detector, no memory."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from gonio.codec import invert, letterbox_matrix, region_of_box, transform
from gonio.imaging import FrameFilters
from gonio.runtime.estimator import Person
from gonio.runtime.fit import check_outputs
from gonio.runtime.sessions import open_session
from gonio.runtime.topdown.decoding import decode_points
from gonio.runtime.topdown.posing import PoseModel, check_card, check_image

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gonio.runtime.cards import Card
    from gonio.runtime.store import Model
    from gonio.skeletons import Skeleton

MIN_SCORE: Final = 0.3


class WholeImageEstimator:
    """Keypoints of the one person or animal in each image.

    Parameters
    ----------
    card
        The model's; ``input.crop.source`` is ``image``.
    poses
        The opened model.
    min_score
        Nobody is there where the keypoints' mean confidence is below it.

    Notes
    -----
    Each image is looked at by itself, so that the result depends neither on the order of frames
    nor on where a stretch of them begins; only ``mog2`` learns the background from those before,
    since the last :meth:`reset`. A model that gives no confidences is sure of each
    point, and of the person, everywhere.
    """

    def __init__(self, card: Card, poses: PoseModel, *, min_score: float = MIN_SCORE) -> None:
        self.card = card
        self.provider = poses.provider
        self.skeleton: Skeleton = card.load_skeleton()
        self._poses, self._min_score = poses, min_score
        self._frames = FrameFilters(card.filters)

    def estimate(self, image: NDArray[np.uint8]) -> list[Person]:
        """Find the person or animal in an image.

        Parameters
        ----------
        image
            Shape ``(H, W, 3)``, RGB.

        Returns
        -------
        list of Person
            One, or none.

        Raises
        ------
        InputError
            If the image is empty, or is not RGB of 8 bits.
        """
        check_image(image)
        image = self._frames.next(image)
        spec = self.card.input
        height, width = image.shape[:2]
        matrix = letterbox_matrix((width, height), (spec.width, spec.height))
        outputs = self._poses.outputs([self._poses.crop(image, matrix)])
        points, confidence = decode_points(outputs, self.card)
        confidence = np.where(np.isnan(confidence), 1.0, confidence)[0]
        score = float(confidence.mean())
        if score < self._min_score:
            return []
        box = (-0.5, -0.5, width - 0.5, height - 0.5)
        region = region_of_box(box, padding=1.0, aspect=spec.width / spec.height)
        assert region is not None  # noqa: S101 - an image is not empty
        found = transform(points[0], invert(matrix)).astype(np.float32)
        return [Person(found, confidence.astype(np.float32), score, region)]

    def reset(self) -> None:
        """Forget the background where a filter learns one; nothing else is remembered."""
        self._frames.reset()

    def close(self) -> None:
        """Nothing is held; the session is freed with the estimator."""


def open_whole_image(
    model: Model, *, device: str = "auto", threads: int | None = None, **settings: Any
) -> WholeImageEstimator:
    """Open a pose model that looks at whole images.

    Parameters
    ----------
    model
        A pose model of output kind heatmap, simcc or coords.
    device, threads
        See :func:`gonio.runtime.open_session`.
    **settings
        See :class:`WholeImageEstimator`.

    Returns
    -------
    WholeImageEstimator

    Raises
    ------
    ModelError, ModelOutputError
        See :func:`gonio.runtime.open_estimator`.
    """
    check_card(model.card)
    session = open_session(model.path, device=device, threads=threads)
    check_outputs(session, model.card)
    return WholeImageEstimator(model.card, PoseModel(session, model.card), **settings)
