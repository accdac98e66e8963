"""Draws of a survey: uniform, each one its own function of (seed, number)."""

import numpy as np
import pytest
from scipy import stats

from nas.errors import InputError
from nas.networks import NetworkSpec
from nas.seeds import stream
from nas.space.draws import Draws, Uniform
from nas.space.space import Space

SPEC = NetworkSpec("mlp")


def draws(seed: int = 0, **space: object) -> Draws:
    return Draws(
        Space.model_validate({"structure": "dag", "nodes": (8, 20), "degree": (2, 4), **space}), seed, SPEC, 5, 3
    )


def test_a_draw_depends_on_seed_and_number_alone():
    forwards = [draws().draw(number) for number in range(6)]
    backwards = [draws().draw(number) for number in reversed(range(6))][::-1]
    assert [draw.params for draw in forwards] == [draw.params for draw in backwards]
    assert [draw.wiring for draw in forwards] == [draw.wiring for draw in backwards]
    assert len({draw.wiring.fingerprint for draw in forwards}) == 6
    assert draws(1).draw(3).params != draws().draw(3).params


def test_a_wiring_is_that_of_its_parameters_in_the_space():
    for number in range(10):
        made = draws()
        draw = made.draw(number)
        assert draw.number == number
        assert draw.wiring == made.space.wiring(draw.params, 5, 3)
        assert (draw.wiring.n_inputs, draw.wiring.n_outputs) == (5, 3)
        assert draw.n_parameters == SPEC.n_parameters(draw.wiring)["total"]


def test_seeds_come_from_the_same_stream_as_in_a_campaign():
    draw = draws().draw(4)
    assert {name: draw.params[name] for name in ("graph_seed", "order_seed", "attach_seed")} == draws().space.seeds(
        stream(0, "wiring", 4, 0)
    )


def test_the_surveys_seed_decides_about_parameters_and_about_seeds():
    for seed in (0, 1):
        made = draws(seed)
        searched = made.space.suggest(Uniform(stream(seed, "sampler", 4, 0)))
        assert made.draw(4).params == {**searched, **made.space.seeds(stream(seed, "wiring", 4, 0))}
    one, other = (draws(seed).draw(4).params for seed in (0, 1))
    assert one["degree"] != other["degree"]
    assert one["graph_seed"] != other["graph_seed"]


def test_only_parameters_that_act_are_drawn():
    for number in range(20):
        params = draws(initial=("star", "complete")).draw(number).params
        assert ("p" in params) == (params["family"] == "watts-strogatz")
        assert ("initial" in params) == (params["family"] == "barabasi-albert")
        assert "orientation" in params
    recurrent = draws(structure="recurrent").draw(0).params
    assert not {"orientation", "order_seed"} & set(recurrent)


def test_parameters_are_uniform_in_their_ranges():
    space = draws(p=(0.2, 0.6)).space
    drawn = [space.suggest(Uniform(stream(7, "sampler", number, 0))) for number in range(3000)]
    families = [params["family"] for params in drawn]
    assert stats.chisquare([families.count(name) for name in space.priors]).pvalue > 1e-3
    nodes = np.array([params["n"] for params in drawn])
    assert set(nodes) == set(range(8, 21))
    assert stats.chisquare(np.bincount(nodes)[8:]).pvalue > 1e-3
    assert stats.kstest([params["degree"] for params in drawn], stats.uniform(2, 2).cdf).pvalue > 1e-3
    p = [params["p"] for params in drawn if "p" in params]
    assert stats.kstest(p, stats.uniform(0.2, 0.4).cdf).pvalue > 1e-3


def test_a_range_of_one_value_is_that_value():
    params = draws(nodes=9, degree=3.0, p=0.5, priors="watts-strogatz").draw(0).params
    assert (params["n"], params["degree"], params["p"]) == (9, 3.0, 0.5)


def test_what_is_too_large_is_drawn_again():
    sizes = [draws().draw(number).n_parameters for number in range(30)]
    limit = int(np.median(sizes))
    limited = [draws(max_parameters=limit).draw(number) for number in range(30)]
    assert max(draw.n_parameters for draw in limited) <= limit
    kept = [number for number, size in enumerate(sizes) if size <= limit]
    assert 0 < len(kept) < 30
    assert all(limited[number].params == draws().draw(number).params for number in kept)
    again = [number for number in range(30) if number not in kept]
    assert all(limited[i].params["graph_seed"] != draws().draw(i).params["graph_seed"] for i in again)


def test_an_impossible_limit_is_said():
    with pytest.raises(
        InputError, match=r"space.max_parameters=9: none of 1000 draws is so small; the smallest has \d+"
    ):
        draws(max_parameters=9).draw(0)
