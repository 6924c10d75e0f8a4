"""``gonio data``: every verb on a small set, and what it refuses."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from typer.testing import CliRunner

from gonio.cli.main import app
from gonio.errors import ConfigError, GonioError, InputError, OutputError, UnknownNameError
from gonio.formats.labels import read_labels, write_labels
from gonio.labels import LabelledImage, make_labels
from gonio.skeletons import Skeleton
from gonio.video import VideoWriter, read_image, write_image

if TYPE_CHECKING:
    from pathlib import Path

    from gonio.labels import Labels

LEG = Skeleton(name="leg", keypoints=("left_hip", "left_knee", "left_ankle"),
               edges=(("left_hip", "left_knee"), ("left_knee", "left_ankle")))  # fmt: skip


@pytest.fixture
def labels(tmp_path: Path) -> Path:
    """Six grey pictures, one leg each; the last knee is outside its picture."""
    images, points = [], np.tile(np.array([[20, 10], [24, 30], [22, 50]], float), (6, 1, 1))
    points[5, 1] = (24, 90)
    for i in range(6):
        path = tmp_path / f"{i}.png"
        write_image(path, np.full((64, 48, 3), 20 * i + 60, np.uint8))
        images.append(LabelledImage(path, 48, 64))
    seen = np.full((6, 3), 2)
    seen[0, 2] = 1
    write_labels(tmp_path / "labels.json", make_labels(LEG, images, range(6), points, seen))
    return tmp_path / "labels.json"


def gonio(*args: Any) -> str:
    done = CliRunner().invoke(app, ["data", *map(str, args)])
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    assert done.exit_code == 0, done.output
    return done.output


def test_info_counts_and_names_what_is_wrong(labels: Path) -> None:
    told = gonio("info", labels)
    assert "6 people in 6 images, skeleton 'leg' (3 keypoints)" in told
    assert "outside_image: 1\n  5.png, person 5: left_knee at (24, 90)" in told
    values = json.loads(gonio("info", labels, "--json"))
    assert values["keypoints"]["left_ankle"] == {"visible": 5, "hidden": 1, "missing": 0}


def test_filter_masks_the_keypoint_or_drops_the_person(labels: Path, tmp_path: Path) -> None:
    told = gonio("filter", labels, "--out", tmp_path / "sound.json")
    assert "0 people and 1 keypoints left out" in told
    assert read_labels(tmp_path / "sound.json").visibility[5].tolist() == [2, 0, 2]
    gonio("filter", labels, "--out", tmp_path / "fewer.json", "--drop")
    assert len(read_labels(tmp_path / "fewer.json")) == 5
    with pytest.raises(UnknownNameError, match="did you mean 'mirrored'"):
        gonio("filter", labels, "--out", tmp_path / "x.json", "--kinds", "mirored")


def test_boxes_and_subset_write_what_was_asked(labels: Path, tmp_path: Path) -> None:
    gonio("boxes", labels, "--out", tmp_path / "boxed.json", "--buffer-px", 2)
    assert read_labels(tmp_path / "boxed.json").boxes_px[0].tolist() == [18, 8, 8, 44]
    chosen = ["--visible", "left_ankle", "--people", 3]
    gonio("subset", tmp_path / "boxed.json", "--out", tmp_path / "s" / "three.json", *chosen)
    assert len(read_labels(tmp_path / "s" / "three.json")) == 3
    with pytest.raises(UnknownNameError, match="did you mean 'left_knee'"):
        gonio("subset", labels, "--out", tmp_path / "x.json", "--visible", "left_kne")
    with pytest.raises(InputError, match="9 asked for, but only 6"):
        gonio("subset", labels, "--out", tmp_path / "x.json", "--people", 9)
    assert not (tmp_path / "x.json").exists()


def test_split_writes_a_file_a_part_and_replaces_nothing(labels: Path, tmp_path: Path) -> None:
    args = ("split", labels, "--out", tmp_path / "parts", "--fractions", "train=0.5,test=0.5")
    gonio(*args)
    names = [
        {i.path.name for i in read_labels(tmp_path / "parts" / f"{part}.json").images}
        for part in ("train", "test")
    ]
    assert not names[0] & names[1]
    assert len(names[0] | names[1]) == 6
    with pytest.raises(OutputError, match="--overwrite"):
        gonio(*args)
    gonio(*args, "--overwrite")
    with pytest.raises(ConfigError, match="not of the form part=share"):
        gonio("split", labels, "--out", tmp_path / "y", "--fractions", "train")


def test_a_part_that_would_be_overwritten_or_lost_is_refused(labels: Path, tmp_path: Path) -> None:
    def split(fractions: str) -> None:
        gonio("split", labels, "--out", tmp_path / "z", "--fractions", fractions)

    with pytest.raises(ConfigError, match="may not be called 'split'"):
        split("split=0.8,test=0.2")
    with pytest.raises(ConfigError, match="'train' is named twice"):
        split("train=0.5,train=0.5")
    with pytest.raises(InputError, match="shares must lie above 0"):
        split("train=nan")
    assert not (tmp_path / "z").exists()


def test_a_choice_that_leaves_nobody_is_refused_with_its_reason(
    labels: Path, tmp_path: Path
) -> None:
    out = ("--out", tmp_path / "none.json")
    with pytest.raises(InputError, match="Nobody has an area: make boxes first"):
        gonio("subset", labels, *out, "--min-area-px2", 1)
    gonio("boxes", labels, "--out", tmp_path / "boxed.json")
    with pytest.raises(InputError, match=r"nobody of 6 answers to the conditions\. Loosen them"):
        gonio("subset", tmp_path / "boxed.json", *out, "--min-area-px2", "9e9")
    crowd = read_labels(labels).take([5])
    write_labels(tmp_path / "faulty.json", crowd)
    with pytest.raises(InputError, match="everybody has a fault"):
        gonio("filter", tmp_path / "faulty.json", *out, "--drop")
    assert not (tmp_path / "none.json").exists()


def test_a_set_with_nobody_in_it_is_written_and_read(labels: Path, tmp_path: Path) -> None:
    nobody = read_labels(labels).take([], keep_images=True)
    write_labels(tmp_path / "empty.json", nobody)
    again = read_labels(tmp_path / "empty.json")
    assert len(again) == 0
    assert len(again.images) == 6


def test_augment_writes_copies_that_name_their_originals(labels: Path, tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("flip: {probability: 1}\n", encoding="utf-8")
    gonio("augment", labels, "--out", tmp_path / "more", "--settings", tmp_path / "a.yaml")
    both = read_labels(tmp_path / "more" / "labels.json")
    assert len(both) >= 11
    assert {i.copy_of for i in both.images} == {"", *(f"{i}.png" for i in range(6))}
    (tmp_path / "b.yaml").write_text("flop: {probability: 1}\n", encoding="utf-8")
    with pytest.raises(ConfigError, match="unknown key 'flop'"):
        gonio("augment", labels, "--out", tmp_path / "x", "--settings", tmp_path / "b.yaml")
    assert not (tmp_path / "x").exists()


def test_preview_draws_left_keypoints_blue(labels: Path, tmp_path: Path) -> None:
    gonio("preview", labels, "--out", tmp_path / "sheet.png", "--people", 4)
    sheet = read_image(tmp_path / "sheet.png")
    assert sheet.shape == (274, 4 * 256, 3)
    assert (np.abs(sheet.astype(int) - (77, 175, 255)).sum(axis=2) < 30).sum() > 50


def test_frames_are_as_different_as_asked_and_kept_when_asked_again(tmp_path: Path) -> None:
    from gonio.datasets import extract_frames

    video = tmp_path / "clip.mp4"
    with VideoWriter(video, width=64, height=48, fps=10) as writer:
        for i in range(30):
            grey = 30 if i < 25 else 200  # five bright frames at the end
            writer.write(np.full((48, 64, 3), grey, np.uint8), i / 10)
    files = extract_frames(video, tmp_path, count=2)
    assert [f.parent for f in files] == [tmp_path / "labeled-data" / "clip"] * 2
    assert sorted(int(f.stem[3:]) >= 25 for f in files) == [False, True]
    before = files[0].stat().st_mtime_ns
    assert extract_frames(video, tmp_path, count=2) == files
    assert files[0].stat().st_mtime_ns == before
    assert len(extract_frames(video, tmp_path / "r", count=7, method="random", seed=2)) == 7
    with pytest.raises(InputError, match="31 frames asked for, the recording has 30"):
        extract_frames(video, tmp_path, count=31)
    with pytest.raises(GonioError, match=r"nothing\.mp4"):
        extract_frames(tmp_path / "nothing.mp4", tmp_path)


def test_frames_without_background_are_what_a_model_with_that_filter_is_shown(
    tmp_path: Path,
) -> None:
    from gonio.imaging import FrameFilters, Mog2
    from gonio.video import open_source

    video = tmp_path / "square.mp4"
    wall = np.random.default_rng(0).integers(60, 120, (64, 96, 3), dtype=np.uint8)
    with VideoWriter(video, width=96, height=64, fps=25) as writer:
        for number in range(12):
            frame = wall.copy()
            frame[20:40, 4 * number : 4 * number + 20] = 250
            writer.write(frame, number / 25)
    gonio("extract-frames", video, "--out", tmp_path, "--count", 3, "--mog2")
    filters = FrameFilters([Mog2()])
    with open_source(video) as source:
        shown = [filters.next(frame.image) for frame in source]
    files = sorted((tmp_path / "labeled-data" / "square").glob("*.png"))
    assert len(files) == 3
    for file in files:
        assert np.array_equal(read_image(file), shown[int(file.stem.removeprefix("img"))])
    assert (shown[-1] == 0).mean() > 0.5


def test_a_choice_can_be_written_as_a_deeplabcut_project(labels: Path, tmp_path: Path) -> None:
    project = tmp_path / "project"
    gonio("subset", labels, "--out", project, "--to", "deeplabcut", "--people", 4)
    again = read_labels(project)
    assert len(again) == 4
    assert again.skeleton.keypoints == LEG.keypoints
    whole = {i.path.name: p for i, p in _by_image(read_labels(labels))}
    for image, points in _by_image(again):
        np.testing.assert_allclose(points, whole[image.path.name.split("_")[-1]], atol=1e-6)
    assert "4 people in 4 images" in gonio("info", project)


def _by_image(labels: Labels) -> list[tuple[LabelledImage, Any]]:
    return [
        (labels.images[i], p) for i, p in zip(labels.image_index, labels.keypoints_px, strict=True)
    ]


def test_a_skeleton_keeps_its_keypoints_by_name(labels: Path, tmp_path: Path) -> None:
    text = 'schema = "gonio.skeleton/1"\nname = "shank"\nkeypoints = ["left_ankle", "left_knee"]\n'
    (tmp_path / "shank.toml").write_text(text, encoding="utf-8")
    out = tmp_path / "shank.json"
    gonio("subset", labels, "--out", out, "--skeleton", tmp_path / "shank.toml")
    kept = read_labels(out)
    assert kept.skeleton.keypoints == ("left_ankle", "left_knee")
    np.testing.assert_allclose(kept.keypoints_px[0], [[22, 50], [24, 30]])


def test_a_split_by_video_keeps_recordings_whole(labels: Path, tmp_path: Path) -> None:
    before = read_labels(labels)
    images = tuple(
        replace(image, video=f"clip{i // 2}", frame=i) for i, image in enumerate(before.images)
    )
    write_labels(tmp_path / "clips.json", replace(before, images=images))
    out = tmp_path / "clips"
    gonio("split", tmp_path / "clips.json", "--out", out, "--by", "video",
          "--fractions", "train=0.6,test=0.4")  # fmt: skip
    videos = [
        {image.video for image in read_labels(out / f"{part}.json").images}
        for part in ("train", "test")
    ]
    assert not videos[0] & videos[1]
    assert videos[0] | videos[1] == {"clip0", "clip1", "clip2"}


def test_frames_that_sleap_labelled_become_pictures_that_can_be_used(tmp_path: Path) -> None:
    import sleap_io as sio

    with VideoWriter(tmp_path / "clip.mp4", width=64, height=48, fps=10) as writer:
        for i in range(3):
            writer.write(np.full((48, 64, 3), 60 * i, np.uint8), i / 10)
    skeleton = sio.Skeleton(nodes=["left_ear", "right_ear"])
    person = sio.Instance.from_numpy(np.array([[10.0, 20], [30, 40]]), skeleton=skeleton)
    video = sio.Video(filename=str(tmp_path / "clip.mp4"), open_backend=False)
    frame = sio.LabeledFrame(video=video, frame_idx=2, instances=[person])
    sio.save_slp(sio.Labels([frame]), str(tmp_path / "mice.slp"), verbose=False)
    assert "1 person in 1 image" in gonio("info", tmp_path / "mice.slp")
    with pytest.raises(InputError, match="gonio data frames"):
        gonio("preview", tmp_path / "mice.slp", "--out", tmp_path / "sheet.png")
    assert "1 frames written" in gonio("frames", tmp_path / "mice.slp")
    assert "0 frames written, 1 were there" in gonio("frames", tmp_path / "mice.slp")
    gonio("preview", tmp_path / "mice.slp", "--out", tmp_path / "sheet.png")
    told = gonio("extract-frames", tmp_path / "clip.mp4", "--out", tmp_path, "--count", 2)
    assert "2 frames" in told


def test_info_counts_what_label_studio_and_ultralytics_hold(tmp_path: Path) -> None:
    size = {"original_width": 64, "original_height": 48}
    marks = [
        {"id": n, "type": "keypointlabels", "value": {"x": 50, "y": 25, "keypointlabels": [n]}}
        for n in ("left_ear", "right_ear")
    ]
    result = [mark | size for mark in marks]
    tasks = [{"id": 1, "data": {"image": "a.png"}, "annotations": [{"result": result}]}]
    (tmp_path / "tasks.json").write_text(json.dumps(tasks))
    told = gonio("info", tmp_path / "tasks.json")
    assert "1 person in 1 image" in told
    assert "left_ear" in told
    for folder in ("images", "labels"):
        (tmp_path / "set" / folder).mkdir(parents=True)
    write_image(tmp_path / "set" / "images" / "a.png", np.zeros((48, 64, 3), np.uint8))
    (tmp_path / "set" / "labels" / "a.txt").write_text("0 .5 .5 .5 .5 .4 .5 2 .6 .5 2\n")
    text = "train: images\nkpt_shape: [2, 3]\nkpt_names: {0: [left_ear, right_ear]}\n"
    (tmp_path / "set" / "data.yaml").write_text(text)
    for source in (tmp_path / "set", tmp_path / "set" / "data.yaml"):
        assert "1 person in 1 image" in gonio("info", source)
