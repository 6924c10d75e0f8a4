"""What angles and operations are called in plain words.

The sign of every angle follows the table of joint and segment angles in
:mod:`gonio.analysis.angles`: a person who faces left is mirrored to face right first.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

Side = Literal["left", "right", "middle"]
Group = Literal["leg", "trunk", "arm", "segment"]

MISSING: Final = "–"


@dataclass(frozen=True)
class AngleWords:
    """What an angle is called.

    Attributes
    ----------
    title
        The joint or segment.
    up, down
        What growing and falling values mean.
    zero
        The posture that reads the reference value.
    group
        Where in the report it stands.
    reference_deg
        The reference value, degrees.
    """

    title: str
    up: str
    down: str
    zero: str
    group: Group
    reference_deg: float = 0.0


_UPRIGHT: Final = "upright; forward is the way the person faces"

WORDS: Final[Mapping[str, AngleWords]] = {
    "hip": AngleWords("Hip", "flexion", "extension", "thigh in line with the trunk", "leg"),
    "knee": AngleWords("Knee", "flexion", "hyperextension", "straight leg", "leg"),
    "ankle": AngleWords(
        "Ankle", "dorsiflexion", "plantarflexion", "foot at 90° to the shank", "leg"
    ),
    "knee_valgus": AngleWords(
        "Knee, seen from front or rear", "inward (valgus)", "outward (varus)", "straight leg", "leg"
    ),
    "rearfoot": AngleWords(
        "Rearfoot",
        "eversion (heel outward)",
        "inversion (heel inward)",
        "heel in line with the lower leg",
        "leg",
    ),
    "leg_vertical": AngleWords(
        "Lower leg against the vertical", "lower end outward", "lower end inward", "upright", "leg"
    ),
    "heel_vertical": AngleWords(
        "Heel against the vertical", "lower end outward", "lower end inward", "upright", "leg"
    ),
    "rearfoot_unsigned": AngleWords(
        "Rearfoot, without sign", "bent either way", "straighter", "heel in line", "leg"
    ),
    "trunk": AngleWords("Trunk", "leaning back", "leaning forward", _UPRIGHT, "trunk", 90),
    "head": AngleWords("Head", "tilted back", "tilted forward", _UPRIGHT, "trunk", 90),
    "pelvis": AngleWords("Pelvis", "left side lower", "right side lower", "level", "trunk"),
    "shoulders": AngleWords("Shoulders", "left side lower", "right side lower", "level", "trunk"),
    "shoulder": AngleWords(
        "Shoulder", "flexion (arm forward)", "extension", "arm along the trunk", "arm"
    ),
    "elbow": AngleWords("Elbow", "flexion", "hyperextension", "straight arm", "arm"),
    "wrist": AngleWords("Wrist", "flexion", "extension", "hand in line with the forearm", "arm"),
    "thigh": AngleWords("Thigh", "knee forward", "knee backward", "vertical", "segment", -90),
    "shank": AngleWords("Shank", "foot forward", "foot backward", "vertical", "segment", -90),
    "foot": AngleWords("Foot", "toes up", "toes down", "flat on level ground", "segment"),
    "arm": AngleWords(
        "Upper arm", "elbow forward", "elbow backward", "hanging straight", "segment", -90
    ),
    "forearm": AngleWords(
        "Forearm", "wrist forward", "wrist backward", "hanging straight", "segment", -90
    ),
    "hand": AngleWords(
        "Hand", "fingers forward", "fingers backward", "hanging straight", "segment", -90
    ),
}


def split_side(angle: str) -> tuple[str, Side]:
    """Split ``knee_left`` into ``("knee", "left")``; an unsided angle is ``"middle"``."""
    base, _, side = angle.rpartition("_")
    if base and side == "left":
        return base, "left"
    if base and side == "right":
        return base, "right"
    return angle, "middle"


def words_of(base: str) -> AngleWords:
    """Return what an unsided angle is called; a name without words speaks for itself."""
    title = base.replace("_", " ").capitalize()
    return WORDS.get(base, AngleWords(title, "increase", "decrease", "", "segment"))


def title_of(angle: str) -> str:
    """Return ``"Knee, left"`` for ``knee_left``."""
    base, side = split_side(angle)
    title = words_of(base).title
    return title if side == "middle" else f"{title}, {side}"


def sign_in_words(words: AngleWords) -> str:
    """Say what positive and negative values mean, and which posture reads the reference."""
    if words.reference_deg == 0:
        signs = f"{words.up} +, {words.down} −"
    else:
        reference = number(words.reference_deg, digits=0, unit="°")
        signs = f"above {reference}: {words.up}, below: {words.down}"
    if not words.zero:
        return signs
    return f"{signs} · {number(words.reference_deg, digits=0)}° = {words.zero}"


def number(value: float | None, *, digits: int = 1, unit: str = "") -> str:
    """Write a number with a true minus sign; a dash where there is none (NaN, None)."""
    if value is None or value != value:  # noqa: PLR0124 (NaN alone differs from itself)
        return MISSING
    text = f"{value:.{digits}f}"
    if float(text) == 0:
        text = text.lstrip("-")
    return text.replace("-", "−") + unit


def counted(count: int, thing: str) -> str:
    """Count things: ``1 frame``, ``1,200 frames``."""
    return f"{count:,} {thing}" + ("" if count == 1 else "s")


def name_people(text: str) -> str:
    """Write ``person_0`` as ``Person 0`` wherever a text names people."""
    return re.sub(r"\bperson[_ ](\d+)", r"Person \1", text)


def changed_something(entry: Mapping[str, Any]) -> bool:
    """Say whether an operation did anything, as far as its entry in the log tells.

    Parameters
    ----------
    entry
        ``operation`` and its arguments.

    Returns
    -------
    bool
        False where it counted what it did and the count is 0.
    """
    counts = [entry[key] for key in ("hidden", "filled", "changed") if key in entry]
    return not counts or any(counts) or entry.get("size") == "unknown"


def operation_in_words(entry: Mapping[str, Any]) -> str:
    """Say what one entry of the provenance log did to the tracks.

    Parameters
    ----------
    entry
        ``operation`` and its arguments.

    Returns
    -------
    str
        A sentence; for an operation without words of its own, its name and arguments.
    """
    arguments = {key: value for key, value in entry.items() if key != "operation"}
    name = str(entry.get("operation", "?"))
    speak = _OPERATIONS.get(name)
    if speak is not None:
        try:
            return speak(arguments)
        except (KeyError, TypeError, ValueError):
            pass
    listed = ", ".join(f"{key} = {value}" for key, value in arguments.items())
    return f"{name} ({listed})" if listed else name


def repaired_stretches(entry: Mapping[str, Any], *, most: int = 40) -> list[str]:
    """List where left and right were exchanged back.

    Parameters
    ----------
    entry
        An entry of the provenance log.
    most
        How many stretches are named; the rest is counted.

    Returns
    -------
    list of str
        ``"Person 0, feet: 1.20–1.33 s"``, by person and time; empty for other operations.
    """
    if entry.get("operation") != "repair_swaps":
        return []
    listed = [
        (str(person).replace("_", " ").capitalize(), float(first), float(last), str(part))
        for person, parts in entry.get("stretches", {}).items()
        for part, spans in parts.items()
        for first, last in spans
    ]
    lines = [
        f"{person}, {part.replace('_', ' ')}: "
        + (f"{first:.2f} s" if first == last else f"{first:.2f}–{last:.2f} s")
        for person, first, last, part in sorted(listed)[:most]
    ]
    if len(listed) > most:
        lines.append(f"and {len(listed) - most:,} more, listed in the log of poses.nc")
    return lines


def _assign_identities(arguments: Mapping[str, Any]) -> str:
    people = int(arguments["people"])
    who = "1 person was" if people == 1 else f"{people:,} people were"
    dropped = int(arguments.get("dropped_sightings", 0))
    return f"{who} followed through the frames" + (
        f"; {counted(dropped, 'stray sighting')} that belong{'s' if dropped == 1 else ''} to none "
        f"{'was' if dropped == 1 else 'were'} dropped."
        if dropped
        else "."
    )


def _hide_outside(arguments: Mapping[str, Any]) -> str:
    if arguments.get("size") == "unknown":
        return "The picture's size is not known, so points outside it could not be left out."
    count = _count(arguments, "hidden")
    return f"Points the model placed outside the picture were left out{count}."


def _hide_uncertain(arguments: Mapping[str, Any]) -> str:
    return (
        f"Points the model was less than {100 * arguments['min_confidence']:.0f} % sure of were "
        f"left out{_count(arguments, 'hidden')}."
    )


def _fill_gaps(arguments: Mapping[str, Any]) -> str:
    return (
        f"Gaps of up to {arguments['max_gap_s']:g} s were bridged by interpolation"
        f"{_count(arguments, 'filled')}; such stretches are drawn dotted. "
        "Longer gaps stay gaps."
    )


def _median(arguments: Mapping[str, Any]) -> str:
    return f"Single outliers were removed with a median over {arguments['window']} frames."


def _butterworth(arguments: Mapping[str, Any]) -> str:
    return (
        "Tracks were smoothed without delay by a Butterworth low-pass filter of order "
        f"{arguments['order']} at {arguments['cutoff_hz']:g} Hz: faster movement is damped."
    )


def _repair_swaps(arguments: Mapping[str, Any]) -> str:
    limbs = " and ".join(f"{name}s" for name in arguments["limbs"])
    if not limbs:
        return "Left and right were not compared: the points make no whole limb on both sides."
    if not arguments["repaired"]:
        return f"Left and right of the {limbs} were compared over time; none were confused."
    frames = "1 frame" if arguments["repaired"] == 1 else f"{arguments['repaired']:,} frames"
    return (
        f"Where the model had confused left and right of the {limbs} ({frames}), they were "
        "exchanged back; such stretches are drawn dotted."
    )


def _tell_legs_apart(arguments: Mapping[str, Any]) -> str:
    how = {
        "labels": "Left and right leg are as the model named them, checked by the markers' places",
        "constrained": "Left and right leg were told apart by the markers' places",
        "reference": "Left and right leg were told apart by plain K-means on positions, which "
        "fails where the legs are close",
    }[arguments["method"]]
    hidden = [
        f"{counted(arguments[key], 'frame')} {why}"
        for key, why in (
            ("mixed", "with markers of one leg named as both"),
            ("unclear", "in which they could not be told apart"),
            ("misshapen", "with markers that make no leg"),
        )
        if arguments.get(key)
    ]
    disagree = "disagree" in arguments.get("sides", {}).values()
    hidden += ["all frames, since the sides disagree"] * disagree
    return f"{how}; left out: {'; '.join(hidden)}." if hidden else f"{how}; nothing was left out."


def _hampel(arguments: Mapping[str, Any]) -> str:
    instead = "left out" if arguments["replace_by"] == "nan" else "replaced by that median"
    return (
        f"Points more than {arguments['n_sigma']:g} standard deviations from the median of "
        f"{arguments['window']} frames were {instead}{_count(arguments, 'replaced')}."
    )


def _savitzky_golay(arguments: Mapping[str, Any]) -> str:
    return (
        f"Tracks were smoothed without delay by polynomials of order {arguments['order']} through "
        f"{arguments['window_frames']} frames each (Savitzky–Golay)."
    )


def _gcv_spline(arguments: Mapping[str, Any]) -> str:
    least, median, most = arguments["cutoffs_hz"]
    return (
        "Tracks were smoothed without delay by splines as smooth as the data themselves suggest: "
        f"movement faster than {median:.3g} Hz is damped ({least:.3g} to {most:.3g} Hz)."
    )


def _kalman(arguments: Mapping[str, Any]) -> str:
    certain = ", uncertain points counting less" if arguments["weights"] == "confidence" else ""
    return (
        f"Tracks were smoothed without delay by a Kalman smoother at {arguments['cutoff_hz']:g} Hz"
        f"{certain}: faster movement is damped."
    )


def _one_euro(arguments: Mapping[str, Any]) -> str:
    return (
        "Tracks were smoothed as in a live view by the 1 € filter, from "
        f"{arguments['min_cutoff_hz']:g} Hz at rest: they lag behind."
    )


def _causal_median(arguments: Mapping[str, Any]) -> str:
    return (
        "Outliers were removed as in a live view with the median of the last "
        f"{arguments['window']} frames: tracks lag behind."
    )


def _causal_butterworth(arguments: Mapping[str, Any]) -> str:
    return (
        "Tracks were smoothed as in a live view by a Butterworth low-pass filter of order "
        f"{arguments['order']} at {arguments['cutoff_hz']:g} Hz: they lag behind."
    )


def _causal_kalman(arguments: Mapping[str, Any]) -> str:
    return (
        "Tracks were smoothed as in a live view by a Kalman filter at "
        f"{arguments['cutoff_hz']:g} Hz: they lag behind where movement changes."
    )


def _count(arguments: Mapping[str, Any], key: str) -> str:
    return f" ({counted(int(arguments[key]), 'point')})" if key in arguments else ""


_OPERATIONS: Final[Mapping[str, Callable[[Mapping[str, Any]], str]]] = {
    "assign_identities": _assign_identities,
    "hide_outside": _hide_outside,
    "hide_uncertain": _hide_uncertain,
    "fill_gaps": _fill_gaps,
    "median": _median,
    "butterworth": _butterworth,
    "repair_swaps": _repair_swaps,
    "tell_legs_apart": _tell_legs_apart,
    "hampel": _hampel,
    "savitzky_golay": _savitzky_golay,
    "gcv_spline": _gcv_spline,
    "kalman": _kalman,
    "one_euro": _one_euro,
    "causal_median": _causal_median,
    "causal_butterworth": _causal_butterworth,
    "causal_kalman": _causal_kalman,
}
