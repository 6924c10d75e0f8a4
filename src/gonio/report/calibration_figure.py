"""A reliability diagram: how often a confidence was right, and how often it is given."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from gonio.report.prepare import COLORS, INK

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from gonio.metrics import Calibration


def draw_calibration(curve: Calibration, right_means: str) -> Figure:
    """Draw the share of right keypoints over the confidence, and the counts below.

    Parameters
    ----------
    curve
        The reliability table.
    right_means
        What counts as right, for the axis: ``pck@0.05:image``.

    Returns
    -------
    matplotlib.figure.Figure
        Bound to no window and no global state.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(5.2, 5.6), layout="constrained")
    upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=[3, 1])
    width = float(np.diff(curve.edges)[0])
    middle = curve.edges[:-1] + width / 2
    filled = curve.counts > 0
    upper.plot([0, 1], [0, 1], color=INK, linewidth=0.8, linestyle=(0, (4, 3)), label="ideal")
    upper.bar(
        middle[filled], curve.accuracy[filled], width * 0.92, color=COLORS["left"], alpha=0.35
    )
    upper.plot(
        curve.confidence[filled],
        curve.accuracy[filled],
        color=COLORS["left"],
        marker="o",
        markersize=4,
        label="measured",
    )
    upper.set(xlim=(0, 1), ylim=(0, 1.02), ylabel=f"share that is right\n({right_means})")
    upper.set_title(f"Calibration error {curve.ece:.3f}", loc="left", fontsize=11)
    upper.legend(loc="upper left", frameon=False)
    lower.bar(middle, curve.counts, width * 0.92, color=COLORS["middle"])
    lower.set(xlabel="confidence", ylabel="keypoints")
    for axes in (upper, lower):
        axes.spines[["top", "right"]].set_visible(False)
        axes.grid(axis="y", linewidth=0.4, alpha=0.5)
    return figure
