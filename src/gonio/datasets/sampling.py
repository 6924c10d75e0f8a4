"""From labelled people to training samples: one crop, one warp, targets as the codec draws them.

A person's box becomes the same region that the runtime cuts out, augmentation turns it further,
and the product of the two maps is one matrix with which the image is sampled once, straight into
the network input, and the labels are moved. Nothing low-passes an image before it is reduced:
the runtime does not either, and the two must be alike.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal, NamedTuple

import cv2
import numpy as np
from pydantic import Field

from gonio.codec import (
    box_around,
    compose,
    crop_matrix,
    homography,
    letterbox_matrix,
    region_of_box,
    transform,
    warp,
)
from gonio.configs import Settings
from gonio.datasets.augmentation import (
    AugmentationSettings,
    half_body_region,
    random_map,
    window_map,
)
from gonio.datasets.targets import TargetSettings, encode_targets, reach_px
from gonio.errors import ConfigError, InputError
from gonio.imaging import Filters, apply_filters, random_photometry
from gonio.labels import HIDDEN, UNLABELLED, VISIBLE
from gonio.video import read_image

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gonio.codec import Matrix, Region
    from gonio.labels import Labels

BODY_MARGIN: Final = 1.15
"""How much larger than the box around the keypoints a person is; where there is no box."""
_IMAGENET: Final = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
_IMAGENET_GREY: Final = ((0.449,), (0.226,))


class CropSettings(Settings):
    """What the network looks at.

    Attributes
    ----------
    source
        ``person``: one person's box; ``image``: the whole image, letterboxed, for images with
        one person or animal in them.
    padding
        The region's side relative to the person's; no use with ``image``.
    fill
        Grey level, 0–255, of what lies beyond the image.
    """

    source: Literal["person", "image"] = "person"
    padding: float = Field(default=1.25, gt=0)
    fill: int = Field(default=0, ge=0, le=255)


class InputSettings(Settings):
    """The image a network takes: ``(pixel * scale - mean) / std``, pixels 0–255.

    Attributes
    ----------
    width, height
        Pixels.
    channels
        ``rgb``, or one of ITU-R BT.601 luma.
    normalize
        ``imagenet``: by the mean and deviation of ImageNet's pixels (of grey: the channels'
        means); ``unit``: 0–1.
    crop
        What the network looks at.
    filters
        What is done to the input before it is normalized, in this order, in training and in use.
        ``mog2`` comes first and does nothing here: a labelled picture has no frames before it.
    """

    width: int = Field(gt=0)
    height: int = Field(gt=0)
    channels: Literal["rgb", "grey"] = "rgb"
    normalize: Literal["imagenet", "unit"] = "imagenet"
    crop: CropSettings = CropSettings()
    filters: Filters = ()

    @property
    def wh(self) -> tuple[int, int]:
        """Width and height, pixels."""
        return self.width, self.height

    @property
    def channel_count(self) -> int:
        """1 or 3."""
        return 1 if self.channels == "grey" else 3

    @property
    def scale(self) -> float:
        """Factor on the pixel."""
        return 1 / 255

    @property
    def mean(self) -> tuple[float, ...]:
        """One value a channel, after ``scale``."""
        return self._imagenet[0] if self.normalize == "imagenet" else (0.0,) * self.channel_count

    @property
    def std(self) -> tuple[float, ...]:
        """One value a channel, after ``scale``."""
        return self._imagenet[1] if self.normalize == "imagenet" else (1.0,) * self.channel_count

    @property
    def _imagenet(self) -> tuple[tuple[float, ...], tuple[float, ...]]:
        return _IMAGENET if self.channels == "rgb" else _IMAGENET_GREY


class Sample(NamedTuple):
    """What a network learns from.

    Attributes
    ----------
    image
        Shape ``(height, width, C)``, uint8: RGB or grey, filtered, not yet normalized; of the
        window's size where training sees one.
    targets
        Role → array, float32; see :func:`gonio.datasets.encode_targets`.
    points_px
        Shape ``(K, 2)``, float32, px of the network input, also outside it; NaN = not labelled.
    weights
        Shape ``(K,)``, float32: 1 where a keypoint counts, 0 where it does not.
    visibility
        Shape ``(K,)``, int8: 0 not labelled, 1 labelled but not seen in this input (hidden in the
        image, outside the input, behind an occluding rectangle), 2 visible.
    matrix
        Shape ``(3, 3)``, float64: image px → input px.
    person
        Whom it shows: an index into the labels.
    """

    image: NDArray[np.uint8]
    targets: dict[str, NDArray[np.float32]]
    points_px: NDArray[np.float32]
    weights: NDArray[np.float32]
    visibility: NDArray[np.int8]
    matrix: Matrix
    person: int


def sample_rng(seed: int, epoch: int, index: int) -> np.random.Generator:
    """Return where a sample's chance comes from: its seed, epoch and index, and nothing else."""
    return np.random.default_rng((seed, epoch, index))


def start_sampling_worker() -> None:
    """Do without OpenCV's threads, in a process that makes samples beside others.

    With 0, not 1: in a forked process, OpenCV would wait for ever for its parent's threads to
    end, if the parent has ever used any.
    """
    cv2.setNumThreads(0)


def sample_people(labels: Labels, crop: CropSettings) -> NDArray[np.intp]:
    """Return the people a sample can be made of.

    Parameters
    ----------
    labels
        Labelled people.
    crop
        What the network looks at.

    Returns
    -------
    ndarray
        Shape ``(N,)``: indices of people who are no crowd, have a labelled keypoint and, where
        persons are cut out, a box or two keypoints in different places.

    Raises
    ------
    InputError
        If whole images are asked for and one shows several people.
    """
    usable = np.flatnonzero(labels.labelled.any(axis=1) & ~labels.crowd)
    if crop.source == "image":
        counts = np.bincount(labels.image_index[usable], minlength=len(labels.images))
        if counts.size and counts.max() > 1:
            first = labels.images[int(np.argmax(counts > 1))].path
            raise InputError(
                f"'{first}': {counts[counts > 1][0]} people; crop.source 'image' is for images of "
                "one. Use crop.source 'person', or keep one of them (gonio data subset)."
            )
        return usable
    boxed = np.asarray((labels.boxes_px[usable, 2:] > 0).all(axis=1), dtype=np.bool_)
    for place in np.flatnonzero(~boxed):
        boxed[place] = box_around(labels.keypoints_px[usable[place]], margin=1) is not None
    return usable[boxed]


def person_region(labels: Labels, person: int, *, padding: float, aspect: float) -> Region | None:
    """Return what is cut out for a person: around the box, or the keypoints where there is none.

    Parameters
    ----------
    labels
        Labelled people.
    person
        Index of one.
    padding
        Factor on the box's sides. A box around keypoints is first made 1.15 times as large, as
        the runtime does for people it follows by their keypoints.
    aspect
        The region's width / height.

    Returns
    -------
    Region or None
        None where there is neither a box with an area nor two keypoints in different places.
    """
    left, top, width, height = labels.boxes_px[person]
    box: NDArray[np.float64] | None = np.array([left, top, left + width, top + height])
    if not (width > 0 and height > 0):
        box = box_around(labels.keypoints_px[person], margin=BODY_MARGIN)
    return None if box is None else region_of_box(box, padding=padding, aspect=aspect)


def make_sample(
    labels: Labels,
    person: int,
    *,
    input: InputSettings,  # noqa: A002 (the recipe's word)
    target: TargetSettings,
    augmentation: AugmentationSettings | None = None,
    rng: np.random.Generator | None = None,
    image: NDArray[np.uint8] | None = None,
) -> Sample:
    """Make a sample of one person.

    Parameters
    ----------
    labels
        Labelled people.
    person
        Index of the one.
    input, target
        What the network takes and what it learns.
    augmentation
        What happens by chance; None: nothing.
    rng
        Where chance comes from (:func:`sample_rng`); needed with ``augmentation``.
    image
        The person's image, shape ``(H, W, 3)``, RGB; None reads it.

    Returns
    -------
    Sample
        Weights are 0 for keypoints that are not labelled (or, by the setting, not visible) and
        for those farther outside the input than their target reaches into it (coordinates:
        never).

    Raises
    ------
    InputError
        If the image cannot be read, or the person has neither a box nor two keypoints.
    ConfigError
        If the settings do not fit together.

    Notes
    -----
    About 0.5 ms for 17 Gaussian maps at 256×192, 2 ms if everything happens (one core). Pictures
    of this size are too small for OpenCV's threads: they take 20–60 % more of all cores' time,
    so that workers had best begin with :func:`start_sampling_worker`.
    """
    if image is None:
        image = read_image(labels.images[labels.image_index[person]].path)
    chance = augmentation if augmentation is not None else AugmentationSettings()
    if augmentation is not None and rng is None:
        raise ConfigError("augmentation: needs a random generator (gonio.datasets.sample_rng)")
    rng = rng if rng is not None else np.random.default_rng(0)
    matrix = _crop(labels, person, input, chance, rng, (image.shape[1], image.shape[0]))
    size, flipped = input.wh, False
    if augmentation is not None:
        change, flipped = random_map(chance, input.wh, rng)
        matrix = compose(matrix, change)
    if chance.window is not None:
        if input.filters:
            raise ConfigError(
                "augmentation.window: does not go with input.filters, which see the whole input "
                "when the network is used"
            )
        points = labels.keypoints_px[person]
        place = window_map(chance.window, points, (image.shape[1], image.shape[0]), matrix, rng)
        matrix = compose(matrix, place)
        size = chance.window.wh
    pixels = warp(image, matrix, size, fill=input.crop.fill)
    # Chance stands for the camera: what is done to its picture comes after it.
    pixels, covered = random_photometry(pixels, chance, rng)
    pixels = apply_filters(pixels, input.filters)
    if input.channels == "grey":
        pixels = np.asarray(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY), np.uint8)[..., None]
    points = transform(labels.keypoints_px[person], matrix)
    visibility = labels.visibility[person].copy()
    if flipped:
        order = labels.skeleton.flip_order()
        points, visibility = points[order], visibility[order]
    visibility[np.isnan(points).any(axis=1)] = UNLABELLED
    unseen = ~within(points, size, 0.0) | behind(points, covered)
    visibility[unseen & (visibility == VISIBLE)] = HIDDEN
    counts = visibility == VISIBLE if target.weights == "visible" else visibility > UNLABELLED
    drawn = counts & within(points, size, reach_px(target))
    return Sample(
        image=pixels,
        targets=encode_targets(points, drawn, visibility, size, target),
        points_px=points.astype(np.float32),
        # Beyond a window there is more of the input: that the point is not here is to be learned.
        weights=(counts if chance.window is not None else drawn).astype(np.float32),
        visibility=visibility,
        matrix=homography(matrix),
        person=person,
    )


def _crop(
    labels: Labels,
    person: int,
    settings: InputSettings,
    chance: AugmentationSettings,
    rng: np.random.Generator,
    image_wh: tuple[int, int],
) -> Matrix:
    """Return the map from the image to the input before it is augmented."""
    half = chance.half_body
    if settings.crop.source == "image":
        if half is not None:
            raise ConfigError("augmentation.half_body: needs crop.source 'person', not 'image'")
        return letterbox_matrix(image_wh, settings.wh)
    aspect, region = settings.width / settings.height, None
    if half is not None and half.happens(rng):
        region = half_body_region(labels.keypoints_px[person], half, aspect, rng)
    if region is None:
        region = person_region(labels, person, padding=settings.crop.padding, aspect=aspect)
    if region is None:
        raise InputError(
            f"'{labels.images[labels.image_index[person]].path}': person {person} has neither a "
            "box nor two keypoints in different places. Leave them out (gonio data filter)."
        )
    return crop_matrix(region, settings.wh)


def within(
    points: NDArray[np.float64], input_wh: tuple[int, int], reach: float
) -> NDArray[np.bool_]:
    """Say which points (..., 2) lie in a picture, or ``reach`` px outside; NaN does not."""
    inside = (points >= -0.5 - reach) & (points <= np.array(input_wh) - 0.5 + reach)
    return np.asarray(inside.all(axis=-1), dtype=np.bool_)


def behind(points: NDArray[np.float64], rectangles: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Say which points (..., 2) lie in one of the rectangles (left, top, width, height)."""
    offset = points[..., None, :] - rectangles[:, :2]
    inside = np.asarray(((offset >= 0) & (offset <= rectangles[:, 2:])).all(axis=-1))
    return np.asarray(inside.any(axis=-1), dtype=np.bool_)
