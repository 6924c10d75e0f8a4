"""Poses: schema, round trip, log, and the acceptance of the movement package."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from gonio.errors import PosesError
from gonio.poses import (
    PointTracks,
    load_poses,
    log_operation,
    make_angles,
    make_poses,
    operation_log,
    point,
    save_poses,
    validate_poses,
)
from gonio.skeletons import load_skeleton

SKELETON = load_skeleton("lower6")


def tiny(frames: int = 5, people: int = 2) -> xr.Dataset:
    shape = (frames, 2, 6, people)
    position = np.arange(np.prod(shape), dtype=np.float32).reshape(shape)
    confidence = np.full((frames, 6, people), 0.9)
    position[2, :, 1, 0] = np.nan
    confidence[2, 1, 0] = 0.0
    return make_poses(
        position,
        confidence,
        time_s=np.arange(frames) / 25,
        skeleton=SKELETON,
        fps=25.0,
        attrs={"source": "walk.mp4", "model": None},
    )


def test_round_trip_keeps_every_bit_log_and_raw_group(tmp_path: Path) -> None:
    poses = log_operation(tiny(), "median", window=3)
    poses["filled"] = (("time", "keypoints", "individuals"), np.zeros((5, 6, 2), bool))
    raw = tiny()
    save_poses(tmp_path / "poses.nc", poses, raw=raw)
    again = load_poses(tmp_path / "poses.nc")
    xr.testing.assert_identical(again, poses)
    assert again["position"].dtype == np.float32
    assert operation_log(again) == [{"operation": "median", "window": 3}]
    xr.testing.assert_identical(load_poses(tmp_path / "poses.nc", group="raw"), raw)
    assert sorted(f.name for f in tmp_path.iterdir()) == ["poses.nc"]


def test_movement_accepts_our_poses_and_filters_them() -> None:
    filtering = pytest.importorskip("movement.filtering")
    datasets = pytest.importorskip("movement.validators.datasets")
    poses = tiny(frames=9)
    datasets.ValidPosesInputs.validate(poses)
    smooth = filtering.rolling_filter(poses["position"], window=3, statistic="median")
    assert smooth.dims == poses["position"].dims
    kept = filtering.filter_by_confidence(poses["position"], poses["confidence"], threshold=0.5)
    assert np.isnan(kept.values[2, :, 1, 0]).all()


def test_movements_coming_dimension_names_are_read(tmp_path: Path) -> None:
    coming = tiny().rename(keypoints="keypoint", individuals="individual")
    coming.to_netcdf(tmp_path / "m.nc", engine="h5netcdf")
    assert load_poses(tmp_path / "m.nc")["position"].dims[2:] == ("keypoints", "individuals")


def test_tracks_whose_time_counts_frames_are_refused(tmp_path: Path) -> None:
    movement_io = pytest.importorskip("movement.io.load_poses")
    poses = movement_io.from_numpy(
        np.zeros((3, 2, 6, 1)), np.ones((3, 6, 1)), keypoint_names=list(SKELETON.keypoints),
        individual_names=["a"], fps=None, source_software="theirs",
    )  # fmt: skip
    poses.to_netcdf(tmp_path / "m.nc", engine="h5netcdf")
    with pytest.raises(PosesError, match="time is in frames, expected seconds"):
        load_poses(tmp_path / "m.nc")


def test_derived_point_is_the_mean_and_the_least_confidence_and_nan_spreads() -> None:
    poses = tiny()
    poses["confidence"][0, 0, 0] = 0.2
    mid = point(poses, "mid_hip", SKELETON)
    assert mid is not None
    left, right = (poses["position"].sel(keypoints=f"{s}_hip") for s in ("left", "right"))
    np.testing.assert_allclose(mid["position"].values[0], ((left + right) / 2).values[0])
    assert mid["confidence"].values[0, 0] == pytest.approx(0.2)
    assert np.isnan(mid["position"].values[2, :, 0]).all()
    assert point(poses, "neck", SKELETON) is None


def test_plain_tracks_are_those_with_labels_bit_for_bit() -> None:
    rng = np.random.default_rng(0)
    skeleton = load_skeleton("blazepose33")
    position = rng.normal(300, 100, (50, 2, 33, 2)).astype(np.float32)
    position[rng.random(position.shape) < 0.1] = np.nan
    poses = make_poses(position, np.ones((50, 33, 2)), time_s=np.arange(50) / 25, skeleton=skeleton)
    tracks = PointTracks(poses, skeleton)
    for name in ("left_knee", "mid_hip", "neck", "head", "left_big_toe"):
        labeled = point(poses, name, skeleton)
        assert labeled is not None
        np.testing.assert_array_equal(tracks.position(name), labeled["position"].values)
    assert tracks.position("tail") is None


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda p: p.drop_vars("confidence"), "no variable 'confidence'"),
        (lambda p: p.transpose("space", ...), "has dimensions"),
        (lambda p: p.assign_coords(time=np.zeros(5)), "time does not increase at frame 1"),
        (lambda p: p.assign(confidence=p["confidence"] * 2), "outside 0–1"),
        (lambda p: p.assign_coords(keypoints=["a"] * 6), "not unique"),
        (lambda p: p.assign_coords(space=["u", "v"]), "expected x, y"),
    ],
)
def test_a_broken_schema_is_named(change, message) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(PosesError, match=message):
        validate_poses(change(tiny()))


def test_arrays_that_do_not_fit_are_refused() -> None:
    with pytest.raises(PosesError, match="do not fit"):
        make_poses(np.zeros((3, 2, 5, 1)), np.zeros((3, 5, 1)), time_s=[0, 1, 2], skeleton=SKELETON)
    with pytest.raises(PosesError, match="do not fit"):
        make_angles(np.zeros((3, 2, 1)), time_s=[0, 1], names=["a", "b"], individuals=["p"])


def test_what_is_no_poses_file_is_said_in_plain_words(tmp_path: Path) -> None:
    (tmp_path / "p.nc").write_text("hello")
    with pytest.raises(PosesError, match=r"p\.nc': not a poses file, or damaged. Give") as caught:
        load_poses(tmp_path / "p.nc")
    assert "signature" not in str(caught.value)
    with pytest.raises(PosesError, match=r"missing\.nc': no such file"):
        load_poses(tmp_path / "missing.nc")
    with pytest.raises(PosesError, match="a folder, not a file"):
        load_poses(tmp_path)
