"""Compare our landmarks with MediaPipe's on the same frames.

The peer is the Python Pose of ``mediapipe`` 0.10.21 (complexity 1, no smoothing of landmarks),
in an environment of its own that is made under ``build/peers`` when it is missing;
``GONIO_PEER_PYTHON`` names another one. Both get the frames that Gonio decodes and follow one
person. Measured: the median distance of the lower-body points that the peer calls visible, in
per cent of the person's height (the vertical extent of the peer's landmarks in that frame),
over the frames in which both see somebody. The peer's positions, relative to the image, become
pixels by the codec's rule.

A part of the distance is known: the peer's CPU path samples its crops half an input pixel off,
which moves its landmarks by as much right and down; the table's dx and dy show it.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import subprocess
import sys
import venv
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import numpy as np

from gonio.codec import normalized_to_input
from gonio.runtime import ModelStore, estimate_frames, open_estimator
from gonio.skeletons import load_skeleton
from gonio.video import open_source

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from numpy.typing import NDArray

    from gonio.video import Frame

ROOT = Path(__file__).resolve().parents[1]
VIDEO = ROOT.parent / "shared" / "data" / "videos" / "sagittal_walk_two_people.mp4"
RESULT = ROOT / "build" / "bench" / "blazepose_parity.json"
PEER = "mediapipe==0.10.21"
PEER_MISSING = 3  # exit status
LIMIT_PERCENT = 1.0
LOWER_BODY = ("hip", "knee", "ankle", "heel", "foot_index")
VISIBLE = 0.5


class PeerMissingError(Exception):
    """The peer's environment cannot be made here."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("video", nargs="?", type=Path, default=VIDEO)
    video = parser.parse_args().video
    if not video.is_file():
        print(f"skipped: '{video}' is absent")
        return 0
    try:
        peer = peer_python()
    except PeerMissingError as error:
        print(f"skipped: {error}")
        return PEER_MISSING
    ours, theirs, size = run_both(video, peer)
    result = compare(ours, theirs, size)
    result["frames_seen"]["gonio, two people"] = count_seen(video, max_people=2)
    print(json.dumps(result["frames_seen"], indent=2))
    RESULT.parent.mkdir(parents=True, exist_ok=True)
    RESULT.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    print(f"\n{result['value']:.2f} {result['unit']} (limit {LIMIT_PERCENT}) -> {RESULT}")
    return int(result["value"] > LIMIT_PERCENT)


def peer_python() -> Path:
    """Return the Python that has the peer; make its environment where there is none."""
    named = os.environ.get("GONIO_PEER_PYTHON")
    if named:
        return Path(named)
    folder = ROOT / "build" / "peers" / "mediapipe"
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    check = [str(python), "-c", "import mediapipe"]
    if python.exists() and subprocess.run(check, capture_output=True, check=False).returncode == 0:
        return python
    venv.create(folder, with_pip=True, clear=True)
    install = [str(python), "-m", "pip", "install", "--quiet", PEER]
    done = subprocess.run(install, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        reason = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise PeerMissingError(f"{PEER} cannot be installed for Python {sys.version[:6]}: {reason}")
    return python


def run_both(
    video: Path, peer: Path
) -> tuple[NDArray[np.float64], NDArray[np.float64], tuple[int, int]]:
    """Return ours (frames, 33, 2), the peer's (frames, 33, 3), and the image's size."""
    store = ModelStore()
    estimator = open_estimator(store.resolve("blazepose-full"), store=store, max_people=1)
    missing = np.full((33, 2), np.nan)
    with open_source(video) as source:
        size = source.info.width, source.info.height
        script = Path(__file__).parent / "peers" / "mediapipe_pose.py"
        with subprocess.Popen(
            [str(peer), str(script), *map(str, size)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        ) as process:
            ours = [
                frame.people[0].keypoints_px if frame.people else missing
                for frame in estimate_frames(_copied_to(process.stdin, source), estimator)
            ]
            output = process.communicate()[0]
    if process.returncode != 0:
        raise RuntimeError(f"the peer failed with status {process.returncode}")
    return np.array(ours, dtype=np.float64), np.load(io.BytesIO(output)), size


def _copied_to(pipe: IO[bytes] | None, frames: Iterable[Frame]) -> Iterator[Frame]:
    for frame in frames:
        if pipe is not None:
            pipe.write(np.ascontiguousarray(frame.image).data)
        yield frame


def compare(
    ours: NDArray[np.float64], theirs: NDArray[np.float64], size: tuple[int, int]
) -> dict[str, Any]:
    """Print a table of the landmarks and return the result."""
    skeleton = load_skeleton("blazepose33")
    peer_px = normalized_to_input(theirs[..., :2], size)
    difference = ours - peer_px
    height = np.ptp(peer_px[..., 1], axis=1)[:, None]
    percent = 100 * np.hypot(difference[..., 0], difference[..., 1]) / height
    percent[~(theirs[..., 2] > VISIBLE)] = np.nan
    print(f"{'landmark':<20}{'frames':>7}{'median %':>10}{'p90 %':>8}{'dx px':>8}{'dy px':>8}")
    for k, name in enumerate(skeleton.keypoints):
        seen = np.isfinite(percent[:, k])
        if not seen.any():
            continue
        middle, most = np.percentile(percent[seen, k], [50, 90])
        dx, dy = np.median(difference[seen, k], axis=0)
        print(f"{name:<20}{seen.sum():>7}{middle:>10.2f}{most:>8.2f}{dx:>8.2f}{dy:>8.2f}")
    lower = [skeleton.index(f"{side}_{part}") for part in LOWER_BODY for side in ("left", "right")]
    we, they = (np.isfinite(a[:, 0, 0]) for a in (ours, theirs))
    value = float(np.nanmedian(percent[:, lower]))
    return {
        "value": value,
        "unit": "% of the person's height, median over visible lower-body points",
        "peer": f"{PEER} Python Pose, complexity 1, smooth_landmarks=False",
        "ratio_to_peer": None,
        "limit": LIMIT_PERCENT,
        "ratio_to_limit": value / LIMIT_PERCENT,
        "frames": len(ours),
        "frames_seen": {"both": int((we & they).sum()), "gonio": _runs(we), "peer": _runs(they)},
    }


def count_seen(video: Path, *, max_people: int) -> dict[str, str]:
    """Say in which frames at least one, at least two… people are seen."""
    store = ModelStore()
    estimator = open_estimator(store.resolve("blazepose-full"), store=store, max_people=max_people)
    with open_source(video) as source:
        counts = np.array([len(f.people) for f in estimate_frames(source, estimator)])
    return {f"at least {n}": _runs(counts >= n) for n in range(1, max_people + 1)}


def _runs(seen: NDArray[np.bool_]) -> str:
    """Return frame numbers as runs: ``4-168, 170``."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], seen.astype(int), [0]])))
    runs = zip(edges[::2], edges[1::2] - 1, strict=True)
    return ", ".join(f"{a}-{b}" if b > a else str(a) for a, b in runs)


if __name__ == "__main__":
    sys.exit(main())
