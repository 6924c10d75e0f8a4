"""The page of a study: one table, and the same people as every variant sees them."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from html import escape
from importlib import resources
from string import Template
from typing import TYPE_CHECKING, Literal

import gonio
from gonio.errors import InputError
from gonio.report.prepare import INK
from gonio.store import write_atomically

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


@dataclass(frozen=True)
class StudyRow:
    """One variant's line: its cells as text, and how it stands."""

    cells: Sequence[str]
    state: Literal["best", "run", "absent"] = "run"


@dataclass(frozen=True)
class View:
    """A person as one variant sees it.

    Attributes
    ----------
    title
        The variant, or what else is shown.
    pictures
        JPEG files side by side.
    numbers
        Loss and PCK in words.
    """

    title: str
    pictures: Sequence[Path]
    numbers: str = ""


@dataclass(frozen=True)
class SampleViews:
    """One person across all variants."""

    title: str
    views: Sequence[View]


@dataclass(frozen=True)
class StudyPage:
    """What the page says.

    Attributes
    ----------
    title, lead, about
        In words: what was compared, with which budget and seeds, and what was asked.
    headings, rows
        The table.
    notes
        What has to be known to read it.
    contrasts
        One line for each pair of values of an axis.
    samples
        The same people across all variants.
    """

    title: str
    lead: str
    about: str
    headings: Sequence[str]
    rows: Sequence[StudyRow]
    notes: Sequence[str] = ()
    contrasts: Sequence[str] = ()
    samples: Sequence[SampleViews] = field(default=())


def write_study_page(page: StudyPage, path: Path) -> Path:
    """Write the page; it needs no network and no file beside it.

    Parameters
    ----------
    page
        What it says.
    path
        The ``.html`` file; replaced if it exists.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    InputError
        If a picture cannot be read.
    OutputError
        If the file cannot be written.
    """
    parts = [
        f'<section class="card"><p>{escape(page.about)}</p></section>' if page.about else "",
        _table(page),
        _contrasts(page.contrasts),
        _samples(page.samples),
    ]
    text = Template(_template("study.html")).substitute(
        title=escape(page.title),
        lead=escape(page.lead),
        version=escape(gonio.__version__),
        css=f":root {{ --ink: {INK}; }}\n{_template('report.css')}",
        content="\n".join(part for part in parts if part),
    )
    with write_atomically(path) as file:
        file.write(text)
    return path


def _table(page: StudyPage) -> str:
    head = "".join(f"<th>{escape(heading)}</th>" for heading in page.headings)
    body = "\n".join(
        f'<tr class="{row.state}"><th scope="row">{escape(row.cells[0])}</th>'
        + "".join(f"<td>{escape(cell)}</td>" for cell in row.cells[1:])
        + "</tr>"
        for row in page.rows
    )
    notes = "".join(f'<p class="note">{escape(note)}</p>' for note in page.notes)
    return (
        '<section class="card"><h2>All variants</h2><div class="scroll"><table>'
        f"<thead><tr>{head}</tr></thead>\n<tbody>\n{body}\n</tbody></table></div>{notes}</section>"
    )


def _contrasts(lines: Sequence[str]) -> str:
    if not lines:
        return ""
    items = "".join(f"<li>{escape(line)}</li>" for line in lines)
    return (
        '<section class="card"><h2>One choice at a time</h2><p class="note">Mean difference over '
        "all pairs that are alike but for this choice, with its 95 % interval.</p>"
        f"<ul>{items}</ul></section>"
    )


def _samples(samples: Sequence[SampleViews]) -> str:
    if not samples:
        return ""
    shown = "\n".join(
        f'<div class="sample"><h3>{escape(sample.title)}</h3><div class="views">'
        + "".join(_view(view) for view in sample.views)
        + "</div></div>"
        for sample in samples
    )
    return f'<section class="card"><h2>The same people, seen by all</h2>{shown}</section>'


def _view(view: View) -> str:
    images = "".join(
        f'<img src="{_address(file)}" alt="{escape(view.title)}" loading="lazy">'
        for file in view.pictures
    )
    kind = "pair one" if len(view.pictures) == 1 else "pair"
    return (
        f'<figure><div class="{kind}">{images}</div><figcaption><b>{escape(view.title)}</b>'
        f"{escape(view.numbers)}</figcaption></figure>"
    )


def _address(file: Path) -> str:
    try:
        data = file.read_bytes()
    except OSError as error:
        raise InputError(f"'{file}': cannot be read ({error.strerror or error})") from error
    return "data:image/jpeg;base64," + base64.b64encode(data).decode("ascii")


def _template(name: str) -> str:
    return (resources.files("gonio.report") / "templates" / name).read_text(encoding="utf-8")
