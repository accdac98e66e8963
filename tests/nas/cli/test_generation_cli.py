"""Networks that the command line generates: each is described by one object, and a wrong one leaves nothing."""

import json
from pathlib import Path

import numpy as np
import pytest
from command_line import wirenas

from nas import load_network, wiring_of
from nas.networks.structure import parts_of
from priors import read_wiring


@pytest.mark.parametrize(
    ("kind", "options"),
    [("rnn", "--cell gru --inputs 3"), ("mlp", "--inputs 3 --outputs 2")],
)
def test_a_generated_network_is_described_by_one_object(tmp_path: Path, kind: str, options: str):
    out = tmp_path / "net ü"
    prior = "--prior watts-strogatz --nodes 12 --k 4 --p 0.2"
    code, text, err = wirenas("generate", kind, *prior.split(), *options.split(), "--out", str(out), "--json")
    assert (code, err) == (0, "")
    found = json.loads(text)
    assert {"out", "fingerprint", "nodes", "edges", "n_parameters", "cell"} <= set(found)
    assert found["cell"] == {"rnn": "gru", "mlp": None}[kind]
    assert found["nodes"] == 12
    wiring = read_wiring(out / "wiring.json")
    assert (wiring.fingerprint, wiring.hidden.n_edges) == (found["fingerprint"], found["edges"])
    code, text, err = wirenas("generate", kind, *prior.split(), *options.split(), "--out", str(out))
    assert (code, text) == (2, "")
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("--prior wats-strogatz", "(nearest: watts-strogatz)"),
        ("--prior watts-strogatz --nodes 12", "k is missing"),
        ("--prior watts-strogatz --nodes 6 --k 7 --p 0.1", "--k 7: WattsStrogatz needs an even k"),
        ("--prior erdos-renyi --nodes 6 --p 2", "--p 2"),
        ("--seed 1", "nothing is given to draw from; give --prior or --graph"),
        (
            "--prior erdos-renyi --nodes 10000000 --p .5",
            "--nodes 10000000: erdos-renyi needs memory for every pair of nodes; nearest valid is 44721",
        ),
        ("--prior erdos-renyi --nodes 6 --p .5 --structure dag", "--structure dag does not fit network=rnn"),
        ("--prior erdos-renyi --nodes 6 --m 2 --p 0.1", "--m 2: erdos-renyi does not take it"),
        ("--prior erdos-renyi --nodes 6 --p 0.4 --cell lstn", "(nearest: lstm)"),
        ("--prior erdos-renyi --nodes 6 --p 0.4 --inputs 0", "--inputs 0"),
        ("--prior layered --sizes 3,x --density 0.5", "--sizes '3,x'"),
    ],
)
def test_a_wrong_generation_is_one_line_and_leaves_nothing(tmp_path: Path, options: str, message: str):
    inputs = [] if "--inputs" in options else ["--inputs", "3"]
    code, text, err = wirenas("generate", "rnn", *options.split(), *inputs, "--out", str(tmp_path / "net"))
    assert (code, text) == (2, "")
    assert err.count("\n") == 1
    assert message in err
    assert list(tmp_path.iterdir()) == []


WATTS_STROGATZ = "--prior watts-strogatz --nodes 8 --k 4 --p 0.1"
ELSE = "leave it out, or give"


@pytest.mark.parametrize(
    ("kind", "options", "message"),
    [
        ("rnn", "--width 3", f"--width 3: --attachment natural ignores it; {ELSE} --attachment projected"),
        ("rnn", "--reads 3", f"--reads 3: --attachment natural ignores it; {ELSE} --attachment controlled"),
        (
            "rnn",
            "--readouts 3 --outputs 2",
            f"--readouts 3: --attachment natural ignores it; {ELSE} --attachment controlled",
        ),
        ("rnn", "--readouts 3 --attachment controlled", f"--readouts 3: --outputs 0 ignores it; {ELSE} --outputs"),
        (
            "rnn",
            "--orientation index",
            f"--orientation index: --structure recurrent takes graphs as they are and ignores it; {ELSE} --structure "
            "stack",
        ),
        (
            "mlp",
            "--outputs 2 --width 3",
            f"--width 3: --attachment controlled ignores it; {ELSE} --attachment projected",
        ),
        ("mlp", "--outputs 0", "--outputs 0: an MLP needs an integer n_outputs with 1 <= n_outputs"),
        (
            "mlp",
            "--outputs 2 --prior layered --sizes 3,3 --density 0.5 --orientation index",
            "--orientation index: --prior layered has directions of its own; leave it out",
        ),
        (
            "rnn",
            "--prior erdos-renyi --nodes 5 --edges 0 --spectral-radius 0.9",
            f"--spectral-radius 0.9: the graph has no cycles, whose weights alone it scales; {ELSE} more edges",
        ),
    ],
)
def test_what_would_do_nothing_is_refused(tmp_path: Path, kind: str, options: str, message: str):
    prior = "" if "--prior" in options else WATTS_STROGATZ
    arguments = f"{prior} {options} --inputs 4".split()
    code, text, err = wirenas("generate", kind, *arguments, "--out", tmp_path / "net")
    assert (code, text, err) == (2, "", f"wirenas: {message}\n")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("rnn", "--attachment projected --width 3"),
        ("rnn", "--attachment controlled --reads 3 --readouts 3 --outputs 2"),
        ("rnn", "--structure stack --orientation index --spectral-radius 0.9"),
        ("mlp", "--outputs 2 --orientation index --reads 3 --readouts 3"),
    ],
)
def test_what_does_something_is_taken(tmp_path: Path, kind: str, options: str):
    arguments = f"{WATTS_STROGATZ} {options} --inputs 4".split()
    assert wirenas("generate", kind, *arguments, "--out", tmp_path / "net")[::2] == (0, "")


SAID = pytest.mark.filterwarnings("always::priors.GraphFileWarning")


@pytest.fixture
def weighted(tmp_path: Path) -> Path:
    lines = [f"{source} {target} {1 + source / 10}" for source in range(8) for target in range(source + 1, 8)]
    (tmp_path / "weighted.edgelist").write_text("\n".join(lines[::2]) + "\n", encoding="utf-8")
    return tmp_path / "weighted.edgelist"


@SAID
@pytest.mark.parametrize(
    ("weights", "words"),
    [
        ([], "begins with the weights of its graph, and drawn ones elsewhere"),
        (["--weights", "initial"], "begins with the weights of its graph, and drawn ones elsewhere"),
        (["--weights", "fixed"], "the weights of its graph are fixed, others are drawn and can be trained"),
        (["--weights", "ignore"], "freshly initialised"),
    ],
)
@pytest.mark.parametrize("kind", ["mlp --outputs 2", "rnn --cell tanh", "rnn --cell relu --outputs 2"])
def test_a_graph_has_its_weights_as_was_asked(
    tmp_path: Path, weighted: Path, kind: str, weights: list[str], words: str
):
    given = ("--graph", weighted, "--inputs", 3, "--undirected", *weights)
    code, text, err = wirenas("generate", *kind.split(), *given, "--out", tmp_path / "net", "--json")
    assert code == 0, err
    ignored = weights[-1:] == ["ignore"]
    assert json.loads(text)["weights"] == (None if ignored else "fixed" if "fixed" in weights else "initial")
    assert f"untrained, {words}\n" in (tmp_path / "net" / "card.md").read_text(encoding="utf-8")
    network = load_network(tmp_path / "net" / "network.safetensors")
    found = wiring_of(network).weights
    brought = [float(np.float32(1 + source / 10)) for source in range(8)]
    assert np.isin(brought[:6], found).all() != ignored
    held = [part.held is not None for part in parts_of(network)]
    assert any(held) == ("fixed" in weights)


@SAID
def test_directions_that_a_graph_gets_are_said(tmp_path: Path, weighted: Path):
    given = ("--graph", weighted, "--inputs", 3, "--outputs", 2, "--undirected")
    _, _, err = wirenas("generate", "mlp", *given, "--out", tmp_path / "mlp")
    assert err.count("its edges have no directions, and an MLP needs them: each got one, by random orientation") == 1
    _, _, err = wirenas("generate", "rnn", *given, "--cell", "tanh", "--out", tmp_path / "rnn")
    assert "orientation" not in err


@SAID
@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("rnn --cell gru --weights fixed", "--weights fixed: --cell gru has several weights an edge; use tanh or relu"),
        ("rnn --cell tanh --weights fixed --spectral-radius 0.9", "--spectral-radius 0.9: it scales the weights that"),
        ("mlp --outputs 2 --orientation index --weights all", "weights 'all' is not known"),
    ],
)
def test_weights_that_cannot_be_as_asked_are_one_line(tmp_path: Path, weighted: Path, options: str, message: str):
    arguments = (*options.split(), "--graph", weighted, "--inputs", 3, "--undirected")
    code, text, err = wirenas("generate", *arguments, "--out", tmp_path / "net")
    assert (code, text) == (2, "")
    assert f"wirenas: {message}" in err
    assert not (tmp_path / "net").exists()
