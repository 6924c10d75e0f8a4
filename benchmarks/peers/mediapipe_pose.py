"""Landmarks of frames by MediaPipe's Python Pose; runs in the peer's own environment.

Reads raw RGB frames from standard input until it ends; writes one ``.npy`` to standard output:
shape ``(frames, 33, 3)``: x and y relative to the image, visibility; NaN where nobody is seen.

Usage: mediapipe_pose.py WIDTH HEIGHT
"""

from __future__ import annotations

import io
import sys

import mediapipe as mp  # type: ignore[import-not-found]
import numpy as np


def main() -> None:
    width, height = int(sys.argv[1]), int(sys.argv[2])
    pose = mp.solutions.pose.Pose(
        static_image_mode=False,
        model_complexity=1,
        smooth_landmarks=False,
        min_detection_confidence=0.5,
        min_tracking_confidence=0.5,
    )
    frames = []
    while len(raw := sys.stdin.buffer.read(width * height * 3)) == width * height * 3:
        found = pose.process(np.frombuffer(raw, np.uint8).reshape(height, width, 3))
        frames.append(
            [(p.x, p.y, p.visibility) for p in found.pose_landmarks.landmark]
            if found.pose_landmarks
            else [(np.nan, np.nan, np.nan)] * 33
        )
    file = io.BytesIO()
    np.save(file, np.array(frames))
    sys.stdout.buffer.write(file.getvalue())


if __name__ == "__main__":
    main()
