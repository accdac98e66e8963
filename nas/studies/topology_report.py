"""The page and the figures of the study of topologies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations
from pathlib import Path
from statistics import fmean
from typing import TYPE_CHECKING, Any

import numpy as np

from nas.evaluation.estimates import Mean
from nas.studies.tables import format_estimate, listed, table_of
from nas.studies.topology_nets import AGAIN, EPSILON, NULLS, PARTS, RECIPE, SET, STEP, Sizes
from predictors.figures import BLUE, GREEN, ORANGE, RED, save_figure
from predictors.pairs import draw_map, draw_tree

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["PUBLISHED", "PUBLISHED_DISTANCES", "pages", "plot", "plot_pairs"]

PUBLISHED = {"dense": (0.8198, 0.0026), "static": (0.8060, 0.0061), "set-published": (0.8256, 0.0091)}
"""Mean and standard deviation of the test accuracy of 5 networks, after 400 epochs."""

PUBLISHED_DISTANCES = {
    10: {1: 0.355, 5: 0.403, 9: 0.448},
    50: {1: 0.403, 5: 0.452, 9: 0.490},
    100: {1: 0.433, 5: 0.472, 9: 0.504},
    190: {1: 0.471, 5: 0.515, 9: 0.543},
}
"""Distance of the first layer from the first network to others, by epoch and by the steps between their starts."""
PUBLISHED_WIDTH = 784
PUBLISHED_CHANCE = {"random": (0.82, 0.82), "degrees": (0.74, 0.76)}

_PUBLISHED_TASK = "fashion-mnist"
_FAR, _EQUAL = 0.5, 0.01
"""Share of chance from which on networks are far apart, and standard deviation of accuracies that are about equal."""
_COLOURS = {"dense": "0.4", "static": ORANGE, "set": BLUE, "set-published": GREEN}
_NAMES = {"dense": "dense", "static": "static", "set": "SET", "set-published": "SET as published"}


def pages(numbers: Mapping[str, Any]) -> dict[str, str]:
    """Return the page by the name of its file."""
    told = {"set-vs-dense": _told_of_dense, "evolution": _told_of_evolution, "plenitude": _told_of_plenitude}
    recipe = numbers["recipe"]
    figures = "![Accuracies, and distances by epoch](topology.png)\n"
    if {"evolution", "plenitude"} & set(numbers["parts"]):
        figures += "\n![Networks by the distances between them](topology-pairs.png)\n"
    text = _TEXT.format(
        options=_options(numbers),
        task=numbers["task"],
        batch=recipe["batch_size"],
        decay=recipe["weight_decay"],
        momentum=recipe["momentum"],
        rates=_rates(recipe["learning_rates"]),
        fraction=SET.fraction,
        tested=numbers["tested"],
        machine=numbers["machine"],
        told="\n\n".join(told[name](numbers["parts"][name], numbers) for name in numbers["parts"]),
        figures=figures,
    )
    return {"README.md": text}


def _options(numbers: Mapping[str, Any]) -> str:
    words = [] if numbers["task"] == _PUBLISHED_TASK else [f"--task {numbers['task']}"]
    words += [] if len(numbers["parts"]) == len(PARTS) else [f"--part {name}" for name in numbers["parts"]]
    default = Sizes()
    words += [f"--{name.replace('_', '-')} {value}" for name, value in numbers["sizes"].items()
              if value != getattr(default, name)]  # fmt: skip
    if set(rates := numbers["recipe"]["learning_rates"]) != set(RECIPE.learning_rates):
        words += [f"--learning-rate {rate:g}" for rate in rates]
    return "".join(f" {word}" for word in words)


def _rates(rates: Sequence[float]) -> str:
    if len(rates) == 1:
        return f"The learning rate is {rates[0]:g}."
    return (
        f"The learning rate of each kind of network is the one of {listed(f'{rate:g}' for rate in rates)} that does "
        "best on validation, by one training each that does not count."
    )


def _told_of_dense(found: Mapping[str, Any], numbers: Mapping[str, Any]) -> str:
    sizes, is_published = numbers["sizes"], numbers["task"] == _PUBLISHED_TASK
    arms = []
    for arm in found["arms"]:
        test = Mean.of(arm["test"])
        mean, sd = PUBLISHED.get(arm["method"], (0.0, 0.0))
        published = {"published": f"{mean:.4f} ± {sd:.4f}" if mean else ""} if is_published else {}
        arms.append({
            "network": _NAMES[arm["method"]],
            "epochs": str(arm["epochs"]),
            "rates": arm["schedule"],
            "seeds": str(test.n),
            "test accuracy": format_estimate(test, digits=4),
            "sd": f"{test.sd:.4f}" if test.n > 1 else "",
            **published,
            "weights": str(arm["weights"]),
            "learning rate": f"{arm['rate']:g}",
            "processor s": f"{arm['cpu']:.1f}",
        })  # fmt: skip
    differences = [
        {"difference": f"{_NAMES[own['of']]} - {_NAMES[own['over']]}",
         "seeds": str(own["mean"]["n"]),
         "points": format_estimate(Mean.of(own["mean"]).in_points, "+", 2)}
        for own in found["differences"]
    ]  # fmt: skip
    return _DENSE.format(
        examples=sizes["examples"],
        width=sizes["width"],
        seeds=sizes["seeds"],
        epochs=sizes["epochs"],
        sparse_epochs=sizes["sparse_epochs"],
        epsilon=EPSILON,
        links=listed(str(count) for count in found["links"]),
        table=table_of(arms),
        differences=table_of(differences),
        verdict=_verdict_of_dense(found, beside=is_published),
        ends=_ends_of_ladder(found, numbers["recipe"]["learning_rates"]),
    )


def _verdict_of_dense(found: Mapping[str, Any], *, beside: bool) -> str:
    given = {(own["of"], own["over"]): Mean.of(own["mean"]) for own in found["differences"]}
    sentences = []
    for own, other in (("set", "dense"), ("static", "dense"), ("set", "static")):
        published = "set-published" if own == "set" else own
        means = {name: given[name, other] for name in dict.fromkeys((own, published))}
        said = "; ".join(
            f"{_NAMES[name]} is {_side(mean)} {_NAMES[other]}, {format_estimate(mean.in_points, '+', 2)} points"
            for name, mean in means.items()
        )
        sentence = f"- {said[0].upper()}{said[1:]}."
        if beside:
            claimed = _published_difference(published, other)
            wanted = "above" if claimed.mean > 0 else "BELOW"
            holds = [_side(mean) == wanted for mean in means.values()]
            how = "is found here" if all(holds) else "is found here in part" if any(holds) else "is NOT found here"
            sentence += (
                f" The published difference is {format_estimate(claimed.in_points, '+', 2)}; that {_NAMES[own]} is "
                f"{wanted.lower()} {_NAMES[other]} {how}."
            )
        sentences.append(sentence)
    return "\n".join(sentences)


def _ends_of_ladder(found: Mapping[str, Any], rates: Sequence[float]) -> str:
    """Say for which networks a rate outside of those tried may be better."""
    if len(rates) < 2:
        return ""
    sentences = []
    for end, word in ((min(rates), "lowest"), (max(rates), "highest")):
        names = [_NAMES[arm["method"]] for arm in found["arms"] if arm["rate"] == end]
        if names:
            sentences.append(f" The {word} is the best for {listed(names)}.")
    return "".join(sentences)


def _published_difference(own: str, other: str) -> Mean:
    """Return the difference of published means, with Welch's interval."""
    from scipy.special import stdtrit

    (mean, sd), (less, sd_less) = PUBLISHED[own], PUBLISHED[other]
    parts = (sd**2 / 5, sd_less**2 / 5)
    error = sum(parts) ** 0.5
    half = float(stdtrit(sum(parts) ** 2 / (sum(part**2 for part in parts) / 4), 0.975)) * error
    return Mean(mean - less, error, mean - less - half, mean - less + half, 5)


def _side(mean: Mean) -> str:
    return "above" if mean.low > 0 else "BELOW" if mean.high < 0 else "not told apart from"


def _told_of_evolution(found: Mapping[str, Any], numbers: Mapping[str, Any]) -> str:
    sizes = numbers["sizes"]
    last = len(found["at"]) - 1
    gaps = _gaps(found)
    rows = []
    for place, epoch in enumerate(found["at"]):
        by_gap, chance = found["by_gap"][place], found["chance"][place]
        row = {"epoch": str(epoch), "same start": _with_sd(by_gap["0"])}
        for gap in gaps:
            published = PUBLISHED_DISTANCES.get(epoch, {}).get(gap)
            beside = "" if published is None or not _is_published(numbers) else f" ({published:.3f})"
            row[f"{gap} {'step' if gap == 1 else 'steps'}"] = f"{_with_sd(by_gap[str(gap)])}{beside}"
        row |= {
            "own start": _with_sd(found["drift"][place]),
            "random": _with_sd(chance["random"]),
            "same degrees": _with_sd(chance["degrees"]),
        }
        rows.append(row)
    end, begin = found["by_gap"][last], found["by_gap"][0]
    near, far, none = (end[str(gap)]["mean"] for gap in (gaps[0], gaps[-1], 0))
    by_degrees = found["chance"][last]["degrees"]["mean"]
    kept = far - none
    return _EVOLUTION.format(
        nets=sizes["nets"],
        share=100 * STEP,
        width=sizes["net_width"],
        examples=sizes["net_examples"],
        epochs=sizes["net_epochs"],
        weights=found["weights"],
        rate=found["rate"],
        again=AGAIN,
        nulls=NULLS,
        table=table_of(rows),
        ways=_ways(found, published=_is_published(numbers)),
        updates=_updates(found),
        nearest=_nearest(found) if _is_published(numbers) else "",
        test=format_estimate(Mean.of(found["test"]), digits=4),
        n=found["test"]["n"],
        sd=found["test"]["sd"],
        apart=(
            f"Starts {gaps[0]} step apart, at {begin[str(gaps[0])]['mean']:.3f}, end at {near:.3f}, and those "
            f"{gaps[-1]} steps apart, at {begin[str(gaps[-1])]['mean']:.3f}, at {far:.3f}: {near / by_degrees:.0%} and "
            f"{far / by_degrees:.0%} of what chance gives at these degrees."
        ),
        seeds=(
            f"Networks with the same start and other seeds end at {none:.3f}: of the distance of those {gaps[-1]} "
            f"steps apart, {none / far:.0%} is there without any difference of starts, and {kept:.3f} comes with it."
            if far
            else ""
        ),
        beside=_beside_published(found) if _is_published(numbers) else "",
    )


def _ways(found: Mapping[str, Any], *, published: bool) -> str:
    steps = [int(step) for step in found["ways"][0]["from_first"][0]]
    shown = [place for place, epoch in enumerate(found["at"]) if epoch in (10, found["at"][-1])]
    rows = [
        {
            "learning rate": f"{own['rate']:g}",
            "dropped at an update": f"{own['dropped']:g}",
            "seeds": "equal" if own["by_place"] else "own",
            **{
                f"epoch {found['at'][place]}: {', '.join(map(str, steps))} steps": ", ".join(
                    f"{value:.3f}" for value in own["from_first"][place].values()
                )
                for place in shown
            },
            "test accuracy": format_estimate(Mean.of(own["test"]), digits=4),
        }
        for own in found["ways"]
    ]
    if published:
        epochs = [
            epoch if epoch in PUBLISHED_DISTANCES else max(PUBLISHED_DISTANCES)
            for epoch in map(found["at"].__getitem__, shown)
        ]
        values = [", ".join(f"{value:.3f}" for value in PUBLISHED_DISTANCES[epoch].values()) for epoch in epochs]
        first = list(rows[0])
        rows.append(dict(zip(first, ["published", "", "", *values, "0.8744"], strict=True)))
    return table_of(rows)


def _nearest(found: Mapping[str, Any]) -> str:
    """Say which networks come nearest to the published distances."""

    def misses(own: Mapping[str, Any]) -> list[float]:
        return [
            value - PUBLISHED_DISTANCES[epoch][int(step)]
            for epoch, values in zip(found["at"], own["from_first"], strict=True)
            for step, value in values.items()
            if int(step) in PUBLISHED_DISTANCES.get(epoch, {})
        ]

    by_way = {(own["rate"], own["dropped"], own["by_place"]): misses(own) for own in found["ways"]}
    if not all(by_way.values()):
        return ""
    (rate, dropped, by_place), missed = min(by_way.items(), key=lambda own: fmean(map(abs, own[1])))
    first = next(iter(by_way.values()))
    return (
        f"Nearest to the published distances come networks with {'equal' if by_place else 'own'} seeds at rate "
        f"{rate:g} that drop {dropped:g}; they miss them by {fmean(map(abs, missed)):.3f} on average, from "
        f"{min(missed):+.3f} to {max(missed):+.3f}, those of the first row by {fmean(map(abs, first)):.3f}. "
    )


def _updates(found: Mapping[str, Any]) -> str:
    by_share = {own["dropped"]: own["one_update"] for own in found["ways"]}
    return listed(
        f"{same:.2f} at {share:g} if they drop the same links, {own:.2f} if each drops its own"
        for share, (same, own) in sorted(by_share.items())
    )


def _gaps(found: Mapping[str, Any]) -> list[int]:
    most = max(found["steps"])
    return sorted({1, min(5, most), most})


def _is_published(numbers: Mapping[str, Any]) -> bool:
    """Return whether networks are of the size whose distances were published."""
    return bool(numbers["task"] == _PUBLISHED_TASK and numbers["sizes"]["net_width"] == PUBLISHED_WIDTH)


def _beside_published(found: Mapping[str, Any]) -> str:
    ratios = [
        found["by_gap"][place][str(gap)]["mean"] / published
        for place, epoch in enumerate(found["at"])
        for gap, published in PUBLISHED_DISTANCES.get(epoch, {}).items()
        if str(gap) in found["by_gap"][place]
    ]
    if not ratios:
        return ""
    low, high = PUBLISHED_CHANCE["degrees"]
    at = f"between {min(ratios):.2f} and {max(ratios):.2f} times"
    return (
        f"\n\nThese distances are {at} those measured on the published networks, of which the farthest are at .54 in "
        f"the end, 66 to 72 % of the chance there ({PUBLISHED_CHANCE['random'][0]} for random networks, {low} to "
        f"{high} with the same degrees)."
    )


def _with_sd(spread: Mapping[str, Any]) -> str:
    return f"{spread['mean']:.3f}" if spread["sd"] is None else f"{spread['mean']:.3f} ± {spread['sd']:.3f}"


def _told_of_plenitude(found: Mapping[str, Any], numbers: Mapping[str, Any]) -> str:
    sizes = numbers["sizes"]
    chance = found["degrees"]["mean"]
    random = found["kinds"]["static"]["distance"]["mean"]
    rows = []
    for name, kind in found["kinds"].items():
        test, distance = Mean.of(kind["test"]), kind["distance"]
        level = chance if name == "set" else random
        rows.append({
            "networks": _NAMES[name],
            "test accuracy": format_estimate(test, digits=4),
            "sd": f"{test.sd:.4f}",
            "from - to": f"{min(kind['tests']):.4f} - {max(kind['tests']):.4f}",
            "distance of pairs": format_estimate(_interval(distance)),
            "nearest and farthest pair": f"{distance['least']:.3f}, {distance['most']:.3f}",
            "of chance": f"{distance['mean'] / level:.0%}" if name == "set" else "random",
        })  # fmt: skip
    own = found["kinds"]["set"]
    sd, share = own["test"]["sd"], own["distance"]["mean"] / chance
    difference = Mean.of(found["difference"])
    return _PLENITUDE.format(
        nets=sizes["nets"],
        nulls=found["degrees"]["n"],
        table=table_of(rows),
        chance=_with_sd(found["degrees"]),
        random=f"{random:.3f}",
        verdict=(
            f"So the networks of SET are at {share:.0%} of chance from each other, the nearest pair at "
            f"{own['distance']['least'] / chance:.0%}, while their accuracies differ by {100 * sd:.2f} points (sd): "
            f"{_far(share)} and {_equal(sd)}. The claim that many structures, far apart, reach similar accuracies is "
            f"{'found' if share > _FAR and sd < _EQUAL else 'NOT found'} here. The accuracies of random "
            f"structures that stay differ by {100 * found['kinds']['static']['test']['sd']:.2f} points; SET is "
            f"{_side(difference)} them in pairs of the same start, {format_estimate(difference.in_points, '+', 2)} "
            "points."
        ),
    )


def _far(share: float) -> str:
    if share > 0.95:
        return "they are about as far apart as chance would have them"
    return "they are far apart, though nearer than by chance" if share > _FAR else "they are NEAR each other"


def _equal(sd: float) -> str:
    return "about equally accurate" if sd < _EQUAL else "NOT equally accurate"


def _interval(distance: Mapping[str, Any]) -> Mean:
    return Mean.of({"sd": None, **distance})


# Figures


def plot(path: Path, numbers: Mapping[str, Any]) -> None:
    """Draw accuracies beside dense networks, and distances by epoch, as far as there are any."""
    from matplotlib.figure import Figure

    parts = [name for name in ("set-vs-dense", "evolution") if name in numbers["parts"]]
    draw = {"set-vs-dense": _plot_dense, "evolution": _plot_evolution}
    figure = Figure(figsize=(6 * max(1, len(parts)), 4.5), layout="constrained")
    if not parts:
        _plot_equal(figure.subplots(), numbers)
    else:
        for axes, name in zip(figure.subplots(1, len(parts), squeeze=False)[0], parts, strict=True):
            draw[name](axes, numbers)
    save_figure(figure, path)


def _plot_dense(axes: Axes, numbers: Mapping[str, Any]) -> None:
    arms = numbers["parts"]["set-vs-dense"]["arms"]
    for place, arm in enumerate(arms):
        colour, test = _COLOURS[arm["method"]], Mean.of(arm["test"])
        jitter = np.linspace(-0.15, 0.15, len(arm["tests"]))
        axes.plot(place + jitter, arm["tests"], ".", color=colour, alpha=0.4)
        half = test.high - test.mean if test.n > 1 else 0.0
        axes.errorbar([place + 0.25], [test.mean], [half], color=colour, marker="o", capsize=3)
        if numbers["task"] == _PUBLISHED_TASK and arm["method"] in PUBLISHED:
            mean, sd = PUBLISHED[arm["method"]]
            axes.errorbar([place - 0.25], [mean], [sd], color="k", marker="x", linewidth=0.8,
                          label="published, 400 epochs: mean and sd of 5" if not place else None)  # fmt: skip
            axes.legend(fontsize="small")
    axes.set_xticks(range(len(arms)), [f"{_NAMES[arm['method']]}\n{arm['epochs']} epochs" for arm in arms])
    axes.set_ylabel("test accuracy; mean and 95 % interval over seeds")
    axes.grid(alpha=0.3, axis="y")


def _plot_evolution(axes: Axes, numbers: Mapping[str, Any]) -> None:
    found = numbers["parts"]["evolution"]
    x, gaps = found["at"], _gaps(found)
    shades = dict(zip((0, *gaps), ("0.5", BLUE, GREEN, RED), strict=False))
    for gap, colour in shades.items():
        label = f"{gap} {'step' if gap == 1 else 'steps'} apart" if gap else "same start"
        axes.plot(x, [own[str(gap)]["mean"] for own in found["by_gap"]], "o-", color=colour, markersize=3, label=label)
        if gap in (1, 5, 9) and _is_published(numbers):
            points = [(epoch, own[gap]) for epoch, own in PUBLISHED_DISTANCES.items()]
            axes.plot(*zip(*points, strict=True), "x", color=colour, label="published" if gap == 1 else None)
    # Of the ways that networks were trained, the one with most in common.
    way = found["ways"][-1]
    for step, colour in shades.items():
        if step:
            values, told = [own[str(step)] for own in way["from_first"]], f"rate {way['rate']:g}, equal seeds"
            axes.plot(x, values, color=colour, linewidth=0.8, alpha=0.7, label=told if step == 1 else None)
    axes.plot(x, [own["mean"] for own in found["drift"]], "--", color=ORANGE, label="from own start")
    for name, style in (("random", ":"), ("degrees", "-.")):
        label = {"random": "random networks", "degrees": "same degrees"}[name]
        axes.plot(x, [own[name]["mean"] for own in found["chance"]], style, color="k", linewidth=0.8, label=label)
    axes.set_ylim(0, 1)
    axes.set_xlabel("epoch")
    axes.set_ylabel("distance of the first layer")
    axes.grid(alpha=0.3)
    axes.legend(fontsize="x-small", ncols=2)


def _plot_equal(axes: Axes, numbers: Mapping[str, Any]) -> None:
    kinds = numbers["parts"]["plenitude"]["kinds"]
    for name, kind in kinds.items():
        pairs = list(combinations(range(len(kind["tests"])), 2))
        apart = [kind["matrix"][a][b] for a, b in pairs]
        differ = [100 * abs(kind["tests"][a] - kind["tests"][b]) for a, b in pairs]
        axes.plot(apart, differ, "o", color=_COLOURS[name], alpha=0.5, label=_NAMES[name])
    axes.set_xlabel("distance of a pair")
    axes.set_ylabel("difference of its test accuracies, points")
    axes.grid(alpha=0.3)
    axes.legend(fontsize="small")


def plot_pairs(path: Path, numbers: Mapping[str, Any]) -> None:
    """Draw maps of networks with near starts, a tree of those with independent ones, and what these reach."""
    from matplotlib.figure import Figure

    parts = numbers["parts"]
    panels = 2 * ("evolution" in parts) + 2 * ("plenitude" in parts)
    figure = Figure(figsize=(4.5 * panels, 4.5), layout="constrained")
    axes = list(figure.subplots(1, panels))
    if "evolution" in parts:
        found = parts["evolution"]
        names = [
            f"w{step}{'' if place < numbers['sizes']['nets'] else '′'}" for place, step in enumerate(found["steps"])
        ]
        colours = [BLUE if place < numbers["sizes"]["nets"] else "0.5" for place in range(len(names))]
        for name, title in (("first", "starts"), ("last", f"after {found['at'][-1]} epochs")):
            panel = axes.pop(0)
            plane = draw_map(panel, found[name], names, colours)
            panel.set_title(f"{title} (stress {plane.stress:.2f})", fontsize="small")
    if "plenitude" in parts:
        matrix = parts["plenitude"]["kinds"]["set"]["matrix"]
        draw_tree(axes[0], matrix, [f"start {number}" for number in range(len(matrix))])
        axes[0].set_title("networks of SET with independent starts", fontsize="small")
        _plot_equal(axes[1], numbers)
    save_figure(figure, path)


_TEXT = """\
# Topologies of sparse networks

Made by `wirenas study topology{options}`. SET, on {task}: once an epoch the share {fraction:g} of the positive and of
the negative weights, those nearest to 0, is dropped, and as many grow at random with values of N(0, 1) / 10. Static
networks keep the random structure that they start with. SGD with momentum {momentum:g}, batches of {batch}, weight
decay {decay:g}, and a constant learning rate where nothing else is said.
{rates}
Test accuracy is that of the weights after the last epoch, on {tested} images. Intervals are 95 %, of Student's t over
seeds where nothing else is said. "Processor s" is the time that a training takes of one core, on {machine}.

{told}

{figures}"""

_DENSE = """\
## Does SET beat dense networks?

Three hidden layers of {width} neurons, {seeds} seeds. Each seed draws {examples} images to train on and a start; the
kinds of networks share both, so that differences are of pairs, and their intervals cover images and starts. Sparse
networks have {links} links between their layers, which is epsilon {epsilon} of SET.

{table}

{differences}

{verdict}

"SET as published" has a constant learning rate and changes its structure to the end. Of the other networks rates fall
as a cosine; "SET" then leaves its structure alone in the last quarter, since what grows at small rates stays as it was
drawn. Dense and static networks were not trained at a constant rate, so that a part of what "SET as published" lacks is
the schedule's. The dense networks have as many learning rates to choose from as the sparse ones.{ends}

Not as published: {epochs} epochs for dense networks, and {sparse_epochs} for sparse ones, which take a fraction of the
time, in place of 400, so that SET changes its structure fewer than {sparse_epochs} times; what it would gain by more is
not told. No dropout, where .2 was used; cross-entropy in place of squared errors of sigmoids; weight decay is part of
the gradient; every seed draws other images; all test images count, not 1,000."""

_EVOLUTION = """\
## Do near starts move apart?

{nets} starts w0, w1, …, each with {share:g} % of the links of every layer elsewhere than the one before; three hidden
layers of {width} neurons, {weights} weights, of which the output units have all that they can. Each is trained by SET
for {epochs} epochs of {examples} images at learning rate {rate:g}, with seeds of its own. w0 is trained {again} times
more with other seeds. The distance is the published one (NNSTD) of the layer that reads the pixels; means ± standard
deviations of pairs, which share networks; in brackets that of one pair of the published networks. "Own start": from a
network to its own start. Chance: {nulls} random networks with as many links, and {nulls} with the degrees of the last
network (both from w0).

{table}

{apart} {seeds} Their test accuracy is {test}, sd {sd:.4f} ({n} networks).{beside}

How far apart networks end follows from the learning rate, from how much an update drops, and from what they have in
common beside the start. Below, distances from w0; with equal seeds, links in common begin with equal weights, networks
read the same examples in the same order, and what grows is drawn by the same numbers.

{ways}

{nearest}One update alone, of two networks that began alike, puts them at these distances, by the share that is
dropped at random: {updates}.

Not as published: fewer images; the published task, batch, learning rate and seeds are not known."""

_PLENITUDE = """\
## Are there many good structures, far apart?

{nets} independent random starts, trained as above by SET, and without changes of the structure. The distance is NNSTD
with named output units, the mean over the layers of hidden neurons; its interval is the jackknife's over networks.
Chance is {chance} for {nulls} pairs of a network and one with another's degrees, and {random} for random networks.

{table}

{verdict}

Not as published: no dense network is trained at this size; for the comparison with dense ones see above."""
