"""Null models that keep how long edges are: where neurons lie is read from a table, by their names."""

import csv
import json
from pathlib import Path

import networkx as nx
import numpy as np
import pytest
from command_line import refused, wirenas

from nas.comparison.positions import fingerprint_of, positions_of, read_positions
from nas.errors import InputError
from priors import Wiring, attach

TINY = "--nulls 4 --seeds 1 --repeats 2 --epochs 1 --learning-rate 0.01 --threads 1"


def table(path: Path, rows: list[tuple[object, ...]], heading: str = "name,x,y") -> Path:
    with path.open("w", newline="", encoding="utf-8") as file:
        file.write(heading + "\n")
        csv.writer(file).writerows(rows)
    return path


def test_neurons_are_found_by_name_or_number(tmp_path: Path):
    found = read_positions(table(tmp_path / "p.csv", [("b", 1, 2), ("a", 3, 4), (0, 5, 6), (1, 7, 8)]))
    named = Wiring((2,), [(0, 1), (1, 0)], names=["a", "b"])
    assert positions_of(named, found, "g").tolist() == [[3, 4], [1, 2]]
    unnamed = attach(Wiring((2,), [(0, 1), (1, 0)]), 2, 1)
    expected = np.full((5, 2), np.nan)
    expected[2:4] = [[5, 6], [7, 8]]
    np.testing.assert_array_equal(positions_of(unnamed, found, "g"), expected)
    with pytest.raises(InputError, match="positions: neuron 2 of g has none; give a row for each neuron"):
        positions_of(Wiring((3,), [(0, 1)]), found, "g")


def test_other_positions_are_others(tmp_path: Path):
    one = read_positions(table(tmp_path / "p.csv", [("a", 1, 2), ("b", 1, 2)]))
    same = read_positions(table(tmp_path / "q.csv", [("b", 1.0, 2.0), ("a", 1, 2)]))
    other = read_positions(table(tmp_path / "r.csv", [("a", 1, 2), ("b", 1, 3)]))
    assert fingerprint_of(one) == fingerprint_of(same) != fingerprint_of(other)


@pytest.mark.parametrize(
    ("content", "line"),
    [
        ("", "it must hold a heading and then a row"),
        ("name,x,y\n", "it must hold a heading and then a row"),
        ("a,1,2\nb,1,2\n", "it must hold a heading and then a row"),
        ("name,x,y\na,1,1e300\n", "line 2 has no 2 numbers"),
        ("name,x\na,1\n", "it must hold a heading and then a row"),
        ("name,x,y\na,1\n", "line 2 has no 2 numbers"),
        ("name,x,y\na,1,2\n\nb,1,nan\n", "line 4 has no 2 numbers"),
        ("name,x,y,z\na,1,2,up\n", "line 2 has no 3 numbers"),
        ("name,x,y\na,1,2\na,3,4\n", "line 3 is the second one of neuron a"),
        (b"\xff\xfe\x00", "no csv file"),
    ],
)
def test_what_is_no_table_is_one_line(tmp_path: Path, content: str | bytes, line: str):
    path = tmp_path / "p.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(InputError) as caught:
        read_positions(path)
    assert str(caught.value).startswith(f"positions={path}: ")
    assert line in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_graph_beside_nulls_with_edges_as_long(tmp_path: Path):
    graph = nx.random_geometric_graph(16, 0.45, seed=3)
    places = nx.get_node_attributes(graph, "pos")
    plain = nx.relabel_nodes(nx.Graph(graph.edges), {node: f"n{node}" for node in graph})
    nx.write_graphml(plain, tmp_path / "g.graphml")
    rows: list[tuple[object, ...]] = [(f"n{node}", *place) for node, place in places.items()]
    where = table(tmp_path / "p.csv", rows)
    command = ["compare", tmp_path / "g.graphml", *TINY.split(), "--null", "spatial", "--out", tmp_path / "out"]
    told = refused(*command)
    assert told == "wirenas: --null spatial: it keeps how long edges are; give --positions too\n"
    told = refused("compare", tmp_path / "g.graphml", *TINY.split(), "--positions", where, "--out", tmp_path / "out")
    assert "only --null spatial heeds them" in told
    code, text, err = wirenas(*command, "--positions", where, "--json")
    assert code == 0, err
    (row,) = json.loads(text)["comparisons"]
    assert row["null"] == "spatial"
    assert "lengths" in row["keeps"]
    # Another null may take its place, and it may come back: that is told as a change of the plan.
    code, text, err = wirenas(*command[:-4], "--null", "degree", "--out", tmp_path / "out", "--json")
    assert code == 0, err
    assert "positions" in {change["name"] for change in json.loads(text)["changes"]}
    assert wirenas(*command, "--positions", where, "--json")[0] == 0
    # The plan knows where neurons lay.
    moved = table(tmp_path / "moved.csv", [(name, x, 2 * y) for name, x, y in rows])  # type: ignore[misc, operator]
    told = refused(*command, "--positions", moved)
    assert told.startswith("wirenas: --positions: they are not those that the comparison in ")
