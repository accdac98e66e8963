"""Predictors and graphs that are broken on purpose: the command line says one line or answers, and does so quickly.

WIRENAS_TEST_FOLDERS and WIRENAS_TEST_MUTATIONS say how many of each are tried.
"""

import hashlib
import json
import math
import os
import random
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import graph_mutations as mutator
import numpy as np
import pytest
from command_line import refused, wirenas, write_graphs
from damage import WILD, damaged, places_of, with_value
from safetensors.numpy import load as from_bytes
from safetensors.numpy import save as to_bytes

from predictors import FEATURES, Predictor, Preparation
from predictors.answers import Answers
from predictors.storage import FILE, signed
from priors import BarabasiAlbert, ErdosRenyi, Wiring, attach, layer, orient, read_wiring
from priors.version import __version__

pytestmark = [
    pytest.mark.usefixtures("small_forests"),
    # What is assumed of a file is no refusal of it.
    pytest.mark.filterwarnings("ignore::priors.formats.reading.GraphFileWarning"),
]

FOLDERS = int(os.environ.get("WIRENAS_TEST_FOLDERS", "16"))
MUTATIONS = int(os.environ.get("WIRENAS_TEST_MUTATIONS", "32"))
MOST_SECONDS = 10.0
MOST_BYTES = 2**30
ANSWER = ("mean", "std", "low", "high", "trains")

HOSTILE = mutator.hostile()
FINITE = [value for value in WILD if not isinstance(value, float) or math.isfinite(value)]
"""What JSON can hold."""


def trained(number: int) -> Wiring:
    prior = BarabasiAlbert(8 + number % 6, 2) if number % 2 else ErdosRenyi(8 + number % 6, edges=16)
    return attach(layer(orient(prior.sample(number), "random", number)), 4, 2, "natural")


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A predictor with a part of every kind: replicates, parameters, a classifier, a preparation."""
    folder = tmp_path_factory.mktemp("hostile") / "predictor"
    wirings = [trained(number) for number in range(40)]
    sources = np.array([len(wiring.hidden.sources) for wiring in wirings], dtype=float)
    values = np.where(sources > np.median(sources), 0.5 + sources / 20, 0.1)
    preparation = Preparation(attachment=("natural",), n_inputs=4, n_outputs=2)
    own = Predictor(preparation=preparation, bounds=(0.0, 1.0), chance=0.1)
    own.fit(wirings, np.stack([values, values - 0.001], axis=1), parameters=[{"n": w.n_hidden} for w in wirings])
    assert own.fitted_.classifier is not None
    own.save(folder)
    return folder


@pytest.fixture
def graph(tmp_path: Path) -> Path:
    write_graphs(tmp_path, 1)
    return tmp_path / "0.graphml"


@contextmanager
def bounded(what: str) -> Iterator[None]:
    """Expect that what is done takes little time; memory is asked for at the end, as it never falls."""
    started = time.process_time()
    yield
    assert time.process_time() - started < MOST_SECONDS, what


STATUS = Path("/proc/self/status")


def bytes_of(field: str) -> int:
    """Return a number of kilobytes that Linux keeps of this process, as bytes; elsewhere 0."""
    if not STATUS.is_file():
        return 0
    return next(1024 * int(line.split()[1]) for line in STATUS.read_text().splitlines() if line.startswith(field))


@pytest.fixture(autouse=True)
def memory_bound() -> Iterator[None]:
    """Bound what a test adds to the memory that the tests before it have left."""
    reset = Path("/proc/self/clear_refs")
    if reset.exists():
        reset.write_text("5")  # The peak begins anew.
    before = bytes_of("VmRSS")
    yield
    assert bytes_of("VmHWM") - before < MOST_BYTES


def test_damaged_predictors_are_refused_in_one_line(saved: Path, tmp_path: Path, graph: Path):
    rng = random.Random(1)
    folder = Path(shutil.copytree(saved, tmp_path / "own"))
    whole = {path: path.read_bytes() for path in sorted(folder.iterdir())}
    assert len(whole) == 2
    for number in range(FOLDERS):
        path, content = rng.choice(list(whole.items()))
        broken = damaged(rng, content)
        if broken == content:
            continue
        path.write_bytes(broken)
        command = ("predict", folder, graph) if number % 8 else ("explain", folder)
        with bounded(f"damage {number} of {path.name}"):
            message = refused(*command)
        assert message.startswith(f"wirenas: {folder}: "), number
        assert len(message) < 800
        path.write_bytes(content)
    assert wirenas("predict", folder, graph)[0] == 0


def test_a_feature_that_is_gone_is_said_in_one_line(saved: Path, graph: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delitem(FEATURES, "density")
    assert refused("predict", saved, graph) == (
        f"wirenas: {saved}: the predictor reads the feature 'density', which this version of wirenas does not compute: "
        f"fit it again, or use the version that wrote it, {__version__!r}\n"
    )


@pytest.mark.parametrize("part", ["mean", "trains"])
def test_answers_that_overflow_are_refused_without_a_warning(
    saved: Path, graph: Path, monkeypatch: pytest.MonkeyPatch, part: str
):
    monkeypatch.setattr(Answers, part, property(lambda own: np.full(len(own.in_domain), 1e300) * 1e300))
    message = refused("predict", saved, graph)
    assert message.endswith(": the predictor's answer is not a finite number: fit it again\n")


def test_forged_predictors_are_refused_or_answer(saved: Path, tmp_path: Path, graph: Path):
    """Numbers and words that were changed by someone who puts the right sha256 under them."""
    rng = random.Random(2)
    folder = Path(shutil.copytree(saved, tmp_path / "own"))
    document = json.loads((folder / FILE).read_text(encoding="utf-8"))
    del document["sha256"]
    places = list(places_of(document))
    answered = 0
    for _ in range(FOLDERS):
        place, value = rng.choice(places), rng.choice(FINITE)
        (folder / FILE).write_bytes(signed(with_value(document, place, value)))
        with bounded(f"{place} = {value!r}"):
            answered += answers_or_refuses(folder, graph, f"{place} = {value!r}")
    assert answered < FOLDERS


def with_numbers(arrays: dict[str, np.ndarray], rng: np.random.Generator) -> str:
    """Change some numbers of one array, and say which."""
    name = sorted(arrays)[int(rng.integers(len(arrays)))]
    array = np.array(arrays[name])
    values: tuple[float, ...] = (0, 1)
    if array.dtype.kind == "f":
        most = float(np.finfo(array.dtype).max)
        values = (math.nan, math.inf, -1, 0, most, -most, float(np.finfo(array.dtype).tiny))
    elif array.dtype.kind == "i":
        values = (-1, 0, 1, 2**15 - 1, int(np.iinfo(array.dtype).max))
    value = values[int(rng.integers(len(values)))]
    places = rng.integers(0, max(array.size, 1), int(rng.choice((1, 10, 1000))))
    if array.size:
        array.reshape(-1)[places] = np.array(value).astype(array.dtype)
    arrays[name] = array
    return f"{name} at {places[:10]} = {value}"


@pytest.mark.slow
def test_predictors_with_forged_arrays_are_refused_or_answer(saved: Path, tmp_path: Path, graph: Path):
    """Numbers that were changed by someone who names the file by its right sha256."""
    rng = np.random.default_rng(5)
    document = json.loads((saved / FILE).read_text(encoding="utf-8"))
    del document["sha256"]
    sound = (saved / document["arrays"]).read_bytes()
    folder = tmp_path / "own"
    answered = 0
    for _ in range(FOLDERS):
        arrays = dict(from_bytes(sound))
        what = with_numbers(arrays, rng)
        content = to_bytes(arrays)
        folder.mkdir()
        document["arrays"] = f"arrays-{hashlib.sha256(content).hexdigest()}.safetensors"
        (folder / document["arrays"]).write_bytes(content)
        (folder / FILE).write_bytes(signed(document))
        with bounded(what):
            answered += answers_or_refuses(folder, graph, what)
        shutil.rmtree(folder)
    assert 0 < answered < FOLDERS


def answers_or_refuses(folder: Path, graph: Path, what: str) -> bool:
    """Ask, expect an answer of finite numbers or one line, and return which of them it was."""
    code, text, err = wirenas("predict", folder, graph, "--json")
    if code == 0:
        (answer,) = json.loads(text)["predictions"]
        assert all(math.isfinite(answer[name]) for name in ANSWER), what
        assert answer["low"] <= answer["high"], what
        return True
    assert (code, text, err.count("\n")) == (2, "", 1), what
    assert err.startswith("wirenas: "), what
    return False


def test_broken_graphs_are_answered_or_refused_in_one_line(saved: Path, tmp_path: Path):
    answered = 0
    for number, (suffix, content) in enumerate(mutator.mutations(MUTATIONS, seed=3)):
        path = tmp_path / f"mutated{suffix}"
        path.write_bytes(content)
        what = f"mutation {number}: {suffix} {content[:300]!r}"
        with bounded(what):
            sound = answers_or_refuses(saved, path, what)
        answered += sound
        assert not sound or read_wiring(path).n_hidden >= 0
        path.unlink()
    assert 0 < answered < MUTATIONS


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_graphs_are_refused_in_one_line(saved: Path, tmp_path: Path, name: str):
    suffix, content, reason = HOSTILE[name]
    path = tmp_path / f"hostile{suffix}"
    path.write_bytes(content)
    with bounded(name):
        if name in ("deep name", "layer without end"):
            answers_or_refuses(saved, path, name)
            return
        message = refused("predict", saved, path)
    assert message.startswith(f"wirenas: {path}: ")
    assert reason in message


def test_features_of_broken_graphs_are_given_or_refused_in_one_line(tmp_path: Path):
    for number, (suffix, content) in enumerate(mutator.mutations(MUTATIONS // 4, seed=4)):
        path = tmp_path / f"mutated{suffix}"
        path.write_bytes(content)
        with bounded(f"mutation {number}"):
            code, text, err = wirenas("features", path, "--json")
        assert (code, err) == (0, "") or ((code, text, err.count("\n")) == (2, "", 1)), number
        path.unlink()
