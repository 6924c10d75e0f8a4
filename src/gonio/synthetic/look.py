"""What a drawn person looks like: colours, clothes, hair and outline, varied by seed."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from gonio.synthetic.body import Body
from gonio.synthetic.shapes import Light, Limb, Profile, Sprite, SpriteSheet, limb

if TYPE_CHECKING:
    from collections.abc import Sequence

RGB = tuple[float, float, float]

_SKIN: Sequence[RGB] = (
    (241, 205, 178),
    (229, 184, 148),
    (205, 154, 116),
    (172, 120, 84),
    (128, 84, 58),
    (92, 60, 43),
)
_SHIRT: Sequence[RGB] = (
    (176, 52, 52),
    (52, 98, 164),
    (226, 226, 222),
    (66, 124, 84),
    (214, 164, 64),
    (120, 82, 140),
    (70, 76, 86),
)
_TROUSERS: Sequence[RGB] = (
    (44, 56, 92),
    (52, 52, 56),
    (96, 82, 62),
    (64, 88, 122),
    (74, 84, 64),
)
_SHOE: Sequence[RGB] = ((40, 40, 44), (196, 60, 52), (232, 232, 228), (58, 92, 150))
_HAIR: Sequence[RGB] = ((34, 26, 22), (74, 50, 32), (134, 96, 56), (150, 148, 146), (110, 52, 30))


class Look(NamedTuple):
    """Everything needed to draw one person, sizes in metres."""

    thigh: Limb
    shank: Limb
    upper_arm: Limb
    forearm: Limb
    pelvis: Limb
    trunk: Limb
    neck: Limb
    head: Sprite
    shoe: Sprite
    toe_cap: Sprite
    hand: Sprite


def make_look(rng: np.random.Generator, *, stature: float, px_per_m: float, light: Light) -> Look:
    """Choose a look.

    Parameters
    ----------
    rng
        Source of every choice.
    stature
        Height of the person, metres.
    px_per_m
        Scale of the picture, for the sprites' resolution.
    light
        Shades the sprites.
    """
    skin, shirt = _pick(_SKIN, rng), _pick(_SHIRT, rng)
    trousers, shoe, hair = _pick(_TROUSERS, rng), _pick(_SHOE, rng), _pick(_HAIR, rng)
    build = float(rng.uniform(0.92, 1.08)) * stature
    shorts = rng.uniform() < 0.35
    long_sleeves = rng.uniform() < 0.3
    loose = 0.004 * stature if not shorts else 0.0
    cloth, bare = 0.06, 0.02

    def p(*knots: tuple[float, float], add: float = 0.0) -> Profile:
        return [(at, r * build + add) for at, r in knots]

    sock = (227.0, 227.0, 227.0)
    thigh_colors = [(0.0, trousers), (0.78, skin)] if shorts else [(0.0, trousers)]
    shank_colors = [(0.0, skin), (0.86, sock)] if shorts else [(0.0, trousers), (0.95, sock)]
    sleeve = [(0.0, shirt)] if long_sleeves else [(0.0, shirt), (0.55, skin)]
    return Look(
        thigh=limb(
            p(
                (0, 0.051),
                (0.12, 0.053),
                (0.3, 0.049),
                (0.6, 0.041),
                (0.9, 0.033),
                (1, 0.031),
                add=loose,
            ),
            p(
                (0, 0.051),
                (0.12, 0.050),
                (0.3, 0.049),
                (0.6, 0.043),
                (0.9, 0.035),
                (1, 0.033),
                add=loose,
            ),
            thigh_colors,
            cloth,
            rng,
        ),
        shank=limb(
            p((0, 0.031), (0.25, 0.039), (0.5, 0.034), (0.8, 0.021), (1, 0.020), add=loose),
            p((0, 0.033), (0.25, 0.027), (0.5, 0.024), (0.8, 0.019), (1, 0.020), add=loose),
            shank_colors,
            bare if shorts else cloth,
            rng,
        ),
        upper_arm=limb(
            p((0, 0.034), (0.4, 0.028), (1, 0.022)),
            p((0, 0.033), (0.4, 0.028), (1, 0.022)),
            sleeve,
            cloth,
            rng,
        ),
        forearm=limb(
            p((0, 0.022), (0.3, 0.024), (1, 0.014)),
            p((0, 0.022), (0.3, 0.023), (1, 0.014)),
            [(0.0, shirt), (0.93, skin)] if long_sleeves else [(0.0, skin)],
            bare,
            rng,
        ),
        pelvis=limb(
            p((0, 0.060), (1, 0.058), add=loose),
            p((0, 0.052), (1, 0.056), add=loose),
            [(0.0, trousers)],
            cloth,
            rng,
        ),
        trunk=limb(
            p((0, 0.044), (0.12, 0.066), (0.45, 0.069), (0.75, 0.056), (1, 0.062)),
            p((0, 0.044), (0.12, 0.056), (0.35, 0.064), (0.7, 0.060), (1, 0.058)),
            [(0.0, shirt)],
            cloth,
            rng,
        ),
        neck=limb(p((0, 0.036), (1, 0.033)), p((0, 0.036), (1, 0.031)), [(0.0, skin)], bare, rng),
        head=_head(rng, skin, hair, stature, px_per_m, light),
        shoe=_shoe(shoe, stature, px_per_m, light),
        toe_cap=_toe_cap(shoe, stature, px_per_m, light),
        hand=_hand(skin, stature, px_per_m, light),
    )


def _pick(choices: Sequence[RGB], rng: np.random.Generator) -> RGB:
    r, g, b = np.clip(choices[int(rng.integers(len(choices)))] + rng.uniform(-10, 10, 3), 8, 245)
    return (float(r), float(g), float(b))


def _darker(rgb: RGB, by: float) -> RGB:
    return (rgb[0] * by, rgb[1] * by, rgb[2] * by)


def _scaled(points: Sequence[RGB | tuple[float, float]], k: float) -> list[tuple[float, float]]:
    return [(x[0] * k, x[1] * k) for x in points]


_FACE = (
    (0.015, 0.182), (0.042, 0.176), (0.060, 0.158), (0.067, 0.140), (0.0675, 0.126),
    (0.064, 0.118), (0.070, 0.108), (0.080, 0.098), (0.079, 0.092), (0.069, 0.089),
    (0.0715, 0.083), (0.068, 0.077), (0.070, 0.071), (0.065, 0.065), (0.0675, 0.056),
    (0.060, 0.048), (0.046, 0.048), (0.028, 0.056), (0.012, 0.068), (0.004, 0.070),
    (-0.024, 0.064), (-0.036, 0.090), (-0.043, 0.120), (-0.038, 0.152), (-0.015, 0.176),
)  # fmt: skip


def _head(
    rng: np.random.Generator,
    skin: RGB,
    hair: RGB,
    stature: float,
    px_per_m: float,
    light: Light,
) -> Sprite:
    h = stature
    sheet = SpriteSheet((-0.09 * h, -0.04 * h), (0.10 * h, 0.21 * h), px_per_m)
    style = ("short", "bun", "long")[int(rng.integers(3))]
    if style == "long":
        sheet.polygon(
            _scaled(((0.01, 0.17), (-0.05, 0.16), (-0.066, 0.08), (-0.06, 0.0),
                     (-0.03, -0.02), (-0.015, 0.05), (0.0, 0.10)), h),
            _darker(hair, 0.85),
        )  # fmt: skip
    if style == "bun":
        ring = [(-0.052 + 0.022 * np.cos(a), 0.15 + 0.022 * np.sin(a)) for a in np.arange(0, 6, 1)]
        sheet.polygon(_scaled(ring, h), hair)
    sheet.polygon(_scaled(_FACE, h), skin)
    sheet.polygon(
        _scaled(((0.012, 0.189), (0.045, 0.182), (0.064, 0.163), (0.064, 0.148), (0.048, 0.152),
                 (0.034, 0.140), (0.028, 0.122), (0.020, 0.120), (0.010, 0.126), (0.000, 0.112),
                 (-0.006, 0.088), (-0.024, 0.070), (-0.040, 0.088), (-0.049, 0.122),
                 (-0.043, 0.158), (-0.018, 0.184)), h),
        hair,
    )  # fmt: skip
    sheet.paint(
        _scaled(
            ((0.006, 0.117), (0.018, 0.121), (0.022, 0.110), (0.014, 0.092), (0.006, 0.100)), h
        ),
        _darker(skin, 0.88),
    )
    sheet.line(
        _scaled(((0.010, 0.115), (0.016, 0.115), (0.015, 0.103), (0.011, 0.099)), h),
        _darker(skin, 0.62), 0.0016 * h,
    )  # fmt: skip
    sheet.line(_scaled(((0.051, 0.130), (0.058, 0.133), (0.065, 0.131)), h), _darker(hair, 0.8),
               0.004 * h)  # fmt: skip
    sheet.paint(_scaled(((0.054, 0.117), (0.060, 0.121), (0.065, 0.119), (0.063, 0.1145)), h),
                (238, 236, 232))  # fmt: skip
    sheet.paint(_scaled(((0.059, 0.121), (0.063, 0.121), (0.0635, 0.115), (0.0595, 0.115)), h),
                (46, 32, 26))  # fmt: skip
    sheet.line(_scaled(((0.053, 0.118), (0.059, 0.122), (0.065, 0.120)), h), _darker(skin, 0.35),
               0.0018 * h)  # fmt: skip
    sheet.line(_scaled(((0.060, 0.0765), (0.068, 0.0775)), h), (150, 70, 66), 0.003 * h)
    sheet.line(_scaled(((0.069, 0.094), (0.072, 0.092)), h), _darker(skin, 0.55), 0.002 * h)
    sheet.line(_scaled(((0.012, 0.070), (0.030, 0.057), (0.046, 0.050)), h), _darker(skin, 0.82),
               0.002 * h)  # fmt: skip
    return sheet.finish(light, roundness_m=0.045 * h)


def _shoe_lengths(stature: float) -> tuple[float, float, float, float]:
    """Return ankle to rear end, ankle to ball, ball to tip, and ankle's height, metres."""
    body = Body(stature)
    toes = body.foot - body.heel_back - body.ball_ahead
    return body.heel_back + 0.018, body.ball_ahead, toes + 0.022, body.ankle_height


def _shoe(rgb: RGB, stature: float, px_per_m: float, light: Light) -> Sprite:
    """Rear part of the shoe; origin at the ankle, the sole level."""
    back, ball, _, high = _shoe_lengths(stature)
    sheet = SpriteSheet((-back - 0.02, -high - 0.02), (ball + 0.07, 0.05), px_per_m)
    y = -high
    sole = (240.0, 240.0, 236.0) if sum(rgb) < 600 else (70.0, 70.0, 74.0)
    sheet.polygon(
        [(-back + 0.004, y + 0.016), (-back, y + 0.035), (-back + 0.006, y + 0.075),
         (-back * 0.55, y + 0.088), (0.030, y + 0.090), (0.055, y + 0.076),
         (ball, y + 0.056), (ball + 0.022, y + 0.045), (ball + 0.026, y + 0.014), (0.0, y + 0.012)],
        rgb,
    )  # fmt: skip
    sheet.polygon(
        [(-back - 0.002, y + 0.022), (ball + 0.022, y + 0.020), (ball + 0.022, y),
         (-back * 0.8, y), (-back - 0.001, y + 0.006)],
        sole,
    )  # fmt: skip
    for k in range(3):
        x = 0.048 + 0.018 * k
        sheet.line([(x, y + 0.055 - 0.004 * k), (x + 0.014, y + 0.078 - 0.011 * k)], sole, 0.004)
    sheet.line([(-back + 0.012, y + 0.04), (-back + 0.016, y + 0.075)], _darker(rgb, 0.6), 0.005)
    return sheet.finish(light, roundness_m=0.035)


def _toe_cap(rgb: RGB, stature: float, px_per_m: float, light: Light) -> Sprite:
    """Front part of the shoe; origin at the ball, at the points' height above the sole."""
    _, _, tip, _ = _shoe_lengths(stature)
    y = -Body(stature).marker_height
    sheet = SpriteSheet((-0.05, y - 0.02), (tip + 0.03, 0.06), px_per_m)
    sole = (240.0, 240.0, 236.0) if sum(rgb) < 600 else (70.0, 70.0, 74.0)
    sheet.polygon(
        [(-0.020, y + 0.050), (0.008, y + 0.056), (tip * 0.6, y + 0.046), (tip - 0.006, y + 0.034),
         (tip + 0.002, y + 0.020), (tip - 0.008, y + 0.010), (-0.024, y + 0.012)],
        rgb,
    )  # fmt: skip
    sheet.polygon(
        [(-0.026, y + 0.020), (tip * 0.7, y + 0.021), (tip + 0.001, y + 0.024),
         (tip, y + 0.010), (tip * 0.75, y), (-0.022, y)],
        sole,
    )  # fmt: skip
    return sheet.finish(light, roundness_m=0.035)


def _hand(rgb: RGB, stature: float, px_per_m: float, light: Light) -> Sprite:
    """Relaxed hand hanging down; origin at the wrist, x forward."""
    k = stature
    sheet = SpriteSheet((-0.04 * k, -0.125 * k), (0.05 * k, 0.03 * k), px_per_m)
    for i, (x, low) in enumerate(((-0.012, -0.088), (-0.005, -0.097), (0.003, -0.098),
                                  (0.010, -0.092))):  # fmt: skip
        tone = _darker(rgb, 0.9 + 0.03 * i)
        sheet.polygon(
            _scaled(((x - 0.005, -0.045), (x + 0.005, -0.045), (x + 0.010, low * 0.82),
                     (x + 0.012, low), (x + 0.004, low - 0.002), (x - 0.002, low * 0.8)), k),
            tone,
        )  # fmt: skip
    sheet.polygon(
        _scaled(((-0.012, 0.008), (0.012, 0.008), (0.017, -0.025), (0.018, -0.055),
                 (-0.016, -0.056), (-0.017, -0.025)), k),
        rgb,
    )  # fmt: skip
    sheet.polygon(
        _scaled(((0.008, -0.008), (0.018, -0.020), (0.026, -0.040), (0.026, -0.056),
                 (0.019, -0.054), (0.012, -0.036)), k),
        _darker(rgb, 1.05),
    )  # fmt: skip
    return sheet.finish(light, roundness_m=0.012 * k)
