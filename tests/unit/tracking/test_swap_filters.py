"""The survivors' filters, all side by side, against one filter at a time in a few plain lines."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gonio.skeletons import load_skeleton
from gonio.tracking.limbs import find_limb
from gonio.tracking.swap_filters import AHEAD, SurvivorFilters, Windows

FRAME_S = 0.05
FRAMES, SPACE, COLUMNS = AHEAD + 9, 2, 3
LEG = find_limb("leg", load_skeleton("halpe26").keypoints)


def windows() -> Windows:
    """Return random windows with points unseen, uneven steps, and a long gap."""
    rng = np.random.default_rng(0)
    difference = rng.normal(0, 0.3, (FRAMES, SPACE, 4, COLUMNS)).astype(np.float32)
    difference[rng.random((FRAMES, SPACE, 4, COLUMNS)) < 0.05] = np.nan
    step = rng.uniform(0.5, 1.5, (FRAMES, COLUMNS)).astype(np.float32)
    step[AHEAD - 3, 1] = 60
    return Windows(
        difference,
        rng.uniform(1e-3, 1e-2, (FRAMES, 4, COLUMNS)).astype(np.float32),
        step,
        rng.uniform(0.01, 0.05, (4, COLUMNS)).astype(np.float32),
    )


class PlainFilter:
    """One survivor's filter of one pair in one window, in double precision."""

    def __init__(self) -> None:
        self.x, self.v = np.zeros(SPACE), np.zeros(SPACE)
        self.p = np.diag([1.0, (6 * FRAME_S) ** 2])

    def copy(self) -> PlainFilter:
        other = PlainFilter()
        other.x, other.v, other.p = self.x.copy(), self.v.copy(), self.p.copy()
        return other

    def predict(self, step: float, acceleration: float) -> None:
        motion = np.array([[1, step], [0, 1]])
        bend = acceleration**2 * np.array([[step**4 / 4, step**3 / 2], [step**3 / 2, step**2]])
        self.p = motion @ self.p @ motion.T + bend
        if self.p[0, 0] > 1:
            self.p = np.diag([1.0, (6 * FRAME_S) ** 2])
            self.x, self.v = np.zeros(SPACE), np.zeros(SPACE)
        self.before, self.x = self.x, self.x + step * self.v
        self.step = step

    def price(self, seen: NDArray[np.float64], noise: float) -> float:
        total = self.p[0, 0] + noise
        steady, turned = (
            off / (2 * variance + off / 20)
            for off, variance in (
                (((seen - self.x) ** 2).sum(), total),
                (((seen - self.before) ** 2).sum(), total + (4 * FRAME_S * self.step) ** 2),
            )
        )
        return float(min(steady, turned + 3))

    def update(self, seen: NDArray[np.float64], noise: float) -> None:
        gain = self.p[:, 0] / (self.p[0, 0] + noise)
        off = seen - self.x
        self.x, self.v = self.x + gain[0] * off, self.v + gain[1] * off
        self.p = self.p - np.outer(gain, self.p[0])


def test_all_survivors_side_by_side_do_what_each_would_alone() -> None:
    assert LEG is not None
    patterns, given = len(LEG.patterns), windows()
    sign = np.where(LEG.swapped[:, LEG.watched], -1.0, 1.0)
    unit = LEG.unit[LEG.watched]
    rng = np.random.default_rng(1)
    together = SurvivorFilters(LEG, given, FRAME_S)
    alone = [[[PlainFilter() for _ in range(4)] for _ in range(patterns)] for _ in range(COLUMNS)]
    for i in range(FRAMES):
        if i % AHEAD == 0:
            together.look_ahead(slice(i, i + AHEAD))
        expected = np.zeros((patterns, patterns, COLUMNS))
        seen = np.isfinite(given.difference[i]).all(axis=0)
        best = rng.integers(0, patterns, (patterns, COLUMNS))
        for column, filters in enumerate(alone):
            difference = given.difference[i, :, :, column].astype(np.float64)
            noise = given.noise[i, :, column].astype(np.float64)
            for one in filters:
                for pair, own in enumerate(one):
                    own.predict(
                        float(given.step[i, column]), float(given.acceleration[pair, column])
                    )
            for source, target, pair in np.ndindex(patterns, patterns, 4):
                if seen[pair, column]:
                    price = filters[source][pair].price(
                        sign[target, pair] * difference[:, pair], noise[pair]
                    )
                    mates = (seen[:, column] & (unit == unit[pair])).sum()
                    expected[source, target, column] += price / np.sqrt(mates)
            alone[column] = [
                [filters[best[target, column]][pair].copy() for pair in range(4)]
                for target in range(patterns)
            ]
            for target, pair in np.ndindex(patterns, 4):
                if seen[pair, column]:
                    alone[column][target][pair].update(
                        sign[target, pair] * difference[:, pair], noise[pair]
                    )
        np.testing.assert_allclose(together.surprise(i % AHEAD), expected, rtol=2e-3, atol=2e-3)
        together.update(i % AHEAD, best)
