"""Discs with exactly known centers on skin, and skin without: drawn for tests."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

SKINS = ((224, 180, 155), (198, 145, 115), (141, 95, 70), (85, 55, 42))
COLORS = (
    (245, 245, 240), (30, 30, 35), (30, 60, 200), (220, 40, 40), (40, 160, 70), (250, 220, 60),
)  # fmt: skip
SIDE = 220


def add_disc(
    picture: Floats, center: Floats, radius: float, color: tuple[int, ...], *, ratio: float = 1.0
) -> None:
    """Paint a disc, or an upright ellipse; each pixel's share is counted on 8 × 8 points."""
    half = int(2 * radius + 4)
    left, top = np.round(center).astype(int) - half
    cells = 2 * half + 1
    fine = (np.arange(cells * 8) + 0.5) / 8 - 0.5
    x, y = np.meshgrid(fine + left - center[0], fine + top - center[1])
    inside = (x / radius) ** 2 + (y / (radius * ratio)) ** 2 <= 1
    share = inside.reshape(cells, 8, cells, 8).mean(axis=(1, 3))
    height, width = picture.shape[:2]
    rows = slice(max(top, 0), min(top + cells, height))
    columns = slice(max(left, 0), min(left + cells, width))
    part = share[rows.start - top : rows.stop - top, columns.start - left : columns.stop - left]
    picture[rows, columns] += part[..., None] * (np.array(color) - picture[rows, columns])


def shade(rng: np.random.Generator, picture: Floats) -> Floats:
    """Darken towards one side, and towards both edges as a calf is."""
    height, width = picture.shape[:2]
    x, y = np.meshgrid(np.linspace(-1, 1, width), np.linspace(-1, 1, height))
    turn = rng.uniform(0, 2 * np.pi)
    across = np.cos(turn) * x + np.sin(turn) * y
    light = 1 + rng.uniform(-0.35, 0.35) * across - rng.uniform(0, 0.3) * across**2
    return picture * light[..., None]


def add_hairs(rng: np.random.Generator, picture: Floats, count: int) -> Floats:
    for _ in range(count):
        start = rng.uniform(0, SIDE, 2)
        turn, length = rng.uniform(0, 2 * np.pi), rng.uniform(10, 50)
        ends = [start, start + length * np.array([np.cos(turn), np.sin(turn)])]
        drawn = picture.copy()
        a, b = ((int(p[0] * 16), int(p[1] * 16)) for p in ends)
        cv2.line(drawn, a, b, (40, 30, 25), int(rng.integers(1, 3)), cv2.LINE_AA, 4)
        picture = 0.35 * picture + 0.65 * drawn
    return picture


def photograph(
    rng: np.random.Generator, picture: Floats, *, blur: float = 0, noise: float = 0, jpeg: int = 0
) -> NDArray[np.uint8]:
    if blur:
        picture = cv2.GaussianBlur(picture, (0, 0), blur)
    picture = picture + rng.normal(0, noise, picture.shape) if noise else picture
    image = np.clip(np.round(picture), 0, 255).astype(np.uint8)
    if jpeg:
        _, data = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, jpeg])
        image = np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), np.uint8)
    return image


def _texture(rng: np.random.Generator, sigma: float, channels: int = 1) -> Floats:
    noise = cv2.GaussianBlur(rng.normal(size=(SIDE, SIDE, channels)), (0, 0), sigma)
    return np.asarray(noise / noise.std()).reshape(SIDE, SIDE, channels)


def with_marker(
    rng: np.random.Generator, *, clean: bool
) -> tuple[NDArray[np.uint8], Floats, float]:
    """Return a picture, its marker's center and radius (2 to 30 px)."""
    skin = np.array(SKINS[rng.integers(len(SKINS))], float)
    picture = np.ones((SIDE, SIDE, 3)) * skin
    center = SIDE / 2 + rng.uniform(-6, 6, 2)
    radius = float(np.exp(rng.uniform(np.log(2), np.log(30))))
    plain = [c for c in COLORS if np.linalg.norm(np.array(c) - skin) > 60]
    color = plain[rng.integers(len(plain))]
    if clean:
        add_disc(picture, center, radius, color)
        return photograph(rng, shade(rng, picture)), center, radius
    picture += rng.uniform(0, 4) * _texture(rng, rng.uniform(2, 12))
    if rng.random() < 0.5:
        picture = add_hairs(rng, picture, int(rng.integers(12)))
    add_disc(picture, center, radius, color, ratio=rng.uniform(0.75, 1))
    picture = shade(rng, picture)
    if rng.random() < 0.3:
        picture = add_hairs(rng, picture, int(rng.integers(5)))
    jpeg = int(rng.integers(60, 96)) if rng.random() < 0.7 else 0
    blur = rng.uniform(0, 1.5) * min(1.0, radius / 3)
    return photograph(rng, picture, blur=blur, noise=rng.uniform(0, 10), jpeg=jpeg), center, radius


def without_marker(rng: np.random.Generator) -> NDArray[np.uint8]:
    """Return skin, hair, a leg's edge, creases, a bump, or busy cloth."""
    picture = np.ones((SIDE, SIDE, 3)) * np.array(SKINS[rng.integers(len(SKINS))], float)
    picture = shade(rng, picture) + rng.uniform(0, 8) * _texture(rng, rng.uniform(2, 12))
    x, y = np.meshgrid(np.arange(SIDE) - SIDE / 2, np.arange(SIDE) - SIDE / 2)
    kind = rng.integers(7)
    if kind in {1, 5}:
        picture = add_hairs(rng, picture, int(rng.integers(5, 40)))
    if kind in {2, 5}:
        turn = rng.uniform(0, 2 * np.pi)
        across = np.cos(turn) * x + np.sin(turn) * y + rng.uniform(-15, 15)
        picture[across + rng.uniform(-0.004, 0.004) * (x * x + y * y) > 0] = rng.uniform(0, 255, 3)
    if kind == 3:
        for _ in range(rng.integers(1, 4)):
            path = (np.cumsum(rng.normal(0, 12, (8, 2)), axis=0) + SIDE / 2).astype(np.int32)
            tone = (picture.mean(axis=(0, 1)) * rng.uniform(0.5, 0.9)).tolist()
            drawn = picture.copy()
            cv2.polylines(drawn, [path], False, tone, int(rng.integers(2, 9)), cv2.LINE_AA)
            picture = 0.7 * drawn + 0.3 * picture
    if kind == 4:
        size = rng.uniform(8, 40)
        bump = np.exp(-(x * x + y * y * rng.uniform(0.5, 2)) / (2 * size * size))
        picture += rng.choice([-1, 1]) * rng.uniform(10, 60) * bump[..., None]
    if kind == 6:
        picture += rng.uniform(10, 40) * _texture(rng, rng.uniform(1.5, 8), 3)
    jpeg = int(rng.integers(60, 96)) if rng.random() < 0.7 else 0
    return photograph(rng, picture, blur=rng.uniform(0, 1.5), noise=rng.uniform(0, 8), jpeg=jpeg)
