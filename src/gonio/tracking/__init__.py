"""Tracks over time: who is who, whom to measure, left/right swaps, gap filling and smoothing.

Every operation takes poses and returns new poses, logs itself with what it changed, and marks
in ``filled`` what it invented. NaN means *not seen*; nothing but :func:`fill_gaps` turns NaN
into a number.
"""

from __future__ import annotations

from gonio.tracking.bounds import hide_outside
from gonio.tracking.causal import CausalFilter
from gonio.tracking.causal_filters import (
    CausalButterworth,
    CausalKalman,
    CausalMedian,
    causal_butterworth,
    causal_kalman,
    causal_median,
)
from gonio.tracking.gaps import fill_gaps, hide_uncertain
from gonio.tracking.hampel import hampel
from gonio.tracking.identities import assign_identities
from gonio.tracking.kalman import kalman
from gonio.tracking.leg_splits import Parting, constrained_partition, reference_partition
from gonio.tracking.legs import tell_legs_apart
from gonio.tracking.one_euro import OneEuro, one_euro
from gonio.tracking.persons import PERSON_RULES, Choice, check_person_rule, choose_person
from gonio.tracking.processing import OPERATIONS, check_steps, process
from gonio.tracking.savitzky_golay import savitzky_golay
from gonio.tracking.smoothing import butterworth, median
from gonio.tracking.splines import gcv_spline
from gonio.tracking.swaps import repair_swaps

__all__ = [
    "OPERATIONS",
    "PERSON_RULES",
    "CausalButterworth",
    "CausalFilter",
    "CausalKalman",
    "CausalMedian",
    "Choice",
    "OneEuro",
    "Parting",
    "assign_identities",
    "butterworth",
    "causal_butterworth",
    "causal_kalman",
    "causal_median",
    "check_person_rule",
    "check_steps",
    "choose_person",
    "constrained_partition",
    "fill_gaps",
    "gcv_spline",
    "hampel",
    "hide_outside",
    "hide_uncertain",
    "kalman",
    "median",
    "one_euro",
    "process",
    "reference_partition",
    "repair_swaps",
    "savitzky_golay",
    "tell_legs_apart",
]
