"""Damage to the bytes of any file, always the same for one seed."""

import io
import json
import random
import re
import zipfile
from collections.abc import Callable, Iterator
from typing import Any

__all__ = ["MUTATORS", "damaged", "places_of", "with_value", "zip_of"]

NUMBERS = ("-1", "0", "1e999", "-1e308", "nan", "inf", "9" * 40, "9" * 5000, "1000000000", "2147483648", "0x10", "1.5")
PIECES = (
    b"\x00", b"\xff", b"<", b">", b'"', b"&", b"]]>", b"<!--", b"[", b"{", b",", b"\n", b"\r", b"%", b"#", b"\xc3",
    b"<a>", b"<graph>", b"<node id='x'>", b"&lol;", b"<data key='layer'>", b"{}", b"[[[[", b"null", b"-", b"e",
)  # fmt: skip
WILD = (
    None, True, -1, 0, 1, 2**31, 2**63, 10**30, 1.5, 1e308, -1e308, 1e-320, float("nan"), float("inf"), "", "x" * 5000,
    "../../etc/passwd", "\x1b[31m\n", "none", [], [[]], [1, 2, 3], {}, {"a": 1},
)  # fmt: skip
"""What may stand in place of any value of a document."""


def flip_bits(rng: random.Random, content: bytes) -> bytes:
    altered = bytearray(content)
    for _ in range(rng.choice((1, 1, 2, 8))):
        if altered:
            altered[rng.randrange(len(altered))] ^= 1 << rng.randrange(8)
    return bytes(altered)


def truncate(rng: random.Random, content: bytes) -> bytes:
    return content[: rng.randrange(len(content) + 1)]


def insert(rng: random.Random, content: bytes) -> bytes:
    place = rng.randrange(len(content) + 1)
    return content[:place] + rng.choice(PIECES) * rng.choice((1, 1, 3, 100)) + content[place:]


def exchange_block(rng: random.Random, content: bytes) -> bytes:
    """Write random bytes over a block, leave it out, double it, or keep nothing else."""
    at, size = rng.randrange(len(content) + 1), rng.randrange(1, 64)
    block = rng.randbytes(size)
    return rng.choice(
        (
            content[:at] + block + content[at + size :],
            content[:at] + content[at + size :],
            content[:at] + content[at : at + size] + content[at:],
            block * rng.randrange(1, 1000),
        )
    )


def shuffle_pieces(rng: random.Random, content: bytes) -> bytes:
    """Repeat, drop or exchange what stands between line ends, tags, or commas."""
    pieces = re.split(rng.choice((rb"(\n)", rb"(<)", rb"(,)", rb"( )")), content)
    first, second = rng.randrange(len(pieces)), rng.randrange(len(pieces))
    action = rng.randrange(3)
    if action == 0:
        pieces.insert(first, pieces[second])
    elif action == 1:
        del pieces[min(first, second) : min(first, second) + 2]
    else:
        pieces[first], pieces[second] = pieces[second], pieces[first]
    return b"".join(pieces)


def replace_number(rng: random.Random, content: bytes) -> bytes:
    found = list(re.finditer(rb"-?\d+(\.\d+)?", content))
    if not found:
        return content
    match = rng.choice(found)
    return content[: match.start()] + rng.choice(NUMBERS).encode() + content[match.end() :]


def replace_word(rng: random.Random, content: bytes) -> bytes:
    found = list(re.finditer(rb"[A-Za-z_]+", content))
    if len(found) < 2:
        return content
    one, other = rng.choice(found), rng.choice(found)
    return content[: one.start()] + other[0] + content[one.end() :]


def encode_otherwise(rng: random.Random, content: bytes) -> bytes:
    encoding = rng.choice(("utf-16", "utf-16-le", "utf-32", "utf-8-sig", "cp037"))
    text = content.decode("latin-1")
    if rng.random() < 0.5:
        text = text.replace("utf-8", rng.choice((encoding, "utf-7", "rot13", "unicode_escape", "shift_jis", "zip")))
    return text.encode(encoding, "replace") if rng.random() < 0.7 else text.encode("latin-1")


def swap_members(rng: random.Random, content: bytes) -> bytes:
    """Exchange, drop or break the members of an archive."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            members = {name: archive.read(name) for name in archive.namelist()}
    except Exception:
        return content
    one, other = rng.choice(list(members)), rng.choice(list(members))
    action = rng.randrange(4)
    if action == 0:
        members[one], members[other] = members[other], members[one]
    elif action == 1:
        del members[one]
    else:
        members[one] = rng.choice((flip_bits, truncate, insert, replace_number))(rng, members[one])
    return zip_of(members)


Mutator = Callable[[random.Random, bytes], bytes]

MUTATORS: tuple[Mutator, ...] = (
    flip_bits,
    truncate,
    insert,
    exchange_block,
    shuffle_pieces,
    replace_number,
    replace_number,
    replace_word,
    encode_otherwise,
    swap_members,
)


def damaged(rng: random.Random, content: bytes) -> bytes:
    """Return a file that was damaged once, or several times."""
    for _ in range(rng.choice((1, 1, 1, 2, 4))):
        content = rng.choice(MUTATORS)(rng, content)
    return content


def zip_of(members: dict[str, bytes]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return file.getvalue()


def places_of(value: Any, place: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield where every part of a JSON document stands."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, part in inner:
        yield (*place, key)
        yield from places_of(part, (*place, key))


def with_value(document: Any, place: tuple[Any, ...], value: object) -> Any:
    """Return a JSON document with another value at a place."""
    found = json.loads(json.dumps(document))
    part = found
    for key in place[:-1]:
        part = part[key]
    part[place[-1]] = value
    return found
