"""From the raw rows of a table to the inputs of a network, by scikit-learn's transformers.

What was fitted is kept as plain numbers and texts, from which the same transformers are built again: no code is stored.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import AllowInfNan, BaseModel, ConfigDict, Field, model_validator

from nas.errors import InputError
from nas.tasks.files.cells import NumberStyle, dates_of, numbers_of, texts_of
from nas.tasks.files.columns import MOST_CATEGORIES, Column, examples
from nas.tasks.files.dates import PARTS, numbers_of_dates

__all__ = ["Fitted", "Surprise", "TablePreparation", "check_columns"]

_MANY_CATEGORIES = 10
"""More of them than this, and those that occur once are not told apart from new ones."""
_MOST_WORDS = 50
_FARTHEST = 10.0
"""Standard deviations from the mean, beyond which it does not matter how far a number is away."""

Finite = Annotated[float, AllowInfNan(False)]


class _Stored(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Number(_Stored):
    """A column of numbers as it was in training: what stands for missing ones, and how it is scaled."""

    name: str
    median: Finite
    mean: Finite
    scale: Annotated[Finite, Field(gt=0)]
    marked: bool = False
    """Whether another input says where it is missing."""


class Categories(_Stored):
    """The categories of a column that are told apart; ``""`` stands for a missing one."""

    name: str
    values: Annotated[tuple[str, ...], Field(min_length=1)]


class Words(_Stored):
    """The words that are looked for in a column of texts, and their weights (inverse document frequencies)."""

    name: str
    vocabulary: Annotated[tuple[str, ...], Field(min_length=1)]
    idf: tuple[Finite, ...]

    @model_validator(mode="after")
    def _as_many(self) -> Words:
        if len(self.vocabulary) != len(self.idf) or len(set(self.vocabulary)) != len(self.vocabulary):
            raise ValueError(f"{self.name}: every word has one weight")
        return self


@dataclass(frozen=True)
class Surprise:
    """Cells that were not seen in training, or cannot be read as what their column is."""

    column: str
    count: int
    line: str


@dataclass(frozen=True)
class Fitted:
    """Inputs of all rows, the preparation that was fitted to some of them, and what is new in the others."""

    preparation: TablePreparation
    inputs: NDArray[np.float32]
    surprises: tuple[Surprise, ...]


class TablePreparation(_Stored):
    """How rows of a table become inputs: (n, n_inputs) float32.

    Numbers are scaled to mean 0 and standard deviation 1, missing ones are the median with an input of their own that
    says so; each category has an input; of texts the words count (tf-idf). No value is farther than 10 from 0.

    Parameters
    ----------
    columns : tuple of Column
        How the cells are read, in the order of the training file.
    numbers, categories, words
        What was fitted, in the order of the inputs.
    """

    kind: Literal["table"] = "table"
    columns: tuple[Column, ...]
    numbers: tuple[Number, ...] = ()
    categories: tuple[Categories, ...] = ()
    words: tuple[Words, ...] = ()

    @model_validator(mode="after")
    def _complete(self) -> TablePreparation:
        names = [column.name for column in self.columns]
        if len(set(names)) < len(names):
            raise ValueError("a column stands there twice")
        for column in self.columns:
            if not set(column.parts) <= set(PARTS):
                raise ValueError(f"{column.name}: parts of dates are {', '.join(PARTS)}")
        blank = pd.DataFrame({name: pd.Series([""], dtype=object) for name in names})
        for kind, fitted in (("number", self.numbers), ("category", self.categories), ("words", self.words)):
            needed = [name for name, own in typed(self.columns, blank).kinds.items() if own == kind]
            if [own.name for own in fitted] != needed:
                raise ValueError(f"{kind}: the columns and what is known of them differ")
        return self

    @classmethod
    def fit(cls, columns: Sequence[Column], frame: pd.DataFrame, train: NDArray[np.int64]) -> Fitted:
        """Fit to the rows of the training part, and return the inputs of all rows.

        Raises
        ------
        InputError
            If no column is left to learn from.
        """
        columns = tuple(columns)
        if not columns:
            raise InputError("no column is left to learn from: all are the target, left out, or the same in every row")
        read = typed(columns, frame)
        known = read.frame.iloc[train]
        words, lost = [], []
        for name in read.names("words"):
            if vocabulary := _vocabulary(known[name]):
                words.append(Words(name=name, vocabulary=vocabulary, idf=(1.0,) * len(vocabulary)))
            else:
                lost.append(name)
        if lost:
            return cls.fit([column for column in columns if column.name not in lost], frame, train)
        marked = {name for name in read.names("number") if known[name].isna().any()}
        begun = cls.model_construct(
            columns=columns,
            numbers=tuple(
                Number(name=name, median=0, mean=0, scale=1, marked=name in marked) for name in read.names("number")
            ),
            categories=tuple(Categories(name=name, values=_told_apart(known[name])) for name in read.names("category")),
            words=tuple(words),
        )
        transformer = begun._unfitted()
        transformer.fit(known)
        done = begun._with_statistics(transformer)
        return Fitted(done, done._transformed(read.frame), (*read.surprises, *done._new_categories(read.frame)))

    def transform(self, frame: pd.DataFrame) -> tuple[NDArray[np.float32], tuple[Surprise, ...]]:
        """Return the inputs of rows, and what in them is new.

        Raises
        ------
        InputError
            If a column is missing.
        """
        check_columns(self.columns, frame)
        read = typed(self.columns, frame)
        return self._transformed(read.frame), (*read.surprises, *self._new_categories(read.frame))

    @property
    def n_inputs(self) -> int:
        """Inputs of the network."""
        marks = sum(own.marked for own in self.numbers)
        return (
            len(self.numbers)
            + marks
            + sum(len(own.values) for own in self.categories)
            + sum(len(own.vocabulary) for own in self.words)
        )

    @cached_property
    def transformer(self) -> Any:
        """The fitted `sklearn.compose.ColumnTransformer`, of columns that are numbers or texts already."""
        transformer = self._unfitted()
        row: dict[str, Any] = {own.name: [own.median] for own in self.numbers}
        row |= {own.name: pd.Series([own.values[0]], dtype=object) for own in self.categories}
        row |= {own.name: pd.Series([own.vocabulary[0]], dtype=object) for own in self.words}
        # Medians of one row are its numbers, and all else that is fitted is given or set.
        transformer.fit(pd.DataFrame(row))
        if self.numbers:
            scaler = transformer.named_transformers_["numbers"]["scale"]
            scaler.mean_ = np.array([own.mean for own in self.numbers])
            scaler.scale_ = np.array([own.scale for own in self.numbers])
            scaler.var_ = scaler.scale_**2
        for place, own in enumerate(self.words):
            transformer.named_transformers_[f"words_{place}"].idf_ = np.array(own.idf)
        return transformer

    def _unfitted(self) -> Any:
        from sklearn.compose import ColumnTransformer
        from sklearn.feature_extraction.text import TfidfVectorizer
        from sklearn.impute import MissingIndicator, SimpleImputer
        from sklearn.pipeline import Pipeline
        from sklearn.preprocessing import OneHotEncoder, StandardScaler

        steps: list[tuple[str, Any, Any]] = []
        if self.numbers:
            fill = SimpleImputer(strategy="median", keep_empty_features=True)
            scaled = Pipeline([("fill", fill), ("scale", StandardScaler())])
            steps.append(("numbers", scaled, [own.name for own in self.numbers]))
        if marked := [own.name for own in self.numbers if own.marked]:
            steps.append(("marks", MissingIndicator(features="all"), marked))
        if self.categories:
            values = [np.array(own.values, dtype=object) for own in self.categories]
            one_hot = OneHotEncoder(categories=values, handle_unknown="ignore", sparse_output=False)
            steps.append(("categories", one_hot, [own.name for own in self.categories]))
        for place, own in enumerate(self.words):
            steps.append((f"words_{place}", TfidfVectorizer(vocabulary=list(own.vocabulary)), own.name))
        return ColumnTransformer(steps, sparse_threshold=0.0)

    def _with_statistics(self, transformer: Any) -> TablePreparation:
        """Return the preparation with what a transformer was fitted to."""
        numbers, words = self.numbers, self.words
        if numbers:
            fill, scaler = transformer.named_transformers_["numbers"]
            rows = zip(fill.statistics_.tolist(), scaler.mean_.tolist(), scaler.scale_.tolist(), strict=True)
            numbers = tuple(
                own.model_copy(update={"median": median, "mean": mean, "scale": scale})
                for own, (median, mean, scale) in zip(numbers, rows, strict=True)
            )
        if words:
            fitted = [transformer.named_transformers_[f"words_{place}"] for place in range(len(words))]
            words = tuple(
                own.model_copy(update={"idf": tuple(one.idf_.tolist())}) for own, one in zip(words, fitted, strict=True)
            )
        return TablePreparation(columns=self.columns, numbers=numbers, categories=self.categories, words=words)

    def _transformed(self, frame: pd.DataFrame) -> NDArray[np.float32]:
        if len(frame) == 0:
            return np.empty((0, self.n_inputs), np.float32)
        found = self.transformer.transform(frame)
        return np.clip(np.asarray(found, np.float64), -_FARTHEST, _FARTHEST).astype(np.float32)

    def _new_categories(self, frame: pd.DataFrame) -> list[Surprise]:
        found = []
        for own in self.categories:
            texts = frame[own.name]
            new = texts[~texts.isin(own.values)]
            if len(new):
                line = f"{own.name}: {len(new)} of {len(frame)} rows have a category that training does not tell apart"
                found.append(Surprise(own.name, len(new), f"{line} ({examples(new)}); they count as none of those"))
        return found


def check_columns(columns: Sequence[Column], frame: pd.DataFrame) -> None:
    """Refuse a table that has not all of these columns."""
    missing = [column.name for column in columns if column.name not in frame.columns]
    if missing:
        has = examples(list(frame.columns), 8) if len(frame.columns) else "none"
        raise InputError(f"column {examples(missing)} is missing; the table has {has}")


@dataclass(frozen=True)
class _Typed:
    """Columns of numbers and texts, what each is, and what could not be read."""

    frame: pd.DataFrame
    kinds: Mapping[str, str]
    surprises: tuple[Surprise, ...]

    def names(self, kind: str) -> list[str]:
        return [name for name, own in self.kinds.items() if own == kind]


def typed(columns: Sequence[Column], frame: pd.DataFrame) -> _Typed:
    """Return a table of which every column is numbers, with NaN, or texts, with ``""``."""
    found: dict[str, Any] = {}
    kinds: dict[str, str] = {}
    surprises = []
    for column in columns:
        values = frame[column.name]
        if column.kind in ("category", "words"):
            found[column.name], kinds[column.name] = pd.Series(texts_of(values), dtype=object), column.kind
            continue
        if column.kind == "date":
            dates = dates_of(values, column.style)
            own, unread = numbers_of_dates(column.name, dates, column.parts), np.isnat(dates)
        else:
            style: NumberStyle = column.style  # type: ignore[assignment]
            numbers = numbers_of(values, style)
            own, unread = {column.name: numbers}, np.isnan(numbers)
        texts = texts_of(values[unread]) if unread.any() else np.empty(0, object)
        strange = texts[texts != ""]
        if len(strange):
            line = f"{column.name}: {len(strange)} of {len(frame)} rows hold no {column.kind} ({examples(strange)})"
            surprises.append(Surprise(column.name, len(strange), f"{line}; they count as missing"))
        found |= {name: pd.Series(own_values) for name, own_values in own.items()}
        kinds |= dict.fromkeys(own, "number")
    return _Typed(pd.DataFrame(found), kinds, tuple(surprises))


def _told_apart(texts: pd.Series[Any]) -> tuple[str, ...]:
    """Return the categories that get an input: the commonest, and of many none that occurs once; sorted."""
    counts = texts.value_counts()
    if len(counts) > _MANY_CATEGORIES and (counts > 1).any():
        counts = counts[counts > 1]
    # Of equally frequent ones the first by name, whatever the order of the rows.
    order = sorted(counts.items(), key=lambda item: (-item[1], str(item[0])))
    return tuple(sorted(str(name) for name, _ in order[:MOST_CATEGORIES]))


def _vocabulary(texts: pd.Series[Any]) -> tuple[str, ...]:
    from sklearn.feature_extraction.text import CountVectorizer

    try:
        found = CountVectorizer(max_features=_MOST_WORDS).fit(texts)
    except ValueError:
        return ()  # Nothing in them is a word.
    return tuple(map(str, found.get_feature_names_out()))
