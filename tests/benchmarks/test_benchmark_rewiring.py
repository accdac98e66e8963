"""The benchmark of rewiring: its reference rewires as RigL does, and it writes what it promises."""

import json
from importlib import import_module
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import torch

from nas.training.extension import has_native


@pytest.fixture
def benchmark(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(Path(__file__).resolve().parents[2]))
    monkeypatch.setattr(torch, "set_num_threads", lambda _: None)  # other tests keep theirs
    return import_module("benchmarks.rewiring")


def test_masked_rigl_drops_the_smallest_and_grows_where_gradients_are_largest(benchmark: ModuleType) -> None:
    network = benchmark.MaskedRigL(np.random.default_rng(0))
    counts = [int(mask.sum()) for mask in network.masks]
    assert abs(sum(counts) - benchmark.n_weights()) <= len(counts)
    task = benchmark.images(300)
    (x, y), *_ = benchmark.batches(task, np.random.default_rng(1))
    for _ in range(3):
        network.step(x, y)
    before = [
        (layer.weight.detach().clone(), mask.clone()) for layer, mask in zip(network.layers, network.masks, strict=True)
    ]
    network.rewire(x, y, 0.3)
    for (old, mask), layer, now, count in zip(before, network.layers, network.masks, counts, strict=True):
        n = int(0.3 * count)
        assert int(now.sum()) == count
        assert not layer.weight[now == 0].any()
        new = (now > 0) & (mask == 0)
        assert not layer.weight[new].any()
        gone = (mask > 0) & (now == 0)
        assert int(gone.sum()) == int(new.sum()) <= n
        stays = (mask > 0) & (now > 0)
        assert torch.equal(layer.weight[stays], old[stays])
        gradient = layer.weight.grad.abs()
        assert gradient[new].min() >= gradient[(mask == 0) & (now == 0)].max()
        assert old[gone].abs().max() <= old[mask > 0].abs().sort().values[n]


@pytest.mark.slow
@pytest.mark.skipif(not has_native(), reason="the compiled engine was not built")
def test_a_short_run_writes_its_numbers(
    benchmark: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(benchmark, "find_spec", lambda _: None)
    assert benchmark.main(["--quick", "--out", str(tmp_path / "rewiring.json")]) == 0
    content = json.loads((tmp_path / "rewiring.json").read_text(encoding="utf-8"))
    assert {"machine", "date", "command", "network", "images", "epochs", "rounds"} <= content.keys()
    names = [
        "RigL, native",
        "RigL without an end, native",
        "static sparse, native",
        "SET, native",
        "RigL, masked torch",
    ]
    assert list(content["seconds"]) == list(content["first"]) == names
    assert list(content["ratios"]) == names[1:]
    assert list(content["skipped"]) == ["RigL, sparselab"]
    assert [target["bound"] for target in content["targets"]] == [1.3, 5.0]
    said = capsys.readouterr().out
    assert "left out: RigL, sparselab: it is not installed" in said
    assert said.count("(target ") == 2
