"""`wirenas compare`: what is trained, where it may be interrupted, what a plan promises, and what is refused."""

import csv
import json
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from command_line import refused, wirenas

from nas import Campaign
from nas.comparison.comparison import Comparison, Found
from nas.comparison.options import ComparisonOptions
from nas.comparison.report import to_json
from nas.comparison.start import open_comparison
from nas.errors import InputError
from nas.networks import SparseMLP, save_network
from nas.reservoirs import Reservoir
from nas.tasks import Task, digits
from nas.training.recipe import Recipe
from priors import (
    ErdosRenyi,
    Layered,
    NullModel,
    WattsStrogatz,
    Wiring,
    attach,
    layer,
    orient,
    plain_null,
    write_wiring,
)

TINY = "--nulls 4 --seeds 2 --repeats 2 --epochs 1 --learning-rate 0.01 --threads 1"


@pytest.fixture(scope="module")
def small() -> Task:
    """Return digits that are odd or not, of few examples."""
    task = digits()
    some = task.train[:200]
    return Task.from_arrays("parity", task.inputs[some].numpy(), (task.targets[some] % 2).long().numpy())


def compared(out: Path, task: Task | None, wirings: Mapping[str, Wiring], threads: int = 1, **given: Any) -> Comparison:
    name = "memory" if task is None else task.name
    recipe = Recipe(epochs=1, learning_rates=(0.01, 0.1))
    options = {"n_nulls": 4, "seeds": 2, "repeats": 2, **given}
    return Comparison(out, task, ComparisonOptions(task=name, recipe=recipe, **options), wirings, threads)


def plain(found: Found) -> dict[str, Any]:
    return {name: value for name, value in to_json(found).items() if name not in ("out", "seconds")}


def test_every_training_is_a_function_of_the_plan(tmp_path: Path, small: Task):
    graphs = {"ws": WattsStrogatz(10, 4, 0.2).sample(0), "er": ErdosRenyi(10, edges=20).sample(0)}
    one = compared(tmp_path / "one", small, graphs).run()
    other = compared(tmp_path / "other", small, graphs, threads=2).run()
    assert plain(one) == plain(other)
    assert [(own.graph, own.null, len(own.own), len(own.nulls)) for own in one.pairs] == [
        ("ws", "degree", 4, 4),
        ("er", "degree", 4, 4),
    ]
    assert len({values for own in one.pairs for values in own.nulls}) > 4


def test_networks_are_those_that_are_promised(tmp_path: Path, small: Task, monkeypatch: pytest.MonkeyPatch):
    graph = WattsStrogatz(10, 4, 0.2).sample(0)
    trained: list[tuple[Wiring, int, float]] = []

    class Told:
        def __init__(self, value: float) -> None:
            self.history = type("History", (), {"value": value})
            self.value = value

        def test(self) -> float:
            return -self.value

    def train(self: Any, wiring: Wiring, replicate: int, rate: float) -> Told:
        trained.append((wiring, replicate, rate))
        return Told(replicate + rate)

    monkeypatch.setattr("nas.comparison.comparison.Trainer.train", train)
    found = compared(tmp_path, small, {"ws": graph}, n_nulls=3).run()
    # The best rate on validation counts, by its test.
    assert found.pairs[0].own == pytest.approx([-0.1, -1.1, -2.1, -3.1])
    assert found.pairs[0].nulls == tuple(pytest.approx((-0.1 - 2 * i, -1.1 - 2 * i)) for i in range(3))
    # In each training a graph and its nulls have the same directions and the same inputs.
    reads: dict[int, set[bytes]] = {}
    for wiring, replicate, _ in trained:
        source, target = wiring.edges.T
        assert (wiring.n_inputs, wiring.n_outputs, wiring.hidden.n_edges) == (small.n_inputs, 2, 20)
        assert wiring.is_acyclic
        of_inputs = source < wiring.n_inputs
        assert (np.bincount(target[of_inputs])[wiring.n_inputs : wiring.n_inputs + 10] == 10).all()
        reads.setdefault(replicate, set()).add(wiring.edges[of_inputs].tobytes())
    assert set(reads) == {0, 1, 2, 3, 4, 5}


def test_an_interrupted_comparison_ends_as_if_it_had_not_been(tmp_path: Path, small: Task):
    graphs = {"ws": WattsStrogatz(10, 4, 0.2).sample(0)}
    calm = compared(tmp_path / "calm", small, graphs, n_nulls=80).run()
    stopped = compared(tmp_path / "stopped", small, graphs, n_nulls=80)

    def stop(part: str, done: int, total: int) -> None:
        if done:
            stopped.stop.set()

    stopped.watch = stop
    with pytest.raises(KeyboardInterrupt):
        stopped.run()
    lines = (tmp_path / "stopped" / "runs.jsonl").read_text(encoding="utf-8").splitlines()
    assert 0 < len(lines) < 82
    # A killed process may leave half a line.
    with (tmp_path / "stopped" / "runs.jsonl").open("a", encoding="utf-8") as file:
        file.write('{"key": {"gra')
    assert plain(compared(tmp_path / "stopped", small, graphs, n_nulls=80).run()) == plain(calm)


def test_what_is_changed_after_the_plan_is_told(tmp_path: Path, small: Task):
    graphs = {"ws": WattsStrogatz(10, 4, 0.2).sample(0)}
    first = compared(tmp_path, small, graphs)
    assert first.register()
    plan = tomllib.loads((tmp_path / "plan.toml").read_text(encoding="utf-8"))
    assert (plan["n_nulls"], plan["seeds"], plan["task"]) == (4, 2, "parity")
    assert plan["graphs"] == {"ws": graphs["ws"].fingerprint}
    assert not (tmp_path / "runs.jsonl").exists()
    assert not compared(tmp_path, small, graphs).register()
    assert compared(tmp_path, small, graphs).run().changes == ()
    before = (tmp_path / "plan.toml").read_bytes()
    longer = compared(tmp_path, small, graphs, n_nulls=6).run()
    assert longer.changes == ({"name": "n_nulls", "before": 4, "after": 6, "trainings": 6},)
    assert longer.pairs[0].judgement.n_nulls == 6
    # It is told once, and for good.
    assert compared(tmp_path, small, graphs, n_nulls=6).run().changes == longer.changes
    assert len(compared(tmp_path, small, graphs).run().changes) == 2
    assert (tmp_path / "plan.toml").read_bytes() == before


def test_a_plan_that_was_edited_is_refused(tmp_path: Path, small: Task):
    graphs = {"ws": WattsStrogatz(10, 4, 0.2).sample(0)}
    compared(tmp_path, small, graphs).register()
    plan = tmp_path / "plan.toml"
    plan.write_text(plan.read_text(encoding="utf-8").replace("n_nulls = 4", "n_nulls = 5"), encoding="utf-8")
    with pytest.raises(InputError, match=r"plan\.toml: it was changed after it was registered"):
        compared(tmp_path, small, graphs).run()


@pytest.mark.parametrize(
    ("file", "content", "line"),
    [
        ("runs.jsonl", "{}\n", "runs.jsonl: line 1 is damaged; remove it, and its run is done again"),
        ("runs.jsonl", "[1]\n", "runs.jsonl: line 1 is damaged"),
        ("setting.json", "{bad", "setting.json: cannot be read: "),
        ("plan.toml", "{bad", "plan.toml: not a TOML file: "),
        ("changes.jsonl", "{}\n", "changes.jsonl: line 1 is damaged"),
        ("plan.toml", None, "plan.toml: it is missing; restore it, or begin in another folder"),
        ("setting.json", None, "setting.json: it is missing; restore it, or begin in another folder"),
    ],
)
def test_damaged_files_are_one_line(tmp_path: Path, small: Task, file: str, content: str | None, line: str):
    graphs = {"ws": WattsStrogatz(10, 4, 0.2).sample(0)}
    found = compared(tmp_path, small, graphs).run()
    (tmp_path / "outcome.json").write_text(json.dumps(to_json(found)), encoding="utf-8")
    if content is None:
        (tmp_path / file).unlink()
    else:
        (tmp_path / file).write_text(content, encoding="utf-8")
    with pytest.raises(InputError) as caught:
        compared(tmp_path, small, graphs).run()
    assert str(caught.value).startswith(f"{tmp_path / line}")


def test_a_training_of_another_number_of_seeds_is_refused(tmp_path: Path, small: Task):
    graphs = {"ws": WattsStrogatz(10, 4, 0.2).sample(0)}
    compared(tmp_path, small, graphs).run()
    file = tmp_path / "runs.jsonl"
    first, *rest = file.read_text(encoding="utf-8").splitlines()
    row = json.loads(first)
    row["row"]["values"] = row["row"]["values"][:1]
    file.write_text("\n".join([json.dumps(row), *rest, ""]), encoding="utf-8")
    with pytest.raises(InputError, match=r"runs\.jsonl: null None, number 0 is damaged; remove its line"):
        compared(tmp_path, small, graphs).run()


def test_what_is_trained_is_what_the_plan_says(tmp_path: Path, small: Task):
    """A process that was killed after it wrote the plan leaves no setting."""
    graphs = {"ws": WattsStrogatz(10, 4, 0.2).sample(0)}
    compared(tmp_path, small, graphs).register()
    (tmp_path / "setting.json").unlink()
    with pytest.raises(InputError, match=r"reads=3: the plan in .* says 10"):
        compared(tmp_path, small, graphs, reads=3).run()


def test_a_null_by_its_name_is_no_change(tmp_path: Path, small: Task):
    graphs = {"ws": WattsStrogatz(10, 4, 0.2).sample(0)}
    compared(tmp_path, small, graphs).register()
    assert compared(tmp_path, small, graphs, nulls=("degree",)).run().changes == ()
    assert tomllib.loads((tmp_path / "plan.toml").read_text(encoding="utf-8"))["nulls"] == ["degree"]


def test_another_comparison_in_the_same_folder_is_refused(tmp_path: Path, small: Task):
    graphs = {"ws": WattsStrogatz(10, 4, 0.2).sample(0)}
    compared(tmp_path, small, graphs).run()
    for others, given, name in (
        ({"ws": WattsStrogatz(10, 4, 0.2).sample(1)}, {}, "graphs"),
        (graphs, {"seed": 1}, "seed"),
        (graphs, {"reads": 3}, "reads"),
        (graphs, {"seeds": 1}, "seeds"),
    ):
        with pytest.raises(InputError, match=f"{name}=.*the comparison in .* was started with"):
            compared(tmp_path, small, others, **given).run()


def test_training_ends_when_the_intervals_are_narrow(tmp_path: Path, small: Task):
    graphs = {"ws": WattsStrogatz(10, 4, 0.2).sample(0)}
    early = compared(tmp_path / "early", small, graphs, n_nulls=100, precision=0.5).run()
    assert early.is_precise
    # Of fewer than 39 none could stand out.
    assert early.pairs[0].judgement.n_nulls == 40
    never = compared(tmp_path / "never", small, graphs, n_nulls=12, precision=1e-9).run()
    assert not never.is_precise
    assert never.pairs[0].judgement.n_nulls == 12
    # What is trained in rounds is what is trained at once.
    assert never.pairs[0].nulls == compared(tmp_path / "all", small, graphs, n_nulls=12).run().pairs[0].nulls


def test_wirings_with_units_keep_their_own(tmp_path: Path, small: Task):
    wiring = Layered((64, 8, 2), density=0.2, inputs=True, outputs=True).sample(0)
    found = compared(tmp_path, small, {"net": wiring}, nulls=("layers",)).run()
    assert found.pairs[0].keeps[-1] == "layers"


@pytest.mark.parametrize(
    ("graph", "given", "line"),
    [
        (ErdosRenyi(8, edges=12).sample(0), {"nulls": ("order",)}, "null=order: er: an undirected graph has no order"),
        (
            layer(orient(ErdosRenyi(8, edges=12).sample(0), "index")),
            {"nulls": ("degree",)},
            "null=degree: nulls of er would have cycles, and an MLP has none; use order or layers",
        ),
        (Wiring((3,), [(0, 1), (1, 2), (2, 0)]), {}, "er: it has directed cycles, and an MLP has none"),
        (Wiring((3,), []), {}, "er: it has no edges to compare"),
        (Wiring((3,), [(0, 0), (1, 1)]), {}, "er: it has no edges to compare"),
        (
            Layered((64, 4, 2), density=0.5, inputs=True, outputs=True).sample(0),
            {"nulls": ("boundary",)},
            "null=boundary: 3 nulls of er are er itself, so that there is nothing to compare it with",
        ),
        (
            Wiring((5,), np.argwhere(~np.eye(5, dtype=bool))),
            {"nulls": ("degree",)},
            "null=degree: 3 nulls of er are er itself",
        ),
        (ErdosRenyi(8, edges=12).sample(0), {"nulls": ("weights",)}, "null=weights: networks that are trained begin"),
        (ErdosRenyi(8, edges=12).sample(0), {"network": "rnn"}, "network=rnn: task parity needs network=mlp"),
        (attach(Wiring((3,), [(0, 1)]), 5, 2), {}, "er: it has 5 input and 2 output units, and the task has 64 and 2"),
        (ErdosRenyi(8, edges=12).sample(0), {"attachment": "x"}, "attachment 'x' is not known"),
        (ErdosRenyi(8, edges=12).sample(0), {"nulls": ("spatial",)}, "null=spatial: it keeps how long edges are; give"),
        (ErdosRenyi(8, edges=12).sample(0), {"seeds": 1, "repeats": 1}, "repeats=1: with seeds=1 the graph is trained"),
    ],
)
def test_what_does_not_fit_is_one_line(tmp_path: Path, small: Task, graph: Wiring, given: Any, line: str):
    with pytest.raises(InputError) as caught:
        compared(tmp_path / "out", small, {"er": graph}, **given)
    assert str(caught.value).startswith(line)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "out").exists()


def test_the_same_wiring_twice_is_refused(tmp_path: Path, small: Task):
    graph = ErdosRenyi(8, edges=12).sample(0)
    with pytest.raises(InputError, match="b: the same wiring is given twice"):
        compared(tmp_path, small, {"a": graph, "b": graph})


def test_the_null_that_is_taken_without_a_word():
    graph = ErdosRenyi(8, edges=12).sample(0)
    assert plain_null(graph).kind == "degree"
    assert plain_null(orient(graph, "index")).kind == "order"
    assert plain_null(layer(orient(graph, "index"))).kind == "layers"


# The command


@pytest.mark.usefixtures("drawn_figures")
def test_the_command_says_what_it_found(tmp_path: Path):
    write_wiring(WattsStrogatz(12, 4, 0.2).sample(0), tmp_path / "ws.graphml")
    out = tmp_path / "out"
    command = ["compare", tmp_path / "ws.graphml", *TINY.split(), "--null", "degree,counts", "--out", out]
    code, text, err = wirenas(*command, "--json")
    assert code == 0, err
    found = json.loads(text)
    assert [row["null"] for row in found["comparisons"]] == ["degree", "counts"]
    assert json.loads((out / "outcome.json").read_text(encoding="utf-8")) == found
    with (out / "nulls.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    drawn = [float(row["value"]) for row in rows if row["null"] == "degree"]
    assert np.mean(drawn) == pytest.approx(found["comparisons"][0]["null_mean"])
    assert (out / "nulls.png").stat().st_size > 5_000
    page = (out / "comparison.md").read_text(encoding="utf-8")
    assert found["comparisons"][0]["sentence"] in page
    assert "Nothing was changed since the plan was registered." in page
    # At once, since everything is stored.
    code, text, err = wirenas(*command)
    assert code == 0, err
    words = " ".join(text.split())
    assert "ws.graphml is" in words
    assert "of 4 random wirings with its degrees" in words
    assert "corrected for 2 comparisons" in words


def test_graphs_of_one_name_are_called_by_where_they_lie(tmp_path: Path):
    for folder, seed in (("one", 0), ("other", 1)):
        (tmp_path / folder).mkdir()
        write_wiring(WattsStrogatz(12, 4, 0.2).sample(seed), tmp_path / folder / "ws.graphml")
    files = [tmp_path / folder / "ws.graphml" for folder in ("one", "other")]
    out = tmp_path / "out"
    code, text, err = wirenas("compare", *files, *TINY.split(), "--out", out, "--json")
    assert code == 0, err
    assert [row["graph"] for row in json.loads(text)["comparisons"]] == [str(file) for file in files]
    # In whatever order.
    assert wirenas("compare", *files[::-1], *TINY.split(), "--out", out)[0] == 0
    told = refused("compare", files[0], files[0], *TINY.split(), "--out", tmp_path / "twice")
    assert "the same wiring is given twice; leave one of them out" in told


def test_flags_that_a_wiring_with_units_ignores_are_refused(tmp_path: Path):
    wiring = Layered((64, 8, 10), density=0.2, inputs=True, outputs=True).sample(0)
    write_wiring(wiring, tmp_path / "net.json")
    for flag in ("--attachment natural", "--reads 3", "--readouts 3", "--orientation index"):
        told = refused("compare", tmp_path / "net.json", *flag.split(), "--out", tmp_path / "out")
        assert told.startswith(f"wirenas: {flag}: what is compared has input and output units already")


def test_a_folder_that_is_refused_is_left_as_it_is(tmp_path: Path):
    write_wiring(WattsStrogatz(12, 4, 0.2).sample(0), tmp_path / "ws.graphml")
    out = tmp_path / "out"
    out.mkdir()
    (out / "x").write_text("mine", encoding="utf-8")
    assert "the folder holds other files" in refused("compare", tmp_path / "ws.graphml", *TINY.split(), "--out", out)
    assert [path.name for path in out.iterdir()] == ["x"]


def test_a_plan_may_be_registered_first(tmp_path: Path):
    write_wiring(WattsStrogatz(12, 4, 0.2).sample(0), tmp_path / "ws.graphml")
    command = ["compare", tmp_path / "ws.graphml", *TINY.split(), "--out", tmp_path / "out", "--register"]
    assert wirenas(*command)[1].endswith("plan.toml: the plan is registered\n")
    assert wirenas(*command)[1].endswith("plan.toml: the plan is registered already\n")
    assert sorted(path.name for path in (tmp_path / "out").iterdir() if not path.name.startswith(".")) == [
        "plan.toml",
        "setting.json",
    ]


def test_a_saved_network_brings_its_activation(tmp_path: Path):
    wiring = Layered((64, 8, 10), density=0.2, inputs=True, outputs=True).sample(0)
    save_network(SparseMLP(wiring, "gelu", rng=0), tmp_path / "net.safetensors")
    out = tmp_path / "out"
    assert wirenas("compare", tmp_path / "net.safetensors", *TINY.split(), "--out", out)[0] == 0
    assert tomllib.loads((out / "plan.toml").read_text(encoding="utf-8"))["activation"] == "gelu"


@pytest.mark.parametrize("cell", ["gru"])
def test_recurrent_networks_are_compared(tmp_path: Path, cell: str):
    write_wiring(ErdosRenyi(8, edges=12).sample(0), tmp_path / "er.json")
    command = ["compare", tmp_path / "er.json", "--task", "reber", *TINY.split(), "--cell", cell]
    code, text, err = wirenas(*command, "--nulls", "2", "--seeds", "1", "--out", tmp_path / "out", "--json")
    assert code == 2
    assert "--nulls is given 2 times" in err
    few = "--nulls 2 --seeds 1 --repeats 2 --epochs 1 --learning-rate 0.01 --batch-size 512"
    code, text, err = wirenas(
        "compare", tmp_path / "er.json", "--task", "reber", *few.split(), "--cell", cell, "--out", tmp_path / "o",
        "--json",
    )  # fmt: skip
    assert code == 0, err
    assert json.loads(text)["network"] == "rnn"


@pytest.mark.parametrize(
    ("more", "network", "metric"),
    [
        ((), "reservoir", "normalised error"),
        (("--network", "rnn", "--epochs", "1"), "rnn", "mean-squared-error"),
        (("--epochs", "1"), "rnn", "mean-squared-error"),
    ],
)
def test_a_chaotic_series_is_foreseen_by_reservoirs_or_by_trained_networks(
    more: tuple[str, ...], network: str, metric: str, tmp_path: Path
):
    write_wiring(ErdosRenyi(8, edges=12).sample(0), tmp_path / "er.json")
    options = ["--task", "mackey-glass", "--nulls", "2", "--seeds", "1", "--repeats", "2", "--threads", "1", "--json"]
    code, text, err = wirenas("compare", tmp_path / "er.json", *options, *more, "--out", tmp_path / "out")
    assert code == 0, err
    assert json.loads(text)["metric"] == metric
    assert json.loads(text)["network"] == network


def test_a_comparison_of_the_series_from_before_is_not_mixed_with_today(tmp_path: Path):
    write_wiring(ErdosRenyi(8, edges=12).sample(0), tmp_path / "er.json")
    options: dict[str, Any] = {"given": {"n_nulls": 2, "seeds": 1, "repeats": 2}, "recipe": {}, "threads": 1}
    for task, goes_on in (("mackey-glass", False), ("lorenz", True)):
        out = tmp_path / task
        assert open_comparison([tmp_path / "er.json"], task, **options, out=out).register()
        plan = (out / "plan.toml").read_text(encoding="utf-8")
        earlier = "".join(line for line in plan.splitlines(keepends=True) if not line.startswith("data = "))
        assert earlier != plan
        (out / "plan.toml").write_text(earlier, encoding="utf-8")
        (out / "setting.json").unlink(missing_ok=True)
        again = open_comparison([tmp_path / "er.json"], task, **options, out=out)
        if goes_on:
            assert again.run()
        else:
            with pytest.raises(InputError, match="its examples, their split or the metric are not those"):
                again.run()


def test_a_chaotic_series_is_foreseen_as_the_networks_of_a_folder_were_trained(tmp_path: Path):
    given = {"task": "mackey-glass", "network": "rnn", "space": {"nodes": 12, "degree": 3.0}, "trials": 2, "threads": 1}
    ridge = {"optimizer": "ridge", "radii": (0.9,), "leak": 0.5, "input_scale": 0.3}
    for cell, recipe in (("gru", {"epochs": 1}), ("tanh", ridge)):
        out = tmp_path / cell
        Campaign(out, **given, cell=cell, recipe=recipe, finalists=1, final_seeds=2).run()
        options = {"task": "mackey-glass", "given": {"n_nulls": 2, "seeds": 2}, "recipe": {}}
        comparison = open_comparison([out], **options, out=tmp_path / f"{cell}-compared")
        assert comparison.options.network == ("rnn" if cell == "gru" else "reservoir")
        if cell == "tanh":
            assert comparison.options.reservoir == Reservoir((0.9,), leak=0.5, input_scale=0.3)


def test_nulls_of_recurrent_networks_lead_from_no_input_to_an_output(tmp_path: Path):
    wiring = attach(ErdosRenyi(8, edges=12).sample(0), 1, 1, "natural", 0)
    write_wiring(wiring, tmp_path / "er.json")
    told = refused("compare", tmp_path / "er.json", "--task", "memory", "--null", "degree", "--out", tmp_path / "out")
    assert told.startswith("wirenas: --null degree: nulls of er.json would have edges from inputs to outputs, which")


def test_reservoirs_are_compared_by_what_they_remember(tmp_path: Path):
    # A ring holds what it heard; of random graphs with its degrees hardly any is one ring.
    rng = np.random.default_rng(0)
    ring = Wiring((24,), [(i, (i + 1) % 24) for i in range(24)], weights=np.ones(24, np.float32), directed=True)
    order = rng.permutation(24)
    write_wiring(Wiring((24,), order[ring.edges], weights=ring.weights, directed=True), tmp_path / "ring.json")
    options = "--task memory --nulls 20 --seeds 1 --repeats 6 --radius 0.9 --input-scale 0.1 --readouts 24 --threads 1"
    code, text, err = wirenas("compare", tmp_path / "ring.json", *options.split(), "--out", tmp_path / "out", "--json")
    assert code == 0, err
    (found,) = json.loads(text)["comparisons"]
    assert found["null"] == "degree"
    assert json.loads(text)["metric"] == "memory capacity"
    assert "points" not in found["sentence"]
    # No reservoir remembers more steps than it has neurons.
    assert 1 < found["mean"] < 24.5
    assert 1 < found["null_mean"] < 24.5
    assert found["nulls"] == 20
    assert found["trainings"] == 6


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        ("--task memory --network mlp", "--task memory: it is for reservoirs; give --network reservoir"),
        ("--task memory --epochs 3", "--epochs 3: reservoirs are not trained; leave it out"),
        ("--task digits --radius 0.9", "--radius 0.9: --network mlp ignores it; it is for --network reservoir"),
        ("--task digits --cell gru", "--cell gru: --network mlp ignores it; it is for --network rnn"),
        ("--task digits --delays 3", "--delays 3: task digits ignores it; it is for memory"),
        ("--attachment natural --reads 3", "--reads 3: it is for --attachment controlled; leave it out"),
        ("--null x", "null 'x' is not known"),
        ("--network x --radius 1", "network 'x' is not known; known: mlp, rnn, reservoir"),
        ("--precision 0", "--precision 0"),
        ("--task none", "task 'none' is not known"),
        ("--learning-rate a", "--learning-rate a: "),
        ("--task memory --leak 2", "--leak 2"),
        ("--radius ,", "--radius '': it is empty; give at least one, or leave it out"),
        ("--null ,", "--null ',': it is empty"),
        ("--nulls 99999999999", "--nulls 99999999999"),
        ("--task memory --input-scale 1e308", "--input-scale 1e+308"),
        ("--task memory --data x", "--data x: task memory reads no files; leave it out"),
        ("--null boundary", "--null boundary: ws.graphml: an undirected graph has no order, layers, boundary"),
    ],
)
def test_the_command_refuses_what_it_cannot_heed(tmp_path: Path, arguments: str, line: str):
    write_wiring(WattsStrogatz(12, 4, 0.2).sample(0), tmp_path / "ws.graphml")
    out = tmp_path / "out"
    told = refused("compare", tmp_path / "ws.graphml", *arguments.split(), "--out", out)
    assert told.startswith(f"wirenas: {line}"), told
    assert not out.exists()


def test_nulls_are_drawn_from_the_model_that_is_named(tmp_path: Path, small: Task):
    graph = ErdosRenyi(12, edges=30).sample(0)
    drawn = []
    sample = NullModel.draw

    def draw(self: NullModel, rng: Any) -> Any:
        found = sample(self, rng)
        drawn.append((self.kind, found[0]))
        return found

    opened = compared(tmp_path, small, {"er": graph}, nulls=("counts", "degree"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(NullModel, "draw", draw)
        opened.run()
    assert [kind for kind, _ in drawn] == ["counts", "degree"] * 4
    assert len({wiring.fingerprint for _, wiring in drawn}) == 8
    assert all(np.array_equal(wiring.in_degree, graph.in_degree) for kind, wiring in drawn if kind == "degree")
