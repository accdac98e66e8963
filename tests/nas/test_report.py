"""What a campaign leaves behind: outcome, card, plot, and the folder best/."""

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from nas.networks import NetworkSpec, load_network
from nas.report import output
from nas.report.card import card, comparison
from nas.report.outcome import Outcome, best_record
from nas.report.output import write_output
from nas.report.plot import plot_progress
from nas.search.evaluation import Trainer
from nas.search.finals import Finals, run_finals
from nas.search.options import CampaignOptions
from nas.search.records import Record, Records, describe
from nas.search.space import Space
from nas.search.watcher import Watcher
from nas.tasks import Task
from nas.training import Recipe
from priors import GraphPool, WattsStrogatz, Wiring, attach, layer, orient, read_wiring

NAMES = ["linear", "dense with equal parameters", "dense with equal neurons", "random with equal edges"]


def wiring(kind: str, seed: int = 0) -> Wiring:
    graph = WattsStrogatz(6, 4, 0.5).sample(seed)
    if kind == "own":
        return layer(orient(graph, rng=seed))
    return attach(graph if kind == "rnn" else layer(orient(graph, rng=seed)), 4, 3, "natural")


def task_of(kind: str) -> Task:
    rng = np.random.default_rng(0)
    inputs = rng.normal(size=(60, 5, 4) if kind == "rnn" else (60, 4))
    targets = rng.normal(size=(60, 3)) if kind == "minimize" else rng.integers(3, size=60)
    return Task.from_arrays("tiny", inputs, targets, description="random numbers", plateaus={"dice": 0.3321})


class Found:
    """A campaign that is over: of an MLP, an RNN, a task to minimise, or an own evaluation."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        own = kind == "own"
        self.task = None if own else task_of(kind)
        self.options = CampaignOptions(
            task=None if own else "tiny",
            network="rnn" if kind == "rnn" else "mlp",
            cell="lstm",
            activation="tanh",
            trials=5,
            seed=11,
            direction="minimize" if kind == "minimize" else "maximize",
            recipe=Recipe(epochs=1, learning_rates=(0.01, 0.02), weight_decay=0.125),
        )
        values = [0.5, None, 0.75, 0.75, 0.25]
        self.records = Records(tuple(self.record(index, value) for index, value in enumerate(values)))
        self.finals = None if own else self.run_finals()

    def record(self, index: int, value: float | None) -> Record:
        return Record(
            number=index,
            state="failed" if value is None else "complete",
            value=value,
            params={"family": "watts-strogatz", "n": 6},
            engine="own" if self.kind == "own" else "torch",
            n_parameters=77,
            **describe(wiring(self.kind, index)),
        )

    def run_finals(self) -> Finals:
        assert self.task is not None
        spec = NetworkSpec(self.options.network, activation="tanh", cell="lstm")
        trainer = Trainer(self.task, spec, self.options.recipe, seed=11)
        candidates = [(index, wiring(self.kind, index)) for index in (2, 3)]
        with ThreadPoolExecutor(1) as executor:
            return run_finals(trainer, candidates, n_seeds=2, executor=executor, watcher=Watcher())

    def rebuild(self, record: Record) -> Wiring:
        return wiring(self.kind, record.number)

    def outcome(self, out: Path) -> Outcome:
        return Outcome.of(out, self.options, self.task, self.records, self.finals, over=True)

    def write(self, out: Path) -> Outcome:
        outcome = self.outcome(out)
        write_output(out, self.options, self.task, self.records, self.finals, outcome, self.rebuild)
        return outcome

    def card(self) -> str:
        return card(self.options, self.task, self.finals, self.outcome(Path("results/tiny")))


@pytest.fixture(scope="module")
def found() -> Callable[[str], Found]:
    return cache(Found)


KINDS = ["mlp", "rnn", "minimize", "own"]


# The outcome


@pytest.mark.parametrize("kind", KINDS)
def test_an_outcome_survives_json(found: Callable[[str], Found], kind: str):
    outcome = found(kind).outcome(Path("results/tiny"))
    text = json.dumps(outcome.to_json(), allow_nan=False)
    again = Outcome.from_json(json.loads(text))
    assert again.to_json() == outcome.to_json()
    assert again.references == outcome.references
    assert isinstance(again.references, tuple)


def test_an_outcome_says_what_was_found(found: Callable[[str], Found]):
    mlp = found("mlp")
    outcome = mlp.outcome(Path("results/tiny"))
    assert mlp.finals is not None
    assert (outcome.trials, outcome.complete, outcome.failed) == (5, 4, 1)
    assert (outcome.out, outcome.study) == ("results/tiny", str(Path("results/tiny/study.db")))
    assert (outcome.task, outcome.network, outcome.sampler, outcome.engine) == ("tiny", "mlp", "structural", "torch")
    assert (outcome.metric, outcome.direction, outcome.seconds) == (
        "accuracy",
        "maximize",
        sum(record.seconds for record in mlp.records),
    )
    assert outcome.test == mlp.finals.winner.summary()
    assert [reference["name"] for reference in outcome.references] == NAMES
    assert outcome.plateaus == {"dice": 0.3321}
    winner = mlp.records[mlp.finals.winner.trial or 0]
    assert outcome.best is not None
    assert (outcome.best["trial"], outcome.best["fingerprint"]) == (winner.number, winner.fingerprint)
    assert (outcome.best["value"], outcome.best["n_parameters"]) == (0.75, 77)


def test_after_the_finals_the_best_is_their_winner(found: Callable[[str], Found]):
    mlp = found("mlp")
    assert mlp.finals is not None
    last = replace(mlp.finals, winner=replace(mlp.finals.winner, trial=3))
    outcome = Outcome.of(Path("out"), mlp.options, mlp.task, mlp.records, last)
    assert outcome.best is not None
    assert outcome.best["trial"] == 3


def test_without_finals_the_best_is_the_first_of_the_best_value(found: Callable[[str], Found]):
    own = found("own")
    outcome = own.outcome(Path("out"))
    assert outcome.best is not None
    assert (outcome.best["trial"], outcome.metric, outcome.engine) == (2, "value", "own")
    assert (outcome.test, outcome.references, outcome.plateaus, outcome.verdict) == (None, (), None, "")
    assert best_record(own.records, "minimize") is own.records[4]
    assert best_record(Records(()), "maximize") is None
    assert Outcome.of(Path("out"), own.options, None, Records(own.records.rows[1:2])).best is None


# The card


def rows(text: str, title: str) -> list[list[str]]:
    """Cells of the first table of a section."""
    section = text.split(f"## {title}\n")[1].split("\n## ", maxsplit=1)[0]
    lines = [line for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if "---" not in line]


@pytest.mark.parametrize("kind", ["mlp", "rnn", "minimize"])
def test_a_card_holds_all_that_it_takes_to_judge_and_repeat(found: Callable[[str], Found], kind: str):
    each = found(kind)
    text, task, finals = each.card(), each.task, each.finals
    assert task is not None
    assert finals is not None
    assert text.startswith(f"# {finals.wiring.fingerprint[:12]}: trial {finals.winner.trial} of a campaign of 4 trials")
    assert f"{len(task.train)} train, {len(task.validation)} validation, {len(task.test)} test examples" in text
    assert task.fingerprint in text
    assert "random numbers" in text
    assert ["dice", "0.3321"] in rows(text, "Data")

    recipe = dict(rows(text, "Recipe"))
    assert recipe["network"] == ("rnn, lstm" if kind == "rnn" else "mlp, tanh")
    assert recipe["learning_rates"] == "[0.01, 0.02]"
    assert (recipe["epochs"], recipe["weight_decay"], recipe["seed"]) == ("1", "0.125", "11")

    results = rows(text, "Results")
    standings = [finals.winner, *finals.references]
    assert [row[0] for row in results[1:]] == ["found wiring", *NAMES]
    for row, standing in zip(results[1:], standings, strict=True):
        mean, deviation = np.mean(standing.test), np.std(standing.test, ddof=1)
        assert row[1] == f"{mean:.4f} ± {deviation:.4f}"
        assert row[2:] == [str(standing.n_parameters), f"{standing.learning_rate:g}"]
    assert "over 2 fresh seeds" in text
    assert each.outcome(Path("out")).verdict in text

    sizes = dict(rows(text, "Sizes"))
    assert int(sizes["total"]) == finals.winner.n_parameters
    assert int(sizes["total"]) == sum(int(sizes[part]) for part in ("read in", "wiring", "read out", "biases"))
    assert 'load_network("network.safetensors")' in text
    assert ("sequences' lengths" in text) == (kind == "rnn")
    assert "\n\n\n" not in text
    assert "None" not in text


def test_the_card_says_how_the_wiring_was_chosen_and_from_which_graph(found: Callable[[str], Found]):
    mlp = found("mlp")
    told = dict(rows(mlp.card(), "Wiring"))
    assert not {"chosen", "predicted before training", "name of the graph"} & set(told)
    outcome = mlp.outcome(Path("out"))
    best = {**(outcome.best or {}), "params": {"graph": 1}, "chosen": "redraw of trial 0"}
    best |= {"prediction": 0.75, "prediction_std": 0.125}
    pool = GraphPool([WattsStrogatz(6, 4, 0.5).sample(seed) for seed in (0, 1)], names=["a.graphml", "b.graphml"])
    options = mlp.options.model_copy(update={"space": Space(graphs=pool)})
    told = dict(rows(card(options, mlp.task, mlp.finals, replace(outcome, best=best)), "Wiring"))
    assert told["graph"] == "1"
    assert told["name of the graph"] == "b.graphml"
    assert told["chosen"] == "redraw of trial 0"
    assert told["predicted before training"] == "0.7500 ± 0.1250"


def test_the_card_gives_the_test_of_the_network_that_is_saved(found: Callable[[str], Found]):
    mlp = found("mlp")
    finals = mlp.finals
    assert finals is not None
    winner = replace(finals.winner, validation=(0.1, 0.4), test=(0.111, 0.222))
    trained = replace(finals.training.trained, history=replace(finals.training.history, value=0.4))
    training = replace(finals.training, trained=trained)
    text = card(mlp.options, mlp.task, replace(finals, winner=winner, training=training), mlp.outcome(Path("out")))
    assert "best on validation (0.4000); on its own it reaches 0.2220 on the test part." in text


def test_the_card_of_an_own_evaluation_has_a_value_and_a_wiring(found: Callable[[str], Found]):
    text = found("own").card()
    assert text.startswith(f"# {wiring('own', 2).fingerprint[:12]}: trial 2 of a campaign of 4 trials")
    assert "0.7500 (maximize), from the user's own evaluation." in text
    assert 'read_wiring("wiring.json")' in text
    assert ["family", "watts-strogatz"] in rows(text, "Wiring")
    assert "## Results" not in text


def test_the_comparison_begins_with_the_found_wiring(found: Callable[[str], Found]):
    assert comparison(found("own").outcome(Path("out"))) == []
    table = comparison(found("mlp").outcome(Path("out")))
    assert [row[0] for row in table] == ["found wiring", *NAMES]


# The plot


@pytest.mark.parametrize("kind", KINDS)
def test_the_plot_is_a_png_with_trials_best_and_references(
    found: Callable[[str], Found], kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    drawn: list[Axes] = []
    genuine = Figure.add_subplot

    def watched(figure: Figure, *arguments: Any, **options: Any) -> Axes:
        drawn.append(genuine(figure, *arguments, **options))
        return drawn[-1]

    monkeypatch.setattr(Figure, "add_subplot", watched)
    outcome = found(kind).outcome(tmp_path)
    plot_progress(tmp_path / "progress.png", found(kind).records, outcome)
    assert (tmp_path / "progress.png").read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"
    assert [path.name for path in tmp_path.iterdir()] == ["progress.png"]

    lines = {str(line.get_label()): line for line in drawn[0].get_lines()}
    assert lines["trial"].get_xydata().tolist() == [[0, 0.5], [2, 0.75], [3, 0.75], [4, 0.25]]
    best = [0.5, 0.5, 0.5, 0.25] if kind == "minimize" else [0.5, 0.75, 0.75, 0.75]
    assert np.asarray(lines["best so far"].get_ydata()).tolist() == best
    for reference in outcome.references:
        line = lines[f"{reference['name']} ({reference['n_parameters']} parameters)"]
        assert set(np.asarray(line.get_ydata()).tolist()) == {reference["validation"]}
    assert len(lines) == (2 if kind == "own" else 2 + 4 + 1)


# The folder


def content(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.parametrize("kind", KINDS)
def test_the_folder_holds_the_winner(found: Callable[[str], Found], kind: str, tmp_path: Path):
    each = found(kind)
    outcome = each.write(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["best", "progress.png"]
    best = tmp_path / "best"
    names = ["card.md", "outcome.json", "wiring.json"]
    assert sorted(path.name for path in best.iterdir()) == sorted(names + ["network.safetensors"] * (kind != "own"))
    assert json.loads((best / "outcome.json").read_text("utf-8")) == json.loads(json.dumps(outcome.to_json()))
    assert (best / "card.md").read_text("utf-8") == card(each.options, each.task, each.finals, outcome)
    expected = wiring("own", 2) if each.finals is None else each.finals.wiring
    assert read_wiring(best / "wiring.json") == expected
    if each.finals is not None:
        assert each.task is not None
        x = each.task.inputs[:7]
        with torch.no_grad():
            assert load_network(best / "network.safetensors")(x).equal(each.finals.training.network(x))


def test_the_folder_is_replaced_as_a_whole(found: Callable[[str], Found], tmp_path: Path):
    found("mlp").write(tmp_path)
    (tmp_path / "best" / "stray.txt").write_text("of an earlier version")
    found("own").write(tmp_path)
    assert sorted(content(tmp_path / "best")) == ["card.md", "outcome.json", "wiring.json"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["best", "progress.png"]


@pytest.mark.parametrize("culprit", ["write_wiring", "card"])
@pytest.mark.parametrize("before", [True, False])
def test_a_failure_in_the_middle_leaves_the_old_folder_and_nothing_else(
    found: Callable[[str], Found], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, culprit: str, before: bool
):
    def fails(*_: object) -> None:
        raise OSError("no space left on device")

    if before:
        found("own").write(tmp_path)
    old = content(tmp_path / "best") if before else None
    monkeypatch.setattr(output, culprit, fails)
    with pytest.raises(OSError, match="no space"):
        found("mlp").write(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["best"] * before + ["progress.png"]
    if before:
        assert content(tmp_path / "best") == old


def test_a_failure_of_the_last_step_brings_the_old_folder_back(
    found: Callable[[str], Found], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    found("own").write(tmp_path)
    old, genuine = content(tmp_path / "best"), Path.rename

    def fails(path: Path, target: Path) -> Path:
        if path.name.startswith(".best-"):
            raise OSError("device is gone")
        return genuine(path, target)

    monkeypatch.setattr(Path, "rename", fails)
    with pytest.raises(OSError, match="device is gone"):
        found("mlp").write(tmp_path)
    assert content(tmp_path / "best") == old
    assert sorted(path.name for path in tmp_path.iterdir()) == ["best", "progress.png"]


def test_nothing_is_written_where_nothing_is_complete(found: Callable[[str], Found], tmp_path: Path):
    own = found("own")
    none = Records(own.records.rows[1:2])
    outcome = Outcome.of(tmp_path, own.options, None, none)
    write_output(tmp_path, own.options, None, none, None, outcome, own.rebuild)
    assert list(tmp_path.iterdir()) == []


def test_leftovers_of_a_killed_process_are_removed(tmp_path: Path) -> None:
    for name in (".best-abc", ".old-xyz", "best"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "card.md").write_text("half", encoding="utf-8")
    output.remove_leftovers(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["best"]
