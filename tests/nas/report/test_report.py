"""What a campaign leaves behind: outcome, plot, and the folder best/."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from report_cases import KINDS, NAMES, found, wiring

from nas.networks import load_network
from nas.report import output
from nas.report.card import card
from nas.report.outcome import Outcome, best_record
from nas.report.output import plot_progress, write_output
from nas.report.reads import READS_LINE
from nas.store.records import Records
from priors import Wiring, read_wiring

pytestmark = pytest.mark.usefixtures("drawn_figures")

# The outcome


@pytest.mark.parametrize("kind", KINDS)
def test_an_outcome_survives_json(kind: str):
    outcome = found(kind).outcome(Path("results/tiny"))
    text = json.dumps(outcome.to_json(), allow_nan=False)
    again = Outcome.from_json(json.loads(text))
    assert again.to_json() == outcome.to_json()
    assert again.references == outcome.references
    assert isinstance(again.references, tuple)


def test_an_outcome_says_what_was_found():
    mlp = found("mlp")
    outcome = mlp.outcome(Path("results/tiny"))
    assert mlp.finals is not None
    assert (outcome.trials, outcome.complete, outcome.failed) == (5, 4, 1)
    assert (outcome.out, outcome.study) == ("results/tiny", str(Path("results/tiny/study.db")))
    assert (outcome.task, outcome.network, outcome.sampler, outcome.engine) == ("tiny", "mlp", "structural", "torch")
    assert (outcome.metric, outcome.direction, outcome.seconds) == (
        "accuracy",
        "maximize",
        sum(record.seconds for record in mlp.records),
    )
    assert outcome.test == mlp.finals.winner.summary()
    assert [reference["name"] for reference in outcome.references] == NAMES
    assert outcome.plateaus == {"dice": 0.3321}
    winner = mlp.records[mlp.finals.winner.trial or 0]
    assert outcome.best is not None
    assert (outcome.best["trial"], outcome.best["fingerprint"]) == (winner.number, winner.fingerprint)
    assert (outcome.best["value"], outcome.best["n_parameters"]) == (0.75, 77)


def test_the_verdict_counts_dead_neurons_and_what_is_left_without_them():
    mlp = found("mlp")
    assert mlp.finals is not None
    # Neurons 2, 3 and 4 are hidden; nothing reads the last one. Of 5 weights, 3 biases and that of the output unit, its
    # weight and its bias are of no use.
    edges = [(0, 2), (1, 3), (0, 4), (2, 5), (3, 5)]
    for own, told in ((edges, True), ([*edges, (4, 5)], False)):
        wiring = Wiring((2, 3, 1), own, inputs=True, outputs=True)
        finals = replace(mlp.finals, training=replace(mlp.finals.training, wiring=wiring))
        words = Outcome.of(Path("out"), mlp.options, mlp.task, mlp.records, finals).verdict
        assert words.startswith("The found wiring ")
        assert ("without them 7 of 9 parameters are left." in words) == told
        assert ("Of its 3 neurons 1 is dead: no path leads to them from an input, or from " in words) == told
        assert ("dead" in words) == told


def test_after_the_finals_the_best_is_their_winner():
    mlp = found("mlp")
    assert mlp.finals is not None
    last = replace(mlp.finals, winner=replace(mlp.finals.winner, trial=3))
    outcome = Outcome.of(Path("out"), mlp.options, mlp.task, mlp.records, last)
    assert outcome.best is not None
    assert outcome.best["trial"] == 3


def test_without_finals_the_best_is_the_first_of_the_best_value():
    own = found("own")
    outcome = own.outcome(Path("out"))
    assert outcome.best is not None
    assert (outcome.best["trial"], outcome.metric, outcome.engine) == (2, "value", "own")
    assert (outcome.test, outcome.references, outcome.plateaus, outcome.verdict) == (None, (), None, "")
    assert best_record(own.records, "minimize") is own.records[4]
    assert best_record(Records(()), "maximize") is None
    assert Outcome.of(Path("out"), own.options, None, Records(own.records.rows[1:2])).best is None


# The plot


@pytest.mark.parametrize("kind", KINDS)
def test_the_plot_is_a_png_with_trials_best_and_references(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    drawn: list[Axes] = []
    genuine = Figure.subplots

    def watched(figure: Figure, *arguments: Any, **options: Any) -> Any:
        parts = genuine(figure, *arguments, **options)
        drawn.extend(parts[0])
        return parts

    monkeypatch.setattr(Figure, "subplots", watched)
    outcome = found(kind).outcome(tmp_path)
    plot_progress(tmp_path / "progress.png", found(kind).records, outcome, found(kind).finals)
    assert (tmp_path / "progress.png").read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"
    assert [path.name for path in tmp_path.iterdir()] == ["progress.png"]

    lines = {str(line.get_label()): line for line in drawn[0].get_lines()}
    assert lines["trial"].get_xydata().tolist() == [[0, 0.5], [2, 0.75], [3, 0.75], [4, 0.25]]
    best = [0.5, 0.5, 0.5, 0.25] if kind == "minimize" else [0.5, 0.75, 0.75, 0.75]
    assert np.asarray(lines["best so far"].get_ydata()).tolist() == best
    if outcome.references:
        labels = [label.get_text() for label in drawn[1].get_xticklabels()]
        assert labels[1:] == [f"{own['name']} ({own['n_parameters']:,})" for own in outcome.references]
        points = [line.get_xydata().tolist() for line in drawn[1].get_lines() if line.get_marker() == "o"]
        assert [[place, own["validation"]] for place, own in enumerate(outcome.references, 1)] == [
            point for (point,) in points[1:]
        ]
    assert len(drawn) == (1 if kind == "own" else 2)


@pytest.mark.parametrize("kind", KINDS)
def test_legends_hide_neither_trials_nor_labels(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    figures: list[Figure] = []
    monkeypatch.setattr(output, "save_figure", lambda figure, *_, **__: figures.append(figure))
    plot_progress(tmp_path / "progress.png", found(kind).records, found(kind).outcome(tmp_path), found(kind).finals)
    (figure,) = figures
    FigureCanvasAgg(figure).draw()
    taken = [axes.get_window_extent() for axes in figure.axes]
    taken += [axes.xaxis.label.get_window_extent() for axes in figure.axes]
    legends = [legend.get_window_extent() for legend in figure.legends]
    taken += [label.get_window_extent() for axes in figure.axes[1:] for label in axes.get_xticklabels()]
    assert len(legends) == 1
    assert not any(axes.get_legend() for axes in figure.axes)
    for place, legend in enumerate(legends):
        assert not any(legend.overlaps(other) for other in taken + legends[:place])
        assert legend.x0 >= 0
        assert legend.y0 >= 0


def test_the_plot_is_not_squeezed_by_trials_that_diverged():
    values = [0.1, 0.95, 0.96, 0.94, 0.97, 0.95, 0.96]
    low, high = output._interesting(values, [], "maximize")
    assert 0.85 < low < 0.94
    assert 0.97 < high < 1.0
    losses = [30.0, 0.4, 0.5, 0.45, 0.42, 0.44]
    low, high = output._interesting(losses, [], "minimize")
    assert 0.3 < low < 0.4
    assert 0.5 < high < 1.0


# The folder


def content(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.parametrize("kind", KINDS)
def test_the_folder_holds_the_winner(kind: str, tmp_path: Path):
    each = found(kind)
    outcome = each.write(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["best", "progress.png"]
    best = tmp_path / "best"
    names = ["card.md", "outcome.json", "wiring.json", "wiring.png"]
    assert sorted(path.name for path in best.iterdir()) == sorted(names + ["network.safetensors"] * (kind != "own"))
    assert json.loads((best / "outcome.json").read_text("utf-8")) == json.loads(json.dumps(outcome.to_json()))
    # Nothing here reads images.
    expected = card(each.options, each.task, each.finals, outcome, each.records).replace(READS_LINE, "")
    assert (best / "card.md").read_text("utf-8") == expected
    expected = wiring("own", 2) if each.finals is None else each.finals.wiring
    assert read_wiring(best / "wiring.json") == expected
    if each.finals is not None:
        assert each.task is not None
        x = each.task.inputs[:7]
        with torch.no_grad():
            assert load_network(best / "network.safetensors")(x).equal(each.finals.training.network(x))


def test_the_folder_is_replaced_as_a_whole(tmp_path: Path):
    found("mlp").write(tmp_path)
    (tmp_path / "best" / "stray.txt").write_text("of an earlier version")
    found("own").write(tmp_path)
    assert sorted(content(tmp_path / "best")) == ["card.md", "outcome.json", "wiring.json", "wiring.png"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["best", "progress.png"]


@pytest.mark.parametrize("culprit", ["write_wiring", "card"])
@pytest.mark.parametrize("before", [True, False])
def test_a_failure_in_the_middle_leaves_the_old_folder_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, culprit: str, before: bool
):
    def fails(*_: object) -> None:
        raise OSError("no space left on device")

    if before:
        found("own").write(tmp_path)
    old = content(tmp_path / "best") if before else None
    monkeypatch.setattr(output, culprit, fails)
    with pytest.raises(OSError, match="no space"):
        found("mlp").write(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["best"] * before + ["progress.png"]
    if before:
        assert content(tmp_path / "best") == old


def test_nothing_is_written_where_nothing_is_complete(tmp_path: Path):
    own = found("own")
    none = Records(own.records.rows[1:2])
    outcome = Outcome.of(tmp_path, own.options, None, none)
    write_output(tmp_path, own.options, None, none, None, outcome, own.rebuild)
    assert list(tmp_path.iterdir()) == []
