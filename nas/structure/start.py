"""From names and numbers of a command line to an experiment."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any, Literal

from nas.errors import InputError
from nas.networks import PooledMLP, SequenceNetwork, SparseMLP
from nas.networks.structure import network_within
from nas.options.resolve import budget_defaults, n_cores
from nas.sparsity.methods import method_of
from nas.structure.experiment import OPTIONS, StructureExperiment, read_experiment
from nas.structure.files import network_file, read_network
from nas.structure.options import Shape, StructureOptions, ignored_option
from nas.tasks import load_task, pooled, stem_of
from nas.training.recipe import Recipe, changed

__all__ = ["open_experiment"]

_SHAPES: dict[str, tuple[Shape, ...]] = {"mlp": ((100,), (300,)), "rnn": ((64,),)}
"""Of the parent, where none is given."""

_OF_DENSITY: dict[str, Shape] = {"mlp": (100, 100), "rnn": (64,)}
"""Of the parent of which a density is a share, where none is given."""

_POOL = (1, 2)
"""Sides of squares of pixels, where the task's inputs are images."""


def open_experiment(
    task: str,
    method: str,
    switches: Mapping[str, Any],
    kind: Literal["pruned", "rewired"],
    given: Mapping[str, Any],
    recipe: Mapping[str, Any],
    *,
    files: Mapping[str, Any] | None = None,
    threads: int | None = None,
    data: Path | None = None,
    out: Path | None = None,
    typed: Collection[str] = (),
) -> StructureExperiment:
    """Return an experiment, to be run or resumed.

    Parameters
    ----------
    task, method : str
        A name of `load_task` and one of `METHODS`.
    switches : mapping
        Of the method, None where its own counts.
    kind : {"pruned", "rewired"}
        What is done, after which the default folder is named, with the task.
    given, recipe : mapping
        Options of `StructureOptions` and of `Recipe`, as text or numbers.
    files : mapping, optional
        Options of a task that lies in a file.
    threads : int, optional
        By default one a core.
    data : Path, optional
        Folder of the task's files.
    out : Path, optional
        By default ``results/TASK-KIND``.
    typed : collection of str
        Names of options that were given; of these a new experiment refuses what does nothing.

    Raises
    ------
    InputError
        For whatever does not fit.
    """
    loaded = load_task(task, data, files)
    network = "rnn" if loaded.is_sequence else "mlp"
    changes = {name: _time(name, value) for name, value in switches.items() if value is not None}
    chosen = {name: value for name, value in given.items() if value is not None}
    wanted = {name: value for name, value in recipe.items() if value is not None}
    wanted["learning_rates"] = _rates(str(recipe["learning_rates"]))
    folder = out or Path("results") / f"{stem_of(task)}-{kind}"
    is_new_parent = kind == "pruned" and "start" not in chosen
    defaults, of_recipe = _defaults(folder / OPTIONS, network, wanted, is_new_parent=is_new_parent)
    shapes = _SHAPES[network] if "density" not in chosen else (_OF_DENSITY[network],)
    pool = _POOL if loaded.shape is not None and "density" not in chosen else (1,)
    options = StructureOptions(
        task=task,
        network=network,
        method=method_of(method, **changes),
        recipe=changed(Recipe(), **{**of_recipe, **wanted}),
        **(_of_saved(network, chosen) if "start" in chosen else {"widths": shapes, "pool": pool, **defaults, **chosen}),
    )
    if not {"widths", "start"} & set(chosen) and options.weights is not None:
        # A default that cannot hold what is asked for is no choice.
        units = (pooled(loaded, options.pool[-1]).n_inputs, loaded.n_outputs)
        large = tuple(shape for shape in options.widths if options.n_edges(shape, *units) >= options.weights)
        options = options.model_copy(update={"widths": large or options.widths[-1:]})
    if not (folder / OPTIONS).is_file() and (ignored := ignored_option(options, typed)) is not None:
        raise InputError(ignored)
    return StructureExperiment(folder, loaded, options, threads=threads or n_cores())


def _defaults(
    file: Path, network: str, recipe: Mapping[str, Any], *, is_new_parent: bool
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return options, and those of the recipe, that stand where none is given.

    An experiment goes on as it began. A new network that is pruned is trained as with a budget; a saved network, and
    one that is rewired, by the defaults of `StructureOptions` and `Recipe`.
    """
    if file.is_file():
        begun = read_experiment(file)
        options, of_recipe = budget_defaults(network, {})
        return {name: begun[name] for name in options}, {name: begun["recipe"][name] for name in of_recipe}
    return budget_defaults(network, recipe) if is_new_parent else ({}, {})


def _of_saved(kind: str, chosen: Mapping[str, Any]) -> dict[str, Any]:
    """Return options for a start from a saved network, whose neurons are what they are."""
    for name in ("activation", "cell", "pool"):
        if name in chosen:
            raise InputError(f"{name}={chosen[name]}: the network in {chosen['start']} has its own; leave it out")
    file = network_file(chosen["start"])
    saved = read_network(file)
    network, pool = network_within(saved), saved.pooling.size if isinstance(saved, PooledMLP) else 1
    if isinstance(network, SparseMLP if kind == "mlp" else SequenceNetwork):
        own = {"activation": network.activation} if isinstance(network, SparseMLP) else {"cell": network.rnn.cell}
        return {**chosen, **own, "start": file, "pool": pool}
    needed = "SparseMLP" if kind == "mlp" else "SequenceNetwork"
    raise InputError(f"{chosen['start']}: a {type(network).__name__}, and the task needs a {needed}")


def _time(name: str, value: Any) -> Any:
    """Return a time of a command line, where an integer counts updates, as a method takes it."""
    is_count = name in ("every", "begin", "end") and isinstance(value, str) and value.strip().isdigit()
    return int(value) if is_count else value


def _rates(text: str) -> tuple[float, ...]:
    try:
        return tuple(float(part) for part in text.split(","))
    except ValueError:
        raise InputError(
            f"learning_rate={text or repr(text)}: it must be numbers with commas between, such as 0.001,0.01"
        ) from None
