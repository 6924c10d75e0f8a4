"""Joint and segment angles from keypoint tracks in one view.

Definitions and signs are those of Sports2D and Pose2Sim, which follow OpenSim: flexion and
dorsiflexion are positive, and standing upright every joint reads 0°. Degrees throughout.
"""

from __future__ import annotations

from gonio.analysis.angles.compute import angle_at_once, compute_angles, frontal_mirror
from gonio.analysis.angles.definitions import (
    ANGLES,
    VIEWS,
    AngleDefinition,
    View,
    angle_names,
    angle_points,
    arc_points,
    find_angle,
    has_markers,
)
from gonio.analysis.angles.facing import MIN_TURN_S, facing
from gonio.analysis.angles.unwrap import unwrap, wrap

__all__ = [
    "ANGLES",
    "MIN_TURN_S",
    "VIEWS",
    "AngleDefinition",
    "View",
    "angle_at_once",
    "angle_names",
    "angle_points",
    "arc_points",
    "compute_angles",
    "facing",
    "find_angle",
    "frontal_mirror",
    "has_markers",
    "unwrap",
    "wrap",
]
