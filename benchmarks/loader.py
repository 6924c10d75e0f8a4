"""Training steps fed by the real loader against the same steps on one random batch.

Three hundred people are drawn into pictures of 640×480; the network is ResNet18 with three
deconvolutions, input 256×192, Gaussian targets, Adam, and every change of augmentation happens
to some samples. Counted are core-seconds a sample: the CPU time of this process and of the
loader's workers, since cores may be shared with other work; torch gets one thread, since threads
that wait for one another count as work. The limit is the step on random
numbers that lie in memory. Twice: with decoded images kept in memory, and with every JPEG decoded
anew, as a set does that exceeds the memory. The runs take turns, and each one's least counts.

Writes ``build/bench/loader.json``; on a GPU the step costs little CPU time, and what counts there
is the wall time, which stands beside.
"""

from __future__ import annotations

import argparse
import itertools
import json
import multiprocessing
import os
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, NamedTuple

import torch

from gonio.networks import build_network
from gonio.synthetic.people import people_labels
from gonio.training.data import PoseDataset, training_loader
from gonio.training.losses import build_losses
from gonio.training.module import Normalize
from gonio.training.optimizers import make_optimizer
from gonio.training.recipe import make_recipe

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from gonio.labels import Labels
    from gonio.training.recipe import Recipe

RESULT = Path("build/bench/loader.json")
LEAST = 0.9
PEOPLE = 300
WARM_UP, STEPS = 2, 8
WARM_UP_EPOCHS = 4  # of batches nobody learns from: each worker then holds most images
CHANGES = {
    "flip": {"probability": 0.5},
    "scale": {"probability": 1},
    "rotate": {"probability": 0.6},
    "translate": {"probability": 0.5},
    "tilt": {"probability": 0.3},
    "half_body": {"probability": 0.3},
    "color_jitter": {"probability": 0.5},
    "saturation": {"probability": 0.3},
    "negative": {"probability": 0.1},
    "blur": {"probability": 0.2},
    "motion_blur": {"probability": 0.2},
    "noise": {"probability": 0.3},
    "jpeg": {"probability": 0.3},
    "occlusion": {"probability": 0.5},
}


class Cost(NamedTuple):
    """Seconds a sample: of all cores together, and on the clock."""

    core_s: float
    wall_s: float


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--workers", type=int, default=min(os.cpu_count() or 1, 8))
    parser.add_argument("--batch-size", type=int, default=16)
    given = parser.parse_args()
    torch.set_num_threads(1)
    with TemporaryDirectory() as scratch:
        labels = people_labels(Path(scratch) / "people", people=PEOPLE, size=(640, 480))
        recipes = {
            "images kept in memory": recipe_of(given.batch_size, cache_mb=1024),
            "images decoded anew": recipe_of(given.batch_size, cache_mb=0),
        }
        step = Step(recipes["images kept in memory"], labels)
        costs: dict[str, list[Cost]] = {}
        alone: dict[str, list[float]] = {}
        for _ in range(given.rounds):
            costs.setdefault("limit", []).append(step.measure(itertools.repeat(step.random)))
            for name, recipe in recipes.items():
                cost = step.measure(batches(recipe, labels, given.workers))
                costs.setdefault(name, []).append(cost)
                alone.setdefault(name, []).append(loader_alone(recipe, labels, given.workers))
            print({name: round(c[-1].core_s * 1e3, 1) for name, c in costs.items()}, flush=True)
    best = {
        name: Cost(*(min(values) for values in zip(*c, strict=True))) for name, c in costs.items()
    }
    loader = {name: min(seconds) for name, seconds in alone.items()}
    return report(best, loader, given.workers, str(step.device))


def recipe_of(batch_size: int, *, cache_mb: int) -> Recipe:
    """Return the recipe that is measured."""
    return make_recipe(
        {
            "name": "loader",
            "input": {"width": 192, "height": 256},
            "target": {"kind": "gaussian", "stride": 4},
            "augmentation": CHANGES,
            "network": {"builder": "simple_baseline", "backbone": "resnet18"},
            "loss": {"heatmap": {"name": "joints_mse"}},
            "trainer": {"epochs": 1, "batch_size": batch_size, "cache_mb": cache_mb},
        }
    )


def batches(recipe: Recipe, labels: Labels, workers: int) -> Iterator[Any]:
    """Yield the real loader's batches, epoch after epoch, without end, once caches are warm."""
    loader = training_loader(PoseDataset(labels, recipe, augment=True), recipe, workers=workers)
    for epoch in itertools.count():
        loader.sampler.set_epoch(epoch)  # type: ignore[attr-defined]
        if epoch < WARM_UP_EPOCHS:
            for _ in loader:
                pass
        else:
            yield from loader


def loader_alone(recipe: Recipe, labels: Labels, workers: int) -> float:
    """Return the core-seconds of a sample that nobody learns from, once caches are warm."""
    feed = batches(recipe, labels, workers)
    next(feed)
    epochs, began = 2, core_seconds()
    count = epochs * (PEOPLE // recipe.trainer.batch_size)
    for _ in itertools.islice(feed, count):
        pass
    return (core_seconds() - began) / count / recipe.trainer.batch_size


class Step:
    """A network that learns, and what its steps cost."""

    def __init__(self, recipe: Recipe, labels: Labels) -> None:
        torch.manual_seed(0)
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        keypoints = len(labels.skeleton.keypoints)
        network = build_network(
            recipe.network.builder,
            keypoints=keypoints,
            input_wh=recipe.input.wh,
            **recipe.network.options,
        )
        self._network = network.to(self.device)
        spec = recipe.input
        normalize = Normalize(spec.mean, spec.std, spec.scale, channels_last=False)
        self._normalize = normalize.to(self.device)
        self._losses = build_losses(recipe.losses, network.roles)
        self._optimizer = make_optimizer(network, recipe.optimizer)
        self._size = size = recipe.trainer.batch_size
        self.random = {
            "image": torch.randint(0, 256, (size, spec.height, spec.width, 3), dtype=torch.uint8),
            "targets": {"heatmap": torch.rand(size, *network.roles["heatmap"].shape)},
            "weights": torch.ones(size, keypoints),
        }

    def measure(self, source: Iterable[Any]) -> Cost:
        """Return what a sample costs."""
        feed = iter(source)
        for _ in range(WARM_UP):
            self._learn(next(feed))
        cores, wall = core_seconds(), time.perf_counter()
        for _ in range(STEPS):
            self._learn(next(feed))
        samples = STEPS * self._size
        return Cost((core_seconds() - cores) / samples, (time.perf_counter() - wall) / samples)

    def _learn(self, batch: dict[str, Any]) -> None:
        outputs = self._network(self._normalize(batch["image"].to(self.device)))
        targets = {role: t.to(self.device) for role, t in batch["targets"].items()}
        total, _ = self._losses(outputs, targets, batch["weights"].to(self.device))
        self._optimizer.zero_grad()
        total.backward()
        self._optimizer.step()
        if self.device.type == "cuda":
            torch.cuda.synchronize()


def core_seconds() -> float:
    """Return the CPU time so far of this process and of its living children."""
    total = time.process_time()
    for child in multiprocessing.active_children():
        fields = Path(f"/proc/{child.pid}/stat").read_text().rsplit(")", 1)[1].split()
        total += (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return total


def report(best: dict[str, Cost], loader: dict[str, float], workers: int, device: str) -> int:
    """Print a table, write the figure, and say whether the limit was kept."""
    limit = best["limit"]
    print(f"{workers} workers, {device}")
    print(
        "| batches | core-ms a sample | ratio to limit | wall ms | ratio |\n|---|---|---|---|---|"
    )
    rows = {}
    for name, cost in best.items():
        ratio, wall = limit.core_s / cost.core_s, limit.wall_s / cost.wall_s
        own = loader.get(name, 0.0)
        rows[name] = cost._asdict() | {"ratio_to_limit": ratio, "wall_ratio": wall}
        rows[name]["loader_core_s"] = own
        print(f"| {name} | {cost.core_s * 1e3:.1f} | {ratio:.3f} | {own * 1e3:.1f}", end=" ")
        print(f"| {cost.wall_s * 1e3:.1f} | {wall:.3f} |")
    kept = "ratio_to_limit" if device == "cpu" else "wall_ratio"
    ratio = float(rows["images kept in memory"][kept])
    value = best["images kept in memory"]
    figure = {
        "value": 1 / (value.core_s if device == "cpu" else value.wall_s),
        "unit": "samples a core-second" if device == "cpu" else "samples a second",
        "peer": None,
        "ratio_to_peer": None,
        "limit": 1 / (limit.core_s if device == "cpu" else limit.wall_s),
        "ratio_to_limit": ratio,
        "workers": workers,
        "device": device,
        "rows": rows,
    }
    RESULT.parent.mkdir(parents=True, exist_ok=True)
    RESULT.write_text(json.dumps(figure, indent=2) + "\n", encoding="utf-8")
    if ratio < LEAST:
        print(f"missed: {ratio:.2f} of the limit, at least {LEAST} wanted")
    return int(ratio < LEAST)


if __name__ == "__main__":
    sys.exit(main())
