"""Every number in README that was measured stands in a file of results/, and is the one that stands there.

README is compared with sentences and rows that are written anew from the files; what is left of its numbers must be
among those that nobody measured: versions, defaults, and what an example is about.
"""

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from benchmarks.results import RESULTS, ROOT, records
from nas.report.frontier import Frontier
from nas.report.verdict import format_difference
from nas.tasks import load_task
from predictors import TIERS, names_of

README = (ROOT / "README.md").read_text(encoding="utf-8")


def read(path: str) -> Any:
    return json.loads((RESULTS / path).read_text(encoding="utf-8"))


def short(value: float, digits: int = 4) -> str:
    """A number below one as README writes it, without its zero."""
    text = f"{value:.{digits}f}".replace("0.", ".", 1) if abs(value) < 1 else f"{value:.{digits}f}"
    return text.replace("-", "–")


def spread(found: dict[str, Any]) -> str:
    return f"{short(found['mean'])} ± {short(found['std'])}"


def about(value: float) -> str:
    """Two significant digits where there are fewer than three, else whole numbers."""
    return f"{value:,.0f}" if value >= 10 else f"{value:.2g}"


def span(values: list[float], form: str = "{:.0f}") -> str:
    low, high = form.format(min(values)), form.format(max(values))
    return low if low == high else f"{low}–{high}"


def references(outcome: dict[str, Any]) -> dict[str, Any]:
    return {own["name"]: own for own in outcome["references"]}


# What README says, written from the files


def digits() -> Iterator[str]:
    outcome, made = read("digits-mlp/best/outcome.json"), records()["digits-mlp"]
    yield made["progress"]
    yield f"took {made['seconds']:.0f} seconds on {('no', 'one', 'two')[made['cores']]} cores"
    for own in ({**outcome["test"], "name": "found wiring"}, *outcome["references"]):
        yield f"| {own['name']} | {spread(own)} | {own['n_parameters']:,} |"
    yield outcome["verdict"]


def budgets() -> Iterator[str]:
    names = ("dense, pruned at once", "its structure, new weights", "only its counts")
    found = read("records/records.json")
    assert found["seeds"] == 10
    for task, own in found["tasks"].items():
        frontier = Frontier(**own["frontier"])
        for budget in frontier.budgets:
            beside = frontier.of_budget(budget)
            dense, best = beside.get("dense with equal parameters"), beside["found"]
            assert best["n_parameters"] <= int(budget)
            lead = "–" if dense is None else format_difference(best, dense, frontier.metric).removesuffix(" points")
            cells = [spread(best), "–" if dense is None else spread(dense), lead]
            cells += [spread(beside[name]) if name in beside else "–" for name in names]
            yield f"| {task} | {int(budget):,} | {' | '.join(cells)} |"
    digits = Frontier(**found["tasks"]["digits"]["frontier"]).of_budget("300")
    assert digits["pruned linear"]["mean"] > digits["found"]["mean"]
    yield f"On digits at 300 a linear network that is pruned does better still ({spread(digits['pruned linear'])}): "
    yield f"{found['tasks']['digits']['parts'][1]} examples to choose by"
    outcome = read("records/mnist/3000/best/outcome.json")
    yield outcome["verdict"]
    beside = references(outcome)
    yield f"({beside['dense with equal parameters']['tried']} shapes and rates on MNIST at 3,000, 30 at least;"
    assert {beside[name]["seeds"] for name in ("only its degrees", "only its counts")} == {20}


def pruned() -> Iterator[str]:
    outcome = read("digits-pruned/best/outcome.json")
    for own in ({**outcome["test"], "name": "learned structure"}, *outcome["references"]):
        yield f"| {own['name']} | {spread(own)} | {own['n_parameters']:,} |"
    yield outcome["verdict"]
    assert outcome["test"]["seeds"] == 5


def pruned_images() -> Iterator[str]:
    names = ("dense with equal parameters", "its structure, new weights", "only its degrees")
    for task in ("mnist", "fashion-mnist"):
        for n in (1000, 3000, 10000):
            outcome = read(f"{task}-{n}-pruned/best/outcome.json")
            beside = references(outcome)
            cells = [spread(outcome["test"]), *(spread(beside[name]) for name in names)]
            dense = beside["dense with equal neurons"]
            cells.insert(2, f"{spread(dense)} ({dense['n_parameters']:,})")
            yield f"| {task} | {n:,} | {' | '.join(cells)} |"
            shown = {"linear", "random with equal edges", "dense with equal neurons", *names}
            assert set(beside) == shown, (
                "every reference that it may lose to stands in the table, or loses to one there"
            )
            for hidden in ("linear", "random with equal edges"):
                assert beside[hidden]["mean"] < outcome["test"]["mean"]
            assert outcome["test"]["seeds"] == 5
            assert outcome["test"]["n_parameters"] <= n


def plateaus() -> Iterator[str]:
    for name in ("digits", "reber", "reber-published", "reber-embedded"):
        # Rules that reach no more than chance are left out.
        rules = {rule: value for rule, value in load_task(name).plateaus.items() if value > 0.5}
        yield f"| {', '.join(f'{rule} {short(value, 3)}' for rule, value in rules.items())} |"
    yield f"one random order | one class {short(load_task('mnist-1d').plateaus['constant'], 3)} |"
    adding, parity, pixels = (load_task(name) for name in ("adding", "delayed-parity", "sequential-digits"))
    lengths = f"{adding.lengths.min()} to {adding.lengths.max()} steps"
    yield f"two marked numbers in {lengths} | squared error of the mean {short(adding.plateaus['constant'], 3)} |"
    blank, without = (short(value, 3) for value in load_task("copy").plateaus.values())
    yield f"10 steps later; a target for each of 30 steps | a blank {blank}, without memory {without} |"
    yield f"three bits, 8 steps before the end | constant {short(parity.plateaus['constant'], 3)} |"
    yield f"pixel by pixel | one class {short(pixels.plateaus['constant'], 3)} |"
    linear = ", ".join(
        short(load_task(name).plateaus["ridge regression on 20 steps"], 3) for name in ("mackey-glass", "lorenz")
    )
    yield f"10 steps later, at each of 80 steps | squared error of ridge regression on 20 steps {linear} |"


def reber() -> Iterator[str]:
    ahead: dict[tuple[str, str], float] = {}
    for cell in ("gru", "lstm", "relu", "tanh"):
        outcome = read(f"reber-embedded-{cell}/best/outcome.json")
        beside = references(outcome)
        names = ("dense with equal parameters", "dense with equal neurons", "random with equal edges")
        cells = [spread(outcome["test"]), *(spread(beside[name]) for name in names)]
        yield f"| {cell} | {' | '.join(cells)} | {outcome['test']['n_parameters']:,} |"
        assert outcome["test"]["seeds"] == 20
        for name in names:
            mean, low, high = difference(outcome["verdict"], name)
            if low > 0 or high < 0:
                ahead[cell, name] = mean
    yield f"only if it beats {short(outcome['plateaus']['trigrams'], 3)}"
    yield "over 20 fresh seeds each"
    relu = [ahead.pop(("relu", f"dense with equal {what}")) for what in ("parameters", "neurons")]
    yield "no found wiring is told apart from its random one of equal size"
    yield f"of equal parameters and of equal neurons are {relu[0]:.1f} and {relu[1]:.1f} points behind"
    yield f"the LSTM is {short(ahead.pop(('lstm', 'dense with equal neurons')), 1)} points ahead of"
    assert not ahead


def difference(verdict: str, name: str) -> tuple[float, ...]:
    """How far the found wiring is ahead of another network, with the ends of its interval, in points."""
    found = re.search(rf"{name} \((\S+) \[(\S+), (\S+)\] points\)", verdict)
    assert found is not None
    return tuple(map(float, found.groups()))


POOLS = {
    "digits-natural-varying": "digits MLPs, natural attachment, 20–100 neurons",
    "digits-natural-fixed": "the same, 64 neurons, degree 8",
    "mnist-natural-varying": "MNIST MLPs, natural attachment, 20–100 neurons",
    "reber-gru": "embedded Reber, GRU, 10–40 neurons",
    "digits-controlled-fixed": "digits MLPs, controlled attachment, 64 neurons, degree 8",
}


def steering() -> Iterator[str]:
    study = read("steering/steering.json")
    never = study["trials"]
    for pool, title in POOLS.items():
        own = study["pools"][pool]
        cells = []
        for arm in ("random", "tpe", "neighbours", "parameters", "size", "structural"):
            median = own["arms"][arm]["trainings"]["1%"]
            cells.append(f"> {never}" if median is None else f"{median:g}")
        best = cells[-1] if cells[-1].startswith(">") else f"**{cells[-1]}**"
        yield f"| {title} | {' | '.join(cells[:-1])} | {best} |"
    sizes = sorted(own["wirings"] for own in study["pools"].values())
    yield f"search pools of {sizes[0]:,} to {sizes[-1]:,} trained networks, {never} trainings each"
    seeds = sorted(own["seeds"] for own in study["pools"].values())
    yield f"over {seeds[0]} to {seeds[-1]} searches of each pool"
    gains = [
        100 * own["difference"]["mean"]
        for pool in study["pools"].values()
        for own in pool["comparisons"]
        if (own["arm"], own["other"], own["measure"]) == ("structural", "random", "incumbent") and own["p_holm"] < 0.05
    ]
    assert len(gains) == 3
    yield f"is {short(min(gains), 1)} to {max(gains):.1f} points better than random search's in three pools"


def beside_a_plain_process() -> Iterator[str]:
    pools = read("benchmarks/sampler-pools.json")
    for name, arm, key, form in (
        ("digits-varying", "structural", "proposals", "are {} points better where sizes vary"),
        ("digits-fixed", "structural", "proposals", "are as good where they do not ({})"),
        ("digits-varying", "structural-repeats", "incumbent", "wiring that it finally chooses is {} points better"),
        ("digits-fixed", "structural-repeats", "incumbent", "as good there ({})"),
        ("digits-fixed", "structural", "incumbent", "and it is chosen by one training each, it is off by {} points"),
    ):
        found = pools[name]["differences"][f"{arm} - plain, {key}"]
        mean, low, high = (short(found[each], 2) for each in ("mean", "low", "high"))
        yield form.format(f"{mean} [{low}, {high}]")
    assert {own["seeds"] for own in pools.values()} == {200}
    yield "on two surveys of 1,500 digits networks, five trainings each, 200 paired searches"


def beside_other_parameters() -> Iterator[str]:
    found = read("benchmarks/sampler-beside.json")
    own, later = (found["differences"][f"structural - tpe, {key}"] for key in ("best", "second half"))

    def points(difference: dict[str, float]) -> str:
        mean, low, high = (short(100 * difference[each], 1) for each in ("mean", "low", "high"))
        return f"{mean} [{low}, {high}] points"

    yield f"({found['seeds']} paired searches of {found['trials']} trainings)"
    yield f"the best validation accuracy is {points(own)} above TPE's (p {short(own['p'], 2)})"
    yield f"those of the second half are {points(later)} above on average"


def proposals() -> Iterator[str]:
    costs = {key: own for key, own in read("benchmarks/sampler-cost.json").items() if key.endswith("share=None")}
    assert [int(key.split()[0]) for key in costs] == [100, 1000, 5000, 10000]
    few, *many = costs.values()
    medians = sorted(own["median"] for own in costs.values())
    means = sorted(own["mean"] for own in many)
    yield f"A proposal takes {medians[0]:.0f} to {medians[-1]:.0f} ms (median) in studies of 100 to 10,000 trials"
    yield f"{means[0]:.0f} to {means[-1]:.0f} on average from 1,000 on, {few['mean']:.0f} at 100"
    yield f"the first one of a study that is opened {max(own['first'] for own in costs.values()) / 1000:.0f} s at most"


def warm_start() -> Iterator[str]:
    study = read("steering/warm-start.json")
    ahead = study["arms"]["from scratch"]["warm_ahead"]
    mean, low, high = (f"{100 * ahead[name]:.1f}" for name in ("mean", "low", "high"))
    yield f"starts a search on Fashion-MNIST {mean} points ahead"
    yield f"mean of the first {study['trials']} trainings; 95 % interval {low} to {high} over {study['seeds']} searches"
    best = {name: study["arms"][name]["best"] for name in ("warm start", "from scratch")}
    assert best["warm start"]["5"] >= best["from scratch"]["20"]
    yield "its best of 5 trainings is on average as good as the best of 20 from scratch"
    in_best = study["arms"]["from scratch"]["warm_ahead_in_best"]
    assert in_best["low"] < 0 < in_best["high"]
    yield "after 20 the two are not told apart"


def pareto() -> Iterator[str]:
    study = read("pareto/pareto.json")
    true = {name: f"{arm['true']['mean']:.2f}" for name, arm in study["arms"].items()}
    ahead = study["ahead"]["nsga2"]["true"]
    yield f"the front of {study['trainings']} digits trainings encloses more than NSGA-II's"
    yield (
        f"(true hypervolume {true['structural']} against {true['nsga2']}, TPE's {true['tpe']}; {study['seeds']} paired "
        f"seeds on this one task, difference to NSGA-II {short(ahead['mean'], 2)} with a 95 % interval of "
        f"{short(ahead['low'], 2)} to {short(ahead['high'], 2)})"
    )
    fronts = study["fronts"]
    yield f"above all others at {fronts['above']['count']} of {fronts['sizes']} sizes"
    yield f"up to {100 * fronts['below']['gap']:.1f} points below the best of them at the rest"
    assert fronts["above"]["count"] + fronts["below"]["count"] == fronts["sizes"]
    best = {name: arm["most_accurate"] for name, arm in study["arms"].items()}
    yield f"NSGA-II's most accurate network is {short(100 * (best['nsga2'] - best['structural']), 1)} points better"


POPULATIONS = {
    "digits-natural-varying": "digits MLPs, natural attachment, 20–100 neurons",
    "digits-natural-fixed": "the same, 64 neurons, degree 8",
    "digits-controlled-varying": "digits MLPs, controlled attachment, 20–100 neurons",
    "digits-controlled-fixed": "the same, 64 neurons, degree 8",
    "reber-gru": "embedded Reber, GRU, 10–40 neurons",
    "reber-tanh": "embedded Reber, tanh, 10–40 neurons",
}


def worst_share(found: dict[str, Any]) -> float:
    """The share of the ceiling by the worst ends of both intervals."""
    share: float = found["score"]["r2"]["low"] / found["ceiling"]["mean_label_interval"][1]
    return share


def read_ins() -> Iterator[str]:
    study = read("read-ins/read-ins.json")

    def estimate(name: str) -> str:
        r2 = study["scores"][name]["r2"]
        return f"{short(r2['mean'], 3)} [{short(r2['low'], 3)}, {short(r2['high'], 3)}]"

    yield f"{study['wirings']:,} MLPs of {int(study['budget']):,} parameters on MNIST that read at random"
    yield f"R² of the predictor is {estimate('structure and what is read')} of a ceiling of "
    yield f"{short(study['ceiling']['mean_label'], 3)}, {estimate('structure without what is read')} without the"
    yield f"and {estimate('parameters of the draw')} from the parameters"


def prediction() -> Iterator[str]:
    study = read("prediction/prediction.json")
    shares = []
    for name, title in POPULATIONS.items():
        own = study[name]["mean_label"]
        size = next(rung for rung in own["references"] if rung["name"] == "size tier")
        hold = next(level["empirical"] for level in own["coverage"] if level["nominal"] == 0.9)
        r2, tau = own["score"]["r2"]["mean"], own["score"]["tau"]["mean"]
        numbers = (short(r2, 3), short(size["r2"]["mean"], 3), short(own["limit"], 3), short(tau, 2))
        yield f"| {title} | {' | '.join(numbers)} | {100 * hold:.1f} % |"
        shares.append(own["share_of_ceiling"])
    yield f"{100 * min(shares):.0f} to 100 % of what another seed would show again is predicted"
    assert max(shares) > 0.995
    names = ("digits-controlled-fixed", "reber-gru", "reber-tanh")
    fixed, gru, tanh = (100 * worst_share(study[name]["mean_label"]) for name in names)
    yield f"as little as {fixed:.0f} % for the fourth, {gru:.0f} % for GRU and {tanh:.0f} % for tanh"
    r2 = study["digits-controlled-fixed"]["mean_label"]["score"]["r2"]
    yield f"({short(r2['mean'], 3)} [{short(r2['low'], 3)}, {short(r2['high'], 3)}])"
    zero = read("prediction/zero-cost.json")["digits-controlled-fixed"]
    reads, ceiling = zero["r2"]["informative reads alone"], zero["ceiling"]
    low, high = ceiling["mean_label_interval"]
    yield (
        f"({short(reads['mean'], 2)} [{short(reads['low'], 2)}, {short(reads['high'], 2)}] of "
        f"{short(ceiling['mean_label'], 2)} [{short(low, 2)}, {short(high, 2)}], on digits"
    )


def published() -> Iterator[str]:
    study = read("published-rnns/published-rnns.json")
    cells = [study[name] for name in ("gru", "lstm", "rnn_relu", "rnn_tanh")]
    blend = " / ".join(short(own["r2"]["blend"]["mean"], 3) for own in cells)
    best = " / ".join(short(own["r2"][own["best"]]["mean"], 3) for own in cells)
    yield f"the blend reaches {blend} for GRU / LSTM / ReLU / tanh"
    yield f"where the best of the published regressors reaches {best} on the same folds"
    gain = cells[0]["blend_less_best"]
    yield f"more for GRU alone (+{short(gain['mean'], 3)} [{short(gain['low'], 3)}, {short(gain['high'], 3)}])"
    assert [own["blend_less_best"]["low"] > 0 for own in cells] == [True, False, False, False]
    yield f"The number of source nodes alone gives {short(cells[0]['r2']['source nodes alone']['mean'], 3)} for GRU"
    splits = cells[0]["single_splits"]["RandomForestRegressor"]
    reached = sum(value is not None and value >= 0.81 for value in splits) / len(splits)
    yield f"{100 * reached:.0f} % of {len(splits)} random splits of the same graphs reach it"


IMAGES = {
    "784-100-100-10, complete read-in": "784-100-100-10 d.1, complete read-in",
    "the same, 19 % of the inputs nonzero": "784-100-100-10 d.1, complete read-in, 19 % pixels",
    "the same, read-in of density .1": "784-100-100-10 d.1, read-in d.1, 19 % pixels",
}
CELLS = {"tanh": "tanh, 20 steps, 32 / 64 / 128 cells", "gru": "GRU", "lstm": "LSTM"}


def fastest(workload: dict[str, Any], kind: str) -> float | None:
    """How many times as long the fastest contender of a kind takes."""
    name = workload["best"].get(kind, kind)
    return None if name is None else workload["ratios"][name]["median"]


def engine_row(title: str, workloads: list[dict[str, Any]], compiled: str, join: Callable[[list[float]], str]) -> str:
    cells = [compiled]
    for kind in ("one at a time", "masked", "population"):
        ratios = [ratio for own in workloads if (ratio := fastest(own, kind)) is not None]
        cells.append(f"{join(ratios)} ×" if ratios else "–")
    floors = span([own["times_floor"] for own in workloads], "{:.1f}")
    return f"| {title} | {' | '.join(cells)} | {floors} × |"


def around(ratios: list[float]) -> str:
    return span(ratios, "{:.0f}" if min(ratios) >= 10 else "{:.1f}")


def micros(workloads: list[dict[str, Any]]) -> list[str]:
    return [f"{1e6 * own['seconds']['native']['median']:,.0f}" for own in workloads]


def engine() -> Iterator[str]:
    document = read("benchmarks/engine.json")
    found = {own["name"]: own for own in document["workloads"]}
    digits = found["digits 64-32-32-10 d.2"]
    seconds = digits["seconds"]["native"]["median"]
    rate = f"{1e3 * seconds:.1f} ms, {round(60 / seconds, -2):,.0f} a minute"
    yield engine_row("digits, layers 64-32-32-10, density .2, 20 epochs", [digits], rate, around)
    for n, density in ((50, ".1–.3"), (200, ".02–.3"), (500, ".02–.3")):
        own = [found[name] for name in found if name.startswith((f"WS {n} ", f"BA {n} "))]
        times = sorted(micros(own), key=lambda text: int(text.replace(",", "")))
        title = f"random graphs of {n} neurons, density {density}"
        yield engine_row(title, own, f"{'–'.join(dict.fromkeys((times[0], times[-1])))} µs", around)
    for title, name in IMAGES.items():
        yield engine_row(title, [found[name]], f"{micros([found[name]])[0]} µs", around)
    for cell, title in CELLS.items():
        own = [found[name] for name in (f"{cell} 32 d.2", f"{cell} 64 d.1", f"{cell} 128 d.1")]
        yield engine_row(title, own, f"{' / '.join(micros(own))} µs", lambda ratios: " / ".join(map(about, ratios)))
    for file in ("benchmarks/engine.json", "benchmarks/engine-avx2.json"):
        own = read(file)
        where = {"x86-64-v3": "AVX2", "x86-64-v4": "AVX-512"}[own["machine"]["instruction_set"]]
        floors = [one["times_floor"] for one in own["workloads"] if one["group"] != "images"]
        peak = own["machine"]["peak_gflops"]
        yield f"{span(floors, '{:.1f}')} × the floor of a core with {where} that reaches {peak:.0f} GFLOP/s"
    ratios = [one["ratios"]["torch engine"]["median"] for one in found.values()]
    yield f"{about(min(ratios))} to {about(max(ratios))} times slower"


def work() -> Iterator[str]:
    features = read("benchmarks/features.json")
    by_name = {own["name"]: own for own in features["results"]}
    exact = by_name["n=200, density .05: all tiers, betweenness exact"]
    count, millis = len(names_of(TIERS)), short(1e3 * exact["seconds"]["median"], 2)
    times = round(exact["verdict"]["value"], -1)
    yield (
        f"all {count} of a graph of 200 neurons and density .05 take {millis} ms, {times:.0f} times less than what "
        "networkx has of them"
    )
    yield f"of the same {count} features"
    medians = {name: own["seconds"]["median"] for name, own in by_name.items()}
    yield f"scored in {short(medians['10,000 candidates, n=64, k=8, natural: all three'], 2)} s on one core"
    yield f"a question takes {short(1e3 * medians['one wiring: predicted'], 1)} ms in a process"
    several = 1e3 * medians["one undirected graph, 16 orientations: predicted"]
    shell = short(medians["wirenas predict, from the shell, wall clock"], 2)
    yield f"{short(several, 1)} ms for an undirected graph, {shell} s from the shell"
    survey = read("benchmarks/survey.json")
    cores = ("no", "one", "two")[survey["threads"]]
    yield f"--wirings {survey['wirings']} --seeds 1` made its {survey['trainings']:,} trainings"
    yield f"of {survey['epochs']} epochs in {survey['seconds']:.0f} seconds on {cores} of them"
    published = read("benchmarks/published_rnn.json")
    yield f"took {published['wall_seconds']:.0f} seconds"


def test_of_the_images_one_class_reaches_what_is_said(shared_data: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("WIRENAS_DATA", str(shared_data))
    constants = [load_task(name).plateaus["constant"] for name in ("mnist", "fashion-mnist")]
    assert f"| one class {', '.join(short(value, 3) for value in constants)} |" in README


def estimators() -> Iterator[str]:
    document = read("benchmarks/estimators.json")
    names = ("wiring", "searched wiring", "linear", "dense MLP", "random forest")
    ahead, times = [], []
    for row in document["tables"]:
        found = row["found"]
        yield f"| {row['table']} | {' | '.join(spread(found[name]) for name in names)} |"
        times.append(found["dense MLP"]["seconds"] / found["wiring"]["seconds"])
        behind = {name: own["behind"] for name, own in found.items() if name != "wiring"}
        ahead += [
            f"ahead of the {name} model on {row['table']}, by {short(100 * own['mean'], 1)} points "
            f"[{short(100 * own['low'], 1)}, {short(100 * own['high'], 1)}]"
            for name, own in behind.items()
            if own["low"] * own["high"] > 0
        ]
    assert len(ahead) == 1  # Or README says something else of the others.
    yield f"the drawn wiring is {ahead[0]}"
    yield f"and takes {span(times)} times less CPU time than the dense MLP"
    yield f"{document['repeats']} times five folds, a search of {document['trials']} trials"


def chance() -> Iterator[str]:
    rows = {row["null"]: row for row in read("digits-compared/outcome.json")["comparisons"]}
    assert [row["verdict"] for row in rows.values()] == ["better", "better"]

    def ahead(row: dict[str, Any]) -> str:
        mean, low, high = (f"{100 * row[name]:.2f}".removeprefix("0") for name in ("difference", "low", "high"))
        return f"{mean} points [{low}, {high}] ahead of {row['nulls']}"

    def place(row: dict[str, Any]) -> str:
        return f"(rank {row['rank']} of {row['of']}, p = {short(row['p_corrected'], 2)}"

    yield f"finds for 300 parameters of digits is {ahead(rows['blocks'])} random ones with as many edges in each layer"
    yield place(rows["blocks"])
    yield f"and {ahead(rows['layers'])} that have its degrees, too {place(rows['layers'])}, both corrected"
    null, better = read("planted/planted.json")["summary"].values()
    held = null["holds"]["count"] + better["holds"]["count"]
    yield f"Of {null['n'] + better['n']} wirings of which it is known what they are worth, {held} intervals hold that"
    yield f"{null['unusual']['count']} of {null['n']} that are nulls themselves are called better or worse than chance"
    yield (
        f"and {better['unusual']['count']} of {better['n']} that read in a better way, of which it expects "
        f"{100 * better['power']:.0f} % of itself"
    )


def connectomes() -> Iterator[str]:
    study = read("connectomes/connectomes.json")
    layers, boundary = (
        next(own for own in study["comparisons"] if (own["graph"], own["work"], own["null"]) == ("worm", "rnn", null))
        for null in ("layers", "boundary")
    )
    nulls = f"{study['nulls']:,}"
    yield f"are {_lead(layers)} beside {nulls} nulls of equal degrees"
    yield f"(rank {layers['rank']} of {layers['of']:,}, p = {short(layers['p_corrected'], 2)} corrected)"
    yield f"and {_lead(boundary)} beside {nulls} that also keep"


def _lead(own: dict[str, Any]) -> str:
    value, low, high = (f"{100 * own[name]:+.2f}" for name in ("difference", "low", "high"))
    return f"{value} points [{low}, {high}]"


SOURCES: tuple[Callable[[], Iterator[str]], ...] = (
    digits,
    budgets,
    pruned,
    pruned_images,
    plateaus,
    reber,
    steering,
    beside_a_plain_process,
    beside_other_parameters,
    proposals,
    warm_start,
    pareto,
    prediction,
    read_ins,
    published,
    engine,
    work,
    estimators,
    chance,
    connectomes,
)


def plain(text: str) -> str:
    """A text without what is only about its looks in Markdown: line ends, quotes of blocks, backticks."""
    return " ".join(re.sub(r"^> ?", "", text, flags=re.MULTILINE).split())


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.__name__)
def test_what_readme_says_is_what_the_files_say(source: Any):
    text = plain(README)
    missing = [claim for claim in source() if plain(claim) not in text]
    assert missing == []


GIVEN = (
    # What is needed, defaults and rules.
    "Python 3.11 or newer",
    "on Python 3.11 alone; on 3.13 in part, on 3.12 not at all",
    "GCC 12, Clang 15",
    "`--reads 4:40`",
    "`--timeout 10m`",
    "(`--radii .5,.9`;",
    "--nodes 100:200 --trials 100",
    "(`3000`: weights on a way",
    "(`50kMAC`), or bytes (`12KiB`",
    "`--precision` 8, 16 or 32 bits, to which",
    "and 16 bits of index; one factor",
    "With `--shape 28x28` (`3x32x32` with channels, `6x1x40` for signals)",
    "FloatDistribution(1e-4, 1e-1, log=True)",
    "a network 2 to 40 times as large",
    "On MNIST at 3,000 the verdict says",
    "results/records/mnist/3000/best/reads.png",
    "`make demo` ends with 300 parameters on digits",
    "20 wirings in which every neuron has its degrees, and 20 with as many",
    "the best MLP of 300 parameters",
    "`wirenas frontier --task digits --budgets 300,1000,3000` looks",
    "`wirenas distance A B --null 100`",
    "`sparsify(module, priors.Layered((64, 100, 10), density=0.05))`",
    "`--precision 0.005`",
    "(all before torch 2.7)",
    "pyarrow, 170 MB on disk",
    "wirenas prune --task mnist --max-parameters 3000` and the like",
    "parents of 100 and 300 neurons",
    "means over 2 × 2 of them",
    "1.4 GB for the demo, .8 GB more for the tests",
    "and exit code 2; the others are answered",
    "`torch.set_num_threads(1)`",
    "16 edits of edges and neurons",
    "20 wirings or more",
    "over 16 orientations",
    "By 95 % intervals",
    "one of the truly best 1 %",
    "90 % intervals hold",
    "a batch of 64",
    # What examples are about.
    "some 300 trainings",
    "--trials 80` adds 20",
    "`--nodes 64`, `--degree 4:8`, `--replicates 3`, `--learning-rate 0.01,0.03`",
    "a missing weight is 1",
    "--cell tanh --inputs 7 --out worm",
    "--graphs worm.graphml --nodes 50:150`",
    "--graph worm.graphml --nodes 100`",
    "--sizes 300,100 --density 0.1 --allocation erk --pattern small-world --beta 0.2 --inputs 784 --outputs 10",
    "`--expand 512,512,512` spreads",
    "(You et al. 2020)",
    "takes 2.2 GB; torch's build for CPUs is .75 GB of it, and sympy, which torch brings, .08 GB",
    "--max-parameters 3000` (neurons are then as many as can spend it), `--max-edges 400",
    "8 × 8 handwritten digits, 10 classes",
    "28 × 28 images, 10 classes, published test part | one class .114, .100",
    "`mnist-1d`, `mnist-1d-shuffled` | signals of 40 numbers, 10 classes",
    "the best of 8 wirings of 24 to 48 neurons",
    "10,000 candidates of 64 neurons",
    "15 epochs of 18,750 strings",
    "The 80 recurrent networks",
    "a GRU of 128 cells",
    "16 or 64 networks of one shape",
    # Counts in studies, said with the numbers that they are about.
    "| 2,000 wirings each |",
    "On the 800 published recurrent networks (200 a cell",
    "over 20 repeats of 5 folds",
    "The published .81 comes from one split of 20 graphs",
    # Papers.
    "Stier, Darji, Granitzer (2021)",
    "arXiv:2107.12917",
    "arxiv.org/abs/2107.12917",
)


def test_every_other_number_is_given_and_not_measured():
    text = re.sub(r"```.*?```", " ", README, flags=re.DOTALL)
    text = plain(text)
    for claim in sorted((plain(claim) for source in SOURCES for claim in source()), key=len, reverse=True):
        text = text.replace(claim, " ")
    for given in sorted(GIVEN, key=len, reverse=True):
        text = text.replace(given, " ")
    left = re.findall(r".{0,40}(?<![\w./-])[–-]?\.?\d[\d.,]*.{0,30}", text)
    assert left == []
