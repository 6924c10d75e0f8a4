"""PCK: the share of labelled keypoints found within a fraction of a length, and those lengths.

A share without its norm says nothing: ``image`` at 0.05 and ``head`` at 0.5 differ several-fold
on the same keypoints. Hence every key names its norm (``pck@0.05:image``, ``pckh@0.5:head``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal, NamedTuple, get_args

import numpy as np

from gonio.errors import InputError, UnknownNameError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from gonio.labels import Labels

    Floats = NDArray[np.float64]

Norm = Literal["image", "bbox", "torso", "head"]
NORMS: Final[tuple[Norm, ...]] = get_args(Norm)
_ENDS: Final[dict[str, tuple[str, str]]] = {
    "torso": ("left_shoulder", "right_hip"),
    "head": ("neck", "head_top"),
}
_TOP_OF_HEAD: Final = ("head_top", "head")  # Halpe calls the head's top "head"


class Pck(NamedTuple):
    """Shares of keypoints that were found.

    Attributes
    ----------
    mean
        Over all keypoints that count, 0–1; NaN where none does.
    keypoints
        Shape ``(K,)``, the same by keypoint.
    counted
        Shape ``(K,)``, how many count: labelled, of a person whose norm is known.
    """

    mean: float
    keypoints: Floats
    counted: NDArray[np.intp]


def pck(
    predicted_px: ArrayLike,
    truth_px: ArrayLike,
    labelled: ArrayLike,
    norm_px: ArrayLike,
    alpha: float,
    *,
    squared: bool = False,
    strict: bool = False,
) -> Pck:
    """Return the share of labelled keypoints with distance ≤ alpha · norm.

    Parameters
    ----------
    predicted_px, truth_px
        Shape ``(P, K, 2)``, pixels. A prediction that is NaN was not found: it counts as wrong.
    labelled
        Shape ``(P, K)``, which keypoints count; one without a label never does.
    norm_px
        Shape ``(P,)`` or a single number, in the same pixels. A person whose norm is NaN or not
        positive does not count.
    alpha
        Fraction of the norm.
    squared
        Compare squared distances with alpha · norm², as one public implementation does: its
        0.5 is an alpha of 0.707. Only to reproduce its numbers.
    strict
        Compare with < (as the lower-body document writes) instead of ≤; they differ where a
        prediction lies at the limit exactly.

    Returns
    -------
    Pck

    References
    ----------
    Yang & Ramanan (2013), IEEE TPAMI 35(12):2878-2890 (PCK); Andriluka, Pishchulin, Gehler &
    Schiele (2014), CVPR (PCKh).
    """
    distance_px = distances_px(predicted_px, truth_px)
    norm = np.broadcast_to(np.asarray(norm_px, dtype=np.float64), (len(distance_px),))
    with np.errstate(invalid="ignore"):
        usable = norm > 0
        limit = (np.sqrt(alpha) if squared else alpha) * norm[:, None]
        right = (distance_px < limit) if strict else (distance_px <= limit)
    counts = np.asarray(labelled, dtype=bool) & usable[:, None]
    hits, counted = (right & counts).sum(axis=0), counts.sum(axis=0)
    total = int(counted.sum())
    share = np.divide(hits, counted, out=np.full(len(counted), np.nan), where=counted > 0)
    return Pck(float(hits.sum()) / total if total else np.nan, share, counted)


def pck_key(norm: Norm, alpha: float, *, squared: bool = False) -> str:
    """Return a PCK's name among the metrics: ``pck@0.05:image``, ``pckh@0.5:head``."""
    stem = "pckh" if norm == "head" else "pck"
    return f"{stem}@{alpha:g}:{norm}{':squared' if squared else ''}"


def distances_px(predicted_px: ArrayLike, truth_px: ArrayLike) -> Floats:
    """Return distances, shape ``(P, K)``, pixels; NaN where either position ``(P, K, 2)`` is."""
    offset = np.asarray(predicted_px, dtype=np.float64) - np.asarray(truth_px, dtype=np.float64)
    return np.asarray(np.hypot(offset[..., 0], offset[..., 1]), dtype=np.float64)


def norm_px(
    labels: Labels,
    norm: Norm,
    *,
    input_wh: tuple[int, int] | None = None,
    input_scale: ArrayLike | None = None,
) -> Floats:
    """Return the length each person's distances are compared with, in image pixels.

    Parameters
    ----------
    labels
        The true people.
    norm
        ``image``: the longer side of the network's input, brought back to image pixels by each
        person's scale; the longer side of the image where ``input_wh`` is None. ``bbox``: the
        longer side of the box. ``torso``: left shoulder to right hip. ``head``: neck to the top
        of the head (LSP's reading of PCKh; see :func:`mpii_head_px` for MPII's).
    input_wh
        Width and height of the network's input.
    input_scale
        Shape ``(P,)``, input pixels per image pixel for each person's crop.

    Returns
    -------
    ndarray
        Shape ``(P,)``; NaN where it is unknown: no box, an end that is not labelled, an image
        of unknown size.

    Raises
    ------
    UnknownNameError
        If there is no such norm.
    InputError
        If the skeleton lacks one of the norm's ends, or ``input_scale`` is missing.
    """
    if norm not in NORMS:
        raise UnknownNameError("norm", norm, NORMS)
    if norm == "bbox":
        return np.asarray(labels.boxes_px[:, 2:].max(axis=1, initial=-np.inf), dtype=np.float64)
    if norm == "image":
        return _image_norm(labels, input_wh, input_scale)
    first, second = _ends(labels, norm)
    return distances_px(labels.keypoints_px[:, first], labels.keypoints_px[:, second])


def mpii_head_px(head_boxes_px: ArrayLike) -> Floats:
    """Return MPII's head size, 0.6 × the head box's diagonal.

    Parameters
    ----------
    head_boxes_px
        Shape ``(P, 4)``: left, top, width, height, pixels; NaN = unknown.

    Returns
    -------
    ndarray
        Shape ``(P,)``, pixels.
    """
    boxes = np.asarray(head_boxes_px, dtype=np.float64)
    return np.asarray(0.6 * np.hypot(boxes[:, 2], boxes[:, 3]), dtype=np.float64)


def _image_norm(
    labels: Labels, input_wh: tuple[int, int] | None, input_scale: ArrayLike | None
) -> Floats:
    if input_wh is not None:
        if input_scale is None:
            raise InputError("norm 'image': the scale of each person's crop is needed as well")
        scale = np.broadcast_to(np.asarray(input_scale, dtype=np.float64), (len(labels),))
        norm = np.full(len(labels), np.nan)
        known = scale > 0
        norm[known] = max(input_wh) / scale[known]
        return norm
    sides = [
        np.nan if i.width is None or i.height is None else float(max(i.width, i.height))
        for i in labels.images
    ]
    return np.array(sides, dtype=np.float64)[labels.image_index]


def _ends(labels: Labels, norm: Norm) -> tuple[int, int]:
    names = labels.skeleton.keypoints
    start, end = _ENDS[norm]
    if norm == "head" and end not in names:
        end = next((n for n in _TOP_OF_HEAD if n in names), end)
    missing = [n for n in (start, end) if n not in names]
    if missing:
        raise InputError(
            f"norm '{norm}': skeleton '{labels.skeleton.name}' has no {' and no '.join(missing)}. "
            "Choose another norm: image or bbox."
        )
    return names.index(start), names.index(end)
