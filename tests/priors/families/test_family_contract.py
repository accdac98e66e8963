"""What every prior keeps to; a new one joins by being registered, with an example in its record."""

import pickle
from dataclasses import FrozenInstanceError, fields, is_dataclass
from unittest import mock

import numpy as np
import pytest

from priors import FAMILIES, PRIORS, ErdosRenyi, Wiring
from priors.families.record import Parameter

HAS_A_TWIN = ("watts-strogatz", "barabasi-albert", "erdos-renyi", "ws-flex", "random-regular", "geo-hub")

every_family = pytest.mark.parametrize("name", FAMILIES)


@every_family
def test_a_prior_is_a_frozen_dataclass_under_its_name(name: str):
    family, prior = FAMILIES[name], FAMILIES[name].example()
    assert type(prior) is family.prior is PRIORS[name]
    assert prior.family == name
    assert is_dataclass(prior)
    assert type(prior)(**{field.name: getattr(prior, field.name) for field in fields(prior)}) == prior
    assert hash(family.example()) == hash(prior)
    assert pickle.loads(pickle.dumps(prior)) == prior
    with pytest.raises(FrozenInstanceError):
        prior.n = 3


@every_family
def test_one_seed_gives_one_graph(name: str):
    prior = FAMILIES[name].example()
    first = prior.sample(3)
    assert isinstance(first, Wiring)
    assert first == prior.sample(3) == prior.sample(np.random.default_rng(3))
    assert isinstance(prior.sample(), Wiring)
    assert len({prior.sample(seed).fingerprint for seed in range(8)}) > 2
    # A generator is drawn from, and whatever else was drawn before does not count.
    generator = np.random.default_rng(3)
    assert len({prior.sample(generator).fingerprint for _ in range(8)}) > 2


@every_family
def test_a_graph_is_what_its_record_says(name: str):
    family, prior = FAMILIES[name], FAMILIES[name].example()
    for seed in range(5):
        graph = prior.sample(seed)
        assert Wiring(graph.sizes, graph.edges, graph.inputs, graph.outputs) == graph
        assert graph.edges.dtype == np.int32
        assert not graph.edges.flags.writeable
        assert family.of_graph or (graph.edges[:, 0] != graph.edges[:, 1]).all()
        if family.is_undirected:
            assert graph.n_layers == 1
            assert graph.is_undirected
        if "n" in {field.name for field in fields(prior)} or hasattr(prior, "n"):
            assert graph.n_neurons == prior.n


@every_family
def test_a_record_says_how_a_prior_is_asked_for(name: str):
    family = FAMILIES[name]
    known = {field.name for field in fields(family.prior)}
    assert {argument.name for argument in family.arguments} <= known
    assert all(argument.help and not argument.help.endswith(".") for argument in family.arguments)
    assert all(parameter.help.endswith(".") for parameter in family.parameters)
    assert (family.of_degree is None) == (family.mean_degree is None)
    assert all(parameter.default for parameter in family.parameters)


def test_families_that_share_a_parameter_share_its_record():
    by_name: dict[str, Parameter] = {}
    for family in FAMILIES.values():
        for parameter in family.parameters:
            assert by_name.setdefault(parameter.name, parameter) is parameter


@pytest.mark.parametrize("name", HAS_A_TWIN)
def test_compiled_code_draws_what_python_draws(both_ways, name: str):
    pytest.importorskip("priors._native", reason="the extension was not built")
    for seed in range(20):
        both_ways(FAMILIES[name].example().sample, seed)


def test_the_others_draw_without_the_extension(python_only):
    for name in set(FAMILIES) - set(HAS_A_TWIN):
        prior = FAMILIES[name].example()
        compiled = prior.sample(1)
        with python_only():
            assert prior.sample(1) == compiled


def test_only_few_pairs_fit_into_memory():
    with pytest.raises(ValueError, match=r"^nodes=50000: erdos-renyi needs memory .* nearest valid is 44721$"):
        FAMILIES["erdos-renyi"].make(50_000, p=0.1)
    assert FAMILIES["erdos-renyi"].make(44_721, edges=3) == ErdosRenyi(44_721, edges=3)


def test_a_module_is_imported_when_a_prior_is_made():
    with mock.patch("priors.families.record.import_module", side_effect=ModuleNotFoundError):
        assert FAMILIES["watts-strogatz"].arguments[0].option == "nodes"
        with pytest.raises(ModuleNotFoundError):
            FAMILIES["watts-strogatz"].make(6, 2, 0.1)
