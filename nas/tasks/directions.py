"""Tasks of sequences whose networks are bidirectional: each step is read beside the step as far from the end."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch

from nas.errors import InputError
from nas.inputs import with_reversal
from nas.tasks.files.arrays import ArrayPreparation
from nas.tasks.task import Task

__all__ = ["PREFIX", "bidirectional"]

PREFIX = "bidirectional:"
"""What the name of such a task begins with; the name of the task whose sequences they are follows."""


def bidirectional(task: Task) -> Task:
    """Return a task that reads the sequences of another beside their own reversals.

    A bidirectional recurrent network that is read out at the end is exactly a recurrent network of such sequences in
    which no neuron that reads from one half is joined to one that reads from the other; others may mix the two.

    Parameters
    ----------
    task : Task
        Of sequences, with one target for each; symbols become numbers, one of which is 1.

    Raises
    ------
    InputError
        If the task is bidirectional already, examples are no sequences, or each step has a target: what is read there
        would have to know the states of both directions at that step.

    References
    ----------
    M. Schuster and K. K. Paliwal, "Bidirectional recurrent neural networks", IEEE Transactions on Signal Processing
    45(11), 1997, doi:10.1109/78.650093.

    Examples
    --------
    >>> from nas.tasks import bidirectional, load_task
    >>> task = bidirectional(load_task("reber"))
    >>> task.name, task.n_inputs, load_task("reber").n_inputs
    ('bidirectional:reber', 14, 7)
    """
    if task.name.startswith(PREFIX):
        raise InputError(f"task={PREFIX}{task.name}: it is read in both directions already; give {task.name}")
    if task.lengths is None:
        raise InputError(f"task={PREFIX}{task.name}: examples are no sequences, which alone have directions; give "
                         f"{task.name}")  # fmt: skip
    if task.is_stepwise:
        raise InputError(f"task={PREFIX}{task.name}: each step has a target, and there a network would need both "
                         f"directions' states at the same step; give {task.name}")  # fmt: skip
    pipeline = task.pipeline
    if pipeline is not None:
        assert isinstance(pipeline.preparation, ArrayPreparation)
        preparation = pipeline.preparation.model_copy(update={"both_ways": True})
        pipeline = pipeline.model_copy(update={"preparation": preparation})
    x, lengths, _ = task.batch(torch.arange(len(task.inputs), device=task.inputs.device))
    both = with_reversal(x.cpu().numpy(), task.lengths.cpu().numpy()).astype(np.float32, copy=False)
    return replace(
        task,
        name=f"{PREFIX}{task.name}",
        inputs=torch.from_numpy(both).to(task.inputs.device),
        lengths=lengths,
        n_inputs=2 * task.n_inputs,
        description=f"{task.description}; read in both directions",
        pipeline=pipeline,
    )
