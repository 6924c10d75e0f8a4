"""Figures for print: thin renderer of prepared panels with matplotlib (PNG, SVG)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from gonio.formats.text import cannot_write
from gonio.report.prepare import COLORS, INK

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from matplotlib.figure import Figure

    from gonio.report.prepare import Panel

_LINES: Final[dict[str, dict[str, Any]]] = {
    "measured": {"linewidth": 1.8},
    "filled": {"linewidth": 1.8, "linestyle": (0, (1, 1.2))},
    "gap": {"linewidth": 0.9, "linestyle": (0, (5, 3)), "alpha": 0.55},
    "true": {"linewidth": 0.8, "color": INK},
}


def draw_panels(panels: Sequence[Panel], *, columns: int = 1) -> Figure:
    """Draw panels in a grid with one time axis.

    Parameters
    ----------
    panels
        Prepared curves, at least one panel.
    columns
        Panels side by side.

    Returns
    -------
    matplotlib.figure.Figure
        Bound to no window and no global state.
    """
    from matplotlib.figure import Figure  # 0.3 s that an analysis does not need

    rows = -(-len(panels) // columns)
    figure = Figure(figsize=(7.2 * columns, 2.3 * rows + 0.6), layout="constrained")
    grid = figure.subplots(rows, columns, sharex=True, squeeze=False)
    for axes in grid.flat[len(panels) :]:
        axes.set_visible(False)
    for axes, panel in zip(grid.flat, panels, strict=False):
        axes.axhline(panel.words.reference_deg, color="#9aa6b0", linewidth=0.8)
        for curve in panel.curves:
            style = {"color": COLORS[curve.side], **_LINES[curve.kind]}
            label = curve.name if curve.kind == "measured" else curve.kind
            axes.plot(curve.time_s, curve.value_deg, label=label, **style)
        axes.set_ylim(*panel.range_deg)
        axes.set_title(panel.words.title, loc="left", fontsize=11, fontweight="bold")
        axes.set_title(f"↑ {panel.words.up}   ↓ {panel.words.down}", loc="right", fontsize=9)
        axes.yaxis.set_major_formatter("{x:.0f}°")
        axes.grid(color="#e3e8ec", linewidth=0.8)
        axes.spines[["top", "right"]].set_visible(False)
    for axes in grid[-1]:
        axes.set_xlabel("time (s)")
    named = {
        label: line
        for axes in figure.axes
        for line, label in zip(*axes.get_legend_handles_labels(), strict=True)
    }
    figure.legend(
        named.values(), named.keys(), loc="outside lower center", fontsize=9, frameon=False, ncols=6
    )
    return figure


def save_figure(panels: Sequence[Panel], path: Path, *, columns: int = 1) -> None:
    """Draw panels into a file, complete or not at all.

    Parameters
    ----------
    panels
        Prepared curves, at least one panel.
    path
        The file; its ending chooses the format (``.png``, ``.svg``, ``.pdf``).
    columns
        Panels side by side.

    Raises
    ------
    OutputError
        If the file cannot be written.
    """
    part = path.with_name(f".part-{path.name}")
    try:
        draw_panels(panels, columns=columns).savefig(part, dpi=150)
        part.replace(path)
    except OSError as error:
        raise cannot_write(path, error) from error
    finally:
        part.unlink(missing_ok=True)
