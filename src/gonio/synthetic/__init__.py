"""Drawn people with exactly known keypoints and angles: demonstration, tests, training data.

A person seen from the side walks, squats or sits; body, clothes, light and room follow a seed.
The keypoints are anatomical: hip = greater trochanter, knee = lateral epicondyle, ankle = lateral
malleolus; heel = back of the heel and foot index = tip of the toes, both at the same height above
the sole, so that a flat foot reads 0°.
"""

from __future__ import annotations

from gonio.synthetic.motion import MotionName
from gonio.synthetic.render import (
    Camera,
    Facing,
    PersonSettings,
    Truth,
    frames,
    render_person,
    truth,
)

__all__ = [
    "Camera",
    "Facing",
    "MotionName",
    "PersonSettings",
    "Truth",
    "frames",
    "render_person",
    "truth",
]
