"""What people see of the front of a campaign. Imports rich."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.table import Table

from nas.cli.console import say
from nas.report.card import number, spread

__all__ = ["show_front"]


def show_front(console: Console, found: Mapping[str, Any]) -> None:
    """Print the members of a front by size, each with the dense network of equal parameters where there is one.

    Parameters
    ----------
    console : Console
    found : mapping
        What a campaign found, as JSON types; nothing is printed where there is no front.
    """
    if not found.get("front"):
        return
    front, rivals = found["front"], found["front_references"]
    say(console, f"The front: {len(front)} wirings that no other one is as good as with no more parameters.")
    table = Table("parameters", "trial", "search", "validation", "test", "dense: test")
    dense = {row["trial"]: row for row in rivals}
    for entry in front:
        table.add_row(
            str(entry["n_parameters"]),
            str(entry["trial"]),
            number(entry["value"]),
            _told(entry["validation"]),
            _told(entry["test"]),
            _told(dense[entry["trial"]]["test"]) if entry["trial"] in dense else "",
        )
    for linear in (row for row in rivals if row["trial"] is None):
        told = [_told(linear[part]) for part in ("validation", "test")]
        table.add_row(str(linear["n_parameters"]), "linear", "", *told)
    console.print(table)
    if rivals:
        say(console, "Validation and test: with fresh seeds; dense: of as many parameters as comes nearest.")
    if found["over"]:
        say(console, "Front: {out}/front.csv   plot: {out}/front.png   wirings: {out}/front/".format(**found))


def _told(summary: Mapping[str, Any] | None) -> str:
    return "" if summary is None else spread(summary)
