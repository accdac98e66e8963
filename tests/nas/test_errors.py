"""Errors: one line that says what, which value, which rule and what is near."""

import numpy as np
import pytest
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from nas.errors import CampaignError, InputError, input_error, known


class Inner(BaseModel):
    model_config = ConfigDict(extra="forbid")

    width: int = Field(1, ge=1)
    names: tuple[str, ...] = ("relu",)

    @field_validator("names")
    @classmethod
    def _known(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        for name in names:
            known("activation", name, ("relu", "tanh"))
        return names


class Outer(BaseModel):
    model_config = ConfigDict(extra="forbid")

    inner: Inner = Inner()
    depth: int = 1

    @model_validator(mode="after")
    def _deep(self) -> "Outer":
        if self.depth > 9:
            raise ValueError(f"depth={self.depth}:\n  at most 9")
        return self


class Pair(BaseModel):
    low: int = 1
    high: int = 2

    @model_validator(mode="after")
    def _ordered(self) -> "Pair":
        if self.low > self.high:
            raise ValueError(f"low={self.low}: at most high={self.high}")
        if self.low == self.high:
            raise ValueError(f"low with high={self.high}: they must differ")
        return self


class Nest(BaseModel):
    pair: Pair = Pair()
    cell: str = "gru"

    @field_validator("cell")
    @classmethod
    def _known(cls, cell: str) -> str:
        return known("cell", cell, ("gru", "lstm"))


def line(options: object, config: type[BaseModel] = Outer) -> str:
    with pytest.raises(ValidationError) as caught:
        config.model_validate(options)
    error = input_error(caught.value, config)
    assert isinstance(error, InputError)
    assert "\n" not in str(error)
    return str(error)


def test_known_returns_the_name_or_names_the_nearest():
    assert known("cell", "gru", ("gru", "lstm")) == "gru"
    with pytest.raises(InputError) as caught:
        known("cell", "lstmm", iter(["gru", "lstm"]))
    assert str(caught.value) == "cell 'lstmm' is not known (nearest: lstm); known: gru, lstm"


def test_known_names_nothing_near_where_nothing_is():
    with pytest.raises(InputError) as caught:
        known("cell", "perceptron", ("gru", "lstm"))
    assert str(caught.value) == "cell 'perceptron' is not known; known: gru, lstm"


def test_known_stays_on_one_line():
    with pytest.raises(InputError) as caught:
        known("cell", "g\nru", ("gru", "lstm"))
    assert "\n" not in str(caught.value)


def test_an_unknown_key_names_the_nearest_of_its_own_level():
    assert line({"dept": 1}) == "dept is not a known key (nearest: depth); known: inner, depth"
    assert line({"inner": {"widht": 2}}) == "inner.widht is not a known key (nearest: width); known: width, names"
    assert line({"inner": {"depth": 2}}).startswith("inner.depth is not a known key")
    assert line({"a\nb": 1}) == "a b is not a known key; known: inner, depth"


def test_a_wrong_type_or_value_names_place_and_value():
    assert line({"depth": "deep"}).startswith("depth='deep': input should be a valid integer")
    assert line({"inner": {"width": 0}}) == "inner.width=0: input should be greater than or equal to 1"
    assert line({"inner": 5}).startswith("inner=5: input should be a valid dictionary")
    assert line({"inner": {"names": ["relu", 3]}}).startswith("inner.names.1=3: ")
    assert "\n" not in line({"depth": np.eye(3)})


def test_the_error_of_a_validator_keeps_its_words():
    assert line({"depth": 10}) == "depth=10: at most 9"
    message = line({"inner": {"names": ("tahn",)}})
    assert message == "inner.names=('tahn',): activation 'tahn' is not known (nearest: tanh); known: relu, tanh"


def test_a_name_that_the_validator_says_is_not_said_twice():
    assert line({"pair": {"low": 3}}, Nest) == "pair.low=3: at most high=2"
    assert line({"pair": {"low": 2}}, Nest) == "pair: low with high=2: they must differ"
    assert line({"cell": "gri"}, Nest) == "cell 'gri' is not known (nearest: gru); known: gru, lstm"


def test_only_the_first_problem_is_told():
    assert line({"inner": {"width": 0}, "depth": "deep"}).startswith("inner.width=0")


def test_bad_input_is_a_value_error_and_a_failed_campaign_is_not():
    assert issubclass(InputError, ValueError)
    assert not issubclass(CampaignError, ValueError)
