"""From a model and labelled images to numbers that say how good it is."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self

import numpy as np

from gonio.codec import crop_matrix
from gonio.datasets import boxes_from_keypoints, data_sha256, person_region
from gonio.errors import InputError, ModelError, UnknownNameError
from gonio.formats.labels import read_labels, with_sizes
from gonio.labels import UNLABELLED, Predictions
from gonio.metrics import NORMS, EvaluationSettings, evaluate_predictions
from gonio.runtime import ModelStore, predict
from gonio.workflows.held_out import read_run_data
from gonio.workflows.model_files import find_model

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from gonio.datasets.parts import BoxSettings
    from gonio.labels import Labels
    from gonio.metrics import MetricTable
    from gonio.metrics.pck import Norm
    from gonio.runtime import Card, Model
    from gonio.skeletons import Skeleton
    from gonio.workflows.settings import Progress

SPLITS: Final = ("test", "validation", "train", "all")


@dataclass(frozen=True)
class EvaluateSettings:
    """Settings of ``gonio evaluate``.

    Attributes
    ----------
    split
        Part of a run's own data: ``test``, ``validation``, ``train`` or ``all``; None: what the
        run held back (``test``, else ``validation``). Other data are evaluated whole.
    flip_test
        Also look at each mirrored image, and decode the mean.
    norms, alphas, squared
        What PCK compares distances with; see :class:`gonio.metrics.EvaluationSettings`.
    limits_px
        Error bands: acceptable below the first, completely bad above the second.
    sigmas
        OKS sigmas; None: the skeleton's.
    format, images
        Format of the labels, and folder of their images, where they are not found out.
    skeleton
        What the labels follow, where they do not say.
    boxes
        Make boxes anew from the keypoints, as a recipe's ``data.boxes`` does; None: the labels'.
    out
        Folder of the result; None: ``evaluation`` in the run's folder, or
        ``results/evaluation-<model>``.
    device
        Where the model runs.
    overwrite
        Replace an earlier result.
    """

    split: str | None = None
    flip_test: bool = False
    norms: tuple[Norm, ...] = ("image",)
    alphas: tuple[float, ...] | None = None
    squared: bool = False
    limits_px: tuple[float, float] = (10.0, 25.0)
    sigmas: tuple[float, ...] | None = None
    format: str | None = None
    images: Path | None = None
    skeleton: str | None = None
    boxes: BoxSettings | None = None
    out: Path | None = None
    device: str = "auto"
    overwrite: bool = False

    @classmethod
    def from_words(
        cls, *, norms: Sequence[str] | None, alphas: Sequence[float] | None, **more: Any
    ) -> Self:
        """Build settings from what a command line gives.

        Raises
        ------
        UnknownNameError
            If there is no such norm.
        InputError
            If an alpha or a band is not positive, or the bands are not in order.
        """
        for norm in norms or ():
            if norm not in NORMS:
                raise UnknownNameError("norm", norm, NORMS, where="--norm")
        if wrong := [a for a in alphas or () if not a > 0]:
            raise InputError(f"--alpha {wrong[0]:g}: must be above 0")
        low, high = more["limits_px"]
        if not 0 < low <= high:
            raise InputError(f"--bands-px {low:g} {high:g}: must be above 0, the smaller first")
        chosen: Any = tuple(dict.fromkeys(norms)) if norms else ("image",)
        return cls(norms=chosen, alphas=tuple(alphas) if alphas else None, **more)

    def metrics(self) -> EvaluationSettings:
        """Return what is measured."""
        return EvaluationSettings(
            norms=self.norms,
            alphas=self.alphas,
            squared=self.squared,
            limits_px=self.limits_px,
            sigmas=self.sigmas,
        )


@dataclass(frozen=True, eq=False)
class ModelEvaluation:
    """A model's numbers, and what they were measured on.

    Attributes
    ----------
    model, dataset, split
        What was measured, on what, and on which part of it.
    labels, predictions
        The truth, mapped to the model's keypoints, and what the model found.
    table
        The numbers.
    folder
        Where they were written.
    wall_s
        Time the predictions took, reading images included, seconds.
    """

    model: Model
    dataset: str
    split: str
    settings: EvaluateSettings
    labels: Labels
    predictions: Predictions
    table: MetricTable
    folder: Path
    wall_s: float

    def title(self) -> str:
        """Return one line about what was measured on what."""
        people, images = self.table.people, self.table.images
        part = "" if self.split == "all" else f", its {self.split} part"
        flip = ", with the flip test" if self.settings.flip_test else ""
        return (
            f"{self.model.card.name} on {self.dataset}{part}: {people} "
            f"{'person' if people == 1 else 'people'} in {images} "
            f"image{'' if images == 1 else 's'}{flip}; "
            f"{len(self.predictions) / max(self.wall_s, 1e-9):.1f} a second"
        )

    def as_json(self) -> dict[str, Any]:
        """Return everything but the predictions as plain values."""
        card = self.model.card
        plain = {k: str(v) if isinstance(v, Path) else v for k, v in asdict(self.settings).items()}
        plain["boxes"] = self.settings.boxes.model_dump() if self.settings.boxes else None
        people = len(self.predictions)
        return {
            "schema": "gonio.metrics/1",
            "model": {"name": card.name, "sha256": self.model.sha256},
            "skeleton": self.labels.skeleton.name,
            "dataset": self.dataset,
            "split": self.split,
            "data_sha256": data_sha256(self.labels),
            "input": {"width": card.input.width, "height": card.input.height},
            "timing": {
                "wall_s": round(self.wall_s, 3),
                "people_per_s": round(people / self.wall_s, 2) if self.wall_s > 0 else None,
            },
            **self.table.as_json(),
            "settings": plain,
            "folder": str(self.folder),
        }


def evaluate(
    model: str | Path,
    dataset: str | Path | None = None,
    settings: EvaluateSettings = EvaluateSettings(),
    *,
    progress: Progress | None = None,
) -> ModelEvaluation:
    """Measure a model against labels, and write the numbers.

    Written are ``metrics.json``, ``keypoints.csv``, ``angles.csv`` where the skeleton gives
    angles, ``predictions.json`` (COCO's format of results), and ``calibration.png`` where the
    model gives confidences.

    Parameters
    ----------
    model
        A run's folder, a model's file, or a name in the store.
    dataset
        Labels in any known format; None: the run's own.
    settings
        What to measure, and where to write.
    progress
        Called with how many people are done.

    Returns
    -------
    ModelEvaluation

    Raises
    ------
    InputError
        If the labels have none of the model's keypoints or nobody with a labelled one, an image
        is missing, or a part is asked for of data that were not split.
    OutputError
        If the result exists already and is not to be replaced, or cannot be written.
    ModelError, ConfigError, FormatError, UnknownNameError
        If the model or the labels cannot be read.
    """
    from gonio.workflows.evaluation_files import check_folder, write_evaluation_of_model

    if settings.split is not None and settings.split not in SPLITS:
        raise UnknownNameError("split", settings.split, SPLITS)
    measured = settings.metrics()
    found = find_model(model, store=ModelStore())
    if found.card.output.kind == "blazepose":
        raise ModelError(
            f"model '{found.card.name}': finds people its own way, from frame to frame; only "
            "models of heatmaps, SimCC or coordinates can be asked about labelled people"
        )
    folder = settings.out or _folder(Path(model), found)
    check_folder(folder, overwrite=settings.overwrite)
    labels, split, name, notes = _labels(model, dataset, settings)
    labels = map_keypoints(labels, found.card.load_skeleton(), where=name)
    labels = with_sizes(labels)
    if settings.boxes is not None:
        labels = boxes_from_keypoints(labels, **settings.boxes.model_dump())
    size = (found.card.input.width, found.card.input.height)
    scales = input_scales(labels, found.card)
    _check_measurable(labels, measured, size, scales)
    begin = time.perf_counter()
    predictions = predict(
        found, labels, flip_test=settings.flip_test, device=settings.device, progress=progress
    )
    wall_s = time.perf_counter() - begin
    table = evaluate_predictions(labels, predictions, measured, input_wh=size, input_scale=scales)
    table = replace(table, notes=(*notes, *table.notes))
    result = ModelEvaluation(
        found, name, split, settings, labels, predictions, table, folder, wall_s
    )
    write_evaluation_of_model(result)
    return result


def map_keypoints(labels: Labels, skeleton: Skeleton, *, where: str) -> Labels:
    """Return labels in the order of a model's keypoints; what they lack is not labelled.

    Parameters
    ----------
    labels
        Of any skeleton.
    skeleton
        The model's.
    where
        What the labels are called in the message.

    Raises
    ------
    InputError
        If the two share no keypoint.
    """
    theirs = labels.skeleton.keypoints
    if theirs == skeleton.keypoints:
        return replace(labels, skeleton=skeleton)
    place = np.array([theirs.index(n) if n in theirs else -1 for n in skeleton.keypoints])
    if (place < 0).all():
        raise InputError(
            f"'{where}': the labels' keypoints ({', '.join(theirs)}) are none of the model's "
            f"({', '.join(skeleton.keypoints)})"
        )
    points, seen = labels.keypoints_px[:, place], labels.visibility[:, place]
    points[:, place < 0], seen[:, place < 0] = np.nan, UNLABELLED
    return replace(labels, skeleton=skeleton, keypoints_px=points, visibility=seen)


def input_scales(labels: Labels, card: Card) -> NDArray[np.float64]:
    """Return how many pixels of the network's input an image pixel becomes, person by person.

    Parameters
    ----------
    labels
        People; images of known size where the model looks at whole images.
    card
        The model's.

    Returns
    -------
    ndarray
        Shape ``(P,)``; NaN for a person that cannot be cut out, or of an image of unknown size.
    """
    spec = card.input
    scales = np.full(len(labels), np.nan)
    for person, image in enumerate(labels.image_index):
        if spec.crop.source == "image":
            width, height = labels.images[image].width, labels.images[image].height
            if width and height:
                scales[person] = min(spec.width / width, spec.height / height)
            continue
        aspect = spec.crop.aspect or spec.width / spec.height
        region = person_region(labels, person, padding=spec.crop.padding, aspect=aspect)
        if region is not None:
            across, down = np.diag(crop_matrix(region, (spec.width, spec.height))[:2, :2])
            scales[person] = np.sqrt(across * down)
    return scales


def _check_measurable(
    labels: Labels,
    measured: EvaluationSettings,
    input_wh: tuple[int, int],
    scales: NDArray[np.float64],
) -> None:
    """Refuse what cannot be measured before minutes are spent on predictions."""
    points = len(labels.skeleton.keypoints)
    nobody = np.zeros(0, dtype=np.intp)
    nothing = Predictions(
        nobody, np.zeros((0, points, 2)), np.zeros((0, points)), np.zeros(0), nobody,
        np.zeros((0, 4)),
    )  # fmt: skip
    quick = measured.model_copy(update={"ap": False, "angles": False, "bins": 0})
    evaluate_predictions(labels, nothing, quick, input_wh=input_wh, input_scale=scales)


def _folder(path: Path, model: Model) -> Path:
    if path.is_dir():
        return path / "evaluation"
    return Path("results") / f"evaluation-{model.card.name}"


def _labels(
    model: str | Path, dataset: str | Path | None, settings: EvaluateSettings
) -> tuple[Labels, str, str, list[str]]:
    """Return the labels, which part of them it is, what they are called, and notes."""
    run = Path(model) if Path(model).is_dir() else None
    data = None if run is None else read_run_data(run)
    path = None if dataset is None else Path(dataset)
    if data is not None and (
        path is None or settings.split is not None or path.resolve() == data.path.resolve()
    ):
        labels, split = data.part(settings.split, path=path, images=settings.images)
        seen = split in {"train", "all"}
        notes = ["the model was trained on (some of) these people: no measure of new ones"]
        return labels, split, str(path or data.path), notes if seen else []
    if path is None:
        raise InputError(
            f"'{model}': does not say what it was trained on. Name labels after the model."
        )
    if settings.split not in {None, "all"}:
        raise InputError(
            f"--split {settings.split}: '{model}' is no run that says how its data were split. "
            "Leave --split out to evaluate all of them."
        )
    labels = read_labels(
        path, format=settings.format, skeleton=settings.skeleton, images=settings.images
    )
    return labels, "all", str(path), []
