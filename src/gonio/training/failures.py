"""Where a loss stopped being a number: said so that a person can find the cause."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from gonio.errors import GonioError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from torch import Tensor, nn

    from gonio.labels import Labels

_SHOWN = 4


class NonFiniteError(GonioError):
    """A loss or a gradient is NaN or infinite; the training stops before the weights are."""

    @classmethod
    def of_loss(
        cls,
        epoch: int,
        step: int,
        parts: Mapping[str, Tensor],
        network: nn.Module,
        names: Sequence[str],
    ) -> NonFiniteError:
        """Say which output's loss it was, in which step, and who was in the batch."""
        bad = [role for role, value in parts.items() if not torch.isfinite(value)]
        weight = _first(dict(network.named_parameters()))
        cause = f"; the weight '{weight}' is not finite either" if weight else ""
        shown = ", ".join(names[:_SHOWN]) + (", …" if len(names) > _SHOWN else "")
        return cls(
            f"epoch {epoch}, step {step}: the loss of {_listed(bad)} is not a number{cause}. "
            f"Images of the batch: {shown}. {_ADVICE}"
        )

    @classmethod
    def of_gradient(cls, epoch: int, step: int, network: nn.Module) -> NonFiniteError:
        """Say whose gradient it was, and in which step."""
        gradients = {k: p.grad for k, p in network.named_parameters() if p.grad is not None}
        return cls(
            f"epoch {epoch}, step {step}: the gradient of '{_first(gradients)}' is not a number. "
            f"{_ADVICE}"
        )


class ResourceError(GonioError):
    """The machine gave out: memory, or a process that was ended from outside."""


def explained(error: BaseException) -> BaseException:
    """Return an error in words a person can act on, where there are any; else the error itself."""
    told = str(error)
    if isinstance(error, torch.OutOfMemoryError) or "not enough memory" in told:
        return ResourceError(
            "the device's memory is full. Make trainer.batch_size smaller (and "
            "trainer.accumulate larger by as much), or the input; the last whole epoch is kept."
        )
    if isinstance(error, RuntimeError) and "DataLoader worker" in told:
        return ResourceError(
            "a process that prepares samples was ended from outside, probably because memory "
            "was short. Make trainer.workers or trainer.cache_mb smaller; the last whole epoch "
            "is kept."
        )
    return error


_ADVICE = (
    "Try a smaller learning rate (optimizer.lr), a warm-up (scheduler.warmup_steps) or "
    "trainer.clip; the last whole epoch is kept."
)


def describe_batch(labels: Labels, people: Sequence[int]) -> list[str]:
    """Name the images that people of a batch are in."""
    return [labels.images[labels.image_index[person]].path.name for person in people]


def _first(tensors: Mapping[str, Tensor]) -> str | None:
    return next((name for name, t in tensors.items() if not torch.isfinite(t).all()), None)


def _listed(names: Sequence[str]) -> str:
    return " and ".join(f"'{name}'" for name in names) or "the sum"
