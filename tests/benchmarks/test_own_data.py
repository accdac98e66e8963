"""Tables as users have them: each is read, and searched by one command that is told the target alone."""

import json
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest
from command_line import wirenas

from nas import load_pipeline

NAMES = ("wine", "iris in parquet", "cancer with holes", "diabetes", "European decimals", "300 classes", "30 rows",
         "reviews", "200,000 rows")  # fmt: skip


@pytest.fixture
def tables(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    pytest.importorskip("pyarrow")
    monkeypatch.syspath_prepend(str(Path(__file__).resolve().parents[2]))
    found = import_module("benchmarks.own_tables")
    make, target = found.BUNDLED["200,000 rows"]
    monkeypatch.setitem(found.BUNDLED, "200,000 rows", (lambda folder: make(folder, 5_000), target))
    return found


@pytest.mark.slow
def test_every_table_is_understood(tables: ModuleType, tmp_path: Path):
    assert tuple(tables.BUNDLED) == NAMES
    told: dict[str, str] = {}
    for name, (make, target) in tables.BUNDLED.items():
        code, out, err = wirenas("data", make(tmp_path), "--target", target, "--json")
        assert (code, err) == (0, ""), name
        preview = json.loads(out)
        assert min(preview["parts"][part] for part in ("train", "validation", "test")) > 0
        told |= {f"{name}: {column}": line for column, line in preview["columns"].items()}
    assert told["cancer with holes: patient_id"].startswith("every row has its own")
    assert told["cancer with holes: site"].startswith("constant")
    assert told["cancer with holes: mean area"].endswith("missing: the median and a mark")
    assert told["European decimals: Größe"] == "numbers with decimal commas"
    assert told["European decimals: Datum"].startswith("dates (%d.%m.%Y): days, year, week")
    assert told["European decimals: Preis"].startswith("target: numbers to predict")
    assert told["300 classes: label"].startswith("target: 300 classes")
    assert told["reviews: weight"].startswith("numbers; ")
    assert told["reviews: text"].startswith("texts")


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::nas.DataWarning")
@pytest.mark.parametrize("name", NAMES)
def test_one_command_is_enough(tables: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str):
    monkeypatch.chdir(tmp_path)
    make, target = tables.BUNDLED[name]
    task = make(Path())
    code, _, err = wirenas("run", "--task", task, "--target", target, "--trials", 2, "--final-seeds", 1, "--epochs", 3)
    assert (code, "Traceback" in err) == (0, False)
    (folder,) = Path("results").iterdir()
    code, out, _ = wirenas("apply", folder, task.partition(":")[2], "--json")
    assert code == 0
    assert json.loads(out)["predictions"] == load_pipeline(folder).predict(task.partition(":")[2]).tolist()
