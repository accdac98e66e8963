"""The rows of one wiring of a survey: drawn, trained with every replicate and learning rate, tested. Imports torch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from nas.evaluation.evaluation import Trainer, Training, tried
from nas.space.draws import Draw, Draws
from nas.store.records import describe, versions_of

__all__ = ["RowMaker", "WiringRows"]


@dataclass(frozen=True)
class WiringRows:
    """All rows of one wiring, and why its trainings failed, if not one of them did well."""

    number: int
    rows: tuple[Mapping[str, Any], ...]
    error: str | None


@dataclass(frozen=True)
class RowMaker:
    """Makes the rows of a wiring from its number alone."""

    trainer: Trainer
    draws: Draws
    seeds: int

    @property
    def rows_per_wiring(self) -> int:
        """Trainings of every wiring."""
        return len(self.trainer.plan(range(self.seeds)))

    def rows(self, number: int) -> WiringRows:
        """Draw a wiring, train and test it with every learning rate and replicate.

        Raises
        ------
        Interrupted
            If the stop flag is set.
        """
        draw = self.draws.draw(number)
        of_wiring = _of_wiring(draw)
        rows = []
        for replicate, rate in self.trainer.plan(range(self.seeds)):
            of_training = self._attempt(draw, replicate, rate)
            rows.append({**of_wiring, "replicate": replicate, "learning_rate": rate, **of_training})
        errors = [row["error"] for row in rows]
        return WiringRows(number, tuple(rows), None if None in errors else errors[-1])

    def _attempt(self, draw: Draw, replicate: int, rate: float) -> dict[str, Any]:
        """Train at most three times; a failure is recorded, not raised."""
        row, _, error = tried(
            lambda: self._of_training(self.trainer.train(draw.wiring, replicate, rate)),
            self.trainer.stop,
            f"wiring {draw.number} was trained",
        )
        return {"error": error} if row is None else row

    def _of_training(self, training: Training) -> dict[str, Any]:
        history = training.history
        return {
            "value": history.value,
            "validation_loss": self._validation_loss(training),
            "test": training.test(),
            "diverged": history.diverged,
            "steps": history.steps,
            "epochs": len(history.epochs),
            "seconds": history.seconds,
            "engine": history.engine,
            "error": None,
        }

    def _validation_loss(self, training: Training) -> float | None:
        """Return the loss of the weights that count: the last ones, or the first best under early stopping."""
        history = training.history
        if history.diverged or not history.epochs:
            return None
        if self.trainer.recipe.patience is None:
            return history.epochs[-1].validation_loss
        return next(epoch.validation_loss for epoch in history.epochs if epoch.validation_metric == history.value)


def _of_wiring(draw: Draw) -> dict[str, Any]:
    described = describe(draw.wiring, draw.params.get("attachment"))
    del described["hidden_edges"]  # They follow from the parameters, and would make up most of the table.
    return {
        "number": draw.number,
        **{f"param_{name}": value for name, value in draw.params.items()},
        **described,
        "n_parameters": draw.n_parameters,
        "versions": versions_of("torch", "numpy"),
    }
