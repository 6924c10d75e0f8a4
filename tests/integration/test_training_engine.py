"""The training engine on six drawn pictures: exact resuming, stages, failures."""

from __future__ import annotations

import errno
import os
import signal
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from gonio.configs import parse_overrides
from gonio.errors import GonioError, InputError, ModelError, OutputError
from gonio.training import NonFiniteError, load_recipe, read_metrics, read_run, train
from integration.dots import draw_dots

if TYPE_CHECKING:
    from pathlib import Path

    from gonio.training import Moment, Recipe, TrainingRun


@pytest.fixture(scope="module")
def dots(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return draw_dots(tmp_path_factory.mktemp("dots"))


def recipe(data: Path, *more: str) -> Recipe:
    overrides = (
        "data.split.fractions={train: 0.75, validation: 0.25}", "skeleton=null",
        f"data.path={data}",
        "input={width: 32, height: 32, crop: {source: image}}", "network.width=8",
        "network.pretrained=false", "trainer.epochs=3", "trainer.batch_size=2",
        "trainer.workers=0", "trainer.samples=0", "trainer.ema=0.9",
        "augmentation.noise={probability: 0.5}",
        "scheduler={name: cosine, milestones: null, gamma: null, warmup_steps: 2}",
    )  # fmt: skip
    return load_recipe("dilated-cnn", parse_overrides((*overrides, *more)))


def weights(run: TrainingRun) -> dict[str, torch.Tensor]:
    return load_file(run.folder / "model.safetensors")


def numbers(run: TrainingRun) -> list[dict[str, Any]]:
    rows = read_metrics(run.folder / "metrics.csv")
    return [{k: v for k, v in row.items() if "second" not in k and "time" not in k} for row in rows]


def same(one: TrainingRun, other: TrainingRun) -> None:
    np.testing.assert_equal(numbers(one), numbers(other))
    a, b = weights(one), weights(other)
    assert a.keys() == b.keys()
    assert all(torch.equal(a[name], b[name]) for name in a)


@pytest.fixture(scope="module")
def whole(dots: Path, tmp_path_factory: pytest.TempPathFactory) -> TrainingRun:
    return train(recipe(dots), folder=tmp_path_factory.mktemp("whole") / "run", device="cpu")


def stop_in(epoch: int) -> Any:
    """Press Ctrl-C in an epoch's second step."""

    def watch(moment: Moment) -> None:
        if moment.epoch == epoch and moment.done % 3 == 2:
            os.kill(os.getpid(), signal.SIGINT)

    return watch


def test_a_training_that_was_interrupted_ends_with_the_same_numbers(
    dots: Path, whole: TrainingRun, tmp_path: Path
) -> None:
    first = train(recipe(dots), folder=tmp_path / "run", device="cpu", watch=stop_in(1))
    assert first.status == "interrupted"
    assert read_run(tmp_path / "run")["status"] == "interrupted"
    assert len(numbers(first)) == 1
    again = train(recipe(dots), resume=tmp_path / "run", device="cpu")
    assert again.status == "done"
    same(whole, again)


def test_processes_that_prepare_samples_change_nothing(
    dots: Path, whole: TrainingRun, tmp_path: Path
) -> None:
    other = train(recipe(dots, "trainer.workers=2"), folder=tmp_path / "run", device="cpu")
    same(whole, other)


def test_a_frozen_part_stands_still(dots: Path, tmp_path: Path) -> None:
    stages = "stages=[{epochs: 1, train: [head]}]"
    run = train(recipe(dots, stages, "trainer.ema=null"), folder=tmp_path / "run", device="cpu")
    from gonio.training.models import make_network

    start = make_network(recipe(dots), 2).state_dict()
    moved = {n for n, v in weights(run).items() if not torch.equal(v, start[n])}
    assert moved
    assert all(name.startswith("head.") for name in moved)


def test_a_loss_that_is_no_number_ends_the_training_and_says_where(
    dots: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from gonio.training.losses import Losses

    calls, forward = [0], Losses.forward

    def broken(self: Any, *args: Any) -> Any:
        total, parts = forward(self, *args)
        calls[0] += 1
        return (total * float("nan"), parts) if calls[0] == 3 else (total, parts)

    monkeypatch.setattr(Losses, "forward", broken)
    with pytest.raises(
        NonFiniteError, match=r"epoch 0, step 2: the loss .* Images of the batch: 6\.png, 5\.png"
    ):
        train(recipe(dots), folder=tmp_path / "run", device="cpu")
    assert read_run(tmp_path / "run")["status"] == "failed"


def test_a_full_disk_leaves_the_last_good_checkpoint(
    dots: Path, whole: TrainingRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    saved, save = [0], torch.save

    def full(*args: Any, **kwargs: Any) -> None:
        saved[0] += 1
        if saved[0] > 2:  # the second epoch's
            raise OSError(errno.ENOSPC, "No space left on device")
        save(*args, **kwargs)

    with monkeypatch.context() as patch:
        patch.setattr(torch, "save", full)
        with pytest.raises(OutputError, match="the disk is full"):
            train(recipe(dots), folder=tmp_path / "run", device="cpu")
    again = train(recipe(dots), resume=tmp_path / "run", device="cpu")
    same(whole, again)


def test_a_damaged_checkpoint_and_one_of_other_keypoints_are_refused(
    dots: Path, tmp_path: Path
) -> None:
    train(recipe(dots), folder=tmp_path / "run", device="cpu", watch=stop_in(2))
    (tmp_path / "three").mkdir()
    three = draw_dots(tmp_path / "three", ("white", "grey", "dark"))
    with pytest.raises(GonioError, match="keypoints"):
        train(recipe(three), resume=tmp_path / "run", device="cpu")
    last = tmp_path / "run" / "checkpoints" / "last.ckpt"
    last.write_bytes(last.read_bytes()[:1000])
    with pytest.raises(ModelError, match=r"last\.ckpt"):
        train(recipe(dots), resume=tmp_path / "run", device="cpu")


def test_a_part_with_nobody_in_it_is_refused(dots: Path, tmp_path: Path) -> None:
    few = "data.split.fractions={train: 0.99, validation: 0.01}"
    with pytest.raises(InputError, match="'validation' would be empty"):
        train(recipe(dots, few), folder=tmp_path / "run", device="cpu")
    assert not (tmp_path / "run").exists()
