"""Graph files that are broken on purpose: a deterministic mutator, and the classics of hostile files."""

import gzip
import io
import json
import random
import warnings
from collections.abc import Iterator
from functools import cache

import networkx as nx
import numpy as np
import scipy.sparse
from damage import damaged, zip_of

from priors import GraphFileWarning
from priors.formats import parse_wiring
from priors.formats.files import FORMATS, _format
from priors.formats.limits import MAX_BYTES
from priors.wiring import Wiring

PLAIN = Wiring((2, 3, 1), [(0, 2), (0, 4), (1, 4), (2, 5), (4, 5), (4, 3)], inputs=True, outputs=True)
NAMED = Wiring((3,), [(0, 1), (1, 0), (1, 2), (2, 1), (2, 2)], weights=[0.5, 0.5, -2, -2, 3], names=("Zürich", 7, "c"))
STRANGERS = (
    (
        ".gml",
        'Creator "x"\ngraph\n[\n directed 1\n node\n [\n id 0\n label "a"\n ]\n node [ id 1 label "b" ]\n'
        " edge [ source 0 target 1 value 2.5 ]\n]\n",
    ),
    (".net", '*Vertices 3\n1 "a" 0.1 0.2\n2 "b c"\n3 "d"\n*Arcs\n1 2 3\n*Edges\n2 3\n*Arcslist\n1 3\n'),
    (".net", "*Vertices 2\n1\n2\n*Matrix\n0 1\n2.5 0\n"),
    (".csv", "Source;Target;Type;Id;Label;timeset;Weight\na;b;Directed;0;;;1,5\nb;c;Undirected;1;;;2\n"),
    (".csv", ",a,b,c\na,0,1,0\nb,0,0,2\nc,1,0,0\n"),
    (".txt", "0 1 0\n0 0 1\n1 0 0\n"),
    (".edges", "% sym unweighted\n1 2\n2 3\n"),
    (".txt", "# Directed graph\n# FromNodeId\tToNodeId\n0\t1\n1\t2\n"),
    (".adjlist", "# by networkx\n0 1 2\n1 2\n2\n"),
    (
        ".json",
        '{"elements": {"nodes": [{"data": {"id": "a"}}, {"data": {"id": "b"}}],'
        ' "edges": [{"data": {"source": "a", "target": "b", "weight": 2}}]}}',
    ),
    (".json", '{"graph": {"directed": true, "nodes": {"a": {}, "b": {}}, "edges": [{"source": "a", "target": "b"}]}}'),
)


def exact_formats() -> list[str]:
    """Return the suffixes of the formats that hold any wiring: .npy holds bare graphs, and .adjlist is read only."""
    return sorted(suffix for suffix in FORMATS if suffix not in (".npy", ".adjlist", ".lgl"))


def seeds() -> list[tuple[str, bytes]]:
    """Well-formed files of every format, ours and those of networkx and scipy, with their suffixes."""
    writers = [(suffix, _format(suffix).write) for suffix in exact_formats()]
    found = [(suffix, write(wiring)) for suffix, write in writers if write for wiring in (PLAIN, NAMED)]
    found += [(suffix, text.encode()) for suffix, text in STRANGERS]
    graph = nx.path_graph(5, create_using=nx.DiGraph)
    for suffix, write in ((".graphml", nx.write_graphml), (".gexf", nx.write_gexf), (".edgelist", nx.write_edgelist)):
        file = io.BytesIO()
        write(graph, file)
        found.append((suffix, file.getvalue()))
    for layout in ("csr", "csc", "coo"):
        file = io.BytesIO()
        scipy.sparse.save_npz(file, nx.to_scipy_sparse_array(graph, format=layout))
        found.append((".npz", file.getvalue()))
    found.append((".json", json.dumps(nx.node_link_data(graph)).encode()))
    for name, write_array in ((".npy", np.save), (".npz", np.savez)):
        file = io.BytesIO()
        write_array(file, nx.to_numpy_array(graph))
        found.append((name, file.getvalue()))
    found.append((".graphml.gz", gzip.compress(dict(found)[".graphml"])))
    return found


def mutations(number: int, seed: int = 0) -> Iterator[tuple[str, bytes]]:
    """Yield suffixes and contents of broken files: always the same for one seed."""
    rng = random.Random(seed)
    sound = seeds()
    for _ in range(number):
        suffix, content = rng.choice(sound)
        if rng.random() < 0.1:
            suffix = rng.choice(sound)[0]
        yield suffix, damaged(rng, content)


def npz_of(**arrays: object) -> bytes:
    file = io.BytesIO()
    np.savez_compressed(file, **{name: np.asarray(array) for name, array in arrays.items()})
    return file.getvalue()


def npy_head(kind: str, shape: str) -> bytes:
    head = f"{{'descr': '{kind}', 'fortran_order': False, 'shape': {shape}, }}".ljust(117) + "\n"
    return b"\x93NUMPY\x01\x00" + len(head).to_bytes(2, "little") + head.encode()


def csr(**changes: object) -> dict[str, object]:
    sound = {"indices": [1, 0], "indptr": [0, 1, 2], "format": b"csr", "shape": [2, 2], "data": [1.0, 2.0]}
    return {name: array for name, array in (sound | changes).items() if array is not None}


@cache
def hostile() -> dict[str, tuple[str, bytes, str]]:
    """What attackers write, by name: suffix, content, and what the refusal must say."""
    lol = "".join(f'<!ENTITY l{i} "{f"&l{i - 1};" * 10}">' for i in range(1, 10))
    laughs = '<node id="&l9;"/>'
    graph = '<graphml><graph edgedefault="directed">{}</graph></graphml>'
    entity = '<!DOCTYPE graphml [<!ENTITY x SYSTEM "file:///etc/passwd">]>' + graph.format('<node id="&x;"/>')
    banner = b"%%MatrixMarket matrix coordinate real general\n"
    return {
        "billion laughs": (
            ".graphml",
            f'<!DOCTYPE graphml [<!ENTITY l0 "lol">{lol}]>{graph.format(laughs)}'.encode(),
            "document type",
        ),
        "external entity": (".graphml", entity.encode(), "document type"),
        "external entity in gexf": (".gexf", entity.replace("graphml", "gexf").encode(), "document type"),
        "external document type": (
            ".graphml",
            ('<!DOCTYPE graphml SYSTEM "http://localhost/x.dtd">' + graph.format("")).encode(),
            "document type",
        ),
        "unknown encoding": (".graphml", b"<?xml version='1.0' encoding='utf-7'?><graphml/>", "encoding 'utf-7'"),
        "deep tags": (".graphml", b"<graphml>" + b"<a>" * 100_000, "deeper than 64"),
        "many tags": (".graphml", b"<graphml>" + b"<a/>" * (2**21 + 1) + b"</graphml>", "elements"),
        "one giant tag": (".graphml", b"<graphml a='" + b"x" * 2**22 + b"'/>", "holds no tag"),
        "many attributes": (
            ".gexf",
            b"<gexf>" + b"".join(b"<a b%d=''/>" % i for i in range(20_000)) + b"</gexf>",
            "names of them",
        ),
        "endless keywords": (
            ".gexf",
            b"<gexf><keywords>" + (b"ab," * 300_000 + b"<!-- -->") * 50 + b"</keywords></gexf>",
            "holds no graph",
        ),
        "deep json": (".json", b"[" * 200_000, "nested too deeply"),
        "deep name": (".json", b'{"nodes":[{"id":' + b"[" * 900 + b"]" * 900 + b'}],"edges":[]}', ""),
        "json of objects": (".json", b'{"nodes":[' + b"{}," * 2**21 + b"{}]}", "bytes of memory"),
        "json of lists": (".json", b"[" + b"[]," * 2**22 + b"[]]", "bytes of memory"),
        "many neurons": (
            ".json",
            b'{"format":"wirenas-wiring","version":1,"sizes":[9000000000],"inputs":false,"outputs":false,"edges":[]}',
            "neurons are more",
        ),
        "layer without end": (
            ".json",
            b'{"nodes":[{"id":0,"layer":900000000000}],"edges":[]}',
            "",
        ),
        "gzip bomb": (".graphml.gz", gzip.compress(b" " * (MAX_BYTES + 1), 1), "unpacks to more"),
        "zip bomb": (".npz", zip_of({"data.npy": b"\0" * (MAX_BYTES + 1)}), "unpacks to"),
        "zip of many": (".npz", zip_of({f"m{i}": b"" for i in range(100)}), "more than 64 members"),
        "announced shape": (
            ".npz",
            zip_of({"data.npy": npy_head("<f8", "(1000000000000,)") + b"\0" * 64}),
            "tells of shape",
        ),
        "announced text": (
            ".npz",
            zip_of({"format.npy": npy_head("|S999999999", "()") + b"csr"}),
            "tells of shape",
        ),
        "pickled objects": (
            ".npz",
            npz_of(**csr(data=np.array([print, None], dtype=object))),
            "no .npy array of booleans",
        ),
        "matrix of a billion": (".npz", npz_of(**csr(shape=[10**9, 10**9])), "an adjacency matrix is square"),
        "wide matrix": (".npz", npz_of(**csr(shape=[2, 3])), "an adjacency matrix is square"),
        "pointers that fall": (".npz", npz_of(**csr(indptr=[0, 3, 2])), "must rise"),
        "pointers too far": (".npz", npz_of(**csr(indptr=[0, 1, 2**60])), "must rise"),
        "pointers that wrap": (
            ".npz",
            npz_of(**csr(shape=[4, 4], indptr=[0, 2**62, -(2**63), -(2**62), 0], indices=np.zeros(0, int), data=[])),
            "must rise",
        ),
        "columns outside": (".npz", npz_of(**csr(indices=[1, 2**40])), "leaves the 2 neurons"),
        "complex values": (".npz", npz_of(**csr(data=[1j, 2])), "no .npy array of booleans"),
        "missing array": (".npz", npz_of(**csr(data=None)), "has no array 'data'"),
        "block matrix": (".npz", npz_of(**csr(format=b"bsr")), "none of a matrix of bsr"),
        "blocks outside": (
            ".npz",
            npz_of(**csr(format=b"bsr", data=np.ones((2, 2, 2)), indptr=[0, 2], indices=[0, 2**40])),
            "leaves the 2 neurons",
        ),
        "diagonals too many": (
            ".npz",
            npz_of(format=b"dia", shape=[2, 2], data=np.ones((2, 2)), offsets=[0]),
            "1 offsets of 2 diagonals",
        ),
        "mtx of a billion": (".mtx", banner + b"1000000000 1000000000 1000000000\n1 1 1\n", "is square"),
        "mtx entries": (".mtx", banner + b"9 9 1000000000\n1 1 1\n", "entries are more than"),
        "mtx array": (".mtx", banner.replace(b"coordinate", b"array") + b"100000 100000\n1\n", "array of 100000 rows"),
        "mtx digits": (".mtx", banner + b"9" * 5000 + b" 9 1\n", "whole numbers"),
        "mtx complex": (".mtx", banner.replace(b"real", b"complex") + b"1 1 0\n", "'complex'"),
        "mtx too short": (".mtx", banner + b"3 3 2\n1 2 1\n", "its head tells of"),
        "mtx too long": (".mtx", banner + b"3 3 1\n1 2 1\n1 3 1\n", "its head tells of"),
        "mtx outside": (".mtx", banner + b"3 3 1\n0 2 1\n", "numbered from 1 to 3"),
        "mtx nan": (".mtx", banner + b"3 3 1\n1 2 nan\n", "weight nan"),
        "long line": (".edgelist", b"1 " * 2**20, "longer than"),
        "many lines": (".edgelist", b"\n" * 2**24, "lines: at most"),
        "many columns": (".csv", b"1,2,3,4,5\n", "line 1 holds 5 columns"),
        "one column": (".txt", b"1 2\n1,2\n", "line 2 holds 1 column:"),
        "long name": (".edgelist", b"a" * 1001 + b" b\n", "has 1001 characters"),
        "weight inf": (".edgelist", b"0 1 inf\n", "weight 'inf'"),
        "weight too large": (".tsv", b"0\t1\t1e39\n", "weight '1e39'"),
        "code as data": (".edgelist", b"0 1 {'weight': __import__('os')}\n", "not understood"),
        "no text": (".edgelist", b"0 1\n\xff\x01\n", "line 2 holds control characters"),
        "no wide text": (".csv", b"\xff\xfea\x00\x00", "is no UTF-16"),
        "endless brackets": (".gml", b"graph [ " + b"a [ " * 100_000, "deeper than 64"),
        "a bracket too many": (".gml", b"graph [ ] ]", "closing bracket"),
        "text without end": (".gml", b'graph [ label "' + b"x\n" * 1000, "inside of a text"),
        "many vertices": (".net", b"*Vertices 900000000\n*Arcs\n1 2\n", "vertices are more"),
        "vertex outside": (".net", b"*Vertices 2\n*Arcs\n1 3\n", "numbered from 1 to 2"),
        "matrix too wide": (".net", b"*Vertices 2\n*Matrix\n0 1 0\n", "has 2 rows of 2 numbers"),
        "table of nodes": (".csv", b"Id;Label;timeset\na;A;\nb;B;\n", "a table of nodes"),
        "ambiguous": (".txt", b"0 1\n1 2\n", "--format matrix or --format edge-list decides"),
        "no square": (".npy", npy_head("<f8", "(3, 4)") + b"\0" * 96, "an adjacency matrix is square"),
        "huge npy": (".npy", npy_head("<f8", "(100000, 100000)") + b"\0" * 64, "tells of shape"),
        "objects in npy": (".npy", npy_head("|O", "(2, 2)") + b"\0" * 32, "no .npy array of booleans"),
        "several arrays": (".npz", npz_of(a=[[0, 1], [1, 0]], b=[[0]]), "holds the arrays"),
        "graphs of JGF": (".json", b'{"graphs": [{}, {}]}', "holds 2 graphs"),
        "elements that are none": (".json", b'{"elements": [3]}', "must be an object"),
        "note of others": (".edgelist", b"# wirenas {}\n0 1\n", "its note"),
    }


def outcome(suffix: str, content: bytes) -> str:
    """Return what reading gives: '' for a wiring, else the one line that it must be."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", GraphFileWarning)
            wiring = parse_wiring(content, suffix)
    except ValueError as error:
        line = str(error)
        assert line.strip(), "the message is empty"
        assert "\n" not in line, f"more than one line: {line!r}"
        return line
    assert isinstance(wiring, Wiring)
    again = Wiring(wiring.sizes, wiring.edges, wiring.inputs, wiring.outputs, wiring.weights, wiring.names)
    assert again.fingerprint == wiring.fingerprint
    assert wiring.weights is None or np.isfinite(wiring.weights).all()
    return ""
