"""TFLite files of one ``ABS`` node, built with the schema that LiteRT ships."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import flatbuffers
from ai_edge_litert import schema_py_generated as schema


def write_abs(path: Path, shape: Sequence[int]) -> Path:
    """Write a model that returns the absolute of its input; −1 is a size that varies."""
    code = schema.OperatorCodeT()
    code.builtinCode = code.deprecatedBuiltinCode = schema.BuiltinOperator.ABS
    node = schema.OperatorT()
    node.inputs, node.outputs = [0], [1]
    graph = schema.SubGraphT()
    graph.tensors = [_tensor("image", shape), _tensor("out", shape)]
    graph.inputs, graph.outputs, graph.operators = [0], [1], [node]
    model = schema.ModelT()
    model.version, model.operatorCodes = 3, [code]
    model.subgraphs, model.buffers = [graph], [schema.BufferT()]
    builder = flatbuffers.Builder(0)
    builder.Finish(model.Pack(builder), file_identifier=b"TFL3")
    path.write_bytes(builder.Output())
    return path


def _tensor(name: str, shape: Sequence[int]) -> schema.TensorT:
    tensor = schema.TensorT()
    tensor.name, tensor.type, tensor.buffer = name, schema.TensorType.FLOAT32, 0
    tensor.shape, tensor.shapeSignature = [abs(n) for n in shape], list(shape)
    return tensor
