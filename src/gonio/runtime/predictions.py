"""A pose model asked about labelled people: what evaluation compares with the labels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from gonio.codec import crop_matrix, invert, letterbox_matrix, transform
from gonio.datasets.sampling import CropSettings, person_region, sample_people
from gonio.errors import ConfigError, InputError
from gonio.labels import Predictions
from gonio.runtime.fit import check_outputs
from gonio.runtime.markers import refine_person
from gonio.runtime.sessions import open_session
from gonio.runtime.topdown.decoding import decode_points
from gonio.runtime.topdown.posing import PoseModel, check_card
from gonio.video import read_image

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from gonio.codec import Matrix
    from gonio.labels import Labels
    from gonio.runtime.cards import Card
    from gonio.runtime.store import Model

    Progress = Callable[[str, int, int | None], None]
    Outputs = Mapping[str, NDArray[Any]]

PREDICT: Final = "Predicting"
_BATCH: Final = 32
_BATCH_OF_IMAGES: Final = 8  # held in memory, for their markers
_NAMED: Final = 5


def predict(
    model: Model,
    labels: Labels,
    *,
    flip_test: bool = False,
    device: str = "auto",
    threads: int | None = None,
    progress: Progress | None = None,
) -> Predictions:
    """Find the keypoints of labelled people where the labels say they are.

    Each person is cut out exactly as training does it: by the labelled box, or by the box around
    the keypoints where there is none. A model that looks at whole images is shown every image of
    the labels, once. Where the card asks for it, markers are fitted in the image.

    Parameters
    ----------
    model
        A pose model of output kind heatmap, simcc or coords.
    labels
        People and images, of the model's skeleton. Crowds and people without a labelled keypoint
        are left out.
    flip_test
        Also look at the mirrored input, and decode the mean of both outputs.
    device, threads
        See :func:`gonio.runtime.open_session`.
    progress
        Called with how many people (images) are done.

    Returns
    -------
    Predictions
        In the order of the labels' people, or of their images. A model without confidences
        gives each point that it finds the confidence 1. A score is the mean confidence.

    Raises
    ------
    InputError
        If an image is missing or cannot be read, or the labels follow another skeleton.
    ConfigError
        If ``flip_test`` is asked of a model whose cells do not lie symmetrically in its input.
    ModelError
        If the model is of another kind, or cannot be opened.
    ModelOutputError
        If the model does not fit its card.
    """
    card = model.card
    check_card(card)
    _check_skeleton(card, labels)
    if flip_test and card.output.alignment == "origins":
        raise ConfigError(
            f"model '{card.name}': the flip test needs cells that lie symmetrically in the input; "
            "its card says alignment 'origins'"
        )
    whole = card.input.crop.source == "image"
    people = np.full(len(labels.images), -1) if whole else sample_people(labels, CropSettings())
    images = np.arange(len(labels.images)) if whole else labels.image_index[people]
    _check_images(labels, images)
    session = open_session(model.path, device=device, threads=threads)
    check_outputs(session, card)
    asked = _Asked(PoseModel(session, card), card, flip_test=flip_test)
    points = np.full((len(images), len(labels.skeleton.keypoints), 2), np.nan)
    scores = np.zeros(points.shape[:2])
    # One image after the other, so that each is read once.
    order = np.argsort(images, kind="stable")
    shown, pixels = -1, np.empty((0, 0, 3), np.uint8)
    size = _BATCH if card.markers is None else _BATCH_OF_IMAGES
    for start in range(0, len(order), size):
        batch = order[start : start + size]
        crops, matrices, pictures = [], [], []
        for place in batch:
            if images[place] != shown:
                shown = images[place]
                pixels = read_image(labels.images[shown].path)
            matrix = _matrix(labels, people[place], card, pixels)
            crops.append(asked.poses.crop(pixels, matrix))
            matrices.append(matrix)
            pictures.append(pixels)
        points[batch], scores[batch] = asked.decode(crops, matrices)
        if card.markers is not None:
            for place, matrix, picture in zip(batch, matrices, pictures, strict=True):
                scale = abs(float(np.linalg.det(matrix[:, :2]))) ** -0.5
                points[place], scores[place] = refine_person(
                    picture, points[place], scores[place], card.markers, scale
                )
        if progress is not None:
            progress(PREDICT, start + len(batch), len(order))
    return Predictions(
        image_index=np.asarray(images, dtype=np.intp),
        keypoints_px=points,
        confidence=scores,
        scores=scores.mean(axis=1),
        person_index=np.asarray(people, dtype=np.intp),
        boxes_px=np.full((len(images), 4), np.nan) if whole else labels.boxes_px[people],
    )


class _Asked:
    """A model, and whether it is also asked about mirrored inputs."""

    def __init__(self, poses: PoseModel, card: Card, *, flip_test: bool) -> None:
        self.poses, self._card, self._flip_test = poses, card, flip_test
        self._swapped = card.load_skeleton().flip_order()

    def decode(
        self, crops: Sequence[NDArray[np.float32]], matrices: Sequence[Matrix]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the points (N, K, 2), image px, and their confidences (N, K)."""
        outputs = self.poses.outputs(crops)
        if self._flip_test:
            across = 3 if self._card.input.layout == "nchw" else 2
            mirrored = [np.ascontiguousarray(np.flip(crop, across)) for crop in crops]
            back = mirror_outputs(self.poses.outputs(mirrored), self._card, self._swapped)
            outputs = {role: (outputs[role] + back[role]) / 2 for role in outputs}
        points, scores = decode_points(outputs, self._card)
        scores = np.where(np.isnan(scores), 1.0, scores)
        return np.stack(
            [transform(p, invert(m)) for p, m in zip(points, matrices, strict=True)]
        ), scores


def mirror_outputs(outputs: Outputs, card: Card, swapped: Sequence[int]) -> dict[str, NDArray[Any]]:
    """Turn what a network gave for mirrored inputs into what it means for the inputs.

    Parameters
    ----------
    outputs
        Role → array, the batch first.
    card
        The model's. Its cells share edges, or the centers of their outermost ones, with the
        input, so that a mirrored map is the map of the mirrored input and nothing is shifted.
    swapped
        Order of the keypoints with left and right swapped.

    Returns
    -------
    dict
        Likewise.
    """
    mirrored: dict[str, NDArray[Any]] = {}
    last = card.input.layout == "nhwc"
    for role, values in outputs.items():
        array = np.moveaxis(values, -1, 1) if last and values.ndim == 4 else values
        if role == "locref":
            pairs = array.reshape(len(array), -1, 2, *array.shape[2:])[:, swapped, ..., ::-1]
            array = (pairs * np.array([-1.0, 1.0])[:, None, None]).reshape(array.shape)
        elif role == "coords":
            array = array.reshape(len(array), len(swapped), -1)[:, swapped]
            array = np.concatenate([1 - array[..., :1], array[..., 1:]], axis=-1)
            array = array.reshape(values.shape)
        else:
            array = array[:, swapped]
            array = array[..., ::-1] if role in {"heatmap", "x"} else array
        mirrored[role] = np.moveaxis(array, 1, -1) if last and values.ndim == 4 else array
    return mirrored


def _matrix(labels: Labels, person: int, card: Card, image: NDArray[np.uint8]) -> Matrix:
    """Return the map from the image to the input, as training makes it."""
    spec = card.input
    input_wh = (spec.width, spec.height)
    if spec.crop.source == "image":
        return letterbox_matrix((image.shape[1], image.shape[0]), input_wh)
    aspect = spec.crop.aspect or spec.width / spec.height
    region = person_region(labels, person, padding=spec.crop.padding, aspect=aspect)
    assert region is not None  # noqa: S101 - sample_people gives nobody without one
    return crop_matrix(region, input_wh)


def _check_skeleton(card: Card, labels: Labels) -> None:
    ours, theirs = card.load_skeleton(), labels.skeleton
    if ours.keypoints != theirs.keypoints:
        raise InputError(
            f"labels: follow the skeleton '{theirs.name}' ({len(theirs.keypoints)} keypoints), "
            f"the model '{card.name}' finds '{ours.name}' ({len(ours.keypoints)}). Map the labels "
            "to the model's keypoints first."
        )


def _check_images(labels: Labels, images: NDArray[Any]) -> None:
    paths = [labels.images[i].path for i in np.unique(images)]
    missing = [str(path) for path in paths if not path.is_file()]
    if missing:
        named = ", ".join(f"'{path}'" for path in missing[:_NAMED])
        more = f" and {len(missing) - _NAMED} more" if len(missing) > _NAMED else ""
        raise InputError(
            f"{len(missing)} of {len(paths)} images are missing: {named}{more}. Say where they lie "
            "(--images), or leave them out."
        )
