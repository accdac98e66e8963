"""The commands that fit, ask and judge predictors; a part of `nas.cli.app`. Parse, call, print; no logic."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from nas.cli.commands import Commands, split_lists
from nas.cli.console import Json, make_console, note, print_csv, print_json
from nas.cli.flags import Directed, GraphFormat, Merge
from nas.errors import InputError

__all__ = ["predictor_commands"]

predictor_commands = Commands()

Predicting = Annotated[
    Path,
    typer.Argument(metavar="OUT", help="Folder of a campaign, a survey or a predictor.", show_default=False),
]
Graphs = Annotated[
    list[Path],
    typer.Argument(
        metavar="GRAPH...",
        help="Folders, archives and files of graphs: graphml, gexf, gml, net, edgelist, csv, txt, json, npz, mtx, ….",
        show_default=False,
    ),
]
Tiers = Annotated[
    list[str] | None,
    typer.Option("--tier", help="size, structure, centrality, published, recurrent; several with commas, or again."),
]


@predictor_commands.command()
def predict(
    out: Predicting,
    graphs: Graphs,
    *,
    coverage: Annotated[float, typer.Option(help="Share of trainings inside the interval.")] = 0.9,
    explain: Annotated[
        bool, typer.Option("--explain", help="Say which families of features each prediction rests on; takes longer.")
    ] = False,
    graph_format: GraphFormat = None,
    directed: Directed = None,
    merge: Merge = "sum",
    as_json: Json = False,
) -> None:
    """Predict how well candidate graphs will do, and how sure that is.

    A graph that is wrong has a line on stderr, and exit code 2; the others are answered.

    Example: wirenas predict results/digits candidate.graphml
    """
    from nas.cli.display import show_predictions
    from nas.prediction.answers import predictions

    found, failed, worth = predictions(
        out, graphs, coverage, explain=explain, format=graph_format, directed=directed, merge=merge
    )
    _tell(failed)
    if found:
        document = _with_failed({"predictions": found, "r2": worth["r2"].get("predictor")}, failed)
        print_json(document) if as_json else show_predictions(make_console(), out, found, worth)
    if failed:
        raise typer.Exit(2)


@predictor_commands.command()
def features(
    graphs: Graphs,
    *,
    tier: Tiers = None,
    graph_format: GraphFormat = None,
    directed: Directed = None,
    merge: Merge = "sum",
    as_csv: Annotated[bool, typer.Option("--csv", help="Print a table of csv: a row a graph.")] = False,
    as_json: Json = False,
) -> None:
    """Measure graphs: all features, or those of some tiers.

    A graph that is wrong has a line on stderr, and exit code 2; the others are measured.

    Example: wirenas features candidate.graphml --tier size --tier structure
    """
    from nas.cli.display import show_features
    from nas.prediction.answers import features_of
    from predictors import TIERS

    if as_csv and as_json:
        raise InputError("--csv, --json: one of the two is printed; leave one out")
    tiers = tuple(split_lists(tier)) if tier else TIERS
    found, failed = features_of(graphs, tiers, format=graph_format, directed=directed, merge=merge)
    _tell(failed)
    if found and as_csv:
        print_csv([{"graph": row["graph"], **row["counts"], **row["features"]} for row in found])
    elif found:
        print_json(_with_failed({"graphs": found}, failed)) if as_json else show_features(make_console(), found)
    if failed:
        raise typer.Exit(2)


def _tell(failed: Mapping[str, str]) -> None:
    """Print a line on each graph that is wrong; the others are answered all the same."""
    for line in failed.values():
        note(f"wirenas: {line}")


def _with_failed(document: dict[str, Any], failed: Mapping[str, str]) -> dict[str, Any]:
    """Return what --json prints, with the graphs that are missing in it and why, if there are any."""
    wrong = [{"graph": name, "error": line} for name, line in failed.items()]
    return {**document, "failed": wrong} if wrong else document


@predictor_commands.command()
def fit(
    table: Annotated[
        Path,
        typer.Argument(metavar="TABLE", help="A csv file with a column of graph files and one of values."),
    ],
    *,
    out: Annotated[Path, typer.Option(help="The predictor's folder.")],
    graph: Annotated[str, typer.Option(help="Column of graph files; paths count from the table's folder.")] = "graph",
    value: Annotated[list[str] | None, typer.Option(help="Column of values; again for replicates.")] = None,
    group: Annotated[str | None, typer.Option(help="Column of lineage: rows that stay together in folds.")] = None,
    parameter: Annotated[list[str] | None, typer.Option(help="Column of what graphs were drawn from.")] = None,
    tier: Tiers = None,
    orientation: Annotated[
        str | None, typer.Option(help="index or degree: how undirected graphs became networks without cycles.")
    ] = None,
    minimize: Annotated[bool, typer.Option("--minimize", help="Smaller values are better.")] = False,
    bounds: Annotated[str | None, typer.Option(metavar="LOW:HIGH", help="What values can be, such as 0:1.")] = None,
    chance: Annotated[float | None, typer.Option(help="Value of a network that learnt nothing.")] = None,
    seed: Annotated[int, typer.Option(min=0, help="Seed of folds and forests.")] = 0,
    graph_format: GraphFormat = None,
    directed: Directed = None,
    merge: Merge = "sum",
    as_json: Json = False,
) -> None:
    """Fit a predictor to graphs of your own and what they reached.

    Example: wirenas fit trained.csv --value accuracy --bounds 0:1 --out predictor/
    """
    from nas.cli.display import show_worth
    from nas.prediction.answers import fit_table
    from predictors import Preparation

    if orientation not in (None, "index", "degree"):
        raise InputError(f"orientation={orientation}: valid are index and degree, which leave nothing to chance")
    predictor = fit_table(
        table,
        out,
        graph=graph,
        value=tuple(value or ("value",)),
        group=group,
        parameters=tuple(parameter or ()),
        tiers=tuple(split_lists(tier)) if tier else None,
        preparation=Preparation(orientation=(orientation,)) if orientation else None,
        direction="minimize" if minimize else "maximize",
        bounds=_range(bounds),
        chance=chance,
        reading={"format": graph_format, "directed": directed, "merge": merge},
        seed=seed,
    )
    found = {"out": str(out), **predictor.worth()}
    print_json(found) if as_json else show_worth(make_console(), found)


@predictor_commands.command()
def validate(
    out: Predicting,
    *,
    repeats: Annotated[int, typer.Option(min=1, help="Repeats of the cross-validation.")] = 4,
    folds: Annotated[int, typer.Option(min=2, help="Folds of each repeat.")] = 5,
    as_json: Json = False,
) -> None:
    """Judge a predictor: against baselines, the noise ceiling, families never seen; writes tables and figures.

    Example: wirenas validate results/digits
    """
    from nas.cli.display import show_validation
    from nas.prediction.validation import validate_into
    from nas.report.progress import counting

    with counting(make_console(stderr=True), "fits") as watch:
        found = validate_into(out, repeats=repeats, folds=folds, watch=watch)
    print_json(found) if as_json else show_validation(make_console(), found)


@predictor_commands.command()
def explain(out: Predicting, *, as_json: Json = False) -> None:
    """Say which families of features a predictor's accuracy rests on. An association, not a cause.

    Example: wirenas explain results/digits
    """
    from nas.cli.display import show_explanation
    from nas.prediction.validation import explanation

    found = explanation(out)
    print_json(found) if as_json else show_explanation(make_console(), found)


def _range(text: str | None) -> tuple[float, float] | None:
    if text is None:
        return None
    low, _, high = text.partition(":")
    try:
        found = (float(low), float(high))
    except ValueError:
        raise InputError(f"bounds={text}: two numbers are needed, such as 0:1") from None
    if not -math.inf < found[0] < found[1] < math.inf:
        raise InputError(f"bounds={text}: two finite numbers are needed, the first below the second, such as 0:1")
    return found
