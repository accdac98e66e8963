"""The best networks of several budgets: a campaign each, in folders beside each other."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from nas.campaign.campaign import Campaign
from nas.campaign.folder import open_campaign
from nas.errors import InputError
from nas.evaluation.watcher import Watcher
from nas.options.options import CAMPAIGN
from nas.report.frontier import Frontier, read_frontier, write_frontier
from nas.report.outcome import Outcome
from nas.space.budget import Budget
from nas.store.folders import check_folder

__all__ = ["open_frontier", "run_frontier"]


def open_frontier(
    out: Path, budgets: Sequence[str], given: Mapping[str, Any], threads: int | None = None, data: Path | None = None
) -> dict[str, Campaign]:
    """Return the campaigns of several budgets, by these, to be run or resumed in folders named after them.

    Options are nested, as in `open_campaign`.

    Raises
    ------
    InputError
        For no budget, one that is given twice, an option that is wrong with any of them, or a folder of something else.
    """
    names = [str(Budget.of(budget)) for budget in budgets]
    if not names:
        raise InputError("budgets is missing: give several, such as 300,1000,3000")
    if len(set(names)) < len(names):
        raise InputError(f"budgets={','.join(budgets)}: one is given twice")
    _check_units(budgets, names)
    if out.exists() and not out.is_dir():
        raise InputError(f"out={out}: that is a file; give a folder")
    campaigns = {name: open_campaign(None, out / name, {**given, "budget": name}, threads, data) for name in names}
    for campaign in campaigns.values():
        check_folder(campaign.out, f"a {CAMPAIGN.noun}")
    before = read_frontier(out)
    if before is not None and before.budgets and _unit(names[0]) not in map(_unit, before.budgets):
        _check_units(budgets, [names[0], before.budgets[0]])
    task = campaigns[names[0]].task
    assert task is not None  # Without one there are no budgets.
    if before is not None and (before.task, before.metric) != (task.name, task.metric):
        raise InputError(
            f"out={out}: a frontier of task {before.task} by {before.metric} lies there, and this is {task.name} by "
            f"{task.metric}; give another out"
        )
    return campaigns


def _unit(budget: str) -> str:
    return Budget.of(budget).unit


def _check_units(budgets: Sequence[str], names: Sequence[str]) -> None:
    """Refuse budgets that do not all count the same: a curve has one axis."""
    other = next((name for name in names if _unit(name) != _unit(names[0])), None)
    if other is not None:
        raise InputError(
            f"budgets={','.join(budgets)}: {names[0]} counts {_unit(names[0])} and {other} {_unit(other)}, and a "
            "frontier counts one of them; give budgets of one unit, or another out for others"
        )


def run_frontier(
    out: Path, campaigns: Mapping[str, Campaign], watcher: Callable[[str, Campaign], Watcher | None]
) -> Frontier:
    """Run what is left of some campaigns, and write what they found; after each, what there is so far.

    Budgets that the folder has from before stay in its table and its figure.

    Parameters
    ----------
    out : Path
    campaigns : mapping
        By budget; see `open_frontier`.
    watcher : callable
        Returns what follows the campaign of a budget.
    """
    outcomes: dict[str, Outcome] = {}
    before = read_frontier(out)
    for budget, campaign in campaigns.items():
        outcomes[budget] = campaign.run(watcher(budget, campaign))
        frontier = Frontier.of(out, outcomes)
        if before is not None:
            frontier = frontier.joined(before)
        write_frontier(frontier)
    return frontier
