"""What an estimator gives, and the one door to all of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from gonio.errors import ConfigError, ModelError

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    from gonio.codec import Region
    from gonio.runtime.cards import Card
    from gonio.runtime.store import Model, ModelStore
    from gonio.skeletons import Skeleton


@dataclass(frozen=True, eq=False)
class Person:
    """One person in one image.

    Attributes
    ----------
    keypoints_px
        Shape ``(K, 2)``, float32, image pixels (x right, y down), in the skeleton's order. A
        point may lie outside the image. NaN = not estimated.
    confidence
        Shape ``(K,)``, float32, 0–1.
    score
        How sure the model is that a person is there, 0–1.
    region
        Where in the image the person was looked at.
    """

    keypoints_px: NDArray[np.float32]
    confidence: NDArray[np.float32]
    score: float
    region: Region


@dataclass(frozen=True)
class FramePeople:
    """The people of one frame, in no order that means anything: identity is `tracking`'s.

    Attributes
    ----------
    index, time_s
        The frame's.
    people
        Empty where nobody was seen.
    """

    index: int
    time_s: float
    people: tuple[Person, ...]


class Estimator(Protocol):
    """Finds the people in the images of a series; what it saw before helps it.

    Attributes
    ----------
    card
        The pose model's.
    skeleton
        The order of the keypoints.
    provider
        What computes: see :class:`gonio.runtime.Session`.
    """

    card: Card
    skeleton: Skeleton
    provider: str

    def estimate(self, image: NDArray[np.uint8]) -> Sequence[Person]:
        """Find the people in the next image of the series, shape ``(H, W, 3)``, RGB."""
        ...

    def reset(self) -> None:
        """Forget what was seen: a new series begins."""
        ...

    def close(self) -> None:
        """Forget what was seen; the sessions are freed with the estimator."""
        ...


def open_estimator(
    model: Model,
    *,
    store: ModelStore,
    max_people: int = 2,
    device: str = "auto",
    threads: int | None = None,
) -> Estimator:
    """Open the estimator that a model's card asks for.

    Parameters
    ----------
    model
        A pose model.
    store
        Where further models that the estimator needs (a detector) come from.
    max_people
        Follow at most so many people at once. A model that looks at whole images finds one.
    device, threads
        See :func:`gonio.runtime.open_session`.

    Returns
    -------
    Estimator

    Raises
    ------
    ConfigError
        If ``max_people`` is less than 1, or the card names a detector that does not exist.
    ModelError
        If the model is no pose model, its kind of output holds no keypoints, it is
        a BlazePose with filters, or a file cannot be opened.
    ModelOutputError
        If the model's inputs or outputs do not fit its card.
    OfflineError
        If the detector is not on this machine and cannot be fetched.
    """
    if max_people < 1:
        raise ConfigError(f"max_people: {max_people} given, at least 1 is needed")
    card = model.card
    if card.task != "pose":
        raise ModelError(f"model '{card.name}': its task is {card.task}; a pose model is needed")
    found = _open_coarse(model, store=store, max_people=max_people, device=device, threads=threads)
    if card.markers is None:
        return found
    from gonio.runtime.markers import MarkerEstimator

    return MarkerEstimator(found, card.markers)


def _open_coarse(
    model: Model, *, store: ModelStore, max_people: int, device: str, threads: int | None
) -> Estimator:
    """Open the estimator of the network's own points."""
    card = model.card
    if card.output.kind == "blazepose":
        from gonio.runtime.blazepose import open_blazepose

        return open_blazepose(
            model, store=store, max_people=max_people, device=device, threads=threads
        )
    if card.input.crop.source == "image":
        from gonio.runtime.wholeimage import open_whole_image

        return open_whole_image(model, device=device, threads=threads)
    from gonio.runtime.topdown import open_topdown

    return open_topdown(model, store=store, max_people=max_people, device=device, threads=threads)
