"""An evaluation made of formulas: a person who walks for a few seconds, with gaps and fillings."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr

from gonio.poses import log_operation, make_angles, make_poses
from gonio.skeletons import load_skeleton
from gonio.store import Evaluation

SKELETON = load_skeleton("blazepose33")
JOINTS = {"hip": (25.0, 12.0), "knee": (30.0, 28.0), "ankle": (12.0, 3.0), "elbow": (8.0, 20.0)}
SEGMENTS = {"thigh": (22.0, -85.0), "shank": (30.0, -105.0)}


def fake_evaluation(
    *,
    frames: int = 150,
    fps: float | None = 30.0,
    people: int = 1,
    chosen: int | None = None,
    with_truth: bool = False,
    **changes: Any,
) -> Evaluation:
    """Return an evaluation; ``changes`` replace fields of it."""
    time_s = np.arange(frames) / (fps or 1.0)
    names = [f"person_{i}" for i in range(people)]
    raw = _tracks(time_s, people, fps)
    poses = log_operation(raw, "hide_uncertain", min_confidence=0.3)
    poses = log_operation(poses, "fill_gaps", max_gap_s=0.2)
    poses = log_operation(poses, "butterworth", cutoff_hz=6.0, order=4)
    filled = np.zeros((frames, len(SKELETON.keypoints), people), bool)
    if frames > 60:
        filled[52:60, SKELETON.index("left_knee")] = True
    poses["filled"] = (("time", "keypoints", "individuals"), filled)
    kept = names[: people if chosen is None else chosen]
    fields: dict[str, Any] = {
        "name": "walk",
        "source": {
            "path": "videos/walk.mp4",
            "sha256": "5b" * 32,
            "width": 1280,
            "height": 720,
            "frames": frames,
            "fps": fps,
            "duration_s": frames / fps if fps else None,
            "kind": "video" if fps else "image",
        },
        "model": {
            "name": "blazepose-full",
            "version": "0.10.21",
            "sha256": "e9" * 32,
            "provider": "LiteRT (CPU)",
        },
        "protocol": {
            "schema": "gonio.protocol/1",
            "name": "general",
            "title": "General movement, seen from the side",
            "view": "sagittal",
        },
        "skeleton": SKELETON,
        "poses": poses,
        "raw": raw,
        "angles": fake_angles(time_s, kept, frames),
        "chosen": kept,
        "person_reason": "Person 0 is the largest in the picture (412 px tall on average).",
        "warnings": [],
        "timing": {"wall_s": 6.21, "frames_per_s": 24.2},
        "provenance": {
            "gonio": "0.1.0",
            "python": "3.11.9",
            "libraries": {"numpy": "2.4.6", "xarray": "2026.9.0"},
            "command": "gonio analyze videos/walk.mp4",
            "created": "2026-03-04T15:16:17+01:00",
            "log": [],
        },
        "truth": _truth(time_s) if with_truth else None,
    }
    return Evaluation(**{**fields, **changes})


def fake_angles(time_s: np.ndarray, people: list[str], frames: int) -> xr.Dataset:
    """Return sines for each joint; the right knee is not seen in a sixth of the frames."""
    names = [f"{n}_{s}" for n in (*JOINTS, *SEGMENTS) for s in ("left", "right")]
    names += ["trunk", "pelvis"]
    angle = np.full((frames, len(names), len(people)), np.nan)
    for i, name in enumerate(names[:-2]):
        base, side = name.rsplit("_", 1)
        swing, mean = {**JOINTS, **SEGMENTS}[base]
        phase = 0.0 if side == "left" else np.pi
        angle[:, i] = (mean + swing * np.sin(2 * np.pi * time_s / 1.1 + phase))[:, None]
    angle[:, -2] = (86 + 2 * np.sin(2 * np.pi * time_s / 0.55))[:, None]
    if frames > 2:
        angle[: frames // 10] = np.nan
        angle[frames // 2 : frames // 2 + frames // 6, names.index("knee_right")] = np.nan
    angles = make_angles(angle, time_s=time_s, names=names, individuals=people)
    facing = np.full((frames, len(people)), -1, np.int8)
    return angles.assign(facing=(("time", "individuals"), facing))


def _tracks(time_s: np.ndarray, people: int, fps: float | None) -> xr.Dataset:
    frames, points = len(time_s), len(SKELETON.keypoints)
    rng = np.random.default_rng(0)
    figure = rng.uniform(0, 400, (2, points))
    for x, side in ((200.0, "left"), (206.0, "right")):  # seen from the side
        figure[:, SKELETON.index(f"{side}_shoulder")] = x, 100.0
        figure[:, SKELETON.index(f"{side}_hip")] = x, 200.0
    figure = figure[None, :, :, None]
    walk = (80.0 * time_s)[:, None, None, None] * np.array([1.0, 0.0])[None, :, None, None]
    apart = 150.0 * np.arange(people)[None, None, None, :]
    position = (figure + walk + apart).astype(np.float32)
    confidence = np.full((frames, points, people), 0.9)
    if frames > 2:
        position[: frames // 10], confidence[: frames // 10] = np.nan, 0.0
    attrs = {"source": "videos/walk.mp4"}
    return make_poses(position, confidence, time_s=time_s, skeleton=SKELETON, fps=fps, attrs=attrs)


def _truth(time_s: np.ndarray) -> dict[str, Any]:
    angles = fake_angles(time_s, ["walker"], len(time_s))
    return {
        "mae_deg": {"hip": 2.31, "knee": 3.02, "ankle": 4.75},
        "angles": angles.assign(angle_deg=angles["angle_deg"] + 2.5),
    }
