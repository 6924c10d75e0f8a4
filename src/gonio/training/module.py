"""One step of a training, and of a validation, as Lightning calls them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

import lightning.pytorch as pl
import numpy as np
import torch
from torch import Tensor, nn

from gonio.errors import InputError
from gonio.training.failures import NonFiniteError, describe_batch
from gonio.training.optimizers import make_optimizer, set_learning_rate
from gonio.training.schedulers import Schedule
from gonio.training.stages import Stage, apply_stage, plan_stages, stage_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from gonio.labels import Labels
    from gonio.networks import PoseNetwork
    from gonio.training.data import Batch
    from gonio.training.losses import Losses
    from gonio.training.recipe import Recipe
    from gonio.training.validation import Judge

TOTAL: Final = "loss"


class Normalize(nn.Module):
    """Turns a batch of pictures into the network's input, where the network is.

    The same numbers as :meth:`gonio.runtime.cards.InputSpec.to_tensor`.

    Parameters
    ----------
    mean, std
        One value a channel, after ``scale``.
    scale
        Factor on the pixel.
    channels_last
        Keep the channels together in memory.
    """

    factor: Tensor
    offset: Tensor

    def __init__(
        self, mean: Iterable[float], std: Iterable[float], scale: float, *, channels_last: bool
    ) -> None:
        super().__init__()
        means, stds = (np.asarray(list(v), dtype=np.float64) for v in (mean, std))
        factor, offset = (scale / stds).astype(np.float32), (means / stds).astype(np.float32)
        self.register_buffer("factor", torch.from_numpy(factor), persistent=False)
        self.register_buffer("offset", torch.from_numpy(offset), persistent=False)
        self._channels_last = channels_last

    def forward(self, image: Tensor) -> Tensor:
        """Map (N, H, W, C) uint8 to (N, C, H, W) float32."""
        pixels = (image * self.factor - self.offset).permute(0, 3, 1, 2)
        return pixels if self._channels_last else pixels.contiguous()


class Means:
    """Means of several numbers over an epoch, weighted by the people of each batch."""

    def __init__(self) -> None:
        self._sums: dict[str, Tensor] = {}
        self._people = 0

    def add(self, values: Mapping[str, Tensor], people: int) -> None:
        """Take a batch in."""
        self._people += people
        for name, value in values.items():
            part = value.detach().double() * people
            self._sums[name] = self._sums[name] + part if name in self._sums else part

    def means(self) -> dict[str, float]:
        """Return the means over all processes; empty where there was no batch."""
        if not self._sums:
            return {}
        people = torch.full_like(next(iter(self._sums.values())), float(self._people))
        totals = torch.stack([*self._sums.values(), people])
        if torch.distributed.is_available() and torch.distributed.is_initialized():
            torch.distributed.all_reduce(totals)
        *sums, count = totals.tolist()
        return {name: value / count for name, value in zip(self._sums, sums, strict=True)}


class PoseModule(pl.LightningModule):
    """A network in training.

    Parameters
    ----------
    network
        What learns.
    losses
        What it is judged by.
    recipe
        How it learns.
    labels
        The people it learns from, to name them where something goes wrong.
    judge
        What measures a validation; None where nothing is validated.
    monitor
        Column that a plateau is looked for in.

    Attributes
    ----------
    stages
        The stretches of the training.
    schedule
        Of the learning rate.
    train_means, validation_means
        Losses of the epoch so far.
    validation_metrics
        What the last validation found; empty where there was none in this epoch.
    lr, gradient_norm
        The learning rate of the last step, and the mean norm of the epoch's gradients before
        clipping.
    """

    def __init__(
        self,
        network: PoseNetwork,
        losses: Losses,
        recipe: Recipe,
        labels: Labels,
        judge: Judge | None,
        *,
        monitor: str,
    ) -> None:
        super().__init__()
        spec = recipe.input
        self.network = network
        self.losses = losses
        self.normalize = Normalize(
            spec.mean, spec.std, spec.scale, channels_last=recipe.trainer.channels_last
        )
        self.recipe, self._labels, self._judge = recipe, labels, judge
        self.stages = plan_stages(recipe)
        self.schedule = Schedule(recipe.scheduler, monitor)
        self.train_means, self.validation_means = Means(), Means()
        self.validation_metrics: dict[str, float] = {}
        self.lr = math.nan
        self._norms: list[Tensor] = []

    @property
    def stage(self) -> Stage:
        """The stretch of the training it is in."""
        return stage_of(self.stages, self.current_epoch)

    @property
    def gradient_norm(self) -> float:
        """Mean norm of this epoch's gradients, before they are clipped; NaN without a step."""
        return float(torch.stack(self._norms).mean()) if self._norms else math.nan

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """Give Lightning the optimizer; the learning rate is set before each step."""
        return make_optimizer(self.network, self.recipe.optimizer)

    def on_train_epoch_start(self) -> None:
        """Begin an epoch as if no other had been before: chance, frozen parts, sums."""
        seeds = np.random.SeedSequence((self.recipe.seed, self.current_epoch, self.global_rank))
        torch.manual_seed(int(seeds.generate_state(1, np.uint64)[0] >> np.uint64(1)))
        stage = self.stage
        apply_stage(self.network, stage)
        if self.current_epoch == stage.start and stage.start > 0:
            self._optimizer.state.clear()
            self.schedule.restart()
        self.train_means, self.validation_means = Means(), Means()
        self.validation_metrics, self._norms = {}, []

    def on_train_batch_start(self, batch: Batch, batch_idx: int) -> None:
        """Set the learning rate of the step."""
        stage, done = self.stage, self.current_epoch - self.stage.start
        accumulate = self.recipe.trainer.accumulate
        of_epoch = math.ceil(self.trainer.num_training_batches / accumulate)
        step = done * of_epoch + batch_idx // accumulate
        factor = self.schedule.factor(epoch=done, epochs=stage.end - stage.start, step=step)
        self.lr = stage.lr * factor
        set_learning_rate(self._optimizer, self.lr)

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:
        """Return the loss of a batch."""
        self._refuse_unread(batch)
        total, parts = self._loss(batch, self.network(self.normalize(batch["image"])))
        if not torch.isfinite(total):
            raise NonFiniteError.of_loss(
                self.current_epoch, batch_idx, parts, self.network, self._names(batch)
            )
        self.train_means.add({TOTAL: total, **parts}, len(batch["image"]))
        return total

    def on_before_optimizer_step(self, optimizer: torch.optim.Optimizer) -> None:
        """Note the gradient's norm, before it is clipped; refuse one that is not finite."""
        gradients = [p.grad for p in self.network.parameters() if p.grad is not None]
        norm = torch.nn.utils.get_total_norm(gradients)
        if not torch.isfinite(norm):
            if self.recipe.trainer.precision == "16-mixed":
                return  # the scaler leaves this step out and makes its factor smaller
            raise NonFiniteError.of_gradient(self.current_epoch, self.global_step, self.network)
        self._norms.append(norm.detach())

    def validation_step(self, batch: Batch, batch_idx: int) -> None:
        """Take a batch into the validation's losses and predictions."""
        self._refuse_unread(batch)
        outputs = self.network(self.normalize(batch["image"]))
        total, parts = self._loss(batch, outputs)
        self.validation_means.add({TOTAL: total, **parts}, len(batch["image"]))
        if self._judge is not None:
            self._judge.see(batch, self.network.activate(outputs))

    def on_validation_epoch_end(self) -> None:
        """Measure what was predicted."""
        if self._judge is not None:
            self.validation_metrics = self._judge.measure()

    def _loss(self, batch: Batch, outputs: dict[str, Tensor]) -> tuple[Tensor, dict[str, Tensor]]:
        total, parts = self.losses(outputs, batch["targets"], batch["weights"])
        if self.stage.roles:
            parts = {role: parts[role] for role in self.stage.roles}
            total = torch.stack(list(parts.values())).sum()
        return total, parts

    def _refuse_unread(self, batch: Batch) -> None:
        if "error" in batch:
            raise InputError(batch["error"])

    def _names(self, batch: Batch) -> list[str]:
        return describe_batch(self._labels, batch["person"].tolist())

    @property
    def _optimizer(self) -> torch.optim.Optimizer:
        optimizer = self.optimizers(use_pl_optimizer=False)
        assert isinstance(optimizer, torch.optim.Optimizer)
        return optimizer
