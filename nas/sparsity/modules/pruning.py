"""Prune a module at once, by any score whose needs can be met."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from nas.errors import InputError, known
from nas.sparsity.allocation import allocate
from nas.sparsity.edges import EdgeView
from nas.sparsity.layers import Floats, Live
from nas.sparsity.modules.checks import generator_of
from nas.sparsity.modules.drawing import GRANULARITIES, number_of, refuse_weights
from nas.sparsity.modules.inputs import Recorder
from nas.sparsity.modules.masks import let_live
from nas.sparsity.modules.reporting import Report, report
from nas.sparsity.modules.targets import Target, flat, layer_names, layers_in, live_slots, targets_of
from nas.sparsity.scores import SCORES
from nas.sparsity.scores import score as scores_of
from nas.sparsity.update import Update, drop_to, expand

__all__ = ["check_score", "fewest", "live_weights", "prune"]


def prune(
    module: nn.Module,
    score: str = "magnitude",
    *,
    density: float | None = None,
    weights: int | None = None,
    amount: float | int | None = None,
    allocation: str = "class-blinded",
    granularity: str = "weight",
    at_least: int = 1,
    dense: Collection[str] = (),
    layers: Collection[str] | None = None,
    loss: Callable[[], Tensor] | None = None,
    examples: Any = None,
    rng: int | np.random.Generator | None = None,
    **options: Any,
) -> Report:
    """Drop the live weights of a module that are worth least, all at once; exactly as many as are asked for.

    Parameters
    ----------
    module : nn.Module
        Changed in place, as by `sparsify`; it may have masks before, which lose weights then.
    score : str
        What weights are worth, one of `SCORES`, the lowest of which are dropped; those that need second derivatives
        or the inverse of input products are not computed here.
    density, weights, amount : number, exactly one of them
        Live weights / all weights of the layers afterwards; the number of live weights afterwards; or as in
        ``torch.nn.utils.prune`` what is dropped of those that live: a share, or a whole number.
    allocation : str
        How many each layer keeps, one of `ALLOCATIONS`.
    granularity : str
        "weight", or "edge": the weights of all gates of a recurrent connection go together, and `density` and
        `amount` count connections.
    at_least : int
        Weights that every layer keeps at least.
    dense : collection of str
        Names of submodules or parameters that keep all of their weights.
    layers : collection of str, optional
        Names of the submodules or parameters that are meant; by default all.
    loss : callable, optional
        Returns the loss whose gradients a score needs; by default they are those in ``.grad``.
    examples : Tensor or tuple, optional
        What the module is called with, for scores that need inputs: a batch, or all arguments.
    rng : int or numpy.random.Generator, optional
        For the score "random".
    options
        Of the score, such as `gamma` of "mest", and of the allocation, such as `std` of "class-distributed".

    Returns
    -------
    Report

    Raises
    ------
    InputError
        For bad input, in one line; the module is as it was then.
    """
    check_score(score)
    targets, generator = targets_of(module, layers), generator_of(rng)
    names = layer_names(targets, dense)
    if known("granularity", granularity, GRANULARITIES) == "edge":
        refuse_weights(weights, "density or amount")
    of_allocation = {name: options.pop(name) for name in ("std", "power") if name in options}
    live = live_weights(
        targets,
        SCORES[score].needs,
        gradients=_gradients(targets, loss) if "gradient" in SCORES[score].needs else None,
        recorder=_recorded(module, targets, examples, score) if {"inputs", "norms"} & SCORES[score].needs else None,
    )
    scores = scores_of(score, live, generator, **options)
    _check_finite(score, live, scores)

    def shared(view: Live, values: Floats) -> Update:
        total = _total(view, density, weights, amount)
        counts = allocate(allocation, view, total, values, at_least=at_least, dense=names, **of_allocation)
        return drop_to(view, values, counts)

    if granularity == "edge":
        view = EdgeView.of(live)
        update = expand(view, live, shared(view.live(live), view.sums(scores)))
    else:
        update = shared(live, scores)
    for target in targets:
        let_live(target, target.marks(update.slots))
    return report(module)


def _check_finite(name: str, live: Live, scores: Floats) -> None:
    """Refuse scores by which nothing can be judged."""
    for layer, first, stop in zip(live.layers, live.bounds()[:-1], live.bounds()[1:], strict=True):
        wrong = scores[first:stop][~np.isfinite(scores[first:stop])]
        if len(wrong):
            raise InputError(f"score={name!r} of {len(wrong)} weights of layer {layer.name!r} is {wrong[0]}: weights, "
                             "gradients and what layers read must be finite")  # fmt: skip


_NOT_MEASURED = frozenset({"hessian", "inverse-hessian", "flow"})


def check_score(name: str) -> None:
    """Refuse scores that a module cannot be judged by.

    Raises
    ------
    InputError
    """
    entry = SCORES[known("score", name, SCORES)]
    if name == "set-released" or _NOT_MEASURED & entry.needs:
        usable = [each for each in SCORES if each != "set-released" and not _NOT_MEASURED & SCORES[each].needs]
        why = (
            "drops other numbers than are asked for, so that it is one for rewiring"
            if name == "set-released"
            else "needs second derivatives or a flow, which are not computed for modules"
        )
        raise InputError(f"score={name!r} {why}; use one of {', '.join(usable)}")


def fewest(live: Live, total: int) -> int:
    """Return a number of weights to keep, checked against those that live.

    Raises
    ------
    InputError
        If there are fewer.
    """
    if not 0 < total <= live.n:
        raise InputError(f"{total} weights were to be kept where {live.n} live: it must be a number from 1 to {live.n}")
    return total


def _total(live: Live, density: float | None, weights: int | None, amount: float | int | None) -> int:
    if sum(each is not None for each in (density, weights, amount)) != 1:
        raise InputError(f"density={density!r}, weights={weights!r}, amount={amount!r}: exactly one of them says how "
                         "many weights are kept")  # fmt: skip
    if amount is None:
        return fewest(live, number_of(density, weights, live.layers))
    if isinstance(amount, bool) or not isinstance(amount, int | float | np.integer | np.floating):
        raise InputError(f"amount={amount!r}: it must be a share or a whole number of the live weights")
    if not isinstance(amount, int | np.integer):
        if not 0 <= amount < 1:
            raise InputError(f"amount={amount!r}: a share of the live weights must be a number with 0 <= amount < 1")
        return live.n - round(float(amount) * live.n)
    if not 0 <= amount < live.n:
        raise InputError(f"amount={amount}: there are {live.n} live weights, and at least 1 must stay; drop at most "
                         f"{live.n - 1}")  # fmt: skip
    return live.n - int(amount)


def live_weights(
    targets: Sequence[Target],
    needs: Collection[str],
    *,
    gradients: Sequence[Floats] | None = None,
    recorder: Recorder | None = None,
) -> Live:
    """Return the live weights of some targets, with what scores want to know of them.

    Parameters
    ----------
    targets : sequence of Target
    needs : collection of str
        By the names of `nas.sparsity.scores.NEEDS`.
    gradients : sequence of (n_places,) float64, optional
        Of all weights of each target, live or not.
    recorder : Recorder, optional
        Which has listened.
    """
    layers, slots = layers_in(targets), live_slots(targets)
    none = np.zeros(0)
    live = Live(layers, slots, np.concatenate([none, *(flat(each.parameter) for each in targets)])[slots])
    if "gradient" in needs and gradients is not None:
        live = replace(live, gradient=np.concatenate([none, *gradients])[slots])
    if recorder is not None:
        spread, norm = recorder.statistics(slots)
        live = replace(live, input_sd=spread, input_norm=norm)
    return live


def _gradients(targets: Sequence[Target], loss: Callable[[], Tensor] | None) -> list[Floats]:
    frozen = [each.name for each in targets if not each.parameter.requires_grad]
    if frozen:
        raise InputError(f"the score needs gradients, and {', '.join(frozen)} are frozen: let them be trained, or "
                         "leave these layers out by layers=")  # fmt: skip
    if loss is not None and not callable(loss):
        raise InputError(f"loss={loss!r}: it must be a function without arguments that returns the loss")
    if loss is None:
        without = [each.name for each in targets if each.parameter.grad is None]
        if without:
            raise InputError(f"the score needs gradients, and {', '.join(without)} have none in .grad: call backward() "
                             "before, or give loss=, a function that returns the loss")  # fmt: skip
        return [flat(each.parameter.grad) for each in targets if each.parameter.grad is not None]
    with torch.enable_grad():
        value = loss()
        if not isinstance(value, Tensor) or value.numel() != 1 or not value.requires_grad:
            raise InputError("loss: it must return a tensor with one number that depends on the weights")
        found = torch.autograd.grad(value, [each.parameter for each in targets], allow_unused=True)
    return [
        np.zeros(each.parameter.numel()) if own is None else flat(own)
        for each, own in zip(targets, found, strict=True)
    ]  # fmt: skip


@torch.no_grad()
def _recorded(module: nn.Module, targets: Sequence[Target], examples: Any, score: str) -> Recorder:
    if examples is None:
        raise InputError(f"score={score!r} needs to know what the layers read: give examples=, a batch that the module "
                         "is called with")  # fmt: skip
    recorder = Recorder(targets)
    recorder.is_listening = True
    try:
        with _evaluating(module):
            module(*examples) if isinstance(examples, tuple) else module(examples)
    finally:
        recorder.remove()
    recorder.check_called()
    if "inputs" in SCORES[score].needs:
        recorder.check_spread()
    return recorder


@contextmanager
def _evaluating(module: nn.Module) -> Iterator[None]:
    """Let a module be in evaluation mode, each of its parts as it was afterwards."""
    modes = [(each, each.training) for each in module.modules()]
    module.eval()
    try:
        yield
    finally:
        for each, mode in modes:
            each.training = mode
