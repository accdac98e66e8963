"""From what a user gives to what a search works with: the task, plain options, and whether they fit."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import torch
from pydantic import BaseModel

from nas.errors import InputError
from nas.networks.cells import CELLS
from nas.options.options import (
    CAMPAIGN,
    OPTIONS_FILE,
    CampaignOptions,
    Kind,
    SharedOptions,
    data_changed,
    read_options,
    resolve,
    shown,
)
from nas.reservoirs import check_read_out
from nas.space.spending import WIDENED, widened
from nas.tasks import Task, load_task
from nas.tasks.files.options import FileOptions
from nas.training.recipe import Recipe, changed
from nas.training.train import engine_for

__all__ = [
    "budget_defaults",
    "check_direction",
    "check_fit",
    "check_sampler",
    "check_units",
    "n_cores",
    "n_threads",
    "own_graphs_as_they_are",
    "plain_options",
    "recipe_of",
    "task_of",
    "with_room",
]

_MOST_UNITS = 2**24
"""Inputs, or outputs, of a network: the compiled engine numbers neurons up to here."""

_Options = TypeVar("_Options", bound=SharedOptions)


def task_of(task: str | Task | None, options: Mapping[str, Any]) -> Task:
    """Return the task that is given as such, or by name in the options; digits by default."""
    if isinstance(task, Task):
        return task
    files = options.get("files")
    return load_task(str(task or options.get("task") or "digits"), files=None if files is None else _as_dict(files))


def plain_options(options: Mapping[str, Any], task: Task | None, out: Path | None = None) -> dict[str, Any]:
    """Return options as nested mappings, with the task's name and the defaults that follow from it and from a budget.

    A campaign with a budget that lies in `out` goes on as it began, whatever the defaults were then.
    """
    nested = {name: _as_dict(options.get(name, {})) for name in ("space", "recipe")}
    if "ways" in options:
        nested["ways"] = _as_dict(options["ways"])
    if task is None or task.pipeline is None:
        _refuse_files(_as_dict(options.get("files", {})), task)
    if task is None:
        return {**options, **nested, "task": None}
    own: dict[str, Any] = {"network": "rnn" if task.is_sequence else "mlp"}
    if task.pipeline is not None:
        nested["files"] = task.pipeline.options.model_dump()
    if isinstance(given := nested["recipe"], dict):
        of_recipe: dict[str, Any] = {}
        if options.get("budget") not in (None, "none"):
            of_budgets, of_recipe = _of_budgets({**own, **options}, given, out)
            own |= of_budgets
            of_recipe.setdefault("learning_rates", _ladder(task))
        nested["recipe"] = {**recipe_of(task, given), **of_recipe, **given}
    return {**own, **options, **nested, "task": task.name}


def _refuse_files(files: Mapping[str, Any], task: Task | None) -> None:
    """Refuse options of files where none is read."""
    defaults = FileOptions().model_dump()
    for name, value in files.items():
        if name in defaults and value not in (defaults[name], "none", []):
            what = "an own evaluation reads no file" if task is None else f"task {task.name} is not read from a file"
            raise InputError(f"files.{name}={shown(value)}: {what}; leave it out")


def recipe_of(task: Task, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the task's own defaults of training, beside what is given.

    A decay that is meant for adamw, which keeps it apart from the gradient, is not another optimizer's.
    """
    own = dict(task.recipe)
    if given.get("optimizer", own.get("optimizer")) != own.get("optimizer"):
        own.pop("weight_decay", None)
    return own


def budget_defaults(network: str, recipe: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return options, and those of the recipe, that stand by default where a network is to fit a budget.

    Of several that were tried they did best, for dense networks as for sparse ones. A network that is pruned from a
    larger one can learn examples by heart, so weights decay; as strongly as this only where decay is decoupled, which
    another optimizer of the `recipe` that is wanted does not do.
    """
    own: dict[str, Any] = {"optimizer": "adamw"}
    if recipe.get("optimizer", "adamw") == "adamw":
        own["weight_decay"] = 0.1
    if network == "mlp":
        return {"activation": "gelu"}, {**own, "normalise": True}
    return {}, own


def _of_budgets(
    options: Mapping[str, Any], recipe: Mapping[str, Any], out: Path | None
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the defaults of a campaign with a budget, or what it began with."""
    network = options.get("network", "mlp")
    if out is None or not (path := out / OPTIONS_FILE).is_file():
        return budget_defaults(network, recipe)
    begun = resolve(read_options(path)).model_dump()
    own, of_recipe = budget_defaults(network, {})
    names = (*of_recipe, "learning_rates")
    return {name: begun[name] for name in own}, {name: begun["recipe"][name] for name in names}


def _ladder(task: Task) -> tuple[float, ...]:
    """Return the learning rates that a search for a budget chooses from: a task's own, or three around its only one."""
    rates = changed(Recipe(), **task.recipe).learning_rates
    if len(rates) > 1:
        return rates
    return float(f"{rates[0] / 3:.2g}"), rates[0], float(f"{3 * rates[0]:.2g}")


def own_graphs_as_they_are(out: Path, options: Mapping[str, Any], n_inputs: int) -> Mapping[str, Any]:
    """Return nested options in which own graphs stay as they are, for an own evaluation that wants no units.

    Each is then evaluated once before any is evaluated again. What says how graphs become wirings is heeded all the
    same. A campaign that a folder holds goes on as it began.
    """
    space = options["space"]
    if not isinstance(space, Mapping) or space.get("graphs") is None:
        return options
    if (path := out / OPTIONS_FILE).is_file():
        begun = read_options(path).get("space", {})
        space = {**{name: begun[name] for name in ("structure", "edits") if name in begun}, **space}
    elif n_inputs == 0 and {"structure", "orientation"}.isdisjoint(space):
        space = {**space, "structure": "given"}
    repeats = {"repeats": 1} if space.get("structure") == "given" else {}
    return {**repeats, **options, "space": space}


def with_room(
    options: _Options, given: Mapping[str, Any], out: Path, kind: Kind, units: tuple[int, int]
) -> tuple[_Options, str | None]:
    """Return options whose space can spend the parameters that it allows, and a line on what was widened for that.

    `given` are the nested options that somebody gave; see `nas.space.spending.widened`. What a folder holds goes on as
    it began.
    """
    path, spec = out / kind.file, options.spec
    begun = read_options(path).get("space", {}) if path.is_file() else None
    space, line = widened(
        options.resolved_space, given.get("space", {}), units, lambda wiring: spec.n_parameters(wiring)["total"], begun
    )
    ends = {name: getattr(space, name) for name in WIDENED if getattr(space, name) != getattr(options.space, name)}
    return options.model_copy(update={"space": options.space.model_copy(update=ends)}) if ends else options, line


def n_threads(threads: int | None, options: SharedOptions, task: Task | None) -> int:
    """Return how many trainings go on at a time: as many as asked for, else one a core where they can."""
    if threads is None:
        side_by_side = task is not None and engine_for(options.engine, options.device, options.spec) == "native"
        return n_cores() if side_by_side else 1
    if threads < 1:
        raise InputError(f"threads={threads}: at least 1 is needed")
    return threads


def check_fit(options: SharedOptions, task: Task | None) -> None:
    """Refuse a network, device or engine that does not suit the task or the machine."""
    if task is not None and task.is_sequence != (options.network == "rnn"):
        valid = "rnn" if task.is_sequence else "mlp"
        raise InputError(f"network={options.network}: task {task.name} needs network={valid}")
    if task is not None and options.recipe.is_read_out:
        check_read_out(options.spec, task)
        if options.device != "cpu":
            raise InputError(f"device={options.device}: ridge regression solves read-outs on the cpu; leave it out")
    if options.space.graphs_weights == "initial" and options.spec.kind == "rnn" and CELLS[options.cell].gates > 1:
        raise InputError(f"space.graphs_weights=initial: a {options.cell} cell has several weights for each edge; give "
                         "cell=tanh or relu, or leave it out")  # fmt: skip
    try:
        torch.zeros(1, device=options.device)
    except (RuntimeError, AssertionError) as error:
        reason = str(error).splitlines()[0]
        cuda = ", cuda" if torch.cuda.is_available() else ""
        raise InputError(f"device={options.device!r}: {reason}; valid here: cpu{cuda}") from None
    leak = options.recipe.leak if options.recipe.is_read_out else 1.0
    engine_for(options.engine, options.device, replace(options.spec, leak=leak))


def check_sampler(options: CampaignOptions, *, is_shared: bool) -> None:
    """Refuse an end by time or two objectives in a campaign of several processes, and a genetic sampler in either."""
    if is_shared and options.timeout is not None:
        raise InputError(
            f"timeout={options.timeout}: a study that several processes share ends with its trials; give trials, or "
            "leave storage out"
        )
    if is_shared and options.by_size:
        raise InputError(
            "objective=pareto: a study that several processes share has one objective; give objective=value, or leave "
            "storage out"
        )
    if options.budget is not None:
        _check_budget(options)
    if options.sampler != "genetic":
        return
    if is_shared:
        raise InputError(
            "sampler=genetic: no parameters say what was bred, and workers exchange nothing else; use structural, tpe "
            "or random, or leave storage out"
        )
    if options.space.graphs_weights == "initial":
        raise InputError(
            "space.graphs_weights=initial: sampler=genetic crosses graphs without their weights; use structural"
        )
    if options.by_size:
        raise InputError("sampler=genetic: it breeds by one objective; use structural or nsga2 with objective=pareto")


def _check_budget(options: CampaignOptions) -> None:
    """Refuse what a campaign with a budget cannot do."""
    learned = [way for way in options.ways.ways if way in ("pruned", "redrawn")]
    for name, value, is_wrong, why in (
        ("sampler", options.sampler, options.sampler in ("structural", "genetic"),
         "it knows random graphs alone; give tpe, nsga2 or random"),
        ("objective", options.objective, options.by_size,
         "every network costs what the budget pays for; give value, or a campaign for each of several budgets"),
        ("early_stopping", options.early_stopping, options.early_stopping is not None,
         "trainings are not compared before their end; leave it out"),
        ("recipe.optimizer", options.recipe.optimizer, options.recipe.is_read_out,
         "structures are learned with the weights; give adam, adamw or sgd"),
        ("recipe.patience", options.recipe.patience, options.recipe.patience is not None and learned,
         f"what is {' or '.join(learned)} is trained to its last epoch; leave it out"),
    ):  # fmt: skip
        if is_wrong:
            raise InputError(f"{name}={value}: with budget={options.budget} {why}")


def check_direction(direction: Any, task: Task, out: Path) -> None:
    """Refuse a direction that is given, or that the campaign in `out` has, and is not the task's."""
    if direction not in (None, task.direction):
        if (out / OPTIONS_FILE).is_file():
            raise InputError(data_changed(CAMPAIGN.noun, out))
        raise InputError(f"direction={direction}: the metric of task {task.name} is to {task.direction}; leave it out")


def check_units(n_inputs: int, n_outputs: int, task: Task | None) -> None:
    """Refuse a negative number of units, outputs without inputs, and others than a task has."""
    if task is not None and (n_inputs, n_outputs) not in ((0, 0), (task.n_inputs, task.n_outputs)):
        raise InputError(
            f"n_inputs={n_inputs}, n_outputs={n_outputs}: they are for own evaluations, and task {task.name} has "
            f"{task.n_inputs} and {task.n_outputs}; leave them out"
        )
    if n_inputs < 0 or n_outputs < 0 or (n_outputs and not n_inputs):
        raise InputError(
            f"n_inputs={n_inputs}, n_outputs={n_outputs}: neither may be negative, and outputs need inputs; "
            "nearest valid is n_inputs=1, or 0 for both"
        )
    for name, number in (("n_inputs", n_inputs), ("n_outputs", n_outputs)):
        if number > _MOST_UNITS:
            raise InputError(f"{name}={number}: networks have up to {_MOST_UNITS} units of a kind; give fewer")


def n_cores() -> int:
    """Return the cores that this process may use."""
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity is not None else os.cpu_count() or 1


def _as_dict(config: Any) -> Any:
    """Return a config as a mapping; what is neither is left for the options to refuse."""
    if not isinstance(config, BaseModel):
        return config
    # Not by dumping it, which would take a pool of graphs apart.
    return {name: getattr(config, name) for name in config.model_fields_set}
