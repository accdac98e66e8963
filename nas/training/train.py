"""Train a network from start to end with the engine of one's choice.

Two ways lead to an engine: `session` and `train` take a module; `begin_wiring` takes a wiring, and makes a module only
if somebody asks for it, which costs more than a short training inside the compiled engine.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from nas.errors import InputError, known
from nas.training.extension import MISSING, has_native
from nas.training.recipe import Recipe
from nas.training.session import Ended, History, RewirableSession, Score, Session, StopFlag

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from torch import Tensor, nn

    from nas.networks import NetworkSpec
    from nas.tasks.task import Task
    from nas.training.compiled import Compiled
    from priors import Wiring

__all__ = [
    "ENGINES",
    "Training",
    "begin_wiring",
    "check_steps",
    "compiled_for",
    "engine_for",
    "evaluate",
    "outputs",
    "predict",
    "session",
    "spec_for",
    "train",
    "trained",
]

ENGINES = ("auto", "native", "torch")
"""Names of the engines; auto takes the compiled one where it is installed and supports the training, else torch."""


def engine_for(engine: str, device: str = "cpu", spec: NetworkSpec | None = None) -> str:
    """Return the name of the engine that `engine` stands for here, and for a network where one is given.

    Raises
    ------
    InputError
        For an unknown engine, or the compiled one where it cannot be used.
    """
    if known("engine", engine, ENGINES) == "torch":
        return "torch"
    problem = _why_not_native(device, spec)
    if engine == "native" and problem is not None:
        raise InputError(f"engine=native: {problem}; use torch")
    return "native" if problem is None else "torch"


def _why_not_native(device: str, spec: NetworkSpec | None) -> str | None:
    if not has_native():
        return MISSING
    if device.split(":", maxsplit=1)[0] != "cpu":
        return f"it runs on the cpu and not on device={device}"
    if spec is not None:
        from nas.training.compiled import supports

        if not supports(spec):
            if spec.leak != 1:
                return f"it has no cells that leak (leak={spec.leak:g})"
            kind = f"cell={spec.cell}" if spec.kind == "rnn" else f"activation={spec.activation}"
            return f"it does not have {kind}"
    return None


def session(
    network: nn.Module,
    task: Task,
    recipe: Recipe,
    *,
    learning_rate: float | None = None,
    rng: int | np.random.Generator | None = None,
    engine: str = "auto",
    stop: StopFlag | None = None,
    threads: int | None = None,
) -> RewirableSession:
    """Open a training that can be run step by step.

    Parameters
    ----------
    network : nn.Module
        Trained in place.
    task, recipe
    learning_rate : float, optional
        One rung of the recipe's ladder; by default its first.
    rng : int or numpy.random.Generator, optional
        Draws the order of the examples.
    engine : str
        One of `ENGINES`.
    stop : StopFlag, optional
        Asked again and again; when it is set, `run` raises `Interrupted`.
    threads : int, optional
        Up to so many work on one feed-forward network of 100,000 edges or more in the compiled engine, or their share
        where several trainings run; results are the same. By default as many as torch may use.

    Raises
    ------
    InputError
        If the compiled engine is asked for by name and does not take this network.

    Examples
    --------
    >>> import numpy as np
    >>> from nas import Recipe, SparseMLP, Task, session
    >>> from priors import Layered
    >>> inputs = np.random.default_rng(0).normal(size=(100, 4))
    >>> task = Task.from_arrays("signs", inputs, (inputs[:, 0] > 0).astype(int))
    >>> network = SparseMLP(Layered((4, 8, 2), density=0.5, inputs=True, outputs=True).sample(0), rng=0)
    >>> training = session(network, task, Recipe(epochs=3, batch_size=16), rng=0)
    >>> training.run(n_steps=2)
    Progress(step=2, n_steps=12, epoch=0, finished=False)
    >>> training.run().finished, len(training.history().epochs)
    (True, 3)
    """
    import numpy as np

    refuse_read_outs(recipe)
    rate = recipe.learning_rates[0] if learning_rate is None else learning_rate
    rng = np.random.default_rng(rng)
    if (compiled := compiled_for(network, task, engine)) is not None:
        from nas.training.measured import native_session

        return native_session(
            compiled, task, recipe, learning_rate=rate, rng=rng, stop=stop, network=network, threads=threads
        )
    from nas.training.torch_engine import TorchSession

    return TorchSession(network, task, recipe, learning_rate=rate, rng=rng, stop=stop)


def refuse_read_outs(recipe: Recipe) -> None:
    """Refuse a recipe that trains no weights but those of a read-out.

    Raises
    ------
    InputError
    """
    if recipe.is_read_out:
        raise InputError("optimizer=ridge: it solves the read-out of campaigns' and surveys' RNNs, and trains no "
                         "network; give adam, adamw or sgd")  # fmt: skip


def train(
    network: nn.Module,
    task: Task,
    recipe: Recipe,
    *,
    learning_rate: float | None = None,
    rng: int | np.random.Generator | None = None,
    engine: str = "auto",
    stop: StopFlag | None = None,
    threads: int | None = None,
) -> History:
    """Train a network to the end of its recipe and return what happened; see `session` for the parameters.

    It begins with the weights and biases that the network has, whatever its cells: those of an earlier training, of a
    saved network, or of its wiring, make a warm start.

    Raises
    ------
    Interrupted
        If the stop flag is set before the end.

    Examples
    --------
    >>> import numpy as np
    >>> from nas import Recipe, SparseMLP, Task, train
    >>> from priors import Layered
    >>> inputs = np.random.default_rng(0).normal(size=(100, 4))
    >>> task = Task.from_arrays("signs", inputs, (inputs[:, 0] > 0).astype(int))
    >>> network = SparseMLP(Layered((4, 8, 2), density=0.5, inputs=True, outputs=True).sample(0), rng=0)
    >>> history = train(network, task, Recipe(epochs=20), learning_rate=0.05, rng=0)
    >>> history.value > 0.8
    True
    """
    training = session(
        network, task, recipe, learning_rate=learning_rate, rng=rng, engine=engine, stop=stop, threads=threads
    )
    training.run()
    return training.history()


def evaluate(network: nn.Module, task: Task, indices: Tensor, *, engine: str = "auto") -> Score:
    """Return mean loss and metric of a network, such as a saved one, over the examples in `indices`."""
    if (compiled := compiled_for(network, task, engine)) is not None:
        from nas.training import native_engine

        return native_engine.evaluate(compiled, task, indices.numpy())
    from nas.training import torch_engine

    return torch_engine.evaluate(network, task, indices)


def predict(network: nn.Module, task: Task, indices: Tensor, *, engine: str = "auto") -> Tensor:
    """Return the outputs of a network for the examples in `indices`.

    Returns
    -------
    (n_indices, n_outputs) Tensor
        Of a task with a target for each step (n_indices, time, n_outputs), NaN behind the ends of sequences.
    """
    if (compiled := compiled_for(network, task, engine)) is not None:
        import torch

        from nas.training import native_engine

        return torch.from_numpy(native_engine.predict(compiled, task, indices.numpy()))
    from nas.training import torch_engine

    return torch_engine.predict(network, task, indices)


def outputs(network: nn.Module, rows: NDArray[np.float32], *, engine: str = "auto") -> NDArray[np.float32]:
    """Return the (n, n_outputs) outputs of an MLP on the CPU for (n, n_inputs) rows that belong to no task.

    A row's outputs are the same whatever other rows there are: to the last bit in the compiled engine, and in torch,
    which computes them in float64 here, to the rounding to float32.
    """
    import copy

    import numpy as np
    import torch

    if engine_for(engine) == "native":
        from nas.training import native_engine
        from nas.training.compiled import compile_network

        if (compiled := compile_network(network)) is not None:
            return native_engine.outputs(compiled, rows)
    with torch.no_grad():
        found: Tensor = copy.deepcopy(network).double().eval()(torch.from_numpy(rows.astype(np.float64)))
    return found.float().numpy()


def spec_for(spec: NetworkSpec, task: Task) -> NetworkSpec:
    """Return the spec of networks that have outputs where a task has targets."""
    return replace(spec, every_step=task.is_stepwise)


def check_steps(network: nn.Module, task: Task) -> None:
    """Refuse a network that has no outputs where a task has targets: at every step, or at the end.

    Raises
    ------
    InputError
    """
    every_step = getattr(network, "every_step", task.is_stepwise)
    if every_step != task.is_stepwise:
        has, needs = ("every step", "the end") if every_step else ("the end", "every step")
        raise InputError(f"every_step={every_step}: the network has outputs at {has} of a sequence, and the targets of "
                         f"task {task.name} are at {needs}")  # fmt: skip


def compiled_for(network: nn.Module, task: Task, engine: str) -> Compiled | None:
    """Return a network in the compiled engine's form, or None where torch is to be used.

    Raises
    ------
    InputError
        If the compiled engine is asked for by name and does not take this network, or if its outputs are not where the
        task has targets.
    """
    check_steps(network, task)
    if engine_for(engine, task.train.device.type) == "torch":
        return None
    from nas.training.compiled import compile_network
    from nas.training.native_engine import has_sparse_inputs

    compiled = compile_network(network, sparse=has_sparse_inputs(task))
    if compiled is None and engine == "native":
        raise InputError(
            f"engine=native: it does not take this {type(network).__name__}; it takes SparseMLP, SequenceNetwork "
            "and LinearMean themselves, of float32 or float64 on the cpu, without hooks, frozen parameters or cells "
            "that leak; use torch"
        )
    return compiled


@dataclass(frozen=True, eq=False)
class Training:
    """The training of the network that a wiring becomes, from its beginning to what is kept of it.

    Parameters
    ----------
    wiring, spec, task, learning_rate
    session : Session
        Runs it, at once or step by step, and records what happened.
    replicate : int
        Which training of the wiring it is.
    module : nn.Module or None
    compiled : Compiled or None
        The network in the form in which its engine holds it; the other is None, unless its structure was learned.
    unrounded : float or None
        What the validation metric was before weights were rounded, where they were.
    """

    wiring: Wiring
    spec: NetworkSpec
    task: Task
    session: Session
    learning_rate: float
    replicate: int = 0
    module: nn.Module | None = None
    compiled: Compiled | None = None
    unrounded: float | None = None

    def run(self) -> Training:
        """Train to the end of the recipe, or until the stop flag raises `Interrupted`; see `ended` for what is kept."""
        self.session.run()
        return self.ended()

    def ended(self) -> Training:
        """Return what is kept of a training that is over: the network and what happened, without the engine."""
        return replace(self, session=Ended(self.session.history()))

    def after(self, earlier: Training) -> Training:
        """Return it with the updates and the time of an earlier training, without which it would not have been."""
        before, own = earlier.history, self.history
        both = replace(own, steps=before.steps + own.steps, seconds=before.seconds + own.seconds)
        return replace(self, session=Ended(both))

    def rounded(self, bits: int, engine: str = "auto") -> Training:
        """Return it with weights and biases, and the validation metric, of a network that has `bits` for each.

        A training that diverged stays as it is.
        """
        history = self.history
        if bits == 32 or history.diverged:
            return self
        from nas.networks.rounding import round_parameters

        network = self.network
        round_parameters(network, bits)
        found = replace(self, module=network, compiled=compiled_for(network, self.task, engine))
        value = found.score(self.task.validation).metric
        return replace(found, session=Ended(replace(history, value=value)), unrounded=history.value)

    @property
    def history(self) -> History:
        """What happened so far."""
        return self.session.history()

    @property
    def network(self) -> nn.Module:
        """The network as it is now, as a module; one of the compiled engine is built each time."""
        if self.module is not None:
            return self.module
        from nas.training.compiled import fill

        assert self.compiled is not None
        module = self.spec.build(self.wiring, 0)
        fill(module, self.wiring, self.compiled)
        return module

    def score(self, indices: Tensor) -> Score:
        """Return mean loss and metric over the examples in `indices`, of the engine that trains."""
        if self.compiled is None:
            return evaluate(self.network, self.task, indices, engine="torch")
        from nas.training import native_engine

        return native_engine.evaluate(self.compiled, self.task, indices.numpy())

    def test(self) -> float:
        """Return the test metric; of a training that diverged the constant prediction's, as in validation."""
        if self.history.diverged:
            return self.task.constant_score(self.task.test)
        return self.score(self.task.test).metric


def begin_wiring(
    wiring: Wiring,
    spec: NetworkSpec,
    task: Task,
    recipe: Recipe,
    *,
    learning_rate: float,
    weights: np.random.Generator,
    batches: np.random.Generator,
    engine: str = "auto",
    device: str = "cpu",
    stop: StopFlag | None = None,
    replicate: int = 0,
) -> Training:
    """Open the training of the network that a wiring becomes, from fresh weights.

    Parameters
    ----------
    wiring : Wiring
        With input and output units.
    task : Task
        On `device`.
    weights, batches : numpy.random.Generator
        Draw the initial weights and the order of the examples.
    replicate : int
        Which training of the wiring it is.
    """
    refuse_read_outs(recipe)
    spec = spec_for(spec, task)
    if recipe.normalise and spec.kind == "rnn":
        raise InputError("normalise=true: it is for MLPs, and this is an RNN; leave it out")
    if engine_for(engine, device, spec) == "native":
        from nas.training.compiled import compile_wiring
        from nas.training.measured import native_session
        from nas.training.native_engine import has_sparse_inputs

        compiled = compile_wiring(wiring, spec, weights, sparse=has_sparse_inputs(task))
        training = native_session(compiled, task, recipe, learning_rate=learning_rate, rng=batches, stop=stop)
        return Training(wiring, spec, task, training, learning_rate, replicate, compiled=compiled)
    module = spec.build(wiring, weights).to(device)
    opened = session(module, task, recipe, learning_rate=learning_rate, rng=batches, engine="torch", stop=stop)
    return Training(wiring, spec, task, opened, learning_rate, replicate, module=module)


def trained(
    network: nn.Module,
    wiring: Wiring,
    spec: NetworkSpec,
    task: Task,
    history: History,
    *,
    learning_rate: float,
    replicate: int = 0,
    engine: str = "auto",
) -> Training:
    """Return what is kept of a training whose network is at hand, and has this wiring now."""
    compiled = compiled_for(network, task, engine)
    return Training(wiring, spec_for(spec, task), task, Ended(history), learning_rate, replicate, network, compiled)
