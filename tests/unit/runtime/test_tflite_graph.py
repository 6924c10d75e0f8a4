"""TFLite files cut down to the outputs that are needed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gonio.runtime import open_session
from gonio.runtime.tflite_graph import keep_outputs
from unit.runtime.tiny_tflite import write_abs, write_fork

SHAPE = (1, 2, 3)
IMAGE = np.array([[[-2, -1, 0], [1, 2, 3]]], np.float32)
RESULTS = {"neg": -IMAGE, "square": IMAGE**2, "abs": abs(IMAGE)}


@pytest.mark.parametrize(
    "needed", [["abs"], ["neg"], ["square"], ["abs", "square"], ["neg", "square", "abs"]]
)
def test_only_the_needed_outputs_are_computed_and_they_are_the_same(
    tmp_path: Path, needed: list[str]
) -> None:
    session = open_session(write_fork(tmp_path / "m.tflite", SHAPE), outputs=needed)
    found = session.run({"image": IMAGE})
    assert sorted(found) == sorted(needed)
    for name in needed:
        np.testing.assert_array_equal(found[name], RESULTS[name])
    assert set(session.output_names) == set(RESULTS)
    assert set(session.output_shapes.values()) == {SHAPE}


def test_what_leads_to_no_needed_output_is_left_out(tmp_path: Path) -> None:
    whole = write_fork(tmp_path / "m.tflite", SHAPE).read_bytes()
    content, dropped = keep_outputs(whole, ["square"])
    assert dropped == {"neg": [1, 2, 3], "abs": [1, 2, 3]}
    import ai_edge_litert.schema_py_generated as schema

    graph = schema.Model.GetRootAs(content).Subgraphs(0)
    assert [graph.Operators(i).OpcodeIndex() for i in range(graph.OperatorsLength())] == [0, 1]
    assert graph.OutputsAsNumpy().tolist() == [2]


@pytest.mark.parametrize("names", [[], ["nose"], ["neg", "square", "abs"]])
def test_a_file_stays_as_it_is_where_all_or_no_known_outputs_are_needed(
    tmp_path: Path, names: list[str]
) -> None:
    whole = write_fork(tmp_path / "m.tflite", SHAPE).read_bytes()
    assert keep_outputs(whole, names) == (whole, {})


def test_files_with_signatures_and_of_one_output_stay_as_they_are(tmp_path: Path) -> None:
    signed = write_fork(tmp_path / "signed.tflite", SHAPE, signed=True).read_bytes()
    assert keep_outputs(signed, ["abs"]) == (signed, {})
    single = write_abs(tmp_path / "single.tflite", SHAPE).read_bytes()
    assert keep_outputs(single, ["out"]) == (single, {})


@given(st.binary(max_size=200), st.booleans())
def test_what_is_no_such_file_stays_as_it_is(content: bytes, marked: bool) -> None:
    if marked:
        content = content[:4].ljust(4, b"\0") + b"TFL3" + content[4:]
    assert keep_outputs(content, ["abs"])[0] == content


@pytest.mark.models
def test_blazepose_without_its_mask_gives_the_same_bits(models_dir: Path) -> None:
    path = models_dir / "blazepose-full.tflite"
    needed = ["Identity", "Identity_1", "Identity_3"]
    whole, part = open_session(path, threads=1), open_session(path, threads=2, outputs=needed)
    assert part.output_shapes == whole.output_shapes
    rng = np.random.default_rng(0)
    for _ in range(3):
        image = {"input_1": rng.random((1, 256, 256, 3), np.float32)}
        wanted, found = whole.run(image), part.run(image)
        assert list(found) == needed
        for name in needed:
            np.testing.assert_array_equal(found[name], wanted[name])
