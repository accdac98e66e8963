"""The table of workloads: `WORKLOADS`. A new entry in it is a new workload. Imports nas."""

from __future__ import annotations

from functools import cache, partial

from benchmarks.inputs import (
    BATCH,
    N_CLASSES,
    dag,
    digits_in_full_batches,
    images,
    layered,
    recurrent,
    sequences,
    whole_digits,
)
from benchmarks.workload import Target, Workload
from nas.networks import NetworkSpec
from nas.training import Recipe

__all__ = ["LEARNING_RATE", "ONE_AT_A_TIME", "POPULATIONS", "WORKLOADS"]

LEARNING_RATE = 0.01
N_EPOCHS = 15
MNIST_PIXELS = 0.19
"""Share of pixels that are not zero in MNIST's training part."""

NN = ("masked", "gradient-masked")
ONE_AT_A_TIME = ("torch engine", "sparse layers", *NN, "masked + DataLoader")
POPULATIONS = ("population of 16", "population of 64")


def _recipe(epochs: int) -> Recipe:
    return Recipe(epochs=epochs, batch_size=BATCH, learning_rates=(LEARNING_RATE,), schedule="constant")


def _named(kind: str, n: int, density: float) -> str:
    return f"{kind} {n} d{density:g}".replace("d0.", "d.")


def _candidates() -> Workload:
    return Workload(
        "digits 64-32-32-10 d.2",
        "candidates",
        "candidate",
        whole_digits,
        partial(layered, (64, 32, 32, N_CLASSES), 0.2),
        NetworkSpec("mlp"),
        _recipe(20),
        (*ONE_AT_A_TIME, *POPULATIONS),
        (
            Target("ratio", 40, ("masked + DataLoader",), "masked + DataLoader"),
            Target("ratio", 15, ONE_AT_A_TIME, "one at a time"),
            Target("ratio", 4, POPULATIONS, "population"),
            Target("rate", 10_000),
        ),
    )


def _dags() -> list[Workload]:
    return [
        Workload(
            _named(family, n, density),
            "DAGs",
            "step",
            digits_in_full_batches,
            cache(partial(dag, family, n, density)),
            NetworkSpec("mlp"),
            _recipe(N_EPOCHS),
            ("torch engine", "sparse layers", *NN),
            # What is not arithmetic weighs most in the smallest graphs.
            (Target("ratio", 25, ONE_AT_A_TIME, "one at a time"), Target("floor", 4, min_edges=2000)),
        )
        for family in ("WS", "BA")
        for n, density in ((50, 0.1), (50, 0.3), *((n, density) for n in (200, 500) for density in (0.02, 0.1, 0.3)))
    ]


def _images_784() -> list[Workload]:
    masked = ("masked",)
    rows = (
        ("complete read-in", 1.0, 1.0, (Target("floor", 1.9), Target("ratio", 5, masked, "masked"))),
        ("complete read-in, 19 % pixels", 1.0, MNIST_PIXELS, ()),
        ("read-in d.1, 19 % pixels", 0.1, MNIST_PIXELS, (Target("ratio", 8, masked, "masked"),)),
    )
    return [
        Workload(
            f"784-100-100-10 d.1, {name}",
            "images",
            "step",
            partial(images, pixels),
            cache(partial(layered, (784, 100, 100, N_CLASSES), (read_in, 0.1, 1.0))),
            NetworkSpec("mlp"),
            _recipe(N_EPOCHS),
            (*ONE_AT_A_TIME, *POPULATIONS),
            targets,
        )
        for name, read_in, pixels, targets in rows
    ]


def _rnns() -> list[Workload]:
    return [
        Workload(
            _named(cell, n, density),
            "RNNs",
            "step",
            sequences,
            cache(partial(recurrent, n, density)),
            NetworkSpec("rnn", cell=cell),
            _recipe(N_EPOCHS),
            ("torch engine", "sparse layers", *NN),
            (Target("ratio", 4 if cell == "lstm" else 10, NN, f"nn.{'RNN' if cell == 'tanh' else cell.upper()}"),),
        )
        for cell in ("tanh", "gru", "lstm")
        for n, density in ((32, 0.2), (64, 0.1), (128, 0.1))
    ]


WORKLOADS = {workload.name: workload for workload in (_candidates(), *_dags(), *_images_784(), *_rnns())}
"""All workloads by name."""
