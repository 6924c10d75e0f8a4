"""Choosing the person: rules, reasons, nobody."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from gonio.errors import InputError, UnknownNameError
from gonio.poses import make_poses
from gonio.skeletons import load_skeleton
from gonio.tracking import check_person_rule, choose_person

SKELETON = load_skeleton("coco17")


def crowd(*people: tuple[float, int, float]) -> xr.Dataset:
    """Make people of (height in px, frames seen, confidence) in 100 frames."""
    position = np.full((100, 2, 17, len(people)), np.nan)
    confidence = np.full((100, 17, len(people)), np.nan)
    for i, (height, frames, score) in enumerate(people):
        position[:frames, 0, :, i] = 50
        position[:frames, 1, :, i] = np.linspace(0, height, 17)
        confidence[:frames, :, i] = score
    return make_poses(position, confidence, time_s=np.arange(100) / 25, skeleton=SKELETON)


PEOPLE = crowd((200, 90, 0.7), (500, 60, 0.6), (900, 4, 0.99), (100, 30, 0.9))


@pytest.mark.parametrize(
    ("rule", "chosen"),
    [
        ("largest", ["person_1"]),  # the giant of a moment does not count
        ("longest", ["person_0"]),
        ("confident", ["person_3"]),
        ("all", ["person_0", "person_1", "person_2", "person_3"]),
        ("2", ["person_2"]),
        (0, ["person_0"]),
    ],
)
def test_each_rule_chooses_whom_it_says(rule: str | int, chosen: list[str]) -> None:
    assert choose_person(PEOPLE, SKELETON, rule).individuals == chosen


def test_the_reason_names_sizes_and_frames_in_order_of_merit() -> None:
    reason = choose_person(PEOPLE, SKELETON).reason
    assert reason.startswith(
        "Person 1 was measured: of the 4 people found, the one seen largest (about 500 pixels "
        "large, confidence 0.60, seen in 60 frames). Not measured: Person 0 (about "
    )
    assert reason.endswith("seen in 4 frames, too briefly to be chosen).")


def test_the_reason_of_a_choice_without_rivals_is_short() -> None:
    alone = crowd((100, 8, 0.9))
    assert choose_person(alone, SKELETON).reason == (
        "Person 0, the only one found, was measured (about 100 pixels large, confidence 0.90, "
        "seen in 8 frames)."
    )
    assert choose_person(alone, SKELETON, "all").reason == "The only person found was measured."
    two = crowd((100, 8, 0.9), (50, 1, 0.9))
    assert choose_person(two, SKELETON, "all").reason == "All 2 people found were measured."
    assert choose_person(two, SKELETON, "1").reason == "Person 1 was asked for."
    assert "seen in 1 frame, too briefly" in choose_person(two, SKELETON).reason
    assert (
        "the first 2 being alike in this"
        in choose_person(crowd((100, 9, 0.9), (90, 9, 0.9)), SKELETON, "confident").reason
    )


def test_one_frame_with_a_wild_point_does_not_make_a_person_large() -> None:
    poses = crowd((200, 90, 0.7), (300, 90, 0.7))
    poses["position"][:3, :, 0, 0] = 5000
    assert choose_person(poses, SKELETON).individuals == ["person_1"]


def test_raised_arms_do_not_make_a_person_large() -> None:
    poses = crowd((300, 90, 0.7), (320, 90, 0.7))
    poses["position"].loc[{"keypoints": "left_wrist", "individuals": "person_0"}] = -200
    assert choose_person(poses, SKELETON).individuals == ["person_1"]


@pytest.mark.parametrize("rule", ["largest", "all", "3"])
def test_nobody_is_a_choice_with_a_reason(rule: str) -> None:
    choice = choose_person(crowd(), SKELETON, rule)
    assert choice.individuals == []
    assert choice.reason == "Nobody was seen."


def test_people_in_whom_nothing_was_seen_are_nobody() -> None:
    assert choose_person(crowd((1, 0, 0)), SKELETON).individuals == []
    assert choose_person(crowd((1, 0, 0), (9, 9, 0.5)), SKELETON, "all").individuals == ["person_1"]


def test_unknown_rules_and_indices_are_named() -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'largest'"):
        choose_person(PEOPLE, SKELETON, "larges")
    with pytest.raises(
        InputError, match=r"person 7 was asked for, but the recording has 4 \(0–3\)"
    ):
        choose_person(PEOPLE, SKELETON, "7")
    with pytest.raises(InputError, match="only person 0"):
        choose_person(crowd((1, 9, 1)), SKELETON, 1)


@pytest.mark.parametrize("rule", [-1, "-1", " -2 "])
def test_people_are_never_counted_from_the_end(rule: str | int) -> None:
    with pytest.raises(InputError, match="count from 0"):
        check_person_rule(rule)
    with pytest.raises(InputError, match="count from 0"):
        choose_person(PEOPLE, SKELETON, rule)
