"""The room around a drawn person, and the camera's faults: blur and noise."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import cv2
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gonio.synthetic.shapes import Image

_WALLS = ((206, 202, 192), (188, 198, 204), (212, 204, 186), (186, 196, 180), (200, 190, 196))
_FLOORS = ((148, 126, 102), (128, 128, 130), (166, 148, 122), (104, 104, 100))


class Scene(NamedTuple):
    """A wide picture of wall and floor that repeats sideways, and the camera's faults."""

    backdrop: Image
    blur_px: float
    grain: tuple[Image, Image]

    def view(self, left_px: int, width: int) -> Image:
        """Return a copy of the part that begins at a column."""
        columns = (left_px + np.arange(width)) % self.backdrop.shape[1]
        if columns[0] < columns[-1]:
            return self.backdrop[:, columns[0] : columns[-1] + 1].copy()
        cut = self.backdrop.shape[1] - columns[0]
        return np.concatenate(
            [self.backdrop[:, columns[0] :], self.backdrop[:, : width - cut]], axis=1
        )

    def photograph(self, image: Image, rng: np.random.Generator) -> Image:
        """Return the image as the camera sees it: a little blurred, with noise."""
        size = (image.shape[1], image.shape[0])
        out = cv2.GaussianBlur(image, (3, 3), self.blur_px)
        y, x = rng.integers(0, 64, 2)
        bright, dark = (g[y : y + size[1], x : x + size[0]] for g in self.grain)
        return np.asarray(cv2.subtract(cv2.add(out, bright), dark), np.uint8)


def make_scene(rng: np.random.Generator, *, size: tuple[int, int], floor_px: float) -> Scene:
    """Paint a scene.

    Parameters
    ----------
    rng
        Source of every choice.
    size
        Width and height of the camera's picture, pixels.
    floor_px
        Row at which the person's soles stand; the wall ends above it.
    """
    width, height = 2 * size[0] + 640, size[1]
    edge = round(floor_px - 0.06 * height)
    picture = np.empty((height, width, 3), np.float32)
    picture[:edge] = np.array(_WALLS[int(rng.integers(len(_WALLS)))]) + rng.uniform(-8, 8, 3)
    picture[edge:] = np.array(_FLOORS[int(rng.integers(len(_FLOORS)))]) + rng.uniform(-8, 8, 3)
    picture[:edge] *= np.linspace(1.06, 0.9, edge, dtype=np.float32)[:, None, None]
    picture[edge:] *= np.linspace(0.85, 1.1, height - edge, dtype=np.float32)[:, None, None]
    for _ in range(int(rng.integers(3, 6))):
        _hang_picture(picture, rng, edge)
    board = round(0.02 * height)
    picture[edge - board : edge] = picture[edge - board : edge] * 0.5 + 110
    _lay_boards(picture, rng, edge)
    picture *= _mottle(rng, picture.shape[:2])[..., None]
    backdrop = cv2.GaussianBlur(np.clip(picture, 0, 255).astype(np.uint8), (0, 0), 1.2)
    sigma = rng.uniform(1.5, 4.0)
    noise = rng.normal(0, sigma, (height + 64, size[0] + 64, 3)).astype(np.float32)
    grain = tuple(np.clip(s * noise, 0, 255).astype(np.uint8) for s in (1, -1))
    return Scene(np.asarray(backdrop, np.uint8), rng.uniform(0.4, 0.8), (grain[0], grain[1]))


def _hang_picture(picture: NDArray[np.float32], rng: np.random.Generator, edge: int) -> None:
    w = picture.shape[1]
    x, y = int(rng.integers(0, w - 260)), int(rng.integers(0, edge // 3))
    dx, dy = int(rng.integers(90, 240)), int(rng.integers(90, 220))
    tone = rng.uniform(110, 215) + rng.uniform(-22, 22, 3)
    cv2.rectangle(picture, (x - 6, y - 6), (x + dx + 6, y + dy + 6), (tone * 0.6).tolist(), -1)
    cv2.rectangle(picture, (x, y), (x + dx, y + dy), tone.tolist(), -1)


def _lay_boards(picture: NDArray[np.float32], rng: np.random.Generator, edge: int) -> None:
    h, w = picture.shape[:2]
    row, step = float(edge), 5.0
    while row < h:
        cv2.line(picture, (0, int(row)), (w, int(row)), (picture[int(row), 0] * 0.82).tolist(), 1)
        for _ in range(6):
            x, y1 = int(rng.integers(0, w)), min(int(row + step), h - 1)
            cv2.line(picture, (x, int(row)), (x, y1), (picture[int(row), 0] * 0.8).tolist(), 1)
        row, step = row + step, step * 1.35


def _mottle(rng: np.random.Generator, shape: tuple[int, int]) -> NDArray[np.float32]:
    """Return a smooth random brightness that repeats sideways."""
    total = np.ones(shape, np.float32)
    for cell, strength in ((160, 0.05), (24, 0.02), (4, 0.02)):
        coarse = rng.standard_normal((shape[0] // cell + 2, shape[1] // cell + 1))
        coarse[:, -1] = coarse[:, 0]
        layer = cv2.resize(coarse.astype(np.float32), (shape[1], shape[0]),
                           interpolation=cv2.INTER_CUBIC)  # fmt: skip
        total += strength * np.asarray(layer, np.float32)
    return total
