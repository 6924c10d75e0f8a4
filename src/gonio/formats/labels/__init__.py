"""Other people's labels: images with keypoints, read from many formats and written to two.

:func:`read_labels` takes every format, :func:`label_formats` lists them.
"""

from __future__ import annotations

from gonio.formats.labels.common import check_images, with_sizes
from gonio.formats.labels.doors import read_labels, write_labels
from gonio.formats.labels.registry import (
    LabelFormat,
    detect_label_format,
    find_label_format,
    label_formats,
)
from gonio.formats.labels.sleap import packed_frames

__all__ = [
    "LabelFormat",
    "check_images",
    "detect_label_format",
    "find_label_format",
    "label_formats",
    "packed_frames",
    "read_labels",
    "with_sizes",
    "write_labels",
]
