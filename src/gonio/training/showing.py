"""A few people as the trained network sees them, beside what is true."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from gonio.runtime.topdown.decoding import decode_points
from gonio.training.data import Key, PoseDataset, collate
from gonio.training.losses import build_losses
from gonio.training.module import Normalize
from gonio.training.pictures import draw_samples

if TYPE_CHECKING:
    from pathlib import Path

    from gonio.labels import Labels
    from gonio.training.models import TrainedModel


def draw_predictions(model: TrainedModel, labels: Labels, path: Path, count: int) -> None:
    """Draw truth, prediction and heatmaps of some people, evenly spread over the labels.

    Parameters
    ----------
    model
        Who predicts.
    labels
        Whom it is shown.
    path
        The ``.png`` file; replaced if it exists.
    count
        How many people at most; none: nothing is drawn.

    Raises
    ------
    InputError
        If an image cannot be read.
    OutputError
        If the file cannot be written.
    """
    dataset = PoseDataset(labels, model.recipe, augment=False)
    shown = np.unique(np.linspace(0, len(dataset) - 1, min(count, len(dataset))).round())
    if not len(shown):
        return
    batch = collate([dataset[Key(0, int(i))] for i in shown])
    if "error" in batch:
        return
    found, _ = look_at(model, batch)
    points, scores = decode_points(found, model.card)
    true, predicted = (_maps(values) for values in (batch["targets"], found))
    draw_samples(
        batch["image"].numpy(),
        batch["points_px"].numpy(),
        batch["visibility"].numpy(),
        points,
        np.nan_to_num(scores, nan=1.0),
        true,
        predicted,
        labels.skeleton,
        path,
        [labels.images[labels.image_index[p]].path.name for p in batch["person"].tolist()],
    )


def look_at(model: TrainedModel, batch: dict[str, Any]) -> tuple[dict[str, Any], float]:
    """Show a trained network a batch of samples.

    Parameters
    ----------
    model
        Who looks.
    batch
        From :func:`gonio.training.data.collate`.

    Returns
    -------
    outputs : dict
        Role → array, float32, the batch first, activations applied.
    loss : float
        Of the batch, by the recipe's losses.
    """
    spec = model.recipe.input
    normalize = Normalize(spec.mean, spec.std, spec.scale, channels_last=False)
    losses = build_losses(model.recipe.losses, model.network.roles)
    with torch.no_grad():
        raw = model.network(normalize(batch["image"]))
        loss, _ = losses(raw, batch["targets"], batch["weights"])
        outputs = model.network.activate(raw)
    return {role: value.float().numpy() for role, value in outputs.items()}, float(loss)


def _maps(values: Any) -> Any:
    maps = values.get("heatmap")
    return None if maps is None else np.asarray(maps)
