"""Labels that cannot be right, or hardly: what is found, and what becomes of it.

What is usual is learned from the set itself, robustly, since skeletons and views differ. Where
too few people show what is usual, nothing is claimed.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import combinations
from typing import TYPE_CHECKING, Final, Literal, get_args

import numpy as np

from gonio.errors import UnknownNameError
from gonio.labels import UNLABELLED
from gonio.skeletons import side_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from numpy.typing import NDArray

    from gonio.labels import Labels

    Floats = NDArray[np.float64]
    Mask = NDArray[np.bool_]

FaultKind = Literal[
    "outside_image", "mirrored", "extreme", "same_spot", "outside_box", "empty_box", "twice"
]
KINDS: Final[tuple[FaultKind, ...]] = get_args(FaultKind)
WRONG: Final[tuple[FaultKind, ...]] = ("outside_image", "mirrored", "extreme", "empty_box", "twice")
"""What is masked or dropped where nobody says otherwise; the others deserve a look first."""
_ENOUGH: Final = 20
_USUAL: Final = 0.95
_CLEAR: Final = 0.3
_FAR: Final = 6.0
_BOX_SLACK: Final = 0.1


@dataclass(frozen=True)
class Fault:
    """Something that is wrong with a label.

    Attributes
    ----------
    kind
        What: ``outside_image``: beyond the image's edge. ``mirrored``: a left and a right
        keypoint lie the other way round than in nearly everybody. ``extreme``: far from all
        others of its person. ``same_spot``: two keypoints in one place. ``outside_box``: beyond
        its person's box by more than a tenth of it. ``empty_box``: no area. ``twice``: the same
        person again.
    person
        Index in the set.
    keypoints
        Names of those concerned; empty where it is the whole person.
    message
        In words, with the numbers.
    """

    kind: FaultKind
    person: int
    keypoints: tuple[str, ...]
    message: str


def find_faults(labels: Labels, *, kinds: Iterable[str] | None = None) -> list[Fault]:
    """Look for labels that are wrong or hardly right.

    Parameters
    ----------
    labels
        The set. Images without a size are not checked for points outside them.
    kinds
        Of :data:`KINDS`; None: all.

    Returns
    -------
    list of Fault
        By person, then by kind.

    Raises
    ------
    UnknownNameError
        If there is no such kind.
    """
    asked = _checked(KINDS if kinds is None else kinds)
    finders = {
        "outside_image": _outside_image,
        "mirrored": _mirrored,
        "extreme": _extreme,
        "same_spot": _same_spot,
        "outside_box": _outside_box,
        "empty_box": _empty_box,
        "twice": _twice,
    }
    found = [fault for kind in asked for fault in finders[kind](labels)]
    return sorted(found, key=lambda fault: (fault.person, KINDS.index(fault.kind)))


def mask_faults(labels: Labels, *, kinds: Iterable[str] = WRONG) -> Labels:
    """Make faulty keypoints unlabelled; an empty box goes, who is there twice stays once.

    Parameters
    ----------
    labels
        The set.
    kinds
        What counts as a fault, of :data:`KINDS`.
    """
    seen, boxes = labels.visibility.copy(), labels.boxes_px.copy()
    again = []
    for fault in find_faults(labels, kinds=kinds):
        if fault.kind == "empty_box":
            boxes[fault.person] = np.nan
        elif fault.kind == "twice":
            again.append(fault.person)
        for name in fault.keypoints:
            seen[fault.person, labels.skeleton.index(name)] = UNLABELLED
    points = np.where((seen == UNLABELLED)[..., None], np.nan, labels.keypoints_px)
    masked = replace(labels, visibility=seen, keypoints_px=points, boxes_px=boxes)
    return masked.take(np.setdiff1d(np.arange(len(labels)), again), keep_images=True)


def drop_faults(labels: Labels, *, kinds: Iterable[str] = WRONG) -> Labels:
    """Leave out everybody with a fault; see :func:`mask_faults`."""
    faulty = [fault.person for fault in find_faults(labels, kinds=kinds)]
    return labels.take(np.setdiff1d(np.arange(len(labels)), faulty))


def _checked(kinds: Iterable[str]) -> list[FaultKind]:
    asked: list[FaultKind] = []
    for kind in kinds:
        if kind not in KINDS:
            raise UnknownNameError("kind of fault", kind, KINDS)
        asked.append(kind)
    return asked


def _where(labels: Labels, mask: Mask) -> Iterator[tuple[int, int, str]]:
    """Yield person, keypoint and its name for each place of a mask (P, K)."""
    for person, point in zip(*np.nonzero(mask), strict=True):
        yield int(person), int(point), labels.skeleton.keypoints[point]


def _outside_image(labels: Labels) -> Iterator[Fault]:
    sizes = np.array([(i.width or np.inf, i.height or np.inf) for i in labels.images])
    edge = sizes.reshape(-1, 2)[labels.image_index][:, None] - 0.5
    xy = labels.keypoints_px
    beyond = np.any((xy < -0.5) | (xy > edge), axis=-1)
    for person, point, name in _where(labels, beyond):
        x, y = xy[person, point]
        width, height = edge[person, 0] + 0.5
        told = f"{name} at ({x:.0f}, {y:.0f}) is outside the image of {width:.0f}×{height:.0f}"
        yield Fault("outside_image", person, (name,), told)


def _mirrored(labels: Labels) -> Iterator[Fault]:
    """Compare each pair with its person's middle line, and with the other pairs.

    A view from above shows a pair always on the same sides of the middle line, and shoulders
    and hips agree in every view. Which of these hold is read off the set.
    """
    size = _size_px(labels)
    across = {
        pair: _between(labels, pair[1], pair[0]) / size[:, None] for pair in labels.skeleton.pairs
    }
    middle = [n for n in labels.skeleton.keypoints if side_of(n) == "middle"]
    votes = {pair: np.zeros(len(labels), dtype=int) for pair in across}
    for pair, width in across.items():
        for top, bottom in combinations(middle, 2):
            line = _between(labels, top, bottom) / size[:, None]
            votes[pair] += _against(width[:, 0] * line[:, 1] - width[:, 1] * line[:, 0])
    for one, two in combinations(across, 2):
        against = _against((across[one] * across[two]).sum(axis=1), only_positive=True)
        votes[one] += against
        votes[two] += against
    most = np.max([np.zeros(len(labels), dtype=int), *votes.values()], axis=0)
    for pair, count in votes.items():
        # Of two pairs that disagree it is the one that disagrees with more.
        for person in np.flatnonzero((count > 0) & (count == most)):
            told = f"{pair[0]} and {pair[1]} lie the other way round than in nearly everybody"
            yield Fault("mirrored", int(person), pair, told)


def _against(signed: Floats, *, only_positive: bool = False) -> NDArray[np.int_]:
    """Say who clearly has the sign that hardly anybody has; nobody where no sign is usual."""
    size = np.abs(signed)
    usual = np.nanmedian(size) if np.isfinite(size).any() else 0.0
    clear = size > _CLEAR * usual
    positive = signed > 0
    share = positive[clear].mean() if clear.sum() >= _ENOUGH else 0.5
    if share >= _USUAL:
        return np.asarray(clear & ~positive, dtype=int)
    if share <= 1 - _USUAL and not only_positive:
        return np.asarray(clear & positive, dtype=int)
    return np.zeros(len(signed), dtype=int)


def _extreme(labels: Labels) -> Iterator[Fault]:
    """Find keypoints whose nearest neighbour is much farther than such keypoints' mostly are."""
    count = len(labels.skeleton.keypoints)
    if count < 3:
        return
    xy = labels.keypoints_px
    ratio = np.full((len(labels), count), np.nan)
    for point in range(count):
        others = np.delete(xy, point, axis=1)
        low, high = _bounds(others)
        size = np.hypot(*(high - low).T)
        distance = np.hypot(*(others - xy[:, point, None]).transpose(2, 0, 1))
        nearest = np.where(np.isnan(distance), np.inf, distance).min(axis=1)
        enough = (~np.isnan(others[..., 0])).sum(axis=1) >= 2
        good = enough & np.isfinite(nearest) & (size > 0)
        ratio[good, point] = nearest[good] / size[good]
    known = np.isfinite(ratio) & (ratio > 0)
    logs = np.log(np.where(known, ratio, np.nan))
    for point in range(count):
        column = logs[:, point]
        if known[:, point].sum() < _ENOUGH:
            continue
        median = np.nanmedian(column)
        spread = max(1.4826 * float(np.nanmedian(np.abs(column - median))), 0.1)
        for person in np.flatnonzero(column > median + _FAR * spread):
            if ratio[person, point] < 2:  # an arm stretched out is no fault
                continue
            name = labels.skeleton.keypoints[point]
            told = (
                f"{name} is {ratio[person, point]:.1f} times the extent of the other keypoints "
                f"away from the nearest of them (mostly {np.exp(median):.2f})"
            )
            yield Fault("extreme", int(person), (name,), told)


def _same_spot(labels: Labels) -> Iterator[Fault]:
    xy, names = labels.keypoints_px, labels.skeleton.keypoints
    large = _size_px(labels) > 20
    for one, two in combinations(range(len(names)), 2):
        near = np.hypot(*(xy[:, one] - xy[:, two]).T) < 0.5
        for person in np.flatnonzero(near & large):
            told = f"{names[one]} and {names[two]} are in one place"
            yield Fault("same_spot", int(person), (names[one], names[two]), told)


def _outside_box(labels: Labels) -> Iterator[Fault]:
    low, size = labels.boxes_px[:, None, :2], labels.boxes_px[:, None, 2:]
    slack = _BOX_SLACK * size.max(axis=-1, keepdims=True)
    xy = labels.keypoints_px
    beyond = ((xy < low - slack) | (xy > low + size + slack)).any(axis=-1)
    for person, _, name in _where(labels, beyond):
        yield Fault("outside_box", person, (name,), f"{name} is outside its person's box")


def _empty_box(labels: Labels) -> Iterator[Fault]:
    size = labels.boxes_px[:, 2:]
    for person in np.flatnonzero((size <= 0).any(axis=1)):
        width, height = size[person]
        told = f"the box of {width:g}×{height:g} px has no area"
        yield Fault("empty_box", int(person), (), told)


def _twice(labels: Labels) -> Iterator[Fault]:
    seen: dict[tuple[int, bytes], int] = {}
    rounded = np.round(labels.keypoints_px, 2) + 0.0
    for person in np.flatnonzero(labels.labelled.any(axis=1)):
        key = (int(labels.image_index[person]), rounded[person].tobytes())
        first = seen.setdefault(key, int(person))
        if first != person:
            told = f"the same keypoints as person {first} in the same image"
            yield Fault("twice", int(person), (), told)


def _between(labels: Labels, start: str, end: str) -> Floats:
    index = labels.skeleton.index
    vector: Floats = labels.keypoints_px[:, index(end)] - labels.keypoints_px[:, index(start)]
    return vector


def _bounds(points: Floats) -> tuple[Floats, Floats]:
    """Return the least and greatest x and y of (P, K, 2), NaN where there is nothing."""
    low = np.where(np.isnan(points), np.inf, points).min(axis=1)
    high = np.where(np.isnan(points), -np.inf, points).max(axis=1)
    nothing = np.isinf(low)
    return np.where(nothing, np.nan, low), np.where(nothing, np.nan, high)


def _size_px(labels: Labels) -> Floats:
    """Return the diagonal of each person's keypoints, at least one pixel; NaN without any."""
    low, high = _bounds(labels.keypoints_px)
    size: Floats = np.maximum(np.hypot(*(high - low).T), 1.0)
    return size
