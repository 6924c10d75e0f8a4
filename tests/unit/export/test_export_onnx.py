"""An exported file is the network: any batch, names by role, its card inside and beside."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch

from gonio.errors import ModelError, ModelOutputError, OutputError
from gonio.export import export_onnx
from gonio.export.parity import MOST_PX, MOST_RELATIVE, Parity, compare, example_images
from gonio.runtime import ModelStore, open_session
from gonio.runtime.cards import parse_card
from unit.export.tiny_networks import dark_card, dark_network


@pytest.mark.parametrize("kind", ["gaussian", "locref", "simcc"])
@pytest.mark.parametrize("channels", [1, 3])
def test_every_kind_of_network_is_exported_and_gives_the_same(
    tmp_path: Path, kind: str, channels: int
) -> None:
    network = dark_network(kind, channels=channels)
    card = dark_card(network, kind)
    parity = export_onnx(network, tmp_path / "run" / "model.onnx", card)
    assert parity.relative < MOST_RELATIVE
    assert parity.compared > 0
    assert parity.keypoints_px < MOST_PX
    assert sorted(p.name for p in (tmp_path / "run").iterdir()) == ["model.card.json", "model.onnx"]
    session = open_session(tmp_path / "run" / "model.onnx", device="cpu")
    assert session.output_names == tuple(network.roles)
    assert session.input_shapes == {"image": (None, channels, 48, 64)}
    images = torch.rand(5, channels, 48, 64)
    expected = network.eval().activate(network(images))
    for count in (1, 2, 5):
        outputs = session.run({"image": images[:count].numpy()})
        for role, values in expected.items():
            np.testing.assert_allclose(outputs[role], values[:count].detach(), atol=1e-5)


def test_the_card_stands_inside_the_file_and_beside_it(tmp_path: Path) -> None:
    network = dark_network()
    path = tmp_path / "model.onnx"
    export_onnx(network, path, dark_card(network))
    model = ModelStore(tmp_path).resolve(path)
    assert model.card.sha256 == model.sha256
    inside = {p.key: p.value for p in onnx.load(path).metadata_props}["gonio.card"]
    assert parse_card(inside, where="file") == model.card.model_copy(update={"sha256": None})
    assert model.card.load_skeleton().keypoints == ("snout", "left_ear", "right_ear", "tail_base")


def test_the_network_is_left_as_it_was_and_nothing_is_said(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    network = dark_network().train()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        export_onnx(network, tmp_path / "model.onnx", dark_card(network))
    assert network.training
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())
    assert capfd.readouterr() == ("", "")


def test_a_file_that_does_not_fit_its_card_is_not_written(tmp_path: Path) -> None:
    network = dark_network()
    path = tmp_path / "model.onnx"
    export_onnx(network, path, dark_card(network))
    kept = path.read_bytes(), (tmp_path / "model.card.json").read_bytes()
    three = dark_network(keypoints=3)
    with pytest.raises(ModelOutputError, match=r"/model\.onnx': output 'heatmap' .* is \?×3×12×16"):
        export_onnx(three, path, dark_card(network))
    assert kept == (path.read_bytes(), (tmp_path / "model.card.json").read_bytes())
    assert len(list(tmp_path.iterdir())) == 2


def test_a_file_that_gives_something_else_is_not_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    network = dark_network()
    run = export_onnx.__globals__["_run_file"]

    def shifted(*given: object) -> object:
        return {role: np.roll(o, 3, axis=-1) for role, o in run(*given).items()}

    monkeypatch.setitem(export_onnx.__globals__, "_run_file", shifted)
    with pytest.raises(ModelOutputError, match="is not written: what it gives differs"):
        export_onnx(network, tmp_path / "model.onnx", dark_card(network))
    assert list(tmp_path.iterdir()) == []


def test_a_network_that_onnx_cannot_hold_is_named(tmp_path: Path) -> None:
    class Odd(torch.nn.Module):
        def forward(self, dark: torch.Tensor) -> dict[str, torch.Tensor]:
            return {"heatmap": dark if dark.sum() > 0 else -dark}  # which way is in the data

    network = dark_network(keypoints=1)
    network.head = Odd()
    with pytest.raises(ModelError, match="'tiny': cannot be exported to ONNX"):
        export_onnx(network, tmp_path / "model.onnx", dark_card(network))


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    network = dark_network()
    with pytest.raises(OutputError, match="cannot be written"):
        export_onnx(network, tmp_path / "file" / "model.onnx", dark_card(network))


def maps(*peaks: tuple[int, float]) -> dict[str, np.ndarray]:
    """One keypoint's map with points of some height in its middle row."""
    values = np.zeros((1, 4, 12, 16), np.float32)
    for column, height in peaks:
        values[0, :, 6, column] = height
    return {"heatmap": values}


def test_keypoints_of_nearly_equal_or_hardly_any_peaks_are_not_compared() -> None:
    card = dark_card(dark_network())
    tied = compare(maps((3, 1.0), (12, 0.999999)), maps((3, 0.999999), (12, 1.0)), card)
    assert (tied.compared, tied.keypoints) == (0, 4)
    assert np.isnan(tied.keypoints_px)
    faint = compare(maps((3, 0.05)), maps((12, 0.05)), card)
    assert faint.compared == 0
    assert faint.relative == 1  # which alone refuses it
    moved = compare(maps((3, 1.0)), maps((3, 0.2), (5, 0.9)), card)
    assert moved.compared == 4
    assert moved.keypoints_px > 1


def test_what_is_not_finite_is_refused() -> None:
    card = dark_card(dark_network())
    broken = maps((3, 1.0))
    broken["heatmap"][0, 0, 0, 0] = np.nan
    for pair in ((maps((3, 1.0)), broken), (broken, maps((3, 1.0)))):
        with pytest.raises(ModelOutputError):
            compare(*pair, card).require(Path("x.onnx"))
    Parity(1e-6, float("nan"), 0, 4).require(Path("x.onnx"))
    with pytest.raises(ModelOutputError, match=r"keypoints by 0\.2 px"):
        Parity(1e-6, 0.2, 4, 4).require(Path("x.onnx"))


def test_examples_are_as_smooth_as_photographs_and_always_the_same() -> None:
    card = dark_card(dark_network())
    images = example_images(card, 4)
    assert images.shape == (4, 48, 64, 3)
    np.testing.assert_array_equal(images, example_images(card, 4))
    steps = np.abs(np.diff(images.astype(float), axis=2)).mean(axis=(1, 2, 3))
    assert steps[0] < steps[1] / 2
