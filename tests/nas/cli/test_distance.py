"""`wirenas distance`: how far apart two wirings are, from wherever they are, and how far by chance."""

import csv
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
        ({"more": ("--null", 3, "--kind", "weights")}, "--kind weights: it must be one of counts, "),
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


# Three wirings or more


@pytest.fixture
def three(pair: tuple[Path, Path, Wiring, Wiring]) -> tuple[list[Path], list[Wiring]]:
    first, second, one, other = pair
    third = Layered((8, 9, 4), density=0.5, inputs=True, outputs=True).sample(7)
    (first.parent / "sub").mkdir()
    write_wiring(third, first.parent / "sub" / "one.json")
    return [first, second, first.parent / "sub" / "one.json"], [one, other, third]


def test_pairs_of_several_are_a_matrix(three: tuple[list[Path], list[Wiring]]) -> None:
    paths, wirings = three
    found = measured(*paths)
    assert found["wirings"] == [str(path) for path in paths]
    wanted = [[nnstd(a, b).value for b in wirings] for a in wirings]
    assert np.array(found["nnstd"]) == pytest.approx(np.array(wanted), abs=1e-12)
    assert found["files"] == []
    code, text, err = wirenas("distance", *paths)
    assert code == 0
    for row in found["nnstd"]:
        assert all(f"{value:.4f}" in text for value in row)
    assert "pairs: 3 distances" in err


def test_the_matrix_goes_into_a_folder(three: tuple[list[Path], list[Wiring]], tmp_path: Path) -> None:
    paths, _ = three
    out = tmp_path / "out" / "inner"
    found = measured(*paths, "--out", out)
    names = ("distances.csv", "map.png", "tree.png")
    assert found["files"] == [str(out / name) for name in names]
    assert sorted(path.name for path in out.iterdir()) == sorted(names)
    with (out / "distances.csv").open(encoding="utf-8", newline="") as file:
        head, *rows = csv.reader(file)
    assert head == ["", *map(str, paths)]
    assert [[row[0], *map(float, row[1:])] for row in rows] == [
        [str(path), *row] for path, row in zip(paths, found["nnstd"], strict=True)
    ]
    assert measured(*paths, "--out", out)["nnstd"] == found["nnstd"]


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["one"], "one wiring has no distance; give two or more"),
        (["one", ""], "the path of wiring 2 is empty; give a graph file, a saved network or a folder"),
        (["", "one", "other"], "the path of wiring 1 is empty"),
        (["one", "other", "one", "--null", 3], "--null 3: nulls are of two wirings, and there are 3; leave it out"),
        (["one", "other", "one", "--kind", "layers"], "--kind layers: nulls are of two wirings"),
        (["one", "other", "--out", "x"], "--out x: files are written of three wirings or more; leave it out"),
        (["one", "other", "one", "--out", "campaign"], "a campaign lies there; give another folder"),
        (["one", "other", "units"], "have other units"),
        (["folder", "folder", "--format", "matrix"], "--format matrix: it says how graph files are read, and there"),
        (["folder", "network", "--undirected"], "--undirected: it says how graph files are read"),
        (["folder", "network", "--merge", "max"], "--merge max: it says how graph files are read"),
    ],
)
def test_what_cannot_be_measured_is_one_line(
    three: tuple[list[Path], list[Wiring]], tmp_path: Path, arguments: list[Any], line: str
) -> None:
    paths, wirings = three
    for name in ("folder", "campaign"):
        (tmp_path / name).mkdir()
    (tmp_path / "folder" / "wiring.json").write_bytes(paths[0].read_bytes())
    (tmp_path / "campaign" / "campaign.toml").write_text("", encoding="utf-8")
    save_network(SparseMLP(wirings[0]), tmp_path / "network.safetensors")
    nx.write_graphml(nx.path_graph(4), tmp_path / "units.graphml")
    known = {
        "one": paths[0], "other": paths[1], "units": tmp_path / "units.graphml", "folder": tmp_path / "folder",
        "network": tmp_path / "network.safetensors", "campaign": tmp_path / "campaign",
    }  # fmt: skip
    code, text, err = wirenas("distance", *(known.get(each, each) for each in arguments))
    assert (code, text) == (2, "")
    assert line in err.splitlines()[-1]
    assert "Traceback" not in err


def test_a_format_counts_where_any_is_a_graph_file(three: tuple[list[Path], list[Wiring]], tmp_path: Path) -> None:
    paths, wirings = three
    (tmp_path / "odd.text").write_bytes(paths[0].read_bytes())
    save_network(SparseMLP(wirings[0]), tmp_path / "network.safetensors")
    assert measured(tmp_path / "odd.text", tmp_path / "network.safetensors", "--format", "json")["nnstd"]["value"] == 0
