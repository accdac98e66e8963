"""attach and dead_neurons: what every mode promises, on every kind of wiring."""

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from priors.attachment import ATTACHMENTS, attach, dead_neurons
from priors.graphs import BarabasiAlbert, ErdosRenyi, WattsStrogatz
from priors.transforms import layer, orient, stack
from priors.wiring import Wiring

# Sources 0, 1, 5; sinks 4, 5 and 6 in longest-path layers 2, 0, 1; neuron 5 is isolated.
DAG = Wiring((7,), [(0, 2), (0, 3), (1, 3), (2, 4), (3, 4), (1, 6)])
CYCLE = Wiring((3,), [(0, 1), (1, 2), (2, 0)])
KINDS = ("undirected", "oriented", "layered", "stacked")


def make(kind: str, n: int, edges: int, seed: int) -> Wiring:
    wiring = ErdosRenyi(n, edges=edges).sample(seed)
    oriented = orient(wiring, rng=seed)
    return {"undirected": wiring, "oriented": oriented, "layered": layer(oriented), "stacked": stack(layer(oriented))}[
        kind
    ]


@st.composite
def hidden_wirings(draw: st.DrawFn) -> Wiring:
    n = draw(st.integers(1, 14))
    edges = draw(st.integers(0, n * (n - 1) // 2))
    return make(draw(st.sampled_from(KINDS)), n, edges, draw(st.integers(0, 2**32)))


def flow(wiring: Wiring) -> tuple[set[int], set[int]]:
    """Sources and sinks as documented: forward edges of several layers, all edges of one; all neurons if cyclic."""
    graph = nx.DiGraph()
    graph.add_nodes_from(range(wiring.n_neurons))
    layers = np.repeat(np.arange(wiring.n_layers), wiring.sizes)
    several = wiring.n_layers > 1
    graph.add_edges_from((a, b) for a, b in wiring.edges.tolist() if not several or layers[a] < layers[b])
    if not nx.is_directed_acyclic_graph(graph):
        return set(graph), set(graph)
    return {v for v, d in graph.in_degree if d == 0}, {v for v, d in graph.out_degree if d == 0}


def parts(attached: Wiring, wiring: Wiring) -> tuple[set[tuple[int, int]], set[tuple[int, int]]]:
    """Read-in and read-out edges with neurons and units numbered from 0 each; checks that the rest is the wiring."""
    first = attached.n_neurons - attached.n_outputs - wiring.n_neurons
    last = first + wiring.n_neurons
    inside = ((attached.edges >= first) & (attached.edges < last)).all(axis=1)
    assert np.array_equal(attached.edges[inside] - first, wiring.edges)
    rows = attached.edges[~inside].tolist()
    read_in = {(a, b - first) for a, b in rows if a < first}
    read_out = {(a - first, b - last) for a, b in rows if b >= last}
    assert len(read_in) + len(read_out) == len(rows)
    return read_in, read_out


def dense(sources: set[int], targets: set[int]) -> set[tuple[int, int]]:
    return {(source, target) for source in sources for target in targets}


@settings(deadline=None, max_examples=80)
@given(
    hidden_wirings(), st.integers(1, 12), st.integers(1, 4), st.integers(1, 12), st.integers(1, 20), st.integers(0, 9)
)
def test_controlled(wiring: Wiring, n_inputs: int, n_outputs: int, reads: int, readouts: int, seed: int):
    attached = attach(wiring, n_inputs, n_outputs, rng=seed, reads=reads, readouts=readouts)
    read_in, read_out = parts(attached, wiring)
    fan_in = np.bincount([target for _, target in read_in], minlength=wiring.n_neurons)
    assert (fan_in == min(reads, n_inputs)).all()
    read = {source for source, _ in read_out}
    assert len(read) == min(readouts, wiring.n_neurons)
    assert read_out == dense(read, set(range(n_outputs)))
    if wiring.n_layers > 1:
        assert min(read) == wiring.n_neurons - len(read)
    assert attached.sizes == (n_inputs, *wiring.sizes, n_outputs)
    assert (attached.n_inputs, attached.n_outputs) == (n_inputs, n_outputs)
    assert attached.hidden == wiring


@settings(deadline=None, max_examples=80)
@given(hidden_wirings(), st.integers(1, 6), st.integers(1, 4))
def test_natural(wiring: Wiring, n_inputs: int, n_outputs: int):
    read_in, read_out = parts(attach(wiring, n_inputs, n_outputs, "natural"), wiring)
    sources, sinks = flow(wiring)
    assert read_in == dense(set(range(n_inputs)), sources)
    assert read_out == dense(sinks, set(range(n_outputs)))


@settings(deadline=None, max_examples=80)
@given(hidden_wirings(), st.integers(1, 6), st.integers(1, 4), st.integers(1, 9))
def test_projected(wiring: Wiring, n_inputs: int, n_outputs: int, width: int):
    attached = attach(wiring, n_inputs, n_outputs, "projected", width=width)
    assert attached.sizes == (n_inputs, width, *wiring.sizes, n_outputs)
    assert attached.mask(1, 0).all()
    read_in, read_out = parts(attached, wiring)
    sources, sinks = flow(wiring)
    dealt = [(a - n_inputs, b) for a, b in read_in if a >= n_inputs]
    assert len(read_in) == n_inputs * width + len(dealt)
    assert len(dealt) == max(width, len(sources))
    assert {a for a, _ in dealt} == set(range(width))
    assert {b for _, b in dealt} == sources
    per_source = np.bincount([b for _, b in dealt])[sorted(sources)]
    assert per_source.max() - per_source.min() <= 1
    assert read_out == dense(sinks, set(range(n_outputs)))


@settings(deadline=None, max_examples=80)
@given(hidden_wirings(), st.integers(1, 6), st.integers(1, 4))
def test_published(wiring: Wiring, n_inputs: int, n_outputs: int):
    read_in, read_out = parts(attach(wiring, n_inputs, n_outputs, "published"), wiring)
    neurons = range(wiring.n_neurons)
    assert read_in == dense(set(range(n_inputs)), set(neurons[: wiring.sizes[0]]))
    assert read_out == dense(set(neurons[-wiring.sizes[-1] :]), set(range(n_outputs)))


@settings(deadline=None, max_examples=40)
@given(hidden_wirings(), st.sampled_from(ATTACHMENTS), st.integers(0, 9))
def test_without_outputs_only_the_read_in_is_there(wiring: Wiring, mode: str, seed: int):
    attached = attach(wiring, 3, 0, mode, seed)
    full = attach(wiring, 3, 2, mode, seed)
    assert (attached.outputs, attached.n_layers) == (False, full.n_layers - 1)
    assert parts(attached, wiring) == (parts(full, wiring)[0], set())


@settings(deadline=None, max_examples=40)
@given(st.integers(2, 14), st.data(), st.sampled_from(ATTACHMENTS), st.integers(0, 2**32))
def test_recurrence_inside_layers_changes_no_attachment(n: int, data: st.DataObject, mode: str, seed: int):
    edges = data.draw(st.integers(1, n * (n - 1) // 2))
    layered = make("layered", n, edges, seed)
    stacked = stack(layered)
    plain, recurrent = attach(layered, 5, 2, mode, seed), attach(stacked, 5, 2, mode, seed)
    assert parts(plain, layered) == parts(recurrent, stacked)


def test_the_last_neurons_of_an_acyclic_wiring_are_the_deepest():
    # Longest paths: neuron 4 alone at 2; 2, 3 and 6 at 1; then by number.
    for readouts, expected in ((1, {4}), (2, {4, 6}), (4, {4, 6, 3, 2}), (5, {4, 6, 3, 2, 5})):
        _, read_out = parts(attach(DAG, 2, 1, rng=0, readouts=readouts), DAG)
        assert {source for source, _ in read_out} == expected


@settings(deadline=None, max_examples=40)
@given(st.integers(1, 14), st.data(), st.integers(0, 2**32))
def test_layering_before_attachment_reads_out_the_same_neurons(n: int, data: st.DataObject, seed: int):
    wiring = make("oriented", n, data.draw(st.integers(0, n * (n - 1) // 2)), seed).replace(names=range(n))
    layered = layer(wiring)
    _, flat = parts(attach(wiring, 2, 1, rng=0, readouts=3), wiring)
    _, deep = parts(attach(layered, 2, 1, rng=0, readouts=3), layered)
    assert {source for source, _ in flat} == {layered.names[source] for source, _ in deep}


def test_readouts_of_a_cyclic_wiring_are_drawn_from_all_neurons():
    wiring = BarabasiAlbert(20, 2).sample(0)
    times_read = np.zeros(20)
    for seed in range(400):
        _, read_out = parts(attach(wiring, 1, 1, rng=seed, readouts=5), wiring)
        times_read[[source for source, _ in read_out]] += 1
    assert np.abs(times_read / 400 - 0.25).max() < 4 * np.sqrt(0.25 * 0.75 / 400)


def test_inputs_are_read_evenly_and_independently():
    wiring = Wiring((3,))
    times_read = np.zeros((3, 8))
    for seed in range(400):
        read_in, _ = parts(attach(wiring, 8, 0, rng=seed, reads=2), wiring)
        for unit, neuron in read_in:
            times_read[neuron, unit] += 1
    assert np.abs(times_read / 400 - 0.25).max() < 4 * np.sqrt(0.25 * 0.75 / 400)


def test_reading_everything_and_all_other_modes_draw_nothing():
    generator = np.random.default_rng(0)
    for mode in ATTACHMENTS:
        attach(DAG, 4, 2, mode, generator)
    assert generator.random() == np.random.default_rng(0).random()


def test_controlled_costs_the_same_for_every_prior():
    counts = set()
    for prior in (WattsStrogatz(40, 4, 0.2), ErdosRenyi(40, edges=80)):
        for seed in range(5):
            wiring = layer(orient(prior.sample(seed), rng=seed))
            counts.add(attach(wiring, 64, 10, rng=seed).n_edges - wiring.n_edges)
    assert counts == {40 * 10 + 16 * 10}


def test_one_seed_gives_the_same_attachment_for_ever():
    wiring = WattsStrogatz(20, 4, 0.2).sample(0)
    assert attach(wiring, 30, 3, rng=2024).fingerprint[:16] == "a51cad77616b4080"


def test_names_gain_those_of_units_and_weights_are_kept():
    wiring = Wiring((2,), [(0, 1)], weights=[3], names=["AVAL", 7])
    attached = attach(wiring, 1, 1, "projected", width=2)
    assert attached.names == ("input 0", "projection 0", "projection 1", "AVAL", 7, "output 0")
    own = {tuple(edge): weight for edge, weight in zip(attached.edges.tolist(), attached.weights.tolist(), strict=True)}
    assert own.pop((3, 4)) == 3
    assert np.isnan(list(own.values())).all()
    with pytest.raises(ValueError, match="name 'output 0'"):
        attach(wiring.replace(names=["AVAL", "output 0"]), 1, 1)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((DAG, 0, 2), r"^n_inputs=0: .*nearest valid is 1$"),
        ((DAG, 2, -1), r"^n_outputs=-1: .*nearest valid is 0$"),
        ((DAG, 2, 2, "seed"), r"^mode='seed': attach knows 'controlled', 'natural', 'projected', 'published'$"),
        ((attach(DAG, 2, 0), 2, 2), "no input or output units yet"),
        ((Wiring(()), 2, 2), "needs hidden neurons"),
    ],
)
def test_what_cannot_be_attached_is_refused(arguments: tuple, message: str):
    with pytest.raises(ValueError, match=message):
        attach(*arguments)


@pytest.mark.parametrize("option", ["reads", "readouts", "width"])
def test_numbers_of_attachment_are_at_least_one(option: str):
    with pytest.raises(ValueError, match=f"^{option}=0: attach .*nearest valid is 1$"):
        attach(DAG, 2, 2, "projected", **{option: 0})


def test_dead_neurons_of_hand_made_wirings():
    # 0 -> 3 -> 4 -> 6 lives; 2 reads nothing; 5 is read by nothing; input 1 and output 7 are idle but no neurons.
    wiring = Wiring((2, 4, 2), [(0, 3), (3, 4), (2, 4), (4, 6), (3, 5)], inputs=True, outputs=True)
    assert dead_neurons(wiring).tolist() == [2, 5]
    assert dead_neurons(wiring.replace(edges=[*wiring.edges.tolist(), (5, 4)])).tolist() == [2]
    open_ended = Wiring((1, 4), [(0, 2), (2, 3), (1, 3), (2, 4)], inputs=True)
    assert dead_neurons(open_ended).tolist() == [1]


def test_dead_neurons_need_inputs():
    with pytest.raises(ValueError, match="has no input units"):
        dead_neurons(DAG)


@settings(deadline=None, max_examples=60)
@given(hidden_wirings(), st.sampled_from(ATTACHMENTS), st.integers(0, 9))
def test_dead_neurons_agree_with_networkx(wiring: Wiring, mode: str, seed: int):
    attached = attach(wiring, 3, 2, mode, seed, readouts=2, width=2)
    graph = attached.to_networkx()
    below = set().union(*(nx.descendants(graph, unit) for unit in attached.neurons(0)))
    above = set().union(*(nx.ancestors(graph, unit) for unit in attached.neurons(-1)))
    hidden = range(attached.n_inputs, attached.n_neurons - attached.n_outputs)
    assert dead_neurons(attached).tolist() == [neuron for neuron in hidden if neuron not in below & above]
    if mode in ("natural", "projected"):
        assert len(dead_neurons(attached)) == 0


def test_published_attachment_kills_the_sinks_of_earlier_layers():
    layered = layer(orient(BarabasiAlbert(100, 3, "star").sample(0), "index"))
    attached = attach(layered, 10, 2, "published")
    early_sinks = set((layered.sinks[layered.layer_of[layered.sinks] < layered.n_layers - 1] + 10).tolist())
    dead = set(dead_neurons(attached).tolist())
    assert early_sinks <= dead
    assert len(dead) > 40


def test_a_cycle_reads_and_is_read_everywhere():
    attached = attach(CYCLE, 1, 1, "natural")
    assert attached.edges.tolist() == [[0, 1], [0, 2], [0, 3], [1, 2], [1, 4], [2, 3], [2, 4], [3, 1], [3, 4]]
