"""The face of the package: lazy names that agree with each other, and the registry of priors."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import priors
from priors.wiring import Wiring

PARAMETERS = {
    "watts-strogatz": {"n": 12, "k": 4, "p": 0.2},
    "barabasi-albert": {"n": 12, "m": 2},
    "erdos-renyi": {"n": 12, "p": 0.2},
    "layered": {"sizes": (3, 4, 2), "density": 0.5},
}


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


def test_the_registry_knows_every_prior_by_its_family():
    assert {name: prior.family for name, prior in priors.PRIORS.items()} == {name: name for name in priors.PRIORS}
    assert set(PARAMETERS) == set(priors.PRIORS)


@pytest.mark.parametrize("family", PARAMETERS)
def test_every_prior_keeps_the_contract(family: str):
    prior = priors.PRIORS[family](**PARAMETERS[family])
    assert isinstance(prior.sample(), Wiring)
    assert prior.sample(3) == prior.sample(3) != prior.sample(4)
    assert prior == priors.PRIORS[family](**PARAMETERS[family])
    assert hash(prior) == hash(priors.PRIORS[family](**PARAMETERS[family]))
    with pytest.raises(AttributeError):
        prior.n = 3
