"""Networks straight from a prior: what is written, that it loads, and what is refused."""

from pathlib import Path
from typing import Any

import pytest
import torch

from nas import networks as networks_module
from nas.cli.flags import drawing_of
from nas.errors import InputError
from nas.networks import ACTIVATIONS, CELLS, SequenceNetwork, SparseMLP, SparseRNN, load_network, n_parameters
from nas.seeds import stream
from nas.space import generation
from nas.space.generation import draw_wiring, write_mlp, write_rnn
from priors import FAMILIES, GraphFileWarning, Layered, WattsStrogatz, Wiring, attach, dead_neurons, read_wiring
from priors.families.record import Family


def text_of(value: Any) -> Any:
    """As it is typed: rows of numbers with slashes between them, numbers with commas."""
    if not isinstance(value, tuple):
        return value
    return ("/" if isinstance(value[0], tuple) else ",").join(str(text_of(part)) for part in value)


def given_of(prior: Any, family: Family) -> dict[str, Any]:
    """The arguments of a prior, as `wirenas generate` takes them."""
    own = {argument.option: text_of(getattr(prior, argument.name)) for argument in family.arguments}
    return {name: value for name, value in own.items() if value is not None}


DRAWN = [name for name, family in FAMILIES.items() if not family.of_graph]
GIVEN: dict[str, dict[str, Any]] = {name: given_of(FAMILIES[name].example(), FAMILIES[name]) for name in DRAWN} | {
    "watts-strogatz": {"nodes": 12, "k": 4, "p": 0.2},
    "barabasi-albert": {"nodes": 12, "m": 2},
    "erdos-renyi": {"nodes": 12, "edges": 20},
    "layered": {"sizes": "5,4,3", "density": 0.6},
}
COUNTS: dict[str, dict[str, int]] = {"controlled": {"reads": 2, "readouts": 3}, "projected": {"width": 4}}


def draw(prior: str, structure: str, **changes: Any) -> Wiring:
    inputs, outputs = changes.pop("units", (4, 2))
    attachment = changes.pop("attachment", "natural")
    counts = COUNTS.get(attachment, {})
    drawing = drawing_of({"prior": prior, "inputs": inputs} | counts | GIVEN.get(prior, {}) | changes)
    return draw_wiring(drawing, "mlp" if structure == "dag" else "rnn", outputs, attachment, structure)


def structures(prior: str) -> list[str]:
    return ["stack"] if prior == "layered" else ["recurrent", "stack"]


def content(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.parametrize("n_outputs", [0, 2])
@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("prior", DRAWN)
def test_every_prior_becomes_an_rnn_of_every_cell(prior: str, cell: str, n_outputs: int, tmp_path: Path):
    for structure in structures(prior):
        wiring = draw(prior, structure, units=(4, n_outputs))
        out = tmp_path / structure / "rnn"
        written = write_rnn(out, wiring, cell, None, 7)
        assert sorted(content(out)) == ["card.md", "network.safetensors", "wiring.json"]
        assert sorted(path.name for path in out.parent.iterdir()) == ["rnn"]
        network = load_network(out / "network.safetensors")
        kind = SequenceNetwork if n_outputs else SparseRNN
        expected = kind(wiring, cell, rng=stream(7, "weights", wiring.fingerprint))
        x = torch.randn(3, 5, 4)
        assert type(network) is kind
        with torch.no_grad():
            outputs = network(x) if n_outputs else network(x)[0]
            assert outputs.equal(expected(x) if n_outputs else expected(x)[0])
        assert outputs.shape == ((3, 2) if n_outputs else (3, 5, wiring.n_hidden))
        assert read_wiring(out / "wiring.json") == wiring
        assert written == {
            "out": str(out),
            "fingerprint": wiring.fingerprint,
            "nodes": wiring.n_hidden,
            "edges": wiring.hidden.n_edges,
            "n_dead": len(dead_neurons(wiring)),
            "n_parameters": n_parameters(expected)["total"],
            "network": "rnn",
            "cell": cell,
            "activation": None,
            "weights": None,
        }


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("prior", DRAWN)
def test_every_prior_becomes_an_mlp_of_every_activation(prior: str, activation: str, tmp_path: Path):
    wiring = draw(prior, "dag", attachment="controlled")
    written = write_mlp(tmp_path / "mlp", wiring, activation, 7)
    network = load_network(tmp_path / "mlp" / "network.safetensors")
    expected = SparseMLP(wiring, activation, rng=stream(7, "weights", wiring.fingerprint))
    x = torch.randn(3, 4)
    with torch.no_grad():
        assert network(x).equal(expected(x))
    assert (written["network"], written["cell"], written["activation"]) == ("mlp", None, activation)
    assert written["n_parameters"] == n_parameters(network)["total"]
    assert wiring.forward.all()


def test_equal_seeds_give_equal_files(tmp_path: Path):
    for name, seed, weights in (("first", 3, 3), ("again", 3, 3), ("other", 4, 4), ("weights", 3, 4)):
        write_rnn(tmp_path / name, draw("watts-strogatz", "recurrent", seed=seed), "gru", 0.9, weights)
    first, again, other, weights = (content(tmp_path / name) for name in ("first", "again", "other", "weights"))
    assert first == again
    assert first["wiring.json"] != other["wiring.json"]
    assert first["wiring.json"] == weights["wiring.json"]
    assert first["network.safetensors"] != weights["network.safetensors"]


@pytest.mark.parametrize("prior", ["watts-strogatz", "barabasi-albert", "erdos-renyi"])
def test_a_recurrent_wiring_is_the_graph_and_a_stack_is_layered(prior: str):
    recurrent, stacked, dag = (draw(prior, structure).hidden for structure in ("recurrent", "stack", "dag"))
    edges = set(map(tuple, recurrent.edges.tolist()))
    assert recurrent.n_layers == 1
    assert all((target, source) in edges for source, target in edges)
    assert 2 * dag.n_edges == recurrent.n_edges
    assert dag.forward.all()
    assert stacked.sizes == dag.sizes
    assert int(stacked.forward.sum()) == dag.n_edges
    assert int((~stacked.forward).sum()) == sum(size**2 for size in dag.sizes)


def test_the_draws_have_streams_of_their_own():
    """Another orientation changes the order alone, another attachment the read-in alone."""
    random, by_index = draw("watts-strogatz", "dag"), draw("watts-strogatz", "dag", orientation="index")
    assert random.hidden != by_index.hidden
    assert random.hidden.n_edges == by_index.hidden.n_edges
    assert draw("watts-strogatz", "dag", attachment="controlled").hidden == random.hidden
    assert draw("watts-strogatz", "dag", seed=1).hidden != random.hidden


def test_sizes_and_attachment_reach_the_wiring():
    assert draw("layered", "dag", density=None, edges=9).hidden.n_edges == 9
    assert draw("layered", "dag").hidden.sizes == (5, 4, 3)
    assert draw("watts-strogatz", "recurrent", attachment="projected").sizes == (4, 4, 12, 2)
    controlled = draw("watts-strogatz", "recurrent", attachment="controlled")
    assert controlled.n_edges - controlled.hidden.n_edges == 12 * 2 + 3 * 2
    assert draw("erdos-renyi", "recurrent", edges=None, p=1.0).hidden.n_edges == 12 * 11
    star = draw("barabasi-albert", "recurrent", initial="star").hidden.n_edges
    assert star == 2 * (2 + 2 * 9)


def test_the_spectral_radius_is_the_one_asked_for(tmp_path: Path):
    wiring = draw("watts-strogatz", "recurrent", units=(4, 0))
    write_rnn(tmp_path / "rnn", wiring, "tanh", 0.8, 0)
    network = load_network(tmp_path / "rnn" / "network.safetensors")
    (matrix,) = (part for block, part in zip(network.blocks, network.matrices(), strict=True) if block.recurrent)
    assert float(torch.linalg.eigvals(matrix.detach().double()).abs().max()) == pytest.approx(0.8, rel=1e-5)


def test_the_card_says_what_it_is_and_how_to_load_it(tmp_path: Path):
    calls = {}
    for n_outputs in (0, 2):
        wiring = draw("watts-strogatz", "recurrent", units=(4, n_outputs))
        out = tmp_path / str(n_outputs)
        written = write_rnn(out, wiring, "lstm", None, 0)
        text = (out / "card.md").read_text("utf-8")
        assert f"| n_parameters | {written['n_parameters']} |" in text
        assert f"| fingerprint | {wiring.fingerprint} |" in text
        assert "| cell | lstm |" in text
        assert str(tmp_path) not in text
        calls[n_outputs] = text.split("```python\n")[1].split("```", maxsplit=1)[0]
    for n_outputs, code in calls.items():
        names = {"inputs": torch.randn(2, 3, 4), "lengths": torch.tensor([1, 3])}
        exec(code.replace('"network.safetensors"', repr(str(tmp_path / str(n_outputs) / "network.safetensors"))), names)
        assert names["outputs"].shape == ((2, 2) if n_outputs else (2, 3, 12))


def test_an_empty_folder_is_filled(tmp_path: Path):
    out = tmp_path / "empty"
    out.mkdir()
    write_mlp(out, draw("watts-strogatz", "dag"), "relu", 0)
    assert len(content(out)) == 3
    assert [path.name for path in tmp_path.iterdir()] == ["empty"]


def test_parents_are_made(tmp_path: Path):
    out = tmp_path / "a" / "b" / "c"
    write_mlp(out, draw("watts-strogatz", "dag"), "relu", 0)
    assert len(content(out)) == 3


def test_what_is_there_is_never_touched(tmp_path: Path):
    folder, file = tmp_path / "folder", tmp_path / "file"
    folder.mkdir()
    (folder / "thesis.txt").write_text("years of work")
    file.write_text("more work")
    for out in (folder, file):
        with pytest.raises(InputError, match="there is something already; give a folder that is new or empty"):
            write_mlp(out, draw("watts-strogatz", "dag"), "relu", 0)
    assert content(folder) == {"thesis.txt": b"years of work"}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "folder"]


def test_a_folder_that_cannot_be_made_is_bad_input(tmp_path: Path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="give a folder that can be written") as caught:
        write_mlp(tmp_path / "file" / "mlp", draw("watts-strogatz", "dag"), "relu", 0)
    assert "\n" not in str(caught.value)


def test_a_folder_that_cannot_be_replaced_is_bad_input(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "target").mkdir()
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "target")
    with pytest.raises(InputError, match="give the name of a folder that is not there yet"):
        write_mlp(link, draw("watts-strogatz", "dag"), "relu", 0)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["link", "target"]


@pytest.mark.parametrize("culprit", ["write_wiring", "_card"])
def test_a_failure_in_the_middle_leaves_nothing(culprit: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def fails(*_: object) -> None:
        raise RuntimeError("power cut")

    monkeypatch.setattr(generation, culprit, fails)
    with pytest.raises(RuntimeError, match="power cut"):
        write_mlp(tmp_path / "mlp", draw("watts-strogatz", "dag"), "relu", 0)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("prior", "structure", "changes", "message"),
    [
        ("watts-strogat", "dag", {}, r"prior 'watts-strogat' is not known \(nearest: watts-strogatz\)"),
        (
            "watts-strogatz",
            "dags",
            {},
            "^structure=dags does not fit network=rnn with prior=watts-strogatz; valid: recurrent or stack$",
        ),
        ("watts-strogatz", "dag", {"k": None}, "^k is missing: watts-strogatz needs nodes, k, p$"),
        ("watts-strogatz", "dag", {"nodes": None}, "^nodes is missing: "),
        ("watts-strogatz", "dag", {"k": 3}, "^k=3: .*nearest valid is 4"),
        ("watts-strogatz", "dag", {"p": 1.5}, r"^p=1\.5: "),
        ("watts-strogatz", "dag", {"m": 2}, "^m=2: watts-strogatz does not take it; it takes k, nodes, p$"),
        ("watts-strogatz", "dag", {"m": 0}, "^m=0: watts-strogatz does not take it"),
        ("watts-strogatz", "dag", {"orientation": "up"}, "^order='up': "),
        ("watts-strogatz", "dag", {"attachment": "glue"}, "^attachment 'glue' is not known; known: "),
        ("watts-strogatz", "dag", {"units": (0, 2)}, "^n_inputs=0: "),
        ("watts-strogatz", "dag", {"units": (3, -1)}, "^n_outputs=-1: an MLP needs .*1 <= n_outputs$"),
        ("watts-strogatz", "dag", {"units": (3, 0)}, "^n_outputs=0: an MLP needs "),
        ("watts-strogatz", "stack", {"units": (3, -1)}, "^n_outputs=-1: "),
        ("watts-strogatz", "dag", {"seed": -1}, "^seed=-1: "),
        ("watts-strogatz", "dag", {"reads": 0, "attachment": "controlled"}, "^reads=0: "),
        ("watts-strogatz", "dag", {"width": 0, "attachment": "projected"}, "^width=0: "),
        ("barabasi-albert", "dag", {"m": None}, "^m is missing: barabasi-albert needs nodes, m$"),
        ("barabasi-albert", "dag", {"m": 12}, "^m=12: "),
        ("barabasi-albert", "dag", {"initial": "ring"}, "^initial='ring': "),
        ("erdos-renyi", "dag", {"p": 0.5}, "exactly one of p and edges"),
        ("erdos-renyi", "dag", {"edges": None}, "exactly one of p and edges"),
        ("erdos-renyi", "dag", {"edges": 99}, "^edges=99: "),
        ("erdos-renyi", "dag", {"nodes": 10**7}, "^nodes=10000000: .*memory.*; nearest valid is 44721$"),
        ("erdos-renyi", "dag", {"nodes": 44722}, "^nodes=44722: .*memory"),
        (
            "layered",
            "dag",
            {"nodes": 5},
            "^nodes=5: layered does not take it; it takes allocation, beta, density, edges, pattern, sizes$",
        ),
        ("layered", "dag", {"sizes": None}, "^sizes is missing: layered needs sizes$"),
        ("layered", "dag", {"sizes": "5,x"}, "^sizes='5,x': neurons per layer are written like 32,32$"),
        ("layered", "dag", {"sizes": "5,,3"}, "^sizes='5,,3': "),
        ("layered", "dag", {"sizes": "5"}, "at least two layers"),
        ("layered", "dag", {"density": 0.0}, r"^density=0\.0: "),
        ("layered", "recurrent", {}, "^structure=recurrent does not fit .*valid: stack$"),
    ],
)
def test_bad_parameters_are_refused_in_one_line(prior: str, structure: str, changes: dict[str, Any], message: str):
    with pytest.raises(InputError, match=message) as caught:
        draw(prior, structure, **changes)
    assert "\n" not in str(caught.value)


def test_an_rnn_has_recurrence_and_the_default_structure_follows():
    for prior, structure in (("watts-strogatz", "recurrent"), ("layered", "stack")):
        drawing = drawing_of({"prior": prior, "inputs": 4, **GIVEN[prior]})
        assert draw_wiring(drawing, "rnn", 2, "natural") == draw_wiring(drawing, "rnn", 2, "natural", structure)
        with pytest.raises(InputError, match=r"^structure=dag does not fit network=rnn .*; valid: .*stack$"):
            draw_wiring(drawing, "rnn", 2, "natural", "dag")


def test_what_needs_too_much_memory_is_bad_input(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def fails(*_: object, **__: object) -> None:
        raise MemoryError

    wiring = draw("watts-strogatz", "dag")
    monkeypatch.setattr(networks_module, "SparseMLP", fails)
    monkeypatch.setattr(WattsStrogatz, "sample", fails)
    for act in (lambda: draw("watts-strogatz", "dag"), lambda: write_mlp(tmp_path / "mlp", wiring, "relu", 0)):
        with pytest.raises(InputError, match="needs more memory than there is; give fewer neurons or edges"):
            act()


def test_bad_networks_are_refused_in_one_line(tmp_path: Path):
    cyclic, dag = draw("watts-strogatz", "recurrent"), draw("watts-strogatz", "dag")
    headless = attach(Layered((5, 4), 1.0).sample(0), 4, 0)
    out = tmp_path / "out"
    for write, message in (
        (lambda: write_rnn(out, cyclic, "grus", None, 0), r"^cell 'grus' is not known \(nearest: gru\)"),
        (lambda: write_rnn(out, cyclic, "gru", -1.0, 0), r"^spectral_radius=-1\.0: "),
        (lambda: write_rnn(out, cyclic, "gru", float("nan"), 0), "^spectral_radius=nan: "),
        (lambda: write_rnn(out, cyclic, "gru", None, -1), "^seed=-1: "),
        (lambda: write_mlp(out, dag, "rely", 0), r"^activation 'rely' is not known \(nearest: relu\)"),
        (lambda: write_mlp(out, dag, "relu", -1), "^seed=-1: "),
        (lambda: write_mlp(out, cyclic, "relu", 0), "is recurrent: SparseMLP needs forward edges only"),
        (lambda: write_mlp(out, headless, "relu", 0), "SparseMLP needs both"),
    ):
        with pytest.raises(InputError, match=message) as caught:
            write()
        assert "\n" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_self_edges_of_a_graph_are_dropped_and_said(tmp_path: Path):
    (tmp_path / "loop.edges").write_text("a b\nb c\nb b\n", encoding="utf-8")
    drawing = drawing_of({"graph": tmp_path / "loop.edges", "directed": False, "inputs": 3})
    with pytest.warns(GraphFileWarning) as said:
        wiring = draw_wiring(drawing, "mlp", 2, "natural")
    assert wiring.hidden.n_edges == 2
    assert "its self edges are dropped: an MLP cannot have them" in str(said[0].message)
    with pytest.warns(GraphFileWarning):
        assert draw_wiring(drawing, "rnn", 0, "natural", "stack").hidden.is_acyclic is False
    assert draw_wiring(drawing, "rnn", 0, "natural").hidden.n_edges == 5
