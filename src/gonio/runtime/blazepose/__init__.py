"""BlazePose: a person detector and a model of 33 landmarks, followed from frame to frame.

Bazarevsky et al. (2020), "BlazePose: On-device real-time body pose tracking",
arXiv:2006.10204. The numbers are those of the pose landmark graph in ``mediapipe`` 0.10.21.
"""

from __future__ import annotations

from gonio.runtime.blazepose.estimator import BlazePoseEstimator, open_blazepose

__all__ = ["BlazePoseEstimator", "open_blazepose"]
