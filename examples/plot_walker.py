"""
A walker with known angles
==========================

Gonio draws people whose joint angles are known exactly. They prove the pipeline (``gonio demo``),
and they are training data. Here are four moments of a walk, and its true angles.
"""

import matplotlib.pyplot as plt

from gonio.synthetic import PersonSettings, frames, truth

settings = PersonSettings(motion="walk", seed=3, seconds=2.0, size=(640, 480))
pictures = list(frames(settings))

figure, axes = plt.subplots(1, 4, figsize=(10, 3), layout="constrained")
for ax, index in zip(axes, (0, 8, 16, 24), strict=True):
    ax.imshow(pictures[index][:, 160:480])
    ax.set_title(f"{index / settings.fps:.2f} s")
    ax.set_axis_off()

# %%
# The truth is labelled: angles by name, side last, in degrees. Flexion and dorsiflexion are
# positive.

angles = truth(settings).angles["angle_deg"].squeeze("individuals")

figure, axes = plt.subplots(1, 3, figsize=(10, 3), sharex=True, layout="constrained")
for ax, joint in zip(axes, ("hip", "knee", "ankle"), strict=True):
    for side, color in (("left", "#0072B2"), ("right", "#D55E00")):
        curve = angles.sel(angle=f"{joint}_{side}")
        ax.plot(curve["time"], curve, color=color, label=side)
    ax.set(title=joint, xlabel="time (s)", ylabel="flexion (°)")
axes[0].legend(frameon=False)
plt.show()
