"""The compiled engine's extension module, where it was built, and the instruction set that it runs with."""

from __future__ import annotations

import os
import platform
from functools import cache
from importlib import import_module
from typing import Any

from nas.errors import InputError
from priors.version import __version__

__all__ = ["MISSING", "describe_machine", "extension", "has_native", "instruction_set"]

MISSING = "it could not be built at the installation, which takes GCC 12, Clang 15 or newer"
"""Why there may be no compiled engine."""

_INSTRUCTION_SET_VARIABLE = "WIRENAS_INSTRUCTION_SET"


@cache
def extension() -> Any:
    """Return the extension module, or None where it was not built."""
    try:
        return import_module("nas.training._native")
    except ImportError:
        return None


def has_native() -> bool:
    """Whether the compiled engine can be used."""
    return extension() is not None


@cache
def instruction_set() -> str:
    """Return the instruction set that kernels run with: the best of the processor's, or WIRENAS_INSTRUCTION_SET.

    Raises
    ------
    InputError
        If the variable names another than the processor has.
    """
    known: list[str] = extension().instruction_sets()
    wanted = os.environ.get(_INSTRUCTION_SET_VARIABLE, known[-1])
    if wanted not in known:
        raise InputError(f"{_INSTRUCTION_SET_VARIABLE}={wanted}: this processor has {', '.join(known)}")
    return wanted


def describe_machine() -> str:
    """Return one line."""
    import torch

    engines, instructions = "torch", torch.backends.cpu.get_cpu_capability()
    if has_native():
        engines, instructions = "native, torch", instruction_set()
    devices = "cpu, cuda" if torch.cuda.is_available() else "cpu"
    return (
        f"wirenas {__version__} (python {platform.python_version()}, torch {torch.__version__}; engines: {engines}; "
        f"devices: {devices}; instruction set: {instructions} on {platform.machine()})"
    )
