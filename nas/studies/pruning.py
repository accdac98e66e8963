"""What magnitude pruning with retraining keeps of a network: six methods, and how fast to go.

References
----------
J. Stier, H. Darji and M. Granitzer, "Experiments on properties of hidden structures of sparse neural networks", 2021,
arXiv:2107.12917
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Any, cast

import numpy as np
from torch import nn

from nas.errors import InputError, known
from nas.networks import NetworkSpec, load_network, save_network
from nas.networks.structure import Network
from nas.seeds import stream
from nas.sparsity import EmptyLayerError
from nas.sparsity.iterative import IterativePruning, prune_iteratively
from nas.studies.lenet import changed
from nas.studies.tables import format_estimate, table_of, write_results
from nas.studies.trainings import CHOOSING, Mean, Row, Training, Trainings, mean_of, write_rows
from nas.tasks import load_task
from nas.training import Recipe, evaluate, train
from nas.training.extension import describe_machine
from nas.training.session import StopFlag
from predictors.figures import save_figure
from priors import Wiring

__all__ = ["METHODS", "RECIPE", "SCHEDULES", "pages", "pruning_study"]

LEVELS = (0.80, 0.90, 0.95, 0.98, 0.99)
"""Compressions through which every pruning goes: shares of the weights that are gone."""
LAST = 1 - 500 / 79_400
"""Compression at which it ends: the published 500 weights of 784-100-10."""
ONE_SHOT = (0.80, 0.85, 0.90, 0.95)
"""Compressions of one-shot pruning."""
GAIN = 0.001
RECIPE = Recipe(optimizer="sgd", momentum=0.9, learning_rates=(0.003, 0.01, 0.03), epochs=20, batch_size=64)
"""Of the dense networks; retrainings have the same with a constant rate."""
SEEDS, WIDTH = 5, 100
_RATE, _EPOCHS = 0.25, 2
_AS_BLINDED = ("OBD", "OBS")
"""Methods that differ from class-blinded magnitude in their score alone, and have its learning rate."""

_BLINDED, _UNIFORM, _DISTRIBUTED, _CONTROL = "class-blinded", "class-uniform", "class-distributed", "unpruned"

METHODS: dict[str, IterativePruning] = {
    name: IterativePruning(score=score, allocation=allocation, rate=_RATE, epochs=_EPOCHS)
    for name, score, allocation in (
        ("random", "random", _BLINDED),
        (_UNIFORM, "magnitude", _UNIFORM),
        (_DISTRIBUTED, "magnitude", _DISTRIBUTED),
        (_BLINDED, "magnitude", _BLINDED),
        ("OBD", "obd", _BLINDED),
        ("OBS", "obs", _BLINDED),
    )
}
"""The six methods that are compared at a quarter a step; the middle three prune by magnitude."""

SCHEDULES: dict[str, IterativePruning] = {
    "25 %": METHODS[_BLINDED],
    "50 %": IterativePruning(rate=0.5, epochs=_EPOCHS),
    "75 %": IterativePruning(rate=0.75, epochs=_EPOCHS),
    "1,000 weights": IterativePruning(number=1_000, epochs=_EPOCHS),
    "5,000 weights": IterativePruning(number=5_000, epochs=_EPOCHS),
    "10,000 weights": IterativePruning(number=10_000, epochs=_EPOCHS),
    "25 %, up to 10 epochs": IterativePruning(rate=_RATE, epochs=10, gain=GAIN),
    "25 %, from initial weights": IterativePruning(rate=_RATE, epochs=_EPOCHS, restart=True),
    "at once, up to 25 epochs": IterativePruning(epochs=25, gain=GAIN),
}
"""How fast class-blinded magnitude pruning goes: what a step removes, and how long a retraining is."""


@dataclass(frozen=True)
class _Bench:
    """What all trainings of the study have in common."""

    task: Any
    wiring: Wiring
    recipe: Recipe
    networks: Path
    engine: str

    @property
    def total(self) -> int:
        return self.wiring.n_edges

    def fresh(self, seed: int) -> nn.Module:
        return NetworkSpec("mlp").build(self.wiring, stream(seed, "weights", self.wiring.fingerprint, 0))

    def trained(self, seed: int, rate: float) -> nn.Module:
        return load_network(self._file(seed, rate))

    def _file(self, seed: int, rate: float) -> Path:
        return self.networks / f"{seed}-{rate:g}.safetensors"

    def train(self, seed: int, rate: float, stop: StopFlag) -> Row:
        """Train a dense network, and keep it."""
        network, rng = self.fresh(seed), stream(seed, "batches", self.wiring.fingerprint, 0)
        history = train(network, self.task, self.recipe, learning_rate=rate, rng=rng, engine=self.engine, stop=stop)
        self.networks.mkdir(parents=True, exist_ok=True)
        save_network(cast("Network", network), self._file(seed, rate))
        return {"validation": history.value, "test": self._test(network), "seconds": history.seconds}

    def _test(self, network: nn.Module) -> float:
        return evaluate(network, self.task, self.task.test, engine=self.engine).metric

    def prune(self, pruning: IterativePruning, seed: int, dense: float, rate: float, stop: StopFlag) -> Row:
        """Prune a dense network as far as it goes, and return how accurate it is after every step."""
        rng = stream(seed, "batches", self.wiring.fingerprint, 1)
        network, curve, ended = self.trained(seed, dense), [], ""
        at_once = pruning.rate is None and pruning.number is None
        epochs = 0
        for level in ONE_SHOT if at_once else (*LEVELS, LAST):
            if at_once:
                network, epochs = self.trained(seed, dense), 0
            steps = prune_iteratively(
                network,
                self.task,
                self._retraining,
                pruning,
                weights=max(1, round((1 - level) * self.total)),
                initial=self.fresh(seed) if pruning.restart else None,
                learning_rate=rate,
                rng=rng,
                engine=self.engine,
                stop=stop,
            )
            try:
                for step in steps:
                    epochs += len(step.history.epochs)
                    curve.append(self._point(network, step.weights, epochs, step.history.value))
            except EmptyLayerError as error:
                ended = str(error)
                break
        return _row(curve, ended)

    def control(self, seed: int, dense: float, rate: float, n_steps: int, stop: StopFlag) -> Row:
        """Train the dense network on, as long as the methods do."""
        network, rng, curve = self.trained(seed, dense), stream(seed, "batches", self.wiring.fingerprint, 1), []
        recipe = self._retraining.model_copy(update={"epochs": _EPOCHS})
        batches = rng.spawn(1)[0]
        for step in range(n_steps):
            history = train(network, self.task, recipe, learning_rate=rate, rng=batches, engine=self.engine, stop=stop)
            curve.append(self._point(network, self.total, _EPOCHS * (step + 1), history.value))
        return _row(curve, "")

    @property
    def _retraining(self) -> Recipe:
        return self.recipe.model_copy(update={"schedule": "constant"})

    def _point(self, network: nn.Module, weights: int, epochs: int, validation: float) -> dict[str, Any]:
        return {"weights": weights, "epochs": epochs, "validation": validation, "test": self._test(network)}


def _row(curve: list[dict[str, Any]], ended: str) -> Row:
    # A network that could not be pruned any further is worth nothing there.
    value = fmean(point["validation"] for point in curve) if curve else 0.0
    return {"validation": value, "curve": curve, "ended": ended}


def pruning_study(
    out: Path,
    watch: Any = lambda *_: None,
    *,
    task: str = "mnist",
    data: Path | None = None,
    width: int = WIDTH,
    epochs: int = RECIPE.epochs,
    rates: Sequence[float] = RECIPE.learning_rates,
    paces: Sequence[str] = (),
    seeds: int = SEEDS,
    engine: str = "auto",
    threads: int = 1,
) -> dict[str, Any]:
    """Prune dense networks with every method and at every pace, and write numbers, tables and a figure.

    Parameters
    ----------
    out : Path
        Folder of the results, and of what is trained; see `nas.studies.trainings`.
    watch : callable
        Told a part of the study, how many trainings of it are done, and all of them.
    task, data
        As of `load_task`; of images.
    width : int
        Hidden neurons.
    epochs : int
        Of the dense network.
    rates : sequence of float
        Learning rates, of which one is chosen by validation for the dense networks, and for retrainings.
    paces : sequence of str
        Names of `SCHEDULES`; all of them by default.
    seeds : int
        Networks that are trained and pruned.
    engine : str
    threads : int
    """
    for name in paces:
        known("pace", name, SCHEDULES)
    loaded = load_task(task, data)
    if loaded.is_sequence:
        raise InputError(f"task={task}: its examples are sequences; give one of images, such as mnist or digits")
    wiring = Wiring.from_masks(
        [np.ones((width, loaded.n_inputs)), np.ones((loaded.n_outputs, width))], inputs=True, outputs=True
    )
    recipe = changed(RECIPE, epochs=epochs, learning_rates=tuple(rates))
    bench = _Bench(loaded, wiring, recipe, out / "networks", engine)
    setting = {"task": loaded.fingerprint, "width": width, "epochs": epochs, "rates": list(rates), "engine": engine}
    trainings = Trainings(out, setting, threads, watch)
    n_control = len(_plan(METHODS[_BLINDED], bench.total))

    def dense_of(_: str, rate: float, seed: int) -> Training:
        key = {"part": "dense", "learning_rate": rate, "seed": seed}
        return Training(key, lambda stop: bench.train(seed, rate, stop))

    dense = trainings.best_rates("learning rate", ["dense"], rates, dense_of)["dense"]
    # Rates of methods are chosen on a network that is there for that alone.
    trainings.run("dense networks", [dense_of("dense", dense, seed) for seed in (*range(seeds), CHOOSING)])

    def pruned(arm: tuple[str, str], rate: float, seed: int) -> Training:
        part, name = arm
        key = {"part": part, "name": name, "learning_rate": rate, "seed": seed}
        if name == _CONTROL:
            return Training(key, lambda stop: bench.control(seed, dense, rate, n_control, stop))
        how = (METHODS if part == "method" else SCHEDULES)[name]
        return Training(key, lambda stop: bench.prune(how, seed, dense, rate, stop))

    methods = [("method", name) for name in (_CONTROL, *METHODS)]
    others = [("schedule", name) for name in paces or SCHEDULES if SCHEDULES[name] != METHODS[_BLINDED]]
    best = trainings.best_rates("learning rates", [arm for arm in methods if arm[1] not in _AS_BLINDED], rates, pruned)
    arms = [*methods, *others]
    best = {arm: best.get(arm, best["method", _BLINDED]) for arm in arms}
    rows = trainings.run("pruning", [pruned(arm, best[arm], seed) for seed in range(seeds) for arm in arms])
    networks = trainings.run("dense networks", [dense_of("dense", dense, seed) for seed in range(seeds)])
    numbers = write_results(out, "pruning.json", _numbers(loaded, bench, dense, best, rows, networks, setting), pages)
    write_rows(out / "curves.csv", [_flat(row, point) for row in rows for point in row["curve"]])
    _plot(out / "pruning.png", numbers)
    return {"out": str(out), **numbers}


def _plan(how: IterativePruning, total: int) -> list[int]:
    """Return the weights after each step of a pruning that no empty layer ends."""
    plan, left = [], total
    for level in (*LEVELS, LAST):
        plan += how.counts(left, max(1, round((1 - level) * total)))
        left = plan[-1]
    return plan


def _flat(row: Row, point: Mapping[str, Any]) -> dict[str, Any]:
    return {**{name: row[name] for name in ("part", "name", "learning_rate", "seed")}, **point}


# Numbers


def _numbers(
    task: Any,
    bench: _Bench,
    dense: float,
    best: Mapping[tuple[str, str], float],
    rows: Sequence[Row],
    networks: Sequence[Row],
    setting: Mapping[str, Any],
) -> dict[str, Any]:
    of = {arm: [row for row in rows if (row["part"], row["name"]) == arm] for arm in best}
    control = of["method", _CONTROL]
    return {
        "task": task.name,
        "seeds": len(networks),
        "total": bench.total,
        "width": setting["width"],
        "epochs": setting["epochs"],
        "rates": list(setting["rates"]),
        "retraining": {"share": _RATE, "epochs": _EPOCHS},
        "engine": setting["engine"],
        "examples": [len(task.train), len(task.validation), len(task.test)],
        "dense": {"learning_rate": dense, "test": mean_of([row["test"] for row in networks])},
        "arms": [_arm(arm, best[arm], own, control) for arm, own in of.items()],
        "order": [_order(level, bench.total, of) for level in LEVELS],
        "machine": f"{os.cpu_count()} cores; {describe_machine()}",
        "cpu": sum(row["cpu"] for row in rows),
    }


def _at(row: Row, weights: int) -> dict[str, Any] | None:
    return next((point for point in row["curve"] if point["weights"] == weights), None)


def _arm(arm: tuple[str, str], rate: float, rows: Sequence[Row], control: Sequence[Row]) -> dict[str, Any]:
    """Return mean accuracies at every number of weights to which all seeds were pruned, beside the control's."""
    first = rows[0]["curve"]
    keys = [(point["weights"], point["epochs"]) for point in first] if arm[1] == _CONTROL else None
    numbers = list(dict.fromkeys(point["weights"] for row in rows for point in row["curve"]))
    points = []
    if keys is not None:
        for index, (weights, epochs) in enumerate(keys):
            own = [row["curve"][index] for row in rows]
            points.append(_point(weights, own, epochs))
    for weights in numbers if keys is None else ():
        reached = [(row, _at(row, weights)) for row in rows]
        if all(point is not None for _, point in reached):
            own = [point for _, point in reached if point is not None]
            points.append(_point(weights, own, fmean(point["epochs"] for point in own)))
            points[-1]["less_control"] = _less_control(own, control)
    return {
        "part": arm[0],
        "name": arm[1],
        "learning_rate": rate,
        "points": points,
        "ended": sorted({row["ended"] for row in rows if row["ended"]}),
        "cpu": fmean(row["cpu"] for row in rows),
    }


def _point(weights: int, own: Sequence[Mapping[str, Any]], epochs: float) -> dict[str, Any]:
    return {
        "weights": weights,
        "epochs": epochs,
        "validation": fmean(point["validation"] for point in own),
        "test": mean_of([point["test"] for point in own]),
    }


def _less_control(own: Sequence[Mapping[str, Any]], control: Sequence[Row]) -> Mean | None:
    """Return by how much pruned networks are ahead of unpruned ones that were trained as long, seed by seed."""
    differences = []
    for point, row in zip(own, control, strict=True):
        equal = next((other for other in row["curve"] if other["epochs"] == point["epochs"]), None)
        if equal is None:
            return None
        differences.append(point["test"] - equal["test"])
    return mean_of(differences)


def _order(level: float, total: int, of: Mapping[tuple[str, str], Sequence[Row]]) -> dict[str, Any]:
    """Return the paired differences between the three ways to share magnitude pruning out, at one compression."""
    weights = max(1, round((1 - level) * total))
    found: dict[str, Any] = {"compression": level, "weights": weights}
    for one, other in ((_BLINDED, _DISTRIBUTED), (_DISTRIBUTED, _UNIFORM)):
        pairs = [
            (_at(a, weights), _at(b, weights)) for a, b in zip(of["method", one], of["method", other], strict=True)
        ]
        reached = [(a["test"], b["test"]) for a, b in pairs if a is not None and b is not None]
        found[f"{one} - {other}"] = mean_of([a - b for a, b in reached]) if len(reached) == len(pairs) else None
    return found


# Report


def pages(numbers: Mapping[str, Any]) -> dict[str, str]:
    """Return the text of every page by the name of its file, from the numbers as they are read back."""
    methods = [arm for arm in numbers["arms"] if arm["part"] == "method"]
    paces = [arm for arm in methods if arm["name"] == _BLINDED]
    paces += [arm for arm in numbers["arms"] if arm["part"] == "schedule"]
    dense = numbers["dense"]
    text = _TEXT.format(
        **{name: numbers[name] for name in ("task", "seeds", "total", "width", "epochs", "machine")},
        command=_command(numbers),
        train=numbers["examples"][0],
        validation=numbers["examples"][1],
        rates=", ".join(f"{rate:g}" for rate in numbers["rates"]),
        dense_rate=f"{dense['learning_rate']:g}",
        dense=format_estimate(Mean.of(dense["test"]), digits=4),
        share=f"{numbers['retraining']['share']:.0%}",
        retraining=numbers["retraining"]["epochs"],
        methods=_method_table(numbers, methods),
        order=_order_table(numbers),
        paces=_pace_table(numbers, paces),
        verdict=_verdict(numbers, methods),
        ended=_ended(methods),
        minutes=f"{numbers['cpu'] / 60:.0f}",
    )
    return {"README.md": text}


def _command(numbers: Mapping[str, Any]) -> str:
    """Return the command with the options that are not its defaults."""
    words = ["wirenas study pruning"]
    for option, default in (("task", "mnist"), ("width", WIDTH), ("epochs", RECIPE.epochs), ("seeds", SEEDS)):
        words += [f"--{option} {numbers[option]}"] if numbers[option] != default else []
    if tuple(numbers["rates"]) != RECIPE.learning_rates:
        words += [f"--learning-rate {rate:g}" for rate in numbers["rates"]]
    paces = [arm["name"] for arm in numbers["arms"] if arm["part"] == "schedule"]
    if len(paces) < len(SCHEDULES) - 1:
        words += [f"--pace '{pace}'" for pace in paces]
    return " ".join(words)


def _found(arm: Mapping[str, Any], weights: int) -> Mapping[str, Any] | None:
    return next((point for point in arm["points"] if point["weights"] == weights), None)


def _weights_at(numbers: Mapping[str, Any], level: float) -> int:
    return max(1, round((1 - level) * int(numbers["total"])))


def _method_table(numbers: Mapping[str, Any], methods: Sequence[Mapping[str, Any]]) -> str:
    rows = []
    for arm in methods:
        if arm["name"] == _CONTROL:
            continue
        row = {"method": arm["name"], "rate": f"{arm['learning_rate']:g}"}
        for level in LEVELS:
            point = _found(arm, _weights_at(numbers, level))
            row[f"{level:.0%}"] = "" if point is None else format_estimate(Mean.of(point["test"]), digits=4)
        rows.append({**row, "processor s": f"{arm['cpu']:.0f}"})
    return table_of(rows)


def _order_table(numbers: Mapping[str, Any]) -> str:
    rows = []
    for found in numbers["order"]:
        row = {"compression": f"{found['compression']:.0%}", "weights": f"{found['weights']}"}
        for name, value in found.items():
            if " - " in name:
                row[name] = "" if value is None else format_estimate(Mean.of(value), "+", 4)
        rows.append(row)
    return table_of(rows)


def _pace_table(numbers: Mapping[str, Any], paces: Sequence[Mapping[str, Any]]) -> str:
    rows = []
    for arm in paces:
        row = {
            "a step removes": "25 %" if arm["part"] == "method" else arm["name"],
            "rate": f"{arm['learning_rate']:g}",
        }
        for level in LEVELS:
            point = _found(arm, _weights_at(numbers, level))
            row[f"{level:.0%}"] = (
                ""
                if point is None
                else f"{format_estimate(Mean.of(point['test']), digits=4)} ({point['epochs']:.0f} epochs)"
            )
        rows.append(row)
    return table_of(rows)


def _pace_of(arm: Mapping[str, Any]) -> str:
    return f"{_RATE:.0%}".replace("%", " %") if arm["part"] == "method" else str(arm["name"])


def _verdict(numbers: Mapping[str, Any], methods: Sequence[Mapping[str, Any]]) -> str:
    blinded = next(arm for arm in methods if arm["name"] == _BLINDED)
    point = _found(blinded, _weights_at(numbers, 0.8))
    if point is None:
        return "Class-blinded pruning did not come to 80 % compression."
    test = Mean.of(point["test"])
    sentences = [
        f"At 80 % compression class-blinded pruning reaches {format_estimate(test, digits=4)} on the test part, where "
        "the paper has 0.975."
    ]
    if point["less_control"] is not None:
        gain = Mean.of(point["less_control"])
        word = "ahead of" if gain.low > 0 else "BEHIND" if gain.high < 0 else "not told apart from"
        sentences.append(
            f"It is {word} the same network when that is not pruned and trained for as many epochs: "
            f"{format_estimate(gain, '+', 4)}. The paper is half a point ahead, of a network that was not trained on."
        )
    high = [found for found in numbers["order"] if found["compression"] >= 0.95]
    names = [name for name in high[0] if " - " in name]
    holds = [
        found["compression"]
        for found in high
        if all(found[name] is not None and Mean.of(found[name]).low > 0 for name in names)
    ]
    reverse = [
        f"{name} at {found['compression']:.0%}"
        for found in high
        for name in names
        if found[name] is not None and not Mean.of(found[name]).low > 0
    ]
    if len(holds) == len(high):
        sentences.append("From 95 % on, class-blinded is ahead of class-distributed, and that of class-uniform.")
    else:
        sentences.append(
            f"Of the published order from 95 % on, this is not seen: {', '.join(reverse) or 'what ended'}."
        )
    return " ".join(sentences)


def _ended(methods: Sequence[Mapping[str, Any]]) -> str:
    lines = [f"`{arm['name']}`: {reason.split(':')[0]}" for arm in methods for reason in arm["ended"]]
    return f"Ended before 500 weights: {'; '.join(lines)}." if lines else "All methods came to the last step."


def _plot(path: Path, numbers: Mapping[str, Any]) -> None:
    from matplotlib.figure import Figure
    from matplotlib.ticker import ScalarFormatter

    figure = Figure(figsize=(11, 4.6), layout="constrained")
    left, right = figure.subplots(1, 2, sharey=True)
    colours = ("#999999", "#E69F00", "#56B4E9", "#0072B2", "#009E73", "#D55E00", "#CC79A7", "#000000", "#F0E442")
    methods = [arm for arm in numbers["arms"] if arm["part"] == "method" and arm["name"] != _CONTROL]
    paces = [arm for arm in methods if arm["name"] == _BLINDED]
    paces += [arm for arm in numbers["arms"] if arm["part"] == "schedule"]
    for axes, arms in ((left, methods), (right, paces)):
        for arm, colour, marker in zip(arms, colours, "xs^oDv<>P", strict=False):
            name = _pace_of(arm) if axes is right else arm["name"]
            weights = [point["weights"] for point in arm["points"]]
            tests = [Mean.of(point["test"]) for point in arm["points"]]
            axes.plot(weights, [test.mean for test in tests], color=colour, marker=marker, markersize=4, label=name)
            axes.fill_between(
                weights,
                [test.low for test in tests],
                [test.high for test in tests],
                color=colour,
                alpha=0.15,
                linewidth=0,
            )
        axes.axhline(numbers["dense"]["test"]["mean"], color="0.4", linestyle=":", linewidth=1, label="dense, before")
        axes.set_xscale("log")
        axes.invert_xaxis()
        axes.xaxis.set_major_formatter(ScalarFormatter())
        axes.set_xlabel("live weights")
        axes.grid(alpha=0.3)
        axes.legend(loc="lower left", fontsize="small")
    left.set_ylabel(f"test {'accuracy'}, mean and 95 % interval over seeds")
    left.set_title("methods, a quarter a step", fontsize="medium")
    right.set_title("class-blinded magnitude, at other paces", fontsize="medium")
    best = max(point["test"]["mean"] for arm in methods for point in arm["points"])
    left.set_ylim(best - 0.12, best + 0.005)
    save_figure(figure, path, dpi=110)


_TEXT = """\
# Pruning with retraining

Made by `{command}`: networks of one hidden layer of {width} ReLU neurons on {task} are trained for {epochs}
epochs, then pruned step by step and trained again after each step with what is left; {seeds} seeds, which change the
initial weights and the order of the examples. {total} weights are there to be pruned, biases never are. A step removes
{share} of the weights that remain, and a retraining takes {retraining} epochs; compressions of the tables are met
exactly, by smaller steps before them. Pruning ends at the published 500 weights, or before a layer would be empty.

Everything is trained by SGD with momentum 0.9 and batches of 64, with {train} examples for training and {validation}
for validation. The dense network falls to rate 0 by a cosine, from the rate that did best on validation ({dense_rate}
of {rates}). Retrainings have a constant rate, which was chosen among the same for each method by the mean validation
accuracy over all steps, on a network that does not count; OBD, OBS and the paces have that of class-blinded pruning.
Test accuracies are means over seeds, with 95 % intervals of Student's t. The dense networks have {dense}.

## Methods

{methods}

"processor s" is the time of a whole pruning, evaluations included. {ended}

Differences in pairs, seed by seed:

{order}

{verdict}

![Test accuracy by live weights](pruning.png)

## Paces

Class-blinded magnitude pruning, with other steps and retrainings. "Up to" so many epochs: until one epoch gains less
than 0.001 on validation. In brackets, the epochs of retraining up to there.

{paces}

## What differs from the published experiments

They train with learning rate 0.01 without momentum until it no longer helps, at most 200 epochs, on pixels that are
standardised, with 50,000 examples for training; and they have 25 networks. Here the rate is chosen, pixels are between
0 and 1, and the validation part is larger. OBD's second derivatives are exact, of 2,048 validation examples; the
inputs of OBS are those of 10,000 training examples. The unpruned control is ours.

Prunings took {minutes} minutes of processor time, on {machine}. Every accuracy after every step is in `curves.csv`.
"""
