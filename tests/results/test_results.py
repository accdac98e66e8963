"""results/ says how it was made, and can be made again: parts that take little time are, by `make results-check`."""

import csv
import json
import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from benchmarks.results import INSTRUCTION_SET, RESULTS, ROOT, Product, page, products, records, run
from nas.training.extension import extension

RECOMPUTES = os.environ.get("WIRENAS_TEST_RESULTS") == "recompute"
CLOCKS = {"seconds", "choosing", "overhead", "versions"}
"""What a clock says is another thing every time, and versions need not be those of then."""
PLACES = {"out", "study"}
OWN = {"README.md", "products.toml", "made.json"}


def tracked() -> set[str]:
    listed = subprocess.run(["git", "ls-files", "-z", "results"], cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode:
        pytest.skip("no clone of the repository: which files are kept is not known")
    return {name.removeprefix("results/") for name in listed.stdout.split("\0") if name} - OWN


def test_every_file_belongs_to_one_command():
    owned = [file for product in products().values() for file in product.files]
    assert sorted(owned) == sorted(tracked())


@pytest.mark.parametrize("name", products())
def test_how_each_part_was_made_is_noted(name: str):
    record = records()[name]
    assert len(record["commit"]) == 40
    assert {"command", "date", "machine", "versions", "environment"} <= record.keys()
    # What was made by another command says why it still holds.
    assert record["command"] == products()[name].command or record["why"]
    assert len(record.get("why", "").split()) != 1


def test_commits_are_in_the_history():
    if not RECOMPUTES or (ROOT / ".git" / "shallow").exists() or not (ROOT / ".git").exists():
        pytest.skip("asked by make results-check, in a full clone: others do not know the history")
    for name, record in records().items():
        found = subprocess.run(["git", "merge-base", "--is-ancestor", record["commit"], "HEAD"], cwd=ROOT, check=False)
        assert found.returncode == 0, f"{name} was made by {record['commit']}, which HEAD does not follow"


def test_the_page_is_written_from_what_is_noted():
    assert (RESULTS / "README.md").read_text(encoding="utf-8") == page()


# Made again


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return [{name: value for name, value in row.items() if name not in CLOCKS} for row in csv.DictReader(file)]


def document(path: Path) -> dict[str, Any]:
    return without_clocks(json.loads(path.read_text(encoding="utf-8")))


def without_clocks(found: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in found.items() if name not in CLOCKS | PLACES | {"predictor"}}


@pytest.fixture
def recomputing() -> None:
    if not RECOMPUTES:
        pytest.skip("takes minutes: make results-check")
    if extension() is None or INSTRUCTION_SET not in extension().instruction_sets():
        pytest.fail(f"this processor, or this installation, has no {INSTRUCTION_SET}: other bits are expected")


@pytest.mark.timeout(1200)
@pytest.mark.parametrize(
    "product", [own for own in products().values() if own.check == "recompute"], ids=lambda own: own.name
)
@pytest.mark.usefixtures("recomputing")
def test_a_campaign_made_again_is_the_same(tmp_path: Path, product: Product):
    out = tmp_path / product.folder
    run(product, out, tmp_path, tmp_path)
    kept = RESULTS / product.folder
    assert rows(out / "trials.csv") == rows(kept / "trials.csv")
    assert document(out / "best" / "outcome.json") == document(kept / "best" / "outcome.json")


@pytest.mark.timeout(1200)
@pytest.mark.usefixtures("recomputing")
def test_published_regressors_score_the_same_again(shared_data: Path):
    """What takes seconds of a study that takes an hour: two rows of its table, for all four cells."""
    from nas.studies.published_rnns import CELLS, FOLDS, REPEATS, _published_fit, read_cell
    from predictors.fitting import plain_fit
    from predictors.validation import estimate_r2, out_of_fold, repeated_folds

    kept = json.loads((RESULTS / "published-rnns" / "published-rnns.json").read_text(encoding="utf-8"))
    for name in CELLS:
        cell = read_cell(shared_data, name)
        parts = repeated_folds(len(cell.y), FOLDS, REPEATS, seed=0)
        for row, fit, columns in (
            ("BayesianRidge", _published_fit("BayesianRidge"), cell.published),
            ("source nodes alone", plain_fit, cell.published[:, [3]]),
        ):
            score = estimate_r2(cell.y, out_of_fold(fit, columns, cell.y, parts))
            assert score.mean == pytest.approx(kept[name]["r2"][row]["mean"], abs=1e-5), (name, row)
