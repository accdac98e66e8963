"""Tasks from the user's own files: csv, parquet, arff and npz, and data sets of OpenML.

`loading` leads from a name such as csv:houses.csv to a `nas.tasks.Task`: `tables` and `arrays` read, `answers` says
what is predicted, `parting` splits, `columns` judges what columns are, `preparation` fits scikit-learn's transformers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from priors.lazy import lazy_names

if TYPE_CHECKING:
    from nas.tasks.files.answers import Answers
    from nas.tasks.files.arrays import ArrayPreparation, arrays_of
    from nas.tasks.files.columns import Column
    from nas.tasks.files.loading import (
        KINDS,
        Loaded,
        is_file_task,
        load_file,
        named_file,
        read_file,
        read_table,
        stem_of,
    )
    from nas.tasks.files.options import FileOptions
    from nas.tasks.files.pipeline import FILE, Pipeline
    from nas.tasks.files.preparation import Surprise, TablePreparation

__all__ = [
    "FILE",
    "KINDS",
    "Answers",
    "ArrayPreparation",
    "Column",
    "FileOptions",
    "Loaded",
    "Pipeline",
    "Surprise",
    "TablePreparation",
    "arrays_of",
    "is_file_task",
    "load_file",
    "named_file",
    "read_file",
    "read_table",
    "stem_of",
]

_MODULES = {
    "FILE": "pipeline",
    "KINDS": "loading",
    "Answers": "answers",
    "ArrayPreparation": "arrays",
    "Column": "columns",
    "FileOptions": "options",
    "Loaded": "loading",
    "Pipeline": "pipeline",
    "Surprise": "preparation",
    "TablePreparation": "preparation",
    "arrays_of": "arrays",
    "is_file_task": "loading",
    "load_file": "loading",
    "named_file": "loading",
    "read_file": "loading",
    "read_table": "loading",
    "stem_of": "loading",
}

__getattr__, __dir__ = lazy_names(__name__, _MODULES)
