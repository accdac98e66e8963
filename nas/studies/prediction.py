"""How well structure predicts accuracy on surveys of one's own, beside baselines and the noise ceiling.

Six populations are surveyed: digits MLPs with natural and with controlled attachment, of varying and of fixed size, and
recurrent networks on the embedded Reber grammar. On each the predictor is judged; a nested design of its own splits the
variance over family, parameters, graph, orientation and seed.
"""

from __future__ import annotations

import json
import math
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np

from nas.errors import InputError, known
from nas.evaluation.threads import in_order, one_torch_thread
from nas.options.options import SurveyOptions, resolve_survey
from nas.prediction.examples import survey_examples
from nas.prediction.validation import judge_training
from nas.report.card import markdown_table
from nas.seeds import stream
from nas.space.draws import Uniform
from nas.space.space import SEED_NAMES, Params
from nas.store.folders import holds_survey
from nas.store.lines import plain
from nas.store.reading import reading
from nas.store.survey_table import SurveyTable, load_survey
from nas.studies.tables import Watch, check_study, format_estimate, format_share, table_of, write_results
from nas.survey import Survey
from nas.tasks import inputs_of
from predictors.fitted import Training
from predictors.fitting import BlendFit
from predictors.validation import (
    Ceiling,
    Component,
    PartScore,
    Score,
    Validation,
    noise_ceiling,
    out_of_fold,
    read_ceiling,
    read_score,
    read_validation,
    repeated_folds,
    score,
    variance_components,
)
from predictors.validation.figures import plot_components, plot_curves, plot_ladder
from predictors.validation.transfer import label_of
from priors import Inputs

__all__ = ["POPULATIONS", "pages", "prediction", "read_population"]

_DIGITS = {"task": "digits", "network": "mlp", "wirings": 2500, "seeds": 5}
_FIXED = {"nodes": (64, 64), "degree": (8.0, 8.0)}
_REBER = {
    "task": "reber-embedded",
    "network": "rnn",
    "wirings": 2000,
    "space": {"nodes": (10, 40), "attachment": ("natural",)},
}

POPULATIONS: dict[str, dict[str, Any]] = {
    "digits-natural-varying": {**_DIGITS, "space": {"attachment": ("natural",)}},
    "digits-natural-fixed": {**_DIGITS, "space": {**_FIXED, "attachment": ("natural",)}},
    "digits-controlled-varying": {**_DIGITS, "space": {"attachment": ("controlled",)}},
    "digits-controlled-fixed": {**_DIGITS, "space": {**_FIXED, "attachment": ("controlled",)}},
    "reber-gru": {**_REBER, "cell": "gru", "seeds": 4, "recipe": {"learning_rates": (0.01,), "epochs": 30}},
    "reber-tanh": {**_REBER, "cell": "tanh", "seeds": 5, "recipe": {"learning_rates": (0.01,), "epochs": 20}},
}
"""Options of the surveys, by the name of the population."""

_NESTED = {"parameters": 48, "graph": 4, "orientation": 3, "seed": 4}
"""How often each level of the nested design branches."""
_REPEATS, _FOLDS = 2, 5
_FILE = "prediction.json"
_MOST = 2000
"""Wirings of a survey that are learnt from."""


@dataclass(frozen=True)
class Judged:
    """What is known of one population."""

    name: str
    validation: Validation
    one_seed: Score
    crossed: Ceiling | None

    @classmethod
    def from_json(cls, name: str, stored: Mapping[str, Any]) -> Judged:
        """Return what was stored of a population."""
        crossed = read_ceiling(stored["ceiling_on_other_examples"])
        return cls(name, read_validation(stored["mean_label"]), read_score(stored["one_seed"]), crossed)

    def to_json(self) -> dict[str, Any]:
        """Return what is stored."""
        return {
            "mean_label": self.validation.to_json(),
            "one_seed": self.one_seed,
            "ceiling_on_other_examples": self.crossed,
        }


def prediction(
    out: Path, atlas: Path, names: Sequence[str] = (), watch: Watch = lambda _: None, wirings: int | None = None
) -> dict[str, Any]:
    """Survey the populations, judge the predictor on each, and write numbers, tables and figures.

    Parameters
    ----------
    out, atlas, watch
        See `nas.studies.tables`. Surveys that are complete are taken as they are.
    names : sequence of str
        Populations; all by default. Those that the folder has from before stay on its page.
    wirings : int, optional
        Of each survey, fewer for a trial.
    """
    check_study(out, "prediction", "zero-cost")
    chosen = [known("population", name, POPULATIONS) for name in names or POPULATIONS]
    tables = []
    for name in chosen:
        options = {**POPULATIONS[name], **({} if wirings is None else {"wirings": wirings})}
        watch(f"{name}: survey")
        survey = Survey(atlas / name, **options)
        survey.run()
        watch(f"{name}: nested design")
        tables.append((name, atlas / name, _nested(survey), inputs_of(survey.task)))
    judged = []
    watch("judging")
    with ProcessPoolExecutor(2) as executor:
        for found in executor.map(_judged, tables):
            watch(f"{found.name}: R2 {found.validation.score.r2.mean:.3f}")
            judged.append(found)
    out.mkdir(parents=True, exist_ok=True)
    for found in judged:
        own = found.validation
        plot_ladder(out / f"{found.name}-ladder.png", own.references, own.ladder, own.limit)
    every = {**_judged_before(out), **{found.name: found for found in judged}}
    every = {name: every[name] for name in POPULATIONS if name in every}
    plot_curves(out / "learning-curves.png", {name: found.validation.curve for name, found in every.items()})
    components = {name: found.validation.components for name, found in every.items()}
    plot_components(out / "variance-components.png", components)
    write_results(out, _FILE, {name: found.to_json() for name, found in every.items()}, pages)
    return {"out": str(out), "populations": plain({found.name: _summary(found) for found in judged})}


def read_population(atlas: Path, name: str) -> SurveyTable:
    """Return the survey of a population that this study has made.

    Raises
    ------
    InputError
        If there is none.
    """
    folder = atlas / name
    if not holds_survey(folder):
        raise InputError(f"{folder}: no survey here; `wirenas study prediction` makes them, or give another atlas")
    return load_survey(folder)


def _judged_before(out: Path) -> dict[str, Judged]:
    """Return what a folder has of populations that were judged before."""
    path = out / _FILE
    if not path.is_file():
        return {}
    with reading(path):
        numbers = json.loads(path.read_text(encoding="utf-8"))
        return {name: Judged.from_json(name, stored) for name, stored in numbers.items()}


# Judging


def _judged(given: tuple[str, Path, tuple[Component, ...], Inputs]) -> Judged:
    name, folder, components, inputs = given
    table = load_survey(folder)
    examples, tested = (survey_examples(table, column, most=_MOST, inputs=inputs) for column in ("value", "test"))
    crossed = noise_ceiling(np.stack([examples.labels, tested.labels], axis=2))
    predictor, training = examples.predictor(), examples.training()
    return Judged(
        name,
        judge_training(training, _REPEATS, _FOLDS, predictor=predictor, components=components),
        _one_seed(training),
        crossed,
    )


def _one_seed(training: Training) -> Score:
    """Return the score of what is learnt from, and of predictions of, the first training of every wiring."""
    y, groups = label_of(training.labels, "one"), training.groups.tolist()
    predicted = out_of_fold(BlendFit(training.names), training.X, y, repeated_folds(len(y), _FOLDS, 1, groups), groups)
    return score(y, predicted, groups)


# The nested design


def _nested(survey: Survey) -> tuple[Component, ...]:
    """Train a nested design in the survey's space and split the variance of its values."""
    options = resolve_survey(survey.options.model_dump(exclude_unset=True))
    cells = _cells(options)
    trainer = survey.trainer
    rate = options.recipe.learning_rates[len(options.recipe.learning_rates) // 2]

    def value(index: int) -> float:
        params, _, replicate = cells[index]
        wiring = options.resolved_space.wiring(params, survey.task.n_inputs, survey.task.n_outputs)
        return float(trainer.train(wiring, replicate, rate).history.value)

    with one_torch_thread():
        values = list(chain.from_iterable(in_order(value, range(len(cells)), survey.threads, threading.Event())))
    levels = {name: [labels[name] for _, labels, _ in cells] for name in cells[0][1]}
    return tuple(variance_components(values, levels, residual="seed"))


def _cells(options: SurveyOptions) -> list[tuple[Params, Mapping[str, int | str], int]]:
    """Return parameters, the cell of each level, and the replicate of every training of the design."""
    space = options.resolved_space
    cells: list[tuple[Params, Mapping[str, int | str], int]] = []
    orientations = _NESTED["orientation"] if space.is_oriented else 1
    for setting in range(_NESTED["parameters"]):
        rng = stream(options.seed, "wiring", 10**9 + setting)
        drawn = space.suggest(Uniform(rng))
        for graph in range(_NESTED["graph"]):
            seeds = space.seeds(rng)
            for orientation in range(orientations):
                other = space.seeds(rng)
                own = {name: (seeds if name == SEED_NAMES[0] else other)[name] for name in seeds}
                labels: dict[str, int | str] = {"family": str(drawn["family"]), "parameters": setting, "graph": graph}
                if space.is_oriented:
                    labels["orientation"] = orientation
                cells += [({**drawn, **own}, labels, replicate) for replicate in range(_NESTED["seed"])]
    return cells


# Report


def _summary(found: Judged) -> dict[str, Any]:
    own, one = found.validation, found.one_seed
    return {
        "r2": own.score.r2.mean,
        "tau": own.score.tau.mean,
        "ceiling": own.limit,
        "share_of_ceiling": own.share_of_ceiling,
        "ceiling_on_other_examples": None if found.crossed is None else found.crossed.mean_label,
        "coverage_90": own.coverage.get(0.9),
        "r2_one_seed": one.r2.mean,
        "ceiling_one_seed": None if own.ceiling is None else own.ceiling.one_seed,
        "left_out": {part.name: part.r2 for part in own.left_out},
    }


def pages(numbers: Mapping[str, Any]) -> dict[str, str]:
    """Return the text of every page by the name of its file, from the numbers as they are read back."""
    judged = [Judged.from_json(name, stored) for name, stored in numbers.items()]
    own = {f"{found.name}.md": f"# {found.name}\n\n{found.validation.to_markdown()}" for found in judged}
    return {**own, "README.md": _report(judged)}


def _report(judged: Sequence[Judged]) -> str:
    rows = []
    for found in judged:
        own, one = found.validation, found.one_seed
        size = next(step for step in own.references if step.name == "size tier")
        rows.append(
            {
                "population": found.name,
                "R2": format_estimate(own.score.r2),
                "size alone": f"{size.r2.mean:.3f}",
                "gain": format_estimate(own.gain, "+"),
                "ceiling": _limit(own.ceiling),
                "share": _share(own),
                "ceiling on other examples": _limit(found.crossed),
                "tau": f"{own.score.tau.mean:.3f}",
                "one training": f"{one.r2.mean:.3f} of {_limit(own.ceiling, one=True)}",
                "coverage of 90 %": own.format_coverage(0.9),
                "family never seen": ", ".join(map(_format_part, own.left_out)) or "–",
            }
        )
    shares = [(found.name, *map(_format_component, found.validation.components)) for found in judged]
    longest = max(map(len, shares))
    has_intervals = any(not math.isnan(part.low) for found in judged for part in found.validation.left_out)
    return _TEXT.format(
        table=table_of(rows),
        components=markdown_table(
            ("population", *[""] * (longest - 1)), [(*row, *[""] * (longest - len(row))) for row in shares]
        ),
        left_out="with 95 % intervals over its wirings" if has_intervals else "without an interval",
        repeats=judged[0].validation.repeats,
        folds=judged[0].validation.folds,
    )


def _format_component(component: Component) -> str:
    return f"{component.name} {format_share(component.share, component.low, component.high)}"


def _format_part(part: PartScore) -> str:
    interval = "" if math.isnan(part.low) else f" [{part.low:.2f}, {part.high:.2f}]"
    return f"{part.name} {part.r2:.2f}{interval}"


def _share(own: Validation) -> str:
    if own.ceiling is None or own.share_of_ceiling is None:
        return "–"
    return format_share(*own.ceiling.share_of(own.score.r2))


def _limit(ceiling: Ceiling | None, *, one: bool = False) -> str:
    if ceiling is None:
        return "–"
    limit = ceiling.one_seed if one else ceiling.mean_label
    low, high = ceiling.one_seed_interval if one else ceiling.mean_label_interval
    return f"{limit:.3f} [{low:.3f}, {high:.3f}]"


_TEXT = """\
# What structure predicts on surveys of one's own

Made by `wirenas study prediction`. Digits MLPs: 2,000 of 2,500 wirings of 20 to 100 neurons (fixed: 64 neurons,
degree 8) with 5 trainings at each of 3 learning rates, of which the best counts. Embedded Reber: 2,000 recurrent
wirings of 10 to 40 neurons with 4 (GRU) or 5 (tanh) trainings. Labels are mean validation accuracies.

R2 and tau are of out-of-fold predictions ({repeats} repeats of {folds} folds) against the mean label of each wiring,
with 95 % intervals over the wirings that are predicted. The fits are not made anew for them: what 2,000 other wirings
to learn from would change is not in them, nor is another task. "Size alone" is learnt by the simple fit of the ladder,
and "gain" is how far the predictor is above it. The ceiling is the share of the label's variance that other training
seeds would show again, on the same validation examples; "on other examples" is the share that other seeds and other
examples, the test part, would show. "Share" is R2 over the ceiling; its brackets are no 95 % interval, but what the
worst ends of both intervals allow, cut at 0 and 100 %, which is wider. "One training" is R2 where labels are single
trainings, beside its ceiling. Coverage is that of 90 % intervals for a single training, its own interval over wirings.
"Family never seen" is R2 on one family of graphs after learning from the others alone: one fit each, {left_out},
and of other families than these three it says nothing.

{table}

## Where the variance comes from

A nested design in the same space: settings of the prior's parameters, graphs of each, orientations (with the draw of
the attachment) of each, seeds of each. Shares of the variance of a single training at one learning rate, with 95 %
intervals that draw the settings of each family anew; the families themselves are held.

{components}

![Variance components](variance-components.png)
![Learning curves](learning-curves.png)
"""
