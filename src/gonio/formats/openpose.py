"""OpenPose's JSON: a folder with one file a frame, any number of people in each.

Files are called ``<recording>_<number>_keypoints.json`` (or just ``….<number>.json``); the number
is the frame's, from 0. A person's ``pose_keypoints_2d`` is x, y, confidence of each point in
turn; three zeros mean *not found*. The points have no names: their number tells the skeleton.
Source: OpenPose documentation, "Output" (doc/02_output.md).
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from gonio.errors import FormatError, InputError
from gonio.formats.tracks import (
    BY_ORDER,
    Found,
    Tracks,
    frame_numbers,
    make_tracks,
    shortest,
    warn,
)
from gonio.formats.whole import whole_folder
from gonio.poses import INDIVIDUALS
from gonio.skeletons import Skeleton, load_skeleton

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    Doubles = NDArray[np.float64]

SKELETONS: Final = {17: "coco17", 25: "body25", 26: "halpe26", 33: "blazepose33"}
"""Number of points → skeleton; 25 may be BODY_25B too, which the limbs' lengths tell."""

_NAME = re.compile(r"(?P<recording>.*?)[._-]?(?P<number>\d+)(?:_keypoints)?")
_POINTS = "pose_keypoints_2d"
_NOT_READ = ("face_keypoints_2d", "hand_left_keypoints_2d", "hand_right_keypoints_2d")
_EMPTY: Final[dict[str, list[float]]] = {
    key: [] for key in (*_NOT_READ, "pose_keypoints_3d", "face_keypoints_3d",
                        "hand_left_keypoints_3d", "hand_right_keypoints_3d")
}  # fmt: skip
# Within this factor two orders of the points explain a body equally well.
_CLEAR = 1.1


def read_openpose(
    path: Path, *, skeleton: Skeleton | str | Path | None = None, fps: float | None = None
) -> Tracks:
    """Read a folder of OpenPose's JSON files, or a single one.

    Parameters
    ----------
    path
        The folder of one recording; other files in it are ignored.
    skeleton
        What the points are, in order. None: by their number, 17 coco17, 26 halpe26, 33
        blazepose33, 25 BODY_25 or BODY_25B, whichever makes the people's limbs shorter.
    fps
        Frames per second; the files hold none.

    Returns
    -------
    Tracks
        Pixels. ``time`` is the frame's number / fps. Unless the files number every person
        (``person_id`` ≥ 0), ``person_0``… are merely the first, second… of each frame, and
        ``identified`` is false. Faces and hands are not read, with a warning.

    Raises
    ------
    FormatError
        If there are no such files, they are broken, or the number of points says nothing.
    """
    files = _files(path)
    people = [_read_file(file) for _, file in files]
    counts = {len(points) for frame in people for _, points, _ in frame}
    if len(counts) > 1:
        raise FormatError(f"'{path}': people with {' and '.join(map(str, sorted(counts)))} points")
    if any(more for frame in people for *_, more in frame):
        warn(f"'{path}': keypoints of faces and hands are not read")
    chosen = _skeleton(path, skeleton, [points for frame in people for _, points, _ in frame])
    identified = _have_identities(people)
    ids = sorted(
        {n for f in people for n, *_ in f}
        if identified
        else range(max(map(len, people), default=0))
    )
    place = {number: i for i, number in enumerate(ids)}
    values = np.full((len(people), 3, len(chosen.keypoints), len(ids)), np.nan)
    for row, frame in enumerate(people):
        for i, (number, points, _) in enumerate(frame):
            values[row, :, :, place[number] if identified else i] = points.T
    position = values[:, :2].copy()
    position[np.repeat((values == 0).all(axis=1, keepdims=True), 2, axis=1)] = np.nan
    found = Found(
        position=position,
        confidence=values[:, 2],
        keypoints=list(chosen.keypoints),
        individuals=[f"person_{n}" for n in ids],
        frames=np.array([n for n, _ in files], np.int64),
        fps=fps,
        attrs={} if identified else {"identities": BY_ORDER},
    )
    return make_tracks(path, found, skeleton=chosen, software="OpenPose")


def write_openpose(path: Path, tracks: Tracks) -> None:
    """Write a folder of one file a frame: the points in the skeleton's own order.

    Parameters
    ----------
    path
        The folder. One that exists is replaced only if it holds nothing but JSON files.
    tracks
        2D poses. A point that was not seen is three zeros; one without confidence gets 1, with
        a warning, since 0 would mean that it was not seen. A person not seen in a frame is
        left out there.

    Raises
    ------
    InputError
        If there are no 2D poses.
    OutputError
        If the folder cannot be written or holds other files.
    """
    poses = tracks.poses
    if poses is None or poses.sizes["space"] != 2:
        raise InputError("an OpenPose file holds 2D keypoints only")
    xy = shortest(poses["position"].values)
    confidence = shortest(poses["confidence"].values)
    seen = np.asarray(np.isfinite(xy).all(axis=1))
    unsure = int((seen & np.isnan(confidence)).sum())
    if unsure:
        warn(f"'{path}': {unsure} points without confidence were given 1: OpenPose's 0 is 'unseen'")
    confidence = np.where(np.isnan(confidence), 1.0, confidence)
    values = np.where(seen[:, None], np.concatenate([xy, confidence[:, None]], axis=1), 0.0)
    present = np.asarray(seen.any(axis=1))
    ids = _ids_of(tracks.people) if tracks.identified else [-1] * poses.sizes[INDIVIDUALS]
    with whole_folder(path, ".json") as part:
        for row, number in enumerate(frame_numbers(poses)):
            people = [
                {"person_id": [ids[i]], _POINTS: values[row, :, :, i].T.ravel().tolist(), **_EMPTY}
                for i in np.flatnonzero(present[row])
            ]
            text = json.dumps({"version": 1.3, "people": people}, separators=(",", ":"))
            name = f"{path.name}_{number:012d}_keypoints.json"
            (part / name).write_text(text, encoding="utf-8")


def keeps_names(tracks: Tracks) -> bool:
    """Say whether the points can be told by their number when they are read again."""
    names = (
        tuple(str(n) for n in tracks.poses["keypoints"].values) if tracks.poses is not None else ()
    )
    known = [load_skeleton(n).keypoints for n in (*SKELETONS.values(), "body25b")]
    return names in known


def keeps_people(tracks: Tracks) -> bool:
    """Say whether the people are called ``person_0``, ``person_1``…, which the files can hold."""
    return all(re.fullmatch(r"person_\d+", name) for name in tracks.people)


def _ids_of(people: list[str]) -> list[int]:
    numbers = [re.fullmatch(r"person_(\d+)", name) for name in people]
    known = [int(n[1]) for n in numbers if n]
    return known if len(set(known)) == len(people) else list(range(len(people)))


def _files(path: Path) -> list[tuple[int, Path]]:
    """Return frame numbers and files of one recording, in order."""
    if not path.is_dir():
        match = _NAME.fullmatch(path.stem)
        return [(int(match["number"]) if match else 0, path)]
    files: dict[int, Path] = {}
    recordings: dict[str, str] = {}
    for file in sorted(path.iterdir()):
        if file.suffix.lower() != ".json" or file.name.startswith("."):
            continue
        match = _NAME.fullmatch(file.stem)
        if match is None:
            raise FormatError(f"'{file}': its name holds no frame number")
        recordings.setdefault(match["recording"], file.name)
        if len(recordings) > 1:
            one, other = list(recordings.values())[:2]
            raise FormatError(
                f"'{path}': files of several recordings ('{one}', '{other}'). "
                "Put each recording into a folder of its own."
            )
        number = int(match["number"])
        if number in files:
            raise FormatError(f"'{path}': '{files[number].name}' and '{file.name}' are one frame")
        files[number] = file
    if not files:
        raise FormatError(f"'{path}': no .json files in this folder")
    return sorted(files.items())


def _read_file(file: Path) -> list[tuple[int, Doubles, bool]]:
    """Return each person's number (−1 = none), points ``(K, 3)``, and whether there is more."""
    try:
        content = json.loads(file.read_bytes())
        return [_read_person(person) for person in content["people"] if person[_POINTS]]
    except OSError as error:
        raise FormatError(f"'{file}': cannot be read ({error.strerror or error})") from error
    except (ValueError, KeyError, TypeError) as error:
        raise FormatError(f"'{file}': no JSON of OpenPose ({error!r})") from error


def _read_person(person: dict[str, Any]) -> tuple[int, Doubles, bool]:
    points = np.array(person[_POINTS], np.float64).reshape(-1, 3)
    ids = person.get("person_id") or [-1]
    number = int(ids[0] if isinstance(ids, list) else ids)
    return number, points, any(np.any(person.get(key) or 0) for key in _NOT_READ)


def _have_identities(people: list[list[tuple[int, Doubles, bool]]]) -> bool:
    """Say whether everybody has a number that stands once in each frame."""
    numbers = [[n for n, *_ in frame] for frame in people]
    return any(numbers) and all(len(set(f)) == len(f) and min(f, default=0) >= 0 for f in numbers)


def _skeleton(
    path: Path, skeleton: Skeleton | str | Path | None, people: list[Doubles]
) -> Skeleton:
    if skeleton is not None:
        chosen = skeleton if isinstance(skeleton, Skeleton) else load_skeleton(skeleton)
        if people and len(people[0]) != len(chosen.keypoints):
            raise FormatError(
                f"'{path}': {len(people[0])} points, but the skeleton '{chosen.name}' has "
                f"{len(chosen.keypoints)}"
            )
        return chosen
    if not people:
        raise FormatError(f"'{path}': nobody in any frame, so nothing tells the skeleton: name it")
    count = len(people[0])
    if count == 25:
        return _body25_or_25b(path, people)
    if count not in SKELETONS:
        known = ", ".join(map(str, sorted(SKELETONS)))
        raise FormatError(
            f"'{path}': {count} points tell no skeleton (known: {known}). "
            "Give the skeleton: a name, or a TOML file with the points in order."
        )
    return load_skeleton(SKELETONS[count])


def _body25_or_25b(path: Path, people: list[Doubles]) -> Skeleton:
    """Return the skeleton of 25 points whose limbs are shorter on these people."""
    candidates = [load_skeleton("body25"), load_skeleton("body25b")]
    points = np.stack(people)
    xy = np.where((points == 0).all(axis=2, keepdims=True), np.nan, points)[..., :2]
    lengths = []
    for candidate in candidates:
        a, b = np.array([[candidate.index(n) for n in edge] for edge in candidate.edges]).T
        length = np.linalg.norm(xy[:, a] - xy[:, b], axis=2)
        lengths.append(np.nanmean(length) if np.isfinite(length).any() else np.nan)
    ratio = lengths[0] / lengths[1] if lengths[1] > 0 else np.nan
    if not (ratio > _CLEAR or ratio < 1 / _CLEAR):
        raise FormatError(
            f"'{path}': 25 points, and the limbs' lengths do not tell BODY_25 from BODY_25B. "
            "Give the skeleton: body25 or body25b."
        )
    return candidates[int(ratio > 1)]
