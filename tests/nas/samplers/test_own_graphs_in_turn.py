"""Each of the user's own graphs is tried once before any is tried again, whichever sampler searches them."""

from pathlib import Path
from typing import Any

import networkx as nx
import optuna
import pytest

from nas.campaign import campaign as campaign_module
from nas.campaign.campaign import Campaign
from nas.report import output as output_module
from nas.samplers import StructuralSampler
from nas.space.space import Space
from nas.store.records import Records
from nas.store.study import load
from priors import GraphPool

GRAPHS = [nx.gnm_random_graph(8 + n, 14 + 2 * n, seed=n) for n in range(12)]


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Drawing, and what is learnt when all is over, take longer than all the rest of these campaigns."""
    monkeypatch.setattr(output_module, "plot_progress", lambda *_: None)
    monkeypatch.setattr(campaign_module, "fit_into", lambda *_, **__: None)


def value_of(wiring: Any, _: Any) -> float:
    return 1.0 / (1 + abs(wiring.hidden.n_edges - 40))


def searched(out: Path, trials: int, graphs: list[Any] = GRAPHS, space: Any = None, **options: Any) -> Records:
    space = Space(graphs=GraphPool(graphs), **(space or {}))
    given = {"n_inputs": 4, "n_outputs": 2, **options}
    Campaign(out, evaluate=value_of, space=space, trials=trials, **given).run()
    return load(out)


def graphs_of(records: Records) -> list[int]:
    return [record.params["graph"] for record in records]


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"sampler": "genetic"},
        {"sampler": "genetic", "screened": False},
        {"network": "rnn"},
        {"threads": 3},
        {"batch": 4},
        {"objective": "pareto"},
        {"startup": 5},
        {"space": {"attachment": ("controlled", "natural"), "orientation": ("random", "index"), "edits": 4}},
        {"seed": 5, "repeats": 3},
        {"n_inputs": 0, "n_outputs": 0},
        {"sampler": "random"},
        {"sampler": "tpe"},
    ],
)
def test_no_graph_comes_twice_before_all_came_once(tmp_path: Path, options: dict[str, Any]):
    """By hand: twelve graphs in the first twelve trials are all twelve of them."""
    records = searched(tmp_path, 12, **options)
    assert sorted(graphs_of(records)) == list(range(12))
    assert all(not record.params.get("n_moves") for record in records)


@pytest.mark.parametrize("sampler", ["structural", "genetic"])
@pytest.mark.parametrize("n", [1, 3])
def test_a_search_goes_on_when_all_had_their_turn(tmp_path: Path, sampler: str, n: int):
    graphs = graphs_of(searched(tmp_path, 14, GRAPHS[:n], sampler=sampler))
    assert sorted(graphs[:n]) == list(range(n))
    assert set(graphs[n:]) <= set(range(n))


def test_later_the_good_ones_come_again_and_are_replicated(tmp_path: Path):
    records = searched(tmp_path, 32)
    later = list(records)[12:]
    assert any(record.params["replicate"] for record in later)
    assert not any(record.params["replicate"] for record in list(records)[:12])
    assert len({record.params["graph"] for record in later}) < 12


def test_a_graph_that_is_too_large_has_no_turn(tmp_path: Path):
    """The graphs have 14 + 2 n edges for n = 0 to 11: by hand, the last two have more than 33."""
    records = searched(tmp_path, 10, space={"max_edges": 33})
    assert sorted(graphs_of(records)) == list(range(10))


@pytest.mark.parametrize("sampler", ["structural", "genetic"])
def test_a_resumed_search_proposes_the_same(tmp_path: Path, sampler: str):
    whole = searched(tmp_path / "whole", 18, sampler=sampler)
    for trials in (4, 11, 13, 18):
        parts = searched(tmp_path / "parts", trials, sampler=sampler)
    assert [record.params for record in parts] == [record.params for record in whole]


def test_many_graphs_are_few_of_a_time(tmp_path: Path):
    """More graphs than candidates: all trials are of different ones."""
    graphs = [nx.gnm_random_graph(6, 8, seed=n) for n in range(100)]
    assert len(set(graphs_of(searched(tmp_path, 40, graphs)))) == 40


def test_a_study_of_ones_own_takes_turns_too():
    sampler = StructuralSampler(space := Space(graphs=GraphPool(GRAPHS)), 4, 2, replicates=2)
    study = optuna.create_study(direction="maximize", sampler=sampler)
    study.optimize(lambda trial: value_of(space.wiring(sampler.suggest_all(trial), 4, 2), {}), n_trials=12)
    assert sorted(trial.params["graph"] for trial in study.trials) == list(range(12))
