"""Second derivatives against autograd, and the surgeon against its formula and against least squares."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from nas.errors import InputError
from nas.sparsity.hessian import compensate, input_products, inverse_diagonal, neuron_curvature, weight_curvature
from nas.sparsity.layers import Layer, Live
from nas.sparsity.scores import score

PAIR = Layer("a", (1, 2), 0)
H = np.array([[2.0, 1.0], [1.0, 2.0]])


def test_the_quadratic_example():
    weight, slots = np.array([1.0, 2.0]), np.arange(2)
    diagonal = inverse_diagonal(PAIR, slots, H)
    live = Live((PAIR,), slots, weight, inverse_hessian=diagonal)
    assert score("obs", live, np.random.default_rng(0)) == pytest.approx([0.75, 3.0])
    changed = compensate(PAIR, slots, weight, np.array([False, True]), H)
    assert changed == pytest.approx([0.0, 2.5])
    change = changed - weight
    assert 0.5 * change @ H @ change == pytest.approx(0.75)


def test_obd_is_the_diagonal_of_the_hessian():
    torch.manual_seed(0)
    x, y = torch.randn(7, 4, dtype=torch.float64), torch.randint(0, 3, (7,))
    first, second = (torch.randn(*shape, dtype=torch.float64) for shape in ((5, 4), (3, 5)))

    def loss(one: torch.Tensor, other: torch.Tensor, offsets: torch.Tensor) -> torch.Tensor:
        hidden = torch.tanh(x @ one.T + offsets[:, :5])
        return torch.nn.functional.cross_entropy(hidden @ other.T + offsets[:, 5:], y, reduction="sum")

    zeros = torch.zeros(7, 8, dtype=torch.float64)
    curvature = neuron_curvature(lambda offsets: loss(first, second, offsets), zeros).numpy()
    hidden = torch.tanh(x @ first.T).numpy()
    for index, (own, inputs, weight) in enumerate(
        ((curvature[:, :5], x.numpy(), first), (curvature[:, 5:], hidden, second))
    ):
        rows, columns = np.divmod(np.arange(weight.numel()), weight.shape[1])
        found = weight_curvature(own, inputs, rows, columns)

        def of_weight(flat: torch.Tensor, index: int = index) -> torch.Tensor:
            both = [first, second]
            both[index] = flat.view_as(both[index])
            return loss(*both, zeros) / 7

        hessian = torch.autograd.functional.hessian(of_weight, weight.reshape(-1))
        assert found == pytest.approx(hessian.diagonal().numpy(), rel=1e-9, abs=1e-12)


def test_no_curvature_where_the_loss_is_linear():
    assert not neuron_curvature(lambda offsets: (2 * offsets).sum(), torch.zeros(3, 2)).any()


def sequential(weight: np.ndarray, products: np.ndarray, gone: list[int]) -> np.ndarray:
    """Remove weights one by one, with an update of the inverse, as the surgeon is written."""
    weight, inverse = weight.copy(), np.linalg.inv(products)
    for q in gone:
        weight -= weight[q] / inverse[q, q] * inverse[:, q]
        inverse -= np.outer(inverse[:, q], inverse[q]) / inverse[q, q]
    weight[gone] = 0
    return weight


@given(st.integers(0, 50))
def test_many_at_once_are_as_one_by_one(seed: int):
    rng = np.random.default_rng(seed)
    layer, inputs = Layer("a", (3, 5), 4), rng.standard_normal((30, 5))
    products = input_products(inputs, 1e-3)
    live = rng.random(15) < 0.8
    slots = 4 + np.flatnonzero(live)
    weight, kept = rng.standard_normal(len(slots)), rng.random(len(slots)) < 0.6
    changed = compensate(layer, slots, weight, kept, products)
    assert not changed[~kept].any()
    rows, columns = layer.entries(slots)
    diagonal = inverse_diagonal(layer, slots, products)
    for row in range(3):
        own = rows == row
        within = products[np.ix_(columns[own], columns[own])]
        if own.any():
            assert diagonal[own] == pytest.approx(np.diagonal(np.linalg.inv(within)))
        if kept[own].any():
            expected = sequential(weight[own], within, np.flatnonzero(~kept[own]).tolist())
            assert changed[own] == pytest.approx(expected, abs=1e-8)


def test_sums_change_as_little_as_least_squares_can():
    rng = np.random.default_rng(1)
    layer, inputs = Layer("a", (1, 6), 0), rng.standard_normal((40, 6))
    weight, kept = rng.standard_normal(6), np.array([True, False, True, True, False, True])
    changed = compensate(layer, np.arange(6), weight, kept, input_products(inputs, 1e-12))
    best, *_ = np.linalg.lstsq(inputs[:, kept], inputs @ weight, rcond=None)
    assert changed[kept] == pytest.approx(best, abs=1e-6)


def test_products_that_are_not_positive_in_rounding_are_inverted_all_the_same():
    products = np.array([[1.0, 2.0], [2.0, 1.0]])
    assert inverse_diagonal(PAIR, np.arange(2), products) == pytest.approx(np.diagonal(np.linalg.inv(products)))
    triple, wide = Layer("a", (1, 3), 0), np.array([[1.0, 2.0, 0.5], [2.0, 1.0, 0.5], [0.5, 0.5, 3.0]])
    weight, kept = np.array([1.0, 2.0, 4.0]), np.array([True, True, False])
    lost = np.linalg.solve(wide[:2, :2], wide[:2, 2] * 4)
    assert compensate(triple, np.arange(3), weight, kept, wide) == pytest.approx([*(weight[:2] + lost), 0])


def test_bad_products_are_one_line():
    with pytest.raises(InputError, match=r"needs input products of shape \(2, 2\)"):
        inverse_diagonal(PAIR, np.arange(2), np.eye(3))
    with pytest.raises(InputError, match="damping=0"):
        input_products(np.ones((3, 2)), 0)
