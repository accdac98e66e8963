"""The benchmark of the compiled engine: it runs, checks what it compares, and writes what it promises."""

import json
from importlib import import_module
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import torch

from nas.training.extension import has_native

needs_native = pytest.mark.skipif(not has_native(), reason="the compiled engine was not built")


@pytest.fixture
def benchmark(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(Path(__file__).resolve().parents[2]))
    monkeypatch.setattr(torch, "set_num_threads", lambda _: None)  # other tests keep theirs
    return import_module("benchmarks.engine")


@pytest.mark.slow
@needs_native
def test_a_quick_run_writes_what_it_promises(
    benchmark: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "new" / "engine.json"
    assert benchmark.main(["--quick", "--only", "WS 50 d.1", "--markdown", "--out", str(out)]) == 0
    content = json.loads(out.read_text())
    assert {"cpu", "cores", "torch", "instruction_set", "peak_gflops"} <= content["machine"].keys()
    assert {"date", "command", "rounds", "summary"} <= content.keys()
    (workload,) = content["workloads"]
    assert workload["name"] == "WS 50 d.1"
    others = {"torch engine", "sparse layers", "masked", "gradient-masked"}
    assert workload["ratios"].keys() == others
    assert workload["seconds"].keys() == {"native", *others}
    for quartiles in (*workload["seconds"].values(), *workload["ratios"].values()):
        assert 0 < quartiles["low"] <= quartiles["median"] <= quartiles["high"]
    assert workload["times_floor"] == pytest.approx(workload["seconds"]["native"]["median"] / workload["floor"])
    assert all(difference < 1e-3 for each in workload["differences"].values() for difference in each)
    assert [target["bound"] for target in workload["targets"]] == [25]
    assert "| WS 50 d.1 |" in capsys.readouterr().out


@needs_native
def test_floors_count_only_edges(benchmark: ModuleType) -> None:
    workloads = import_module("benchmarks.workloads").WORKLOADS
    images = workloads["784-100-100-10 d.1, complete read-in"]
    assert images.floor_operations() == 64 * (4 * 784 * 100 + 6 * (1000 + 1000))
    lstm = workloads["lstm 32 d.2"]
    # 32 neurons with 6 neighbours each and 8 inputs, in 4 gates over 20 steps; all neurons feed 10 outputs once.
    assert lstm.floor_operations() == 64 * (20 * 4 * (6 * 32 * 6 + 4 * 32 * 8) + 6 * 32 * 10)


@needs_native
def test_a_contender_that_trains_another_network_is_refused(
    benchmark: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    measure = import_module("benchmarks.measure")
    workload = import_module("benchmarks.workloads").WORKLOADS["WS 50 d.1"]
    networks = import_module("benchmarks.networks")

    def other(wiring: object, activation: str, rng: np.random.Generator) -> object:
        return feedforward_weights(wiring, "tanh", rng)

    feedforward_weights = networks.feedforward_weights
    monkeypatch.setattr(networks, "feedforward_weights", other)
    with pytest.raises(ValueError, match=r"WS 50 d\.1: the loss of masked differs from native's"):
        measure.measure(workload, measure.Effort(1, 0.001))


def test_without_the_compiled_engine_it_says_so(
    benchmark: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(benchmark, "has_native", lambda: False)
    assert benchmark.main([]) == 2
    assert "the compiled engine is missing" in capsys.readouterr().err


@needs_native
def test_an_unknown_workload_is_named(benchmark: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    assert benchmark.main(["--only", "nothing"]) == 2
    assert "--only nothing: no such workload; there are digits" in capsys.readouterr().err
