"""Who looks on: progress after each step, and requests to stop."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from lightning.pytorch.callbacks import Callback

if TYPE_CHECKING:
    from types import FrameType

    import lightning.pytorch as pl

    from gonio.training.module import PoseModule
    from gonio.training.monitor import Best

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


@dataclass(frozen=True)
class Moment:
    """Where a training stands.

    Attributes
    ----------
    stage
        What is being done: reading, training, validating, drawing.
    done, total
        Steps of it; None where the total is not known.
    epoch, epochs
        Epochs that are complete, and how many there will be.
    loss
        Of the last step; None before the first.
    monitor, value, best
        Column that is watched, its value in the last epoch, and its best; None before the
        first.
    """

    stage: str
    done: int = 0
    total: int | None = None
    epoch: int = 0
    epochs: int = 0
    loss: float | None = None
    monitor: str = ""
    value: float | None = None
    best: float | None = None


Watch = Callable[[Moment], None]


class StopRequest(Exception):  # noqa: N818 - nothing is wrong
    """Somebody asked the training to stop (Ctrl-C, SIGTERM)."""


class Watcher(Callback):
    """Tells how far the training is, and ends it between two steps when asked to.

    The first Ctrl-C or SIGTERM lets the step come to its end; a second one has its usual
    effect.

    Parameters
    ----------
    best
        What is watched.
    watch
        Called after each step in the first process; None: nobody looks on.
    """

    def __init__(self, best: Best, watch: Watch | None) -> None:
        self._best, self._watch = best, watch
        self._asked = False
        self._loss: float | None = None
        self._value: float | None = None

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Listen for requests to stop while a training runs; only a main thread can.

        Around all of Lightning, which gives back the handlers that it found.
        """
        before: dict[int, Any] = {}
        if threading.current_thread() is threading.main_thread():
            before = {number: signal.signal(number, self._ask) for number in _SIGNALS}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    @property
    def asked(self) -> bool:
        """Whether somebody asked the training to stop."""
        return self._asked

    def on_train_batch_end(
        self,
        trainer: pl.Trainer,
        pl_module: pl.LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
    ) -> None:
        """Tell, and stop if asked to."""
        self._loss = float(outputs["loss"]) * trainer.accumulate_grad_batches
        self._tell(trainer, "Training", batch_idx + 1)
        self._stop_if_asked()

    def on_validation_batch_end(
        self,
        trainer: pl.Trainer,
        pl_module: pl.LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
        dataloader_idx: int = 0,
    ) -> None:
        """Stop if asked to."""
        self._stop_if_asked()

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Note the epoch's number that is watched."""
        module = cast("PoseModule", pl_module)
        if self._best.key in module.validation_metrics:
            self._value = module.validation_metrics[self._best.key]

    def _tell(self, trainer: pl.Trainer, stage: str, step: int) -> None:
        if self._watch is None or not trainer.is_global_zero:
            return
        batches, epochs = int(trainer.num_training_batches), int(trainer.max_epochs or 0)
        self._watch(
            Moment(
                stage,
                done=trainer.current_epoch * batches + step,
                total=epochs * batches,
                epoch=trainer.current_epoch,
                epochs=epochs,
                loss=self._loss,
                monitor=self._best.key,
                value=self._value,
                best=self._best.value,
            )
        )

    def _ask(self, number: int, frame: FrameType | None) -> None:
        if self._asked:
            signal.signal(number, signal.SIG_DFL)
            signal.raise_signal(number)
        self._asked = True

    def _stop_if_asked(self) -> None:
        if self._asked:
            raise StopRequest
