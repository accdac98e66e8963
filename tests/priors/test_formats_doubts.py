"""Files that might be two things: what they are taken for, that it is said, and that the other can be forced."""

import warnings
from pathlib import Path

import networkx as nx
import numpy as np
import pandas as pd
import pytest

from priors import Wiring, parse_wiring, read_wiring

Edges = dict[tuple[object, object], float | None]
RING: Edges = {(0, 1): None, (1, 2): None, (2, 0): None}
DECIDES = "--format matrix or --format edge-list decides"


def read(content: str | bytes, suffix: str, **reading: object) -> tuple[Wiring, str]:
    """Return the wiring of a file and what was said of it."""
    data = content.encode() if isinstance(content, str) else content
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        wiring = parse_wiring(data, suffix, **reading)
    return wiring, "; ".join(str(one.message) for one in said)


def forced(folder: Path, content: str, name: str, form: str) -> Wiring:
    (folder / name).write_text(content)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return read_wiring(folder / name, format=form)


def edges_of(wiring: Wiring) -> Edges:
    names = range(wiring.n_neurons) if wiring.names is None else wiring.names
    weights = [None] * wiring.n_edges if wiring.weights is None else wiring.weights.tolist()
    return {(names[s], names[t]): weight for (s, t), weight in zip(wiring.edges.tolist(), weights, strict=True)}


def both(*edges: tuple[object, object], weight: float | None = None) -> Edges:
    return {pair: weight for edge in edges for pair in (edge, edge[::-1])}


# Matrices below a line of numbers, or of their size


@pytest.mark.parametrize("n", [3, 4, 5, 64, 65, 66, 67, 90])
@pytest.mark.parametrize("kind", [int, float, bool])
@pytest.mark.parametrize("separator", [",", "\t", ";"])
def test_numbers_above_a_matrix_are_its_labels(n: int, kind: type, separator: str, tmp_path: Path):
    ring = nx.relabel_nodes(nx.cycle_graph(n, create_using=nx.DiGraph), lambda node: 10 * node + 3)
    content = nx.to_pandas_adjacency(ring, dtype=kind).to_csv(index=False, sep=separator)
    wiring, said = read(content, ".csv")
    assert edges_of(wiring) == dict.fromkeys(ring.edges)
    assert f"a matrix of {n} rows" in said
    assert "with labels" in said
    assert edges_of(forced(tmp_path, content, "g.csv", "matrix")) == dict.fromkeys(ring.edges)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("1,2,3\n0,1,0\n0,0,1\n1,0,0\n", {(1, 2): None, (2, 3): None, (3, 1): None}),
        ("0\t1\t2\n0\t1\t0\n0\t0\t1\n1\t0\t0\n", RING),
        ("0 1 2\n1 1 0\n0 1 1\n1 0 1\n", RING | {(0, 0): None, (1, 1): None, (2, 2): None}),
        ("9,4,7\n0,5,0\n0,0,2\n3,0,0\n", {(9, 4): 5, (4, 7): 2, (7, 9): 3}),
        ("0,1\n0.0,1.0\n1.0,0.0\n", {(0, 1): None, (1, 0): None}),
        ("0,1,2\n1.0,0.5,0.2\n0.5,1.0,0.1\n0.2,0.1,1.0\n",
         {(s, t): w for s, row in enumerate(np.float32([[1, .5, .2], [.5, 1, .1], [.2, .1, 1]]).tolist())
          for t, w in enumerate(row)}),
        ("3\n0 1 0\n0 0 1\n1 0 0\n", RING),
        ("3 3\n0 1 0\n0 0 1\n1 0 0\n", RING),
        ("3\n0,1,0\n0,0,1\n1,0,0\n", RING),
        ("2\n0 1\n1 0\n", {(0, 1): None, (1, 0): None}),
    ],
)  # fmt: skip
def test_small_matrices_below_a_line_of_numbers(content: str, expected: Edges):
    for suffix in (".csv", ".txt", ".tsv", ".dat"):
        wiring, said = read(content, suffix)
        assert edges_of(wiring) == expected
        assert "a matrix of" in said


@pytest.mark.parametrize(
    ("content", "as_matrix", "as_list"),
    [
        ("0,1\n0,1\n1,0\n", 2, {(0, 1): 2, (1, 0): 1}),
        ("0 1 2\n1 2 1\n2 3 1\n3 0 5\n", 3,
         both((0, 1), weight=2) | both((1, 2), (2, 3), weight=1) | both((3, 0), weight=5)),
        ("3\n0 1 5\n1 2 6\n2 0 7\n", 3, both((0, 1), weight=5) | both((1, 2), weight=6) | both((2, 0), weight=7)),
        ("alpha,beta\n0,1\n1,2\n", 2, both((0, 1), (1, 2))),
        ("gene,partner,weight\n0,1,5\n1,2,6\n2,0,7\n", 3,
         both((0, 1), weight=5) | both((1, 2), weight=6) | both((2, 0), weight=7)),
        ("a,b\n0,1\n1,0\n", 2, both((0, 1))),
    ],
)  # fmt: skip
def test_what_might_be_both_is_refused_with_the_way_out(content: str, as_matrix: int, as_list: Edges, tmp_path: Path):
    with pytest.raises(ValueError, match=f"are a matrix or a list of edges: {DECIDES}"):
        parse_wiring(content.encode(), ".csv")
    assert forced(tmp_path, content, "g.csv", "matrix").n_neurons == as_matrix
    assert edges_of(forced(tmp_path, content, "g.csv", "edge-list")) == as_list


@pytest.mark.parametrize(
    "content", ["0 1\n1 2\n2 0\n", "5 6 1\n6 7 2\n7 8 3\n8 5 4\n", "3 1 4\n0 1 2\n1 2 2\n5 3 1\n", "3\n0,1\n1,2\n2,0\n"]
)
def test_lists_of_one_more_row_than_columns_stay_lists(content: str):
    wiring, said = read(content, ".txt")
    assert "matrix" not in said
    rows = [line.replace(",", " ").split() for line in content.splitlines()]
    assert wiring.n_edges == 2 * len([row for row in rows if len(row) > 1])


# Truth values


@pytest.mark.parametrize("n", [2, 3, 4, 5, 70])
@pytest.mark.parametrize("labels", [{"header": False, "index": False}, {"index": False}, {"header": False}, {}])
def test_matrices_of_truth_values(n: int, labels: dict[str, bool]):
    matrix = np.random.default_rng(n).random((n, n)) < 0.5
    matrix[0] = [True] + [False] * (n - 1)
    names = [f"n{place}" for place in range(n)]
    content = pd.DataFrame(matrix, names, names).to_csv(**labels)
    own = range(n) if labels == {"header": False, "index": False} else names
    expected = {(own[s], own[t]): None for s, t in np.argwhere(matrix).tolist()}
    for text in (content, content.replace("True", "TRUE").replace("False", "FALSE")):
        wiring, said = read(text, ".csv")
        assert edges_of(wiring) == expected
        assert f"a matrix of {n} rows of truth values" in said


# Suffixes of lists


@pytest.mark.parametrize("suffix", [".edges", ".edgelist", ".ncol", ".net"])
def test_what_the_suffix_calls_a_list_is_one_and_the_matrix_is_named(suffix: str, tmp_path: Path):
    content = "0 1 0\n0 0 1\n1 0 0\n"
    wiring, said = read(content, suffix)
    assert edges_of(wiring) == {(0, 1): 0, (0, 0): 1, (1, 0): 0}
    assert "3 rows of 3 numbers, taken as a list of edges, as the suffix says (--format matrix decides)" in said
    assert edges_of(forced(tmp_path, content, f"g{suffix}", "matrix")) == RING
    assert edges_of(forced(tmp_path, content, "g.txt", "edge-list")) == edges_of(wiring)
    for size in (5, 80):
        large = "".join(" ".join(map(str, row)) + "\n" for row in np.eye(size, dtype=int).tolist())
        with pytest.raises(
            ValueError, match=r"is a matrix, where its suffix tells of a list .*--format matrix reads it"
        ):
            parse_wiring(large.encode(), suffix)


# Headings


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("parent,child\n0,1\n1,2\n", {(0, 1): None, (1, 2): None}),
        ("id1,id2\n0,1\n1,2\n", both((0, 1), (1, 2))),
        ("u,v\n0,1\n1,2\n", both((0, 1), (1, 2))),
        ("u,v,w\n0,1,5\n1,2,6\n2,0,7\n",
         both((0, 1), weight=5) | both((1, 2), weight=6) | both((2, 0), weight=7)),
        ("i,j,value\n0,1,5\n1,2,6\n2,0,7\n",
         both((0, 1), weight=5) | both((1, 2), weight=6) | both((2, 0), weight=7)),
        ("predecessor,successor\n0,1\n1,0\n", {(0, 1): None, (1, 0): None}),
    ],
)  # fmt: skip
def test_headings_that_name_the_ends_are_above_edges(content: str, expected: Edges):
    assert edges_of(read(content, ".csv")[0]) == expected


def test_names_above_noughts_along_the_diagonal_are_labels():
    wiring, said = read("u,v,w\n0,1,5\n1,0,6\n2,3,0\n", ".csv")
    assert wiring.names == ("u", "v", "w")
    assert "a matrix of 3 rows with labels" in said
