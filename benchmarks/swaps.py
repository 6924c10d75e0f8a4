"""Left/right swap repair: what is found, what is wrongly touched, what it does to angles.

1. Swaps injected into drawn walks: true points, noise, single frames, short and long stretches,
   the whole limb and parts of it. Found: the share of swapped frames, counted where the exchanged
   points are at least a tenth of the limb's length apart, in which every one of these points is
   on its own side afterwards. Wrongly touched: the share of frames without a swap in which any
   point was exchanged. The prices of the method were chosen on seeds 0–3; these are others.
2. The real model on drawn walks, with its own swaps, and with stretches of 2–10 frames injected
   into its output: errors of the angles with and without the repair (``--no-model`` leaves it out).
3. A million frames: seconds and memory.

Writes ``build/bench/swaps.json``: the value is the share found at moderate noise, the limit 95 %.
"""

from __future__ import annotations

import argparse
import json
import resource
import time
from functools import cache
from itertools import product
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, get_args

import numpy as np

from gonio.analysis.angles import compute_angles
from gonio.metrics import angle_errors
from gonio.poses import make_poses
from gonio.protocols import load_protocol
from gonio.skeletons import load_skeleton
from gonio.synthetic import Facing, PersonSettings, render_person, truth
from gonio.tracking import assign_identities, process, repair_swaps

if TYPE_CHECKING:
    import xarray as xr
    from numpy.typing import NDArray

OUT = Path("build/bench/swaps.json")
LIMIT_PERCENT = 95.0
SEEDS = range(10, 20)
SECONDS = 20.0
APART = 0.1
NOISES = {"low": 0.0075, "moderate": 0.015, "high": 0.03}
LENGTHS = {"1": (1, 1), "2–10": (2, 10), "10–40": (10, 40)}
SHARES = {"1": 0.05, "2–10": 0.08, "10–40": 0.12}
LEG = ("hip", "knee", "ankle", "heel", "foot_index")
ARM = ("shoulder", "elbow", "wrist", "pinky", "index", "thumb")
PARTS = {
    "legs": LEG,
    "lower legs": LEG[1:],
    "feet": LEG[2:],
    "knees": ("knee",),
    "arms": ARM,
    "forearms": ARM[1:],
}
JOINTS = ("hip", "knee", "ankle")
SKELETON = load_skeleton("blazepose33")


@cache
def walker(seed: int, fps: float) -> xr.Dataset:
    """Return a walker's true points; facing changes with the seed."""
    facing: Facing = "right" if seed % 2 else "left"
    return truth(PersonSettings(seed=seed, facing=facing, fps=fps, seconds=SECONDS)).poses


def points(poses: xr.Dataset, part: str) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return the left and right track of a part, ``(time, 2)``."""
    left, right = (poses["position"].sel(keypoints=f"{s}_{part}") for s in ("left", "right"))
    return left.values[..., 0], right.values[..., 0]


def limb_length(poses: xr.Dataset, chain: tuple[str, ...]) -> float:
    """Return the median length of hip–knee–ankle or shoulder–elbow–wrist, pixels."""
    a, b, c = (points(poses, part)[0] for part in chain[:3])
    return float(np.median(np.linalg.norm(a - b, axis=1) + np.linalg.norm(b - c, axis=1)))


def with_noise(poses: xr.Dataset, spread_px: float, rng: np.random.Generator) -> xr.Dataset:
    """Add noise: half of its variance white, half slow (0.15 s), every hundredth point 6 times."""
    shape = poses["position"].shape
    keep = np.exp(-1 / (0.15 * poses.attrs["fps"]))
    slow = rng.normal(size=shape)
    for i in range(1, len(slow)):
        slow[i] = keep * slow[i - 1] + np.sqrt(1 - keep**2) * slow[i]
    tails = np.where(rng.random((shape[0], 1, *shape[2:])) < 0.01, 6.0, 1.0)
    noise = spread_px * np.sqrt(0.5) * (tails * rng.normal(size=shape) + slow)
    far = "left" if np.median(np.diff(points(poses, "hip")[0][:, 0])) > 0 else "right"
    sure = np.where([k.startswith(far) for k in SKELETON.keypoints], 0.75, 0.95)
    confidence = sure[None, :, None] + rng.normal(0, 0.05, (shape[0], *shape[2:]))
    return poses.assign(
        position=poses["position"] + noise.astype(np.float32),
        confidence=poses["confidence"].copy(data=np.clip(confidence, 0, 1).astype(np.float32)),
    )


def with_swaps(
    poses: xr.Dataset, kind: str, parts: tuple[str, ...], rng: np.random.Generator
) -> tuple[xr.Dataset, NDArray[np.bool_]]:
    """Exchange left and right at random stretches at least six frames apart; say where."""
    frames = poses.sizes["time"]
    hit, taken = np.zeros(frames, bool), np.zeros(frames, bool)
    for _ in range(500):
        if hit.mean() >= SHARES[kind]:
            break
        length = int(rng.integers(LENGTHS[kind][0], LENGTHS[kind][1] + 1))
        start = int(rng.integers(0, frames - length))
        if not taken[max(start - 6, 0) : start + length + 6].any():
            hit[start : start + length] = taken[start : start + length] = True
    swapped = poses.copy(deep=True)
    for part, name in product(parts, ("position", "confidence")):
        left, right = (SKELETON.index(f"{side}_{part}") for side in ("left", "right"))
        values, was = swapped[name].values, poses[name].values
        values[hit, ..., left, :] = was[hit, ..., right, :]
        values[hit, ..., right, :] = was[hit, ..., left, :]
    return swapped, hit


def judge(seed: int, noise: float, kind: str, part: str, fps: float) -> NDArray[np.int64]:
    """Return frames found, frames swapped and apart, frames wrongly touched, frames as is."""
    poses, parts = walker(seed, fps), PARTS[part]
    chain = ARM if set(parts) <= set(ARM) else LEG
    length = limb_length(poses, chain)
    place = (seed, round(noise * 1e4), list(LENGTHS).index(kind), list(PARTS).index(part))
    rng = np.random.default_rng(place)
    noisy = with_noise(poses, noise * length, rng)
    swapped, hit = with_swaps(noisy, kind, parts, rng)
    repaired = repair_swaps(swapped)
    right_side, counted = np.ones(len(hit), bool), hit.copy()
    for name in parts[1:] if len(parts) > 4 else parts:  # hips lie over each other
        left, right = points(poses, name)
        apart = np.linalg.norm(left - right, axis=1) >= APART * length
        counted &= apart
        good = (points(repaired, name)[0] == points(noisy, name)[0]).all(axis=1)
        right_side &= good
    touched = repaired["filled"].values.any(axis=(1, 2))
    counts = (right_side & counted, counted, touched & ~hit, ~hit)
    return np.array([int(np.count_nonzero(c)) for c in counts])


def inject() -> list[dict[str, Any]]:
    """Measure every condition; print a table."""
    rows = []
    conditions = [(n, k, p, 30.0) for n, k, p in product(NOISES, LENGTHS, PARTS)]
    conditions += [("moderate", k, "legs", f) for f, k in product((25.0, 60.0, 120.0), LENGTHS)]
    print("| noise | frames/s | stretch | exchanged | frames | found % | wrongly touched % |")
    print("|---|---|---|---|---|---|---|")
    for noise, kind, part, fps in conditions:
        counts = sum(judge(s, NOISES[noise], kind, part, fps) for s in SEEDS)
        found, apart, wrong, clean = np.asarray(counts).tolist()
        row = {
            "noise": noise,
            "fps": fps,
            "stretch": kind,
            "exchanged": part,
            "frames": apart,
            "found_percent": 100 * found / apart,
            "wrong_percent": 100 * wrong / clean,
        }
        rows.append(row)
        print(
            f"| {noise} | {fps:g} | {kind} | {part} | {apart} | {row['found_percent']:.1f} | "
            f"{row['wrong_percent']:.3f} |",
            flush=True,
        )
    return rows


def angle_rows() -> list[dict[str, Any]]:
    """Measure angles on the model's output; print a table."""
    from gonio.runtime import ModelStore, estimate_frames, open_estimator
    from gonio.video import open_source

    general = [s for s in load_protocol("general").processing if s["op"] != "repair_swaps"]
    chains = {"as the model says": [], "general": general}
    sums: dict[tuple[str, str, bool], list[list[float]]] = {}
    frames = touched = 0
    store = ModelStore()
    model = store.resolve("blazepose-full")
    for seed, facing in product(range(10), get_args(Facing)):
        with TemporaryDirectory() as scratch:
            video = Path(scratch) / "walk.mp4"
            true = render_person(video, seed=seed, facing=facing)
            estimator = open_estimator(model, store=store, max_people=1)
            with open_source(video) as source:
                seen = estimate_frames(source, estimator)
                raw = assign_identities(seen, estimator.skeleton, fps=source.info.fps)
            estimator.close()
        rng = np.random.default_rng(seed)
        worse = with_swaps(raw, "2–10", LEG, rng)[0]
        frames += raw.sizes["time"]
        touched += int(repair_swaps(raw)["filled"].values.any(axis=(1, 2)).sum())
        cases = product({"its own": raw, "2–10 frames injected": worse}.items(), chains.items())
        for ((swaps, poses), (chain, steps)), repair in product(cases, (False, True)):
            chosen = [{"op": "repair_swaps"}, *steps] if repair else steps
            angles = compute_angles(process(poses, chosen), SKELETON, view="sagittal")
            errors = angle_errors(angles, true.angles).set_index("name")["mae_deg"]
            means = [float(errors[[f"{j}_left", f"{j}_right"]].mean()) for j in JOINTS]
            sums.setdefault((swaps, chain, repair), []).append(means)
    print(f"\nframes touched in the model's own output: {touched} of {frames}\n")
    print("| swaps | processing | repaired | hip ° | knee ° | ankle ° |\n|---|---|---|---|---|---|")
    rows = []
    for (swaps, chain, repair), values in sums.items():
        mae = dict(zip(JOINTS, np.mean(values, axis=0).tolist(), strict=True))
        rows.append({"swaps": swaps, "processing": chain, "repaired": repair, "mae_deg": mae})
        cells = " | ".join(f"{mae[j]:.2f}" for j in JOINTS)
        print(f"| {swaps} | {chain} | {'yes' if repair else 'no'} | {cells} |")
    return rows


def million() -> dict[str, float]:
    """Repair a million frames of a noisy walk with swaps: seconds, and the peak of memory."""
    rng = np.random.default_rng(0)
    poses = with_noise(walker(10, 30.0), 0.015 * limb_length(walker(10, 30.0), LEG), rng)
    poses = with_swaps(poses, "2–10", LEG, rng)[0]
    # There and back again, so that nothing jumps.
    order = np.resize(np.concatenate([np.arange(600), np.arange(600)[::-1]]), 1_000_000)
    long = make_poses(
        poses["position"].values[order],
        poses["confidence"].values[order],
        time_s=np.arange(len(order)) / 30,
        skeleton=SKELETON,
    )
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    wall, cpu = time.perf_counter(), time.process_time()
    repair_swaps(long)
    figures = {
        "wall_s": time.perf_counter() - wall,
        "cpu_s": time.process_time() - cpu,
        "tracks_gb": sum(v.nbytes for v in long.data_vars.values()) / 1e9,
        "peak_gb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6,
        "peak_before_gb": before / 1e6,
    }
    print("\na million frames: " + ", ".join(f"{k} {v:.2f}" for k, v in figures.items()))
    return figures


def main() -> None:
    """Measure, print tables, write the figures."""
    parser = argparse.ArgumentParser(description="Measure left/right swap repair.")
    parser.add_argument("--no-model", action="store_true", help="leave the real model out")
    arguments = parser.parse_args()
    speed = million()
    rows = inject()
    moderate = [r for r in rows if r["noise"] == "moderate" and r["fps"] == 30.0]
    weights = [r["frames"] for r in moderate]
    value = float(np.average([r["found_percent"] for r in moderate], weights=weights))
    figure = {
        "value": value,
        "unit": "% of swapped frames found at moderate noise, limbs a tenth apart",
        "peer": None,
        "ratio_to_peer": None,
        "limit": LIMIT_PERCENT,
        "ratio_to_limit": value / LIMIT_PERCENT,
        "wrongly_touched_percent": max(r["wrong_percent"] for r in moderate),
        "injected": rows,
        "million_frames": speed,
        "angles": None if arguments.no_model else angle_rows(),
    }
    OUT.parent.mkdir(parents=True, exist_ok=True)
    OUT.write_text(json.dumps(figure, indent=2) + "\n", encoding="utf-8")
    print(f"\n{value:.1f} {figure['unit']} (limit {LIMIT_PERCENT}) -> {OUT}")


if __name__ == "__main__":
    main()
