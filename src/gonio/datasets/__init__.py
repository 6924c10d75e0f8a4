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
    Window,
    random_map,
)
from gonio.datasets.boxes import boxes_from_keypoints
from gonio.datasets.cache import ImageCache
from gonio.datasets.copies import augment_labels
from gonio.datasets.faults import Fault, drop_faults, find_faults, mask_faults
from gonio.datasets.frames import extract_frames, write_frames
from gonio.datasets.hashing import data_sha256
from gonio.datasets.parts import DataSettings, choose_people, read_set, share_out
from gonio.datasets.preview import contact_sheet
from gonio.datasets.report import LabelReport, describe
from gonio.datasets.sampling import (
    CropSettings,
    InputSettings,
    Sample,
    make_sample,
    person_region,
    sample_people,
    sample_rng,
    start_sampling_worker,
)
from gonio.datasets.splits import load_split, save_split, split_labels
from gonio.datasets.subsets import restrict_skeleton, subset_people
from gonio.datasets.targets import TargetSettings, encode_targets, map_size

__all__ = [
    "AugmentationSettings",
    "CropSettings",
    "DataSettings",
    "Fault",
    "Flip",
    "HalfBody",
    "ImageCache",
    "InputSettings",
    "LabelReport",
    "Rotate",
    "Sample",
    "Scale",
    "TargetSettings",
    "Tilt",
    "Translate",
    "Window",
    "augment_labels",
    "boxes_from_keypoints",
    "choose_people",
    "contact_sheet",
    "data_sha256",
    "describe",
    "drop_faults",
    "encode_targets",
    "extract_frames",
    "find_faults",
    "load_split",
    "make_sample",
    "map_size",
    "mask_faults",
    "person_region",
    "random_map",
    "read_set",
    "restrict_skeleton",
    "sample_people",
    "sample_rng",
    "save_split",
    "share_out",
    "split_labels",
    "start_sampling_worker",
    "subset_people",
    "write_frames",
]
