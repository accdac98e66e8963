"""The best networks of several budgets: a campaign each, in folders beside each other."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from nas.campaign.campaign import Campaign
from nas.campaign.folder import open_campaign
from nas.errors import InputError
from nas.evaluation.watcher import Watcher
from nas.report.frontier import Frontier, write_frontier
from nas.report.outcome import Outcome
from nas.space.budget import Budget

__all__ = ["open_frontier", "run_frontier"]


def open_frontier(
    out: Path, budgets: Sequence[str], given: Mapping[str, Any], threads: int | None = None, data: Path | None = None
) -> dict[str, Campaign]:
    """Return the campaigns of several budgets, by these, to be run or resumed in folders named after them.

    Options are nested, as in `open_campaign`.

    Raises
    ------
    InputError
        For no budget, one that is given twice, or an option that is wrong with any of them.
    """
    names = [str(Budget.of(budget)) for budget in budgets]
    if not names:
        raise InputError("budgets is missing: give several, such as 300,1000,3000")
    if len(set(names)) < len(names):
        raise InputError(f"budgets={','.join(budgets)}: one is given twice")
    if out.exists() and not out.is_dir():
        raise InputError(f"out={out}: that is a file; give a folder")
    return {name: open_campaign(None, out / name, {**given, "budget": name}, threads, data) for name in names}


def run_frontier(
    out: Path, campaigns: Mapping[str, Campaign], watcher: Callable[[str, Campaign], Watcher | None]
) -> Frontier:
    """Run what is left of some campaigns, and write what they found; after each, what there is so far.

    Parameters
    ----------
    out : Path
    campaigns : mapping
        By budget; see `open_frontier`.
    watcher : callable
        Returns what follows the campaign of a budget.
    """
    outcomes: dict[str, Outcome] = {}
    for budget, campaign in campaigns.items():
        outcomes[budget] = campaign.run(watcher(budget, campaign))
        frontier = Frontier.of(out, outcomes)
        write_frontier(frontier)
    return frontier
