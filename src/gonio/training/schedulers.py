"""The learning rate as a function of stage, epoch and step.

Written as functions, not as changes from step to step: a resumed training computes the same
rate without any history, but for the plateau's, which is kept in the checkpoint.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

import torch
from torch.optim.lr_scheduler import ReduceLROnPlateau

from gonio.training.monitor import higher_is_better

if TYPE_CHECKING:
    from gonio.training.settings import SchedulerSettings

_GAMMA: Final = 0.1
_PATIENCE: Final = 10
_THRESHOLD: Final = 1e-4


class Schedule:
    """Factors on the learning rate.

    Parameters
    ----------
    settings
        Which schedule.
    monitor
        Column that ``reduce_on_plateau`` watches.
    """

    def __init__(self, settings: SchedulerSettings, monitor: str) -> None:
        self._settings = settings
        self.monitor = settings.monitor or monitor
        self._plateau = self._new_plateau() if settings.name == "reduce_on_plateau" else None

    def factor(self, *, epoch: int, epochs: int, step: int) -> float:
        """Return the factor on the learning rate.

        Parameters
        ----------
        epoch, epochs
            Whole epochs since the stage began, and how many it has.
        step
            Steps since the stage began.
        """
        return self._of_epoch(epoch, epochs) * self._of_step(step)

    def _of_epoch(self, epoch: int, epochs: int) -> float:
        settings = self._settings
        gamma = _GAMMA if settings.gamma is None else settings.gamma
        match settings.name:
            case "step":
                return gamma ** (epoch // (settings.every or 1))
            case "multistep":
                return gamma ** sum(epoch >= mark for mark in settings.milestones or ())
            case "cosine":
                floor = settings.floor or 0.0
                return floor + (1 - floor) * 0.5 * (1 + math.cos(math.pi * epoch / epochs))
            case "reduce_on_plateau":
                assert self._plateau is not None
                return float(self._plateau.optimizer.param_groups[0]["lr"])
            case _:
                return 1.0

    def _of_step(self, step: int) -> float:
        rise, start = self._settings.warmup_steps, self._settings.warmup_start
        return 1.0 if step >= rise else start + (1 - start) * step / rise

    def see(self, row: dict[str, Any]) -> None:
        """Look at an epoch's numbers; the plateau's memory grows where they hold its column."""
        value = row.get(self.monitor)
        if self._plateau is not None and value is not None:
            self._plateau.step(float(value))

    def restart(self) -> None:
        """Forget the past: a new stage begins."""
        if self._plateau is not None:
            self._plateau = self._new_plateau()

    def state_dict(self) -> dict[str, Any]:
        """Return what a resumed training cannot compute."""
        if self._plateau is None:
            return {}
        state = self._plateau.state_dict()
        kept = {k: state[k] for k in ("best", "num_bad_epochs", "last_epoch", "cooldown_counter")}
        return {**kept, "factor": self._of_epoch(0, 1)}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take up what was kept."""
        if self._plateau is not None and state:
            rest = dict(state)
            self._plateau.optimizer.param_groups[0]["lr"] = rest.pop("factor")
            for name, value in rest.items():
                setattr(self._plateau, name, value)

    def _new_plateau(self) -> ReduceLROnPlateau:
        # torch's own judgement of a plateau, on a rate of one that is nobody's.
        settings = self._settings
        return ReduceLROnPlateau(
            torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0),
            mode="max" if higher_is_better(self.monitor) else "min",
            factor=_GAMMA if settings.gamma is None else settings.gamma,
            patience=_PATIENCE if settings.patience is None else settings.patience,
            threshold=_THRESHOLD if settings.threshold is None else settings.threshold,
            min_lr=settings.floor or 0.0,
        )
