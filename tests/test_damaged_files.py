"""Damaged files of every kind: each is something sound or one clear line, soon and in little memory.

WIRENAS_TEST_MUTATIONS says how many of each kind are read.
"""

import os
from importlib.util import find_spec

import graph_mutations
import pytest
from damaged_files import MOST_BYTES, MOST_SECONDS, read_damaged

MANY = int(os.environ.get("WIRENAS_TEST_MUTATIONS", "0"))
OF_FOLDERS = ("network_mutations", "option_mutations", "part_mutations", "study_mutations", "trained_mutations")
KINDS = [("graph_mutations", 150), ("table_mutations", 60)]
KINDS += [(kind, MANY) for kind in OF_FOLDERS] if MANY else [(" ".join(OF_FOLDERS), 4)]
"""What is read in one process, and how many of each kind by default."""


@pytest.mark.timeout(240 + 3 * MANY)
@pytest.mark.parametrize(("kinds", "few"), KINDS)
def test_damaged_files_are_read_or_refused_in_one_line_and_within_bounds(kinds: str, few: int):
    if find_spec("pyarrow") is None and ("table" in kinds or "part" in kinds):
        pytest.skip("pyarrow is not installed")
    found = read_damaged(MANY or few, *kinds.split())
    assert not found.failures, found.failures[0]
    number = len(found.outcomes)
    assert number == (MANY or few) * len(kinds.split())
    assert found.slowest < MOST_SECONDS
    assert found.memory < MOST_BYTES
    refused = sum(line != "" for line in found.outcomes)
    assert 0.05 * number < refused < 0.97 * number


def test_damage_is_the_same_every_time():
    assert list(graph_mutations.mutations(20)) == list(graph_mutations.mutations(20))
    assert list(graph_mutations.mutations(20)) != list(graph_mutations.mutations(20, seed=1))
