"""The ``gonio`` command: its verbs, and what happens to errors and warnings."""

from __future__ import annotations

import sys
import warnings
from typing import Annotated, Any

import typer

from gonio.cli import analyze, convert, demo, doctor, models, protocols
from gonio.cli.console import print_error, print_warning
from gonio.errors import GonioError, GonioWarning

app = typer.Typer(
    name="gonio",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Joint angles a clinician can trust, from video of a moving person.",
)


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", help="Print the version and stop.", is_eager=True)
    ] = False,
) -> None:
    if version:
        import gonio

        typer.echo(gonio.__version__)
        raise typer.Exit


app.command()(demo.demo)
app.command()(analyze.analyze)
app.add_typer(models.app, name="models")
app.add_typer(protocols.app, name="protocols")
app.command()(convert.convert)
app.command()(doctor.doctor)


def main() -> None:
    """Run the command line; a person's error ends it with status 2 and without a traceback."""
    previous = warnings.showwarning

    def show(message: Warning | str, category: type[Warning], *rest: Any, **more: Any) -> None:
        if issubclass(category, GonioWarning):
            print_warning(str(message))
        else:
            previous(message, category, *rest, **more)

    warnings.showwarning = show
    try:
        app()
    except GonioError as error:
        print_error(str(error))
        sys.exit(2)
