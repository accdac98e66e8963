"""edit: moves worked out by hand, and what every edit keeps, by networkx."""

from collections.abc import Callable, Hashable
from itertools import combinations, pairwise, permutations

import networkx as nx
import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from priors import MOVES, BarabasiAlbert, ErdosRenyi, WattsStrogatz, Wiring, attach, edit, layer, orient

SEEDS = st.integers(0, 2**32)
N_MOVES = st.integers(0, 8)

PATH = Wiring.from_networkx(nx.path_graph(4))
FINGERPRINTS = ["f457df47fa7c41a8", "fca45ab74eac22bb", "de274a51165bf03c", "b6ca30aa0697d302"]
DAG = Wiring((5,), [(4, 0), (4, 1), (0, 3), (1, 3), (2, 3)])
CYCLE = Wiring((4,), [(0, 1), (1, 2), (2, 0), (3, 3), (3, 0)])
EDGES_OF_KIND = {"undirected": 2, "acyclic": 1, "directed": 1}


@st.composite
def undirected(draw: st.DrawFn) -> Wiring:
    n = draw(st.integers(1, 10))
    return ErdosRenyi(n, edges=draw(st.integers(0, n * (n - 1) // 2))).sample(draw(SEEDS))


@st.composite
def acyclic(draw: st.DrawFn) -> Wiring:
    """A DAG with at least one edge, in layers or not."""
    graph = draw(undirected())
    assume(graph.n_edges > 0)
    oriented = orient(graph, rng=draw(SEEDS))
    return layer(oriented) if draw(st.booleans()) else oriented


@st.composite
def directed(draw: st.DrawFn) -> Wiring:
    n = draw(st.integers(2, 8))
    cells = draw(st.sets(st.tuples(st.integers(0, n - 1), st.integers(0, n - 1)), min_size=1))
    wiring = Wiring((n,), sorted(cells))
    assume(not wiring.is_undirected and not wiring.is_acyclic)
    return wiring


KINDS = {"undirected": undirected(), "acyclic": acyclic(), "directed": directed()}
EVERY_KIND = st.one_of(*(st.tuples(st.just(kind), wirings) for kind, wirings in KINDS.items()))


def named(wiring: Wiring) -> Wiring:
    return wiring.replace(names=[f"old {neuron}" for neuron in range(wiring.n_neurons)])


def named_edges(wiring: Wiring) -> set[tuple[Hashable, Hashable]]:
    return {(wiring.names[source], wiring.names[target]) for source, target in wiring.edges.tolist()}


def edge_set(wiring: Wiring) -> frozenset[tuple[int, int]]:
    return frozenset(map(tuple, wiring.edges.tolist()))


def forward_pairs(wiring: Wiring) -> set[tuple[int, int]]:
    """Pairs in the order of longest paths, which networkx's generations are, and of numbers within one."""
    order = [neuron for generation in nx.topological_generations(wiring.to_networkx()) for neuron in sorted(generation)]
    return set(combinations(order, 2))


def check_kind(kind: str, wiring: Wiring) -> None:
    assert wiring.n_layers == 1
    graph = wiring.to_networkx()
    assert graph.number_of_edges() == wiring.n_edges
    if kind == "undirected":
        assert all(graph.has_edge(target, source) for source, target in graph.edges)
    if kind == "acyclic":
        assert nx.is_directed_acyclic_graph(graph)
    if kind != "directed":
        assert nx.number_of_selfloops(graph) == 0


def check_one_move(kind: str, before: Wiring, after: Wiring) -> str:
    """Check that two named wirings are one move apart, and return which."""
    old, new = named_edges(before), named_edges(after)
    each = EDGES_OF_KIND[kind]
    lost, won = set(before.names) - set(after.names), set(after.names) - set(before.names)
    if won:
        assert (len(lost), len(won)) == (0, 1)
        assert old < new
        assert all(won & {source, target} for source, target in new - old)
        n, n_old = before.n_neurons, len(old) // each
        most = 2 * n if kind == "directed" else n
        assert len(new) - len(old) == each * min(most, max(1, int(2 * n_old / n + 0.5)))
        return "add-neuron"
    if lost:
        assert len(lost) == 1
        assert new == {edge for edge in old if not lost & set(edge)}
        return "remove-neuron"
    assert before.names == after.names
    if len(new) != len(old):
        assert abs(len(new) - len(old)) == each
        assert old < new or new < old
        return "add" if old < new else "drop"
    assert len(new - old) == 2 * each
    assert np.array_equal(before.in_degree, after.in_degree)
    assert np.array_equal(before.out_degree, after.out_degree)
    return "swap"


# Invariants


@settings(deadline=None, max_examples=150)
@given(EVERY_KIND, SEEDS)
def test_every_further_move_is_one_move_and_keeps_the_kind(case: tuple[str, Wiring], seed: int):
    kind, wiring = case
    loops = {neuron for neuron, other in wiring.edges.tolist() if neuron == other}
    chain = [edit(named(wiring), n_moves, seed) for n_moves in range(7)]
    for before, after in pairwise(chain):
        check_kind(kind, after)
        check_one_move(kind, before, after)
        names = {source for source, target in named_edges(after) if source == target}
        assert names <= {f"old {neuron}" for neuron in loops}


@settings(deadline=None, max_examples=150)
@given(EVERY_KIND, SEEDS, st.sampled_from(MOVES))
def test_a_single_move_does_what_it_is_called(case: tuple[str, Wiring], seed: int, move: str):
    kind, wiring = case
    wiring = named(wiring)
    edited = edit(wiring, 1, seed, (move,))
    if edited is not wiring:
        assert check_one_move(kind, wiring, edited) == move
        check_kind(kind, edited)
        return
    graph = wiring.to_networkx()
    n, pairs = wiring.n_neurons, wiring.n_neurons * (wiring.n_neurons - 1)
    room = pairs // 2 if kind == "acyclic" else pairs
    possible = {
        "add": graph.number_of_edges() - nx.number_of_selfloops(graph) < room,
        "drop": wiring.n_edges > 0,
        "add-neuron": True,
        "remove-neuron": n > 2,
        "swap": False,
    }
    assert not possible[move]


@settings(deadline=None, max_examples=100)
@given(EVERY_KIND, N_MOVES, SEEDS)
def test_moves_go_on_where_fewer_moves_ended(case: tuple[str, Wiring], n_moves: int, seed: int):
    kind, wiring = case
    generator = np.random.default_rng(seed)
    first = edit(wiring, n_moves, generator)
    assert first == edit(wiring, n_moves, seed)
    # A DAG edited anew is sorted anew, and a cyclic graph may have lost its cycles.
    assume(kind == "undirected" or (kind == "directed" and not first.is_acyclic and not first.is_undirected))
    assert edit(first, 1, generator) == edit(wiring, n_moves + 1, seed)


@settings(deadline=None, max_examples=60)
@given(acyclic(), SEEDS)
def test_new_edges_of_a_dag_lead_forward_in_one_order(wiring: Wiring, seed: int):
    forward = forward_pairs(wiring)
    edited = edit(wiring, 8, seed, ("add", "swap", "drop"))
    assert edge_set(edited) <= forward


@settings(deadline=None, max_examples=40)
@given(EVERY_KIND, N_MOVES, SEEDS)
def test_the_extension_changes_nothing(python_only: Callable, case: tuple[str, Wiring], n_moves: int, seed: int):
    wiring = edit(case[1], n_moves, seed)
    with python_only():
        again = edit(Wiring(case[1].sizes, case[1].edges), n_moves, seed)
    assert wiring == again
    assert wiring.edges.dtype == again.edges.dtype == np.int32


def test_edits_are_the_same_on_every_platform():
    graph = WattsStrogatz(24, 4, 0.3).sample(1)
    cyclic = Wiring((24,), graph.edges[np.random.default_rng(0).random(graph.n_edges) < 0.7])
    wirings = (graph, orient(graph, rng=2), cyclic, layer(orient(BarabasiAlbert(30, 3).sample(3), rng=4)))
    assert [edit(wiring, 12, 5).fingerprint[:16] for wiring in wirings] == FINGERPRINTS


# By hand


def test_five_moves_of_a_path_worked_out_by_hand():
    doubles = np.random.default_rng(55).random(9)
    assert np.round(doubles, 2).tolist() == [0.83, 0.87, 0.22, 0.23, 0.49, 0.75, 0.7, 0.95, 0.07]
    expected = [
        {(0, 1), (1, 2), (2, 3)},
        # 0.83 of 5 moves is the last, 0.87 of 4 neurons is the last.
        {(0, 1), (1, 2)},
        # 0.22 of 5 moves is add, and one pair is absent.
        {(0, 1), (1, 2), (0, 2)},
        # 0.23 of 5 moves is add, which is impossible; 0.49 of the 4 others is drop, 0.75 of 3 edges is the last.
        {(0, 1), (0, 2)},
        # 0.7 of 5 moves is add-neuron, the mean degree is 4 / 3, and 0.95 of 3 neurons is the last.
        {(0, 1), (0, 2), (2, 3)},
        # 0.07 of 5 moves is swap, and only the outer edges of the path 1 - 0 - 2 - 3 can be swapped, in one way.
        {(0, 2), (0, 3), (1, 2)},
    ]
    sizes = [4, 3, 3, 3, 4, 4]
    for n_moves, (size, edges) in enumerate(zip(sizes, expected, strict=True)):
        edited = edit(PATH, n_moves, 55)
        assert edited.sizes == (size,)
        assert edge_set(edited) == edges | {(target, source) for source, target in edges}


def test_a_swap_exchanges_the_targets_of_the_edges_it_draws():
    wiring = Wiring((6,), [(0, 1), (2, 3), (4, 5)])
    for seed in range(20):
        doubles = np.random.default_rng(seed).random(2)
        first, second = int(doubles[0] * 3), int(doubles[1] * 2)
        second += second >= first
        edges = wiring.edges.tolist()
        edges[first][1], edges[second][1] = edges[second][1], edges[first][1]
        assert edit(wiring, 1, seed, ("swap",)) == Wiring((6,), edges)
    assert edit(Wiring((4,), [(0, 1), (2, 3)]), 1, 0, ("swap",)).edges.tolist() == [[0, 3], [2, 1]]


def test_adding_counts_the_absent_pairs_by_their_later_end():
    for seed in range(20):
        double = np.random.default_rng(seed).random()
        pair = [(0, 2), (0, 3), (1, 3)][int(double * 3)]
        assert edge_set(edit(PATH, 1, seed, ("add",))) == edge_set(PATH) | {pair, pair[::-1]}


def test_a_new_neuron_takes_any_place_of_the_order():
    chain = Wiring((3,), [(2, 1), (1, 0)])
    for seed in range(30):
        doubles = np.random.default_rng(seed).random(2)
        place, other = int(doubles[0] * 4), int(doubles[1] * 3)
        neuron = (2, 1, 0)[other]
        edge = (neuron, 3) if other < place else (3, neuron)
        assert edge_set(edit(chain, 1, seed, ("add-neuron",))) == edge_set(chain) | {edge}


# Impossible moves


@pytest.mark.parametrize(
    ("wiring", "impossible", "possible"),
    [
        (Wiring.from_networkx(nx.complete_graph(4)), ("add", "swap"), "drop"),
        (orient(Wiring.from_networkx(nx.complete_graph(4)), rng=1), ("add", "swap"), "drop"),
        (Wiring((3,)), ("drop", "swap"), "add"),
        (Wiring((1, 2)), ("drop", "swap"), "add"),
        (Wiring.from_networkx(nx.star_graph(4)), ("swap",), "add"),
        (Wiring((2,), [(0, 1)]), ("remove-neuron", "swap", "add"), "drop"),
        (Wiring((1,)), ("remove-neuron", "swap", "add", "drop"), "add-neuron"),
    ],
)
def test_an_impossible_move_is_replaced_by_a_possible_one(wiring: Wiring, impossible: tuple[str, ...], possible: str):
    undirected = wiring.is_undirected and wiring.n_layers == 1
    kind = "undirected" if undirected else "acyclic" if wiring.is_acyclic else "directed"
    wiring = named(wiring)
    for seed in range(8):
        assert edit(wiring, 3, seed, impossible) is wiring
        assert check_one_move(kind, wiring, edit(wiring, 1, seed, (*impossible, possible))) == possible


def test_no_neurons_stay_none_and_the_last_two_stay():
    assert edit(Wiring(()), 4, 0) == Wiring(())
    assert edit(WattsStrogatz(12, 4, 0.3).sample(1), 30, 5, ("remove-neuron",)).sizes == (2,)


def test_drops_end_without_edges_and_adds_with_all():
    wiring = orient(WattsStrogatz(12, 4, 0.3).sample(1), rng=2)
    assert edit(wiring, 24, 0, ("drop",)).n_edges == 0
    assert edit(wiring, 23, 0, ("drop",)).n_edges == 1
    full = edit(wiring, 66 - 24, 0, ("add",))
    assert edge_set(full) == forward_pairs(wiring)
    assert edit(wiring, 100, 0, ("add",)) == full
    assert edge_set(edit(CYCLE, 100, 0, ("add",))) == {*permutations(range(4), 2), (3, 3)}


# What is kept and what is not


def test_without_moves_the_wiring_itself_is_returned():
    wiring = Wiring((1, 2), [(0, 1), (0, 2)], weights=[1, 2], names="abc")
    generator = np.random.default_rng(0)
    assert edit(wiring, 0, generator) is wiring
    assert generator.random() == np.random.default_rng(0).random()


def test_nothing_is_drawn_where_there_is_nothing_to_choose():
    generator = np.random.default_rng(0)
    assert edit(Wiring((2,), [(0, 1)]), 1, generator, ("drop",)).n_edges == 0
    assert edit(Wiring((2,)), 1, generator, ("add",)).n_edges == 2
    assert edit(Wiring((1,)), 1, generator, ("add-neuron",)).edges.tolist() == [[0, 1], [1, 0]]
    assert generator.random() == np.random.default_rng(0).random()


def test_layers_and_weights_go_and_the_wiring_given_stays():
    wiring = Wiring((1, 2, 1), [(0, 1), (0, 2), (1, 3)], weights=[1, 2, 3], names="abcd")
    edited = edit(wiring, 1, 3, ("drop",))
    assert (edited.sizes, edited.weights, edited.names) == ((4,), None, wiring.names)
    assert wiring == Wiring((1, 2, 1), [(0, 1), (0, 2), (1, 3)])


def test_new_neurons_come_last_under_the_first_free_names():
    wiring = Wiring((3,), [(0, 1), (1, 2)], names=("neuron 4", 7, "neuron 5"))
    edited = edit(wiring, 3, 0, ("add-neuron",))
    assert edited.names == ("neuron 4", 7, "neuron 5", "neuron 3", "neuron 6", "neuron 7")
    names = [edit(wiring, n_moves, 0, ("add-neuron", "remove-neuron")).names for n_moves in range(12)]
    for before, after in pairwise(names):
        assert [name for name in after if name in before] == [name for name in before if name in after]


def test_the_kind_is_that_of_the_wiring_given():
    cycle = Wiring((3,), [(0, 1), (1, 2), (2, 0)])
    moved = [(edit(cycle, 1, seed, ("drop", "add")), edit(cycle, 2, seed, ("drop", "add"))) for seed in range(50)]
    assert any(first.is_acyclic and first.n_edges < second.n_edges and not second.is_acyclic for first, second in moved)
    assert edit(Wiring((3,)), 2, 0, ("add",)).n_edges == 4
    assert edit(Wiring((1, 2)), 2, 0, ("add",)).n_edges == 2


def test_edited_wirings_are_layered_and_attached():
    wiring = orient(WattsStrogatz(30, 6, 0.3).sample(1), rng=2)
    edited = edit(wiring, 8, 3)
    attached = attach(layer(edited), 12, 3, rng=4)
    assert attached.n_hidden == edited.n_neurons
    assert attached.hidden.n_edges == edited.n_edges


# Errors


@pytest.mark.parametrize(
    ("wiring", "n_moves", "moves", "message"),
    [
        (PATH, -1, MOVES, r"^n_moves=-1: edit needs an integer n_moves with 0 <= n_moves"),
        (PATH, 1.5, MOVES, r"^n_moves=1.5: edit needs an integer"),
        (PATH, 2**31 - 1, MOVES, r"nearest valid is 2147483643$"),
        (PATH, 1, ("add", "grow"), r"^moves='grow': edit knows 'swap', 'add', 'drop', 'add-neuron', 'remove-neuron'$"),
        (PATH, 0, (), r"^moves=\(\): edit needs at least one of 'swap', 'add'"),
        (Wiring((1, 2), [(0, 1)], inputs=True), 0, MOVES, "has input or output units"),
        (Wiring((1, 2), [(0, 1)], outputs=True), 1, MOVES, "has input or output units"),
        (Wiring((2,), [(0, 1), (1, 0), (1, 1)]), 1, MOVES, r"^edge \(1, 1\) is a self edge"),
        (Wiring((2, 1), [(0, 2), (2, 0)]), 1, MOVES, "has several layers and a cycle"),
    ],
)
def test_what_cannot_be_edited_is_refused(wiring: Wiring, n_moves: int, moves: tuple[str, ...], message: str):
    with pytest.raises(ValueError, match=message):
        edit(wiring, n_moves, 0, moves)
