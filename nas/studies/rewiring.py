"""LeNet-300-100 on MNIST at low density: SET, RigL and gradual pruning beside what was published, static and dense.

References
----------
T. Dettmers and L. Zettlemoyer, "Sparse networks from scratch: faster training without losing performance", 2019,
arXiv:1907.04840; the columns are those of the result file of TimDettmers/sparse_learning.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from statistics import fmean
from typing import Any

from nas.errors import known
from nas.evaluation.estimates import Mean, mean_of
from nas.evaluation.trainings import Training, Trainings, grouped
from nas.sparsity.methods import Method, method_of
from nas.studies.lenet import LeNet, check_densities, how_rates_are_chosen, options_of
from nas.studies.tables import check_study, format_estimate, listed, table_of, write_results
from nas.tasks import load_task
from nas.training.extension import describe_machine
from nas.training.recipe import Recipe, changed
from predictors.figures import BLUE, GREEN, ORANGE, RED, save_figure

__all__ = ["DENSITIES", "METHODS", "PUBLISHED", "RECIPE", "TOLERANCE", "pages", "rewiring_study"]

DENSITIES = (0.01, 0.02, 0.05, 0.1)
SEEDS = 5
METHODS: dict[str, Method] = {
    "set": method_of("set", kept_slots="keep", allocation="erk", dense="none", every="1%", begin="1%", end="75%"),
    "rigl": method_of("rigl"),
    "gmp": method_of("gmp", allocation="erk"),
    "static": method_of("static"),
    "dense": method_of("static"),
}
"""By name; all but dense end with as many weights in each layer, by ERK."""

RECIPE = Recipe(
    optimizer="sgd",
    learning_rates=(0.05, 0.1, 0.2),
    schedule="cosine",
    epochs=100,
    batch_size=100,
    momentum=0.9,
    nesterov=True,
    weight_decay=5e-4,
)

PUBLISHED: dict[str, dict[float, float]] = {
    "SET": {0.01: 0.958, 0.02: 0.9774, 0.05: 0.9814, 0.1: 0.9839},
    "sparse momentum": {0.01: 0.9753, 0.02: 0.982, 0.05: 0.9853, 0.1: 0.9867},
    "dense": {1.0: 0.9869},
}
"""Test accuracies of one network by density."""

CHOSEN_AT = 0.02
"""Density at which the learning rate of a sparse method is chosen."""

TOLERANCE = 0.003
"""A mean that is not further below the published number agrees with it."""

_BESIDE = {"set": "SET", "rigl": "sparse momentum", "dense": "dense"}
_COLOURS = {"set": BLUE, "rigl": RED, "gmp": GREEN, "static": ORANGE, "dense": "0.4"}

Arm = tuple[str, float]


def rewiring_study(
    out: Path,
    watch: Callable[[str, int, int], None] = lambda *_: None,
    *,
    task: str = "mnist",
    methods: Sequence[str] = (),
    densities: Sequence[float] = (),
    seeds: int = SEEDS,
    epochs: int = RECIPE.epochs,
    rates: Sequence[float] = RECIPE.learning_rates,
    threads: int = 1,
    data: Path | None = None,
) -> dict[str, Any]:
    """Train with every method, density and seed, and write numbers, a page and a figure.

    The learning rate of each method is chosen by validation at `CHOSEN_AT`, with one training a rate that does not
    count. Trainings that are stored in `out` are not repeated.

    Raises
    ------
    InputError
        For an unknown method, a density outside (0, 1], what is no learning rate, or a folder with trainings of another
        recipe or task.
    """
    check_study(out, "rewiring")
    chosen = [known("method", name, METHODS) for name in methods or METHODS]
    check_densities(densities)
    recipe = changed(RECIPE, epochs=epochs, learning_rates=tuple(rates))
    lenet = LeNet(load_task(task, data), recipe)
    study = Trainings(out, lenet.setting, threads, watch)

    def training(arm: Arm, rate: float, seed: int) -> Training:
        name, density = arm
        key = {"method": name, "density": density, "rate": rate, "seed": seed}
        return Training(key, partial(lenet.train, METHODS[name], density, rate, seed))

    first = [arm for name in chosen for arm in _arms(name, [CHOSEN_AT])]
    best = {name: rate for (name, _), rate in study.best_rates("learning rates", first, rates, training).items()}
    arms = [arm for name in chosen for arm in _arms(name, densities or DENSITIES)]
    rows = study.run("trainings", [training(arm, best[arm[0]], seed) for arm in arms for seed in range(seeds)])
    found = {
        "task": task,
        "seeds": seeds,
        "examples": len(lenet.task.train),
        "recipe": recipe.model_dump(mode="json"),
        "machine": f"{os.cpu_count()} cores; {describe_machine()}",
        "arms": [_numbers(name, density, own) for (name, density), own in grouped(rows, "method", "density").items()],
    }
    numbers = write_results(out, "rewiring.json", found, pages)
    _plot(out / "rewiring.png", numbers)
    return {"out": str(out), **numbers}


def _arms(name: str, densities: Sequence[float]) -> list[Arm]:
    return [(name, 1.0)] if name == "dense" else [(name, density) for density in densities]


def _numbers(name: str, density: float, rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    return {
        "method": name,
        "density": density,
        "rate": rows[0]["rate"],
        "test": mean_of([row["test"] for row in rows]),
        "tests": [row["test"] for row in rows],
        "validation": fmean(row["validation"] for row in rows),
        "weights": rows[0]["weights"],
        "explored": fmean(row["explored"] for row in rows),
        "cpu": fmean(row["cpu"] for row in rows),
        "wall": fmean(row["wall"] for row in rows),
    }


# The page


def pages(numbers: Mapping[str, Any]) -> dict[str, str]:
    """Return the page by the name of its file."""
    recipe = numbers["recipe"]
    text = _TEXT.format(
        seeds=numbers["seeds"],
        examples=numbers["examples"],
        task=numbers["task"],
        epochs=recipe["epochs"],
        batch=recipe["batch_size"],
        schedule=recipe["schedule"],
        decay=recipe["weight_decay"],
        rates=how_rates_are_chosen(recipe, "each method", f"density {CHOSEN_AT:g}"),
        fraction=METHODS["set"].fraction,
        machine=numbers["machine"],
        table=table_of([_row(arm, numbers["task"]) for arm in numbers["arms"]]),
        verdict="\n".join(f"- {sentence}" for sentence in _verdict(numbers)),
        steps=recipe["epochs"] * -(-numbers["examples"] // recipe["batch_size"]),
        options=options_of(
            recipe,
            RECIPE,
            method=(list(dict.fromkeys(arm["method"] for arm in numbers["arms"])), list(METHODS)),
            density=(sorted({arm["density"] for arm in numbers["arms"]} - {1.0}), DENSITIES),
        ),
    )
    return {"README.md": text}


def _row(arm: Mapping[str, Any], task: str) -> dict[str, str]:
    published = _published(arm) if task == "mnist" else None
    test = Mean.of(arm["test"])
    return {
        "density": f"{arm['density']:g}",
        "method": arm["method"],
        "test accuracy": format_estimate(test, digits=4),
        "sd": f"{test.sd:.4f}" if test.n > 1 else "",
        "published": "" if published is None else f"{published:.4f} ({_BESIDE[arm['method']]})",
        "less published": "" if published is None else f"{100 * (test.mean - published):+.2f}",
        "weights": str(arm["weights"]),
        "ever live": f"{100 * arm['explored']:.0f} %",
        "learning rate": f"{arm['rate']:g}",
        "processor s": f"{arm['cpu']:.1f}",
    }


def _published(arm: Mapping[str, Any]) -> float | None:
    column = _BESIDE.get(arm["method"])
    return None if column is None else PUBLISHED[column].get(arm["density"])


def _verdict(numbers: Mapping[str, Any]) -> list[str]:
    """Say what is near the published numbers and what is not, and what learning the structure was worth."""
    arms = {(arm["method"], arm["density"]): arm for arm in numbers["arms"]}
    sentences = []
    if numbers["task"] == "mnist":
        for method, column in _BESIDE.items():
            own = {density: arm for (name, density), arm in arms.items() if name == method and _published(arm)}
            if own:
                sentences.append(_beside(method, column, own))
    for method in ("set", "rigl", "gmp"):
        gains = {
            density: mean_of([a - b for a, b in zip(arm["tests"], arms["static", density]["tests"], strict=True)])
            for (name, density), arm in arms.items()
            if name == method and ("static", density) in arms and len(arm["tests"]) > 1
        }
        if gains:
            points = listed(
                f"{format_estimate(gain.in_points, '+', 2)} at {density:g}" for density, gain in gains.items()
            )
            sentences.append(f"Over a static structure {method} gains, in points and pairs of seeds, {points}.")
    return sentences


def _beside(method: str, column: str, own: Mapping[float, Mapping[str, Any]]) -> str:
    gaps = {density: arm["test"]["mean"] - float(_published(arm) or 0) for density, arm in own.items()}
    missed = _listed(f"{100 * -gap:.2f} at {density:g}" for density, gap in gaps.items() if gap < -TOLERANCE)
    near = _listed(f"{density:g}" for density, gap in gaps.items() if gap >= -TOLERANCE)
    most = f"{100 * TOLERANCE:g} points"
    if near is None:
        return f"{method} is BELOW the published {column} column by more than {most}: by {missed}."
    below = "" if missed is None else f", and BELOW it by more than that elsewhere: by {missed}"
    return f"{method} is within {most} of the published {column} column, or above it, at {near}{below}."


def _listed(words: Iterable[str]) -> str | None:
    found = list(words)
    return listed(found) if found else None


def _plot(path: Path, numbers: Mapping[str, Any]) -> None:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 5), layout="constrained")
    axes = figure.subplots()
    for (method,), own in grouped(list(numbers["arms"]), "method").items():
        means = [Mean.of(arm["test"]) for arm in own]
        colour = _COLOURS[method]
        if method == "dense":
            axes.axhline(means[0].mean, color=colour, linestyle=":", label="dense")
            continue
        x, y = [arm["density"] for arm in own], [mean.mean for mean in means]
        halves = [mean.high - mean.mean if mean.n > 1 else 0.0 for mean in means]
        axes.errorbar(x, y, halves, color=colour, marker="o", markersize=4, capsize=2, label=method)
    if numbers["task"] == "mnist":
        for column, colour, marker in (("SET", BLUE, "x"), ("sparse momentum", RED, "+")):
            at, label = PUBLISHED[column], f"{column}, published"
            axes.plot([*at], [*at.values()], "--", color=colour, marker=marker, linewidth=0.8, label=label)
    axes.set_xscale("log")
    axes.set_xlabel("density: weights that live / all weights")
    axes.set_ylabel("test accuracy, mean and 95 % interval over seeds")
    axes.grid(alpha=0.3)
    axes.legend(loc="lower right", fontsize="small")
    save_figure(figure, path)


_TEXT = """\
# Rewiring LeNet-300-100 at low density

Made by `wirenas study rewiring{options}`: a network with hidden layers of 300 and 100 neurons on {task}, {seeds} seeds.
All sparse networks hold equally many weights, shared out to the layers by ERK. `rigl`, `static` and `gmp` are the
methods of these names of `wirenas rewire` and `wirenas prune`. `set` drops the share {fraction:g} of the positive and
of the negative weights, those nearest to 0, and grows as many at random with value 0, a hundred times a training, as in
100 epochs; the last quarter leaves the structure alone, as with `rigl` and `gmp`. `dense` keeps all weights. A seed
gives all methods the same initial draws and the same order of examples.

{epochs} epochs of {examples} examples, batches of {batch}, SGD with Nesterov's momentum .9, weight decay {decay:g},
schedule {schedule}. {rates}
Test accuracy is that of the weights after the last epoch. Intervals are those of Student's t over seeds, 95 %; they say
nothing of other splits and tasks. "Less published" is in points. "Ever live" is the share of all weights that lived at
some time. "Processor s" is the time that a training takes of one core, on {machine}.

{table}

{verdict}

The published numbers are of one network each, trained with 100 epochs at learning rate .1, with momentum .9, weight
decay .0005 and batches of 100, which are up to 60,000 updates. Here there are {steps}, of {examples} examples, since a
fifth of the training part validates; pixels lie between 0 and 1 and are not standardised; rates fall by another
schedule. The published structures need not be ERK's, and "sparse momentum" is another method than RigL, beside which it
stands as the best published column. That a mean agrees with one number, of one network, says little about which method
is better; the differences in pairs do.

![Accuracy by density](rewiring.png)
"""
