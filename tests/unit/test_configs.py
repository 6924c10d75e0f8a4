"""Configurations in YAML: what extends what, what replaces what, and what is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from gonio.configs import (
    ConfigKind,
    Settings,
    check_config,
    dump_config,
    load_config,
    load_yaml,
    merge,
    parse_overrides,
)
from gonio.errors import ConfigError, UnknownNameError

if TYPE_CHECKING:
    from pathlib import Path


class Engine(Settings):
    power: float = 1.0
    fuel: str = "none"


class Wheel(Settings):
    size: int = 1


class Car(Settings):
    name: str
    extends: None = None
    engine: Engine = Engine()
    wheels: dict[str, Wheel | None] = {}  # noqa: RUF012 - pydantic copies defaults
    seats: tuple[int, ...] = ()


@pytest.fixture
def kind(tmp_path: Path) -> ConfigKind:
    (tmp_path / "built-in").mkdir()
    (tmp_path / "built-in" / "base.yaml").write_text(
        "name: base\nengine: {power: 1e-3, fuel: air}\nseats: [1, 2, 3]\n", encoding="utf-8"
    )
    return ConfigKind("car", tmp_path / "built-in")


def write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def test_a_file_says_only_what_differs_from_what_it_extends(
    kind: ConfigKind, tmp_path: Path
) -> None:
    file = write(tmp_path / "own.yaml", "extends: base\nname: own\nengine: {power: 2}\nseats: [9]")
    car = load_config(file, Car, kind)
    assert car == Car(name="own", engine=Engine(power=2, fuel="air"), seats=(9,))


def test_the_name_is_never_inherited_but_may_have_a_default(
    kind: ConfigKind, tmp_path: Path
) -> None:
    file = write(tmp_path / "own.yaml", "extends: base")
    with pytest.raises(ConfigError, match="key 'name' is missing"):
        load_config(file, Car, kind)
    assert load_config(file, Car, kind, defaults={"name": "own"}).name == "own"


def test_what_the_command_line_says_wins(kind: ConfigKind) -> None:
    overrides = parse_overrides(["engine.power=5", "engine.power=1e-2", "seats=[4]"])
    car = load_config("base", Car, kind, overrides=overrides)
    assert (car.engine.power, car.engine.fuel, car.seats) == (0.01, "air", (4,))


def test_a_short_key_stands_for_a_long_one_unless_it_holds_keys() -> None:
    short = {"data": "data.path"}
    assert parse_overrides(["data=a.json"], short_for=short) == {"data": {"path": "a.json"}}
    whole = parse_overrides(["data={path: b.json}"], short_for=short)
    assert whole == {"data": {"path": "b.json"}}


@pytest.mark.parametrize("text", ["epochs", "=3", "a..b=1", "a={"])
def test_a_text_that_is_no_key_and_value_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match=r"not of the form key=value|no valid YAML"):
        parse_overrides([text])


def test_another_builder_brings_its_own_options() -> None:
    base = {"network": {"builder": "tall", "height": 3}, "n": 1}
    merged = merge(base, {"network": {"builder": "wide", "width": 2}})
    assert merged == {"network": {"builder": "wide", "width": 2}, "n": 1}
    assert merge(base, {"network": {"height": 4}})["network"] == {"builder": "tall", "height": 4}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name: a\nengine: {powr: 1}", r"unknown key 'engine.powr' .did you mean 'engine.power'"),
        (
            "name: a\nwheels: {left: {siz: 1}}",
            r"'wheels.left.siz' .did you mean 'wheels.left.size'",
        ),
        ("name: a\nengine: {power: fast}", r"engine.power: Input should be a valid number"),
        ("- 1", "holds no keys"),
        ("name: [", "not valid YAML"),
    ],
)
def test_what_is_wrong_is_named_with_its_whole_path(
    kind: ConfigKind, tmp_path: Path, text: str, message: str
) -> None:
    file = write(tmp_path / "own.yaml", text)
    with pytest.raises(ConfigError, match=message) as caught:
        load_config(file, Car, kind)
    assert str(caught.value).startswith(f"car '{file}': ")


def test_a_wrong_key_is_told_of_the_file_that_says_it(kind: ConfigKind, tmp_path: Path) -> None:
    base = write(tmp_path / "wrong.yaml", "name: a\nseat: [1]")
    file = write(tmp_path / "own.yaml", "name: b\nextends: wrong.yaml")
    with pytest.raises(ConfigError, match=r"unknown key 'seat' .did you mean 'seats'") as caught:
        load_config(file, Car, kind)
    assert str(base) in str(caught.value)


def test_an_unknown_name_and_a_circle_are_refused(kind: ConfigKind, tmp_path: Path) -> None:
    with pytest.raises(UnknownNameError, match=r"unknown car 'bace' .did you mean 'base'"):
        load_config("bace", Car, kind)
    with pytest.raises(ConfigError, match=r"no such file .built in: base"):
        load_config(tmp_path / "none.yaml", Car, kind)
    write(tmp_path / "one.yaml", "extends: two.yaml")
    write(tmp_path / "two.yaml", "extends: one.yaml")
    with pytest.raises(ConfigError, match=r"extends itself: one.yaml → two.yaml → one.yaml"):
        load_config(tmp_path / "one.yaml", Car, kind)


def test_numbers_are_those_of_yaml_1_2() -> None:
    assert load_yaml("[1e-3, -2E4, 1.5e3, 12, .5]") == [1e-3, -2e4, 1500.0, 12, 0.5]
    assert load_yaml("1e") == "1e"


def test_what_is_written_down_loads_to_the_same() -> None:
    car = Car(name="a", engine=Engine(power=1e-7), wheels={"left": Wheel(size=3), "right": None})
    assert check_config(load_yaml(dump_config(car)), Car, "car") == car
