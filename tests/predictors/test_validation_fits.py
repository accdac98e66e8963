"""Fits in several processes: equal results, in order; whoever began them takes them along when it ends."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from predictors.fitting import plain_fit
from predictors.validation import out_of_fold, repeated_folds
from predictors.validation.fits import HERE, Fits, side_by_side

WAITING = """
import sys, time
from predictors.validation.fits import side_by_side

if __name__ == "__main__":
    with side_by_side(2, lambda: None) as fits:
        for pid in fits.map(__import__("os").getpid, [()] * 2):
            print(pid, flush=True)
        list(fits.map(time.sleep, [(60,)] * 2))
"""


def test_several_processes_give_what_one_gives() -> None:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(40, 3))
    y = X[:, 0] + rng.normal(size=40) / 4
    folds = repeated_folds(40, 4, 2)
    told: list[int] = []
    with side_by_side(2, lambda: told.append(1)) as fits:
        assert fits.executor is not None
        found = out_of_fold(plain_fit, X, y, folds, fits=fits)
    assert len(told) == 8
    assert np.array_equal(found, out_of_fold(plain_fit, X, y, folds))


def test_results_come_in_order_and_are_told_of() -> None:
    told: list[int] = []
    assert list(Fits(lambda: told.append(1)).map(divmod, [(7, 2), (9, 4)])) == [(3, 1), (2, 1)]
    assert len(told) == 2
    assert HERE.executor is None


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="processes are looked up in /proc")
@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_no_process_outlives_the_one_that_began_it(tmp_path: Path, how: signal.Signals) -> None:
    script = tmp_path / "waiting.py"
    script.write_text(WAITING)
    parent = subprocess.Popen(
        [sys.executable, str(script)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    assert parent.stdout is not None
    children = {int(parent.stdout.readline()) for _ in range(2)}
    os.kill(parent.pid, how)
    parent.wait(20)
    parent.stdout.close()
    deadline = time.monotonic() + 20
    while alive := [child for child in children if _runs(child)]:
        assert time.monotonic() < deadline, f"still there: {alive}"
        time.sleep(0.1)


def _runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False
