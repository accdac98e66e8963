"""What the best network of a budget reaches on several tasks, beside dense networks and others that one would try."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from nas.campaign.campaign import Campaign
from nas.campaign.frontier import run_frontier
from nas.errors import InputError, known
from nas.evaluation.references import COUNTS, EQUAL_PARAMETERS, LINEAR, ONE_SHOT, PRUNED_LINEAR, RETRAINED
from nas.evaluation.watcher import Watcher
from nas.options.options import CAMPAIGN
from nas.report.card import markdown_table
from nas.report.frontier import FOUND, Frontier, draw_frontier
from nas.report.verdict import interval_of
from nas.space.budget import Budget
from nas.store.folders import check_folder
from nas.store.lines import plain
from nas.studies.published_data import higgs_sample, japanese_vowels
from nas.studies.tables import check_study, listed, write_results
from nas.tasks import Task, load_task
from nas.training.extension import describe_machine
from nas.training.session import sign_of
from predictors.figures import save_figure

__all__ = ["RECORDS", "pages", "records_study"]


@dataclass(frozen=True)
class Entry:
    """One task of the study.

    Parameters
    ----------
    load : callable
        Returns the task, from a folder where its data lie in files; None where nobody has them.
    budgets : tuple of str
        As of `Budget.of`.
    options : mapping
        Of its campaigns, where these differ from the defaults.
    """

    load: Callable[[Path | None], Task | None]
    budgets: tuple[str, ...]
    options: Mapping[str, Any] = field(default_factory=dict)


def _named(name: str) -> Callable[[Path | None], Task]:
    return lambda _: load_task(name)


def _images(name: str) -> Callable[[Path | None], Task]:
    return lambda folder: load_task(name, folder)


RECORDS: dict[str, Entry] = {
    "digits": Entry(_named("digits"), ("300", "1000", "3000")),
    "mnist": Entry(_images("mnist"), ("1000", "3000", "10000")),
    "fashion-mnist": Entry(_images("fashion-mnist"), ("1000", "3000", "10000")),
    "mnist-1d": Entry(_named("mnist-1d"), ("1000",)),
    "mnist-1d-shuffled": Entry(_named("mnist-1d-shuffled"), ("1000",)),
    "higgs-sample": Entry(higgs_sample, ("300", "1000", "3000")),
    "japanese-vowels": Entry(japanese_vowels, ("3000",), {"network": "rnn", "cell": "gru"}),
}
"""Tasks by name."""

SEEDS = 10


def records_study(
    out: Path,
    watch: Callable[[str, Campaign], Watcher | None] = lambda *_: None,
    *,
    tasks: Sequence[str] = (),
    budgets: Sequence[str] = (),
    data: Path | None = None,
    seeds: int = SEEDS,
    threads: int | None = None,
    **options: Any,
) -> dict[str, Any]:
    """Find the best network for each budget on each task, and write numbers, tables and a figure.

    A task whose data are in no folder is left out unless it is asked for. What was found before is kept, so that the
    study goes on where it was stopped, and further tasks and budgets join what was found with equal seeds and options.

    Parameters
    ----------
    out : Path
        Folder of the results, and of the campaigns: ``TASK/BUDGET``.
    watch : callable
        From what a campaign is called to what follows it.
    tasks, budgets : sequence of str
        Names of `RECORDS`, and budgets in place of theirs; all by default.
    data : Path, optional
        Folder of the files of tasks that have some.
    seeds : int
        Fresh seeds of finalists and references.
    threads : int, optional
        Trainings at a time; results do not depend on it.
    **options
        Of all campaigns.

    Raises
    ------
    InputError
        For an unknown task, one whose data are not there, a wrong budget, or a folder of something else.
    """
    check_study(out, "records")
    for name in tasks:
        known("task", name, RECORDS)
    setting = {"seeds": seeds, "options": plain(options)}
    before, found = _found_before(out, setting), dict[str, Any]()
    loaded = {name: RECORDS[name].load(data) for name in tasks or RECORDS}
    for name, task in loaded.items():
        if task is None and tasks:
            raise InputError(f"task={name}: its data are in no folder that is known; give one by data")
        for budget in () if task is None else budgets or RECORDS[name].budgets:
            check_folder(out / name / str(Budget.of(budget)), f"a {CAMPAIGN.noun}")
    for name, task in loaded.items():
        if task is None:
            continue
        entry = RECORDS[name]
        campaigns = {
            str(Budget.of(budget)): Campaign(
                out / name / str(Budget.of(budget)),
                task=task,
                threads=threads,
                final_seeds=seeds,
                **{**entry.options, **options, "budget": budget},
            )
            for budget in budgets or entry.budgets
        }
        frontier = run_frontier(out / name, campaigns, partial(_watched, watch, name))
        found[name] = {
            "description": task.description,
            "parts": [len(part) for part in (task.train, task.validation, task.test)],
            "frontier": {**frontier.to_json(), "out": name},
        }
    if not found:
        raise InputError("no task has data: give their folder by data")
    numbers = {
        "machine": f"{os.cpu_count()} cores; {describe_machine()}",
        **setting,
        "tasks": _joined(before, found),
    }
    written: dict[str, Any] = write_results(out, "records.json", numbers, pages)
    _plot(out / "records.png", _frontiers(written))
    return written


def _found_before(out: Path, setting: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a folder says of each task; an InputError says that it was found in another way."""
    try:
        before = json.loads((out / "records.json").read_text(encoding="utf-8"))
        tasks: dict[str, Any] = dict(before["tasks"])
        for own in tasks.values():
            earlier = Frontier(**own["frontier"])
            earlier.joined(earlier)
        other = [name for name, value in setting.items() if before[name] != value]
    except FileNotFoundError:
        return {}
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        raise InputError(f"{out / 'records.json'}: it cannot be read; give another folder with out") from None
    if other:
        raise InputError(f"{out}: what was found there had other {' and '.join(other)}; give another folder with out")
    return tasks


def _joined(before: Mapping[str, Any], found: Mapping[str, Any]) -> dict[str, Any]:
    """Return tasks in the order of `RECORDS`, each with the budgets that were found before and are not found again."""
    tasks = {**before, **found}
    for name in before.keys() & found.keys():
        own = Frontier(**found[name]["frontier"]).joined(Frontier(**before[name]["frontier"]))
        tasks[name] = {**found[name], "frontier": {**own.to_json(), "out": name}}
    return {name: tasks[name] for name in RECORDS if name in tasks}


def _watched(watch: Callable[[str, Campaign], Watcher | None], task: str, budget: str, own: Campaign) -> Watcher | None:
    return watch(f"{task}, {budget}", own)


def pages(numbers: Mapping[str, Any]) -> dict[str, str]:
    """Return the page of the study, from its numbers."""
    frontiers = _frontiers(numbers)
    sections = []
    for name, own in numbers["tasks"].items():
        header, rows = frontiers[name].table()
        parts = " / ".join(f"{n:,}" for n in own["parts"])
        sections.append(
            f"## {name}\n\n{own['description'][:1].upper()}{own['description'][1:]}; {parts} examples to learn from, "
            f"to choose by and to test. {_on_examples(frontiers[name], own['parts'][-1])}\n\n"
            f"{markdown_table(header, rows)}\n"
        )
    text = f"""# Records: the best network that a budget buys

One campaign a task and budget (`wirenas run --budget`) found each network. Validation alone chose it, and the test part
was opened once, for what stands here: mean ± standard deviation over {numbers["seeds"]} fresh seeds. No weights are
shared, and no examples are made up. The dense network is the best by validation of one to three layers of several
shapes (of recurrent networks, of one layer), of all learning rates and, for images, of means over squares of pixels;
budgets are live parameters.

{_on_leads(frontiers)} {_on_others(frontiers)} Differences are in points with their 95 % interval over seeds, of one
network each on the same test examples. {_on_structure(frontiers)}

![Accuracy by parameters](records.png)

{chr(10).join(sections)}
Made by `wirenas study records` on {numbers["machine"]}.
"""
    return {"README.md": text}


def _frontiers(numbers: Mapping[str, Any]) -> dict[str, Frontier]:
    return {name: Frontier(**own["frontier"]) for name, own in numbers["tasks"].items()}


def _on_leads(frontiers: Mapping[str, Frontier]) -> str:
    """Say how often the found network is ahead of the best dense one, and where it is behind."""
    ahead, behind, n = 0, [], 0
    for task, budget, low, high in _intervals(frontiers, FOUND, EQUAL_PARAMETERS):
        ahead, n = ahead + (low > 0), n + 1
        if high < 0:
            behind.append(f"{task} at {budget}")
    return (
        f"The found network is ahead of the best dense one, by an interval that does not hold 0, in {ahead} of {n}, "
        f"and behind it in {listed(behind) if behind else 'none'}."
    )


def _on_others(frontiers: Mapping[str, Frontier]) -> str:
    """Say how the found network stands beside the references that are not dense networks."""
    told = []
    for name in (LINEAR, PRUNED_LINEAR, ONE_SHOT):
        found = [(f"{task} at {budget}", low, high) for task, budget, low, high in _intervals(frontiers, FOUND, name)]
        behind = [where for where, _, high in found if high < 0]
        lost = f", and behind it on {listed(behind)}" if behind else ""
        own = "the dense one that is pruned at once" if name == ONE_SHOT else f"the {name} one"
        if found:
            told.append(f"of {own} in {sum(low > 0 for _, low, _ in found)} of {len(found)}{lost}")
    return f"In the same sense it is ahead {'; '.join(told)}." if told else ""


def _on_examples(frontier: Frontier, n_test: int) -> str:
    """Say how far test examples that are drawn anew may move a difference at most."""
    if frontier.metric != "accuracy":
        return ""
    shares = [row["mean"] for row in frontier.networks if row["name"] in (FOUND, EQUAL_PARAMETERS)]
    error = 196 * math.sqrt(2 * max(share * (1 - share) for share in shares) / n_test)
    return (
        f"Other {n_test:,} test examples would move a difference of two networks by {error:.1f} points at most, in 95 "
        "of 100 draws; by less where both err on the same ones."
    )


def _on_structure(frontiers: Mapping[str, Frontier]) -> str:
    """Say how often a structure that was learned does better from new weights than shuffles of it."""
    lows = [low for *_, low, _ in _intervals(frontiers, RETRAINED, COUNTS)]
    return (
        f"With new weights, a structure that was learned is ahead of as many weights between the same layers at random "
        f"places in {sum(low > 0 for low in lows)} of {len(lows)}."
    )


def _intervals(frontiers: Mapping[str, Frontier], one: str, other: str) -> Iterator[tuple[str, str, float, float]]:
    """Yield task, budget and the interval of by how much one network is better than the other, where both are there."""
    for task, frontier in frontiers.items():
        sign = sign_of(frontier.direction)
        for budget in frontier.budgets:
            rows = frontier.of_budget(budget)
            if one in rows and other in rows:
                low, high = sorted(sign * end for end in interval_of(rows[one], rows[other]))
                yield task, budget, low, high


def _plot(path: Path, frontiers: Mapping[str, Frontier]) -> None:
    from matplotlib.figure import Figure

    n_columns = min(len(frontiers), 3)
    n_rows = -(-len(frontiers) // n_columns)
    figure = Figure(figsize=(4.2 * n_columns, 3.4 * n_rows + 0.8), layout="constrained")
    grid = figure.subplots(n_rows, n_columns, squeeze=False).ravel()
    named: dict[str, Any] = {}
    for axes, (task, frontier) in zip(grid, frontiers.items(), strict=False):
        draw_frontier(axes, frontier)
        axes.set_title(task)
        handles, names = axes.get_legend_handles_labels()
        named |= dict(zip(names, handles, strict=True))
    for axes in grid[len(frontiers) :]:
        axes.set_visible(False)
    figure.legend(named.values(), named.keys(), loc="outside lower center", ncols=4, fontsize="small", frameon=False)
    save_figure(figure, path)
