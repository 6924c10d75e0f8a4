"""The tables of the report, as HTML."""

from __future__ import annotations

import html
import math
from typing import TYPE_CHECKING, Any

import numpy as np

from gonio.poses import INDIVIDUALS, KEYPOINTS
from gonio.report.wording import MISSING, number, sign_in_words, split_side, title_of, words_of

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping

    import pandas as pd

    from gonio.report.prepare import ReportData
    from gonio.store import Evaluation

_MUCH_MISSING = 0.2
_TICK_DEG = 30


def range_table(data: ReportData, *, segments: bool) -> str:
    """Return the range of motion of every person: one row an angle, left above right.

    Parameters
    ----------
    data
        Prepared data.
    segments
        Segments in space, or else joints, trunk and head.

    Returns
    -------
    str
        A table a person; empty where there is no such angle.
    """
    table = data.ranges
    is_segment = table["angle"].map(lambda a: words_of(split_side(a)[0]).group == "segment")
    chosen = table[is_segment == segments]
    if chosen.empty:
        return ""
    chosen = chosen.assign(order=chosen["angle"].map(_order(data)))
    low, high = chosen["min_deg"].min(), chosen["max_deg"].max()
    if math.isnan(low):
        low = high = 0.0
    scale = (
        math.floor(low / _TICK_DEG) * _TICK_DEG,
        max(math.ceil(high / _TICK_DEG), math.floor(low / _TICK_DEG) + 1) * _TICK_DEG,
    )
    numbers = {person.individual: person.number for person in data.people}
    parts = []
    for individual, own in chosen.groupby("individual", sort=False):
        caption = (
            f"<caption>Person {numbers[str(individual)]}</caption>" if len(numbers) > 1 else ""
        )
        plots = {
            panel.base: index
            for index, panel in enumerate(data.panels)
            if panel.person == numbers[str(individual)]
        }
        parts.append(_one_table(own.sort_values("order"), scale, caption, plots))
    return "".join(parts)


def keypoint_table(evaluation: Evaluation) -> str:
    """Return how often and how surely each keypoint was found: where there are no angles."""
    if not evaluation.chosen:
        return ""
    chosen = {INDIVIDUALS: list(evaluation.chosen)}
    raw, poses = evaluation.raw.sel(chosen), evaluation.poses.sel(chosen)
    parts = []
    for individual in evaluation.chosen:
        rows = []
        for name in evaluation.skeleton.keypoints:
            own = {INDIVIDUALS: individual, KEYPOINTS: name}
            found = raw["position"].sel(own).notnull().all("space")
            kept = float(poses["position"].sel(own).notnull().all("space").mean())
            sure = raw["confidence"].sel(own).where(found).to_numpy()
            mean = float(sure[~np.isnan(sure)].mean()) if (~np.isnan(sure)).any() else None
            rows.append(
                f"<tr><th scope='row'>{html.escape(name.replace('_', ' '))}</th>"
                f"<td>{100 * float(found.mean()):.0f} %</td><td>{number(mean, digits=2)}</td>"
                f"<td>{100 * kept:.0f} %</td></tr>"
            )
        who = f"<caption>Person {evaluation.person_id(individual)}</caption>"
        caption = who if len(evaluation.chosen) > 1 else ""
        parts.append(
            f"<div class='scroll'><table style='width:auto'>{caption}<thead><tr>"
            "<th scope='col'>Keypoint</th><th scope='col'>Found by the model</th>"
            "<th scope='col'>Mean confidence</th><th scope='col'>With a position after "
            f"processing</th></tr></thead><tbody>{''.join(rows)}</tbody></table></div>"
        )
    return (
        '<section class="card" aria-labelledby="keypoints"><h2 id="keypoints">Keypoints</h2>'
        f"{''.join(parts)}<p class='note'>Shares of all frames.</p></section>"
    )


def value_table(data: ReportData) -> str:
    """Return the values of a photograph: one row a joint, left and right side by side."""
    parts = []
    for person in data.people:
        own = data.ranges[data.ranges["individual"] == person.individual].set_index("angle")
        if own.empty:
            continue
        bases = dict.fromkeys(panel.base for panel in data.panels if panel.person == person.number)
        rows = []
        for base in bases:
            left, right, middle = (
                number(own["mean_deg"].get(name), unit="°")
                for name in (f"{base}_left", f"{base}_right", base)
            )
            words = words_of(base)
            cells = (
                f"<td>{left}</td><td>{right}</td>"
                if middle == MISSING
                else f"<td colspan='2' class='both'>{middle}</td>"
            )
            rows.append(
                f"<tr><th scope='row'>{html.escape(words.title)}</th>{cells}"
                f"<td class='wide words'>{html.escape(sign_in_words(words))}</td></tr>"
            )
        parts.append(
            "<div class='scroll'><table>"
            + (f"<caption>Person {person.number}</caption>" if len(data.people) > 1 else "")
            + "<thead><tr><th scope='col'>Angle</th><th scope='col'>Left</th>"
            "<th scope='col'>Right</th><th scope='col' class='wide words'>Sign"
            "</th></tr></thead>" + f"<tbody>{''.join(rows)}</tbody></table></div>"
        )
    return "".join(parts)


def _one_table(
    own: pd.DataFrame, scale: tuple[float, float], caption: str, plots: Mapping[str, int]
) -> str:
    rows, last = [], ""
    for row in own.to_dict("records"):
        base, side = split_side(str(row["angle"]))
        new = " class='new-joint'" if base != last else ""
        last = base
        weak = " class='weak'" if row["missing"] > _MUCH_MISSING else ""
        missing = (
            f"{100 * row['missing']:.0f} % <span class='roomy'>({row['missing_frames']:,})</span>"
        )
        filled = f"{row['filled_frames']:,}"
        rows.append(
            f"<tr{new}><th scope='row'><span class='dot {side}'></span>"
            f"{html.escape(title_of(str(row['angle'])))}</th>"
            + "".join(
                f"<td>{number(row[f'{end}_deg'], unit='°')}"
                f"{_moment(row[f'{end}_s'], plots.get(base))}</td>"
                for end in ("min", "max")
            )
            + "".join(f"<td>{number(row[key], unit='°')}</td>" for key in ("range_deg", "mean_deg"))
            + f"<td{weak}>{missing}</td><td class='roomy'>{filled}</td>"
            f"<td class='wide'>{_span(row, scale, side)}</td></tr>"
        )
    names = ("Angle", "Min", "Max", "Range", "Mean", "Missing", "Filled")
    heads = "".join(
        f"<th scope='col'{' class=roomy' if name == 'Filled' else ''}>{name}</th>" for name in names
    )
    ends = "".join(f"<span>{number(end, digits=0, unit='°')}</span>" for end in scale)
    return (
        f"<div class='scroll'><table class='ranges'>{caption}<thead><tr>{heads}"
        f"<th scope='col' class='wide'><span class='ends'>{ends}</span></th></tr></thead>"
        f"<tbody>{''.join(rows)}</tbody></table></div>"
    )


def _moment(time_s: float, plot: int | None) -> str:
    """Return the time of an extreme; a click shows that moment in the video and the plot."""
    if math.isnan(time_s) or plot is None:
        return ""
    return (
        f" <button type='button' class='when' data-time='{time_s:.4f}' data-plot='{plot}'>"
        f"{time_s:.2f} s</button>"
    )


def _span(row: Mapping[Hashable, Any], scale: tuple[float, float], side: str) -> str:
    """Draw minimum to maximum as a bar on a common scale; a tick at the mean, a line at 0°."""
    low, high = scale
    if math.isnan(row["min_deg"]):
        return ""

    def share(value: float) -> float:
        return 100 * (value - low) / (high - low)

    start, end, mean = (share(row[key]) for key in ("min_deg", "max_deg", "mean_deg"))
    zero = f"<s style='left:{share(0):.1f}%'></s>" if low < 0 < high else ""
    return (
        f"<span class='span' aria-hidden='true'>"
        f"<i class='{side}' style='left:{start:.1f}%;width:{end - start:.1f}%'></i>"
        f"{zero}<u style='left:{mean:.1f}%'></u></span>"
    )


def _order(data: ReportData) -> dict[str, int]:
    bases = list(dict.fromkeys(panel.base for panel in data.panels))
    return {
        name: 3 * i + j
        for i, base in enumerate(bases)
        for j, name in enumerate((base, f"{base}_left", f"{base}_right"))
    }
