"""Images of several channels, and signals beside each other."""

from pathlib import Path

import numpy as np
import pytest
from command_line import refused, wirenas

from nas import Task, load_network, load_pipeline
from nas.networks import PooledMLP
from nas.tasks import inputs_of
from nas.tasks.files.loading import read_file

pytestmark = pytest.mark.usefixtures("no_plot")

N = 120


def images(shape: tuple[int, int, int] = (3, 8, 8)) -> dict[str, np.ndarray]:
    """Noise, in which one channel is brighter at one place in one of two classes."""
    rng = np.random.default_rng(0)
    y = rng.integers(0, 2, N)
    x = rng.random((N, *shape))
    x[y == 1, 1, -3:, :3] += 1.0
    return {"X": x, "y": y}


def test_a_place_is_that_of_all_channels() -> None:
    held = images((3, 2, 4))
    task = Task.from_arrays("colours", held["X"].reshape(N, -1), held["y"], shape=(3, 2, 4))
    positions = inputs_of(task).positions
    assert positions is not None
    assert positions.shape == (24, 2)
    assert np.array_equal(positions[:8], positions[8:16])
    assert positions[:5].tolist() == [[0, 0], [0, 1], [0, 2], [0, 3], [1, 0]]
    for shape in ((24,), (1, 2, 3, 4)):
        with pytest.raises(ValueError, match=r"it is \(rows, columns\) or \(channels, rows, columns\)"):
            Task.from_arrays("colours", held["X"].reshape(N, -1), held["y"], shape=shape)


def test_arrays_are_read_channels_first(tmp_path: Path) -> None:
    held = images()
    np.savez(tmp_path / "own.npz", **held)
    task = read_file(f"npz:{tmp_path / 'own.npz'}", {"shape": "3x8x8"}).task
    assert task.shape == (3, 8, 8)
    largest = np.abs(held["X"][task.train.numpy()]).max()
    assert np.allclose(task.inputs.numpy(), held["X"].reshape(N, -1) / largest, atol=1e-6)
    np.savez(tmp_path / "last.npz", X=held["X"].transpose(0, 2, 3, 1), y=held["y"])
    line = refused("data", tmp_path / "last.npz", "--shape", "3x8x8")
    assert line.endswith("--shape 3x8x8: an example of X is 8 x 8 x 3; valid: 8x8x3, where channels come first\n")
    line = refused("data", tmp_path / "own.npz", "--shape", "3x8x8x1")
    assert "it must be rows and columns of an image" in line
    assert "or channels, rows and columns, such as 3x32x32" in line


def test_a_campaign_pools_each_channel_and_keeps_how(tmp_path: Path) -> None:
    np.savez(tmp_path / "own.npz", **images())
    few = ("--trials", 2, "--epochs", 20, "--finalists", 1, "--final-seeds", 1, "--final-epochs", 20)
    code, _, err = wirenas(
        *("run", "--task", f"npz:{tmp_path / 'own.npz'}", "--shape", "3x8x8", "--budget", "300", "--ways", "prior"),
        *("--pool", 2, "--read-in", "local", *few, "--out", tmp_path / "found"),
    )
    assert code == 0, err
    assert (tmp_path / "found" / "best" / "reads.png").is_file()
    network = load_network(tmp_path / "found" / "best" / "network.safetensors")
    assert isinstance(network, PooledMLP)
    assert (network.pooling.channels, network.pooling.n_means) == (3, 48)
    held = images()
    assert np.mean(load_pipeline(tmp_path / "found").predict(held["X"]) == held["y"]) > 0.8


def test_signals_are_pooled_in_time_alone(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    y = rng.integers(0, 2, N)
    x = rng.normal(size=(N, 4, 1, 12))
    x[y == 1, 2, 0, 6:9] += 2
    np.savez(tmp_path / "signals.npz", X=x[:, :, 0], y=y)
    few = ("--trials", 2, "--epochs", 20, "--finalists", 1, "--final-seeds", 1, "--final-epochs", 20)
    code, _, err = wirenas(
        *(
            "run",
            "--task",
            f"npz:{tmp_path / 'signals.npz'}",
            "--shape",
            "4x1x12",
            "--budget",
            "200",
            "--ways",
            "prior",
        ),
        *("--pool", 3, *few, "--out", tmp_path / "found"),
    )
    assert code == 0, err
    network = load_network(tmp_path / "found" / "best" / "network.safetensors")
    assert isinstance(network, PooledMLP)
    assert network.pooling.shape == (4, 1, 4)
