"""Ctrl-C in the first moments of every command: one line and 130, whatever is being imported."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from cli_cases import ENVIRONMENT, TINY

DELAYS = ((0.05, 0.2), (0.1, 0.3))
"""When they are interrupted, in seconds; every second command has the same."""
START = "from wirenas.__main__ import main; print('here', flush=True); main()"
"""What the command is; it says when Python itself has started, which answers Ctrl-C in its own way until then."""
NETWORK = "--prior erdos-renyi --nodes 8 --p 0.5 --inputs 2 --outputs 2 --out network"
COMMANDS = [
    f"run {TINY} --out campaign",
    f"run {TINY} --print-toml",
    "survey --task digits --wirings 1000 --out survey",
    "status campaign",
    "best campaign",
    "draw graph.graphml --out drawing.png",
    "predict campaign graph.graphml",
    "features graph.graphml",
    "fit table.csv --out predictor",
    "validate campaign",
    "explain campaign",
    "dashboard campaign --port 0 --no-open",
    "worker --storage postgresql://me@localhost:1/none --study none --wait 60",
    f"generate mlp {NETWORK}",
    f"generate rnn {NETWORK}",
    "study published-rnns --data data --out published",
    "study prediction --out results --atlas atlas",
    "study pareto --out results",
    "run --help",
    "--version",
]


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: " ".join(command.split()[:2]))
def test_ctrl_c_ends_a_command_at_once(command: str, tmp_path: Path):
    for delay in DELAYS[COMMANDS.index(command) % 2]:
        with subprocess.Popen(
            [sys.executable, "-c", START, *command.split()],
            cwd=tmp_path,
            env=ENVIRONMENT,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        ) as process:
            assert process.stdout is not None
            process.stdout.readline()
            time.sleep(delay)
            process.send_signal(signal.SIGINT)
            _, err = process.communicate(timeout=60)
        if process.returncode in (0, 2) and "interrupted" not in err:
            assert "Traceback" not in err
            continue  # It was done, or had found that nothing is there.
        assert (delay, process.returncode, err.count("\n")) == (delay, 130, 1), err
        assert err.startswith("wirenas: interrupted"), err
    assert [path.name for path in tmp_path.rglob("*.tmp*")] == []
