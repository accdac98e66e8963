"""What does not fit together is refused by the extension with an exception, and never read."""

from typing import Any

import numpy as np
import pytest
from native_cases import engine
from native_checks import INSTRUCTION_SETS
from numpy.typing import NDArray

BEST = INSTRUCTION_SETS[-1]
REFUSED = (ValueError, TypeError, RuntimeError)


def edges(*pairs: tuple[int, int]) -> NDArray[np.int32]:
    return np.array(pairs, np.int32).reshape(-1, 2)


def integers(*values: int) -> NDArray[np.int64]:
    return np.array(values, np.int64)


def gates(*values: int) -> NDArray[np.int32]:
    return np.array(values, np.int32)


def floats(n: int) -> NDArray[np.float32]:
    return np.zeros(n, np.float32)


def feedforward(*pairs: tuple[int, int], slots: NDArray[np.int64] | None = None, sizes: Any = (2, 5, 1)) -> Any:
    return engine.feedforward(*sizes, "relu", edges(*pairs), slots)


def recurrent(
    own: NDArray[np.int32], gate: NDArray[np.int32], slots: NDArray[np.int64], head: Any, **changes: Any
) -> Any:
    kinds = {"sizes": [2, 2], "n_outputs": 1, "cell": "tanh", **changes}
    return engine.recurrent(*kinds.values(), own, gate, slots, *head)


HEAD = (edges((2, 4)), integers(0))


@pytest.mark.parametrize(
    "pair",
    [(3, 2), (2, 2), (-1, 2), (0, 5), (0, 1), (2, 0), (4, 5), (7, 8)],
)
def test_edges_that_do_not_point_forward(pair: tuple[int, int]):
    with pytest.raises(ValueError, match="edge"):
        feedforward((0, 2), pair)


def test_edges_out_of_output_units():
    with pytest.raises(ValueError, match="an output unit feeds nothing"):
        feedforward((0, 2), (3, 4), sizes=(2, 5, 2))


@pytest.mark.parametrize("sizes", [(0, 5, 1), (2, 5, 0), (2, 2, 1), (-1, 5, 1), (2, -5, 1)])
def test_networks_without_inputs_or_outputs(sizes: tuple[int, int, int]):
    with pytest.raises(ValueError, match="a network needs inputs and outputs"):
        feedforward(sizes=sizes)


@pytest.mark.parametrize(
    "wrong", [np.zeros((3, 3), np.int32), np.zeros(4, np.int32), np.zeros((2, 2, 2)), "edges", None]
)
def test_edges_of_another_shape_or_type(wrong: Any):
    with pytest.raises(TypeError):
        engine.feedforward(2, 5, 1, "relu", wrong, None)


def test_slots_of_another_number():
    with pytest.raises(ValueError, match="one slot an edge"):
        feedforward((0, 2), (1, 2), slots=integers(0))
    with pytest.raises(ValueError, match="one slot"):
        recurrent(edges((0, 2)), gates(0), integers(), HEAD)
    with pytest.raises(ValueError, match="one slot"):
        recurrent(edges((0, 2)), gates(0, 0), integers(0), HEAD)
    with pytest.raises(ValueError, match="one slot"):
        recurrent(edges((0, 2)), gates(0), integers(0), (edges((2, 4)), integers()))


@pytest.mark.parametrize("pair", [(4, 2), (-1, 2), (0, 1), (0, 4)])
def test_edges_outside_of_the_cells(pair: tuple[int, int]):
    with pytest.raises(ValueError, match="an edge must"):
        recurrent(edges(pair), gates(0), integers(0), HEAD)


@pytest.mark.parametrize("pair", [(0, 4), (2, 3), (2, 5), (4, 4)])
def test_edges_outside_of_the_head(pair: tuple[int, int]):
    with pytest.raises(ValueError, match="an edge of the head"):
        recurrent(edges((0, 2)), gates(0), integers(0), (edges(pair), integers(0)))


@pytest.mark.parametrize(("cell", "gate"), [("tanh", 1), ("relu", 1), ("gru", 3), ("lstm", 4), ("lstm", -1)])
def test_gates_that_a_cell_does_not_have(cell: str, gate: int):
    with pytest.raises(ValueError, match="an edge must belong to a gate"):
        recurrent(edges((0, 2)), gates(gate), integers(0), HEAD, cell=cell)


@pytest.mark.parametrize("sizes", [[2], [], [2, 0], [0, 2]])
def test_layers_without_neurons(sizes: list[int]):
    with pytest.raises(ValueError, match="needs"):
        recurrent(edges(), gates(), integers(), (edges(), integers()), sizes=sizes)


class Small:
    """A network of one edge, its data and its parameters; every test spoils one of them."""

    def __init__(self) -> None:
        self.network = feedforward((0, 2), slots=integers(0))
        self.inputs = np.zeros((6, 16), np.float32)
        self.data = engine.Data(self.inputs, None, integers(0, 0, 0, 0, 0, 0), 2, 1, "cross-entropy")
        self.examples = integers(0, 5)
        self.parameters = [floats(1), floats(3), floats(0), floats(0)]
        self.instructions = BEST

    def evaluate(self) -> Any:
        return engine.evaluate(self.network, self.data, self.instructions, 1, self.examples, *self.parameters)

    def train(self, rates: int = 3, batch_size: int = 2) -> Any:
        return engine.Training(
            self.network,
            self.data,
            self.instructions,
            engine.Plan(epochs=1, batch_size=batch_size, maximize=True, update=engine.Update(optimizer="adam")),
            np.zeros(rates),
            self.examples,
            integers(1),
            self.examples,
            *self.parameters,
            np.random.PCG64(0),
        )


def test_what_fits_is_taken():
    small = Small()
    assert small.evaluate() == (0.0, 1.0)
    training = small.train()
    training.run(10, 1.0)
    assert (training.step, training.finished) == (1, True)


@pytest.mark.parametrize("examples", [integers(6), integers(-1), integers(0, 6), integers(), integers(2**40)])
def test_examples_outside_of_the_data(examples: NDArray[np.int64]):
    small = Small()
    small.examples = examples
    for use in (small.evaluate, small.train):
        with pytest.raises(ValueError, match="example"):
            use()


@pytest.mark.parametrize("slot", [1, -1, 2**40])
def test_slots_outside_of_the_weights(slot: int):
    small = Small()

    def use(name: str) -> None:
        small.network = feedforward((0, 2), slots=integers(slot))
        getattr(small, name)()

    for name in ("evaluate", "train"):
        with pytest.raises(ValueError, match="a slot lies outside"):
            use(name)


def test_too_few_parameters():
    for part in (0, 1):
        small = Small()
        small.parameters[part] = floats(0)
        for use in (small.evaluate, small.train):
            with pytest.raises(ValueError, match="slot"):
                use()


def test_parameters_of_another_shape():
    for wrong in (np.zeros((1, 1), np.float32), np.zeros((), np.float32), [0.0], "weights", None):
        small = Small()
        small.parameters[0] = wrong
        for use in (small.evaluate, small.train):
            with pytest.raises(TypeError):
                use()


def test_data_that_do_not_fit_the_network():
    small = Small()
    for n_inputs, n_outputs, unit in ((3, 1, "input"), (2, 2, "output")):
        small.data = engine.Data(small.inputs, None, integers(0, 0, 0, 0, 0, 0), n_inputs, n_outputs, "cross-entropy")
        given = n_inputs if unit == "input" else n_outputs
        with pytest.raises(ValueError, match=rf"the network has \d {unit} units and the task {given}"):
            small.evaluate()
    lengths, classes = integers(1, 1, 1, 1, 1, 1), integers(*[0] * 6)
    small.data = engine.Data(np.zeros((6, 2), np.float32), lengths, classes, 2, 1, "cross-entropy")
    with pytest.raises(ValueError, match="sequences need a recurrent network"):
        small.evaluate()


def test_plans_that_cannot_be_followed():
    with pytest.raises(ValueError, match="one learning rate a step"):
        Small().train(rates=0)
    for batch_size in (0, -1):
        with pytest.raises(ValueError, match="epochs and batches"):
            Small().train(batch_size=batch_size)


def test_an_instruction_set_that_is_not_there():
    small = Small()
    small.instructions = "neon"
    for use in (small.evaluate, small.train):
        with pytest.raises(ValueError, match="instruction set neon"):
            use()


ROWS, CLASSES, ONES = np.zeros((6, 16), np.float32), integers(*[0] * 6), integers(*[1] * 6)
WRONG_DATA = {
    "inputs of double": (ROWS.astype(float), None, CLASSES, 2, 1, "cross-entropy"),
    "inputs of integers": (ROWS.astype(np.int32), None, CLASSES, 2, 1, "cross-entropy"),
    "inputs that are no matrix": (ROWS[0], None, CLASSES, 2, 1, "cross-entropy"),
    "inputs that do not lie together": (np.zeros((6, 32), np.float32)[:, ::2], None, CLASSES, 2, 1, "cross-entropy"),
    "no inputs": (None, None, CLASSES, 2, 1, "cross-entropy"),
    "rows that are too short": (ROWS[:, :2].copy(), None, CLASSES, 2, 1, "cross-entropy"),
    "rows of symbols": (ROWS.astype(np.uint8), None, CLASSES, 2, 1, "cross-entropy"),
    "no input units": (ROWS, None, CLASSES, 0, 1, "cross-entropy"),
    "classes of double": (ROWS, None, CLASSES.astype(float), 2, 1, "cross-entropy"),
    "a matrix of classes": (ROWS, None, CLASSES[:, None], 2, 1, "cross-entropy"),
    "too few classes": (ROWS, None, CLASSES[:5], 2, 1, "cross-entropy"),
    "a class too high": (ROWS, None, ONES, 2, 1, "cross-entropy"),
    "a class too low": (ROWS, None, -ONES, 2, 1, "cross-entropy"),
    "no classes": (ROWS, None, None, 2, 1, "cross-entropy"),
    "too few targets": (ROWS, None, np.zeros((5, 1), np.float32), 2, 1, "squared-error"),
    "too narrow targets": (ROWS, None, np.zeros((6, 1), np.float32), 2, 2, "squared-error"),
    "targets of double": (ROWS, None, np.zeros((6, 1)), 2, 1, "squared-error"),
    "an unknown loss": (ROWS, None, CLASSES, 2, 1, "hinge"),
    "too few lengths": (ROWS, ONES[:5], CLASSES, 2, 1, "cross-entropy"),
    "a length of nothing": (ROWS, CLASSES, CLASSES, 2, 1, "cross-entropy"),
    "a length too high": (ROWS, 9 * ONES, CLASSES, 2, 1, "cross-entropy"),
    "symbols shorter than their lengths": (ROWS.astype(np.uint8), 17 * ONES, CLASSES, 2, 1, "cross-entropy"),
}


@pytest.mark.parametrize("wrong", WRONG_DATA)
def test_data_that_contradict_themselves(wrong: str):
    with pytest.raises(REFUSED):
        engine.Data(*WRONG_DATA[wrong])


def test_data_that_do_not():
    for inputs, lengths in ((ROWS, None), (ROWS, 8 * ONES), (ROWS.astype(np.uint8), 16 * ONES)):
        engine.Data(inputs, lengths, CLASSES, 2, 1, "cross-entropy")


def test_kinds_that_there_are_not():
    with pytest.raises(ValueError, match="no activation by the name of swish"):
        engine.feedforward(2, 5, 1, "swish", edges((0, 2)), None)
    with pytest.raises(ValueError, match="no cell by the name of peephole"):
        recurrent(edges((0, 2)), gates(0), integers(0), HEAD, cell="peephole")
    with pytest.raises(ValueError, match="no optimizer by the name of lion"):
        engine.Update(optimizer="lion")


def test_outputs_of_another_shape():
    small = Small()
    for shape in ((1, 1), (2, 2), (3, 1)):
        outputs = np.zeros(shape, np.float32)
        with pytest.raises(ValueError, match="one row of outputs an example"):
            engine.predict(small.network, small.data, BEST, 1, small.examples, *small.parameters, outputs)
