"""What a training leaves, what a stop leaves behind, and what goes on exactly after one."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from gonio.configs import parse_overrides
from gonio.errors import InputError, OutputError
from gonio.training import load_recipe, load_run, read_metrics, read_run, train
from integration.dots import draw_dots

if TYPE_CHECKING:
    from pathlib import Path

    from gonio.training import Moment, Recipe, TrainingRun

TINY = (
    "skeleton=null", "input={width: 32, height: 32, crop: {source: image}}", "network.width=8",
    "network.pretrained=false", "trainer.epochs=4", "trainer.batch_size=2", "trainer.workers=0",
    "trainer.samples=0", "data.split.fractions={train: 0.75, validation: 0.25}",
)  # fmt: skip


@pytest.fixture(scope="module")
def dots(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return draw_dots(tmp_path_factory.mktemp("dots"))


def recipe(data: Path, *more: str) -> Recipe:
    return load_recipe("dilated-cnn", parse_overrides((f"data.path={data}", *TINY, *more)))


def same(one: TrainingRun, other: TrainingRun) -> None:
    rows = [read_metrics(run.folder / "metrics.csv") for run in (one, other)]
    np.testing.assert_equal(rows[0], rows[1])
    a, b = (load_file(run.folder / "model.safetensors") for run in (one, other))
    assert a.keys() == b.keys()
    assert all(torch.equal(a[name], b[name]) for name in a)


def stop_in(epoch: int) -> Any:
    """Press Ctrl-C in an epoch's second step."""

    def watch(moment: Moment) -> None:
        if moment.stage == "Training" and moment.epoch == epoch and moment.done % 3 == 2:
            os.kill(os.getpid(), signal.SIGINT)

    return watch


def test_a_training_leaves_a_whole_run(dots: Path, tmp_path: Path) -> None:
    asked = recipe(dots, "trainer.samples=2", "trainer.epochs=2")
    run = train(asked, out=tmp_path / "runs", device="cpu", command="gonio train x")
    assert run.folder.parent == tmp_path / "runs"
    assert run.folder.name.startswith("dilated-cnn-")
    for name in (
        "recipe.yaml", "run.json", "model.safetensors", "model.card.json", "metrics.csv",
        "checkpoints/last.ckpt", "checkpoints/best.ckpt", "curves.png", "curves.html",
        "samples/train.png", "samples/validation.png",
    ):  # fmt: skip
        assert (run.folder / name).is_file(), name
    assert not list(run.folder.rglob("*.part*"))
    facts = read_run(run.folder)
    assert (facts["status"], facts["epoch"], facts["seed"]) == ("done", 2, 0)
    assert facts["command"] == "gonio train x"
    assert facts["keypoints"] == ["white", "grey"]
    assert facts["data"]["train"]["people"] == 6
    assert len(facts["data_sha256"]) == 64
    assert "torch" in facts["versions"]
    assert load_recipe(run.folder / "recipe.yaml") == asked
    assert load_run(run.folder).card.training.data_sha256 == facts["data_sha256"]


def test_half_the_bits_learn_about_the_same_on_a_processor_too(dots: Path, tmp_path: Path) -> None:
    rows = []
    for precision in ("32", "bf16-mixed"):
        asked = recipe(dots, f"trainer.precision={precision}")
        run = train(asked, out=tmp_path / precision, device="cpu")
        assert load_file(run.folder / "model.safetensors")["head.heatmap.weight"].dtype is (
            torch.float32
        )
        rows.append(read_metrics(run.folder / "metrics.csv"))
    losses = np.array([[float(row["loss"]) for row in of] for of in rows])
    assert (losses[0] != losses[1]).any()
    np.testing.assert_allclose(losses[1], losses[0], rtol=0.05)


def test_a_network_learns_from_windows_and_is_validated_on_whole_images(
    dots: Path, tmp_path: Path
) -> None:
    window = "augmentation.window={width: 16, height: 16, elsewhere: 0.2}"
    asked = recipe(dots, window, "trainer.epochs=2", "trainer.samples=2")
    run = train(asked, out=tmp_path, device="cpu")
    model = load_run(run.folder)
    assert (model.card.input.width, model.card.input.height) == (32, 32)
    assert np.isfinite(
        [float(r["val_loss"]) for r in read_metrics(run.folder / "metrics.csv")]
    ).all()


@pytest.mark.parametrize(
    "more",
    [
        (
            "stages=[{epochs: 2, train: [head]}, {epochs: 2, lr: 0.01}]",
            "trainer.accumulate=2",
            "trainer.workers=2",
        ),
        (
            "scheduler={name: reduce_on_plateau, milestones: null, patience: 0, threshold: 0.9}",
            "optimizer.lr=0.01",
            "trainer.workers=1",
            "trainer.early_stopping={patience: 3}",
        ),
    ],
    ids=["stages", "plateau"],
)
def test_it_goes_on_exactly_from_each_epoch_it_is_stopped_in(
    dots: Path, tmp_path: Path, more: tuple[str, ...]
) -> None:
    asked = recipe(dots, *more)
    whole = train(asked, folder=tmp_path / "whole", device="cpu")
    broken = tmp_path / "broken"
    train(asked, folder=broken, device="cpu", watch=stop_in(1))
    for epoch in (2, 3):
        stopped = train(asked, resume=broken, device="cpu", watch=stop_in(epoch))
        assert stopped.status == "interrupted"
    last = train(asked, resume=broken, device="cpu")
    assert last.status == whole.status
    same(whole, last)


def test_the_board_has_each_epoch_once_after_a_stop(dots: Path, tmp_path: Path) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    asked = recipe(dots)
    train(asked, folder=tmp_path / "run", device="cpu", watch=stop_in(2))
    train(asked, resume=tmp_path / "run", device="cpu")
    board = EventAccumulator(str(tmp_path / "run" / "tensorboard")).Reload()
    events = board.Scalars("loss")
    assert [event.step for event in events] == [0, 1, 2, 3]
    losses = [row["loss"] for row in read_metrics(tmp_path / "run" / "metrics.csv")]
    assert [event.value for event in events] == pytest.approx(losses)


def test_the_program_has_its_own_signals_back_after_a_stop(dots: Path, tmp_path: Path) -> None:
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    train(recipe(dots), folder=tmp_path / "run", device="cpu", watch=stop_in(1))
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == before


def test_a_best_epoch_that_was_not_copied_is_copied_on_going_on(
    dots: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The process may be killed after the last checkpoint and before the best."""
    from gonio.training import keeping

    asked = recipe(dots, "trainer.monitor=loss", "trainer.epochs=2", "optimizer.lr=0.001")
    whole = train(asked, folder=tmp_path / "whole", device="cpu")
    assert read_run(whole.folder)["best"]["epoch"] == 1
    copied, copy = [0], keeping.copy_checkpoint

    def killed(*args: Any) -> None:
        copied[0] += 1
        if copied[0] == 2:
            raise OutputError("killed")
        copy(*args)

    with monkeypatch.context() as patch:
        patch.setattr(keeping, "copy_checkpoint", killed)
        with pytest.raises(OutputError, match="killed"):
            train(asked, folder=tmp_path / "run", device="cpu")
    same(whole, train(asked, resume=tmp_path / "run", device="cpu"))
    assert read_run(tmp_path / "run")["best"] == read_run(whole.folder)["best"]


def test_one_keypoint_can_be_learned_from_pictures_without_validation(tmp_path: Path) -> None:
    asked = recipe(draw_dots(tmp_path, ("white",), count=2), "data.split=null", "trainer.epochs=1")
    run = train(asked, folder=tmp_path / "run", device="cpu")
    (row,) = read_metrics(run.folder / "metrics.csv")
    assert row["loss"] > 0
    assert "val_loss" not in row
    assert len(load_run(run.folder).card.load_skeleton().keypoints) == 1


@pytest.mark.parametrize("workers", [0, 1])
def test_a_picture_that_breaks_while_it_trains_is_named(tmp_path: Path, workers: int) -> None:
    data = draw_dots(tmp_path, ("white",))

    def breaks(moment: Moment) -> None:
        for image in tmp_path.glob("*.png") if moment.stage == "Training" else ():
            image.write_bytes(b"no picture")

    more = (f"trainer.workers={workers}", "trainer.cache_mb=0")
    with pytest.raises(InputError, match=r"\.png") as caught:
        train(recipe(data, *more), folder=tmp_path / "run", device="cpu", watch=breaks)
    assert "Traceback" not in str(caught.value)


@pytest.mark.slow
def test_two_processes_learn_about_what_one_learns(dots: Path, tmp_path: Path) -> None:
    """The same pictures a step; only the batch normalization sees half of them."""
    losses = []
    for devices, batch in ((1, 2), (2, 1)):
        command = [sys.executable, "-m", "gonio", "train", "dilated-cnn", f"data={dots}", *TINY]
        command += [f"trainer.devices={devices}", f"trainer.batch_size={batch}"]
        command += ["--device", "cpu", "--out", str(tmp_path / str(devices)), "--json"]
        done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        rows = read_metrics(tmp_path / json.loads(done.stdout)["run"] / "metrics.csv")
        losses.append([row["loss"] for row in rows])
    assert len(losses[0]) == len(losses[1]) == 4
    assert losses[1] == pytest.approx(losses[0], rel=0.3)
