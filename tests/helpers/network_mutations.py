"""Saved networks that are damaged on purpose."""

import json
import random
import tempfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from damage import WILD, damaged, places_of, with_value
from folder_mutations import one_line
from safetensors import safe_open
from safetensors.numpy import load, save

from priors import BarabasiAlbert, attach, layer, orient


@cache
def seeds() -> list[tuple[str, bytes]]:
    from nas.networks import SequenceNetwork, SparseMLP, SparseRNN, save_network

    hidden = layer(orient(BarabasiAlbert(9, 2).sample(0), "index"))
    wiring = attach(hidden, 3, 2, "natural")
    named = wiring.replace(names=tuple(f"n{number}" for number in range(wiring.n_neurons)))
    networks = (
        SparseMLP(wiring, "relu", rng=0),
        SparseMLP(named, "gelu", rng=0, room=True),
        SparseRNN(wiring, "gru", rng=0),
        SequenceNetwork(wiring, "lstm", rng=0),
    )
    found = []
    for network in networks:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "network.safetensors"
            save_network(network, path)
            found.append((".safetensors", path.read_bytes()))
    return found


def mutations(number: int, seed: int = 0) -> Iterator[tuple[str, bytes]]:
    rng = random.Random(seed)
    for _ in range(number):
        suffix, content = rng.choice(seeds())
        yield suffix, rng.choice((damaged, _described, _described, _changed))(rng, content)


def _parts(content: bytes) -> tuple[Any, dict[str, Any]]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "own"
        path.write_bytes(content)
        with safe_open(path, framework="numpy") as file:
            return json.loads(file.metadata()["wirenas"]), load(content)


def _described(rng: random.Random, content: bytes) -> bytes:
    description, tensors = _parts(content)
    place, wild = rng.choice(list(places_of(description))), rng.choice((*WILD, [1] * 10**5, 3, 9))
    description = with_value(description, place, wild)
    if rng.random() < 0.05:
        description = wild
    return save(tensors, {"wirenas": json.dumps(description)})


def _changed(rng: random.Random, content: bytes) -> bytes:
    description, tensors = _parts(content)
    name = rng.choice(sorted(tensors))
    own, action = tensors[name], rng.randrange(6)
    with np.errstate(all="ignore"):
        if action == 0:
            own = own.copy()
            values = (-1, 0, 1, 127, np.nan, np.inf, 1e30)
            own.reshape(-1)[rng.randrange(max(own.size, 1)) :][:1] = np.array(rng.choice(values)).astype(own.dtype)
        elif action == 1:
            own = own[: rng.randrange(len(own) + 1)]
        elif action == 2:
            own = own.astype(rng.choice(("f2", "f4", "f8", "i1", "i8", "u1", "?")))
        elif action == 3:
            own = own.reshape(-1, 1) if own.ndim == 1 else own.reshape(-1)
        elif action == 4:
            own = np.concatenate([own, own])
    tensors = {**tensors, name: np.ascontiguousarray(own)}
    if action == 5:
        del tensors[name]
    return save(tensors, {"wirenas": json.dumps(description)})


def outcome(suffix: str, content: bytes) -> str:
    import torch

    from nas.networks import load_network

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"network{suffix}"
        path.write_bytes(content)
        try:
            network = load_network(path)
        except ValueError as error:
            return one_line(str(error))
    assert all(torch.is_tensor(value) for value in network.state_dict().values())
    return ""
