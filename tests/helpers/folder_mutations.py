"""What the kinds of damaged files in the folders of campaigns and surveys share: calling commands on them."""

import warnings
from pathlib import Path
from typing import Any

from command_line import wirenas

from nas.errors import printable

TINY = "--task digits --nodes 8:14 --degree 2:4 --epochs 1 --learning-rate 0.01 --threads 1"


def refusal(*arguments: object) -> str:
    """Call a command, and return the one line that it refuses with, or "" where it does its work."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Of work on values that are what nobody would store, and yet possible.
        code, _, err = wirenas(*arguments)
    if code == 0:
        assert "Traceback" not in err
        return ""
    assert code in (1, 2), (code, err)
    line = err.removesuffix("\n").split("\n")[-1]
    assert printable(line) == line
    return one_line(line.removeprefix("wirenas: "))


def one_line(message: str) -> str:
    assert message
    assert "\n" not in message
    assert len(message) < 10_000, message
    return message


def bare() -> None:
    """Let campaigns draw no plots and fit no predictors, and Optuna read the history of its tables once."""
    from optuna.storages._rdb.storage import _VersionManager

    from nas.campaign import campaign
    from nas.report import output

    def nothing(*_: object, **__: object) -> None:
        return

    output.plot_progress = campaign.fit_into = nothing  # type: ignore[attr-defined, assignment]
    script = _VersionManager._create_alembic_script
    first: list[Any] = []

    def read_once(self: Any) -> Any:
        first[:] = first or [script(self)]
        return first[0]

    _VersionManager._create_alembic_script = read_once  # type: ignore[method-assign]


def first_refusal(*commands: tuple[object, ...]) -> str:
    """Call commands, and return the first line that one refuses with."""
    return next(filter(None, [refusal(*command) for command in commands]), "")


def folder_of(content: dict[str, bytes], folder: Path) -> Path:
    for name, own in content.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(own)
    return folder


def files_in(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}
