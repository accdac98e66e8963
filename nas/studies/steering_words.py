"""The report of the study of steering in words: every sentence follows from the numbers. Imports torch for versions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from nas.machine import describe_machine
from nas.studies.replay import START, TRIALS
from nas.studies.steering_results import COMPARISONS, MEASURES, OWN, SHARES, Comparison, Forecasts, PoolResult
from nas.studies.tables import markdown_table

__all__ = ["report"]

_RIVALS = ("random", "tpe", "neighbours", "parameters", "size")
_SHARE = f"{SHARES[0]:.0%}"
_FEWEST_SEEDS = 20
_MEASURED = {
    "proposals": "What it trained after the start was",
    "incumbent": "What the predictor finally chose from its trials was",
    "incumbent by label": "What had the best value of its trials was",
    "trainings": f"Its way to one of the best {_SHARE} was",
}
_VERDICTS = {1: "better than {}", 0: "not told apart from {}", -1: "worse than {}"}


def report(found: Sequence[PoolResult]) -> str:
    """Return the report on pools, in Markdown."""
    seeds = ", ".join(f"{result.seeds} on {result.pool.name}" for result in found)
    return _TEXT.format(
        summary=_summary(found),
        overview=_overview(found),
        seeds=seeds,
        machine=describe_machine(),
        trials=TRIALS,
        share=_SHARE,
        beyond=TRIALS + 1,
        start=START,
        after=TRIALS - START,
        tests=len(COMPARISONS) * len(MEASURES),
        pools="\n".join(_section(result) for result in found),
    )


def _summary(found: Sequence[PoolResult]) -> str:
    """Return in how many pools steering by structure is better and worse than each rival, by each measure."""
    lines = []
    for measure, words in _MEASURED.items():
        verdicts = {rival: [_verdict(result, rival, measure) for result in found] for rival in _RIVALS}
        parts = [
            f"{word} {_counted(verdicts, sign)}"
            for sign, word in ((1, "better than"), (-1, "worse than"))
            if any(sign in own for own in verdicts.values())
        ]
        told = "; ".join(parts) or "told apart from no other arm in any pool"
        lines.append(f"- {words} {told}.")
    few = [result.pool.name for result in found if result.seeds < _FEWEST_SEEDS]
    if few:
        lines.append(f"- Fewer than {_FEWEST_SEEDS} seeds on {_listed(few)}: a trial that shows nothing.")
    return (
        f"Searches of {len(found)} pools of trained networks, steered by structure. In how many pools that can be told "
        "apart from another way to choose; in the others it cannot:\n\n" + "\n".join(lines)
    )


def _counted(verdicts: Mapping[str, Sequence[int]], sign: int) -> str:
    return _listed(f"{rival} in {own.count(sign)}" for rival, own in verdicts.items() if sign in own)


def _verdict(result: PoolResult, rival: str, measure: str) -> int:
    return next(own.verdict for own in result.comparisons if (own.arm, own.other, own.measure) == (OWN, rival, measure))


def _overview(found: Sequence[PoolResult]) -> str:
    rows = [
        (
            result.pool.name,
            str(result.by_chance(SHARES[0])),
            *(_count(result.arms[arm].trainings[_SHARE]) for arm in (*_RIVALS, OWN)),
            *(f"{result.arms[arm].reached[_SHARE]:.0%}" for arm in ("random", OWN)),
        )
        for result in found
    ]
    return markdown_table(
        ("pool", "random, in theory", *_RIVALS, OWN, "random: found", f"{OWN}: found"),
        rows,
    )


def _section(result: PoolResult) -> str:
    name = result.pool.name
    return "\n".join(
        [
            f"## {name}\n",
            f"{_about(result)}\n",
            f"{_found(result)} {_foreseen(result)}\n",
            f"{_arm_table(result)}\n",
            f"{_comparison_table(result)}\n",
            f"![Share of runs that found one of the best wirings of {name}]({name}.png)\n",
        ]
    )


def _about(result: PoolResult) -> str:
    pool, (least, median, most) = result.pool, result.quantiles
    best = ", ".join(f"the best {share:.0%} from {result.threshold(share):.4f}" for share in SHARES)
    return (
        f"{len(pool):,} wirings with {pool.labels.shape[1]} trainings each. Truth goes from {least:.4f} to {most:.4f}, "
        f"with a median of {median:.4f}; {best}. Random picks need {result.by_chance(SHARES[0])} trainings to meet "
        f"one of the best {_SHARE} with a probability of one half."
    )


def _found(result: PoolResult) -> str:
    sentences = []
    for measure, words in _MEASURED.items():
        verdicts = {rival: _verdict(result, rival, measure) for rival in _RIVALS}
        parts = [
            phrase.format(_listed(rival for rival, own in verdicts.items() if own == sign))
            for sign, phrase in _VERDICTS.items()
            if sign in verdicts.values()
        ]
        sentences.append(f"{words} {', '.join(parts)}.")
    own, random = result.arms[OWN], result.arms["random"]
    sentences.insert(
        0,
        f"Steering by structure found one of the best {_SHARE} in {own.reached[_SHARE]:.0%} of the runs, after a "
        f"median of {_count(own.trainings[_SHARE])} trainings; random picks in {random.reached[_SHARE]:.0%}, after "
        f"{_count(random.trainings[_SHARE])}.",
    )
    return " ".join(sentences)


def _foreseen(result: PoolResult) -> str:
    """Return what forecasts were worth."""
    own = result.arms[OWN]
    sentences = [
        f"Its forecasts of {words} had a rank correlation of {_share(found.tau)} with the values, and their 90 % "
        f"intervals held {found.coverage or 0.0:.0%} of them ({found.n:,})."
        for origin, words in (("random", "trials chosen without looking"), ("prior", "trials that it chose"))
        if (found := own.forecasts.get(origin, Forecasts(0, None, None))).n
    ]
    if "fallback" in own.origins:
        share = own.origins["fallback"]
        sentences.append(
            f"In {share:.0%} of the trials it found that structure predicts nothing, and picked at random."
        )
    return " ".join(sentences)


def _share(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}"


def _listed(words: Iterable[str]) -> str:
    *first, last = words
    return f"{', '.join(first)} and {last}" if first else last


# Tables


def _arm_table(result: PoolResult) -> str:
    header = (
        "arm",
        "trained after the start",
        "without blind picks",
        "chosen by predictor",
        "chosen by value",
        *(f"trainings to best {share:.0%}" for share in SHARES),
        *(f"found best {share:.0%}" for share in SHARES),
        "time of a proposal",
    )
    rows = [
        (
            arm,
            f"{own.proposals:.4f}",
            f"{own.steered:.4f}",
            f"{own.incumbent:.4f}",
            f"{own.incumbent_by_label:.4f}",
            *(_count(count) for count in own.trainings.values()),
            *(f"{part:.0%}" for part in own.reached.values()),
            f"{1000 * own.seconds:.1f} ms",
        )
        for arm, own in result.arms.items()
    ]
    return markdown_table(header, rows)


def _comparison_table(result: PoolResult) -> str:
    by_pair = {(own.arm, own.other, own.measure): own for own in result.comparisons}
    rows = [
        (f"{arm} – {other}", *(_said(by_pair[arm, other, measure]) for measure in MEASURES))
        for arm, other in COMPARISONS
    ]
    return markdown_table(("difference", *MEASURES), rows)


def _said(own: Comparison) -> str:
    digits = 1 if own.measure == "trainings" else 4
    mean, low, high = (
        f"{value:+.{digits}f}" for value in (own.difference.mean, own.difference.low, own.difference.high)
    )
    text = f"{mean} [{low}, {high}]"
    return f"**{text}**" if own.verdict else text


def _count(count: float | None) -> str:
    return f"> {TRIALS}" if count is None else f"{count:g}"


_TEXT = """\
# Does steering by structure help?

{summary}

Median trainings to one of the best {share}, and the share of runs that found one:

{overview}

## How it was measured

Made by `wirenas study steering`. Every pool holds wirings of a survey that are all trained, so that a search can be
repeated at no cost. Each arm trains {trials} of them one after another; the first {start} are those that the structural
sampler starts with, the same for all arms of a seed. A training gives the validation metric of one replicate at the
learning rate that is best for it; which replicate that is follows from the seed and is the same for all arms. The truth
of a wiring is its mean test metric over all replicates, which no arm sees. Seeds: {seeds}. Machine: {machine}.

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

The structural sampler picks a twentieth of the wirings without looking. They are in "proposals", and left out in
"without blind picks". Forecasts were made before the training. Wirings that were chosen because much was
expected of them are alike in what was expected, so that rank correlations among them are low even where forecasts are
right.

{pools}"""
