"""Walks of compiled code, from exchange to exchange, are those of Python."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from null_cases import model_of, wiring_of

from priors import exchanges as module
from priors.compiled import extension
from priors.exchanges import Kinds, Links, walk
from priors.nulls import NULLS


@given(seed=st.integers(0, 10_000), number=st.integers(0, 200), kind=st.sampled_from(sorted(NULLS)))
def test_compiled_walks_are_those_of_python(seed: int, number: int, kind: str) -> None:
    if extension() is None:
        pytest.skip("the compiled part was not built")
    wiring = wiring_of(number)
    model = model_of(wiring, kind)
    if model is None or kind in ("counts", "weights"):
        return
    links, _, _, fixed = model._division
    given: dict[str, Any] = {"keeps_mutual": model._keeps_mutual, "part_size": 40, "n_parts": 3}
    one = walk(links, fixed, model._kinds, np.random.default_rng(seed), **given)
    other = module._walk(links, fixed, model._kinds, np.random.default_rng(seed), **given)
    for name in ("singles", "pairs", "ahead", "back"):
        assert np.array_equal(getattr(one.links, name), getattr(other.links, name)), name
    assert (one.n_tries, one.n_moves, one.overlaps.tolist()) == (other.n_tries, other.n_moves, other.overlaps.tolist())


def test_many_neurons_are_kept_in_a_table() -> None:
    """Above 16,384 neurons, edges are no longer bits; the walk is the same."""
    rng = np.random.default_rng(0)
    edges = np.unique(rng.integers(40, size=(300, 2)), axis=0).astype(np.int32)
    edges = edges[edges[:, 0] != edges[:, 1]]
    spread = edges * 999
    found = []
    for own, n in ((edges, 40), (spread, 39 * 999 + 1)):
        kinds = Kinds("nothing", np.zeros(n, np.int64), np.zeros((n, 0)), np.zeros(0))
        links = Links(own, np.zeros((0, 2), np.int32), np.zeros(0, np.int64), np.zeros(0, np.int64))
        walked = walk(links, np.zeros((0, 2), np.int32), kinds, np.random.default_rng(5), keeps_mutual=False,
                      part_size=4000, n_parts=5)  # fmt: skip
        found.append(walked)
    assert np.array_equal(found[0].links.singles * 999, found[1].links.singles)
    assert found[0].overlaps.tolist() == found[1].overlaps.tolist()
    assert found[0].n_moves > 1000
