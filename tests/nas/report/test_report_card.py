"""The card of a found wiring: all that it takes to judge it and to repeat how it was found."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from report_cases import NAMES, found, wiring

from nas.report.card import card, comparison
from nas.space.space import Space
from nas.training.session import Ended
from priors import GraphPool, WattsStrogatz


def rows(text: str, title: str) -> list[list[str]]:
    """Cells of the first table of a section."""
    section = text.split(f"## {title}\n")[1].split("\n## ", maxsplit=1)[0]
    lines = [line for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if "---" not in line]


@pytest.mark.parametrize("kind", ["mlp", "rnn", "minimize"])
def test_a_card_holds_all_that_it_takes_to_judge_and_repeat(kind: str):
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
    assert "The found wiring is the best of 2 finalists by the validation of the very trainings that are tested" in text
    assert each.outcome(Path("out")).verdict in text

    sizes = dict(rows(text, "Sizes"))
    assert int(sizes["total"]) == finals.winner.n_parameters
    assert int(sizes["total"]) == sum(int(sizes[part]) for part in ("read in", "wiring", "read out", "biases"))
    assert 'load_network("network.safetensors")' in text
    assert ("sequences' lengths" in text) == (kind == "rnn")
    assert "\n\n\n" not in text
    assert "None" not in text


def test_a_card_of_one_finalist_says_nothing_of_a_choice():
    mlp = found("mlp")
    assert mlp.finals is not None
    alone = replace(mlp.finals, finalists=mlp.finals.finalists[:1])
    assert "finalists" not in card(mlp.options, mlp.task, alone, mlp.outcome(Path("out")), mlp.records)


def test_the_card_says_how_the_wiring_was_chosen_and_from_which_graph():
    mlp = found("mlp")
    told = dict(rows(mlp.card(), "Wiring"))
    assert not {"chosen", "predicted before training", "name of the graph"} & set(told)
    outcome = mlp.outcome(Path("out"))
    best = {**(outcome.best or {}), "params": {"graph": 1}, "chosen": "redraw of trial 0"}
    best |= {"prediction": 0.75, "prediction_std": 0.125}
    pool = GraphPool([WattsStrogatz(6, 4, 0.5).sample(seed) for seed in (0, 1)], names=["a.graphml", "b.graphml"])
    options = mlp.options.model_copy(update={"space": Space(graphs=pool)})
    told = dict(rows(card(options, mlp.task, mlp.finals, replace(outcome, best=best), mlp.records), "Wiring"))
    assert told["graph"] == "1"
    assert told["name of the graph"] == "b.graphml"
    assert told["chosen"] == "redraw of trial 0"
    assert told["predicted before training"] == "0.7500 ± 0.1250"


def test_the_card_gives_the_test_of_the_network_that_is_saved():
    mlp = found("mlp")
    finals = mlp.finals
    assert finals is not None
    winner = replace(finals.winner, validation=(0.1, 0.4), test=(0.111, 0.222))
    training = replace(finals.training, session=Ended(replace(finals.training.history, value=0.4)))
    text = card(
        mlp.options, mlp.task, replace(finals, winner=winner, training=training), mlp.outcome(Path("out")), mlp.records
    )
    assert "best on validation (0.4000); on its own it reaches 0.2220 on the test part." in text


def test_the_card_of_an_own_evaluation_has_a_value_and_a_wiring():
    text = found("own").card()
    assert text.startswith(f"# {wiring('own', 2).fingerprint[:12]}: trial 2 of a campaign of 4 trials")
    assert "0.7500 (maximize), from the user's own evaluation." in text
    assert 'read_wiring("wiring.json")' in text
    assert ["family", "watts-strogatz"] in rows(text, "Wiring")
    assert "## Results" not in text


def test_the_comparison_begins_with_the_found_wiring():
    assert comparison(found("own").outcome(Path("out"))) == []
    table = comparison(found("mlp").outcome(Path("out")))
    assert [row[0] for row in table] == ["found wiring", *NAMES]
