"""What is wrong with the settings is said before any input is opened."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from gonio.errors import ConfigError, GonioError, InputError, ModelError
from gonio.video import write_image
from gonio.workflows import AnalyzeSettings, analyze_batch
from gonio.workflows.settings import resolve_protocol

BATCH = [Path("missing-a.mp4"), Path("missing-b.mp4")]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"model": "blazepose-ful"}, "unknown model 'blazepose-ful'.*'blazepose-full'"),
        ({"model": "./none.onnx"}, "none.onnx': no such file"),
        ({"device": "gpu"}, r"unknown device 'gpu' \(known: auto, cpu, cuda, coreml, directml\)"),
        ({"protocol": "genral"}, "unknown protocol 'genral'"),
    ],
)
def test_a_batch_with_an_unknown_setting_ends_before_its_first_input(
    options: dict[str, str], message: str, tmp_path: Path
) -> None:
    with pytest.raises(GonioError, match=message):
        analyze_batch(BATCH, AnalyzeSettings(out=tmp_path / "out", **options))  # type: ignore[arg-type]
    assert not (tmp_path / "out").exists()


def test_a_model_that_cannot_be_had_ends_a_batch_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def offline(*_: object, **__: object) -> None:
        asked.append(1)
        raise ModelError("no network")

    monkeypatch.setattr("gonio.runtime.ModelStore.resolve", offline)
    pictures = [tmp_path / "a.png", tmp_path / "b.png"]
    for picture in pictures:
        write_image(picture, np.zeros((48, 64, 3), np.uint8))
    with pytest.raises(ModelError, match="no network"):
        analyze_batch(pictures, AnalyzeSettings(out=tmp_path / "out"))
    assert asked == [1]


@pytest.mark.parametrize(
    ("height_m", "message"),
    [(165, r"not a person's height.* In meters: 1\.65\?$"), (0.0165, r"not.* \(0\.3 to 2\.8\)\.$")],
)
def test_a_height_in_centimeters_is_asked_for_in_meters(height_m: float, message: str) -> None:
    with pytest.raises(InputError, match=f"--height-m {height_m:g}: {message}"):
        resolve_protocol(AnalyzeSettings(height_m=height_m))


def test_tracks_need_no_model(tmp_path: Path) -> None:
    own = tmp_path / "own.yaml"
    own.write_text("{extends: general, name: own, model: not-here-any-more}")
    with pytest.raises(ConfigError, match="unknown model"):
        resolve_protocol(AnalyzeSettings(protocol=str(own)))
    resolve_protocol(AnalyzeSettings(protocol=str(own), from_poses=Path("poses.nc")))
