"""What people see when a command is done: a summary on stdout."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table

from nas.cli.console import duration, say, say_in_lines
from nas.cli.tables import make_table, print_table
from nas.options.options import LEAST_TO_JUDGE
from nas.report.card import comparison, number, spread
from nas.report.chosen import chosen_record, explain_choice, params_in_words
from nas.report.outcome import Outcome
from nas.report.reads import READS
from nas.report.verdict import explain_words, verdict_lines
from nas.store.records import Records
from predictors import FEATURES

if TYPE_CHECKING:
    from nas.report.frontier import Frontier
    from nas.store.survey_table import SurveyOutcome

__all__ = [
    "show_best",
    "show_end",
    "show_explanation",
    "show_features",
    "show_frontier",
    "show_outcome",
    "show_predictions",
    "show_survey",
    "show_survey_end",
    "show_validation",
    "show_worth",
    "show_written",
]

_DRIVES = 3
_FEWEST_PAIRS = 8
"""Predictions with their values from which on a correlation of both says something."""
_FRAME, _COLUMN = 4, 15


def show_end(console: Console, outcome: Outcome, records: Records) -> None:
    """Print what a run comes to: its networks, the verdict, and the command that shows the rest."""
    if outcome.test is None:
        show_outcome(console, outcome, records)
        return
    assert outcome.best is not None
    if outcome.front:
        _show_members(console, outcome.to_json())
        say(console, f"The found wiring is that of trial {outcome.best['trial']}.")
    else:
        _show_networks(console, outcome)
    _show_verdict(console, outcome.verdict)
    if why := explain_choice(records, outcome.best, outcome.direction, outcome.test):
        say_in_lines(console, why)
    if (Path(outcome.out) / "best" / READS).is_file():
        say(console, f"What the network reads: {outcome.out}/best/{READS}")
    say(console, f"Network and card: {outcome.out}/best/   all else: wirenas status {shlex.quote(outcome.out)}")


def show_outcome(console: Console, outcome: Outcome, records: Records) -> None:
    """Print all that a campaign found and where it lies."""
    if outcome.best is None:
        say(console, f"{outcome.out}: no trial is complete yet ({_incomplete(outcome)})")
        return
    best = outcome.best
    words = params_in_words(best["params"], chosen_record(records, best))
    params = ", ".join(f"{name} {text}" for name, text in words.items() if "seed" not in name)
    value = f"{outcome.metric} {number(best['value'])}{_on_validation(outcome.task is not None)}"
    say_in_lines(
        console,
        f"{outcome.complete} trials complete, {_incomplete(outcome)}. Best: trial {best['trial']}, {value} ({params}).",
    )
    if why := explain_choice(records, best, outcome.direction, outcome.test):
        say_in_lines(console, why)
    if outcome.test is not None:
        _show_networks(console, outcome)
        _show_verdict(console, outcome.verdict)
        say(console, f"Test: mean ± standard deviation over {outcome.test['seeds']} fresh seeds.")
    _show_front(console, outcome.to_json())
    _show_steering(console, outcome)
    if outcome.predictor is not None:
        show_worth(console, {**outcome.predictor, "out": outcome.out})
    if outcome.over:
        what = "network" if outcome.task else "wiring"
        say(console, f"Best {what} and card: {outcome.out}/best/   plot: {outcome.out}/progress.png")
    else:
        say(console, f"Not over yet: the command that started it goes on; all trials: {outcome.out}/trials.csv")


def show_frontier(console: Console, frontier: Frontier) -> None:
    """Print the networks of several budgets, a block a budget."""
    header, rows = frontier.table()
    for row in rows:
        budget, *cells, lead = row
        table = Table("network", f"test {frontier.metric}", title=f"budget {budget}", title_justify="left")
        for name, cell in zip(header[1:-1], cells, strict=True):
            table.add_row(name, cell)
        table.add_section()
        table.add_row(header[-1], lead)
        print_table(console, table)
    say(console, f"Table, curve and networks: {frontier.out}/frontier.csv, frontier.png, BUDGET/best/")


def _on_validation(has_task: bool) -> str:
    """Return where a value was measured: of an own evaluation nobody knows."""
    return " on validation" if has_task else ""


def _show_networks(console: Console, outcome: Outcome) -> None:
    """Print the tests of the found wiring and its references, and what simple rules reach."""
    assert outcome.best is not None
    table = make_table("network", f"test {outcome.metric}", "parameters", outcome.rung)
    (name, *found), *rivals = comparison(outcome)
    table.add_row(f"{name}, trial {outcome.best['trial']}", *found)
    for row in rivals:
        table.add_row(*row)
    table.add_section()
    for rule, plateau in (outcome.plateaus or {}).items():
        table.add_row(f"plateau of a rule: {rule}", number(plateau), "–", "–")
    print_table(console, table)


def _show_verdict(console: Console, verdict: str) -> None:
    """Print a verdict at the width of the terminal, a line a reference, and what its words mean."""
    for line in verdict_lines(verdict):
        say_in_lines(console, line)
    if (meaning := explain_words(verdict)) is not None:
        say_in_lines(console, meaning)


def _incomplete(outcome: Outcome) -> str:
    stopped = f"{outcome.stopped} stopped early, " if outcome.stopped else ""
    return f"{stopped}{outcome.failed} failed"


def _show_front(console: Console, found: Mapping[str, Any]) -> None:
    """Print the members of a front, if there is one, by size, each beside the dense network of equal parameters."""
    if not found.get("front"):
        return
    _show_members(console, found)
    if found["over"]:
        say(console, "Front: {out}/front.csv   plot: {out}/front.png   wirings: {out}/front/".format(**found))


def _show_members(console: Console, found: Mapping[str, Any]) -> None:
    """Print the table of a front."""
    front, rivals = found["front"], found["front_references"]
    say(console, f"The front: {len(front)} wirings that no other one is as good as with no more parameters.")
    tests_of_dense = {row["trial"]: row["test"] for row in rivals if row["trial"] is not None}
    names = ("parameters", "trial", "search", "validation", "test", *(["dense: test"] if tests_of_dense else []))
    table = make_table(*names)
    for entry in front:
        parts = (entry["validation"], entry["test"], tests_of_dense.get(entry["trial"]))[: len(names) - 3]
        cells = (str(entry["n_parameters"]), str(entry["trial"]), number(entry["value"]))
        table.add_row(*cells, *("" if part is None else spread(part) for part in parts))
    for linear in (row for row in rivals if row["trial"] is None):
        table.add_row(str(linear["n_parameters"]), "linear", "", spread(linear["validation"]), spread(linear["test"]))
    print_table(console, table)
    for line in _explain_members(front, rivals, bool(tests_of_dense)):
        say_in_lines(console, line)


def _explain_members(
    front: Sequence[Mapping[str, Any]], rivals: Sequence[Mapping[str, Any]], has_dense: bool
) -> Iterator[str]:
    """Yield what the table of a front shows, and why it has empty places."""
    fresh = sum(entry["test"] is not None for entry in front)
    if not fresh:
        return
    dense = "; dense: of as many parameters as comes nearest" if has_dense else ""
    if rivals:
        yield f"Validation and test: with fresh seeds{dense}."
    if fresh < len(front):
        yield f"{fresh} of the {len(front)} were trained afresh, as many as there are finalists; others have no test."
    if has_dense:
        yield "Dense networks stand beside the smallest, the middle and the largest of these."
    else:
        yield "No dense network of equal size stands beside: with so few parameters one has hardly a hidden neuron."


def _show_steering(console: Console, outcome: Outcome) -> None:
    """Print what predictions did for a search, and what choosing and storing cost it."""
    if (found := outcome.steering) is not None:
        # Outcomes of fronts hold no means, and those of an older version do not say how often TPE took over.
        steered = "" if found["steered"] is None else f" reached {number(found['steered'])} on average"
        chance = "" if found["chance"] is None else f" {number(found['chance'])}"
        text = f"{found['n_steered']} trials chosen by predictions{steered}, {found['n_chance']} by chance{chance}."
        if found.get("n_fallback"):
            text += f" {found['n_fallback']} chosen by TPE, while predictions were no better than the mean."
        if found["rank_correlation"] is not None and found["n_steered"] >= _FEWEST_PAIRS:
            text += f" Predicted before training: rank correlation {found['rank_correlation']:.2f}"
            text += f", {_percent(found['coverage'])} of values inside of their 90 % intervals."
        say_in_lines(console, f"Steering: {text}")
    if (overhead := outcome.overhead) is not None and overhead["share"] is not None:
        took = f"{_percent(overhead['share'])} of the time of the trials"
        if overhead["share"] > 1:  # Of trials that take next to nothing, the share says nothing.
            took = f"{(overhead['choosing'] or 0.0) + (overhead['storing'] or 0.0):.1f} s"
        say(console, f"Choosing and storing took {took}.")


def show_best(
    console: Console, found: Mapping[str, Any], records: Records, direction: str, *, has_task: bool = True
) -> None:
    """Print the best candidate, its files, and the front that it is of."""
    best = found["best"]
    say(console, f"trial {best['trial']}, {number(best['value'])}{_on_validation(has_task)}")
    if why := explain_choice(records, best, direction, found["test"]):
        say_in_lines(console, why)
    for name, text in params_in_words(best["params"], chosen_record(records, best)).items():
        say(console, f"  {name}: {text}")
    if best.get("chosen"):
        say(console, f"chosen: {best['chosen']}")
    if best.get("prediction") is not None:
        expected = {"mean": best["prediction"], "std": best["prediction_std"]}
        say(console, f"predicted before training: {spread(expected)}")
    if found["test"] is not None:
        say(console, f"test: {spread(found['test'])} over {found['test']['seeds']} seeds")
        _show_verdict(console, found["verdict"])
    for file in found["files"]:
        say(console, file)
    _show_front(console, found)


def show_written(console: Console, written: Mapping[str, Any]) -> None:
    """Print what a network that was written consists of, and how to load it."""
    kind = written.get("cell") or written.get("activation")
    dead = f" ({written['n_dead']} dead: nothing reaches them, or nothing reads them)" if written.get("n_dead") else ""
    say(
        console,
        f"{written['out']}: {written['nodes']} {kind} neurons{dead}, {written['edges']} edges, "
        f"{written['n_parameters']} parameters, {written['fingerprint'][:12]}",
    )
    say(console, f'load: nas.networks.load_network("{written["out"]}/network.safetensors")')


def show_survey(console: Console, outcome: SurveyOutcome) -> None:
    """Print all that a survey holds and how to read it."""
    say(console, _describe_survey(outcome))
    if outcome.wirings < outcome.wanted:
        say(console, "Not over yet: the command that started it goes on.")
    say(console, f'Rows: {outcome.out}/parts/   as a table: nas.load("{outcome.out}").to_frame()')
    if outcome.predictor is not None:
        show_worth(console, {**outcome.predictor, "out": outcome.out})


def show_survey_end(console: Console, outcome: SurveyOutcome) -> None:
    """Print what a survey holds, and the command that shows the rest."""
    say(console, _describe_survey(outcome))
    say(console, f"How to read it, and what it predicts: wirenas status {shlex.quote(outcome.out)}")


def _describe_survey(outcome: SurveyOutcome) -> str:
    wirings = f"{outcome.wirings}" if outcome.wirings >= outcome.wanted else f"{outcome.wirings} of {outcome.wanted}"
    mishaps = f"{outcome.diverged} diverged, {outcome.failed} failed"
    return f"{wirings} wirings, {outcome.trainings} trainings ({mishaps}), {duration(outcome.seconds)} of training."


def show_predictions(console: Console, out: Path, found: Sequence[Mapping[str, Any]], worth: Mapping[str, Any]) -> None:
    """Print what is expected of every graph, and what that rests on; for many graphs, a line each is easy to search."""
    for row in found:
        say(
            console,
            f"{row['graph']}: {row['mean']:.4g} ± {row['std']:.2g} expected, "
            f"{100 * row['coverage']:.4g} % of trainings "
            f"within {row['low']:.4g} to {row['high']:.4g}, rank {row['rank']} of {row['of']}",
        )
        if row["contributions"] is not None:
            drives = [f"{family} {share:+.2g}" for family, share in row["contributions"].items() if share][:_DRIVES]
            say(console, f"  against typical wirings: {', '.join(drives) or 'no difference'}")
        if not row["in_domain"]:
            say(console, f"  unlike what was trained, so this is a guess: {row['outside']}")
        if row["trains"] < 0.9:
            say(console, f"  trains at all with a probability of {_percent(row['trains'])}")
    judge = f" Judge the predictor itself: wirenas validate {out}" if found and found[0]["of"] >= LEAST_TO_JUDGE else ""
    say(console, f"± is of a single training.{judge}")
    _warn_of_worth(console, worth)


def show_features(console: Console, found: Sequence[Mapping[str, Any]]) -> None:
    """Print features, one row each, with a column a graph: as many tables below each other as the width needs."""
    names = list(found[0]["features"])
    least = max(map(len, names), default=0) + _FRAME
    at_once = max(1, (console.width - least) // _COLUMN)
    for first in range(0, len(found), at_once):
        some = found[first : first + at_once]
        title = f"graphs {first + 1} to {first + len(some)} of {len(found)}" if at_once < len(found) else None
        table = make_table(title=title)
        table.add_column("feature", no_wrap=True)
        for row in some:
            table.add_column(Path(row["graph"]).name, overflow="fold")
        for label, key in (("neurons", "nodes"), ("edges", "edges")):
            counts = [row["counts"] for row in some]
            kinds = ["" if key == "nodes" or one["directed"] else " undirected" for one in counts]
            table.add_row(label, *(f"{one[key]}{kind}" for one, kind in zip(counts, kinds, strict=True)))
        densities = (f"{row['counts']['edge_density']:.6g}" for row in some)
        table.add_row("edges / possible", *densities)
        family = ""
        for name in names:
            if FEATURES[name].family != family:
                family = FEATURES[name].family
                table.add_section()
                table.add_row(f"[dim]{FEATURES[name].tier}: {family}[/dim]")
            values = (row["features"][name] for row in some)
            table.add_row(name, *("–" if value is None else f"{value:.6g}" for value in values))
        print_table(console, table)
    directed = {row["counts"]["directed"] for row in found}
    if "n_edges" in names and False in directed:
        say_in_lines(console, "n_edges counts an undirected edge twice, once in each direction.")
    if "density" in names and True in directed:
        say_in_lines(
            console, "density is of pairs that are joined, whatever their directions; edges / possible heeds these."
        )


def _warn_of_worth(console: Console, worth: Mapping[str, Any]) -> bool:
    """Say where a predictor is worth nothing, and return whether it is."""
    own = worth["r2"].get("predictor")
    if own is not None and own > 0:
        return False
    why = "All values are equal" if own is None else "The predictor predicts no better than the mean of all wirings"
    say(console, f"{why}: do not choose by it; train more wirings.")
    return True


def show_worth(console: Console, found: Mapping[str, Any]) -> None:
    """Print what a predictor learnt from, its R2 beside what it must beat, and how to ask it."""
    say_in_lines(console, f"Predictor: learnt from {found['trained_on']}.")
    r2 = ", ".join(f"{name} {'–' if value is None else f'{value:.2f}'}" for name, value in found["r2"].items())
    say_in_lines(console, f"R2 on wirings held out: {r2}.")
    if _warn_of_worth(console, found):
        return
    n_wirings = re.match(r"\d+", found["trained_on"])
    is_enough = n_wirings is not None and int(n_wirings[0]) >= LEAST_TO_JUDGE
    judge = f"   judge it: wirenas validate {found['out']}" if is_enough else ""
    say(console, f"Ask it: wirenas predict {found['out']} GRAPH{judge}")


def show_structure(console: Console, found: Mapping[str, Any]) -> None:
    """Print what a learned structure reaches beside its references, where its weights are, and where the files lie."""
    from nas.structure.files import DENSITY, rate_text, reading, removed

    table = make_table("network", f"test {found['metric']}", "parameters", "learning rate")
    for own in ({**found["test"], "name": "learned structure"}, *found["references"]):
        table.add_row(own["name"], spread(own), str(own["n_parameters"]), rate_text(own))
    print_table(console, table)
    _show_verdict(console, found["verdict"])
    layers = ", ".join(f"{own['name']} {own['live']} ({100 * own['density']:.3g} %)" for own in found["layers"])
    live = "; ".join(filter(None, (layers, removed(found["layers"]))))
    say_in_lines(
        console,
        f"Live weights of the network that is kept: {live}; parent: {found['parent']}.{reading(found['pool'])}",
    )
    if (saved := found.get("saved")) is not None:
        say_in_lines(console, f"The network that is kept reaches {number(saved['test'])} on the test part.")
    several = sum(name.startswith(DENSITY) for name in found["curve"][0]) > 1
    plots = f"curve.png, {'density.png, ' if several else ''}references.png"
    say(console, f"Best network and card: {found['out']}/best/   plots: {plots} there")


def show_distances(console: Console, found: Mapping[str, Any]) -> None:
    """Print how far apart two wirings are, by layer and in all, and how far they would be by chance."""
    table = make_table("distance", "value")
    table.add_row("NNSTD, neurons matched", number(found["nnstd"]["value"]))
    for index, value in enumerate(found["nnstd"]["layers"], start=1):
        table.add_row(f"  of layer {index}", number(value))
    if found["edge_jaccard"] is not None:
        table.add_row("edges, by the numbers of neurons", number(found["edge_jaccard"]))
    table.add_row("densities between layers", number(found["density"]))
    table.add_row("singular values", number(found["spectral"]))
    print_table(console, table)
    if (null := found["null"]) is None:
        return
    what = "1 null" if null["n"] == 1 else f"{null['n']} nulls"
    are = "is" if null["n"] == 1 else "are"
    spread_of = "" if null["std"] is None else f" ± {number(null['std'])}"
    z = "" if null["z"] is None else f"z = {null['z']:+.1f}, "
    of_chance = f"{found['nnstd']['value'] / null['mean']:.0%} of chance" if null["mean"] else "as near as can be"
    say_in_lines(
        console,
        f"{what} of {found['second']}, sharing its {', '.join(null['keeps'])}, {are} at "
        f"{number(null['mean'])}{spread_of} from {found['first']}: {z}{of_chance}. Of the edges that may move, "
        f"{null['overlap']:.0%} are where they were.",
    )


def show_pairs(console: Console, found: Mapping[str, Any]) -> None:
    """Print how far each of several wirings is from each other one, and where the files lie."""
    numbers = [str(place) for place, _ in enumerate(found["wirings"], start=1)]
    table = make_table("", "wiring", *numbers, title="NNSTD, neurons matched")
    for place, name, row in zip(numbers, found["wirings"], found["nnstd"], strict=True):
        table.add_row(place, name, *(number(value) for value in row))
    print_table(console, table)
    if found["files"]:
        say(console, f"Files: {', '.join(found['files'])}; the map's stress is {found['stress']:.2f}")


def show_explanation(console: Console, found: Mapping[str, Any]) -> None:
    """Print how much of R2 is lost without each family."""
    table = make_table("family", "R2 lost when shuffled", "features")
    for row in found["families"]:
        table.add_row(row["family"], _number(row["r2_lost"]), ", ".join(row["features"]))
    print_table(console, table)
    say(console, "An association: what the predictor uses, not what would happen if a wiring were changed.")


def show_validation(console: Console, found: Mapping[str, Any]) -> None:
    """Print the tables of a validation and where its files lie."""
    table = make_table("what", "value")
    for row in found["rows"]:
        table.add_row(*row)
    print_table(console, table)
    table = make_table("explained by", "columns", "R2", "95 % interval", "gain")
    for step in (*found["references"], *found["ladder"]):
        r2, delta = step["r2"], step["delta"]
        gain = "" if delta is None else f"{_number(delta['mean'], '+')} ({_ends(delta, '+')})"
        table.add_row(step["name"], str(step["n_features"]), _number(r2["mean"]), _ends(r2), gain)
    print_table(console, table)
    for file in found["files"]:
        say(console, file)


def _ends(estimate: Mapping[str, float | None], sign: str = "") -> str:
    return f"{_number(estimate['low'], sign)} to {_number(estimate['high'], sign)}"


def _number(value: float | None, sign: str = "") -> str:
    return "–" if value is None else f"{round(value, 3) + 0.0:{sign}.3f}"  # Of -0.0, 0.0 is left.


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"


def show_comparison(console: Console, found: Mapping[str, Any]) -> None:
    """Print each wiring beside its nulls, what that means, and where the page lies."""
    is_share = found["metric"] == "accuracy"

    def amount(value: float | None, sign: str = "") -> str:
        return "–" if value is None else f"{100 * value:{sign}.2f}" if is_share else f"{value:{sign}.3f}"

    unit = "points" if is_share else found["metric"]
    table = make_table("graph", "null", found["metric"], "of nulls", f"lead in {unit}", "rank", "p", "verdict")
    for row in found["comparisons"]:
        lead = f"{amount(row['difference'], '+')} [{amount(row['low'], '+')}, {amount(row['high'], '+')}]"
        table.add_row(
            row["graph"], row["null"], number(row["mean"]), number(row["null_mean"]), lead,
            f"{row['rank']} of {row['of']}", f"{row['p_corrected']:.2g}", row["verdict"],
        )  # fmt: skip
    print_table(console, table)
    for row in found["comparisons"]:
        say_in_lines(console, row["sentence"])
    for change in found["changes"]:
        say_in_lines(
            console,
            f"changed since the plan was registered: {change['name']}, after {change['trainings']} trained wirings",
        )
    say(console, f"Page, picture and tables: {found['out']}/ (comparison.md, nulls.png, nulls.csv)")
