"""From raw tracks to processed tracks and angles of the chosen people."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from gonio.analysis.angles import compute_angles, has_markers
from gonio.analysis.side_view import turned_share
from gonio.poses import INDIVIDUALS, KEYPOINTS
from gonio.tracking import choose_person, process

if TYPE_CHECKING:
    import xarray as xr

    from gonio.analysis.angles import View
    from gonio.protocols import ProtocolSpec
    from gonio.skeletons import Skeleton


_WITHOUT_TIME = frozenset({"hide_outside", "hide_uncertain", "tell_legs_apart"})
_TURNED_TOO_OFTEN = 0.1
_MOSTLY = 0.5


@dataclass(frozen=True)
class Measured:
    """Processed tracks of everybody, and angles of the chosen people."""

    poses: xr.Dataset
    angles: xr.Dataset
    chosen: list[str]
    person_reason: str
    warnings: list[str] = field(default_factory=list)

    def as_fields(self) -> dict[str, Any]:
        """Return the fields of an evaluation that follow from the measurement."""
        return {
            "poses": self.poses,
            "angles": self.angles,
            "chosen": self.chosen,
            "person_reason": self.person_reason,
        }


def measure(raw: xr.Dataset, skeleton: Skeleton, protocol: ProtocolSpec) -> Measured:
    """Choose people, process their tracks and compute their angles.

    Of a single frame, operations that look along time are left out: nothing is filtered.

    Parameters
    ----------
    raw
        Tracks with identities.
    skeleton
        Their skeleton.
    protocol
        Says whom, how and what.

    Returns
    -------
    Measured
        With empty tracks and a warning where nobody was seen.
    """
    raw = raw.assign_attrs(view=protocol.view, mirrored=int(protocol.mirrored))
    choice = choose_person(raw, skeleton, rule=protocol.person)
    steps = protocol.processing
    if raw.sizes["time"] == 1:
        steps = tuple(step for step in steps if step["op"] in _WITHOUT_TIME)
    poses = process(raw, steps)
    chosen = poses.sel({INDIVIDUALS: list(choice.individuals)})
    angles = compute_angles(
        chosen, skeleton, view=_seen_as(protocol), names=protocol.angles or None
    )
    angles = angles.assign_attrs(view=protocol.view)
    warnings = [] if choice.individuals else [f"{_nobody(skeleton)} was found in the recording."]
    if protocol.view in {"sagittal", "any"}:
        warnings += _turned(chosen, skeleton)
    if has_markers(skeleton):
        warnings += _missing_markers(chosen, skeleton)
    return Measured(poses, angles, list(choice.individuals), choice.reason, warnings)


def _seen_as(protocol: ProtocolSpec) -> View:
    """Return the view whose left and right lie as in the picture: a mirror exchanges the two."""
    if protocol.mirrored:
        return "frontal" if protocol.view == "rear" else "rear"
    return protocol.view


def _nobody(skeleton: Skeleton) -> str:
    return "No leg with markers" if has_markers(skeleton) else "Nobody"


def _missing_markers(chosen: xr.Dataset, skeleton: Skeleton) -> list[str]:
    """Name markers without a position in most of the frames in which a person has any."""
    messages = []
    for name in chosen[INDIVIDUALS].values:
        own = chosen["position"].sel({INDIVIDUALS: name})
        seen = own.sel({KEYPOINTS: list(skeleton.keypoints)}).notnull().all("space").to_numpy()
        seen = seen[seen.any(axis=1)]
        if not len(seen):
            continue
        lost = [n for n, s in zip(skeleton.keypoints, seen.T, strict=True) if s.mean() < _MOSTLY]
        if lost:
            where = "" if chosen.sizes["time"] == 1 else " in most frames"
            listed = ", ".join(marker.replace("_", " ") for marker in lost)
            messages.append(f"{name}: not seen{where}, hence without angles: {listed}.")
    return messages


def _turned(chosen: xr.Dataset, skeleton: Skeleton) -> list[str]:
    """Warn of people who are not seen from the side for a good part of the time."""
    shares = turned_share(chosen, skeleton)
    return [
        f"{name} is turned toward or away from the camera in {100 * share:.0f} % of the frames: "
        "angles of the side view are wrong there. Film exactly from the side."
        for name, share in zip(chosen[INDIVIDUALS].values, shares, strict=True)
        if share >= _TURNED_TOO_OFTEN
    ]
