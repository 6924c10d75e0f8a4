"""The JSON files of an evaluation: strict JSON, NaN becomes null."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from gonio.formats.text import write_atomically
from gonio.poses import INDIVIDUALS, KEYPOINTS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import pandas as pd
    from numpy.typing import NDArray

    from gonio.store.evaluation import Evaluation

EVALUATION_SCHEMA: Final = "gonio.evaluation/1"
SOURCE_KEYS: Final = ("path", "sha256", "width", "height", "frames", "fps", "duration_s")

_FRAMES_AT_ONCE = 512


def write_corrections(folder: Path) -> None:
    """Write ``corrections.json`` of a fresh evaluation: an empty list.

    Parameters
    ----------
    folder
        The evaluation's folder.

    Raises
    ------
    OutputError
        If the file cannot be written.
    """
    with write_atomically(folder / "corrections.json") as file:
        file.write("[]\n")


def write_evaluation_json(evaluation: Evaluation, folder: Path) -> None:
    """Write ``evaluation.json`` as a stream, one line a frame.

    A person is listed in the frames where a keypoint has a position or an angle a value, with
    ``id`` counting from 0. A keypoint is ``[x_px, y_px, confidence]``, or null where it was not
    seen; positions are rounded to 0.01 px, confidences to 0.001, angles to 0.01°. People who
    were not chosen have no angles.

    Parameters
    ----------
    evaluation
        What was measured.
    folder
        The evaluation's folder.

    Raises
    ------
    OutputError
        If the file cannot be written.
    """
    before = {
        "schema": EVALUATION_SCHEMA,
        **header(evaluation),
        "skeleton": evaluation.skeleton.model_dump(mode="json", by_alias=True),
    }
    after = {
        "events": records(evaluation.events),
        "repetitions": evaluation.repetitions,
        "feedback": evaluation.feedback,
        "provenance": evaluation.provenance,
    }
    with write_atomically(folder / "evaluation.json") as file:
        file.write(to_json(before)[:-1] + ',\n"frames": [')
        separator = "\n"
        for frame in _frames(evaluation):
            file.write(separator + json.dumps(frame, allow_nan=False, ensure_ascii=False))
            separator = ",\n"
        file.write("\n],\n" + to_json(after)[1:] + "\n")


def header(evaluation: Evaluation) -> dict[str, Any]:
    """Return what the JSON files say first: source, model and protocol."""
    return {
        "source": {key: evaluation.source.get(key) for key in SOURCE_KEYS},
        "model": evaluation.model,
        "protocol": evaluation.protocol,
    }


def records(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Return a table as one mapping a row."""
    rows: list[dict[str, Any]] = [
        {str(key): value for key, value in row.items()} for row in table.to_dict("records")
    ]
    return rows


def to_json(value: Any, *, indent: int | None = None) -> str:
    """Return strict JSON: NaN and infinities become null, NumPy's numbers plain ones.

    Parameters
    ----------
    value
        Mappings, sequences, numbers; anything else becomes its text.
    indent
        Spaces a level; None for a single line.

    Returns
    -------
    str
    """
    return json.dumps(plain(value), allow_nan=False, ensure_ascii=False, indent=indent)


def _frames(evaluation: Evaluation) -> Iterator[dict[str, Any]]:
    poses, angles = evaluation.poses, evaluation.angles
    keypoints = [str(name) for name in poses[KEYPOINTS].values]
    angle_names = [str(name) for name in angles["angle"].values]
    columns = {evaluation.person_id(str(n)): i for i, n in enumerate(angles[INDIVIDUALS].values)}
    time_s = poses["time"].to_numpy().round(6).tolist()
    position = poses["position"].sel(space=["x", "y"])
    for start in range(0, len(time_s), _FRAMES_AT_ONCE):
        part = {"time": slice(start, start + _FRAMES_AT_ONCE)}
        xy = position.isel(part).to_numpy().astype(np.float64)
        confidence = poses["confidence"].isel(part).to_numpy().astype(np.float64)
        values = np.concatenate([xy.round(2), confidence[:, None].round(3)], axis=1)
        points = values.transpose(0, 3, 2, 1)
        degrees = angles["angle_deg"].isel(part).to_numpy().round(2).transpose(0, 2, 1)
        seen = np.isfinite(points[..., :2]).all(axis=-1)
        for offset, (people, shown) in enumerate(
            zip(_nullable(points), seen.tolist(), strict=True)
        ):
            frame_angles = _nullable(degrees[offset])
            listed = []
            for person, (triples, visible) in enumerate(zip(people, shown, strict=True)):
                own = frame_angles[columns[person]] if person in columns else []
                if not any(visible) and all(v is None for v in own):
                    continue
                marks = [p if v else None for p, v in zip(triples, visible, strict=True)]
                listed.append(
                    {
                        "id": person,
                        "keypoints": dict(zip(keypoints, marks, strict=True)),
                        "angles": dict(zip(angle_names, own, strict=False)),
                    }
                )
            index = start + offset
            yield {"index": index, "time_s": time_s[index], "people": listed}


def _nullable(values: NDArray[np.float64]) -> list[Any]:
    """Return nested lists with None for NaN."""
    listed = values.astype(object)
    listed[~np.isfinite(values)] = None
    return list(listed.tolist())


def plain(value: Any) -> Any:
    """Return what JSON can hold: NaN and infinities as None, NumPy's numbers as plain ones."""
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, np.ndarray | np.generic):
        return plain(value.tolist())
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(item) for item in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value if value is None or isinstance(value, str | int) else str(value)
