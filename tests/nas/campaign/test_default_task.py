"""A campaign for which no task was named learns digits, and says so; a file without options starts none."""

from pathlib import Path

import pytest
from command_line import refused

from nas.campaign import campaign as campaign_module
from nas.campaign.campaign import Campaign
from nas.evaluation.watcher import Watcher

TINY = {"trials": 1, "recipe": {"epochs": 1, "learning_rates": 0.01}, "finalists": 1, "final_seeds": 1, "threads": 1}

pytestmark = pytest.mark.usefixtures("no_plot")


class Lines(Watcher):
    """Keeps what is said."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def noticed(self, line: str) -> None:
        self.lines.append(line)


def test_a_task_that_nobody_named_is_said_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(campaign_module, "fit_into", lambda *_, **__: None)
    lines = Lines()
    Campaign(tmp_path / "a", space={"nodes": 8}, **TINY).run(lines)
    said = "task=digits: no task was named, so this one is learned"
    assert lines.lines[0] == said
    again = Lines()
    Campaign(tmp_path / "a", space={"nodes": 8}, **TINY).run(again)
    Campaign(tmp_path / "b", task="digits", space={"nodes": 8}, **TINY).run(again)
    assert said not in again.lines
    with pytest.warns(UserWarning, match=said) as told:
        Campaign(tmp_path / "c", space={"nodes": 8}, **TINY).run()
    assert told[0].filename == __file__


def test_a_file_without_options_starts_no_campaign(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    for content in ("", "# nothing\n"):
        (tmp_path / "own.toml").write_text(content, encoding="utf-8")
        assert "own.toml: holds no option" in refused("run", "own.toml")
    assert [path.name for path in tmp_path.iterdir()] == ["own.toml"]
