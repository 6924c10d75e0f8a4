"""Time OKS-AP on 5,000 invented people, against pycocotools and faster-coco-eval.

Each begins with the same arrays and ends with AP, AP50, AP75, AP(M), AP(L) and AR; building
what its interface asks for (objects of annotations, of results) is in its time. They take
turns; the best of five counts. The numbers must be equal to 1e-6. Writes
``build/bench/keypoint_ap.json``: ``value`` is our time, ``ratio_to_peer`` how many times as
long pycocotools takes, at least 3.
"""

from __future__ import annotations

import contextlib
import io
import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from gonio.labels import LabelledImage, Predictions, make_labels
from gonio.metrics import keypoint_ap
from gonio.skeletons import load_skeleton

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

OUT = Path("build/bench")
PEOPLE, IMAGES, ROUNDS, LIMIT = 5_000, 2_000, 5, 3.0
TOLERANCE = 1e-6


class World(NamedTuple):
    """Invented people and predictions, as arrays."""

    image: NDArray[np.intp]
    boxes_px: Floats
    keypoints_px: Floats
    visibility: NDArray[np.int64]
    areas_px2: Floats
    found_image: NDArray[np.intp]
    found_px: Floats
    scores: Floats


def invent(seed: int = 0) -> World:
    """Invent people, most of them found more or less well, and strangers who are not there."""
    rng = np.random.default_rng(seed)
    image = np.sort(rng.integers(0, IMAGES, PEOPLE))
    size, corner = rng.uniform(20, 300, (PEOPLE, 2)), rng.uniform(0, 400, (PEOPLE, 2))
    points = corner[:, None] + rng.random((PEOPLE, 17, 2)) * size[:, None]
    area = 0.6 * size.prod(axis=1)
    blur = rng.uniform(0, 0.15, PEOPLE) * np.sqrt(area)
    moved = points + rng.normal(size=points.shape) * blur[:, None, None]
    kept, strangers = rng.random(PEOPLE) > 0.1, rng.integers(0, PEOPLE, PEOPLE // 3)
    away = points[strangers] + rng.normal(0, 60, (len(strangers), 1, 2))
    return World(
        image,
        np.concatenate([corner - 0.5, size], axis=1),
        points,
        rng.choice([0, 1, 2], (PEOPLE, 17), p=[0.3, 0.1, 0.6]),
        area,
        np.concatenate([image[kept], image[strangers]]),
        np.concatenate([moved[kept], away]),
        rng.random(int(kept.sum()) + len(strangers)),
    )


def ours(world: World) -> list[float]:
    """Return the six numbers by Gonio."""
    labels = make_labels(
        load_skeleton("coco17"),
        [LabelledImage(Path(f"{i}.png")) for i in range(IMAGES)],
        world.image,
        world.keypoints_px,
        world.visibility,
        boxes_px=world.boxes_px,
        areas_px2=world.areas_px2,
    )
    count = len(world.scores)
    found = Predictions(
        image_index=world.found_image,
        keypoints_px=world.found_px,
        confidence=np.ones((count, 17)),
        scores=world.scores,
        person_index=np.full(count, -1),
        boxes_px=np.full((count, 4), np.nan),
    )
    ap = keypoint_ap(labels, found)
    return [ap.ap, ap.ap50, ap.ap75, ap.ap_medium, ap.ap_large, ap.ar]


def pycocotools(world: World) -> list[float]:
    """Return the six numbers by pycocotools."""
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval

    truth = COCO()
    truth.dataset, results = as_objects(world)
    truth.createIndex()
    return _judge(COCOeval(truth, truth.loadRes(results), "keypoints"))


def faster_coco_eval(world: World) -> list[float]:
    """Return the six numbers by faster-coco-eval."""
    from faster_coco_eval import COCO, COCOeval_faster

    content, results = as_objects(world)
    truth = COCO(content)
    return _judge(COCOeval_faster(truth, truth.loadRes(results), "keypoints"))


def _judge(judge: Any) -> list[float]:
    judge.evaluate()
    judge.accumulate()
    judge.summarize()
    return [float(number) for number in judge.stats[:6]]


def as_objects(world: World) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Return annotations and results as COCO's interface takes them."""
    shown = np.where(world.visibility[..., None] > 0, world.keypoints_px, 0.0)
    flat = np.concatenate([shown, world.visibility[..., None]], axis=2).reshape(PEOPLE, -1)
    boxes = (world.boxes_px + np.array([0.5, 0.5, 0, 0])).tolist()
    counts = (world.visibility > 0).sum(axis=1).tolist()
    areas = world.areas_px2.tolist()
    columns = zip(world.image.tolist(), flat.tolist(), boxes, counts, areas, strict=True)
    people = [
        {
            "id": i + 1,
            "image_id": image,
            "category_id": 1,
            "keypoints": keypoints,
            "bbox": box,
            "num_keypoints": count,
            "area": area,
            "iscrowd": 0,
        }
        for i, (image, keypoints, box, count, area) in enumerate(columns)
    ]
    ones = np.ones((len(world.scores), 17, 1))
    flat = np.concatenate([world.found_px, ones], axis=2).reshape(len(world.scores), -1)
    triples = zip(world.found_image.tolist(), flat.tolist(), world.scores.tolist(), strict=True)
    results = [
        {"image_id": image, "category_id": 1, "keypoints": keypoints, "score": score}
        for image, keypoints, score in triples
    ]
    content = {
        "info": {},
        "images": [{"id": i, "width": 700, "height": 700} for i in range(IMAGES)],
        "annotations": people,
        "categories": [{"id": 1, "name": "person", "keypoints": [], "skeleton": []}],
    }
    return content, results


def main() -> int:
    """Take turns, compare numbers and times, write the figure; 1 where the limit is missed."""
    world = invent()
    ways: list[Callable[[World], list[float]]] = [ours, pycocotools, faster_coco_eval]
    best = {way.__name__: np.inf for way in ways}
    numbers: dict[str, list[float]] = {}
    for _ in range(ROUNDS):
        for way in ways:
            begin = time.perf_counter()
            with contextlib.redirect_stdout(io.StringIO()):
                numbers[way.__name__] = way(world)
            best[way.__name__] = min(best[way.__name__], time.perf_counter() - begin)
    expected = np.array(numbers["pycocotools"])
    for name, seconds in best.items():
        apart = np.abs(np.array(numbers[name]) - expected).max()
        print(f"{name:<18}{seconds:8.3f} s   AP {numbers[name][0]:.6f}   apart {apart:.1e}")
        if apart > TOLERANCE:
            print(f"{name} gives other numbers than pycocotools")
            return 1
    ratio = best["pycocotools"] / best["ours"]
    OUT.mkdir(parents=True, exist_ok=True)
    figure = {
        "value": best["ours"],
        "unit": "s",
        "peer": best["pycocotools"],
        "ratio_to_peer": ratio,
        "limit": LIMIT,
        "ratio_to_limit": ratio / LIMIT,
        "faster_coco_eval_s": best["faster_coco_eval"],
        "people": PEOPLE,
    }
    (OUT / "keypoint_ap.json").write_text(json.dumps(figure, indent=2) + "\n", encoding="utf-8")
    print(f"pycocotools takes {ratio:.1f} times as long (at least {LIMIT:g})")
    return int(ratio < LIMIT)


if __name__ == "__main__":
    raise SystemExit(main())
