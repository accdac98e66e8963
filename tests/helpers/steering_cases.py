"""A pool whose truth is known and a tiny survey, for the tests of the study of steering."""

from pathlib import Path

import numpy as np
import pytest

from nas import Survey
from nas import survey as survey_module
from nas.space.draws import Uniform
from nas.space.space import Space
from nas.studies.steering.replay import Pool
from predictors import describe, names_of

N, REPLICATES = 240, 3
SPACE = Space(nodes=(8, 24), degree=(2, 6), attachment="natural", structure="dag")
TIERS = ("size", "structure")
TINY = {
    "task": "digits",
    "network": "mlp",
    "seeds": 2,
    "wirings": 70,
    "space": {"nodes": (8, 16), "degree": (2, 4), "attachment": ("natural",)},
    "recipe": {"learning_rates": (0.01, 0.1), "epochs": 1},
}


def make_pool(name: str = "oracle", seed: int = 0, noise: float = 0.02) -> Pool:
    """Return wirings whose truth is a function of structure: many edges, and degrees that differ little."""
    rng = np.random.default_rng(seed)
    params = [{**SPACE.suggest(Uniform(rng)), **SPACE.seeds(rng)} for _ in range(N)]
    wirings = tuple(SPACE.wiring(own, 3, 2) for own in params)
    X, names = describe(wirings, TIERS), names_of(TIERS)
    truth = sum(sign * standard(X[:, names.index(column)]) for column, sign in (("all_edges", 1), ("degree_std", -1)))
    return Pool(
        name,
        SPACE,
        wirings,
        tuple({key: value for key, value in own.items() if not key.endswith("_seed")} for own in params),
        np.array([wiring.n_edges for wiring in wirings]),
        truth[:, None] + noise * rng.normal(size=(N, REPLICATES)),
        truth,
        names,
        X,
    )


def standard(values: np.ndarray) -> np.ndarray:
    return (values - values.mean()) / values.std()


def write_atlas(folder: Path) -> Path:
    """Write one tiny survey into a folder."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(survey_module, "fit_into", lambda *_, **__: None)
        Survey(folder / "tiny", **TINY).run()
    return folder
