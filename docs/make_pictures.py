"""Make the README's picture from the demo: ``python docs/make_pictures.py``."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import matplotlib as mpl
import numpy as np

import gonio
from gonio.report.prepare import COLORS
from gonio.video import open_source

mpl.use("Agg")
import matplotlib.pyplot as plt

HERE = Path(__file__).parent
MOMENTS_S = (2.0, 2.4)


def main() -> None:
    """Analyze the demo's walker and draw two of its frames beside the knees' curves."""
    with TemporaryDirectory() as scratch:
        result = gonio.demo(out=scratch)
        with open_source(result.folder / "overlay.mp4") as source:
            frames = {frame.index: frame.image.copy() for frame in source}
            fps = source.info.fps or 30.0
        angles, truth = result.evaluation.angles, result.evaluation.truth["angles"]

    figure = plt.figure(figsize=(12, 3.7), dpi=110, layout="constrained")
    left, middle, right = figure.subplots(1, 3, width_ratios=[1, 1, 1.7])
    for axes, moment in zip((left, middle), MOMENTS_S, strict=True):
        image = frames[round(moment * fps)]
        center = image.shape[1] // 2
        axes.imshow(image[60:700, center - 270 : center + 270])
        axes.set_axis_off()
    for side in ("left", "right"):
        color = COLORS[side]
        name = f"knee_{side}"
        known = truth["angle_deg"].sel(angle=name).squeeze()
        found = angles["angle_deg"].sel(angle=name).squeeze()
        right.plot(known["time"], known, color=color, lw=1, ls=":")
        right.plot(found["time"], found, color=color, lw=2, label=side)
    right.plot([], [], color="0.3", lw=1, ls=":", label="true")
    right.set(
        xlabel="time (s)",
        ylabel="knee flexion (°)",
        xlim=(0, float(np.max(known["time"]))),
        ylim=(-8, 80),
    )
    right.legend(frameon=False, loc="upper right", ncols=3)
    right.spines[["top", "right"]].set_visible(False)
    figure.savefig(HERE / "_static" / "walker.png")


if __name__ == "__main__":
    main()
