"""What the readers of labels share: names of keypoints, folders of pictures, checks."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING, Final

import numpy as np

from gonio.errors import FormatError, InputError
from gonio.formats.tracks import FOREIGN, match_skeleton
from gonio.skeletons import Skeleton, load_skeleton

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from gonio.labels import Labels

PICTURES: Final = frozenset({".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".webp"})
_SIDES: Final = (("left_", "right_"), ("l_", "r_"), ("_left", "_right"), ("_l", "_r"))
_LOOKED_AT: Final = 20
_NAMED: Final = 5


def chosen_skeleton(skeleton: Skeleton | str | Path | None) -> Skeleton | None:
    """Return the skeleton that was asked for; None where none was."""
    if skeleton is None or isinstance(skeleton, Skeleton):
        return skeleton
    return load_skeleton(skeleton)


def fit_skeleton(
    names: Sequence[str],
    skeleton: Skeleton | None,
    *,
    where: str,
    name: str,
    edges: Iterable[tuple[int, int]] = (),
    pairs: Iterable[tuple[int, int]] = (),
) -> tuple[Skeleton, list[int]]:
    """Find the skeleton that a file's keypoints follow, or make one of their names.

    Parameters
    ----------
    names
        As the file has them; they are compared and kept in lower snake case.
    skeleton
        What they must be, in any order; None: the built-in one of exactly these names, else one
        of the file's own.
    where
        The file, for messages.
    name
        Of a skeleton of the file's own.
    edges
        Of a skeleton of the file's own: pairs of places in ``names``.
    pairs
        Likewise, its left and right keypoints; empty: told by the names.

    Returns
    -------
    tuple
        The skeleton, and for each of its keypoints the place in ``names``.

    Raises
    ------
    FormatError
        If a name stands twice, or there is none.
    PosesError
        If the names are not those of the skeleton asked for.
    """
    plain = plain_names(names)
    chosen, order = match_skeleton(plain, skeleton, where=where)
    if chosen.name != FOREIGN or skeleton is not None:
        return chosen, order
    inside = [(a, b) for a, b in edges if a != b and {a, b} <= set(range(len(plain)))]
    own = {
        "name": plain_name(name),
        "title": name,
        "keypoints": plain,
        "edges": [(plain[a], plain[b]) for a, b in inside],
        "pairs": [(plain[a], plain[b]) for a, b in pairs] or _pairs(plain),
    }
    return Skeleton.model_validate(own), order


def plain_names(names: Sequence[str]) -> list[str]:
    """Return keypoints' names in lower snake case: ``leftEar`` and ``left ear`` as ``left_ear``.

    A side that is written together with its part (``leftear``) is parted where the other side
    stands there too.
    """
    plain = [plain_word(name) for name in names]
    known = set(plain)
    for i, word in enumerate(plain):
        for side, other in (("left", "right"), ("right", "left")):
            part = word.removeprefix(side)
            if part not in {word, ""} and not part.startswith("_") and other + part in known:
                plain[i] = f"{side}_{part}"
    return plain


def plain_word(name: str) -> str:
    """Return one name in lower snake case."""
    parted = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", str(name))
    return re.sub(r"[\W_]+", "_", parted).strip("_").lower()


def plain_name(name: str) -> str:
    """Return a name that a skeleton can have."""
    word = re.sub(r"[^a-z0-9_-]+", "", plain_word(name))
    return word if re.match(r"[a-z]", word) else f"labels_{word}".rstrip("_")


def is_left(name: str) -> bool:
    """Tell whether a name in lower snake case says that it is of the left side."""
    return any(
        name.startswith(left) if left.endswith("_") else name.endswith(left) for left, _ in _SIDES
    )


def _pairs(names: list[str]) -> list[tuple[str, str]]:
    """Return left and right of every pair, whichever way the names tell their side."""
    pairs: dict[str, str] = {}
    for left, right in _SIDES:
        for name in names:
            front = left.endswith("_")
            own = name.startswith(left) if front else name.endswith(left)
            twin = right + name.removeprefix(left) if front else name.removesuffix(left) + right
            if own and twin in names and name not in pairs and twin not in pairs.values():
                pairs[name] = twin
    return list(pairs.items())


def picture_folder(names: Iterable[str], given: Path | None, guesses: Sequence[Path]) -> Path:
    """Return the folder that a file's pictures are in.

    Parameters
    ----------
    names
        The pictures' names in the file; the first twenty are looked for.
    given
        The folder that the person named; it counts.
    guesses
        Where they may be otherwise, the likeliest first.

    Returns
    -------
    Path
        The guess that holds most of them; the first where none holds any.

    Raises
    ------
    InputError
        If the given folder does not exist.
    """
    if given is not None:
        if not given.is_dir():
            raise InputError(f"'{given}': no such folder of images")
        return given
    looked_at = list(islice(names, _LOOKED_AT))
    found = [sum((folder / name).is_file() for name in looked_at) for folder in guesses]
    return guesses[found.index(max(found))]


def check_images(labels: Labels) -> None:
    """Check that every labelled image's file is there.

    Parameters
    ----------
    labels
        As read; reading does not look for images.

    Raises
    ------
    InputError
        If some are absent: how many, and the first few.
    """
    absent = [image.path for image in labels.images if not image.path.is_file()]
    if absent:
        of_videos = any(image.frame is not None for image in labels.images)
        advice = "write them there (gonio data frames), " if of_videos else ""
        raise InputError(
            f"{len(absent)} of {len(labels.images)} images are not there: {first_few(absent)}. "
            f"Name the folder that holds them, {advice}or leave these images out."
        )


def with_sizes(labels: Labels) -> Labels:
    """Look up the sizes of images that the labels do not give, from the files' heads.

    Parameters
    ----------
    labels
        Whose images may lack width and height.

    Returns
    -------
    Labels
        The same with both, pixels. Images that are absent or unreadable keep None.
    """
    from PIL import Image, UnidentifiedImageError

    images = list(labels.images)
    for i, image in enumerate(images):
        if image.width is None or image.height is None:
            try:
                with Image.open(image.path) as picture:
                    images[i] = replace(image, width=picture.width, height=picture.height)
            except (OSError, UnidentifiedImageError):
                continue
    return replace(labels, images=tuple(images))


def first_few(things: Sequence[object]) -> str:
    """Name the first five of them."""
    named = ", ".join(f"'{thing}'" for thing in things[:_NAMED])
    return f"{named}, …" if len(things) > _NAMED else named


def read_bytes(path: Path) -> bytes:
    """Return a file's bytes.

    Raises
    ------
    FormatError
        If it cannot be read or is empty.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise FormatError(f"'{path}': cannot be read ({error.strerror or error})") from error
    if not content.strip():
        raise FormatError(f"'{path}': the file is empty")
    return content


def refuse_twice(values: Sequence[object], what: str, path: Path) -> None:
    """Refuse identifiers that stand more than once.

    Raises
    ------
    FormatError
        Naming the first few of them.
    """
    if len(set(values)) == len(values):
        return
    seen: set[object] = set()
    twice = [v for v in values if v in seen or seen.add(v)]  # type: ignore[func-returns-value]
    raise FormatError(
        f"'{path}': {what} stand more than once: {first_few(list(dict.fromkeys(twice)))}. "
        "Each must be its own."
    )


def nowhere(count: int) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    """Return boxes of NaN, shape ``(count, 4)``."""
    return np.full((count, 4), np.nan)
