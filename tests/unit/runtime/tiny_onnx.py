"""ONNX files of one ``Identity`` node, written field by field (protobuf wire format)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

_FLOAT = 1  # TensorProto.FLOAT


def write_identity(path: Path, shape: Sequence[int | str], *, dtype: int = _FLOAT) -> Path:
    """Write a model that returns its input ``image`` as ``out``; a text is a size that varies."""
    node = _bytes(1, b"image") + _bytes(2, b"out") + _bytes(4, b"Identity")
    graph = (
        _bytes(1, node)
        + _bytes(2, b"tiny")
        + _bytes(11, _value("image", shape, dtype))
        + _bytes(12, _value("out", shape, dtype))
    )
    model = _number(1, 8) + _bytes(7, graph) + _bytes(8, _number(2, 17))  # IR 8, opset 17
    path.write_bytes(model)
    return path


def _value(name: str, shape: Sequence[int | str], dtype: int) -> bytes:
    dims = b"".join(
        _bytes(1, _number(1, n) if isinstance(n, int) else _bytes(2, n.encode())) for n in shape
    )
    tensor = _number(1, dtype) + _bytes(2, dims)
    return _bytes(1, name.encode()) + _bytes(2, _bytes(1, tensor))


def _bytes(field: int, content: bytes) -> bytes:
    return _varint(field << 3 | 2) + _varint(len(content)) + content


def _number(field: int, value: int) -> bytes:
    return _varint(field << 3) + _varint(value)


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    out.append(value)
    return bytes(out)


def write_colors(path: Path, width: int, height: int) -> Path:
    """Write a model with a map each for red, green, blue, cyan, magenta and yellow pixels.

    A map is 1 at pixels of its own full color and 0 at skin, grey, white and black.
    """
    import onnx
    from onnx import TensorProto, helper

    rows = [[1, -1, -1], [-1, 1, -1], [-1, -1, 1], [-1, 1, 1], [1, -1, 1], [1, 1, -1]]
    bias = [0, 0, 0, -1, -1, -1]
    weights = helper.make_tensor("w", TensorProto.FLOAT, [6, 3, 1, 1], [v for r in rows for v in r])
    least = helper.make_tensor("b", TensorProto.FLOAT, [6], bias)
    image, out = (
        helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", channels, height, width])
        for name, channels in (("image", 3), ("out", 6))
    )
    nodes = [
        helper.make_node("Conv", ["image", "w", "b"], ["mixed"]),
        helper.make_node("Relu", ["mixed"], ["out"]),
    ]
    graph = helper.make_graph(nodes, "colors", [image], [out], [weights, least])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.save(model, str(path))
    return path
