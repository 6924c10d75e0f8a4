"""Files of weights: read without running code from them, and matched to a backbone by name."""

from __future__ import annotations

import pickle
import re
from collections import Counter
from typing import TYPE_CHECKING, Any, Final

import safetensors
import safetensors.torch
import torch

from gonio.errors import ModelError
from gonio.networks.layers import adapt_first_weight, first_convolution

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from pathlib import Path

    from torch import Tensor, nn

_WRAPPERS: Final = ("state_dict", "model_state_dict", "model", "net")
_COUNTER: Final = "num_batches_tracked"
_SHOWN: Final = 5


def read_weights(path: Path) -> dict[str, Tensor]:
    """Read a file of weights.

    Parameters
    ----------
    path
        ``.safetensors``, or a file of ``torch.save`` (``.pth``, ``.pt``, ``.bin``, ``.ckpt``) that
        holds a state dictionary, alone or under one of the usual keys.

    Returns
    -------
    dict
        Name → values, on the CPU.

    Raises
    ------
    ModelError
        If the file is missing, damaged, holds other things than tensors, or would run code.
    """
    where = f"weights '{path}'"
    if not path.is_file():
        raise ModelError(f"{where}: no such file")
    try:
        if path.suffix == ".safetensors":
            return safetensors.torch.load_file(path)
        content: Any = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise ModelError(
            f"{where}: holds more than weights, and reading it could run code. Save the weights "
            "alone: torch.save(model.state_dict(), path), or as .safetensors."
        ) from error
    except (OSError, EOFError, RuntimeError, ValueError, safetensors.SafetensorError) as error:
        raise ModelError(f"{where}: cannot be read ({error})") from error
    for key in _WRAPPERS:
        if isinstance(content, dict) and isinstance(content.get(key), dict):
            content = content[key]
            break
    if not isinstance(content, dict):
        raise ModelError(f"{where}: holds {type(content).__name__}, expected named tensors")
    tensors = {str(k): v for k, v in content.items() if isinstance(v, torch.Tensor)}
    if not tensors:
        raise ModelError(f"{where}: holds no tensors")
    return tensors


def load_weights(module: nn.Module, path: Path, *, known: Collection[str] = ()) -> None:
    """Load a file's weights into a backbone.

    A prefix that the file puts before every name (``module.``, ``backbone.``) is taken off; parts
    that the backbone lacks altogether (a classifier, a head) are left out; a first convolution
    for color is summed for grey.

    Parameters
    ----------
    module
        The backbone; changed in place, or not at all.
    path
        See :func:`read_weights`.
    known
        Names that the file may hold though the backbone no longer does.

    Raises
    ------
    ModelError
        If the file cannot be read, or a name is missing or unexpected, or a shape differs.
    """
    given = _renamed(read_weights(path), module)
    wanted = module.state_dict()
    _adapt_first(given, module)
    children = {name.split(".")[0] for name in wanted}
    missing = [k for k in wanted if k not in given and not k.endswith(_COUNTER)]
    unexpected = [
        k
        for k in given
        if k not in wanted and k not in known and k.split(".")[0] in children
        if not k.endswith(_COUNTER)
    ]
    if missing or unexpected:
        raise ModelError(
            f"weights '{path}': do not fit the backbone: missing {_some(missing)}; "
            f"unexpected {_some(unexpected)}. Name the backbone that they were trained for."
        )
    for name, values in wanted.items():
        if name in given and given[name].shape != values.shape:
            raise ModelError(
                f"weights '{path}': '{name}' has shape {tuple(given[name].shape)}, the backbone "
                f"wants {tuple(values.shape)}. Name the backbone that they were trained for."
            )
    module.load_state_dict({k: v for k, v in given.items() if k in wanted}, strict=False)


def _renamed(given: dict[str, Tensor], module: nn.Module) -> dict[str, Tensor]:
    """Give the file's tensors the backbone's names."""
    # timm flattens ``stages.0`` to ``stages_0`` in a backbone that gives features.
    flat = {
        f"{found[1]}.{found[2]}.": f"{name}."
        for name, _ in module.named_children()
        if (found := re.fullmatch(r"(.+)_(\d+)", name))
    }
    wanted = set(module.state_dict())
    prefix = _prefix(given, wanted, flat)
    return {
        _flattened(name.removeprefix(prefix), flat): values
        for name, values in given.items()
        if name.startswith(prefix)
    }


def _flattened(name: str, flat: dict[str, str]) -> str:
    for dotted, own in flat.items():
        if name.startswith(dotted):
            return own + name.removeprefix(dotted)
    return name


def _prefix(given: Iterable[str], wanted: Collection[str], flat: dict[str, str]) -> str:
    """Return what stands before most of the names that the backbone has."""
    found: Counter[str] = Counter()
    for name in given:
        parts = name.split(".")
        for i in range(len(parts)):
            if _flattened(".".join(parts[i:]), flat) in wanted:
                found["".join(f"{part}." for part in parts[:i])] += 1
    # Of equals the shortest: a block's names may be found in another's.
    return max(found, key=lambda p: (found[p], -len(p)), default="")


def _adapt_first(given: dict[str, Tensor], module: nn.Module) -> None:
    name, convolution = first_convolution(module)
    weight = given.get(f"{name}.weight")
    if weight is not None and weight.ndim == 4:
        adapted = adapt_first_weight(weight, convolution.in_channels)
        given[f"{name}.weight"] = weight if adapted is None else adapted


def _some(names: list[str]) -> str:
    if not names:
        return "none"
    shown = ", ".join(names[:_SHOWN])
    return f"{shown} and {len(names) - _SHOWN} more" if len(names) > _SHOWN else shown
