"""Cards: what is refused and how it is said; round trip; the built-in entries; input tensors."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gonio.errors import ConfigError
from gonio.runtime import Card, InputSpec, built_in_cards, card_path, dump_card, load_card
from gonio.runtime.cards import card_values, make_card, parse_card
from gonio.skeletons import load_skeleton

CARD: dict[str, Any] = {
    "schema": "gonio.card/1",
    "name": "tiny",
    "task": "pose",
    "skeleton": "lower6",
    "input": {"width": 8, "height": 4, "mean": [0.5], "std": [0.25, 0.5, 1.0], "scale": 0.5},
    "output": {"kind": "heatmap", "stride": 2},
    "source": [{"url": "https://example.org/tiny.onnx"}],
}


LOCREF = {
    "kind": "heatmap",
    "names": {"heatmap": "a", "locref": "b"},
    "locref_stdev_px": 7.3,
}
MOUSE = {"name": "m", "keypoints": ["snout", "left_ear", "right_ear"]}


def changed(path: str, value: Any) -> dict[str, Any]:
    values: dict[str, Any] = json.loads(json.dumps(CARD))
    *parents, last = path.split("/")
    part = values
    for key in parents:
        part = part[int(key)] if key.isdigit() else part.setdefault(key, {})
    part[int(last) if last.isdigit() else last] = value
    return values


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("licens", "MIT", r"card 'x': unknown key 'licens' \(did you mean 'licence'\?\)"),
        ("input/scal", 1, r"unknown key 'input.scal' \(did you mean 'input.scale'\?\)"),
        ("input/crop", {"paddin": 1}, r"'input.crop.paddin' \(did you mean 'input.crop.padding'"),
        ("source/0/urll", "x", r"unknown key 'source.0.urll' \(did you mean 'source.0.url'\?\)"),
        ("training", {"sead": 1}, r"'training.sead' \(did you mean 'training.seed'\?\)"),
        ("task", "poses", r"task: unknown value 'poses' \(did you mean 'pose'"),
        ("schema", "gonio.card/2", "schema: unknown value 'gonio.card/2'"),
        ("name", "Tiny Model", "name: String should match pattern"),
        ("skeleton", None, "skeleton: a pose model must name one"),
        ("input/mean", [1.0, 2.0], "input: mean: 2 values for 3 channels"),
        ("input/std", [0.0], "input: std: must be positive"),
        ("source/0", {"package": "p"}, "source.0: give url, or package, version and member"),
        ("source/0/member", "m", "source.0: give either url, or package"),
        ("source/0/url", "ftp://x", "source.0.url: String should match"),
        ("sha256", "abc", "sha256: String should match"),
        ("input/crop", {"source": "box"}, "input.crop.source: unknown value 'box'"),
        ("output/locref_stdev_px", 7.3, "names: with locref_stdev_px, heatmap and locref must be"),
        ("output/names", {"locref": "b"}, "locref_stdev_px: is missing; names.locref needs it"),
        ("output", LOCREF | {"kind": "simcc"}, "goes with heatmaps, not with simcc"),
        ("output", LOCREF | {"radius": 3}, "radius: goes with discs"),
        ("output", LOCREF | {"alignment": "origins"}, "read with 'edges' alone"),
        ("skeleton", {"name": "m"}, "key 'skeleton.keypoints' is missing"),
        ("skeleton", {"name": "m", "keypoint": ["a"]}, "key 'skeleton.keypoints' is missing"),
        ("skeleton", {**MOUSE, "edge": []}, r"'skeleton.edge' \(did you mean 'skeleton.edges'"),
        ("skeleton", 3, "skeleton: Input should be a valid dictionary"),
        ("filters", [{"name": "clah"}], r"filters.0: unknown value 'clah' \(did you mean 'clahe'"),
        ("filters", [{"op": "clahe"}], "key 'filters.0.name' is missing"),
        (
            "filters",
            [{"name": "clahe", "clop": 2}],
            r"'filters.0.clop' \(did you mean 'filt.*clip'",
        ),
        ("filters", [{"name": "clahe", "clip": 0}], "filters.0.clip: Input should be greater than"),
        ("filters", [{"name": "grey"}, {"name": "mog2"}], "filters: mog2 must be named first"),
    ],
)
def test_a_fault_is_named_with_its_path_and_a_near_match(
    path: str, value: Any, message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        make_card(changed(path, value), where="x")


def test_a_card_holds_a_skeleton_that_nobody_else_knows() -> None:
    card = make_card(changed("skeleton", MOUSE), where="x")
    assert card.skeleton_name == "m"
    assert card.load_skeleton().flip_order() == [0, 2, 1]
    assert parse_card(dump_card(card), where="x") == card
    named = make_card(CARD, where="x")
    assert named.skeleton_name == "lower6"
    assert named.load_skeleton() == load_skeleton("lower6")
    detector = make_card({**CARD, "task": "detector", "skeleton": None}, where="x")
    with pytest.raises(ConfigError, match="names no skeleton"):
        detector.load_skeleton()


def test_a_cards_filters_are_written_whole_so_that_no_later_default_changes_them() -> None:
    filters = [{"name": "clahe"}, {"name": "gaussian", "sigma_px": 2.0}]
    card = make_card(changed("filters", filters), where="x")
    assert card_values(card)["filters"] == [{"name": "clahe", "clip": 2.0, "tiles": 8}, filters[1]]
    assert parse_card(dump_card(card), where="x") == card
    assert "filters" not in card_values(make_card(CARD, where="x"))


def test_a_file_that_holds_no_card_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"missing\.card\.json': cannot be read"):
        load_card(tmp_path / "missing.card.json")
    with pytest.raises(ConfigError, match="neither JSON nor YAML"):
        parse_card("{", where="x")
    with pytest.raises(ConfigError, match="holds list, expected a mapping"):
        parse_card("[]", where="x")


def test_a_card_comes_back_from_its_text_and_cannot_be_changed(tmp_path: Path) -> None:
    card = make_card({**CARD, "licence": "MIT – ours"}, where="x")
    path = card_path(tmp_path / "tiny.v2.onnx")
    assert path.name == "tiny.v2.card.json"
    path.write_text(dump_card(card), encoding="utf-8")
    assert load_card(path) == card
    assert json.loads(path.read_text(encoding="utf-8"))["schema"] == "gonio.card/1"
    with pytest.raises(ValueError, match="frozen"):
        card.name = "other"  # type: ignore[misc]


@pytest.mark.parametrize("name", ["blazepose-detector", "blazepose-full"])
def test_a_built_in_entry_names_licence_hash_source_and_a_known_skeleton(name: str) -> None:
    card = built_in_cards()[name]
    assert card.licence == "Apache-2.0"
    assert card.sha256 is not None
    assert card.source[0].file_name.endswith(".tflite")
    assert card.skeleton is None or load_skeleton(card.skeleton)


def test_the_built_in_detector_without_a_source_names_its_licence_and_hash() -> None:
    card = built_in_cards()["rtmdet-nano"]
    assert (card.task, card.licence, card.source) == ("detector", "Apache-2.0", ())
    assert card.sha256 is not None


def test_built_in_inputs_have_the_ranges_the_networks_were_trained_on() -> None:
    for name, size, low in (("blazepose-full", 256, 0.0), ("blazepose-detector", 224, -1.0)):
        image = np.zeros((size, size, 3), dtype=np.uint8)
        image[0, 0] = 255
        tensor = built_in_cards()[name].input.to_tensor(image)
        assert tensor.shape == (1, size, size, 3)
        np.testing.assert_allclose([tensor.min(), tensor.max()], [low, 1.0], atol=1e-6)


def test_pixels_are_scaled_then_shifted_then_divided_in_the_cards_order_of_channels() -> None:
    image = np.zeros((4, 8, 3), dtype=np.uint8)
    image[1, 2] = (10, 20, 30)
    spec = Card.model_validate(CARD).input
    tensor = spec.to_tensor(image)
    assert tensor.dtype == np.float32
    assert tensor.shape == spec.shape == (1, 3, 4, 8)
    assert tensor.flags.c_contiguous
    # (10 · 0.5 − 0.5) / 0.25, (20 · 0.5 − 0.5) / 0.5, (30 · 0.5 − 0.5) / 1
    np.testing.assert_allclose(tensor[0, :, 1, 2], [18.0, 19.0, 14.5])
    np.testing.assert_allclose(tensor[0, :, 0, 0], [-2.0, -1.0, -0.5])
    bgr = InputSpec(width=8, height=4, channels="bgr").to_tensor(image)
    np.testing.assert_allclose(bgr[0, :, 1, 2], [30, 20, 10])
    grey = InputSpec(width=8, height=4, channels="grey", layout="nhwc").to_tensor(image)
    assert grey.shape == (1, 4, 8, 1)
    assert grey[0, 1, 2, 0] == round(0.299 * 10 + 0.587 * 20 + 0.114 * 30)  # as in training
