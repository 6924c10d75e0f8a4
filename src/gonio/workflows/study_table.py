"""A study's table in words: for the terminal, as CSV and as plain values."""

from __future__ import annotations

import csv
import io
import math
from typing import TYPE_CHECKING, Any, Final

from gonio.report.study_page import SampleViews, StudyPage, StudyRow, View
from gonio.workflows.study_results import LEAST_SEEDS, read_result, run_folder

if TYPE_CHECKING:
    from pathlib import Path

    from gonio.workflows.study_results import Contrast, Row, Spread, StudyTable

AP: Final = "oks_ap"
MISSING: Final = "–"


def columns(table: StudyTable, *, short: bool = False) -> list[str]:
    """Return the table's headings; ``short`` ones fit a terminal, :func:`legend` explains them."""
    if short:
        measured = [f"{_short(key)} {data}" for data in table.tests for key in _keys(table)]
        return ["variant", "seeds", *measured, "from best", "ms", "M", "GFLOPs", "train s"]
    measured = [f"{_title(table, data)}: {key}" for data in table.tests for key in _keys(table)]
    return [
        "variant", "seeds", *measured, "from the best", "latency (ms)", "parameters (M)", "GFLOPs",
        "training (s)",
    ]  # fmt: skip


def legend(table: StudyTable) -> str:
    """Explain the short headings."""
    named = ", ".join(f"{_short(key)}: {key}" for key in _keys(table))
    return f"{named}; ms: one person on one CPU thread; M: million parameters."


def rows(table: StudyTable) -> list[list[str]]:
    """Return the table's lines; what is not run is marked so."""
    return [_cells(table, row) for row in table.rows]


def headline(table: StudyTable) -> str:
    """Return one line about the study, its budget and its seeds."""
    budget = table.budget
    seeds = f"{len(budget.seeds)} seed{'' if len(budget.seeds) == 1 else 's'}"
    state = "" if table.is_run else "; not run"
    title = f": {budget.title}" if budget.title else ""
    return (
        f"{table.study.title or table.study.name}, budget '{table.budget_name}'{title} "
        f"({seeds}){state}"
    )


def notes(table: StudyTable) -> list[str]:
    """Return what has to be known to read the table."""
    told = []
    if not table.is_run:
        told.append("Nothing of this has been run; the table says what would be compared.")
    elif len(table.budget.seeds) < LEAST_SEEDS:
        told.append(
            f"{len(table.budget.seeds)} seed: chance is not known, so no order is claimed "
            f"(claims need {LEAST_SEEDS} seeds)."
            if len(table.budget.seeds) == 1
            else f"{len(table.budget.seeds)} seeds: no order is claimed ({LEAST_SEEDS} are needed)."
        )
    else:
        told.append(
            "± is the standard deviation between seeds. A difference from the best is claimed only "
            "where it exceeds chance between seeds (t, 95 %, deviation pooled over the variants)."
        )
    if table.missing:
        told.append(f"Not finished: {', '.join(table.missing)}.")
    told += [f"'{d}' was not given (--data {d}=PATH) and is left out." for d in table.left_out]
    return told


def contrast_line(contrast: Contrast) -> str:
    """Say in one line what a contrast found."""
    verdict = {True: "", False: ", no claim", None: ", no claim"}[contrast.claim]
    margin = f" ± {contrast.margin:.3f}" if math.isfinite(contrast.margin) else ""
    pairs = f"{contrast.pairs} pair{'' if contrast.pairs == 1 else 's'}"
    return (
        f"{contrast.axis}: {contrast.first} − {contrast.second} = "
        f"{contrast.difference:+.3f}{margin} ({pairs}{verdict})"
    )


def as_csv(table: StudyTable) -> str:
    """Return the table as CSV: one row a variant, data and metric."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    axes = list(table.study.axes)
    writer.writerow(
        ["study", "budget", "variant", *axes, "data", "metric", "mean", "sd", "seeds", "latency_ms",
         "parameters", "flops", "train_s"]
    )  # fmt: skip
    for row in table.rows:
        for data, metrics in row.metrics.items():
            for key, spread in metrics.items():
                writer.writerow(
                    [table.study.name, table.budget_name, row.variant,
                     *(row.place.get(axis, "") for axis in axes), data, key, _plain(spread.mean),
                     _plain(spread.sd), len(row.seeds), _plain(row.latency_ms), row.parameters,
                     row.flops, _plain(row.train_s)]
                )  # fmt: skip
    return text.getvalue()


def as_json(table: StudyTable) -> dict[str, Any]:
    """Return everything as plain values."""
    return {
        "schema": "gonio.study-report/1",
        "study": table.study.name,
        "budget": table.budget_name,
        "title": table.budget.title,
        "seeds": list(table.budget.seeds),
        "metric": table.study.metric,
        "tests": list(table.tests),
        "run": table.is_run,
        "variants": [_row_json(row) for row in table.rows],
        "contrasts": [
            {k: _plain(v) if isinstance(v, float) else v for k, v in vars(c).items()}
            for c in table.contrasts
        ],
        "notes": notes(table),
    }


def as_page(table: StudyTable, folder: Path) -> StudyPage:
    """Return the study's page, with the samples that lie in its runs' folders."""
    lines = rows(table)
    states = [
        "absent" if not row.seeds else "run" if math.isfinite(row.from_best) else "best"
        for row in table.rows
    ]
    return StudyPage(
        title=table.study.title or table.study.name,
        lead=headline(table),
        about=table.study.about.strip(),
        headings=columns(table),
        rows=[
            StudyRow(cells, state)  # type: ignore[arg-type]
            for cells, state in zip(lines, states, strict=True)
        ],
        notes=notes(table),
        contrasts=[contrast_line(contrast) for contrast in table.contrasts],
        samples=_samples(table, folder),
    )


def _samples(table: StudyTable, folder: Path) -> list[SampleViews]:
    seed = table.budget.seeds[0]
    shown: dict[tuple[str, int], list[View]] = {}
    for row in table.rows:
        run = run_folder(folder, row.variant, seed)
        for sample in (read_result(run) or {}).get("samples", ()):
            views = shown.setdefault((sample["name"], sample["person"]), [])
            if not views:
                views.append(View("labelled", [run / sample["truth"]]))
            pictures = [run / sample[k] for k in ("prediction", "heatmap") if sample[k]]
            score = MISSING if sample["pck"] is None else f"{sample['pck']:.0%}"
            numbers = f"loss {sample['loss']:.3g}, PCK@0.05 {score}"
            views.append(View(row.variant, pictures, numbers))
    return [
        SampleViews(f"{name}, labelled person {person}", views)
        for (name, person), views in shown.items()
    ]


def from_best(row: Row) -> str:
    """Say how far a row is from the best, and whether that is a claim."""
    if not row.seeds:
        return MISSING
    if not math.isfinite(row.from_best):
        return "best"
    return f"{row.from_best:+.3f}" + ("" if row.claim else " (no claim)")


def spread_text(spread: Spread) -> str:
    """Write mean ± standard deviation."""
    if not math.isfinite(spread.mean):
        return MISSING
    return f"{spread.mean:.3f}" + (f" ± {spread.sd:.3f}" if math.isfinite(spread.sd) else "")


def _keys(table: StudyTable) -> list[str]:
    wanted = dict.fromkeys((table.study.metric, AP))
    measured = {
        key for row in table.rows for metrics in row.metrics.values() for key in metrics
    } or set(wanted)
    return [key for key in wanted if key in measured]


def _short(key: str) -> str:
    return "AP" if key == AP else key.partition("@")[0].upper()


def _title(table: StudyTable, data: str) -> str:
    return table.study.datasets[data].title or data


def _cells(table: StudyTable, row: Row) -> list[str]:
    measured = [spread_text(row.metric(data, key)) for data in table.tests for key in _keys(table)]
    if not row.seeds:
        return [row.variant, "not run", *measured, *[MISSING] * 5]
    return [
        row.variant,
        str(len(row.seeds)),
        *measured,
        from_best(row),
        f"{row.latency_ms:.1f}",
        MISSING if row.parameters is None else f"{row.parameters / 1e6:.1f}",
        MISSING if row.flops is None else f"{row.flops / 1e9:.2f}",
        f"{row.train_s:.0f}",
    ]


def _row_json(row: Row) -> dict[str, Any]:
    metrics = {
        data: {key: _spread_json(spread) for key, spread in own.items()}
        for data, own in row.metrics.items()
    }
    return {
        "variant": row.variant,
        "axes": row.place,
        "seeds": list(row.seeds),
        "metrics": metrics,
        "latency_ms": _plain(row.latency_ms),
        "parameters": row.parameters,
        "flops": row.flops,
        "train_s": _plain(row.train_s),
        "from_best": _plain(row.from_best),
        "claim": row.claim,
    }


def _spread_json(spread: Spread) -> dict[str, Any]:
    return {
        "mean": _plain(spread.mean),
        "sd": _plain(spread.sd),
        "values": [_plain(value) for value in spread.values],
    }


def _plain(value: float) -> float | None:
    return value if math.isfinite(value) else None
