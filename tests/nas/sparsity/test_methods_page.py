"""The page on learned structure names every method, score, growth and allocation as the code has them."""

import re
from pathlib import Path

from nas.sparsity.allocation import ALLOCATIONS
from nas.sparsity.growth import GROWTH
from nas.sparsity.methods import METHODS, Method
from nas.sparsity.schedules import Moment
from nas.sparsity.scores import SCORES

PAGE = Path(__file__).resolve().parents[3] / "docs" / "sparsity.md"


def fraction_of(method: Method) -> str:
    of = " of all places" if method.fraction_of == "all" else ""
    if method.action != "rewire":
        return "cubic" if method.action == "prune" else ""
    falls = {"annealing": f", cosine to {method.last_fraction:g}"}.get(
        method.drop_schedule, f", {method.drop_schedule}"
    )
    return f"{method.fraction:g}{of}{falls}"


def published(moment: Moment) -> str:
    return str(moment._replace(most=100.0))


def row_of(name: str, method: Method) -> str:
    """Return what the table says of a method."""
    rewires = method.action == "rewire"
    changes = method.action in ("prune", "rewire")
    slots = f"{method.new_slots}; kept: {method.kept_slots}; masked: {method.masked_slots}" if rewires else ""
    cells = (
        f"`{name}`",
        method.action,
        method.score if method.action != "none" else "",
        method.growth or "",
        method.allocation + {"first": ", first dense", "last": ", last dense", "none": ""}[method.dense],
        fraction_of(method),
        f"{published(method.every)} from {published(method.begin)} to {method.end}" if changes else "",
        method.regrow_dropped if rewires else "",
        method.new_weight if rewires else "",
        slots,
        method.update_step if changes else "",
        method.count + (", fan-in constant" if method.constant_fan_in else "") if rewires else "",
    )
    return "| " + " | ".join(cells) + " |"


def test_the_page_has_the_table_of_methods():
    text = PAGE.read_text(encoding="utf-8")
    rows = [row_of(name, method) for name, method in METHODS.items()]
    assert [row for row in rows if row not in text] == []
    named = re.findall(r"^\| `([\w-]+)` \| (?:none|prune|rewire|shadow) \|", text, re.MULTILINE)
    assert named == list(METHODS)


def test_the_page_says_how_long_intervals_are_in_short_trainings():
    text = " ".join(PAGE.read_text(encoding="utf-8").split())
    most = {name: own.every.most for name, own in METHODS.items() if own.action in ("prune", "rewire")}
    assert all(own.begin.most in (100, own.every.most) for own in METHODS.values())
    assert {name for name, share in most.items() if share == 25} == {"set", "set-truly-sparse"}
    assert {share for name, share in most.items() if not name.startswith("set")} == {10}
    assert "a tenth of a training at most, of `set` and `set-truly-sparse` a quarter" in text


def test_the_page_names_every_part():
    text = PAGE.read_text(encoding="utf-8")
    for name in (*SCORES, *GROWTH, *ALLOCATIONS):
        assert f"`{name}`" in text, name
