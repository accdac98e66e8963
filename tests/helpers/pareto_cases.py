"""Campaigns of accuracy against size, which train nothing, and what the tests of fronts call."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from nas.campaign.campaign import Campaign
from nas.report.outcome import Outcome
from nas.store.records import Record
from priors import Wiring

SPACE = {"nodes": (6, 16), "degree": (2, 4), "attachment": ("natural",)}
PNG = b"\x89PNG\r\n\x1a\n"


def numbers(records: list[Record]) -> list[int]:
    return [record.number for record in records]


def edges(wiring: Wiring, params: Mapping[str, Any]) -> float:
    """More edges are better, and so is a higher degree than the number of neurons explains."""
    return wiring.hidden.n_edges + 5 * params["degree"] + np.sin(7 * wiring.n_hidden)


def run(out: Path, sampler: str = "structural", **options: Any) -> Outcome:
    own = {"space": SPACE, "objective": "pareto", "trials": 30, "sampler": sampler}
    own |= {} if sampler == "random" else {"batch": 4}
    # What the structural sampler does must not depend on how long such an evaluation takes.
    unhurried = {"share": None} if sampler == "structural" else {}
    return Campaign(out, evaluate=edges, n_inputs=3, n_outputs=2, **{**own, **unhurried, **options}).run()
