"""From names and numbers of a command line to a comparison."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from nas.comparison.comparison import Comparison
from nas.comparison.options import HEEDED, ComparisonOptions
from nas.comparison.reservoir import MEMORY
from nas.errors import InputError
from nas.networks import PooledMLP, SequenceNetwork, SparseMLP, load_network
from nas.networks.structure import network_within
from nas.options.options import shown
from nas.options.resolve import n_cores
from nas.report.sources import wiring_at
from nas.tasks import load_task
from nas.training.recipe import Recipe, changed
from priors import Wiring

__all__ = ["open_comparison"]


def open_comparison(
    sources: Sequence[Path],
    task: str | None,
    given: Mapping[str, Any],
    recipe: Mapping[str, Any],
    *,
    reading: Mapping[str, Any] | None = None,
    threads: int | None = None,
    data: Path | None = None,
    out: Path | None = None,
) -> Comparison:
    """Return a comparison, to be run or resumed.

    Parameters
    ----------
    sources : sequence of Path
        See `nas.report.sources.wiring_at`.
    task : str, optional
        A name of `load_task`, or memory; by default digits, and memory for reservoirs.
    given, recipe : mapping
        Options of `ComparisonOptions` and of `Recipe`, None where the default counts.
    reading : mapping, optional
        How graph files are read.
    threads : int, optional
        By default one a core.
    data : Path, optional
        Folder of the task's files.
    out : Path, optional
        By default ``results/TASK-compared``.

    Raises
    ------
    InputError
        For whatever does not fit.
    """
    chosen = {name: value for name, value in given.items() if value is not None}
    wanted = {name: value for name, value in recipe.items() if value is not None}
    name = task or (MEMORY if chosen.get("network") == "reservoir" else "digits")
    if name == MEMORY:
        loaded, chosen = None, {"network": "reservoir", **chosen}
    else:
        loaded = load_task(name, data)
        chosen = {"network": "rnn" if loaded.is_sequence else "mlp", **chosen}
    if loaded is None and data is not None:
        raise InputError(f"data={data}: the memory task reads no files; leave it out")
    _refuse_ignored(chosen, wanted, name)
    wirings: dict[str, Wiring] = {}
    for source in sources:
        wiring, title = wiring_at(source, **(reading or {}))
        wirings[title if title not in wirings else str(source)] = wiring
        chosen = {**_of_saved(source, chosen), **chosen}
    of_task = {} if loaded is None else dict(loaded.recipe)
    options = ComparisonOptions(task=name, recipe=changed(Recipe(), **{**of_task, **wanted}), **chosen)
    return Comparison(out or Path("results") / f"{name}-compared", loaded, options, wirings, threads or n_cores())


def _refuse_ignored(given: Mapping[str, Any], recipe: Mapping[str, Any], task: str) -> None:
    """Refuse what the kind of network does not heed."""
    network = given["network"]
    for name in ("activation", "orientation", "cell", "radii", "leak", "input_scale"):
        if name in given and name not in HEEDED[network]:
            kind = next(kind for kind, names in HEEDED.items() if name in names)
            raise InputError(f"{name}={shown(given[name])}: network={network} ignores it; it is for network={kind}")
    if "delays" in given and task != MEMORY:
        raise InputError(f"delays={given['delays']}: task {task} ignores it; it is for {MEMORY}")
    if network == "reservoir":
        for name, value in recipe.items():
            raise InputError(f"{name}={value}: reservoirs are not trained; leave it out")
    for name in ("reads", "readouts"):
        if name in given and given.get("attachment", "controlled") != "controlled":
            raise InputError(f"{name}={given[name]}: it is for attachment=controlled; leave it out")


def _of_saved(source: Path, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the neurons of a saved network are, if its file is at hand and it is of the kind that is trained."""
    file = source / "best" / "network.safetensors" if source.is_dir() else source
    if file.suffix != ".safetensors" or not file.is_file():
        return {}
    try:
        saved = load_network(file)
    except ValueError as error:
        raise InputError(str(error)) from None
    if isinstance(saved, PooledMLP):
        raise InputError(f"{source}: the network reads means over squares of pixels, and no task has these as inputs")
    network = network_within(saved)
    if isinstance(network, SparseMLP) and given["network"] == "mlp":
        return {"activation": network.activation}
    if isinstance(network, SequenceNetwork) and given["network"] == "rnn":
        return {"cell": network.rnn.cell}
    return {}
