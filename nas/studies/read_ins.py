"""How well what a network reads predicts how well it learns: wirings of one cost that differ in their read-ins."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nas.errors import InputError
from nas.evaluation.trainer import Trainer
from nas.networks import NetworkSpec
from nas.options.resolve import plain_options
from nas.prediction.validation import judge_training
from nas.report.card import markdown_table
from nas.seeds import stream
from nas.space.budget import Budget
from nas.space.designs import WaySpace
from nas.space.draws import Uniform
from nas.space.space import without_draws
from nas.space.ways import LAYERS, Ways
from nas.sparsity.shuffle import redraw
from nas.studies.tables import check_study, format_estimate, format_share, write_results
from nas.studies.trainings import Row, Training, Trainings
from nas.tasks import Task, inputs_of, load_task
from nas.training import Recipe
from nas.training.extension import describe_machine
from nas.training.recipe import changed
from nas.training.session import StopFlag
from predictors import READ_FEATURES, Predictor, describe, read_features
from predictors.features.table import names_of
from predictors.fitted import Training as Learnt
from predictors.validation import Validation, read_validation
from predictors.validation.figures import plot_ladder

__all__ = ["KINDS", "pages", "read_ins_study"]

KINDS = ("random", "variance", "local", "correlated", "redrawn")
"""Read-ins that are drawn, and those of networks that were pruned and drawn anew."""
_TIERS = ("size", "structure")
_REPEATS, _FOLDS = 2, 5


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
    watch("judging", 0, 2)
    reads = set(READ_FEATURES)
    judged = {}
    for done, (name, with_reads) in enumerate((("with", True), ("without", False))):
        names = [name for name in rows[0]["features"] if with_reads or name not in reads]
        learnt = _learnt(rows, names)
        predictor = Predictor(tiers=_TIERS, metric=loaded.metric, direction=loaded.direction)
        judged[name] = judge_training(learnt, _REPEATS, _FOLDS, predictor=predictor)
        watch("judging", done + 1, 2)
    numbers = {
        "machine": f"{os.cpu_count()} cores; {describe_machine()}",
        "task": task,
        "budget": budget,
        "epochs": epochs,
        "rate": rate,
        "replicates": replicates,
        "wirings": len(rows),
        "kinds": {kind: _kind(rows, kind) for kind in bench.spaces},
        "with_reads": judged["with"].to_json(),
        "without_reads": judged["without"].to_json(),
    }
    out.mkdir(parents=True, exist_ok=True)
    own = judged["with"]
    plot_ladder(out / "ladder.png", own.references, own.ladder, own.limit)
    written: dict[str, Any] = write_results(out, "read-ins.json", numbers, pages)
    return written


def _learnt(rows: Sequence[Row], names: Sequence[str]) -> Learnt:
    """Return trained wirings as a predictor sees them, with some of their features; each is its own lineage."""
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
    own, less = (read_validation(numbers[name]) for name in ("with_reads", "without_reads"))
    kinds = markdown_table(
        ("read-in", "wirings", "validation, mean", "sd", "best"),
        [
            (kind, str(row["n"]), f"{row['mean']:.4f}", f"{row['sd']:.4f}", f"{row['best']:.4f}")
            for kind, row in numbers["kinds"].items()
        ],
    )
    judged = markdown_table(
        ("predicted from", "R2", "share of the ceiling", "tau"),
        [
            *((step.name, format_estimate(step.r2), "–", "–") for step in own.references),
            _row("structure without what is read", less),
            _row("structure and what is read", own),
        ],
    )
    within = markdown_table(
        ("R2 within one kind of read-in", "without what is read", "with it"),
        [
            (part.name, f"{other.r2:.3f}", f"{part.r2:.3f}")
            for part, other in zip(own.within_family, less.within_family, strict=True)
        ],
    )
    text = f"""# What networks read, and how well they learn

{numbers["wirings"]:,} MLPs of {numbers["budget"]} live parameters on {numbers["task"]}, all of one cost: their neurons
read inputs at random, by variance, near to each other, or correlated ones, or as in a network that was pruned and drawn
anew. Nothing was chosen: kinds alternate, and widths, fan-ins, localities and depths are drawn evenly. Each was trained
{numbers["replicates"]} times for {numbers["epochs"]} epochs at rate {numbers["rate"]:g}; the label is the mean
validation accuracy. R2 out of fold: mean over repeats, with a 95 % interval over wirings.

{kinds}

{judged}

{_on_ceiling(own)}

{within}

![Ladder](ladder.png)

Made by `wirenas study read-ins` on {numbers["machine"]}.
"""
    return {"README.md": text, "with-reads.md": f"# With what is read\n\n{own.to_markdown()}"}


def _row(name: str, found: Validation) -> tuple[str, str, str, str]:
    share = "–" if found.ceiling is None else format_share(*found.ceiling.share_of(found.score.r2))
    return name, format_estimate(found.score.r2), share, f"{found.score.tau.mean:.3f}"


def _on_ceiling(found: Validation) -> str:
    """Say what noise between trainings leaves to be predicted."""
    if found.ceiling is None:
        return "Each was trained once: how much of it is noise is not known."
    low, high = found.ceiling.mean_label_interval
    return (
        f"Trainings of one wiring differ; what is left to be predicted is a ceiling of {found.ceiling.mean_label:.3f} "
        f"[{low:.3f}, {high:.3f}]."
    )
