"""Members: scaling, trees by extension and by numpy, hostile arrays, and the way to arrays and back."""

from dataclasses import fields, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from predictors.compiled import extension
from predictors.members import (
    Columns,
    Constant,
    GaussianProcess,
    Hurdle,
    Linear,
    Mean,
    Scaling,
    Trees,
    from_arrays,
    to_arrays,
)
from predictors.members import trees as trees_module
from predictors.regressors.flatten import Nodes, flat_trees, not_above

RNG = np.random.default_rng(7)


def stump(**changes):
    """Three nodes: column 2 at most 0.5 gives 1, else 3."""
    arguments = {
        "columns": Columns(np.array([2]), np.array([0.0])),
        "feature": np.array([0, 0, 0], dtype=np.int32),
        "threshold": np.array([0.5, 0, 0], dtype=np.float32),
        "child": np.array([1, 0, 0], dtype=np.int32),
        "value": np.array([0.0, 1.0, 3.0]),
        "roots": np.array([0], dtype=np.int32),
        "weights": np.zeros(0),
        "combination": "sum",
        "base": 0.0,
        "low": -100.0,
        "high": 100.0,
    }
    return Trees(**{**arguments, **changes})


def random_trees(rng, n_trees, n_columns, depth, combination="mean"):
    """Complete trees of a depth."""
    found = []
    for _ in range(n_trees):
        n_nodes, n_inner = 2 ** (depth + 1) - 1, 2**depth - 1
        inner = np.arange(n_inner)
        left = np.full(n_nodes, -1)
        left[:n_inner] = 2 * inner + 1
        found.append(
            Nodes(
                feature=rng.integers(n_columns, size=n_nodes),
                threshold=rng.standard_normal(n_nodes).astype(np.float32),
                left=left,
                right=np.where(left < 0, -1, left + 1),
                value=rng.standard_normal(n_nodes),
            )
        )
    weights = rng.random(n_trees) + 0.1 if combination == "median" else np.zeros(0)
    columns = Columns(np.arange(n_columns), np.zeros(n_columns))
    return Trees(columns, *flat_trees(found), weights, combination, 0.25, -50.0, 50.0)


def scaling_of(n_columns=3):
    return Scaling.fit(RNG.standard_normal((20, n_columns)))


def some_members():
    scaling = scaling_of()
    linear = Linear(scaling, np.array([1.0, -2.0, 0.5]), 0.3, -4.0, 4.0)
    logistic = Linear(scaling, np.array([1.0, -2.0, 0.5]), 0.3, 0.0, 1.0, "logistic")
    process = GaussianProcess(scaling, RNG.standard_normal((6, 3)), RNG.standard_normal(6), 0.5, 1.5, -9.0, 9.0)
    forest = random_trees(np.random.default_rng(0), 4, 3, 3)
    boosted = random_trees(np.random.default_rng(0), 4, 3, 3, "median")
    classifier = Mean(logistic, stump(low=0.0, high=1.0), 0.01, 0.99)
    return [Constant(2.5), linear, logistic, process, forest, boosted, classifier, Hurdle(classifier, linear, 0.5)]


# Columns


def test_undefined_values_become_the_median_and_constant_columns_go():
    X = np.array([[1.0, 5.0, np.nan, 2.0], [2.0, 5.0, np.nan, np.nan], [9.0, np.nan, np.nan, 4.0]])
    columns = Columns.fit(X)
    assert columns.indices.tolist() == [0, 3]
    np.testing.assert_array_equal(columns.take(np.full((1, 4), np.nan)), [[2.0, 3.0]])
    np.testing.assert_array_equal(columns.take(X)[:, 1], [2.0, 3.0, 4.0])


def test_rounding_errors_are_no_variation():
    X = np.array([[0.1 + 0.2, 1.0], [0.3, 2.0]])
    assert Columns.fit(X).indices.tolist() == [1]


def test_scaling_by_hand():
    X = np.array([[np.e - 1.0], [1.0 - np.e]])
    scaling = Scaling.fit(X)
    np.testing.assert_allclose(scaling.apply(X), [[1.0], [-1.0]], rtol=1e-12)
    np.testing.assert_allclose(scaling.apply(np.array([[0.0], [1e300], [-np.inf]])), [[0.0], [2.5], [-2.5]])
    np.testing.assert_allclose(Scaling.fit(X, logarithmic=False).apply(X / 2), [[0.5], [-0.5]])


def test_a_scale_next_to_zero_clips():
    columns = Columns(np.array([0]), np.zeros(1))
    scaling = Scaling(columns, False, np.zeros(1), np.array([5e-324]))
    assert scaling.apply(np.array([[1.0], [0.0], [-1.0]])).tolist() == [[2.5], [0.0], [-2.5]]


def test_only_the_given_columns_are_read():
    X = RNG.standard_normal((10, 4))
    scaling = Scaling.fit(X, np.array([3, 1]))
    changed = X.copy()
    changed[:, [0, 2]] = 1e9
    assert scaling.columns.indices.tolist() == [3, 1]
    np.testing.assert_array_equal(scaling.apply(X), scaling.apply(changed))


def test_rows_with_too_few_columns_are_refused():
    with pytest.raises(ValueError, match=r"rows have shape \(2, 2\); they must be \(n, 3 or more\)"):
        stump().predict(np.zeros((2, 2)))


# Trees


def test_stump_by_hand():
    X = np.zeros((4, 3))
    X[:, 2] = [0.5, np.nextafter(0.5, 1.0), 0.6, np.nan]
    # The second differs from the threshold in float64 only, and rows are rounded to float32.
    np.testing.assert_array_equal(stump().predict(X), [1, 1, 3, 1])
    np.testing.assert_array_equal(stump(base=2.0, high=4.0).predict(X), [3, 3, 4, 3])


def test_numbers_beyond_float32_stay_finite():
    X = np.zeros((3, 3))
    X[:, 2] = [1e300, -1e300, np.inf]
    np.testing.assert_array_equal(stump().predict(X), [3, 1, 3])


@given(st.floats(-1e30, 1e30), st.floats(-(2.0**100), 2.0**100, width=32))
@settings(deadline=None, max_examples=100)
def test_rounded_thresholds_divide_float32_numbers_alike(threshold, x):
    rounded = not_above(np.array([threshold]))[0]
    assert (np.float32(x) <= rounded) == (x <= threshold)
    assert float(rounded) <= threshold


@pytest.mark.parametrize("combination", ["mean", "sum", "median"])
@pytest.mark.parametrize("n", [0, 1, 15, 16, 17, 257, 600])
def test_extension_and_numpy_agree_bit_for_bit(combination, n, monkeypatch):
    if extension() is None:
        pytest.skip("the extension was not built")
    member = random_trees(np.random.default_rng(n), 23, 6, 5, combination)
    X = np.random.default_rng(n).standard_normal((n, 6))
    X[::7, 2] = np.nan
    compiled = member.predict(X), member.spread(X)
    monkeypatch.setattr(trees_module, "extension", lambda: None)
    plain = member.predict(X), member.spread(X)
    for own, reference in zip(compiled, plain, strict=True):
        assert own.tobytes() == reference.tobytes()
        assert own.shape == (n,)


def test_combinations_and_spread_by_hand():
    both = {
        "feature": np.zeros(6, dtype=np.int32),
        "threshold": np.array([0.5, 0, 0, 1.5, 0, 0], dtype=np.float32),
        "child": np.array([1, 0, 0, 4, 0, 0], dtype=np.int32),
        "value": np.array([0.0, 1.0, 3.0, 0.0, 10.0, 20.0]),
        "roots": np.array([0, 3], dtype=np.int32),
    }
    X = np.array([[0, 0, 0.0], [0, 0, 1.0], [0, 0, 2.0]])
    np.testing.assert_array_equal(stump(**both).predict(X), [11, 13, 23])
    mean = stump(**both, combination="mean")
    np.testing.assert_array_equal(mean.predict(X), [5.5, 6.5, 11.5])
    np.testing.assert_array_equal(mean.spread(X), [4.5, 3.5, 8.5])
    for votes, expected in (((3.0, 1.0), [1, 3, 3]), ((1.0, 3.0), [10, 10, 20]), ((1.0, 1.0), [1, 3, 3])):
        median = stump(**both, combination="median", weights=np.array(votes))
        np.testing.assert_array_equal(median.predict(X), expected)


def test_prediction_does_not_depend_on_the_company_of_rows():
    member = random_trees(np.random.default_rng(3), 9, 4, 4)
    X = np.random.default_rng(4).standard_normal((40, 4))
    alone = np.concatenate([member.predict(row[None]) for row in X])
    np.testing.assert_array_equal(member.predict(X), alone)


HOSTILE = [
    ({"child": np.array([0, 0, 0], dtype=np.int32)}, "node 1 must have one parent"),
    ({"child": np.array([2, 0, 0], dtype=np.int32)}, "child must come after its parent, within the same tree"),
    ({"child": np.array([1, 1, 0], dtype=np.int32)}, "child must come after its parent"),
    ({"child": np.array([-1, 0, 0], dtype=np.int32)}, "child must come after its parent"),
    ({"child": np.array([2**31 - 1, 0, 0], dtype=np.int32)}, "child must come after its parent"),
    ({"feature": np.array([1, 0, 0], dtype=np.int32)}, "feature must be at least 0 and below the 1 selected"),
    ({"feature": np.array([-1, 0, 0], dtype=np.int32)}, "feature must be at least 0"),
    ({"threshold": np.array([np.nan, 0, 0], dtype=np.float32)}, "threshold holds a number that is not finite"),
    ({"value": np.array([0, np.inf, 0.0])}, "value holds a number that is not finite"),
    ({"value": np.zeros(2)}, r"value has shape \(2,\); it must be \(3\)"),
    ({"value": np.zeros(3, dtype=np.float32)}, "value is of type float32; it must be float64"),
    ({"roots": np.array([1], dtype=np.int32)}, "roots must ascend from 0 and stay below the 3 nodes"),
    ({"roots": np.array([0, 0], dtype=np.int32)}, "roots must ascend"),
    ({"roots": np.array([0, 3], dtype=np.int32)}, "roots must ascend"),
    ({"roots": np.array([0, 2], dtype=np.int32)}, "within the same tree"),
    ({"roots": np.zeros(0, dtype=np.int32)}, "roots must ascend"),
    ({"combination": "mode"}, "combination='mode'"),
    ({"combination": "median", "weights": np.array([0.0])}, "weights go down to 0.0; they must be positive"),
    ({"weights": np.ones(1)}, r"weights has shape \(1,\); it must be \(0\)"),
    ({"base": np.nan}, "base=nan; it must be a finite number"),
    ({"low": 2.0, "high": 1.0}, "high=1.0; it must be a finite number from 2 to inf"),
    ({"high": 10**400}, "it must be a finite number"),
    ({"columns": Columns(np.zeros(0, dtype=np.int64), np.zeros(0))}, "columns are none"),
]


@pytest.mark.parametrize(("changes", "message"), HOSTILE)
def test_hostile_trees_are_refused(changes, message):
    with pytest.raises(ValueError, match=message) as refused:
        stump(**changes)
    assert "\n" not in str(refused.value)


def test_arrays_cannot_be_changed_afterwards():
    child = np.array([1, 0, 0], dtype=np.int32)
    member = stump(child=child)
    child[0] = 7
    assert member.child[0] == 1
    with pytest.raises(ValueError, match="read-only"):
        member.child[0] = 7


def test_a_node_with_two_parents_is_refused():
    # Without this rule, n such nodes would stand for 2^n walks.
    with pytest.raises(ValueError, match="node 1 must have one parent"):
        stump(
            feature=np.zeros(5, dtype=np.int32),
            threshold=np.zeros(5, dtype=np.float32),
            child=np.array([2, 3, 3, 0, 0], dtype=np.int32),
            value=np.zeros(5),
        )


# Other members


def test_linear_members_by_hand():
    scaling = Scaling(Columns(np.array([1]), np.array([3.0])), False, np.array([1.0]), np.array([2.0]))
    X = np.array([[9.0, 1.0], [9.0, 3.0], [9.0, np.nan], [9.0, 1e12]])
    member = Linear(scaling, np.array([4.0]), 1.0, -50.0, 50.0)
    np.testing.assert_allclose(member.predict(X), [1.0, 5.0, 5.0, 11.0])
    np.testing.assert_allclose(replace(member, high=6.0).predict(X), [1.0, 5.0, 5.0, 6.0])
    logistic = Linear(scaling, np.array([4.0]), 1.0, 0.0, 1.0, "logistic")
    np.testing.assert_allclose(logistic.predict(X[:2]), [1 / (1 + np.exp(-1)), 1 / (1 + np.exp(-5))])


def test_process_is_the_same_in_blocks(monkeypatch):
    member = some_members()[3]
    X = RNG.standard_normal((50, 3))
    whole = member.predict(X)
    monkeypatch.setattr("predictors.members.gaussian_process._BLOCK_NUMBERS", 42)
    np.testing.assert_allclose(member.predict(X), whole, rtol=1e-12)
    assert np.ptp(whole) > 0


def test_hurdle_by_hand():
    X = np.zeros((2, 3))
    np.testing.assert_allclose(Hurdle(Constant(0.75), Constant(0.9), 0.5).predict(X), [0.8, 0.8])
    np.testing.assert_allclose(Hurdle(Constant(7.0), Constant(0.9), 0.5).predict(X), [0.9, 0.9])
    np.testing.assert_allclose(Mean(Constant(1.0), Constant(2.0), 0.0, 1.2).predict(X), [1.2, 1.2])


# Arrays and back


@pytest.mark.parametrize("index", range(8))
def test_arrays_and_back(index):
    member = some_members()[index]
    kind, scalars, arrays = to_arrays(member)
    assert all(type(value) in (float, int, str) for value in scalars.values())
    copied = {name: array.copy() for name, array in arrays.items()}
    again = from_arrays(kind, scalars, copied)
    assert type(again) is type(member)
    X = RNG.standard_normal((30, 3))
    assert again.predict(X).tobytes() == member.predict(X).tobytes()


@pytest.mark.parametrize("index", range(8))
def test_every_missing_name_is_refused(index):
    kind, scalars, arrays = to_arrays(some_members()[index])
    for name in scalars:
        with pytest.raises(ValueError, match=f"'{name}' is missing"):
            from_arrays(kind, {key: value for key, value in scalars.items() if key != name}, arrays)
    for name in arrays:
        with pytest.raises(ValueError, match=f"'{name}' is missing"):
            from_arrays(kind, scalars, {key: value for key, value in arrays.items() if key != name})


@pytest.mark.parametrize("index", range(8))
def test_every_array_is_checked(index):
    kind, scalars, arrays = to_arrays(some_members()[index])
    for name, array in arrays.items():
        for broken in (array[None], array.astype(np.complex128), list(array)):
            with pytest.raises(ValueError, match=r"it must be"):
                from_arrays(kind, scalars, {**arrays, name: broken})


@pytest.mark.parametrize(
    ("kind", "scalars", "message"),
    [
        ("network", {}, "kind='network' is not known"),
        (None, {}, "kind=None is not known"),
        ("constant", {"value": "1"}, "value='1'; it must be a number"),
        ("constant", {"value": True}, "it must be a number"),
        ("constant", {"value": float("nan")}, "value=nan; it must be a finite number"),
        ("constant", {"value": 1.0, "bias": 2.0}, "'bias' does not belong to it"),
        ("mean", {"first.kind": "list"}, "kind='list' is not known"),
    ],
)
def test_strange_scalars_are_refused(kind, scalars, message):
    with pytest.raises(ValueError, match=message):
        from_arrays(kind, scalars, {})


def test_members_within_members_have_an_end():
    scalars = {"first." * depth + "first.kind": "mean" for depth in range(50)}
    with pytest.raises(ValueError, match="no deeper than"):
        from_arrays("mean", scalars, {})


def test_a_flag_is_a_flag():
    kind, scalars, arrays = to_arrays(some_members()[1])
    for value in (2, 0.5, "yes"):
        with pytest.raises(ValueError, match=r"logarithmic.*it must be 0 or 1"):
            from_arrays(kind, {**scalars, "scaling.logarithmic": value}, arrays)


def test_what_is_no_member_is_refused():
    with pytest.raises(ValueError, match="Columns is no member"):
        to_arrays(Columns(np.zeros(1, dtype=np.int64), np.zeros(1)))


def test_fields_are_of_kinds_that_can_be_stored():
    for member in some_members():
        for field in fields(member):
            kinds = ("NDArray", "Member", "Columns", "Scaling", "float", "bool", "str")
            assert str(field.type).startswith(kinds), field


def test_columns_that_vary_by_next_to_nothing_have_no_scale():
    X = np.stack([np.arange(6.0), 1e-300 * np.arange(6.0)], axis=1)
    assert Scaling.fit(X).columns.indices.tolist() == [0]
