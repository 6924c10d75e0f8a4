"""What is printed of a result: a sentence, and a table a person."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from fake_evaluation import fake_evaluation
from gonio.workflows import AnalysisResult, Failure


def result(rule: str = "largest", angles: tuple[str, ...] = (), **options: Any) -> AnalysisResult:
    protocol = {"name": "general", "person": rule, "angles": list(angles)}
    evaluation = fake_evaluation(protocol=protocol, **options)
    return AnalysisResult(evaluation, Path("results/walk"))


@pytest.mark.parametrize(
    ("rule", "people", "chosen", "sentence"),
    [
        ("largest", 2, 1, "walk: person 0 was measured, the largest of the 2 people seen."),
        ("longest", 3, 1, "walk: person 0 was measured, of 3 people the one seen longest."),
        ("largest", 1, 1, "walk: person 0 was measured, the only one seen."),
        ("all", 2, 2, "walk: 2 people were measured, everybody who was seen."),
        ("0", 2, 1, "walk: person 0 was measured, as asked for (--person 0)."),
        ("largest", 2, 0, "walk: nobody was measured."),
    ],
)
def test_the_title_is_a_sentence(rule: str, people: int, chosen: int, sentence: str) -> None:
    assert result(rule, people=people, chosen=chosen).title() == sentence


def test_the_table_shows_legs_and_trunk_and_says_what_it_leaves_out() -> None:
    ((title, columns, rows),) = result().tables()
    assert (title, columns[0]) == ("Person 0", "angle")
    assert {row[0].split("_")[0] for row in rows} == {"hip", "knee", "ankle", "trunk"}
    assert result().left_out() == "7 more angles are in the report; --all-angles prints them."
    ((_, _, everything),) = result().tables(all_angles=True)
    assert len(everything) == len(rows) + 7
    assert result().left_out(all_angles=True) == ""


def test_what_a_protocol_names_is_always_shown() -> None:
    ((_, _, rows),) = result(angles=("elbow",)).tables()
    assert "elbow_left" in {row[0] for row in rows}


def test_each_person_has_a_table() -> None:
    assert [table[0] for table in result("all", people=2).tables()] == ["Person 0", "Person 1"]


def test_a_failure_names_its_path_once() -> None:
    path = Path("b.mp4")
    assert Failure(path, "'b.mp4': no video").line() == "'b.mp4': no video"
    assert Failure(path, "the disk is full").line() == "'b.mp4': the disk is full"
