"""Which weights should rewiring drop? Five criteria with random and gradient growth, as described and as released.

References
----------
A. I. Nowak, B. Grooten, D. C. Mocanu and J. Tabor, "Fantastic weights and how to find them: where to prune in dynamic
sparse training", 2023, arXiv:2306.12230; released as alooow/fantastic_weights_paper.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from statistics import fmean
from typing import Any

from nas.errors import known
from nas.evaluation.estimates import Mean, mean_of
from nas.evaluation.trainings import Row, Training, Trainings, grouped, write_rows
from nas.sparsity.methods import Method, method_of, nowak
from nas.studies.lenet import LeNet, check_densities, fewer_examples, how_rates_are_chosen, options_of
from nas.studies.tables import check_study, describe_differences, format_estimate, listed, table_of, write_results
from nas.tasks import load_task
from nas.training.extension import describe_machine
from nas.training.recipe import Recipe, changed
from predictors.figures import BLUE, GREEN, ORANGE, RED, save_figure

__all__ = ["CRITERIA", "DENSITIES", "GROWTHS", "RECIPE", "VERSIONS", "drop_criteria_study", "pages", "version_of"]

CRITERIA = ("magnitude", "set", "mest", "snip", "reciprocal-sensitivity")
GROWTHS = ("random", "gradient")
DENSITIES = (0.05, 0.1, 0.2, 0.5)
SEEDS = 5
VERSIONS = {
    "described": "as described",
    "released": "as released",
    "released-sparse": "as released, but for the momentum of weights that do not live",
}
CHOSEN_AT = 0.1
"""Density at which the learning rate of a criterion with a growth is chosen."""

RECIPE = Recipe(
    optimizer="sgd",
    learning_rates=(0.01, 0.03, 0.1),
    schedule="step",
    epochs=100,
    batch_size=128,
    momentum=0.9,
    nesterov=True,
    weight_decay=5e-4,
)

_PERIOD = 800 / 42_200
"""Time between two updates as published, as a share of a training."""
_COLLAPSED = 0.1
"""Standard deviation of accuracies over seeds above which some trainings must have collapsed."""
_STATIC = "static"
_SHIFT = 0.12
_COLOURS = dict(zip((*CRITERIA, _STATIC), (RED, BLUE, GREEN, ORANGE, "#CC79A7", "0.5"), strict=True))


def version_of(version: str, criterion: str, growth: str, n_steps: int) -> Method:
    """Return a criterion with a growth, in one of `VERSIONS`, for a training of so many steps.

    As published, the structure changes 53 times in a training, however long that is.
    """
    method = nowak(criterion, growth, released=version != "described")
    every = max(1, round(_PERIOD * n_steps))
    method = method.replace(every=every, begin=every)
    return method.replace(masked_slots="zero", new_slots="zero") if version == "released-sparse" else method


def drop_criteria_study(
    out: Path,
    watch: Callable[[str, int, int], None] = lambda *_: None,
    *,
    task: str = "fashion-mnist",
    versions: Sequence[str] = (),
    densities: Sequence[float] = (),
    seeds: int = SEEDS,
    epochs: int = RECIPE.epochs,
    rates: Sequence[float] = RECIPE.learning_rates,
    examples: int | None = None,
    threads: int = 1,
    data: Path | None = None,
) -> dict[str, Any]:
    """Train with every criterion, growth, density and seed, in some versions, and write numbers, a page and a figure.

    The learning rate of each criterion with each growth, and of a static structure, is chosen by validation at
    `CHOSEN_AT`, as described and with one training a rate that does not count; all versions and densities have it.
    Trainings that are stored in `out` are not repeated.

    Parameters
    ----------
    versions : sequence of str
        Of `VERSIONS`; as described and as released where left out.
    examples : int, optional
        To train on; all by default.

    Raises
    ------
    InputError
        For an unknown version, a density outside (0, 1], what is no learning rate, more examples than there are, or a
        folder with trainings of another recipe or task.
    """
    check_study(out, "drop-criteria")
    asked = [known("version", name, VERSIONS) for name in versions or ("described", "released")]
    check_densities(densities)
    recipe = changed(RECIPE, epochs=epochs, learning_rates=tuple(rates))
    whole = load_task(task, data)
    lenet = LeNet(fewer_examples(whole, examples), recipe)
    study = Trainings(out, lenet.setting, threads, watch)

    def training(version: str, criterion: str, growth: str, density: float, rate: float, seed: int) -> Training:
        key: dict[str, Any] = {"version": version, "criterion": criterion, "growth": growth}
        key |= {"density": density, "rate": rate, "seed": seed}
        if criterion == _STATIC:
            return Training(key, partial(lenet.train, method_of("static"), density, rate, seed))
        method = version_of(version, criterion, growth, lenet.n_steps)
        # Sparse training has no momentum of weights that do not live.
        train = lenet.train_masked if version == "released" else lenet.train
        return Training(key, partial(train, method, density, rate, seed))

    pairs = _pairs()
    best = study.best_rates(
        "learning rates", pairs, rates, lambda pair, rate, seed: training("described", *pair, CHOSEN_AT, rate, seed)
    )
    rows = study.run(
        "trainings",
        [
            training(version, *pair, density, best[pair], seed)
            for density in densities or DENSITIES
            for version in asked
            for pair in pairs
            if pair[0] != _STATIC or version == asked[0]
            for seed in range(seeds)
        ],
    )
    found = {
        "task": task,
        "seeds": seeds,
        "examples": len(lenet.task.train),
        "all_examples": len(whole.train),
        "n_steps": lenet.n_steps,
        "recipe": recipe.model_dump(mode="json"),
        "machine": f"{os.cpu_count()} cores; {describe_machine()}",
        "versions": asked,
        "arms": [_numbers(own) for own in grouped(rows, "version", "criterion", "growth", "density").values()],
        "ahead": _ahead(rows),
        "over_static": _over_static(rows),
        "released": _released(rows),
    }
    numbers = write_results(out, "drop-criteria.json", found, pages)
    write_rows(out / "drop-criteria.csv", [_flat(arm) for arm in numbers["arms"]])
    _plot(out / "drop-criteria.png", numbers)
    return {"out": str(out), **numbers}


def _pairs() -> list[tuple[str, str]]:
    """Return what is compared: a criterion with a growth, and a static structure."""
    return [*((criterion, growth) for criterion in CRITERIA for growth in GROWTHS), (_STATIC, "")]


def _numbers(rows: Sequence[Row]) -> dict[str, Any]:
    first = rows[0]
    return {
        **{name: first[name] for name in ("version", "criterion", "growth", "density", "rate")},
        "test": mean_of([row["test"] for row in rows]),
        "validation": fmean(row["validation"] for row in rows),
        "weights": fmean(row["weights"] for row in rows),
        "explored": fmean(row["explored"] for row in rows),
        "cpu": fmean(row["cpu"] for row in rows),
    }


def _flat(arm: Mapping[str, Any]) -> dict[str, Any]:
    rest = {name: value for name, value in arm.items() if name != "test"}
    return {**rest, **{f"test_{name}": value for name, value in arm["test"].items()}}


def _tests(rows: Sequence[Row]) -> dict[tuple[Any, ...], list[float]]:
    """Return test accuracies by seed, of each version, density, criterion and growth."""
    groups = grouped(rows, "version", "density", "criterion", "growth")
    return {key: [row["test"] for row in own] for key, own in groups.items()}


def _ahead(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """Return by how much magnitude is ahead of each other criterion, over both growths, and of a static structure."""
    tests = _tests(rows)
    found = []
    for version, density in dict.fromkeys((version, density) for version, density, *_ in tests):
        means = {
            criterion: _over_growths([tests[version, density, criterion, growth] for growth in GROWTHS])
            for criterion in CRITERIA
            if (version, density, criterion, GROWTHS[0]) in tests
        }
        static = next((own for (_, at, name, _), own in tests.items() if (at, name) == (density, _STATIC)), None)
        if static is not None:
            means[_STATIC] = static
        own = means["magnitude"]
        found += [
            {"version": version, "density": density, "other": other, **vars(_gain(own, values))}
            for other, values in means.items()
            if other != "magnitude"
        ]
    return found


def _over_static(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """Return by how much each criterion with each growth is ahead of a static structure of the same density."""
    tests = _tests(rows)
    static = {density: own for (_, density, criterion, _), own in tests.items() if criterion == _STATIC}
    return [
        {
            **{"version": version, "density": density, "criterion": criterion, "growth": growth},
            **vars(_gain(own, static[density])),
        }
        for (version, density, criterion, growth), own in tests.items()
        if criterion != _STATIC and density in static
    ]


def _over_growths(tests: Sequence[Sequence[float]]) -> list[float]:
    return [fmean(of) for of in zip(*tests, strict=True)]


def _gain(own: Sequence[float], other: Sequence[float]) -> Mean:
    return mean_of([a - b for a, b in zip(own, other, strict=True)])


def _released(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """Return by how much other versions are ahead of what is described."""
    tests = _tests(rows)
    return [
        {
            **{"version": version, "density": density, "criterion": criterion, "growth": growth},
            **vars(_gain(own, tests["described", density, criterion, growth])),
        }
        for (version, density, criterion, growth), own in tests.items()
        if version != "described" and ("described", density, criterion, growth) in tests
    ]


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
        steps=numbers["n_steps"],
        every=max(1, round(_PERIOD * numbers["n_steps"])),
        decay=recipe["weight_decay"],
        schedule=recipe["schedule"],
        rates=how_rates_are_chosen(recipe, "each criterion with each growth", f"density {CHOSEN_AT:g}, as described"),
        machine=numbers["machine"],
        options=options_of(
            recipe,
            RECIPE,
            version=(numbers["versions"], ("described", "released")),
            density=(_densities(numbers), DENSITIES),
            examples=([numbers["examples"]], [numbers["all_examples"]]),
        ),
        tables="\n\n".join(_table(numbers, version) for version in numbers["versions"]),
        collapsed=_collapsed_text(numbers),
        ahead=table_of(_ahead_rows(numbers)),
        verdict=_verdict(numbers),
        static="\n".join(_static_lines(numbers)),
        released=_released_text(numbers),
    )
    return {"README.md": text}


def _densities(numbers: Mapping[str, Any]) -> list[float]:
    return list(dict.fromkeys(arm["density"] for arm in numbers["arms"]))


def _table(numbers: Mapping[str, Any], version: str) -> str:
    arms = {
        (arm["criterion"], arm["growth"], arm["density"]): arm
        for arm in numbers["arms"]
        if arm["version"] == version or arm["criterion"] == _STATIC
    }
    rows = [
        {
            "criterion": criterion,
            "growth": growth or "none",
            "learning rate": f"{next(arm['rate'] for (*own, _), arm in arms.items() if own == [criterion, growth]):g}",
            **{
                f"density {density:g}": format_estimate(Mean.of(arms[criterion, growth, density]["test"]), digits=4)
                for density in _densities(numbers)
                if (criterion, growth, density) in arms
            },
        }
        for criterion, growth in _pairs()
        if any(key[:2] == (criterion, growth) for key in arms)
    ]
    return f"Test accuracy {VERSIONS[version]}:\n\n{table_of(rows)}"


def _collapsed_text(numbers: Mapping[str, Any]) -> str:
    """Say where some trainings of an arm collapsed, by the spread of their accuracies."""
    named = [
        f"{arm['criterion']} with {arm['growth']} growth {VERSIONS[arm['version']]} at density {arm['density']:g} "
        f"({test.sd:.2f})"
        for arm in numbers["arms"]
        if (test := Mean.of(arm["test"])).n > 1 and test.sd > _COLLAPSED
    ]
    if not named:
        return f"No standard deviation over seeds is above {_COLLAPSED:g}: no training collapsed where others did not."
    return (
        f"Where the standard deviation over seeds is above {_COLLAPSED:g} some trainings collapsed and the others did "
        f"not, so that neither the mean nor the interval, which may reach beyond 1, is that of a usual training: "
        f"{listed(named)}. What is said of means below holds for these too."
    )


def _ahead_rows(numbers: Mapping[str, Any]) -> list[dict[str, str]]:
    rows = grouped(list(numbers["ahead"]), "version", "other")
    return [
        {
            "version": version,
            "magnitude less": other,
            **{f"density {gain['density']:g}": format_estimate(Mean.of(gain).in_points, "+", 2) for gain in gains},
        }
        for (version, other), gains in rows.items()
    ]


def _verdict(numbers: Mapping[str, Any]) -> str:
    """Say whether magnitude wins, at each density and in each version."""
    lines = []
    for (version, density), gains in grouped(list(numbers["ahead"]), "version", "density").items():
        others = {gain["other"]: Mean.of(gain) for gain in gains}
        told = describe_differences(others, ("ahead of {}", "BEHIND {}", "not told apart from {}"))
        lines.append(f"- {VERSIONS[version].capitalize()}, at density {density:g}, magnitude is {told}.")
    return "\n".join(lines)


def _static_lines(numbers: Mapping[str, Any]) -> Iterator[str]:
    for (version, density), gains in grouped(list(numbers["over_static"]), "version", "density").items():
        ahead = sum(gain["low"] is not None and gain["low"] > 0 for gain in gains)
        behind = sum(gain["high"] is not None and gain["high"] < 0 for gain in gains)
        yield (
            f"- {VERSIONS[version].capitalize()}, at density {density:g}, {ahead} of {len(gains)} criteria with a "
            f"growth are ahead of a static structure, and {behind} BEHIND it."
        )


def _released_text(numbers: Mapping[str, Any]) -> str:
    gains = grouped(list(numbers["released"]), "version", "density")
    if not gains:
        return "Only one version was trained."
    lines = ["Differences from what is described, in points, by intervals without 0:\n"]
    for (version, density), own in gains.items():
        named = {f"{gain['criterion']} with {gain['growth']} growth": Mean.of(gain) for gain in own}
        apart = {
            name: format_estimate(gain.in_points, "+", 2)
            for name, gain in named.items()
            if gain.low > 0 or gain.high < 0
        }
        what = listed(f"{name} ({gain})" for name, gain in apart.items()) if apart else "none"
        lines.append(f"- {VERSIONS[version].capitalize()}, at density {density:g}: {what}.")
    return "\n".join(lines)


def _plot(path: Path, numbers: Mapping[str, Any]) -> None:
    from matplotlib.figure import Figure

    versions, densities = numbers["versions"], _densities(numbers)
    figure = Figure(figsize=(11, 1 + 3.2 * len(versions)), layout="constrained")
    panels = figure.subplots(len(versions), len(GROWTHS), sharex=True, sharey=True, squeeze=False)
    for row, version in zip(panels, versions, strict=True):
        for axes, growth in zip(row, GROWTHS, strict=True):
            for (criterion,), own in grouped(list(numbers["arms"]), "criterion").items():
                shown = [
                    arm for arm in own if criterion == _STATIC or (arm["version"], arm["growth"]) == (version, growth)
                ]
                means = [Mean.of(arm["test"]) for arm in shown]
                halves = [mean.high - mean.mean if mean.n > 1 else 0.0 for mean in means]
                # Side by side, where several densities are far from each other and one alone has no axis.
                x = [densities.index(arm["density"]) + _SHIFT * [*_COLOURS].index(criterion) for arm in shown]
                y = [mean.mean for mean in means]
                colour = _COLOURS[criterion]
                axes.errorbar(x, y, halves, fmt="o", color=colour, markersize=3, capsize=2, label=criterion)
            axes.set_xticks([at + _SHIFT * (len(_COLOURS) - 1) / 2 for at in range(len(densities))], densities)
            axes.set_title(f"{growth} growth, {VERSIONS[version]}", fontsize="small")
            axes.grid(alpha=0.3)
        row[0].set_ylabel("test accuracy, mean and 95 % interval")
    for axes in panels[-1]:
        axes.set_xlabel("density: weights that live / all weights")
    figure.legend(
        *panels[0][0].get_legend_handles_labels(), loc="outside lower center", ncols=len(_COLOURS), fontsize="small"
    )
    save_figure(figure, path)


_TEXT = """\
# Which weights should rewiring drop?

Made by `wirenas study drop-criteria{options}`: LeNet-300-100 on {task}, {seeds} seeds. Every {every} of {steps} steps,
as often in a training as published, weights are dropped by one of five criteria and as many are grown, at random or
where the gradient is largest; the share that is dropped falls by a cosine from .5 to .005. Weights are shared out to
the layers by ERK. A seed gives all of them the same initial weights, structure and order of examples. `static` keeps
its structure.

{epochs} epochs of {examples} examples, batches of {batch}, SGD with Nesterov's momentum .9, weight decay {decay:g},
schedule {schedule}. {rates}
All versions and densities have it. Test accuracy is that of the weights after the last epoch. Intervals are those of
Student's t over seeds, 95 %, not corrected for their number; they say nothing of other splits and tasks.

{tables}

{collapsed}

Does magnitude win? Differences in points, of the means over both growths and in pairs of seeds:

{ahead}

{verdict}

{static}

Versions. In the released code SET's score drops all negative weights but the most negative ones, criteria that read
gradients change the structure before the weights and not after them, random growth lets the number of weights drift,
and weights that do not live have a momentum that runs on. `released-sparse` has all of that but the last.

{released}

What differs from the published protocol: a fifth of the training part validates in place of a tenth, the weights after
the last epoch are tested and not those that were best on validation, and the network is LeNet-300-100; the published
study has no numbers for it, and its accuracies are figures alone. Updates lie {every} steps apart and not 800: with
fewer steps between them grown weights have less time before they are judged, and what is found says less of long
trainings. Made on {machine}.

![Accuracy by density](drop-criteria.png)
"""
