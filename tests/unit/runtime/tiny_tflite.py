"""TFLite files of one or a few nodes, built with the schema that LiteRT ships."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import flatbuffers
from ai_edge_litert import schema_py_generated as schema


def write_abs(path: Path, shape: Sequence[int]) -> Path:
    """Write a model that returns the absolute of its input; −1 is a size that varies."""
    tensors = [_tensor("image", shape), _tensor("out", shape)]
    return _write(path, tensors, [(schema.BuiltinOperator.ABS, 0, 1)], [1])


def write_fork(path: Path, shape: Sequence[int], *, signed: bool = False) -> Path:
    """Write a model with the outputs ``neg``, ``square`` (of ``neg``) and ``abs`` of its input."""
    tensors = [_tensor(name, shape) for name in ("image", "neg", "square", "abs")]
    kinds = schema.BuiltinOperator
    nodes = [(kinds.NEG, 0, 1), (kinds.SQUARE, 1, 2), (kinds.ABS, 0, 3)]
    return _write(path, tensors, nodes, [1, 2, 3], signed=signed)


def _write(
    path: Path,
    tensors: list[schema.TensorT],
    nodes: Sequence[tuple[int, int, int]],
    outputs: list[int],
    *,
    signed: bool = False,
) -> Path:
    model, graph = schema.ModelT(), schema.SubGraphT()
    model.operatorCodes, graph.operators = [], []
    for number, (kind, source, target) in enumerate(nodes):
        code, node = schema.OperatorCodeT(), schema.OperatorT()
        code.builtinCode = code.deprecatedBuiltinCode = kind
        node.opcodeIndex, node.inputs, node.outputs = number, [source], [target]
        model.operatorCodes.append(code)
        graph.operators.append(node)
    graph.tensors, graph.inputs, graph.outputs = tensors, [0], outputs
    model.version, model.subgraphs, model.buffers = 3, [graph], [schema.BufferT()]
    if signed:
        model.signatureDefs = [schema.SignatureDefT()]
    builder = flatbuffers.Builder(0)
    builder.Finish(model.Pack(builder), file_identifier=b"TFL3")
    path.write_bytes(builder.Output())
    return path


def _tensor(name: str, shape: Sequence[int]) -> schema.TensorT:
    tensor = schema.TensorT()
    tensor.name, tensor.type, tensor.buffer = name, schema.TensorType.FLOAT32, 0
    tensor.shape, tensor.shapeSignature = [abs(n) for n in shape], list(shape)
    return tensor
