"""Wiring: its identity, its conventions, and its ways to and from networkx and masks."""

import hashlib
import struct

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from priors.wiring import Wiring

LEAF = Wiring((2, 3, 1), [(0, 2), (0, 4), (1, 4), (2, 5), (4, 5), (4, 3)])


@st.composite
def wirings(draw: st.DrawFn) -> Wiring:
    sizes = draw(st.lists(st.integers(1, 5), min_size=1, max_size=4))
    n = sum(sizes)
    pairs = st.tuples(st.integers(0, n - 1), st.integers(0, n - 1))
    edges = draw(st.lists(pairs, unique=True, max_size=25))
    weights = draw(st.one_of(st.none(), st.just([float(index) for index in range(len(edges))])))
    return Wiring(sizes, edges, weights=weights)


def test_edges_are_sorted_and_weights_follow_their_edge():
    wiring = Wiring((3,), [(2, 0), (0, 1), (1, 2)], weights=[20, 1, 12])
    assert wiring.edges.tolist() == [[0, 1], [1, 2], [2, 0]]
    assert wiring.weights.tolist() == [1, 12, 20]
    assert wiring.edges.dtype == np.int32


def test_the_given_array_is_copied_and_the_own_one_protected():
    edges = np.array([[0, 1]], np.int32)
    wiring = Wiring((2,), edges)
    edges[0] = 1
    assert wiring.edges.tolist() == [[0, 1]]
    with pytest.raises(ValueError, match="read-only"):
        wiring.edges[0, 0] = 1


def test_fingerprint_has_the_documented_layout():
    content = b"wirenas-wiring-1\0" + struct.pack("<4I", 3, 2, 3, 1) + b"\1\0" + struct.pack("<Q", 2)
    content += struct.pack("<4i", 0, 2, 3, 5)
    wiring = Wiring((2, 3, 1), [(3, 5), (0, 2)], inputs=True)
    assert wiring.fingerprint == hashlib.sha256(content).hexdigest()


@pytest.mark.parametrize(
    "other",
    [
        Wiring((3, 2, 1), [(0, 3)]),
        Wiring((2, 3, 1), [(0, 4)]),
        Wiring((2, 3, 1), [(0, 3)], inputs=True),
        Wiring((2, 3, 1), [(0, 3)], outputs=True),
    ],
)
def test_identity_is_made_of_sizes_edges_and_units(other: Wiring):
    wiring = Wiring((2, 3, 1), [(0, 3)])
    assert wiring != other
    assert wiring.fingerprint != other.fingerprint


def test_weights_and_names_do_not_count_for_identity():
    plain, rich = Wiring((2,), [(0, 1)]), Wiring((2,), [(0, 1)], weights=[3.0], names=["a", "b"])
    assert plain == rich
    assert hash(plain) == hash(rich)


def test_layers_and_forward_edges_of_an_asymmetric_graph():
    assert LEAF.offsets.tolist() == [0, 2, 5, 6]
    assert LEAF.layer_of.tolist() == [0, 0, 1, 1, 1, 2]
    assert list(LEAF.neurons(-1)) == [5]
    forward = {tuple(edge) for edge in LEAF.edges[LEAF.forward].tolist()}
    assert forward == {(0, 2), (0, 4), (1, 4), (2, 5), (4, 5)}


def test_sources_and_sinks_count_all_edges():
    assert LEAF.sources.tolist() == [0, 1]
    assert LEAF.sinks.tolist() == [3, 5]


def test_masks_are_target_by_source():
    first, second = LEAF.masks()
    assert first.astype(int).tolist() == [[1, 0], [0, 0], [1, 1]]
    assert second.astype(int).tolist() == [[1, 0, 1]]
    assert LEAF.mask(1, 1).astype(int).tolist() == [[0, 0, 0], [0, 0, 1], [0, 0, 0]]


def test_csr_is_target_by_source_with_weights():
    wiring = Wiring((3,), [(0, 1), (2, 1), (1, 0)], weights=[5, 7, 3])
    assert wiring.csr().toarray().tolist() == [[0, 3, 0], [5, 0, 7], [0, 0, 0]]


def test_from_masks_inverts_masks():
    generator = np.random.default_rng(0)
    masks = [generator.random(shape) < 0.4 for shape in ((4, 7), (5, 4), (2, 5))]
    wiring = Wiring.from_masks(masks, inputs=True, outputs=True)
    assert (wiring.sizes, wiring.n_inputs, wiring.n_hidden, wiring.n_outputs) == ((7, 4, 5, 2), 7, 9, 2)
    for mask, again in zip(masks, wiring.masks(), strict=True):
        assert np.array_equal(mask, again)


def test_hidden_strips_units_and_keeps_names_and_weights():
    edges, weights = [(0, 1), (1, 2), (2, 3), (1, 3)], [1, 12, 23, 13]
    wiring = Wiring((1, 2, 1), edges, inputs=True, outputs=True, weights=weights, names="abcd")
    hidden = wiring.hidden
    assert (hidden.sizes, hidden.inputs, hidden.outputs) == ((2,), False, False)
    assert (hidden.edges.tolist(), hidden.weights.tolist(), hidden.names) == ([[0, 1]], [12], ("b", "c"))


@settings(deadline=None, max_examples=100)
@given(wirings())
def test_acyclicity_and_reachability_agree_with_networkx(wiring: Wiring):
    assert wiring.is_acyclic == nx.is_directed_acyclic_graph(wiring.to_networkx())


def test_weights_of_zero_still_close_a_cycle():
    assert not Wiring((2,), [(0, 1), (1, 0)], weights=[0, 0]).is_acyclic


@settings(deadline=None, max_examples=100)
@given(wirings())
def test_networkx_round_trip(wiring: Wiring):
    again = Wiring.from_networkx(wiring.to_networkx())
    assert again == wiring
    if wiring.n_edges and wiring.weights is not None:
        assert again.weights.tolist() == wiring.weights.tolist()


def test_networkx_round_trip_keeps_units_and_names():
    wiring = Wiring((1, 1, 1), [(0, 1), (1, 2)], inputs=True, outputs=True, names=("in", 7, "out"))
    again = Wiring.from_networkx(wiring.to_networkx())
    assert again == wiring
    assert again.names == wiring.names


def test_undirected_networkx_graph_gives_both_directions():
    wiring = Wiring.from_networkx(nx.path_graph(3))
    assert wiring.edges.tolist() == [[0, 1], [1, 0], [1, 2], [2, 1]]
    assert wiring.is_undirected
    assert not LEAF.is_undirected


def test_layers_of_networkx_nodes_decide_the_numbering():
    graph = nx.DiGraph([("late", "early")])
    graph.add_nodes_from([("late", {"layer": 1}), ("early", {"layer": 0})])
    wiring = Wiring.from_networkx(graph)
    assert (wiring.sizes, wiring.names, wiring.edges.tolist()) == ((1, 1), ("early", "late"), [[1, 0]])
    assert not wiring.forward.any()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"sizes": (2, 0)}, "at least 1 neuron"),
        ({"sizes": (2,), "edges": [(0, 2)]}, r"edge \(0, 2\)"),
        ({"sizes": (2,), "edges": [(-1, 0)]}, r"edge \(-1, 0\)"),
        ({"sizes": (2,), "edges": [(0, 1), (0, 1)]}, r"edge \(0, 1\)"),
        ({"sizes": (2,), "edges": [(0.5, 1)]}, "integer rows"),
        ({"sizes": (2, 1), "edges": [(2, 0)], "inputs": True}, r"edge \(2, 0\)"),
        ({"sizes": (2, 1), "edges": [(2, 0)], "outputs": True}, r"edge \(2, 0\)"),
        ({"sizes": (2,), "inputs": True, "outputs": True}, "two different layers"),
        ({"sizes": (2,), "edges": [(0, 1)], "weights": [1, 2]}, "weight"),
        ({"sizes": (2,), "names": ["a"]}, "names"),
        ({"sizes": (2,), "names": ["a", "a"]}, "names"),
    ],
)
def test_what_is_no_wiring_is_refused(arguments: dict, message: str):
    with pytest.raises(ValueError, match=message):
        Wiring(**arguments)
