"""Study files that are damaged on purpose: bytes, single values of Optuna's tables, and what JSON in them holds."""

import json
import random
import sqlite3
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import closing, suppress
from functools import cache
from pathlib import Path

from damage import WILD, damaged, places_of, with_value
from folder_mutations import TINY, bare, files_in, first_refusal, folder_of, one_line, refusal

SEARCH = f"run {TINY} --trials 5 --finalists 1 --final-seeds 2 --out"


@cache
def _campaign() -> dict[str, bytes]:
    bare()
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "out"
        assert not refusal(*SEARCH.split(), out)
        return files_in(out)


def seeds() -> list[tuple[str, bytes]]:
    return [(".db", _campaign()["study.db"])]


def mutations(number: int, seed: int = 0) -> Iterator[tuple[str, bytes]]:
    rng = random.Random(seed)
    ((suffix, sound),) = seeds()
    for _ in range(number):
        yield suffix, damaged(rng, sound) if rng.random() < 0.15 else _changed(rng, sound)


def _changed(rng: random.Random, content: bytes) -> bytes:
    """Change one value of one row of one table, or what stands in its JSON, or leave the row or the table out."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "study.db"
        path.write_bytes(content)
        with closing(sqlite3.connect(path)) as study:
            # A table has as many chances as it has columns that matter.
            tables = [name for (name,) in study.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
            table = rng.choice(tables)
            columns = [row[1] for row in study.execute(f"PRAGMA table_info({table})")]
            rows = study.execute(f"SELECT rowid, * FROM {table}").fetchall()
            with suppress(sqlite3.Error, OverflowError):  # Some values no row may have.
                if not rows or rng.random() < 0.03:
                    study.execute(f"DROP TABLE {table}")
                elif rng.random() < 0.05:
                    study.execute(f"DELETE FROM {table} WHERE rowid = ?", (rng.choice(rows)[0],))
                else:
                    rowid, *values = rng.choice(rows)
                    place = rng.randrange(len(columns))
                    new = _value(rng, columns[place], values[place])
                    study.execute(f"UPDATE {table} SET {columns[place]} = ? WHERE rowid = ?", (new, rowid))
            study.commit()
        return path.read_bytes()


def _value(rng: random.Random, column: str, old: object) -> object:
    wild = rng.choice(WILD)
    if not column.endswith("_json") or not isinstance(old, str):
        return json.dumps(wild) if isinstance(wild, list | dict) else wild
    document = json.loads(old)
    # What we store for ourselves is JSON inside of JSON.
    own = json.loads(document) if isinstance(document, str) and document.startswith("{") else document
    places = list(places_of(own))
    changed = with_value(own, rng.choice(places), wild) if places and rng.random() < 0.8 else wild
    return json.dumps(json.dumps(changed) if own is not document else changed)


def outcome(suffix: str, content: bytes) -> str:
    from nas.errors import CampaignError, InputError
    from nas.store.folders import load

    with tempfile.TemporaryDirectory() as folder:
        out = folder_of({**_campaign(), "study.db": content}, Path(folder) / "out")
        lines = [first_refusal(("status", out, "--json"), ("status", out), ("best", out, "--json"), ("best", out))]
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # Optuna's, of distributions that are odd and yet ones.
                load(out).to_frame()  # type: ignore[union-attr]
        except (InputError, CampaignError) as error:
            lines.append(one_line(str(error)))
        lines.append(_shown(out, Path(folder) / "copy"))
        if sum(content) % 5 == 0:
            lines.append(refusal(*SEARCH.split(), out))
        return next(filter(None, lines), "")


def _shown(out: Path, copy: Path) -> str:
    from nas.dashboard import Mirror
    from nas.errors import InputError

    copy.mkdir()
    try:
        Mirror(out, copy).close()
    except InputError as error:
        return one_line(str(error))
    return ""
