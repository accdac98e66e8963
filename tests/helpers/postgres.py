"""A throwaway PostgreSQL server on the loopback interface, for tests of campaigns of many processes."""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

_OPTIONS = "-c listen_addresses=127.0.0.1 -c max_connections=400 -c shared_buffers=32MB"
USER, PASSWORD, DATABASE = "wirenas", "s3cr{e}t:/@%", "trials"


class Postgres:
    """A server in a folder of its own; durable as by default, since what a commit costs is part of what is tested."""

    def __init__(self) -> None:
        self._bin = _binaries()
        # Not in pytest's folder, which another user may not enter.
        self.folder = Path(tempfile.mkdtemp(prefix="wirenas-postgres-"))
        self.port = _free_port()
        password = self.folder / "password"
        password.write_text(PASSWORD, encoding="utf-8")
        if os.geteuid() == 0:
            shutil.chown(self.folder, "postgres")
            shutil.chown(password, "postgres")
        options = ["--username", USER, "--pwfile", str(password), "--auth", "scram-sha-256", "--encoding", "UTF8"]
        self._call("initdb", "--pgdata", str(self.data), *options)
        self.start()
        self.create(DATABASE)

    @property
    def data(self) -> Path:
        return self.folder / "data"

    @property
    def place(self) -> str:
        return f"127.0.0.1:{self.port}/{DATABASE}"

    @property
    def url(self) -> str:
        from urllib.parse import quote

        return f"postgresql://{USER}:{quote(PASSWORD, safe='')}@{self.place}"

    def create(self, database: str) -> str:
        """Create an empty database, and return its URL."""
        self._call("createdb", "--host=127.0.0.1", f"--port={self.port}", f"--username={USER}", database)
        return self.url.removesuffix(DATABASE) + database

    def start(self) -> None:
        options = f"{_OPTIONS} -p {self.port} -k {self.folder}"
        log = str(self.folder / "log")
        self._call("pg_ctl", "start", "--wait", "--silent", "--log", log, "--pgdata", str(self.data), "-o", options)

    def stop(self, mode: str = "fast") -> None:
        self._call("pg_ctl", "stop", "--wait", "--silent", "--mode", mode, "--pgdata", str(self.data))

    @contextmanager
    def hung(self) -> Iterator[None]:
        """Let the server say nothing inside the block, as one that is paused, swaps, or waits for its disk."""
        master = int((self.data / "postmaster.pid").read_text().split()[0])
        self._signal(signal.SIGSTOP, [master])  # First, so that no session is missed that it begins meanwhile.
        sessions = [int(path.parent.name) for path in Path("/proc").glob("[0-9]*/stat") if _parent(path) == master]
        self._signal(signal.SIGSTOP, sessions)
        try:
            yield
        finally:
            self._signal(signal.SIGCONT, [*sessions, master])

    def _signal(self, number: int, processes: list[int]) -> None:
        for process in processes:
            with suppress(ProcessLookupError):
                os.kill(process, number)

    def remove(self) -> None:
        self.stop("immediate")
        shutil.rmtree(self.folder, ignore_errors=True)

    def _call(self, program: str, *arguments: str) -> None:
        command = [str(self._bin / program), *arguments]
        environment = {**os.environ, "PGPASSWORD": PASSWORD}
        # The server refuses to run as root.
        user: dict[str, Any] = {}
        if os.geteuid() == 0:
            user = {"user": "postgres", "group": "postgres", "extra_groups": []}
        done = subprocess.run(
            command,
            cwd=self.folder,
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            check=False,
            **user,
        )
        assert done.returncode == 0, done.stderr.decode()


def _parent(stat: Path) -> int:
    try:
        return int(stat.read_text().rpartition(")")[2].split()[1])
    except (OSError, ValueError):
        return 0


def _binaries() -> Path:
    """Return the folder of PostgreSQL's programs, or skip the test where there is none."""
    pytest.importorskip("psycopg", reason="psycopg is not installed: pip install 'psycopg[binary]'")
    found = [Path(path) for path in sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)]
    if config := shutil.which("pg_config"):
        named = subprocess.run([config, "--bindir"], capture_output=True, text=True, check=True).stdout.strip()
        found.append(Path(named))
    for folder in found:
        if (folder / "initdb").is_file():
            return folder
    pytest.skip("no PostgreSQL server here: apt-get install postgresql")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
