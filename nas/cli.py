"""The command ``wirenas``: parse, call, print; no logic. Everything heavy is imported by the command that needs it."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.exceptions import TyperException

from nas.errors import CampaignError, InputError
from nas.flags import flags, given_options

if TYPE_CHECKING:
    from rich.console import Console

__all__ = ["app", "main"]

app = typer.Typer(
    name="wirenas",
    help="Neural architecture search in which the architecture is a graph.",
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

Json = Annotated[bool, typer.Option("--json", help="Print exactly one JSON object on stdout.")]
Folder = Annotated[Path, typer.Argument(metavar="OUT", help="A campaign's folder.", show_default=False)]


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
        _fail("interrupted; the same command resumes", 130)
    sys.exit(code if isinstance(code, int) else 0)


@app.callback(invoke_without_command=True)
def _root(
    version: Annotated[bool, typer.Option("--version", help="Print versions, engines and instruction set.")] = False,
) -> None:
    if version:
        from nas.machine import describe_machine

        typer.echo(describe_machine())
        raise typer.Exit


@app.command()
@flags
def run(
    campaign: Annotated[
        Path | None, typer.Argument(metavar="[CAMPAIGN.toml]", help="Options as a file; flags win.", show_default=False)
    ] = None,
    *,
    out: Annotated[Path | None, typer.Option(help="The campaign's folder. [default: results/TASK-NETWORK]")] = None,
    threads: Annotated[int, typer.Option(help="Trainings at a time; results do not depend on it.")] = 1,
    as_json: Json = False,
    **given: Any,
) -> None:
    """Search wirings for a task, or resume: the same command does what is left.

    Example: wirenas run --task digits --network mlp --trials 200 --out results/digits
    """
    from nas.commands import run_campaign
    from nas.terminal import show_outcome, watcher_for

    console = _console(stderr=True)
    outcome = run_campaign(campaign, out, given_options(given), threads, lambda way: watcher_for(console, way))
    _print_json(outcome.to_json()) if as_json else show_outcome(_console(), outcome)


@app.command()
def status(out: Folder, as_json: Json = False) -> None:
    """Say where a campaign stands.

    Example: wirenas status results/digits
    """
    from nas.commands import read_status
    from nas.terminal import show_outcome

    outcome = read_status(out)
    _print_json(outcome.to_json()) if as_json else show_outcome(_console(), outcome)


@app.command()
def best(out: Folder, as_json: Json = False) -> None:
    """Show the best candidate of a campaign, and its files.

    Example: wirenas best results/digits
    """
    from nas.commands import read_best
    from nas.terminal import show_best

    found = read_best(out)
    _print_json(found) if as_json else show_best(_console(), found)


generate = typer.Typer(no_args_is_help=True)
app.add_typer(generate, name="generate", help="Draw a wiring from a prior and write it as a network.")

_PRIOR = "The prior"
_UNITS = "Input and output units"

PriorName = Annotated[str, typer.Option(help="watts-strogatz, barabasi-albert, erdos-renyi, layered.")]
NetworkFolder = Annotated[Path, typer.Option(help="The network's folder; it must not hold files yet.")]
Inputs = Annotated[int, typer.Option(help="Input units.")]
Nodes = Annotated[int | None, typer.Option(help="Hidden neurons; not for layered.", rich_help_panel=_PRIOR)]
RingDegree = Annotated[
    int | None, typer.Option("--k", help="watts-strogatz: neighbours on the ring, even.", rich_help_panel=_PRIOR)
]
Probability = Annotated[
    float | None,
    typer.Option("--p", help="watts-strogatz: rewiring; erdos-renyi: of each edge.", rich_help_panel=_PRIOR),
]
Growth = Annotated[
    int | None, typer.Option("--m", help="barabasi-albert: edges of a new node.", rich_help_panel=_PRIOR)
]
Initial = Annotated[str | None, typer.Option(help="barabasi-albert: isolated, star, complete.", rich_help_panel=_PRIOR)]
Edges = Annotated[int | None, typer.Option(help="erdos-renyi, layered: number of edges.", rich_help_panel=_PRIOR)]
Sizes = Annotated[str | None, typer.Option(help="layered: neurons per layer, as 32,32.", rich_help_panel=_PRIOR)]
Density = Annotated[float | None, typer.Option(help="layered: share of edges present.", rich_help_panel=_PRIOR)]
Orientation = Annotated[str, typer.Option(help="random, index, degree.", rich_help_panel=_PRIOR)]
Attachment = Annotated[str, typer.Option(help="controlled, natural, projected, published.", rich_help_panel=_UNITS)]
Reads = Annotated[int, typer.Option(help="controlled: inputs that a neuron reads.", rich_help_panel=_UNITS)]
Readouts = Annotated[int, typer.Option(help="controlled: neurons that outputs read.", rich_help_panel=_UNITS)]
Width = Annotated[int, typer.Option(help="projected: neurons of the projection.", rich_help_panel=_UNITS)]
Seed = Annotated[int, typer.Option(help="Of every draw.")]


@generate.command("rnn")
def generate_rnn(
    prior: PriorName,
    inputs: Inputs,
    out: NetworkFolder,
    nodes: Nodes = None,
    k: RingDegree = None,
    p: Probability = None,
    m: Growth = None,
    initial: Initial = None,
    edges: Edges = None,
    sizes: Sizes = None,
    density: Density = None,
    structure: Annotated[
        str | None,
        typer.Option(help="recurrent, or stack (layered's only one).", rich_help_panel=_PRIOR, show_default=False),
    ] = None,
    orientation: Orientation = "random",
    cell: Annotated[str, typer.Option(help="tanh, relu, gru, lstm.")] = "lstm",
    spectral_radius: Annotated[float | None, typer.Option(help="Scale recurrent weights to it.")] = None,
    outputs: Annotated[int, typer.Option(help="Units of a linear head; 0: no head.", rich_help_panel=_UNITS)] = 0,
    attachment: Attachment = "natural",
    reads: Reads = 10,
    readouts: Readouts = 16,
    width: Width = 16,
    seed: Seed = 0,
    as_json: Json = False,
) -> None:
    """Write an RNN that is called like nn.LSTM.

    Example: wirenas generate rnn --prior watts-strogatz --nodes 64 --k 8 --p 0.2 --cell lstm --inputs 7 --out rnn/
    """
    from nas.generation import draw_wiring, write_rnn

    parameters = {"nodes": nodes, "k": k, "p": p, "m": m, "initial": initial, "edges": edges}
    parameters |= {"sizes": sizes, "density": density}
    wiring = draw_wiring(
        prior,
        parameters,
        structure or ("stack" if prior == "layered" else "recurrent"),
        orientation,
        (inputs, outputs),
        attachment,
        {"reads": reads, "readouts": readouts, "width": width},
        seed,
    )
    _show_files(write_rnn(out, wiring, cell, spectral_radius, seed), as_json)


@generate.command("mlp")
def generate_mlp(
    prior: PriorName,
    inputs: Inputs,
    outputs: Annotated[int, typer.Option(help="Output units.")],
    out: NetworkFolder,
    nodes: Nodes = None,
    k: RingDegree = None,
    p: Probability = None,
    m: Growth = None,
    initial: Initial = None,
    edges: Edges = None,
    sizes: Sizes = None,
    density: Density = None,
    orientation: Orientation = "random",
    activation: Annotated[str, typer.Option(help="relu, tanh, sigmoid, gelu, identity.")] = "relu",
    attachment: Attachment = "controlled",
    reads: Reads = 10,
    readouts: Readouts = 16,
    width: Width = 16,
    seed: Seed = 0,
    as_json: Json = False,
) -> None:
    """Write an MLP whose hidden neurons are the nodes of an oriented graph.

    Example: wirenas generate mlp --prior barabasi-albert --nodes 64 --m 3 --inputs 64 --outputs 10 --out mlp/
    """
    from nas.generation import draw_wiring, write_mlp

    parameters = {"nodes": nodes, "k": k, "p": p, "m": m, "initial": initial, "edges": edges}
    parameters |= {"sizes": sizes, "density": density}
    wiring = draw_wiring(
        prior,
        parameters,
        "dag",
        orientation,
        (inputs, outputs),
        attachment,
        {"reads": reads, "readouts": readouts, "width": width},
        seed,
    )
    _show_files(write_mlp(out, wiring, activation, seed), as_json)


def _show_files(written: dict[str, Any], as_json: bool) -> None:
    from nas.terminal import show_written

    _print_json(written) if as_json else show_written(_console(), written)


def _print_json(document: object) -> None:
    typer.echo(json.dumps(document))


def _console(*, stderr: bool = False) -> Console:
    from rich.console import Console

    return Console(stderr=stderr)


def _fail(message: str, code: int) -> None:
    print(f"wirenas: {message}", file=sys.stderr)
    sys.exit(code)
