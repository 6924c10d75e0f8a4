"""A look into HDF5 files before a library unpickles what they hold.

PyTables stores lists and tuples of pandas tables as pickles inside attributes, and unpickles them
when a file is opened; a pickle can run any code. Here every attribute is unpickled first by a
reader that knows no names: plain lists, tuples, text and numbers pass, everything else is refused.
"""

from __future__ import annotations

import io
import pickle
from typing import TYPE_CHECKING, Any, NoReturn

from gonio.errors import FormatError

if TYPE_CHECKING:
    from pathlib import Path

# What numbers inside old files' attributes need; none of them runs code of the file's choice.
_HARMLESS = {
    ("numpy.core.multiarray", "scalar"),
    ("numpy._core.multiarray", "scalar"),
    ("numpy", "dtype"),
    ("builtins", "complex"),
}


class _ForbiddenError(Exception):
    """A pickle names something to import."""


class _PlainUnpickler(pickle.Unpickler):
    def find_class(self, module_name: str, global_name: str) -> Any:
        if (module_name, global_name) in _HARMLESS:
            return super().find_class(module_name, global_name)
        raise _ForbiddenError(f"{module_name}.{global_name}")

    def persistent_load(self, pid: Any) -> NoReturn:
        raise _ForbiddenError(str(pid))


def refuse_code(path: Path) -> None:
    """Refuse an HDF5 file that holds pickles which could run code.

    Parameters
    ----------
    path
        The file.

    Raises
    ------
    FormatError
        If the file is no HDF5 file, an attribute's pickle names anything to import, or a dataset
        holds pickled objects.
    """
    import h5py

    def check(name: str, item: Any) -> None:
        for key, value in item.attrs.items():
            if isinstance(value, bytes):
                _check(path, f"{name}/{key}", value)
        if item.attrs.get("PSEUDOATOM") in (b"object", "object"):
            raise FormatError(f"'{path}': '{name}' holds pickled objects, which are not read")

    try:
        with h5py.File(path, "r") as file:
            check("", file)
            file.visititems(check)
    except OSError as error:
        raise FormatError(f"'{path}': no HDF5 file ({error})") from error


def _check(path: Path, where: str, value: bytes) -> None:
    try:
        _PlainUnpickler(io.BytesIO(value)).load()
    except _ForbiddenError as error:
        raise FormatError(
            f"'{path}': attribute '{where}' would run code when it is read ({error}). "
            "Do not trust this file."
        ) from error
    except Exception:  # noqa: BLE001 - any other text is no pickle, for PyTables as for us
        return
