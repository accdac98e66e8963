"""The command ``wirenas study``: experiments that write into results/. Parse, call, print; no logic."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nas.cli.commands import Commands
from nas.cli.console import Json, interruptible, make_console, note, print_json, say

if TYPE_CHECKING:
    from nas.campaign.campaign import Campaign

__all__ = ["study_commands"]

study_commands = Commands(no_args_is_help=True)

Out = Annotated[Path, typer.Option(file_okay=False, help="Where the results go.")]
Task = Annotated[str, typer.Option(help="Name of a task without sequences, such as mnist, fashion-mnist or digits.")]
Density = Annotated[
    list[float] | None, typer.Option(help="Share of weights that live; again for several. Default: all of the study.")
]
Seeds = Annotated[int, typer.Option(min=1, help="Trainings of everything that is compared.")]
Epochs = Annotated[int, typer.Option(min=1, help="Passes over the training part.")]
Rates = Annotated[
    list[float] | None,
    typer.Option(help="Learning rate; again for several, to choose from by validation. Default: those of the study."),
]
Threads = Annotated[
    int | None, typer.Option(min=1, help="Trainings at a time; results do not depend on it. Default: one a core.")
]
Engine = Annotated[str, typer.Option(help="auto, native, torch.")]
Data = Annotated[Path | None, typer.Option(help="Folder of a task's files (mnist, fashion-mnist).")]
_GOES_ON = "interrupted; the same command goes on"
Atlas = Annotated[Path, typer.Option(file_okay=False, help="Where surveys and runs are kept.")]


@study_commands.command("published-rnns")
def published_rnns(
    *,
    data: Annotated[Path, typer.Option(help="Folder that holds stier2021/, the published tables and graphs.")],
    out: Out = Path("results/published-rnns"),
    as_json: Json = False,
) -> None:
    """Predict the accuracy of 800 published recurrent networks by repeated cross-validation; takes about an hour.

    Example: wirenas study published-rnns --data data/
    """
    from nas.report.progress import counting
    from nas.studies.published_rnns import published_rnns as study

    with counting(make_console(stderr=True), "cells") as watch:
        found = study(data, out, watch)
    print_json(found) if as_json else say(make_console(), f"{out}/README.md")


@study_commands.command("prediction")
def prediction(
    *,
    out: Out = Path("results/prediction"),
    atlas: Atlas = Path("atlas"),
    population: Annotated[
        list[str] | None, typer.Option(help="One population; again for several. Default: all.")
    ] = None,
    wirings: Annotated[int | None, typer.Option(min=60, help="Wirings of each survey; fewer for a trial run.")] = None,
    as_json: Json = False,
) -> None:
    """Survey six populations of networks and judge the predictor on each; takes about two hours.

    Example: wirenas study prediction --population digits-natural-varying
    """
    from nas.studies.prediction import prediction as study

    found = study(out, atlas, tuple(population or ()), note, wirings)
    print_json(found) if as_json else say(make_console(), f"{out}/README.md")


@study_commands.command("zero-cost")
def zero_cost(
    *,
    out: Out = Path("results/prediction"),
    atlas: Atlas = Path("atlas"),
    as_json: Json = False,
) -> None:
    """Ask whether measures of untrained networks predict what structure does not; takes ten minutes.

    It reads the surveys that `wirenas study prediction` has made.

    Example: wirenas study zero-cost
    """
    from nas.studies.zero_cost import zero_cost_study

    found = zero_cost_study(out, atlas, note)
    print_json(found) if as_json else say(make_console(), f"{out}/zero-cost.md")


@study_commands.command("distances")
def distances(
    *,
    out: Out = Path("results/distances"),
    atlas: Atlas = Path("atlas"),
    population: Annotated[
        list[str] | None, typer.Option(help="One population; again for several. Default: three of digits.")
    ] = None,
    wirings: Annotated[int, typer.Option(min=60, help="Wirings of each survey; pairs grow with the square.")] = 150,
    threads: Threads = None,
    as_json: Json = False,
) -> None:
    """Predict accuracy from distances between wirings alone, beside the predictor; takes a quarter of an hour.

    It reads the surveys that `wirenas study prediction` has made.

    Example: wirenas study distances --population digits-natural-fixed
    """
    from nas.studies.distances import distances_study

    _run(
        distances_study,
        out,
        as_json=as_json,
        threads=threads,
        atlas=atlas,
        populations=population or (),
        wirings=wirings,
    )


@study_commands.command("steering")
def steering(
    *,
    out: Out = Path("results/steering"),
    atlas: Atlas = Path("atlas"),
    pool: Annotated[list[str] | None, typer.Option(help="One pool; again for several. Default: all.")] = None,
    seeds: Annotated[int | None, typer.Option(min=2, help="Runs of each arm, fewer for a trial.")] = None,
    data: Annotated[
        Path | None, typer.Option(help="Folder of image files, for a pool that is not trained yet.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Search five pools of trained networks in nine ways, again and again; takes about two hours.

    Example: wirenas study steering --pool digits-natural-varying --seeds 20
    """
    from nas.studies.steering.study import steering as study

    found = study(out, atlas, tuple(pool or ()), seeds, data, note)
    print_json(found) if as_json else say(make_console(), f"{out}/README.md")


@study_commands.command("warm-start")
def warm_start(
    *,
    out: Out = Path("results/steering"),
    atlas: Atlas = Path("atlas"),
    data: Annotated[Path | None, typer.Option(help="Folder of image files, for surveys that are not complete.")] = None,
    seeds: Annotated[int, typer.Option(min=2, help="Runs of each search.")] = 40,
    as_json: Json = False,
) -> None:
    """Let a predictor of MNIST networks start a search on Fashion-MNIST; takes half an hour, minutes once surveyed.

    Example: wirenas study warm-start --data images/
    """
    from nas.studies.steering.warm_start import warm_start as study

    found = study(out, atlas, data, seeds, note)
    print_json(found) if as_json else say(make_console(), f"{out}/warm-start.md")


@study_commands.command("pareto")
def pareto(
    *,
    out: Out = Path("results/pareto"),
    seeds: Annotated[int, typer.Option(min=2, help="Runs of each search.")] = 20,
    trainings: Annotated[int, typer.Option(min=12, help="Trainings of each run.")] = 60,
    as_json: Json = False,
) -> None:
    """Search for accurate and small networks with four samplers; takes ten minutes.

    Example: wirenas study pareto
    """
    from nas.studies.pareto import pareto_study

    found = pareto_study(out, note, seeds=seeds, trainings=trainings)
    print_json(found) if as_json else say(make_console(), f"{out}/README.md")


@study_commands.command("rewiring")
def rewiring(
    *,
    task: Task = "mnist",
    method: Annotated[
        list[str] | None, typer.Option(help="set, rigl, gmp, static or dense; again for several. Default: all.")
    ] = None,
    density: Density = None,
    seeds: Seeds = 5,
    epochs: Epochs = 100,
    learning_rate: Rates = None,
    threads: Threads = None,
    data: Data = None,
    out: Out = Path("results/rewiring"),
    as_json: Json = False,
) -> None:
    """Train LeNet-300-100 at four low densities with SET, RigL, gradual pruning and static; takes hours.

    Example: wirenas study rewiring --epochs 20 --method rigl --method static
    """
    from nas.studies.rewiring import RECIPE, rewiring_study

    _run(
        rewiring_study,
        out,
        as_json=as_json,
        task=task,
        methods=method or (),
        densities=density or (),
        seeds=seeds,
        epochs=epochs,
        rates=learning_rate or RECIPE.learning_rates,
        threads=threads,
        data=data,
    )


@study_commands.command("structure")
def structure(
    *,
    task: Annotated[
        str,
        typer.Option(
            help="Name of a task: images or rows for LeNet-300-100, sequences such as reber-embedded for a GRU."
        ),
    ] = "mnist",
    part: Annotated[
        list[str] | None, typer.Option(help="reinit, robustness or emergence; again for several. Default: all.")
    ] = None,
    method: Annotated[
        list[str] | None,
        typer.Option(help="gmp, rigl, set, static, or but for GRUs dnw; again for several. Default: all."),
    ] = None,
    density: Annotated[float, typer.Option(help="Share of weights that live.")] = 0.05,
    seeds: Seeds = 5,
    epochs: Annotated[
        int | None, typer.Option(min=1, help="Passes over the training part. Default: 15, and 60 of sequences.")
    ] = None,
    learning_rate: Rates = None,
    threads: Threads = None,
    data: Data = None,
    out: Out = Path("results/structure"),
    as_json: Json = False,
) -> None:
    """Train learned structures again, prune them further, and see when they emerge; takes half an hour.

    Example: wirenas study structure --task fashion-mnist --part emergence --method rigl
    """
    from nas.studies.structure.study import structure_study

    _run(
        structure_study,
        out,
        as_json=as_json,
        task=task,
        parts=part or (),
        methods=method or (),
        density=density,
        seeds=seeds,
        epochs=epochs,
        rates=learning_rate or (),
        threads=threads,
        data=data,
    )


@study_commands.command("drop-criteria")
def drop_criteria(
    *,
    task: Task = "fashion-mnist",
    version: Annotated[
        list[str] | None,
        typer.Option(
            help="described, released or released-sparse; again for several. Default: described and released."
        ),
    ] = None,
    density: Density = None,
    seeds: Seeds = 5,
    epochs: Epochs = 100,
    learning_rate: Rates = None,
    examples: Annotated[int | None, typer.Option(min=1, help="Examples to train on. Default: all.")] = None,
    threads: Threads = None,
    data: Data = None,
    out: Out = Path("results/drop-criteria"),
    as_json: Json = False,
) -> None:
    """Rewire LeNet-300-100 by five criteria and two kinds of growth at four densities; takes a day.

    Example: wirenas study drop-criteria --epochs 10 --examples 16000 --version described
    """
    from nas.studies.drop_criteria import RECIPE, drop_criteria_study

    _run(
        drop_criteria_study,
        out,
        as_json=as_json,
        task=task,
        versions=version or (),
        densities=density or (),
        seeds=seeds,
        epochs=epochs,
        rates=learning_rate or RECIPE.learning_rates,
        examples=examples,
        threads=threads,
        data=data,
    )


@study_commands.command("pruning")
def pruning(
    *,
    task: Task = "mnist",
    width: Annotated[int, typer.Option(min=1, help="Hidden neurons.")] = 100,
    epochs: Annotated[int, typer.Option(min=1, help="Epochs of the dense networks.")] = 20,
    learning_rate: Rates = None,
    pace: Annotated[
        list[str] | None,
        typer.Option(help="Such as '50 %', 'at once, up to 25 epochs'; again for several. Default: all nine."),
    ] = None,
    seeds: Seeds = 5,
    engine: Engine = "auto",
    threads: Threads = None,
    data: Data = None,
    out: Out = Path("results/pruning"),
    as_json: Json = False,
) -> None:
    """Prune and retrain networks by six methods and at nine paces, beside unpruned ones; takes an hour.

    Example: wirenas study pruning --epochs 12 --pace '50 %'
    """
    from nas.studies.pruning import pruning_study
    from nas.studies.pruning_runs import RECIPE

    _run(
        pruning_study,
        out,
        as_json=as_json,
        task=task,
        data=data,
        width=width,
        epochs=epochs,
        rates=learning_rate or RECIPE.learning_rates,
        paces=pace or (),
        seeds=seeds,
        engine=engine,
        threads=threads,
    )


@study_commands.command("rnn-pruning")
def rnn_pruning(
    *,
    cell: Annotated[
        list[str] | None, typer.Option(help="tanh, relu, lstm or gru; again for several. Default: all.")
    ] = None,
    level: Annotated[
        list[int] | None, typer.Option(help="Percent that are pruned; again for several. Default: 10, 20, …, 100.")
    ] = None,
    strings: Annotated[int, typer.Option(min=20, help="Strings, of which half are of the grammar.")] = 25_000,
    width: Annotated[int, typer.Option(min=1, help="Neurons of each of three layers.")] = 50,
    epochs: Epochs = 50,
    retraining: Annotated[int, typer.Option(min=1, help="Epochs after pruning.")] = 10,
    learning_rate: Rates = None,
    structure_strings: Annotated[int, typer.Option(min=20, help="Strings for GRUs that learn structure.")] = 4_000,
    structure_epochs: Annotated[int, typer.Option(min=1, help="Epochs of GRUs that learn structure.")] = 60,
    neurons: Annotated[int, typer.Option(min=8, help="Neurons of GRUs that learn structure.")] = 48,
    seeds: Seeds = 5,
    engine: Engine = "auto",
    threads: Threads = None,
    data: Annotated[Path | None, typer.Option(help="Folder of japanese-vowels.npz, a second task.")] = None,
    out: Out = Path("results/rnn-pruning"),
    as_json: Json = False,
) -> None:
    """Prune recurrent networks of four cells, and compare GRUs that learn their structure; takes a day.

    Example: wirenas study rnn-pruning --strings 2000 --width 20 --epochs 15 --level 50 --level 80
    """
    from nas.studies.rnn_pruning import CELLS, LEVELS, RECIPE, rnn_pruning_study

    _run(
        rnn_pruning_study,
        out,
        as_json=as_json,
        data=data,
        cells=cell or CELLS,
        levels=level or LEVELS,
        strings=strings,
        width=width,
        epochs=epochs,
        retraining=retraining,
        rates=learning_rate or RECIPE.learning_rates,
        structure_strings=structure_strings,
        structure_epochs=structure_epochs,
        neurons=neurons,
        seeds=seeds,
        engine=engine,
        threads=threads,
    )


@study_commands.command("ways")
def ways(
    *,
    task: Annotated[list[str] | None, typer.Option(help="One task; again for several. Default: all.")] = None,
    budget: Annotated[
        str | None, typer.Option(help="What every network may cost, as for `run --budget`. Default: 1000.")
    ] = None,
    seeds: Annotated[int, typer.Option(min=2, help="Searches of everything that is compared.")] = 20,
    seconds: Annotated[float, typer.Option(min=0.1, help="That trainings of a search may take.")] = 8.0,
    epochs: Epochs = 5,
    examples: Annotated[int, typer.Option(min=100, help="To learn from and to choose by.")] = 8_000,
    threads: Threads = None,
    data: Annotated[Path | None, typer.Option(help="Folder of files of images, and of higgs_sample.npz.")] = None,
    out: Out = Path("results/ways"),
    as_json: Json = False,
) -> None:
    """Search all ways to a structure, each alone, and by chance, for the same time; takes an hour.

    Example: wirenas study ways --task digits --budget 300 --seeds 5 --seconds 2
    """
    from nas.studies.ways import ways_study

    _run(
        ways_study,
        out,
        as_json=as_json,
        tasks=task or (),
        data=data,
        budget=budget,
        seeds=seeds,
        seconds=seconds,
        epochs=epochs,
        examples=examples,
        threads=threads,
    )


@study_commands.command("read-ins")
def read_ins(
    *,
    task: Task = "mnist",
    budget: Annotated[str, typer.Option(help="What every network costs, as for `run --budget`.")] = "3000",
    wirings: Annotated[int, typer.Option(min=60, help="Wirings, of all kinds alike; fewer for a trial run.")] = 2000,
    replicates: Annotated[int, typer.Option(min=1, help="Trainings of each wiring.")] = 2,
    epochs: Epochs = 3,
    learning_rate: Annotated[float, typer.Option(help="Of all trainings.")] = 0.01,
    threads: Threads = None,
    data: Data = None,
    out: Out = Path("results/read-ins"),
    as_json: Json = False,
) -> None:
    """Train networks of one cost that read in different ways, and predict how well they do; takes an hour.

    Example: wirenas study read-ins --task digits --budget 300 --wirings 200
    """
    from nas.studies.read_ins import read_ins_study

    _run(
        read_ins_study,
        out,
        as_json=as_json,
        task=task,
        data=data,
        budget=budget,
        wirings=wirings,
        replicates=replicates,
        epochs=epochs,
        rate=learning_rate,
        threads=threads,
    )


@study_commands.command("records")
def records(
    *,
    task: Annotated[list[str] | None, typer.Option(help="One task; again for several. Default: all.")] = None,
    budgets: Annotated[
        list[str] | None, typer.Option(metavar="TEXT", help="Budgets in place of the study's. Several with commas.")
    ] = None,
    trials: Annotated[int | None, typer.Option(min=1, help="Trials of each campaign; fewer for a trial run.")] = None,
    epochs: Annotated[int | None, typer.Option(min=1, help="Of a trial's training; fewer for a trial run.")] = None,
    seeds: Annotated[int, typer.Option(min=2, help="Fresh seeds of what is tested.")] = 10,
    threads: Threads = None,
    data: Annotated[
        Path | None, typer.Option(help="Folder of files of images, of higgs_sample.npz and japanese-vowels.npz.")
    ] = None,
    out: Out = Path("results/records"),
    as_json: Json = False,
) -> None:
    """Find the best network for each of several budgets on seven tasks; takes about an hour.

    Example: wirenas study records --task digits --task mnist-1d
    """
    with interruptible(_GOES_ON):
        from nas.cli.commands import split_lists
        from nas.report.progress import CampaignDisplay
        from nas.studies.records import records_study

        console = make_console(stderr=True)
        options: dict[str, Any] = {} if trials is None else {"trials": trials}
        options |= {} if epochs is None else {"recipe": {"epochs": epochs}}

        def display(name: str, campaign: Campaign) -> CampaignDisplay:
            say(console, f"{name}: {campaign.out}")
            return CampaignDisplay(console, campaign.options.direction, None, by_size=False)

        found = records_study(
            out,
            display,
            tasks=task or (),
            budgets=split_lists(budgets or []),
            data=data,
            seeds=seeds,
            threads=threads,
            **options,
        )
    print_json(found) if as_json else say(make_console(), f"{out}/README.md")


@study_commands.command("topology")
def topology(
    *,
    part: Annotated[
        list[str] | None,
        typer.Option(help="set-vs-dense, evolution or plenitude; again for several. Default: all."),
    ] = None,
    task: Task = "fashion-mnist",
    seeds: Annotated[int, typer.Option(min=1, help="Networks of each kind where SET is held against dense ones.")] = 20,
    epochs: Annotated[int, typer.Option(min=1, help="Passes of dense networks over their examples.")] = 10,
    sparse_epochs: Annotated[int, typer.Option(min=2, help="Passes of the sparse ones beside them.")] = 50,
    examples: Annotated[int, typer.Option(min=1, help="That each seed draws to train on.")] = 2_000,
    width: Annotated[int, typer.Option(min=1, help="Neurons of each of three hidden layers.")] = 1_000,
    nets: Annotated[int, typer.Option(min=3, help="Networks whose topologies are compared, of each kind.")] = 10,
    net_epochs: Annotated[int, typer.Option(min=1, help="Passes of these.")] = 200,
    net_examples: Annotated[int, typer.Option(min=1, help="Examples that these are trained on.")] = 8_000,
    net_width: Annotated[int, typer.Option(min=1, help="Neurons of each of their three hidden layers.")] = 784,
    learning_rate: Rates = None,
    threads: Threads = None,
    data: Data = None,
    out: Out = Path("results/topology"),
    as_json: Json = False,
) -> None:
    """Hold SET against dense networks, and see how far apart its structures end; takes an hour.

    Example: wirenas study topology --part evolution --net-epochs 50
    """
    from nas.studies.topology import topology_study
    from nas.studies.topology_nets import RECIPE, Sizes

    sizes = Sizes(
        seeds=seeds,
        epochs=epochs,
        sparse_epochs=sparse_epochs,
        examples=examples,
        width=width,
        nets=nets,
        net_epochs=net_epochs,
        net_examples=net_examples,
        net_width=net_width,
    )
    _run(
        topology_study,
        out,
        as_json=as_json,
        task=task,
        parts=part or (),
        sizes=sizes,
        rates=learning_rate or RECIPE.learning_rates,
        threads=threads,
        data=data,
    )


def _run(
    study: Callable[..., dict[str, Any]], out: Path, *, as_json: bool, threads: int | None, **options: Any
) -> None:
    """Run a study that shows its progress and goes on where it was stopped, and tell where its page is."""
    from nas.options.resolve import n_cores
    from nas.report.progress import stages

    with interruptible(_GOES_ON), stages(make_console(stderr=True)) as watch:
        found = study(out, watch, threads=threads or n_cores(), **options)
    print_json(found) if as_json else say(make_console(), f"{out}/README.md")


@study_commands.command("planted")
def planted(
    *,
    out: Out = Path("results/planted"),
    cases: Annotated[int, typer.Option(min=2, help="Wirings that are compared; half of them are nulls.")] = 100,
    threads: Threads = None,
    as_json: Json = False,
) -> None:
    """Compare wirings of which it is known what they are worth: do intervals hold it? Takes about ten minutes.

    Example: wirenas study planted --cases 20
    """
    from nas.options.resolve import n_cores
    from nas.report.progress import stages
    from nas.studies.planted import planted_study

    with interruptible(_GOES_ON), stages(make_console(stderr=True), "comparisons") as watch:
        found = planted_study(out, watch, cases=cases, threads=threads or n_cores())
    print_json(found) if as_json else say(make_console(), f"{out}/README.md")


@study_commands.command("connectomes")
def connectomes(
    *,
    out: Out = Path("results/connectomes"),
    brain: Annotated[list[str] | None, typer.Option(help="worm or macaque; again for several. Default: both.")] = None,
    work: Annotated[list[str] | None, typer.Option(help="reservoir or rnn; again for both. Default: both.")] = None,
    nulls: Annotated[int, typer.Option(min=2, help="Nulls of each kind.")] = 1000,
    graph: Annotated[
        Path | None, typer.Option(help="A connectome of your own, in place of the stand-ins.", show_default=False)
    ] = None,
    threads: Threads = None,
    as_json: Json = False,
) -> None:
    """Compare wirings of the size of brains with their nulls, as reservoirs and as GRUs; takes two hours.

    Example: wirenas study connectomes --work reservoir --nulls 200
    """
    from nas.options.resolve import n_cores
    from nas.report.progress import stages
    from nas.studies.connectomes import connectomes_study

    with interruptible(_GOES_ON), stages(make_console(stderr=True), "wirings") as watch:
        found = connectomes_study(
            out, watch, brains=tuple(brain or ()), works=tuple(work or ()), n_nulls=nulls, graph=graph,
            threads=threads or n_cores(),
        )  # fmt: skip
    print_json(found) if as_json else say(make_console(), f"{out}/README.md")
