"""NSGA-II: populations are those that Optuna breeds from, complete trials make generations, what is good is kept."""

from pathlib import Path
from typing import Any

import numpy as np
import optuna
import pytest
from optuna.search_space import IntersectionSearchSpace
from optuna.trial import TrialState
from pareto_cases import run

from nas.samplers.blind import NSGA2Sampler
from nas.store.records import Record
from nas.store.study import load


def test_a_population_is_what_optuna_breeds_from():
    """Told of one trial after another, every trial is the one that Optuna's own sampler proposes."""

    def value(trial: optuna.Trial) -> tuple[float, float]:
        x, n = trial.suggest_float("x", -1, 1), trial.suggest_int("n", 1, 50)
        kind = trial.suggest_categorical("kind", ("a", "b", "c"))
        return x * x + (kind == "a"), n + x

    def study(own: bool) -> list[dict[str, Any]]:
        made = optuna.create_study(directions=["minimize", "minimize"])
        for number in range(40):
            sampler = (
                NSGA2Sampler(number, population=8)
                if own
                else optuna.samplers.NSGAIISampler(population_size=8, seed=number)
            )
            made.sampler = sampler
            # Optuna returns parents in another order when it has just chosen them.
            sampler.get_parent_population(made, number // 8)
            trial = made.ask()
            made.tell(trial, value(trial))
        return [trial.params for trial in made.trials]

    assert study(own=True) == study(own=False)


def test_generations_follow_from_the_complete_trials_alone():
    sampler = NSGA2Sampler(0, IntersectionSearchSpace(include_pruned=True), population=2)
    study = optuna.create_study(directions=["maximize", "minimize"], sampler=sampler)
    states = "CCFCRCC"
    for index, state in enumerate(states):
        kind = {"C": TrialState.COMPLETE, "F": TrialState.FAIL, "R": TrialState.RUNNING}[state]
        values = [float(index), 1.0] if state == "C" else None
        study.add_trial(optuna.create_trial(state=kind, values=values, params={}, distributions={}))
    populations = [[found.number for found in sampler.get_population(study, generation)] for generation in range(4)]
    assert populations == [[0, 1], [3, 5], [6], []]
    assert sampler.get_trial_generation(study, study.trials[-1]) == 2
    assert [found.number for found in sampler.get_parent_population(study, 2)] == [3, 5]


@pytest.mark.usefixtures("bare_campaigns")
def test_nsga2_keeps_what_is_good(tmp_path: Path):
    """Later generations are bred from the front: their searched parameters are nearer to it than those of the first."""
    run(tmp_path, sampler="nsga2", trials=90, batch=1, direction="maximize")
    rows = list(load(tmp_path))
    first, last = ([edges_per_parameter(row) for row in part] for part in (rows[:30], rows[60:]))
    assert np.mean(last) > np.mean(first)


def edges_per_parameter(row: Record) -> float:
    return float(row.value or 0.0) / float(row.n_parameters or 1)
