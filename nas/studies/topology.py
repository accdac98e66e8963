"""Topologies of sparse networks: SET beside dense ones, near starts that it moves apart, and how many ends it has.

References
----------
S. Liu, T. Van der Lee, A. Yaman, Z. Atashgahi, D. Ferraro, G. Sokar, M. Pechenizkiy and D. C. Mocanu, "Topological
insights into sparse neural networks", 2020, arXiv:2006.14085. The numbers on 2,000 images of Fashion-MNIST are those of
the result files of dcmocanu/sparse-evolutionary-artificial-neural-networks.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from pathlib import Path
from statistics import fmean, stdev
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nas.errors import known
from nas.evaluation.estimates import mean_of
from nas.evaluation.trainings import CHOOSING, Row, Training, Trainings, grouped
from nas.studies.tables import check_study, write_results
from nas.studies.topology_nets import (
    AGAIN,
    AT,
    EPSILON,
    LESS,
    LINKS,
    METHODS,
    NULLS,
    PARTS,
    RECIPE,
    SET,
    SLOW,
    STEP,
    VALIDATION,
    Measure,
    Shape,
    Sizes,
    after_one_update,
    between_hidden,
    first_layer,
    mean_over_nets,
    sample,
    train_wiring,
    unpacked,
)
from nas.studies.topology_report import pages, plot, plot_pairs
from nas.tasks import load_task
from nas.tasks.task import Task
from nas.training import Interrupted
from nas.training.extension import describe_machine
from nas.training.recipe import Recipe, changed
from nas.training.session import StopFlag
from predictors.pairs import distance_matrix
from priors import NullModel, Wiring

__all__ = ["pages", "topology_study"]


def topology_study(
    out: Path,
    watch: Callable[[str, int, int], None] = lambda *_: None,
    *,
    task: str = "fashion-mnist",
    parts: Sequence[str] = (),
    sizes: Sizes | None = None,
    rates: Sequence[float] = RECIPE.learning_rates,
    threads: int = 1,
    data: Path | None = None,
) -> dict[str, Any]:
    """Train what the parts need, measure distances, and write numbers, a page and figures.

    Learning rates are chosen by validation, one training a rate that does not count. What is stored in `out` is not
    done again; parts may be asked for one after the other, and the page tells of those of the last call.

    Raises
    ------
    InputError
        For an unknown part, numbers that are too small, what is no learning rate, or a folder with trainings of other
        sizes or another task.
    """
    check_study(out, "topology")
    sizes = sizes or Sizes()
    chosen = [name for name in PARTS if name in [known("part", part, PARTS) for part in parts or PARTS]]
    recipe = changed(RECIPE, epochs=sizes.epochs, learning_rates=tuple(rates))
    loaded = load_task(task, data)
    options = recipe.model_dump(mode="json")
    del options["learning_rates"], options["epochs"]
    setting = {"task": loaded.name, "data": loaded.fingerprint, **sizes.setting, **options}
    study = _Study(Trainings(out, setting, threads, watch), loaded, recipe, sizes)
    steps = {"set-vs-dense": study.against_dense, "evolution": study.evolution, "plenitude": study.plenitude}
    found = {
        "task": task,
        "sizes": {name: getattr(sizes, name) for name in Sizes.__dataclass_fields__},
        "recipe": recipe.model_dump(mode="json"),
        "tested": len(loaded.test),
        "machine": f"{os.cpu_count()} cores; {describe_machine()}",
        "parts": {name: steps[name]() for name in chosen},
    }
    numbers = write_results(out, "topology.json", found, pages)
    plot(out / "topology.png", numbers)
    if {"evolution", "plenitude"} & set(chosen):
        plot_pairs(out / "topology-pairs.png", numbers)
    return {"out": str(out), **numbers}


@dataclass(frozen=True)
class _Study:
    trainings: Trainings
    task: Task
    recipe: Recipe
    sizes: Sizes

    # SET and dense networks

    def against_dense(self) -> dict[str, Any]:
        shape = Shape.of(self.task, [self.sizes.width] * 3, EPSILON)

        def training(name: str, rate: float, seed: int) -> Training:
            epochs = self.sizes.epochs if name == "dense" else self.sizes.sparse_epochs
            key = {"part": "set-vs-dense", "method": name, "epochs": epochs, "schedule": METHODS[name][1]}
            return Training({**key, "rate": rate, "seed": seed}, partial(self._one_of, shape, name, rate, seed))

        best = self.trainings.best_rates("learning rates", METHODS, self.recipe.learning_rates, training)
        wanted = [training(name, best[name], seed) for seed in range(self.sizes.seeds) for name in METHODS]
        rows = grouped(self.trainings.run("SET, static and dense", wanted), "method")
        pairs = [("set", "dense"), ("set-published", "dense"), ("static", "dense"), ("set", "static")]
        pairs += [("set-published", "static"), ("set", "set-published")]
        return {
            "links": list(shape.counts),
            "arms": [_arm(name, rows[name,]) for name in METHODS],
            "differences": [
                {"of": own, "over": other, "mean": mean_of(_less(rows[own,], rows[other,]))} for own, other in pairs
            ],
        }

    def _one_of(self, shape: Shape, name: str, rate: float, seed: int, stop: StopFlag) -> dict[str, Any]:
        task = sample(self.task, seed, self.sizes.examples, min(VALIDATION, len(self.task.validation)))
        is_dense = name == "dense"
        method, schedule = METHODS[name]
        epochs = self.sizes.epochs if is_dense else self.sizes.sparse_epochs
        recipe = changed(self.recipe, epochs=epochs, schedule=schedule)
        wiring = shape.complete() if is_dense else shape.start(seed)
        return train_wiring(wiring, task, recipe, rate, seed, stop, method=method)

    # Topologies

    @cached_property
    def shape(self) -> Shape:
        return Shape.of(self.task, [self.sizes.net_width] * 3, LINKS, dense_output=True)

    @cached_property
    def net_task(self) -> Task:
        return sample(self.task, CHOOSING, self.sizes.net_examples, min(VALIDATION, len(self.task.validation)))

    @cached_property
    def steps(self) -> list[Wiring]:
        return self.shape.steps(self.sizes.nets, STEP)

    @cached_property
    def at(self) -> list[int]:
        last = self.sizes.net_epochs
        return [epoch for epoch in AT if epoch < last] + [last]

    def net(
        self,
        method: str,
        start: int,
        step: int,
        rate: float,
        seed: int,
        *,
        dropped: float = SET.fraction,
        by_place: bool = False,
    ) -> Training:
        """Return the training of one net: `step` steps away from a start."""
        key = {"part": "nets", "method": method, "start": start, "step": step, "rate": rate, "seed": seed}
        key |= {"dropped": dropped, "by_place": by_place} if (dropped, by_place) != (SET.fraction, False) else {}
        return Training(key, partial(self._train_net, method, start, step, rate, seed, dropped, by_place))

    def _train_net(
        self,
        method: str,
        start: int,
        step: int,
        rate: float,
        seed: int,
        dropped: float,
        by_place: bool,
        stop: StopFlag,
    ) -> dict[str, Any]:
        wiring = self.steps[step] if start == 0 else self.shape.start(start)
        recipe = changed(self.recipe, epochs=self.sizes.net_epochs)
        given: dict[str, Any] = {}
        if method == "set":
            given = {"method": SET.replace(fraction=dropped), "by_place": by_place, "keep": self.at}
        return train_wiring(wiring, self.net_task, recipe, rate, seed, stop, **given)

    @cached_property
    def net_rates(self) -> dict[str, float]:
        return self.trainings.best_rates(
            "learning rates of nets",
            ("set", "static"),
            self.recipe.learning_rates,
            lambda method, rate, seed: self.net(method, seed, 0, rate, seed),
        )

    def wirings(self, rows: Sequence[Row], epoch: int) -> list[Wiring]:
        return [unpacked(row["wirings"][str(epoch)], self.shape.sizes) for row in rows]

    def evolution(self) -> dict[str, Any]:
        rate, n = self.net_rates["set"], self.sizes.nets
        # The first of them once more, with other seeds: what else than the start moves nets apart.
        begun = [*((step, step) for step in range(n)), *((0, CHOOSING + 1 + again) for again in range(AGAIN))]
        rows = self.trainings.run("evolution", [self.net("set", 0, step, rate, seed) for step, seed in begun])
        gaps = np.abs(np.subtract.outer([step for step, _ in begun], [step for step, _ in begun]))
        matrices = {epoch: self._matrix("evolution", epoch, rate, self.wirings(rows, epoch), first_layer)
                    for epoch in self.at}  # fmt: skip
        starts = self.wirings(rows, 0)
        drift = self._measured(
            {"distances": "drift", "nets": n, "rate": rate},
            lambda count: [[count(first_layer(begin, end))
                            for begin, end in zip(starts, self.wirings(rows, epoch), strict=True)]
                           for epoch in self.at],
        )  # fmt: skip
        chance = self._measured(
            {"distances": "chance", "nets": n, "rate": rate, "nulls": NULLS},
            lambda count: [self._chance(rows, epoch, count) for epoch in self.at],
        )
        return {
            "rate": rate,
            "at": self.at,
            "steps": [step for step, _ in begun],
            "weights": rows[0]["weights"],
            "test": mean_of([row["test"] for row in rows]),
            "tests": [row["test"] for row in rows],
            "by_gap": [
                {str(gap): _spread(matrix[np.triu(gaps == gap, 1)]) for gap in range(n)} for matrix in matrices.values()
            ],
            "drift": [_spread(np.array(values)) for values in drift],
            "chance": chance,
            "first": matrices[0].tolist(),
            "last": matrices[self.at[-1]].tolist(),
            "ways": [
                self._way(own_rate, dropped, by_place)
                for own_rate, dropped, by_place in (
                    (rate, SET.fraction, False),
                    (rate, SET.fraction, True),
                    (rate, LESS, False),
                    (SLOW, SET.fraction, False),
                    (SLOW, SET.fraction, True),
                )
            ],
        }

    def _way(self, rate: float, dropped: float, by_place: bool) -> dict[str, Any]:
        """Return how far the first net and some others end from each other, with more or less in common."""
        steps = sorted({0, 1, min(5, self.sizes.nets - 1), self.sizes.nets - 1})
        wanted = [self.net("set", 0, step, rate, 0 if by_place else step, dropped=dropped, by_place=by_place)
                  for step in steps]  # fmt: skip
        name = f"{dropped:g} dropped, {'equal' if by_place else 'own'} seeds"
        rows = self.trainings.run(f"evolution: {name}, rate {rate:g}", wanted)
        found = [self._matrix(f"evolution: {name}", epoch, rate, self.wirings(rows, epoch), first_layer)
                 for epoch in self.at]  # fmt: skip
        return {
            "rate": rate,
            "dropped": dropped,
            "by_place": by_place,
            "test": mean_of([row["test"] for row in rows]),
            "from_first": [
                {str(step): float(matrix[0, place]) for place, step in enumerate(steps) if step} for matrix in found
            ],
            "one_update": after_one_update(self.shape, dropped),
        }

    def _chance(self, rows: Sequence[Row], epoch: int, count: Callable[[float], float]) -> dict[str, Any]:
        """Measure how far a net is from random ones, and from ones with the degrees of the net farthest on."""
        n = self.sizes.nets
        first, last = self.wirings([rows[0], rows[n - 1]], epoch)
        null = NullModel(last, "layers")
        random = [count(first_layer(first, self.shape.start(CHOOSING + 1 + draw))) for draw in range(NULLS)]
        degrees = [count(first_layer(first, null.sample(np.random.default_rng((0, draw))))) for draw in range(NULLS)]
        return {"random": _spread(np.array(random)), "degrees": _spread(np.array(degrees))}

    def plenitude(self) -> dict[str, Any]:
        n, rates = self.sizes.nets, self.net_rates
        wanted = [self.net(name, seed, 0, rates[name], seed) for seed in range(n) for name in ("set", "static")]
        rows = grouped(self.trainings.run("plenitude", wanted), "method")
        own, static = rows["set",], rows["static",]
        last = self.wirings(own, self.at[-1])
        matrices = {
            "set": self._matrix("plenitude", self.at[-1], rates["set"], last, between_hidden),
            "static": self._matrix("plenitude", 0, 0.0, self.wirings(own, 0), between_hidden),
        }

        def nulls(count: Callable[[float], float]) -> list[float]:
            pairs = [(last[place], last[(place + 1) % n]) for place in range(n)]
            drawn = [
                NullModel(b, "layers").sample(np.random.default_rng((0, draw))) for draw, (_, b) in enumerate(pairs)
            ]
            return [count(between_hidden(a, null)) for (a, _), null in zip(pairs, drawn, strict=True)]

        degrees = self._measured({"distances": "chance of plenitude", "nets": n, "rate": rates["set"]}, nulls)
        return {
            "rates": rates,
            "kinds": {
                name: {
                    "test": mean_of([row["test"] for row in group]),
                    "tests": [row["test"] for row in group],
                    "distance": mean_over_nets(matrices[name]),
                    "matrix": matrices[name].tolist(),
                }
                for name, group in (("set", own), ("static", static))
            },
            "difference": mean_of(_less(own, static)),
            "degrees": _spread(np.array(degrees)),
        }

    def _matrix(
        self, of: str, epoch: int, rate: float, wirings: Sequence[Wiring], measure: Measure
    ) -> NDArray[np.float64]:
        """Return the distances of all pairs, measured once."""
        key = {"distances": of, "epoch": epoch, "rate": rate, "nets": len(wirings)}

        def run(stop: StopFlag) -> dict[str, Any]:
            found = distance_matrix(wirings, measure, processes=self.trainings.threads, watch=lambda *_: _go_on(stop))
            return {"matrix": found.round(6).tolist()}

        (row,) = replace(self.trainings, threads=1).run(f"distances: {of}, epoch {epoch}", [Training(key, run)])
        return np.array(row["matrix"])

    def _measured(self, key: Mapping[str, Any], measure: Callable[[Callable[[float], float]], Any]) -> Any:
        """Return other distances, measured once; `measure` is given what looks, after each, whether to go on."""

        def run(stop: StopFlag) -> dict[str, Any]:
            def count(value: float) -> float:
                _go_on(stop)
                return round(value, 6)

            return {"values": measure(count)}

        (row,) = replace(self.trainings, threads=1).run(f"distances: {key['distances']}", [Training(key, run)])
        return row["values"]


def _go_on(stop: StopFlag) -> None:
    if stop.is_set():
        raise Interrupted


def _arm(name: str, rows: Sequence[Row]) -> dict[str, Any]:
    return {
        "method": name,
        "epochs": rows[0]["epochs"],
        "schedule": rows[0]["schedule"],
        "rate": rows[0]["rate"],
        "weights": rows[0]["weights"],
        "test": mean_of([row["test"] for row in rows]),
        "tests": [row["test"] for row in rows],
        "validation": fmean(row["validation"] for row in rows),
        "cpu": fmean(row["cpu"] for row in rows),
    }


def _less(own: Sequence[Row], other: Sequence[Row]) -> list[float]:
    return [a["test"] - b["test"] for a, b in zip(own, other, strict=True)]


def _spread(values: NDArray[np.float64]) -> dict[str, Any]:
    """Return mean and standard deviation of distances that share networks, so that no interval follows from them."""
    given = [float(value) for value in values.ravel()]
    return {"mean": fmean(given), "sd": stdev(given) if len(given) > 1 else None, "n": len(given)}
