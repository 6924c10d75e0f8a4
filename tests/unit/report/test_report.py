"""The report's page as text; how it behaves in a browser is tested end to end."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fake_evaluation import fake_evaluation
from gonio.errors import OutputError
from gonio.poses import log_operation
from gonio.report import draw_panels, prepare, save_figure, write_report
from gonio.report.prepare import COLORS, INK

EVIL = "<script>alert('x')</script>&\"'"


class Tags(HTMLParser):
    """Checks that elements close in order, and collects tags, addresses and text."""

    VOID = frozenset({"meta", "link", "img", "br", "input"})

    def __init__(self, text: str) -> None:
        super().__init__()
        self.stack: list[str] = []
        self.seen: list[str] = []
        self.addresses: list[str] = []
        self.words = ""
        self.feed(text)
        assert self.stack == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append(tag)
        self.addresses += [value or "" for key, value in attrs if key in {"src", "href"}]
        if tag not in self.VOID and not self.get_starttag_text().endswith("/>"):  # type: ignore[union-attr]
            self.stack.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag != "path":
            assert self.stack.pop() == tag

    def handle_data(self, data: str) -> None:
        if not {"script", "style"} & set(self.stack):
            self.words += data + " "


def page(tmp_path: Path, *, stills: Any = (), **changes: Any) -> str:
    path = write_report(fake_evaluation(**changes), tmp_path, stills=stills)
    assert path == tmp_path / "report.html"
    return path.read_text(encoding="utf-8")


def without_scripts(text: str) -> str:
    return re.sub(r"(<script)[^>]*>.*?(</script>)", r"\1>\2", text, flags=re.DOTALL)


def figures(text: str) -> list[dict[str, Any]]:
    found = re.search(r'id="figures"[^>]*>(.*?)</script>', text, flags=re.DOTALL)
    assert found
    listed: list[dict[str, Any]] = json.loads(found[1])
    return listed


def test_the_page_is_well_formed_and_asks_for_nothing_outside_its_folder(tmp_path: Path) -> None:
    (tmp_path / "overlay.mp4").touch()
    still = (1.0, np.zeros((90, 160, 3), np.uint8))
    tags = Tags(without_scripts(page(tmp_path, stills=[still], with_truth=True, people=2)))
    addresses = {a for a in tags.addresses if not a.startswith(("data:", "#"))}
    assert addresses == {
        "overlay.mp4",
        "angles.csv",
        "poses.nc",
        "evaluation.json",
        "summary.json",
    }
    assert tags.seen.count("h1") == 1


def test_everything_from_outside_is_escaped(tmp_path: Path) -> None:
    text = without_scripts(
        page(
            tmp_path,
            name=EVIL,
            source={"path": f"a/{EVIL}", "sha256": EVIL, "width": EVIL},
            model={"name": EVIL, "version": EVIL, "sha256": EVIL, "provider": EVIL},
            protocol={"name": EVIL, "title": EVIL, "view": EVIL},
            person_reason=EVIL,
            warnings=[EVIL],
            provenance={
                "gonio": EVIL,
                "python": EVIL,
                "libraries": {EVIL: EVIL},
                "command": EVIL,
                "created": EVIL,
            },
        )
    )
    assert "alert('x')" not in text
    assert "&lt;script&gt;alert(&#x27;x&#x27;)&lt;/script&gt;&amp;&quot;" in text
    Tags(text)


def test_nothing_in_the_embedded_data_can_end_the_script(tmp_path: Path) -> None:
    evaluation = fake_evaluation()
    names = [str(n) for n in evaluation.angles["angle"].values]
    names[0] = "</script><b>"
    angles = evaluation.angles.assign_coords(angle=names).drop_sel(angle="hip_right")
    poses = evaluation.poses.drop_vars("filled")
    text = page(tmp_path, angles=angles, poses=poses)
    assert "</script><b>" not in text
    assert figures(text)


def test_warnings_stand_before_everything_else(tmp_path: Path) -> None:
    words = Tags(without_scripts(page(tmp_path, warnings=["It is dark.", "It ends early."]))).words
    assert words.index("Read this first: 2 points") < words.index("Recording")
    assert "It is dark." in words
    assert "Read this first" not in page(tmp_path, warnings=[])


def test_the_page_says_what_was_measured_how_and_with_what(tmp_path: Path) -> None:
    words = Tags(without_scripts(page(tmp_path))).words
    for expected in (
        "walk.mp4",
        "150 frames, 30 a second",
        "4 March 2026, 15:16",
        "seen in 135 frames (90 %)",
        "0.5–5.0 s",
        "flexion +, hyperextension − · 0° = straight leg",
        "Person 0 is the largest in the picture",
        "numbered from 0 in the order in which they appear",
        "Butterworth low-pass filter of order 4 at 6 Hz",
        "blazepose-full, 0.10.21",
        "e9" * 32,
        "19 %  (25)",
        "The left side is nearer to the camera",
        "not a diagnosis",
        "Not measurable in this recording: pelvis",
    ):
        assert expected in words, expected


def test_figures_carry_breaks_colors_and_fillings(tmp_path: Path) -> None:
    knee = figures(page(tmp_path))[1]
    by_name = {trace["name"]: trace for trace in knee["data"]}
    assert list(by_name) == ["left", "right", "left, filled", "right, gap"]
    assert [x for x in by_name["right, gap"]["x"] if x] == pytest.approx(
        [74 / 30, 100 / 30, 100 / 30], abs=1e-4
    )
    assert by_name["left"]["line"]["color"] == "#0072B2"
    assert by_name["right"]["line"]["color"] == "#D55E00"
    assert "dash" in by_name["left, filled"]["line"]
    assert by_name["right"]["y"][75:100] == [None] * 25
    assert by_name["right"]["connectgaps"] is False
    assert knee["layout"]["xaxis"]["range"] == [0.0, pytest.approx(149 / 30)]


def test_the_page_and_its_figures_share_their_colors(tmp_path: Path) -> None:
    text = page(tmp_path, with_truth=True)
    for name, color in {"ink": INK, **COLORS}.items():
        assert f"--{name}: {color};" in text
    legend = re.search(r'<ul class="legend".*?</ul>', text, flags=re.DOTALL)
    assert legend
    assert re.findall(r"var\(--(\w+)\)", legend[0]) == ["left", "right", "soft", "ink", "soft"]
    assert "#" not in legend[0]


def test_a_view_that_is_taken_for_the_side_is_told_like_it(tmp_path: Path) -> None:
    text = page(tmp_path, protocol={"name": "mine", "view": "any"})
    assert "side is nearer to the camera" not in text
    assert "Stenum" in text


def test_the_models_own_errors_are_told_of_blazepose_only(tmp_path: Path) -> None:
    assert "the hip reads about 2–3° low" in page(tmp_path)
    assert "the hip reads" not in page(tmp_path, model={"name": "rtmpose-m"})
    front = {"name": "mine", "view": "frontal"}
    assert "the hip reads" not in page(tmp_path, protocol=front)


def test_the_legend_names_only_lines_that_are_drawn(tmp_path: Path) -> None:
    evaluation = fake_evaluation()
    poses = evaluation.poses.drop_vars("filled")
    angles = evaluation.angles.drop_sel(angle="knee_right")
    text = page(tmp_path, poses=poses, angles=angles)
    assert "gap: could not be measured" not in text
    assert "filled in or repaired" not in text
    whole = page(tmp_path)
    assert "gap: could not be measured" in whole
    assert "filled in or repaired" in whole


def test_what_is_not_known_of_saved_tracks_is_left_out(tmp_path: Path) -> None:
    source = {"path": "walk.nc", "kind": "poses", "fps": 30.0, "duration_s": 5.0}
    words = Tags(without_scripts(page(tmp_path, source=source, model={}))).words
    for absent in ("pixels", "Ran on", "frames a second", "SHA-256", "?"):
        assert absent not in words, absent
    assert "gonio analyze RECORDING --from-poses FILE" in words
    assert "--from-poses" not in page(tmp_path)


def test_files_that_lie_beside_the_page_are_linked(tmp_path: Path) -> None:
    for name in ("overlay.mp4", "walk.mot", "my walk.trc"):
        (tmp_path / name).touch()
    addresses = Tags(without_scripts(page(tmp_path))).addresses
    assert {"overlay.mp4", "walk.mot", "my%20walk.trc"} <= set(addresses)


def test_an_extreme_has_a_time_to_click_and_a_mostly_missing_angle_a_dash(tmp_path: Path) -> None:
    evaluation = fake_evaluation()
    angles = evaluation.angles.copy(deep=True)
    angles["angle_deg"].loc[{"angle": "hip_left"}][20:] = np.nan
    text = page(tmp_path, angles=angles)
    rows = dict(re.findall(r"</span>((?:Hip|Knee), left)</th>(.*?)</tr>", text))
    assert rows["Hip, left"].startswith("<td>–</td><td>–</td><td>–</td><td>–</td>")
    assert "96 %" in rows["Hip, left"]
    assert "data-plot='1'" in rows["Knee, left"]


def test_a_report_of_nobody_says_so_without_plots(tmp_path: Path) -> None:
    text = page(tmp_path, people=0, person_reason="Nobody was seen.")
    words = Tags(without_scripts(text)).words
    assert "Nobody was found, so there are no angles" in words
    assert "Range of motion" not in words
    assert figures(text) == []
    assert len(text) < 100_000


def test_people_who_were_not_chosen_are_not_called_nobody(tmp_path: Path) -> None:
    words = Tags(without_scripts(page(tmp_path, chosen=0, person_reason="Too small."))).words
    assert "The people in the picture were not chosen: Too small." in words


def test_a_photograph_has_a_table_and_a_picture_instead_of_curves(tmp_path: Path) -> None:
    (tmp_path / "overlay.png").touch()
    text = page(tmp_path, frames=1, fps=None)
    tags = Tags(text)
    assert "overlay.png" in tags.addresses
    assert "script" not in tags.seen
    assert "video" not in tags.seen
    row = re.search(r"Knee</th><td>(.*?)</td><td>(.*?)</td>", text)
    assert row
    assert row.groups() == ("28.0°", "28.0°")
    assert "frames a second" not in text


def test_a_photograph_tells_no_steps_that_changed_nothing(tmp_path: Path) -> None:
    poses = fake_evaluation(frames=1, fps=None).poses.copy()
    log = [
        {"operation": "assign_identities", "people": 1, "dropped_sightings": 0},
        {"operation": "hide_outside", "hidden": 0},
        {"operation": "hide_uncertain", "min_confidence": 0.3, "hidden": 0},
    ]
    poses.attrs["log"] = json.dumps(log)
    words = Tags(page(tmp_path, frames=1, fps=None, poses=poses)).words
    assert "Nothing was filtered or filled." in words
    assert "followed" not in words


def test_stills_are_embedded_small_and_in_order_of_time(tmp_path: Path) -> None:
    big = np.full((1000, 2000, 3), (255, 0, 0), np.uint8)
    text = page(tmp_path, stills=[(2.0, big), (1.0, big)])
    assert re.findall(r'data-time="(.*?)"', text) == ["1.0000", "2.0000"]
    assert "<video" not in text
    assert "no-video" in text
    import base64

    import cv2

    address = re.search(r'src="data:image/jpeg;base64,(.*?)"', text)
    assert address
    decoded = cv2.imdecode(np.frombuffer(base64.b64decode(address[1]), np.uint8), cv2.IMREAD_COLOR)
    assert decoded is not None
    assert decoded.shape == (360, 720, 3)
    assert decoded[0, 0, 2] > 250  # red comes last in OpenCV's order


def test_truth_is_told_as_errors_and_thin_lines(tmp_path: Path) -> None:
    text = page(tmp_path, with_truth=True)
    assert re.search(r"Knee</th><td>3\.0°", text)
    kinds = {trace["meta"]["kind"] for figure in figures(text) for trace in figure["data"]}
    assert kinds == {"measured", "filled", "gap", "true"}


def test_a_long_recording_says_that_its_curves_are_thinned(tmp_path: Path) -> None:
    text = page(tmp_path, frames=5000)
    assert "at most 2,000 points a curve" in text
    assert max(len(t["x"]) for f in figures(text) for t in f["data"]) <= 2000


def test_repaired_stretches_are_listed_under_their_step(tmp_path: Path) -> None:
    evaluation = fake_evaluation()
    stretches = {"person_0": {"feet": [[1.2, 1.333]]}}
    poses = log_operation(
        evaluation.poses, "repair_swaps", limbs=["leg"], repaired=5, stretches=stretches
    )
    text = page(tmp_path, poses=poses)
    assert "legs (5 frames), they were exchanged back" in text
    assert "<li>Person 0, feet: 1.20–1.33 s</li>" in text


def test_people_beside_the_chosen_one_are_mentioned(tmp_path: Path) -> None:
    assert "2 other people not measured" in page(tmp_path, people=3, chosen=1)
    assert "1 other person not measured" in page(tmp_path, people=2, chosen=1)


def test_a_command_given_as_a_list_reads_as_it_was_typed(tmp_path: Path) -> None:
    provenance = {"command": ["gonio", "analyze", "my walk.mp4"]}
    assert "gonio analyze &#x27;my walk.mp4&#x27;" in page(tmp_path, provenance=provenance)


def test_two_people_have_their_own_plots_and_tables(tmp_path: Path) -> None:
    text = without_scripts(page(tmp_path, people=2))
    tags = Tags(text)
    assert "Knee · Person 0" in tags.words
    assert "Knee · Person 1" in tags.words
    assert {"#person-0", "#person-1"} <= set(tags.addresses)
    assert text.count('<section class="person"') == 2
    opened = re.findall(r"<details class=\"group\" open><summary><h3>(.*?)</h3>", text)
    assert opened == ["Legs", "Legs"]
    assert "Person 1 is turned" in page(tmp_path, warnings=["person_1 is turned away"])


def test_a_report_that_cannot_be_written_names_its_place(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=r"report\.html"):
        write_report(fake_evaluation(), tmp_path / "missing")


@pytest.mark.parametrize("suffix", [".png", ".svg"])
def test_matplotlib_draws_the_same_panels(tmp_path: Path, suffix: str) -> None:
    panels = prepare(fake_evaluation(frames=60, with_truth=True)).panels[:3]
    figure = draw_panels(panels, columns=2)
    shown = [axes.get_title(loc="left") for axes in figure.axes if axes.get_visible()]
    assert shown == ["Hip", "Knee", "Ankle"]
    save_figure(panels, tmp_path / f"knee{suffix}")
    assert [f.name for f in tmp_path.iterdir()] == [f"knee{suffix}"]
    with pytest.raises(OutputError, match="knee"):
        save_figure(panels, tmp_path / "missing" / f"knee{suffix}")
