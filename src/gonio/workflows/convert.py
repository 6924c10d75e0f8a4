"""From one file of tracks to another."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gonio.analysis.scale import pixels_per_meter
from gonio.errors import InputError
from gonio.formats import detect_format, read_tracks, write_tracks

if TYPE_CHECKING:
    from gonio.formats import Tracks


@dataclass(frozen=True)
class ConvertSettings:
    """Settings of ``gonio convert``.

    Attributes
    ----------
    from_format, to_format
        Names of formats; None: told by suffix and content.
    fps
        Frames per second, where the file holds none.
    skeleton
        What the keypoints follow; None: found by their names or number.
    person
        Whom to write; None: everybody.
    height_m, px_per_m
        The scale for formats in metres: the person's stature, or pixels per metre.
    overwrite
        Replace a file that exists.
    """

    from_format: str | None = None
    to_format: str | None = None
    fps: float | None = None
    skeleton: str | None = None
    person: str | None = None
    height_m: float | None = None
    px_per_m: float | None = None
    overwrite: bool = False


@dataclass(frozen=True)
class Conversion:
    """What was converted.

    Attributes
    ----------
    source, target
        The files.
    frames, keypoints, people, angles, events
        How many the source holds.
    left_out
        What the target's format cannot hold, in words.
    """

    source: str
    target: str
    frames: int
    keypoints: int
    people: int
    angles: int
    events: int
    left_out: list[str]

    def as_json(self) -> dict[str, Any]:
        """Return everything as plain values."""
        return asdict(self)

    def title(self) -> str:
        """Return one line about what the source holds."""
        counts = {
            "frames": self.frames,
            "person" if self.people == 1 else "people": self.people,
            "keypoints": self.keypoints,
            "angles": self.angles,
            "events": self.events,
        }
        return ", ".join(f"{n} {what}" for what, n in counts.items() if n)


def convert(source: str | Path, target: str | Path, settings: ConvertSettings) -> Conversion:
    """Read tracks from one file and write them to another, whole or not at all.

    Parameters
    ----------
    source, target
        Files of any format of :func:`gonio.formats.track_formats`; OpenPose's are folders.
    settings
        The settings.

    Returns
    -------
    Conversion
        What was converted. What the target cannot hold is a warning too.

    Raises
    ------
    GonioError
        If anything given cannot be used. Nothing is left behind then.
    """
    source, target = Path(source), Path(target)
    name = settings.from_format or detect_format(source).name
    tracks = read_tracks(source, format=name, skeleton=settings.skeleton, fps=settings.fps)
    chosen = tracks if settings.person is None else tracks.of(settings.person)
    lost = write_tracks(
        target,
        chosen,
        format=settings.to_format,
        px_per_m=_scale(chosen, target, settings),
        overwrite=settings.overwrite,
    )
    return _describe(source, target, tracks, lost)


def _scale(tracks: Tracks, target: Path, settings: ConvertSettings) -> float | None:
    """Return pixels per metre, None where no scale is asked for."""
    if settings.height_m is None and settings.px_per_m is None:
        return None
    if settings.height_m is not None and settings.px_per_m is not None:
        raise InputError("--height-m and --px-per-m are two scales: give one")
    name = settings.to_format or target.suffix.lower().removeprefix(".")
    if tracks.poses is None or tracks.poses.sizes["space"] == 3 or name not in ("trc", "c3d"):
        raise InputError(
            "a scale (--height-m, --px-per-m) counts only where 2D keypoints become .trc or .c3d"
        )
    if settings.height_m is None or tracks.skeleton is None:
        return settings.px_per_m
    if len(tracks.people) != 1:
        raise InputError(
            f"--height-m is one person's: name one with --person ({', '.join(tracks.people)})"
        )
    return pixels_per_meter(tracks.poses, tracks.skeleton, settings.height_m)


def _describe(source: Path, target: Path, tracks: Tracks, lost: list[str]) -> Conversion:
    data = tracks.poses if tracks.poses is not None else tracks.angles
    return Conversion(
        source=str(source),
        target=str(target),
        frames=0 if data is None else data.sizes["time"],
        keypoints=0 if tracks.poses is None else tracks.poses.sizes["keypoints"],
        people=len(tracks.people),
        angles=0 if tracks.angles is None else tracks.angles.sizes["angle"],
        events=len(tracks.events),
        left_out=lost,
    )
