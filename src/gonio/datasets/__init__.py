"""Sets of labelled images: checks, boxes, subsets, splits, samples and their augmentation."""

from __future__ import annotations

from gonio.datasets.augmentation import (
    AugmentationSettings,
    Flip,
    HalfBody,
    Rotate,
    Scale,
    Tilt,
    Translate,
    random_map,
)
from gonio.datasets.cache import ImageCache
from gonio.datasets.copies import augment_labels
from gonio.datasets.sampling import (
    CropSettings,
    InputSettings,
    Sample,
    make_sample,
    person_region,
    sample_people,
    sample_rng,
)
from gonio.datasets.targets import TargetSettings, encode_targets, map_size

__all__ = [
    "AugmentationSettings",
    "CropSettings",
    "Flip",
    "HalfBody",
    "ImageCache",
    "InputSettings",
    "Rotate",
    "Sample",
    "Scale",
    "TargetSettings",
    "Tilt",
    "Translate",
    "augment_labels",
    "encode_targets",
    "make_sample",
    "map_size",
    "person_region",
    "random_map",
    "sample_people",
    "sample_rng",
]
