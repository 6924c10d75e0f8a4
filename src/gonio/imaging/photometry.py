"""Photometry by chance: how often and how strongly each change happens, and the changes made."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Self

import numpy as np
from pydantic import Field, model_validator

from gonio.configs import Settings
from gonio.imaging.blur import gaussian_blur, motion_blur
from gonio.imaging.checks import Image, check_image
from gonio.imaging.color import adjust_color, negative
from gonio.imaging.defects import add_noise, compress_jpeg, cover

if TYPE_CHECKING:
    from numpy.typing import NDArray

Share = Annotated[float, Field(ge=0, le=1)]


class Chance(Settings):
    """Something that happens to some samples.

    Attributes
    ----------
    probability
        How often, 0–1.
    """

    probability: Share

    def happens(self, rng: np.random.Generator) -> bool:
        """Draw whether it happens this time."""
        return bool(rng.random() < self.probability)


class RangedChance(Chance):
    """Something whose strength is drawn evenly between two ends, ``low`` and ``high``."""

    low: float
    high: float

    @model_validator(mode="after")
    def _check_order(self) -> Self:
        if self.low > self.high:
            raise ValueError(f"low ({self.low:g}) is above high ({self.high:g})")
        return self

    def draw(self, rng: np.random.Generator) -> float:
        """Draw a strength."""
        return float(rng.uniform(self.low, self.high))


class ColorJitter(Chance):
    """Light and white balance differ.

    Attributes
    ----------
    brightness, contrast
        Most by which the factor differs from 1.
    hue_deg
        Most that colors turn, either way.
    """

    brightness: Share = 0.3
    contrast: Share = 0.3
    hue_deg: float = Field(default=15.0, ge=0, le=180)


class Saturation(RangedChance):
    """Colors fade or glow: factor on saturation, 0 = grey."""

    low: float = Field(default=0.3, ge=0)
    high: float = Field(default=1.7, ge=0)


class Negative(Chance):
    """Bright becomes dark."""


class Blur(RangedChance):
    """The lens is out of focus: standard deviation, px of the network input."""

    low: float = Field(default=0.3, ge=0)
    high: float = Field(default=1.5, ge=0)


class MotionBlur(RangedChance):
    """The camera moves, in any direction: length, px of the network input."""

    low: float = Field(default=2.0, ge=0)
    high: float = Field(default=9.0, ge=0)


class Noise(RangedChance):
    """The sensor is noisy: standard deviation, grey levels."""

    low: float = Field(default=2.0, ge=0, le=40)
    high: float = Field(default=12.0, ge=0, le=40)


class Jpeg(RangedChance):
    """The file was compressed: JPEG quality."""

    low: int = Field(default=30, ge=1, le=100)
    high: int = Field(default=90, ge=1, le=100)


class Occlusion(RangedChance):
    """Things stand in the way: rectangles of one color; sides as shares of the input's.

    Attributes
    ----------
    count
        Most rectangles, at least one.
    """

    low: Share = 0.05
    high: Share = 0.3
    count: int = Field(default=2, ge=1)


class PhotometrySettings(Settings):
    """Which changes happen by chance; what is None never does."""

    color_jitter: ColorJitter | None = None
    saturation: Saturation | None = None
    negative: Negative | None = None
    blur: Blur | None = None
    motion_blur: MotionBlur | None = None
    noise: Noise | None = None
    jpeg: Jpeg | None = None
    occlusion: Occlusion | None = None


def random_photometry(
    image: Image, settings: PhotometrySettings, rng: np.random.Generator
) -> tuple[Image, NDArray[np.float64]]:
    """Change an image by chance, in the order in which it happens to light.

    Things stand in the way, the lens and the motion blur, the light and the colors differ, the
    sensor is noisy, the file compressed.

    Parameters
    ----------
    image
        Shape ``(H, W, 3)`` or ``(H, W, 1)``.
    settings
        How often and how strongly.
    rng
        Where chance comes from.

    Returns
    -------
    image : ndarray
        The same shape; the argument itself where nothing happened.
    covered_px : ndarray
        Shape ``(N, 4)``: left and top edge, width, height of the rectangles that cover it.

    Raises
    ------
    InputError
        If it is no image.
    """
    check_image(image)
    covered = np.empty((0, 4))
    if (o := settings.occlusion) is not None and o.happens(rng):
        covered = _rectangles(o, (image.shape[1], image.shape[0]), rng)
        image = cover(image, covered, rng.integers(0, 256, (len(covered), image.shape[2])))
    if (b := settings.blur) is not None and b.happens(rng):
        image = gaussian_blur(image, b.draw(rng))
    if (m := settings.motion_blur) is not None and m.happens(rng):
        image = motion_blur(image, m.draw(rng), rng.uniform(0, 180))
    image = _random_color(image, settings, rng)
    if (n := settings.noise) is not None and n.happens(rng):
        image = add_noise(image, n.draw(rng), rng)
    if (j := settings.jpeg) is not None and j.happens(rng):
        image = compress_jpeg(image, round(j.draw(rng)))
    return image, covered


def _random_color(image: Image, settings: PhotometrySettings, rng: np.random.Generator) -> Image:
    change: dict[str, float] = {}
    if (jitter := settings.color_jitter) is not None and jitter.happens(rng):
        up, more, turn = rng.uniform(-1, 1, 3)
        change["brightness"] = 1 + up * jitter.brightness
        change["contrast"] = 1 + more * jitter.contrast
        change["hue_deg"] = turn * jitter.hue_deg
    if (saturation := settings.saturation) is not None and saturation.happens(rng):
        change["saturation"] = saturation.draw(rng)
    if change:
        image = adjust_color(image, **change)
    if (inverted := settings.negative) is not None and inverted.happens(rng):
        image = negative(image)
    return image


def _rectangles(
    occlusion: Occlusion, wh: tuple[int, int], rng: np.random.Generator
) -> NDArray[np.float64]:
    """Draw rectangles whose middles lie in the image."""
    count = int(rng.integers(1, occlusion.count + 1))
    sizes = rng.uniform(occlusion.low, occlusion.high, (count, 2)) * wh
    middles = rng.uniform(0, 1, (count, 2)) * wh - 0.5
    return np.concatenate([middles - sizes / 2, sizes], axis=1)
