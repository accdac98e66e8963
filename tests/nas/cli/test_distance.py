"""`wirenas distance`: how far apart two wirings are, from wherever they are, and how far by chance."""

import json
from pathlib import Path
from typing import Any

import networkx as nx
import numpy as np
import pytest
from command_line import wirenas

from nas.networks import SparseMLP, save_network
from predictors.distances import density_distance, edge_jaccard, nnstd, spectral_distance
from priors import Layered, NullModel, Wiring, write_wiring


def measured(*arguments: Any) -> dict[str, Any]:
    code, text, err = wirenas("distance", *arguments, "--json")
    assert code == 0, err
    found: dict[str, Any] = json.loads(text)
    return found


@pytest.fixture
def pair(tmp_path: Path) -> tuple[Path, Path, Wiring, Wiring]:
    one, other = (Layered((8, 9, 4), density=0.4, inputs=True, outputs=True).sample(seed) for seed in (0, 1))
    write_wiring(one, tmp_path / "one.json")
    write_wiring(other, tmp_path / "other.json")
    return tmp_path / "one.json", tmp_path / "other.json", one, other


def test_it_says_what_python_says(pair: tuple[Path, Path, Wiring, Wiring]) -> None:
    first, second, one, other = pair
    found = measured(first, second, "--null", 12, "--seed", 3)
    assert found["first"] == str(first)
    assert found["nnstd"]["value"] == nnstd(one, other).value
    assert found["nnstd"]["layers"] == list(nnstd(one, other).layers)
    assert found["edge_jaccard"] == edge_jaccard(one, other)
    assert found["density"] == density_distance(one, other)
    assert found["spectral"] == spectral_distance(one, other)
    model = NullModel(other, "layers")
    values = [nnstd(one, model.sample(np.random.default_rng((3, i)))).value for i in range(12)]
    null = found["null"]
    assert (null["kind"], null["n"]) == ("layers", 12)
    assert null["mean"] == pytest.approx(np.mean(values))
    assert null["std"] == pytest.approx(np.std(values, ddof=1))
    assert null["z"] == pytest.approx((found["nnstd"]["value"] - np.mean(values)) / np.std(values, ddof=1))
    assert found["null"] == measured(first, second, "--null", 12, "--seed", 3, "--kind", "layers")["null"]


def test_a_random_pair_is_no_farther_than_by_chance(pair: tuple[Path, Path, Wiring, Wiring]) -> None:
    first, second, _, other = pair
    drawn = NullModel(other, "layers").sample(99)
    write_wiring(drawn, first.parent / "drawn.json")
    assert abs(measured(first, first.parent / "drawn.json", "--null", 40)["null"]["z"]) < 3
    assert measured(second, second, "--null", 10)["null"]["z"] < -5


def test_wirings_come_from_networks_folders_and_graphs(pair: tuple[Path, Path, Wiring, Wiring], tmp_path: Path) -> None:
    first, _, one, _ = pair
    save_network(SparseMLP(one), tmp_path / "network.safetensors")
    (tmp_path / "out" / "best").mkdir(parents=True)
    (tmp_path / "out" / "best" / "wiring.json").write_bytes(first.read_bytes())
    assert measured(first, tmp_path / "network.safetensors")["nnstd"]["value"] == 0
    assert measured(tmp_path / "out", tmp_path / "network.safetensors")["nnstd"]["value"] == 0
    nx.write_graphml(nx.watts_strogatz_graph(20, 4, 0.3, seed=0), tmp_path / "ws.graphml")
    turned = nx.relabel_nodes(nx.watts_strogatz_graph(20, 4, 0.3, seed=0), {i: (7 * i) % 20 for i in range(20)})
    (tmp_path / "edges.txt").write_text("".join(f"{a} {b}\n" for a, b in turned.edges))
    found = measured(tmp_path / "ws.graphml", tmp_path / "edges.txt", "--undirected", "--null", 5)
    assert found["nnstd"]["value"] == 0
    assert found["null"]["kind"] == "degree"


def test_it_is_a_table_for_people(pair: tuple[Path, Path, Wiring, Wiring]) -> None:
    code, text, err = wirenas("distance", pair[0], pair[1], "--null", 5)
    assert code == 0
    assert "NNSTD, neurons matched" in text
    words = " ".join(text.split())
    assert f"5 nulls of {pair[1]}, sharing its neurons, number of edges, degrees, order, layers, are at" in words
    assert "of chance. Of the edges that may move," in words
    assert "nulls: 5 distances" in err


def test_one_null_has_no_spread(pair: tuple[Path, Path, Wiring, Wiring]) -> None:
    null = measured(pair[0], pair[1], "--null", 1)["null"]
    assert (null["std"], null["z"]) == (None, None)
    assert 0 < null["overlap"] < 1
    _, text, _ = wirenas("distance", pair[0], pair[1], "--null", 1)
    assert "1 null of" in " ".join(text.split())


def test_nulls_that_cannot_move_say_so(pair: tuple[Path, Path, Wiring, Wiring], tmp_path: Path) -> None:
    write_wiring(Layered((8, 9, 4), density=1.0, inputs=True, outputs=True).sample(0), tmp_path / "full.json")
    null = measured(pair[0], tmp_path / "full.json", "--null", 3)["null"]
    assert (null["overlap"], null["std"], null["z"]) == (1.0, 0.0, None)


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"second": "nowhere.graphml"}, "nowhere.graphml: cannot be read"),
        ({"second": "empty"}, "no wiring lies there"),
        ({"second": "text.safetensors"}, "text.safetensors: this is no intact network file"),
        ({"second": "other.graphml"}, "have other units: 8 and 0 inputs, 4 and 0 outputs"),
        ({"more": ("--null", 3, "--kind", "spectral")}, "--kind spectral with"),
        ({"more": ("--null", 3, "--kind", "weights")}, "--kind weights: it must be one of counts, degree, order"),
        ({"more": ("--null", -1)}, "--null"),
        ({"more": ("--kind", "degree")}, "--kind degree: it acts on nulls alone; give their number too"),
    ],
)
def test_what_cannot_be_compared_is_one_line(
    pair: tuple[Path, Path, Wiring, Wiring], tmp_path: Path, changes: dict[str, Any], line: str
) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "text.safetensors").write_text("no network")
    nx.write_graphml(nx.path_graph(4), tmp_path / "other.graphml")
    second = tmp_path / changes.get("second", "other.json")
    code, text, err = wirenas("distance", pair[0], second, *changes.get("more", ()))
    assert (code, text, err.count("\n")) == (2, "", 1)
    assert line in err
