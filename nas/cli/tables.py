"""Tables on terminals of any width: no word is broken, and what is too narrow for columns gets a block a row."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from rich.cells import cell_len
from rich.table import Table

from nas.report.lines import say, say_in_lines

if TYPE_CHECKING:
    from rich.console import Console

__all__ = ["make_table", "print_table"]

_LONGEST_WORD = 24
"""What is longer, such as a path, is broken where it must be."""


def make_table(*names: str, title: str | None = None) -> Table:
    """Return a table whose columns are folded where the terminal is too narrow, and never cut."""
    table = Table(title=title)
    for name in names:
        table.add_column(name, overflow="fold")
    return table


def print_table(console: Console, table: Table) -> None:
    """Print a table at the width of the terminal, or its rows as blocks of lines where their words need more."""
    columns = [[_plain(console, text) for text in (column.header, *column.cells)] for column in table.columns]
    wanted = [max(map(cell_len, cells)) for cells in columns]
    left = console.width - 3 * len(columns) - 1
    if sum(wanted) > left:
        least = [
            wide if column.no_wrap else _longest_word(cells)
            for column, cells, wide in zip(table.columns, columns, wanted, strict=True)
        ]
        if sum(least) > left:
            _print_blocks(console, table, columns)
            return
        for column, width in zip(table.columns, _widths(least, wanted, left), strict=True):
            column.width = width
    console.print(table)


def _plain(console: Console, text: Any) -> str:
    return console.render_str(text).plain if isinstance(text, str) else str(text)


def _longest_word(cells: Sequence[str]) -> int:
    return max((min(cell_len(word), _LONGEST_WORD) for cell in cells for word in cell.split()), default=1)


def _widths(least: Sequence[int], wanted: Sequence[int], left: int) -> list[int]:
    """Share what is left beyond the least widths out, each to the column that lacks most."""
    widths = list(least)
    for _ in range(left - sum(least)):
        lacking = [want - width for want, width in zip(wanted, widths, strict=True)]
        widths[lacking.index(max(lacking))] += 1
    return widths


def _print_blocks(console: Console, table: Table, columns: Sequence[Sequence[str]]) -> None:
    """Print a row as its first cell and a line each of the others, behind the name of their column."""
    if isinstance(table.title, str):
        say_in_lines(console, table.title)
    names = [cells[0] for cells in columns]
    for first, *others in zip(*(cells[1:] for cells in columns), strict=True):
        say(console, first)
        for name, cell in zip(names[1:], others, strict=True):
            if cell:
                say_in_lines(console, f"  {name}: {cell}")
