"""The elementary functions of the compiled engine against scipy's in double precision."""

from collections.abc import Callable

import numpy as np
import pytest
from native_cases import engine
from native_checks import INSTRUCTION_SETS
from numpy.typing import NDArray
from scipy import special

Values = NDArray[np.float32]
Function = Callable[[NDArray[np.float64]], NDArray[np.float64]]

FUNCTIONS: dict[str, Function] = {"tanh": np.tanh, "sigmoid": special.expit, "erf": special.erf}
LIMITS = {"tanh": (-1.0, 1.0), "sigmoid": (0.0, 1.0), "erf": (-1.0, 1.0)}

pytestmark = pytest.mark.parametrize("instructions", INSTRUCTION_SETS)


def apply(instructions: str, name: str, values: Values) -> NDArray[np.float64]:
    found = values.copy()
    engine.apply(instructions, name, found)
    return found.astype(np.float64)


def grid() -> Values:
    small = np.geomspace(1e-38, 1e-2, 20_000)
    return np.concatenate([np.linspace(-20, 20, 200_001), small, -small, [0.0, 1e30, -1e30]]).astype(np.float32)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_sigmoidal_functions_are_exact_to_a_few_units(instructions: str, name: str):
    values = grid()
    difference = np.abs(apply(instructions, name, values) - FUNCTIONS[name](values.astype(np.float64)))
    assert difference.max() <= 6e-7


@pytest.mark.parametrize("name", ["tanh", "erf"])
def test_odd_functions_keep_small_values(instructions: str, name: str):
    values = np.geomspace(1e-37, 0.5, 50_000).astype(np.float32)
    found, expected = apply(instructions, name, values), FUNCTIONS[name](values.astype(np.float64))
    assert np.abs(found / expected - 1).max() <= 6e-7
    assert np.array_equal(apply(instructions, name, -values), -found)


def test_the_exponential_is_exact_to_a_few_units(instructions: str):
    values = np.linspace(-80, 80, 400_001).astype(np.float32)
    found = apply(instructions, "exp", values)
    assert np.abs(found / np.exp(values.astype(np.float64)) - 1).max() <= 3e-7
    assert apply(instructions, "exp", np.zeros(1, np.float32)) == [1.0]


@pytest.mark.parametrize("name", [*FUNCTIONS, "exp"])
def test_what_is_no_number_stays_none(instructions: str, name: str):
    assert np.isnan(apply(instructions, name, np.array([np.nan, -np.nan], np.float32))).all()


@pytest.mark.parametrize("name", FUNCTIONS)
def test_infinities_and_huge_values_reach_the_limits(instructions: str, name: str):
    low, high = LIMITS[name]
    found = apply(instructions, name, np.array([-np.inf, -3e38, 3e38, np.inf], np.float32))
    assert found == pytest.approx([low, low, high, high], abs=6e-7)
    assert low <= found.min() <= found.max() <= high


def test_the_exponential_of_infinities_is_next_to_nothing_or_huge(instructions: str):
    found = apply(instructions, "exp", np.array([-np.inf, -1e30, 1e30, np.inf], np.float32))
    assert 0 <= found[:2].min() <= found[:2].max() < 1e-37
    assert found[2:].min() > 1e38


def test_an_unknown_function_is_refused(instructions: str):
    with pytest.raises(ValueError, match="no function of that name"):
        engine.apply(instructions, "cosine", np.zeros(1, np.float32))
