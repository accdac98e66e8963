"""Tables of people's terminals: words stay whole at any width, and rows are aligned in any encoding."""

import io
import re
import warnings
from pathlib import Path

import networkx as nx
import pytest
from rich.console import Console

from nas.cli.console import make_console
from nas.cli.tables import make_table, print_table
from nas.report.drawing import plot_wiring
from nas.report.lines import say
from priors import Wiring

ROWS = [
    ("found wiring, trial 12", "0.9123 ± 0.0012", "1870", "0.01"),
    ("dense with equal parameters", "0.8911 ± 0.0104", "1871", "0.03"),
    ("線虫.graphml", "–", "–", "–"),
]
NAMES = ("network", "test accuracy", "parameters", "learning rate")


def printed(width: int, encoding: str, monkeypatch: pytest.MonkeyPatch, **options: str) -> list[str]:
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding=encoding, errors="wirenas")
    monkeypatch.setattr("sys.stdout", stream)
    monkeypatch.setenv("COLUMNS", str(width))
    table = make_table(*NAMES, **options)
    for row in ROWS:
        table.add_row(*row)
    print_table(make_console(), table)
    stream.flush()
    return raw.getvalue().decode(encoding).splitlines()


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp437"])
@pytest.mark.parametrize("width", [60, 80, 120])
def test_rows_are_aligned_in_any_encoding(width: int, encoding: str, monkeypatch: pytest.MonkeyPatch):
    lines = printed(width, encoding, monkeypatch)
    assert len({len(line) for line in lines}) == 1
    assert max(map(len, lines)) <= width
    assert any("??.graphml" in line for line in lines)


@pytest.mark.parametrize("encoding", ["utf-8", "ascii"])
@pytest.mark.parametrize("width", [30, 40, 50, 60, 80])
def test_no_word_is_broken_at_any_width(width: int, encoding: str, monkeypatch: pytest.MonkeyPatch):
    text = "\n".join(printed(width, encoding, monkeypatch, title="all networks"))
    found = set(re.split(r"[^\w.]+", text))
    for word in ("accuracy", "parameters", "learning", "network", "0.9123", "0.0104", "1871", "dense", "equal"):
        assert word in found or (word == "network" and width < 60)
    assert "all networks" in text
    assert all(len(line) <= width for line in text.splitlines())


def test_blocks_name_every_value(monkeypatch: pytest.MonkeyPatch):
    lines = printed(30, "ascii", monkeypatch)
    first = ["found wiring, trial 12", "  test accuracy: 0.9123 +/-", "  0.0012", "  parameters: 1870"]
    assert lines[:4] == first


def test_lines_are_broken_by_the_width_that_they_have(monkeypatch: pytest.MonkeyPatch):
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding="ascii", errors="wirenas")
    monkeypatch.setattr("sys.stdout", stream)
    monkeypatch.setenv("COLUMNS", "30")
    console = make_console()
    monkeypatch.setattr(Console, "is_terminal", property(lambda _: True))
    say(console, "± ± ± ± ± ± ± ± ± ± ± ± ± ± ± ±")
    stream.flush()
    lines = raw.getvalue().decode().splitlines()
    assert " ".join(lines).split() == ["+/-"] * 16
    assert all(len(line) <= 30 for line in lines)


@pytest.mark.usefixtures("drawn_figures")
@pytest.mark.parametrize("title", ["線虫 𓀀", "शब्द", "\U0001f9e0"])
@pytest.mark.parametrize("suffix", ["png", "svg"])
def test_signs_that_the_font_lacks_are_drawn_without_a_word(title: str, suffix: str, tmp_path: Path):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        plot_wiring(tmp_path / f"a.{suffix}", Wiring.from_networkx(nx.cycle_graph(5)), title)
    assert (tmp_path / f"a.{suffix}").stat().st_size > 1000
