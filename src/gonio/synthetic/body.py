"""The body: segment lengths, forward kinematics, and the angles that follow from them.

Metres, x along the direction the person faces, y **up**. Attitudes are measured from the upright
neutral position and are zero in it. Sides are stacked left, right on the last axis.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

SIDES = ("left", "right")
_SMALL_TOE = 0.82  # of the way from the heel to the tip of the big toe


@dataclass(frozen=True)
class Body:
    """Lengths in metres of a person of the given stature.

    The fractions of stature are those of Drillis & Contini (1966) as printed in Winter,
    Biomechanics and Motor Control of Human Movement (4th ed. 2009, figure 4.1). The heel and
    toe points are the bare foot's; the shoe reaches beyond them.

    Attributes
    ----------
    stature
        Height of the person, metres.
    """

    stature: float = 1.75

    @property
    def thigh(self) -> float:
        """Hip (greater trochanter) to knee (lateral epicondyle)."""
        return 0.245 * self.stature

    @property
    def shank(self) -> float:
        """Knee to ankle (lateral malleolus)."""
        return 0.246 * self.stature

    @property
    def ankle_height(self) -> float:
        """Ankle above the floor when standing, the shoe's sole included."""
        return 0.039 * self.stature + 0.015

    @property
    def trunk(self) -> float:
        """Mid-hip to the middle of the shoulders."""
        return 0.288 * self.stature

    @property
    def upper_arm(self) -> float:
        """Shoulder to elbow."""
        return 0.186 * self.stature

    @property
    def forearm(self) -> float:
        """Elbow to wrist."""
        return 0.146 * self.stature

    @property
    def knuckle(self) -> float:
        """Wrist to the index finger's knuckle."""
        return 0.050 * self.stature

    @property
    def foot(self) -> float:
        """Back of the heel (calcaneus) to the tip of the big toe."""
        return 0.152 * self.stature

    @property
    def heel_back(self) -> float:
        """Ankle to the back of the heel, horizontally."""
        return 0.26 * self.foot

    @property
    def ball_ahead(self) -> float:
        """Ankle to the hinge of the toes (metatarsal heads), horizontally."""
        return 0.44 * self.foot

    @property
    def marker_height(self) -> float:
        """Heel and toe points above the sole: equal, so that their line lies along the sole."""
        return 0.25 * self.ankle_height


@dataclass(frozen=True)
class Posture:
    """Attitudes of the segments over time, degrees.

    ``trunk`` and ``head`` have shape ``(time,)``, the others ``(time, 2)`` with left before
    right.

    Attributes
    ----------
    trunk, head
        Forward lean from the vertical; the head's is relative to the level gaze.
    thigh, upper_arm
        Forward of the vertical (the distal end in front).
    knee, elbow, wrist
        Flexion.
    foot
        Pitch of the rear foot, toes up.
    toes
        Upward bend of the toes against the rear foot.
    """

    trunk: Array
    head: Array
    thigh: Array
    knee: Array
    foot: Array
    toes: Array
    upper_arm: Array
    elbow: Array
    wrist: Array

    def at(self, frame: int) -> Posture:
        """Return the posture in one frame, without the time axis."""
        return replace(self, **{f.name: getattr(self, f.name)[frame] for f in fields(self)})

    @property
    def shank(self) -> Array:
        """Attitude of the shank: negative where the knee is ahead of the ankle."""
        return self.thigh - self.knee


def _down(attitude_deg: Array) -> Array:
    """Return unit vectors of segments that hang down; positive attitudes point forward."""
    a = np.radians(attitude_deg)
    return np.stack([np.sin(a), -np.cos(a)], axis=-1)


def _turn(x: float, y: float, pitch_deg: Array) -> Array:
    """Turn the vector (x, y) by a pitch (toes up)."""
    a = np.radians(pitch_deg)
    return np.stack([x * np.cos(a) - y * np.sin(a), x * np.sin(a) + y * np.cos(a)], axis=-1)


def toe_tip(body: Body, posture: Posture) -> Array:
    """Return heel → toe tip, shape ``(time, 2 sides, 2)``, metres.

    The foot bends at the ball; heel, ball and toe tip lie on one line parallel to the sole when
    the toes are straight.
    """
    rear = body.heel_back + body.ball_ahead
    return _turn(rear, 0.0, posture.foot) + _turn(
        body.foot - rear, 0.0, posture.foot + posture.toes
    )


def leg_points(body: Body, posture: Posture) -> dict[str, Array]:
    """Return the leg's points relative to the hip, each ``(time, 2 sides, 2)``, metres.

    ``sole_heel``, ``sole_ball`` and ``sole_toe`` are where the shoe touches the floor.
    """
    knee = body.thigh * _down(posture.thigh)
    ankle = knee + body.shank * _down(posture.shank)
    low, high = -body.ankle_height, body.marker_height - body.ankle_height
    heel = ankle + _turn(-body.heel_back, high, posture.foot)
    ball = ankle + _turn(body.ball_ahead, high, posture.foot)
    bend = posture.foot + posture.toes
    return {
        "knee": knee,
        "ankle": ankle,
        "heel": heel,
        "ball": ball,
        "foot_index": heel + toe_tip(body, posture),
        "small_toe": heel + _SMALL_TOE * toe_tip(body, posture),
        "sole_heel": ankle + _turn(-0.85 * body.heel_back, low, posture.foot),
        "sole_ball": ball + _turn(0.0, low - high, posture.foot),
        "sole_toe": ball
        + _turn(0.7 * (body.foot - body.heel_back - body.ball_ahead), 0.0, bend)
        + _turn(0.0, low - high, bend),
    }


def place(body: Body, posture: Posture, pelvis: Array) -> dict[str, Array]:
    """Place the person's points in the world.

    Parameters
    ----------
    body
        Segment lengths.
    posture
        Attitudes over time.
    pelvis
        Middle of the hips, ``(time, 2)``, metres. Seen exactly from the side both hips, and both
        shoulders, stand at the same place.

    Returns
    -------
    dict
        Point → ``(time, 2)``: BlazePose's names, and ``neck``, ``mid_hip``, ``head_top``,
        ``{side}_ball``, ``{side}_small_toe``.
    """
    neck = pelvis - body.trunk * _down(-posture.trunk)
    points = {"mid_hip": pelvis, "neck": neck}
    upper = neck[:, None] + body.upper_arm * _down(posture.upper_arm)
    forearm_deg = posture.upper_arm + posture.elbow
    wrist = upper + body.forearm * _down(forearm_deg)
    hand_deg = forearm_deg + posture.wrist
    hand = {
        "elbow": upper,
        "wrist": wrist,
        "index": wrist + body.knuckle * _down(hand_deg),
        "pinky": wrist + 0.92 * body.knuckle * _down(hand_deg - 14),
        "thumb": wrist + 0.72 * body.knuckle * _down(hand_deg + 30),
    }
    legs = {k: v + pelvis[:, None] for k, v in leg_points(body, posture).items()}
    for i, side in enumerate(SIDES):
        points[f"{side}_hip"] = pelvis
        points[f"{side}_shoulder"] = neck
        for name in ("knee", "ankle", "heel", "foot_index", "small_toe", "ball"):
            points[f"{side}_{name}"] = legs[name][:, i]
        for name, value in hand.items():
            points[f"{side}_{name}"] = value[:, i]
    return points | _face(body, posture, neck)


# Points of the head in fractions of stature from the middle of the shoulders, gaze level
# (heights of chin and eye: Drillis & Contini).
_FACE = {
    "nose": (0.078, 0.098),
    "mouth": (0.066, 0.076),
    "eye_inner": (0.068, 0.117),
    "eye": (0.062, 0.118),
    "eye_outer": (0.054, 0.117),
    "ear": (0.014, 0.106),
    "head_top": (0.005, 0.185),
}
_UNSIDED = ("nose", "head_top")


def _face(body: Body, posture: Posture, neck: Array) -> dict[str, Array]:
    points: dict[str, Array] = {}
    for name, (x, y) in _FACE.items():
        place_m = neck + body.stature * _turn(x, y, -posture.head)
        sided = (f"{side}_{name}" for side in SIDES)
        points |= dict.fromkeys((name,) if name in _UNSIDED else sided, place_m)
    return points


def joint_angles(body: Body, posture: Posture) -> dict[str, Array]:
    """Return the person's true angles.

    Parameters
    ----------
    body
        Segment lengths.
    posture
        Attitudes over time.

    Returns
    -------
    dict
        Angle (side last) → ``(time,)``, degrees in [−180, 180): joints with flexion and
        dorsiflexion positive and zero when standing upright; segments counter-clockwise from the
        direction the person faces.
    """
    tip = toe_tip(body, posture)
    foot = np.degrees(np.arctan2(tip[..., 1], tip[..., 0]))
    forearm = posture.upper_arm + posture.elbow
    sided = {
        "ankle": foot - posture.shank,
        "knee": posture.knee,
        "hip": posture.thigh + posture.trunk[:, None],
        "shoulder": posture.upper_arm + posture.trunk[:, None],
        "elbow": posture.elbow,
        "wrist": posture.wrist,
        "foot": foot,
        "shank": posture.shank - 90,
        "thigh": posture.thigh - 90,
        "arm": posture.upper_arm - 90,
        "forearm": forearm - 90,
        "hand": forearm + posture.wrist - 90,
    }
    angles = {"trunk": 90 - posture.trunk}
    for name, values in sided.items():
        for i, side in enumerate(SIDES):
            angles[f"{name}_{side}"] = values[:, i]
    return {name: (value + 180) % 360 - 180 for name, value in angles.items()}
