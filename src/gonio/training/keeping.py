"""What happens at the end of an epoch: numbers, logs, judgement, checkpoint, in this order.

A row is written before the checkpoint of its epoch. Where a training is cut off between the two,
the resumed one forgets the row and computes it again.
"""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING, Any, cast

from lightning.pytorch.callbacks import Checkpoint

from gonio.errors import ConfigError, GonioError
from gonio.training.checkpoints import copy_checkpoint
from gonio.training.ema import MovingAverage
from gonio.training.module import TOTAL, PoseModule
from gonio.training.monitor import Best

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import lightning.pytorch as pl
    from torch.utils.tensorboard import SummaryWriter

    from gonio.skeletons import Skeleton
    from gonio.training.recipe import Recipe
    from gonio.training.run_folder import RunFolder


class Keeper(Checkpoint):
    """Keeps a run: rows, logs, moving average, best epoch, checkpoints.

    Lightning calls it after all other callbacks. Every process has one and decides alike; the
    first alone writes.

    Parameters
    ----------
    open_run
        Gives the folder it is kept in, once Lightning has said which process this is.
    recipe, skeleton
        What is trained, and the keypoints it learns.
    monitor
        Column that tells the best epoch.

    Attributes
    ----------
    best
        The best epoch so far.
    """

    def __init__(
        self,
        open_run: Callable[[pl.Trainer], RunFolder],
        recipe: Recipe,
        skeleton: Skeleton,
        monitor: str,
    ) -> None:
        self._open_run = open_run
        self._run: RunFolder | None = None
        self._is_first = True
        self._recipe, self._skeleton = recipe, skeleton
        self.best = Best(monitor, recipe.trainer.early_stopping)
        self._average: MovingAverage | None = None
        self._board: SummaryWriter | None = None
        self._epoch_began = self._train_ended = 0.0
        self._kept: dict[str, Any] = {}

    @property
    def run(self) -> RunFolder:
        """The folder."""
        assert self._run is not None
        return self._run

    def tell_failure(self, error: BaseException) -> None:
        """Write down why the training ended, where there is a folder to write it into."""
        if self._run is not None and self._is_first:
            told = str(error) if isinstance(error, GonioError) else repr(error)
            with contextlib.suppress(GonioError):
                self._run.tell(status="failed", message=told)

    def setup(self, trainer: pl.Trainer, pl_module: pl.LightningModule, stage: str) -> None:
        """Open the folder, and begin the moving average with the network's first weights."""
        self._is_first = trainer.is_global_zero
        if self._run is None:
            self._run = self._open_run(trainer)
        module = cast("PoseModule", pl_module)
        if self._recipe.trainer.ema is not None and self._average is None:
            self._average = MovingAverage(module.network, self._recipe.trainer.ema)

    def on_fit_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Open the logs, and move the average to where the network is now."""
        if self._average is not None:
            self._average.to(pl_module.device)
        if trainer.is_global_zero:
            from torch.utils.tensorboard import SummaryWriter

            self._board = SummaryWriter(
                str(self.run.path / "tensorboard"), purge_step=len(self.run.rows)
            )

    def on_train_epoch_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Note the time."""
        self._epoch_began = time.perf_counter()

    def on_train_batch_end(
        self,
        trainer: pl.Trainer,
        pl_module: pl.LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
    ) -> None:
        """Take a step's weights into the moving average."""
        module = cast("PoseModule", pl_module)
        accumulate = trainer.accumulate_grad_batches
        stepped = (batch_idx + 1) % accumulate == 0 or trainer.is_last_batch
        if self._average is not None and stepped:
            self._average.update(module.network)

    def on_validation_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Validate the moving average."""
        self._train_ended = time.perf_counter()
        self._swap(pl_module)

    def on_validation_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Train on with the weights themselves."""
        self._swap(pl_module)

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Write the epoch down, judge it, and keep it."""
        module = cast("PoseModule", pl_module)
        row = epoch_row(module)
        validated = "val_loss" in row or not any(trainer.num_val_batches)
        if validated:
            module.schedule.see(row)
        value = row.get(self.best.key)
        is_best = value is not None and self.best.see(row["epoch"], float(value))
        trainer.should_stop = trainer.should_stop or self.best.is_over
        if trainer.is_global_zero:
            self.run.add_row(row)
            self._log(row, trainer)
        trainer.save_checkpoint(self.run.last)
        if trainer.is_global_zero:
            if is_best or not self.run.best.exists():
                copy_checkpoint(self.run.last, self.run.best)
            self._tell(row, trainer)

    def on_save_checkpoint(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, checkpoint: dict[str, Any]
    ) -> None:
        """Put into the checkpoint what Lightning does not know of."""
        module = cast("PoseModule", pl_module)
        checkpoint["gonio"] = {
            "recipe": self._recipe.name,
            "skeleton": self._skeleton.name,
            "keypoints": list(self._skeleton.keypoints),
            "epoch": module.current_epoch,
            "best": self.best.state_dict(),
            "schedule": module.schedule.state_dict(),
            "ema": self._average.state_dict() if self._average is not None else None,
        }

    def on_load_checkpoint(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, checkpoint: dict[str, Any]
    ) -> None:
        """Take up what was kept."""
        module = cast("PoseModule", pl_module)
        kept: Mapping[str, Any] = checkpoint["gonio"]
        self.best.load_state_dict(kept["best"])
        module.schedule.load_state_dict(kept["schedule"])
        if (kept["ema"] is None) != (self._average is None):
            raise ConfigError("trainer.ema: cannot be changed in the middle of a run")
        if self._average is not None:
            self._average.load_state_dict(kept["ema"])

    def teardown(self, trainer: pl.Trainer, pl_module: pl.LightningModule, stage: str) -> None:
        """Close the logs."""
        self._close()

    def on_exception(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, exception: BaseException
    ) -> None:
        """Close the logs: Lightning tears no callback down after an exception."""
        self._close()

    def _close(self) -> None:
        if self._board is not None:
            with contextlib.suppress(OSError):
                self._board.close()
            self._board = None

    def _swap(self, pl_module: pl.LightningModule) -> None:
        module = cast("PoseModule", pl_module)
        if self._average is not None:
            self._average.swap(module.network)

    def _log(self, row: Mapping[str, Any], trainer: pl.Trainer) -> None:
        assert self._board is not None
        now = time.perf_counter()
        trained = (self._train_ended or now) - self._epoch_began
        batches = int(trainer.num_training_batches)
        people = batches * self._recipe.trainer.batch_size * trainer.world_size
        speed = {"seconds": now - self._epoch_began, "people_per_s": people / max(trained, 1e-9)}
        self._kept = {"epoch_s": speed["seconds"], "train_people_per_s": speed["people_per_s"]}
        for name, value in {**row, **speed}.items():
            if isinstance(value, int | float) and name != "epoch":
                self._board.add_scalar(name.replace(":", "/"), value, row["epoch"])
        self._board.flush()
        self._train_ended = 0.0

    def _tell(self, row: Mapping[str, Any], trainer: pl.Trainer) -> None:
        best = {"epoch": self.best.epoch, "metric": self.best.key, "value": self.best.value}
        spent = float(self.run.facts.get("timings", {}).get("fit_s", 0.0))
        self.run.tell(
            status="running",
            epoch=row["epoch"] + 1,
            epochs=trainer.max_epochs,
            best=best,
            timings={**self._kept, "fit_s": spent + self._kept["epoch_s"]},
        )


def epoch_row(module: PoseModule) -> dict[str, Any]:
    """Return an epoch's row of ``metrics.csv``; what is not known is None.

    Columns: ``epoch`` and ``stage``, from 0; ``lr`` (of the last step); ``gradient_norm`` (mean
    over the steps, before clipping); ``loss`` and ``loss:<output>``; ``val_loss`` and
    ``val_loss:<output>``; the metrics.
    """
    row: dict[str, Any] = {
        "epoch": module.current_epoch,
        "stage": module.stage.index,
        "lr": module.lr,
        "gradient_norm": module.gradient_norm,
    }
    for prefix, means in (("", module.train_means), ("val_", module.validation_means)):
        for name, value in means.means().items():
            row[f"{prefix}loss" if name == TOTAL else f"{prefix}loss:{name}"] = value
    return row | module.validation_metrics
