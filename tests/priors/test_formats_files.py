"""Every format: exact round trips, and the same graphs as networkx and scipy in both directions."""

import gzip
import io
import json
import subprocess
import sys
from pathlib import Path

import networkx as nx
import numpy as np
import pytest
import scipy.io
import scipy.sparse
from graph_mutations import exact_formats
from hypothesis import example, given, settings
from hypothesis import strategies as st

from priors import GraphFileWarning, Wiring, parse_wiring, read_wiring, write_wiring
from priors.formats.files import _format

SUFFIXES = exact_formats()
XML_AND_JSON = (".graphml", ".gexf", ".node-link.json")
LISTS = (".edgelist", ".edges", ".ncol", ".txt", ".dat", ".csv", ".tsv")
MATRICES = (".npz", ".mtx")


def text_of(wiring: Wiring, suffix: str) -> bytes:
    write = _format(suffix).write
    assert write is not None
    return write(wiring)


def assert_same(again: Wiring, wiring: Wiring) -> None:
    assert again == wiring
    assert again.names == wiring.names
    if wiring.n_edges:
        assert (again.weights is None) == (wiring.weights is None)
    if wiring.n_edges and wiring.weights is not None:
        assert again.weights.tobytes() == wiring.weights.tobytes()


@st.composite
def wirings(draw: st.DrawFn) -> Wiring:
    sizes = draw(st.lists(st.integers(1, 4), max_size=4))
    n = sum(sizes)
    flags = [draw(st.booleans()) and len(sizes) > 1 for _ in range(2)]
    first, last = sizes[0] if flags[0] else 0, n - sizes[-1] if flags[1] else n
    allowed = [(source, target) for source in range(n) for target in range(n) if source < last and target >= first]
    edges = draw(st.lists(st.sampled_from(allowed), unique=True)) if allowed else []
    if draw(st.booleans()) and not any(flags):
        edges = list({*edges, *((target, source) for source, target in edges)})
    weight = st.floats(width=32, allow_nan=False, allow_infinity=False) | st.just(1.0)
    weights = draw(st.none() | st.lists(weight, min_size=len(edges), max_size=len(edges)))
    name = st.text("aZé_-.:;0x", min_size=1, max_size=4).filter(lambda text: not text.isdigit()) | st.integers(-99, 99)
    name = name.filter(lambda value: type(value) is int or str(value).lstrip("-").isdigit() is False)
    names = draw(st.none() | st.lists(name, min_size=n, max_size=n, unique_by=str))
    if names == list(range(n)):
        names = None
    return Wiring(sizes, edges, *flags, weights=weights, names=names)


@settings(deadline=None, max_examples=60)
@given(wirings())
@example(Wiring((1, 2), [(0, 1), (1, 0)], weights=[0.0, -0.0]))
def test_every_format_gives_back_the_wiring(wiring: Wiring):
    for suffix in SUFFIXES:
        assert_same(parse_wiring(text_of(wiring, suffix), suffix), wiring)


@settings(deadline=None, max_examples=100)
@given(wirings())
def test_dense_matrices_hold_bare_graphs(wiring: Wiring):
    weights = None
    if wiring.weights is not None and wiring.n_edges:
        weights = np.where(np.isin(wiring.weights, (0, 1)), 2, wiring.weights)
    bare = Wiring((wiring.n_neurons,) if wiring.n_neurons else (), wiring.edges, weights=weights)
    assert_same(parse_wiring(text_of(bare, ".npy"), ".npy"), bare)
    if wiring.n_layers > 1 or wiring.names:
        with pytest.raises(ValueError, match="holds more than a matrix tells"):
            text_of(wiring, ".npy")


@pytest.mark.parametrize("suffix", [*SUFFIXES, ".graphml.gz", ".json.gz"])
def test_files_are_found_by_suffix_and_written_the_same_every_time(suffix: str, tmp_path: Path):
    wiring = Wiring((2, 2), [(0, 2), (1, 3), (3, 2)], inputs=True, weights=[1, 2, 3], names=("a", 5, "c", "d"))
    for name in (f"one{suffix}", f"two{suffix.upper()}"):
        write_wiring(wiring, tmp_path / name)
        assert_same(read_wiring(tmp_path / name), wiring)
    one, two = (path.read_bytes() for path in sorted(tmp_path.iterdir()))
    assert one == two


@pytest.mark.parametrize("suffix", [".graphml", ".gexf"])
def test_characters_of_markup_survive_in_names(suffix: str):
    names = ("<a & b>", '"quoted"', "it's", "tab\there", "line\nbreak", " blanks ", "日本", "𝒳", "")
    wiring = Wiring((9,), [(0, 8), (8, 1)], names=names)
    assert_same(parse_wiring(text_of(wiring, suffix), suffix), wiring)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_other_names_are_written_as_their_text(suffix: str):
    named = Wiring((3,), [(0, 1), (1, 2)], names=("x", None, True))
    if suffix == ".json":
        with pytest.raises(ValueError, match="names hold None"):
            text_of(named, suffix)
        return
    assert parse_wiring(text_of(named, suffix), suffix).names == ("x", "None", "True")


@pytest.mark.parametrize("suffix", [suffix for suffix in SUFFIXES if not suffix.endswith("json")])
def test_text_that_is_a_whole_number_is_a_number(suffix: str):
    if suffix in MATRICES or suffix in LISTS:
        wiring = Wiring((2,), [(0, 1)], names=("7", "a"))
        assert parse_wiring(text_of(wiring, suffix), suffix).names == ("7", "a")
        return
    assert parse_wiring(text_of(Wiring((2,), [(0, 1)], names=("7", "-0")), suffix), suffix).names == (7, "-0")
    with pytest.raises(ValueError, match="names differ, but not their text"):
        text_of(Wiring((2,), names=("7", 7)), suffix)


# networkx and scipy write, we read


def small_graphs() -> list[nx.Graph]:
    weighted = nx.DiGraph([(0, 3), (3, 1), (1, 1), (2, 0)])
    nx.set_edge_attributes(weighted, {edge: 0.5 * index - 1 for index, edge in enumerate(weighted.edges)}, "weight")
    named = nx.relabel_nodes(nx.karate_club_graph(), {0: "a", 1: "b c"})
    return [nx.watts_strogatz_graph(12, 4, 0.3, seed=1), weighted, named, nx.empty_graph(3)]


def plain(graph: nx.Graph) -> nx.Graph:
    """The graph with nodes as text, and no attributes but weights."""
    bare = graph.__class__()
    bare.add_nodes_from(map(str, graph))
    bare.add_edges_from((str(one), str(two), {k: v for k, v in d.items() if k == "weight"}) for one, two, d in
                        graph.edges(data=True))  # fmt: skip
    return bare


def as_text(wiring: Wiring) -> Wiring:
    names = range(wiring.n_neurons) if wiring.names is None else wiring.names
    return wiring.replace(names=[str(name) for name in names])


def edges_named(key: str) -> dict[str, str]:
    """Return the argument by which networkx names the edges of node-link data, which 3.4 renamed."""
    return {"link" if nx.__version__.startswith(("3.2", "3.3")) else "edges": key}


@pytest.mark.parametrize("graph", small_graphs(), ids=lambda graph: str(len(graph)))
def test_what_networkx_writes_is_read_as_the_same_graph(graph: nx.Graph):
    expected = Wiring.from_networkx(plain(graph))
    for suffix, write in ((".graphml", nx.write_graphml_xml), (".gexf", nx.write_gexf)):
        file = io.BytesIO()
        write(graph, file)
        assert_same(as_text(parse_wiring(file.getvalue(), suffix)), expected)
    for key in ("links", "edges"):
        content = json.dumps(nx.node_link_data(graph, **edges_named(key))).encode()
        assert_same(as_text(parse_wiring(content, ".json")), expected)


@pytest.mark.parametrize("data", [True, False, ["weight"]])
def test_edge_lists_of_networkx_say_no_direction(data: object):
    graph = small_graphs()[1]
    for suffix, separator in ((".edgelist", " "), (".txt", "   "), (".tsv", "\t"), (".csv", ",")):
        if data is True and separator in "\t,":
            continue
        file = io.BytesIO()
        nx.write_edgelist(graph, file, data=data, delimiter=separator)
        bare = graph if data else nx.DiGraph(list(graph.edges))
        again = parse_wiring(file.getvalue(), suffix, directed=True).to_networkx()
        assert nx.utils.graphs_equal(plain(again), plain(bare))
        with pytest.warns(GraphFileWarning, match="taken as undirected, since no pair stands there in both"):
            again = parse_wiring(file.getvalue(), suffix).to_networkx()
        # As networkx itself reads the file where nobody says that it is directed.
        assert nx.utils.graphs_equal(plain(again), plain(nx.Graph(bare).to_directed()))


def test_edge_lists_number_neurons_by_name_or_by_appearance():
    def read(content: bytes, suffix: str = ".txt") -> Wiring:
        return parse_wiring(content, suffix, directed=True)

    assert read(b"3 1\n1 20\n", ".edgelist").names == (1, 3, 20)
    assert read(b"2 1\n1 0\n", ".edgelist").names is None
    assert read(b"b 1\n1 a\n").names == ("b", 1, "a")
    assert read(b'\xef\xbb\xbf# c\nSource,Target\r\n"x,y", z # d\r\n\r\n', ".csv").names == ("x,y", "z # d")
    assert read(b"x y # a comment\n").names == ("x", "y")
    assert read(b'x#y "z # d"\n').names == ("x#y", "z # d")
    assert read(b"# only a comment\n", ".edgelist") == Wiring(())
    with pytest.warns(GraphFileWarning, match="1 edge of 2 without a weight: taken as 1"):
        assert read(b"0 1 {}\n1 2 {'a': 'x y', 'weight': 2}\n").weights.tolist() == [1, 2]
    assert read(b"0 1 {'weight': -1e-3, 'b': None}\n").weights.tolist() == [np.float32(-1e-3)]


@pytest.mark.parametrize("layout", ["csr", "csc", "coo"])
@pytest.mark.parametrize("kind", [np.int8, np.uint64, np.float32, float, bool])
def test_matrices_of_scipy_are_source_by_target(layout: str, kind: type):
    edges, values = [(0, 2), (2, 1), (3, 3)], [2, 1, 3]
    rows, columns = zip(*edges, strict=True)
    matrix = scipy.sparse.coo_array((np.array(values, kind), (rows, columns)), shape=(4, 4)).asformat(layout)
    expected = Wiring((4,), edges, weights=None if kind is bool else values)
    for one in (matrix, scipy.sparse.coo_matrix(matrix).asformat(layout)):
        file = io.BytesIO()
        scipy.sparse.save_npz(file, one)
        assert_same(parse_wiring(file.getvalue(), ".npz"), expected)
    if kind is not bool:
        file = io.BytesIO()
        scipy.io.mmwrite(file, matrix)
        assert_same(parse_wiring(file.getvalue(), ".mtx"), expected)


@pytest.mark.parametrize("graph", small_graphs(), ids=lambda graph: str(len(graph)))
def test_adjacencies_of_networkx_are_read_as_the_same_graph(graph: nx.Graph):
    expected = Wiring.from_networkx(plain(graph)).replace(names=None)
    adjacency = nx.to_scipy_sparse_array(graph)
    for suffix, write in ((".npz", scipy.sparse.save_npz), (".mtx", scipy.io.mmwrite)):
        file = io.BytesIO()
        write(file, adjacency)
        assert_same(parse_wiring(file.getvalue(), suffix), expected)


@pytest.mark.parametrize("symmetry", ["general", "symmetric", "skew-symmetric"])
@pytest.mark.parametrize("dense", [True, False])
def test_matrix_market_has_symmetries_and_arrays(symmetry: str, dense: bool):
    half = np.array([[0, 0, 0], [2.5, 0, 0], [-1, 4, 0]])
    matrix = half + {"general": 0, "symmetric": 1, "skew-symmetric": -1}[symmetry] * half.T
    file = io.BytesIO()
    scipy.io.mmwrite(file, matrix if dense else scipy.sparse.coo_array(matrix), symmetry=symmetry)
    assert f" {symmetry}\n".encode() in file.getvalue()
    again = parse_wiring(file.getvalue(), ".mtx")
    assert np.array_equal(again.csr().toarray().T, matrix)


# we write, networkx and scipy read


@pytest.mark.parametrize("weights", [None, "symmetric", "other"])
@pytest.mark.parametrize("directed", [True, False])
def test_networkx_and_scipy_read_what_is_written(weights: str | None, directed: bool, tmp_path: Path):
    graph = nx.gnp_random_graph(8, 0.4, seed=3, directed=directed)
    graph.add_edge(0, 0)
    wiring = Wiring.from_networkx(graph)
    if weights:
        source, target = wiring.edges.T.astype(float)
        wiring = wiring.replace(weights=(source + target) / 3 if weights == "symmetric" else source - target / 3)
    expected = wiring.to_networkx() if directed or weights == "other" else wiring.to_networkx().to_undirected()
    for suffix in (*XML_AND_JSON, ".edgelist", *MATRICES):
        write_wiring(wiring, tmp_path / f"graph{suffix}")
    written = str(tmp_path / "graph")
    for again in (
        nx.read_graphml(f"{written}.graphml", node_type=int),
        nx.read_gexf(f"{written}.gexf", node_type=int),
        nx.node_link_graph(json.loads(Path(f"{written}.node-link.json").read_text()), **edges_named("edges")),
    ):
        assert again.is_directed() == expected.is_directed()
        assert nx.utils.graphs_equal(plain(again), plain(expected))
    data = False if weights is None else [("weight", float)]
    again = nx.read_edgelist(f"{written}.edgelist", create_using=nx.DiGraph, nodetype=int, data=data)
    assert nx.utils.graphs_equal(plain(again), plain(wiring.to_networkx()))
    adjacency = wiring.csr().toarray().T
    assert np.array_equal(scipy.sparse.load_npz(f"{written}.npz").toarray(), adjacency)
    assert np.array_equal(scipy.io.mmread(f"{written}.mtx", spmatrix=False).toarray().astype(np.float32), adjacency)


def test_layers_and_units_are_attributes_and_notes_that_others_skip(tmp_path: Path):
    wiring = Wiring((1, 2), [(0, 1), (0, 2)], inputs=True, names=("x", "y", "z"))
    for suffix in (".graphml", ".node-link.json", ".edgelist", ".npz", ".mtx"):
        write_wiring(wiring, tmp_path / f"w{suffix}")
    graph = nx.read_graphml(tmp_path / "w.graphml")
    assert (graph.graph["inputs"], graph.graph["outputs"]) == (True, False)
    assert dict(graph.nodes(data="layer")) == {"x": 0, "y": 1, "z": 1}
    graph = nx.node_link_graph(json.loads((tmp_path / "w.node-link.json").read_text()), **edges_named("edges"))
    assert Wiring.from_networkx(graph) == wiring
    assert list(nx.read_edgelist(tmp_path / "w.edgelist").edges) == [("x", "y"), ("x", "z")]
    for matrix in (scipy.sparse.load_npz(tmp_path / "w.npz"), scipy.io.mmread(tmp_path / "w.mtx", spmatrix=False)):
        assert matrix.toarray().tolist() == [[0, 1, 1], [0, 0, 0], [0, 0, 0]]


@pytest.mark.parametrize("suffix", LISTS)
@pytest.mark.parametrize("name", ["", "#b", '"', "a,b\tc d", "a\nb", " a", "a "])
def test_names_that_a_list_cannot_hold_are_refused(suffix: str, name: str, tmp_path: Path):
    with pytest.raises(ValueError, match=r"w\..*: name .* cannot stand in a list of edges"):
        write_wiring(Wiring((2,), [(0, 1)], names=("x", name)), tmp_path / f"w{suffix}")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("suffix", LISTS)
@pytest.mark.parametrize("weights", [None, [2.0]])
def test_neurons_may_be_called_as_the_columns_are(suffix: str, weights: list[float] | None):
    wiring = Wiring((2,), [(0, 1)], weights=weights, names=("source", "Target"))
    assert_same(parse_wiring(text_of(wiring, suffix), suffix), wiring)


@pytest.mark.parametrize("suffix", [".graphml", ".gexf"])
def test_names_that_xml_cannot_hold_are_refused(suffix: str):
    with pytest.raises(ValueError, match="characters that XML cannot hold"):
        text_of(Wiring((1,), names=("a\x00",)), suffix)


@pytest.mark.parametrize("suffix", [*SUFFIXES, ".npy"])
def test_limits_hold_when_reading_and_writing(suffix: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    wiring = Wiring((4,), [(0, 1), (1, 0), (2, 3), (3, 2)])
    write_wiring(wiring, tmp_path / f"w{suffix}")
    content = (tmp_path / f"w{suffix}").read_bytes()
    for limit, value in (("MAX_EDGES", 3), ("MAX_NEURONS", 3), ("MAX_BYTES", len(content) - 1)):
        with monkeypatch.context() as patch:
            patch.setattr(f"priors.formats.limits.{limit}", value)
            with pytest.raises(ValueError, match=r"most|more than|may hold"):
                parse_wiring(content, suffix)
            with pytest.raises(ValueError, match=r"w\..*: .*a file may hold"):
                write_wiring(wiring, tmp_path / f"w{suffix}")
        monkeypatch.setattr(f"priors.formats.limits.{limit}", value + 1)
    assert_same(parse_wiring(content, suffix), wiring)


def test_compressed_files_are_whole(tmp_path: Path):
    content = gzip.compress(b"# directed\n0 1\n")
    for broken, message in ((content[:-3], "one whole file"), (content + content, "one whole"), (b"0 1\n", "gzip")):
        with pytest.raises(ValueError, match=message):
            parse_wiring(broken, ".txt.gz")
    assert parse_wiring(content, ".txt.gz") == Wiring((2,), [(0, 1)])


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_reading_needs_neither_networkx_nor_scipy(suffix: str, tmp_path: Path):
    path = tmp_path / f"w{suffix}"
    write_wiring(Wiring((1, 2), [(0, 1), (0, 2)], weights=[1, 2]), path)
    script = (
        "import sys; from priors import read_wiring; read_wiring(sys.argv[1]);"
        "sys.exit(bool({'networkx', 'scipy'} & set(sys.modules)))"
    )
    root = Path(__file__).parents[2]
    assert subprocess.run([sys.executable, "-c", script, str(path)], cwd=root, check=False).returncode == 0
