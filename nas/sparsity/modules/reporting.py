"""What of a module lives, layer by layer."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from dataclasses import asdict, dataclass

import numpy as np
from torch import nn

from nas.sparsity.layers import Layer, Live, Places
from nas.sparsity.modules.targets import Target, live_slots, targets_of
from nas.sparsity.neurons import feedforward, liveness

__all__ = ["LayerReport", "Report", "report"]


@dataclass(frozen=True)
class LayerReport:
    """One matrix of weights.

    Parameters
    ----------
    layer : str
        Its name: that of the parameter.
    shape : tuple of int
        That of its weights.
    places, live : int
        Weights in all, and those that live.
    density : float
        live / places.
    dead : int
        Neurons, or channels, that it computes and that take no part. In a ``nn.Sequential`` of Linear layers, with
        nothing but activations, dropout and batch norms between them, these are all that lie on no way from its
        inputs to its outputs; elsewhere those that read nothing.
    unread : int
        Columns that nothing reads.
    """

    layer: str
    shape: tuple[int, ...]
    places: int
    live: int
    density: float
    dead: int
    unread: int


@dataclass(frozen=True)
class Report:
    """What of a module lives; ``print`` shows a table.

    Parameters
    ----------
    layers : tuple of LayerReport
    places, live : int
        Sums over the layers.
    density : float
    parameters : int
        Live weights and all other parameters of the module: biases, norms, layers that are never masked.
    """

    layers: tuple[LayerReport, ...]
    places: int
    live: int
    density: float
    parameters: int

    def to_json(self) -> str:
        """Return it as JSON."""
        return json.dumps(asdict(self))

    def __str__(self) -> str:
        rows = [("layer", "shape", "density", "live", "dead", "unread")]
        rows += [
            (
                each.layer,
                " x ".join(map(str, each.shape)),
                f"{each.density:.4f}",
                f"{each.live:,}",
                f"{each.dead:,}",
                f"{each.unread:,}",
            )
            for each in self.layers
        ]
        dead, unread = (sum(getattr(each, name) for each in self.layers) for name in ("dead", "unread"))
        rows.append(
            ("total", f"{self.places:,} weights", f"{self.density:.4f}", f"{self.live:,}", f"{dead:,}", f"{unread:,}")
        )
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        lines = [
            "  ".join(
                cell.ljust(width) if index < 2 else cell.rjust(width)
                for index, (cell, width) in enumerate(zip(row, widths, strict=True))
            ).rstrip()
            for row in rows
        ]
        lines.insert(1, "-" * (sum(widths) + 2 * (len(widths) - 1)))
        return "\n".join([*lines, f"{self.parameters:,} parameters live, biases and norms included"])


def report(module: nn.Module, layers: Collection[str] | None = None) -> Report:
    """Say what of a module lives.

    Parameters
    ----------
    module : nn.Module
        With masks or without, in which case everything lives.
    layers : collection of str, optional
        Names of the submodules or parameters that are meant; by default all that may be masked.

    Raises
    ------
    InputError
        If it has no layer whose weights may be masked.
    """
    targets = targets_of(module, layers, skip_computed=True)
    dead = _followed(module)
    rows = [
        each for target in targets for each in _rows(target, dead.get(id(target.parameter)))
    ]  # fmt: skip
    places, live = sum(each.places for each in rows), sum(each.live for each in rows)
    everything = sum(parameter.numel() for parameter in module.parameters())
    masked = sum(int((~target.mask).sum()) for target in targets_of(module, skip_computed=True))
    return Report(tuple(rows), places, live, live / max(places, 1), everything - masked)


def _rows(target: Target, dead: int | None) -> Iterator[LayerReport]:
    marks = target.mask.reshape(-1).cpu().numpy()
    for layer in target.layers:
        own = marks[layer.first - target.first : layer.stop - target.first].reshape(layer.shape)
        reads = own.any(axis=1).reshape(layer.gates, layer.n_targets).any(axis=0)
        shape = tuple(target.parameter.shape) if len(target.layers) == 1 else layer.shape
        live = int(own.sum())
        unread = int(np.count_nonzero(~own.any(axis=0)))
        empty = int(np.count_nonzero(~reads)) if dead is None else dead
        yield LayerReport(layer.name, shape, layer.size, live, live / max(layer.size, 1), empty, unread)


_ELEMENTWISE = (nn.Dropout, nn.AlphaDropout, nn.Identity, nn.BatchNorm1d)
_NOT_ELEMENTWISE = (nn.MultiheadAttention, nn.Softmax, nn.LogSoftmax, nn.Softmin, nn.Softmax2d, nn.GLU)


def _is_elementwise(module: nn.Module) -> bool:
    if isinstance(module, _NOT_ELEMENTWISE):
        return False
    return isinstance(module, _ELEMENTWISE) or type(module).__module__ == "torch.nn.modules.activation"


def chains(module: nn.Module) -> Iterator[list[nn.Linear]]:
    """Yield the Linear layers that follow each other in each ``nn.Sequential``, two or more."""
    for each in module.modules():
        if not isinstance(each, nn.Sequential):
            continue
        chain: list[nn.Linear] = []
        for part in each:
            if isinstance(part, nn.Linear):
                chain.append(part)
            elif not _is_elementwise(part):
                if len(chain) > 1:
                    yield chain
                chain = []
        if len(chain) > 1:
            yield chain


def _followed(module: nn.Module) -> dict[int, int]:
    """Return the dead neurons of each weight, by its identity, of the layers that can be followed."""
    by_owner = {id(target.owner): target for target in targets_of(module, skip_computed=True)}
    found: dict[int, int] = {}
    for chain in chains(module):
        targets = [by_owner[id(each)] for each in chain if id(each) in by_owner]
        if len(targets) < len(chain):
            continue  # One of them shares its weights with another.
        dead = _dead([target.layers[0] for target in targets], [live_slots([target]) for target in targets])
        found.update({id(target.parameter): n for target, n in zip(targets, dead, strict=True)})
    return found


def _dead(layers: list[Layer], slots: list[Places]) -> list[int]:
    """Return how many targets of each of some consecutive layers lie on no way from the first's inputs to the last."""
    sizes = (layers[0].shape[1], *(layer.shape[0] for layer in layers))
    stacked: list[Layer] = []
    moved = [np.zeros(0, np.int64)]
    for layer, own in zip(layers, slots, strict=True):
        first = stacked[-1].stop if stacked else 0
        stacked.append(Layer(layer.name, layer.shape, first))
        moved.append(own - layer.first + first)
    places = np.concatenate(moved)
    neurons = feedforward(sizes)
    alive = liveness(Live(tuple(stacked), places, np.zeros(len(places))), neurons).neurons
    reads = ~alive
    return [int(np.count_nonzero(reads[rows])) for rows in neurons.rows]
