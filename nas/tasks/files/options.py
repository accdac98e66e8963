"""FileOptions: what a file alone does not say about the task that lies in it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict

from nas.errors import OneLineErrors, known

__all__ = ["FileOptions"]

_MOST_SIDE = 4096


def _names(value: Any) -> Any:
    return (value,) if isinstance(value, str) else value


def _known_metric(name: str) -> str:
    from nas.tasks.measures import MEASURES  # Which computes with numpy.

    return known("metric", name, MEASURES)


def _shape(value: Any) -> Any:
    """Return a shape as text, such as 28x28."""
    if isinstance(value, Sequence) and not isinstance(value, str):
        value = "x".join(map(str, value))
    if value is None or not isinstance(value, str):
        return value
    sides = re.fullmatch(r"\s*(?:(\d+)\s*[x×,:]\s*)?(\d+)\s*[x×,:]\s*(\d+)\s*", value)
    given = [] if sides is None else [int(side) for side in sides.groups() if side is not None]
    if not given or not all(1 <= side <= _MOST_SIDE for side in given):
        raise ValueError(
            f"shape={value}: it must be rows and columns of an image, 1 to {_MOST_SIDE}, such as 28x28, or channels, "
            "rows and columns, such as 3x32x32"
        )
    return "x".join(map(str, given))


class FileOptions(OneLineErrors, BaseModel):
    """How a file becomes a task; every option has a default that `wirenas data FILE` shows."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    target: str | None = None
    """Column to predict; the last one by default, or the array y of a npz file."""
    drop_columns: Annotated[tuple[str, ...], BeforeValidator(_names)] = ()
    """Columns that are not read."""
    group: str | None = None
    """Column whose values stay together: no group has rows in two parts."""
    time: str | None = None
    """Column by which rows are split in order: the first are learned from, the last are the test part."""
    test: str | None = None
    """File of the test part, of the same columns; by default a fifth of the rows is drawn."""
    class_weights: bool = False
    """Whether classes count equally in training, however rare they are."""
    metric: Annotated[str, AfterValidator(_known_metric)] | None = None
    """accuracy, balanced-accuracy, macro-f1, auc, log-loss (classes); mse, mae, r2 (numbers). It also decides which of
    both is predicted; by default accuracy, or mse."""
    shape: Annotated[str | None, BeforeValidator(_shape)] = None
    """Rows and columns of images, such as 28x28, where the inputs are their pixels: arrays, or columns row by row.
    Several channels come first: 3x32x32, or 6x1x40 for six signals of 40 steps."""

    @property
    def sides(self) -> tuple[int, ...] | None:
        """Rows and columns of images, behind their channels where there are several."""
        return None if self.shape is None else tuple(map(int, self.shape.split("x")))
