"""Plain words for angles, numbers and operations."""

from __future__ import annotations

import pytest

from gonio.analysis.angles import ANGLES
from gonio.report.wording import (
    WORDS,
    changed_something,
    counted,
    name_people,
    number,
    operation_in_words,
    repaired_stretches,
    sign_in_words,
    split_side,
    title_of,
    words_of,
)
from gonio.tracking import OPERATIONS


def test_every_angle_has_words() -> None:
    assert set(WORDS) == set(ANGLES)


def test_every_operation_is_told_in_a_sentence() -> None:
    arguments: dict[str, object] = {
        "min_confidence": 0.3,
        "max_gap_s": 0.2,
        "window": 5,
        "cutoff_hz": 6,
        "order": 4,
    }
    arguments |= {"n_sigma": 2, "replace_by": "median", "weights": "equal", "window_frames": 9}
    arguments |= {"method": "labels", "mixed": 2, "sides": {"person_0": "disagree"}}
    arguments |= {"cutoffs_hz": [2, 3, 4], "min_cutoff_hz": 1, "limbs": ["leg"], "repaired": 3}
    for name in OPERATIONS:
        sentence = operation_in_words({"operation": name, **arguments})
        assert sentence[0].isupper(), name
        assert sentence.endswith("."), name


def test_following_people_is_told_with_what_was_dropped() -> None:
    entry = {"operation": "assign_identities", "people": 3, "dropped_sightings": 2}
    assert operation_in_words(entry) == (
        "3 people were followed through the frames; "
        "2 stray sightings that belong to none were dropped."
    )
    assert operation_in_words({**entry, "people": 1, "dropped_sightings": 0}) == (
        "1 person was followed through the frames."
    )


def test_one_of_a_kind_is_told_in_the_singular() -> None:
    entry = {"operation": "assign_identities", "people": 3, "dropped_sightings": 1}
    assert "1 stray sighting that belongs to none was dropped." in operation_in_words(entry)
    entry = {"operation": "hide_outside", "hidden": 1}
    assert operation_in_words(entry).endswith("(1 point).")
    assert [counted(n, "frame") for n in (0, 1, 1200)] == ["0 frames", "1 frame", "1,200 frames"]


def test_operations_that_changed_nothing_are_known_by_their_count() -> None:
    assert not changed_something({"operation": "hide_outside", "hidden": 0})
    assert not changed_something({"operation": "fill_gaps", "filled": 0, "gaps_left": 2})
    assert changed_something({"operation": "median", "window": 3, "changed": 7})
    assert changed_something({"operation": "assign_identities", "people": 1})
    assert changed_something({"operation": "hide_outside", "hidden": 0, "size": "unknown"})


def test_people_are_named_as_in_the_report() -> None:
    assert name_people("person_0 is turned") == "Person 0 is turned"


def test_repairs_are_told_and_listed_by_person_and_time() -> None:
    spans = {"legs": [[3.5, 3.6]], "feet": [[1.2, 1.2]]}
    entry = {
        "operation": "repair_swaps",
        "limbs": ["leg", "arm"],
        "repaired": 5,
        "stretches": {"person_0": spans},
    }
    assert operation_in_words(entry) == (
        "Where the model had confused left and right of the legs and arms (5 frames), they were "
        "exchanged back; such stretches are drawn dotted."
    )
    assert repaired_stretches(entry) == ["Person 0, feet: 1.20 s", "Person 0, legs: 3.50–3.60 s"]
    assert repaired_stretches(entry, most=1)[1] == "and 1 more, listed in the log of poses.nc"
    assert repaired_stretches({"operation": "median"}) == []
    nothing = entry | {"repaired": 0, "stretches": {}}
    assert operation_in_words(nothing) == (
        "Left and right of the legs and arms were compared over time; none were confused."
    )
    assert operation_in_words(nothing | {"limbs": []}) == (
        "Left and right were not compared: the points make no whole limb on both sides."
    )


def test_an_unknown_or_incomplete_operation_is_told_by_name_and_arguments() -> None:
    assert operation_in_words({"operation": "magic", "a": 1}) == "magic (a = 1)"
    assert operation_in_words({"operation": "median"}) == "median"


def test_names_are_split_and_titled() -> None:
    assert split_side("knee_left") == ("knee", "left")
    assert split_side("trunk") == ("trunk", "middle")
    assert split_side("knee_valgus_right") == ("knee_valgus", "right")
    assert title_of("knee_left") == "Knee, left"
    assert words_of("big_toe").title == "Big toe"


def test_signs_are_told_from_zero_or_from_the_reference() -> None:
    assert sign_in_words(WORDS["knee"]) == "flexion +, hyperextension − · 0° = straight leg"
    assert sign_in_words(WORDS["trunk"]) == (
        "above 90°: leaning back, below: leaning forward · "
        "90° = upright; forward is the way the person faces"
    )


@pytest.mark.parametrize(
    ("value", "text"),
    [(-3.14, "−3.1°"), (-0.04, "0.0°"), (None, "–"), (float("nan"), "–"), (12, "12.0°")],
)
def test_numbers_have_a_true_minus_and_no_negative_zero(value: float | None, text: str) -> None:
    assert number(value, unit="°") == text
