"""Tasks of published data that studies read from files, where somebody has them."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nas.errors import InputError
from nas.tasks import Task

__all__ = ["higgs_sample", "japanese_vowels"]

_RATES = (0.003, 0.01, 0.03)


def japanese_vowels(folder: Path | None) -> Task | None:
    """Return the task of telling nine speakers by two vowels; None where no folder is given or in ``WIRENAS_DATA``.

    The published test part is kept. The file ``japanese-vowels.npz`` holds `X`, `lengths` and `y`, each of ``train``
    and ``test``; it may lie in the folder, or below it in ``japanese-vowels`` or ``sequences/japanese-vowels``.

    Raises
    ------
    InputError
        If a folder is given and does not hold it.

    References
    ----------
    M. Kudo, J. Toyama and M. Shimbo, "Multidimensional curve classification using passing-through regions", Pattern
    Recognition Letters 20, 1999, doi:10.1016/S0167-8655(99)00077-X
    """
    arrays = _read(folder, "sequences/japanese-vowels/japanese-vowels.npz")
    if arrays is None:
        return None
    inputs, lengths, targets = (_joined(arrays, name) for name in ("X", "lengths", "y"))
    return Task.from_arrays(
        "japanese-vowels",
        inputs,
        targets,
        lengths=lengths,
        test=np.arange(len(arrays["y_train"]), len(targets)),
        recipe={"epochs": 60, "batch_size": 16, "learning_rates": _RATES},
        description="nine speakers by two vowels, of 12 cepstrum coefficients",
    )


def higgs_sample(folder: Path | None) -> Task | None:
    """Return the task of telling signals from background by 28 numbers; None where no folder is given or known.

    Columns have mean 0 and standard deviation 1 over the examples that are not of the published test part, which is
    kept. The file ``higgs_sample.npz`` holds `X` and `y`, each of ``train`` and ``test``; it may lie in the folder, or
    below it in ``higgs-sample`` or ``tabular/higgs-sample``.

    Raises
    ------
    InputError
        If a folder is given and does not hold it.

    References
    ----------
    P. Baldi, P. Sadowski and D. Whiteson, "Searching for exotic particles in high-energy physics with deep learning",
    Nature Communications 5, 2014, doi:10.1038/ncomms5308
    """
    arrays = _read(folder, "tabular/higgs-sample/higgs_sample.npz")
    if arrays is None:
        return None
    known = arrays["X_train"]
    inputs, targets = _joined(arrays, "X"), _joined(arrays, "y")
    return Task.from_arrays(
        "higgs-sample",
        (inputs - known.mean(axis=0)) / known.std(axis=0),
        targets,
        test=np.arange(len(known), len(inputs)),
        recipe={"epochs": 20, "learning_rates": _RATES},
        description="signals among background by 28 numbers of a collision",
    )


def _read(folder: Path | None, path: str) -> Mapping[str, NDArray[np.generic]] | None:
    """Return the arrays of a file, or None where no folder is given and it is not in that of ``WIRENAS_DATA``."""
    given = folder or (Path(os.environ["WIRENAS_DATA"]) if os.environ.get("WIRENAS_DATA") else None)
    if given is None:
        return None
    *_, own, name = Path(path).parts
    places = [given / name, given / own / name, given / path]
    file = next((place for place in places if place.is_file()), None)
    if file is not None:
        with np.load(file, allow_pickle=False) as arrays:
            return dict(arrays)
    if folder is None:
        return None
    raise InputError(f"data={folder}: {name} is neither there nor in its folder {Path(path).parent}")


def _joined(arrays: Mapping[str, NDArray[np.generic]], name: str) -> NDArray[np.generic]:
    return np.concatenate([arrays[f"{name}_{part}"] for part in ("train", "test")])
