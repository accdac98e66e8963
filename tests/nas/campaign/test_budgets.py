"""Campaigns with a budget: the same on any number of threads and after any interruption, and what they refuse."""

import csv
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
from command_line import refused, wirenas

from nas.campaign.campaign import Campaign
from nas.errors import InputError
from nas.evaluation.trainer import TrainedEvaluation, Trainer
from nas.networks import load_network
from nas.networks.wired import WiredModule
from nas.options.options import OPTIONS_FILE, read_options
from nas.samplers.proposer import Candidate
from nas.store.study import load
from nas.tasks import load_task
from nas.training.train import evaluate

pytestmark = pytest.mark.usefixtures("no_plot")

OF_TIME = {"seconds", "choosing", "storing", "versions", "expected_seconds"}
GIVEN: dict[str, Any] = {
    "task": "digits",
    "budget": "300",
    "trials": 9,
    "batch": 3,
    "finalists": 1,
    "final_seeds": 2,
    "final_epochs": 1,
    "ways": {"ways": ("prior", "pruned", "rewired", "redrawn"), "pools": (1, 2), "oversize": (2.0, 3.0)},
    "recipe": {"epochs": 1, "batch_size": 128, "learning_rates": (0.01, 0.03)},
    "seed": 4,
    "threads": 1,
}
FEW = "--task digits --budget 300 --trials 2 --epochs 1 --batch-size 256 --finalists 1 --final-seeds 1 --final-epochs 1"


@pytest.fixture(scope="module", autouse=True)
def few_structures() -> Any:
    """Hardly a structure is drawn anew beside the winner, which would take most of the time."""
    from nas.evaluation import finals

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(finals, "REDRAWN", 2)
        yield


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A campaign that nothing disturbed."""
    out = tmp_path_factory.mktemp("whole") / "campaign"
    Campaign(out, **GIVEN).run()
    return out


def table(out: Path) -> list[dict[str, str]]:
    """All of trials.csv but for what a clock said."""
    with (out / "trials.csv").open(newline="", encoding="utf-8") as file:
        return [{name: value for name, value in row.items() if name not in OF_TIME} for row in csv.DictReader(file)]


def outcome(out: Path) -> Any:
    found = json.loads((out / "best" / "outcome.json").read_text(encoding="utf-8"))
    return {name: found[name] for name in ("best", "test", "references", "verdict") if name in found}


def test_ways_are_tried_and_keep_to_the_budget(whole: Path):
    records = list(load(whole))
    assert len({str(record.params["way"]) for record in records}) >= 3
    assert all(record.state == "complete" for record in records)
    assert all(record.n_parameters <= 300 for record in records), [record.n_parameters for record in records]
    assert sum(record.n_parameters >= 285 for record in records) >= 6
    found = outcome(whole)
    names = [row["name"] for row in found["references"]]
    assert {"dense with equal parameters", "linear", "only its degrees", "only its counts"} <= set(names)
    sizes = {row["name"]: row["n_parameters"] for row in found["references"]}
    assert all(size <= 300 for size in sizes.values()), sizes


@pytest.mark.parametrize(("bits", "task"), [(8, "digits"), (16, "delayed-parity")])
def test_a_budget_of_bytes_is_tested_and_kept_with_its_bits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, bits: int, task: str
):
    tested: list[Any] = []
    train = Trainer.train

    def told(trainer: Trainer, *args: Any, **options: Any) -> Any:
        training = train(trainer, *args, **options)
        tested.extend([training] * (trainer.precision < 32))
        return training

    monkeypatch.setattr(Trainer, "train", told)
    ways = {"ways": ("prior", "pruned"), "oversize": (2.0, 3.0), **({"pools": (1, 2)} if task == "digits" else {})}
    given = {**GIVEN, "trials": 4, "batch": 2, "ways": ways, "budget": "900B", "precision": bits, "task": task}
    if task != "digits":
        given |= {"network": "rnn", "cell": "tanh"}
    own = Campaign(tmp_path / "bytes", **given).run()
    assert own.budget == {"unit": "bytes", "amount": 900, "price": own.budget["price"], "precision": bits}
    assert own.budget["price"] <= 900
    assert all("unrounded" in row for row in (own.test, *own.references))
    assert f"bytes at {bits} bits a weight (rounded after training, as all beside it: " in own.verdict
    # All that was tested, references too, has weights of so many bits.
    assert len(tested) >= 2 * (1 + len(own.references))
    kept = load_network(tmp_path / "bytes" / "best" / "network.safetensors")
    for network in (kept, *(training.network for training in tested if not training.history.diverged)):
        modules = [module for module in network.modules() if isinstance(module, WiredModule)]
        for matrix in (matrix.detach().double() for module in modules for matrix in module.matrices()):
            if bits == 8 and matrix.numel():
                integers = matrix * 127 / max(float(matrix.abs().max()), 1e-30)
                assert torch.allclose(integers, integers.round(), atol=1e-3)
            assert bits == 8 or torch.equal(matrix, matrix.half().double())
    # What is kept is one of the two networks whose tests are told.
    data = load_task(task)
    metric = evaluate(kept, data, data.test).metric
    mean, std = own.test["mean"], own.test["std"]
    assert min(abs(metric - (mean + sign * std / 2**0.5)) for sign in (-1, 1)) < 1e-6


def test_that_there_is_no_predictor_is_said_with_its_reason(whole: Path):
    line = refused("predict", whole, whole / "best" / "wiring.json")
    assert f"{whole}: no predictor here: a campaign with a budget fits none" in line


@pytest.mark.parametrize("stored", [1, 4, 7])
def test_an_interrupted_campaign_goes_on_as_if_it_had_not_been(
    whole: Path, tmp_path: Path, stored: int, monkeypatch: pytest.MonkeyPatch
):
    genuine = TrainedEvaluation.__call__

    def interrupted(self: TrainedEvaluation, candidate: Candidate) -> Mapping[str, Any]:
        if candidate.number >= stored:
            raise KeyboardInterrupt
        return genuine(self, candidate)

    with monkeypatch.context() as patch:
        patch.setattr(TrainedEvaluation, "__call__", interrupted)
        with pytest.raises(KeyboardInterrupt):
            Campaign(tmp_path / "campaign", **GIVEN).run()
    assert 0 < len(table(tmp_path / "campaign")) <= stored
    Campaign(tmp_path / "campaign", **GIVEN).run()
    assert table(tmp_path / "campaign") == table(whole)
    assert outcome(tmp_path / "campaign") == outcome(whole)


def test_two_threads_find_the_same(whole: Path, tmp_path: Path):
    Campaign(tmp_path / "campaign", **{**GIVEN, "threads": 2}).run()
    assert table(tmp_path / "campaign") == table(whole)
    assert outcome(tmp_path / "campaign") == outcome(whole)


def test_a_campaign_is_extended_and_its_file_says_all(whole: Path, tmp_path: Path):
    Campaign(tmp_path / "campaign", **{**GIVEN, "trials": 6}).run()
    written = read_options(tmp_path / "campaign" / OPTIONS_FILE)
    Campaign(tmp_path / "campaign", **{**written, "trials": 9, "threads": 1}).run()
    assert table(tmp_path / "campaign") == table(whole)
    assert outcome(tmp_path / "campaign") == outcome(whole)
    text = (whole / OPTIONS_FILE).read_text(encoding="utf-8")
    assert 'budget = "300"' in text
    assert "[ways]" in text
    assert "[space]" not in text


@pytest.mark.parametrize(
    ("name", "changed"),
    [
        ("budget", {"budget": "301"}),
        ("precision", {"precision": 8}),
        ("ways.ways", {"ways": {**GIVEN["ways"], "ways": ("prior",)}}),
        ("ways.oversize", {"ways": {**GIVEN["ways"], "oversize": 3.0}}),
        ("final_epochs", {"final_epochs": 2}),
        ("sampler", {"sampler": "random"}),
        ("recipe.epochs", {"recipe": {**GIVEN["recipe"], "epochs": 2}}),
    ],
)
def test_another_option_is_refused_by_its_name(whole: Path, name: str, changed: dict[str, Any]):
    before = table(whole), (whole / OPTIONS_FILE).read_bytes()
    with pytest.raises(InputError, match=f"^{name}=.*only trials and timeout may change"):
        Campaign(whole, **{**GIVEN, **changed, "trials": 12}).run()
    assert (table(whole), (whole / OPTIONS_FILE).read_bytes()) == before


WITH = "with --budget 300 "


@pytest.mark.parametrize(
    ("flags", "line"),
    [
        ("--sampler structural", f"--sampler structural: {WITH}it knows random graphs alone; give tpe, nsga2 or "
         "random"),
        ("--sampler genetic", f"--sampler genetic: {WITH}it knows random graphs alone; give tpe, nsga2 or random"),
        ("--objective pareto --sampler nsga2", f"--objective pareto: {WITH}every network costs what the budget pays "
         "for; give value, or a campaign for each of several budgets"),
        ("--early-stopping median", f"--early-stopping median: {WITH}trainings are not compared before their end; leave"
         " it out"),
        ("--patience 2", f"--patience 2: {WITH}what is pruned is trained to its last epoch; leave it out"),
        ("--nodes 20", f"--nodes 20: {WITH}the ways to a structure are searched; leave it out, or give it without "
         "--budget"),
        ("--max-parameters 300", f"--max-parameters 300: {WITH}the ways to a structure are searched; leave it out, or "
         "give it without --budget"),
        ("--precision 8", "--precision 8: --budget 300 counts no bytes; leave it out, or give a budget such as "
         "12KiB"),
        ("--pool 9", "--pool 9: size=9: an image of 8 x 8 pixels has no such square"),
        ("--pool 0", "--pool 0: input should be greater than or equal to 1"),
        ("--ways grown", "--ways 'grown' is not known (nearest: redrawn); known: prior, pruned, rewired, redrawn"),
        ("--fan-in 9:3", "--fan-in 9:3: a range needs 1 <= low <= high <= 1000000"),
        ("--precision 7", "--precision 7: input should be 8, 16 or 32"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_one_line_and_nothing_is_written(tmp_path: Path, flags: str, line: str):
    code, text, err = wirenas("run", *FEW.split(), *flags.split(), "--out", tmp_path / "new")
    assert (code, text) == (2, "")
    assert err == f"wirenas: {line}\n"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("budget", "line"),
    [
        ("12apples", "--budget 12apples: it must be a number and a unit, such as 3000 (parameters), 12KiB or 50kMAC; "
         "units are k, parameters, B, kB, KiB, MB, MiB, MAC, kMAC, MMAC"),
        ("0", "--budget 0: it must be at least 1 and less than 2^53"),
        ("21", "--budget 21: a network with one hidden neuron and 10 outputs costs 22; give as much at least"),
        ("100B", "--budget 100B: a network with one hidden neuron and 10 outputs costs 132B; give as much at least"),
    ],
)  # fmt: skip
def test_a_budget_that_nothing_fits_is_one_line(tmp_path: Path, budget: str, line: str):
    code, text, err = wirenas("run", "--task", "digits", "--budget", budget, "--out", tmp_path / "new")
    assert (code, text, err) == (2, "", f"wirenas: {line}\n")
    assert list(tmp_path.iterdir()) == []


def test_an_own_evaluation_has_no_budget(tmp_path: Path):
    line = r"^budget=300: an own evaluation trains no network; give a task, or leave it out$"
    with pytest.raises(InputError, match=line):
        Campaign(tmp_path / "new", evaluate=lambda *_: 0.0, budget=300)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["ways", "fan-in", "locality", "precision"])
def test_options_of_ways_need_a_budget(tmp_path: Path, name: str):
    value = {"ways": "pruned", "fan-in": "3", "locality": "0.5", "precision": "8"}[name]
    code, _, err = wirenas("run", "--task", "digits", f"--{name}", value, "--out", tmp_path / "new")
    assert code == 2
    assert err.startswith(f"wirenas: --{name} {value}: without a budget random graphs are searched; leave it out")
    assert list(tmp_path.iterdir()) == []


def test_the_printed_file_begins_the_same_campaign(tmp_path: Path):
    given = [*FEW.split(), "--ways", "prior,rewired", "--pool", "2", "--locality", "0.2:0.4"]
    code, text, err = wirenas("run", *given, "--print-toml")
    assert (code, err) == (0, "")
    (tmp_path / "given.toml").write_text(text, encoding="utf-8")
    assert wirenas("run", tmp_path / "given.toml", "--print-toml")[1] == text
    read = read_options(tmp_path / "given.toml")
    assert (read["budget"], read["sampler"]) == ("300", "tpe")
    assert read["ways"]["locality"] == [0.2, 0.4]
    assert read["ways"]["pools"] == [2]
    assert "space" not in read
    assert "[ways]" not in wirenas("run", "--task", "digits", "--print-toml")[1]


def test_defaults_of_a_budget_are_those_that_it_began_with(tmp_path: Path):
    own = {**GIVEN, "trials": 2}
    before = {**own, "activation": "relu", "recipe": {**GIVEN["recipe"], "normalise": False, "weight_decay": 0.02}}
    began = Campaign(tmp_path / "before", **before).run()
    again = Campaign(tmp_path / "before", **own)
    assert (again.options.activation, again.options.recipe.normalise) == ("relu", False)
    assert again.run() == began
    recipe = Campaign(tmp_path / "today", **own).options.recipe
    assert (recipe.optimizer, recipe.weight_decay, recipe.normalise) == ("adamw", 0.1, True)
    with pytest.raises(InputError, match=r"^activation=\"gelu\": the campaign in .* was started with \"relu\""):
        Campaign(tmp_path / "before", **own, activation="gelu").run()


def test_an_rnn_of_a_budget_is_not_normalised(tmp_path: Path):
    options = Campaign(tmp_path / "rnn", task="reber", network="rnn", budget="600", ways={"ways": ("prior",)}).options
    assert (options.activation, options.recipe.normalise, options.recipe.weight_decay) == ("relu", False, 0.1)
