"""SLEAP's ``.slp`` and ``.pkg.slp``, through ``sleap-io``: what people labelled, in videos.

SLEAP counts pixels from the centre of the top-left one, as we do. A point that is marked as not
visible has no place there, and is not labelled here. Frames lie in videos, or packed into the
file itself; the images of the labels are the files that :func:`sleap_frames` tells how to make.
"""

from __future__ import annotations

from pathlib import Path, PureWindowsPath
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from gonio.errors import FormatError, InputError, MissingExtraError
from gonio.formats.labels.common import (
    chosen_skeleton,
    fit_skeleton,
    is_left,
    picture_folder,
    plain_word,
)
from gonio.labels import UNLABELLED, VISIBLE, LabelledImage, Labels, make_labels

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from gonio.skeletons import Skeleton

FRAMES: Final = ".frames"
"""Ends the name of the folder that a file's frames are written to, beside it."""
_PACKED: Final = frozenset({".slp", ".h5", ".hdf5"})
_BROKEN: Final = (OSError, KeyError, ValueError, RuntimeError, AttributeError, TypeError)


def read_sleap_labels(
    path: Path, *, skeleton: Skeleton | str | Path | None = None, images: Path | None = None
) -> Labels:
    """Read what people labelled; predictions are left out.

    Parameters
    ----------
    path
        The file; of one skeleton, and of any number of videos.
    skeleton
        What the nodes must follow; None: found by their names, else the file's own, with its
        edges and symmetries.
    images
        Folder of the pictures: of a video's frames, ``<video>/<frame>.png`` in it; None: the
        folder ``<name>.frames`` beside the file. Where the labels are of pictures, not of a
        video: the folder that holds these; None: where the file says, or beside it.

    Returns
    -------
    Labels
        ``video`` is the recording's path as the file has it, ``frame`` the frame in it. Every
        labelled point is visible. A person's key is ``<video>/<frame>#<number>``.

    Raises
    ------
    FormatError
        If the file cannot be read, nobody labelled anything in it, it has several skeletons, a
        node stands in two symmetries, or a place is infinite.
    PosesError
        If the nodes are not those of the skeleton asked for.
    MissingExtraError
        If sleap-io is not installed.
    """
    file = _load(path, open_videos=False)
    frames = [(frame, _by_hand(frame)) for frame in file.labeled_frames]
    frames = [(frame, people) for frame, people in frames if people]
    if not frames:
        raise FormatError(
            f"'{path}': nobody labelled anything in it; predictions alone are no labels. "
            "Correct some of them in SLEAP first."
        )
    kinds = {id(person.skeleton): person.skeleton for _, people in frames for person in people}
    if len(kinds) > 1:
        raise FormatError(
            f"'{path}': {len(kinds)} skeletons. Save the labels of each to a file of its own."
        )
    (own,) = kinds.values()
    nodes = [str(name) for name in own.node_names]
    chosen, order = fit_skeleton(
        nodes,
        chosen_skeleton(skeleton),
        where=f"'{path}'",
        name=str(own.name or _stem(path)),
        edges=[(int(a), int(b)) for a, b in own.edge_inds],
        pairs=_pairs(path, nodes, own.symmetries),
    )
    folders = _video_folders(path, file.videos, images)
    shown: dict[LabelledImage, list[Any]] = {}  # a frame may stand in the file more than once
    for frame, people in frames:
        shown.setdefault(_picture(folders[id(frame.video)], frame), []).extend(people)
    index = [place for place, people in enumerate(shown.values()) for _ in people]
    keys = [f"{image.key}#{i}" for image, people in shown.items() for i in range(len(people))]
    points = np.stack(
        [_points(path, image, person) for image, people in shown.items() for person in people]
    )[:, order]
    labelled = np.isfinite(points).all(axis=-1)
    seen = np.where(labelled, VISIBLE, UNLABELLED)
    return make_labels(chosen, list(shown), index, points, seen, keys=keys)


def packed_frames(path: Path, labels: Labels) -> Iterator[tuple[Path, NDArray[np.uint8]]]:
    """Give the frames that a ``.pkg.slp`` holds itself, and where each belongs.

    Parameters
    ----------
    path
        The file.
    labels
        As :func:`read_sleap_labels` read it.

    Yields
    ------
    tuple
        A path of ``labels.images`` and the frame, shape ``(H, W, 3)``, RGB.

    Raises
    ------
    FormatError
        If a frame cannot be read.
    InputError
        If the frames are packed into another file that is not there.
    MissingExtraError
        If sleap-io is not installed.
    """
    file = _load(path, open_videos=True)
    wanted = {(image.key.rsplit("/", 1)[0], image.frame): image.path for image in labels.images}
    names = _video_names(file.videos)
    for video in file.videos:
        own = [(f, target) for (name, f), target in wanted.items() if name == names[id(video)]]
        if not own or not _is_packed(video):
            continue
        if not Path(video.filename).is_file():
            raise InputError(
                f"'{video.filename}': the frames of '{path}' are packed into this file, and it is "
                "not there. Put it back, or save the labels with their frames again."
            )
        for frame, target in own:
            try:
                picture = np.asarray(video[frame], dtype=np.uint8)
            except (*_BROKEN, IndexError) as error:
                raise FormatError(f"'{path}': frame {frame} cannot be read ({error})") from error
            yield target, np.ascontiguousarray(np.broadcast_to(picture, (*picture.shape[:2], 3)))


def _load(path: Path, *, open_videos: bool) -> Any:
    if not path.is_file():
        raise FormatError(f"'{path}': no such file")
    try:
        import sleap_io
    except ImportError as error:
        raise MissingExtraError("sleap-io", "formats") from error
    try:
        return sleap_io.load_slp(str(path), open_videos=open_videos)
    except _BROKEN as error:
        reason = str(error).partition("\n")[0]
        raise FormatError(f"'{path}': cannot be read as a SLEAP file ({reason})") from error


def _by_hand(frame: Any) -> list[Any]:
    """Return the people whom somebody labelled; a prediction has a score."""
    people = [person for person in frame.instances if not hasattr(person, "score")]
    return [person for person in people if np.isfinite(person.numpy()).any()]


def _points(path: Path, image: LabelledImage, person: Any) -> NDArray[np.float64]:
    """Return one person's places, shape ``(nodes, 2)``; NaN where there is none."""
    points = np.asarray(person.numpy(), dtype=np.float64)[:, :2]
    if np.isinf(points).any():
        name, _, number = image.key.rpartition("/")
        raise FormatError(f"'{path}': {name}, frame {number}: infinite coordinates. Mend them.")
    return points


def _pairs(path: Path, nodes: list[str], symmetries: Any) -> list[tuple[int, int]]:
    """Return the places of every left and right node; SLEAP does not say which is which."""
    pairs: list[tuple[int, int]] = []
    for symmetry in symmetries:
        a, b = sorted(nodes.index(str(node.name)) for node in symmetry.nodes)
        twice = [nodes[i] for pair in pairs for i in pair if i in {a, b}]
        if twice:
            raise FormatError(
                f"'{path}': the node '{twice[0]}' stands in two symmetries; a node has one twin. "
                "Mend the skeleton in SLEAP."
            )
        pairs.append((b, a) if is_left(plain_word(nodes[b])) else (a, b))
    return pairs


class _Folder:
    """Where a video's pictures are."""

    def __init__(self, name: str, video: str, files: list[str] | None, folder: Path) -> None:
        self.name, self.video, self.files, self.folder = name, video, files, folder


def _video_folders(path: Path, videos: list[Any], images: Path | None) -> dict[int, _Folder]:
    names, folders = _video_names(videos), {}
    for video in videos:
        name, files = names[id(video)], video.filename
        if isinstance(files, list):
            plain = [_file_name(file) for file in files]
            stored = Path(str(files[0])).parent
            folder = picture_folder(plain, images, [path.parent / stored, path.parent])
            folders[id(video)] = _Folder(name, str(stored), plain, folder)
        else:
            base = images if images is not None else path.parent / f"{_stem(path)}{FRAMES}"
            source = getattr(video, "source_video", None)
            origin = str(source.filename) if source is not None else str(files)
            told = origin if Path(origin).suffix.lower() not in _PACKED else ""
            folders[id(video)] = _Folder(name, told or name, None, base / name)
    return folders


def _video_names(videos: list[Any]) -> dict[int, str]:
    """Return a name for each video: its file's, numbered where two have the same."""
    names: dict[int, str] = {}
    for i, video in enumerate(videos):
        source = getattr(video, "source_video", None) or video
        file = source.filename
        stem = _stem(Path(_file_name(file if isinstance(file, str) else str(file[0]))))
        taken = stem in names.values()
        names[id(video)] = f"{stem}_{i}" if taken else stem
    return names


def _picture(folder: _Folder, frame: Any) -> LabelledImage:
    number = int(frame.frame_idx)
    name = folder.files[number] if folder.files is not None else f"{number:06d}.png"
    return LabelledImage(
        folder.folder / name,
        video=folder.video,
        frame=number if folder.files is None else None,
        key=f"{folder.name}/{number}",
    )


def _is_packed(video: Any) -> bool:
    return isinstance(video.filename, str) and Path(video.filename).suffix.lower() in _PACKED


def _file_name(text: str) -> str:
    """Return a path's last part, whichever system wrote it."""
    return PureWindowsPath(str(text)).name


def _stem(path: Path) -> str:
    return path.name.removesuffix(path.suffix).removesuffix(".pkg")
