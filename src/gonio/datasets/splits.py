"""Sets shared out among training, validation and test, so that nothing is on two sides."""

from __future__ import annotations

import json
from collections import defaultdict
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from gonio.datasets.hashing import file_sha256
from gonio.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from gonio.labels import Labels

Unit = Literal["image", "video", "subject"]


def split_labels(
    labels: Labels, fractions: Mapping[str, float], *, by: Unit = "image", seed: int = 0
) -> dict[str, Labels]:
    """Share a set's images out at random.

    Parameters
    ----------
    labels
        The set.
    fractions
        Part → share of the units, together at most 1; what is left over belongs to no part.
    by
        What stays whole: an image, a recording, or a person. Whatever it is, an image, its
        augmented copies (``copy_of``) and files with the same bytes stay together.
    seed
        Of the draw: the same set, shares and seed give the same parts, wherever it lies.

    Returns
    -------
    dict
        Part → labels; also images in which nobody is labelled are shared out.

    Raises
    ------
    InputError
        If a share is not above 0, they exceed 1 together, a part would be empty, or an image
        has no recording or no person where the split goes by them.
    """
    shares = {name: float(share) for name, share in fractions.items()}
    if not shares or not (min(shares.values()) > 0 and sum(shares.values()) <= 1 + 1e-9):
        told = ", ".join(f"{name} {share:g}" for name, share in shares.items()) or "none"
        raise InputError(f"split: shares must lie above 0 and add up to at most 1 (given: {told})")
    units = _units(labels, by)
    order = np.random.default_rng(seed).permutation(len(units))
    # Names in a fixed order, so that how a file lists them changes nothing.
    names = sorted(shares, key=lambda n: (_ORDER.index(n) if n in _ORDER else len(_ORDER), n))
    bounds = np.round(np.cumsum([0.0] + [shares[n] for n in names]) * len(units)).astype(int)
    parts = {}
    for name, first, last in zip(names, bounds[:-1], bounds[1:], strict=True):
        images = sorted(i for unit in order[first:last] for i in units[unit])
        part = labels.take_images(images)
        if not len(part):
            raise InputError(
                f"split: part '{name}' would be empty: {shares[name]:g} of {len(units)} "
                f"{_WORDS[by]}. Give it a larger share, or label more."
            )
        parts[name] = part
    return {name: parts[name] for name in shares}


def save_split(path: Path, parts: Mapping[str, Labels]) -> None:
    """Write down which image is in which part, as :func:`load_split` reads it.

    Raises
    ------
    OutputError
        If the file cannot be written.
    """
    from gonio.formats.whole import whole_file

    named = {name: [_name(image.path) for image in part.images] for name, part in parts.items()}
    with whole_file(path) as part_path:
        part_path.write_text(json.dumps(named, indent=1) + "\n", encoding="utf-8")


def load_split(path: Path, labels: Labels) -> dict[str, Labels]:
    """Share a set out as a file says.

    Parameters
    ----------
    path
        JSON: part → names of images, as :func:`save_split` writes them: the file's name, or as
        much of its path as is needed.
    labels
        The set.

    Returns
    -------
    dict
        Part → labels.

    Raises
    ------
    InputError
        If the file cannot be read, names an image that is not in the set or fits several, puts
        one into two parts, or leaves a part empty.
    """
    named = _read_split(path)
    by_end: dict[str, list[int]] = defaultdict(list)
    for index, image in enumerate(labels.images):
        pieces = image.path.parts
        for count in range(1, len(pieces) + 1):
            by_end["/".join(pieces[-count:])].append(index)
    taken: dict[int, str] = {}
    parts = {}
    for part, names in named.items():
        images = []
        for name in names:
            fit = by_end.get(name, [])
            if len(fit) != 1:
                why = "is not among the labelled images" if not fit else "fits several images"
                raise InputError(f"split '{path}': part '{part}': '{name}' {why}")
            if fit[0] in taken:
                raise InputError(
                    f"split '{path}': '{name}' is in '{taken[fit[0]]}' and in '{part}'; an image "
                    "belongs to one part"
                )
            taken[fit[0]] = part
            images.append(fit[0])
        parts[part] = labels.take_images(sorted(images))
        if not len(parts[part]):
            raise InputError(f"split '{path}': part '{part}' is empty")
    return parts


_ORDER = ("train", "validation", "test")
_WORDS = {"image": "images", "video": "recordings", "subject": "people"}


def _read_split(path: Path) -> dict[str, list[str]]:
    try:
        named: Any = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"split '{path}': cannot be read ({error})") from error
    good = isinstance(named, dict) and all(
        isinstance(names, list) and all(isinstance(n, str) for n in names)
        for names in named.values()
    )
    if not good or not named:
        raise InputError(f"split '{path}': must map parts to lists of image names")
    return {str(part): list(names) for part, names in named.items()}


def _name(path: Path) -> str:
    return "/".join(path.parts[-2:])


def _units(labels: Labels, by: Unit) -> list[list[int]]:
    """Return the images of each unit, in an order that does not depend on where the set lies."""
    copied = {(image.video, image.copy_of) for image in labels.images if image.copy_of}
    keys: list[list[str]] = []
    for image in labels.images:
        own = [f"bytes {file_sha256(image.path)}" if image.path.is_file() else f"file {image.path}"]
        original = (image.video, image.copy_of or image.path.name)
        if original in copied:
            own.append(f"original {original}")
        if by != "image":
            unit = getattr(image, by)
            if not unit:
                raise InputError(
                    f"split by {by}: nobody says which {by} '{image.path}' belongs to. Split by "
                    "image, or use labels that say it."
                )
            own.append(f"{by} {unit}")
        keys.append(own)
    names = [(image.video, image.path.name, own[0]) for image, own in
             zip(labels.images, keys, strict=True)]  # fmt: skip
    return sorted(_connected(keys), key=lambda group: min(names[i] for i in group))


def _connected(keys: Sequence[Sequence[str]]) -> list[list[int]]:
    """Return the groups of items that share a key, directly or through others."""
    parent = list(range(len(keys)))

    def root(i: int) -> int:
        while parent[i] != i:
            parent[i] = parent[parent[i]]
            i = parent[i]
        return i

    first: dict[str, int] = {}
    for i, own in enumerate(keys):
        for key in own:
            parent[root(i)] = root(first.setdefault(key, i))
    groups: dict[int, list[int]] = defaultdict(list)
    for i in range(len(keys)):
        groups[root(i)].append(i)
    return list(groups.values())
