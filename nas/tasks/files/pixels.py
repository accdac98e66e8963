"""From the raw rows of a table whose columns are the pixels of images to the inputs of a network."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Annotated, Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import AllowInfNan, BaseModel, ConfigDict, Field, model_validator

from nas.errors import InputError
from nas.tasks.files.arrays import finite_numbers, sides_of
from nas.tasks.files.cells import is_missing
from nas.tasks.files.columns import Column, examples, style_of
from nas.tasks.files.preparation import Surprise, check_columns, typed

__all__ = ["PixelPreparation"]


class PixelPreparation(BaseModel):
    """How rows of pixels become inputs: (n, n_pixels) float32.

    Pixels are divided by the largest one of the training part, so that what is 0 stays so; missing ones are 0.

    Parameters
    ----------
    columns : tuple of Column
        The pixels row by row, in the order of the training file.
    shape : (int, int) or (int, int, int)
        Rows and columns of an image, behind its channels where there are several.
    scale : float
        The largest pixel.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["pixels"] = "pixels"
    columns: tuple[Column, ...]
    shape: tuple[int, ...]
    scale: Annotated[float, AllowInfNan(False), Field(gt=0)]

    @model_validator(mode="after")
    def _complete(self) -> PixelPreparation:
        names = [column.name for column in self.columns]
        if len(set(names)) < len(names) or len(names) != math.prod(self.shape):
            raise ValueError("pixels: each has a column of its own")
        if any(column.kind != "number" for column in self.columns):
            raise ValueError("pixels: they are numbers")
        return self

    @classmethod
    def fit(
        cls, names: Sequence[str], shape: tuple[int, ...], frame: pd.DataFrame, train: NDArray[np.int64]
    ) -> tuple[PixelPreparation, NDArray[np.float32]]:
        """Fit to some rows of a table, whose columns of these names are pixels, and return the inputs of all of them.

        Raises
        ------
        InputError
            If there are not as many columns as pixels, or one holds something else.
        """
        sides, n_pixels = "x".join(map(str, shape)), math.prod(shape)
        if len(names) > n_pixels:
            raise InputError(
                f"shape={sides}: an image has {n_pixels} pixels, and {len(names)} columns are read "
                f"({examples(list(names), 4)}); give drop_columns for those that are no pixels"
            )
        if len(names) < n_pixels:
            raise InputError(f"shape={sides}: an image has {n_pixels} pixels, and a row has {len(names)}"
                             f"{sides_of((len(names),))}")  # fmt: skip
        columns = tuple(Column(name=name, kind="number", style=_style(frame[name])) for name in names)
        read = typed(columns, frame)
        if read.surprises:
            raise InputError(f"shape={sides}: pixels are numbers; {read.surprises[0].line.partition(';')[0]}")
        pixels = finite_numbers(read.frame.to_numpy(np.float64))
        largest = float(np.abs(pixels[train]).max(initial=0.0))
        own = cls(columns=columns, shape=shape, scale=largest or 1.0)
        return own, own._scaled(pixels)

    def transform(self, frame: pd.DataFrame) -> tuple[NDArray[np.float32], tuple[Surprise, ...]]:
        """Return the inputs of rows, and what in them is no number.

        Raises
        ------
        InputError
            If a column is missing.
        """
        check_columns(self.columns, frame)
        read = typed(self.columns, frame)
        return self._scaled(finite_numbers(read.frame.to_numpy(np.float64))), read.surprises

    @property
    def n_inputs(self) -> int:
        """Inputs of the network."""
        return len(self.columns)

    def _scaled(self, pixels: NDArray[np.float64]) -> NDArray[np.float32]:
        return (pixels / self.scale).astype(np.float32)


def _style(values: pd.Series[Any]) -> str:
    """Return how the pixels of a column are written; that which is no number is said later."""
    present = values[~is_missing(values)]
    return style_of(pd.Series(present.unique())) or "plain"
