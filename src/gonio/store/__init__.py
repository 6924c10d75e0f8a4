"""Evaluations on disk: one folder a recording, complete or not there at all."""

from __future__ import annotations

from gonio.formats.text import write_atomically
from gonio.store.evaluation import Evaluation, frames_in_view, frames_seen, is_filled
from gonio.store.folder import is_complete, open_evaluation_folder, write_evaluation
from gonio.store.json_files import write_corrections, write_evaluation_json
from gonio.store.summary import angle_table, read_summary, summarize, write_summary
from gonio.store.tables import write_angles_csv, write_cycles_csv, write_events_csv
from gonio.store.work import begin_chunks, has_chunks

__all__ = [
    "Evaluation",
    "angle_table",
    "begin_chunks",
    "frames_in_view",
    "frames_seen",
    "has_chunks",
    "is_complete",
    "is_filled",
    "open_evaluation_folder",
    "read_summary",
    "summarize",
    "write_angles_csv",
    "write_atomically",
    "write_corrections",
    "write_cycles_csv",
    "write_evaluation",
    "write_evaluation_json",
    "write_events_csv",
    "write_summary",
]
