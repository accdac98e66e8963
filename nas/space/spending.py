"""Spending: a limit of parameters is what networks may have, so that a space by default reaches it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from nas.space.draws import largest
from nas.space.space import Space
from priors import Wiring

__all__ = ["WIDENED", "widened"]

WIDENED = ("nodes", "degree", "reads", "readouts")
"""Options of a space that say how large networks are; where one of them is given, all stay as they are."""

_MOST_NODES, _MOST_DEGREE = 1000, 100
"""Ends up to which neurons come first, and then the degree."""
_MOST = 100_000
_BY_LINE = (1000, 2000)
"""Beyond these numbers of neurons sizes are found from those at them, on a line: large graphs take long."""
_STEPS = {"nodes": 10, "reads": 1, "degree": 1}


def widened(
    space: Space,
    given: Mapping[str, Any],
    units: tuple[int, int],
    size_of: Callable[[Wiring], int],
    begun: Mapping[str, Any] | None = None,
) -> tuple[Space, str | None]:
    """Return a space whose largest networks have about as many parameters as it allows, and a line on what was widened.

    More neurons come first, up to 1,000; then more reads, as many as there are inputs; then higher degrees, up to 100;
    and then more neurons again. With several attachments, networks of each reach the limit. What follows is a function
    of the arguments alone.

    Parameters
    ----------
    space : Space
    given : mapping
        The options of the space that somebody gave. Where one of `WIDENED` is among them, or no limit, the space stays
        as it is, and so does one of own graphs.
    units : (int, int)
        Inputs and outputs.
    size_of : callable
        Number of parameters of the network of a wiring.
    begun : mapping, optional
        The options of the space of a campaign or survey that was begun, which goes on with the ends that it has.
    """
    limit = space.max_parameters
    if limit is None or space.graphs is not None or not set(WIDENED).isdisjoint(given):
        return space, None
    if begun is not None:
        return _as_begun(space, begun), None
    before = space

    def most_of(ends: Mapping[str, float]) -> int:
        return min(largest(_with_ends(space, ends), units, size_of).values())

    def spends(ends: Mapping[str, float]) -> bool:
        return most_of(ends) >= limit

    if spends({}):
        return space, None
    degree = int(min(_MOST_DEGREE, max(space.degree[1], _MOST_NODES // 4)))
    reads = max(space.reads[1], units[0]) if "controlled" in space.attachment else space.reads[1]
    for name, most in (("nodes", _MOST_NODES), ("reads", reads), ("degree", degree)):
        least = int(getattr(space, name)[1])
        if most_of({name: max(least, most)}) <= most_of({}):
            continue  # Networks of the attachment whose networks are smallest have no more of it.
        space = _with_ends(space, {name: _least_end(name, least, max(least, most), spends)})
        if spends({}):
            return space, _line(before, space)
    low, high = (most_of({"nodes": n}) for n in _BY_LINE)
    slope = (high - low) / (_BY_LINE[1] - _BY_LINE[0])
    step = _STEPS["nodes"]
    nodes = _BY_LINE[0] + -(-int((limit - low) / slope) // step) * step if slope > 0 else _MOST
    space = _with_ends(space, {"nodes": max(space.nodes[1], min(nodes, _MOST))})
    return space, _line(before, space)


def _least_end(name: str, least: int, most: int, spends: Callable[[Mapping[str, float]], bool]) -> int:
    """Return the least upper end at which enough can be spent, in whole steps, or the most that there may be."""
    step = _STEPS[name]
    low, high = 0, -(-(most - least) // step)
    while low < high:
        middle = (low + high) // 2
        if spends({name: min(least + middle * step, most)}):
            high = middle
        else:
            low = middle + 1
    return min(least + low * step, most)


def _with_ends(space: Space, ends: Mapping[str, float]) -> Space:
    changed = {name: (getattr(space, name)[0], type(getattr(space, name)[1])(high)) for name, high in ends.items()}
    return space.model_copy(update=changed)


def _as_begun(space: Space, begun: Mapping[str, Any]) -> Space:
    """Return a space with the upper ends that it was begun with; others than wider ones are left to be refused."""
    stored = Space(**{name: begun[name] for name in WIDENED if name in begun})
    ends = {}
    for name in WIDENED:
        (low, high), (own_low, own_high) = getattr(stored, name), getattr(space, name)
        if low == own_low and high > own_high:
            ends[name] = high
    return _with_ends(space, ends)


def _line(before: Space, after: Space) -> str:
    names = [name for name in WIDENED if getattr(before, name) != getattr(after, name)]
    now = " and ".join(f"space.{name}={_shown(getattr(after, name))}" for name in names)
    then = " and ".join(_shown(getattr(before, name)) for name in names)
    return f"space.max_parameters={after.max_parameters}: {now} in place of {then}, so that networks can spend it"


def _shown(ends: tuple[float, float]) -> str:
    low, high = ends
    return f"{low:g}" if low == high else f"{low:g}:{high:g}"
