"""The command ``wirenas``: parse, call, print; no logic. Everything heavy is imported by the command that needs it."""

from __future__ import annotations

import os
import shutil
import sys
import time
import traceback
import webbrowser
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer
from typer.exceptions import TyperException

from nas.cli.commands import Commands, as_asked, split_lists, typed, words_of
from nas.cli.comparison import comparison_commands
from nas.cli.console import (
    Begun,
    Json,
    encode_readably,
    interruptible,
    make_console,
    note,
    print_json,
    say,
    say_what_was_assumed,
)
from nas.cli.data import data_commands
from nas.cli.flags import (
    INSIDE_DRAWINGS,
    WHERE,
    Directed,
    GraphFormat,
    Merge,
    drawing_flags,
    drawing_of,
    flags,
    given_options,
    inside_names,
)
from nas.cli.predictors import predictor_commands
from nas.cli.structure import structure_commands
from nas.cli.studies import study_commands
from nas.errors import CampaignError, InputError, printable
from nas.failures import failure_of
from nas.options.options import CAMPAIGN, SURVEY, CampaignOptions, SurveyOptions, explained_options
from nas.report.lines import wrapped

if TYPE_CHECKING:
    from nas.campaign.campaign import Campaign
    from nas.campaign.worker import WorkerOutcome

__all__ = ["app", "main"]

_OTHERS_GO_ON = "interrupted; what it was training is done by other workers"
_URL = "postgresql://USER:PASSWORD@HOST/DATABASE"
_SECONDS_BETWEEN_LINES = 5.0

app = Commands(
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
    typer.Option(
        help="Folder of a task's files (mnist, fashion-mnist). Default: WIRENAS_DATA, cache, download.",
        rich_help_panel=WHERE,
    ),
]

Storage = Annotated[
    str | None,
    typer.Option(
        metavar="URL",
        help=f"Share the search with `wirenas worker` in a database: {_URL}.",
        rich_help_panel=WHERE,
    ),
]
Study = Annotated[
    str | None,
    typer.Option(
        metavar="NAME", help="The campaign's name in the storage. Default: the folder's name.", rich_help_panel=WHERE
    ),
]


def main() -> None:
    """Run the command line and exit: 0 done, 2 bad input, 130 interrupted, 1 anything else."""
    encode_readably()
    say_what_was_assumed()
    try:
        code = app(standalone_mode=False)
    except InputError as error:
        _fail(as_asked(str(error)), 2)
    except CampaignError as error:
        _fail(str(error), 1)
    except BrokenPipeError:
        # Whoever read what is printed has seen enough; Python would complain once more while it ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    except KeyboardInterrupt:
        _fail("interrupted", 130)
    except TyperException as error:
        _fail(error.format_message() or "see the help for what can be given", error.exit_code)
    except Exception as error:
        failure = failure_of(error, _stdout_of(error))
        if failure is None:
            raise
        _fail(failure.line, failure.code)
    if code == 130:
        _fail("interrupted", 130)
    sys.exit(code if isinstance(code, int) else 0)


def _stdout_of(error: Exception) -> str | None:
    """Return "stdout" for an error that was raised by printing, and names no file."""
    frames = [frame.f_globals.get("__name__", "") for frame, _ in traceback.walk_tb(error.__traceback__)]
    is_printing = "nas.cli.console" in frames or frames[-1].partition(".")[0] in ("rich", "typer")
    if not isinstance(error, OSError) or error.filename is not None or not is_printing:
        return None
    # What waits there is lost, and Python would complain once more while it ends.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return "stdout"


@app.callback(invoke_without_command=True)
def _root(
    version: Annotated[bool, typer.Option("--version", help="Print versions, engines and instruction set.")] = False,
) -> None:
    if version:
        from nas.training.extension import describe_machine

        typer.echo(describe_machine())
        raise typer.Exit


@app.command(inside=inside_names(CampaignOptions), file="campaign")
@flags(CampaignOptions)
def run(
    ctx: typer.Context,
    campaign: Annotated[
        Path | None, typer.Argument(metavar="CAMPAIGN.toml", help="Options as a file; flags win.", show_default=False)
    ] = None,
    *,
    out: Annotated[Path | None, typer.Option(help="The campaign's folder. Default: results/TASK-NETWORK.")] = None,
    threads: Threads = None,
    data: Data = None,
    storage: Storage = None,
    study: Study = None,
    print_toml: Annotated[
        bool, typer.Option("--print-toml", help="Print all options as a CAMPAIGN.toml, and run nothing.")
    ] = False,
    as_json: Json = False,
    **given: Any,
) -> None:
    """Search wirings for a task, or resume: the same command does what is left.

    Example: wirenas run --task digits --network mlp --trials 200 --out results/digits
    """
    begun = Begun()
    with interruptible(begun.interrupted):
        from nas.campaign.folder import open_campaign, read_records
        from nas.cli.display import show_end
        from nas.report.progress import CampaignDisplay, slow_engine_notice

        console, notice = make_console(stderr=True), slow_engine_notice(given["engine"])
        if print_toml and out is None:
            out = Path(os.devnull, "campaign")  # Nothing lies there, whatever does where the campaign would be.
        opened = open_campaign(campaign, out, given_options(given), threads, data, storage, study)
        begun.file, options = opened.out / CAMPAIGN.file, opened.options
        if print_toml:
            typer.echo(explained_options(options), nl=False)
            return
        display = CampaignDisplay(console, options.direction, notice, by_size=options.by_size, words=words_of(ctx))
        outcome = opened.run(display)
    print_json(outcome.to_json()) if as_json else show_end(make_console(), outcome, read_records(opened.out))


_OF_ONE_BUDGET = ("budget", "space")
"""What `frontier` has no flags for: its own are several, and a budget takes the place of a space of random graphs."""


@app.command(inside=inside_names(CampaignOptions))
@flags(CampaignOptions, *_OF_ONE_BUDGET)
def frontier(
    ctx: typer.Context,
    *,
    budgets: Annotated[
        list[str],
        typer.Option(
            metavar="TEXT", help="What networks may cost, as for `run --budget`. Several with commas, or again."
        ),
    ],
    out: Annotated[Path | None, typer.Option(help="Folder of the campaigns. Default: results/TASK-frontier.")] = None,
    threads: Threads = None,
    data: Data = None,
    as_json: Json = False,
    **given: Any,
) -> None:
    """Find the best network of each of several budgets, or resume: a campaign each, and one table and curve.

    Example: wirenas frontier --task digits --budgets 300,1000,3000
    """
    begun = Begun()
    with interruptible(begun.interrupted):
        from nas.campaign.frontier import open_frontier, run_frontier
        from nas.cli.display import show_frontier
        from nas.report.progress import CampaignDisplay, slow_engine_notice
        from nas.tasks import stem_of

        console, notice, words = make_console(stderr=True), slow_engine_notice(given["engine"]), words_of(ctx)
        options = given_options(given, without=_OF_ONE_BUDGET)
        folder = out or Path("results") / f"{stem_of(str(options.get('task', 'digits')))}-frontier"
        begun.file = folder / "frontier.json"

        def display(budget: str, campaign: Campaign) -> CampaignDisplay:
            say(console, f"budget {budget}: {campaign.out}")
            return CampaignDisplay(console, campaign.options.direction, notice, by_size=False, words=words)

        found = run_frontier(folder, open_frontier(folder, split_lists(budgets), options, threads, data), display)
    print_json(found.to_json()) if as_json else show_frontier(make_console(), found)


@app.command(inside=inside_names(SurveyOptions))
@flags(SurveyOptions)
def survey(
    ctx: typer.Context,
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
    begun = Begun()
    with interruptible(begun.interrupted):
        from nas.cli.display import show_survey_end
        from nas.report.progress import slow_engine_notice, survey_display
        from nas.survey import open_survey

        console, notice = make_console(stderr=True), slow_engine_notice(given["engine"])
        with survey_display(console, notice) as watch:
            opened = open_survey(out, given_options(given, SurveyOptions), threads, data)
            begun.file, words = opened.out / SURVEY.file, words_of(ctx)
            outcome = opened.run(watch, lambda line: say(console, words(line)))
    print_json(outcome.to_json()) if as_json else show_survey_end(make_console(), outcome)


@app.command()
def status(
    out: Annotated[
        Path,
        typer.Argument(
            metavar="OUT", help="A folder: of a campaign, a frontier, a survey, or an experiment.", show_default=False
        ),
    ],
    as_json: Json = False,
) -> None:
    """Say where a campaign, a frontier, a survey or an experiment of `prune` or `rewire` stands, and what it found.

    Example: wirenas status results/digits
    """
    from nas.store.reading import reading

    with reading(out):
        _show_status(out, as_json=as_json)


def _show_status(out: Path, *, as_json: bool) -> None:
    from nas.campaign.folder import read_records, read_status
    from nas.cli.display import show_frontier, show_outcome, show_structure, show_survey
    from nas.report.frontier import read_frontier
    from nas.store.folders import holds_experiment, holds_survey

    if holds_experiment(out):
        from nas.structure.files import read_found

        found = read_found(out)
        print_json(found) if as_json else show_structure(make_console(), found)
        return

    if holds_survey(out):
        from nas.store.survey_table import read_outcome

        survey_outcome = read_outcome(out)
        print_json(survey_outcome.to_json()) if as_json else show_survey(make_console(), survey_outcome)
        return

    if (frontier := read_frontier(out)) is not None:
        print_json(frontier.to_json()) if as_json else show_frontier(make_console(), frontier)
        return
    outcome = read_status(out)
    print_json(outcome.to_json()) if as_json else show_outcome(make_console(), outcome, read_records(out))


@app.command()
def best(out: Folder, as_json: Json = False) -> None:
    """Show the best candidate of a campaign, or the structure that `prune` or `rewire` has learned, and its files.

    Example: wirenas best results/digits
    """
    from nas.store.reading import reading

    with reading(out):
        _show_best(out, as_json=as_json)


def _show_best(out: Path, *, as_json: bool) -> None:
    from nas.campaign.folder import read_best, read_records, read_status
    from nas.cli.display import show_best, show_structure
    from nas.store.folders import holds_experiment

    found = read_best(out)
    if as_json:
        print_json(found)
        return
    if holds_experiment(out):
        show_structure(make_console(), found)
        for file in found["files"]:
            say(make_console(), file)
        return
    outcome = read_status(out)
    show_best(make_console(), found, read_records(out), outcome.direction, has_task=outcome.task is not None)


@app.command()
def draw(
    source: Annotated[
        Path,
        typer.Argument(
            metavar="GRAPH|OUT", help="A graph file, a saved network, or a campaign's folder.", show_default=False
        ),
    ],
    *,
    out: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="A png, svg or pdf file. Default: the graph's name with .png."),
    ] = None,
    layout: Annotated[
        str | None,
        typer.Option(help="layered, ring or spring. Default: layered, and ring for undirected and recurrent graphs."),
    ] = None,
    graph_format: GraphFormat = None,
    directed: Directed = None,
    merge: Merge = "sum",
    as_json: Json = False,
) -> None:
    """Draw a wiring: of a graph file, or the best one of a campaign.

    Example: wirenas draw results/digits --out wiring.svg
    """
    from nas.report.drawing import count_edges, draw_file

    file, used, wiring = draw_file(source, out, layout, format=graph_format, directed=directed, merge=merge)
    if as_json:
        print_json({"file": str(file), "layout": used, "nodes": wiring.n_hidden, "edges": count_edges(wiring)[0]})
        return
    say(make_console(), str(file))


@app.command(inside={"n_nulls": "null"})
def distance(
    wirings: Annotated[
        list[str],
        typer.Argument(
            metavar="GRAPH|OUT…",
            help="Two or more graph files, saved networks, or folders of campaigns.",
            show_default=False,
        ),
    ],
    *,
    null: Annotated[
        int, typer.Option(min=0, metavar="NUMBER", help="Nulls of the second wiring to hold the distance against.")
    ] = 0,
    kind: Annotated[
        str | None,
        typer.Option(
            help="What nulls keep: counts, blocks, degree, order, layers, boundary, reciprocity, spectral. Default: "
            "layers, order or degree, the first that there is to keep.",
            show_default=False,
        ),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of the nulls.")] = 0,
    out: Annotated[
        Path | None,
        typer.Option(file_okay=False, help="Folder for distances.csv, map.png and tree.png, of three wirings or more."),
    ] = None,
    graph_format: GraphFormat = None,
    directed: Directed = None,
    merge: Merge = "sum",
    as_json: Json = False,
) -> None:
    """Measure how far apart wirings are once their hidden neurons are matched, whatever their numbers.

    0: the same structure; 1: nothing in common. Of two wirings, with --null, random ones that share what they keep with
    the second one say what the distance would be by chance. Of three or more, the distances of all pairs are measured.

    Example: wirenas distance a.graphml b.graphml --null 100
    """
    from nas.cli.display import show_distances, show_pairs
    from nas.report.distances import check_distances, measure_distances, measure_pairs, wirings_of
    from nas.report.progress import stages

    check_distances(len(wirings), n_nulls=null, kind=kind, out=out)
    with interruptible("interrupted"), stages(make_console(stderr=True), "distances") as watch:
        given = wirings_of(wirings, format=graph_format, directed=directed, merge=merge)
        if len(given) > 2:
            found = measure_pairs(given, wirings, out, watch=watch)
        else:
            measured = measure_distances(given[0], given[1], n_nulls=null, kind=kind, seed=seed, watch=watch)
            found = {"first": str(Path(wirings[0])), "second": str(Path(wirings[1])), **measured}
    if as_json:
        print_json(found)
        return
    (show_pairs if len(given) > 2 else show_distances)(make_console(), found)


app.add_typer(data_commands)
app.add_typer(predictor_commands)
app.add_typer(structure_commands)
app.add_typer(comparison_commands)


@app.command()
def dashboard(
    out: Folder,
    *,
    port: Annotated[int, typer.Option(min=0, max=65535, help="Where to listen; 0: a free one.")] = 8080,
    host: Annotated[str, typer.Option(help="Address to listen at. Default: for this machine alone.")] = "127.0.0.1",
    show: Annotated[bool, typer.Option("--open/--no-open", help="Open the page in a browser.")] = True,
    as_json: Json = False,
) -> None:
    """Open a campaign in optuna-dashboard, with a note on every trial; trials appear as they are done.

    The campaign may be running, and is not changed. Ctrl-C ends the dashboard, with exit code 0.

    With --json no browser is opened, and the object is printed as soon as pages are served.

    Example: wirenas dashboard results/digits
    """
    from nas.dashboard import serve

    def ready(url: str, page: str) -> None:
        if as_json:
            print_json({"url": url, "page": page})
            return
        say(make_console(), f"{page}   Ctrl-C ends it")
        # Without a screen, a browser would take the terminal.
        has_screen = sys.platform in ("darwin", "win32") or "DISPLAY" in os.environ or "WAYLAND_DISPLAY" in os.environ
        if show and has_screen:
            webbrowser.open(page)

    serve(out, host, port, ready)


@app.command()
def worker(
    *,
    storage: Annotated[str, typer.Option(metavar="URL", help=f"The campaign's database: {_URL}.")],
    study: Annotated[str, typer.Option(metavar="NAME", help="The campaign's name in it; see `wirenas run`.")],
    threads: Annotated[int, typer.Option(help="Trainings at a time.")] = 1,
    data: Annotated[Path | None, typer.Option(help="Folder of the task's files on this machine.")] = None,
    wait: Annotated[
        float, typer.Option(metavar="SECONDS", help="How long to wait for a database or campaign not there yet.")
    ] = 0.0,
    as_json: Json = False,
) -> None:
    """Join a campaign that `wirenas run --storage` has started, from any process or machine, until it is over.

    Example: wirenas worker --storage postgresql://me@host/trials --study digits
    """
    with interruptible(_OTHERS_GO_ON, at_first="interrupted"):
        from nas.campaign.worker import Worker

        last_line = time.monotonic()

        def watch(done: WorkerOutcome) -> None:
            nonlocal last_line
            if time.monotonic() - last_line >= _SECONDS_BETWEEN_LINES:
                last_line = time.monotonic()
                note(f"worker: {_summarize(done)}")

        def waiting(missing: str) -> None:
            note(f"worker: {missing}")

        done = Worker(storage, study, data=data, threads=threads, wait=wait, waiting=waiting).run(watch)
    print_json(done.to_json()) if as_json else say(make_console(), f"{study}: {_summarize(done)}.")


def _summarize(done: WorkerOutcome) -> str:
    return f"{done.trials} trials, {done.failed} failed, {done.seconds:.0f} s of training"


app.add_typer(study_commands, name="study", help="Run an experiment that writes its tables into results/.")

generate = Commands(no_args_is_help=True)
app.add_typer(generate, name="generate", help="Draw a wiring from a prior and write it as a network.")

Attachment = Annotated[
    str, typer.Option(help="controlled, natural, projected, published.", rich_help_panel="Input and output units")
]
GraphWeights = Annotated[
    str | None,
    typer.Option(
        help="Weights of the graph file: initial, fixed (they do not train) or ignore. Default: initial.",
        rich_help_panel="The prior",
    ),
]
NetworkFolder = Annotated[Path, typer.Option(help="The network's folder; it must not hold files yet.")]


@generate.command("rnn", inside=INSIDE_DRAWINGS)
@drawing_flags
def generate_rnn(
    ctx: typer.Context,
    *,
    out: NetworkFolder,
    structure: Annotated[
        str | None, typer.Option(help="recurrent, or stack (layered's only one).", rich_help_panel="The prior")
    ] = None,
    cell: Annotated[str, typer.Option(help="tanh, relu, gru, lstm.")] = "lstm",
    spectral_radius: Annotated[float | None, typer.Option(help="Scale recurrent weights to it.")] = None,
    outputs: Annotated[int, typer.Option(help="Units of a linear head; 0: no head.")] = 0,
    attachment: Attachment = "natural",
    weights: GraphWeights = None,
    as_json: Json = False,
    **given: Any,
) -> None:
    """Write an RNN that is called like nn.LSTM.

    Example: wirenas generate rnn --prior watts-strogatz --nodes 64 --k 8 --p 0.2 --cell lstm --inputs 7 --out rnn/
    """
    from nas.space.generation import draw_wiring, write_rnn

    drawing = drawing_of(given)
    wiring = draw_wiring(drawing, "rnn", outputs, attachment, structure, typed(ctx))
    _show_files(write_rnn(out, wiring, cell, spectral_radius, drawing.seed, weights), as_json)


@generate.command("mlp", inside=INSIDE_DRAWINGS)
@drawing_flags
def generate_mlp(
    ctx: typer.Context,
    *,
    out: NetworkFolder,
    outputs: Annotated[int, typer.Option(help="Output units.")],
    activation: Annotated[str, typer.Option(help="relu, tanh, sigmoid, gelu, identity.")] = "relu",
    attachment: Attachment = "controlled",
    weights: GraphWeights = None,
    as_json: Json = False,
    **given: Any,
) -> None:
    """Write an MLP whose hidden neurons are the nodes of an oriented graph.

    Example: wirenas generate mlp --prior barabasi-albert --nodes 64 --m 3 --inputs 64 --outputs 10 --out mlp/
    """
    from nas.space.generation import draw_wiring, write_mlp

    drawing = drawing_of(given)
    wiring = draw_wiring(drawing, "mlp", outputs, attachment, typed=typed(ctx))
    _show_files(write_mlp(out, wiring, activation, drawing.seed, weights), as_json)


def _show_files(written: dict[str, Any], as_json: bool) -> None:
    from nas.cli.display import show_written

    print_json(written) if as_json else show_written(make_console(), written)


def _fail(message: str, code: int) -> NoReturn:
    line = printable(f"wirenas: {message}")
    if sys.stderr.isatty():
        line = "\n".join(wrapped(line, shutil.get_terminal_size().columns))
    print(line, file=sys.stderr)
    sys.exit(code)


if __name__ == "__main__":
    main()
