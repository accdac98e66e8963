"""Change the structure of a module while the user trains it, from within the steps of the user's optimizer."""

from __future__ import annotations

import copy
import functools
import math
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.optim import Optimizer

from nas.errors import InputError
from nas.sparsity.allocation import allocate
from nas.sparsity.edges import EdgeView
from nas.sparsity.layers import Floats, Live, size_of
from nas.sparsity.methods import Method, method_of
from nas.sparsity.modules.checks import generator_of, whole_number
from nas.sparsity.modules.drawing import Room, draw, fan_in_factors
from nas.sparsity.modules.inputs import Recorder, check_inputs
from nas.sparsity.modules.masks import let_live
from nas.sparsity.modules.pruning import check_score, fewest, live_weights
from nas.sparsity.modules.slots import check_momentum, check_optimizer, momentum_of, reset_slots
from nas.sparsity.modules.targets import (
    Target,
    flat,
    layers_in,
    live_slots,
    masked_targets,
    supported_targets,
    targets_of,
)
from nas.sparsity.schedules import Moment, UpdatePoints
from nas.sparsity.scores import score
from nas.sparsity.update import Update, drop_and_grow, drop_to, expand

__all__ = ["Rewirer", "rewire"]

_MOMENTUM = 0.9


def rewire(
    module: nn.Module,
    optimizer: Optimizer,
    method: str | Method = "rigl",
    *,
    density: float | None = None,
    weights: int | None = None,
    n_steps: int | None = None,
    steps_per_epoch: int | None = None,
    layers: Collection[str] | None = None,
    rescale: bool = True,
    rng: int | np.random.Generator | None = None,
    **switches: Any,
) -> Rewirer:
    """Let a method change the structure of a module while it is trained; the training loop stays as it is.

    From now on every ``optimizer.step()``, whoever calls it, does what the method says at its time, and leaves weights
    that do not live exactly 0. Gradient clipping sees the gradients of live weights alone. Steps that a ``GradScaler``
    leaves out do not count.

    Parameters
    ----------
    module : nn.Module
    optimizer : torch.optim.Optimizer
        Of the module's parameters; any but LBFGS, and of one rewirer alone. What it keeps for a weight are the tensors
        of its state that have the parameter's shape.
    method : str or Method
        One of `METHODS`, or any composition of its switches. "static" keeps the structure.
    density, weights : number, at most one of them
        Live weights / all weights of the layers, or their number: with methods that prune when they end, with others
        from the start, when the structure is drawn at random as by `sparsify`. Left out, the module keeps the masks
        that it has. With granularity "edge" a density counts connections, and a number is refused.
    n_steps : int, optional
        Steps of the whole training; needed by methods that prune or rewire.
    steps_per_epoch : int, optional
        Needed if the method counts in epochs.
    layers : collection of str, optional
        Names of the submodules or parameters whose structure changes; by default all that may be masked, or if there
        are masks and no density is given those that have one.
    rescale : bool
        As in `sparsify`, where a structure is drawn.
    rng : int or numpy.random.Generator, optional
    switches
        Switches of the method to change, such as ``fraction=0.5, end="1 epoch"``.

    Returns
    -------
    Rewirer

    Raises
    ------
    InputError
        For bad input, in one line; the module is as it was then.
    """
    method = method.replace(**switches) if isinstance(method, Method) else method_of(method, **switches)
    targets = targets_of(module, layers, skip_computed=density is None and weights is None)
    if density is None and weights is None:
        targets = masked_targets(targets)
        if not targets or method.action in ("prune", "shadow"):
            raise InputError(f"density={density!r}, weights={weights!r}: one of them must say how many weights live "
                             f"with action={method.action!r} where no masks do")  # fmt: skip
    check_optimizer(optimizer, targets)
    _check_method(method, optimizer, targets)
    points = _points(method, n_steps, steps_per_epoch)
    generator = generator_of(rng)
    room = Room.of(targets, method.granularity)
    total = None if density is None and weights is None else room.number(density, weights)
    if method.action == "rewire":
        room.check_whole()
    goals = {} if total is None else _goals(method, points, room, total)
    if total is not None and method.action in ("none", "rewire"):
        draw(
            targets,
            room,
            total,
            method.allocation,
            method.dense_layers(room.live.layers),
            generator,
            rescale=rescale,
            constant_fan_in=method.constant_fan_in,
        )
    return Rewirer(module, optimizer, method, targets, points, total, goals, generator)


def _goals(method: Method, points: UpdatePoints, room: Room, total: int) -> dict[int, int]:
    """Return the weights, or edges, that live after each update of a method that prunes.

    Raises
    ------
    InputError
        If the last number is too small for one in every layer, or for layers that stay dense.
    """
    if method.action not in ("prune", "shadow"):
        return {}
    live, layers = room.live, room.live.layers
    if method.action == "shadow":
        everything = np.arange(size_of(layers))
        live = Live(layers, everything, np.zeros(len(everything)))
    # Which scores these are does not matter here.
    allocate(method.allocation, live, total, np.zeros(live.n), at_least=1, dense=method.dense_layers(layers))
    if method.action == "shadow":
        return {}
    steps = points.steps()
    return dict(zip(steps, method.pruning_counts(live.n, total, len(steps)), strict=False))


def _check_method(method: Method, optimizer: Optimizer, targets: Sequence[Target]) -> None:
    """Refuse methods that ask for what this training does not have."""
    _refuse_second(optimizer, targets)
    if method.action == "none":
        return
    gates = {layer.gates for layer in layers_in(targets)}
    if method.granularity == "edge" and method.scope == "global" and len(gates) > 1:
        raise InputError("scope='global' with granularity='edge': connections of some layers have more weights than "
                         "those of others, so that the number of weights would change; give scope='layer'")  # fmt: skip
    if method.score != "set-released":
        check_score(method.score)
    if method.action == "shadow" and method.needs:
        raise InputError(f"score={method.score!r} needs {', '.join(sorted(method.needs))}, and action='shadow' judges "
                         "dense weights by themselves: use magnitude, random, set or set-half")  # fmt: skip
    if method.needs_dense == "momentum" and method.masked_slots == "dense":
        check_momentum(optimizer)
    reads = "gradient" in method.needs or method.needs_dense is not None or method.action == "shadow"
    if {"inputs", "norms"} & method.needs:
        check_inputs(targets)
    frozen = [target.name for target in targets if not target.parameter.requires_grad]
    if frozen and reads:
        raise InputError(f"{', '.join(frozen)} are frozen, and the method reads their gradients: let them be trained, "
                         "or leave these layers out by layers=")  # fmt: skip
    if frozen and method.action == "rewire" and method.new_weight == "zero":
        raise InputError(f"{', '.join(frozen)} are frozen, so that grown weights would stay 0: let them be trained, "
                         "leave these layers out by layers=, or give new_weight='init'")  # fmt: skip


def _refuse_second(optimizer: Optimizer, targets: Sequence[Target]) -> None:
    """Refuse layers and optimizers that have a rewirer."""
    for target in targets:
        if any(map(_is_of_rewirer, (target.parameter._backward_hooks or {}).values())):
            raise InputError(f"layer {target.name!r} is rewired already: call remove() of its rewirer first")
    if any(map(_is_of_rewirer, optimizer._optimizer_step_pre_hooks.values())):
        raise InputError("the optimizer has a rewirer of other layers already, and updates that take the place of a "
                         "step take that of all its parameters: rewire all layers by one call, or give these an "
                         "optimizer of their own")  # fmt: skip


def _is_of_rewirer(hook: Any) -> bool:
    return isinstance(getattr(getattr(hook, "func", hook), "__self__", None), Rewirer)


def _points(method: Method, n_steps: int | None, steps_per_epoch: int | None) -> UpdatePoints:
    """Return the steps at which a method acts."""
    if method.action == "none":
        return UpdatePoints(1, 0, math.inf, 0)
    if n_steps is None and method.action == "shadow":
        n_steps = 2**62
    why = "a method that changes structure needs the number of steps of the whole training"
    n_steps = whole_number("n_steps", n_steps, why)
    moments = [Moment.of(each) for each in (method.every, method.begin, method.end)]
    if steps_per_epoch is None:
        if any(moment.unit == "epochs" for moment in moments):
            raise InputError(f"every={method.every}, begin={method.begin}, end={method.end}: steps_per_epoch must say "
                             "how many steps an epoch has")  # fmt: skip
        steps_per_epoch = n_steps
    steps_per_epoch = whole_number("steps_per_epoch", steps_per_epoch, "it must be the number of steps of an epoch")
    return method.points(n_steps, steps_per_epoch)


class Rewirer:
    """Changes the structure of a module from within the steps of an optimizer; made by `rewire`.

    It can be copied and pickled together with its module and optimizer; `state_dict` and `load_state_dict` resume a
    training bit by bit, beside those of the module, which has the masks, and of the optimizer.

    Attributes
    ----------
    step : int
        Steps that are done.
    updates : int
        Changes of structure that are done.
    last : Update or None
        The latest of them.
    method : Method
    """

    def __init__(
        self,
        module: nn.Module,
        optimizer: Optimizer,
        method: Method,
        targets: Sequence[Target],
        points: UpdatePoints,
        total: int | None,
        goals: Mapping[int, int],
        rng: np.random.Generator,
    ) -> None:
        self.method, self.step, self.updates = method, 0, 0
        self.last: Update | None = None
        self._module, self._optimizer, self._points, self._rng = module, optimizer, points, rng
        self._targets, self._layers = tuple(targets), layers_in(targets)
        self._total = total
        self._own = {target.name: target for target in self._targets}
        self._goals = dict(goals)
        self._recorder: Recorder | None = None
        self._attach()
        for target in self._targets:
            if not target.is_masked:
                let_live(target, target.mask)
        self._counts = Live(self._layers, live_slots(self._targets), np.zeros(len(live_slots(self._targets)))).counts()
        self._dense: dict[str, Tensor] = {}
        self._coming_gradients: dict[str, tuple[Tensor, bool]] = {}
        self._momentum: dict[str, Tensor] = {}
        self._shadow: dict[str, Tensor] = {}
        self._ever = {target.name: target.mask.clone() for target in self._targets}
        self._began = self._skips = False
        self._withheld: list[tuple[nn.Parameter, Tensor | None]] = []
        if method.action == "shadow":
            self._shadow = {target.name: target.parameter.detach().clone() for target in self._targets}
            self._choose()
        self._clean()

    # Hooks

    def _attach(self) -> None:
        """Listen to the optimizer, and to gradients as they come."""
        enforced = masked_targets(supported_targets(self._module))
        held = {id(each) for group in self._optimizer.param_groups for each in group["params"]}
        # Masks of other layers are kept, too.
        others = [each for each in enforced if each.name not in self._own and id(each.parameter) in held]
        self._held = (*self._targets, *others)
        self._handles: list[Any] = [
            self._optimizer.register_step_pre_hook(self._before_step),
            self._optimizer.register_step_post_hook(self._after_step),
        ]
        for target in self._held:
            if target.parameter.requires_grad:
                on_gradient = functools.partial(self._on_gradient, target)
                on_accumulated = functools.partial(self._on_accumulated, target)
                self._handles += [
                    target.parameter.register_hook(on_gradient),  # type: ignore[no-untyped-call]
                    target.parameter.register_post_accumulate_grad_hook(on_accumulated),  # type: ignore[no-untyped-call]
                ]
        if {"inputs", "norms"} & self.method.needs:
            self._recorder = Recorder(self._targets)
            self._listen()

    def remove(self) -> None:
        """Stop: the structure stays as it is, and masked weights are 0 at each call of the module, until `bake`."""
        for handle in self._handles:
            handle.remove()
        if self._recorder is not None:
            self._recorder.remove()

    def __getstate__(self) -> dict[str, Any]:
        left_out = ("_handles", "_recorder", "_held", "_coming_gradients")
        return {name: value for name, value in self.__dict__.items() if name not in left_out}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._recorder = None
        self._coming_gradients = {}
        self._attach()

    @property
    def _runs_dense(self) -> bool:
        """Whether gradients of weights that do not live reach the optimizer."""
        return self.method.action == "shadow" or self.method.masked_slots == "dense"

    def _on_gradient(self, target: Target, gradient: Tensor) -> Tensor | None:
        """Leave the gradients of live weights alone in ``.grad``."""
        if self._runs_dense and target.name in self._own:
            return None
        if self._wants_dense() and target.name in self._own:
            self._coming_gradients[target.name] = gradient.detach(), self._has_none_kept(target)
        return gradient.masked_fill(~target.mask, 0)

    def _on_accumulated(self, target: Target, _: Tensor) -> None:
        """Keep the gradients of all weights where they are asked for, now that those of live ones are in ``.grad``.

        What ``torch.autograd.grad`` computes never comes here.
        """
        if target.name in self._coming_gradients:
            new, is_fresh = self._coming_gradients.pop(target.name)
            self._dense[target.name] = new.clone() if is_fresh else self._dense[target.name] + new

    def _has_none_kept(self, target: Target) -> bool:
        """Whether no gradients of all weights are kept, or those that are were thrown away from ``.grad`` since."""
        gradient, dense = target.parameter.grad, self._dense.get(target.name)
        return dense is None or gradient is None or (not gradient.any() and bool(dense[target.mask].any()))

    def _wants_dense(self) -> bool:
        """Whether the next step needs gradients of weights that do not live."""
        if self.method.action != "rewire":
            return False
        if self.method.needs_dense == "momentum":
            return True
        is_read = self.method.needs_dense == "gradient" or self.method.update_step == "before"
        return is_read and self._coming is not None

    @property
    def _coming(self) -> int | None:
        """The point of change at which the next step changes the structure."""
        if self.method.action not in ("prune", "rewire"):
            return None
        point = self.step + (self.method.update_step != "replace")
        return point if self._points.is_update(point) and (not self._goals or point in self._goals) else None

    def _before_step(
        self, _: Optimizer, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> tuple[tuple[Any, ...], dict[str, Any]] | None:
        self._began = self._skips = False
        # The first argument is the optimizer itself.
        closure = args[1] if len(args) > 1 else kwargs.get("closure")
        if not callable(closure):
            self._begin_step()
            return None

        def evaluate() -> Any:
            loss = closure()
            self._begin_step()
            return loss

        if len(args) > 1:
            return (args[0], evaluate, *args[2:]), kwargs
        return args, {**kwargs, "closure": evaluate}

    @torch.no_grad()
    def _begin_step(self) -> None:
        """Do what comes before the weights change, when the gradients are there."""
        if self._began:
            raise InputError(f"{type(self._optimizer).__name__} evaluates its closure more than once a step, which "
                             "changes of structure cannot be fitted into: use another optimizer")  # fmt: skip
        self._began = True
        found_inf = getattr(self._optimizer, "found_inf", None)
        if found_inf is not None and float(found_inf) > 0:
            self._skips = True  # A fused optimizer leaves the step out itself.
            return
        self._unscale()
        self._keep_momentum()
        for name, dense in self._shadow.items():
            self._own[name].parameter.data.copy_(dense)
        point, has_changed = self._coming, False
        if point is not None and self.method.update_step != "after":
            gradients = self._all_gradients()
            has_changed = self._change(point, gradients)
            if has_changed:
                self._pass_on(gradients)
        for target in self._held:
            gradient = target.parameter.grad
            if gradient is not None and not (self._runs_dense and target.name in self._own):
                gradient.masked_fill_(~target.mask, 0)
        if has_changed and self.method.update_step == "replace" and self.method.action == "rewire":
            self._withhold()

    def _pass_on(self, gradients: Sequence[Floats]) -> None:
        """Give grown weights the gradients that they had where they did not live, for the step that follows."""
        if self._runs_dense or self.method.update_step != "before":
            return
        for target, own in zip(self._targets, gradients, strict=True):
            gradient = target.parameter.grad
            if gradient is not None and self.last is not None:
                grown = target.marks(self.last.grown)
                values = torch.from_numpy(own).reshape(gradient.shape).to(gradient)
                gradient.copy_(torch.where(grown, values, gradient))

    def _withhold(self) -> None:
        """Let the optimizer find no gradients, so that it changes nothing."""
        for group in self._optimizer.param_groups:
            for parameter in group["params"]:
                self._withheld.append((parameter, parameter.grad))
                parameter.grad = None

    @torch.no_grad()
    def _after_step(self, *_: Any) -> None:
        for parameter, gradient in self._withheld:
            parameter.grad = gradient
        self._withheld.clear()
        if not self._skips:
            point = self._coming
            self.step += 1
            if self._shadow:
                for name, dense in self._shadow.items():
                    dense.copy_(self._own[name].parameter)
                if self._points.is_update(self.step):
                    self._choose()
            self._clean(weights_only=True)
            if point is not None and self.method.update_step == "after":
                self._change(point, self._all_gradients())
        self._dense.clear()
        self._coming_gradients.clear()
        if self._recorder is not None:
            self._recorder.clear()
            self._listen()

    def _listen(self) -> None:
        if self._recorder is not None:
            self._recorder.is_listening = self._coming is not None or self.method.action == "shadow"

    def _clean(self, *, weights_only: bool = False) -> None:
        """Let what does not live be 0, and let the optimizer keep for it what it starts with."""
        for target in self._held:
            masked = ~target.mask
            target.parameter.data.masked_fill_(masked, 0)
            if not weights_only and not (self._runs_dense and target.name in self._own):
                reset_slots(self._optimizer, target, masked)

    # Gradients

    def _unscale(self) -> None:
        """Divide gradients by the scale of a GradScaler that leaves this to a fused optimizer."""
        scale = getattr(self._optimizer, "grad_scale", None)
        if scale is None:
            return
        for group in self._optimizer.param_groups:
            for parameter in group["params"]:
                if parameter.grad is not None:
                    parameter.grad.div_(scale)
        self._optimizer.grad_scale = torch.ones_like(scale)  # type: ignore[attr-defined]

    def _all_gradients(self) -> list[Floats]:
        """Return the gradients by the weights of each target, live or not; 0 where they are not known.

        What was kept of weights that do not live is scaled as those of live weights were since: by clipping, or back
        from the scale of a GradScaler.
        """
        factor = self._factor()
        found = []
        for target in self._targets:
            gradient = target.parameter.grad
            own = np.zeros(target.stop - target.first) if gradient is None else flat(gradient)
            if not self._has_none_kept(target):
                dense = flat(self._dense[target.name]) * factor
                own = np.where(target.mask.reshape(-1).cpu().numpy(), own, dense)
            found.append(own)
        return found

    def _factor(self) -> float:
        product = square = 0.0
        is_same = True
        for name, dense in self._dense.items():
            target = self._own[name]
            if target.parameter.grad is None:
                continue
            now, before = target.parameter.grad[target.mask].double(), dense[target.mask].double()
            is_same = is_same and torch.equal(now, before)
            product += float((now * before).sum())
            square += float((before * before).sum())
        return 1.0 if is_same or not square else product / square

    def _keep_momentum(self) -> None:
        """Go on with the running mean of dense gradients where the optimizer has none of weights that do not live."""
        if self.method.needs_dense != "momentum" or self._runs_dense or self.method.action != "rewire":
            return
        for target, gradient in zip(self._targets, self._all_gradients(), strict=True):
            new = torch.from_numpy(gradient).reshape(target.parameter.shape).to(target.parameter)
            old = self._momentum.setdefault(target.name, torch.zeros_like(new))
            old.mul_(_MOMENTUM).add_(new, alpha=1 - _MOMENTUM)

    def _matrices(self, gradients: Sequence[Floats]) -> Callable[[int], NDArray[np.float64]] | None:
        needs = self.method.needs_dense
        if needs is None:
            return None
        found = [
            gradient
            if needs == "gradient"
            else flat(momentum_of(self._optimizer, target) if self._runs_dense else self._momentum[target.name])
            for target, gradient in zip(self._targets, gradients, strict=True)
        ]
        everything = np.concatenate(found)

        def matrix(index: int) -> Floats:
            layer = self._layers[index]
            return everything[layer.first : layer.stop].reshape(layer.shape)

        return matrix

    # Changes

    def _live(self, gradients: Sequence[Floats]) -> Live:
        return live_weights(self._targets, self.method.needs, gradients=gradients, recorder=self._recorder)

    def _change(self, point: int, gradients: Sequence[Floats]) -> bool:
        """Change the structure, and return whether anything could be judged."""
        live, method, matrix = self._live(gradients), self.method, self._matrices(gradients)
        unknown = self._unknown(live, gradients, matrix)
        if len(unknown) == len(self._layers):
            return False
        scores = score(method.score, live, self._rng, **method.score_options)
        if method.action == "prune":
            update = self._pruned(live, scores, self._goals[point])
        else:
            update = drop_and_grow(
                live,
                scores,
                str(method.growth),
                method.fraction_at(point, self._points),
                switches=method,
                rng=self._rng,
                dense_gradient=matrix,
                targets=self._counts,
                fixed=unknown,
            )
        self._apply(update)
        self.updates += 1
        self.last = update
        return True

    def _unknown(
        self, live: Live, gradients: Sequence[Floats], matrix: Callable[[int], Floats] | None
    ) -> frozenset[int]:
        """Return the layers that keep their structure, since all that the method would go by is 0 in them.

        These are layers that took no part, or all of them where nothing was differentiated.

        Raises
        ------
        InputError
            For pruning, which must come to its target, if a layer took no part.
        """
        needs = self.method.needs
        if self.method.action == "prune":
            without = [each.name for each in self._targets if each.parameter.grad is None]
            if "gradient" in needs and without:
                raise InputError(f"the score needs gradients, and {', '.join(without)} have none in .grad: call "
                                 "backward() before, or leave these layers out by layers=")  # fmt: skip
            if self._recorder is not None:
                self._recorder.check_called()
            return frozenset()
        everything, bounds = np.concatenate([np.zeros(0), *gradients]), live.bounds()
        inputs = [live.input_sd] * ("inputs" in needs) + [live.input_norm] * ("norms" in needs)
        found = set()
        for index, layer in enumerate(self._layers):
            first, stop = bounds[index], bounds[index + 1]
            read: list[NDArray[Any]] = [] if matrix is None else [matrix(index)]
            if "gradient" in needs:
                read.append(everything[layer.first : layer.stop])
            read += [each[first:stop] for each in inputs if each is not None]
            if not all(each.any() for each in read):
                found.add(index)
        return frozenset(found)

    def _pruned(self, live: Live, scores: Floats, total: int) -> Update:
        """Keep the best weights, or edges."""
        method, dense = self.method, self.method.dense_layers(self._layers)
        if method.granularity == "edge":
            view = EdgeView.of(live)
            edges, sums = view.live(live), view.sums(scores)
            counts = allocate(method.allocation, edges, total, sums, at_least=1, dense=dense)
            return expand(view, live, drop_to(edges, sums, counts))
        counts = allocate(method.allocation, live, fewest(live, total), scores, at_least=1, dense=dense)
        return drop_to(live, scores, counts)

    def _apply(self, update: Update) -> None:
        """Give the module the structure after an update, and the optimizer what it says of its slots."""
        method = self.method
        for target in self._targets:
            grown, dropped = target.marks(update.grown), target.marks(update.dropped)
            mask = target.marks(update.slots)
            parameter = target.parameter
            parameter.data.masked_fill_(dropped, 0)
            let_live(target, mask)
            if method.new_weight != "zero" and grown.any():
                parameter.data[grown] = self._new_weights(target, mask)[grown].to(parameter)
            if method.kept_slots == "zero":
                reset_slots(self._optimizer, target)
            if method.masked_slots == "zero":
                reset_slots(self._optimizer, target, dropped)
            if method.new_slots == "zero":
                reset_slots(self._optimizer, target, grown)
            self._ever[target.name] |= mask

    def _new_weights(self, target: Target, mask: Tensor) -> Tensor:
        """Return values that grown weights could start with, of the parameter's shape."""
        parameter = target.parameter
        if self.method.new_weight == "normal-tenth":
            return torch.from_numpy(self._rng.normal(size=tuple(parameter.shape)) / 10).to(parameter.device)
        fresh = copy.deepcopy(target.owner).cpu()
        reset = getattr(fresh, "reset_parameters", None) or getattr(fresh, "_reset_parameters", None)
        assert reset is not None
        with torch.random.fork_rng(devices=[]):
            torch.default_generator.manual_seed(int(self._rng.integers(2**62)))
            reset()
        found: Tensor = getattr(fresh, target.attribute).detach().to(parameter) * fan_in_factors(mask)
        return found

    def _choose(self) -> None:
        """Let the best of the dense weights live."""
        assert self._total is not None
        everything = np.arange(size_of(self._layers))
        weights = np.concatenate([flat(self._shadow[target.name]) for target in self._targets])
        live = Live(self._layers, everything, weights)
        scores = score(self.method.score, live, self._rng)
        update = self._pruned(live, scores, self._total)
        for target in self._targets:
            target.parameter.data.copy_(self._shadow[target.name])
            let_live(target, target.marks(update.slots))
            self._ever[target.name] |= target.mask
        self.updates += self.step > 0
        self.last = update

    # State

    @property
    def explored(self) -> float:
        """Share of all weights that lived at some time."""
        return sum(int(each.sum()) for each in self._ever.values()) / max(size_of(self._layers), 1)

    def state_dict(self) -> dict[str, Any]:
        """Return all that a training needs to go on, beside the states of the module and of the optimizer."""
        return {
            "what": self._what(),
            "step": self.step,
            "updates": self.updates,
            "rng": self._rng.bit_generator.state,
            "counts": self._counts.tolist(),
            "goals": dict(self._goals),
            **{name: {key: value.clone() for key, value in kept.items()} for name, kept in self._kept().items()},
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from a state of an equal rewirer; load those of the module and of the optimizer, too.

        Raises
        ------
        InputError
            If it was one of another method, schedule, module or target, or is none.
        """
        needed = ("what", "step", "updates", "rng", "counts", "goals", *self._kept())
        missing = [name for name in needed if name not in state] if isinstance(state, Mapping) else needed
        if missing:
            raise InputError(
                f"the state lacks {', '.join(missing)}: it must be what state_dict() of a rewirer returned"
            )
        other = state["what"]
        for name, value in self._what().items():
            # A structure that is there already goes on from one that was drawn, and the other way round.
            is_open = name == "target" and None in (value, other.get(name))
            if other.get(name) != value and not is_open:
                raise InputError(
                    f"the state is one of another {name}: {other.get(name)}, where this rewirer has {value}"
                )
        self.step, self.updates = int(state["step"]), int(state["updates"])
        self._rng.bit_generator.state = state["rng"]
        self._counts = np.array(state["counts"], np.int64)
        self._goals = {int(step): int(total) for step, total in state["goals"].items()}
        for name, kept in self._kept().items():
            kept.clear()
            for key, value in state[name].items():
                kept[key] = value.to(self._own[key].parameter.device, copy=True)
        self._listen()

    def _kept(self) -> dict[str, dict[str, Tensor]]:
        return {"dense": self._dense, "momentum": self._momentum, "shadow": self._shadow, "ever": self._ever}

    def _what(self) -> dict[str, Any]:
        points = self._points
        return {
            "method": self.method.model_dump(mode="json"),
            "schedule": [points.every, points.begin, points.end, points.n_steps],
            "layers": [[layer.name, list(layer.shape)] for layer in self._layers],
            "target": self._total,
            "rng": type(self._rng.bit_generator).__name__,
        }

    def __repr__(self) -> str:
        n = len(live_slots(self._targets))
        return (
            f"Rewirer(step={self.step}, updates={self.updates}, live={n}, "
            f"density={n / max(size_of(self._layers), 1):.4f}, action={self.method.action!r})"
        )
