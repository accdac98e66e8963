"""Proposer: candidates are a pure function of the options, the number, and what was known."""

from collections.abc import Callable
from typing import Any

import optuna
import pytest

from nas.errors import InputError
from nas.samplers.proposer import BLIND, SAMPLERS, Candidate, Proposer
from nas.space.lineage import rebuilt
from nas.space.space import SEED_NAMES, Space
from nas.store.records import Record
from priors import Wiring

BATCH = 4


def proposer(sampler: str, limit: int | None = None, seed: int = 0, **options: Any) -> Proposer:
    space = Space(structure="dag", nodes=(8, 24), degree=(2, 6), max_parameters=limit, **options)
    return Proposer(
        space,
        sampler=sampler,
        seed=seed,
        direction="maximize",
        n_inputs=5,
        n_outputs=2,
        size_of=lambda wiring: wiring.n_edges,
    )


def outcome(candidate: Candidate) -> Record:
    """Every fifth candidate fails; the others are worth more, the nearer they are to 60 edges."""
    failed = candidate.number % 5 == 3
    value = None if failed else -abs(candidate.wiring.hidden.n_edges - 40) - candidate.number / 1000
    return Record(candidate.number, "failed" if failed else "complete", value, candidate.params)


def stored(candidate: Candidate) -> dict[str, Any]:
    """What a record holds beside the parameters."""
    hidden_edges = candidate.wiring.hidden.edges.ravel().tolist()
    lineage = candidate.notes.get("lineage", "")
    return {"n_hidden": candidate.wiring.n_hidden, "hidden_edges": hidden_edges, "lineage": lineage}


def frozen(candidate: Candidate) -> optuna.trial.FrozenTrial:
    """The candidate as the study stores it."""
    record = outcome(candidate)
    trial = optuna.trial.create_trial(
        state=optuna.trial.TrialState.COMPLETE if record.is_complete else optuna.trial.TrialState.FAIL,
        value=record.value,
        params=dict(candidate.params),
        distributions=dict(candidate.distributions),
        user_attrs=stored(candidate),
    )
    trial.number = candidate.number
    return trial


def search(source: Proposer, start: int, stop: int) -> list[Candidate]:
    found = []
    for first in range(start, stop, BATCH):
        batch = [source.propose(number) for number in range(first, first + BATCH)]
        for candidate in batch:
            source.tell(outcome(candidate))
        found += batch
    return found


@pytest.mark.parametrize("sampler", sorted(SAMPLERS))
@pytest.mark.parametrize("limit", [None, 150])
def test_what_is_remembered_counts_as_what_was_told(sampler: str, limit: int | None):
    whole = search(proposer(sampler, limit), 0, 24)
    for known in (4, 16) if limit is None else (16,):
        resumed = proposer(sampler, limit)
        for candidate in whole[:known]:
            resumed.remember(frozen(candidate))
        later = search(resumed, known, 24)
        assert [dict(candidate.params) for candidate in later] == [dict(c.params) for c in whole[known:]]
        assert [candidate.number for candidate in later] == list(range(known, 24))


def test_a_limit_rejects_in_these_tests():
    free, bounded = search(proposer("tpe"), 0, 24), search(proposer("tpe", 150), 0, 24)
    assert sum(candidate.wiring.n_edges > 150 for candidate in free) > 5
    assert all(candidate.wiring.n_edges <= 150 for candidate in bounded)


@pytest.mark.parametrize("sampler", sorted(SAMPLERS))
def test_wirings_follow_from_what_is_stored(sampler: str):
    source = proposer(sampler)
    space = Space(structure="dag", nodes=(8, 24), degree=(2, 6))
    for candidate in search(source, 0, 16):
        assert rebuilt(space, candidate.params, stored(candidate), (5, 2)) == candidate.wiring
        assert sampler == "genetic" or space.wiring(candidate.params, 5, 2) == candidate.wiring
        assert set(candidate.distributions) == set(candidate.params)
        for name, distribution in candidate.distributions.items():
            assert distribution._contains(distribution.to_internal_repr(candidate.params[name]))
        assert set(SEED_NAMES) <= set(candidate.params)


def test_a_sampler_that_likes_what_is_too_large_does_not_end_the_search():
    source = proposer("tpe", 140)
    for first in range(0, 24, BATCH):
        batch = [source.propose(number) for number in range(first, first + BATCH)]
        for candidate in batch:
            size = candidate.wiring.n_edges
            assert size <= 140
            source.tell(Record(candidate.number, "complete", float(size), candidate.params))


def test_no_two_candidates_share_their_seeds():
    found = search(proposer("random"), 0, 40)
    assert len({candidate.params["graph_seed"] for candidate in found}) == 40


def test_the_seed_of_the_campaign_decides():
    assert proposer("random", seed=1).propose(0).params != proposer("random", seed=2).propose(0).params
    assert proposer("random", seed=1).propose(0).params == proposer("random", seed=1).propose(0).params


def test_random_proposals_do_not_depend_on_history():
    told, fresh = proposer("random"), proposer("random")
    search(told, 0, 16)
    assert told.propose(16).params == fresh.propose(16).params


def searched(candidate: Candidate) -> dict[str, Any]:
    return {name: value for name, value in candidate.params.items() if name not in SEED_NAMES}


def test_tpe_learns_after_its_start_and_not_before():
    tpe, random = search(proposer("tpe"), 0, 60), search(proposer("random"), 0, 60)
    same = [searched(one) == searched(other) for one, other in zip(tpe, random, strict=True)]
    assert all(same[:8])
    assert not any(same[20:])

    def mean(found: list[Candidate], key: Callable[[Candidate], float]) -> float:
        return sum(key(candidate) for candidate in found[20:]) / 40

    def distance(candidate: Candidate) -> float:
        return abs(candidate.wiring.hidden.n_edges - 40)

    assert mean(tpe, distance) < 0.7 * mean(random, distance)


def test_tpe_depends_on_the_values():
    up, down = proposer("tpe"), proposer("tpe")
    for first in range(0, 16, BATCH):
        for source, sign in ((up, 1), (down, -1)):
            batch = [source.propose(number) for number in range(first, first + BATCH)]
            for candidate in batch:
                source.tell(Record(candidate.number, "complete", sign * candidate.params["n"], candidate.params))
    later = [[source.propose(number).params["n"] for number in range(16, 24)] for source in (up, down)]
    assert sum(later[0]) > sum(later[1])


def test_an_impossible_limit_names_the_smallest_candidate():
    sizes: list[int] = []

    def size_of(wiring: Wiring) -> int:
        sizes.append(wiring.n_edges)
        return wiring.n_edges

    space = Space(structure="dag", nodes=8, max_parameters=1)
    source = Proposer(space, sampler="random", seed=0, direction="maximize", n_inputs=5, n_outputs=2, size_of=size_of)
    with pytest.raises(InputError, match=r"^space\.max_parameters=1: ") as caught:
        source.propose(0)
    assert str(caught.value).endswith(f"the smallest has {min(sizes)} parameters")
    assert len(sizes) > 100


@pytest.mark.parametrize("sampler", ["random", "structural", "genetic"])
def test_an_impossible_limit_of_edges_names_the_fewest(sampler: str):
    space = Space(structure="dag", nodes=8, degree=3, priors="erdos-renyi", max_edges=11)
    given = {"sampler": sampler, "seed": 0, "direction": "maximize", "n_inputs": 5, "n_outputs": 2}
    with pytest.raises(InputError, match=r"^space\.max_edges=11: none of 1000 draws is so small; .* has 12 edges$"):
        Proposer(space, size_of=lambda _: 7, **given).propose(0)
    both = space.model_copy(update={"max_parameters": 9})
    with pytest.raises(InputError, match=r"^space\.max_parameters=9, .* the smallest has 7 parameters and 12 edges$"):
        Proposer(both, size_of=lambda _: 7, **given).propose(0)


def test_a_rejected_draw_is_followed_by_another_wiring() -> None:
    sizes = iter([99, 99, 99, 1])
    options: dict[str, Any] = {"sampler": "random", "seed": 0, "direction": "maximize", "n_inputs": 5, "n_outputs": 2}
    space = Space(structure="dag", max_parameters=10)
    fourth = Proposer(space, size_of=lambda _: next(sizes), **options).propose(0)
    first = Proposer(space, size_of=lambda _: 1, **options).propose(0)
    assert (first.n_parameters, fourth.n_parameters) == (1, 1)
    assert [fourth.params[name] for name in SEED_NAMES] != [first.params[name] for name in SEED_NAMES]
    assert fourth.params["degree"] != first.params["degree"]


def test_optuna_says_nothing_about_the_study_in_memory(capsys: pytest.CaptureFixture[str]) -> None:
    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.INFO)
    try:
        proposer("tpe")
        assert optuna.logging.get_verbosity() == optuna.logging.INFO
    finally:
        optuna.logging.set_verbosity(before)
    assert capsys.readouterr().err == ""


def test_what_is_kept_of_earlier_trials_changes_no_proposal(monkeypatch: pytest.MonkeyPatch):
    options: dict[str, Any] = {"limit": 150, "orientation": ("random", "degree")}
    found = search(proposer("tpe", **options), 0, 20)
    monkeypatch.setitem(BLIND, "tpe", lambda seed, _: optuna.samplers.TPESampler(seed=seed))
    expected = search(proposer("tpe", **options), 0, 20)
    assert [candidate.params for candidate in found] == [candidate.params for candidate in expected]
    by_chance = search(proposer("random", **options), 0, 20)
    assert [candidate.params for candidate in found] != [candidate.params for candidate in by_chance]


@pytest.mark.parametrize("sampler", sorted(SAMPLERS))
def test_only_what_learns_needs_to_be_told(sampler: str):
    told, untold = proposer(sampler), proposer(sampler)
    search(told, 0, 24)
    same = told.propose(24).params == untold.propose(24).params
    assert same == (not told.learns)
