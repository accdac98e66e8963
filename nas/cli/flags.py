"""Command-line flags from the fields of options and drawings: names, types, help are written once."""

from __future__ import annotations

import dataclasses
import inspect
import typing
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic.fields import FieldInfo

from nas.cli.commands import split_lists
from nas.errors import options_of
from nas.options.options import CampaignOptions, SharedOptions, SurveyOptions
from nas.space.families import FAMILIES, Drawing
from nas.space.space import Space
from nas.space.ways import Ways
from nas.tasks.files.options import FileOptions
from nas.training.recipe import Recipe

__all__ = [
    "INSIDE_DRAWINGS",
    "WHERE",
    "Directed",
    "GraphFormat",
    "Merge",
    "drawing_flags",
    "drawing_of",
    "file_flags",
    "file_options",
    "flags",
    "given_options",
    "inside_names",
]

_FLAG_NAMES = {
    "priors": "prior",
    "learning_rates": "learning_rate",
    "graphs_format": "format",
    "graphs_directed": "directed",
    "graphs_merge": "merge",
    "graphs_weights": "weights",
    "pools": "pool",
    "read_ins": "read_in",
    "parent_read_ins": "parent_read_in",
    "scores": "score",
    "rewirings": "rewiring",
}
_LEFT_OUT: dict[type[SharedOptions], frozenset[str]] = {
    CampaignOptions: frozenset({"direction"}),
    # Nothing in a survey looks for neighbours.
    SurveyOptions: frozenset({"edits"}),
}
_PATHS = ("graphs", "warm_start", "test")
_READING = {"graph_format": "format", "directed": "directed", "merge": "merge"}
_SEVERAL = " Several with commas, or again."
_PRIOR = "The prior"
_UNITS = "Input and output units"
_COMMON = (
    "task", "network", "budget", "trials", "timeout", "wirings", "seeds", "priors", "nodes", "degree", "max_parameters",
    "epochs", "learning_rates", "seed",
)  # fmt: skip
"""What most people give: it stands first, in the panel of the command's own options."""
WHERE = "Where it runs"
_WAYS, _SPACE, _RECIPE = (
    "With a budget: how structures come about",
    "What else varies between the candidates",
    "How else networks are trained; a task has its own defaults",
)
_FILES = "A task in a file of your own"
_GROUPS = {
    _FILES: (),
    _WAYS: ("precision",),
    "With a budget: what networks read, and how neurons are connected": (
        "pools", "read_ins", "locality", "fan_in", "fan_out", "hidden", "depth", "links", "graph_degree",
    ),
    "With a budget: the network that is pruned or rewired": (
        "oversize", "parent_read_ins", "parent_depth", "shortcuts", "parent_fan_in", "parent_links", "taper",
    ),
    _SPACE: (),
    "How a wiring becomes a network": (
        "activation", "cell", "initial_state", "structure", "orientation", "attachment", "reads", "readouts", "width",
    ),
    "Own graphs": ("graphs", "graphs_format", "graphs_directed", "graphs_merge", "graphs_weights"),
    _RECIPE: (),
    "How a campaign chooses candidates": (
        "sampler", "startup", "screened", "share", "repeats", "warm_start", "batch",
    ),
    "What a trial is worth, and which are trained again": (
        "objective", "replicates", "early_stopping", "finalists", "final_seeds", "final_epochs",
    ),
    WHERE: ("engine", "device"),
}  # fmt: skip
"""Panels of the help in their order, and the options that stand there; others of a space or a recipe in its own."""

GraphFormat = Annotated[
    str | None,
    typer.Option("--format", help="Format of the graphs, whatever their suffixes say: matrix, …."),
]
Directed = Annotated[
    bool | None,
    typer.Option("--directed/--undirected", help="Whether edges have a direction, whatever the files say."),
]
Merge = Annotated[str, typer.Option(help="What becomes of the weights of parallel edges: sum, max, first, error.")]

Command = Callable[..., None]


@dataclass(frozen=True)
class _Flag:
    name: str
    field: str
    section: str | None
    panel: str | None
    info: FieldInfo


def flags(config: type[SharedOptions], *without: str) -> Callable[[Command], Command]:
    """Give a command that takes ``**given`` one flag for every option of a campaign or survey, but those `without`.

    These are names of flags, or of sections of the options. Values arrive as text, or lists of text; the options
    themselves check and convert them.
    """
    every = [flag for flag in _all_flags(config) if not {flag.name, flag.section} & {*without}]
    every.sort(key=lambda flag: _COMMON.index(flag.field) if flag.field in _COMMON else len(_COMMON))
    return lambda command: _extended(command, map(_option_parameter, every), _rank)


def inside_names(config: type[SharedOptions]) -> dict[str, str]:
    """Return the flags of the options of a campaign or survey by the names that messages have for these."""
    found = {}
    for flag in _all_flags(config):
        found[flag.field] = flag.name
        if flag.section is not None:
            found[f"{flag.section}.{flag.field}"] = flag.name
    return found


def file_flags(command: Command) -> Command:
    """Give a command that takes ``**given`` one flag for every option of a task in a file."""
    own = [_Flag(name, name, None, _FILES, info) for name, info in FileOptions.model_fields.items()]
    return _extended(command, map(_option_parameter, own))


def file_options(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options of the flags that `file_flags` made, as far as they were given."""
    found = {name: given[name] for name in FileOptions.model_fields if given.get(name) not in (None, [])}
    return {name: split_lists(value) if isinstance(value, list) else value for name, value in found.items()}


INSIDE_DRAWINGS = {
    "n_inputs": "inputs",
    "n_outputs": "outputs",
    "format": "graph_format",
    **{own.name: own.option for family in FAMILIES.values() for own in family.arguments},
}
"""Flags of drawings by the names that messages have for these, where they are others."""


def drawing_flags(command: Command) -> Command:
    """Give a command that takes ``**given`` one flag for every field of a `Drawing` and argument of a prior."""
    return _extended(command, _drawing_parameters())


def drawing_of(given: Mapping[str, Any]) -> Drawing:
    """Return the drawing of the flags that `drawing_flags` made."""
    fields = {field.name for field in dataclasses.fields(Drawing)}
    own = {name: value for name, value in given.items() if name in fields}
    reading = {name: given[flag] for flag, name in _READING.items() if flag in given}
    arguments = {name: value for name, value in given.items() if name not in own and name not in _READING}
    return Drawing(**own, reading=reading, arguments=arguments)


def _drawing_parameters() -> Iterator[inspect.Parameter]:
    yield _parameter("prior", str | None, typer.Option(help=f"{', '.join(FAMILIES)}."), None)
    yield _parameter(
        "graph", Path | None, typer.Option(help="A graph file in place of a prior, or for connectome."), None
    )
    yield _parameter("inputs", int, typer.Option(help="Input units."))
    kinds: dict[str, Any] = {}
    families_by_help: dict[str, dict[str, list[str]]] = {}
    for family, record in FAMILIES.items():
        for argument in record.arguments:
            kinds[argument.option] = argument.kind
            families_by_help.setdefault(argument.option, {}).setdefault(argument.help, []).append(family)
    for name, by_help in families_by_help.items():
        help_text = "; ".join(f"{', '.join(families)}: {text}" for text, families in by_help.items())
        yield _parameter(name, kinds[name] | None, typer.Option(help=f"{help_text}.", rich_help_panel=_PRIOR), None)
    for flag, kind, default in (
        ("graph_format", GraphFormat, None),
        ("directed", Directed, None),
        ("merge", Merge, "sum"),
    ):
        yield inspect.Parameter(flag, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=kind)
    for name, help_text, panel in (
        ("orientation", "random, index, degree.", _PRIOR),
        ("expand", "Layers over which the graph is spread, such as 512,512,512.", _PRIOR),
        ("reads", "controlled: inputs that a neuron reads.", _UNITS),
        ("readouts", "controlled: neurons that outputs read.", _UNITS),
        ("width", "projected: neurons of the projection.", _UNITS),
        ("seed", "Seed of all random draws.", None),
    ):
        default = getattr(Drawing, name)
        kind = str | None if default is None else type(default)
        yield _parameter(name, kind, typer.Option(help=help_text, rich_help_panel=panel), default)


def given_options(
    given: Mapping[str, Any], config: type[SharedOptions] = CampaignOptions, without: Collection[str] = ()
) -> dict[str, Any]:
    """Return the flags that were given as nested options; those `without` the command does not have."""
    nested: dict[str, Any] = {}
    for flag in _all_flags(config):
        if {flag.name, flag.section} & {*without}:
            continue
        value = given[flag.name]
        if value is not None and value != []:
            section = nested if flag.section is None else nested.setdefault(flag.section, {})
            section[flag.field] = split_lists(value) if isinstance(value, list) else value
    return nested


def _parameter(name: str, kind: Any, option: Any, default: Any = inspect.Parameter.empty) -> inspect.Parameter:
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=Annotated[kind, option])


def _option_parameter(flag: _Flag) -> inspect.Parameter:
    default = flag.info.default
    kind: Any = list[str] if _is_repeated(flag.info) else str
    if isinstance(default, bool) or flag.name == "directed":
        kind = bool
    option = typer.Option(
        *(["--directed/--undirected"] if flag.name == "directed" else []),
        help=f"{flag.info.description} {_default_text(default)}{_SEVERAL if _is_repeated(flag.info) else ''}".strip(),
        rich_help_panel=flag.panel,
        show_default=False,
        metavar=None if kind is bool else _metavar(flag.name, flag.info),
    )
    return _parameter(flag.name, kind | None, option, None)


def _rank(parameter: inspect.Parameter) -> int:
    """Return where a parameter stands in the help: common options, the command's own, and panel by panel."""
    options = getattr(parameter.annotation, "__metadata__", ())
    panel = next((getattr(option, "rich_help_panel", None) for option in options), None)
    return list(_GROUPS).index(panel) if panel in _GROUPS else -1


def _extended(
    command: Command, added: Iterable[inspect.Parameter], rank: Callable[[inspect.Parameter], int] | None = None
) -> Command:
    """Replace the ``**given`` in a command's signature, from which typer reads the flags.

    Added parameters follow the command's own ones; with a rank they go before those of the same rank.
    """
    own = inspect.signature(command, eval_str=True)
    kept = [parameter for parameter in own.parameters.values() if parameter.kind is not inspect.Parameter.VAR_KEYWORD]
    if rank is None:
        parameters = sorted([*kept, *added], key=lambda parameter: parameter.kind)
    else:
        parameters = sorted([*added, *kept], key=lambda parameter: (parameter.kind, rank(parameter)))
    command.__signature__ = own.replace(parameters=parameters)  # type: ignore[attr-defined]
    command.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    return command


def _all_flags(options: type[SharedOptions]) -> Iterator[_Flag]:
    grouped = {name: panel for panel, names in _GROUPS.items() for name in names}
    parts: list[tuple[Any, str | None, str | None]] = [
        (options, None, None),
        (FileOptions, "files", _FILES),
        (Space, "space", _SPACE),
    ]
    if "ways" in options.model_fields:
        parts.append((Ways, "ways", _WAYS))
    parts.append((Recipe, "recipe", _RECIPE))
    sections = [section for _, section, _ in parts]
    for config, section, panel in parts:
        for name, info in options_of(config).items():
            is_section = config is options and name in sections
            if not is_section and name not in _LEFT_OUT[options]:
                own_panel = None if name in _COMMON else grouped.get(name, panel)
                yield _Flag(_FLAG_NAMES.get(name, name), name, section, own_panel, info)


def _is_repeated(info: FieldInfo) -> bool:
    """Whether the field is a tuple of any length, in contrast to a (low, high) range."""
    return _is_tuple_of_any_length(info.annotation)


def _is_tuple_of_any_length(annotation: Any) -> bool:
    arguments = typing.get_args(annotation)
    if typing.get_origin(annotation) is tuple:
        return Ellipsis in arguments
    # A family's own parameter keeps what pydantic takes off the fields of a class.
    return any(map(_is_tuple_of_any_length, arguments))


def _metavar(name: str, info: FieldInfo) -> str:
    default, kinds = info.default, str(info.annotation)
    if name in _PATHS:
        return "PATH"
    if isinstance(default, tuple) and not _is_repeated(info):
        return "LOW:HIGH"
    return "TEXT" if "str" in kinds or "Literal" in kinds else "NUMBER"


def _default_text(default: Any) -> str:
    if default is None or default == ():
        return ""
    if isinstance(default, bool):
        return f"Default: {'yes' if default else 'no'}."
    if isinstance(default, tuple) and len(default) == 2 and default[0] == default[1]:
        default = default[0]
    if isinstance(default, tuple):
        default = (":" if len(default) == 2 and not isinstance(default[0], str) else ", ").join(map(str, default))
    return f"Default: {default}."
