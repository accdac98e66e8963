"""Parameters of a study beside its wirings: they are learnt, proposed, and stored with what was expected."""

import math

import numpy as np
import optuna
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from sampler_cases import SMALL, asked, sampler_of, sources

from nas.errors import InputError
from nas.samplers.beside import Beside
from nas.space.space import Space

SPACE = Space(**SMALL)
RATE, BATCH = FloatDistribution(1e-5, 1.0, log=True), CategoricalDistribution([16, 32, 64])


def distributions():
    ints = st.tuples(st.integers(1, 50), st.integers(1, 50), st.integers(1, 9))
    floats = st.tuples(st.floats(1e-6, 10.0), st.floats(1e-3, 10.0))
    return st.one_of(
        ints.map(lambda own: IntDistribution(own[0], own[0] + own[1])),
        ints.map(lambda own: IntDistribution(own[0], own[0] + own[1] * own[2], step=own[2])),
        ints.map(lambda own: IntDistribution(own[0], own[0] + own[1], log=True)),
        floats.map(lambda own: FloatDistribution(own[0], own[0] + own[1])),
        floats.map(lambda own: FloatDistribution(own[0], own[0] + own[1], log=True)),
        ints.map(lambda own: FloatDistribution(0.0, own[1] * 0.25, step=0.25)),
        st.just(BATCH),
        st.just(CategoricalDistribution(["a", None, 2.5, True])),
    )


@settings(max_examples=60, deadline=None)
@given(given_distributions=st.lists(distributions(), min_size=1, max_size=4), seed=st.integers(0, 2**32 - 1))
def test_draws_are_of_their_distributions_and_columns_lie_between_0_and_1(given_distributions, seed):
    beside = Beside({f"own {index}": own for index, own in enumerate(given_distributions)})
    rng, near = np.random.default_rng(seed), []
    for _ in range(20):
        drawn = beside.draw(rng, near)
        for name, own in beside.distributions.items():
            assert own._contains(own.to_internal_repr(drawn[name]))
        near.append(drawn)
    rows = beside.rows(near)
    assert rows.shape == (20, len(beside.names)) == (20, len(beside.groups))
    assert ((rows >= 0) & (rows <= 1)).all()
    assert np.isnan(beside.rows([{}])).all()


def test_columns_are_on_the_scale_of_their_distribution():
    beside = Beside({"rate": RATE, "batch": BATCH, "depth": IntDistribution(1, 5)})
    assert beside.names == ("rate", "batch=16", "batch=32", "batch=64", "depth")
    assert beside.groups == (1, 2, 2, 2, 3)
    rows = beside.rows([{"rate": 1e-5, "batch": 32, "depth": 5}, {"rate": 10**-2.5, "batch": 64, "depth": 2}])
    np.testing.assert_allclose(rows, [[0, 0, 1, 0, 1], [0.5, 0, 0, 1, 0.25]], atol=1e-12)


def trial_with(params, own):
    return optuna.create_trial(value=0.0, params=params, distributions=own)


def test_only_what_all_recent_trials_have_is_learnt():
    own = {"rate": RATE, "batch": BATCH, "one": IntDistribution(3, 3), "n": IntDistribution(4, 9)}
    both = {"rate": 0.1, "batch": 16, "one": 3, "n": 5}
    some = {name: value for name, value in both.items() if name != "batch"}
    trials = [trial_with(both, own), trial_with(some, {name: own[name] for name in some})]
    assert dict(Beside.of(trials, {"n"}).distributions) == {"rate": RATE}
    assert dict(Beside.of(trials[:1], {"n"}).distributions) == {"rate": RATE, "batch": BATCH}
    assert not Beside.of([], ())


def objective(trial):
    """Best with a learning rate of .01 and batches of 32, and by a share of sources."""
    rate = trial.suggest_float("rate", 1e-5, 1.0, log=True)
    batch = trial.suggest_categorical("batch", [16, 32, 64])
    return sources(asked(SPACE, trial)) - 0.5 * abs(math.log10(rate) + 2) - 0.2 * (batch != 32)


@pytest.mark.slow
@pytest.mark.usefixtures("all_candidates")
def test_a_learning_rate_and_a_batch_size_are_learnt_as_well_as_by_tpe():
    later = {"structural": [], "tpe": [], "random": []}
    for seed in range(3):
        for name, sampler in (
            ("structural", sampler_of(SPACE, seed=seed)),
            ("tpe", optuna.samplers.TPESampler(seed=seed)),
            ("random", optuna.samplers.RandomSampler(seed=seed)),
        ):
            study = optuna.create_study(direction="maximize", sampler=sampler)
            study.optimize(objective, n_trials=40)
            later[name].append(np.mean([trial.value for trial in study.get_trials()[20:]]))
    means = {name: np.mean(values) for name, values in later.items()}
    assert means["random"] < means["tpe"] < means["structural"]


def test_what_a_study_that_goes_on_proposes_is_what_it_would_have_proposed(tmp_path):
    storage = f"sqlite:///{tmp_path}/study.db"
    study = optuna.create_study(direction="maximize", storage=storage, study_name="own", sampler=sampler_of(SPACE))
    study.optimize(objective, n_trials=9)
    whole = optuna.create_study(direction="maximize", sampler=sampler_of(SPACE))
    whole.optimize(objective, n_trials=14)
    again = optuna.load_study(storage=storage, study_name="own", sampler=sampler_of(SPACE))
    again.optimize(objective, n_trials=5)
    assert [trial.params for trial in again.get_trials()] == [trial.params for trial in whole.get_trials()]
    # How each was chosen, and what was expected of it, is stored with it.
    for trial in optuna.load_study(storage=storage, study_name="own").get_trials():
        if trial.number < 6:
            assert trial.user_attrs == {"origin": "start-up"}
        else:
            assert trial.user_attrs["origin"] in ("prior", "neighbour", "settings", "random")
            assert math.isfinite(trial.user_attrs["prediction"])
            assert trial.user_attrs["prediction_std"] > 0


def test_parameters_that_only_some_trials_have_are_drawn_too():
    def conditional(trial):
        value = sources(asked(SPACE, trial))
        if trial.suggest_categorical("kind", ["sgd", "adam"]) == "sgd":
            value -= abs(trial.suggest_float("momentum", 0, 1) - 0.9)
        return value

    study = optuna.create_study(direction="maximize", sampler=sampler_of(SPACE))
    study.optimize(conditional, n_trials=20)
    assert len({trial.params["momentum"] for trial in study.get_trials() if "momentum" in trial.params}) > 1


def test_a_good_wiring_is_tried_with_other_parameters():
    def narrow(trial):
        return asked(SPACE, trial).n_edges * 1e-6 - abs(trial.suggest_float("rate", 0, 1) - 0.37)

    study = optuna.create_study(direction="maximize", sampler=sampler_of(SPACE))
    study.optimize(narrow, n_trials=40)
    assert study.best_value > -0.01
    assert "settings" in {trial.user_attrs["origin"] for trial in study.get_trials()}


def test_a_parameter_of_a_name_of_the_space_is_refused():
    study = optuna.create_study(direction="maximize", sampler=sampler_of(SPACE))
    trial = study.ask()
    with pytest.raises(InputError, match=r"^parameter degree: the space has one of this name, with .*; .*own_degree$"):
        trial.suggest_float("degree", 0, 1)


def test_other_families_in_a_study_that_has_begun_are_refused_with_a_way_out():
    study = optuna.create_study(direction="maximize", sampler=sampler_of(SPACE))
    study.optimize(lambda trial: sources(asked(SPACE, trial)), n_trials=2)
    wider = Space(**{**SMALL, "priors": ("watts-strogatz",), "nodes": (8, 30)})
    study.sampler = sampler_of(Space(**{**SMALL, "nodes": (8, 30)}))
    study.optimize(lambda trial: sources(asked(Space(**{**SMALL, "nodes": (8, 30)}), trial)), n_trials=2)
    study.sampler = sampler_of(wider)
    with pytest.raises(InputError, match=r"^family=watts-strogatz: the study was begun with other names.*new study$"):
        wider.suggest_all(study.ask())
