"""What verbs print: names as they are, and a bar that starts anew with each input."""

from __future__ import annotations

import io
import sys

import pytest

from gonio.cli import console


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_name_with_brackets_is_printed_as_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    console.print_table(["a"], [["[red]1"]], title="walk [/x] [red]2: fine")
    printed = capsys.readouterr().out
    assert "walk [/x] [red]2: fine" in " ".join(printed.split())
    assert "[red]1" in printed


def test_the_time_left_is_told_for_the_second_input_too(monkeypatch: pytest.MonkeyPatch) -> None:
    from rich import progress

    bars: list[progress.Progress] = []
    start = progress.Progress.start
    monkeypatch.setattr(progress.Progress, "start", lambda bar: (bars.append(bar), start(bar)))
    monkeypatch.setattr(sys, "stderr", Terminal())
    with console.progress_bar(quiet=False) as report:
        assert report is not None
        for done in range(1, 11):
            report("Finding people", done, 10)
        (task,) = bars[0].tasks
        assert task.finished
        report("Finding people", 1, 40)
        assert not task.finished
        assert (task.completed, task.total) == (1, 40)


@pytest.mark.parametrize("quiet", [True, False])
def test_there_is_no_bar_where_nobody_watches(quiet: bool) -> None:
    with console.progress_bar(quiet=quiet) as report:
        assert report is None
