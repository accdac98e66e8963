"""How commands read their flags: a flag of one value is given once, lists may be written with commas."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextvars import ContextVar
from pathlib import Path
from typing import Any

import typer
from typer.core import TyperCommand

from nas.cli.naming import Flag, as_typed
from nas.errors import InputError

__all__ = ["Commands", "Words", "as_asked", "split_lists", "typed", "words_of"]

Words = Callable[[str], str]

_ASKED: ContextVar[Any] = ContextVar("the context of the command that was asked for", default=None)


class _Command(TyperCommand):
    """A command that refuses a second value of a flag that takes one, of which the last would win in silence.

    Its messages name options by their flags; `inside` says how flags are called inside, where that is another name, and
    `file` names the argument that options may be read from: others than those that were typed then keep the name that
    they have there.
    """

    inside: Mapping[str, str] = {}
    file: str | None = None

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        parser = self.make_parser(ctx)
        for way in (*parser._long_opt.values(), *parser._short_opt.values()):
            way.action = "append" if way.action == "store" else way.action  # All values, not the last one.
        values, _, given = parser.parse_args(args=list(args))
        for option in given:
            is_list = getattr(option, "multiple", False) or getattr(option, "nargs", 1) == -1
            if given.count(option) > 1 and not is_list and not getattr(option, "is_flag", False):
                raise InputError(_told_twice(option, given.count(option), values.get(option.name)))
            _refuse_empty(option, values.get(option.name))
        left = super().parse_args(ctx, args)
        _ASKED.set(ctx)
        return left

    def flags(self, ctx: Any) -> dict[str, Flag]:
        """Return flags by the names of their options inside."""
        named = typed(ctx) if self.file is not None and ctx.params.get(self.file) is not None else None
        own = {
            param.name: Flag(
                max(param.opts, key=len),
                max(param.secondary_opts, key=len, default=""),
                ":" if param.metavar == "LOW:HIGH" else ",",
            )
            for param in self.params
            if param.param_type_name == "option" and (named is None or param.name in named)
        }
        # What Python keeps for itself, such as format, has another name inside.
        own = {**{flag.text.lstrip("-").replace("-", "_"): flag for flag in own.values()}, **own}
        return {**own, **{name: own[flag] for name, flag in self.inside.items() if flag in own}}


def typed(ctx: Any) -> frozenset[str]:
    """Return the parameters of a command that were given on the command line."""
    return frozenset(name for name in ctx.params if ctx.get_parameter_source(name).name == "COMMANDLINE")


def words_of(ctx: Any) -> Words:
    """Return what makes a message name options as they are typed."""
    flags = ctx.command.flags(ctx)
    return lambda message: as_typed(message, flags)


def as_asked(message: str) -> str:
    """Return a message that names options as they are typed for the command that was asked for, if there was one."""
    context = _ASKED.get()
    return message if context is None else words_of(context)(message)


def _told_twice(option: Any, times: int, values: Any) -> str:
    """Return a line on a flag of one value that has several."""
    name, instead = option.opts[0], ""
    if option.metavar == "LOW:HIGH":
        instead = f", or a range such as {name} LOW:HIGH"
    *others, last = [str(value) for value in values] if isinstance(values, list) else [str(values)]
    which = f", with {', '.join(others)} and {last}" if others else ""
    return f"{name} is given {times} times{which}: it takes one value{instead}"


def _refuse_empty(option: Any, value: Any) -> None:
    """Refuse an empty path, which would be the folder that one is in, and empty members of a list."""
    is_path = option.type_descriptor.annotation in (Path, list[Path])
    if not is_path and not getattr(option, "multiple", False):
        return
    for own in value if isinstance(value, list | tuple) else [value]:
        if isinstance(own, str) and not (own if is_path else own.strip(", ")):
            name = option.metavar or option.name.upper() if option.param_type_name == "argument" else option.opts[0]
            needed = "a path is needed" if is_path else "a value is needed, or several with commas"
            raise InputError(f"{name} {own!r}: it is empty, where {needed}")


class Commands(typer.Typer):
    """A group of such commands."""

    def command(  # type: ignore[override]
        self, *names: Any, inside: Mapping[str, str] | None = None, file: str | None = None, **options: Any
    ) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        """Register a function as a command; see `_Command` for `inside` and `file`."""
        own = type("Command", (_Command,), {"inside": inside or {}, "file": file})
        return super().command(*names, **{"cls": own, **options})


def split_lists(values: Iterable[str]) -> list[str]:
    """Return the values of a flag that takes several, of which some may be written as one, with commas."""
    return [part.strip() for value in values for part in value.split(",") if part.strip()]
