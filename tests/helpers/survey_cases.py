"""A tiny task and surveys of it, and what the tests of surveys call."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from nas import Survey, Task, load

SPACE = {"nodes": (8, 16), "degree": (2, 4), "reads": 2, "readouts": 4}
RECIPE = {"epochs": 2, "learning_rates": (0.01, 0.1)}


def make_task(seed: int = 0) -> Task:
    rng = np.random.default_rng(seed)
    inputs = rng.normal(size=(80, 3)).astype(np.float32)
    return Task.from_arrays("signs", inputs, (inputs.sum(axis=1) > 0).astype(np.int64))


TASK = make_task()


def make(out: Path, **options: Any) -> Survey:
    given = {"task": TASK, "wirings": 6, "seeds": 2, "threads": 1, "space": SPACE, "recipe": RECIPE, **options}
    return Survey(out, **given)


def rows(out: Path) -> pd.DataFrame:
    return load(out).to_frame().drop(columns="seconds")


def keys_of(frame: pd.DataFrame) -> set[Any]:
    return set(frame[["fingerprint", "replicate", "learning_rate"]].itertuples(index=False, name=None))


def same(first: pd.DataFrame, second: pd.DataFrame) -> bool:
    pd.testing.assert_frame_equal(first, second, check_exact=True)
    return True
