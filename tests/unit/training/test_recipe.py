"""Recipes: what they inherit, what the command line changes, and what they refuse."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from gonio.configs import load_yaml, parse_overrides
from gonio.errors import ConfigError
from gonio.imaging import Clahe, Grey
from gonio.training import dump_recipe, load_recipe, make_recipe, recipe_names
from gonio.training.models import make_network

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("name", recipe_names())
def test_a_recipe_written_down_loads_to_the_same(name: str, tmp_path: Path) -> None:
    recipe = load_recipe(name)
    (tmp_path / "recipe.yaml").write_text(dump_recipe(recipe), encoding="utf-8")
    assert load_recipe(tmp_path / "recipe.yaml") == recipe
    assert make_recipe(load_yaml(dump_recipe(recipe))) == recipe


def test_an_own_recipe_changes_a_built_in_one_and_is_named_after_its_file(tmp_path: Path) -> None:
    file = tmp_path / "My-Squat.yaml"
    file.write_text("extends: dilated-cnn\noptimizer: {lr: 1e-2}\n", encoding="utf-8")
    base = load_recipe("dilated-cnn")
    recipe = load_recipe(file, parse_overrides(["trainer.epochs=7"]))
    assert (recipe.name, recipe.optimizer.lr, recipe.epochs) == ("my-squat", 0.01, 7)
    assert recipe.scheduler == base.scheduler
    assert recipe.network == base.network


def test_a_wrong_key_is_told_with_the_one_that_was_meant(tmp_path: Path) -> None:
    file = tmp_path / "own.yaml"
    file.write_text("extends: dilated-cnn\noptimizer: {lrr: 1}\n", encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        load_recipe(file)
    told = f"recipe '{file}': unknown key 'optimizer.lrr' (did you mean 'optimizer.lr'?)"
    assert str(caught.value) == told


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("trainer.batch_size=0", "trainer.batch_size: .*greater than 0"),
        ("trainer.precision=bf17-mixed", "trainer.precision: unknown value 'bf17-mixed' .did you"),
        ("loss.heatmap=null", "loss: no output has a loss"),
        ("trainer.validate_every=1000", "trainer.validate_every: with .* nothing would be"),
        ("optimizer.name=adamm", "optimizer.name: unknown value 'adamm' .did you mean 'adam'"),
        ("name=No Name", "name: "),
        ("input.filters=[{name: clahee}]", "input.filters.0: unknown value 'clahee' .did you mean"),
        ("input.filters=[{clip: 2}]", "key 'input.filters.0.name' is missing"),
        (
            "input.filters=[{name: grey}, {name: clahe, clp: 2}]",
            "unknown key 'input.filters.1.clp' .did you mean 'input.filters.1.clip'",
        ),
        ("input.filters=[{name: clahe, clip: 0}]", "input.filters.0.clip: .*greater than 0"),
        ("input.filters=[{name: grey, clip: 2}]", "unknown key 'input.filters.0.clip'"),
        ("stages=[{epoch: 1}]", "unknown key 'stages.0.epoch' .did you mean 'stages.0.epochs'"),
    ],
)
def test_a_value_that_does_not_fit_is_refused_where_it_stands(override: str, message: str) -> None:
    with pytest.raises(ConfigError, match=f"recipe 'dilated-cnn': {message}"):
        load_recipe("dilated-cnn", parse_overrides([override]))


def test_filters_are_part_of_a_recipe(tmp_path: Path) -> None:
    told = "extends: dilated-cnn\ninput: {filters: [{name: clahe, clip: 3}, {name: grey}]}\n"
    (tmp_path / "own.yaml").write_text(told, encoding="utf-8")
    recipe = load_recipe(tmp_path / "own.yaml")
    assert recipe.input.filters == (Clahe(clip=3), Grey())
    assert make_recipe(load_yaml(dump_recipe(recipe))) == recipe
    assert load_recipe(tmp_path / "own.yaml", parse_overrides(["input.filters=[]"])).input == (
        load_recipe("dilated-cnn").input
    )


def test_paths_hold_from_everywhere_once_anchored(tmp_path: Path) -> None:
    given = ["data.path=set/labels.json", "skeleton=own.toml", "network.pretrained=weights.pth"]
    recipe = load_recipe("simple-baseline", parse_overrides(given)).anchored(tmp_path)
    assert recipe.data.path == tmp_path / "set" / "labels.json"
    assert recipe.skeleton == str(tmp_path / "own.toml")
    assert recipe.network.pretrained == tmp_path / "weights.pth"


def test_a_window_needs_a_network_that_takes_images_of_any_size() -> None:
    window = ["augmentation.window.width=64", "augmentation.window.height=64"]
    for name in ("simcc", "resnet-fpn-attention"):
        recipe = load_recipe(name, parse_overrides([*window, "network.pretrained=false"]))
        with pytest.raises(ConfigError, match=r"augmentation\.window: this network takes images"):
            make_network(recipe, 17)
