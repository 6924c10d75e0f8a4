"""Time and memory of every operation on tracks, and of angles, on a million frames.

The tracks: a drawn walker's 33 keypoints (``blazepose33``), one person, 1,000,000 frames at 30 a
second (nine hours) with 3 px of noise; 1 % of the points missing one by one, and the person out of
view for 2 s a minute. Each operation runs with its defaults in a process of its own, whose whole
memory at its peak is counted: interpreter, libraries, the tracks given and the tracks returned.
Filters that come after gap filling get tracks whose short gaps are filled.

Writes ``build/bench/filters.json``: the value is the time of swap repair, the ``general``
protocol's processing and angles together, the limit 20 s.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import time
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from gonio.analysis.angles import compute_angles
from gonio.poses import make_poses
from gonio.protocols import load_protocol
from gonio.skeletons import load_skeleton
from gonio.synthetic import PersonSettings, truth
from gonio.tracking import OPERATIONS, fill_gaps, hide_uncertain, process

if TYPE_CHECKING:
    import xarray as xr

OUT = Path("build/bench")
FRAMES = 1_000_000
FPS = 30.0
LIMIT_S, LIMIT_GB = 20.0, 2.0
CHAIN = "swap repair, filters, angles"
ANGLES = "angles"
SWAPS = "repair_swaps"
NEEDS = {"hide_uncertain": {"min_confidence": 0.3}}
"""Settings without a default."""
RAW = {"hide_uncertain", "fill_gaps", "hampel", "median", SWAPS, CHAIN}
"""Operations that come before gap filling."""


def tracks(frames: int = FRAMES) -> xr.Dataset:
    """Return a walker of any length: noise, uncertain points, absences."""
    known = truth(PersonSettings(motion="walk", seed=1, seconds=20.0, fps=FPS)).poses
    position = np.resize(known["position"].values, (frames, *known["position"].shape[1:]))
    rng = np.random.default_rng(0)
    confidence = rng.random((frames, *position.shape[2:]), np.float32)
    missing = confidence < 0.01
    confidence = 0.4 + 0.6 * confidence
    confidence[missing] = 0.1
    for keypoint in range(position.shape[2]):
        noise = rng.standard_normal((*position.shape[:2], 1), np.float32)
        position[:, :, keypoint] += 3 * noise
    away = np.arange(frames) % round(60 * FPS) < 2 * FPS
    position[away] = np.nan
    return make_poses(
        position,
        confidence,
        time_s=np.arange(frames) / FPS,
        skeleton=load_skeleton("blazepose33"),
        fps=FPS,
    )


def measure(name: str) -> dict[str, Any]:
    """Run one operation on a million frames in this process."""
    warnings.simplefilter("ignore")
    skeleton = load_skeleton("blazepose33")
    poses = tracks()
    if name not in RAW:
        poses = fill_gaps(hide_uncertain(poses, min_confidence=0.3))
    elif name not in {"hide_uncertain", CHAIN}:
        poses = hide_uncertain(poses, min_confidence=0.3)
    wall_s, cpu_s = time.perf_counter(), time.process_time()
    if name == CHAIN:
        steps = [dict(step) for step in load_protocol("general").processing]
        if all(step["op"] != SWAPS for step in steps):
            steps.insert(0, {"op": SWAPS})
        compute_angles(process(poses, steps), skeleton)
    elif name == ANGLES:
        compute_angles(poses, skeleton)
    else:
        OPERATIONS[name](poses, **NEEDS.get(name, {}))
    wall_s, cpu_s = time.perf_counter() - wall_s, time.process_time() - cpu_s
    peak_gb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9
    return {
        "operation": name,
        "wall_s": round(wall_s, 2),
        "cpu_s": round(cpu_s, 2),
        "peak_gb": round(peak_gb, 2),
    }


def main() -> None:
    """Measure each operation in a child process, print a table, and write the figures."""
    if len(sys.argv) > 1:
        print(json.dumps(measure(sys.argv[1])))
        return
    rows = []
    print(f"| operation | wall s (≤ {LIMIT_S:g}) | processor s | peak GB (≤ {LIMIT_GB:g}) |")
    print("|---|---|---|---|")
    for name in (CHAIN, ANGLES, *OPERATIONS):
        command = [sys.executable, __file__, name]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        row = json.loads(done.stdout)
        rows.append(row)
        print(
            f"| {name} | {row['wall_s']:.1f} | {row['cpu_s']:.1f} | {row['peak_gb']:.2f} |",
            flush=True,
        )
    chain = rows[0]
    figure = {
        "value": chain["wall_s"],
        "unit": "s",
        "peer": None,
        "ratio_to_peer": None,
        "limit": LIMIT_S,
        "ratio_to_limit": round(chain["wall_s"] / LIMIT_S, 3),
        "frames": FRAMES,
        "keypoints": 33,
        "people": 1,
        "rows": rows,
    }
    OUT.mkdir(parents=True, exist_ok=True)
    (OUT / "filters.json").write_text(json.dumps(figure, indent=2) + "\n")


if __name__ == "__main__":
    main()
