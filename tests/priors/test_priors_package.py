"""The face of the package: lazy names that agree with each other, and the registry of priors."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import priors


def test_the_lists_of_names_agree():
    tree = ast.parse(Path(priors.__file__).read_text())
    checked = {
        alias.asname or alias.name: node.module
        for block in ast.walk(tree)
        if isinstance(block, ast.If)
        for node in block.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    assert checked == {name: f"priors.{module}" for name, module in priors._MODULES.items()}
    assert set(checked) == set(priors.__all__)
    assert set(priors.__all__) <= set(dir(priors))


def test_every_name_loads_from_its_module():
    for name in priors.__all__:
        value = getattr(priors, name)
        assert getattr(value, "__module__", f"priors.{priors._MODULES[name]}") == f"priors.{priors._MODULES[name]}"
    with pytest.raises(AttributeError, match="has no attribute 'Wirings'"):
        priors.__getattr__("Wirings")


def test_importing_the_package_imports_nothing_else():
    heavy = "{'numpy', 'scipy', 'networkx'}"
    script = f"import sys, priors; sys.exit(bool({heavy} & set(sys.modules)))"
    folder = Path(priors.__file__).parents[1]
    assert subprocess.run([sys.executable, "-c", script], cwd=folder, check=False).returncode == 0


def test_the_registry_imports_no_prior_before_it_is_asked_for():
    script = "import sys, priors.registry; sys.exit('numpy' in sys.modules)"
    folder = Path(priors.__file__).parents[1]
    assert subprocess.run([sys.executable, "-c", script], cwd=folder, check=False).returncode == 0
    assert {name: prior.family for name, prior in priors.PRIORS.items()} == {name: name for name in priors.FAMILIES}
