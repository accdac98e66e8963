"""Compiled code trusts nobody: whatever it is called with, it raises or returns, and touches nothing but its arguments.

Python's objects can be changed behind the back of what checked them, by ``object.__setattr__`` or a pickle that sets
their state. Under AddressSanitizer (`make sanitize`) each function is called with 1,000 tampered arguments;
WIRENAS_TEST_TAMPERED says how many.
"""

import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest
from tampered_cases import CALLS, EXTENSIONS, METHODS, hidden, names, network_of, sound_call, tampered, undirected

from predictors.features import describe
from priors import Wiring, attach, layer, longest_paths, orient, stack

CALLS_EACH = int(os.environ.get("WIRENAS_TEST_TAMPERED", "40"))
EVERY = [(package, name) for package in EXTENSIONS for name in names(package)]


class LateError(Exception):
    """A call took longer than it may."""


@contextmanager
def at_most(seconds: float) -> Iterator[None]:
    """Interrupt what is called, as Ctrl-C does, after a while."""

    def late(*_: object) -> None:
        raise LateError

    before = signal.signal(signal.SIGALRM, late)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


needs_alarms = pytest.mark.skipif(sys.platform == "win32", reason="there are no alarms")


@pytest.mark.parametrize("package", EXTENSIONS)
def test_there_is_a_sound_call_of_every_function(package: str):
    found = {name.partition(".")[0] for name in names(package)}
    assert found == set(CALLS[package]) | (found & set(METHODS))


@needs_alarms
@pytest.mark.parametrize(("package", "name"), EVERY)
def test_tampered_arguments_are_refused(package: str, name: str):
    rng, refused = np.random.default_rng(0), 0
    sound = sound_call(package, name, rng)
    sound.function(*sound.arguments)
    for _ in range(CALLS_EACH if sound.arguments else 1):
        call = sound_call(package, name, rng)
        for _ in range(min(len(call.arguments), int(rng.integers(1, 3)))):
            place = int(rng.integers(len(call.arguments)))
            call.arguments[place] = tampered(call.arguments[place], rng)
        try:
            with at_most(0.5):
                call.function(*call.arguments)
        except Exception:
            refused += 1
    assert refused > 0 or not sound.arguments or CALLS_EACH < 20


def broken(wiring: Wiring, rng: np.random.Generator) -> Wiring:
    """Return a copy in which something does not fit together, as no constructor would let it."""
    copy = wiring.replace()
    edges = np.array(copy.edges)
    row, far = int(rng.integers(len(edges))), int(rng.choice([-(2**31), -1, wiring.n_neurons, 10**6, 2**31 - 1]))
    kind = int(rng.integers(6))
    if kind < 2:
        edges[row, kind] = far
    elif kind == 2:
        edges = edges[::-1].copy()
    elif kind == 3:
        edges = np.repeat(edges, 2, axis=0)
    if kind < 4:
        object.__setattr__(copy, "edges", edges)
    elif kind == 4:  # As a pickle does that sets the state.
        vars(copy).update(sizes=(*copy.sizes[:-1], int(rng.choice([-5, 0, 2**31, 2**40]))))
    else:
        vars(copy).update(sizes=(1,))
    return copy


@needs_alarms
@pytest.mark.parametrize(
    ("take", "draw"),
    [
        (lambda wiring: describe([wiring]), network_of),
        (lambda wiring: describe([wiring], tiers=("structure", "centrality")), hidden),
        (lambda wiring: orient(wiring, "random", 0), undirected),
        (lambda wiring: orient(wiring, "degree"), undirected),
        (layer, hidden),
        (longest_paths, hidden),
        (stack, hidden),
        (lambda wiring: attach(wiring, 3, 2, rng=0), hidden),
    ],
    ids=["describe", "describe-hidden", "orient", "orient-degree", "layer", "longest_paths", "stack", "attach"],
)
def test_a_wiring_that_was_changed_behind_its_back_is_refused(take: Any, draw: Any):
    rng = np.random.default_rng(1)
    for _ in range(CALLS_EACH):
        wiring = draw(rng)
        take(wiring)
        with at_most(5.0), pytest.raises(Exception):  # noqa: B017, PT011 - whatever Python makes of it
            take(broken(wiring, rng))


def test_trees_that_were_changed_behind_their_back_are_walked_as_they_were():
    from predictors.members.scaling import Columns
    from predictors.members.trees import Trees

    def places(*values: int) -> Any:
        return np.array(values, np.int32)

    trees = Trees(
        columns=Columns(np.arange(2), np.zeros(2)),
        feature=places(0, 0, 0),
        threshold=np.array([0.1, 0.0, 0.0], np.float32),
        child=places(1, 0, 0),
        value=np.array([0.0, 1.0, 2.0]),
        roots=places(0),
        weights=np.zeros(0),
        combination="sum",
        base=0.0,
        low=-9.0,
        high=9.0,
    )
    rows = np.array([[0.0, 0.0], [1.0, 0.0]])
    assert trees.predict(rows).tolist() == [1.0, 2.0]
    for name, wrong in (("child", places(10**6, 0, 0)), ("roots", places(-7)), ("feature", places(10**6, 0, 0))):
        object.__setattr__(trees, name, wrong)
    assert trees.predict(rows).tolist() == [1.0, 2.0]


@needs_alarms
def test_what_takes_long_is_interrupted():
    n = 200_000
    path = Wiring((n,), np.stack([np.arange(n - 1), np.arange(1, n)], axis=1))
    began = time.monotonic()
    with pytest.raises(LateError), at_most(0.5):
        describe([path])
    assert time.monotonic() - began < 5
    # In another thread there is nobody to be told, and no signal is lost.
    heard: list[Any] = []
    thread = threading.Thread(target=lambda: heard.append(describe([hidden(np.random.default_rng(0))])))
    thread.start()
    thread.join(30)
    assert len(heard) == 1
