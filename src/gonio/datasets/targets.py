"""What a network learns: targets by role, drawn by the codec."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Literal

import numpy as np
from pydantic import Field

from gonio.codec import (
    encode_coords,
    encode_disc,
    encode_gaussian,
    encode_locref,
    encode_simcc,
    input_to_grid,
)
from gonio.configs import Settings
from gonio.errors import ConfigError
from gonio.labels import VISIBLE

if TYPE_CHECKING:
    from numpy.typing import NDArray


class TargetSettings(Settings):
    """What a network learns.

    Attributes
    ----------
    kind
        ``gaussian``, ``disc``: heatmaps; ``simcc``: distributions over x and y; ``coords``:
        coordinates; ``locref``: score maps with location refinement.
    stride
        Input pixels a cell of the maps.
    sigma
        Standard deviation of the Gaussians, cells.
    radius
        Radius of the discs, cells.
    ratio, simcc_sigma
        SimCC bins an input pixel, and their standard deviation, bins.
    positive_px, stdev_px
        Of location refinement; see :func:`gonio.codec.encode_locref`.
    visibility
        Whether the network also says which keypoints are visible.
    weights
        Which keypoints count: all that are labelled, or the visible ones alone.
    """

    kind: Literal["gaussian", "disc", "simcc", "coords", "locref"] = "gaussian"
    stride: float = Field(default=4.0, gt=0)
    sigma: float = Field(default=2.0, gt=0)
    radius: float = Field(default=6.0, gt=0)
    ratio: float = Field(default=2.0, gt=0)
    simcc_sigma: float = Field(default=6.0, gt=0)
    positive_px: float = Field(default=17.0, gt=0)
    stdev_px: float = Field(default=7.2801, gt=0)
    visibility: bool = False
    weights: Literal["labelled", "visible"] = "labelled"


def map_size(input_wh: tuple[int, int], stride: float) -> tuple[int, int]:
    """Return width and height of the maps, cells.

    Raises
    ------
    ConfigError
        If the input is not a whole number of strides wide and high.
    """
    cells = [n / stride for n in input_wh]
    if any(abs(c - round(c)) > 1e-6 for c in cells):
        raise ConfigError(
            f"target.stride: an input of {input_wh[0]}×{input_wh[1]} is not a whole number of "
            f"cells of {stride:g} px. Use sides that are multiples of {stride:g}."
        )
    return round(cells[0]), round(cells[1])


def reach_px(target: TargetSettings) -> float:
    """Return how far outside the input a keypoint still leaves a mark in it, input px.

    Gaussians (maps and SimCC): 3 sigma; discs: their radius; location refinement: the distance
    of a positive cell; coordinates: without end, since they are learned beyond 0 and 1 too.
    """
    reaches = {
        "gaussian": 3 * target.sigma * target.stride,
        "disc": target.radius * target.stride,
        "simcc": 3 * target.simcc_sigma / target.ratio,
        "locref": target.positive_px,
        "coords": math.inf,
    }
    return reaches[target.kind]


def encode_targets(
    points_px: NDArray[np.float64],
    counts: NDArray[np.bool_],
    visibility: NDArray[np.int8],
    input_wh: tuple[int, int],
    target: TargetSettings,
) -> dict[str, NDArray[np.float32]]:
    """Draw the targets of a sample.

    Parameters
    ----------
    points_px
        Shape ``(K, 2)``, input px; NaN = not labelled.
    counts
        Shape ``(K,)``: which keypoints are drawn.
    visibility
        Shape ``(K,)``: 2 = visible.
    input_wh
        Width and height of the network input, pixels.
    target
        What the network learns.

    Returns
    -------
    dict
        Role → float32. ``heatmap``: (K, h, w); ``x``, ``y``: (K, bins); ``coords``: (K, 2), 0–1;
        ``locref`` and ``locref_weights``: (2 K, h, w), in the order x and y of the first
        keypoint, x and y of the second …; ``visibility``: (K,), 1 = visible.

    Raises
    ------
    ConfigError
        If the input is not a whole number of strides wide and high.
    """
    targets: dict[str, NDArray[np.float32]] = {}
    if target.kind == "simcc":
        targets["x"], targets["y"] = encode_simcc(
            points_px, counts, input_wh, ratio=target.ratio, sigma=target.simcc_sigma
        )
    elif target.kind == "coords":
        targets["coords"] = encode_coords(points_px, counts, input_wh)
    else:
        targets.update(_maps(points_px, counts, input_wh, target))
    if target.visibility:
        targets["visibility"] = (visibility == VISIBLE).astype(np.float32)
    return targets


def _maps(
    points_px: NDArray[np.float64],
    counts: NDArray[np.bool_],
    input_wh: tuple[int, int],
    target: TargetSettings,
) -> dict[str, NDArray[np.float32]]:
    map_wh = map_size(input_wh, target.stride)
    if target.kind == "locref":
        heatmap, offsets, weights = encode_locref(
            points_px,
            counts,
            map_wh,
            input_wh,
            positive_px=target.positive_px,
            stdev_px=target.stdev_px,
        )
        flat = (-1, map_wh[1], map_wh[0])
        return {
            "heatmap": heatmap,
            "locref": offsets.reshape(flat),
            "locref_weights": weights.reshape(flat),
        }
    cells = input_to_grid(points_px, map_wh, input_wh)
    if target.kind == "gaussian":
        return {"heatmap": encode_gaussian(cells, counts, map_wh, target.sigma)}
    return {"heatmap": encode_disc(cells, counts, map_wh, target.radius)}
