"""Whatever call of the operating system fails, a command says it in one line, and the same command then goes on.

After SQLite's tests of I/O errors (https://www.sqlite.org/testing.html): the n-th call on the files of a command fails,
for every n, until a run comes to its end without having met the fault. What the command then finds is tried as well:
called again, without a fault, it ends with the same results as one that was never disturbed.

`make test` tries a few; WIRENAS_TEST_FAULTS=all, as `make fault-test` sets it, all of them.
"""

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from fault_cases import CASES, SHARED, content, timeless
from faults import KINDS, Done, Faults

if TYPE_CHECKING:
    from postgres import Postgres

IS_WHOLE = os.environ.get("WIRENAS_TEST_FAULTS") == "all"
FEW = ("survey", "generate")

STRIDE = 7
"""Of the calls of a campaign in a database, which are as many as those of others, one in so many fails."""

Calm = tuple[Path, dict[str, Any], Any]


@pytest.fixture(scope="module")
def faults(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Faults]:
    server = Faults(tmp_path_factory.mktemp("library"), *(CASES if IS_WHOLE else FEW))
    yield server
    server.close()


@pytest.fixture(scope="module")
def calm(faults: Faults, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Calm]:
    """Return of a case what lies there before, and what there is, and was printed, after an undisturbed run."""
    known: dict[str, Calm] = {}

    def of(name: str) -> Calm:
        if name not in known:
            before = tmp_path_factory.mktemp(name) / "before"
            before.mkdir()
            faults.prepare(CASES[name], before)
            after = shutil.copytree(before, before.with_name("after"))
            done = faults.run(CASES[name].arguments, after)
            assert done.code == 0, done.err
            known[name] = before, content(after), printed(done)
        return known[name]

    return of


def printed(done: Done) -> Any:
    return timeless(json.loads(done.out)) if done.out.startswith("{") else done.out.replace(str(Path()), "")


class Trial:
    """One kind of fault, in one case, at any call; states of folders that were gone on from are remembered."""

    def __init__(self, faults: Faults, name: str, calm: Calm, place: Path, error: str, *, lasting: bool) -> None:
        self._faults, self._case, self._place = faults, CASES[name], place
        self._before, self._content, self._printed = calm
        self._error, self._lasting = error, lasting
        self._seen: set[str] = set()

    def meets(self, nth: int) -> bool:
        """Let the n-th call fail, check all that follows, and return whether there was an n-th call."""
        folder = self._place / "here"
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(self._before, folder)
        done = self._faults.run(self._case.arguments, folder, nth, self._error, lasting=self._lasting)
        told = f"{self._error} at call {nth}, {done.hit}: exit code {done.code}, {done.err}"
        if not done.hit:
            assert done.code == 0, told
            return False
        self._check(folder, done, told)
        return True

    def runs_out_of(self, memory: int) -> bool:
        """Let so many bytes be all that there are, check all that follows, and return whether they were too few."""
        folder = self._place / "here"
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(self._before, folder)
        done = self._faults.run(self._case.arguments, folder, memory=memory)
        self._check(folder, done, f"{memory} bytes: exit code {done.code}, {done.err}")
        return done.code != 0

    def _check(self, folder: Path, done: Done, told: str) -> None:
        assert "Traceback" not in done.err, told
        if done.code == 0:
            assert self._is_calm(folder, done, may_leave=True), told
            return
        assert done.code in (1, 2), told
        (line,) = [line for line in done.err.splitlines() if line.startswith("wirenas: ")]
        assert done.err.endswith(f"{line}\n"), told
        assert done.out == "", told
        assert not line.startswith(("wirenas: files:", "wirenas: the database:")), told
        state = self._state(folder)
        if state not in self._seen:
            again = self._faults.run(self._case.arguments, folder)
            if "lies there, whole" in line and again.code != 0:
                # Nothing could be undone, and what is there is not written over.
                assert "there is something already" in again.err, told
                assert content(folder) == self._content, told
                return
            assert again.code == 0, f"{told}, then {again.err}"
            assert self._is_calm(folder, again, may_leave=self._lasting), told
            self._seen.add(state)

    def _is_calm(self, folder: Path, done: Done, *, may_leave: bool) -> bool:
        """Whether all is as after an undisturbed run; says what is not.

        What could not be removed under a temporary name does no harm; the next command in the folder removes it.
        """
        found = content(folder)
        left = [name for name in found if ".tmp" in name]
        assert left == [] or may_leave, left
        for name in left:
            del found[name]
        for name in {**found, **self._content}:
            assert found.get(name) == self._content.get(name), name
        assert printed(done) == self._printed, (printed(done), self._printed)
        return True

    def _state(self, folder: Path) -> str:
        # SQLite mends a file that it opens, which is left to the command.
        copy = self._place / "copy"
        shutil.rmtree(copy, ignore_errors=True)
        try:
            found = repr(content(shutil.copytree(folder, copy)))
        except Exception:  # Half-written files are told apart by their bytes.
            found = repr([(path.name, path.read_bytes()) for path in sorted(copy.rglob("*")) if path.is_file()])
        return hashlib.sha256(found.encode()).hexdigest()


@pytest.mark.parametrize("name", FEW)
def test_some_faults_are_one_line_each_and_the_same_command_goes_on(
    name: str, faults: Faults, calm: Callable[[str], Calm], tmp_path: Path
):
    for start, error in enumerate(KINDS):
        trial = Trial(faults, name, calm(name), tmp_path, error, lasting=error == "ENOSPC")
        for nth in count(5 * start + 1, 37):
            if not trial.meets(nth):
                break


def test_memory_that_ends_is_one_line(faults: Faults, calm: Callable[[str], Calm], tmp_path: Path):
    # Enough for a thread to start: Python waits for ever for one that has no memory for its first line.
    trial = Trial(faults, "survey", calm("survey"), tmp_path, "ENOMEM", lasting=False)
    found = [trial.runs_out_of(megabytes << 20) for megabytes in ((48, 64, 96, 128, 256) if IS_WHOLE else (64,))]
    assert found[0]


@pytest.mark.skipif(not IS_WHOLE, reason="WIRENAS_TEST_FAULTS is not all")
@pytest.mark.timeout(7200)
@pytest.mark.parametrize("lasting", [False, True], ids=["once", "from-then-on"])
@pytest.mark.parametrize("error", KINDS)
@pytest.mark.parametrize("name", CASES)
def test_every_fault_is_one_line_and_the_same_command_goes_on(
    name: str, error: str, lasting: bool, faults: Faults, calm: Callable[[str], Calm], tmp_path: Path
):
    if lasting and error not in ("ENOSPC", "EIO"):
        pytest.skip("what does not last is tried")
    trial, wrong = Trial(faults, name, calm(name), tmp_path, error, lasting=lasting), []
    for nth in count(1):
        try:
            if not trial.meets(nth):
                break
        except AssertionError as failed:
            wrong.append(str(failed).splitlines()[0])
    assert wrong == [], f"{len(wrong)} of {nth - 1}"


@pytest.mark.skipif(not IS_WHOLE, reason="WIRENAS_TEST_FAULTS is not all")
@pytest.mark.timeout(7200)
@pytest.mark.parametrize("error", KINDS)
def test_a_campaign_in_a_database_goes_on_after_faults_in_its_folder(
    error: str, faults: Faults, postgres: "Postgres", tmp_path: Path
):
    for nth in count(1, STRIDE):
        folder, name = tmp_path / str(nth), f"{error}-{nth}"
        folder.mkdir()
        arguments = SHARED.replace("URL", postgres.url).replace("NAME", name).split()
        done = faults.run(arguments, folder, nth, error)
        told = f"{error} at call {nth}, {done.hit}: exit code {done.code}, {done.err}"
        assert "Traceback" not in done.err, told
        assert done.code in (0, 1, 2), told
        assert done.code == 0 or done.err.splitlines()[-1].startswith("wirenas: "), told
        again = faults.run(arguments, folder)
        assert again.code == 0, f"{told}, then {again.err}"
        assert json.loads(again.out)["complete"] >= 2, told
        worker = ["worker", "--storage", postgres.url, "--study", name, "--json"]
        assert faults.run(worker, folder).code == 0, told
        if not done.hit:
            break
