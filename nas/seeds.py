"""Where every random number comes from: one tree of seeds with named purposes.

Nothing here depends on time, threads or the order of calls: a stream is a function of (seed, purpose, keys).
"""

from __future__ import annotations

import struct

import numpy as np

__all__ = ["PURPOSES", "stream", "stream_seed"]

PURPOSES = {
    "sampler": 1,
    "wiring": 2,
    "weights": 3,
    "batches": 4,
    "start": 5,
    "pool": 6,
    "proposal": 7,
    "structure": 8,
    "null": 9,
}
"""Branches of the seed tree. A number is never given to another purpose, so that old results can be repeated."""


def stream(seed: int, purpose: str, *keys: int | str) -> np.random.Generator:
    """Return the generator of one of `PURPOSES`, and of what the keys name: trial numbers, or fingerprints in hex.

    Raises
    ------
    ValueError
        For a negative seed.
    """
    return np.random.Generator(np.random.PCG64(_sequence(seed, purpose, keys)))


def stream_seed(seed: int, purpose: str, *keys: int | str) -> int:
    """Return a 31-bit seed of one purpose, for libraries that take a number."""
    return int(_sequence(seed, purpose, keys).generate_state(1)[0] >> 1)


def _sequence(seed: int, purpose: str, keys: tuple[int | str, ...]) -> np.random.SeedSequence:
    if seed < 0:
        raise ValueError(f"seed={seed}: a seed must be an integer of at least 0")
    path = [PURPOSES[purpose]]
    for key in keys:
        path += _words(key) if isinstance(key, str) else (int(key),)
    return np.random.SeedSequence(entropy=seed, spawn_key=tuple(path))


def _words(fingerprint: str) -> tuple[int, ...]:
    digits = bytes.fromhex(fingerprint)
    return struct.unpack(f">{len(digits) // 4}I", digits)
