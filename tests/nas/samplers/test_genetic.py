"""The genetic search: campaigns that breed, store and rebuild; what predictors learn from them."""

from collections.abc import Iterator, Mapping
from itertools import product
from pathlib import Path
from typing import Any

import networkx as nx
import numpy as np
import pytest
from quick import quick

from nas.campaign import campaign as campaign_module
from nas.campaign.campaign import Campaign
from nas.errors import InputError
from nas.networks import NetworkSpec
from nas.prediction.examples import LEAST_LINEAGES, campaign_examples
from nas.report import output as output_module
from nas.samplers import genetic as genetic_module
from nas.samplers.genetic import _CHILDREN, GeneticSampler, cross
from nas.samplers.rounds import Round
from nas.space.lineage import Lineage
from nas.space.space import Space
from nas.store.records import Records
from nas.store.study import load
from predictors.validation.folds import repeated_folds
from priors import GraphPool, Wiring, edit, layer

SPACE = {"nodes": (8, 20), "degree": (2, 6)}
STRUCTURES = {"dag": "mlp", "stack": "rnn", "recurrent": "rnn"}


@pytest.fixture(autouse=True, scope="module")
def bare() -> Iterator[None]:
    """Drawing, and what is learnt when all is over, take longer than all the rest of these campaigns."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(output_module, "plot_progress", lambda *_: None)
        patch.setattr(campaign_module, "fit_into", lambda *_, **__: None)
        yield


# The sampler


def toy(wiring: Wiring, _: Mapping[str, Any]) -> float:
    """Best are many triangles among about 50 edges; the fraction makes values distinct."""
    hidden = wiring.hidden
    graph = nx.Graph(hidden.edges.tolist())
    graph.remove_edges_from(list(nx.selfloop_edges(graph)))
    return (
        sum(nx.triangles(graph).values()) / 3
        - abs(graph.number_of_edges() - 50)
        + int(wiring.fingerprint[:4], 16) / 1e6
    )


def run(out: Path, structure: str = "dag", **options: Any) -> Records:
    given = {
        "space": SPACE | {"structure": structure},
        "trials": 30,
        **({} if "sampler" in options else {"sampler": "genetic", "startup": 6, "batch": 4}),
        **options,
    }
    Campaign(out, evaluate=toy, network=STRUCTURES[structure], n_inputs=4, n_outputs=2, **given).run()
    return load(out)


def told(records: Records) -> list[tuple[Any, ...]]:
    return [(row.fingerprint, dict(row.params), row.lineage, row.value, row.origin, row.prediction) for row in records]


def campaign(out: Path, structure: str = "dag", **space: Any) -> Campaign:
    options = {"space": SPACE | {"structure": structure} | space, "network": STRUCTURES[structure]}
    return Campaign(
        out, evaluate=toy, n_inputs=4, n_outputs=2, sampler="genetic", startup=6, trials=30, batch=4, **options
    )


@pytest.fixture(scope="module")
def over(tmp_path_factory: pytest.TempPathFactory, bare: None) -> Campaign:
    """A campaign of one thread that is over."""
    search = campaign(tmp_path_factory.mktemp("over"))
    search.threads = 1
    search.run()
    return search


@pytest.fixture
def records(over: Campaign) -> Records:
    return load(over.out)


@pytest.mark.parametrize(
    ("structure", "attachment"),
    quick(
        product(STRUCTURES, ["controlled", "natural", "projected"]),
        ("dag", "projected"),
        ("stack", "controlled"),
        ("recurrent", "natural"),
    ),
)
def test_what_is_stored_is_enough_to_rebuild_every_child(tmp_path: Path, structure: str, attachment: str):
    search = campaign(tmp_path, structure, attachment=attachment)
    search.run()
    records = load(tmp_path)
    assert len({record.fingerprint for record in records}) == 30
    assert {record.origin for record in records[:6]} == {"start-up"}
    assert {record.origin for record in records[6:]} == {"crossover", "mutation", "redraw"}
    bred = 0
    for record in records:
        wiring = search._rebuild(record)
        assert (wiring.n_inputs, wiring.n_outputs) == (4, 2)
        assert 8 <= record.params["n"] <= 20
        assert record.n_hidden == record.params["n"] + (16 if attachment == "projected" else 0)
        lineage = Lineage.from_json(record.lineage)
        assert (lineage is None) == (record.number < 6)
        if lineage is not None:
            assert lineage.way == record.origin
            assert len(set(lineage.parents)) == (2 if lineage.way == "crossover" else 1)
            assert all(0 <= parent < record.number for parent in lineage.parents)
            assert (lineage.n_moves > 0) == (lineage.way == "mutation")
            bred += not lineage.is_drawn
            first = records[lineage.parents[0]].params
            if not lineage.is_drawn:
                assert record.params["attach_seed"] == first["attach_seed"]
                assert record.params["family"] == first["family"]
                low, high = SPACE["degree"]
                assert record.params["degree"] == pytest.approx(min(max(record.degree, low), high))
    assert bred > 5


def test_a_lineage_can_be_replayed(records: Records):
    def graph(number: int) -> Wiring:
        record = records[number]
        return Wiring((record.n_hidden,), np.reshape(record.hidden_edges, (-1, 2)))

    ways = set()
    for record in records:
        lineage = Lineage.from_json(record.lineage)
        if lineage is None or lineage.is_drawn:
            continue
        parents = [graph(number) for number in lineage.parents]
        again = edit(parents[0], lineage.n_moves, lineage.seed) if lineage.n_moves else cross(*parents, lineage.seed)
        assert layer(again).edges.ravel().tolist() == list(record.hidden_edges)
        ways.add(lineage.way)
    assert ways == {"mutation", "crossover"}


@pytest.mark.parametrize(
    ("structure", "screened"),
    quick(product(STRUCTURES, [True, False]), ("dag", True), ("stack", False), ("recurrent", True)),
)
def test_a_resumed_search_is_the_undisturbed_one(tmp_path: Path, structure: str, screened: bool):
    whole = told(run(tmp_path / "whole", structure, screened=screened, trials=22))
    for trials in (3, 13, 22):
        records = run(tmp_path / "parts", structure, screened=screened, trials=trials)
        assert told(records) == whole[:trials]
    assert any(row[-1] is not None for row in whole) == screened
    assert told(run(tmp_path / "other", structure, screened=screened, seed=1, trials=3)) != whole[:3]


def test_the_number_of_threads_changes_nothing(tmp_path: Path, records: Records):
    assert told(run(tmp_path, threads=4)) == told(records)


def test_forecasts_are_stored_before_the_training(records: Records):
    later = [record for record in records if record.number >= 16]
    assert all(record.prediction_low < record.prediction < record.prediction_high for record in later)
    assert all(record.rank_correlation is not None for record in later)
    assert all(record.prediction is None for record in records[:6])


def test_a_surrogate_serves_four_trials(tmp_path: Path):
    records = run(tmp_path, batch=1)
    known = [record.rank_correlation for record in records[8:28]]
    assert all(len(set(known[first : first + 4])) == 1 for first in range(0, 20, 4))
    assert len(set(known)) == 5


@pytest.mark.parametrize("limit", [{"max_edges": 40}, {"max_parameters": 180}, {"nodes": 12}, {"degree": 4}])
def test_children_keep_to_the_limits_of_the_space(tmp_path: Path, limit: dict[str, int]):
    search = campaign(tmp_path, **limit)
    search.run()
    records = load(tmp_path)
    assert sum(record.origin in ("crossover", "mutation") for record in records) > 5
    for record in records:
        assert record.n_edges <= limit.get("max_edges", 1000)
        assert record.n_parameters <= limit.get("max_parameters", 10_000)
        assert record.n_hidden == limit.get("nodes", record.n_hidden)
        assert 3.5 <= record.degree <= 4.5 or "degree" not in limit


def test_without_edits_there_are_no_mutations(tmp_path: Path):
    search = campaign(tmp_path, edits=0)
    search.run()
    assert {record.origin for record in load(tmp_path)} == {"start-up", "crossover", "redraw"}


def test_graphs_of_ones_own_breed(tmp_path: Path):
    pool = GraphPool([nx.path_graph(9), nx.cycle_graph(12), nx.star_graph(14)])
    Campaign(
        tmp_path,
        evaluate=toy,
        n_inputs=4,
        n_outputs=2,
        sampler="genetic",
        startup=6,
        trials=24,
        space={"graphs": pool, "edits": 16},
    ).run()
    records = load(tmp_path)
    assert len({record.fingerprint for record in records}) == 24
    assert {"crossover", "mutation"} < {record.origin for record in records}


def test_only_the_latest_breed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(genetic_module, "_POPULATION", 5)
    records = run(tmp_path, batch=1, screened=False)
    for record in records[6:]:
        lineage = Lineage.from_json(record.lineage)
        assert lineage is not None
        assert all(record.number - 5 <= parent for parent in lineage.parents)


@pytest.mark.parametrize("direction", ["maximize", "minimize"])
def test_the_best_breed_more(tmp_path: Path, direction: str):
    sign = 1 if direction == "maximize" else -1
    records = run(tmp_path, batch=1, screened=False, direction=direction)
    ahead = []
    for record in records[10:]:
        lineage = Lineage.from_json(record.lineage)
        assert lineage is not None
        known = [sign * row.value for row in records[max(0, record.number - 25) : record.number]]
        ahead.append(np.mean(np.array(known) <= sign * records[lineage.parents[0]].value))
    assert np.mean(ahead) > 0.7


@pytest.mark.slow
def test_breeding_and_screening_pay(tmp_path: Path):
    """On an objective of the structure: random < genetic < genetic with screening, in the mean of what is proposed."""

    def mean(name: str, seed: int, **options: Any) -> float:
        records = run(tmp_path / f"{name}{seed}", "recurrent", seed=seed, trials=50, **options)
        return float(np.mean([record.value for record in records[20:]]))

    random, blind, screened = (
        np.array([mean(name, seed, **options) for seed in range(3)])
        for name, options in (
            ("random", {"sampler": "random"}),
            ("blind", {"screened": False}),
            ("screened", {"screened": True}),
        )
    )
    assert random.mean() < blind.mean() < screened.mean()
    assert (random < screened).all()


def test_children_are_screened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    gains, screened = Round.gains, []

    def noted(self: Round, among: np.ndarray, *given: Any, **options: Any) -> np.ndarray:
        screened.append(len(among))
        return gains(self, among, *given, **options)

    monkeypatch.setattr(Round, "gains", noted)
    run(tmp_path, trials=9, batch=1)
    assert screened == [_CHILDREN]


def test_no_wiring_is_proposed_twice(tmp_path: Path):
    """Even where there are few, and the same children are bred again and again."""
    search = campaign(tmp_path, "recurrent", nodes=(4, 5), degree=(2, 3), attachment="natural")
    search.run()
    assert len({record.fingerprint for record in load(tmp_path)}) == 30


# What it cannot do


@pytest.mark.slow
@pytest.mark.usefixtures("all_candidates")
def test_a_space_of_few_that_keep_to_its_limits(tmp_path: Path):
    """Among a thousand draws there may be none; start-up goes on with what is known to keep to them."""
    space = {"nodes": (20, 100), "reads": 2, "readouts": 4, "max_edges": 21}
    records = run(tmp_path, space=space, trials=12, startup=30)
    assert max(record.n_edges for record in records) <= 21
    assert len({record.fingerprint for record in records}) == 12


def test_what_cannot_be_bred_is_refused(tmp_path: Path):
    whole = Wiring((2, 3, 1), [(0, 2), (1, 3), (2, 5), (3, 5)], inputs=True, outputs=True)
    with pytest.raises(InputError, match=r"^sampler=genetic: the graphs of space\.graphs are taken as they are"):
        GeneticSampler(Space(graphs=GraphPool([whole])), size_of=NetworkSpec("mlp").n_parameters)
    with pytest.raises(InputError, match=r"^sampler=genetic: .* leave storage out$"):
        Campaign(tmp_path / "a", evaluate=toy, sampler="genetic", storage="postgresql://nobody@localhost:1/none")
    with pytest.raises(InputError, match=r"^sampler=genetic: it breeds by one objective"):
        Campaign(tmp_path / "b", task="digits", sampler="genetic", objective="pareto")
    assert not list(tmp_path.iterdir())


# What a predictor learns from it


def test_no_fold_of_a_predictor_divides_relatives(over: Campaign, records: Records):
    found = campaign_examples(records, over._rebuild, over.space, (4, 2), "value", "maximize")
    assert found.groups is not None
    place = {wiring.fingerprint: index for index, wiring in enumerate(found.wirings)}
    assert LEAST_LINEAGES <= len(set(found.groups)) < len(found)
    training = found.training()
    for fold in repeated_folds(len(found), 5, 3, training.groups.tolist(), 0)[0]:
        inside = set(fold.tolist())
        for row in records:
            lineage = Lineage.from_json(row.lineage)
            if lineage is not None and not lineage.is_drawn:
                for parent in lineage.parents:
                    assert (place[row.fingerprint] in inside) == (place[records[parent].fingerprint] in inside)


def test_a_predictor_needs_several_lineages(over: Campaign, records: Records):
    found = campaign_examples(records, over._rebuild, over.space, (4, 2), "value", "maximize")
    assert found.can_be_learnt
    assert not type(found)(**{**vars(found), "groups": tuple(i % 4 for i in range(len(found)))}).can_be_learnt
