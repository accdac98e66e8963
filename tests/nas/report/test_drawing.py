"""Drawings of wirings: which layout, where neurons lie, what is refused, and equal files for equal wirings."""

import json
from pathlib import Path

import networkx as nx
import numpy as np
import pytest
from command_line import wirenas
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from report_cases import found

from nas.errors import InputError
from nas.report import drawing
from nas.report.drawing import count_edges, default_layout, draw_file, plot_wiring, positions
from priors import Wiring, attach, layer, orient, write_wiring

pytestmark = pytest.mark.usefixtures("drawn_figures")


def ring(n: int, k: int = 4) -> Wiring:
    return Wiring.from_networkx(nx.watts_strogatz_graph(n, k, 0.2, seed=1))


def attached(n: int) -> Wiring:
    return attach(layer(orient(ring(n), rng=0)), 4, 3, "natural")


def test_layouts_follow_from_the_graph():
    assert default_layout(ring(10)) == "ring"
    assert default_layout(attach(ring(10), 3, 2, "natural")) == "ring"
    assert default_layout(orient(ring(10), rng=0)) == "layered"
    assert default_layout(attached(10)) == "layered"
    assert count_edges(ring(10)) == (20, True)
    assert count_edges(orient(ring(10), rng=0)) == (20, False)


@pytest.mark.parametrize("layout", ["layered", "ring", "spring"])
def test_neurons_lie_apart_with_inputs_left_and_outputs_right(layout: str):
    wiring, points = positions(attached(30), layout)
    assert len(np.unique(points.round(9), axis=0)) == wiring.n_neurons
    first, last = wiring.n_inputs, wiring.n_neurons - wiring.n_outputs
    assert points[:first, 0].max() < points[first:last, 0].min()
    assert points[last:, 0].min() > points[first:last, 0].max()
    if layout == "layered":
        source, target = wiring.edges.T
        assert (points[source, 0] < points[target, 0]).all()


@pytest.mark.parametrize("suffix", ["png", "svg", "pdf"])
def test_equal_wirings_give_equal_files(suffix: str, tmp_path: Path):
    weighted = attached(12)
    weighted = weighted.replace(weights=np.linspace(-1, 1, weighted.n_edges))
    for layout in ("layered", "ring", "spring"):
        for name in ("a", "b"):
            assert plot_wiring(tmp_path / f"{name}.{suffix}", weighted, "wiring", layout) == layout
        assert (tmp_path / f"a.{suffix}").read_bytes() == (tmp_path / f"b.{suffix}").read_bytes()


def test_weights_change_the_picture(tmp_path: Path):
    plain = attached(12)
    for name, weights in (("plain", None), ("up", np.ones(plain.n_edges)), ("down", -np.ones(plain.n_edges))):
        plot_wiring(tmp_path / f"{name}.png", plain.replace(weights=weights))
    assert len({(tmp_path / f"{name}.png").read_bytes() for name in ("plain", "up", "down")}) == 3


@pytest.mark.parametrize("n", [1, 2, 300])
def test_few_and_many_neurons_are_drawn(n: int, tmp_path: Path):
    wiring = ring(n) if n > 4 else Wiring((n,))
    assert plot_wiring(tmp_path / "many.png", wiring) == "ring"
    assert plot_wiring(tmp_path / "many.png", wiring, layout="spring") == "spring"


def test_what_cannot_be_drawn_is_refused(tmp_path: Path):
    with pytest.raises(InputError, match="3001 neurons cannot be told apart; at most 3000 are drawn"):
        plot_wiring(tmp_path / "a.png", Wiring((3001,)))
    with pytest.raises(InputError, match="holds no neuron"):
        plot_wiring(tmp_path / "a.png", Wiring(()))
    with pytest.raises(InputError, match="cycles and so no layers; valid: ring or spring"):
        plot_wiring(tmp_path / "a.png", ring(8), layout="layered")
    with pytest.raises(InputError, match="layout"):
        plot_wiring(tmp_path / "a.png", ring(8), layout="circle")
    with pytest.raises(InputError, match=r"ends in \.png, \.svg, \.pdf"):
        draw_file(tmp_path, tmp_path / "a.gif")
    with pytest.raises(InputError, match="no wiring lies there"):
        draw_file(tmp_path, tmp_path / "a.png")
    assert list(tmp_path.iterdir()) == []


def test_the_command_draws_graphs_and_campaigns(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    write_wiring(ring(20), "graph.json")
    code, out, _ = wirenas("draw", "graph.json", "--json")
    assert code == 0
    assert json.loads(out) == {"file": "graph.png", "layout": "ring", "nodes": 20, "edges": 40}
    assert Path("graph.png").read_bytes()[:4] == b"\x89PNG"
    Path("campaign").mkdir()
    found("mlp").write(tmp_path / "campaign")
    code, out, _ = wirenas("draw", "campaign", "--out", "best.svg")
    assert (code, out) == (0, "best.svg\n")
    assert "<svg" in Path("best.svg").read_text("utf-8")
    code, _, err = wirenas("draw", "graph.json", "--out", "nowhere/a.png")
    assert code == 2
    assert len(err.splitlines()) == 1
    code, _, err = wirenas("draw", "absent.json")
    assert code == 2
    assert "absent.json" in err


def test_the_card_shows_the_picture_beside_it(tmp_path: Path):
    found("mlp").write(tmp_path)
    assert "![The wiring](wiring.png)" in (tmp_path / "best" / "card.md").read_text("utf-8")
    assert (tmp_path / "best" / "wiring.png").is_file()


@pytest.mark.parametrize("layout", ["ring", "spring"])
def test_self_edges_are_drawn_and_directions_are_explained(
    layout: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """As many lines as edges, of which none is a single point, and a legend that says what dark halves mean."""
    figures: list[Figure] = []
    monkeypatch.setattr(drawing, "save_figure", lambda figure, *_, **__: figures.append(figure))
    wiring = Wiring((4,), [(0, 1), (1, 2), (2, 2), (2, 3), (3, 3)])
    plot_wiring(tmp_path / "a.png", wiring, layout=layout)
    whole, halves = (own for own in figures[0].axes[0].collections if isinstance(own, LineCollection))
    for collection in (whole, halves):
        assert len(collection.get_segments()) == 5
        assert all(np.ptp(segment, axis=0).max() > 1e-3 for segment in collection.get_segments())
    for line, half in zip(whole.get_segments(), halves.get_segments(), strict=True):
        np.testing.assert_allclose(line[-1], half[-1])
    assert [text.get_text() for text in figures[0].legends[0].texts] == ["the dark half of an edge is at its target"]
    plot_wiring(tmp_path / "b.png", ring(6), layout=layout)
    assert not figures[1].legends
