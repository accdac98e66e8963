"""What the columns of a table are: numbers, categories, words, dates, or nothing to learn from."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd
from pydantic import BaseModel, ConfigDict, model_validator

from nas.tasks.files.cells import DATE_FORMATS, NumberStyle, dates_of, is_missing, is_text, numbers_of, texts_of

__all__ = ["MOST_CATEGORIES", "Column", "Judged", "Kind", "examples", "judge_column", "style_of"]

Kind = Literal["number", "category", "words", "date"]

_MOST_STRANGE = 0.1
"""Share of cells without a number that a column of numbers may have."""
_FEWEST_NUMBERS = 10
"""Different numbers that a column needs to be one of numbers all the same."""
_FEWEST_ROWS = 20
"""Rows from which on it tells something that all values differ."""
MOST_CATEGORIES = 50
"""Of a column, that are told apart."""
_WORDS = 3
"""Words of a text on average, from which on texts are taken apart."""
_STYLES: tuple[NumberStyle, ...] = ("plain", "comma", "thousands")
_STYLE_WORDS = {"comma": "with decimal commas", "thousands": "with commas between thousands"}
_ID = re.compile(r"(.*[\W_])?(id|ids|uuid|guid|index|key|nr|rowid|row)|unnamed: ?\d+", re.IGNORECASE)
_ID_IN_CAMEL_CASE = re.compile(r".*[a-z](Id|ID)")


class Column(BaseModel):
    """How the cells of a column are read.

    Parameters
    ----------
    name : str
    kind : {"number", "category", "words", "date"}
    style : str
        How numbers are written, or a format of dates.
    parts : tuple of str
        What is taken of dates; see `nas.tasks.files.dates`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    kind: Kind
    style: str = "plain"
    parts: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _known_style(self) -> Column:
        known = DATE_FORMATS if self.kind == "date" else _STYLES
        if self.style not in known:
            raise ValueError(f"{self.name}: style {self.style!r} is none of {', '.join(known)}")
        return self


@dataclass(frozen=True)
class Judged:
    """A column, None where nothing is learned from it, and a line on what is done with it.

    `is_assumed` says that the line tells something that somebody may not expect.
    """

    column: Column | None
    line: str
    is_assumed: bool = False


def judge_column(name: str, values: pd.Series[Any]) -> Judged:
    """Say what a column is by its values in the training part."""
    gone = is_missing(values)
    if gone.all():
        return Judged(None, "empty in the training part, left out", True)
    judged = _judge(name, values, gone)
    if judged.column is not None and gone.any():
        how = {"number": "the median and a mark", "date": "the median and a mark"}.get(judged.column.kind, "its own")
        return Judged(judged.column, f"{judged.line}; {_share(gone)} missing: {how}", judged.is_assumed)
    return judged


def _judge(name: str, values: pd.Series[Any], gone: np.ndarray[Any, Any]) -> Judged:
    if pd.api.types.is_datetime64_any_dtype(values.dtype):
        return _of_dates(name, values, "ISO8601")
    if not is_text(values):
        return _of_numbers(name, numbers_of(values), "plain", "numbers")
    present = pd.Series(texts_of(values)[~gone], dtype=object)
    unique = pd.Series(pd.unique(present), dtype=object)
    if (style := style_of(unique)) is not None:
        words = f"numbers {_STYLE_WORDS[style]}" if style != "plain" else "numbers"
        return _of_numbers(name, numbers_of(values, style), style, words, style != "plain")
    for way in DATE_FORMATS:
        if not np.isnat(dates_of(unique, way)).any():
            return _of_dates(name, values, way)
    numbers = numbers_of(present)
    strange = ~np.isfinite(numbers)
    if strange.mean() <= _MOST_STRANGE and len(np.unique(numbers[~strange])) >= _FEWEST_NUMBERS:
        words = f"numbers; {_counted(int(strange.sum()), 'cell')} with others ({examples(present[strange])}) as missing"
        return _of_numbers(name, numbers_of(values), "plain", words, True)
    return _of_texts(name, present, len(unique))


def _of_numbers(
    name: str, numbers: np.ndarray[Any, Any], style: NumberStyle, words: str, is_assumed: bool = False
) -> Judged:
    present = numbers[np.isfinite(numbers)]
    if len(present) == 0 or present.min() == present.max():
        if len(present) < len(numbers) and len(present):
            # That it is missing may tell something.
            return Judged(Column(name=name, kind="number", style=style), words, is_assumed)
        return Judged(None, "constant in the training part, left out", True)
    if len(numbers) >= _FEWEST_ROWS and _counts_rows(name, numbers):
        return Judged(None, "every row has its own (an id), left out", True)
    return Judged(Column(name=name, kind="number", style=style), words, is_assumed)


def _counts_rows(name: str, numbers: np.ndarray[Any, Any]) -> bool:
    """Whether numbers only tell rows apart: whole, all different, and called an id or counted on row by row."""
    if not np.isfinite(numbers).all() or not (numbers == np.round(numbers)).all():
        return False
    steps = np.diff(numbers)
    if len(np.unique(numbers)) < len(numbers):
        return False
    is_named = _ID.fullmatch(name.strip()) is not None or _ID_IN_CAMEL_CASE.fullmatch(name.strip()) is not None
    # Rows of the other parts are missing between these.
    return is_named or bool((steps > 0).all() and (steps == 1).mean() > 0.5)


def _of_dates(name: str, values: pd.Series[Any], style: str) -> Judged:
    from nas.tasks.files.dates import telling_parts

    dates = dates_of(values, style)
    parts = telling_parts(dates[~np.isnat(dates)])
    if not parts:
        return Judged(None, "one date in the training part, left out", True)
    way = "" if style == "ISO8601" else f" ({style})"
    line = f"dates{way}: {', '.join(parts)}"
    return Judged(Column(name=name, kind="date", style=style, parts=parts), line, style != "ISO8601")


def _of_texts(name: str, present: pd.Series[Any], n_unique: int) -> Judged:
    if n_unique == 1:
        return Judged(None, f"constant in the training part ({examples(present[:1])}), left out", True)
    n_words = float(np.mean([len(text.split()) for text in present]))
    if n_words >= _WORDS and n_unique > _FEWEST_ROWS:
        return Judged(Column(name=name, kind="words"), "texts: their most frequent words", True)
    if n_unique > max(_FEWEST_ROWS, len(present) // 2):
        which = "every value differs (an id)" if n_unique == len(present) else "most values differ (an id)"
        return Judged(None, f"{which}, left out", True)
    line = f"{n_unique} categories"
    if n_unique > MOST_CATEGORIES:
        line = f"{n_unique} categories, the {MOST_CATEGORIES} commonest are told apart"
    return Judged(Column(name=name, kind="category"), line, n_unique > MOST_CATEGORIES)


def style_of(present: pd.Series[Any]) -> NumberStyle | None:
    """Return how the numbers of cells are written, none of which is missing; None where some are no numbers."""
    return next((style for style in _STYLES if np.isfinite(numbers_of(present, style)).all()), None)


def examples(values: Iterable[Any], most: int = 3) -> str:
    """Return some of the values for a message, shortened."""
    found = list(dict.fromkeys(map(str, values)))
    shown = [repr(text if len(text) <= 24 else f"{text[:23]}…") for text in found[:most]]
    return ", ".join(shown) + (", …" if len(found) > most else "")


def _counted(n: int, noun: str) -> str:
    return f"{n} {noun}{'' if n == 1 else 's'}"


def _share(gone: np.ndarray[Any, Any]) -> str:
    share = 100 * float(gone.mean())
    return f"{share:.1f} %" if share >= 0.05 else "under 0.1 %"
