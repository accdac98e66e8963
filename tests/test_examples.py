"""Every public name of the three packages has an example in its docstring, and all examples run."""

import ast
import doctest
import importlib
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("priors", "predictors", "nas")
FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE

SHOWN_BY = {
    "ATTACHMENTS": "attach",
    "FAMILIES": "Prior",
    "FEATURES": "Feature",
    "FORMATS": "read_wiring",
    "MERGES": "read_wiring",
    "MOVES": "edit",
    "NULLS": "NullModel",
    "ORIENTATIONS": "orient",
    "PRIORS": "Prior",
    "READ_FEATURES": "read_names",
    "READ_INS": "draw_reads",
    "TIERS": "names_of",
}
"""Constants, which have no docstrings, by the name whose example uses them."""

NEED_A_SERVER = {"nas.campaign.worker.Worker"}
"""Names whose examples do not run here."""


def public_names() -> list[str]:
    every = [(package, name) for package in PACKAGES for name in importlib.import_module(package).__all__]
    return [f"{package}.{name}" for package, name in every if name != "__version__"]


def modules_with_examples() -> list[str]:
    files = [file for package in PACKAGES for file in sorted((ROOT / package).rglob("*.py"))]
    with_examples = [file.relative_to(ROOT) for file in files if ">>> " in file.read_text(encoding="utf-8")]
    return [".".join(file.with_suffix("").parts) for file in with_examples]


def examples_in(module: str) -> dict[str, doctest.DocTest]:
    """Return the examples in a module by the full name of what they are of; each starts with no name defined."""
    tests = doctest.DocTestFinder().find(importlib.import_module(module), globs={})
    return {test.name: test for test in tests if test.examples}


@pytest.mark.parametrize("public", public_names())
def test_a_public_name_has_an_example(public: str):
    package, name = public.split(".")
    shown: Any = getattr(importlib.import_module(package), SHOWN_BY.get(name, name))
    assert callable(shown), f"{public} is a constant: give SHOWN_BY the name whose example uses it"
    full_name = f"{shown.__module__}.{shown.__name__}"
    found = examples_in(shown.__module__).get(full_name)
    assert found is not None, f"{full_name} has no example in its docstring"
    if name in SHOWN_BY:
        nodes = [node for example in found.examples for node in ast.walk(ast.parse(example.source))]
        used = {node.id for node in nodes if isinstance(node, ast.Name)}
        assert name in used, f"no example of {full_name} uses {name}"
    is_skipped = any(doctest.SKIP in example.options for example in found.examples)
    assert is_skipped == (full_name in NEED_A_SERVER)


@pytest.mark.parametrize("module", modules_with_examples())
def test_examples_run(module: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    if module.startswith("nas."):
        for plot in ("plot_progress", "plot_reads", "plot_wiring"):  # Longer than all the rest of a tiny campaign.
            monkeypatch.setattr(f"nas.report.output.{plot}", lambda *_: None)
    said: list[str] = []
    for test in examples_in(module).values():
        doctest.DocTestRunner(optionflags=FLAGS).run(test, out=said.append)
    assert not said, "".join(said)
