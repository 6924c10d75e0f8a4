"""Compare taught keypoints with DeepLabCut 3 (PyTorch) on its open-field mouse, three splits.

Both train from scratch on the same 95 % of ``../shared/data/labels/dlc_openfield``, see the same
number of images (60 times 110), have a ResNet-18 and about 11 million parameters, and are judged
by the mean distance in pixels of the recording over the labelled keypoints of the images kept
back, every prediction counted. Ours is the recipe ``dlc-openfield``. Nothing is chosen by the
images kept back, but for one thing: that nine cells are read instead of one was decided on the
first split (ADR 0015). The peer's numbers are read from ``build/bench/openfield-peer.json``;
where that is missing, ``GONIO_DLC_PYTHON`` names an interpreter that has deeplabcut 3, and
``benchmarks/peers/dlc_openfield.py`` makes it. Each takes 20 to 25 minutes a split on one thread;
splits that are done are not trained again. Writes
``build/bench/openfield.json``: ``value`` is our mean error, ``ratio_to_peer`` below 1 is better.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np

from gonio.formats.labels import read_labels
from gonio.runtime import ModelStore, predict
from gonio.workflows.model_files import export

OUT = Path("build/bench")
PROJECT = Path("../shared/data/labels/dlc_openfield")
PEER = OUT / "openfield-peer.json"
SEEDS = (0, 1, 2)
HELD_BACK = 0.05
EPOCHS = 60
LIMIT = 1.0
PEER_CROP_PX = 256


def split(names: list[str], seed: int) -> dict[str, list[str]]:
    """Share the sorted names out by the peer's rule."""
    order = np.random.default_rng(seed).permutation(len(names))
    held = round(HELD_BACK * len(names))
    return {
        "train": sorted(names[i] for i in order[held:]),
        "test": sorted(names[i] for i in order[:held]),
    }


def ours(seed: int) -> dict[str, Any]:
    """Train on one split, if that is not done, and measure what was kept back."""
    from gonio.configs import parse_overrides
    from gonio.training import load_recipe, read_run, train

    folder = OUT / "openfield" / f"split-{seed}"
    done = folder / "split.json"
    if done.is_file():
        return dict(json.loads(done.read_text(encoding="utf-8")))
    labels = read_labels(PROJECT)
    names = sorted(image.path.name for image in labels.images)
    parts = split(names, seed)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "names.json").write_text(json.dumps(parts), encoding="utf-8")
    recipe = load_recipe(
        "dlc-openfield",
        parse_overrides(
            [
                f"data.path={PROJECT}",
                f"data.split.file={folder / 'names.json'}",
                f"seed={seed}",
                f"trainer.epochs={EPOCHS}",
                "trainer.monitor=loss",  # nothing is held back to choose by
            ]
        ),
    )
    run = folder / "run"
    resume = run if (run / "checkpoints" / "last.ckpt").is_file() else None
    if resume is None or read_run(run)["status"] != "done":
        train(recipe, folder=run, resume=resume, watch=_tell)
    export(run)
    kept = np.isin([image.path.name for image in labels.images], parts["test"])
    seconds = read_run(run)["timings"]["fit_s"]
    result = {"seed": seed, "seconds": seconds, **errors(run, labels.take_images(kept))}
    done.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    return result


def errors(run: Path, labels: Any) -> dict[str, Any]:
    """Return distances of predictions from labels, pixels of the recording."""
    found = predict(ModelStore().resolve(run), labels)
    order = np.searchsorted(labels.image_index, found.image_index)  # one animal an image
    distances = np.full(labels.keypoints_px.shape[:2], np.nan)
    distances[order] = np.linalg.norm(found.keypoints_px - labels.keypoints_px[order], axis=-1)
    distances = distances[labels.labelled]
    if not np.isfinite(distances).all():
        raise RuntimeError("a keypoint was not found: its distance is not known")
    return {
        "mean_px": float(distances.mean()),
        "median_px": float(np.median(distances)),
        "largest_px": float(distances.max()),
    }


def peer() -> dict[str, Any]:
    """Return the peer's numbers, made by its own environment where they are missing."""
    python = os.environ.get("GONIO_DLC_PYTHON")
    if not PEER.is_file() or len(_read(PEER)["splits"]) < len(SEEDS):
        if python is None:
            raise SystemExit(
                f"{PEER} is missing or unfinished; set GONIO_DLC_PYTHON to an interpreter that "
                "has deeplabcut 3 to make it"
            )
        script = Path(__file__).parent / "peers" / "dlc_openfield.py"
        work = OUT / "openfield-peer"
        arguments = [str(PROJECT), str(work), str(PEER), "--epochs", str(EPOCHS)]
        subprocess.run([python, str(script), *arguments, "--crop", str(PEER_CROP_PX)], check=True)
    return _read(PEER)


def main() -> int:
    """Train, compare, write the figure; 1 where we are worse."""
    if not PROJECT.is_dir():
        print(f"{PROJECT} is not there: nothing to compare on")
        return 0
    OUT.mkdir(parents=True, exist_ok=True)
    mine = [ours(seed) for seed in SEEDS]
    theirs = peer()
    by_seed = {s["seed"]: s for s in theirs["splits"]}
    print("split   ours (px)   DeepLabCut 3 (px)")
    for result in mine:
        other = by_seed[result["seed"]]["mean_px"]
        print(f"{result['seed']:>5}   {result['mean_px']:>9.2f}   {other:>17.2f}")
    value = float(np.mean([r["mean_px"] for r in mine]))
    other = float(np.mean([by_seed[seed]["mean_px"] for seed in SEEDS]))
    figure = {
        "value": value,
        "unit": "px",
        "peer": other,
        "ratio_to_peer": value / other,
        "limit": LIMIT,
        "ratio_to_limit": value / other / LIMIT,
        "images_seen": EPOCHS * 110,
        "splits": mine,
        "peer_splits": theirs["splits"],
        "peer_settings": {k: v for k, v in theirs.items() if k != "splits"},
    }
    (OUT / "openfield.json").write_text(json.dumps(figure, indent=2) + "\n", encoding="utf-8")
    print(f"mean {value:.2f} px, DeepLabCut {other:.2f} px: {value / other:.2f} of it")
    return int(value > LIMIT * other)


def _tell(moment: Any) -> None:
    if sys.stderr.isatty() and moment.total:
        print(f"\r{moment.stage} {moment.done} of {moment.total}", end="", file=sys.stderr)


def _read(path: Path) -> dict[str, Any]:
    return dict(json.loads(path.read_text(encoding="utf-8")))


if __name__ == "__main__":
    raise SystemExit(main())
