"""Make the pictures of README and docs: ``python docs/make_pictures.py``."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import cv2
import matplotlib as mpl
import numpy as np

import gonio
from gonio import datasets, imaging
from gonio.labels import LabelledImage, make_labels
from gonio.report.prepare import COLORS
from gonio.skeletons import load_skeleton
from gonio.synthetic import PersonSettings, frames, truth
from gonio.synthetic.people import draw_people
from gonio.video import open_source, write_image

mpl.use("Agg")
import matplotlib.pyplot as plt

HERE = Path(__file__).parent
MOMENTS_S = (2.0, 2.4)


CHANGES = {
    "as it is": {},
    "flip": {"flip": datasets.Flip(probability=1)},
    "scale": {"scale": datasets.Scale(probability=1, low=1.3, high=1.4)},
    "rotate": {"rotate": datasets.Rotate(probability=1, max_deg=40)},
    "tilt": {"tilt": datasets.Tilt(probability=1, max_deg=40)},
    "half_body": {"half_body": datasets.HalfBody(probability=1)},
    "color_jitter": {"color_jitter": imaging.ColorJitter(probability=1, hue_deg=90)},
    "negative": {"negative": imaging.Negative(probability=1)},
    "motion_blur": {"motion_blur": imaging.MotionBlur(probability=1, low=8)},
    "noise": {"noise": imaging.Noise(probability=1, low=12, high=20)},
    "jpeg": {"jpeg": imaging.Jpeg(probability=1, low=5, high=10)},
    "occlusion": {"occlusion": imaging.Occlusion(probability=1, low=0.2)},
}


FILTERS = (
    ("grey", imaging.Grey()),
    ("edges", imaging.Edges()),
    ("edge_overlay", imaging.EdgeOverlay()),
    ("equalize", imaging.Equalize()),
    ("clahe", imaging.Clahe()),
    ("color_equalize", imaging.ColorEqualize()),
    ("edge_enhance", imaging.EdgeEnhance()),
    ("gaussian", imaging.Gaussian(sigma_px=2)),
    ("bilateral", imaging.Bilateral()),
)
LINES = imaging.EdgeOverlay(low=150, high=400)


def main() -> None:
    """Make all pictures."""
    walker()
    augmentation()
    filters()
    drawn_people()


def drawn_people() -> None:
    """Draw people as `gonio data synthesize` does; hidden keypoints are rings."""
    skeleton = load_skeleton("coco17")
    tiles = []
    for index in (2, 6, 8, 9, 13, 21):
        picture = draw_people(skeleton, 3, index)
        scale = 300 / picture.image.shape[0]
        tile = cv2.resize(picture.image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        for points, seen in zip(picture.keypoints_px, picture.visibility, strict=True):
            for point, keypoint, visible in zip(points, skeleton.keypoints, seen, strict=True):
                if visible:
                    side = "left" if keypoint.startswith("left") else "right"
                    color = tuple(int(COLORS[side][i : i + 2], 16) for i in (1, 3, 5))
                    where = np.rint((point + 0.5) * scale - 0.5).astype(int).tolist()
                    kind = cv2.FILLED if visible == 2 else 1
                    cv2.circle(tile, where, 3, color, kind, cv2.LINE_AA)
        tiles.append(tile)
    write_image(HERE / "_static" / "drawn_people.jpg", np.hstack(tiles))


def filters() -> None:
    """Show a dim, noisy picture through each filter, through a chain, and without background."""
    rng = np.random.default_rng(0)
    picture = draw_people(load_skeleton("coco17"), 3, 9).image
    scale = 256 / picture.shape[0]
    picture = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    picture = imaging.adjust_color(picture[:, :192], brightness=0.9, contrast=0.6)
    picture = imaging.add_noise(picture, 4, rng)
    shown = {"as it is": picture}
    shown |= {name: imaging.apply_filters(picture, [each]) for name, each in FILTERS}
    chain = [imaging.Bilateral(), imaging.ColorEqualize(), imaging.EdgeEnhance(amount=0.1), LINES]
    shown["four of them"] = imaging.apply_filters(picture, chain)
    background = imaging.FrameFilters([imaging.Mog2(fill=60)])
    for number, frame in enumerate(frames(PersonSettings(seed=5, seconds=1.5))):
        moving = background.next(imaging.add_noise(frame, 3, rng))
        if number == 25:
            middle = moving.shape[1] // 2
            break
    scale = 256 / moving.shape[0]
    small = cv2.resize(moving, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    left = round(middle * scale) - 96
    shown["mog2"] = small[:, left : left + 192]
    tiles = [_titled(image, name) for name, image in shown.items()]
    rows = [np.hstack(tiles[start : start + 6]) for start in (0, 6)]
    write_image(HERE / "_static" / "filters.jpg", np.vstack(rows))


def _titled(tile: imaging.Image, name: str) -> imaging.Image:
    """Write a name into the corner of a picture."""
    tile = np.ascontiguousarray(tile)
    cv2.rectangle(tile, (0, 0), (9 * len(name) + 8, 19), (255, 255, 255), cv2.FILLED)
    font = cv2.FONT_HERSHEY_SIMPLEX
    cv2.putText(tile, name, (4, 14), font, 0.45, (0, 0, 0), 1, cv2.LINE_AA)
    return tile


def augmentation() -> None:
    """Change a drawn walker in every way, its keypoints drawn where their labels are."""
    person = PersonSettings(seed=5, seconds=0.5)
    image = list(frames(person))[7]
    skeleton = load_skeleton("blazepose33")
    points = truth(person).poses["position"].isel(time=7, individuals=0)
    seen = np.full((1, len(skeleton.keypoints)), 2)
    labels = make_labels(
        skeleton, [LabelledImage(HERE)], [0], [points.transpose("keypoints", "space")], seen
    )
    tiles = []
    for place, (name, changes) in enumerate(CHANGES.items()):
        sample = datasets.make_sample(
            labels,
            0,
            input=datasets.InputSettings(width=192, height=256),
            target=datasets.TargetSettings(),
            augmentation=datasets.AugmentationSettings(**changes),
            rng=datasets.sample_rng(1, 0, place),
            image=image,
        )
        tile = cv2.resize(sample.image, None, fx=1.25, fy=1.25, interpolation=cv2.INTER_CUBIC)
        for point, keypoint, visible in zip(
            sample.points_px, skeleton.keypoints, sample.visibility, strict=True
        ):
            side = "left" if keypoint.startswith("left") else "right"
            color = tuple(int(COLORS[side][i : i + 2], 16) for i in (1, 3, 5))
            where = np.rint((point + 0.5) * 1.25 - 0.5).astype(int).tolist()
            cv2.circle(tile, where, 3, color, cv2.FILLED if visible == 2 else 1, cv2.LINE_AA)
        tiles.append(_titled(tile, name))
    rows = [np.hstack(tiles[start : start + 6]) for start in (0, 6)]
    write_image(HERE / "_static" / "augmentation.jpg", np.vstack(rows))


def walker() -> None:
    """Analyze the demo's walker and draw two of its frames beside the knees' curves."""
    with TemporaryDirectory() as scratch:
        result = gonio.demo(out=scratch)
        with open_source(result.folder / "overlay.mp4") as source:
            frames = {frame.index: frame.image.copy() for frame in source}
            fps = source.info.fps or 30.0
        angles, truth = result.evaluation.angles, result.evaluation.truth["angles"]

    figure = plt.figure(figsize=(12, 3.7), dpi=110, layout="constrained")
    left, middle, right = figure.subplots(1, 3, width_ratios=[1, 1, 1.7])
    for axes, moment in zip((left, middle), MOMENTS_S, strict=True):
        image = frames[round(moment * fps)]
        center = image.shape[1] // 2
        axes.imshow(image[60:700, center - 270 : center + 270])
        axes.set_axis_off()
    for side in ("left", "right"):
        color = COLORS[side]
        name = f"knee_{side}"
        known = truth["angle_deg"].sel(angle=name).squeeze()
        found = angles["angle_deg"].sel(angle=name).squeeze()
        right.plot(known["time"], known, color=color, lw=1, ls=":")
        right.plot(found["time"], found, color=color, lw=2, label=side)
    right.plot([], [], color="0.3", lw=1, ls=":", label="true")
    right.set(
        xlabel="time (s)",
        ylabel="knee flexion (°)",
        xlim=(0, float(np.max(known["time"]))),
        ylim=(-8, 80),
    )
    right.legend(frameon=False, loc="upper right", ncols=3)
    right.spines[["top", "right"]].set_visible(False)
    figure.savefig(HERE / "_static" / "walker.png")


if __name__ == "__main__":
    main()
