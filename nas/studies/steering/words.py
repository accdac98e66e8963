"""The report of the study of steering in words: every sentence follows from the numbers that are stored."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from nas.studies.steering.results import COMPARISONS, MEASURES, OWN, SHARES, Comparison
from nas.studies.tables import Difference, format_estimate, format_share, listed, markdown_table
from predictors.validation.resampling import share_interval

__all__ = ["pages"]

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


Numbers = Mapping[str, Any]
"""What is stored of one pool."""


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
        verdicts = {rival: [_verdict(pool, rival, measure) for pool in pools.values()] for rival in _RIVALS}
        parts = [
            f"{word} {_counted(verdicts, sign)}"
            for sign, word in ((1, "better than"), (-1, "worse than"))
            if any(sign in own for own in verdicts.values())
        ]
        told = "; ".join(parts) or "told apart from no other arm in any pool"
        lines.append(f"- {words} {told}.")
    few = [name for name, pool in pools.items() if pool["seeds"] < _FEWEST_SEEDS]
    if few:
        lines.append(f"- Fewer than {_FEWEST_SEEDS} seeds on {listed(few)}: a trial that shows nothing.")
    return (
        f"Searches of {len(pools)} pools of trained networks, steered by structure. In how many pools that can be told "
        "apart from another way to choose, by searching the same pool again and again; in the others it cannot:\n\n"
        + "\n".join(lines)
    )


def _counted(verdicts: Mapping[str, Sequence[int]], sign: int) -> str:
    return listed(f"{rival} in {own.count(sign)}" for rival, own in verdicts.items() if sign in own)


def _comparisons(pool: Numbers) -> dict[tuple[str, str, str], Comparison]:
    return {
        (own["arm"], own["other"], own["measure"]): Comparison(**{**own, "difference": Difference(**own["difference"])})
        for own in pool["comparisons"]
    }


def _verdict(pool: Numbers, rival: str, measure: str) -> int:
    return _comparisons(pool)[OWN, rival, measure].verdict


def _found_share(pool: Numbers, arm: str) -> str:
    share = pool["arms"][arm]["reached"][_SHARE]
    return format_share(share, *share_interval(share, pool["seeds"]))


def _overview(pools: Mapping[str, Numbers], trials: int) -> str:
    rows = [
        (
            name,
            str(pool["trainings_by_chance"][_SHARE]),
            *(_count(pool["arms"][arm]["trainings"][_SHARE], trials) for arm in (*_RIVALS, OWN)),
            *(_found_share(pool, arm) for arm in ("random", OWN)),
        )
        for name, pool in pools.items()
    ]
    return markdown_table(
        ("pool", "random, in theory", *_RIVALS, OWN, "random: found", f"{OWN}: found"),
        rows,
    )


def _section(name: str, pool: Numbers, trials: int) -> str:
    return "\n".join(
        [
            f"## {name}\n",
            f"{_about(pool)}\n",
            f"{_found(pool, trials)} {_foreseen(pool)}\n",
            f"{_arm_table(pool, trials)}\n",
            f"{_comparison_table(pool)}\n",
            f"![Share of runs that found one of the best wirings of {name}]({name}.png)\n",
        ]
    )


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
    sentences = []
    for measure, words in _MEASURED.items():
        verdicts = {rival: _verdict(pool, rival, measure) for rival in _RIVALS}
        parts = [
            phrase.format(listed(rival for rival, own in verdicts.items() if own == sign))
            for sign, phrase in _VERDICTS.items()
            if sign in verdicts.values()
        ]
        sentences.append(f"{words} {', '.join(parts)}.")
    medians = {arm: _count(pool["arms"][arm]["trainings"][_SHARE], trials) for arm in (OWN, "random")}
    sentences.insert(
        0,
        f"Steering by structure found one of the best {_SHARE} in {_found_share(pool, OWN)} of the runs, after a "
        f"median of {medians[OWN]} trainings; random picks in {_found_share(pool, 'random')}, after "
        f"{medians['random']}.",
    )
    return " ".join(sentences)


def _foreseen(pool: Numbers) -> str:
    """Return what forecasts were worth."""
    own = pool["arms"][OWN]
    sentences = [
        f"Its forecasts of {words} had a rank correlation of {_correlation(found['tau'])} with the values, and their "
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


def _correlation(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}"


# Tables


def _arm_table(pool: Numbers, trials: int) -> str:
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
    means = ("proposals", "steered", "incumbent", "incumbent_by_label")
    rows = [
        (
            arm,
            *("–" if own[name] is None else f"{own[name]:.4f}" for name in means),
            *(_count(count, trials) for count in own["trainings"].values()),
            *(f"{part:.0%}" for part in own["reached"].values()),
            f"{1000 * own['seconds']:.1f} ms",
        )
        for arm, own in pool["arms"].items()
    ]
    return markdown_table(header, rows)


def _comparison_table(pool: Numbers) -> str:
    found = _comparisons(pool)
    rows = [
        (f"{arm} – {other}", *(_format_comparison(found[arm, other, measure]) for measure in MEASURES))
        for arm, other in COMPARISONS
    ]
    return markdown_table(("difference", *MEASURES), rows)


def _format_comparison(own: Comparison) -> str:
    text = format_estimate(own.difference, "+", 1 if own.measure == "trainings" else 4)
    return f"**{text}**" if own.verdict else text


def _count(count: float | None, trials: int) -> str:
    return f"> {trials}" if count is None else f"{count:g}"


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
