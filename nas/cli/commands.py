"""How commands read their flags: a flag of one value is given once, lists may be written with commas."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import typer
from typer.core import TyperCommand

from nas.errors import InputError

__all__ = ["Commands", "split_lists"]


class _Command(TyperCommand):
    """A command that refuses a second value of a flag that takes one, of which the last would win in silence."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        values, _, given = self.make_parser(ctx).parse_args(args=list(args))
        for option in given:
            is_list = getattr(option, "multiple", False) or getattr(option, "nargs", 1) == -1
            if given.count(option) > 1 and not is_list and not getattr(option, "is_flag", False):
                instead = _instead(option, values.get(option.name))
                raise InputError(f"{option.opts[0]} is given {given.count(option)} times: it takes one value{instead}")
        return super().parse_args(ctx, args)


def _instead(option: Any, last: Any) -> str:
    if option.metavar == "LOW:HIGH":
        return f", or a range such as {option.opts[0]} LOW:HIGH"
    return f"; leave {last!r} or the others out"


class Commands(typer.Typer):
    """A group of such commands."""

    def command(  # type: ignore[override]
        self, *names: Any, **options: Any
    ) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        """Register a function as a command."""
        return super().command(*names, **{"cls": _Command, **options})


def split_lists(values: Iterable[str]) -> list[str]:
    """Return the values of a flag that takes several, of which some may be written as one, with commas."""
    return [part.strip() for value in values for part in value.split(",") if part.strip()]
