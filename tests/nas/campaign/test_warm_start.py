"""Campaigns that start from the predictor of another one: its copy, what remains without the other, what is refused."""

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from nas.campaign.campaign import Campaign
from nas.errors import InputError
from nas.evaluation.watcher import Watcher
from nas.store.records import Record
from nas.store.study import load
from predictors.storage import FILE
from priors import Wiring

pytestmark = pytest.mark.usefixtures("no_plot")
SPACE = {"nodes": (8, 20), "degree": (2, 6)}


def edges(wiring: Wiring, _: Mapping[str, Any]) -> float:
    return wiring.n_edges + int(wiring.fingerprint[:4], 16) / 2**16


@pytest.fixture(scope="module")
def before(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a campaign that has a predictor."""
    folder = tmp_path_factory.mktemp("before")
    Campaign(folder, evaluate=edges, n_inputs=4, n_outputs=2, trials=30, space=SPACE, sampler="random").run()
    return folder


def warm(out: Path, start: Path, **options: Any) -> Campaign:
    given = {"trials": 12, "batch": 3, "space": SPACE, "warm_start": str(start), **options}
    return Campaign(out, evaluate=edges, n_inputs=4, n_outputs=2, **given)


def told(out: Path) -> list[tuple[Any, ...]]:
    return [(row.fingerprint, dict(row.params), row.origin, row.value, row.prediction) for row in load(out)]


class Stop(Watcher):
    """Interrupts a search when a trial is stored."""

    def __init__(self, number: int) -> None:
        self._number = number

    def recorded(self, record: Record) -> None:
        if record.number == self._number:
            raise KeyboardInterrupt


def test_it_resumes_without_the_campaign_that_it_started_from(tmp_path: Path, before: Path):
    whole, cut, start = tmp_path / "whole", tmp_path / "cut", tmp_path / "start"
    shutil.copytree(before, start)
    warm(whole, start).run()
    with pytest.raises(KeyboardInterrupt):
        warm(cut, start).run(Stop(4))
    shutil.rmtree(start)
    warm(cut, start).run()
    assert told(cut) == told(whole)
    assert "start-up" not in {row.origin for row in load(whole)}


def test_a_copy_that_was_cut_off_is_made_anew(tmp_path: Path, before: Path):
    out = tmp_path / "out"
    with pytest.raises(KeyboardInterrupt):
        warm(out, before).run(Stop(2))
    (out / "warm-start" / FILE).unlink()
    assert warm(out, before).run().complete == 12
    assert (out / "warm-start" / FILE).is_file()


@pytest.mark.parametrize("options", [{"network": "rnn"}, {"sampler": "tpe"}, {"warm_start": "nowhere"}])
def test_what_no_start_can_be_made_from_is_refused_before_anything_is_written(
    tmp_path: Path, before: Path, options: dict[str, Any]
):
    with pytest.raises(InputError, match=r"^warm_start") as caught:
        warm(tmp_path / "out", before, **options).run()
    assert "\n" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []
