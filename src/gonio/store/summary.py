"""``summary.json``, and the table of angles it shares with the report."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd

from gonio.errors import FormatError
from gonio.formats.text import write_atomically
from gonio.poses import INDIVIDUALS, KEYPOINTS
from gonio.skeletons import side_of
from gonio.store.evaluation import frames_in_view, frames_seen, is_filled
from gonio.store.json_files import header, plain, to_json

if TYPE_CHECKING:
    from pathlib import Path

    from gonio.store.evaluation import Evaluation

SUMMARY_SCHEMA: Final = "gonio.summary/1"
SUMMARY_FILE: Final = "summary.json"

_REARFOOT: Final = {
    "angle_deg": "rearfoot_unsigned",
    "signed_deg": "rearfoot",
    "heel_vertical_deg": "heel_vertical",
    "leg_vertical_deg": "leg_vertical",
}
_MOSTLY: Final = 0.5

_TABLE_COLUMNS = (
    "individual",
    "angle",
    "min_deg",
    "max_deg",
    "mean_deg",
    "range_deg",
    "missing",
    "missing_frames",
    "filled_frames",
)


def angle_table(evaluation: Evaluation) -> pd.DataFrame:
    """Summarize every angle of every chosen person.

    Parameters
    ----------
    evaluation
        What was measured.

    Returns
    -------
    pandas.DataFrame
        One row a person and angle: ``individual, angle``; ``min_deg, max_deg, mean_deg,
        range_deg`` over the frames that have a value, NaN where none has; ``missing`` (0–1) and
        ``missing_frames``: frames without a value from the first to the last one in which the
        person was seen; ``filled_frames``: values that rest on an interpolated point.
    """
    rows = []
    for individual in evaluation.chosen:
        in_view = frames_in_view(evaluation, individual)
        own = evaluation.angles["angle_deg"].sel({INDIVIDUALS: individual})
        for name in (str(n) for n in own["angle"].values):
            value = own.sel(angle=name).to_numpy()
            known = np.isfinite(value)
            missing = int((in_view & ~known).sum())
            low, high, mean = (
                (f(value[known]) for f in (np.min, np.max, np.mean))
                if known.any()
                else (np.nan,) * 3
            )
            filled = int((is_filled(evaluation, name, individual) & known).sum())
            share = missing / in_view.sum() if in_view.any() else 1.0
            rows.append(
                (individual, name, low, high, mean, high - low, share, missing, filled),
            )
    return pd.DataFrame(rows, columns=list(_TABLE_COLUMNS))


def summarize(evaluation: Evaluation) -> dict[str, Any]:
    """Return the content of ``summary.json``.

    Parameters
    ----------
    evaluation
        What was measured.

    Returns
    -------
    dict
        Plain values, None for what could not be measured. The people are the chosen ones; an
        empty list where nobody was found. Angles in degrees;
        ``missing`` is the share (0–1) of frames without a value from the first to the last one
        in which the person was seen. ``missing_markers`` of ``rearfoot`` names the markers that
        are missing in more than half of these frames.
    """
    table = angle_table(evaluation)
    content = {
        "schema": SUMMARY_SCHEMA,
        "gonio": evaluation.provenance.get("gonio"),
        **header(evaluation),
        "timing": {key: evaluation.timing.get(key) for key in ("wall_s", "frames_per_s")},
        "warnings": list(evaluation.warnings),
        "people": [_person(evaluation, name, table) for name in evaluation.chosen],
    }
    if evaluation.truth is not None:
        errors = evaluation.truth["mae_deg"]
        content["truth"] = {joint: {"mae_deg": mae} for joint, mae in errors.items()}
    cleaned: dict[str, Any] = plain(content)
    return cleaned


def write_summary(evaluation: Evaluation, folder: Path) -> None:
    """Write ``summary.json``.

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
    with write_atomically(folder / SUMMARY_FILE) as file:
        file.write(to_json(summarize(evaluation), indent=2) + "\n")


def read_summary(folder: Path) -> dict[str, Any]:
    """Read the ``summary.json`` of an evaluation.

    Parameters
    ----------
    folder
        The evaluation's folder.

    Returns
    -------
    dict
        As :func:`summarize` returns it.

    Raises
    ------
    FormatError
        If the folder holds no summary, or it is of another schema.
    """
    path = folder / SUMMARY_FILE
    try:
        content: Any = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise FormatError(f"'{path}': not an evaluation's summary ({error})") from error
    schema = content.get("schema") if isinstance(content, dict) else None
    if schema != SUMMARY_SCHEMA:
        raise FormatError(f"'{path}': schema is '{schema}', expected '{SUMMARY_SCHEMA}'")
    return dict(content)


def _person(evaluation: Evaluation, individual: str, table: pd.DataFrame) -> dict[str, Any]:
    number = evaluation.person_id(individual)
    own = table[table["individual"] == individual]
    keys = ["min_deg", "max_deg", "mean_deg", "missing"]
    events = evaluation.events[evaluation.events["person"] == number]
    return {
        "id": number,
        "frames_seen": int(frames_seen(evaluation, individual).sum()),
        "angles": {
            name: dict(zip(keys, row, strict=True))
            for name, row in zip(own["angle"], own[keys].round(4).to_numpy(), strict=True)
        },
        "events": {
            f"{kind}_{side}": sorted(group["time_s"])
            for (kind, side), group in events.groupby(["type", "side"])
        },
        "repetitions": _repetitions(evaluation, number),
        "rearfoot": _rearfoot(evaluation, individual, own),
    }


def _rearfoot(evaluation: Evaluation, individual: str, table: pd.DataFrame) -> dict[str, Any]:
    """Return ranges, frames and missing markers of each side; empty without rearfoot angles."""
    rows = table.set_index("angle")[["min_deg", "max_deg", "mean_deg"]].round(4)
    position = evaluation.poses["position"].sel({INDIVIDUALS: individual})
    in_view = frames_in_view(evaluation, individual)
    sides = {}
    for side in ("left", "right"):
        if f"rearfoot_{side}" not in rows.index:
            continue
        ranges = {
            key: dict(zip(("min", "max", "mean"), rows.loc[f"{base}_{side}"], strict=True))
            for key, base in _REARFOOT.items()
            if f"{base}_{side}" in rows.index
        }
        own = evaluation.angles["angle_deg"].sel(
            {INDIVIDUALS: individual, "angle": f"rearfoot_{side}"}
        )
        markers = [n for n in evaluation.skeleton.keypoints if side_of(n) == side]
        seen = position.sel({KEYPOINTS: markers}).notnull().all("space").to_numpy()[in_view]
        mostly = seen.mean(axis=0) < _MOSTLY if len(seen) else np.ones(len(markers), bool)
        sides[side] = {
            **ranges,
            "frames": int(own.notnull().sum()),
            "missing_markers": [
                n.removeprefix(f"{side}_") for n, m in zip(markers, mostly, strict=True) if m
            ],
        }
    return sides


def _repetitions(evaluation: Evaluation, number: int) -> dict[str, Any]:
    items = [item for item in evaluation.repetitions if item.get("person", number) == number]
    return {"count": len(items), "items": items}
