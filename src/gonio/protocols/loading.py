"""Finds a protocol's file, resolves what it extends, and checks it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, get_args

import yaml
from pydantic import BaseModel, ValidationError

from gonio.errors import ConfigError, UnknownNameError, near_match
from gonio.protocols.spec import ProtocolSpec

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_BUILT_IN: Final = Path(__file__).parent / "data"
_SUFFIXES: Final = (".yaml", ".yml")


def protocol_names() -> list[str]:
    """Return the names of the built-in protocols, sorted."""
    return sorted(file.stem for file in _BUILT_IN.glob("*.yaml"))


def load_protocol(name_or_path: str | Path) -> ProtocolSpec:
    """Load a built-in protocol by name, or a user's YAML file by path.

    ``extends`` names another protocol the same way, a path being relative to the file that says
    it. Mappings are merged key by key, anything else (lists too) is replaced; only the name is
    never inherited.

    Parameters
    ----------
    name_or_path
        A built-in name (``"general"``), or a path: anything that holds a separator or ends in
        ``.yaml`` or ``.yml``.

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
    file = _find(name_or_path, Path())
    spec = _check(_resolve(file, ()), _label(file))
    asked = [f"'{key}'" for key in spec.unsupported()]
    if asked:
        raise ConfigError(
            f"protocol '{_label(file)}': this version of gonio cannot compute "
            f"{' or '.join(asked)} yet. Remove it, or set it to null (rules: to [])."
        )
    return spec


def _find(name_or_path: str | Path, folder: Path, *, where: str = "") -> Path:
    text = str(name_or_path)
    is_path = isinstance(name_or_path, Path) or "/" in text or "\\" in text
    if is_path or text.endswith(_SUFFIXES):
        return folder / name_or_path
    if text not in protocol_names():
        raise UnknownNameError("protocol", text, protocol_names(), where=where)
    return _BUILT_IN / f"{text}.yaml"


def _label(file: Path) -> str:
    return file.stem if file.parent == _BUILT_IN else str(file)


def _resolve(file: Path, chain: Sequence[Path]) -> dict[str, Any]:
    """Return a file's mapping merged over all that it extends."""
    label, here = _label(file), file.resolve()
    if here in chain:
        links = " → ".join(link.name for link in [*chain[chain.index(here) :], here])
        raise ConfigError(f"protocol '{label}': extends itself: {links}")
    own = _read(file, label)
    _refuse_unknown_keys(own, ProtocolSpec, "", label)
    base = own.pop("extends", None)
    if base is None:
        return own
    where = f"protocol '{label}': extends"
    if not isinstance(base, str):
        raise ConfigError(f"{where}: must be one name or path, not {base!r}")
    inherited = _resolve(_find(base, file.parent, where=where), [*chain, here])
    inherited.pop("name", None)
    return _merge(inherited, own)


def _read(file: Path, label: str) -> dict[str, Any]:
    try:
        content = yaml.safe_load(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ConfigError(
            f"protocol '{label}': no such file (built in: {', '.join(protocol_names())})"
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"protocol '{label}': cannot be read ({error})") from error
    except yaml.YAMLError as error:
        told = " ".join(str(error).split())
        raise ConfigError(f"protocol '{label}': not valid YAML ({told})") from error
    if not isinstance(content, dict):
        raise ConfigError(f"protocol '{label}': holds no keys; see 'gonio protocols show general'")
    return {str(key): value for key, value in content.items()}


def _merge(base: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(base)
    for key, value in own.items():
        both = isinstance(value, dict) and isinstance(merged.get(key), dict)
        merged[key] = _merge(merged[key], value) if both else value
    return merged


def _refuse_unknown_keys(values: Any, model: type[BaseModel], path: str, label: str) -> None:
    """Check keys in the file that says them, since a merged mapping forgets its origin."""
    if isinstance(values, list):
        for i, item in enumerate(values):
            _refuse_unknown_keys(item, model, f"{path}{i}.", label)
    if not isinstance(values, dict):
        return
    fields = {field.alias or name: field for name, field in model.model_fields.items()}
    for key, value in values.items():
        if key not in fields:
            if model.model_config.get("extra") == "allow":
                continue
            near = near_match(f"{path}{key}", [f"{path}{known}" for known in fields])
            raise ConfigError(f"protocol '{label}': unknown key '{path}{key}'{near}")
        inner = _inner_model(fields[key].annotation)
        if inner is not None:
            _refuse_unknown_keys(value, inner, f"{path}{key}.", label)


def _inner_model(annotation: Any) -> type[BaseModel] | None:
    """Return the model inside ``M``, ``M | None`` or ``tuple[M, ...]``."""
    for part in (annotation, *get_args(annotation)):
        if isinstance(part, type) and issubclass(part, BaseModel):
            return part
    return None


def _check(values: Mapping[str, Any], label: str) -> ProtocolSpec:
    try:
        return ProtocolSpec.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        if first["type"] == "missing":
            told = f"key '{place}' is missing"
        elif first["type"] == "literal_error":
            allowed = first["ctx"]["expected"].replace("'", "").replace(" or ", ", ").split(", ")
            told = f"{place}: unknown value '{first['input']}'"
            told += near_match(str(first["input"]), allowed)
        else:
            told = f"{place}: {first['msg'].removeprefix('Value error, ')}"
        raise ConfigError(f"protocol '{label}': {told}") from error
