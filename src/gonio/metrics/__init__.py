"""Numbers against truth: keypoints, people, boxes and angles, and how far to trust them.

A keypoint without a label never counts. Everything is NumPy; nothing here needs torch.
"""

from __future__ import annotations

from gonio.metrics.agreement import Icc, Limits, bland_altman, cmc, icc21
from gonio.metrics.angle_errors import angle_errors
from gonio.metrics.average_precision import AveragePrecision, box_ap, keypoint_ap
from gonio.metrics.calibration import Calibration, calibration
from gonio.metrics.keypoint_angles import keypoint_angle_errors
from gonio.metrics.oks import PersonAreas, oks, person_areas
from gonio.metrics.pairing import pair_people
from gonio.metrics.pck import NORMS, Norm, Pck, distances_px, mpii_head_px, norm_px, pck, pck_key
from gonio.metrics.pixel_errors import ErrorBands, PixelErrors, error_bands, pixel_errors
from gonio.metrics.table import (
    DEFAULT_ALPHAS,
    QUICK,
    EvaluationSettings,
    MetricTable,
    evaluate_predictions,
)

__all__ = [
    "DEFAULT_ALPHAS",
    "NORMS",
    "QUICK",
    "AveragePrecision",
    "Calibration",
    "ErrorBands",
    "EvaluationSettings",
    "Icc",
    "Limits",
    "MetricTable",
    "Norm",
    "Pck",
    "PersonAreas",
    "PixelErrors",
    "angle_errors",
    "bland_altman",
    "box_ap",
    "calibration",
    "cmc",
    "distances_px",
    "error_bands",
    "evaluate_predictions",
    "icc21",
    "keypoint_angle_errors",
    "keypoint_ap",
    "mpii_head_px",
    "norm_px",
    "oks",
    "pair_people",
    "pck",
    "pck_key",
    "person_areas",
    "pixel_errors",
]
