"""Finds a protocol's file, resolves what it extends, and checks it."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from gonio.configs import ConfigKind, load_config
from gonio.errors import ConfigError
from gonio.protocols.spec import ProtocolSpec

_KIND: Final = ConfigKind(
    "protocol", Path(__file__).parent / "data", example="gonio protocols show general"
)


def protocol_names() -> list[str]:
    """Return the names of the built-in protocols, sorted."""
    return _KIND.names()


def load_protocol(name_or_path: str | Path) -> ProtocolSpec:
    """Load a built-in protocol by name, or a user's YAML file by path.

    Parameters
    ----------
    name_or_path
        A built-in name (``"general"``), or a path: anything that holds a separator or ends in
        ``.yaml`` or ``.yml``. How ``extends`` works: :func:`gonio.configs.load_config`.

    Returns
    -------
    ProtocolSpec
        Resolved; ``extends`` is None.

    Raises
    ------
    UnknownNameError
        If no built-in protocol has the name.
    ConfigError
        If a file is missing, is no YAML, says an unknown key or a wrong value, extends itself,
        or asks for what this version cannot compute.
    """
    spec = load_config(name_or_path, ProtocolSpec, _KIND)
    asked = [f"'{key}'" for key in spec.unsupported()]
    if asked:
        raise ConfigError(
            f"protocol '{_KIND.label(_KIND.find(name_or_path))}': this version of gonio cannot "
            f"compute {' or '.join(asked)} yet. Remove it, or set it to null (rules: to [])."
        )
    return spec
