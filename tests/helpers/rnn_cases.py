"""Random wirings and networks of recurrent cells, and what the tests of SparseRNN call."""

import numpy as np
import torch
from torch import Tensor
from torch.nn.utils.rnn import PackedSequence, pack_padded_sequence

from nas.networks import CELLS, SparseRNN
from priors.wiring import Wiring

SEED = 5  # of a wiring with three layers, skips and gaps in its masks
CELL_NAMES = sorted(CELLS)


def random_wiring(seed: int, backward: bool | None = None) -> Wiring:
    """Input units, 1 to 3 layers of 1 to 4 cells; recurrent edges within layers, or to earlier ones too."""
    rng = np.random.default_rng(seed)
    sizes = rng.integers(1, 5, rng.integers(2, 5))
    layer = np.repeat(np.arange(len(sizes)), sizes)
    source, target = np.indices((len(layer), len(layer))).reshape(2, -1)
    if backward is None:
        backward = bool(rng.integers(2))
    allowed = (layer[source] <= layer[target]) | backward
    kept = (layer[target] > 0) & allowed & (rng.random(len(source)) < rng.choice([0.1, 0.4, 0.8]))
    return Wiring(sizes, np.stack([source, target], axis=1)[kept], inputs=True)


def build(wiring: Wiring, cell: str, seed: int = 0) -> SparseRNN:
    """Make a float64 network whose biases are not zero."""
    network = SparseRNN(wiring, cell, rng=seed, dtype=torch.float64)
    rng = np.random.default_rng(seed)
    network.biases.data = torch.from_numpy(rng.normal(scale=0.5, size=network.biases.shape))
    return network


def normal(*shape: int, seed: int = 0) -> Tensor:
    return torch.from_numpy(np.random.default_rng(seed).normal(size=shape))


def parts(state: Tensor | tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    return (state,) if isinstance(state, Tensor) else state


def packed(x: Tensor) -> PackedSequence:
    lengths = torch.tensor([2, 5, 3])
    return pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
