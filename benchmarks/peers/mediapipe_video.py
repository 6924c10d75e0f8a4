"""Time MediaPipe's Python Pose on a video; runs in the peer's own environment.

Prints, for each line that arrives on standard input, the seconds it took to open the model and
the video, decode every frame to RGB and find the landmarks of one person.

Usage: mediapipe_video.py VIDEO
"""

from __future__ import annotations

import sys
import time

import cv2
import mediapipe as mp  # type: ignore[import-not-found]


def measure(path: str) -> float:
    began = time.perf_counter()
    pose = mp.solutions.pose.Pose(
        static_image_mode=False, model_complexity=1, smooth_landmarks=False
    )
    video = cv2.VideoCapture(path)
    while True:
        good, frame = video.read()
        if not good:
            break
        pose.process(cv2.cvtColor(frame, cv2.COLOR_BGR2RGB))
    pose.close()
    return time.perf_counter() - began


def main() -> None:
    print("ready", flush=True)
    for _ in sys.stdin:
        print(measure(sys.argv[1]), flush=True)


if __name__ == "__main__":
    main()
