# Written by make stubs: python -m nanobind.stubgen --module priors._native --output-file priors/_native.pyi
from collections.abc import Sequence
from typing import Annotated

import numpy
from numpy.typing import NDArray

def watts_strogatz(arg0: object, arg1: int, arg2: int, arg3: float, /) -> object: ...
def ws_flex(arg0: object, arg1: int, arg2: int, arg3: float, /) -> object: ...
def barabasi_albert(arg0: object, arg1: int, arg2: int, arg3: int, /) -> object: ...
def random_regular(arg0: object, arg1: int, arg2: int, /) -> object: ...
def geo_hub(arg0: object, arg1: int, arg2: int, arg3: int, /) -> object: ...
def erdos_renyi(arg0: object, arg1: int, arg2: float, /) -> object: ...
def erdos_renyi_exact(arg0: object, arg1: int, arg2: int, /) -> object: ...
def longest_paths(
    arg0: Annotated[NDArray[numpy.int32], dict(shape=(None, 2), order="C", device="cpu", writable=False)], arg1: int, /
) -> object: ...
def orient(
    arg0: object | None,
    arg1: Annotated[NDArray[numpy.int32], dict(shape=(None, 2), order="C", device="cpu", writable=False)],
    arg2: int,
    arg3: int,
    /,
) -> object: ...
def layer(
    arg0: Annotated[NDArray[numpy.int32], dict(shape=(None, 2), order="C", device="cpu", writable=False)], arg1: int, /
) -> object: ...
def stack(
    arg0: Annotated[NDArray[numpy.int32], dict(shape=(None, 2), order="C", device="cpu", writable=False)],
    arg1: Sequence[int],
    arg2: bool,
    arg3: bool,
    /,
) -> object: ...
def attach(
    arg0: object,
    arg1: Annotated[NDArray[numpy.int32], dict(shape=(None, 2), order="C", device="cpu", writable=False)],
    arg2: Sequence[int],
    arg3: int,
    arg4: int,
    arg5: int,
    arg6: int,
    arg7: int,
    arg8: int,
    /,
) -> object: ...
def sorted_rows(
    arg0: Annotated[NDArray[numpy.int64], dict(shape=(None, 2), order="C", device="cpu", writable=False)], arg1: int, /
) -> object: ...
def walk(
    arg0: object,
    arg1: int,
    arg2: Annotated[NDArray[numpy.int32], dict(shape=(None, 2), order="C", device="cpu", writable=False)],
    arg3: Annotated[NDArray[numpy.int32], dict(shape=(None, 2), order="C", device="cpu", writable=False)],
    arg4: Annotated[NDArray[numpy.int64], dict(shape=(None,), order="C", device="cpu", writable=False)],
    arg5: Annotated[NDArray[numpy.int64], dict(shape=(None,), order="C", device="cpu", writable=False)],
    arg6: Annotated[NDArray[numpy.int32], dict(shape=(None, 2), order="C", device="cpu", writable=False)],
    arg7: int,
    arg8: Annotated[NDArray[numpy.int64], dict(shape=(None,), order="C", device="cpu", writable=False)],
    arg9: int,
    arg10: Annotated[NDArray[numpy.float64], dict(shape=(None, None), order="C", device="cpu", writable=False)],
    arg11: Annotated[NDArray[numpy.float64], dict(shape=(None,), order="C", device="cpu", writable=False)],
    arg12: bool,
    arg13: int,
    arg14: int,
    /,
) -> object: ...
