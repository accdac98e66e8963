"""What is known of the inputs of a task."""

from __future__ import annotations

from threading import Lock

from nas.inputs import describe_inputs
from nas.tasks.task import Task
from priors import Inputs

__all__ = ["inputs_of"]

_MOST_KEPT = 8

_kept: dict[tuple[str, tuple[int, ...] | None], Inputs] = {}
_lock = Lock()


def inputs_of(task: Task) -> Inputs:
    """Return what is known of the inputs of a task, from its training part alone; see `describe_inputs`.

    Of sequences these are the inputs of a time step, without relevance where each step has a target. What is known of
    the last eight tasks is kept, by their fingerprints and shapes, and each is looked at once however many threads ask.
    """
    key = task.fingerprint, task.shape
    with _lock:
        if key not in _kept:
            _kept[key] = describe_inputs(
                task.inputs,
                task.shape,
                lengths=task.lengths,
                n_symbols=task.n_inputs if task.inputs.ndim == 2 and task.is_sequence else None,
                targets=None if task.is_stepwise else task.targets,
                examples=task.train,
            )
            while len(_kept) > _MOST_KEPT:
                del _kept[next(iter(_kept))]
        return _kept[key]
