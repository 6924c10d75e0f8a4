"""What a study says: variants of one recipe, data, and how much is spent on comparing them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal, Self

from pydantic import Field, model_validator

from gonio.configs import ConfigKind, Settings, check_config, load_config, merge
from gonio.errors import ConfigError, UnknownNameError

if TYPE_CHECKING:
    from collections.abc import Mapping

STUDIES: Final = ConfigKind("study", Path(__file__).parents[1] / "studies")
BUDGETS: Final = ("smoke", "small", "full")
_JOIN: Final = "."

_NAME: Final = re.compile(r"[a-z0-9][a-z0-9_-]*")

Keys = dict[str, Any]
"""A recipe's keys, dotted (``network.builder``) or nested, and their values."""


class DrawnSet(Settings):
    """People drawn for the study.

    Attributes
    ----------
    people, seed
        How many, and what decides everything about them.
    skeleton
        Their keypoints.
    """

    people: int = Field(gt=0)
    seed: int = Field(0, ge=0)
    skeleton: str = "coco17"


class DatasetSettings(Settings):
    """Labels that a study uses.

    Attributes
    ----------
    title
        What the table calls them.
    drawn
        Draw them; None: they are given on the command line (``--data NAME=PATH``).
    optional
        Where they are not given, leave them out and say so, instead of refusing.
    """

    title: str = ""
    drawn: DrawnSet | None = None
    optional: bool = False


class BudgetSettings(Settings):
    """How much is spent: on what data, how long, with how many seeds.

    Attributes
    ----------
    title
        Of the table, in words.
    datasets
        What differs from the study's data.
    train, validation, tests
        Names of the data for each purpose. The validation chooses the best epoch.
    seeds
        Of the trainings; claims of order need three.
    keys
        Recipe keys of all variants; a variant's own win.
    axes
        What differs from the study's axes.
    choose
        Axis → the values compared; all where it is not named.
    center
        Axis → a value, for every axis: compared are this variant and those that differ from it
        in one axis alone; empty: all combinations.
    samples
        How many people the page shows across all variants.
    """

    title: str = ""
    datasets: dict[str, dict[str, Any]] = Field(default={})
    train: str
    validation: str
    tests: tuple[str, ...] = Field(min_length=1)
    seeds: tuple[int, ...] = Field((0,), min_length=1)
    keys: Keys = Field(default={})
    axes: dict[str, dict[str, Keys]] = Field(default={})
    choose: dict[str, tuple[str, ...]] = Field(default={})
    center: dict[str, str] = Field(default={})
    samples: int = Field(4, ge=0)


class Study(Settings):
    """A study, everything it extends resolved.

    Attributes
    ----------
    title, about
        In words; ``about`` says what is asked.
    base
        The recipe that all variants change: a built-in name or a path.
    metric
        What the table sorts by, measured on the first test data; larger is better.
    datasets
        Data by name.
    variants
        Variant → the recipe keys it changes.
    axes
        Axis → value → the recipe keys it changes; variants are all combinations, one value an
        axis, named by their values joined by dots.
    budgets
        ``smoke``: minutes, shows that everything works; ``small``: two hours on two cores;
        ``full``: what the question deserves.
    """

    schema_: Literal["gonio.study/1"] = Field("gonio.study/1", alias="schema")
    extends: None = None
    name: str = Field(pattern=r"^[a-z0-9][a-z0-9._-]*$")
    title: str = ""
    about: str = ""
    base: str
    metric: str = "pck@0.05:image"
    datasets: dict[str, DatasetSettings]
    variants: dict[str, Keys] = Field(default={})
    axes: dict[str, dict[str, Keys]] = Field(default={})
    budgets: dict[Literal["smoke", "small", "full"], BudgetSettings]

    @model_validator(mode="after")
    def _names_exist(self) -> Self:
        if bool(self.variants) == bool(self.axes):
            raise ValueError("name either 'variants' or 'axes'")
        for name in (*self.variants, *(v for values in self.axes.values() for v in values)):
            if not _NAME.fullmatch(name):
                raise ValueError(f"'{name}': name variants and values by a-z, 0-9, '-' and '_'")
        for name, budget in self.budgets.items():
            used = (budget.train, budget.validation, *budget.tests)
            _check_known("dataset", used, self.datasets, f"budgets.{name}")
            _check_known("dataset", budget.datasets, self.datasets, f"budgets.{name}.datasets")
            _check_known("axis", (*budget.axes, *budget.choose), self.axes, f"budgets.{name}")
            for axis, values in [*budget.axes.items(), *budget.choose.items()]:
                _check_known("value", values, self.axes[axis], f"budgets.{name}: {axis}")
            if budget.center:
                _check_known("axis", budget.center, self.axes, f"budgets.{name}.center")
                for axis, own in self.axes.items():
                    chosen = budget.choose.get(axis, tuple(own))
                    value = (budget.center.get(axis, ""),)
                    _check_known("value", value, chosen, f"budgets.{name}.center: {axis}")
        return self


@dataclass(frozen=True)
class Variant:
    """One of what is compared.

    Attributes
    ----------
    name
        Of its folder, too.
    place
        Axis → value; empty where the study has no axes.
    keys
        Nested recipe keys that it changes, the budget's included.
    """

    name: str
    place: dict[str, str]
    keys: dict[str, Any]


def study_names() -> list[str]:
    """Return the names of the built-in studies, sorted."""
    return STUDIES.names()


def load_study(name_or_path: str | Path) -> Study:
    """Load a built-in study by name, or a user's YAML file by path.

    Raises
    ------
    UnknownNameError
        If no built-in study has the name.
    ConfigError
        If a file is missing, is no YAML, says an unknown key or a wrong value, or extends
        itself.
    """
    named = {"name": STUDIES.find(name_or_path).stem.lower()}
    return load_config(name_or_path, Study, STUDIES, defaults=named)


def find_budget(study: Study, name: str) -> BudgetSettings:
    """Return a budget, its data completed.

    Raises
    ------
    UnknownNameError
        If the study has no such budget.
    """
    for known, budget in study.budgets.items():
        if known == name:
            return budget
    raise UnknownNameError("budget", name, study.budgets, where=f"study '{study.name}'")


def datasets_of(study: Study, budget: BudgetSettings) -> dict[str, DatasetSettings]:
    """Return the data that a budget uses, by name, in the order train, validation, tests.

    Raises
    ------
    ConfigError
        If what the budget says about them does not fit.
    """
    used = dict.fromkeys((budget.train, budget.validation, *budget.tests))
    found = {}
    for name in used:
        values = merge(study.datasets[name].model_dump(), budget.datasets.get(name, {}))
        where = f"study '{study.name}': dataset '{name}'"
        found[name] = check_config(values, DatasetSettings, where)
    return found


def variants_of(study: Study, budget: BudgetSettings) -> list[Variant]:
    """Return what a budget compares, in the study's order.

    Parameters
    ----------
    study, budget
        The study, and one of its budgets.
    """
    common = nested(budget.keys)
    if study.variants:
        return [
            Variant(name, {}, merge(common, nested(keys))) for name, keys in study.variants.items()
        ]
    values = {
        axis: [v for v in own if v in budget.choose.get(axis, tuple(own))]
        for axis, own in study.axes.items()
    }
    variants = []
    for chosen in product(*values.values()):
        place = dict(zip(values, chosen, strict=True))
        if sum(place[axis] != value for axis, value in budget.center.items()) > 1:
            continue
        keys = common
        for axis, value in place.items():
            keys = merge(keys, nested(study.axes[axis][value]))
            keys = merge(keys, nested(budget.axes.get(axis, {}).get(value, {})))
        variants.append(Variant(_JOIN.join(chosen), place, keys))
    return variants


def nested(keys: Mapping[str, Any]) -> dict[str, Any]:
    """Turn dotted keys into nested ones.

    Raises
    ------
    ConfigError
        If a key is empty between its dots.
    """
    values: dict[str, Any] = {}
    for key, told in keys.items():
        parts = str(key).split(".")
        if not all(parts):
            raise ConfigError(f"study: '{key}' is no recipe key")
        value = told
        for part in reversed(parts):
            value = {part: value}
        values = merge(values, value)
    return values


def _check_known(kind: str, names: Any, known: Any, where: str) -> None:
    for name in names:
        if name not in known:
            raise ValueError(str(UnknownNameError(kind, name, known, where=where)))
