"""One best: every place names the trial that was chosen, and says why where another one has the best value."""

from dataclasses import replace
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from matplotlib.figure import Figure
from report_cases import found
from rich.console import Console

from nas.cli.display import show_best, show_end, show_outcome
from nas.report import output
from nas.report.card import card
from nas.report.chosen import explain_choice, params_in_words
from nas.report.outcome import Outcome
from nas.report.progress import CampaignDisplay
from nas.store.records import Record, Records

WHY = "In the search trial 1 reached the best value (0.7500); of the finalists, trained again with 5 fresh seeds, "
WHY += "trial 2 did best."


def record(number: int, value: float | None, **fields: Any) -> Record:
    state = "failed" if value is None else "complete"
    return Record(number, state, value, {"degree": 275.25}, fingerprint=f"{number}" * 64, **fields)


RECORDS = Records((record(0, 0.25), record(1, 0.75), record(2, 0.5, degree=29.0), record(3, None)))


def best_of(number: int) -> dict[str, Any]:
    own = RECORDS[number]
    return {"trial": number, "value": own.value, "fingerprint": own.fingerprint, "params": dict(own.params)}


def outcome(number: int, **fields: Any) -> Outcome:
    row = {"mean": 0.9, "std": 0.01, "seeds": 5, "n_parameters": 700, "learning_rate": 0.03}
    known: dict[str, Any] = {"out": "a b", "study": "", "task": "digits", "network": "mlp", "sampler": "tpe"}
    known |= {"engine": "torch", "metric": "accuracy", "direction": "maximize", "trials": 4, "complete": 3, "failed": 1}
    known |= {"seconds": 1.0, "best": best_of(number), "test": row, "references": ({**row, "name": "linear"},)}
    return Outcome(**{**known, "plateaus": {}, "verdict": "Won.", "over": True, **fields})


def shown(show: Any, *what: Any) -> str:
    text = StringIO()
    show(Console(file=text, width=100), *what)
    return text.getvalue()


def test_the_best_value_of_the_search_is_explained_where_another_trial_won():
    assert explain_choice(RECORDS, best_of(2), "maximize", {"seeds": 5}) == WHY
    assert explain_choice(RECORDS, best_of(1), "maximize", {"seeds": 5}) == ""
    assert explain_choice(Records(()), best_of(1), "maximize") == ""
    # What is best depends on the direction.
    assert explain_choice(RECORDS, best_of(0), "minimize", {"seeds": 5}) == ""
    assert "trial 0 reached the best value (0.2500)" in explain_choice(RECORDS, best_of(2), "minimize", {"seeds": 1})
    assert "with 1 fresh seed, trial 2" in explain_choice(RECORDS, best_of(2), "minimize", {"seeds": 1})


def test_equal_values_and_equal_wirings_are_no_contradiction():
    level = Records((record(0, 0.5), record(2, 0.5)))
    assert explain_choice(level, best_of(2), "maximize") == ""
    again = Records((replace(record(0, 0.75), fingerprint="2" * 64), record(2, 0.5)))
    assert explain_choice(again, best_of(2), "maximize") == (
        "In the search trial 0 reached the best value (0.7500), with the same wiring as trial 2."
    )


def test_the_end_of_a_run_is_table_verdict_and_one_command():
    steering = {"steered": 0.75, "chance": 0.5, "n_steered": 3, "n_chance": 2, "n_fallback": 0}
    steering |= {"rank_correlation": None, "coverage": None}
    predictor = {"trained_on": "3 wirings", "r2": {"predictor": 0.5}}
    more: dict[str, Any] = {"steering": steering, "predictor": predictor}
    more["overhead"] = {"choosing": 0.2, "storing": 0.1, "share": 0.299}
    text = shown(show_end, outcome(2, **more), RECORDS)
    *table, verdict, why, rest, command = text.splitlines()
    why = f"{why} {rest}"
    assert [line for line in table if "found wiring, trial 2" in line]
    assert [line for line in table if "linear" in line]
    assert (verdict, why) == ("Won.", WHY)
    assert command == "Network and card: a b/best/   all else: wirenas status 'a b'"
    everything = shown(show_outcome, outcome(2, **more), RECORDS)
    everything, text = everything.replace(f"\n{rest}", f" {rest}"), text.replace(f"\n{rest}", f" {rest}")
    for told in (*table, verdict, why, "Best: trial 2", "Steering: 3 trials", "Choosing and", "Predictor: learnt from"):
        assert told in everything
        assert told not in text or told in (*table, verdict, why)
    assert "5 fresh seeds" in everything
    assert "a b/progress.png" in everything


def test_the_end_of_a_front_names_the_winner_too():
    trained = {"mean": 0.5, "std": None, "seeds": 1}
    entry = {"trial": 2, "n_parameters": 700, "value": 0.5, "validation": trained, "test": trained}
    text = shown(show_end, outcome(2, front=(entry,), objective="pareto"), RECORDS)
    assert "The front: 1 wirings" in text
    *_, winner, verdict, why, rest, _ = text.splitlines()
    assert [winner, verdict, f"{why} {rest}"] == ["The found wiring is that of trial 2.", "Won.", WHY]


def test_a_run_without_finals_ends_with_all_that_is_known():
    own = outcome(1, test=None, references=(), verdict="")
    assert shown(show_end, own, RECORDS) == shown(show_outcome, own, RECORDS)


def test_progress_names_the_best_trial_as_the_end_does():
    text = StringIO()
    watcher = CampaignDisplay(Console(file=text), "maximize")
    stopped = replace(record(1, 0.875), state="stopped")
    watcher.search_started(3, 4, Records((record(0, 0.5), stopped, record(2, 0.5))))
    assert not stopped.is_complete
    watcher.recorded(record(4, 0.25))
    assert "best 0.5000 (trial 0)" in text.getvalue().splitlines()[-1], "one that was stopped early is not the best"


@pytest.mark.parametrize("show", [show_end, show_outcome])
def test_a_degree_is_shown_as_what_it_became(show: Any):
    text = shown(show, outcome(2, test=None), RECORDS)
    assert "degree 29 (275 asked for)" in " ".join(text.split())


def test_the_best_says_what_its_degree_became_and_why_it_is_the_best():
    what = {"best": best_of(2), "test": {"mean": 0.5, "std": None, "seeds": 5}, "verdict": "", "files": []}
    text = shown(show_best, what, RECORDS, "maximize")
    assert f"{WHY} degree: 29 (275 asked for) " in " ".join(text.split()) + " "


def test_degrees_that_were_met_or_are_not_known_stand_alone():
    for degree, asked, told in (
        (4.0, 4.0, "4"),
        (4.001, 4.0, "4"),
        (0.0, 4.25, "4.25"),
        (6.0, 4.25, "6 (4.25 asked for)"),
    ):
        assert params_in_words({"degree": asked}, record(0, 0.5, degree=degree)) == {"degree": told}
    assert params_in_words({"degree": 4.25, "n": 5}, None) == {"degree": "4.25", "n": "5"}
    assert params_in_words({"n": 5}, record(0, 0.5, degree=3.0)) == {"n": "5"}


def test_the_card_says_both():
    mlp = found("mlp")
    finals, first = mlp.finals, mlp.outcome(Path("out"))
    assert finals is not None
    assert first.best is not None
    winner = first.best["trial"]
    records = Records(tuple(replace(own, degree=4.0) for own in mlp.records))
    records = Records((replace(records[0], value=0.875), *records[1:]))
    best = {**first.best, "params": {"degree": 275.123456}}
    text = card(mlp.options, mlp.task, finals, replace(first, best=best), records)
    assert "| degree | 4 (275.123456 asked for) |" in text
    again = f"of the finalists, trained again with 2 fresh seeds, trial {winner} did best."
    assert f"In the search trial 0 reached the best value (0.8750); {again}" in text
    assert f"trial {winner} of a campaign" in text
    assert "In the search" not in mlp.card()


def test_the_plot_of_the_progress_marks_the_winner(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    figures: list[Figure] = []
    monkeypatch.setattr(output, "save_figure", lambda figure, _: figures.append(figure))
    mlp = found("mlp")
    first = mlp.outcome(tmp_path)
    assert first.best is not None
    output.plot_progress(tmp_path / "x.png", mlp.records, first, mlp.finals)
    marked = [line for line in figures[0].axes[0].lines if str(line.get_label()).startswith("winner: trial")]
    assert [(line.get_xdata()[0], line.get_ydata()[0]) for line in marked] == [(first.best["trial"], 0.75)]
