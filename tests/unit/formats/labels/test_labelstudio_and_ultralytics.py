"""Label Studio's tasks and Ultralytics' pose sets, written by hand."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from gonio.errors import FormatError, InputError
from gonio.formats.labels import check_images, detect_label_format, read_labels
from gonio.labels import HIDDEN, UNLABELLED, VISIBLE

SIZE = {"original_width": 200, "original_height": 100}


def mark(name: str, x: float, y: float, key: str = "") -> dict[str, Any]:
    value = {"x": x, "y": y, "width": 0.5, "keypointlabels": [name]}
    return {"id": key or name, "type": "keypointlabels", "value": value, **SIZE}


def box(key: str, x: float, y: float, width: float, height: float) -> dict[str, Any]:
    value = {"x": x, "y": y, "width": width, "height": height, "rectanglelabels": ["person"]}
    return {"id": key, "type": "rectanglelabels", "value": value, **SIZE}


def task(*regions: dict[str, Any], image: str = "a.png", **more: Any) -> dict[str, Any]:
    return {
        "id": 5, "data": {"image": image}, "annotations": [{"result": list(regions)}], **more,
    }  # fmt: skip


def export(folder: Path, *tasks: Any) -> Path:
    path = folder / "export.json"
    path.write_text(json.dumps(tasks), encoding="utf-8")
    return path


def test_percent_of_the_picture_become_pixels_counted_from_their_centres(tmp_path: Path) -> None:
    path = export(tmp_path, task(mark("knee", 25, 50), mark("hip", 0.25, 0.5)))
    assert detect_label_format(path).name == "labelstudio"
    labels = read_labels(path)
    assert labels.skeleton.keypoints == ("knee", "hip")
    # A quarter of 200 px from the left edge is the edge between the pixels 49 and 50.
    np.testing.assert_allclose(labels.keypoints_px, [[[49.5, 49.5], [0, 0]]])
    assert (labels.images[0].width, labels.images[0].height) == (200, 100)


def test_keypoints_belong_to_the_rectangle_they_are_linked_to_or_alone_in(tmp_path: Path) -> None:
    link = {"type": "relation", "from_id": "k2", "to_id": "two", "direction": "right"}
    child = mark("hip", 45, 10, "h2") | {"parentID": "two"}
    regions = [
        box("one", 0, 0, 50, 100), box("two", 40, 0, 60, 100),
        mark("knee", 10, 10, "k1"), mark("knee", 45, 20, "k2"), link, child,
    ]  # fmt: skip
    labels = read_labels(export(tmp_path, task(*regions)))
    np.testing.assert_allclose(labels.boxes_px, [[-0.5, -0.5, 100, 100], [79.5, -0.5, 120, 100]])
    assert labels.visibility.tolist() == [[VISIBLE, UNLABELLED], [VISIBLE, VISIBLE]]
    np.testing.assert_allclose(labels.keypoints_px[1], [[89.5, 19.5], [89.5, 9.5]])
    with pytest.raises(FormatError, match="task 5: the keypoint 'knee' lies in 2 rectangles"):
        read_labels(export(tmp_path, task(*regions[:4])))


@pytest.mark.parametrize(
    "said",
    [
        "/data/upload/3/0a1b2c3d-walk%201.png",
        "/data/local-files/?d=store/walk%201.png",
        "s3://bucket/store/walk 1.png",
        "walk 1.png",
    ],
)
def test_pictures_are_found_however_they_came_into_label_studio(tmp_path: Path, said: str) -> None:
    (tmp_path / "images").mkdir()
    cv2.imwrite(str(tmp_path / "images" / "walk 1.png"), np.zeros((100, 200, 3), np.uint8))
    check_images(read_labels(export(tmp_path, task(mark("knee", 1, 1), image=said))))


def test_pictures_of_one_name_in_two_folders_stay_two(tmp_path: Path) -> None:
    said = [f"/data/local-files/?d=store/{who}/walk.png" for who in ("ann", "bob")]
    path = export(tmp_path, *(task(mark("knee", 1, 1), image=name) for name in said))
    found = [image.path.relative_to(tmp_path).as_posix() for image in read_labels(path).images]
    assert [name.removeprefix("images/") for name in found] == ["ann/walk.png", "bob/walk.png"]


def test_an_export_is_known_by_its_list_whatever_stands_first(tmp_path: Path) -> None:
    first = {"data": {"image": "a.png", "text": "z" * 6000}, "annotations": [{"result": []}]}
    path = export(tmp_path, first, task(mark("knee", 1, 1)))
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert detect_label_format(path).name == "labelstudio"
    assert len(read_labels(path)) == 1
    path.write_text('[{"image_id": 1, "category_id": 1, "keypoints": [], "score": 1}]')
    assert detect_label_format(path).name == "coco"


def test_cancelled_annotations_and_tasks_without_any_are_left_out(tmp_path: Path) -> None:
    cancelled = {"was_cancelled": True, "result": [mark("knee", 1, 1)]}
    kept = {"result": [mark("knee", 50, 50)]}
    tasks = [
        {"data": {"image": "a.png"}, "annotations": [cancelled, kept]},
        {"data": {"image": "b.png"}, "annotations": [cancelled]},
        {"data": {"image": "c.png"}, "annotations": [{"result": []}]},
    ]
    labels = read_labels(export(tmp_path, *tasks))
    assert [image.path.name for image in labels.images] == ["a.png", "c.png"]
    np.testing.assert_allclose(labels.keypoints_px, [[[99.5, 49.5]]])


def test_tasks_that_sleap_io_wrote_keep_their_pixels_and_frames(tmp_path: Path) -> None:
    sio = pytest.importorskip("sleap_io")
    skeleton = sio.Skeleton(nodes=["knee", "hip"])
    person = sio.Instance.from_numpy(np.array([[10.0, 20], [30, 40]]), skeleton=skeleton)
    video = sio.Video(filename="walk.mp4", open_backend=False)
    video.backend_metadata["shape"] = (9, 100, 200, 3)
    frame = sio.LabeledFrame(video=video, frame_idx=4, instances=[person])
    path = tmp_path / "tasks.json"
    sio.save_labelstudio(sio.Labels([frame]), str(path))
    labels = read_labels(path)
    np.testing.assert_allclose(labels.keypoints_px, [[[10, 20], [30, 40]]])
    assert (labels.images[0].video, labels.images[0].frame) == ("walk.mp4", 4)


@pytest.mark.parametrize(
    ("tasks", "match"),
    [
        ([task(mark("knee", 1, 1), mark("knee", 2, 2, "k2"))], "two 'knee'; draw a rectangle"),
        ([task(mark("knee", 1, 1) | {"image_rotation": 90})], "turned while it was labelled"),
        ([task({"type": "keypointlabels", "id": "k"})], "not as Label Studio writes it"),
        ([{"annotations": [{"result": [mark("knee", 1, 1)]}]}], "names no picture"),
        ([task()], "no keypoints are labelled"),
        ([{"data": {}, "kp": []}, {"annotations": []}], "no 'annotations'"),
        ([{"image": "a.png", "kp": [{"x": 1, "keypointlabels": ["k"]}]}], "not JSON-MIN"),
        ([], "no keypoints are labelled"),
        ([{"annotations": "x", "data": {}}], "not as Label Studio writes it"),
        ([{"annotations": [3], "data": {}}], "not as Label Studio writes it"),
        ([task(mark("knee", 1, 1) | {"original_width": 0})], "does not say how large"),
        ([task(mark("knee", float("nan"), 1))], "'knee' is nan, 1.0"),
        ([task(mark("knee", 1, 1), box("one", 5, 5, 0, 9))], "rectangle without area"),
    ],
)
def test_a_bad_export_is_refused_by_its_task(tmp_path: Path, tasks: Any, match: str) -> None:
    with pytest.raises(FormatError, match=match):
        read_labels(export(tmp_path, *tasks))


def pose_set(
    folder: Path, lines: str, *, shape: str = "[2, 3]", more: str = "", size: Any = (100, 200)
) -> Path:
    (folder / "images" / "train").mkdir(parents=True)
    (folder / "labels" / "train").mkdir(parents=True)
    cv2.imwrite(str(folder / "images" / "train" / "a.png"), np.zeros((*size, 3), np.uint8))
    cv2.imwrite(str(folder / "images" / "train" / "b.png"), np.zeros((50, 50, 3), np.uint8))
    (folder / "labels" / "train" / "a.txt").write_text(lines)
    text = f"path: elsewhere\ntrain: images/train\nkpt_shape: {shape}\nnames: {{0: person}}\n"
    (folder / "data.yaml").write_text(text + more)
    return folder


def test_shares_of_the_image_become_pixels_and_flags_visibility(tmp_path: Path) -> None:
    lines = "0 0.5 0.5 0.2 0.4 0.25 0.5 2 0.1 0.1 1\n0 0.5 0.5 0.2 0.4 0 0 0 0.5 0.5 2\n"
    path = pose_set(tmp_path, lines, more="kpt_names: {0: [left_knee, right_knee]}\n")
    for source in (path, path / "data.yaml"):
        assert detect_label_format(source).name == "ultralytics"
        labels = read_labels(source)
        np.testing.assert_allclose(labels.keypoints_px[0], [[50, 50], [20, 10]])
        assert labels.visibility.tolist() == [[VISIBLE, HIDDEN], [UNLABELLED, VISIBLE]]
        np.testing.assert_allclose(labels.boxes_px[0], [79.5, 29.5, 40, 40])
        assert [(i.width, i.height) for i in labels.images] == [(200, 100), (50, 50)]
        assert labels.skeleton.keypoints == ("left_knee", "right_knee")
        assert labels.skeleton.flip_order() == [1, 0]


def test_without_flags_the_corner_is_not_labelled_and_sides_come_from_flip_idx(
    tmp_path: Path,
) -> None:
    path = pose_set(
        tmp_path, "0 0.5 0.5 0.2 0.4 0.25 0.5 0 0 0.1 0.2\n", shape="[3, 2]",
        more="flip_idx: [0, 2, 1]\n",
    )  # fmt: skip
    labels = read_labels(path)
    assert labels.visibility.tolist() == [[VISIBLE, UNLABELLED, VISIBLE]]
    assert labels.skeleton.keypoints == ("point_0", "point_1", "point_2")
    assert labels.skeleton.flip_order() == [0, 2, 1]


def test_seventeen_points_without_names_are_cocos(tmp_path: Path) -> None:
    line = "0 0.5 0.5 0.2 0.4 " + " ".join("0.5 0.5 2" for _ in range(17))
    assert read_labels(pose_set(tmp_path, line, shape="[17, 3]")).skeleton.name == "coco17"


@pytest.mark.parametrize(
    ("change", "error", "match"),
    [
        ({"lines": "0 0.5 0.5 0.2 0.4 0.25"}, FormatError, "line 1 has 6 numbers.*need 11"),
        ({"lines": "\n0 a" + " 1" * 9}, FormatError, "line 2: could not convert"),
        ({"lines": "0 nan" + " 1" * 9}, FormatError, "line 1 has a number that is not finite"),
        ({"lines": "", "shape": "[17]"}, FormatError, "'kpt_shape' must be"),
        ({"lines": "", "more": "kpt_names: [a]\n"}, FormatError, "1 names for 2 keypoints"),
        ({"lines": "", "more": "val: images/val\n"}, InputError, "no folder of images"),
        ({"lines": "", "more": "a: ["}, FormatError, "not valid YAML"),
        ({"lines": "", "more": "flip_idx: 3\n"}, FormatError, "'flip_idx' must"),
        ({"lines": "", "more": "flip_idx: [1, 1]\n"}, FormatError, "'flip_idx' must"),
        ({"lines": "", "more": "flip_idx: [1, 0, 2]\n"}, FormatError, "'flip_idx' must"),
        ({"lines": "", "more": "kpt_names: {0: 5}\n"}, FormatError, "'kpt_names' is no list"),
        ({"lines": "0 .5 .5 .2 .4 .2 .5 7 .1 .1 1"}, FormatError, "line 1.*flag 7.0"),
        ({"lines": "0 .5 .5 0 .4 .2 .5 2 .1 .1 1"}, FormatError, "line 1.*box without area"),
        ({"lines": "0 90 50 20 40 25 50 2 9 9 1"}, FormatError, "line 1.*pixels.*shares"),
    ],
)
def test_a_bad_set_is_refused_by_what_is_wrong_and_where(
    tmp_path: Path, change: Any, error: type[Exception], match: str
) -> None:
    with pytest.raises(error, match=match):
        read_labels(pose_set(tmp_path, **change))


def test_a_set_whose_labels_are_not_where_they_should_be_is_refused(tmp_path: Path) -> None:
    path = pose_set(tmp_path, "")
    assert len(read_labels(path)) == 0  # an empty text file: nobody is there
    (path / "labels" / "train" / "a.txt").unlink()
    with pytest.raises(FormatError, match=r"no text files of labels.*labels/train/a\.txt"):
        read_labels(path)


def test_folders_are_found_as_roboflow_writes_them_and_count_once(tmp_path: Path) -> None:
    path = pose_set(tmp_path, "0 .5 .5 .2 .4 .25 .5 2 .1 .1 1\n", more="val: ../images/train\n")
    text = (path / "data.yaml").read_text()
    (path / "data.yaml").write_text(text.replace("train: images", "train: ../images"))
    labels = read_labels(path)
    assert (len(labels), len(labels.images)) == (1, 2)
