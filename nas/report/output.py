"""What a campaign leaves in its folder beside the study: the best network, its card, and a plot."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, cast

from nas.report.card import card
from nas.report.front import write_front_table, write_front_wirings
from nas.report.outcome import Outcome, best_record
from nas.report.plot import plot_front, plot_progress
from priors import Wiring, write_wiring
from priors.files import atomic_folder

if TYPE_CHECKING:
    from nas.evaluation.finals import Finals
    from nas.networks.structure import Network
    from nas.options.options import CampaignOptions
    from nas.store.records import Record, Records
    from nas.tasks import Task

__all__ = ["write_output"]


def write_output(
    out: Path,
    options: CampaignOptions,
    task: Task | None,
    records: Records,
    finals: Finals | None,
    outcome: Outcome,
    rebuild: Callable[[Record], Wiring],
) -> None:
    """Write ``best/``, ``progress.png``, and what there is of a front; each replaces its former version at once."""
    best = best_record(records, options.direction)
    if best is None:
        return
    plot_progress(out / "progress.png", records, outcome)
    if outcome.front:
        plot_front(out / "front.png", records, outcome)
        write_front_table(out / "front.csv", outcome.front)
        with atomic_folder(out / "front") as temporary:
            write_front_wirings(temporary, outcome.front, records, rebuild)
    with atomic_folder(out / "best") as temporary:
        write_wiring(rebuild(best) if finals is None else finals.wiring, temporary / "wiring.json")
        if finals is not None:
            from nas.networks import save_network

            save_network(cast("Network", finals.training.network), temporary / "network.safetensors")
        (temporary / "outcome.json").write_text(json.dumps(outcome.to_json(), indent=2) + "\n", encoding="utf-8")
        (temporary / "card.md").write_text(card(options, task, finals, outcome), encoding="utf-8")
