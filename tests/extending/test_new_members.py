"""What somebody adds works everywhere: priors, tasks, activations, regressors, samplers, formats, each by one line."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import optuna
import pytest
import torch
from prior_contract import check_family
from toy_format import ARROWS
from toy_prior import CHORDS
from toy_regressor import MEDIAN
from toy_task import rings

from nas import Campaign, Survey, load
from nas.cli.flags import drawing_of
from nas.networks.activations import ACTIVATIONS, Activation
from nas.samplers.blind import BLIND
from nas.samplers.proposer import Proposer
from nas.space.families import FAMILIES, searched_families
from nas.space.generation import draw_wiring
from nas.space.space import Space
from nas.tasks import TASKS
from nas.training.extension import has_native
from predictors.regressors import REGRESSORS, fit_blend
from priors import WattsStrogatz, read_wiring, write_wiring
from priors.formats.files import TABLE

HERE, ROOT = Path(__file__).parent, Path(__file__).resolve().parents[2]
TINY = {"nodes": (8, 12), "degree": (2, 4)}
RECIPE = {"epochs": 1, "batch_size": 128, "learning_rates": (0.01,)}
ENDS = {"finalists": 1, "final_seeds": 1, "recipe": RECIPE}


@pytest.fixture
def chords(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(FAMILIES, "chords", CHORDS)


@pytest.mark.parametrize("name", searched_families())
def test_families_keep_the_contract(name: str):
    check_family(name)


@pytest.mark.usefixtures("chords")
def test_a_new_family_keeps_the_contract():
    check_family("chords")


@pytest.mark.usefixtures("chords")
def test_a_new_family_is_searched_surveyed_and_generated(tmp_path: Path):
    space = {"priors": "chords", "q": (0.5, 2.0), **TINY}
    Campaign(tmp_path / "campaign", task="digits", trials=12, startup=4, space=space, threads=1, **ENDS).run()
    trials = load(tmp_path / "campaign").to_frame()
    assert trials["param_q"].between(0.5, 2.0).all()
    assert trials["param_q"].nunique() > 3
    assert "param_q" in (tmp_path / "campaign" / "trials.csv").read_text(encoding="utf-8").splitlines()[0]
    Survey(tmp_path / "survey", task="digits", wirings=5, space=space, recipe=RECIPE, threads=1).run()
    table = load(tmp_path / "survey")
    assert table.to_frame()["param_q"].between(0.5, 2.0).all()
    assert table.wiring(4).n_hidden == table.parameters(4)["n"]
    given = {"prior": "chords", "inputs": 4, "nodes": 9, "chords": 3, "q": 1.0}
    assert draw_wiring(drawing_of(given), "mlp", 2, "natural").n_hidden == 9


def test_a_new_family_has_flags(tmp_path: Path):
    script = """
import sys
from toy_prior import CHORDS
from nas.space.families import FAMILIES
FAMILIES["chords"] = CHORDS
from nas.cli.app import main
for arguments in sys.argv.pop().splitlines():
    sys.argv[1:] = arguments.split()
    try:
        main()
    except SystemExit as ended:
        if ended.code:
            raise
    print(end="\\f")
"""
    flags = {"run": "--q", "survey": "--q", "generate mlp": "--chords"}
    given = "generate mlp --prior chords --nodes 9 --chords 3 --q 1 --inputs 4 --outputs 2 --reads 3 --out mlp"
    done = subprocess.run(
        [sys.executable, "-c", script, "\n".join([*(f"{command} --help" for command in flags), given])],
        cwd=tmp_path,
        env={"PYTHONPATH": f"{HERE}:{ROOT}", "COLUMNS": "200", "PATH": ""},
        capture_output=True,
        text=True,
        check=True,
    )
    for flag, shown in zip(flags.values(), done.stdout.split("\f")[:3], strict=True):
        assert flag in shown
    assert (tmp_path / "mlp" / "network.safetensors").is_file()


def test_a_new_task_is_learnt_by_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(TASKS, "rings", rings)
    recipe = {**RECIPE, "epochs": 10, "learning_rates": (0.03,)}
    found = Campaign(tmp_path, task="rings", trials=4, space=TINY, threads=1, **{**ENDS, "recipe": recipe}).run()
    assert (found.task, found.metric) == ("rings", "accuracy")
    assert found.test is not None
    assert found.test["mean"] > 0.55


@pytest.mark.skipif(not has_native(), reason="torch is taken in any case where the compiled engine is missing")
def test_a_new_activation_is_trained_by_torch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(ACTIVATIONS, "sine", Activation(torch.sin))
    Campaign(tmp_path, task="digits", activation="sine", trials=3, space=TINY, **ENDS).run()
    records = load(tmp_path)
    assert {record.engine for record in records} == {"torch"}
    assert np.isfinite([record.value for record in records]).all()


def test_a_new_regressor_is_a_member_of_blends(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(REGRESSORS, "median", MEDIAN)
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(60, 3)), np.append(np.zeros(59), 100.0)
    blend = fit_blend(X, y, names=["a", "b", "c"], members=["median"])
    assert (blend.predict(X) == 0).all()


def test_a_new_sampler_proposes(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(BLIND, "brute", lambda seed, _: optuna.samplers.RandomSampler(seed=seed + 1))
    given = {
        "seed": 0,
        "direction": "maximize",
        "n_inputs": 5,
        "n_outputs": 2,
        "size_of": lambda wiring: wiring.n_edges,
    }
    found = [Proposer(Space(**TINY), sampler=name, **given).propose(0).params for name in ("brute", "brute", "random")]
    assert found[0] == found[1] != found[2]


def test_a_new_format_is_read_and_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(TABLE, ".arrows", ARROWS)
    graph = WattsStrogatz(8, 4, 0.2).sample(0)
    write_wiring(graph, tmp_path / "graph.arrows")
    assert read_wiring(tmp_path / "graph.arrows") == graph
    (tmp_path / "graph.arrows").write_text("1>x", encoding="utf-8")
    with pytest.raises(ValueError, match=r"graph.arrows: invalid literal"):
        read_wiring(tmp_path / "graph.arrows")
