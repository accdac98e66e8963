"""Lineage: who is related to whom, and how it is stored."""

import json
from typing import Any

from nas.prediction.examples import lineages
from nas.space.lineage import Lineage
from nas.store.records import Record


def record(
    number: int, way: str = "", parents: tuple[int, ...] = (), edges: tuple[int, ...] = (), **params: Any
) -> Record:
    lineage = Lineage(parents, way, 0, 0).to_json() if way else ""
    return Record(number, "complete", 0.0, params, n_hidden=9, hidden_edges=edges or (number, number), lineage=lineage)


def test_relatives_are_found():
    records = [
        record(0, graph_seed=1, order_seed=1),
        record(1, graph_seed=2, order_seed=1),
        record(2, "mutation", (0,), graph_seed=1, order_seed=1),
        record(3, "redraw", (0,), graph_seed=3, order_seed=2),
        record(4, "crossover", (3, 1), graph_seed=3, order_seed=2),
        record(5, graph_seed=5, order_seed=5, n_moves=2),
        record(6, graph_seed=5, order_seed=5, n_moves=7, move_seed=8),
        record(7, graph_seed=7, edges=(1, 2)),
        record(8, graph_seed=8, edges=(1, 2)),
        record(9, graph_seed=9),
        record(10, graph=3, order_seed=1),
        record(11, graph=3, order_seed=1, n_moves=1),
        record(12, graph=3, order_seed=2),
        Record(13, "failed", None, {}),
        Record(14, "failed", None, {}),
    ]
    found = lineages(records)
    assert found == {0: 0, 1: 1, 2: 0, 3: 1, 4: 1, 5: 5, 6: 5, 7: 7, 8: 7, 9: 9, 10: 10, 11: 10, 12: 12, 13: 13, 14: 14}


def test_relatives_of_relatives_are_related():
    chain = [record(0, graph_seed=0)] + [record(i, "mutation", (i - 1,), graph_seed=0) for i in range(1, 400)]
    assert set(lineages(chain).values()) == {0}
    late = [record(0, graph_seed=0), record(1, graph_seed=1), record(2, graph_seed=2), record(3, "crossover", (0, 2))]
    assert lineages(late) == {0: 0, 1: 1, 2: 0, 3: 0}


def test_neurons_without_edges_between_them_are_related_where_they_read_the_same():
    reading = [Record(number, "complete", 0.0, {}, n_hidden=9, fingerprint=own) for number, own in enumerate("aba")]
    assert lineages(reading) == {0: 0, 1: 1, 2: 0}


def test_a_lineage_is_kept_as_json():
    lineage = Lineage((3, 5), "crossover", 0, 12)
    assert json.loads(lineage.to_json()) == {"parents": [3, 5], "way": "crossover", "n_moves": 0, "seed": 12}
    assert Lineage.from_json(lineage.to_json()) == lineage
    assert Lineage.from_json("") is None
