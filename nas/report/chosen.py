"""What is told of the trial that a campaign chose: why it and not another one, and what its graph became."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from nas.report.lines import number
from nas.report.outcome import best_record
from nas.store.records import Record, Records

__all__ = ["chosen_record", "explain_choice", "params_in_words", "short"]


def chosen_record(records: Records, best: Mapping[str, Any] | None) -> Record | None:
    """Return the record of an outcome's best trial; None where it is not there."""
    return None if best is None else next((record for record in records if record.number == best["trial"]), None)


def explain_choice(
    records: Records, best: Mapping[str, Any], direction: str, test: Mapping[str, Any] | None = None
) -> str:
    """Say in a sentence why another trial than the one of the best value was chosen; nothing where it is that one.

    `best` and `test` are those of an outcome. Finalists are trained again, so that the luck of a single training does
    not decide.
    """
    first = best_record(records, direction)
    if first is None or first.number == best["trial"] or first.value == best["value"]:
        return ""
    of_search = f"In the search trial {first.number} reached the best value ({number(first.value)})"
    if first.fingerprint == best["fingerprint"]:
        return f"{of_search}, with the same wiring as trial {best['trial']}."
    again = "trained again"
    if test is not None:
        again += f" with {test['seeds']} fresh seed{'' if test['seeds'] == 1 else 's'}"
    return f"{of_search}; of the finalists, {again}, trial {best['trial']} did best."


def short(value: object) -> str:
    """Return a parameter as text, a number with three digits."""
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def params_in_words(
    params: Mapping[str, Any], record: Record | None, write: Callable[[object], str] = short
) -> dict[str, str]:
    """Return the parameters of a trial as text; a mean degree as what its graph got, beside what was asked for.

    A graph of the user's own is called by its name.

    Families take the nearest degree that they can reach, and edits change it. The record is that of the trial; of one
    that does not know the degree, as where it is None, what was asked for is all there is.
    """
    words = {name: write(value) for name, value in params.items()}
    if "graph" in params and record is not None and record.graph_name:
        words["graph"] = record.graph_name
    if "degree" in params and record is not None and record.degree:
        got = short(record.degree)
        if got != short(params["degree"]):
            words["degree"] = f"{got} ({words['degree']} asked for)"
    return words
