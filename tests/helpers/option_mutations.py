"""Option files that are damaged on purpose."""

import random
import tempfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import tomli_w
from damage import WILD, damaged, places_of, with_value
from folder_mutations import first_refusal

HOSTILE = (
    b"x = " + b"[" * 100_000,
    b"x = " + b"{a=" * 100_000,
    b"trials = " + b"9" * 5000,
    b".".join([b"a"] * 5000) + b" = 1",
    b"[" + b".".join([b"a"] * 5000) + b"]\nx = 1",
    b"[[a]]\n" * 20_000,
    b"a = 1\n" * 20_000,
    b"trials = 1" + b"\n" * 2**22,
    b"trials = 0x" + b"f" * 5000,
    b'task = "' + b"x" * 2**21 + b'"',
    b"trials = 1e999",
    b"out = '\x1b[31m'\n",
    b"seed = -" + b"1" * 400,
    b"[space]\nnodes = [" + b"1," * 100_000 + b"]",
)


@cache
def seeds() -> list[tuple[str, bytes]]:
    from nas.options.options import CampaignOptions, explained_options

    text = explained_options(CampaignOptions()).encode()
    return [(".toml", text), (".toml", b'trials = 3\n[space]\nnodes = [8, 20]\npriors = ["watts-strogatz"]\n')]


def mutations(number: int, seed: int = 0) -> Iterator[tuple[str, bytes]]:
    import tomllib

    rng = random.Random(seed)
    sound = seeds()
    for place in range(number):
        suffix, content = rng.choice(sound)
        if seed == 0 and place < len(HOSTILE):
            yield suffix, HOSTILE[place]
        elif rng.random() < 0.5:
            yield suffix, damaged(rng, content)
        else:
            yield suffix, _changed(rng, tomllib.loads(content.decode()))


def _changed(rng: random.Random, document: dict[str, Any]) -> bytes:
    while True:
        places = list(places_of(document))
        try:
            return tomli_w.dumps(with_value(document, rng.choice(places), rng.choice(WILD))).encode()
        except TypeError:  # TOML has no null.
            continue


def outcome(suffix: str, content: bytes) -> str:
    with tempfile.TemporaryDirectory() as folder:
        path, out = Path(folder) / "campaign.toml", Path(folder) / "out"
        path.write_bytes(content)
        out.mkdir()
        (out / "campaign.toml").write_bytes(content)
        return first_refusal(("run", path, "--print-toml"), ("run", "--out", out, "--trials", 3, "--print-toml"))
