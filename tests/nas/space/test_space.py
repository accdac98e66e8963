"""Space: what is searched, where it acts, and that a wiring is a pure function of its parameters."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from nas.errors import InputError
from nas.options.options import resolve
from nas.space.families import own_parameters, searched_families
from nas.space.space import SEED_NAMES, Space
from nas.store.records import describe
from priors import ATTACHMENTS, ORIENTATIONS

ROOT = Path(__file__).resolve().parents[3]
STRUCTURES = ("dag", "recurrent", "stack")


class FirstChoice:
    """A sampler that takes the low end of everything and notes what it was asked."""

    def __init__(self, family: str) -> None:
        self.family = family
        self.asked: dict[str, Any] = {}

    def suggest_categorical(self, name: str, choices: Any) -> Any:
        self.asked[name] = tuple(choices)
        return self.family if name == "family" else choices[0]

    def suggest_int(self, name: str, low: int, high: int) -> int:
        self.asked[name] = (low, high)
        return low

    def suggest_float(self, name: str, low: float, high: float) -> float:
        self.asked[name] = (low, high)
        return low


@st.composite
def candidates(draw: st.DrawFn) -> tuple[Space, dict[str, Any]]:
    structure = draw(st.sampled_from(STRUCTURES))
    space = Space(structure=structure, reads=draw(st.integers(1, 5)), width=draw(st.integers(1, 5)))
    params: dict[str, Any] = {
        "family": draw(st.sampled_from(sorted(searched_families()))),
        "n": draw(st.integers(4, 25)),
        "degree": draw(st.floats(0.1, 30.0)),
        **{name: draw(st.sampled_from(parameter.default)) for name, parameter in own_parameters().items()},
        "p": draw(st.floats(0.0, 1.0)),
        "initial": draw(st.sampled_from(["isolated", "star", "complete"])),
        "orientation": draw(st.sampled_from(ORIENTATIONS)),
        "attachment": draw(st.sampled_from(ATTACHMENTS)),
        **{name: draw(st.integers(0, 2**31 - 1)) for name in SEED_NAMES},
    }
    return space, params


@given(candidates())
@settings(deadline=None, max_examples=150)
def test_a_wiring_is_a_pure_function_of_its_stored_parameters(candidate: tuple[Space, dict[str, Any]]):
    space, params = candidate
    first = space.wiring(params, 7, 3)
    np.random.default_rng(0).random(5)
    stored = json.loads(json.dumps(params))
    again = Space(**space.model_dump()).wiring(dict(reversed(stored.items())), 7, 3)
    assert again.fingerprint == first.fingerprint
    assert (first.n_inputs, first.n_outputs) == (7, 3)


@given(candidates())
@settings(deadline=None, max_examples=150)
def test_the_degree_of_the_record_is_that_of_the_graph(candidate: tuple[Space, dict[str, Any]]):
    space, params = candidate
    graph = nx.Graph(space.prior(params).sample(params["graph_seed"]).to_networkx())
    wiring = space.wiring(params, 7, 3)
    assert describe(wiring, params["attachment"])["degree"] == pytest.approx(2 * graph.number_of_edges() / params["n"])
    alone = space.wiring(params)
    assert not alone.inputs
    assert not alone.outputs
    assert describe(alone)["degree"] == pytest.approx(2 * graph.number_of_edges() / params["n"])


def test_the_record_holds_the_degree_that_was_reached():
    space = Space(structure="dag")
    params = {"family": "barabasi-albert", "n": 20, "degree": 12.0, "initial": "isolated", "orientation": "random"}
    params |= {"attachment": "controlled", "graph_seed": 1, "order_seed": 2, "attach_seed": 3}
    assert describe(space.wiring(params, 64, 10))["degree"] == 10.0


@pytest.mark.parametrize("name", ["graph_seed", "order_seed", "attach_seed"])
def test_every_seed_acts(name: str):
    space = Space(structure="dag", reads=2)
    params: dict[str, Any] = {"family": "erdos-renyi", "n": 20, "degree": 4.0, "orientation": "random"}
    params |= {"attachment": "controlled", "graph_seed": 1, "order_seed": 2, "attach_seed": 3}
    assert space.wiring(params, 8, 2) != space.wiring({**params, name: 99}, 8, 2)


def test_structures_are_what_they_are_called():
    params: dict[str, Any] = {"family": "watts-strogatz", "n": 12, "degree": 4.0, "p": 0.2, "orientation": "index"}
    params |= {"attachment": "natural", "graph_seed": 5, "order_seed": 6, "attach_seed": 7}
    dag, recurrent, stack = (Space(structure=structure).wiring(params) for structure in STRUCTURES)
    assert dag.forward.all()
    assert dag.n_edges == 24
    assert recurrent.n_layers == 1
    assert recurrent.n_edges == 48
    assert stack.sizes == dag.sizes
    assert stack.n_edges == dag.n_edges + sum(size**2 for size in dag.sizes)


@pytest.mark.parametrize(
    ("family", "structure", "conditional"),
    [
        ("watts-strogatz", "dag", {"p", "orientation"}),
        ("watts-strogatz", "recurrent", {"p"}),
        ("barabasi-albert", "stack", {"initial", "orientation"}),
        ("barabasi-albert", "recurrent", {"initial"}),
        ("erdos-renyi", "dag", {"orientation"}),
        ("erdos-renyi", "recurrent", set()),
    ],
)
def test_conditional_parameters_are_asked_for_only_where_they_act(family: str, structure: Any, conditional: set[str]):
    trial = FirstChoice(family)
    families = searched_families()
    ranges = {"nodes": (20, 30), "degree": (2, 3), "p": (0.1, 0.2), "orientation": ("index", "degree")}
    space = Space(structure=structure, priors=families, **ranges)
    params = space.suggest(trial)
    assert set(params) == set(trial.asked) == {"family", "n", "degree", "attachment"} | conditional
    assert trial.asked["n"] == (20, 30)
    assert trial.asked["degree"] == (2.0, 3.0)
    assert trial.asked["family"] == searched_families()
    assert trial.asked.get("p", (0.1, 0.2)) == (0.1, 0.2)
    assert trial.asked.get("orientation", ("index", "degree")) == ("index", "degree")
    seeds = space.seeds(np.random.default_rng(0))
    assert ("order_seed" in seeds) == (structure != "recurrent")
    assert space.wiring({**params, **seeds}, 3, 2).n_hidden == 20


def test_seeds_are_drawn_by_the_stream_alone():
    space = Space(structure="dag")
    first, again = (space.seeds(np.random.default_rng(4)) for _ in range(2))
    assert first == again
    assert list(first) == list(SEED_NAMES)
    assert len(set(first.values())) == 3
    assert all(0 <= seed < 2**31 and type(seed) is int for seed in first.values())


@pytest.mark.parametrize(
    ("given_range", "parsed"), [("20:100", (20, 100)), ("64", (64, 64)), (64, (64, 64)), ([20, 100], (20, 100))]
)
def test_a_range_is_written_in_several_ways(given_range: Any, parsed: tuple[int, int]):
    assert Space(nodes=given_range).nodes == parsed


@pytest.mark.parametrize(
    ("given_range", "parsed"),
    [("2:6.5", (2.0, 6.5)), ("4", (4.0, 4.0)), (4.5, (4.5, 4.5)), ((2, 12), (2.0, 12.0)), ("1e1:2e1", (10.0, 20.0))],
)
def test_a_range_of_real_numbers_is_written_in_several_ways(given_range: Any, parsed: tuple[float, float]):
    assert Space(degree=given_range).degree == parsed


@pytest.mark.parametrize(
    "wrong", ["", ":", "20:", ":20", "20:30:40", "a:b", "30:20", "3:20", "20-30", [1, 2, 3], "nan", None]
)
def test_a_wrong_range_is_one_line(wrong: Any):
    for name in ("nodes", "degree", "p"):
        if (name, wrong) == ("degree", "3:20"):
            continue
        with pytest.raises(InputError) as caught:
            resolve({"space": {name: wrong}})
        assert "\n" not in str(caught.value)
        assert str(caught.value).startswith(f"space.{name}")


def test_a_range_out_of_bounds_names_the_rule():
    with pytest.raises(InputError, match=r"^space\.nodes=5:3: a range needs 4 <= low <= high <= 100000$"):
        resolve({"space": {"nodes": "5:3"}})
    with pytest.raises(InputError, match=r"^space\.p=0\.0:1\.5: a range needs 0\.0 <= low <= high <= 1\.0$"):
        resolve({"space": {"p": "0:1.5"}})


@pytest.mark.parametrize(
    ("name", "wrong", "nearest"),
    [
        ("priors", "wats-strogatz", "watts-strogatz"),
        ("orientation", "randm", "random"),
        ("attachment", "controled", "controlled"),
        ("initial", "complet", "complete"),
    ],
)
def test_an_unknown_name_names_the_nearest(name: str, wrong: str, nearest: str):
    for value in (wrong, [wrong]):
        with pytest.raises(InputError) as caught:
            resolve({"space": {name: value}})
        assert str(caught.value).startswith(f"space.{name} {wrong!r} is not known (nearest: {nearest}); known: ")
        assert "\n" not in str(caught.value)


def test_the_families_are_those_that_can_be_drawn():
    assert set(Space().priors) < set(searched_families())
    assert Space(priors=searched_families()).priors == searched_families()


def test_the_help_need_not_wait_for_numpy():
    code = "import sys, nas.space.space; sys.exit('numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0


def test_names_are_one_or_several_and_count_once():
    assert Space(priors="erdos-renyi").priors == ("erdos-renyi",)
    assert Space(attachment=["natural", "controlled", "natural"]).attachment == ("natural", "controlled")
    with pytest.raises(InputError):
        Space(priors=())


def test_a_wrong_space_is_one_line_by_itself_and_within_options():
    with pytest.raises(InputError, match=r"^nodes=60:20: a range needs") as caught:
        Space(nodes=(60, 20))
    assert "\n" not in str(caught.value)
    with pytest.raises(InputError, match=r"^space\.nodes=60:20: a range needs"):
        resolve({"space": {"nodes": (60, 20)}})
    assert Space.model_validate({"nodes": 5}) == Space(nodes=5)


def test_a_space_is_frozen():
    with pytest.raises(ValidationError):
        Space().nodes = (1, 2)  # type: ignore[misc]
