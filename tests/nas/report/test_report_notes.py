"""What notes on trials and campaigns say, by records made by hand."""

import json
from pathlib import Path
from typing import Any

from nas.options.options import CampaignOptions
from nas.report.notes import study_note, trial_note
from nas.store.records import Record

OUT = Path("results/my digits")
PARAMS = {"family": "watts-strogatz", "n": 40, "degree": 4.25, "p": 0.125, "graph_seed": 7, "attach_seed": 9}
BEST = "`wirenas best 'results/my digits'`"


def record(**fields: Any) -> Record:
    complete = {
        "number": 5,
        "state": "complete",
        "value": 0.93125,
        "params": PARAMS,
        "fingerprint": "0123456789abcdef",
        "n_hidden": 40,
        "n_edges": 85,
        "n_layers": 6,
        "n_sources": 3,
        "n_sinks": 2,
        "degree": 4.25,
        "n_parameters": 1234,
        "values": (0.9325, 0.93),
        "learning_rate": 0.01,
        "ladder": {"0.01": 0.93125, "0.1": 0.5},
        "steps": 900,
        "seconds": 1.25,
        "engine": "native",
    }
    return Record(**{**complete, **fields})


def outcome(**fields: Any) -> dict[str, Any]:
    found = {
        "over": True,
        "complete": 4,
        "best": {"trial": 2},
        "test": {"mean": 0.9, "std": 0.01, "seeds": 3, "n_parameters": 1234},
        "references": [{"name": "linear", "mean": 0.8, "std": None, "seeds": 1, "n_parameters": 650}],
        "verdict": "The found wiring beats linear.",
        "a later version's": 3,
    }
    return {**found, **fields}


# Trials


def test_a_complete_trial_is_told_whole():
    assert trial_note(record(), OUT, "accuracy") == (
        "**watts-strogatz: 40 nodes, mean degree 4.25, rewiring probability 0.125**\n\n"
        "accuracy **0.9313**, mean of 2 replicates: 0.9325, 0.9300\n\n"
        "- hidden neurons 40, layers 6, sources 3, sinks 2\n"
        "- edges 85, mean degree 4.25\n"
        "- parameters 1234\n\n"
        "Learning rates, or spectral radii of a reservoir:\n\n"
        "- 0.01: 0.9313 (best)\n"
        "- 0.1: 0.5000\n\n"
        "- seeds: graph 7, attach 9\n"
        "- fingerprint: `0123456789ab`\n"
        "- training: 1.2 s, 900 updates, engine native\n\n"
        f"The best wiring of the campaign and its files: {BEST}\n"
    )


def test_a_prediction_is_told_with_its_spread():
    assert "predicted" not in trial_note(record(), OUT)
    told = trial_note(record(prediction=0.91, prediction_std=0.02), OUT)
    assert "\n\npredicted before it was trained: 0.9100 ± 0.0200\n\n" in told
    told = trial_note(record(prediction=0.91), OUT)
    assert "\n\npredicted before it was trained: 0.9100\n\n" in told


def test_a_failed_trial_tells_why():
    error = "ValueError: `x`\n# <b>no</b>"
    failed = Record(number=1, state="failed", value=None, params=PARAMS, error=error, attempts=3)
    told = trial_note(failed, OUT)
    assert told == (
        "**watts-strogatz: 40 nodes, mean degree 4.25, rewiring probability 0.125**\n\n"
        "failed\n\n"
        "It was tried 3 times.\n\n"
        "It failed with:\n\n"
        "    ValueError: `x`\n"
        "    # <b>no</b>\n\n"
        "- seeds: graph 7, attach 9\n\n"
        f"The best wiring of the campaign and its files: {BEST}\n"
    )


def test_trainings_that_diverged_are_told():
    assert "diverged" not in trial_note(record(), OUT)
    assert "\n\n1 training diverged, and counted as a constant prediction.\n\n" in trial_note(record(diverged=1), OUT)
    assert "\n\n3 trainings diverged, and" in trial_note(record(diverged=3), OUT)


def test_one_value_has_no_mean():
    assert "\n\naccuracy **0.9313**\n\n" in trial_note(record(values=(0.93125,)), OUT, "accuracy")


def test_what_is_not_known_here_does_no_harm():
    params = {"graph": 3, "new_thing": 0.12345, "n_moves": 2, "move_seed": 4, "labels": ("a", "b")}
    told = trial_note(Record(number=0, state="stopped", value=None, params=params), OUT)
    assert told.startswith("**graph 3, new thing 0.123, 2 edits, labels ('a', 'b')**\n\nstopped\n\n- seeds: move 4\n\n")
    assert "**0.5000** (stopped)" in trial_note(Record(number=0, state="stopped", value=0.5, params={}), OUT)
    assert trial_note(Record(number=0, state="odd", value=None, params={}), OUT).startswith("odd\n\nThe best ")


def test_several_objectives_are_all_told():
    told = trial_note(record(), OUT, "accuracy", (0.93125, 1234.0))
    assert "\n\ncomplete, values 0.9313, 1234.0000\n\n" in told
    assert "\n\naccuracy **0.9313**" in trial_note(record(values=()), OUT, "accuracy", (0.93125,))


def test_a_trial_says_how_it_was_chosen():
    assert "- chosen: by predictions, from neighbours of the best\n- seeds: " in trial_note(
        record(origin="neighbour", prediction=0.9), OUT
    )
    assert "chosen" not in trial_note(record(), OUT)


# Campaigns


def test_a_campaign_is_told_by_its_options():
    options = CampaignOptions(trials=9, replicates=2).model_dump(mode="json") | {"metric": "accuracy"}
    told = study_note(OUT, json.loads(json.dumps(options)), {"complete": 4, "stopped": 1, "failed": 2}, None, "Fine.")
    assert told.startswith(
        "# digits, mlp\n\nTrials: 4 complete, 1 stopped, 2 failed; 9 are wanted. Objective: accuracy, maximize.\n\n"
        "## Options\n\n- campaign: activation relu; sampler structural; replicates 2; "
    )
    assert "\n- space: priors watts-strogatz, barabasi-albert, erdos-renyi; nodes 20 to 100; degree 2 to 12; " in told
    assert "\n- recipe: optimizer adam; learning rates " in told
    assert "cell" not in told
    assert "None" not in told
    assert told.endswith(f"The best wiring of the campaign and its files: {BEST}\n\nFine.\n")


def test_a_front_is_told_by_both_of_its_objectives():
    options = CampaignOptions(objective="pareto").model_dump(mode="json")
    told = study_note(OUT, options | {"metric": "accuracy"}, {})
    assert "Objective: accuracy, maximize; number of parameters, minimize.\n" in told


def test_steering_is_told_by_its_options():
    options = CampaignOptions(warm_start="results/other", early_stopping="median").model_dump(mode="json")
    assert "sampler structural; warm start results/other; early stopping median; " in study_note(OUT, options, {})


def test_an_rnn_is_told_by_its_cell():
    options = CampaignOptions(task="reber", network="rnn").model_dump(mode="json")
    told = study_note(OUT, options, {})
    assert told.startswith("# reber, rnn\n\nTrials: none yet; 100 are wanted. Objective: value, maximize.")
    assert "cell gru" in told
    assert "activation" not in told


def test_a_campaign_that_is_over_tells_its_verdict():
    told = study_note(OUT, {"task": "digits"}, {"complete": 4}, outcome())
    assert (
        "\n\n## Verdict\n\nThe winner is trial 2.\n\nThe found wiring beats linear.\n\n"
        "- found wiring: test 0.9000 ± 0.0100, 1234 parameters\n"
        "- linear: test 0.8000, 650 parameters\n\n"
    ) in told


def test_a_verdict_on_fewer_trials_is_not_told():
    for counts, found in (({"complete": 5}, outcome()), ({"complete": 4}, outcome(over=False)), ({}, None)):
        assert "Verdict" not in study_note(OUT, {}, counts, found)


def test_an_own_evaluation_has_no_test():
    told = study_note(OUT, {"task": "none"}, {"complete": 4}, outcome(test=None, references=[], verdict=""))
    assert told.startswith("# own evaluation, network\n\nTrials: 4 complete. Objective")
    assert "\n\n## Verdict\n\nThe winner is trial 2.\n\n" in told
    assert study_note(OUT, {"task": None}, {}).startswith("# own evaluation, ")
