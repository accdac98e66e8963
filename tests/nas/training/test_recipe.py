"""Recipe: what it refuses, and the learning rate of every update."""

import pytest
from pydantic import ValidationError

from nas.errors import InputError
from nas.options.options import resolve
from nas.training import Recipe
from nas.training.recipe import SCHEDULES


@pytest.mark.parametrize(
    ("schedule", "expected"),
    [
        ("constant", [1, 1, 1, 1, 1]),
        ("cosine", [1, 0.8535533905932737, 0.5, 0.14644660940672627, 0.03806023374435663]),
        ("linear", [1, 0.75, 0.5, 0.25, 0.125]),
        ("step", [1, 1, 0.1, 0.01, 0.01]),
    ],
)
def test_schedules_at_known_shares(schedule: str, expected: list[float]):
    recipe = Recipe(schedule=schedule)
    rates = [recipe.rate(0.2, step, 8) for step in (0, 2, 4, 6, 7)]
    assert rates == pytest.approx([0.2 * factor for factor in expected], rel=1e-12)


def test_every_schedule_starts_at_the_full_rate_and_never_reaches_zero_or_rises():
    for name, factor in SCHEDULES.items():
        factors = [factor(step / 1000) for step in range(1000)]
        assert factors[0] == 1, name
        assert factors[-1] > 0, name
        assert factors == sorted(factors, reverse=True), name


def test_the_names_of_the_schedules_are_those_that_a_recipe_takes():
    for name in SCHEDULES:
        assert Recipe(schedule=name).schedule == name


def test_one_rate_or_several_in_their_order_and_each_once():
    assert Recipe(learning_rates=0.1).learning_rates == (0.1,)
    assert Recipe(learning_rates=[0.1, 0.001, 0.1, 0.01]).learning_rates == (0.1, 0.001, 0.01)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("optimizer", "rmsprop"),
        ("learning_rates", ()),
        ("learning_rates", (0.1, 0.0)),
        ("learning_rates", -0.1),
        ("learning_rates", float("inf")),
        ("learning_rates", float("nan")),
        ("learning_rates", "fast"),
        ("schedule", "exponential"),
        ("epochs", 0),
        ("epochs", 1.5),
        ("batch_size", 0),
        ("weight_decay", -1e-9),
        ("weight_decay", float("nan")),
        ("momentum", 1.0),
        ("momentum", -0.1),
        ("clip", 0.0),
        ("clip", float("inf")),
        ("patience", 0),
    ],
)
def test_a_wrong_value_is_refused_in_one_line_that_names_it(name: str, value: object):
    with pytest.raises(ValidationError):
        Recipe(**{name: value})
    with pytest.raises(InputError, match=rf"^recipe\.{name}") as caught:
        resolve({"recipe": {name: value}})
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("options", [{"optimizer": "adam"}, {"optimizer": "sgd", "momentum": 0.0}])
def test_nesterov_needs_the_momentum_of_sgd(options: dict[str, object]):
    with pytest.raises(InputError, match="it needs sgd and momentum > 0") as caught:
        resolve({"recipe": {"nesterov": True, **options}})
    assert "\n" not in str(caught.value)
    assert Recipe(optimizer="sgd", nesterov=True).nesterov


def test_a_recipe_is_frozen_and_knows_its_keys():
    with pytest.raises(ValidationError, match="frozen"):
        Recipe().epochs = 3
    with pytest.raises(InputError, match=r"^recipe\.epoch is not a known key \(nearest: epochs\); known: optimizer, "):
        resolve({"recipe": {"epoch": 3}})
