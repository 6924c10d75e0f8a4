"""One training of a study: trained or gone on with, evaluated, timed, drawn, written down."""

from __future__ import annotations

import json
import shutil
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from gonio.datasets import boxes_from_keypoints
from gonio.errors import OutputError
from gonio.formats.labels import read_labels, with_sizes
from gonio.formats.whole import cannot_write, whole_file
from gonio.workflows.study_results import RESULT_FILE, RESULT_SCHEMA, read_result

if TYPE_CHECKING:
    from pathlib import Path

    from gonio.training import Recipe
    from gonio.training.watching import Watch
    from gonio.workflows.settings import Progress

_LATENCY_RUNS: Final = 30
_LATENCY_LEAST_S: Final = 1.0
_WARM_UP: Final = 3
_TRAINED: Final = ("done", "stopped")


@dataclass(frozen=True)
class Source:
    """Where labels lie, and their images where these do not lie beside."""

    labels: Path
    images: Path | None = None


@dataclass(frozen=True)
class StudyRun:
    """One training of a study, and what is measured of it.

    Attributes
    ----------
    recipe
        What is trained.
    folder
        The run's.
    tests
        What it is measured on.
    samples
        How many people are drawn for the page.
    device
        Where it is trained and evaluated.
    command
        How the study was called.
    overwrite
        Train anew what is there.
    """

    recipe: Recipe
    folder: Path
    tests: dict[str, Source]
    samples: int
    device: str
    command: str
    overwrite: bool = False

    def is_done(self) -> bool:
        """Say whether it is finished, with these settings and on these data.

        Raises
        ------
        OutputError
            If it was trained otherwise.
        """
        result = None if self.overwrite else read_result(self.folder)
        if result is None:
            return False
        if result["recipe"] != self._plain_recipe():
            raise OutputError(
                f"'{self.folder}': was trained by another recipe. Train it anew with --overwrite, "
                "or choose another folder with --out."
            )
        return set(self.tests) <= set(result["metrics"])

    def do(self, progress: Progress | None) -> bool:
        """Train, evaluate and time it; return False where somebody stopped it."""
        trained_s = self._train(progress)
        if trained_s is None:
            return False
        measured = self._network()
        result = {
            "schema": RESULT_SCHEMA,
            "recipe": self._plain_recipe(),
            "metrics": {name: self._evaluate(name, progress) for name in self.tests},
            "latency_ms": self._latency_ms(),
            **measured,
            "train_s": trained_s,
            "samples": self._show(),
        }
        with whole_file(self.folder / RESULT_FILE) as part:
            part.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
        return True

    def _plain_recipe(self) -> dict[str, Any]:
        plain = self.recipe.model_dump(mode="json", by_alias=True)
        return dict(json.loads(json.dumps(plain)))

    def _train(self, progress: Progress | None) -> float | None:
        """Train, or go on where it was; return how long it took, None where it was stopped."""
        from gonio.training import is_run, read_run, train
        from gonio.workflows.model_files import export

        if self.overwrite or not (self.folder / "checkpoints" / "last.ckpt").is_file():
            _remove(self.folder)
        resume = self.folder if is_run(self.folder) else None
        if resume is None or read_run(resume)["status"] not in _TRAINED:
            run = train(
                self.recipe,
                folder=self.folder,
                resume=resume,
                device=self.device,
                command=self.command,
                watch=_watch(progress),
            )
            if run.status == "interrupted":
                return None
        if not (self.folder / "model.onnx").is_file():
            export(self.folder)
        return float(read_run(self.folder)["timings"]["last_call_s"])

    def _network(self) -> dict[str, Any]:
        """Return how large the network is, and how much it computes for one person."""
        from gonio.networks import complexity
        from gonio.training.models import load_run

        spec = self.recipe.input
        found = complexity(load_run(self.folder).network, (spec.channel_count, *spec.wh[::-1]))
        return {"parameters": found.parameters, "flops": found.flops}

    def _evaluate(self, name: str, progress: Progress | None) -> dict[str, float]:
        """Return the numbers on one set of labels."""
        from gonio.workflows.evaluation import EvaluateSettings, evaluate

        source = self.tests[name]
        settings = EvaluateSettings(
            images=source.images,
            boxes=self.recipe.data.boxes,  # as in training, where its boxes are made so
            out=self.folder / f"evaluation-{name}",
            device=self.device,
            overwrite=True,
        )
        values = evaluate(self.folder, source.labels, settings, progress=progress).table.values
        return {key: float(value) for key, value in values.items() if np.isfinite(value)}

    def _latency_ms(self) -> float:
        """Return the median time of one person on one thread of the CPU."""
        from gonio.runtime import load_card, open_session
        from gonio.runtime.cards import card_path

        file = self.folder / "model.onnx"
        session = open_session(file, device="cpu", threads=1)
        card = load_card(card_path(file))
        spec = self.recipe.input
        shape = (spec.height, spec.width, spec.channel_count)
        image = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
        tensor = card.input.to_tensor(image)
        name = session.input_names[0]
        taken: list[float] = []
        while len(taken) < _LATENCY_RUNS + _WARM_UP or sum(taken) < _LATENCY_LEAST_S:
            began = time.perf_counter()
            session.run({name: tensor})
            taken.append(time.perf_counter() - began)
        return float(np.median(taken[_WARM_UP:])) * 1e3

    def _show(self) -> list[dict[str, Any]]:
        """Draw the people whom the page shows across all variants."""
        if not self.samples:
            return []
        from gonio.workflows.study_samples import show_samples

        source = next(iter(self.tests.values()))
        labels = with_sizes(read_labels(source.labels, images=source.images))
        if self.recipe.data.boxes is not None:
            labels = boxes_from_keypoints(labels, **self.recipe.data.boxes.model_dump())
        return show_samples(self.folder, labels, self.samples)


def _remove(folder: Path) -> None:
    """Remove a run that is to be trained anew."""
    try:
        if folder.exists():
            shutil.rmtree(folder)
    except OSError as error:
        raise cannot_write(folder, error) from error


def _watch(progress: Progress | None) -> Watch | None:
    if progress is None:
        return None
    return lambda moment: progress(moment.stage, moment.done, moment.total)
