"""Train DeepLabCut 3's PyTorch engine on its open-field project; runs in the peer's environment.

For each split: 5 % of the images, drawn by ``default_rng(seed)`` from the sorted names, are kept
back; a ResNet-18 with DeepLabCut's own head, augmentation, loss and optimizer is trained from
scratch on the others. Its learning rate falls at the same fractions of the training as in its
configuration. The error is the mean distance in pixels over the labelled keypoints of the images
kept back, every prediction counted.

Usage: dlc_openfield.py PROJECT WORK OUT.json [--epochs N] [--crop PX] [--seeds 0 1 2]
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import time
from pathlib import Path
from typing import Any

os.environ.setdefault("DLClight", "True")

import deeplabcut  # type: ignore[import-not-found]
import numpy as np
import pandas as pd
import timm  # type: ignore[import-not-found, unused-ignore]
import torch  # type: ignore[import-not-found, unused-ignore]
from deeplabcut.core.engine import Engine  # type: ignore[import-not-found]
from deeplabcut.utils import auxiliaryfunctions  # type: ignore[import-not-found]

TEST_SHARE = 0.05
NET = "resnet_50"
BACKBONE = "resnet18"


_create = timm.create_model


def from_scratch(*args: Any, **kwargs: Any) -> Any:
    return _create(*args, **{**kwargs, "pretrained": False})


timm.create_model = from_scratch  # its training would fetch published weights


def split(count: int, seed: int) -> tuple[list[int], list[int]]:
    order = np.random.default_rng(seed).permutation(count)
    held = round(TEST_SHARE * count)
    return sorted(order[held:].tolist()), sorted(order[:held].tolist())


def prepare(project: Path, work: Path) -> Path:
    folder = work / "project"
    if not folder.exists():
        shutil.copytree(project, folder, copy_function=shutil.copyfile)
        for path in [folder, *folder.rglob("*")]:
            path.chmod(0o755 if path.is_dir() else 0o644)
    config = folder / "config.yaml"
    video = next((folder / "videos").glob("*.mp4"))
    auxiliaryfunctions.edit_config(
        str(config),
        {
            "project_path": str(folder),
            "video_sets": {
                str(video.with_name("m4s1.mp4")): {"crop": "0, 640, 0, 480"},
            },
            "TrainingFraction": [1 - TEST_SHARE],
            "engine": "pytorch",
        },
    )
    return config


def settings(epochs: int, crop: int, seed: int) -> dict[str, Any]:
    return {
        "device": "cpu",
        "model.backbone.model_name": BACKBONE,
        "model.backbone_output_channels": 512,
        "data.train.crop_sampling.width": crop,
        "data.train.crop_sampling.height": crop,
        "runner.eval_interval": epochs,
        "runner.snapshots.save_epochs": epochs,
        "runner.scheduler.params.milestones": [round(0.45 * epochs), round(0.6 * epochs)]
        if epochs >= 200
        else [round(0.75 * epochs), round(0.92 * epochs)],
        "train_settings.seed": seed,
        "train_settings.epochs": epochs,
        "train_settings.display_iters": 100,
    }


def in_channels(config: Path, shuffle: int) -> Path:
    """Fit the heads to the backbone's channels; return the configuration's path."""
    file = Path(auxiliaryfunctions.read_config(str(config))["project_path"])
    found = sorted(file.rglob(f"*shuffle{shuffle}/train/pytorch_config.yaml"))
    path = found[0]
    text = path.read_text().replace("- 2048", "- 512")
    path.write_text(text)
    return path


def train_one(config: Path, seed: int, epochs: int, crop: int) -> dict[str, Any]:
    cfg = auxiliaryfunctions.read_config(str(config))
    data = next(Path(cfg["project_path"]).glob("labeled-data/*/CollectedData_*.h5"))
    names = len(pd.read_hdf(data))
    train, test = split(names, seed)
    shuffle = seed + 1
    deeplabcut.create_training_dataset(
        str(config), Shuffles=[shuffle], trainIndices=[train], testIndices=[test],
        net_type=NET, engine=Engine.PYTORCH, userfeedback=False,
    )  # fmt: skip
    in_channels(config, shuffle)
    began = time.perf_counter()
    deeplabcut.train_network(
        str(config), shuffle=shuffle, epochs=epochs,
        pytorch_cfg_updates=settings(epochs, crop, seed),
    )  # fmt: skip
    seconds = time.perf_counter() - began
    deeplabcut.evaluate_network(
        str(config), shuffles=[shuffle], show_errors=False, per_keypoint_evaluation=True,
        pcutoff=0.0,
    )  # fmt: skip
    return {"seed": seed, "seconds": seconds, **errors(config, shuffle, data, test)}


def errors(config: Path, shuffle: int, data: Path, test: list[int]) -> dict[str, Any]:
    """Compare the predictions that the evaluation wrote with the labels, ourselves."""
    folder = Path(auxiliaryfunctions.read_config(str(config))["project_path"])
    files = [
        f
        for f in folder.rglob("*.h5")
        if "evaluation-results" in str(f) and f"shuffle{shuffle}" in f.name.lower() + str(f.parent)
    ]
    predicted: Any = pd.read_hdf(max(files, key=lambda f: f.stat().st_mtime))
    truth: Any = pd.read_hdf(data)
    points = truth.columns.get_level_values("bodyparts").unique()
    distances = np.full((len(test), len(points)), np.nan)
    for j, point in enumerate(points):
        seen = truth.xs(point, axis=1, level="bodyparts").iloc[test].to_numpy(float)[:, :2]
        rows = predicted.xs(point, axis=1, level="bodyparts")
        index = [_row(rows.index, truth.index[i]) for i in test]
        found = rows.iloc[index].to_numpy(float)[:, :2]
        distances[:, j] = np.hypot(*(found - seen).T)
    per = dict(zip(map(str, points), np.nanmean(distances, axis=0).tolist(), strict=True))
    return {
        "mean_px": float(np.nanmean(distances)),
        "median_px": float(np.nanmedian(distances)),
        "per_keypoint_px": per,
        "test": [str(truth.index[i]) for i in test],
    }


def _row(index: Any, name: Any) -> int:
    wanted = name[-1] if isinstance(name, tuple) else str(name).rsplit("/", 1)[-1]
    ends = [(n[-1] if isinstance(n, tuple) else str(n).rsplit("/", 1)[-1]) for n in index]
    return ends.index(wanted)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("project", type=Path)
    parser.add_argument("work", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--epochs", type=int, default=60)
    parser.add_argument("--crop", type=int, default=448)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    args = parser.parse_args()
    args.work.mkdir(parents=True, exist_ok=True)
    config = prepare(args.project, args.work.resolve())
    done = json.loads(args.out.read_text()) if args.out.exists() else {"splits": []}
    done |= {
        "deeplabcut": deeplabcut.__version__,
        "torch": torch.__version__,
        "python": platform.python_version(),
        "backbone": BACKBONE,
        "epochs": args.epochs,
        "crop_px": args.crop,
    }
    for seed in args.seeds:
        if any(s["seed"] == seed for s in done["splits"]):
            continue
        done["splits"].append(train_one(config, seed, args.epochs, args.crop))
        args.out.write_text(json.dumps(done, indent=2))
        print(json.dumps(done["splits"][-1]), flush=True)


if __name__ == "__main__":
    main()
