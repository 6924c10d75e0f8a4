"""Pictures of a run: its curves, and what the network sees beside what is true.

Bound to no window and no global state of matplotlib.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import cv2
import numpy as np

from gonio.errors import InputError
from gonio.formats.whole import whole_file
from gonio.labels import HIDDEN, VISIBLE
from gonio.skeletons import side_of
from gonio.training.curves import prepare_curves
from gonio.video.overlay import SIDE_COLORS

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from gonio.skeletons import Skeleton
    from gonio.training.curves import Panel

INK: Final = "#1f2a33"
_GRID: Final = "#e3e8ec"
# Okabe and Ito's palette ("Color universal design", 2008), without yellow and black.
_COLORS: Final = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00")
_FONT: Final = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif"
_LEGEND: Final = 12  # curves of a panel that its legend names
_ACROSS: Final = 8  # samples side by side
_FAINT: Final = 0.35  # opacity of what is hidden or not sure
_LEAST_VIEW: Final = 0.3  # share of the image's side that is shown at least
_ROOM: Final = 1.6  # and relative to the keypoints' extent
_MISS: Final = "#ff2d55"


def draw_curves(metrics_csv: Path, folder: Path) -> None:
    """Draw a run's numbers by epoch: ``curves.png``, and ``curves.html`` to look closer.

    Parameters
    ----------
    metrics_csv
        The run's ``metrics.csv``.
    folder
        Where the two files go; made if missing.

    Raises
    ------
    InputError
        If the numbers cannot be read.
    OutputError
        If a file cannot be written.
    """
    panels = prepare_curves(metrics_csv)
    folder.mkdir(parents=True, exist_ok=True)
    _curves_png(panels, folder / "curves.png")
    _curves_html(panels, folder / "curves.html")


def draw_samples(
    images: NDArray[np.uint8],
    truth_px: NDArray[np.floating],
    visibility: NDArray[np.integer],
    predicted_px: NDArray[np.floating],
    confidence: NDArray[np.floating],
    heatmaps_true: NDArray[np.floating] | None,
    heatmaps_predicted: NDArray[np.floating] | None,
    skeleton: Skeleton,
    path: Path,
    titles: Sequence[str],
) -> None:
    """Draw samples in columns: truth, prediction, and under them the heatmaps of both.

    Parameters
    ----------
    images
        Shape ``(N, H, W, C)``, RGB or grey: network inputs before they are normalized.
    truth_px, visibility
        Shapes ``(N, K, 2)`` and ``(N, K)``: labels, px of the input; hidden ones are fainter,
        those that are not labelled (0) are left out.
    predicted_px, confidence
        Likewise; NaN = not found. What the network is less sure of is fainter. Where a keypoint
        is labelled, a line leads from the label to the prediction.
    heatmaps_true, heatmaps_predicted
        Shape ``(N, K, h, w)``, of the highest value of all keypoints; None: without that row.
    skeleton
        The order of the keypoints.
    path
        The ``.png`` file; replaced if it exists.
    titles
        One a sample.

    Raises
    ------
    InputError
        If there are no samples, or the arrays do not fit together.
    OutputError
        If the file cannot be written.
    """
    _check_samples(len(images), truth_px, predicted_px, heatmaps_true, heatmaps_predicted, titles)
    from matplotlib.figure import Figure  # 0.3 s

    rows = _rows(heatmaps_true, heatmaps_predicted)
    bands = -(-len(images) // _ACROSS)
    across = -(-len(images) // bands)
    high = 2.0 * images.shape[1] / images.shape[2]
    size = (2.0 * across + 0.4, bands * (high * len(rows) + 0.5))
    figure = Figure(figsize=size, layout="constrained")
    grid = figure.subplots(bands * len(rows), across, squeeze=False)
    for axes in grid.flat:
        axes.set_axis_off()
    pen = _Pen(skeleton)
    for i, image in enumerate(images):
        band, column = divmod(i, across)
        cells = grid[band * len(rows) : (band + 1) * len(rows), column]
        truth = np.where(visibility[i, :, None] > 0, truth_px[i], np.nan)
        sure = np.select([visibility[i] == VISIBLE, visibility[i] == HIDDEN], [1.0, _FAINT], 0.0)
        for axes in cells[:2]:
            axes.imshow(
                image if image.shape[2] == 3 else image[..., 0], cmap="gray", vmin=0, vmax=255
            )
        cells[0].set_title(titles[i], fontsize=7, color=INK)
        pen.draw(cells[0], truth, sure)
        _draw_misses(cells[1], truth, predicted_px[i])
        pen.draw(cells[1], predicted_px[i], np.maximum(confidence[i], _FAINT))
        for axes, (_, maps) in zip(cells[2:], rows[2:], strict=True):
            _draw_map(axes, image, maps[i].max(axis=0))
        low, far = _view(np.concatenate([truth, predicted_px[i]]), image.shape)
        for axes in cells:
            axes.set(xlim=(low[0], far[0]), ylim=(far[1], low[1]))
    for band in range(bands):
        for row, (name, _) in enumerate(rows):
            axes = grid[band * len(rows) + row, 0]
            axes.text(
                -0.04, 0.5, name, transform=axes.transAxes, rotation=90, fontsize=8, color=INK,
                ha="right", va="center",
            )  # fmt: skip
    path.parent.mkdir(parents=True, exist_ok=True)
    with whole_file(path) as part:
        figure.savefig(part, dpi=120, facecolor="white")


def _check_samples(
    count: int,
    truth_px: NDArray[np.floating],
    predicted_px: NDArray[np.floating],
    heatmaps_true: NDArray[np.floating] | None,
    heatmaps_predicted: NDArray[np.floating] | None,
    titles: Sequence[str],
) -> None:
    if count == 0:
        raise InputError("samples: there are none to draw")
    given = (truth_px, predicted_px, heatmaps_true, heatmaps_predicted, titles)
    if any(one is not None and len(one) != count for one in given):
        raise InputError(f"samples: not everything is there for each of the {count} images")


def _rows(
    heatmaps_true: NDArray[np.floating] | None, heatmaps_predicted: NDArray[np.floating] | None
) -> list[tuple[str, Any]]:
    maps = (("true heatmaps", heatmaps_true), ("predicted heatmaps", heatmaps_predicted))
    return [("truth", None), ("prediction", None), *((n, m) for n, m in maps if m is not None)]


def _view(
    points: NDArray[np.floating], shape: tuple[int, ...]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the corners of what is shown: all, or where the keypoints are if that is little."""
    whole = np.array([shape[1], shape[0]], dtype=np.float64)
    start, end = np.full(2, -0.5), whole - 0.5
    seen = points[np.isfinite(points).all(axis=1)]
    if not len(seen):
        return start, end
    low, high = seen.min(axis=0), seen.max(axis=0)
    share = max(_LEAST_VIEW, float(((high - low) / whole).max()) * _ROOM)
    if share >= 1:
        return start, end
    corner = np.clip((low + high) / 2 - share * whole / 2, start, end - share * whole)
    return corner, corner + share * whole


class _Pen:
    """Draws keypoints: left and right in their colors, others each in one of its own."""

    def __init__(self, skeleton: Skeleton) -> None:
        self._skeleton = skeleton
        sides = {side: tuple(c / 255 for c in color) for side, color in SIDE_COLORS.items()}
        self._edge_colors = [self._side_color(sides, edge) for edge in skeleton.edges]
        lone = len(skeleton.edges) == 0
        self._colors = [
            _COLORS[i % len(_COLORS)] if lone else sides[side_of(name)]
            for i, name in enumerate(skeleton.keypoints)
        ]

    @staticmethod
    def _side_color(sides: dict[str, Any], edge: tuple[str, str]) -> Any:
        one, other = (side_of(name) for name in edge)
        return sides[one if one == other else "middle"]

    def draw(self, axes: Axes, points: NDArray[np.floating], opacity: NDArray[np.floating]) -> None:
        for edge, color in zip(self._skeleton.edges, self._edge_colors, strict=True):
            parents = [self._skeleton.parents(name) or () for name in edge]
            index = [[self._skeleton.index(name) for name in names] for names in parents]
            line = np.array([points[rows].mean(axis=0) for rows in index])
            alpha = float(min(opacity[row] for rows in index for row in rows))
            if np.isfinite(line).all():
                axes.plot(*line.T, color="black", linewidth=2.2, alpha=alpha)
                axes.plot(*line.T, color=color, linewidth=1.4, alpha=alpha)
        for point, color, alpha in zip(points, self._colors, opacity, strict=True):
            if np.isfinite(point).all():
                axes.plot(
                    *point, "o", color=color, markersize=3.6, markeredgecolor="black",
                    markeredgewidth=0.5, alpha=float(alpha),
                )  # fmt: skip


def _draw_misses(axes: Axes, truth: NDArray[np.floating], predicted: NDArray[np.floating]) -> None:
    for one, other in zip(truth, predicted, strict=True):
        axes.plot(*np.stack([one, other], axis=1), color=_MISS, linewidth=1.2)


def _draw_map(axes: Axes, image: NDArray[np.uint8], values: NDArray[np.floating]) -> None:
    """Lay a map over the image, as bright as it can be; its highest value is written on it."""
    height, width = image.shape[:2]
    known = np.nan_to_num(values).astype(np.float32)
    highest = float(known.max())
    large = cv2.resize(known, (width, height), interpolation=cv2.INTER_LINEAR)
    large = large.clip(0, None) / (highest if highest > 0 else 1.0)
    axes.imshow(image.mean(axis=2), cmap="gray", vmin=0, vmax=400)
    axes.imshow(large, cmap="inferno", vmin=0, vmax=1, alpha=large)
    axes.text(
        0.03, 0.03, f"max {highest:.2g}", transform=axes.transAxes, fontsize=6, color="white"
    )  # fmt: skip


def _curves_png(panels: Sequence[Panel], path: Path) -> None:
    from matplotlib.figure import Figure  # 0.3 s

    columns = 2 if len(panels) > 1 else 1
    rows = -(-len(panels) // columns)
    figure = Figure(figsize=(6.0 * columns, 2.9 * rows), layout="constrained")
    grid = figure.subplots(rows, columns, squeeze=False)
    for axes in grid.flat[len(panels) :]:
        axes.set_visible(False)
    for axes, panel in zip(grid.flat, panels, strict=False):
        for curve in panel.curves:
            axes.plot(
                curve.epoch,
                curve.value,
                label=curve.name if curve.place < _LEGEND else None,
                color=_COLORS[curve.color % len(_COLORS)],
                linewidth=1.0 if curve.training else 1.8,
                linestyle=(0, (4, 2)) if curve.training else "-",
                marker="o" if len(curve.epoch) < 2 else None,
            )
        for epoch in panel.stages:
            axes.axvline(epoch, color="#9aa6b0", linewidth=0.8, linestyle=":")
        if panel.log:
            axes.set_yscale("log")
        axes.set_title(panel.title, loc="left", fontsize=10, fontweight="bold", color=INK)
        axes.set_title(panel.better, loc="right", fontsize=8, color=INK)
        axes.set_xlabel("epoch", fontsize=8)
        axes.tick_params(labelsize=8)
        axes.xaxis.get_major_locator().set_params(integer=True)
        axes.grid(color=_GRID, linewidth=0.8)
        axes.spines[["top", "right"]].set_visible(False)
        if len(panel.curves) > 1:
            axes.legend(fontsize=7, frameon=False)
    with whole_file(path) as part:
        figure.savefig(part, dpi=130, facecolor="white")


def _curves_html(panels: Sequence[Panel], path: Path) -> None:
    import plotly.graph_objects as go
    from plotly.subplots import make_subplots

    columns = 2 if len(panels) > 1 else 1
    rows = -(-len(panels) // columns)
    titles = [" · ".join(filter(None, (panel.title, panel.better))) for panel in panels]
    figure = make_subplots(rows, columns, subplot_titles=titles)
    for i, panel in enumerate(panels):
        place = {"row": i // columns + 1, "col": i % columns + 1}
        for curve in panel.curves:
            line: dict[str, Any] = {"color": _COLORS[curve.color % len(_COLORS)], "width": 2}
            if curve.training:
                line |= {"dash": "dash", "width": 1.3}
            mode = "lines" if len(curve.epoch) > 1 else "markers"
            trace = go.Scatter(
                x=curve.epoch, y=curve.value, name=curve.name, mode=mode, line=line,
                legendgroup=panel.title, legendgrouptitle_text=panel.title,
            )  # fmt: skip
            figure.add_trace(trace, **place)
        for epoch in panel.stages:
            figure.add_vline(epoch, line_width=1, line_dash="dot", line_color="#9aa6b0", **place)
        figure.update_yaxes(type="log" if panel.log else "linear", gridcolor=_GRID, **place)
        figure.update_xaxes(title_text="epoch", gridcolor=_GRID, **place)
    figure.update_layout(
        template="none",
        height=340 * rows,
        font={"family": _FONT, "color": INK, "size": 12},
        margin={"l": 60, "r": 20, "t": 50, "b": 50},
        hovermode="x unified",
    )
    with whole_file(path) as part:
        page = figure.to_html(include_plotlyjs=True, config={"displaylogo": False})
        part.write_text(page, encoding="utf-8")
