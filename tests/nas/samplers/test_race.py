"""Race: the way to a structure that the next trial is given."""

from collections.abc import Sequence
from typing import Any

import optuna
import pytest
from optuna.trial import FrozenTrial, TrialState

from nas.networks import NetworkSpec
from nas.options.options import resolve
from nas.samplers.race import next_of_ways
from nas.shared.sampling import sampler_for
from nas.space.budget import Budget
from nas.space.designs import WaySpace
from nas.space.ways import WAY_NAMES, Ways
from nas.tasks import load_task

DIGITS = load_task("digits")
CHEAP = {"prior": 0.01, "rewired": 0.05, "pruned": 0.1, "redrawn": 0.2}


def space(*ways: str) -> WaySpace:
    return WaySpace(Ways(ways=ways or WAY_NAMES), Budget(500), 32, DIGITS, NetworkSpec("mlp"), (0.01, 0.1))


def trials(**values: Sequence[float | None]) -> list[FrozenTrial]:
    """Trials of each way with these values; None is one that runs."""
    found = []
    for way, several in values.items():
        for value in several:
            made = optuna.create_trial(
                state=TrialState.RUNNING if value is None else TrialState.COMPLETE,
                value=value,
                params={"way": way},
                distributions={"way": optuna.distributions.CategoricalDistribution(WAY_NAMES)},
                user_attrs={"seconds": CHEAP[way]},
            )
            made.number = len(found)
            found.append(made)
    return found


def way_of(done: list[FrozenTrial], *ways: str, number: int = 0, sign: float = 1.0) -> Any:
    return next_of_ways(done, space(*ways), number, sign).get("way")


def test_each_way_has_its_turn() -> None:
    own = space()
    first = {way: [preset for preset in own.presets if preset["way"] == way] for way in WAY_NAMES}
    done: dict[str, list[float | None]] = {way: [] for way in WAY_NAMES}
    told = []
    for _ in range(10):
        given = next_of_ways(trials(**done), own, 0, 1.0)
        way = given["way"]
        expected = first[way][len(done[way]) :]
        assert given == (expected[0] if expected else {"way": way})
        told.append(way)
        done[way].append(None)
    # Of a redrawn one nothing is known to be worth a second try.
    assert told == ["prior", "pruned", "rewired", "redrawn", *["prior", "pruned", "rewired"] * 2]
    assert next_of_ways(trials(**done), own, 0, 1.0) == {}


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_ways_that_are_behind_are_left_out(sign: float) -> None:
    values = {"prior": [0.5, 0.52, 0.4], "pruned": [0.9, 0.88, 0.8], "rewired": [0.6, 0.61, 0.6], "redrawn": [0.3]}
    done = trials(**{way: [sign * value for value in several] for way, several in values.items()})
    assert way_of(done, sign=sign) == "pruned"
    assert way_of(done, sign=-sign) == "redrawn"
    # Once in a while the sampler chooses.
    assert [number for number in range(24) if way_of(done, number=number, sign=sign) is None] == [7, 15, 23]


def test_of_ways_that_are_level_the_cheapest_is_taken() -> None:
    assert way_of(trials(prior=[0.86, 0.86, 0.91], pruned=[0.87, 0.87, 0.915]), "prior", "pruned") == "prior"
    # The better half of many trials says more, and by how much a way may be better shrinks.
    assert way_of(trials(prior=[0.86, 0.91] * 50, pruned=[0.87, 0.915] * 50), "prior", "pruned") == "pruned"
    assert way_of(trials(prior=[0.1] * 9 + [0.92] * 10, pruned=[0.87, 0.915] * 2), "prior", "pruned") == "prior"


def test_presets_of_a_way_come_one_after_the_other() -> None:
    own = space("prior", "pruned")
    presets = [preset for preset in own.presets if preset["way"] == "pruned"]
    assert next_of_ways(trials(prior=[0.1, 0.11, 0.1], pruned=[0.9] * 3), own, 0, 1.0) == presets[3]
    many = trials(prior=[0.1, 0.11, 0.1], pruned=[0.9, 0.91] * 5)
    assert next_of_ways(many, own, 0, 1.0) == {"way": "pruned"}
    # Of a single way nothing but its presets is given.
    assert next_of_ways(trials(pruned=[0.9, 0.91] * 5), space("pruned"), 0, 1.0) == {}


def test_nothing_is_known_of_ways_whose_trials_failed() -> None:
    failed = trials(prior=[None] * 3, pruned=[None] * 3)
    for trial in failed:
        trial.state = TrialState.FAIL
    assert way_of(failed, "prior", "pruned") is None


def test_workers_are_given_the_same() -> None:
    options = resolve({"task": "digits", "budget": "500", "sampler": "tpe", "ways": {"ways": list(WAY_NAMES)}})
    own = space()
    sampler = sampler_for(options, own, (64, 10), own.spec, {})
    study = optuna.create_study(direction="maximize", sampler=sampler)
    chosen = []
    for value in (0.5, 0.9, 0.6, 0.3, 0.52, 0.88, 0.61, 0.4, 0.8, 0.6, 0.91):
        trial = study.ask()
        params = sampler.suggest_all(trial)
        trial.set_user_attr("seconds", CHEAP[params["way"]])
        study.tell(trial, value)
        chosen.append(params)
    ways = [params["way"] for params in chosen]
    assert ways[:10] == ["prior", "pruned", "rewired", "redrawn", *["prior", "pruned", "rewired"] * 2]
    assert ways[10] == "pruned"
    presets = [preset for preset in own.presets if preset["way"] == "pruned"]
    assert {name: chosen[1][name] for name in presets[0]} == presets[0]
