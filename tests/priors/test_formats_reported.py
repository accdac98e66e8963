"""Graph files that people brought to similar software: small inputs of our own that imitate them, each with its source.

The right value is what the format's specification or an independent reader (named where it is not obvious) says.
"""
# ruff: noqa: E501 (files are better read as they are)

import warnings
from dataclasses import dataclass
from pathlib import Path

import pytest

from priors import GraphFileWarning, read_wiring

Edges = dict[tuple[str | int, str | int], float | None]


def both(edges: Edges) -> Edges:
    return edges | {(target, source): weight for (source, target), weight in edges.items()}


def plain(*edges: tuple[str | int, str | int]) -> Edges:
    return dict.fromkeys(edges)


@dataclass(frozen=True)
class Case:
    """One report: what came, and what is right.

    `says` is a word that what was said of the file must hold; "" where nothing is assumed. `refused` is a word of the
    line that refuses it.
    """

    name: str
    source: str
    file: str
    content: str
    edges: Edges | None = None
    nodes: int | None = None
    says: str = ""
    refused: str = ""


GEXF = '<gexf xmlns="http://www.gexf.net/1.2draft" version="1.2"><graph defaultedgetype="{}"><nodes>{}</nodes><edges>{}</edges></graph></gexf>'
GRAPHML = '<graphml xmlns="http://graphml.graphdrawing.org/xmlns">{}<graph edgedefault="{}">{}</graph></graphml>'
ABC = '<node id="a"/><node id="b"/><node id="c"/>'
WEIGHT = '<key id="d0" for="edge" attr.name="weight" attr.type="double"/>'
YED = (
    '<key for="node" id="d2" yfiles.type="nodegraphics"/><key attr.name="value" attr.type="string" for="node" id="d1"/>'
)

CASES = (
    Case(
        "gephi leaves out weights of 1",
        "https://github.com/gephi/gephi/issues/862",
        "g.gexf",
        GEXF.format("directed", ABC, '<edge source="a" target="b" weight="2.5"/><edge source="b" target="c"/>'),
        {("a", "b"): 2.5, ("b", "c"): 1},
    ),
    Case(
        "gephi writes a default of mixed",
        "https://github.com/gephi/gephi/issues/570",
        "g.gexf",
        GEXF.format("mixed", ABC, '<edge source="a" target="b" type="directed"/><edge source="b" target="c" type="undirected"/>'),
        plain(("a", "b"), ("b", "c"), ("c", "b")),
    ),
    Case(
        "gephi writes a weight without declaring an attribute",
        "https://github.com/gephi/gephi/issues/321",
        "g.gexf",
        GEXF.format("directed", ABC, '<edge source="a" target="b" weight="3"/><edge source="b" target="c" weight="4"/>'),
        {("a", "b"): 3, ("b", "c"): 4},
    ),
    Case(
        "an edge of weight 0 is an edge",
        "https://github.com/gephi/gephi/issues/1945",
        "g.gexf",
        GEXF.format("directed", ABC, '<edge source="a" target="b" weight="0"/><edge source="b" target="c" weight="4"/>'),
        {("a", "b"): 0, ("b", "c"): 4},
    ),
    Case(
        "the same edge twice in gexf: weights are added, and that is said",
        "https://github.com/gephi/gephi/issues/859",
        "g.gexf",
        GEXF.format("undirected", ABC, '<edge source="a" target="b" weight="2"/><edge source="a" target="b" weight="1"/>'),
        both({("a", "b"): 3}),
        3,
        "1 parallel edge merged",
    ),
    Case(
        "a table with the id of edges first",
        "https://github.com/gephi/gephi/issues/1243",
        "g.csv",
        "id,source,target,weight\n1,1,2,0.93\n2,2,3,0.5\n",
        {(1, 2): 0.93, (2, 3): 0.5},
        says="'source', 'target', taken as directed",
    ),
    Case(
        "the third column of .edges is a weight and no node",
        "https://github.com/gephi/gephi/issues/977",
        "g.edges",
        "1 2 10\n2 1 20\n2 3 30\n",
        {(1, 2): 10, (2, 1): 20, (2, 3): 30},
        3,
        "taken as directed",
    ),
    Case(
        "the weight of gml",
        "https://github.com/gephi/gephi/issues/296",
        "g.gml",
        'graph [ directed 1 node [ id 1 label "x" ] node [ id 2 label "y" ] edge [ source 1 target 2 weight 7.5 ] ]',
        {("x", "y"): 7.5},
    ),
    Case(
        "an edge twice in gml",
        "https://github.com/networkx/networkx/issues/2383",
        "polblogs.gml",
        'graph [ directed 1 node [ id 1 label "x" ] node [ id 2 label "y" ] edge [ source 1 target 2 ] edge [ source 1 target 2 ] ]',
        {("x", "y"): 2},
        says="1 parallel edge merged",
    ),
    Case(
        "gml without labels",
        "https://github.com/networkx/networkx/issues/3157",
        "karate.gml",
        'Creator "by hand"\ngraph\n[\n  node\n  [\n    id 1\n  ]\n  node\n  [\n    id 2\n  ]\n  edge\n  [\n    source 2\n    target 1\n  ]\n]\n',
        both(plain((1, 2))),
    ),
    Case(
        "gml with a list that begins beside the end of another",
        "https://github.com/yy/netsci-course/issues/23",
        "dolphins.gml",
        'Creator "by hand"\ngraph [\n  directed 0\n  node   [\n    id 0\n    label "Beak"\n  ]   node\n  [\n    id 1\n    label "Fork"\n  ]\n'
        "  edge [\n source 0\n target 1\n ]\n]\n",
        both(plain(("Beak", "Fork"))),
    ),
    Case(
        "gml with a first line of its creator",
        "https://github.com/networkx/networkx/issues/248",
        "g.gml",
        'Creator "somebody on a Wednesday"\ngraph [ node [ id 0 label "a" ] node [ id 1 label "b" ] edge [ source 0 target 1 ] ]',
        both(plain(("a", "b"))),
    ),
    Case(
        "gml with labels that are no texts in quotes",
        "https://github.com/networkx/networkx/issues/2362",
        "g.gml",
        "graph [ node [ id 0 label 1203 ] node [ id 1 label 7 ] edge [ source 0 target 1 ] ]",
        both(plain((1203, 7))),
    ),
    Case(
        "gml with ids that are words",
        "https://github.com/networkx/networkx/issues/3157",
        "wikipedia.gml",
        "graph [ node [ id n42 ] node [ id n43 ] edge [ source n42 target n43 ] ]",
        both(plain(("n42", "n43"))),
    ),
    Case(
        "pajek with an attribute of numbers before the names",
        "https://github.com/igraph/igraph/issues/73",
        "g.net",
        '*vertices 3\n1 98 "a"\n2 11 "b"\n3 38 "c d"\n*arcs\n1 2 3\n2 1 1\n3 1 8\n',
        {(98, 11): 3, (11, 98): 1, (38, 98): 8},
    ),
    Case(
        "pajek with blanks, commas and signs in quotes",
        "https://github.com/socnetv/app/issues/233",
        "g.net",
        '*Network Labels\n\n*Vertices 2\n1 "Bureau of This, That, & Other"\n2 "Bureau # 2"\n\n*Arcs\n1 2 1\n',
        plain(("Bureau of This, That, & Other", "Bureau # 2")),
    ),
    Case(
        "pajek with names without quotes and with coordinates",
        "https://github.com/socnetv/app/issues/73",
        "g.net",
        "*vertices 3\n1 0 0.275 0.95 ellipse\n2 1 0.05 0.5 ellipse\n3 2 0.5 0.5 ellipse\n*arcs\n1 2 1.0\n1 3 1.0\n",
        plain((0, 1), (0, 2)),
    ),
    Case(
        "pajek's lists of arcs may hold negative ones",
        "https://github.com/igraph/igraph/pull/2604",
        "g.net",
        "*Vertices 3\n*Arcslist\n1 2 -3\n",
        {(1, 2): 1, (1, 3): -1},
        3,
    ),
    Case(
        "pajek with several relations",
        "https://github.com/igraph/igraph/issues/2412",
        "g.net",
        '*Vertices 3\n*Arcslist :1 "hypernym pointers"\n1 2 3\n*Arcs :8 "verbs"\n8: 2 3\n1: 1 2 4\n',
        {(1, 2): 5, (1, 3): 1, (2, 3): 1},
        3,
        "1 parallel edge merged",
    ),
    Case(
        "pajek's edges have no direction, its arcs have one",
        "https://github.com/networkx/networkx/issues/7640",
        "g.net",
        "*Vertices 3\n*edges\n1 2\n*arcs\n2 3\n",
        plain((1, 2), (2, 1), (2, 3)),
    ),
    Case(
        "addresses with # are names",
        "https://github.com/networkx/networkx/issues/3624",
        "g.edgelist",
        "http://x.org/a http://x.org/domain.owl#Afford\nhttp://x.org/b http://x.org/domain.owl#Afford\n",
        both(plain(("http://x.org/a", "http://x.org/domain.owl#Afford"), ("http://x.org/b", "http://x.org/domain.owl#Afford"))),
        3,
        "taken as undirected",
    ),
    Case(
        "words with # are names",
        "https://github.com/networkx/networkx/issues/4989",
        "g.txt",
        "c# java {}\njava f# {}\nf# c# {}\n",
        both(plain(("c#", "java"), ("java", "f#"), ("f#", "c#"))),
        3,
        "taken as undirected",
    ),
    Case(
        "SNAP's head of an undirected graph",
        "https://github.com/sbeamer/gapbs/pull/33",
        "friends.txt",
        "# Undirected graph: ../output/friends.txt\n# Friends\n# Nodes: 3 Edges: 2\n# FromNodeId    ToNodeId\n101     102\n102     104\n",
        both(plain((101, 102), (102, 104))),
    ),
    Case(
        "pandas' index, and columns i, j and w",
        "https://github.com/lorenzodallamico/EDRep",
        "citation.edges",
        "Unnamed: 0,i,j,w\n0,0x1,0x1007,1\n1,0x1,0x100b,2\n",
        both({("0x1", "0x1007"): 1, ("0x1", "0x100b"): 2}),
        3,
        "columns 'i', 'j', taken as source and target",
    ),
    Case(
        "a list of neighbours in csv is no list of edges",
        "https://gephi.org/users/supported-graph-formats/csv-format",
        "g.csv",
        "a;b\nb;c;d\n",
        refused="--format adjacency-list",
    ),
    Case(
        "a matrix with labels and semicolons",
        "https://gephi.org/users/supported-graph-formats/csv-format",
        "g.csv",
        ";A;B;C\nA;0;1;0\nB;1;0;0\nC;0;0;1\n",
        plain(("A", "B"), ("B", "A"), ("C", "C")),
        says="a matrix of 3 rows with labels",
    ),
    Case(
        "a table of edges with labels of edges",
        "https://gephi.org/users/supported-graph-formats/spreadsheet",
        "edges.csv",
        'Source;Target;Label\nA;B;"Edge from A to B"\nC;A;"Edge from C to A"\n',
        plain(("A", "B"), ("C", "A")),
        says="column 'Label', which is not read",
    ),
    Case(
        "a table of nodes",
        "https://gephi.org/users/supported-graph-formats/spreadsheet",
        "nodes.csv",
        'Id;Label\nA;"Node A"\nB;"Node B"\n',
        refused="give the table of edges",
    ),
    Case(
        "columns of a matrix in another order than its rows",
        "https://github.com/networkx/networkx/issues/3105",
        "g.csv",
        ",A,C,B\nA,0,5,1\nB,0,0,0\nC,0,0,2\n",
        {("A", "B"): 1, ("A", "C"): 5, ("C", "B"): 2},
        says="with labels",
    ),
    Case(
        "labels that are numbers, and not those of the rows",
        "https://github.com/networkx/networkx/issues/7407",
        "g.csv",
        ",1010001,2,1\n1010001,0,1,0\n2,0,0,1\n1,1,0,0\n",
        plain((1010001, 2), (2, 1), (1, 1010001)),
        says="with labels",
    ),
    Case(
        "a matrix of whole numbers is one of weights",
        "https://github.com/networkx/networkx/issues/1249",
        "g.csv",
        ",0,1\n0,0,2\n1,1,0\n",
        {(0, 1): 2, (1, 0): 1},
        says="a matrix of 2 rows",
    ),
    Case(
        "a matrix that is not symmetric keeps both directions",
        "https://github.com/networkx/networkx/issues/2828",
        "g.txt",
        "0. 0.5 0.5 0.\n1. 0. 0. 0.\n0.8 0. 0. 0.2\n0. 0. 1. 0.\n",
        {(0, 1): 0.5, (0, 2): 0.5, (1, 0): 1, (2, 0): 0.8, (2, 3): 0.2, (3, 2): 1},
        says="a matrix of 4 rows",
    ),
    Case(
        "NaN in a connectome is no edge",
        "https://github.com/nilearn/nilearn/pull/2166",
        "g.csv",
        "nan,0.5\n0.5,nan\n",
        {(0, 1): 0.5, (1, 0): 0.5},
        says="a matrix of 2 rows",
    ),
    Case(
        "a matrix with its labels in a comment",
        "https://github.com/socnetv/app/issues/158",
        "g.csv",
        "# Alice, Bob, Charlie\n0, 1, 1\n1, 0, 0\n1, 0, 0\n",
        plain((0, 1), (0, 2), (1, 0), (2, 0)),
        says="a matrix of 3 rows",
    ),
    Case(
        "Network Repository's banner has one sign",
        "https://github.com/JuliaSparse/MatrixMarket.jl/issues/37",
        "bio.mtx",
        "%MatrixMarket matrix coordinate pattern symmetric\n3 3 2\n2 1\n3 2\n",
        both(plain((0, 1), (1, 2))),
    ),
    Case(
        "a file without a banner is no Matrix Market file",
        "https://github.com/nkahmed/PGD/issues/3",
        "kc.mtx",
        "%% Karate Club Graph\n34 34 78\n0 1\n0 2\n",
        refused="%%MatrixMarket matrix coordinate",
    ),
    Case(
        "source, target, and a loop",
        "https://github.com/benmaier/netwulf/issues/6",
        "g.csv",
        "source,target\nnode1,node2\nnode2,node1\nnode5,node5\n",
        plain(("node1", "node2"), ("node2", "node1"), ("node5", "node5")),
        3,
        "taken as directed",
    ),
    Case(
        "KONECT's weights and times",
        "http://dynamic-networks.org/use_cases/konect/README.html",
        "out.made-up",
        "% asym posweighted\n1 2\t 3  1082040961\n2 1 1 1082040962\n",
        {(1, 2): 3, (2, 1): 1},
        says="column 4, which is not read",
    ),
    Case(
        "edges with ids of their own are parallel edges",
        "https://github.com/networkx/networkx/pull/3763",
        "g.graphml",
        GRAPHML.format(WEIGHT, "directed", ABC + '<edge id="e1" source="a" target="b"><data key="d0">1</data></edge>'
                       '<edge id="e2" source="a" target="b"><data key="d0">2</data></edge>'),
        {("a", "b"): 3},
        3,
        "1 parallel edge merged",
    ),
    Case(
        "one id for a key of nodes and a key of edges, and two undirected edges",
        "https://github.com/constellation-app/constellation/issues/2307",
        "g.graphml",
        GRAPHML.format('<key id="Type" for="node" attr.name="Type"/><key id="Type" for="edge" attr.name="Type"/>', "undirected",
                       '<node id="n0"><data key="Type">node</data></node><node id="n1"/>'
                       '<edge source="n0" target="n1" id="e0"><data key="Type">edge</data></edge><edge source="n0" target="n1" id="e1"/>'),
        both({("n0", "n1"): 2}),
        says="the number of edges is the weight",
    ),
    Case(
        "Neo4j declares no keys",
        "https://github.com/neo4j-contrib/neo4j-apoc-procedures/issues/295",
        "g.graphml",
        GRAPHML.format("", "directed", '<node id="n1" labels=":P"><data key="labels">:P</data></node><node id="n2"/>'
                       '<edge id="e0" source="n1" target="n2" label="KNOWS"><data key="weight">0.5</data></edge>'),
        {("n1", "n2"): 0.5},
    ),
    Case(
        "yEd's graphics are passed over",
        "https://github.com/jexp/neo4j-shell-tools/issues/49",
        "g.graphml",
        GRAPHML.format(YED, "directed", '<node id="n0"><data key="d1"/><data key="d2"><y:ShapeNode xmlns:y="http://y"><y:Geometry '
                       'height="45.0"/></y:ShapeNode></data></node><node id="n1"/><edge source="n0" target="n1"/>'),
        plain(("n0", "n1")),
    ),
    Case(
        "links under their older name",
        "https://github.com/networkx/networkx/issues/8611",
        "g.json",
        '{"directed": true, "multigraph": false, "graph": {}, "nodes": [{"id": 0}, {"id": 1}], "links": [{"source": 0, "target": 1}]}',
        plain((0, 1)),
    ),
    Case(
        "D3's links by name",
        "https://github.com/networkx/networkx/issues/2328",
        "miserables.json",
        '{"nodes": [{"id": "Myriel", "group": 1}, {"id": "Napoleon", "group": 1}], "links": [{"source": "Napoleon", "target": "Myriel", "value": 4}]}',
        both({("Napoleon", "Myriel"): 4}),
        says="'value' of links, taken as their weight",
    ),
    Case(
        "older links by the place of nodes",
        "https://github.com/networkx/networkx/issues/1951",
        "g.json",
        '{"directed": false, "graph": [], "nodes": [{"id": "k"}, {"id": "l"}], "links": [{"source": 0, "target": 1}], "multigraph": false}',
        both(plain(("k", "l"))),
        says="links between places of nodes",
    ),
    Case(
        "a multigraph in node-link data",
        "https://github.com/networkx/networkx/pull/828",
        "g.json",
        '{"directed": true, "multigraph": true, "graph": {}, "nodes": [{"id": 1}, {"id": 2}], "edges": '
        '[{"source": 1, "target": 2, "key": 0}, {"source": 1, "target": 2, "key": 1}, {"source": 2, "target": 1, "key": 0}]}',
        {(1, 2): 2, (2, 1): 1},
        says="1 parallel edge merged",
    ),
)  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_what_people_brought(case: Case, tmp_path: Path):
    path = tmp_path / case.file
    path.write_text(case.content, encoding="utf-8")
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        if case.refused:
            with pytest.raises(ValueError, match=f"^{path}: .*{case.refused}"):
                read_wiring(path)
            return
        wiring = read_wiring(path)
    assert all(one.category is GraphFileWarning for one in said)
    words = "; ".join(str(one.message) for one in said)
    assert case.says in words if case.says else words == ""
    names = range(wiring.n_neurons) if wiring.names is None else wiring.names
    weights = [None] * wiring.n_edges if wiring.weights is None else wiring.weights.tolist()
    found = {(names[s], names[t]): weight for (s, t), weight in zip(wiring.edges.tolist(), weights, strict=True)}
    assert case.edges is not None
    assert set(found) == set(case.edges)
    assert found == {edge: weight if weight is None else pytest.approx(weight) for edge, weight in case.edges.items()}
    assert wiring.n_neurons == (case.nodes or len({name for edge in case.edges for name in edge} | set(names)))


def test_there_are_many_of_them():
    assert len(CASES) >= 40
    assert len({case.name for case in CASES}) == len(CASES)
