"""Data files that are damaged on purpose, the same ones every time."""

import io
import random
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from damage import damaged

CELLS = (
    b"", b"nan", b"inf", b"-1e308", b"1e999", b"\"", b"1,5", b"\xff\xfe", b"\0", b"99999999999999999999", b"NaT",
    b"[b]", b"2020-13-45", b"True", b"None", b"\xc3\x28", b"1_000", b"0x1f", b"\r", b"=1+1", b"a" * 3000,
)  # fmt: skip


def _table(n: int = 40) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    return pd.DataFrame(
        {
            "size": rng.normal(size=n).round(3),
            "town": rng.choice(["Bonn", "Ulm", "Rome"], n),
            "day": pd.date_range("2021-01-01", periods=n).astype(str),
            "count": rng.integers(0, 9, n),
            "sold": rng.choice(["yes", "no"], n),
        }
    )


def seeds() -> list[tuple[str, bytes]]:
    """Sound files, by suffix."""
    frame, found = _table(), []
    found.append((".csv", frame.to_csv(index=False).encode()))
    found.append((".csv", frame.to_csv(index=False, sep=";", decimal=",").encode("cp1252")))
    stream = io.BytesIO()
    frame.to_parquet(stream, index=False)
    found.append((".parquet", stream.getvalue()))
    rng = np.random.default_rng(1)
    for arrays in (
        {"X": rng.normal(size=(40, 3)), "y": rng.integers(0, 3, 40)},
        {"X": rng.normal(size=(40, 6, 2)), "y": rng.integers(0, 2, 40), "lengths": rng.integers(1, 7, 40)},
    ):
        stream = io.BytesIO()
        np.savez(stream, **arrays)
        found.append((".npz", stream.getvalue()))
    rows = "\n".join(f"{own:g},{name}" for own, name in zip(frame["size"], frame["town"], strict=True))
    heading = "@relation houses\n@attribute size numeric\n@attribute town {Bonn,Ulm,Rome}\n@data\n"
    found.append((".arff", (heading + rows).encode()))
    return found


def _cells_changed(content: bytes, rng: np.random.Generator) -> bytes:
    lines = content.split(b"\n")
    for _ in range(int(rng.integers(1, 8))):
        row = int(rng.integers(0, len(lines)))
        between = b";" if b";" in lines[0] else b","
        cells = lines[row].split(between)
        cells[int(rng.integers(0, len(cells)))] = CELLS[int(rng.integers(0, len(CELLS)))]
        lines[row] = between.join(cells)
    return b"\n".join(lines)


def _arrays_changed(content: bytes, rng: np.random.Generator) -> bytes:
    """Change the values, shapes or types of arrays, or the heading of one inside of a sound archive."""
    with np.load(io.BytesIO(content)) as held:
        arrays: dict[str, Any] = {name: held[name] for name in held.files}
    name = list(arrays)[int(rng.integers(0, len(arrays)))]
    own, kind = arrays[name], int(rng.integers(0, 7))
    if kind == 0:
        flat = own.reshape(-1).copy()
        wild = [np.nan, np.inf, -1e308, 1e308, -1, 0, 2**62]
        with np.errstate(all="ignore"):
            flat[rng.integers(0, len(flat), 5)] = np.array(wild[int(rng.integers(0, len(wild)))]).astype(own.dtype)
        arrays[name] = flat.reshape(own.shape)
    elif kind == 1:
        arrays[name] = own[: int(rng.integers(0, len(own)))]
    elif kind == 2:
        arrays[name] = own.astype(["f2", "i1", "U5", "c16", "?", "S3", "M8[s]"][int(rng.integers(0, 7))])
    elif kind == 3:
        arrays[name] = own.reshape(-1) if own.ndim > 1 else own[:, None]
    elif kind == 4:
        del arrays[name]
    elif kind == 5:
        arrays[name] = np.full_like(own, own.flat[0])
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for key, value in arrays.items():
            member = io.BytesIO()
            np.save(member, value)
            raw = member.getvalue()
            if kind == 6 and key == name:
                raw = raw[:10] + raw[10:128].replace(b"40", b"99" * int(rng.integers(1, 9))) + raw[128:]
            archive.writestr(f"{key}.npy", raw)
    return stream.getvalue()


def mutations(n: int, seed: int = 0) -> Iterator[tuple[str, bytes]]:
    """Yield n damaged files with their suffixes."""
    rng, bits, sound = np.random.default_rng(seed), random.Random(seed), seeds()
    for number in range(n):
        suffix, content = sound[number % len(sound)]
        if suffix == ".npz" and rng.random() < 0.6:
            yield suffix, _arrays_changed(content, rng)
        elif suffix in (".csv", ".arff") and rng.random() < 0.6:
            yield suffix, _cells_changed(content, rng)
        else:
            yield suffix, damaged(bits, content)


def outcome(suffix: str, content: bytes) -> str:
    """Read a file as a task: "" if it is one, else the line that refuses it."""
    from nas.errors import InputError
    from nas.tasks.files.loading import named_file, read_file

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"mutant{suffix}"
        path.write_bytes(content)
        try:
            task = read_file(named_file(str(path))).task
        except InputError as error:
            line = str(error)
            assert line
            assert "\n" not in line, line
            return line
    assert np.isfinite(task.inputs.numpy()).all()
    return ""
