"""``gonio evaluate``: a model whose answers are known, labels on disk, numbers out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pandas as pd
import pytest
import yaml

from gonio.datasets import data_sha256, split_labels
from gonio.errors import GonioError, InputError, OutputError
from gonio.formats.labels import read_labels, with_sizes, write_labels
from gonio.labels import LabelledImage, make_labels
from gonio.skeletons import load_skeleton
from gonio.workflows import EvaluateSettings, evaluate
from gonio.workflows.evaluation import input_scales, map_keypoints
from integration.media import Run

GAIT6 = load_skeleton("gait6")
SPOTS = np.array([[40, 20], [50, 40], [60, 60], [50, 80], [40, 90], [70, 92]], float)


def spot_model(path: Path, *, wh: tuple[int, int] = (32, 48), source: str = "person") -> Path:
    """A network whose heatmap k is bright where the image's red is 40·(k + 1)."""
    onnx = pytest.importorskip("onnx")
    from onnx import TensorProto, helper, numpy_helper

    keypoints = len(GAIT6.keypoints)
    picks = np.zeros((1, 3, 1, 1), np.float32)
    picks[0, 0] = 1
    levels = (40.0 * np.arange(1, keypoints + 1, dtype=np.float32)).reshape(1, -1, 1, 1)
    constants = {"picks": picks, "levels": levels, "wide": np.float32(12.0)}
    nodes = [
        helper.make_node("Conv", ["image", "picks"], ["red"]),
        helper.make_node("Sub", ["red", "levels"], ["off"]),
        helper.make_node("Div", ["off", "wide"], ["near"]),
        helper.make_node("Mul", ["near", "near"], ["square"]),
        helper.make_node("Neg", ["square"], ["negative"]),
        helper.make_node("Exp", ["negative"], ["heatmap"]),
    ]
    graph = helper.make_graph(
        nodes,
        "spots",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, ["n", 3, wh[1], wh[0]])],
        [helper.make_tensor_value_info("heatmap", TensorProto.FLOAT, ["n", 6, wh[1], wh[0]])],
        [numpy_helper.from_array(v, k) for k, v in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.save(model, path)
    card = {
        "schema": "gonio.card/1",
        "name": "spots",
        "task": "pose",
        "skeleton": "gait6",
        "input": {
            "width": wh[0],
            "height": wh[1],
            "crop": {"padding": 1.25, "source": source},
        },
        "output": {"kind": "heatmap", "stride": 1, "sigma": 1.5},
    }
    path.with_suffix(".card.json").write_text(json.dumps(card), encoding="utf-8")
    return path


def dataset(folder: Path, count: int = 4, *, shift_px: float = 0.0) -> Path:
    """Pictures with a spot for each keypoint, labelled ``shift_px`` beside it."""
    rng = np.random.default_rng(0)
    folder.mkdir()
    images, points = [], []
    for i in range(count):
        at = SPOTS + rng.uniform(-5, 5, 2)
        picture = np.zeros((120, 110, 3), np.uint8)
        for k, (x, y) in enumerate(at):
            cv2.circle(picture, (round(x), round(y)), 3, (0, 0, 40 * (k + 1)), -1)
        path = folder / f"{i}.png"
        assert cv2.imwrite(str(path), picture)
        images.append(LabelledImage(path, width=110, height=120))
        points.append(np.round(at) + np.array([shift_px, 0.0]))
    labels = make_labels(
        GAIT6,
        images,
        range(count),
        points,
        np.full((count, 6), 2),
        boxes_px=[[20, 5, 70, 105]] * count,
        areas_px2=[4000.0] * count,
    )
    write_labels(folder / "labels.json", labels)
    return folder / "labels.json"


def numbers(folder: Path) -> dict[str, Any]:
    result: dict[str, Any] = json.loads((folder / "metrics.json").read_text(encoding="utf-8"))
    return result


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return spot_model(tmp_path_factory.mktemp("model") / "spots.onnx")


def test_a_model_that_is_right_gets_full_marks_and_all_files(model: Path, tmp_path: Path) -> None:
    labels = dataset(tmp_path / "set")
    calls: list[tuple[str, int, int | None]] = []
    result = evaluate(
        model,
        labels,
        EvaluateSettings(out=tmp_path / "out"),
        progress=lambda *a: calls.append(a),
    )
    found = numbers(tmp_path / "out")
    assert found["schema"] == "gonio.metrics/1"
    assert found["metrics"]["pck@0.05:image"] == 1
    assert found["metrics"]["mean_px"] < 1.5
    assert found["metrics"]["oks_ap"] > 0.9
    assert found["metrics"]["angle_mae_deg:knee"] < 8
    assert (found["people"], found["images"], found["split"]) == (4, 4, "all")
    assert found["data_sha256"] == data_sha256(with_sizes(read_labels(labels)))
    assert calls[-1][1:] == (4, 4)
    files = {f.name for f in (tmp_path / "out").iterdir()}
    assert files == {
        "metrics.json", "keypoints.csv", "angles.csv", "predictions.json", "calibration.png",
    }  # fmt: skip
    table = pd.read_csv(tmp_path / "out" / "keypoints.csv")
    assert table["name"].tolist() == list(GAIT6.keypoints)
    assert "spots on" in result.title()


def test_predictions_are_coco_results_of_the_labels_images(model: Path, tmp_path: Path) -> None:
    labels = dataset(tmp_path / "set")
    evaluate(model, labels, EvaluateSettings(out=tmp_path / "out"))
    results = json.loads((tmp_path / "out" / "predictions.json").read_text())
    truth = json.loads(labels.read_text())
    assert [r["image_id"] for r in results] == [i["id"] for i in truth["images"]]
    assert all(len(r["keypoints"]) == 18 and 0 < r["score"] <= 1 for r in results)
    first = np.reshape(results[0]["keypoints"], (6, 3))[:, :2]
    known = np.reshape(truth["annotations"][0]["keypoints"], (6, 3))[:, :2]
    assert np.abs(first - known).max() < 2


def test_labels_beside_the_spots_cost_what_they_are_off(model: Path, tmp_path: Path) -> None:
    labels = dataset(tmp_path / "set", shift_px=12.0)
    settings = EvaluateSettings(out=tmp_path / "out", norms=("image", "bbox"), flip_test=True)
    values = evaluate(model, labels, settings).table.values
    assert values["mean_px"] == pytest.approx(12, abs=1.5)
    # the crop's scale is 32 / (105 · 1.25 · 32 / 48): 12 px are 4.4 of 48
    assert values["mean_px:input"] == pytest.approx(12 * 48 / (105 * 1.25), abs=0.6)
    assert values["pck@0.05:image"] < 0.1
    assert values["pck@0.2:bbox"] == 1
    assert values["acceptable_share"] < 0.2


def test_an_earlier_result_is_replaced_only_when_told(model: Path, tmp_path: Path) -> None:
    labels = dataset(tmp_path / "set", 2)
    settings = EvaluateSettings(out=tmp_path / "out")
    evaluate(model, labels, settings)
    with pytest.raises(OutputError, match="--overwrite"):
        evaluate(model, labels, settings)
    evaluate(model, labels, EvaluateSettings(out=tmp_path / "out", overwrite=True))
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="cannot be written"):
        evaluate(model, labels, EvaluateSettings(out=tmp_path / "file" / "out"))


def test_labels_of_other_keypoints_are_mapped_by_name_or_refused(tmp_path: Path) -> None:
    images = [LabelledImage(tmp_path / "a.png")]
    lower = make_labels(
        load_skeleton("halpe26"), images, [0], np.ones((1, 26, 2)), np.full((1, 26), 2)
    )
    mapped = map_keypoints(lower, load_skeleton("coco17"), where="set")
    assert mapped.skeleton.name == "coco17"
    assert mapped.labelled.all()
    back = map_keypoints(mapped, load_skeleton("halpe26"), where="set")
    assert back.labelled.sum() == 17
    with pytest.raises(InputError, match=r"'set': the labels' keypoints \(nose.*none of .*calf"):
        map_keypoints(mapped, load_skeleton("rearfoot6"), where="set")


def test_scales_are_those_of_the_crops(model: Path, tmp_path: Path) -> None:
    from gonio.runtime import ModelStore

    card = ModelStore().resolve(model).card
    labels = with_sizes(read_labels(dataset(tmp_path / "set", 1)))
    assert input_scales(labels, card)[0] == pytest.approx(48 / (105 * 1.25))
    whole = spot_model(tmp_path / "whole.onnx", source="image")
    card = ModelStore().resolve(whole).card
    assert input_scales(labels, card)[0] == pytest.approx(min(32 / 110, 48 / 120))


def a_run(folder: Path, labels: Path, **split: Any) -> Path:
    folder.mkdir()
    spot_model(folder / "model.onnx")
    fractions = split.pop("fractions", {"train": 0.5, "validation": 0.25, "test": 0.25})
    data = {
        "path": str(labels),
        "split": {"fractions": fractions, "by": "image", "seed": 3},
        "faults": "keep",
        **split,
    }
    recipe = {"schema": "gonio.recipe/1", "name": "spots", "skeleton": None, "data": data}
    (folder / "recipe.yaml").write_text(yaml.safe_dump(recipe, sort_keys=False), encoding="utf-8")
    sha256 = data_sha256(with_sizes(read_labels(labels)))
    facts = {"schema": "gonio.run/1", "data_sha256": sha256}
    (folder / "run.json").write_text(json.dumps(facts), encoding="utf-8")
    return folder


def test_a_run_is_measured_on_what_it_held_back(tmp_path: Path) -> None:
    labels = dataset(tmp_path / "set", 12)
    run = a_run(tmp_path / "run", labels)
    result = evaluate(run)
    assert result.split == "test"
    assert result.folder == run / "evaluation"
    fractions = {"train": 0.5, "validation": 0.25, "test": 0.25}
    expected = split_labels(read_labels(labels), fractions, by="image", seed=3)
    names = {part: {i.path.name for i in own.images} for part, own in expected.items()}
    assert {i.path.name for i in result.labels.images} == names["test"]
    again = EvaluateSettings(split="validation", out=tmp_path / "v")
    assert {i.path.name for i in evaluate(run, labels, again).labels.images} == names["validation"]
    every = evaluate(run, None, EvaluateSettings(split="all", out=tmp_path / "all"))
    assert every.table.people == 12
    assert any("trained on" in note for note in every.table.notes)


def test_a_runs_data_may_have_moved_but_not_changed(tmp_path: Path) -> None:
    labels = dataset(tmp_path / "set", 8)
    run = a_run(tmp_path / "run", labels)
    (tmp_path / "set").rename(tmp_path / "moved")
    moved = tmp_path / "moved" / "labels.json"
    settings = EvaluateSettings(split="test", out=tmp_path / "a")
    assert evaluate(run, moved, settings).split == "test"
    other = dataset(tmp_path / "other", 8, shift_px=1)
    with pytest.raises(InputError, match=r"not what .* was trained on"):
        evaluate(run, other, EvaluateSettings(split="test", out=tmp_path / "b"))
    assert evaluate(run, other, EvaluateSettings(out=tmp_path / "c")).split == "all"


def test_a_run_without_the_part_says_which_it_has(tmp_path: Path) -> None:
    labels = dataset(tmp_path / "set", 8)
    run = a_run(tmp_path / "run", labels, fractions={"train": 0.5, "validation": 0.5})
    assert evaluate(run).split == "validation"
    with pytest.raises(InputError, match=r"no such part \(it has: validation, train\)"):
        evaluate(run, None, EvaluateSettings(split="test", out=tmp_path / "a"))
    none = a_run(tmp_path / "none", labels, split=None)
    with pytest.raises(InputError, match="nothing of its data was held back"):
        evaluate(none)
    with pytest.raises(GonioError, match="did you mean 'test'"):
        evaluate(run, None, EvaluateSettings(split="tset"))


def test_a_model_needs_labels_and_labels_need_people(model: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="Name labels after the model"):
        evaluate(model)
    labels = dataset(tmp_path / "set", 1)
    with pytest.raises(InputError, match="is no run"):
        evaluate(model, labels, EvaluateSettings(split="test", out=tmp_path / "a"))
    content = json.loads(labels.read_text())
    content["annotations"] = []
    labels.write_text(json.dumps(content))
    with pytest.raises(InputError, match="none of 0 people"):
        evaluate(model, labels, EvaluateSettings(out=tmp_path / "a"))
    assert not (tmp_path / "a").exists()


def test_missing_images_are_named_before_the_model_runs(model: Path, tmp_path: Path) -> None:
    labels = dataset(tmp_path / "set", 2)
    (tmp_path / "set" / "1.png").unlink()
    with pytest.raises(GonioError, match=r"1\.png"):
        evaluate(model, labels, EvaluateSettings(out=tmp_path / "a"))


def test_the_command_prints_a_table_and_json(model: Path, tmp_path: Path, gonio: Run) -> None:
    labels = dataset(tmp_path / "set", 2)
    done = gonio("evaluate", str(model), str(labels), "--out", str(tmp_path / "a"))
    assert done.returncode == 0, done.stderr
    for word in ("keypoint", "pck@0.05", "neck", "OKS-AP", "OKS sigmas", "metrics.json"):
        assert word in done.stdout
    done = gonio(
        "evaluate", str(model), str(labels), "--out", str(tmp_path / "b"), "--json",
        "--norm", "bbox", "--norm", "image", "--alpha", "0.1",
    )  # fmt: skip
    assert {"pck@0.1:bbox", "pck@0.1:image"} <= set(json.loads(done.stdout)["metrics"])


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--norm", "hed"), "unknown norm 'hed' (did you mean 'head'?)"),
        (("--norm", "torso"), "skeleton 'gait6' has no left_shoulder and no right_hip"),
        (("--alpha", "0"), "--alpha 0: must be above 0"),
        (("--bands-px", "25", "10"), "the smaller first"),
    ],
)
def test_wrong_words_end_with_a_message(
    model: Path, tmp_path: Path, gonio: Run, words: tuple[str, ...], message: str
) -> None:
    labels = dataset(tmp_path / "set", 1)
    done = gonio("evaluate", str(model), str(labels), "--out", str(tmp_path / "a"), *words)
    assert done.returncode == 2
    assert message in done.stderr
    assert not (tmp_path / "a").exists()
