"""What every family of priors keeps to; a new one joins by being registered."""

import networkx as nx
import numpy as np

from nas.samplers.candidates import Source
from nas.space.draws import Uniform
from nas.space.families import FAMILIES, reach
from nas.space.space import Space
from priors import Wiring


def check_family(name: str) -> None:
    """Check that a family is drawn, reaches degrees, varies and is varied as its record says."""
    space = Space(priors=name, nodes=(8, 16), degree=(2.0, 6.0), structure="dag")
    check_draws(space)
    check_degrees(name, space)
    check_neighbours(space)


def check_draws(space: Space) -> None:
    """Equal seeds give equal graphs, others give others, and generators are taken as well."""
    rng = np.random.default_rng(0)
    for params in drawn(space, 20):
        prior = space.prior(params)
        graph = prior.sample(7)
        assert graph == prior.sample(7) == prior.sample(np.random.default_rng(7))
        assert isinstance(graph, Wiring)
        assert graph.n_neurons == params["n"]
        assert graph.is_undirected == FAMILIES[str(params["family"])].is_undirected
        assert not nx.number_of_selfloops(graph.to_networkx())
        assert space.wiring(params, 4, 2) == space.wiring(dict(params), 4, 2)
        assert set(params) <= set(space.distributions())
        assert prior.sample(rng).n_neurons == params["n"]
    several = [space.prior(params).sample(seed).fingerprint for params in drawn(space, 3) for seed in range(9)]
    assert len(set(several)) > 3


def check_degrees(name: str, space: Space) -> None:
    """Graphs have the mean degree that the record says, which is as near to the wanted one as can be."""
    family = FAMILIES[name]
    assert family.mean_degree is not None
    for params in drawn(space, 30):
        prior = space.prior(params)
        graph = nx.Graph(prior.sample(1).to_networkx())
        own = 2 * graph.number_of_edges() / graph.number_of_nodes()
        assert np.isclose(own, family.mean_degree(prior))
        least, largest = reach(name, (int(params["n"]), int(params["n"])), space.own)
        assert least - 1e-9 <= own <= largest + 1e-9
        assert abs(own - min(max(float(params["degree"]), least), largest)) <= 2.0


def check_neighbours(space: Space) -> None:
    """Neighbours keep to the ranges of the space."""
    source = Source(space, (4, 2), lambda wiring: wiring.n_edges, 0)
    found = source.neighbours(np.random.default_rng(1), drawn(space, 4), 40)
    assert len(found) > 5
    for params in (point.params for point in found):
        for name, domain in space.domains().items():
            if name in params:
                low, high = (domain.values[0], domain.values[-1]) if domain.kind is not str else (None, None)
                assert params[name] in domain.values if low is None else low <= params[name] <= high


def drawn(space: Space, n: int) -> list[dict[str, str | int | float]]:
    """Return the parameters of some candidates."""
    rng = np.random.default_rng(3)
    return [{**space.suggest(Uniform(rng)), **space.seeds(rng)} for _ in range(n)]
