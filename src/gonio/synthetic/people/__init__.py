"""Drawn people as training data: pictures with exactly known keypoints, visibility and outlines.

One or more people stand, walk, squat or sit, facing either way and turned a little towards the
camera or away from it, before rooms, streets, gardens, clutter and plain walls, behind objects and
each other, under changing light, seen by a camera that is tilted and turned. A picture follows
from (seed, index) alone.
"""

from __future__ import annotations

from gonio.synthetic.people.folder import LABELS_FILE, people_labels
from gonio.synthetic.people.picture import DrawnPeople, draw_people

__all__ = ["LABELS_FILE", "DrawnPeople", "draw_people", "people_labels"]
