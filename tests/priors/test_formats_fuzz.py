"""Hostile graph files are refused for the right reason. Files damaged at random: tests/test_damaged_files.py."""

import graph_mutations as mutator
from damaged_files import MOST_BYTES, MOST_SECONDS, read_damaged


def test_hostile_files_are_refused_for_the_right_reason():
    hostile = mutator.hostile()
    found = read_damaged(len(hostile), "hostile_graphs")
    assert not found.failures, found.failures[0]
    assert found.slowest < MOST_SECONDS
    assert found.memory < MOST_BYTES
    for (name, case), line in zip(hostile.items(), found.outcomes, strict=True):
        assert case[2] in line, name
        assert len(line) < 700, name
        assert line or name in ("deep name", "layer without end")
