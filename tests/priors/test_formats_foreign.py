"""Files of other programs: what they hold beside a wiring, and what is wrong with them in one clear line."""

import json
from pathlib import Path

import pytest

from priors import GraphFileWarning, Wiring, parse_wiring, read_wiring


def assert_same(again: Wiring, wiring: Wiring) -> None:
    assert again == wiring
    assert again.names == wiring.names
    if wiring.n_edges:
        assert (again.weights is None) == (wiring.weights is None)
    if wiring.n_edges and wiring.weights is not None:
        assert again.weights.tobytes() == wiring.weights.tobytes()


IGRAPH = """<?xml version="1.0" encoding="UTF-8"?>
<graphml xmlns="http://graphml.graphdrawing.org/xmlns">
<key id="v_layer" for="node" attr.name="layer" attr.type="double"><default>1</default></key>
<key id="e_w" for="edge" attr.name="weight" attr.type="double"><default>0.25</default></key>
<key id="g" for="graph" attr.name="outputs" attr.type="boolean"><default>TRUE</default></key>
<key id="d7" for="node" yfiles.type="nodegraphics"/>
<graph id="G" edgedefault="directed">
<edge source="n1" target="n0"><data key="e_w">-2</data></edge>
<node id="n0"><data key="d7"><y:Shape><y:Label>weight</y:Label></y:Shape></data><port name="p"/></node>
<node id="n1"><data key="v_layer">0.0</data></node>
<edge source="n1" target="n2"/>
<node id="n2"/>
</graph></graphml>"""


def test_graphml_of_others_with_defaults_and_extensions():
    expected = Wiring((1, 2), [(0, 1), (0, 2)], outputs=True, weights=[-2, 0.25], names=("n1", "n0", "n2"))
    assert_same(parse_wiring(IGRAPH.encode(), ".graphml"), expected)
    assert_same(parse_wiring(IGRAPH.replace("UTF-8", "UTF-16").encode("utf-16"), ".graphml"), expected)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('edgedefault="directed"', 'edgedefault="both"', "edgedefault is 'both'"),
        ('<node id="n2"/>', '<node id="n0"/>', "node 'n0' is there twice"),
        ('<node id="n2"/>', '<node id="n3"/>', "node 'n2' has an edge, but is not declared"),
        ('<node id="n2"/>', '<node id="n2"><node id="n3"/></node>', "inside 'node'"),
        ('<node id="n2"/>', '<node id="n2"/><hyperedge/>', "hyperedge"),
        ('<node id="n2"/>', "<node/>", "'node' without the attribute 'id'"),
        ('target="n2"', 'target="n2" directed="no"', "directed='no': it must be true or false"),
        ("-2", "1_0", "weight '1_0'"),
        ("0.0", "0.5", "units need layers, and it has attribute 'layer' of nodes, which holds '0.5'"),
        ("0.0", "2", r"units need layers, and it has layers that are not numbered 0, 1, … \(none has layer 0\)"),
        ("TRUE", "yes", "graph attribute 'outputs' holds 'yes'"),
        ("</graphml>", "", "is not XML"),
        ("<graphml", "<gexf", "begins with the element 'gexf'"),
    ],
)
def test_what_is_wrong_with_graphml_is_said(old: str, new: str, message: str, tmp_path: Path):
    assert old in IGRAPH
    (tmp_path / "broken.graphml").write_text(IGRAPH.replace(old, new, 1))
    with pytest.raises(ValueError, match=rf"broken\.graphml: .*{message}"):
        read_wiring(tmp_path / "broken.graphml")


GEXF = """<gexf xmlns="http://gexf.net/1.3" xmlns:viz="http://gexf.net/1.3/viz" version="1.3"><graph>
<attributes class="node"><attribute id="0" title="layer" type="integer"><default>0</default></attribute></attributes>
<attributes class="edge"><attribute id="0" title="weight" type="float"/></attributes>
<nodes><node id="0" label="zero"><viz:size value="9"/></node><node id="1"/></nodes>
<edges><edge id="e" source="1" target="0"><attvalues><attvalue for="0" value="2"/></attvalues></edge></edges>
</graph></gexf>"""


def test_gexf_of_others():
    assert_same(parse_wiring(GEXF.encode(), ".gexf"), Wiring((2,), [(0, 1), (1, 0)], weights=[2, 2]))


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("<graph>", '<graph defaultedgetype="both">', "defaultedgetype is 'both'"),
        ('source="1"', 'source="1" type="both"', "type 'both'"),
        ('value="2"', 'value="x"', "weight 'x'"),
        ('value="2"', "", "'attvalue' without the attribute 'value'"),
        ('target="0"', 'target="5"', "node 5 has an edge"),
    ],
)
def test_what_is_wrong_with_gexf_is_said(old: str, new: str, message: str):
    assert old in GEXF
    with pytest.raises(ValueError, match=message):
        parse_wiring(GEXF.replace(old, new, 1).encode(), ".gexf")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"directed": 1}, "key 'directed' holds 1"),
        ({"links": []}, "holds edges and links"),
        ({"nodes": {}}, "key 'nodes' holds a dict"),
        ({"nodes": [1]}, "nodes hold 1"),
        ({"nodes": [{"id": 0}, {}]}, "key 'id' is missing"),
        ({"nodes": [{"id": 10**30}]}, "id is 1000"),
        ({"edges": [{"source": 0, "target": 9}]}, "node 9 has an edge"),
        ({"edges": [{"source": 0, "target": 1, "weight": "1"}]}, "weight '1'"),
        ({"graph": {"inputs": "yes"}}, "key 'inputs' holds 'yes'"),
    ],
)
def test_what_is_wrong_with_node_link_data_is_said(changes: dict[str, object], message: str):
    document = {"directed": True, "nodes": [{"id": 0}, {"id": 1}], "edges": []}
    with pytest.raises(ValueError, match=message):
        parse_wiring(json.dumps(document | changes).encode(), ".json")


def test_node_link_data_without_direction_is_undirected_and_lists_are_tuples():
    content = b'{"nodes":[{"id":[0,[1]]},{"id":1.5},{"id":null}],"links":[{"source":[0,[1]],"target":1.5}]}'
    with pytest.warns(GraphFileWarning, match="no key 'directed', so that edges are undirected"):
        found = parse_wiring(content, ".json")
    assert_same(found, Wiring((3,), [(0, 1), (1, 0)], names=("(0, (1,))", "1.5", "None")))
