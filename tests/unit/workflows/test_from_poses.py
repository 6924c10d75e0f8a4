"""Measuring again from tracks: whose files are read, and what of them is refused."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

import gonio
from gonio.errors import GonioError, InputError, PosesError
from gonio.poses import INDIVIDUALS, operation_log
from gonio.synthetic import PersonSettings, truth
from gonio.workflows import AnalysisResult

Analyze = Callable[..., AnalysisResult]


@pytest.fixture(scope="module")
def walker() -> xr.Dataset:
    return truth(PersonSettings(seconds=1.5)).poses


@pytest.fixture
def analyze(tmp_path: Path) -> Analyze:
    def run(poses: xr.Dataset, **options: object) -> AnalysisResult:
        poses.to_netcdf(tmp_path / "tracks.nc", engine="h5netcdf")
        return gonio.analyze(from_poses=tmp_path / "tracks.nc", out=tmp_path / "out", **options)

    return run


def two(walker: xr.Dataset) -> xr.Dataset:
    other = walker.assign_coords({INDIVIDUALS: ["id/1 <b>"]})
    both = xr.concat([walker, other], dim=INDIVIDUALS, data_vars="all")
    return both.assign_attrs(walker.attrs)


def knee(result: AnalysisResult) -> np.ndarray:
    values: np.ndarray = result.evaluation.angles["angle_deg"].sel(angle="knee_left").values
    return values


def files(result: AnalysisResult, suffix: str) -> list[str]:
    return sorted(path.name for path in result.folder.glob(f"*{suffix}"))


def test_a_file_of_another_program_is_known_by_its_keypoints_in_any_order(
    walker: xr.Dataset, analyze: Analyze
) -> None:
    attrs = {"ds_type": "poses", "source_software": "other", "time_unit": "seconds", "fps": 30.0}
    expected = knee(analyze(walker))
    shuffled = walker.isel(keypoints=slice(None, None, -1)).drop_attrs().assign_attrs(attrs)
    result = analyze(shuffled, overwrite=True)
    assert result.evaluation.skeleton.name == "blazepose33"
    np.testing.assert_array_equal(knee(result), expected)


@pytest.mark.parametrize(
    ("attrs", "message"),
    [
        ({"time_unit": "frames"}, "time is in frames, expected seconds"),
        ({"skeleton": "blazepose"}, "unknown skeleton 'blazepose'.*'blazepose33'"),
        ({"skeleton": "coco17"}, "keypoints are not those of the skeleton 'coco17'"),
        ({"log": "none"}, "'log' is no JSON"),
    ],
)
def test_what_gonio_cannot_work_with_is_refused_by_name(
    walker: xr.Dataset, analyze: Analyze, attrs: dict[str, str], message: str, tmp_path: Path
) -> None:
    with pytest.raises(PosesError, match=f"tracks.nc'.*{message}"):
        analyze(walker.assign_attrs(attrs))
    assert not (tmp_path / "out").exists()


def test_a_missing_file_of_tracks_is_named(tmp_path: Path) -> None:
    with pytest.raises(PosesError, match=r"none\.nc': no such file"):
        gonio.analyze(from_poses=tmp_path / "none.nc", out=tmp_path / "out")


def test_several_people_get_files_by_their_numbers_whatever_they_are_called(
    walker: xr.Dataset, analyze: Analyze
) -> None:
    result = analyze(two(walker), person="all", trc=True, mot=True, height_m=1.7)
    assert files(result, ".trc") == ["tracks-person_0.trc", "tracks-person_1.trc"]
    assert files(result, ".mot") == ["tracks-person_0.mot", "tracks-person_1.mot"]
    assert any("scales the .trc files of all" in w for w in result.summary["warnings"])
    assert [person["id"] for person in result.summary["people"]] == [0, 1]


def test_a_person_is_chosen_by_number_and_never_from_the_end(
    walker: xr.Dataset, analyze: Analyze, recwarn: pytest.WarningsRecorder
) -> None:
    result = analyze(two(walker), person=1)
    assert result.evaluation.chosen == ["id/1 <b>"]
    assert result.evaluation.protocol["person"] == "1"
    with pytest.raises(InputError, match="count from 0"):
        analyze(walker, person="-1")


def test_a_file_that_cannot_be_made_is_a_warning_and_the_rest_is_kept(
    walker: xr.Dataset, analyze: Analyze
) -> None:
    names = ["left_hip", "right_hip", "left_knee", "right_knee", "left_ankle", "right_ankle"]
    legs = walker.sel(keypoints=names).assign_attrs(skeleton="lower6")
    result = analyze(legs, trc=True, mot=True, height_m=1.7)
    assert files(result, ".trc") == []
    assert any("'tracks.trc' was not written: no scale" in w for w in result.summary["warnings"])
    assert result.report.exists()


@pytest.mark.parametrize("height_m", [0, -1.7, float("nan")])
def test_a_height_is_positive(walker: xr.Dataset, analyze: Analyze, height_m: float) -> None:
    with pytest.raises(InputError, match="height"):
        analyze(walker, trc=True, height_m=height_m)


@pytest.mark.parametrize("people", [0, 1])
def test_nobody_seen_is_a_result(walker: xr.Dataset, analyze: Analyze, people: int) -> None:
    unseen = walker.assign(position=walker["position"] * np.nan).isel(individuals=slice(people))
    result = analyze(unseen, trc=True, mot=True, height_m=1.7, person="all")
    assert result.summary["people"] == []
    assert result.summary["warnings"] == ["Nobody was found in the recording."]


def test_a_single_frame_is_not_filtered(walker: xr.Dataset, analyze: Analyze) -> None:
    result = analyze(walker.isel(time=[7]))
    done = [entry["operation"] for entry in operation_log(result.evaluation.poses)]
    assert "hide_uncertain" in done
    assert not {"fill_gaps", "median", "butterworth"} & set(done)
    assert "smoothed" not in result.report.read_text(encoding="utf-8")


def test_another_recording_than_that_of_the_tracks_is_said(
    walker: xr.Dataset, tmp_path: Path
) -> None:
    from gonio.video import write_image

    write_image(tmp_path / "wall.png", np.zeros((48, 64, 3), np.uint8))
    tracks = tmp_path / "tracks.nc"
    walker.isel(time=[0]).assign_attrs(source_sha256="ab" * 32).to_netcdf(tracks, engine="h5netcdf")
    result = gonio.analyze(tmp_path / "wall.png", from_poses=tracks, out=tmp_path / "out")
    assert any("were found in another file" in w for w in result.summary["warnings"])


def test_a_model_and_tracks_exclude_each_other(walker: xr.Dataset, analyze: Analyze) -> None:
    with pytest.raises(GonioError, match="--from-poses has found them already"):
        analyze(walker, model="blazepose-full")
