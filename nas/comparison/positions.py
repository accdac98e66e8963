"""Positions: where neurons lie, from a table by their names, for null models that keep how long edges are."""

from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nas.errors import InputError
from priors import Wiring

__all__ = ["Positions", "fingerprint_of", "positions_of", "read_positions"]

Positions = Mapping[str, tuple[float, ...]]
"""Coordinates by the name of a neuron."""

_MOST_BYTES = 2**28
_FARTHEST = 1e100
_FORM = "a heading and then a row for each neuron: its name, and two or three coordinates, such as name,x,y,z"


def read_positions(path: Path) -> Positions:
    """Read a table of positions, a csv file whose first column holds names.

    Raises
    ------
    InputError
        If there is no such table, or a row is not like the others.
    """
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise InputError(f"positions={path}: it is larger than the {_MOST_BYTES} bytes that a table may take")
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.reader(file)
            rows = [(reader.line_num, [cell.strip() for cell in row]) for row in reader if row]
    except OSError as error:
        raise InputError(f"positions={path}: {error.strerror}; give a csv file") from None
    except (UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"positions={path}: no csv file: {error}; it holds {_FORM}") from None
    n_columns = len(rows[0][1]) if rows else 0
    if len(rows) < 2 or n_columns not in (3, 4) or _place(rows[0][1][1:]) is not None:
        raise InputError(f"positions={path}: it must hold {_FORM}")
    found: dict[str, tuple[float, ...]] = {}
    for line, (name, *cells) in rows[1:]:
        place = _place(cells)
        if place is None or len(place) != n_columns - 1:
            raise InputError(f"positions={path}: line {line} has no {n_columns - 1} numbers; it must hold {_FORM}")
        if name in found:
            raise InputError(f"positions={path}: line {line} is the second one of neuron {name}; leave one out")
        found[name] = place
    return found


def _place(cells: Sequence[str]) -> tuple[float, ...] | None:
    """Return coordinates, or None for what is none, or so far away that lengths are beyond all numbers."""
    try:
        place = tuple(map(float, cells))
    except ValueError:
        return None
    return place if all(abs(number) <= _FARTHEST for number in place) else None


def positions_of(wiring: Wiring, table: Positions, name: str) -> NDArray[np.float64]:
    """Return where the neurons of a wiring lie, (n_neurons, n_dimensions); units have no place, which is NaN.

    Neurons are called by their names, where the wiring has some, and else by their numbers among hidden ones, from 0.

    Raises
    ------
    InputError
        If the table lacks one, which `name` says of which graph it is.
    """
    first, last = wiring.n_inputs, wiring.n_neurons - wiring.n_outputs
    own = range(wiring.n_hidden) if wiring.names is None else wiring.names[first:last]
    found = np.full((wiring.n_neurons, len(next(iter(table.values())))), np.nan)
    for place, neuron in enumerate(map(str, own), first):
        if neuron not in table:
            raise InputError(f"positions: neuron {neuron} of {name} has none; give a row for each neuron")
        found[place] = table[neuron]
    return found


def fingerprint_of(table: Positions) -> str:
    """Return what no other positions have, in hexadecimal."""
    return hashlib.sha256(json.dumps(sorted(table.items())).encode()).hexdigest()
