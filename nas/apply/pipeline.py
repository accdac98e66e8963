"""TrainedPipeline: a found network with all that is done before and after it, from raw rows to answers."""

from __future__ import annotations

import json
import warnings
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from nas.errors import InputError
from nas.networks import PooledMLP, SequenceNetwork, SparseMLP, load_network
from nas.tasks.files.answers import shares_of
from nas.tasks.files.arrays import ArrayPreparation
from nas.tasks.files.columns import examples
from nas.tasks.files.pipeline import FILE, Pipeline
from nas.tasks.measures import MEASURES, SQUARED_ERROR, loss_of

__all__ = ["DataWarning", "Prepared", "TrainedPipeline", "classes_of", "load_pipeline"]

_BATCH = 4096
_NETWORK = "network.safetensors"


class DataWarning(UserWarning):
    """Something in raw rows is not as it was in training; the message is one line.

    Examples
    --------
    >>> import warnings
    >>> from tempfile import TemporaryDirectory
    >>> import pandas as pd
    >>> from nas import Campaign, DataWarning, Recipe, load_pipeline
    >>> houses = pd.DataFrame({"town": 40 * ["Bonn", "Ulm"], "sold": 40 * ["no", "yes"]})
    >>> few = {"recipe": Recipe(epochs=1, learning_rates=0.01), "trials": 1, "finalists": 1, "final_seeds": 1}
    >>> with TemporaryDirectory() as folder:
    ...     houses.to_csv(f"{folder}/houses.csv", index=False)
    ...     _ = Campaign(f"{folder}/houses", task=f"csv:{folder}/houses.csv", files={"target": "sold"}, **few).run()
    ...     pipeline = load_pipeline(f"{folder}/houses")
    >>> with warnings.catch_warnings():
    ...     warnings.simplefilter("error", DataWarning)
    ...     try:
    ...         pipeline.predict(pd.DataFrame({"town": ["Ulm", "Oslo"]}))
    ...     except DataWarning as warning:
    ...         print(warning)
    town: 1 of 2 rows have a category that training does not tell apart ('Oslo'); ...
    """


@dataclass(frozen=True)
class Prepared:
    """Inputs of a network, lengths of sequences, and a line on whatever is not as in training."""

    inputs: NDArray[np.float32]
    lengths: NDArray[np.int64] | None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class TrainedPipeline:
    """A network, and how it is used on raw data. `load_pipeline` reads one.

    Parameters
    ----------
    network : nn.Module
        In evaluation mode.
    pipeline : Pipeline or None
        None for the network of a built-in task, which takes arrays as its task has them, and numbers classes from 0.
    folder : Path
        From which it was read.
    metric : str or None
        What the network was judged by, if that is known: without a pipeline it says whether numbers are predicted.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> import pandas as pd
    >>> from nas import Campaign, Recipe, load_pipeline
    >>> houses = pd.DataFrame({"town": 40 * ["Bonn", "Ulm"], "sold": 40 * ["no", "yes"]})
    >>> few = {"recipe": Recipe(epochs=20, learning_rates=0.03), "trials": 1, "finalists": 1, "final_seeds": 1}
    >>> with TemporaryDirectory() as folder:
    ...     houses.to_csv(f"{folder}/houses.csv", index=False)
    ...     _ = Campaign(f"{folder}/houses", task=f"csv:{folder}/houses.csv", files={"target": "sold"}, **few).run()
    ...     pipeline = load_pipeline(f"{folder}/houses")
    >>> pipeline.predict(pd.DataFrame({"town": ["Ulm", "Bonn"]})).tolist()
    ['yes', 'no']
    """

    network: SparseMLP | PooledMLP | SequenceNetwork
    pipeline: Pipeline | None
    folder: Path
    metric: str | None = None

    @property
    def takes_tables(self) -> bool:
        """Whether raw rows of a table can be predicted, and not arrays alone."""
        return self.pipeline is not None and self.pipeline.of_columns is not None

    @property
    def is_sequence(self) -> bool:
        """Whether an example is a sequence."""
        return isinstance(self.network, SequenceNetwork)

    @property
    def labels(self) -> tuple[Any, ...]:
        """Labels of the classes in the order of the outputs; empty where numbers are predicted, or nothing is known."""
        return () if self.pipeline is None else self.pipeline.answers.labels

    @property
    def predicts_numbers(self) -> bool:
        """Whether numbers are predicted, and not classes."""
        if self.pipeline is not None:
            return not self.pipeline.answers.labels
        return self.metric == SQUARED_ERROR or (self.metric in MEASURES and loss_of(self.metric) == "squared-error")

    @property
    def target(self) -> str:
        """What is predicted, in a word."""
        if self.pipeline is not None:
            return self.pipeline.answers.name
        return "prediction" if self.predicts_numbers else "class"

    def predict(self, data: Any, lengths: Any = None) -> NDArray[Any]:
        """Return the label of each row, (n,), or the numbers predicted, (n,) or (n, n_outputs).

        A network with outputs at every step gives labels of all steps, (n, time), and None behind the end of a
        sequence, or -1 where classes have no labels; or numbers, and NaN there.

        Parameters
        ----------
        data : DataFrame, array or path
            Rows of the columns that the training file had, in any order, or arrays as in its file: (n, n_inputs) rows,
            (n, time, n_inputs) sequences, (n, rows, columns) images.
        lengths : (n,) integer array, optional
            Of sequences; the whole width by default.

        Raises
        ------
        InputError
            If columns are missing or shapes differ.

        Warns
        -----
        DataWarning
            For what is not as in training, such as a new category: a line each.
        """
        return self.answers(self.outputs(data, lengths))

    def answers(self, outputs: NDArray[np.float32]) -> NDArray[Any]:
        """Return what the outputs of the network mean; see `predict`."""
        if self.pipeline is not None:
            return self.pipeline.answers.predictions(outputs)
        if not self.predicts_numbers:
            return classes_of(outputs)
        values = outputs.astype(np.float64)
        return values[..., 0] if values.shape[-1] == 1 else values

    def predict_proba(self, data: Any, lengths: Any = None) -> NDArray[np.float64]:
        """Return the probability of each class, (n, n_classes), in the order of `labels`; see `predict`.

        At every step there are (n, time, n_classes), NaN behind the end of a sequence.
        """
        if self.predicts_numbers:
            raise InputError(f"{self.folder}: its network predicts numbers, which have no probabilities; use predict")
        outputs = self.outputs(data, lengths)
        return shares_of(outputs)

    def outputs(self, data: Any, lengths: Any = None) -> NDArray[np.float32]:
        """Return what the network gives, (n, n_outputs), or (n, time, n_outputs), NaN behind ends; see `predict`."""
        prepared = self.prepare(data, lengths)
        for note in prepared.notes:
            warnings.warn(note, DataWarning, stacklevel=3)
        return self.outputs_of(prepared)

    def outputs_of(self, prepared: Prepared) -> NDArray[np.float32]:
        """Return what the network gives for prepared inputs; see `outputs`."""
        inputs, lengths = prepared.inputs, prepared.lengths
        every_step = isinstance(self.network, SequenceNetwork) and self.network.every_step
        steps = inputs.shape[1:2] if every_step else ()
        found = np.full((len(inputs), *steps, self._n_outputs), np.nan, np.float32)
        with torch.no_grad():
            for start in range(0, len(inputs), _BATCH):
                own = slice(start, start + _BATCH)
                x = torch.from_numpy(np.ascontiguousarray(inputs[own]))
                if lengths is None:
                    found[own] = self.network(x).numpy()
                    continue
                ends = torch.from_numpy(lengths[own])
                width = int(ends.max())
                outputs = self.network(x[:, :width], ends).numpy()
                if every_step:
                    inside = np.arange(width) < lengths[own][:, None]
                    found[own, :width][inside] = outputs[inside]
                else:
                    found[own] = outputs
        return found

    def prepare(self, data: Any, lengths: Any = None) -> Prepared:
        """Return the inputs of the network for raw data; see `predict`."""
        if isinstance(data, str | Path):
            data, lengths = self._read(Path(data))
        if isinstance(data, pd.DataFrame):
            return self._of_table(data, lengths)
        if self.takes_tables:
            return self._of_rows(np.asarray(data), lengths)
        return self._of_arrays(np.asarray(data), lengths)

    @cached_property
    def _n_outputs(self) -> int:
        own = self.network.head if isinstance(self.network, SequenceNetwork) else self.network
        return int(own.out_features)

    def _read(self, path: Path) -> tuple[Any, Any]:
        """Return the table or the arrays in a file."""
        from nas.tasks.files.loading import named_file, read_table

        kind = named_file(str(path)).partition(":")[0]
        if kind == "npz":
            from nas.tasks.files.arrays import arrays_of

            sides = None if self.pipeline is None else self.pipeline.options.sides
            arrays = arrays_of(path, sides, needs_targets=False)
            if self.takes_tables and (arrays.inputs.ndim != 2 or arrays.lengths is not None):
                shape, sequences = arrays.inputs.shape, "" if arrays.lengths is None else " of sequences"
                raise InputError(f"{path}: its inputs{sequences} have shape {shape}, and the network in {self.folder} "
                                 "reads rows of a table; give (n, columns)")  # fmt: skip
            if self.takes_tables:
                return pd.DataFrame(arrays.inputs, columns=list(arrays.names)), arrays.lengths
            return arrays.inputs, arrays.lengths
        if not self.takes_tables:
            raise InputError(f"{path}: {self._told_of_arrays()}; give a npz or npy file with these as X")
        return read_table(path), None

    def _told_of_arrays(self) -> str:
        what = "sequences" if self.is_sequence else "arrays"
        name = "a built-in task" if self.pipeline is None else self.pipeline.task
        return f"the network in {self.folder} has learned {what} ({name}), and no columns of a table"

    def _of_table(self, frame: pd.DataFrame, lengths: Any) -> Prepared:
        if lengths is not None:
            raise InputError("lengths: they are for sequences, and a table has none; leave them out")
        if not self.takes_tables:
            raise InputError(f"{self._told_of_arrays()}; give an array")
        assert self.pipeline is not None
        preparation = self.pipeline.of_columns
        assert preparation is not None
        frame = frame.rename(columns=str)
        twice = frame.columns[frame.columns.duplicated()]
        if len(twice):
            raise InputError(f"column {examples(list(twice))} stands there twice; rename one")
        frame = frame.reset_index(drop=True)
        inputs, surprises = preparation.transform(frame)
        known = {column.name for column in preparation.columns} | set(self.pipeline.left_out)
        notes = [surprise.line for surprise in surprises]
        if extra := [name for name in frame.columns if name not in known]:
            notes.insert(0, f"columns that training did not have are not read: {examples(extra)}")
        return Prepared(inputs, None, tuple(notes))

    def _of_rows(self, rows: NDArray[Any], lengths: Any) -> Prepared:
        """Return prepared rows of an array, whose columns are those of the training file in their order."""
        assert self.pipeline is not None
        assert self.pipeline.of_columns is not None
        names = [column.name for column in self.pipeline.of_columns.columns]
        if rows.ndim != 2 or rows.shape[1] != len(names):
            raise InputError(
                f"an array of shape {rows.shape} is no rows of the {len(names)} columns that the network reads; give a "
                "DataFrame with their names"
            )
        return self._of_table(pd.DataFrame(rows, columns=names), lengths)

    def _of_arrays(self, values: NDArray[Any], lengths: Any) -> Prepared:
        ends = self._lengths(values, lengths)
        if self.pipeline is not None:
            assert isinstance(self.pipeline.preparation, ArrayPreparation)
            preparation = self.pipeline.preparation
            return Prepared(preparation.transform(values, ends), ends, preparation.surprises(values, ends))
        if values.dtype.kind not in "biuf":
            raise InputError(f"arrays of numbers are needed, and these are {values.dtype}")
        if values.ndim > 2 and ends is None:
            values = values.reshape(len(values), -1)
        width = self._n_inputs
        if values.ndim != (2 if ends is None else 3) or values.shape[-1] != width:
            needed = f"(n, {width})" if ends is None else f"(n, time, {width})"
            raise InputError(f"inputs have shape {values.shape}; the network in {self.folder} reads {needed}")
        return Prepared(values.astype(np.float32), ends)

    @property
    def _n_inputs(self) -> int:
        own = self.network
        return int(own.rnn.input_size if isinstance(own, SequenceNetwork) else own.in_features)

    def _lengths(self, values: NDArray[Any], lengths: Any) -> NDArray[np.int64] | None:
        if not self.is_sequence:
            if lengths is not None:
                raise InputError("lengths: they are for sequences, and the network reads rows; leave them out")
            return None
        if values.ndim != 3:
            raise InputError(f"inputs have shape {values.shape}; sequences are (n, time, n_inputs)")
        ends = np.full(len(values), values.shape[1]) if lengths is None else np.asarray(lengths)
        if ends.shape != (len(values),) or ends.dtype.kind not in "iu":
            raise InputError(
                f"lengths are {ends.dtype} {ends.shape}; one whole number for each of {len(values)} is needed"
            )
        if len(ends) and not 1 <= int(ends.min()) <= int(ends.max()) <= values.shape[1]:
            raise InputError(
                f"lengths reach from {ends.min()} to {ends.max()}; sequences have 1 to {values.shape[1]} steps"
            )
        return ends.astype(np.int64)


def classes_of(outputs: NDArray[np.float32]) -> NDArray[np.int64]:
    """Return the class of the largest of (..., n_outputs) outputs, and -1 where there are none."""
    return np.where(np.isnan(outputs).all(axis=-1), -1, outputs.argmax(axis=-1))


def _metric_in(folder: Path) -> str | None:
    """Return what the network in a folder was judged by; None where nothing says it, as of one that was generated."""
    file = folder / "outcome.json"
    if not file.is_file():
        return None
    try:
        metric = json.loads(file.read_text(encoding="utf-8"))["metric"]
    except (ValueError, LookupError, TypeError, RecursionError):
        raise InputError(f"{file}: damaged, or not ours: it does not say the metric; put a copy back") from None
    return metric if isinstance(metric, str) else None


def load_pipeline(out: str | Path) -> TrainedPipeline:
    """Return the best network in a folder, with all that is done before and after it.

    Parameters
    ----------
    out : path
        Of a campaign, of an experiment of `wirenas prune` or `rewire`, or the folder ``best`` in one.

    Raises
    ------
    InputError
        If there is no network, or it is damaged, or does not fit what is done around it.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> import numpy as np
    >>> from nas import Campaign, Recipe, load_pipeline
    >>> few = {"recipe": Recipe(epochs=1, learning_rates=0.01), "trials": 1, "finalists": 1, "final_seeds": 1}
    >>> with TemporaryDirectory() as folder:
    ...     _ = Campaign(folder, task="digits", **few).run()
    ...     pipeline = load_pipeline(folder)
    >>> pipeline.predict_proba(np.zeros((5, 64))).shape
    (5, 10)
    """
    folder = Path(out)
    file = next((own for own in (folder / "best" / _NETWORK, folder / _NETWORK) if own.is_file()), None)
    if file is None:
        raise InputError(
            f"{folder}: no network lies there yet; give the folder of a campaign or experiment that is over"
        )
    try:
        network: Any = load_network(file)
    except ValueError as error:
        raise InputError(" ".join(str(error).split())) from None
    if not isinstance(network, SparseMLP | PooledMLP | SequenceNetwork):
        raise InputError(f"{file}: a {type(network).__name__} has no outputs to predict with")
    network.eval()
    own = file.parent / FILE
    pipeline = Pipeline.load(own) if own.is_file() else None
    found = TrainedPipeline(network, pipeline, folder, None if pipeline is not None else _metric_in(file.parent))
    if found.pipeline is not None:
        reads, gives = found.pipeline.preparation.n_inputs, found.pipeline.answers.n_outputs
        if (reads, gives) != (found._n_inputs, found._n_outputs):
            raise InputError(
                f"{own}: it is for {reads} inputs and {gives} outputs, and the network has {found._n_inputs} and "
                f"{found._n_outputs}; they are not of one campaign"
            )
    return found
