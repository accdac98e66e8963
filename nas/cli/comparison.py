"""The command that holds wirings against their nulls; a part of `nas.cli.app`. Parse, call, print; no logic."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from nas.cli.commands import Commands, split_lists
from nas.cli.console import Begun, Json, interruptible, make_console, print_json, say
from nas.cli.flags import Directed, GraphFormat, Merge, file_flags, file_options

__all__ = ["comparison_commands"]

comparison_commands = Commands()

_INSIDE = {
    "n_nulls": "nulls",
    "nulls": "null",
    "radii": "radius",
    "learning_rates": "learning_rate",
}
"""Flags by the names that messages have for their options, where they are others."""

_NETWORK, _TRAINING = "What a graph becomes", "Training"


def _numbers(text: str | None) -> list[str] | None:
    return None if text is None else split_lists([text])


@comparison_commands.command(inside=_INSIDE)
@file_flags
def compare(
    graphs: Annotated[
        list[Path],
        typer.Argument(
            metavar="GRAPH|OUT…",
            help="Graph files, saved networks, or folders of campaigns and experiments.",
            show_default=False,
        ),
    ],
    *,
    task: Annotated[
        str | None,
        typer.Option(
            help="Name of a task; see `wirenas run --help`. Or for reservoirs memory (what was read some steps ago); "
            "mackey-glass and lorenz (chaos, 10 steps ahead) are one series for them. Default: digits, and memory for "
            "reservoirs.",
            show_default=False,
        ),
    ] = None,
    network: Annotated[
        str | None,
        typer.Option(
            help="mlp, rnn or reservoir (fixed recurrence, ridge regression reads it out). Default: what the task "
            "needs, of chaos rnn where RNNs are compared, else reservoir.",
            show_default=False,
        ),
    ] = None,
    null: Annotated[
        list[str] | None,
        typer.Option(
            help="What random wirings keep: counts, blocks, degree, order, layers, boundary, reciprocity, spectral, "
            "spatial, weights; again, or with commas, for several. Default: layers, order or degree, the first that "
            "there is to keep.",
            show_default=False,
        ),
    ] = None,
    positions: Annotated[
        Path | None,
        typer.Option(
            help="Where neurons lie, for --null spatial: a csv file with a row name,x,y or name,x,y,z for each.",
            show_default=False,
        ),
    ] = None,
    nulls: Annotated[int, typer.Option(min=2, help="Random wirings of each kind, at most.")] = 200,
    seeds: Annotated[int, typer.Option(min=1, help="Trainings of each of them.")] = 5,
    repeats: Annotated[
        int, typer.Option(min=1, help="How often as many trainings the graph itself gets: it stands against all.")
    ] = 8,
    precision: Annotated[
        float | None,
        typer.Option(
            metavar="NUMBER",
            help="End as soon as the interval of every difference reaches no further than this to either side, in the "
            "metric: 0.005 is half a point of accuracy.",
            show_default=False,
        ),
    ] = None,
    register: Annotated[
        bool, typer.Option("--register", help="Write the plan, and train nothing yet: the same command does.")
    ] = False,
    attachment: Annotated[
        str | None,
        typer.Option(
            help="How inputs and outputs are connected to a graph: controlled, natural, projected. Default: "
            "controlled.",
            rich_help_panel=_NETWORK,
            show_default=False,
        ),
    ] = None,
    reads: Annotated[
        int | None,
        typer.Option(
            min=1, help="Inputs that a neuron reads. Default: 10.", rich_help_panel=_NETWORK, show_default=False
        ),
    ] = None,
    readouts: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="Neurons that are read out. Default: 16, and all of a reservoir.",
            rich_help_panel=_NETWORK,
            show_default=False,
        ),
    ] = None,
    orientation: Annotated[
        str | None,
        typer.Option(
            help="How an undirected graph becomes an MLP: random, index, degree. Default: random, anew for "
            "each training.",
            rich_help_panel=_NETWORK,
            show_default=False,
        ),
    ] = None,
    activation: Annotated[
        str | None,
        typer.Option(help="Of an MLP's neurons. Default: relu.", rich_help_panel=_NETWORK, show_default=False),
    ] = None,
    cell: Annotated[
        str | None,
        typer.Option(
            help="Of an RNN's neurons: tanh, relu, gru, lstm. Default: gru.",
            rich_help_panel=_NETWORK,
            show_default=False,
        ),
    ] = None,
    radius: Annotated[
        str | None,
        typer.Option(
            metavar="NUMBER,…",
            help="Spectral radii of a reservoir, to choose from by validation. Default: 0.5,0.7,0.9,1.1.",
            rich_help_panel=_NETWORK,
            show_default=False,
        ),
    ] = None,
    leak: Annotated[
        float | None,
        typer.Option(
            help="Share of a reservoir's state that is new in each step. Default: 1.",
            rich_help_panel=_NETWORK,
            show_default=False,
        ),
    ] = None,
    input_scale: Annotated[
        float | None,
        typer.Option(
            help="Largest weight of a reservoir's inputs. Default: 0.5.", rich_help_panel=_NETWORK, show_default=False
        ),
    ] = None,
    delays: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="Steps back that the memory task asks for. Default: 40.",
            rich_help_panel=_NETWORK,
            show_default=False,
        ),
    ] = None,
    epochs: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="Passes over the training part. Default: the task's.",
            rich_help_panel=_TRAINING,
            show_default=False,
        ),
    ] = None,
    batch_size: Annotated[
        int | None,
        typer.Option(
            min=1, help="Examples an update. Default: the task's.", rich_help_panel=_TRAINING, show_default=False
        ),
    ] = None,
    learning_rate: Annotated[
        str | None,
        typer.Option(
            metavar="RATE,…",
            help="One, or several to choose from by validation. Default: the task's.",
            rich_help_panel=_TRAINING,
            show_default=False,
        ),
    ] = None,
    optimizer: Annotated[
        str | None,
        typer.Option(help="adam, adamw or sgd. Default: adam.", rich_help_panel=_TRAINING, show_default=False),
    ] = None,
    weight_decay: Annotated[
        float | None,
        typer.Option(
            help="Pull of all weights and biases towards 0. Default: 0.", rich_help_panel=_TRAINING, show_default=False
        ),
    ] = None,
    normalise: Annotated[
        bool | None,
        typer.Option(
            "--normalise/--no-normalise",
            help="Batch normalisation in the training of an MLP, folded into its weights afterwards. Default: off.",
            rich_help_panel=_TRAINING,
            show_default=False,
        ),
    ] = None,
    engine: Annotated[str, typer.Option(help="auto, native, torch.", rich_help_panel=_TRAINING)] = "auto",
    seed: Annotated[int, typer.Option(min=0, help="Of all random draws.")] = 0,
    threads: Annotated[
        int | None, typer.Option(min=1, help="Wirings at a time; results do not depend on it. Default: one a core.")
    ] = None,
    data: Annotated[Path | None, typer.Option(help="Folder of a task's files (mnist, fashion-mnist).")] = None,
    graph_format: GraphFormat = None,
    directed: Directed = None,
    merge: Merge = "sum",
    out: Annotated[Path | None, typer.Option(help="The comparison's folder. Default: results/TASK-compared.")] = None,
    as_json: Json = False,
    **files: Any,
) -> None:
    """Find out whether a wiring is better than chance: than random wirings that share with it what they keep.

    All are trained in one way: as the networks of a folder were, or else as the task says. The plan is written before
    the first training, and what is changed later is told. The same command goes on where it was stopped.

    Example: wirenas compare graph.graphml --task digits --null degree --nulls 200
    """
    begun = Begun()
    with interruptible(begun.interrupted):
        from nas.cli.display import show_comparison
        from nas.comparison.comparison import PLAN
        from nas.comparison.report import to_json, write_comparison
        from nas.comparison.start import open_comparison
        from nas.report.progress import stages

        given: dict[str, Any] = {
            "network": network, "nulls": None if null is None else split_lists(null), "n_nulls": nulls, "seeds": seeds,
            "repeats": repeats, "precision": precision, "attachment": attachment, "reads": reads,
            "readouts": readouts, "orientation": orientation, "activation": activation, "cell": cell,
            "radii": _numbers(radius), "leak": leak, "input_scale": input_scale, "delays": delays,
            "seed": seed, "engine": engine,
        }  # fmt: skip
        recipe = {
            "epochs": epochs, "batch_size": batch_size, "learning_rates": _numbers(learning_rate),
            "optimizer": optimizer, "weight_decay": weight_decay, "normalise": normalise,
        }  # fmt: skip
        reading = {"format": graph_format, "directed": directed, "merge": merge}
        opened = open_comparison(
            graphs, task, given, recipe, files=file_options(files), reading=reading, threads=threads, data=data,
            positions=positions, out=out,
        )  # fmt: skip
        console = make_console(stderr=True)
        for line in opened.notices:
            say(console, line)
        if register:
            was_new = opened.register()
            file = opened.out / PLAN
            print_json({"plan": str(file)}) if as_json else say(
                make_console(), f"{file}: the plan is {'registered' if was_new else 'registered already'}"
            )
            return
        begun.file = opened.out / PLAN
        with stages(console) as watch:
            opened.watch = watch
            found = opened.run()
        write_comparison(opened.out, found)
    print_json(to_json(found)) if as_json else show_comparison(make_console(), to_json(found))
