"""What the documentation shows is what the program takes."""

from __future__ import annotations

import inspect
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from pydantic import BaseModel

from gonio.poses import make_poses, save_poses
from gonio.protocols import ProtocolSpec, load_protocol
from gonio.runtime import Card, load_card
from gonio.runtime.cards import ModelSource
from gonio.skeletons import load_skeleton
from gonio.tracking import OPERATIONS, butterworth, check_steps
from gonio.workflows.study_plan import datasets_of, find_budget, load_study, variants_of

DOCS = Path(__file__).resolve().parents[2] / "docs"


def blocks(page: str, language: str) -> list[str]:
    text = (DOCS / page).read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```$", text, flags=re.DOTALL | re.MULTILINE)


@pytest.fixture
def protocols(tmp_path: Path) -> dict[str, ProtocolSpec]:
    """The page's examples, written under the names they say."""
    found = blocks("protocols.md", "yaml")
    names = [block.split("\n", 1)[0].removeprefix("# ") for block in found]
    for name, block in zip(names, found, strict=True):
        (tmp_path / name).write_text(block, encoding="utf-8")
    return {name: load_protocol(tmp_path / name) for name in names}


def test_the_protocols_shown_can_be_used(protocols: dict[str, ProtocolSpec]) -> None:
    assert list(protocols) == ["legs.yaml", "slow.yaml", "left.yaml", "mirror.yaml"]
    for spec in protocols.values():
        check_steps(spec.processing)
    assert protocols["legs.yaml"].angles == ("knee", "hip")
    assert protocols["left.yaml"].processing == protocols["slow.yaml"].processing


def test_the_protocol_for_slow_cameras_differs_in_the_cutoff_alone_and_takes_what_it_says(
    protocols: dict[str, ProtocolSpec],
) -> None:
    *steps, last = protocols["slow.yaml"].processing
    *general, filter_ = load_protocol("general").processing
    assert steps == general
    assert filter_ | {"cutoff_hz": last["cutoff_hz"]} == last
    assert "from 8 frames per second" in protocols["slow.yaml"].title
    skeleton = load_skeleton("lower6")
    nobody = np.empty((9, 2, 6, 0))
    slow = make_poses(nobody, nobody[:, 0], time_s=np.arange(9) / 8, skeleton=skeleton)
    butterworth(slow, cutoff_hz=last["cutoff_hz"])


def test_every_key_operation_and_argument_is_explained() -> None:
    pages = [DOCS / "protocols.md", DOCS / "filters.md"]
    page = "".join(path.read_text(encoding="utf-8") for path in pages)
    keys = [field.alias or name for name, field in ProtocolSpec.model_fields.items()]
    arguments = [
        parameter.name
        for operation in OPERATIONS.values()
        for parameter in inspect.signature(operation).parameters.values()
        if parameter.kind is parameter.KEYWORD_ONLY
    ]
    assert [name for name in [*keys, *OPERATIONS, *arguments] if f"`{name}`" not in page] == []


def keys_of(part: type[BaseModel]) -> set[str]:
    return {field.alias or name for name, field in part.model_fields.items()}


def test_the_card_shown_is_complete_and_read(tmp_path: Path) -> None:
    (block,) = (block for block in blocks("models.md", "yaml") if "name: mymodel" in block)
    (tmp_path / "card.yaml").write_text(block, encoding="utf-8")
    card = load_card(tmp_path / "card.yaml")
    values: dict[str, Any] = yaml.safe_load(block)
    assert set(values) == keys_of(Card)
    for part in ("input", "output", "training"):
        assert set(values[part]) == keys_of(type(getattr(card, part))), part
    assert set(values["input"]["crop"]) == keys_of(type(card.input.crop))
    assert {key for source in values["source"] for key in source} == keys_of(ModelSource)


# netCDF4 was built for another NumPy, says the one that is here; it works.
@pytest.mark.filterwarnings("ignore:numpy.ndarray size changed:RuntimeWarning")
def test_the_line_that_opens_tracks_for_movement_opens_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kinematics = pytest.importorskip("movement.kinematics")
    datasets = pytest.importorskip("movement.validators.datasets")
    (shown,) = (block for block in blocks("files.md", "python") if "xarray" in block)
    folder = tmp_path / "results" / "walk"
    folder.mkdir(parents=True)
    skeleton = load_skeleton("lower6")
    position = np.zeros((5, 2, 6, 1))
    position[:, 0] = np.arange(5)[:, None, None]
    time_s = np.arange(5) / 10
    poses = make_poses(position, position[:, 0] * 0 + 1, time_s=time_s, skeleton=skeleton, fps=10)
    save_poses(folder / "poses.nc", poses, raw=poses)
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {}
    exec(shown, names)
    datasets.ValidPosesInputs.validate(names["poses"])
    velocity = kinematics.compute_velocity(names["poses"].position)
    np.testing.assert_allclose(velocity.sel(space="x"), 10)


def test_the_study_shown_can_be_run(tmp_path: Path) -> None:
    (block,) = blocks("studies.md", "yaml")
    (tmp_path / "depth.yaml").write_text(block, encoding="utf-8")
    study = load_study(tmp_path / "depth.yaml")
    budget = find_budget(study, "smoke")
    assert [v.name for v in variants_of(study, budget)] == ["r18", "r50"]
    assert list(datasets_of(study, budget)) == ["train", "held-out", "clinic"]
