"""CampaignOptions: everything that decides what a campaign does, as a frozen, validated config. Imports pydantic.

Two campaigns with equal options give equal trials; how many threads work on it is therefore not an option.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import tomli_w
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from nas.errors import InputError, input_error
from nas.search.space import Space
from nas.training.recipe import Recipe
from priors.files import atomic_write

__all__ = [
    "OPTIONS_FILE",
    "CampaignOptions",
    "Direction",
    "changed_options",
    "read_options",
    "refuse_changes",
    "resolve",
    "resume_options",
    "with_defaults",
    "write_options",
]

OPTIONS_FILE = "campaign.toml"
"""The resolved options, in a campaign's folder."""

_NONE = "none"

Direction = Literal["maximize", "minimize"]


class CampaignOptions(BaseModel):
    """What a campaign does."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    task: str | None = "digits"
    # None where an own evaluation gives the values, which only Python can hand over: the flag does not offer it.
    """What to learn: digits, reber, reber-published, reber-embedded."""
    network: Literal["mlp", "rnn"] = "mlp"
    """mlp or rnn."""
    activation: Literal["relu", "tanh", "sigmoid", "gelu", "identity"] = "relu"
    """Of an MLP's hidden neurons: relu, tanh, sigmoid, gelu, identity."""
    cell: Literal["tanh", "relu", "gru", "lstm"] = "gru"
    """What an RNN's hidden neurons are: tanh, relu, gru, lstm."""
    trials: Annotated[int, Field(ge=1)] = 100
    """Complete trials to reach in all; the one option that may change when a campaign is resumed."""
    sampler: Literal["tpe", "random"] = "tpe"
    """tpe or random."""
    seed: Annotated[int, Field(ge=0, lt=2**63)] = 0
    """Of every draw."""
    replicates: Annotated[int, Field(ge=1)] = 1
    """Trainings of each candidate with different seeds; its value is their mean."""
    batch: Annotated[int, Field(ge=1)] = 8
    """Trials that are asked for together, before any of them is known."""
    finalists: Annotated[int, Field(ge=1)] = 3
    """How many of the best candidates are trained again with fresh seeds."""
    final_seeds: Annotated[int, Field(ge=1)] = 5
    """With how many fresh seeds finalists and references are trained."""
    engine: Literal["auto", "torch"] = "auto"
    """auto (the fastest one that is there) or torch."""
    device: str = "cpu"
    """cpu or cuda."""
    direction: Direction = "maximize"
    """Of the value; follows from the task where there is one."""
    space: Space = Space()
    """What varies between the candidates."""
    recipe: Recipe = Recipe()
    """How networks are trained."""

    @property
    def resolved_space(self) -> Space:
        """The space with the structure that the network needs.

        Raises
        ------
        InputError
            If the given structure does not fit the network.
        """
        valid = ("dag",) if self.network == "mlp" else ("recurrent", "stack")
        structure = self.space.structure or valid[0]
        if structure not in valid:
            raise InputError(
                f"space.structure={structure} does not fit network={self.network}; valid: {' or '.join(valid)}"
            )
        return self.space.model_copy(update={"structure": structure})


def resolve(options: Mapping[str, Any]) -> CampaignOptions:
    """Validate nested options; the word ``"none"`` stands for None, which files and command lines cannot write.

    Raises
    ------
    InputError
        One line on the first thing that is wrong.
    """
    try:
        return CampaignOptions.model_validate(_replaced(options, _NONE, None))
    except ValidationError as error:
        raise input_error(error, CampaignOptions) from None


def read_options(path: str | Path) -> dict[str, Any]:
    """Read options from a TOML file; they are checked by `resolve`."""
    try:
        return tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}; give the path of a campaign file (TOML)") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: not a TOML file: {error}") from None


def write_options(options: CampaignOptions, path: str | Path) -> None:
    """Write resolved options as TOML, which reads back as the same options."""
    with atomic_write(path) as temporary:
        document = _replaced(options.model_dump(mode="json"), None, _NONE)
        temporary.write_text(tomli_w.dumps(document), encoding="utf-8")


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


def resume_options(out: str | Path, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options of the campaign in `out`, or those given where there is none yet.

    What is not given is taken from the campaign; `trials` may be given anew.

    Raises
    ------
    InputError
        Naming a given option that differs from the campaign's.
    """
    path = Path(out) / OPTIONS_FILE
    if not path.is_file():
        return dict(given)
    stored = resolve(read_options(path)).model_dump(mode="json")
    mine = resolve(given).model_dump(mode="json")
    refuse_changes(out, _only(stored, given), _only(mine, given))
    return {**stored, "trials": given.get("trials", stored["trials"])}


def refuse_changes(out: str | Path, stored: Mapping[str, Any], mine: Mapping[str, Any]) -> None:
    """Raise an InputError that names the first option other than `trials` that differs."""
    for name, before, after in changed_options(stored, mine):
        if name != "trials":
            raise InputError(
                f"{name}={_shown(after)}: the campaign in {out} was started with {_shown(before)}, and only trials may "
                f"change; give {_shown(before)}, or another out"
            )


def with_defaults(stored: Mapping[str, Any]) -> dict[str, Any]:
    """Complete stored options by the defaults of those that an older version did not have; other entries are kept."""
    own = {name: value for name, value in stored.items() if name in CampaignOptions.model_fields}
    return {**stored, **resolve(own).model_dump(mode="json", exclude={"trials"})}


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


def _shown(value: Any) -> str:
    return _NONE if value is None else json.dumps(value)
