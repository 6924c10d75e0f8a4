"""Boxes, subsets, splits, faults and hashes of labelled images: tiny sets checked by hand."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gonio.datasets import (
    boxes_from_keypoints,
    data_sha256,
    describe,
    drop_faults,
    find_faults,
    load_split,
    mask_faults,
    restrict_skeleton,
    save_split,
    split_labels,
    subset_people,
)
from gonio.errors import InputError, UnknownNameError
from gonio.formats.labels import read_labels, with_sizes
from gonio.labels import LabelledImage, Labels, make_labels
from gonio.skeletons import Skeleton, load_skeleton

if TYPE_CHECKING:
    from pathlib import Path

NAN = np.nan
LEGS = Skeleton(name="legs", keypoints=("nose", "left_hip", "right_hip", "tail"))


def rows(count: int, folder: Path, **more: str) -> Labels:
    """People in a row of images, seen from above: the left hip always on the same side."""
    rng = np.random.default_rng(1)
    images = [LabelledImage(folder / f"{i:03d}.png", 200, 100, **more) for i in range(count)]
    base = np.array([[100, 20], [110, 50], [90, 50], [100, 80]], dtype=float)
    points = base + rng.normal(0, 1, (count, 4, 2))
    return make_labels(LEGS, images, range(count), points, np.full((count, 4), 2))


def test_a_box_is_the_extent_and_a_buffer_and_ends_at_the_image(tmp_path: Path) -> None:
    images = [LabelledImage(tmp_path / "a.png", 60, 50), LabelledImage(tmp_path / "b.png")]
    points = [[[10, 20], [30, 40]], [[10, 20], [30, 40]], [[5, 5], [NAN, NAN]]]
    pair = Skeleton(name="pair", keypoints=("a", "b"))
    labels = make_labels(pair, images, [0, 1, 1], points, [[2, 1], [2, 2], [2, 0]])
    plain = boxes_from_keypoints(labels)
    assert plain.boxes_px[0].tolist() == [10, 20, 20, 20]
    assert np.isnan(plain.boxes_px[2]).all()  # a single keypoint has no extent
    wide = boxes_from_keypoints(labels, buffer_px=20)
    assert wide.boxes_px[0].tolist() == [-0.5, 0, 50.5, 49.5]  # cut left and below
    assert wide.boxes_px[1].tolist() == [-0.5, 0, 50.5, 60]  # its size is not known
    assert boxes_from_keypoints(labels, buffer=0.5).boxes_px[0].tolist() == [0, 10, 40, 39.5]
    with pytest.raises(InputError, match="buffer_px: -1"):
        boxes_from_keypoints(labels, buffer_px=-1)


def test_who_answers_to_every_condition_stays(tmp_path: Path) -> None:
    labels = rows(6, tmp_path)
    seen = labels.visibility.copy()
    seen[0, 1], seen[1, 1] = 1, 0
    points = np.where((seen == 0)[..., None], NAN, labels.keypoints_px)
    labels = boxes_from_keypoints(replace(labels, visibility=seen, keypoints_px=points))
    assert len(subset_people(labels, labelled=["left_hip"])) == 5
    assert len(subset_people(labels, visible=["left_hip"])) == 4
    some = subset_people(labels, people=3, seed=4)
    assert len(some) == 3
    same = subset_people(labels, people=3, seed=4)
    np.testing.assert_array_equal(some.keypoints_px, same.keypoints_px)
    areas = labels.boxes_px[:, 2:].prod(axis=1)
    assert len(subset_people(labels, min_area_px2=np.median(areas))) == 3
    with pytest.raises(InputError, match="7 asked for, but only 6 of 6"):
        subset_people(labels, people=7)
    with pytest.raises(UnknownNameError, match="did you mean 'left_hip'"):
        subset_people(labels, visible=["left_hop"])


def test_a_skeleton_is_taken_by_names_and_a_derived_point_by_its_parents(tmp_path: Path) -> None:
    coco, image = load_skeleton("coco17"), LabelledImage(tmp_path / "a.png")
    points = np.arange(34, dtype=float).reshape(1, 17, 2)
    seen = np.full((1, 17), 2)
    seen[0, coco.index("left_shoulder")] = 1
    labels = make_labels(coco, [image], [0], points, seen)
    six = restrict_skeleton(labels, load_skeleton("lower6"))
    assert six.keypoints_px[0, 0].tolist() == points[0, coco.index("left_hip")].tolist()
    own = Skeleton(name="own", keypoints=("neck", "left_wing"))
    found = restrict_skeleton(labels, own)
    shoulders = points[0, [coco.index("left_shoulder"), coco.index("right_shoulder")]]
    assert found.keypoints_px[0, 0].tolist() == shoulders.mean(axis=0).tolist()
    assert found.visibility.tolist() == [[1, 0]]
    with pytest.raises(InputError, match="no keypoint in common"):
        restrict_skeleton(labels, Skeleton(name="bird", keypoints=("beak",)))


@given(seed=st.integers(0, 1000), share=st.floats(0.2, 0.8))
def test_a_split_shares_every_image_out_once(seed: int, share: float) -> None:
    from pathlib import Path

    labels = rows(20, Path("nowhere"))
    parts = split_labels(labels, {"train": share, "validation": 1 - share}, seed=seed)
    names = [i.path.name for part in parts.values() for i in part.images]
    assert sorted(names) == [i.path.name for i in labels.images]
    again = split_labels(labels, {"validation": 1 - share, "train": share}, seed=seed)
    assert [i.path for i in again["train"].images] == [i.path for i in parts["train"].images]


def test_copies_and_equal_files_stay_together(tmp_path: Path) -> None:
    labels = rows(12, tmp_path)
    rng = np.random.default_rng(0)
    for i in range(12):
        picture = np.full((4, 4), 7) if i in {3, 4} else rng.integers(0, 255, (4, 4))
        cv2.imwrite(str(tmp_path / f"{i:03d}.png"), picture.astype(np.uint8))
    images = list(labels.images)
    images[8] = replace(images[8], copy_of="000.png")
    labels = replace(labels, images=tuple(images))
    for seed in range(30):
        parts = split_labels(labels, {"train": 0.5, "test": 0.5}, seed=seed)
        train = {i.path.name for i in parts["train"].images}
        assert ("003.png" in train) == ("004.png" in train)
        assert ("000.png" in train) == ("008.png" in train)


def test_a_recording_or_a_person_is_on_one_side_only(tmp_path: Path) -> None:
    labels = rows(9, tmp_path)
    images = [replace(image, video=f"v{i // 3}") for i, image in enumerate(labels.images)]
    labels = replace(labels, images=tuple(images))
    parts = split_labels(labels, {"train": 0.67, "test": 0.33}, by="video", seed=1)
    videos = [{i.video for i in part.images} for part in parts.values()]
    assert not videos[0] & videos[1]
    with pytest.raises(InputError, match="which subject"):
        split_labels(labels, {"train": 1}, by="subject")


def test_an_empty_part_and_wrong_shares_are_refused(tmp_path: Path) -> None:
    labels = rows(3, tmp_path)
    with pytest.raises(InputError, match=r"part 'test' would be empty: 0\.1 of 3 images"):
        split_labels(labels, {"train": 0.9, "test": 0.1})
    with pytest.raises(InputError, match=r"add up to at most 1 .given: train 0\.9, test 0\.2"):
        split_labels(labels, {"train": 0.9, "test": 0.2})


def test_a_split_that_was_written_down_is_read_again(tmp_path: Path) -> None:
    labels = rows(10, tmp_path)
    parts = split_labels(labels, {"train": 0.7, "test": 0.3})
    save_split(tmp_path / "split.json", parts)
    again = load_split(tmp_path / "split.json", labels)
    assert [i.path for i in again["test"].images] == [i.path for i in parts["test"].images]
    (tmp_path / "bad.json").write_text('{"train": ["000.png"], "test": ["000.png"]}')
    with pytest.raises(InputError, match=r"'000\.png' is in 'train' and in 'test'"):
        load_split(tmp_path / "bad.json", labels)
    (tmp_path / "lost.json").write_text('{"train": ["lost.png"]}')
    with pytest.raises(InputError, match=r"'lost\.png' is not among the labelled images"):
        load_split(tmp_path / "lost.json", labels)


def test_every_kind_of_fault_is_found_where_it_was_made(tmp_path: Path) -> None:
    labels = boxes_from_keypoints(rows(40, tmp_path), buffer_px=5)
    assert find_faults(labels) == []
    points, boxes = labels.keypoints_px.copy(), labels.boxes_px.copy()
    points[3, [1, 2]] = points[3, [2, 1]]
    points[5, 3] = (100, 120)
    points[7, 3] = (10, 5000)
    points[9, 1] = points[9, 0]
    boxes[11, 2] = 0
    labels = replace(labels, keypoints_px=points, boxes_px=boxes)
    found = {(f.kind, f.person, f.keypoints) for f in find_faults(labels)}
    assert ("mirrored", 3, ("left_hip", "right_hip")) in found
    assert ("outside_image", 5, ("tail",)) in found
    assert ("extreme", 7, ("tail",)) in found
    assert ("same_spot", 9, ("nose", "left_hip")) in found
    assert ("empty_box", 11, ()) in found
    assert {person for _, person, _ in found} == {3, 5, 7, 9, 11}
    masked = mask_faults(labels)
    assert masked.visibility[3].tolist() == [2, 0, 0, 2]
    assert masked.visibility[9].tolist() == [2, 2, 2, 2]  # worth a look, not surely wrong
    assert np.isnan(masked.boxes_px[11]).all()
    assert len(drop_faults(labels)) == 36
    with pytest.raises(UnknownNameError, match="did you mean 'mirrored'"):
        find_faults(labels, kinds=["miror"])


def test_the_one_exchanged_pair_of_ears_is_found(shared: Path) -> None:
    labels = with_sizes(read_labels(shared / "data" / "labels" / "dlc_openfield"))
    (fault,) = find_faults(labels)
    assert fault.kind == "mirrored"
    assert fault.keypoints == ("left_ear", "right_ear")
    assert labels.images[labels.image_index[fault.person]].path.name == "img0102.png"


def test_a_report_counts_what_is_there(tmp_path: Path) -> None:
    report = describe(rows(4, tmp_path, video="walk"))
    assert report.people == 4
    assert report.missing_images == 4
    assert report.videos == 1
    assert report.keypoints["nose"] == {"visible": 4, "hidden": 0, "missing": 0}
    assert report.boxes_px is None
    assert report.lines()[0] == "4 people in 4 images, skeleton 'legs' (4 keypoints)"
    assert report.as_json()["without_box"] == 4


def test_a_hash_knows_numbers_and_pictures_but_not_the_place(tmp_path: Path) -> None:
    labels = rows(3, tmp_path)
    moved = replace(
        labels, images=tuple(replace(i, path=tmp_path / "x" / i.path.name) for i in labels.images)
    )
    assert data_sha256(labels) == data_sha256(moved)
    assert data_sha256(labels) == data_sha256(labels.take([2, 0, 1]))
    points = labels.keypoints_px.copy()
    points[0, 0, 0] += 0.01
    assert data_sha256(replace(labels, keypoints_px=points)) != data_sha256(labels)
    before = data_sha256(labels)
    (tmp_path / "000.png").write_bytes(b"picture")
    assert data_sha256(labels) != before
