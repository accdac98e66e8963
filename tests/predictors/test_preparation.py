"""Bare graphs become wirings like those that were trained."""

import re

import numpy as np
import pytest

from predictors.preparation import Preparation
from priors import BarabasiAlbert, WattsStrogatz, Wiring, attach, layer, orient, stack

GRAPH = WattsStrogatz(20, 4, 0.3).sample(1)
MLP = Preparation(attachment=("natural",), n_inputs=5, n_outputs=3)


def test_an_undirected_graph_stands_for_sixteen_orientations():
    found = MLP.wirings(GRAPH)
    assert len(found) == 16
    assert len({wiring.fingerprint for wiring in found}) == 16
    for number, wiring in enumerate(found):
        assert wiring.is_acyclic
        assert (wiring.n_inputs, wiring.n_outputs, wiring.n_hidden) == (5, 3, 20)
        assert wiring.hidden == layer(orient(GRAPH, "random", number))


def test_draws_are_the_same_every_time():
    assert MLP.wirings(GRAPH) == MLP.wirings(GRAPH)


@pytest.mark.parametrize("order", ["index", "degree"])
def test_orders_without_chance_give_one_wiring(order: str):
    found = Preparation(orientation=(order,)).wirings(GRAPH)
    assert found == [layer(orient(GRAPH, order))]


def test_a_dag_keeps_its_directions():
    dag = orient(GRAPH, "random", 3)
    assert MLP.wirings(dag) == [attach(layer(dag), 5, 3, "natural")]


def test_controlled_attachment_is_drawn_for_a_dag_too():
    dag = orient(GRAPH, "random", 3)
    found = Preparation(attachment=("controlled",), n_inputs=30, n_outputs=3).wirings(dag)
    assert len(found) == 16
    assert {wiring.hidden.fingerprint for wiring in found} == {layer(dag).fingerprint}
    assert len({wiring.fingerprint for wiring in found}) == 16


def test_recurrent_networks_take_the_graph_as_it_is():
    found = Preparation(structure="recurrent", attachment=("natural",), n_inputs=4, n_outputs=2).wirings(GRAPH)
    assert [wiring.hidden for wiring in found] == [GRAPH]


def test_stacks_get_recurrence_inside_layers():
    found = Preparation(structure="stack", orientation=("index",)).wirings(GRAPH)
    assert found == [stack(layer(orient(GRAPH, "index")))]


def test_every_choice_has_its_turn():
    both = Preparation(orientation=("index", "degree"), attachment=("natural", "published"), n_inputs=2, n_outputs=2)
    expected = [
        attach(layer(orient(GRAPH, order)), 2, 2, mode)
        for mode in ("natural", "published")
        for order in ("index", "degree")
    ]
    assert both.wirings(GRAPH) == expected


def test_attachments_have_their_turn_where_nothing_is_oriented():
    dag = orient(GRAPH, "index")
    both = Preparation(orientation=("index", "degree"), attachment=("natural", "published"), n_inputs=2, n_outputs=2)
    assert both.wirings(dag) == [attach(layer(dag), 2, 2, mode) for mode in ("natural", "published")]


def test_a_wiring_with_units_is_taken_as_it_is():
    whole = attach(layer(orient(GRAPH, "index")), 7, 2, "natural")
    assert MLP.wirings(whole) == [whole]


def test_layers_are_kept():
    layered = Wiring((2, 3, 1), [(0, 2), (1, 3), (2, 5)])
    assert Preparation().wirings(layered) == [layered]


def test_edgeless_graphs_are_prepared():
    (found,) = MLP.wirings(Wiring((3,)))
    assert found.n_edges == 3 * 5 + 3 * 3


def test_directed_cycles_are_refused_where_training_had_none():
    cycle = Wiring((3,), [(0, 1), (1, 2), (2, 0)])
    with pytest.raises(ValueError, match="the graph has directed cycles, and the training wirings have none"):
        MLP.wirings(cycle)
    with pytest.raises(ValueError, match="directed cycles"):
        Preparation(structure="stack").wirings(cycle)
    assert Preparation(structure="recurrent").wirings(cycle) == [cycle]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"structure": "tree"}, "structure='tree': valid are dag, recurrent, stack"),
        ({"orientation": ("up",)}, "orientation='up': valid are index, random, degree"),
        ({"orientation": ()}, "orientation is empty"),
        ({"attachment": ("glue",), "n_inputs": 1}, "attachment='glue': valid are"),
        ({"attachment": ("natural",)}, "n_inputs=0: it must be between 1 and"),
        ({"draws": 0}, "draws=0: it must be between 1 and"),
        ({"draws": 65}, "draws=65: it must be between 1 and 64"),
        ({"orientation": "index"}, "orientation='index': it must be a tuple of names"),
    ],
)
def test_wrong_arguments_are_named(arguments: dict, message: str):
    with pytest.raises(ValueError, match=re.escape(message)):
        Preparation(**arguments)


def test_draws_cover_random_attachment_of_grown_graphs():
    graph = BarabasiAlbert(12, 2).sample(0)
    found = Preparation(structure="recurrent", attachment=("controlled",), n_inputs=20, n_outputs=1, reads=3).wirings(
        graph
    )
    assert len(found) == 16
    assert all(np.all(wiring.in_degree[20:32] >= 3) for wiring in found)


def test_a_small_file_cannot_take_all_memory():
    greedy = Preparation(attachment=("natural",), n_inputs=2**20, n_outputs=2**20)
    with pytest.raises(ValueError, match="20 neurons, 1048576 inputs and 1048576 outputs: "):
        greedy.wirings(GRAPH)
