"""The Reber grammar: its automaton, valid strings, and strings that break it in known ways.

Strings are plain text; `nas.tasks.sequences` turns them into tasks.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

__all__ = [
    "LABELS",
    "LETTERS",
    "count_strings",
    "draw_embedded",
    "draw_impostors",
    "draw_strings",
    "flip_echo",
    "is_embedded",
    "is_valid",
    "substitute",
]

LETTERS = "BTPSXVE"
"""The seven letters of the grammar; ``B`` only begins and ``E`` only ends a string."""

_INNER_LETTERS = "TPSXV"
_START, _END = 0, 7
# The arrows of the automaton; a string is read along a path from state 0 to state 7.
_ARROWS = ((0, 1), (1, 2), (1, 3), (2, 2), (2, 4), (3, 3), (3, 5), (4, 3), (4, 6), (5, 4), (5, 6), (6, 7))

# The arrows of each state that a fair coin chooses from; a lone arrow stands twice.
_CHOICES = np.array([(0, 0), (1, 2), (3, 4), (5, 6), (7, 8), (9, 10), (11, 11)])
_TARGETS = np.array([target for _, target in _ARROWS])

LABELS = "BTPSXTVXSPVE"
"""The letter on every arrow of the automaton. Other labels on the same arrows give another language."""

_STEPS = {(source, letter): target for (source, target), letter in zip(_ARROWS, LABELS, strict=True)}


def is_valid(string: str) -> bool:
    """Return whether the Reber grammar produces the string."""
    state = _START
    for letter in string:
        if (state, letter) not in _STEPS:
            return False
        state = _STEPS[state, letter]
    return state == _END


def is_embedded(string: str) -> bool:
    """Return whether the embedded grammar produces it: B, then T or P, a Reber string, the same letter again, E."""
    return string[:2] in ("BT", "BP") and string[-2:] == string[1:2] + "E" and is_valid(string[2:-2])


def count_strings(length: int) -> int:
    """Return how many valid strings have exactly this length."""
    paths = [1] + [0] * _END
    for _ in range(length):
        following = [0] * (_END + 1)
        for source, target in _ARROWS:
            following[target] += paths[source]
        paths = following
    return paths[_END]


def draw_strings(
    n: int, rng: np.random.Generator, shortest: int = 5, longest: int = 53, labels: str = LABELS
) -> list[str]:
    """Draw distinct strings of the grammar: both arrows of a state are equally likely, repeated strings are dropped.

    Parameters
    ----------
    shortest, longest : int
        Bounds of the length, both included. Strings outside are dropped, so the natural distribution of lengths is cut;
        as short strings are few, more strings means longer strings.
    labels : str
        One letter for each of the automaton's 12 arrows.

    Returns
    -------
    list of str
        `n` distinct strings in the order in which they were drawn.

    Raises
    ------
    ValueError
        If there are fewer than `n` strings of these lengths.
    """
    available = sum(count_strings(length) for length in range(shortest, longest + 1))
    if n > available:
        raise ValueError(f"n={n}: the grammar has {available} strings of {shortest} to {longest} letters")
    found: dict[str, None] = {}
    while len(found) < n:
        found.update(dict.fromkeys(_walk(max(1000, 5 * (n - len(found))), rng, labels, shortest, longest)))
    return list(found)[:n]


def _walk(n: int, rng: np.random.Generator, labels: str, shortest: int, longest: int) -> list[str]:
    """Let `n` walkers choose fairly among the arrows; return what those wrote who arrived within the bounds."""
    written = np.frombuffer(labels.encode(), np.uint8)
    letters = np.zeros((n, longest), np.uint8)
    walkers, states = np.arange(n), np.full(n, _START)
    for step in range(longest):
        arrows = _CHOICES[states, (rng.random(len(walkers)) < 0.5).astype(np.int64)]
        letters[walkers, step] = written[arrows]
        states = _TARGETS[arrows]
        going = states != _END
        walkers, states = walkers[going], states[going]
    arrived = letters[:, shortest - 1] != 0
    arrived[walkers] = False
    # Rows of bytes, filled up with zeros, are numpy's fixed-width byte strings.
    return [row.decode() for row in letters[arrived].view(f"S{longest}")[:, 0].tolist()]


def draw_embedded(n: int, rng: np.random.Generator, shortest: int, longest: int) -> list[str]:
    """Draw `n` distinct strings of the embedded grammar, half of them with T around the Reber string, half with P.

    `shortest` and `longest` bound the whole string, which is four letters longer than the Reber string inside; an odd
    `n` gives T one more.
    """
    n_second = n // 2
    strings = [
        f"B{letter}{inner}{letter}E"
        for letter, share in (("T", n - n_second), ("P", n_second))
        for inner in draw_strings(share, rng, shortest - 4, longest - 4)
    ]
    return [strings[index] for index in np.argsort(rng.random(n), kind="stable")]


def flip_echo(string: str) -> str:
    """Return an embedded string with its second-to-last letter turned from T to P or back, which makes it invalid."""
    return string[:-2] + ("P" if string[-2] == "T" else "T") + "E"


def substitute(
    strings: Sequence[str], rng: np.random.Generator, accepts: Callable[[str], bool], margin: int = 1
) -> list[str]:
    """Break every valid string by exactly one wrong letter out of T, P, S, X and V.

    The position is drawn first, `margin` letters or more from both ends, then the letter; both are uniform, and drawn
    again until the result is new and not accepted.

    Returns
    -------
    list of str
        One distinct invalid string for each given string, of the same length.

    Raises
    ------
    ValueError
        If a string has no new invalid neighbour left.
    """
    broken: dict[str, None] = {}
    for string in strings:
        width = len(string) - 2 * margin
        for _ in range(1000):
            position = margin + int(rng.random() * width)
            others = _INNER_LETTERS.replace(string[position], "")
            candidate = string[:position] + others[int(rng.random() * len(others))] + string[position + 1 :]
            if candidate not in broken and not accepts(candidate):
                broken[candidate] = None
                break
        else:
            raise ValueError(f"{string}: every substitution of one letter is valid or used up; draw fewer strings")
    return list(broken)


_FOREIGN_LETTERS = "ACDFGHIJKLMNOQRUWYZ"
# Ten inner labels each; the four windows go round the foreign letters, so that all of them occur.
_FOREIGN = tuple(f"B{(2 * _FOREIGN_LETTERS)[start : start + 10]}E" for start in (0, 5, 10, 15))
# Every inner letter replaced by the one 1, 2 or 3 places further on in T, P, S, X, V.
_SHIFTED = tuple(
    LABELS.translate(str.maketrans(_INNER_LETTERS, _INNER_LETTERS[places:] + _INNER_LETTERS[:places]))
    for places in (1, 2, 3)
)
# The first choice is swapped, the rest untouched: all pairs of letters are legal, the triples at the start are not.
_CROSSED = ("BPTSXTVXSPVE",)


def draw_impostors(n: int, rng: np.random.Generator) -> list[str]:
    """Draw `n` distinct invalid strings of 11 to 53 letters from eight automata: the grammar's arrows, other letters.

    Of these strings 56 % come from four automata with letters outside the grammar, 12.6 % from one whose first choice
    is swapped (legal letters and legal pairs of letters throughout), and the rest from three whose letters are
    exchanged for each other. All begin with B and end with E.
    """
    n_foreign, n_crossed = round(0.56 * n), round(0.126 * n)
    found: list[str] = []
    for family, share in ((_FOREIGN, n_foreign), (_CROSSED, n_crossed), (_SHIFTED, n - n_foreign - n_crossed)):
        for index, labels in enumerate(family):
            # No two of these languages share a string, nor does any share one with the grammar.
            found += draw_strings(share // len(family) + (index < share % len(family)), rng, 11, 53, labels)
    return found
