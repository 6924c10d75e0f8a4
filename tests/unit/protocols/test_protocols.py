"""Protocols: shipped ones load, a user's extend them, and mistakes are named with their place."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

import pytest
import yaml

from gonio.analysis.angles import ANGLES, angle_names
from gonio.errors import ConfigError, UnknownNameError
from gonio.protocols import ProtocolSpec, load_protocol, protocol_names
from gonio.skeletons import load_skeleton
from gonio.tracking import check_steps

KEYS = [
    "schema",
    "name",
    "extends",
    "title",
    "model",
    "view",
    "mirrored",
    "person",
    "processing",
    "angles",
    "gait",
    "repetitions",
    "rules",
]


def write(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(dedent(text), encoding="utf-8")
    return path


@pytest.mark.parametrize("name", protocol_names())
def test_every_shipped_protocol_loads_under_its_name_and_its_steps_can_run(name) -> None:
    spec = load_protocol(name)
    assert spec.name == name
    assert spec.title
    check_steps(spec.processing)
    skeleton = load_skeleton({"rearfoot": "rearfoot6"}.get(name, "blazepose33"))
    assert angle_names(skeleton, names=spec.angles)[1] == []


def test_a_mirrored_picture_is_one_from_front_or_rear(tmp_path: Path) -> None:
    text = "extends: rearfoot\nname: mine\nmirrored: true\n"
    assert load_protocol(write(tmp_path, "mine.yaml", text)).mirrored
    text = "extends: general\nname: mine\nmirrored: true\n"
    with pytest.raises(ConfigError, match="mirrored: true goes with the views frontal and rear"):
        load_protocol(write(tmp_path, "side.yaml", text))


def test_general_measures_every_angle_that_the_side_view_gives() -> None:
    spec = load_protocol("general")
    assert (spec.model, spec.view, spec.person) == ("blazepose-full", "sagittal", "largest")
    assert [s["op"] for s in spec.processing] == [
        "hide_outside", "repair_swaps", "hide_uncertain", "fill_gaps", "median", "butterworth",
    ]  # fmt: skip
    measured, _ = angle_names(
        load_skeleton("blazepose33"), view=spec.view, names=spec.angles or None
    )
    unsided = {name.removesuffix("_left").removesuffix("_right") for name in measured}
    assert unsided == {name for name, angle in ANGLES.items() if angle.plane == "sagittal"}
    assert spec.gait is None
    assert spec.repetitions is None
    assert spec.rules == ()


def test_the_keys_are_those_of_the_contract_and_the_resolved_protocol_loads_again(
    tmp_path: Path,
) -> None:
    spec = load_protocol("general")
    resolved = spec.model_dump(mode="json", by_alias=True)
    assert list(resolved) == KEYS
    again = write(tmp_path, "again.yaml", yaml.safe_dump(resolved))
    assert load_protocol(again) == spec


def test_an_extension_replaces_what_it_says_and_inherits_the_rest(tmp_path: Path) -> None:
    write(
        tmp_path,
        "lab.yaml",
        """
        extends: general
        name: lab
        title: Our laboratory
        processing: [{op: butterworth, cutoff_hz: 4.0}]
        """,
    )
    child = write(tmp_path, "knees.yml", "{extends: lab.yaml, name: knees, angles: [knee_left]}")
    spec = load_protocol(str(child))
    assert spec.name == "knees"
    assert spec.extends is None
    assert spec.title == "Our laboratory"
    assert spec.processing == ({"op": "butterworth", "cutoff_hz": 4.0},)
    assert spec.angles == ("knee_left",)
    assert spec.model == load_protocol("general").model


def test_mappings_are_merged_deeply_and_null_takes_a_part_out(tmp_path: Path) -> None:
    counted = """
        extends: general
        name: counted
        repetitions: {signal: knee, enter: 60, leave: 30, min_s: 0.5}
        """
    write(tmp_path, "counted.yaml", counted)
    wrong = write(tmp_path, "w.yaml", "{extends: counted.yaml, name: w, repetitions: {min_s: -1}}")
    with pytest.raises(ConfigError, match=r"repetitions\.min_s: .*greater than 0"):
        load_protocol(wrong)
    plain = write(tmp_path, "p.yaml", "{extends: counted.yaml, name: p, repetitions: null}")
    assert load_protocol(plain).repetitions is None


def test_a_name_is_never_inherited(tmp_path: Path) -> None:
    nameless = write(tmp_path, "n.yaml", "extends: general")
    with pytest.raises(ConfigError, match="key 'name' is missing"):
        load_protocol(nameless)


def test_a_circle_is_refused_by_naming_it(tmp_path: Path) -> None:
    a = write(tmp_path, "a.yaml", "{extends: b.yaml, name: a}")
    write(tmp_path, "b.yaml", "{extends: ./a.yaml, name: b}")
    with pytest.raises(ConfigError, match=r"extends itself: a\.yaml → b\.yaml → a\.yaml"):
        load_protocol(a)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("procesing: []", r"unknown key 'procesing' \(did you mean 'processing'\?\)"),
        (
            "rules: [{name: a}, {treshold: 3}]",
            r"unknown key 'rules\.1\.treshold' \(did you mean 'rules\.1\.threshold'\?\)",
        ),
        (
            "repetitions: {signl: knee}",
            r"unknown key 'repetitions\.signl' \(did you mean 'repetitions\.signal'\?\)",
        ),
        ("view: saggital", r"view: unknown value 'saggital' \(did you mean 'sagittal'\?\)"),
        ("person: largst", r"person: 'largst' is no choice of person \(did you mean 'largest'"),
        ("person: -1", "person: '-1' is no choice of person"),
        ("angles: [kne]", r"angles: unknown angle 'kne' \(did you mean 'knee'\?\)"),
        ("angles: knee", r"angles: "),
        ("processing: [{cutoff_hz: 6}]", "processing: step 0 says no 'op'"),
        ("processing: [butterworth]", r"processing\.0: .*dictionary"),
        ("model: 3", "model: .*string"),
        ("schema: gonio.protocol/2", r"schema: unknown value 'gonio\.protocol/2'"),
        ("rules: [{name: a}]", r"key 'rules\.0\.measure' is missing"),
        ("extends: genral", r"own\.yaml': extends: unknown protocol 'genral' \(did you mean 'gen"),
        ("extends: [general]", "extends: must be one name or path"),
        ("extends: nowhere/base.yaml", r"nowhere/base\.yaml': no such file"),
    ],
)
def test_mistakes_are_named_with_file_and_place(tmp_path: Path, text, message) -> None:
    base = {"extends": "general", "name": "own"}
    path = write(tmp_path, "own.yaml", yaml.safe_dump({**base, **yaml.safe_load(text)}))
    with pytest.raises(ConfigError, match=message) as error:
        load_protocol(path)
    assert str(error.value).startswith("protocol '")


def test_an_unknown_key_is_found_in_the_file_that_says_it(tmp_path: Path) -> None:
    write(tmp_path, "base.yaml", "{extends: general, name: base, modle: x}")
    child = write(tmp_path, "child.yaml", "{extends: base.yaml, name: child}")
    with pytest.raises(ConfigError, match=r"base\.yaml': unknown key 'modle'"):
        load_protocol(child)


@pytest.mark.parametrize(
    ("text", "asked"),
    [
        ("gait: {method: zeni, min_cycle_s: 0.5}", "'gait'"),
        ("repetitions: {signal: knee, enter: 60, leave: 30, min_s: 0.5}", "'repetitions'"),
        (
            "rules: [{name: deep, measure: knee, op: '<', threshold: 90, severity: info, "
            "message: Go deeper., source: general advice}]",
            "'rules'",
        ),
    ],
)
def test_what_this_version_cannot_compute_is_refused_rather_than_ignored(
    tmp_path: Path, text, asked
) -> None:
    path = write(tmp_path, "own.yaml", f"extends: general\nname: own\n{text}\n")
    with pytest.raises(ConfigError, match=f"cannot compute {asked} yet. Remove it"):
        load_protocol(path)


def test_unknown_names_and_unreadable_files(tmp_path: Path) -> None:
    with pytest.raises(UnknownNameError, match=r"unknown protocol 'genral' \(did you mean"):
        load_protocol("genral")
    with pytest.raises(ConfigError, match=r"no such file \(built in: general"):
        load_protocol(tmp_path / "none.yaml")
    with pytest.raises(ConfigError, match="cannot be read"):
        load_protocol(tmp_path)
    with pytest.raises(ConfigError, match="not valid YAML"):
        load_protocol(write(tmp_path, "x.yaml", "a: [1"))
    with pytest.raises(ConfigError, match="holds no keys"):
        load_protocol(write(tmp_path, "y.yaml", ""))
    (tmp_path / "z.yaml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError, match=r"cannot be read|not valid YAML"):
        load_protocol(tmp_path / "z.yaml")


def test_a_person_may_be_an_index(tmp_path: Path) -> None:
    path = write(tmp_path, "second.yaml", "{extends: general, name: second, person: 1}")
    assert load_protocol(path).person == "1"


def test_a_protocol_is_frozen() -> None:
    spec = load_protocol("general")
    assert isinstance(spec, ProtocolSpec)
    with pytest.raises(ValueError, match="frozen"):
        spec.view = "rear"
