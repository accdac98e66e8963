"""Calls of every command with values that nobody should give, made from seeds."""

from __future__ import annotations

import contextlib
import io
import random
import signal
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import sklearn.datasets
import typer

from nas.cli import app as cli

__all__ = ["Call", "calls", "commands", "outcome", "stop_before_training"]

Call = tuple[tuple[str, ...], list[str]]
"""A command, and its arguments."""

_SECONDS = 10
"""Of computing, that a call may take: other processes may keep it waiting."""
_OF_SEVERAL = ("features", "predict", "compare", "distance")
"""Commands of several graphs, which say of each what there is to say before they read the next one."""

_ODD = (
    *(
        "",
        " ",
        ",",
        ":",
        "=",
        "-",
        "--",
        "'",
        '"',
        "\\",
        "%s",
        "{0}",
        "[red]",
        "[/]",
        "\x1b[31m",
        "é",
        "🙂",
        "\u202e",
        "\n",
    ),
    *("nan", "inf", "-inf", "-1", "0", "1", "2", "1.5", "-0", "1e999", "1e-999", "9" * 400, "99999999999999999999"),
    *("2147483648", "-9223372036854775809", "0x10", "1_000", "1e3", "٣", "1:2", "2:1", ":", "1:", ":1", "a:b", "1:2:3"),
    *("1,2", "1,,2", ",1", "1:2,3", "none", "None", "null", "true", "False", "[]", "[1,2]", "{}", "()", "*", "?", "~"),
    *(
        "/",
        "/dev/null",
        "/nonexistent/folder/file",
        "..",
        ".",
        "a/b",
        "x" * 300,
        "digits",
        "reber",
        "mnist",
        "csv:",
        "npz:x",
    ),
    *(
        "openml:",
        "csv:/nonexistent.csv",
        "relu",
        "gru",
        "adam",
        "ridge",
        "10m",
        "5 weeks",
        "12KiB",
        "3000",
        "50kMAC",
        "1k",
    ),
    *(
        "watts-strogatz",
        "barabasi-albert",
        "random",
        "structural",
        "genetic",
        "layers",
        "degree",
        "spectral",
        "weights",
    ),
    *(
        "pareto",
        "median",
        "native",
        "torch",
        "cuda",
        "meta",
        "local",
        "complete",
        "prior",
        "pruned",
        "rigl",
        "set",
        "gmp",
    ),
    *(
        "magnitude",
        "activation",
        "50%",
        "0%",
        "101%",
        "1/3",
        "accuracy",
        "auc",
        "r2",
        "balanced",
        "controlled",
        "natural",
    ),
)


def commands() -> dict[tuple[str, ...], Any]:
    """Return every command by its words."""

    def walk(own: Any, words: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
        if not hasattr(own, "commands"):
            yield words, own
            return
        for name, command in own.commands.items():
            yield from walk(command, (*words, name))

    return dict(walk(typer.main.get_command(cli.app), ()))


def calls(n: int, folder: Path, seed: int = 0) -> Iterator[Call]:
    """Yield calls that are much the same for every seed: what is sound in a folder, and up to four odd values."""
    rng = random.Random(seed)
    every = commands()
    # Servers, and what opens a browser or waits for a database.
    every = {words: own for words, own in every.items() if words not in {("dashboard",), ("worker",)}}
    sound = [str(path) for path in sorted(folder.iterdir())]

    def value() -> str:
        draw = rng.random()
        if draw < 0.2:
            return rng.choice(sound)
        text = rng.choice(_ODD)
        return text if draw < 0.9 else text + rng.choice(_ODD)

    for number in range(n):
        words = rng.choice(list(every))
        arguments: list[str] = []
        options = []
        for parameter in every[words].params:
            if parameter.param_type_name == "argument":
                arguments += [value() for _ in range(rng.choice((1, 1, 1, 2)) if parameter.nargs == -1 else 1)]
            elif parameter.name not in ("help", "out", "print_toml"):
                options.append(parameter)
        for option in rng.sample(options, min(len(options), rng.choice((0, 1, 1, 2, 4)))):
            flag = rng.choice([*option.opts, *option.secondary_opts])
            arguments += [flag] if option.is_flag else [flag, value()]
        if any(parameter.name == "out" and parameter.param_type_name == "option" for parameter in every[words].params):
            arguments += ["--out", str(folder.parent / f"out-{number}")]
        yield words, arguments


class Reached(BaseException):
    """A training would begin: what was given is sound."""


class Hangs(BaseException):
    """A call takes too long."""


def stop_before_training() -> None:
    """Let whatever would train a network raise `Reached`."""
    from nas.evaluation.trainer import Trainer
    from nas.evaluation.trainings import Trainings
    from nas.reservoirs import Reservoir
    from nas.training import train

    def reached(*_: Any, **__: Any) -> Any:
        raise Reached

    for owner, names in (
        (Trainer, ("begin", "train")),
        (Trainings, ("run",)),
        (Reservoir, ("evaluate",)),
        (train, ("session", "begin_wiring")),
    ):
        for name in names:
            setattr(owner, name, reached)

    def late(*_: Any) -> None:
        raise Hangs

    signal.signal(signal.SIGPROF, late)

    def away(*_: Any, **__: Any) -> Any:
        raise OSError("there is no network")

    sklearn.datasets.fetch_openml = away


def outcome(words: tuple[str, ...], arguments: list[str]) -> str:
    """Call the command line, and return the line that it refuses by, "reached" or "done".

    Raises
    ------
    AssertionError
        If it ends in another way.
    """
    out, err = io.StringIO(), io.StringIO()
    argv, sys.argv = sys.argv, ["wirenas", *words, *arguments]
    signal.setitimer(signal.ITIMER_PROF, _SECONDS)
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err), warnings.catch_warnings():
            cli.main()
    except SystemExit as ended:
        code = ended.code
    except Reached:
        return "reached"
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        sys.argv = argv
    if code == 0:
        return "done"
    told = err.getvalue().splitlines()
    assert code == 2, (code, told)
    assert told[-1].startswith("wirenas: "), told
    assert sum(line.startswith("wirenas: ") for line in told) == 1 or words[0] in _OF_SEVERAL, told
    assert told[-1].isprintable(), told
    assert len(told[-1]) < 2000, told
    return told[-1]
