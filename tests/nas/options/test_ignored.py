"""Options that would do nothing are refused by new campaigns and surveys, and by no folder that has them already."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import networkx as nx
import pytest
from campaign_cases import edges, run, sequence
from command_line import wirenas
from survey_cases import RECIPE, TASK, make, make_task
from survey_cases import SPACE as SURVEY_SPACE

from nas import survey
from nas.campaign import campaign
from nas.campaign.campaign import Campaign
from nas.errors import InputError, options_of
from nas.networks import NetworkSpec
from nas.options.ignored import Rule, Setting, all_rules, ignored_option
from nas.options.options import (
    OPTIONS_FILE,
    SURVEY,
    CampaignOptions,
    SharedOptions,
    SurveyOptions,
    read_options,
    resolve,
    resolve_survey,
)
from nas.space.draws import Draws
from nas.space.families import own_parameters, searched_families
from nas.space.space import Space
from nas.space.ways import Ways
from nas.tasks.files.options import FileOptions
from nas.training.recipe import Recipe
from priors import GraphPool, Wiring, attach, layer, orient
from tests.helpers.option_cases import OTHER

pytestmark = pytest.mark.usefixtures("no_plot")

GRAPHS = GraphPool([nx.cycle_graph(9), nx.path_graph(8)])
WEIGHTED = GraphPool([Wiring((3,), [(0, 1), (1, 2)], weights=[0.5, -1])])
FINITE = GraphPool([attach(layer(orient(Wiring.from_networkx(nx.path_graph(8)), "index")), 4, 2, "natural")])

ALWAYS = {
    *("task", "network", "budget", "seed", "trials", "timeout", "wirings", "seeds"),
    *("objective", "sampler", "direction"),
    *(f"files.{name}" for name in FileOptions.model_fields),
}
"""Options that are heeded whatever the others are, or refused elsewhere."""


@dataclass(frozen=True)
class Case:
    """An option that does nothing beside some others, and something beside others."""

    name: str
    value: Any
    ignored: Mapping[str, Any]
    heeded: Mapping[str, Any] | None
    why: str
    instead: str = ""
    units: tuple[int, int] = (4, 2)
    heeded_units: tuple[int, int] = (4, 2)
    survey: bool = False
    shared: bool = False

    def __str__(self) -> str:
        return f"{self.name}: {self.why}"


def own(name: str, value: Any, **others: Any) -> Case:
    """An option that an own evaluation ignores."""
    given = {"task": None, **others}
    why = "an own evaluation ignores it"
    return Case(name, value, given, {**given, "task": "digits"}, why, "give a task in place of evaluate")


def of_samplers(name: str, value: Any, *samplers: str, other: str = "tpe") -> list[Case]:
    give = f"give sampler={' or '.join(samplers)}"
    why = f"sampler={other} ignores it"
    return [Case(name, value, {"sampler": other}, {"sampler": sampler}, why, give) for sampler in samplers]


FAMILIES = "own graphs take the place of all families"
CONTROLLED = ("only controlled attachment heeds it", "give space.attachment=controlled")
KEPT = "give one number, which edits then keep"
PATH = "give the path space.graphs"
OF_ONE_FAMILY = {
    name: families[0]
    for name in own_parameters()
    if len(families := [family for family in searched_families() if name in own_parameters([family])]) == 1
    and name != "initial"
}
RANDOM_GRAPHS: dict[str, Any] = {"sampler": "random", "space.graphs": GRAPHS}
CASES = [
    own("activation", "tanh"),
    own("initial_state", "learned", network="rnn"),
    own("engine", "torch"),
    own("device", "meta"),
    own("replicates", 2),
    own("finalists", 2),
    own("finalists", 3, objective="pareto"),
    own("final_seeds", 2),
    own("recipe.optimizer", "sgd"),
    own("recipe.learning_rates", [0.1]),
    own("recipe.schedule", "step"),
    own("recipe.epochs", 2),
    own("recipe.batch_size", 8),
    own("recipe.weight_decay", 0.5),
    own("recipe.momentum", 0.5, **{"recipe.optimizer": "sgd"}),
    own("recipe.nesterov", True, **{"recipe.optimizer": "sgd"}),
    own("recipe.clip", 1.0),
    own("recipe.patience", 3),
    own("recipe.normalise", True),
    replace(own("recipe.radii", [0.8]), heeded=None),
    replace(own("recipe.input_scale", 0.1), heeded=None),
    replace(own("recipe.leak", 0.5), heeded=None),
    *(
        Case(
            name,
            value,
            {"network": "rnn", "cell": "tanh", "recipe.optimizer": "ridge"},
            {"network": "rnn"},
            "recipe.optimizer=ridge ignores it",
            "give recipe.optimizer=adam",
        )
        for name, value in {
            "recipe.learning_rates": [0.1],
            "recipe.schedule": "step",
            "recipe.epochs": 2,
            "recipe.batch_size": 8,
            "recipe.weight_decay": 0.5,
            "recipe.clip": 1.0,
            "recipe.patience": 3,
            "final_epochs": 4,
            "initial_state": "learned",
        }.items()
    ),
    *(
        Case(
            name,
            value,
            {"network": "rnn"},
            {"network": "rnn", "cell": "tanh", "recipe.optimizer": "ridge"},
            "recipe.optimizer=adam ignores it",
            "give recipe.optimizer=ridge",
        )
        for name, value in {"recipe.radii": [0.8], "recipe.input_scale": 0.1, "recipe.leak": 0.5}.items()
    ),
    Case("activation", "tanh", {"network": "rnn"}, {"network": "mlp"}, "network=rnn ignores it", "give cell"),
    Case("cell", "lstm", {"network": "mlp"}, {"network": "rnn"}, "network=mlp ignores it", "give activation"),
    Case(
        "initial_state", "learned", {"network": "mlp"}, {"network": "rnn"}, "network=mlp ignores it", "give network=rnn"
    ),
    Case("recipe.normalise", True, {"network": "rnn"}, {}, "network=rnn ignores it", "give network=mlp"),
    *(
        Case(
            "recipe.momentum",
            0.5,
            {"recipe.optimizer": optimizer},
            {"recipe.optimizer": "sgd"},
            f"recipe.optimizer={optimizer} ignores it",
            "give recipe.optimizer=sgd",
        )
        for optimizer in ("adam", "adamw")
    ),
    Case(
        "early_stopping",
        "median",
        {"recipe.epochs": 1},
        {"recipe.epochs": 2},
        "recipe.epochs=1 leaves no trial to be stopped before its end",
        "give more epochs",
    ),
    Case(
        "space.orientation",
        ["degree"],
        {"network": "rnn"},
        {"network": "rnn", "space.structure": "stack"},
        "space.structure=recurrent takes graphs as they are and ignores it",
        "give space.structure=stack",
    ),
    *(
        Case(
            f"space.{name}",
            value,
            {"space.attachment": attachment} if name != "attachment" else {},
            {"space.attachment": attachment} if name != "attachment" else {},
            "wirings without input units ignore it",
            "give n_inputs",
            units=(0, 0),
        )
        for name, value, attachment in (
            ("attachment", ["natural"], None),
            ("reads", 3, ["controlled"]),
            ("readouts", 3, ["controlled"]),
            ("width", 3, ["projected"]),
        )
    ),
    Case("space.readouts", 3, {}, {}, "wirings without output units ignore it", "give n_outputs", units=(4, 0)),
    Case(
        "space.reads",
        3,
        {"space.attachment": ["natural"]},
        {"space.attachment": ["natural", "controlled"]},
        *CONTROLLED,
    ),
    Case("space.readouts", 3, {"space.attachment": ["projected"]}, {}, *CONTROLLED),
    Case(
        "space.width",
        3,
        {"space.attachment": ["published"]},
        {"space.attachment": ["published", "projected"]},
        "only projected attachment heeds it",
        "give space.attachment=projected",
    ),
    *(
        Case(f"space.{name}", value, {"space.graphs": GRAPHS}, {}, FAMILIES, "give it without space.graphs")
        for name, value in (("priors", ["erdos-renyi"]), ("p", [0.1, 0.2]), ("initial", ["star"]))
    ),
    *(
        Case(
            f"space.{name}",
            OTHER[f"space.{name}"],
            {"space.graphs": GRAPHS},
            {"space.priors": [family]},
            FAMILIES,
            "give it without space.graphs",
        )
        for name, family in OF_ONE_FAMILY.items()
    ),
    *(
        Case(f"space.{name}", value, given, {}, f"{FAMILIES}, and nothing edits them", "give it without space.graphs")
        for name, value in (("nodes", [6, 7]), ("degree", [6.0, 7.0]))
        for given in (RANDOM_GRAPHS, {"space.graphs": FINITE}, {"space.graphs": GRAPHS, "space.edits": 0})
    ),
    *(
        Case(
            f"space.{name}",
            value,
            RANDOM_GRAPHS,
            {"space.graphs": GRAPHS, "space.edits": 16},
            f"{FAMILIES}, and nothing edits them",
            "give it without space.graphs",
        )
        for name, value in (("nodes", [8, 8]), ("degree", [2.0, 2.0]))
    ),
    Case("space.nodes", [6, 7], {"space.graphs": GRAPHS, "space.edits": 16}, {}, FAMILIES, KEPT),
    Case("space.degree", [6.0, 7.0], {"space.graphs": GRAPHS, "space.edits": 16}, {}, FAMILIES, KEPT),
    Case(
        "space.p",
        [0.1, 0.2],
        {"space.priors": ["erdos-renyi", "barabasi-albert"]},
        {"space.priors": ["erdos-renyi", "watts-strogatz"]},
        "only watts-strogatz and newman-watts and ws-flex heed it",
        "give space.priors=watts-strogatz or newman-watts or ws-flex",
    ),
    *(
        Case(
            f"space.{name}",
            OTHER[f"space.{name}"],
            {"space.priors": ["erdos-renyi"]},
            {"space.priors": [family]},
            f"only {family} heeds it",
            f"give space.priors={family}",
        )
        for name, family in OF_ONE_FAMILY.items()
    ),
    Case(
        "space.draw",
        ["bootstrap"],
        {"space.priors": ["erdos-renyi"]},
        {"space.priors": ["connectome"], "space.graphs": GRAPHS, "space.nodes": [5, 9]},
        "only connectome heeds it",
        "give space.priors=connectome",
    ),
    Case(
        "space.initial",
        ["star"],
        {"space.priors": ["erdos-renyi", "watts-strogatz"]},
        {"space.priors": ["barabasi-albert"]},
        "only barabasi-albert heeds it",
        "give space.priors=barabasi-albert",
    ),
    *(
        Case(f"space.graphs_{name}", value, {"space.graphs": GRAPHS}, None, "no files of graphs are read", PATH)
        for name, value in (("format", "matrix"), ("directed", True), ("merge", "max"))
    ),
    Case(
        "space.graphs_weights",
        "initial",
        {"space.graphs": GRAPHS},
        {"space.graphs": WEIGHTED},
        "no graph of one's own has weights",
        "give space.graphs that have",
    ),
    Case(
        "space.graphs_weights",
        "initial",
        {"space.graphs": FINITE},
        {"space.graphs": WEIGHTED},
        "graphs are taken as they are, with their weights",
    ),
    Case("space.edits", 3, {}, None, "a survey edits no graphs", survey=True),
    *of_samplers("space.edits", 3, "structural", "genetic", other="nsga2"),
    Case(
        "space.edits",
        3,
        {"space.graphs": FINITE},
        {"space.graphs": GRAPHS},
        "graphs that have input units are taken as they are",
        "give space.graphs without them",
    ),
    Case(
        "startup",
        3,
        {"warm_start": "other"},
        {},
        "warm_start takes the place of the first trials",
        "give it without warm_start",
    ),
    *of_samplers("startup", 3, "structural", "genetic"),
    *of_samplers("screened", False, "genetic", other="structural"),
    *of_samplers("screened", False, "genetic"),
    *of_samplers("share", 0.5, "structural", other="genetic"),
    *of_samplers("repeats", 2, "structural", other="random"),
    *of_samplers("warm_start", "other", "structural"),
    Case(
        "batch",
        3,
        {},
        {},
        "processes that share a study ask for one trial at a time",
        "give it without storage",
        shared=True,
    ),
    Case(
        "batch",
        3,
        {"sampler": "random"},
        {"sampler": "random", "early_stopping": "median"},
        "sampler=random learns nothing from trials and ignores it",
        "give another sampler",
    ),
    *(
        Case(name, OTHER[name], {}, {"budget": "12KiB"}, "without a budget random graphs are searched",
             "give budget, such as 3000")
        for name in OTHER
        if name.startswith("ways.") or name == "precision"
    ),
    *(
        Case(name, OTHER[name], {"budget": "3000", "network": "rnn"}, None,
             "with budget=3000 the ways to a structure are searched", "give it without budget")
        for name in OTHER
        if name.startswith("space.")
    ),
    Case("precision", 8, {"budget": "50kMAC"}, {"budget": "2kB"}, "budget=50kMAC counts no bytes",
         "give a budget such as 12KiB"),
    own("final_epochs", 7),
]  # fmt: skip


def nested(dotted: Mapping[str, Any]) -> dict[str, Any]:
    options: dict[str, Any] = {}
    for name, value in dotted.items():
        section, _, key = name.rpartition(".")
        (options.setdefault(section, {}) if section else options)[key] = value
    return options


def setting(case: Case, given: Mapping[str, Any], units: tuple[int, int], *, shared: bool) -> Setting:
    resolved: SharedOptions = (resolve_survey if case.survey else resolve)(nested({**given, case.name: case.value}))
    task = None if resolved.task is None else TASK
    return Setting(resolved, resolved.resolved_space, task, units, shared)


def ignoring(case: Case) -> Setting:
    return setting(case, case.ignored, case.units, shared=case.shared)


def rules_of(case: Case) -> list[Rule]:
    """The rules by which a case's option is ignored."""
    found = ignoring(case)
    return [rule for rule in all_rules() if case.name in rule.names and not rule.is_heeded(found)]


def fields() -> set[str]:
    sections = {"files": FileOptions, "space": Space, "ways": Ways, "recipe": Recipe}
    inner = {f"{section}.{name}" for section, config in sections.items() for name in options_of(config)}
    return inner | (set(CampaignOptions.model_fields) | set(SurveyOptions.model_fields)) - set(sections)


def test_every_option_is_in_the_table_or_always_heeded():
    named = {name for rule in all_rules() for name in rule.names}
    assert named | ALWAYS == fields()
    assert not named & ALWAYS


def test_every_entry_of_the_table_is_tried_here():
    tried = {(rule.why, case.name) for case in CASES for rule in rules_of(case)[:1]}
    assert tried == {(rule.why, name) for rule in all_rules() for name in rule.names}


@pytest.mark.parametrize("case", CASES, ids=str)
def test_what_would_do_nothing_is_told_in_one_line(case: Case):
    told = ignored_option(ignoring(case))
    instead = f", or {case.instead}" if case.instead else ""
    value = case.value
    if isinstance(value, list | tuple) and len(value) == 2 and value[0] == value[1]:
        value = value[0]
    assert told == f"{case.name}={json.dumps(value)}: {case.why}; leave it out{instead}"


@pytest.mark.parametrize("case", [case for case in CASES if case.heeded is not None], ids=str)
def test_what_does_something_is_not_refused(case: Case):
    assert case.heeded is not None
    assert ignored_option(setting(case, case.heeded, case.heeded_units, shared=False)) is None


def test_a_default_that_is_given_is_none_to_refuse():
    defaults = CampaignOptions().model_dump(exclude={"space": {"structure"}})
    for given in (
        {"sampler": "random"},
        {"sampler": "genetic"},
        {"network": "rnn"},
        {"task": None, "objective": "pareto"},
    ):
        finalists = {"finalists": 8} if given.get("objective") else {}
        options = resolve({**defaults, **given, **finalists})
        task = None if options.task is None else TASK
        assert ignored_option(Setting(options, options.resolved_space, task, (0, 0), is_shared=True)) is None


def test_what_the_sampler_does_anyway_is_none_to_refuse():
    same = {"share": None, "repeats": 1, "space": {"edits": 0}}
    for sampler in ("random", "tpe", "nsga2"):
        options = resolve({"sampler": sampler, **same})
        assert ignored_option(Setting(options, options.resolved_space, TASK, (4, 2))) is None


@pytest.mark.parametrize("momentum", [0.9, 0.5, "0.5"])
def test_what_a_task_has_for_a_recipe_is_none_to_refuse(tmp_path: Path, momentum: Any):
    task = make_task()
    object.__setattr__(task, "recipe", {"momentum": 0.5})
    given = {"task": task, "space": SURVEY_SPACE, "recipe": {**RECIPE, "momentum": momentum}, "wirings": 1}
    assert make(tmp_path / "given", **given).run().wirings == 1
    given["recipe"] = RECIPE
    assert make(tmp_path / "not given", **given).run().wirings == 1
    given["recipe"] = {**RECIPE, "momentum": 0.25}
    with pytest.raises(
        InputError, match=r"^recipe\.momentum=0\.25: recipe\.optimizer=adam ignores it; leave it out, or"
    ):
        make(tmp_path / "other", **given).run()


def draws(case: Case, given: Mapping[str, Any], units: tuple[int, int]) -> list[str]:
    """Fingerprints of what a survey would draw."""
    options = resolve_survey(nested(given))
    drawing = Draws(options.resolved_space, 3, NetworkSpec(options.network), *units)
    return [drawing.draw(number).wiring.fingerprint for number in range(12)]


OF_SPACES = [case for case in CASES if case.name.startswith("space.")]
OF_SEARCHES = {"sampler", "space.edits", "budget"}


@pytest.mark.parametrize(
    "case", [case for case in OF_SPACES if OF_SEARCHES.isdisjoint({case.name, *case.ignored})], ids=str
)
def test_the_table_says_of_the_space_what_is_true(case: Case):
    """What is ignored changes no wiring that is drawn, and what is heeded does."""
    with_it = {case.name: case.value}
    assert draws(case, case.ignored, case.units) == draws(case, {**case.ignored, **with_it}, case.units)
    if case.heeded is not None and "space.graphs" not in case.heeded:
        units = case.heeded_units
        assert draws(case, case.heeded, units) != draws(case, {**case.heeded, **with_it}, units)


# What commands and classes do with it


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (
            {"startup": 3, "sampler": "tpe"},
            "startup=3: sampler=tpe ignores it; leave it out, or give sampler=structural or",
        ),
        ({"recipe": {"epochs": 3}}, "recipe.epochs=3: an own evaluation ignores it; leave it out, or give a task in"),
        ({"space": {"width": 3}, "n_inputs": 4}, "space.width=3: only projected attachment heeds it; leave it out, or"),
        (
            {"space": {"reads": 3}},
            "space.reads=3: wirings without input units ignore it; leave it out, or give n_inputs",
        ),
    ],
)
def test_a_campaign_is_not_begun(tmp_path: Path, given: dict[str, Any], message: str):
    with pytest.raises(InputError) as caught:
        Campaign(tmp_path / "out", evaluate=edges, **given).run()
    assert str(caught.value).startswith(message)
    assert "\n" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("space", [{"edits": 3}, {"width": 3}])
def test_a_survey_is_not_begun(tmp_path: Path, space: dict[str, Any]):
    (name,) = space
    with pytest.raises(InputError, match=rf"^space\.{name}=3: .*; leave it out") as caught:
        make(tmp_path / "out", space={**SURVEY_SPACE, **space}).run()
    assert "\n" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            "run --no-screened",
            "--no-screened: --sampler structural ignores it; leave it out, or give --sampler genetic",
        ),
        ("run --cell lstm", "--cell lstm: --network mlp ignores it; leave it out, or give --activation"),
        ("run --task reber --network rnn --activation tanh", "--activation tanh: --network rnn ignores it"),
        (
            "run --task reber --network rnn --orientation index",
            "--orientation index: --structure recurrent",
        ),
        ("run --momentum 0.5", "--momentum 0.5: --optimizer adam ignores it"),
        ("run --width 8 width.toml", "--width 8: only projected attachment heeds it"),
        ("run width.toml", "space.width=9: only projected attachment heeds it"),
        ("survey --width 8", "--width 8: only projected attachment heeds it"),
        ("survey --optimizer adamw --momentum 0.5", "--momentum 0.5: --optimizer adamw ignores it"),
        ("survey --prior erdos-renyi --p 0.5", "--p 0.5: only watts-strogatz and newman-watts and ws-flex heed it"),
    ],
)
def test_a_command_says_it_in_one_line_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: str, message: str
):
    monkeypatch.chdir(tmp_path)
    Path("width.toml").write_text("[space]\nwidth = 9\n", encoding="utf-8")
    code, text, err = wirenas(*arguments.split(), "--out", "new", "--json")
    assert (code, text, err.count("\n")) == (2, "", 1)
    assert err.startswith(f"wirenas: {message}")
    assert [path.name for path in tmp_path.iterdir()] == ["width.toml"]


@pytest.fixture
def unaware() -> Iterator[pytest.MonkeyPatch]:
    """Campaigns and surveys are those of a version that refused nothing, until this is undone."""
    with pytest.MonkeyPatch.context() as patch:
        for module in (campaign, survey):
            patch.setattr(module, "ignored_option", lambda _: None)
        yield patch


IGNORED: dict[str, Any] = {
    "space": {"nodes": (8, 20), "degree": (2, 6), "width": 8, "reads": 3},
    "recipe": {"momentum": 0.5},
    "sampler": "tpe",
    "startup": 3,
    "cell": "lstm",
}


def test_a_campaign_that_was_begun_all_the_same_goes_on(tmp_path: Path, unaware: pytest.MonkeyPatch):
    run(tmp_path / "whole", trials=6, **IGNORED)
    first = run(tmp_path / "out", trials=3, **IGNORED)
    unaware.undo()
    with pytest.raises(InputError, match="leave it out"):
        run(tmp_path / "new", trials=3, **IGNORED)
    assert run(tmp_path / "out", trials=3, **IGNORED) == first
    assert run(tmp_path / "out", trials=6, **IGNORED).complete == 6
    assert sequence(tmp_path / "out") == sequence(tmp_path / "whole")
    with pytest.raises(InputError, match=r"^startup=4: the campaign in .* was started with 3"):
        run(tmp_path / "out", trials=6, **{**IGNORED, "startup": 4})


def test_a_survey_that_was_begun_all_the_same_goes_on(tmp_path: Path, unaware: pytest.MonkeyPatch):
    given = {"space": {**SURVEY_SPACE, "width": 8, "edits": 3}, "recipe": {**RECIPE, "momentum": 0.5}}
    make(tmp_path / "out", wirings=2, **given).run()
    unaware.undo()
    assert make(tmp_path / "out", wirings=3, **given).run().wirings == 3
    assert read_options(tmp_path / "out" / SURVEY.file)["space"]["width"] == 8


@pytest.mark.parametrize("again", ["", "--width 8 --momentum 0.5"])
def test_commands_go_on_in_such_folders(tmp_path: Path, unaware: pytest.MonkeyPatch, again: str):
    tiny = "--task digits --nodes 8:16 --degree 2:4 --epochs 1 --learning-rate 0.01"
    finals, ignored = "--finalists 1 --final-seeds 1", "--width 8 --momentum 0.5"
    out = tmp_path / "out"
    assert wirenas("run", "--trials", 2, *f"{tiny} {finals} {ignored}".split(), "--out", out, "--json")[0] == 0
    unaware.undo()
    for trials in (2, 3):
        code, text, err = wirenas("run", "--trials", trials, *again.split(), "--out", out, "--json")
        assert code == 0, err
        assert json.loads(text)["complete"] == trials
    assert read_options(out / OPTIONS_FILE)["space"]["width"] == 8
