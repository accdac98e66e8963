"""What samplers learn from trials that were stopped early."""

from dataclasses import replace
from typing import Any

import pytest

from nas.samplers.proposer import Candidate, Proposer
from nas.space.space import SEED_NAMES, Space
from nas.store.records import Record


def search(source: Proposer, start: int, stop: int, sign: int = 1) -> list[dict[str, Any]]:
    """In batches of four; all candidates but the first one are stopped, after 1 to 3 epochs."""
    params = []
    for first in range(start, stop, 4):
        for one in [source.propose(number) for number in range(first, first + 4)]:
            source.tell(outcome(one, sign))
            params.append(dict(one.params))
    return params


def outcome(one: Candidate, sign: int = 1) -> Record:
    value = sign * float(one.params["n"])
    if one.number == 0:
        return Record(one.number, "complete", value, one.params, curve=(0.0, value))
    return Record(one.number, "stopped", None, one.params, curve=(value,) * (one.number % 3 + 1))


def proposer(sampler: str) -> Proposer:
    space = Space(structure="dag", nodes=(8, 40), degree=(2, 6))
    return Proposer(space, sampler=sampler, seed=0, direction="maximize", n_inputs=5, n_outputs=2, size_of=lambda _: 1)


@pytest.mark.parametrize("sampler", ["random", "tpe"])
def test_stopped_trials_that_are_remembered_count_as_those_that_were_told(sampler: str):
    from nas.store.study import trial_of

    whole, first, resumed = proposer(sampler), proposer(sampler), proposer(sampler)
    params = search(whole, 0, 40)
    for start in range(0, 24, 4):
        for one in [first.propose(number) for number in range(start, start + 4)]:
            trial = trial_of(outcome(one), one.distributions)
            trial.number = one.number
            resumed.remember(trial)
            first.tell(outcome(one))
    assert search(resumed, 24, 40) == params[24:]


def test_tpe_learns_from_the_curves_of_stopped_trials():
    up, down = (search(proposer("tpe"), 0, 40, sign)[20:] for sign in (1, -1))
    assert sum(params["n"] for params in up) > sum(params["n"] for params in down)
    only_complete = proposer("tpe")
    for first in range(0, 24, 4):
        for one in [only_complete.propose(number) for number in range(first, first + 4)]:
            record = outcome(one)
            only_complete.tell(record if record.is_complete else replace(record, state="failed", curve=()))
    later = only_complete.propose(24).params
    expected = search(proposer("tpe"), 0, 28)[24]
    assert {name: value for name, value in later.items() if name not in SEED_NAMES} != {
        name: value for name, value in expected.items() if name not in SEED_NAMES
    }
