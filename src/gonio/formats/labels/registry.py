"""Every format of labels: how it is told, read and written, and what it can hold."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol

from gonio.errors import FormatError, UnknownNameError
from gonio.formats.labels.coco import read_coco
from gonio.formats.labels.coco_writer import write_coco
from gonio.formats.labels.deeplabcut import CONFIG, FOLDER, STEM, read_deeplabcut_project
from gonio.formats.labels.deeplabcut_writer import write_deeplabcut_project
from gonio.formats.labels.labelstudio import is_labelstudio, read_labelstudio
from gonio.formats.labels.lsp import read_lsp
from gonio.formats.labels.sleap import read_sleap_labels
from gonio.formats.labels.table import is_table, read_table
from gonio.formats.labels.ultralytics import is_ultralytics, read_ultralytics

if TYPE_CHECKING:
    from collections.abc import Callable

    from gonio.labels import Labels
    from gonio.skeletons import Skeleton


class LabelReader(Protocol):
    """Reads labels of one format; ``images`` is the folder of the pictures."""

    def __call__(
        self, path: Path, *, skeleton: Skeleton | str | Path | None, images: Path | None
    ) -> Labels:
        """Read the labels."""
        ...


@dataclass(frozen=True)
class LabelFormat:
    """One format of labels.

    Attributes
    ----------
    name
        As ``--from`` takes it.
    title
        In words.
    suffixes
        Of its files; empty for a folder.
    holds
        What it can hold, of :data:`HOLDABLE`.
    read
        Its reader.
    write
        Its writer; None where it is only read.
    """

    name: str
    title: str
    suffixes: tuple[str, ...]
    holds: frozenset[str]
    read: LabelReader
    write: Callable[[Path, Labels], None] | None = None


HOLDABLE: Final = (
    "visibility", "boxes", "areas", "crowds", "people", "unlabelled", "videos", "subjects",
    "copies", "sizes",
)  # fmt: skip
"""Hidden points apart from visible ones (``visibility``), several ``people`` in an image, people
without any point (``unlabelled``), images' ``sizes``, the ``videos`` they are from, who is seen
(``subjects``), and of which image one is a copy (``copies``)."""

OWN_FILE: Final = "labels.json"
"""What Gonio calls labels that it writes into a folder, images beside them."""

_FORMATS: Final = (
    LabelFormat("coco", "COCO keypoints", (".json",), frozenset(HOLDABLE), read_coco, write_coco),
    LabelFormat(
        "deeplabcut", "DeepLabCut project", (), frozenset({"people", "videos"}),
        read_deeplabcut_project, write_deeplabcut_project,
    ),
    LabelFormat(
        "lsp", "Leeds Sports Pose and its extended set", (".mat",), frozenset({"visibility"}),
        read_lsp,
    ),
    LabelFormat(
        "csv", "Table, an image a row", (".csv",), frozenset({"visibility", "people"}), read_table,
    ),
    LabelFormat(
        "sleap", "SLEAP", (".slp",), frozenset({"people", "videos"}), read_sleap_labels,
    ),
    LabelFormat(
        "labelstudio", "Label Studio's JSON", (".json",), frozenset({"people", "boxes", "sizes"}),
        read_labelstudio,
    ),
    LabelFormat(
        "ultralytics", "Ultralytics' pose sets", (),
        frozenset({"visibility", "people", "boxes", "unlabelled"}), read_ultralytics,
    ),
)  # fmt: skip
_BY_NAME: Final = {f.name: f for f in _FORMATS}


def label_formats() -> list[LabelFormat]:
    """Return every format of labels."""
    return list(_FORMATS)


def find_label_format(name: str) -> LabelFormat:
    """Return a format by name.

    Raises
    ------
    UnknownNameError
        If there is none of that name.
    """
    if name not in _BY_NAME:
        raise UnknownNameError("format of labels", name, _BY_NAME)
    return _BY_NAME[name]


def labels_in(path: Path) -> Path:
    """Return the file of labels in a folder that Gonio wrote; anything else as it is."""
    own = path / OWN_FILE
    return own if own.is_file() else path


def detect_label_format(path: str | Path) -> LabelFormat:
    """Tell the format of labels by the file's suffix and content, or what a folder holds.

    Parameters
    ----------
    path
        A file or a folder that exists.

    Returns
    -------
    LabelFormat

    Raises
    ------
    FormatError
        If it does not exist or no format is recognized.
    """
    path = labels_in(Path(path))
    name = _sniff_folder(path) if path.is_dir() else _sniff_file(path)
    if name is None:
        raise FormatError(
            f"'{path}': no format of labels is recognized. Give the file or folder that holds the "
            f"labels, or name their format (--from, in a recipe data.format): {', '.join(_BY_NAME)}"
        )
    return _BY_NAME[name]


def _sniff_folder(path: Path) -> str | None:
    if (path / CONFIG).is_file() and (path / FOLDER).is_dir():
        return "deeplabcut"
    return "ultralytics" if is_ultralytics(path) else None


def _sniff_file(path: Path) -> str | None:
    try:
        with path.open("rb") as file:
            head = file.read(4096)
    except OSError as error:
        raise FormatError(f"'{path}': cannot be read ({error.strerror or error})") from error
    if not head.strip():
        raise FormatError(f"'{path}': the file is empty")
    suffix = path.suffix.lower()
    if path.name == CONFIG or (path.name.startswith(STEM) and suffix in {".csv", ".h5"}):
        return "deeplabcut"
    if suffix == ".csv":
        first = head.split(b"\n", 1)[0].decode("utf-8", "replace").removeprefix("\ufeff")
        return "csv" if is_table(first.split(",")) else None
    if suffix in {".yaml", ".yml"}:
        return "ultralytics" if is_ultralytics(path) else None
    if suffix == ".json" and is_labelstudio(head):
        return "labelstudio"
    return {".json": "coco", ".mat": "lsp", ".slp": "sleap"}.get(suffix)
