"""What the commands on predictors do, without their printing.

Asking a predictor imports no scikit-learn either, so that an answer takes less than a second.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

from nas.errors import InputError, as_input_errors
from nas.options.options import CAMPAIGN, PREDICTOR_FOLDER, SURVEY
from predictors import Predictor, describe, names_of
from predictors.storage import FILE
from priors import Wiring, read_wiring

__all__ = ["MOST_NEURONS", "features_of", "fit_table", "load_predictor", "predictions", "writing"]

_SMALLER = "the graph needs more memory than there is; give a smaller one"

MOST_NEURONS = 5_000
"""Of a graph that a command describes: all distances of a larger one take too long to wait for."""


def load_predictor(out: Path) -> Predictor:
    """Return the predictor in a folder: its own, or that of a campaign or survey.

    Raises
    ------
    InputError
        If there is none, or it cannot be read.
    """
    found = [place for place in (out, out / PREDICTOR_FOLDER) if (place / FILE).is_file()]
    if not found:
        raise InputError(
            f"{out}: no predictor here; give the --out folder of `wirenas run`, `survey` (20 wirings or more; of your "
            "own graphs at least five) or `fit`"
        )
    with as_input_errors(_SMALLER):
        return Predictor.load(found[0])


def predictions(out: Path, graphs: Sequence[Path], coverage: float = 0.9, **reading: Any) -> list[dict[str, Any]]:
    """Return what a predictor expects of graphs, and how sure it is.

    Parameters
    ----------
    out : Path
        See `load_predictor`.
    graphs : sequence of Path
        Files of graphs; see `priors.read_wiring`.
    coverage : float
        Of the interval, as far as the training wirings can promise it.
    **reading
        How files are read: format, directed and merge of `priors.read_wiring`.

    Returns
    -------
    list of dict
        graph, mean, std, low, high, in_domain, outside (why, or None), rank, of, trains (a probability), and
        contributions by family of features, one a graph.
    """
    with as_input_errors(_SMALLER):
        wirings = [_read(path, **reading) for path in graphs]
        predictor = load_predictor(out)
        answers = []
        for path, wiring in zip(graphs, wirings, strict=True):
            try:
                answers.append({"graph": str(path), **_answer(predictor, wiring, coverage)})
            except ValueError as error:
                raise InputError(f"{path}: {error}") from None
        return answers


def _answer(predictor: Predictor, wiring: Wiring, coverage: float) -> dict[str, Any]:
    with np.errstate(all="ignore"):  # What is not finite is refused below, without a warning before.
        answers = predictor.ask([wiring])
        low, high = answers.interval(coverage)
        rank, of = predictor.rank(answers.mean)
        shares = {family: float(values[0]) for family, values in answers.contributions().items()}
    mean, std, trains = (float(values[0]) for values in (answers.mean, answers.std, answers.trains))
    if not all(map(math.isfinite, (mean, std, low[0], high[0], trains, *shares.values()))):
        raise InputError("the predictor's answer is not a finite number: fit it again")
    return {
        "mean": mean,
        "std": std,
        "low": float(low[0]),
        "high": float(high[0]),
        "coverage": min(coverage, predictor.fitted_.calibration.reach),
        "in_domain": bool(answers.in_domain[0]),
        "outside": answers.why_outside[0],
        "rank": int(rank[0]),
        "of": of,
        "trains": trains,
        "contributions": dict(sorted(shares.items(), key=lambda item: -abs(item[1]))),
    }


def features_of(
    graphs: Sequence[Path], tiers: tuple[str, ...], pivots: int | None = None, **reading: Any
) -> list[dict[str, Any]]:
    """Return counts and features of graphs, the latter None where undefined, one dict a graph.

    Of an undirected graph, counts hold each edge once, and features both of its directions.
    """
    with as_input_errors(_SMALLER):
        names = names_of(tiers)
        wirings = [_read(path, **reading) for path in graphs]
        rows = describe(wirings, tiers, pivots)
    found = [[value if math.isfinite(value) else None for value in row] for row in rows.tolist()]
    return [
        {"graph": str(path), "counts": _counts(wiring), "features": dict(zip(names, row, strict=True))}
        for path, wiring, row in zip(graphs, wirings, found, strict=True)
    ]


def _counts(wiring: Wiring) -> dict[str, Any]:
    """Return neurons and edges of what is between the units, and whether its edges have a direction."""
    hidden = wiring.hidden
    loops = int((hidden.edges[:, 0] == hidden.edges[:, 1]).sum())
    directed = not hidden.is_undirected
    n_edges = hidden.n_edges if directed else (hidden.n_edges - loops) // 2 + loops
    return {"nodes": hidden.n_neurons, "edges": n_edges, "directed": directed}


def fit_table(
    table: Path,
    out: Path,
    *,
    graph: str = "graph",
    value: Sequence[str] = ("value",),
    group: str | None = None,
    parameters: Sequence[str] = (),
    chance: float | None = None,
    reading: Mapping[str, Any] = MappingProxyType({}),
    **options: Any,
) -> Predictor:
    """Fit a predictor to a table of graph files and values, and save it.

    Parameters
    ----------
    table : Path
        A csv file with a header. Paths of graphs count from its folder.
    out : Path
        The predictor's folder.
    graph : str
        The column of graph files.
    value : sequence of str
        One column of values, or several trainings of the same graph side by side; a field may be empty.
    group : str, optional
        The column that says what was derived from the same graph.
    parameters : sequence of str
        Columns of what the graphs were drawn from, such as family and n.
    reading : mapping
        How graph files are read: format, directed and merge of `priors.read_wiring`.
    chance, **options
        See `Predictor`; the metric is the name of the first column of values.
    """
    if chance is not None and not math.isfinite(chance):
        raise InputError(f"chance={chance}: a finite number is needed, such as 0.1")
    if any((out / kind.file).exists() for kind in (CAMPAIGN, SURVEY)):
        raise InputError(f"out={out}: a campaign or survey with a predictor of its own lies there; give another folder")
    rows = _read_table(table, [graph, *value, *([group] if group else []), *parameters])
    with as_input_errors(_SMALLER):
        wirings = [_read(table.parent / row[graph], **reading) for row in rows.values()]
        values = np.array([_numbers(f"{table}, line {line}", row, value) for line, row in rows.items()])
        predictor = Predictor(metric=value[0], chance=chance, **options)
        predictor.fit(
            wirings,
            values,
            groups=[row[group] for row in rows.values()] if group else None,
            parameters=[{name: _text_or_number(row[name]) for name in parameters} for row in rows.values()],
        )
    with writing(out):
        predictor.save(out)
    return predictor


def _read_table(table: Path, needed: Sequence[str]) -> dict[int, dict[str, str]]:
    """Return the needed columns of a csv file, row by row, by the number of the row's last line."""
    try:
        with table.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file)
            columns = reader.fieldnames or []
            for name in needed:
                if name not in columns:
                    raise InputError(f"{table}: column {name!r} is missing; it has {', '.join(columns) or 'none'}")
            rows = {}
            for row in reader:
                rows[reader.line_num] = {name: row[name] or "" for name in needed}
    except OSError as error:
        raise InputError(f"{table}: cannot be read: {error.strerror}") from None
    except (csv.Error, UnicodeDecodeError) as error:
        raise InputError(f"{table}: is no csv file: {error}") from None
    if not rows:
        raise InputError(f"{table}: holds no rows")
    return rows


def _numbers(place: str, row: Mapping[str, str], names: Sequence[str]) -> list[float]:
    values = []
    for name in names:
        text = row[name]
        try:
            value = float(text) if text.strip() else math.nan
        except ValueError:
            value = math.inf
        if math.isinf(value):
            raise InputError(f"{place}: {name} is {text[:40]!r}: a finite number is needed, or an empty field")
        values.append(value)
    if all(map(math.isnan, values)):
        raise InputError(f"{place}: no {' and no '.join(names)}: give one, or leave the row out")
    return values


def _text_or_number(text: str) -> str | float | None:
    try:
        number = float(text)
    except ValueError:
        return text or None
    return number if math.isfinite(number) else None


def _read(path: Path, **reading: Any) -> Wiring:
    """Read a graph that can be described in seconds."""
    wiring = read_wiring(path, **reading)
    if wiring.n_neurons > MOST_NEURONS:
        raise InputError(f"{path}: {wiring.n_neurons} neurons; graphs of up to {MOST_NEURONS} are described here")
    return wiring


@contextmanager
def writing(out: Path) -> Iterator[None]:
    """Turn a folder that cannot be written into an error of one line."""
    try:
        yield
    except OSError as error:
        raise InputError(f"out={out}: {error.strerror}; give a folder that can be written") from None
