"""Checkpoints: written whole or not at all, and read without running anything in them."""

from __future__ import annotations

import os
import pickle
import shutil
import zipfile
from typing import TYPE_CHECKING, Any, Final

import torch
from lightning.fabric.plugins.io.torch_io import TorchCheckpointIO

from gonio.errors import ModelError
from gonio.formats.whole import whole_file

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from torch import Tensor, nn

LAST: Final = "last.ckpt"
BEST: Final = "best.ckpt"
_PREFIX: Final = "network."


class WholeCheckpoints(TorchCheckpointIO):
    """Lightning's way to files: a full disk leaves the checkpoint that was there."""

    def save_checkpoint(
        self,
        checkpoint: dict[str, Any],
        path: Any,
        storage_options: Any | None = None,
    ) -> None:
        """Write under a temporary name, then rename."""
        save_checkpoint(checkpoint, path)

    def load_checkpoint(
        self,
        path: Any,
        map_location: Any | None = None,
        weights_only: bool | None = None,
    ) -> dict[str, Any]:
        """Read tensors and plain values only."""
        return load_checkpoint(path)


def save_checkpoint(checkpoint: Mapping[str, Any], path: Path) -> None:
    """Write a checkpoint; one of the same name is replaced once the new one is complete.

    Raises
    ------
    OutputError
        If it cannot be written, as on a full disk; the old one is still there.
    """
    with whole_file(path) as part, part.open("wb") as file:
        torch.save(dict(checkpoint), file)
        file.flush()
        os.fsync(file.fileno())


def copy_checkpoint(path: Path, other: Path) -> None:
    """Give a checkpoint a second name: a link where the disk has such, else a copy.

    Raises
    ------
    OutputError
        If it cannot be written.
    """
    with whole_file(other) as part:
        part.unlink(missing_ok=True)
        try:
            os.link(path, part)
        except OSError:
            shutil.copyfile(path, part)


def load_checkpoint(path: Path) -> dict[str, Any]:
    """Read a checkpoint onto the CPU.

    Raises
    ------
    ModelError
        If it is missing or damaged, holds more than tensors and plain values, or was not
        written by Gonio. The best one beside a damaged last one is named.
    """
    try:
        loaded = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError:
        raise ModelError(f"'{path}': no such checkpoint") from None
    except pickle.UnpicklingError as error:
        if zipfile.is_zipfile(path):
            raise ModelError(
                f"'{path}': holds more than weights and numbers, and is not loaded: "
                "such a file can run any program"
            ) from error
        raise _damaged(path, error) from error
    except (OSError, RuntimeError, EOFError, ValueError, KeyError) as error:
        raise _damaged(path, error) from error
    if not isinstance(loaded, dict) or "gonio" not in loaded or "state_dict" not in loaded:
        raise ModelError(f"'{path}': not a checkpoint of 'gonio train'")
    return loaded


def check_checkpoint(
    checkpoint: Mapping[str, Any],
    path: Path,
    *,
    keypoints: Sequence[str],
    skeleton: str,
    network: nn.Module,
) -> None:
    """Check that a checkpoint belongs to a training of these keypoints and this network.

    Parameters
    ----------
    checkpoint, path
        What was loaded, and where from.
    keypoints, skeleton
        The keypoints to be learned, and their skeleton's name.
    network
        What is to take up its weights.

    Raises
    ------
    ModelError
        If its keypoints are others, or its weights are another network's.
    """
    theirs = checkpoint["gonio"]["keypoints"]
    if list(theirs) != list(keypoints):
        name = checkpoint["gonio"]["skeleton"]
        raise ModelError(
            f"'{path}': was trained on the {len(theirs)} keypoints of '{name}', and "
            f"{len(keypoints)} of '{skeleton}' are to be learned. Begin a new run, or give the "
            "labels it was trained on."
        )
    state = checkpoint["state_dict"]
    kept = {k.removeprefix(_PREFIX): v.shape for k, v in state.items() if k.startswith(_PREFIX)}
    own = {k: v.shape for k, v in network.state_dict().items()}
    if kept != own:
        names = sorted(k for k in kept.keys() | own.keys() if kept.get(k) != own.get(k))
        raise ModelError(
            f"'{path}': holds another network than the recipe's ({names[0]} differs, and "
            f"{len(names) - 1} more). Begin a new run."
        )


def network_weights(checkpoint: Mapping[str, Any]) -> dict[str, Tensor]:
    """Return the weights to be used: the moving average where there is one."""
    if checkpoint["gonio"].get("ema"):
        return dict(checkpoint["gonio"]["ema"]["average"])
    state = checkpoint["state_dict"]
    return {k.removeprefix(_PREFIX): v for k, v in state.items() if k.startswith(_PREFIX)}


def _damaged(path: Path, error: Exception) -> ModelError:
    best = path.with_name(BEST)
    told = str(error).strip().splitlines()
    hint = (
        f" Its best epoch is whole: copy '{best.name}' over it to go on from there."
        if path.name == LAST and best.exists() and not best.samefile(path)
        else " Begin the run anew."
    )
    return ModelError(f"'{path}': is damaged ({told[0] if told else 'cut off'}).{hint}")
