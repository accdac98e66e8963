"""`wirenas prune` and `wirenas rewire`: from a task to a network whose structure was learned, and what it is worth."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from command_line import wirenas
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from nas import load_network
from nas.inputs import Pooling
from nas.networks import NetworkSpec, PooledMLP, SparseMLP, save_network
from nas.networks.structure import n_parameters, wiring_of
from nas.sparsity.shuffle import shuffled
from nas.store.folders import alone_in
from nas.structure import files
from nas.tasks import load_task
from nas.training import evaluate
from predictors.features.describe import measured
from priors import Layered, WattsStrogatz, Wiring, attach

pytestmark = pytest.mark.usefixtures("drawn_figures")

QUICK = ("--epochs", 2, "--seeds", 2, "--learning-rate", "0.01", "--widths", "12,10", "--pool", 1, "--threads", 1)


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


def test_the_curve_tells_of_every_layer(pruned: tuple[Path, dict[str, Any]]) -> None:
    out, found = pruned
    sizes = {own["name"]: own["shape"][0] * own["shape"][1] for own in found["layers"]}
    for row in found["curve"]:
        assert [name for name in row if name.startswith("density_")] == [f"density_{name}" for name in sizes]
        live = sum(row[f"density_{name}"] * size for name, size in sizes.items())
        assert live == pytest.approx(row["density"] * sum(sizes.values()))
    for own in found["layers"]:
        assert found["curve"][-1][f"density_{own['name']}"] == pytest.approx(own["density"])
    assert (out / "density.png").is_file()


@pytest.mark.parametrize(
    ("task", "target", "more"),
    [
        ("digits", ("--weights", 40), ("--pool", 1)),
        ("digits", ("--density", 0.05), ("--pool", 1)),
        ("reber", ("--weights", 40), ("--cell", "gru")),
    ],
)
def test_live_weights_are_those_of_the_network_that_is_kept(
    tmp_path: Path, task: str, target: tuple[Any, ...], more: tuple[Any, ...]
) -> None:
    short = ("--epochs", 1, "--seeds", 1, "--learning-rate", 0.01, "--threads", 1, "--widths", 12)
    given = ("rewire", "--task", task, *target, *more, *short, "--out", tmp_path)
    found = asked(*given)
    kept = n_parameters(load_network(tmp_path / "best" / "network.safetensors"))
    learned = n_parameters(load_network(tmp_path / "networks" / "0.safetensors"))
    live, dead = (sum(own[name] for own in found["layers"]) for name in ("live", "dead"))
    assert live == kept["total"] - kept["biases"]
    assert live + dead == learned["total"] - learned["biases"]
    assert dead > 0
    card = (tmp_path / "best" / "card.md").read_text(encoding="utf-8")
    line = f"{dead} more took no part and were removed"
    assert line in card
    code, text, _ = wirenas("best", tmp_path)
    assert code == 0
    assert line in " ".join(text.split())
    # As experiments were written before.
    outcome = json.loads((tmp_path / "best" / "outcome.json").read_text())
    for own in outcome["layers"]:
        del own["dead"]
    outcome["curve"] = [
        {name: row[name] for name in row if not name.startswith("density_")} for row in outcome["curve"]
    ]
    (tmp_path / "best" / "outcome.json").write_text(json.dumps(outcome))
    code, text, _ = wirenas("best", tmp_path)
    assert code == 0
    assert "were removed" not in text


def test_a_small_parent_beside_a_large_one_keeps_what_it_has(tmp_path: Path) -> None:
    given = ("prune", "--task", "digits", "--max-parameters", 400, *QUICK[:6], "--pool", 1, "--threads", 1)
    found = asked(*given, "--widths", 4, "--widths", 12, "--out", tmp_path)
    names = {json.loads(line)["name"] for line in (tmp_path / "trainings.jsonl").read_text().splitlines()}
    assert {"learned structure of 4", "learned structure of 12"} <= names
    assert found["test"]["n_parameters"] <= 400


def test_best_and_status_show_what_was_learned(pruned: tuple[Path, dict[str, Any]], tmp_path: Path) -> None:
    out, found = pruned
    assert asked("status", out) == found
    files = [str(path) for path in sorted((out / "best").iterdir())]
    assert asked("best", out) == {**found, "files": files}
    for command in ("status", "best"):
        code, text, err = wirenas(command, out)
        assert (code, err) == (0, "")
        assert "learned structure" in text
        assert f"{out}/best/" in text
    moved = tmp_path / "moved"
    shutil.copytree(out, moved)
    assert asked("status", moved) == {**found, "out": str(moved)}
    shutil.rmtree(moved / "best")
    code, text, err = wirenas("best", moved)
    assert (code, text) == (2, "")
    assert err == f"wirenas: {moved}: the structure is not learned yet; the command that started it goes on\n"


def test_the_card_says_what_the_saved_network_reaches_and_how_it_is_loaded(
    pruned: tuple[Path, dict[str, Any]],
) -> None:
    out, found = pruned
    task, network = load_task("digits"), load_network(out / "best" / "network.safetensors")
    with torch.no_grad():
        right = network(task.inputs[task.test]).argmax(dim=1) == task.targets[task.test]
    reached = float(right.double().mean())
    assert found["saved"]["test"] == pytest.approx(reached)
    card = (out / "best" / "card.md").read_text(encoding="utf-8")
    assert f"on its own it reaches {reached:.4f} on the test part" in card
    assert 'network = load_network("network.safetensors")' in card
    for row in ("| network | mlp, gelu |", "| optimizer | adamw |", "| weight_decay | 0.1 |", "| normalise | True |"):
        assert row in card


@pytest.mark.parametrize("n_epochs", [1, 3])
def test_ticks_of_the_curve_are_whole_epochs(n_epochs: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    figures: list[Figure] = []
    monkeypatch.setattr(files, "save_figure", lambda figure, *_, **__: figures.append(figure))
    row = {"accuracy": 0.5, "parameters": 9, "density_output": 0.1, "wiring_n": 1.0}
    curve = [{"epoch": epoch + 1, **row} for epoch in range(n_epochs)]
    found = SimpleNamespace(task="digits", metric="accuracy", curve=curve)
    files.plot_curve(tmp_path / "a.png", found)  # type: ignore[arg-type]
    files.plot_features(tmp_path / "b.png", found, ["wiring_n"])  # type: ignore[arg-type]
    files.plot_densities(tmp_path / "c.png", found, ["density_output"])  # type: ignore[arg-type]
    assert len(figures) == 3
    for figure in figures:
        FigureCanvasAgg(figure).draw()
        ticks = figure.axes[0].get_xticks()
        assert (ticks == np.round(ticks)).all()


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


def test_one_process_at_a_time_works_on_a_folder(pruned: tuple[Path, dict[str, Any]], tmp_path: Path) -> None:
    out, found = shutil.copytree(pruned[0], tmp_path / "other"), pruned[1]
    command = ("prune", "--task", "digits", "--max-parameters", 300, *QUICK, "--out", out)
    with alone_in(out):
        code, text, err = wirenas(*command)
    assert (code, text) == (2, "")
    assert err == f"wirenas: --out {out}: another process works on it; give another folder\n"
    # What a killed process has left is removed by the next one.
    left = out / f".{'0' * 32}.tmp"
    left.mkdir()
    assert asked(*command)["test"] == found["test"]
    assert not left.exists()


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


def test_the_parent_that_does_best_on_validation_is_taken(tmp_path: Path) -> None:
    given = (
        *QUICK[:4],
        "--learning-rate",
        "0.003,0.01",
        "--threads",
        1,
        "--pool",
        1,
        "--widths",
        "6",
        "--widths",
        "9,7",
    )
    found = asked("prune", "--task", "digits", "--max-parameters", 300, *given, "--out", tmp_path)
    rows = [json.loads(line) for line in (tmp_path / "trainings.jsonl").read_text().splitlines()]
    tried = {row["key"]: row["value"] for row in rows if row["key"].endswith(" 1000")}
    names = [f"learned structure of {shape} {rate} 1000" for shape in ("6", "9,7") for rate in ("0.003", "0.01")]
    assert sorted(tried) == sorted(names)
    best = max(names, key=lambda name: tried[name])
    assert f"of {found['parent']} {found['test']['learning_rate']:g} " in best
    # What chose does not count: seeds are fresh, and so are those of references.
    assert found["test"]["seeds"] == 2
    assert all(own["seeds"] == 2 for own in found["references"])
    chosen = [row for row in rows if row["replicate"] == 1000 and row["name"] not in names]
    assert len(chosen) >= 2 * len(found["references"])


def test_an_experiment_of_one_shape_from_before_there_were_several_goes_on(
    pruned: tuple[Path, dict[str, Any]], tmp_path: Path
) -> None:
    out, found = pruned
    older = tmp_path / "older"
    shutil.copytree(out, older)
    options = json.loads((older / "structure.json").read_text())
    options["widths"] = options["widths"][0]
    (older / "structure.json").write_text(json.dumps(options))
    trained = (older / "trainings.jsonl").read_text()
    again = asked("prune", "--task", "digits", "--max-parameters", 300, *QUICK, "--out", older)
    assert again["test"] == found["test"]
    assert (older / "trainings.jsonl").read_text() == trained


def trained_by(out: Path) -> list[Any]:
    """Return the activation, the optimizer, the weight decay, and whether an experiment normalises."""
    options = json.loads((out / "structure.json").read_text())
    return [options["activation"], *(options["recipe"][name] for name in ("optimizer", "weight_decay", "normalise"))]


def test_new_networks_are_pruned_as_with_a_budget_and_what_is_begun_goes_on_as_it_began(
    pruned: tuple[Path, dict[str, Any]], tmp_path: Path
) -> None:
    given = ("prune", "--task", "digits", "--max-parameters", 300, *QUICK)
    assert trained_by(pruned[0]) == ["gelu", "adamw", 0.1, True]
    plain = ("--activation", "relu", "--optimizer", "adam", "--weight-decay", 0, "--no-normalise")
    begun = asked(*given, *plain, "--out", tmp_path / "plain")
    assert trained_by(tmp_path / "plain") == ["relu", "adam", 0.0, False]
    # As it was written when recipes did not normalise.
    file = tmp_path / "plain" / "structure.json"
    options = json.loads(file.read_text())
    del options["recipe"]["normalise"]
    file.write_text(json.dumps(options))
    assert asked(*given, "--out", tmp_path / "plain")["test"] == begun["test"]
    asked("rewire", "--task", "digits", "--density", 0.1, *QUICK, "--out", tmp_path / "rewired")
    assert trained_by(tmp_path / "rewired") == ["relu", "adam", 0.0, False]
    saved = ("prune", "--task", "digits", "--from", pruned[0], "--max-parameters", 200, *QUICK[:6])
    asked(*saved, "--out", tmp_path / "saved")
    assert trained_by(tmp_path / "saved") == ["gelu", "adam", 0.0, False]
    asked("rewire", "--task", "digits", "--method", "gmp", "--density", 0.1, *QUICK, "--out", tmp_path / "gmp")
    assert trained_by(tmp_path / "gmp") == ["relu", "adam", 0.0, False]
    # Where decay is not decoupled, .1 is another thing.
    asked(*given, "--optimizer", "adam", "--out", tmp_path / "adam")
    assert trained_by(tmp_path / "adam") == ["gelu", "adam", 0.0, True]
    code, _, err = wirenas(*given, "--no-normalise", "--out", pruned[0])
    assert (code, len(err.splitlines())) == (2, 1)
    assert f"--no-normalise: the experiment in {pruned[0]} was started with true" in err


def test_new_rnns_are_pruned_as_with_a_budget(tmp_path: Path) -> None:
    short = ("--epochs", 1, "--seeds", 1, "--learning-rate", "0.01", "--widths", 8, "--threads", 1)
    asked("prune", "--task", "reber", "--max-parameters", 300, *short, "--out", tmp_path / "rnn")
    assert trained_by(tmp_path / "rnn")[1:] == ["adamw", 0.1, False]


@pytest.mark.parametrize(
    ("options", "line"),
    [
        (("--optimizer", "lion"), "--optimizer"),
        (("--weight-decay", -1), "--weight-decay -1"),
        (("--weight-decay", "nan"), "--weight-decay nan"),
        (("--optimizer", "ridge"), "--optimizer ridge: it solves the read-out of campaigns' and surveys' RNNs"),
        (
            ("--task", "reber", "--widths", 8, "--normalise"),
            "--normalise: it is for MLPs, and this is an RNN; leave it out",
        ),
    ],
)
def test_what_trainings_cannot_be_is_one_line_and_leaves_no_folder(
    tmp_path: Path, options: tuple[Any, ...], line: str
) -> None:
    given = {"--task": "digits", "--max-parameters": 300, "--epochs": 1, "--seeds": 1}
    others = [part for name, value in given.items() if name not in options for part in (name, value)]
    code, text, err = wirenas("prune", *others, *options, "--out", tmp_path / "out")
    assert (code, text) == (2, "")
    assert len(err.splitlines()) == 1
    assert line in err
    assert not (tmp_path / "out").exists()


def test_trainings_that_all_diverge_are_one_line(tmp_path: Path) -> None:
    given = ("prune", "--task", "digits", "--max-parameters", 300, *QUICK)
    code, _, err = wirenas(*given, "--weight-decay", "1e6", "--out", tmp_path / "out")
    assert code == 2
    (last,) = [line for line in err.splitlines() if line.startswith("wirenas: ")]
    assert last.startswith(
        "wirenas: every training diverged, the best one too: its weights are not finite; give a lower"
    )
    assert last.endswith("learning rate or weight decay, and another folder with --out")
    assert not (tmp_path / "out" / "best").exists()


def test_rows_that_are_none_are_trained_again(pruned: tuple[Path, dict[str, Any]], tmp_path: Path) -> None:
    out, found = pruned
    damaged = tmp_path / "damaged"
    shutil.copytree(out, damaged)
    lines = (out / "trainings.jsonl").read_text().splitlines()
    lines[0] = lines[0][:40]
    (damaged / "trainings.jsonl").write_text("\n".join([*lines, "[1]", '{"a": 1}', "7", ""]) + "\n")
    again = asked("prune", "--task", "digits", "--max-parameters", 300, *QUICK, "--out", damaged)
    assert again["test"] == found["test"]


@pytest.mark.parametrize("text", ["{", "[]", "null", '{"task": "digits"}', "[" * 100_000, ""])
def test_options_that_cannot_be_read_are_one_line(tmp_path: Path, text: str) -> None:
    (tmp_path / "structure.json").write_text(text)
    code, _, err = wirenas("prune", "--task", "digits", "--max-parameters", 300, *QUICK, "--out", tmp_path)
    assert (code, len(err.splitlines())) == (2, 1)
    assert err.startswith(f"wirenas: {tmp_path / 'structure.json'}: the options of an experiment cannot be read")
    assert err.endswith("so it does not go on; give another folder with --out\n")
    assert (tmp_path / "structure.json").read_text() == text


def test_a_saved_network_is_pruned_from_its_weights(pruned: tuple[Path, dict[str, Any]], tmp_path: Path) -> None:
    out, _ = pruned
    given = ("prune", "--task", "digits", "--from", out, "--max-parameters", 200, *QUICK[:6], "--threads", 1)
    found = asked(*given, "--out", tmp_path / "out")
    before = found["references"][0]
    assert before["name"] == "the network before"
    task, network = load_task("digits"), load_network(out / "best" / "network.safetensors")
    right = evaluate(network, task, task.test).metric
    assert (before["mean"], before["n_parameters"]) == (right, n_parameters(network)["total"])
    assert before["name"] not in found["verdict"]
    smaller = load_network(tmp_path / "out" / "best" / "network.safetensors")
    assert n_parameters(smaller)["total"] <= 200
    # Its weights are where it starts from: a step too small to learn leaves those that stay as they were.
    still = ("--learning-rate", 1e-12, "--epochs", 1, "--seeds", 1, "--threads", 1)
    asked(*given[:7], *still, "--out", tmp_path / "still")
    kept = wiring_of(load_network(tmp_path / "still" / "networks" / "0.safetensors"))
    weights = {tuple(edge): weight for edge, weight in zip(*_edges(wiring_of(network)), strict=True)}
    for edge, weight in zip(*_edges(kept), strict=True):
        assert weights[tuple(edge)] == pytest.approx(weight, abs=1e-6)
    # The same network elsewhere is the same start; another one is not.
    shutil.copy(out / "best" / "network.safetensors", tmp_path / "copy.safetensors")
    again = asked(*(tmp_path / "copy.safetensors" if own is out else own for own in given), "--out", tmp_path / "out")
    assert again["test"] == found["test"]
    other = (out / "networks" / "0.safetensors" if own is out else own for own in given)
    code, _, err = wirenas(*other, "--out", tmp_path / "still")
    assert code == 2
    assert "was started with" in err


def _edges(wiring: Wiring) -> tuple[list[list[int]], list[float]]:
    assert wiring.weights is not None
    return wiring.edges.tolist(), wiring.weights.tolist()


def test_a_saved_network_is_rewired_from_its_weights(pruned: tuple[Path, dict[str, Any]], tmp_path: Path) -> None:
    out, _ = pruned
    network = load_network(out / "best" / "network.safetensors")
    given = ("rewire", "--task", "digits", "--from", out, "--every", 5, *QUICK[:6], "--threads", 1)
    found = asked(*given, "--out", tmp_path / "out")
    assert found["references"][0]["name"] == "the network before"
    assert sum(row["turnover"] for row in found["curve"]) > 0.2
    rewired = wiring_of(load_network(tmp_path / "out" / "networks" / "0.safetensors"))
    before = wiring_of(network)
    assert rewired.n_edges == before.n_edges
    assert not np.array_equal(rewired.edges, before.edges)
    # Its weights are where it starts from: without a step, nothing has changed.
    still = ("--learning-rate", 1e-12, "--epochs", 1, "--seeds", 1, "--method", "static", "--threads", 1)
    asked(*given[:5], *still, "--out", tmp_path / "still")
    kept = wiring_of(load_network(tmp_path / "still" / "networks" / "0.safetensors"))
    assert np.array_equal(kept.edges, before.edges)
    assert kept.weights == pytest.approx(before.weights, abs=1e-6)
    assert asked(*given, "--out", tmp_path / "out")["test"] == found["test"]


def test_a_saved_rnn_is_rewired_from_its_weights(tmp_path: Path) -> None:
    short = ("--epochs", 1, "--seeds", 1, "--learning-rate", "0.01", "--threads", 1)
    asked("prune", "--task", "reber", "--weights", 300, "--widths", 8, *short, "--out", tmp_path / "pruned")
    given = ("rewire", "--task", "reber", "--from", tmp_path / "pruned", "--every", 2, *short)
    asked(*given, "--out", tmp_path / "rewired")
    sizes = [
        n_parameters(load_network(tmp_path / name / "networks" / "0.safetensors")) for name in ("pruned", "rewired")
    ]
    assert sizes[0]["total"] == sizes[1]["total"]
    before, after = (
        load_network(tmp_path / name / "networks" / "0.safetensors").rnn.slots for name in ("pruned", "rewired")
    )
    assert not torch.equal(before, after)


@pytest.mark.parametrize(
    ("options", "line"),
    [
        (("--density", 0.1), "--density 0.1: a saved network that is rewired keeps the number of its weights"),
        (("--max-parameters", 99), "keeps the number of its weights; leave it out"),
        (("--method", "srigl"), "--method: it gives all neurons of a layer equally many weights"),
        (("--method", "gmp"), "no target: give one of --max-parameters, --weights and --density"),
        (("--widths", 9), "leave --widths out"),
    ],
)
def test_what_cannot_be_rewired_is_one_line(
    pruned: tuple[Path, dict[str, Any]], tmp_path: Path, options: tuple[Any, ...], line: str
) -> None:
    code, text, err = wirenas("rewire", "--task", "digits", "--from", pruned[0], *options, "--out", tmp_path / "out")
    assert (code, text) == (2, "")
    assert line in err
    assert len(err.strip().splitlines()) == 1
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("wiring", "line"),
    [
        (Layered((64, 10), edges=90, inputs=True, outputs=True), "the network has no hidden neurons"),
        (Layered((64, 5, 10), edges=0, inputs=True, outputs=True), "the network has no edges"),
        (Layered((64, 5, 10), density=1.0, inputs=True, outputs=True), "every edge between its layers lives already"),
    ],
)
def test_networks_without_a_structure_to_learn_are_one_line(tmp_path: Path, wiring: Layered, line: str) -> None:
    save_network(SparseMLP(wiring.sample(0)), tmp_path / "saved.safetensors")
    given = ("--task", "digits", "--from", tmp_path / "saved.safetensors", "--epochs", 1, "--out", tmp_path / "out")
    code, text, err = wirenas("rewire", *given)
    assert (code, text, err.count("\n")) == (2, "", 1)
    assert line in err
    assert not (tmp_path / "out").exists()


def test_what_cannot_be_pruned_further_is_one_line(pruned: tuple[Path, dict[str, Any]], tmp_path: Path) -> None:
    out, _ = pruned
    given = ("prune", "--max-parameters", 100, "--out", tmp_path / "out")
    small = tmp_path / "small.safetensors"
    save_network(SparseMLP(Layered((5, 3, 2), edges=20, inputs=True, outputs=True).sample(0)), small)
    large = tmp_path / "large.safetensors"
    behind = SparseMLP(Layered((196, 3, 10), edges=99, inputs=True, outputs=True).sample(0))
    save_network(PooledMLP(behind, Pooling(28, 28, 2)), large)
    for more, line in (
        (("--task", "digits", "--from", tmp_path), "there is no such network"),
        (("--task", "digits", "--from", out / "curve.csv"), "this is no intact network file"),
        (("--task", "digits", "--from", out, "--widths", 9), "leave --widths out"),
        (("--task", "digits", "--from", out, "--activation", "tanh"), "has its own; leave it out"),
        (("--task", "reber", "--from", out), "a SparseMLP, and the task needs a SequenceNetwork"),
        (
            ("--task", "digits", "--from", small),
            "the network reads 5 inputs and has 2 outputs, and task digits has 64",
        ),
        (
            ("--task", "digits", "--from", large),
            "the network reads 784 inputs and has 10 outputs, and task digits has 64 and 10",
        ),
    ):
        code, text, err = wirenas(*given, *more)
        assert (code, text) == (2, "")
        assert line in err
        assert len(err.strip().splitlines()) == 1
    assert not (tmp_path / "out").exists()


def test_means_over_pixels_are_read_where_that_is_better(tmp_path: Path) -> None:
    given = ("prune", "--task", "digits", "--max-parameters", 150, *QUICK[:4], "--learning-rate", 0.02, "--threads", 1)
    found = asked(*given, "--widths", 8, "--pool", "2,4", "--out", tmp_path)
    rows = [json.loads(line) for line in (tmp_path / "trainings.jsonl").read_text().splitlines()]
    tried = {pool: next(row for row in rows if row["key"] == key)["value"] for pool, key in (
        (2, "learned structure, pool 2, 0.02 1000"),
        (4, "learned structure, pool 4, 0.02 1000"),
    )}  # fmt: skip
    assert found["pool"] == max(tried, key=lambda pool: tried[pool])
    # What is kept reads pixels, and its structure from new weights means, as it did.
    network, task = load_network(tmp_path / "best" / "network.safetensors"), load_task("digits")
    tests = [row["test"] for row in rows if row["name"] == "learned structure" and row["replicate"] < 1000]
    assert min(abs(evaluate(network, task, task.test, engine="torch").metric - own) for own in tests) < 1e-9
    assert wiring_of(network).n_inputs == {2: 16, 4: 4}[found["pool"]]
    beside = {own["name"]: own["n_parameters"] for own in found["references"]}
    assert beside["its structure, new weights"] == n_parameters(network)["total"] <= 150
    # References choose what they read by themselves.
    assert len([row for row in rows if row["name"] == "linear" and row["replicate"] == 1000]) == 2
    assert beside["linear"] in (10 * (16 + 1), 10 * (4 + 1))
    further = ("prune", "--task", "digits", "--from", tmp_path, "--max-parameters", 100, "--learning-rate", 0.02)
    smaller = asked(*further, *QUICK[:4], "--threads", 1, "--out", tmp_path / "further")
    assert smaller["pool"] == found["pool"]
    assert smaller["references"][0]["mean"] == pytest.approx(evaluate(network, task, task.test).metric)
    assert load_network(tmp_path / "further" / "best" / "network.safetensors")(task.inputs[:2]).shape == (2, 10)


def test_features_of_the_wiring_are_followed(tmp_path: Path) -> None:
    given = (
        "--max-parameters",
        300,
        "--epochs",
        3,
        "--seeds",
        1,
        "--learning-rate",
        "0.01",
        "--widths",
        "12,10",
        "--pool",
        1,
    )
    found = asked("prune", "--task", "digits", *given, "--feature", "all_edges,depth", "--out", tmp_path)
    wiring = wiring_of(load_network(tmp_path / "networks" / "0.safetensors"))
    last = found["curve"][-1]
    assert last["wiring_all_edges"] == wiring.n_edges < found["curve"][0]["wiring_all_edges"]
    assert last["wiring_depth"] == measured([wiring], ["depth"])[0, 0]
    header = (tmp_path / "curve.csv").read_text().splitlines()[0]
    densities = "density_layer 1,density_layer 2,density_output"
    assert header == f"epoch,density,parameters,turnover,accuracy,{densities},wiring_all_edges,wiring_depth"
    assert (tmp_path / "features.png").stat().st_size > 0


@pytest.mark.parametrize("method", ["rigl", "set-truly-sparse", "static"])
def test_rewiring_keeps_a_density(tmp_path: Path, method: str) -> None:
    times = () if method == "static" else ("--every", 5, "--begin", 5, "--end", "80%")
    found = asked("rewire", "--task", "digits", "--method", method, "--density", 0.2, *times, *QUICK, "--out", tmp_path)
    parent = 64 * 12 + 12 * 10 + 10 * 10
    assert sum(layer["live"] + layer["dead"] for layer in found["layers"]) == round(0.2 * parent)
    assert {row["density"] for row in found["curve"]} == {round(0.2 * parent) / parent}


def test_a_method_is_shortened_for_a_short_training_and_says_so(tmp_path: Path) -> None:
    arguments = ("rewire", "--task", "digits", "--density", 0.3, *QUICK, "--out", tmp_path / "out")
    code, _, err = wirenas(*arguments, "--json")
    assert code == 0, err
    assert err.count("--every 100 steps is long for a training of 36 steps: --every 3 is taken") == 1
    stored = json.loads((tmp_path / "out" / "structure.json").read_text())
    # As it was written before intervals were shortened; such a folder goes on where the interval is the same.
    stored["method"]["every"] = "3 steps"
    (tmp_path / "out" / "structure.json").write_text(json.dumps(stored))
    assert wirenas(*arguments, "--json")[0] == 0
    stored["method"]["every"] = "30 steps"
    (tmp_path / "out" / "structure.json").write_text(json.dumps(stored))
    code, _, err = wirenas(*arguments, "--json")
    assert code == 2
    assert 'started with "30 steps"; give the same' in err
    # No time between two changes meant one step.
    stored["method"]["every"] = "0 steps"
    (tmp_path / "out" / "structure.json").write_text(json.dumps(stored))
    code, _, err = wirenas(*arguments, "--every", 2, "--json")
    assert (code, 'started with "0 steps"; give the same' in err) == (2, True)
    assert wirenas(*arguments, "--every", 1, "--json")[0] == 0


def test_structures_of_rnns_are_learned(tmp_path: Path) -> None:
    quick = ("--epochs", 1, "--seeds", 1, "--learning-rate", 0.01, "--widths", 10)
    found = asked("prune", "--task", "reber", "--cell", "lstm", "--max-parameters", 250, *quick, "--out", tmp_path)
    network = load_network(tmp_path / "best" / "network.safetensors")
    assert n_parameters(network)["total"] <= 250
    assert [layer["name"] for layer in found["layers"]] == ["layer 1", "layer 1 recurrent", "output"]


@pytest.mark.parametrize(
    ("command", "cell", "target"),
    [
        ("rewire", "gru", ("--max-parameters", 200)),
        ("rewire", "lstm", ("--density", 0.3)),
        ("prune", "gru", ("--weights", 120)),
        ("prune", "lstm", ("--max-parameters", 150)),
    ],
)
def test_references_of_cells_with_several_gates_have_its_weights_and_no_others(
    tmp_path: Path, command: str, cell: str, target: tuple[Any, ...]
) -> None:
    quick = ("--epochs", 1, "--seeds", 1, "--learning-rate", 0.01, "--widths", 10, "--threads", 1)
    given = (command, "--task", "reber", "--cell", cell, *target, *quick, "--out", tmp_path)
    found = asked(*given)
    kept = load_network(tmp_path / "best" / "network.safetensors")
    total = n_parameters(kept)["total"]
    assert total < NetworkSpec("rnn", cell=cell).n_parameters(wiring_of(kept))["total"]
    assert found["test"]["n_parameters"] == total
    beside = {own["name"]: own["n_parameters"] for own in found["references"]}
    for name in ("its structure, new weights", "only its degrees", "random with equal edges"):
        assert beside[name] == total
    widths = [NetworkSpec("rnn", cell=cell).count_parameters((7 * n, n * n, 2 * n), n, 2)["total"] for n in range(9)]
    assert beside["dense with equal parameters"] == min(widths, key=lambda own: abs(own - total))
    assert "have as many weights of each gate" in found["verdict"]
    again = asked(*given)
    assert again["references"] == found["references"]


@pytest.mark.parametrize(
    ("arguments", "start"),
    [
        (("rewire", "--weights", 3), "--weights 3: nothing leads from inputs to outputs through hidden neurons of"),
        (("prune", "--weights", 2), "--weights 2: nothing leads from inputs to outputs"),
        (("prune", "--density", 0.005), "--density 0.005: nothing leads from inputs to outputs"),
    ],
)
def test_structures_without_hidden_neurons_are_one_line(tmp_path: Path, arguments: tuple[Any, ...], start: str) -> None:
    command, *target = arguments
    quick = ("--epochs", 1, "--seeds", 1, "--threads", 1, "--learning-rate", 0.01, "--widths", 10, "--pool", 1)
    lines = []
    for _ in range(2):
        code, text, err = wirenas(command, "--task", "digits", *target, *quick, "--out", tmp_path / "out")
        assert (code, text) == (2, "")
        lines += [line for line in err.splitlines() if line.startswith("wirenas: ")]
        assert "Traceback" not in err
    assert lines[0].startswith(f"wirenas: {start}")
    assert lines[0].endswith(
        "; give more, or give --max-parameters, which counts only what leads there, and another folder with --out"
    )
    assert lines == lines[:1] * 2


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (("prune", "--task", "digits"), "no target: give one of --max-parameters, --weights and --density"),
        (("prune", "--task", "digits", "--weights", 9, "--density", 0.1), "--weights 9, --density 0.1: give one of"),
        (("prune", "--task", "digits", "--density", 2), "--density 2.0: "),
        (("prune", "--task", "digit", "--weights", 99), "digit"),
        (
            ("rewire", "--task", "digits", "--weights", 99, "--method", "rigel"),
            "method 'rigel' is not known (nearest: rigl)",
        ),
        (
            ("rewire", "--task", "digits", "--weights", 99, "--every", "2 epochs", "--epochs", 1),
            "--every 2 epochs: the training has 18 steps",
        ),
        (("prune", "--task", "digits", "--weights", 99, "--score", "size"), "score"),
        (("prune", "--task", "digits", "--weights", 99, "--feature", "n_edge"), "feature 'n_edge' is not known"),
        (("prune", "--task", "digits", "--weights", 99, "--widths", "a"), "widths"),
        (("prune", "--task", "reber", "--weights", 99, "--widths", "9,9"), "the parent of an RNN has one hidden layer"),
        (("prune", "--task", "digits", "--weights", 99, "--widths", 9, "--widths", 9), "a shape is given twice"),
        (
            ("prune", "--task", "digits", "--density", 0.1, "--widths", 9, "--widths", 5),
            "--density 0.1 with --widths 9 5: a share of parents of several sizes is no one size",
        ),
        (
            ("prune", "--task", "digits", "--weights", 99, "--pool", 9),
            "--pool 9: size=9: an image of 8 x 8 pixels has no",
        ),
        (("prune", "--task", "digits", "--weights", 99, "--pool", "2,2"), "--pool 2,2: a number is given twice"),
        (("prune", "--task", "reber", "--weights", 99, "--pool", 2), "are not known to be images"),
        (("prune", "--task", "digits", "--weights", 99, "--learning-rate", "-1"), "should be greater than 0"),
        (
            ("prune", "--task", "digits", "--weights", 99, "--learning-rate", "x"),
            "--learning-rate x: it must be numbers",
        ),
        (
            ("prune", "--task", "digits", "--max-parameters", 5),
            "--max-parameters 5: no network with 10 outputs has so few",
        ),
        (("prune", "--task", "digits", "--weights", 10**7), "--weights 10000000: the network has"),
        (
            ("prune", "--task", "digits", "--max-parameters", 10**7),
            "--max-parameters 10000000: the largest parent has 22510, so that all would stay; give fewer",
        ),
        (
            ("rewire", "--task", "reber", "--max-parameters", 10**6, "--widths", 8),
            "--max-parameters 1000000: the parent has 410, so that all would stay; give fewer",
        ),
        (
            ("prune", "--task", "digits", "--weights", 1, "--widths", 10),
            "--weights 1: every layer keeps 1 at least (layer 1, output); give at least 2",
        ),
        (("prune", "--task", "reber", "--weights", 99, "--score", "obd"), "--score obd: it is for MLPs, and this"),
        (
            ("prune", "--task", "digits", "--weights", 99, "--widths", "0"),
            "--widths 0: it must be a whole number of at",
        ),
        (("prune", "--task", "digits", "--weights", 99, "--widths", "9,"), "--widths 9,: it must be a whole number of"),
        (("prune", "--task", "digits", "--weights", 99, "--widths", ""), "--widths '': it is empty, where a value is"),
        (("prune", "--task", "digits", "--weights", 99, "--pool", ""), "--pool '': it must be a whole number of at"),
        (
            ("prune", "--task", "digits", "--weights", 99, "--learning-rate", ""),
            "--learning-rate '': it must be numbers",
        ),
        (("prune", "--task", "digits", "--weights", 99, "--feature", ","), "--feature ',': it is empty, where a value"),
        (
            ("prune", "--task", "digits", "--weights", 99, "--from", ""),
            "--from '': it is empty, where a path is needed",
        ),
        (
            ("prune", "--task", "digits", "--weights", 99, "--data", ""),
            "--data '': it is empty, where a path is needed",
        ),
        (
            ("prune", "--task", "digits", "--weights", 99, "--score", "set-released"),
            "--score set-released: it is for rewiring, and drops any number; to prune give another, such as set-half",
        ),
        (("prune", "--task", "digits", "--weights", 99, "--engine", "foo"), "engine 'foo' is not known; known: auto,"),
        (
            ("prune", "--task", "digits", "--weights", 99, "--every", 0),
            "--every 0 steps: between two changes of structure there must be at least 1 step",
        ),
        (("rewire", "--task", "digits", "--weights", 99, "--growth", "momentum"), "--growth momentum: weights that do"),
    ],
)
def test_wrong_input_is_one_line(tmp_path: Path, arguments: tuple[Any, ...], line: str) -> None:
    code, text, err = wirenas(*arguments, "--out", tmp_path / "out")
    assert (code, text) == (2, "")
    assert line in err
    assert len(err.strip().splitlines()) == 1
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("out", ["file", "file/below"])
def test_a_file_where_a_folder_is_needed_is_one_line(tmp_path: Path, out: str) -> None:
    (tmp_path / "file").write_text("7")
    code, _, err = wirenas("prune", "--task", "digits", "--weights", 99, "--out", tmp_path / out)
    assert (code, err.count("\n")) == (2, 1)
    what = "this" if out == "file" else tmp_path / "file"
    assert err == f"wirenas: --out {tmp_path / out}: {what} is a file; give a folder that can be written\n"
    assert (tmp_path / "file").read_text() == "7"


def test_another_experiment_does_not_go_on_in_a_folder(pruned: tuple[Path, dict[str, Any]]) -> None:
    out, _ = pruned
    code, _, err = wirenas("prune", "--task", "digits", "--max-parameters", 400, *QUICK, "--out", out)
    assert code == 2
    assert err.startswith(f"wirenas: --max-parameters 400: the experiment in {out} was started with 300; give the same")


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


def test_a_network_whose_weights_are_held_is_not_pruned(tmp_path: Path) -> None:
    wiring = Layered((64, 8, 10), density=1.0, inputs=True, outputs=True).sample(0)
    network = SparseMLP(wiring.replace(weights=np.ones(wiring.n_edges, np.float32)), rng=0)
    network.hold()
    save_network(network, tmp_path / "network.safetensors")
    arguments = ("--task", "digits", "--from", tmp_path / "network.safetensors", "--weights", 99)
    code, _, err = wirenas("prune", *arguments, "--out", tmp_path / "out")
    assert code == 2
    assert "some of its weights are fixed, so that its structure stays" in err
    assert not (tmp_path / "out").exists()
