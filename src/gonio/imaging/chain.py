"""Filters as recipes and models' cards name them, one after the other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal, Self, TypeAlias

from pydantic import AfterValidator, Field, model_validator

from gonio.configs import Settings
from gonio.imaging import filters as of_images
from gonio.imaging.background import Background
from gonio.imaging.blur import gaussian_blur

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gonio.imaging.checks import Image

_Positive = Annotated[float, Field(gt=0)]


class Grey(Settings):
    """No colors: luma in every channel."""

    name: Literal["grey"] = "grey"

    def apply(self, image: Image) -> Image:
        """See :func:`gonio.imaging.filters.grey`."""
        return of_images.grey(image)


class _Canny(Settings):
    """What counts as an edge."""

    low: float = Field(default=100.0, ge=0)
    high: float = Field(default=200.0, ge=0)

    @model_validator(mode="after")
    def _check_order(self) -> Self:
        if self.low > self.high:
            raise ValueError(f"low ({self.low:g}) is above high ({self.high:g})")
        return self


class Edges(_Canny):
    """White edges on black.

    Attributes
    ----------
    low, high
        Length of the Sobel gradient above which an edge goes on, and above which there is one.
    """

    name: Literal["edges"] = "edges"

    def apply(self, image: Image) -> Image:
        """See :func:`gonio.imaging.filters.edges`."""
        return of_images.edges(image, low=self.low, high=self.high)


class EdgeOverlay(_Canny):
    """White edges over the colors.

    Attributes
    ----------
    low, high
        As of ``edges``.
    strength
        How much of white an edge takes.
    """

    name: Literal["edge_overlay"] = "edge_overlay"
    strength: float = Field(default=1.0, ge=0, le=1)

    def apply(self, image: Image) -> Image:
        """See :func:`gonio.imaging.filters.edge_overlay`."""
        return of_images.edge_overlay(image, low=self.low, high=self.high, strength=self.strength)


class Equalize(Settings):
    """Luma spread evenly over all levels."""

    name: Literal["equalize"] = "equalize"

    def apply(self, image: Image) -> Image:
        """See :func:`gonio.imaging.filters.equalize`."""
        return of_images.equalize(image)


class Clahe(Settings):
    """Luma spread evenly tile by tile, with a limit.

    Attributes
    ----------
    clip
        The limit, in units of the mean count of a level.
    tiles
        Along each side.
    """

    name: Literal["clahe"] = "clahe"
    clip: _Positive = 2.0
    tiles: int = Field(default=8, ge=1, le=64)

    def apply(self, image: Image) -> Image:
        """See :func:`gonio.imaging.filters.clahe`."""
        return of_images.clahe(image, clip=self.clip, tiles=self.tiles)


class ColorEqualize(Settings):
    """Each channel spread evenly over all levels."""

    name: Literal["color_equalize"] = "color_equalize"

    def apply(self, image: Image) -> Image:
        """See :func:`gonio.imaging.filters.color_equalize`."""
        return of_images.color_equalize(image)


class EdgeEnhance(Settings):
    """Steeper edges.

    Attributes
    ----------
    amount
        Factor on a pixel's differences from its neighbors.
    """

    name: Literal["edge_enhance"] = "edge_enhance"
    amount: float = Field(default=0.5, ge=0)

    def apply(self, image: Image) -> Image:
        """See :func:`gonio.imaging.filters.edge_enhance`."""
        return of_images.edge_enhance(image, amount=self.amount)


class Gaussian(Settings):
    """Blurred: less noise, softer edges.

    Attributes
    ----------
    sigma_px
        Standard deviation, px of the network input.
    """

    name: Literal["gaussian"] = "gaussian"
    sigma_px: _Positive = 1.0

    def apply(self, image: Image) -> Image:
        """See :func:`gonio.imaging.gaussian_blur`."""
        return gaussian_blur(image, self.sigma_px)


class Bilateral(Settings):
    """Blurred, but not across edges.

    Attributes
    ----------
    sigma_px
        Standard deviation of the weight by distance, px of the network input.
    sigma_levels
        Of the weight by color, grey levels of all channels added.
    """

    name: Literal["bilateral"] = "bilateral"
    sigma_px: float = Field(default=3.0, gt=0, le=32)
    sigma_levels: _Positive = 30.0

    def apply(self, image: Image) -> Image:
        """See :func:`gonio.imaging.filters.bilateral`."""
        return of_images.bilateral(image, sigma_px=self.sigma_px, sigma_levels=self.sigma_levels)


class Mog2(Settings):
    """The background of a recording painted over; a picture alone has none and stays whole.

    Attributes
    ----------
    history
        Over how many frames the background is learned.
    threshold
        Squared distance from the background, in its variances, at which a pixel moves.
    shadows
        Whether the shadows of what moves are painted over, too.
    fill
        Grey level of what is painted over.
    """

    name: Literal["mog2"] = "mog2"
    history: int = Field(default=500, gt=0)
    threshold: _Positive = 16.0
    shadows: Literal["drop", "keep"] = "drop"
    fill: int = Field(default=0, ge=0, le=255)


InputFilter: TypeAlias = (
    Grey
    | Edges
    | EdgeOverlay
    | Equalize
    | Clahe
    | ColorEqualize
    | EdgeEnhance
    | Gaussian
    | Bilateral
)
"""Works on the network input, an image by itself."""

Filter: TypeAlias = Annotated[InputFilter | Mog2, Field(discriminator="name")]


def _frames_first(filters: tuple[Filter, ...]) -> tuple[Filter, ...]:
    if any(isinstance(each, Mog2) for each in filters[1:]):
        raise ValueError("mog2 must be named first, and once: it sees whole frames")
    return filters


Filters: TypeAlias = Annotated[tuple[Filter, ...], AfterValidator(_frames_first)]
"""In the order in which they are applied; ``mog2``, which needs whole frames, first."""


def apply_filters(image: Image, filters: Iterable[Filter]) -> Image:
    """Apply those filters that work on the network input, in their order.

    Parameters
    ----------
    image
        A network's input before it is normalized, shape ``(H, W, 3)`` or ``(H, W, 1)``.
    filters
        ``mog2`` among them has been applied to the frame (:class:`FrameFilters`), or does nothing
        to a picture that is none of a recording.

    Returns
    -------
    ndarray
        The same shape; the argument itself where there is no filter.

    Raises
    ------
    InputError
        If it is no image.
    """
    for each in filters:
        if not isinstance(each, Mog2):
            image = each.apply(image)
    return image


class FrameFilters:
    """Those filters that need whole frames in their order: they remember what came before.

    Parameters
    ----------
    filters
        All of a model's.
    """

    def __init__(self, filters: Iterable[Filter]) -> None:
        self._each = [Background(each) for each in filters if isinstance(each, Mog2)]

    def __bool__(self) -> bool:
        """Say whether there is one at all."""
        return bool(self._each)

    def reset(self) -> None:
        """Forget what came before: another series begins."""
        for each in self._each:
            each.reset()

    def next(self, frame: Image) -> Image:
        """Return what the next frame of the series is for the network.

        Parameters
        ----------
        frame
            Shape ``(H, W, 3)``, RGB.

        Returns
        -------
        ndarray
            The same shape; the argument itself where nothing is to be done.

        Raises
        ------
        InputError
            If it is no image.
        """
        for each in self._each:
            frame = each.subtract(frame)
        return frame
