"""The command line: help that costs nothing, JSON that is one object, and one line for every wrong input."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from nas import cli
from nas.errors import InputError
from nas.search.options import CampaignOptions
from nas.search.space import Space
from nas.search.study import StudyFile
from nas.training.recipe import Recipe
from priors import WattsStrogatz, read_wiring, write_wiring

ROOT = Path(__file__).resolve().parents[2]
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "COLUMNS": "100"}
TINY = (
    "--task digits --trials 3 --nodes 8:16 --degree 2:4 --epochs 1 --learning-rate 0.01 --finalists 1 --final-seeds 2"
)
COMMANDS = ("run", "status", "best", "generate rnn", "generate mlp")
HEAVY = {"numpy", "torch", "optuna", "sklearn", "pandas", "matplotlib", "sqlalchemy", "scipy", "networkx"}


@pytest.fixture
def wirenas(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:
    """Call the command line in this process: exit code, stdout, stderr."""

    def call(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["wirenas", *arguments])
        capsys.readouterr()
        with pytest.raises(SystemExit) as caught:
            cli.main()
        out, err = capsys.readouterr()
        assert isinstance(caught.value.code, int)
        return caught.value.code, out, err

    return call


def process(*arguments: str, code: str = "from nas.cli import main; main()") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code, *arguments], env=ENVIRONMENT, capture_output=True, text=True, check=False
    )


@pytest.fixture(scope="module")
def campaign(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any], str]:
    """A tiny campaign that the command line ran: its folder, its JSON, and its stderr."""
    out = tmp_path_factory.mktemp("campaign") / "a ü?#{x}[bold]%20"
    done = subprocess.run(
        [sys.executable, "-m", "nas", "run", *TINY.split(), "--out", str(out), "--json"],
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return out, json.loads(done.stdout), done.stderr


# Help

IMPORTS = """
import sys
from nas.cli import app
try:
    app()
finally:
    print("IMPORTED", *sorted({name.split(".")[0] for name in sys.modules}))
"""


@pytest.mark.parametrize("command", ["", "generate", *COMMANDS])
def test_help_imports_nothing_heavy(command: str):
    done = process(*command.split(), "--help", code=IMPORTS)
    assert done.returncode == 0, done.stderr
    text, imported = done.stdout.split("IMPORTED")
    assert not HEAVY & set(imported.split())
    assert "Usage:" in text
    if command in COMMANDS:
        assert f"Example: wirenas {command} " in " ".join(text.split())


def test_every_option_is_in_the_help(wirenas: Any, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("COLUMNS", "200")
    code, text, _ = wirenas("run", "--help")
    assert code == 0
    names = {*CampaignOptions.model_fields, *Space.model_fields, *Recipe.model_fields}
    names -= {"space", "recipe", "direction", "priors", "learning_rates"}
    for name in names | {"prior", "learning_rate", "out", "threads", "json"}:
        assert f"--{name.replace('_', '-')} " in text, name
    assert "Default: results/TASK-NETWORK." in text
    assert "[[" not in text
    assert "none" not in text.split("--task")[1].split("--network")[0]


def test_the_example_of_the_help_is_understood(wirenas: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    for command in COMMANDS[3:]:
        text = " ".join(wirenas(*command.split(), "--help")[1].split())
        example = re.search(r"Example: wirenas (.*?/)(?: |$)", text)
        assert example is not None
        assert wirenas(*example[1].split())[0] == 0


def test_the_version_names_engines(wirenas: Any):
    code, text, _ = wirenas("--version")
    assert code == 0
    assert text.startswith("wirenas ")
    assert "torch; devices" in text


# What campaigns print


def test_json_is_one_object_with_the_promised_keys(campaign: tuple[Path, dict[str, Any], str]):
    out, found, stderr = campaign
    promised = {"out", "study", "task", "network", "sampler", "engine", "trials", "complete", "failed", "seconds"}
    assert promised | {"best", "test", "references"} <= set(found)
    assert {"value", "trial", "fingerprint", "params", "n_parameters"} <= set(found["best"])
    assert {"mean", "std", "seeds"} <= set(found["test"])
    assert len(found["references"]) == 4
    assert all({"name", "mean", "std", "n_parameters"} <= set(reference) for reference in found["references"])
    assert (found["trials"], found["complete"], found["failed"]) == (3, 3, 0)
    assert found["out"] == str(out)
    assert Path(found["study"]).is_file()
    assert "search: 3 of 3 trials, best " in stderr
    assert "finalists: 2 of 2 trainings" in stderr
    assert "references: 8 of 8 trainings" in stderr


def test_a_folder_of_any_name_holds_what_is_promised(campaign: tuple[Path, dict[str, Any], str]):
    out, found, _ = campaign
    names = {path.name for path in out.iterdir() if path.name != ".lock"}
    assert names == {"campaign.toml", "study.db", "trials.csv", "best", "progress.png"}
    assert [path.name for path in out.parent.iterdir()] == [out.name]
    assert read_wiring(out / "best" / "wiring.json").fingerprint == found["best"]["fingerprint"]


def test_status_and_best_say_the_same(campaign: tuple[Path, dict[str, Any], str], wirenas: Any):
    out, found, _ = campaign
    before = (out / "study.db").read_bytes()
    code, text, err = wirenas("status", str(out), "--json")
    assert (code, err) == (0, "")
    assert json.loads(text) == found
    code, text, err = wirenas("best", str(out), "--json")
    assert (code, err) == (0, "")
    best = json.loads(text)
    assert best["best"] == found["best"]
    assert {Path(file).name for file in best["files"]} >= {"network.safetensors", "wiring.json", "card.md"}
    assert all(Path(file).is_file() for file in best["files"])
    for command in ("status", "best"):
        code, text, err = wirenas(command, str(out))
        assert (code, err) == (0, "")
        assert f"{found['best']['value']:.4f}" in text
        assert str(out) in text
    assert (out / "study.db").read_bytes() == before


def test_the_same_command_again_trains_nothing(
    campaign: tuple[Path, dict[str, Any], str], wirenas: Any, monkeypatch: pytest.MonkeyPatch
):
    out, found, _ = campaign
    before = (out / "study.db").read_bytes(), (out / "best").stat().st_mtime_ns, (out / "campaign.toml").read_bytes()

    def refuse(*_: Any, **__: Any) -> None:
        raise AssertionError("something was trained")

    monkeypatch.setattr("nas.search.evaluation.Trainer.train", refuse)
    for given in (TINY.split(), [], ["--trials", "3"], ["--epochs", "1"]):
        code, text, err = wirenas("run", *given, "--out", str(out), "--json")
        assert code == 0, err
        assert {**json.loads(text), "seconds": 0} == {**found, "seconds": 0}
    after = (out / "study.db").read_bytes(), (out / "best").stat().st_mtime_ns, (out / "campaign.toml").read_bytes()
    assert after == before


def test_a_campaign_refuses_what_is_changed(campaign: tuple[Path, dict[str, Any], str], wirenas: Any, tmp_path: Path):
    out, _, _ = campaign
    (tmp_path / "other.toml").write_text("seed = 3\n[recipe]\nepochs = 1\n", encoding="utf-8")
    for given, name in (
        (["--sampler", "random"], "sampler"),
        (["--nodes", "8:17"], "space.nodes"),
        (["--epochs", "2"], "recipe.epochs"),
        (["--max-parameters", "9"], "space.max_parameters"),
        ([str(tmp_path / "other.toml")], "seed"),
    ):
        code, text, err = wirenas("run", *given, "--out", str(out))
        assert (code, text) == (2, "")
        assert err.startswith(f"wirenas: {name}=")
        assert err.count("\n") == 1


def test_a_file_gives_options_and_flags_win(wirenas: Any, tmp_path: Path):
    file = tmp_path / "campaign.toml"
    file.write_text(
        'trials = 9\nfinalists = 1\nfinal_seeds = 1\n[space]\npriors = "erdos-renyi"\nnodes = "8:9"\n'
        "[recipe]\nlearning_rates = 0.01\nepochs = 1\n",
        encoding="utf-8",
    )
    code, text, err = wirenas("run", str(file), "--trials", "1", "--out", str(tmp_path / "out"), "--json")
    assert code == 0, err
    found = json.loads(text)
    assert found["trials"] == found["complete"] == 1
    assert found["best"]["params"]["family"] == "erdos-renyi"
    assert found["best"]["n_hidden"] in (8, 9)


def test_a_file_gives_folder_and_threads_and_flags_win(wirenas: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    seen: list[tuple[Path, int | None]] = []

    class Seen:
        def __init__(self, out: Path, *, threads: int | None, **_: Any) -> None:
            seen.append((out, threads))
            raise InputError("seen")

    monkeypatch.setattr("nas.search.campaign.Campaign", Seen)
    file = tmp_path / "campaign.toml"
    file.write_text(f"trials = 2\nout = '{tmp_path}/there'\nthreads = 3\n", encoding="utf-8")
    wirenas("run", str(file))
    wirenas("run", str(file), "--out", str(tmp_path / "here"), "--threads", "2")
    file.write_text("trials = 2\n", encoding="utf-8")
    wirenas("run", str(file))
    wirenas("run")
    default = (Path("results/digits-mlp"), None)
    assert seen == [(tmp_path / "there", 3), (tmp_path / "here", 2), default, default]


def test_files_of_an_earlier_best_are_not_shown(
    campaign: tuple[Path, dict[str, Any], str], wirenas: Any, tmp_path: Path
):
    out, found, _ = campaign
    shutil.copytree(out, tmp_path / "moved")
    wiring = tmp_path / "moved" / "best" / "wiring.json"
    assert len(json.loads(wirenas("best", str(tmp_path / "moved"), "--json")[1])["files"]) >= 3
    write_wiring(WattsStrogatz(8, 2, 0.0).sample(0), wiring)
    for damage in (lambda: None, lambda: wiring.write_text("{"), wiring.unlink):
        damage()
        code, text, err = wirenas("best", str(tmp_path / "moved"), "--json")
        assert (code, err) == (0, "")
        assert json.loads(text)["best"] == found["best"]
        assert json.loads(text)["files"] == []


@pytest.mark.parametrize("arguments", ["status x", "best x", "generate mlp --prior erdos-renyi --inputs 1 --outputs 1"])
def test_only_a_run_can_be_resumed(wirenas: Any, monkeypatch: pytest.MonkeyPatch, arguments: str):
    def interrupt(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    for name in ("nas.commands.read_status", "nas.commands.read_best", "nas.generation.draw_wiring"):
        monkeypatch.setattr(name, interrupt)
    out = ["--out", "x"] if "generate" in arguments else []
    code, text, err = wirenas(*arguments.split(), *out)
    assert (code, text) == (130, "")
    assert err.splitlines()[-1] == "wirenas: interrupted"


def test_status_of_an_unfinished_campaign(wirenas: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("nas.search.campaign.run_finals", lambda *_, **__: (_ for _ in ()).throw(KeyboardInterrupt))
    code, text, err = wirenas("run", *TINY.split(), "--out", str(tmp_path / "out"))
    assert (code, text) == (130, "")
    assert err.splitlines()[-1] == "wirenas: interrupted; the same command resumes"
    code, text, _ = wirenas("status", str(tmp_path / "out"), "--json")
    found = json.loads(text)
    assert code == 0
    assert (found["trials"], found["complete"], found["test"], found["task"]) == (3, 3, None, "digits")
    assert found["best"]["value"] == max(row.value for row in StudyFile(tmp_path / "out").records())
    assert json.loads(wirenas("best", str(tmp_path / "out"), "--json")[1])["files"] == []


def test_status_of_an_own_evaluation_names_no_task(wirenas: Any, tmp_path: Path):
    from nas.search.campaign import Campaign

    class StopItError(BaseException):
        pass

    def evaluate(*_: Any) -> float:
        raise StopItError

    with pytest.raises(StopItError):
        Campaign(tmp_path, evaluate=evaluate, trials=3).run()
    code, text, _ = wirenas("status", str(tmp_path), "--json")
    assert code == 0
    assert json.loads(text)["task"] is None
    assert json.loads(text)["best"] is None
    assert "no trial is complete yet" in wirenas("status", str(tmp_path))[1]
    code, text, err = wirenas("best", str(tmp_path))
    assert (code, text) == (2, "")
    assert err.endswith("no trial is complete yet; the Python program that started it goes on\n")


@pytest.mark.parametrize("task", ["none", "my own"])
def test_a_campaign_from_python_is_resumed_there(wirenas: Any, tmp_path: Path, task: str):
    (tmp_path / "campaign.toml").write_text(f'task = "{task}"\n', encoding="utf-8")
    for given in ([], ["--task", "digits"], ["--trials", "5"]):
        code, text, err = wirenas("run", *given, "--out", str(tmp_path))
        assert (code, text) == (2, "")
        assert "this campaign was started from Python and is resumed there" in err
        assert err.count("\n") == 1
    assert [path.name for path in tmp_path.iterdir()] == ["campaign.toml"]


# What is wrong


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("--task digit", "task 'digit' is not known (nearest: digits)"),
        ("--prior wats-strogatz", "(nearest: watts-strogatz)"),
        ("--cell lstn", "cell='lstn'"),
        ("--network cnn", "network='cnn'"),
        ("--nodes 30:20", "space.nodes=30:20"),
        ("--nodes 20:", "space.nodes.1=''"),
        ("--degree x", "space.degree.0='x'"),
        ("--p 0:2", "space.p=0.0:2.0"),
        ("--trials -3", "trials='-3'"),
        ("--trials 0", "trials='0'"),
        ("--seed -1", "seed='-1'"),
        ("--threads 0", "threads=0"),
        ("--threads x", "--threads"),
        ("--learning-rate 0", "recipe.learning_rates.0='0'"),
        ("--nesterov", "recipe: nesterov with optimizer=adam"),
        ("--structure stack", "space.structure=stack does not fit network=mlp; valid: dag"),
        ("--task reber", "task reber needs network=rnn"),
        ("--max-parameters 3", "space.max_parameters=3: none of 1000 draws is so small; the smallest has"),
        ("--device abacus", "device='abacus'"),
        ("--trails 3", "--trails"),
        ("--task none", "task='none': a campaign without a task needs an own evaluation, which Python alone can give"),
        ("threads.toml", "threads='x'"),
        ("out.toml", "out=3"),
        ("missing.toml", "missing.toml: No such file or directory"),
        ("unknown.toml", "trails is not a known key (nearest: trials)"),
        ("nested.toml", "space.node is not a known key (nearest: nodes)"),
        ("broken.toml", "broken.toml: not a TOML file"),
        ("minimize.toml", "direction=minimize"),
    ],
)
def test_wrong_input_is_one_line_and_leaves_nothing(
    wirenas: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: str, message: str
):
    monkeypatch.chdir(tmp_path)
    Path("unknown.toml").write_text("trails = 3\n", encoding="utf-8")
    Path("nested.toml").write_text("[space]\nnode = 3\n", encoding="utf-8")
    Path("broken.toml").write_text("trials = \n", encoding="utf-8")
    Path("threads.toml").write_text('threads = "x"\n', encoding="utf-8")
    Path("out.toml").write_text("out = 3\n", encoding="utf-8")
    Path("minimize.toml").write_text('direction = "minimize"\n', encoding="utf-8")
    before = sorted(path.name for path in tmp_path.iterdir())
    code, text, err = wirenas("run", *arguments.split(), "--out", "new folder", "--json")
    assert (code, text) == (2, "")
    assert err.startswith("wirenas: ")
    assert err.count("\n") == 1
    assert message in err
    assert sorted(path.name for path in tmp_path.iterdir()) == before


@pytest.mark.parametrize("command", ["status", "best"])
def test_what_is_no_campaign_is_one_line(wirenas: Any, tmp_path: Path, command: str):
    (tmp_path / "file").touch()
    (tmp_path / "empty").mkdir()
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "study.db").write_bytes(b"garbage" * 99)
    for name in ("missing", "file", "empty", "broken"):
        code, text, err = wirenas(command, str(tmp_path / name))
        assert (code, text) == (2, "")
        assert err.startswith("wirenas: ")
        assert name in err
        assert err.count("\n") == 1
    assert [path.name for path in (tmp_path / "empty").iterdir()] == []


def test_a_folder_that_is_a_file_is_one_line(wirenas: Any, tmp_path: Path):
    (tmp_path / "file").write_text("mine", encoding="utf-8")
    for out in ("file", "file/below"):
        code, text, err = wirenas("run", *TINY.split(), "--out", str(tmp_path / out))
        assert (code, text) == (2, "")
        assert err.count("\n") == 1
        assert "give a folder that can be written" in err
    assert (tmp_path / "file").read_text(encoding="utf-8") == "mine"


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_without_permission_is_one_line(wirenas: Any, tmp_path: Path):
    (tmp_path / "locked").mkdir(mode=0o500)
    for out in ("locked", "locked/below"):
        code, text, err = wirenas("run", *TINY.split(), "--out", str(tmp_path / out))
        assert (code, text) == (2, "")
        assert err.count("\n") == 1


def test_no_arguments_show_the_help(wirenas: Any):
    for arguments in ((), ("generate",)):
        code, text, err = wirenas(*arguments)
        assert code == 2
        assert "Usage:" in text + err
        assert "Traceback" not in err


def test_anything_else_is_exit_code_one(wirenas: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def refuse(*_: Any, **__: Any) -> None:
        raise RuntimeError("always")

    monkeypatch.setattr("nas.search.evaluation.Trainer.train", refuse)
    code, text, err = wirenas("run", *TINY.split(), "--out", str(tmp_path))
    assert (code, text) == (1, "")
    assert err.splitlines()[-1].startswith("wirenas: 10 trials failed one after another; the last one with: Runtime")


# Generation


@pytest.mark.parametrize(
    ("kind", "options"),
    [("rnn", "--cell gru --inputs 3"), ("mlp", "--inputs 3 --outputs 2")],
)
def test_a_generated_network_is_described_by_one_object(wirenas: Any, tmp_path: Path, kind: str, options: str):
    out = tmp_path / "net ü"
    prior = "--prior watts-strogatz --nodes 12 --k 4 --p 0.2"
    code, text, err = wirenas("generate", kind, *prior.split(), *options.split(), "--out", str(out), "--json")
    assert (code, err) == (0, "")
    found = json.loads(text)
    assert {"out", "fingerprint", "nodes", "edges", "n_parameters", "cell"} <= set(found)
    assert found["cell"] == {"rnn": "gru", "mlp": None}[kind]
    assert found["nodes"] == 12
    wiring = read_wiring(out / "wiring.json")
    assert (wiring.fingerprint, wiring.hidden.n_edges) == (found["fingerprint"], found["edges"])
    code, text, err = wirenas("generate", kind, *prior.split(), *options.split(), "--out", str(out))
    assert (code, text) == (2, "")
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("--prior wats-strogatz", "(nearest: watts-strogatz)"),
        ("--prior watts-strogatz --nodes 12", "k is missing"),
        ("--prior watts-strogatz --nodes 6 --k 7 --p 0.1", "k=7: WattsStrogatz needs an even k"),
        ("--prior erdos-renyi --nodes 6 --p 2", "p=2"),
        (
            "--prior erdos-renyi --nodes 10000000 --p .5",
            "nodes=10000000: erdos-renyi needs memory for every pair of nodes; nearest valid is 44721",
        ),
        ("--prior erdos-renyi --nodes 6 --p .5 --structure dag", "structure=dag does not fit network=rnn"),
        ("--prior erdos-renyi --nodes 6 --m 2 --p 0.1", "m=2: erdos-renyi does not take it"),
        ("--prior erdos-renyi --nodes 6 --p 0.4 --cell lstn", "(nearest: lstm)"),
        ("--prior erdos-renyi --nodes 6 --p 0.4 --inputs 0", "n_inputs=0"),
        ("--prior layered --sizes 3,x --density 0.5", "sizes='3,x'"),
    ],
)
def test_a_wrong_generation_is_one_line_and_leaves_nothing(wirenas: Any, tmp_path: Path, options: str, message: str):
    inputs = [] if "--inputs" in options else ["--inputs", "3"]
    code, text, err = wirenas("generate", "rnn", *options.split(), *inputs, "--out", str(tmp_path / "net"))
    assert (code, text) == (2, "")
    assert err.count("\n") == 1
    assert message in err
    assert list(tmp_path.iterdir()) == []
