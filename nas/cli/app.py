"""The command ``wirenas``: parse, call, print; no logic. Everything heavy is imported by the command that needs it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
from typer.exceptions import TyperException

from nas.cli.console import Json, leaving_at_once, make_console, print_json, say
from nas.cli.dashboard import dashboard_commands
from nas.cli.flags import drawing_flags, drawing_of, flags, given_options, survey_flags
from nas.cli.predictors import predictor_commands
from nas.cli.studies import study_commands
from nas.cli.workers import Storage, Study, worker_commands
from nas.errors import CampaignError, InputError
from nas.options.options import SurveyOptions

__all__ = ["app", "main"]

_RESUMES = "interrupted; the same command resumes"

app = typer.Typer(
    name="wirenas",
    help="Neural architecture search in which the architecture is a graph.",
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

Folder = Annotated[Path, typer.Argument(metavar="OUT", help="A campaign's folder.", show_default=False)]
Threads = Annotated[
    int | None,
    typer.Option(
        help="Trainings at a time; results do not depend on it. Default: one a core, with the torch engine 1."
    ),
]
Data = Annotated[
    Path | None,
    typer.Option(help="Folder of a task's files (mnist, fashion-mnist). Default: WIRENAS_DATA, cache, download."),
]


def main() -> None:
    """Run the command line and exit: 0 done, 2 bad input, 130 interrupted, 1 anything else."""
    try:
        code = app(standalone_mode=False)
    except InputError as error:
        _fail(str(error), 2)
    except CampaignError as error:
        _fail(str(error), 1)
    except TyperException as error:
        _fail(error.format_message() or "see the help for what can be given", error.exit_code)
    if code == 130:
        _fail("interrupted", 130)
    sys.exit(code if isinstance(code, int) else 0)


@app.callback(invoke_without_command=True)
def _root(
    version: Annotated[bool, typer.Option("--version", help="Print versions, engines and instruction set.")] = False,
) -> None:
    if version:
        from nas.training.extension import describe_machine

        typer.echo(describe_machine())
        raise typer.Exit


@app.command()
@flags
def run(
    campaign: Annotated[
        Path | None, typer.Argument(metavar="CAMPAIGN.toml", help="Options as a file; flags win.", show_default=False)
    ] = None,
    *,
    out: Annotated[Path | None, typer.Option(help="The campaign's folder. Default: results/TASK-NETWORK.")] = None,
    threads: Threads = None,
    data: Data = None,
    storage: Storage = None,
    study: Study = None,
    as_json: Json = False,
    **given: Any,
) -> None:
    """Search wirings for a task, or resume: the same command does what is left.

    Example: wirenas run --task digits --network mlp --trials 200 --out results/digits
    """
    with leaving_at_once(_RESUMES):
        from nas.campaign.folder import open_campaign
        from nas.cli.display import show_outcome, slow_engine_notice, watcher_for

        console = make_console(stderr=True)
        notice = slow_engine_notice(given["engine"])
        try:
            own = open_campaign(campaign, out, given_options(given), threads, data, storage, study)
            watcher = watcher_for(console, own.options.direction, notice, by_size=own.options.by_size)
            outcome = own.run(watcher)
        except KeyboardInterrupt:
            _fail(_RESUMES, 130)
    print_json(outcome.to_json()) if as_json else show_outcome(make_console(), outcome)


@app.command()
@survey_flags
def survey(
    *,
    out: Annotated[Path | None, typer.Option(help="The survey's folder. Default: results/TASK-NETWORK-survey.")] = None,
    threads: Threads = None,
    data: Data = None,
    as_json: Json = False,
    **given: Any,
) -> None:
    """Draw wirings and train them all, into a table with a row a training; the same command goes on.

    Example: wirenas survey --task digits --wirings 100000 --seeds 3 --out atlas/
    """
    with leaving_at_once(_RESUMES):
        from nas.cli.display import show_survey, slow_engine_notice, survey_display
        from nas.survey import open_survey

        console = make_console(stderr=True)
        notice = slow_engine_notice(given["engine"])
        try:
            with survey_display(console, notice) as watch:
                own = open_survey(out, given_options(given, SurveyOptions), threads, data)
                outcome = own.run(watch, lambda line: say(console, line))
        except KeyboardInterrupt:
            _fail(_RESUMES, 130)
    print_json(outcome.to_json()) if as_json else show_survey(make_console(), outcome)


@app.command()
def status(
    out: Annotated[
        Path, typer.Argument(metavar="OUT", help="The folder of a campaign or a survey.", show_default=False)
    ],
    as_json: Json = False,
) -> None:
    """Say where a campaign or a survey stands.

    Example: wirenas status results/digits
    """
    from nas.campaign.folder import read_status
    from nas.cli.display import show_outcome, show_survey
    from nas.store.folders import holds_survey
    from nas.store.survey_table import read_outcome

    if holds_survey(out):
        found = read_outcome(out)
        print_json(found.to_json()) if as_json else show_survey(make_console(), found)
        return
    outcome = read_status(out)
    print_json(outcome.to_json()) if as_json else show_outcome(make_console(), outcome)


@app.command()
def best(out: Folder, as_json: Json = False) -> None:
    """Show the best candidate of a campaign, and its files.

    Example: wirenas best results/digits
    """
    from nas.campaign.folder import read_best
    from nas.cli.display import show_best

    found = read_best(out)
    print_json(found) if as_json else show_best(make_console(), found)


app.add_typer(predictor_commands)
app.add_typer(dashboard_commands)
app.add_typer(worker_commands)
app.add_typer(study_commands, name="study", help="Run an experiment that writes its tables into results/.")

generate = typer.Typer(no_args_is_help=True)
app.add_typer(generate, name="generate", help="Draw a wiring from a prior and write it as a network.")

Attachment = Annotated[
    str, typer.Option(help="controlled, natural, projected, published.", rich_help_panel="Input and output units")
]
NetworkFolder = Annotated[Path, typer.Option(help="The network's folder; it must not hold files yet.")]


@generate.command("rnn")
@drawing_flags
def generate_rnn(
    *,
    out: NetworkFolder,
    structure: Annotated[
        str | None, typer.Option(help="recurrent, or stack (layered's only one).", rich_help_panel="The prior")
    ] = None,
    cell: Annotated[str, typer.Option(help="tanh, relu, gru, lstm.")] = "lstm",
    spectral_radius: Annotated[float | None, typer.Option(help="Scale recurrent weights to it.")] = None,
    outputs: Annotated[int, typer.Option(help="Units of a linear head; 0: no head.")] = 0,
    attachment: Attachment = "natural",
    as_json: Json = False,
    **given: Any,
) -> None:
    """Write an RNN that is called like nn.LSTM.

    Example: wirenas generate rnn --prior watts-strogatz --nodes 64 --k 8 --p 0.2 --cell lstm --inputs 7 --out rnn/
    """
    from nas.space.generation import draw_wiring, write_rnn

    drawing = drawing_of(given)
    wiring = draw_wiring(drawing, "rnn", outputs, attachment, structure)
    _show_files(write_rnn(out, wiring, cell, spectral_radius, drawing.seed), as_json)


@generate.command("mlp")
@drawing_flags
def generate_mlp(
    *,
    out: NetworkFolder,
    outputs: Annotated[int, typer.Option(help="Output units.")],
    activation: Annotated[str, typer.Option(help="relu, tanh, sigmoid, gelu, identity.")] = "relu",
    attachment: Attachment = "controlled",
    as_json: Json = False,
    **given: Any,
) -> None:
    """Write an MLP whose hidden neurons are the nodes of an oriented graph.

    Example: wirenas generate mlp --prior barabasi-albert --nodes 64 --m 3 --inputs 64 --outputs 10 --out mlp/
    """
    from nas.space.generation import draw_wiring, write_mlp

    drawing = drawing_of(given)
    wiring = draw_wiring(drawing, "mlp", outputs, attachment)
    _show_files(write_mlp(out, wiring, activation, drawing.seed), as_json)


def _show_files(written: dict[str, Any], as_json: bool) -> None:
    from nas.cli.display import show_written

    print_json(written) if as_json else show_written(make_console(), written)


def _fail(message: str, code: int) -> NoReturn:
    print(f"wirenas: {message}", file=sys.stderr)
    sys.exit(code)


if __name__ == "__main__":
    main()
