"""
Which filter?
=============

A drawn walker's true points get two kinds of jitter: one that is new in every frame, and one that
lasts over several frames, as a tracker's does. All filters see the same points, with their default
settings; the causal ones, made for a live view, know only the past.
"""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from gonio.analysis.angles import compute_angles
from gonio.metrics import angle_errors
from gonio.skeletons import load_skeleton
from gonio.synthetic import PersonSettings, truth
from gonio.tracking import process

FPS, NOISE_PX = 30, 3.0
OFFLINE = ["butterworth", "savitzky_golay", "gcv_spline", "kalman"]
CAUSAL = ["causal_median", "causal_butterworth", "one_euro", "causal_kalman"]

known = truth(PersonSettings(motion="walk", seed=1, seconds=12.0, fps=FPS))
true_px = known.poses["position"].values
rng = np.random.default_rng(0)
fresh = rng.normal(0, 1, true_px.shape)
lasting = fresh.copy()
for t in range(1, len(lasting)):
    lasting[t] = 0.7 * lasting[t - 1] + np.sqrt(1 - 0.7**2) * fresh[t]


def add(pixels):
    """Return the true points with something added."""
    poses = known.poses.copy(deep=True)
    poses["position"] += pixels.astype(np.float32)
    return poses


noisy = {"new in every frame": add(NOISE_PX * fresh), "lasting": add(NOISE_PX * lasting)}

# %%
# The height of the right ankle. Left: what offline filters leave of the jitter (3 px, grey). Right:
# what causal filters make of the movement, late.

time_s = known.poses["time"].values
part = slice(2 * FPS, int(3.6 * FPS))
at = {"keypoints": "right_ankle", "space": "y"}
jittery = noisy["new in every frame"]


def height(poses):
    return poses["position"].sel(at).squeeze().values[part]


figure, axes = plt.subplots(1, 2, figsize=(11, 4.2), layout="constrained")
palette = ["#0072B2", "#D55E00", "#009E73", "#CC79A7"]
true_y = height(known.poses)
for ax, names, base in zip(axes, (OFFLINE, CAUSAL), (true_y, 0), strict=True):
    ax.plot(time_s[part], height(jittery) - base, "o", color="0.75", ms=3, label="unfiltered")
    ax.plot(time_s[part], true_y - base, "k:", lw=1.5, label="true")
    for name, color in zip(names, palette, strict=True):
        smooth = height(process(jittery, [{"op": name}]))
        ax.plot(time_s[part], smooth - base, color=color, lw=1.5, label=name)
    ax.set(xlabel="time (s)")
    ax.spines[["top", "right"]].set_visible(False)
axes[0].legend(frameon=False, fontsize=8, ncols=2)
axes[1].legend(frameon=False, fontsize=8, loc="upper center", bbox_to_anchor=(0.43, 1.0))
axes[0].set(title="offline: no delay", ylabel="error in height (px)", ylim=(-8, 12))
axes[1].set(title="causal: live", ylabel="height in the image (px, downward)")
axes[1].invert_yaxis()
plt.show()

# %%
# What is left, over all points and 10 s: the error as it stands (root mean square, px), the
# delay that explains most of it, the error without that delay, and the mean absolute error of the
# right knee's angle, delay included.

skeleton = load_skeleton("blazepose33")


def judge(poses):
    """Return the error as it stands, the best delay, the error beyond it, the knee's error."""
    found = poses["position"].values
    errors = [
        np.sqrt(np.mean((found[FPS:-FPS] - true_px[FPS - d : -FPS - d]) ** 2)) for d in range(8)
    ]
    best = int(np.argmin(errors))
    angles = compute_angles(poses, skeleton, names=["knee"])
    knee = angle_errors(angles, known.angles).set_index("name").loc["knee_right", "mae_deg"]
    return {
        "px": errors[0],
        "delay ms": 1000 * best / FPS,
        "px beyond delay": errors[best],
        "knee °": knee,
    }


def table(cases):
    """Judge each case's steps on each kind of noise."""
    rows = {}
    for kind, poses in noisy.items():
        for name, steps in cases.items():
            rows[kind, name] = judge(process(poses, [{"op": op} for op in steps]))
    return pd.DataFrame(rows).T.round(2).to_string()


print(table({"unfiltered": [], **{name: [name] for name in [*OFFLINE, *CAUSAL]}}))

# %%
# Leaps are another matter: every hundredth point now jumps by 60 px. A low-pass filter smears a
# leap over its neighbors; a median or Hampel filter before it takes it out.

leaps = 60 * (np.random.default_rng(1).random(true_px.shape) < 0.01)
noisy = {"leaps": add(NOISE_PX * fresh + leaps)}
cases = {
    "unfiltered": [],
    "butterworth": ["butterworth"],
    "median, butterworth": ["median", "butterworth"],
    "hampel, butterworth": ["hampel", "butterworth"],
}
print(table(cases))
