"""timm's pretrained weights: from the cache where they are there, else from their hub.

Asked for a file without network, the hub's client tries again for three quarters of a minute. So
the cache is looked into first, and the hub is asked for a sign of life with a short patience.
"""

from __future__ import annotations

import urllib.error
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING, Final

import timm.models

from gonio.errors import OfflineError
from gonio.networks.weights import read_weights

if TYPE_CHECKING:
    from torch import Tensor

_PATIENCE_S: Final = 5.0
_FILES: Final = ("model.safetensors", "pytorch_model.bin")


def fetch_weights(backbone: str) -> dict[str, Tensor]:
    """Return timm's pretrained weights of a backbone.

    Parameters
    ----------
    backbone
        timm's name, with or without a tag.

    Raises
    ------
    OfflineError
        If they are neither on this machine nor within reach, or timm has none.
    ModelError
        If the file is damaged.
    """
    config = timm.models.get_pretrained_cfg(backbone, allow_unregistered=True)
    if config is None or not config.hf_hub_id:
        raise OfflineError("timm offers no pretrained weights for it")
    files = (config.hf_hub_filename,) if config.hf_hub_filename else _FILES
    return read_weights(_cached(config.hf_hub_id, files) or _download(config.hf_hub_id, files))


def _cached(repository: str, files: tuple[str, ...]) -> Path | None:
    from huggingface_hub import try_to_load_from_cache

    for file in files:
        path = try_to_load_from_cache(repository, file)
        if isinstance(path, str):
            return Path(path)
    return None


def _download(repository: str, files: tuple[str, ...]) -> Path:
    from huggingface_hub import hf_hub_download
    from huggingface_hub.errors import EntryNotFoundError

    _require_hub(repository)
    try:
        for file in files:
            try:
                return Path(hf_hub_download(repository, file, etag_timeout=_PATIENCE_S))
            except EntryNotFoundError:
                continue
    # The client's transport (requests, httpx, …) changes with its version, and so do its errors.
    except Exception as error:
        raise OfflineError(f"'{repository}' cannot be fetched ({_first_line(error)})") from error
    raise OfflineError(f"'{repository}' holds none of {', '.join(files)}")


def _require_hub(repository: str) -> None:
    """Ask the hub for a sign of life; any answer is one."""
    from huggingface_hub import constants

    advice = "Give a file of weights instead: pretrained=PATH."
    if constants.HF_HUB_OFFLINE:
        raise OfflineError(
            f"'{repository}' is not on this machine and HF_HUB_OFFLINE is set. {advice}"
        )
    request = urllib.request.Request(constants.ENDPOINT, method="HEAD")  # noqa: S310
    try:
        urllib.request.urlopen(request, timeout=_PATIENCE_S).close()  # noqa: S310
    except urllib.error.HTTPError:
        return
    except (OSError, ValueError) as error:
        reason = getattr(error, "reason", error)
        raise OfflineError(
            f"'{repository}' is not on this machine and {constants.ENDPOINT} cannot be reached "
            f"({reason}). {advice}"
        ) from error


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
