"""Outcome: what a campaign found, as one JSON object."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nas.report.front import front_entries, front_references
from nas.report.steering import describe_origin, worth_of_steering
from nas.report.verdict import front_verdict, verdict
from nas.store.records import Record, Records
from nas.training.session import sign_of

if TYPE_CHECKING:
    from nas.evaluation.finals import Finals
    from nas.options.options import CampaignOptions
    from nas.tasks import Task

__all__ = ["Outcome", "best_record", "counted_in"]


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
        What predictions did for the search; see `nas.report.steering.worth_of_steering`.
    overhead : mapping or None
        Seconds of choosing and of storing, and both as a share of the seconds of the trials.
    predictor : mapping or None
        What the predictor that was fitted to the trials is worth; see `predictors.Predictor.worth`.
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
        return cls(
            out=str(out),
            study=str(out / "study.db"),
            task=options.task,
            network=options.network,
            sampler=options.sampler,
            engine=best.engine if best is not None else options.engine,
            metric="value" if task is None else task.metric,
            direction=options.direction,
            trials=options.trials,
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
            verdict="" if test is None or task is None else _write_verdict(task, test, rivals, front, dense),
            test_uses=test_uses,
            over=over,
            steering=worth_of_steering(records, by_size=options.by_size),
            overhead=_overhead(records, storing),
        )

    def to_json(self) -> dict[str, Any]:
        """Return the outcome as JSON types."""
        return asdict(self)

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Outcome:
        """Return a stored outcome."""
        several = {name: tuple(stored.get(name, ())) for name in ("references", "front", "front_references")}
        return cls(**{**stored, **several})


def _write_verdict(
    task: Task,
    test: Mapping[str, Any],
    rivals: Sequence[Mapping[str, Any]],
    front: Sequence[Mapping[str, Any]],
    dense: Sequence[Mapping[str, Any]],
) -> str:
    winner = verdict(test, rivals, task.plateaus, task.metric, task.direction)
    return f"{winner} {front_verdict(front, dense, task.metric, task.direction)}".strip()


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
    return {
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
