"""Schedules: published values, exact targets, update points."""

import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nas.errors import InputError
from nas.sparsity.schedules import (
    DROP_SCHEDULES,
    Moment,
    UpdatePoints,
    cubic_sparsity,
    drop_fraction,
    gradual_counts,
    iterative_counts,
)


def test_cubic_sparsity():
    shares = (0, 0.1, 0.25, 0.5, 0.75, 0.9, 1)
    expected = [0, 0.2439, 0.520312, 0.7875, 0.885938, 0.8991, 0.9]
    assert [cubic_sparsity(share, 0.9) for share in shares] == pytest.approx(expected, abs=5e-7)
    assert cubic_sparsity(2.0, 0.9) == 0.9
    assert cubic_sparsity(0.0, 0.9, initial=0.5) == 0.5


@pytest.mark.parametrize("every", [0, "0 steps", "0 epochs", "0%"])
def test_no_time_between_two_changes_is_one_line(every: int | str):
    with pytest.raises(
        InputError, match=r"^every=0.*: between two changes of structure there must be at least 1 step$"
    ):
        UpdatePoints.of(every, 0, "never", n_steps=100, steps_per_epoch=10)
    assert UpdatePoints.of("1%", 0, "never", n_steps=10, steps_per_epoch=10).every == 1


def test_cosine_drop_fractions():
    found = [drop_fraction("cosine", 0.3, share) for share in (0, 0.25, 0.5, 0.75, 1)]
    assert found == pytest.approx([0.3, 0.256066, 0.15, 0.043934, 0], abs=5e-7)


def test_other_drop_fractions():
    assert drop_fraction("constant", 0.3, 0.9) == 0.3
    assert drop_fraction("exponential", 0.3, 0.5, power=3) == pytest.approx(0.3 / 8)
    assert [drop_fraction("annealing", 0.5, share) for share in (0, 0.5, 1)] == pytest.approx([0.5, 0.2525, 0.005])
    assert [drop_fraction("thirds", 0.02, share) for share in (0, 0.4, 0.7, 1)] == [0.02, 0.01, 0, 0]
    with pytest.raises(InputError, match="nearest: cosine"):
        drop_fraction("cosin", 0.3, 0)


def test_annealing_is_that_of_torch():
    torch = pytest.importorskip("torch")
    weight = torch.nn.Parameter(torch.zeros(1))
    optimizer = torch.optim.SGD([weight], lr=0.5)
    rates = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 40, 0.005)
    for step in range(41):
        assert drop_fraction("annealing", 0.5, step / 40) == pytest.approx(optimizer.param_groups[0]["lr"], rel=1e-9)
        optimizer.step()
        rates.step()


@given(st.sampled_from(sorted(DROP_SCHEDULES)), st.floats(0.01, 1), st.floats(0, 1), st.floats(0, 1))
def test_drop_fractions_never_rise(name: str, initial: float, one: float, other: float):
    early, late = sorted((one, other))
    first, second = (drop_fraction(name, initial, share, lowest=0.005) for share in (early, late))
    assert 0 <= second <= first * (1 + 1e-12) <= 1.0001


@given(st.integers(0, 10**9), st.floats(0, 1), st.integers(1, 30))
def test_gradual_counts_end_at_the_target(total: int, density: float, n: int):
    target = int(total * density)
    counts = gradual_counts(total, target, n)
    assert len(counts) == n
    assert counts[-1] == target
    assert [total, *counts] == sorted([total, *counts], reverse=True)


@given(st.integers(0, 10**6), st.floats(0, 1), st.floats(0.05, 1))
def test_iterative_counts_remove_a_share_of_what_remains(total: int, density: float, rate: float):
    target = int(total * density)
    counts = [total, *iterative_counts(total, target, rate)]
    assert counts[-1] == target
    for before, after in pairwise(counts[:-1]):
        assert before - after == max(1, int(before * rate))


def test_iterative_counts_by_number_and_at_once():
    assert iterative_counts(100, 10, number=40) == [60, 20, 10]
    assert iterative_counts(100, 10, rate=0.5) == [50, 25, 13, 10]
    assert iterative_counts(100, 10, rate=1.0) == [10]
    assert iterative_counts(10, 10, rate=0.5) == []


@pytest.mark.parametrize(
    ("call", "line"),
    [
        (lambda: gradual_counts(10, 11, 3), "11 weights were to be kept where 10 live"),
        (lambda: gradual_counts(10, -1, 3), "from 0 to 10"),
        (lambda: gradual_counts(10, 1, 0), "at least 1 step"),
        (lambda: iterative_counts(10, 11, rate=0.5), "from 0 to 10"),
        (lambda: iterative_counts(10, 1), "exactly one of them"),
        (lambda: iterative_counts(10, 1, rate=0.5, number=1), "exactly one of them"),
        (lambda: iterative_counts(10, 1, rate=0.0), "0 < rate <= 1"),
        (lambda: iterative_counts(10, 1, number=0), "at least 1 weight"),
        (lambda: Moment.of("soon"), "no time in a training"),
        (lambda: Moment.of("110%"), "no time in a training"),
        (lambda: Moment.of(0.75), "no time in a training"),
        (lambda: Moment.of("1.5 steps"), "no time in a training"),
        (lambda: Moment.of("9 steps, 0% at most"), "no time in a training"),
        (lambda: Moment.of("9 steps, 101% at most"), "no time in a training"),
        (lambda: Moment.of("9 steps at most"), "no time in a training"),
        (lambda: Moment.of(-1), "no time in a training"),
        (lambda: Moment.of(True), "no time in a training"),
        (lambda: UpdatePoints(0, 0, 5, 10), "every 1 or more steps"),
        (lambda: UpdatePoints(1, 6, 5, 10), "before it is final"),
        (lambda: UpdatePoints.of(5, 0, "2 epochs", n_steps=10, steps_per_epoch=8), "the training has 10 steps"),
        (lambda: UpdatePoints.of("2 epochs", 0, "never", n_steps=10, steps_per_epoch=8), "the training has 10 steps"),
        (lambda: UpdatePoints.of("never", 0, "never", n_steps=10, steps_per_epoch=8), "the training has 10 steps"),
        (
            lambda: UpdatePoints.of(1, 100, "75%", n_steps=90, steps_per_epoch=18),
            "^begin=100 steps: the training has 90 steps, 18 an epoch; valid are up to 90 steps, 5 epochs or 100%$",
        ),
        (
            lambda: UpdatePoints.of(1, 0, "6 epochs", n_steps=90, steps_per_epoch=18),
            "^end=6 epochs: .* or 100%, and never$",
        ),
    ],
)
def test_bad_schedules_are_one_line(call, line: str):
    with pytest.raises(InputError, match=line) as caught:
        call()
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("given_", "step", "text"),
    [
        (800, 800, "800 steps"),
        ("800", None, ""),
        ("1 step", 1, "1 step"),
        ("1 epoch", 50, "1 epoch"),
        ("2.5 epochs", 125, "2.5 epochs"),
        ("75%", 750, "75%"),
        ("0%", 0, "0%"),
        ("never", math.inf, "never"),
        ("100 steps, 10% at most", 100, "100 steps, 10% at most"),
        ("800 steps, 10% at most", 100, "800 steps, 10% at most"),
        ("2 epochs, 2.5 % at most", 25, "2 epochs, 2.5% at most"),
        ("0 steps, 1% at most", 0, "0 steps, 1% at most"),
    ],
)
def test_moments(given_, step, text: str):
    if step is None:
        with pytest.raises(InputError):
            Moment.of(given_)
        return
    moment = Moment.of(given_)
    assert moment.step(1000, 50) == step
    assert str(moment) == text
    assert Moment.of(str(moment)) == moment


@given(st.integers(1, 2000), st.integers(1, 100), st.integers(1, 5000), st.integers(1, 500))
def test_what_is_at_most_a_share_is_the_smaller_one_and_never_nothing(
    count: int, most: int, steps: int, per_epoch: int
):
    moment = Moment.of(f"{count} steps, {most}% at most")
    step = moment.step(steps, per_epoch)
    assert 1 <= step <= count
    assert step == count or step == max(1, steps * most // 100)
    assert Moment.of(f"{count} steps").step(steps, per_epoch) == count


def test_update_points():
    points = UpdatePoints.of(100, 50, "75%", n_steps=1000, steps_per_epoch=10)
    assert list(points.steps()) == [50, 150, 250, 350, 450, 550, 650, 750]
    assert [step for step in range(1001) if points.is_update(step)] == list(points.steps())
    assert [points.following(step) for step in (0, 50, 51, 150, 700, 751)] == [50, 50, 150, 150, 750, None]
    never = UpdatePoints.of("1 epoch", "1 epoch", "never", n_steps=30, steps_per_epoch=10)
    assert list(never.steps()) == [10, 20]


@given(st.integers(1, 9), st.integers(0, 20), st.integers(0, 40), st.integers(0, 60))
def test_the_following_update_point(every: int, begin: int, end: int, step: int):
    if begin > end:
        return
    points = UpdatePoints(every, begin, end, 30)
    later = [each for each in points.steps() if each >= step]
    assert points.following(step) == (later[0] if later else None)


def test_shares_of_the_time_and_the_released_slip():
    points = UpdatePoints(100, 1000, 5000, 10_000)
    assert [points.share(step) for step in (0, 1000, 3000, 5000, 9000)] == [0, 0, 0.5, 1, 1]
    assert points.share(3000, "start-released") == 0.75
    assert points.share(5000, "start-released") == 1
    assert [points.share(step, "start") for step in (0, 1000, 3000, 5000, 6000)] == [0, 0.2, 0.6, 1, 1]
    with pytest.raises(InputError, match="nearest: start"):
        points.share(3000, "star")
    assert UpdatePoints(1, 0, math.inf, 200).share(50) == 0.25
    assert UpdatePoints(1, 5, 5, 10).share(5) == 1
