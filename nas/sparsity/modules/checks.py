"""Checks of what is given with a module: one line of what is wrong."""

from __future__ import annotations

from typing import Any

import numpy as np
from torch import nn

from nas.errors import InputError

__all__ = ["check_module", "generator_of", "whole_number"]


def check_module(module: Any) -> None:
    """Refuse what is no module.

    Raises
    ------
    InputError
    """
    if not isinstance(module, nn.Module):
        raise InputError(f"module is a {type(module).__name__}: a torch.nn.Module is needed")


def generator_of(rng: Any) -> np.random.Generator:
    """Return a generator, by its seed or as it is given.

    Raises
    ------
    InputError
        For what is no seed.
    """
    try:
        return np.random.default_rng(rng)
    except (TypeError, ValueError):
        raise InputError(f"rng={rng!r}: it must be a whole number of at least 0, or a numpy.random.Generator") from None


def whole_number(name: str, value: Any, why: str) -> int:
    """Return a whole number of at least 1.

    Raises
    ------
    InputError
        For anything else; `why` says what the number is for.
    """
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < 1:
        raise InputError(f"{name}={value!r}: {why}, a whole number of 1 or more")
    return int(value)
