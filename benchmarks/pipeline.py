"""Frames a second from a video to ``poses.nc``, against MediaPipe and the machine's limit.

The shared recording of a walk, one person followed, no overlay: decoding, landmarks, identities,
processing and angles, until ``poses.nc`` is written. The peer is the Python Pose of ``mediapipe``
0.10.21 (complexity 1) on frames that OpenCV decodes, in an environment of its own (see
``blazepose_parity.py``). The limit: as many calls of the landmark model as there are frames on
all cores, while the video is decoded to RGB once, and nothing else; with the model's file as it
is, and with what Gonio leaves out of it (the mask of the person). Python and the models' files
are warm in all. The runs take turns, and each one's best counts, since other work on the machine
only ever slows one down.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import threading
import time
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import numpy as np

import gonio
from blazepose_parity import (
    PEER,
    PEER_MISSING,
    ROOT,
    VIDEO,
    PeerMissingError,
    peer_python,
)
from gonio.poses import save_poses
from gonio.runtime import ModelStore, cpu_count, needed_outputs, open_session
from gonio.store import open_evaluation_folder
from gonio.video import open_source
from gonio.workflows.measure import measure
from gonio.workflows.observe import observe_recording
from gonio.workflows.settings import AnalyzeSettings, resolve_protocol

if TYPE_CHECKING:
    from collections.abc import Callable

RESULT = ROOT / "build" / "bench" / "pipeline.json"
LEAST_TO_PEER, LEAST_TO_LIMIT = 2.0, 0.8


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("video", nargs="?", type=Path, default=VIDEO)
    parser.add_argument("--rounds", type=int, default=7)
    given = parser.parse_args()
    if not given.video.is_file():
        print(f"skipped: '{given.video}' is absent")
        return 0
    try:
        peer = Peer(given.video)
    except PeerMissingError as error:
        print(f"skipped: {error}")
        return int(PEER_MISSING)
    frames = sum(1 for _ in open_source(given.video))
    contenders: dict[str, Callable[[], float]] = {
        "to poses.nc": lambda: to_poses(given.video, max_people=1),
        "limit": Limit(given.video, frames).measure,
        "limit without the mask": Limit(given.video, frames, masked=False).measure,
        "peer": peer.measure,
        "to poses.nc, two people": lambda: to_poses(given.video, max_people=2),
        "whole analysis with overlay and report": lambda: whole(given.video),
    }
    seconds: dict[str, list[float]] = {name: [] for name in contenders}
    for number in range(given.rounds + 1):
        for name, contender in contenders.items():
            took = contender()
            if number:  # the first round warms up
                seconds[name].append(took)
    peer.close()
    return report(seconds, frames)


def report(seconds: dict[str, list[float]], frames: int) -> int:
    """Print the table, write the figure, and say whether both aims were reached."""
    rates = {name: frames / min(all_s) for name, all_s in seconds.items()}
    print(f"{cpu_count()} cores, {frames} frames, best and median of {len(seconds['peer'])} rounds")
    for name, all_s in seconds.items():
        print(f"{name:<40}{rates[name]:>7.1f}{frames / statistics.median(all_s):>7.1f} frames/s")
    value = rates["to poses.nc"]
    figure: dict[str, Any] = {
        "value": value,
        "unit": "frames/s",
        "peer": f"{PEER} Python Pose, complexity 1",
        "ratio_to_peer": value / rates["peer"],
        "limit": rates["limit"],
        "ratio_to_limit": value / rates["limit"],
        "ratio_to_limit_without_mask": value / rates["limit without the mask"],
        "cores": cpu_count(),
        "frames_per_s": rates,
        "seconds": seconds,
    }
    RESULT.parent.mkdir(parents=True, exist_ok=True)
    RESULT.write_text(json.dumps(figure, indent=2) + "\n", encoding="utf-8")
    to_peer = float(figure["ratio_to_peer"])
    to_limit = float(figure["ratio_to_limit"])
    print(f"{to_peer:.2f} of the peer (aim {LEAST_TO_PEER}), ", end="")
    print(f"{to_limit:.2f} of the limit (aim {LEAST_TO_LIMIT}), ", end="")
    print(f"{figure['ratio_to_limit_without_mask']:.2f} of that without the mask -> {RESULT}")
    return int(to_peer < LEAST_TO_PEER or to_limit < LEAST_TO_LIMIT)


def to_poses(video: Path, *, max_people: int) -> float:
    """Return the seconds from a video to its ``poses.nc``."""
    with TemporaryDirectory() as scratch:
        settings = AnalyzeSettings(out=Path(scratch), overlay=False, max_people=max_people)
        began = time.perf_counter()
        protocol = resolve_protocol(settings)
        with open_evaluation_folder(settings.out, "bench") as folder:
            observed = observe_recording(video, settings, protocol, folder, lambda *_: None)
            measured = measure(observed.raw, observed.skeleton, protocol)
            save_poses(folder / "poses.nc", measured.poses, raw=observed.raw)
        return time.perf_counter() - began


def whole(video: Path) -> float:
    """Return the seconds of ``gonio.analyze`` with all its files, two people followed."""
    with TemporaryDirectory() as scratch:
        began = time.perf_counter()
        gonio.analyze(video, out=scratch)
        return time.perf_counter() - began


class Limit:
    """The landmark model's calls on all cores, and decoding beside them."""

    def __init__(self, video: Path, frames: int, *, masked: bool = True) -> None:
        self._video, self._frames = video, frames
        model = ModelStore().resolve("blazepose-full")
        outputs = None if masked else needed_outputs(model.card)
        self._sessions = [
            open_session(model.path, threads=1, outputs=outputs) for _ in range(cpu_count())
        ]
        image = np.full(model.card.input.shape, 0.5, np.float32)
        self._inputs = {self._sessions[0].input_names[0]: image}

    def measure(self) -> float:
        """Return the seconds of both."""
        tickets = count()

        def call(session: Any) -> None:
            while next(tickets) < self._frames:
                session.run(self._inputs)

        def decode() -> None:
            for _ in open_source(self._video).read():
                pass

        threads = [threading.Thread(target=call, args=(s,)) for s in self._sessions]
        threads.append(threading.Thread(target=decode))
        began = time.perf_counter()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return time.perf_counter() - began


class Peer:
    """The peer in a process of its own, started once."""

    def __init__(self, video: Path) -> None:
        script = Path(__file__).parent / "peers" / "mediapipe_video.py"
        self._process = subprocess.Popen(
            [str(peer_python()), str(script), str(video)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        self._answer()

    def measure(self) -> float:
        """Return the seconds it takes."""
        if self._process.stdin is None:
            raise RuntimeError("the peer takes no orders")
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        return float(self._answer())

    def close(self) -> None:
        """End the process."""
        if self._process.stdin is not None:
            self._process.stdin.close()
        self._process.wait()

    def _answer(self) -> str:
        line = self._process.stdout.readline() if self._process.stdout else ""
        if not line:
            raise RuntimeError(f"the peer failed with status {self._process.wait()}")
        return line


if __name__ == "__main__":
    sys.exit(main())
