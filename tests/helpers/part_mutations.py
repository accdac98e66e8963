"""Parts of a survey that are damaged on purpose: bytes, columns, single values and the metadata of Parquet files."""

import io
import json
import random
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from damage import WILD, damaged, places_of, with_value
from folder_mutations import TINY, files_in, first_refusal, folder_of, one_line, refusal

SURVEY = f"survey {TINY} --wirings 4 --seeds 2 --out"


@cache
def _survey() -> dict[str, bytes]:
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "out"
        assert not refusal(*SURVEY.split(), out)
        return files_in(out)


def _part() -> str:
    (name,) = (name for name in _survey() if name.endswith(".parquet"))
    return name


def seeds() -> list[tuple[str, bytes]]:
    return [(".parquet", _survey()[_part()])]


def mutations(number: int, seed: int = 0) -> Iterator[tuple[str, bytes]]:
    rng = random.Random(seed)
    ((suffix, sound),) = seeds()
    for _ in range(number):
        yield suffix, damaged(rng, sound) if rng.random() < 0.4 else _changed(rng, sound)


def _changed(rng: random.Random, content: bytes) -> bytes:
    table = pq.read_table(io.BytesIO(content))
    for _ in range(rng.choice((1, 1, 3))):
        with suppress(pa.ArrowException, OverflowError):  # Some values no column may have.
            table = rng.choice((_value, _value, _value, _column, _metadata, _rows))(rng, table)
    stream = io.BytesIO()
    pq.write_table(table, stream)
    return stream.getvalue()


def _value(rng: random.Random, table: pa.Table) -> pa.Table:
    place = rng.randrange(table.num_columns)
    values = table.column(place).to_pylist()
    wild = rng.choice(WILD)
    kind = table.schema.field(place).type
    values[rng.randrange(len(values))] = wild if not isinstance(wild, str) or pa.types.is_string(kind) else None
    return table.set_column(place, table.schema.field(place), pa.array(values, kind))


def _column(rng: random.Random, table: pa.Table) -> pa.Table:
    """Leave a column out, double it, or give it another name or type."""
    place, name = rng.randrange(table.num_columns), table.schema.names[rng.randrange(table.num_columns)]
    action = rng.randrange(4)
    if action == 0:
        return table.remove_column(place)
    if action == 1:
        return table.append_column(name, table.column(place))
    if action == 2:
        return table.set_column(place, rng.choice((name, "param_", "", "x\n")), table.column(place))
    kind = rng.choice((pa.string(), pa.int8(), pa.float16(), pa.list_(pa.int64()), pa.null(), pa.binary(), pa.date32()))
    return table.set_column(place, table.schema.names[place], pa.nulls(table.num_rows, kind))


def _metadata(rng: random.Random, table: pa.Table) -> pa.Table:
    identity: Any = json.loads((table.schema.metadata or {}).get(b"wirenas", b"{}"))
    places = list(places_of(identity))
    changed = with_value(identity, rng.choice(places), rng.choice(WILD)) if places else identity
    written = rng.choice((changed, changed, changed, changed, rng.choice(WILD)))
    return table.replace_schema_metadata({b"wirenas": json.dumps(written).encode()})


def _rows(rng: random.Random, table: pa.Table) -> pa.Table:
    """Double, drop or reorder rows."""
    rows = list(range(table.num_rows))
    rng.shuffle(rows)
    return table.take(rows[: rng.choice((len(rows), len(rows), 1, 0))] + rows[: rng.choice((0, 1))])


def outcome(suffix: str, content: bytes) -> str:
    from nas.errors import CampaignError, InputError
    from nas.prediction.examples import survey_examples
    from nas.store.folders import load

    with tempfile.TemporaryDirectory() as folder:
        out = folder_of({**_survey(), _part(): content}, Path(folder) / "out")
        lines = [first_refusal(("status", out, "--json"), ("status", out))]
        try:
            table: Any = load(out)
            table.to_frame()
            if len(table):
                table.wiring(0)
                survey_examples(table)
        except (InputError, CampaignError) as error:
            lines.append(one_line(str(error)))
        if sum(content) % 5 == 0:
            lines.append(refusal(*SURVEY.split(), out))
        return next(filter(None, lines), "")
