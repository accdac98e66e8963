"""Tasks: data, split, loss and metric of the learning problems that networks are judged by.

Names are loaded on first use: options of files are read by commands that need neither numpy nor torch.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from priors.lazy import lazy_names

if TYPE_CHECKING:
    from nas.tasks.chaos import lorenz, mackey_glass
    from nas.tasks.directions import bidirectional
    from nas.tasks.files.loading import is_file_task, load_file, stem_of
    from nas.tasks.files.options import FileOptions
    from nas.tasks.images import digits, fashion_mnist, mnist
    from nas.tasks.measures import MEASURES, Measure
    from nas.tasks.memory import adding, copy, delayed_parity, sequential_digits
    from nas.tasks.mnist1d import mnist_1d, mnist_1d_shuffled
    from nas.tasks.names import FROM_FILES, TASKS, is_named, load_task
    from nas.tasks.pooling import pooled
    from nas.tasks.sequences import reber, reber_embedded, reber_published
    from nas.tasks.splits import SPLIT_SEED, split, stratified_split
    from nas.tasks.statistics import inputs_of
    from nas.tasks.task import Loss, Task

__all__ = [
    "FROM_FILES",
    "MEASURES",
    "SPLIT_SEED",
    "TASKS",
    "FileOptions",
    "Loss",
    "Measure",
    "Task",
    "adding",
    "bidirectional",
    "copy",
    "delayed_parity",
    "digits",
    "fashion_mnist",
    "inputs_of",
    "is_file_task",
    "is_named",
    "load_file",
    "load_task",
    "lorenz",
    "mackey_glass",
    "mnist",
    "mnist_1d",
    "mnist_1d_shuffled",
    "pooled",
    "reber",
    "reber_embedded",
    "reber_published",
    "sequential_digits",
    "split",
    "stem_of",
    "stratified_split",
]

_MODULES = {
    "FROM_FILES": "names",
    "MEASURES": "measures",
    "SPLIT_SEED": "splits",
    "TASKS": "names",
    "FileOptions": "files.options",
    "Loss": "task",
    "Measure": "measures",
    "Task": "task",
    "adding": "memory",
    "bidirectional": "directions",
    "copy": "memory",
    "delayed_parity": "memory",
    "digits": "images",
    "fashion_mnist": "images",
    "inputs_of": "statistics",
    "is_file_task": "files.loading",
    "is_named": "names",
    "load_file": "files.loading",
    "load_task": "names",
    "lorenz": "chaos",
    "mackey_glass": "chaos",
    "mnist": "images",
    "mnist_1d": "mnist1d",
    "mnist_1d_shuffled": "mnist1d",
    "pooled": "pooling",
    "reber": "sequences",
    "reber_embedded": "sequences",
    "reber_published": "sequences",
    "sequential_digits": "memory",
    "split": "splits",
    "stem_of": "files.loading",
    "stratified_split": "splits",
}

__getattr__, __dir__ = lazy_names(__name__, _MODULES)
