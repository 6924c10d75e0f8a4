"""SLEAP's ``.slp`` files, through ``sleap-io``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from gonio.errors import FormatError, InputError, MissingExtraError
from gonio.formats.tracks import (
    BY_ORDER,
    Found,
    Tracks,
    frame_numbers,
    make_tracks,
    shortest,
    unique_names,
    warn,
)
from gonio.formats.whole import whole_file
from gonio.poses import KEYPOINTS

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from gonio.skeletons import Skeleton

    Doubles = NDArray[np.float64]


def read_sleap(
    path: Path, *, skeleton: Skeleton | str | Path | None = None, fps: float | None = None
) -> Tracks:
    """Read predictions and labels.

    Parameters
    ----------
    path
        The file; of one video and one skeleton.
    skeleton
        What the nodes must follow; None: found by their names.
    fps
        Frames per second; the file holds none.

    Returns
    -------
    Tracks
        Pixels, the center of the top-left pixel at (0, 0). A prediction's point score is the
        confidence; what a person labelled has none, and replaces the prediction of the same
        track in the same frame. Individuals are called after their tracks. Where an instance
        has no track, all are merely ordered, and ``identified`` is false.

    Raises
    ------
    MissingExtraError
        If sleap-io is not installed.
    FormatError
        If the file cannot be read, or holds several videos or skeletons.
    """
    if not path.is_file():
        raise FormatError(f"'{path}': no such file")
    try:
        labels = _sleap_io().load_slp(str(path), open_videos=False)
    except (OSError, KeyError, ValueError, RuntimeError, AttributeError) as error:
        raise FormatError(f"'{path}': cannot be read as a SLEAP file ({error})") from error
    frames = sorted(labels.labeled_frames, key=lambda f: int(f.frame_idx))
    videos = {id(f.video) for f in frames}
    skeletons = {id(i.skeleton) for f in frames for i in f.instances} or {0}
    if len(videos) > 1 or len(skeletons) > 1 or not labels.skeletons:
        raise FormatError(
            f"'{path}': holds {len(videos)} videos and {len(labels.skeletons)} skeletons, "
            "expected one of each. Save each video's labels to a file of its own."
        )
    numbers = [int(f.frame_idx) for f in frames]
    if len(set(numbers)) != len(numbers):
        raise FormatError(f"'{path}': a frame stands in the file twice")
    nodes = [str(n) for n in labels.skeletons[0].node_names]
    seen = [_instances(f) for f in frames]
    identified = all(track is not None for frame in seen for _, track in frame)
    columns, names = _columns(path, labels, seen, identified=identified)
    position = np.full((len(frames), 2, len(nodes), len(names)), np.nan)
    confidence = np.full((len(frames), len(nodes), len(names)), np.nan)
    for row, frame in enumerate(seen):
        for i, (instance, track) in enumerate(frame):
            column = columns[id(track)] if identified else i
            position[row, :, :, column] = instance.numpy()[:, :2].T
            if "score" in (instance.points.dtype.names or ()):
                confidence[row, :, column] = instance.points["score"]
    found = Found(
        position=position,
        confidence=confidence,
        keypoints=nodes,
        individuals=names,
        frames=np.array(numbers, np.int64),
        fps=fps,
        attrs={} if identified else {"identities": BY_ORDER},
    )
    return make_tracks(path, found, skeleton=skeleton, software="SLEAP")


def write_sleap(path: Path, tracks: Tracks) -> None:
    """Write predictions; people without any confidence become labels.

    Parameters
    ----------
    path
        The file; replaced if it exists.
    tracks
        2D poses, with the skeleton's edges as far as they join keypoints.

    Raises
    ------
    MissingExtraError
        If sleap-io is not installed.
    InputError
        If there are no 2D poses.
    OutputError
        If the file cannot be written.
    """
    poses = tracks.poses
    if poses is None or poses.sizes["space"] != 2:
        raise InputError("a SLEAP file holds 2D keypoints only")
    sio = _sleap_io()
    names = [str(n) for n in poses[KEYPOINTS].values]
    edges = tracks.skeleton.edges if tracks.skeleton else ()
    skeleton = sio.Skeleton(
        nodes=names,
        edges=[edge for edge in edges if set(edge) <= set(names)],
        name=str(poses.attrs.get("skeleton", "skeleton")),
    )
    video = sio.Video(filename=str(poses.attrs.get("source", "unknown")), open_backend=False)
    own = [sio.Track(name) for name in tracks.people] if tracks.identified else None
    xy, confidence = (shortest(poses[v].values) for v in ("position", "confidence"))
    frames = []
    for row, number in enumerate(frame_numbers(poses)):
        instances = []
        for i in np.flatnonzero(np.isfinite(xy[row]).all(axis=0).any(axis=0)):
            track, scores = own[i] if own else None, confidence[row, :, i]
            points = xy[row, :, :, i].T
            if np.isfinite(scores).any():
                instance = sio.PredictedInstance.from_numpy(
                    points, skeleton=skeleton, point_scores=scores,
                    score=float(np.nanmean(scores)), track=track,
                )  # fmt: skip
            else:
                instance = sio.Instance.from_numpy(points, skeleton=skeleton, track=track)
            instances.append(instance)
        frames.append(sio.LabeledFrame(video=video, frame_idx=int(number), instances=instances))
    labels = sio.Labels(
        labeled_frames=frames, videos=[video], skeletons=[skeleton], tracks=own or []
    )
    with whole_file(path) as part:
        sio.save_slp(labels, str(part), verbose=False)


def _sleap_io() -> Any:
    try:
        import sleap_io
    except ImportError as error:
        raise MissingExtraError("sleap-io", "formats") from error
    return sleap_io


def _instances(frame: Any) -> list[tuple[Any, Any]]:
    """Return (instance, track) of a frame; a label replaces the prediction it corrects."""
    labelled = [i for i in frame.instances if not hasattr(i, "score")]
    predicted = [i for i in frame.instances if hasattr(i, "score")]
    replaced = {id(i.from_predicted) for i in labelled if i.from_predicted is not None}
    taken = {id(i.track) for i in labelled if i.track is not None}
    kept = [i for i in predicted if id(i) not in replaced and id(i.track) not in taken]
    return [(i, i.track) for i in (*labelled, *kept)]


def _columns(
    path: Path, labels: Any, seen: list[list[tuple[Any, Any]]], *, identified: bool
) -> tuple[dict[int, int], list[str]]:
    """Return each track's column, and the columns' names."""
    if not identified:
        most = max(map(len, seen), default=0)
        if labels.tracks:
            warn(f"'{path}': some instances have no track: people are merely ordered")
        return {}, [f"person_{i}" for i in range(most)]
    used = {id(track) for frame in seen for _, track in frame}
    tracks = [t for t in labels.tracks if id(t) in used]
    return (
        {id(t): i for i, t in enumerate(tracks)},
        unique_names([str(t.name) for t in tracks], path),
    )
