"""What a learned structure is worth: trained again, pruned further, and looked at while it emerges.

References
----------
M. Van Gelder, M. Wortsman and K. Ehsani, "Deconstructing the structure of sparse neural networks", 2020,
arXiv:2012.00172
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from itertools import combinations
from pathlib import Path
from statistics import fmean
from typing import Any

from nas.errors import InputError, known
from nas.evaluation.estimates import mean_of
from nas.evaluation.trainings import CHOOSING, Row, Training, Trainings, grouped
from nas.sparsity.methods import Method
from nas.studies.lenet import LeNet, check_densities
from nas.studies.structure.gru import GRU
from nas.studies.structure.measures import area
from nas.studies.structure.pages import DENSITY, PARTS, SEEDS, TASK, methods_of, pages, plot, recipe_of
from nas.studies.structure.runs import DENSE, LEARNED, LEVELS, VARIANTS, Structures, at_random
from nas.studies.tables import check_study, listed, write_results
from nas.tasks import load_task
from nas.training.extension import describe_machine
from nas.training.recipe import changed

__all__ = ["ENDS", "NAME", "structure_study"]

ENDS = (0.0, 0.25, 0.5, 1.0, 2.0, 5.0, 10.0)
"""Epochs after which RigL leaves the structure alone."""
NAME = "learned-structure"


def structure_study(
    out: Path,
    watch: Callable[[str, int, int], None] = lambda *_: None,
    *,
    task: str = TASK,
    parts: Sequence[str] = (),
    methods: Sequence[str] = (),
    density: float = DENSITY,
    seeds: int = SEEDS,
    epochs: int | None = None,
    rates: Sequence[float] = (),
    threads: int = 1,
    data: Path | None = None,
) -> dict[str, Any]:
    """Learn structures by several methods, ask what they are worth, and write numbers, a page and figures.

    The learning rate of each method is chosen by validation, with one training a rate that does not count; whatever is
    made of its structures has it too. Trainings that are stored in `out` are not repeated.

    Parameters
    ----------
    task : str
        Of images or rows for LeNet-300-100, or of sequences for a GRU.
    parts : sequence of str
        Of `PARTS`; all by default.
    methods : sequence of str
        Of `LEARNED`; by default all that there are for the network. A dense network is trained beside them.
    epochs, rates : int, sequence of float, optional
        By default those of `recipe_of`.

    Raises
    ------
    InputError
        For an unknown part or method, DNW of a GRU, a density outside (0, 1], what is no learning rate, or a folder
        with trainings of another recipe, task or density.
    """
    check_study(out, NAME)
    asked = [known("part", name, PARTS) for name in parts or PARTS]
    for name in methods:
        known("method", name, LEARNED)
    check_densities([density])
    loaded = load_task(task, data)
    default = recipe_of(loaded.is_sequence)
    recipe = changed(default, epochs=epochs or default.epochs, learning_rates=tuple(rates) or default.learning_rates)
    subject = GRU(loaded, recipe) if loaded.is_sequence else LeNet(loaded, recipe)
    there_are = methods_of(loaded.is_sequence)
    for name in methods:
        if name not in there_are:
            raise InputError(
                f"method={name}: it is for networks without recurrence; for {task} give {listed(there_are)}"
            )
    chosen = {name: LEARNED[name] for name in methods or there_are}
    structures = Structures(subject, density, (0.0, 0.25, 0.5, *range(1, recipe.epochs + 1)))
    study = Trainings(out, {**subject.setting, "density": density}, threads, watch)
    plan = _Plan(structures, chosen)
    best = study.best_rates("learning rates", [*chosen, DENSE], recipe.learning_rates, plan.learned)
    each = range(seeds)
    learned = study.run(
        "structures", [plan.learned(name, best[name], seed) for name in (*chosen, DENSE) for seed in each]
    )
    found: dict[str, Any] = {
        "task": task,
        "parts": asked,
        "density": density,
        "seeds": seeds,
        "network": subject.description,
        "is_recurrent": loaded.is_sequence,
        "examples": len(loaded.train),
        "steps_per_epoch": subject.n_steps // recipe.epochs,
        "recipe": recipe.model_dump(mode="json"),
        "machine": f"{os.cpu_count()} cores; {describe_machine()}",
        "weights": int(structures.counts.sum()),
        "all_weights": structures.size,
        "counts": structures.counts.tolist(),
        "methods": [_method(name, own) for (name,), own in grouped(learned, "method").items()],
    }
    by_method = {name: own for (name,), own in grouped(learned, "method").items()}
    if "reinit" in asked:
        rows = study.run("trained again", list(plan.again(by_method)))
        found["reinit"] = list(_trained_again(rows, by_method))
    if "robustness" in asked:
        found["robustness"] = _pruned_further(by_method)
    if "emergence" in asked:
        rows = study.run("at random", list(plan.at_random(best, each)))
        at_random_rows = {name: own for (name,), own in grouped(rows, "method").items()}
        found["emergence"] = list(_emerged(by_method, at_random_rows, structures.marks))
        if "rigl" in chosen:
            rows = study.run("structures that stay early", list(plan.ended_early(best["rigl"], each)))
            found["ends"] = list(_ends(rows, by_method["rigl"]))
    numbers = write_results(out, f"{NAME}.json", found, pages)
    plot(out, numbers)
    return {"out": str(out), **numbers}


class _Plan:
    """Names the trainings."""

    def __init__(self, structures: Structures, methods: Mapping[str, Method]) -> None:
        self._structures, self._methods = structures, methods

    def learned(self, name: str, rate: float, seed: int) -> Training:
        key = {"what": "learned", "method": name, "rate": rate, "seed": seed}
        return Training(key, partial(self._structures.learned, self._methods.get(name), rate, seed, seed != CHOOSING))

    def again(self, learned: Mapping[str, Sequence[Row]]) -> Iterator[Training]:
        for name, method in self._methods.items():
            # A structure that never changed is a control: all that it can have is other weights.
            for variant in ("fresh",) if method.action == "none" else VARIANTS:
                for row in learned[name]:
                    rate, seed = row["rate"], row["seed"]
                    key = {"what": "again", "method": name, "variant": variant, "rate": rate, "seed": seed}
                    yield Training(key, partial(self._structures.again, row["structure"], method, variant, rate, seed))

    def at_random(self, rates: Mapping[str, float], seeds: Sequence[int]) -> Iterator[Training]:
        for name, method in self._methods.items():
            if method.action in ("prune", "rewire"):
                for seed in seeds:
                    key = {"what": "at random", "method": name, "rate": rates[name], "seed": seed}
                    yield Training(key, partial(self._structures.learned, at_random(method), rates[name], seed, False))

    def ended_early(self, rate: float, seeds: Sequence[int]) -> Iterator[Training]:
        most = float(self._methods["rigl"].end.value) / 100 * self._structures.subject.recipe.epochs
        for end in ENDS:
            method = LEARNED["rigl"].replace(end=f"{end:g} epochs") if end else LEARNED["static"]
            for seed in seeds:
                key = {"what": "ended early", "method": "rigl", "end": end, "rate": rate, "seed": seed}
                if end < most:
                    yield Training(key, partial(self._structures.learned, method, rate, seed, False))


# The numbers


def _values(rows: Sequence[Row], name: str = "test") -> list[float]:
    return [row[name] for row in rows]


def _less(own: Sequence[float], other: Sequence[float]) -> Any:
    """Return the mean difference of pairs of seeds."""
    return mean_of([a - b for a, b in zip(own, other, strict=True)])


def _method(name: str, rows: Sequence[Row]) -> dict[str, Any]:
    return {
        "method": name,
        "rate": rows[0]["rate"],
        "test": mean_of(_values(rows)),
        "tests": _values(rows),
        "validation": fmean(_values(rows, "validation")),
        "weights": rows[0]["weights"],
        "updates": rows[0]["updates"],
        "dense_gradients": rows[0]["dense_gradients"],
        "cpu": fmean(_values(rows, "cpu")),
        "wall": fmean(_values(rows, "wall")),
    }


def _trained_again(rows: Sequence[Row], learned: Mapping[str, Sequence[Row]]) -> Iterator[dict[str, Any]]:
    tests = {key: _values(own) for key, own in grouped(rows, "method", "variant").items()}
    for (name, variant), own in grouped(rows, "method", "variant").items():
        values = _values(own)
        yield {
            "method": name,
            "variant": variant,
            "test": mean_of(values),
            "tests": values,
            "less_trained": _less(values, _values(learned[name])),
            **{
                f"less_{null}": _less(values, tests[name, null]) if (name, null) in tests else None
                for null in ("shuffled", "degrees")
            },
            "less_dense": _less(values, _values(learned[DENSE])),
            "overlap": fmean(_values(own, "overlap")),
            "cpu": fmean(_values(own, "cpu")),
        }


def _pruned_further(learned: Mapping[str, Sequence[Row]]) -> dict[str, Any]:
    ways = list(next(iter(learned.values()))[0]["pruned"])
    areas = {
        way: {name: [area(LEVELS, row["pruned"][way]) for row in rows] for name, rows in learned.items()}
        for way in ways
    }
    curves = [
        {
            "method": name,
            "way": way,
            "accuracy": [mean_of([row["pruned"][way][k] for row in rows]) for k in range(len(LEVELS))],
            "area": mean_of(areas[way][name]),
            "areas": areas[way][name],
        }
        for way in ways
        for name, rows in learned.items()
    ]
    pairs = [
        {"way": way, "method": one, "other": other, "difference": _less(areas[way][one], areas[way][other])}
        for way in ways
        for one, other in combinations(learned, 2)
    ]
    return {"levels": LEVELS, "curves": curves, "pairs": pairs}


def _emerged(
    learned: Mapping[str, Sequence[Row]], at_random_rows: Mapping[str, Sequence[Row]], marks: Sequence[float]
) -> Iterator[dict[str, Any]]:
    first = marks.index(1)
    for name, rows in learned.items():
        if name in (DENSE, "static"):
            continue
        null = at_random_rows.get(name)
        yield {
            "method": name,
            "epochs": marks,
            **{what: _curve(rows, what) for what in ("overlap", "distance")},
            "random_overlap": mean_of(_values(rows, "random_overlap")),
            "random_distance": mean_of(_values(rows, "random_distance")),
            "at_random": None if null is None else {what: _curve(null, what) for what in ("overlap", "distance")},
            "first": None if null is None else {
                what: _less([row[what][first] for row in rows], [row[what][first] for row in null])
                for what in ("overlap", "distance")
            },
        }  # fmt: skip


def _curve(rows: Sequence[Row], what: str) -> list[Any]:
    return [mean_of(list(values)) for values in zip(*(row[what] for row in rows), strict=True)]


def _ends(rows: Sequence[Row], full: Sequence[Row]) -> Iterator[dict[str, Any]]:
    for end, own in [*((end, own) for (end,), own in grouped(rows, "end").items()), (None, list(full))]:
        gradients, most = own[0]["dense_gradients"], full[0]["dense_gradients"]
        yield {
            "end": end,
            "test": mean_of(_values(own)),
            "tests": _values(own),
            "less_full": None if end is None else _less(_values(own), _values(full)),
            "updates": own[0]["updates"],
            "dense_gradients": gradients,
            "saved": 1 - gradients / max(most, 1),
            "cpu": fmean(_values(own, "cpu")),
        }
