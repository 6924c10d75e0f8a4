"""Peak memory of a long recording against a short one: frames, pixels and JSON must not add up.

A drawn person squats in view of the camera; the recording is repeated until it has 2,300 and
23,000 frames, by copying packets, and each is analyzed by a process of its own with overlay and
report. The limit: the longer one's peak may exceed the shorter one's by 5 %, beside 0.5 kB a
person a frame for the tracks themselves. With ``--video`` another recording is repeated, with
``--no-overlay`` nothing is drawn.

Writes ``build/bench/memory.json``.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from fractions import Fraction
from pathlib import Path
from tempfile import TemporaryDirectory

import av

from gonio.synthetic import render_person

RESULT = Path("build/bench/memory.json")
FRAMES = (2_300, 23_000)
MOST_GROWTH = 1.05
TRACK_KB = 0.5
ANALYZE = """
import json, resource, sys
import gonio
result = gonio.analyze(sys.argv[1], out=sys.argv[2], overlay=sys.argv[3] == "yes")
raw = result.evaluation.raw
print(json.dumps({
    "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    "frames": raw.sizes["time"],
    "people": raw.sizes["individuals"],
}))
"""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--video", type=Path)
    parser.add_argument("--no-overlay", dest="overlay", action="store_false")
    parser.add_argument("--frames", type=int, nargs=2, default=FRAMES)
    given = parser.parse_args()
    with TemporaryDirectory() as scratch:
        folder = Path(scratch)
        video = given.video or drawn(folder)
        seen = [measure(repeat(video, folder, n), folder, given.overlay) for n in given.frames]
    return report(seen)


def report(seen: list[dict[str, float]]) -> int:
    """Print both, write the figure, and say whether the limit was kept."""
    short, long = seen
    tracks_mb = TRACK_KB * long["frames"] * long["people"] / 1024
    ratio = (long["peak_mb"] - tracks_mb) / short["peak_mb"]
    for one in seen:
        print(
            f"{one['frames']:>7.0f} frames, {one['people']:.0f} people: peak "
            f"{one['peak_mb']:.0f} MB, {one['seconds']:.0f} s"
        )
    figure = {
        "value": ratio,
        "unit": f"peak at {long['frames']:.0f} frames less tracks / at {short['frames']:.0f}",
        "peer": None,
        "ratio_to_peer": None,
        "limit": MOST_GROWTH,
        "ratio_to_limit": ratio / MOST_GROWTH,
        "runs": seen,
    }
    RESULT.parent.mkdir(parents=True, exist_ok=True)
    RESULT.write_text(json.dumps(figure, indent=2) + "\n", encoding="utf-8")
    print(f"{ratio:.3f} beside {tracks_mb:.0f} MB of tracks (limit {MOST_GROWTH}) -> {RESULT}")
    return int(ratio > MOST_GROWTH)


def drawn(folder: Path) -> Path:
    """Return a drawn squat that ends as it begins."""
    render_person(folder / "squat.mp4", motion="squat", seconds=8)
    return folder / "squat.mp4"


def repeat(video: Path, folder: Path, frames: int) -> Path:
    """Write the recording again and again until it has so many frames; packets are copied."""
    target = folder / f"{video.stem}-{frames}.mp4"
    with av.open(str(video)) as old:
        stream = old.streams.video[0]
        packets = [p for p in old.demux(stream) if p.dts is not None]
        base = stream.time_base or Fraction(1, 90_000)
        rate = stream.average_rate or Fraction(30)
        length = round(len(packets) / rate / base)
        with av.open(str(target), "w") as new:
            copy = new.add_stream_from_template(stream)
            for number in range(frames):
                turn, place = divmod(number, len(packets))
                data = bytes(packets[place])
                packet = av.Packet(data)
                packet.dts = (packets[place].dts or 0) + turn * length
                packet.pts = (packets[place].pts or 0) + turn * length
                packet.time_base, packet.stream = base, copy
                packet.is_keyframe = packets[place].is_keyframe
                new.mux(packet)
    return target


def measure(video: Path, folder: Path, overlay: bool) -> dict[str, float]:
    """Return the peak memory of a process that analyzes it, its frames, people and seconds."""
    command = [sys.executable, "-c", ANALYZE, str(video), str(folder / video.stem)]
    began = time.monotonic()
    done = subprocess.run(
        [*command, "yes" if overlay else "no"],
        check=True,
        capture_output=True,
        text=True,
        env=os.environ | {"PYTHONWARNINGS": "ignore"},
    )
    seen: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return seen | {"seconds": time.monotonic() - began}


if __name__ == "__main__":
    sys.exit(main())
