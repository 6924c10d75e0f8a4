"""One person by chance: posture, body, place; drawn into a canvas, with what covers what."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from gonio.synthetic.body import Body, Posture, leg_points, place
from gonio.synthetic.figure import PARTS, draw_person, draw_stool
from gonio.synthetic.lens import Lens
from gonio.synthetic.look import make_look
from gonio.synthetic.motion import MOTIONS, Movement

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gonio.synthetic.shapes import Image, Light

    Floats = NDArray[np.float64]
    Bools = NDArray[np.bool_]

_MOTION_SHARES: Final = {"walk": 0.5, "squat": 0.3, "sit": 0.2}
_STRIDE_S: Final = 6.0
_TURN_DEG: Final = 45.0
_LOOK_PX_PER_M: Final = 110.0
_COVERED: Final = 128
_REACH_M: Final = 0.55
_ORDER: Final = {"behind": -1, **{part: i for i, part in enumerate(PARTS)}}

_SAME: Final = {"big_toe": "foot_index", "head": "head_top", "toes": "foot_index"}
_ONE_SIDED: Final = ("hip", "knee", "ankle", "heel", "toes")
_OF_HEAD: Final = ("nose", "mouth", "eye", "eye_inner", "eye_outer", "ear", "head_top")
_OF_ARM: Final = ("elbow", "wrist", "index", "pinky", "thumb")


class Drawn(NamedTuple):
    """A person on a canvas.

    Attributes
    ----------
    points_px
        Shape ``(K, 2)``, canvas pixels.
    hidden
        Shape ``(K,)``: behind the person's own body.
    coverage
        Shape of the canvas, uint8: how far the person covers each pixel, 255 = wholly.
    """

    points_px: Floats
    hidden: Bools
    coverage: Image


class Figure(NamedTuple):
    """A person who can be drawn, facing right; ``mirrored`` turns the picture round."""

    body: Body
    posture: Posture
    points: dict[str, Floats]
    lens: Lens
    mirrored: bool
    seat_px: Floats | None
    look_seed: int


def known_points() -> set[str]:
    """Return the keypoints that can be told of a drawn person."""
    body = Body()
    movement = MOTIONS["walk"](body, np.zeros(1), np.random.default_rng(0))
    names = set(place(body, movement.posture, movement.pelvis))
    return names | {"left_big_toe", "right_big_toe", "head", *_ONE_SIDED}


def choose_figure(
    rng: np.random.Generator, *, center_px: float, floor_px: float, height_px: float, width: int
) -> Figure:
    """Choose a person.

    Parameters
    ----------
    rng
        Source of every choice.
    center_px, floor_px
        Column of the person's middle, and row the soles stand at.
    height_px
        Height standing upright.
    width
        Of the canvas, pixels: it is mirrored for a person who faces left.
    """
    body = Body(float(rng.uniform(1.5, 1.92)))
    names = list(_MOTION_SHARES)
    motion = names[int(rng.choice(len(names), p=list(_MOTION_SHARES.values())))]
    time_s = rng.uniform(0, _STRIDE_S, 1)
    movement = _varied(body, MOTIONS[motion](body, time_s, rng), motion, rng)
    mirrored = bool(rng.random() < 0.5)
    turn = _TURN_DEG * float(rng.choice((-1, 1)) * np.sqrt(rng.random())) * (rng.random() < 0.8)
    lens = Lens(
        px_per_m=height_px / body.stature,
        center_px=width - 1 - center_px if mirrored else center_px,
        floor_px=floor_px,
        near=0 if mirrored else 1,
        turn_deg=turn,
    )
    world = place(body, movement.posture, movement.pelvis)
    middle = np.array([np.mean([xy[0, 0] for xy in world.values()])])
    points = {name: xy[0] for name, xy in lens.project(world, middle).items()}
    seat = None
    if movement.seat is not None:
        front, rear, top = movement.seat
        seat = lens.pixels(np.array([(front, top), (rear, top)]) - (middle[0], 0.0))
    look_seed = int(rng.integers(2**31))
    return Figure(body, movement.posture.at(0), points, lens, mirrored, seat, look_seed)


def draw_figure(canvas: Image, figure: Figure, names: tuple[str, ...], light: Light) -> Drawn:
    """Draw a person in place, and tell where the points are and which the body itself hides.

    Parameters
    ----------
    canvas
        Shape ``(h, w, 4)``, uint8: RGB, and a channel that comes and goes empty.
    figure
        The person.
    names
        The keypoints wanted.
    light
        The light.
    """
    window, figure, (left, top) = _window(canvas, figure)
    if figure.mirrored:
        light = light._replace(x=-light.x)
    local = np.ascontiguousarray(window[:, ::-1] if figure.mirrored else window)
    points, hidden, coverage = _draw(local, figure, names, light)
    if figure.mirrored:
        local, coverage = local[:, ::-1], coverage[:, ::-1]
        points[:, 0] = local.shape[1] - 1 - points[:, 0]
    window[:] = local
    whole = np.zeros(canvas.shape[:2], np.uint8)
    whole[top : top + window.shape[0], left : left + window.shape[1]] = coverage
    return Drawn(points + np.array([left, top]), hidden, whole)


def _window(canvas: Image, figure: Figure) -> tuple[Image, Figure, tuple[int, int]]:
    """Return the part of the canvas that a person and the shadow can reach.

    Returns
    -------
    tuple
        A view of the canvas; the person in it, facing right still; column and row it begins at.
    """
    width = canvas.shape[1]
    reach = _REACH_M * figure.lens.px_per_m
    xy = np.stack(list(figure.points.values()))
    low = np.maximum(np.floor(xy.min(axis=0) - reach), 0).astype(int)
    high = np.minimum(np.ceil(xy.max(axis=0) + reach), (width, canvas.shape[0])).astype(int)
    left, right = (width - high[0], width - low[0]) if figure.mirrored else (low[0], high[0])
    lens = figure.lens._replace(
        center_px=figure.lens.center_px - low[0], floor_px=figure.lens.floor_px - low[1]
    )
    moved = figure._replace(
        points={name: point - low for name, point in figure.points.items()},
        lens=lens,
        seat_px=None if figure.seat_px is None else figure.seat_px - low,
    )
    return canvas[low[1] : high[1], left:right], moved, (int(left), int(low[1]))


def _draw(
    canvas: Image, figure: Figure, names: tuple[str, ...], light: Light
) -> tuple[Floats, Bools, Image]:
    """Draw a person who faces right; return points, what the body hides, and the coverage."""
    lens, seen = figure.lens, canvas[..., 3]
    points = np.array([figure.points[_drawn_name(name, lens.near)] for name in names])
    place_of = np.array([_ORDER[_part_of(name, lens)] for name in names])
    hidden = np.zeros(len(names), bool)
    coverage = np.zeros(seen.shape, np.uint8)
    cells = np.round(points).astype(int)
    inside = ((cells >= 0) & (cells < seen.shape[::-1])).all(axis=1)

    def account(part: str) -> None:
        at = inside & (place_of < _ORDER[part])
        hidden[at] |= seen[cells[at, 1], cells[at, 0]] >= _COVERED
        np.maximum(coverage, seen, out=coverage)
        seen[:] = 0

    if figure.seat_px is not None:
        draw_stool(canvas, figure.seat_px, lens.floor_px)
        seen[:] = 0
    look = make_look(
        np.random.default_rng(figure.look_seed), stature=figure.body.stature,
        px_per_m=min(lens.px_per_m, _LOOK_PX_PER_M), light=light,
    )  # fmt: skip
    draw_person(
        canvas, look, figure.points, figure.posture, lens=lens, light=light, on_part=account
    )
    return points, hidden, coverage


def _varied(body: Body, movement: Movement, motion: str, rng: np.random.Generator) -> Movement:
    """Change a motion's posture: arms, trunk, head, and a walker's legs; the soles stay down."""
    p = movement.posture
    changed = {
        "trunk": p.trunk + rng.normal(0, 3 if motion == "walk" else 5),
        "head": p.head + rng.normal(0, 8),
    }
    if rng.random() < 0.6:
        changed["upper_arm"] = np.clip(p.upper_arm + rng.normal(0, 32, (1, 2)), -55, 170)
        changed["elbow"] = np.clip(p.elbow + rng.normal(10, 35, (1, 2)), 0, 140)
        changed["wrist"] = p.wrist + rng.normal(0, 12, (1, 2))
    if motion == "sit":
        return movement._replace(posture=replace(p, **changed))
    if motion == "walk":
        size = rng.uniform(0.6, 1.35)
        changed["thigh"] = size * p.thigh
        changed["knee"] = np.maximum(size * p.knee + rng.normal(0, 4, (1, 2)), -2)
        changed["foot"] = size * p.foot
    elif rng.random() < 0.3:  # stand on one leg
        leg, lift = int(rng.integers(2)), rng.uniform(15, 80)
        thigh, knee, foot = p.thigh.copy(), p.knee.copy(), p.foot.copy()
        thigh[:, leg] += lift
        knee[:, leg] += rng.uniform(0.5, 1.5) * lift
        foot[:, leg] = thigh[:, leg] - knee[:, leg] + rng.uniform(-20, 5)
        changed |= {"thigh": thigh, "knee": knee, "foot": foot}
    posture = replace(p, **changed)
    legs = leg_points(body, posture)
    lowest = min(float(legs[f"sole_{n}"][..., 1].min()) for n in ("heel", "ball", "toe"))
    pelvis = np.array([[movement.pelvis[0, 0], -lowest]])
    return movement._replace(posture=posture, pelvis=pelvis)


def _drawn_name(name: str, near: int) -> str:
    """Return the drawn point a keypoint is; one that has no side is the near side's."""
    side, _, part = name.partition("_")
    if side in {"left", "right"}:
        return f"{side}_{_SAME.get(part, part)}"
    if name in _ONE_SIDED:
        return f"{'left' if near == 0 else 'right'}_{_SAME.get(name, name)}"
    return _SAME.get(name, name)


def _part_of(name: str, lens: Lens) -> str:
    """Return the drawn part that a point lies on: what is drawn later can hide it.

    Hips and shoulders are the trunk's, which a far limb does not stand behind; what lies in the
    body's middle belongs to the near side, through which a reader of the picture sees it.
    """
    drawn = _drawn_name(name, lens.near)
    side, _, part = drawn.partition("_")
    if side not in {"left", "right"}:
        return {"neck": "near_arm", "mid_hip": "near_leg"}.get(drawn, "head")
    far = (side == "left") != (lens.near == 0)
    if part in _OF_HEAD:
        return "behind" if far else "head"
    if part in {"hip", "shoulder"} and far:
        return "trunk"
    limb = "arm" if part in _OF_ARM or part == "shoulder" else "leg"
    return f"{'far' if far else 'near'}_{limb}"
