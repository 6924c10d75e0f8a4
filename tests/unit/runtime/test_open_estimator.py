"""The one door to all estimators."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from gonio.errors import ConfigError, GonioError, ModelError
from gonio.runtime import Card, Model, ModelStore, open_estimator
from gonio.skeletons import load_skeleton

STORE = ModelStore()


def model(**changes: object) -> Model:
    card = STORE.card("blazepose-full")
    values = card.model_dump(by_alias=True)
    values["output"]["kind"] = changes.pop("kind", "blazepose")
    return Model(Card.model_validate({**values, **changes}), Path("missing.tflite"), "0" * 64)


@pytest.mark.parametrize(
    ("given", "people", "error", "message"),
    [
        (model(), 0, ConfigError, "max_people: 0 given"),
        (model(task="detector"), 1, ModelError, "its task is detector"),
        (model(kind="boxes"), 1, ModelError, "output kind 'boxes' holds no keypoints"),
    ],
)
def test_what_cannot_be_opened_is_named(
    given: Model, people: int, error: type[GonioError], message: str
) -> None:
    with pytest.raises(error, match=message):
        open_estimator(given, store=STORE, max_people=people)


@pytest.mark.models
def test_the_pretrained_model_finds_nobody_in_noise_of_any_size(models_dir: Path) -> None:
    estimator = open_estimator(STORE.resolve("blazepose-full"), store=STORE, device="cpu")
    random = np.random.default_rng(0)
    for height, width in ((1, 1), (2, 900), (400, 300)):
        image = random.integers(0, 255, (height, width, 3), dtype=np.uint8)
        assert list(estimator.estimate(image)) == []
    estimator.close()


@pytest.mark.models
def test_the_pretrained_model_finds_the_labelled_joints_of_two_people(
    models_dir: Path, shared: Path
) -> None:
    folder = shared / "data" / "labels" / "coco_mini"
    labels = json.loads(next(folder.glob("*.json")).read_text(encoding="utf-8"))
    photograph = next(i for i in labels["images"] if i["file_name"] == "000000442450.jpg")
    people = [
        a
        for a in labels["annotations"]
        if a["image_id"] == photograph["id"] and a["num_keypoints"] > 12
    ]
    assert len(people) == 2
    image = cv2.imread(str(next(folder.rglob(photograph["file_name"]))))
    assert image is not None
    estimator = open_estimator(STORE.resolve("blazepose-full"), store=STORE, device="cpu")
    found = estimator.estimate(np.ascontiguousarray(image[..., ::-1]))
    joints = [f"{side}_{j}" for j in ("hip", "knee", "ankle") for side in ("left", "right")]
    ours, theirs = (
        [s.index(j) for j in joints] for s in (estimator.skeleton, load_skeleton("coco17"))
    )
    for person in people:
        label = np.array(person["keypoints"], dtype=float).reshape(17, 3)[theirs, :2]
        errors = [np.median(np.hypot(*(p.keypoints_px[ours] - label).T)) for p in found]
        assert min(errors) < 0.05 * person["bbox"][3]
