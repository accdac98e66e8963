"""Stand-ins for connectomes have the published sizes; nulls of each kind keep what they should of them."""

import json
from pathlib import Path

import numpy as np
import pytest

from nas.errors import InputError
from nas.studies.connectomes import BRAINS, _with_boundary, connectomes_study, pages, stand_in
from nas.training.recipe import Recipe
from priors import ErdosRenyi, NullModel, Wiring, write_wiring


@pytest.mark.parametrize("name", BRAINS)
def test_stand_ins_are_as_large_as_what_is_published(name: str):
    wiring = stand_in(name)
    assert (wiring.n_neurons, wiring.n_edges) == (BRAINS[name].neurons, BRAINS[name].edges)
    assert wiring.directed
    assert wiring == stand_in(name)
    assert wiring != stand_in(name, 1)
    source, target = wiring.edges.T
    module = np.arange(wiring.n_neurons) * 5 // wiring.n_neurons
    # A fifth of the places is within modules, at four times the density.
    assert 0.42 < (module[source] == module[target]).mean() < 0.58
    there = {(int(a), int(b)) for a, b in wiring.edges}
    assert 0.2 < np.mean([(b, a) in there for a, b in there]) < 0.5


def test_the_boundary_is_complete_and_kept():
    graph = stand_in("worm")
    wiring = _with_boundary(graph, 3, 2, 0)
    assert wiring.hidden.n_edges == graph.n_edges
    source, target = wiring.edges.T
    assert (source < 3).sum() == 3 * 89
    assert (target >= 300).sum() == 2 * 89
    boundary = {(int(a), int(b)) for a, b in wiring.edges if a < 3 or b >= 300}
    for kind, is_kept in (("boundary", True), ("layers", False)):
        drawn = NullModel(wiring, kind).sample(0)
        assert np.array_equal(drawn.in_degree, wiring.in_degree)
        assert (boundary <= {(int(a), int(b)) for a, b in drawn.edges}) == is_kept


@pytest.mark.usefixtures("drawn_figures")
def test_a_miniature_of_both_works(tmp_path: Path):
    graph = tmp_path / "worm.json"
    rng = np.random.default_rng(0)
    there = rng.random((12, 12)) < 0.3
    np.fill_diagonal(there, False)
    write_wiring(Wiring((12,), np.argwhere(there), directed=True), graph)
    out = tmp_path / "out"
    tiny = Recipe(learning_rates=(0.01,), epochs=1, batch_size=512)
    found = connectomes_study(out, n_nulls=3, graph=graph, recipe=tiny, repeats=2)
    assert [(own["work"], own["null"]) for own in found["comparisons"]] == [
        ("reservoir", "layers"),
        ("reservoir", "boundary"),
        ("rnn", "layers"),
        ("rnn", "boundary"),
    ]
    stored = json.loads((out / "connectomes.json").read_text(encoding="utf-8"))
    page = (out / "README.md").read_text(encoding="utf-8")
    assert pages(stored)["README.md"] == page
    assert "The connectome is that of the file." in page
    for work in ("reservoir", "rnn"):
        assert (out / f"{work}.png").stat().st_size > 5_000


def test_what_is_no_connectome_is_refused(tmp_path: Path):
    write_wiring(ErdosRenyi(12, edges=20).sample(0), tmp_path / "er.json")
    with pytest.raises(InputError, match="a connectome is needed, a directed graph of one layer with cycles"):
        connectomes_study(tmp_path / "out", graph=tmp_path / "er.json")
    with pytest.raises(InputError, match="brain 'mouse' is not known"):
        connectomes_study(tmp_path / "out", brains=("mouse",))
