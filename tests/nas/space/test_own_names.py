"""Parameters of one's own that have names of the space are refused, in whatever order they are asked for."""

import copy
import pickle
import re
from typing import Any

import networkx as nx
import optuna
import pytest

from nas.errors import InputError
from nas.samplers import StructuralSampler
from nas.space.space import Space
from priors import GraphPool

SPACE = Space(nodes=(20, 30), edits=4)
OWN: dict[str, Any] = {
    "p": lambda trial: trial.suggest_float("p", 0.0, 1.0),
    "n": lambda trial: trial.suggest_int("n", 1, 5),
    "degree": lambda trial: trial.suggest_float("degree", 1e-3, 1.0, log=True),
    "family": lambda trial: trial.suggest_categorical("family", ["a", "b"]),
    "graph_seed": lambda trial: trial.suggest_int("graph_seed", 0, 3),
    "n_moves": lambda trial: trial.suggest_int("n_moves", 0, 4),
    "attachment": lambda trial: trial.suggest_categorical("attachment", ["controlled"]),
}


def samplers() -> list[optuna.samplers.BaseSampler]:
    return [optuna.samplers.RandomSampler(seed=0), optuna.samplers.TPESampler(seed=0), StructuralSampler(SPACE, 4, 2)]


def asked(sampler: optuna.samplers.BaseSampler) -> optuna.Trial:
    return optuna.create_study(sampler=sampler).ask()


def refused(name: str) -> Any:
    known = SPACE.distributions()[name]
    line = (
        f"parameter {name}: the space has one of this name, with {known}; give yours another name, such as own_{name}"
    )
    return pytest.raises(InputError, match=f"^{re.escape(line)}$")


@pytest.mark.parametrize("name", OWN)
@pytest.mark.parametrize("which", range(3))
def test_a_name_of_the_space_is_refused_before_and_after(name: str, which: int):
    trial = asked(samplers()[which])
    # What the structural sampler proposes together Optuna itself refuses with another kind or scale.
    is_proposed = which == 2 and name in ("degree", "family")
    with pytest.raises(ValueError, match=r"dynamic value space|log configuration") if is_proposed else refused(name):
        OWN[name](trial)
        SPACE.suggest_all(trial)
    trial = asked(samplers()[which])
    params = SPACE.suggest_all(trial)
    with refused(name):
        OWN[name](trial)
    assert trial.params == params


def test_a_parameter_of_another_family_is_refused_too():
    """The initial graph is asked for where the family is barabasi-albert alone, which not every trial has."""
    for _ in range(8):
        trial = asked(optuna.samplers.RandomSampler())
        SPACE.suggest_all(trial)
        with refused("initial"):
            trial.suggest_categorical("initial", ["x", "y"])


def test_other_names_are_taken_and_asking_again_gives_the_same():
    trial = asked(optuna.samplers.RandomSampler(seed=0))
    rate = trial.suggest_float("rate", 1e-3, 1.0, log=True)
    params = SPACE.suggest_all(trial)
    batch = trial.suggest_categorical("batch", [16, 32])
    assert trial.suggest_int("depth", 1, 9, step=2) in range(1, 10, 2)
    assert SPACE.suggest_all(trial) == params
    assert trial.suggest_float("rate", 1e-3, 1.0, log=True) == rate
    assert trial.params == {**params, "rate": rate, "batch": batch, "depth": trial.params["depth"]}
    assert SPACE.wiring(params, 4, 2).n_inputs == 4


def test_names_of_other_spaces_are_free():
    space = Space(graphs=GraphPool([nx.cycle_graph(3)]))
    trial = asked(optuna.samplers.RandomSampler(seed=0))
    assert 1 <= trial.suggest_int("n", 1, 5) <= 5
    space.suggest_all(trial)
    with pytest.raises(InputError, match=r"^parameter graph: the space has one of this name"):
        trial.suggest_int("graph", 0, 3)


def test_a_study_asks_with_the_distributions_of_the_space():
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
    trial = study.ask(SPACE.distributions())
    assert SPACE.suggest_all(trial).items() <= trial.params.items()


def test_what_is_over_is_asked_again_and_trials_are_copied():
    """As ``objective(study.best_trial)`` does."""
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
    study.optimize(
        lambda trial: float(SPACE.suggest_all(trial)["n"]) + trial.suggest_float("own", 0.0, 1.0), n_trials=3
    )
    found = SPACE.suggest_all(study.best_trial)
    assert found == {name: value for name, value in study.best_params.items() if name != "own"}
    fixed = optuna.trial.FixedTrial({**found, "own": 0.5})
    assert SPACE.suggest_all(fixed) == found
    assert fixed.suggest_float("own", 0.0, 1.0) == 0.5
    for same in (copy.deepcopy(fixed), pickle.loads(pickle.dumps(fixed))):
        assert SPACE.suggest_all(same) == found
        with refused("p"):
            same.suggest_float("p", 0.0, 1.0)


def test_replicates_are_a_name_of_the_sampler():
    sampler = StructuralSampler(SPACE, 4, 2, replicates=3)
    trial = asked(sampler)
    sampler.suggest_all(trial)
    with pytest.raises(InputError, match=r"^parameter replicate: the space has one of this name"):
        trial.suggest_int("replicate", 0, 9)
