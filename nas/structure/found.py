"""What an experiment on a learned structure found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from statistics import fmean
from typing import Any

from nas.store.records import summary_of

__all__ = ["Found", "Standing"]


@dataclass(frozen=True)
class Standing:
    """A network's results over fresh seeds: metrics by seed, and the mean number of its parameters."""

    name: str
    learning_rate: float | None
    n_parameters: float
    validation: tuple[float, ...]
    test: tuple[float, ...]

    def summary(self) -> dict[str, Any]:
        """Return it as JSON types."""
        return {
            "name": self.name,
            **summary_of(self.test),
            "validation": fmean(self.validation),
            "n_parameters": round(self.n_parameters),
            "learning_rate": self.learning_rate,
        }


@dataclass(frozen=True)
class Found:
    """What an experiment found.

    Parameters
    ----------
    out : str
    task, metric : str
    learned : Standing
    references : tuple of Standing
    verdict : str
    curve : tuple of mapping
        Of the network that is kept, by epoch: ``epoch``, ``density``, ``parameters``, ``turnover``, the validation
        metric, and the density of each layer.
    layers : tuple of mapping
        Of the same network: ``name``, ``shape``, the weights that are kept (``live``) and their ``density``, and those
        that lived and are removed since they take no part (``dead``; older experiments do not tell).
    parent : str
        Hidden neurons of each layer of the parent that was chosen, or the file of the network that was pruned.
    pool : int
        Side of the squares of pixels whose means are read, 1 for pixels.
    seconds : float
        Of all trainings.
    saved : mapping, optional
        Validation and test of the network that is kept.
    """

    out: str
    task: str
    metric: str
    learned: Standing
    references: tuple[Standing, ...]
    verdict: str
    curve: tuple[Mapping[str, Any], ...]
    layers: tuple[Mapping[str, Any], ...]
    parent: str
    pool: int
    seconds: float
    saved: Mapping[str, float] | None = None

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON types."""
        return {
            **{name: getattr(self, name) for name in ("out", "task", "metric")},
            "test": self.learned.summary(),
            "references": [own.summary() for own in self.references],
            "verdict": self.verdict,
            "curve": list(self.curve),
            "layers": list(self.layers),
            "parent": self.parent,
            "pool": self.pool,
            "seconds": self.seconds,
            "saved": self.saved,
        }
