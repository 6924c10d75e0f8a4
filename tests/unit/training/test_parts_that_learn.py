"""Stages, optimizers and the moving average on a network of three layers."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from pydantic import ValidationError
from torch import nn

from gonio.configs import merge, parse_overrides
from gonio.errors import ConfigError, UnknownNameError
from gonio.training.ema import MovingAverage
from gonio.training.optimizers import make_optimizer, set_learning_rate
from gonio.training.recipe import Recipe, make_recipe
from gonio.training.settings import OptimizerSettings, StageSettings
from gonio.training.stages import Stage, apply_stage, plan_stages, stage_of


class Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.backbone = nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2))
        self.head = nn.Linear(2, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(self.backbone(x))


def recipe(*overrides: str) -> Recipe:
    values = {
        "name": "tiny",
        "input": {"width": 8, "height": 8},
        "network": {"builder": "simple_baseline"},
        "loss": {"heatmap": {"name": "mse"}},
        "trainer": {"epochs": 3},
    }
    return make_recipe(merge(values, parse_overrides(overrides)))


def learning(network: nn.Module) -> set[str]:
    return {name for name, p in network.named_parameters() if p.requires_grad}


def test_without_stages_everything_learns_all_the_time() -> None:
    assert plan_stages(recipe("optimizer.lr=0.5")) == [Stage(0, 0, 3, lr=0.5)]


def test_stages_follow_each_other_and_end_with_the_trainers_epochs() -> None:
    given = "stages=[{epochs: 2, train: [head]}, {epochs: 3, lr: 0.1}, {epochs: 4}]"
    stages = plan_stages(recipe(given, "trainer.epochs=null"))
    assert [(s.start, s.end) for s in stages] == [(0, 2), (2, 5), (5, 9)]
    assert [s.lr for s in stages] == [1e-3, 0.1, 1e-3]
    assert [stage_of(stages, e).index for e in (0, 1, 2, 4, 5, 8, 9)] == [0, 0, 1, 1, 2, 2, 2]
    cut = recipe(given, "trainer.epochs=4")
    assert [(s.start, s.end) for s in plan_stages(cut)] == [(0, 2), (2, 4)]
    assert cut.epochs == 4


def test_a_frozen_part_keeps_weights_and_statistics_still() -> None:
    network = Net()
    apply_stage(network, Stage(0, 0, 1, freeze=("backbone",)))
    assert learning(network) == {"head.weight", "head.bias"}
    assert not network.backbone[1].training
    before = network.backbone[1].running_mean.clone()
    network(torch.randn(8, 2))
    assert torch.equal(network.backbone[1].running_mean, before)
    apply_stage(network, Stage(1, 1, 2))
    assert len(learning(network)) == 6
    assert network.backbone[1].training


def test_only_the_named_parts_learn_down_to_a_layer() -> None:
    network = Net()
    apply_stage(network, Stage(0, 0, 1, train=("backbone.1",)))
    assert learning(network) == {"backbone.1.weight", "backbone.1.bias"}
    assert network.backbone[1].training
    assert not network.head.training


def test_a_part_that_does_not_exist_and_one_too_many_are_refused() -> None:
    with pytest.raises(UnknownNameError, match=r"stages.0.freeze: .*did you mean 'backbone'"):
        apply_stage(Net(), Stage(0, 0, 1, freeze=("bakbone",)))
    with pytest.raises(ConfigError, match="freezes everything"):
        apply_stage(Net(), Stage(0, 0, 1, freeze=("backbone", "head")))
    with pytest.raises(ValidationError, match="either 'train' or 'freeze'"):
        StageSettings(epochs=1, train=("head",), freeze=("backbone",))


@pytest.mark.parametrize(
    ("name", "options", "kind"),
    [
        ("adam", {"betas": (0.5, 0.9)}, torch.optim.Adam),
        ("adamw", {"eps": 1e-6}, torch.optim.AdamW),
        ("sgd", {"momentum": 0.9, "nesterov": True}, torch.optim.SGD),
        ("rmsprop", {"alpha": 0.9}, torch.optim.RMSprop),
    ],
)
def test_an_optimizer_gets_what_the_recipe_says(name: Any, options: dict, kind: type) -> None:
    settings = OptimizerSettings(name=name, lr=0.1, weight_decay=0.2, **options)
    optimizer = make_optimizer(Net(), settings)
    assert type(optimizer) is kind
    (group,) = optimizer.param_groups
    assert (group["lr"], group["weight_decay"], len(group["params"])) == (0.1, 0.2, 6)
    assert {option: group[option] for option in options} == options


def test_a_part_learns_at_its_own_pace_and_the_most_exact_name_wins() -> None:
    settings = OptimizerSettings(lr_factors={"backbone": 0.1, "backbone.1": 0.5})
    network = Net()
    optimizer = make_optimizer(network, settings)
    set_learning_rate(optimizer, 2.0)
    rates = {id(p): g["lr"] for g in optimizer.param_groups for p in g["params"]}
    by_name = {name: rates[id(p)] for name, p in network.named_parameters()}
    assert by_name["backbone.0.weight"] == 0.2
    assert by_name["backbone.1.bias"] == 1.0
    assert by_name["head.weight"] == 2.0
    with pytest.raises(UnknownNameError, match=r"optimizer.lr_factors"):
        make_optimizer(network, OptimizerSettings(lr_factors={"hed": 1.0}))


def test_an_optimizers_option_that_would_do_nothing_is_refused() -> None:
    with pytest.raises(ValidationError, match=r"'adam' has no 'momentum' .those that do: sgd"):
        OptimizerSettings(name="adam", momentum=0.9)


def test_the_average_follows_the_weights_by_its_formula() -> None:
    network = nn.Linear(1, 1, bias=False)
    nn.init.constant_(network.weight, 0.0)
    average, expected = MovingAverage(network, decay=0.3), 0.0
    for n in range(1, 6):
        nn.init.constant_(network.weight, float(n))
        average.update(network)
        decay = min(0.3, (1 + n) / (10 + n))
        expected = decay * expected + (1 - decay) * n
    assert float(average.weights()["weight"]) == pytest.approx(expected)


def test_the_average_is_lent_and_given_back_counts_of_batches_too() -> None:
    network = nn.BatchNorm1d(2)
    average = MovingAverage(network, decay=0.9)
    network(torch.randn(4, 2))
    average.update(network)
    own = {k: v.clone() for k, v in network.state_dict().items()}
    mean = average.weights()["running_mean"].clone()
    average.swap(network)
    assert torch.equal(network.running_mean, mean)
    assert int(network.num_batches_tracked) == 1
    average.swap(network)
    assert all(torch.equal(v, own[k]) for k, v in network.state_dict().items())


def test_the_average_is_taken_up_where_it_was_left() -> None:
    network = nn.Linear(2, 1)
    one = MovingAverage(network, decay=0.9)
    nn.init.constant_(network.weight, 1.0)
    one.update(network)
    other = MovingAverage(network, decay=0.9)
    other.load_state_dict(one.state_dict())
    nn.init.constant_(network.weight, 2.0)
    for average in (one, other):
        average.update(network)
    assert torch.equal(one.weights()["weight"], other.weights()["weight"])
