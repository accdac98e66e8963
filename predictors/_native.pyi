# Written by make stubs: python -m nanobind.stubgen --module predictors._native --output-file predictors/_native.pyi
from typing import Annotated

import numpy
from numpy.typing import NDArray

def describe(
    arg0: Annotated[NDArray[numpy.int32], dict(shape=(None, 2), order="C", device="cpu", writable=False)],
    arg1: Annotated[NDArray[numpy.int64], dict(shape=(None,), order="C", device="cpu", writable=False)],
    arg2: Annotated[NDArray[numpy.int32], dict(shape=(None,), order="C", device="cpu", writable=False)],
    arg3: Annotated[NDArray[numpy.int64], dict(shape=(None,), order="C", device="cpu", writable=False)],
    arg4: Annotated[NDArray[numpy.bool_], dict(shape=(None, 2), order="C", device="cpu", writable=False)],
    arg5: int,
    arg6: int,
    arg7: str,
    /,
) -> object: ...
def feature_instruction_sets() -> list[str]: ...

class Forest:
    def __init__(
        self,
        nodes: Annotated[NDArray[numpy.int32], dict(shape=(None, 4), order="C", device="cpu", writable=False)],
        roots: Annotated[NDArray[numpy.int32], dict(shape=(None,), order="C", device="cpu", writable=False)],
        value: Annotated[NDArray[numpy.float64], dict(shape=(None,), order="C", device="cpu", writable=False)],
        n_columns: int,
    ) -> None: ...
    def sums(
        self, rows: Annotated[NDArray[numpy.float32], dict(shape=(None, None), order="C", device="cpu", writable=False)]
    ) -> object: ...
    def values(
        self, rows: Annotated[NDArray[numpy.float32], dict(shape=(None, None), order="C", device="cpu", writable=False)]
    ) -> object: ...
