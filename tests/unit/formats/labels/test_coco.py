"""COCO keypoints: arrays, half-pixels of boxes, bad files, and a way out and back."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gonio.errors import FormatError, InputError, OutputError, PosesError
from gonio.formats.labels import check_images, read_labels, with_sizes, write_labels
from gonio.skeletons import load_skeleton
from unit.formats.labels.worlds import assert_same_people, coco_file, mouse, picture, three_people


def written(folder: Path, content: Any) -> Path:
    path = folder / "labels.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


def with_annotation(**changes: Any) -> dict[str, Any]:
    first = {**coco_file()["annotations"][0], **changes}
    return coco_file(annotations=[{k: v for k, v in first.items() if v != "absent"}])


def test_keypoints_stay_where_they_are_and_boxes_move_by_half_a_pixel(tmp_path: Path) -> None:
    labels = read_labels(written(tmp_path, coco_file()))
    assert labels.skeleton.keypoints == ("head", "foot")
    np.testing.assert_array_equal(labels.keypoints_px, [[[10, 20], [12.5, 25]]])
    np.testing.assert_array_equal(labels.visibility, [[2, 1]])
    np.testing.assert_array_equal(labels.boxes_px, [[9.5, 19.5, 5, 10]])
    np.testing.assert_array_equal(labels.areas_px2, [50])
    assert labels.keys == ("31",)
    assert [i.key for i in labels.images] == ["5", "9"]
    assert labels.images[labels.image_index[0]].path == tmp_path / "b.png"


def test_real_annotations_read_as_pycocotools_reads_them(shared: Path) -> None:
    from pycocotools.coco import COCO

    for name in ("coco4/test_coco.json", "coco_mini/person_keypoints.json"):
        path = shared / "data" / "labels" / name
        labels, theirs = read_labels(path), COCO(str(path))
        check_images(labels)
        assert labels.skeleton == load_skeleton("coco17")
        assert len(labels) == len(theirs.anns)
        for i, key in enumerate(labels.keys):
            a = theirs.anns[int(key)]
            flags = np.reshape(a["keypoints"], (17, 3))
            np.testing.assert_array_equal(labels.visibility[i], flags[:, 2])
            seen = flags[:, 2] > 0
            np.testing.assert_array_equal(labels.keypoints_px[i, seen], flags[seen, :2])
            np.testing.assert_allclose(labels.boxes_px[i] + [0.5, 0.5, 0, 0], a["bbox"])
            assert labels.areas_px2[i] == a["area"]
            assert labels.crowd[i] == bool(a["iscrowd"])
            assert labels.images[labels.image_index[i]].key == str(a["image_id"])


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    labels = three_people(tmp_path / "images")
    write_labels(tmp_path / "l.json", labels)
    again = read_labels(tmp_path / "l.json")
    # The second person has neither box nor area; an area that is not known stays so.
    assert_same_people(again, labels)
    assert again.keys == labels.keys
    assert [(i.path, i.width, i.height, i.video, i.frame) for i in again.images] == [
        (i.path, i.width, i.height, i.video, i.frame) for i in labels.images
    ]
    names = [i["file_name"] for i in json.loads((tmp_path / "l.json").read_text())["images"]]
    assert names == ["images/img0003.png", "images/img0010.png", "images/img0003b.png"]


def test_a_skeleton_that_is_not_built_in_comes_back_with_its_sigmas(tmp_path: Path) -> None:
    labels = three_people(tmp_path, mouse())
    write_labels(tmp_path / "l.json", labels)
    assert_same_people(read_labels(tmp_path / "l.json"), labels)
    content = json.loads((tmp_path / "l.json").read_text())
    assert content["categories"][0]["skeleton"] == [[1, 2], [1, 3], [1, 4]]
    content["categories"][0]["gonio_skeleton"]["pairs"] = [["left_ear", "nose"]]
    with pytest.raises(FormatError, match="unknown keypoint 'nose'"):
        read_labels(written(tmp_path, content))


def test_pycocotools_finds_our_files_people_perfect_against_themselves(tmp_path: Path) -> None:
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval

    labels = three_people(tmp_path).take([0, 2], keep_images=True)
    write_labels(tmp_path / "l.json", labels)
    truth = COCO(str(tmp_path / "l.json"))
    found = truth.loadRes([{**a, "score": 1.0} for a in truth.anns.values()])
    judge = COCOeval(truth, found, "keypoints")
    judge.params.kpt_oks_sigmas = np.full(6, 0.05)
    judge.evaluate()
    assert all(np.diag(v).min() > 0.99 for v in judge.ious.values() if len(v))


def test_an_area_that_is_not_known_is_written_as_its_share_of_the_box(tmp_path: Path) -> None:
    content = with_annotation(area="absent")
    labels = read_labels(written(tmp_path, content))
    assert np.isnan(labels.areas_px2).all()
    write_labels(tmp_path / "b.json", labels)
    assert read_labels(tmp_path / "b.json").areas_px2[0] == pytest.approx(0.53 * 50)


def test_an_area_that_is_absent_is_that_of_the_outline(tmp_path: Path) -> None:
    square = [[0, 0, 4, 0, 4, 4, 0, 4], [10, 10, 12, 10, 12, 12, 10, 12]]
    labels = read_labels(written(tmp_path, with_annotation(area="absent", segmentation=square)))
    assert labels.areas_px2[0] == 20


def test_a_person_may_lack_a_box_keypoints_and_an_id(tmp_path: Path) -> None:
    content = with_annotation(bbox="absent", keypoints="absent", id="absent")
    labels = read_labels(written(tmp_path, content))
    assert len(labels) == 1
    assert not labels.labelled.any()
    assert np.isnan(labels.boxes_px).all()
    assert labels.keys == ()


def test_only_people_are_read_where_there_is_a_category_of_people(tmp_path: Path) -> None:
    first = coco_file()["annotations"][0]
    other = {**first, "id": 32, "category_id": 2, "keypoints": [1, 2, 2]}
    box = {"id": 33, "image_id": 5, "category_id": 3, "bbox": [1, 1, 2, 2]}
    categories = [
        {"id": 3, "name": "car"},
        {"id": 2, "name": "dog", "keypoints": ["tail"]},
        {"id": 1, "name": "person", "keypoints": ["head", "foot"]},
    ]
    content = coco_file(annotations=[box, other, first], categories=categories)
    assert read_labels(written(tmp_path, content)).keys == ("31",)
    categories[2]["name"] = "cat"
    with pytest.raises(FormatError, match="'dog', 'cat' have different keypoints"):
        read_labels(written(tmp_path, content))


def test_keypoints_in_another_order_are_brought_into_the_skeletons(tmp_path: Path) -> None:
    lower = load_skeleton("lower6")
    names = [n.replace("_", " ").title() for n in reversed(lower.keypoints)]
    content = with_annotation(keypoints=[v for i in range(6) for v in (i, 10 + i, 2)])
    content["categories"] = [{"id": 1, "name": "legs", "keypoints": names}]
    labels = read_labels(written(tmp_path, content))
    assert labels.skeleton == lower
    np.testing.assert_array_equal(labels.keypoints_px[0, :, 0], [5, 4, 3, 2, 1, 0])
    with pytest.raises(PosesError, match=r"not those of 'gait6'; missing: .*neck"):
        read_labels(tmp_path / "labels.json", skeleton="gait6")


def test_sides_are_paired_however_the_names_tell_them(tmp_path: Path) -> None:
    names = ["leftEar", "rightEar", "L_paw", "R_paw", "eye left", "eye right", "left"]
    content = with_annotation(keypoints=[1, 1, 2] * 7)
    content["categories"] = [{"id": 1, "name": "Field Mouse", "keypoints": names}]
    skeleton = read_labels(written(tmp_path, content)).skeleton
    assert skeleton.name == "field_mouse"
    assert skeleton.keypoints[:2] == ("left_ear", "right_ear")
    assert skeleton.pairs == (
        ("left_ear", "right_ear"), ("l_paw", "r_paw"), ("eye_left", "eye_right"),
    )  # fmt: skip


def test_names_may_be_absent_where_the_skeleton_is_given(tmp_path: Path) -> None:
    content = with_annotation(keypoints=[1, 2, 2] * 6)
    content["categories"] = [{"id": 1, "name": "person"}]
    path = written(tmp_path, content)
    with pytest.raises(FormatError, match="no category has keypoints"):
        read_labels(path)
    assert read_labels(path, skeleton="lower6").visibility.sum() == 12
    with pytest.raises(FormatError, match=r"annotation 31: .* 18 numbers; 8 keypoints need 24"):
        read_labels(path, skeleton="rearfoot8")


def test_images_are_found_where_cocos_archives_put_them(tmp_path: Path) -> None:
    picture(tmp_path / "val2017" / "b.png")
    (tmp_path / "annotations").mkdir()
    path = tmp_path / "annotations" / "person_keypoints_val2017.json"
    path.write_text(json.dumps(coco_file()))
    assert read_labels(path).images[1].path == tmp_path / "val2017" / "b.png"
    picture(tmp_path / "elsewhere" / "a.png")
    labels = read_labels(path, images=tmp_path / "elsewhere")
    assert labels.images[0].path == tmp_path / "elsewhere" / "a.png"
    with pytest.raises(InputError, match="nowhere': no such folder of images"):
        read_labels(path, images=tmp_path / "nowhere")


def test_absent_images_are_read_and_told_of(tmp_path: Path) -> None:
    picture(tmp_path / "a.png")
    labels = read_labels(written(tmp_path, coco_file()))
    with pytest.raises(InputError, match=r"1 of 2 images are not there: '.*b\.png'"):
        check_images(labels)


def test_sizes_that_the_file_does_not_give_are_looked_up(tmp_path: Path) -> None:
    picture(tmp_path / "a.png", width=30, height=20)
    images = [{"id": 5, "file_name": "a.png"}, {"id": 9, "file_name": "b.png"}]
    labels = with_sizes(read_labels(written(tmp_path, coco_file(images=images))))
    assert [(i.width, i.height) for i in labels.images] == [(30, 20), (None, None)]


BAD = {
    "broken JSON": ('{"images": [1, ', "not valid JSON .*line 1"),
    "an empty file": ("  \n", "the file is empty"),
    "results": ([{"image_id": 1, "score": 0.5}], "COCO's files of results"),
    "another JSON": ({"people": []}, "not a COCO file"),
    "no images": (coco_file(images=[]), "names no images"),
    "images that are text": (coco_file(images=["a.png"]), "'images' is no list of objects"),
    "an image without a name": (coco_file(images=[{"id": 5}]), "image number 1 has no"),
    "an image twice": (
        coco_file(images=[{"id": 5, "file_name": "a"}, {"id": 5, "file_name": "b"}]),
        "ids of images stand more than once: '5'",
    ),
    "a size that is none": (
        coco_file(images=[{"id": 9, "file_name": "a", "width": -3}]), "image 9: 'width' is -3",
    ),
    "an annotation twice": (
        coco_file(annotations=coco_file()["annotations"] * 2),
        "ids of annotations stand more than once: '31'",
    ),
    "an unknown image": (
        with_annotation(image_id=77), "1 annotations point to no image.*annotation 31.*77",
    ),
    "an id that is a list": (with_annotation(image_id=[9]), "number 1: 'image_id' is \\[9\\]"),
    "too few keypoints": (with_annotation(keypoints=[1, 2, 2]), "annotation 31: .*3 numbers.*6"),
    "keypoints that are text": (
        with_annotation(keypoints=[1, 2, 2, "x", 2, 2]), "annotation 31: 'keypoints' holds 'x'",
    ),
    "keypoints that are null": (
        with_annotation(keypoints=[1, 2, 2, None, 2, 2]), "annotation 31: a keypoint has null",
    ),
    "a NaN": (
        with_annotation(keypoints=[1, float("nan"), 2, 1, 2, 2]), "annotation 31: .* NaN",
    ),
    "a flag of 3": (with_annotation(keypoints=[1, 2, 3, 1, 2, 2]), "annotation 31: .*flag"),
    "a flat box": (with_annotation(bbox=[1, 2, 0, 5]), "annotation 31: the box .* has no area"),
    "a box of three": (with_annotation(bbox=[1, 2, 5]), "'bbox' is not x, y, width, height"),
    "a NaN in a box": (with_annotation(bbox=[1, 2, float("nan"), 5]), "the box .* has NaN"),
    "a NaN area": (with_annotation(area=float("nan")), "annotation 31: the area is nan"),
    "no keypoints": (
        coco_file(categories=[{"id": 1, "name": "person"}]), "no category has keypoints",
    ),
    "a keypoint named twice": (
        coco_file(categories=[{"id": 1, "name": "p", "keypoints": ["Head", "head"]}]),
        "named twice: head",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_a_bad_file_is_refused_by_what_is_wrong_and_where(tmp_path: Path, name: str) -> None:
    content, message = BAD[name]
    with pytest.raises(FormatError, match=message) as error:
        read_labels(written(tmp_path, content))
    assert "labels.json" in str(error.value)


def test_a_file_that_exists_is_not_replaced_unasked(tmp_path: Path) -> None:
    labels = three_people(tmp_path)
    write_labels(tmp_path / "l.json", labels)
    with pytest.raises(OutputError, match="exists already"):
        write_labels(tmp_path / "l.json", labels)
    write_labels(tmp_path / "l.json", labels.take([0]), overwrite=True)
    assert len(read_labels(tmp_path / "l.json")) == 1
    with pytest.raises(OutputError, match="No such file"):
        write_labels(tmp_path / "nowhere" / "l.json", labels)
    assert sorted(p.name for p in tmp_path.iterdir() if p.suffix == ".json") == ["l.json"]


def test_a_folder_that_gonio_wrote_is_the_labels_in_it(tmp_path: Path) -> None:
    write_labels(tmp_path / "set" / "labels.json", three_people(tmp_path / "set"))
    assert len(read_labels(tmp_path / "set")) == 3
    (tmp_path / "empty").mkdir()
    with pytest.raises(FormatError, match=r"no format of labels is recognized.*data\.format"):
        read_labels(tmp_path / "empty")
