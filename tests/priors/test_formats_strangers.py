"""Graph files of other programs: what is in them, what is assumed, and that it is said."""

import io
import warnings
from pathlib import Path

import networkx as nx
import numpy as np
import pytest
import scipy.sparse
from hypothesis import given, settings
from hypothesis import strategies as st
from told_graphs import read

from predictors import TIERS, describe
from priors import MERGES, GraphFileWarning, GraphPool, Wiring, parse_wiring, read_wiring


def edges_of(wiring: Wiring) -> dict[tuple[object, object], float | None]:
    names = range(wiring.n_neurons) if wiring.names is None else wiring.names
    weights = [None] * wiring.n_edges if wiring.weights is None else wiring.weights.tolist()
    return {(names[s], names[t]): weight for (s, t), weight in zip(wiring.edges.tolist(), weights, strict=True)}


def both(*edges: tuple[object, object], weight: float | None = None) -> dict[tuple[object, object], float | None]:
    return {pair: weight for edge in edges for pair in (edge, edge[::-1])}


RING = {(0, 1): None, (1, 2): None, (2, 0): None}
GRAPHML = """<graphml xmlns="http://graphml.graphdrawing.org/xmlns"><key id="w" for="edge" attr.name="weight"
attr.type="double"/><graph edgedefault="{}"><node id="a"/><node id="b"/><node id="c"/>{}</graph></graphml>"""


def graphml(direction: str, *edges: tuple[str, str, float | None]) -> str:
    data = {None: ""}
    lines = [
        f'<edge source="{s}" target="{t}">{data.get(w, f"""<data key="w">{w}</data>""")}</edge>' for s, t, w in edges
    ]
    return GRAPHML.format(direction, "".join(lines))


# Parallel edges, directions, and weights that are missing


@pytest.mark.parametrize(("merge", "weight"), [("sum", 5.0), ("max", 4.0), ("first", 1.0)])
def test_parallel_edges_are_merged_and_that_is_said(merge: str, weight: float):
    content = graphml("directed", ("a", "b", 1), ("a", "b", 4), ("b", "a", 2))
    wiring, said = read(content, ".graphml", merge=merge)
    assert edges_of(wiring) == {("a", "b"): weight, ("b", "a"): 2}
    assert "1 parallel edge merged" in said


def test_parallel_edges_are_refused_where_that_is_asked():
    content = graphml("directed", ("a", "b", 1), ("a", "b", 4))
    with pytest.raises(ValueError, match=r"edge \('a', 'b'\) is there twice: .*--merge sum, max or first"):
        parse_wiring(content.encode(), ".graphml", merge="error")
    with pytest.raises(ValueError, match="merge='mean': valid are sum, max, first, error"):
        parse_wiring(content.encode(), ".graphml", merge="mean")


def test_the_number_of_parallel_edges_is_their_weight_where_none_has_one():
    content = graphml("directed", ("a", "b", None), ("a", "b", None), ("b", "c", None))
    wiring, said = read(content, ".graphml")
    assert edges_of(wiring) == {("a", "b"): 2, ("b", "c"): 1}
    assert "the number of edges is the weight" in said
    assert read(content, ".graphml", merge="first")[0].weights is None


def test_both_directions_in_an_undirected_file_are_one_edge():
    bare = graphml("undirected", ("a", "b", None), ("b", "a", None), ("c", "b", None))
    wiring, said = read(bare, ".graphml")
    assert edges_of(wiring) == both(("a", "b"), ("b", "c"))
    assert "1 edge in both directions, taken as undirected" in said
    mirrored = graphml("undirected", ("a", "b", 2), ("b", "a", 2), ("c", "b", 3), ("b", "c", 3))
    wiring, said = read(mirrored, ".graphml")
    assert edges_of(wiring) == both(("a", "b"), weight=2) | both(("b", "c"), weight=3)
    # Parallel edges of a pair, written either way round.
    synapses = graphml("undirected", ("a", "b", 1), ("a", "b", 4), ("b", "a", 2), ("b", "c", 2))
    wiring, said = read(synapses, ".graphml")
    assert edges_of(wiring) == both(("a", "b"), weight=7) | both(("b", "c"), weight=2)
    assert "2 parallel edges merged" in said


def test_a_direction_can_be_forced():
    content = graphml("undirected", ("a", "b", 1), ("b", "c", 2))
    assert edges_of(read(content, ".graphml", directed=True)[0]) == {("a", "b"): 1, ("b", "c"): 2}
    content = graphml("directed", ("a", "b", 1), ("b", "a", 2))
    assert edges_of(read(content, ".graphml", directed=False)[0]) == both(("a", "b"), weight=3)


def test_some_edges_may_be_directed_and_others_not():
    content = graphml("undirected", ("a", "b", None), ("b", "c", None)).replace(
        'source="b"', 'source="b" directed="true"'
    )
    wiring, said = read(content, ".graphml")
    assert edges_of(wiring) == both(("a", "b")) | {("b", "c"): None}
    assert said == ""


def test_a_missing_weight_is_one_and_never_nothing():
    wiring, said = read(graphml("directed", ("a", "b", 3), ("b", "c", None), ("c", "a", float("nan"))), ".graphml")
    assert edges_of(wiring) == {("a", "b"): 3, ("b", "c"): 1, ("c", "a"): 1}
    assert "2 edges of 3 without a weight: taken as 1" in said
    graph = nx.DiGraph([(0, 1, {"weight": 3}), (1, 2)])
    assert Wiring.from_networkx(graph).weights.tolist() == [3, 1]


GEPHI = """<gexf xmlns="http://gexf.net/1.3" version="1.3"><graph defaultedgetype="directed"><nodes><node id="a"/>
<node id="b"/><node id="c"/></nodes><edges><edge source="a" target="b" weight="3.0"/><edge source="b" target="c"/>
<edge source="c" target="a" type="undirected" weight=".5"/></edges></graph></gexf>"""


def test_gephi_leaves_out_weights_of_one_and_mixes_directions():
    wiring, said = read(GEPHI, ".gexf")
    assert edges_of(wiring) == {("a", "b"): 3, ("b", "c"): 1} | both(("c", "a"), weight=0.5)
    assert said == ""


# GML and Pajek


NEWMAN = """Creator "imitation"
graph
[
  directed 1
  node
  [
    id 0
    label "1"
  ]
  node
  [
    id 1
    label "51"
  ]
  edge
  [
    source 0
    target 1
    value 6
  ]
]
"""


def test_gml_is_read_as_networkx_does():
    wiring, said = read(NEWMAN, ".gml")
    graph = nx.parse_gml(NEWMAN)
    assert {(int(s), int(t)): data["value"] for s, t, data in graph.edges(data=True)} == edges_of(wiring)
    assert "'value' of edges, taken as their weight" in said


def test_gml_names_nodes_by_ids_where_labels_are_no_names():
    content = 'graph [ node [ id 3 label "x" ] node [ id 4 label "x" ] edge [ source 3 target 4 ] ]'
    wiring, said = read(content, ".gml")
    assert wiring.names == (3, 4)
    assert "labels that are missing or repeated" in said
    lines = 'graph [ node [ id 3 label "two\nlines &amp; more # no comment" ] # no comment\n ]'
    assert read(lines.replace(" # no comment\n ]", "\n ]"), ".gml")[0].names == ("two lines & more # no comment",)


PAJEK = """% a comment
*Network "made up"
*Vertices 4
1 "a b" 0.1 0.2 ellipse
2 "c#d"
3 plain
4 "last"
*Arcs :1 "relation"
1 2 3
1 2 1
*Edges
2 3
*Arcslist
4 1 -2
"""


def test_pajek_has_arcs_edges_and_lists():
    wiring, said = read(PAJEK.replace("\n", "\r\n"), ".net")
    edges = {("a b", "c#d"): 4, ("last", "a b"): 1, ("last", "c#d"): -1} | both(("c#d", "plain"), weight=1)
    assert edges_of(wiring) == edges
    assert "1 parallel edge merged" in said


@pytest.mark.parametrize("directed", [True, False])
def test_networkx_and_we_agree_on_gml_and_pajek(directed: bool, tmp_path: Path):
    graph = nx.gnp_random_graph(9, 0.3, seed=5, directed=directed)
    for index, edge in enumerate(graph.edges):
        graph.edges[edge]["weight"] = 0.25 * index - 1
    expected = edges_of(Wiring.from_networkx(graph))
    nx.write_gml(graph, tmp_path / "g.gml")
    nx.write_pajek(graph, tmp_path / "g.net")
    for suffix in (".gml", ".net"):
        wiring, said = read((tmp_path / f"g{suffix}").read_bytes(), suffix)
        assert {k: pytest.approx(v) for k, v in expected.items()} == edges_of(wiring)
        assert said == ""


# Lists and tables of edges


@pytest.mark.parametrize(
    ("content", "suffix", "expected", "words"),
    [
        ("# Directed graph: made up\n# FromNodeId\tToNodeId\n0\t1\n1\t2\n", ".txt", {(0, 1): None, (1, 2): None}, ""),
        ("# Undirected graph: made up\n0\t1\n1\t2\n", ".txt", both((0, 1), (1, 2)), ""),
        ("% sym unweighted\n% 3 3 3\n1 2\n2 3\n", ".edges", both((1, 2), (2, 3)), ""),
        ("% asym weighted\n1 2 5 1082040961\n2 3 7 1082040961\n", ".edges", {(1, 2): 5, (2, 3): 7}, "column 4"),
        ("% bip unweighted\n1 1\n2 1\n", ".edges", both((1, "right 1"), (2, "right 1")), "bipartite"),
        ("1,2\n2,3\n3,4\n1,4\n4,5\n", ".edges", both((1, 2), (2, 3), (3, 4), (1, 4), (4, 5)), "taken as undirected"),
        ("a b\nb a\nb c\n", ".edges", {("a", "b"): None, ("b", "a"): None, ("b", "c"): None}, "taken as directed"),
        ('"from","to"\n"1","2"\n"2","3"\n', ".csv", {(1, 2): None, (2, 3): None}, "'from', 'to', taken as directed"),
        ("FromNodeId,ToNodeId\n1,2\n", ".csv", {(1, 2): None}, "taken as directed"),
        ("bodyId_pre,bodyId_post,roi,weight\n7,8,A,3\n", ".csv", {(7, 8): 3}, "column 'roi', which is not read"),
        ("pre_root_id;post_root_id;syn_count\n7;8;3\n8;7;1\n", ".csv", {(7, 8): 3, (8, 7): 1}, "taken as directed"),
        ("Neuron 1,Neuron 2,Type,Nbr\nADAR,ADAL,EJ,1\nADFL,ADAR,EJ,2\n", ".csv",
         both(("ADAR", "ADAL"), weight=1) | both(("ADFL", "ADAR"), weight=2), "'Type'"),
        ("node_1,node_2\na,b\nb,c\n", ".csv", both(("a", "b"), ("b", "c")), "taken as undirected"),
        ("Source;Target;Type;Id;Label;timeset;Weight\na;b;Directed;0;;;1,5\nb;c;Undirected;1;;;2\n", ".csv",
         {("a", "b"): 1.5} | both(("b", "c"), weight=2), "columns 'Id', 'Label', 'timeset', which are not read"),
        (",source,target,weight\n0,x,y,2\n1,y,x,1\n", ".csv", {("x", "y"): 2, ("y", "x"): 1}, "taken as directed"),
        ("New York,Los Angeles,3\nBoston,New York,1\n", ".csv",
         both(("New York", "Los Angeles"), weight=3) | both(("Boston", "New York"), weight=1), "taken as undirected"),
        ("a#1,b # 2\nb # 2,c\nc,d\n", ".csv", both(("a#1", "b # 2"), ("b # 2", "c"), ("c", "d")), "undirected"),
        ('"a b" "c # d"\n', ".txt", both(("a b", "c # d")), "undirected"),
        ("0\t1\t0,5\n1\t2\t1,5\n", ".tsv", both((0, 1), weight=0.5) | both((1, 2), weight=1.5), "undirected"),
        ("0 1 2 3\n1 3\n", ".adjlist", both((0, 1), (0, 2), (0, 3), (1, 3)), "undirected"),
        ("4 3\n0 1\n1 2\n2 3\n", ".edgelist", both((0, 1), (1, 2), (2, 3)), "line 1, taken as the numbers of nodes"),
        ("3\n0 1\n1 2\n2 0\n", ".edges", both((0, 1), (1, 2), (2, 0)), "line 1, which holds a number alone"),
        ("region_i,region_j,corr\n1,2,-0.5\n2,3,0.25\n", ".csv", both((1, 2), weight=-0.5) | both((2, 3), weight=0.25),
         "column 'corr', taken as weight"),
        ("source,target,year\na,b,1999\n", ".csv", {("a", "b"): None}, "column 'year', which is not read"),
        ("AVAL AVAR 3 S\nAVAR AVBL 2 S\n", ".txt",
         both(("AVAL", "AVAR"), weight=3) | both(("AVAR", "AVBL"), weight=2), "column 4, which is not read"),
    ],
)  # fmt: skip
def test_lists_and_tables(content: str, suffix: str, expected: dict[tuple[object, object], float | None], words: str):
    for text in (content, "\ufeff" + content.replace("\n", "\r\n")):
        wiring, said = read(text, suffix)
        assert edges_of(wiring) == expected
        assert words in said if words else said == ""


def test_text_of_other_encodings():
    wiring, said = read("Zürich;Genève\nGenève;Bern\n".encode("latin-1"), ".csv")
    assert wiring.names == ("Zürich", "Genève", "Bern")
    assert "taken as Latin-1" in said
    assert read("from\tto\nä\tb\n".encode("utf-16"), ".txt")[0].names == ("ä", "b")


def test_konect_has_no_suffix(tmp_path: Path):
    (tmp_path / "out.moreno-made_up").write_text("% asym unweighted\n1 2\n2 1\n")
    assert edges_of(read_wiring(tmp_path / "out.moreno-made_up")) == {(1, 2): None, (2, 1): None}


def test_a_table_of_nodes_is_none_of_edges(tmp_path: Path):
    (tmp_path / "nodes.csv").write_text("Id,Label,timeset\na,A,\nb,B,\n")
    with pytest.raises(ValueError, match=r"nodes.csv: is a table of nodes, .*give the table of edges"):
        read_wiring(tmp_path / "nodes.csv")
    (tmp_path / "edges.csv").write_text("Source,Target,Type\na,b,Undirected\n")
    with pytest.warns(GraphFileWarning, match=r"nodes.csv: a table of nodes, passed over"):
        assert GraphPool.read(tmp_path).names == ("edges.csv",)


# Matrices


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("0,1,0\n0,0,1\n1,0,0\n", RING),
        ("0 1 0\n0 0 1\n1 0 0\n", RING),
        ("0;1;0\n0;0;1\n1;0;0\n", RING),
        ("0\t1\n0\t0\n", {(0, 1): None}),
        ("0,0.5\n-1.5,0\n", {(0, 1): 0.5, (1, 0): -1.5}),
        ("0;0,5\n1,5;0\n", {(0, 1): 0.5, (1, 0): 1.5}),
        ("0 2 0\n0 0 3\n4 0 0\n", {(0, 1): 2, (1, 2): 3, (2, 0): 4}),
        (",a,b\na,0,1\nb,0,0\n", {("a", "b"): None}),
        (",a,b\nb,0,1\na,0,0\n", {("b", "b"): None}),
        ("a,b,c\n0,1,0\n0,0,1\n1,0,0\n", {("a", "b"): None, ("b", "c"): None, ("c", "a"): None}),
        ("a 0 1 0\nb 0 0 1\nc 1 0 0\n", {("a", "b"): None, ("b", "c"): None, ("c", "a"): None}),
        (",0,1,2\n0,0,1,0\n1,0,0,1\n2,1,0,0\n", RING),
        ("x,a,b,c\na,0,1,\nb,,0,1\nc,1,,0\n", {("a", "b"): None, ("b", "c"): None, ("c", "a"): None}),
        ("0.0e+00 1.0e+00\nnan 0.0e+00\n", {(0, 1): None}),
    ],
)
def test_matrices_as_text(content: str, expected: dict[tuple[object, object], float | None]):
    for suffix in (".csv", ".txt", ".tsv", ".dat"):
        wiring, said = read(content, suffix)
        assert edges_of(wiring) == expected
        assert "a matrix of" in said


def test_a_list_that_might_be_a_matrix_is_not_guessed():
    for content in ("0 1\n1 2\n", "0 1 5\n1 2 3\n2 4 1\n"):
        with pytest.raises(ValueError, match="--format matrix or --format edge-list decides"):
            parse_wiring(content.encode(), ".txt")
    # A suffix that says what it is, weights that no matrix of whole numbers has, or a fourth row leave no doubt.
    assert edges_of(read("0 1\n1 2\n", ".edgelist")[0]) == both((0, 1), (1, 2))
    assert edges_of(read("0 1\n1 2\n2 3\n", ".txt")[0]) == both((0, 1), (1, 2), (2, 3))


def test_a_format_can_be_forced(tmp_path: Path):
    (tmp_path / "g.txt").write_text("0 1\n1 2\n")
    with pytest.warns(GraphFileWarning, match="a matrix of 2 rows"):
        assert edges_of(read_wiring(tmp_path / "g.txt", format="matrix")) == {(0, 1): 1, (1, 0): 1, (1, 1): 2}
    with pytest.warns(GraphFileWarning, match="taken as undirected"):
        assert edges_of(read_wiring(tmp_path / "g.txt", format="edge-list")) == both((0, 1), (1, 2))
    with pytest.raises(ValueError, match=r"g.txt: format='xls': valid are .*edge-list.*matrix"):
        read_wiring(tmp_path / "g.txt", format="xls")


def test_arrays_of_numpy(tmp_path: Path):
    matrix = np.array([[0, 2.5, 0], [0, 0, np.nan], [-1, 0, 0]])
    expected = {(0, 1): 2.5, (2, 0): -1}
    np.save(tmp_path / "m.npy", matrix)
    np.savez(tmp_path / "m.npz", connectome=matrix)
    np.savez_compressed(tmp_path / "c.npz", matrix.T.copy(order="F").T)
    for name in ("m.npy", "m.npz", "c.npz"):
        with pytest.warns(GraphFileWarning, match="1 NaN among its entries"):
            assert edges_of(read_wiring(tmp_path / name)) == expected
    np.save(tmp_path / "edges.npy", np.array([[0, 1, 2], [1, 2, 0]]))
    with pytest.warns(GraphFileWarning, match=r"shape \(2, 3\), taken as a list of edges"):
        assert edges_of(read_wiring(tmp_path / "edges.npy", directed=True)) == RING


def test_duplicates_of_a_sparse_matrix_are_added_as_scipy_does(tmp_path: Path):
    matrix = scipy.sparse.coo_array(([1.0, 2.0, 4.0], ([0, 0, 1], [1, 1, 2])), shape=(3, 3))
    scipy.sparse.save_npz(tmp_path / "m.npz", matrix)
    with pytest.warns(GraphFileWarning, match="1 parallel edge merged"):
        wiring = read_wiring(tmp_path / "m.npz")
    assert np.array_equal(wiring.csr().toarray().T, matrix.toarray())


# JSON of other programs


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        ('{"nodes": [{"name": "x"}, {"name": "y"}], "links": [{"source": 0, "target": 1, "value": 3}]}',
         both((0, 1), weight=3)),
        ('{"elements": {"nodes": [{"data": {"id": "a"}}, {"data": {"id": "b"}}], '
         '"edges": [{"data": {"source": "a", "target": "b", "weight": 2}}]}}', both(("a", "b"), weight=2)),
        ('{"elements": [{"data": {"id": "a"}}, {"data": {"id": "b"}}, {"data": {"source": "a", "target": "b"}}]}',
         both(("a", "b"))),
        ('{"nodes": [{"id": 1}, {"id": 2}], "edges": [{"from": 1, "to": 2}]}', both((1, 2))),
        ('{"graph": {"nodes": {"a": {}, "b": {}}, "edges": [{"source": "a", "target": "b"}]}}', {("a", "b"): None}),
        ('{"directed": true, "multigraph": true, "nodes": [{"id": 0}, {"id": 1}], "edges": '
         '[{"source": 0, "target": 1, "key": 0, "weight": 2}, {"source": 0, "target": 1, "key": 1}]}', {(0, 1): 3}),
    ],
)  # fmt: skip
def test_json_of_others(document: str, expected: dict[tuple[object, object], float | None]):
    assert edges_of(read(document, ".json")[0]) == expected


# The same graph in every way of writing it


@st.composite
def graphs(draw: st.DrawFn) -> nx.Graph:
    kind = nx.DiGraph if draw(st.booleans()) else nx.Graph
    n = draw(st.integers(4, 9))
    pairs = [(i, j) for i in range(n) for j in range(n)]
    graph = kind()
    graph.add_nodes_from(range(n))
    graph.add_edges_from(draw(st.lists(st.sampled_from(pairs), min_size=5, max_size=20, unique=True)))
    # No neuron is left out of a list of edges.
    graph.add_edges_from((node, (node + 1) % n) for node in list(nx.isolates(graph)))
    for index, edge in enumerate(graph.edges):
        graph.edges[edge]["weight"] = draw(st.integers(1, 8)) / 4 + (index == 0)
    return graph


@settings(deadline=None, max_examples=60)
@given(graphs())
def test_networkx_scipy_and_pandas_are_read_as_the_same_graph(graph: nx.Graph):
    expected = edges_of(Wiring.from_networkx(graph))
    directed = graph.is_directed()
    texts: list[tuple[str, bytes]] = []
    for suffix, write in ((".gml", nx.write_gml), (".graphml", nx.write_graphml_xml), (".gexf", nx.write_gexf),
                          (".net", nx.write_pajek), (".edgelist", nx.write_weighted_edgelist),
                          (".edges", nx.write_edgelist)):  # fmt: skip
        file = io.BytesIO()
        write(graph, file)
        texts.append((suffix, file.getvalue()))
    table = nx.to_pandas_edgelist(graph)
    texts += [(".csv", table.to_csv(index=False).encode()), (".csv", table.to_csv(sep=";", decimal=",").encode())]
    adjacency = nx.to_pandas_adjacency(graph)
    texts += [(".csv", adjacency.to_csv().encode()), (".tsv", adjacency.to_csv(sep="\t").encode())]
    for write in (np.save, np.savez):
        file = io.BytesIO()
        write(file, nx.to_numpy_array(graph))
        texts.append((".npy" if write is np.save else ".npz", file.getvalue()))
    file = io.StringIO()
    np.savetxt(file, nx.to_numpy_array(graph))
    texts.append((".txt", file.getvalue().encode()))
    for suffix, content in texts:
        is_matrix = content in [text for name, text in texts[-5:]]
        wiring, _ = read(content, suffix, directed=None if is_matrix else directed)
        assert edges_of(wiring) == expected, suffix


@settings(deadline=None, max_examples=60)
@given(graph=graphs())
def test_igraph_is_read_as_the_same_graph(graph: nx.Graph, tmp_path_factory: pytest.TempPathFactory):
    igraph = pytest.importorskip("igraph")
    expected = edges_of(Wiring.from_networkx(graph))
    one = igraph.Graph(n=len(graph), edges=list(graph.edges), directed=graph.is_directed())
    one.es["weight"] = [weight for *_, weight in graph.edges(data="weight")]
    folder = tmp_path_factory.mktemp("igraph")
    for suffix, kind in ((".graphml", "graphml"), (".gml", "gml"), (".net", "pajek")):
        one.write(str(folder / f"g{suffix}"), format=kind)
        wiring, _ = read((folder / f"g{suffix}").read_bytes(), suffix)
        found = {(int(str(s).lstrip("n")), int(str(t).lstrip("n"))): w for (s, t), w in edges_of(wiring).items()}
        shift = 1 if suffix == ".net" else 0
        assert {(s - shift, t - shift): w for (s, t), w in found.items()} == expected, suffix


@pytest.mark.parametrize("seed", range(3))
def test_an_undirected_graph_has_equal_features_in_every_format(seed: int, tmp_path: Path):
    graph = nx.watts_strogatz_graph(64, 8, 0.2, seed=seed)
    nx.write_graphml(graph, tmp_path / "g.graphml")
    nx.write_edgelist(graph, tmp_path / "g.edgelist", data=False)
    nx.write_gml(graph, tmp_path / "g.gml")
    np.save(tmp_path / "g.npy", nx.to_numpy_array(graph))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", GraphFileWarning)
        wirings = [read_wiring(path) for path in sorted(tmp_path.iterdir())]
    rows = describe(wirings, TIERS)
    for row in rows[1:]:
        np.testing.assert_array_equal(row, rows[0])


def test_what_was_assumed_of_many_files_is_said_once(tmp_path: Path):
    for index in range(5):
        (tmp_path / f"{index}.edges").write_text("".join(f"{node} {node + 1}\n" for node in range(index + 2)))
    with pytest.warns(GraphFileWarning, match=r"0.edges and 4 other files alike: edges taken as undirected") as said:
        GraphPool.read(tmp_path)
    assert len(said) == 1
    assert said[0].filename == __file__


def test_large_connectomes_are_read(tmp_path: Path):
    """As large as a larva's brain: 3,000 neurons as an array of double precision, and 800 as a labelled matrix."""
    rng = np.random.default_rng(0)
    matrix = np.where(rng.random((3000, 3000)) < 0.012, rng.integers(1, 9, (3000, 3000)), 0)
    np.save(tmp_path / "m.npy", matrix.astype(float))
    array = read_wiring(tmp_path / "m.npy")
    assert array.n_neurons == 3000
    assert array.n_edges == np.count_nonzero(matrix)
    corner = matrix[:800, :800]
    rows = [f"n{i},{','.join(row)}\r\n" for i, row in enumerate(corner.astype(str).tolist())]
    (tmp_path / "m.csv").write_text(f",{','.join(f'n{i}' for i in range(800))}\r\n" + "".join(rows), newline="")
    with pytest.warns(GraphFileWarning, match="a matrix of 800 rows with labels"):
        table = read_wiring(tmp_path / "m.csv")
    inside = (array.edges < 800).all(axis=1)
    assert np.array_equal(table.edges, array.edges[inside])
    assert np.array_equal(table.weights, array.weights[inside])
    assert table.n_edges == np.count_nonzero(corner)
    assert table.names[0] == "n0"


def test_every_way_to_merge_is_known():
    assert MERGES == ("sum", "max", "first", "error")
