"""Parameters of one's own, which an own evaluation is told beside the wiring."""

import csv
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

from nas import Campaign, Space, load
from nas.errors import InputError
from nas.space.names import same_name
from priors import Wiring

pytestmark = pytest.mark.usefixtures("no_plot")

OWN = {
    "rate": FloatDistribution(1e-4, 1e-1, log=True),
    "blocks": IntDistribution(2, 8, step=2),
    "optimizer": CategoricalDistribution(("adam", "sgd", None)),
    "fixed": FloatDistribution(0.5, 0.5),
}
SPACE = Space(nodes=(10, 30))


def worth(wiring: Wiring, params: Mapping[str, Any]) -> float:
    """Best at a rate of .01 with sgd and 6 blocks; the wiring counts little."""
    off = abs(math.log10(params["rate"]) + 2) + abs(params["blocks"] - 6) / 2 + (params["optimizer"] != "sgd")
    return -off - 0.01 * abs(wiring.n_edges - 40) + params["fixed"] - 0.5


def campaign(out: Path, sampler: str = "structural", trials: int = 12, **options: Any) -> Campaign:
    given = {"evaluate": worth, "parameters": OWN, "space": SPACE, "seed": 2, **options}
    if sampler != "random":
        given["batch"] = 3
    return Campaign(out, sampler=sampler, trials=trials, **given)


@pytest.mark.parametrize("sampler", ["structural", "tpe", "nsga2", "random"])
def test_they_are_searched_with_the_wirings_and_stored(tmp_path: Path, sampler: str) -> None:
    told: list[dict[str, Any]] = []

    def evaluate(wiring: Wiring, params: Mapping[str, Any]) -> float:
        told.append(dict(params))
        return worth(wiring, params)

    outcome = campaign(tmp_path / "whole", sampler, evaluate=evaluate).run()
    assert len(told) == 12
    assert all(OWN[name]._contains(OWN[name].to_internal_repr(own[name])) for own in told for name in OWN)
    assert len({own["rate"] for own in told}) > 6
    records = load(tmp_path / "whole")
    assert [dict(record.params) for record in records] == told
    assert set(OWN) <= set(outcome.best["params"])
    with (tmp_path / "whole" / "trials.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [float(row["param_rate"]) for row in rows] == [own["rate"] for own in told]
    # One that was ended on its way goes on with the same trials.
    campaign(tmp_path / "again", sampler, trials=6).run()
    campaign(tmp_path / "again", sampler).run()
    assert [dict(record.params) for record in load(tmp_path / "again")] == told


@pytest.mark.parametrize("sampler", ["structural", "tpe"])
def test_samplers_learn_them(tmp_path: Path, sampler: str) -> None:
    campaign(tmp_path / "learnt", sampler, trials=60).run()
    values = [record.value for record in load(tmp_path / "learnt")]
    assert sum(values[40:]) / 20 > sum(values[:20]) / 20 + 0.5


def test_a_predictor_still_judges_wirings(tmp_path: Path) -> None:
    campaign(tmp_path / "own", "random", trials=24).run()
    assert (tmp_path / "own" / "predictor").is_dir()


@pytest.mark.parametrize(
    ("parameters", "options", "line"),
    [
        ({"n": IntDistribution(1, 3)}, {}, str(same_name("n", SPACE.distributions()["n"]))),
        ({"graph_seed": IntDistribution(1, 3)}, {}, "parameter graph_seed: the space has one of this name"),
        ({"degree": IntDistribution(1, 3)}, {}, "parameter degree: the space has one of this name"),
        *(
            ({name: IntDistribution(1, 3)}, {}, f"parameters: {name} is a name that parameters or options of spaces")
            for name in ("replicate", "reads", "readouts", "width", "graph", "nodes", "mixing")
        ),
        (5, {}, "parameters=5: distributions of Optuna are needed, by name"),
        ({1: IntDistribution(1, 3)}, {}, "parameters: 1 is no name; give text"),
        ({"rate": (0.1, 0.2)}, {}, r"parameters: rate is (0.1, 0.2); give a distribution of Optuna"),
        (OWN, {"sampler": "genetic"}, "parameters: sampler=genetic breeds graphs alone"),
        (OWN, {"evaluate": None, "task": "digits"}, "parameters: networks of a task are trained by its recipe"),
        (OWN, {"storage": "postgresql://nobody@127.0.0.1:1/none"}, "parameters: in a database wirings alone"),
    ],
)
def test_what_cannot_be_heeded_is_one_line(tmp_path: Path, parameters: Any, options: dict[str, Any], line: str) -> None:
    with pytest.raises(InputError) as caught:
        campaign(tmp_path / "own", **{"parameters": parameters, **options})
    assert line in str(caught.value)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "own").exists()


def test_a_campaign_keeps_the_parameters_that_it_was_started_with(tmp_path: Path) -> None:
    campaign(tmp_path / "own", trials=3).run()
    wider = {**OWN, "rate": FloatDistribution(1e-5, 1e-1, log=True)}
    with pytest.raises(InputError, match=r"parameters.rate=.*low=1e-05.* was started with .*low=0.0001"):
        campaign(tmp_path / "own", trials=6, parameters=wider).run()
    with pytest.raises(InputError, match=r"parameters=none: the campaign in .* was started with"):
        campaign(tmp_path / "own", trials=6, parameters=None).run()
    campaign(tmp_path / "own", trials=6).run()
    assert len(load(tmp_path / "own")) == 6
