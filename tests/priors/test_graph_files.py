"""Pools from disk: the same graphs from folder, zip and tar in every format, and one line for whatever is wrong."""

import gzip
import json
import os
import tarfile
import warnings
from pathlib import Path

import networkx as nx
import numpy as np
import pools_on_disk as disk
import pytest
from graph_mutations import exact_formats
from hypothesis import given, settings
from hypothesis import strategies as st

import priors.archives as archives
import priors.graph_files as graph_files
from priors import FORMATS, ErdosRenyi, GraphPool, WattsStrogatz, write_wiring


@pytest.mark.parametrize("kind", disk.KINDS)
@pytest.mark.parametrize("suffix", [*exact_formats(), ".graphml.gz", ".JSON"])
def test_every_format_comes_back_from_everywhere(suffix: str, kind: str, tmp_path: Path):
    source = tmp_path / "source"
    source.mkdir()
    for index, wiring in enumerate(disk.GRAPHS):
        write_wiring(wiring, source / f"{index}{suffix}")
    # Archived the wrong way round, so that the order is that of the names.
    files = {path.name: path.read_bytes() for path in sorted(source.iterdir(), reverse=True)}
    pool = GraphPool.read(disk.pack(kind, tmp_path, files))
    assert pool.names == tuple(f"{index}{suffix}" for index in range(3))
    assert pool == GraphPool(disk.GRAPHS)
    assert pool[2].names == disk.NAMED.names
    assert np.array_equal(pool[1].weights, disk.LAYERED.weights)


@settings(deadline=None, max_examples=25)
@given(st.dictionaries(st.text("ab1_-ü", min_size=1, max_size=5), st.integers(0, 10**6), min_size=1, max_size=8))
def test_folder_and_archives_hold_the_same_pool(tmp_path_factory: pytest.TempPathFactory, seeds: dict[str, int]):
    folder = tmp_path_factory.mktemp("pools")
    suffixes = (".json", ".graphml", ".npz", ".edgelist.gz")
    wirings = {
        f"{name}{suffixes[seed % 4]}": ErdosRenyi(1 + seed % 7, p=0.5).sample(seed) for name, seed in seeds.items()
    }
    files = {}
    for name, wiring in wirings.items():
        content = disk.text_of(wiring, name.removesuffix(".gz"))
        files[name] = gzip.compress(content) if name.endswith(".gz") else content
    for kind in disk.KINDS:
        pool = GraphPool.read(disk.pack(kind, folder, files))
        assert pool.names == tuple(sorted(wirings))
        assert pool.wirings == tuple(wirings[name] for name in sorted(wirings))


def test_a_single_file_is_a_pool_of_one(tmp_path: Path):
    for name in ("one.csv", "one.graphml.gz"):
        write_wiring(disk.LAYERED, tmp_path / name)
        pool = GraphPool.read(str(tmp_path / name))
        assert (pool.wirings, pool.names) == ((disk.LAYERED,), (name,))


def said(path: Path) -> tuple[GraphPool, list[str]]:
    """Read a pool, and return it with what was said."""
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        pool = GraphPool.read(path)
    return pool, [str(own.message) for own in told]


@pytest.mark.parametrize("kind", disk.KINDS)
def test_tables_and_notes_beside_graphs_are_left_out_and_named(kind: str, tmp_path: Path):
    others = {
        "accuracy.csv": b"a,0.5\n",
        "table.csv": b"graph,value\na.json,0.9\nb.json,0.8\nc.json,0.7\n",
        "poem.txt": b"roses are red\nthey say so\n",
        "README.txt": b"two words\n",
        "notes.md": b"#",
        "LICENSE": b"MIT",
    }
    hidden = {".hidden.json": b"{", "._b.json": b"\0"}
    path = disk.pack(kind, tmp_path, {"a.json": disk.text_of(disk.PATH)} | others | hidden)
    pool, lines = said(path)
    assert (pool.names, pool.wirings) == (("a.json",), (disk.PATH,))
    (line,) = lines
    assert line.startswith(f"{path}: left out: ")
    assert all(name in line for name in others)
    for part in (
        "LICENSE, notes.md (no format of graphs)",
        "README.txt (a note by its name)",
        "accuracy.csv (fractions would be names of its neurons)",
        "table.csv (its heading does not name source and target)",
    ):
        assert part in line
    assert "hidden" not in line


@pytest.mark.parametrize("kind", disk.KINDS)
def test_lists_of_edges_beside_graphs_are_graphs(kind: str, tmp_path: Path):
    files = {
        "a.json": disk.text_of(disk.PATH),
        "b.csv": disk.text_of(disk.PATH, ".csv"),
        "c.tsv.gz": gzip.compress(disk.text_of(disk.NAMED, ".tsv")),
        "d.txt": disk.text_of(disk.PATH, ".txt"),
        "out.e": disk.text_of(disk.PATH, ".txt"),
    }
    pool, lines = said(disk.pack(kind, tmp_path, files))
    assert pool.names == tuple(files)
    assert not any("left out" in line for line in lines)


def test_what_must_be_a_graph_by_its_kind_is_still_refused(tmp_path: Path):
    folder = disk.pack("folder", tmp_path, {"a.json": b"{", "b.csv": b"1,2\n"})
    disk.refused(folder, "", "/a.json")
    (folder / "a.json").unlink()
    (folder / "b.csv").write_bytes(b"source,target,weight\n1,2,x\n")
    disk.refused(folder, "weight 'x'", "/b.csv")


def test_many_files_that_are_left_out_are_counted(tmp_path: Path):
    files = {f"{number}.png": b"" for number in range(9)}
    _, lines = said(disk.pack("folder", tmp_path, {"a.json": disk.text_of(disk.PATH)} | files))
    assert lines[0].endswith("left out: 0.png, 1.png, 2.png, 3.png, 4.png and 4 more (no format of graphs)")


@pytest.mark.parametrize("kind", disk.KINDS)
def test_lists_of_edges_are_graphs_among_themselves(kind: str, tmp_path: Path):
    files = {
        "b.csv": disk.text_of(disk.PATH, ".csv"),
        "a.tsv": disk.text_of(disk.NAMED, ".tsv"),
        "notes.txt": b"read me first\n",
    }
    pool, lines = said(disk.pack(kind, tmp_path, files))
    assert pool.names == ("a.tsv", "b.csv")
    assert lines[-1].endswith("left out: notes.txt (a note by its name)")
    (tmp_path / "lists").mkdir()
    pool, _ = said(disk.pack(kind, tmp_path / "lists", {"notes.md": b"", "e.txt": disk.text_of(disk.PATH, ".txt")}))
    assert (pool.names, pool.wirings) == (("e.txt",), (disk.PATH,))


def test_folders_are_entered_in_archives_only(tmp_path: Path):
    files = {
        "./p/b.json": disk.text_of(disk.PATH),
        "p\\q/a.json": disk.text_of(disk.NAMED),
        "__MACOSX/p/._b.json": b"\0",
        ".git/c.json": b"",
    }
    for kind in disk.KINDS[1:]:
        assert GraphPool.read(disk.pack(kind, tmp_path, files)).names == ("p/b.json", "p/q/a.json")
    folder = disk.pack("folder", tmp_path, {"a.json": disk.text_of(disk.PATH)})
    for name in ("sub", "folder.json"):
        (folder / name).mkdir()
        write_wiring(disk.NAMED, folder / name / "b.json")
    pool, lines = said(folder)
    assert pool.names == ("a.json",)
    assert lines == [f"{folder}: left out: folder.json, sub (a folder)"]
    with tarfile.open(tmp_path / "whole.tgz", "w:gz") as archive:
        archive.add(folder, "whole")
    assert GraphPool.read(tmp_path / "whole.tgz").names == (
        "whole/a.json",
        "whole/folder.json/b.json",
        "whole/sub/b.json",
    )


def test_links_of_a_folder_are_followed(tmp_path: Path):
    write_wiring(disk.PATH, tmp_path / "elsewhere.json")
    folder = disk.pack("folder", tmp_path, {})
    (folder / "a.json").symlink_to(tmp_path / "elsewhere.json")
    assert GraphPool.read(folder).wirings == (disk.PATH,)
    (folder / "b.json").symlink_to(tmp_path / "nowhere.json")
    disk.refused(folder, "cannot be read: No such file", "/b.json")


# What is wrong


@pytest.mark.parametrize("kind", disk.KINDS)
def test_one_bad_file_names_itself(kind: str, tmp_path: Path):
    files = {"a.json": disk.text_of(disk.PATH), "b.graphml": b"<graphml>", "c.json": disk.text_of(disk.PATH)}
    path = disk.pack(kind, tmp_path, files)
    disk.refused(path, "", "/b.graphml" if kind == "folder" else "!b.graphml")


@pytest.mark.parametrize("kind", disk.KINDS)
def test_graphs_without_nodes_are_refused(kind: str, tmp_path: Path):
    path = disk.pack(kind, tmp_path, {"a.edgelist": b""})
    disk.refused(path, "holds no node", f"{'/' if kind == 'folder' else '!'}a.edgelist")


@pytest.mark.parametrize("kind", disk.KINDS)
@pytest.mark.parametrize("files", [{}, {"notes.md": b"", ".a.json": b""}])
def test_a_pool_without_graphs_names_the_formats(kind: str, files: dict[str, bytes], tmp_path: Path):
    line = disk.refused(disk.pack(kind, tmp_path, files), "holds no graph file")
    assert all(suffix in line for suffix in FORMATS)


def test_paths_that_are_no_pool_are_refused(tmp_path: Path):
    for name in ("absent", "absent.zip", "absent.tgz", "absent.json"):
        disk.refused(tmp_path / name, "cannot be read: No such file")
    (tmp_path / "pool.tar.xz").write_bytes(b"")
    line = disk.refused(tmp_path / "pool.tar.xz", "is no folder")
    assert all(suffix in line for suffix in (*FORMATS, *archives.ARCHIVES))
    for name in ("pool.zip", "pool.tar", "pool.tgz", "pool.json"):
        os.mkfifo(tmp_path / name)
        disk.refused(tmp_path / name, "is no regular file")


@pytest.mark.parametrize("kind", disk.KINDS)
@pytest.mark.parametrize("what", ["bytes", "neurons", "edges"])
def test_all_graphs_together_are_bounded(kind: str, what: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    graph, content = WattsStrogatz(20, 4, 0.1).sample(0), disk.text_of(WattsStrogatz(20, 4, 0.1).sample(0), ".npz")
    path = disk.pack(kind, tmp_path, {f"{index}.npz": content for index in range(4)})
    most = {"bytes": 3 * len(content), "neurons": 3 * graph.n_neurons, "edges": 3 * graph.n_edges}[what]
    monkeypatch.setitem(graph_files.MAX_TOTALS, what, most)
    mark = "/" if kind == "folder" else "!"
    disk.refused(path, rf"brings the graphs to \d+ {what} in all: at most {most} are read", f"{mark}3.npz")
    monkeypatch.setitem(graph_files.MAX_TOTALS, what, most * 4 // 3)
    assert len(GraphPool.read(path)) == 4


def test_bytes_are_counted_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    text = b"#" * 1000 + b"\n0 1\n"
    path = disk.pack("zip", tmp_path, {f"{index}.edgelist.gz": gzip.compress(text) for index in range(3)})
    monkeypatch.setitem(graph_files.MAX_TOTALS, "bytes", 2 * len(text))
    disk.refused(path, f"brings the graphs to {3 * len(text)} bytes", "!2.edgelist.gz")


@pytest.mark.parametrize("kind", disk.KINDS)
def test_files_are_bounded_in_number(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    path = disk.pack(kind, tmp_path, {f"{index}.json": disk.text_of(disk.PATH) for index in range(3)})
    monkeypatch.setattr(graph_files, "MAX_GRAPHS", 2)
    disk.refused(path, "holds 3 graph files: at most 2 are read")
    monkeypatch.setattr(archives, "MAX_MEMBERS", 2)
    if kind != "folder":
        disk.refused(path, "holds more than 2 members")


# Published graphs


def test_published_graphs_come_back_from_an_archive(shared_data: Path, tmp_path: Path):
    file = shared_data / "stier2021" / "graphs.json"
    if not file.is_file():
        pytest.skip(f"{file} is not there")
    records = json.loads(file.read_text())[::5]
    graphs = {}
    for record in records:
        graph = nx.empty_graph(record["n"])
        graph.add_edges_from(record["edges"])
        graphs[f"{record['mode']}/{record['graph']}_{record['graph_nr']}.graphml"] = graph
    content = {name: "\n".join(nx.generate_graphml(graph)).encode() for name, graph in graphs.items()}
    pool = GraphPool.read(disk.pack("tar.gz", tmp_path, content))
    assert pool.names == tuple(sorted(graphs))
    assert len(pool) == 160
    assert pool == GraphPool([graphs[name] for name in pool.names])
    assert all(wiring.is_undirected and 10 <= wiring.n_neurons <= 50 for wiring in pool)


def test_a_list_of_records_is_no_graph(shared_data: Path):
    folder = shared_data / "stier2021"
    if not (folder / "graphs.json").is_file():
        pytest.skip(f"{folder / 'graphs.json'} is not there")
    disk.refused(folder, "is no wiring", "/graphs.json")
