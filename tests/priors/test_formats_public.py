"""Graph files as strangers bring them: small inputs of our own, each after a public report, with its right value.

Right values are those of the format's specification or of an independent reader; `known` says which. An undirected
graph stands as both directions of every edge, a matrix has sources in rows, and names that are whole numbers are ints.
"""

from __future__ import annotations

import gzip
import io
import json
import re
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.sparse

from priors import read_wiring

Name = str | int
Edges = dict[tuple[Name, Name], float | None]


@dataclass(frozen=True)
class Case:
    """One report.

    Attributes
    ----------
    id, source, story : str
        What the case is called, the page that tells of it, and what went wrong there.
    name : str
        The name of the file.
    content : str or bytes
        What it holds.
    nodes : int
        How many nodes it has.
    edges : dict
        Weights by source and target; None where the graph has none.
    weighted : bool
        Whether the graph has weights.
    known : str
        How the right value is known.
    refused : str, optional
        What a refusal must say, where the file cannot be read.
    says : str
        What a warning must say, in lower case; "" where nothing is demanded.
    options : mapping
        Keywords for `read_wiring`.
    may_be_refused : bool
        Whether a refusal in one line is right too, since the file is odd; another graph never is.
    """

    id: str
    source: str
    story: str
    name: str
    content: str | bytes
    nodes: int = 0
    edges: Edges = field(default_factory=dict)
    weighted: bool = False
    known: str = ""
    refused: str | None = None
    says: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)
    may_be_refused: bool = False


def both(edges: Edges) -> Edges:
    return edges | {(target, source): weight for (source, target), weight in edges.items()}


def plain(*edges: tuple[Name, Name]) -> Edges:
    return dict.fromkeys(edges)


def npz(**arrays: Any) -> bytes:
    file = io.BytesIO()
    np.savez(file, **arrays)
    return file.getvalue()


def sparse(matrix: Any) -> bytes:
    file = io.BytesIO()
    scipy.sparse.save_npz(file, matrix)
    return file.getvalue()


def npy(array: Any) -> bytes:
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


def saved_text(array: Any, **options: Any) -> str:
    file = io.StringIO()
    np.savetxt(file, array, **options)
    return file.getvalue()


NX = "https://github.com/networkx/networkx/"
GEPHI = "https://github.com/gephi/gephi/issues/"
IGRAPH = "https://github.com/igraph/igraph/"


def gexf(
    nodes: str,
    edges: str,
    graph: str = 'defaultedgetype="directed"',
    version: str = "http://www.gexf.net/1.2draft",
) -> str:
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<gexf xmlns="{version}" version="1.2"><graph {graph}>'
        f"<nodes>{nodes}</nodes><edges>{edges}</edges></graph></gexf>"
    )


def graphml(body: str, keys: str = "", graph: str = 'edgedefault="directed"') -> str:
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<graphml xmlns="http://graphml.graphdrawing.org/xmlns">'
        f"{keys}<graph {graph}>{body}</graph></graphml>"
    )


ABC = '<node id="a"/><node id="b"/><node id="c"/>'
WEIGHT = '<key id="d0" for="edge" attr.name="weight" attr.type="double"/>'

GEXF_CASES = (
    Case(
        "gexf-twice-no-weights", GEPHI + "363", "two equal edges without weights must count 2", "hello.gexf",
        gexf(
            '<node id="0" label="Hello"/><node id="1" label="World"/>',
            '<edge source="0" target="1"/><edge source="0" target="1"/>',
            'mode="static" defaultedgetype="directed"',
            "http://www.gexf.net/1.1draft",
        ),
        2, {(0, 1): 2}, True, "the report says 2.0", says="parallel",
    ),
    Case(
        "gexf-https-namespace", "https://github.com/labgem/PPanGGOLiN/pull/388",
        "a namespace with https held no graph for networkx", "pangenome.gexf",
        gexf(ABC, '<edge id="0" source="a" target="b" weight="3"/>', version="https://www.gexf.net/1.2draft"), 3,
        {("a", "b"): 3}, True, "Gephi goes by local names; the document has one meaning",
    ),
    Case(
        "gexf-1.3-viz", NX + "issues/8040", "version 1.3 was not read; Gephi writes viz and attvalues", "v13.gexf",
        '<?xml version="1.0" encoding="UTF-8"?>'
        '<gexf xmlns="http://gexf.net/1.3" xmlns:viz="http://gexf.net/1.3/viz" version="1.3">'
        '<meta lastmodifieddate="2024-01-02"><creator>hand</creator></meta>'
        '<graph defaultedgetype="undirected" idtype="string" mode="static"><attributes class="node">'
        '<attribute id="weight" title="weight" type="double"/></attributes><nodes count="2"><node id="x" label="X">'
        '<viz:size value="10.0"/><attvalues><attvalue for="weight" value="99"/></attvalues></node>'
        '<node id="y" label="Y"/></nodes><edges count="1"><edge id="0" source="x" target="y" kind="tie" weight="2.5">'
        '<viz:color r="1" g="2" b="3"/></edge></edges></graph></gexf>',
        2, both({("x", "y"): 2.5}), True, "GEXF 1.3; networkx main reads it",
    ),
    Case(
        "gexf-weight-as-attvalue", GEPHI + "570", "the weight is an attvalue that nothing declares", "old.gexf",
        gexf(
            ABC,
            '<edge id="0" source="a" target="b" type="directed"><attvalues><attvalue for="weight" value="2.5"/>'
            '</attvalues></edge><edge id="1" source="b" target="c" type="undirected"><attvalues>'
            '<attvalue for="weight" value="1.0"/></attvalues></edge>',
            'defaultedgetype="mixed"',
        ),
        3, {("a", "b"): 2.5} | both({("b", "c"): 1}), True, "the report: these are the weights of the edges",
    ),
    Case(
        "gexf-attribute-titled-weight", GEPHI + "321",
        "weights stand in an attribute that is declared with the title Weight", "attr.gexf",
        '<gexf xmlns="http://www.gexf.net/1.2draft" version="1.2"><graph defaultedgetype="directed">'
        '<attributes class="edge" mode="static"><attribute id="7" title="Weight" type="float"><default>1.5</default>'
        '</attribute></attributes><nodes><node id="a"/><node id="b"/></nodes><edges>'
        '<edge id="0" source="a" target="b"><attvalues><attvalue for="7" value="4"/></attvalues></edge>'
        '<edge id="1" source="b" target="a"/></edges></graph></gexf>',
        2, {("a", "b"): 4, ("b", "a"): 1.5}, True, "GEXF: default of an attribute",
    ),
    Case(
        "gexf-edge-ids-repeat", NX + "issues/475", "ids of edges start anew for every pair", "multi.gexf",
        gexf(
            '<node id="1" label="1"/><node id="2" label="2"/><node id="3" label="3"/><node id="4" label="4"/>',
            '<edge id="0" source="1" target="2"/><edge id="1" source="1" target="2"/>'
            '<edge id="2" source="1" target="2"/><edge id="0" source="1" target="3"/>'
            '<edge id="1" source="1" target="3"/><edge id="0" source="1" target="4"/>',
            'defaultedgetype="undirected" mode="static"',
        ),
        4, both({(1, 2): 3, (1, 3): 2, (1, 4): 1}), True,
        "edges are edges whatever their ids; networkx reads a MultiGraph", says="parallel",
    ),
    Case(
        "gexf-nodes-repeat", NX + "issues/1296", "nodes are written twice after an update", "update.gexf",
        gexf(
            '<node id="1" label="1"/><node id="3" label="3"/><node id="1" label="1"/><node id="2" label="2"/>',
            '<edge id="0" source="1" target="3"/><edge id="0" source="1" target="2"/>',
            'defaultedgetype="undirected" mode="static"',
        ),
        3, both(plain((1, 2), (1, 3))), False, "networkx: a node twice is one node",
    ),
    Case(
        "gexf-dynamic", NX + "issues/927", "a dynamic graph without defaultedgetype", "dynamic.gexf",
        gexf(
            '<node id="0"/><node id="1"/>',
            '<edge id="0" source="0" target="1" start="2009-03-01" end="2009-03-10"/>',
            'mode="dynamic" timeformat="date"',
        ),
        2, both(plain((0, 1))), False,
        "networkx.read_gexf: an undirected edge; the default of defaultedgetype is undirected", says="dynamic",
    ),
    Case(
        "gexf-spells", GEPHI + "299", "an edge that is there in two spells is one edge", "spells.gexf",
        gexf(
            '<node id="20" label="Node1" start="2008-09-09"/><node id="18" label="Node2" start="2010-03-31"/>',
            '<edge id="20-18" source="20" target="18"><spells><spell start="2008-01-01" end="2008-01-15"/>'
            '<spell start="2009-01-30" end="2009-02-01"/></spells></edge>',
            'mode="dynamic" timeformat="date"',
        ),
        2, both(plain((20, 18))), False, "networkx.read_gexf: one edge", says="dynamic",
    ),
    Case(
        "gexf-no-ids-of-edges", GEPHI + "681", "edges without ids; every second one was lost where ids clashed",
        "noid.gexf",
        gexf(
            '<node id="a" label="same"/><node id="b" label="same"/>',
            '<edge source="a" target="b"/><edge source="b" target="a"/>',
        ),
        2, plain(("a", "b"), ("b", "a")), False, "GEXF; equal labels do not join nodes",
    ),
)  # fmt: skip

GRAPHML_CASES = (
    Case(
        "graphml-default-weight", NX + "issues/1398", "the default of a key was not applied", "defaults.graphml",
        graphml(
            ABC + '<edge source="a" target="b"><data key="d0">1.0</data></edge><edge source="b" target="c"/>',
            '<key id="d0" for="edge" attr.name="weight" attr.type="double"><default>2.5</default></key>',
            'id="G" edgedefault="undirected"',
        ),
        3, both({("a", "b"): 1, ("b", "c"): 2.5}), True, "GraphML primer: the default applies",
    ),
    Case(
        "graphml-nan-weights", IGRAPH + "issues/1150", "weights that are NA in R are written as NaN", "na.graphml",
        graphml(
            '<node id="n0"><data key="v">601027</data></node><node id="n1"><data key="v">610558</data></node>'
            '<node id="n2"><data key="v">7</data></node><edge source="n0" target="n1"><data key="w">NaN</data></edge>'
            '<edge source="n1" target="n2"><data key="w">100</data></edge>',
            '<key id="v" for="node" attr.name="name" attr.type="string"/>'
            '<key id="s" for="edge" attr.name="share" attr.type="double"/>'
            '<key id="w" for="edge" attr.name="weight" attr.type="double"/>',
        ),
        3, {("n0", "n1"): 1, ("n1", "n2"): 100}, True, "NA is a missing weight", says="without a weight",
    ),
    Case(
        "graphml-edges-before-nodes", IGRAPH + "issues/769", "nodes may follow the edges that name them",
        "order.graphml",
        graphml(
            '<node id="a"/><edge source="a" target="b"/><edge source="b" target="c"/><node id="b"/><node id="c"/>'
            '<node id="alone"/>',
        ),
        4, plain(("a", "b"), ("b", "c")), False, "GraphML schema: any order",
    ),
    Case(
        "graphml-key-without-name", IGRAPH + "issues/91", "keys without attr.name and of a foreign attribute",
        "bare.graphml",
        graphml(
            '<node id="1"/><node id="2"/><edge source="1" target="2"><data key="weight">5</data></edge>',
            '<key id="Uncertainty" dynamic="true" for="node"><desc>Uncertainty</desc></key>'
            '<key id="weight" for="edge"/>',
            'id="g0" edgedefault="undirected"',
        ),
        2, both({(1, 2): 5}), True, "without a name the id is all that names a key",
    ),
    Case(
        "graphml-cytoscape", IGRAPH + "issues/910", "no namespace, and every key says for=node", "cyto.graphml",
        '<?xml version="1.0" encoding="UTF-8"?><graphml><key attr.name="name" attr.type="string" for="node" id="d0"/>'
        '<key attr.name="weight" attr.type="double" for="node" id="d1"/><graph edgedefault="directed"><node id="61">'
        '<data key="d0">x</data></node><node id="62"/><edge source="61" target="62"><data key="d1">0.25</data></edge>'
        "</graph></graphml>",
        2, {(61, 62): 0.25}, True, "networkx.read_graphml: weight 0.25",
    ),
    Case(
        "graphml-groups-of-yed", NX + "pull/2644", "nodes and edges inside a group", "groups.graphml",
        graphml(
            '<node id="n0" yfiles.foldertype="group"><graph edgedefault="directed" id="n0:"><node id="n0::n0"/>'
            '<node id="n0::n1"/><edge id="n0::e0" source="n0::n0" target="n0::n1"/></graph></node><node id="n1"/>'
            '<edge id="e0" source="n0::n1" target="n1"/>',
        ),
        4, plain(("n0::n0", "n0::n1"), ("n0::n1", "n1")), False,
        "GraphML: nested graphs hold nodes and edges; the group is a node, as in networkx",
    ),
    Case(
        "graphml-mixed", GEPHI + "147", "edgedefault is undirected, all edges but one say otherwise", "mixed.graphml",
        graphml(
            ABC
            + '<edge source="a" target="b" directed="true"/><edge source="b" target="c" directed="true"/>'
            '<edge source="a" target="c"/>',
            graph='edgedefault="undirected"',
        ),
        3, plain(("a", "b"), ("b", "c"), ("a", "c"), ("c", "a")), False, "GraphML primer",
    ),
    Case(
        "graphml-undirected-mostly", GEPHI + "147", "edgedefault is directed, one edge is not", "mixed2.graphml",
        graphml(ABC + '<edge source="a" target="b" directed="false"/><edge source="b" target="c"/>'), 3,
        plain(("a", "b"), ("b", "a"), ("b", "c")), False, "GraphML primer",
    ),
    Case(
        "graphml-one-edge-id", NX + "issues/7732", "every edge of a multigraph has the id 0", "ids.graphml",
        graphml(
            '<node id="a"/><node id="b"/><edge source="a" target="b" id="0"><data key="d1">a-to-b</data></edge>'
            '<edge source="b" target="a" id="0"><data key="d1">b-to-a</data></edge>',
            '<key id="d1" for="edge" attr.name="label" attr.type="string"/>',
        ),
        2, plain(("a", "b"), ("b", "a")), False, "two edges: the report",
    ),
    Case(
        "graphml-one-edge-id-many-nodes", NX + "issues/2827",
        "ids of edges are keys of a multigraph, nodes begin with digits", "ids2.graphml",
        graphml(
            '<node id="1node"/><node id="2node"/><node id="3node"/><edge id="0" source="1node" target="2node"/>'
            '<edge id="0" source="1node" target="3node"/><edge id="1" source="1node" target="3node"/>',
        ),
        3, {("1node", "2node"): 1, ("1node", "3node"): 2}, True,
        "networkx.read_graphml: a MultiDiGraph of three edges", says="parallel",
    ),
    Case(
        "graphml-vectors-of-graph-tool", NX + "issues/843", "types such as vector_float stop readers", "gt.graphml",
        graphml(
            '<node id="n0"><data key="key1">0x1.5p+3, 0x1.7p+3</data></node><node id="n1"/>'
            '<edge id="e0" source="n0" target="n1"><data key="key2">0.5</data></edge>',
            '<key id="key0" for="node" attr.name="centrality" attr.type="int"/>'
            '<key id="key1" for="node" attr.name="pos" attr.type="vector_float"/>'
            '<key id="key2" for="edge" attr.name="weight" attr.type="double"/>',
            'id="G" edgedefault="undirected" parse.nodeids="canonical" parse.edgeids="canonical" '
            'parse.order="nodesfirst"',
        ),
        2, both({("n0", "n1"): 0.5}), True, "unknown types of what is not read do not matter",
    ),
    Case(
        "graphml-two-keys-of-one-name", "https://github.com/bansallab/asnr/issues/16",
        "an attribute is declared twice, numbers and text", "asnr.graphml",
        graphml(
            '<node id="n0"/><node id="n1"/><edge source="n0" target="n1"><data key="d8">0.03</data></edge>',
            '<key id="d7" for="node" attr.name="male dominance index" attr.type="double"/>'
            '<key id="d6" for="node" attr.name="male dominance index" attr.type="string"/>'
            '<key id="d8" for="edge" attr.name="weight" attr.type="double"/>',
            'edgedefault="undirected"',
        ),
        2, both({("n0", "n1"): 0.03}), True, "networkx.read_graphml",
    ),
    Case(
        "graphml-is-direct", "https://github.com/UnickSoft/graphonline/issues/50",
        "direction in an attribute isDirect of edges", "online.graphml",
        '<?xml version="1.0" encoding="UTF-8"?><graphml><graph id="Graph" uidGraph="3" uidEdge="10002">'
        '<node positionX="1" positionY="2" id="0" mainText=""/><node id="1"/><node id="2"/>'
        '<edge source="0" target="1" isDirect="true" weight="5" useWeight="true" id="10000"/>'
        '<edge source="1" target="2" isDirect="false" weight="2" useWeight="true" id="10001"/></graph></graphml>',
        3, {(0, 1): 5} | both({(1, 2): 2}), True,
        "the report: isDirect is the direction; weight is the attribute that it writes",
    ),
    Case(
        "graphml-hyperedge", "https://github.com/jgrapht/jgrapht/issues/332",
        "ports and hyperedges are in the format; a wiring has none", "hyper.graphml",
        graphml(
            '<node id="a"><port name="N"/></node><node id="b"/><node id="c"/>'
            '<edge source="a" target="b" sourceport="N"/><hyperedge><endpoint node="a"/><endpoint node="b"/>'
            '<endpoint node="c"/></hyperedge>',
            graph='edgedefault="undirected"',
        ),
        refused="hyperedge", known="networkx: GraphML reader doesn't support hyperedges",
    ),
    Case(
        "graphml-undirected-hello", GEPHI + "237", "edgedefault undirected was read as directed", "hello.graphml",
        graphml(
            '<node id="Hello">\n</node><node id="World">\n</node><edge source="Hello" target="World"/>',
            graph='edgedefault="undirected"',
        ),
        2, both(plain(("Hello", "World"))), False, "GraphML",
    ),
    Case(
        "graphml-int-names-as-double", IGRAPH + "issues/796", "names are numbers with a decimal point; ids stay ids",
        "double.graphml",
        graphml(
            '<node id="n0"><data key="v">1347790</data></node><node id="n1"><data key="v">1347790</data></node>'
            '<edge source="n0" target="n1"/>',
            '<key id="v" for="node" attr.name="name" attr.type="double"/>',
            'edgedefault="undirected"',
        ),
        2, both(plain(("n0", "n1"))), False, "ids tell nodes apart, rounded names do not",
    ),
)  # fmt: skip

GML_CASES = (
    Case(
        "gml-many-lines", NX + "issues/6836", "a text over several lines could not be read", "multiline.gml",
        'graph\n[\n  node\n  [\n    id 0\n    label "multiline node"\n    label2 "one\n   two ] [\n   three"\n  ]\n'
        '  node [ id 1 label "b" ]\n  edge [ source 0 target 1 weight 2 ]\n]\n',
        2, both({("multiline node", "b"): 2}), True, "GML: texts may hold line ends",
    ),
    Case(
        "gml-quotes", NX + "issues/1061", "quotes in texts are entities", "quotes.gml",
        'graph [ node [ id 0 label "This has &quot;extra quotes&quot;" ] node [ id 1 label "A &amp; '
        'B" ] edge [ source 0 target 1 ] ]',
        2, both(plain(('This has "extra quotes"', "A & B"))), False, "GML; networkx.parse_gml",
    ),
    Case(
        "gml-ids-beyond-32-bits", IGRAPH + "issues/2585", "ids are whole numbers of 64 bits, and negative", "big.gml",
        "Version 1\ngraph\n[\n  directed 0\n  node\n  [\n    id 6773333337\n  ]\n  node\n  [\n    id -5\n  ]\n  edge\n"
        "  [\n    source 6773333337\n    target -5\n  ]\n]\n",
        2, both(plain((6773333337, -5))), False, "the report",
    ),
    Case(
        "gml-ids-in-quotes", IGRAPH + "issues/977", "Gephi exports ids that are text", "gephi.gml",
        'graph\n[\n  Creator "Gephi"\n  directed 1\n  node\n  [\n    id "n0"\n    label "first"\n  ]\n  node\n  [\n'
        '    id "n1"\n    label "second"\n  ]\n  edge\n  [\n    id "0"\n    source "n0"\n    target "n1"\n'
        "    value 2.0\n  ]\n]\n",
        2, {("first", "second"): 2}, True, "the report; Gephi's value is the weight", says="value",
    ),
    Case(
        "gml-nan", IGRAPH + "issues/2055", "igraph writes NaN for what is missing", "nan.gml",
        'Creator "igraph version 0.10"\nVersion 1\ngraph\n[\n  directed 1\n  node\n  [\n    id 0\n    name "A"\n'
        '    val 1\n  ]\n  node\n  [\n    id 1\n    name "B"\n    val NaN\n  ]\n  edge\n  [\n    source 0\n'
        "    target 1\n    weight NaN\n  ]\n  edge\n  [\n    source 1\n    target 0\n    weight 3\n  ]\n]\n",
        2, {(0, 1): 1, (1, 0): 3}, True, "NaN is a missing weight; nodes without labels go by ids",
        says="without a weight",
    ),
    Case(
        "gml-keys-of-multigraphs", NX + "issues/2383",
        "multigraph 1, keys, and both ways round in an undirected graph", "multi.gml",
        'graph [\n  directed 0\n  multigraph 1\n  node [ id 0 label "0" ]\n  node [ id 1 label "1" ]\n'
        '  node [ id 2 label "2" ]\n  edge [ source 0 target 1 key 0 ]\n  edge [ source 0 target 1 key 1 ]\n'
        "  edge [ source 1 target 2 key 0 ]\n]\n",
        3, both({(0, 1): 2, (1, 2): 1}), True, "networkx.parse_gml: a MultiGraph of three edges", says="parallel",
    ),
    Case(
        "gml-graphics", NX + "issues/839", "graphics with keys source, target, id and label of their own",
        "graphics.gml",
        'graph [\n  node [ id 0 label "C1" graphics [ x 1.0 y 2.0 type "ellipse" id 9 label "no" ] ]\n'
        '  node [ id 1 label "C2" ]\n  edge [ source 0 target 1 graphics [ type "line" Line [ point [ x 0 y 0 ] ] '
        'source 7 target 8 weight 9 ] weight 0.1 label "edge" ]\n]\n',
        2, both({("C1", "C2"): 0.1}), True, "GML: keys of an inner list belong to it",
    ),
    Case(
        "gml-weight", "https://github.com/socnetv/app/issues/160",
        "weights were lost; labels are text, ids begin with 1", "w.gml",
        'graph [\n  directed 1\n\n  node [\n    id 1\n    label "A"\n  ]\n\n  node [\n    id 2\n    label "B"\n  ]\n\n'
        "  edge [\n    source 1\n    target 2\n    weight 2.5\n  ]\n]\n",
        2, {("A", "B"): 2.5}, True, "the report",
    ),
    Case(
        "gml-lists-in-quotes", "https://github.com/BhallaLab/thalamocortical (py/celltype_graph.gml)",
        "igraph's attributes hold nan and lists in quotes; a loop", "cells.gml",
        'Creator "igraph version 0.5.3"\nVersion 1\ngraph\n[\n  directed 1\n  node\n  [\n    id 0\n    count 1000\n'
        '    label "Pyr"\n  ]\n  node\n  [\n    id 1\n    count 50\n    label "FRB"\n  ]\n  edge\n  [\n    source 0\n'
        '    target 0\n    weight 50\n    tau nan\n    g 2.5e-10\n    comps "[2, 3, 4]"\n  ]\n  edge\n  [\n'
        "    source 0\n    target 1\n    weight 20\n    tau nan\n  ]\n]\n",
        2, {("Pyr", "Pyr"): 50, ("Pyr", "FRB"): 20}, True, "attributes that are not read do not matter",
    ),
)  # fmt: skip

PAJEK_CASES = (
    Case(
        "pajek-matrix", NX + "issues/2123", "a matrix after the vertices", "matrix.net",
        '*Vertices 3\n1 "a"\n2 "b"\n3 "c"\n*Matrix\n0 2 0\n0 0 1\n3 0 0\n', 3,
        {("a", "b"): 2, ("b", "c"): 1, ("c", "a"): 3}, True, "networkx pull 2200, and Pajek's manual: row = source",
    ),
    Case(
        "pajek-second-relation", NX + "issues/5013", "the heading of a second relation was read as a node",
        "paths.net",
        '*Vertices 3\n1 "Node 1" 0.0 0.0 ellipse\n2 "Node 2" 1.0 1.0 ellipse\n3 "Node 3" 2.0 2.0 ellipse\n'
        '*Arcs :1 "Citations"\n1 2 1\n2 3 1\n*Arcs :2 "Standard Global Main Path"\n1 3 1\n',
        3, plain(("Node 1", "Node 2"), ("Node 2", "Node 3"), ("Node 1", "Node 3")), False,
        "Pajek's manual; all weights are 1",
    ),
    Case(
        "pajek-network-line", IGRAPH + "issues/1926", "the name of the network has dots, brackets and stars",
        "davis.net",
        '*Network Davis.net [2-Mode] (18+14)*\r\n*Vertices 2\r\n1 "EVELYN"\r\n2 "LAURA"\r\n*Edges\r\n1 2\r\n', 2,
        both(plain(("EVELYN", "LAURA"))), False, "Pajek skips the rest of the line",
    ),
    Case(
        "pajek-nan", IGRAPH + "issues/1150", "NaN for weights that are missing, and no lines of vertices", "na.net",
        "*Vertices 7\n*Arcs\n1 6 NaN\n2 6 NaN\n3 7 100\n4 7 191\n5 7 9\n", 7,
        {(1, 6): 1, (2, 6): 1, (3, 7): 100, (4, 7): 191, (5, 7): 9}, True, "NA in R is a missing weight",
    ),
    Case(
        "pajek-vertex-twice", IGRAPH + "issues/2416", "a vertex is told twice, the last name counts", "twice.net",
        '*Vertices 3\n1 "a" ellipse\n2 "b" ellipse\n2 "c"\n3 "d"\n*Edges\n1 2\n2 3\n', 3,
        both(plain(("a", "c"), ("c", "d"))), False, "igraph: the name is overwritten",
    ),
    Case(
        "pajek-times", IGRAPH + "pull/1023", "intervals of time after vertices and arcs", "times.net",
        '*Vertices 3\n1 "a" [5-10,12-14]\n2 "b" [1-3,7]\n3 "e" [4-*]\n*Arcs\n1 2 1 [7]\n1 3 4 [6-8]\n*Edges\n'
        "2 3 1 [5-8]\n",
        3, {("a", "b"): 1, ("a", "e"): 4} | both({("b", "e"): 1}), True, "Pajek's manual",
    ),
    Case(
        "pajek-no-vertices", NX + "issues/3122", "edges follow the number of vertices at once", "orange.net",
        "*Vertices 5\n*Edges\n1 2\n2 3\n1 3\n1 4\n2 4\n", 5, both(plain((1, 2), (2, 3), (1, 3), (1, 4), (2, 4))),
        False, "Pajek's manual: lines of vertices may be left out; 5 stands alone",
    ),
    Case(
        "pajek-attributes-of-arcs", IGRAPH + "issues/248", "arcs with colours, widths and labels", "colours.net",
        '*Vertices 3\n1 "x" ic Green bc Brown\n2 "y"\n3 "z"\n*Arcs\n1 2 3 c Blue w 2 l "1 2 9"\n*Edges\n'
        "2 3 -1.5 p Dots\n",
        3, {("x", "y"): 3} | both({("y", "z"): -1.5}), True, "Pajek's manual",
    ),
    Case(
        "pajek-project", "https://github.com/igraph/rigraph/issues/776",
        "a project goes on with partitions and vectors", "movies.net",
        '*Network Movies\n*Vertices 3\n1 "a"\n2 "b"\n3 "c"\n*Arcs\n1 2 2\n3 2 1\n*Partition Producers\n*Vertices 3\n'
        "1\n1\n2\n*Vector degree\n*Vertices 3\n0.5\n1.5\n2.5\n",
        3, {("a", "b"): 2, ("c", "b"): 1}, True, "what is no network is passed over",
    ),
    Case(
        "pajek-both-without-names", NX + "issues/516", "edges and arcs, and no list of nodes", "arenas.net",
        "*Vertices 4\n*Arcs\n1 2 1.5\n*Edges\n2 3 2.5\n3 4 1\n", 4, {(1, 2): 1.5} | both({(2, 3): 2.5, (3, 4): 1}),
        True, "Pajek's manual",
    ),
    Case(
        "pajek-edgeslist", IGRAPH + "issues/2603", "lists of neighbours without direction", "lists.net",
        "*Vertices 5\n*Edgeslist\n1 2 3\n4 5\n", 5, both(plain((1, 2), (1, 3), (4, 5))), False, "Pajek's manual",
    ),
    Case(
        "pajek-vertex-beyond", IGRAPH + "issues/2603", "an arc to a vertex that is not there", "beyond.net",
        "*Vertices 2\n*Arcs\n1 3\n", refused="3", known="Pajek numbers vertices from 1 to their number",
    ),
)  # fmt: skip

LIST_CASES = (
    Case(
        "gephi-quotes-semicolons", GEPHI + "955", "names in quotes gave a node with a quote", "quotes.csv",
        '"a";"b"\n"a";"c"\n"c";"d"\n', 4, both(plain(("a", "b"), ("a", "c"), ("c", "d"))), False,
        "the report: four nodes", says="undirected",
    ),
    Case(
        "gephi-short-line", GEPHI + "1201", "a comma is missing in one line", "short.csv",
        "Source,Target,Type,Weight\nA,B,Undirected,0.5\nA,C,Undirected,0.666666666666667\nA-D,Undirected,0.5\n"
        "A,E,Undirected,0.428571428571429\n",
        refused="line 4", known="no such line can be an edge of this table",
    ),
    Case(
        "gephi-weights-undirected", GEPHI + "1201", "weights of a table with a column Type", "whole.csv",
        "Source,Target,Type,Weight\nA,B,Undirected,0.5\nA,C,Undirected,0.25\n", 3,
        both({("A", "B"): 0.5, ("A", "C"): 0.25}), True, "the report",
    ),
    Case(
        "gephi-bom", GEPHI + "1855", "a mark of byte order before the heading, semicolons", "bom.csv",
        "\ufeffsource;target;type\r\nx;y;Directed\r\ny;z;Directed\r\n", 3, plain(("x", "y"), ("y", "z")), False,
        "the report",
    ),
    Case(
        "gephi-timeset", GEPHI + "1924", "commas in quotes, and two edges that seem the same", "time.csv",
        'Id,Source,Target,timeset,Label\n1,1,2,"<[2017,2018)>","Label 1"\n2,2,1,"<[2017,2018)>","Label 2"\n', 2,
        plain((1, 2), (2, 1)), False, "columns Source and Target are directed",
    ),
    Case(
        "gephi-parallel-table", GEPHI + "175",
        "only the first of two equal edges was read; blanks between quoted names", "lab.csv",
        '"ID"   "Source"   "Target"   "AnAttribute"\n0   1   2   attrvalue0\n1   1   2   attrvalue1\n', 2,
        {(1, 2): 2}, True, "the report", says="parallel",
    ),
    Case(
        "gephi-one-id", GEPHI + "1772", "all edges have the id 5", "oneid.csv",
        "Source,Target,Type,Id,Weight\n1,2,Directed,5,1.5\n1,3,Directed,5,2\n", 3, {(1, 2): 1.5, (1, 3): 2}, True,
        "ids of edges are none of nodes",
    ),
    Case(
        "gephi-pipes", "https://gephi.org/users/supported-graph-formats/csv-format", "the pipe is a separator too",
        "pipe.csv", "New York|Boston\nBoston|Los Angeles\n", 3,
        both(plain(("New York", "Boston"), ("Boston", "Los Angeles"))), False,
        "the page: coma, semicolon, pipe or whitespace",
    ),
    Case(
        "gephi-single-quotes", "https://gephi.org/users/supported-graph-formats/csv-format",
        "values in single quotes", "single.csv", "'a';'b'\n'b';'c'\n", 3, both(plain(("a", "b"), ("b", "c"))), False,
        "the page: single or double quotes",
    ),
    Case(
        "gephi-edge-twice", "https://gephi.org/users/supported-graph-formats/csv-format",
        "an edge twice has a weight of two; loops", "mixed.csv", "A,B\nB,A\nC,C\nD,E\nD,E\n", 5,
        {("A", "B"): 1, ("B", "A"): 1, ("C", "C"): 1, ("D", "E"): 2}, True, "the page: weight at two",
        says="parallel",
    ),
    Case(
        "jgrapht-one-edge", "https://github.com/d-michail/python-jgrapht/issues/11",
        "a file of a single edge with a blank after the comma", "one.csv", "0, 1\n", 2, both(plain((0, 1))), False,
        "the report: a single edge",
    ),
    Case(
        "graphia-pairs", "https://github.com/graphia-app/graphia/issues/12",
        "pairs without a heading were taken for a matrix", "graph.csv", "0,1\n0,2\n1,3\n3,4\n4,0\n", 5,
        both(plain((0, 1), (0, 2), (1, 3), (3, 4), (4, 0))), False, "the report: an edge a row", says="undirected",
    ),
    Case(
        "ncol-some-weights", IGRAPH + "issues/2395", "a line without a weight among others", "some.ncol",
        "a b 2\nb c\nc d 0.5\n", 4, both({("a", "b"): 2, ("b", "c"): 1, ("c", "d"): 0.5}), True,
        "igraph 0.10.8: missing ones are 1", says="without a weight",
    ),
    Case(
        "ncol-no-weights", IGRAPH + "issues/188", "weights were made up where there are none", "bare.ncol",
        "a b\nb c\n", 3, both(plain(("a", "b"), ("b", "c"))), False, "the report",
    ),
    Case(
        "lgl", "https://docs.rs/rust-igraph/0.7.0/rust_igraph/fn.read_lgl.html",
        "a line with # names the node that those below are joined to", "people.lgl",
        "# Alice\nBob 1.0\nCarol\n# Bob\nCarol 2.5\n", 3,
        both({("Alice", "Bob"): 1, ("Alice", "Carol"): 1, ("Bob", "Carol"): 2.5}), True, "LGL: always undirected",
    ),
    Case(
        "multiline-adjacency",
        "https://networkx.org/documentation/networkx-2.4/reference/readwrite/multiline_adjlist.html",
        "the number after a node is how many lines follow", "g.adjlist",
        "#script.py\n# GMT Thu Jan  1 00:00:00 1970\n# \na 2\nb {'weight': 3}\nc {}\nb 0\nc 0\nd 1\ne {}\ne 0\n", 5,
        both({("a", "b"): 3, ("a", "c"): 1, ("d", "e"): 1}), True, "networkx.read_multiline_adjlist",
    ),
    Case(
        "adjlist-colons", NX + "pull/6132", "neighbours after a colon, and a node alone", "g.adjlist",
        "0: 1 2\n1: 2\n2:\n3:\n", 4, both(plain((0, 1), (0, 2), (1, 2))), False, "a node and its neighbours",
    ),
    Case(
        "third-column-of-text", NX + "issues/275", "the third column holds numbers and once a word", "data.edgelist",
        "# source target data\na b 1\na c 3.14159\nd e apple\n", 5, plain(("a", "b"), ("a", "c"), ("d", "e")), False,
        "a word is no weight, and the heading does not say that the column holds any", says="'data', which is not read",
    ),
    Case(
        "weights-with-commas", NX + "issues/4543", "a weighted list with commas, read as undirected, lost directions",
        "Edges.csv", "0,3,0.5\n3,0,0.25\n1,0,2\n2,1,1.5\n3,2,1\n", 4,
        {(0, 3): 0.5, (3, 0): 0.25, (1, 0): 2, (2, 1): 1.5, (3, 2): 1}, True, "write_weighted_edgelist of a DiGraph",
        says="directed",
    ),
    Case(
        "blank-lines", "https://github.com/hackl/tikz-network/issues/4",
        "an empty line became a loop at the first node", "chunks.csv", "u,v,weight\na,b,1\n\nb,c,2\n\n", 3,
        both({("a", "b"): 1, ("b", "c"): 2}), True, "the report", says="undirected",
    ),
    Case(
        "separator-at-the-end", "https://github.com/deephaven/deephaven-core/issues/1800",
        "every line ends with a separator", "trail.csv", "source,target,weight,\na,b,1.5,\nb,c,2,\n", 3,
        {("a", "b"): 1.5, ("b", "c"): 2}, True, "the report: an empty last column is none",
    ),
    Case(
        "separator-at-the-end-no-heading", "https://github.com/parsecsv/csv-spec/issues/4",
        "pairs that end with a separator", "trail2.csv", "1,2,\n2,3,\n3,4,\n4,1,\n", 4,
        both(plain((1, 2), (2, 3), (3, 4), (4, 1))), False, "an empty last column is none",
    ),
    Case(
        "snap-times", "http://sparse.tamu.edu/SNAP/CollegeMsg", "the third column is seconds since 1970, no weight",
        "CollegeMsg.txt", "1 2 1082040961\n3 4 1082155839\n1 2 1082439756\n2 1 1082439800\n", 4,
        {(1, 2): 2, (3, 4): 1, (2, 1): 1}, True, "the page: SRC DST UNIXTS, a directed temporal multigraph",
        says="column 3",
    ),
    Case(
        "snap-ratings", "http://memetracker.org/data/soc-sign-bitcoin-otc.html",
        "SOURCE, TARGET, RATING, TIME without a heading", "soc-sign-bitcoinotc.csv.gz",
        gzip.compress(b"6,2,4,1289241911.72836\n2,6,-3,1289241941.53378\n6,5,2,1289243140.39049\n", mtime=0), 3,
        {(6, 2): 4, (2, 6): -3, (6, 5): 2}, True, "the page", says="column 4",
    ),
    Case(
        "snap-talk", "https://github.com/gunrock/gunrock/issues/106", "lists with a head of comments and tabs",
        "wiki-Talk.txt.gz",
        gzip.compress(
            b"# Directed graph (each unordered pair of nodes is saved once): WikiTalk.txt\r\n# Nodes: 3 Edges: 2\r\n"
            b"# FromNodeId\tToNodeId\r\n0\t1\r\n2\t1\r\n",
            mtime=0,
        ),
        3, plain((0, 1), (2, 1)), False, "the head says directed",
    ),
    Case(
        "konect-signed", "http://konect.uni-koblenz.de/help/network_format",
        "signed weights, a line of sizes, undirected", "out.made-up-tribes",
        "% sym signed\n% 3 3 3 \n1 2 1 \n1 3 -1 \n2 3 -1 \n", 3, both({(1, 2): 1, (1, 3): -1, (2, 3): -1}), True,
        "KONECT: sym is undirected",
    ),
    Case(
        "worm-gaps", "https://github.com/openworm/OpenWorm/issues/50",
        "gap junctions stand once in each direction, five columns without a heading", "gaps.txt",
        "AIAL    ASIL    GapJunction    2    Acetylcholine_GJ\nASIL    AIAL    GapJunction    2    Glutamate_GJ\n"
        "ASIL    AIYL    Send    3    Glutamate\n",
        3, {("AIAL", "ASIL"): 2, ("ASIL", "AIAL"): 2, ("ASIL", "AIYL"): 3}, True,
        "the report: the fourth column counts connections", says="directed",
    ),
    Case(
        "worm-padded", "https://github.com/openworm/c302/issues/17",
        "names padded by blanks, loops, and a type that is no direction", "herm_full_edgelist.csv",
        "Source,Target,Weight,Type\nADAL                ,ADAL                ,1,electrical\n"
        "ADAL                ,ADFL                ,1,chemical\n"
        "ADAL                ,ADFL                ,2,electrical\n",
        2, {("ADAL", "ADAL"): 1, ("ADAL", "ADFL"): 3}, True, "parallel edges are added", says="parallel",
    ),
    Case(
        "circuitdata", "https://github.com/ericmjonas/circuitdata (celegans_herm/README.md)",
        "from_id, to_id, synapse_type C or E, count", "synapses.csv",
        "from_id,to_id,synapse_type,count\n1,2,C,3\n1,2,E,1\n2,3,C,5\n", 3, {(1, 2): 4, (2, 3): 5}, True,
        "the page: count is the number of synapses", says="parallel",
    ),
    Case(
        "neuprint-regions",
        "https://github.com/connectome-neuprint/neuprint-python/blob/0.4.26/neuprint/queries/connectivity.py",
        "one row a pair and region", "roi_connections.csv",
        "bodyId_pre,bodyId_post,roi,weight\n5813024015,294792184,AB(L),2\n5813024015,294792184,NotPrimary,1\n"
        "294792184,5813024015,AB(L),7\n",
        2, {(5813024015, 294792184): 3, (294792184, 5813024015): 7}, True, "weights of regions add up",
        says="parallel",
    ),
    Case(
        "flywire-ids", "https://github.com/connectome-neuprint/neuPrintExplorer/issues/370",
        "ids of 18 digits that differ in the last one", "connections.csv",
        "pre_root_id,post_root_id,neuropil,syn_count,nt_type\n720575940602398473,720575940602398474,GNG,5,ACH\n"
        "720575940602398473,720575940602398475,GNG,7,ACH\n720575940602398473,720575940602398474,FLA_L,1,ACH\n",
        3, {(720575940602398473, 720575940602398474): 6, (720575940602398473, 720575940602398475): 7}, True,
        "whole numbers stay exact", says="parallel",
    ),
    Case(
        "sm-forensic", "https://github.com/nalin-dhiman/sm-forensic (code_snapshot/data/README.md)",
        "pre, post, count", "edges.csv", "pre,post,count\n10,11,4\n11,10,2\n", 2, {(10, 11): 4, (11, 10): 2}, True,
        "the page",
    ),
    Case(
        "motif-index", "https://github.com/cylynx/motif.gl/issues/135", "a first column without a name", "motif.csv",
        ",source,target\n1,a,b\n2,b,c\n3,a,c\n", 3, plain(("a", "b"), ("b", "c"), ("a", "c")), False, "the report",
    ),
    Case(
        "oracle-dest",
        "https://docs.oracle.com/en/database/oracle/property-graph/23.1/spgdg/comma-separated-values-csv.html",
        "source and dest, and properties", "edges.csv", 'source,dest,string_prop\n1,2,"baz"\n2,2,"bat"\n', 2,
        plain((1, 2), (2, 2)), False, "the page",
    ),
    Case(
        "dgl-src-dst", "https://www.dgl.ai/dgl_docs/guide/data-loadcsv.html",
        "src_id and dst_id, and features in quotes", "edges_0.csv",
        'src_id,dst_id,label,train_mask,feat\n4,0,2,False,"0.548, 0.718, 0.471"\n4,1,1,True,"0.437, 0.963, 0.891"\n',
        3, plain((4, 0), (4, 1)), False, "the page: label is a class to be learnt",
    ),
    Case(
        "string-scores", "https://github.com/xiangyue9607/BioNEV/issues/14",
        "protein1 protein2 combined_score, both directions", "9606.protein.links.txt",
        "protein1 protein2 combined_score\n9606.P1 9606.P2 490\n9606.P2 9606.P1 490\n9606.P1 9606.P3 150\n"
        "9606.P3 9606.P1 150\n",
        3, both({("9606.P1", "9606.P2"): 490, ("9606.P1", "9606.P3"): 150}), True,
        "both directions stand in the file",
    ),
    Case(
        "seal-usair", "https://github.com/muhanzhang/SEAL/issues/68", "two nodes and a strength, separated by blanks",
        "USAir.txt", "118 201 0.1804\n118 182 0.0117\n201 182 0.2\n150 118 0.01\n", 4,
        both({(118, 201): 0.1804, (118, 182): 0.0117, (201, 182): 0.2, (150, 118): 0.01}), True, "the report",
        says="undirected",
    ),
    Case(
        "metis", "https://github.com/networkit/networkit/pull/1203", "lines of neighbours after a line of sizes",
        "path.graph", "3 2\n2\n1 3\n2\n", refused="graph",
        known="METIS is no format of wirings; the message must name the suffix",
    ),
    Case(
        "gdf", "https://github.com/sepandhaghighi/pyrgg/issues/41", "GDF has two headings in one file", "sites.gdf",
        "nodedef>name VARCHAR,label VARCHAR\ns1,Site number 1\ns2,Site number 2\n"
        "edgedef>node1 VARCHAR,node2 VARCHAR, weight DOUBLE\ns1,s2,122\n",
        refused="gdf", known="no format of wirings; the message must name the suffix",
    ),
    Case(
        "gdf-as-csv", "https://github.com/sepandhaghighi/pyrgg/issues/41", "the same under another suffix",
        "sites.csv",
        "nodedef>name VARCHAR,label VARCHAR\ns1,Site number 1\ns2,Site number 2\n"
        "edgedef>node1 VARCHAR,node2 VARCHAR, weight DOUBLE\ns1,s2,122\n",
        refused="", known="rows of nodes are no edges",
    ),
    Case(
        "gephi-excel", GEPHI + "1143", "an Excel file under the suffix of a table", "matrix.csv",
        b"PK\x03\x04\x14\x00\x06\x00\x08\x00\x00\x00!\x00xl/worksheets/sheet1.xml\x00\x01\x02\n\x03\x04", refused="",
        known="an archive is no table",
    ),
    Case(
        "two-separators", "https://github.com/kfoynt/LocalGraphClustering/pull/38", "tabs and blanks in one file",
        "mixed.edges", "1\t2 3.5\n2  3\t1\n3 4 2\n", 4, both({(1, 2): 3.5, (2, 3): 1, (3, 4): 2}), True,
        "the report: any white space separates", says="undirected",
    ),
)  # fmt: skip

MATRIX_CASES = (
    Case(
        "matrix-gephi-weights", GEPHI + "333", "weights with decimal points between semicolons were all 1",
        "weights.csv", ";A;B;C\nA;1.1;4.3;0.0\nB;1.4;2.0;1.1\nC;1.0;0.0;3.1\n", 3,
        {
            ("A", "A"): 1.1,
            ("A", "B"): 4.3,
            ("B", "A"): 1.4,
            ("B", "B"): 2,
            ("B", "C"): 1.1,
            ("C", "A"): 1,
            ("C", "C"): 3.1,
        },
        True, "the report", says="matrix",
    ),
    Case(
        "matrix-gephi-commas", GEPHI + "333", "the same with decimal commas", "commas.csv",
        ";A;B;C\nA;1,1;4,3;0,0\nB;1,4;2,0;1,1\nC;1,0;0,0;3,1\n", 3,
        {
            ("A", "A"): 1.1,
            ("A", "B"): 4.3,
            ("B", "A"): 1.4,
            ("B", "B"): 2,
            ("B", "C"): 1.1,
            ("C", "A"): 1,
            ("C", "C"): 3.1,
        },
        True, "the report", says="matrix",
    ),
    Case(
        "matrix-node-alone", GEPHI + "2837", "a node without edges was left out", "five.csv",
        ";A;B;C;D;E\nA;0;1;0;1;0\nB;1;0;0;0;0\nC;0;0;1;0;0\nD;0;1;0;1;0\nE;0;0;0;0;0\n", 5,
        plain(("A", "B"), ("A", "D"), ("B", "A"), ("C", "C"), ("D", "B"), ("D", "D")), False,
        "the report: five nodes", says="matrix",
    ),
    Case(
        "matrix-names", GEPHI + "1372", "labels are words, separated by commas", "people.csv",
        ",Mike,Allen,Jo Ann\nMike,0,1,0\nAllen,1,0,1\nJo Ann,0,1,0\n", 3,
        plain(("Mike", "Allen"), ("Allen", "Mike"), ("Allen", "Jo Ann"), ("Jo Ann", "Allen")), False, "the report",
        says="matrix",
    ),
    Case(
        "matrix-labels-above", GEPHI + "1676", "labels stand above the columns alone", "above.csv",
        "ann,bob,cy\n0,2,0\n0,0,3\n1,0,0\n", 3, {("ann", "bob"): 2, ("bob", "cy"): 3, ("cy", "ann"): 1}, True,
        "the report: labels left are missing", says="matrix",
    ),
    Case(
        "matrix-empty-cells", "https://github.com/snapapps/edgy/issues/73",
        "cells that hold names of edges are no numbers", "incidence.csv", ",n1,n2,n3\nn1,,a,\nn2,,,b\nn3,c,,\n",
        refused="", known="a letter is no weight",
    ),
    Case(
        "matrix-counted", "https://github.com/faskowit/app-fmri-2-mat/issues/5",
        "numbers of regions above and beside, NaN on the diagonal", "cm.csv",
        ",1,2,3\n1,NaN,0.5,-0.25\n2,0.5,NaN,0\n3,-0.25,0,NaN\n", 3, both({(1, 2): 0.5, (1, 3): -0.25}), True,
        "NaN is no edge", says="matrix",
    ),
    Case(
        "matrix-of-scientific-numbers", "https://github.com/cwatson/brainGraph/issues/31",
        "text without quotes, blanks before every number, as MATLAB saves it", "aal.txt",
        "   0.0000000e+00   1.2500000e-01   0.0000000e+00\n   1.2500000e-01   0.0000000e+00  -5.0000000e-01\n"
        "   0.0000000e+00  -5.0000000e-01   0.0000000e+00\n",
        3, both({(0, 1): 0.125, (1, 2): -0.5}), True, "numpy.loadtxt", says="matrix",
    ),
    Case(
        "matrix-savetxt-header", "https://github.com/maenmulhemeng/centrality (bipartite/hugeGraph.py)",
        "a brain as text for numpy.loadtxt: numpy.savetxt with a header, 2 x 2", "two.txt",
        saved_text(np.array([[0.0, 1.5], [2.5, 0.0]]), header="a b"), 2, {(0, 1): 1.5, (1, 0): 2.5}, True,
        "numpy.loadtxt", says="matrix",
    ),
    Case(
        "matrix-savetxt-whole", NX + "issues/1249", "whole numbers with 18 digits, 3 x 3, are no list of edges",
        "three.txt", saved_text(np.array([[0, 1, 2], [1, 0, 3], [2, 3, 0]])), 3,
        both({(0, 1): 1, (0, 2): 2, (1, 2): 3}), True, "numpy.loadtxt; names of nodes are not written so",
        says="matrix",
    ),
    Case(
        "matrix-of-ones-and-noughts", "https://github.com/graphia-app/graphia/issues/12", "2 x 2, 0 and 1", "two.csv",
        "0,1\n1,0\n", 2, plain((0, 1), (1, 0)), False, "a matrix of 0 and 1; as a list it has the same two edges",
        says="matrix",
    ),
    Case(
        "mm-skew-array", "https://github.com/scipy/scipy/issues/16119", "array, real, skew-symmetric", "19.mtx",
        "%%MatrixMarket matrix array real skew-symmetric\n3 3\n-1\n2\n0\n", 3,
        {(1, 0): -1, (0, 1): 1, (2, 0): 2, (0, 2): -2}, True,
        "Matrix Market: below the diagonal, by columns, the other half negative",
    ),
    Case(
        "mm-skew-coordinates", "https://github.com/JuliaSparse/MatrixMarket.jl/issues/39", "the upper half was lost",
        "skew.mtx", "%%MatrixMarket matrix coordinate real skew-symmetric\n3 3 2\n2 1 5\n3 2 -4\n", 3,
        {(1, 0): 5, (0, 1): -5, (2, 1): -4, (1, 2): 4}, True, "Matrix Market",
    ),
    Case(
        "mm-symmetric-array", "https://github.com/scipy/scipy/issues/16119", "array, symmetric", "18.mtx",
        "%%MatrixMarket matrix array real symmetric\n% a comment\n3 3\n4\n-1\n0\n0\n2\n0\n", 3,
        {(0, 0): 4, (1, 0): -1, (0, 1): -1, (2, 1): 2, (1, 2): 2}, True,
        "Matrix Market: lower half by columns, with the diagonal",
    ),
    Case(
        "mm-blank-lines", "https://github.com/JuliaSparse/MatrixMarket.jl/pull/5",
        "blank lines before the sizes and the data", "qh.mtx",
        "%%MatrixMarket matrix coordinate real general\n%\n\n  3 3 2\n\n1 2 0.5\n3 1 1e-1\n", 3,
        {(0, 1): 0.5, (2, 0): 0.1}, True, "Matrix Market allows blank lines",
    ),
    Case(
        "mm-pattern-stars", "https://github.com/wheatman/SSTGraph/pull/1", "pattern symmetric has no third column",
        "stars.mtx", "%%MatrixMarket matrix coordinate pattern symmetric\n% three leaves\n4 4 3\n2 1\n3 1\n4 1\n", 4,
        both(plain((0, 1), (0, 2), (0, 3))), False, "Matrix Market",
    ),
    Case(
        "mm-integer", "https://github.com/networkit/networkit/pull/997",
        "integer weights and one sign before the banner", "int.mtx",
        "%MatrixMarket matrix coordinate integer general\n3 3 3\n1 2 7\n2 3 1\n3 3 2\n", 3,
        {(0, 1): 7, (1, 2): 1, (2, 2): 2}, True, "Matrix Market",
    ),
    Case(
        "mm-duplicates", "https://github.com/python-graphblas/python-graphblas/pull/80", "an entry twice", "dup.mtx",
        "%%MatrixMarket matrix coordinate real general\n2 2 3\n1 2 1.5\n1 2 2\n2 1 1\n", 2, {(0, 1): 3.5, (1, 0): 1},
        True, "scipy.io.mmread adds them up", says="parallel",
    ),
    Case(
        "mm-complex", "https://github.com/JuliaSparse/MatrixMarket.jl/pull/5", "complex numbers are no weights",
        "cpx.mtx", "%%MatrixMarket matrix coordinate complex general\n2 2 1\n1 2 1 2\n", refused="complex",
        known="weights are real",
    ),
    Case(
        "mm-not-square", "https://github.com/trilinos/Trilinos/issues/2033", "more rows than columns", "hyper.mtx",
        "%%MatrixMarket matrix coordinate pattern general\n3 2 2\n1 1\n3 2\n", refused="3",
        known="an adjacency matrix is square",
    ),
    Case(
        "npz-explicit-zeros", NX + "pull/8553", "zeros that are stored are edges", "zeros.npz",
        sparse(scipy.sparse.csr_array((np.array([0.0, 2.0]), np.array([1, 2]), np.array([0, 1, 2, 2])), shape=(3, 3))),
        3, {(0, 1): 0, (1, 2): 2}, True,
        "networkx.from_scipy_sparse_array: a stored zero is an edge of weight 0; a dense one is none",
    ),
    Case(
        "npz-coo-duplicates", "https://github.com/python-graphblas/python-graphblas/pull/80",
        "COO with an entry twice", "coo.npz",
        sparse(scipy.sparse.coo_array(([1.0, 2.0, 4.0], ([0, 0, 1], [1, 1, 0])), shape=(2, 2))), 2,
        {(0, 1): 3, (1, 0): 4}, True, "scipy adds them up", says="parallel",
    ),
    Case(
        "npz-bsr", NX + "pull/1226", "blocks", "bsr.npz",
        sparse(
            scipy.sparse.bsr_array(
                np.array([[0, 1.0, 0, 0], [2.0, 0, 0, 0], [0, 0, 0, 3.0], [0, 0, 0, 0]]),
                blocksize=(2, 2),
            ),
        ),
        4, {(0, 1): 1, (1, 0): 2, (2, 3): 3}, True, "scipy.sparse.load_npz",
    ),
    Case(
        "npz-dia", NX + "pull/1226", "diagonals", "dia.npz",
        sparse(scipy.sparse.dia_array((np.array([[9.0, 1.0, 2.0], [3.0, 4.0, 9.0]]), np.array([1, -1])), shape=(3, 3))),
        3, {(0, 1): 1, (1, 2): 2, (1, 0): 3, (2, 1): 4}, True,
        "scipy.sparse.load_npz: diagonal 1 begins at its second number",
    ),
    Case(
        "npz-two-arrays", "https://github.com/nalin-dhiman/sm-forensic (code_snapshot/data/README.md)",
        "a matrix and signs of its rows", "connectome.npz",
        npz(W_counts=np.array([[0, 3], [1, 0]]), pre_signs=np.array([1, -1], np.int8)), refused="pre_signs",
        known="nothing says what becomes of the other array; the message must name the arrays",
    ),
    Case(
        "npy-of-truth-values", NX + "issues/6248", "a matrix of bool", "bool.npy",
        npy(np.array([[False, True], [False, True]])), 2, plain((0, 1), (1, 1)), False, "True is an edge",
    ),
    Case(
        "npy-text", "https://github.com/muhanzhang/SEAL/issues/68", "a MATLAB file", "USAir.mat",
        b"MATLAB 5.0 MAT-file, Platform: GLNXA64" + b" " * 86 + b"\x00\x01IM", refused=".mat",
        known="no format of wirings; the message must name the suffix",
    ),
)  # fmt: skip

JSON_CASES = (
    Case(
        "json-edges-and-more", "https://github.com/Graphify-Labs/graphify/issues/1198",
        "edges under edges, other keys beside, no direction", "graph.json",
        json.dumps(
            {
                "nodes": [{"id": "a", "label": "A"}, {"id": "b", "label": "B"}],
                "edges": [{"source": "a", "target": "b", "relation": "calls"}],
                "hyperedges": [],
                "input_tokens": 0,
            },
        ),
        2, both(plain(("a", "b"))), False, "networkx.node_link_graph: undirected without the key", says="undirected",
    ),
    Case(
        "json-links-of-old-networkx", "https://github.com/Graphify-Labs/graphify/pull/212",
        "links under links, some with a weight", "old.json",
        json.dumps(
            {
                "directed": True,
                "multigraph": False,
                "graph": {},
                "nodes": [{"id": "x"}, {"id": "y"}, {"id": "z"}],
                "links": [
                    {"weight": 2.5, "source": "x", "target": "y"},
                    {"source": "y", "target": "z"},
                    {"weight": None, "source": "z", "target": "x"},
                ],
            },
        ),
        3, {("x", "y"): 2.5, ("y", "z"): 1, ("z", "x"): 1}, True, "missing weights are 1", says="without a weight",
    ),
    Case(
        "json-nan", "https://github.com/Graphify-Labs/graphify/pull/212", "json.dumps of Python writes NaN",
        "nan.json",
        '{"directed": true, "multigraph": false, "graph": {}, "nodes": [{"id": 0}, {"id": 1}], '
        '"links": [{"source": 0, "target": 1, "weight": NaN}, {"source": 1, "target": 0, "weight": 2.0}]}',
        2, {(0, 1): 1, (1, 0): 2}, True, "json.loads reads NaN, which is a missing weight", says="without a weight",
    ),
    Case(
        "json-graph-a-list", NX + "pull/1262", "the attributes of the graph are a list of pairs", "pairs.json",
        json.dumps(
            {
                "directed": False,
                "graph": [["name", "path_graph(2)"]],
                "nodes": [{"id": 0}, {"id": 1}],
                "links": [{"source": 0, "target": 1}],
                "multigraph": False,
            },
        ),
        2, both(plain((0, 1))), False, "networkx before 1.10",
    ),
    Case(
        "json-d3-places", "https://github.com/d3/d3-force/issues/40", "links between places while nodes have ids",
        "d3.json",
        json.dumps(
            {
                "nodes": [{"id": "xx"}, {"id": "yy"}, {"id": "zz"}],
                "links": [{"source": 0, "target": 1}, {"source": 1, "target": 2}],
            },
        ),
        3, both(plain(("xx", "yy"), ("yy", "zz"))), False, "D3: source and target are indices", says="places",
    ),
    Case(
        "json-d3-strings-of-nodes", "https://github.com/d3/d3-force/issues/32", "nodes are mere names", "names.json",
        json.dumps({"nodes": ["a", "b", "c"], "links": [{"source": 0, "target": 1}, {"source": 1, "target": 2}]}), 3,
        both(plain(("a", "b"), ("b", "c"))), False, "the report: links by place", says="places", may_be_refused=True,
    ),
    Case(
        "json-unknown-node", "https://github.com/d3/d3-force/issues/65", "a link names a node that is not there",
        "missing.json", json.dumps({"nodes": [{"id": "00341"}], "links": [{"source": "00341", "target": "00999"}]}),
        refused="00999", known="D3: missing: 00999",
    ),
    Case(
        "json-nodes-by-key", "https://github.com/d3/d3/issues/2007", "nodes are an object with ids for keys",
        "keyed.json",
        json.dumps(
            {
                "nodes": {"0_1": {"name": "0/1"}, "1_1": {"name": "1/1"}, "1_2": {"name": "1/2"}},
                "links": [{"source": "0_1", "target": "1_2"}, {"source": "1_1", "target": "1_2"}],
            },
        ),
        3, both(plain(("0_1", "1_2"), ("1_1", "1_2"))), False, "the report: keys are ids", says="undirected",
        may_be_refused=True,
    ),
    Case(
        "json-leading-noughts", "https://github.com/bricaud/graphexp/pull/81", '0 and "0000" are two nodes',
        "noughts.json",
        json.dumps(
            {"directed": True, "nodes": [{"id": 0}, {"id": "0000"}], "links": [{"source": 0, "target": "0000"}]},
        ),
        2, {(0, "0000"): None}, False, "the report",
    ),
    Case(
        "cytoscape-of-networkx", NX + "issues/4516", "weights, and ids that are text while ends are numbers",
        "cyto.json",
        json.dumps(
            {
                "data": [],
                "directed": False,
                "multigraph": False,
                "elements": {
                    "nodes": [{"data": {"id": str(i), "value": i, "name": str(i)}} for i in range(3)],
                    "edges": [
                        {"data": {"weight": 1, "source": 0, "target": 1}},
                        {"data": {"weight": 2, "source": 1, "target": 2}},
                    ],
                },
            },
        ),
        3, both({(0, 1): 1, (1, 2): 2}), True,
        "networkx.cytoscape_data of a graph of integers; read back by cytoscape_graph",
    ),
    Case(
        "cytoscape-lists", NX + "issues/7962", "ends are lists, as those of a product of graphs", "product.json",
        json.dumps(
            {
                "data": [],
                "directed": True,
                "multigraph": False,
                "elements": {
                    "nodes": [
                        {"data": {"id": "('a', 'a')", "value": ["a", "a"], "name": "('a', 'a')"}},
                        {"data": {"id": "('a', 'b')", "value": ["a", "b"], "name": "('a', 'b')"}},
                    ],
                    "edges": [{"data": {"source": ["a", "a"], "target": ["a", "b"]}}],
                },
            },
        ),
        2, {("('a', 'a')", "('a', 'b')"): None}, False, "the ids are the texts of these tuples", may_be_refused=True,
    ),
    Case(
        "cytoscape-flat", "https://github.com/bioconvert/bioconvert/issues/155", "ids of edges among those of nodes",
        "bio.json",
        json.dumps(
            {
                "data": {"selected": False},
                "elements": {
                    "nodes": [{"data": {"id": "8220", "name": "debut"}}, {"data": {"id": "8221", "name": "fin"}}],
                    "edges": [
                        {"data": {"id": "13533", "source": "8220", "target": "8221"}},
                        {"data": {"id": "13535", "source": "8221", "target": "8220"}},
                    ],
                },
            },
        ),
        2, both(plain(("8220", "8221"))), False, "ids are text in this file", says="",
    ),
    Case(
        "jgf-list-of-nodes", "https://github.com/jsongraph/jgf-dot/issues/7", "version 1 has a list of nodes",
        "v1.json",
        json.dumps(
            {
                "graph": {
                    "directed": False,
                    "type": "x",
                    "label": "made up",
                    "nodes": [{"id": "A", "label": "a"}, {"id": "B"}],
                    "edges": [{"source": "A", "relation": "r", "target": "B", "metadata": {"weight": 2}}],
                },
            },
        ),
        2, both({("A", "B"): 2}), True, "JGF 1",
    ),
    Case(
        "jgf-keys", "https://github.com/jsongraph/json-graph-specification/issues/39",
        "version 2 has nodes by their ids", "v2.json",
        json.dumps(
            {
                "graph": {
                    "nodes": {"A": {"label": "a"}, "B": {}, "C": {}},
                    "edges": [{"source": "A", "target": "B"}, {"source": "C", "target": "B", "directed": False}],
                },
            },
        ),
        3, {("A", "B"): None, ("C", "B"): None, ("B", "C"): None}, False,
        "JGF: directed unless it says otherwise, an edge may say it itself",
    ),
    Case(
        "graphology", "https://graphology.github.io/serialization", "nodes have keys, edges have attributes",
        "graphology.json",
        json.dumps(
            {
                "attributes": {"name": "g"},
                "options": {"allowSelfLoops": True, "multi": False, "type": "mixed"},
                "nodes": [{"key": "Thomas", "attributes": {"age": 34}}, {"key": "Eric"}, {"key": "Ann"}],
                "edges": [
                    {"key": "T->E", "source": "Thomas", "target": "Eric", "attributes": {"type": "KNOWS", "weight": 2}},
                    {"source": "Eric", "target": "Ann", "undirected": True},
                ],
            },
        ),
        3, {("Thomas", "Eric"): 2} | both({("Eric", "Ann"): 1}), True,
        "the page: an edge is directed unless undirected is true",
    ),
    Case(
        "graphjson", "https://github.com/GraphAlchemist/GraphJSON/wiki/edges",
        "edges with captions and properties, always directed", "alchemy.json",
        json.dumps(
            {
                "nodes": [{"id": 1234}, {"id": 4321}],
                "edges": [{"source": 1234, "target": 4321, "caption": "x", "properties": {}, "type": ["KNOWS"]}],
            },
        ),
        2, {(1234, 4321): None}, False, "the page: edges are always directed; nothing in the file says so",
        options={"directed": True},
    ),
)  # fmt: skip

MORE_CASES = (
    Case(
        "gexf-hierarchy", GEPHI + "929", "nodes inside nodes; edges between both levels were lost", "hierarchy1.gexf",
        gexf(
            '<node id="a" label="parent"><nodes><node id="b" label="child 1"><nodes><node id="d"/></nodes></node>'
            '<node id="c" label="child 2"/></nodes></node>',
            '<edge id="0" source="b" target="c"/><edge id="1" source="c" target="a" weight="2"/>',
            'mode="static" defaultedgetype="directed"',
        ),
        4, {("b", "c"): 1, ("c", "a"): 2}, True,
        "Gephi 0.9: all nodes are imported, without the hierarchy; so does networkx",
    ),
    Case(
        "gexf-pid", GEPHI + "242", "parents by the attribute pid, in any order", "pid.gexf",
        gexf(
            '<node id="g" pid="b"/><node id="b" pid="a"/><node id="a"/>',
            '<edge source="g" target="b"/>',
            'mode="static" defaultedgetype="directed"',
        ),
        3, plain(("g", "b")), False, "GEXF: parents are no edges",
    ),
    Case(
        "gexf-edge-to-nowhere", GEPHI + "1096", "an edge names a node that is not there", "nowhere.gexf",
        gexf('<node id="a"/><node id="b"/>', '<edge id="1" source="a" target="zz9"/>'), refused="zz9",
        known="GEXF: ends are ids of nodes",
    ),
    Case(
        "gml-letters", NX + "pull/2497", "letters are written as entities", "letters.gml",
        'graph [\n  node [\n    id 0\n    label "M&#252;ller &#169;"\n  ]\n  node [\n    id 1\n'
        '    label "Mus&eacute;e"\n  ]\n  edge [\n    source 0\n    target 1\n  ]\n]\n',
        2, both(plain(("Müller ©", "Musée"))), False, "networkx.parse_gml",
    ),
    Case(
        "gml-of-brains",
        "https://github.com/emanuelepesce/neuroscience (data/toyData/t_test_MST_patients/SLA2_calabrese.gml)",
        "igraph: names and areas, and no labels", "brain.gml",
        'Creator "igraph version @VERSION@ Wed Jul 15 15:18:53 2015"\nVersion 1\ngraph\n[\n  directed 1\n  node\n  [\n'
        '    id 0\n    name "V1"\n    area "Precentral_L"\n    cx -40\n  ]\n  node\n  [\n    id 1\n    name "V2"\n'
        '    area "Precentral_R"\n    cx 40\n  ]\n  edge\n  [\n    source 1\n    target 0\n    weight 0.25\n  ]\n]\n',
        2, {(1, 0): 0.25}, True, "networkx.read_gml(label='id')",
    ),
    Case(
        "gml-no-ids", IGRAPH + "pull/2016", "empty nodes stand alone", "empty.gml",
        "graph [ node [ id 1 ] node [ id 2 ] node [ ] edge [ source 1 target 2 ] ]", refused="",
        known="igraph takes it for a node; a node without an id has no name, so that a line must say it",
    ),
    Case(
        "pajek-two-modes", IGRAPH + "issues/233", "the first line tells how many vertices belong to the first kind",
        "marvel.net",
        '*Vertices 5 2\n1 "Iron Man"\n2 "Thor"\n3 "AA2 20"\n4 "M/PRM"\n5 "WI? 9"\n*Edgeslist\n1 3 4\n2 4 5\n', 5,
        both(plain(("Iron Man", "AA2 20"), ("Iron Man", "M/PRM"), ("Thor", "M/PRM"), ("Thor", "WI? 9"))), False,
        "Pajek's manual",
    ),
    Case(
        "pajek-two-modes-matrix", NX + "issues/2123",
        "a matrix of two modes has a row for each vertex of the first and a column for each of the second",
        "journals.net", '*Vertices 5 2\n1 "x"\n2 "y"\n3 "A"\n4 "B"\n5 "C"\n*Matrix\n1 0 2\n0 3 0\n', 5,
        both({("x", "A"): 1, ("x", "C"): 2, ("y", "B"): 3}), True, "Pajek's manual: two-mode networks are undirected",
    ),
    Case(
        "pajek-matrix-too-short", NX + "pull/2200", "a matrix that lacks a row", "short.net",
        "*Vertices 3\n*Matrix\n0 1 0\n1 0 1\n", refused="3", known="a matrix of one mode is square",
    ),
    Case(
        "mac-line-ends", "https://github.com/snapapps/edgy/issues/257",
        "lines of an old Excel for Mac end with CR alone", "mac.csv", "source,target\ra,b\rb,c\r", 3,
        plain(("a", "b"), ("b", "c")), False, "the report: any convention of line ends",
    ),
    Case(
        "dimacs-as-text", "https://github.com/JuliaGraphs/GraphIO.jl/issues/48", "lines begin with c, p and e",
        "col.txt", "c Lines starting with c are comments\np edge 4 3\ne 1 2\ne 2 3\ne 4 1\n", refused="",
        known="no list of edges: its first column is no node",
    ),
    Case(
        "dimacs", "https://github.com/mkindahl/gograph/issues/10", "roads of the challenge", "roads.gr",
        "c road\np sp 3 2\na 1 2 17\na 2 3 5\n", refused=".gr",
        known="no format of wirings; the message must name the suffix",
    ),
    Case(
        "ucinet-as-text", "https://github.com/socnetv/app/issues/62", "DL as R's sna writes it", "dl.txt",
        "DL, N=4, FORMAT = edgelist1\nLABELS:\nlabel1\nlabel2\nlabel3\nlabel4\nDATA:\n1    2   1\n1    3   1\n"
        "2    4   1\n",
        refused="", known="no list of edges",
    ),
    Case(
        "ucinet-matrix-as-text", IGRAPH + "issues/2246", "DL with a matrix", "alemania.test.txt",
        "DL\nN = 3\nFORMAT = FULLMATRIX DIAGONAL PRESENT\nDATA:\n0 1 2\n1 0 0\n2 0 0\n", refused="",
        known="no list of edges",
    ),
    Case(
        "triples", "https://github.com/Lapis-Hong/TransE-Knowledge-Graph-Embedding/issues/2",
        "head, tail and relation", "train.txt",
        "/m/027rn\t/m/06cx9\t/location/country/form_of_government\n/m/017dcd\t/m/06v8s0\t/tv/tv_program/regular_cast\n"
        "/m/027rn\t/m/06cx9\t/location/capital\n",
        4,
        {
            ("/m/027rn", "/m/06cx9"): 2,
            ("/m/06cx9", "/m/027rn"): 2,
            ("/m/017dcd", "/m/06v8s0"): 1,
            ("/m/06v8s0", "/m/017dcd"): 1,
        },
        True, "the report: head, tail, relation; nothing in the file tells a direction", says="column 3",
        may_be_refused=True,
    ),
    Case(
        "ids-with-sizes-first", "https://github.com/nkahmed/PGD/issues/3",
        "the line of sizes of a Matrix Market file that was renamed", "kc.edges",
        "%% Karate Club Graph (graph is undirected, each edge is saved twice)\n%% Nodes: 4 Edges:3\n4 4 3\n0 1\n0 2\n"
        "2 3\n",
        4, both(plain((0, 1), (0, 2), (2, 3))), False, "the report: rename it; sizes are no edge", says="line 3",
        may_be_refused=True,
    ),
    Case(
        "banner-in-edges", "https://github.com/gunrock/gunrock/issues/632",
        "a banner of Matrix Market in a file of edges", "banner.edges",
        "%%MatrixMarket matrix coordinate pattern symmetric\n3 3 2\n2 1\n3 2\n", 3, both(plain((1, 2), (2, 3))),
        False, "the banner says what the next line is; a list of edges keeps its own numbers", may_be_refused=True,
    ),
    Case(
        "noughts-in-front", "https://github.com/bricaud/graphexp/pull/81", "0 and 0000 are two nodes in a table too",
        "noughts.csv", "source,target\n0,0000\n0000,007\n007,7\n", 4, plain((0, "0000"), ("0000", "007"), ("007", 7)),
        False, "the report: ids are compared as they are written",
    ),
    Case(
        "post-before-pre", "https://github.com/natverse/fafbseg/issues/74",
        "the column of targets comes first, and two columns of numbers", "elist.csv",
        "post,pre,post.Label,pre.Label,count,norm,connection\n"
        "425790257,5813105172,dendrite,dendrite,4296,0.0339,dendrite-dendrite\n"
        "5813105172,425790257,dendrite,axon,1739,0.0225,axon-dendrite\n"
        "425790257,5813105172,dendrite,axon,4,0.001,axon-dendrite\n",
        2, {(5813105172, 425790257): 4300, (425790257, 5813105172): 1739}, True,
        "pre is the source wherever it stands; count is the number of synapses", says="parallel",
    ),
    Case(
        "neo4j-import",
        "https://github.com/connectome-neuprint/neuPrint (dvid_to_neuprint/generate_SynapseSet_to_Synapses.py)",
        "headings of Neo4j's import, with types after colons", "Neuprint_Neuron_Connections.csv",
        ":START_ID(Body-ID),weightHR:int,weight:int,weightHP:int,:END_ID(Body-ID),roiInfo:string\n"
        '1001,9,5,4,1002,"{""AB"":{""pre"":1}}"\n1002,3,2,2,1001,"{}"\n',
        2, {(1001, 1002): 5, (1002, 1001): 2}, True, "Neo4j: START_ID and END_ID are directed; weight is the weight",
    ),
    Case(
        "time-first", "https://search.r-project.org/CRAN/refmans/tnet/html/tnet-package.html",
        "the first of four columns is a time", "tnet.txt",
        '"2007-09-12 13:45:00" 1 2 1\n"2007-09-12 13:46:31" 1 2 1\n"2007-09-13 08:00:01" 3 1 1\n', refused="",
        known="the page: time, sender, receiver, weight; times are no nodes",
    ),
    Case(
        "tnet-undirected", "https://search.r-project.org/CRAN/refmans/tnet/html/tnet-package.html",
        "every tie stands twice", "net.txt", "1 2 4\n2 1 4\n1 3 2\n3 1 2\n", 3, both({(1, 2): 4, (1, 3): 2}), True,
        "the page",
    ),
    Case(
        "neighbours-with-weights", "https://oist.github.io/NEXTNetR/reference/empirical_weightednetwork.html",
        "neighbours and weights in pairs with a colon", "weighted.adjlist", "1 2:0.5 3:1.5\n2 3:2\n3\n", refused=":",
        known="adjacency lists of networkx have no weights; 2:0.5 is no node",
    ),
    Case(
        "gephi-neighbours", GEPHI + "1509", "neighbours with semicolons, as many in every line", "pmv.csv",
        "P;M;V\nO;D;S\nO;T;S\n", 7, {("P", "M"): 1, ("P", "V"): 1, ("O", "D"): 1, ("O", "S"): 2, ("O", "T"): 1}, True,
        "the report: the first is linked to all others", options={"format": "adjacency-list", "directed": True},
    ),
    Case(
        "matrix-of-write-table",
        "https://codedump.io/share/ec5ZKpp1QBw3/1/writetable-writes-unwanted-leading-empty-column-to-header-when-has-r"
        "ownames",
        "R's heading is one name short", "a.txt", '"A" "B" "C"\n"A" 1 4 7\n"B" 2 5 8\n"C" 3 6 0\n', 3,
        {
            ("A", "A"): 1,
            ("A", "B"): 4,
            ("A", "C"): 7,
            ("B", "A"): 2,
            ("B", "B"): 5,
            ("B", "C"): 8,
            ("C", "A"): 3,
            ("C", "B"): 6,
        },
        True, "the page", says="matrix",
    ),
    Case(
        "matrix-of-write-table-na",
        "https://codedump.io/share/ec5ZKpp1QBw3/1/writetable-writes-unwanted-leading-empty-column-to-header-when-has-r"
        "ownames",
        "R with col.names=NA, tabs and NA", "a.tsv", '""\t"A"\t"B"\n"A"\tNA\t4\n"B"\t0.5\t0\n', 2,
        {("A", "B"): 4, ("B", "A"): 0.5}, True, "the page; NA is no edge", says="matrix",
    ),
    Case(
        "matrix-upper-half", "https://github.com/igraph/rigraph/issues/2218", "the lower half is NA", "upper.csv",
        '"","a","b","c"\n"a",0,0.5,0.25\n"b",NA,0,1.5\n"c",NA,NA,0\n', 3,
        {("a", "b"): 0.5, ("a", "c"): 0.25, ("b", "c"): 1.5}, True, "NA is no edge", says="matrix",
    ),
    Case(
        "matrix-printed-sparse", "https://github.com/zdk123/SpiecEasi/issues/25",
        "R prints dots for what is not there", "printed.txt", "1050608 . 1 1\n1033426 1 . .\n505587 1 . .\n",
        refused="", known="a dot is no number; with dots for 0 it would be a matrix with labels",
    ),
    Case(
        "matrix-separator-at-the-end", "https://github.com/deephaven/deephaven-core/issues/1800",
        "every row ends with a separator", "trail3.csv", "0,0.5,0,\n0.5,0,1.5,\n0,1.5,0,\n", 3,
        both({(0, 1): 0.5, (1, 2): 1.5}), True, "the report: an empty last column is none", says="matrix",
    ),
    Case(
        "matrix-rectangular", "https://github.com/socnetv/app/issues/15", "two modes as a matrix that is not square",
        "davis.txt", "1 1 1 0 1\n0 1 1 1 0\n1 0 0 1 1\n", refused="",
        known="an adjacency matrix is square; rows of five numbers are no edges",
    ),
    Case(
        "mm-skew-of-old-scipy", "https://github.com/scipy/scipy/issues/7836",
        "scipy wrote the diagonal, which the format leaves out", "old.mtx",
        "%%MatrixMarket matrix array integer skew-symmetric\n%\n2 2\n0\n-1\n0\n", refused="",
        known="Matrix Market: one number is due and three are there",
    ),
    Case(
        "mm-array", NX + "pull/4921", "arrays stand column by column", "array.mtx",
        "%%MatrixMarket matrix array real general\n2 2\n0\n3\n1\n0\n", 2, {(0, 1): 1, (1, 0): 3}, True,
        "scipy.io.mmread",
    ),
    Case(
        "npz-of-gnn-benchmark", "https://github.com/dmlc/dgl/issues/1077", "object arrays beside the adjacency",
        "coauthor.npz",
        npz(
            adj_data=np.ones(2),
            adj_indices=np.array([1, 0]),
            adj_indptr=np.array([0, 1, 2]),
            adj_shape=np.array([2, 2]),
            node_names=np.array(["a", None], dtype=object),
        ),
        refused="", known="objects are never unpickled; the message is one line",
    ),
    Case(
        "npz-of-two-stacks", "https://github.com/basiralab/RegGNN/issues/1", "many connectomes in one array",
        "stack.npy", npy(np.ones((2, 3, 3))), refused="(2, 3, 3)", known="a wiring is one graph",
    ),
    Case(
        "json-adjacency",
        "https://networkx.org/documentation/networkx-3.2.1/reference/readwrite/generated/networkx.readwrite.json_graph"
        ".adjacency_data.html",
        "networkx's other JSON", "adjacency.json",
        json.dumps(
            {
                "directed": False,
                "multigraph": False,
                "graph": [],
                "nodes": [{"id": 1}, {"id": 2}, {"id": 3}],
                "adjacency": [[{"id": 2, "weight": 2.5}], [{"id": 1, "weight": 2.5}, {"id": 3}], [{"id": 2}]],
            },
        ),
        3, both({(1, 2): 2.5, (2, 3): 1}), True, "networkx.adjacency_graph",
    ),
    Case(
        "json-ends-are-objects", "https://github.com/d3/d3-force/issues/103",
        "D3 replaces ids by nodes, and people save that", "saved.json",
        json.dumps(
            {
                "nodes": [{"id": "a", "index": 0, "x": 1.5}, {"id": "b", "index": 1, "x": 2}],
                "links": [
                    {
                        "source": {"id": "a", "index": 0, "x": 1.5},
                        "target": {"id": "b", "index": 1, "x": 2},
                        "value": 3,
                        "index": 0,
                    },
                ],
            },
        ),
        2, both({("a", "b"): 3}), True, "D3: the nodes themselves", says="value",
    ),
    Case(
        "json-list-of-edges", "https://github.com/rovaniemi/osm-graph-parser/issues/7",
        "a list of nodes with places of neighbours", "osm.json",
        json.dumps([{"la": 10.0, "lo": 10.0, "e": [{"i": 1, "w": 200}]}, {"la": 11.0, "lo": 10.0, "e": []}]),
        refused="", known="no known layout; one line says which are read",
    ),
    Case(
        "netzschleuder-edges", "https://github.com/igraph/igraphdata/pull/23",
        "the heading is a comment, names stand after blanks", "edges.csv",
        "# source, target, weight, time\n0,1,3,100\n1,2,1,101\n3,0,2,105\n0,1,1,106\n", 4,
        {(0, 1): 4, (1, 2): 1, (3, 0): 2}, True,
        "the heading names source, target and weight; the fourth column is a time", says="parallel",
    ),
    Case(
        "netzschleuder-nodes", "https://github.com/igraph/igraphdata/pull/23", "the table of nodes beside it",
        "nodes.csv",
        '# index, name, _pos\n0,ADAL,"array([0.5, 1.5])"\n1,ADAR,"array([2.5, 0.5])"\n2,ADFL,"array([1.0, 0.25])"\n',
        refused="nodes", known="an index and a name are no edge",
    ),
    Case(
        "graphml-utf-16", "https://github.com/appccelerate/statemachine/issues/2", "the head says utf-16",
        "wide.graphml",
        (
            '<?xml version="1.0" encoding="utf-16"?><graphml xmlns="http://graphml.graphdrawing.org/xmlns">'
            '<graph edgedefault="directed"><node id="ä"/><node id="b"/><edge source="ä" target="b"/></graph></graphml>'
        ).encode("utf-16"),
        2, plain(("ä", "b")), False, "XML 1.0: every reader knows UTF-16",
    ),
    Case(
        "graphml-latin-1", "https://github.com/jexp/neo4j-shell-tools/issues/35", "the head says iso-8859-1",
        "latin.graphml",
        (
            '<?xml version="1.0" encoding="iso-8859-1"?><graphml xmlns="http://graphml.graphdrawing.org/xmlns">'
            '<graph edgedefault="directed"><node id="ä"/><node id="b"/><edge source="ä" target="b"/></graph></graphml>'
        ).encode("latin-1"),
        2, plain(("ä", "b")), False, "XML 1.0",
    ),
    Case(
        "graphml-cytoscape-by-name", "https://github.com/dondi/GRNsight/issues/312",
        "Cytoscape's keys of edges say node; their ids are names", "weighted.graphml",
        '<graphml xmlns="http://graphml.graphdrawing.org/xmlns">'
        '<key attr.name="name" attr.type="string" for="node" id="name"/>'
        '<key attr.name="weight" attr.type="double" for="node" id="weight"/><graph edgedefault="directed" id="g">'
        '<node id="70"><data key="name">Node 4</data></node><node id="72"/><edge source="70" target="70">'
        '<data key="name">Node 4 (interacts with) Node 4</data><data key="weight">-0.5</data></edge>'
        '<edge source="70" target="72"><data key="weight">1.5</data></edge></graph></graphml>',
        2, {(70, 70): -0.5, (70, 72): 1.5}, True, "the report: it should say edge",
    ),
    Case(
        "gexf-weight-undeclared", "https://github.com/gephi/gephi-lite/issues/69",
        "the weight is an undeclared attvalue beside viz", "hanzi.gexf",
        '<?xml version="1.0" encoding="UTF-8"?>'
        '<gexf xmlns="http://www.gexf.net/1.1draft" xmlns:viz="http://www.gexf.net/1.1draft/viz" version="1.1">'
        '<graph defaultedgetype="undirected" mode="static"><nodes><node id="合"/><node id="亼"/></nodes><edges>'
        '<edge id="3112" source="合" target="亼"><viz:color r="128" g="128" b="128"/><attvalues>'
        '<attvalue for="weight" value="2.5"/></attvalues></edge></edges></graph></gexf>',
        2, both({("合", "亼"): 2.5}), True, "networkx.read_gexf: weight 2.5",
    ),
    Case(
        "gml-bytes", IGRAPH + "issues/2503", "bytes that are not UTF-8", "latin.gml",
        'graph [ node [ id 0 label "Zoë" ] node [ id 1 label "b" ] edge [ source 0 target 1 ] ]'.encode("latin-1"), 2,
        both(plain(("Zoë", "b"))), False, "GML is ISO 8859-1",
    ),
    Case(
        "pajek-escaped-quotes", NX + "pull/8693", "quotes inside a name are escaped by a backslash", "quotes.net",
        '*vertices 2\n1 "say \\"hi\\" twice" 0.0 0.0 ellipse\n2 "b" 0.0 0.0 ellipse\n*edges\n1 2 2.5\n', 2,
        both({('say "hi" twice', "b"): 2.5}), True, "networkx.read_pajek",
    ),
    Case(
        "pajek-name-of-many-words", NX + "pull/952", "the line of the network has no name; tabs between columns",
        "tabs.net", '*Network\n*Vertices\t2\n1\t"a b"\n2\t"c"\n*Arcs\n1\t2\t0.5\n', 2, {("a b", "c"): 0.5}, True,
        "the report: a name is not required",
    ),
    Case(
        "mark-of-byte-order", "https://github.com/qcri/Arabesque/issues/10",
        "a mark of byte order before the first number", "bom.edges", "\ufeff1 2\n2 3\n3 4\n", 4,
        both(plain((1, 2), (2, 3), (3, 4))), False, "the mark is no part of a name",
    ),
)  # fmt: skip

LAST_CASES = (
    Case(
        "tuples", NX + "issues/6468", "nodes that are tuples hold blanks", "tuples.edgelist",
        "(0, 0) (1, 0) 3\n(1, 0) (0, 1) 2\n", 3, both({("(0, 0)", "(1, 0)"): 3, ("(1, 0)", "(0, 1)"): 2}), True,
        "the texts of these tuples, as in other formats", may_be_refused=True,
    ),
    Case(
        "tuples-without-weights", NX + "issues/5911", "the same without weights, which has four words a line",
        "tuples2.edgelist", "(0, 0) (1, 0)\n(1, 0) (0, 1)\n", 3,
        both(plain(("(0, 0)", "(1, 0)"), ("(1, 0)", "(0, 1)"))), False, "no node is called '(0,'",
        may_be_refused=True,
    ),
    Case(
        "adjlist-of-colons", NX + "issues/901", "colons separate, and one stands at the end; a nameless node came up",
        "colons.adjlist", "# fast_gnp_random_graph(5,0.2)\n0:1:2:\n1:\n2:4:\n3:\n4:\n", 5,
        both(plain((0, 1), (0, 2), (2, 4))), False, "the report: five nodes", may_be_refused=True,
    ),
    Case(
        "tabs-and-an-empty-weight", NX + "pull/7465", "the last column is empty in one line", "tabs.tsv",
        "a\tb\t\nb\tc\t2\nc\td\t0.5\n", 4, both({("a", "b"): 1, ("b", "c"): 2, ("c", "d"): 0.5}), True,
        "a missing weight is 1", says="without a weight",
    ),
    Case(
        "data-over-two-lines", NX + "issues/2584", "a text among the data of an edge holds a line end",
        "broken.edgelist", "1 3 {'description': 'Sample edge 1 \n with line break'}\n", refused="line 1",
        known="networkx: failed to convert edge data",
    ),
    Case(
        "r-row-names", "https://stat.ethz.ch/R-manual/R-devel/library/utils/html/write.table.html",
        "R writes numbers of rows first, and names columns V1, V2 and V3", "edges.csv",
        '"","V1","V2","V3"\n"1","a","b",2\n"2","b","c",1\n"3","c","a",4\n', 3,
        both({("a", "b"): 2, ("b", "c"): 1, ("c", "a"): 4}), True,
        "the manual: row names; a column without a name that counts rows is none of nodes", says="undirected",
    ),
    Case(
        "r-default-names", "https://stat.ethz.ch/R-manual/R-devel/library/utils/html/write.table.html",
        "the heading V1, V2 over columns of text", "pairs.csv", '"V1","V2"\n"a","b"\n"b","c"\n"c","d"\n', 4,
        both(plain(("a", "b"), ("b", "c"), ("c", "d"))), False, "V1 and V2 are R's names of columns",
        says="undirected",
    ),
    Case(
        "four-ratings", "http://memetracker.org/data/soc-sign-bitcoin-otc.html",
        "four lines of source, target, rating and time are no 4 x 4 matrix", "four.csv",
        "6,2,4,1289241911\n2,6,-3,1289241941\n6,5,2,1289243140\n1,15,8,1289243141\n", 5,
        {(6, 2): 4, (2, 6): -3, (6, 5): 2, (1, 15): 8}, True, "the page; times since 1970 are no weights",
        may_be_refused=True,
    ),
    Case(
        "dot-as-text", "https://github.com/socnetv/app/issues/92", "Graphviz under another suffix", "network.txt",
        'graph {\n\tstruct5 -- struct2 [label="" color=black]\n\tstruct1 -- struct6 [label=""]\n}\n', refused="",
        known="no list of edges",
    ),
    Case(
        "dot", "https://github.com/igraph/python-igraph/issues/214", "Graphviz is not read", "network.dot",
        "digraph { a -> b; }\n", refused=".dot", known="no format of wirings; the message must name the suffix",
    ),
    Case(
        "json-by-name", "https://github.com/d3/d3-force/issues/1", "nodes have names and no ids, links go by name",
        "names.json",
        json.dumps(
            {
                "nodes": [{"name": "a", "group": 1}, {"name": "b", "group": 2}],
                "links": [{"source": "a", "target": "b", "value": 2}],
            },
        ),
        2, both({("a", "b"): 2}), True, "the report: nodes are found by their names", says="value",
    ),
    Case(
        "json-text-and-numbers", "https://github.com/BATFOR/D3.js_Visualization/issues/1",
        "ids are numbers, links name them as text", "mixed.json",
        json.dumps({"directed": True, "nodes": [{"id": 10}, {"id": 13}], "links": [{"source": "10", "target": "13"}]}),
        2, plain((10, 13)), False, "no other node can be meant", may_be_refused=True,
    ),
    Case(
        "graphml-numbers-as-text", NX + "issues/3343", "weights of numpy are declared as texts", "numpy.graphml",
        graphml(
            '<node id="0"/><node id="1"/><node id="2"/><edge source="0" target="1"><data key="d0">1</data></edge>'
            '<edge source="0" target="2"><data key="d0">2</data></edge>',
            '<key id="d0" for="edge" attr.name="weight" attr.type="string"/>',
            'edgedefault="undirected"',
        ),
        3, both({(0, 1): 1, (0, 2): 2}), True, "the report: saved as a string, and numbers all the same",
    ),
    Case(
        "graphml-of-brains", "https://pmc.ncbi.nlm.nih.gov/articles/PMC5637719",
        "several numbers an edge, and none is called weight", "brain.graphml",
        graphml(
            '<node id="1"><data key="k0">rh.precuneus</data></node><node id="2"/><edge source="1" target="2">'
            '<data key="k1">12</data><data key="k2">0.42</data></edge>',
            '<key id="k0" for="node" attr.name="dn_name" attr.type="string"/>'
            '<key id="k1" for="edge" attr.name="number_of_fibers" attr.type="int"/>'
            '<key id="k2" for="edge" attr.name="FA_mean" attr.type="double"/>',
            'edgedefault="undirected"',
        ),
        2, both(plain((1, 2))), False, "the page: several edge weights; none is taken, and that is said",
        says="number_of_fibers",
    ),
)  # fmt: skip

CASES = (
    *GEXF_CASES,
    *GRAPHML_CASES,
    *GML_CASES,
    *PAJEK_CASES,
    *LIST_CASES,
    *MATRIX_CASES,
    *JSON_CASES,
    *MORE_CASES,
    *LAST_CASES,
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_graph_files_of_strangers(case: Case, tmp_path: Path):
    path = tmp_path / case.name
    path.write_bytes(case.content.encode() if isinstance(case.content, str) else case.content)
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        if case.refused is not None:
            with pytest.raises(ValueError, match=f"^{re.escape(str(path))}: .*{re.escape(case.refused)}.*\\Z"):
                read_wiring(path, **case.options)
            return
        try:
            wiring = read_wiring(path, **case.options)
        except ValueError as refusal:
            if case.may_be_refused and "\n" not in str(refusal):
                return
            raise
    names = range(wiring.n_neurons) if wiring.names is None else wiring.names
    weights = [None] * wiring.n_edges if wiring.weights is None else wiring.weights.tolist()
    found = {(names[s], names[t]): weight for (s, t), weight in zip(wiring.edges.tolist(), weights, strict=True)}
    assert set(found) == set(case.edges)
    assert (wiring.weights is not None) == case.weighted
    assert found == {edge: weight if weight is None else pytest.approx(weight) for edge, weight in case.edges.items()}
    assert {type(name) for name in names} <= {str, int}
    assert wiring.n_neurons == case.nodes
    assert case.says in "; ".join(str(one.message) for one in said).lower()


def test_the_table_is_sound():
    assert len(CASES) >= 40
    assert len({case.id for case in CASES}) == len(CASES)
    for case in CASES:
        assert case.source.startswith(("https://", "http://")), case.id
        assert case.story, case.id
        assert case.known, case.id
        assert case.refused is not None or (case.nodes > 0 and case.edges), case.id
        assert all((weight is not None) == case.weighted for weight in case.edges.values()), case.id
