"""Errors of hip, knee and ankle angles on drawn people, whose angles are known exactly.

Writes ``build/bench/synthetic_angles.json``: the value
is the worst mean absolute error over all walks as a share of its limit (hip and knee 5°, ankle 7°).
"""

from __future__ import annotations

import json
from itertools import product
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import get_args

import gonio
from gonio.synthetic import Facing, MotionName, render_person
from gonio.workflows.demonstration import JOINTS, compare

OUT = Path("build/bench")
LIMITS_DEG = {"hip": 5.0, "knee": 5.0, "ankle": 7.0}
SEEDS = range(5)


def measure(motion: MotionName, seed: int, facing: Facing) -> dict[str, float]:
    """Render, analyze and compare one person; mean absolute errors in degrees by joint."""
    with TemporaryDirectory() as scratch:
        video = Path(scratch) / "person.mp4"
        truth = render_person(video, motion=motion, seed=seed, facing=facing)
        result = gonio.analyze(video, out=scratch, overlay=False, max_people=1)
        return dict(compare(result.evaluation, truth.angles)["mae_deg"])


def main() -> None:
    """Measure every motion, seed and facing, print a table, and write the figure."""
    rows = []
    print("| motion | seed | facing | " + " | ".join(f"{j} °" for j in JOINTS) + " |")
    print("|---|---|---|" + "---|" * len(JOINTS))
    for motion, seed, facing in product(get_args(MotionName), SEEDS, get_args(Facing)):
        errors = measure(motion, seed, facing)
        rows.append({"motion": motion, "seed": seed, "facing": facing, "mae_deg": errors})
        cells = " | ".join(f"{errors[joint]:.1f}" for joint in JOINTS)
        print(f"| {motion} | {seed} | {facing} | {cells} |", flush=True)
    walks = [row["mae_deg"] for row in rows if row["motion"] == "walk"]
    worst = max(errors[j] / LIMITS_DEG[j] for errors in walks for j in JOINTS)
    OUT.mkdir(parents=True, exist_ok=True)
    figure = {
        "value": worst,
        "unit": "share of the limit",
        "peer": None,
        "ratio_to_peer": None,
        "limit": LIMITS_DEG,
        "ratio_to_limit": worst,
        "rows": rows,
    }
    (OUT / "synthetic_angles.json").write_text(json.dumps(figure, indent=2) + "\n")


if __name__ == "__main__":
    main()
