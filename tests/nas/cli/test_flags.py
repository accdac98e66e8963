"""Flags: one for every option, and what was given arrives where it belongs."""

import dataclasses
import inspect
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from command_line import wirenas

from nas.cli.flags import drawing_flags, flags, given_options
from nas.errors import options_of
from nas.options.options import CampaignOptions, resolve
from nas.space.families import FAMILIES, Drawing
from nas.space.space import Space
from nas.space.ways import Ways
from nas.tasks.files.options import FileOptions
from nas.training.recipe import Recipe


@flags(CampaignOptions)
def command(file: Path | None = None, *, loud: bool = False, **given: Any) -> None:
    """A command."""


@drawing_flags
def draw(*, out: Path, loud: bool = False, **given: Any) -> None:
    """A command that draws."""


PARAMETERS = inspect.signature(command).parameters
# Renamed because one name of several is given at a time.
FLAG = {
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
SECTIONS = {"files", "space", "ways", "recipe"}


def no_flags() -> dict[str, Any]:
    return dict.fromkeys(PARAMETERS)


def test_every_option_has_a_flag_but_the_direction_that_follows_from_the_task():
    own = [name for name in CampaignOptions.model_fields if name not in {*SECTIONS, "direction"}]
    options = [*own, *FileOptions.model_fields, *options_of(Space), *Ways.model_fields, *Recipe.model_fields]
    expected = {FLAG.get(name, name) for name in options}
    assert set(PARAMETERS) == expected | {"file", "loud"}
    assert len(options) == len(set(options)), "two options share their flag"


def test_own_parameters_stay_and_come_first():
    assert next(iter(PARAMETERS)) == "file"
    assert PARAMETERS["loud"].default is False
    assert all(PARAMETERS[name].default is None for name in set(PARAMETERS) - {"file", "loud"})


def test_every_flag_has_a_help_text_with_its_default():
    for config in (CampaignOptions, FileOptions, Space, Ways, Recipe):
        for name, info in options_of(config).items():
            if config is not CampaignOptions or name not in {*SECTIONS, "direction"}:
                option = PARAMETERS[FLAG.get(name, name)].annotation.__metadata__[0]
                assert info.description
                assert option.help.startswith(info.description)
                if not (info.default in (None, ()) or isinstance(info.default, bool)):
                    assert "Default: " in option.help
    assert PARAMETERS["nodes"].annotation.__metadata__[0].help.endswith("Default: 20:100.")
    assert (
        PARAMETERS["learning_rate"]
        .annotation.__metadata__[0]
        .help.endswith("Default: 0.01. Several with commas, or again.")
    )
    assert PARAMETERS["screened"].annotation.__metadata__[0].help.endswith("Default: yes.")
    assert PARAMETERS["nesterov"].annotation.__metadata__[0].help.endswith("Default: no.")


@pytest.mark.parametrize(
    ("flag", "metavar"),
    [
        ("graphs", "PATH"),
        ("warm_start", "PATH"),
        ("nodes", "LOW:HIGH"),
        ("trials", "NUMBER"),
        ("sampler", "TEXT"),
        ("p", "LOW:HIGH"),
    ],
)
def test_a_flag_says_what_it_takes(flag: str, metavar: str):
    assert PARAMETERS[flag].annotation.__metadata__[0].metavar == metavar


def test_flags_of_the_choice_have_a_panel_of_their_own():
    panels: dict[str, set[str]] = {}
    for name in set(PARAMETERS) - {"file", "loud"}:
        panels.setdefault(PARAMETERS[name].annotation.__metadata__[0].rich_help_panel, set()).add(name)
    assert panels["How a campaign chooses candidates"] == {
        "sampler", "startup", "screened", "share", "repeats", "warm_start", "batch",
    }  # fmt: skip
    assert panels[None] == {
        "task", "network", "budget", "trials", "timeout", "prior", "nodes", "degree", "max_parameters", "epochs",
        "learning_rate", "seed",
    }  # fmt: skip
    assert panels["A task in a file of your own"] == set(FileOptions.model_fields)
    assert len(panels) == 12
    assert max(map(len, panels.values())) <= 12


@pytest.mark.parametrize("name", ["run", "survey"])
def test_the_help_begins_with_what_most_people_give(name: str):
    text = wirenas(name, "--help")[1]
    first = re.findall(r"─ ([^─]+) ─", text)
    assert first[-1] == "Where it runs"
    options = text.split("─ Options ─")[1].split("╰")[0]
    found = re.findall(r"^│ --([a-z-]+)", options, re.MULTILINE)
    amount = ["budget", "trials", "timeout"] if name == "run" else ["wirings", "seeds"]
    assert found[: 2 + len(amount)] == ["task", "network", *amount]
    assert found[-2:] == ["json", "help"]
    assert {"out", "threads", "nodes", "degree", "epochs"} <= set(found)
    assert len(found) <= 17
    assert [panel for panel in first if first.count(panel) > 1] == [], "a panel is torn apart"


def test_names_of_a_family_are_a_list_like_others():
    option = PARAMETERS["initial"].annotation.__metadata__[0]
    assert option.metavar == "TEXT"
    assert option.help.endswith("Several with commas, or again.")
    code, printed, _ = wirenas("run", "--print-toml", "--initial", "star,complete", "--initial", "isolated")
    assert code == 0
    assert tomllib.loads(printed)["space"]["initial"] == ["star", "complete", "isolated"]


def test_flags_arrive_as_nested_options():
    given = no_flags() | {"trials": "40", "prior": ["erdos-renyi"], "nodes": "20:30", "learning_rate": ["0.1", "0.2"]}
    nested = given_options(given | {"nesterov": False, "orientation": []})
    assert nested == {
        "trials": "40",
        "space": {"priors": ["erdos-renyi"], "nodes": "20:30"},
        "recipe": {"learning_rates": ["0.1", "0.2"], "nesterov": False},
    }
    options = resolve(nested)
    assert options.trials == 40
    assert options.space.nodes == (20, 30)
    assert options.recipe.learning_rates == (0.1, 0.2)


def test_nothing_given_is_nothing():
    assert given_options(no_flags()) == {}


@pytest.mark.parametrize("config", [CampaignOptions, Space, Ways, Recipe])
def test_every_flag_reaches_its_option(config: Any):
    section = {CampaignOptions: None, FileOptions: "files", Space: "space", Ways: "ways", Recipe: "recipe"}[config]
    for name in set(options_of(config)) - ({*SECTIONS, "direction"} if section is None else set()):
        nested = given_options(no_flags() | {FLAG.get(name, name): "value"})
        assert nested == ({name: "value"} if section is None else {section: {name: "value"}})


def test_every_field_of_a_drawing_and_argument_of_a_prior_is_a_flag_with_its_default_and_help():
    parameters = dict(inspect.signature(draw).parameters)
    collected = ("arguments", "reading")
    fields = {field.name: field.default for field in dataclasses.fields(Drawing) if field.name not in collected}
    arguments = {argument.option for family in FAMILIES.values() for argument in family.arguments}
    reading = {"graph_format", "directed", "merge"}
    assert {"out", "loud"} | reading == set(parameters) - set(fields) - arguments
    for name in (*fields, *arguments):
        default = fields.get(name)
        assert parameters[name].default == (inspect.Parameter.empty if default is dataclasses.MISSING else default)
        assert parameters[name].annotation.__metadata__[0].help
