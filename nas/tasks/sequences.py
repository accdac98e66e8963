"""Reber tasks: is a string valid? Three ways to make invalid strings, and what simple rules reach on each."""

from __future__ import annotations

import string
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from nas.tasks.grammar import (
    LETTERS,
    draw_embedded,
    draw_impostors,
    draw_strings,
    flip_echo,
    is_embedded,
    is_valid,
    substitute,
)
from nas.tasks.task import Task

__all__ = ["judge_by_grams", "plateaus_of", "reber", "reber_embedded", "reber_published"]


def reber(n_strings: int = 5000, seed: int = 0) -> Task:
    """Return the Reber task with hard negatives: every invalid string is a valid one with one wrong inner letter.

    Half of the strings are valid: distinct, of 5 to 30 letters, drawn with fair branching (`draw_strings`). From each
    of them one inner letter is replaced by another of T, P, S, X and V so that the grammar rejects the result, hence
    lengths and first and last letters tell nothing.

    Plateaus on the test part: constant 0.500, letters 0.500, bigrams 0.890, trigrams 1.000.

    Parameters
    ----------
    n_strings : int
        Number of strings, even.
    seed : int
        Seed of the strings; the split has its own.

    Raises
    ------
    ValueError
        If `n_strings` is odd, too small to be split, or more than the grammar yields.

    References
    ----------
    A. S. Reber, "Implicit learning of artificial grammars", Journal of Verbal Learning and Verbal Behavior 6(6), 1967,
    doi:10.1016/S0022-5371(67)80149-X.
    """
    rng = np.random.default_rng(seed)
    valid = draw_strings(_half(n_strings), rng, shortest=5, longest=30)
    kinds = (valid, substitute(valid, rng, is_valid))
    return _task("reber", kinds, LETTERS, 30, "Reber grammar against strings with one wrong letter")


def reber_published(n_strings: int = 25_000, seed: int = 0) -> Task:
    """Return the Reber task with easy negatives over 26 letters, an imitation of the published strings.

    The published invalid strings look as if automata like the grammar's, with other letters on their arrows, had
    written them. Ours are made that way (`draw_impostors`): they imitate the published strings, they are not these. All
    strings are distinct and have 11 to 53 letters; with the default number the valid ones have 23.7 letters on average
    (published 23.6), the invalid ones 18.7 (published 18.7). Trigrams suffice, so nothing long is remembered here.

    Plateaus on the test part: constant 0.500, letters 0.774, bigrams 0.937, trigrams 1.000.
    Plateaus of the published strings: constant 0.494, letters 0.779, bigrams 0.937, trigrams 1.000.

    `n_strings` must be even, fewer strings are shorter ones; see `reber` for the rest.

    References
    ----------
    J. Stier, H. Darji and M. Granitzer, "Experiments on properties of hidden structures of sparse neural networks",
    2021, arXiv:2107.12917.
    """
    rng = np.random.default_rng(seed)
    valid = draw_strings(_half(n_strings), rng, shortest=11, longest=53)
    kinds = (valid, draw_impostors(len(valid), rng))
    return _task(
        "reber-published", kinds, string.ascii_uppercase, 10, "Reber grammar against look-alikes of 26 letters"
    )


def reber_embedded(n_strings: int = 4000, seed: int = 0) -> Task:
    """Return the embedded Reber task: the second letter has to be remembered until it comes back before the last.

    A valid string is B, then T or P, a Reber string, the same T or P, E; here 9 to 24 letters, fair branching inside,
    all distinct. Half of the invalid strings differ from a valid one only in the second-to-last letter, the other half
    by one wrong inner letter of the Reber string inside. A rule without memory sees the second half at best.

    Plateaus on the test part: constant 0.500, letters 0.500, bigrams 0.690, trigrams 0.750.

    `n_strings` must be a multiple of 4; see `reber` for the rest.

    References
    ----------
    S. Hochreiter and J. Schmidhuber, "Long short-term memory", Neural Computation 9(8), 1997,
    doi:10.1162/neco.1997.9.8.1735 (section 5.1).
    """
    if n_strings % 4:
        nearest = max(20, n_strings // 4 * 4)
        raise ValueError(f"n_strings={n_strings}: two kinds of invalid strings need a multiple of 4, e.g. {nearest}")
    rng = np.random.default_rng(seed)
    valid = draw_embedded(_half(n_strings), rng, shortest=9, longest=24)
    half = len(valid) // 2
    kinds = (valid, [flip_echo(text) for text in valid[:half]], substitute(valid[half:], rng, is_embedded, margin=3))
    return _task("reber-embedded", kinds, LETTERS, 60, "embedded Reber grammar: the second letter must be remembered")


def plateaus_of(
    strings: Sequence[str], valid: NDArray[np.int64], train: NDArray[np.int64], test: NDArray[np.int64]
) -> dict[str, float]:
    """Return the test accuracy of the constant rule and of each n-gram rule, all learnt on the training part."""
    known = [strings[index] for index in train if valid[index]]
    held_out, truth = [strings[index] for index in test], valid[test]
    commonest = int(2 * len(known) > len(train))
    plateaus = {"constant": float(np.mean(truth == commonest))}
    for name, width in (("letters", 1), ("bigrams", 2), ("trigrams", 3)):
        plateaus[name] = float(np.mean(judge_by_grams(width, known, held_out) == truth))
    return plateaus


def judge_by_grams(width: int, known: Sequence[str], strings: Sequence[str]) -> NDArray[np.bool_]:
    """Call strings valid whose n-grams, start and end included, all occur in the known valid ones; (n,) bool array."""
    seen = set().union(*(_grams(text, width) for text in known))
    return np.array([_grams(text, width) <= seen for text in strings], dtype=bool)


def _grams(text: str, width: int) -> set[str]:
    marked = f"^{text}$"
    return {marked[start : start + width] for start in range(len(marked) - width + 1)}


def _half(n_strings: int) -> int:
    if n_strings < 20 or n_strings % 2:
        nearest = max(20, n_strings - n_strings % 2)
        raise ValueError(f"n_strings={n_strings}: half valid, half invalid needs an even number >= 20, e.g. {nearest}")
    return n_strings // 2


def _task(name: str, kinds: Sequence[Sequence[str]], alphabet: str, epochs: int, description: str) -> Task:
    """Make a task of valid strings, the first kind, and kinds of invalid ones; all parts hold equal shares of each."""
    strings = [text for kind in kinds for text in kind]
    kind_of = np.repeat(np.arange(len(kinds)), [len(kind) for kind in kinds])
    labels = (kind_of == 0).astype(np.int64)
    symbols, lengths = _symbols(strings, alphabet)
    task = Task.from_arrays(
        name,
        symbols,
        labels,
        lengths=lengths,
        n_symbols=len(alphabet),
        strata=kind_of,
        # Memory is found all at once, after a long plateau: a falling rate or an early stop would come before it.
        recipe={"epochs": epochs, "schedule": "constant", "clip": 1.0},
        description=description,
    )
    return replace(task, plateaus=plateaus_of(strings, labels, task.train.numpy(), task.test.numpy()))


def _symbols(strings: Sequence[str], alphabet: str) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Return the strings as (n, time) numbers of letters in the alphabet, filled up with zeros, and their lengths."""
    lengths = np.array([len(text) for text in strings], dtype=np.int64)
    width = int(lengths.max())
    number = np.zeros(128, np.uint8)
    number[[ord(letter) for letter in alphabet]] = np.arange(len(alphabet))
    letters = np.array(strings, dtype=f"S{width}").view(np.uint8).reshape(len(strings), width)
    return number[letters], lengths
