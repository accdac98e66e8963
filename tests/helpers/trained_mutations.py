"""Tables of trained graphs, which predictors are fitted to, that are damaged on purpose; nothing is fitted to them."""

import random
import tempfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import table_mutations
from command_line import rows_of, write_graphs, write_table
from damage import damaged
from folder_mutations import refusal


class _FittedError(Exception):
    """Raised in place of fitting."""


@cache
def seeds() -> list[tuple[str, bytes]]:
    from predictors import Predictor

    def fit(*_: Any, **__: Any) -> None:
        raise _FittedError

    Predictor.fit = fit  # type: ignore[method-assign, assignment]
    with tempfile.TemporaryDirectory() as folder:
        return [(".csv", write_table(Path(folder) / "sound.csv", rows_of(8)).read_bytes())]


def mutations(number: int, seed: int = 0) -> Iterator[tuple[str, bytes]]:
    rng = random.Random(seed)
    ((suffix, sound),) = seeds()
    for _ in range(number):
        lines = sound.split(b"\n")
        if rng.random() < 0.5:
            row = rng.randrange(len(lines))
            cells = lines[row].split(b",")
            cells[rng.randrange(len(cells))] = rng.choice((*table_mutations.CELLS, b"../../etc/passwd", b"graphs"))
            lines[row] = b",".join(cells)
            yield suffix, b"\n".join(lines)
        else:
            yield suffix, damaged(rng, sound)


def outcome(suffix: str, content: bytes) -> str:
    with tempfile.TemporaryDirectory() as folder:
        path, out = Path(folder) / f"mutant{suffix}", Path(folder) / "out"
        write_graphs(Path(folder) / "graphs", 8)
        path.write_bytes(content)
        try:
            return refusal("fit", path, "--group", "lineage", "--parameter", "n", "--out", out)
        except _FittedError:
            return ""
