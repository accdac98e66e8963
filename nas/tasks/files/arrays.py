"""Arrays of npz and npy files: rows, images, and sequences that are filled up or laid end to end."""

from __future__ import annotations

import io
import math
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import AllowInfNan, BaseModel, ConfigDict, Field

from nas.errors import InputError
from nas.inputs import with_reversal
from nas.tasks.files.cells import MOST
from nas.tasks.files.limits import MOST_BYTES, check_size
from nas.tasks.files.steps import filled_up, stepwise_targets
from nas.tasks.steps import placed_at

__all__ = ["ArrayPreparation", "Arrays", "arrays_of", "finite_numbers", "joined_targets", "read_arrays", "sides_of"]

_INPUTS, _TARGETS = ("X", "x", "inputs", "data", "images"), ("y", "Y", "targets", "labels", "target")
_LENGTHS, _NAMES, _CLASSES = ("lengths", "length"), ("feature_names", "columns", "names"), ("classes",)
_COUNTED = ("counted",)
_PARTS = {"train": ("train",), "validation": ("validation", "valid", "val"), "test": ("test",)}
_FARTHEST = 10.0
_MOST_OF_PIXELS = 1e30

Finite = Annotated[float, AllowInfNan(False)]
Scale = Annotated[Finite, Field(gt=0)]


@dataclass(frozen=True)
class Arrays:
    """Examples as arrays.

    Parameters
    ----------
    inputs : array
        (n, n_inputs) rows, (n, time, n_inputs) sequences.
    lengths : (n,) int64 array, optional
        Of sequences.
    targets : (n,), (n, n_outputs), (n, time) or (n, time, n_outputs) array, optional
    parts : mapping of str to (m,) int64 array
        The examples of parts that the file tells apart.
    names : tuple of str
        Of the columns of rows.
    notes : tuple of str
    steps : (n, time) bool array, optional
        Which steps of sequences have a target that counts; None where there is one for the whole of an example.
    """

    inputs: NDArray[Any]
    lengths: NDArray[np.int64] | None
    targets: NDArray[Any] | None
    parts: Mapping[str, NDArray[np.int64]]
    names: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    steps: NDArray[np.bool_] | None = None


def read_arrays(path: Path) -> dict[str, NDArray[Any]]:
    """Read the arrays of a npz file, or the one of a npy file as X; objects, which may run code, are refused.

    Raises
    ------
    InputError
        If it is no such file, damaged, or too large.
    """
    check_size(path)
    content = path.read_bytes()
    try:
        if content[:6] == b"\x93NUMPY":
            return {"X": _array(path, "X", content, len(content))}
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            members = archive.infolist()
            if sum(member.file_size for member in members) > MOST_BYTES:
                raise InputError(f"{path}: it unpacks to more than {MOST_BYTES >> 20} MiB, which is too large")
            found = {}
            for member in members:
                with archive.open(member) as file:
                    own = file.read(member.file_size)
                name = member.filename.removesuffix(".npy")
                found[name] = _array(path, name, own, member.file_size)
            return found
    except InputError:
        raise
    except MemoryError:
        raise InputError(f"{path}: there is not enough memory to read it") from None
    # Damaged archives make zipfile fail in any way.
    except Exception as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise InputError(f"{path}: it cannot be read as a npz file: {reason[:200]}") from None


def _array(path: Path, name: str, content: bytes, size: int) -> NDArray[Any]:
    """Return the array that some bytes are, once their heading says no more than there is."""
    stream = io.BytesIO(content)
    try:
        version = np.lib.format.read_magic(stream)
        reader = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        shape, _, dtype = reader(stream)
        if dtype.hasobject:
            raise InputError(f"{path}: array {name} holds Python objects, which may run code; save numbers or text")
        if math.prod(shape) * dtype.itemsize > size:
            raise InputError(f"{path}: array {name} is cut off: its heading promises more than there is")
        stream.seek(0)
        array: NDArray[Any] = np.lib.format.read_array(stream, allow_pickle=False)
    except InputError:
        raise
    # Headings are Python literals, at which parsing may fail in any way.
    except Exception as error:
        raise InputError(f"{path}: array {name} cannot be read: {' '.join(str(error).split())[:200]}") from None
    if array.dtype.kind not in "biufUS":
        raise InputError(f"{path}: array {name} has type {array.dtype}; numbers or text are needed")
    return array.astype(str) if array.dtype.kind == "S" else array


def arrays_of(
    path: Path,
    shape: tuple[int, ...] | None,
    *,
    target: str | None = None,
    metric: str | None = None,
    needs_targets: bool = True,
) -> Arrays:
    """Return the examples of a npz file.

    It holds X and y (or inputs and targets, …), or these with _train, _validation and _test behind their names. X is
    (n, n_inputs) rows, (n, time, n_inputs) sequences with their `lengths`, or all sequences end to end, (sum of
    lengths, n_inputs); with a `shape` images, (n, rows, columns). Rows may have `feature_names`, and y may count
    `classes`. Of sequences y may be a target for each step, of which those count that `counted` says; see
    `nas.tasks.files.steps.stepwise_targets`.

    Raises
    ------
    InputError
        If something of it is missing, or arrays contradict each other.
    """
    held = read_arrays(path)
    targets = (target,) if target is not None else _TARGETS
    parts = [part for part, endings in _PARTS.items() if _find(held, _INPUTS, endings) is not None]
    notes: list[str] = []
    pieces = [
        _piece(path, held, _PARTS.get(part, ("",)), targets, shape, notes, metric, needs_targets=needs_targets)
        for part in parts or [""]
    ]
    known = {name for piece in pieces for name in piece.used} | set(_NAMES) | set(_CLASSES)
    if extra := [name for name in held if name not in known]:
        notes.append(f"arrays that are not read: {', '.join(extra[:8])}")
    inputs = _joined(path, [piece.inputs for piece in pieces])
    known_by = [piece for piece in pieces if piece.targets is not None]
    found = steps = None
    if len(known_by) == len(pieces):
        found, steps = joined_targets(path, [(piece.targets, piece.steps) for piece in known_by])
    lengths = (
        None if pieces[0].lengths is None else np.concatenate([p.lengths for p in pieces if p.lengths is not None])
    )
    ends = np.cumsum([0, *(len(piece.inputs) for piece in pieces)])
    by_part = {part: np.arange(ends[place], ends[place + 1]) for place, part in enumerate(parts)}
    return Arrays(
        inputs,
        lengths,
        _named_classes(found, steps, held),
        by_part,
        _feature_names(path, held, inputs),
        tuple(dict.fromkeys(notes)),
        steps,
    )


@dataclass(frozen=True)
class _Piece:
    inputs: NDArray[Any]
    lengths: NDArray[np.int64] | None
    targets: NDArray[Any] | None
    steps: NDArray[np.bool_] | None
    used: tuple[str, ...]


def _find(held: Mapping[str, Any], names: tuple[str, ...], endings: tuple[str, ...]) -> str | None:
    spelled = [f"{name}_{ending}" if ending else name for name in names for ending in endings]
    spelled += [f"{ending}_{name}" for name in names for ending in endings if ending]
    return next((name for name in spelled if name in held), None)


def _piece(
    path: Path,
    held: Mapping[str, NDArray[Any]],
    endings: tuple[str, ...],
    targets: tuple[str, ...],
    shape: tuple[int, ...] | None,
    notes: list[str],
    metric: str | None,
    *,
    needs_targets: bool,
) -> _Piece:
    name, own = _find(held, _INPUTS, endings), _find(held, targets, endings)
    if name is None or (own is None and needs_targets):
        there = ", ".join(list(held)[:8]) or "none"
        needed = f"arrays X and {targets[0]} are needed (or X_train, y_train, X_test, y_test)"
        raise InputError(f"{path}: {needed if needs_targets else 'an array X is needed'}; it has {there}")
    of_lengths = _find(held, _LENGTHS, endings)
    inputs = held[name]
    if inputs.dtype.kind not in "biuf":
        raise InputError(f"{path}: array {name} holds text; numbers are needed")
    found = None if own is None else held[own]
    lengths = None if of_lengths is None else _lengths(path, of_lengths, held[of_lengths])
    if inputs.ndim == 0 or inputs.size == 0:
        raise InputError(f"{path}: array {name} is empty")
    inputs, lengths = _shaped(path, name, inputs, lengths, shape, notes)
    of_counted = None if lengths is None else _find(held, _COUNTED, endings)
    steps = None
    if found is not None and own is not None and lengths is not None:
        counted = None if of_counted is None else held[of_counted]
        of_steps = stepwise_targets(own, found, counted, (inputs.shape[0], inputs.shape[1]), lengths, metric)
        if of_steps is not None:
            found, steps = of_steps
        elif found.shape == inputs.shape[:2] and found.dtype.kind in "biuf" and inputs.shape[1] > 1:
            notes.append(
                f"{own} is {found.shape}: {found.shape[1]} numbers at the end of each sequence; for one at each step "
                f"give (n, {found.shape[1]}, 1)"
            )
    if found is not None and (found.ndim == 0 or len(found) != len(inputs)):
        held_by = found.shape[0] if found.ndim else 1
        raise InputError(f"{path}: {name} has {len(inputs)} examples and {own} {held_by}; as many are needed")
    return _Piece(inputs, lengths, found, steps, tuple(filter(None, (name, own, of_lengths, of_counted))))


def _lengths(path: Path, name: str, lengths: NDArray[Any]) -> NDArray[np.int64]:
    if lengths.ndim != 1 or lengths.dtype.kind not in "iu" or len(lengths) == 0:
        raise InputError(
            f"{path}: {name} must be whole numbers of at least 1, (n,); it is {lengths.dtype} {lengths.shape}"
        )
    if int(lengths.min()) < 1:
        place = int(lengths.argmin())
        raise InputError(f"{path}: {name}[{place}] is {lengths[place]}; a sequence has at least 1 step")
    return lengths.astype(np.int64)


def _shaped(
    path: Path,
    name: str,
    inputs: NDArray[Any],
    lengths: NDArray[np.int64] | None,
    shape: tuple[int, ...] | None,
    notes: list[str],
) -> tuple[NDArray[Any], NDArray[np.int64] | None]:
    """Return inputs as rows or padded sequences."""
    if shape is not None:
        sides = f"shape={'x'.join(map(str, shape))}"
        if lengths is not None:
            raise InputError(f"{path}: {sides} is for images, and {name} has lengths; leave it out")
        held = inputs.shape[1:]
        if math.prod(held) != math.prod(shape) or (inputs.ndim > 2 and _longer(held) != _longer(shape)):
            shown = " x ".join(map(str, held))
            raise InputError(f"{path}: {sides}: an example of {name} is {shown}{sides_of(held)}")
        return inputs.reshape(len(inputs), -1), None
    if lengths is not None:
        return _sequences(path, name, inputs, lengths), lengths
    if inputs.ndim == 1:
        inputs = inputs[:, None]
    if inputs.ndim == 3:
        sides = f"{inputs.shape[1]}x{inputs.shape[2]}"
        notes.append(f"{name} is {inputs.shape}: sequences of {inputs.shape[1]} steps; for images give shape={sides}")
        return inputs, np.full(len(inputs), inputs.shape[1], np.int64)
    if inputs.ndim > 3:
        notes.append(
            f"{name} is {inputs.shape}: each example is read as a row of {math.prod(inputs.shape[1:])} numbers"
        )
        inputs = inputs.reshape(len(inputs), -1)
    return inputs, None


def _longer(shape: tuple[int, ...]) -> list[int]:
    return [side for side in shape if side > 1]


def sides_of(shape: tuple[int, ...]) -> str:
    """Say which sides rows of so many values may have."""
    if len(shape) > 1:
        valid = f"; valid: {'x'.join(map(str, shape))}" if len(shape) in (2, 3) else ""
        return f"{valid}, where channels come first" if len(shape) == 3 else valid
    sides = [rows for rows in range(2, math.isqrt(shape[0]) + 1) if shape[0] % rows == 0]
    return (
        f" values; such as {sides[-1]}x{shape[0] // sides[-1]}" if sides else " values, which no two sides multiply to"
    )


def _sequences(path: Path, name: str, inputs: NDArray[Any], lengths: NDArray[np.int64]) -> NDArray[Any]:
    """Return sequences that are filled up."""
    if inputs.ndim in (1, 2) and int(lengths.sum()) == len(inputs) and len(inputs) != len(lengths):
        return _padded(path, inputs.reshape(len(inputs), -1), lengths)
    if inputs.ndim == 2:
        inputs = inputs[:, :, None]
    if inputs.ndim != 3 or len(inputs) != len(lengths) or int(lengths.max()) > inputs.shape[1]:
        raise InputError(
            f"{path}: {name} is {inputs.shape} with {len(lengths)} lengths up to {int(lengths.max())}, which add up to "
            f"{int(lengths.sum())}; sequences are (n, time, n_inputs), or all end to end"
        )
    return inputs


def _padded(path: Path, values: NDArray[Any], lengths: NDArray[np.int64]) -> NDArray[Any]:
    longest = int(lengths.max())
    if len(lengths) * longest * values.shape[1] * values.itemsize > MOST_BYTES:
        raise InputError(f"{path}: filled up to the longest of {longest} steps, its sequences are too large")
    padded = np.zeros((len(lengths), longest, values.shape[1]), values.dtype)
    padded[np.arange(longest) < lengths[:, None]] = values
    return padded


def _joined(path: Path, pieces: list[NDArray[Any]]) -> NDArray[Any]:
    """Return the inputs of all parts as one array; sequences are filled up to the longest."""
    if len({piece.ndim for piece in pieces}) > 1 or len({piece.shape[-1] for piece in pieces}) > 1:
        shapes = " and ".join(str(piece.shape) for piece in pieces)
        raise InputError(f"{path}: inputs of its parts have shapes {shapes}; an example is of one shape")
    if pieces[0].ndim == 2:
        return np.concatenate(pieces)
    longest = max(piece.shape[1] for piece in pieces)
    if sum(len(piece) for piece in pieces) * longest * pieces[0].shape[2] * 8 > MOST_BYTES:
        raise InputError(f"{path}: filled up to the longest of {longest} steps, its sequences are too large")
    return np.concatenate([np.pad(piece, ((0, 0), (0, longest - piece.shape[1]), (0, 0))) for piece in pieces])


def joined_targets(
    path: Path, pieces: Sequence[tuple[NDArray[Any] | None, NDArray[np.bool_] | None]]
) -> tuple[NDArray[Any], NDArray[np.bool_] | None]:
    """Return the targets of several parts, and which steps count where they are those of steps.

    Raises
    ------
    InputError
        If they have different shapes.
    """
    targets = [own for own, _ in pieces if own is not None]
    steps = [own for _, own in pieces if own is not None]
    are_steps = len(steps) == len(targets)
    if (steps and not are_steps) or len({own.shape[1 + are_steps :] for own in targets}) > 1:
        shapes = " and ".join(str(own.shape) for own in targets)
        raise InputError(f"{path}: targets of its parts have shapes {shapes}; those of all examples are of one shape")
    return (filled_up(targets), filled_up(steps)) if are_steps else (np.concatenate(targets), None)


def _named_classes(
    targets: NDArray[Any] | None, steps: NDArray[np.bool_] | None, held: Mapping[str, NDArray[Any]]
) -> NDArray[Any] | None:
    """Return targets as what the file calls their classes, where they count these from 0."""
    classes = next((held[name] for name in _CLASSES if name in held), None)
    if targets is None or classes is None or classes.ndim != 1 or targets.dtype.kind not in "iu":
        return targets
    if targets.ndim != (1 if steps is None else 2):
        return targets
    known = targets if steps is None else targets[steps]
    if known.size == 0 or int(known.min()) < 0 or int(known.max()) >= len(classes):
        return targets
    named: NDArray[Any] = classes[known]
    return named if steps is None else placed_at(steps, named)


def _feature_names(path: Path, held: Mapping[str, NDArray[Any]], inputs: NDArray[Any]) -> tuple[str, ...]:
    if inputs.ndim != 2:
        return ()
    own = next((held[name] for name in _NAMES if name in held and held[name].ndim == 1), None)
    if own is None or len(own) != inputs.shape[1]:
        return tuple(f"x{place}" for place in range(inputs.shape[1]))
    names = tuple(map(str, own))
    if len(set(names)) < len(names):
        raise InputError(f"{path}: two columns have the same name; rename one")
    return names


class ArrayPreparation(BaseModel):
    """How arrays become inputs.

    Parameters
    ----------
    kind : {"images", "sequences", "rows"}
        Images are divided by their largest value, so that what is 0 stays so; sequences are scaled channel by channel
        to mean 0 and standard deviation 1; rows stay what they are.
    mean, scale : tuple of float
        Of each channel; of images one scale.
    shape : (int, int) or (int, int, int), optional
        Rows and columns of images, behind their channels where there are several.
    width : int
        Numbers of an example, or of a time step.
    both_ways : bool
        Whether each step of a sequence is read beside the one as far from the end.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["images", "sequences", "rows"]
    width: Annotated[int, Field(gt=0)]
    mean: tuple[Finite, ...] = ()
    scale: tuple[Scale, ...] = ()
    shape: tuple[int, ...] | None = None
    both_ways: bool = False

    @classmethod
    def of_images(cls, inputs: NDArray[Any], train: NDArray[np.int64], shape: tuple[int, ...]) -> ArrayPreparation:
        """Fit to the training part of images as rows."""
        largest = float(np.abs(finite_numbers(inputs[train])).max())
        return cls(kind="images", width=inputs.shape[1], scale=(largest or 1.0,), shape=shape)

    @classmethod
    def of_sequences(
        cls, inputs: NDArray[Any], lengths: NDArray[np.int64], train: NDArray[np.int64]
    ) -> ArrayPreparation:
        """Fit to the steps of the training part."""
        from sklearn.preprocessing import StandardScaler

        inside = np.arange(inputs.shape[1]) < lengths[train][:, None]
        steps = np.asarray(inputs[train][inside], np.float64)
        with np.errstate(invalid="ignore"):
            steps[~(np.abs(steps) <= MOST)] = np.nan
        steps[:, np.isnan(steps).all(axis=0)] = 0.0
        scaler = StandardScaler().fit(steps)
        return cls(
            kind="sequences",
            width=inputs.shape[2],
            mean=tuple(scaler.mean_.tolist()),
            scale=tuple(scaler.scale_.tolist()),
        )

    @property
    def n_inputs(self) -> int:
        """Inputs of the network, of a time step."""
        return 2 * self.width if self.both_ways else self.width

    def surprises(self, inputs: NDArray[Any], lengths: NDArray[np.int64] | None = None) -> tuple[str, ...]:
        """Return a line on what is no number among inputs as `transform` takes them; none where all are."""
        most = MOST if self.kind == "sequences" else _MOST_OF_PIXELS
        with np.errstate(invalid="ignore"):
            gone = ~(np.abs(np.asarray(inputs, np.float64)) <= most)
        if lengths is not None:
            gone = gone[np.arange(inputs.shape[1]) < lengths[:, None]]
        if not gone.any():
            return ()
        counts = "the mean of their channel" if self.kind == "sequences" else "0"
        return (f"X: {int(gone.sum())} of {gone.size} values are missing, or no finite numbers, and count as {counts}",)

    def transform(self, inputs: NDArray[Any], lengths: NDArray[np.int64] | None = None) -> NDArray[np.float32]:
        """Return the inputs of a network, of the same shape; what is behind a sequence's length is 0.

        Raises
        ------
        InputError
            If the arrays have another shape.
        """
        ndim = 3 if self.kind == "sequences" else 2
        if inputs.ndim > 2 and self.kind != "sequences":
            inputs = inputs.reshape(len(inputs), -1)
        if inputs.ndim != ndim or inputs.shape[-1] != self.width:
            needed = f"(n, time, {self.width})" if ndim == 3 else f"(n, {self.width})"
            raise InputError(f"inputs have shape {inputs.shape}; the network reads {needed}")
        if self.kind == "rows":
            return finite_numbers(inputs).astype(np.float32)
        if self.kind == "images":
            return (finite_numbers(inputs) / self.scale[0]).astype(np.float32)
        values = np.asarray(inputs, np.float64)
        with np.errstate(invalid="ignore"):
            values = np.where(np.abs(values) <= MOST, values, np.asarray(self.mean))
        scaled = np.clip((values - np.asarray(self.mean)) / np.asarray(self.scale), -_FARTHEST, _FARTHEST)
        if lengths is not None:
            scaled = np.where((np.arange(inputs.shape[1]) < lengths[:, None])[:, :, None], scaled, 0.0)
        found: NDArray[np.float32] = scaled.astype(np.float32)
        if not self.both_ways:
            return found
        ends = np.full(len(found), found.shape[1]) if lengths is None else lengths
        return with_reversal(found, ends)


def finite_numbers(values: NDArray[Any]) -> NDArray[np.float64]:
    """Return values as numbers, 0 for those that are missing."""
    found = np.array(values, np.float64)
    with np.errstate(invalid="ignore"):
        found[~(np.abs(found) <= _MOST_OF_PIXELS)] = 0.0
    return found
