"""The examples of a task in the form that the compiled engine reads."""

from __future__ import annotations

import weakref
from threading import Lock
from typing import Any

import numpy as np
import torch

from nas.networks.readout import mean_over_time
from nas.tasks.task import Task
from nas.training.extension import extension

__all__ = ["data_of", "has_sparse_inputs"]

_LANES = 16


def has_sparse_inputs(task: Task) -> bool:
    """Whether so many inputs of a task are zero that it pays to skip them."""
    sparse: bool = not task.is_sequence and data_of(task).sparse
    return sparse


_data: weakref.WeakKeyDictionary[Task, dict[tuple[str, bool], Any]] = weakref.WeakKeyDictionary()
_data_lock = Lock()


def data_of(task: Task, dtype: Any = np.float32, *, mean: bool = False) -> Any:
    """Return the examples of a task on the CPU in the engine's form, made once a task and shared by all threads.

    They are of float32, or for tests float64; with `mean`, sequences are replaced by their mean over time.
    """
    key = (np.dtype(dtype).name, mean)
    with _data_lock:
        of_task = _data.setdefault(task, {})
        if key not in of_task:
            of_task[key] = _make_data(task, np.dtype(dtype), mean)
        return of_task[key]


def _make_data(task: Task, dtype: np.dtype[Any], mean: bool) -> Any:
    inputs, lengths = task.inputs.numpy(), None if task.lengths is None else task.lengths.numpy()
    if mean:
        parts = torch.split(torch.arange(len(task.inputs)), 4096)
        inputs, lengths = torch.cat([mean_over_time(*task.batch(part)[:2]) for part in parts]).numpy(), None
    if inputs.dtype != np.uint8:
        inputs = inputs.reshape(len(inputs), -1).astype(dtype, copy=False)
    if lengths is None and inputs.shape[1] % _LANES:
        # Kernels read whole vectors.
        inputs = np.pad(inputs, ((0, 0), (0, -inputs.shape[1] % _LANES)))
    targets = task.targets.numpy()
    if targets.dtype != np.int64:
        targets = targets.astype(dtype, copy=False)
    kind = extension().Data if dtype == np.float32 else extension().Data64
    return kind(
        np.ascontiguousarray(inputs),
        None if lengths is None else np.ascontiguousarray(lengths),
        np.ascontiguousarray(targets),
        task.n_inputs,
        task.n_outputs,
        task.loss,
    )
