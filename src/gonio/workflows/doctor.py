"""Checks of an installation: what an analysis needs, and whether it is here."""

from __future__ import annotations

import os
import platform
import shutil
import tempfile
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

_PACKAGES = ("numpy", "xarray", "av", "opencv-python-headless", "onnxruntime", "ai-edge-litert")
_LEAST_FREE_GB = 2.0


@dataclass(frozen=True)
class Check:
    """One thing looked at: ``ok`` is True, False (a problem), or None (worth knowing)."""

    name: str
    ok: bool | None
    detail: str

    def as_json(self) -> dict[str, Any]:
        """Return the check as a mapping for JSON."""
        return {"name": self.name, "ok": self.ok, "detail": self.detail}


def diagnose() -> list[Check]:
    """Check versions, codecs, inference, models, and write access; never raises.

    Returns
    -------
    list of Check
        In the order a person would mend them.
    """
    return list(_checks())


def _checks() -> Iterator[Check]:
    import gonio

    system = f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores"
    yield Check("Gonio", True, f"{gonio.__version__}, Python {platform.python_version()}, {system}")
    for package in _PACKAGES:
        yield _package(package)
    yield _video_codec()
    yield _providers()
    yield from _models()
    yield _temporary_space()


def _package(name: str) -> Check:
    try:
        return Check(name, True, version(name))
    except PackageNotFoundError:
        return Check(name, False, f"not installed. Install it: pip install '{name}'")


def _video_codec() -> Check:
    try:
        import av

        av.codec.Codec("libx264", "w")
    except Exception as error:  # noqa: BLE001 - a broken install fails in many ways; each is reported
        return Check("H.264 writer", False, f"missing ({error}); overlays cannot be written")
    return Check("H.264 writer", True, f"libx264 in FFmpeg {av.ffmpeg_version_info}")


def _providers() -> Check:
    from gonio.runtime import onnx_providers

    try:
        names = [name.removesuffix("ExecutionProvider") for name in onnx_providers()]
    except Exception as error:  # noqa: BLE001 - as above
        return Check("inference", False, f"ONNX Runtime does not load ({error})")
    return Check("inference", True, f"ONNX Runtime: {', '.join(names)}; LiteRT: CPU")


def _models() -> Iterator[Check]:
    from gonio.errors import GonioError
    from gonio.runtime import ModelStore

    store = ModelStore()
    for name in store.names():
        try:
            path = store.find(name)
            if path is not None:
                store.check(name)
        except (GonioError, OSError) as error:
            yield Check(f"model {name}", False, str(error))
            continue
        if path is None:
            how = "fetched at first use, or: gonio models pull"
            if not store.card(name).source:
                how = f"if you have its file: gonio models add {name} FILE"
            yield Check(f"model {name}", None, f"not here yet; {how}")
        else:
            yield Check(f"model {name}", True, str(path))


def _temporary_space() -> Check:
    folder = Path(tempfile.gettempdir())
    free_gb = shutil.disk_usage(folder).free / 1e9
    enough = free_gb >= _LEAST_FREE_GB
    return Check("free disk", True if enough else None, f"{free_gb:.1f} GB in {folder}")
