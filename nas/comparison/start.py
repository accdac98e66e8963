"""From names and numbers of a command line to a comparison."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from nas.comparison.comparison import Comparison
from nas.comparison.options import HEEDED, ComparisonOptions
from nas.comparison.positions import fingerprint_of, read_positions
from nas.errors import InputError, known
from nas.networks import PooledMLP, SequenceNetwork, SparseMLP, load_network
from nas.networks.structure import AnyNetwork, network_within
from nas.options.options import CAMPAIGN, read_options, resolve, shown
from nas.options.resolve import n_cores, recipe_of
from nas.report.sources import wiring_at
from nas.reservoirs import SERIES, Series, load_series
from nas.structure.experiment import OPTIONS, read_experiment
from nas.tasks import TASKS, Task, load_task, pooled, stem_of
from nas.training.recipe import Recipe, changed
from priors import Wiring

__all__ = ["open_comparison"]


def open_comparison(
    sources: Sequence[Path],
    task: str | None,
    given: Mapping[str, Any],
    recipe: Mapping[str, Any],
    *,
    files: Mapping[str, Any] | None = None,
    reading: Mapping[str, Any] | None = None,
    threads: int | None = None,
    data: Path | None = None,
    positions: Path | None = None,
    out: Path | None = None,
) -> Comparison:
    """Return a comparison, to be run or resumed.

    Parameters
    ----------
    sources : sequence of Path
        See `nas.report.sources.wiring_at`.
    task : str, optional
        A name of `load_task` or of `SERIES`; by default digits, and memory for reservoirs. What is both is the series,
        for reservoirs, unless trained RNNs are compared or options of trainings are given.
    given, recipe : mapping
        Options of `ComparisonOptions` and of `Recipe`, None where the default counts: what a saved network is and how
        it was trained, else what the task says.
    files : mapping, optional
        Options of a task that lies in a file.
    reading : mapping, optional
        How graph files are read.
    threads : int, optional
        By default one a core.
    data : Path, optional
        Folder of the task's files.
    positions : Path, optional
        A table of where neurons lie; see `nas.comparison.positions`.
    out : Path, optional
        By default ``results/TASK-compared``.

    Raises
    ------
    InputError
        For whatever does not fit.
    """
    chosen = {name: value for name, value in given.items() if value is not None}
    wanted = {name: value for name, value in recipe.items() if value is not None}
    _refuse_empty(chosen, wanted)
    default = "memory" if chosen.get("network") == "reservoir" else "digits"
    name = default if task is None else task
    if name in SERIES and name in TASKS and (wanted or any(map(_is_trained_rnn, sources))):
        chosen = {"network": "rnn", **chosen}
    loaded, chosen = _with_task(name, chosen, data, files)
    _refuse_ignored(chosen, wanted, name)
    # Before graphs are read, which takes its time and may have notices of its own.
    placed = {} if positions is None else {"positions": str(positions)}
    if not any(map(_recipe_of, sources)):
        ComparisonOptions(task=name, recipe=changed(Recipe(), **wanted), **{**chosen, **placed})
    read = [(source, *wiring_at(source, **(reading or {}))) for source in sources]
    wirings: dict[str, Wiring] = {}
    own: dict[str, tuple[Path, Any]] = {}
    for source, wiring, title in read:
        # What several are called says nothing; where they lie does.
        called = title if sum(other == title for _, _, other in read) == 1 else str(source)
        if called in wirings:
            raise InputError(f"{source}: the same wiring is given twice; leave one of them out")
        wirings[called] = wiring
        for option, value in _of_saved(source, chosen["network"]).items():
            before, theirs = own.setdefault(option, (source, value))
            if theirs != value and option not in chosen:
                told = "" if option == "recipe" else f" ({theirs} and {value})"
                raise InputError(
                    f"{source}: its {option} is another than that of {before}{told}, and all networks of a comparison "
                    "are made and trained in one way; compare each by itself"
                )
    _refuse_of_graphs(chosen, [wiring for _, wiring, _ in read])
    of_saved = {option: value for option, (_, value) in own.items()}
    of_task = recipe_of(loaded, wanted) if isinstance(loaded, Task) else {}
    recipe_of_all = of_saved.pop("recipe", None) or changed(Recipe(), **of_task)
    table = None if positions is None else read_positions(positions)
    if table is not None:
        chosen["positions"] = fingerprint_of(table)
    options = ComparisonOptions(task=name, recipe=changed(recipe_of_all, **wanted), **{**of_saved, **chosen})
    if isinstance(loaded, Task):
        loaded = pooled(loaded, options.pool)
    folder = out or Path("results") / f"{stem_of(name)}-compared"
    return Comparison(folder, loaded, options, wirings, threads or n_cores(), positions=table)


def _with_task(
    name: str, chosen: Mapping[str, Any], data: Path | None, files: Mapping[str, Any] | None
) -> tuple[Task | Series, dict[str, Any]]:
    """Return the task or series of that name, and what is chosen beside the network that it needs."""
    if name in SERIES and (name not in TASKS or chosen.get("network", "reservoir") == "reservoir"):
        if data is not None:
            raise InputError(f"data={data}: task {name} reads no files; leave it out")
        return load_series(name, chosen.get("delays")), {"network": "reservoir", **chosen}
    task = load_task(name, data, files)
    return task, {"network": "rnn" if task.is_sequence else "mlp", **chosen}


def _refuse_ignored(given: Mapping[str, Any], recipe: Mapping[str, Any], task: str) -> None:
    """Refuse what the kind of network does not heed."""
    network = known("network", given["network"], HEEDED)
    for name in ("activation", "orientation", "pool", "cell", "radii", "leak", "input_scale"):
        if name in given and name not in HEEDED[network]:
            kind = next(kind for kind, names in HEEDED.items() if name in names)
            raise InputError(f"{name}={shown(given[name])}: network={network} ignores it; it is for network={kind}")
    if "delays" in given and task != "memory":
        raise InputError(f"delays={given['delays']}: task {task} ignores it; it is for memory")
    if network == "reservoir":
        for name, value in recipe.items():
            raise InputError(f"{name}={value}: reservoirs are not trained; leave it out")
    for name in ("reads", "readouts"):
        if name in given and given.get("attachment", "controlled") != "controlled":
            raise InputError(f"{name}={given[name]}: it is for attachment=controlled; leave it out")


def _refuse_empty(given: Mapping[str, Any], recipe: Mapping[str, Any]) -> None:
    """Refuse lists without a member."""
    for name, value in {**given, **recipe}.items():
        if isinstance(value, Sequence) and not value:
            raise InputError(f"{name}='': it is empty; give at least one, or leave it out")


def _refuse_of_graphs(given: Mapping[str, Any], wirings: Sequence[Wiring]) -> None:
    """Refuse what only graphs without units, or without directions, heed, where there are none."""
    for name in ("attachment", "reads", "readouts", "orientation"):
        if name in given and all(wiring.inputs or wiring.outputs for wiring in wirings):
            raise InputError(f"{name}={given[name]}: what is compared has input and output units already; leave it out")
    if "orientation" in given and not any(wiring.is_undirected for wiring in wirings):
        raise InputError(f"orientation={given['orientation']}: what is compared has directions already; leave it out")


def _of_saved(source: Path, network: str) -> dict[str, Any]:
    """Return how the network of a source is made and was trained, as far as networks of this kind heed it.

    That is activation or cell and pool, if there is a saved network, and the recipe of a campaign or an experiment; of
    a campaign of reservoirs what its recipe says of them.
    """
    if network == "reservoir":
        recipe = _recipe_of(source)
        is_reservoir = recipe is not None and recipe.is_read_out
        return {name: getattr(recipe, name) for name in ("radii", "leak", "input_scale")} if is_reservoir else {}
    saved = _saved_at(source)
    if saved is None:
        return {}
    inner = network_within(saved)
    found: dict[str, Any] = {}
    if isinstance(inner, SparseMLP) and network == "mlp":
        found = {"activation": inner.activation, "pool": saved.pooling.size if isinstance(saved, PooledMLP) else 1}
    elif isinstance(inner, SequenceNetwork) and network == "rnn":
        if inner.rnn.leak != 1:
            raise InputError(
                f"{source}: cells of its network leak (leak={inner.rnn.leak:g}), and RNNs that are compared do not; "
                "give network=reservoir and the leak, or another network"
            )
        found = {"cell": inner.rnn.cell}
    recipe = _recipe_of(source)
    return {**found, **({} if recipe is None else {"recipe": recipe})}


def _saved_at(source: Path) -> AnyNetwork | None:
    """Return the network of a source, if it is one or holds one."""
    file = source / "best" / "network.safetensors" if source.is_dir() else source
    if file.suffix != ".safetensors" or not file.is_file():
        return None
    try:
        return load_network(file)
    except ValueError as error:
        raise InputError(str(error)) from None


def _is_trained_rnn(source: Path) -> bool:
    """Whether a source is an RNN all of whose weights were trained, as far as its folder tells."""
    saved, recipe = _saved_at(source), _recipe_of(source)
    return isinstance(saved, SequenceNetwork) and (recipe is None or not recipe.is_read_out)


def _recipe_of(source: Path) -> Recipe | None:
    """Return how the networks of a folder were trained, those of a campaign in its finals."""
    if (source / CAMPAIGN.file).is_file():
        options = resolve(read_options(source / CAMPAIGN.file))
        return options.recipe.model_copy(update={"epochs": options.epochs_of_finals})
    if (source / OPTIONS).is_file():
        return Recipe(**read_experiment(source / OPTIONS)["recipe"])
    return None
