"""A whole training: data → network → epochs → a run's folder."""

from __future__ import annotations

import platform
import time
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import lightning.pytorch as pl

import gonio
from gonio.runtime import cpu_count
from gonio.runtime.cards import Training
from gonio.runtime.trained import card_for_network
from gonio.training.checkpoints import (
    WholeCheckpoints,
    check_checkpoint,
    copy_checkpoint,
    load_checkpoint,
    network_weights,
)
from gonio.training.data import PoseDataset, training_loader, validation_loader
from gonio.training.devices import strategy, trainer_devices
from gonio.training.failures import explained
from gonio.training.keeping import Keeper
from gonio.training.losses import build_losses
from gonio.training.models import load_run, make_network, write_model
from gonio.training.module import PoseModule
from gonio.training.monitor import check_monitor
from gonio.training.pictures import draw_curves
from gonio.training.prepare import prepare_data
from gonio.training.quiet import quiet_lightning, torch_as_it_was
from gonio.training.recipe import dump_recipe
from gonio.training.run_folder import (
    METRICS_CSV,
    RunFolder,
    check_resumable,
    check_same_data,
    run_path,
)
from gonio.training.showing import draw_predictions
from gonio.training.validation import Judge
from gonio.training.watching import Moment, StopRequest, Watcher

if TYPE_CHECKING:
    from gonio.networks import PoseNetwork
    from gonio.runtime.cards import Card
    from gonio.training.prepare import TrainingData
    from gonio.training.recipe import Recipe
    from gonio.training.watching import Watch

_LIBRARIES: Final = ("torch", "torchvision", "timm", "lightning", "numpy", "opencv-python-headless")
_MOST_WORKERS: Final = 8


@dataclass(frozen=True)
class TrainingRun:
    """What a training left.

    Attributes
    ----------
    folder
        Where it is.
    recipe
        What was trained.
    status
        ``done``; ``stopped`` early for lack of improvement; ``interrupted`` by a person.
    metrics
        The best epoch's row of ``metrics.csv``.
    is_first
        Whether this is the first of the processes that trained.
    """

    folder: Path
    recipe: Recipe
    status: str
    metrics: dict[str, Any]
    is_first: bool = True


def train(
    recipe: Recipe,
    *,
    out: Path = Path("runs"),
    folder: Path | None = None,
    resume: Path | None = None,
    device: str = "auto",
    command: str = "",
    watch: Watch | None = None,
) -> TrainingRun:
    """Train a network.

    Parameters
    ----------
    recipe
        What to train.
    out
        Folder of runs; this one is named after the recipe and the time.
    folder
        Folder of this run instead; must not exist.
    resume
        Folder of a run to go on with, after its last whole epoch, whose numbers are those of
        a training that was never interrupted.
    device
        ``auto``, ``cpu``, ``cuda``, ``coreml`` (Apple's GPU).
    command
        How it was called, for ``run.json`` and the card.
    watch
        Called as the work goes on.

    Returns
    -------
    TrainingRun

    Raises
    ------
    ConfigError
        If the recipe does not fit together or fit the data.
    InputError
        If labels or images are missing or broken.
    ModelError
        If the checkpoint to go on from is damaged, or of other keypoints.
    OutputError
        If something cannot be written; the last whole epoch is kept.
    NonFiniteError
        If the loss or a gradient became NaN or infinite.
    """
    devices = trainer_devices(recipe, device)
    if watch is not None:
        watch(Moment("Reading labels"))
    data = prepare_data(recipe)
    with quiet_lightning(), torch_as_it_was():
        job = _Job(recipe, data, devices, command, resume)
        return job.run(out, folder, watch)


class _Job:
    """One training from its parts to its end."""

    def __init__(
        self,
        recipe: Recipe,
        data: TrainingData,
        devices: dict[str, Any],
        command: str,
        resume: Path | None,
    ) -> None:
        self.recipe, self.data, self.devices, self.command = recipe, data, devices, command
        self.network = make_network(recipe, len(data.skeleton.keypoints))
        self.card = card_of(recipe, data, self.network, command)
        self.checkpoint: dict[str, Any] | None = None
        self.resumed = RunFolder.open(resume) if resume is not None else None
        if self.resumed is not None:
            check_resumable(self.resumed)
            self.checkpoint = load_checkpoint(self.resumed.last)
            check_checkpoint(
                self.checkpoint,
                self.resumed.last,
                keypoints=data.skeleton.keypoints,
                skeleton=data.skeleton.name,
                network=self.network,
            )
            check_same_data(self.resumed, data.sha256)

    def run(self, out: Path, folder: Path | None, watch: Watch | None) -> TrainingRun:
        recipe, trainer_of = self.recipe, self.recipe.trainer
        monitor = self._monitor()
        judge = Judge(self.data.validation, self.card) if self.data.validation is not None else None
        self._check_columns(judge, monitor)
        module = PoseModule(
            self.network,
            build_losses(recipe.losses, self.network.roles),
            recipe,
            self.data.train,
            judge,
            monitor="val_loss" if self.data.validation is not None else "loss",
        )
        keeper = Keeper(
            lambda trainer: self._folder(trainer, out, folder), recipe, self.data.skeleton, monitor
        )
        watcher = Watcher(keeper.best, watch)
        trainer = pl.Trainer(
            **self.devices,
            strategy=strategy(
                recipe, module.stages, list(self.network.roles), self.devices["devices"]
            ),
            max_epochs=recipe.epochs,
            gradient_clip_val=trainer_of.clip,
            accumulate_grad_batches=trainer_of.accumulate,
            check_val_every_n_epoch=trainer_of.validate_every,
            deterministic=trainer_of.deterministic,
            limit_val_batches=1.0 if self.data.validation is not None else 0,
            callbacks=[watcher, keeper],
            plugins=[WholeCheckpoints()],
            logger=False,
            enable_progress_bar=False,
            enable_model_summary=False,
            num_sanity_val_steps=0,
            use_distributed_sampler=False,
            default_root_dir=str(out),
        )
        return self._fit(trainer, module, keeper, watcher, watch)

    def _fit(
        self,
        trainer: pl.Trainer,
        module: PoseModule,
        keeper: Keeper,
        watcher: Watcher,
        watch: Watch | None,
    ) -> TrainingRun:
        began, status = time.perf_counter(), "done"
        try:
            with watcher.listening():
                trainer.fit(
                    module,
                    datamodule=_Loaders(self.recipe, self.data, self._first_epoch),
                    ckpt_path=self.resumed.last if self.resumed is not None else None,
                    weights_only=True,
                )
            if trainer.current_epoch < self.recipe.epochs:
                status = "stopped"
        except StopRequest:
            status = "interrupted"
        except BaseException as error:
            # Whoever stops all processes of a service stops the workers too.
            if watcher.asked and "DataLoader worker" in str(error):
                status = "interrupted"
            else:
                told = explained(error)
                keeper.tell_failure(told)
                if told is error:
                    raise
                raise told from error
        run = keeper.run
        if trainer.is_global_zero:
            timings = {**run.facts.get("timings", {}), "last_call_s": time.perf_counter() - began}
            run.tell(status=status, message=None, timings=timings)
            self._finish(run, watch, draw=status != "interrupted")
        return TrainingRun(
            run.path, self.recipe, status, best_row(run), is_first=trainer.is_global_zero
        )

    @property
    def _first_epoch(self) -> int:
        """Number of the first epoch of this call, from 0."""
        return 0 if self.checkpoint is None else int(self.checkpoint["gonio"]["epoch"]) + 1

    def _folder(self, trainer: pl.Trainer, out: Path, folder: Path | None) -> RunFolder:
        """Return the run's folder; the first process makes it and tells the others."""
        if self.resumed is not None:
            assert self.checkpoint is not None
            if trainer.is_global_zero:
                self.resumed.forget_from(self._first_epoch)
                best = self.checkpoint["gonio"]["best"]
                if best["epoch"] == self._first_epoch - 1:
                    # It may have been killed before it copied its best epoch.
                    copy_checkpoint(self.resumed.last, self.resumed.best)
                    told = {"epoch": best["epoch"], "metric": self._monitor()}
                    self.resumed.tell(best={**told, "value": best["value"]})
                self.resumed.tell(status="running", message=None, epochs=self.recipe.epochs)
            return self.resumed
        path = folder if folder is not None else run_path(out, self.recipe.name)
        run = None
        if trainer.is_global_zero:
            run = RunFolder.create(path, dump_recipe(self.recipe), self._facts())
        path = Path(trainer.strategy.broadcast(str(path)))
        return run if run is not None else RunFolder(path)

    def _facts(self) -> dict[str, Any]:
        return {
            "recipe": self.recipe.name,
            "status": "running",
            "command": self.command,
            "seed": self.recipe.seed,
            "epoch": 0,
            "epochs": self.recipe.epochs,
            "skeleton": self.data.skeleton.name,
            "keypoints": list(self.data.skeleton.keypoints),
            "data": self.data.counts(),
            "data_sha256": self.data.sha256,
            "parameters": sum(p.numel() for p in self.network.parameters()),
            "versions": _versions(),
            "platform": f"{platform.system()} {platform.machine()}",
        }

    def _monitor(self) -> str:
        if self.recipe.trainer.monitor is not None:
            return self.recipe.trainer.monitor
        return "pck@0.05:image" if self.data.validation is not None else "loss"

    def _check_columns(self, judge: Judge | None, monitor: str) -> None:
        """Refuse to watch a column that no epoch will have, before the first."""
        columns = {"loss", *(f"loss:{role}" for role in self.recipe.losses)}
        if judge is not None:
            columns |= {f"val_{column}" for column in columns} | judge.columns()
        check_monitor(monitor, columns, "trainer.monitor")
        if self.recipe.scheduler.monitor is not None:
            check_monitor(self.recipe.scheduler.monitor, columns, "scheduler.monitor")

    def _finish(self, run: RunFolder, watch: Watch | None, *, draw: bool) -> None:
        """Write the best epoch's network, and draw what it learned."""
        if not run.best.exists():
            return
        write_model(run.path, network_weights(load_checkpoint(run.best)), self.card)
        if not draw:
            return
        if watch is not None:
            watch(Moment("Drawing"))
        draw_curves(run.path / METRICS_CSV, run.path)
        model, count = load_run(run.path), self.recipe.trainer.samples
        for name, labels in (("train", self.data.train), ("validation", self.data.validation)):
            if labels is not None:
                draw_predictions(model, labels, run.path / "samples" / f"{name}.png", count)


class _Loaders(pl.LightningDataModule):
    """The samples of each process, once Lightning has said which it is."""

    def __init__(self, recipe: Recipe, data: TrainingData, first_epoch: int) -> None:
        super().__init__()
        self._recipe, self._first_epoch = recipe, first_epoch
        self._train = PoseDataset(data.train, recipe, augment=True)
        self._validation = (
            PoseDataset(data.validation, recipe, augment=False)
            if data.validation is not None
            else None
        )
        given = recipe.trainer.workers
        self._workers = min(cpu_count(), _MOST_WORKERS) if given is None else given

    def _place(self) -> dict[str, int]:
        if self.trainer is None:
            return {"rank": 0, "world": 1}
        return {"rank": self.trainer.global_rank, "world": self.trainer.world_size}

    def train_dataloader(self) -> Any:
        return training_loader(
            self._train,
            self._recipe,
            workers=self._workers,
            first_epoch=self._first_epoch,
            **self._place(),
        )

    def val_dataloader(self) -> Any:
        if self._validation is None:
            return []
        return validation_loader(
            self._validation, self._recipe, workers=self._workers, **self._place()
        )


def card_of(recipe: Recipe, data: TrainingData, network: PoseNetwork, command: str) -> Card:
    """Write the card of the recipe's network."""
    return card_for_network(
        recipe.name,
        data.skeleton,
        input=recipe.input,
        target=recipe.target,
        kind=network.kind,
        stride=network.stride,
        roles=network.roles,
        training=Training(command=command, seed=recipe.seed, data_sha256=data.sha256),
    )


def best_row(run: RunFolder) -> dict[str, Any]:
    """Return the best epoch's numbers; empty where no epoch was completed."""
    best = (run.facts.get("best") or {}).get("epoch")
    rows = [row for row in run.rows if row["epoch"] == best] or run.rows[-1:]
    return dict(rows[0]) if rows else {}


def _versions() -> dict[str, str]:
    found = {"gonio": gonio.__version__, "python": platform.python_version()}
    for name in _LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
