"""Layer and Live: places, counts, densities, and what is refused."""

import numpy as np
import pytest

from nas.errors import InputError
from nas.sparsity.layers import Layer, Live, stack


def live_of(layers: tuple[Layer, ...], slots: list[int]) -> Live:
    return Live(layers, np.array(slots, np.int64), np.ones(len(slots)))


def test_places_count_row_by_row():
    layer = Layer("a", (3, 4), 100)
    assert (layer.size, layer.stop) == (12, 112)
    places = layer.places(np.array([0, 1, 2]), np.array([3, 0, 2]))
    assert places.tolist() == [103, 104, 110]
    rows, columns = layer.entries(places)
    assert (rows.tolist(), columns.tolist()) == ([0, 1, 2], [3, 0, 2])


def test_layers_are_stacked_and_live_weights_counted():
    layers = stack({"a": (2, 3), "empty": (0, 4), "b": (1, 2)}, first=10)
    assert [layer.first for layer in layers] == [10, 16, 16]
    live = live_of(layers, [10, 15, 17])
    assert live.bounds().tolist() == [0, 2, 2, 3]
    assert live.counts().tolist() == [2, 0, 1]
    assert live.densities().tolist() == pytest.approx([2 / 6, 1.0, 0.5])
    assert live.density() == pytest.approx(3 / 8)


def test_gates_lie_one_behind_the_other():
    assert Layer("gru", (9, 2), 0, gates=3).n_targets == 3


def test_huge_layers_cost_nothing():
    layer = Layer("huge", (400_000, 400_000), 0)
    live = live_of((layer,), [0, layer.stop - 1])
    assert layer.entries(live.slots)[1].tolist() == [0, 399_999]
    assert live.counts().tolist() == [2]


@pytest.mark.parametrize(
    ("make", "line"),
    [
        (lambda: Layer("a", (3, 4), 0, gates=2), "multiple of the gates"),
        (lambda: Layer("a", (3, -4), 0), "negative"),
        (lambda: Layer("a", (3, 4), 0, kernel=(3, 3)), "multiple of its entries"),
        (lambda: live_of((), []), "no layers"),
        (lambda: live_of((Layer("a", (1, 2), 0), Layer("b", (1, 2), 3)), []), "one behind the other"),
        (lambda: live_of(stack({"a": (1, 3)}), [1, 0]), "ascend"),
        (lambda: live_of(stack({"a": (1, 3)}), [1, 1]), "ascend"),
        (lambda: live_of(stack({"a": (1, 3)}), [3]), "between 0 and 2"),
        (lambda: live_of(stack({"a": (1, 3)}), [-1]), "between 0 and 2"),
        (lambda: Live(stack({"a": (1, 3)}), np.zeros(1, np.int32), np.zeros(1)), "int64"),
        (lambda: Live(stack({"a": (1, 3)}), np.zeros(1, np.int64), np.zeros(2)), "weight has shape"),
        (lambda: Live(stack({"a": (1, 3)}), np.zeros(1, np.int64), np.zeros(1), np.zeros(2)), "gradient has shape"),
    ],
)
def test_bad_layers_are_one_line(make, line: str):
    with pytest.raises(InputError, match=line) as caught:
        make()
    assert "\n" not in str(caught.value)
