"""Damaged data files at the command line; what reading them gives: tests/test_damaged_files.py."""

from pathlib import Path

import pytest
import table_mutations as mutator
from command_line import wirenas


def test_the_command_line_refuses_with_exit_code_2(tmp_path: Path):
    pytest.importorskip("pyarrow")
    codes = []
    for number, (suffix, content) in enumerate(mutator.mutations(24, seed=7)):
        path = tmp_path / f"{number}{suffix}"
        path.write_bytes(content)
        code, out, err = wirenas("data", path, "--json")
        assert (code == 0 and out.count("\n") == 1 and err == "") or (code == 2 and out == "" and err.count("\n") == 1)
        codes.append(code)
    assert set(codes) == {0, 2}
