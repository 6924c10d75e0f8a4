"""Drawn people as training data: exact keypoints, honest visibility, folders that go on."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest

from gonio.errors import ConfigError, OutputError
from gonio.formats.labels import read_labels
from gonio.labels import HIDDEN, UNLABELLED, VISIBLE
from gonio.skeletons import load_skeleton
from gonio.synthetic.lens import Lens
from gonio.synthetic.people import draw_people, people_labels
from gonio.synthetic.people import person as person_module
from gonio.synthetic.people import picture as picture_module
from gonio.synthetic.people.person import choose_figure, draw_figure
from gonio.synthetic.shapes import Light

SIZE = (160, 128)
COCO = load_skeleton("coco17")
LIGHT = Light(0.2, -0.6, 0.7)


def hashes(folder: Path) -> dict[str, str]:
    files = sorted(file for file in folder.rglob("*") if file.is_file())
    return {
        str(file.relative_to(folder)): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in files
    }


def alone(seed: int, **options: float) -> tuple[np.ndarray, person_module.Drawn]:
    """One person on black, 200 px tall, in the middle."""
    place = {"center_px": 150.0, "floor_px": 260.0, "height_px": 200.0} | options
    figure = choose_figure(np.random.default_rng(seed), width=300, **place)
    canvas = np.zeros((300, 300, 4), np.uint8)
    return canvas, draw_figure(canvas, figure, COCO.keypoints, LIGHT)


def test_a_picture_follows_from_seed_and_index_alone() -> None:
    first, again = (draw_people(COCO, 3, 5, size=SIZE) for _ in range(2))
    for one, other in zip(first, again, strict=True):
        np.testing.assert_array_equal(one, other)
    other = draw_people(COCO, 3, 6, size=SIZE)
    assert np.abs(first.image.astype(int) - other.image).mean() > 5


def test_the_skeleton_changes_the_labels_and_not_the_picture() -> None:
    whole, legs = (draw_people(load_skeleton(s), 1, 4, size=SIZE) for s in ("coco17", "lower6"))
    np.testing.assert_array_equal(whole.image, legs.image)
    rows = [COCO.index(name) for name in load_skeleton("lower6").keypoints]
    np.testing.assert_array_equal(whole.keypoints_px[:, rows], legs.keypoints_px)
    np.testing.assert_array_equal(whole.visibility[:, rows], legs.visibility)


@pytest.mark.parametrize("seed", range(8))
def test_visible_points_lie_on_the_person_and_inside_the_box(seed: int) -> None:
    _, drawn = alone(seed)
    cells = np.round(drawn.points_px).astype(int)
    assert (drawn.coverage[cells[:, 1], cells[:, 0]] > 0).all()
    seen = draw_people(COCO, seed, 0, size=SIZE)
    for points, box in zip(seen.keypoints_px, seen.boxes_px, strict=True):
        inside = points[np.isfinite(points[:, 0])]
        assert (inside >= box[:2] - 1).all()
        assert (inside <= box[:2] + box[2:] + 1).all()


def test_exactly_from_the_side_the_far_hip_shoulder_and_eye_are_hidden(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(person_module, "_TURN_DEG", 0.0)
    for seed in range(6):
        rng = np.random.default_rng(seed)
        figure = choose_figure(rng, center_px=150, floor_px=260, height_px=200, width=300)
        _, drawn = alone(seed)
        far = "right" if figure.mirrored else "left"
        near = "left" if figure.mirrored else "right"
        hidden = dict(zip(COCO.keypoints, drawn.hidden, strict=True))
        assert hidden[f"{far}_hip"], seed
        assert hidden[f"{far}_shoulder"]
        assert hidden[f"{far}_eye"]
        assert not hidden[f"{near}_shoulder"]
        assert not hidden[f"{near}_elbow"]


def test_a_person_facing_left_has_the_left_side_near_and_the_nose_to_the_left() -> None:
    for seed in range(6):
        rng = np.random.default_rng(seed)
        figure = choose_figure(rng, center_px=150, floor_px=260, height_px=200, width=300)
        _, drawn = alone(seed)
        x = dict(zip(COCO.keypoints, drawn.points_px[:, 0], strict=True))
        ahead = x["nose"] - (x["left_ear"] + x["right_ear"]) / 2
        assert (ahead < 0) == figure.mirrored
        assert figure.lens.near == (0 if figure.mirrored else 1)


def test_a_turned_person_shows_both_hips_apart() -> None:
    """0.2 m between the hips, half of it seen at 30°; the planes' scales differ by 5 %."""
    flat, turned = (Lens(100.0, 150.0, 260.0, near=1, turn_deg=turn) for turn in (0.0, 30.0))
    hips = {side + "_hip": np.array([[0.0, 0.9]]) for side in ("left", "right")}
    hips |= {side + "_shoulder": np.array([[0.0, 1.4]]) for side in ("left", "right")}
    apart = []
    for lens in (flat, turned):
        points = lens.project(hips, np.zeros(1))
        apart.append(points["left_hip"][0, 0] - points["right_hip"][0, 0])
    assert apart == pytest.approx([0, 0.2 * 100 * 0.5])


def test_who_stands_nearer_hides_who_stands_behind() -> None:
    mask = np.zeros((20, 20), np.uint8)
    mask[5:10, 5:10] = 255
    points = np.array([(7.0, 7.0), (2.0, 2.0), (30.0, 7.0)])
    people = [person_module.Drawn(points, np.zeros(3, bool), mask) for _ in range(2)]
    hidden = [np.zeros(3, bool), np.zeros(3, bool)]
    picture_module._hide_behind_others(people, hidden)
    assert hidden[0].tolist() == [True, False, False]
    assert not hidden[1].any()


def test_points_outside_the_picture_are_not_labelled_and_the_others_finite() -> None:
    counts = np.zeros(3, int)
    for index in range(12):
        picture = draw_people(COCO, 2, index, size=SIZE)
        outside = picture.visibility == UNLABELLED
        assert np.isnan(picture.keypoints_px[outside]).all()
        rest = picture.keypoints_px[~outside]
        assert (rest >= -0.5).all()
        assert (rest <= np.array(SIZE) - 0.5).all()
        counts += np.bincount(picture.visibility.ravel(), minlength=3)
        assert (picture.areas_px2 <= picture.boxes_px[:, 2] * picture.boxes_px[:, 3]).all()
        assert (picture.areas_px2 > 0).all()
    assert (counts > 0).all()
    assert counts[VISIBLE] > counts[HIDDEN] + counts[UNLABELLED]


@pytest.mark.parametrize("skeleton", ["coco17", "lower6", "halpe26", "lsp14", "blazepose33"])
def test_every_common_skeleton_is_labelled(skeleton: str) -> None:
    points = load_skeleton(skeleton)
    picture = draw_people(points, 0, 0, size=SIZE)
    assert picture.keypoints_px.shape[1:] == (len(points.keypoints), 2)


def test_a_folder_is_read_back_as_it_was_returned(tmp_path: Path) -> None:
    told: list[tuple[str, int, int | None]] = []
    labels = people_labels(
        tmp_path / "drawn", people=5, size=SIZE, progress=lambda *step: told.append(step)
    )
    found = read_labels(tmp_path / "drawn" / "labels.json")
    assert found.skeleton == labels.skeleton == COCO
    assert len(found) == 5
    np.testing.assert_allclose(found.keypoints_px, labels.keypoints_px, atol=1e-6)
    np.testing.assert_array_equal(found.visibility, labels.visibility)
    np.testing.assert_allclose(found.boxes_px, labels.boxes_px)
    np.testing.assert_allclose(found.areas_px2, labels.areas_px2)
    assert all(image.path.is_file() for image in found.images)
    assert told[-1] == ("drawing people", 5, 5)
    assert not (tmp_path / "drawn" / "parts").exists()


def test_an_interrupted_folder_goes_on_to_the_same_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gonio.synthetic.people.folder._PICTURES_A_PART", 2)
    people_labels(tmp_path / "at-once", people=8, seed=4, size=SIZE)

    def interrupt(_: str, done: int, __: int | None) -> None:
        if done >= 5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        people_labels(tmp_path / "twice", people=8, seed=4, size=SIZE, progress=interrupt)
    assert not (tmp_path / "twice" / "labels.json").exists()
    with pytest.raises(OutputError, match="--resume"):
        people_labels(tmp_path / "twice", people=8, seed=4, size=SIZE)
    with pytest.raises(OutputError, match="seed: 4, now 5"):
        people_labels(tmp_path / "twice", people=8, seed=5, size=SIZE, resume=True)
    people_labels(tmp_path / "twice", people=8, seed=4, size=SIZE, resume=True)
    assert hashes(tmp_path / "twice") == hashes(tmp_path / "at-once")


def test_a_folder_is_replaced_only_when_asked_and_only_if_it_was_drawn(tmp_path: Path) -> None:
    folder = tmp_path / "drawn"
    people_labels(folder, people=3, size=SIZE)
    people_labels(folder, people=2, seed=1, size=SIZE, overwrite=True)
    assert json.loads((folder / "synthesis.json").read_text())["people"] == 2
    other = tmp_path / "mine"
    other.mkdir()
    (other / "thesis.txt").write_text("years of work")
    with pytest.raises(OutputError, match="holds other files"):
        people_labels(other, people=2, overwrite=True)
    assert [file.name for file in other.iterdir()] == ["thesis.txt"]


def test_what_cannot_be_drawn_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="not drawn: left_calf"):
        people_labels(tmp_path / "a", people=1, skeleton="rearfoot6")
    with pytest.raises(ConfigError, match="0 people"):
        people_labels(tmp_path / "a", people=0)
    with pytest.raises(ConfigError, match="64 at least"):
        people_labels(tmp_path / "a", people=1, size=(40, 40))
    assert not (tmp_path / "a").exists()
