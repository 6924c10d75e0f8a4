"""Leeds Sports Pose (``joints.mat``) and its extended set: fourteen joints a picture.

Johnson & Everingham (2010), Clustered pose and nonlinear appearance models for human pose
estimation, BMVC; (2011), Learning effective human pose estimation from inaccurate annotation,
CVPR. LSP's joints have the shape (3, 14, N), and their third row says *hidden*; the extended set's
are (14, 3, N), and there it says *usable*. Both count pixels from 1, as MATLAB does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from gonio.errors import FormatError
from gonio.formats.labels.common import chosen_skeleton, read_bytes
from gonio.labels import HIDDEN, UNLABELLED, VISIBLE, LabelledImage, make_labels
from gonio.skeletons import load_skeleton

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from gonio.labels import Labels
    from gonio.skeletons import Skeleton

_SKELETON: Final = "lsp14"
_POINTS: Final = 14
_FIRST_PX: Final = 1.0


def read_lsp(
    path: Path, *, skeleton: Skeleton | str | Path | None = None, images: Path | None = None
) -> Labels:
    """Read ``joints.mat`` of LSP or of its extended set; which one, its shape tells.

    Parameters
    ----------
    path
        The ``.mat`` file.
    skeleton
        Must be ``lsp14``'s keypoints; None: that.
    images
        Folder of the pictures ``im0001.jpg`` (LSP), ``im00001.jpg`` or, re-annotated with gaps in
        the numbers, ``im00001.png`` (extended); None: ``images`` beside the file.

    Returns
    -------
    Labels
        One person an image. Where a folder has fewer pictures than the file has people and as
        many as it labels, they are matched in order of their numbers.

    Raises
    ------
    FormatError
        If the file is no MATLAB file, or holds no joints of that shape.
    """
    joints = _joints(path)
    chosen = chosen_skeleton(skeleton) or load_skeleton(_SKELETON)
    if len(chosen.keypoints) != _POINTS:
        raise FormatError(
            f"'{path}': LSP has the {_POINTS} joints of '{_SKELETON}'; '{chosen.name}' has "
            f"{len(chosen.keypoints)}"
        )
    extended = joints.shape[0] == _POINTS
    rows = joints.transpose(2, 0, 1) if extended else joints.transpose(2, 1, 0)
    flags = rows[..., 2] > 0.5
    set_, unset = (VISIBLE, UNLABELLED) if extended else (HIDDEN, VISIBLE)
    seen = np.where(flags, set_, unset)
    folder = images or path.parent / "images"
    pictures = [LabelledImage(file) for file in _pictures(folder, len(rows), extended=extended)]
    if len(pictures) != len(rows):
        raise FormatError(
            f"'{path}': labels {len(rows)} pictures, and '{folder}' holds {len(pictures)}. Name "
            "the folder of the pictures: --images"
        )
    return make_labels(chosen, pictures, range(len(rows)), rows[..., :2] - _FIRST_PX, seen)


def _joints(path: Path) -> NDArray[np.float64]:
    from io import BytesIO

    from scipy.io import loadmat

    try:
        file: Any = BytesIO(read_bytes(path))
        content: dict[str, Any] = loadmat(file, variable_names=["joints"])
    except Exception as error:  # SciPy raises what its parser stumbles on
        raise FormatError(f"'{path}': cannot be read as a MATLAB file ({error})") from error
    joints = np.asarray(content.get("joints", np.empty(0)))
    numbers = joints.dtype.kind in "fiu" and joints.ndim == 3
    if not numbers or joints.shape[:2] not in {(3, _POINTS), (_POINTS, 3)}:
        shape = "×".join(map(str, joints.shape)) if joints.size else "none"
        raise FormatError(
            f"'{path}': 'joints' must be 3×14×N (LSP) or 14×3×N (extended), found {shape}"
        )
    return joints.astype(np.float64)


def _pictures(folder: Path, count: int, *, extended: bool) -> list[Path]:
    """Return the pictures by number: those that are there, else those that should be."""
    there = sorted(folder.glob("im*.[jp][pn]g")) if folder.is_dir() else []
    digits = 5 if extended else 4
    return there or [folder / f"im{i + 1:0{digits}d}.jpg" for i in range(count)]
