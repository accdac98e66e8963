"""The dashboard: a campaign is followed and never written, notes are served, and wrong input is one line."""

import json
import os
import re
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import optuna
import permissions
import pytest
from command_line import refused, wirenas

from nas import dashboard as module
from nas.dashboard import Mirror
from nas.store.records import Record
from nas.store.study import StudyFile

ROOT = Path(__file__).resolve().parents[3]
DISTRIBUTIONS = {
    "n": optuna.distributions.IntDistribution(1, 100),
    "p": optuna.distributions.FloatDistribution(0, 1),
}
needs_dashboard = pytest.mark.skipif(find_spec("optuna_dashboard") is None, reason="optuna-dashboard is not installed")


def record(value: float | None, **fields: Any) -> Record:
    state = "failed" if value is None else "complete"
    shape = {"n_hidden": 3, "n_edges": 2, "hidden_edges": (0, 1, 1, 2), "fingerprint": "f" * 64}
    return Record(**{"number": 0, "state": state, "value": value, "params": {"n": 3, "p": 0.25}, **shape, **fields})


def add(out: Path, *records: Record) -> None:
    study = StudyFile(out)
    for each in records:
        study.add(each, DISTRIBUTIONS)


@pytest.fixture(scope="module")
def three_trials(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("campaign")
    StudyFile(out, "maximize").put("options", {"task": "digits", "network": "mlp", "metric": "accuracy"})
    (out / "campaign.toml").write_text("trials = 9\n", encoding="utf-8")
    add(out, record(0.5, prediction=0.75), record(None, error="no luck"), record(0.25))
    return out


@pytest.fixture
def campaign(three_trials: Path, tmp_path: Path) -> Path:
    """A campaign of three trials in a folder that is hard to name in an address."""
    return shutil.copytree(three_trials, tmp_path / "a ü?#{x}%20")


@pytest.fixture
def follow(tmp_path: Path) -> Iterator[Callable[[Path], Mirror]]:
    """Make a mirror of a campaign, and close it in the end."""
    made: list[Mirror] = []

    def make(out: Path) -> Mirror:
        folder = tmp_path / f"copy {len(made)}"
        folder.mkdir()
        made.append(Mirror(out, folder))
        return made[-1]

    yield make
    for each in made:
        each.close()


def notes(mirror: Mirror) -> dict[str, str]:
    """Return notes by the trial's number, and that of the study under an empty name, as the dashboard stores them."""
    attributes = mirror.storage.get_study_system_attrs(mirror.study_id)
    found = {name: re.fullmatch(r"dashboard:(?:(\d+):)?note_str:0", name) for name in attributes}
    return {match[1] or "": attributes[name] for name, match in found.items() if match}


def shown(mirror: Mirror) -> list[optuna.trial.FrozenTrial]:
    return mirror.storage.get_all_trials(mirror.study_id)


# Following a campaign


def test_a_mirror_shows_the_trials_and_their_notes(campaign: Path, follow: Callable[[Path], Mirror]):
    mirror = follow(campaign)
    stored = StudyFile(campaign).trials()
    assert [trial.number for trial in shown(mirror)] == [0, 1, 2]
    for ours, theirs in zip(shown(mirror), stored, strict=True):
        assert (ours.state, ours.values, ours.params) == (theirs.state, theirs.values, theirs.params)
        assert ours.datetime_complete == theirs.datetime_complete
        assert {**ours.user_attrs, "hidden_edges": [0, 1, 1, 2]} == theirs.user_attrs
        assert "hidden_edges" not in ours.user_attrs
    assert [study.study_name for study in mirror.storage.get_all_studies()] == [campaign.name]
    told = notes(mirror)
    assert set(told) == {"", "0", "1", "2"}
    assert "accuracy **0.5000**" in told["0"]
    assert "trained: 0.7500" in told["0"]
    assert "    no luck\n" in told["1"]
    assert "Trials: 2 complete, 1 failed; 9 are wanted. Objective: accuracy" in told[""]


def test_a_mirror_follows_the_campaign(campaign: Path, follow: Callable[[Path], Mirror], tmp_path: Path):
    mirror = follow(campaign)
    before = shown(mirror)
    copied = (tmp_path / "copy 0" / "study.db").stat().st_mtime_ns
    mirror.refresh()
    assert shown(mirror) == before
    assert (tmp_path / "copy 0" / "study.db").stat().st_mtime_ns == copied, "what has not changed is copied again"
    add(campaign, record(0.75), record(None))
    mirror.refresh()
    assert shown(mirror)[:3] == before
    assert [trial.value for trial in shown(mirror)[3:]] == [0.75, None]
    assert "accuracy **0.7500**" in notes(mirror)["3"]
    assert "Trials: 3 complete, 2 failed" in notes(mirror)[""]
    StudyFile(campaign).put("outcome", {"over": True, "complete": 3, "best": {"trial": 3}, "verdict": "It wins."})
    mirror.refresh()
    assert "The winner is trial 3.\n\nIt wins." in notes(mirror)[""]
    version = mirror.storage.get_study_system_attrs(mirror.study_id)["dashboard:note_ver"]
    assert version == 3, "a page takes a note only if its version has grown"


def test_a_mirror_names_values_and_the_winner_and_says_why_it_won(
    campaign: Path, follow: Callable[[Path], Mirror], tmp_path: Path
):
    study = StudyFile(campaign)
    study.name_values(["validation accuracy"])
    winner = {"trial": 2, "value": 0.25, "fingerprint": "e" * 64}
    outcome = {"over": True, "complete": 2, "best": winner, "test": {"mean": 0.3, "std": 0.1, "seeds": 5}}
    mirror = follow(campaign)
    attributes = mirror.storage.get_study_system_attrs(mirror.study_id)
    assert attributes["study:metric_names"] == ["validation accuracy"]
    assert "winner" not in mirror.storage.get_study_user_attrs(mirror.study_id)
    study.put("outcome", outcome)
    study.tag_winner(2)
    mirror.refresh()
    assert mirror.storage.get_study_user_attrs(mirror.study_id)["winner"] == "trial 2"
    assert (
        "The winner is trial 2. In the search trial 0 reached the best value (0.5000); of the finalists, trained again "
        "with 5 fresh seeds, trial 2 did best."
    ) in notes(mirror)[""]


def test_a_mirror_shows_no_draws_as_parameters(campaign: Path, follow: Callable[[Path], Mirror]):
    """Importance of a seed means nothing, so that a page is not to compute one."""
    seeds = dict.fromkeys(("graph_seed", "order_seed", "attach_seed", "move_seed"), 2**30)
    drawn = {**seeds, "n_moves": 3, "replicate": 1}
    kinds = {name: optuna.distributions.IntDistribution(0, 2**31 - 1) for name in drawn}
    StudyFile(campaign).add(record(0.75, params={"n": 3, "p": 0.25, **drawn}), DISTRIBUTIONS | kinds)
    trial = shown(follow(campaign))[-1]
    assert trial.params == {"n": 3, "p": 0.25}
    assert set(trial.distributions) == {"n", "p"}
    assert {name: trial.user_attrs[name] for name in drawn} == drawn


def test_a_mirror_writes_nothing_into_the_campaign(campaign: Path, follow: Callable[[Path], Mirror]):
    def state() -> dict[str, tuple[bytes, int]]:
        return {path.name: (path.read_bytes(), path.stat().st_mtime_ns) for path in campaign.iterdir()}

    before = state()
    follow(campaign).refresh()
    assert state() == before
    campaign.chmod(0o500)
    (campaign / "study.db").chmod(0o400)
    with permissions.heeded():
        follow(campaign).refresh()
    campaign.chmod(0o700)


def test_a_campaign_can_be_copied_while_it_is_written(campaign: Path, follow: Callable[[Path], Mirror]):
    with closing(sqlite3.connect(campaign / "study.db", isolation_level=None)) as writer:
        writer.execute("BEGIN IMMEDIATE")
        writer.execute("DELETE FROM trials WHERE number = 2")
        mirror = follow(campaign)
        assert len(shown(mirror)) == 3
        writer.execute("ROLLBACK")


def test_trials_after_one_that_runs_wait_for_it(campaign: Path, follow: Callable[[Path], Mirror]):
    mirror = follow(campaign)
    study = StudyFile(campaign).study
    running = study.ask()
    add(campaign, record(1.0))
    mirror.refresh()
    assert len(shown(mirror)) == 3
    study.tell(running, 0.125)
    mirror.refresh()
    assert [trial.value for trial in shown(mirror)] == [0.5, None, 0.25, 0.125, 1.0]


@pytest.mark.parametrize(("direction", "best"), [("maximize", "3"), ("minimize", "4")])
def test_of_many_trials_the_best_have_notes(
    tmp_path: Path,
    follow: Callable[[Path], Mirror],
    monkeypatch: pytest.MonkeyPatch,
    direction: Any,
    best: str,
):
    monkeypatch.setattr(module, "MOST_NOTES", 2)
    StudyFile(tmp_path, direction)
    add(tmp_path, record(0.5), record(None), record(0.5), record(0.75), record(0.25), record(0.5))
    assert set(notes(follow(tmp_path))) == {"", "0", "1", best}


def test_a_study_that_was_deleted_on_the_page_comes_back(campaign: Path, follow: Callable[[Path], Mirror]):
    mirror = follow(campaign)
    mirror.storage.delete_study(mirror.study_id)
    mirror.refresh()
    assert [trial.number for trial in shown(mirror)] == [0, 1, 2]
    add(campaign, record(0.75))
    mirror.refresh()
    assert [trial.value for trial in shown(mirror)] == [0.5, None, 0.25, 0.75]
    assert len(notes(mirror)) == 5


# Serving


def get(address: str) -> dict[str, Any]:
    with urllib.request.urlopen(address, timeout=60) as answer:
        return json.load(answer)


@contextmanager
def dashboard(out: Path, temporary: Path, number: signal.Signals) -> Iterator[dict[str, str]]:
    """Serve a campaign in a process of its own, which a signal ends; nothing may be left of it."""
    temporary.mkdir()
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "TMPDIR": str(temporary)}
    command = [sys.executable, "-m", "nas", "dashboard", str(out), "--port", "0", "--json"]
    with subprocess.Popen(
        command, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        try:
            line = process.stdout.readline()
            assert line, process.communicate()[1]
            yield json.loads(line)
            process.send_signal(number)
            rest, err = process.communicate(timeout=60)
        finally:
            process.kill()
    assert (process.returncode, rest, err) == (0, "", "")
    assert list(temporary.iterdir()) == []


@needs_dashboard
def test_notes_and_new_trials_are_served(campaign: Path, tmp_path: Path):
    with dashboard(campaign, tmp_path / "temporary", signal.SIGINT) as found:
        url = found["url"]
        assert re.fullmatch(r"http://127\.0\.0\.1:\d+/", url)
        (study,) = get(f"{url}api/studies")["study_summaries"]
        assert found["page"] == f"{url}dashboard/studies/{study['study_id']}"
        with urllib.request.urlopen(found["page"], timeout=60) as answer:
            assert answer.headers.get_content_type() == "text/html"
        detail = get(f"{url}api/studies/{study['study_id']}")
        assert detail["note"]["body"].startswith("# digits, mlp\n")
        assert [trial["note"]["body"].count("\n\naccuracy **0.5000**") for trial in detail["trials"]] == [1, 0, 0]
        assert "    no luck\n" in detail["trials"][1]["note"]["body"]
        add(campaign, record(0.75))
        before = (campaign / "study.db").read_bytes()
        until = time.monotonic() + 60
        while len(detail["trials"]) < 4 and time.monotonic() < until:
            time.sleep(0.5)
            detail = get(f"{url}api/studies/{study['study_id']}")
        assert "accuracy **0.7500**" in detail["trials"][3]["note"]["body"]
        assert "3 complete" in detail["note"]["body"]
    assert (campaign / "study.db").read_bytes() == before


@pytest.mark.slow
@needs_dashboard
@needs_dashboard
def test_pages_of_other_sites_neither_read_nor_change_anything(campaign: Path, tmp_path: Path):
    with dashboard(campaign, tmp_path / "temporary", signal.SIGTERM) as served:
        url = served["url"]
        address = url.split("/")[2]
        port = address.rpartition(":")[2]

        def answer(method: str = "GET", **headers: str) -> int:
            body = b'{"study_name": "renamed"}' if method != "GET" else None
            path = "api/studies" if method == "GET" else "api/studies/0/rename"
            given = {"Content-Type": "application/json", **headers}
            request = urllib.request.Request(f"{url}{path}", body, given, method=method)
            try:
                with urllib.request.urlopen(request, timeout=60) as found:
                    return int(found.status)
            except urllib.error.HTTPError as error:
                return error.code

        for host in (address, f"localhost:{port}", f"[::1]:{port}"):
            assert answer(Host=host) == 200
        for host in (f"evil.example:{port}", "evil.example", f"127.0.0.1.evil.example:{port}", "", "[", "a@b:c"):
            assert answer(Host=host) == 403
        for origin in ("http://evil.example", f"http://evil.example:{port}", "null", f"http://localhost:{port}", "["):
            assert answer("POST", Origin=origin) == 403
            assert answer("DELETE", Origin=origin) == 403
        assert get(f"{url}api/studies")["study_summaries"][0]["study_name"] == campaign.name
        assert answer("POST", Origin=f"http://{address}") in (200, 201)


def test_a_server_that_is_told_to_end_leaves_nothing(campaign: Path, tmp_path: Path):
    with dashboard(campaign, tmp_path / "temporary", signal.SIGTERM) as found:
        assert get(f"{found['url']}api/studies")["study_summaries"]


# The command


def test_the_help_gives_an_example_and_is_fast():
    code = "import sys; from nas.cli import app; print('optuna' in sys.modules, 'nas.dashboard' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "False False\n"
    code, text, _ = wirenas("dashboard", "--help")
    assert code == 0
    assert "Example: wirenas dashboard results/digits" in " ".join(text.split())


@pytest.mark.parametrize(
    ("given", "screen", "opened"),
    [((), True, True), ((), False, False), (("--no-open",), True, False), (("--json",), True, False)],
)
def test_a_browser_is_opened_where_there_is_a_screen(
    campaign: Path, monkeypatch: pytest.MonkeyPatch, given: tuple[str, ...], screen: bool, opened: bool
):
    pages: list[str] = []
    monkeypatch.setattr(module, "serve", lambda _, host, port, ready: ready(f"{host}/", f"{host}/{port}"))
    monkeypatch.setattr("webbrowser.open", pages.append)
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    monkeypatch.setenv("DISPLAY", ":0") if screen else monkeypatch.delenv("DISPLAY", raising=False)
    code, text, err = wirenas("dashboard", campaign, *given)
    assert (code, err) == (0, "")
    assert pages == (["127.0.0.1/8080"] if opened else [])
    expected = '{"url": "127.0.0.1/", "page": "127.0.0.1/8080"}' if "--json" in given else "127.0.0.1/8080   Ctrl-C"
    assert text.startswith(expected)


def test_a_missing_package_is_one_line(campaign: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "optuna_dashboard", None)
    assert refused("dashboard", campaign).endswith("pip install 'wirenas[dashboard]'\n")


@needs_dashboard
def test_a_port_in_use_is_one_line_with_a_free_one(campaign: Path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        line = refused("dashboard", campaign, "--port", port)
    found = re.fullmatch(rf"wirenas: --port {port}: another program listens there; .* --port (\d+)\n", line)
    assert found is not None
    with socket.socket() as free:
        free.bind(("127.0.0.1", int(found[1])))


@needs_dashboard
def test_an_address_that_is_none_is_one_line(campaign: Path):
    for host in ("192.0.2.1", "no.such.host.invalid"):
        line = refused("dashboard", campaign, "--port", 0, "--host", host)
        assert line.startswith(f"wirenas: --host {host}, --port 0: ")
    assert "'--port'" in refused("dashboard", campaign, "--port", 65536)


@needs_dashboard
@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("missing", "no campaign here (study.db is missing)"),
        ("empty", "no campaign here (study.db is empty)"),
        ("garbage", "not a study that can be read: file is not a database"),
        ("survey", "a survey lies there"),
        ("killed", "the campaign was killed while it wrote; `wirenas status`"),
    ],
)
def test_what_is_no_campaign_is_one_line(campaign: Path, tmp_path: Path, name: str, message: str):
    out = tmp_path / name
    if name == "killed":
        break_off(campaign, out)
    elif name != "missing":
        out.mkdir()
        (out / ("survey.toml" if name == "survey" else "study.db")).write_bytes(b"garbage" * (99 * (name == "garbage")))
    line = refused("dashboard", out, "--port", 0)
    assert line.startswith(f"wirenas: {out}")
    assert message in line


def break_off(campaign: Path, out: Path) -> None:
    """Copy a campaign as it lies on disk in the middle of a large transaction."""
    with closing(sqlite3.connect(campaign / "study.db", isolation_level=None)) as writer:
        writer.execute("PRAGMA cache_size = 2")
        writer.execute("BEGIN")
        writer.execute("UPDATE trial_user_attributes SET value_json = hex(zeroblob(900))")
        shutil.copytree(campaign, out)
        writer.execute("ROLLBACK")
    assert (out / "study.db-journal").stat().st_size > 0
