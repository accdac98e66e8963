"""Early stopping: Optuna's decisions, values that it does not change, records that depend on no threads."""

import json
import sqlite3
import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

import numpy as np
import optuna
import pytest
from command_line import wirenas
from hypothesis import given, settings
from hypothesis import strategies as st
from optuna.pruners import BasePruner, NopPruner
from optuna.trial import FrozenTrial, TrialState

from nas.errors import CampaignError, InputError
from nas.networks import NetworkSpec
from nas.report.outcome import Outcome, counted_in
from nas.search.campaign import Campaign
from nas.search.evaluation import TrainedEvaluation, Trainer, attempt
from nas.search.learning import campaign_examples
from nas.search.lockstep import LockstepEvaluation
from nas.search.options import CampaignOptions, resolve
from nas.search.proposer import Candidate, Proposer
from nas.search.records import Record
from nas.search.space import SEED_NAMES, Space
from nas.search.stopping import EARLY_STOPPING, Stopping, stopping_of
from nas.search.study import load
from nas.tasks import Task
from nas.training import Recipe
from nas.training.extension import has_native
from priors import WattsStrogatz, Wiring, attach, layer, orient

optuna.logging.set_verbosity(optuna.logging.WARNING)
ENGINES = ["torch", pytest.param("native", marks=pytest.mark.skipif(not has_native(), reason="not compiled"))]


def classes() -> Task:
    rng = np.random.default_rng(0)
    inputs = rng.normal(size=(120, 4))
    return Task.from_arrays("classes", inputs, (inputs[:, 0] > 0).astype(int) + (inputs[:, 1] * inputs[:, 2] > 0))


def wiring(seed: int = 0) -> Wiring:
    return attach(layer(orient(WattsStrogatz(8, 4, 0.5).sample(seed), rng=seed)), 4, 3, "natural")


def candidate(number: int = 0) -> Candidate:
    return Candidate(number, {"n": 8}, {}, wiring(number), 31)


def trainer(**changes: Any) -> Trainer:
    recipe = Recipe(**{"epochs": 6, "batch_size": 16, "learning_rates": (0.003, 0.03), **changes.pop("recipe", {})})
    return Trainer(**{"task": classes(), "spec": NetworkSpec("mlp"), "recipe": recipe, "seed": 5, **changes})


class ByHand(BasePruner):
    """Asks a function."""

    def __init__(self, decide: Callable[[optuna.Study, FrozenTrial], bool]) -> None:
        self.decide = decide

    def prune(self, study: optuna.Study, trial: FrozenTrial) -> bool:
        return self.decide(study, trial)


def stopping(decide: Callable[[optuna.Study, FrozenTrial], bool], batch: int = 4) -> Stopping:
    return Stopping(lambda: ByHand(decide), batch=batch, direction="maximize")


def never() -> Stopping:
    return Stopping(NopPruner, batch=1, direction="maximize")


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


# One candidate


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(
    "recipe", [{}, {"patience": 1, "epochs": 12}, {"optimizer": "sgd", "learning_rates": (0.1, 1e30)}]
)
def test_what_is_not_stopped_has_the_value_that_it_has_anyway(engine: str, recipe: dict[str, Any]):
    own = trainer(engine=engine, recipe=recipe)
    expected = attempt(candidate(), TrainedEvaluation(own, 2), threading.Event())
    found = attempt(candidate(), LockstepEvaluation(own, 2, never()), threading.Event())
    assert found.curve[-1] == found.value
    assert replace(found, seconds=0.0, curve=(), stopping={}) == replace(expected, seconds=0.0)
    assert expected.is_complete
    assert (found.diverged > 0) == (1e30 in own.recipe.learning_rates)
    assert found.seconds > 0


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("patience", [None, 2])
def test_the_curve_says_what_shorter_trainings_would_be_worth(engine: str, patience: int | None):
    recipe = {"schedule": "constant", "patience": patience}
    curve = attempt(
        candidate(), LockstepEvaluation(trainer(engine=engine, recipe=recipe), 2, never()), threading.Event()
    ).curve
    shorter = [trainer(engine=engine, recipe={**recipe, "epochs": epochs}) for epochs in range(1, len(curve) + 1)]
    assert curve == tuple(TrainedEvaluation(one, 2)(candidate())["value"] for one in shorter)
    assert len(set(curve)) > 1


def test_a_trial_ends_when_the_rule_says_so():
    asked = []

    def third(study: optuna.Study, trial: FrozenTrial) -> bool:
        asked.append((trial.number, trial.last_step))
        return trial.number == 2 and trial.last_step == 3

    evaluation = LockstepEvaluation(trainer(), 2, stopping(third))
    stopped = attempt(candidate(2), evaluation, threading.Event())
    whole = attempt(candidate(1), evaluation, threading.Event())
    assert asked == [*((2, epoch) for epoch in (1, 2, 3)), *((1, epoch) for epoch in (1, 2, 3, 4, 5))]
    assert (stopped.state, stopped.value, stopped.values, dict(stopped.ladder)) == ("stopped", None, (), {})
    assert (stopped.is_complete, stopped.is_counted, len(stopped.curve)) == (False, True, 3)
    updates = -(-len(classes().train) // 16)
    assert stopped.steps == 3 * updates * 4
    assert whole.steps == 6 * updates * 4
    assert stopped.seconds > 0
    assert stopped.engine == whole.engine


def test_trainings_that_lost_patience_wait_for_the_others():
    own = trainer(recipe={"patience": 1, "epochs": 12})
    plan = own.plan(range(2))
    lengths = [len(own.train(wiring(), *step).history.epochs) for step in plan]
    assert len(set(lengths)) > 1
    asked = []
    evaluation = LockstepEvaluation(own, 2, stopping(lambda _, trial: bool(asked.append(trial.last_step))))
    assert len(attempt(candidate(), evaluation, threading.Event()).curve) == max(lengths)
    assert asked == list(range(1, max(lengths)))


def test_a_second_attempt_is_judged_afresh():
    failures = iter([True])

    def broken(study: optuna.Study, trial: FrozenTrial) -> bool:
        if trial.last_step == 2 and next(failures, False):
            raise ZeroDivisionError("once")
        return trial.last_step == 4

    record = attempt(candidate(), LockstepEvaluation(trainer(), 1, stopping(broken)), threading.Event())
    assert (record.state, record.attempts, len(record.curve)) == ("stopped", 2, 4)


# Campaigns


def make(out: Path, early_stopping: str = "halving", **options: Any) -> Campaign:
    given: dict[str, Any] = {
        "task": classes(),
        "space": {"nodes": (6, 16), "degree": (2, 4), "attachment": "natural"},
        "recipe": {"epochs": 8, "batch_size": 32, "learning_rates": (0.01, 0.03)},
        "batch": 5,
        "trials": 27,
        "finalists": 2,
        "final_seeds": 1,
        "early_stopping": early_stopping,
    }
    return Campaign(out, **{**given, **options})


def spare(patch: pytest.MonkeyPatch) -> None:
    """Leave out what takes longer than all the rest of these campaigns."""
    patch.setattr("nas.report.output.plot_progress", lambda *_: None)
    patch.setattr("nas.search.campaign.fit_into", lambda *_, **__: None)


@pytest.fixture(autouse=True)
def only_the_search(monkeypatch: pytest.MonkeyPatch) -> None:
    spare(monkeypatch)


def found(out: Path) -> list[Record]:
    return [replace(record, seconds=0.0, choosing=0.0) for record in load(out)]


@pytest.fixture(scope="module")
def ended(tmp_path_factory: pytest.TempPathFactory) -> tuple[Campaign, Outcome]:
    """A campaign in which trials were stopped."""
    with pytest.MonkeyPatch.context() as patch:
        spare(patch)
        campaign = make(tmp_path_factory.mktemp("stopped") / "out", threads=1)
        return campaign, campaign.run()


def test_stopped_trials_count_and_are_no_results(ended: tuple[Campaign, Outcome]):
    campaign, outcome = ended
    records = load(campaign.out)
    stopped = [record for record in records if record.state == "stopped"]
    assert len(stopped) == outcome.stopped > 3
    assert (outcome.complete + outcome.stopped, outcome.failed, len(records)) == (27, 0, 27)
    assert outcome.to_json()["stopped"] == len(stopped)
    assert len(records.complete) == outcome.complete
    assert {record.value for record in stopped} == {None}
    assert {len(record.curve) for record in records.complete} == {8}
    assert all(0 < len(record.curve) < 8 for record in stopped)
    assert records[outcome.best["trial"]].is_complete if outcome.best else False
    examples = campaign_examples(records, campaign._rebuild, campaign.space, campaign._units, "accuracy", "maximize")
    assert len(examples) == outcome.complete
    frame = records.to_frame()
    assert frame["curve"][0].split()[-1] == repr(records[0].value)
    assert "stopping" not in frame


def test_plain_optuna_sees_what_was_stopped(ended: tuple[Campaign, Outcome]):
    campaign, _ = ended
    records = load(campaign.out)
    plain = optuna.load_study(study_name="wirenas", storage=f"sqlite:///{campaign.out}/study.db")
    states = {"complete": TrialState.COMPLETE, "stopped": TrialState.PRUNED}
    for record, trial in zip(records, plain.trials, strict=True):
        assert trial.state == states[record.state]
        assert trial.intermediate_values == dict(enumerate(record.curve, 1))
        assert (None if trial.values is None else trial.value) == record.value
    with sqlite3.connect(campaign.out / "study.db") as connection:
        (stored,) = connection.execute("select count(*) from trial_intermediate_values").fetchone()
    connection.close()
    assert stored == sum(len(record.curve) for record in records)


@pytest.mark.parametrize(
    ("sampler", "name"), [*(("random", name) for name in EARLY_STOPPING), ("tpe", "halving"), ("structural", "median")]
)
def test_threads_change_nothing(tmp_path: Path, sampler: str, name: str):
    for threads in (1, 3):
        make(tmp_path / str(threads), name, sampler=sampler, threads=threads).run()
    assert found(tmp_path / "1") == found(tmp_path / "3")
    assert any(record.state == "stopped" for record in load(tmp_path / "1"))


def by_number(study: optuna.Study, trial: FrozenTrial) -> bool:
    """Every third trial ends early, with one more or less to compare with another one."""
    return (len(study.trials) + trial.number) % 3 == 0 and trial.last_step == 2


@pytest.mark.parametrize("name", [*EARLY_STOPPING, "by number"])
def test_interruptions_change_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str):
    """In the middle of a batch, at its end, and by a smaller number of trials at first."""
    if name == "by number":
        monkeypatch.setitem(EARLY_STOPPING, "median", lambda _: ByHand(by_number))
        name = "median"
    make(tmp_path / "whole", name, threads=1).run()
    evaluate = LockstepEvaluation.__call__
    for last in (13, 20):
        campaign = make(tmp_path / "parts", name, threads=1)

        def interrupted(self: Any, one: Candidate, last: int = last, campaign: Campaign = campaign) -> Any:
            if one.number == last:
                campaign.stop.set()
            return evaluate(self, one)

        monkeypatch.setattr(LockstepEvaluation, "__call__", interrupted)
        with pytest.raises(KeyboardInterrupt):
            campaign.run()
        assert len(load(tmp_path / "parts")) == last
    monkeypatch.setattr(LockstepEvaluation, "__call__", evaluate)
    assert make(tmp_path / "parts", name, trials=23, threads=1).run().trials == 23
    make(tmp_path / "parts", name, threads=2).run()
    assert found(tmp_path / "parts") == found(tmp_path / "whole")
    assert any(record.state == "stopped" for record in load(tmp_path / "whole"))


def test_the_same_again_does_no_work(ended: tuple[Campaign, Outcome]):
    campaign, outcome = ended
    study = (campaign.out / "study.db").read_bytes()
    assert make(campaign.out).run() == outcome
    assert make(campaign.out, trials=9).run() == outcome
    assert (campaign.out / "study.db").read_bytes() == study
    with pytest.raises(InputError, match=r'^early_stopping=none: .* started with "halving", and only trials may'):
        make(campaign.out, "none").run()


def test_an_outcome_of_a_version_that_stopped_nothing_is_read(ended: tuple[Campaign, Outcome]):
    stored = ended[1].to_json()
    assert counted_in(stored) == 27
    del stored["stopped"]
    assert counted_in(stored) == ended[1].complete
    assert Outcome.from_json(stored).stopped == 0


def test_where_everything_is_stopped_the_campaign_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(EARLY_STOPPING, "halving", lambda _: ByHand(lambda *_: True))
    with pytest.raises(CampaignError, match="no trial is complete: 6 were stopped early and 0 failed"):
        make(tmp_path, trials=6).run()
    assert [len(record.curve) for record in load(tmp_path)] == [1] * 6
    assert "no trial is complete yet (6 stopped early, 0 failed)" in wirenas("status", str(tmp_path))[1]
    monkeypatch.setitem(EARLY_STOPPING, "halving", lambda _: NopPruner())
    assert make(tmp_path, trials=8).run().stopped == 6


def test_the_command_line_says_what_was_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(EARLY_STOPPING, "median", lambda _: ByHand(lambda _, trial: trial.number % 4 == 1))
    flags = "--trials 5 --nodes 8:12 --epochs 2 --finalists 1 --final-seeds 1 --early-stopping median"
    code, text, err = wirenas("run", *flags.split(), "--out", str(tmp_path), "--json")
    assert code == 0, err
    assert "5 of 5 trials" in err
    found = json.loads(text)
    assert (found["complete"], found["stopped"], found["failed"]) == (4, 1, 0)
    assert json.loads(wirenas("status", str(tmp_path), "--json")[1]) == found
    assert "4 trials complete, 1 stopped early, 0 failed." in wirenas("status", str(tmp_path))[1]
    assert "a campaign of 5 trials" in (tmp_path / "best" / "card.md").read_text(encoding="utf-8")


def test_an_own_evaluation_cannot_be_stopped(tmp_path: Path):
    with pytest.raises(InputError, match=r"^early_stopping=median: an own evaluation has no epochs"):
        Campaign(tmp_path / "new", evaluate=lambda *_: 0.0, early_stopping="median")
    assert list(tmp_path.iterdir()) == []


def test_early_stopping_saves_updates_and_finds_as_good_a_network(tmp_path: Path):
    """Digits, the same 30 candidates by chance: those that are not stopped have the same values."""
    options: dict[str, Any] = {"task": "digits", "recipe": {}, "sampler": "random", "trials": 30, "batch": 8}
    for name in ("none", "median"):
        make(tmp_path / name, name, space={}, finalists=1, **options).run()
    whole, some = load(tmp_path / "none"), load(tmp_path / "median")
    assert [dict(record.params) for record in whole] == [dict(record.params) for record in some]
    complete = [record.number for record in some.complete]
    assert [whole[number].value for number in complete] == [some[number].value for number in complete]
    assert sum(record.steps for record in some) < 0.8 * sum(record.steps for record in whole)
    best = max(record.value or 0.0 for record in whole)
    assert max(record.value or 0.0 for record in some.complete) >= best - 0.01


# Proposals


def search(source: Proposer, start: int, stop: int, sign: int = 1) -> list[dict[str, Any]]:
    """In batches of four; all candidates but the first one are stopped, after 1 to 3 epochs."""
    params = []
    for first in range(start, stop, 4):
        for one in [source.propose(number) for number in range(first, first + 4)]:
            source.tell(outcome(one, sign))
            params.append(dict(one.params))
    return params


def outcome(one: Candidate, sign: int = 1) -> Record:
    value = sign * float(one.params["n"])
    if one.number == 0:
        return Record(one.number, "complete", value, one.params, curve=(0.0, value))
    return Record(one.number, "stopped", None, one.params, curve=(value,) * (one.number % 3 + 1))


def proposer(sampler: str) -> Proposer:
    space = Space(structure="dag", nodes=(8, 40), degree=(2, 6))
    return Proposer(space, sampler=sampler, seed=0, direction="maximize", n_inputs=5, n_outputs=2, size_of=lambda _: 1)


@pytest.mark.parametrize("sampler", ["random", "tpe"])
def test_stopped_trials_that_are_remembered_count_as_those_that_were_told(sampler: str):
    from nas.search.study import trial_of

    whole, first, resumed = proposer(sampler), proposer(sampler), proposer(sampler)
    params = search(whole, 0, 40)
    for start in range(0, 24, 4):
        for one in [first.propose(number) for number in range(start, start + 4)]:
            trial = trial_of(outcome(one), one.distributions)
            trial.number = one.number
            resumed.remember(trial)
            first.tell(outcome(one))
    assert search(resumed, 24, 40) == params[24:]


def test_tpe_learns_from_the_curves_of_stopped_trials():
    up, down = (search(proposer("tpe"), 0, 40, sign)[20:] for sign in (1, -1))
    assert sum(params["n"] for params in up) > sum(params["n"] for params in down)
    only_complete = proposer("tpe")
    for first in range(0, 24, 4):
        for one in [only_complete.propose(number) for number in range(first, first + 4)]:
            record = outcome(one)
            only_complete.tell(record if record.is_complete else replace(record, state="failed", curve=()))
    later = only_complete.propose(24).params
    expected = search(proposer("tpe"), 0, 28)[24]
    assert {name: value for name, value in later.items() if name not in SEED_NAMES} != {
        name: value for name, value in expected.items() if name not in SEED_NAMES
    }
