"""The skeleton's type, its checks and its loader."""

from __future__ import annotations

import math
import tomllib
from functools import cache, cached_property
from importlib import resources
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from gonio.errors import ConfigError, UnknownNameError, near_match

DEFAULT_SIGMA = 0.05
Side = Literal["left", "right", "middle"]


class Skeleton(BaseModel):
    """Names and geometry of a set of keypoints.

    The order of ``keypoints`` is the order of every array that follows the skeleton.

    Attributes
    ----------
    keypoints
        Names, lower snake case, side first (``left_knee``).
    edges
        Pairs of names that are drawn as lines; derived points may take part.
    pairs
        ``(left, right)`` pairs; where the file names none, they follow from the names.
    sigmas
        OKS standard deviations, relative to the root of a person's area, one a keypoint;
        0.05 where the file names none.
    derived
        Point → the keypoints whose mean it is; its confidence is the least of theirs.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", ignored_types=(cached_property,))

    schema_: Literal["gonio.skeleton/1"] = Field("gonio.skeleton/1", alias="schema")
    name: str = Field(pattern=r"^[a-z][a-z0-9_-]*$")
    title: str = ""
    source: str = ""
    keypoints: tuple[str, ...] = Field(min_length=1)
    edges: tuple[tuple[str, str], ...] = ()
    pairs: tuple[tuple[str, str], ...] = ()
    sigmas: tuple[float, ...] = ()
    derived: dict[str, tuple[str, ...]] = {}

    @model_validator(mode="before")
    @classmethod
    def _fill_pairs_and_sigmas(cls, values: Any) -> Any:
        names = values.get("keypoints") if isinstance(values, dict) else None
        if not isinstance(names, list | tuple) or not all(isinstance(n, str) for n in names):
            return values
        filled = dict(values)
        if not filled.get("sigmas"):
            filled["sigmas"] = [DEFAULT_SIGMA] * len(names)
        if not filled.get("pairs"):
            filled["pairs"] = _pairs_from_names(names)
        return filled

    @model_validator(mode="after")
    def _check_names(self) -> Self:
        if len(set(self.keypoints)) != len(self.keypoints):
            twice = sorted({n for n in self.keypoints if self.keypoints.count(n) > 1})
            raise ValueError(f"keypoints named twice: {', '.join(twice)}")
        if len(self.sigmas) != len(self.keypoints):
            raise ValueError(f"{len(self.sigmas)} sigmas for {len(self.keypoints)} keypoints")
        if not all(0 < s < math.inf for s in self.sigmas):
            raise ValueError("sigmas must be positive and finite")
        clash = set(self.derived) & set(self.keypoints)
        if clash:
            raise ValueError(f"derived points are keypoints too: {', '.join(sorted(clash))}")
        own = set(self.keypoints)
        for point, parents in self.derived.items():
            if not parents:
                raise ValueError(f"derived point '{point}' has no parents")
            self._check_known(parents, own, f"derived.{point}")
        self._check_known([n for e in self.edges for n in e], own | set(self.derived), "edges")
        paired = [n for p in self.pairs for n in p]
        self._check_known(paired, own, "pairs")
        if len(set(paired)) != len(paired):
            twice = sorted({n for n in paired if paired.count(n) > 1})
            raise ValueError(f"pairs: in more than one place: {', '.join(twice)}")
        return self

    @staticmethod
    def _check_known(names: Any, known: set[str], where: str) -> None:
        for name in names:
            if name not in known:
                raise ValueError(f"{where}: unknown keypoint '{name}'{near_match(name, known)}")

    @cached_property
    def _index(self) -> dict[str, int]:
        return {name: i for i, name in enumerate(self.keypoints)}

    def index(self, name: str) -> int:
        """Return a keypoint's place in the arrays.

        Raises
        ------
        UnknownNameError
            If the skeleton has no such keypoint.
        """
        try:
            return self._index[name]
        except KeyError:
            raise UnknownNameError("keypoint", name, self.keypoints, where=self.name) from None

    def parents(self, name: str) -> tuple[str, ...] | None:
        """Return the keypoints whose mean the point is: itself, its parents, or None."""
        if name in self._index:
            return (name,)
        return self.derived.get(name)

    def flip_order(self) -> list[int]:
        """Return the keypoints' order after the image is mirrored (left and right swapped)."""
        order = list(range(len(self.keypoints)))
        for left, right in self.pairs:
            i, j = self.index(left), self.index(right)
            order[i], order[j] = j, i
        return order


def side_of(name: str) -> Side:
    """Return the side a keypoint's name begins with, ``"middle"`` where it has none."""
    if name.startswith("left_"):
        return "left"
    return "right" if name.startswith("right_") else "middle"


def skeleton_names() -> list[str]:
    """Return the names of the built-in skeletons, sorted."""
    folder = resources.files("gonio.skeletons") / "data"
    return sorted(
        f.name.removesuffix(".toml") for f in folder.iterdir() if f.name.endswith(".toml")
    )


def load_skeleton(name_or_path: str | Path) -> Skeleton:
    """Load a built-in skeleton by name, or a user's TOML file by path.

    Parameters
    ----------
    name_or_path
        A built-in name (``"coco17"``), or a path: anything that holds a separator or ends in
        ``.toml``.

    Returns
    -------
    Skeleton

    Raises
    ------
    UnknownNameError
        If no built-in skeleton has the name.
    ConfigError
        If the file is missing, is no TOML, or breaks the schema.
    """
    text = str(name_or_path)
    if isinstance(name_or_path, Path) or text.endswith(".toml") or "/" in text or "\\" in text:
        return _load_file(Path(name_or_path))
    return _load_built_in(text)


@cache
def _load_built_in(name: str) -> Skeleton:
    if name not in skeleton_names():
        raise UnknownNameError("skeleton", name, skeleton_names())
    file = resources.files("gonio.skeletons") / "data" / f"{name}.toml"
    return _parse(file.read_text(encoding="utf-8"), where=f"{name}.toml")


def _load_file(path: Path) -> Skeleton:
    try:
        return _parse(path.read_text(encoding="utf-8"), where=str(path))
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"skeleton '{path}': cannot be read ({error})") from error


def _parse(text: str, *, where: str) -> Skeleton:
    try:
        return Skeleton.model_validate(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"skeleton '{where}': not valid TOML ({error})") from error
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        message = first["msg"].removeprefix("Value error, ")
        message = f"{place}: {message}" if place else message
        if first["type"] == "extra_forbidden":
            keys = [field.alias or name for name, field in Skeleton.model_fields.items()]
            message = f"unknown key '{place}'{near_match(place, keys)}"
        raise ConfigError(f"skeleton '{where}': {message}") from error


def _pairs_from_names(names: Any) -> list[tuple[str, str]]:
    known = set(names)
    lefts = [n for n in names if side_of(n) == "left"]
    return [(n, "right_" + n[5:]) for n in lefts if "right_" + n[5:] in known]
