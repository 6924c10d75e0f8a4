"""Geometric augmentation: one matrix in the network input, drawn by chance."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

import numpy as np
from pydantic import Field

from gonio.codec import box_around, compose, region_of_box, transform
from gonio.configs import Settings
from gonio.imaging import Chance, PhotometrySettings
from gonio.imaging.photometry import RangedChance, Share

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gonio.codec import Matrix, Region

VIEWING_DISTANCE: Final = 2.0
"""From where a tilted picture is seen, in units of the input's longer side: 28° fill it."""


class Flip(Chance):
    """The picture is mirrored, and with it left and right keypoints change places."""


class Scale(RangedChance):
    """The person is larger (above 1) or smaller."""

    low: float = Field(default=0.75, gt=0)
    high: float = Field(default=1.25, gt=0)


class Rotate(Chance):
    """The picture is turned about its middle.

    Attributes
    ----------
    max_deg
        The most it turns, either way.
    """

    max_deg: float = Field(default=30.0, ge=0, le=180)


class Translate(Chance):
    """The person is off the middle.

    Attributes
    ----------
    max_share
        The most it moves along an axis, as a share of the input's side.
    """

    max_share: float = Field(default=0.1, ge=0, le=0.5)


class Tilt(Chance):
    """The camera looks from above or below, and from a side: a perspective map.

    Attributes
    ----------
    max_deg
        The most the picture leans about its horizontal and about its vertical axis, either way.
    """

    max_deg: float = Field(default=15.0, ge=0, le=45)


class HalfBody(Chance):
    """Only one half of the person fills the input, so that cut-off people are learned too.

    The labelled keypoints are parted at their median along the longer side of the box around
    them, and a half is chosen evenly: for a standing person the upper or the lower half. The
    other half's points keep their labels where they are still in the input.

    Attributes
    ----------
    least_points
        Fewest labelled keypoints; with fewer the whole person stays.
    margin
        The crop's side relative to that of the box around the half's points.
    """

    least_points: int = Field(default=8, ge=4)
    margin: float = Field(default=1.5, gt=0)


class Window(Settings):
    """Training sees a window of the input, at the input's scale, not all of it.

    For networks that are the same everywhere and take images of any size: they learn from small
    windows at full resolution, and are used on the whole input.

    Attributes
    ----------
    width, height
        Of the window, input pixels.
    elsewhere
        How often it lies about any place of the image, so that what only resembles a keypoint
        is learned too; otherwise about one of the labelled keypoints.
    middle
        That place is in so large a share of the window's sides, about its middle.
    """

    width: int = Field(gt=0)
    height: int = Field(gt=0)
    elsewhere: Share = 0.25
    middle: Share = 0.8

    @property
    def wh(self) -> tuple[int, int]:
        """Width and height, pixels."""
        return self.width, self.height


class AugmentationSettings(PhotometrySettings):
    """What happens to a training sample by chance; what is None never does.

    Geometry in this order: half body, flip, rotate, scale, translate, tilt, window.
    """

    flip: Flip | None = None
    scale: Scale | None = None
    rotate: Rotate | None = None
    translate: Translate | None = None
    tilt: Tilt | None = None
    half_body: HalfBody | None = None
    window: Window | None = None


def random_map(
    settings: AugmentationSettings, input_wh: tuple[int, int], rng: np.random.Generator
) -> tuple[Matrix, bool]:
    """Draw the one map that flip, rotation, scale, translation and tilt make together.

    Parameters
    ----------
    settings
        How often and how strongly.
    input_wh
        Width and height of the network input, pixels.
    rng
        Where chance comes from.

    Returns
    -------
    matrix : Matrix
        Input px → input px; shape ``(3, 3)`` with a tilt, ``(2, 3)`` without.
    flipped : bool
        Whether left and right keypoints must change places.
    """
    width, height = input_wh
    middle = np.array([(width - 1) / 2, (height - 1) / 2])
    steps: list[Matrix] = [_affine(offset=-middle)]
    flipped = settings.flip is not None and settings.flip.happens(rng)
    if flipped:
        steps.append(_affine([[-1, 0], [0, 1]]))
    if settings.rotate is not None and settings.rotate.happens(rng):
        angle = rng.uniform(-1, 1) * math.radians(settings.rotate.max_deg)
        cos, sin = math.cos(angle), math.sin(angle)
        steps.append(_affine([[cos, -sin], [sin, cos]]))
    if settings.scale is not None and settings.scale.happens(rng):
        steps.append(_affine(np.eye(2) * settings.scale.draw(rng)))
    if settings.translate is not None and settings.translate.happens(rng):
        shift = rng.uniform(-1, 1, 2) * settings.translate.max_share
        steps.append(_affine(offset=shift * input_wh))
    # Last, so that the horizon stays outside the input however far it was zoomed out.
    if settings.tilt is not None and settings.tilt.happens(rng):
        about_x, about_y = rng.uniform(-1, 1, 2) * math.radians(settings.tilt.max_deg)
        steps.append(_tilt(about_x, about_y, VIEWING_DISTANCE * max(input_wh)))
    return compose(*steps, _affine(offset=middle)), flipped


def window_map(
    settings: Window,
    points_px: NDArray[np.float64],
    image_wh: tuple[int, int],
    matrix: Matrix,
    rng: np.random.Generator,
) -> Matrix:
    """Draw where a window lies; return the map from the input to it.

    Parameters
    ----------
    settings
        Size, and how often it lies anywhere.
    points_px
        Shape ``(K, 2)``, the person's keypoints, image px; NaN = not labelled.
    image_wh
        Width and height of the image, pixels.
    matrix
        Image px → input px.
    rng
        Where chance comes from.

    Returns
    -------
    Matrix
        Input px → window px: a translation by whole pixels, shape ``(2, 3)``.
    """
    known = points_px[np.isfinite(points_px).all(axis=1)]
    place = rng.uniform(-0.5, np.array(image_wh) - 0.5)
    if rng.random() >= settings.elsewhere and len(known):
        place = known[rng.integers(len(known))]
    size = np.array(settings.wh, dtype=np.float64)
    middle = transform(place, matrix) + rng.uniform(-0.5, 0.5, 2) * settings.middle * size
    return _affine(offset=-np.rint(middle - (size - 1) / 2))


def half_body_region(
    points_px: NDArray[np.float64], settings: HalfBody, aspect: float, rng: np.random.Generator
) -> Region | None:
    """Return the region around one half of a person.

    Parameters
    ----------
    points_px
        Shape ``(K, 2)``, image pixels; NaN = not labelled.
    settings
        Fewest points and margin; whether it happens has been drawn already.
    aspect
        The region's width / height.
    rng
        Where the choice of a half comes from.

    Returns
    -------
    Region or None
        None where too few points are labelled, or those of the half lie in one place.
    """
    later = rng.random() < 0.5
    known = points_px[np.isfinite(points_px).all(axis=1)]
    if len(known) < settings.least_points:
        return None
    along = known[:, int(np.argmax(np.ptp(known, axis=0) * (1, 1 + 1e-9)))]
    middle = np.median(along)
    half = box_around(known[along >= middle if later else along <= middle], margin=settings.margin)
    return None if half is None else region_of_box(half, padding=1, aspect=aspect)


def _affine(linear: object = ((1, 0), (0, 1)), offset: object = (0, 0)) -> Matrix:
    return np.column_stack([np.array(linear, dtype=np.float64), np.array(offset, np.float64)])


def _tilt(about_x_rad: float, about_y_rad: float, distance_px: float) -> Matrix:
    """Return how a plane about the origin looks, turned out of the picture, from a distance."""
    cos_x, sin_x = math.cos(about_x_rad), math.sin(about_x_rad)
    cos_y, sin_y = math.cos(about_y_rad), math.sin(about_y_rad)
    # The first two columns of Ry · Rx: where the plane's own axes point in space.
    x_axis = np.array([cos_y, 0, -sin_y])
    y_axis = np.array([sin_y * sin_x, cos_x, cos_y * sin_x])
    matrix = np.column_stack([x_axis, y_axis, (0, 0, 1)])
    matrix[2, :2] /= distance_px
    return matrix
