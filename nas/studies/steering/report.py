"""What the study of steering writes: numbers, tables of them, a figure a pool, and a report in words.

Tables and words follow from the numbers that are stored.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from nas.report.card import markdown_table
from nas.studies.steering.replay import START, TRIALS
from nas.studies.steering.results import COMPARISONS, MEASURES, OWN, SHARES, PoolResult
from nas.studies.tables import Difference, format_estimate, format_share, listed, table_of, write_results, write_text
from nas.training.extension import describe_machine
from predictors.figures import save_figure
from predictors.validation.resampling import share_interval

__all__ = ["numbers_of", "pages", "summary", "verdict", "write_report"]

Numbers = Mapping[str, Any]
"""What is stored of one pool, see `PoolResult.numbers`."""

_RIVALS = ("random", "tpe", "neighbours", "parameters", "size")
_SHARE = "1%"
_FEWEST_SEEDS = 20
_LEVEL = 0.05
"""Corrected p values below it count."""
_MEASURED = {
    "proposals": "What it trained after the start was",
    "incumbent": "What the predictor finally chose from its trials was",
    "incumbent by label": "What had the best value of its trials was",
    "trainings": f"Its way to one of the best {_SHARE} was",
}
_STYLES = {OWN: ("#D55E00", "-"), "random": ("0.4", "--")}
_COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#F0E442", "#999999")


def write_report(out: Path, found: Sequence[PoolResult]) -> dict[str, Any]:
    """Write the numbers as JSON and tables, a figure a pool, and the report; return the numbers as they are stored."""
    numbers: dict[str, Any] = write_results(out, "steering.json", numbers_of(found), pages)
    for name, rows in _tables(numbers["pools"]).items():
        write_text(out / f"{name}.csv", rows)
    for result in found:
        _plot(out / f"{result.pool.name}.png", result)
    return numbers


def numbers_of(found: Sequence[PoolResult]) -> dict[str, Any]:
    """Return everything that is stored of pools."""
    pools = {result.pool.name: result.numbers for result in found}
    return {"trials": TRIALS, "start": START, "machine": describe_machine(), "pools": pools}


def summary(pools: Mapping[str, Numbers]) -> dict[str, Any]:
    """Return the most important numbers of each pool."""
    return {
        name: {
            "seeds": pool["seeds"],
            "trainings_by_chance": pool["trainings_by_chance"][_SHARE],
            "trainings": {arm: own["trainings"][_SHARE] for arm, own in pool["arms"].items()},
            **{key: {arm: own[key] for arm, own in pool["arms"].items()} for key in ("proposals", "incumbent")},
        }
        for name, pool in pools.items()
    }


def verdict(comparison: Mapping[str, Any]) -> int:
    """Return 1 where the arm of a comparison is better, -1 where it is worse, 0 where the two cannot be told apart."""
    found = comparison["difference"]
    if comparison["p_holm"] >= _LEVEL or found["low"] <= 0 <= found["high"]:
        return 0
    return (1 if found["mean"] > 0 else -1) * (-1 if comparison["measure"] == "trainings" else 1)


# Tables


def _tables(pools: Mapping[str, Numbers]) -> dict[str, str]:
    """Return the text of every csv file by its name."""
    arms = [(name, pool["seeds"], arm, own) for name, pool in pools.items() for arm, own in pool["arms"].items()]
    return {
        "arms": _csv(
            {
                "pool": pool,
                "arm": arm,
                "seeds": seeds,
                **{name: own[name] for name in ("proposals", "steered", "incumbent", "incumbent_by_label")},
                **{f"trainings_to_{share[:-1]}_percent": count for share, count in own["trainings"].items()},
                **{f"reached_{share[:-1]}_percent": part for share, part in own["reached"].items()},
                "seconds": own["seconds"],
            }
            for pool, seeds, arm, own in arms
        ),
        "comparisons": _csv(
            {
                "pool": name,
                **{key: own[key] for key in ("measure", "arm", "other")},
                "difference": own["difference"]["mean"],
                **{key: own["difference"][key] for key in ("low", "high", "p")},
                "p_holm": own["p_holm"],
                "verdict": verdict(own),
            }
            for name, pool in pools.items()
            for own in pool["comparisons"]
        ),
        "forecasts": _csv(
            {"pool": pool, "arm": arm, "origin": origin, **forecasts}
            for pool, _, arm, own in arms
            for origin, forecasts in own["forecasts"].items()
        ),
    }


def _csv(rows: Iterable[Mapping[str, Any]]) -> str:
    given, text = list(rows), io.StringIO()
    writer = csv.DictWriter(text, list(given[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(given)
    return text.getvalue()


# Figure


def _plot(path: Path, result: PoolResult) -> None:
    """Draw the share of runs that found one of the best wirings against trainings, a line an arm."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 4.8), layout="constrained")
    axes = figure.add_subplot()
    trainings = np.arange(1, TRIALS + 1)
    others = iter(_COLOURS)
    for arm in result.runs:
        colour, style = _STYLES.get(arm) or (next(others), "-")
        first = np.array(result.first(arm, SHARES[_SHARE]))
        share = (first[None, :] <= trainings[:, None]).mean(axis=1)
        axes.step(
            trainings,
            share,
            where="post",
            color=colour,
            linestyle=style,
            linewidth=2 if arm in _STYLES else 1.2,
            label=arm,
        )
    axes.axvline(START, color="0.7", linewidth=0.8)
    axes.set_xlim(1, TRIALS)
    axes.set_ylim(0, 1)
    axes.set_xlabel(f"trainings (the first {START} are the same for all arms)")
    axes.set_ylabel(f"share of {result.numbers['seeds']} runs")
    axes.set_title(f"{result.pool.name}: runs that found one of the best {_SHARE}")
    axes.grid(alpha=0.3)
    figure.legend(loc="outside right center", fontsize="small")
    save_figure(figure, path)


# Words


def pages(numbers: Mapping[str, Any]) -> dict[str, str]:
    """Return the text of every page by the name of its file, from the numbers as they are read back."""
    pools, trials, start = numbers["pools"], numbers["trials"], numbers["start"]
    text = _TEXT.format(
        summary=_summary(pools),
        overview=_overview(pools, trials),
        seeds=", ".join(f"{pool['seeds']} on {name}" for name, pool in pools.items()),
        machine=numbers["machine"],
        trials=trials,
        share=_SHARE,
        beyond=trials + 1,
        start=start,
        after=trials - start,
        tests=len(COMPARISONS) * len(MEASURES),
        pools="\n".join(_section(name, pool, trials) for name, pool in pools.items()),
    )
    return {"README.md": text}


def _summary(pools: Mapping[str, Numbers]) -> str:
    """Return in how many pools steering by structure is better and worse than each rival, by each measure."""
    lines = []
    for measure, words in _MEASURED.items():
        parts = []
        for sign, word in ((1, "better than"), (-1, "worse than")):
            verdicts = {rival: [_verdict(pool, rival, measure) for pool in pools.values()] for rival in _RIVALS}
            rivals = [f"{rival} in {found.count(sign)}" for rival, found in verdicts.items() if sign in found]
            if rivals:
                parts.append(f"{word} {listed(rivals)}")
        lines.append(f"- {words} {'; '.join(parts) or 'told apart from no other arm in any pool'}.")
    few = [name for name, pool in pools.items() if pool["seeds"] < _FEWEST_SEEDS]
    if few:
        lines.append(f"- Fewer than {_FEWEST_SEEDS} seeds on {listed(few)}: a trial that shows nothing.")
    return (
        f"Searches of {len(pools)} pools of trained networks, steered by structure. In how many pools that can be told "
        "apart from another way to choose, by searching the same pool again and again; in the others it cannot:\n\n"
        + "\n".join(lines)
    )


def _comparison(pool: Numbers, arm: str, other: str, measure: str) -> Mapping[str, Any]:
    names = {"arm": arm, "other": other, "measure": measure}
    return next(own for own in pool["comparisons"] if own.items() >= names.items())


def _verdict(pool: Numbers, rival: str, measure: str) -> int:
    return verdict(_comparison(pool, OWN, rival, measure))


def _found_share(pool: Numbers, arm: str) -> str:
    share = pool["arms"][arm]["reached"][_SHARE]
    return format_share(share, *share_interval(share, pool["seeds"]))


def _median_trainings(pool: Numbers, arm: str, trials: int) -> str:
    return _count(pool["arms"][arm]["trainings"][_SHARE], trials)


def _count(count: float | None, trials: int) -> str:
    return f"> {trials}" if count is None else f"{count:g}"


def _overview(pools: Mapping[str, Numbers], trials: int) -> str:
    rows = [
        {
            "pool": name,
            "random, in theory": str(pool["trainings_by_chance"][_SHARE]),
            **{arm: _median_trainings(pool, arm, trials) for arm in (*_RIVALS, OWN)},
            **{f"{arm}: found": _found_share(pool, arm) for arm in ("random", OWN)},
        }
        for name, pool in pools.items()
    ]
    return table_of(rows)


def _section(name: str, pool: Numbers, trials: int) -> str:
    parts = (
        f"## {name}",
        _about(pool),
        f"{_found(pool, trials)} {_foreseen(pool)}",
        _arm_table(pool, trials),
        _comparison_table(pool),
        f"![Share of runs that found one of the best wirings of {name}]({name}.png)",
    )
    return "\n\n".join(parts) + "\n"


def _about(pool: Numbers) -> str:
    truth = pool["truth"]
    best = ", ".join(f"the best {share} from {threshold:.4f}" for share, threshold in pool["thresholds"].items())
    return (
        f"{pool['wirings']:,} wirings with {pool['replicates']} trainings each. Truth goes from {truth['least']:.4f} "
        f"to {truth['most']:.4f}, with a median of {truth['median']:.4f}; {best}. Random picks need "
        f"{pool['trainings_by_chance'][_SHARE]} trainings to meet one of the best {_SHARE} with a probability of one "
        "half."
    )


def _found(pool: Numbers, trials: int) -> str:
    sentences = [
        f"Steering by structure found one of the best {_SHARE} in {_found_share(pool, OWN)} of the runs, after a "
        f"median of {_median_trainings(pool, OWN, trials)} trainings; random picks in {_found_share(pool, 'random')}, "
        f"after {_median_trainings(pool, 'random', trials)}."
    ]
    for measure, words in _MEASURED.items():
        parts = []
        for sign, word in ((1, "better than"), (0, "not told apart from"), (-1, "worse than")):
            rivals = [rival for rival in _RIVALS if _verdict(pool, rival, measure) == sign]
            if rivals:
                parts.append(f"{word} {listed(rivals)}")
        sentences.append(f"{words} {', '.join(parts)}.")
    return " ".join(sentences)


def _foreseen(pool: Numbers) -> str:
    """Return what forecasts were worth."""
    own = pool["arms"][OWN]
    sentences = [
        f"Its forecasts of {words} had a rank correlation of {_optional(found['tau'], 2)} with the values, and their "
        f"90 % intervals held {found['coverage']:.0%} of them ({found['n']:,})."
        for origin, words in (("random", "trials chosen without looking"), ("prior", "trials that it chose"))
        if (found := own["forecasts"].get(origin)) and found["n"]
    ]
    if "fallback" in own["origins"]:
        share = own["origins"]["fallback"]
        sentences.append(
            f"In {share:.0%} of the trials it found that structure predicts nothing, and picked at random."
        )
    return " ".join(sentences)


def _optional(value: float | None, digits: int) -> str:
    return "–" if value is None else f"{value:.{digits}f}"


def _arm_table(pool: Numbers, trials: int) -> str:
    rows = [
        {
            "arm": arm,
            "trained after the start": _optional(own["proposals"], 4),
            "without blind picks": _optional(own["steered"], 4),
            "chosen by predictor": _optional(own["incumbent"], 4),
            "chosen by value": _optional(own["incumbent_by_label"], 4),
            **{f"trainings to best {share}": _count(count, trials) for share, count in own["trainings"].items()},
            **{f"found best {share}": f"{part:.0%}" for share, part in own["reached"].items()},
            "time of a proposal": f"{1000 * own['seconds']:.1f} ms",
        }
        for arm, own in pool["arms"].items()
    ]
    return table_of(rows)


def _comparison_table(pool: Numbers) -> str:
    rows = [
        (f"{arm} – {other}", *(_format_comparison(_comparison(pool, arm, other, measure)) for measure in MEASURES))
        for arm, other in COMPARISONS
    ]
    return markdown_table(("difference", *MEASURES), rows)


def _format_comparison(own: Mapping[str, Any]) -> str:
    text = format_estimate(Difference(**own["difference"]), "+", 1 if own["measure"] == "trainings" else 4)
    return f"**{text}**" if verdict(own) else text


_TEXT = """\
# Does steering by structure help?

{summary}

Median trainings to one of the best {share}, and the share of runs that found one, with its 95 % interval over seeds:

{overview}

## How it was measured

Made by `wirenas study steering`. Every pool holds wirings of a survey that are all trained, so that a search can be
repeated at no cost. Each arm trains {trials} of them one after another; the first {start} are those that the structural
sampler starts with, the same for all arms of a seed. A training gives the validation metric of one replicate at the
learning rate that is best for it; which replicate that is follows from the seed and is the same for all arms. The truth
of a wiring is its mean test metric over all replicates. No arm sees a test, but the trainings that an arm sees are of
those that the truth is made of, and their luck is in both. Seeds: {seeds}. Machine: {machine}.

| arm | chooses |
| --- | --- |
| random | without looking |
| tpe | parameters of the prior by Optuna's TPE, of which the nearest wiring is taken |
| neighbours | one half without looking, one half near one of the 5 best, by the prior's parameters |
| parameters | the structural sampler, given the prior's parameters in place of features |
| size | the structural sampler, given features of size alone |
| structural | the structural sampler as campaigns have it: the best may be trained up to 3 times, which counts |
| structural-once | the same, but no wiring is trained twice |
| genetic | by regularised evolution of the prior's parameters (arXiv:1802.01548) |
| genetic-predicted | the same, the most promising of 16 children by a surrogate on features |

"proposals" is the mean truth of the {after} wirings trained after the start; "incumbent" the truth of the wiring that a
surrogate on features thinks best of those trained, for all arms alike; "incumbent by label" that of the best value,
and of equal values the first; "trainings" the trainings to one of the best {share}, with {beyond} where none was found.
Differences are paired by seed, with 95 % bootstrap intervals of their mean over seeds. Bold: Wilcoxon's signed-rank
test has a p below .05 after Holm's correction for all {tests} comparisons of the pool, and the interval leaves 0 out.
Of trainings less is better.

Seeds change the search, and which trainings it sees. The pool is the same for all of them: one sample of wirings with
one set of trainings. So intervals and tests say what further searches of this pool would give; for another sample, task
or space there is only the number of pools. Medians have no intervals, nor have forecasts, which are pooled over
searches of one pool.

The structural sampler picks a twentieth of the wirings without looking. They are in "proposals", and left out in
"without blind picks". Forecasts were made before the training. Wirings that were chosen because much was
expected of them are alike in what was expected, so that rank correlations among them are low even where forecasts are
right.

{pools}"""
