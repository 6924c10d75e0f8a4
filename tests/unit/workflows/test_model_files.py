"""Runs as models: what is exported when, and what is said where that cannot be."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from gonio.errors import InputError, MissingExtraError, ModelError, UnknownNameError
from gonio.runtime import ModelStore, Training, dump_card
from gonio.runtime.cards import card_path, make_card
from gonio.runtime.sources import sha256_of
from gonio.workflows import export, model_files
from gonio.workflows.model_files import find_model
from unit.runtime.tiny_onnx import write_identity

CARD = make_card(
    {
        "name": "tiny",
        "task": "pose",
        "skeleton": {"name": "three", "keypoints": ["a", "b", "c"]},
        "input": {"width": 16, "height": 32},
        "output": {"kind": "heatmap", "stride": 1},
    },
    where="test",
)


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A run that has weights and no file yet."""
    folder = tmp_path / "runs" / "tiny-20261201"
    folder.mkdir(parents=True)
    (folder / "model.safetensors").write_bytes(b"weights")
    return folder


@pytest.fixture
def exports(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Replace torch's export by one that writes an identity; the files it wrote."""
    written: list[Path] = []

    def export_run(folder: Path, path: Path) -> SimpleNamespace:
        write_identity(path, ["n", 3, 32, 16])
        made_from = Training(weights_sha256=sha256_of(folder / "model.safetensors"))
        update = {"training": made_from, "sha256": sha256_of(path)}
        card_path(path).write_text(dump_card(CARD.model_copy(update=update)), encoding="utf-8")
        written.append(path)
        return SimpleNamespace(relative=1e-7, keypoints_px=0.01, compared=3, keypoints=12)

    def exporter() -> Callable[[Path, Path], SimpleNamespace]:
        return export_run

    monkeypatch.setattr(model_files, "_exporter", exporter)
    return written


def without_torch(monkeypatch: pytest.MonkeyPatch) -> None:
    # The exporter needs both; torch itself is imported once and for all in this process.
    monkeypatch.setitem(sys.modules, "onnxscript", None)


def test_a_run_is_exported_once_and_again_when_its_weights_are_others(
    run: Path, exports: list[Path], tmp_path: Path
) -> None:
    store = ModelStore(tmp_path / "store")
    for expected in (1, 1):
        model = find_model(run, store=store)
        assert model.path == run / "model.onnx"
        assert len(exports) == expected
    (run / "model.safetensors").write_bytes(b"better weights")
    find_model(str(run), store=store)
    assert len(exports) == 2


def test_export_says_what_it_wrote_and_how_far_it_is_from_the_network(
    run: Path, exports: list[Path], tmp_path: Path
) -> None:
    stages: list[tuple[str, int, int | None]] = []
    result = export(run, out=tmp_path / "mouse.onnx", progress=lambda *s: stages.append(s))
    assert exports == [tmp_path / "mouse.onnx"]
    assert stages == [("Exporting", 0, 1), ("Exporting", 1, 1)]
    told = result.as_dict()
    assert told["path"] == str(tmp_path / "mouse.onnx")
    assert told["sha256"] == sha256_of(tmp_path / "mouse.onnx")
    assert (told["keypoint_difference_px"], told["keypoints_compared"]) == (0.01, 3)
    assert result.summary().endswith("by 1e-07 of its outputs' range, keypoints by 0.01 px")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"to": "tflite"}, "--to tflite: no format that networks are written in .onnx."),
        ({"out": "mouse.pb"}, r"--out mouse\.pb: the file's name must end in \.onnx"),
    ],
)
def test_formats_that_there_are_not_are_refused(
    run: Path, options: dict[str, str], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        export(run, **options)  # type: ignore[arg-type]


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="nowhere': no such folder"):
        export(tmp_path / "nowhere")


def test_without_torch_the_command_is_told(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    without_torch(monkeypatch)
    with pytest.raises(MissingExtraError, match=r"pip install 'gonio\[train\]'"):
        export(run)
    wanted = f"model.onnx is missing, and torch .* gonio export {run} --to onnx"
    with pytest.raises(ModelError, match=wanted):
        find_model(run, store=ModelStore(run))
    write_identity(run / "model.onnx", ["n", 3, 32, 16])
    with pytest.raises(ModelError, match=r"model\.onnx is not that of its weights, and torch"):
        find_model(run, store=ModelStore(run))


def test_a_file_and_its_card_alone_need_no_torch(
    run: Path, exports: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    find_model(run, store=ModelStore(run))
    (run / "model.safetensors").unlink()
    without_torch(monkeypatch)
    assert find_model(run, store=ModelStore(run)).card.load_skeleton().keypoints == ("a", "b", "c")
    assert len(exports) == 1


def test_names_are_still_the_stores(tmp_path: Path) -> None:
    with pytest.raises(UnknownNameError, match=r"unknown model 'blazepos' .did you mean"):
        find_model("blazepos", store=ModelStore(tmp_path))
    (tmp_path / "empty").mkdir()
    with pytest.raises(ModelError, match=r"no model\.onnx"):
        find_model(tmp_path / "empty", store=ModelStore(tmp_path))
