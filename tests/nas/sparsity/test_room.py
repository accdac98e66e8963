"""Networks within ones that have room for other weights compute what they did, and weights keep their edges."""

from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from nas import InputError
from nas.networks import SequenceNetwork, SparseMLP, wiring_of
from nas.networks.cells import CELLS
from nas.sparsity import method_of
from nas.sparsity.layers import size_of
from nas.sparsity.learning import learn
from nas.sparsity.network import layers_of, place_weights
from nas.sparsity.room import edges_within_reach, move_in, with_room
from nas.tasks import Task
from nas.training import Recipe
from nas.training.places import places_of, wired_parts
from priors import Wiring, attach

SIZES = (5, 4, 3, 2)
"""Of networks with shortcuts past layers."""


def mlp(share: float, seed: int) -> SparseMLP:
    rng = np.random.default_rng(seed)
    layer = np.repeat(np.arange(len(SIZES)), SIZES)
    forward = np.argwhere(layer[:, None] < layer[None, :])
    chain = [
        [int(np.flatnonzero(layer == one)[0]), int(np.flatnonzero(layer == two)[0])] for one, two in pairwise(range(4))
    ]
    kept = forward[rng.random(len(forward)) < share]
    edges = np.unique(np.concatenate([kept, chain]), axis=0)
    return SparseMLP(Wiring(SIZES, edges, inputs=True, outputs=True), "tanh", rng=rng, dtype=torch.float64)


def rnn(cell: str) -> SequenceNetwork:
    wiring = attach(Wiring((6,), np.argwhere(np.ones((6, 6)))), 4, 3, "natural")
    network = SequenceNetwork(wiring, cell, rng=0)
    # Single gates go, so that an edge may have some of them; and all that is read of one input.
    places, rng = places_of(wired_parts(network)), np.random.default_rng(1)
    kept = np.sort(rng.choice(places, len(places) // 3, replace=False))
    place_weights(network, kept, rng.normal(size=len(kept)))
    return network


@given(share=st.floats(0.0, 1.0), seed=st.integers(0, 99))
def test_a_room_has_every_edge_between_layers_that_are_joined(share: float, seed: int) -> None:
    network = mlp(share, seed)
    wiring = wiring_of(network)
    room = with_room(wiring)
    layer = np.repeat(np.arange(len(SIZES)), SIZES)
    joined = {(one, one + 1) for one in range(3)} | {(layer[a], layer[b]) for a, b in wiring.edges}
    right = sorted((a, b) for a in range(14) for b in range(14) if (layer[a], layer[b]) in joined)
    assert sorted(map(tuple, room.edges.tolist())) == right
    assert edges_within_reach(wiring) == len(right)
    whole = SparseMLP(room, "tanh", rng=0)
    places = move_in(network, whole)
    x = torch.randn(7, 5, dtype=torch.float64)
    assert torch.allclose(whole(x), network(x), atol=1e-12)
    weight = whole.weight.detach().numpy()[np.searchsorted(places_of([whole]), places)]
    place_weights(whole, places, weight)
    assert np.array_equal(wiring_of(whole).edges, wiring.edges)
    assert torch.allclose(whole(x), network(x), atol=1e-12)


@pytest.mark.parametrize("cell", CELLS)
def test_rnns_keep_single_gates(cell: str) -> None:
    network = rnn(cell)
    whole = SequenceNetwork(with_room(wiring_of(network)), cell, rng=3)
    places = move_in(network, whole)
    x = torch.randn(5, 6, 4)
    assert torch.allclose(whole(x), network(x), atol=1e-6)
    parts = wired_parts(whole)
    assert len(places) == sum(len(part.weight) for part in wired_parts(network))
    assert np.all(np.diff(places) > 0)
    everything = places_of(parts)
    assert np.array_equal(everything, np.arange(size_of(layers_of(whole))))
    values = torch.cat([part.weight.detach() for part in parts]).numpy()
    others = np.setdiff1d(everything, places)
    assert not values[others].any()
    place_weights(whole, places, values[places])
    assert torch.allclose(whole(x), network(x), atol=1e-6)


def _task(network: nn.Module) -> Task:
    shape = (40, 5) if isinstance(network, SparseMLP) else (40, 3, 4)
    rng = np.random.default_rng(0)
    return Task.from_arrays("noise", rng.normal(size=shape), rng.integers(2 + (len(shape) == 3), size=40))


@pytest.mark.parametrize("engine", ["native", "torch"])
@pytest.mark.parametrize("kind", ["mlp", "gru", "lstm"])
def test_rewiring_begins_with_what_lives_and_keeps_the_counts(kind: str, engine: str) -> None:
    network: nn.Module = mlp(0.4, 3).float() if kind == "mlp" else rnn(kind)
    room: nn.Module
    if isinstance(network, SparseMLP):
        room = SparseMLP(with_room(wiring_of(network)), "tanh", rng=0)
    else:
        room = SequenceNetwork(with_room(wiring_of(network)), kind, rng=0)  # type: ignore[arg-type]
    places = move_in(network, room)
    bounds = [*(layer.first for layer in layers_of(room)), size_of(layers_of(room))]
    before = np.diff(np.searchsorted(places, bounds))
    recipe = Recipe(epochs=4, batch_size=8, learning_rates=0.01)
    learned = learn(
        room, _task(network), recipe, method_of("rigl", every=2, end="never"), places=places, rng=0, engine=engine
    )
    after = places_of(wired_parts(room))
    assert np.array_equal(np.diff(np.searchsorted(after, bounds)), before)
    assert learned.snapshots[0].weights == learned.snapshots[-1].weights == len(places)
    assert learned.updates > 3
    assert learned.ever > len(places)
    assert not np.array_equal(after, places)


@pytest.mark.parametrize(
    ("given", "line"),
    [
        ({"places": np.array([3, 3])}, "they must be int64, ascend, and be among those"),
        ({"places": np.array([0, 9999])}, "they must be int64, ascend, and be among those"),
        ({"places": np.array([0.0, 1.0])}, "they must be int64, ascend, and be among those"),
        ({"places": np.arange(4), "weights": 9}, "weights=9, parameters=None, places=4 of them: exactly one"),
        ({}, "weights=None, parameters=None, places=none: exactly one of the three"),
        ({"places": np.arange(4), "method": "gmp"}, "pruning begins with all weights; leave them out"),
        ({"places": np.arange(4), "method": "srigl"}, "every row has equally many weights; leave them out"),
    ],
)
def test_places_that_cannot_be_begun_with(given: dict[str, object], line: str) -> None:
    network = mlp(1.0, 0).float()
    method = method_of(str(given.pop("method", "rigl")))
    with pytest.raises(InputError, match=line):
        learn(network, _task(network), Recipe(epochs=200), method, **given)  # type: ignore[arg-type]
