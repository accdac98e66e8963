"""What users have must stay as it is: what commands print, seeded campaigns, kept folders, public names."""

import json
from pathlib import Path
from typing import Any

import pytest
from golden_cases import COMMANDS, KEPT, RECORDED, installed, measured, read_trials, signatures


def recorded(name: str) -> Any:
    return json.loads((RECORDED / f"{name}.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def same_versions() -> None:
    """Skips where other versions of numeric libraries are installed, whose last digits may differ."""
    from nas.training.extension import extension, has_native

    other = {name: own for name, own in recorded("versions").items() if installed().get(name) != own}
    if other:
        pytest.skip(f"numbers were recorded with other versions: {other}")
    if not has_native():
        pytest.skip("numbers were recorded with the compiled engine, which is not installed")
    if "x86-64-v3" not in extension().instruction_sets():
        pytest.skip("numbers were recorded on x86-64 with AVX2")


@pytest.mark.slow
@pytest.mark.usefixtures("same_versions")
def test_commands_print_the_same(tmp_path: Path):
    found, expected = measured("commands", tmp_path), recorded("commands")
    assert list(found) == list(expected) == list(COMMANDS)
    for name in COMMANDS:
        assert found[name] == expected[name], name


@pytest.mark.slow
@pytest.mark.usefixtures("same_versions")
def test_seeded_campaigns_have_the_same_trials(tmp_path: Path):
    found = measured("trials", tmp_path)
    for engine in ("native", "torch"):
        expected = read_trials(RECORDED / f"trials-{engine}.csv")
        assert len(expected) == 41
        assert found[f"{engine}-1"] == expected, engine
        assert found[f"{engine}-2"] == expected, engine


@pytest.mark.slow
@pytest.mark.usefixtures("same_versions")
def test_kept_folders_are_read_and_found_complete(tmp_path: Path):
    found, expected = measured("folders", tmp_path), recorded("folders")
    assert list(found) == list(KEPT)
    for version, own in found.items():
        for name, answer in own["answers"].items():
            assert answer == expected[name], (version, name)
        assert own["changed"] == [], version


def test_public_names_keep_their_signatures():
    found = signatures()
    for package, names in recorded("signatures").items():
        assert {name: found[package].get(name) for name in names} == names
