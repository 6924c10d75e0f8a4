"""One hash over labels and images, so that a run can say exactly what it learned from."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import numpy as np

from gonio.errors import InputError

if TYPE_CHECKING:
    from pathlib import Path

    from gonio.labels import Labels


def data_sha256(labels: Labels) -> str:
    """Return a hash of what is labelled and of the images' bytes.

    Where the files lie does not count, nor the order of images and people: the same set read
    from another folder has the same hash. An image that is not there counts by its name.

    Parameters
    ----------
    labels
        The set.

    Returns
    -------
    str
        64 hexadecimal digits.

    Raises
    ------
    InputError
        If an image is there and cannot be read.
    """
    total = hashlib.sha256("\n".join(labels.skeleton.keypoints).encode())
    people: list[list[bytes]] = [[] for _ in labels.images]
    numbers = np.concatenate(
        [
            labels.keypoints_px.reshape(len(labels), -1),
            labels.visibility,
            labels.boxes_px,
            labels.crowd[:, None],
        ],
        axis=1,
    )
    # Rounded, since formats hold few digits; + 0.0 turns −0 into 0.
    for row, image in zip(np.round(numbers, 3) + 0.0, labels.image_index, strict=True):
        people[image].append(row.tobytes())
    parts = [
        file_sha256(image.path).encode() + b"".join(sorted(those))
        for image, those in zip(labels.images, people, strict=True)
    ]
    for part in sorted(parts):
        total.update(hashlib.sha256(part).digest())
    return total.hexdigest()


def file_sha256(path: Path) -> str:
    """Return the hash of a file's bytes, or of its name where there is no such file.

    Raises
    ------
    InputError
        If it is there and cannot be read.
    """
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except FileNotFoundError:
        return hashlib.sha256(path.name.encode()).hexdigest()
    except OSError as error:
        raise InputError(f"image '{path}': cannot be read ({error.strerror or error})") from error
