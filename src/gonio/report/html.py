"""The report: one self-contained page, with the overlay video beside it."""

from __future__ import annotations

from importlib import resources
from string import Template
from typing import TYPE_CHECKING

import numpy as np

from gonio.report import origin, sections
from gonio.report.plotly_figures import figures_json, panel_figure
from gonio.report.prepare import COLORS, INK, prepare
from gonio.report.stills import encode_stills
from gonio.report.tables import keypoint_table
from gonio.store import write_atomically

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from gonio.report.prepare import ReportData
    from gonio.store import Evaluation

REPORT_FILE = "report.html"


def write_report(
    evaluation: Evaluation,
    folder: Path,
    *,
    stills: Sequence[tuple[float, NDArray[np.uint8]]] = (),
) -> Path:
    """Write ``report.html``.

    The page needs no network. It plays ``overlay.mp4`` (or shows ``overlay.png``) where the
    folder holds it, so write that first; everything else is inside the page.

    Parameters
    ----------
    evaluation
        What was measured.
    folder
        The evaluation's folder.
    stills
        A few frames with their overlay as ``(time_s, image)``, image (H, W, 3) uint8 RGB. They
        are embedded as small JPEGs and shown where the video is missing.

    Returns
    -------
    Path
        The report.

    Raises
    ------
    OutputError
        If the file cannot be written.
    """
    data = prepare(evaluation)
    pictures = encode_stills(stills)
    is_photo = evaluation.poses.sizes["time"] == 1
    overlay = "overlay.png" if is_photo else "overlay.mp4"
    has_overlay = (folder / overlay).is_file()
    parts = [sections.warnings_notice(evaluation.warnings), sections.facts(evaluation, data)]
    if not evaluation.chosen:
        parts += [sections.nobody_notice(evaluation)]
    if is_photo:
        parts += [sections.photo(data, pictures, has_overlay=has_overlay)]
    else:
        viewer = sections.viewer(pictures, has_video=has_overlay, has_curves=bool(data.panels))
        parts += [sections.without_recording(evaluation)]
        parts += [sections.workbench(viewer, sections.curves(data))]
        angles = sections.has_angles(evaluation)
        parts += [sections.stills(pictures, angles=angles), sections.ranges(data)]
    if not sections.has_angles(evaluation):
        parts += [keypoint_table(evaluation)]
    limits = origin.limits(evaluation, data) if evaluation.chosen else ""
    exported = [file.name for end in (".trc", ".mot") for file in sorted(folder.glob(f"*{end}"))]
    method = origin.method(evaluation, [*([overlay] if has_overlay else []), *exported])
    parts += [sections.truth(evaluation), f'<div class="columns">{limits}{method}</div>']
    page = Template(_template("report.html")).substitute(
        title=sections.escape(evaluation.name),
        version=sections.escape(str(evaluation.provenance.get("gonio", ""))),
        lead=sections.lead(evaluation),
        css=_colors() + _template("report.css"),
        content="\n".join(part for part in parts if part),
        scripts="" if is_photo else _scripts(evaluation, data),
    )
    path = folder / REPORT_FILE
    with write_atomically(path) as file:
        file.write(page)
    return path


def _scripts(evaluation: Evaluation, data: ReportData) -> str:
    time_s = evaluation.poses["time"].to_numpy()
    ends = (float(time_s[0]), float(time_s[-1])) if time_s.size else (0.0, 1.0)
    figures = figures_json([panel_figure(panel, time_range_s=ends) for panel in data.panels])
    plotly = ""
    if data.panels:
        from plotly.offline import get_plotlyjs

        plotly = f"<script>{get_plotlyjs()}</script>\n"
    frame_s = float(np.median(np.diff(time_s))) if time_s.size > 1 else 0.0
    return (
        f'{plotly}<script type="application/json" id="figures" data-frame-s="{frame_s:.6g}" '
        f'data-start-s="{data.start_s:.6g}">'
        f"{figures}</script>\n<script>{_template('report.js')}</script>"
    )


def _colors() -> str:
    named = [("ink", INK), *COLORS.items()]
    return ":root { " + " ".join(f"--{name}: {color};" for name, color in named) + " }\n"


def _template(name: str) -> str:
    return (resources.files("gonio.report") / "templates" / name).read_text(encoding="utf-8")
