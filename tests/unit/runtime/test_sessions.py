"""Sessions and the check of a model against its card, on tiny and on real models."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from gonio.errors import GonioWarning, ModelError, ModelOutputError, UnknownNameError
from gonio.runtime import Card, check_outputs, open_session, output_name, sessions
from gonio.runtime.cards import make_card
from unit.runtime.tiny_onnx import write_identity
from unit.runtime.tiny_tflite import write_abs


def card(**changes: Any) -> Card:
    """Heatmaps of stride 1 from an 8 × 4 image: what an identity network gives."""
    values = {
        "name": "tiny",
        "task": "segmenter",
        "input": {"width": 8, "height": 4},
        "output": {"kind": "heatmap", "stride": 1},
    }
    return make_card({**values, **changes}, where="tiny")


def test_onnx_runs_any_batch_size_and_says_on_what(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO):
        session = open_session(write_identity(tmp_path / "m.onnx", ["n", 3, 4, 8]), device="cpu")
    assert session.provider == "CPUExecutionProvider"
    assert "'m.onnx' runs on CPUExecutionProvider" in caplog.text
    assert session.input_names == ("image",)
    assert session.output_names == ("out",)
    assert session.input_shapes == {"image": (None, 3, 4, 8)}
    for batch in (1, 5):
        image = np.full((batch, 3, 4, 8), batch, dtype=np.float32)
        np.testing.assert_array_equal(session.run({"image": image})["out"], image)


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (np.zeros((1, 3, 4, 8)), "takes float32 1×3×4×8; given float64 1×3×4×8"),
        (np.zeros((1, 3, 8, 4), np.float32), "takes float32 1×3×4×8; given float32 1×3×8×4"),
        (np.zeros((3, 4, 8), np.float32), "given float32 3×4×8"),
    ],
)
def test_a_wrong_input_is_refused_with_expected_and_given(
    tmp_path: Path, array: np.ndarray, message: str
) -> None:
    session = open_session(write_identity(tmp_path / "m.onnx", [1, 3, 4, 8]))
    with pytest.raises(ModelOutputError, match=message):
        session.run({"image": array})
    with pytest.raises(ModelOutputError, match="takes inputs image; given picture"):
        session.run({"picture": array})


@pytest.mark.parametrize("suffix", [".onnx", ".tflite"])
def test_a_corrupt_file_is_refused_and_named(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"m{suffix}"
    path.write_bytes(b"this is no model")
    with pytest.raises(ModelError, match=rf"m{suffix}': cannot be opened"):
        open_session(path)


def test_a_missing_file_and_an_unknown_kind_or_device_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="no such file"):
        open_session(tmp_path / "m.onnx")
    (tmp_path / "m.pt").touch()
    with pytest.raises(ModelError, match=r"is no \.onnx or \.tflite file"):
        open_session(tmp_path / "m.pt")
    with pytest.raises(UnknownNameError, match=r"unknown device 'cudda' \(did you mean 'cuda'"):
        open_session(tmp_path / "m.pt", device="cudda")


def test_falling_back_to_the_cpu_is_a_warning(tmp_path: Path) -> None:
    path = write_identity(tmp_path / "m.onnx", [1, 3, 4, 8])
    with pytest.warns(GonioWarning, match="'coreml' was asked for, but CPUExecutionProvider"):
        open_session(path, device="coreml")


def test_a_gpu_that_is_offered_but_does_not_start_is_a_warning(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = sessions._onnxruntime()
    without_driver = SimpleNamespace(
        SessionOptions=real.SessionOptions,
        get_available_providers=lambda: ["CUDAExecutionProvider", "CPUExecutionProvider"],
        InferenceSession=lambda path, options, providers: real.InferenceSession(
            path, options, providers=providers[-1:]
        ),
    )
    monkeypatch.setattr(sessions, "_onnxruntime", lambda: without_driver)
    path = write_identity(tmp_path / "m.onnx", [1, 3, 4, 8])
    with pytest.warns(GonioWarning, match="CUDAExecutionProvider could not be started"):
        open_session(path)
    open_session(path, device="cpu")


def test_onnx_runtime_reports_to_nobody(tmp_path: Path) -> None:
    path = write_identity(tmp_path / "m.onnx", [1, 3, 4, 8])
    code = "import sys; from pathlib import Path; from gonio.runtime import open_session\n"
    home = tmp_path / "home"
    home.mkdir()
    environment = {k: v for k, v in os.environ.items() if k != "ORT_DISABLE_TELEMETRY"}
    environment |= {"HOME": str(home), "USERPROFILE": str(home)}
    subprocess.run(
        [sys.executable, "-c", code + "open_session(Path(sys.argv[1]))", str(path)],
        env=environment,
        check=True,
    )
    assert list(home.iterdir()) == []


def test_real_litert_model_gives_heatmaps_quietly_and_keeps_earlier_results(
    shared: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    path = shared / "models" / "cpm_192x192_14joints.tflite"
    session = open_session(path, threads=1)
    assert capfd.readouterr().err == ""
    assert session.provider == "LiteRT"
    rng = np.random.default_rng(0)
    image = rng.random((1, 192, 192, 3), dtype=np.float32)
    first = session.run({"image": image})
    (maps,) = first.values()
    assert maps.shape == (1, 96, 96, 14)
    kept = maps.copy()
    session.run({"image": np.zeros_like(image)})
    np.testing.assert_array_equal(maps, kept)
    again = open_session(path, threads=2).run({"image": image})
    np.testing.assert_array_equal(next(iter(again.values())), kept)
    layout = {"width": 192, "height": 192, "layout": "nhwc"}
    heatmaps = {"kind": "heatmap", "stride": 2}
    fits = {"task": "pose", "skeleton": "lsp14", "input": layout}
    check_outputs(session, card(**fits, output=heatmaps))
    with pytest.raises(ModelOutputError, match=r"is \?×96×96×14|is 1×96×96×14"):
        check_outputs(session, card(**{**fits, "skeleton": "coco17"}, output=heatmaps))
    with pytest.warns(GonioWarning, match="'cuda' was asked for, but LiteRT"):
        open_session(path, device="cuda")


def test_real_onnx_detector_fits_its_card(shared: Path) -> None:
    session = open_session(shared / "models" / "rtmdet_nano_person.onnx", device="cpu")
    detector = card(
        task="detector",
        input={"width": 320, "height": 320, "channels": "bgr"},
        output={"kind": "boxes", "names": {"boxes": "dets", "labels": "labels"}},
    )
    check_outputs(session, detector)


def test_litert_takes_another_batch_size_only_where_the_file_leaves_it_open(tmp_path: Path) -> None:
    open_batch = open_session(write_abs(tmp_path / "open.tflite", [-1, 4, 8, 3]))
    assert open_batch.input_shapes == {"image": (None, 4, 8, 3)}
    for batch in (2, 1, 3):
        image = np.full((batch, 4, 8, 3), -batch, dtype=np.float32)
        np.testing.assert_array_equal(open_batch.run({"image": image})["out"], -image)
    fixed = open_session(write_abs(tmp_path / "fixed.tflite", [1, 4, 8, 3]))
    with pytest.raises(ModelOutputError, match="takes float32 1×4×8×3; given float32 2×4×8×3"):
        fixed.run({"image": np.zeros((2, 4, 8, 3), np.float32)})


def test_what_others_write_to_stderr_meanwhile_is_not_lost(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with sessions._without_info_lines():
        os.write(2, b"INFO: one more delegate\nERROR: node 3 failed\n")
    assert capfd.readouterr().err == "ERROR: node 3 failed\n"


def test_two_threads_that_hold_stderr_back_both_give_it_back() -> None:
    def hold() -> None:
        with sessions._without_info_lines():
            pass

    real = os.fstat(2)
    other = threading.Thread(target=hold)
    with sessions._without_info_lines():
        other.start()
        other.join(timeout=0.2)  # it waits for its turn
    other.join()
    assert (os.fstat(2).st_dev, os.fstat(2).st_ino) == (real.st_dev, real.st_ino)


@pytest.mark.models
@pytest.mark.parametrize("name", ["blazepose-detector", "blazepose-full"])
def test_blazepose_fits_its_card(models_dir: Path, name: str) -> None:
    from gonio.runtime import ModelStore

    model = ModelStore().resolve(name)
    check_outputs(open_session(model.path), model.card)


@pytest.mark.parametrize(
    ("shape", "changes", "message"),
    [
        ([1, 3, 4, 8], {}, None),
        (["n", 3, "h", "w"], {}, None),
        (
            [1, 3, 4, 9],
            {},
            "input 'image' is float32 1×3×4×9; its card 'tiny' says float32 1×3×4×8",
        ),
        ([1, 4, 8, 3], {}, "input 'image' is float32 1×4×8×3"),
        ([1, 3, 4, 8], {"output": {"kind": "heatmap", "stride": 2}}, r"says \?×\?×2×4"),
        (["n", 3, "h", "w"], {"output": {"kind": "heatmap", "stride": 2}}, r"is 1×3×4×8"),
        ([1, 3, 4, 8], {"output": {"kind": "boxes"}}, r"\(boxes\) is 1×3×4×8"),
        ([1, 3, 4, 8], {"output": {"kind": "simcc"}}, "does not say which output is 'x'"),
        (
            [1, 3, 4, 8],
            {"task": "pose", "skeleton": "lower6"},
            r"output 'out' \(heatmap\) is 1×3×4×8; its card 'tiny' says \?×6×4×8",
        ),
        (
            [1, 3, 4, 8],
            {"output": {"kind": "heatmap", "names": {"heatmap": "outt"}}},
            r"has no output 'outt', which its card names for 'heatmap' \(did you mean 'out'\?\)",
        ),
    ],
)
def test_a_model_that_does_not_fit_its_card_is_refused_with_both_shapes(
    tmp_path: Path, shape: list[int | str], changes: dict[str, Any], message: str | None
) -> None:
    session = open_session(write_identity(tmp_path / "m.onnx", shape))
    if message is None:
        check_outputs(session, card(**changes))
        assert output_name(session, card(**changes), "heatmap") == "out"
        return
    with pytest.raises(ModelOutputError, match=message):
        check_outputs(session, card(**changes))


def test_a_model_of_whole_numbers_is_refused(tmp_path: Path) -> None:
    session = open_session(write_identity(tmp_path / "m.onnx", [1, 3, 4, 8], dtype=2))  # uint8
    with pytest.raises(ModelOutputError, match="input 'image' is uint8"):
        check_outputs(session, card())
