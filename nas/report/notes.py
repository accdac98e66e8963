"""Notes on a campaign and on its trials, as the Markdown that a dashboard shows beside them. Pure text.

What a record or an outcome does not hold is left out, and what is not known here is not looked at, so that notes can be
written on campaigns of other versions.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from nas.report.card import number, spread
from nas.report.chosen import params_in_words
from nas.report.chosen import short as _short
from nas.report.outcome import describe_origin
from nas.store.records import Record

__all__ = ["study_note", "trial_note"]

_PHRASES = {
    "n": "{} nodes",
    "degree": "mean degree {}",
    "p": "rewiring probability {}",
    "initial": "initial graph {}",
    "orientation": "orientation {}",
    "attachment": "attachment {}",
    "reads": "{} reads",
    "readouts": "{} readouts",
    "width": "projection of {}",
    "n_moves": "{} edits",
}
_SEED = "_seed"
_OPTIONS = ("activation", "cell", "sampler", "warm_start", "early_stopping", "replicates", "batch", "seed", "engine")


def trial_note(record: Record, out: Path, metric: str = "value", objectives: Sequence[float] = ()) -> str:
    """Return the note on a trial in any state, whose value is the metric.

    The folder is that of the campaign, as commands are given it. Where a study has several objectives, they are all
    values of the trial.
    """
    parts = [
        f"**{_describe_params(params_in_words(record.params, record))}**" if record.params else "",
        _result(record, metric, objectives),
        _predicted(record),
        _bullets(_sizes(record)),
        _ladder(record),
        _mishaps(record),
        _bullets(_origin(record)),
        _best(out),
    ]
    return "\n\n".join(filter(None, parts)) + "\n"


def study_note(
    out: Path,
    options: Mapping[str, Any],
    counts: Mapping[str, int],
    outcome: Mapping[str, Any] | None = None,
    remark: str = "",
    why: str = "",
) -> str:
    """Return the note on a campaign.

    Parameters
    ----------
    out : Path
        The campaign's folder, as commands are given it.
    options : mapping
        Nested options, with the ``metric`` where there is a task.
    counts : mapping
        Trials so far by their state.
    outcome : mapping, optional
        What the campaign found, as JSON types; left out where trials were added since.
    remark : str, optional
        A last paragraph.
    why : str, optional
        Why the winner is not the trial of the best value.
    """
    task = options.get("task")
    # A campaign without a task stores the word, since files cannot hold None.
    title = f"# {task if task not in (None, 'none') else 'own evaluation'}, {options.get('network', 'network')}"
    done = ", ".join(f"{count} {state}" for state, count in counts.items()) or "none yet"
    ends = {name: options.get(name) for name in ("trials", "timeout")}
    told = {"trials": "{} are wanted", "timeout": "the search takes {}"}
    wanted = "".join(f"; {told[name].format(end)}" for name, end in ends.items() if end not in (None, "none"))
    is_over = outcome is not None and outcome.get("over") and outcome.get("complete") == counts.get("complete", 0)
    goal = f"{options.get('metric', 'value')}, {options.get('direction', 'maximize')}"
    goal += "; number of parameters, minimize" if options.get("objective") == "pareto" else ""
    parts = [
        title,
        f"Trials: {done}{wanted}. Objective: {goal}.",
        _verdict(outcome, why) if outcome is not None and is_over else "",
        "## Options\n\n" + _bullets(_options(options)),
        _best(out),
        remark,
    ]
    return "\n\n".join(filter(None, parts)) + "\n"


def _describe_params(params: Mapping[str, str]) -> str:
    """Return family and parameters in words; a parameter without a phrase of its own stands under its name."""
    phrases = [
        _PHRASES.get(name, name.replace("_", " ") + " {}").format(value)
        for name, value in params.items()
        if name != "family" and not name.endswith(_SEED)
    ]
    return ": ".join(filter(None, [str(params.get("family", "")), ", ".join(phrases)]))


def _result(record: Record, metric: str, objectives: Sequence[float]) -> str:
    if len(objectives) > 1:
        return f"{record.state}, values {_numbers(objectives)}"
    if record.value is None:
        return record.state
    several = f", mean of {len(record.values)} replicates: {_numbers(record.values)}" if len(record.values) > 1 else ""
    return f"{metric} **{number(record.value)}**{several}" + ("" if record.is_complete else f" ({record.state})")


def _predicted(record: Record) -> str:
    if record.prediction is None:
        return ""
    return f"predicted before it was trained: {spread({'mean': record.prediction, 'std': record.prediction_std})}"


def _sizes(record: Record) -> list[str]:
    lines = []
    if record.n_hidden:
        layers = f"layers {record.n_layers}, sources {record.n_sources}, sinks {record.n_sinks}"
        lines += [
            f"hidden neurons {record.n_hidden}, {layers}",
            f"edges {record.n_edges}, mean degree {_short(record.degree)}",
        ]
    if record.n_parameters is not None:
        lines.append(f"parameters {record.n_parameters}")
    return lines


def _ladder(record: Record) -> str:
    if not record.ladder:
        return ""
    rungs = [
        f"{rate}: {number(value)}" + (" (best)" if float(rate) == record.learning_rate else "")
        for rate, value in record.ladder.items()
    ]
    return "Learning rates, or spectral radii of a reservoir:\n\n" + _bullets(rungs)


def _mishaps(record: Record) -> str:
    parts = []
    if record.diverged:
        noun = "training" if record.diverged == 1 else "trainings"
        parts.append(f"{record.diverged} {noun} diverged, and counted as a constant prediction.")
    if record.attempts > 1:
        parts.append(f"It was tried {record.attempts} times.")
    if record.error is not None:
        # Indented, a message is shown as it is, whatever is in it.
        message = "\n".join("    " + line for line in record.error.splitlines())
        parts.append(f"It failed with:\n\n{message}")
    return "\n\n".join(parts)


def _origin(record: Record) -> list[str]:
    seeds = [f"{name.removesuffix(_SEED)} {value}" for name, value in record.params.items() if name.endswith(_SEED)]
    lines = [f"graph: {record.graph_name}"] if record.graph_name else []
    lines += [f"chosen: {chosen}"] if (chosen := describe_origin(record)) else []
    lines += [f"seeds: {', '.join(seeds)}"] if seeds else []
    if record.fingerprint:
        lines.append(f"fingerprint: `{record.fingerprint[:12]}`")
    if record.seconds:
        lines.append(f"training: {record.seconds:.1f} s, {record.steps} updates, engine {record.engine}")
    return lines


def _verdict(outcome: Mapping[str, Any], why: str) -> str:
    """Return how the campaign ended, and the tests of the found wiring and its references."""
    best, test = outcome.get("best"), outcome.get("test")
    rows = [] if test is None else [{"name": "found wiring", **test}, *outcome.get("references", ())]
    parts = [
        "## Verdict",
        "" if best is None else f"The winner is trial {best['trial']}. {why}".strip(),
        outcome.get("verdict", ""),
        _bullets(f"{row['name']}: test {spread(row)}, {row.get('n_parameters', '–')} parameters" for row in rows),
    ]
    return "\n\n".join(filter(None, parts))


def _options(options: Mapping[str, Any]) -> list[str]:
    sections = {"campaign": {name: options.get(name) for name in _OPTIONS}}
    sections |= {name: options.get(name) or {} for name in ("space", "recipe")}
    unused = "cell" if options.get("network") == "mlp" else "activation"
    sections["campaign"].pop(unused)
    phrases = {
        section: [
            f"{name.replace('_', ' ')} {_format_option(value, is_range=section == 'space')}"
            for name, value in values.items()
            if value not in (None, "none")
        ]
        for section, values in sections.items()
    }
    return [f"{section}: {'; '.join(found)}" for section, found in phrases.items() if found]


def _format_option(value: Any, *, is_range: bool) -> str:
    """Return an option's value; two numbers of a space are the ends of a range."""
    if not isinstance(value, list | tuple):
        return _short(value)
    joint = " to " if is_range and not any(isinstance(item, str) for item in value) else ", "
    return joint.join(map(_short, value))


def _best(out: Path) -> str:
    return f"The best wiring of the campaign and its files: `wirenas best {shlex.quote(str(out))}`"


def _bullets(lines: Iterable[str]) -> str:
    return "\n".join(f"- {line}" for line in lines)


def _numbers(values: Sequence[float]) -> str:
    return ", ".join(map(number, values))
