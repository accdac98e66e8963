"""Files that might be two things: what they are taken for, that it is said, and that the other can be forced."""

import io
import pickle
import shutil
import warnings
from pathlib import Path

import networkx as nx
import numpy as np
import pandas as pd
import pytest
from command_line import wirenas
from told_graphs import read

from nas.prediction.answers import features_of
from priors import GraphFileWarning, GraphPool, Wiring, attach, orient, parse_wiring, read_wiring, write_wiring

Edges = dict[tuple[object, object], float | None]
RING: Edges = {(0, 1): None, (1, 2): None, (2, 0): None}
DECIDES = "--format matrix or --format edge-list decides"


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


# Headings that are one cell short


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ('"from" "to"\n"1" 1 2\n"2" 2 3\n"3" 3 1\n', {(1, 2): None, (2, 3): None, (3, 1): None}),
        ('"from" "to" "weight"\n"1" 1 2 0.5\n"2" 2 3 1.5\n', {(1, 2): 0.5, (2, 3): 1.5}),
        ('"from","to"\n"1","a","b"\n"2","b","c"\n', {("a", "b"): None, ("b", "c"): None}),
        ('"from" "to"\n"r1" "a" "b"\n"r2" "b" "c"\n', {("a", "b"): None, ("b", "c"): None}),
        ('"X" "Y"\n"1" "a" "b"\n"2" "b" "c"\n', both(("a", "b"), ("b", "c"))),
        ("   source  target  weight\n0    10   20  0.5\n", {(10, 20): 0.5}),
        ("  source target\n3      7      8\n9      8      9\n12     9      7\n",
         {(7, 8): None, (8, 9): None, (9, 7): None}),
    ],
)  # fmt: skip
def test_rows_may_have_names_that_the_heading_does_not_count(content: str, expected: Edges):
    wiring, said = read(content, ".txt")
    assert edges_of(wiring) == expected
    assert "a first column without a heading, taken as names of rows, which are not read" in said
    assert edges_of(read(content, ".edges")[0]) == expected


@pytest.mark.parametrize("n", [1, 2, 3, 80])
def test_tables_as_pandas_prints_them(n: int):
    table = pd.DataFrame({"source": np.arange(n) + 5, "target": np.arange(n) + 6, "weight": np.arange(n) + 0.5})
    wiring, _ = read(table.to_string(), ".txt")
    assert edges_of(wiring) == {(5 + place, 6 + place): place + 0.5 for place in range(n)}


def test_a_last_column_without_a_heading_holds_weights():
    wiring, said = read("source target\n0 1 0.5\n1 2 0.25\n2 0 1\n", ".txt")
    assert edges_of(wiring) == {(0, 1): 0.5, (1, 2): 0.25, (2, 0): 1}
    assert "a column 3 without a heading, taken as weight" in said
    wiring, said = read("from to\n5 1 x\n1 2 y\n", ".txt")
    assert edges_of(wiring) == {(5, 1): None, (1, 2): None}
    assert "a column 3 without a heading, which is not read" in said


# Parallel edges and both directions in undirected graphs

Found = tuple[str, str, float | None]


def undirected(suffix: str, edges: tuple[Found, ...]) -> str:
    """Return edges as an undirected graph of one format."""
    if suffix == ".graphml":
        data = ["" if weight is None else f'<data key="w">{weight}</data>' for *_, weight in edges]
        lines = [f'<edge source="{s}" target="{t}">{d}</edge>' for (s, t, _), d in zip(edges, data, strict=True)]
        return (
            '<graphml><key id="w" for="edge" attr.name="weight" attr.type="double"/><graph edgedefault="undirected">'
            f'<node id="a"/><node id="b"/><node id="c"/>{"".join(lines)}</graph></graphml>'
        )
    if suffix == ".gml":
        nodes = "".join(f'node [ id {number} label "{name}" ]' for number, name in enumerate("abc"))
        lines = [
            f"edge [ source {'abc'.index(s)} target {'abc'.index(t)} {'' if w is None else f'weight {w}'} ]"
            for s, t, w in edges
        ]
        return f"graph [ directed 0 {nodes} {' '.join(lines)} ]"
    return "% sym weighted\n" + "".join(f"{s} {t} {'' if w is None else w}\n" for s, t, w in edges)


THRICE = (("a", "b"), ("a", "b"), ("b", "a"))


@pytest.mark.parametrize("suffix", [".graphml", ".gml", ".txt"])
@pytest.mark.parametrize("other", [(), (("b", "c", 5.0),), (("c", "b", 1.0), ("c", "a", 2.0))])
@pytest.mark.parametrize(
    ("edges", "weight", "words"),
    [
        (tuple((*pair, 1.0) for pair in THRICE), 3, "2 parallel edges merged"),
        ((("a", "b", 2.0), ("b", "a", 2.0)), 2, "1 edge in both directions, taken as undirected"),
        ((("b", "a", 2.0), ("a", "b", 2.0)), 2, "1 edge in both directions, taken as undirected"),
        ((("a", "b", 2.0), ("b", "a", 3.0)), 5, "1 pair in both directions, but not with the same weights or as often"),
        ((("a", "b", 2.0), ("a", "b", 3.0), ("b", "a", 3.0), ("b", "a", 2.0)), 5, "2 edges in both directions"),
        ((("a", "b", 2.0), ("a", "b", 2.0)), 4, "1 parallel edge merged"),
    ],
)
def test_a_pair_is_merged_whatever_edges_others_have(
    suffix: str, other: tuple[Found, ...], edges: tuple[Found, ...], weight: float, words: str
):
    wiring, said = read(undirected(suffix, edges + other), suffix)
    assert edges_of(wiring) == both(("a", "b"), weight=weight) | {
        pair: own for s, t, own in other for pair in ((s, t), (t, s))
    }
    assert words in said


@pytest.mark.parametrize("suffix", [".graphml", ".gml", ".txt"])
def test_parallel_edges_without_weights_are_counted_whichever_end_comes_first(suffix: str):
    wiring, said = read(undirected(suffix, tuple((*pair, None) for pair in THRICE)), suffix)
    assert edges_of(wiring) == both(("a", "b"), weight=3)
    assert "the number of edges is the weight" in said
    file = io.BytesIO(undirected(".graphml", tuple((*pair, None) for pair in THRICE)).encode())
    assert nx.read_graphml(file, force_multigraph=True).number_of_edges("a", "b") == 3
    twice = tuple((*pair, None) for pair in (("a", "b"), ("b", "a"), ("c", "b")))
    assert edges_of(read(undirected(suffix, twice), suffix)[0]) == both(("a", "b"), ("c", "b"))


def test_undirected_edges_among_directed_ones_are_merged_alike():
    content = (
        "graph [ directed 0 node [ id 0 ] node [ id 1 ] node [ id 2 ] edge [ source 0 target 1 weight 2 ] "
        "edge [ source 1 target 0 weight 2 ] edge [ source 1 target 2 weight 3 directed 1 ] ]"
    )
    wiring, _ = read(content, ".gml")
    assert edges_of(wiring) == both((0, 1), weight=2) | {(1, 2): 3}


# Directed graphs in which every pair goes both ways

SYMMETRIC = {
    ".gml": "graph [ directed 1 node [ id 0 ] node [ id 1 ] edge [ source 0 target 1 ] edge [ source 1 target 0 ] ]",
    ".csv": "Source,Target,Type\n0,1,Directed\n1,0,Directed\n",
    ".txt": "# Directed graph\n0 1\n1 0\n",
    ".edges": "% asym unweighted\n0 1\n1 0\n",
    ".net": "*Vertices 2\n*Arcs\n1 2\n2 1\n",
    ".json": '{"directed": true, "nodes": [{"id": 0}, {"id": 1}], '
    '"links": [{"source": 0, "target": 1}, {"source": 1, "target": 0}]}',
    ".graphml": '<graphml><graph edgedefault="directed"><node id="0"/><node id="1"/>'
    '<edge source="0" target="1"/><edge source="1" target="0"/></graph></graphml>',
    ".gexf": '<gexf><graph defaultedgetype="directed"><nodes><node id="0"/><node id="1"/></nodes>'
    '<edges><edge source="0" target="1"/><edge source="1" target="0"/></edges></graph></gexf>',
}


@pytest.mark.parametrize("suffix", SYMMETRIC)
def test_what_its_file_calls_directed_stays_directed(suffix: str):
    wiring, _ = read(SYMMETRIC[suffix], suffix)
    assert wiring.n_edges == 2
    assert wiring.directed
    assert not wiring.is_undirected
    assert not pickle.loads(pickle.dumps(wiring)).is_undirected
    assert not attach(wiring, 2, 1, rng=0).hidden.is_undirected
    with pytest.raises(ValueError, match="is directed, as its file or its reader says: orient needs an undirected"):
        orient(wiring)
    same, _ = read(SYMMETRIC[suffix], suffix, directed=False)
    assert same == wiring
    assert same.is_undirected


@pytest.mark.parametrize(("content", "suffix"), [("0 1\n1 0\n1 2\n2 1\n", ".edges"), ("0 1 0\n1 0 1\n0 1 0\n", ".txt")])
def test_what_nothing_calls_directed_is_so_by_force_alone(content: str, suffix: str):
    assert read(content, suffix)[0].is_undirected
    assert not read(content, suffix, directed=True)[0].is_undirected
    assert read(content, suffix, directed=True)[0] == read(content, suffix)[0]


@pytest.mark.parametrize("suffix", [".json", ".node-link.json", ".graphml", ".gexf", ".gml", ".net", ".edges", ".csv"])
@pytest.mark.parametrize("directed", [False, True])
@pytest.mark.parametrize("names", [None, ("a", "b", "c")])
@pytest.mark.parametrize("weights", [None, (2.0, 2.0, 3.0, 3.0)])
def test_what_is_written_is_directed_or_not_as_before(
    suffix: str, directed: bool, names: tuple[str, ...] | None, weights: tuple[float, ...] | None, tmp_path: Path
):
    edges = [(0, 1), (1, 0), (1, 2), (2, 1)]
    wiring = Wiring((3,), edges, names=names, weights=weights, directed=directed)
    write_wiring(wiring, tmp_path / f"g{suffix}")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        again = read_wiring(tmp_path / f"g{suffix}")
    assert edges_of(again) == edges_of(wiring)
    assert again.is_undirected is not directed


def test_features_and_generation_take_it_as_directed(tmp_path: Path):
    (tmp_path / "g.gml").write_text(SYMMETRIC[".gml"])
    rows, failed = features_of([tmp_path / "g.gml"], ("size",))
    assert not failed
    assert rows[0]["counts"]["directed"]
    assert rows[0]["counts"]["edges"] == 2
    code, _, said = wirenas(
        "generate", "mlp", "--graph", tmp_path / "g.gml", "--inputs", 2, "--outputs", 1, "--out", tmp_path / "o"
    )
    assert code == 2
    assert "has directed cycles" in said
    assert "wirenas generate rnn" in said
    assert "--undirected" in said


# Data of edges, quotes and headers


@pytest.mark.parametrize(
    ("data", "weight"),
    [
        ("""{'note': "it's"}""", None),
        ("""{'note': "it's", 'weight': 2.5}""", 2.5),
        (r"""{'note': 'a \'b\' "c"', 'weight': 2.5}""", 2.5),
        ('{"weight": 2.5}', 2.5),
        ('{"weight":2.5,"note":"a, b: {c}"}', 2.5),
        ("{'weight': np.float64(2.5), 'place': (1, 2), 'times': [3, 4]}", 2.5),
        ("{}", None),
    ],
)
def test_data_of_edges_as_python_and_json_write_them(data: str, weight: float | None):
    assert edges_of(read(f"0 1 {data}\n", ".edgelist")[0]) == both((0, 1), weight=weight)


def test_data_of_networkx_in_any_text():
    texts = ["it's", 'a "b"', 'it\'s "b"', "{x}", "a, 'weight': 7", "ü\\n", "#", ""]
    graph = nx.Graph()
    for number, text in enumerate(texts):
        graph.add_edge(number, number + 1, note=text, weight=number + 0.5)
    file = io.BytesIO()
    nx.write_edgelist(graph, file)
    expected = {pair: w for s, t, w in graph.edges(data="weight") for pair in ((s, t), (t, s))}
    assert edges_of(read(file.getvalue(), ".edgelist")[0]) == expected


def test_nodes_alone_stand_in_lists_of_neighbours():
    graph = nx.Graph([(0, 1, {"weight": 2}), (1, 2, {"weight": 3})])
    graph.add_nodes_from([7, 5])
    file = io.BytesIO()
    nx.write_multiline_adjlist(graph, file)
    wiring, _ = read(file.getvalue(), ".adjlist")
    assert wiring.names == (0, 1, 2, 5, 7)
    assert edges_of(wiring) == both((0, 1), weight=2) | both((1, 2), weight=3)


def test_a_cell_in_quotes_may_hold_an_end_of_line():
    table = pd.DataFrame(
        {"source": ["New\nYork", "b"], "target": ["b", "c"], "note": ["x", 'two\nlines, and "more"\n']}
    )
    wiring, _ = read(table.to_csv(index=False), ".csv")
    assert edges_of(wiring) == {("New\nYork", "b"): None, ("b", "c"): None}
    # A quote that none ends is part of a name.
    assert read('5" pipe,b\nb,c\n', ".csv")[0].names == ('5" pipe', "b", "c")
    assert read('x;"y\n' * 3, ".csv")[0].names == ("x", "y")
    assert read('a,"b\nb,c\n', ".csv")[0].names == ("a", "b", "c")


@pytest.mark.parametrize("line", ["sep=;", '"sep=;"', "SEP=;"])
def test_excel_may_name_the_separator_in_the_first_line(line: str):
    for text in (
        f"{line}\nsource;target;weight\na,1;b;0,5\n",
        f"\ufeff{line}\r\nsource;target;weight\r\na,1;b;0,5\r\n",
    ):
        assert edges_of(read(text, ".csv")[0]) == {("a,1", "b"): 0.5}
    assert edges_of(read(f"{line}\n;a;b\na;0;1\nb;0;0\n", ".csv")[0]) == {("a", "b"): None}


# Folders, archives and the command line


@pytest.mark.parametrize("kind", ["folder", "zip", "tar", "tar.gz"])
def test_tables_of_nodes_are_passed_over_in_archives_as_in_folders(kind: str, tmp_path: Path):
    folder = tmp_path / "own"
    folder.mkdir()
    (folder / "nodes.csv").write_text("Id,Label,timeset\na,A,\nb,B,\n")
    (folder / "edges.csv").write_text("Source,Target,Type\na,b,Undirected\n")
    if kind != "folder":
        shutil.make_archive(str(folder), {"tar.gz": "gztar"}.get(kind, kind), folder)
    path = folder if kind == "folder" else tmp_path / f"own.{kind}"
    with pytest.warns(GraphFileWarning, match=r"nodes.csv: a table of nodes, passed over"):
        assert GraphPool.read(path).names == ("edges.csv",)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        code, out, _ = wirenas("features", path, "--csv")
    assert code == 0
    assert "edges.csv" in out


def test_a_file_without_nodes_is_refused(tmp_path: Path):
    (tmp_path / "none.edges").write_text("# nothing\n")
    (tmp_path / "ring.edges").write_text("# Undirected graph\n0 1\n1 2\n2 0\n")
    code, out, said = wirenas("features", tmp_path / "none.edges", tmp_path / "ring.edges", "--csv")
    assert code == 2
    assert "none.edges: holds no node: there is nothing to measure" in said
    assert "ring.edges" in out
    assert "none.edges" not in out


@pytest.mark.parametrize(
    ("flag", "value", "valid"), [("--merge", "avg", "sum, max, first, error"), ("--format", "xls", "edge-list")]
)
def test_a_wrong_flag_is_called_by_its_name(flag: str, value: str, valid: str, tmp_path: Path):
    (tmp_path / "ring.edges").write_text("# Undirected graph\n0 1\n1 2\n2 0\n")
    code, _, said = wirenas("features", tmp_path / "ring.edges", flag, value)
    assert code == 2
    assert said.startswith(f"wirenas: {flag} {value}: valid are ")
    assert valid in said
