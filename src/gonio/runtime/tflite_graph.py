"""TFLite files cut down to what is asked of them.

LiteRT computes every operation of a file, also those whose results nobody takes: BlazePose's mask
of the person costs 40 % of a call. The operations that are left compute exactly what they did.

The places of the fields are those of TFLite's ``schema.fbs`` (version 3); tables, vectors and
offsets are laid out as in "FlatBuffers Internals" (flatbuffers.dev/internals).
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Collection

_IDENTIFIER: Final = b"TFL3"
# Numbers of fields in their tables.
_MODEL_SUBGRAPHS, _MODEL_SIGNATURES = 2, 7
_GRAPH_TENSORS, _GRAPH_OUTPUTS, _GRAPH_OPERATORS = 0, 2, 3
_OPERATOR_INPUTS, _OPERATOR_OUTPUTS = 1, 2
_TENSOR_SHAPE, _TENSOR_NAME = 0, 3


def keep_outputs(content: bytes, names: Collection[str]) -> tuple[bytes, dict[str, list[int]]]:
    """Leave out of a model what only leads to outputs that are not needed.

    Parameters
    ----------
    content
        A TFLite file.
    names
        The outputs that are needed.

    Returns
    -------
    bytes
        A TFLite file with these outputs, in the file's order; ``content`` itself where nothing
        can be left out: all outputs are needed or none of them is known, the model has several
        graphs (control flow) or signatures, or it is no such file.
    dict
        Name → shape of the outputs left out.
    """
    try:
        return _keep_outputs(content, names)
    except (struct.error, IndexError, UnicodeDecodeError):
        return content, {}  # LiteRT says what is wrong with it


def _keep_outputs(content: bytes, names: Collection[str]) -> tuple[bytes, dict[str, list[int]]]:
    if content[4:8] != _IDENTIFIER:
        return content, {}
    file = _FlatBuffer(bytearray(content))
    model = file.follow(0)
    graphs = file.tables(file.field(model, _MODEL_SUBGRAPHS))
    signatures = file.tables(file.field(model, _MODEL_SIGNATURES))
    if len(graphs) != 1 or signatures:
        return content, {}
    graph = graphs[0]
    tensors = file.tables(file.field(graph, _GRAPH_TENSORS))
    outputs_at, operators_at = (
        file.field(graph, number) for number in (_GRAPH_OUTPUTS, _GRAPH_OPERATORS)
    )
    outputs = {
        file.text(file.field(tensors[number], _TENSOR_NAME)): number
        for number in file.numbers(outputs_at)
    }
    needed = [number for name, number in outputs.items() if name in names]
    if not needed or len(needed) == len(outputs):
        return content, {}
    operators = file.tables(operators_at)
    wanted = _leading_to(needed, [_ends(file, operator) for operator in operators])
    file.set_tables(operators_at, [operators[i] for i in sorted(wanted)])
    file.append_numbers(outputs_at, needed)
    dropped = {
        name: file.numbers(file.field(tensors[number], _TENSOR_SHAPE))
        for name, number in outputs.items()
        if number not in needed
    }
    return bytes(file.data), dropped


def _ends(file: _FlatBuffer, operator: int) -> tuple[list[int], list[int]]:
    return (
        file.numbers(file.field(operator, _OPERATOR_INPUTS)),
        file.numbers(file.field(operator, _OPERATOR_OUTPUTS)),
    )


def _leading_to(tensors: list[int], operators: list[tuple[list[int], list[int]]]) -> set[int]:
    """Return the operators without which the tensors cannot be computed."""
    makers = {made: i for i, (_, outputs) in enumerate(operators) for made in outputs}
    wanted: set[int] = set()
    waiting = list(tensors)
    while waiting:
        maker = makers.get(waiting.pop())
        if maker is not None and maker not in wanted:
            wanted.add(maker)
            waiting += operators[maker][0]
    return wanted


class _FlatBuffer:
    """Reads and changes a buffer; places are bytes from its beginning, 0 stands for absent."""

    def __init__(self, data: bytearray) -> None:
        self.data = data

    def follow(self, place: int) -> int:
        """Return where the offset at a place points to."""
        return place + self._number("<I", place)

    def field(self, table: int, number: int) -> int:
        """Return the place of a table's field."""
        layout = table - self._number("<i", table)
        entry = 4 + 2 * number
        if entry >= self._number("<H", layout):
            return 0
        offset = self._number("<H", layout + entry)
        return table + offset if offset else 0

    def tables(self, field: int) -> list[int]:
        """Return the places of a vector's tables."""
        return [self.follow(place) for place in self._items(field)]

    def numbers(self, field: int) -> list[int]:
        """Return a vector's 32-bit integers."""
        return [self._number("<i", place) for place in self._items(field)]

    def text(self, field: int) -> str:
        """Return a string."""
        start = self.follow(field)
        return self.data[start + 4 : start + 4 + self._number("<I", start)].decode()

    def set_tables(self, field: int, tables: list[int]) -> None:
        """Put fewer tables into a vector of tables."""
        for place, table in zip(self._items(field), tables, strict=False):
            struct.pack_into("<I", self.data, place, table - place)
        struct.pack_into("<I", self.data, self.follow(field), len(tables))

    def append_numbers(self, field: int, numbers: list[int]) -> None:
        """Make a field point to a new vector of integers."""
        self.data += bytes(-len(self.data) % 4)
        struct.pack_into("<I", self.data, field, len(self.data) - field)
        self.data += struct.pack(f"<I{len(numbers)}i", len(numbers), *numbers)

    def _items(self, field: int) -> range:
        if not field:
            return range(0)
        start = self.follow(field)
        return range(start + 4, start + 4 + 4 * self._number("<I", start), 4)

    def _number(self, kind: str, place: int) -> int:
        return int(struct.unpack_from(kind, self.data, place)[0])
