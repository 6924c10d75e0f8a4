"""``gonio models``: which models there are, where they lie, and adding one's own."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gonio.cli import console
from gonio.cli.options import UNCHECKED, Json, Quiet

if TYPE_CHECKING:
    from gonio.runtime import ModelStore

app = typer.Typer(no_args_is_help=True, help="Models: list, show, fetch and add them.")


@app.command("list")
def list_models(json: Json = False) -> None:
    """List the models, and which of them are on this machine."""
    from gonio.runtime import ModelStore

    store = ModelStore()
    entries = [_entry(store, name) for name in store.names()]
    if json:
        console.print_json(entries)
        return
    rows = [
        [e["name"], e["task"], e["skeleton"] or "", e["licence"], "yes" if e["path"] else "no"]
        for e in entries
    ]
    console.print_table(["name", "task", "skeleton", "licence", "here"], rows)


@app.command()
def info(
    name: Annotated[str, typer.Argument(metavar="NAME", help="A model's name.")],
    json: Json = False,
) -> None:
    """Print a model's card, and where its file lies."""
    from gonio.runtime import ModelStore

    entry = _entry(ModelStore(), name)
    if json:
        console.print_json(entry)
        return
    import yaml

    entry["source"] = [{k: v for k, v in s.items() if v is not None} for s in entry["source"]]
    console.print_text(yaml.safe_dump(entry, sort_keys=False, allow_unicode=True).rstrip())


@app.command()
def pull(
    names: Annotated[
        list[str] | None,
        typer.Argument(metavar="NAME", help="By default all that can be fetched."),
    ] = None,
    quiet: Quiet = False,
    json: Json = False,
) -> None:
    """Fetch models, so that later work needs no network."""
    from gonio.runtime import ModelStore, built_in_cards

    store = ModelStore()
    fetched = sorted(name for name, card in built_in_cards().items() if card.source)
    with console.progress_bar(quiet=quiet or json) as report:
        paths = {n: str(store.pull(n, progress=report)) for n in names or fetched}
    if json:
        console.print_json(paths)
    else:
        for path in paths.values():
            console.print_text(path)


@app.command()
def add(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Its name in the store.")],
    file: Annotated[
        str,
        typer.Argument(
            metavar="FILE|URL", help="An .onnx or .tflite FILE, or the URL of one to fetch."
        ),
    ],
    card: Annotated[
        Path | None,
        typer.Option(
            "--card",
            metavar="FILE",
            help="Its card: a JSON or YAML file; not for built-in models.",
            **UNCHECKED,
        ),
    ] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace an added model of that name.")
    ] = False,
    quiet: Quiet = False,
    json: Json = False,
) -> None:
    """Copy a model into the store, once it opens and fits its card."""
    from gonio.runtime import ModelStore

    store = ModelStore()
    with console.progress_bar(quiet=quiet or json) as report:
        model = store.add(name, file, card, overwrite=overwrite, progress=report)
    if json:
        console.print_json(_entry(store, name))
    else:
        console.print_text(str(model.path))


def _entry(store: ModelStore, name: str) -> dict[str, Any]:
    path = store.find(name)
    values = store.card(name).model_dump(mode="json", by_alias=True)
    return {**values, "path": None if path is None else str(path)}
