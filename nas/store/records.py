"""Record: one evaluation of one candidate, flat, and tables of them.

A trial is a Record inside an Optuna study; this page says what it holds, and `nas.store.study` where it lies.
"""

from __future__ import annotations

import csv
import math
import platform
import statistics
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

import numpy as np

from priors import Wiring
from priors.files import atomic_write
from priors.version import __version__

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Record", "Records", "describe", "n_nodes_of", "summary_of", "versions_of"]

# What Optuna has places of its own for.
_OF_THE_TRIAL = ("number", "state", "value", "params", "curve", "stopping")


@dataclass(frozen=True)
class Record:
    """One evaluation of one candidate.

    Parameters
    ----------
    number : int
        The trial's number; it keys the candidate's draws, together with the campaign's seed.
    state : {"complete", "stopped", "failed"}
        A trial that was stopped early counts, but has no value.
    value : float or None
        What the search optimises: mean validation metric over the replicates, at the best learning rate.
    params : mapping
        The candidate's parameters; its wiring is a pure function of them, unless it has a `lineage`.
    fingerprint : str
        Of the wiring as trained, input and output units included.
    n_hidden, n_edges, n_layers, n_sources, n_sinks : int
        Of the hidden wiring; `n_edges` counts directed edges.
    degree : float
        Mean degree of the graph, each pair of connected neurons counted once; may differ from the searched degree.
    hidden_edges : tuple of int
        The hidden edges, flattened: source, target, source, target, …
    n_parameters : int or None
        Live weights and biases, where a network was built.
    values : tuple of float
        One value a replicate, at the best learning rate.
    learning_rate : float or None
        The best rung of the ladder.
    ladder : mapping
        Mean value by learning rate.
    curve : tuple of float
        What the value would have been after each epoch; kept where trials may be stopped early.
    stopping : mapping
        What the rule that stops trials noted of this one, in Optuna's words.
    diverged : int
        Trainings that diverged, over all rungs and replicates.
    steps : int
        Updates made, over all trainings.
    seconds : float
        Training time, over all trainings.
    expected_seconds : float or None
        What the trainings take on a common machine, by their arithmetic: by it a sampler plans, and no clock decides
        what it proposes. None for own evaluations.
    engine, versions : str
    origin : str
        How a sampler that predicts chose the candidate; see `nas.samplers.Proposal`.
    prediction, prediction_std, prediction_low, prediction_high : float or None
        What was expected before the training: value, standard deviation, and the ends of an interval of 90 %.
    rank_correlation : float or None
        Kendall's, between the values so far and predictions that leave each wiring out, before the training.
    choosing : float
        Seconds that the choice took.
    lineage : str
        JSON of what the wiring was bred from, where it was; see `nas.space.lineage.Lineage`. It then follows from the
        hidden edges and the attachment; `params` says how many neurons and edges it has, and of its first parent what
        else it was drawn from.
    graph_name : str
        Of the user's own graphs, the name of the one that parameter ``graph`` is the number of.
    error : str or None
        Why the evaluation failed.
    attempts : int
        How often the evaluation was tried.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> from nas import Campaign, Space, load
    >>> with TemporaryDirectory() as folder:
    ...     _ = Campaign(folder, evaluate=lambda wiring, params: wiring.n_edges, space=Space(nodes=20), trials=3).run()
    ...     record = load(folder)[0]
    >>> record.number, record.state, record.n_hidden, record.value == record.n_edges
    (0, 'complete', 20, True)
    """

    number: int
    state: str
    value: float | None
    params: Mapping[str, Any]
    fingerprint: str = ""
    n_hidden: int = 0
    n_edges: int = 0
    n_layers: int = 0
    n_sources: int = 0
    n_sinks: int = 0
    degree: float = 0.0
    hidden_edges: tuple[int, ...] = ()
    n_parameters: int | None = None
    values: tuple[float, ...] = ()
    learning_rate: float | None = None
    ladder: Mapping[str, float] = field(default_factory=dict)
    curve: tuple[float, ...] = ()
    stopping: Mapping[str, Any] = field(default_factory=dict)
    diverged: int = 0
    steps: int = 0
    seconds: float = 0.0
    expected_seconds: float | None = None
    engine: str = ""
    versions: str = ""
    prediction: float | None = None
    prediction_std: float | None = None
    prediction_low: float | None = None
    prediction_high: float | None = None
    rank_correlation: float | None = None
    origin: str = ""
    choosing: float = 0.0
    lineage: str = ""
    graph_name: str = ""
    error: str | None = None
    attempts: int = 1

    @property
    def is_complete(self) -> bool:
        """Whether the evaluation gave a value."""
        return self.state == "complete"

    @property
    def is_counted(self) -> bool:
        """Whether the trial is one of those that were asked for: complete, or stopped early."""
        return self.state in ("complete", "stopped")

    @property
    def objectives(self) -> tuple[float, float]:
        """Value and size of a complete trial, where both are objectives."""
        assert self.value is not None
        assert self.n_parameters is not None
        return self.value, float(self.n_parameters)

    def attributes(self) -> dict[str, Any]:
        """Return what a trial stores as attributes of its own, as JSON types."""
        stored = {name: value for name, value in vars(self).items() if name not in _OF_THE_TRIAL}
        stored["ladder"] = dict(self.ladder)
        if not self.graph_name:
            del stored["graph_name"]
        return {name: list(value) if isinstance(value, tuple) else value for name, value in stored.items()}

    @classmethod
    def from_attributes(
        cls, number: int, state: str, value: float | None, params: Mapping[str, Any], stored: Mapping[str, Any]
    ) -> Record:
        """Return the record of a trial; attributes that this version does not know are left out."""
        known: dict[str, Any] = {
            name: tuple(item) if isinstance(item, list) else item
            for name, item in stored.items()
            if name in cls.__dataclass_fields__
        }
        return cls(number=number, state=state, value=value, params=dict(params), **known)

    def row(self) -> dict[str, Any]:
        """Return the record as one flat row, without its edges."""
        row = {name: value for name, value in vars(self).items() if name not in ("hidden_edges", "stopping")}
        row |= {f"param_{name}": value for name, value in row.pop("params").items()}
        row |= {f"value_at_{rate}": value for rate, value in row.pop("ladder").items()}
        row["values"] = " ".join(map(repr, self.values))
        if not self.graph_name:
            del row["graph_name"]
        if curve := row.pop("curve"):
            row["curve"] = " ".join(map(repr, curve))
        return row


def n_nodes_of(wiring: Wiring, attachment: object) -> int:
    """Return how many nodes the graph has that a wiring was made of; see `describe`."""
    is_projected = wiring.inputs and attachment == "projected"
    return wiring.n_hidden - (wiring.hidden.sizes[0] if is_projected else 0)


def describe(wiring: Wiring, attachment: object = None) -> dict[str, Any]:
    """Return the fields of a Record that follow from the wiring as trained, and from how its units were attached.

    The first layer of a projected wiring is no part of the graph.
    """
    hidden = wiring.hidden
    return {
        "fingerprint": wiring.fingerprint,
        "n_hidden": hidden.n_neurons,
        "n_edges": hidden.n_edges,
        "n_layers": hidden.n_layers,
        "n_sources": len(hidden.sources),
        "n_sinks": len(hidden.sinks),
        "degree": _mean_degree(hidden, n_nodes_of(wiring, attachment)),
        "hidden_edges": tuple(hidden.edges.ravel().tolist()),
    }


@cache
def versions_of(*packages: str) -> str:
    """Return the versions of wirenas, of Python and of installed packages, as a record keeps them."""
    installed = ", ".join(f"{name} {version(name)}" for name in packages)
    return f"wirenas {__version__}, python {platform.python_version()}, {installed}"


def _mean_degree(hidden: Wiring, n_nodes: int) -> float:
    """Return the mean degree of the graph that the last `n_nodes` neurons of a hidden wiring were made of.

    Where they are layered, edges that are not forward are the recurrence that `stack` added, and not the graph's.
    """
    first = hidden.n_neurons - n_nodes
    graph = hidden.edges[:, 0] >= first
    if hidden.n_layers - (first > 0) > 1:
        graph &= hidden.forward
    source, target = hidden.edges[graph].astype(np.int64).T
    pairs = np.minimum(source, target) * hidden.n_neurons + np.maximum(source, target)
    return 2 * len(np.unique(pairs)) / n_nodes if n_nodes else 0.0


@dataclass(frozen=True)
class Records(Sequence[Record]):
    """A table of records, in the order of their numbers.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> from nas import Campaign, Space, load
    >>> with TemporaryDirectory() as folder:
    ...     _ = Campaign(folder, evaluate=lambda wiring, params: wiring.n_edges, space=Space(nodes=20), trials=3).run()
    ...     records = load(folder)
    >>> len(records), [record.number for record in records.complete]
    (3, [0, 1, 2])
    >>> records.to_frame()["n_hidden"].tolist()
    [20, 20, 20]
    """

    rows: tuple[Record, ...]

    @overload
    def __getitem__(self, index: int) -> Record: ...

    @overload
    def __getitem__(self, index: slice) -> Records: ...

    def __getitem__(self, index: int | slice) -> Record | Records:
        return Records(self.rows[index]) if isinstance(index, slice) else self.rows[index]

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[Record]:
        return iter(self.rows)

    @property
    def complete(self) -> Records:
        """The records that have a value."""
        return Records(tuple(row for row in self.rows if row.is_complete))

    @property
    def counted(self) -> Records:
        """The records of complete trials and of those that were stopped early."""
        return Records(tuple(row for row in self.rows if row.is_counted))

    def to_frame(self) -> pd.DataFrame:
        """Return a ``pandas.DataFrame``, one row a record."""
        import pandas as pd

        return pd.DataFrame([row.row() for row in self.rows])

    def to_csv(self, path: str | Path) -> None:
        """Write one line a record, with the union of their columns."""
        rows = [row.row() for row in self.rows]
        columns = list(dict.fromkeys(name for row in rows for name in row))
        with atomic_write(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, columns, lineterminator="\n")
            writer.writeheader()
            writer.writerows(rows)


def summary_of(values: Sequence[float]) -> dict[str, Any]:
    """Return mean, standard deviation (n - 1; None for a single value) and number of values of several seeds."""
    return {
        "mean": math.fsum(values) / len(values),
        "std": statistics.stdev(values) if len(values) > 1 else None,
        "seeds": len(values),
    }
