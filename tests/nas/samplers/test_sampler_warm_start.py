"""With a predictor the structural sampler's first proposals are good; one that cannot serve is refused."""

import numpy as np
import pytest
from sampler_cases import (
    SMALL,
    UNITS,
    copied,
    drawn,
    is_one_line,
    pairs,
    params_of,
    round_of,
    searched,
    size_of,
    sources,
)

from nas.errors import InputError
from nas.samplers.candidates import Source
from nas.samplers.rounds import Warm
from nas.space.space import Space
from predictors import FEATURES, Feature, Predictor, describe, names_of


@pytest.fixture(scope="module")
def fitted():
    """A predictor of what a survey of such wirings would have found."""
    source = Source(Space(**SMALL), UNITS, size_of, seed=77)
    wirings = drawn(source)[:40]
    return Predictor().fit(wirings, [sources(wiring) for wiring in wirings])


def test_with_a_predictor_the_first_proposals_are_good(fitted):
    space = Space(**SMALL)
    population = [sources(wiring) for wiring in drawn(Source(space, UNITS, size_of, 5))]
    study, sampler, wirings = searched(space, 14, warm_start=fitted, startup=10)
    first = [sources(wirings[number]) for number in range(6) if sampler.proposals[number].origin != "random"]
    assert np.mean(first) > np.quantile(population, 0.85)
    assert {sampler.proposals[number].origin for number in range(4)} <= {"prior", "random"}
    resumed, _, _ = searched(space, 9, study=copied(study, 5), warm_start=fitted, startup=10)
    assert params_of(resumed) == params_of(study)
    assert max(pairs(study, wirings).values()) == 1


class Expects(Warm):
    """Expects the opposite of what trials tell."""

    def scores(self, X):
        return -X[:, 0]


@pytest.mark.parametrize("n_trials", [1, 5, 20, 180])
def test_a_predictor_counts_as_much_as_twenty_trials(n_trials):
    now = round_of([(0.5, 0.5, 100)] * n_trials, [(0.5, 0.1, 100)], Expects(None))
    mean, std = now.posterior(np.array([[1.0, 0.25], [-3.0, 0.5]]))
    share = 20 / (20 + n_trials)
    assert mean.tolist() == pytest.approx([1 - 2 * share, -3 * (1 - 2 * share)])
    assert std.tolist() == [0.25, 0.5]


def test_a_predictor_of_a_loss_is_turned_round(fitted):
    wirings = drawn(Source(Space(**SMALL), UNITS, size_of, seed=77))[:40]
    opposite = Predictor(direction="minimize").fit(wirings, [-sources(wiring) for wiring in wirings])
    one, _, _ = searched(Space(**SMALL), 4, warm_start=fitted)
    other, _, _ = searched(Space(**SMALL), 4, warm_start=opposite)
    assert params_of(one) == params_of(other)


def test_a_predictor_of_other_wirings_is_refused_by_one_line(fitted):
    wirings = drawn(Source(Space(**{**SMALL, "structure": "recurrent"}), UNITS, size_of, seed=77))[:20]
    recurrent = Predictor().fit(wirings, [sources(wiring) for wiring in wirings])
    for structure, predictor in (("dag", recurrent), ("recurrent", fitted)):
        with pytest.raises(
            InputError, match=r"reads other features .* \(self_loops, reciprocity, two_cycles, …\)"
        ) as caught:
            searched(Space(**{**SMALL, "structure": structure}), 1, warm_start=predictor)
        assert is_one_line(caught)


def test_columns_are_found_by_name(fitted):
    """Features may have come since the predictor learnt, and stand in another order."""
    wirings = drawn(Source(Space(**SMALL), UNITS, size_of, seed=78))[:10]
    names = names_of(("size", "structure"))
    order = np.random.default_rng(0).permutation(len(names))
    rows = describe(wirings, ("size", "structure"))
    later = np.column_stack([np.arange(10.0), rows[:, order]])
    own = Warm(fitted).reading(names)
    new = Warm(fitted).reading(("later", *(names[index] for index in order)))
    assert own.columns is None
    assert new.scores(later).tolist() == own.scores(rows).tolist()


def test_a_column_of_ones_own_is_no_feature(fitted, monkeypatch):
    wirings = drawn(Source(Space(**SMALL), UNITS, size_of, seed=77))[:10]
    own = Predictor().fit(wirings, np.arange(10.0), columns={"toy": np.arange(10.0)})
    toy = Feature("toy", "size", "size", "O(1)", "any", "nothing", measure=lambda _: 0.0)
    monkeypatch.setitem(FEATURES, "toy", toy)
    with pytest.raises(InputError, match=r"reads other features than this search has \(toy\)"):
        searched(Space(**SMALL), 1, warm_start=own)
    study, _, _ = searched(Space(**SMALL), 2, warm_start=fitted)
    assert len(params_of(study)) == 2
