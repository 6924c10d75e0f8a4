"""Learning rates against torch's own schedulers, and what they take up again."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from pydantic import ValidationError
from torch.optim.lr_scheduler import CosineAnnealingLR, MultiStepLR, ReduceLROnPlateau, StepLR

from gonio.training.schedulers import Schedule
from gonio.training.settings import SchedulerSettings

EPOCHS = 12


def factors(**settings: Any) -> list[float]:
    schedule = Schedule(SchedulerSettings(**settings), "val_loss")
    return [schedule.factor(epoch=e, epochs=EPOCHS, step=100 * e) for e in range(EPOCHS)]


@pytest.mark.parametrize(
    ("settings", "theirs"),
    [
        ({"name": "step", "every": 5, "gamma": 0.8}, lambda o: StepLR(o, 5, 0.8)),
        (
            {"name": "multistep", "milestones": [3, 7], "gamma": 0.5},
            lambda o: MultiStepLR(o, [3, 7], 0.5),
        ),
        ({"name": "cosine"}, lambda o: CosineAnnealingLR(o, EPOCHS)),
        ({"name": "cosine", "floor": 0.1}, lambda o: CosineAnnealingLR(o, EPOCHS, eta_min=0.1)),
        ({"name": "none"}, lambda o: StepLR(o, 1000)),
    ],
)
def test_each_epoch_has_the_rate_that_torch_gives_it(settings: dict, theirs: Any) -> None:
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    scheduler, expected = theirs(optimizer), []
    for _ in range(EPOCHS):
        expected.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    assert factors(**settings) == pytest.approx(expected)


def test_a_warm_up_rises_in_a_straight_line_and_then_lets_the_schedule_be() -> None:
    settings = SchedulerSettings(name="none", warmup_steps=4, warmup_start=0.2)
    schedule = Schedule(settings, "loss")
    rates = [schedule.factor(epoch=0, epochs=1, step=s) for s in range(6)]
    assert rates == pytest.approx([0.2, 0.4, 0.6, 0.8, 1.0, 1.0])


LOSSES = [5.0, 4.0, 4.0, 4.0, 4.0, 3.0, 3.0, 3.0, 3.0, 3.0, 3.0, 3.0]
PLATEAU = {"name": "reduce_on_plateau", "patience": 1, "gamma": 0.5, "floor": 0.2}


def run(schedule: Schedule, losses: list[float]) -> list[float]:
    rates = []
    for loss in losses:
        rates.append(schedule.factor(epoch=0, epochs=1, step=10**6))
        schedule.see({"val_loss": loss})
    return rates


def test_a_plateau_is_torchs_plateau() -> None:
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    theirs = ReduceLROnPlateau(optimizer, patience=1, factor=0.5, min_lr=0.2, threshold=1e-4)
    expected = []
    for loss in LOSSES:
        expected.append(optimizer.param_groups[0]["lr"])
        theirs.step(loss)
    rates = run(Schedule(SchedulerSettings(**PLATEAU), "val_loss"), LOSSES)
    assert rates == expected
    assert rates[-1] == 0.2


def test_a_plateau_goes_on_after_an_interruption_as_if_there_had_been_none() -> None:
    settings = SchedulerSettings(**PLATEAU)
    whole = run(Schedule(settings, "val_loss"), LOSSES)
    for cut in range(1, len(LOSSES)):
        first, second = Schedule(settings, "val_loss"), Schedule(settings, "val_loss")
        rates = run(first, LOSSES[:cut])
        second.load_state_dict(first.state_dict())
        assert rates + run(second, LOSSES[cut:]) == whole


def test_an_epoch_without_a_validation_is_no_sign_of_a_plateau() -> None:
    schedule = Schedule(SchedulerSettings(**PLATEAU), "val_loss")
    for _ in range(10):
        schedule.see({"loss": 1.0})
    assert schedule.factor(epoch=0, epochs=1, step=0) == 1.0


def test_what_is_better_upward_is_watched_upward() -> None:
    settings = SchedulerSettings(**PLATEAU, monitor="pck@0.05:image")
    schedule = Schedule(settings, "val_loss")
    for share in (0.1, 0.2, 0.3, 0.4, 0.5):
        schedule.see({"pck@0.05:image": share})
    assert schedule.factor(epoch=0, epochs=1, step=0) == 1.0


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"name": "cosine", "every": 3}, "'cosine' has no 'every' .those that do: step"),
        ({"name": "step"}, "'step' needs 'every'"),
        ({"name": "multistep"}, "'multistep' needs 'milestones'"),
        ({"name": "none", "gamma": 0.1}, "'none' has no 'gamma'"),
    ],
)
def test_an_option_that_would_do_nothing_is_refused(settings: dict, message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        SchedulerSettings(**settings)
