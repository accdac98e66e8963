"""Campaigns with an own evaluation, and what the tests of campaigns call."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from nas.campaign.campaign import Campaign
from nas.store.study import load
from priors import Wiring

Evaluate = Callable[[Wiring, Mapping[str, Any]], float]
SPACE = {"nodes": (8, 20), "degree": (2, 6)}


def edges(wiring: Wiring, params: Mapping[str, Any]) -> float:
    """Best at 40 edges; the fraction makes values distinct."""
    return -abs(wiring.n_edges - 40) - params["degree"] / 100


def run(out: Path, evaluate: Evaluate = edges, **options: Any) -> Any:
    return Campaign(out, evaluate=evaluate, **{"space": SPACE, **options}).run()


def sequence(out: Path) -> list[tuple[int, str, dict[str, Any], float | None]]:
    return [(row.number, row.state, dict(row.params), row.value) for row in load(out)]


class Flaky:
    """Fails for the candidates whose (deterministic) number of nodes is in `bad`, so many times each."""

    def __init__(self, is_bad: Callable[[Wiring], bool], times: int = 99) -> None:
        self.is_bad, self.times = is_bad, times
        self.calls: list[str] = []

    def __call__(self, wiring: Wiring, params: Mapping[str, Any]) -> float:
        self.calls.append(wiring.fingerprint)
        if self.is_bad(wiring) and self.calls.count(wiring.fingerprint) <= self.times:
            raise ZeroDivisionError("no\nway")
        return edges(wiring, params)


def always(_: Wiring) -> bool:
    return True


def never(_: Wiring) -> bool:
    return False


def odd(wiring: Wiring) -> bool:
    return wiring.n_hidden % 3 == 1
