"""A predictor comes back as it was, bit by bit; whatever is wrong with its files is said in a line."""

import errno
import hashlib
import json
import os
import random
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from damage import damaged
from predictor_cases import drawn, fitted
from safetensors.numpy import load as from_bytes
from safetensors.numpy import save as to_bytes

from predictors import Predictor
from predictors.storage import FILE, signed

pytestmark = pytest.mark.usefixtures("small_forests")

MUTATIONS = int(os.environ.get("WIRENAS_TEST_FOLDERS", "300"))


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("predictor")
    fitted().save(folder)
    return folder


def arrays_file(folder: Path) -> Path:
    (found,) = folder.glob("arrays-*.safetensors")
    return found


def test_a_fresh_process_predicts_the_same_bits(saved: Path):
    code = (
        "import sys; from predictor_cases import drawn\n"
        "from predictors import Predictor\n"
        "own = Predictor.load(sys.argv[1]); wirings, _ = drawn(40, seed=21)\n"
        "mean, std = own.predict(wirings, return_std=True); low, high = own.interval(wirings)\n"
        "print(b''.join(a.tobytes() for a in (mean, std, low, high)).hex())"
    )
    arguments = [sys.executable, "-c", code, str(saved)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(arguments, env=environment, capture_output=True, text=True, check=True)
    wirings, _ = drawn(40, seed=21)
    mean, std = fitted().predict(wirings, return_std=True)
    low, high = fitted().interval(wirings)
    assert done.stdout.strip() == b"".join(a.tobytes() for a in (mean, std, low, high)).hex()


@pytest.mark.parametrize("has_older", [False, True])
def test_a_full_disk_leaves_no_half_of_a_predictor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, has_older: bool):
    if has_older:
        fitted().save(tmp_path)
    before, write = sorted(tmp_path.iterdir()), Path.write_bytes

    def full(path: Path, content: bytes) -> int:
        if content.startswith(b"{"):
            raise OSError(errno.ENOSPC, "No space left on device")
        return write(path, content)

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(OSError, match="No space left on device") as caught:
        fitted().save(tmp_path)
    assert caught.value.filename == str(tmp_path / FILE)
    assert sorted(tmp_path.iterdir()) == before


def test_everything_comes_back(saved: Path):
    found, own = Predictor.load(saved), fitted()
    assert found.get_params() == own.get_params()
    assert found.tiers_ == own.tiers_
    assert found.worth() == own.worth()
    wirings, _ = drawn(10, seed=22)
    np.testing.assert_array_equal(found.trains(wirings), own.trains(wirings))
    np.testing.assert_array_equal(found.in_domain(wirings), own.in_domain(wirings))
    np.testing.assert_array_equal(found.fitted_.training.labels, own.fitted_.training.labels)
    for family, shares in found.explain(wirings).items():
        np.testing.assert_array_equal(shares, own.explain(wirings)[family])


def test_a_classifier_comes_back(tmp_path: Path):
    wirings, _ = drawn(60)
    sources = np.array([len(w.hidden.sources) for w in wirings])
    own = Predictor(chance=1.0, direction="minimize").fit(wirings, np.where(sources > np.median(sources), 1.0, 0.0))
    own.save(tmp_path)
    found = Predictor.load(tmp_path)
    assert found.direction == "minimize"
    np.testing.assert_array_equal(found.trains(wirings), own.trains(wirings))
    assert len(np.unique(found.trains(wirings))) > 1


def test_saving_again_replaces_the_arrays(tmp_path: Path):
    wirings, _ = drawn(10)
    Predictor().fit(wirings, np.arange(10.0)).save(tmp_path)
    first = arrays_file(tmp_path)
    Predictor().fit(wirings, -np.arange(10.0)).save(tmp_path)
    assert arrays_file(tmp_path) != first
    assert sorted(path.suffix for path in tmp_path.iterdir()) == [".json", ".safetensors"]


def test_saving_is_the_same_every_time(tmp_path: Path, saved: Path):
    fitted().save(tmp_path)
    assert (tmp_path / FILE).read_bytes() == (saved / FILE).read_bytes()


def test_what_could_not_be_read_back_is_not_written(tmp_path: Path):
    wirings, _ = drawn(10)
    own = Predictor(metric="m" * 101).fit(wirings, np.arange(10.0))
    with pytest.raises(ValueError, match=r"arguments.metric: String should have at most 100 characters"):
        own.save(tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_files_of_others_are_left_alone(tmp_path: Path):
    own = tmp_path / "arrays-mine.safetensors"
    own.write_bytes(b"mine")
    fitted().save(tmp_path)
    fitted().save(tmp_path)
    assert own.read_bytes() == b"mine"


def test_a_pipe_in_place_of_a_file_is_refused(saved: Path, tmp_path: Path):
    folder = Path(shutil.copytree(saved, tmp_path / "own"))
    path = arrays_file(folder)
    path.unlink()
    os.mkfifo(path)
    refused(folder, "is no ordinary file")


def test_what_is_not_fitted_is_not_saved(tmp_path: Path):
    with pytest.raises(ValueError, match="not fitted has nothing to be saved"):
        Predictor().save(tmp_path / "new")
    assert not (tmp_path / "new").exists()


def rewritten(folder: Path, change) -> None:
    """Change the document, and put the right sha256 under it: hostile rather than damaged."""
    document = json.loads((folder / FILE).read_text())
    del document["sha256"]
    change(document)
    (folder / FILE).write_bytes(signed(document))


def with_arrays(folder: Path, change) -> None:
    """Change the arrays, and name them by the right sha256."""
    old = arrays_file(folder)
    arrays = dict(from_bytes(old.read_bytes()))
    change(arrays)
    content = to_bytes(arrays)
    name = f"arrays-{hashlib.sha256(content).hexdigest()}.safetensors"
    (folder / name).write_bytes(content)
    old.unlink()
    rewritten(folder, lambda document: document.update(arrays=name))


def first_of(arrays: dict, ending: str) -> str:
    return next(name for name in sorted(arrays) if name.endswith(ending))


HOSTILE_DOCUMENTS = {
    "Input should be 'maximize' or 'minimize'": lambda d: d["arguments"].update(direction="sideways"),
    "version 4 of predictor.json is not known": lambda d: d.update(version=4),
    "version [] of predictor.json is not known": lambda d: d.update(version=[]),
    "tiers: Field required": lambda d: d.update(version=1),
    "array 'inputs.deviation' is missing": lambda d: d.update(version=3, reads=["reads_share"]),
    "reads: Field required": lambda d: d.update(version=3),
    "version: Input should be a valid integer": lambda d: d.update(version=2.0),
    "predictor.json is no predictor": lambda d: d.update(format="something else"),
    "Extra inputs are not permitted": lambda d: d.update(surprise=1),
    "Field required": lambda d: d.pop("members"),
    "members.0.weight: Input should be less than or equal to 1": lambda d: d["members"][0].update(weight=9.0),
    "kind='pickle' is not known": lambda d: d["members"][0]["member"].update(kind="pickle"),
    "arrays: String should match": lambda d: d.update(arrays="../../etc/passwd"),
    "array 'training.X' is float64 (90, 91): it must be 'f' of shape (90, 92)": lambda d: d["own_columns"].append(
        "mine"
    ),
    "array 'training.X' is float64 (90, 91): it must be 'f' of shape (90, 90)": lambda d: d["names"].pop(),
    "column 'density' is there 2 times: names must differ": lambda d: d["names"].append("density"),
    "column 'n_edges' is there 2 times": lambda d: d["own_columns"].append("n_edges"),
    "the predictor reads the feature 'toy', which this version of wirenas does not compute": lambda d: d[
        "names"
    ].__setitem__(2, "toy"),
    "reads the features 'toy0', 'toy1', 'toy2' and 1 more, which": lambda d: d["names"].extend(
        f"toy{number}" for number in range(4)
    ),
    "names.0: String should have at least 1 character": lambda d: d["names"].__setitem__(0, ""),
    "names: List should have at most 4096 items": lambda d: d["names"].extend(map(str, range(5000))),
    "the first must be below the second": lambda d: d["arguments"].update(bounds=[1.0, 0.0]),
    "structure='tree': valid are": lambda d: d["arguments"]["preparation"].update(structure="tree"),
    "calibration.rms": lambda d: d["calibration"].update(rms=-1.0),
    "the shares of the members must be 1": lambda d: [share.update(weight=0.0) for share in d["members"]],
}


@pytest.mark.parametrize("message", HOSTILE_DOCUMENTS)
def test_hostile_documents_are_refused(saved: Path, tmp_path: Path, message: str):
    folder = Path(shutil.copytree(saved, tmp_path / "own"))
    rewritten(folder, HOSTILE_DOCUMENTS[message])
    refused(folder, message)


HOSTILE_ARRAYS = {
    "array 'out_of_fold' is missing": lambda a: a.pop("out_of_fold"),
    "array 'domain.points' is": lambda a: a.update({"domain.points": np.zeros((3, 2))}),
    "holds numbers that are not finite": lambda a: a["domain.low"].fill(np.nan),
    "array 'training.groups' is float64": lambda a: a.update({"training.groups": np.zeros(90)}),
    "indices go down to -1": lambda a: a[first_of(a, "indices")].fill(-1),
    "rows have shape": lambda a: a[first_of(a, "indices")].fill(10**6),
    "child": lambda a: a[first_of(a, ".child")].fill(1),
    "the domain needs at least one point": lambda a: a.update({"domain.points": a["domain.points"][:0]}),
    "the quantiles of the calibration must ascend": lambda a: a.update(
        {"calibration.quantiles": a["calibration.quantiles"][::-1].copy()}
    ),
    "with a label each are needed": lambda a: a["training.labels"].fill(np.nan),
    "labels must be at most": lambda a: a["training.labels"].fill(1e200),
    "array 'calibration.quantiles' is": lambda a: a.update({"calibration.quantiles": np.zeros(3)}),
}


@pytest.mark.parametrize("message", HOSTILE_ARRAYS)
def test_hostile_arrays_are_refused(saved: Path, tmp_path: Path, message: str):
    folder = Path(shutil.copytree(saved, tmp_path / "own"))
    with_arrays(folder, HOSTILE_ARRAYS[message])
    refused(folder, message)


def refused(folder: Path, message: str) -> None:
    with pytest.raises(ValueError, match=r"[^\n]+") as caught:
        Predictor.load(folder)
    assert str(caught.value).startswith(f"{folder}: ")
    assert "\n" not in str(caught.value)
    assert message in str(caught.value)


def test_a_missing_folder_and_file_are_said(saved: Path, tmp_path: Path):
    with pytest.raises(ValueError, match="no predictor can be read there: No such file or directory"):
        Predictor.load(tmp_path / "nowhere")
    folder = Path(shutil.copytree(saved, tmp_path / "own"))
    arrays_file(folder).unlink()
    with pytest.raises(ValueError, match="no predictor can be read there"):
        Predictor.load(folder)


def test_damaged_folders_are_refused(saved: Path, tmp_path: Path):
    rng = random.Random(0)
    folder = Path(shutil.copytree(saved, tmp_path / "own"))
    for _ in range(MUTATIONS):
        path = rng.choice((folder / FILE, arrays_file(folder)))
        whole = path.read_bytes()
        broken = damaged(rng, whole)
        if broken == whole:
            continue
        path.write_bytes(broken)
        refused(folder, "")
        path.write_bytes(whole)
    assert Predictor.load(folder).worth() == fitted().worth()
