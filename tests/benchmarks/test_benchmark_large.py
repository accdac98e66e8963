"""The benchmark of very large networks, on small ones."""

import json
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from nas.training.extension import has_native

pytestmark = pytest.mark.skipif(not has_native(), reason="the compiled engine was not built")

SMALL = ("--neurons", "2000", "--weights", "20000", "--threads", "2")


@pytest.fixture
def benchmark(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(Path(__file__).resolve().parents[2]))
    return import_module("benchmarks.large")


def part(benchmark: ModuleType, capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, Any]:
    assert benchmark.main([*SMALL, "--part", *arguments]) == 0
    found: dict[str, Any] = json.loads(capsys.readouterr().out.splitlines()[-1])
    return found


def test_a_network_is_drawn_saved_and_loaded(benchmark: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    found = part(benchmark, capsys, "draw")
    assert found["edges"] == 20_000
    assert 0 < found["file_bytes"] < 40 * 20_000
    for name in ("draw", "fingerprint", "build", "save", "load"):
        assert found[name]["seconds"] > 0
        assert found[name]["peak"] >= found["peak_before"] > 0


def test_set_trains_with_exact_counts(benchmark: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    found = part(benchmark, capsys, "train", "--examples", "500", "--epochs", "2")
    assert found["neurons"] == 2030
    assert set(found["weights_by_snapshot"]) == {found["weights"]} == {20_000}
    assert len(found["epochs"]) == 2
    assert found["updates"] >= 1
    assert 0 < found["alive_neurons"] <= found["neurons"]


def test_a_step_is_measured_by_edges(benchmark: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    found = part(benchmark, capsys, "edge", "--rounds", "1", "--seconds", "0.001")
    assert found["edges"] == 20_000
    assert set(found["threads"]) == {"1", "2"}
    assert all(0 < own["fastest"] <= own["nanoseconds_an_edge"] for own in found["threads"].values())


@pytest.mark.slow
def test_parts_run_in_processes_of_their_own(
    benchmark: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str], shared_data: Path
) -> None:
    out = tmp_path / "large.json"
    assert benchmark.main(["--quick", "--data", str(shared_data), "--out", str(out)]) == 0
    found = json.loads(out.read_text())
    assert str(shared_data) not in out.read_text()
    assert [own["neurons"] for own in found["edges"]] == [300, 10_000]
    assert found["train"]["task"] == "higgs-sample"
    assert "s an epoch" in capsys.readouterr().out
