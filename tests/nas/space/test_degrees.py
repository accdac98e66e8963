"""Degrees: every family takes the nearest mean degree that it can reach."""

from typing import Any

import networkx as nx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nas.space.families import FAMILIES, own_parameters, searched_families
from nas.space.space import Space
from priors import BarabasiAlbert, ErdosRenyi, WattsStrogatz

few = settings(deadline=None, max_examples=40)


def mean_degree(family: str, n: int, degree: float, initial: str = "isolated") -> float:
    """As networkx counts it in a graph that was drawn."""
    own = {name: parameter.default[-1] for name, parameter in own_parameters().items()}
    prior = FAMILIES[family].of_degree({**own, "n": n, "degree": degree, "p": 0.3, "initial": initial})
    graph = prior.sample(0).to_networkx()
    undirected = nx.Graph(graph)
    assert undirected.number_of_nodes() == n
    return 2 * undirected.number_of_edges() / n


@pytest.mark.parametrize(("degree", "k"), [(0.1, 2), (2.9, 2), (3.1, 4), (6.0, 6), (7.2, 8), (300.0, 18)])
def test_watts_strogatz_takes_the_nearest_even_degree(degree: float, k: int):
    assert FAMILIES["watts-strogatz"].of_degree({"n": 20, "degree": degree, "p": 0.5}) == WattsStrogatz(20, k, 0.5)


@pytest.mark.parametrize(
    ("n", "degree", "m"),
    [(20, 0.1, 1), (20, 1.9, 1), (20, 3.6, 2), (20, 10.0, 10), (20, 12.0, 10), (100, 12.0, 6), (4, 12.0, 2)],
)
def test_barabasi_albert_takes_the_nearest_number_of_edges(n: int, degree: float, m: int):
    assert FAMILIES["barabasi-albert"].of_degree({"n": n, "degree": degree, "initial": "isolated"}) == BarabasiAlbert(
        n, m
    )


def test_barabasi_albert_reaches_a_mean_degree_of_ten_at_twenty_nodes():
    assert mean_degree("barabasi-albert", 20, 12.0) == 10.0
    assert mean_degree("barabasi-albert", 20, 12.0, "star") == 10.0
    assert mean_degree("barabasi-albert", 20, 12.0, "complete") == pytest.approx(12.0, abs=0.5)
    assert mean_degree("barabasi-albert", 20, 19.0, "complete") == 19.0


@few
@given(n=st.integers(2, 60), degree=st.floats(0.1, 70.0), initial=st.sampled_from(["isolated", "star", "complete"]))
def test_no_other_growth_comes_nearer_to_a_degree(n: int, degree: float, initial: str):
    def edges(m: int) -> int:
        return m * (n - m) if initial != "complete" else m * (m + 1) // 2 + m * (n - m - 1)

    found = FAMILIES["barabasi-albert"].of_degree({"n": n, "degree": degree, "initial": initial})
    assert found.m == min(range(1, n), key=lambda m: abs(edges(m) - degree * n / 2))


def test_a_growth_is_chosen_at_once_among_any_number():
    assert FAMILIES["barabasi-albert"].of_degree({"n": 10**9, "degree": 6.0, "initial": "isolated"}).m == 3


def test_parameters_outside_of_a_space_are_refused():
    space = Space(nodes=(10, 20), degree=4.0)
    params = {"family": "barabasi-albert", "n": 12, "degree": 4.0, "initial": "isolated"}
    space.check_params(params)
    for name, value in (
        ("n", 10**9),
        ("n", 9),
        ("n", 12.0),
        ("degree", 4.5),
        ("family", "ring"),
        ("degree", float("nan")),
    ):
        with pytest.raises(ValueError, match=rf"^{name}={value!r} is outside of its space, "):
            space.check_params({**params, name: value})


def test_erdos_renyi_takes_the_nearest_number_of_edges():
    assert FAMILIES["erdos-renyi"].of_degree({"n": 20, "degree": 3.14}) == ErdosRenyi(20, edges=31)
    assert FAMILIES["erdos-renyi"].of_degree({"n": 4, "degree": 0.1}) == ErdosRenyi(4, edges=1)
    assert FAMILIES["erdos-renyi"].of_degree({"n": 4, "degree": 99.0}) == ErdosRenyi(4, edges=6)


@given(
    family=st.sampled_from(searched_families()),
    n=st.integers(4, 40),
    degree=st.floats(0.1, 60.0),
    initial=st.sampled_from(["isolated", "star", "complete"]),
)
@few
def test_no_reachable_degree_is_nearer(family: str, n: int, degree: float, initial: str):
    reachable = {
        "watts-strogatz": range(2, n, 2),
        "barabasi-albert": [
            2 * (m * (n - m) + (m * (m - 1) // 2 if initial == "complete" else 0)) / n for m in range(1, n)
        ],
        "newman-watts": [2 * edges / n for edges in range(n, n * (n - 1) // 2 + 1)],
        "random-regular": [d for d in range(2, n) if n * d % 2 == 0],
    }.get(family, [2 * edges / n for edges in range(1, n * (n - 1) // 2 + 1)])
    nearest = min(abs(each - degree) for each in reachable)
    assert abs(mean_degree(family, n, degree, initial) - degree) == pytest.approx(nearest, abs=1e-9)


@pytest.mark.parametrize(
    ("space", "lines"),
    [
        ({}, []),
        ({"nodes": 64, "degree": 8}, []),
        ({"nodes": 5, "degree": (2, 4), "priors": "watts-strogatz"}, []),
        ({"nodes": (8, 20), "degree": (2, 6), "initial": ("isolated", "complete")}, []),
        (
            {"nodes": 5, "degree": 8},
            [
                "space.degree=8: watts-strogatz of 5 neurons reaches 4 at most, and gets 4",
                "space.degree=8: barabasi-albert of 5 neurons reaches 2.4 at most, and gets 2.4",
                "space.degree=8: erdos-renyi of 5 neurons reaches 4 at most, and gets 4",
            ],
        ),
        (
            {"nodes": (4, 20), "degree": (2, 12)},
            ["space.degree=2:12: barabasi-albert of 4 to 20 neurons reaches 10 at most, and gets no more"],
        ),
        (
            {"nodes": 20, "degree": (0.5, 1.5), "priors": ("watts-strogatz", "erdos-renyi")},
            ["space.degree=0.5:1.5: watts-strogatz of 20 neurons reaches 2 at least, and gets 2"],
        ),
        (
            {"nodes": 6, "degree": (1.5, 8), "priors": "watts-strogatz"},
            [
                "space.degree=1.5:8: watts-strogatz of 6 neurons reaches 2 at least, and gets no less; "
                "it reaches 4 at most, and gets no more"
            ],
        ),
        ({"nodes": 5, "degree": 8, "graphs": "graphs.zip"}, []),
    ],
)
def test_what_is_out_of_reach_is_told_with_what_it_becomes(space: dict[str, Any], lines: list[str]):
    assert Space(**space).out_of_reach() == lines


@given(
    family=st.sampled_from(searched_families()),
    n=st.integers(4, 16),
    more=st.integers(0, 5),
    degree=st.floats(0.1, 20.0),
    initial=st.sampled_from(["isolated", "star", "complete"]),
)
@few
def test_a_degree_is_out_of_reach_where_no_size_comes_near_it(
    family: str, n: int, more: int, degree: float, initial: str
):
    sizes = range(n, n + more + 1)
    ends = [mean_degree(family, size, wanted, initial) for size in sizes for wanted in (0.0, 40.0)]
    told = Space(priors=family, nodes=(n, n + more), degree=degree, initial=initial).out_of_reach()
    assert bool(told) == (not min(ends) <= degree <= max(ends))
