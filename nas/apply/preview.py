"""What would be done to a file before anything is trained."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from nas.tasks.files.loading import named_file, read_file

__all__ = ["Preview", "preview_file"]


@dataclass(frozen=True)
class Preview:
    """A file as a task.

    Parameters
    ----------
    task : str
        Its name, as `--task` takes it.
    examples, inputs, outputs : int
        Examples with a target; inputs and outputs of a network, inputs of a sequence for each step.
    predicts : str
        Classes or numbers.
    network : {"mlp", "rnn"}
    metric : str
    constant : float
        What the best constant prediction reaches on the test part.
    parts : dict
        Examples of each part, and how they were chosen.
    columns : dict
        What is done with each column.
    notes : tuple of str
        What was assumed.
    epochs : int
        Passes over the training part that a training makes by default.
    """

    task: str
    examples: int
    inputs: int
    outputs: int
    predicts: str
    network: str
    metric: str
    constant: float
    parts: Mapping[str, Any]
    columns: Mapping[str, str]
    notes: tuple[str, ...]
    epochs: int

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON types."""
        return {**vars(self), "notes": list(self.notes)}


def preview_file(file: str, options: Mapping[str, Any]) -> Preview:
    """Return what a file would become as a task.

    Parameters
    ----------
    file : str
        A path, whose suffix says what it is, or the name of a task such as csv:PATH.
    options : mapping
        Fields of `FileOptions`.

    Raises
    ------
    InputError
        If it is no task.
    """
    from nas.training.recipe import Recipe, changed

    loaded = read_file(named_file(file), options)
    task = loaded.task
    return Preview(
        task=task.name,
        examples=len(task.inputs),
        inputs=task.n_inputs,
        outputs=task.n_outputs,
        predicts="classes" if task.loss == "cross-entropy" else "numbers",
        network="rnn" if task.is_sequence else "mlp",
        metric=task.metric,
        constant=task.plateaus["constant"],
        parts={name: len(getattr(task, name)) for name in ("train", "validation", "test")} | {"way": loaded.parts},
        columns=loaded.columns,
        notes=task.notes,
        epochs=changed(Recipe(), **dict(task.recipe)).epochs,
    )
