"""Compiled priors: the graphs of the reference in Python, from the same doubles."""

import ctypes
from math import isqrt
from unittest import mock

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from priors import BarabasiAlbert, ErdosRenyi, WattsStrogatz
from priors.compiled import extension

pytest.importorskip("priors._native", reason="the extension was not built")

SEEDS = st.integers(0, 2**32)
PRIORS = (
    WattsStrogatz(40, 6, 0.4),
    BarabasiAlbert(40, 3),
    BarabasiAlbert(40, 3, "star"),
    BarabasiAlbert(40, 3, "complete"),
    ErdosRenyi(40, 0.2),
    ErdosRenyi(40, edges=100),
    ErdosRenyi(40, edges=700),
)


@settings(deadline=None, max_examples=100)
@given(st.integers(3, 40), st.integers(1, 20), st.one_of(st.floats(0, 1), st.sampled_from([0.0, 1.0])), SEEDS)
@example(3, 1, 1.0, 0)
@example(9, 4, 1.0, 0)
@example(10, 4, 1.0, 3)
def test_watts_strogatz(both_ways, n: int, half: int, p: float, seed: int):
    both_ways(WattsStrogatz(n, min(2 * half, 2 * ((n - 1) // 2)), p).sample, seed)


def test_edges_come_back_to_places_that_they_left(both_ways):
    # Of ten nodes that lack one edge each, nearly every new edge lies where one of the lattice was.
    for seed in range(200):
        both_ways(WattsStrogatz(10, 8, 0.9).sample, seed)


@settings(deadline=None, max_examples=100)
@given(st.integers(2, 40), st.data(), st.sampled_from(["isolated", "star", "complete"]), SEEDS)
def test_barabasi_albert(both_ways, n: int, data: st.DataObject, initial: str, seed: int):
    m = data.draw(st.one_of(st.integers(1, n - 1), st.sampled_from([1, n - 1])))
    both_ways(BarabasiAlbert(n, m, initial).sample, seed)


@settings(deadline=None, max_examples=100)
@given(st.integers(1, 40), st.data(), SEEDS)
def test_erdos_renyi(both_ways, n: int, data: st.DataObject, seed: int):
    pairs = n * (n - 1) // 2
    p = data.draw(st.one_of(st.floats(0, 1), st.sampled_from([0.0, 1.0])))
    edges = data.draw(st.one_of(st.integers(0, pairs), st.sampled_from([0, pairs // 2, (pairs + 1) // 2, pairs])))
    both_ways(ErdosRenyi(n, p).sample, seed)
    both_ways(ErdosRenyi(n, edges=edges).sample, seed)


@pytest.mark.parametrize(
    "prior",
    [
        WattsStrogatz(1200, 60, 0.3),
        BarabasiAlbert(1200, 40),
        ErdosRenyi(1200, 0.05),
        ErdosRenyi(1200, edges=40_000),
        ErdosRenyi(900, edges=380_000),
        WattsStrogatz(5000, 2, 1.0),
        ErdosRenyi(9000, edges=3),
    ],
)
def test_large_graphs(both_ways, prior: WattsStrogatz):
    both_ways(prior.sample, 5)


@pytest.mark.parametrize("bits", [np.random.MT19937, np.random.Philox, np.random.SFC64, np.random.PCG64DXSM])
@pytest.mark.parametrize("prior", PRIORS)
def test_every_bit_generator_is_drawn_from(both_ways, bits: type, prior: WattsStrogatz):
    both_ways(prior.sample, 7, bits)


@pytest.mark.parametrize("prior", PRIORS)
def test_draws_go_on_where_the_generator_stands(both_ways, prior: WattsStrogatz):
    def sample_later(generator: np.random.Generator):
        generator.integers(10, dtype=np.uint32)
        prior.sample(generator)
        return prior.sample(generator)

    both_ways(sample_later, 11)


@pytest.mark.parametrize("prior", PRIORS)
def test_compiled_code_draws_where_it_was_built(prior: WattsStrogatz):
    reference = f"priors.graphs._{prior.family.replace('-', '_')}"
    with mock.patch(reference, side_effect=AssertionError):
        assert prior.sample(0).n_edges > 0


def test_without_the_extension_python_draws(python_only):
    with python_only(), mock.patch("priors.graphs._watts_strogatz", return_value="drawn in Python"):
        assert PRIORS[0].sample(0) == "drawn in Python"


def test_the_generator_is_locked_while_it_is_drawn_from():
    lock, generator = mock.MagicMock(), np.random.PCG64(0)
    bits = mock.Mock(lock=lock, capsule=generator.capsule)
    with mock.patch("numpy.random.default_rng", return_value=mock.Mock(bit_generator=bits)):
        PRIORS[0].sample()
    lock.__enter__.assert_called_once()
    lock.__exit__.assert_called_once()


@pytest.mark.parametrize("make", [lambda n: WattsStrogatz(n, 2, 0.1), lambda n: BarabasiAlbert(n, 1), ErdosRenyi])
def test_neurons_must_have_int32_numbers(make):
    with pytest.raises(ValueError, match=r"^n=2147483648: .* n <= 2147483647; nearest valid is 2147483647$"):
        make(2**31) if make is not ErdosRenyi else make(2**31, 0.1)


@pytest.mark.parametrize("n", [2**31 - 1, 2**31 - 12, 2**31 - 18])
def test_pairs_of_many_nodes_are_found_exactly(n: int):
    # In the last rows of pairs the root that leads to a row has lost most of its digits: it is too large or too small.
    uniforms = [1 - step * 2.0**-53 for step in range(1, 400)]
    drawn = iter(uniforms)
    next_double = ctypes.CFUNCTYPE(ctypes.c_double, ctypes.c_void_p)(lambda _: next(drawn))
    functions = (ctypes.c_void_p * 5)(None, None, None, ctypes.cast(next_double, ctypes.c_void_p))
    new_capsule = ctypes.pythonapi.PyCapsule_New
    new_capsule.restype, new_capsule.argtypes = ctypes.py_object, (ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p)
    capsule = new_capsule(functions, b"BitGenerator", None)
    for uniform in uniforms:
        left = n * (n - 1) // 2 - 1 - int(uniform * (n * (n - 1) // 2))
        from_end = (1 + isqrt(8 * left + 1)) // 2
        low, high = n - 1 - from_end, n - 1 - (left - from_end * (from_end - 1) // 2)
        assert extension().erdos_renyi_exact(capsule, n, 1).tolist() == [[low, high], [high, low]]
