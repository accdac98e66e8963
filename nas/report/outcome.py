"""Outcome: what a campaign found and what steering was worth in it, as one JSON object."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import fmean
from typing import TYPE_CHECKING, Any

from nas.report.front import front_entries, front_references
from nas.report.verdict import explain_random, front_verdict, of_budget, verdict
from nas.space.budget import Budget
from nas.space.generation import describe_dead
from nas.space.lineage import Lineage
from nas.store.reading import check_types
from nas.store.records import Record, Records
from nas.training.session import sign_of

if TYPE_CHECKING:
    from nas.evaluation.finals import Finals
    from nas.options.options import CampaignOptions
    from nas.tasks import Task

__all__ = [
    "Outcome",
    "best_record",
    "counted_in",
    "describe_origin",
    "is_by_chance",
    "is_steered",
    "worth_of_steering",
]

_CHANCE = ("start-up", "random")
_FALLBACK = "fallback"
_WORDS = {
    "start-up": "drawn evenly, before anything was known",
    "random": "drawn without looking, as a test of the predictions",
    "prior": "by predictions, from fresh draws",
    "neighbour": "by predictions, from neighbours of the best",
    "tpe": "by predictions, from draws of TPE",
    "replicate": "the best one so far once more",
    _FALLBACK: "by TPE, since structure predicted nothing",
}


@dataclass(frozen=True)
class Outcome:
    """What a campaign found.

    Parameters
    ----------
    out, study, task, network, sampler, engine : str
        Where it lies and what was searched, and how.
    metric, direction : str
        What values mean.
    trials, complete, stopped, failed : int
        Trials asked for, complete ones, those that were stopped early, and failed ones.
    seconds : float
        Spent in the evaluations of all trials, added up over threads and runs.
    best : mapping or None
        value, trial, fingerprint, params and n_parameters of the best trial; after the finals, of the winner. chosen:
        how, in words; prediction and prediction_std: what was expected of it before it was trained, or None.
    test : mapping or None
        mean, std and seeds of the winner's test metric.
    references : tuple of mapping
        name, mean, std, seeds and n_parameters of each reference, trained and tested like the winner.
    objective : {"value", "pareto"}
    front : tuple of mapping
        Where the number of parameters is a second objective, the best wirings at every size; see
        `nas.report.front.front_entries`.
    front_references : tuple of mapping
        What the front is held against, like references, with the trial that each is as large as.
    plateaus : mapping
        What simple rules reach on the test part.
    verdict : str
        How the winner stands beside its references, in words.
    test_uses : int
        How often the test part was looked at in this campaign: once, and once more whenever trials were added.
    over : bool
        Whether the finals were held, or for own evaluations the results written, after the last trial.
    steering : mapping or None
        What predictions did for the search; see `worth_of_steering`.
    overhead : mapping or None
        Seconds of choosing and of storing, and both as a share of the seconds of the trials.
    predictor : mapping or None
        What the predictor that was fitted to the trials is worth; see `predictors.Predictor.worth`.
    budget : mapping or None
        unit and amount of what a network may cost, price of the winner in that unit, and precision, the bits that bytes
        count for a weight.
    rung : str
        What was varied for each network and is called its learning rate: that, or the spectral radius of a reservoir.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> from nas import Campaign, Outcome, Recipe
    >>> few = {"recipe": Recipe(epochs=1), "finalists": 1, "final_seeds": 2}
    >>> with TemporaryDirectory() as folder:
    ...     outcome = Campaign(f"{folder}/digits", task="digits", trials=3, **few).run()
    >>> outcome.metric, outcome.complete, outcome.test["seeds"]
    ('accuracy', 3, 2)
    >>> [reference["name"] for reference in outcome.references]
    ['linear', 'dense with equal parameters', 'dense with equal neurons', 'random with equal edges']
    >>> Outcome.from_json(outcome.to_json()) == outcome
    True
    """

    out: str
    study: str
    task: str | None
    network: str
    sampler: str
    engine: str
    metric: str
    direction: str
    trials: int
    complete: int
    stopped: int = field(default=0, kw_only=True)
    failed: int
    seconds: float
    best: Mapping[str, Any] | None
    test: Mapping[str, Any] | None = None
    references: tuple[Mapping[str, Any], ...] = ()
    objective: str = "value"
    front: tuple[Mapping[str, Any], ...] = ()
    front_references: tuple[Mapping[str, Any], ...] = ()
    plateaus: Mapping[str, float] | None = None
    verdict: str = ""
    test_uses: int = 0
    over: bool = False
    steering: Mapping[str, Any] | None = None
    overhead: Mapping[str, float | None] | None = None
    predictor: Mapping[str, Any] | None = None
    rung: str = "learning rate"
    budget: Mapping[str, Any] | None = None

    @classmethod
    def of(
        cls,
        out: Path,
        options: CampaignOptions,
        task: Task | None,
        records: Records,
        finals: Finals | None = None,
        *,
        storing: float = 0.0,
        test_uses: int = 0,
        over: bool = False,
    ) -> Outcome:
        """Put together what a campaign found."""
        best = best_record(records, options.direction)
        if finals is not None:
            best = next(record for record in records if record.number == finals.winner.trial)
        test = None if finals is None else finals.winner.summary()
        rivals = () if finals is None else tuple(standing.summary() for standing in finals.references)
        front = front_entries(records, options.direction, finals) if options.by_size else ()
        dense = front_references(finals) if front and finals is not None else ()
        budget = None if finals is None else _budget(options, finals)
        words = ""
        if test is not None and task is not None:
            words = verdict(test, rivals, task.plateaus, task.metric, task.direction)
            words = f"{words} {explain_random(rivals)}".strip()
            assert finals is not None
            if budget is not None:
                words = f"{of_budget(test, rivals, task.metric, task.direction, budget)} {words}"
            words = f"{words} {describe_dead(finals.wiring, options.spec)}".strip()
            words = f"{words} {front_verdict(front, dense, task.metric, task.direction)}".strip()
        return cls(
            out=str(out),
            study=str(out / "study.db"),
            task=options.task,
            network=options.network,
            sampler=options.sampler,
            engine=best.engine if best is not None else options.engine,
            metric="value" if task is None else task.metric,
            direction=options.direction,
            trials=len(records.counted) if options.trials is None else options.trials,
            complete=len(records.complete),
            stopped=len(records.counted) - len(records.complete),
            failed=len(records) - len(records.counted),
            seconds=math.fsum(record.seconds for record in records),
            best=None if best is None else _best(best),
            test=test,
            references=rivals,
            objective=options.objective,
            front=front,
            front_references=dense,
            plateaus=None if task is None else dict(task.plateaus),
            verdict=words,
            test_uses=test_uses,
            over=over,
            steering=worth_of_steering(records, by_size=options.by_size),
            overhead=_overhead(records, storing),
            rung=options.recipe.rung,
            budget=budget,
        )

    @property
    def rungs(self) -> str:
        """What numbers of the ladder are."""
        return "spectral radii" if self.rung == "spectral radius" else "learning rates"

    def to_json(self) -> dict[str, Any]:
        """Return the outcome as JSON types."""
        return asdict(self)

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Outcome:
        """Return a stored outcome.

        Raises
        ------
        TypeError, ValueError
            If it is none.
        """
        several = {name: tuple(stored.get(name, ())) for name in ("references", "front", "front_references")}
        outcome = cls(**{**stored, **several})
        check_types(outcome)
        for row in (*outcome.references, *outcome.front_references):
            if not isinstance(row["name"], str):
                raise TypeError(f"a reference is called {row['name']!r}, which is no name")
        return outcome


def _budget(options: CampaignOptions, finals: Finals) -> dict[str, Any] | None:
    if options.budget is None:
        return None
    budget, parts = Budget.of(options.budget), options.spec.n_parameters(finals.wiring)
    price = budget.price(parts["total"] - parts["biases"], parts["biases"], options.precision)
    return {"unit": budget.unit, "amount": budget.amount, "price": price, "precision": options.precision}


def _overhead(records: Records, storing: float) -> dict[str, float | None]:
    trained = math.fsum(record.seconds for record in records)
    choosing = math.fsum(record.choosing for record in records)
    return {"choosing": choosing, "storing": storing, "share": (choosing + storing) / trained if trained > 0 else None}


def counted_in(stored: Mapping[str, Any]) -> int:
    """Return how many trials count in a stored outcome: complete ones and those that were stopped early."""
    complete: int = stored["complete"]
    return complete + int(stored.get("stopped", 0))


def best_record(records: Records, direction: str) -> Record | None:
    """Return the record of the best value, the earliest one under ties; None where none is complete."""
    sign = sign_of(direction)
    return max(records.complete, key=lambda record: sign * (record.value or 0.0), default=None)


def _best(record: Record) -> dict[str, Any]:
    name = {"graph_name": record.graph_name} if record.graph_name else {}
    return {
        **name,
        "value": record.value,
        "trial": record.number,
        "fingerprint": record.fingerprint,
        "params": dict(record.params),
        "n_hidden": record.n_hidden,
        "n_edges": record.n_edges,
        "n_parameters": record.n_parameters,
        "chosen": describe_origin(record),
        "prediction": record.prediction,
        "prediction_std": record.prediction_std,
    }


def is_by_chance(record: Record) -> bool:
    """Whether the candidate was drawn from the space without a prediction deciding."""
    return record.origin in _CHANCE


def is_steered(record: Record) -> bool:
    """Whether predictions decided which candidate was trained."""
    return record.origin not in ("", *_CHANCE, _FALLBACK) and record.prediction is not None


def describe_origin(record: Record) -> str:
    """Return how a candidate was chosen, in words; nothing where the sampler does not say."""
    lineage = Lineage.from_json(record.lineage) if record.lineage else None
    if lineage is None:
        return _WORDS.get(record.origin, record.origin)
    parents = " and ".join(map(str, lineage.parents))
    edits = f", {lineage.n_moves} edits" if lineage.n_moves else ""
    return f"{lineage.way} of trial{'s' if len(lineage.parents) > 1 else ''} {parents}{edits}"


def worth_of_steering(records: Iterable[Record], *, by_size: bool = False) -> dict[str, Any] | None:
    """Compare the trials that predictions chose with those that chance did, and predictions with values.

    Parameters
    ----------
    records : iterable of Record
    by_size : bool
        Whether the number of parameters is a second objective. Means of values then say nothing: small networks are
        looked for too.

    Returns
    -------
    dict or None
        steered and chance: mean values, None where they say nothing; n_steered and n_chance: of how many complete
        trials; n_fallback: how many TPE chose, since predictions were no better than the mean; rank_correlation:
        Kendall's, between predictions made before a training and its value, over all trials with both; coverage: share
        of values inside of their 90 % intervals. None where predictions chose nothing, or chance did not.
    """
    complete = [record for record in records if record.is_complete and record.value is not None]
    chance = [record for record in complete if is_by_chance(record)]
    steered = [record for record in complete if is_steered(record)]
    fallen_back = [record for record in complete if record.origin == _FALLBACK]
    if not chance or not (steered or fallen_back):
        return None
    return {
        "steered": None if by_size else _mean(steered),
        "chance": None if by_size else _mean(chance),
        "n_steered": len(steered),
        "n_chance": len(chance),
        "n_fallback": len(fallen_back),
        **_of_predictions([record for record in complete if record.prediction is not None]),
    }


def _mean(records: list[Record]) -> float | None:
    return fmean(record.value or 0.0 for record in records) if records else None


def _of_predictions(records: list[Record]) -> dict[str, float | None]:
    from predictors.validation.metrics import coverage, kendall

    if len(records) < 2:
        return {"rank_correlation": None, "coverage": None}
    values, predictions, low, high = (
        [getattr(record, name) for record in records]
        for name in ("value", "prediction", "prediction_low", "prediction_high")
    )
    tau = kendall(values, predictions)
    return {"rank_correlation": tau if math.isfinite(tau) else None, "coverage": coverage(values, low, high)}
