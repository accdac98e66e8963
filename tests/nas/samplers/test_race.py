"""Race: the way to a structure that the next trial is given."""

from collections.abc import Sequence
from typing import Any

import optuna
import pytest
from optuna.trial import FrozenTrial, TrialState

from nas.networks import NetworkSpec
from nas.options.options import resolve
from nas.samplers.race import next_of_ways
from nas.shared.sampling import Asked, sampler_for
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


def way_of(done: list[FrozenTrial], *ways: str, number: int = 16, sign: float = 1.0) -> Any:
    return next_of_ways(done, space(*ways), number, sign).get("way")


def test_each_way_has_its_turn() -> None:
    own = space()
    presets = {way: [preset for preset in own.presets if preset["way"] == way] for way in WAY_NAMES}
    # Of a redrawn one nothing is known to be worth a second try.
    turns = ["prior", "pruned", "rewired", "redrawn", *["prior", "pruned", "rewired"] * 2]
    for number, way in enumerate(turns):
        left = presets[way][turns[:number].count(way) :]
        # Whatever others have stored by then.
        for done in ([], trials(prior=[None] * 3, pruned=[0.9, 0.8])):
            assert next_of_ways(done, own, number, 1.0) == (left[0] if left else {"way": way})
    assert next_of_ways(trials(prior=[None] * 5, pruned=[None] * 5), own, len(turns), 1.0) == {}


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_ways_that_are_behind_are_left_out(sign: float) -> None:
    values = {"prior": [0.5, 0.52, 0.4], "pruned": [0.9, 0.88, 0.8], "rewired": [0.6, 0.61, 0.6], "redrawn": [0.3]}
    done = trials(**{way: [sign * value for value in several] for way, several in values.items()})
    assert way_of(done, sign=sign) == "pruned"
    assert way_of(done, sign=-sign) == "redrawn"
    # Once in a while the sampler chooses.
    assert [number for number in range(10, 40) if way_of(done, number=number, sign=sign) is None] == [15, 23, 31, 39]


def test_of_ways_that_are_level_the_cheapest_is_taken() -> None:
    assert way_of(trials(prior=[0.86, 0.86, 0.91], pruned=[0.87, 0.87, 0.915]), "prior", "pruned") == "prior"
    # The better half of many trials says more, and by how much a way may be better shrinks.
    assert way_of(trials(prior=[0.86, 0.91] * 50, pruned=[0.87, 0.915] * 50), "prior", "pruned") == "pruned"
    assert way_of(trials(prior=[0.1] * 9 + [0.92] * 10, pruned=[0.87, 0.915] * 2), "prior", "pruned") == "prior"


def test_trainings_that_diverged_make_no_way_level() -> None:
    values = {"prior": [-1.0, -1.1, -60.0], "pruned": [-0.2, -0.25, -0.3]}
    assert way_of(trials(**values), "prior", "pruned") == "pruned"
    assert way_of(trials(prior=values["prior"] * 11, pruned=values["pruned"] * 3), "prior", "pruned") == "pruned"
    assert way_of(trials(prior=[0.5] * 3, pruned=[0.5] * 3), "prior", "pruned") == "prior"


def test_presets_that_were_not_tried_come_first() -> None:
    own = space("prior", "pruned")
    presets = [preset for preset in own.presets if preset["way"] == "pruned"]
    done = trials(prior=[0.1, 0.11, 0.1], pruned=[0.9] * 3)
    for trial, preset in zip(done[3:], presets, strict=False):
        trial._params = dict(preset)
    assert next_of_ways(done, own, 6, 1.0) == presets[3]
    # What the sampler chose is not among them.
    done += trials(pruned=[0.9] * 3)
    assert next_of_ways(done, own, 9, 1.0) == presets[3]
    last = trials(pruned=[0.9])
    last[0]._params = dict(presets[3])
    assert next_of_ways(done + last, own, 10, 1.0) == {"way": "pruned"}
    # Of a single way nothing but its presets is given.
    alone = space("pruned")
    assert [next_of_ways([], alone, number, 1.0) for number in range(5)] == [*presets, {}]


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
    worth, n_given = {"prior": 0.5, "pruned": 0.9, "rewired": 0.6, "redrawn": 0.3}, 0
    for number in range(30):
        others = study.get_trials(deepcopy=False)
        given = next_of_ways(others, own, len(others), 1.0)
        trial = study.ask()
        asked = Asked(trial)
        params = sampler.suggest_all(asked)
        assert {name: params[name] for name in given} == given
        n_given += "way" in given
        # As a worker stores them.
        study.tell(trial, state=TrialState.FAIL)
        study.add_trial(
            optuna.create_trial(
                value=worth[params["way"]] + 0.001 * (number % 5),
                params={name: params[name] for name in asked.distributions},
                distributions=asked.distributions,
                user_attrs={"seconds": CHEAP[params["way"]]},
            )
        )
    assert n_given > 20
