"""What stands in results/: which command makes it, and by which commit, on which machine and when it was made.

Run from the repository's root: ``python -m benchmarks.results make NAME...`` makes parts of results/ again, in an
environment that is meant to give the same bits on x86-64 processors with AVX2, and notes how in ``results/made.json``.
"""

from __future__ import annotations

import argparse
import json
import os
import shlex
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.report import cpu_name
from nas.training.extension import describe_machine, instruction_set
from priors.files import atomic_write

__all__ = ["MADE", "RESULTS", "ROOT", "Product", "environment", "page", "products", "records", "run"]

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "results"
MADE = RESULTS / "made.json"
INSTRUCTION_SET = "x86-64-v3"
_PAGE = """\
# Results

What campaigns and studies wrote. A campaign's folder holds the resolved options (`campaign.toml`), all trials
(`trials.csv`), a plot, and in `best/` the card and the outcome as JSON; the study and the weights are not kept here,
the command makes them again. `{{out}}` is the folder, `{{data}}` one of published data (`stier2021`, MNIST and
Fashion-MNIST), `{{atlas}}` where surveys lie, or go.

| what | made by | by commit, when, on which machine |
| --- | --- | --- |
{table}

`python -m benchmarks.results make NAME` makes a part again (names and commands: `products.toml`) and notes commit,
date, machine, versions and environment in `made.json`. What is not about time is made with one instruction set
(`WIRENAS_INSTRUCTION_SET=x86-64-v3 OPENBLAS_CORETYPE=Haswell`, and numpy's wider ones disabled), so that it can be made
again bit for bit on x86-64 processors with AVX2 or more; that was tried on the one that is named here. Others give
other last digits, from which searches and trainings go other ways. `make results-check` makes the campaigns again and
compares all trials and outcomes to the last digit, renders every study's page from its numbers, and compares every
number in the project's README with its file.

{notes}
"""
_CODE = ("priors", "predictors", "nas", "wirenas", "benchmarks", "CMakeLists.txt", "pyproject.toml", "constraints.txt")


@dataclass(frozen=True)
class Product:
    """A part of results/.

    Parameters
    ----------
    name : str
    files : tuple of str
        Below results/.
    command : str
        With places for {out}, {data} and {atlas}; several with && between.
    check : str
        "recompute" where every check makes it again.
    needs : str
        The instruction set that a benchmark is about, where it is not that of any machine.
    """

    name: str
    files: tuple[str, ...]
    command: str
    check: str = ""
    needs: str = ""

    @property
    def folder(self) -> str:
        """Where its files lie, below results/."""
        return self.files[0].partition("/")[0]

    @property
    def is_timed(self) -> bool:
        """Whether it is about time, and uses all that the processor has."""
        return self.command.startswith("python -m benchmarks.")

    def arguments(self, out: Path, data: Path, atlas: Path) -> list[list[str]]:
        """Return the command as arguments for this interpreter, one list for each command of several."""
        places = {"out": str(out), "data": str(data), "atlas": str(atlas)}
        found = []
        for command in self.command.split(" && "):
            first, *rest = [part.format(**places) for part in shlex.split(command)]
            found.append([sys.executable, *(["-m", "nas"] if first == "wirenas" else []), *rest])
        return found


def products() -> dict[str, Product]:
    """Return all parts of results/ by name."""
    document = tomllib.loads((RESULTS / "products.toml").read_text(encoding="utf-8"))
    return {name: Product(name, tuple(own.pop("files")), own.pop("command"), **own) for name, own in document.items()}


def records() -> dict[str, dict[str, Any]]:
    """Return how each part was made, by name: commit, date, machine, seconds, and notes."""
    found: dict[str, dict[str, Any]] = json.loads(MADE.read_text(encoding="utf-8"))
    return found


def environment(*, is_timed: bool = False) -> dict[str, str]:
    """Return what the environment needs for equal bits on all processors with AVX2: one instruction set throughout.

    Compiled parts, BLAS and numpy choose theirs by the processor otherwise.
    """
    chosen = {"OMP_NUM_THREADS": "1"}
    if is_timed:
        return chosen
    from numpy._core._multiarray_umath import __cpu_dispatch__, __cpu_features__

    wider = [name for name in __cpu_dispatch__ if __cpu_features__[name] and name.startswith(("X86_V4", "AVX512"))]
    if wider:
        chosen["NPY_DISABLE_CPU_FEATURES"] = " ".join(wider)
    return {**chosen, "WIRENAS_INSTRUCTION_SET": INSTRUCTION_SET, "OPENBLAS_CORETYPE": "Haswell"}


def run(product: Product, out: Path, data: Path, atlas: Path) -> dict[str, Any]:
    """Run a product's command into a folder, and return how it was made.

    Raises
    ------
    subprocess.CalledProcessError
        If the command fails.
    """
    extra = environment(is_timed=product.is_timed)
    started = time.perf_counter()
    told = ""
    for arguments in product.arguments(out, data, atlas):
        done = subprocess.run(
            arguments,
            cwd=ROOT,
            env={**os.environ, **extra, "WIRENAS_DATA": str(data)},
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
        print(done.stderr, file=sys.stderr)
        done.check_returncode()
        told += done.stderr
    record: dict[str, Any] = {
        "command": product.command,
        "commit": _git("rev-parse", "HEAD"),
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": f"{os.cpu_count()} cores of {cpu_name()}, {extra.get('WIRENAS_INSTRUCTION_SET', instruction_set())}",
        "cores": os.cpu_count(),
        "versions": describe_machine(),
        "environment": extra,
        "seconds": round(time.perf_counter() - started, 1),
    }
    progress = [line for line in told.splitlines() if line.startswith("search: ")]
    return {**record, "progress": progress[-1]} if progress else record


def make(names: Sequence[str], data: Path, atlas: Path) -> None:
    """Make parts of results/ again and note how, one after another."""
    if _git("status", "--porcelain", "--", *_CODE):
        raise SystemExit("uncommitted changes in the code: a result must say which commit made it; commit them first")
    for name in names:
        product = products()[name]
        if product.needs not in ("", instruction_set()):
            raise SystemExit(f"{name}: it is about {product.needs}, and this machine has {instruction_set()}")
        with tempfile.TemporaryDirectory() as folder:
            out = Path(folder) / product.folder
            record = run(product, out, data, atlas)
            keep(product, out)
        note({name: record})


def keep(product: Product, out: Path) -> None:
    """Copy a product's files from the folder where they were made into results/."""
    for file in product.files:
        to = RESULTS / file
        to.parent.mkdir(parents=True, exist_ok=True)
        text = (out / Path(file).relative_to(product.folder)).read_bytes()
        with atomic_write(to) as temporary:
            # Where it was made is nobody's business.
            temporary.write_bytes(text.replace(str(out).encode(), f"results/{product.folder}".encode()))


def note(added: Mapping[str, Mapping[str, Any]]) -> None:
    """Add records to made.json."""
    everything = {**(records() if MADE.is_file() else {}), **added}
    ordered = {name: everything[name] for name in products() if name in everything}
    with atomic_write(MADE) as temporary:
        temporary.write_text(json.dumps(ordered, indent=1) + "\n", encoding="utf-8")
    with atomic_write(RESULTS / "README.md") as temporary:
        temporary.write_text(page(), encoding="utf-8")


def page() -> str:
    """Return results/README.md: what there is, by which command, and how it was made."""
    lines = []
    for name, record in records().items():
        product = products()[name]
        made = f"`{record['commit'][:7]}`, {record['date'][:10]}, {record['machine']}"
        lines.append(f"| {_where(product)} | `{record['command']}` | {made} |")
    notes = [f"- {_where(products()[name])}: {record['why']}" for name, record in records().items() if "why" in record]
    return _PAGE.format(table="\n".join(lines), notes="\n".join(notes))


def _where(product: Product) -> str:
    alone = sum(own.folder == product.folder for own in products().values()) == 1
    return f"`{product.folder}`" if alone else ", ".join(f"`{file}`" for file in product.files[:2])


def _git(*arguments: str) -> str:
    return subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()


def main(arguments: Iterable[str] | None = None) -> int:
    """Make what is asked for."""
    parser = argparse.ArgumentParser(prog="benchmarks.results", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("do", choices=("make",))
    parser.add_argument("names", nargs="+", choices=products(), metavar="NAME", help=", ".join(products()))
    parser.add_argument("--data", type=Path, default=ROOT / "data", help="folder of published data (default: data)")
    parser.add_argument("--atlas", type=Path, default=ROOT / "atlas", help="where surveys lie, or go (default: atlas)")
    options = parser.parse_args(None if arguments is None else list(arguments))
    make(options.names, options.data, options.atlas)
    return 0


if __name__ == "__main__":
    sys.exit(main())
