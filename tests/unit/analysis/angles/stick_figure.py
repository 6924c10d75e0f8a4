"""A stick figure posed by known angles, by forward kinematics and nothing of the code tested."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr

from gonio.poses import make_poses
from gonio.skeletons import Skeleton, load_skeleton

BLAZEPOSE = load_skeleton("blazepose33")
JOINTS = ("ankle", "knee", "hip", "shoulder", "elbow", "wrist")
SEGMENTS = ("foot", "shank", "thigh", "arm", "forearm", "hand")
NEUTRAL = {"foot": 0, "shank": -90, "thigh": -90, "arm": -90, "forearm": -90, "hand": -90}


def towards(angle_deg: Any, length: float) -> np.ndarray:
    """A step in an image (y down) for a person who faces right."""
    angle = np.deg2rad(np.asarray(angle_deg, dtype=float))
    return length * np.stack([np.cos(angle), -np.sin(angle)], axis=-1)


def segments(joints: dict[str, Any], side: str, trunk: Any = 90.0) -> dict[str, Any]:
    """Segment angles that follow from joint angles."""
    joint = {j: joints.get(f"{j}_{side}", 0.0) for j in JOINTS}
    thigh = trunk - 180 + joint["hip"]
    shank = thigh - joint["knee"]
    arm = trunk - 180 + joint["shoulder"]
    forearm = arm + joint["elbow"]
    return {
        "thigh": thigh,
        "shank": shank,
        "foot": shank + 90 + joint["ankle"],
        "arm": arm,
        "forearm": forearm,
        "hand": forearm + joint["wrist"],
    }


def pose_points(joints: dict[str, Any], trunk: Any = 90.0, head: Any = 90.0) -> dict[str, Any]:
    """Points (time, 2) of a person who faces right; the hips' middle is the origin."""
    frames = max([np.size(v) for v in [*joints.values(), trunk, head]])
    trunk = np.broadcast_to(np.asarray(trunk, dtype=float), frames)
    neck = towards(trunk, 90)
    middle = neck + towards(np.broadcast_to(np.asarray(head, dtype=float), frames), 30)
    points = {"nose": middle + towards(trunk - 90, 12)}
    for side, depth in (("left", 1.0), ("right", -1.0)):
        angle = segments(joints, side, trunk)
        apart = np.array([3.0 * depth, 0.0])
        hip, shoulder = apart + np.zeros((frames, 2)), neck + apart
        knee = hip + towards(angle["thigh"], 80)
        ankle = knee + towards(angle["shank"], 75)
        heel = ankle + towards(angle["foot"] - 135, 14)
        elbow = shoulder + towards(angle["arm"], 55)
        wrist = elbow + towards(angle["forearm"], 45)
        named = {
            "ear": middle + apart,
            "shoulder": shoulder,
            "elbow": elbow,
            "wrist": wrist,
            "index": wrist + towards(angle["hand"], 18),
            "hip": hip,
            "knee": knee,
            "ankle": ankle,
            "heel": heel,
            "foot_index": heel + towards(angle["foot"], 38),
        }
        points |= {f"{side}_{name}": value for name, value in named.items()}
    return points


def person(
    joints: dict[str, Any] | None = None,
    *,
    faces: int = 1,
    trunk: Any = 90.0,
    head: Any = 90.0,
    frames: int = 1,
    fps: float = 30.0,
    skeleton: Skeleton = BLAZEPOSE,
) -> xr.Dataset:
    """Poses of one person; points that the figure does not have lie at its hips."""
    points = pose_points(joints or {}, trunk, head)
    frames = max(frames, len(points["nose"]))
    position = np.zeros((frames, 2, len(skeleton.keypoints), 1))
    for name, value in points.items():
        if name in skeleton.keypoints:
            position[:, :, skeleton.index(name), 0] = value
    position[:, 0] *= faces
    return at(position + np.array([400.0, 300.0])[None, :, None, None], fps=fps, skeleton=skeleton)


def at(position: Any, *, fps: float = 30.0, skeleton: Skeleton = BLAZEPOSE) -> xr.Dataset:
    """Poses of positions (time, 2, keypoints, individuals)."""
    position = np.asarray(position, dtype=float)
    confidence = np.ones((position.shape[0], position.shape[2], position.shape[3]))
    time_s = np.arange(position.shape[0]) / fps
    return make_poses(position, confidence, time_s=time_s, skeleton=skeleton, fps=fps)
