"""The page and the figures of the study of structure, from its numbers alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nas.evaluation.estimates import Mean
from nas.studies.lenet import how_rates_are_chosen, options_of
from nas.studies.structure.runs import DENSE, LEARNED, VARIANTS
from nas.studies.tables import describe_differences, format_estimate, listed, table_of
from nas.training.recipe import Recipe
from predictors.figures import BLUE, GREEN, ORANGE, RED, save_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["DENSITY", "PARTS", "RECIPE", "SEEDS", "TASK", "methods_of", "pages", "plot", "recipe_of"]

PARTS = ("reinit", "robustness", "emergence")
DENSITY = 0.05
SEEDS = 5
TASK = "mnist"
RECIPE = Recipe(
    optimizer="sgd",
    learning_rates=(0.1, 0.2),
    schedule="cosine",
    epochs=15,
    batch_size=100,
    momentum=0.9,
    nesterov=True,
    weight_decay=5e-4,
)
"""What the study does by default where a task has no sequences."""
_RECURRENT_RECIPE = Recipe(learning_rates=(0.01, 0.03), schedule="cosine", epochs=60, batch_size=32)
"""What it does by default where it has."""

_COLOURS = {"gmp": GREEN, "rigl": RED, "set": BLUE, "dnw": "#CC79A7", "static": ORANGE, DENSE: "0.4"}
_EPOCHS = (0.25, 0.5, 1, 2, 5, 10)
_LEVELS = (0, 0.3, 0.5, 0.7, 0.8, 0.9, 0.95, 0.99)
_TIMES = {"20": "twenty", "10": "ten", "5": "five"}
_MOST = 0.5
"""Overlap from which on most of a structure is there."""
_MARGIN = 0.003
"""What is not further below agrees, if its whole interval is not."""


def recipe_of(is_recurrent: bool) -> Recipe:
    """Return what the study does by default."""
    return _RECURRENT_RECIPE if is_recurrent else RECIPE


def methods_of(is_recurrent: bool) -> list[str]:
    """Return the methods that the study looks at by default: all that there are for the network."""
    return [name for name, method in LEARNED.items() if not (is_recurrent and method.action == "shadow")]


def pages(numbers: Mapping[str, Any]) -> dict[str, str]:
    """Return the page by the name of its file."""
    recipe = numbers["recipe"]
    parts = [_TEXTS[part](numbers) for part in PARTS if numbers.get(part)]
    text = _TEXT.format(
        options=_options(numbers),
        network=_network(numbers),
        optimizer=_OPTIMIZERS[recipe["optimizer"]].format(decay=recipe["weight_decay"]),
        high="" if numbers.get("is_recurrent") else _HIGH_RATE,
        task=numbers["task"],
        seeds=numbers["seeds"],
        weights=numbers["weights"],
        all=numbers["all_weights"],
        found="\n".join(f"- {sentence}" for sentence in _found(numbers)),
        epochs=recipe["epochs"],
        examples=numbers["examples"],
        batch=recipe["batch_size"],
        schedule=recipe["schedule"],
        rates=how_rates_are_chosen(recipe, "each method", "this density"),
        machine=numbers["machine"],
        kinds=_kinds(numbers),
        methods=table_of([_method(own) for own in numbers["methods"]]),
        parts="\n".join(parts),
    )
    return {"README.md": text}


def _options(numbers: Mapping[str, Any]) -> str:
    names = [own["method"] for own in numbers["methods"] if own["method"] != DENSE]
    words = "" if numbers["task"] == TASK else f" --task {numbers['task']}"
    words += "" if numbers["density"] == DENSITY else f" --density {numbers['density']:g}"
    is_recurrent = bool(numbers.get("is_recurrent"))
    words += "" if numbers["seeds"] == SEEDS else f" --seeds {numbers['seeds']}"
    chosen = {"part": (numbers["parts"], PARTS), "method": (names, methods_of(is_recurrent))}
    return words + options_of(numbers["recipe"], recipe_of(is_recurrent), **chosen)


def _network(numbers: Mapping[str, Any]) -> str:
    """Say what was trained; numbers of an older version do not, and are those of LeNet-300-100."""
    return str(numbers.get("network", "a network with hidden layers of 300 and 100 neurons"))


def _kinds(numbers: Mapping[str, Any]) -> str:
    """Say what the methods do that were trained."""
    names = [own["method"] for own in numbers["methods"]]
    still = [f"`{name}`" for name in names if name in ("gmp", "rigl", "set")]
    end = (
        [f"{listed(still)} leave{'s' if len(still) == 1 else ''} the structure alone in the last quarter."]
        if still
        else []
    )
    return " ".join([*(_KINDS[name] for name in names), *end])


def _method(own: Mapping[str, Any]) -> dict[str, str]:
    return {
        "method": own["method"],
        "test accuracy": format_estimate(Mean.of(own["test"]), digits=4),
        "weights": str(own["weights"]),
        "changes": str(own["updates"]),
        "dense gradients": str(own["dense_gradients"]),
        "learning rate": f"{own['rate']:g}",
        "processor s": f"{own['cpu']:.0f}",
    }


def _points(stored: Mapping[str, Any], digits: int = 2) -> str:
    return format_estimate(Mean.of(stored).in_points, "+", digits)


def _found(numbers: Mapping[str, Any]) -> Iterator[str]:
    if any(own["method"] != "static" for own in numbers.get("reinit", ())):
        yield _found_again(numbers)
    if "robustness" in numbers:
        yield _found_robust(numbers["robustness"], numbers["seeds"])
    if numbers.get("emergence"):
        yield _found_emerged(numbers["emergence"])
    if "ends" in numbers:
        yield _found_early(numbers["ends"])


def _each(means: Mapping[str, Mean], *, in_points: bool = False) -> str:
    """Return differences by method, in one enumeration."""
    return listed(
        f"{format_estimate(mean.in_points if in_points else mean, '+', 2)} ({name})" for name, mean in means.items()
    )


def _is_held(claim: str, found: Mapping[str, bool | None]) -> str:
    """Say for which methods a claim of the paper is seen, for which it is not, and for which that is not decided."""
    words = {True: "is seen here for", False: "is NOT seen here for", None: "is not decided by these intervals for"}
    names = {held: [name for name, own in found.items() if own is held] for held in words}
    parts = [f"{word} {listed(names[held])}" for held, word in words.items() if names[held]]
    return f"{claim} {', '.join(parts)}."


def _agrees(less: Mean) -> bool | None:
    """Whether a difference is above minus the margin, or below it, by its interval; None where that is open."""
    return True if less.low >= -_MARGIN else False if less.high < -_MARGIN else None


# Trained again


def _by_variant(numbers: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for own in numbers["reinit"]:
        found.setdefault(own["method"], {})[own["variant"]] = own
    return found


def _found_again(numbers: Mapping[str, Any]) -> str:
    arms = {name: own for name, own in _by_variant(numbers).items() if name != "static"}
    less = {name: Mean.of(own["fresh"]["less_trained"]) for name, own in arms.items()}
    said = [
        _is_held(
            "**Structure alone.** That a learned structure comes to its accuracy again from fresh weights, to "
            f"{_IN_POINTS},",
            {name: _agrees(mean) for name, mean in less.items()},
        )
    ]
    initial = {name: Mean.of(own["initial"]["less_trained"]) for name, own in arms.items()}
    said.append(
        f"Against what was learned, in points, fresh weights are {describe_differences(less, _THREE)}: "
        f"{_each(less, in_points=True)}; the initial ones are {describe_differences(initial, _THREE)}: "
        f"{_each(initial, in_points=True)}."
    )
    over = {name: Mean.of(own["fresh"]["less_shuffled"]) for name, own in arms.items()}
    by_degrees = {name: Mean.of(own["fresh"]["less_degrees"]) for name, own in arms.items()}
    said.append(
        "With fresh weights in both, a learned structure is, against a shuffled one, "
        f"{describe_differences(over, _THREE)}: {_each(over, in_points=True)}; against one with the same degrees it is "
        f"{describe_differences(by_degrees, _THREE)}: {_each(by_degrees, in_points=True)}."
    )
    shares = {name: over[name].mean - by_degrees[name].mean for name in arms if over[name].low > 0}
    if shares:
        said.append(
            "Of what it is ahead of a shuffled one, the degrees alone bring "
            f"{listed(f'{share / over[name].mean:.0%} ({name})' for name, share in shares.items())}."
        )
    return " ".join(said)


def _again(numbers: Mapping[str, Any]) -> str:
    trained = {own["method"]: own for own in numbers["methods"]}
    rows = []
    for name, own in _by_variant(numbers).items():
        row = {"method": name, "trained": format_estimate(Mean.of(trained[name]["test"]).in_points, digits=2)}
        row |= {variant: _points(own[variant]["less_trained"]) if variant in own else "" for variant in VARIANTS}
        less_dense = [mine - theirs for mine, theirs in _pairs(trained, name)]
        row["trained less dense"] = f"{100 * sum(less_dense) / len(less_dense):+.2f}"
        rows.append(row)
    nulls = [own["overlap"] for own in numbers["reinit"] if own["variant"] == "degrees"] or [0.0]
    return _AGAIN.format(
        table=table_of(rows),
        variants="; ".join(f"*{name}*: {what}" for name, what in VARIANTS.items()),
        low=f"{min(nulls):.2f}",
        high=f"{max(nulls):.2f}",
        n=4 * sum(row["method"] != "static" for row in rows),
    )


def _pairs(trained: Mapping[str, Any], name: str) -> Iterator[tuple[float, float]]:
    yield from zip(trained[name]["tests"], trained[DENSE]["tests"], strict=True)


# Pruned further


def _curves(robustness: Mapping[str, Any], way: str) -> dict[str, Any]:
    return {own["method"]: own for own in robustness["curves"] if own["way"] == way}


def _found_robust(robustness: Mapping[str, Any], seeds: int) -> str:
    said = []
    for way, words in (("magnitude", "by magnitude"), ("random", "at random")):
        curves = {name: own for name, own in _curves(robustness, way).items() if name != DENSE}
        order = sorted(curves, key=lambda name: -float(curves[name]["area"]["mean"]))
        same = sum(
            sorted(curves, key=lambda name: -float(curves[name]["areas"][seed])) == order for seed in range(seeds)
        )
        areas = listed(f"{name} {format_estimate(Mean.of(curves[name]['area']))}" for name in order)
        apart = {
            (own["method"], own["other"]): Mean.of(own["difference"])
            for own in robustness["pairs"]
            if own["way"] == way
        }
        alike = [
            f"{one} and {other}"
            for (one, other), mean in apart.items()
            if DENSE not in (one, other) and not (mean.low > 0 or mean.high < 0)
        ]
        said.append(
            f"Pruned {words} the mean accuracy over all levels is, from the most robust on, {areas}; {same} of {seeds} "
            f"seeds have this order; not told apart are {listed(alike) if alike else 'no two'}.{_apart(apart, order)}"
        )
    return f"**Further pruning.** {' '.join(said)}"


def _apart(differences: Mapping[tuple[str, str], Mean], order: Sequence[str]) -> str:
    """Say how far the most robust method is ahead of the least robust one, and whether that is what the paper says."""
    first, last = order[0], order[-1]
    if first == last:
        return ""
    turned = (first, last) not in differences
    gap = differences[(last, first) if turned else (first, last)]
    if turned:
        gap = Mean(-gap.mean, gap.sd, -gap.high, -gap.low, gap.n)
    seen = "as the paper has it" if gap.low > 0 else "so that the paper's difference between methods is NOT seen"
    return f" The first is ahead of the last by {format_estimate(gap)}, {seen}."


def _robust(numbers: Mapping[str, Any]) -> str:
    robustness, ratio = numbers["robustness"], f"{numbers['all_weights'] / numbers['weights']:.0f}"
    rows = []
    for own in robustness["curves"]:
        at = zip(robustness["levels"], own["accuracy"], strict=True)
        row = {"pruned": own["way"], "method": own["method"]}
        row |= {f"{level:.0%}": f"{100 * mean['mean']:.1f}" for level, mean in at if level in _LEVELS}
        rows.append({**row, "mean over levels": format_estimate(Mean.of(own["area"]), digits=3)})
    return _ROBUST.format(table=table_of(rows), times=_TIMES.get(ratio, ratio))


# Emergence


def _at(own: Mapping[str, Any], values: Sequence[Any], epoch: float) -> Mapping[str, Any]:
    found: Mapping[str, Any] = values[own["epochs"].index(epoch)]
    return found


def _found_emerged(methods: Sequence[Mapping[str, Any]]) -> str:
    first = {own["method"]: Mean.of(_at(own, own["overlap"], 1)) for own in methods}
    most = {name: True if mean.low > _MOST else False if mean.high < _MOST else None for name, mean in first.items()}
    overlaps = listed(f"{format_estimate(mean, digits=2)} ({name})" for name, mean in first.items())
    said = [
        _is_held(
            "**Emergence.** That most of the final structure is there after the first epoch, an overlap above "
            f"{_MOST:g} where 0 is chance,",
            most,
        ),
        f"It is {overlaps}.",
    ]
    own_null = [own for own in methods if own["at_random"] is not None]
    if own_null:
        gains = {own["method"]: Mean.of(own["first"]["overlap"]) for own in own_null}
        nulls = [
            f"{format_estimate(Mean.of(_at(own, own['at_random']['overlap'], 1)), digits=2)} ({own['method']})"
            for own in own_null
        ]
        said.append(
            f"The same schedule that drops and grows at random has {listed(nulls)}, so that "
            f"{_each(gains)} is not owed to the schedule."
        )
    passes = {own["method"]: _passes(own) for own in methods}
    half = [f"{name} at epoch {epoch:g}" for name, epoch in passes.items() if epoch is not None]
    said += [f"An overlap of {_MOST:g} is first passed by {listed(half)}."] if half else []
    return " ".join(said)


def _passes(own: Mapping[str, Any]) -> float | None:
    """Return the first epoch after which most of the structure is there."""
    means = zip(own["epochs"], own["overlap"], strict=True)
    return next((float(epoch) for epoch, mean in means if mean["mean"] > _MOST), None)


def _emerged(numbers: Mapping[str, Any]) -> str:
    methods = numbers["emergence"]
    rows = []
    for own in methods:
        epochs = [epoch for epoch in _EPOCHS if epoch in own["epochs"]]
        for what, name in (("overlap", "overlap"), ("distance", "NNSTD")):
            curves = {"": own[what]} | ({} if own["at_random"] is None else {", at random": own["at_random"][what]})
            for words, curve in curves.items():
                row = {"": name, "method": f"{own['method']}{words}"}
                row |= {
                    f"epoch {epoch:g}": format_estimate(Mean.of(_at(own, curve, epoch)), digits=2) for epoch in epochs
                }
                rows.append({**row, "random structures": f"{own[f'random_{what}']['mean']:.2f}"})
    rows.sort(key=lambda row: row[""], reverse=True)
    text = _EMERGED.format(table=table_of(rows), distance=_DISTANCES[bool(numbers.get("is_recurrent"))])
    return text + (_ENDS.format(table=table_of([_end(own) for own in numbers["ends"]])) if "ends" in numbers else "")


# The cheap RigL


def _end(own: Mapping[str, Any]) -> dict[str, str]:
    return {
        "structure ends to change": "75 % of the training" if own["end"] is None else _after(own["end"]),
        "test accuracy": format_estimate(Mean.of(own["test"]), digits=4),
        "less full RigL": "" if own["less_full"] is None else _points(own["less_full"]),
        "changes": str(own["updates"]),
        "dense gradients": str(own["dense_gradients"]),
        "saved": f"{own['saved']:.0%}",
    }


def _after(epochs: float) -> str:
    return "at once" if not epochs else f"after {epochs:g} epoch{'' if epochs == 1 else 's'}"


def _found_early(ends: Sequence[Mapping[str, Any]]) -> str:
    early = {own["end"]: own for own in ends if own["end"] is not None}
    full = next(own for own in ends if own["end"] is None)
    less = {end: Mean.of(own["less_full"]) for end, own in early.items()}
    said = ["**The cheap RigL.**"]
    if 1.0 in early:
        own, gap = early[1.0], less[1.0]
        word = "BEHIND" if gap.high < 0 else "ahead of" if gap.low > 0 else "not told apart from"
        said.append(
            f"RigL that leaves the structure alone after one epoch computes dense gradients {own['dense_gradients']} "
            f"times rather than {full['dense_gradients']}, {own['saved']:.0%} fewer, and is {word} full RigL: "
            f"{format_estimate(gap.in_points, '+', 2)} points, where a structure that never changes has "
            f"{format_estimate(less[0.0].in_points, '+', 2)}."
        )
        if less[0.0].high < 0:
            said.append(f"That is {1 - gap.mean / less[0.0].mean:.0%} of what learning the structure brings.")
    enough = [end for end in less if all(_agrees(less[later]) for later in less if later >= end)]
    if enough:
        own = early[enough[0]]
        said.append(
            f"From an end {_after(enough[0])} on, the whole interval lies above -{_IN_POINTS}: "
            f"{_points(own['less_full'])}, with {own['saved']:.0%} fewer dense gradients."
        )
    else:
        said.append(f"No earlier end is shown to cost less than {_IN_POINTS}.")
    return " ".join(said)


# Figures


def plot(out: Path, numbers: Mapping[str, Any]) -> None:
    """Draw what was found."""
    for part, draw in (("reinit", _plot_again), ("robustness", _plot_robust), ("emergence", _plot_emerged),
                       ("ends", _plot_ends)):  # fmt: skip
        if numbers.get(part):
            draw(out / f"{part}.png", numbers)


def _plot_again(path: Path, numbers: Mapping[str, Any]) -> None:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 4.6), layout="constrained")
    axes = figure.subplots()
    arms = _by_variant(numbers)
    width = 0.8 / len(arms)
    for k, (name, own) in enumerate(arms.items()):
        places = [place for place, variant in enumerate(VARIANTS) if variant in own]
        means = [Mean.of(own[[*VARIANTS][place]]["less_trained"]).in_points for place in places]
        x = [place + (k - (len(arms) - 1) / 2) * width for place in places]
        _error_bars(axes, x, means, name)
    axes.axhline(0, color="0.4", linewidth=0.8)
    axes.set_xticks(range(len(VARIANTS)), list(VARIANTS))
    axes.set_ylabel("points of test accuracy less what was learned,\nmean and 95 % interval over seeds")
    axes.grid(alpha=0.3, axis="y")
    axes.legend(fontsize="small")
    save_figure(figure, path)


def _plot_robust(path: Path, numbers: Mapping[str, Any]) -> None:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 4.4), layout="constrained")
    robustness = numbers["robustness"]
    panels = figure.subplots(1, 2, sharey=True)
    for axes, way in zip(panels, ("magnitude", "random"), strict=True):
        for name, own in _curves(robustness, way).items():
            _band(axes, robustness["levels"], own["accuracy"], name)
        axes.set_title({"magnitude": "smallest weights first", "random": "at random"}[way], fontsize="medium")
        axes.set_xlabel("share of the live weights that is pruned after training")
        axes.grid(alpha=0.3)
    panels[0].set_ylim(0, 1.02)
    panels[0].set_ylabel("test accuracy, mean and 95 % interval over seeds")
    panels[0].legend(loc="lower left", fontsize="small")
    save_figure(figure, path)


def _plot_emerged(path: Path, numbers: Mapping[str, Any]) -> None:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 4.4), layout="constrained")
    panels = figure.subplots(1, 2)
    for axes, what in zip(panels, ("overlap", "distance"), strict=True):
        for own in numbers["emergence"]:
            _band(axes, own["epochs"], own[what], own["method"])
            if own["at_random"] is not None:
                _band(axes, own["epochs"], own["at_random"][what], own["method"], ", at random", "--")
        chance = [own[f"random_{what}"]["mean"] for own in numbers["emergence"]]
        axes.axhline(sum(chance) / len(chance), color="0.4", linestyle=":", linewidth=1, label="random structures")
        axes.set_xscale("symlog", linthresh=0.5, linscale=0.5)
        axes.set_xlim(0, numbers["recipe"]["epochs"])
        axes.set_ylim(-0.1, 1.05 if what == "overlap" else 1.2 * max(chance))
        ticks = [0, 0.25, 0.5, 1, 2, 5, 10]
        axes.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
        axes.set_xlabel("epoch")
        axes.grid(alpha=0.3)
    panels[0].set_ylabel("overlap with the final structure: 0 by chance")
    panels[1].set_ylabel("NNSTD from the final structure")
    panels[0].legend(fontsize="x-small")
    save_figure(figure, path)


def _plot_ends(path: Path, numbers: Mapping[str, Any]) -> None:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 4.4), layout="constrained")
    axes = figure.subplots()
    means = [Mean.of(own["test"]) for own in numbers["ends"]]
    x = [own["dense_gradients"] for own in numbers["ends"]]
    _error_bars(axes, x, means, "rigl")
    for own, mean, at in zip(numbers["ends"], means, x, strict=True):
        text = "75 %" if own["end"] is None else f"{own['end']:g}"
        foot = mean.low if mean.n > 1 else mean.mean
        axes.annotate(text, (at, foot), (0, -11), textcoords="offset points", ha="center", fontsize="small")
    dense = next(own for own in numbers["methods"] if own["method"] == DENSE)
    axes.axhline(dense["test"]["mean"], color="0.4", linestyle=":", label="dense")
    axes.set_xlabel("dense gradients that are computed; below the intervals, epochs after which the structure stays")
    axes.set_ylabel("test accuracy, mean and 95 % interval over seeds")
    axes.grid(alpha=0.3)
    axes.legend(loc="lower right", fontsize="small")
    save_figure(figure, path)


def _error_bars(axes: Axes, x: Sequence[float], means: Sequence[Mean], name: str) -> None:
    halves = [mean.high - mean.mean if mean.n > 1 else 0.0 for mean in means]
    y = [mean.mean for mean in means]
    axes.errorbar(x, y, halves, color=_COLOURS[name], marker="o", markersize=4, capsize=2, linestyle="none", label=name)


def _band(axes: Axes, x: Sequence[float], stored: Sequence[Any], name: str, words: str = "", style: str = "-") -> None:
    means = [Mean.of(own) for own in stored]
    axes.plot(x, [mean.mean for mean in means], style, color=_COLOURS[name], linewidth=1.3, label=f"{name}{words}")
    if means[0].n > 1:
        low, high = [mean.low for mean in means], [mean.high for mean in means]
        axes.fill_between(x, low, high, color=_COLOURS[name], alpha=0.15, linewidth=0)


_IN_POINTS = f"{100 * _MARGIN:g} points"
_KINDS = {
    "gmp": "`gmp` begins with all weights, and drops the smallest.",
    "rigl": "`rigl` drops the smallest weights, and grows as many where gradients are largest.",
    "set": "`set` drops the share .3 of the positive and of the negative weights, those nearest to 0, and grows as "
    "many at random, a hundred times a training.",
    "dnw": "`dnw` trains all weights, and computes with the largest of them at each step, to the end; no schedule "
    "could be followed at random.",
    "static": "`static` keeps a random structure.",
    DENSE: "`dense` keeps all weights.",
}
"""What is said of the methods that are trained."""
_THREE = ("ahead for {}", "BEHIND for {}", "not told apart for {}")
_TEXTS = {"reinit": _again, "robustness": _robust, "emergence": _emerged}

_DISTANCES = {
    False: "the published distance of topologies (arXiv:2006.14085), in which neurons have no names",
    True: "the distance of topologies (arXiv:2006.14085), in which neurons have no names, extended to neurons that "
    "read each other: an edge is there while any of its gates has a weight",
}
_OPTIMIZERS = {"sgd": "SGD with Nesterov's momentum .9, weight decay {decay:g}", "adam": "Adam"}
_HIGH_RATE = " A rate of 0.4 is not tried by default: single trainings did better with it, and others collapsed."

_TEXT = """\
# What a learned structure is worth

Made by `wirenas study structure{options}`: {network} on {task}, {seeds}
seeds. Structures of {weights} of {all} weights, shared out to the layers by ERK, are learned by methods of
`wirenas rewire` and `wirenas prune`, and asked three questions of Van Gelder, Wortsman and Ehsani, "Deconstructing the
structure of sparse neural networks" (2020, arXiv:2012.00172): is the accuracy in the structure alone, how robust is the
network to further pruning, and when is the structure found?

## What was found

{found}

Intervals are those of Student's t over seeds, 95 %, of differences in pairs where differences are meant. Each is for
itself: of twenty, one misses by chance. That two things are not told apart does not say that they are equal; how far
apart they may be, the interval says. Seeds change initial weights, first structures and the order of examples, not the
split or the task.

## What was trained

{epochs} epochs of {examples} examples, batches of {batch}, {optimizer},
schedule {schedule}. {rates} What is made of a method's structures has its rate. Test accuracy is that of the weights
after the last epoch.{high}

{kinds} A seed gives every place one normal draw, which is the initial weight once it is multiplied with the root of
gain / fan-in of its neuron in the structure that the training begins with: all weights where they are pruned or trained
densely, a random structure where they are rewired. Where a place of a rewired structure did not live at the start, its
initial weight is the one that it would have had.
"Processor s" is the time that a training takes of one core, with all that is measured afterwards, on {machine}.

{methods}

{parts}
## What differs from the paper

It has no public code, and which algorithms, networks and schedules it has was not known to us beyond its abstract:
gradual pruning, DNW and RigL were taken to be its three. The null with the same degrees, the schedule at random and the
chance-corrected overlap are ours.
"""

_AGAIN = """\
## Trained again

Test accuracy in percent of the network with which the structure was learned, and in points by how much another training
with a structure that stays differs from it. {variants}. All of them train as long as the first time, at the rate of the
method. Structures with the same degrees overlap with the learned ones by {low} to {high}, above chance, and shuffled
ones by 0. `static` is a control: another draw of weights is all that differs there.

{table}

In the first paragraph on top are {n} intervals of such differences, which are not corrected for their number.

![Trained again](reinit.png)
"""

_ROBUST = """\
## Pruned further

Test accuracy in percent once so many of the live weights are pruned after training, without any more: those that are
smallest over all layers, or random ones, of which three draws are taken. Biases stay. The mean over levels is the area
under the curve from 0 to 99 %. A dense network has {times} times as many weights to lose at this density.

{table}

![Pruned further](robustness.png)
"""

_EMERGED = """\
## When the structure is found

How much the structure at an epoch overlaps with the final one: (J - J0) / (1 - J0), J the Jaccard index and J0 that of
random structures with as many weights in the layer, mean over layers by their weights: 1 for the final structure, 0 by
chance. NNSTD is {distance}; it is 0 for
the final structure, and by chance what random structures of the same densities have. "At random" are trainings by the
same schedule that drop and grow, or prune, at random: since fewer and fewer weights are dropped, their overlap grows
too. While `gmp` still has more weights, the structure is the one that it would have if pruning ended then: the largest
of each layer.

{table}

![Overlap and distance by epoch](emergence.png)
"""

_ENDS = """
## The cheap RigL

RigL whose structure changes up to a time, and then stays: it computes gradients of all weights at each change, and none
afterwards. The share that is dropped falls to 0 up to that time, as it does up to 75 % of the training in full RigL. A
structure that stays at once is the random one that RigL begins with, trained at its rate. Differences are in points.

{table}

![Accuracy by dense gradients](ends.png)
"""
