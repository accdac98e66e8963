"""Fixtures that several test folders of nas share."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from nas.campaign import campaign as campaign_module
from nas.evaluation import threads as threads_module
from nas.report import output as output_module

if TYPE_CHECKING:
    from image_cases import OpenML
    from postgres import Postgres

    from nas.studies.steering.replay import Pool


@pytest.fixture
def openml(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> "OpenML":
    """A stand-in for OpenML; the user's folders and the network are out of reach."""
    from image_cases import OpenML

    monkeypatch.delenv("WIRENAS_DATA", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    fake = OpenML()
    monkeypatch.setattr("sklearn.datasets.fetch_openml", fake)
    return fake


@pytest.fixture(scope="session", autouse=True)
def quiet_optuna() -> None:
    """Optuna reports no trials."""
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)


@pytest.fixture(scope="session", autouse=True)
def schema_read_once() -> Iterator[None]:
    """Optuna executes the history of its tables once, and not whenever a study is made or opened."""
    from optuna.storages._rdb.storage import _VersionManager

    script = _VersionManager._create_alembic_script
    found: list[Any] = []

    def read_once(self: _VersionManager) -> Any:
        if not found:
            found.append(script(self))
        return found[0]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_VersionManager, "_create_alembic_script", read_once)
        yield


@pytest.fixture(scope="session", autouse=True)
def commands_built_once() -> Iterator[None]:
    """Commands are made of their functions once, and not whenever the command line is called in this process."""
    from typer import main

    build = main.get_command
    built: dict[Any, Any] = {}

    def built_once(app: Any) -> Any:
        if app not in built:
            built[app] = build(app)
        return built[app]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(main, "get_command", built_once)
        yield


_PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108000000003a7e9b550000000a49444154789c63f80f0001010100b138f6"
    "140000000049454e44ae426082"
)


@pytest.fixture(scope="session")
def in_haste(request: pytest.FixtureRequest) -> bool:
    """Whether slow tests are left out, as by `make test`; those have everything as users have it."""
    return "not slow" in request.config.getoption("markexpr")


@pytest.fixture(scope="module", autouse=True)
def undrawn_figures(in_haste: bool) -> Iterator[pytest.MonkeyPatch]:
    """Figures are made, and files written for them, but not drawn, which takes longer than a tiny campaign.

    Tests of figures are drawn by `drawn_figures`.
    """
    from matplotlib.figure import Figure

    with pytest.MonkeyPatch.context() as patch:
        if in_haste:
            patch.setattr(Figure, "savefig", lambda _, file, **__: Path(file).write_bytes(_PNG))
        yield patch


@pytest.fixture(scope="module")
def drawn_figures(undrawn_figures: pytest.MonkeyPatch) -> Iterator[None]:
    """Figures are drawn after all."""
    from matplotlib.figure import Figure

    undrawn = Figure.savefig
    undrawn_figures.undo()
    yield
    undrawn_figures.setattr(Figure, "savefig", undrawn)


@pytest.fixture(scope="module", autouse=True)
def few_candidates(in_haste: bool) -> Iterator[None]:
    """Searches consider few candidates, and know a space by few draws; those whose success counts, `all_candidates`."""
    from nas.samplers import candidates, plan, structural

    with pytest.MonkeyPatch.context() as patch:
        if in_haste:
            patch.setattr(candidates, "_POPULATION", 48)
            patch.setattr(structural, "FIRST_PLAN", plan.Plan(pool=16, refit=4))
            patch.setattr(plan, "_POOLS", (64, 32, 16))
        yield


@pytest.fixture(scope="module", autouse=True)
def few_trees(request: pytest.FixtureRequest, in_haste: bool) -> None:
    """Predictors have few trees."""
    if in_haste:
        request.getfixturevalue("small_forests")


@pytest.fixture
def all_candidates(monkeypatch: pytest.MonkeyPatch, few_candidates: None) -> None:
    """Searches consider as many candidates as they do for users."""
    from nas.samplers import candidates, plan, structural

    monkeypatch.setattr(candidates, "_POPULATION", 256)
    monkeypatch.setattr(structural, "FIRST_PLAN", plan.FIRST_PLAN)
    monkeypatch.setattr(plan, "_POOLS", (256, 128, 64))


@pytest.fixture
def no_plot(monkeypatch: pytest.MonkeyPatch) -> None:
    """No progress is drawn; it takes longer than all the rest of a tiny campaign."""
    monkeypatch.setattr(output_module, "plot_progress", lambda *_: None)


@pytest.fixture(scope="module")
def bare_campaigns() -> Iterator[None]:
    """Campaigns neither plot their progress nor fit a predictor, which take longer than all the rest of tiny ones."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(output_module, "plot_progress", lambda *_: None)
        patch.setattr(campaign_module, "fit_into", lambda *_, **__: None)
        yield


@pytest.fixture
def impatient_survey(monkeypatch: pytest.MonkeyPatch) -> None:
    """Surveys look up often."""
    monkeypatch.setattr(threads_module, "_YIELD_EVERY_S", 0.005)


@pytest.fixture(scope="session")
def calm_survey(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An undisturbed survey of 6 wirings with one thread."""
    from survey_cases import make

    out = tmp_path_factory.mktemp("calm") / "survey"
    make(out).run()
    return out


@pytest.fixture(scope="module")
def survey(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    """A tiny survey: its folder, and its JSON."""
    from command_line import TINY, WIRINGS, wirenas

    out = tmp_path_factory.mktemp("survey") / "a ü[bold]%20"
    code, text, err = wirenas("survey", *TINY.split(), "--seeds", 2, "--wirings", WIRINGS, "--out", out, "--json")
    assert code == 0, err
    return out, json.loads(text)


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A table of graphs without directions, which networkx wrote beside it."""
    from command_line import ROWS, rows_of, write_graphs, write_table

    folder = tmp_path_factory.mktemp("table")
    write_graphs(folder / "graphs", ROWS)
    return write_table(folder / "trained.csv", rows_of(ROWS))


@pytest.fixture(scope="module")
def fitted(table: Path) -> tuple[Path, dict[str, Any]]:
    """A predictor of the table's graphs, oriented by index: its folder, and what `wirenas fit` printed."""
    from command_line import wirenas

    out = table.parent / "predictor"
    code, text, err = wirenas("fit", table, "--orientation", "index", "--bounds", "0:1", "--out", out, "--json")
    assert (code, err) == (0, "")
    return out, json.loads(text)


@pytest.fixture(scope="module")
def pool() -> "Pool":
    """A pool of trained wirings, whose values are made up."""
    from steering_cases import make_pool

    return make_pool()


@pytest.fixture(scope="module")
def atlas(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of surveys that pools are read from."""
    from steering_cases import write_atlas

    return write_atlas(tmp_path_factory.mktemp("atlas"))


@pytest.fixture
def graph(tmp_path: Path) -> Path:
    """A graph without directions, of a size that was trained."""
    import networkx as nx
    from command_line import graph_of

    path = tmp_path / "a [red] graph.graphml"
    nx.write_graphml(graph_of(103), path)
    return path


@pytest.fixture(scope="session")
def postgres() -> "Iterator[Postgres]":
    """A PostgreSQL server for these tests alone, or a skip with the reason why there is none."""
    from postgres import Postgres

    server = Postgres()
    yield server
    server.remove()
