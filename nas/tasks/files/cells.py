"""What single cells of a table mean: missing, a number in one of three ways to write it, a date, or text."""

from __future__ import annotations

import re
import warnings
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

__all__ = ["DATE_FORMATS", "MOST", "NumberStyle", "dates_of", "is_missing", "is_text", "numbers_of", "texts_of"]

NumberStyle = Literal["plain", "comma", "thousands"]
"""1234.5, 1.234,5 or 1,234.5."""

MOST = 1e100
"""Larger numbers count as missing: their squares leave what can be computed with."""

_MISSING = ("", "na", "n/a", "#n/a", "nan", "null", "none", "nil", "?", "-", "--", "<na>", "nat")
_COMMA = re.compile(r"[+-]?(\d+|\d{1,3}(\.\d{3})+)(,\d+)?([eE][+-]?\d+)?")
_THOUSANDS = re.compile(r"[+-]?\d{1,3}(,\d{3})+(\.\d*)?")
_DATE = re.compile(r"\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}([T ]\d{1,2}:\d{2}.*)?|\d{4}-\d{2}")
DATE_FORMATS = (
    "ISO8601", "%d.%m.%Y", "%d.%m.%Y %H:%M", "%d.%m.%Y %H:%M:%S", "%m/%d/%Y", "%m/%d/%Y %H:%M", "%m/%d/%Y %H:%M:%S",
    "%d/%m/%Y", "%d/%m/%Y %H:%M", "%d/%m/%Y %H:%M:%S", "%Y/%m/%d", "%Y/%m/%d %H:%M", "%Y/%m/%d %H:%M:%S",
)  # fmt: skip
"""Ways to write a date, in the order in which they are tried."""


def is_text(values: pd.Series[Any]) -> bool:
    """Whether a column holds text, or objects that are taken for it."""
    return not (pd.api.types.is_numeric_dtype(values.dtype) or pd.api.types.is_datetime64_any_dtype(values.dtype)) or (
        pd.api.types.is_bool_dtype(values.dtype)
    )


def texts_of(values: pd.Series[Any]) -> NDArray[np.object_]:
    """Return cells as stripped text, ``""`` where nothing is there, (n,)."""
    gone = values.isna().to_numpy(bool)
    found = values.astype(str).str.strip().to_numpy(object)
    found[gone] = ""
    codes, unique = pd.factorize(found)
    kept = np.array(["" if text.lower() in _MISSING else text for text in unique], dtype=object)
    texts: NDArray[np.object_] = kept[codes]
    return texts


def is_missing(values: pd.Series[Any]) -> NDArray[np.bool_]:
    """Return which cells hold nothing, (n,)."""
    if is_text(values):
        return np.asarray(texts_of(values) == "", dtype=bool)
    if pd.api.types.is_numeric_dtype(values.dtype):
        return np.asarray(~np.isfinite(numbers_of(values)), dtype=bool)
    return values.isna().to_numpy(bool)


def numbers_of(values: pd.Series[Any], style: NumberStyle = "plain") -> NDArray[np.float64]:
    """Return cells as numbers, NaN where there is none, and for numbers beyond `MOST`, (n,)."""
    if pd.api.types.is_datetime64_any_dtype(values.dtype):
        return np.full(len(values), np.nan)
    if is_text(values):
        texts = pd.Series(texts_of(values), dtype=object)
        if style != "plain":
            pattern, gone, point = (_COMMA, ".", ",") if style == "comma" else (_THOUSANDS, ",", ".")
            texts = texts.map(lambda text: _rewritten(text, pattern, gone, point))
        # Digits with lines between, which Python and not people read as numbers.
        texts = texts.where(~texts.str.contains("_", regex=False), "")
        found = pd.to_numeric(texts, errors="coerce").to_numpy(np.float64, na_value=np.nan)
    else:
        found = values.to_numpy(np.float64, na_value=np.nan)
    found = np.array(found, np.float64)
    with np.errstate(invalid="ignore"):
        found[~(np.abs(found) <= MOST)] = np.nan
    return found


def _rewritten(text: str, pattern: re.Pattern[str], gone: str, point: str) -> str:
    if pattern.fullmatch(text):
        return text.replace(gone, "").replace(point, ".")
    return text if re.fullmatch(r"[+-]?\d+", text) else ""


def dates_of(values: pd.Series[Any], style: str = "ISO8601") -> NDArray[np.datetime64]:
    """Return cells as dates to the microsecond in UTC, NaT where there is none, (n,)."""
    if pd.api.types.is_numeric_dtype(values.dtype):
        return np.full(len(values), np.datetime64("NaT"), dtype="datetime64[us]")
    if pd.api.types.is_datetime64_any_dtype(values.dtype):
        found = pd.to_datetime(values, utc=True)
    else:
        texts = texts_of(values)
        codes, unique = pd.factorize(texts)
        dated = [text if _DATE.fullmatch(text) else None for text in unique]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            own = pd.Series(pd.to_datetime(pd.Series(dated, dtype=object), format=style, errors="coerce", utc=True))
        found = own.iloc[codes]
    return found.dt.tz_localize(None).to_numpy("datetime64[us]")
