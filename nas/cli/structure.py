"""The commands that learn a structure; a part of `nas.cli.app`. Parse, call, print; no logic."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from nas.cli.commands import Commands
from nas.cli.console import Json, interruptible, make_console, print_json, say

__all__ = ["structure_commands"]

structure_commands = Commands()

_PARENT, _HOW, _TRAINING = "The parent network", "How structure is learned", "Training"

TaskName = Annotated[str, typer.Option(help="Name of a task; see `wirenas run --help`.", show_default=False)]
Widths = Annotated[
    list[str] | None,
    typer.Option(
        metavar="N,N,…",
        help="Hidden neurons of each layer of the network in which everything may live; again for several shapes, of "
        "which the best on validation is taken. Default: 100 and 100,100, with --density the latter; an RNN's 64.",
        rich_help_panel=_PARENT,
        show_default=False,
    ),
]
Start = Annotated[
    Path | None,
    typer.Option(
        "--from",
        metavar="PATH",
        help="Prune this saved network, or the best one of this folder, in place of a new one.",
        rich_help_panel=_PARENT,
        show_default=False,
    ),
]
Activation = Annotated[
    str | None, typer.Option(help="Of an MLP's neurons. Default: relu.", rich_help_panel=_PARENT, show_default=False)
]
Cell = Annotated[
    str | None,
    typer.Option(
        help="Of an RNN's neurons: tanh, relu, gru, lstm. Default: gru.", rich_help_panel=_PARENT, show_default=False
    ),
]
MaxParameters = Annotated[
    int | None,
    typer.Option(
        metavar="NUMBER",
        help="Live parameters at most: weights on a way from an input to an output, and biases of neurons on one.",
    ),
]
Weights = Annotated[int | None, typer.Option(metavar="NUMBER", help="Weights that live, in place of --max-parameters.")]
Density = Annotated[
    float | None, typer.Option(metavar="SHARE", help="Share of the parent's weights, in place of --max-parameters.")
]
Allocation = Annotated[
    str | None,
    typer.Option(
        help="How weights are shared out over layers: uniform, er, erk; when pruning also class-blinded, "
        "class-uniform, class-distributed.",
        rich_help_panel=_HOW,
    ),
]
Every = Annotated[
    str | None,
    typer.Option(
        metavar="TIME", help="Time between two changes: 100 (updates), '1 epoch', '1%'.", rich_help_panel=_HOW
    ),
]
Begin = Annotated[str | None, typer.Option(metavar="TIME", help="The first change.", rich_help_panel=_HOW)]
End = Annotated[str | None, typer.Option(metavar="TIME", help="When structure is final.", rich_help_panel=_HOW)]
Score = Annotated[
    str | None,
    typer.Option(
        help="What live weights are judged by: magnitude, activation, random, snip, sensitivity, "
        "reciprocal-sensitivity, mest, set, ….",
        rich_help_panel=_HOW,
    ),
]
Epochs = Annotated[int, typer.Option(min=1, help="Passes over the training part.", rich_help_panel=_TRAINING)]
BatchSize = Annotated[int, typer.Option(min=1, help="Examples an update.", rich_help_panel=_TRAINING)]
LearningRate = Annotated[
    str,
    typer.Option(metavar="RATE,…", help="One, or several to choose from by validation.", rich_help_panel=_TRAINING),
]
Seeds = Annotated[int, typer.Option(min=1, help="Fresh trainings of the structure, and of each reference.")]
Seed = Annotated[int, typer.Option(min=0, help="Of all random draws.")]
Engine = Annotated[str, typer.Option(help="auto, native, torch.", rich_help_panel=_TRAINING)]
Threads = Annotated[
    int | None, typer.Option(min=1, help="Trainings at a time; results do not depend on it. Default: one a core.")
]
Data = Annotated[Path | None, typer.Option(help="Folder of a task's files (mnist, fashion-mnist).")]
Out = Annotated[Path | None, typer.Option(help="The experiment's folder. Default: results/TASK-pruned or -rewired.")]


@structure_commands.command()
def prune(
    *,
    task: TaskName,
    max_parameters: MaxParameters = None,
    weights: Weights = None,
    density: Density = None,
    widths: Widths = None,
    start: Start = None,
    activation: Activation = None,
    cell: Cell = None,
    score: Score = "activation",
    allocation: Allocation = "class-blinded",
    schedule: Annotated[
        str,
        typer.Option(
            help="cubic (fast first), iterative (equal shares of what is left) or one-shot.", rich_help_panel=_HOW
        ),
    ] = "cubic",
    rate: Annotated[float, typer.Option(help="iterative: the share that a step removes.", rich_help_panel=_HOW)] = 0.5,
    every: Every = "1%",
    begin: Begin = "5%",
    end: End = "60%",
    epochs: Epochs = 15,
    batch_size: BatchSize = 64,
    learning_rate: LearningRate = "0.001,0.003,0.01",
    seeds: Seeds = 5,
    seed: Seed = 0,
    engine: Engine = "auto",
    threads: Threads = None,
    data: Data = None,
    out: Out = None,
    as_json: Json = False,
) -> None:
    """Train a dense network, prune it while it trains, and say what the structure that is left is worth.

    With --from a saved network is trained on while it is pruned. The same command goes on where it was stopped.

    Example: wirenas prune --task digits --max-parameters 1000
    """
    switches = {"score": score, "allocation": allocation, "pruning": schedule, "rate": rate}
    times = {"every": every, "begin": begin, "end": end}
    _learn(
        "gmp", {**switches, **times}, "pruned", task, widths, activation, cell,
        {"parameters": max_parameters, "weights": weights, "density": density, "start": start},
        {"epochs": epochs, "batch_size": batch_size, "learning_rates": learning_rate},
        seeds, seed, engine, threads, data, out, as_json=as_json,
    )  # fmt: skip


@structure_commands.command()
def rewire(
    *,
    task: TaskName,
    method: Annotated[
        str, typer.Option(help="rigl, set-truly-sparse, mest, itop, srigl, nowak, static, …; see docs/sparsity.md.")
    ] = "rigl",
    max_parameters: MaxParameters = None,
    weights: Weights = None,
    density: Density = None,
    widths: Widths = None,
    activation: Activation = None,
    cell: Cell = None,
    score: Score = None,
    growth: Annotated[
        str | None, typer.Option(help="Where weights are grown: random, gradient.", rich_help_panel=_HOW)
    ] = None,
    fraction: Annotated[
        float | None, typer.Option(metavar="SHARE", help="First share that is dropped.", rich_help_panel=_HOW)
    ] = None,
    allocation: Allocation = None,
    every: Every = None,
    begin: Begin = None,
    end: End = None,
    epochs: Epochs = 15,
    batch_size: BatchSize = 64,
    learning_rate: LearningRate = "0.001,0.003,0.01",
    seeds: Seeds = 5,
    seed: Seed = 0,
    engine: Engine = "auto",
    threads: Threads = None,
    data: Data = None,
    out: Out = None,
    as_json: Json = False,
) -> None:
    """Train a sparse network whose edges move while it trains, and say what its structure is worth.

    What is not given of score, growth, fraction, allocation and times is that of the method. The same command goes on
    where it was stopped.

    Example: wirenas rewire --task digits --method rigl --max-parameters 1000
    """
    switches = {"score": score, "growth": growth, "fraction": fraction, "allocation": allocation}
    times = {"every": every, "begin": begin, "end": end}
    _learn(
        method, {**switches, **times}, "rewired", task, widths, activation, cell,
        {"parameters": max_parameters, "weights": weights, "density": density},
        {"epochs": epochs, "batch_size": batch_size, "learning_rates": learning_rate},
        seeds, seed, engine, threads, data, out, as_json=as_json,
    )  # fmt: skip


def _learn(
    method: str,
    switches: Mapping[str, Any],
    kind: str,
    task_name: str,
    widths: Sequence[str] | None,
    activation: str | None,
    cell: str | None,
    target: Mapping[str, Any],
    recipe: Mapping[str, Any],
    seeds: int,
    seed: int,
    engine: str,
    threads: int | None,
    data: Path | None,
    out: Path | None,
    *,
    as_json: bool,
) -> None:
    with interruptible("interrupted; the same command goes on"):
        from nas.cli.display import show_structure
        from nas.report.progress import stages
        from nas.structure.start import open_experiment

        opened = open_experiment(
            task_name, method, switches, kind,
            {"widths": widths or None, "activation": activation, "cell": cell, **target, "seeds": seeds, "seed": seed,
             "engine": engine},
            recipe, threads=threads, data=data, out=out,
        )  # fmt: skip
        console = make_console(stderr=True)
        for line in opened.notices:
            say(console, line)
        with stages(console) as watch:
            found = opened.run(watch)
    print_json(found.to_json()) if as_json else show_structure(make_console(), found.to_json())
