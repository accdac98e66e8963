"""Methods: the presets say what the papers and their code do; what is wrong is one line."""

import numpy as np
import pytest

from nas.errors import InputError
from nas.sparsity.growth import GROWTH
from nas.sparsity.layers import Live, stack
from nas.sparsity.methods import METHODS, Method, method_of, nowak
from nas.sparsity.schedules import Moment
from nas.sparsity.scores import SCORES, Score, score
from nas.sparsity.update import drop_and_grow

SWITCHES = ("score", "growth", "regrow_dropped", "new_weight", "new_slots", "masked_slots", "update_step", "count")


def test_the_presets():
    found = {name: tuple(getattr(method, switch) for switch in SWITCHES) for name, method in METHODS.items()}
    assert found == {
        "static": ("magnitude", None, "allow", "zero", "zero", "zero", "after", "exact"),
        "gmp": ("magnitude", None, "allow", "zero", "zero", "zero", "after", "exact"),
        "rigl": ("magnitude", "gradient", "allow", "zero", "zero", "zero", "replace", "exact"),
        "rigl-torch": ("magnitude", "gradient", "allow", "zero", "zero", "zero", "replace", "exact"),
        "set": ("set", "random", "restart", "zero", "zero", "zero", "after", "exact"),
        "set-truly-sparse": ("set", "random", "restart", "normal-tenth", "zero", "zero", "after", "exact"),
        "itop": ("magnitude", "random", "allow", "zero", "zero", "zero", "after", "exact"),
        "mest": ("mest", "random", "restart", "zero", "zero", "zero", "after", "exact"),
        "dnw": ("magnitude", None, "allow", "under-mask", "keep", "dense", "after", "exact"),
        "srigl": ("magnitude", "gradient", "allow", "zero", "zero", "zero", "replace", "exact"),
        "nowak": ("set-half", "random", "allow", "zero", "zero", "zero", "after", "exact"),
        "nowak-released": ("set-released", "random", "allow", "zero", "keep", "dense", "after", "bernoulli"),
    }
    assert METHODS["set"].kept_slots == "zero"
    assert METHODS["set"].dense == "last"
    assert METHODS["set-truly-sparse"].kept_slots == "keep"
    assert METHODS["srigl"].constant_fan_in
    assert METHODS["rigl"].points(10_000, 500).steps() == range(0, 7501, 100)
    assert list(METHODS["set"].points(40, 10).steps()) == [10, 20, 30]


def test_fractions_at_steps():
    rigl, nowak_ = METHODS["rigl"], METHODS["nowak"]
    points = rigl.points(10_000, 500)
    assert [rigl.fraction_at(step, points) for step in (0, 3750, 7500)] == pytest.approx([0.3, 0.15, 0])
    later = rigl.replace(begin=2500, schedule_from="start-released")
    assert later.fraction_at(2500, later.points(10_000, 500)) == pytest.approx(0.15)
    points = nowak_.points(8000, 500)
    assert list(points.steps()) == list(range(800, 8000, 800))
    assert nowak_.fraction_at(4000, points) == pytest.approx(0.2525)


@pytest.mark.parametrize("name", [name for name, method in METHODS.items() if method.action in ("prune", "rewire")])
@pytest.mark.parametrize("n_steps", [2, 18, 90, 270, 1_000])
def test_every_method_suits_short_trainings_as_it_is(name: str, n_steps: int):
    method, per_epoch = METHODS[name], max(n_steps // 5, 1)
    points = method.points(n_steps, per_epoch)
    assert len(points.steps()) >= (1 if n_steps < 18 else 3)
    line = method.shortened(n_steps, per_epoch)
    plain = Moment.of(method.every)._replace(most=100.0).step(n_steps, per_epoch)
    assert (line is not None) == (points.every < plain)
    if line is not None:
        assert f"every={points.every}" in line
        assert f"training of {n_steps} steps" in line


def test_in_long_trainings_methods_are_as_published():
    for name, every, begin in (("rigl", 100, 0), ("itop", 1500, 1500), ("set", 500, 500), ("mest", 2500, 2500)):
        points = METHODS[name].points(100_000, 500)
        assert (points.every, points.begin) == (every, begin)
        assert METHODS[name].shortened(100_000, 500) is None
    assert METHODS["static"].shortened(2, 1) is None


def test_an_interval_that_is_given_is_kept_to_or_refused():
    method = method_of("nowak", every=60)
    assert method.points(90, 18).every == 60
    assert str(method.shortened(90, 18)).startswith("begin=800 steps is long for a training of 90 steps: begin=9 is")
    with pytest.raises(
        InputError, match=r"^every=100 steps: the training has 90 steps, 18 an epoch; valid are up to 90"
    ):
        method_of("rigl", every=100).points(90, 18)
    with pytest.raises(
        InputError, match=r"^every=50%, begin=90 steps: the structure would first change at step 90, and"
    ):
        method_of("set", every="50%", begin=90).points(90, 18)
    with pytest.raises(InputError, match="train for more steps"):
        METHODS["gmp"].points(1, 1)


def test_no_update_precedes_the_first_step_unless_it_replaces_it():
    assert METHODS["rigl"].points(1000, 500).begin == 0
    for update_step in ("before", "after"):
        assert METHODS["rigl"].replace(update_step=update_step).points(1000, 500).begin == 100
    assert METHODS["gmp"].replace(end=0, every=10).points(1000, 500).steps() == range(10, 11, 10)


def test_every_score_goes_with_every_growth():
    for name in SCORES:
        for growth in GROWTH:
            method = METHODS["rigl"].replace(score=name, growth=growth)
            assert (method.score, method.growth) == (name, growth)
            assert method.needs == SCORES[name].needs
            assert method.needs_dense == GROWTH[growth].needs


def test_what_is_compared_as_described_and_as_released():
    for name in ("set", "magnitude", "mest", "snip", "reciprocal-sensitivity"):
        for growth in ("random", "gradient"):
            described, released = nowak(name, growth), nowak(name, growth, released=True)
            assert described.update_step == "after"
            assert released.update_step == ("after" if name in ("set", "magnitude") else "before")
            assert (described.count, described.masked_slots) == ("exact", "zero")
            assert released.count == ("bernoulli" if growth == "random" else "exact")
            assert released.masked_slots == "dense"
    assert nowak("set", "random") == METHODS["nowak"]
    assert nowak("set", "random", released=True) == METHODS["nowak-released"]


def test_methods_are_records():
    method = method_of("rigl", end="1 epoch")
    assert method.end == Moment(1, "epochs")
    assert method.replace(end="75%") == METHODS["rigl"]
    assert hash(method.replace()) == hash(method)
    assert Method(**method.model_dump()) == method
    assert Method.model_validate_json(method.model_dump_json()) == method
    assert method_of("mest").score_options == {"gamma": 1.0}


@pytest.mark.parametrize(
    ("name", "changes", "line"),
    [
        ("rigle", {}, "nearest: rigl"),
        ("rigl", {"score": "magnitud"}, "nearest: magnitude"),
        ("rigl", {"growth": "gradien"}, "nearest: gradient"),
        ("rigl", {"allocation": "erkk"}, "nearest: erk"),
        ("rigl", {"drop_schedule": "cosin"}, "nearest: cosine"),
        ("rigl", {"fraction": 1.5}, "fraction=1.5"),
        ("rigl", {"fraktion": 0.5}, "nearest: fraction"),
        ("rigl", {"end": "later"}, "end='later'"),
        ("rigl", {"growth": None}, "rewire needs a growth"),
        ("gmp", {"growth": "random"}, "nothing else has one"),
        ("rigl", {"count": "bernoulli"}, "needs growth='random'"),
        ("rigl", {"new_weight": "under-mask"}, "needs action='shadow'"),
        ("rigl", {"new_slots": "keep"}, "needs masked_slots='dense'"),
        ("rigl", {"constant_fan_in": True, "scope": "global"}, "constant_fan_in=True needs"),
        ("srigl", {"regrow_dropped": "forbid"}, "constant_fan_in=True needs"),
        ("nowak-released", {"scope": "global", "count": "exact"}, "score='set-released' needs"),
        ("itop", {"scope": "global", "count": "bernoulli"}, "scope='global' needs"),
        ("rigl", {"allocation": "class-blinded"}, "shares out by scores"),
        ("gmp", {"rate": 0}, "rate=0"),
    ],
)
def test_bad_methods_are_one_line(name: str, changes: dict[str, object], line: str):
    with pytest.raises(InputError, match=line) as caught:
        method_of(name, **changes)
    assert "\n" not in str(caught.value)


def test_pruning_goes_with_every_allocation():
    for allocation in ("uniform", "erk", "class-blinded", "class-uniform", "class-distributed"):
        assert METHODS["gmp"].replace(allocation=allocation).allocation == allocation


def test_pruning_comes_to_its_target():
    gmp = METHODS["gmp"]
    assert gmp.pruning_counts(1000, 100, 2) == [212, 100]
    assert gmp.replace(pruning="one-shot").pruning_counts(1000, 100, 5) == [100]
    iterative = gmp.replace(pruning="iterative", rate=0.5)
    assert iterative.pruning_counts(1000, 100, 4) == [500, 250, 125, 100]
    with pytest.raises(InputError, match="takes 4 steps from 1000 to 100 weights, and there are 3 updates"):
        iterative.pruning_counts(1000, 100, 3)
    with pytest.raises(InputError, match="from 0 to 10"):
        gmp.pruning_counts(10, 11, 3)


def test_dense_layers_by_name():
    layers = stack({"a": (2, 3), "b": (2, 2)})
    assert METHODS["rigl"].dense_layers(layers) == []
    assert METHODS["rigl-torch"].dense_layers(layers) == ["a"]
    assert METHODS["set"].dense_layers(layers) == ["b"]


def test_a_new_score_is_a_function_and_a_line(monkeypatch: pytest.MonkeyPatch):
    entry = Score(lambda live, _: -live.weight.astype(float), frozenset(), "the largest go first")
    monkeypatch.setitem(SCORES, "negative", entry)
    live = Live(stack({"a": (2, 3)}), np.arange(4), np.array([1.0, -5.0, 3.0, 2.0]))
    rng = np.random.default_rng(0)
    method = METHODS["set"].replace(score="negative", regrow_dropped="forbid")
    update = drop_and_grow(live, score("negative", live, rng), method.growth, 0.5, switches=method, rng=rng)
    assert update.dropped.tolist() == [2, 3]
