"""Rounding: the weights of a network as they are stored with 8 or 16 bits each."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from nas.networks.wired import WiredModule

__all__ = ["BITS", "round_parameters"]

BITS = (8, 16, 32)
"""That a weight may have."""

_LARGEST = 127
"""Of the integers of 8 bits that are used: as many below 0 as above, as is usual."""


def round_parameters(network: nn.Module, bits: int) -> None:
    """Round the weights and biases of a network, in place, to what so many bits each can hold.

    With 16 bits these are numbers of half precision (IEEE 754). With 8 they are integers between -127 and 127, times
    one factor for the weights of each block of a layer (see `WiredModule.blocks`), and one for the biases of each
    module, so that the largest magnitude of a group stays what it is. Held weights are rounded like all others.

    Parameters
    ----------
    network : nn.Module
        One of `nas.networks`; its modules that are a `WiredModule` hold all of its parameters.
    bits : {8, 16, 32}
        With 32 nothing changes.

    Raises
    ------
    ValueError
        For another number of bits, a module that is none of these networks, or weights under a parametrisation.

    References
    ----------
    .. [1] B. Jacob et al., "Quantization and training of neural networks for efficient integer-arithmetic-only
       inference", CVPR 2018, arXiv:1712.05877; here symmetric, and after training alone.

    Examples
    --------
    >>> import torch
    >>> from nas import SparseMLP
    >>> from nas.networks import round_parameters
    >>> from priors import Layered
    >>> network = SparseMLP(Layered((2, 1), edges=2, inputs=True, outputs=True).sample(0), rng=0)
    >>> network.copy_matrices([torch.tensor([[0.5, -1.27]])])
    >>> round_parameters(network, 8)
    >>> [round(weight, 6) for weight in network.weight.tolist()]
    [0.5, -1.27]
    """
    if bits not in BITS:
        raise ValueError(f"bits={bits}: it must be one of {', '.join(map(str, BITS))}")
    modules = [module for module in network.modules() if isinstance(module, WiredModule)]
    if {id(own) for own in network.parameters()} != {id(own) for part in modules for own in part.parameters(False)}:
        raise ValueError(
            f"{type(network).__name__}: it has parameters that are no weights or biases of a wiring; give a network of "
            "nas.networks without parametrisations"
        )
    if bits == 32:
        return
    with torch.no_grad():
        for module in modules:
            ends = torch.tensor([block.offset + block.size for block in module.blocks], device=module.slots.device)
            weights = _rounded(module.values, torch.searchsorted(ends, module.slots, right=True), bits)
            if module.held is not None:
                module.held = torch.where(module.held.isnan(), module.held, weights)
            module.weight.copy_(weights)
            biases = module.bias_vector
            biases.copy_(_rounded(biases, torch.zeros(biases.shape, dtype=torch.int64, device=biases.device), bits))


def _rounded(values: Tensor, group: Tensor, bits: int) -> Tensor:
    """Return values as they are stored, each with those of its own group."""
    if bits == 16:
        largest = torch.finfo(torch.float16).max
        return values.clamp(-largest, largest).half().to(values.dtype)
    n_groups = int(group.max()) + 1 if len(group) else 0
    scale = values.new_zeros(n_groups).scatter_reduce(0, group, values.abs(), "amax") / _LARGEST
    own = scale[group]
    return torch.where(own > 0, (values / own).round() * own, 0.0)
