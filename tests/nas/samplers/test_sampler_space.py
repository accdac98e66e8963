"""Proposals of the structural sampler lie within the space: its parameters, its limits, its own graphs."""

from collections import Counter
from itertools import product

import numpy as np
import pytest
from optuna.trial import TrialState
from quick import quick
from sampler_cases import SMALL, UNITS, is_one_line, pairs, searched, size_of, sources

from nas.errors import InputError
from nas.samplers.candidates import Source
from nas.space.draws import Uniform
from nas.space.space import Space
from predictors import names_of
from priors import ErdosRenyi, GraphPool, WattsStrogatz, attach, layer, orient


@pytest.mark.parametrize("structure", ["dag", "recurrent", "stack"])
def test_parameters_are_asked_for_where_they_act_and_lie_within_the_space(structure):
    space = Space(
        nodes=(8, 20),
        degree=(2.0, 5.0),
        p=(0.1, 0.9),
        initial=("isolated", "star", "complete"),
        structure=structure,
        orientation=("random", "index", "degree"),
        attachment=("controlled", "natural", "projected", "published"),
        edits=6,
    )
    study, sampler, wirings = searched(space, 40, pool=24)
    distributions = space.distributions()
    for trial in study.get_trials():
        params = trial.params
        assert ("p" in params) == (params["family"] == "watts-strogatz")
        assert ("initial" in params) == (params["family"] == "barabasi-albert")
        assert ("orientation" in params) == ("order_seed" in params) == (structure != "recurrent")
        assert trial.distributions == {name: distributions[name] for name in params}
        assert params["n_moves"] <= 6
        assert space.wiring(params, *UNITS) == wirings[trial.number]
    origins = {own.origin for own in sampler.proposals.values()}
    assert "neighbour" in origins
    found = [trial.params for trial in study.get_trials()]
    assert {params["family"] for params in found} == set(space.priors)
    assert len({params["attachment"] for params in found}) >= 3
    assert any(params["n_moves"] for params in found)


@pytest.mark.usefixtures("all_candidates")
def test_start_up_is_even_over_families_and_sizes():
    space = Space(nodes=(8, 60), degree=(2.0, 5.0))
    study, sampler, wirings = searched(space, 18, startup=18)
    assert {own.origin for own in sampler.proposals.values()} == {"start-up"}
    counts = Counter(trial.params["family"] for trial in study.get_trials())
    assert min(counts.values()) >= 5
    for family in counts:
        sizes = [size_of(wirings[t.number]) for t in study.get_trials() if t.params["family"] == family]
        assert max(sizes) > 2 * min(sizes)


@pytest.mark.parametrize("attachment", ["natural", "projected"])
def test_edits_leave_as_many_neurons_as_the_space_has(attachment):
    space = Space(structure="dag", nodes=(10, 12), degree=(2, 4), attachment=attachment, width=4)
    study, _, wirings = searched(space, 40, pool=64, startup=5)
    edited = [trial.number for trial in study.get_trials() if trial.params["n_moves"]]
    neurons = {wirings[number].n_hidden - (4 if attachment == "projected" else 0) for number in edited}
    assert len(edited) > 5
    assert neurons <= {10, 11, 12}


@pytest.mark.parametrize(
    ("limit", "share"),
    quick(product(["max_parameters", "max_edges"], [0.2, 0.004]), ("max_parameters", 0.2), ("max_edges", 0.004)),
)
def test_limits_are_kept_however_few_keep_to_them(limit, share):
    space, rng = Space(**SMALL), np.random.default_rng(0)
    of = size_of if limit == "max_parameters" else (lambda wiring: wiring.hidden.n_edges)
    drawn = [of(space.wiring({**space.suggest(Uniform(rng)), **space.seeds(rng)}, *UNITS)) for _ in range(1000)]
    most = int(np.quantile(drawn, share))
    small = space.model_copy(update={limit: most})
    _, _, wirings = searched(small, 12, epsilon=0.4, pool=8, startup=4)
    assert max(map(of, wirings.values())) <= most
    assert len({wiring.fingerprint for wiring in wirings.values()}) == 12


@pytest.mark.parametrize("limits", [{"max_parameters": 3}, {"max_edges": 1}, {"max_parameters": 3, "max_edges": 1}])
def test_impossible_limits_are_refused_by_one_line(limits):
    pool = GraphPool(attached_wirings(3))
    for space in (Space(**SMALL, **limits), Space(graphs=pool, **limits)):
        with pytest.raises(InputError, match=r"space\.max_") as caught:
            searched(space, 1)
        assert is_one_line(caught)


def attached_wirings(n):
    return [
        attach(
            layer(orient(WattsStrogatz(8 + index % 7, 4, 0.5).sample(index), "random", index)), *UNITS, "natural", index
        )
        for index in range(n)
    ]


@pytest.mark.parametrize("replicates", [1, 2])
def test_every_graph_of_a_finite_pool_is_proposed_once_before_any_is_again(replicates):
    space = Space(graphs=GraphPool(attached_wirings(25)))
    study, _, wirings = searched(space, 25 * replicates, replicates=replicates)
    assert max(pairs(study, wirings).values()) == 1
    assert len({wiring.fingerprint for wiring in wirings.values()}) == 25
    # There is nothing left; the study can go on all the same.
    searched(space, 5, study=study, replicates=replicates)
    assert len(study.get_trials()) == 25 * replicates + 5
    good = [wirings[number] for number in range(6, 14)]
    assert np.mean(list(map(sources, good))) > np.mean(list(map(sources, wirings.values())))


def test_a_pool_of_one_graph_and_of_equal_graphs():
    for graphs in (attached_wirings(1), attached_wirings(1) * 4, [ErdosRenyi(5, edges=4).sample(0)]):
        study, _, _ = searched(Space(graphs=GraphPool(graphs), edits=0, structure="recurrent"), 8)
        assert all(trial.state == TrialState.COMPLETE for trial in study.get_trials())


@pytest.mark.parametrize("structure", ["dag", "recurrent"])
def test_bare_graphs_are_edited_and_attached(structure):
    pool = GraphPool([ErdosRenyi(9 + index, edges=2 * (9 + index)).sample(index) for index in range(12)])
    space = Space(graphs=pool, structure=structure, attachment="natural", edits=4)
    study, _, wirings = searched(space, 40, pool=24)
    assert max(pairs(study, wirings).values()) == 1
    assert any(trial.params["n_moves"] for trial in study.get_trials())
    assert all(trial.params.keys() <= space.distributions().keys() for trial in study.get_trials())
    tiers = ("size", "structure") if structure == "dag" else ("size", "structure", "recurrent")
    assert Source(space, UNITS, size_of, 0).described_by.names == names_of(tiers)
