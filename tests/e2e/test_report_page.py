"""The report in a browser: it draws, plays, follows the video, and asks for nothing else."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from fake_evaluation import fake_evaluation
from gonio.report import write_report

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")

CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)
FPS, FRAMES = 30, 150

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine")


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    arguments = [
        "--no-sandbox",
        "--disable-gpu",
        "--disable-background-networking",
        "--disable-sync",
        "--no-first-run",
    ]
    with sync_api.sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=arguments)
        yield chromium
        chromium.close()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("evaluation")
    write_video(made / "overlay.mp4")
    stills = [(t, np.full((90, 160, 3), int(40 * t), np.uint8)) for t in (1.0, 2.0, 4.0)]
    write_report(fake_evaluation(frames=FRAMES, with_truth=True), made, stills=stills)
    return made


def write_video(path: Path) -> None:
    with av.open(path, "w") as container:
        stream = container.add_stream("libx264", rate=FPS)
        stream.width, stream.height, stream.pix_fmt = 160, 90, "yuv420p"
        for i in range(FRAMES):
            image = np.full((90, 160, 3), i, np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
        container.mux(stream.encode())


class Opened:
    """A page with everything it complained about and asked for."""

    def __init__(self, browser: Any, path: Path, *, width: int = 1360) -> None:
        self.page = browser.new_page(viewport={"width": width, "height": 900})
        self.complaints: list[str] = []
        self.requests: list[str] = []
        self.page.on("console", lambda m: self.complaints.append(f"{m.type}: {m.text}"))
        self.page.on("pageerror", lambda e: self.complaints.append(str(e)))
        self.page.on("request", lambda r: self.requests.append(r.url))
        self.page.goto(path.as_uri())
        if self.page.locator(".panel").count():
            self.page.wait_for_function("document.querySelector('.cursor')")

    def cursor_s(self) -> float:
        """Return the time the first plot's cursor stands at, from where it is on the screen."""
        time_s: float = self.page.evaluate(
            """() => {
                const plot = document.querySelector(".plot");
                const axis = plot._fullLayout.xaxis;
                const left = parseFloat(plot.querySelector(".cursor").style.left) + 1;
                return axis.p2d(left - axis._offset);
            }"""
        )
        return time_s

    def video_s(self) -> float:
        time_s: float = self.page.evaluate("document.querySelector('video').currentTime")
        return time_s

    def wait_for_cursor(self, time_s: float) -> None:
        self.page.wait_for_function(
            "t => Math.abs(parseFloat(document.querySelector('.time').textContent) - t) < 0.04",
            arg=time_s,
        )
        assert self.cursor_s() == pytest.approx(time_s, abs=0.05)


@pytest.fixture
def report(browser: Any, folder: Path) -> Iterator[Opened]:
    opened = Opened(browser, folder / "report.html")
    yield opened
    opened.page.close()
    assert opened.complaints == []


def test_the_page_draws_its_plots_and_asks_for_the_video_only(report: Opened, folder: Path) -> None:
    assert report.page.locator("details[open] .panel .main-svg").count() >= 4
    assert report.page.locator("path.js-line").count() >= 8
    report.page.wait_for_function("document.querySelector('video').readyState >= 2")
    files = {url for url in report.requests if not url.startswith("data:")}
    assert files == {(folder / name).as_uri() for name in ("report.html", "overlay.mp4")}


def test_the_page_opens_at_the_first_measured_moment(report: Opened) -> None:
    report.page.wait_for_function("document.querySelector('video').currentTime > 0.4")
    report.wait_for_cursor(0.5)
    assert report.video_s() == pytest.approx(0.5, abs=1 / FPS)


def test_a_click_goes_to_the_nearest_frame_and_an_extreme_to_its_own(report: Opened) -> None:
    report.page.wait_for_function("document.querySelector('video').currentTime > 0.4")
    place = report.page.evaluate(
        """() => {
            const axis = document.querySelector(".plot")._fullLayout.xaxis;
            return axis.d2p((74 - 0.3) / 30);
        }"""
    )
    plot = report.page.locator(".plot .nsewdrag").first
    plot.click(position={"x": place, "y": 60})
    report.wait_for_cursor(74 / FPS)
    assert report.page.locator(".time").inner_text() == "2.47 s"
    extreme = report.page.locator("tr:has(th:text-is('Elbow, left')) .when").first
    extreme.click()
    report.wait_for_cursor(float(extreme.get_attribute("data-time")))
    elbow = report.page.locator(".panel:has(h3:text-is('Elbow'))")
    elbow.locator(".main-svg").first.wait_for()
    assert elbow.is_visible()


def test_the_cursor_follows_the_video_and_the_numbers_the_cursor(report: Opened) -> None:
    report.page.evaluate("document.querySelector('video').currentTime = 2.01")
    report.wait_for_cursor(2.0)
    knee = fake_evaluation(frames=FRAMES).angles["angle_deg"].sel(angle="knee_left").values[60, 0]
    shown = report.page.locator(".panel:has(h3:text-is('Knee')) [data-side=left]").inner_text()
    assert float(shown.replace("−", "-").rstrip("°")) == pytest.approx(knee, abs=0.06)
    report.page.evaluate("document.querySelector('video').play()")
    report.page.wait_for_function("document.querySelector('video').currentTime > 2.4")
    report.page.evaluate("document.querySelector('video').pause()")
    report.page.wait_for_timeout(200)
    assert report.cursor_s() == pytest.approx(report.video_s(), abs=0.1)


def test_an_unmeasured_moment_reads_a_dash(report: Opened) -> None:
    report.page.evaluate("document.querySelector('video').currentTime = 3.01")
    report.wait_for_cursor(3.0)
    assert (
        report.page.locator(".panel:has(h3:text-is('Knee')) [data-side=right]").inner_text() == "–"
    )


def test_a_click_on_a_curve_a_still_or_a_step_moves_the_video(report: Opened) -> None:
    plot = report.page.locator(".plot .nsewdrag").first
    box = plot.bounding_box()
    plot.click(position={"x": box["width"] * 0.5, "y": box["height"] * 0.5})
    middle_s = (FRAMES - 1) / FPS / 2
    report.page.wait_for_function("document.querySelector('video').currentTime > 1")
    assert report.video_s() == pytest.approx(middle_s, abs=0.05)
    report.page.locator(".stills button").nth(2).click()
    report.wait_for_cursor(4.0)
    report.page.get_by_role("button", name="Frame ▶").click()
    report.wait_for_cursor(4.0 + 1 / FPS)
    report.page.get_by_role("button", name="◀ Frame").click()
    report.wait_for_cursor(4.0)


def test_all_plots_show_the_stretch_that_one_was_enlarged_to(report: Opened) -> None:
    report.page.evaluate(
        "Plotly.relayout(document.querySelector('.plot'), {'xaxis.range': [1, 2]})"
    )
    report.page.wait_for_function(
        "[...document.querySelectorAll('.js-plotly-plot')]"
        ".every(p => p._fullLayout.xaxis.range[0] === 1 && p._fullLayout.xaxis.range[1] === 2)"
    )


def test_folded_plots_are_drawn_when_they_are_opened(report: Opened) -> None:
    arms = report.page.locator("details.group", has_text="Arms")
    assert arms.locator(".main-svg").count() == 0
    arms.locator("summary").click()
    arms.locator(".main-svg").first.wait_for()
    assert arms.locator(".plot").bounding_box()["width"] > 300


def test_without_the_video_the_stills_are_shown(browser: Any, folder: Path, tmp_path: Path) -> None:
    shutil.copy(folder / "report.html", tmp_path / "report.html")
    opened = Opened(browser, tmp_path / "report.html")
    opened.page.wait_for_selector(".viewer.no-video")
    assert opened.page.locator(".viewer .still").is_visible()
    assert not opened.page.locator("video").is_visible()
    opened.page.locator(".stills button").nth(1).click()
    opened.wait_for_cursor(2.0)
    opened.page.close()


@pytest.mark.parametrize("width", [360, 800, 1360])
def test_nothing_is_wider_than_the_page(browser: Any, folder: Path, width: int) -> None:
    opened = Opened(browser, folder / "report.html", width=width)
    overflow = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    assert opened.page.evaluate(overflow) <= 0
    opened.page.close()


def test_a_report_of_nobody_and_of_a_photograph_open_without_complaints(
    browser: Any, tmp_path: Path
) -> None:
    for changes in ({"people": 0}, {"frames": 1, "fps": None}):
        opened = Opened(browser, write_report(fake_evaluation(**changes), tmp_path))
        assert opened.page.locator("h1").inner_text() == "walk"
        opened.page.close()
        assert opened.complaints == []
