"""Early stopping: Optuna's decisions, and what a trial is compared with."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, get_args

import numpy as np
import optuna
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from optuna.trial import FrozenTrial, TrialState
from stopping_cases import stopping

from nas.errors import InputError
from nas.evaluation.early_stopping import EARLY_STOPPING, Stopping, stopping_of
from nas.options.options import CampaignOptions, resolve
from nas.store.records import Record


def judged(source: Stopping, number: int, curve: Sequence[float]) -> Record:
    """What becomes of a trial that would have this curve."""
    judge = source.judge(number)
    for epoch, value in enumerate(curve, 1):
        judge.report(value)
        if epoch < len(curve) and judge.stops():
            return Record(number, "stopped", None, {}, curve=judge.curve, stopping=judge.notes)
    return Record(number, "complete", curve[-1], {}, curve=judge.curve, stopping=judge.notes)


# The rules


def test_every_choice_has_its_rule():
    (choices, _) = get_args(CampaignOptions.model_fields["early_stopping"].annotation)
    assert list(EARLY_STOPPING) == list(get_args(choices))
    assert resolve({}).early_stopping is resolve({"early_stopping": "none"}).early_stopping is None
    assert stopping_of(resolve({})) is None
    with pytest.raises(InputError, match=r"^early_stopping='mean': .*'median', 'hyperband' or 'halving'"):
        resolve({"early_stopping": "mean"})


@pytest.mark.parametrize("name", EARLY_STOPPING)
@given(data=st.data(), epochs=st.integers(1, 40), direction=st.sampled_from(["maximize", "minimize"]))
@settings(deadline=None, max_examples=15)
def test_one_after_another_trials_are_stopped_as_by_optuna(name: str, data: st.DataObject, epochs: int, direction: Any):
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32)))
    curves = rng.normal(size=(30, epochs)) / 5 + rng.normal(size=(30, 1))
    study = optuna.create_study(study_name="wirenas", direction=direction, pruner=EARLY_STOPPING[name](epochs))
    own = Stopping(lambda: EARLY_STOPPING[name](epochs), batch=1, direction=direction)
    for number, curve in enumerate(curves.tolist()):
        trial = study.ask()
        for epoch, value in enumerate(curve, 1):
            trial.report(value, epoch)
            if epoch < epochs and trial.should_prune():
                study.tell(trial, state=TrialState.PRUNED)
                break
        else:
            study.tell(trial, curve[-1])
        record = judged(own, number, curve)
        own.tell(record)
        expected = study.get_trials(deepcopy=False)[number]
        assert (record.state == "stopped") == (expected.state == TrialState.PRUNED)
        assert dict(enumerate(record.curve, 1)) == expected.intermediate_values
        assert record.stopping == expected.system_attrs


@pytest.mark.parametrize("name", EARLY_STOPPING)
def test_every_rule_stops_what_is_bad_and_spares_what_is_good(name: str):
    source = Stopping(lambda: EARLY_STOPPING[name](20), batch=8, direction="maximize")
    ramp, records = np.arange(20) / 100, list[Record]()
    for first in range(0, 48, 8):
        batch = [judged(source, number, (number % 8 + ramp).tolist()) for number in range(first, first + 8)]
        for record in batch:
            source.tell(record)
        records += batch
    assert {record.state for record in records[:8]} == {"complete"}
    assert {record.state for record in records if record.number % 8 == 7} == {"complete"}
    worst = [record for record in records[8:] if record.number % 8 == 0]
    lengths = {"median": {4}, "halving": {2}, "hyperband": {2, 6, 18}}[name]
    assert {len(record.curve) for record in worst} <= lengths
    assert {record.state for record in worst} == {"stopped"}


def test_the_median_waits_for_eight_trials_and_a_fifth_of_the_epochs():
    source = Stopping(lambda: EARLY_STOPPING["median"](30), batch=1, direction="minimize")
    for number in range(8):
        record = judged(source, number, [float(number)] * 30)
        assert record.state == "complete"
        source.tell(record)
    assert len(judged(source, 8, [3.6] * 30).curve) == 6
    assert len(judged(source, 8, [3.4] * 30).curve) == 30
    assert len(judged(source, 8, [3.4] + [3.6] * 29).curve) == 30


# What a trial is compared with


def test_a_trial_is_compared_with_those_of_earlier_batches():
    seen: dict[int, list[tuple[int, TrialState, float | None]]] = {}

    def look(study: optuna.Study, trial: FrozenTrial) -> bool:
        found = [(other.number, other.state, other.values and other.value) for other in study.trials]
        assert seen.setdefault(trial.number, found) == found
        return trial.number % 3 == 1

    source = stopping(look)
    for first in range(0, 12, 4):
        for number in range(first, first + 4):  # Each is told while those after it run.
            record = judged(source, number, [0.5, number / 10])
            if number % 3 == 2:
                record = replace(record, state="failed", value=None, curve=())
            source.tell(record)
    complete, stopped, failed = TrialState.COMPLETE, TrialState.PRUNED, TrialState.FAIL
    whole = [
        (number, (complete, stopped, failed)[number % 3], number / 10 if number % 3 == 0 else None)
        for number in range(12)
    ]
    assert seen == {number: whole[: number // 4 * 4] for number in range(12)}


@pytest.mark.parametrize("name", EARLY_STOPPING)
def test_trials_beside_each_other_do_not_see_each_other(name: str):
    def after_a_batch() -> Stopping:
        source = Stopping(lambda: EARLY_STOPPING[name](10), batch=9, direction="maximize")
        for number in range(9):
            source.tell(judged(source, number, [number / 10] * 10))
        return source

    rng = np.random.default_rng(0)
    curves = (np.arange(1, 10)[:, None] / 10 + rng.uniform(-0.1, 0.1, size=(9, 10))).tolist()
    alone = [judged(after_a_batch(), 9 + index, curve) for index, curve in enumerate(curves)]
    together, source = dict[int, Record](), after_a_batch()
    judges = [source.judge(9 + index) for index in range(9)]
    going = dict(enumerate(judges))
    for epoch in range(10):
        for index in rng.permutation(list(going)).tolist():
            judges[index].report(curves[index][epoch])
            if epoch < 9 and judges[index].stops():
                del going[index]
    for index, judge in enumerate(judges):
        state = "complete" if index in going else "stopped"
        together[index] = replace(alone[index], state=state, curve=judge.curve, stopping=judge.notes)
    assert [together[index] for index in range(9)] == alone
    assert {record.state for record in alone} == {"complete", "stopped"}
