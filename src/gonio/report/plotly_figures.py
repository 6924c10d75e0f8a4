"""Interactive figures: thin renderer of prepared panels with Plotly."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import plotly.graph_objects as go

from gonio.report.prepare import COLORS, INK

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gonio.report.prepare import Curve, Panel

GRID: Final = "#e3e8ec"
FONT: Final = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif"

_FAINT: Final = 0.55

_LINES: Final[dict[str, dict[str, Any]]] = {
    "measured": {"width": 2.2},
    "filled": {"width": 2.2, "dash": "2px,3px"},
    "gap": {"width": 1.2, "dash": "6px,4px"},
    "true": {"width": 1},
}


def panel_figure(panel: Panel, *, time_range_s: tuple[float, float]) -> go.Figure:
    """Draw a panel: curves with breaks at gaps, the reference line, what upward means.

    Parameters
    ----------
    panel
        Prepared curves.
    time_range_s
        Ends of the time axis, alike for all panels of a report, seconds.

    Returns
    -------
    plotly.graph_objects.Figure
        Each trace's ``meta`` says its ``side`` and ``kind``.
    """
    figure = go.Figure([_trace(curve) for curve in panel.curves])
    low, high = panel.range_deg
    if low < panel.words.reference_deg < high:
        figure.add_hline(panel.words.reference_deg, line_width=1, line_color="#9aa6b0")
    axis = {"gridcolor": GRID, "zeroline": False, "fixedrange": False, "automargin": True}
    figure.update_layout(
        template="none",
        height=250,
        margin={"l": 62, "r": 12, "t": 8, "b": 40},
        font={"family": FONT, "size": 12, "color": INK},
        showlegend=False,
        hovermode="x unified",
        hoverdistance=-1,
        plot_bgcolor="white",
        paper_bgcolor="white",
        xaxis={
            **axis,
            "title": {"text": "time (s)", "standoff": 6},
            "range": list(time_range_s),
            "hoverformat": ".2f",
            "unifiedhovertitle": {"text": "%{x} s"},
        },
        yaxis={
            **axis,
            "title": {"text": f"{panel.words.up} →", "standoff": 4},
            "range": [low, high],
            "ticksuffix": "°",
            "fixedrange": True,
        },
    )
    return figure


def figures_json(figures: list[go.Figure]) -> str:
    """Return the figures as strict JSON that may stand inside a script element."""
    listed = [
        {"data": f.to_plotly_json()["data"], "layout": f.layout.to_plotly_json()} for f in figures
    ]
    return json.dumps(listed, allow_nan=False, separators=(",", ":")).replace("<", "\\u003c")


def _trace(curve: Curve) -> go.Scatter:
    return go.Scatter(
        x=_rounded(curve.time_s, 4),
        y=_rounded(curve.value_deg, 2),
        name=curve.name,
        mode="lines",
        connectgaps=False,
        line={"color": INK if curve.kind == "true" else COLORS[curve.side], **_LINES[curve.kind]},
        hovertemplate=None if curve.kind == "gap" else "%{y:.1f}°",
        opacity=_FAINT if curve.kind == "gap" else None,
        hoverinfo="skip" if curve.kind in {"gap", "true"} else None,
        meta={"side": curve.side, "kind": curve.kind},
    )


def _rounded(values: NDArray[np.float64], digits: int) -> list[float | None]:
    rounded = values.round(digits)
    return [v if np.isfinite(v) else None for v in rounded.tolist()]
