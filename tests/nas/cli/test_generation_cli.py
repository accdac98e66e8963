"""Networks that the command line generates: each is described by one object, and a wrong one leaves nothing."""

import json
from pathlib import Path

import numpy as np
import pytest
from command_line import wirenas

from nas import load_network, wiring_of
from nas.networks.structure import parts_of
from priors import Wiring, read_wiring, write_wiring


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
        ("--prior layered --sizes 3,4 --density 0.5 --pattern small-world", "--beta None: Layered needs a number"),
        ("--prior newman-watts --nodes 1 --k 2 --p 0.1", "--nodes 1: NewmanWatts needs an integer n with 3 <= n"),
        (
            "--prior ws-flex --nodes 9 --degree 9 --p 0.1",
            "--degree 9.0: WSFlex needs a number with 0 < degree <= n - 1",
        ),
        ("--prior random-regular --nodes 5 --d 3", "--d 3: n d = 15 is odd"),
        ("--prior stochastic-block --sizes 2,3 --block-p .1,x", "--block-p '.1,x': rows of numbers are written like"),
        ("--prior stochastic-block --sizes 2,3 --block-p .1,.2", "--block-p: 1 rows of 2 numbers, where 2 blocks need"),
        ("--prior stochastic-block --nodes 9 --sizes 2,3 --block-p .1", "--nodes 9: stochastic-block does not take it"),
        (
            "--prior modular --nodes 5 --modules 9 --edges 3 --mixing 0.1",
            "--modules 9: Modular needs an integer modules",
        ),
        ("--prior geo-hub --nodes 9 --edges 5 --hubs 5", "--edges 5: the core of 5 hubs has 10 alone"),
        (
            "--prior geo-hub --nodes 20 --edges 86 --hubs 3 --one-way --structure stack",
            "--one-way: the graph has directed",
        ),
        ("--prior connectome --nodes 5", "graph is missing: --prior connectome draws from a graph of your own"),
        (
            "--prior ws-flex --nodes 9 --degree 3 --p 0.1 --expand 9,9",
            "--expand 9,9: --structure recurrent has no layers",
        ),
        (
            "--prior ws-flex --nodes 9 --degree 3 --p 0.1 --structure stack --expand 9,8",
            "--expand 9,8: expand needs at least 9 neurons in every layer",
        ),
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


def test_parts_of_a_connectome_keep_its_weights(tmp_path: Path):
    edges = [(source, (source + step) % 12) for source in range(12) for step in (1, 5)]
    graph = Wiring((12,), edges, weights=np.linspace(-1, 1, 24), names=[f"N{number}" for number in range(12)])
    write_wiring(graph, tmp_path / "worm.graphml")
    prior = ["--prior", "connectome", "--graph", str(tmp_path / "worm.graphml")]
    for options in ("--nodes 7 --weights fixed", "--nodes 20 --draw bootstrap"):
        out = tmp_path / options.split()[1]
        given = [
            *prior,
            *options.split(),
            "--cell",
            "tanh",
            "--inputs",
            "3",
            "--seed",
            "4",
            "--out",
            str(out),
            "--json",
        ]
        code, text, err = wirenas("generate", "rnn", *given)
        assert (code, err) == (0, "")
        assert json.loads(text)["weights"] == ("fixed" if "fixed" in options else "initial")
        hidden = wiring_of(load_network(out / "network.safetensors")).hidden
        assert hidden.n_neurons == int(options.split()[1])
        whole = {float(weight) for weight in graph.weights}
        assert hidden.n_edges
        assert {float(weight) for weight in hidden.weights} <= whole
    code, _, err = wirenas("generate", "rnn", *prior, "--nodes", "13", "--inputs", "3", "--out", str(tmp_path / "no"))
    assert (code, err.count("\n")) == (2, 1)
    assert "--nodes 13: Connectome needs an integer n with 1 <= n <= nodes of the graph = 12" in err
    bare = tmp_path / "bare.graphml"
    write_wiring(graph.replace(weights=None), bare)
    code, _, err = wirenas(
        *("generate", "rnn", "--prior", "connectome", "--graph", str(bare), "--nodes", "5", "--cell", "tanh"),
        *("--weights", "fixed", "--inputs", "3", "--out", str(tmp_path / "no")),
    )
    assert (code, err.count("\n")) == (2, 1)
    assert "--weights fixed: the graph has no weights" in err


def test_a_graph_is_spread_over_layers(tmp_path: Path):
    given = "--prior ws-flex --nodes 8 --degree 3.5 --p 0.2 --expand 16,24,16 --inputs 5 --outputs 2 --json"
    code, text, err = wirenas("generate", "mlp", *given.split(), "--out", str(tmp_path / "net"))
    assert (code, err) == (0, "")
    hidden = read_wiring(tmp_path / "net" / "wiring.json").hidden
    assert hidden.sizes == (16, 24, 16)
    # 14 edges in both directions and 8 of nodes to themselves, for groups of 2 and 3 neurons.
    assert hidden.n_edges == json.loads(text)["edges"] == 2 * (2 * 14 + 8) * 2 * 3
