"""Every command with values that nobody should give: it works, or says in one line what is wrong, and soon."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import networkx as nx
import pytest

ROOT = Path(__file__).resolve().parents[3]
NUMBER = int(os.environ.get("WIRENAS_TEST_MUTATIONS", "60"))
SEED = int(os.environ.get("WIRENAS_TEST_SEED", "0"))

CALL_ALL = """
import json, pathlib, sys
import value_mutations as mutator
folder = pathlib.Path(sys.argv[3])
mutator.stop_before_training()
ends, called = [], set()
for words, arguments in mutator.calls(int(sys.argv[1]), folder, int(sys.argv[2])):
    try:
        ends.append(mutator.outcome(words, arguments))
    except BaseException:
        print(f"call {len(ends)}: {words} {arguments!r}"[:2000], file=sys.stderr)
        raise
    called.add(" ".join(words))
status = pathlib.Path("/proc/self/status")
lines = status.read_text().splitlines() if status.is_file() else []
memory = sum(1024 * int(line.split()[1]) for line in lines if line.startswith("VmHWM"))
print(json.dumps({"ends": ends, "called": sorted(called), "memory": memory}))
"""


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Call commands in a process of their own, in a folder with a few sound files."""
    base = tmp_path_factory.mktemp("values")
    folder = base / "sound"
    (folder / "folder").mkdir(parents=True)
    nx.write_graphml(nx.watts_strogatz_graph(12, 4, 0.2, seed=1), folder / "graph.graphml")
    (folder / "edges.csv").write_text("source,target\n1,2\n2,3\n3,1\n")
    (folder / "table.csv").write_text("a,b,label\n" + "".join(f"{n},{n % 7},{'xy'[n % 2]}\n" for n in range(60)))
    (folder / "campaign.toml").write_text("trials = 3\n[recipe]\nepochs = 1\n")
    (folder / "empty").write_text("")
    done = subprocess.run(
        [sys.executable, "-c", CALL_ALL, str(NUMBER), str(SEED), str(folder)],
        cwd=base,
        env={
            **os.environ,
            "PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path]),
            "WIRENAS_DATA": str(folder / "folder"),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    ended: dict[str, Any] = json.loads(done.stdout)
    return ended


def test_every_call_works_or_is_refused_by_one_line(found: dict[str, Any]):
    assert len(found["ends"]) == NUMBER
    refused = [end for end in found["ends"] if end.startswith("wirenas: ")]
    # Few of the values suit.
    assert 0.5 * NUMBER < len(refused) < NUMBER
    assert len(set(refused)) > 0.3 * NUMBER


def test_all_commands_are_called(found: dict[str, Any]):
    import value_mutations as mutator

    least = min(len(mutator.commands()) - 2, NUMBER // 8)
    assert len(found["called"]) >= least


def test_no_call_takes_much_memory(found: dict[str, Any]):
    assert found["memory"] < 2 * 2**30  # Half a gigabyte of it are torch and its like.
