"""One training step of a sparse MLP: SparseMLP against one linear layer per pair of connected layers.

Run: python benchmarks/network_step.py
Prints milliseconds per forward and backward pass (median of interleaved rounds, one thread) and their ratio.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor, nn

from nas.networks import SparseMLP
from priors import BarabasiAlbert, Prior, WattsStrogatz, Wiring, attach, layer, orient

ROUNDS, BATCH = 9, 64
GRAPHS: dict[str, Prior] = {
    "WS n=64 k=8": WattsStrogatz(64, 8, 0.5),
    "WS n=200 k=20": WattsStrogatz(200, 20, 0.5),
    "BA n=200 m=10": BarabasiAlbert(200, 10),
    "WS n=400 k=8": WattsStrogatz(400, 8, 0.5),
}


class PairwiseMLP(nn.Module):
    """The same function, with one masked linear layer for each pair of connected layers."""

    def __init__(self, wiring: Wiring, network: SparseMLP) -> None:
        super().__init__()
        self.sizes = wiring.sizes
        adjacency = np.zeros((wiring.n_neurons, wiring.n_neurons), np.float32)
        for block in network.blocks:
            rows = np.arange(block.targets.start, block.targets.stop)
            adjacency[np.ix_(rows, block.columns)] = block.matrix(network.weight).detach().numpy()
        self.bias = nn.Parameter(torch.zeros(wiring.n_neurons))
        self.offsets = wiring.offsets.tolist()
        self.pairs: list[list[tuple[int, nn.Parameter]]] = []
        for target in range(1, wiring.n_layers):
            own = []
            for source in range(target):
                if wiring.mask(target, source).any():
                    rows, columns = wiring.neurons(target), wiring.neurons(source)
                    weight = nn.Parameter(torch.from_numpy(adjacency[np.ix_(rows, columns)]))
                    self.register_parameter(f"weight_{source}_{target}", weight)
                    own.append((source, weight))
            self.pairs.append(own)

    def forward(self, x: Tensor) -> Tensor:
        """Return (batch, n_outputs)."""
        values = [x]
        for target, pairs in enumerate(self.pairs, start=1):
            total = self.bias[self.offsets[target] : self.offsets[target + 1]].expand(len(x), -1)
            for source, weight in pairs:
                total = total + nn.functional.linear(values[source], weight)
            values.append(total if target == len(self.pairs) else total.relu())
        return values[-1]


def milliseconds(step: Callable[[], None]) -> float:
    """Return the time of one call."""
    started = time.perf_counter()
    step()
    return 1e3 * (time.perf_counter() - started)


def stepper(network: nn.Module, x: Tensor) -> Callable[[], None]:
    """Return a function that makes one forward and backward pass."""

    def step() -> None:
        network.zero_grad()
        network(x).sum().backward()

    return step


def main() -> None:
    """Print the table."""
    torch.set_num_threads(1)
    x = torch.rand(BATCH, 64)
    print(f"batch {BATCH}, 64 inputs, 10 outputs, natural attachment, median of {ROUNDS} interleaved rounds")
    print(f"{'graph':16} {'layers':>6} {'edges':>6} {'SparseMLP ms':>13} {'per pair ms':>12} {'ratio':>6}")
    for name, prior in GRAPHS.items():
        wiring = attach(layer(orient(prior.sample(0), "random", 0)), 64, 10, "natural")
        network = SparseMLP(wiring, "relu", rng=0)
        pairwise = PairwiseMLP(wiring, network)
        torch.testing.assert_close(network(x), pairwise(x), rtol=1e-4, atol=1e-4)
        steps = stepper(network, x), stepper(pairwise, x)
        times = [[milliseconds(step) for step in steps] for _ in range(ROUNDS + 1)][1:]
        ours, theirs = (statistics.median(column) for column in zip(*times, strict=True))
        print(f"{name:16} {wiring.n_layers:6} {wiring.n_edges:6} {ours:13.2f} {theirs:12.2f} {theirs / ours:6.1f}")


if __name__ == "__main__":
    main()
