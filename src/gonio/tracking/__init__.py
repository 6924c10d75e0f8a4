"""Tracks over time: who is who, whom to measure, gap filling and smoothing.

Every operation takes poses and returns new poses, logs itself with what it changed, and marks
in ``filled`` what it invented. NaN means *not seen*; nothing but :func:`fill_gaps` turns NaN
into a number.
"""

from __future__ import annotations

from gonio.tracking.bounds import hide_outside
from gonio.tracking.gaps import fill_gaps, hide_uncertain
from gonio.tracking.identities import assign_identities
from gonio.tracking.persons import PERSON_RULES, Choice, check_person_rule, choose_person
from gonio.tracking.processing import OPERATIONS, check_steps, process
from gonio.tracking.smoothing import butterworth, median

__all__ = [
    "OPERATIONS",
    "PERSON_RULES",
    "Choice",
    "assign_identities",
    "butterworth",
    "check_person_rule",
    "check_steps",
    "choose_person",
    "fill_gaps",
    "hide_outside",
    "hide_uncertain",
    "median",
    "process",
]
