"""Renders a person who moves, with the truth about every keypoint and angle."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, get_args

import numpy as np

from gonio.errors import ConfigError, UnknownNameError
from gonio.poses import make_angles, make_poses
from gonio.skeletons import load_skeleton
from gonio.synthetic.body import Body, joint_angles, place
from gonio.synthetic.figure import draw_person, draw_stool
from gonio.synthetic.lens import Lens
from gonio.synthetic.look import Look, make_look
from gonio.synthetic.motion import MOTIONS, MotionName, Movement
from gonio.synthetic.scene import Scene, make_scene
from gonio.synthetic.shapes import Light

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    import xarray as xr
    from numpy.typing import NDArray

    from gonio.synthetic.shapes import Image

Facing = Literal["right", "left"]
Camera = Literal["following", "static"]


@dataclass(frozen=True)
class PersonSettings:
    """What to render.

    Attributes
    ----------
    motion
        ``"walk"``, ``"squat"`` or ``"sit"``.
    seed
        Decides everything else: body, clothes, light, room, noise, tempo.
    seconds, fps
        Duration and frame rate.
    size
        Width and height in pixels.
    facing
        Facing right, the person's right side is near the camera.
    camera
        ``"following"`` moves with a walker; ``"static"`` stands still: the walker crosses the
        view, and is in its middle at half time.
    height_fraction
        The person's height as a fraction of the picture's.
    """

    motion: MotionName = "walk"
    seed: int = 0
    seconds: float = 6.0
    fps: float = 30.0
    size: tuple[int, int] = (960, 720)
    facing: Facing = "right"
    camera: Camera = "following"
    height_fraction: float = 0.72

    def __post_init__(self) -> None:
        _known("motion", self.motion, MOTIONS)
        _known("facing", self.facing, get_args(Facing))
        _known("camera", self.camera, get_args(Camera))
        if min(self.size) < 64:
            raise ConfigError(f"synthetic person: size {self.size} is below 64 pixels")
        if self.seconds <= 0 or self.fps <= 0:
            raise ConfigError("synthetic person: seconds and fps must be positive")
        if not 0.1 <= self.height_fraction <= 0.9:
            raise ConfigError("synthetic person: height_fraction must lie within 0.1–0.9")


def _known(kind: str, name: str, known: Any) -> None:
    if name not in known:
        raise UnknownNameError(kind, name, known, where="synthetic person")


class Truth(NamedTuple):
    """What the picture shows, exactly.

    Attributes
    ----------
    poses
        ``blazepose33``, pixels; the person is ``person_0``. Points outside the picture keep their
        position and have confidence 0.
    angles
        Joints and segments of both sides, degrees, in the definitions of ``analysis.angles``.
    """

    poses: xr.Dataset
    angles: xr.Dataset


class _Take(NamedTuple):
    settings: PersonSettings
    body: Body
    movement: Movement
    points: dict[str, NDArray[np.float64]]
    lens: Lens
    camera_m: NDArray[np.float64]
    light: Light
    look: Look
    scene: Scene


def truth(settings: PersonSettings) -> Truth:
    """Return the truth without drawing anything.

    Parameters
    ----------
    settings
        What would be rendered.
    """
    return _truth(_prepare(settings))


def frames(settings: PersonSettings) -> Iterator[Image]:
    """Yield the pictures, RGB ``(height, width, 3)``, one after another.

    Parameters
    ----------
    settings
        What to render; the same settings give the same pictures.
    """
    take = _prepare(settings)
    for i in range(len(take.camera_m)):
        yield _draw(take, i)


def render_person(
    path: Path,
    *,
    motion: MotionName = "walk",
    seed: int = 0,
    seconds: float = 6.0,
    fps: float = 30.0,
    size: tuple[int, int] = (960, 720),
    facing: Facing = "right",
    camera: Camera = "following",
    progress: Callable[[int, int], None] | None = None,
) -> Truth:
    """Render a person to an MP4 file.

    Parameters
    ----------
    path
        The video; written completely or not at all.
    motion, seed, seconds, fps, size, facing, camera
        See :class:`PersonSettings`.
    progress
        Called with the frames done and the frames in all.

    Returns
    -------
    Truth
        Keypoints and angles of every frame.

    Raises
    ------
    ConfigError
        If a setting is unknown or out of range.
    OutputError
        If the file cannot be written.
    """
    from gonio.video import VideoWriter

    take = _prepare(PersonSettings(motion, seed, seconds, fps, size, facing, camera))
    with VideoWriter(path, width=size[0], height=size[1], fps=fps) as video:
        total = len(take.camera_m)
        for i in range(total):
            video.write(_draw(take, i), i / fps)
            if progress is not None:
                progress(i + 1, total)
    return _truth(take)


def _prepare(settings: PersonSettings) -> _Take:
    width, height = settings.size
    seeds = np.random.SeedSequence(settings.seed).spawn(3)
    body_rng, look_rng, scene_rng = (np.random.default_rng(s) for s in seeds)
    body = Body(float(body_rng.uniform(1.58, 1.88)))
    time_s = np.arange(max(round(settings.seconds * settings.fps), 1)) / settings.fps
    movement = MOTIONS[settings.motion](body, time_s, body_rng)
    world = place(body, movement.posture, movement.pelvis)
    lens = Lens(
        px_per_m=settings.height_fraction * height / body.stature,
        center_px=width / 2,
        floor_px=(0.52 + 0.5 * settings.height_fraction) * height,
        near=1 if settings.facing == "right" else 0,
    )
    travel = movement.speed * time_s
    still = np.full_like(time_s, travel.mean())
    camera_m = travel if settings.camera == "following" else still
    camera_m = camera_m + np.mean([p[:, 0] - travel for p in world.values()])
    side, rise = look_rng.uniform(-0.9, 0.9), look_rng.uniform(0.4, 0.9)
    norm = float(np.sqrt(1 + side**2 + rise**2))
    light = Light(side / norm, -rise / norm, 1 / norm)
    return _Take(
        settings=settings,
        body=body,
        movement=movement,
        points=lens.project(world, camera_m),
        lens=lens,
        camera_m=camera_m,
        light=light,
        look=make_look(look_rng, stature=body.stature, px_per_m=lens.px_per_m, light=light),
        scene=make_scene(scene_rng, size=settings.size, floor_px=lens.floor_px),
    )


def _draw(take: _Take, i: int) -> Image:
    lens, movement = take.lens, take.movement
    image = take.scene.view(round(lens.px_per_m * take.camera_m[i]), take.settings.size[0])
    points = {name: xy[i] for name, xy in take.points.items()}
    if movement.seat is not None:
        front, rear, top = movement.seat
        corners = np.array([(front, top), (rear, top)]) - (take.camera_m[i], 0.0)
        draw_stool(image, lens.pixels(corners), lens.floor_px)
    draw_person(image, take.look, points, movement.posture.at(i), lens=lens, light=take.light)
    image = take.scene.photograph(image, np.random.default_rng((take.settings.seed, i)))
    return image if take.settings.facing == "right" else np.ascontiguousarray(image[:, ::-1])


def _truth(take: _Take) -> Truth:
    settings = take.settings
    width, height = settings.size
    skeleton = load_skeleton("blazepose33")
    position = np.stack([take.points[name] for name in skeleton.keypoints], axis=-1)
    if settings.facing == "left":
        position[:, 0] = width - 1 - position[:, 0]
    x, y = position[:, 0], position[:, 1]
    seen = (x >= 0) & (x <= width - 1) & (y >= 0) & (y <= height - 1)
    time_s = np.arange(len(position)) / settings.fps
    source = {"source": "synthetic", "synthetic": str(asdict(settings))}
    poses = make_poses(
        position[..., None],
        seen[..., None].astype(float),
        time_s=time_s,
        skeleton=skeleton,
        fps=settings.fps,
        attrs=source,
    )
    values = joint_angles(take.body, take.movement.posture)
    angles = make_angles(
        np.stack(list(values.values()), axis=-1)[..., None],
        time_s=time_s,
        names=list(values),
        individuals=["person_0"],
        attrs={"fps": settings.fps, **source},
    )
    return Truth(poses, angles)
