"""The commands on files of one's own; a part of `nas.cli.app`. Parse, call, print; no logic."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nas.cli.commands import Commands
from nas.cli.console import Json, interruptible, make_console, note, print_json, say
from nas.cli.flags import file_flags, file_options

if TYPE_CHECKING:
    from nas.apply.preview import Preview

__all__ = ["data_commands"]

data_commands = Commands()

_MOST_COLUMNS = 60


@data_commands.command()
@file_flags
def data(
    file: Annotated[
        str,
        typer.Argument(
            metavar="FILE", help="A csv, parquet, arff or npz file, or csv:PATH, openml:NAME, ….", show_default=False
        ),
    ],
    *,
    as_json: Json = False,
    **given: Any,
) -> None:
    """Show what a file of your own would become as a task: columns, target, parts, and what was assumed.

    Example: wirenas data houses.csv --target price
    """
    with interruptible("interrupted"):
        from nas.apply.preview import preview_file

        found = preview_file(file, file_options(given))
    print_json(found.to_json()) if as_json else _show(found)


def _show(found: Preview) -> None:
    from rich.markup import escape

    from nas.cli.tables import make_table, print_table
    from nas.report.card import number

    console = make_console()
    table = make_table("column", "what is done")
    for name, line in list(found.columns.items())[:_MOST_COLUMNS]:
        table.add_row(escape(name), escape(line))
    if len(found.columns) > _MOST_COLUMNS:
        table.add_row("…", f"{len(found.columns) - _MOST_COLUMNS} more columns; --json prints all")
    print_table(console, table)
    parts = found.parts
    say(console, f"{found.examples} examples: {parts['train']} to learn from, {parts['validation']} for validation, "
                 f"{parts['test']} for the test ({parts['way']})")  # fmt: skip
    step = " a step" if found.network == "rnn" else ""
    say(console, f"{found.network} of {found.inputs} inputs{step} and {found.outputs} outputs, {found.epochs} epochs; "
                 f"metric {found.metric}, of a constant prediction {number(found.constant)}")  # fmt: skip
    for line in found.notes:
        if line.partition(": ")[0] not in found.columns:
            say(console, f"assumed: {line}")
    say(console, f"wirenas run --task {found.task} trains on it, with the same options.")


@data_commands.command()
def apply(
    out: Annotated[
        Path,
        typer.Argument(
            metavar="OUT", help="Folder of a campaign, or of an experiment of prune or rewire.", show_default=False
        ),
    ],
    file: Annotated[
        Path,
        typer.Argument(metavar="FILE", help="Raw rows: csv, parquet or arff, or arrays: npz.", show_default=False),
    ],
    *,
    to: Annotated[
        Path | None,
        typer.Option("--out", metavar="FILE", help="Where predictions are written, as csv. Default: stdout."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Predict the rows of a file with the network that was found: classes with probabilities, or numbers.

    Example: wirenas apply results/houses-mlp new.csv --out predictions.csv
    """
    with interruptible("interrupted"):
        from nas.apply.predictions import predict_file

        found = predict_file(out, file, to)
    for line in found.notes:
        note(line)
    if as_json:
        print_json(found.to_json())
    elif to is None:
        typer.echo(found.to_csv(), nl=False)
    else:
        say(make_console(), f"{to}: {len(found.values)} predictions of {found.target}")
