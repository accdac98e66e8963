"""The Reber tasks: exact counts, the definition of every kind of invalid string, and the documented plateaus."""

import csv
import re
import string
from collections import Counter

import numpy as np
import pytest
import torch

from nas.tasks import reber, reber_embedded, reber_published
from nas.tasks.grammar import LETTERS, is_embedded, is_valid
from nas.tasks.sequences import judge_by_grams, plateaus_of

VARIANTS = {
    "reber": (reber, LETTERS, is_valid),
    "reber-published": (reber_published, string.ascii_uppercase, is_valid),
    "reber-embedded": (reber_embedded, LETTERS, is_embedded),
}


def texts(task, alphabet):
    """Read the strings back from the symbols, independently of the lengths."""
    return ["".join(alphabet[symbol] for symbol in row if symbol < len(alphabet)) for row in task.inputs.tolist()]


def one_letter_apart(text, inner, known):
    """Return the places at which one other inner letter makes a known string of the text."""
    changed = ((place, text[:place] + letter + text[place + 1 :]) for place in range(len(text)) for letter in inner)
    return {place for place, candidate in changed if candidate != text and candidate in known}


@pytest.fixture(scope="module", params=VARIANTS)
def variant(request):
    make, alphabet, accepts = VARIANTS[request.param]
    return make, make(), alphabet, accepts


def test_labels_are_what_the_grammar_says(variant):
    _, task, alphabet, accepts = variant
    strings = texts(task, alphabet)
    assert [len(text) for text in strings] == task.lengths.tolist()
    assert [accepts(text) for text in strings] == task.targets.bool().tolist()


def test_half_is_valid_in_every_part_and_no_string_occurs_twice(variant):
    _, task, alphabet, _ = variant
    strings = texts(task, alphabet)
    assert len(set(strings)) == len(strings)
    for part in (task.train, task.validation, task.test):
        assert 2 * int(task.targets[part].sum()) == len(part)
    n = len(strings)
    assert [len(part) for part in (task.train, task.validation, task.test)] == [16 * n // 25, 4 * n // 25, n // 5]
    assert task.constant_value == 0.5


def test_documented_plateaus_are_those_of_the_task(variant):
    make, task, alphabet, _ = variant
    line = re.search(r"Plateaus on the test part: (.+)\.\n", make.__doc__)[1]
    documented = dict(entry.split(" ") for entry in line.split(", "))
    assert documented == {name: f"{value:.3f}" for name, value in task.plateaus.items()}
    assert list(documented) == ["constant", "letters", "bigrams", "trigrams"]
    strings, labels = texts(task, alphabet), task.targets.numpy()
    assert task.plateaus == plateaus_of(strings, labels, task.train.numpy(), task.test.numpy())


def test_draws_follow_the_seed(variant):
    make, task, _, _ = variant
    first, again, other = make(200), make(200), make(200, seed=1)
    assert first.fingerprint == again.fingerprint
    assert first.fingerprint != other.fingerprint
    assert len(first.inputs) == 200
    assert first.name == task.name


def test_batches_hold_the_strings(variant):
    _, task, alphabet, _ = variant
    strings = texts(task, alphabet)
    indices = task.test[:16]
    x, lengths, y = task.batch(indices)
    assert x.shape == (16, int(lengths.max()), len(alphabet))
    for row, length, index in zip(x, lengths, indices, strict=True):
        assert "".join(alphabet[symbol] for symbol in row[:length].argmax(dim=1)) == strings[index]
        assert (float(row.sum()), float(row[length:].sum())) == (float(length), 0.0)
    assert torch.equal(y, task.targets[indices])


def test_hard_negatives_are_one_inner_letter_from_a_valid_string():
    task = reber(400)
    strings = texts(task, LETTERS)
    valid, invalid = strings[:200], strings[200:]
    assert all(one_letter_apart(text, "TPSXV", set(valid)) for text in invalid)
    assert Counter(map(len, valid)) == Counter(map(len, invalid))


def test_default_lengths():
    assert [f(reber().lengths) for f in (torch.min, torch.max)] == [5, 30]
    assert [f(reber_embedded().lengths) for f in (torch.min, torch.max)] == [9, 24]
    task = reber_published()
    assert int(task.lengths.min()) == 11
    assert 45 <= int(task.lengths.max()) <= 53
    means = [float(task.lengths[task.targets == label].double().mean()) for label in (1, 0)]
    assert [f"{mean:.1f}" for mean in means] == ["23.7", "18.7"]


def test_embedded_negatives_are_half_of_each_kind():
    task = reber_embedded(800)
    strings = texts(task, LETTERS)
    valid, invalid = set(strings[:400]), strings[400:]
    kinds = Counter()
    for text in invalid:
        flipped = text[:-2] + text[1] + "E"
        if text[-2] != text[1]:
            assert flipped in valid
            kinds["echo"] += 1
        else:
            places = one_letter_apart(text, "TPSXV", valid)
            assert any(3 <= place < len(text) - 3 for place in places)
            kinds["letter"] += 1
    assert kinds == {"echo": 200, "letter": 200}


def test_the_echo_is_invisible_without_memory():
    task = reber_embedded()
    strings, test = texts(task, LETTERS), task.test.tolist()
    known = [strings[index] for index in task.train.tolist() if task.targets[index] == 1]
    echo = [strings[index] for index in test if strings[index][1] != strings[index][-2]]
    assert len(echo) == len(test) // 4
    assert judge_by_grams(3, known, echo).mean() > 0.98


def test_rules_on_strings_made_by_hand():
    known = ["ABA", "AAB"]
    candidates = ["ABAAB", "B", "AC", "ABB", "A", "AABA"]
    assert judge_by_grams(1, known, candidates).tolist() == [True, True, False, True, True, True]
    assert judge_by_grams(2, known, candidates).tolist() == [True, False, False, False, True, True]
    # ABAAB holds BAA, which neither known string has; AABA consists of ^AA, AAB, ABA and BA$.
    assert judge_by_grams(3, known, candidates).tolist() == [False, False, False, False, False, True]


def test_plateaus_are_learnt_on_valid_training_strings_only():
    strings = ["AB", "CD", "AB", "CD", "AB", "CC"]
    labels, train = np.array([1, 0, 1, 0, 1, 0]), np.array([0, 1])
    assert plateaus_of(strings, labels, train, np.array([2, 3, 4, 5]))["letters"] == 1.0
    assert plateaus_of(strings, labels, np.array([0, 2, 1]), np.array([3, 4, 5]))["constant"] == pytest.approx(1 / 3)
    assert plateaus_of(strings, labels, np.array([0, 3, 1]), np.array([2, 4, 5]))["constant"] == pytest.approx(1 / 3)


def test_rules_reach_the_published_plateaus(shared_data):
    def rows(name):
        with (shared_data / "stier2021" / name).open(newline="") as file:
            return [(row["string"], int(row["valid"])) for row in csv.DictReader(file)]

    train, test = rows("train_data.csv"), rows("test_data.csv")
    strings, labels = zip(*train, *test, strict=True)
    order = np.arange(len(strings))
    plateaus = plateaus_of(strings, np.array(labels), order[: len(train)], order[len(train) :])
    assert plateaus["letters"] == pytest.approx(0.77888)
    assert plateaus["bigrams"] == pytest.approx(0.9368)
    assert plateaus["trigrams"] == 1.0
    line = re.search(r"Plateaus of the published strings: (.+)\.\n", reber_published.__doc__)[1]
    assert dict(entry.split(" ") for entry in line.split(", ")) == {name: f"{v:.3f}" for name, v in plateaus.items()}
    ours = reber_published().plateaus
    assert all(abs(ours[name] - plateaus[name]) < 0.01 for name in plateaus)


@pytest.mark.parametrize(
    ("make", "n_strings", "message"),
    [
        (reber, 201, "n_strings=201: half valid, half invalid needs an even number >= 20, e.g. 200"),
        (reber, 0, "e.g. 20"),
        (reber_published, -3, "e.g. 20"),
        (reber_embedded, 202, "n_strings=202: two kinds of invalid strings need a multiple of 4, e.g. 200"),
        (reber_embedded, 2, "e.g. 20"),
        (reber, 10**7, "the grammar has"),
    ],
)
def test_numbers_of_strings_that_cannot_be_made(make, n_strings, message):
    with pytest.raises(ValueError, match=message):
        make(n_strings)
