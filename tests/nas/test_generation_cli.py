"""Networks that the command line generates: each is described by one object, and a wrong one leaves nothing."""

import json
from pathlib import Path

import pytest
from command_line import wirenas

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
        ("--prior watts-strogatz --nodes 6 --k 7 --p 0.1", "k=7: WattsStrogatz needs an even k"),
        ("--prior erdos-renyi --nodes 6 --p 2", "p=2"),
        (
            "--prior erdos-renyi --nodes 10000000 --p .5",
            "nodes=10000000: erdos-renyi needs memory for every pair of nodes; nearest valid is 44721",
        ),
        ("--prior erdos-renyi --nodes 6 --p .5 --structure dag", "structure=dag does not fit network=rnn"),
        ("--prior erdos-renyi --nodes 6 --m 2 --p 0.1", "m=2: erdos-renyi does not take it"),
        ("--prior erdos-renyi --nodes 6 --p 0.4 --cell lstn", "(nearest: lstm)"),
        ("--prior erdos-renyi --nodes 6 --p 0.4 --inputs 0", "n_inputs=0"),
        ("--prior layered --sizes 3,x --density 0.5", "sizes='3,x'"),
    ],
)
def test_a_wrong_generation_is_one_line_and_leaves_nothing(tmp_path: Path, options: str, message: str):
    inputs = [] if "--inputs" in options else ["--inputs", "3"]
    code, text, err = wirenas("generate", "rnn", *options.split(), *inputs, "--out", str(tmp_path / "net"))
    assert (code, text) == (2, "")
    assert err.count("\n") == 1
    assert message in err
    assert list(tmp_path.iterdir()) == []
