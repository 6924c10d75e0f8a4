"""The sections of the report's page, as HTML.

Everything that comes from a person or a file (names, paths, messages) passes :func:`escape`.
"""

from __future__ import annotations

import html
from datetime import datetime
from pathlib import PurePath
from typing import TYPE_CHECKING, Final

import numpy as np

from gonio.analysis.angles import has_markers
from gonio.poses import INDIVIDUALS
from gonio.report.prepare import MOST_POINTS
from gonio.report.tables import range_table, value_table
from gonio.report.wording import (
    counted,
    name_people,
    number,
    sign_in_words,
    words_of,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gonio.report.prepare import Panel, PersonSeen, ReportData
    from gonio.report.stills import Picture
    from gonio.report.wording import Group
    from gonio.store import Evaluation

_GROUPS: Final[Mapping[Group, str]] = {
    "leg": "Legs",
    "trunk": "Trunk and head",
    "arm": "Arms",
    "segment": "Segments in space",
}
_LINE: Final = '<svg viewBox="0 0 32 12" aria-hidden="true"><path d="M0 6{path}" {style}/></svg>'


def escape(text: object) -> str:
    """Return text that is safe inside elements and attributes."""
    return html.escape(str(text), quote=True)


def has_angles(evaluation: Evaluation) -> bool:
    """Say whether the skeleton has points that any angle lies between."""
    return evaluation.angles.sizes["angle"] > 0


def lead(evaluation: Evaluation) -> str:
    """Say in one line what was done with what."""
    protocol = evaluation.protocol
    title = str(protocol.get("title") or protocol.get("name") or "")
    if not has_angles(evaluation):
        title = f"Keypoints of the skeleton '{evaluation.skeleton.name}'"
    file = PurePath(str(evaluation.source.get("path") or "")).name
    return f"{escape(title)}{' · ' if title and file else ''}{escape(file)}"


def warnings_notice(warnings: Sequence[str]) -> str:
    """List the warnings before anything else; nothing where there are none."""
    if not warnings:
        return ""
    items = "".join(f"<li>{escape(name_people(text))}</li>" for text in warnings)
    head = "Read this first" if len(warnings) == 1 else f"Read this first: {len(warnings)} points"
    return (
        f'<section class="notice warnings" aria-labelledby="warnings"><h2 id="warnings">{head}</h2>'
        f"<ul>{items}</ul></section>"
    )


def nobody_notice(evaluation: Evaluation) -> str:
    """Say that there is nothing to report, and what may help."""
    seen = evaluation.raw.sizes[INDIVIDUALS]
    reason = escape(evaluation.person_reason)
    cause = (
        f"The people in the picture were not chosen: {reason}"
        if seen
        else "The model found no person in any frame."
    )
    who, whole = "Nobody", "the whole body is"
    if has_markers(evaluation.skeleton):
        who, whole = "No leg", "calves, heels and their markers are"
        cause = cause.replace("no person", "no leg with markers")
    return (
        '<section class="notice nobody" aria-labelledby="nobody">'
        f'<h2 id="nobody">{who} was found, so there are no angles</h2>'
        f"<p>{cause} It helps when {whole} in the picture, large enough (a third of the "
        "picture's height or more), well lit, and not hidden behind objects.</p></section>"
    )


def facts(evaluation: Evaluation, data: ReportData) -> str:
    """Return the key facts: recording, length, when analyzed, who was seen for how long."""
    source = evaluation.source
    frames = int(evaluation.poses.sizes["time"])
    file = PurePath(str(source.get("path") or "–")).name
    width, height = source.get("width"), source.get("height")
    size = f"{width} × {height} pixels" if width and height else ""
    items = [("Recording", escape(file), escape(size))]
    if frames > 1:
        fps = source.get("fps")
        rate = f", {number(fps, digits=2).rstrip('0').rstrip('.')} a second" if fps else ""
        length = number(source.get("duration_s"), digits=1, unit=" s")
        items.append(("Length", length, f"{frames:,} frames{rate}"))
    items += [_person_fact(person, frames) for person in data.people]
    others = int(evaluation.raw.sizes[INDIVIDUALS]) - len(data.people)
    if data.people and others:
        more = "1 other person" if others == 1 else f"{others} other people"
        note = "<br>".join(filter(None, (items[-1][2], f"{more} not measured")))
        items[-1] = (*items[-1][:2], note)
    items += [("Analyzed", escape(_date(evaluation.provenance.get("created"))), _speed(evaluation))]
    cells = "".join(
        f"<div><dt>{name}</dt><dd>{value}<small>{more}</small></dd></div>"
        for name, value, more in items
    )
    return f'<dl class="facts">{cells}</dl>'


def workbench(viewer_html: str, curves_html: str) -> str:
    """Put the frame viewer beside the curves."""
    alone = "" if viewer_html else " without-viewer"
    if not (viewer_html or curves_html):
        return ""
    return f'<section class="workbench{alone}">{viewer_html}<div>{curves_html}</div></section>'


def viewer(pictures: Sequence[Picture], *, has_video: bool, has_curves: bool) -> str:
    """Return the frame viewer: the overlay video, stills where it is missing."""
    if not (pictures or has_video):
        return ""
    video = controls = ""
    if has_video:
        video = (
            '<video src="overlay.mp4" controls muted playsinline preload="auto" '
            'aria-label="The recording with the skeleton drawn over it"></video>'
        )
        speeds = "".join(
            f'<option value="{s}"{" selected" if s == 1 else ""}>{s}×</option>'
            for s in (0.1, 0.25, 0.5, 1)
        )
        controls = (
            '<span class="for-video"><button type="button" data-step="-1">◀ Frame</button> '
            '<button type="button" data-step="1">Frame ▶</button> '
            f"<label>Speed <select>{speeds}</select></label></span>"
        )
    still = '<img class="still absent-video" alt="" src="data:,">' if pictures else ""
    hint = (
        '<p class="note hint">Click a curve to see that moment; '
        "drag across a curve to enlarge a stretch, double-click to see all.</p>"
        if has_curves
        else ""
    )
    missing = (
        '<p class="note absent-video">The overlay video (<code>overlay.mp4</code>) does not lie '
        "beside this page; single moments are shown instead.</p>"
    )
    return (
        f'<div class="viewer card{"" if has_video else " no-video"}">'
        f'<h2 class="note">Video with skeleton</h2><div class="screen">{video}{still}</div>'
        f'<div class="controls">{controls}<span class="time" role="status"></span></div>'
        f"{hint}{missing}</div>"
    )


def stills(pictures: Sequence[Picture], *, angles: bool) -> str:
    """Return single moments, cut out around the measured person."""
    if not pictures:
        return ""
    note = "Do the keypoints lie where they should?"
    if angles:
        note = (
            "Does the skeleton lie on the person? Where it does not, the angles of that moment "
            "are wrong."
        )
    items = "".join(
        f'<li><button type="button" data-time="{picture.time_s:.4f}">'
        f'<img src="{picture.address}" alt="Frame at {picture.time_s:.2f} s with the skeleton">'
        f"{picture.time_s:.2f} s</button></li>"
        for picture in pictures
    )
    return (
        '<section class="card moments" aria-labelledby="moments">'
        '<h2 id="moments">Single moments</h2>'
        f'<p class="note">{note}</p><ul class="stills">{items}</ul></section>'
    )


def without_recording(evaluation: Evaluation) -> str:
    """Say how to get the overlay, where tracks were given without their recording."""
    if evaluation.source.get("kind") != "poses":
        return ""
    return (
        '<p class="note without-recording">These angles come from saved tracks. To see the '
        "skeleton drawn on the recording, give the recording too: "
        "<code>gonio analyze RECORDING --from-poses FILE</code>.</p>"
    )


def curves(data: ReportData) -> str:
    """Return the plots, left and right of a joint in one, person by person, by body part."""
    if not data.panels:
        return ""
    people = dict.fromkeys(panel.person for panel in data.panels)
    several = len(people) > 1
    parts = []
    for person in people:
        groups = _groups(data, person, several=several)
        parts.append(
            f'<section class="person" id="person-{person}"><h2>Person {person}</h2>{groups}'
            "</section>"
            if several
            else groups
        )
    menu = ""
    if several:
        links = "".join(f'<a href="#person-{one}">Person {one}</a>' for one in people)
        menu = (
            f'<nav class="people" aria-label="People">{links}<a href="#ranges">Range of motion</a>'
            "</nav>"
        )
    thinned = ""
    if data.thinned:
        thinned = (
            f'<p class="note">The plots show the extremes of short stretches, at most '
            f"{MOST_POINTS:,} points a curve; every frame stands in <code>angles.csv</code>.</p>"
        )
    return f'<div class="curves">{menu}{_legend(data)}{thinned}{"".join(parts)}</div>'


def _groups(data: ReportData, person: int, *, several: bool) -> str:
    """Return a person's plots by body part; what is read less often is folded."""
    by_group: dict[Group, list[str]] = {}
    for index, panel in enumerate(data.panels):
        if panel.person == person:
            by_group.setdefault(panel.words.group, []).append(_panel(panel, index, several=several))
    opened = set(by_group)
    if "leg" in by_group:
        opened = {"leg"} if several else {"leg", "trunk"}
    level = "h3" if several else "h2"
    return "".join(
        f'<details class="group"{" open" if group in opened else ""}>'
        f"<summary><{level}>{title}</{level}>"
        f'<span class="note">{counted(len(by_group[group]), "plot")}</span></summary>'
        f'<div class="plots {group}">{"".join(by_group[group])}</div></details>'
        for group, title in _GROUPS.items()
        if group in by_group
    )


def ranges(data: ReportData) -> str:
    """Return the range-of-motion tables: joints open, segments folded."""
    if data.ranges.empty:
        return ""
    joints = range_table(data, segments=False)
    segments = range_table(data, segments=True)
    folded = (
        f"<details class='group'><summary><h3 style='display:inline'>Segments in space</h3>"
        f"</summary>{segments}</details>"
        if segments
        else ""
    )
    absent = ""
    if data.absent:
        names = ", ".join(words_of(base).title.lower() for base in data.absent)
        absent = f'<p class="note">Not measurable in this recording: {escape(names)}.</p>'
    return (
        '<section class="card" aria-labelledby="ranges"><h2 id="ranges">Range of motion</h2>'
        f"{joints}{folded}{absent}"
        '<p class="note">Missing: frames without a value between the first and the last frame in '
        "which the person was seen; where more than 80 % are missing, no range is given. Filled: "
        "values that rest on interpolated or repaired points. Minimum and maximum are single "
        "values: click their time to see that moment before relying on them.</p>"
        "</section>"
    )


def photo(data: ReportData, pictures: Sequence[Picture], *, has_overlay: bool) -> str:
    """Return picture and values of a photograph."""
    address = pictures[0].address if pictures else "overlay.png"
    image = ""
    if pictures or has_overlay:
        image = f'<img src="{address}" alt="The photograph with the skeleton drawn over it">'
        if has_overlay:
            image = f'<a href="overlay.png">{image}</a>'
        image = f'<section class="card photo">{image}</section>'
    table = value_table(data)
    if table:
        table = (
            '<section class="card" aria-labelledby="values"><h2 id="values">Angles</h2>'
            f"{table}</section>"
        )
    return f'<div class="columns">{image}{table}</div>' if image or table else ""


def truth(evaluation: Evaluation) -> str:
    """Compare with the known angles of a drawn person."""
    if evaluation.truth is None:
        return ""
    rows = "".join(
        f"<tr><th scope='row'>{escape(words_of(str(joint)).title)}</th>"
        f"<td>{number(mae, digits=1, unit='°')}</td></tr>"
        for joint, mae in evaluation.truth["mae_deg"].items()
    )
    return (
        '<section class="card" aria-labelledby="truth"><h2 id="truth">Measured against truth</h2>'
        "<p>The person in this recording is drawn, so the true angles are known: the thin dark "
        "lines in the plots.</p><div class='scroll'><table style='width:auto'><thead><tr>"
        "<th scope='col'>Joint</th><th scope='col'>Mean absolute error</th></tr></thead>"
        f"<tbody>{rows}</tbody></table></div></section>"
    )


def _person_fact(person: PersonSeen, frames: int) -> tuple[str, str, str]:
    name = f"Person {person.number}"
    if frames == 1:
        return name, "seen" if person.seen else "not seen", ""
    share = 100 * person.seen / frames
    span = f"{number(person.from_s, digits=1)}–{number(person.to_s, digits=1)} s"
    lost = f"; not seen in {counted(person.lost, 'frame')} between" if person.lost else ""
    return name, f"seen in {counted(person.seen, 'frame')} ({share:.0f} %)", f"{span}{lost}"


def _panel(panel: Panel, index: int, *, several: bool) -> str:
    words = panel.words
    who = f" · Person {panel.person}" if several else ""
    spans = []
    sides = dict.fromkeys(c.side for c in panel.curves)
    for side in sides:
        own = [
            c.value_deg for c in panel.curves if c.side == side and c.kind in {"measured", "filled"}
        ]
        values = np.concatenate(own)
        low, high = number(np.nanmin(values), digits=0), number(np.nanmax(values), digits=0)
        spans.append(f"{'' if side == 'middle' else side + ' '}{low}° to {high}°")
    label = f"{words.title}{who}, angle over time: {', '.join(spans)}"
    readout = "".join(
        f'<span class="{side}">{"" if side == "middle" else side}<b data-side="{side}">–</b></span>'
        for side in sides
    )
    return (
        f'<article class="panel card" data-figure="{index}"><header>'
        f"<h3>{escape(words.title + who)}</h3>"
        f'<p class="sign">{escape(sign_in_words(words))}</p>'
        f'<p class="readout">{readout}</p></header>'
        f'<div class="plot" role="img" aria-label="{escape(label)}"></div></article>'
    )


def _legend(data: ReportData) -> str:
    kinds = {curve.kind for panel in data.panels for curve in panel.curves}
    sides = {curve.side for panel in data.panels for curve in panel.curves}
    solid = 'style="stroke:var(--{})" stroke-width="3" fill="none"'
    entries = []
    if "left" in sides:
        entries.append((" H32", solid.format("left"), "left"))
    if "right" in sides:
        entries.append((" H32", solid.format("right"), "right"))
    if "filled" in kinds:
        dotted = solid.format("soft") + ' stroke-dasharray="2 3"'
        entries.append((" H32", dotted, "filled in or repaired"))
    if "true" in kinds:
        entries.append((" H32", 'style="stroke:var(--ink)" stroke-width="1"', "true angle"))
    if "gap" in kinds:
        dashed = 'style="stroke:var(--soft)" stroke-width="1.2" fill="none" stroke-dasharray="6 4"'
        entries.append((" H32", dashed, "gap: could not be measured"))
    items = "".join(
        f"<li>{_LINE.format(path=path, style=style)}{text}</li>" for path, style, text in entries
    )
    return f'<ul class="legend" aria-label="Lines in the plots">{items}</ul>'


def _date(created: object) -> str:
    try:
        moment = datetime.fromisoformat(str(created))
    except ValueError:
        return str(created or "–")
    return f"{moment.day} {moment:%B %Y, %H:%M}"


def _speed(evaluation: Evaluation) -> str:
    wall, rate = (evaluation.timing.get(key) for key in ("wall_s", "frames_per_s"))
    if wall is None or rate is None or not evaluation.model.get("provider"):
        return ""  # tracks that were found before: the speed of reading a file says nothing
    if evaluation.poses.sizes["time"] == 1:
        return f"in {number(wall)} s"
    return f"in {number(wall)} s, {number(rate)} frames a second"
