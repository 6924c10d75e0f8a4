"""What made a result: versions, settings, and the operations on the data."""

from __future__ import annotations

import platform
import sys
from dataclasses import asdict
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gonio
from gonio.poses import operation_log

if TYPE_CHECKING:
    import xarray as xr

    from gonio.workflows.settings import AnalyzeSettings

_LIBRARIES = (
    "numpy",
    "scipy",
    "xarray",
    "av",
    "opencv-python-headless",
    "onnxruntime",
    "ai-edge-litert",
)


def describe_provenance(settings: AnalyzeSettings, poses: xr.Dataset) -> dict[str, Any]:
    """Describe what made a result.

    Parameters
    ----------
    settings
        The analysis' settings.
    poses
        The processed poses, whose log says what was done to them.

    Returns
    -------
    dict
        ``gonio, python, platform, libraries, command, created, settings, log``; JSON can hold it.
        ``command`` is None where another program called Gonio: its arguments are its own.
    """
    plain = {k: str(v) if isinstance(v, Path) else v for k, v in asdict(settings).items()}
    return {
        "gonio": gonio.__version__,
        "python": platform.python_version(),
        "platform": f"{platform.system()} {platform.machine()}",
        "libraries": _versions(),
        "command": _command(),
        "created": datetime.now().astimezone().isoformat(timespec="seconds"),
        "settings": plain,
        "log": operation_log(poses),
    }


def _command() -> list[str] | None:
    program = Path(sys.argv[0] if sys.argv else "")
    is_ours = program.stem == "gonio" or program.parts[-2:] == ("gonio", "__main__.py")
    return ["gonio", *sys.argv[1:]] if is_ours else None


def describe_computation(
    source_sha256: str, model: dict[str, Any], settings: AnalyzeSettings
) -> dict[str, Any]:
    """Describe all that people found in a recording depend on.

    Parameters
    ----------
    source_sha256
        The recording's.
    model
        Its name, hash and provider.
    settings
        The analysis' settings; how many workers there are does not matter.

    Returns
    -------
    dict
        One entry each, by name; JSON can hold it.
    """
    return {
        "gonio": gonio.__version__,
        **_versions(),
        "source": source_sha256,
        "fps": settings.fps,
        "model": model["sha256"],
        "provider": model["provider"],
        "max_people": settings.max_people,
        "chunk_frames": settings.chunk_frames,
    }


def _versions() -> dict[str, str]:
    return {name: version(name) for name in _LIBRARIES}
