"""The same people as every variant of a study sees them: prediction, heatmap, loss and PCK."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

import cv2
import numpy as np

from gonio.metrics import pck
from gonio.video import OverlayPerson, draw_overlay, write_image

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from gonio.labels import Labels
    from gonio.skeletons import Skeleton

    Image = NDArray[np.uint8]

FOLDER: Final = "study-samples"
ALPHA: Final = 0.05
_HEIGHT_PX: Final = 288
_HOT: Final = 0.6


def show_samples(run: Path, labels: Labels, count: int) -> list[dict[str, Any]]:
    """Draw some people as a run's network sees them, and say what each costs it.

    Parameters
    ----------
    run
        The run's folder; pictures go into ``study-samples`` there.
    labels
        Whom to show: evenly spread over those a sample can be made of, so that all variants
        show the same.
    count
        How many at most.

    Returns
    -------
    list of dict
        ``name`` of the image, ``person`` in the labels, ``loss``, ``pck`` (0.05 of the input's
        longer side), and the files ``truth``, ``prediction``, ``heatmap`` (None where the
        network gives none), relative to the run's folder.

    Raises
    ------
    GonioError
        If the run or an image cannot be read, or a picture cannot be written.
    """
    from gonio.errors import InputError
    from gonio.runtime.topdown.decoding import decode_points
    from gonio.training.data import Key, PoseDataset, collate
    from gonio.training.models import load_run
    from gonio.training.showing import look_at

    model = load_run(run)
    dataset = PoseDataset(labels, model.recipe, augment=False)
    shown = np.unique(np.linspace(0, len(dataset) - 1, min(count, len(dataset))).round())
    samples = []
    for number, index in enumerate(shown):
        batch = collate([dataset[Key(0, int(index))]])
        if "error" in batch:
            raise InputError(batch["error"])
        found, loss = look_at(model, batch)
        points, scores = decode_points(found, model.card)
        person = int(batch["person"][0])
        samples.append(
            {
                "name": labels.images[labels.image_index[person]].path.name,
                "person": person,
                "loss": loss,
                **_score(points[0], batch["points_px"][0].numpy(), max(model.recipe.input.wh)),
                **_draw(
                    run,
                    number,
                    batch["image"][0].numpy(),
                    (batch["points_px"][0].numpy(), batch["visibility"][0].numpy() / 2),
                    (points[0], np.nan_to_num(scores[0], nan=1.0)),
                    found.get("heatmap"),
                    labels.skeleton,
                ),
            }
        )
    return samples


def _score(predicted: NDArray[Any], truth: NDArray[Any], longer_px: int) -> dict[str, float | None]:
    labelled = np.isfinite(truth).all(axis=1)
    score = pck(predicted[None], truth[None], labelled[None], float(longer_px), ALPHA).mean
    return {"pck": score if math.isfinite(score) else None}


def _draw(
    run: Path,
    number: int,
    image: Image,
    truth: tuple[NDArray[Any], NDArray[Any]],
    predicted: tuple[NDArray[Any], NDArray[Any]],
    heatmaps: NDArray[Any] | None,
    skeleton: Skeleton,
) -> dict[str, str | None]:
    """Write the pictures of one sample; return their names."""
    scale = _HEIGHT_PX / image.shape[0]
    large = _enlarged(image, scale)
    pictures = {
        "truth": _with_points(large, *truth, scale, skeleton),
        "prediction": _with_points(large, *predicted, scale, skeleton),
    }
    if heatmaps is not None:
        pictures["heatmap"] = _with_heat(large, heatmaps[0])
    folder = run / FOLDER
    folder.mkdir(exist_ok=True)
    names: dict[str, str | None] = dict.fromkeys(("truth", "prediction", "heatmap"))
    for kind, picture in pictures.items():
        name = f"{FOLDER}/{number:02d}-{kind}.jpg"
        write_image(run / name, picture)
        names[kind] = name
    return names


def _enlarged(image: Image, scale: float) -> Image:
    color = image if image.shape[2] == 3 else np.repeat(image, 3, axis=2)
    size = (round(image.shape[1] * scale), round(image.shape[0] * scale))
    return np.asarray(cv2.resize(color, size, interpolation=cv2.INTER_CUBIC), np.uint8)


def _with_points(
    image: Image,
    points: NDArray[Any],
    confidence: NDArray[Any],
    scale: float,
    skeleton: Skeleton,
) -> Image:
    moved = (np.asarray(points, np.float64) + 0.5) * scale - 0.5
    person = OverlayPerson(moved, np.asarray(confidence, np.float64))
    return draw_overlay(image, [person], skeleton=skeleton)


def _with_heat(image: Image, heatmaps: NDArray[Any]) -> Image:
    """Lay the highest value of all keypoints over the darkened picture."""
    best = np.asarray(heatmaps.max(axis=0), np.float32)
    low, high = float(best.min()), float(best.max())
    level = np.clip((best - low) / max(high - low, 1e-9), 0, 1)
    size = (image.shape[1], image.shape[0])
    level = np.asarray(cv2.resize(level, size, interpolation=cv2.INTER_LINEAR))[..., None]
    colors = cv2.applyColorMap((level * 255).astype(np.uint8), cv2.COLORMAP_INFERNO)
    heat = np.asarray(colors, np.float32)[..., ::-1]
    return np.clip((1 - _HOT) * image + _HOT * heat, 0, 255).astype(np.uint8)
