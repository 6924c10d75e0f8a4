"""OpenSim's coordinate files, ``.mot``: joint angles over time, degrees.

Source: OpenSim documentation, "Motion (.mot) Files"; coordinate names of the Rajagopal (2016)
full-body model.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd
import xarray as xr

from gonio.errors import FormatError, InputError
from gonio.formats.text import check_times, one_person, read_lines, table, write_lines
from gonio.poses import INDIVIDUALS, make_angles

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_JOINTS = {
    "hip": "hip_flexion",
    "knee": "knee_angle",
    "ankle": "ankle_angle",
    "shoulder": "arm_flex",
    "elbow": "elbow_flex",
}
COORDINATES: Final[Mapping[str, str]] = MappingProxyType(
    {f"{j}_{side}": f"{c}_{side[0]}" for side in ("right", "left") for j, c in _JOINTS.items()}
)
"""Our angle → OpenSim's coordinate (``knee_left`` → ``knee_angle_l``)."""

_TRANSLATIONS = ("_tx", "_ty", "_tz")


def write_mot(
    path: Path,
    angles: xr.Dataset,
    *,
    individual: str | None = None,
    knee_flexion_positive: bool = True,
) -> None:
    """Write one person's joint angles as OpenSim coordinates.

    Parameters
    ----------
    path
        The file; replaced if it exists.
    angles
        ``angle_deg (time, angle, individuals)``, degrees, flexion and dorsiflexion positive.
        Angles that are no OpenSim coordinate (segments) are left out, and so is what one view
        cannot give. With a coordinate ``coordinate (angle)``, as :func:`read_mot_angles` gives
        it, all angles are written under those names, and ``translation_m`` too.
    individual
        Whose; may be left out where there is only one person.
    knee_flexion_positive
        True for Rajagopal-type models; false turns the knee's sign for models (gait2392) whose
        knee angle is negative in flexion.

    Notes
    -----
    Angles have 8 decimals; NaN is written as ``nan``. ``nColumns`` counts ``time``.

    Raises
    ------
    InputError
        If no angle is a coordinate, or the person is not clear.
    OutputError
        If the file cannot be written.
    """
    person = one_person(angles, individual, ".mot")
    names = coordinates_of(angles)
    if not names:
        known = ", ".join(COORDINATES)
        raise InputError(f"none of the angles is an OpenSim coordinate (those are: {known})")
    degrees = person["angle_deg"].sel(angle=list(names)).transpose("time", "angle").values.copy()
    if not knee_flexion_positive:
        degrees[:, [n.startswith("knee") for n in names]] *= -1
    columns = list(names.values())
    values = [angles["time"].values, degrees + 0.0]
    if "translation_m" in person:
        columns += [str(n) for n in person["translation"].values]
        values.append(person["translation_m"].transpose("time", "translation").values)
    lines = [
        "Coordinates",
        "version=1",
        f"nRows={len(degrees)}",
        f"nColumns={len(columns) + 1}",
        "inDegrees=yes",
        "",
        "Units are seconds, degrees and meters. Written by Gonio.",
        "",
        "endheader",
        "\t".join(["time", *columns]),
    ]
    rows = np.column_stack(values)
    lines.extend("\t".join(f"{v:.8f}" for v in row) for row in rows)
    write_lines(path, lines)


def coordinates_of(angles: xr.Dataset) -> dict[str, str]:
    """Return which angles a ``.mot`` file can hold, each with its coordinate's name there."""
    present = [str(n) for n in angles["angle"].values]
    if "coordinate" in angles.coords:
        return dict(zip(present, angles["coordinate"].values.astype(str), strict=True))
    return {ours: theirs for ours, theirs in COORDINATES.items() if ours in present}


def read_mot_angles(path: Path) -> xr.Dataset:
    """Read coordinates as angles.

    Parameters
    ----------
    path
        A ``.mot`` file.

    Returns
    -------
    xr.Dataset
        As :func:`gonio.poses.make_angles` makes them, of ``person_0``. The coordinates that are
        ours have our names (``knee_left``), others OpenSim's, which all stand in the coordinate
        ``coordinate (angle)``. Translations are the variable ``translation_m (time,
        translation, individuals)``, metres.

    Raises
    ------
    FormatError
        If the header or a row is wrong, with the line's number.
    """
    table = read_mot(path)
    theirs = [str(n) for n in table.columns[1:] if not str(n).endswith(_TRANSLATIONS)]
    moved = [str(n) for n in table.columns[1:] if str(n).endswith(_TRANSLATIONS)]
    ours = {coordinate: name for name, coordinate in COORDINATES.items()}
    angles = make_angles(
        table[theirs].to_numpy()[..., None],
        time_s=table["time"],
        names=[ours.get(n, n) for n in theirs],
        individuals=["person_0"],
        attrs={"time_unit": "seconds", "source": str(path)},
    ).assign_coords(coordinate=("angle", theirs))
    if moved:
        angles["translation_m"] = xr.DataArray(
            table[moved].to_numpy()[..., None],
            dims=("time", "translation", INDIVIDUALS),
            coords={"translation": moved},
        )
    return angles


def read_mot(path: Path) -> pd.DataFrame:
    """Read coordinates.

    Parameters
    ----------
    path
        A ``.mot`` file.

    Returns
    -------
    pandas.DataFrame
        A row a frame; column ``time`` in seconds as in the file, then OpenSim's coordinates in
        the file's order: degrees (a file in radians is converted), translations (``…_tx``,
        ``…_ty``, ``…_tz``) in metres. NaN where the file says so.

    Raises
    ------
    FormatError
        If the header or a row is wrong, with the line's number.
    """
    lines = read_lines(path)
    end = next((i for i, line in enumerate(lines) if line.strip().lower() == "endheader"), None)
    if end is None or end + 1 >= len(lines):
        raise FormatError(f"'{path}': not a .mot file, no 'endheader' with a row of names after it")
    settings = _read_settings(path, lines[:end])
    names = [n.strip() for n in lines[end + 1].rstrip().split("\t")]
    where = f"'{path}', line {end + 2}"
    if names[0] != "time" or len(set(names)) != len(names) or "" in names:
        raise FormatError(f"{where}: names must begin with 'time' and each stand once")
    _check_count(path, settings, "nColumns", len(names), "columns")
    rows = table(path, lines, end + 2, len(names))
    _check_count(path, settings, "nRows", len(rows), "rows")
    check_times(path, rows[:, 0], end + 2)
    if settings.get("inDegrees", ("yes", 0))[0].lower() == "no":
        turning = [not n.endswith(_TRANSLATIONS) for n in names[1:]]
        rows[:, [False, *turning]] = np.degrees(rows[:, [False, *turning]])
    return pd.DataFrame(rows, columns=names)


def _read_settings(path: Path, header: list[str]) -> dict[str, tuple[str, int]]:
    """Return the header's ``key=value`` pairs with their line numbers."""
    pairs: dict[str, tuple[str, int]] = {}
    for i, line in enumerate(header):
        key, equals, value = line.partition("=")
        if equals and " " not in key.strip():
            pairs[key.strip()] = (value.strip(), i + 1)
    value, line_number = pairs.get("inDegrees", ("yes", 0))
    if value.lower() not in ("yes", "no"):
        raise FormatError(f"'{path}', line {line_number}: inDegrees is '{value}', not yes or no")
    return pairs


def _check_count(
    path: Path, settings: dict[str, tuple[str, int]], key: str, found: int, what: str
) -> None:
    if key not in settings:
        raise FormatError(f"'{path}': the header has no '{key}'")
    value, line_number = settings[key]
    if value != str(found):
        raise FormatError(
            f"'{path}', line {line_number}: {key}={value}, but there are {found} {what}"
        )
