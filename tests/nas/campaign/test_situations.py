"""What may happen around a campaign: other programs, signals, hands, clocks. Nothing is lost, and all is said."""

import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from campaign_cases import edges, run, sequence
from cli_cases import ENVIRONMENT
from command_line import TINY, refused, wirenas

from nas import Campaign, CampaignError
from nas.evaluation import trainer
from nas.store import study as study_module
from nas.store.study import load
from priors import Wiring

pytestmark = pytest.mark.usefixtures("bare_campaigns")
SEARCH = f"run {TINY} --trials 3 --finalists 1 --final-seeds 1 --json --out"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_other_signals_end_a_run_as_ctrl_c_does(tmp_path: Path, number: signal.Signals):
    calls = []

    def evaluate(wiring: Wiring, params: Mapping[str, Any]) -> float:
        calls.append(params)
        if len(calls) == 5:
            os.kill(os.getpid(), number)
            assert campaign.stop.wait(60)
        return edges(wiring, params)

    campaign = Campaign(tmp_path / "ended", evaluate=evaluate, trials=8, space={"nodes": (8, 20)}, sampler="random")
    with pytest.raises(KeyboardInterrupt):
        campaign.run()
    assert len(load(tmp_path / "ended")) == 5
    assert signal.getsignal(number) is signal.SIG_DFL
    campaign.run()
    Campaign(tmp_path / "calm", evaluate=edges, trials=8, space={"nodes": (8, 20)}, sampler="random").run()
    assert sequence(tmp_path / "ended") == sequence(tmp_path / "calm")


def test_a_signal_that_is_ignored_ends_nothing(tmp_path: Path):
    """As under nohup."""

    def evaluate(wiring: Wiring, params: Mapping[str, Any]) -> float:
        os.kill(os.getpid(), signal.SIGHUP)
        return edges(wiring, params)

    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        assert run(tmp_path, evaluate, trials=3).complete == 3
    finally:
        signal.signal(signal.SIGHUP, before)


def test_a_study_that_another_program_has_locked_is_waited_for(tmp_path: Path):
    run(tmp_path, trials=3)
    held = threading.Event()

    def hold() -> None:
        with closing(sqlite3.connect(tmp_path / "study.db", isolation_level=None)) as other:
            other.execute("BEGIN EXCLUSIVE")
            held.set()
            time.sleep(1.5)

    holder = threading.Thread(target=hold)
    holder.start()
    held.wait(30)
    assert run(tmp_path, trials=5).complete == 5
    holder.join()


def test_a_study_that_stays_locked_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(study_module, "_PATIENCE_S", 0.2)
    run(tmp_path, trials=3)
    with closing(sqlite3.connect(tmp_path / "study.db", isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(CampaignError, match=r"study.db: .*database is locked; end the program that holds it"):
            run(tmp_path, trials=5)
    assert run(tmp_path, trials=5).complete == 5


def test_a_clock_that_is_set_back_changes_no_result(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    run(tmp_path / "calm", trials=6)
    looks = 0

    class Clock(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> datetime:
            nonlocal looks
            looks += 1
            return datetime.now(tz) - timedelta(hours=looks % 3)

    monkeypatch.setattr(trainer, "datetime", Clock)
    run(tmp_path / "set back", trials=4)
    run(tmp_path / "set back", trials=6)
    assert looks
    assert sequence(tmp_path / "set back") == sequence(tmp_path / "calm")


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("done") / "out"
    assert wirenas(*SEARCH.split(), out)[0] == 0
    return out


def test_what_is_edited_by_hand_is_refused_by_its_name(done: Path):
    file = done / "campaign.toml"
    whole = file.read_text(encoding="utf-8")
    try:
        for old, new, said in (
            ("seed = 0", "seed = 7", "seed=7"),
            ("seed = 0", 'seed = "x"', "input should be a valid integer"),
            ("seed = 0", "sed = 0", "sed is not a known key"),
            ("seed = 0", "seed = ", "not a TOML file"),
        ):
            assert old in whole
            file.write_text(whole.replace(old, new), encoding="utf-8")
            assert said in refused("run", "--out", done).replace("--seed 7", "seed=7")
    finally:
        file.write_text(whole, encoding="utf-8")
    assert wirenas(*SEARCH.split(), done)[0] == 0


REMOVED: dict[str, Callable[[Path], Any]] = {
    "best": lambda out: [path.unlink() for path in (out / "best").iterdir()] and (out / "best").rmdir(),
    "trials.csv": lambda out: (out / "trials.csv").unlink(),
    "campaign.toml": lambda out: (out / "campaign.toml").unlink(),
}


@pytest.mark.parametrize("name", REMOVED)
def test_what_was_removed_is_written_again(done: Path, name: str):
    before = sorted(path.name for path in done.rglob("*"))
    REMOVED[name](done)
    for command in (("status", done), ("best", done)):
        code, _, err = wirenas(*command)
        assert code == 0 or (code == 2 and err.count("\n") == 1)
    assert wirenas(*SEARCH.split(), done)[0] == 0
    assert sorted(path.name for path in done.rglob("*")) == before


def test_a_task_file_that_changed_is_said(tmp_path: Path):
    table = tmp_path / "own.csv"
    table.write_text("a,b,y\n" + "".join(f"{n % 7},{n % 5},{n % 2}\n" for n in range(60)), encoding="utf-8")
    command = f"{SEARCH} {tmp_path / 'out'}".replace("--task digits", f"--task csv:{table}").split()
    assert wirenas(*command)[0] == 0
    whole = table.read_text(encoding="utf-8")
    table.write_text(whole + "1,2,1\n", encoding="utf-8")
    assert "a file has changed" in refused(*command)
    table.unlink()
    assert str(table) in refused(*command)
    table.write_text(whole, encoding="utf-8")
    assert wirenas(*command)[0] == 0


def test_whoever_reads_may_close_the_pipe(tmp_path: Path):
    reading, writing = os.pipe()
    os.close(reading)
    command = [sys.executable, "-m", "wirenas", "run", "--help"]
    ended = subprocess.run(command, stdout=writing, stderr=subprocess.PIPE, env=ENVIRONMENT, check=False, text=True)
    os.close(writing)
    assert ended.returncode in (0, 1)  # Nobody sees it.
    assert ended.stderr == ""


def test_names_with_control_characters_are_shown_escaped(tmp_path: Path):
    path = tmp_path / "a\x1b[31m\nb\u202egpj"
    line = refused("status", path)
    assert "a\\x1b[31m\\nb\\u202egpj" in line
    (tmp_path / "a\x1b[31m.edgelist").write_text("0 1\n1 2\n", encoding="utf-8")
    code, out, err = wirenas("features", tmp_path / "a\x1b[31m.edgelist", "--directed")
    assert code == 0
    assert "\x1b[31m" not in out + err
