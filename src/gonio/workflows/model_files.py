"""From a run to a model file; and from whatever names a model to one that can be opened."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from gonio.errors import ConfigError, InputError, MissingExtraError, ModelError
from gonio.runtime import ModelStore, needs_export

if TYPE_CHECKING:
    from collections.abc import Callable

    from gonio.runtime import Model

    Progress = Callable[[str, int, int | None], None]

EXPORT: Final = "Exporting"
TARGETS: Final = ("onnx",)


@dataclass(frozen=True)
class ExportResult:
    """A model file that was written.

    Attributes
    ----------
    model
        The file, its card and its hash.
    relative, keypoints_px
        Largest differences from the network; see :class:`gonio.export.Parity`.
    compared, keypoints
        How many keypoints were compared, of how many.
    size_bytes
        The file's.
    wall_s
        How long it took, seconds.
    """

    model: Model
    relative: float
    keypoints_px: float
    compared: int
    keypoints: int
    size_bytes: int
    wall_s: float

    def summary(self) -> str:
        """Return a line for people."""
        far = f", keypoints by {self.keypoints_px:.2g} px" if self.compared else ""
        return (
            f"{self.model.path} ({self.size_bytes / 1e6:.1f} MB): differs from the network by "
            f"{self.relative:.0e} of its outputs' range{far}"
        )

    def as_dict(self) -> dict[str, Any]:
        """Return it as JSON can hold it."""
        compared = self.compared > 0
        return {
            "path": str(self.model.path),
            "sha256": self.model.sha256,
            "size_bytes": self.size_bytes,
            "relative_difference": self.relative,
            "keypoint_difference_px": self.keypoints_px if compared else None,
            "keypoints_compared": self.compared,
            "keypoints": self.keypoints,
            "wall_s": self.wall_s,
        }


def export(
    run: str | Path,
    *,
    to: str = "onnx",
    out: str | Path | None = None,
    progress: Progress | None = None,
) -> ExportResult:
    """Write a run's network as a model file that needs no torch.

    Parameters
    ----------
    run
        The run's folder.
    to
        Format: ``onnx``.
    out
        The file, with the format's suffix; None: ``model.onnx`` in the run's folder.
    progress
        Called at the beginning and at the end.

    Returns
    -------
    ExportResult

    Raises
    ------
    InputError
        If the format or the file's suffix is another, or the folder is no run's.
    MissingExtraError
        If torch is not installed.
    ModelError, ModelOutputError, OutputError
        See :func:`gonio.export.export_onnx`.
    """
    if to not in TARGETS:
        raise InputError(
            f"--to {to}: no format that networks are written in ({', '.join(TARGETS)})"
        )
    folder = Path(run)
    path = folder / "model.onnx" if out is None else Path(out)
    if path.suffix.lower() != f".{to}":
        raise InputError(f"--out {path}: the file's name must end in .{to}")
    if not folder.is_dir():
        raise InputError(f"'{folder}': no such folder. Name the folder of a run.")
    report = progress or (lambda *_: None)
    export_run = _exporter()
    began = time.perf_counter()
    report(EXPORT, 0, 1)
    parity = export_run(folder, path)
    report(EXPORT, 1, 1)
    return ExportResult(
        model=ModelStore().resolve(path),
        relative=parity.relative,
        keypoints_px=parity.keypoints_px,
        compared=parity.compared,
        keypoints=parity.keypoints,
        size_bytes=path.stat().st_size,
        wall_s=time.perf_counter() - began,
    )


def find_model(
    name_or_path: str | Path, *, store: ModelStore, progress: Progress | None = None
) -> Model:
    """Find a model by name, file or run; a run whose file is missing or old is exported first.

    Parameters
    ----------
    name_or_path, progress
        See :meth:`gonio.runtime.ModelStore.resolve`.
    store
        Where names lead to.

    Returns
    -------
    Model

    Raises
    ------
    ModelError
        As :meth:`gonio.runtime.ModelStore.resolve`; also where a run must be exported and that
        fails or torch is not installed.
    """
    folder = Path(name_or_path)
    try:
        stale = folder.is_dir() and needs_export(folder)
    except (OSError, ConfigError):
        stale = False  # the store says what is wrong
    if stale:
        try:
            export(folder, progress=progress)
        except MissingExtraError as error:
            what = "not that of its weights" if (folder / "model.onnx").is_file() else "missing"
            raise ModelError(
                f"run '{folder}': model.onnx is {what}, and torch is not here to write it. "
                f"Where torch is, run: gonio export {folder} --to onnx"
            ) from error
    return store.resolve(name_or_path, progress=progress)


def _exporter() -> Any:
    try:
        import onnxscript  # noqa: F401 - torch's exporter needs it and tells of it late

        from gonio.export import export_run
    except ImportError as error:
        package = (error.name or "torch").partition(".")[0]
        if package == "gonio":
            raise
        raise MissingExtraError(package, "train") from error
    return export_run
