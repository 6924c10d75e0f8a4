"""Losses: how far a network's outputs are from their targets, one role at a time.

Only what is labelled counts. A target that does not count may hold anything, NaN too: it adds 0
to the loss and 0 to every gradient. Losses are taken in single precision whatever the network's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

import torch
from pydantic import Field, field_validator
from torch import Tensor, nn
from torch.nn import functional

from gonio.configs import Settings
from gonio.errors import ConfigError, UnknownNameError
from gonio.networks import activated

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from gonio.networks import RoleInfo

_WITHOUT_KEYPOINTS: Final = ("visibility", "box")
"""Roles that are known of a person whichever keypoints are labelled."""
_TINY: Final = 1e-12


class LossSettings(Settings):
    """The loss of one output.

    Attributes
    ----------
    name
        ``joints_mse``: mean over each keypoint's map of the squared difference; ``mse``: the
        same for any shape; ``rmse``: its square root; ``l1``; ``smooth_l1``; ``huber``; ``bce``:
        binary cross-entropy, for outputs with a sigmoid; ``kl``: divergence of a distribution,
        for outputs with a softmax; ``iou``: one minus the boxes' intersection over union.
    weight
        Factor in the total.
    reduction
        ``"labelled"`` divides by the keypoints that count; ``"joints"`` by all, as the
        lower-body document does, where pictures with hidden joints seem better than they are.
    weights
        ``"keypoints"``: only labelled keypoints count; ``"ones"``: all do, an unlabelled one
        being learned as absent. None: keypoints, but for ``visibility`` and ``box``.
    beta
        Where ``smooth_l1`` and ``huber`` turn from squared to absolute, in the output's unit.
    positive_weight
        Factor of ``bce`` on what is positive.
    """

    name: str
    weight: float = Field(default=1.0, ge=0, allow_inf_nan=False)
    reduction: Literal["labelled", "joints"] = "labelled"
    weights: Literal["keypoints", "ones"] | None = None
    beta: float = Field(default=1.0, gt=0, allow_inf_nan=False)
    positive_weight: float = Field(default=1.0, gt=0, allow_inf_nan=False)

    @field_validator("name")
    @classmethod
    def _is_known(cls, name: str) -> str:
        if name not in _LOSSES:
            raise UnknownNameError("loss", name, _LOSSES, where="loss")
        return name


def loss_names() -> list[str]:
    """Return the losses' names, sorted."""
    return sorted(_LOSSES)


def build_losses(settings: Mapping[str, LossSettings], roles: Mapping[str, RoleInfo]) -> Losses:
    """Build the losses of a network.

    Parameters
    ----------
    settings
        Output's role → its loss. A role without one is not trained.
    roles
        The network's outputs.

    Raises
    ------
    UnknownNameError
        If the network has no such output.
    ConfigError
        If a loss does not suit its output.
    """
    for role, loss in settings.items():
        if role not in roles:
            raise UnknownNameError("output", role, roles, where="loss")
        needed = _NEEDS.get(loss.name)
        if needed is not None and roles[role].activation != needed:
            raise ConfigError(
                f"loss.{role}: '{loss.name}' needs an output with a {needed}, and '{role}' has "
                f"{roles[role].activation}. {_ADVICE[loss.name]}"
            )
        dims = len(roles[role].shape)
        if loss.name == "joints_mse" and dims != 3:
            raise ConfigError(f"loss.{role}: 'joints_mse' needs maps (use mse for other outputs)")
        if loss.name == "iou" and roles[role].shape[-1:] != (4,):
            raise ConfigError(f"loss.{role}: 'iou' needs boxes (left, top, width, height)")
    return Losses(settings, roles)


class Losses(nn.Module):
    """The sum of the outputs' losses.

    Parameters
    ----------
    settings
        Output's role → its loss.
    roles
        The network's outputs.
    """

    def __init__(self, settings: Mapping[str, LossSettings], roles: Mapping[str, RoleInfo]) -> None:
        super().__init__()
        self.settings = dict(settings)
        self.roles = {role: roles[role] for role in settings}

    def forward(
        self, outputs: Mapping[str, Tensor], targets: Mapping[str, Tensor], weights: Tensor
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """Compare outputs with targets.

        Parameters
        ----------
        outputs
            Role → the network's raw output, ``(N, …)``.
        targets
            Role → what it should be, in the same shape; ``<role>_weights``, where it is there,
            says how much each element counts.
        weights
            Shape ``(N, K)``: how much each keypoint counts; 0 = not labelled.

        Returns
        -------
        total : Tensor
            Sum of the parts, a scalar.
        parts : dict
            Role → weight · loss, a scalar. 0 where nothing counts.

        Raises
        ------
        ConfigError
            If an output has no target.
        """
        parts = {}
        for role, loss in self.settings.items():
            if role not in targets:
                raise ConfigError(
                    f"loss.{role}: the samples hold no target of that name "
                    f"({', '.join(sorted(targets))}). Change target.kind, or take the loss away."
                )
            value = self._value(
                role, loss, outputs[role], targets[role], targets.get(f"{role}_weights"), weights
            )
            parts[role] = loss.weight * value
        return torch.stack(list(parts.values())).sum(), parts

    def _value(
        self,
        role: str,
        loss: LossSettings,
        output: Tensor,
        target: Tensor,
        dense: Tensor | None,
        weights: Tensor,
    ) -> Tensor:
        if loss.name not in _NEEDS:
            output = activated(output, self.roles[role].activation)
        joints = _joint_weights(role, loss, output, weights)
        # A joint's channels stand together: (N, joints, elements) whatever the output's shape.
        output, target = (_by_joint(values, joints) for values in (output, target))
        counts = (joints > 0)[..., None].expand_as(target)
        if dense is not None:
            dense = _by_joint(dense, joints)
            counts = counts & (dense > 0)
            joints = torch.where((dense > 0).any(dim=-1), joints, 0.0)
        # Zeros in place of what does not count: 0 · NaN would be NaN, in the gradient too.
        errors = _LOSSES[loss.name](output, torch.where(counts, target, 0.0), loss)
        if dense is None:
            by_joint = errors.mean(dim=-1)
        else:
            by_joint = (errors * dense).sum(dim=-1) / dense.sum(dim=-1).clamp_min(_TINY)
        value = (joints * by_joint).sum() / _divisor(joints, loss.reduction, across=self.training)
        return value.clamp_min(_TINY).sqrt() if loss.name == "rmse" else value


def _joint_weights(role: str, loss: LossSettings, output: Tensor, weights: Tensor) -> Tensor:
    """Return how much each joint (or box) counts, shape ``(N, joints)``."""
    if role == "box":
        return torch.ones(len(output), output[0].numel() // 4, device=output.device)
    which = loss.weights or ("ones" if role in _WITHOUT_KEYPOINTS else "keypoints")
    return torch.ones_like(weights, dtype=torch.float32) if which == "ones" else weights.float()


def _by_joint(values: Tensor, joints: Tensor) -> Tensor:
    return values.float().reshape(*joints.shape, -1)


def _divisor(joints: Tensor, reduction: str, *, across: bool) -> Tensor:
    """Return what the sum over joints is divided by.

    Several processes average their gradients, so each divides by the mean of their counts: the
    sum is then divided by all that is labelled, as if it were one batch.
    """
    if reduction == "joints":
        return torch.full((), float(joints.numel()), device=joints.device)
    labelled = (joints > 0).sum().float()
    if across and torch.distributed.is_available() and torch.distributed.is_initialized():
        torch.distributed.all_reduce(labelled)
        labelled = labelled / torch.distributed.get_world_size()
    return torch.where(labelled > 0, labelled, 1.0)


def _squared(output: Tensor, target: Tensor, _: LossSettings) -> Tensor:
    return (output - target).square()


def _absolute(output: Tensor, target: Tensor, _: LossSettings) -> Tensor:
    return (output - target).abs()


def _smooth_l1(output: Tensor, target: Tensor, loss: LossSettings) -> Tensor:
    return functional.smooth_l1_loss(output, target, reduction="none", beta=loss.beta)


def _huber(output: Tensor, target: Tensor, loss: LossSettings) -> Tensor:
    return functional.huber_loss(output, target, reduction="none", delta=loss.beta)


def _cross_entropy(output: Tensor, target: Tensor, loss: LossSettings) -> Tensor:
    factor = output.new_tensor(loss.positive_weight)
    return functional.binary_cross_entropy_with_logits(
        output, target, reduction="none", pos_weight=factor
    )


def _divergence(output: Tensor, target: Tensor, _: LossSettings) -> Tensor:
    """Kullback–Leibler divergence of the softmax from the target, which sums to 1 or is all 0."""
    terms = torch.xlogy(target, target) - target * functional.log_softmax(output, dim=-1)
    return terms.sum(dim=-1, keepdim=True)


def _one_minus_iou(output: Tensor, target: Tensor, _: LossSettings) -> Tensor:
    """One minus intersection over union of boxes (left, top, width, height).

    Boxes that do not meet have loss 1 and no gradient: begin with another loss where they may.
    """
    (size, wanted), meet = (box[..., 2:].clamp_min(0) for box in (output, target)), []
    for axis in (0, 1):
        low = torch.maximum(output[..., axis], target[..., axis])
        ends = [b[..., axis] + s[..., axis] for b, s in ((output, size), (target, wanted))]
        meet.append((torch.minimum(*ends) - low).clamp_min(0))
    shared = meet[0] * meet[1]
    union = size.prod(dim=-1) + wanted.prod(dim=-1) - shared
    return (1 - shared / union.clamp_min(_TINY))[..., None]


_LOSSES: Final[dict[str, Callable[[Tensor, Tensor, LossSettings], Tensor]]] = {
    "joints_mse": _squared,
    "mse": _squared,
    "rmse": _squared,
    "l1": _absolute,
    "smooth_l1": _smooth_l1,
    "huber": _huber,
    "bce": _cross_entropy,
    "kl": _divergence,
    "iou": _one_minus_iou,
}
_NEEDS: Final = {"bce": "sigmoid", "kl": "softmax"}
"""Losses that take the raw output, since they hold the activation themselves."""
_ADVICE: Final = {
    "bce": "Set network.activation=sigmoid, or take another loss.",
    "kl": "Take another loss, such as mse.",
}
