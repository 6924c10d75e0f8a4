"""What ``gonio evaluate`` writes, and what it prints."""

from __future__ import annotations

import json
import math
import os
from typing import TYPE_CHECKING, Any

import numpy as np

from gonio.errors import OutputError
from gonio.formats.whole import cannot_write, whole_file
from gonio.metrics import pck_key

if TYPE_CHECKING:
    from pathlib import Path

    from gonio.metrics import MetricTable
    from gonio.workflows.evaluation import ModelEvaluation

_METRICS = "metrics.json"


def check_folder(folder: Path, *, overwrite: bool) -> None:
    """Refuse a folder that holds an earlier result, and one that cannot be written.

    Raises
    ------
    OutputError
        In either case.
    """
    if (folder / _METRICS).exists() and not overwrite:
        raise OutputError(
            f"'{folder}': holds an evaluation already. Replace it with --overwrite, or write "
            "elsewhere with --out."
        )
    place = next(p for p in (folder.absolute(), *folder.absolute().parents) if p.exists())
    if not place.is_dir() or not os.access(place, os.W_OK):
        raise OutputError(f"'{folder}': cannot be written. Write elsewhere with --out.")


def write_evaluation_of_model(result: ModelEvaluation) -> None:
    """Write tables, predictions and picture; the numbers come last and say that all is there.

    Raises
    ------
    OutputError
        If a file cannot be written.
    """
    folder, table = result.folder, result.table
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise cannot_write(folder, error) from error
    for name in (_METRICS, "angles.csv", "calibration.png"):
        (folder / name).unlink(missing_ok=True)
    with whole_file(folder / "keypoints.csv") as part:
        table.keypoints.to_csv(part, index=False)
    if table.angles is not None and len(table.angles):
        with whole_file(folder / "angles.csv") as part:
            table.angles.to_csv(part, index=False)
    with whole_file(folder / "predictions.json") as part:
        part.write_text(json.dumps(coco_results(result)), encoding="utf-8")
    if table.calibration is not None:
        from gonio.report.calibration_figure import draw_calibration

        norm, alpha = result.settings.metrics().pcks()[0]
        key = pck_key(norm, alpha, squared=result.settings.squared)
        with whole_file(folder / "calibration.png") as part:
            draw_calibration(table.calibration, key).savefig(part, dpi=130)
    with whole_file(folder / _METRICS) as part:
        text = json.dumps(result.as_json(), indent=2, allow_nan=False)
        part.write_text(text + "\n", encoding="utf-8")


def coco_results(result: ModelEvaluation) -> list[dict[str, Any]]:
    """Return the predictions in COCO's format of results.

    ``image_id`` is the image's id in COCO labels, else its place among the images, from 1;
    ``file_name`` says which one is meant. A keypoint's third number is its confidence; one that
    was not found is 0, 0, 0. People without a keypoint are left out.
    """
    labels, found = result.labels, result.predictions
    keys = [image.key for image in labels.images]
    whole = all(k.isascii() and k.isdigit() for k in keys) and len(set(keys)) == len(keys)
    ids = [int(k) for k in keys] if whole else list(range(1, len(keys) + 1))
    seen = ~np.isnan(found.keypoints_px.sum(axis=-1))
    values = np.concatenate([found.keypoints_px, found.confidence[..., None]], axis=-1)
    values = np.where(seen[..., None], values, 0.0).round(4)
    return [
        {
            "image_id": ids[image],
            "category_id": 1,
            "keypoints": values[i].ravel().tolist(),
            "score": round(float(found.scores[i]), 6),
            "file_name": labels.images[image].path.name,
        }
        for i, image in enumerate(found.image_index)
        if seen[i].any()
    ]


def keypoint_rows(result: ModelEvaluation) -> tuple[list[str], list[list[str]]]:
    """Return columns and rows that a person reads: shares in per cent, errors in pixels.

    Keypoints without a label have no row; the last row is all keypoints together.
    """
    frame, values = result.table.keypoints, result.table.values
    low, high = result.settings.limits_px
    bands = {
        "acceptable": f"<{low:g} px %",
        "bad": f"{low:g}–{high:g} px %",
        "completely_bad": f">{high:g} px %",
    }
    if values["missing_share"] > 0:
        bands["missing"] = "lost %"
    pcks = [c for c in frame.columns if c.startswith("pck")]
    columns = ["keypoint", "n", *(f"{c.replace(':', ' ')} %" for c in pcks)]
    columns += ["mean px", "median px", *bands.values()]
    rows = []
    for row in frame[frame["n"] > 0].to_dict(orient="records"):
        shares, parts = [100 * row[c] for c in pcks], [100 * row[b] / row["n"] for b in bands]
        cells = [row["name"], str(row["n"]), *map(_number, shares)]
        rows.append([*cells, *map(_number, [row["mean_px"], row["median_px"], *parts])])
    total = ["all", str(int(frame["n"].sum())), *(_number(100 * values[c]) for c in pcks)]
    total += [_number(values["mean_px"]), _number(values["median_px"])]
    rows.append([*total, *(_number(100 * values[f"{band}_share"]) for band in bands)])
    return columns, rows


def angle_rows(table: MetricTable) -> tuple[list[str], list[list[str]]]:
    """Return columns and rows of the angles that could be compared; no rows if none could."""
    columns = ["angle", "n", "MAE °", "RMSE °", "bias °", "limits °", "ICC(2,1)", "CMC"]
    if table.angles is None:
        return columns, []
    rows = []
    for row in table.angles.to_dict(orient="records"):
        if not row["n"]:
            continue
        limits = (
            ""
            if math.isnan(row["loa_low_deg"])
            else (f"{_number(row['loa_low_deg'])} to {_number(row['loa_high_deg'])}")
        )
        numbers = [row["mae_deg"], row["rmse_deg"], row["bias_deg"]]
        cells = [row["name"], str(row["n"]), *map(_number, numbers), limits]
        rows.append([*cells, _number(row["icc"], 2), _number(row["cmc"], 2)])
    return columns, rows


def summary_lines(table: MetricTable) -> list[str]:
    """Return the numbers beside the table by keypoint, in words."""
    v = table.values
    lines = [
        f"errors in image pixels: RMSE {_number(v['rmse_px'])}, L1 {_number(v['l1_px'])}, "
        f"smooth L1 {_number(v['smooth_l1_px'])}, MSE {_number(v['mse_px2'])} px²"
    ]
    if "rmse_px:input" in v:
        lines.append(
            f"in pixels of the network's input: RMSE {_number(v['rmse_px:input'])}, "
            f"L1 {_number(v['l1_px:input'])}, smooth L1 {_number(v['smooth_l1_px:input'])}, "
            f"MSE {_number(v['mse_px2:input'])} px²"
        )
    for stem, name, sizes in (
        ("oks", "OKS-AP", ("medium", "large")),
        ("box", "box AP", ("small", "medium", "large")),
    ):
        if f"{stem}_ap" in v:
            parts = [f"{name} {_number(v[f'{stem}_ap'], 3)}"]
            parts += [f"AP{t} {_number(v[f'{stem}_ap{t}'], 3)}" for t in (50, 75)]
            parts += [f"AP({s[0].upper()}) {_number(v[f'{stem}_ap_{s}'], 3)}" for s in sizes]
            lines.append(", ".join([*parts, f"AR {_number(v[f'{stem}_ar'], 3)}"]))
    if "oks_ap" in v:
        lines.append(f"OKS sigmas: {_sigmas(table.sigmas)}")
    if table.calibration is not None:
        lines.append(f"calibration error of the confidence: {table.calibration.ece:.3f}")
    return lines


def _sigmas(sigmas: dict[str, float]) -> str:
    if len(set(sigmas.values())) == 1:
        return f"{next(iter(sigmas.values())):g} for every keypoint"
    return ", ".join(f"{name} {sigma:g}" for name, sigma in sigmas.items())


def _number(value: float, decimals: int = 1) -> str:
    return "–" if math.isnan(value) else f"{value:.{decimals}f}"
