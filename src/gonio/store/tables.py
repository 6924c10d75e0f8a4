"""The tidy tables of an evaluation: one row an observation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from gonio.formats.text import write_atomically
from gonio.poses import INDIVIDUALS
from gonio.store.evaluation import CYCLE_COLUMNS, EVENT_COLUMNS, is_filled

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from gonio.store.evaluation import Evaluation

ANGLE_COLUMNS: Final = ("time_s", "frame", "person", "angle", "value_deg", "facing", "filled")
_FRAMES_AT_ONCE: Final = 2_000
_FACING_WORDS = np.array(["left", "", "right"])


def write_angles_csv(evaluation: Evaluation, folder: Path) -> None:
    """Write ``angles.csv``: one row a frame, chosen person and angle.

    Columns: ``time_s``; ``frame`` and ``person``, counting from 0; ``angle``; ``value_deg``,
    empty where it could not be measured; ``facing``: ``left`` or ``right``, empty where unknown;
    ``filled``: 1 where the value rests on an interpolated point, else 0.

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
    with write_atomically(folder / "angles.csv") as file:
        pd.DataFrame(columns=ANGLE_COLUMNS).to_csv(file, index=False, lineterminator="\n")
        for individual in evaluation.chosen:
            for table in _angle_tables(evaluation, individual):
                table.to_csv(file, index=False, header=False, lineterminator="\n")


def _angle_tables(evaluation: Evaluation, individual: str) -> Iterator[pd.DataFrame]:
    """Yield one person's rows in stretches, since as a whole they are large."""
    names = [str(name) for name in evaluation.angles["angle"].values]
    if not names:
        return
    filled = [is_filled(evaluation, name, individual) for name in names]
    for start in range(0, evaluation.angles.sizes["time"], _FRAMES_AT_ONCE):
        some = slice(start, start + _FRAMES_AT_ONCE)
        own = evaluation.angles.sel({INDIVIDUALS: individual}).isel(time=some)
        frames = own.sizes["time"]
        yield pd.DataFrame(
            {
                "time_s": np.repeat(own["time"].to_numpy().round(6), len(names)),
                "frame": np.repeat(np.arange(start, start + frames), len(names)),
                "person": evaluation.person_id(individual),
                "angle": np.tile(names, frames),
                "value_deg": own["angle_deg"].to_numpy().round(3).ravel(),
                "facing": np.repeat(_FACING_WORDS[own["facing"].to_numpy() + 1], len(names)),
                "filled": np.stack([f[some] for f in filled], axis=1).ravel().astype(int),
            }
        )


def write_events_csv(evaluation: Evaluation, folder: Path) -> None:
    """Write ``events.csv``; only its header where the protocol looks for none.

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
    _write(folder / "events.csv", _in_order(evaluation.events, EVENT_COLUMNS))


def write_cycles_csv(evaluation: Evaluation, folder: Path) -> None:
    """Write ``cycles.csv``; only its header where the protocol looks for none.

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
    _write(folder / "cycles.csv", _in_order(evaluation.cycles, CYCLE_COLUMNS))


def _in_order(table: pd.DataFrame, columns: Sequence[str]) -> pd.DataFrame:
    more = [column for column in table.columns if column not in columns]
    return table.reindex(columns=[*columns, *more])


def _write(path: Path, table: pd.DataFrame) -> None:
    with write_atomically(path) as file:
        table.to_csv(file, index=False, lineterminator="\n")
