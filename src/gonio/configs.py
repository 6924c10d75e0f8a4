"""Typed configurations in YAML: read, merged over what they extend, overridden, checked.

Protocols, recipes and studies share this: a file names what it extends and says only what
differs; an unknown key is refused where it stands, with the key that was probably meant.
"""

from __future__ import annotations

import copy
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar, get_args, get_origin

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from gonio.errors import ConfigError, UnknownNameError, near_match

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

_SUFFIXES: Final = (".yaml", ".yml")
_QUOTE: Final = "'"
_CHOOSERS: Final = ("builder",)
"""Keys that say which others make sense: a mapping that names another one stands for itself."""

Model = TypeVar("Model", bound=BaseModel)


class Settings(BaseModel):
    """Base of every configuration: frozen, and unknown keys are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


@dataclass(frozen=True)
class ConfigKind:
    """What kind of configuration is read.

    Attributes
    ----------
    word
        What it is called in messages: ``"protocol"``, ``"recipe"``.
    folder
        Where the built-in ones lie, one YAML file each.
    example
        A command that shows what one looks like, for messages; may be empty.
    """

    word: str
    folder: Path
    example: str = ""

    def names(self) -> list[str]:
        """Return the names of the built-in ones, sorted."""
        return sorted(file.stem for file in self.folder.glob("*.yaml"))

    def label(self, file: Path) -> str:
        """Say in messages which file it is: a built-in one's name, or the path as given."""
        return file.stem if file.parent == self.folder else str(file)

    def find(self, name_or_path: str | Path, folder: Path = Path(), *, where: str = "") -> Path:
        """Return the file of a built-in name, or of a path relative to a folder.

        Raises
        ------
        UnknownNameError
            If it is a name, and none of the built-in ones.
        """
        text = str(name_or_path)
        is_path = isinstance(name_or_path, Path) or "/" in text or "\\" in text
        if is_path or text.endswith(_SUFFIXES):
            return folder / name_or_path
        if text not in self.names():
            raise UnknownNameError(self.word, text, self.names(), where=where)
        return self.folder / f"{text}.yaml"


def load_config(
    name_or_path: str | Path,
    model: type[Model],
    kind: ConfigKind,
    *,
    overrides: Mapping[str, Any] | None = None,
    defaults: Mapping[str, Any] | None = None,
) -> Model:
    """Load a built-in configuration by name, or a user's YAML file by path.

    ``extends`` names another one the same way, a path being relative to the file that says it.
    Mappings are merged key by key, anything else (lists too) is replaced; only the name is never
    inherited. A mapping that names another ``builder`` replaces the inherited one, whose options
    belong to the other.

    Parameters
    ----------
    name_or_path
        A built-in name, or a path: anything that holds a separator or ends in ``.yaml`` or
        ``.yml``.
    model
        What it must fit.
    kind
        What it is called and where built-in ones lie.
    overrides
        Nested values that replace the file's; see :func:`parse_overrides`.
    defaults
        Nested values for what neither says.

    Returns
    -------
    Model
        Resolved: nothing is left to extend.

    Raises
    ------
    UnknownNameError
        If nothing built in has the name.
    ConfigError
        If a file is missing, is no YAML, says an unknown key or a wrong value, or extends
        itself.
    """
    file = kind.find(name_or_path)
    label = kind.label(file)
    values = resolve_config(file, model, kind)
    if overrides:
        _refuse_unknown_keys(overrides, model, "", f"{kind.word} '{label}'")
        values = merge(values, overrides)
    if defaults:
        values = merge(defaults, values)
    return check_config(values, model, f"{kind.word} '{label}'")


def resolve_config(
    file: Path, model: type[BaseModel], kind: ConfigKind, chain: Sequence[Path] = ()
) -> dict[str, Any]:
    """Return a file's mapping merged over all that it extends.

    Parameters
    ----------
    file, model, kind
        See :func:`load_config`.
    chain
        The files that extend this one.

    Raises
    ------
    ConfigError
        If a file is missing, is no YAML, says an unknown key, or extends itself.
    """
    label, here = kind.label(file), file.resolve()
    if here in chain:
        links = " → ".join(link.name for link in [*chain[chain.index(here) :], here])
        raise ConfigError(f"{kind.word} '{label}': extends itself: {links}")
    own = _read(file, kind)
    _refuse_unknown_keys(own, model, "", f"{kind.word} '{label}'")
    base = own.pop("extends", None)
    if base is None:
        return own
    where = f"{kind.word} '{label}': extends"
    if not isinstance(base, str):
        raise ConfigError(f"{where}: must be one name or path, not {base!r}")
    parent = kind.find(base, file.parent, where=where)
    inherited = resolve_config(parent, model, kind, [*chain, here])
    inherited.pop("name", None)
    return merge(inherited, own)


def merge(base: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    """Lay a mapping over another: mappings key by key, anything else replaced.

    Parameters
    ----------
    base, own
        Nested mappings; neither is changed. Where both name a ``builder`` and not the same, the
        own mapping replaces the base's.
    """
    if any(key in base and key in own and base[key] != own[key] for key in _CHOOSERS):
        return copy.deepcopy(dict(own))
    merged = copy.deepcopy(dict(base))
    for key, value in own.items():
        both = isinstance(value, dict) and isinstance(merged.get(key), dict)
        merged[key] = merge(merged[key], value) if both else copy.deepcopy(value)
    return merged


def parse_overrides(
    texts: Iterable[str], *, short_for: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """Turn ``key=value`` texts of a command line into nested values.

    Parameters
    ----------
    texts
        Each ``dotted.key=value``; the value is YAML: ``3``, ``1e-4``, ``null``, ``[1, 2]``.
    short_for
        Keys that stand for others when they are given a value of their own and not a mapping:
        ``{"data": "data.path"}``.

    Returns
    -------
    dict
        A later text wins over an earlier one.

    Raises
    ------
    ConfigError
        If a text has no key or no ``=``, or its value is no YAML.
    """
    nested: dict[str, Any] = {}
    for text in texts:
        key, equals, told = text.partition("=")
        if not equals or not all(key.split(".")):
            raise ConfigError(f"'{text}': not of the form key=value (trainer.epochs=20)")
        try:
            value = load_yaml(told)
        except yaml.YAMLError as error:
            raise ConfigError(f"'{text}': the value is no valid YAML ({_one_line(error)})") from (
                error
            )
        if short_for and key in short_for and not isinstance(value, dict):
            key = short_for[key]
        for part in reversed(key.split(".")):
            value = {part: value}
        nested = merge(nested, value)
    return nested


def check_config(values: Mapping[str, Any], model: type[Model], where: str) -> Model:
    """Turn values into their model, and say what is wrong in one line.

    Parameters
    ----------
    values
        Nested values.
    model
        What they must fit.
    where
        Begins the message: ``"recipe 'squat.yaml'"``.

    Raises
    ------
    ConfigError
        At the first value that does not fit.
    """
    try:
        return model.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        loc = _without_tags(first["loc"], values)
        if first["type"] == "missing":
            loc = (*loc, first["loc"][-1])
        place = ".".join(str(part) for part in loc)
        message = first["msg"].removeprefix("Value error, ")
        if first["type"] == "missing":
            told = f"key '{place}' is missing"
        elif first["type"] == "extra_forbidden":
            told = f"unknown key '{place}'{_near_key(model, loc, values)}"
        elif first["type"] == "union_tag_not_found":
            told = f"key '{place}.{first['ctx']['discriminator'].strip(_QUOTE)}' is missing"
        elif first["type"] == "union_tag_invalid":
            allowed = [name.strip(_QUOTE) for name in first["ctx"]["expected_tags"].split(", ")]
            told = f"{place}: unknown value '{first['ctx']['tag']}'"
            told += near_match(first["ctx"]["tag"], allowed)
        elif first["type"] == "literal_error":
            allowed = first["ctx"]["expected"].replace("'", "").replace(" or ", ", ").split(", ")
            told = f"{place}: unknown value '{first['input']}'"
            told += near_match(str(first["input"]), allowed)
        else:
            told = f"{place}: {message}" if place else message
        raise ConfigError(f"{where}: {told}") from error


def dump_config(values: BaseModel) -> str:
    """Return a configuration as YAML that loads to the same."""
    plain = values.model_dump(mode="json", by_alias=True)
    return yaml.safe_dump(plain, sort_keys=False, allow_unicode=True, width=100)


class _Loader(yaml.SafeLoader):
    """PyYAML's, which follows YAML 1.1, with the floats of YAML 1.2: ``1e-3`` is no text."""


_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float",
    re.compile(r"^[-+]?[0-9]+(\.[0-9]*)?[eE][-+]?[0-9]+$"),
    "-+0123456789",
)


def load_yaml(text: str) -> Any:
    """Read YAML; ``1e-3`` is a number, as in YAML 1.2.

    Raises
    ------
    yaml.YAMLError
        If it is none.
    """
    return yaml.load(text, Loader=_Loader)  # noqa: S506 - a SafeLoader


def _read(file: Path, kind: ConfigKind) -> dict[str, Any]:
    where = f"{kind.word} '{kind.label(file)}'"
    try:
        content = load_yaml(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        known = ", ".join(kind.names())
        raise ConfigError(f"{where}: no such file (built in: {known})") from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{where}: cannot be read ({error})") from error
    except yaml.YAMLError as error:
        raise ConfigError(f"{where}: not valid YAML ({_one_line(error)})") from error
    if not isinstance(content, dict):
        hint = f"; see '{kind.example}'" if kind.example else ""
        raise ConfigError(f"{where}: holds no keys{hint}")
    return {str(key): value for key, value in content.items()}


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())


def _keys(model: type[BaseModel]) -> dict[str, Any]:
    """Return the type of each key, by the name it has in a file."""
    return {f.alias or name: f.annotation for name, f in model.model_fields.items()}


def _refuse_unknown_keys(values: Any, annotation: Any, path: str, where: str) -> None:
    """Check keys in the file that says them, since a merged mapping forgets its origin."""
    if isinstance(values, list):
        for i, item in enumerate(values):
            _refuse_unknown_keys(item, annotation, f"{path}{i}.", where)
    model = _inner_model(annotation, values)
    if not isinstance(values, dict) or model is None:
        return
    keys = _keys(model)
    for key, value in values.items():
        if key not in keys:
            if model.model_config.get("extra") == "allow":
                continue
            near = near_match(f"{path}{key}", [f"{path}{known}" for known in keys])
            raise ConfigError(f"{where}: unknown key '{path}{key}'{near}")
        if _is_mapping(keys[key]):
            for name, item in value.items() if isinstance(value, dict) else ():
                _refuse_unknown_keys(item, keys[key], f"{path}{key}.{name}.", where)
        else:
            _refuse_unknown_keys(value, keys[key], f"{path}{key}.", where)


def _inner_model(annotation: Any, values: Any) -> type[BaseModel] | None:
    """Return the model inside ``M``, ``M | None``, ``tuple[M, ...]`` or ``dict[str, M]``.

    Of several models that each have a ``name`` of their own, the one that the values name; None
    where they name none.
    """
    models = list(_inner_models(annotation))
    named = {
        name: model
        for model in models
        for name in get_args(_keys(model).get("name"))
        if isinstance(name, str)
    }
    if len(named) < 2 or len(named) < len(models):
        return next(iter(models), None)
    name = values.get("name") if isinstance(values, dict) else None
    return named.get(name) if isinstance(name, str) else None


def _inner_models(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for part in get_args(annotation):
        yield from _inner_models(part)


def _is_mapping(annotation: Any) -> bool:
    parts = (annotation, *get_args(annotation))
    return any(isinstance(o := get_origin(part), type) and issubclass(o, dict) for part in parts)


def _without_tags(loc: tuple[int | str, ...], values: Any) -> tuple[int | str, ...]:
    """Leave out of a place what pydantic adds to it: which of several models it looked at."""
    kept: list[int | str] = []
    for key in loc:
        try:
            values = values[key]
        except (KeyError, IndexError, TypeError):
            continue
        kept.append(key)
    return tuple(kept)


def _near_key(model: type[BaseModel], loc: tuple[int | str, ...], values: Any) -> str:
    """Say which key was meant, with the whole path: ``(did you mean 'optimizer.lr'?)``."""
    inner: type[BaseModel] | None = model
    annotation: Any = model
    for key in loc[:-1]:
        values = values[key]
        if isinstance(key, str) and inner is not None and key in _keys(inner):
            annotation = _keys(inner)[key]
        inner = _inner_model(annotation, values)
    if inner is None:
        return ""
    parents = "".join(f"{key}." for key in loc[:-1])
    return near_match(f"{parents}{loc[-1]}", [f"{parents}{key}" for key in _keys(inner)])
