"""What the commands on predictors do, without their printing.

Asking a predictor imports no scikit-learn either, so that an answer takes less than a second.
"""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

from nas.errors import InputError, as_input_errors
from nas.failures import unusable
from nas.options.options import OPTIONS_FILE, PREDICTOR_FOLDER, read_options
from nas.store.folders import PREDICTOR, check_folder
from predictors import Predictor, describe, names_of
from predictors.storage import FILE
from priors import Wiring, read_wiring
from priors.archives import ARCHIVES
from priors.formats.files import check_reading
from priors.graph_files import read_wirings

__all__ = ["MOST_NEURONS", "features_of", "fit_table", "load_predictor", "predictions", "writing"]

_SMALLER = "the graph needs more memory than there is; give a smaller one"

_AT_ONCE = 64
_DECIMAL_COMMA = re.compile(r"[+-]?\d*,\d+(?:[eE][+-]?\d+)?")

MOST_NEURONS = 5_000
"""Of a graph that a command describes: all distances of a larger one take too long to wait for."""


def load_predictor(out: Path) -> Predictor:
    """Return the predictor in a folder: its own, or that of a campaign or survey.

    Raises
    ------
    InputError
        If there is none, or it cannot be read.
    """
    found = _place_of_predictor(out)
    if found is None:
        if _has_budget(out):
            raise InputError(
                f"{out}: no predictor here: a campaign with a budget fits none; give the --out folder of a "
                "`wirenas run` without --budget, or of `wirenas survey`"
            )
        raise InputError(
            f"{out}: no predictor here; give the --out folder of `wirenas run` without --budget, `survey` (20 wirings "
            "or more; of your own graphs at least five) or `fit`"
        )
    with as_input_errors(_SMALLER):
        return Predictor.load(found)


def _place_of_predictor(out: Path) -> Path | None:
    """Return the folder of the predictor that lies in a folder, None where none does."""
    return next((place for place in (out, out / PREDICTOR_FOLDER) if (place / FILE).is_file()), None)


def _has_budget(out: Path) -> bool:
    """Whether the folder is that of a campaign with a budget."""
    file = out / OPTIONS_FILE
    return file.is_file() and "budget" in read_options(file)


def predictions(
    out: Path, graphs: Sequence[Path], coverage: float = 0.9, *, explain: bool = False, **reading: Any
) -> tuple[list[dict[str, Any]], dict[str, str], dict[str, Any]]:
    """Return what a predictor expects of graphs, and how sure it is; what is wrong with others; and what it is worth.

    Parameters
    ----------
    out : Path
        See `load_predictor`.
    graphs : sequence of Path
        Files of graphs, and folders or archives of them; see `priors.read_wiring` and `GraphPool.read`.
    coverage : float
        Of the interval, as far as the training wirings can promise it.
    explain : bool
        Whether to say what each prediction rests on, which takes many times as long.
    **reading
        How files are read: format, directed and merge of `priors.read_wiring`.

    Returns
    -------
    list of dict
        graph, mean, std, low, high, in_domain, outside (why, or None), rank, of, trains (a probability), and
        contributions by family of features, None where they are not asked for; one a graph.
    dict of str to str
        What is wrong, by the name of the graph.
    dict
        See `Predictor.worth`.
    """
    if _place_of_predictor(out) is None and (
        holders := [own for own in graphs if _place_of_predictor(own) is not None]
    ):
        raise InputError(
            f"{out}: no predictor here, but in {holders[0]}; the folder of the predictor comes first, and graphs follow"
        )
    with as_input_errors(_SMALLER):
        predictor, answers = load_predictor(out), []
        wirings, failed = _read_all(graphs, **reading)
        for first in range(0, len(wirings), _AT_ONCE):
            some = wirings[first : first + _AT_ONCE]
            found, wrong = _each(lambda own: _answers(predictor, own, coverage, explain), some)
            answers += found
            failed |= wrong
        return answers, failed, predictor.worth()


class _WrongGraphError(ValueError):
    """One of several graphs cannot be described."""


def _each(
    describe_all: Callable[[Sequence[tuple[str, Wiring]]], list[dict[str, Any]]],
    wirings: Sequence[tuple[str, Wiring]],
) -> tuple[list[dict[str, Any]], dict[str, str]]:
    """Return what is said of graphs, and a line on each of which nothing can be."""
    try:
        return (describe_all(wirings) if wirings else []), {}
    except _WrongGraphError as error:
        if len(wirings) == 1:
            name, _ = wirings[0]
            return [], {name: f"{name}: {error}"}
    found: list[dict[str, Any]] = []
    failed: dict[str, str] = {}
    for wiring in wirings:
        some, wrong = _each(describe_all, [wiring])
        found += some
        failed |= wrong
    return found, failed


def _answers(
    predictor: Predictor, wirings: Sequence[tuple[str, Wiring]], coverage: float, explain: bool
) -> list[dict[str, Any]]:
    with np.errstate(all="ignore"):  # What is not finite is refused below, without a warning before.
        try:
            answers = predictor.ask([wiring for _, wiring in wirings])
        except ValueError as error:
            raise _WrongGraphError(" ".join(str(error).split())) from None
        low, high = answers.interval(coverage)
        ranks, of = predictor.rank(answers.mean)
        shares = answers.contributions() if explain else {}
        mean, std, trains, why = answers.mean, answers.std, answers.trains, answers.why_outside
    found = []
    for index, (name, _) in enumerate(wirings):
        own = {family: float(values[index]) for family, values in shares.items()}
        answer = {
            "graph": name,
            "mean": float(mean[index]),
            "std": float(std[index]),
            "low": float(low[index]),
            "high": float(high[index]),
            "coverage": min(coverage, predictor.fitted_.calibration.reach),
            "in_domain": bool(answers.in_domain[index]),
            "outside": why[index],
            "rank": int(ranks[index]),
            "of": of,
            "trains": float(trains[index]),
            "contributions": dict(sorted(own.items(), key=lambda item: -abs(item[1]))) if explain else None,
        }
        numbers = [mean[index], std[index], low[index], high[index], trains[index]]
        if not np.isfinite([*numbers, *own.values()]).all():
            raise InputError(f"{name}: the predictor's answer is not a finite number: fit it again")
        found.append(answer)
    return found


def features_of(
    graphs: Sequence[Path], tiers: tuple[str, ...], pivots: int | None = None, **reading: Any
) -> tuple[list[dict[str, Any]], dict[str, str]]:
    """Return counts and features of graphs, the latter None where undefined, one dict a graph; and a line on others.

    Of an undirected graph, counts hold each edge once, and features both of its directions. The edge density is the
    share of possible edges that are there, as networkx has it: of n (n - 1), or undirected of half as many.
    """
    with as_input_errors(_SMALLER):
        names = names_of(tiers)

    def described(wirings: Sequence[tuple[str, Wiring]]) -> list[dict[str, Any]]:
        try:
            rows = describe([wiring for _, wiring in wirings], tiers, pivots)
        except ValueError as error:
            raise _WrongGraphError(" ".join(str(error).split())) from None
        found = [[value if math.isfinite(value) else None for value in row] for row in rows.tolist()]
        return [
            {"graph": name, "counts": _counts(wiring), "features": dict(zip(names, row, strict=True))}
            for (name, wiring), row in zip(wirings, found, strict=True)
        ]

    with as_input_errors(_SMALLER):
        wirings, failed = _read_all(graphs, **reading)
        found, wrong = _each(described, wirings)
        return found, {**failed, **wrong}


def _counts(wiring: Wiring) -> dict[str, Any]:
    """Return neurons and edges of what is between the units, and whether its edges have a direction."""
    hidden = wiring.hidden
    loops = int((hidden.edges[:, 0] == hidden.edges[:, 1]).sum())
    directed = not hidden.is_undirected
    n_edges = hidden.n_edges if directed else (hidden.n_edges - loops) // 2 + loops
    possible = hidden.n_neurons * (hidden.n_neurons - 1) / (1 if directed else 2)
    density = n_edges / possible if possible else 0.0
    return {"nodes": hidden.n_neurons, "edges": n_edges, "directed": directed, "edge_density": density}


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
    check_folder(out, PREDICTOR, beside=True)
    needed = {**dict.fromkeys(parameters, "--parameter"), **({group: "--group"} if group else {})}
    rows = _read_table(table, {**needed, **dict.fromkeys(value, "--value"), graph: "--graph"})
    with as_input_errors(_SMALLER):
        wirings = [_graph_of(f"{table}, line {line}", table.parent, row[graph], reading) for line, row in rows.items()]
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


def _read_table(table: Path, needed: Mapping[str, str]) -> dict[int, dict[str, str]]:
    """Return the needed columns of a csv file, row by row, by the number of the row's last line.

    Each needed column comes with the flag that names it. Commas, semicolons or tabs divide the fields, whichever
    the heading has most of; where commas do not, they may stand in numbers.
    """
    try:
        with table.open(newline="", encoding="utf-8-sig") as file:
            lines = list(file)
        heading = next((line for line in lines if line.strip()), "")
        delimiter = max(",;\t", key=heading.count)
        reader = csv.reader(lines, delimiter=delimiter, skipinitialspace=True, strict=True)
        filled = ((reader.line_num, [field.strip() for field in fields]) for fields in reader if any(fields))
        _, columns = next(filled, (0, []))
        for name, flag in needed.items():
            if columns.count(name) != 1:
                found = f"is there {columns.count(name)} times" if name in columns else "is missing"
                has = f"it has {', '.join(columns) or 'none'}"
                raise InputError(f"{table}: column {name!r} {found}; {has}; {flag} names another")
        rows = {}
        for line, fields in filled:
            if len(fields) > len(columns):
                raise InputError(f"{table}, line {line}: {len(fields)} fields; the heading names {len(columns)}")
            row = {**dict.fromkeys(columns, ""), **dict(zip(columns, fields, strict=False))}
            if delimiter != ",":
                row = {name: _with_point(text) for name, text in row.items()}
            rows[line] = {name: row[name] for name in needed}
    except OSError as error:
        raise unusable(error, str(table), "give a table that can be read") from None
    except (csv.Error, UnicodeDecodeError) as error:
        raise InputError(f"{table}: is no csv file: {error}") from None
    if not rows:
        raise InputError(f"{table}: holds no rows")
    return rows


def _with_point(text: str) -> str:
    """Return a number's text with a decimal point in place of its comma, and any other text as it is."""
    return text.replace(",", ".") if _DECIMAL_COMMA.fullmatch(text) else text


def _graph_of(place: str, folder: Path, name: str, reading: Mapping[str, Any]) -> Wiring:
    """Read the graph file that a row names."""
    if not name:
        raise InputError(f"{place}: no graph: name a file, or leave the row out")
    try:
        return _of_bounded_size(str(folder / name), read_wiring(folder / name, **reading))
    except ValueError as error:
        raise InputError(f"{place}: {error}") from None


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


def _read_all(paths: Sequence[Path], **reading: Any) -> tuple[list[tuple[str, Wiring]], dict[str, str]]:
    """Read graphs, and those of folders and archives, with their names; and a line on each that cannot be read."""
    found: list[tuple[str, Wiring]] = []
    failed: dict[str, str] = {}
    check_reading(**reading)
    for path in paths:
        try:
            if path.is_dir() or path.name.lower().endswith(ARCHIVES):
                pool = read_wirings(path, failed=failed, **reading)
                found += [(f"{path}/{name}", wiring) for name, wiring in pool.items()]
            else:
                wiring = read_wiring(path, **reading)
                if not wiring.n_neurons:
                    raise ValueError(f"{path}: holds no node: there is nothing to measure")
                found.append((str(path), wiring))
        except ValueError as error:
            failed[str(path)] = " ".join(str(error).split())
    large = {name: wiring.n_neurons for name, wiring in found if wiring.n_neurons > MOST_NEURONS}
    failed |= {name: _too_large(name, n_neurons) for name, n_neurons in large.items()}
    return [(name, wiring) for name, wiring in found if name not in large], failed


def _too_large(name: str, n_neurons: int) -> str:
    return f"{name}: {n_neurons} neurons; graphs of up to {MOST_NEURONS} are described here"


def _of_bounded_size(name: str, wiring: Wiring) -> Wiring:
    """Return a graph that can be described in seconds; refuse others."""
    if wiring.n_neurons > MOST_NEURONS:
        raise InputError(_too_large(name, wiring.n_neurons))
    return wiring


@contextmanager
def writing(out: Path) -> Iterator[None]:
    """Turn a folder that cannot be written into an error of one line."""
    try:
        yield
    except OSError as error:
        raise unusable(error, f"out={out}", "give a folder that can be written") from None
