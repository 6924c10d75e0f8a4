"""A run on disk: what was asked for, how far it came, and the numbers of each epoch."""

from __future__ import annotations

import csv
import io
import json
import math
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from gonio.errors import ConfigError, InputError, OutputError
from gonio.formats.whole import cannot_write, whole_file

if TYPE_CHECKING:
    from collections.abc import Mapping

SCHEMA: Final = "gonio.run/1"
RUN_JSON: Final = "run.json"
RECIPE_YAML: Final = "recipe.yaml"
METRICS_CSV: Final = "metrics.csv"
UNFINISHED: Final = ("running", "interrupted", "failed")


class RunFolder:
    """The folder of one training.

    Parameters
    ----------
    path
        Where it is.

    Attributes
    ----------
    path
        As given.
    rows
        One mapping an epoch, column → number or None.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.rows: list[dict[str, Any]] = []
        self._facts: dict[str, Any] = {}

    @classmethod
    def create(cls, path: Path, recipe_yaml: str, facts: Mapping[str, Any]) -> RunFolder:
        """Make the folder and say what will happen in it.

        Parameters
        ----------
        path
            Must not exist.
        recipe_yaml
            The resolved recipe.
        facts
            What ``run.json`` begins with.

        Raises
        ------
        OutputError
            If it exists or cannot be made.
        """
        try:
            path.mkdir(parents=True)
            (path / "checkpoints").mkdir()
        except FileExistsError:
            raise OutputError(f"'{path}': exists already. Give another name or folder.") from None
        except OSError as error:
            raise cannot_write(path, error) from error
        run = cls(path)
        run.write_text(RECIPE_YAML, recipe_yaml)
        run.tell(schema=SCHEMA, name=path.name, created=_now(), **facts)
        return run

    @classmethod
    def open(cls, path: Path) -> RunFolder:
        """Open the folder of an earlier training.

        Raises
        ------
        InputError
            If it is none.
        """
        run = cls(path)
        run._facts = read_run(path)
        if (path / METRICS_CSV).exists():
            run.rows = read_metrics(path / METRICS_CSV)
        return run

    @property
    def facts(self) -> dict[str, Any]:
        """What ``run.json`` holds."""
        return dict(self._facts)

    @property
    def last(self) -> Path:
        """The checkpoint of the last whole epoch."""
        return self.path / "checkpoints" / "last.ckpt"

    @property
    def best(self) -> Path:
        """The checkpoint of the best epoch."""
        return self.path / "checkpoints" / "best.ckpt"

    def tell(self, **facts: Any) -> None:
        """Write facts into ``run.json``, beside those that are there.

        Raises
        ------
        OutputError
            If it cannot be written.
        """
        self._facts |= {**facts, "updated": _now()}
        self.write_text(RUN_JSON, json.dumps(_plain(self._facts), indent=2) + "\n")

    def add_row(self, row: Mapping[str, Any]) -> None:
        """Write an epoch's numbers into ``metrics.csv``.

        Raises
        ------
        OutputError
            If it cannot be written.
        """
        self.rows.append(dict(row))
        self._write_rows()

    def forget_from(self, epoch: int) -> None:
        """Forget the rows of epochs that will be trained again."""
        kept = [row for row in self.rows if row["epoch"] < epoch]
        if len(kept) < len(self.rows):
            self.rows = kept
            self._write_rows()

    def write_text(self, name: str, text: str) -> None:
        """Write a file whole or not at all.

        Raises
        ------
        OutputError
            If it cannot be written.
        """
        with whole_file(self.path / name) as part:
            part.write_text(text, encoding="utf-8")

    def _write_rows(self) -> None:
        columns = list(dict.fromkeys(key for row in self.rows for key in row))
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(columns)
        for row in self.rows:
            writer.writerow(["" if row.get(c) is None else row[c] for c in columns])
        self.write_text(METRICS_CSV, text.getvalue())


def run_path(out: Path, name: str) -> Path:
    """Return a folder for a new run, named after its recipe and the time."""
    stem = f"{name}-{datetime.now().astimezone():%Y%m%d-%H%M%S}"
    path, number = out / stem, 1
    while path.exists():
        number += 1
        path = out / f"{stem}-{number}"
    return path


def is_run(path: Path) -> bool:
    """Say whether a folder is one of a training."""
    return (path / RUN_JSON).is_file() and (path / RECIPE_YAML).is_file()


def read_run(path: Path) -> dict[str, Any]:
    """Read what ``run.json`` of a run's folder holds.

    Raises
    ------
    InputError
        If it is missing or no run's.
    """
    file = path / RUN_JSON
    try:
        facts = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputError(f"'{path}': not the folder of a run (no {RUN_JSON} in it)") from None
    except (OSError, ValueError) as error:
        raise InputError(f"'{file}': cannot be read ({error})") from error
    if not isinstance(facts, dict) or facts.get("schema") != SCHEMA:
        raise InputError(f"'{file}': not written by this version of 'gonio train'")
    return facts


def read_metrics(path: Path) -> list[dict[str, Any]]:
    """Read the rows of a ``metrics.csv``: column → number, None where a field is empty.

    Raises
    ------
    InputError
        If it cannot be read.
    """
    try:
        with path.open(encoding="utf-8", newline="") as file:
            return [{k: _number(k, v) for k, v in row.items()} for row in csv.DictReader(file)]
    except (OSError, ValueError, TypeError) as error:
        raise InputError(f"'{path}': cannot be read ({error})") from error


def find_unfinished(out: Path, recipe: str) -> Path | None:
    """Return the newest run of a recipe that can be gone on with, or None.

    It has completed an epoch, but not come to its end.

    Parameters
    ----------
    out
        Folder of runs.
    recipe
        The recipe's name.
    """
    candidates = []
    for path in out.glob(f"{recipe}-*") if out.is_dir() else ():
        try:
            facts = read_run(path) if is_run(path) else {}
        except InputError:
            continue
        unfinished = facts.get("recipe") == recipe and facts.get("status") in UNFINISHED
        if unfinished and RunFolder(path).last.exists():
            candidates.append((str(facts.get("created")), path.name, path))
    return max(candidates)[2] if candidates else None


def check_resumable(run: RunFolder) -> None:
    """Refuse to go on with a run that has nothing to go on from.

    Raises
    ------
    ConfigError
        If no epoch was completed.
    """
    if not run.last.exists():
        raise ConfigError(
            f"'{run.path}': no epoch was completed, so there is nothing to go on from. "
            "Train anew, without --resume."
        )


def check_same_data(run: RunFolder, sha256: str) -> None:
    """Refuse to go on with other data: the numbers would be of neither.

    Raises
    ------
    InputError
        If labels or images have changed since the run began.
    """
    before = run.facts.get("data_sha256")
    if before and before != sha256:
        raise InputError(
            f"'{run.path}': its labels or images have changed since it began. Begin a new run, or "
            "bring back what it was trained on."
        )


def _number(column: str, text: str) -> Any:
    if text == "":
        return None
    return int(text) if column in {"epoch", "stage"} else float(text)


def _now() -> str:
    return datetime.now().astimezone().isoformat(timespec="seconds")


def _plain(value: Any) -> Any:
    """Return what strict JSON can hold."""
    if isinstance(value, dict):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(v) for v in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return str(value) if isinstance(value, Path) else value
