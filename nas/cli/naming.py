"""How messages name options: as they were typed, where the same option has another name inside."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass

__all__ = ["Flag", "as_typed"]

_VALUE = r"""\[[^\]]*\]|"[^"]*"|'[^']*'|[^\s;,]*[^\s;,:.)]"""
_LEADING = "leave|without|give|only|another"


@dataclass(frozen=True)
class Flag:
    """What is typed for an option: its text, what it is with the value false, and what divides several values."""

    text: str
    negative: str = ""
    between: str = ","

    def given(self, value: str) -> str:
        """Return the flag with a value as it is typed, for a value as messages show it."""
        if self.negative and value.lower() in ("true", "false"):
            return self.text if value.lower() == "true" else self.negative
        if value.startswith("["):
            try:
                value = self.between.join(map(str, json.loads(value)))
            except ValueError:
                return f"{self.text} {value}"
        elif len(value) > 2 and value[0] == value[-1] and value[0] in "\"'" and not set(value) & set(" ,;"):
            value = value[1:-1]
        return f"{self.text} {value}"


def as_typed(message: str, flags: Mapping[str, Flag]) -> str:
    """Return a message that names options by their flags.

    Parameters
    ----------
    message : str
        In which options are called like ``space.nodes``, ``space.nodes=9`` or, after words like "without", ``nodes``.
    flags : mapping of str to Flag
        By the names inside, with the section where there is one.
    """
    if not flags:
        return message
    names = "|".join(re.escape(name) for name in sorted(flags, key=len, reverse=True))
    with_value = re.compile(rf"(?<![\w.\-/\"'])({names})(?:\.\d+)*=({_VALUE})")
    message = with_value.sub(lambda found: flags[found[1]].given(found[2]), message)
    message = re.sub(rf"^({names})(?=: )", lambda found: flags[found[1]].text, message)
    last = rf"(?: (?:and|or) (?:{names})\b)"
    several = rf"(?:{names})\b(?:, (?:{names})\b)*{last}?(?![\w.=])"
    # One of weights is not one of the options.
    after_one_of = rf"(?<=\bone of )(?=(?:{names})\b(?:, (?:{names})\b)*{last})"
    after_a_word = re.compile(rf"(\b(?:{_LEADING}) |\bwith (?=out\b)|{after_one_of})({several})")
    each = re.compile(rf"\b({names})\b")
    message = after_a_word.sub(lambda found: found[1] + each.sub(lambda name: flags[name[1]].text, found[2]), message)
    dotted = "|".join(re.escape(name) for name in flags if "." in name)
    if not dotted:
        return message
    return re.sub(rf"(?<![\w.\-/\"'])({dotted})\b(?![\w.=])", lambda found: flags[found[1]].text, message)
