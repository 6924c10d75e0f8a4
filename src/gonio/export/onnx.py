"""Networks as ONNX files: any batch, outputs named by their roles, the card inside and beside."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import torch
from torch import Tensor, nn

from gonio.errors import ModelError
from gonio.export.parity import Parity, compare, example_images
from gonio.formats.whole import cannot_write, whole_file
from gonio.runtime import check_outputs, dump_card, open_session
from gonio.runtime.cards import card_path
from gonio.runtime.sources import sha256_of

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from gonio.networks import PoseNetwork
    from gonio.runtime import Card

OPSET: Final = 18
"""torch's exporter writes this version itself; others are converted from it."""
METADATA: Final = "gonio.card"
_INPUT: Final = "image"
_EXAMPLES: Final = 4


class _Exported(nn.Module):
    """A network as others run it: activations applied, outputs in a fixed order."""

    def __init__(self, network: PoseNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(self, images: Tensor) -> tuple[Tensor, ...]:
        """Return the activated outputs, in the order of the network's roles."""
        outputs = self.network.activate(self.network(images))
        return tuple(outputs[role] for role in self.network.roles)


def export_onnx(
    network: PoseNetwork,
    path: Path,
    card: Card,
    *,
    examples: NDArray[np.uint8] | None = None,
    opset: int = OPSET,
) -> Parity:
    """Write a network as an ONNX file with its card, once both give the same.

    The file takes any number of images at a time. Its outputs are named by their roles, with
    activations applied. The card stands in its metadata (key ``gonio.card``) and beside it with
    the file's hash.

    Parameters
    ----------
    network
        On any device, in any mode; it is left as it is. A copy is exported: on the CPU, in
        single precision, for inference.
    path
        The ``.onnx`` file; replaced, with its card, if it exists.
    card
        See :func:`gonio.runtime.card_for_network`.
    examples
        Images to compare both on beside made ones, shape ``(N, height, width, 3)``, RGB, of the
        input's size.
    opset
        Version of ONNX's operators.

    Returns
    -------
    Parity
        How far apart they are.

    Raises
    ------
    ModelError
        If the network cannot be exported.
    ModelOutputError
        If the file's outputs differ from the network's, or do not fit the card. Nothing is
        written then.
    OutputError
        If the file cannot be written.
    """
    module = _Exported(copy.deepcopy(network).cpu().float()).eval()
    images = example_images(card, _EXAMPLES)
    if examples is not None:
        images = np.concatenate([images, examples])
    batch = np.concatenate([card.input.to_tensor(image) for image in images])
    program = _program(module, torch.from_numpy(batch[:2]), opset, card.name)
    inside = card.model_copy(update={"sha256": None})
    program.model.metadata_props[METADATA] = dump_card(inside)
    expected = _run_network(module, batch)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise cannot_write(path, error) from error
    with whole_file(path) as part:
        program.save(str(part), external_data=False)
        try:
            given = _run_file(part, batch, inside)
        except ModelError as error:  # under the name it would have had
            raise type(error)(str(error).replace(str(part), str(path))) from error
        parity = compare(expected, given, inside)
        parity.require(path)
        complete = card.model_copy(update={"sha256": sha256_of(part)})
        with whole_file(card_path(path)) as card_part:
            card_part.write_text(dump_card(complete), encoding="utf-8")
    return parity


def _program(module: _Exported, images: Tensor, opset: int, name: str) -> torch.onnx.ONNXProgram:
    try:
        program = torch.onnx.export(
            module,
            (images,),
            dynamo=True,
            input_names=[_INPUT],
            output_names=list(module.network.roles),
            dynamic_shapes=({0: torch.export.Dim("batch")},),
            opset_version=opset,
            external_data=False,
            verbose=False,
        )
    except torch.onnx.OnnxExporterError as error:
        reason = str(error.__cause__ or error).strip().splitlines()[0]
        raise ModelError(f"model '{name}': cannot be exported to ONNX ({reason})") from error
    assert program is not None  # noqa: S101 - it is None without dynamo only
    return program


def _run_network(module: _Exported, batch: NDArray[np.float32]) -> dict[str, NDArray[Any]]:
    with torch.no_grad():
        outputs = module(torch.from_numpy(batch))
    return {role: o.numpy() for role, o in zip(module.network.roles, outputs, strict=True)}


def _run_file(path: Path, batch: NDArray[np.float32], card: Card) -> dict[str, NDArray[Any]]:
    """Run the file on one image and on all others, so that no size of batch is built in."""
    session = open_session(path, device="cpu")
    check_outputs(session, card)
    parts = [session.run({_INPUT: part}) for part in (batch[:1], batch[1:])]
    names = card.output.names
    return {r: np.concatenate([part[n] for part in parts]) for r, n in names.items()}
