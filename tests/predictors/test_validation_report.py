"""A validation says everything that was measured, refuses to hide the baseline, and draws readable figures."""

import json
import struct
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import binomtest

from predictors.features.table import names_of
from predictors.validation.ceiling import Ceiling
from predictors.validation.components import Component, variance_components
from predictors.validation.crossval import Estimate, estimate_r2, out_of_fold
from predictors.validation.figures import (
    plot_components,
    plot_curves,
    plot_ladder,
    plot_predictions,
    plot_single_splits,
)
from predictors.validation.fits import Predict
from predictors.validation.folds import repeated_folds
from predictors.validation.judge import validate
from predictors.validation.report import NO_CEILING, Validation
from predictors.validation.stored import read_validation

ROOT = Path(__file__).resolve().parents[2]
NAMES = names_of(("size", "structure"))
N = 90
FAMILIES = ["barabasi-albert", "watts-strogatz"] * (N // 2)


def fit_line(X: np.ndarray, y: np.ndarray, groups: np.ndarray, seed: int) -> Predict:
    """Fit a ridge regression, which takes undefined features for 0."""

    def columns(rows: np.ndarray) -> np.ndarray:
        return np.column_stack([np.nan_to_num(rows), np.full(len(rows), 100.0)])

    weights = np.linalg.solve(columns(X).T @ columns(X) + np.eye(X.shape[1] + 1), columns(X).T @ y)
    return lambda rows: columns(rows) @ weights


def fit_depth(X: np.ndarray, y: np.ndarray, groups: np.ndarray, seed: int) -> Predict:
    column = NAMES.index("depth")
    predict = fit_line(X[:, [column]], y, groups, seed)
    return lambda rows: predict(rows[:, [column]])


@pytest.fixture(scope="module")
def population() -> tuple[np.ndarray, np.ndarray]:
    """Features, and labels (N, 3, 2) of variance 1 by depth, .25 by seeds."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(N, len(NAMES)))
    X[:, NAMES.index("n_neurons")] = rng.integers(20, 101, size=N)
    labels = X[:, [NAMES.index("depth")]] + 0.5 * rng.normal(size=(N, 3))
    return X, np.stack([labels, labels + 0.01 * rng.normal(size=(N, 3))], axis=2)


@pytest.fixture(scope="module")
def validation(population: tuple[np.ndarray, np.ndarray]) -> Validation:
    X, labels = population
    return validate(
        fit_depth,
        X,
        NAMES,
        labels,
        families=FAMILIES,
        parameters=[{"family": family} for family in FAMILIES],
        ladder_fit=fit_line,
        repeats=3,
        sizes=(20, 60),
        n_splits=30,
        coverage={0.9: 0.875},
        components=variance_components(labels[:, :, 0].ravel(), {"wiring": np.repeat(np.arange(N), 3)}, "seed"),
    )


def test_validate_judges_by_mean_labels(population: tuple[np.ndarray, np.ndarray], validation: Validation):
    X, labels = population
    y = labels[:, :, 0].mean(axis=1)
    predictions = out_of_fold(fit_depth, X, y, repeated_folds(N, 5, 3))
    assert validation.score.r2 == estimate_r2(y, predictions)
    assert (validation.n, validation.groups, validation.label) == (N, N, "mean")
    references = {step.name: step.r2.mean for step in validation.references}
    assert validation.gain.mean == pytest.approx(validation.score.r2.mean - references["size tier"])
    assert validation.gain.low > 0.5
    assert [point.size for point in validation.curve] == [20, 60]
    assert [part.name for part in validation.left_out] == ["barabasi-albert", "watts-strogatz"]
    assert len(validation.within_size) == 4
    assert len(validation.single_splits) == 30


def test_share_of_the_ceiling(validation: Validation):
    assert validation.ceiling is not None
    assert validation.limit == validation.ceiling.mean_label
    assert validation.share_of_ceiling == pytest.approx(validation.score.r2.mean / validation.ceiling.mean_label)
    assert 0.9 < validation.share_of_ceiling < 1.1
    assert replace(validation, label="one").limit == validation.ceiling.one_seed
    assert replace(validation, ceiling=None).share_of_ceiling is None


def test_the_share_of_the_ceiling_has_the_worst_ends_of_both_intervals():
    ceiling = Ceiling(0.25, 0.5, (0.2, 0.3), (0.4, 0.8), 90, 3.0, 1)
    assert ceiling.share_of(Estimate(0.4, 0.0, 0.2, 0.6)) == pytest.approx((0.8, 0.25, 1.0))
    assert ceiling.share_of(Estimate(0.2, 0.0, -0.2, 0.24)) == pytest.approx((0.4, 0.0, 0.6))
    assert ceiling.share_of(Estimate(0.1, 0.0, 0.06, 0.14), one_seed=True) == pytest.approx((0.4, 0.2, 0.7))
    assert replace(ceiling, mean_label_interval=(0.0, 0.8)).share_of(Estimate(0.1, 0.0, 0.05, 0.2))[2] == 1.0
    assert np.isnan(replace(ceiling, mean_label=0.0).share_of(Estimate(0.1, 0.0, 0.05, 0.2))).all()
    assert ceiling.share_of(Estimate(0.6, 0.0, 0.5, 0.9)) == pytest.approx((1.0, 0.625, 1.0))
    assert ceiling.share_of(Estimate(0.95, 0.0, 0.9, 1.0)) == (1.0, 1.0, 1.0)
    assert ceiling.share_of(Estimate(-0.2, 0.0, -0.4, -0.1)) == (0.0, 0.0, 0.0)


def test_one_seed_labels_are_judged_by_themselves(population: tuple[np.ndarray, np.ndarray]):
    X, labels = population
    found = validate(fit_depth, X, NAMES, labels[:, :, 0], label="one", ladder_fit=fit_line, repeats=2)
    y = labels[:, 0, 0]
    assert found.score.r2 == estimate_r2(y, out_of_fold(fit_depth, X, y, repeated_folds(N, 5, 2)))
    assert found.ceiling is not None
    assert found.limit == found.ceiling.one_seed
    assert (found.curve, found.left_out, found.within_family, found.single_splits) == ([], (), (), ())


def test_groups_stay_together_in_everything(population: tuple[np.ndarray, np.ndarray]):
    X, labels = population
    pairs = np.arange(N) // 2
    found = validate(fit_depth, X, NAMES, labels[:, 0, 0], groups=pairs, ladder_fit=fit_line, repeats=2)
    expected = out_of_fold(fit_depth, X, labels[:, 0, 0], repeated_folds(N, 5, 2, pairs), pairs)
    assert found.score.r2 == estimate_r2(labels[:, 0, 0], expected, pairs)
    assert found.groups == N // 2
    assert found.ceiling is None


def test_without_the_size_tier_there_is_no_validation(validation: Validation):
    others = [step for step in validation.references if step.name != "size tier"]
    with pytest.raises(ValueError, match="must hold the baseline 'size tier'"):
        replace(validation, references=others)


def test_json_is_plain_and_whole(validation: Validation):
    plain = json.loads(json.dumps(validation.to_json(), allow_nan=False))
    assert plain["score"]["r2"]["mean"] == validation.score.r2.mean
    assert plain["coverage"] == [{"nominal": 0.9, "empirical": 0.875}]
    assert plain["share_of_ceiling"] == validation.share_of_ceiling
    assert plain["ladder"][0]["delta"] is None
    assert [step["name"] for step in plain["ladder"]] == [step.name for step in validation.ladder]
    undefined = replace(validation, components=[Component("seed", 0.0, float("nan"), float("nan"), 1.0)])
    assert undefined.to_json()["components"][0]["share"] is None


def test_a_stored_validation_says_the_same(validation: Validation):
    undefined = [Component("seed", 0.0, float("nan"), float("nan"), 1.0, negative=True)]
    for given in (validation, replace(validation, ceiling=None, components=undefined, label="one", curve=())):
        again = read_validation(json.loads(json.dumps(given.to_json(), allow_nan=False)))
        assert again.to_json() == given.to_json()
        assert again.to_markdown() == given.to_markdown()


def test_what_an_older_version_stored_has_no_intervals_of_parts(validation: Validation):
    stored = validation.to_json()
    for part in stored["left_out"]:
        del part["low"], part["high"]
    text = read_validation(stored).to_markdown()
    part = validation.left_out[0]
    assert f"| {part.name} | {part.n} | {part.r2:.3f} | {part.tau:.3f} |" in text
    assert f"| {part.name} | {part.n} | {part.r2:.3f} [{part.low:.3f}, {part.high:.3f}] |" in validation.to_markdown()


def test_markdown_says_what_spreads_and_intervals_are_over(validation: Validation):
    text = validation.to_markdown()
    told = " ".join(text.split())
    assert "with 95 % intervals over the wirings that are predicted. No fit is made anew for them" in told
    assert "Means and standard deviations over 3 random choices of the wirings that are learnt from" in told
    # A curve of few repeats has no interval, only a spread.
    point = validation.curve[1]
    assert f"\n| 60 | {point.r2.mean:.3f} | {point.r2.sd:.3g} | " in text
    assert "those above it are held" in told
    assert "30 single random splits of these wirings" in told


def test_markdown_tells_baselines_gain_and_ceiling(validation: Validation):
    text = validation.to_markdown()
    r2 = validation.score.r2
    assert f"| R² | {r2.mean:.3f} [{r2.low:.3f}, {r2.high:.3f}] |" in text
    for name in ("mean", "size tier", "prior's parameters only", "+ I/O", "everything", "watts-strogatz", "seed"):
        assert f"| {name} |" in text
    assert f"| R² gained over size tier | {validation.gain.mean:+.3f} " in text
    assert validation.ceiling is not None
    share, low, high = validation.ceiling.share_of(r2)
    ends = f"{low:.0%} to {high:.0%} by the worst ends of both intervals"
    assert f"from 90 wirings with 3 replicates; R² is {share:.0%} of it, {ends}" in text
    low, high = binomtest(875, 1000).proportion_ci(method="wilson")
    assert replace(validation, groups=1000).format_coverage(0.9) == f"87.5% [{low:.1%}, {high:.1%}]"
    assert f"| coverage of 90% intervals | {validation.format_coverage(0.9)} |" in text
    assert validation.format_coverage(0.5) == "–"
    assert "30 single random splits of these wirings: median" in text
    for line in text.splitlines():
        assert "nan" not in line
    assert NO_CEILING in replace(validation, ceiling=None).to_markdown()
    assert NO_CEILING not in text


def test_what_is_undefined_or_below_nought_is_said_so(validation: Validation):
    part = replace(validation.within_family[0], r2=float("nan"))
    flagged = Component("graph", 0.0, 0.0, 0.0, 0.1, negative=True)
    undefined = [float("nan")] * 3
    text = replace(validation, within_family=[part], components=[flagged], single_splits=undefined).to_markdown()
    assert "R² is undefined for every single split" in text
    assert "| barabasi-albert | 45 | undefined" in text
    assert "| graph | 0 | 0 [0, 0.100], estimated below 0 |" in text


def test_a_report_without_extras_has_no_empty_sections(validation: Validation):
    bare = replace(
        validation,
        within_family=(),
        within_size=(),
        left_out=(),
        curve=(),
        components=(),
        single_splits=(),
    )
    assert [line for line in bare.to_markdown().splitlines() if line.startswith("#")] == ["## What explains it"]


def size_of(path: Path) -> tuple[int, int]:
    data = path.read_bytes()
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    return struct.unpack(">II", data[16:24])


def test_figures_are_written_whole_and_the_same_every_time(tmp_path: Path, validation: Validation):
    rng = np.random.default_rng(0)
    y = rng.normal(size=40)
    limits = y - 1 + rng.normal(size=40), y + 1
    splits, published = rng.uniform(-3, 1, 50), {"GRU": 0.672}
    draw = {
        "predictions": lambda path: plot_predictions(path, y, y + 0.3, *limits),
        "plain": lambda path: plot_predictions(path, y, y + 0.3),
        "level": lambda path: plot_predictions(path, y, y + 0.3, *limits, level=0.9),
        "ladder": lambda path: plot_ladder(path, validation.references, validation.ladder, validation.limit),
        "curves": lambda path: plot_curves(path, {"blend": validation.curve}, validation.limit),
        "components": lambda path: plot_components(path, {"digits": validation.components}),
        "splits": lambda path: plot_single_splits(path, {"GRU": splits}, published),
    }
    for name, plot in draw.items():
        once, again = tmp_path / f"{name}.png", tmp_path / f"{name}-again.png"
        plot(once)
        plot(again)
        assert once.read_bytes() == again.read_bytes()
        assert b"Software" not in once.read_bytes()
        assert min(size_of(once)) > 200
    assert len({path.read_bytes() for path in tmp_path.glob("*-again.png")}) == len(draw)
    assert len(list(tmp_path.iterdir())) == 2 * len(draw)


HEAVY = """
import sys, importlib, pkgutil
import predictors.validation as package
for module in pkgutil.iter_modules(package.__path__):
    importlib.import_module(f"{package.__name__}.{module.name}")
for name in package.__all__:
    value = getattr(package, name)
    assert name == "LADDER" or callable(value) or hasattr(value, "__origin__"), name
heavy = ("matplotlib", "sklearn", "xgboost", "pandas", "torch", "optuna", "scipy.stats")
print(*[name for name in heavy if name in sys.modules])
"""


def test_the_package_loads_nothing_heavy_and_every_name_is_no_module():
    done = subprocess.run([sys.executable, "-c", HEAVY], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == []
