"""Reads, readouts and widths that vary from candidate to candidate."""

import json
from pathlib import Path

import numpy as np
import pytest

from nas import Campaign, InputError, Space, Survey
from nas.networks import NetworkSpec
from nas.options.options import resolve
from nas.samplers.candidates import Source
from nas.space.draws import Uniform, unspent
from nas.space.lineage import rebuilt
from nas.store.study import load
from nas.store.survey_table import load_survey

SPACE = Space(nodes=(8, 20), degree=(2, 4), reads=(1, 9), readouts=(2, 6))


def drawn(space: Space, number: int) -> dict[str, str | int | float]:
    rng = np.random.default_rng(number)
    return {**space.suggest(Uniform(rng)), **space.seeds(rng)}


def test_every_neuron_reads_as_many_inputs_as_the_parameter_says() -> None:
    seen = set()
    for number in range(60):
        params = drawn(SPACE, number)
        wiring = SPACE.wiring(params, 12, 3)
        source, target = wiring.edges.T
        hidden = target < wiring.n_neurons - 3
        counts = np.bincount(target[(source < 12) & hidden], minlength=wiring.n_neurons)[12:-3]
        assert set(counts) == {params["reads"]}
        assert len(set(source[~hidden])) == params["readouts"]
        seen.add(params["reads"])
    assert seen == set(range(1, 10))


def test_counts_are_asked_for_only_where_the_attachment_takes_them() -> None:
    space = SPACE.model_copy(update={"attachment": ("controlled", "natural", "projected"), "width": (3, 7)})
    for number in range(40):
        params = drawn(space, number)
        asked = {name for name in ("reads", "readouts", "width") if name in params}
        expected = {"controlled": {"reads", "readouts"}, "natural": set(), "projected": {"width"}}
        assert asked == expected[str(params["attachment"])]
        space.wiring(params, 12, 3)
    assert "width" not in SPACE.domains()


def test_what_does_not_vary_is_no_parameter_and_is_written_as_one_number() -> None:
    space = Space(reads=5, readouts=(4, 4))
    assert not {"reads", "readouts", "width"} & set(space.domains())
    written = json.loads(space.model_dump_json())
    assert (written["reads"], written["readouts"]) == (5, 4)
    assert Space(**written) == space
    assert json.loads(SPACE.model_dump_json())["reads"] == [1, 9]
    assert Space(reads="3:7").reads == (3, 7)


def test_neighbours_stay_in_the_range() -> None:
    source = Source(SPACE, (12, 3), lambda wiring: wiring.n_edges, 0)
    found = source.neighbours(np.random.default_rng(0), [drawn(SPACE, 0)], 40)
    reads = [int(point.params["reads"]) for point in found]
    assert len(set(reads)) > 1
    assert all(1 <= number <= 9 for number in reads)


@pytest.mark.parametrize("reads", [0, (5, 3), "0:4"])
def test_a_range_is_in_order_and_positive(reads: object) -> None:
    with pytest.raises(InputError, match=r"^space\.reads=.* <= low <= high <= "):
        resolve({"task": "digits", "space": {"reads": reads}})


@pytest.mark.parametrize("sampler", ["structural", "genetic", "tpe"])
def test_a_campaign_searches_them_and_goes_on(tmp_path: Path, sampler: str) -> None:
    def value(wiring: object, params: object) -> float:
        return float(wiring.n_edges)  # type: ignore[attr-defined]

    start = {} if sampler == "tpe" else {"startup": 6}

    def campaign(trials: int) -> Campaign:
        return Campaign(
            tmp_path, evaluate=value, n_inputs=12, n_outputs=3, space=SPACE, trials=trials, sampler=sampler, **start
        )

    campaign(10).run()
    campaign(14).run()
    records = load(tmp_path).complete
    assert len({record.params["reads"] for record in records}) > 3
    for record in records:
        assert record.value == rebuilt(SPACE, record.params, vars(record), (12, 3)).n_edges


def test_a_survey_has_columns_of_them(tmp_path: Path) -> None:
    recipe = {"epochs": 1}
    Survey(tmp_path, task="digits", wirings=6, seeds=1, space=SPACE, recipe=recipe, threads=1).run()
    table = load_survey(tmp_path)
    assert {"param_reads", "param_readouts"} <= set(table.to_frame().columns)


def test_a_limit_that_the_space_cannot_spend_is_said() -> None:
    size = NetworkSpec("mlp").n_parameters
    limited = Space(nodes=(8, 20), degree=(2, 4), reads=2, max_parameters=3000)
    line = unspent(limited, (12, 3), lambda wiring: size(wiring)["total"])
    assert line is not None
    largest = int(line.split("about ")[1].split(";")[0])
    sizes = [size(limited.wiring(drawn(limited, number), 12, 3))["total"] for number in range(100)]
    assert max(sizes) <= largest < 1.2 * max(sizes)
    near = limited.model_copy(update={"max_parameters": largest})
    assert unspent(near, (12, 3), lambda wiring: size(wiring)["total"]) is None
