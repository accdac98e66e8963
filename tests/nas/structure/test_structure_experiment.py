"""`wirenas prune` and `wirenas rewire`: from a task to a network whose structure was learned, and what it is worth."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from command_line import wirenas

from nas import load_network
from nas.networks.structure import n_parameters
from nas.sparsity.shuffle import shuffled
from nas.tasks import load_task
from priors import Layered, WattsStrogatz, Wiring, attach

pytestmark = pytest.mark.usefixtures("drawn_figures")

QUICK = ("--epochs", 2, "--seeds", 2, "--learning-rate", "0.01", "--widths", "12,10", "--threads", 1)


def asked(*arguments: Any) -> dict[str, Any]:
    code, text, err = wirenas(*arguments, "--json")
    assert code == 0, err
    found: dict[str, Any] = json.loads(text)
    return found


@pytest.fixture(scope="module")
def pruned(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    out = tmp_path_factory.mktemp("experiments") / "pruned"
    return out, asked("prune", "--task", "digits", "--max-parameters", 300, *QUICK, "--out", out)


def test_what_is_kept_is_within_the_budget_and_is_what_was_tested(pruned: tuple[Path, dict[str, Any]]) -> None:
    out, found = pruned
    network = load_network(out / "best" / "network.safetensors")
    assert n_parameters(network)["total"] <= 300
    assert n_parameters(network)["total"] == found["curve"][-1]["parameters"]
    task = load_task("digits")
    with torch.no_grad():
        right = network(task.inputs[task.test]).argmax(dim=1) == task.targets[task.test]
    tests = [json.loads(line)["test"] for line in (out / "trainings.jsonl").read_text().splitlines()[:2]]
    accuracy = float(right.double().mean())
    assert min(abs(accuracy - own) for own in tests) < 1e-9
    assert np.mean(tests) == pytest.approx(found["test"]["mean"])
    files = {"network.safetensors", "wiring.json", "outcome.json", "card.md"}
    assert {file.name for file in (out / "best").iterdir()} == files
    assert {"curve.csv", "curve.png", "references.png"} <= {file.name for file in out.iterdir()}


def test_the_curve_tells_of_every_epoch(pruned: tuple[Path, dict[str, Any]]) -> None:
    _, found = pruned
    assert [row["epoch"] for row in found["curve"]] == [1, 2]
    densities = [row["density"] for row in found["curve"]]
    assert densities == sorted(densities, reverse=True)
    assert all(0 < row["accuracy"] < 1 for row in found["curve"])
    assert sum(layer["live"] for layer in found["layers"]) <= 300


def test_references_are_of_its_size(pruned: tuple[Path, dict[str, Any]]) -> None:
    out, found = pruned
    beside = {own["name"]: own for own in found["references"]}
    total = n_parameters(load_network(out / "best" / "network.safetensors"))["total"]
    assert beside["its structure, new weights"]["n_parameters"] == beside["only its degrees"]["n_parameters"] == total
    assert {"linear", "random with equal edges"} <= set(beside)
    assert all(own["seeds"] == 2 for own in beside.values())
    for own in beside:
        assert own in found["verdict"]


def test_it_goes_on_where_it_was_stopped(pruned: tuple[Path, dict[str, Any]], tmp_path: Path) -> None:
    out, found = pruned
    lines = (out / "trainings.jsonl").read_text().splitlines(keepends=True)
    other = tmp_path / "other"
    assert asked("prune", "--task", "digits", "--max-parameters", 300, *QUICK, "--out", other)["test"] == found["test"]
    # Cut off in the middle of a line, as by a process that was killed.
    (other / "trainings.jsonl").write_text("".join(lines[:4]) + lines[4][:20])
    again = asked("prune", "--task", "digits", "--max-parameters", 300, *QUICK, "--out", other)
    for name in ("test", "references", "curve", "layers"):
        assert again[name] == found[name]
    once_more = asked("prune", "--task", "digits", "--max-parameters", 300, *QUICK, "--out", other)
    assert once_more == again


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_ctrl_c_ends_it_in_one_line_and_it_goes_on(pruned: tuple[Path, dict[str, Any]], tmp_path: Path) -> None:
    _, found = pruned
    command = [sys.executable, "-m", "wirenas", "prune", "--task", "digits", "--max-parameters", "300"]
    command += [*map(str, QUICK), "--out", str(tmp_path / "out"), "--json"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    while not (tmp_path / "out" / "trainings.jsonl").exists():
        time.sleep(0.05)
    os.kill(process.pid, signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert "Traceback" not in err
    assert process.returncode in (0, 130)
    again = asked("prune", "--task", "digits", "--max-parameters", 300, *QUICK, "--out", tmp_path / "out")
    assert again["test"] == found["test"]


@pytest.mark.parametrize("method", ["rigl", "set-truly-sparse", "static"])
def test_rewiring_keeps_a_density(tmp_path: Path, method: str) -> None:
    times = () if method == "static" else ("--every", 5, "--begin", 5, "--end", "80%")
    found = asked("rewire", "--task", "digits", "--method", method, "--density", 0.2, *times, *QUICK, "--out", tmp_path)
    parent = 64 * 12 + 12 * 10 + 10 * 10
    assert sum(layer["live"] for layer in found["layers"]) == round(0.2 * parent)
    assert {row["density"] for row in found["curve"]} == {round(0.2 * parent) / parent}


def test_structures_of_rnns_are_learned(tmp_path: Path) -> None:
    quick = ("--epochs", 1, "--seeds", 1, "--learning-rate", 0.01, "--widths", 10)
    found = asked("prune", "--task", "reber", "--cell", "lstm", "--max-parameters", 250, *quick, "--out", tmp_path)
    network = load_network(tmp_path / "best" / "network.safetensors")
    assert n_parameters(network)["total"] <= 250
    assert [layer["name"] for layer in found["layers"]] == ["layer 1", "layer 1 recurrent", "output"]


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (("prune", "--task", "digits"), "no target: exactly one of max_parameters, weights and density is needed"),
        (("prune", "--task", "digits", "--weights", 9, "--density", 0.1), "weights=9, density=0.1: exactly one of"),
        (("prune", "--task", "digits", "--density", 2), "density=2.0: "),
        (("prune", "--task", "digit", "--weights", 99), "digit"),
        (
            ("rewire", "--task", "digits", "--weights", 99, "--method", "rigel"),
            "method 'rigel' is not known (nearest: rigl)",
        ),
        (("rewire", "--task", "digits", "--weights", 99, "--every", "2 epochs", "--epochs", 1), "every=2 epochs"),
        (("prune", "--task", "digits", "--weights", 99, "--score", "size"), "score"),
        (("prune", "--task", "digits", "--weights", 99, "--widths", "a"), "widths"),
        (("prune", "--task", "reber", "--weights", 99, "--widths", "9,9"), "the parent of an RNN has one hidden layer"),
        (("prune", "--task", "digits", "--weights", 99, "--learning-rate", "x"), "learning_rate=x: it must be numbers"),
        (("prune", "--task", "digits", "--max-parameters", 5), "parameters=5: no network with 10 outputs has so few"),
        (("prune", "--task", "digits", "--weights", 10**7), "weights=10000000: the network has"),
        (("rewire", "--task", "digits", "--weights", 99, "--growth", "momentum"), "growth=momentum: weights that do"),
    ],
)
def test_wrong_input_is_one_line(tmp_path: Path, arguments: tuple[Any, ...], line: str) -> None:
    code, text, err = wirenas(*arguments, "--out", tmp_path / "out")
    assert (code, text) == (2, "")
    assert line in err
    assert len(err.strip().splitlines()) == 1
    assert not (tmp_path / "out").exists()


def test_another_experiment_does_not_go_on_in_a_folder(pruned: tuple[Path, dict[str, Any]]) -> None:
    out, _ = pruned
    code, _, err = wirenas("prune", "--task", "digits", "--max-parameters", 400, *QUICK, "--out", out)
    assert code == 2
    assert err.startswith(f"wirenas: parameters=400: the experiment in {out} was started with 300; give the same")


@pytest.mark.parametrize("seed", range(5))
def test_shuffled_wirings_keep_all_degrees(seed: int) -> None:
    layered = Layered((9, 12, 8, 4), edges=90, inputs=True, outputs=True).sample(seed)
    recurrent = attach(WattsStrogatz(20, 4, 0.3).sample(seed), 5, 3, "natural")
    for wiring in (layered, recurrent):
        other = shuffled(wiring, seed)
        assert other.sizes == wiring.sizes
        assert other.n_edges == wiring.n_edges
        layer = np.searchsorted(np.cumsum(wiring.sizes), np.arange(wiring.n_neurons), side="right")
        for one, two in ((0, 1), (1, 0)):
            counts = [
                np.unique(np.stack([own.edges[:, one], layer[own.edges[:, two]]], axis=1), axis=0, return_counts=True)
                for own in (wiring, other)
            ]
            assert np.array_equal(counts[0][0], counts[1][0])
            assert np.array_equal(counts[0][1], counts[1][1])
        common = len(set(map(tuple, wiring.edges)) & set(map(tuple, other.edges)))
        assert common < 0.8 * wiring.n_edges


def test_a_wiring_that_cannot_change_stays() -> None:
    complete = Wiring.from_masks([np.ones((4, 3)), np.ones((2, 4))], inputs=True, outputs=True)
    assert shuffled(complete, 0) == complete
