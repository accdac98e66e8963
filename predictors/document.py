"""What ``predictor.json`` must look like: types and limits of all that it holds."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from predictors.legacy import FIRST_NAMES

__all__ = ["DOCUMENTS", "FORMAT", "VERSION", "AnyDocument", "Part", "ReadingDocument"]

FORMAT, VERSION = "wirenas-predictor", 3

_MOST_COLUMNS, _MOST_MEMBERS = 4096, 64

Finite = Annotated[float, Field(allow_inf_nan=False)]
Tiers = list[Literal["size", "structure", "centrality", "published", "recurrent"]]
Names = Annotated[list[Annotated[str, Field(min_length=1, max_length=200)]], Field(max_length=_MOST_COLUMNS)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Part(_Strict):
    """A member: its kind and scalars; its arrays have names that begin with the part's own."""

    kind: Annotated[str, Field(max_length=50)]
    scalars: dict[str, int | Finite | str]


class _Share(_Strict):
    name: Annotated[str, Field(max_length=100)]
    weight: Annotated[float, Field(ge=0, le=1)]
    member: Part


class _Preparation(_Strict):
    structure: str
    orientation: list[str]
    attachment: list[str]
    n_inputs: int
    n_outputs: int
    reads: int
    readouts: int
    width: int
    draws: int


class _Arguments(_Strict):
    tiers: Tiers | None
    pivots: Annotated[int, Field(ge=1)] | None
    preparation: _Preparation | None
    metric: Annotated[str, Field(max_length=100)]
    direction: Literal["maximize", "minimize"]
    bounds: tuple[Finite, Finite] | None
    chance: Finite | None
    seed: Annotated[int, Field(ge=0)]


class _Calibration(_Strict):
    scale: Part
    floor: Annotated[float, Field(gt=0, allow_inf_nan=False)]
    rms: Annotated[float, Field(ge=0, allow_inf_nan=False)]
    n_groups: Annotated[int, Field(ge=1)]


class _Document(_Strict):
    """What all versions of ``predictor.json`` hold."""

    format: Literal["wirenas-predictor"]
    version: int
    wirenas: Annotated[str, Field(max_length=100)]
    arrays: Annotated[str, Field(pattern=r"^arrays-[0-9a-f]{64}\.safetensors$")]
    arguments: _Arguments
    own_columns: Names
    parameter_names: Names
    members: Annotated[list[_Share], Field(min_length=1, max_length=_MOST_MEMBERS)]
    classifier: Part | None
    calibration: _Calibration
    radius: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None
    spread_factor: Annotated[float, Field(ge=0, allow_inf_nan=False)]
    references: dict[str, Finite | None]


class Document(_Document):
    """All of ``predictor.json`` but its seal.

    Parameters
    ----------
    names : list of str
        The features that are read, in the order of their columns; those of `own_columns` follow.
    """

    names: Names


class ReadingDocument(Document):
    """The same in version 3, of a predictor that knows the inputs of its wirings.

    Parameters
    ----------
    reads : list of str
        The features of what wirings read, whose columns follow those of `names`; the arrays hold what is known of the
        inputs.
    """

    reads: Names


class FirstDocument(_Document):
    """The same in version 1, which had tiers in place of names."""

    tiers: Tiers

    @property
    def names(self) -> list[str]:
        """The features of the tiers, as they were then."""
        return [name for tier, names in FIRST_NAMES.items() if tier in self.tiers for name in names]


AnyDocument = Document | FirstDocument

DOCUMENTS: dict[int, type[AnyDocument]] = {1: FirstDocument, 2: Document, VERSION: ReadingDocument}
"""What is read, by version."""
