"""Top-down estimation: a detector finds people, a pose model looks at each of them.

Any pose model with a card will do whose output is heatmaps, SimCC distributions or coordinates.
People are followed by their keypoints; the detector runs every few frames and when one is lost.
"""

from __future__ import annotations

from gonio.runtime.topdown.detector import Detection, PersonDetector
from gonio.runtime.topdown.estimator import TopDownEstimator, open_topdown
from gonio.runtime.topdown.posing import Pose, PoseModel

__all__ = [
    "Detection",
    "PersonDetector",
    "Pose",
    "PoseModel",
    "TopDownEstimator",
    "open_topdown",
]
