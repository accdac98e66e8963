"""A limit of parameters widens a space that could not spend it, where nobody said how large networks are."""

import tomllib
from pathlib import Path
from typing import Any

import pytest

from nas.campaign.campaign import Campaign
from nas.campaign.folder import open_campaign
from nas.evaluation.watcher import Watcher
from nas.networks import NetworkSpec
from nas.space.draws import largest
from nas.space.space import Space
from nas.space.spending import widened
from nas.survey import Survey

DIGITS = (64, 10)


class Lines(Watcher):
    """Keeps what is said."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def noticed(self, line: str) -> None:
        self.lines.append(line)


def size_of(wiring: Any) -> int:
    return NetworkSpec("mlp").n_parameters(wiring)["total"]


@pytest.mark.parametrize("limit", [2000, 3000, 10_000, 30_000])
@pytest.mark.parametrize(
    "attachment", [("controlled",), ("natural",), ("projected",), ("published",), ("natural", "controlled")]
)
def test_networks_of_every_attachment_can_spend_about_the_limit(limit: int, attachment: tuple[str, ...]):
    given = {"max_parameters": limit, "attachment": attachment}
    space = Space(**given, structure="dag")
    found, line = widened(space, given, DIGITS, size_of)
    sizes = largest(found, DIGITS, size_of)
    assert min(sizes.values()) >= limit
    assert len(sizes) > 1 or max(sizes.values()) <= 1.12 * limit
    assert (line is None) == (found == space)
    assert found.nodes[0] == 20
    assert widened(space, given, DIGITS, size_of) == (found, line)


def test_the_line_says_what_was_widened():
    """By hand for 170 neurons of degree 12: 170 (10 + 6 + 1) + 10 (16 + 1) = 3060 parameters."""
    given = {"max_parameters": 3000}
    found, line = widened(Space(**given), given, DIGITS, size_of)
    assert found.nodes == (20, 170)
    assert line == ("space.max_parameters=3000: space.nodes=20:170 in place of 20:100, so that networks can spend it")
    assert largest(found, DIGITS, size_of) == {"controlled": 3060}


def test_after_a_thousand_neurons_come_reads_and_then_degrees():
    given = {"max_parameters": 30_000}
    found, _ = widened(Space(**given), given, DIGITS, size_of)
    assert (found.nodes, found.reads, found.degree) == ((20, 1000), (10, 23), (2.0, 12.0))
    given = {"max_parameters": 100_000}
    found, _ = widened(Space(**given), given, DIGITS, size_of)
    assert (found.nodes, found.reads, found.degree) == ((20, 1000), (10, 64), (2.0, 70.0))
    given = {"max_parameters": 1_000_000}
    found, line = widened(Space(**given, attachment=("natural",)), given, DIGITS, size_of)
    assert found.nodes[1] > 10_000
    assert found.reads == (10, 10)
    assert line is not None


@pytest.mark.parametrize("own", [{"nodes": (20, 40)}, {"degree": (2, 4)}, {"reads": 3}, {"readouts": 2}])
def test_what_is_given_stays_and_so_does_the_line_on_it(own: dict[str, Any], tmp_path: Path):
    given = {"max_parameters": 3000, **own}
    space = Space(**given)
    assert widened(space, given, DIGITS, size_of) == (space, None)
    lines = Lines()
    Campaign(tmp_path, evaluate=lambda *_: 1.0, n_inputs=64, n_outputs=10, space=given, trials=1).run(lines)
    assert any("the largest networks of this space have about" in line for line in lines.lines)


@pytest.mark.parametrize("given", [{}, {"max_parameters": 1800}, {"max_edges": 3000}])
def test_what_can_be_spent_widens_nothing(given: dict[str, Any]):
    space = Space(**given)
    assert widened(space, given, DIGITS, size_of) == (space, None)


def value_of(wiring: Any, _: Any) -> float:
    return float(wiring.n_edges)


def test_a_campaign_keeps_what_was_widened_and_resumes(tmp_path: Path):
    given: dict[str, Any] = {"evaluate": value_of, "n_inputs": 64, "n_outputs": 10, "sampler": "random"}
    given["space"] = {"max_parameters": 3000}
    lines, later = Lines(), Lines()
    Campaign(tmp_path, **given, trials=2).run(lines)
    assert [line for line in lines.lines if "max_parameters" in line] == [
        "space.max_parameters=3000: space.nodes=20:170 in place of 20:100, so that networks can spend it"
    ]
    stored = tomllib.loads((tmp_path / "campaign.toml").read_text())["space"]
    assert (stored["nodes"], stored["degree"], stored["reads"]) == ([20, 170], [2.0, 12.0], 10)
    assert Campaign(tmp_path, **given, trials=4).run(later).complete == 4
    assert not any("max_parameters" in line for line in later.lines)


def test_a_campaign_that_was_begun_goes_on_with_its_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """One of an earlier version, which widened nothing."""
    given: dict[str, Any] = {"evaluate": value_of, "n_inputs": 64, "n_outputs": 10, "sampler": "random"}
    given["space"] = {"max_parameters": 3000}
    with monkeypatch.context() as before:
        before.setattr("nas.campaign.campaign.with_room", lambda options, *_: (options, None))
        Campaign(tmp_path, **given, trials=2).run()
    assert Campaign(tmp_path, **given, trials=3).run().complete == 3
    assert tomllib.loads((tmp_path / "campaign.toml").read_text())["space"]["nodes"] == [20, 100]


def test_the_command_line_resumes_with_and_without_the_limit(tmp_path: Path):
    quick = {
        "task": "digits",
        "trials": 1,
        "finalists": 1,
        "final_seeds": 1,
        "recipe": {"epochs": 1},
        "sampler": "random",
    }
    given = {**quick, "space": {"max_parameters": 3000}}
    opened = open_campaign(None, tmp_path / "a", given)
    assert opened.options.space.nodes == (20, 170)
    opened.run()
    assert open_campaign(None, tmp_path / "a", given).options == opened.options
    assert open_campaign(None, tmp_path / "a", {}).options == opened.options


def test_a_survey_is_widened_too(tmp_path: Path):
    lines: list[str] = []
    given: dict[str, Any] = {"task": "digits", "space": {"max_parameters": 3000}, "recipe": {"epochs": 1}}
    Survey(tmp_path, wirings=2, **given).run(noticed=lines.append)
    assert "space.nodes=20:170 in place of 20:100" in lines[0]
    assert tomllib.loads((tmp_path / "survey.toml").read_text())["space"]["nodes"] == [20, 170]
    assert Survey(tmp_path, wirings=3, **given).run().wirings == 3
