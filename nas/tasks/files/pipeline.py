"""Pipeline: from raw rows to the inputs of a network, and from its outputs to answers; kept as JSON."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from nas.errors import InputError
from nas.failures import unusable
from nas.tasks.files.answers import Answers
from nas.tasks.files.arrays import ArrayPreparation
from nas.tasks.files.options import FileOptions
from nas.tasks.files.pixels import PixelPreparation
from nas.tasks.files.preparation import TablePreparation
from priors.files import atomic_write

__all__ = ["FILE", "Pipeline"]

FILE = "pipeline.json"
"""What it is called beside the network."""

_MOST_BYTES = 1 << 28


class Pipeline(BaseModel):
    """What is done before and after a network.

    Parameters
    ----------
    task : str
        The task's name.
    preparation : TablePreparation, PixelPreparation or ArrayPreparation
        From raw rows or arrays to inputs.
    answers : Answers
        From outputs to classes or numbers.
    left_out : tuple of str
        Columns of the training file that are not read.
    options : FileOptions
        By which the file became a task.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: Literal[1] = 1
    task: str
    answers: Answers
    preparation: Annotated[TablePreparation | PixelPreparation | ArrayPreparation, Field(discriminator="kind")]
    left_out: tuple[str, ...] = ()
    options: FileOptions = FileOptions()

    @property
    def of_columns(self) -> TablePreparation | PixelPreparation | None:
        """From raw rows of a table to inputs; None where arrays are read."""
        return None if isinstance(self.preparation, ArrayPreparation) else self.preparation

    def save(self, path: Path) -> None:
        """Write it as JSON."""
        with atomic_write(path) as temporary:
            temporary.write_text(self.model_dump_json(indent=1) + "\n", encoding="utf-8")

    @classmethod
    def load(cls, path: Path) -> Pipeline:
        """Read what `save` wrote.

        Raises
        ------
        InputError
            If it is no such file.
        """
        try:
            if path.stat().st_size > _MOST_BYTES:
                raise InputError(f"{path}: it is too large for a pipeline")
            return cls.model_validate_json(path.read_bytes())
        except OSError as error:
            raise unusable(error, str(path), "give the folder of a network") from None
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            place = ".".join(map(str, first["loc"]))
            raise InputError(f"{path}: it is no pipeline of this version: {place}: {first['msg']}") from None
