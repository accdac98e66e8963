"""edit: every neighbour of a wiring is drawn, each as often as it should be."""

from collections import Counter
from collections.abc import Hashable, Mapping
from itertools import combinations, permutations

import networkx as nx
import pytest
import scipy.stats

from priors import MOVES, WattsStrogatz, Wiring, edit, orient

PATH = Wiring.from_networkx(nx.path_graph(4))
DAG = Wiring((5,), [(4, 0), (4, 1), (0, 3), (1, 3), (2, 3)])
CYCLE = Wiring((4,), [(0, 1), (1, 2), (2, 0), (3, 3), (3, 0)])


def fair(counts: Mapping[Hashable, int], chances: Mapping[Hashable, float]) -> bool:
    """Whether exactly what has a chance was drawn, about in proportion."""
    assert set(counts) == set(chances)
    share = sum(counts.values()) / sum(chances.values())
    wanted = [share * chance for chance in chances.values()]
    return bool(scipy.stats.chisquare([counts[key] for key in chances], wanted).pvalue > 0.01)


def effects(wiring: Wiring, moves: tuple[str, ...]) -> Counter[tuple[int, int]]:
    """How often neurons and edges become more or fewer by how many; edges of a removed neuron are not counted."""
    edited = [edit(wiring, 1, seed, moves) for seed in range(500)]
    grown = [(new.n_neurons - wiring.n_neurons, new.n_edges - wiring.n_edges) for new in edited]
    return Counter((neurons, 0 if neurons < 0 else edges) for neurons, edges in grown)


def edge_set(wiring: Wiring) -> frozenset[tuple[int, int]]:
    return frozenset(map(tuple, wiring.edges.tolist()))


def forward_pairs(wiring: Wiring) -> set[tuple[int, int]]:
    """Pairs in the order of longest paths, which networkx's generations are, and of numbers within one."""
    order = [neuron for generation in nx.topological_generations(wiring.to_networkx()) for neuron in sorted(generation)]
    return set(combinations(order, 2))


def reached(wiring: Wiring, moves: tuple[str, ...], seeds: int = 300) -> Counter[frozenset]:
    """How often one move ends in every set of edges."""
    return Counter(edge_set(edit(wiring, 1, seed, moves)) for seed in range(seeds))


@pytest.mark.parametrize("wiring", [PATH, DAG, CYCLE], ids=["undirected", "acyclic", "directed"])
def test_every_pair_is_added_and_every_edge_dropped_equally_often(wiring: Wiring):
    old = edge_set(wiring)
    pairs = forward_pairs(wiring) if wiring is DAG else set(permutations(range(wiring.n_neurons), 2))
    both = wiring is PATH
    added = {old | {pair, pair[::-1] if both else pair} for pair in pairs - old}
    dropped = {old - {pair, pair[::-1] if both else pair} for pair in old}
    for move, expected in (("add", added), ("drop", dropped)):
        assert fair(reached(wiring, (move,)), dict.fromkeys(expected, 1))


@pytest.mark.parametrize(
    "wiring",
    [Wiring.from_networkx(nx.cycle_graph(6)), Wiring((6,), [*DAG.edges.tolist(), (1, 5)]), CYCLE],
    ids=["undirected", "acyclic", "directed"],
)
def test_every_swap_is_made_equally_often(wiring: Wiring):
    old = edge_set(wiring)
    undirected = wiring.is_undirected
    allowed = forward_pairs(wiring) if wiring.is_acyclic else set(permutations(range(wiring.n_neurons), 2))
    expected: Counter[frozenset] = Counter()
    for (a, b), (c, d) in combinations(sorted(old), 2):
        gone, new = {(a, b), (c, d)}, {(a, d), (c, b)}
        if undirected:
            gone, new = gone | {(b, a), (d, c)}, new | {(d, a), (b, c)}
        if new <= allowed - old:
            expected[old - gone | new] += 1
    assert fair(reached(wiring, ("swap",), 600), expected)


def test_every_neuron_is_removed_and_every_place_of_a_new_one_found():
    wiring = CYCLE.replace(names="abcd")
    left = [edit(wiring, 1, seed, ("remove-neuron",)).names for seed in range(400)]
    assert fair(Counter(name for names in left for name in wiring.names if name not in names), dict.fromkeys("abcd", 1))
    ends: Counter[tuple[int, int]] = Counter()
    for seed in range(400):
        new = edit(wiring, 1, seed, ("add-neuron",)).edges
        ends.update(map(tuple, new[(new == 4).any(axis=1)].tolist()))
    assert fair(ends, dict.fromkeys([*((4, other) for other in range(4)), *((other, 4) for other in range(4))], 1))


def test_moves_are_drawn_as_often_as_they_are_named():
    wiring = orient(WattsStrogatz(12, 4, 0.3).sample(1), rng=2)
    assert fair(effects(wiring, MOVES), dict.fromkeys([(0, 0), (0, 1), (0, -1), (1, 4), (-1, 0)], 1))
    assert fair(effects(wiring, ("drop", "add", "add", "add")), {(0, -1): 1, (0, 1): 3})
