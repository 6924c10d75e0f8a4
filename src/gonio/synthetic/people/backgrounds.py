"""What is behind people: rooms, streets, gardens, clutter, plain walls; and what is before them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gonio.synthetic.shapes import Image

    Floats = NDArray[np.float32]
    _Point = tuple[float, float] | NDArray[np.float64]


def paint_background(rng: np.random.Generator, wh: tuple[int, int], horizon_px: float) -> Image:
    """Paint what is behind people.

    Parameters
    ----------
    rng
        Source of every choice.
    wh
        Width and height, pixels.
    horizon_px
        Row at which the floor begins.

    Returns
    -------
    ndarray
        Shape ``(h, w, 3)``, uint8 RGB.
    """
    edge = int(np.clip(horizon_px, 0.15 * wh[1], 0.92 * wh[1]))
    painters = (_room, _street, _garden, _clutter, _plain)
    picture = painters[int(rng.integers(len(painters)))](rng, wh, edge)
    picture *= _mottle(rng, wh)[..., None]
    return np.clip(picture, 0, 255).astype(np.uint8)


def paint_occluder(canvas: Image, rng: np.random.Generator, box: NDArray[np.float64]) -> Image:
    """Put something before a person, in place: a post, a panel, a plant or a bag.

    Parameters
    ----------
    canvas
        RGB in the first three channels.
    rng
        Source of every choice.
    box
        The person's extent: left, top, right, bottom, pixels.

    Returns
    -------
    ndarray
        Shape ``(h, w)``, uint8: 255 where it covers what is behind it.
    """
    mask = np.zeros(canvas.shape[:2], np.uint8)
    width, height = box[2] - box[0], box[3] - box[1]
    x = float(rng.uniform(box[0], box[2]))
    kind = int(rng.integers(4))
    if kind == 0:
        half = float(rng.uniform(0.04, 0.14)) * height / 2
        cv2.rectangle(mask, _cell(x - half, -9), _cell(x + half, canvas.shape[0] + 9), 255, -1)
    elif kind == 1:
        top = box[1] + float(rng.uniform(0.5, 0.95)) * height
        size = float(rng.uniform(0.3, 1.2)) * max(width, 0.3 * height)
        cv2.rectangle(mask, _cell(x - size / 2, top), _cell(x + size / 2, box[3] + 30), 255, -1)
    elif kind == 2:
        _leaves(mask, rng, x, box[3], float(rng.uniform(0.2, 0.5)) * height)
    else:
        center = _cell(x, float(rng.uniform(box[1], box[3])))
        axes = _cell(*(rng.uniform(0.05, 0.16, 2) * height))
        cv2.ellipse(mask, center, axes, float(rng.uniform(0, 180)), 0, 360, 255, -1)
    color = rng.uniform(20, 230, 3)
    shade = np.linspace(rng.uniform(0.7, 1.15), rng.uniform(0.7, 1.15), canvas.shape[1])
    grain = rng.uniform(0.85, 1.15, (canvas.shape[0] // 6 + 1, canvas.shape[1] // 6 + 1))
    rows, columns = np.nonzero(mask)
    bright = shade[columns] * grain[rows // 6, columns // 6]
    canvas[rows, columns, :3] = np.clip(bright[:, None] * color, 0, 255)
    return mask


def _room(rng: np.random.Generator, wh: tuple[int, int], edge: int) -> Floats:
    picture = _two_planes(rng, wh, edge, (120, 230), (60, 190))
    for _ in range(int(rng.integers(1, 6))):
        size = rng.uniform(0.08, 0.35, 2) * min(wh)
        corner = rng.uniform(0, 1, 2) * (wh[0], edge) - size / 2
        tone = rng.uniform(60, 230, 3)
        _box(picture[:edge], corner - 3, corner + size + 3, tone * 0.6)
        _box(picture[:edge], corner, corner + size, tone)
    row, step = float(edge), float(rng.uniform(5, 14))
    while row < wh[1]:
        cv2.line(picture, (0, int(row)), (wh[0], int(row)), (picture[int(row), 0] * 0.85).tolist())
        row, step = row + step, step * 1.35
    return picture


def _street(rng: np.random.Generator, wh: tuple[int, int], edge: int) -> Floats:
    picture = _two_planes(rng, wh, edge, (150, 250), (70, 150))
    x = -float(rng.uniform(0, 60))
    while x < wh[0]:
        size = np.array([rng.uniform(0.15, 0.45) * wh[0], rng.uniform(0.4, 1.1) * edge])
        tone, glass = rng.uniform(70, 210, 3), rng.uniform(30, 140, 3)
        top = edge - size[1]
        _box(picture[:edge], (x, top), (x + size[0], edge), tone)
        pane = rng.uniform(8, 26, 2)
        for row in np.arange(top + pane[1], edge - pane[1], 2 * pane[1]):
            for column in np.arange(x + pane[0], x + size[0] - pane[0], 2 * pane[0]):
                _box(picture, (column, row), (column + pane[0], row + pane[1]), glass)
        x += size[0]
    return picture


def _garden(rng: np.random.Generator, wh: tuple[int, int], edge: int) -> Floats:
    picture = _two_planes(rng, wh, edge, (160, 250), (60, 130))
    picture[edge:] *= (0.9, 1.15, 0.6)
    columns = np.arange(wh[0])
    for depth in range(3):
        phase, waves = rng.uniform(0, 6.3), rng.uniform(0.6, 2.5)
        hill = edge * (0.55 + 0.13 * depth) + 0.08 * edge * np.sin(
            phase + waves * 2 * np.pi * columns / wh[0]
        )
        outline = np.stack([columns, hill], axis=-1)
        ground = np.array([(wh[0], edge), (0, edge)])
        tone = np.array([70, 110, 60]) * (1.25 - 0.2 * depth) + rng.uniform(-20, 20, 3)
        polygon = np.concatenate([outline, ground]).astype(np.int32)
        cv2.fillPoly(picture, [polygon], tone.tolist())
    for _ in range(int(rng.integers(0, 5))):
        x, size = float(rng.uniform(0, wh[0])), float(rng.uniform(0.06, 0.2)) * wh[1]
        _box(picture, (x - size / 8, edge - size), (x + size / 8, edge), rng.uniform(40, 90, 3))
        for _ in range(6):
            middle = rng.normal((x, edge - 1.6 * size), size / 2.2, 2)
            tone = np.array([50, 100, 45]) * rng.uniform(0.6, 1.4)
            cv2.circle(picture, _cell(*middle), int(size / 1.8), tone.tolist(), -1)
    return picture


def _clutter(rng: np.random.Generator, wh: tuple[int, int], edge: int) -> Floats:
    picture = _two_planes(rng, wh, edge, (40, 230), (40, 200))
    for _ in range(int(rng.integers(15, 45))):
        tone = rng.uniform(15, 240, 3).tolist()
        a, size = rng.uniform(0, 1, 2) * wh, rng.uniform(0.03, 0.25, 2) * min(wh)
        turn = float(rng.uniform(0, 180))
        match int(rng.integers(3)):
            case 0:
                corners = cv2.boxPoints((tuple(a), tuple(size), turn))
                cv2.fillPoly(picture, [corners.astype(np.int32)], tone)
            case 1:
                cv2.ellipse(picture, _cell(*a), _cell(*(size / 2)), turn, 0, 360, tone, -1)
            case _:
                cv2.line(picture, _cell(*a), _cell(*(a + size * rng.choice((-3, 3), 2))), tone,
                         int(rng.integers(2, 14)))  # fmt: skip
    return picture


def _plain(rng: np.random.Generator, wh: tuple[int, int], edge: int) -> Floats:
    picture = _two_planes(rng, wh, edge, (30, 245), (30, 220))
    if rng.random() < 0.5:
        picture[edge:] = picture[edge - 1]
    return picture


def _two_planes(
    rng: np.random.Generator,
    wh: tuple[int, int],
    edge: int,
    upper: tuple[float, float],
    lower: tuple[float, float],
) -> Floats:
    """Paint what stands upright and what lies flat, each in a tone that changes with height."""
    picture = np.empty((wh[1], wh[0], 3), np.float32)
    for rows, tones in ((slice(0, edge), upper), (slice(edge, None), lower)):
        tone = (rng.uniform(*tones) + rng.uniform(-25, 25, 3)).astype(np.float32)
        part = picture[rows]
        ends = rng.uniform(0.8, 1.15, 2)
        ramp = np.linspace(ends[0], ends[1], len(part), dtype=np.float32)
        part[:] = tone * ramp[:, None, None]
    return picture


def _mottle(rng: np.random.Generator, wh: tuple[int, int]) -> Floats:
    total = np.ones((wh[1], wh[0]), np.float32)
    for cell, strength in ((90, 0.08), (20, 0.05), (4, 0.05)):
        shape = (wh[1] // cell + 2, wh[0] // cell + 2)
        coarse = rng.standard_normal(shape, dtype=np.float32)
        layer = cv2.resize(coarse, wh, interpolation=cv2.INTER_LINEAR)
        total += np.float32(strength * rng.uniform(0, 1)) * np.asarray(layer, np.float32)
    return total


def _leaves(mask: Image, rng: np.random.Generator, x: float, floor: float, size: float) -> None:
    for _ in range(14):
        tip = np.array([x + rng.normal(0, size / 2), floor - abs(rng.normal(0.6, 0.3)) * size])
        base = np.array([x + rng.normal(0, size / 10), floor])
        middle, along = (tip + base) / 2, tip - base
        angle = float(np.degrees(np.arctan2(along[1], along[0])))
        axes = _cell(float(np.hypot(*along)) / 2, size / 12)
        cv2.ellipse(mask, _cell(*middle), axes, angle, 0, 360, 255, -1)


def _box(picture: Floats, low: _Point, high: _Point, tone: NDArray[np.float64]) -> None:
    cv2.rectangle(picture, _cell(*low), _cell(*high), tone.tolist(), -1)


def _cell(x: float, y: float) -> tuple[int, int]:
    return int(x), int(y)
