"""Numbers against truth: keypoints, people, boxes and angles, and how far to trust them.

A keypoint without a label never counts. Everything is NumPy; nothing here needs torch.
"""

from __future__ import annotations

from gonio.metrics.angle_errors import angle_errors
from gonio.metrics.average_precision import AveragePrecision, box_ap, keypoint_ap
from gonio.metrics.oks import PersonAreas, oks, person_areas
from gonio.metrics.pck import NORMS, Norm, Pck, distances_px, mpii_head_px, norm_px, pck, pck_key
from gonio.metrics.pixel_errors import ErrorBands, PixelErrors, error_bands, pixel_errors

__all__ = [
    "NORMS",
    "AveragePrecision",
    "ErrorBands",
    "Norm",
    "Pck",
    "PersonAreas",
    "PixelErrors",
    "angle_errors",
    "box_ap",
    "distances_px",
    "error_bands",
    "keypoint_ap",
    "mpii_head_px",
    "norm_px",
    "oks",
    "pck",
    "pck_key",
    "person_areas",
    "pixel_errors",
]
