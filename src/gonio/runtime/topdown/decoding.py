"""From a pose network's outputs to points in its input, by the kind its card names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from gonio.codec import (
    decode_coords,
    decode_dark,
    decode_disc,
    decode_locref,
    decode_simcc,
    grid_to_input,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from gonio.runtime.cards import Card

    Decoded = tuple[NDArray[np.float64], NDArray[np.float64]]

KINDS = ("heatmap", "simcc", "coords")


def decode_points(outputs: Mapping[str, NDArray[Any]], card: Card) -> Decoded:
    """Read the keypoints of each image of a batch.

    Heatmaps are decoded by DARK, by the discs' middles where they were trained on discs, or by
    the highest cell and its offset where the model refines locations;
    SimCC distributions by the peak of a parabola.

    Parameters
    ----------
    outputs
        Role → array, the batch first: ``heatmap``, with ``locref`` where the card says so;
        ``x`` and ``y``; or ``coords``.
    card
        The model's: kind of output, layout, alignment, width of its Gaussians.

    Returns
    -------
    points : ndarray
        Shape ``(N, K, 2)``, input px; NaN where the model saw nothing.
    scores : ndarray
        Shape ``(N, K)``, 0–1, 0 where the point is NaN; NaN where the model gives no scores.
    """
    if card.output.kind == "heatmap":
        points, scores = _from_heatmaps(outputs, card)
    elif card.output.kind == "simcc":
        points, scores = decode_simcc(
            outputs["x"], outputs["y"], ratio=_ratio(card, outputs), alignment=card.output.alignment
        )
    else:
        points, scores = _from_coords(outputs["coords"], card)
    lost = ~np.isfinite(points).all(axis=-1)
    points[lost] = np.nan
    scores = (scores / card.output.peak).clip(0, 1)
    return points, np.where(lost, 0.0, scores)


def _from_heatmaps(outputs: Mapping[str, NDArray[Any]], card: Card) -> Decoded:
    input_wh = (card.input.width, card.input.height)
    maps = _channels_first(outputs["heatmap"], card)
    if card.output.locref_stdev_px is not None:
        offsets = _channels_first(outputs["locref"], card)
        offsets = offsets.reshape(*maps.shape[:2], 2, *maps.shape[2:])
        return decode_locref(maps, offsets, input_wh, stdev_px=card.output.locref_stdev_px)
    if card.output.radius is not None:
        points, scores = decode_disc(maps, radius=card.output.radius)
    else:
        points, scores = decode_dark(maps, sigma=card.output.sigma)
    grid_wh = (maps.shape[3], maps.shape[2])
    return grid_to_input(points, grid_wh, input_wh, alignment=card.output.alignment), scores


def _channels_first(maps: NDArray[Any], card: Card) -> NDArray[Any]:
    first = maps.transpose(0, 3, 1, 2) if card.input.layout == "nhwc" else maps
    return np.asarray(np.nan_to_num(first))


def _from_coords(values: NDArray[Any], card: Card) -> Decoded:
    if values.ndim == 2:
        values = values.reshape(len(values), -1, 2)
    input_wh = (card.input.width, card.input.height)
    points = decode_coords(values[..., :2], input_wh, alignment=card.output.alignment)
    scores = np.full(values.shape[:2], np.nan)
    return points, values[..., 2].astype(np.float64) if values.shape[-1] > 2 else scores


def _ratio(card: Card, outputs: Mapping[str, NDArray[Any]]) -> float:
    """Bins an input pixel; from the output's size where the card does not say."""
    if card.output.stride is not None:
        return 1 / card.output.stride
    return float(outputs["x"].shape[-1] / card.input.width)
