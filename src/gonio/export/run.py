"""A run's best weights as a model file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from gonio.export.onnx import export_onnx
from gonio.runtime import Training
from gonio.runtime.sources import sha256_of

if TYPE_CHECKING:
    from pathlib import Path

    from gonio.export.parity import Parity

ONNX: Final = "model.onnx"


def export_run(folder: Path, path: Path | None = None) -> Parity:
    """Write the network of a run, with the weights of its best epoch, as an ONNX file.

    Parameters
    ----------
    folder
        The run's.
    path
        The file; None: ``model.onnx`` in the run's folder. Its card, which also holds the hash
        of the weights it was made from, goes beside it.

    Returns
    -------
    Parity
        How far apart file and network are.

    Raises
    ------
    InputError
        If the folder is no run's, or its training has not completed an epoch.
    ModelError, ModelOutputError, OutputError
        See :func:`gonio.export.export_onnx`; also if the weights are damaged.
    """
    from gonio.training.models import WEIGHTS, load_run  # Lightning comes with it: 2 s

    model = load_run(folder)
    training = model.card.training or Training()
    weights = {"weights_sha256": sha256_of(folder / WEIGHTS)}
    card = model.card.model_copy(update={"training": training.model_copy(update=weights)})
    return export_onnx(model.network, path or folder / ONNX, card)
