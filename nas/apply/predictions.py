"""Predictions for a file, as a table."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nas.apply.pipeline import load_pipeline
from nas.errors import InputError
from nas.tasks.files.answers import shares_of
from priors.files import atomic_write

__all__ = ["Predictions", "predict_file"]


@dataclass(frozen=True)
class Predictions:
    """What a network says of the rows of a file.

    Parameters
    ----------
    target : str
        What is predicted.
    values : (n,) array of labels or numbers, or (n, n_outputs) numbers, or (n, time, …) labels or numbers of all steps
    labels : tuple
        Of the classes.
    probabilities : (n, n_classes) array or None
        None for numbers, and for classes of all steps.
    notes : tuple of str
        What in the file is not as in training.
    """

    target: str
    values: NDArray[Any]
    labels: tuple[Any, ...]
    probabilities: NDArray[np.float64] | None
    notes: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """Return them as JSON types."""
        return {
            "target": self.target,
            "predictions": _without_nan(self.values).tolist(),
            "labels": list(self.labels),
            "probabilities": None if self.probabilities is None else self.probabilities.tolist(),
            "notes": list(self.notes),
        }

    def to_csv(self) -> str:
        """Return a table of a line a row: the prediction, and for classes the probability of each."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        if self.probabilities is not None:
            writer.writerow([self.target, *(f"p({label})" for label in self.labels)])
            for value, shares in zip(self.values.tolist(), self.probabilities.tolist(), strict=True):
                writer.writerow([value, *(f"{share:.6g}" for share in shares)])
        else:
            several = _without_nan(self.values.reshape(len(self.values), -1))
            places = np.ndindex(self.values.shape[1:])
            writer.writerow(["_".join([self.target, *map(str, place)]) for place in places]
                            if several.shape[1] > 1 else [self.target])  # fmt: skip
            writer.writerows(several.tolist())
        return text.getvalue()

    def write(self, path: Path) -> None:
        """Write the table to a file, all at once."""
        with atomic_write(path) as temporary:
            temporary.write_text(self.to_csv(), encoding="utf-8")


def _without_nan(values: NDArray[Any]) -> NDArray[Any]:
    """Return numbers with None where there are none, which JSON and tables have no word for."""
    if values.dtype.kind != "f" or not np.isnan(values).any():
        return values
    found = values.astype(object)
    found[np.isnan(values)] = None
    return found


def predict_file(out: Path, file: Path, to: Path | None = None) -> Predictions:
    """Return the predictions of the best network in a folder for the rows of a file, and write them to another one.

    Raises
    ------
    InputError
        If there is no network, or the file does not fit it.
    """
    if to is not None and to.exists() and to.samefile(file):
        raise InputError(f"out={to}: that is the file with the rows; give another one")
    found = load_pipeline(out)
    prepared = found.prepare(file)
    outputs = found.outputs_of(prepared)
    labels: tuple[Any, ...] = found.labels
    if found.pipeline is None and not found.predicts_numbers:
        labels = tuple(range(outputs.shape[-1]))
    shares = shares_of(outputs) if labels and outputs.ndim == 2 else None
    done = Predictions(found.target, found.answers(outputs), labels, shares, prepared.notes)
    if to is not None:
        done.write(to)
    return done
