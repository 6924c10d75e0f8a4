"""One tree of exceptions; every message says what was wrong, where, and what to do.

Everything a person can cause is a :class:`GonioError`. The command line prints it without a
traceback and exits with status 2.
"""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


class GonioError(Exception):
    """Base of every error a person can cause and mend."""


class GonioWarning(UserWarning):
    """A result exists, but something about it should be known."""


class InputError(GonioError):
    """A given file, folder or value cannot be used."""


class VideoError(InputError):
    """A video or image cannot be read."""


class PosesError(InputError):
    """Keypoint tracks or angles do not follow the schema."""


class FormatError(InputError):
    """A file does not follow the format it claims."""


class TooShortError(InputError):
    """A series is too short for the operation."""


class ConfigError(GonioError):
    """A configuration (protocol, card, skeleton, recipe) is wrong."""


class UnknownNameError(ConfigError):
    """A name is none of those known; a near match is offered.

    Parameters
    ----------
    kind
        What is named, for the message: ``"protocol"``, ``"model"``, ``"keypoint"``.
    name
        The name as given.
    known
        The names that exist.
    where
        Where the name stood (a file, an option), or empty.
    """

    def __init__(self, kind: str, name: str, known: Iterable[str], *, where: str = "") -> None:
        self.kind, self.name = kind, name
        self.known = sorted(known)
        place = f"{where}: " if where else ""
        super().__init__(f"{place}unknown {kind} '{name}'{near_match(name, self.known)}")


class ModelError(GonioError):
    """A model cannot be found, fetched, read or trusted."""


class ModelOutputError(ModelError):
    """A model's inputs or outputs do not fit its card."""


class OfflineError(ModelError):
    """A model is not on this machine and cannot be fetched."""


class OutputError(GonioError):
    """A result cannot be written."""


class EvaluationExistsError(OutputError):
    """The evaluation's folder already exists."""


class MissingExtraError(GonioError):
    """An optional dependency is not installed.

    Parameters
    ----------
    package
        The package that failed to import.
    extra
        The extra of gonio that brings it.
    """

    def __init__(self, package: str, extra: str) -> None:
        super().__init__(f"'{package}' is not installed. Install it: pip install 'gonio[{extra}]'")


def near_match(name: str, known: Iterable[str]) -> str:
    """Say what a misspelt name may have meant.

    Parameters
    ----------
    name
        The name as given.
    known
        The names that exist.

    Returns
    -------
    str
        ``" (did you mean 'x'?)"``, or the known names where none is near, or an empty string
        where none exists.
    """
    names = sorted(known)
    near = difflib.get_close_matches(name, names, n=1, cutoff=0.6)
    if near:
        return f" (did you mean '{near[0]}'?)"
    return f" (known: {', '.join(names)})" if names else ""
