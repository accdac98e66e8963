"""Structures drawn anew: what is kept is kept exactly, and the rest is chance."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nas.errors import InputError
from nas.networks import NetworkSpec, SequenceNetwork, SparseMLP, n_parameters, wiring_of
from nas.networks.structure import parts_of
from nas.sparsity import shuffle
from nas.sparsity.gates import fingerprint_of, gates_of, keep_gates, redrawn_gates
from nas.sparsity.learning import sparsify
from nas.sparsity.shuffle import KEPT, redraw, scattered, shuffled
from priors import Wiring

few = settings(deadline=None, max_examples=60)


@st.composite
def wirings(draw: st.DrawFn) -> Wiring:
    """Any edges between any layers, of a network with inputs and outputs; recurrent ones too."""
    sizes = draw(st.lists(st.integers(1, 6), min_size=2, max_size=4))
    n = sum(sizes)
    rng = np.random.default_rng(draw(st.integers(0, 999)))
    places = np.argwhere(rng.random((n, n)) < draw(st.sampled_from([0.0, 0.1, 0.4, 1.0])))
    # Inputs read nothing, and outputs are not read.
    own = places[(places[:, 1] >= sizes[0]) & (places[:, 0] < n - sizes[-1])]
    return Wiring(sizes, own, inputs=True, outputs=True)


def layers_of(wiring: Wiring) -> np.ndarray:
    return np.repeat(np.arange(wiring.n_layers), wiring.sizes)


def counts(wiring: Wiring) -> Counter[tuple[int, int]]:
    """Edges between each two layers."""
    layer = layers_of(wiring)
    return Counter((int(layer[source]), int(layer[target])) for source, target in wiring.edges)


def degrees(wiring: Wiring) -> Counter[tuple[str, int, int]]:
    """For each neuron and layer, how many neurons of the layer it reads, and is read by."""
    layer = layers_of(wiring)
    reads = Counter(("reads", int(target), int(layer[source])) for source, target in wiring.edges)
    return reads + Counter(("is read", int(source), int(layer[target])) for source, target in wiring.edges)


def is_simple(wiring: Wiring) -> bool:
    return len(np.unique(wiring.edges, axis=0)) == wiring.n_edges and wiring.weights is None


@given(wirings(), st.integers(0, 99), st.data())
@few
def test_counts_between_layers_are_kept_and_only_live_inputs_read(wiring: Wiring, seed: int, data: st.DataObject):
    live = np.array(sorted(data.draw(st.sets(st.integers(0, wiring.sizes[0] - 1), min_size=1))), np.int64)
    found = scattered(wiring, seed, live)
    assert found.sizes == wiring.sizes
    assert is_simple(found)
    assert counts(found) == counts(wiring)
    starts = np.concatenate([[0], np.cumsum(wiring.sizes)])
    for (before, after), count in counts(wiring).items():
        if before == 0 and count <= len(live) * wiring.sizes[after]:
            own = found.edges[(found.edges[:, 0] < starts[1]) & (found.edges[:, 1] >= starts[after])
                              & (found.edges[:, 1] < starts[after + 1])]  # fmt: skip
            assert set(own[:, 0].tolist()) <= set(live.tolist())
    assert redraw(wiring, "counts", seed, live) == found


@pytest.mark.parametrize("many", [100_000, 5], ids=["one by one", "together"])
@given(wiring=wirings(), seed=st.integers(0, 99))
@few
def test_degrees_are_kept(many: int, wiring: Wiring, seed: int):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shuffle, "_MANY", many)
        found = shuffled(wiring, seed)
        assert found.sizes == wiring.sizes
        assert is_simple(found)
        assert degrees(found) == degrees(wiring)
        assert redraw(wiring, "degrees", seed, np.zeros(0, np.int64)) == found


@given(wirings(), st.sampled_from(KEPT), st.integers(0, 9))
@few
def test_one_seed_is_one_structure(wiring: Wiring, keeps: str, seed: int):
    live = np.arange(wiring.sizes[0])
    assert redraw(wiring, keeps, seed, live) == redraw(wiring, keeps, seed, live)


def test_all_of_a_structure_is_kept():
    wiring = Wiring((2, 2), [(0, 2), (1, 3)], inputs=True, outputs=True)
    assert redraw(wiring, "structure", 0, np.arange(2)) is wiring
    with pytest.raises(InputError, match="keeps 'shape' is not known; known: structure, degrees, counts"):
        redraw(wiring, "shape", 0, np.arange(2))


def test_every_place_is_as_likely():
    wiring = Wiring((5, 3, 2), [(0, 5), (1, 6), (5, 8), (6, 9), (2, 8)], inputs=True, outputs=True)
    rng, live = np.random.default_rng(0), np.array([1, 3])
    seen: Counter[tuple[int, int]] = Counter()
    for _ in range(3000):
        seen.update(map(tuple, scattered(wiring, rng, live).edges.tolist()))
    shares = {(0, 1): 2 / 6, (0, 2): 1 / 4, (1, 2): 2 / 6}
    layer = layers_of(wiring)
    assert len(seen) == 6 + 4 + 6
    for (source, target), count in seen.items():
        share = shares[int(layer[source]), int(layer[target])]
        assert abs(count / 3000 - share) < 5 * np.sqrt(share * (1 - share) / 3000)


def test_structures_with_the_same_degrees_are_as_likely():
    # Three neurons read one input each: six permutations.
    wiring = Wiring((3, 3), [(0, 3), (1, 4), (2, 5)], inputs=True, outputs=True)
    rng = np.random.default_rng(0)
    seen = Counter(str(shuffled(wiring, rng).edges.tolist()) for _ in range(3000))
    assert len(seen) == 6
    assert max(abs(count / 3000 - 1 / 6) for count in seen.values()) < 5 * np.sqrt(5 / 36 / 3000)


def sparse_rnn(cell: str, seed: int = 0) -> SequenceNetwork:
    """A network of whose edges single weights live."""
    network = SequenceNetwork(NetworkSpec("rnn", cell=cell).complete(4, (6,), 3), cell, rng=0)
    sparsify(network, np.array([20, 30, 9]), np.random.default_rng(seed))
    return network


def weights_between(network: SequenceNetwork) -> set[tuple[int, ...]]:
    """What every weight connects, by which gate."""
    live = [part.live_weights() for part in parts_of(network)]
    return {(*edge, gate) for own in live for edge, gate in zip(own.edges.tolist(), own.gates.tolist(), strict=True)}


@pytest.mark.parametrize("cell", ["gru", "lstm"])
def test_gates_are_taken_over_exactly_with_new_weights(cell: str) -> None:
    network = sparse_rnn(cell)
    gates, wiring = gates_of(network), wiring_of(network)
    assert gates is not None
    assert int(gates.sum()) == 59
    other = SequenceNetwork(wiring, cell, rng=5)
    keep_gates(other, gates, 1)
    assert weights_between(other) == weights_between(network)
    assert n_parameters(other) == n_parameters(network)
    again = SequenceNetwork(wiring, cell, rng=7)
    keep_gates(again, gates, 1)
    for one, two, three in zip(parts_of(network), parts_of(other), parts_of(again), strict=True):
        assert two.weight.equal(three.weight)
        assert not two.weight.equal(one.weight)


@pytest.mark.parametrize("cell", ["gru", "lstm"])
def test_gates_that_are_drawn_anew_are_as_many_of_each_kind(cell: str) -> None:
    network = sparse_rnn(cell)
    gates, wiring = gates_of(network), wiring_of(network).replace(weights=None)
    other = shuffled(wiring, 3)
    found = redrawn_gates(wiring, gates, other, np.random.default_rng(0))
    assert gates is not None
    assert found is not None
    layer = layers_of(wiring)

    def sets(own: Wiring, lives: np.ndarray) -> Counter[tuple[object, ...]]:
        rows = zip(own.edges, lives, strict=True)
        return Counter((layer[edge[0]], layer[edge[1]], *row.tolist()) for edge, row in rows)

    assert sets(other, found) == sets(wiring, gates)
    assert not np.array_equal(found, gates)
    made = SequenceNetwork(other, cell, rng=0)
    keep_gates(made, found, 0)
    assert n_parameters(made) == n_parameters(network)
    assert fingerprint_of(other, found) != fingerprint_of(other, gates)
    assert len(fingerprint_of(other, found)) == len(other.fingerprint)


def test_networks_with_all_gates_have_none_to_tell_of() -> None:
    complete = NetworkSpec("rnn", cell="lstm").complete(4, (6,), 3)
    assert gates_of(SequenceNetwork(complete, "lstm", rng=0)) is None
    assert gates_of(sparse_rnn("tanh")) is None
    layered = NetworkSpec("mlp").complete(4, (6,), 3)
    assert gates_of(SparseMLP(layered, rng=0)) is None
    assert redrawn_gates(complete, None, complete, np.random.default_rng(0)) is None
    assert fingerprint_of(complete, None) == complete.fingerprint
