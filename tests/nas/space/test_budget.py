"""Budgets: a number and a unit, read exactly, written as they are read, and priced as a file would count."""

import struct
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nas.errors import InputError
from nas.options.options import resolve
from nas.space.budget import UNITS, Budget
from priors import Layered, Wiring

KINDS = ("parameters", "bytes", "MAC")
FLOAT = {8: "b", 16: "e", 32: "f"}
"""Codes of `struct` for one weight, by its bits."""


@pytest.mark.parametrize(
    ("value", "amount", "unit"),
    [
        (3000, 3000, "parameters"),
        (3000.0, 3000, "parameters"),
        ("3000", 3000, "parameters"),
        ("3k", 3000, "parameters"),
        ("1.13k", 1130, "parameters"),
        ("3_000 parameters", 3000, "parameters"),
        ("12KiB", 12288, "bytes"),
        ("12 kb", 12000, "bytes"),
        (" 1.5MiB ", 1572864, "bytes"),
        ("2MB", 2000000, "bytes"),
        ("77b", 77, "bytes"),
        ("50kMAC", 50000, "MAC"),
        ("0.5mmac", 500000, "MAC"),
        ("7 mac", 7, "MAC"),
        ("1.3KiB", 1331, "bytes"),
        (Budget(5, "MAC"), 5, "MAC"),
        (str(2**53 - 1), 2**53 - 1, "parameters"),
    ],
)
def test_a_number_and_a_unit_in_any_case(value: Any, amount: int, unit: str):
    assert Budget.of(value) == Budget(amount, unit)


@pytest.mark.parametrize(
    "value",
    [
        "", "k", "-3", "3e3", "1e400", "3,000", "3000 neurons", "12 Ki", "3.", ".5", "½", "٣", "3k 4k", "nan", "inf",
        None, True, float("nan"), 1e30, -1, [3000], {"amount": 3},
    ],
)  # fmt: skip
def test_what_is_no_budget_is_one_line_that_names_all_units(value: Any):
    with pytest.raises(InputError) as caught:
        Budget.of(value)
    assert str(caught.value) == (
        f"budget={value}: it must be a number and a unit, such as 3000 (parameters), 12KiB or 50kMAC; units are k, "
        "parameters, B, kB, KiB, MB, MiB, MAC, kMAC, MMAC"
    )


@pytest.mark.parametrize("value", [0, "0", "0.9", "0kB", "0.0001kMAC", 2**53, "9007199254740992", "10000000000MiB"])
def test_nothing_and_too_much_are_one_line(value: Any):
    with pytest.raises(InputError) as caught:
        Budget.of(value)
    assert str(caught.value) == f"budget={value}: it must be at least 1 and less than 2^53"


def test_the_option_is_refused_in_the_same_line_and_kept_as_it_is_written():
    with pytest.raises(InputError) as caught:
        resolve({"budget": "12 apples"})
    assert str(caught.value).startswith("budget=12 apples: it must be a number and a unit, such as 3000")
    assert resolve({"budget": "12288 b"}).budget == "12KiB"
    assert resolve({"budget": 3000}).budget == "3000"
    assert resolve({}).budget is None


@given(st.sampled_from(KINDS), st.integers(1, 2**53 - 1))
def test_what_is_written_is_read(unit: str, amount: int):
    budget = Budget(amount, unit)
    assert Budget.of(str(budget)) == budget


@given(st.integers(0, 10**6), st.integers(0, 999), st.sampled_from(sorted(UNITS)))
def test_decimals_are_exact(whole: int, thousandths: int, name: str):
    text = f"{whole}.{thousandths:03}{name}"
    unit, size = UNITS[name]
    exact = Fraction(1000 * whole + thousandths, 1000) * size
    if exact >= 1:
        assert Budget.of(text) == Budget(int(exact), unit)


@given(st.sampled_from(KINDS), st.integers(1, 10**7), st.sampled_from([8, 16, 32]))
def test_the_limit_is_the_most_that_can_be_paid_for(unit: str, amount: int, precision: int):
    budget = Budget(amount, unit)
    limit = budget.limit(precision)
    assert budget.price(limit, 0, precision) <= amount < budget.price(limit + 1, 0, precision)
    if unit != "bytes":
        assert limit == amount


def file_of(wiring: Wiring, precision: int) -> bytes:
    """For each neuron its bias, how many weights it has, and these with the numbers of the neurons that they read."""
    code, found = FLOAT[precision], b""
    for neuron in range(wiring.n_inputs, wiring.n_neurons):
        sources = wiring.edges[wiring.edges[:, 1] == neuron, 0]
        found += struct.pack(f"<{code}H", 0, len(sources))
        found += b"".join(struct.pack(f"<{code}H", 1, source) for source in sources)
    return found


@given(st.integers(1, 9), st.integers(1, 9), st.floats(0.1, 1), st.sampled_from([8, 16, 32]), st.integers(0, 9))
def test_a_network_costs_its_weights_its_biases_or_the_bytes_of_a_file(
    n_inputs: int, width: int, density: float, precision: int, seed: int
):
    sizes = (n_inputs, width, 3)
    rng = np.random.default_rng(seed)
    wiring = Layered(sizes, density=density, inputs=True, outputs=True).sample(rng)
    counts = (wiring.n_edges, width + 3, precision)
    assert Budget(1).price(*counts) == wiring.n_edges + width + 3
    assert Budget(1, "MAC").price(*counts) == wiring.n_edges
    assert Budget(1, "bytes").price(*counts) == len(file_of(wiring, precision))
    assert (Budget(1).counts_biases, Budget(1, "bytes").counts_biases, Budget(1, "MAC").counts_biases) == (
        True,
        True,
        False,
    )
