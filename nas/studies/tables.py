"""What all studies share: statistics of pairs, words and tables, and how they keep and write what they find.

A study is a function. Its `out` is the folder that it writes into, `atlas` the one where surveys lie or go, and `watch`
is called with a line of progress. Its `pages` returns the text of every page by the name of its file, from the numbers
as they are read back.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import comb
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import ArrayLike

from nas.errors import InputError
from nas.report.card import markdown_table
from nas.store.folders import check_folder
from nas.store.lines import plain
from predictors.validation.resampling import interval_of
from priors.files import atomic_write

__all__ = [
    "Difference",
    "HasInterval",
    "Watch",
    "check_study",
    "describe_differences",
    "expected_median",
    "format_estimate",
    "format_share",
    "listed",
    "paired_difference",
    "table_of",
    "write_results",
    "write_text",
]

Watch = Callable[[str], None]


class HasInterval(Protocol):
    """A mean with the ends of its interval, such as an `Estimate`, a `Difference` or a `Mean`."""

    @property
    def mean(self) -> float:
        """The mean."""

    @property
    def low(self) -> float:
        """Lower end of the interval."""

    @property
    def high(self) -> float:
        """Upper end of the interval."""


def listed(words: Iterable[str]) -> str:
    """Return words as an enumeration: a, b and c."""
    *first, last = words
    return f"{', '.join(first)} and {last}" if first else last


def table_of(rows: Sequence[Mapping[str, str]]) -> str:
    """Return a table in Markdown, from rows of text by column."""
    return markdown_table(list(rows[0]), [list(row.values()) for row in rows])


def format_estimate(estimate: HasInterval, sign: str = "", digits: int = 3) -> str:
    """Return an estimate with its interval, if it has one."""
    if math.isnan(estimate.low):
        return f"{estimate.mean:{sign}.{digits}f}"
    mean, low, high = (f"{value:{sign}.{digits}f}" for value in (estimate.mean, estimate.low, estimate.high))
    return f"{mean} [{low}, {high}]"


def format_share(share: float, low: float, high: float, digits: int = 0) -> str:
    """Return a share in percent with its interval."""
    return f"{share:.{digits}%} [{low:.{digits}%}, {high:.{digits}%}]"


def describe_differences(estimates: Mapping[str, HasInterval], phrases: Sequence[str], separator: str = ", ") -> str:
    """Say by three phrases with a {} which estimates are above 0, below 0, and neither by their interval."""
    groups: tuple[list[str], ...] = ([], [], [])
    for name, estimate in estimates.items():
        groups[0 if estimate.low > 0 else 1 if estimate.high < 0 else 2].append(name)
    return separator.join(phrase.format(listed(names)) for phrase, names in zip(phrases, groups, strict=True) if names)


def check_study(out: Path, *names: str) -> None:
    """Refuse a folder in which something else lies than a study of one of these names, or a page of another kind.

    Raises
    ------
    InputError
        If it does.
    """
    check_folder(out, "a study", *(f"the study {name}" for name in names), beside=True)
    own = ("setting.json", "runs.jsonl", *(f"{name}.json" for name in names))
    if (out / "README.md").exists() and not any((out / file).exists() for file in own):
        raise InputError(f"{out}: the folder holds a README.md of something else; give a new one with out")


def write_results(out: Path, file: str, found: Any, pages: Callable[[Any], Mapping[str, str]]) -> Any:
    """Write what was found as JSON, and the pages that follow from it; return the numbers as they are read back."""
    out.mkdir(parents=True, exist_ok=True)
    text = json.dumps(plain(found), indent=1, allow_nan=False)
    numbers = json.loads(text)
    for name, content in {file: text + "\n", **pages(numbers)}.items():
        write_text(out / name, content)
    return numbers


def write_text(path: Path, text: str) -> None:
    """Write a text, replacing an older one in one step."""
    with atomic_write(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


_DRAWS, _SEED = 10_000, 0


@dataclass(frozen=True)
class Difference:
    """By how much one arm is ahead of another: the mean over seeds and its 95 % bootstrap interval.

    p is that of Wilcoxon's signed-rank test, two-sided.
    """

    mean: float
    low: float
    high: float
    p: float


def paired_difference(own: ArrayLike, other: ArrayLike) -> Difference:
    """Compare two arms by their (n,) values, one a seed in the same order.

    Raises
    ------
    ValueError
        For other than two arrays of the same length.

    References
    ----------
    Wilcoxon (1945), doi:10.2307/3001968; Demsar (2006), "Statistical comparisons of classifiers over multiple data
    sets", JMLR 7.
    """
    from scipy.stats import wilcoxon

    first, second = np.asarray(own, dtype=np.float64), np.asarray(other, dtype=np.float64)
    if first.ndim != 1 or first.shape != second.shape or not first.size:
        raise ValueError(f"values {first.shape} and {second.shape}: a paired difference needs one pair a seed, (n,)")
    gains = first - second
    drawn = np.random.default_rng(_SEED).integers(len(gains), size=(_DRAWS, len(gains)))
    low, high = interval_of(gains[drawn].mean(axis=1))
    # Without any difference the test is not defined, and there is nothing to tell apart.
    p = float(wilcoxon(gains).pvalue) if gains.any() else 1.0
    return Difference(float(gains.mean()), low, high, p)


def expected_median(n: int, good: int) -> int:
    """Return how many of `n` wirings must be drawn to meet one of `good` ones with a probability of at least one half.

    Raises
    ------
    ValueError
        If `good` is not between 1 and `n`.
    """
    if not 1 <= good <= n:
        raise ValueError(f"good={good}: must be between 1 and n={n}")
    # In whole numbers: a probability of exactly one half is common.
    return next(drawn for drawn in range(1, n + 1) if 2 * comb(n - good, drawn) <= comb(n, drawn))
