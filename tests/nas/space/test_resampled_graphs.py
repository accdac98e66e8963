"""Parts of own graphs as candidates: connectome as a prior of campaigns and surveys."""

from typing import Any

import numpy as np
import pytest

from nas.errors import InputError
from nas.space.draws import Uniform
from nas.space.space import Space, check_graphs
from priors import GraphPool, Wiring

WORM = Wiring((12,), [(s, (s + step) % 12) for s in range(12) for step in (1, 5)], weights=np.linspace(-1, 1, 24))
LAYERS = Wiring((6, 6), [(s, 6 + (s + step) % 6) for s in range(6) for step in (0, 1)])
POOL = GraphPool([WORM, LAYERS], names=["worm", "layers"])


def space_of(**options: Any) -> Space:
    given = {"priors": "connectome", "graphs": POOL, "nodes": (5, 9), "structure": "recurrent"}
    return Space(**{**given, **options})


def test_candidates_are_parts_of_own_graphs():
    space, rng = space_of(draw=("subsample", "bootstrap")), np.random.default_rng(0)
    assert space.is_resampled
    assert not space.is_finite
    found = set()
    for _ in range(40):
        params = {**space.suggest(Uniform(rng)), **space.seeds(rng)}
        assert set(params) <= set(space.distributions())
        assert {"graph", "n", "draw", "graph_seed", "attachment"} <= set(params)
        wiring = space.wiring(params, 3, 2)
        assert wiring.n_hidden == params["n"]
        assert wiring.weights is None
        assert wiring == space.wiring(dict(params), 3, 2)
        found.add((params["graph"], params["draw"]))
    assert len(found) == 4


def test_parts_without_cycles_are_layered():
    space, rng = space_of(graphs=GraphPool([LAYERS]), structure="dag"), np.random.default_rng(1)
    for _ in range(10):
        params = {**space.suggest(Uniform(rng)), **space.seeds(rng)}
        assert space.wiring(params, 3, 2).is_acyclic


def test_own_graphs_as_they_are_stay_what_they_were():
    space = Space(graphs=POOL, structure="recurrent")
    assert not space.is_resampled
    assert "n" not in space.domains()
    assert "draw" not in space.domains()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"graphs": None}, "priors=connectome: it draws from graphs of your own; give graphs too, or another prior"),
        (
            {"priors": ("connectome", "ws-flex")},
            "priors=connectome, ws-flex: one that draws from own graphs is the only",
        ),
        ({"draw": "jackknife"}, "draw 'jackknife' is not known; known: subsample, bootstrap"),
    ],
)
def test_what_cannot_be_resampled_is_said(options: dict[str, Any], message: str):
    with pytest.raises(InputError, match=message):
        space_of(**options)


def test_a_graph_that_is_too_small_is_named():
    with pytest.raises(
        InputError, match=r"^space.graphs: worm: space.nodes=20: Connectome needs .* = 12; nearest valid is 12"
    ):
        check_graphs(space_of(nodes=(5, 20)), 3, 2)
    check_graphs(space_of(nodes=(5, 20), draw="bootstrap"), 3, 2)
    check_graphs(space_of(), 3, 2)
