"""Other people's files: OpenSim's markers (``.trc``) and coordinates (``.mot``)."""

from __future__ import annotations

from gonio.formats.mot import COORDINATES, read_mot, write_mot
from gonio.formats.trc import read_trc, write_trc

__all__ = ["COORDINATES", "read_mot", "read_trc", "write_mot", "write_trc"]
