"""Is it worth while to search all ways to a structure? Campaigns over all of them, over each alone, and by chance."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import count
from pathlib import Path
from statistics import fmean
from typing import Any

import numpy as np

from nas.errors import known
from nas.evaluation.estimates import mean_of
from nas.evaluation.trainer import Trainer, attempt
from nas.evaluation.trainings import Row, Training, Trainings, grouped
from nas.networks import NetworkSpec
from nas.options.resolve import plain_options
from nas.report.card import markdown_table
from nas.samplers.proposer import Candidate, Proposer
from nas.space.budget import Budget
from nas.space.designs import WaySpace
from nas.space.ways import WAY_NAMES, Ways
from nas.studies.published_data import higgs_sample
from nas.studies.tables import Difference, check_study, format_estimate, listed, paired_difference, write_results
from nas.tasks import Task, load_task
from nas.training import Recipe
from nas.training.extension import describe_machine
from nas.training.recipe import changed
from nas.training.session import StopFlag, sign_of
from predictors.figures import save_figure

__all__ = ["ALL", "ARMS", "ways_study"]

ALL = "all ways"
DEFAULT = "prior and pruned"
"""What a campaign searches that is not told which ways."""
CHANCE = "all ways, by chance"
PLAIN = "all ways, no presets"
ARMS: tuple[str, ...] = (ALL, DEFAULT, *WAY_NAMES, CHANCE, PLAIN)
"""What is compared: a campaign over all ways, over the default ones, over each alone, and over all of them without
learning or presets."""

TASKS: dict[str, str] = {"mnist": "1000", "higgs-sample": "1000"}
"""Budgets by task."""


def smaller(task: Task, examples: int, test: int) -> Task:
    """Return a task of some of the examples of another: enough to compare searches, and cheap.

    They are drawn evenly from all of them, of whatever part.
    """
    n = len(task.inputs)
    chosen = np.random.default_rng(0).permutation(n)[: min(n, examples + test)]
    return replace(
        Task.from_arrays(
            task.name,
            task.inputs[chosen].numpy(),
            task.targets[chosen].numpy(),
            test=np.arange(len(chosen) - test, len(chosen)),
            description=task.description,
            shape=task.shape,
        ),
        recipe=task.recipe,
    )


@dataclass
class _Evaluation:
    """Trains a candidate once, and keeps what it took and what it is worth on the test part."""

    trainer: Trainer
    tests: dict[int, float] = field(default_factory=dict)
    costs: dict[int, float] = field(default_factory=dict)

    def __call__(self, candidate: Candidate) -> Mapping[str, Any]:
        """Train; see `Evaluation`."""
        began = time.thread_time()
        (step,) = self.trainer.plan((0,), candidate.way)
        training = self.trainer.train(candidate.wiring, *step, way=candidate.way)
        self.costs[candidate.number] = time.thread_time() - began
        self.tests[candidate.number] = training.test()
        assessment = self.trainer.assess([training])
        return {**assessment.merit, **self.trainer.effort(assessment, candidate)}


@dataclass(frozen=True)
class Bench:
    """Runs searches on one task.

    Parameters
    ----------
    task : Task
    budget : str
        As of `Budget.of`.
    recipe : Recipe
    seconds : float
        Of trainings, on one processor, that each search may take.
    """

    task: Task
    budget: str
    recipe: Recipe
    seconds: float

    @cached_property
    def spaces(self) -> dict[str, WaySpace]:
        """What each arm searches."""
        budget, spec, rates = Budget.of(self.budget), NetworkSpec("mlp", activation="gelu"), self.recipe.learning_rates
        ways = {arm: Ways(ways=(arm,) if arm in WAY_NAMES else WAY_NAMES) for arm in ARMS} | {DEFAULT: Ways()}
        return {arm: WaySpace(own, budget, 32, self.task, spec, rates) for arm, own in ways.items()}

    def search(self, arm: str, seed: int) -> Training:
        """Return the search of an arm."""
        key = {"task": self.task.name, "arm": arm, "seed": seed}
        return Training(key, lambda stop: self._search(arm, seed, stop))

    def _search(self, arm: str, seed: int, stop: StopFlag) -> dict[str, Any]:
        space = self.spaces[arm]
        if arm == PLAIN:
            space = _without_presets(space)
        evaluation = _Evaluation(Trainer(self.task, space.spec, self.recipe, seed, stop=stop))
        proposer = Proposer(
            space,
            sampler="random" if arm == CHANCE else "tpe",
            seed=seed,
            direction=self.task.direction,
            n_inputs=self.task.n_inputs,
            n_outputs=self.task.n_outputs,
            size_of=lambda wiring: space.spec.n_parameters(wiring)["total"],
        )
        trials: list[tuple[float, float, float]] = []
        spent = 0.0
        for number in count():
            candidate = proposer.propose(number)
            record = attempt(candidate, evaluation, stop)
            proposer.tell(record)
            spent += evaluation.costs.get(number, 0.0)
            if spent > self.seconds and trials:
                break
            if record.value is not None:
                trials.append((round(spent, 4), record.value, evaluation.tests[number]))
        return {"trials": trials, **self._best(trials)}

    def _best(self, trials: Sequence[tuple[float, float, float]]) -> dict[str, float]:
        """Return validation and test of the trial that is best on validation, the first of equal ones."""
        sign = sign_of(self.task.direction)
        _, validation, test = max(trials, key=lambda trial: sign * trial[1])
        return {"n": len(trials), "validation": validation, "test": test}


def _without_presets(space: WaySpace) -> WaySpace:
    plain = replace(space)
    plain.__dict__["presets"] = ()  # A cached property of a frozen class.
    return plain


def ways_study(
    out: Path,
    watch: Any = lambda *_: None,
    *,
    tasks: Sequence[str] = (),
    data: Path | None = None,
    budget: str | None = None,
    seeds: int = 20,
    seconds: float = 8.0,
    epochs: int = 5,
    examples: int = 8_000,
    test: int = 4_000,
    threads: int = 1,
) -> dict[str, Any]:
    """Search in every way for the same time, again and again, and compare what was found.

    Parameters
    ----------
    out : Path
        Folder of the results, and of what is searched; see `nas.studies.trainings`.
    watch : callable
        Told a part of the study, how many searches of it are done, and all of them.
    tasks : sequence of str
        Names of `TASKS`, or of other tasks, with `budget`; by default those whose data are there.
    data, budget
        Folder of their files; budget in place of the study's.
    seeds : int
        Searches of an arm.
    seconds : float
        That trainings of a search may take on one processor.
    epochs, examples, test
        Of a training; examples to learn from and choose by; test examples, at most a third of all.
    threads : int
        Searches at a time.
    """
    check_study(out, "ways")
    benches = []
    for name in tasks or TASKS:
        if name not in TASKS and budget is None:
            known("task", name, TASKS)
        loaded = higgs_sample(data) if name == "higgs-sample" else load_task(name, data)
        if loaded is None:
            continue
        own_budget = budget or TASKS[name]
        own = smaller(loaded, examples, min(test, len(loaded.inputs) // 3))
        recipe = changed(Recipe(**plain_options({"budget": own_budget}, own)["recipe"]), epochs=epochs)
        benches.append(Bench(own, own_budget, recipe, seconds))
    setting = {
        bench.task.name: {
            "data": bench.task.fingerprint,
            "budget": bench.budget,
            **bench.recipe.model_dump(mode="json"),
        }
        for bench in benches
    }
    searches = [bench.search(arm, seed) for bench in benches for seed in range(seeds) for arm in ARMS]
    rows = Trainings(out, {**setting, "seconds": seconds}, threads, watch).run("searches", searches)
    numbers = {
        "machine": f"{os.cpu_count()} cores; {describe_machine()}",
        "seeds": seeds,
        "seconds": seconds,
        "epochs": epochs,
        "tasks": {bench.task.name: _compared(bench, rows) for bench in benches},
    }
    written: dict[str, Any] = write_results(out, "ways.json", numbers, pages)
    _plot(out / "ways.png", rows, seconds)
    return written


def _compared(bench: Bench, rows: Sequence[Row]) -> dict[str, Any]:
    """Return what each arm found, and by how much the search over all ways is ahead of it, by seeds in pairs."""
    of_arm = {arm: own for (name, arm), own in grouped(rows, "task", "arm").items() if name == bench.task.name}
    values = {arm: [row["test"] for row in own] for arm, own in of_arm.items()}
    sign = sign_of(bench.task.direction)
    return {
        "budget": bench.budget,
        "metric": bench.task.metric,
        "parts": [len(part) for part in (bench.task.train, bench.task.validation, bench.task.test)],
        "arms": {
            arm: {"test": mean_of(own), "trials": fmean(row["n"] for row in of_arm[arm])} for arm, own in values.items()
        },
        "ahead_of": {
            arm: paired_difference(np.multiply(sign, values[ALL]), np.multiply(sign, own))
            for arm, own in values.items()
            if arm != ALL
        },
    }


def pages(numbers: Mapping[str, Any]) -> dict[str, str]:
    """Return the page of the study, from its numbers."""
    sections = []
    for name, own in numbers["tasks"].items():
        rows = []
        for arm, found in own["arms"].items():
            ahead = own["ahead_of"].get(arm)
            less = "–" if ahead is None else format_estimate(_in_points(ahead), "+", 2)
            rows.append(
                (arm, f"{found['trials']:.0f}", f"{found['test']['mean']:.4f} ± {found['test']['sd']:.4f}", less)
            )
        parts = " / ".join(f"{n:,}" for n in own["parts"])
        header = ("searched", "trials", f"test {own['metric']}", "all ways ahead by, points")
        sections.append(f"## {name}, {own['budget']} parameters\n\n{parts} examples to learn from, to choose by and to "
                        f"test.\n\n{markdown_table(header, rows)}\n\n{_sentence(own)}\n")  # fmt: skip
    text = f"""# All ways to a structure, or one?

Searches for the best network of a budget, each for {numbers["seconds"]:g} seconds of trainings on one processor: over
all ways to a structure (prior, pruned, rewired, redrawn), over the two that a campaign searches by default, over each
alone, over all by chance, and without the presets that a campaign begins with (each way then has one first try). Each
way has its turn, and then the cheapest of those that are not behind goes on; TPE, which learns from the eleventh trial
on, chooses all else. What counts is the test part, of the trial that is best by validation, {numbers["epochs"]} epochs
long and not trained again. {numbers["seeds"]} seeds in pairs: each draws initial weights, batches and candidates;
intervals are 95 % bootstraps over them.

{chr(10).join(sections)}
![Best so far](ways.png)

Made by `wirenas study ways` on {numbers["machine"]}.
"""
    return {"README.md": text}


def _in_points(stored: Mapping[str, float]) -> Difference:
    return Difference(100 * stored["mean"], 100 * stored["low"], 100 * stored["high"], stored["p"])


def _sentence(own: Mapping[str, Any]) -> str:
    """Say how the search over all ways stands beside the best single one, and beside chance."""
    best = max(WAY_NAMES, key=lambda way: -own["ahead_of"][way]["mean"])
    gap = _in_points(own["ahead_of"][best])
    told = [f"The best single way is {best}; all ways are ahead of it by {format_estimate(gap, '+', 2)} points."]
    for word, holds in (("ahead of", lambda low, _: low > 0), ("behind", lambda _, high: high < 0)):
        arms = [arm for arm, found in own["ahead_of"].items() if holds(found["low"], found["high"])]
        if arms:
            told.append(f"All ways are {word} {listed(arms)} by an interval that does not hold 0.")
    return " ".join(told)


def _plot(path: Path, rows: Sequence[Row], seconds: float) -> None:
    """Draw the mean test of the best so far over the time spent, an axis a task and a line an arm."""
    from matplotlib.figure import Figure

    names = list(dict.fromkeys(row["task"] for row in rows))
    figure = Figure(figsize=(5 * len(names) + 2, 4), layout="constrained")
    grid = figure.subplots(1, len(names), squeeze=False)[0]
    times = np.linspace(seconds / 20, seconds, 60)
    for axes, name in zip(grid, names, strict=True):
        for (_, arm), own in grouped([row for row in rows if row["task"] == name], "task", "arm").items():
            curves = np.array([[_so_far(row["trials"], moment) for moment in times] for row in own])
            reached = ~np.isnan(curves).any(axis=0)
            axes.plot(times[reached], curves[:, reached].mean(axis=0), label=arm, linewidth=2 if arm == ALL else 1)
        axes.set_title(name)
        axes.set_xlabel("seconds of trainings")
        axes.grid(alpha=0.3)
    grid[0].set_ylabel("test of the best by validation so far")
    grid[-1].legend(fontsize="small", loc="center left", bbox_to_anchor=(1.0, 0.5), frameon=False)
    save_figure(figure, path)


def _so_far(trials: Sequence[Sequence[float]], moment: float) -> float:
    done = [trial for trial in trials if trial[0] <= moment]
    return max(done, key=lambda trial: trial[1])[2] if done else float("nan")
