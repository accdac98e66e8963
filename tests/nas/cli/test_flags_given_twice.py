"""How flags are read: one value once, lists with commas, and all options as a file to start from."""

import os
import stat
import tomllib
from pathlib import Path

import pytest
from command_line import refused, wirenas

from nas.options.options import explained_options, read_options, resolve


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (
            "run --p 0 --p .1 --p 1",
            "--p is given 3 times, with 0, .1 and 1: it takes one value, or a range such as --p LOW:HIGH",
        ),
        ("run --trials 3 --trials 4", "--trials is given 2 times, with 3 and 4: it takes one value"),
        ("run --epochs 1 --trials 5 --epochs 0", "--epochs is given 2 times, with 1 and 0: it takes one value"),
        ("run --out a --out=b", "--out is given 2 times, with a and b: it takes one value"),
        ("generate mlp --seed 1 --seed 2 --inputs 3", "--seed is given 2 times"),
        ("predict a b --coverage .8 --coverage .9", "--coverage is given 2 times"),
    ],
)
def test_a_flag_of_one_value_is_given_once(flags: str, words: str):
    assert words in refused(*flags.split())


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("run", "--out", ""), "--out '': it is empty, where a path is needed"),
        (("prune", "--task", "digits", "--out", ""), "--out '': it is empty, where a path is needed"),
        (("run", "--prior", ""), "--prior '': it is empty, where a value is needed, or several with commas"),
        (("status", ""), "OUT '': it is empty, where a path is needed"),
        (("features", "a.graphml", ""), " '': it is empty, where a path is needed"),
    ],
)
def test_empty_paths_and_members_are_refused(arguments: tuple[str, ...], words: str):
    assert words in refused(*arguments)


def test_lists_have_commas_or_several_flags(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    given = "--prior watts-strogatz,erdos-renyi --learning-rate 0.01,0.03 --orientation index --orientation degree"
    code, printed, said = wirenas("run", "--print-toml", *given.split())
    assert (code, said) == (0, "")
    options = tomllib.loads(printed)
    assert options["space"]["priors"] == ["watts-strogatz", "erdos-renyi"]
    assert options["space"]["orientation"] == ["index", "degree"]
    assert options["recipe"]["learning_rates"] == [0.01, 0.03]
    assert list(tmp_path.iterdir()) == []


def test_printed_options_are_a_file_to_start_from(tmp_path: Path):
    printed = wirenas("run", "--print-toml", "--trials", "7")[1]
    for name, content in (
        ("plain", printed.encode()),
        ("windows", b"\xef\xbb\xbf" + printed.replace("\n", "\r\n").encode()),
    ):
        path = tmp_path / f"{name}.toml"
        path.write_bytes(content)
        assert resolve(read_options(path)).trials == 7
        assert wirenas("run", path, "--print-toml")[1] == printed


def test_every_option_is_explained():
    lines = explained_options(resolve({})).splitlines()
    for before, line in zip(["", *lines], lines, strict=False):
        if " = " in line and not line.startswith((" ", "#")):
            assert before.startswith("# "), line


@pytest.mark.skipif(os.name != "posix", reason="permissions are those of POSIX")
@pytest.mark.parametrize("mask", [0o022, 0o077, 0o002])
def test_files_have_the_usual_permissions(mask: int, tmp_path: Path):
    before = os.umask(mask)
    try:
        flags = "generate rnn --prior watts-strogatz --nodes 8 --k 2 --p 0 --inputs 2 --out"
        assert wirenas(*flags.split(), tmp_path / "rnn")[0] == 0
    finally:
        os.umask(before)
    found = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "rnn").iterdir()}
    assert found == dict.fromkeys(("card.md", "network.safetensors", "wiring.json"), 0o666 & ~mask)
