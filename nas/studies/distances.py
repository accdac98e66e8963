"""Whether distances between wirings predict what they reach: regressors on distances beside the blend on features.

A regressor on a distance knows of a wiring only how far it is from those that were trained. Nearest neighbours and a
Gaussian process are judged on four distances, over the same wirings and folds as the blend of a predictor on all
features and on sizes alone.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import pdist, squareform

from nas.errors import known
from nas.evaluation.trainings import Training, Trainings
from nas.prediction.examples import survey_examples
from nas.store.lines import plain
from nas.studies.prediction import POPULATIONS, read_population
from nas.studies.tables import (
    check_study,
    describe_differences,
    format_estimate,
    format_share,
    listed,
    table_of,
    write_results,
)
from nas.tasks import inputs_of, load_task
from nas.training import Interrupted
from nas.training.extension import describe_machine
from nas.training.session import StopFlag
from predictors.distances import density_distance, edge_jaccard, spectrum
from predictors.figures import BLUE, GREEN, ORANGE, RED, save_figure
from predictors.fitting import Aim, BlendFit
from predictors.pairs import distance_matrix, nnstd_value
from predictors.regressors.on_distance import NearestFit, ProcessFit, numbers_in, numbers_of
from predictors.threads import one_thread
from predictors.validation import (
    difference,
    estimate_r2,
    kendall,
    noise_ceiling,
    out_of_fold,
    read_ceiling,
    read_estimate,
    repeated_folds,
    spearman,
)
from predictors.validation.baselines import MEAN, predict_sets, reference_sets
from predictors.validation.fits import Fit, Fits, Predict
from priors import Wiring

if TYPE_CHECKING:
    from predictors.fitted import Training as Learnt

__all__ = ["DEFAULT", "DISTANCES", "distances_study", "in_one_layer", "pages", "plot"]

NAME = "distances"
DEFAULT = ("digits-natural-fixed", "digits-controlled-fixed", "digits-natural-varying")
"""Surveys of `nas.studies.prediction` that are looked at by default."""
WIRINGS = 150
DISTANCES = {"NNSTD": nnstd_value, "edge Jaccard": edge_jaccard, "density": density_distance, "spectral": None}
"""What is measured between each pair; the spectral one is between what is computed once of each wiring."""
SIZE, FEATURES, BOTH = "size alone", "features", "features and NNSTD"
NEAREST, PROCESS = "nearest neighbours", "Gaussian process"

_REPEATS, _FOLDS = 2, 5
_THREE = ("ahead on {}", "BEHIND on {}", "not told apart on {}")


def distances_study(
    out: Path,
    watch: Callable[[str, int, int], None] = lambda *_: None,
    *,
    atlas: Path,
    populations: Sequence[str] = (),
    wirings: int = WIRINGS,
    threads: int = 1,
) -> dict[str, Any]:
    """Judge regressors on distances beside the blend on features, and write numbers, a page and a figure.

    What is stored in `out` is not measured, and not judged, again.

    Parameters
    ----------
    out, atlas
        See `nas.studies.tables`; nothing is written into the atlas.
    watch : callable
        Told what is measured, how much of it is done, and all of it.
    populations : sequence of str
        Surveys that lie in the atlas; by default `DEFAULT`.
    wirings : int
        Of each survey, evenly from all.
    threads : int
        Processes that measure pairs; results do not depend on it.

    Raises
    ------
    InputError
        For an unknown population, or one that is not in the atlas.
    """
    check_study(out, NAME)
    chosen = [known("population", name, POPULATIONS) for name in populations or DEFAULT]
    tables = {name: read_population(atlas, name) for name in chosen}
    study = Trainings(out, {"repeats": _REPEATS, "folds": _FOLDS}, 1, watch)
    found = []
    for name, table in tables.items():
        examples = survey_examples(table, most=wirings, inputs=inputs_of(load_task(str(table.identity["task"]))))
        learnt = examples.training()
        matrices = _Matrices(study, name, [in_one_layer(own) for own in examples.wirings], threads)
        measured = matrices.all()
        judge = partial(_judged, learnt, examples.predictor().aim, measured)
        key = {**matrices.key("regressors"), "labels": _digest(learnt.labels.tobytes())}
        (row,) = study.run(f"{name}: regressors", [Training(key, judge)])
        found.append({"name": name, **row["judged"]})
    numbers = {
        "folds": _FOLDS,
        "repeats": _REPEATS,
        "machine": f"{os.cpu_count()} cores; {describe_machine()}",
        "populations": found,
    }
    numbers = write_results(out, f"{NAME}.json", numbers, pages)
    plot(out / f"{NAME}.png", numbers)
    return {"out": str(out), **numbers}


def in_one_layer(wiring: Wiring) -> Wiring:
    """Return a wiring whose hidden neurons are one layer, within which they read each other.

    Wirings of a survey have layers of their own, and distances are between wirings of equally many.
    """
    hidden = wiring.n_neurons - wiring.n_inputs - wiring.n_outputs
    sizes = (*[wiring.n_inputs] * wiring.inputs, hidden, *[wiring.n_outputs] * wiring.outputs)
    return Wiring(sizes, wiring.edges, inputs=wiring.inputs, outputs=wiring.outputs)


# Distances


@dataclass(frozen=True)
class _Measured:
    """The distances between all pairs of wirings, and the seconds of processors that they took."""

    matrix: NDArray[np.float64]
    seconds: float


@dataclass(frozen=True)
class _Matrices:
    """Measures the distances of a population, each once."""

    study: Trainings
    population: str
    wirings: Sequence[Wiring]
    processes: int

    def all(self) -> dict[str, _Measured]:
        """Return the distances by their names; neurons that are more or fewer have no edges in common by number."""
        same = len({own.sizes for own in self.wirings}) == 1
        return {name: self._one(name) for name in DISTANCES if same or name != "edge Jaccard"}

    def key(self, what: str) -> dict[str, Any]:
        """Return what tells something of these wirings from the same of others."""
        fingerprints = "".join(own.fingerprint for own in self.wirings)
        n = len(self.wirings)
        return {"what": what, "population": self.population, "n": n, "wirings": _digest(fingerprints.encode())}

    def _one(self, name: str) -> _Measured:
        (row,) = self.study.run(f"{self.population}: {name}", [Training(self.key(name), partial(self._measure, name))])
        return _Measured(squareform(np.array(row["pairs"])), row["seconds"])

    def _measure(self, name: str, stop: StopFlag) -> dict[str, Any]:
        def count(done: int, total: int) -> None:
            if stop.is_set():
                raise Interrupted
            self.study.watch(f"{self.population}: {name}, pairs", done, total)

        began, measure = _processor_seconds(), DISTANCES[name]
        if measure is None:
            with one_thread():
                spectra = np.array([spectrum(own) for own in self.wirings])
            pairs = pdist(spectra) / np.sqrt(spectra.shape[1])
        else:
            processes = self.processes if measure is nnstd_value else 1
            pairs = squareform(distance_matrix(self.wirings, measure, processes=processes, watch=count))
        return {"pairs": pairs.round(6).tolist(), "seconds": round(_processor_seconds() - began, 2)}


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:16]


def _processor_seconds() -> float:
    """Return the seconds that this process has worked, and those that it began and that have ended."""
    return sum(os.times()[:4])


# Judging


def _judged(learnt: Learnt, aim: Aim, measured: Mapping[str, _Measured], stop: StopFlag) -> dict[str, Any]:
    def go_on() -> None:
        if stop.is_set():
            raise Interrupted

    fits = Fits(go_on)
    X, y, groups = learnt.X, learnt.means, learnt.groups.tolist()
    folds = repeated_folds(len(y), _FOLDS, _REPEATS, groups)
    references = predict_sets(BlendFit(aim=aim), reference_sets(X, learnt.names), y, folds, groups, fits=fits)
    predicted = dict(zip((MEAN, SIZE), references.values(), strict=True))
    predicted[FEATURES] = out_of_fold(BlendFit(learnt.names, aim), X, y, folds, groups, fits=fits)
    on_distance: dict[str, Fit] = {}
    for name, own in measured.items():
        on_distance[f"{NEAREST}, {name}"] = NearestFit(own.matrix)
        on_distance[f"{PROCESS}, {name}"] = ProcessFit(own.matrix)
    on_distance[BOTH] = _Both(aim, learnt.names, X, ProcessFit(measured["NNSTD"].matrix))
    for name, fit in on_distance.items():
        predicted[name] = out_of_fold(fit, numbers_of(len(y)), y, folds, groups, fits=fits)
    apart = pdist(y[:, None])
    found = {
        "n": len(y),
        "label_sd": float(y.std()),
        "ceiling": noise_ceiling(learnt.labels, learnt.groups),
        "distances": [
            {
                "name": name,
                "mean": float(pairs.mean()),
                "sd": float(pairs.std()),
                "agrees": spearman(apart, pairs),
                "pairs": len(pairs),
                "seconds": own.seconds,
            }
            for name, own in measured.items()
            for pairs in [squareform(own.matrix)]
        ],
        "fits": [
            {
                "name": name,
                "r2": estimate_r2(y, rows, groups),
                "tau": float(np.mean([kendall(y, row) for row in rows])),
                "over_size": None if name == SIZE else difference(y, rows, predicted[SIZE], groups),
                "over_features": None if name == FEATURES else difference(y, rows, predicted[FEATURES], groups),
            }
            for name, rows in predicted.items()
        ],
    }
    return {"judged": plain(found)}


@dataclass(frozen=True, eq=False)
class _Both:
    """The fit of the blend on features, and of a process on distances to what the blend misses out of fold."""

    aim: Aim
    names: tuple[str, ...]
    features: NDArray[np.float64]
    process: ProcessFit

    def __call__(self, X: NDArray[np.float64], y: NDArray[np.float64], groups: NDArray[np.int64], seed: int) -> Predict:
        """Fit to rows of a matrix of distances; see `predictors.validation.Fit`."""
        with one_thread():
            blend = self.aim.blend(self.features[numbers_in(X)], y, self.names, groups.tolist(), seed)
        correct = self.process(X, y - self.aim.out_of_fold(blend), groups, seed)
        return lambda rows: np.clip(blend.predict(self.features[numbers_in(rows)]) + correct(rows), *self.aim.limits)


# Report


def pages(numbers: Mapping[str, Any]) -> dict[str, str]:
    """Return the page by the name of its file, from the numbers as they are read back."""
    populations = numbers["populations"]
    pairs = sum(own["pairs"] for own in _measures(populations, "NNSTD"))
    seconds = sum(own["seconds"] for own in _measures(populations, "NNSTD"))
    text = _TEXT.format(
        options=_options(populations),
        n=listed(f"{own['n']} of {own['name']}" for own in populations),
        repeats=numbers["repeats"],
        folds=numbers["folds"],
        found="\n".join(f"- {sentence}" for sentence in _found(populations)),
        fits="\n\n".join(f"### {own['name']}\n\n{_fits(own)}" for own in populations),
        distances=table_of([_distance(own, measured) for own in populations for measured in own["distances"]]),
        pairs=pairs,
        seconds=f"{seconds:.0f}",
        each=f"{1000 * seconds / max(pairs, 1):.0f}",
        machine=numbers["machine"],
    )
    return {"README.md": text}


def _options(populations: Sequence[Mapping[str, Any]]) -> str:
    names = tuple(own["name"] for own in populations)
    words = "" if names == DEFAULT else "".join(f" --population {name}" for name in names)
    most = max(own["n"] for own in populations)
    return words + ("" if most == WIRINGS else f" --wirings {most}")


def _measures(populations: Sequence[Mapping[str, Any]], name: str) -> Iterator[Mapping[str, Any]]:
    yield from (measured for own in populations for measured in own["distances"] if measured["name"] == name)


def _fit_of(own: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found: Mapping[str, Any] = next(fit for fit in own["fits"] if fit["name"] == name)
    return found


def _found(populations: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    for regressor in (PROCESS, NEAREST):
        name = f"{regressor}, NNSTD"
        r2 = {own["name"]: read_estimate(_fit_of(own, name)["r2"]) for own in populations}
        nothing = [which for which, mean in r2.items() if not mean.low > 0]
        values = listed(f"{format_estimate(mean)} ({which})" for which, mean in r2.items())
        said = f"**{regressor[0].upper()}{regressor[1:]} on NNSTD.** R2 is {values}"
        said += f"; that it predicts anything is NOT shown on {listed(nothing)}." if nothing else "."
        for other, words in (("over_size", "sizes alone"), ("over_features", "the blend on all features")):
            gains = {own["name"]: read_estimate(_fit_of(own, name)[other]) for own in populations}
            said += f" Against {words} it is {describe_differences(gains, _THREE)}."
        yield said
    for own in populations:
        fits = [fit for fit in own["fits"] if fit["name"].startswith((NEAREST, PROCESS))]
        best = max(fits, key=lambda fit: float(fit["r2"]["mean"]))
        yield (
            f"**The best of {len(fits)} on {own['name']}**, found afterwards: {best['name']}, R2 "
            f"{format_estimate(read_estimate(best['r2']))}, "
            f"{format_estimate(read_estimate(best['over_size']), '+')} against sizes alone."
        )
    gains = {own["name"]: read_estimate(_fit_of(own, BOTH)["over_features"]) for own in populations}
    each = listed(f"{format_estimate(gain, '+')} ({name})" for name, gain in gains.items())
    yield (
        "**What features do not say.** The blend whose misses a process on NNSTD corrects is, against the blend alone, "
        f"{describe_differences(gains, _THREE)}: {each}."
    )


def _fits(own: Mapping[str, Any]) -> str:
    ceiling = read_ceiling(own["ceiling"])
    rows = []
    for fit in own["fits"]:
        r2 = read_estimate(fit["r2"])
        gains = {
            words: "" if fit[name] is None else format_estimate(read_estimate(fit[name]), "+")
            for name, words in (("over_size", "over sizes"), ("over_features", "over features"))
        }
        rows.append({"learnt from": fit["name"], "R2": format_estimate(r2), "tau": f"{fit['tau']:.3f}", **gains})
    limit = "is not known" if ceiling is None else f"is {ceiling.mean_label:.3f}"
    share = (
        ""
        if ceiling is None
        else f", of which features reach {format_share(*ceiling.share_of(read_estimate(_fit_of(own, FEATURES)['r2'])))}"
    )
    return f"The noise ceiling of R2 {limit}{share}.\n\n{table_of(rows)}"


def _distance(own: Mapping[str, Any], measured: Mapping[str, Any]) -> dict[str, str]:
    return {
        "population": own["name"],
        "distance": measured["name"],
        "mean": f"{measured['mean']:.3f}",
        "sd": f"{measured['sd']:.3f}",
        "goes with labels": f"{measured['agrees']:+.3f}",
        "pairs": f"{measured['pairs']:,}",
        "processor s": f"{measured['seconds']:.1f}",
    }


def plot(path: Path, numbers: Mapping[str, Any]) -> None:
    """Draw R2 of everything with its interval, a panel a population."""
    from matplotlib.figure import Figure

    populations = numbers["populations"]
    longest = max(len(own["fits"]) for own in populations)
    figure = Figure(figsize=(4 + 2.6 * len(populations), 0.32 * longest + 1.6), layout="constrained")
    names = list(dict.fromkeys(fit["name"] for own in populations for fit in own["fits"]))
    for axes, own in zip(figure.subplots(1, len(populations), sharey=True, squeeze=False)[0], populations, strict=True):
        for fit in own["fits"]:
            r2, place = fit["r2"], names.index(fit["name"])
            spread = [[max(0.0, r2["mean"] - r2["low"])], [max(0.0, r2["high"] - r2["mean"])]]
            axes.errorbar(r2["mean"], place, xerr=spread, fmt="o", color=_colour(fit["name"]), capsize=3)
        ceiling = read_ceiling(own["ceiling"])
        if ceiling is not None:
            axes.axvline(ceiling.mean_label, color=RED, linestyle="--", linewidth=1.2)
        axes.axvline(0, color="0.2", linewidth=0.8)
        axes.set_yticks(range(len(names)), names)
        axes.set_title(own["name"], fontsize="small")
        axes.set_xlabel("R², 95 % interval over wirings", fontsize="small")
        axes.grid(alpha=0.3)
    figure.axes[0].invert_yaxis()
    save_figure(figure, path)


def _colour(name: str) -> str:
    if name.startswith(PROCESS):
        return GREEN
    if name.startswith(NEAREST):
        return ORANGE
    return "0.5" if name in (MEAN, SIZE) else BLUE


_TEXT = """\
# What distances between wirings predict

Made by `wirenas study distances{options}`, on wirings of surveys of `wirenas study prediction`: {n}, evenly from
each.

A predictor learns from features of a wiring. Here all that is known of one is how far it is from others: *nearest
neighbours* average the labels of those nearest, a *Gaussian process* has a kernel that falls with the distance. How
many neighbours, and their weights, are chosen in folds within the training wirings; length and noise of the process by
their likelihood. The blend on features and on sizes alone is fitted to the same wirings, in the same folds. Labels are
mean validation accuracies over seeds.

## What was found

{found}

None of these intervals is corrected for their number.

## Regressors

R2 is of out-of-fold predictions ({repeats} repeats of {folds} folds), with 95 % intervals over the wirings that are
predicted; the fits are not made anew for them. Differences are paired. The share of the ceiling is R2 over it; its
brackets are what the worst ends of both intervals allow, cut at 0 and 100 %. Predictions that hardly differ from the
mean of what was learnt from have a tau below 0: that mean is low where the fold left out is high.

{fits}

![R2 of all regressors](distances.png)

The dashed line is the noise ceiling.

## Distances

Wirings of a survey have layers of their own, and NNSTD is between wirings of equally many. So hidden neurons are one
layer here, within which they read each other, and are matched all at once. Edge Jaccard takes neurons by their number,
that is by their depth, and is not there where numbers of neurons differ. "Goes with labels" is Spearman's correlation,
over pairs, of the distance with how far the two labels are apart: 0 where near wirings are as different as far ones.

{distances}

The {pairs:,} pairs of NNSTD took {seconds} s on one core, {each} ms each; {machine}.
"""
