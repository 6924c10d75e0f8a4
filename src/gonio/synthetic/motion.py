"""Motions: what the segments do over time, and where the pelvis is.

Walking follows the stride of Winter, Biomechanics and Motor Control of Human Movement (4th ed.
2009), appendix A: thigh against the vertical (table A.3c), knee flexion (A.4) and pitch of the
foot (A.3a, zero where it lies flat), one stride from heel contact to heel contact, reduced to
seven harmonics (which Winter finds sufficient for gait, section 2.2.4). Driving the segments and
not the joints keeps foot and floor together. Arms: after Murray, Sepic & Barnard (1967), rounded.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np

from gonio.synthetic.body import Body, Posture, leg_points

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Array = NDArray[np.float64]

MotionName = Literal["walk", "squat", "sit"]


class Movement(NamedTuple):
    """A motion sampled in time.

    Attributes
    ----------
    posture
        Attitudes of the segments.
    pelvis
        Middle of the hips, ``(time, 2)``, metres; the floor is y = 0.
    speed
        Mean forward speed, m/s.
    seat
        Front, rear and height of the seat that is sat on, metres; None without one.
    """

    posture: Posture
    pelvis: Array
    speed: float = 0.0
    seat: tuple[float, float, float] | None = None


class _Harmonics(NamedTuple):
    mean: float
    cos: tuple[float, ...]
    sin: tuple[float, ...]

    def at(self, cycle: Array) -> Array:
        """Evaluate at a fraction of the stride, 0 = heel contact."""
        k = 2 * np.pi * np.arange(1, len(self.cos) + 1)
        turn = cycle[..., None] * k
        value: Array = self.mean + np.cos(turn) @ np.array(self.cos) + np.sin(turn) @ self.sin
        return value


_THIGH = _Harmonics(
    6.51,
    (18.86, -4.91, -0.31, -0.29, -0.29, 0.12, 0.14),
    (-6.84, -0.96, 1.71, 0.03, -0.12, -0.06, -0.06),
)
_KNEE = _Harmonics(
    22.50,
    (-8.07, -15.04, 0.28, -1.03, -0.26, 0.37, 0.24),
    (-22.06, 10.81, 4.18, 0.77, 0.47, 0.04, -0.01),
)
_FOOT = _Harmonics(
    -15.26,
    (27.44, 9.94, -2.42, 2.96, -0.09, 0.21, 0.17),
    (20.50, -17.73, -1.33, -2.29, -1.49, -0.01, -0.35),
)
_TOES_MAX_DEG = 40.0


def walking_posture(cycle: Array, *, trunk_deg: float = 3.0, arms: float = 1.0) -> Posture:
    """Return the posture of a walker.

    Parameters
    ----------
    cycle
        Fraction of the stride, 0 = heel contact of the **left** foot, any real number,
        shape ``(time,)``. The right leg is half a cycle apart.
    trunk_deg
        Mean forward lean.
    arms
        Size of the arms' swing, 1 = natural.
    """
    both = np.stack([cycle, cycle + 0.5], axis=-1)
    foot = _FOOT.at(both)
    # The toes stay on the floor while the heel rises, and straighten after toe-off.
    phase = both % 1.0
    held = _smooth_step((phase - 0.22) / 0.15) * (1 - _smooth_step((phase - 0.57) / 0.13))
    toes = held * _TOES_MAX_DEG * np.tanh(np.maximum(-foot, 0) / _TOES_MAX_DEG)
    # An arm is furthest back at its own side's heel contact, and the elbow bends as it swings on.
    swing = -np.cos(2 * np.pi * both)
    return Posture(
        trunk=trunk_deg + 1.2 * np.cos(4 * np.pi * (cycle - 0.02)),
        head=2.0 + 0.8 * np.cos(4 * np.pi * (cycle - 0.1)),
        thigh=_THIGH.at(both),
        knee=_KNEE.at(both),
        foot=foot,
        toes=toes,
        upper_arm=arms * (-4 + 17 * swing),
        elbow=22 + arms * 10 * (-np.cos(2 * np.pi * (both - 0.04))),
        wrist=8 + 3 * swing,
    )


def walk(body: Body, time_s: Array, rng: np.random.Generator) -> Movement:
    """Walk at natural cadence; the foot on the floor neither sinks nor slides.

    Stride time (0.98–1.14 s), phase, lean and arm swing vary by ``rng``.
    """
    stride_s = float(rng.uniform(0.98, 1.14))
    style = {"trunk_deg": float(rng.uniform(1.5, 5.0)), "arms": float(rng.uniform(0.8, 1.15))}
    cycle = float(rng.uniform()) + time_s / stride_s
    height, forward, stride_m = _pelvis_path(body, style)
    pelvis = np.stack([forward(cycle), height(cycle)], axis=-1)
    pelvis[:, 0] -= pelvis[0, 0]
    return Movement(walking_posture(cycle, **style), pelvis, stride_m / stride_s)


def _pelvis_path(
    body: Body, style: dict[str, float], samples: int = 400
) -> tuple[Callable[[Array], Array], Callable[[Array], Array], float]:
    """Solve the pelvis's height and advance over one stride from the contact with the floor."""
    cycle = np.arange(samples) / samples
    legs = leg_points(body, walking_posture(cycle, **style))
    soles = np.stack([legs[f"sole_{n}"] for n in ("heel", "ball", "toe")], axis=2)
    soles = soles.reshape(samples, 6, 2)
    lowest = soles[..., 1].min(axis=1)
    height = _low_pass(-lowest, keep=12)
    # The advance is that of the points on the floor, shared where both feet stand.
    weight = np.exp(-(soles[..., 1] - lowest[:, None]) / 0.004)
    weight /= weight.sum(axis=1, keepdims=True)
    backward = np.gradient(np.concatenate([soles[-2:], soles, soles[:2]])[..., 0], axis=0)[2:-2]
    step = _low_pass(-(weight * backward).sum(axis=1), keep=12)
    stride_m = float(step.sum())
    path = np.concatenate([[0.0], np.cumsum((step + np.roll(step, -1)) / 2)])
    grid = np.arange(samples + 1) / samples

    def height_at(c: Array) -> Array:
        return np.asarray(np.interp(c % 1.0, grid, np.append(height, height[0])))

    def forward_at(c: Array) -> Array:
        return np.asarray(np.interp(c % 1.0, grid, path) + stride_m * np.floor(c))

    return height_at, forward_at, stride_m


def _low_pass(periodic: Array, keep: int) -> Array:
    spectrum = np.fft.rfft(periodic)
    spectrum[keep + 1 :] = 0
    smooth: Array = np.fft.irfft(spectrum, len(periodic))
    return smooth


def _smooth_step(x: Array) -> Array:
    x = np.clip(x, 0, 1)
    return x * x * (3 - 2 * x)


def squat(body: Body, time_s: Array, rng: np.random.Generator) -> Movement:
    """Squat again and again with the arms in front; depth (75–100° of knee flexion) by ``rng``."""
    period_s, depth_deg = rng.uniform(2.2, 3.0), rng.uniform(75, 100)
    down = (1 - np.cos(2 * np.pi * np.maximum(time_s - 0.3, 0) / period_s)) / 2
    knee = 3 + (depth_deg - 3) * down
    share = rng.uniform(0.27, 0.32)
    trunk = 2 + 0.40 * knee
    posture = _standing_on_both_feet(
        trunk=trunk,
        thigh=(1 - share) * knee,
        knee=knee,
        upper_arm=8 + 62 * _smooth_step(down * 1.3),
        elbow=12 + 6 * down,
        head=0.25 * trunk,
    )
    return Movement(posture, _pelvis_over_feet(body, posture))


def sit(body: Body, time_s: Array, rng: np.random.Generator) -> Movement:
    """Sit down on a stool, sit with a moving trunk, stand up, again and again."""
    period_s = rng.uniform(5.0, 6.0)
    phase = ((time_s + 0.1) / period_s) % 1.0
    seated = _smooth_step((phase - 0.10) / 0.27) * (1 - _smooth_step((phase - 0.70) / 0.27))
    between = 4 * seated * (1 - seated)
    knee = 3 + rng.uniform(84, 92) * seated
    lean = 1 + 6 * seated + 10 * between
    sway = 5 * seated**4 * np.sin(2 * np.pi * (phase - 0.37) / 0.33)
    trunk = 3 + rng.uniform(2, 8) * seated + 36 * between + sway
    posture = _standing_on_both_feet(
        trunk=trunk,
        thigh=knee - lean,
        knee=knee,
        upper_arm=4 + 20 * seated + 22 * between - trunk * 0.2,
        elbow=14 + 42 * seated,
        head=0.3 * trunk,
    )
    pelvis = _pelvis_over_feet(body, posture)
    x, y = pelvis[np.argmin(pelvis[:, 1])]
    seat = (x + 0.13 * body.stature, x - 0.11 * body.stature, y - 0.062 * body.stature)
    return Movement(posture, pelvis, seat=seat)


def _standing_on_both_feet(
    *, trunk: Array, thigh: Array, knee: Array, upper_arm: Array, elbow: Array, head: Array
) -> Posture:
    def both(x: Array) -> Array:
        return np.stack([x, x], axis=-1)

    flat = np.zeros((len(trunk), 2))
    return Posture(
        trunk=trunk,
        head=head,
        thigh=both(thigh),
        knee=both(knee),
        foot=flat,
        toes=flat,
        upper_arm=both(upper_arm),
        elbow=both(elbow),
        wrist=flat + 5.0,
    )


def _pelvis_over_feet(body: Body, posture: Posture) -> Array:
    ankle = leg_points(body, posture)["ankle"][:, 0]
    pelvis: Array = np.array([0.0, body.ankle_height]) - ankle
    return pelvis


MOTIONS: dict[str, Callable[[Body, Array, np.random.Generator], Movement]] = {
    "walk": walk,
    "squat": squat,
    "sit": sit,
}
