"""The content of an evaluation's files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from fake_evaluation import SKELETON, fake_evaluation
from gonio.errors import FormatError
from gonio.store import (
    angle_table,
    frames_in_view,
    frames_seen,
    read_summary,
    write_angles_csv,
    write_cycles_csv,
    write_evaluation,
    write_evaluation_json,
    write_events_csv,
    write_summary,
)

EVENTS = pd.DataFrame(
    [
        ("heel_strike", "left", 2.5, 0, 0.9, "auto"),
        ("heel_strike", "left", 1.4, 0, np.nan, "auto"),
        ("toe_off", "right", 2.0, 1, 0.8, "manual"),
    ],
    columns=["type", "side", "time_s", "person", "confidence", "origin"],
)


def strict(path: Path) -> Any:
    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} is no JSON")

    return json.loads(path.read_text(encoding="utf-8"), parse_constant=refuse)


def test_evaluation_json_holds_what_was_seen_and_null_where_it_was_not(tmp_path: Path) -> None:
    evaluation = fake_evaluation(frames=600, people=2, chosen=1, events=EVENTS)
    evaluation.poses["position"][100, :, SKELETON.index("nose"), 1] = np.nan
    write_evaluation_json(evaluation, tmp_path)
    content = strict(tmp_path / "evaluation.json")
    assert list(content) == [
        "schema",
        "source",
        "model",
        "protocol",
        "skeleton",
        "frames",
        "events",
        "repetitions",
        "feedback",
        "provenance",
    ]
    assert content["schema"] == "gonio.evaluation/1"
    assert list(content["source"]) == [
        "path",
        "sha256",
        "width",
        "height",
        "frames",
        "fps",
        "duration_s",
    ]
    frames = content["frames"]
    assert [f["index"] for f in frames] == list(range(600))
    assert frames[59]["people"] == []
    first, second = frames[100]["people"]
    assert (first["id"], second["id"]) == (0, 1)
    assert second["keypoints"]["nose"] is None
    assert second["angles"] == {}
    x, y, confidence = first["keypoints"]["left_knee"]
    xy = evaluation.poses["position"].sel(keypoints="left_knee", individuals="person_0")
    assert [x, y] == pytest.approx(xy.values[100], abs=0.006)
    assert confidence == 0.9
    knee = evaluation.angles["angle_deg"].sel(angle="knee_left", individuals="person_0")
    assert first["angles"]["knee_left"] == pytest.approx(knee.values[100], abs=0.006)
    assert first["angles"]["pelvis"] is None
    assert content["events"][1]["confidence"] is None
    assert content["skeleton"]["name"] == "blazepose33"


def test_evaluation_json_has_one_line_a_frame(tmp_path: Path) -> None:
    write_evaluation_json(fake_evaluation(frames=7), tmp_path)
    lines = (tmp_path / "evaluation.json").read_text().splitlines()
    assert sum(line.startswith('{"index"') for line in lines) == 7


def test_summary_has_the_agreed_keys_and_hand_checked_numbers(tmp_path: Path) -> None:
    evaluation = fake_evaluation(frames=40, events=EVENTS, with_truth=True)
    knee = evaluation.angles["angle_deg"].sel(angle="knee_left", individuals="person_0")
    knee[:] = np.nan
    knee[10:13] = [10.0, 20.0, 60.0]
    write_summary(evaluation, tmp_path)
    content = read_summary(tmp_path)
    assert content == strict(tmp_path / "summary.json")
    assert set(content) == {
        "schema",
        "gonio",
        "source",
        "model",
        "protocol",
        "timing",
        "warnings",
        "people",
        "truth",
    }
    (person,) = content["people"]
    assert person["frames_seen"] == 36
    assert person["angles"]["knee_left"] == {
        "min_deg": 10.0,
        "max_deg": 60.0,
        "mean_deg": 30.0,
        "missing": round(33 / 36, 4),
    }
    assert person["angles"]["pelvis"]["min_deg"] is None
    assert person["angles"]["pelvis"]["missing"] == 1.0
    assert person["events"] == {"heel_strike_left": [1.4, 2.5]}
    assert person["repetitions"] == {"count": 0, "items": []}
    assert content["truth"]["knee"] == {"mae_deg": 3.02}


def test_missing_counts_from_the_first_to_the_last_frame_a_person_was_seen() -> None:
    evaluation = fake_evaluation(frames=40)
    evaluation.raw["position"][20:25] = np.nan
    assert frames_seen(evaluation, "person_0").sum() == 31
    assert frames_in_view(evaluation, "person_0").sum() == 36
    assert not frames_in_view(evaluation, "person_0")[:4].any()


def test_an_angle_is_filled_where_one_of_its_points_is() -> None:
    table = angle_table(fake_evaluation(frames=100)).set_index("angle")
    assert table.loc["knee_left", "filled_frames"] == 8
    assert table.loc["knee_right", "filled_frames"] == 0
    assert table.loc["shank_left", "filled_frames"] == 8


def test_angles_csv_has_one_row_an_observation(tmp_path: Path) -> None:
    evaluation = fake_evaluation(frames=70, people=2)
    write_angles_csv(evaluation, tmp_path)
    table = pd.read_csv(tmp_path / "angles.csv")
    assert list(table) == ["time_s", "frame", "person", "angle", "value_deg", "facing", "filled"]
    assert len(table) == 70 * 14 * 2
    row = table.query("person == 1 and frame == 55 and angle == 'knee_left'").iloc[0]
    knee = evaluation.angles["angle_deg"].sel(angle="knee_left", individuals="person_1")
    assert row["value_deg"] == pytest.approx(knee.values[55], abs=0.001)
    assert (row["facing"], row["filled"]) == ("left", 1)
    assert row["time_s"] == pytest.approx(55 / 30, abs=1e-6)
    assert table.query("angle == 'pelvis'")["value_deg"].isna().all()


def test_tables_without_events_and_cycles_hold_their_header(tmp_path: Path) -> None:
    write_events_csv(fake_evaluation(), tmp_path)
    write_cycles_csv(fake_evaluation(), tmp_path)
    assert (tmp_path / "events.csv").read_text() == "type,side,time_s,person,confidence,origin\n"
    assert (tmp_path / "cycles.csv").read_text() == "person,side,cycle,percent,angle,value_deg\n"


def test_events_are_written_with_their_own_further_columns(tmp_path: Path) -> None:
    events = EVENTS.assign(method="zeni")[["method", *EVENTS.columns]]
    write_events_csv(fake_evaluation(events=events), tmp_path)
    again = pd.read_csv(tmp_path / "events.csv")
    pd.testing.assert_frame_equal(again[list(EVENTS)], EVENTS)
    assert list(again)[-1] == "method"


def test_nobody_found_and_a_photograph_are_evaluations_too(tmp_path: Path) -> None:
    for name, evaluation in {
        "nobody": fake_evaluation(people=0),
        "unchosen": fake_evaluation(people=1, chosen=0),
        "photo": fake_evaluation(frames=1, fps=None),
    }.items():
        folder = tmp_path / name
        folder.mkdir()
        write_evaluation(evaluation, folder)
        strict(folder / "evaluation.json")
    assert read_summary(tmp_path / "nobody")["people"] == []
    assert (tmp_path / "nobody" / "angles.csv").read_text().count("\n") == 1
    photo = strict(tmp_path / "photo" / "evaluation.json")
    assert photo["source"]["fps"] is None
    assert len(photo["frames"][0]["people"]) == 1


@pytest.mark.parametrize("text", [None, "hello", "[1]", '{"schema": "other/9"}'])
def test_what_is_no_summary_is_refused(tmp_path: Path, text: str | None) -> None:
    if text is not None:
        (tmp_path / "summary.json").write_text(text)
    with pytest.raises(FormatError, match=r"summary\.json"):
        read_summary(tmp_path)
