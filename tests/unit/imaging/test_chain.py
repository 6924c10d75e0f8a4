"""Filters as recipes and cards name them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from pydantic import TypeAdapter, ValidationError

from gonio.imaging import Filters, FrameFilters, Mog2, apply_filters
from gonio.imaging.filters import clahe, edge_overlay

READ: TypeAdapter[Any] = TypeAdapter(Filters)
IMAGE = np.random.default_rng(0).integers(0, 256, (24, 32, 3), dtype=np.uint8)
NAMES = (
    *("grey", "edges", "edge_overlay", "equalize", "clahe", "color_equalize", "edge_enhance"),
    *("gaussian", "bilateral", "mog2"),
)


def read(*values: Any) -> Any:
    return READ.validate_python(list(values))


@pytest.mark.parametrize("name", NAMES)
def test_each_filter_is_known_by_its_name_and_changes_an_image(name: str) -> None:
    (made,) = read({"name": name})
    assert made.name == name
    assert READ.validate_python(READ.dump_python((made,), mode="json")) == (made,)
    done = apply_filters(IMAGE, (made,))
    if name == "mog2":
        assert done is IMAGE  # it sees whole frames only
    else:
        assert not np.array_equal(done, IMAGE)


def test_filters_follow_each_other_as_they_are_named() -> None:
    both = read({"name": "clahe", "clip": 3, "tiles": 2}, {"name": "edge_overlay", "high": 150})
    expected = edge_overlay(clahe(IMAGE, clip=3, tiles=2), high=150)
    assert np.array_equal(apply_filters(IMAGE, both), expected)
    assert not np.array_equal(apply_filters(IMAGE, both[::-1]), expected)
    assert apply_filters(IMAGE, ()) is IMAGE


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"name": "sharpen"}, "sharpen"),
        ({"clip": 2}, "name"),
        ({"name": "clahe", "clp": 2}, "clp"),
        ({"name": "grey", "clip": 2}, "clip"),
        ({"name": "clahe", "clip": 0}, "greater than 0"),
        ({"name": "edges", "low": 300}, r"low \(300\) is above high \(200\)"),
        ({"name": "mog2", "fill": 256}, "less than or equal to 255"),
        ({"name": "bilateral", "sigma_px": 1000}, "less than or equal to 32"),
    ],
)
def test_what_no_filter_understands_is_refused(values: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        read(values)


def test_whole_frames_are_filtered_before_anything_else() -> None:
    assert isinstance(read({"name": "mog2"}, {"name": "grey"})[0], Mog2)
    for wrong in (("grey", "mog2"), ("mog2", "mog2")):
        with pytest.raises(ValidationError, match="mog2 must be named first, and once"):
            read(*({"name": name} for name in wrong))


def test_frames_pass_through_filters_that_need_none() -> None:
    filters = FrameFilters(read({"name": "grey"}))
    assert filters.next(IMAGE) is IMAGE
    filters = FrameFilters(read({"name": "mog2"}, {"name": "grey"}))
    assert filters.next(IMAGE) is IMAGE
    assert not filters.next(IMAGE).any()  # nothing moves
    filters.reset()
    assert filters.next(IMAGE) is IMAGE
