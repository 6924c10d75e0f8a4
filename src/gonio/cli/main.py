"""The ``gonio`` command: its verbs, and what happens to errors and warnings."""

from __future__ import annotations

import io
import sys
import warnings
from typing import Annotated, Any

import typer

from gonio.cli import (
    analyze,
    convert,
    data,
    demo,
    doctor,
    evaluate,
    export,
    models,
    protocols,
    study,
    train,
)
from gonio.cli.console import ToldAlready, print_error, print_warning
from gonio.errors import GonioError, GonioWarning

_INTERRUPTED = 130  # Typer's status after Ctrl-C

app = typer.Typer(
    name="gonio",
    invoke_without_command=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Joint angles a clinician can trust, from video of a moving person.",
)


@app.callback()
def _root(
    context: typer.Context,
    version: Annotated[
        bool, typer.Option("--version", help="Print the version and stop.", is_eager=True)
    ] = False,
) -> None:
    if version:
        import gonio

        typer.echo(gonio.__version__)
        raise typer.Exit
    if context.invoked_subcommand is None:
        typer.echo(context.get_help(), nl=False)


app.command()(demo.demo)
app.command()(analyze.analyze)
app.add_typer(models.app, name="models")
app.add_typer(protocols.app, name="protocols")
app.command()(convert.convert)
app.add_typer(data.app, name="data")
app.command()(train.train)
app.command()(evaluate.evaluate)
app.add_typer(study.app, name="study")
app.command()(export.export)
app.command()(doctor.doctor)


def main() -> None:
    """Run the command line; neither a person's error nor Ctrl-C ends it with a traceback.

    Exit status: 2 for an error, 130 for Ctrl-C.
    """
    previous = warnings.showwarning

    def show(message: Warning | str, category: type[Warning], *rest: Any, **more: Any) -> None:
        if issubclass(category, GonioWarning):
            print_warning(str(message))
        else:
            previous(message, category, *rest, **more)

    warnings.showwarning = show
    if isinstance(sys.stdout, io.TextIOWrapper):  # a name may hold what the terminal cannot show
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        app()
    except GonioError as error:
        print_error(str(error))
        sys.exit(2)
    except SystemExit as end:
        if end.code == _INTERRUPTED and not isinstance(end, ToldAlready):
            print_error(
                "interrupted; nothing half-written is left. An analysis goes on with --resume."
            )
        raise
