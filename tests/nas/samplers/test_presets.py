"""Presets: what a search with a budget tries first."""

from typing import Any

import pytest

from nas.networks import NetworkSpec
from nas.samplers.proposer import Proposer
from nas.space.budget import Budget
from nas.space.designs import PRESETS, WAYS, WaySpace
from nas.space.ways import Ways
from nas.tasks import Task, load_task

DIGITS, REBER = load_task("digits"), load_task("reber")


def space(task: Task, **options: Any) -> WaySpace:
    spec = NetworkSpec("rnn" if task.is_sequence else "mlp")
    return WaySpace(Ways(**options), Budget(500), 32, task, spec, (0.01, 0.1))


def proposer(own: WaySpace, sampler: str) -> Proposer:
    return Proposer(
        own, sampler=sampler, seed=0, direction="maximize", n_inputs=own.task.n_inputs, n_outputs=own.task.n_outputs,
        size_of=lambda wiring: own.spec.n_parameters(wiring)["total"],
    )  # fmt: skip


@pytest.mark.parametrize("kind", PRESETS)
def test_presets_give_parameters_of_their_way(kind: str):
    task = DIGITS if kind == "mlp" else REBER
    own = space(task, ways=tuple(WAYS) if kind == "mlp" else ("prior", "pruned"))
    domains = own.domains()
    for _, given in PRESETS[kind]:
        assert given["way"] in WAYS
        assert set(given) <= set(domains)
    assert len(own.presets) == len([given for _, given in PRESETS[kind] if given["way"] in own.options.ways])


@pytest.mark.parametrize("sampler", ["tpe", "nsga2"])
@pytest.mark.parametrize("ways", [("pruned",), ("prior", "pruned")])
def test_samplers_that_learn_begin_with_them(sampler: str, ways: tuple[str, ...]):
    own = space(DIGITS, ways=ways)
    presets = [preset for preset in own.presets if preset["way"] == "pruned"]
    if len(ways) > 1:
        # Each way in turn, as long as nothing is known of what they are worth.
        presets = [next(way for way in own.presets if way["way"] == "prior"), presets[0]]
    asked = proposer(own, sampler)
    for number, preset in enumerate(presets):
        candidate = asked.propose(number)
        assert {name: candidate.params[name] for name in preset} == preset
        assert own.wiring(candidate.params).fingerprint == candidate.wiring.fingerprint
        assert candidate.n_parameters <= 500
    if len(ways) == 1:
        later = asked.propose(len(presets))
        assert all(later.params.get("learning_rate") != preset["learning_rate"] for preset in presets)


def test_chance_knows_none():
    own = space(DIGITS)
    asked = proposer(own, "random")
    assert asked.propose(0).params["learning_rate"] != own.presets[0]["learning_rate"]


def test_what_a_space_does_not_hold_is_not_tried():
    own = space(DIGITS, ways=("pruned",), parent_depth=1, oversize=(2.0, 5.0))
    assert [preset["oversize"] for preset in own.presets] == [4.0]
    assert space(DIGITS, ways=("redrawn",)).presets == ()
