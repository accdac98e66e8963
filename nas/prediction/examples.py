"""What a predictor learns from a campaign or a survey, and its fit when one is over.

Labels are metrics on the validation part: the test part stays untouched by whatever a predictor is used for.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from nas.errors import InputError
from nas.failures import raise_unreadable
from nas.options.options import PREDICTOR_FOLDER
from nas.space.lineage import Lineage
from nas.space.space import Space, without_draws
from nas.store.records import Record, Records
from nas.training.session import sign_of
from predictors import Predictor, Preparation
from predictors.fitted import LARGEST, Training
from priors import GraphPool, Inputs, Wiring

if TYPE_CHECKING:
    from nas.store.survey_table import SurveyTable

__all__ = [
    "LEAST_EXAMPLES",
    "LEAST_LINEAGES",
    "MOST_EXAMPLES",
    "MOST_NEURONS",
    "Examples",
    "campaign_examples",
    "fit_into",
    "lineages",
    "survey_examples",
]

LEAST_EXAMPLES = 20
"""Fewer wirings teach a predictor nothing."""

LEAST_LINEAGES = 5
"""As many as there are folds: wirings of fewer lineages are too much alike to tell what a predictor is worth."""

MOST_NEURONS = 20_000
"""Larger wirings take too long to describe."""

MOST_EXAMPLES = 2000
"""More wirings make the fit slow and hardly better; as many are chosen evenly."""


@dataclass(frozen=True)
class Examples:
    """Wirings and how well they did.

    Parameters
    ----------
    wirings : tuple of Wiring
        As trained.
    labels : (n_wirings, n_replicates) float array
        The metric on the validation part, one column a training seed; NaN where there was none.
    parameters : tuple of mapping
        What each wiring was drawn from, its seeds left out.
    preparation : Preparation
        How their graphs became wirings.
    metric, direction : str
    chance : float or None
        What the constant prediction scores.
    groups : tuple of int, optional
        Equal for related wirings, which a validation must not divide; by default those with equal hidden wirings that
        have edges are.
    inputs : Inputs, optional
        What is known of the inputs that they read, so that what they read counts, too.
    """

    wirings: tuple[Wiring, ...]
    labels: NDArray[np.float64]
    parameters: tuple[Mapping[str, Any], ...]
    preparation: Preparation
    metric: str
    direction: str
    chance: float | None = None
    groups: tuple[int, ...] | None = None
    inputs: Inputs | None = None

    def __len__(self) -> int:
        return len(self.wirings)

    @property
    def why_not(self) -> str | None:
        """Why nothing can be learnt from them; None where they are enough, differ, and are sane.

        They must be of several lineages, too: a predictor that was judged by relatives alone would promise too much.
        """
        if len(self) < LEAST_EXAMPLES:
            return f"{len(self)} wirings are trained, and {LEAST_EXAMPLES} are needed"
        if self.groups is not None and (lineages := len(set(self.groups))) < LEAST_LINEAGES:
            return f"all wirings come from {lineages} graphs, and {LEAST_LINEAGES} are needed"
        if (largest := max(wiring.n_neurons for wiring in self.wirings)) > MOST_NEURONS:
            return f"a wiring has {largest} neurons, and {MOST_NEURONS} at most are described"
        if float(np.nanmax(np.abs(self.labels))) > LARGEST:
            return f"a value is beyond {LARGEST:g}"
        if np.ptp(np.nanmean(self.labels, axis=1)) <= 1 / LARGEST:
            return "all wirings have the same value"
        return None

    @property
    def can_be_learnt(self) -> bool:
        """Whether a predictor can learn from them."""
        return self.why_not is None

    def predictor(self, seed: int = 0) -> Predictor:
        """Return a predictor for wirings like these, which has learnt nothing yet."""
        return Predictor(
            preparation=self.preparation,
            metric=self.metric,
            direction=self.direction,
            bounds=(0.0, 1.0) if self.metric == "accuracy" else None,
            chance=self.chance,
            seed=seed,
            inputs=self.inputs,
        )

    def training(self) -> Training:
        """Return the wirings as a predictor sees them."""
        return self.predictor().training_of(self.wirings, self.labels, groups=self.groups, parameters=self.parameters)

    def fit(self, seed: int = 0) -> Predictor:
        """Return a predictor that learnt from all of them."""
        return self.predictor(seed).fit(self.wirings, self.labels, groups=self.groups, parameters=self.parameters)


def fit_into(
    out: Path,
    examples: Examples,
    seed: int,
    *,
    again: bool = True,
    begins: Callable[[], None] = lambda: None,
    noticed: Callable[[str], None] = lambda _: None,
) -> Predictor | None:
    """Fit a predictor, save it in the folder of its campaign or survey and return it.

    None where there is nothing to learn, see `Examples.why_not`, which `noticed` is told. Unless `again`, a predictor
    that lies there and learnt from as many wirings is returned as it is; `begins` is called where one is fitted.
    """
    if (why := examples.why_not) is not None:
        noticed(f"no predictor: {why}")
        return None
    if not again:
        try:
            stored = Predictor.load(out / PREDICTOR_FOLDER)
            if stored.worth()["wirings"] == len(examples):
                return stored
        except ValueError as error:
            raise_unreadable(error)
    begins()
    predictor = examples.fit(seed)
    predictor.save(out / PREDICTOR_FOLDER)
    return predictor


def campaign_examples(
    records: Records,
    rebuild: Callable[[Record], Wiring],
    space: Space,
    units: tuple[int, int],
    metric: str,
    direction: str,
    chance: float | None = None,
    inputs: Inputs | None = None,
) -> Examples:
    """Return the complete trials of a campaign, drawn from a space for so many (input, output) units.

    `rebuild` returns the wiring of a record.
    """
    trained: dict[str, list[Record]] = {}
    for record in records.complete:
        trained.setdefault(record.fingerprint, []).append(record)
    several = list(trained.values())
    several = [several[index] for index in _evenly(len(several), MOST_EXAMPLES).tolist()]
    chosen = [found[0] for found in several]
    wirings = tuple(map(rebuild, chosen))
    values = [[value for record in found for value in record.values or (record.value,)] for found in several]
    labels = np.full((len(chosen), max(map(len, values), default=1)), np.nan)
    for row, own in enumerate(values):
        labels[row, : len(own)] = own
    parameters = tuple(without_draws(record.params) for record in chosen)
    related = lineages(records)
    groups = tuple(related[record.number] for record in chosen)
    return Examples(wirings, labels, parameters, _preparation(space, units), metric, direction, chance, groups, inputs)


def survey_examples(
    table: SurveyTable,
    column: str = "value",
    most: int = MOST_EXAMPLES,
    chance: float | None = None,
    inputs: Inputs | None = None,
) -> Examples:
    """Return wirings of a survey, with their labels at the learning rate that is best for each on the validation part.

    Parameters
    ----------
    table : SurveyTable
    column : {"value", "test"}
        Where labels come from; tests judge predictors, and train none that a search asks.
    most : int
        Wirings to take at most, evenly from all.
    chance, inputs
        As in `Examples`.

    Raises
    ------
    InputError
        If nothing is trained yet.
    """
    if not table.identity:
        raise InputError("the survey has no trained wirings yet; `wirenas survey` goes on with it")
    direction = str(table.identity["direction"])
    known, labels = _at_best_rate(table, column, direction)
    chosen = _evenly(len(known), most)
    numbers = known[chosen].tolist()
    drawn = [table.parameters(number) for number in numbers]
    return Examples(
        tuple(map(table.wiring, numbers)),
        labels[chosen],
        tuple(map(without_draws, drawn)),
        _preparation(table.space, table.units),
        str(table.identity["metric"]),
        direction,
        chance,
        groups=_same_graphs(table.space.pool, drawn),
        inputs=inputs,
    )


def _same_graphs(pool: GraphPool | None, drawn: Sequence[Mapping[str, Any]]) -> tuple[int, ...] | None:
    """Return equal numbers for what was made of equal graphs of the user's own: they are oriented in several ways."""
    if pool is None:
        return None
    first: dict[str, int] = {}
    return tuple(first.setdefault(pool[params["graph"]].fingerprint, number) for number, params in enumerate(drawn))


def _at_best_rate(table: SurveyTable, column: str, direction: str) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return the numbers of the wirings that have a value, and their (n, n_replicates) labels at the best rate."""
    values, labels = table.trainings("value"), table.trainings(column)
    known = ~np.isnan(values).all(axis=(1, 2))
    values, labels = values[known], labels[known]
    counts = (~np.isnan(values)).sum(axis=2)
    means = sign_of(direction) * np.nansum(values, axis=2) / np.maximum(counts, 1)
    best = np.where(counts > 0, means, -np.inf).argmax(axis=1)
    return np.flatnonzero(known), labels[np.arange(len(labels)), best]


def _evenly(n: int, most: int) -> NDArray[np.int64]:
    return np.unique(np.linspace(0, n - 1, min(n, most)).round().astype(np.int64)) if n else np.zeros(0, np.int64)


def _preparation(space: Space, units: tuple[int, int]) -> Preparation:
    return Preparation(
        # What is given and what is recurrent is described alike: as it is.
        structure="recurrent" if space.structure == "given" else space.structure or "dag",
        orientation=space.orientation,
        attachment=space.attachment if units[0] else (),
        n_inputs=units[0],
        n_outputs=units[1],
        # Of numbers that varied, the middle stands for all.
        reads=sum(space.reads) // 2,
        readouts=sum(space.readouts) // 2,
        width=sum(space.width) // 2,
    )


_DRAWN = ("graph", "graph_seed", "orientation", "order_seed")
"""Parameters that are equal where one graph was drawn, whatever was then edited or attached."""


def lineages(records: Sequence[Record]) -> dict[int, int]:
    """Return by number the first trial that a trial is related to.

    Related are a wiring and what was bred from it, edits of one drawn graph, and equal hidden wirings that have edges;
    and what is related to the same. Another draw from similar parameters is not.
    """
    from networkx.utils import UnionFind

    related: UnionFind[Hashable] = UnionFind()
    for record in records:
        lineage = Lineage.from_json(record.lineage)
        relatives: list[Hashable] = []
        if record.n_hidden:
            # Without edges between them, neurons differ by what they read.
            relatives.append(("hidden", record.n_hidden, record.hidden_edges or record.fingerprint))
        if any(name in record.params for name in ("graph", "graph_seed")):
            relatives.append(("drawn", *(record.params.get(name) for name in _DRAWN)))
        if lineage is not None and not lineage.is_drawn:
            relatives += lineage.parents
        related.union(record.number, *relatives)
    first: dict[Hashable, int] = {}
    return {record.number: first.setdefault(related[record.number], record.number) for record in records}
