"""What must not change: commands on tiny inputs, seeded campaigns and public names.

``python tests/golden/golden_cases.py record`` writes what is in ``recorded/`` anew, but for folders that are kept; the
difference is a change that users see, and belongs into the changelog. ``commands``, ``trials`` and ``folders``
print what they give now as JSON; they are run in a process of their own, whose environment makes equal bits on all
x86-64 processors with AVX2.
"""

import csv
import hashlib
import importlib
import inspect
import io
import json
import os
import re
import subprocess
import sys
import tempfile
from contextlib import chdir, redirect_stderr, redirect_stdout
from importlib.metadata import version
from pathlib import Path
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile

ROOT = Path(__file__).resolve().parents[2]
RECORDED = Path(__file__).parent / "recorded"
KEPT = {"1": ("campaign-1", "survey-1", "predictor-1"), "2": ("campaign-1", "survey-2", "predictor-2")}
"""Folders of every version that was ever written, zipped; they are never written anew, and must be read for ever."""
NUMERIC = ("numpy", "scipy", "scikit-learn", "xgboost-cpu", "torch", "optuna", "networkx")
"""Packages whose versions decide about last digits."""

_OF_TIME = ("seconds", "choosing", "storing", "share", "versions")
_SMALL = "--task digits --nodes 8:14 --degree 2:4 --epochs 1 --batch-size 128 --learning-rate 0.01 --seed 3 --threads 1"
_RNN = "--task reber --network rnn --nodes 6:9 --degree 2:4 --epochs 2 --batch-size 256 --seed 3 --threads 1"
_ENDS = "--finalists 1 --final-seeds 2"
COMMANDS = {
    "run": f"run {_SMALL} --trials 24 {_ENDS} --out campaign",
    "run again": "run --task digits --out campaign",
    "status": "status campaign",
    "best": "best campaign",
    "run genetic": f"run {_SMALL} --sampler genetic --startup 4 --trials 12 --max-edges 60 {_ENDS} --out genetic",
    "run pareto": f"run {_SMALL} --sampler nsga2 --objective pareto --trials 12 {_ENDS} --out pareto",
    "run rnn": f"run {_RNN} --cell lstm --sampler tpe --early-stopping median --trials 8 {_ENDS} --out rnn",
    "survey": f"survey {_SMALL} --attachment natural --wirings 24 --seeds 2 --out survey",
    "run warm": f"run {_SMALL} --warm-start survey --attachment natural --trials 6 {_ENDS} --out warm",
    "run with a budget": "run --task digits --budget 200 --ways prior,pruned,rewired,redrawn --epochs 1"
    f" --batch-size 128 --seed 3 --threads 1 --trials 4 {_ENDS} --final-epochs 1 --out budget",
    "status of a survey": "status survey",
    "survey rnn": f"survey {_RNN} --cell tanh --wirings 5 --out rnn-survey",
    "predict": "predict campaign graphs/3.graphml graphs/4.graphml",
    "features": "features graphs/3.graphml graphs/directed.json",
    "fit": "fit table.csv --value value --value again --group lineage --parameter n --orientation index"
    " --bounds 0:1 --tier size --tier structure --out predictor",
    "predict by a fitted one": "predict predictor graphs/5.graphml",
    "validate": "validate predictor --repeats 1 --folds 3",
    "explain": "explain predictor",
    "generate mlp": "generate mlp --prior barabasi-albert --nodes 16 --m 2 --inputs 8 --outputs 3 --seed 5 --out mlp",
    "generate rnn": "generate rnn --prior watts-strogatz --nodes 12 --k 4 --p 0.3 --cell gru --inputs 5 --outputs 2"
    " --structure stack --seed 5 --out rnn-network",
    "generate layered": "generate mlp --prior layered --sizes 6,5 --density 0.5 --inputs 4 --outputs 2 --out layered",
}
"""The arguments of commands by name; each prints one JSON object; later ones read what earlier ones wrote."""
OF_FOLDERS = ("run", "run again", "status", "best", "survey", "predict", "predict by a fitted one", "explain")
"""Commands that find their work done in the folders that are kept; their answers (``folders.json``) never change."""
TRIALS = (
    "run --task digits --nodes 8:12 --degree 2:3 --epochs 1 --batch-size 256 --trials 40 --finalists 1 --final-seeds 1"
)


def environment() -> dict[str, str]:
    """Return an environment for equal bits on all x86-64 processors with AVX2."""
    from numpy._core._multiarray_umath import __cpu_dispatch__, __cpu_features__

    wider = [name for name in __cpu_dispatch__ if __cpu_features__[name] and name.startswith(("X86_V4", "AVX512"))]
    return {
        **os.environ,
        **({"NPY_DISABLE_CPU_FEATURES": " ".join(wider)} if wider else {}),
        "ATEN_CPU_CAPABILITY": "default",
        "MKL_CBWR": "COMPATIBLE",
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_CORETYPE": "Haswell",
        "PYTHONPATH": str(ROOT),
        "WIRENAS_INSTRUCTION_SET": "x86-64-v3",
    }


def measured(what: str, folder: Path) -> Any:
    """Return what a subprocess says of ``commands``, ``trials`` or ``folders``, made in a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    done = subprocess.run(
        [sys.executable, __file__, what],
        cwd=folder,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout)


def installed() -> dict[str, str]:
    """Return the versions that decide about last digits."""
    return {name: version(name) for name in NUMERIC}


def signatures() -> dict[str, dict[str, str]]:
    """Return the public names of the packages, each with its signature and those of its public methods."""
    packages = ("priors", "predictors", "nas", "nas.tasks")
    return {name: _signatures_of(importlib.import_module(name)) for name in packages}


def _signatures_of(package: Any) -> dict[str, str]:
    found: dict[str, str] = {}
    for name in sorted(package.__all__):
        value = getattr(package, name)
        if not inspect.isclass(value):
            found[name] = _signature(value) if callable(value) else type(value).__name__
            continue
        found[name] = " ".join(base.__name__ for base in value.__bases__)
        if hasattr(value, "model_fields"):
            fields = value.options() if hasattr(value, "options") else value.model_fields
            found |= {f"{name}.{own}": f"{field.default!r}: {field.description}" for own, field in fields.items()}
        elif not issubclass(value, Exception):
            found[name] += _signature(value)
        for own, method in sorted(vars(value).items()):
            if not own.startswith(("_", "model_")):
                is_called = callable(getattr(value, own))
                found[f"{name}.{own}"] = _signature(getattr(value, own)) if is_called else type(method).__name__
    return found


def _signature(function: Any) -> str:
    """Return the parameters of a function with their defaults, as a caller sees them."""
    signature = inspect.signature(function)
    bare = [parameter.replace(annotation=parameter.empty) for parameter in signature.parameters.values()]
    return re.sub(r" at 0x\w+", "", str(signature.replace(parameters=bare, return_annotation=signature.empty)))


def call(arguments: str, *more: str) -> str:
    """Call the command line in this process, and return what it prints."""
    from wirenas.__main__ import main

    out, err = io.StringIO(), io.StringIO()
    sys.argv = ["wirenas", *arguments.split(), *more]
    with redirect_stdout(out), redirect_stderr(err):
        try:
            main()
        except SystemExit as ended:
            if ended.code:
                raise RuntimeError(f"{arguments}: {err.getvalue()}") from None
    return out.getvalue()


def without_time(value: Any) -> Any:
    """Return a JSON object without what takes another time each time."""
    if isinstance(value, dict):
        return {name: without_time(own) for name, own in value.items() if name not in _OF_TIME}
    return [without_time(own) for own in value] if isinstance(value, list) else value


def read_trials(path: Path) -> list[list[str]]:
    """Return the header and the lines of a file of trials, without what takes another time each time."""
    with path.open(newline="", encoding="utf-8") as file:
        header, *lines = csv.reader(file)
    kept = [index for index, name in enumerate(header) if name not in _OF_TIME]
    return [[line[index] for index in kept] for line in [header, *lines]]


def _commands() -> dict[str, Any]:
    _write_inputs()
    return {name: without_time(json.loads(call(COMMANDS[name], "--json"))) for name in COMMANDS}


def _folders() -> dict[str, Any]:
    """Use the folders that are kept: what is complete is not done again, and predictors answer as they did."""
    found = {}
    for kept, names in KEPT.items():
        Path(kept).mkdir()
        with chdir(kept):
            _write_inputs()
            for name in names:
                with ZipFile(RECORDED / f"{name}.zip") as archive:
                    archive.extractall()
            before = _contents()
            answers = {name: without_time(json.loads(call(COMMANDS[name], "--json"))) for name in OF_FOLDERS}
            after = _contents()
        changed = sorted(name for name in before if after.get(name) != before[name])
        found[kept] = {"answers": answers, "changed": changed}
    return found


def _contents() -> dict[str, str]:
    """Return the digests of what campaigns and surveys have stored."""
    files = [Path("campaign/study.db"), Path("campaign/trials.csv"), *Path("survey/parts").iterdir()]
    return {str(file): hashlib.sha256(file.read_bytes()).hexdigest() for file in files}


def _trials() -> dict[str, Any]:
    found = {}
    for engine in ("native", "torch"):
        for threads in ("1", "2"):
            out = f"{engine}-{threads}"
            call(TRIALS, "--engine", engine, "--threads", threads, "--out", out, "--json")
            found[out] = read_trials(Path(out, "trials.csv"))
    return found


def _write_inputs() -> None:
    """Write 36 graphs and a table of them, whose values grow with the number of nodes."""
    import networkx as nx

    Path("graphs").mkdir()
    rows = ["graph,value,again,lineage,n"]
    for number in range(36):
        n = 8 + number % 9
        nx.write_graphml(nx.gnm_random_graph(n, 2 * n, seed=number), f"graphs/{number}.graphml")
        value = 0.4 + 0.02 * n + 0.003 * (number * 7 % 5)
        rows.append(f"graphs/{number}.graphml,{value:.6f},{value + 0.004 * (-1) ** number:.6f},{number // 2},{n}")
    Path("table.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    text = json.dumps(nx.node_link_data(nx.gnp_random_graph(11, 0.3, seed=4, directed=True), edges="edges"))
    Path("graphs/directed.json").write_text(text, encoding="utf-8")


def _record() -> None:
    with tempfile.TemporaryDirectory() as folder:
        made = {what: measured(what, Path(folder, what)) for what in ("commands", "trials")}
        for name in (name for names in KEPT.values() for name in names):
            if (RECORDED / f"{name}.zip").exists():
                continue
            with ZipFile(RECORDED / f"{name}.zip", "w", ZIP_DEFLATED) as archive:
                for file in sorted(Path(folder, "commands", name.partition("-")[0]).rglob("*")):
                    if file.is_file() and file.suffix != ".png" and file.name != ".lock":
                        archive.write(file, file.relative_to(Path(folder, "commands")))
    for engine in ("native", "torch"):
        with (RECORDED / f"trials-{engine}.csv").open("w", newline="", encoding="utf-8") as file:
            csv.writer(file, lineterminator="\n").writerows(made["trials"][f"{engine}-1"])
    for name, found in {"commands": made["commands"], "signatures": signatures(), "versions": installed()}.items():
        text = json.dumps(found, indent=1, ensure_ascii=False) + "\n"
        (RECORDED / f"{name}.json").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    what = {"commands": _commands, "trials": _trials, "folders": _folders, "record": _record}[sys.argv[1]]()
    if what is not None:
        json.dump(what, sys.stdout)
