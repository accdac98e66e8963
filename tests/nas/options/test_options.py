"""CampaignOptions: files, resuming, and what may change."""

from pathlib import Path
from typing import Any

import pytest

from nas.errors import InputError, options_of
from nas.options.options import (
    OPTIONS_FILE,
    CampaignOptions,
    changed_options,
    read_options,
    refuse_changes,
    resolve,
    resume_options,
    with_defaults,
    write_options,
)
from nas.space.space import Space
from nas.space.ways import Ways
from nas.tasks import TASKS
from nas.tasks.files.options import FileOptions
from nas.training.recipe import Recipe
from tests.helpers.option_cases import OTHER


def nested(dotted: dict[str, Any]) -> dict[str, Any]:
    options: dict[str, Any] = {}
    for name, value in dotted.items():
        section, _, key = name.rpartition(".")
        (options.setdefault(section, {}) if section else options)[key] = value
    return options


def option_names() -> set[str]:
    sections = {"files": FileOptions, "space": Space, "ways": Ways, "recipe": Recipe}
    nested_names = {f"{section}.{key}" for section, config in sections.items() for key in options_of(config)}
    return nested_names | set(CampaignOptions.model_fields) - set(sections)


def changed(name: str) -> dict[str, Any]:
    """The default options with one of them changed."""
    along, options = given_along(name), nested({name: OTHER[name]})
    return {**along, **options, **{key: {**along[key], **options[key]} for key in set(along) & set(options)}}


def given_along(name: str) -> dict[str, Any]:
    """What an option needs beside itself."""
    if name == "recipe.nesterov":
        return {"recipe": {"optimizer": "sgd"}}
    return {"budget": "3000"} if name.startswith("ways.") or name == "precision" else {}


def test_every_option_is_tried_here():
    assert set(OTHER) == option_names() - {"trials", "timeout"}


@pytest.mark.parametrize("name", sorted(OTHER))
def test_options_survive_a_file(tmp_path: Path, name: str):
    options = resolve(changed(name))
    assert options != resolve({})
    write_options(options, tmp_path / "campaign.toml")
    assert resolve(read_options(tmp_path / "campaign.toml")) == options
    assert [path.name for path in tmp_path.iterdir()] == ["campaign.toml"]


def test_an_end_by_time_survives_a_file(tmp_path: Path):
    options = resolve({"timeout": "90 min"})
    assert (options.timeout, options.trials, options.seconds) == ("90m", None, 5400)
    write_options(options, tmp_path / "campaign.toml")
    assert resolve(read_options(tmp_path / "campaign.toml")) == options
    # One end takes the place of the other, and both may be given.
    for given, ends in (({"trials": 5}, (5, None)), ({"timeout": 30}, (None, "30s")), ({}, (None, "90m"))):
        resumed = resolve(resume_options(tmp_path, given))
        assert (resumed.trials, resumed.timeout) == ends
    both = resolve(resume_options(tmp_path, {"trials": 5, "timeout": "2h"}))
    assert (both.trials, both.timeout) == (5, "2h")


def test_what_is_none_survives_a_file(tmp_path: Path):
    options = resolve({"task": None, "recipe": {"clip": None, "learning_rates": 0.1 + 0.2}})
    write_options(options, tmp_path / "campaign.toml")
    stored = read_options(tmp_path / "campaign.toml")
    assert stored["task"] == stored["recipe"]["clip"] == "none"
    assert resolve(stored) == options


READING = ["space.graphs_format", "space.graphs_directed", "space.graphs_merge"]


@pytest.mark.parametrize("name", READING)
def test_how_graphs_are_read_may_change(tmp_path: Path, name: str):
    write_options(resolve({}), tmp_path / OPTIONS_FILE)
    section, option = name.split(".")
    assert resume_options(tmp_path, changed(name))[section][option] == OTHER[name]


@pytest.mark.parametrize("name", sorted(set(OTHER) - set(READING)))
def test_a_campaign_refuses_every_other_option_by_its_name(tmp_path: Path, name: str):
    start = resolve(given_along(name))
    write_options(start, tmp_path / OPTIONS_FILE)
    for given in (changed(name), {**changed(name), "trials": 7}):
        with pytest.raises(InputError) as caught:
            resume_options(tmp_path, given)
        assert str(caught.value).startswith(f"{name}=")
        assert "only trials and timeout may change" in str(caught.value)
        assert "\n" not in str(caught.value)
    with pytest.raises(InputError) as caught:
        refuse_changes(tmp_path, start.model_dump(mode="json"), resolve(changed(name)).model_dump(mode="json"))
    assert str(caught.value).startswith(f"{name}=")


@pytest.mark.parametrize("name", sorted(OTHER))
def test_a_campaign_keeps_what_is_not_given(tmp_path: Path, name: str):
    options = resolve({**changed(name), "trials": 30})
    write_options(options, tmp_path / OPTIONS_FILE)
    assert resolve(resume_options(tmp_path, {})) == options
    assert resolve(resume_options(tmp_path, {"seed": options.seed, "trials": "60"})) == options.model_copy(
        update={"trials": 60}
    )
    assert resolve(resume_options(tmp_path, changed(name))) == options


def test_trials_may_change_and_nothing_else_is_said_about_them(tmp_path: Path):
    refuse_changes(tmp_path, {"trials": 3, "seed": 0}, {"trials": 4, "seed": 0})


def test_a_new_folder_takes_what_is_given(tmp_path: Path):
    assert resume_options(tmp_path / "new", {"seed": 3}) == {"seed": 3}


def test_changes_are_told_by_dotted_name():
    old = {"a": 1, "b": {"c": 2, "d": {"e": 3}}, "gone": 4}
    new = {"a": 1, "b": {"c": 5, "d": {"e": 6}}, "new": 7}
    assert changed_options(old, new) == [
        ("b.c", 2, 5),
        ("b.d.e", 3, 6),
        ("gone", 4, None),
        ("new", None, 7),
    ]


@pytest.mark.parametrize(
    ("options", "place", "nearest"),
    [
        ({"trails": 3}, "trails", "trials"),
        ({"space": {"node": 3}}, "space.node", "nodes"),
        ({"recipe": {"epoch": 3}}, "recipe.epoch", "epochs"),
    ],
)
def test_an_unknown_key_names_the_nearest_known_one(options: dict[str, Any], place: str, nearest: str):
    with pytest.raises(InputError, match=f"^{place} is not a known key \\(nearest: {nearest}\\); known: "):
        resolve(options)


@pytest.mark.parametrize(
    "options",
    [
        {"trials": 0},
        {"trials": -1},
        {"trials": "many"},
        {"seed": -1},
        {"seed": 2**63},
        {"batch": 0},
        {"network": "cnn"},
        {"space": 3},
        {"space": {"max_parameters": 0}},
        {"recipe": {"learning_rates": []}},
        {"recipe": {"learning_rates": [float("nan")]}},
    ],
)
def test_a_wrong_value_is_one_line_that_names_the_option(options: dict[str, Any]):
    with pytest.raises(InputError) as caught:
        resolve(options)
    (name, value) = next(iter(options.items()))
    inner = next(iter(value)) if isinstance(value, dict) else ""
    assert str(caught.value).startswith(f"{name}.{inner}" if inner else name)
    assert "\n" not in str(caught.value)


def test_values_that_do_not_go_together_are_one_readable_line():
    with pytest.raises(InputError) as caught:
        resolve({"recipe": {"nesterov": True}})
    assert str(caught.value).startswith("recipe: nesterov with optimizer=adam, ")
    assert "\n" not in str(caught.value)


def test_the_structure_follows_from_the_network():
    assert resolve({}).resolved_space.structure == "dag"
    assert resolve({"network": "rnn"}).resolved_space.structure == "recurrent"
    assert resolve({"network": "rnn", "space": {"structure": "stack"}}).resolved_space.structure == "stack"
    for network, structure in (("mlp", "stack"), ("mlp", "recurrent"), ("rnn", "dag")):
        with pytest.raises(InputError, match=rf"^space\.structure={structure} does not fit network={network}; valid: "):
            _ = resolve({"network": network, "space": {"structure": structure}}).resolved_space


@pytest.mark.parametrize("text", ["trials = ", "trials = 3\ntrials = 4\n", "[space\n", "\x00"])
def test_a_file_that_is_not_toml_is_one_line(tmp_path: Path, text: str):
    path = tmp_path / "campaign.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match="not a TOML file") as caught:
        read_options(path)
    assert "\n" not in str(caught.value)


def test_a_file_that_cannot_be_read_is_one_line(tmp_path: Path):
    for path in (tmp_path / "missing.toml", tmp_path):
        with pytest.raises(InputError, match="give the path of a campaign file"):
            read_options(path)
    (tmp_path / "latin.toml").write_bytes(b'task = "\xe9"')
    with pytest.raises(InputError, match="not a TOML file"):
        read_options(tmp_path / "latin.toml")


def test_options_of_an_older_version_are_completed_by_defaults() -> None:
    stored = CampaignOptions(seed=3).model_dump(mode="json", exclude={"trials"}) | {"data": "abc"}
    older = {name: value for name, value in stored.items() if name not in ("device", "batch")}
    older["recipe"] = {name: value for name, value in stored["recipe"].items() if name != "clip"}
    assert with_defaults(older) == stored


def test_the_help_of_task_names_them_all():
    assert {name for name in TASKS if name not in (CampaignOptions.model_fields["task"].description or "")} == set()
