"""Predictors as files: ``predictor.json`` and the arrays that it names. No pickle, nothing is run, everything checked.

``predictor.json`` holds format and version, the constructor's arguments, names, and the scalars of every part; features
are found again by their names, so that the table may have more of them, or another order; ``arrays-….safetensors``
holds their arrays, and what is known of the inputs where wirings are described by what they read. Both carry a sha256,
so that a damaged file is told apart from a sound one; what is sound is checked all the same before it is used. The JSON
file is replaced last and in one step.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from predictors.calibration import LEVELS, Calibration
from predictors.document import DOCUMENTS, FORMAT, VERSION, AnyDocument, Part, ReadingDocument
from predictors.domain import Domain
from predictors.features.reads import READ_FEATURES, read_names
from predictors.features.table import FEATURES, tiers_of
from predictors.fitted import LARGEST, LEAST_WIRINGS, Fitted, Training
from predictors.members import Member, from_arrays, to_arrays
from predictors.preparation import Preparation
from priors.files import atomic_write, naming, remove_leftovers
from priors.reads import Inputs
from priors.version import __version__

if TYPE_CHECKING:
    from predictors.predictor import Predictor

__all__ = ["FILE", "load", "save", "signed"]

FILE = "predictor.json"
"""The file by which a folder is known to hold a predictor."""

_MOST_JSON, _MOST_ARRAYS = 8 * 2**20, 128 * 2**20
_MOST_LISTED = 3
_WITHOUT_READS = 2
"""Version of the document of a predictor that does not know the inputs of its wirings."""
_INPUTS = ("deviation", "positions", "correlation", "relevance")

Arrays = dict[str, NDArray[Any]]


# Writing


def save(predictor: Predictor, folder: str | os.PathLike[str]) -> None:
    """Write a fitted predictor into a folder, which is made where it is missing.

    Raises
    ------
    ValueError
        If the predictor is not fitted.
    OSError
        If the folder cannot be written to.
    """
    from safetensors.numpy import save as to_bytes

    if not hasattr(predictor, "fitted_"):
        raise ValueError("a predictor that is not fitted has nothing to be saved: call fit first")
    arrays: Arrays = {}
    document = _document(predictor, arrays)
    content = to_bytes({name: np.ascontiguousarray(array) for name, array in sorted(arrays.items())})
    document["arrays"] = f"arrays-{hashlib.sha256(content).hexdigest()}.safetensors"
    written = signed(document)
    _check_sizes(written, content)
    _parsed(written)  # What could not be read back is refused before anything is written.
    place = Path(folder)
    place.mkdir(parents=True, exist_ok=True)
    with atomic_write(place / document["arrays"]) as temporary:
        temporary.write_bytes(content)
    try:
        with atomic_write(place / FILE) as temporary:
            temporary.write_bytes(written)
        remove_leftovers(place)
    finally:
        with suppress(OSError):
            _remove_unnamed(place)


def _check_sizes(document: bytes, arrays: bytes) -> None:
    for name, found, most in ((FILE, document, _MOST_JSON), ("the arrays", arrays, _MOST_ARRAYS)):
        if len(found) > most:
            raise ValueError(f"{name} would take {len(found)} bytes: at most {most} are read back; learn from less")


def _remove_unnamed(place: Path) -> None:
    """Remove arrays that no predictor names: of an older one, or of one that could not be written to its end."""
    try:
        named = _parsed(_bounded(place / FILE, _MOST_JSON)).arrays
    except FileNotFoundError:
        named = None
    except (ValueError, RecursionError):
        return
    for path in place.glob(f"arrays-{'[0-9a-f]' * 64}.safetensors"):
        if path.name != named:
            path.unlink(missing_ok=True)


def _document(predictor: Predictor, arrays: Arrays) -> dict[str, Any]:
    fitted = predictor.fitted_
    training, domain, calibration = fitted.training, fitted.domain, fitted.calibration
    arrays.update({f"training.{name}": getattr(training, name) for name in ("X", "labels", "groups", "parameters")})
    arrays.update({f"domain.{name}": getattr(domain, name) for name in _DOMAIN})
    arrays.update({"out_of_fold": fitted.out_of_fold, "calibration.quantiles": calibration.quantiles})
    own_columns = list(fitted.names[len(predictor.features_) + len(predictor.reads_) :])
    reads = {} if predictor.inputs is None else {"reads": list(predictor.reads_)}
    for name in _INPUTS if predictor.inputs is not None else ():
        if (array := getattr(predictor.inputs, name)) is not None:
            arrays[f"inputs.{name}"] = array
    shares = zip(fitted.member_names, fitted.weights.tolist(), fitted.members, strict=True)
    return {
        "format": FORMAT,
        "version": VERSION if reads else _WITHOUT_READS,
        "wirenas": __version__,
        "arguments": {
            **{name: value for name, value in predictor.get_params().items() if name != "inputs"},
            "seed": int(predictor.seed),
            "preparation": None if predictor.preparation is None else asdict(predictor.preparation),
        },
        "names": list(predictor.features_),
        **reads,
        "own_columns": own_columns,
        "parameter_names": list(training.parameter_names),
        "members": [
            {"name": name, "weight": weight, "member": _part(member, f"members.{index}", arrays)}
            for index, (name, weight, member) in enumerate(shares)
        ],
        "classifier": None if fitted.classifier is None else _part(fitted.classifier, "classifier", arrays),
        "calibration": {
            "scale": _part(calibration.scale, "scale", arrays),
            "floor": calibration.floor,
            "rms": calibration.rms,
            "n_groups": calibration.n_groups,
        },
        "radius": domain.radius if math.isfinite(domain.radius) else None,
        "spread_factor": fitted.spread_factor,
        "references": {name: value if math.isfinite(value) else None for name, value in fitted.references.items()},
    }


def _part(member: Member, place: str, arrays: Arrays) -> dict[str, Any]:
    kind, scalars, own = to_arrays(member)
    arrays.update({f"{place}.{name}": array for name, array in own.items()})
    return {"kind": kind, "scalars": dict(scalars)}


def signed(document: Mapping[str, Any]) -> bytes:
    """Return a document as JSON, with the sha256 of all bytes before it as its last entry."""
    head = json.dumps(document, indent=1, allow_nan=False)[:-2].encode()
    return head + _SEAL + hashlib.sha256(head).hexdigest().encode() + _END


_SEAL, _END = b',\n "sha256": "', b'"\n}\n'


# Reading

_DOMAIN = ("low", "high", "is_bounded", "middle", "scale", "points")


def load(folder: str | os.PathLike[str]) -> Predictor:
    """Read a predictor and check everything about it.

    Raises
    ------
    ValueError
        Whatever is wrong: one line that begins with the folder's name.
    """
    place = Path(folder)
    try:
        document = _read_document(place)
        arrays = _read_arrays(place / document.arrays, document.arrays[len("arrays-") :].split(".")[0])
        with np.errstate(all="ignore"):  # What is not finite is refused, without a warning before.
            return _predictor(document, arrays)
    except OSError as error:
        raise ValueError(f"{place}: no predictor can be read there: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{place}: {' '.join(str(error).split())[:500]}") from error


def _read_document(place: Path) -> AnyDocument:
    return _parsed(_bounded(place / FILE, _MOST_JSON))


def _parsed(content: bytes) -> AnyDocument:
    try:
        document = json.loads(content)
    except ValueError as error:
        raise ValueError(f"{FILE} is not JSON: {error}") from error
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise ValueError(f"{FILE} is no predictor: it must be an object with the format {FORMAT!r}")
    version = document.get("version")
    if version not in list(DOCUMENTS):
        raise ValueError(f"version {version!r} of {FILE} is not known: this reads versions up to {VERSION}")
    head, _, tail = content.rpartition(_SEAL)
    if tail != hashlib.sha256(head).hexdigest().encode() + _END:
        raise ValueError(f"{FILE} is damaged: its content does not have the sha256 at its end")
    del document["sha256"]
    try:
        # Read from JSON, where tuples are lists.
        return DOCUMENTS[version].model_validate_json(json.dumps(document))
    except ValidationError as error:
        first = error.errors()[0]
        raise ValueError(f"{FILE}: {'.'.join(map(str, first['loc']))}: {first['msg']}") from error


def _read_arrays(path: Path, digest: str) -> Arrays:
    from safetensors import SafetensorError
    from safetensors.numpy import load as from_bytes

    content = _bounded(path, _MOST_ARRAYS)
    if hashlib.sha256(content).hexdigest() != digest:
        raise ValueError(f"{path.name[:20]}… is damaged: its content does not have the sha256 that its name says")
    try:
        return dict(from_bytes(content))
    except (SafetensorError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"{path.name[:20]}… holds no arrays: {error}") from error


def _bounded(path: Path, most: int) -> bytes:
    if path.exists() and not path.is_file():
        raise ValueError(f"{path.name} is no ordinary file")
    with naming(path), path.open("rb") as file:
        content = file.read(most + 1)
    if len(content) > most:
        raise ValueError(f"{path.name} holds more than the {most} bytes that are read at most")
    return content


def _predictor(document: AnyDocument, arrays: Arrays) -> Predictor:
    from predictors.predictor import Predictor

    arguments: dict[str, Any] = document.arguments.model_dump()
    if document.arguments.preparation is not None:
        given: dict[str, Any] = arguments["preparation"]
        own: dict[str, Any] = {name: tuple(item) if isinstance(item, list) else item for name, item in given.items()}
        arguments["preparation"] = Preparation(**own)
    arguments["tiers"] = None if arguments["tiers"] is None else tuple(arguments["tiers"])
    inputs, reads, told = None, tuple[str, ...](), tuple[str, ...]()
    if isinstance(document, ReadingDocument):
        inputs, reads = _inputs(arrays), tuple(document.reads)
        told = read_names(inputs)
    predictor = Predictor(**arguments, inputs=inputs)
    predictor._check_options()
    names = (*document.names, *reads, *document.own_columns)
    _check_names(document, names, reads)
    if untold := [name for name in reads if name not in told]:
        raise ValueError(f"the predictor reads {_listed(untold)}, which what is known of its inputs does not tell")
    predictor.features_, predictor.reads_ = tuple(document.names), reads
    predictor.tiers_ = tiers_of(predictor.features_)
    predictor.fitted_ = _fitted(document, arrays, names, predictor.bounds or (-math.inf, math.inf))
    return predictor


def _inputs(arrays: Arrays) -> Inputs:
    """Return what is known of the inputs of a predictor's wirings."""
    n = len(_array(arrays, "inputs.deviation", None))
    shapes: dict[str, tuple[int | None, ...]] = {"positions": (n, None), "correlation": (n, n), "relevance": (n,)}
    known = {name: _array(arrays, f"inputs.{name}", *own) for name, own in shapes.items() if f"inputs.{name}" in arrays}
    return Inputs(arrays["inputs.deviation"], **known)


def _check_names(document: AnyDocument, names: tuple[str, ...], reads: tuple[str, ...]) -> None:
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        raise ValueError(f"{FILE}: column {twice[0]!r} is there {names.count(twice[0])} times: names must differ")
    gone = [name for name in document.names if name not in FEATURES]
    gone += [name for name in reads if name not in READ_FEATURES]
    if gone:
        raise ValueError(
            f"the predictor reads {_listed(gone)}, which this version of wirenas does not compute: fit it again, or "
            f"use the version that wrote it, {document.wirenas!r}"
        )


def _listed(names: Sequence[str]) -> str:
    """Return the first names of features as text, and how many there are beside them."""
    more = f" and {len(names) - _MOST_LISTED} more" if len(names) > _MOST_LISTED else ""
    return f"the feature{'s' if len(names) > 1 else ''} {', '.join(map(repr, names[:_MOST_LISTED]))}{more}"


def _fitted(document: AnyDocument, arrays: Arrays, names: tuple[str, ...], bounds: tuple[float, float]) -> Fitted:
    n, k = len(_array(arrays, "out_of_fold", None)), len(names)
    training = Training(
        _array(arrays, "training.X", n, k, may_be_nan=True),
        names,
        _array(arrays, "training.labels", n, None, may_be_nan=True),
        _array(arrays, "training.groups", n, kind="i"),
        _array(arrays, "training.parameters", n, len(document.parameter_names), may_be_nan=True),
        tuple(document.parameter_names),
    )
    if n < LEAST_WIRINGS or not np.isfinite(training.labels).any(axis=1).all():
        raise ValueError(f"{n} wirings: at least {LEAST_WIRINGS} with a label each are needed")
    if np.nanmax(np.abs(training.labels)) > LARGEST:
        raise ValueError(f"labels must be at most {LARGEST:g}")
    columns = {name: _array(arrays, f"domain.{name}", k) for name in ("low", "high", "middle", "scale")}
    domain = Domain(
        is_bounded=_array(arrays, "domain.is_bounded", k, kind="b"),
        points=_array(arrays, "domain.points", None, k),
        radius=math.inf if document.radius is None else document.radius,
        **columns,
    )
    if not math.isclose(sum(share.weight for share in document.members), 1.0, abs_tol=1e-6):
        raise ValueError("the shares of the members must be 1 in sum")
    if not (len(domain.points) and (domain.scale >= 0).all() and (domain.low <= domain.high).all()):
        raise ValueError("the domain needs at least one point, scales of at least 0, and ranges in order")
    own = document.calibration
    calibration = Calibration(
        _member(own.scale, "scale", arrays, k),
        own.floor,
        _array(arrays, "calibration.quantiles", LEVELS),
        own.rms,
        own.n_groups,
    )
    if (np.diff(calibration.quantiles) < 0).any():
        raise ValueError("the quantiles of the calibration must ascend")
    classifier = None if document.classifier is None else _member(document.classifier, "classifier", arrays, k)
    return Fitted(
        tuple(_member(share.member, f"members.{i}", arrays, k) for i, share in enumerate(document.members)),
        np.array([share.weight for share in document.members]),
        tuple(share.name for share in document.members),
        classifier,
        domain,
        calibration,
        _array(arrays, "out_of_fold", n),
        bounds,
        document.spread_factor,
        training,
        {name: math.nan if value is None else value for name, value in document.references.items()},
    )


def _member(part: Part, place: str, arrays: Arrays, n_columns: int) -> Member:
    own = {name.removeprefix(f"{place}."): array for name, array in arrays.items() if name.startswith(f"{place}.")}
    member = from_arrays(part.kind, part.scalars, own)
    found = member.predict(np.zeros((1, n_columns)))
    if found.shape != (1,) or not np.isfinite(found).all():
        raise ValueError(f"{place} predicts {found[:1]} for a row of zeros: it must be one finite number")
    return member


def _array(arrays: Arrays, name: str, *shape: int | None, kind: str = "f", may_be_nan: bool = False) -> NDArray[Any]:
    """Return an array of the kind and shape that it must have; None stands for any length."""
    if name not in arrays:
        raise ValueError(f"array {name!r} is missing")
    array = arrays[name]
    fits = array.ndim == len(shape) and all(
        wanted in (None, found) for wanted, found in zip(shape, array.shape, strict=True)
    )
    if array.dtype.kind != kind or not fits:
        wanted = ", ".join("any" if length is None else str(length) for length in shape)
        raise ValueError(f"array {name!r} is {array.dtype} {array.shape}: it must be {kind!r} of shape ({wanted})")
    if kind == "f" and (np.isinf(array).any() or (np.isnan(array).any() and not may_be_nan)):
        raise ValueError(f"array {name!r} holds numbers that are not finite")
    return array
