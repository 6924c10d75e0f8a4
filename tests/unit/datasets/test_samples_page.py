"""The page about samples says what the settings are."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest
import yaml
from pydantic import TypeAdapter

from gonio import datasets
from gonio.imaging import Filter, Filters

PAGE = (Path(__file__).resolve().parents[3] / "docs" / "samples.md").read_text(encoding="utf-8")


def block(language: str) -> str:
    found = re.search(rf"^```{language}\n(.*?)^```$", PAGE, flags=re.DOTALL | re.MULTILINE)
    assert found is not None
    return found.group(1)


def test_the_settings_shown_can_be_used() -> None:
    shown = yaml.safe_load(block("yaml"))
    assert datasets.InputSettings(**shown["input"]).crop.padding == 1.25
    assert datasets.TargetSettings(**shown["target"]) == datasets.TargetSettings()
    chance = datasets.AugmentationSettings(**shown["augmentation"])
    assert chance.rotate is not None
    assert chance.rotate.max_deg == 30


def test_the_python_shown_runs() -> None:
    scope: dict[str, object] = {}
    exec(block("python"), scope)
    made = scope["sample"](0, np.zeros((240, 320, 3), np.uint8))  # type: ignore[operator]
    assert made.targets["heatmap"].shape == (6, 64, 48)


@pytest.mark.parametrize("name", datasets.AugmentationSettings.model_fields)
def test_every_change_is_on_the_page_with_its_defaults(name: str) -> None:
    row = re.search(rf"^\| `{name}` \|.*$", PAGE, flags=re.MULTILINE)
    assert row is not None
    needed = {"width": 8, "height": 8} if name == "window" else {"probability": 1}
    chance = datasets.AugmentationSettings(**{name: needed})
    for key, value in getattr(chance, name).model_dump().items():
        if key not in needed:
            assert f"`{key}`" in row.group()
            assert re.search(rf"\b{value:g}\b", row.group()), (key, value)


@pytest.mark.parametrize("name", datasets.TargetSettings.model_fields)
def test_every_target_setting_is_on_the_page(name: str) -> None:
    assert re.search(rf"\b{name}\b", PAGE)


@pytest.mark.parametrize("kind", get_args(get_args(Filter)[0]))
def test_every_filter_is_on_the_page_with_its_defaults(kind: Any) -> None:
    section = PAGE[PAGE.index("## Filters") :]
    row = re.search(rf"^\| `{kind().name}` \|.*$", section, flags=re.MULTILINE)
    assert row is not None
    for key, value in kind().model_dump(exclude={"name"}).items():
        assert f"`{key}`" in row.group()
        told = value if isinstance(value, str) else f"{value:g}"
        assert re.search(rf"\b{told}\b", row.group()), (key, value)


def test_the_filters_shown_can_be_used() -> None:
    shown = re.findall(r"^  filters: (.*)$", PAGE, flags=re.MULTILINE)
    assert shown
    for text in shown:
        assert TypeAdapter(Filters).validate_python(yaml.safe_load(text))
