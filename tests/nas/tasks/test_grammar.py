"""The grammar against known strings, counts and lengths; the invalid strings against their definitions."""

import csv
import hashlib
import itertools

import numpy as np
import pytest

from nas.tasks.grammar import (
    _ARROWS,
    _CROSSED,
    _FOREIGN,
    _SHIFTED,
    LABELS,
    LETTERS,
    _walk,
    count_strings,
    draw_embedded,
    draw_impostors,
    draw_strings,
    flip_echo,
    is_embedded,
    is_valid,
    substitute,
)

COUNTS = {5: 2, 6: 3, 7: 4, 8: 7, 9: 11, 10: 16, 11: 24, 12: 36, 13: 53, 14: 78, 15: 115}


def differences(first: str, second: str) -> list[int]:
    return [place for place, (a, b) in enumerate(zip(first, second, strict=True)) if a != b]


@pytest.mark.parametrize("string", ["BTXSE", "BPVVE", "BTSSXXTVVE", "BPTVPXVPSE", "BTXXVPSE"])
def test_accepts_known_valid_strings(string):
    assert is_valid(string)


@pytest.mark.parametrize("string", ["BPVVT", "BTTXE", "", "B", "BTXS", "BTXSEE", "TXSE", "BTXSEB", "BTQSE"])
def test_rejects_known_invalid_strings(string):
    assert not is_valid(string)


def test_acceptance_agrees_with_counts_over_all_short_strings():
    for length in range(8):
        accepted = sum(is_valid("".join(letters)) for letters in itertools.product(LETTERS, repeat=length))
        assert accepted == count_strings(length) == COUNTS.get(length, 0)


def test_counts_of_valid_strings_by_length():
    assert {length: count_strings(length) for length in COUNTS} == COUNTS
    assert [count_strings(length) for length in range(-1, 5)] == [0, 0, 0, 0, 0, 0]


def test_drawing_everything_gives_each_string_once():
    everything = draw_strings(sum(COUNTS.values()), np.random.default_rng(0), longest=15)
    assert len(set(everything)) == len(everything) == 349
    assert all(map(is_valid, everything))


def test_draws_respect_bounds_and_seed():
    drawn = draw_strings(500, np.random.default_rng(3), shortest=11, longest=20)
    assert len(set(drawn)) == 500
    assert {len(string) for string in drawn} == set(range(11, 21))
    assert drawn == draw_strings(500, np.random.default_rng(3), shortest=11, longest=20)
    assert drawn != draw_strings(500, np.random.default_rng(4), shortest=11, longest=20)


def test_draws_are_the_same_on_every_platform():
    digest = hashlib.sha256("\n".join(draw_strings(1000, np.random.default_rng(0))).encode()).hexdigest()
    assert digest[:16] == "83e8e50f1155d9ff"


def test_branching_is_fair():
    walks = _walk(50_000, np.random.default_rng(0), LABELS, 1, 80)
    assert len(walks) == 50_000
    lengths = np.array([len(string) for string in walks])
    assert lengths.mean() == pytest.approx(8.0, abs=0.05)
    assert np.mean(lengths >= 11) == pytest.approx(0.1797, abs=0.006)
    assert np.mean([string[1] == "T" for string in walks]) == pytest.approx(0.5, abs=0.01)


def test_more_strings_than_the_grammar_has_are_refused():
    with pytest.raises(ValueError, match=r"^n=10: the grammar has 9 strings of 5 to 7 letters$"):
        draw_strings(10, np.random.default_rng(0), longest=7)


def test_embedded_grammar():
    assert is_embedded("BTBTXSETE")
    assert is_embedded("BPBPVVEPE")
    for string in ("BTBTXSEPE", "BPBTXSETE", "BTBTXXETE", "BTBTXSETS", "BTXSE", "BSBTXSESE", "TTBTXSETE", "BTE", ""):
        assert not is_embedded(string)


def test_embedded_draws():
    drawn = draw_embedded(601, np.random.default_rng(0), 9, 22)
    assert len(set(drawn)) == 601
    assert all(map(is_embedded, drawn))
    assert [sum(string[1] == letter for string in drawn) for letter in "TP"] == [301, 300]
    assert {len(string) for string in drawn} == set(range(9, 23))
    assert {string[1] for string in drawn[:20]} == {"T", "P"}


def test_flipped_echo_differs_in_the_second_to_last_letter_only():
    assert flip_echo("BTBTXSETE") == "BTBTXSEPE"
    for string in draw_embedded(50, np.random.default_rng(0), 9, 22):
        assert differences(string, flip_echo(string)) == [len(string) - 2]
        assert not is_embedded(flip_echo(string))


@pytest.mark.parametrize(("margin", "embedded"), [(1, False), (3, True)])
def test_substitution_changes_one_inner_letter_and_breaks_the_string(margin, embedded):
    rng = np.random.default_rng(0)
    valid = draw_embedded(300, rng, 9, 24) if embedded else draw_strings(300, rng)
    accepts = is_embedded if embedded else is_valid
    broken = substitute(valid, rng, accepts, margin=margin)
    assert len(set(broken)) == len(broken) == len(valid)
    letters, relative = set(), set()
    for before, after in zip(valid, broken, strict=True):
        (place,) = differences(before, after)
        assert margin <= place < len(before) - margin
        assert not accepts(after)
        letters.add(after[place])
        relative.add(min(place - margin, len(before) - margin - 1 - place))
    assert letters == set("TPSXV")
    assert {0, 1, 2, 3} <= relative


def test_substitution_uses_every_neighbour_once_and_says_when_none_is_left():
    # BTXSE has 3 inner places with 4 other letters each; none of these 12 neighbours is valid.
    broken = substitute(["BTXSE"] * 12, np.random.default_rng(0), is_valid)
    assert len(set(broken)) == 12
    with pytest.raises(ValueError, match=r"^BTXSE: every substitution of one letter is valid or used up; draw fewer"):
        substitute(["BTXSE"] * 13, np.random.default_rng(0), is_valid)


def test_substitution_is_checked_again():
    # Where only the second letter counts, 8 of the 12 neighbours of BTXSE stay valid.
    def accepts(string):
        return string[1] == "T"

    broken = substitute(["BTXSE"] * 4, np.random.default_rng(0), accepts)
    assert sorted(broken) == ["BPXSE", "BSXSE", "BVXSE", "BXXSE"]


def test_no_language_of_the_impostors_shares_a_string_with_another():
    def meet(first, second):
        reached = {(0, 0)}
        for _ in range(64):
            reached |= {
                (after, other_after)
                for (state, other) in reached
                for (before, after), letter in zip(_ARROWS, first, strict=True)
                for (other_before, other_after), other_letter in zip(_ARROWS, second, strict=True)
                if (state, other, letter) == (before, other_before, other_letter)
            }
        return (7, 7) in reached

    assert meet(LABELS, LABELS)
    for first, second in itertools.combinations([LABELS, *_FOREIGN, *_SHIFTED, *_CROSSED], 2):
        assert not meet(first, second)


def test_impostors_resemble_the_grammar_and_are_invalid():
    drawn = draw_impostors(2001, np.random.default_rng(0))
    assert len(set(drawn)) == len(drawn) == 2001
    assert not any(map(is_valid, drawn))
    assert all(string[0] == "B" and string[-1] == "E" for string in drawn)
    assert set("".join(drawn)) == set("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
    lengths = [len(string) for string in drawn]
    assert min(lengths) == 11
    assert max(lengths) <= 53
    legal = [string for string in drawn if set(string) <= set(LETTERS)]
    assert len(legal) == 2001 - round(0.56 * 2001)
    crossed = [string for string in legal if is_valid("B" + ("T" if string[1] == "P" else "P") + string[2:])]
    assert len(crossed) == round(0.126 * 2001)


def test_impostors_are_like_the_published_invalid_strings(shared_data):
    with (shared_data / "stier2021" / "reber_sequences.csv").open(newline="") as file:
        published = [(row["string"], row["valid"] == "1") for row in csv.DictReader(file)]
    assert all(is_valid(string) == valid for string, valid in published)
    theirs = [string for string, valid in published if not valid]
    ours = draw_impostors(len(theirs), np.random.default_rng(0))
    assert np.mean([len(s) for s in ours]) == pytest.approx(np.mean([len(s) for s in theirs]), abs=0.3)
    foreign = [np.mean([not set(s) <= set(LETTERS) for s in strings]) for strings in (ours, theirs)]
    assert foreign[0] == pytest.approx(foreign[1], abs=0.01)
    valid = draw_strings(len(theirs), np.random.default_rng(0), shortest=11)
    assert np.mean([len(s) for s in valid]) == pytest.approx(np.mean([len(s) for s, v in published if v]), abs=0.3)
