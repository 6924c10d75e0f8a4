"""Images in, images of the same size out: what light, lens, sensor and file format do to them.

And filters, which change what a network is shown, in training and in use alike.

Every function takes ``uint8`` of shape ``(H, W, 3)`` (RGB) or ``(H, W, 1)`` (grey), gives the same
shape and type, leaves its argument as it is, and refuses anything else. Keypoints stay where they
are; what moves them is ``gonio.datasets``'.
"""

from __future__ import annotations

from gonio.imaging.background import Background
from gonio.imaging.blur import gaussian_blur, motion_blur
from gonio.imaging.chain import (
    Bilateral,
    Clahe,
    ColorEqualize,
    EdgeEnhance,
    EdgeOverlay,
    Edges,
    Equalize,
    Filter,
    Filters,
    FrameFilters,
    Gaussian,
    Grey,
    Mog2,
    apply_filters,
)
from gonio.imaging.checks import Image, check_image
from gonio.imaging.color import adjust_color, negative
from gonio.imaging.defects import add_noise, compress_jpeg, cover
from gonio.imaging.photometry import (
    Blur,
    Chance,
    ColorJitter,
    Jpeg,
    MotionBlur,
    Negative,
    Noise,
    Occlusion,
    PhotometrySettings,
    Saturation,
    random_photometry,
)

__all__ = [
    "Background",
    "Bilateral",
    "Blur",
    "Chance",
    "Clahe",
    "ColorEqualize",
    "ColorJitter",
    "EdgeEnhance",
    "EdgeOverlay",
    "Edges",
    "Equalize",
    "Filter",
    "Filters",
    "FrameFilters",
    "Gaussian",
    "Grey",
    "Image",
    "Jpeg",
    "Mog2",
    "MotionBlur",
    "Negative",
    "Noise",
    "Occlusion",
    "PhotometrySettings",
    "Saturation",
    "add_noise",
    "adjust_color",
    "apply_filters",
    "check_image",
    "compress_jpeg",
    "cover",
    "gaussian_blur",
    "motion_blur",
    "negative",
    "random_photometry",
]
