"""``gonio protocols``: which protocols exist, and what one of them does."""

from __future__ import annotations

from typing import Annotated

import typer

from gonio.cli import console
from gonio.cli.options import Json

app = typer.Typer(no_args_is_help=True, help="What to measure, and how: list and show protocols.")


@app.command("list")
def list_protocols(json: Json = False) -> None:
    """List the built-in protocols."""
    from gonio.protocols import load_protocol, protocol_names

    specs = [load_protocol(name) for name in protocol_names()]
    if json:
        console.print_json([{"name": s.name, "title": s.title, "view": s.view} for s in specs])
        return
    rows = [[s.name, s.title, s.view, str(s.model)] for s in specs]
    console.print_table(["name", "title", "view", "model"], rows)


@app.command()
def show(
    name: Annotated[
        str,
        typer.Argument(metavar="NAME|FILE", help="A built-in protocol's name, or a YAML file."),
    ],
    json: Json = False,
) -> None:
    """Print a protocol as it is used, everything it extends resolved."""
    from gonio.protocols import load_protocol

    resolved = load_protocol(name).model_dump(mode="json", by_alias=True)
    if json:
        console.print_json(resolved)
        return
    import yaml

    console.print_text(yaml.safe_dump(resolved, sort_keys=False, allow_unicode=True).rstrip())
