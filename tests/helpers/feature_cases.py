"""Wirings and comparisons that several tests of features share."""

from itertools import product

import numpy as np
import pytest
from hypothesis import strategies as st

from predictors.features.reference import describe_one
from predictors.features.table import TIERS
from priors.graphs import ErdosRenyi
from priors.wiring import Wiring


def described(wiring: Wiring, **options: int) -> dict[str, float]:
    return describe_one(wiring, TIERS, **options)


def expect(found: dict[str, float], expected: dict[str, float], tolerance: float = 1e-9) -> None:
    picked = {name: found[name] for name in expected}
    assert picked == pytest.approx(expected, rel=tolerance, abs=tolerance, nan_ok=True)


def summary(name: str, values: object, *, of_sample: bool = False) -> dict[str, float]:
    own = np.array(list(values), dtype=float)
    if not of_sample:
        return {f"{name}_mean": own.mean(), f"{name}_std": own.std()}
    found = {"mean": own.mean(), "var": own.var(ddof=1), "std": own.std(ddof=1)}
    return {f"{name}_{key}": value for key, value in found.items()}


@st.composite
def wirings(draw: st.DrawFn, units: bool | None = None, recurrent: bool | None = None) -> Wiring:
    """Layers of neurons with any edges between them: forward ones, and where `recurrent` all others."""
    inputs = draw(st.booleans()) if units is None else units
    outputs = draw(st.booleans()) if units is None else units
    recurrent = draw(st.booleans()) if recurrent is None else recurrent
    sizes = draw(st.lists(st.integers(1, 3), min_size=max(inputs + outputs, 1), max_size=5))
    layer_of = np.repeat(np.arange(len(sizes)), sizes).tolist()
    allowed = [
        (source, target)
        for source, target in product(range(len(layer_of)), repeat=2)
        if (recurrent or layer_of[source] < layer_of[target])
        and not (inputs and layer_of[target] == 0)
        and not (outputs and layer_of[source] == len(sizes) - 1)
    ]
    kept = draw(st.lists(st.booleans(), min_size=len(allowed), max_size=len(allowed)))
    edges = [edge for edge, keep in zip(allowed, kept, strict=True) if keep]
    return Wiring(sizes, edges, inputs=inputs, outputs=outputs)


@st.composite
def graphs(draw: st.DrawFn) -> Wiring:
    n = draw(st.integers(1, 14))
    return ErdosRenyi(n, edges=draw(st.integers(0, n * (n - 1) // 2))).sample(draw(st.integers(0, 2**32)))
