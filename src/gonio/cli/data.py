"""``gonio data``: labelled images looked at, corrected, chosen from, and shared out."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from gonio.cli import console
from gonio.cli.options import UNCHECKED, Json, Quiet
from gonio.cli.synthesize import synthesize

if TYPE_CHECKING:
    from gonio.labels import Labels
    from gonio.workflows.data import Target

app = typer.Typer(no_args_is_help=True, help="Look at labelled images, choose, split, augment.")

_Labels = Annotated[
    Path,
    typer.Argument(metavar="LABELS", help="COCO, a DeepLabCut project, …", **UNCHECKED),
]
_Format = Annotated[
    str | None, typer.Option("--from", metavar="FORMAT", help="Format, where not recognized.")
]
_Images = Annotated[
    Path | None,
    typer.Option("--images", metavar="FOLDER", help="The images, where not beside the labels."),
]
_File = Annotated[
    Path,
    typer.Option("--out", metavar="FILE", help="A COCO .json, or a project's folder.", **UNCHECKED),
]
_Folder = Annotated[Path, typer.Option("--out", metavar="FOLDER", help="Where files go.")]
_To = Annotated[
    str | None, typer.Option("--to", metavar="FORMAT", help="coco or deeplabcut; else by --out.")
]
_Replace = Annotated[bool, typer.Option("--overwrite", help="Replace what is there.")]
_Seed = Annotated[int, typer.Option("--seed", help="Of the draw.", min=0)]


@app.command()
def info(
    labels: _Labels,
    format: _Format = None,  # noqa: A002
    images: _Images = None,
    json: Json = False,
) -> None:
    """Count people, keypoints and boxes, and name the labels that cannot be right."""
    from gonio.datasets import describe

    report = describe(_read(labels, format, images))
    if json:
        console.print_json(report.as_json())
        return
    for line in report.lines():
        console.print_text(line)
    console.print_table(["keypoint", "visible", "hidden", "not labelled"], report.rows())
    for line in report.fault_lines():
        console.print_text(line)


@app.command(name="filter")
def filter_(
    labels: _Labels,
    out: _File,
    kinds: Annotated[
        str,
        typer.Option("--kinds", help="Faults, as 'info' names them, with commas; else all wrong."),
    ] = "",
    drop: Annotated[
        bool, typer.Option("--drop", help="Leave the people out, not only the keypoints.")
    ] = False,
    to: _To = None,
    format: _Format = None,  # noqa: A002
    images: _Images = None,
    overwrite: _Replace = False,
    quiet: Quiet = False,
) -> None:
    """Mask or drop labels that cannot be right."""
    from gonio.workflows.data import filter_labels

    before, target = _read(labels, format, images), _target(out, to, overwrite)
    after = filter_labels(before, kinds=_names(kinds), drop=drop)
    target.write(after)
    lost = int(before.labelled.sum() - after.labelled.sum())
    _tell(after, out, quiet, f"{len(before) - len(after)} people and {lost} keypoints left out")


@app.command()
def boxes(
    labels: _Labels,
    out: _File,
    buffer_px: Annotated[
        float, typer.Option("--buffer-px", help="Added on each side, pixels.", min=0)
    ] = 0.0,
    buffer: Annotated[
        float, typer.Option("--buffer", help="Added too: a share of the longer side.", min=0)
    ] = 0.0,
    to: _To = None,
    format: _Format = None,  # noqa: A002
    images: _Images = None,
    overwrite: _Replace = False,
    quiet: Quiet = False,
) -> None:
    """Make boxes from the keypoints, with a buffer."""
    from gonio.datasets import boxes_from_keypoints

    target = _target(out, to, overwrite)
    made = boxes_from_keypoints(_read(labels, format, images), buffer_px=buffer_px, buffer=buffer)
    target.write(made)
    _tell(made, out, quiet)


@app.command()
def subset(
    labels: _Labels,
    out: _File,
    people: Annotated[
        int | None, typer.Option("--people", help="At most so many, drawn at random.", min=1)
    ] = None,
    visible: Annotated[
        str, typer.Option("--visible", help="Keypoints that must be visible, with commas.")
    ] = "",
    labelled: Annotated[
        str, typer.Option("--labelled", help="Keypoints that must be labelled, with commas.")
    ] = "",
    min_area_px2: Annotated[float | None, typer.Option("--min-area-px2")] = None,
    max_area_px2: Annotated[float | None, typer.Option("--max-area-px2")] = None,
    skeleton: Annotated[
        str | None, typer.Option("--skeleton", help="Keep its keypoints only: lower6, a TOML.")
    ] = None,
    seed: _Seed = 0,
    to: _To = None,
    format: _Format = None,  # noqa: A002
    images: _Images = None,
    overwrite: _Replace = False,
    quiet: Quiet = False,
) -> None:
    """Choose people by number, keypoints and area; choose keypoints."""
    from gonio.datasets import restrict_skeleton, subset_people
    from gonio.skeletons import load_skeleton

    chosen, target = _read(labels, format, images), _target(out, to, overwrite)
    if skeleton is not None:
        chosen = restrict_skeleton(chosen, load_skeleton(skeleton))
    chosen = subset_people(
        chosen, people=people, visible=_names(visible), labelled=_names(labelled),
        min_area_px2=min_area_px2, max_area_px2=max_area_px2, seed=seed,
    )  # fmt: skip
    target.write(chosen)
    _tell(chosen, out, quiet)


@app.command()
def split(
    labels: _Labels,
    out: _Folder,
    fractions: Annotated[
        str, typer.Option("--fractions", help="Part=share, with commas.")
    ] = "train=0.8,validation=0.2",
    by: Annotated[
        Literal["image", "video", "subject"], typer.Option("--by", help="What stays whole.")
    ] = "image",
    seed: _Seed = 0,
    format: _Format = None,  # noqa: A002
    images: _Images = None,
    overwrite: _Replace = False,
    quiet: Quiet = False,
) -> None:
    """Share labels out; copies of an image stay together."""
    from gonio.workflows.data import parse_fractions
    from gonio.workflows.data import split as run

    parts = run(
        _read(labels, format, images), out, parse_fractions(fractions), by=by, seed=seed,
        overwrite=overwrite,
    )  # fmt: skip
    for name, part in parts.items():
        _tell(part, out / f"{name}.json", quiet)


@app.command()
def augment(
    labels: _Labels,
    out: _Folder,
    settings: Annotated[
        Path, typer.Option("--settings", metavar="YAML", help="A recipe's 'augmentation'.")
    ],
    copies: Annotated[int, typer.Option("--copies", help="Of each image.", min=1)] = 1,
    seed: _Seed = 0,
    format: _Format = None,  # noqa: A002
    images: _Images = None,
    quiet: Quiet = False,
) -> None:
    """Write changed copies of images, for tools that change nothing themselves."""
    from gonio.workflows.data import augment as run

    with console.progress_bar(quiet=quiet) as progress:
        both = run(
            _read(labels, format, images), out, settings, copies=copies, seed=seed,
            progress=progress,
        )  # fmt: skip
    _tell(both, out / "labels.json", quiet)


@app.command()
def preview(
    labels: _Labels,
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="The picture: .png, .jpg.")],
    people: Annotated[int, typer.Option("--people", help="At most so many.", min=1)] = 24,
    whole: Annotated[bool, typer.Option("--whole", help="Whole images.")] = False,
    seed: _Seed = 0,
    format: _Format = None,  # noqa: A002
    images: _Images = None,
    overwrite: _Replace = False,
    quiet: Quiet = False,
) -> None:
    """Draw labelled people on one page."""
    from gonio.datasets import contact_sheet
    from gonio.formats.labels import check_images
    from gonio.video import write_image

    _target(out, None, overwrite)
    read = _read(labels, format, images)
    check_images(read)
    with console.progress_bar(quiet=quiet) as progress:
        sheet = contact_sheet(read, count=people, whole=whole, seed=seed, progress=progress)
    out.parent.mkdir(parents=True, exist_ok=True)
    write_image(out, sheet)
    if not quiet:
        console.print_text(str(out))


@app.command()
def extract_frames(
    videos: Annotated[list[Path], typer.Argument(metavar="VIDEO", help="Recordings.", **UNCHECKED)],
    out: _Folder,
    count: Annotated[int, typer.Option("--count", help="Of each recording.", min=1)] = 20,
    method: Annotated[
        Literal["kmeans", "random"],
        typer.Option("--method", help="As different as possible, or at random."),
    ] = "kmeans",
    seed: _Seed = 0,
    mog2: Annotated[
        bool, typer.Option("--mog2", help="Without background, for models with that filter.")
    ] = False,
    quiet: Quiet = False,
) -> None:
    """Take frames to be labelled out of recordings."""
    from gonio.datasets import extract_frames as run
    from gonio.imaging import Mog2

    background = Mog2() if mog2 else None
    for video in videos:
        with console.progress_bar(quiet=quiet) as progress:
            files = run(
                video, out, count=count, method=method, seed=seed, background=background,
                progress=progress,
            )  # fmt: skip
        if not quiet:
            console.print_text(f"{files[0].parent}: {len(files)} frames")


@app.command()
def frames(
    labels: _Labels,
    format: _Format = None,  # noqa: A002
    images: _Images = None,
    videos: Annotated[
        Path | None,
        typer.Option("--videos", metavar="FOLDER", help="The recordings, where moved."),
    ] = None,
    quiet: Quiet = False,
) -> None:
    """Write the labelled frames of SLEAP's files as pictures, so that they can be learned."""
    from gonio.workflows.data import Source, write_pictures

    with console.progress_bar(quiet=quiet) as progress:
        written, present = write_pictures(
            Source(labels, format, images), videos=videos, progress=progress
        )
    if not quiet:
        where = f" in {written[0].parent}" if written else ""
        console.print_text(f"{len(written)} frames written{where}, {present} were there")


app.command()(synthesize)


def _read(path: Path, format: str | None, images: Path | None) -> Labels:  # noqa: A002
    from gonio.workflows.data import Source

    return Source(path, format, images).read()


def _target(path: Path, to: str | None, overwrite: bool) -> Target:
    from gonio.workflows.data import Target

    target = Target(path, to, overwrite)
    target.check()
    return target


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


def _tell(labels: Labels, path: Path, quiet: bool, more: str = "") -> None:
    if not quiet:
        told = f"{path}: {len(labels)} people in {len(labels.images)} images"
        console.print_text(f"{told}; {more}" if more else told)
