"""Graphs of the user's own: which are refused, before anything is written, and what becomes of odd ones."""

from collections import Counter
from pathlib import Path
from typing import Any

import networkx as nx
import pytest
from survey_cases import make as survey

from nas.campaign import campaign as campaign_module
from nas.campaign.campaign import Campaign
from nas.errors import InputError
from nas.evaluation.watcher import Watcher
from nas.prediction.examples import survey_examples
from nas.report import output as output_module
from nas.space.space import Space, check_graphs, read_graphs
from nas.store.study import load
from nas.store.survey_table import load_survey
from priors import GraphPool, Wiring

RING = nx.cycle_graph(8)
CYCLE = nx.DiGraph([(0, 1), (1, 2), (2, 0)])
LOOP = nx.Graph([(0, 1), (1, 2), (2, 0), (3, 3), (3, 0)])
WHOLE = Wiring((4, 3, 2), [(0, 4), (1, 5), (4, 5), (5, 6), (6, 7), (6, 8)], inputs=True, outputs=True)
LAYERED = Wiring((2, 2), [(0, 2), (2, 0), (1, 3)])
NAMED = Wiring((3,), [(0, 1), (1, 2)], names=["input 0", "a", "b"])
SEEDS = {"order_seed": 3, "attach_seed": 5, "move_seed": 8}


class Lines(Watcher):
    """Keeps what is said."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def noticed(self, line: str) -> None:
        self.lines.append(line)


def edges(wiring: Wiring, _: Any) -> float:
    return wiring.hidden.n_edges / wiring.hidden.n_neurons


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Drawing, and what is learnt when all is over, take longer than all the rest of these campaigns."""
    monkeypatch.setattr(output_module, "plot_progress", lambda *_: None)
    monkeypatch.setattr(campaign_module, "fit_into", lambda *_, **__: None)


@pytest.mark.parametrize(
    ("graphs", "options", "message"),
    [
        ([WHOLE, RING], {}, "space.graphs: 0 has input units and others have none"),
        ([WHOLE], {"n_outputs": 3}, "space.graphs: 0 has 4 input and 2 output units; 4 and 3 are needed"),
        ([Wiring((3, 2), [(0, 3)], outputs=True)], {}, "space.graphs: 0 has output units and no input units"),
        ([CYCLE], {}, "space.graphs: 0 has directed cycles, .*; graphs_directed=false keeps"),
        ([RING, NAMED], {}, "space.graphs: 1: .*; without this graph the other 1 can be searched"),
        ([LOOP], {"network": "rnn"}, r"space.graphs: 0: edge \(3, 3\) is a self edge: .*; space.edits=0 leaves"),
        ([LAYERED], {"network": "rnn"}, "space.graphs: 0: .* has several layers and a cycle: .*; space.edits=0 leaves"),
        ([NAMED], {}, "space.graphs: 0: name 'input 0' is that of an attached unit"),
        ([WHOLE], {"sampler": "genetic"}, "sampler=genetic: the graphs of space.graphs are taken as they are"),
    ],
)
def test_what_no_network_can_be_made_of_is_refused_before_anything_is_written(
    tmp_path: Path, graphs: list[Any], options: dict[str, Any], message: str
):
    given = {
        "evaluate": edges,
        "n_inputs": 4,
        "n_outputs": 2,
        "space": Space(graphs=GraphPool(graphs), edits=16),
        **options,
    }
    with pytest.raises(InputError, match=f"^{message}") as caught:
        Campaign(tmp_path / "out", **given).run()
    assert "\n" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_what_a_network_without_cycles_cannot_have_is_left_out_and_said(tmp_path: Path):
    """One graph with directed cycles does not end a search of others, and self edges are dropped."""
    lines = Lines()
    one_way = nx.DiGraph([(0, 1), (1, 2), (1, 1)])
    space = Space(graphs=GraphPool([CYCLE, LOOP, RING, one_way], names=["cycle", "loop", "ring", "way"]))
    Campaign(tmp_path / "a", evaluate=edges, n_inputs=4, n_outputs=2, space=space, trials=3).run(lines)
    assert lines.lines[0].startswith("space.graphs: left out: cycle, for directed cycles")
    assert lines.lines[1].startswith("space.graphs: self edges of loop, way are dropped")
    assert [(own.n_neurons, own.n_edges) for own in space.pool] == [(4, 8), (8, 16), (3, 2)]
    assert space.pool.names == ("loop", "ring", "way")


def test_recurrent_networks_have_self_edges_and_cycles():
    pool = GraphPool([CYCLE, LOOP, RING])
    assert Space(graphs=pool, structure="recurrent").pool is pool
    assert Space(graphs=GraphPool([RING])).pool == GraphPool([RING])


def test_a_folder_with_cycles_and_self_edges_is_searched_as_it_is_and_undirected(tmp_path: Path):
    """What the line on cycles advises works, for graphs with self edges too."""
    both = CYCLE.copy()
    both.add_edge(0, 0)
    for name, graph in (("cycle", both), ("ring", RING)):
        nx.write_graphml(graph, tmp_path / f"{name}.graphml")
    folder = str(tmp_path)
    check_graphs(Space(graphs=folder), 4, 2)
    assert Space(graphs=folder).pool.names == ("ring.graphml",)
    space = Space(graphs=folder, graphs_directed=False)
    check_graphs(space, 4, 2)
    assert space.pool.names == ("cycle.graphml", "ring.graphml")


@pytest.mark.parametrize("graph", [LOOP, LAYERED])
def test_what_cannot_be_edited_serves_where_nothing_is(tmp_path: Path, graph: Any):
    pool = GraphPool([graph])
    for options in ({"sampler": "random"}, {"space": Space(graphs=pool, edits=0)}):
        given = {"evaluate": edges, "network": "rnn", "space": Space(graphs=pool), "trials": 3, **options}
        assert Campaign(tmp_path / str(len(given)), n_inputs=4, n_outputs=2, **given).run().complete == 3


@pytest.mark.parametrize("structure", ["dag", "stack"])
def test_edits_of_a_graph_without_edges_make_no_cycle(structure: Any):
    space = Space(graphs=GraphPool([nx.empty_graph(5)]), structure=structure)
    for n_moves in (1, 2, 9):
        params = {"graph": 0, "orientation": "random", "attachment": "natural", "n_moves": n_moves, **SEEDS}
        wiring = space.wiring(params)
        between = wiring.edges[wiring.forward]
        assert Wiring((wiring.n_neurons,), between).is_acyclic
    assert len(between) > 0


@pytest.mark.parametrize("sampler", ["structural", "genetic"])
def test_a_search_begins_with_graphs_without_edges(tmp_path: Path, sampler: str):
    space = Space(graphs=GraphPool([nx.empty_graph(4), nx.empty_graph(1)]), attachment="natural", edits=16)
    given = {"evaluate": edges, "n_inputs": 3, "n_outputs": 2, "trials": 16, "startup": 4, "sampler": sampler}
    outcome = Campaign(tmp_path, space=space, **given).run()
    assert outcome.complete == 16
    assert outcome.best is not None
    assert outcome.best["value"] > 0


def test_edits_are_found_where_all_graphs_were_tried(tmp_path: Path):
    """Two graphs have but two wirings, each of which may be trained once; edits of them are many."""
    space = Space(graphs=GraphPool([RING, nx.cycle_graph(9)]), structure="recurrent", attachment="natural", edits=16)
    given = {"evaluate": lambda *_: 1.0, "n_inputs": 3, "n_outputs": 2, "trials": 30, "repeats": 1, "network": "rnn"}
    Campaign(tmp_path, space=space, **given).run()
    assert len({record.fingerprint for record in load(tmp_path)}) == 30


def test_a_survey_trains_own_graphs(tmp_path: Path):
    graphs, out = tmp_path / "graphs", tmp_path / "out"
    graphs.mkdir()
    for name, graph in {"a": nx.path_graph(9), "b": nx.star_graph(7)}.items():
        nx.write_graphml(graph, graphs / f"{name}.graphml")
    space = {"graphs": str(graphs), "attachment": "natural"}
    for wirings in (3, 8):
        survey(out, space=space, wirings=wirings).run()
    table = load_survey(out)
    frame = table.to_frame()
    assert set(zip(frame["param_graph"], frame["graph_name"], strict=True)) == {(0, "a.graphml"), (1, "b.graphml")}
    for number in range(8):
        assert table.wiring(number).hidden.n_neurons == (9, 8)[table.parameters(number)["graph"]]


def test_a_survey_divides_no_graph_in_validation(tmp_path: Path):
    """The ways in which one graph is oriented are relatives, and so are equal graphs of different names."""
    graphs = tmp_path / "graphs"
    graphs.mkdir()
    for name, graph in {"a": nx.path_graph(9), "b": nx.star_graph(7), "c": nx.path_graph(9)}.items():
        nx.write_graphml(graph, graphs / f"{name}.graphml")
    survey(tmp_path / "out", space={"graphs": str(graphs), "attachment": "natural"}, wirings=12).run()
    table = load_survey(tmp_path / "out")
    drawn = [table.parameters(number)["graph"] for number in range(12)]
    assert set(drawn) == {0, 1, 2}
    examples = survey_examples(table)
    assert len({wiring.hidden.fingerprint for wiring in examples.wirings}) > 2
    sizes = [wiring.hidden.n_neurons for wiring in examples.wirings]
    assert examples.groups == tuple(map(sizes.index, sizes))


def test_a_survey_goes_on_with_the_same_graphs_only(tmp_path: Path):
    path, out = tmp_path / "graph.graphml", tmp_path / "out"
    nx.write_graphml(nx.path_graph(9), path)
    survey(out, space={"graphs": str(path)}, wirings=3).run()
    nx.write_graphml(nx.path_graph(8), path)
    read_graphs.cache_clear()
    with pytest.raises(
        InputError, match=r"^space.graphs: the survey in .* was started with other graphs; .*--directed"
    ):
        survey(out, space={"graphs": str(path)}, wirings=8).run()
    with pytest.raises(InputError, match=r"^space\.graphs: .* give a path"):
        survey(tmp_path / "other", space={"graphs": GraphPool([RING])})


def test_unedited_graphs_are_not_tried_with_edits():
    space = Space(graphs=GraphPool([LOOP]), structure="recurrent", edits=1)
    check_graphs(space, 4, 2)
    with pytest.raises(InputError):
        check_graphs(space, 4, 2, edited=True)


def small_worlds(n: int) -> GraphPool:
    return GraphPool([nx.connected_watts_strogatz_graph(8, 4, 0.5, seed=seed) for seed in range(n)])


@pytest.mark.parametrize("sampler", ["structural", "tpe", "random"])
@pytest.mark.parametrize("network", ["mlp", "rnn"])
def test_an_own_evaluation_gets_own_graphs_as_they_are_each_once_before_any_twice(
    tmp_path: Path, sampler: str, network: str
):
    pool, got = small_worlds(12), []

    def value(wiring: Wiring, params: Any) -> float:
        got.append(wiring)
        assert wiring is pool[params["graph"]]
        return edges(wiring, params) + wiring.n_edges % 3

    given = {"evaluate": value, "space": Space(graphs=pool), "sampler": sampler, "network": network}
    watcher = Lines()
    Campaign(tmp_path, **given, trials=24).run(watcher)
    assert watcher.lines == ["space.graphs: 12 graphs as they are, each once before any is evaluated again"]
    assert len(set(got[:12])) == len(set(pool))
    counts = Counter(record.params["graph"] for record in load(tmp_path))
    assert set(counts) == set(range(12))
    assert Campaign(tmp_path, **given, trials=25).run().complete == 25


def test_weights_and_names_reach_an_own_evaluation(tmp_path: Path):
    weighted = Wiring((3,), [(0, 1), (1, 2), (2, 0)], weights=[0.5, -2.0, 3.0], names=["a", "b", "c"])
    Campaign(
        tmp_path,
        evaluate=lambda wiring, _: float(wiring.weights[1]) if wiring.names == ("a", "b", "c") else 0.0,
        space=Space(graphs=GraphPool([weighted])),
        trials=1,
    ).run()
    assert load(tmp_path)[0].value == -2.0


def test_own_graphs_are_edited_and_oriented_where_that_is_asked_for(tmp_path: Path):
    pool = small_worlds(3)
    for name, space in (
        ("edited", Space(graphs=pool, edits=4)),
        ("oriented", Space(graphs=pool, orientation="random")),
    ):
        got = []
        Campaign(tmp_path / name, evaluate=lambda wiring, _, got=got: got.append(wiring) or 1.0, space=space).run()
        assert any(wiring not in pool.wirings for wiring in got)
        assert {wiring.is_undirected for wiring in got} == {name == "edited"}
    assert Space(graphs=pool).edits == 0
    assert Space().edits == 16


def test_what_a_task_makes_of_graphs_without_directions_is_said(tmp_path: Path):
    space = Space(graphs=small_worlds(5), structure="dag")
    (line,) = space.notices()
    assert line == (
        "space.graphs: 5 of 5 graphs have no directions: orientation=random gives each edge one, which structure=dag "
        "needs"
    )
    assert Space(graphs=small_worlds(5), structure="recurrent").notices() == []
    with pytest.raises(InputError, match="structure=given does not fit network=mlp; valid: dag"):
        Campaign(tmp_path, task="digits", space=Space(graphs=small_worlds(5), structure="given"))
    with pytest.raises(ValueError, match="structure=given: it is for own graphs"):
        Space(structure="given")


def test_a_campaign_that_began_with_other_defaults_goes_on_with_them(tmp_path: Path):
    pool = small_worlds(6)
    given = {"evaluate": edges, "startup": 2}
    before = Space(graphs=pool, structure=None, edits=16)
    Campaign(tmp_path, **given, space=before, trials=2).run()
    again = Campaign(tmp_path, **given, space=Space(graphs=pool), trials=3)
    assert again.options.space == before
    assert again.run().complete == 3


def test_a_survey_trains_each_graph_before_any_twice(tmp_path: Path):
    graphs = tmp_path / "graphs"
    graphs.mkdir()
    for index, graph in enumerate([*small_worlds(5), *map(nx.path_graph, (30, 40))]):
        nx.write_graphml(
            graph if isinstance(graph, nx.Graph) else graph.to_networkx().to_undirected(), graphs / f"{index}.graphml"
        )
    for name, limits, n in (("all", {}, 7), ("some", {"max_edges": 20}, 5)):
        survey(tmp_path / name, space={"graphs": str(graphs), "structure": "dag", **limits}, wirings=2 * n + 1).run()
        table = load_survey(tmp_path / name)
        drawn = [table.parameters(number)["graph"] for number in range(2 * n + 1)]
        assert sorted(drawn[:n]) == sorted(drawn[n : 2 * n]) == sorted(set(drawn))
        assert len(set(drawn)) == n
        assert drawn[:n] != sorted(drawn[:n])
