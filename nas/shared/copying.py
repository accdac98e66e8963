"""LocalCopy: a campaign's folder follows a shared study, so that every other command works on it."""

from __future__ import annotations

from optuna.trial import FrozenTrial

from nas.errors import InputError
from nas.shared.counting import next_to_copy, surplus
from nas.shared.shared import SharedStudy
from nas.store.records import Record
from nas.store.study import StudyFile, record_of, trial_of

__all__ = ["ORIGIN", "LocalCopy", "refuse_copy"]

ORIGIN = "shared_number"
"""Attribute of a copied trial: its number in the shared study."""
_SHARED = "shared"


class LocalCopy:
    """The trials of a shared study that count, and those that failed, under numbers of their own.

    Parameters
    ----------
    file : StudyFile
        Of the campaign's folder.
    shared : SharedStudy

    Raises
    ------
    InputError
        If the folder holds another campaign.
    """

    def __init__(self, file: StudyFile, shared: SharedStudy) -> None:
        self._file, self._shared = file, shared
        mine, stored = shared.outage.patiently(shared.identity), file.get(_SHARED)
        trials = file.trials()
        if stored is None and trials:
            raise InputError(
                f"out={file.path.parent}: a campaign without storage lies there; give another out, or no storage"
            )
        if stored is not None and stored != mine:
            raise InputError(
                f"out={file.path.parent}: it follows another study than {shared.name} in {shared.place}, namely "
                f"{stored['study']} as it was when the folder was made; give another out"
            )
        if stored is None:
            file.put(_SHARED, mine)
        self._copied = {int(trial.user_attrs[ORIGIN]) for trial in trials}

    def update(self, wanted: int) -> list[Record]:
        """Append what the shared study has got since the last time, and return it."""
        trials = self._shared.outage.patiently(self._shared.trials)
        new = next_to_copy(trials, wanted, self._copied)
        if new:
            first = len(self._copied)
            self._file.append([_copy(trial) for trial in new])
            self._copied |= {trial.number for trial in new}
            return list(self._file.records()[first:])
        return []

    def close(self) -> None:
        """Note in the shared study which trials came too late to count."""
        shared = self._shared
        shared.outage.patiently(lambda: shared.mark_surplus(surplus(shared.trials(), self._copied)))


def refuse_copy(file: StudyFile) -> None:
    """Refuse to search in a folder that follows a shared study.

    Raises
    ------
    InputError
        If it does.
    """
    stored = file.get(_SHARED)
    if stored is not None:
        raise InputError(
            f"out={file.path.parent}: its trials come from the shared study {stored['study']}; give its storage again"
        )


def _copy(trial: FrozenTrial) -> tuple[Record, FrozenTrial]:
    record = record_of(trial)
    # Optuna's samplers and its queue have notes there as well.
    notes = {name: note for name, note in record.stopping.items() if name.startswith("completed_rung")}
    record = Record(**{**vars(record), "stopping": notes})
    copied = trial_of(record, trial.distributions)
    copied.user_attrs = {**copied.user_attrs, ORIGIN: trial.number}
    copied.datetime_start, copied.datetime_complete = trial.datetime_start, trial.datetime_complete
    return record, copied
