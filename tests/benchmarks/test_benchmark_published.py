"""The benchmark on published graphs and strings: it builds what was published, runs, and writes what it promises."""

import csv
import json
import string
from importlib import import_module
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from nas.tasks.grammar import is_valid
from nas.training.extension import has_native

needs_native = pytest.mark.skipif(not has_native(), reason="the compiled engine was not built")


@pytest.fixture
def benchmark(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(Path(__file__).resolve().parents[2]))
    return import_module("benchmarks.published_rnn")


@needs_native
def test_a_short_run_writes_the_same_results_with_any_number_of_threads(
    benchmark: ModuleType, shared_data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    contents = []
    for threads in ("1", "3"):
        out = tmp_path / "new" / f"{threads}.json"
        arguments = ["--data", str(shared_data), "--graphs", "1", "--epochs", "1", "--threads", threads]
        assert benchmark.main([*arguments, "--out", str(out)]) == 0
        contents.append(json.loads(out.read_text()))
    content = contents[0]
    assert {"machine", "date", "command", "engine", "threads", "epochs"} <= content.keys()
    assert {"cpu", "cores", "system", "versions"} == content["machine"].keys()
    assert content["wall_seconds_all"] > 200 * content["wall_seconds"] / 4 > 0
    assert [cell["mode"] for cell in content["cells"]] == ["RNN_TANH", "RNN_RELU", "GRU", "LSTM"]
    assert [network["graph"] for network in content["networks"]] == [
        f"{cell['mode']}/barabasi_albert_0" for cell in content["cells"]
    ]
    for cell, network in zip(content["cells"], content["networks"], strict=True):
        assert cell["networks"] == 1
        assert cell["seconds"] == network["seconds"] > 0
        assert cell["accuracy"] == dict.fromkeys(("mean", "low", "high"), network["accuracy"])
        assert network["accuracy"] > 0.78, "an epoch teaches more than which letters are known"
    results = [[(each["fingerprint"], each["accuracy"]) for each in content["networks"]] for content in contents]
    assert results[0] == results[1]
    assert "4 networks" in capsys.readouterr().out


def test_a_graph_becomes_layers_with_recurrence_inside_them(benchmark: ModuleType) -> None:
    # 4 is a sink that comes too early to be read out; 0 and 1, 2 and 4, and 3 are the layers.
    wiring = benchmark.published_wiring(5, [[0, 2], [1, 2], [2, 3], [0, 3], [1, 4]])
    assert wiring.sizes == (26, 2, 2, 1, 2)
    read_in = {(letter, source) for letter in range(26) for source in (26, 27)}
    forward = {(26, 28), (27, 28), (28, 30), (26, 30), (27, 29)}
    recurrent = {(26, 26), (26, 27), (27, 26), (27, 27), (28, 28), (28, 29), (29, 28), (29, 29), (30, 30)}
    read_out = {(30, 31), (30, 32)}
    assert set(map(tuple, wiring.edges.tolist())) == read_in | forward | recurrent | read_out


def test_layers_are_those_of_the_published_tables(benchmark: ModuleType, shared_data: Path) -> None:
    folder = shared_data / "stier2021"
    for mode, graphs in benchmark.read_graphs(folder).items():
        with (folder / f"structure_{mode.lower()}.csv").open(newline="") as file:
            rows = list(csv.DictReader(file))
        assert len(graphs) == len(rows) == 200
        for graph, row in zip(graphs, rows, strict=True):
            sizes = graph.wiring.hidden.sizes
            assert graph.name == f"{mode}/{row['graph']}_{row['graph_nr']}"
            assert graph.published_accuracy == float(row["test_acc"])
            assert [len(sizes), sum(sizes), sizes[0], sizes[-1]] == [
                int(row[key]) for key in ("layers", "nodes", "source_nodes", "sink_nodes")
            ]
            assert graph.wiring.hidden.n_edges == int(row["edges"]) + sum(size**2 for size in sizes)


def test_the_task_holds_the_published_strings(benchmark: ModuleType, shared_data: Path) -> None:
    task = benchmark.read_task(shared_data / "stier2021")
    parts = [part.tolist() for part in (task.train, task.validation, task.test)]
    assert parts == [list(range(18750)), list(range(18750, 21875)), list(range(21875, 25000))]
    letters = np.array(list(string.ascii_uppercase))
    rows = zip(task.inputs.numpy(), task.lengths.tolist(), task.targets.tolist(), strict=True)
    assert all(is_valid("".join(letters[row[:length]])) == bool(target) for row, length, target in rows)
    assert task.plateaus == pytest.approx({"constant": 0.49424, "letters": 0.77888, "bigrams": 0.9368, "trigrams": 1.0})


def test_the_time_of_all_graphs_goes_by_their_edges(benchmark: ModuleType) -> None:
    small, large = (benchmark.published_wiring(n, [[i, i + 1] for i in range(n - 1)]) for n in (2, 9))
    graphs = [benchmark.Graph(name, "GRU", wiring, 0.5) for name, wiring in (("a", small), ("b", large))]
    training = benchmark.Training(graphs[0], 3.0, 2.0, 0.75, diverged=False)
    summary = benchmark.summarise([training], graphs)
    # A chain has n - 1 edges and n self edges, beside 26 edges from the inputs and 2 to the outputs.
    assert summary.seconds_all == pytest.approx(3.0 * (31 + 45) / 31)
    assert benchmark.wall_of_all([summary], 6.0) == pytest.approx(6.0 * (31 + 45) / 31)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--data", "nowhere"], "--data nowhere: cannot read nowhere/stier2021/train_data.csv"),
        ([], "--data"),
        (["--data", "nowhere", "--graphs", "2.5"], "2.5: a whole number of at least 1 is needed"),
        (["--data", "nowhere", "--threads", "0"], "0: a whole number of at least 1 is needed"),
    ],
)
def test_missing_data_and_wrong_numbers_are_named(
    benchmark: ModuleType, arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    try:
        code = benchmark.main(arguments)
    except SystemExit as refusal:
        code = refusal.code
    assert code == 2
    last_line = capsys.readouterr().err.splitlines()[-1]
    assert message in last_line


def test_without_the_compiled_engine_it_says_so(
    benchmark: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(import_module("nas.training.train"), "has_native", lambda: False)
    assert benchmark.main(["--data", "nowhere", "--engine", "native"]) == 2
    assert "engine=native: it could not be built" in capsys.readouterr().err
