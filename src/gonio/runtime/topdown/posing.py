"""A pose model at work: regions of an image → keypoints of the person in each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from gonio.codec import crop_matrix, invert, transform, warp
from gonio.errors import InputError, ModelError
from gonio.runtime.fit import output_name, roles_of
from gonio.runtime.topdown.decoding import KINDS, decode_points

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from gonio.codec import Matrix, Region
    from gonio.runtime.cards import Card
    from gonio.runtime.sessions import Session


@dataclass(frozen=True, eq=False)
class Pose:
    """Keypoints of the person in a region.

    Attributes
    ----------
    points_px
        Shape ``(K, 2)``, image pixels; NaN where the model saw nothing.
    confidence
        Shape ``(K,)``, 0–1, 0 where the point is NaN; NaN where the model gives none.
    region
        Where it was looked.
    """

    points_px: NDArray[np.float64]
    confidence: NDArray[np.float64]
    region: Region


def check_card(card: Card) -> None:
    """Check that a card is one of a model that looks at one person at a time.

    Raises
    ------
    ModelError
        If its kind of output is not ``heatmap``, ``simcc`` or ``coords``.
    """
    if card.output.kind not in KINDS:
        raise ModelError(
            f"model '{card.name}': output kind '{card.output.kind}' holds no keypoints "
            f"({', '.join(KINDS)} and blazepose do)"
        )


def check_image(image: NDArray[np.uint8]) -> None:
    """Refuse what is no picture.

    Raises
    ------
    InputError
        If the image is empty, or is not RGB of 8 bits.
    """
    if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8 or image.size == 0:
        shape = "×".join(map(str, image.shape))
        raise InputError(
            f"image: {shape} of {image.dtype} given; height × width × 3 of uint8 (RGB) is needed"
        )


class PoseModel:
    """Finds the keypoints of people whose regions are known, without memory.

    People go through the network in one call where the file leaves the batch size open, and
    one after the other where it does not.

    Parameters
    ----------
    session
        The opened model.
    card
        Its card, output kind ``heatmap``, ``simcc`` or ``coords``.

    Attributes
    ----------
    provider
        What computes.

    Raises
    ------
    ModelError
        If the card's kind of output is another.
    ModelOutputError
        If the card names an output that the file has not.
    """

    def __init__(self, session: Session, card: Card) -> None:
        check_card(card)
        self._session, self._card = session, card
        self.provider = session.provider
        self._names = {role: output_name(session, card, role) for role in roles_of(card)}
        self._batched = session.input_shapes[session.input_names[0]][0] is None

    def locate(self, image: NDArray[np.uint8], regions: Sequence[Region]) -> list[Pose]:
        """Find the keypoints of the person in each region.

        Parameters
        ----------
        image
            Shape ``(H, W, 3)``, RGB.
        regions
            Where to look; beyond the image all is of the card's grey level.

        Returns
        -------
        list of Pose
            In the regions' order.
        """
        if not regions:
            return []
        spec = self._card.input
        matrices = [crop_matrix(region, (spec.width, spec.height)) for region in regions]
        outputs = self.outputs([self.crop(image, matrix) for matrix in matrices])
        points, scores = decode_points(outputs, self._card)
        return [
            Pose(transform(p, invert(m)), s, r)
            for p, s, m, r in zip(points, scores, matrices, regions, strict=True)
        ]

    def crop(self, image: NDArray[np.uint8], matrix: Matrix) -> NDArray[np.float32]:
        """Cut the network's input out of an image.

        Parameters
        ----------
        image
            Shape ``(H, W, 3)``, RGB; a frame that filters of whole frames have seen already.
        matrix
            Image px → input px.

        Returns
        -------
        ndarray
            A batch of one, filtered and normalized.
        """
        spec = self._card.input
        crop = warp(image, matrix, (spec.width, spec.height), fill=spec.crop.fill)
        return self._card.to_tensor(crop)

    def outputs(self, crops: Sequence[NDArray[np.float32]]) -> dict[str, NDArray[Any]]:
        """Run the network on one or more crops.

        Parameters
        ----------
        crops
            Batches of one, from :meth:`crop`.

        Returns
        -------
        dict
            Role → array, the crops along its first axis.
        """
        batches = [np.concatenate(crops)] if self._batched else crops
        answers = [self._session.run({self._session.input_names[0]: batch}) for batch in batches]
        return {
            role: np.concatenate([answer[name] for answer in answers])
            for role, name in self._names.items()
        }
