"""The house stands: storeys and the layers of nas import downwards only; torch and optuna live on the top storey."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import networkx as nx
import pytest

ROOT = Path(__file__).resolve().parents[1]
STOREYS = ("priors", "predictors", "nas")
TOP_ONLY = {"torch", "optuna"}

LAYERS = (
    ("errors", "seeds"),
    ("failures",),
    ("inputs",),
    ("tasks", "networks"),
    ("training",),
    ("apply", "reservoirs"),
    ("zero_cost",),
    ("sparsity",),
    ("space",),
    ("options",),
    ("store",),
    ("samplers",),
    ("evaluation",),
    ("prediction",),
    ("report",),
    ("structure",),
    ("comparison",),
    ("shared",),
    ("campaign",),
    ("estimators",),
    ("survey",),
    ("studies",),
    ("dashboard",),
    ("cli",),
)
"""Modules and folders of nas, the lowest first; each imports from those before it, and none beside it."""

TOUCH_EVERYTHING = """
import importlib, sys
for storey in ("priors", "predictors"):
    package = importlib.import_module(storey)
    for name in getattr(package, "__all__", ()):
        getattr(package, name)
print(*sorted({"torch", "optuna"} & set(sys.modules)))
"""


def imported(source: str) -> Iterator[tuple[int, str]]:
    """Yield line and top-level package of every absolute import, wherever in the file it stands."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name.split(".")[0]) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            yield node.lineno, (node.module or "").split(".")[0]


def test_imports_are_found_wherever_they_stand():
    source = "import os.path as p, torch.nn\ndef f():\n    from optuna.x import y\nfrom . import z\nfrom .a import b\n"
    assert sorted(imported(source)) == [(1, "os"), (1, "torch"), (3, "optuna")]


@pytest.mark.parametrize("storey", STOREYS)
def test_storeys_import_downwards_only(storey: str):
    above = set(STOREYS[STOREYS.index(storey) + 1 :])
    forbidden = above if storey == "nas" else above | TOP_ONLY
    files = sorted((ROOT / storey).rglob("*.py"))
    assert files, f"{storey} holds no Python file"
    wrong = [
        f"{path.relative_to(ROOT)}:{line} imports {package}"
        for path in files
        for line, package in imported(path.read_text(encoding="utf-8"))
        if package in forbidden
    ]
    assert wrong == []


def test_lower_storeys_load_without_torch_and_optuna():
    done = subprocess.run(
        [sys.executable, "-c", TOUCH_EVERYTHING], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == []


# Layers inside nas


def modules_of(root: Path, package: str) -> dict[str, Path]:
    """Return the files of a package by the names of their modules."""
    files = sorted((root / package).rglob("*.py"))
    names = [".".join(path.relative_to(root).with_suffix("").parts).removesuffix(".__init__") for path in files]
    return dict(zip(names, files, strict=True))


def imported_modules(path: Path, modules: dict[str, Path]) -> Iterator[tuple[int, str]]:
    """Yield line and name of every module of a package that a file imports, wherever in it; the package's own aside."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            inner = [f"{node.module}.{alias.name}" for alias in node.names]
            found = [name if name in modules else node.module for name in inner]
        else:
            continue
        yield from ((node.lineno, name) for name in found if name in modules and "." in name)


def upward_imports(root: Path) -> list[str]:
    """Return a line on every import between the layers of nas that does not lead downwards."""
    height = {name: layer for layer, names in enumerate(LAYERS) for name in names}
    modules = modules_of(root, "nas")
    wrong = []
    for name, path in modules.items():
        if name in ("nas", "nas.__main__"):
            continue  # What everybody sees may come from anywhere.
        own = name.split(".")[1]
        for line, target in imported_modules(path, modules):
            other = target.split(".")[1]
            if own != other and height[other] >= height[own]:
                wrong.append(f"{path.relative_to(root)}:{line} imports {target}")
    return wrong


def cycles_of(root: Path) -> list[set[str]]:
    """Return the cycles among the modules of nas, and among its folders."""
    modules = modules_of(root, "nas")
    edges = [(name, target) for name, path in modules.items() for _, target in imported_modules(path, modules)]
    edges = [(name, target) for name, target in edges if name != "nas"]
    found: list[set[str]] = []
    for depth in (None, 2):
        graph: nx.DiGraph[str] = nx.DiGraph()
        cut = [tuple(".".join(name.split(".")[:depth]) for name in edge) for edge in edges]
        graph.add_edges_from((one, other) for one, other in cut if one != other)
        found += [part for part in nx.strongly_connected_components(graph) if len(part) > 1]
    return found


def test_layers_import_downwards_only():
    assert upward_imports(ROOT) == []


def test_nas_has_no_cycles():
    assert cycles_of(ROOT) == []


def test_everything_in_nas_has_its_layer():
    named = {name for names in LAYERS for name in names}
    there = {path.stem for path in (ROOT / "nas").iterdir() if path.suffix == ".py" or (path / "__init__.py").is_file()}
    assert there - {"__init__", "__main__"} == named
    assert len([path for path in (ROOT / "nas").iterdir() if path.suffix == ".py"]) <= 7


@pytest.mark.parametrize(
    "line", ["import nas.cli.app", "from nas.cli import app", "def f():\n    from nas.cli.app import main"]
)
def test_an_upward_import_is_found_wherever_it_stands(tmp_path: Path, line: str):
    for folder in ("store", "cli"):
        (tmp_path / "nas" / folder).mkdir(parents=True)
        (tmp_path / "nas" / folder / "__init__.py").touch()
    (tmp_path / "nas" / "__init__.py").touch()
    (tmp_path / "nas" / "cli" / "app.py").write_text("from nas.store import study\n", encoding="utf-8")
    study = tmp_path / "nas" / "store" / "study.py"
    study.touch()
    assert (upward_imports(tmp_path), cycles_of(tmp_path)) == ([], [])
    study.write_text(line, encoding="utf-8")
    number = 1 + line.count("\n")
    assert upward_imports(tmp_path) == [f"nas/store/study.py:{number} imports nas.cli.app"]
    assert {"nas.store", "nas.cli"} in cycles_of(tmp_path)


def test_the_page_on_architecture_names_the_layers():
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    places = [text.index(f"| `{name}` |") for names in LAYERS for name in names]
    assert places == sorted(places)
