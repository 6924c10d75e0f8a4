"""Cards of trained networks follow from the recipe; runs say when to export."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from gonio.codec import encode_simcc
from gonio.datasets import InputSettings, TargetSettings
from gonio.errors import ConfigError
from gonio.runtime import Card, Training, card_for_network, dump_card, needs_export
from gonio.runtime.sources import sha256_of
from gonio.skeletons import Skeleton, load_skeleton

INPUT = InputSettings.model_validate({"width": 192, "height": 256})
MOUSE = Skeleton(name="mouse", keypoints=("snout", "tail"))


def card(skeleton: Skeleton = MOUSE, **changes: Any) -> Card:
    target = changes.pop("target", {})
    network = {"kind": "heatmap", "stride": 4.0, "roles": ["heatmap"]} | changes
    settings = {"input": INPUT, "target": TargetSettings.model_validate(target)}
    return card_for_network("net", skeleton, **(settings | network))


def test_a_built_in_skeleton_is_named_and_any_other_written_down() -> None:
    assert card(load_skeleton("coco17")).skeleton == "coco17"
    assert card().skeleton == MOUSE
    other = Skeleton(name="coco17", keypoints=("nose",))
    assert card(other).skeleton == other


def test_the_input_is_the_recipes() -> None:
    whole = {"source": "image", "fill": 114}
    grey = INPUT.model_validate({"width": 8, "height": 8, "channels": "grey", "crop": whole})
    spec = card(input=grey).input
    assert (spec.channels, spec.layout, spec.crop.source, spec.crop.fill) == (
        ("grey", "nchw", "image", 114)
    )
    assert (spec.mean, spec.std, spec.scale) == (grey.mean, grey.std, grey.scale)


@pytest.mark.parametrize(
    ("target", "network", "output"),
    [
        ({"sigma": 3}, {}, {"sigma": 3.0, "stride": 4.0}),
        ({"kind": "disc", "radius": 5}, {}, {"radius": 5.0}),
        (
            {"kind": "locref", "stride": 8, "stdev_px": 7},
            {"stride": 8.0, "roles": ["heatmap", "locref"]},
            {"locref_stdev_px": 7.0, "names": {"heatmap": "heatmap", "locref": "locref"}},
        ),
        (
            {"kind": "coords", "visibility": True},
            {"kind": "coords", "stride": None, "roles": ["coords", "visibility"]},
            {"kind": "coords", "stride": None},
        ),
    ],
)
def test_the_output_is_what_was_learned(
    target: dict[str, Any], network: dict[str, Any], output: dict[str, Any]
) -> None:
    written = card(target=target, **network).output.model_dump()
    assert {key: written[key] for key in output} == output


def test_a_simcc_network_that_gives_its_targets_is_sure() -> None:
    target = {"kind": "simcc", "simcc_sigma": 6}
    written = card(target=target, kind="simcc", stride=0.5, roles=["x", "y"])
    x, _ = encode_simcc([[96.0, 128.0]], [True], (192, 256), ratio=2, sigma=6)
    assert written.output.peak == pytest.approx(x.max(), rel=0.01)


@pytest.mark.parametrize(
    ("target", "network", "message"),
    [
        ({"kind": "simcc"}, {}, "target.kind: 'simcc' needs a network with the outputs x, y"),
        ({"kind": "locref"}, {}, "with the outputs heatmap, locref; this one has heatmap"),
        ({"stride": 8}, {}, "target.stride: 8 does not fit the network, whose cells are 4.0"),
        (
            {"kind": "simcc", "ratio": 3},
            {"kind": "simcc", "stride": 0.5, "roles": ["x", "y"]},
            "target.ratio: 3 does not fit",
        ),
    ],
)
def test_a_network_that_does_not_give_what_is_learned_is_refused(
    target: dict[str, Any], network: dict[str, Any], message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        card(target=target, **network)


def test_a_run_is_exported_where_its_file_is_not_that_of_its_weights(tmp_path: Path) -> None:
    assert not needs_export(tmp_path)  # no run
    weights = tmp_path / "model.safetensors"
    weights.write_bytes(b"weights")
    assert needs_export(tmp_path)
    (tmp_path / "model.onnx").write_bytes(b"file")
    assert needs_export(tmp_path)  # no card
    beside = tmp_path / "model.card.json"
    beside.write_text(dump_card(card()), encoding="utf-8")
    assert needs_export(tmp_path)
    made_from = Training(weights_sha256=sha256_of(weights))
    beside.write_text(dump_card(card(training=made_from)), encoding="utf-8")
    assert not needs_export(tmp_path)
    weights.write_bytes(b"other weights")
    assert needs_export(tmp_path)
    weights.unlink()
    assert not needs_export(tmp_path)  # the file and its card are a model by themselves
