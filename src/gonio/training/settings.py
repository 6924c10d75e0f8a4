"""The parts of a recipe: what each may say, documented where it stands.

What it says about data is :class:`gonio.datasets.DataSettings`. A field that would do nothing is
refused.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal, Self

from pydantic import ConfigDict, Field, field_validator, model_validator

from gonio.configs import Settings

if TYPE_CHECKING:
    from collections.abc import Mapping

_OPTIMIZER_OPTIONS: Final = {
    "adam": ("betas", "eps"),
    "adamw": ("betas", "eps"),
    "sgd": ("momentum", "nesterov"),
    "rmsprop": ("alpha", "eps", "momentum"),
}
_SCHEDULER_OPTIONS: Final = {
    "none": (),
    "step": ("every", "gamma"),
    "multistep": ("milestones", "gamma"),
    "cosine": ("floor",),
    "reduce_on_plateau": ("gamma", "patience", "threshold", "monitor", "floor"),
}


def _refuse_idle(
    settings: Settings, word: str, name: str, options: Mapping[str, tuple[str, ...]]
) -> None:
    """Refuse an option that the chosen kind does not have: it would do nothing."""
    for option in {o for names in options.values() for o in names} - set(options[name]):
        if getattr(settings, option) is not None:
            having = ", ".join(kind for kind, names in options.items() if option in names)
            raise ValueError(f"the {word} '{name}' has no '{option}' (those that do: {having})")


class NetworkSettings(Settings):
    """Which network; further keys are its builder's own options.

    Attributes
    ----------
    builder
        Its name; see :func:`gonio.networks.network_names`.
    pretrained
        Start the backbone from published weights (fetched once), from a file of them, or from
        scratch.
    """

    model_config = ConfigDict(frozen=True, extra="allow")

    builder: str
    pretrained: bool | Path = False

    @property
    def options(self) -> dict[str, Any]:
        """The builder's own options."""
        return dict(self.model_extra or {})


class StageSettings(Settings):
    """A stretch of the training in which some parts stand still.

    Attributes
    ----------
    epochs
        How long.
    train
        Names of the parts that learn, all others being frozen; empty: all but ``freeze``.
    freeze
        Names of parts that do not learn.
    roles
        Outputs whose loss counts; empty: all.
    lr
        Learning rate of the stage; None: the optimizer's.
    """

    epochs: int = Field(gt=0)
    train: tuple[str, ...] = ()
    freeze: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()
    lr: float | None = Field(default=None, gt=0)

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if self.train and self.freeze:
            raise ValueError("give either 'train' or 'freeze': each says what the other leaves")
        return self


class OptimizerSettings(Settings):
    """Which optimizer.

    Attributes
    ----------
    name
        Its kind.
    lr
        Learning rate.
    weight_decay
        Weight decay: decoupled from the gradient with ``adamw``, added to it otherwise.
    lr_factors
        Part of the network → factor on its learning rate.
    betas, eps, momentum, nesterov, alpha
        As in torch; None: torch's default. Refused where the optimizer has none.
    """

    name: Literal["adam", "adamw", "sgd", "rmsprop"] = "adam"
    lr: float = Field(default=1e-3, gt=0)
    weight_decay: float = Field(default=0.0, ge=0)
    lr_factors: dict[str, float] = {}  # noqa: RUF012 - pydantic copies defaults
    betas: tuple[float, float] | None = None
    eps: float | None = Field(default=None, gt=0)
    momentum: float | None = Field(default=None, ge=0)
    nesterov: bool | None = None
    alpha: float | None = Field(default=None, gt=0)

    @model_validator(mode="after")
    def _options_exist(self) -> Self:
        _refuse_idle(self, "optimizer", self.name, _OPTIMIZER_OPTIONS)
        return self


class SchedulerSettings(Settings):
    """How the learning rate changes; epochs count from the start of a stage.

    Attributes
    ----------
    name
        ``step``: times ``gamma`` after every ``every`` epochs. ``multistep``: times ``gamma`` at
        each of ``milestones``. ``cosine``: half a cosine down to ``floor`` at the end of the
        stage. ``reduce_on_plateau``: times ``gamma`` when ``monitor`` has not improved by
        ``threshold`` (relative) for more than ``patience`` epochs. ``none``: constant.
    every, gamma, milestones, floor, patience, threshold, monitor
        See above; ``monitor`` is a column of ``metrics.csv``, the validation loss by default,
        ``floor`` a fraction of the full learning rate.
    warmup_steps
        Steps over which the learning rate rises in a straight line from ``warmup_start`` times
        its value.
    warmup_start
        Fraction of the learning rate at the first step.
    """

    name: Literal["none", "step", "multistep", "cosine", "reduce_on_plateau"] = "none"
    every: int | None = Field(default=None, gt=0)
    gamma: float | None = Field(default=None, gt=0)
    milestones: tuple[int, ...] | None = None
    floor: float | None = Field(default=None, ge=0, lt=1)
    patience: int | None = Field(default=None, ge=0)
    threshold: float | None = Field(default=None, ge=0)
    monitor: str | None = None
    warmup_steps: int = Field(default=0, ge=0)
    warmup_start: float = Field(default=1e-3, gt=0, le=1)

    @model_validator(mode="after")
    def _options_exist(self) -> Self:
        _refuse_idle(self, "scheduler", self.name, _SCHEDULER_OPTIONS)
        needed = {"step": ("every",), "multistep": ("milestones",)}.get(self.name, ())
        for option in needed:
            if getattr(self, option) is None:
                raise ValueError(f"the scheduler '{self.name}' needs '{option}'")
        return self


class EarlyStopping(Settings):
    """When the training ends before its epochs do.

    Attributes
    ----------
    patience
        Epochs without improvement of the monitored metric.
    min_delta
        What counts as one.
    """

    patience: int = Field(default=10, gt=0)
    min_delta: float = Field(default=0.0, ge=0)


class TrainerSettings(Settings):
    """How the training runs.

    Attributes
    ----------
    epochs
        Passes over the data. With stages: at most so many of theirs (None: all of theirs).
    batch_size
        People a step and device. The last, incomplete batch of an epoch is left out where there
        is a complete one.
    workers
        Processes that prepare samples; None: one a core, at most 8. The result does not depend
        on it.
    precision
        ``32``, or mixed: ``bf16-mixed``, ``16-mixed`` (GPU only).
    clip
        Largest norm of the gradient; None: any.
    accumulate
        Batches whose gradients are added up for one step.
    devices, nodes
        How many devices a machine (``auto``: all), and how many machines. With several, each has
        a process of its own and ``batch_size`` people a step; the gradients are averaged.
    ema
        Decay of the weights' moving average, which is then validated and exported; None: none.
    monitor
        Column of ``metrics.csv`` that tells the best epoch; None: the first PCK, or the training
        loss where nothing is validated.
    early_stopping
        None: never.
    validate_every
        Epochs between validations.
    cache_mb
        Memory for decoded images in each process that prepares samples, megabytes.
    samples
        How many people are drawn, truth beside prediction, at the end.
    deterministic
        Only operations that give the same bits on every run (slower on a GPU; on a CPU they
        all do).
    channels_last
        Keep channels together in memory: faster convolutions on most machines.
    """

    epochs: int | None = Field(default=None, gt=0)
    batch_size: int = Field(default=32, gt=0)
    workers: int | None = Field(default=None, ge=0)
    precision: Literal["32", "bf16-mixed", "16-mixed"] = "32"
    clip: float | None = Field(default=None, gt=0)
    accumulate: int = Field(default=1, gt=0)
    devices: int | Literal["auto"] = 1
    nodes: int = Field(default=1, gt=0)
    ema: float | None = Field(default=None, gt=0, lt=1)
    monitor: str | None = None
    early_stopping: EarlyStopping | None = None
    validate_every: int = Field(default=1, gt=0)
    cache_mb: int = Field(default=512, ge=0)
    samples: int = Field(default=8, ge=0)
    deterministic: bool = False
    channels_last: bool = False

    @field_validator("precision", mode="before")
    @classmethod
    def _precision_as_text(cls, value: Any) -> Any:
        return str(value) if isinstance(value, int) else value
