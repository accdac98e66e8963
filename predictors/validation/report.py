"""Validation: all that is known about how good a predictor is, as JSON, as Markdown and as rows for a terminal."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from predictors.validation.baselines import SIZE_TIER, Step
from predictors.validation.ceiling import Ceiling
from predictors.validation.components import Component
from predictors.validation.crossval import Estimate, Score
from predictors.validation.resampling import share_interval
from predictors.validation.transfer import CurvePoint, Label, PartScore

__all__ = ["NO_CEILING", "Validation"]

NO_CEILING = "no ceiling: the labels have no replicates"


@dataclass(frozen=True)
class Validation:
    """How good a predictor is, beside what it has to be compared with.

    Parameters
    ----------
    n, groups : int
        Wirings, and groups of related ones that no fold splits.
    folds, repeats : int
        Of cross-validation.
    label : {"one", "mean"}
        Whether labels are of one training or means over replicates.
    score : Score
        Of out-of-fold predictions.
    gain : Estimate
        R2 less that of the same rows' size-tier baseline, paired.
    references, ladder : sequence of Step
        References must hold the size tier.
    ceiling : Ceiling, optional
    within_family, within_size, left_out : sequence of PartScore
        Within each family and each range of sizes alone, and of families by a fit on all others.
    curve : sequence of CurvePoint
    coverage : mapping of float to float
        Nominal to empirical share of labels within their intervals.
    components : sequence of Component
    single_splits : sequence of float
        R2 of many single random 90/10 splits.

    Raises
    ------
    ValueError
        If the size-tier baseline is missing: without it nobody can tell structure from size.
    """

    n: int
    groups: int
    folds: int
    repeats: int
    label: Label
    score: Score
    gain: Estimate
    references: Sequence[Step]
    ladder: Sequence[Step]
    ceiling: Ceiling | None = None
    within_family: Sequence[PartScore] = ()
    within_size: Sequence[PartScore] = ()
    left_out: Sequence[PartScore] = ()
    curve: Sequence[CurvePoint] = ()
    coverage: Mapping[float, float] = field(default_factory=dict)
    components: Sequence[Component] = ()
    single_splits: Sequence[float] = ()

    def __post_init__(self) -> None:
        names = [step.name for step in self.references]
        if SIZE_TIER not in names:
            raise ValueError(f"references {names}: a validation must hold the baseline {SIZE_TIER!r}")

    @property
    def limit(self) -> float | None:
        """The noise ceiling of labels of this kind; None where it is not known."""
        if self.ceiling is None:
            return None
        return self.ceiling.one_seed if self.label == "one" else self.ceiling.mean_label

    @property
    def share_of_ceiling(self) -> float | None:
        """R2 over the noise ceiling; None where that is not known or 0."""
        return self.score.r2.mean / self.limit if self.limit else None

    def to_json(self) -> dict[str, Any]:
        """Return everything as JSON types, with null for what is undefined."""
        plain = asdict(self)
        plain["coverage"] = [{"nominal": key, "empirical": value} for key, value in self.coverage.items()]
        plain |= {"limit": self.limit, "share_of_ceiling": self.share_of_ceiling}
        return {key: _json(value) for key, value in plain.items()}

    def rows(self) -> list[tuple[str, str]]:
        """Return what matters most as pairs of a name and a value, for a terminal."""
        references = [(f"R² {step.name}", _interval(step.r2)) for step in self.references]
        return [
            ("wirings", f"{self.n} in {self.groups} groups, {self.repeats} × {self.folds}-fold, {self.label} label"),
            ("R²", _interval(self.score.r2)),
            *references,
            (f"R² gained over {SIZE_TIER}", _interval(self.gain, sign="+")),
            ("noise ceiling", self._ceiling_words()),
            ("Kendall tau", _interval(self.score.tau)),
            ("mean absolute error", _interval(self.score.mae)),
            (f"regret at {self.score.k}", _number(self.score.regret)),
            *((f"coverage of {level:.0%} intervals", self.format_coverage(level)) for level in self.coverage),
        ]

    def format_coverage(self, nominal: float) -> str:
        """Return the share of labels within their intervals with a 95 % interval over wirings.

        It counts groups of wirings, as if all labels of one were within or none, so that it is rather too wide.
        """
        found = self.coverage.get(nominal)
        if found is None:
            return "–"
        low, high = share_interval(found, self.groups)
        return f"{found:.1%} [{low:.1%}, {high:.1%}]"

    def to_markdown(self) -> str:
        """Return everything as Markdown."""
        parts = [
            _table(("what", "value"), self.rows()),
            _INTERVALS,
            "## What explains it",
            _table(("columns", "number", "R²", "sd over repeats", "gain over the step before"), self._steps()),
        ]
        for title, scores in (
            ("Within each family", self.within_family),
            ("Within each range of sizes", self.within_size),
            ("Families that were left out of the fit", self.left_out),
        ):
            if scores:
                rows = [(s.name, s.n, _part_r2(s), _number(s.tau), _number(s.mae)) for s in scores]
                parts += [f"## {title}", _table(("part", "wirings", "R²", "tau", "mean absolute error"), rows)]
        if self.curve:
            points = [(p.size, *_spread(p.r2), *_spread(p.tau)) for p in self.curve]
            header = ("wirings", "R²", "sd of R²", "tau", "sd of tau")
            parts += ["## By number of training wirings", _table(header, points), _CURVE.format(self.repeats)]
        if self.components:
            shares = [(c.name, f"{c.variance:.3g}", _share(c)) for c in self.components]
            parts += ["## Where the variance comes from", _table(("level", "variance", "share"), shares), _COMPONENTS]
        if len(self.single_splits) > 0:
            parts += ["## What a single split would have said", self._single_splits_words()]
        return "\n\n".join(parts) + "\n"

    def _steps(self) -> list[tuple[str, int, str, str, str]]:
        return [
            (
                step.name,
                step.n_features,
                _interval(step.r2),
                _number(step.r2.sd),
                "" if step.delta is None else _interval(step.delta, sign="+"),
            )
            for step in (*self.references, *self.ladder)
        ]

    def _ceiling_words(self) -> str:
        if self.ceiling is None or self.limit is None:
            return NO_CEILING
        one = self.label == "one"
        low, high = self.ceiling.one_seed_interval if one else self.ceiling.mean_label_interval
        text = f"{_number(self.limit)} [{_number(low)}, {_number(high)}] from {self.ceiling.n_wirings} wirings with "
        text += f"{self.ceiling.replicates:.3g} replicates"
        share, least, most = self.ceiling.share_of(self.score.r2, one_seed=one)
        if math.isnan(share):
            return text
        return f"{text}; R² is {share:.0%} of it, {least:.0%} to {most:.0%} by the worst ends of both intervals"

    def _single_splits_words(self) -> str:
        ordered = sorted(value for value in self.single_splits if not math.isnan(value))
        if not ordered:
            return "R² is undefined for every single split: the labels that each holds out are all equal."
        low, middle, high = (ordered[round(q * (len(ordered) - 1))] for q in (0.1, 0.5, 0.9))
        return (
            f"R² of {len(ordered)} single random splits of these wirings: median {_number(middle)}, "
            f"the middle 80 % from {_number(low)} to {_number(high)}."
        )


_INTERVALS = """\
R², tau and errors are of out-of-fold predictions: mean over repeats, with 95 % intervals over the wirings that are
predicted. No fit is made anew for them: what other wirings to learn from would change is not in them. Intervals of
coverage count a wiring, or a group of related ones, as one case. Numbers without brackets have no interval."""

_CURVE = """\
Means and standard deviations over {} random choices of the wirings that are learnt from, out of the same ones."""

_COMPONENTS = """\
95 % intervals draw the cells of one level anew, the second unless another was asked for; those above it are held."""


def _json(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _json(inner) for key, inner in value.items()}
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    return [_json(inner) for inner in value] if isinstance(value, Iterable) and not isinstance(value, str) else value


def _number(value: float, sign: str = "") -> str:
    return "undefined" if math.isnan(value) else f"{value:{sign}.3f}" if abs(value) >= 0.1 else f"{value:{sign}.3g}"


def _interval(estimate: Estimate, sign: str = "") -> str:
    low, high = _number(estimate.low, sign), _number(estimate.high, sign)
    return f"{_number(estimate.mean, sign)} [{low}, {high}]"


def _part_r2(part: PartScore) -> str:
    """Return R2 with its interval, which older validations do not hold."""
    interval = "" if math.isnan(part.low) else f" [{_number(part.low)}, {_number(part.high)}]"
    return f"{_number(part.r2)}{interval}"


def _spread(estimate: Estimate) -> tuple[str, str]:
    return _number(estimate.mean), _number(estimate.sd)


def _share(component: Component) -> str:
    text = f"{_number(component.share)} [{_number(component.low)}, {_number(component.high)}]"
    return f"{text}, estimated below 0" if component.negative else text


def _table(header: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines)
