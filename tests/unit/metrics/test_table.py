"""The table of a model's numbers: pairs, bands, angles, notes, and what it refuses."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gonio.errors import InputError
from gonio.labels import LabelledImage, Labels, Predictions, make_labels
from gonio.metrics import (
    QUICK,
    EvaluationSettings,
    evaluate_predictions,
    keypoint_angle_errors,
    pair_people,
)
from gonio.skeletons import Skeleton, load_skeleton

# A standing person seen from the side who faces right, in gait6: neck, hip, knee, ankle, heel,
# toes.
STANDING = np.array([[100, 20], [100, 100], [100, 150], [100, 200], [90, 210], [120, 210]], float)


def people(
    points: np.ndarray,
    *,
    skeleton: str | Skeleton = "gait6",
    image: list[int] | None = None,
    images: list[LabelledImage] | None = None,
    **more: Any,
) -> Labels:
    image = list(range(len(points))) if image is None else image
    if images is None:
        images = [LabelledImage(Path(f"{i}.png"), 400, 300) for i in range(max(image) + 1)]
    seen = np.full(points.shape[:2], 2)
    known = load_skeleton(skeleton) if isinstance(skeleton, str) else skeleton
    return make_labels(known, images, image, points, seen, **more)


def asked(points: np.ndarray, **more: Any) -> Predictions:
    """Predictions about each labelled person in turn."""
    n = len(points)
    given: dict[str, Any] = {
        "image_index": np.arange(n),
        "keypoints_px": points,
        "confidence": np.where(np.isfinite(points).all(axis=-1), 0.9, 0.0),
        "scores": np.ones(n),
        "person_index": np.arange(n),
        "boxes_px": np.full((n, 4), np.nan),
    }
    return Predictions(**{**given, **more})


def test_a_table_worked_by_hand() -> None:
    labels = people(np.stack([STANDING, STANDING]))
    found = np.stack([STANDING, STANDING])
    found[0, 0] += [0, 12]
    found[1, 1] += [30, 0]
    found[1, 2] = np.nan
    table = evaluate_predictions(labels, asked(found))
    # norm 400, limit 20: two of twelve are wrong
    assert table.values["pck@0.05:image"] == pytest.approx(10 / 12)
    assert table.values["found"] == pytest.approx(11 / 12)
    assert table.values["mse_px2"] == pytest.approx((144 + 900) / 22)
    assert table.values["acceptable_share"] == pytest.approx(9 / 12)
    row = table.keypoints.set_index("name").loc["hip"]
    assert (row["n"], row["found"], row["pck@0.05:image"], row["mean_px"]) == (2, 2, 0.5, 15)
    assert (row["acceptable"], row["bad"], row["completely_bad"], row["missing"]) == (1, 0, 1, 0)
    assert table.keypoints.set_index("name").loc["knee", "missing"] == 1
    assert table.keypoints.columns[3] == "pck@0.05:image"
    assert table.sigmas["neck"] == labels.skeleton.sigmas[0]
    assert (table.people, table.images) == (2, 2)
    assert table.calibration is not None
    assert table.values["ece:pck@0.05:image"] == pytest.approx((0.9 * 11 - 10) / 12 * -1, abs=0.1)


def test_a_table_is_strict_json() -> None:
    table = evaluate_predictions(people(STANDING[None]), asked(np.full((1, 6, 2), np.nan)))
    again = json.loads(json.dumps(table.as_json(), allow_nan=False))
    assert again["metrics"]["rmse_px"] is None
    assert again["metrics"]["pck@0.05:image"] == 0
    assert again["metrics"]["oks_ap"] == 0
    assert "not a single labelled keypoint was found" in again["notes"]
    assert again["keypoints"][0]["name"] == "neck"


def test_errors_in_input_pixels_and_the_norm_follow_each_persons_scale() -> None:
    labels = people(np.stack([STANDING, STANDING]))
    found = np.stack([STANDING + np.array([10.0, 0]), STANDING + np.array([10.0, 0])])
    table = evaluate_predictions(
        labels, asked(found), QUICK, input_wh=(192, 256), input_scale=[1.0, 2.0]
    )
    # 10 and 20 px of the input; the limit is 0.05 · 256 = 12.8
    assert table.values["pck@0.05:image"] == 0.5
    assert table.values["l1_px"] == 5
    assert table.values["l1_px:input"] == 7.5


def test_each_norm_has_its_usual_alpha_and_each_alpha_a_key() -> None:
    labels = people(STANDING[None], boxes_px=[[50, 0, 100, 200]])
    found = asked(STANDING[None] + np.array([30.0, 0]))
    settings = EvaluationSettings(norms=("image", "bbox"))
    values = evaluate_predictions(labels, found, settings).values
    assert values["pck@0.05:image"] == 0
    assert values["pck@0.2:bbox"] == 1
    settings = EvaluationSettings(norms=("bbox",), alphas=(0.1, 0.15))
    table = evaluate_predictions(labels, found, settings)
    assert [table.values[f"pck@{a}:bbox"] for a in (0.1, 0.15)] == [0, 1]
    assert "pck@0.1:bbox" in table.keypoints
    squared = settings.model_copy(update={"squared": True, "alphas": (0.023,)})
    assert evaluate_predictions(labels, found, squared).values["pck@0.023:bbox:squared"] == 1


def test_joints_without_a_label_and_crowds_never_count() -> None:
    points = np.stack([STANDING, STANDING])
    points[0, 3:] = np.nan
    labels = people(points, crowd=[False, True])
    table = evaluate_predictions(labels, asked(np.stack([STANDING, STANDING + 500.0])))
    assert table.keypoints["n"].tolist() == [1, 1, 1, 0, 0, 0]
    assert table.values["pck@0.05:image"] == 1
    assert np.isnan(table.keypoints["pck@0.05:image"][4])


def test_whole_image_predictions_are_paired_with_the_nearest_people() -> None:
    points = np.stack([STANDING, STANDING + np.array([200.0, 0])])
    labels = people(points, image=[0, 0])
    found = np.stack([points[1] + 3, points[0] + 3, points[0] + [0, 900.0]])
    given = asked(found, image_index=np.zeros(3, int), person_index=np.full(3, -1))
    assert pair_people(labels, given).tolist() == [1, 0]
    far = asked(
        np.stack([points[0] + 900, points[1] + 900]),
        image_index=np.zeros(2, int),
        person_index=np.full(2, -1),
    )
    assert pair_people(labels, far).tolist() == [-1, -1]


def test_a_lonely_person_and_a_lonely_prediction_are_a_pair_however_far() -> None:
    given = asked(STANDING[None] + 900.0, person_index=np.array([-1]))
    assert pair_people(people(STANDING[None]), given).tolist() == [0]


def test_of_several_answers_about_a_person_the_surest_counts() -> None:
    found = np.stack([STANDING + 50.0, STANDING, STANDING + 90.0])
    given = asked(
        found,
        image_index=np.zeros(3, int),
        person_index=np.zeros(3, int),
        scores=np.array([0.2, 0.9, 0.3]),
    )
    assert pair_people(people(STANDING[None]), given).tolist() == [1]


def test_angle_errors_worked_by_hand_on_either_facing() -> None:
    bent = STANDING.copy()
    bent[3] = bent[2] + 50 * np.array([-np.sin(np.deg2rad(20)), np.cos(np.deg2rad(20))])
    bent[4:] += bent[3] - STANDING[3]
    labels = people(np.stack([STANDING, STANDING * [-1, 1] + [400, 0]]))
    angles = keypoint_angle_errors(labels, np.stack([bent, bent * [-1, 1] + [400, 0]]))
    row = angles.set_index("name").loc["knee"]
    assert row["mae_deg"] == pytest.approx(20)
    assert row["bias_deg"] == pytest.approx(20)  # flexion is positive whichever way one faces
    assert (row["n"], row["n_facing"], row["people"]) == (2, 2, 2)
    assert row["icc"] == pytest.approx(0, abs=1e-9)  # the two people do not differ


def test_a_prediction_that_turns_the_foot_round_does_not_mirror_the_knee() -> None:
    turned = STANDING.copy()
    turned[[4, 5]] = STANDING[[5, 4]]
    labels = people(STANDING[None])
    angles = keypoint_angle_errors(labels, turned[None]).set_index("name")
    assert angles.loc["knee", "mae_deg"] == pytest.approx(0, abs=1e-9)
    assert abs(angles.loc["foot", "bias_deg"]) > 90


def test_without_feet_or_nose_the_size_of_an_error_counts_but_not_its_sign() -> None:
    points = np.zeros((1, 6, 2))
    points[0] = [[0, 0], [10, 0], [0, 50], [10, 50], [0, 100], [10, 100]]
    labels = people(points, skeleton="lower6")
    moved = points.copy()
    moved[0, 4] = [50, 50]  # the left shank lies level
    row = keypoint_angle_errors(labels, moved).set_index("name").loc["knee_left"]
    assert row["mae_deg"] == pytest.approx(90)
    assert row["n_facing"] == 0
    assert np.isnan(row["bias_deg"])


def test_frames_of_one_video_are_one_person_and_enough_of_them_a_curve() -> None:
    rng = np.random.default_rng(0)
    bend = np.deg2rad(30 + 30 * np.sin(np.linspace(0, 6, 40)))
    points = np.repeat(STANDING[None], 40, axis=0)
    points[:, 3] = points[:, 2] + 50 * np.stack([-np.sin(bend), np.cos(bend)], axis=1)
    points[:, 4:] = STANDING[4:] + (points[:, 3] - STANDING[3])[:, None]
    images = [LabelledImage(Path(f"{i}.png"), 400, 300, video="ab"[i % 2]) for i in range(40)]
    labels = people(points, images=images)
    angles = keypoint_angle_errors(labels, points + rng.normal(size=points.shape))
    row = angles.set_index("name").loc["knee"]
    assert (row["people"], row["n"]) == (2, 40)
    assert row["cmc"] > 0.98
    assert row["mae_deg"] < 5


def test_a_skeleton_without_angles_has_an_empty_table() -> None:
    dots = Skeleton(name="dots", keypoints=tuple("abcdef"))
    labels = people(np.ones((1, 6, 2)) * np.arange(6)[:, None], skeleton=dots)
    assert not len(keypoint_angle_errors(labels, labels.keypoints_px))
    values = evaluate_predictions(labels, asked(labels.keypoints_px)).values
    assert not [key for key in values if key.startswith("angle")]


def test_of_markers_seen_from_behind_the_rearfoot_angles_are_compared_with_their_signs() -> None:
    leg = np.array([[0, 0], [0, 100], [0, 140]], float)
    true = np.concatenate([leg + np.array([x, 0]) for x in (50, 150)])
    everted = true.copy()
    everted[[2, 5], 0] += [-40, 40]  # atan(40 / 40), outward on both sides
    labels = people(true[None], skeleton="rearfoot6")
    rows = keypoint_angle_errors(labels, everted[None]).set_index("name")
    assert len(rows) == 8
    for side in ("left", "right"):
        row = rows.loc[f"rearfoot_{side}"]
        assert (row["n"], row["n_facing"]) == (1, 1)
        assert (row["mae_deg"], row["bias_deg"]) == pytest.approx((45, 45))


def test_box_ap_is_given_only_where_the_model_found_the_boxes_itself() -> None:
    boxes = np.array([[50.0, 0, 100, 250]])
    labels = people(STANDING[None], boxes_px=boxes, areas_px2=[10_000.0])
    own = asked(STANDING[None], person_index=np.array([-1]), boxes_px=boxes)
    assert evaluate_predictions(labels, own).values["box_ap"] == 1
    given = evaluate_predictions(labels, asked(STANDING[None], boxes_px=boxes))
    assert "box_ap" not in given.values
    assert any("no box AP" in note for note in given.notes)


def test_the_reader_is_told_where_areas_come_from() -> None:
    table = evaluate_predictions(people(STANDING[None]), asked(STANDING[None]))
    assert any("neither outline nor box" in note for note in table.notes)
    boxed = people(STANDING[None], boxes_px=[[50, 0, 100, 250]])
    notes = evaluate_predictions(boxed, asked(STANDING[None])).notes
    assert any("0.53 × box for 1" in note for note in notes)


def test_what_cannot_be_measured_is_refused() -> None:
    empty = people(np.full((1, 6, 2), np.nan))
    with pytest.raises(InputError, match="none of 1 people has a labelled keypoint"):
        evaluate_predictions(empty, asked(STANDING[None]))
    labels = people(STANDING[None])
    with pytest.raises(InputError, match=r"norm 'bbox': nobody has a box.*gonio data boxes"):
        evaluate_predictions(labels, asked(STANDING[None]), EvaluationSettings(norms=("bbox",)))
    with pytest.raises(InputError, match="do not fit the 6 keypoints"):
        evaluate_predictions(labels, asked(np.zeros((1, 4, 2))))
    unsized = people(STANDING[None], images=[LabelledImage(Path("a"))])
    with pytest.raises(InputError, match="sizes are not known"):
        evaluate_predictions(unsized, asked(STANDING[None]))
