"""Seeds: streams are functions of seed, purpose and keys, and stay what they are from version to version."""

from itertools import combinations

import numpy as np
import pytest

from nas.seeds import PURPOSES, stream, stream_seed

FINGERPRINT = "0123456789abcdef" * 4
GOLDEN = {
    "sampler": 0.9453165290142962,
    "wiring": 0.26423293569502593,
    "weights": 0.32273723720618896,
    "batches": 0.7328289855784714,
    "seeds": [1976665982, 1806813825, 508308974],
}


def draws(*arguments: int | str) -> tuple[int, ...]:
    seed, purpose, *keys = arguments
    return tuple(stream(int(seed), str(purpose), *keys).integers(2**63, size=2).tolist())


def test_purposes_have_numbers_of_their_own():
    assert len(set(PURPOSES.values())) == len(PURPOSES)
    # A number that is given to another purpose would change stored results.
    assert {"sampler": 1, "wiring": 2, "weights": 3, "batches": 4}.items() <= PURPOSES.items()


def test_streams_depend_on_nothing_but_their_arguments():
    first = draws(3, "weights", FINGERPRINT, 1)
    np.random.default_rng().random(5)
    stream(3, "weights", FINGERPRINT, 2).random(7)
    assert draws(3, "weights", FINGERPRINT, 1) == first


def test_streams_differ_in_seed_purpose_keys_and_their_order():
    other = FINGERPRINT[:-1] + "0"
    arguments = [
        *[(seed, purpose) for seed in (0, 1, 2**32, 2**62) for purpose in PURPOSES],
        *[(0, "wiring", number) for number in range(20)],
        *[(0, "wiring", number, 0) for number in range(20)],
        (0, "wiring", 1, 2),
        (0, "wiring", 2, 1),
        (0, "weights", FINGERPRINT),
        (0, "weights", FINGERPRINT, 0),
        (0, "weights", FINGERPRINT, 1),
        (0, "weights", other, 1),
        (0, "batches", FINGERPRINT, 1),
        (1, "weights", FINGERPRINT, 1),
    ]
    found = [draws(*each) for each in arguments]
    same = [pair for pair in combinations(range(len(found)), 2) if found[pair[0]] == found[pair[1]]]
    assert same == []


def test_numbers_are_those_of_numpys_seed_sequence():
    sequence = np.random.SeedSequence(5, spawn_key=(3, 0x01234567, 0x89ABCDEF, 2))
    expected = np.random.Generator(np.random.PCG64(sequence)).random(3)
    np.testing.assert_array_equal(stream(5, "weights", "0123456789abcdef", 2).random(3), expected)
    np.testing.assert_array_equal(stream(5, "weights", "0123456789abcdef", np.int64(2)).random(3), expected)


def test_golden_values():
    assert stream(0, "sampler", 0).random() == GOLDEN["sampler"]
    assert stream(7, "wiring", 12, 0).random() == GOLDEN["wiring"]
    assert stream(7, "weights", FINGERPRINT, 1).random() == GOLDEN["weights"]
    assert stream(7, "batches", FINGERPRINT, 1).random() == GOLDEN["batches"]
    assert [stream_seed(0, "sampler", number) for number in range(3)] == GOLDEN["seeds"]


def test_seeds_for_libraries_fit_31_bits_and_differ():
    seeds = [stream_seed(4, "sampler", number, 0) for number in range(500)]
    assert len(set(seeds)) == 500
    assert all(0 <= seed < 2**31 for seed in seeds)
    assert max(seeds) > 2**30


def test_a_negative_seed_is_refused():
    with pytest.raises(ValueError, match="seed=-1: a seed must be an integer of at least 0"):
        stream(-1, "wiring")
