"""AP by OKS and by IoU: pycocotools' numbers on real annotations, and small cases by hand."""

from __future__ import annotations

import contextlib
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from gonio.errors import InputError
from gonio.labels import LabelledImage, Labels, Predictions, make_labels
from gonio.metrics import AveragePrecision, box_ap, keypoint_ap, oks, person_areas
from gonio.skeletons import load_skeleton

COCO17 = load_skeleton("coco17")
FILES = ("coco4/test_coco.json", "coco_mini/person_keypoints.json")


def predictions(image, keypoints, scores, boxes=None) -> Predictions:  # type: ignore[no-untyped-def]
    xy = np.asarray(keypoints, dtype=float)
    n = len(xy)
    return Predictions(
        image_index=np.asarray(image, dtype=np.intp),
        keypoints_px=xy,
        confidence=np.ones(xy.shape[:2]),
        scores=np.asarray(scores, dtype=float),
        person_index=np.full(n, -1, dtype=np.intp),
        boxes_px=np.full((n, 4), np.nan) if boxes is None else np.asarray(boxes, dtype=float),
    )


def read(path: Path) -> tuple[dict[str, Any], Labels]:
    """Read COCO labels without the package's reader, in the order of images' ids."""
    data = json.loads(path.read_text())
    ids = sorted(image["id"] for image in data["images"])
    people = data["annotations"]
    for i, person in enumerate(people):
        person["id"] = i + 1  # pycocotools takes an id of 0 for "not matched"
    points = np.array([p["keypoints"] for p in people], dtype=float).reshape(len(people), -1, 3)
    labels = make_labels(
        COCO17,
        [LabelledImage(Path(str(i))) for i in ids],
        [ids.index(p["image_id"]) for p in people],
        points[..., :2],
        points[..., 2],
        boxes_px=[np.subtract(p["bbox"], [0.5, 0.5, 0, 0]) for p in people],
        areas_px2=[p["area"] for p in people],
        crowd=[p["iscrowd"] for p in people],
    )
    return data, labels


def perturbed(labels: Labels, seed: int) -> Predictions:
    """People moved, some missed, some invented, some on people who do not count, equal scores."""
    rng = np.random.default_rng(seed)
    people = np.flatnonzero(rng.random(len(labels)) > 0.1)
    people = np.append(people, rng.integers(0, len(labels), len(labels) // 2))
    boxes = labels.boxes_px[people]
    inside = boxes[:, None, :2] + rng.random((len(people), 17, 2)) * boxes[:, None, 2:]
    true = labels.keypoints_px[people]
    size = np.sqrt(boxes[:, 2] * boxes[:, 3]) * rng.choice([0.0, 0.02, 0.05, 0.3], len(people))
    moved = np.where(np.isnan(true), inside, true)
    moved += rng.normal(size=moved.shape) * size[:, None, None]
    found = boxes + rng.normal(size=boxes.shape) * size[:, None]
    found[:, 2:] = np.maximum(found[:, 2:], 1)
    scores = rng.integers(0, 12, len(people)) / 12
    return predictions(labels.image_index[people], moved, scores, found)


def pycocotools(data: dict[str, Any], found: Predictions, kind: str) -> COCOeval:
    ids = sorted(image["id"] for image in data["images"])
    results = []
    for i in np.argsort(found.image_index, kind="stable"):
        points = np.concatenate([found.keypoints_px[i], np.ones((17, 1))], axis=1).ravel()
        own = {
            "image_id": ids[found.image_index[i]],
            "category_id": 1,
            "score": float(found.scores[i]),
        }
        if kind == "keypoints":
            own["keypoints"] = points.tolist()
        else:
            own["bbox"] = (found.boxes_px[i] + [0.5, 0.5, 0, 0]).tolist()
        results.append(own)
    with contextlib.redirect_stdout(io.StringIO()):
        truth = COCO()
        truth.dataset = data
        truth.createIndex()
        judge = COCOeval(truth, truth.loadRes(results), kind)
        judge.evaluate()
        judge.accumulate()
        judge.summarize()
    return judge


def keypoint_numbers(got: AveragePrecision) -> list[float]:
    return [got.ap, got.ap50, got.ap75, got.ap_medium, got.ap_large, got.ar, got.ar50]


def box_numbers(got: AveragePrecision) -> list[float]:
    return [got.ap, got.ap50, got.ap75, got.ap_small, got.ap_medium, got.ap_large, got.ar]


@pytest.mark.parametrize("file", FILES)
@pytest.mark.parametrize("seed", range(8))
def test_keypoint_ap_is_that_of_pycocotools_on_real_annotations(
    shared: Path, file: str, seed: int
) -> None:
    data, labels = read(shared / "data" / "labels" / file)
    found = perturbed(labels, seed)
    expected = pycocotools(data, found, "keypoints").stats[:7]
    got = keypoint_numbers(keypoint_ap(labels, found))
    assert np.nan_to_num(got, nan=-1) == pytest.approx(expected, abs=1e-6)
    assert 0.05 < got[0] < 0.95


@pytest.mark.parametrize("file", FILES)
@pytest.mark.parametrize("seed", range(8))
def test_box_ap_is_that_of_pycocotools_on_real_annotations(
    shared: Path, file: str, seed: int
) -> None:
    data, labels = read(shared / "data" / "labels" / file)
    found = perturbed(labels, seed)
    expected = pycocotools(data, found, "bbox").stats[[0, 1, 2, 3, 4, 5, 8]]
    got = box_numbers(box_ap(labels, found))
    assert np.nan_to_num(got, nan=-1) == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("seed", range(6))
def test_invented_crowded_images_give_pycocotools_numbers(seed: int) -> None:
    rng = np.random.default_rng(seed)
    n, images = 400, 9  # over 40 people an image: more than count
    image = rng.integers(0, images, n)
    wh = rng.uniform(5, 300, (n, 2))
    xy = rng.uniform(0, 200, (n, 2))
    points = xy[:, None] + rng.random((n, 17, 2)) * wh[:, None]
    seen = np.where(rng.random((n, 1)) < 0.1, 0, rng.choice([0, 1, 2], (n, 17)))
    crowd = rng.random(n) < 0.1
    area = wh.prod(axis=1) * 0.6
    people = [
        {
            "id": i + 1,
            "image_id": int(image[i]),
            "category_id": 1,
            "bbox": [*xy[i].tolist(), *wh[i].tolist()],
            "area": float(area[i]),
            "iscrowd": int(crowd[i]),
            "num_keypoints": int((seen[i] > 0).sum()),
            "keypoints": np.concatenate([points[i], seen[i][:, None]], axis=1).ravel().tolist(),
        }
        for i in range(n)
    ]
    data = {
        "info": {},
        "images": [{"id": i} for i in range(images)],
        "annotations": people,
        "categories": [{"id": 1, "name": "person"}],
    }
    labels = make_labels(
        COCO17,
        [LabelledImage(Path(str(i))) for i in range(images)],
        image,
        points,
        seen,
        boxes_px=np.concatenate([xy - 0.5, wh], axis=1),
        areas_px2=area,
        crowd=crowd,
    )
    found = perturbed(labels, seed)
    judge = pycocotools(data, found, "keypoints")
    assert keypoint_numbers(keypoint_ap(labels, found)) == pytest.approx(
        judge.stats[:7].tolist(), abs=1e-6
    )
    judge = pycocotools(data, found, "bbox")
    assert box_numbers(box_ap(labels, found)) == pytest.approx(
        judge.stats[[0, 1, 2, 3, 4, 5, 8]].tolist(), abs=1e-6
    )


def one_person(**more: Any) -> Labels:
    points = np.zeros((1, 17, 2)) + np.arange(17)[:, None] * 10.0
    more = {"areas_px2": [10_000.0], **more}
    return make_labels(COCO17, [LabelledImage(Path("a"))], [0], points, np.full((1, 17), 2), **more)


def test_oks_worked_by_hand() -> None:
    truth = np.zeros((1, 2, 2))
    found = np.array([[[3.0, 4.0], [0, 0]]])
    # d² = 25, area 100, σ 0.25: 25 / (2 · 100 · 0.25) = 0.5
    got = oks(found, truth, [[True, True]], [100.0], [0.25, 0.25])
    assert got == pytest.approx([(np.exp(-0.5) + 1) / 2])
    assert oks(found, truth, [[True, False]], [100.0], [0.25, 0.25]) == pytest.approx(np.exp(-0.5))


def test_a_keypoint_that_was_not_found_adds_nothing_to_oks() -> None:
    truth = np.zeros((1, 2, 2))
    found = np.array([[[0.0, 0.0], [np.nan, np.nan]]])
    assert oks(found, truth, [[True, True]], [100.0], [0.1, 0.1]) == pytest.approx(0.5)
    nothing = oks(found, truth, [[False, False]], [100.0], [0.1, 0.1])
    assert np.isnan(nothing).all()


def test_a_perfect_prediction_has_ap_one_and_sizes_without_people_have_none() -> None:
    labels = one_person()
    got = keypoint_ap(labels, predictions([0], labels.keypoints_px, [1.0]))
    assert (got.ap, got.ap50, got.ar, got.ap_large, got.people) == (1, 1, 1, 1, 1)
    assert np.isnan([got.ap_medium, got.ap_small]).all()


def test_nothing_found_is_ap_zero_and_nobody_to_find_is_nan() -> None:
    labels = one_person()
    empty = predictions([], np.zeros((0, 17, 2)), [])
    assert keypoint_ap(labels, empty).ap == 0
    unseen = predictions([0], np.full((1, 17, 2), np.nan), [1.0])
    assert keypoint_ap(labels, unseen).ap == 0
    nobody = labels.take([], keep_images=True)
    got = keypoint_ap(nobody, predictions([0], labels.keypoints_px, [1.0]))
    assert np.isnan(got.ap)
    assert got.people == 0


def test_a_surer_stranger_halves_precision() -> None:
    labels = one_person()
    found = predictions([0, 0], [labels.keypoints_px[0] + 1e4, labels.keypoints_px[0]], [0.9, 0.5])
    assert keypoint_ap(labels, found).ap == pytest.approx(0.5)


def test_wider_sigmas_forgive_more() -> None:
    labels = one_person()
    found = predictions([0], labels.keypoints_px + 6, [1.0])
    strict = keypoint_ap(labels, found, sigmas=[0.02] * 17).ap
    assert strict < keypoint_ap(labels, found, sigmas=[0.5] * 17).ap == 1


def test_areas_come_from_outlines_then_boxes_then_keypoints() -> None:
    points = np.zeros((4, 17, 2))
    points[2, 1] = [10, 20]
    seen = np.zeros((4, 17))
    seen[:, 0] = 2
    seen[2, 1] = 1
    labels = make_labels(
        COCO17,
        [LabelledImage(Path("a"))],
        [0] * 4,
        points,
        seen,
        boxes_px=[[0, 0, 10, 10], [0, 0, 10, 10], [np.nan] * 4, [np.nan] * 4],
        areas_px2=[70, np.nan, np.nan, np.nan],
    )
    area = person_areas(labels)
    assert area.px2[:3] == pytest.approx([70, 53, 106])
    assert np.isnan(area.px2[3])  # a single point has no extent
    assert (area.from_boxes, area.from_keypoints) == (1, 1)
    assert keypoint_ap(labels, predictions([0], points[:1] + 1, [1.0])).people == 3


def test_strangers_are_refused() -> None:
    labels = one_person()
    with pytest.raises(InputError, match=r"do not fit the 17 keypoints of 'coco17'"):
        keypoint_ap(labels, predictions([0], np.zeros((1, 4, 2)), [1.0]))
    with pytest.raises(InputError, match="beyond the 1 images"):
        keypoint_ap(labels, predictions([1], labels.keypoints_px, [1.0]))
    with pytest.raises(InputError, match="17 positive sigmas"):
        keypoint_ap(labels, predictions([0], labels.keypoints_px, [1.0]), sigmas=[0.1])
    with pytest.raises(InputError, match="nobody has a box"):
        box_ap(labels, predictions([0], labels.keypoints_px, [1.0]))
