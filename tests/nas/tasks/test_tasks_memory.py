"""Tasks of memory: their answers found anew from their sequences, and how far rules without memory get."""

import numpy as np
import pytest
from scipy.special import log_softmax

from nas.tasks import adding, copy, delayed_parity, digits, sequential_digits


def test_marked_numbers_are_added():
    task = adding(400, 20)
    inputs, lengths = task.inputs.numpy(), task.lengths.numpy()
    assert set(np.unique(lengths)) <= {20, 21, 22}
    for row, length, wanted in zip(inputs, lengths, task.targets.numpy(), strict=True):
        marked = np.flatnonzero(row[:, 1])
        assert len(marked) == 2
        assert marked[0] < 5 <= marked[1] < 10
        assert wanted == pytest.approx(row[marked, 0].sum())
        assert not row[length:].any()
    assert adding().plateaus["constant"] == pytest.approx(1 / 6, abs=0.02)


def test_parities_are_those_of_three_bits_gone_by():
    task = delayed_parity(400, 4)
    for row, length, wanted in zip(task.inputs.numpy()[:, :, 0], task.lengths.numpy(), task.targets, strict=True):
        assert wanted == np.count_nonzero(row[length - 7 : length - 4] == 1) % 2
        assert set(row[:length]) <= {-1.0, 1.0}
    assert set(task.lengths.tolist()) == set(range(7, 16))


def test_fewer_than_three_bits_tell_nothing():
    task = delayed_parity(20_000)
    ends, targets = task.lengths.numpy(), task.targets.numpy()
    bits = np.stack([task.inputs.numpy()[np.arange(len(ends)), ends - 9 - back, 0] for back in range(3)], axis=1)
    for left_out in range(3):
        seen = np.delete(bits, left_out, axis=1) @ [1, 2]
        shares = [targets[seen == own].mean() for own in np.unique(seen)]
        assert shares == pytest.approx([0.5] * 4, abs=0.03)


def test_digits_pixel_by_pixel_are_the_digits():
    images, task = digits(), sequential_digits()
    assert task.inputs.shape == (1_797, 64, 1)
    assert np.array_equal(task.inputs[:, :, 0], images.inputs)
    for part in ("train", "validation", "test", "targets"):
        assert np.array_equal(getattr(task, part), getattr(images, part))


def test_what_cannot_be_asked():
    with pytest.raises(ValueError, match="steps=7: two numbers of the first half"):
        adding(100, 7)
    with pytest.raises(ValueError, match="delay=-1: it is a number of steps"):
        delayed_parity(100, -1)
    with pytest.raises(ValueError, match="delay=0: it is a number of steps up to the marker, at least 1"):
        copy(100, 0)


def test_symbols_are_to_be_said_again_once_the_marker_is_read():
    task = copy(300, 7)
    inputs, targets = task.inputs.numpy(), task.targets.numpy()
    assert (inputs.shape, task.n_inputs, task.n_outputs) == ((300, 27), 10, 9)
    assert set(task.lengths.tolist()) == {27}
    for row, wanted in zip(inputs, targets, strict=True):
        assert row[:10].max() < 8
        assert row[10:].tolist() == 6 * [8] + [9] + 10 * [8]
        assert wanted.tolist() == 17 * [8] + row[:10].tolist()
    alone = copy(300, 7, recalled=True)
    assert np.array_equal(alone.inputs, inputs)
    assert np.array_equal(alone.targets[:, -10:], targets[:, -10:])
    assert (alone.targets[:, :-10] == -1).all()
    assert alone.n_outputs == 8


@pytest.mark.parametrize("recalled", [False, True])
def test_the_baseline_of_copying_is_that_of_a_network_without_memory(recalled: bool):
    # Blanks up to the marker, and then the eight symbols with equal probability.
    delay, task = 15, copy(4_000, 15, recalled=recalled)
    said = np.full((*task.targets.shape, task.n_outputs), -50.0)
    if not recalled:
        said[:, :-10, 8] = 0.0
    said[:, -10:, :8] = 0.0
    targets, examples = task.flat_targets(task.test)
    outputs = said[task.test][task.counted[task.test].numpy()]
    loss = -log_softmax(outputs, axis=1)[np.arange(len(targets)), targets.numpy()].mean()
    assert len(targets) == len(examples) == len(task.test) * (10 if recalled else delay + 20)
    assert loss == pytest.approx(np.log(8) if recalled else 10 * np.log(8) / (delay + 20))
    steps = 10 if recalled else delay + 20
    assert task.plateaus["constant"] == pytest.approx(1 / 8 if recalled else (delay + 10) / steps, abs=0.01)
    assert task.plateaus["without memory"] == pytest.approx((10 / 8 + steps - 10) / steps, abs=0.01)
