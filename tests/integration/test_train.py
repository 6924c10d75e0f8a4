"""``gonio train`` as a person calls it: a small set in, a model file out."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from gonio.errors import ConfigError, GonioError, InputError
from gonio.runtime import ModelStore
from gonio.workflows import TrainSettings, train
from integration.dots import draw_dots

TINY = (
    "input.width=32", "input.height=32", "input.crop.source=image", "network.pretrained=false",
    "network.width=8", "trainer.epochs=1", "trainer.batch_size=2", "trainer.workers=0",
    "trainer.samples=2", "skeleton=null",
)  # fmt: skip


@pytest.fixture(scope="module")
def dots(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return draw_dots(tmp_path_factory.mktemp("dots"), count=6)


def gonio(cwd: Path, *args: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "gonio", *args]
    return subprocess.run(command, capture_output=True, text=True, cwd=cwd, check=False)


@pytest.fixture(scope="module")
def trained(dots: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict]:
    cwd = tmp_path_factory.mktemp("trained")
    done = gonio(cwd, "train", "dilated-cnn", f"data={dots}", *TINY, "--json")
    assert done.returncode == 0, done.stderr
    return cwd, json.loads(done.stdout)


def test_a_training_ends_with_a_model_that_the_store_takes(trained: tuple[Path, dict]) -> None:
    cwd, told = trained
    run = cwd / told["run"]
    assert told["status"] == "done"
    assert told["best"]["epoch"] >= 0
    model = ModelStore().resolve(run)
    assert model.card.task == "pose"
    assert model.card.load_skeleton().keypoints == ("white", "grey")
    assert model.card.training.command.endswith("--json")
    for name in ("recipe.yaml", "run.json", "model.safetensors", "metrics.csv", "curves.png"):
        assert (run / name).is_file()
    assert list((run / "samples").glob("*.png"))
    assert list((run / "tensorboard").iterdir())


def test_a_finished_run_has_nothing_to_go_on_with(trained: tuple[Path, dict]) -> None:
    run = trained[0] / trained[1]["run"]
    with pytest.raises(InputError, match="is done; there is nothing to go on with"):
        train(TrainSettings(str(run), resume=True))


def test_a_run_is_not_trained_anew_by_accident(trained: tuple[Path, dict]) -> None:
    run = trained[0] / trained[1]["run"]
    with pytest.raises(ConfigError, match="add --resume"):
        train(TrainSettings(str(run)))


@pytest.mark.parametrize(
    ("recipe", "overrides", "message"),
    [
        ("simple-basline", (), r"unknown recipe 'simple-basline' .did you mean 'simple-baseline'."),
        (
            "simple-baseline",
            ("optimizer.lrr=1",),
            r"recipe 'simple-baseline': unknown key 'optimizer.lrr' "
            r".did you mean 'optimizer.lr'.",
        ),
        ("simple-baseline", (), "recipe 'simple-baseline': names no data; give data=PATH"),
        ("simple-baseline", ("epochs",), "'epochs': not of the form key=value"),
    ],
)
def test_what_a_person_gets_wrong_is_said_before_anything_is_written(
    tmp_path: Path, recipe: str, overrides: tuple[str, ...], message: str
) -> None:
    with pytest.raises(GonioError, match=message):
        train(TrainSettings(recipe, overrides, out=tmp_path / "runs"))
    assert list(tmp_path.iterdir()) == []


def test_a_missing_image_is_named_before_anything_is_trained(dots: Path, tmp_path: Path) -> None:
    text = dots.read_text(encoding="utf-8").replace("3.png", "lost.png")
    (tmp_path / "labels.json").write_text(text, encoding="utf-8")
    overrides = (f"data={tmp_path / 'labels.json'}", f"data.images={dots.parent}", *TINY)
    with pytest.raises(InputError, match=r"lost\.png"):
        train(TrainSettings("dilated-cnn", overrides, out=tmp_path / "runs"))
    assert not (tmp_path / "runs").exists()
