"""The card of a found network: data, recipe, accuracy with spread, references, sizes, how to load. Plain Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from nas.report.chosen import chosen_record, explain_choice, params_in_words
from nas.report.lines import number
from nas.report.outcome import Outcome
from nas.report.reads import READS_LINE
from priors.version import __version__

if TYPE_CHECKING:
    from nas.evaluation.finals import Finals
    from nas.networks import NetworkSpec
    from nas.options.options import CampaignOptions
    from nas.store.records import Record, Records
    from nas.tasks import Task
    from nas.training import Recipe

__all__ = ["PICTURE", "PICTURE_LINE", "card", "comparison", "markdown_table", "number", "recipe_rows", "spread"]

PICTURE = "wiring.png"
PICTURE_LINE = f"![The wiring]({PICTURE})\n\n"
"""How a card shows the drawing beside it."""


def card(options: CampaignOptions, task: Task | None, finals: Finals | None, outcome: Outcome, records: Records) -> str:
    """Return the card's text."""
    best = outcome.best or {}
    trials = outcome.complete + outcome.stopped
    sections = [
        f"# {best['fingerprint'][:12]}: trial {best['trial']} of a campaign of {trials} trials",
        "## Wiring\n\n"
        + PICTURE_LINE
        + READS_LINE
        + markdown_table(("what", "value"), _of_wiring(options, best, chosen_record(records, best))),
    ]
    if task is None or finals is None:
        sections.append(f"## Value\n\n{number(best['value'])} ({options.direction}), from the user's own evaluation.")
        sections.append("## Load\n\n```python\nfrom priors import read_wiring\n\n"
                        'wiring = read_wiring("wiring.json")\n```')  # fmt: skip
    else:
        sections += [_data(task), _recipe(options), _results(task, finals, outcome, records), _sizes(options, finals)]
        sections.append("## Load\n\n```python\nfrom nas.networks import load_network\n\n"
                        f'network = load_network("network.safetensors")\n```\n\n{_call(task)}{_raw(task)}')  # fmt: skip
    sections.append(f"Written by WireNAS {__version__}.")
    return "\n\n".join(sections) + "\n"


def comparison(outcome: Outcome) -> list[tuple[str, str, str, str]]:
    """Return rows (network, test, parameters, learning rate): the found wiring first, then its references."""
    if outcome.test is None:
        return []
    found = {**outcome.test, "name": "found wiring"}
    return [
        (row["name"], spread(row), str(row["n_parameters"]), f"{row['learning_rate']:g}")
        for row in (found, *outcome.references)
    ]


def spread(summary: Mapping[str, Any]) -> str:
    """Return mean ± standard deviation as text."""
    deviation = "" if summary["std"] is None else f" ± {number(summary['std'])}"
    return f"{number(summary['mean'])}{deviation}"


def _of_wiring(options: CampaignOptions, best: Mapping[str, Any], record: Record | None) -> list[tuple[str, Any]]:
    rows: list[tuple[str, Any]] = [*params_in_words(best["params"], record, str).items()]
    if (name := options.space.graph_name(best["params"])) and (record is None or not record.graph_name):
        rows.append(("name of the graph", name))
    if best.get("chosen"):
        rows.append(("chosen", best["chosen"]))
    if best.get("prediction") is not None:
        expected = {"mean": best["prediction"], "std": best["prediction_std"]}
        rows.append(("predicted before training", spread(expected)))
    return [*rows, ("fingerprint", best["fingerprint"])]


def _data(task: Task) -> str:
    parts = f"{len(task.train)} train, {len(task.validation)} validation, {len(task.test)} test examples"
    text = f"## Data\n\n{task.name}: {task.description}. {parts}. Data and split: sha256 `{task.fingerprint}`."
    if task.plateaus:
        rows = [(name, number(value)) for name, value in task.plateaus.items()]
        text += "\n\nWhat simple rules reach on the test part:\n\n" + markdown_table(("rule", task.metric), rows)
    return text


def recipe_rows(spec: NetworkSpec, recipe: Recipe, seed: int) -> list[tuple[str, Any]]:
    """Return what a card says of how networks are trained."""
    kind = f"{spec.kind}, {spec.activation if spec.kind == 'mlp' else spec.cell}"
    own = recipe.model_dump(mode="json", exclude_none=True, include=set(recipe.heeded))
    return [("network", kind), *((name, str(value)) for name, value in own.items()), ("seed", seed)]


def _recipe(options: CampaignOptions) -> str:
    rows = recipe_rows(options.spec, options.recipe, options.seed)
    if options.epochs_of_finals != options.recipe.epochs:
        rows.append(("epochs of the finals", options.epochs_of_finals))
    if options.budget is not None:
        rows.append(("budget", options.budget))
    return "## Recipe\n\n" + markdown_table(("what", "value"), rows)


def _results(task: Task, finals: Finals, outcome: Outcome, records: Records) -> str:
    n_seeds, value = len(finals.winner.test), finals.training.history.value
    text = f"## Results\n\nTest {task.metric}, mean ± standard deviation over {n_seeds} fresh seeds; "
    if outcome.budget is None:
        text += f"every network was trained with the same recipe, {outcome.rungs} and seeds."
    else:
        text += f"the {outcome.rung} of each was chosen by validation, and all else of the recipe is the same. Of "
        text += "structures that were drawn anew, each was trained once."
    if len(finals.finalists) > 1:
        text += f" The found wiring is the best of {len(finals.finalists)} finalists by the validation of the very "
        text += "trainings that are tested here, so part of their luck may be in its mean."
    if why := explain_choice(records, outcome.best or {}, outcome.direction, outcome.test):
        text += f" {why}"
    text += "\n\n"
    text += markdown_table(("network", f"test {task.metric}", "parameters", outcome.rung), comparison(outcome))
    text += f"\n\n{outcome.verdict}\n\n"
    if outcome.test_uses > 1:
        text += f"The test part was looked at {outcome.test_uses} times in this campaign, as trials were added.\n\n"
    test = finals.winner.test[finals.winner.validation.index(value)]
    text += f"The saved network is the one of the {n_seeds} that did best on validation ({number(value)}); on its own "
    return text + f"it reaches {number(test)} on the test part."


def _sizes(options: CampaignOptions, finals: Finals) -> str:
    rows = [(name.replace("_", " "), count) for name, count in options.spec.n_parameters(finals.wiring).items()]
    return "## Sizes\n\n" + markdown_table(("part", "parameters"), rows)


def _call(task: Task) -> str:
    if not task.is_sequence:
        return f"It takes (batch, {task.n_inputs}) and returns (batch, {task.n_outputs})."
    returned = f"(batch, time, {task.n_outputs})" if task.is_stepwise else f"(batch, {task.n_outputs})"
    return (
        f"It takes (batch, time, {task.n_inputs}) and the sequences' lengths (batch,), and returns "
        f"{returned}. `network.rnn` alone is called like `nn.LSTM`."
    )


def _raw(task: Task) -> str:
    """Say how raw rows are predicted, where the task comes from a file."""
    if task.pipeline is None:
        return ""
    return (
        " With `pipeline.json` beside it, `nas.load_pipeline(FOLDER).predict(rows)` and `wirenas apply FOLDER FILE` "
        f"predict `{task.pipeline.answers.name}` for raw rows."
    )


def markdown_table(header: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """Return a table in Markdown."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines)
