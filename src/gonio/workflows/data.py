"""``gonio data``: labels read, looked at, chosen from, and written."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path, PureWindowsPath
from typing import TYPE_CHECKING

from gonio.errors import ConfigError, InputError, OutputError
from gonio.formats.labels import (
    check_images,
    packed_frames,
    read_labels,
    with_sizes,
    write_labels,
)
from gonio.video import write_image

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gonio.datasets.splits import Unit
    from gonio.labels import Labels
    from gonio.workflows.settings import Progress


@dataclass(frozen=True)
class Source:
    """Labels to be read.

    Attributes
    ----------
    path
        File or folder.
    format
        Its format; None: found out.
    images
        Folder of the images, where they do not lie beside the labels.
    """

    path: Path
    format: str | None = None
    images: Path | None = None

    def read(self) -> Labels:
        """Read the labels, and the images' sizes where the labels do not say them."""
        return with_sizes(read_labels(self.path, format=self.format, images=self.images))


@dataclass(frozen=True)
class Target:
    """Where labels are written.

    Attributes
    ----------
    path
        A ``.json`` file, or the folder of a DeepLabCut project.
    format
        ``coco`` or ``deeplabcut``; None: by the path.
    overwrite
        Whether what is there may be replaced.
    """

    path: Path
    format: str | None = None
    overwrite: bool = False

    def check(self) -> None:
        """Refuse to replace what is there.

        Raises
        ------
        OutputError
            If something is there and may not be replaced.
        """
        if self.path.exists() and not self.overwrite:
            raise OutputError(f"'{self.path}': exists already. Replace it with --overwrite.")

    def write(self, labels: Labels) -> None:
        """Write labels, whole or not at all."""
        self.check()
        self.path.parent.mkdir(parents=True, exist_ok=True)
        write_labels(self.path, labels, format=self.format, overwrite=self.overwrite)


def write_pictures(
    source: Source, *, videos: Path | None = None, progress: Progress | None = None
) -> tuple[list[Path], int]:
    """Write the frames that labels are of, where reading the labels looks for them.

    Parameters
    ----------
    source
        Labels of frames in videos, or packed into the labels' own file (``.pkg.slp``).
    videos
        Folder of the recordings; None: where the labels say, or beside them.
    progress
        Called with the stage, frames done, and frames in all.

    Returns
    -------
    written : list of Path
        The new files.
    present : int
        How many pictures were there already; they are kept as they are.

    Raises
    ------
    InputError
        If a recording is not found or has no such frame, or pictures are absent that are of no
        recording.
    FormatError, VideoError, OutputError
        If something cannot be read or written.
    """
    from gonio.datasets import write_frames

    labels = read_labels(source.path, format=source.format, images=source.images)
    absent = [image for image in labels.images if not image.path.is_file()]
    present = len(labels.images) - len(absent)
    if source.path.suffix.lower() == ".slp":
        for path, picture in packed_frames(source.path, labels):
            if not path.exists():
                path.parent.mkdir(parents=True, exist_ok=True)
                write_image(path, picture)
    by_video: dict[str, dict[int, Path]] = {}
    for image in absent:
        if image.path.is_file():
            continue
        if image.frame is None or not image.video:
            raise InputError(f"'{image.path}': is not there, and is of no recording")
        by_video.setdefault(image.video, {})[image.frame] = image.path
    found = {video: _recording(video, source.path.parent, videos) for video in by_video}
    for video, files in by_video.items():
        for path in files.values():
            path.parent.mkdir(parents=True, exist_ok=True)
        write_frames(found[video], files, progress=progress)
    return [image.path for image in absent], present


def _recording(said: str, beside: Path, videos: Path | None) -> Path:
    """Find a recording by the name that labels give it."""
    name = PureWindowsPath(said).name
    places = [videos / name] if videos is not None else [Path(said), beside / said, beside / name]
    for place in places:
        if place.is_file():
            return place
    raise InputError(
        f"'{places[-1]}': the recording is not there, its frames cannot be written. "
        "Name the folder of the recordings (--videos)."
    )


def filter_labels(labels: Labels, *, kinds: Sequence[str] = (), drop: bool = False) -> Labels:
    """Mask faulty keypoints, or drop the people they belong to.

    Parameters
    ----------
    labels
        The set.
    kinds
        What counts as a fault; empty: what is surely wrong.
    drop
        Whether people go, not only keypoints.
    """
    from gonio.datasets import drop_faults, mask_faults
    from gonio.datasets.faults import WRONG

    kept = (drop_faults if drop else mask_faults)(labels, kinds=tuple(kinds) or WRONG)
    if len(labels) and not len(kept):
        raise InputError("everybody has a fault, so nobody would be left. Name fewer --kinds.")
    return kept


def split(
    labels: Labels,
    folder: Path,
    fractions: Mapping[str, float],
    *,
    by: Unit,
    seed: int,
    overwrite: bool = False,
) -> dict[str, Labels]:
    """Share labels out, and write a COCO file a part and the split itself.

    Parameters
    ----------
    labels, fractions, by, seed
        See :func:`gonio.datasets.split_labels`.
    folder
        Where the files go.
    overwrite
        Whether earlier files may be replaced.
    """
    from gonio.datasets import save_split, split_labels

    targets = {part: Target(folder / f"{part}.json", "coco", overwrite) for part in fractions}
    whole = Target(folder / "split.json", overwrite=overwrite)
    if any(target.path == whole.path for target in targets.values()):
        raise ConfigError(
            "a part may not be called 'split': split.json says which image is in which part"
        )
    for target in (*targets.values(), whole):
        target.check()
    parts = split_labels(labels, fractions, by=by, seed=seed)
    for part, target in targets.items():
        target.write(parts[part])
    save_split(whole.path, parts)
    return parts


def augment(
    labels: Labels,
    folder: Path,
    settings: Path,
    *,
    copies: int,
    seed: int,
    progress: Progress | None = None,
) -> Labels:
    """Write augmented copies of images, and the labels of originals and copies beside them.

    Parameters
    ----------
    labels, copies, seed, progress
        See :func:`gonio.datasets.augment_labels`.
    folder
        Must not exist; the copies go into its ``images``, the labels are its ``labels.json``.
    settings
        YAML file with a recipe's ``augmentation``.
    """
    import yaml

    from gonio.configs import check_config, load_yaml
    from gonio.datasets import AugmentationSettings, augment_labels

    try:
        values = load_yaml(settings.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ConfigError(f"'{settings}': cannot be read ({error})") from error
    if not isinstance(values, dict):
        raise ConfigError(f"'{settings}': holds no keys; see a recipe's 'augmentation'")
    chosen = check_config(values, AugmentationSettings, f"'{settings}'")
    if folder.exists():
        raise OutputError(f"'{folder}': exists already. Name a folder that does not.")
    check_images(labels)
    folder.mkdir(parents=True)
    try:
        both = augment_labels(
            labels, folder / "images", chosen, copies=copies, seed=seed, progress=progress
        )
    except BaseException:
        folder.rmdir()
        raise
    write_labels(folder / "labels.json", both, format="coco")
    return both


def parse_fractions(text: str) -> dict[str, float]:
    """Read ``train=0.8,validation=0.2``.

    Raises
    ------
    ConfigError
        If it is not of that form.
    """
    fractions = {}
    for part in text.split(","):
        name, equals, share = part.strip().partition("=")
        if name in fractions:
            raise ConfigError(f"--fractions {text}: '{name}' is named twice")
        try:
            fractions[name] = float(share)
        except ValueError:
            equals = ""
        if not name or not equals or "/" in name:
            raise ConfigError(
                f"--fractions {text}: '{part}' is not of the form part=share (train=0.8)"
            )
    return fractions
