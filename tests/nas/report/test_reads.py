"""The picture of what a network reads."""

from pathlib import Path

import numpy as np
import pytest

from nas.networks import SparseMLP
from nas.report import reads
from priors import Wiring


def network() -> SparseMLP:
    edges = [(0, 4), (3, 4), (1, 5), (4, 6), (5, 7), (2, 7)]
    return SparseMLP(Wiring((4, 2, 2), edges, inputs=True, outputs=True), rng=0)


def test_weights_stand_where_their_inputs_are():
    own = network()
    found = reads._read_in(own)
    weights = dict(zip(map(tuple, own.live_weights().edges.tolist()), own.weight.tolist(), strict=True))
    expected = np.zeros((3, 4))  # Neurons 4 and 5, and output 7, which reads an input past them.
    expected[0, [0, 3]] = weights[0, 4], weights[3, 4]
    expected[1, 1] = weights[1, 5]
    expected[2, 2] = weights[2, 7]
    np.testing.assert_allclose(found, expected)


@pytest.mark.parametrize("shape", [(2, 2), (1, 4)])
def test_equal_networks_are_equal_pictures(tmp_path: Path, shape: tuple[int, int]):
    for name in ("one.png", "two.png"):
        reads.plot_reads(tmp_path / name, network(), shape, "what it reads")
    assert (tmp_path / "one.png").read_bytes() == (tmp_path / "two.png").read_bytes()
