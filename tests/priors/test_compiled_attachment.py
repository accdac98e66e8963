"""Compiled attachment: the wirings of the reference in Python, from the same doubles, in every mode."""

from unittest import mock

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from priors import ATTACHMENTS, ErdosRenyi, WattsStrogatz, Wiring, attach, layer, orient, stack

pytest.importorskip("priors._native", reason="the extension was not built")

SEEDS = st.integers(0, 2**32)
SMALL = st.integers(1, 40)


@st.composite
def hidden_wirings(draw: st.DrawFn) -> Wiring:
    """Graphs as the priors draw them, oriented, layered, stacked; and any edges in any layers."""
    if draw(st.booleans()):
        sizes = draw(st.lists(st.integers(1, 5), min_size=1, max_size=4))
        n = sum(sizes)
        rows = draw(st.lists(st.tuples(st.integers(0, n - 1), st.integers(0, n - 1)), unique=True, max_size=20))
        return Wiring(sizes, rows)
    n = draw(st.integers(1, 20))
    wiring = ErdosRenyi(n, edges=draw(st.integers(0, n * (n - 1) // 2))).sample(draw(SEEDS))
    depth = draw(st.integers(0, 3))
    for transform in (lambda each: orient(each, rng=0), layer, stack)[:depth]:
        wiring = transform(wiring)
    return wiring


@pytest.mark.parametrize("mode", ATTACHMENTS)
@settings(deadline=None, max_examples=100)
@given(hidden_wirings(), SMALL, st.integers(0, 5), SMALL, SMALL, SMALL, SEEDS)
def test_attachment(
    both_ways,
    mode: str,
    wiring: Wiring,
    n_inputs: int,
    n_outputs: int,
    reads: int,
    readouts: int,
    width: int,
    seed: int,
):
    def call(generator):
        return attach(wiring, n_inputs, n_outputs, mode, generator, reads=reads, readouts=readouts, width=width)

    attached = both_ways(call, seed)
    assert attached.hidden.edges.shape[0] >= wiring.n_edges
    assert Wiring(attached.sizes, attached.edges, attached.inputs, attached.outputs) == attached


@pytest.mark.parametrize("mode", ATTACHMENTS)
def test_large_wirings(both_ways, mode: str):
    graph = WattsStrogatz(600, 40, 0.3).sample(0)
    for wiring in (graph, orient(graph, rng=0), layer(orient(graph, rng=0)), Wiring((50,))):
        both_ways(lambda generator, wiring=wiring: attach(wiring, 300, 10, mode, generator), 2)


def test_names_go_the_way_of_the_reference(both_ways):
    named = layer(orient(WattsStrogatz(12, 4, 0.3).sample(0), rng=0)).replace(names="abcdefghijkl")
    attached = both_ways(lambda generator: attach(named, 3, 2, rng=generator, reads=2), 4)
    assert attached.names[:4] == ("input 0", "input 1", "input 2", "a")


def test_compiled_code_attaches_where_it_was_built():
    with mock.patch("priors.attachment._attach", side_effect=AssertionError):
        assert attach(Wiring((3,)), 4, 2, rng=0, reads=2).n_edges == 3 * 2 + 3 * 2


@pytest.mark.parametrize("numbers", [{"n_inputs": 2**31}, {"n_outputs": 2**31 - 3}, {"width": 2**40}])
def test_units_must_have_int32_numbers(numbers: dict):
    arguments = {"n_inputs": 2, "n_outputs": 2, "mode": "projected", **numbers}
    with pytest.raises(ValueError, match="are more than the 2147483647 that can be numbered"):
        attach(Wiring((3,)), **arguments)
