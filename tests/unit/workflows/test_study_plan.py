"""Studies as written down: which variants a budget compares, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from gonio.errors import ConfigError, UnknownNameError
from gonio.workflows.study import _recipe
from gonio.workflows.study_plan import (
    BUDGETS,
    datasets_of,
    find_budget,
    load_study,
    nested,
    study_names,
    variants_of,
)
from gonio.workflows.study_run import Source

SMALL = """
schema: gonio.study/1
base: simple-baseline
datasets:
  drawn: {drawn: {people: 100, seed: 3}}
  mine: {title: my photographs}
axes:
  depth: {shallow: {network.backbone: resnet18}, deep: {network.backbone: resnet50}}
  epochs: {short: {trainer.epochs: 2}, long: {trainer: {epochs: 9}}}
budgets:
  smoke:
    train: drawn
    validation: drawn
    tests: [drawn]
    datasets: {drawn: {drawn: {people: 5}}}
    keys: {trainer.batch_size: 4, trainer.epochs: 1}
    axes: {epochs: {long: {trainer.epochs: 3}}}
    choose: {depth: [deep]}
  full: {train: mine, validation: mine, tests: [mine, drawn], seeds: [0, 1, 2]}
"""


def written(folder: Path, text: str = SMALL) -> Path:
    file = folder / "depths.yaml"
    file.write_text(text)
    return file


def test_variants_are_all_combinations_and_the_budget_has_the_last_word(tmp_path: Path) -> None:
    study = load_study(written(tmp_path))
    assert study.name == "depths"
    full = variants_of(study, find_budget(study, "full"))
    assert [v.name for v in full] == ["shallow.short", "shallow.long", "deep.short", "deep.long"]
    assert full[1].keys == {"network": {"backbone": "resnet18"}, "trainer": {"epochs": 9}}
    smoke = variants_of(study, find_budget(study, "smoke"))
    assert [v.name for v in smoke] == ["deep.short", "deep.long"]
    assert smoke[0].keys["trainer"] == {"batch_size": 4, "epochs": 2}, "a variant's own wins"
    assert smoke[1].keys["trainer"] == {"batch_size": 4, "epochs": 3}
    assert smoke[1].place == {"depth": "deep", "epochs": "long"}


def test_about_a_center_one_axis_at_a_time_differs(tmp_path: Path) -> None:
    center = SMALL.replace("seeds: [0, 1, 2]", "center: {depth: deep, epochs: short}")
    study = load_study(written(tmp_path, center))
    found = variants_of(study, find_budget(study, "full"))
    assert [v.name for v in found] == ["shallow.short", "deep.short", "deep.long"]


def test_a_budget_changes_only_what_it_says_of_the_data(tmp_path: Path) -> None:
    study = load_study(written(tmp_path))
    smoke = datasets_of(study, find_budget(study, "smoke"))
    assert smoke["drawn"].drawn is not None
    assert (smoke["drawn"].drawn.people, smoke["drawn"].drawn.seed) == (5, 3)
    assert list(datasets_of(study, find_budget(study, "full"))) == ["mine", "drawn"]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("train: drawn", "train: drown", "unknown dataset 'drown' .*did you mean 'drawn'"),
        ("choose: {depth: [deep]}", "choose: {depth: [deap]}", "unknown value 'deap'.*'deep'"),
        ("choose: {depth: [deep]}", "choose: {deth: [deep]}", "unknown axis 'deth'.*'depth'"),
        ("choose: {depth: [deep]}", "center: {depth: deep}", "unknown value ''.*epochs|epochs.*''"),
        (
            "choose: {depth: [deep]}",
            "choose: {depth: [deep]}\n    center: {depth: shallow, epochs: long}",
            "unknown value 'shallow'",
        ),
        ("validation: drawn", "validations: drawn", "did you mean 'budgets.smoke.validation'"),
        ("axes:\n  depth", "variants: {a: {}}\naxes:\n  depth", "either 'variants' or 'axes'"),
        ("  smoke:", "  tiny:", "tiny"),
        ("tests: [drawn]", "tests: []", "tests"),
        ("{shallow:", "{Shallow+:", "name variants and values by"),
    ],
)
def test_what_does_not_fit_is_refused_with_its_place(
    tmp_path: Path, old: str, new: str, message: str
) -> None:
    assert old in SMALL
    with pytest.raises(ConfigError, match=message):
        load_study(written(tmp_path, SMALL.replace(old, new)))


def test_an_unknown_study_or_budget_offers_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'lower-body'"):
        load_study("lowerbody")
    with pytest.raises(UnknownNameError, match="did you mean 'smoke'"):
        find_budget(load_study(written(tmp_path)), "smok")


def test_dotted_keys_become_nested_ones() -> None:
    assert nested({"a.b": 1, "a": {"c": 2}, "d": 3}) == {"a": {"b": 1, "c": 2}, "d": 3}
    with pytest.raises(ConfigError, match=r"'a\.\.b' is no recipe key"):
        nested({"a..b": 1})


@pytest.mark.parametrize("name", study_names())
def test_every_built_in_study_has_every_budget_and_asks_something(name: str) -> None:
    study = load_study(name)
    assert tuple(study.budgets) == BUDGETS
    assert study.title
    assert study.about
    for budget in study.budgets.values():
        assert budget.title
        variants = variants_of(study, budget)
        assert len({v.name for v in variants}) == len(variants) >= 2


def test_the_studies_ask_what_the_documents_asked() -> None:
    names = {name: load_study(name) for name in ("lower-body", "posture-hrnet")}
    lower = variants_of(names["lower-body"], names["lower-body"].budgets["full"])
    assert len(lower) == 3 * 4 * 2, "subsets, networks, reductions"
    posture = variants_of(names["posture-hrnet"], names["posture-hrnet"].budgets["full"])
    assert [v.name for v in posture] == ["disc.w32", "disc.w48", "gaussian.w32", "gaussian.w48"]


@pytest.mark.parametrize("name", study_names())
def test_every_variant_of_every_budget_is_a_recipe_whose_network_can_be_built(name: str) -> None:
    from gonio.networks import builder_options

    study = load_study(name)
    somewhere = {data: Source(Path("labels.json")) for data in study.datasets}
    for budget in study.budgets.values():
        for variant in variants_of(study, budget):
            recipe = _recipe(study, budget, variant, 0, somewhere)
            options = builder_options(recipe.network.builder)
            options.model_validate(recipe.network.options)
