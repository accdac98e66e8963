"""Commands that refuse a flag of one value that is given twice, where the last one would win in silence."""

from __future__ import annotations

from typing import Any

from typer.core import TyperCommand

from nas.errors import InputError

__all__ = ["StrictCommand"]


class StrictCommand(TyperCommand):
    """A command whose flags of one value are given once."""

    def make_parser(self, ctx: Any) -> Any:
        """Return the parser, which counts."""
        parser = super().make_parser(ctx)
        for option in {id(option): option for option in parser._long_opt.values()}.values():
            if option.action == "store":
                _count(option)
        return parser


def _count(option: Any) -> None:
    process = option.process
    given: list[Any] = []

    def once(value: Any, state: Any) -> None:
        given.append(value)
        if len(given) > 1:
            flag = option._long_opts[0]
            is_range = option.obj.metavar == "LOW:HIGH"
            way = f"give one, or a range: {flag} LOW:HIGH" if is_range else "give it once"
            raise InputError(f"{flag} is given twice ({given[0]} and {value}), and takes one value; {way}")
        process(value, state)

    option.process = once
