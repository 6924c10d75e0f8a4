"""The protocol ``rearfoot`` on given tracks: tables, summary, report, and every bad input."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

import gonio
from gonio.errors import InputError
from gonio.poses import make_poses, save_poses
from gonio.skeletons import load_skeleton
from gonio.video import write_image
from gonio.workflows import AnalysisResult

Points = NDArray[np.float64]
Analyze = Callable[..., AnalysisResult]
REAR6 = load_skeleton("rearfoot6")
WIDTH, HEIGHT = 640, 360


def legs(left_deg: float = 5.0, right_deg: float = 12.0) -> Points:
    """Upright legs whose heels turn outward by so many degrees."""
    points = []
    for x, outward, deg in ((250, -1, left_deg), (390, 1, right_deg)):
        dx = 60 * math.tan(math.radians(deg)) * outward
        points += [[x, 60], [x, 200], [x + dx, 260]]
    return np.array(points, float)


@pytest.fixture
def analyze(tmp_path: Path) -> Analyze:
    def run(*frames: Points, picture: bool = False, **options: Any) -> AnalysisResult:
        xy = np.stack(frames).transpose(0, 2, 1)[..., None]
        seen = np.isfinite(xy).all(axis=1).astype(float)
        poses = make_poses(
            xy, seen, time_s=np.arange(len(frames)) / 50, skeleton=REAR6, fps=50,
            attrs={"width_px": WIDTH, "height_px": HEIGHT},
        )  # fmt: skip
        save_poses(tmp_path / "legs.nc", poses)
        image = None
        if picture:
            image = tmp_path / "legs.png"
            write_image(image, np.full((HEIGHT, WIDTH, 3), 120, np.uint8))
        options = {"protocol": "rearfoot", "overwrite": True, **options}
        return gonio.analyze(
            image, from_poses=tmp_path / "legs.nc", out=tmp_path / "out", **options
        )

    return run


def rearfoot(result: AnalysisResult) -> dict[str, Any]:
    (person,) = result.summary["people"]
    found: dict[str, Any] = person["rearfoot"]
    return found


def test_a_photograph_gives_a_table_a_picture_and_a_report(analyze: Analyze) -> None:
    result = analyze(legs(), picture=True)
    assert result.summary["warnings"] == []
    sides = rearfoot(result)
    for side, deg in (("left", 5.0), ("right", 12.0)):
        for key in ("angle_deg", "signed_deg", "heel_vertical_deg"):
            assert sides[side][key] == pytest.approx(
                dict.fromkeys(("min", "max", "mean"), deg), abs=1e-3
            )
        assert sides[side]["leg_vertical_deg"]["mean"] == pytest.approx(0, abs=1e-3)
        assert (sides[side]["frames"], sides[side]["missing_markers"]) == (1, [])
    ((_, columns, rows),) = result.tables()
    assert columns[0] == "angle"
    assert rows[0] == ["rearfoot_left", "5.0", "5.0", "5.0", "0"]
    table = pd.read_csv(result.folder / "angles.csv")
    assert set(table["angle"]) == {f"{b}_{s}" for s in ("left", "right") for b in (
        "rearfoot", "rearfoot_unsigned", "leg_vertical", "heel_vertical")}  # fmt: skip
    page = result.report.read_text(encoding="utf-8")
    assert "eversion (heel outward)" in page
    assert "Left and right leg are as the model named them" in page
    picture = cv2.imread(str(result.folder / "overlay.png"))
    assert picture is not None
    assert (picture != 120).any()


def test_a_recording_is_filtered_and_its_summary_holds_ranges(analyze: Analyze) -> None:
    result = analyze(*[legs(5 + 3 * math.sin(i / 8)) for i in range(100)])
    left = rearfoot(result)["left"]
    assert left["frames"] == 100
    assert left["signed_deg"]["min"] == pytest.approx(2, abs=0.2)
    assert left["signed_deg"]["max"] == pytest.approx(8, abs=0.2)
    assert (result.folder / "report.html").is_file()
    content = json.loads((result.folder / "evaluation.json").read_text(encoding="utf-8"))
    assert content["frames"][0]["people"][0]["angles"]["rearfoot_right"] == pytest.approx(
        12, abs=0.01
    )


def test_three_markers_on_one_leg_and_none_on_the_other(analyze: Analyze) -> None:
    points = legs()
    points[3:] = np.nan
    result = analyze(points)
    sides = rearfoot(result)
    assert sides["left"]["signed_deg"]["mean"] == pytest.approx(5, abs=1e-3)
    assert sides["right"]["signed_deg"]["mean"] is None
    assert sides["right"]["missing_markers"] == ["calf", "achilles", "heel"]
    assert any("only the left leg was seen" in text for text in result.summary["warnings"])


def test_a_missing_marker_is_named_and_no_angle_rests_on_it(analyze: Analyze) -> None:
    points = legs()
    points[2] = np.nan
    result = analyze(points)
    assert "person_0: not seen, hence without angles: left heel." in result.summary["warnings"]
    sides = rearfoot(result)
    assert sides["left"]["missing_markers"] == ["heel"]
    assert (sides["left"]["frames"], sides["left"]["signed_deg"]["mean"]) == (0, None)
    assert sides["left"]["leg_vertical_deg"]["mean"] == pytest.approx(0, abs=1e-3)
    assert sides["right"]["signed_deg"]["mean"] == pytest.approx(12, abs=1e-3)


def test_a_mirrored_picture_says_so_or_is_measured_by_a_protocol_that_knows(
    analyze: Analyze, tmp_path: Path
) -> None:
    mirror = legs() * [-1, 1] + np.array([WIDTH, 0])  # the names are the person's own
    result = analyze(mirror)
    assert rearfoot(result)["left"]["signed_deg"]["mean"] is None
    assert any("sides disagree" in text for text in result.summary["warnings"])
    (tmp_path / "mirror.yaml").write_text("extends: rearfoot\nname: mirror\nmirrored: true\n")
    by_place = mirror[[3, 4, 5, 0, 1, 2]]  # as a model names what it sees
    for points in (mirror, by_place):
        sides = rearfoot(analyze(points, protocol=str(tmp_path / "mirror.yaml")))
        assert sides["left"]["signed_deg"]["mean"] == pytest.approx(5, abs=1e-3)
        assert sides["right"]["signed_deg"]["mean"] == pytest.approx(12, abs=1e-3)


def test_crossing_heels_and_touching_feet_are_measured_by_their_names(analyze: Analyze) -> None:
    crossing = np.array(
        [[300, 60], [315, 200], [330, 260], [340, 60], [325, 200], [310, 260]], float
    )
    sides = rearfoot(analyze(crossing))
    lean, heel = math.degrees(math.atan2(15, 140)), math.degrees(math.atan2(15, 60))
    for side in ("left", "right"):
        assert sides[side]["signed_deg"]["mean"] == pytest.approx(lean - heel, abs=1e-3)
    touching = legs()
    touching[3:, 0] -= 130
    assert rearfoot(analyze(touching))["right"]["signed_deg"]["mean"] == pytest.approx(12, abs=1e-3)


def test_no_leg_is_a_result_without_angles(analyze: Analyze) -> None:
    nothing = np.full((6, 2), np.nan)
    result = analyze(nothing, picture=True)
    assert result.summary["people"] == []
    assert "No leg with markers was found in the recording." in result.summary["warnings"]
    assert "No leg was found" in result.report.read_text(encoding="utf-8")


def test_tracks_of_a_body_are_refused(tmp_path: Path) -> None:
    body = load_skeleton("coco17")
    save_poses(
        tmp_path / "body.nc",
        make_poses(np.zeros((1, 2, 17, 1)) + 9, np.ones((1, 17, 1)), time_s=[0.0], skeleton=body),
    )
    with pytest.raises(InputError, match="needs the markers of rearfoot6"):
        gonio.analyze(from_poses=tmp_path / "body.nc", protocol="rearfoot", out=tmp_path / "out")
