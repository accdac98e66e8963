"""What people see: plain lines, a live display, and summaries that print names as they are."""

import re
from dataclasses import replace
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from nas.cli.console import Begun
from nas.cli.display import show_best, show_outcome, show_written
from nas.report.chosen import params_in_words
from nas.report.lines import say
from nas.report.outcome import Outcome
from nas.report.progress import CampaignDisplay, stages
from nas.store.records import Record, Records


def record(number: int, value: float | None) -> Record:
    if value is None:
        return Record(number, "failed", None, {}, error="ValueError: [bold]no[/bold]")
    return Record(number, "complete", value, {})


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [1000.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    return now


def plain(direction: str, *, by_size: bool = False) -> tuple[CampaignDisplay, StringIO]:
    text = StringIO()
    return CampaignDisplay(Console(file=text, width=40), direction, by_size=by_size), text


def test_plain_lines_say_how_far_how_well_how_fast_and_how_long(clock: list[float]):
    watcher, text = plain("maximize")
    watcher.search_started(2, 8, Records((record(0, 0.5), record(1, 0.75))))
    for number, value in enumerate((0.25, 0.875), 2):
        clock[0] += 15
        watcher.recorded(record(number, value))
    assert text.getvalue().splitlines() == [
        "search: 2 of 8 trials are done",
        "search: 3 of 8 trials, 75 s left, best 0.7500 (trial 1), 4 per minute",
        "search: 4 of 8 trials, 60 s left, best 0.8750 (trial 3), 4 per minute",
    ]


CHOSEN = [("start-up", None), ("random", 0.5), ("neighbour", 0.5), ("fallback", 0.5), ("mutation", None)]
"""Origins and predictions: by chance twice, by predictions, by TPE, and bred without predictions."""


def chosen_trials() -> list[Record]:
    values = (0.25, 0.5, 0.75, 0.125, 0.125)
    return [
        replace(record(number, values[number]), origin=origin, prediction=prediction, rank_correlation=0.25 * number)
        for number, (origin, prediction) in enumerate(CHOSEN)
    ]


def test_plain_lines_say_what_predictions_are_worth(clock: list[float]):
    watcher, text = plain("maximize")
    watcher.search_started(0, 5, Records(()))
    for trial in chosen_trials():
        clock[0] += 15
        watcher.recorded(trial)
    lines = text.getvalue().splitlines()
    assert "steered" not in "".join(lines[:3])
    assert ", best 0.7500 (trial 2), 4 per minute, steered 0.7500 against 0.3750 by chance" in lines[3]
    assert "steered 0.7500 against 0.3750 by chance" in lines[5], (
        "neither TPE's choices nor unscreened ones are steered"
    )


def test_on_the_way_to_a_front_lines_say_how_well_predictions_rank(clock: list[float]):
    watcher, text = plain("maximize", by_size=True)
    watcher.search_started(0, 5, Records((record(0, 0.5),)))
    assert "correlation" not in text.getvalue()
    for trial in chosen_trials():
        clock[0] += 15
        watcher.recorded(trial)
    assert (
        ", best 0.7500 (trial 2), 4 per minute, predictions' rank correlation 1.00" in text.getvalue().splitlines()[-1]
    )
    assert "steered" not in text.getvalue()


def test_the_best_is_the_least_where_less_is_better(clock: list[float]):
    watcher, text = plain("minimize")
    watcher.search_started(0, 100, Records(()))
    for number, value in enumerate((0.5, 0.25, 0.75)):
        clock[0] += 60
        watcher.recorded(record(number, value))
    assert (
        text.getvalue().splitlines()[-1] == "search: 3 of 100 trials, 97 min left, best 0.2500 (trial 1), 1 per minute"
    )


def test_plain_lines_come_now_and_then_and_at_the_end(clock: list[float]):
    watcher, text = plain("maximize")
    watcher.search_started(0, 100, Records(()))
    for number in range(100):
        clock[0] += 0.1
        watcher.recorded(record(number, 0.5))
    lines = text.getvalue().splitlines()
    assert 3 <= len(lines) <= 5
    assert lines[-1].startswith("search: 100 of 100 trials, 0 s left, best 0.5000 (trial 0), 600 per minute")


def test_a_failed_trial_is_said_as_it_is_and_not_counted(clock: list[float]):
    watcher, text = plain("maximize")
    watcher.search_started(0, 4, Records(()))
    watcher.recorded(record(0, None))
    assert "trial 0 failed: ValueError: [bold]no[/bold]\n" in text.getvalue()
    assert "search: 0 of 4 trials, ? left, best –, 0 per minute" in text.getvalue()


def test_plain_finals_are_counted(clock: list[float]):
    watcher, text = plain("maximize")
    for stage in ("finalists", "references"):
        watcher.stage_started(stage, 12)
        for _ in range(12):
            watcher.trained()
    lines = text.getvalue().splitlines()
    assert lines[0].startswith("finalists: 12 trainings")
    assert "finalists: 12 of 12 trainings" in lines
    assert lines[-1] == "references: 12 of 12 trainings"


def test_learning_a_predictor_is_one_plain_line(clock: list[float]):
    watcher, text = plain("maximize")
    watcher.stage_started("predictor", 1)
    watcher.trained()
    assert text.getvalue() == "predictor: learning from all trials\n"


def test_a_line_of_no_news_is_not_printed(clock: list[float]):
    text = StringIO()
    with stages(Console(file=text, width=80)) as watch:
        for done in (0, 0, 0, 1, 1, 3):
            watch("learning rates", done, 3)
            clock[0] += 6
        watch("structures", 2, 5)
    assert [line.partition(",")[0] for line in text.getvalue().splitlines()] == [
        "learning rates: 3 trainings",
        "learning rates: 1 of 3",
        "learning rates: 3 of 3",
        "structures: 2 of 5 are trained already",
    ]


@pytest.mark.parametrize("file", [None, "missing", "begun"])
def test_an_interruption_promises_what_is_there(tmp_path: Path, file: str | None):
    (tmp_path / "begun").touch()
    told = Begun(None if file is None else tmp_path / file).interrupted()
    resumes = "interrupted; the same command resumes"
    assert told == (
        resumes if file == "begun" else "interrupted before anything was stored; the same command begins anew"
    )


@pytest.mark.parametrize("is_terminal", [True, False])
def test_a_notice_comes_once_and_before_the_search(is_terminal: bool):
    text = StringIO()
    watcher = CampaignDisplay(Console(file=text, force_terminal=is_terminal), "maximize", "The engine is slow.")
    assert text.getvalue() == ""
    watcher.search_started(0, 4, Records(()))
    watcher.stage_started("finalists", 2)
    watcher.finished()
    assert text.getvalue().startswith("The engine is slow.\n")
    assert text.getvalue().count("slow") == 1


def test_the_live_display_says_the_same():
    text = StringIO()
    now = [0.0]
    console = Console(force_terminal=True, file=text, width=100, color_system=None, get_time=lambda: now[0])
    watcher = CampaignDisplay(console, "maximize")
    assert watcher.display.bars is not None
    watcher.search_started(1, 4, Records((record(0, 0.5),)))
    for number, value in enumerate((0.625, None, 0.25), 1):
        now[0] += 50.0
        watcher.recorded(record(number, value))
    watcher.display.bars.refresh()
    assert "trial 2 failed: ValueError: [bold]no[/bold]" in text.getvalue()
    last = text.getvalue().split("search")[-1]
    assert "3/4" in last
    assert "best 0.6250" in last
    assert "/min" in last
    # Two trials in 150 s, and one is left.
    assert re.search(r"0[01]:[0-9]{2}", last), last
    watcher.stage_started("references", 2)
    watcher.trained()
    watcher.trained()
    watcher.finished()
    assert "2/2" in text.getvalue().split("references")[-1]


def test_a_live_display_that_never_started_ends():
    CampaignDisplay(Console(force_terminal=True, file=StringIO()), "maximize").finished()


NONE = Records(())


def outcome(**fields: Any) -> Outcome:
    best = {"value": 0.5, "trial": 3, "fingerprint": "ab" * 32, "n_hidden": 4, "n_edges": 5, "n_parameters": 6}
    best["params"] = {"n": 20, "degree": 4.123456, "graph_seed": 7}
    known = {"task": None, "network": "mlp", "sampler": "tpe", "engine": "own", "metric": "value"}
    known |= {"direction": "maximize", "trials": 9, "complete": 8, "failed": 1, "seconds": 1.0, "best": best}
    return Outcome(**{"out": "a[bold]b", "study": "a[bold]b/study.db", **known, **fields})


def shown(show: Any, what: Any, *more: Any) -> str:
    text = StringIO()
    show(Console(file=text, width=90), what, *more)
    return text.getvalue()


def test_an_outcome_says_the_best_and_where_it_lies():
    out = "a[bold]b" + "/long" * 40
    text = shown(show_outcome, outcome(out=out, over=True), NONE)
    assert "8 trials complete, 1 failed. Best: trial 3, value 0.5000 (n 20, degree 4.12)." in " ".join(text.split())
    assert f"{out}/best/" in text


def test_an_outcome_before_the_end_says_that_it_goes_on():
    text = shown(show_outcome, outcome(), NONE)
    assert "Not over yet" in text
    assert "/best/" not in text


def test_an_outcome_without_trials_says_so():
    assert (
        shown(show_outcome, outcome(best=None, complete=0), NONE) == "a[bold]b: no trial is complete yet (1 failed)\n"
    )


def test_an_outcome_shows_its_references_and_the_verdict():
    row = {"mean": 0.9, "std": 0.01, "seeds": 5, "n_parameters": 700, "learning_rate": 0.03}
    text = shown(
        show_outcome,
        outcome(
            test=row, references=({**row, "name": "linear", "std": None},), plateaus={"guess": 0.1}, verdict="Won."
        ),
        NONE,
    )
    assert "found wiring" in text
    assert "0.9000 ± 0.0100" in text
    assert "linear" in text
    assert re.search(r"plateau of a rule: guess +│ 0.1000", text)
    assert "Won." in text
    assert "5 fresh seeds" in text


def test_the_best_names_every_parameter_and_file():
    best = outcome().best
    text = shown(
        show_best, {"best": best, "test": None, "verdict": "", "files": ["a[bold]b/best/wiring.json"]}, NONE, "maximize"
    )
    assert "trial 3, 0.5000 on validation" in text
    assert "  graph_seed: 7" in text
    assert "a[bold]b/best/wiring.json" in text


def test_the_best_says_how_it_was_chosen():
    best = {
        **(outcome().best or {}),
        "chosen": "mutation of trial 2, 3 edits",
        "prediction": 0.25,
        "prediction_std": 0.125,
    }
    text = shown(show_best, {"best": best, "test": None, "verdict": "", "files": []}, NONE, "maximize")
    assert "\nchosen: mutation of trial 2, 3 edits\npredicted before training: 0.2500 ± 0.1250\n" in text


def steering(**fields: Any) -> dict[str, Any]:
    found = {"steered": 0.75, "chance": 0.5, "n_steered": 3, "n_chance": 2, "n_fallback": 0}
    return {**found, "rank_correlation": None, "coverage": None, **fields}


def test_a_summary_says_what_predictions_did_and_what_they_cost():
    overhead = {"choosing": 0.2, "storing": 0.1, "share": 0.299}
    found = steering(n_steered=8, rank_correlation=0.5, coverage=0.9)
    told = " ".join(shown(show_outcome, outcome(steering=found, overhead=overhead), NONE).split())
    assert "Steering: 8 trials chosen by predictions reached 0.7500 on average, 2 by chance 0.5000. Predicted" in told
    assert (
        "rank correlation 0.50, 90 % of values inside of their 90 % intervals. Choosing and storing took 30 %" in told
    )


def test_numbers_that_mean_nothing_are_left_out():
    """A correlation of few pairs, and a share of trials that take next to nothing."""
    overhead = {"choosing": 2.0, "storing": 1.0, "share": 2683.42}
    found = steering(n_steered=7, rank_correlation=1.0, coverage=1.0)
    told = " ".join(shown(show_outcome, outcome(steering=found, overhead=overhead), NONE).split())
    assert "rank correlation" not in told
    assert "Choosing and storing took 3.0 s." in told


@pytest.mark.parametrize(("task", "what", "network"), [("digits", " on validation", "network"), (None, "", "wiring")])
def test_an_own_evaluation_has_no_validation_and_no_network(task: str | None, what: str, network: str):
    own = replace(outcome(over=True), task=task)
    told = " ".join(shown(show_outcome, own, NONE).split())
    assert f"value 0.5000{what} (" in told
    assert f"Best {network} and card:" in told
    text = StringIO()
    found = {"best": own.best, "test": None, "verdict": "", "files": []}
    show_best(Console(file=text, width=90), found, NONE, "maximize", has_task=task is not None)
    assert text.getvalue().startswith(f"trial 3, 0.5000{what}\n")


def test_the_graph_of_a_trial_is_called_by_its_name():
    best = {**(outcome().best or {}), "params": {"graph": 4}}
    records = Records((replace(record(3, 0.5), graph_name="ws.graphml"),))
    assert params_in_words(best["params"], records[0]) == {"graph": "ws.graphml"}
    assert "graph: ws.graphml" in shown(
        show_best, {"best": best, "test": None, "verdict": "", "files": []}, records, "maximize"
    )


def test_a_front_says_why_places_are_empty():
    fresh = {"mean": 0.5, "std": 0.1, "seeds": 2}
    front = [
        {"trial": number, "n_parameters": 10 * number, "value": 0.5, "validation": part, "test": part}
        for number, part in ((1, fresh), (2, None))
    ]
    linear = {"trial": None, "n_parameters": 7, "validation": fresh, "test": fresh}
    dense = {**linear, "trial": 1}
    few = " ".join(shown(show_outcome, outcome(front=front, front_references=[linear]), NONE).split())
    assert "dense: test" not in few
    assert "No dense network of equal size stands beside: with so few parameters" in few
    assert "1 of the 2 were trained afresh, as many as there are finalists; others have no test." in few
    many = " ".join(shown(show_outcome, outcome(front=front[:1], front_references=[linear, dense]), NONE).split())
    assert "dense: test" in many
    assert "No dense network" not in many
    assert "trained afresh" not in many


@pytest.mark.parametrize("is_terminal", [True, False])
def test_lines_are_broken_between_words_on_terminals_alone(is_terminal: bool):
    line = "Live weights of the network that is kept: layer 1 470 (1.2 %), output 530 (66.2 %)   more: here"
    text = StringIO()
    console = Console(file=text, width=40, force_terminal=is_terminal, color_system=None)
    say(console, line)
    lines = text.getvalue().splitlines()
    if is_terminal:
        assert " ".join(lines).split() == line.split()
        assert max(map(len, lines)) <= 40
        assert lines[-1] == "more: here"
    else:
        assert lines == [line]


def test_tables_are_folded_and_not_cut_where_a_terminal_is_narrow():
    row = {"mean": 0.9, "std": 0.01, "seeds": 5, "n_parameters": 1234567, "learning_rate": 0.03}
    text = StringIO()
    own = outcome(test=row, references=({**row, "name": "dense with equal parameters"},), verdict="Won.")
    show_outcome(Console(file=text, width=40), own, NONE)
    assert "…" not in text.getvalue()


def test_a_summary_says_that_tpe_took_over():
    told = " ".join(
        shown(show_outcome, outcome(steering=steering(steered=None, n_steered=0, n_fallback=4)), NONE).split()
    )
    assert (
        "0 trials chosen by predictions, 2 by chance 0.5000. 4 chosen by TPE, while predictions were no better" in told
    )


def test_a_summary_of_a_front_compares_no_means():
    told = " ".join(shown(show_outcome, outcome(steering=steering(steered=None, chance=None)), NONE).split())
    assert "Steering: 3 trials chosen by predictions, 2 by chance. Not over yet" in told


def test_a_written_network_says_how_to_load_it():
    written = {"out": "[red]x", "nodes": 4, "edges": 5, "n_parameters": 6, "fingerprint": "ab" * 32, "cell": "gru"}
    text = shown(show_written, written)
    assert "[red]x: 4 gru neurons, 5 edges, 6 parameters, abababababab" in text
    assert 'load_network("[red]x/network.safetensors")' in text
