"""Fixtures that hold compiled code to its reference in Python."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from unittest import mock

import numpy as np
import pytest

from priors import Wiring
from priors.compiled import extension


@contextmanager
def pure_python() -> Iterator[None]:
    """What happens inside happens as if the extension had not been built."""
    try:
        with mock.patch("priors.compiled.import_module", side_effect=ImportError):
            extension.cache_clear()
            yield
    finally:
        extension.cache_clear()


@pytest.fixture(scope="session")
def python_only() -> Callable:
    """A context in which the extension is not there."""
    return pure_python


@pytest.fixture(scope="session")
def both_ways() -> Callable[..., Wiring]:
    """Check that a call returns the same wiring from compiled code and from Python, and draws the same doubles."""

    def run(call: Callable[[np.random.Generator], Wiring], seed: int, bits: type = np.random.PCG64) -> Wiring:
        ours, theirs = np.random.Generator(bits(seed)), np.random.Generator(bits(seed))
        compiled = call(ours)
        with pure_python():
            reference = call(theirs)
        assert (compiled.sizes, compiled.inputs, compiled.outputs) == (
            reference.sizes,
            reference.inputs,
            reference.outputs,
        )
        assert compiled.edges.dtype == reference.edges.dtype == np.int32
        assert compiled.edges.shape == reference.edges.shape
        assert np.array_equal(compiled.edges, reference.edges)
        assert not compiled.edges.flags.writeable
        assert compiled.names == reference.names
        assert np.array_equal(compiled.weights, reference.weights)
        assert compiled.fingerprint == reference.fingerprint
        assert all(type(size) is int for size in compiled.sizes)
        np.testing.assert_equal(ours.bit_generator.state, theirs.bit_generator.state)
        return compiled

    return run
