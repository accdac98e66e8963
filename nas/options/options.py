"""CampaignOptions and SurveyOptions: everything that decides what is done, as frozen, validated configs.

Equal options give equal results; how many threads work on them is therefore not an option.
"""

from __future__ import annotations

import json
import textwrap
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeVar

import tomli_w
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from nas.errors import InputError, input_error, known, options_of
from nas.failures import unusable
from nas.options.duration import duration_of, seconds_of
from nas.space.budget import Budget
from nas.space.space import Space
from nas.space.ways import Ways
from nas.tasks.files.options import FileOptions
from nas.training.recipe import Recipe
from priors.files import atomic_write

if TYPE_CHECKING:
    from nas.networks import NetworkSpec

__all__ = [
    "CAMPAIGN",
    "LEAST_TO_JUDGE",
    "OPTIONS_FILE",
    "PREDICTOR_FOLDER",
    "SURVEY",
    "CampaignOptions",
    "Direction",
    "Kind",
    "SharedOptions",
    "SurveyOptions",
    "changed_options",
    "data_changed",
    "explained_options",
    "read_options",
    "refuse_changes",
    "resolve",
    "resolve_survey",
    "resume_options",
    "with_defaults",
    "write_options",
]

PREDICTOR_FOLDER = "predictor"
LEAST_TO_JUDGE = 30
"""Wirings from which on a predictor can be judged by `wirenas validate`."""
"""Where the predictor lies in the folder of a campaign or a survey."""
OPTIONS_FILE = "campaign.toml"
"""The resolved options, in a campaign's folder."""

_NONE = "none"
_MOST_BYTES, _MOST_LEVELS = 2**20, 16
"""Of a file of options."""
_TOO_DEEP = "tables and lists lie inside of each other too deeply for options"
_OF_READING = ("space.graphs_format", "space.graphs_directed", "space.graphs_merge")
"""How graphs are read, which may change as long as they are the same."""
_FINALISTS_OF_A_FRONT = 8
_LONGER = 3
"""How many times as long finals last as trials, where there is a budget."""

Direction = Literal["maximize", "minimize"]


def _budget(value: Any) -> Any:
    return value if value is None else str(Budget.of(value))


def _duration(value: Any) -> Any:
    return value if value is None else duration_of(value)


def _whole(value: Any) -> Any:
    """Return the number of text that is one, as the command line gives it."""
    return int(value) if isinstance(value, str) and value.isdecimal() else value


def _known_activation(name: str) -> str:
    if name in ("relu", "tanh", "sigmoid", "gelu", "identity"):
        return name  # Without torch, which the table of all of them imports.
    from nas.networks.activations import ACTIVATIONS

    return known("activation", name, ACTIVATIONS)


def _known_cell(name: str) -> str:
    if name in ("tanh", "relu", "gru", "lstm"):
        return name
    from nas.networks.cells import CELLS

    return known("cell", name, CELLS)


class SharedOptions(BaseModel):
    """What campaigns and surveys have in common: which wirings are trained on which task, and how."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    task: str | None = "digits"
    # None where an own evaluation gives the values, which only Python can hand over: the flag does not offer it.
    """What to learn: digits, reber, reber-published, reber-embedded, mnist, fashion-mnist, mnist-1d,
    mnist-1d-shuffled, adding, copy, delayed-parity, sequential-digits, mackey-glass, lorenz; or a file of your own:
    csv:FILE, parquet:FILE, arff:FILE, npz:FILE, openml:NAME. Of sequences, bidirectional:TASK reads them from both
    ends."""
    network: Literal["mlp", "rnn"] = "mlp"
    """mlp or rnn: by default what the task needs, rnn for sequences."""
    activation: Annotated[str, AfterValidator(_known_activation)] = "relu"
    """Activation of an MLP's hidden neurons: relu, tanh, sigmoid, gelu, identity."""
    cell: Annotated[str, AfterValidator(_known_cell)] = "gru"
    """Cell of an RNN's hidden neurons: tanh, relu, gru, lstm."""
    initial_state: Literal["zero", "learned"] = "zero"
    """Where an RNN begins: zero, or learned, a state that is trained beside the biases."""
    seed: Annotated[int, Field(ge=0, lt=2**63)] = 0
    """Seed of all random draws."""
    engine: Literal["auto", "native", "torch"] = "auto"
    """auto (the fastest one that is there), native or torch."""
    device: str = "cpu"
    """cpu or cuda."""
    files: FileOptions = FileOptions()
    """How a file becomes a task."""
    space: Space = Space()
    """What varies between the candidates."""
    recipe: Recipe = Recipe()
    """How networks are trained."""

    @property
    def spec(self) -> NetworkSpec:
        """Which network a wiring becomes."""
        from nas.networks import NetworkSpec

        return NetworkSpec(self.network, activation=self.activation, cell=self.cell, initial_state=self.initial_state)

    @property
    def resolved_space(self) -> Space:
        """The space with the structure that the network needs; an InputError where the given one does not fit."""
        valid = ("dag",) if self.network == "mlp" else ("recurrent", "stack")
        structure = self.space.structure or valid[0]
        if structure == "given" and self.task is None:
            return self.space
        if structure not in valid:
            raise InputError(
                f"space.structure={structure} does not fit network={self.network}; valid: {' or '.join(valid)}"
            )
        return self.space.model_copy(update={"structure": structure})


class CampaignOptions(SharedOptions):
    """What a campaign does."""

    budget: Annotated[str | None, BeforeValidator(_budget)] = None
    """What a network may cost: 3000 (live weights and biases), 12KiB or 50kMAC (multiplications an example). Ways to a
    structure then race, and tpe chooses all else and the learning rate, in place of the structural sampler; MLPs are
    gelu networks that are normalised, and adamw trains, with a weight decay of 0.1."""
    precision: Annotated[Literal[8, 16, 32], BeforeValidator(_whole)] = 32
    """Bits of a weight that count in a budget in bytes: 8, 16, 32. Networks are trained with 32; finalists and their
    references are then rounded to these: 16 is half precision, 8 integers times one factor a matrix."""
    ways: Ways = Ways()
    """What varies between the candidates of a campaign with a budget."""
    trials: Annotated[int, Field(ge=1)] | None = 100
    """Trials to reach in all, complete or stopped early; by default 100, and with a timeout as many as there is time
    for. It and the timeout may change when a campaign is resumed."""
    timeout: Annotated[str | None, BeforeValidator(_duration)] = None
    """How long to search in all, such as 90s, 10m or 2h, by the clock on the wall, but at least until one trial is
    done; where trials are given too, whichever comes first ends it. Finals come on top."""
    objective: Literal["value", "pareto"] = "value"
    """value (the best one counts) or pareto (the best values at every size count: the number of parameters is a second
    objective)."""
    sampler: Literal["structural", "genetic", "tpe", "nsga2", "random"] = "structural"
    """structural (predicts from the graphs of earlier trials), genetic (breeds them), tpe, nsga2 or random."""
    startup: Annotated[int, Field(ge=1)] = 10
    """Trials before the structural sampler predicts, or the genetic one breeds, anything; up to a batch more, until
    these are known."""
    screened: bool = True
    """Whether the genetic sampler trains the most promising of several children, and not the first one."""
    share: Annotated[float, Field(gt=0, le=10)] | None = 0.2
    """What the structural sampler's choices may cost as a share of the time of a trial, .01 s in any case; none: as
    much as they take."""
    repeats: Annotated[int, Field(ge=1, le=64)] = 3
    """Trials of one wiring at most; with more than 1, every tenth trial of the structural sampler tries the best one
    again."""
    warm_start: str | None = None
    """Folder of another campaign or survey: its predictor counts like 20 trials of the structural sampler, and replaces
    the first ones."""
    final_epochs: Annotated[int, Field(ge=1)] | None = None
    """Epochs of the finals, for finalists and references; by default as many as in the search, and with a budget three
    times as many."""
    replicates: Annotated[int, Field(ge=1)] = 1
    """Trainings of each candidate with different seeds; its value is their mean."""
    batch: Annotated[int, Field(ge=1)] = 8
    """Trials that are asked for together, before any of them is known."""
    early_stopping: Literal["median", "hyperband", "halving"] | None = None
    """Ends trials that do worse than earlier ones did after as many epochs: none (the default), median, hyperband or
    halving."""
    finalists: Annotated[int, Field(ge=1)] = 3
    """How many of the best candidates are trained again with fresh seeds; of a front by default 8."""
    final_seeds: Annotated[int, Field(ge=1)] = 5
    """With how many fresh seeds finalists and references are trained."""
    direction: Direction = "maximize"
    """Whether more or less of the value is better; follows from the task where there is one."""

    @model_validator(mode="before")
    @classmethod
    def _own_defaults(cls, given: Any) -> Any:
        """Complete what is given by defaults that depend on it."""
        if not isinstance(given, Mapping):
            return given
        own: dict[str, Any] = {}
        if given.get("objective") == "pareto":
            own["finalists"] = _FINALISTS_OF_A_FRONT
        if given.get("budget") not in (None, _NONE):
            own["sampler"] = "tpe"
        if given.get("timeout") not in (None, _NONE):
            own["trials"] = None
        return {**own, **given}

    @model_validator(mode="after")
    def _ends(self) -> CampaignOptions:
        if self.trials is None and self.timeout is None:
            raise ValueError("trials=none: a search without an end; give trials or timeout")
        return self

    @property
    def seconds(self) -> float | None:
        """How long to search; None where only trials count."""
        return None if self.timeout is None else seconds_of(self.timeout)

    @property
    def epochs_of_finals(self) -> int:
        """Epochs for which finalists and references are trained."""
        if self.final_epochs is not None:
            return self.final_epochs
        return self.recipe.epochs * (1 if self.budget is None else _LONGER)

    @property
    def by_size(self) -> bool:
        """Whether the number of parameters is a second objective."""
        return self.objective == "pareto"

    @property
    def edits(self) -> bool:
        """Whether the sampler edits graphs."""
        return self.sampler in ("structural", "genetic")

    @property
    def directions(self) -> tuple[Direction, ...]:
        """Directions of the objectives."""
        return (self.direction, "minimize") if self.by_size else (self.direction,)


class SurveyOptions(SharedOptions):
    """What a survey does."""

    wirings: Annotated[int, Field(ge=1, le=10**9)] = 1000
    """Wirings to train in all; the one option that may change when a survey is resumed."""
    seeds: Annotated[int, Field(ge=1)] = 1
    """Trainings of each wiring at each learning rate, with different initial weights and orders of the examples."""


@dataclass(frozen=True)
class Kind:
    """What folder a config is for: the file that holds it, the options that may grow, and its name in messages."""

    config: type[SharedOptions]
    file: str
    grows: tuple[str, ...]
    noun: str


CAMPAIGN = Kind(CampaignOptions, OPTIONS_FILE, ("trials", "timeout"), "campaign")
SURVEY = Kind(SurveyOptions, "survey.toml", ("wirings",), "survey")

_Config = TypeVar("_Config", bound=SharedOptions)


def resolve(options: Mapping[str, Any]) -> CampaignOptions:
    """Validate nested options; the word ``"none"`` stands for None, which files and command lines cannot write.

    An InputError says in one line what is wrong first.
    """
    return _validated(options, CampaignOptions)


def resolve_survey(options: Mapping[str, Any]) -> SurveyOptions:
    """Validate nested options of a survey; see `resolve`."""
    return _validated(options, SurveyOptions)


def read_options(path: str | Path) -> dict[str, Any]:
    """Read options from a TOML file; they are checked by `resolve`.

    Raises
    ------
    InputError
        If there is no such file, or it is none that holds options.
    """
    try:
        with Path(path).open("rb") as file:
            content = file.read(_MOST_BYTES + 1)
        if len(content) > _MOST_BYTES:
            raise InputError(f"{path}: holds more than the {_MOST_BYTES} bytes that options may take")
        options = tomllib.loads(content.decode("utf-8-sig").replace("\r\n", "\n"))
    except OSError as error:
        raise unusable(error, str(path), "give the path of a campaign file (TOML)") from None
    except RecursionError:
        raise InputError(f"{path}: {_TOO_DEEP}") from None
    except InputError:
        raise
    except ValueError as error:  # Also numbers of thousands of digits.
        raise InputError(f"{path}: not a TOML file: {error}") from None
    _check_values(path, options)
    return options


def _check_values(path: str | Path, options: dict[str, Any]) -> None:
    """Refuse what TOML promises nobody to read, without asking Python to go as deep as tables and lists do."""
    level: list[Any] = [options]
    for _ in range(_MOST_LEVELS):
        level = [inner for part in level for inner in (part.values() if isinstance(part, dict) else part)]
        if any(isinstance(part, int) and abs(part) >= 2**63 for part in level):
            raise InputError(f"{path}: not a TOML file: a whole number is beyond 64 bits")
        level = [part for part in level if isinstance(part, dict | list)]
    if level:
        raise InputError(f"{path}: {_TOO_DEEP}")


def write_options(options: SharedOptions, path: str | Path) -> None:
    """Write resolved options as TOML, which reads back as the same options."""
    with atomic_write(path) as temporary:
        temporary.write_text(tomli_w.dumps(_document(options)), encoding="utf-8")


def explained_options(options: SharedOptions) -> str:
    """Return resolved options as TOML with a comment on each: a file to start from."""
    lines, section = [], ""
    fields = {
        "": options_of(type(options)),
        "files.": options_of(FileOptions),
        "space.": options_of(Space),
        "ways.": options_of(Ways),
        "recipe.": options_of(Recipe),
    }
    for line in tomli_w.dumps(_document(options)).splitlines():
        if line.startswith("["):
            section = f"{line.strip('[]')}."
        name = line.partition(" = ")[0]
        if name in fields.get(section, {}) and " = " in line:
            description = " ".join((fields[section][name].description or "").split())
            lines += textwrap.wrap(description, 118, initial_indent="# ", subsequent_indent="# ")
        lines.append(line)
    return "\n".join(lines) + "\n"


def _document(options: SharedOptions) -> dict[str, Any]:
    # Of random graphs and of all ways those options that the other ones take the place of would only confuse.
    unused = {"files"} if options.files == FileOptions() else set()
    if isinstance(options, CampaignOptions):
        unused |= {"ways", "precision", "budget"} if options.budget is None else {"space"}
    return _replaced(options.model_dump(mode="json", exclude=unused), None, _NONE)


def changed_options(old: Mapping[str, Any], new: Mapping[str, Any], prefix: str = "") -> list[tuple[str, Any, Any]]:
    """Return (dotted name, old value, new value) of every option that differs."""
    changes = []
    for name in dict.fromkeys([*old, *new]):
        before, after = old.get(name), new.get(name)
        if isinstance(before, Mapping) and isinstance(after, Mapping):
            changes += changed_options(before, after, f"{prefix}{name}.")
        elif before != after:
            changes.append((f"{prefix}{name}", before, after))
    return changes


def resume_options(out: str | Path, given: Mapping[str, Any], kind: Kind = CAMPAIGN) -> dict[str, Any]:
    """Return the options of the campaign or survey in `out`, or those given where there is none yet.

    What is not given is taken from the folder; options that may grow may be given anew, of which one takes the place of
    all. An InputError names others that differ.
    """
    path = Path(out) / kind.file
    if not path.is_file():
        return dict(given)
    stored = _validated(read_options(path), kind.config).model_dump(mode="json")
    mine = _validated(given, kind.config).model_dump(mode="json")
    refuse_changes(out, _only(stored, given), _only(mine, given), kind)
    own = given.get("space", {})
    reading = {name: value for name, value in own.items() if f"space.{name}" in _OF_READING}
    space = {**stored["space"], **reading}
    anew = {name: given.get(name) for name in kind.grows} if not given.keys().isdisjoint(kind.grows) else {}
    return {**stored, "space": space, **anew}


def refuse_changes(out: str | Path, stored: Mapping[str, Any], mine: Mapping[str, Any], kind: Kind = CAMPAIGN) -> None:
    """Raise an InputError that names the first option that differs, those that may grow apart."""
    for name, before, after in changed_options(stored, mine):
        if name == "graphs":
            raise InputError(
                f"space.graphs: the {kind.noun} in {out} was started with other graphs; lists of edges that say no "
                "direction were once taken as directed: --directed does so again"
            )
        if name == "weights":
            raise InputError(
                f"space.graphs: the {kind.noun} in {out} was started with other weights of these graphs; put them "
                "back, or give another out"
            )
        if name == "data":
            raise InputError(data_changed(kind.noun, out))
        if name not in kind.grows and name not in _OF_READING:
            raise InputError(
                f"{name}={shown(after)}: the {kind.noun} in {out} was started with {shown(before)}, and only "
                f"{' and '.join(kind.grows)} may change; give {shown(before)}, or another out"
            )


def data_changed(noun: str, out: str | Path) -> str:
    """Return the line on data that are not those that something in a folder was begun with."""
    return (
        f"task: its examples, their split or the metric are not those that the {noun} in {out} was started with: a "
        "file has changed, or another is read; put it back, or give another out"
    )


def with_defaults(stored: Mapping[str, Any], kind: Kind = CAMPAIGN) -> dict[str, Any]:
    """Complete stored options by the defaults of those that an older version did not have; other entries are kept."""
    own = {name: value for name, value in stored.items() if name in kind.config.model_fields}
    return {**stored, **_validated(own, kind.config).model_dump(mode="json", exclude=set(kind.grows))}


def _validated(options: Mapping[str, Any], config: type[_Config]) -> _Config:
    try:
        return config.model_validate(_replaced(options, _NONE, None))
    except ValidationError as error:
        raise input_error(error, config) from None


def _replaced(options: Mapping[str, Any], old: Any, new: Any) -> dict[str, Any]:
    """Return nested options with every value `old` replaced by `new`."""
    return {
        name: _replaced(value, old, new)
        if isinstance(value, Mapping)
        else new
        if value is old or value == old
        else value
        for name, value in options.items()
    }


def _only(values: Mapping[str, Any], names: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: _only(values[name], part) if isinstance(part, Mapping) else values[name] for name, part in names.items()
    }


def shown(value: Any) -> str:
    """Return an option's value as files and command lines write it."""
    if isinstance(value, tuple) and len(value) == 2 and value[0] == value[1]:
        value = value[0]  # A range in which nothing varies.
    return _NONE if value is None else json.dumps(value)
