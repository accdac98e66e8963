"""Pools of steering: which wiring is nearest, and that a pool is what its survey says."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from steering_cases import TIERS, N, make_pool

from nas.store.survey_table import load_survey
from nas.studies.steering.replay import Choice, Pool, Run, read_pool
from predictors import names_of


def test_the_nearest_wiring_is_of_the_same_family_and_like_parameters(pool: Pool):
    run = Run(pool, "tpe", 0)
    wanted = {**pool.params[0], "n": 16, "degree": 4.0}
    order = run.nearest(pool.place(wanted), N).tolist()

    def distance(member: int) -> tuple[bool, float]:
        own = pool.params[member]
        spans = {"n": (own["n"] - 16) / 16, "degree": (own["degree"] - 4) / np.ptp([p["degree"] for p in pool.params])}
        if "p" in own and "p" in wanted:
            spans["p"] = (own["p"] - wanted["p"]) / np.ptp([p["p"] for p in pool.params if "p" in p])
        return own["family"] != wanted["family"], sum(part**2 for part in spans.values())

    same = [member for member in order if pool.params[member]["family"] == wanted["family"]]
    assert order[: len(same)] == same
    found = [distance(member)[1] for member in same]
    assert found == pytest.approx(sorted(found), abs=1e-6)
    run.train(Choice(order[0]))
    assert int(run.nearest(pool.place(wanted))[0]) == order[1]
    np.testing.assert_allclose(pool.place(pool.params[3]), pool.points[3])


def test_equally_near_wirings_are_equally_likely(pool: Pool):
    fixed = replace(pool, params=tuple({"family": own["family"], "n": 5} for own in pool.params))
    run = Run(fixed, "tpe", 0)
    point = fixed.place(fixed.params[0])
    found = {int(run.nearest(point)[0]) for _ in range(60)}
    assert len(found) > 20
    assert {fixed.params[member]["family"] for member in found} == {fixed.params[0]["family"]}


def test_equal_wirings_have_an_equal_size_and_the_pool_knows_what_it_holds(pool: Pool):
    assert [pool.size_of(wiring) for wiring in pool.wirings] == pool.sizes.tolist()
    assert pool.space.is_finite
    other = replace(pool, labels=pool.labels + 1e-9)
    assert make_pool().fingerprint == pool.fingerprint != other.fingerprint


def test_a_pool_is_what_its_survey_says(atlas: Path):
    table = load_survey(atlas / "tiny")
    found, frame = read_pool("tiny", table), table.to_frame()
    assert len(found) == frame["fingerprint"].nunique() == 70
    for member in (0, 13, 69):
        own = frame[frame["fingerprint"] == found.wirings[member].fingerprint]
        rate = own.groupby("learning_rate")["value"].mean().idxmax()
        assert found.truth[member] == pytest.approx(own[own["learning_rate"] == rate]["test"].mean())
        assert found.labels[member].tolist() == own.groupby("replicate")["value"].max().tolist()
        assert found.sizes[member] == own["n_parameters"].iloc[0]
        assert found.params[member]["n"] == own["param_n"].iloc[0]
        assert not [name for name in found.params[member] if name.endswith("_seed")]
    assert found.names == names_of(TIERS)


def test_a_failed_training_leaves_its_wiring_out(atlas: Path):
    table = load_survey(atlas / "tiny")
    columns = table.table.to_pydict()
    columns["value"][5] = None
    damaged = replace(table, table=type(table.table).from_pydict(columns, schema=table.table.schema))
    assert (
        read_pool("tiny", damaged).wirings
        == read_pool("tiny", table).wirings[:1] + read_pool("tiny", table).wirings[2:]
    )
