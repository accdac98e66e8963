"""The trainings of a study: each has a name, and is stored when it is done, so that a study that was stopped goes on.

A study names what it trains, as `Training`, and lets `Trainings.run` return a row for each; of these rows it makes its
tables, with `grouped` and `mean_of`.
"""

from __future__ import annotations

import csv
import json
import time
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event
from typing import Any, TypeVar

from nas.errors import InputError
from nas.evaluation.threads import in_order, one_torch_thread, stop_on_signal
from nas.store.lines import added_to, keep, kept_lines, plain
from nas.training import Interrupted
from nas.training.recipe import Recipe
from nas.training.session import StopFlag
from priors.files import atomic_write

__all__ = ["CHOOSING", "Row", "Training", "Trainings", "as_today", "grouped", "read_setting", "write_rows"]

CHOOSING = 1_000
"""Seed of trainings that choose a learning rate, from which on none counts."""

Row = dict[str, Any]
Arm = TypeVar("Arm", bound=Hashable)


def read_setting(file: Path) -> dict[str, Any]:
    """Return a stored setting.

    Raises
    ------
    InputError
        If it cannot be read.
    """
    try:
        found: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        return dict(found)
    except (OSError, ValueError, TypeError) as error:
        raise InputError(f"{file}: cannot be read: {error}; restore it, or begin in another folder") from None


def as_today(stored: dict[str, Any], mine: Mapping[str, Any]) -> dict[str, Any]:
    """Return a stored setting with those options of a recipe that came later at what was done without them."""
    recipe = Recipe().model_dump(mode="json")
    later = {name: recipe[name] for name in mine if name in recipe and name not in stored}
    found = {**stored, **(later if "optimizer" in stored else {})}
    return {
        name: as_today(value, mine[name]) if isinstance(value, dict) and isinstance(mine.get(name), dict) else value
        for name, value in found.items()
    }


@dataclass(frozen=True)
class Training:
    """One training of a study.

    Parameters
    ----------
    key : mapping
        What tells it from all others, such as its method, density, learning rate and seed: text and numbers.
    run : callable
        Trains, and returns what is to be known of it, as JSON types; asks the flag that it is given whether to stop,
        and raises `Interrupted` then.
    """

    key: Mapping[str, Any]
    run: Callable[[StopFlag], Mapping[str, Any]]

    @property
    def name(self) -> str:
        """The key in one line, whatever the order of its parts."""
        return _name(self.key)


@dataclass
class Trainings:
    """Trains what is not stored yet.

    Parameters
    ----------
    out : Path
        Folder of the study. Rows are lines of ``runs.jsonl``, beside ``setting.json``.
    setting : mapping
        What all trainings have in common and their keys do not say, such as epochs and the task's fingerprint; rows of
        another setting are refused.
    threads : int
        Trainings at a time; results do not depend on it.
    watch : callable
        Told which part of the study is trained, how many trainings of it are done, and all of them.
    noun : str
        What lies in the folder, in messages.

    Raises
    ------
    InputError
        If the folder holds trainings of another setting.
    """

    out: Path
    setting: Mapping[str, Any]
    threads: int = 1
    watch: Callable[[str, int, int], None] = lambda *_: None
    stop: Event = field(default_factory=Event)
    noun: str = "study"

    def __post_init__(self) -> None:
        file, mine = self.out / "setting.json", json.loads(json.dumps(plain(self.setting)))
        if file.is_file():
            stored = as_today(read_setting(file), mine)
            for name in {**stored, **mine}:
                if stored.get(name) != mine.get(name):
                    raise InputError(
                        f"{name}={json.dumps(mine.get(name))}: the {self.noun} in {self.out} was started with "
                        f"{json.dumps(stored.get(name))}; give the same, or another folder with out"
                    )
            return
        self.out.mkdir(parents=True, exist_ok=True)
        with atomic_write(file) as temporary:
            temporary.write_text(json.dumps(mine, indent=1) + "\n", encoding="utf-8")

    def run(self, part: str, trainings: Sequence[Training]) -> list[Row]:
        """Return a row for each training, in their order: its key, what it returned, and its time in s.

        That is ``wall`` by the clock, and ``cpu`` of its thread, which other processes do not lengthen.

        Raises
        ------
        KeyboardInterrupt
            After Ctrl-C, when what is done is stored; the same call goes on.
        """
        file = self.out / "runs.jsonl"
        stored = {_name(line["key"]): line for line in kept_lines(file, "key", "row")}
        missing = [each for each in trainings if each.name not in stored]
        done = len(trainings) - len(missing)
        self.watch(part, done, len(trainings))
        try:
            with one_torch_thread(), stop_on_signal(self.stop), added_to(file) as lines:
                numbers = range(len(missing))
                for finished in in_order(lambda number: self._train(missing[number]), numbers, self.threads, self.stop):
                    for line in finished:
                        stored[_name(line["key"])] = line
                        lines.write(json.dumps(line, allow_nan=False) + "\n")
                    if finished:
                        keep(lines)
                        done += len(finished)
                        self.watch(part, done, len(trainings))
        except Interrupted:
            raise KeyboardInterrupt from None
        return [{**stored[each.name]["key"], **stored[each.name]["row"]} for each in trainings]

    def _train(self, training: Training) -> dict[str, Any]:
        clocks = {"wall": time.perf_counter, "cpu": time.thread_time}
        began = {name: clock() for name, clock in clocks.items()}
        found = dict(training.run(self.stop))
        taken = {name: round(clock() - began[name], 3) for name, clock in clocks.items()}
        return {"key": dict(training.key), "row": {**found, **taken}}

    def best_rates(
        self,
        part: str,
        arms: Iterable[Arm],
        rates: Sequence[float],
        training: Callable[[Arm, float, int], Training],
        value: str = "validation",
    ) -> dict[Arm, float]:
        """Return the learning rate of each arm that does best on validation, by one training each that does not count.

        Parameters
        ----------
        training : callable
            From an arm, a learning rate and a seed, which is `CHOOSING`.
        value : str
            What of a row is to be large. Of equal ones the first rate counts.
        """
        arms = list(arms)
        if len(rates) == 1:
            return dict.fromkeys(arms, rates[0])
        rows = iter(self.run(part, [training(arm, rate, CHOOSING) for arm in arms for rate in rates]))
        found = {arm: {rate: next(rows)[value] for rate in rates} for arm in arms}
        return {arm: max(rates, key=of.__getitem__) for arm, of in found.items()}


def _name(key: Mapping[str, Any]) -> str:
    return json.dumps(key, sort_keys=True)


def grouped(rows: Iterable[Row], *names: str) -> dict[tuple[Any, ...], list[Row]]:
    """Return rows by what they hold under some names, in the order in which these first come."""
    groups: dict[tuple[Any, ...], list[Row]] = {}
    for row in rows:
        groups.setdefault(tuple(row[name] for name in names), []).append(row)
    return groups


def write_rows(path: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write rows with the same names as a CSV file, replacing an older one in one step."""
    with atomic_write(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows({name: plain(value) for name, value in row.items()} for row in rows)
