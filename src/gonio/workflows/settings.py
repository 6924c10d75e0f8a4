"""What a person can set for an analysis, and the protocol that results from it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gonio.errors import ConfigError, InputError
from gonio.protocols import load_protocol
from gonio.runtime import CHUNK_FRAMES, ModelStore
from gonio.runtime.sessions import PROVIDERS
from gonio.tracking import check_person_rule, check_steps
from gonio.workflows.model_files import find_model

if TYPE_CHECKING:
    from gonio.protocols import ProtocolSpec

_HEIGHTS_M = (0.3, 2.8)

Progress = Callable[[str, int, int | None], None]
"""Called with a stage's name, how much of it is done, and the total where it is known."""


@dataclass(frozen=True)
class AnalyzeSettings:
    """Settings of ``gonio analyze``.

    Attributes
    ----------
    protocol
        Built-in name or path of a YAML file.
    model, person
        Replace the protocol's own where given.
    out
        Folder of the evaluations.
    from_poses
        Tracks to start from instead of finding people.
    overlay
        Draw the result over the recording.
    fps
        Frames per second of a folder of images, or of tracks that hold none.
    height_m
        The measured person's stature, metres: the scale of ``trc``.
    trc, mot
        Also write OpenSim's files.
    max_people
        How many people are followed at once.
    device, threads
        Where models run, and on how many threads each (None: the cores left by the workers).
    overwrite
        Replace an existing evaluation once the new one is complete.
    resume
        Go on with an analysis that was interrupted, if there is one.
    workers
        How many parts of a recording are looked at side by side; None: as many as there are
        cores. The result does not depend on it.
    chunk_frames
        Frames after which people are looked for anew. The result depends on it: for tests.
    """

    protocol: str = "general"
    model: str | None = None
    person: str | None = None
    out: Path = Path("results")
    from_poses: Path | None = None
    overlay: bool = True
    fps: float | None = None
    height_m: float | None = None
    trc: bool = False
    mot: bool = False
    max_people: int = 2
    device: str = "auto"
    threads: int | None = None
    overwrite: bool = False
    resume: bool = False
    workers: int | None = None
    chunk_frames: int = CHUNK_FRAMES


def resolve_protocol(settings: AnalyzeSettings) -> ProtocolSpec:
    """Return the protocol with the settings' replacements, checked as far as names go.

    Parameters
    ----------
    settings
        The settings.

    Returns
    -------
    ProtocolSpec

    Raises
    ------
    ConfigError
        If the protocol, an operation, an argument, the model, the device or the choice of person
        is unknown.
    ModelError
        If the model is a path that holds none. A model of the store is not fetched yet.
    InputError
        If settings contradict each other, or the height is none.
    """
    for name in ("workers", "chunk_frames", "threads"):
        number = getattr(settings, name)
        if number is not None and number < 1:
            raise InputError(f"{name}: {number} given, at least 1 is needed")
    if settings.trc and settings.height_m is None:
        raise InputError(
            "--trc writes meters and needs a scale: give --height-m, the person's height"
        )
    _check_height(settings.height_m)
    if settings.device not in PROVIDERS:  # the nearest to 'gpu' would be 'cpu'
        raise ConfigError(f"unknown device '{settings.device}' (known: {', '.join(PROVIDERS)})")
    changes: dict[str, Any] = {}
    if settings.model is not None:
        changes["model"] = str(settings.model)
    if settings.person is not None:
        changes["person"] = str(settings.person)
    protocol = load_protocol(settings.protocol).model_copy(update=changes)
    check_person_rule(protocol.person)
    check_steps(protocol.processing)
    if settings.from_poses is None:
        store = ModelStore()
        if protocol.model not in store.names():
            find_model(protocol.model, store=store)  # a path, or unknown
    return protocol


def _check_height(height_m: float | None) -> None:
    least, most = _HEIGHTS_M
    if height_m is None or least <= height_m <= most:
        return
    hint = f" In meters: {height_m / 100:g}?" if least <= height_m / 100 <= most else ""
    raise InputError(
        f"--height-m {height_m:g}: not a person's height in meters ({least:g} to {most:g}).{hint}"
    )
