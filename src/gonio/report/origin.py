"""The last sections of the report's page: how to read the angles and where they come from."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from gonio.analysis.angles import has_markers
from gonio.poses import operation_log
from gonio.report.prepare import SIDE_VIEWS
from gonio.report.sections import escape, has_angles
from gonio.report.wording import (
    changed_something,
    operation_in_words,
    repaired_stretches,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gonio.report.prepare import ReportData
    from gonio.store import Evaluation

_BLAZEPOSE_BIAS: Final = (
    "This model's own errors, measured on drawn people whose angles are known: the hip reads "
    "about 2–3° low, because the model places the hip's center further forward and lower; "
    "knee flexion in swing is underestimated, on the far leg above all; and where the legs cross, "
    "it may confuse them for single frames."
)
_REARFOOT: Final = (
    "The rearfoot angle is the line of the heel's markers against that of the lower leg's. "
    "Positive is eversion (the heel's lower end outward), negative inversion, on both sides.",
    "Without sign the angle reads about 1° too high near 0°, because noise only adds: compare "
    "averages of the signed angle.",
    "A marker that was not seen is missing here, never guessed. Left and right are the person's "
    "own, seen from behind.",
)
_FILES: Final = ("angles.csv", "poses.nc", "evaluation.json", "summary.json")


def limits(evaluation: Evaluation, data: ReportData) -> str:
    """Say what the numbers are and are not."""
    if not has_angles(evaluation):
        return _limits(
            "positions",
            [
                "Positions are in pixels of the picture, from one camera, and stand in poses.nc: x "
                "to the right, y down.",
                "They describe the movement in this recording. They are not a diagnosis and do not "
                "replace an examination; Gonio is not a certified medical device.",
            ],
        )
    points = [
        "Angles are measured in the picture, from one camera. Movement out of the picture's plane "
        "(turning, walking towards or away from the camera) changes them without the joint moving."
    ]
    near = {person.near_side for person in data.people if person.near_side}
    if len(near) == 1:
        side = near.pop()
        other = "right" if side == "left" else "left"
        points.append(
            f"The {side} side is nearer to the camera. The {other} side is partly hidden behind "
            "it: its values are less certain."
        )
    if evaluation.protocol.get("view") in SIDE_VIEWS:
        points.append(
            "For orientation: against marker-based motion capture, another pose network measured "
            "walking from the side with mean errors of 4° at the hip, 6° at the knee and 7° at the "
            "ankle (Stenum et al. 2021, PLoS Computational Biology). Differences of that size "
            "between sides or sessions may be measurement error."
        )
        if str(evaluation.model.get("name")).startswith("blazepose"):
            points.append(_BLAZEPOSE_BIAS)
        points.append(
            "A person facing left is mirrored, so that signs mean the same in both directions: "
            "forward is always the way the person faces. "
            "Left and right are always the person's own."
        )
    if has_markers(evaluation.skeleton):
        points += _REARFOOT
    points.append(
        "The angles describe the movement in this recording. They are not a diagnosis and do not "
        "replace an examination; Gonio is not a certified medical device."
    )
    return _limits("angles", points)


def _limits(what: str, points: Sequence[str]) -> str:
    items = "".join(f"<li>{escape(text)}</li>" for text in points)
    return (
        '<section class="card" aria-labelledby="limits">'
        f'<h2 id="limits">How to read these {what}</h2><ul>{items}</ul></section>'
    )


def method(evaluation: Evaluation, exported: Sequence[str] = ()) -> str:
    """Say how the numbers came about: person, processing, model, protocol, software, files.

    Parameters
    ----------
    evaluation
        What was measured; what is not known of it is left out.
    exported
        Names of further files beside the page.

    Returns
    -------
    str
        A section.
    """
    log = [entry for entry in operation_log(evaluation.poses) if changed_something(entry)]
    if evaluation.poses.sizes["time"] == 1:  # nobody is followed through one picture
        log = [entry for entry in log if entry.get("operation") != "assign_identities"]
    steps = "".join(f"<li>{_step(entry)}</li>" for entry in log)
    processing = f"<ol>{steps}</ol>" if steps else "<p>Nothing was filtered or filled.</p>"
    model, source, provenance = evaluation.model, evaluation.source, evaluation.provenance
    libraries = provenance.get("libraries") or {}
    rows = [
        ("Person", escape(_person(evaluation))),
        ("Model", _joined(model, "name", "version")),
        ("Ran on", escape(model.get("provider") or "")),
        ("Model file (SHA-256)", _hash(model)),
        ("Protocol", _joined(evaluation.protocol, "name", "title")),
        ("Keypoints", f"{escape(evaluation.skeleton.name)}, {len(evaluation.skeleton.keypoints)}"),
        ("Recording", escape(source.get("path") or "")),
        ("Recording (SHA-256)", _hash(source)),
        ("Command", _command(provenance.get("command"))),
        (
            "Software",
            escape(
                f"Gonio {provenance.get('gonio', '?')}, Python {provenance.get('python', '?')}"
                + "".join(f", {name} {version}" for name, version in libraries.items())
            ),
        ),
        ("Files", _files(exported)),
    ]
    listed = "".join(f"<dt>{name}</dt><dd>{value}</dd>" for name, value in rows if value)
    return (
        '<section class="card method" aria-labelledby="method">'
        '<h2 id="method">How it was measured</h2>'
        f"<h3 style='margin-top:.8rem'>What was done to the tracks</h3>{processing}"
        f"<h3>Model, protocol and origin</h3><dl>{listed}</dl></section>"
    )


def _joined(mapping: Mapping[str, Any], *keys: str) -> str:
    return escape(", ".join(str(mapping[key]) for key in keys if mapping.get(key)))


def _hash(mapping: Mapping[str, Any]) -> str:
    known = mapping.get("sha256")
    return f'<span class="hash">{escape(known)}</span>' if known else ""


def _person(evaluation: Evaluation) -> str:
    numbered = (
        "People are numbered from 0 in the order in which they appear, here, in the video's "
        "labels and in the files."
    )
    return f"{evaluation.person_reason} {numbered}".strip()


def _files(exported: Sequence[str]) -> str:
    links = (f'<a href="{escape(quote(name))}">{escape(name)}</a>' for name in (*exported, *_FILES))
    return ", ".join(links) + " beside this page"


def _command(command: Any) -> str:
    typed = shlex.join(map(str, command)) if isinstance(command, list | tuple) else command
    return f"<code>{escape(typed)}</code>" if typed else ""


def _step(entry: Mapping[str, Any]) -> str:
    repaired = "".join(f"<li>{escape(line)}</li>" for line in repaired_stretches(entry))
    return escape(operation_in_words(entry)) + (f"<ul>{repaired}</ul>" if repaired else "")
