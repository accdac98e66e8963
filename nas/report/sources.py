"""Where wirings come from: graph files, saved networks, and folders of campaigns, experiments and networks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from nas.errors import InputError
from priors import Wiring, read_wiring

__all__ = ["wiring_at"]


def wiring_at(source: Path, **reading: Any) -> tuple[Wiring, str]:
    """Return the wiring of a graph file or a saved network, or the best one of a folder, and what to call it.

    Parameters
    ----------
    source : path
        A graph file, a network's safetensors file, or the folder of a campaign, an experiment or a network.
    **reading
        How a graph file is read: format, directed and merge of `priors.read_wiring`.

    Raises
    ------
    InputError
        If there is none, or it cannot be read.
    """
    if not source.is_dir():
        return (_wiring_of_network(source) if source.suffix == ".safetensors" else _read(source, reading)), source.name
    for path, title in (
        (source / "best" / "wiring.json", f"best wiring of {source.resolve().name}"),
        (source / "wiring.json", source.resolve().name),
    ):
        if path.is_file():
            return _read(path, {}), title
    raise InputError(
        f"{source}: no wiring lies there; give a graph file, or the folder of a campaign whose finals were held"
    )


def _read(path: Path, reading: dict[str, Any]) -> Wiring:
    try:
        return read_wiring(path, **reading)
    except ValueError as error:
        raise InputError(str(error)) from None


def _wiring_of_network(path: Path) -> Wiring:
    from nas.networks import load_network
    from nas.networks.structure import wiring_of

    try:
        return wiring_of(load_network(path))
    except (OSError, ValueError) as error:
        reason = error.strerror or str(error) if isinstance(error, OSError) else str(error)
        raise InputError(reason if str(path) in reason else f"{path}: {reason}") from None
