"""
What the filters do to noisy points
===================================

Jitter of a few pixels makes angles jump. The same noise is added to a drawn walker's true points,
a short gap is cut, and the default processing repairs both. What is interpolated stays marked.
"""

import matplotlib.pyplot as plt
import numpy as np

from gonio.analysis.angles import compute_angles
from gonio.metrics import angle_errors
from gonio.protocols import load_protocol
from gonio.skeletons import load_skeleton
from gonio.synthetic import PersonSettings, truth
from gonio.tracking import process

known = truth(PersonSettings(motion="walk", seed=1, seconds=3.0))
rng = np.random.default_rng(0)
noisy = known.poses.copy(deep=True)
noisy["position"] += rng.normal(0, 4, noisy["position"].shape)
noisy["position"][40:45] = np.nan

skeleton = load_skeleton("blazepose33")
smooth = process(noisy, load_protocol("general").processing)
before, after = (compute_angles(poses, skeleton) for poses in (noisy, smooth))

figure, ax = plt.subplots(figsize=(9, 3.5), layout="constrained")
name = "knee_right"
for angles, style in ((before, {"color": "0.7"}), (after, {"color": "#D55E00", "lw": 2})):
    ax.plot(angles["time"], angles["angle_deg"].sel(angle=name).squeeze(), **style)
true = known.angles["angle_deg"].sel(angle=name).squeeze()
ax.plot(true["time"], true, "k:", lw=1)
ax.set(xlabel="time (s)", ylabel="right knee flexion (°)")
ax.legend(["4 px of noise", "after processing", "true"], frameon=False)
plt.show()

# %%
# The errors by angle, in degrees: mean absolute error, bias, and 95 % limits of agreement.

table = angle_errors(after, known.angles).set_index("name")
print(table.loc[["hip_right", "knee_right", "ankle_right"]].round(2))
