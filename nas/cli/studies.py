"""The command ``wirenas study``: experiments that write into results/. Parse, call, print; no logic."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from nas.cli.console import Json, make_console, print_json, say

__all__ = ["study_commands"]

study_commands = typer.Typer(no_args_is_help=True)


@study_commands.command("published-rnns")
def published_rnns(
    *,
    data: Annotated[Path, typer.Option(help="Folder that holds stier2021/, the published tables and graphs.")],
    out: Annotated[Path, typer.Option(file_okay=False, help="Where numbers, tables and figures go.")] = Path(
        "results/published-rnns"
    ),
    as_json: Json = False,
) -> None:
    """Predict the accuracy of 800 published recurrent networks by repeated cross-validation; takes about an hour.

    Example: wirenas study published-rnns --data data/
    """
    from nas.cli.display_predictors import counting
    from nas.studies.published_rnns import published_rnns as study

    with counting(make_console(stderr=True), "cells") as watch:
        found = study(data, out, watch)
    print_json(found) if as_json else say(make_console(), f"{out}/README.md")


@study_commands.command("prediction")
def prediction(
    *,
    out: Annotated[Path, typer.Option(file_okay=False, help="Where numbers, tables and figures go.")] = Path(
        "results/prediction"
    ),
    atlas: Annotated[Path, typer.Option(file_okay=False, help="Where surveys lie, or go.")] = Path("atlas"),
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

    console = make_console(stderr=True)
    found = study(out, atlas, tuple(population or ()), lambda line: say(console, line), wirings)
    print_json(found) if as_json else say(make_console(), f"{out}/README.md")


@study_commands.command("zero-cost")
def zero_cost(
    *,
    out: Annotated[Path, typer.Option(file_okay=False, help="Where numbers and tables go.")] = Path(
        "results/prediction"
    ),
    atlas: Annotated[Path, typer.Option(file_okay=False, help="Where the surveys of `study prediction` lie.")] = Path(
        "atlas"
    ),
    as_json: Json = False,
) -> None:
    """Ask whether measures of untrained networks predict what structure does not; takes ten minutes.

    Example: wirenas study zero-cost
    """
    from nas.studies.zero_cost import zero_cost_study

    console = make_console(stderr=True)
    found = zero_cost_study(out, atlas, lambda line: say(console, line))
    print_json(found) if as_json else say(make_console(), f"{out}/zero-cost.md")


@study_commands.command("steering")
def steering(
    *,
    out: Annotated[Path, typer.Option(file_okay=False, help="Where numbers, tables and figures go.")] = Path(
        "results/steering"
    ),
    atlas: Annotated[Path, typer.Option(file_okay=False, help="Where surveys and runs lie, or go.")] = Path("atlas"),
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

    console = make_console(stderr=True)
    found = study(out, atlas, tuple(pool or ()), seeds, data, lambda line: say(console, line))
    print_json(found) if as_json else say(make_console(), f"{out}/README.md")


@study_commands.command("warm-start")
def warm_start(
    *,
    out: Annotated[Path, typer.Option(file_okay=False, help="Where numbers and the table go.")] = Path(
        "results/steering"
    ),
    atlas: Annotated[Path, typer.Option(file_okay=False, help="Where surveys lie, or go.")] = Path("atlas"),
    data: Annotated[Path | None, typer.Option(help="Folder of image files, for surveys that are not complete.")] = None,
    seeds: Annotated[int, typer.Option(min=2, help="Runs of each search.")] = 40,
    as_json: Json = False,
) -> None:
    """Let a predictor of MNIST networks start a search on Fashion-MNIST; takes half an hour, minutes once surveyed.

    Example: wirenas study warm-start --data images/
    """
    from nas.studies.steering.warm_start import warm_start as study

    console = make_console(stderr=True)
    found = study(out, atlas, data, seeds, lambda line: say(console, line))
    print_json(found) if as_json else say(make_console(), f"{out}/warm-start.md")


@study_commands.command("pareto")
def pareto(
    *,
    out: Annotated[Path, typer.Option(file_okay=False, help="Where runs, numbers and the figure go.")] = Path(
        "results/pareto"
    ),
    seeds: Annotated[int, typer.Option(min=2, help="Runs of each search.")] = 20,
    trainings: Annotated[int, typer.Option(min=12, help="Trainings of each run.")] = 60,
    as_json: Json = False,
) -> None:
    """Search for accurate and small networks with four samplers; takes ten minutes.

    Example: wirenas study pareto
    """
    from nas.studies.pareto import pareto_study

    console = make_console(stderr=True)
    found = pareto_study(out, lambda line: say(console, line), seeds=seeds, trainings=trainings)
    print_json(found) if as_json else say(make_console(), f"{out}/README.md")
