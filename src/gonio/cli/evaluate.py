"""``gonio evaluate``: a model and labels in; how good it is out."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gonio.cli import console
from gonio.cli.options import UNCHECKED, Device, Json, Quiet

if TYPE_CHECKING:
    from gonio.workflows import ModelEvaluation


def evaluate(
    model: Annotated[
        str,
        typer.Argument(
            metavar="RUN|MODEL", help="A run's folder, a model's file, or its name in the store."
        ),
    ],
    dataset: Annotated[
        Path | None,
        typer.Argument(
            metavar="DATASET",
            help="Labels in any known format; left out: what the run held back of its own.",
            show_default=False,
            **UNCHECKED,
        ),
    ] = None,
    split: Annotated[
        str | None,
        typer.Option("--split", help="Part of the run's own data: test, validation, train or all."),
    ] = None,
    flip_test: Annotated[
        bool, typer.Option("--flip-test", help="Also look at each mirrored image; twice as slow.")
    ] = False,
    norm: Annotated[
        list[str] | None,
        typer.Option(
            "--norm",
            help="What PCK compares with: image, bbox, torso, head; may be repeated.",
            show_default="image",
        ),
    ] = None,
    alpha: Annotated[
        list[float] | None,
        typer.Option(
            "--alpha",
            help="Fraction of the norm; may be repeated.",
            show_default="0.05 of image, 0.2 of bbox and torso, 0.5 of head",
        ),
    ] = None,
    squared: Annotated[
        bool,
        typer.Option("--squared", help="PCK of squared distances, as one public program has it."),
    ] = False,
    bands_px: Annotated[
        tuple[float, float],
        typer.Option("--bands-px", help="Errors below are acceptable; above, completely bad."),
    ] = (10.0, 25.0),
    format: Annotated[  # noqa: A002 (the option's name)
        str | None,
        typer.Option("--from", help="Format of DATASET, where it is not recognized."),
    ] = None,
    images: Annotated[
        Path | None,
        typer.Option("--images", help="Folder of the images, where not beside the labels."),
    ] = None,
    skeleton: Annotated[
        str | None,
        typer.Option("--skeleton", help="What the labels follow, where they do not say."),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            metavar="FOLDER",
            help="Where numbers go.",
            show_default="evaluation in the run's folder, or results/evaluation-MODEL",
            **UNCHECKED,
        ),
    ] = None,
    device: Device = "auto",
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace an earlier evaluation.")
    ] = False,
    quiet: Quiet = False,
    json: Json = False,
) -> None:
    """Measure a model against labels: PCK, AP, errors in pixels and degrees, calibration."""
    from gonio.workflows import EvaluateSettings
    from gonio.workflows import evaluate as run

    settings = EvaluateSettings.from_words(
        norms=norm, alphas=alpha, split=split, flip_test=flip_test, squared=squared,
        limits_px=bands_px, format=format, images=images, skeleton=skeleton, out=out,
        device=device, overwrite=overwrite,
    )  # fmt: skip
    with console.progress_bar(quiet=quiet or json) as report:
        result = run(model, dataset, settings, progress=report)
    if json:
        console.print_json(result.as_json())
        return
    if not quiet:
        _print(result)
    console.print_text(str(result.folder / "metrics.json"))


def _print(result: ModelEvaluation) -> None:
    from gonio.workflows.evaluation_files import angle_rows, keypoint_rows, summary_lines

    console.print_text(result.title())
    console.print_table(*keypoint_rows(result))
    columns, rows = angle_rows(result.table)
    if rows:
        console.print_table(columns, rows, title="Angles of labelled and predicted keypoints")
    for line in summary_lines(result.table):
        console.print_text(line)
    for note in result.table.notes:
        console.print_dim(f"note: {note}")
