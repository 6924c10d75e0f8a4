"""A study: variants of a recipe trained, evaluated and timed alike, and compared."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from gonio.configs import merge
from gonio.errors import ConfigError, GonioError, MissingExtraError, OutputError
from gonio.formats.whole import cannot_write, whole_file
from gonio.report.study_page import write_study_page
from gonio.synthetic.people import LABELS_FILE, people_labels
from gonio.workflows.study_plan import (
    Study,
    Variant,
    datasets_of,
    find_budget,
    load_study,
    variants_of,
)
from gonio.workflows.study_results import StudyTable, gather, run_folder
from gonio.workflows.study_run import Source, StudyRun
from gonio.workflows.study_table import as_csv, as_json, as_page

if TYPE_CHECKING:
    from gonio.training import Recipe
    from gonio.workflows.settings import Progress
    from gonio.workflows.study_plan import BudgetSettings, DatasetSettings

PAGE: Final = "study.html"


@dataclass(frozen=True)
class StudySettings:
    """Settings of ``gonio study``.

    Attributes
    ----------
    budget
        ``smoke``, ``small`` or ``full``.
    out
        Folder of runs; the study's lie in ``<study>/<budget>/<variant>/seed-<n>`` there.
    data, images
        Name of data → file or folder of their labels, and of their images where these do not
        lie beside.
    device
        Where networks are trained and run; latency is always measured on one CPU thread.
    overwrite
        Train anew what is there, instead of keeping what is finished.
    """

    budget: str = "smoke"
    out: Path = Path("runs")
    data: dict[str, Path] = field(default_factory=dict)
    images: dict[str, Path] = field(default_factory=dict)
    device: str = "auto"
    overwrite: bool = False


@dataclass(frozen=True, eq=False)
class StudyOutcome:
    """What a study left.

    Attributes
    ----------
    table
        What was found.
    page
        The HTML page.
    folder
        Of the study with this budget.
    failures
        Variant and seed → what went wrong.
    interrupted
        Whether somebody stopped it; it goes on when it is called again.
    """

    table: StudyTable
    page: Path
    folder: Path
    failures: dict[str, str] = field(default_factory=dict)
    interrupted: bool = False


def study_folder(study: Study, settings: StudySettings) -> Path:
    """Return the folder of a study with a budget."""
    return settings.out / study.name / settings.budget


def run_study(
    study: str | Path,
    settings: StudySettings = StudySettings(),
    *,
    command: str = "",
    progress: Progress | None = None,
) -> StudyOutcome:
    """Train, evaluate and time every variant that is not finished, and report.

    Parameters
    ----------
    study
        A built-in study's name, or a YAML file.
    settings
        Budget, data and folders.
    command
        How it was called, for the runs' records.
    progress
        Called with the stage, the steps done, and their number.

    Returns
    -------
    StudyOutcome
        A variant that fails is among the failures; the others go on.

    Raises
    ------
    ConfigError
        If the study does not fit together, or data that it needs are not given.
    MissingExtraError
        If torch or what goes with it is not installed.
    OutputError
        If a variant is there that was trained otherwise, or something cannot be written.
    """
    plan = load_study(study)
    budget = find_budget(plan, settings.budget)
    variants = variants_of(plan, budget)
    sources = _sources(plan, budget, settings, progress)
    folder = study_folder(plan, settings)
    todo = [(variant, seed) for seed in budget.seeds for variant in variants]
    recipes = {
        (variant.name, seed): _recipe(plan, budget, variant, seed, sources)
        for variant, seed in todo
    }
    failures: dict[str, str] = {}
    interrupted = False
    for number, (variant, seed) in enumerate(todo, 1):
        title = f"{number} of {len(todo)}: {variant.name}, seed {seed}"
        where = run_folder(folder, variant.name, seed)
        shown = budget.samples if seed == budget.seeds[0] else 0
        tests = {t: sources[t] for t in budget.tests if t in sources}
        job = StudyRun(
            recipes[variant.name, seed], where, tests, shown, settings.device, command,
            settings.overwrite,
        )  # fmt: skip
        try:
            if not job.is_done() and not job.do(_named(progress, title)):
                interrupted = True
                break
        except OutputError:
            raise
        except GonioError as error:
            failures[f"{variant.name} (seed {seed})"] = str(error)
    outcome = report_study(study, settings)
    return StudyOutcome(outcome.table, outcome.page, folder, failures, interrupted)


def report_study(
    study: str | Path,
    settings: StudySettings = StudySettings(),
) -> StudyOutcome:
    """Gather what is finished into ``study.html``, ``table.csv`` and ``study.json``.

    Parameters
    ----------
    study
        A built-in study's name, or a YAML file.
    settings
        Budget and folder.

    Returns
    -------
    StudyOutcome
        With a table that is marked as not run where nothing is finished.

    Raises
    ------
    GonioError
        If a result is damaged or a file cannot be written.
    """
    plan = load_study(study)
    budget = find_budget(plan, settings.budget)
    folder = study_folder(plan, settings)
    table = gather(plan, settings.budget, budget, variants_of(plan, budget), folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise cannot_write(folder, error) from error
    for name, text in (
        ("table.csv", as_csv(table)),
        ("study.json", json.dumps(as_json(table), indent=2) + "\n"),
    ):
        with whole_file(folder / name) as part:
            part.write_text(text, encoding="utf-8")
    page = write_study_page(as_page(table, folder), folder / PAGE)
    return StudyOutcome(table, page, folder)


def _sources(
    study: Study, budget: BudgetSettings, settings: StudySettings, progress: Progress | None
) -> dict[str, Source]:
    """Find each of the budget's data: given, drawn, or left out where optional."""
    datasets = datasets_of(study, budget)
    for name in (*settings.data, *settings.images):
        if name not in study.datasets:
            known = ", ".join(study.datasets)
            raise ConfigError(
                f"study '{study.name}': has no data called '{name}' (it has: {known})"
            )
    found, absent = {}, []
    for name, dataset in datasets.items():
        if name in settings.data:
            found[name] = Source(settings.data[name], settings.images.get(name))
        elif dataset.drawn is not None:
            found[name] = Source(_drawn(dataset, settings.out / study.name / "data", progress))
        elif not dataset.optional:
            absent.append(name)
    if absent:
        asked = " ".join(f"--data {name}=PATH" for name in absent)
        raise ConfigError(
            f"study '{study.name}', budget '{settings.budget}': needs labels that are not on this "
            f"machine: {', '.join(absent)}. Name their files: {asked}"
        )
    return found


def _drawn(dataset: DatasetSettings, folder: Path, progress: Progress | None) -> Path:
    drawn = dataset.drawn
    assert drawn is not None  # noqa: S101 - mypy
    path = folder / f"{drawn.skeleton}-{drawn.people}-seed{drawn.seed}"
    people_labels(
        path, people=drawn.people, skeleton=drawn.skeleton, seed=drawn.seed, resume=True,
        progress=progress,
    )  # fmt: skip
    return path / LABELS_FILE


def _recipe(
    study: Study,
    budget: BudgetSettings,
    variant: Variant,
    seed: int,
    sources: dict[str, Source],
) -> Recipe:
    try:
        from gonio.training import load_recipe
    except ModuleNotFoundError as error:
        raise MissingExtraError(str(error.name), "train") from error

    train, validation = sources[budget.train], sources[budget.validation]
    data = {
        "path": str(train.labels),
        "images": _text(train.images),
        "validation": str(validation.labels),
        "validation_images": _text(validation.images),
    }
    keys = merge(variant.keys, {"data": data, "seed": seed})
    try:
        recipe = load_recipe(study.base, keys)
    except ConfigError as error:
        raise ConfigError(f"study '{study.name}', variant '{variant.name}': {error}") from error
    return recipe.model_copy(update={"name": f"{study.name}.{variant.name}"})


def _text(path: Path | None) -> str | None:
    return None if path is None else str(path)


def _named(progress: Progress | None, title: str) -> Progress | None:
    """Put a variant's name before each stage of its work."""
    if progress is None:
        return None

    def report(stage: str, done: int, total: int | None) -> None:
        progress(f"{title}: {stage}", done, total)

    return report
