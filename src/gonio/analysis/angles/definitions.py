"""Which points make an angle, its neutral pose, and its sign."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, get_args

from gonio.errors import UnknownNameError
from gonio.skeletons import side_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from gonio.skeletons import Skeleton

View = Literal["sagittal", "frontal", "rear", "any"]
Plane = Literal["sagittal", "frontal"]
VIEWS: Final[tuple[View, ...]] = get_args(View)

_SIDES: Final = ("left", "right")
_MIDDLE: Final = frozenset({"neck", "mid_hip", "head", "left_hip", "right_hip"}) | {
    "left_shoulder",
    "right_shoulder",
}


@dataclass(frozen=True)
class AngleDefinition:
    """One angle, without its side.

    Attributes
    ----------
    name
        ``"knee"``; a sided angle is measured as ``"knee_left"``, ``"knee_right"``.
    points
        Two (a segment), three or four (a joint) points. A sided angle's paired points take the
        side (``left_knee``); ``neck``, ``mid_hip`` and ``head`` lie in the middle.
    offset_deg, scale
        ``(raw + offset_deg) * scale``, wrapped to [−180, 180).
    kind
        Joints do not turn with the image; segments turn counter-clockwise from +x.
    plane
        The plane the angle lies in, hence the views that can give it.
    sided
        Whether each side of the body has one.
    arc
        Vertex and the two points between which a drawn arc runs; None for segments.
    markers
        Measured on markers that few skeletons have: where they are missing, nobody misses the
        angle unless it is asked for by name.
    unsigned
        The magnitude of the wrapped angle, 0 to 180.
    bend
        Of four points: drawn as the turn from the first pair's extension to the second pair.
    """

    name: str
    points: tuple[str, ...]
    offset_deg: float
    scale: float
    kind: Literal["joint", "segment"]
    plane: Plane = "sagittal"
    sided: bool = True
    arc: tuple[str, str, str] | None = None
    markers: bool = False
    unsigned: bool = False
    bend: bool = False

    def seen_in(self, view: View) -> bool:
        """Return whether the view can give the angle; ``any`` counts as sagittal."""
        return (self.plane == "sagittal") == (view in {"sagittal", "any"})


def _joint(
    name: str, points: str, offset_deg: float, scale: float, arc: str, plane: Plane = "sagittal"
) -> AngleDefinition:
    vertex, start, end = arc.split()
    return AngleDefinition(
        name, tuple(points.split()), offset_deg, scale, "joint", plane, arc=(vertex, start, end)
    )


def _segment(name: str, points: str, *, sided: bool = True) -> AngleDefinition:
    return AngleDefinition(name, tuple(points.split()), 0, -1, "segment", sided=sided)


def _obliquity(name: str, points: str) -> AngleDefinition:
    return AngleDefinition(name, tuple(points.split()), 0, 1, "segment", "frontal", sided=False)


def _rearfoot(name: str, points: str, offset_deg: float, scale: float) -> AngleDefinition:
    return AngleDefinition(
        name,
        tuple(points.split()),
        offset_deg,
        scale,
        "joint" if points.count(" ") == 3 else "segment",
        "frontal",
        markers=True,
        unsigned=name.endswith("_unsigned"),
        bend=name == "rearfoot",
    )


_REAR: Final = "leg_upper leg_lower heel_upper heel_lower"

ANGLES: Final[Mapping[str, AngleDefinition]] = {
    definition.name: definition
    for definition in (
        _joint("ankle", "knee ankle big_toe heel", 90, 1, arc="ankle knee big_toe"),
        _joint("knee", "ankle knee hip", -180, 1, arc="knee hip ankle"),
        _joint("hip", "knee hip mid_hip neck", 0, -1, arc="hip neck knee"),
        _joint("shoulder", "elbow shoulder mid_hip neck", 0, -1, arc="shoulder mid_hip elbow"),
        _joint("elbow", "wrist elbow shoulder", 180, -1, arc="elbow shoulder wrist"),
        _joint("wrist", "elbow wrist index", -180, 1, arc="wrist elbow index"),
        _segment("foot", "big_toe heel"),
        _segment("shank", "ankle knee"),
        _segment("thigh", "knee hip"),
        _obliquity("pelvis", "left_hip right_hip"),
        _obliquity("shoulders", "left_shoulder right_shoulder"),
        _segment("trunk", "neck mid_hip", sided=False),
        _segment("head", "head neck", sided=False),
        _segment("arm", "elbow shoulder"),
        _segment("forearm", "wrist elbow"),
        _segment("hand", "index wrist"),
        _joint("knee_valgus", "ankle knee hip", -180, 1, arc="knee hip ankle", plane="frontal"),
        _rearfoot("rearfoot", _REAR, 0, -1),
        _rearfoot("rearfoot_unsigned", _REAR, 0, 1),
        _rearfoot("leg_vertical", "leg_lower leg_upper", -90, 1),
        _rearfoot("heel_vertical", "heel_lower heel_upper", -90, 1),
    )
}
"""The angles by unsided name (Sports2D's and Pose2Sim's table; OpenSim's signs).

``pelvis`` and ``shoulders`` are the obliquity of the left–right line, positive when the person's
left is lower (OpenSim's ``pelvis_list``); ``knee_valgus`` is the hip–knee–ankle angle in the
frontal plane, 0 = straight, positive = knee medial. All three need a frontal or rear view.

``rearfoot`` is the heel's line against the lower leg's, seen from behind: with θ1 and θ2 the
directions of leg and heel from top to bottom (atan2(Δy, Δx), y down) it is s·wrap(θ1 − θ2), s = +1
for the leg at the image's right (from behind: the right one), −1 for the other; positive =
eversion (heel end lateral) on both sides. ``rearfoot_unsigned`` is |θ1 − θ2|, at most 180°.
``leg_vertical`` and ``heel_vertical`` are the lines against the vertical, positive = lower end
lateral; ``rearfoot`` = ``heel_vertical`` − ``leg_vertical``.
"""


def find_angle(name: str) -> tuple[AngleDefinition, str]:
    """Split an angle's name into its definition and its side.

    Parameters
    ----------
    name
        ``"knee_left"``, ``"trunk"``, or ``"knee"``.

    Returns
    -------
    definition, side
        Side is ``"left"``, ``"right"``, or empty where the name has none.

    Raises
    ------
    UnknownNameError
        If there is no such angle.
    """
    if name in ANGLES:
        return ANGLES[name], ""
    stem, _, side = name.rpartition("_")
    if side in _SIDES and stem in ANGLES and ANGLES[stem].sided:
        return ANGLES[stem], side
    sided = [f"{a.name}_{s}" for a in ANGLES.values() if a.sided for s in _SIDES]
    raise UnknownNameError("angle", name, [*ANGLES, *sided])


def angle_points(name: str, skeleton: Skeleton) -> tuple[str, ...] | None:
    """Return the names of the points an angle is computed from.

    Parameters
    ----------
    name
        The angle as measured: ``"knee_left"``; unsided for a skeleton of one side.
    skeleton
        The skeleton; its derived points count.

    Returns
    -------
    tuple of str or None
        In the definition's order, as :func:`gonio.poses.point` takes them. None where the
        skeleton neither has nor derives one of them.

    Raises
    ------
    UnknownNameError
        If there is no such angle.
    """
    definition, side = find_angle(name)
    if definition.plane == "frontal" and definition.sided and not side:
        return None  # which way is medial depends on the side
    return _resolve(definition.points, side, skeleton)


def arc_points(name: str, skeleton: Skeleton) -> tuple[str, str, str] | None:
    """Return the points between which a joint angle is drawn as an arc.

    Parameters
    ----------
    name
        The angle as measured: ``"knee_left"``.
    skeleton
        The skeleton; its derived points count.

    Returns
    -------
    tuple of str or None
        Vertex, start and end, as :func:`gonio.poses.point` takes them. None for a segment, and
        where the skeleton lacks one of them.

    Raises
    ------
    UnknownNameError
        If there is no such angle.
    """
    definition, side = find_angle(name)
    if definition.arc is None or angle_points(name, skeleton) is None:
        return None
    points = _resolve(definition.arc, side, skeleton)
    return None if points is None else (points[0], points[1], points[2])


def angle_names(
    skeleton: Skeleton, *, view: View = "sagittal", names: Sequence[str] | None = None
) -> tuple[list[str], list[str]]:
    """Say which angles a skeleton gives, and which it cannot.

    Parameters
    ----------
    skeleton
        The skeleton; one without sides (gait6) gives unsided names (``knee``).
    view
        The view, where ``names`` is None.
    names
        Angles wanted; ``"knee"`` stands for both sides. None = every one the view can give.

    Returns
    -------
    present, absent
        Names as measured (``knee_left``), in the order wanted, each once.

    Raises
    ------
    UnknownNameError
        If one of ``names`` is no angle.
    """
    wanted = [a.name for a in ANGLES.values() if a.seen_in(view)] if names is None else names
    as_measured = dict.fromkeys(m for name in wanted for m in _measured(name, skeleton))
    present = [m for m in as_measured if angle_points(m, skeleton) is not None]
    absent = [m for m in as_measured if m not in present]
    if names is None:
        # A body has no markers, and markers are no body: neither misses the other's angles.
        of_markers = any(find_angle(m)[0].markers for m in present)
        absent = [m for m in absent if find_angle(m)[0].markers == of_markers]
    return present, absent


def has_markers(skeleton: Skeleton) -> bool:
    """Say whether a skeleton's points are markers of the rearfoot angle (rearfoot6, rearfoot8)."""
    return angle_points("rearfoot_left", skeleton) is not None


def _measured(name: str, skeleton: Skeleton) -> Iterable[str]:
    definition, side = find_angle(name)
    if side or not definition.sided:
        return [name]
    sides = [s for s in _SIDES if any(side_of(k) == s for k in skeleton.keypoints)]
    return [f"{name}_{s}" for s in sides] or [name]


def _resolve(points: Sequence[str], side: str, skeleton: Skeleton) -> tuple[str, ...] | None:
    names = tuple(p if p in _MIDDLE or not side else f"{side}_{p}" for p in points)
    return names if all(skeleton.parents(n) is not None for n in names) else None
