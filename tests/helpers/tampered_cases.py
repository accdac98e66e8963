"""A sound call of every function and method of the compiled extensions, and what may be wrong with its arguments."""

import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from priors import BarabasiAlbert, ErdosRenyi, Wiring, attach, layer, orient

EXTENSIONS = ("priors", "predictors", "nas.training")

Random = np.random.Generator


def extension(package: str) -> ModuleType:
    return pytest.importorskip(
        f"{package}._native", reason="the extensions were not built", exc_type=ModuleNotFoundError
    )


MADE_ELSEWHERE = ("Network",)
"""Classes that Python cannot make."""


def names(package: str) -> Iterator[str]:
    """Yield the name of all that can be called: functions, classes, and their methods and properties."""
    for name, member in vars(extension(package)).items():
        if name.startswith("_") or inspect.ismodule(member):
            continue
        if callable(member) and name not in MADE_ELSEWHERE:
            yield name
        if isinstance(member, type):
            yield from (f"{name}.{own}" for own in vars(member) if not own.startswith("_"))


@dataclass
class Call:
    """A function, and arguments of which it takes these."""

    function: Callable[..., Any]
    arguments: list[Any]


def of_method(thing: Any, name: str, *arguments: Any) -> Call:
    """Return the call of a method, or that of a property's getter."""
    member = inspect.getattr_static(type(thing), name)
    if isinstance(member, property) or not callable(getattr(thing, name)):
        return Call(lambda: getattr(thing, name), [])
    return Call(getattr(thing, name), list(arguments))


def sound_call(package: str, name: str, rng: Random) -> Call:
    """Return a call that does well, drawn anew.

    Raises
    ------
    KeyError
        Of a function for which there is none yet: it belongs into one of the tables below.
    """
    owner, _, method = name.partition(".")
    if method:
        thing, *arguments = METHODS[owner](rng)
        given = ARGUMENTS.get(name, lambda *_: [])(rng, *arguments)
        return of_method(thing, method, *given)
    function, given = getattr(extension(package), name), CALLS[package][name](rng)
    if (named := KEYWORDS.get(name)) is not None:
        return Call(lambda *values: function(**dict(zip(named, values, strict=True))), given)
    return Call(function, given)


KEYWORDS: Mapping[str, Sequence[str]] = {
    "Update": ("optimizer", "weight_decay", "momentum", "nesterov"),
    "Plan": ("epochs", "batch_size", "patience", "clip", "maximize", "update", "normalise"),
}
"""Names of arguments that have no place."""


def hidden(rng: Random) -> Wiring:
    """Return a layered graph without units."""
    return layer(orient(BarabasiAlbert(int(rng.integers(6, 20)), 2).sample(rng), "index"))


def undirected(rng: Random) -> Wiring:
    return ErdosRenyi(int(rng.integers(6, 20)), p=0.3).sample(rng)


def network_of(rng: Random) -> Wiring:
    return attach(hidden(rng), 4, 3, mode="controlled", reads=2, readouts=4, rng=rng)


def capsule(rng: Random) -> Any:
    _KEPT.append(rng.bit_generator)
    return rng.bit_generator.capsule


_KEPT: list[Any] = []


def _walk(rng: Random) -> list[Any]:
    singles = np.array([(0, 1), (2, 3), (1, 4), (5, 6)], np.int32)
    pairs, own = np.array([(0, 7), (2, 8)], np.int32), np.arange(2)
    labels, positions = rng.integers(0, 3, 10), rng.normal(size=(10, 2))
    fixed = np.array([(3, 4)], np.int32)
    kinds = [2, labels, 3, positions, np.array([0.5, 1.0])]
    return [capsule(rng), 10, singles, pairs, own, own.copy(), fixed, *kinds, True, 5, 2]


def _edges(rng: Random) -> list[Any]:
    graph = hidden(rng)
    return [graph.edges, graph.n_neurons]


PRIORS: Mapping[str, Callable[[Random], list[Any]]] = {
    "watts_strogatz": lambda rng: [capsule(rng), 12, 4, 0.5],
    "ws_flex": lambda rng: [capsule(rng), 12, 20, 0.5],
    "barabasi_albert": lambda rng: [capsule(rng), 12, 3, 0],
    "random_regular": lambda rng: [capsule(rng), 12, 3],
    "geo_hub": lambda rng: [capsule(rng), 12, 20, 3],
    "erdos_renyi": lambda rng: [capsule(rng), 12, 0.3],
    "erdos_renyi_exact": lambda rng: [capsule(rng), 12, 20],
    "longest_paths": _edges,
    "layer": _edges,
    "sorted_rows": lambda rng: [undirected(rng).edges.astype(np.int64)[::-1].copy(), 20],
    "orient": lambda rng: [capsule(rng), *_of_graph(undirected(rng)), int(rng.integers(3))],
    "stack": lambda rng: [*_of_layers(hidden(rng)), False, False],
    "attach": lambda rng: [capsule(rng), *_of_layers(hidden(rng)), int(rng.choice([0, 1, 3])), 4, 3, 0, 2, 4],
    "walk": _walk,
}


def _of_graph(graph: Wiring) -> list[Any]:
    return [graph.edges, graph.n_neurons]


def _of_layers(graph: Wiring) -> list[Any]:
    return [graph.edges, list(graph.sizes)]


def _batch(rng: Random) -> list[Any]:
    from predictors.features.packing import packed

    batch = packed([network_of(rng), hidden(rng), undirected(rng)])
    names = extension("predictors").feature_instruction_sets()
    parts = [batch.edges, batch.first_edge, batch.sizes, batch.first_size, batch.units]
    return [*parts, 31, 0, str(rng.choice(names))]


def _forest(rng: Random) -> list[Any]:
    nodes = np.zeros((7, 4), np.int32)
    nodes[:, 0] = np.array([0.1, -0.3, 0.5, np.inf, np.inf, np.inf, np.inf], np.float32).view(np.int32)
    nodes[:, 1] = [0, 1, 2, 0, 0, 0, 0]
    nodes[:, 2] = [1, 3, 5, 3, 4, 5, 6]
    return [nodes, np.zeros(2, np.int32), rng.normal(size=7), 3]


def _rows(rng: Random) -> list[Any]:
    return [rng.normal(size=(20, 3)).astype(np.float32)]


PREDICTORS: Mapping[str, Callable[[Random], list[Any]]] = {
    "describe": _batch,
    "feature_instruction_sets": lambda _: [],
    "Forest": _forest,
}


def _feedforward(rng: Random) -> list[Any]:
    wiring = network_of(rng)
    edges = wiring.edges[wiring.edges[:, 0] < wiring.edges[:, 1]]
    return [4, wiring.n_neurons, 3, str(rng.choice(["relu", "gelu"])), edges, np.arange(len(edges)), False]


def _recurrent(_: Random) -> list[Any]:
    edges = np.array([(0, 2), (1, 3), (2, 3), (3, 2), (2, 2)], np.int32)
    head = np.array([(2, 4), (3, 5), (3, 6)], np.int32)
    return [[2, 2], 3, "tanh", edges, np.zeros(5, np.int32), np.arange(5), head, np.arange(3)]


def _reservoir(rng: Random) -> list[Any]:
    rows = (np.array([0, 1, 2, 3], np.int32), np.array([1, 2, 0], np.int32), rng.normal(size=3))
    reads = (np.array([0, 1, 1, 2], np.int32), np.array([0, 1], np.int32), rng.normal(size=2))
    inputs = rng.normal(size=(4, 5, 2))
    read = np.array([0, 2], np.int32)
    return [rows, reads, rng.normal(size=3), 0.5, read, np.ones(4), inputs, rng.integers(1, 6, 4), np.zeros(8)]


def _data(rng: Random, real: Any = np.float32) -> list[Any]:
    inputs = np.zeros((30, 16), real)
    inputs[:, :4] = rng.normal(size=(30, 4))
    return [inputs, None, rng.integers(0, 3, 30), 4, 3, "cross-entropy", None, None]


def _sequences(rng: Random, real: Any = np.float32) -> list[Any]:
    symbols = rng.integers(0, 2, (30, 5)).astype(np.uint8)
    return [symbols, rng.integers(1, 6, 30), rng.integers(0, 3, 30), 2, 3, "cross-entropy", None, np.ones(30, real)]


@dataclass
class _Made:
    """A network, data that fit it, and parameters."""

    network: Any
    data: Any
    parameters: list[Any]


def _made(rng: Random, suffix: str = "") -> _Made:
    native, real = extension("nas.training"), np.float64 if suffix else np.float32
    data = getattr(native, f"Data{suffix}")
    if rng.random() < 0.5:
        sizes = (5, 2, 3, 3)
        parameters = [rng.normal(size=size).astype(real) for size in sizes]
        return _Made(native.recurrent(*_recurrent(rng)), data(*_sequences(rng, real)), parameters)
    given = _feedforward(rng)
    parameters = [rng.normal(size=len(given[4])), rng.normal(size=given[1] - 4), np.zeros(0), np.zeros(0)]
    return _Made(native.feedforward(*given), data(*_data(rng, real)), [own.astype(real) for own in parameters])


def _training(rng: Random, suffix: str = "") -> list[Any]:
    native, made = extension("nas.training"), _made(rng, suffix)
    update = native.Update(optimizer="adam")
    plan = native.Plan(epochs=3, batch_size=8, maximize=True, update=update)
    _KEPT.append(rng.bit_generator)
    parts = [np.arange(20), np.arange(20, 30), np.arange(4)]
    return [made.network, made.data, "baseline", plan, np.full(9, 0.01), *parts, *made.parameters, rng.bit_generator]


def _evaluated(rng: Random, suffix: str = "") -> list[Any]:
    made = _made(rng, suffix)
    return [made.network, made.data, "baseline", 1, np.arange(10), *made.parameters]


def _predicted(rng: Random, suffix: str = "") -> list[Any]:
    return [*_evaluated(rng, suffix), np.zeros((10, 3), np.float64 if suffix else np.float32)]


def _differentiated(rng: Random, suffix: str = "") -> list[Any]:
    network, data, name, _, examples, *parameters = _evaluated(rng, suffix)
    return [network, data, name, examples, *parameters, *(np.zeros_like(own) for own in parameters)]


TRAINING: Mapping[str, Callable[[Random], list[Any]]] = {
    **{name: lambda _: [] for name in ("instruction_sets", "activations", "cells")},
    "peak": lambda _: ["baseline", 100],
    "apply": lambda rng: ["baseline", "tanh", rng.normal(size=20).astype(np.float32)],
    "feedforward": _feedforward,
    "recurrent": _recurrent,
    "reservoir_states": _reservoir,
    "Update": lambda _: ["sgd", 0.1, 0.9, True],
    "Plan": lambda _: [3, 8, 1, 1.0, True, extension("nas.training").Update(optimizer="adam"), False],
    **{f"Data{suffix}": lambda rng, own=suffix: _any_data(rng, own) for suffix in ("", "64")},
    **{f"Training{suffix}": lambda rng, own=suffix: _training(rng, own) for suffix in ("", "64")},
    **{f"evaluate{suffix}": lambda rng, own=suffix: _evaluated(rng, own) for suffix in ("", "64")},
    **{f"predict{suffix}": lambda rng, own=suffix: _predicted(rng, own) for suffix in ("", "64")},
    **{f"gradients{suffix}": lambda rng, own=suffix: _differentiated(rng, own) for suffix in ("", "64")},
}


def _any_data(rng: Random, suffix: str) -> list[Any]:
    real = np.float64 if suffix else np.float32
    return _sequences(rng, real) if rng.random() < 0.5 else _data(rng, real)


CALLS = {"priors": PRIORS, "predictors": PREDICTORS, "nas.training": TRAINING}


def _begun(rng: Random, suffix: str) -> list[Any]:
    given = _training(rng, suffix)
    training = getattr(extension("nas.training"), f"Training{suffix}")(*given)
    training.run(int(rng.integers(0, 5)), 1.0)
    return [training, given[0], given[8:12]]


METHODS: Mapping[str, Callable[[Random], list[Any]]] = {
    "Forest": lambda rng: [extension("predictors").Forest(*_forest(rng))],
    "Network": lambda rng: [_made(rng).network],
    "Data": lambda rng: [_made(rng).data],
    "Data64": lambda rng: [_made(rng, "64").data],
    "Training": lambda rng: _begun(rng, ""),
    "Training64": lambda rng: _begun(rng, "64"),
}
"""A thing of each class, and what the arguments of its methods are made of."""

_OF_TRAININGS: Mapping[str, Callable[..., list[Any]]] = {
    "run": lambda *_: [5, 1.0, 1],
    "rewire": lambda _, network, parameters: [network, *parameters],
    "load_moment": lambda _, __, parameters: [0, *parameters],
    "store_moment": lambda _, __, parameters: [0, *parameters],
    "load": lambda _, __, parameters: list(parameters),
    "store": lambda _, __, parameters: list(parameters),
    "store_folded": lambda _, __, parameters: [1, *parameters],
}

ARGUMENTS: Mapping[str, Callable[..., list[Any]]] = {
    "Forest.sums": _rows,
    "Forest.values": _rows,
    **{f"Training{suffix}.{name}": make for suffix in ("", "64") for name, make in _OF_TRAININGS.items()},
}


def tampered(value: Any, rng: Random) -> Any:
    """Return an argument with something wrong, or at least other."""
    if isinstance(value, np.ndarray):
        return _tampered_array(value, rng)
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return int(rng.choice([-(2**31), -1, 0, 1, 2, 3, 7, 100, 1000, 2**31, 2**40, 2**62]))
    if isinstance(value, float):
        return float(rng.choice([np.nan, np.inf, -np.inf, -1.0, 0.0, 0.5, 1.0, 2.0, 1e300]))
    if isinstance(value, list | tuple) and value:
        place, changed = int(rng.integers(len(value))), list(value)
        if rng.random() < 0.2:
            del changed[place]
        else:
            changed[place] = tampered(changed[place], rng)
        return type(value)(changed)
    return [None, "", "no such name", b"", 3.5][int(rng.integers(5))]


_EXTREMES = (-(2**31), -1, 0, 1, 2, 19, 20, 21, 10**6, 2**31 - 1)


def _tampered_array(array: np.ndarray[Any, Any], rng: Random) -> np.ndarray[Any, Any]:
    found, kind = array.copy(), int(rng.integers(8))
    if kind < 4 and found.size:
        for _ in range(int(rng.integers(1, 4))):
            place = int(rng.integers(found.size))
            with np.errstate(all="ignore"):
                extreme = rng.choice(_EXTREMES) if rng.random() < 0.8 else found.flat[int(rng.integers(found.size))]
                found.flat[place] = np.array(extreme).astype(found.dtype)
    elif kind == 4:
        found = found[rng.permutation(len(found))] if len(found) else found
    elif kind == 5:
        found = found[: int(rng.integers(len(found) + 1))] if found.ndim else found
    elif kind == 6:
        found = np.concatenate([found, found[: int(rng.integers(len(found) + 1))]])
    else:
        others = (found.astype(np.float32), found.astype(np.int64), found.T, found[..., None], found[::-1])
        found = others[int(rng.integers(5))]
    return found
