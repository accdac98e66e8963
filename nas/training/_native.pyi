# Written by make stubs: python -m nanobind.stubgen --module nas.training._native --output-file nas/training/_native.pyi
from collections.abc import Sequence
from typing import Annotated

import numpy
from numpy.typing import NDArray

def instruction_sets() -> list[str]: ...
def peak(arg0: str, arg1: int, /) -> float: ...
def apply(
    arg0: str, arg1: str, arg2: Annotated[NDArray[numpy.float32], dict(shape=(None,), order="C", device="cpu")], /
) -> None: ...

class Network:
    @property
    def n_outputs(self) -> int: ...
    @property
    def n_neurons(self) -> int: ...

def feedforward(
    n_inputs: int,
    n_neurons: int,
    n_outputs: int,
    activation: str,
    edges: Annotated[NDArray[numpy.int32], dict(shape=(None, 2), order="C", device="cpu", writable=False)],
    slots: Annotated[NDArray[numpy.int64], dict(shape=(None,), order="C", device="cpu", writable=False)] | None,
    sparse_inputs: bool = False,
) -> Network: ...
def recurrent(
    sizes: Sequence[int],
    n_outputs: int,
    cell: str,
    edges: Annotated[NDArray[numpy.int32], dict(shape=(None, 2), order="C", device="cpu", writable=False)],
    gates: Annotated[NDArray[numpy.int32], dict(shape=(None,), order="C", device="cpu", writable=False)],
    slots: Annotated[NDArray[numpy.int64], dict(shape=(None,), order="C", device="cpu", writable=False)],
    head_edges: Annotated[NDArray[numpy.int32], dict(shape=(None, 2), order="C", device="cpu", writable=False)],
    head_slots: Annotated[NDArray[numpy.int64], dict(shape=(None,), order="C", device="cpu", writable=False)],
    learns_initial: bool = False,
) -> Network: ...
def reservoir_states(
    recurrence: tuple[
        Annotated[NDArray[numpy.int32], dict(shape=(None,), order="C", device="cpu", writable=False)],
        Annotated[NDArray[numpy.int32], dict(shape=(None,), order="C", device="cpu", writable=False)],
        Annotated[NDArray[numpy.float64], dict(shape=(None,), order="C", device="cpu", writable=False)],
    ],
    read_in: tuple[
        Annotated[NDArray[numpy.int32], dict(shape=(None,), order="C", device="cpu", writable=False)],
        Annotated[NDArray[numpy.int32], dict(shape=(None,), order="C", device="cpu", writable=False)],
        Annotated[NDArray[numpy.float64], dict(shape=(None,), order="C", device="cpu", writable=False)],
    ],
    bias: Annotated[NDArray[numpy.float64], dict(shape=(None,), order="C", device="cpu", writable=False)],
    leak: float,
    read: Annotated[NDArray[numpy.int32], dict(shape=(None,), order="C", device="cpu", writable=False)],
    factors: Annotated[NDArray[numpy.float64], dict(shape=(None,), order="C", device="cpu", writable=False)],
    inputs: Annotated[NDArray[numpy.float64], dict(shape=(None, None, None), order="C", device="cpu", writable=False)],
    lengths: Annotated[NDArray[numpy.int64], dict(shape=(None,), order="C", device="cpu", writable=False)] | None,
    states: Annotated[NDArray[numpy.float64], dict(shape=(None,), order="C", device="cpu")],
) -> None: ...
def activations() -> list[str]: ...
def cells() -> list[str]: ...

class Update:
    def __init__(
        self, *, optimizer: str, weight_decay: float = 0.0, momentum: float = 0.0, nesterov: bool = False
    ) -> None: ...

class Plan:
    def __init__(
        self,
        *,
        epochs: int,
        batch_size: int,
        patience: int = 0,
        clip: float = 0.0,
        maximize: bool,
        update: Update,
        normalise: bool = False,
    ) -> None: ...

class Data:
    def __init__(
        self,
        inputs: object,
        lengths: object | None,
        targets: object,
        n_inputs: int,
        n_outputs: int,
        loss: str,
        weights: object | None = None,
        counts: object | None = None,
        steps_per_example: float = 1.0,
        first_row: Annotated[NDArray[numpy.int64], dict(shape=(None,), order="C", device="cpu", writable=False)]
        | None = None,
    ) -> None: ...
    @property
    def sparse(self) -> bool: ...

class Training:
    def __init__(
        self,
        arg0: Network,
        arg1: Data,
        arg2: str,
        arg3: Plan,
        arg4: Annotated[NDArray[numpy.float64], dict(shape=(None,), order="C", device="cpu", writable=False)],
        arg5: Annotated[NDArray[numpy.int64], dict(shape=(None,), order="C", device="cpu", writable=False)],
        arg6: Annotated[NDArray[numpy.int64], dict(shape=(None,), order="C", device="cpu", writable=False)],
        arg7: Annotated[NDArray[numpy.int64], dict(shape=(None,), order="C", device="cpu", writable=False)],
        arg8: Annotated[NDArray[numpy.float32], dict(shape=(None,), order="C", device="cpu")],
        arg9: Annotated[NDArray[numpy.float32], dict(shape=(None,), order="C", device="cpu")],
        arg10: Annotated[NDArray[numpy.float32], dict(shape=(None,), order="C", device="cpu")],
        arg11: Annotated[NDArray[numpy.float32], dict(shape=(None,), order="C", device="cpu")],
        arg12: object,
        /,
    ) -> None: ...
    def run(self, last: int, seconds: float, n_threads: int = 1) -> None: ...
    def next_batch(self) -> Annotated[NDArray[numpy.int64], dict(shape=(None,))]: ...
    def skip(self) -> None: ...
    def rewire(
        self,
        arg0: Network,
        arg1: Annotated[NDArray[numpy.float32], dict(shape=(None,), order="C", device="cpu")],
        arg2: Annotated[NDArray[numpy.float32], dict(shape=(None,), order="C", device="cpu")],
        arg3: Annotated[NDArray[numpy.float32], dict(shape=(None,), order="C", device="cpu")],
        arg4: Annotated[NDArray[numpy.float32], dict(shape=(None,), order="C", device="cpu")],
        /,
    ) -> None: ...
    @property
    def n_moments(self) -> int: ...
    def load_moment(
        self,
        arg0: int,
        arg1: Annotated[NDArray[numpy.float32], dict(shape=(None,), order="C", device="cpu")],
        arg2: Annotated[NDArray[numpy.float32], dict(shape=(None,), order="C", device="cpu")],
        arg3: Annotated[NDArray[numpy.float32], dict(shape=(None,), order="C", device="cpu")],
        arg4: Annotated[NDArray[numpy.float32], dict(shape=(None,), order="C", device="cpu")],
        /,
    ) -> None: ...
    def store_moment(
        self,
        which: int,
        weights: Annotated[NDArray[numpy.float32], dict(shape=(None,), order="C", device="cpu")],
        biases: Annotated[NDArray[numpy.float32], dict(shape=(None,), order="C", device="cpu")],
        head_weights: Annotated[NDArray[numpy.float32], dict(shape=(None,), order="C", device="cpu")],
        head_biases: Annotated[NDArray[numpy.float32], dict(shape=(None,), order="C", device="cpu")],
    ) -> None: ...
    @property
    def step(self) -> int: ...
    @property
    def n_steps(self) -> int: ...
    @property
    def finished(self) -> bool: ...
    @property
    def diverged(self) -> bool: ...
    @property
    def best_epoch(self) -> int: ...
    @property
    def epochs(self) -> list[tuple[float, float, float]]: ...
    def load(
        self,
        arg0: Annotated[NDArray[numpy.float32], dict(shape=(None,), order="C", device="cpu")],
        arg1: Annotated[NDArray[numpy.float32], dict(shape=(None,), order="C", device="cpu")],
        arg2: Annotated[NDArray[numpy.float32], dict(shape=(None,), order="C", device="cpu")],
        arg3: Annotated[NDArray[numpy.float32], dict(shape=(None,), order="C", device="cpu")],
        /,
    ) -> None: ...
    def store(
        self,
        weights: Annotated[NDArray[numpy.float32], dict(shape=(None,), order="C", device="cpu")],
        biases: Annotated[NDArray[numpy.float32], dict(shape=(None,), order="C", device="cpu")],
        head_weights: Annotated[NDArray[numpy.float32], dict(shape=(None,), order="C", device="cpu")],
        head_biases: Annotated[NDArray[numpy.float32], dict(shape=(None,), order="C", device="cpu")],
    ) -> None: ...
    def store_folded(
        self,
        n_threads: int,
        weights: Annotated[NDArray[numpy.float32], dict(shape=(None,), order="C", device="cpu")],
        biases: Annotated[NDArray[numpy.float32], dict(shape=(None,), order="C", device="cpu")],
        head_weights: Annotated[NDArray[numpy.float32], dict(shape=(None,), order="C", device="cpu")],
        head_biases: Annotated[NDArray[numpy.float32], dict(shape=(None,), order="C", device="cpu")],
    ) -> list[float]: ...
    @property
    def gamma(self) -> list[float]: ...

def evaluate(
    arg0: Network,
    arg1: Data,
    arg2: str,
    arg3: int,
    arg4: Annotated[NDArray[numpy.int64], dict(shape=(None,), order="C", device="cpu", writable=False)],
    arg5: Annotated[NDArray[numpy.float32], dict(shape=(None,), order="C", device="cpu")],
    arg6: Annotated[NDArray[numpy.float32], dict(shape=(None,), order="C", device="cpu")],
    arg7: Annotated[NDArray[numpy.float32], dict(shape=(None,), order="C", device="cpu")],
    arg8: Annotated[NDArray[numpy.float32], dict(shape=(None,), order="C", device="cpu")],
    /,
) -> tuple[float, float]: ...
def predict(
    arg0: Network,
    arg1: Data,
    arg2: str,
    arg3: int,
    arg4: Annotated[NDArray[numpy.int64], dict(shape=(None,), order="C", device="cpu", writable=False)],
    arg5: Annotated[NDArray[numpy.float32], dict(shape=(None,), order="C", device="cpu")],
    arg6: Annotated[NDArray[numpy.float32], dict(shape=(None,), order="C", device="cpu")],
    arg7: Annotated[NDArray[numpy.float32], dict(shape=(None,), order="C", device="cpu")],
    arg8: Annotated[NDArray[numpy.float32], dict(shape=(None,), order="C", device="cpu")],
    arg9: Annotated[NDArray[numpy.float32], dict(shape=(None, None), order="C", device="cpu")],
    /,
) -> None: ...
def gradients(
    network: Network,
    data: Data,
    instructions: str,
    examples: Annotated[NDArray[numpy.int64], dict(shape=(None,), order="C", device="cpu", writable=False)],
    weights: Annotated[NDArray[numpy.float32], dict(shape=(None,), order="C", device="cpu")],
    biases: Annotated[NDArray[numpy.float32], dict(shape=(None,), order="C", device="cpu")],
    head_weights: Annotated[NDArray[numpy.float32], dict(shape=(None,), order="C", device="cpu")],
    head_biases: Annotated[NDArray[numpy.float32], dict(shape=(None,), order="C", device="cpu")],
    weight_gradients: Annotated[NDArray[numpy.float32], dict(shape=(None,), order="C", device="cpu")],
    bias_gradients: Annotated[NDArray[numpy.float32], dict(shape=(None,), order="C", device="cpu")],
    head_weight_gradients: Annotated[NDArray[numpy.float32], dict(shape=(None,), order="C", device="cpu")],
    head_bias_gradients: Annotated[NDArray[numpy.float32], dict(shape=(None,), order="C", device="cpu")],
    gamma: Annotated[NDArray[numpy.float32], dict(shape=(None,), order="C", device="cpu")] | None = None,
    gamma_gradients: Annotated[NDArray[numpy.float32], dict(shape=(None,), order="C", device="cpu")] | None = None,
) -> float: ...

class Data64:
    def __init__(
        self,
        inputs: object,
        lengths: object | None,
        targets: object,
        n_inputs: int,
        n_outputs: int,
        loss: str,
        weights: object | None = None,
        counts: object | None = None,
        steps_per_example: float = 1.0,
        first_row: Annotated[NDArray[numpy.int64], dict(shape=(None,), order="C", device="cpu", writable=False)]
        | None = None,
    ) -> None: ...
    @property
    def sparse(self) -> bool: ...

class Training64:
    def __init__(
        self,
        arg0: Network,
        arg1: Data64,
        arg2: str,
        arg3: Plan,
        arg4: Annotated[NDArray[numpy.float64], dict(shape=(None,), order="C", device="cpu", writable=False)],
        arg5: Annotated[NDArray[numpy.int64], dict(shape=(None,), order="C", device="cpu", writable=False)],
        arg6: Annotated[NDArray[numpy.int64], dict(shape=(None,), order="C", device="cpu", writable=False)],
        arg7: Annotated[NDArray[numpy.int64], dict(shape=(None,), order="C", device="cpu", writable=False)],
        arg8: Annotated[NDArray[numpy.float64], dict(shape=(None,), order="C", device="cpu")],
        arg9: Annotated[NDArray[numpy.float64], dict(shape=(None,), order="C", device="cpu")],
        arg10: Annotated[NDArray[numpy.float64], dict(shape=(None,), order="C", device="cpu")],
        arg11: Annotated[NDArray[numpy.float64], dict(shape=(None,), order="C", device="cpu")],
        arg12: object,
        /,
    ) -> None: ...
    def run(self, last: int, seconds: float, n_threads: int = 1) -> None: ...
    def next_batch(self) -> Annotated[NDArray[numpy.int64], dict(shape=(None,))]: ...
    def skip(self) -> None: ...
    def rewire(
        self,
        arg0: Network,
        arg1: Annotated[NDArray[numpy.float64], dict(shape=(None,), order="C", device="cpu")],
        arg2: Annotated[NDArray[numpy.float64], dict(shape=(None,), order="C", device="cpu")],
        arg3: Annotated[NDArray[numpy.float64], dict(shape=(None,), order="C", device="cpu")],
        arg4: Annotated[NDArray[numpy.float64], dict(shape=(None,), order="C", device="cpu")],
        /,
    ) -> None: ...
    @property
    def n_moments(self) -> int: ...
    def load_moment(
        self,
        arg0: int,
        arg1: Annotated[NDArray[numpy.float64], dict(shape=(None,), order="C", device="cpu")],
        arg2: Annotated[NDArray[numpy.float64], dict(shape=(None,), order="C", device="cpu")],
        arg3: Annotated[NDArray[numpy.float64], dict(shape=(None,), order="C", device="cpu")],
        arg4: Annotated[NDArray[numpy.float64], dict(shape=(None,), order="C", device="cpu")],
        /,
    ) -> None: ...
    def store_moment(
        self,
        which: int,
        weights: Annotated[NDArray[numpy.float64], dict(shape=(None,), order="C", device="cpu")],
        biases: Annotated[NDArray[numpy.float64], dict(shape=(None,), order="C", device="cpu")],
        head_weights: Annotated[NDArray[numpy.float64], dict(shape=(None,), order="C", device="cpu")],
        head_biases: Annotated[NDArray[numpy.float64], dict(shape=(None,), order="C", device="cpu")],
    ) -> None: ...
    @property
    def step(self) -> int: ...
    @property
    def n_steps(self) -> int: ...
    @property
    def finished(self) -> bool: ...
    @property
    def diverged(self) -> bool: ...
    @property
    def best_epoch(self) -> int: ...
    @property
    def epochs(self) -> list[tuple[float, float, float]]: ...
    def load(
        self,
        arg0: Annotated[NDArray[numpy.float64], dict(shape=(None,), order="C", device="cpu")],
        arg1: Annotated[NDArray[numpy.float64], dict(shape=(None,), order="C", device="cpu")],
        arg2: Annotated[NDArray[numpy.float64], dict(shape=(None,), order="C", device="cpu")],
        arg3: Annotated[NDArray[numpy.float64], dict(shape=(None,), order="C", device="cpu")],
        /,
    ) -> None: ...
    def store(
        self,
        weights: Annotated[NDArray[numpy.float64], dict(shape=(None,), order="C", device="cpu")],
        biases: Annotated[NDArray[numpy.float64], dict(shape=(None,), order="C", device="cpu")],
        head_weights: Annotated[NDArray[numpy.float64], dict(shape=(None,), order="C", device="cpu")],
        head_biases: Annotated[NDArray[numpy.float64], dict(shape=(None,), order="C", device="cpu")],
    ) -> None: ...
    def store_folded(
        self,
        n_threads: int,
        weights: Annotated[NDArray[numpy.float64], dict(shape=(None,), order="C", device="cpu")],
        biases: Annotated[NDArray[numpy.float64], dict(shape=(None,), order="C", device="cpu")],
        head_weights: Annotated[NDArray[numpy.float64], dict(shape=(None,), order="C", device="cpu")],
        head_biases: Annotated[NDArray[numpy.float64], dict(shape=(None,), order="C", device="cpu")],
    ) -> list[float]: ...
    @property
    def gamma(self) -> list[float]: ...

def evaluate64(
    arg0: Network,
    arg1: Data64,
    arg2: str,
    arg3: int,
    arg4: Annotated[NDArray[numpy.int64], dict(shape=(None,), order="C", device="cpu", writable=False)],
    arg5: Annotated[NDArray[numpy.float64], dict(shape=(None,), order="C", device="cpu")],
    arg6: Annotated[NDArray[numpy.float64], dict(shape=(None,), order="C", device="cpu")],
    arg7: Annotated[NDArray[numpy.float64], dict(shape=(None,), order="C", device="cpu")],
    arg8: Annotated[NDArray[numpy.float64], dict(shape=(None,), order="C", device="cpu")],
    /,
) -> tuple[float, float]: ...
def predict64(
    arg0: Network,
    arg1: Data64,
    arg2: str,
    arg3: int,
    arg4: Annotated[NDArray[numpy.int64], dict(shape=(None,), order="C", device="cpu", writable=False)],
    arg5: Annotated[NDArray[numpy.float64], dict(shape=(None,), order="C", device="cpu")],
    arg6: Annotated[NDArray[numpy.float64], dict(shape=(None,), order="C", device="cpu")],
    arg7: Annotated[NDArray[numpy.float64], dict(shape=(None,), order="C", device="cpu")],
    arg8: Annotated[NDArray[numpy.float64], dict(shape=(None,), order="C", device="cpu")],
    arg9: Annotated[NDArray[numpy.float64], dict(shape=(None, None), order="C", device="cpu")],
    /,
) -> None: ...
def gradients64(
    network: Network,
    data: Data64,
    instructions: str,
    examples: Annotated[NDArray[numpy.int64], dict(shape=(None,), order="C", device="cpu", writable=False)],
    weights: Annotated[NDArray[numpy.float64], dict(shape=(None,), order="C", device="cpu")],
    biases: Annotated[NDArray[numpy.float64], dict(shape=(None,), order="C", device="cpu")],
    head_weights: Annotated[NDArray[numpy.float64], dict(shape=(None,), order="C", device="cpu")],
    head_biases: Annotated[NDArray[numpy.float64], dict(shape=(None,), order="C", device="cpu")],
    weight_gradients: Annotated[NDArray[numpy.float64], dict(shape=(None,), order="C", device="cpu")],
    bias_gradients: Annotated[NDArray[numpy.float64], dict(shape=(None,), order="C", device="cpu")],
    head_weight_gradients: Annotated[NDArray[numpy.float64], dict(shape=(None,), order="C", device="cpu")],
    head_bias_gradients: Annotated[NDArray[numpy.float64], dict(shape=(None,), order="C", device="cpu")],
    gamma: Annotated[NDArray[numpy.float64], dict(shape=(None,), order="C", device="cpu")] | None = None,
    gamma_gradients: Annotated[NDArray[numpy.float64], dict(shape=(None,), order="C", device="cpu")] | None = None,
) -> float: ...
