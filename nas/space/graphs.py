"""Graphs: the option of a space that holds the user's own graphs."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BeforeValidator, PlainSerializer

from nas.errors import InputError

if TYPE_CHECKING:
    from priors import GraphPool

__all__ = ["Graphs", "read_graphs"]


def _path_or_pool(value: Any) -> Any:
    from priors import GraphPool

    if value is None or isinstance(value, GraphPool):
        return value
    return str(value)


def _name_of_graphs(value: Any) -> str | None:
    return value if value is None or isinstance(value, str) else f"pool {value.fingerprint[:12]}"


@lru_cache(maxsize=4)
def read_graphs(path: str) -> GraphPool:
    """Read the graphs of a folder, an archive or a file, once.

    Raises
    ------
    InputError
        If they cannot be read.
    """
    from priors import GraphPool

    try:
        return GraphPool.read(path)
    except ValueError as error:
        raise InputError(f"space.graphs: {error}") from None


Graphs = Annotated[Any, BeforeValidator(_path_or_pool), PlainSerializer(_name_of_graphs, when_used="json")]
"""A field that holds a `GraphPool`, the path that one is read from, or None."""
