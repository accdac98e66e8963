"""A search that goes on is the same search: whatever it does, after whichever trial it ended, and in whichever way.

`make resume-test` ends every search after each of its trials in every way; `make slow-test` after one of them in one
way, and `make test` some of them.
"""

import os
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import networkx as nx
import optuna
import pytest
from optuna.trial import FrozenTrial
from stopping_cases import classes

from nas.campaign.campaign import Campaign
from nas.evaluation.early_stopping import EARLY_STOPPING
from nas.evaluation.trainer import Evaluation
from nas.evaluation.watcher import Watcher
from nas.networks import NetworkSpec
from nas.samplers import plan
from nas.samplers.proposer import SAMPLERS, Candidate
from nas.space.draws import Draws
from nas.space.space import Space
from nas.store.records import Record
from nas.store.study import StudyFile
from predictors import Predictor
from priors import GraphPool, Wiring

BATCH = 3
WAYS = ("killed", "interrupted", "extended")
EVERY = os.environ.get("WIRENAS_TEST_RESUMES") == "all"
TRIALS = 24 if EVERY else 15
SPACE: dict[str, Any] = {"nodes": (8, 16), "degree": (2, 4), "attachment": "natural"}
POOL = GraphPool([nx.gnp_random_graph(6 + index % 7, 0.4, seed=index) for index in range(40)])

VARIANTS: dict[str, dict[str, Any]] = {
    "plain": {},
    **{name: {"early_stopping": name} for name in EARLY_STOPPING},
    "warm start": {"warm_start": "warm"},
    "own graphs": {"space": {**SPACE, "graphs": POOL}},
    "replicates": {"replicates": 2},
    "limited": {"space": {**SPACE, "max_edges": 30}},
    "failures": {},
}


def is_possible(sampler: str, objective: str, variant: str) -> bool:
    """Whether such a campaign is not refused, which other tests show."""
    if objective == "pareto" and (sampler == "genetic" or variant in EARLY_STOPPING or variant == "failures"):
        return False
    return variant != "warm start" or sampler == "structural"


ANOTHER = (pytest.mark.slow, pytest.mark.another)
KINDS = [
    (sampler, objective, variant)
    for sampler in SAMPLERS
    for objective in ("value", "pareto")
    for variant in VARIANTS
    if is_possible(sampler, objective, variant)
]


def is_quick(sampler: str, objective: str, variant: str) -> bool:
    """Whether `make test` has it: every sampler with both objectives, and every variant with the structural one."""
    return variant == "plain" or (sampler == "structural" and objective == "value")


def stored_counts(kind: int, made: int) -> list[int]:
    """After how many of its trials a search ends: after any number, or after one that differs from kind to kind."""
    if EVERY:
        return list(range(1, made))
    # What is proposed while a ninth trial runs follows a plan that is made when eight are known.
    return [9] if KINDS[kind][0] == "structural" else [1 + 7 * kind % (TRIALS - 1)]


def value_of(wiring: Wiring) -> float:
    """Best at 20 edges; the rest is luck."""
    return -abs(wiring.hidden.n_edges - 20) + int(wiring.fingerprint[:4], 16) / 2**16


def unlucky(wiring: Wiring, _: Mapping[str, Any]) -> float:
    """Fails for every fourth wiring."""
    if int(wiring.fingerprint[0], 16) % 4 == 0:
        raise ArithmeticError("an unlucky one")
    return value_of(wiring)


class MemoryStudy(StudyFile):
    """A study as a campaign's folder holds it, without the folder, which would take most of the time."""

    def __init__(self, trials: Iterable[FrozenTrial], *directions: str) -> None:
        self.path = Path("study.db")
        self.study, self._n_objectives = optuna.create_study(directions=directions), len(directions)
        self.study.add_trials(trials)
        self._records = None

    def append(self, finished: Sequence[tuple[Record, FrozenTrial]]) -> None:
        self.study.add_trials([trial for _, trial in finished])
        self._records = None


class Interrupted:
    """An evaluation in the middle of which Ctrl-C arrives, when all that was proposed before is known."""

    def __init__(self, evaluation: Evaluation, number: int) -> None:
        self._evaluation, self._number = evaluation, number

    def __call__(self, candidate: Candidate) -> Mapping[str, Any]:
        if candidate.number >= self._number:
            raise KeyboardInterrupt
        return self._evaluation(candidate)


@dataclass(frozen=True)
class Case:
    """Campaigns of one kind."""

    sampler: str
    objective: str
    variant: str
    warm: Path

    def search(self, study: MemoryStudy, trials: int = TRIALS, interrupted_at: int | None = None) -> None:
        """Search until there are so many trials, or until Ctrl-C in the evaluation of one."""
        given: dict[str, Any] = {
            "space": SPACE,
            "sampler": self.sampler,
            "objective": self.objective,
            "trials": trials,
            "batch": BATCH,
            "threads": 1,
            **({"startup": 6} if self.sampler in ("structural", "genetic") else {}),
            **VARIANTS[self.variant],
        }
        if self.variant == "warm start":
            given["warm_start"] = str(self.warm)
        if self.variant == "failures":
            given |= {"evaluate": unlucky, "n_inputs": 4, "n_outputs": 2}
        else:
            recipe = {"epochs": 4, "batch_size": 32, "learning_rates": (0.01, 0.03)}
            given |= {"task": classes(), "recipe": recipe}
        campaign = Campaign(self.warm.parent / "never made", **given)
        with ThreadPoolExecutor(1) as executor:
            searching = campaign._search(study, campaign._trainer(), Watcher())
            if interrupted_at is None:
                searching.run(executor, 1)
                return
            evaluation = Interrupted(searching.evaluation, interrupted_at)
            with pytest.raises(KeyboardInterrupt):
                replace(searching, evaluation=evaluation).run(executor, 1)

    def study(self, trials: Iterable[FrozenTrial] = ()) -> MemoryStudy:
        """Return a study of some trials, such as a killed process leaves."""
        return MemoryStudy(trials, "maximize", *(["minimize"] if self.objective == "pareto" else []))


def found(study: StudyFile) -> list[Record]:
    """Everything of the trials but for what a clock said."""
    return [replace(record, seconds=0.0, choosing=0.0) for record in study.records()]


@pytest.fixture(scope="module")
def warm(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The predictor of a campaign like those that start from it."""
    out = tmp_path_factory.mktemp("warm")
    space = Space(**SPACE, structure="dag")
    drawn = Draws(space, 7, NetworkSpec("mlp"), 4, 3)
    wirings = [drawn.draw(number).wiring for number in range(30)]
    Predictor().fit(wirings, [value_of(wiring) for wiring in wirings]).save(out / "predictor")
    return out / "predictor"


@pytest.fixture(autouse=True)
def changing_plan(monkeypatch: pytest.MonkeyPatch) -> None:
    """How often and among how many candidates is chosen changes when it is known how long trials take."""
    monkeypatch.setattr(plan, "_FREE_S", 0.03)


@pytest.mark.timeout(3000 if EVERY else 120)
@pytest.mark.parametrize(
    "kind",
    [pytest.param(kind, marks=() if EVERY or is_quick(*kind) else ANOTHER, id="-".join(kind)) for kind in KINDS],
)
def test_a_search_that_goes_on_is_the_same_search(warm: Path, kind: tuple[str, str, str]):
    case = Case(*kind, warm)
    whole = case.study()
    case.search(whole)
    expected, trials = found(whole), whole.trials()
    assert len(expected) >= TRIALS
    number = KINDS.index(kind)
    for stored in stored_counts(number, len(trials)):
        for way in WAYS if EVERY else (WAYS[number % 2],):
            study = case.study(trials[:stored] if way == "killed" else ())
            if way == "interrupted":
                case.search(study, interrupted_at=stored)
                assert len(study.trials()) == stored
            if way == "extended":
                case.search(study, trials=sum(record.is_counted for record in expected[:stored]) or 1)
            case.search(study)
            assert found(study) == expected, f"{way} after {stored} trials"
