"""What a campaign holds while it runs: one torch thread, its folder, and Ctrl-C."""

import os
import signal
import threading
from pathlib import Path

import pytest
import torch

from nas.errors import InputError
from nas.evaluation.threads import one_torch_thread, stop_on_signal
from nas.store.folders import alone_in


def test_torch_has_one_thread_inside_and_its_own_number_afterwards():
    before = torch.get_num_threads()
    torch.set_num_threads(3)
    try:
        with one_torch_thread():
            assert torch.get_num_threads() == 1
        assert torch.get_num_threads() == 3
    finally:
        torch.set_num_threads(before)


def test_a_folder_is_held_by_one_at_a_time(tmp_path: Path):
    busy = pytest.raises(InputError, match="another process works on it")
    with alone_in(tmp_path / "out"), busy, alone_in(tmp_path / "out"):
        pass
    with alone_in(tmp_path / "out"):
        pass


def test_the_first_ctrl_c_is_a_flag_and_the_second_an_interruption():
    stop = threading.Event()
    before = signal.getsignal(signal.SIGINT)
    with stop_on_signal(stop):
        os.kill(os.getpid(), signal.SIGINT)
        assert stop.is_set()
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is before


def test_a_flag_of_an_earlier_run_does_not_stop_the_next():
    stop = threading.Event()
    stop.set()
    with stop_on_signal(stop):
        assert not stop.is_set()
