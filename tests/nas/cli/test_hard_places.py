"""Folders in which nothing can be written: names that are too long, and disks that are full, are one line each."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from cli_cases import ENVIRONMENT
from command_line import WIRINGS, refused, rows_of, write_graphs, write_table
from quick import quick

LONG = "x" * 300
TINY = "--task digits --nodes 8:9 --degree 2:3 --epochs 1 --learning-rate 0.01 --threads 1"
NETWORK = "--prior barabasi-albert --nodes 200 --m 20 --inputs 64 --outputs 10"


@pytest.mark.parametrize(
    "command",
    [
        f"run {TINY} --trials 1 --out {LONG}",
        f"run {LONG}.toml",
        f"run {TINY} --graphs {LONG} --out out",
        f"run {TINY} --warm-start {LONG} --out out",
        f"run --task mnist --data {LONG} --out out",
        f"run --task {LONG} --out out",
        f"survey {TINY} --out {LONG}",
        f"status {LONG}",
        f"best {LONG}",
        f"dashboard {LONG}",
        f"draw {LONG}",
        f"draw graphs/0.graphml --out {LONG}.png",
        f"predict {LONG} graphs/0.graphml",
        f"features {LONG}",
        f"features {LONG}.graphml",
        f"fit {LONG} --out out",
        f"fit table.csv --out {LONG}",
        f"validate {LONG}",
        f"explain {LONG}",
        f"generate mlp {NETWORK} --out {LONG}",
        f"generate mlp --graph {LONG}.graphml --inputs 2 --outputs 2 --out out",
        f"generate mlp --graph {LONG} --inputs 2 --outputs 2 --out out",
    ],
)
def test_a_name_that_is_too_long_is_one_line(command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    write_graphs(tmp_path / "graphs", WIRINGS)
    write_table(tmp_path / "table.csv", rows_of(WIRINGS))
    before = sorted(tmp_path.rglob("*"))
    message = refused(*command.split())
    assert LONG in message
    assert sorted(tmp_path.rglob("*")) == before


Disk = Callable[[int], Path]


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    """Make a disk of so many kilobytes, or give the one that is there so many, where this user may."""
    place = tmp_path / "disk"

    def of_size(kilobytes: int) -> Path:
        again = place.is_dir()
        place.mkdir(exist_ok=True)
        options = f"{'remount,' if again else ''}size={kilobytes}k"
        try:
            subprocess.run(
                ["mount", "-t", "tmpfs", "-o", options, "none", str(place)], check=True, capture_output=True, timeout=30
            )
        except (OSError, subprocess.SubprocessError):
            pytest.skip("this user may not mount a small disk")
        return place

    yield of_size
    if os.path.ismount(place):
        subprocess.run(["umount", str(place)], check=True)


def call(command: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "wirenas", *command.split()],
        cwd=cwd,
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        check=False,
    )


def is_whole(path: Path) -> bool:
    """Whether nothing lies under a temporary name, and no predictor lacks a part."""
    whole = all((arrays.parent / "predictor.json").is_file() for arrays in path.rglob("arrays-*"))
    return whole and not [*path.rglob("*.tmp*")]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("command", "sizes"),
    [
        # For the study, for some trials, for the pictures, and for best/.
        (f"run {TINY} --trials 12 --finalists 1 --final-seeds 2 --out disk/out", (4, 160, 200, 320)),
        (f"survey {TINY} --wirings 24 --out disk/out", (4, 40)),
        ("fit table.csv --out disk/out", (4, 80)),
        (f"generate mlp {NETWORK} --out disk/out", (4, 40)),
        ("draw graphs/0.graphml --out disk/out.png", (4, 12)),
    ],
    ids=["run", "survey", "fit", "generate", "draw"],
)
def test_a_full_disk_is_one_line_and_the_command_goes_on_later(
    command: str, sizes: tuple[int, ...], disk: Disk, tmp_path: Path
):
    write_graphs(tmp_path / "graphs", WIRINGS)
    write_table(tmp_path / "table.csv", rows_of(WIRINGS))
    refusals = 0
    for size in sizes:
        place = disk(size)
        done = call(command, tmp_path)
        if done.returncode == 0:
            break
        refusals += 1
        assert done.returncode in (1, 2), done.stderr
        assert done.stdout == ""
        assert "Traceback" not in done.stderr
        (last,) = [line for line in done.stderr.splitlines() if line.startswith("wirenas: ")]
        assert done.stderr.endswith(f"{last}\n")
        assert "No space left on device" in last or "disk is full" in last, last
        assert "disk/out" in last, last
        assert is_whole(place), sorted(place.rglob("*"))
    assert refusals >= 1
    disk(64 * 1024)
    done = call(command, tmp_path)
    assert done.returncode == 0, done.stderr
    assert is_whole(tmp_path / "disk")
    if command.startswith("run"):
        (tmp_path / "elsewhere").mkdir()
        assert call(command.replace("disk/out", "elsewhere/out"), tmp_path).returncode == 0
        with_gaps, at_once = (
            [line.split(",")[:4] for line in (tmp_path / name / "out" / "trials.csv").read_text().splitlines()]
            for name in ("disk", "elsewhere")
        )
        assert with_gaps == at_once


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
@pytest.mark.parametrize(
    "arguments",
    quick(
        ["features 0.graphml", "features 0.graphml --json", "run --print-toml", "--help"],
        "features 0.graphml --json",
        "--help",
    ),
)
def test_output_that_cannot_be_written_is_one_line(arguments: str, tmp_path: Path):
    write_graphs(tmp_path, 1)
    with Path("/dev/full").open("w", encoding="utf-8") as full:
        done = subprocess.run(
            [sys.executable, "-m", "wirenas", *arguments.split()],
            cwd=tmp_path,
            env=ENVIRONMENT,
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert done.returncode in (1, 2)
    assert done.stderr.count("\n") == 1
    assert done.stderr.startswith("wirenas: stdout: No space left on device; make room there, ")
