"""Predictions of a validation, decoded as the runtime decodes them, and what they are worth."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import torch

from gonio.codec import invert, transform
from gonio.labels import Predictions
from gonio.metrics import QUICK, evaluate_predictions
from gonio.runtime.topdown.decoding import decode_points

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray
    from torch import Tensor

    from gonio.labels import Labels
    from gonio.runtime.cards import Card
    from gonio.training.data import Batch

_KEPT: Final = ("pck@", "pckh@", "oks_ap", "mse_px2", "rmse_px", "mean_px", "median_px")


class Judge:
    """Gathers what a network finds on labelled people, and measures it.

    Parameters
    ----------
    labels
        The truth.
    card
        How its outputs are decoded.
    """

    def __init__(self, labels: Labels, card: Card) -> None:
        self._labels, self._card = labels, card
        self._found: dict[int, tuple[NDArray[Any], NDArray[Any], float]] = {}

    def columns(self) -> set[str]:
        """Return the names of what is measured, by measuring the truth itself."""
        labels = self._labels
        people = np.arange(len(labels))
        perfect = Predictions(
            image_index=labels.image_index,
            keypoints_px=labels.keypoints_px,
            confidence=np.ones(labels.visibility.shape),
            scores=np.ones(len(labels)),
            person_index=people,
            boxes_px=np.full((len(labels), 4), np.nan),
        )
        return set(self._values(labels, perfect, np.ones(len(labels))))

    def see(self, batch: Batch, activated: Mapping[str, Tensor]) -> None:
        """Decode a batch's outputs, activations applied."""
        outputs = {role: value.detach().float().cpu().numpy() for role, value in activated.items()}
        points, scores = decode_points(outputs, self._card)
        matrices = batch["matrix"].cpu().numpy()
        for person, at, sure, matrix in zip(
            batch["person"].tolist(), points, scores, matrices, strict=True
        ):
            scale = float(np.sqrt(abs(np.linalg.det(matrix[:2, :2]))))
            self._found[person] = (transform(at, invert(matrix)), np.nan_to_num(sure), scale)

    def measure(self) -> dict[str, float]:
        """Return the metrics of what was seen since the last time, and forget it.

        Several processes share what they saw; each returns the same numbers.
        """
        found, self._found = _of_all_processes(self._found), {}
        people = np.array(sorted(found), dtype=np.intp)
        labels = self._labels.take(people, keep_images=True)
        if not labels.labelled.any():
            return {}
        predictions = self._predictions(found, people)
        predictions = replace(predictions, person_index=np.arange(len(people)))
        scales = np.array([found[int(p)][2] for p in people])
        return self._values(labels, predictions, scales)

    def _values(
        self, labels: Labels, predictions: Predictions, scales: NDArray[np.float64]
    ) -> dict[str, float]:
        table = evaluate_predictions(
            labels,
            predictions,
            QUICK,
            input_wh=(self._card.input.width, self._card.input.height),
            input_scale=scales,
        )
        return {k: v for k, v in table.values.items() if k.startswith(_KEPT)}

    def _predictions(
        self, found: Mapping[int, tuple[NDArray[Any], NDArray[Any], float]], people: NDArray[Any]
    ) -> Predictions:
        points = np.stack([found[int(p)][0] for p in people])
        sure = np.stack([found[int(p)][1] for p in people])
        return Predictions(
            image_index=self._labels.image_index[people],
            keypoints_px=points.astype(np.float64),
            confidence=sure.astype(np.float64),
            scores=sure.mean(axis=1).astype(np.float64),
            person_index=people,
            boxes_px=np.full((len(people), 4), np.nan),
        )


def _of_all_processes(found: dict[int, Any]) -> dict[int, Any]:
    distributed = torch.distributed
    if not (distributed.is_available() and distributed.is_initialized()):
        return found
    gathered: list[dict[int, Any]] = [{} for _ in range(distributed.get_world_size())]
    distributed.all_gather_object(gathered, found)
    return {person: value for part in gathered for person, value in part.items()}
