"""From the name of a file to a task: read it, say what is predicted, part the rows, and prepare them."""

from __future__ import annotations

import filecmp
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from nas.errors import InputError, known
from nas.tasks.directions import PREFIX
from nas.tasks.files.answers import Answers, Outcomes, outcomes_of
from nas.tasks.files.arrays import ArrayPreparation, Arrays, arrays_of, joined_targets
from nas.tasks.files.cells import DATE_FORMATS, dates_of, is_missing, is_text, numbers_of, texts_of
from nas.tasks.files.columns import examples, judge_column
from nas.tasks.files.options import FileOptions
from nas.tasks.files.parting import Parts, part_rows
from nas.tasks.files.pipeline import Pipeline
from nas.tasks.files.pixels import PixelPreparation
from nas.tasks.files.preparation import TablePreparation
from nas.tasks.files.steps import steps_of_parts, stepwise_outcomes
from nas.tasks.files.tables import Table, read_arff, read_csv, read_openml, read_parquet
from nas.tasks.measures import MEASURES, Measure, loss_of
from nas.tasks.steps import placed_at
from nas.tasks.task import Task

__all__ = ["KINDS", "Loaded", "is_file_task", "load_file", "named_file", "read_file", "read_table", "stem_of"]

_TABLES: dict[str, Callable[[Path], Table]] = {"csv": read_csv, "parquet": read_parquet, "arff": read_arff}
KINDS = (*_TABLES, "npz", "openml")
"""What may stand before the colon of a task's name."""
_SUFFIXES = {
    ".csv": "csv", ".tsv": "csv", ".txt": "csv", ".data": "csv", ".parquet": "parquet", ".pq": "parquet",
    ".arff": "arff", ".npz": "npz", ".npy": "npz",
}  # fmt: skip

_UPDATES = 600
"""That a training of default length makes at least, where the data are few."""
_FEW, _DECAYS = 1000, (1.0, 0.1)
"""Rows to learn from, below which weights decay as strongly as the first of these says, and else by the second.

Networks learn small tables by heart: on half a dozen of them this did best, or as well as anything (`_UPDATES` too).
"""
_EPOCHS, _MOST_EPOCHS = 30, 200
"""Passes over the training part: the general default, and at most."""
_MOST_NAMES = 20


def is_file_task(name: str) -> bool:
    """Whether a task's name says that it lies in a file, such as csv:houses.csv."""
    plain = name.removeprefix(PREFIX)
    return plain.partition(":")[0] in KINDS and ":" in plain


def named_file(path: str) -> str:
    """Return the name of the task in a file, by its suffix; what is a name already stays so.

    Raises
    ------
    InputError
        If the suffix does not tell.
    """
    if is_file_task(path):
        return path
    suffixes = [suffix.lower() for suffix in Path(path).suffixes if suffix.lower() != ".gz"]
    kind = _SUFFIXES.get(suffixes[-1] if suffixes else "")
    if kind is None:
        raise InputError(
            f"{path}: the suffix does not say what it is; give csv:{path}, or another of {', '.join(KINDS)}"
        )
    return f"{kind}:{path}"


def stem_of(name: str) -> str:
    """Return what folders are called after a task's name: of a file its own name without suffixes."""
    if name.startswith(PREFIX):
        return f"{PREFIX[:-1]}-{stem_of(name.removeprefix(PREFIX))}"
    if not is_file_task(name):
        return name
    return Path(name.partition(":")[2]).name.split(".")[0] or name.partition(":")[0]


@dataclass(frozen=True)
class Loaded:
    """A task from a file, what became of each column, and how its rows were split."""

    task: Task
    columns: Mapping[str, str]
    parts: str


def load_file(name: str, options: FileOptions | Mapping[str, Any] | None = None, folder: Path | None = None) -> Task:
    """Return the task in a file; see `read_file`."""
    return read_file(name, options, folder).task


def read_file(name: str, options: FileOptions | Mapping[str, Any] | None = None, folder: Path | None = None) -> Loaded:
    """Return the task in a file, with what is done to the file.

    Parameters
    ----------
    name : str
        Kind and path, such as csv:houses.csv, or openml:NAME_OR_NUMBER.
    options : FileOptions or mapping, optional
    folder : Path, optional
        Where a relative path begins, in place of the working directory.

    Raises
    ------
    InputError
        In one line, for whatever is wrong with the file or does not fit it.
    """
    options = options if isinstance(options, FileOptions) else FileOptions(**(options or {}))
    kind, _, rest = name.partition(":")
    known("kind of file", kind, KINDS)
    if not rest:
        raise InputError(f"task={name}: a path is missing after the colon")
    if options.group is not None and options.time is not None:
        raise InputError("group and time are both given: rows are split by one of them; leave one out")
    _refuse_the_same_file(kind, rest, options, folder)
    if kind == "npz":
        return _array_task(name, _placed(rest, folder), options, folder)
    table = read_openml(rest) if kind == "openml" else _TABLES[kind](_placed(rest, folder))
    return _table_task(name, table, options, folder)


def _refuse_the_same_file(kind: str, path: str, options: FileOptions, folder: Path | None) -> None:
    """Refuse a test part that is the file itself, or a copy of it: a network would be tested on what it learned."""
    if options.test is None or kind == "openml":
        return
    test = options.test.partition(":")[2] if is_file_task(options.test) else options.test
    own, other = _placed(path, folder), _placed(test, folder)
    if own.is_file() and other.is_file() and filecmp.cmp(own, other, shallow=False):
        raise InputError(
            f"test={options.test}: it holds what the file with the training part holds, byte by byte; give other "
            "examples, or leave it out"
        )


def read_table(path: str | Path, folder: Path | None = None) -> pd.DataFrame:
    """Return the table in a csv, parquet or arff file, by its suffix; a relative path may begin in a folder.

    Raises
    ------
    InputError
        If it is none.
    """
    kind, _, rest = named_file(str(path)).partition(":")
    if kind not in _TABLES:
        raise InputError(f"{path}: a table is needed: {', '.join(_TABLES)}")
    return _TABLES[kind](_placed(rest, folder)).frame


def _placed(path: str, folder: Path | None) -> Path:
    own = Path(path).expanduser()
    return own if folder is None or own.is_absolute() else folder / own


# Tables


def _table_task(name: str, table: Table, options: FileOptions, folder: Path | None) -> Loaded:
    frame, notes = table.frame, list(table.notes)
    columns = list(map(str, frame.columns))
    target = options.target or table.target or columns[-1]
    _check_columns(columns, target, options)
    if options.target is None and table.target is None:
        notes.append(f"target: the last column, {target!r}, is predicted; give target for another one")
    n_own = len(frame)
    frame = _with_test(frame, target, options, folder, notes)
    outcomes = outcomes_of(target, frame[target], options.metric)
    kept = np.flatnonzero(outcomes.known)
    if len(kept) < len(frame):
        notes.append(f"{len(frame) - len(kept)} of {len(frame)} rows have no {target} and are left out")
    splits = {option: getattr(options, option) for option in ("group", "time")}
    keys = {
        option: None if own is None else _keys(option, own, frame[own].iloc[kept]) for option, own in splits.items()
    }
    given = {} if options.test is None else {"test": np.flatnonzero(kept >= n_own)}
    parts = part_rows(outcomes.values, groups=keys["group"], times=keys["time"], given=given)
    own_columns = [own for own in columns if own not in (target, options.group, options.time, *options.drop_columns)]
    frame = frame.iloc[kept].reset_index(drop=True)
    left_out = dict.fromkeys(options.drop_columns, "left out as asked")
    left_out |= {own: f"splits the rows ({option}), not an input" for option, own in splits.items() if own is not None}
    left_out[target] = f"target: {outcomes.line}"
    if options.sides is not None:
        pixels, inputs = PixelPreparation.fit(own_columns, options.sides, frame, parts.train)
        if gone := int(sum(is_missing(frame[own]).sum() for own in own_columns)):
            notes.append(f"{gone} of {inputs.size} pixels are missing and count as 0")
        styled = [own.name for own in pixels.columns if own.style != "plain"]
        if styled:
            notes.append(f"{len(styled)} of {len(own_columns)} pixels are numbers with commas ({examples(styled)})")
        told = dict.fromkeys(own_columns, f"a pixel of an image of {options.shape}, divided by {pixels.scale:g}")
        extra = {"shape": options.sides}
        return _task(name, target, outcomes, parts, inputs, None, pixels, options, notes, told | left_out, extra)
    judged = {own: judge_column(own, frame[own].iloc[parts.train]) for own in own_columns}
    fitted = TablePreparation.fit([one.column for one in judged.values() if one.column is not None], frame, parts.train)
    assumed = {own: one.line for own, one in judged.items() if one.is_assumed}
    notes += [f"{own}: {line}" for own, line in assumed.items()]
    notes += [surprise.line for surprise in fitted.surprises if surprise.column not in assumed]
    told = {own: one.line for own, one in judged.items()} | left_out
    return _task(name, target, outcomes, parts, fitted.inputs, None, fitted.preparation, options, notes, told, {})


def _check_columns(columns: list[str], target: str, options: FileOptions) -> None:
    """Refuse names of columns that are not there, and a target that is not to be read."""
    named = [("target", target), ("group", options.group), ("time", options.time)]
    for option, name in (*named, *(("drop_columns", name) for name in options.drop_columns)):
        if name is None or name in columns:
            continue
        try:
            known("column", name, columns if len(columns) <= _MOST_NAMES else [*columns[:_MOST_NAMES], "…"])
        except InputError as error:
            raise InputError(f"{option}={name}: {error}") from None
    if target in (options.group, options.time, *options.drop_columns):
        raise InputError(f"target={target}: it is left out or splits the rows; give another one")


def _with_test(
    frame: pd.DataFrame, target: str, options: FileOptions, folder: Path | None, notes: list[str]
) -> pd.DataFrame:
    """Return a table followed by that of the test part."""
    if options.test is None:
        return frame
    other = read_table(options.test, folder)
    missing = [own for own in frame.columns if own not in other.columns and own not in options.drop_columns]
    if missing:
        raise InputError(f"test={options.test}: column {examples(missing)} of the other file is missing")
    if extra := [own for own in other.columns if own not in frame.columns]:
        notes.append(f"{options.test}: columns that only it has are not read: {examples(extra)}")
    if is_missing(other[target]).all():
        raise InputError(f"test={options.test}: no row has a {target}, so nothing can be tested; leave it out")
    both = {}
    for own in frame.columns:
        first, second = frame[own], other[own] if own in other.columns else pd.Series([None] * len(other), dtype=object)
        if first.dtype != second.dtype and (is_text(first) or is_text(second)):
            first, second = (pd.Series(texts_of(one), dtype=object) for one in (first, second))
        both[own] = pd.concat([first, second], ignore_index=True)
    return pd.DataFrame(both)


def _keys(option: str, name: str, values: pd.Series[Any]) -> NDArray[Any]:
    """Return what rows are split by: groups as text, times as numbers or dates."""
    gone = is_missing(values)
    if gone.any():
        raise InputError(
            f"{option}={name}: {int(gone.sum())} rows have no {name}; fill them in, or give another column"
        )
    if option == "group":
        return np.asarray(texts_of(values.astype(str)), dtype=str)
    if pd.api.types.is_numeric_dtype(values.dtype) or is_text(values):
        numbers = numbers_of(values)
        if np.isfinite(numbers).all():
            return numbers
    for style in DATE_FORMATS:
        dates = dates_of(values, style)
        if not np.isnat(dates).any():
            return dates
    raise InputError(f"time={name}: it holds {examples(texts_of(values))}; numbers or dates of one form are needed")


# Arrays


def _array_task(name: str, path: Path, options: FileOptions, folder: Path | None) -> Loaded:
    for option in ("drop_columns", "group", "time"):
        if (own := getattr(options, option)) not in (None, ()):
            shown = own if isinstance(own, str) else ",".join(own)
            raise InputError(
                f"{option}={shown}: it is for the columns of tables, and {path} holds arrays; leave it out"
            )
    arrays = arrays_of(path, options.sides, target=options.target, metric=options.metric)
    if arrays.targets is None:
        raise InputError(f"{path}: an array y is needed")
    notes = list(arrays.notes)
    if options.test is not None:
        other = arrays_of(_placed(options.test, folder), options.sides, target=options.target, metric=options.metric)
        arrays = _joined(arrays, other, path)
    assert arrays.targets is not None
    target = options.target or "y"
    outcomes, steps = _outcomes(target, arrays, options.metric, notes)
    kept = np.flatnonzero(outcomes.known if steps is None else steps.any(axis=1))
    if len(kept) < len(arrays.inputs):
        notes.append(
            f"{len(arrays.inputs) - len(kept)} of {len(arrays.inputs)} examples have no {target} and are left out"
        )
    place = np.full(len(arrays.inputs), -1)
    place[kept] = np.arange(len(kept))
    given = {part: place[rows][place[rows] >= 0] for part, rows in arrays.parts.items() if part != "train"}
    parts = part_rows(outcomes.values if steps is None else np.zeros((len(kept), 1)), given=given)
    inputs, lengths = arrays.inputs[kept], None if arrays.lengths is None else arrays.lengths[kept]
    told = {target: f"target: {outcomes.line}"}
    if lengths is not None:
        own = ArrayPreparation.of_sequences(inputs, lengths, parts.train)
        notes += own.surprises(inputs, lengths)
        told["X"] = f"sequences of {lengths.min()} to {lengths.max()} steps of {inputs.shape[2]} numbers, each scaled"
        values, steps = own.transform(inputs, lengths), None if steps is None else steps[kept]
        return _task(name, target, outcomes, parts, values, lengths, own, options, notes, told, {}, steps)
    if options.sides is not None:
        images = ArrayPreparation.of_images(inputs, parts.train, options.sides)
        notes += images.surprises(inputs)
        told["X"] = f"images of {options.shape}, divided by {images.scale[0]:g}"
        extra = {"shape": options.sides}
        return _task(name, target, outcomes, parts, images.transform(inputs), None, images, options, notes, told, extra)
    frame = pd.DataFrame(inputs, columns=list(arrays.names))
    judged = {column: judge_column(column, frame[column].iloc[parts.train]) for column in arrays.names}
    fitted = TablePreparation.fit([one.column for one in judged.values() if one.column is not None], frame, parts.train)
    out = [column for column, one in judged.items() if one.column is None]
    if out:
        notes.append(f"{len(out)} of {len(judged)} columns never vary or only count rows, left out ({examples(out)})")
    told |= {column: one.line for column, one in judged.items()} if len(judged) <= 100 else {}
    return _task(name, target, outcomes, parts, fitted.inputs, None, fitted.preparation, options, notes, told, {})


def _outcomes(
    target: str, arrays: Arrays, metric: str | None, notes: list[str]
) -> tuple[Outcomes, NDArray[np.bool_] | None]:
    """Return what is to be predicted, and at which steps that is known, where each may have a target."""
    assert arrays.targets is not None
    if arrays.steps is None:
        return outcomes_of(target, arrays.targets, metric), None
    outcomes, steps = stepwise_outcomes(target, arrays.targets, arrays.steps, metric)
    if gone := int(arrays.steps.sum() - steps.sum()):
        notes.append(f"{gone} of {arrays.steps.sum()} steps have no {target}, or no finite one, and do not count")
    return outcomes, steps


def _joined(arrays: Arrays, other: Arrays, path: Path) -> Arrays:
    """Return the examples of two files, of which the second holds the test part."""
    assert arrays.targets is not None
    assert other.targets is not None
    if (arrays.lengths is None) != (other.lengths is None) or arrays.inputs.shape[-1] != other.inputs.shape[-1]:
        raise InputError(
            f"{path}: its examples are of shape {arrays.inputs.shape[1:]}, those of the test part "
            f"{other.inputs.shape[1:]}"
        )
    targets, steps = joined_targets(path, [(own.targets, own.steps) for own in (arrays, other)])
    first, second = arrays.inputs, other.inputs
    if arrays.lengths is not None and other.lengths is not None:
        longest = max(first.shape[1], second.shape[1])
        first, second = (np.pad(own, ((0, 0), (0, longest - own.shape[1]), (0, 0))) for own in (first, second))
        lengths = np.concatenate([arrays.lengths, other.lengths])
    else:
        lengths = None
    parts = {"test": np.arange(len(first), len(first) + len(second))}
    inputs = np.concatenate([first, second])
    return replace(arrays, inputs=inputs, lengths=lengths, targets=targets, parts=parts, steps=steps)


# Both


def _task(
    name: str,
    target: str,
    outcomes: Outcomes,
    parts: Parts,
    inputs: NDArray[np.float32],
    lengths: NDArray[np.int64] | None,
    preparation: TablePreparation | PixelPreparation | ArrayPreparation,
    options: FileOptions,
    notes: list[str],
    told: dict[str, str],
    extra: Mapping[str, Any],
    steps: NDArray[np.bool_] | None = None,
) -> Loaded:
    # Where each step has a target, outcomes are those of the steps that count.
    known = parts if steps is None else steps_of_parts(parts, steps)
    answers, targets = _scaled(target, outcomes, known.train)
    _check_options(options, outcomes)
    if outcomes.labels and (unseen := _unseen(outcomes, known, "rows" if steps is None else "steps")) is not None:
        notes.append(unseen)
    weights = None
    if options.class_weights:
        counts = np.bincount(targets[known.train], minlength=len(outcomes.labels))
        own = np.where(counts > 0, len(known.train) / np.maximum(counts, 1) / (counts > 0).sum(), 1.0)
        weights = torch.from_numpy(own.astype(np.float32))
    if steps is not None:
        targets = placed_at(steps, targets)
    metric = options.metric or ("accuracy" if outcomes.labels else "mse")
    measure = None if metric == "accuracy" else Measure(metric, answers.mean, answers.scale)
    labels = () if outcomes.labels == tuple(range(len(outcomes.labels))) else outcomes.labels
    task = Task(
        name=name,
        inputs=torch.from_numpy(np.ascontiguousarray(inputs)),
        targets=torch.from_numpy(targets),
        train=torch.from_numpy(parts.train.astype(np.int64)),
        validation=torch.from_numpy(parts.validation.astype(np.int64)),
        test=torch.from_numpy(parts.test.astype(np.int64)),
        n_inputs=inputs.shape[-1],
        n_outputs=answers.n_outputs,
        lengths=None if lengths is None else torch.from_numpy(lengths),
        loss=outcomes.loss,
        recipe=_recipe(len(parts.train), is_sequence=lengths is not None),
        description=f"{name}: {outcomes.line.partition(';')[0]}",
        labels=labels,
        measure=measure,
        class_weights=weights,
        pipeline=Pipeline(
            task=name,
            answers=answers,
            preparation=preparation,
            left_out=tuple(column for column in told if column not in _read_by(preparation)),
            options=options,
        ),
        notes=tuple(notes),
        **extra,
    )
    task = replace(task, plateaus={"constant": task.constant_score(task.test)})
    return Loaded(task, told, parts.line)


def _recipe(n_train: int, *, is_sequence: bool) -> dict[str, object]:
    """Return what differs from the general defaults of training."""
    epochs = min(_MOST_EPOCHS, max(_EPOCHS, math.ceil(_UPDATES / math.ceil(n_train / 64))))
    own: dict[str, object] = {} if epochs == _EPOCHS else {"epochs": epochs}
    if is_sequence:
        return own
    return {**own, "optimizer": "adamw", "weight_decay": _DECAYS[0] if n_train < _FEW else _DECAYS[1]}


def _read_by(preparation: TablePreparation | PixelPreparation | ArrayPreparation) -> set[str]:
    return set() if isinstance(preparation, ArrayPreparation) else {own.name for own in preparation.columns}


def _scaled(name: str, outcomes: Outcomes, train: NDArray[np.int64]) -> tuple[Answers, NDArray[Any]]:
    """Return classes as they are, or numbers with mean 0 and standard deviation 1 in the training part."""
    if outcomes.labels:
        return Answers(name=name, loss="cross-entropy", labels=outcomes.labels), outcomes.values.astype(np.int64)
    trained = outcomes.values[train]
    mean, deviation = trained.mean(axis=0), trained.std(axis=0)
    deviation = np.where(deviation > 0, deviation, 1.0)
    answers = Answers(name=name, loss="squared-error", mean=tuple(mean.tolist()), scale=tuple(deviation.tolist()))
    targets = ((outcomes.values - mean) / deviation).astype(np.float32)
    if not np.isfinite(targets).all():
        raise InputError(f"target={name}: its numbers are too far apart to be learned; give their logarithm")
    return answers, targets


def _check_options(options: FileOptions, outcomes: Outcomes) -> None:
    if options.class_weights and not outcomes.labels:
        raise InputError("class_weights=true: numbers are predicted, which have no classes; leave it out")
    if options.metric == "auc" and len(outcomes.labels) > 1000:
        raise InputError(f"metric=auc: {len(outcomes.labels)} classes are too many for it; give macro-f1")
    assert options.metric is None or MEASURES[options.metric][1] == outcomes.loss == loss_of(options.metric)


def _unseen(outcomes: Outcomes, parts: Parts, what: str) -> str | None:
    """Return a line on rows, or steps, that no prediction can be right of: their class is not in the training part."""
    seen = np.unique(outcomes.values[parts.train])
    lines = []
    for part, rows in (("validation", parts.validation), ("test", parts.test)):
        new = ~np.isin(outcomes.values[rows], seen)
        if new.any():
            names = np.array(outcomes.labels, dtype=object)[outcomes.values[rows][new]]
            share = f"{int(new.sum())} of {len(rows)} {part} {what}"
            lines.append(f"{share} have a class that training never sees ({examples(names)})")
    return "; ".join(lines) if lines else None
