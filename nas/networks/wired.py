"""WiredModule: a module that holds exactly the live weights of a wiring, and what it computes with them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.autograd import forward_ad
from torch.nn.utils import parametrize

from nas.networks.blocks import Block, LiveWeights, live_weights, n_slots, slots_of, split_columns
from nas.networks.parameters import EdgeWeights
from priors.wiring import Wiring

__all__ = ["Matrix", "SparseMatrix", "WiredModule", "affine", "generator_of", "is_autocast", "is_plain"]

_ALWAYS_DENSE, _NEVER_DENSE = 2**22, 2**28
_WORTH_COPYING = 10_000
"""Entries of all matrices up to which they are made dense at any density, and beyond which at none."""
_DENSITY = 1 / 64
"""Between the two, matrices of at least this share of weights are made dense."""
_CHUNK = 2**24
"""Numbers that a sparse product holds at a time."""
_NORMS = ("WeightNorm", "SpectralNorm", "Orthogonal")


class SparseMatrix(NamedTuple):
    """A matrix by its weights, (n_weights,), with the row and the column of each."""

    weight: Tensor
    rows: Tensor
    columns: Tensor
    n_rows: int


Matrix = Tensor | SparseMatrix


class WiredModule(nn.Module):
    """A module whose weights are those of a wiring's edges: one flat vector, with one entry a weight.

    The matrices that torch computes with are made of it in every forward pass, by operations that autograd, and
    whatever else transforms torch code, knows. Nothing that happens to the parameters can therefore leave the graph.

    Attributes
    ----------
    weight : (n_weights,) Parameter
        In the order of their places: by block, gate and target, sources ascending.
    slots : (n_weights,) int64 buffer
        The place of each weight in the blocks, ascending.
    columns : (n_columns,) int64 buffer
        The neurons that the blocks read, one block after the other.
    blocks : tuple of Block
    blueprint : Wiring
        The wiring as constructed; `wiring_of` gives the one that lives.
    held : (n_weights,) float buffer or None
        Weights that stay what they are whatever becomes of `weight`, NaN elsewhere; see `hold`.
    """

    weight: nn.Parameter
    slots: Tensor
    columns: Tensor
    held: Tensor | None
    blocks: tuple[Block, ...]
    blueprint: Wiring
    biases_name = "bias"
    _counts: list[int]

    def _install(
        self,
        wiring: Wiring,
        blocks: tuple[Block, ...],
        rng: int | np.random.Generator | None,
        device: torch.device | str | None,
        dtype: torch.dtype | None,
    ) -> None:
        """Give the module its parameters and buffers."""
        self.blueprint, self.blocks = wiring, blocks
        start, biases = self._start(wiring, generator_of(rng))
        by_target = np.argsort(start.edges[:, 1], kind="stable")  # Of many edges this takes the most time.
        slots = slots_of(blocks, start.edges[by_target]).ravel()
        order = np.argsort(slots, kind="stable")
        kind: dict[str, Any] = {"device": device, "dtype": dtype or torch.get_default_dtype()}
        self.register_parameter(
            "weight", nn.Parameter(torch.as_tensor(start.weights[by_target].ravel()[order], **kind))
        )
        self.register_parameter(self.biases_name, nn.Parameter(torch.as_tensor(biases, **kind)))
        self._count(slots[order])
        self.register_buffer("slots", torch.as_tensor(slots[order], device=device))
        self.register_buffer("columns", torch.as_tensor(self._columns(), device=device))
        self.register_buffer("held", None)

    def hold(self, own: Tensor | None = None) -> None:
        """Let weights stay what they are: no gradient, optimizer or weight decay changes what the module computes.

        They are a buffer of the module from now on, which `state_dict` and files keep, and its structure stays too.

        Parameters
        ----------
        own : (n_weights,) bool Tensor, optional
            Which weights; by default those that the wiring brought with it.

        Raises
        ------
        ValueError
            If the wiring brought none, or `own` has another shape.
        """
        if own is None:
            own = self._brought()
        if own.shape != self.weight.shape or own.dtype != torch.bool:
            raise ValueError(f"own is {tuple(own.shape)} of {own.dtype}: {tuple(self.weight.shape)} of bool is needed")
        self.held = None
        if own.any():
            held = torch.full_like(self.weight, float("nan"), requires_grad=False)
            held[own] = self.weight.detach()[own]
            self.held = held

    def _brought(self) -> Tensor:
        """Return which weights the wiring brought with it."""
        wiring = self.blueprint
        if wiring.weights is None or not np.array_equal(self.slots.cpu().numpy(), self.slots_of_blueprint()):
            raise ValueError(f"{wiring!r} has no weights of its own, or not these edges any more: none can be held")
        brings = wiring.edges[self._covers(wiring.edges) & ~np.isnan(wiring.weights)]
        return torch.isin(self.slots, torch.from_numpy(slots_of(self.blocks, brings).ravel()).to(self.slots))

    @property
    def values(self) -> Tensor:
        """The weights that the module computes with, (n_weights,): those held, and `weight` elsewhere."""
        return self.weight if self.held is None else torch.where(self.held.isnan(), self.weight, self.held)

    def _start(self, wiring: Wiring, rng: np.random.Generator) -> tuple[EdgeWeights, NDArray[np.float64]]:
        """Return the weights and the biases that the module starts with on a wiring."""
        raise NotImplementedError

    def _columns(self) -> NDArray[np.int64]:
        return np.concatenate([np.zeros(0, np.int64), *(block.columns for block in self.blocks)])

    @property
    def bias_vector(self) -> nn.Parameter:
        """The module's biases, whatever it calls them."""
        biases: nn.Parameter = getattr(self, self.biases_name)
        return biases

    @property
    def mask(self) -> Tensor:
        """Which entries of `weight` live, (n_weights,) bool: all of them."""
        return torch.ones_like(self.weight, dtype=torch.bool)

    def live_weights(self) -> LiveWeights:
        """Return what each weight connects."""
        return live_weights(self.blocks, self.slots.cpu().numpy())

    def slots_of_blueprint(self) -> NDArray[np.int64]:
        """Return the places of the weights of the wiring as constructed, ascending."""
        edges = self.blueprint.edges[self._covers(self.blueprint.edges)]
        return np.sort(slots_of(self.blocks, edges).ravel())

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> Self:
        """Move or convert the tensors; places and columns stay what they are, also where memory is left empty."""
        before = {"slots": self.slots, "columns": self.columns}
        super()._apply(fn, recurse)  # type: ignore[no-untyped-call]
        for name, old in before.items():
            new: Tensor = getattr(self, name)
            if new.is_meta:
                continue
            constructed = self.slots_of_blueprint if name == "slots" else self._columns
            kept = torch.from_numpy(constructed()) if old.is_meta else old
            if kept.shape == new.shape:
                new.copy_(kept)
        return self

    def matrices(self, values: Tensor | None = None) -> tuple[Tensor, ...]:
        """Return the matrix of every block, (gates * n_target, n_columns), zero where there is no edge.

        They carry gradients to the weights. To change weights, see `copy_matrices`: writing into these does not.

        Parameters
        ----------
        values : (n_weights,) Tensor, optional
            What to show in place of the weights: their gradients, say, or an optimizer's moments.
        """
        dense = self._dense(values)
        return tuple(block.matrix(dense) for block in self.blocks)

    def copy_matrices(self, matrices: Sequence[Tensor]) -> None:
        """Set the weights to the entries of matrices like those of `matrices`; entries without an edge are not read.

        Raises
        ------
        ValueError
            If the matrices have other shapes.
        """
        found, needed = [tuple(matrix.shape) for matrix in matrices], [block.shape for block in self.blocks]
        if found != needed:
            raise ValueError(f"the matrices have shapes {found} where {needed} are needed")
        self._refuse_parametrised()
        with torch.no_grad():
            self.weight.copy_(torch.cat([matrix.reshape(-1).to(self.weight) for matrix in matrices])[self.slots])

    def place(self, edges: NDArray[np.integer[Any]], weights: NDArray[np.floating[Any]]) -> None:
        """Write (n_edges, gates) weights of edges, in whatever order; gates that do not live are left out."""
        self._refuse_parametrised()
        slots = self.slots.cpu().numpy()
        given = slots_of(self.blocks, edges).ravel()
        places = np.searchsorted(slots, given)
        lives = slots[np.minimum(places, len(slots) - 1)] == given if len(slots) else np.zeros(len(given), bool)
        values = torch.as_tensor(weights.ravel()[lives]).to(self.weight)
        with torch.no_grad():
            self.weight[torch.from_numpy(places[lives]).to(self.weight.device)] = values

    def replace_weights(self, slots: Tensor, weight: Tensor) -> None:
        """Let weights live at exactly these places.

        The gradient is dropped. Whatever belongs to single weights, such as an optimizer's moments, is the caller's to
        move; where the number of weights changes, `weight` becomes another Parameter, of which optimizers must be told.

        Parameters
        ----------
        slots : (n_weights,) int64 Tensor
            Ascending.
        weight : (n_weights,) Tensor

        Raises
        ------
        ValueError
            If the places do not ascend, are not those of the blocks, or are not as many as the weights; or under a
            parametrisation.
        """
        if self.held is not None:
            raise ValueError("some weights are held, so that the structure stays: it cannot be replaced")
        if slots.shape != weight.shape or not self._has_places(slots):
            raise ValueError(
                f"{slots.numel()} places and {weight.numel()} weights: as many are needed, and places must ascend "
                f"between 0 and {n_slots(self.blocks) - 1}"
            )
        self._refuse_parametrised()
        with torch.no_grad():
            if weight.shape == self.weight.shape:
                self.weight.copy_(weight)
                self.weight.grad = None
            else:
                self.weight = nn.Parameter(weight.detach().to(self.weight, copy=True), self.weight.requires_grad)
            self.slots = slots.to(self.weight.device, copy=True)
        self._count(slots.cpu().numpy())

    def reset_parameters(self, rng: int | np.random.Generator | None = None) -> None:
        """Draw new initial weights for what lives, and set the biases to what they begin with.

        A wiring's own weights are the initial ones again, unless the network has other edges by now.

        Parameters
        ----------
        rng : int, numpy Generator or None
            Where the draws come from; None follows ``torch.manual_seed``.
        """
        self._refuse_parametrised()
        if self.weight.is_meta:
            return
        wiring = self.blueprint
        if not np.array_equal(self.slots.cpu().numpy(), self.slots_of_blueprint()):
            others = self.blueprint.edges[~self._covers(self.blueprint.edges)]
            living = self.live_weights().distinct_edges()
            wiring = wiring.replace(edges=np.concatenate([living, others]), weights=None)
        start, biases = self._start(wiring, generator_of(rng))
        self.place(start.edges, start.weights)
        with torch.no_grad():
            self.bias_vector.copy_(torch.as_tensor(biases))

    def _covers(self, edges: NDArray[np.integer[Any]]) -> NDArray[np.bool_]:
        """Return which edges of the wiring are this module's."""
        targets = edges[:, 1]
        return (targets >= self.blocks[0].targets.start) & (targets < self.blocks[-1].targets.stop)

    def _has_places(self, slots: Tensor) -> bool:
        if slots.is_meta or slots.dtype != torch.int64 or slots.ndim != 1:
            return False
        if not len(slots):
            return True
        return bool((slots[1:] > slots[:-1]).all()) and int(slots[0]) >= 0 and int(slots[-1]) < n_slots(self.blocks)

    def _refuse_parametrised(self) -> None:
        if parametrize.is_parametrized(self, "weight"):
            raise ValueError("weight is parametrised, so it cannot be written: remove the parametrisation first")

    def _count(self, slots: NDArray[np.int64]) -> None:
        """Count the weights of every block."""
        ends = [block.offset + block.size for block in self.blocks]
        self._counts = np.diff(np.searchsorted(slots, ends), prepend=0).tolist()
        self._is_full = [
            count == block.size and count >= _WORTH_COPYING
            for count, block in zip(self._counts, self.blocks, strict=True)
        ]

    def _is_dense(self) -> bool:
        """Whether matrices are made in full, which is faster where they are small or not very sparse."""
        size = n_slots(self.blocks)
        return size <= _ALWAYS_DENSE or (size <= _NEVER_DENSE and len(self.slots) >= _DENSITY * size)

    def _dense(self, values: Tensor | None = None) -> Tensor:
        """Return the (n_slots,) entries of all matrices."""
        _refuse_norms(self)
        values = self.values if values is None else values
        size = n_slots(self.blocks)
        if len(self.slots) == size:
            return values
        if not any(self._is_full):
            return values.new_zeros(size).index_copy(0, self.slots, values)
        # Most entries of a complete block need no scattering, only a copy.
        parts = []
        pieces = zip(torch.split(values, self._counts), torch.split(self.slots, self._counts), strict=True)
        for block, full, (own, slots) in zip(self.blocks, self._is_full, pieces, strict=True):
            parts.append(own if full else own.new_zeros(block.size).index_copy(0, slots - block.offset, own))
        return torch.cat(parts)

    def _matrices(self) -> tuple[Matrix, ...]:
        """Return the matrix of every block in the form that is computed with."""
        if self._is_dense():
            dense = self._dense()
            pieces = torch.split(dense, [block.size for block in self.blocks])
            return tuple(piece.view(block.shape) for piece, block in zip(pieces, self.blocks, strict=True))
        _refuse_norms(self)
        matrices = []
        for block, slots, weight in zip(
            self.blocks, torch.split(self.slots, self._counts), torch.split(self.values, self._counts), strict=True
        ):
            n_columns = max(len(block.columns), 1)
            within = slots - block.offset
            matrices.append(SparseMatrix(weight, within // n_columns, within % n_columns, block.shape[0]))
        return tuple(matrices)

    def _indices(self) -> tuple[Tensor, ...]:
        """Return the columns of every block."""
        return split_columns(self.columns, self.blocks)

    def _load_from_state_dict(self, state_dict: dict[str, Any], prefix: str, *given: Any) -> None:
        errors: list[str] = given[-1]
        if f"{prefix}mask" in state_dict:
            self._convert_masked(state_dict, prefix, errors)
        slots, weight, columns = (state_dict.get(f"{prefix}{name}") for name in ("slots", "weight", "columns"))
        held = state_dict.get(f"{prefix}held")
        if self.held is None and held is not None and held.shape == self.weight.shape:
            self.held = torch.full_like(self.weight, float("nan"), requires_grad=False)
        if self.held is not None and weight is not None and weight.shape != self.weight.shape:
            errors.append(f"{prefix}held: some weights are held, so that as many edges are needed as there are")
        if slots is not None and not slots.is_meta and not self._has_places(slots):
            errors.append(f"{prefix}slots: places of weights must ascend, within those of this wiring and its cell")
        if columns is not None and not columns.is_meta and not np.array_equal(columns.cpu().numpy(), self._columns()):
            errors.append(f"{prefix}columns: they are not those of this wiring")
        if errors:
            return
        if slots is not None and weight is not None and weight.shape == slots.shape != self.slots.shape:
            # More or fewer edges live in the other network.
            if slots.is_meta or self.weight.is_meta:
                self.weight = nn.Parameter(self.weight.new_empty(weight.shape), self.weight.requires_grad)
                self.slots = self.slots.new_empty(slots.shape)
            else:
                self.replace_weights(slots, weight)
        super()._load_from_state_dict(state_dict, prefix, *given)
        if not self.slots.is_meta:
            self._count(self.slots.cpu().numpy())

    def _convert_masked(self, state: dict[str, Any], prefix: str, errors: list[str]) -> None:
        """Turn a state as it was before weights had places: with a value for every entry of the blocks, and a mask."""
        mask, weight = state.pop(f"{prefix}mask"), state.get(f"{prefix}weight")
        if weight is not None and mask.shape == weight.shape == (n_slots(self.blocks),):
            state[f"{prefix}weight"], state[f"{prefix}slots"] = weight[mask], mask.nonzero().squeeze(1)
        else:
            errors.append(
                f"{prefix}mask: it is not one of the {n_slots(self.blocks)} entries of this wiring's matrices"
            )
        state[f"{prefix}columns"] = torch.from_numpy(self._columns())
        if f"{prefix}bias" in state:
            state[f"{prefix}{self.biases_name}"] = state.pop(f"{prefix}bias")


def is_autocast(device_type: str) -> bool:
    """Whether operations on a kind of device cast what they are given."""
    return torch.amp.is_autocast_available(device_type) and torch.is_autocast_enabled(device_type)


def is_plain(device_type: str) -> bool:
    """Whether nothing but autograd looks at what is computed: no compiler, tracer, transform of functions, autocast.

    Then operations that are faster and write in place may stand in for standard ones.
    """
    return not (
        torch.compiler.is_compiling()
        or torch.jit.is_tracing()  # type: ignore[attr-defined, no-untyped-call]
        or torch._C._are_functorch_transforms_active()
        or is_autocast(device_type)
        or forward_ad._current_level >= 0
    )


def affine(read: Tensor, matrix: Matrix, bias: Tensor) -> Tensor:
    """Return the (batch, n_rows) products of (batch, n_columns) values with the rows of a matrix, plus biases."""
    if isinstance(matrix, Tensor):
        return torch.addmm(bias, read, matrix.t())
    weight, rows, columns, n_rows = matrix
    if is_plain(read.device.type):
        product: Tensor = _Product.apply(weight, read.t(), columns, rows, n_rows)  # type: ignore[no-untyped-call]
        return product.t() + bias
    terms = read.index_select(1, columns) * weight
    return terms.new_zeros(read.shape[0], n_rows).index_add(1, rows, terms) + bias


class _Product(torch.autograd.Function):
    """For every target the sum, over its edges, of weight times value of the source: (n_targets, batch).

    Its gradients are made of itself and of `_Dots`, so that it can be differentiated any number of times.
    """

    @staticmethod
    def forward(ctx: Any, weight: Tensor, values: Tensor, sources: Tensor, targets: Tensor, n_targets: int) -> Tensor:
        ctx.save_for_backward(weight, values, sources, targets)
        sums = values.new_zeros(n_targets, values.shape[1])
        for part in _chunks(weight, values):
            sums.index_add_(0, targets[part], values[sources[part]] * weight[part].unsqueeze(1))
        return sums

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        (gradient,) = gradients
        weight, values, sources, targets = ctx.saved_tensors
        to_weight, to_values = ctx.needs_input_grad[:2]
        return (
            _Dots.apply(gradient, values, targets, sources) if to_weight else None,  # type: ignore[no-untyped-call]
            _Product.apply(weight, gradient, targets, sources, len(values)) if to_values else None,  # type: ignore[no-untyped-call]
            None,
            None,
            None,
        )


class _Dots(torch.autograd.Function):
    """For every edge the product of a row of one matrix with a row of another, (n_edges,)."""

    @staticmethod
    def forward(ctx: Any, left: Tensor, right: Tensor, rows: Tensor, columns: Tensor) -> Tensor:
        ctx.save_for_backward(left, right, rows, columns)
        dots = left.new_empty(len(rows))
        for part in _chunks(dots, left):
            dots[part] = (left[rows[part]] * right[columns[part]]).sum(dim=1)
        return dots

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        (gradient,) = gradients
        left, right, rows, columns = ctx.saved_tensors
        to_left, to_right = ctx.needs_input_grad[:2]
        return (
            _Product.apply(gradient, right, columns, rows, len(left)) if to_left else None,  # type: ignore[no-untyped-call]
            _Product.apply(gradient, left, rows, columns, len(right)) if to_right else None,  # type: ignore[no-untyped-call]
            None,
            None,
        )


def _chunks(edges: Tensor, values: Tensor) -> Sequence[slice]:
    step = max(_CHUNK // max(values.shape[1], 1), 1)
    return [slice(start, start + step) for start in range(0, len(edges), step)]


def generator_of(rng: int | np.random.Generator | None) -> np.random.Generator:
    """Return a generator of draws; without one given it follows torch's, as the layers of torch do."""
    if rng is None:
        rng = int(torch.randint(2**63 - 1, (), device="cpu"))
    return np.random.default_rng(rng)


def _refuse_norms(module: nn.Module) -> None:
    """Refuse what rescales a weight matrix by its rows: the vector of weights has none."""
    found: list[object] = list(module._forward_pre_hooks.values())
    if parametrize.is_parametrized(module):
        found += [part for parts in module.parametrizations.values() for part in parts]  # type: ignore[operator]
    for part in found:
        if type(part).__name__.strip("_") in _NORMS:
            raise ValueError(
                f"{type(part).__name__.strip('_')} on {type(module).__name__}: its weights are one vector of edges, "
                "with no rows to normalise; remove it"
            )
