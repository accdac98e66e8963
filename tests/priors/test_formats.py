"""JSON files of wirings: round trips, and one clear line for whatever is wrong with a file."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from priors.attachment import attach
from priors.formats import from_dict, read_wiring, to_dict, write_wiring
from priors.graphs import ErdosRenyi
from priors.wiring import Wiring

PLAIN = Wiring((2, 3, 1), [(0, 2), (0, 4), (1, 4), (2, 5), (4, 5), (4, 3)], inputs=True, outputs=True)
RICH = Wiring((2, 1), [(1, 2), (0, 2)], weights=[0.1, -3e-30], names=("Zürich", 7, "c"))


@pytest.mark.parametrize("wiring", [PLAIN, RICH, Wiring((3,)), Wiring(())])
def test_round_trip_is_exact(wiring: Wiring, tmp_path: Path):
    path = tmp_path / "wiring.json"
    write_wiring(wiring, path)
    again = read_wiring(path)
    assert again == wiring
    assert again.names == wiring.names
    assert (again.weights is None) == (wiring.weights is None)
    if wiring.weights is not None:
        assert again.weights.tobytes() == wiring.weights.tobytes()


@settings(deadline=None, max_examples=30)
@given(st.integers(1, 20), st.integers(0, 2**32), st.integers(0, 3))
def test_dicts_round_trip_through_json(n: int, seed: int, n_outputs: int):
    wiring = attach(ErdosRenyi(n, 0.3).sample(seed), 2, n_outputs, rng=seed)
    assert from_dict(json.loads(json.dumps(to_dict(wiring)))) == wiring


def test_the_documented_keys():
    assert to_dict(RICH) == {
        "format": "wirenas-wiring",
        "version": 1,
        "sizes": [2, 1],
        "inputs": False,
        "outputs": False,
        "edges": [[0, 2], [1, 2]],
        "weights": [float(np.float32(-3e-30)), float(np.float32(0.1))],
        "names": ["Zürich", 7, "c"],
        "fingerprint": RICH.fingerprint,
    }


def test_numpy_integers_are_names_like_others():
    assert to_dict(Wiring((2,), names=np.arange(5, 7)))["names"] == [5, 6]


@pytest.mark.parametrize(
    ("wiring", "message"),
    [
        (Wiring((1,), names=[("a", 1)]), "names hold"),
        (Wiring((1,), names=[None]), "names hold None"),
        (Wiring((1,), names=[True]), "names hold True"),
        (Wiring((2,), [(0, 1)], weights=[np.nan]), "weights hold nan"),
        (Wiring((2,), [(0, 1)], weights=[np.inf]), "weights hold inf"),
    ],
)
def test_what_a_file_cannot_hold_is_refused(wiring: Wiring, message: str, tmp_path: Path):
    with pytest.raises(ValueError, match=f"wiring.json: {message}"):
        write_wiring(wiring, tmp_path / "wiring.json")
    assert list(tmp_path.iterdir()) == []


def altered(**changes: object) -> dict[str, object]:
    return {key: value for key, value in {**to_dict(PLAIN), **changes}.items() if value != "absent"}


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ([], "is no wiring"),
        (3, "is no wiring"),
        ({}, "is no wiring"),
        (altered(format="graph"), "is no wiring"),
        (altered(version=2), "version 2 is not known"),
        (altered(version="1"), "version '1' is not known"),
        (altered(version=True), "key 'version' holds a bool"),
        (altered(sizes="absent"), "key 'sizes' is missing"),
        (altered(edges="absent"), "key 'edges' is missing"),
        (altered(weigths=[]), "key 'weigths' is not known"),
        (altered(sizes=6), "key 'sizes' holds a int"),
        (altered(sizes=[2, 3, 1.0]), "sizes hold 1.0"),
        (altered(sizes=[2, 3, True]), "sizes hold True"),
        (altered(sizes=[2, 3, 0]), "at least 1 neuron"),
        (altered(sizes=[2, 2**40, 1]), "neurons are more than"),
        (altered(inputs=1), "key 'inputs' holds a int"),
        (altered(edges=[[0, 1, 2]]), r"edges hold \[0, 1, 2\]"),
        (altered(edges=[[0, 2.0]]), r"edges hold \[0, 2.0\]"),
        (altered(edges=[[0, False]]), r"edges hold \[0, False\]"),
        (altered(edges=[[0, 2], 3]), "edges hold 3"),
        (altered(edges=[[0, 6]]), r"edge \(0, 6\)"),
        (altered(edges=[[0, 10**30]]), "edge"),
        (altered(edges=[[0, 2], [0, 2]]), r"edge \(0, 2\)"),
        (altered(weights=[1.0]), "weight"),
        (altered(weights=[1e300] * 6), "weights hold 1e\\+300"),
        (altered(weights=[True] * 6), "weights hold True"),
        (altered(weights=None), "key 'weights' holds a NoneType"),
        (altered(names=["a"]), "names"),
        (altered(names=[None] * 6), "names hold None"),
        (altered(names=[["a"]] * 6), "names hold"),
        (altered(fingerprint="0" * 64), "fingerprint '0+' is not the wiring's"),
        (altered(outputs=False), "fingerprint"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(document: object, message: str, tmp_path: Path):
    path = tmp_path / "broken.json"
    path.write_text(json.dumps(document))
    with pytest.raises(ValueError, match=message) as caught:
        read_wiring(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is not JSON"),
        (b"{", "is not JSON"),
        (b"\xff\xfe\x00", "is not JSON"),
        (b"[" * 200_000, "nested too deeply"),
        (b'{"sizes": ' + b"9" * 5000 + b"}", "is not JSON"),
        (json.dumps(altered()).replace("true", "NaN", 1).encode(), "key 'inputs' holds a float"),
        (json.dumps(altered(weights=[1.5] * 6)).replace("1.5", "NaN", 1).encode(), "weights hold nan"),
    ],
)
def test_what_is_no_json_is_said_in_one_line(content: bytes, message: str, tmp_path: Path):
    path = tmp_path / "broken.json"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=message) as caught:
        read_wiring(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert "\n" not in str(caught.value)


def test_a_fingerprint_may_be_absent():
    assert from_dict(altered(fingerprint="absent")) == PLAIN


def test_missing_files_and_folders_are_value_errors(tmp_path: Path):
    with pytest.raises(ValueError, match=r"absent\.json: cannot be read: No such file"):
        read_wiring(tmp_path / "absent.json")
    (tmp_path / "folder.json").mkdir()
    with pytest.raises(ValueError, match=r"folder\.json: cannot be read"):
        read_wiring(tmp_path / "folder.json")


def test_unknown_suffixes_name_the_known_ones(tmp_path: Path):
    for action in (lambda path: write_wiring(PLAIN, path), read_wiring):
        with pytest.raises(ValueError, match=r"wiring\.xml: suffix '\.xml' .*known are \.json, "):
            action(tmp_path / "wiring.xml")


def test_size_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    path = tmp_path / "wiring.json"
    write_wiring(PLAIN, path)
    monkeypatch.setattr("priors.formats.limits.MAX_BYTES", path.stat().st_size)
    assert read_wiring(path) == PLAIN
    monkeypatch.setattr("priors.formats.limits.MAX_BYTES", path.stat().st_size - 1)
    with pytest.raises(ValueError, match=r"wiring\.json: holds more than"):
        read_wiring(path)
    with pytest.raises(ValueError, match=r"wiring\.json: .* a file may hold"):
        write_wiring(PLAIN, path)


def test_a_failed_move_leaves_nothing_behind(tmp_path: Path):
    (tmp_path / "wiring.json").mkdir()
    with pytest.raises(OSError, match=r"wiring\.json"):
        write_wiring(PLAIN, tmp_path / "wiring.json")
    assert [path.name for path in tmp_path.iterdir()] == ["wiring.json"]
