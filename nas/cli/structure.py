"""The commands that learn a structure; a part of `nas.cli.app`. Parse, call, print; no logic."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from nas.cli.commands import Commands, split_lists, typed, words_of
from nas.cli.console import Begun, Json, interruptible, make_console, print_json, say
from nas.cli.flags import file_flags, file_options

__all__ = ["structure_commands"]

structure_commands = Commands()

_INSIDE = {
    "parameters": "max_parameters",
    "features": "feature",
    "pruning": "schedule",
    "learning_rates": "learning_rate",
    "recipe.learning_rates": "learning_rate",
    "recipe.epochs": "epochs",
    "recipe.batch_size": "batch_size",
    "recipe.optimizer": "optimizer",
    "recipe.weight_decay": "weight_decay",
    "recipe.normalise": "normalise",
}
"""Flags by the names that messages have for their options, where they are others."""

_PARENT, _HOW, _TRAINING = "The parent network", "How structure is learned", "Training"

TaskName = Annotated[str, typer.Option(help="Name of a task; see `wirenas run --help`.", show_default=False)]
Widths = Annotated[
    list[str] | None,
    typer.Option(
        metavar="N,N,…",
        help="Hidden neurons of each layer of the network in which everything may live; again for several shapes, of "
        "which the best on validation is taken. Default: 100 and 300, with --density 100,100; an RNN's 64.",
        rich_help_panel=_PARENT,
        show_default=False,
    ),
]
Pool = Annotated[
    str | None,
    typer.Option(
        metavar="N,…",
        help="Let the network read means over squares of N x N pixels; of several the best on validation is taken. "
        "Default for images: 1,2, with --density 1.",
        rich_help_panel=_PARENT,
        show_default=False,
    ),
]
Start = Annotated[
    Path | None,
    typer.Option(
        "--from",
        metavar="PATH",
        help="Go on from this saved network, or from the best one of this folder, in place of a new one. What is "
        "rewired keeps the number of its weights.",
        rich_help_panel=_PARENT,
        show_default=False,
    ),
]
Activation = Annotated[
    str | None,
    typer.Option(
        help="Of an MLP's neurons. Default: gelu for `prune`, relu for `rewire`, or that of the saved network.",
        rich_help_panel=_PARENT,
        show_default=False,
    ),
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
Optimizer = Annotated[
    str | None,
    typer.Option(
        help="adam, adamw or sgd. Default: adamw for `prune`, adam for `rewire` and with --from.",
        rich_help_panel=_TRAINING,
        show_default=False,
    ),
]
WeightDecay = Annotated[
    float | None,
    typer.Option(
        help="Pull of all weights and biases towards 0; adam and sgd add it to the gradient, adamw does not. Default: "
        "0.1 for `prune` by adamw, else 0, and 0 with --from.",
        rich_help_panel=_TRAINING,
        show_default=False,
    ),
]
Normalise = Annotated[
    bool | None,
    typer.Option(
        "--normalise/--no-normalise",
        help="Batch normalisation in the training of an MLP, folded into its weights afterwards. Default: on for "
        "`prune`, off for `rewire` and with --from.",
        rich_help_panel=_TRAINING,
        show_default=False,
    ),
]
LearningRate = Annotated[
    str,
    typer.Option(metavar="RATE,…", help="One, or several to choose from by validation.", rich_help_panel=_TRAINING),
]
Seeds = Annotated[int, typer.Option(min=1, help="Fresh trainings of the structure, and of each reference.")]
Seed = Annotated[int, typer.Option(min=0, help="Of all random draws.")]
Engine = Annotated[str, typer.Option(help="auto, native, torch.", rich_help_panel=_TRAINING)]
Features = Annotated[
    list[str] | None,
    typer.Option(
        "--feature",
        metavar="NAME",
        help="Feature of the wiring that the curve follows too, such as density or n_edges; again, or with commas, for "
        "several. `wirenas features GRAPH` prints them all.",
        show_default=False,
    ),
]
Threads = Annotated[
    int | None, typer.Option(min=1, help="Trainings at a time; results do not depend on it. Default: one a core.")
]
Data = Annotated[Path | None, typer.Option(help="Folder of a task's files (mnist, fashion-mnist).")]
Out = Annotated[Path | None, typer.Option(help="The experiment's folder. Default: results/TASK-pruned or -rewired.")]


@structure_commands.command(inside=_INSIDE)
@file_flags
def prune(
    ctx: typer.Context,
    *,
    task: TaskName,
    max_parameters: MaxParameters = None,
    weights: Weights = None,
    density: Density = None,
    widths: Widths = None,
    pool: Pool = None,
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
    end: End = "50%",
    epochs: Epochs = 15,
    batch_size: BatchSize = 64,
    learning_rate: LearningRate = "0.001,0.003,0.01",
    optimizer: Optimizer = None,
    weight_decay: WeightDecay = None,
    normalise: Normalise = None,
    seeds: Seeds = 5,
    seed: Seed = 0,
    engine: Engine = "auto",
    feature: Features = None,
    threads: Threads = None,
    data: Data = None,
    out: Out = None,
    as_json: Json = False,
    **files: Any,
) -> None:
    """Train a dense network, prune it while it trains, and say what the structure that is left is worth.

    With --from a saved network is trained on while it is pruned. The same command goes on where it was stopped.

    Example: wirenas prune --task digits --max-parameters 1000
    """
    switches = {"score": score, "allocation": allocation, "pruning": schedule, "rate": rate}
    times = {"every": every, "begin": begin, "end": end}
    _learn(
        ctx, "gmp", {**switches, **times}, "pruned", task, widths, activation, cell,
        {"parameters": max_parameters, "weights": weights, "density": density, "start": start, "pool": pool},
        {"epochs": epochs, "batch_size": batch_size, "learning_rates": learning_rate, "optimizer": optimizer,
         "weight_decay": weight_decay, "normalise": normalise},
        seeds, seed, engine, feature, threads, data, out, files, as_json=as_json,
    )  # fmt: skip


@structure_commands.command(inside=_INSIDE)
@file_flags
def rewire(
    ctx: typer.Context,
    *,
    task: TaskName,
    method: Annotated[
        str, typer.Option(help="rigl, set-truly-sparse, mest, itop, srigl, nowak, static, …; see docs/sparsity.md.")
    ] = "rigl",
    max_parameters: MaxParameters = None,
    weights: Weights = None,
    density: Density = None,
    widths: Widths = None,
    pool: Pool = None,
    start: Start = None,
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
    optimizer: Optimizer = None,
    weight_decay: WeightDecay = None,
    normalise: Normalise = None,
    seeds: Seeds = 5,
    seed: Seed = 0,
    engine: Engine = "auto",
    feature: Features = None,
    threads: Threads = None,
    data: Data = None,
    out: Out = None,
    as_json: Json = False,
    **files: Any,
) -> None:
    """Train a sparse network whose edges move while it trains, and say what its structure is worth.

    What is not given of score, growth, fraction, allocation and times is that of the method. With --from the edges of
    a saved network move on from where they are. The same command goes on where it was stopped.

    Example: wirenas rewire --task digits --method rigl --max-parameters 1000
    """
    switches = {"score": score, "growth": growth, "fraction": fraction, "allocation": allocation}
    times = {"every": every, "begin": begin, "end": end}
    _learn(
        ctx, method, {**switches, **times}, "rewired", task, widths, activation, cell,
        {"parameters": max_parameters, "weights": weights, "density": density, "start": start, "pool": pool},
        {"epochs": epochs, "batch_size": batch_size, "learning_rates": learning_rate, "optimizer": optimizer,
         "weight_decay": weight_decay, "normalise": normalise},
        seeds, seed, engine, feature, threads, data, out, files, as_json=as_json,
    )  # fmt: skip


def _learn(
    ctx: typer.Context,
    method: str,
    switches: Mapping[str, Any],
    kind: Literal["pruned", "rewired"],
    task_name: str,
    widths: Sequence[str] | None,
    activation: str | None,
    cell: str | None,
    target: Mapping[str, Any],
    recipe: Mapping[str, Any],
    seeds: int,
    seed: int,
    engine: str,
    features: Sequence[str] | None,
    threads: int | None,
    data: Path | None,
    out: Path | None,
    files: Mapping[str, Any],
    *,
    as_json: bool,
) -> None:
    begun = Begun()
    with interruptible(begun.interrupted):
        from nas.cli.display import show_structure
        from nas.report.progress import stages
        from nas.structure.experiment import OPTIONS
        from nas.structure.start import open_experiment

        opened = open_experiment(
            task_name, method, switches, kind,
            {"widths": widths or None, "activation": activation, "cell": cell, **target, "seeds": seeds, "seed": seed,
             "engine": engine, "features": split_lists(features or ())},
            recipe, files=file_options(files), threads=threads, data=data, out=out, typed=typed(ctx),
        )  # fmt: skip
        begun.file, console = opened.out / OPTIONS, make_console(stderr=True)
        for line in opened.notices:
            say(console, words_of(ctx)(line))
        with stages(console) as watch:
            found = opened.run(watch)
    print_json(found.to_json()) if as_json else show_structure(make_console(), found.to_json())
