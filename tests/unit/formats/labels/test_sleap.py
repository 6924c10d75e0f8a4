"""SLEAP's labels: what people labelled, in videos, in pictures, and packed into the file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import h5py
import numpy as np
import pytest
import sleap_io as sio

from gonio.errors import FormatError, InputError, MissingExtraError
from gonio.formats.labels import check_images, detect_label_format, read_labels
from gonio.labels import UNLABELLED, VISIBLE
from gonio.video import VideoWriter, read_image
from gonio.workflows.data import Source, write_pictures

NODES = ("nose", "earL", "earR")
NAN = (np.nan, np.nan)
SHADES = (20, 90, 160, 230)


def skeleton() -> Any:
    nodes = [sio.Node(name) for name in NODES]
    return sio.Skeleton(
        nodes=nodes,
        edges=[sio.Edge(nodes[0], nodes[1]), sio.Edge(nodes[0], nodes[2])],
        symmetries=[sio.Symmetry({nodes[1], nodes[2]})],
        name="head",
    )


def labelled(video: Any, frames: dict[int, list[list[Any]]], *, predicted: bool = False) -> Any:
    own = skeleton()
    made = []
    for number, people in frames.items():
        instances = [sio.Instance.from_numpy(np.array(p, float), skeleton=own) for p in people]
        if predicted:
            guess = np.full((3, 2), 9.0)
            instances.append(sio.PredictedInstance.from_numpy(guess, skeleton=own))
        made.append(sio.LabeledFrame(video=video, frame_idx=number, instances=instances))
    return sio.Labels(labeled_frames=made, videos=[video], skeletons=[own])


def recording(path: Path) -> Path:
    """Four frames, each of one grey."""
    with VideoWriter(path, width=64, height=48, fps=10) as writer:
        for i, shade in enumerate(SHADES):
            writer.write(np.full((48, 64, 3), shade, np.uint8), i / 10)
    return path


def save(labels: Any, path: Path, **more: Any) -> Path:
    sio.save_slp(labels, str(path), verbose=False, **more)
    return path


def test_what_people_labelled_is_read_where_they_put_it(tmp_path: Path) -> None:
    video = sio.Video(filename="C:\\videos\\walk one.mp4", open_backend=False)
    frames = {7: [[(1.5, 2), (3, 4), NAN]], 2: [[(0, 0), (5, 6), (7, 8)], [NAN, (9, 9), NAN]]}
    path = save(labelled(video, frames, predicted=True), tmp_path / "mice.slp")
    labels = read_labels(path)
    assert detect_label_format(path).name == "sleap"
    assert labels.skeleton.keypoints == ("nose", "ear_l", "ear_r")
    assert labels.skeleton.edges == (("nose", "ear_l"), ("nose", "ear_r"))
    assert labels.skeleton.flip_order() == [0, 2, 1]
    by_frame = {image.frame: i for i, image in enumerate(labels.images)}
    people = {f: labels.keypoints_px[labels.image_index == i] for f, i in by_frame.items()}
    np.testing.assert_array_equal(people[7], [[(1.5, 2), (3, 4), NAN]])
    np.testing.assert_array_equal(people[2], [[(0, 0), (5, 6), (7, 8)], [NAN, (9, 9), NAN]])
    assert set(labels.visibility.ravel()) == {UNLABELLED, VISIBLE}
    image = labels.images[by_frame[7]]
    assert image.path == tmp_path / "mice.frames" / "walk one" / "000007.png"
    assert image.video.endswith("walk one.mp4")
    assert "walk one/7#0" in labels.keys
    with pytest.raises(InputError, match=r"2 of 2 images are not there.*gonio data frames"):
        check_images(labels)


def test_frames_are_written_where_the_labels_look_for_them(tmp_path: Path) -> None:
    video = recording(tmp_path / "walk.mp4")
    source = sio.Video(filename=str(video), open_backend=False)
    path = save(labelled(source, {1: [[(1, 2)] * 3], 3: [[(3, 4)] * 3]}), tmp_path / "walk.slp")
    written, present = write_pictures(Source(path))
    assert (len(written), present) == (2, 0)
    labels = read_labels(path)
    check_images(labels)
    for image in labels.images:
        assert image.frame is not None
        assert read_image(image.path).mean() == pytest.approx(SHADES[image.frame], abs=4)
    assert write_pictures(Source(path)) == ([], 2)
    video.rename(tmp_path / "moved.mp4")
    (tmp_path / "walk.frames" / "walk" / "000001.png").unlink()
    with pytest.raises(InputError, match=r"walk\.mp4.*--videos"):
        write_pictures(Source(path))
    folder = tmp_path / "videos"
    folder.mkdir()
    (tmp_path / "moved.mp4").rename(folder / "walk.mp4")
    assert write_pictures(Source(path), videos=folder)[1] == 1
    beyond = save(labelled(source, {9: [[(1, 2)] * 3]}), tmp_path / "beyond.slp")
    with pytest.raises(InputError, match="frame 9 is asked for, the recording ends before"):
        write_pictures(Source(beyond), videos=folder)


def test_frames_packed_into_the_file_are_written_too(tmp_path: Path) -> None:
    video = sio.Video.from_filename(str(recording(tmp_path / "walk.mp4")))
    frames = {0: [[(1, 2)] * 3], 2: [[(3, 4)] * 3]}
    path = save(labelled(video, frames), tmp_path / "mice.pkg.slp", embed="user")
    (tmp_path / "walk.mp4").unlink()
    written, _ = write_pictures(Source(path))
    assert [p.relative_to(tmp_path).as_posix() for p in sorted(written)] == [
        "mice.frames/walk/000000.png",
        "mice.frames/walk/000002.png",
    ]
    for image in read_labels(path).images:
        assert image.frame is not None
        assert read_image(image.path).shape == (48, 64, 3)
        assert read_image(image.path).mean() == pytest.approx(SHADES[image.frame], abs=6)


def test_labels_of_pictures_are_labels_of_their_files(tmp_path: Path) -> None:
    names = ["a.png", "b.png"]
    for name in names:
        cv2.imwrite(str(tmp_path / name), np.zeros((8, 8, 3), np.uint8))
    video = sio.Video.from_filename([str(tmp_path / n) for n in names])
    labels = read_labels(save(labelled(video, {1: [[(1, 2)] * 3]}), tmp_path / "p.slp"))
    assert [image.path.name for image in labels.images] == ["b.png"]
    assert labels.images[0].frame is None
    check_images(labels)


def test_two_videos_of_one_name_have_folders_of_their_own(tmp_path: Path) -> None:
    both = [sio.Video(filename=f"{d}/walk.mp4", open_backend=False) for d in "ab"]
    own = skeleton()
    person = sio.Instance.from_numpy(np.ones((3, 2)), skeleton=own)
    made = [sio.LabeledFrame(video=v, frame_idx=0, instances=[person]) for v in both]
    path = save(sio.Labels(labeled_frames=made, videos=both, skeletons=[own]), tmp_path / "two.slp")
    assert len({image.path for image in read_labels(path).images}) == 2


def test_what_holds_no_labels_is_refused(tmp_path: Path) -> None:
    video = sio.Video(filename="walk.mp4", open_backend=False)
    path = save(labelled(video, {0: []}, predicted=True), tmp_path / "guesses.slp")
    with pytest.raises(FormatError, match="predictions alone are no labels"):
        read_labels(path)
    (tmp_path / "broken.slp").write_bytes(b"no HDF5")
    with pytest.raises(FormatError, match="cannot be read as a SLEAP file"):
        read_labels(tmp_path / "broken.slp")
    with pytest.raises(FormatError):
        read_labels(tmp_path / "absent.slp")


def test_without_sleap_io_the_extra_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a.slp").write_bytes(b"x")
    monkeypatch.setitem(__import__("sys").modules, "sleap_io", None)
    with pytest.raises(MissingExtraError, match=r"gonio\[formats\]"):
        read_labels(tmp_path / "a.slp")


def test_a_file_that_counted_from_the_corner_is_moved_by_half_a_pixel(tmp_path: Path) -> None:
    """Before SLEAP's format 1.1 the corner of the first pixel was (0, 0)."""
    video = sio.Video(filename="walk.mp4", open_backend=False)
    path = save(labelled(video, {0: [[(1, 2), (3.5, 4), NAN]]}), tmp_path / "old.slp")
    with h5py.File(path, "r+") as file:
        rows = file["instances"][()]
        names = [name for name in rows.dtype.names if name != "tracking_score"]
        older = np.empty(rows.shape, [(name, rows.dtype[name]) for name in names])
        for name in names:
            older[name] = rows[name]
        del file["instances"]
        file["instances"] = older
        file["metadata"].attrs["format_id"] = 1.0
    np.testing.assert_array_equal(read_labels(path).keypoints_px, [[(0.5, 1.5), (3, 3.5), NAN]])


def test_colors_of_packed_frames_are_not_swapped(tmp_path: Path) -> None:
    red = np.broadcast_to(np.array([220, 20, 60], np.uint8), (48, 64, 3))
    with VideoWriter(tmp_path / "walk.mp4", width=64, height=48, fps=10) as writer:
        for i in range(3):
            writer.write(np.ascontiguousarray(red), i / 10)
    video = sio.Video.from_filename(str(tmp_path / "walk.mp4"))
    path = save(labelled(video, {0: [[(1, 2)] * 3]}), tmp_path / "mice.pkg.slp", embed="user")
    ((picture,), _) = write_pictures(Source(path))
    np.testing.assert_allclose(read_image(picture).mean(axis=(0, 1)), [220, 20, 60], atol=6)


def test_a_frame_that_stands_twice_is_one_picture_with_everybody(tmp_path: Path) -> None:
    video = sio.Video(filename="walk.mp4", open_backend=False)
    made = labelled(video, {4: [[(1, 2)] * 3]})
    other = sio.Instance.from_numpy(np.full((3, 2), 5.0), skeleton=made.skeletons[0])
    made.labeled_frames.append(sio.LabeledFrame(video=video, frame_idx=4, instances=[other]))
    labels = read_labels(save(made, tmp_path / "twice.slp"))
    assert len(labels.images) == 1
    assert labels.keys == ("walk/4#0", "walk/4#1")


def one_person(names: list[str], symmetries: list[tuple[int, int]], path: Path) -> Path:
    nodes = [sio.Node(name) for name in names]
    own = sio.Skeleton(
        nodes=nodes, symmetries=[sio.Symmetry({nodes[a], nodes[b]}) for a, b in symmetries]
    )
    person = sio.Instance.from_numpy(np.ones((len(nodes), 2)), skeleton=own)
    video = sio.Video(filename="walk.mp4", open_backend=False)
    return save(sio.Labels([sio.LabeledFrame(video, 0, [person])]), path)


def test_the_left_of_a_symmetry_is_told_by_its_name_and_a_node_has_one_twin(
    tmp_path: Path,
) -> None:
    path = one_person(["ear_right", "nose", "ear_left"], [(0, 2)], tmp_path / "a.slp")
    assert read_labels(path).skeleton.pairs == (("ear_left", "ear_right"),)
    path = one_person(["a", "b", "c"], [(0, 1), (0, 2)], tmp_path / "b.slp")
    with pytest.raises(FormatError, match="'a' stands in two symmetries"):
        read_labels(path)


def test_infinite_places_and_lost_packages_are_refused(tmp_path: Path) -> None:
    video = sio.Video(filename="walk.mp4", open_backend=False)
    wrong = save(labelled(video, {3: [[(1, 2), (np.inf, 1), NAN]]}), tmp_path / "inf.slp")
    with pytest.raises(FormatError, match="walk, frame 3: infinite coordinates"):
        read_labels(wrong)
    real = sio.Video.from_filename(str(recording(tmp_path / "walk.mp4")))
    packed = save(labelled(real, {0: [[(1, 2)] * 3]}), tmp_path / "a.pkg.slp", embed="user")
    file = sio.load_slp(str(packed))
    sio.save_slp(file, str(tmp_path / "b.slp"), verbose=False, restore_original_videos=False)
    packed.unlink()
    assert len(read_labels(tmp_path / "b.slp")) == 1
    with pytest.raises(InputError, match=r"a\.pkg\.slp.*packed.*not there"):
        write_pictures(Source(tmp_path / "b.slp"))
    assert not (tmp_path / "b.frames").exists()
