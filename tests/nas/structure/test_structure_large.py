"""Experiments whose parent is too large to be listed, and shuffles of many edges."""

import json
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from command_line import wirenas
from hypothesis import given, settings
from hypothesis import strategies as st

from nas import load_network
from nas.sparsity.shuffle import _swapped_together
from priors.formats import limits

pytestmark = pytest.mark.usefixtures("drawn_figures")

WIDTHS = "6000,4000"  # 24 million edges between the two.
QUICK = ("--epochs", 2, "--seeds", 1, "--learning-rate", "0.0003", "--threads", 2)


def test_random_growth_learns_the_structure_of_a_parent_of_any_size(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("nas.structure.files.MAX_EDGES", 100)
    asked = ("rewire", "--task", "digits", "--method", "set-truly-sparse", "--widths", WIDTHS, "--weights", 5000)
    code, text, err = wirenas(*asked, *QUICK, "--out", tmp_path / "out", "--json")
    assert code == 0, err
    found = json.loads(text)
    assert [layer["shape"] for layer in found["layers"]] == [[6000, 64], [4000, 6000], [10, 4000]]
    assert sum(layer["live"] + layer["dead"] for layer in found["layers"]) == 5000
    network = load_network(tmp_path / "out" / "best" / "network.safetensors")
    assert len(network.weight) <= 5000
    assert {own["name"] for own in found["references"]} >= {"random with equal edges", "only its degrees"}
    # No graph file may hold so much, and none is written.
    assert not (tmp_path / "out" / "best" / "wiring.json").exists()
    assert "no graph file may hold so many edges" in (tmp_path / "out" / "best" / "card.md").read_text()
    assert limits.MAX_EDGES > 5000


@pytest.mark.parametrize("method", ["rigl", "srigl"])
def test_a_parent_that_must_be_listed_has_a_limit(method: str, tmp_path: Path) -> None:
    asked = ("rewire", "--task", "digits", "--method", method, "--widths", WIDTHS, "--weights", 5000)
    code, _, err = wirenas(*asked, *QUICK, "--out", tmp_path / "out")
    assert code == 2
    assert err.startswith(
        "wirenas: --widths 6000,4000: 24424000 edges may live, and 20000000 at most, but for rewiring"
    )
    assert not (tmp_path / "out").exists()


@settings(deadline=None, max_examples=100)
@given(st.integers(1, 9), st.integers(1, 9), st.data(), st.integers(0, 2**32))
def test_many_swaps_at_once_keep_all_degrees(n_from: int, n_to: int, data: st.DataObject, seed: int) -> None:
    count = data.draw(st.integers(0, n_from * n_to))
    rng = np.random.default_rng(seed)
    source, target = np.divmod(rng.permutation(n_from * n_to)[:count], n_to)
    edges = np.stack([source, target + n_from], axis=1)
    found = _swapped_together(edges, n_from + n_to, rng)
    assert len({tuple(edge) for edge in found.tolist()}) == count
    for end in (0, 1):
        assert Counter(found[:, end].tolist()) == Counter(edges[:, end].tolist())


def test_many_swaps_at_once_move_nearly_all_edges() -> None:
    rng = np.random.default_rng(0)
    source, target = np.divmod(rng.permutation(200 * 100)[:1000], 100)
    edges = np.stack([source, target + 200], axis=1)
    found = _swapped_together(edges, 300, rng)
    common = {tuple(edge) for edge in edges.tolist()} & {tuple(edge) for edge in found.tolist()}
    assert len(common) < 0.12 * len(edges)  # 5 in 100 pairs are edges.
