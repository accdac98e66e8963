"""How well what a network reads predicts how well it learns: wirings of one cost that differ in their read-ins."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nas.errors import InputError
from nas.evaluation.trainer import Trainer
from nas.evaluation.trainings import Row, Training, Trainings
from nas.networks import NetworkSpec
from nas.options.resolve import n_cores, plain_options
from nas.report.card import markdown_table
from nas.seeds import stream
from nas.space.budget import Budget
from nas.space.designs import WaySpace
from nas.space.draws import Uniform
from nas.space.space import without_draws
from nas.space.ways import LAYERS, Ways
from nas.sparsity.shuffle import redraw
from nas.studies.tables import check_study, format_estimate, format_share, write_results
from nas.tasks import Task, inputs_of, load_task
from nas.training import Recipe
from nas.training.extension import describe_machine
from nas.training.recipe import changed
from nas.training.session import StopFlag
from predictors import READ_FEATURES, describe, read_features
from predictors.features.table import names_of
from predictors.fitted import Training as Learnt
from predictors.fitting import Aim, BlendFit
from predictors.validation import (
    Ceiling,
    Step,
    difference,
    noise_ceiling,
    out_of_fold,
    read_ceiling,
    read_estimate,
    read_score,
    repeated_folds,
    score,
    within,
)
from predictors.validation.figures import plot_ladder
from predictors.validation.fits import side_by_side

__all__ = ["KINDS", "pages", "read_ins_study"]

KINDS = ("random", "variance", "local", "correlated", "redrawn")
"""Read-ins that are drawn, and those of networks that were pruned and drawn anew."""
PARAMETERS, SIZE = "parameters of the draw", "size"
WITHOUT, WITH = "structure without what is read", "structure and what is read"
"""What values are predicted from."""
_TIERS = ("size", "structure")
_REPEATS, _FOLDS = 2, 5
_WORTH_PROCESSES = 200
"""Wirings from which on several processes fit."""
_PART = "predictions"


@dataclass(frozen=True)
class Bench:
    """Draws wirings of a cost and trains them.

    Parameters
    ----------
    task : Task
    budget : str
        As of `Budget.of`.
    recipe : Recipe
        Its first learning rate counts.
    replicates : int
        Trainings of a wiring.
    """

    task: Task
    budget: str
    recipe: Recipe
    replicates: int

    @property
    def rate(self) -> float:
        """The learning rate of all trainings."""
        return self.recipe.learning_rates[0]

    @cached_property
    def trainer(self) -> Trainer:
        """What trains them."""
        return Trainer(self.task, NetworkSpec("mlp", activation="gelu"), self.recipe, 0)

    @cached_property
    def spaces(self) -> dict[str, WaySpace]:
        """What wirings are drawn from, by kind; none where inputs have no places and a kind needs them."""
        found = {}
        for kind in KINDS:
            way = {"ways": ("redrawn",)} if kind == "redrawn" else {"ways": ("prior",), "read_ins": (kind,)}
            if kind == "local" and self.task.shape is None:
                continue
            options = Ways.model_validate({**way, "hidden": (LAYERS,), "pools": (1,), "parent_depth": (1, 2)})
            budget, spec = Budget.of(self.budget), self.trainer.spec
            found[kind] = WaySpace(options, budget, 32, self.task, spec, (self.rate,))
        return found

    def training(self, number: int) -> Training:
        """Return the trainings of wiring `number`, whose kind and parameters follow from it."""
        kinds = list(self.spaces)
        kind = kinds[number % len(kinds)]
        space = self.spaces[kind]
        params = space.suggest_all(Uniform(stream(0, "wiring", number)))
        return Training({"number": number, "kind": kind}, lambda stop: self._train(number, space, params, stop))

    def _train(self, number: int, space: WaySpace, params: Mapping[str, Any], stop: StopFlag) -> dict[str, Any]:
        trainer, wiring, way = replace(self.trainer, stop=stop), space.wiring(params), space.way(params)
        if way.keeps is not None:
            learned = trainer.train(wiring, 0, self.rate, way=replace(way, keeps=None, learning_rate=None))
            rng = stream(0, "structure", number)
            wiring = redraw(learned.wiring.replace(weights=None), way.keeps, rng, inputs_of(self.task).live)
        trained = [trainer.train(wiring, replicate, self.rate) for replicate in range(self.replicates)]
        names, rows = read_features([wiring], inputs_of(self.task))
        own_names, own = names_of(_TIERS), describe([wiring], tiers=_TIERS)
        features = [None if np.isnan(value) else float(value) for value in (*own[0], *rows[0])]
        return {
            "values": [own.history.value for own in trained],
            "parameters": trainer.spec.n_parameters(wiring)["total"],
            "params": without_draws(params),
            "features": dict(zip((*own_names, *names), features, strict=True)),
        }


def read_ins_study(
    out: Path,
    watch: Any = lambda *_: None,
    *,
    task: str = "mnist",
    data: Path | None = None,
    budget: str = "3000",
    wirings: int = 2000,
    replicates: int = 2,
    epochs: int = 3,
    rate: float = 0.01,
    threads: int = 1,
) -> dict[str, Any]:
    """Train wirings of one cost whose read-ins differ, and judge how well these predict how well they learn.

    Parameters
    ----------
    out : Path
        Folder of the results, and of what is trained; see `nas.studies.trainings`.
    watch : callable
        Told a part of the study, how many trainings of it are done, and all of them.
    task, data
        As of `load_task`; not of sequences.
    budget : str
        As of `Budget.of`.
    wirings, replicates : int
        How many, of all kinds alike, and trainings of each.
    epochs, rate
        Of all trainings, which are else as `wirenas run --budget` does them.
    threads : int
    """
    check_study(out, "read-ins")
    loaded = load_task(task, data)
    if loaded.is_sequence:
        raise InputError(f"task={task}: its examples are sequences; give one of rows, such as mnist or digits")
    recipe = Recipe(**plain_options({"budget": budget}, loaded)["recipe"])
    bench = Bench(loaded, budget, changed(recipe, epochs=epochs, learning_rates=(rate,)), replicates)
    setting = {
        "task": loaded.fingerprint,
        "budget": budget,
        **bench.recipe.model_dump(mode="json"),
        "replicates": replicates,
        "features": [*READ_FEATURES],
    }
    rows = Trainings(out, setting, threads, watch).run("wirings", [bench.training(number) for number in range(wirings)])
    judged = _judge(rows, loaded, watch)
    numbers = {
        "machine": f"{os.cpu_count()} cores; {describe_machine()}",
        "task": task,
        "budget": budget,
        "epochs": epochs,
        "rate": rate,
        "replicates": replicates,
        "wirings": len(rows),
        "kinds": {kind: _kind(rows, kind) for kind in bench.spaces},
        **judged,
    }
    written: dict[str, Any] = write_results(out, "read-ins.json", numbers, pages)
    _plot(out / "read-ins.png", written)
    return written


def _judge(rows: Sequence[Row], task: Task, watch: Any) -> dict[str, Any]:
    """Return how well means of trainings are predicted out of fold from several sets of columns, by one regressor."""
    learnt = _learnt(rows)
    kinds, groups = [str(row["kind"]) for row in rows], learnt.groups.tolist()
    y = learnt.means
    folds = repeated_folds(len(y), _FOLDS, _REPEATS, groups)
    own = [name for name in learnt.names if name not in READ_FEATURES]
    columns = {
        PARAMETERS: (learnt.parameters, None),
        SIZE: (learnt.X[:, [learnt.names.index(name) for name in names_of(("size",))]], None),
        WITHOUT: (learnt.X[:, [learnt.names.index(name) for name in own]], tuple(own)),
        WITH: (learnt.X, learnt.names),
    }
    aim, total = Aim(task.direction), len(columns) * _FOLDS * _REPEATS
    watch(_PART, 0, total)
    done = count(1)
    processes = n_cores() if len(rows) > _WORTH_PROCESSES else 1
    with side_by_side(processes, lambda: watch(_PART, next(done), total)) as fits:
        predicted = {
            name: out_of_fold(BlendFit(names, aim), X, y, folds, groups, fits=fits)
            for name, (X, names) in columns.items()
        }
    return {
        "scores": {name: score(y, own, groups) for name, own in predicted.items()},
        "within": {name: within(y, own, kinds, groups) for name, own in predicted.items()},
        "gain": difference(y, predicted[WITH], predicted[WITHOUT], groups),
        "gain_over_parameters": difference(y, predicted[WITH], predicted[PARAMETERS], groups),
        "ceiling": noise_ceiling(learnt.labels, groups) if learnt.labels.shape[1] > 1 else None,
    }


def _learnt(rows: Sequence[Row]) -> Learnt:
    """Return trained wirings as a predictor sees them; each is its own lineage."""
    names = tuple(rows[0]["features"])
    X = np.array([[np.nan if row["features"][name] is None else row["features"][name] for name in names]
                  for row in rows])  # fmt: skip
    parameters = [{"family": row["kind"], **row["params"]} for row in rows]
    return Learnt.of(X, names, _values(rows), range(len(rows)), parameters)


def _values(rows: Sequence[Row]) -> NDArray[np.float64]:
    return np.array([row["values"] for row in rows])


def _kind(rows: Sequence[Row], kind: str) -> dict[str, float]:
    means = _values([row for row in rows if row["kind"] == kind]).mean(axis=1)
    return {"n": len(means), "mean": float(means.mean()), "sd": float(means.std(ddof=1)), "best": float(means.max())}


def pages(numbers: Mapping[str, Any]) -> dict[str, str]:
    """Return the page of the study, from its numbers."""
    ceiling = read_ceiling(numbers["ceiling"])
    kinds = markdown_table(
        ("read-in", "wirings", "validation, mean", "sd", "best"),
        [
            (kind, str(row["n"]), f"{row['mean']:.4f}", f"{row['sd']:.4f}", f"{row['best']:.4f}")
            for kind, row in numbers["kinds"].items()
        ],
    )
    judged = markdown_table(
        ("predicted from", "R2", "share of the ceiling", "tau", *(f"R2 within {kind}" for kind in numbers["kinds"])),
        [_row(name, numbers, ceiling) for name in numbers["scores"]],
    )
    gain, over = (read_estimate(numbers[name]) for name in ("gain", "gain_over_parameters"))
    text = f"""# What networks read, and how well they learn

{numbers["wirings"]:,} MLPs of {numbers["budget"]} live parameters on {numbers["task"]}, all of one cost: their neurons
read inputs at random, by variance, near to each other, or correlated ones, or as in a network that was pruned and drawn
anew. Nothing was chosen: kinds alternate, and widths, fan-ins, localities and depths are drawn evenly. Each was trained
{numbers["replicates"]} times for {numbers["epochs"]} epochs at rate {numbers["rate"]:g}.

{kinds}

The mean validation accuracy of a wiring is predicted out of fold by the regressor of the product, from columns of four
kinds. R2: mean over repeats of five folds, with a 95 % interval over wirings.{_on_ceiling(ceiling)}

{judged}

What is read explains {format_estimate(gain, "+")} of R2 beyond the other columns of structure, and structure with it
{format_estimate(over, "+")} beyond the parameters that wirings were drawn from. Within one kind, R2 is against the mean
of that kind.

![Measures of R2](read-ins.png)

Made by `wirenas study read-ins` on {numbers["machine"]}.
"""
    return {"README.md": text}


def _row(name: str, numbers: Mapping[str, Any], ceiling: Ceiling | None) -> tuple[str, ...]:
    own = read_score(numbers["scores"][name])
    share = "–" if ceiling is None else format_share(*ceiling.share_of(own.r2))
    parts = {part["name"]: f"{part['r2']:.3f}" for part in numbers["within"][name]}
    return name, format_estimate(own.r2), share, f"{own.tau.mean:.3f}", *(parts[kind] for kind in numbers["kinds"])


def _on_ceiling(found: Ceiling | None) -> str:
    """Say what noise between trainings leaves to be predicted."""
    if found is None:
        return ""
    low, high = found.mean_label_interval
    return (
        f" Trainings of one wiring differ, so that no more than {found.mean_label:.3f} [{low:.3f}, {high:.3f}] can be "
        "explained."
    )


def _plot(path: Path, numbers: Mapping[str, Any]) -> None:
    steps = [Step(name, 0, read_score(own).r2) for name, own in numbers["scores"].items()]
    ceiling = read_ceiling(numbers["ceiling"])
    plot_ladder(path, steps[:2], steps[2:], None if ceiling is None else ceiling.mean_label)
