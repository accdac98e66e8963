"""Whether wirings of the size and the make of brains compute better than random ones: as RNNs and as reservoirs.

References
----------
J. G. White et al., "The structure of the nervous system of the nematode Caenorhabditis elegans", 1986,
doi:10.1098/rstb.1986.0056, as the directed network of 297 neurons and 2,345 connections that Watts and Strogatz (1998),
doi:10.1038/30918, made known; L. Harriger, M. P. van den Heuvel and O. Sporns, "Rich club organization of macaque
cerebral cortex and its role in network communication", 2012, doi:10.1371/journal.pone.0046497: 242 regions of the
macaque cortex, 4,090 pathways.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nas.comparison.comparison import Comparison, Found
from nas.comparison.options import ComparisonOptions
from nas.comparison.report import plot_nulls, sentence_of, to_json
from nas.errors import InputError, known
from nas.reservoirs import Series, load_series
from nas.seeds import stream
from nas.studies.tables import check_study, table_of, write_results
from nas.tasks import Task, load_task
from nas.training.extension import describe_machine
from nas.training.recipe import Recipe
from priors import Wiring, read_wiring
from priors.draws import permutation

__all__ = ["BRAINS", "WORKS", "Brain", "connectomes_study", "pages", "stand_in"]


@dataclass(frozen=True)
class Brain:
    """What is published of a connectome, and what of it a stand-in has.

    Attributes
    ----------
    neurons, edges : int
    title : str
    """

    neurons: int
    edges: int
    title: str


BRAINS = {
    "worm": Brain(297, 2_345, "C. elegans"),
    "macaque": Brain(242, 4_090, "the macaque's cortex"),
}
WORKS = ("reservoir", "rnn")
"""Reservoirs on memory, and GRUs on the embedded Reber grammar."""

NULLS = ("layers", "boundary")
N_NULLS = 1_000
RECIPE = Recipe(learning_rates=(0.01,), epochs=20, schedule="linear", clip=1.0)

_MODULES, _WITHIN, _MUTUAL = 5, 4.0, 0.2
"""Of a stand-in: modules of equal size, how much likelier edges within one are, and the share of edges whose reverse is
there by intent."""
_SENSORY, _MOTOR = 0.3, 0.3
"""Shares of the neurons that read inputs, and that are read out."""


def stand_in(name: str, seed: int = 0) -> Wiring:
    """Return a wiring of the published size, by a stochastic block model with reciprocity; directed, of one layer.

    Neurons are numbered module by module.
    """
    brain = BRAINS[known("brain", name, BRAINS)]
    rng = stream(seed, "wiring", brain.neurons)
    module = np.arange(brain.neurons) * _MODULES // brain.neurons
    weight = np.where(module[:, None] == module, _WITHIN, 1.0)
    np.fill_diagonal(weight, 0.0)
    # Distinct places, each after an exponential time whose rate is its weight; some bring their reverse along.
    arrival = rng.exponential(size=weight.shape) / np.where(weight > 0, weight, np.nan)
    order = np.argsort(np.where(np.isnan(arrival), np.inf, arrival), axis=None, kind="stable")
    there = np.zeros(weight.shape, bool)
    brings = rng.random(len(order)) < _MUTUAL
    n = 0
    for place, both in zip(order.tolist(), brings.tolist(), strict=True):
        source, target = divmod(place, brain.neurons)
        for edge in ((source, target), (target, source))[: 1 + both]:
            if not there[edge] and n < brain.edges:
                there[edge] = True
                n += 1
        if n == brain.edges:
            break
    return Wiring((brain.neurons,), np.argwhere(there), directed=True)


def _with_boundary(graph: Wiring, n_inputs: int, n_outputs: int, seed: int) -> Wiring:
    """Return a graph whose sensory neurons read every input, and whose motor neurons are read by every output."""
    n = graph.n_neurons
    order = permutation(stream(seed, "wiring", n, 1), n)
    sensory, motor = order[: round(_SENSORY * n)], order[n - round(_MOTOR * n) :]
    edges = np.concatenate(
        [
            _complete(np.arange(n_inputs), n_inputs + sensory),
            n_inputs + graph.edges.astype(np.int64),
            _complete(n_inputs + motor, n_inputs + n + np.arange(n_outputs)),
        ]
    )
    return Wiring((n_inputs, n, n_outputs), edges, inputs=True, outputs=True, directed=True)


def _complete(sources: NDArray[np.int64], targets: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.stack([np.repeat(sources, len(targets)), np.tile(targets, len(sources))], axis=1)


def connectomes_study(
    out: Path,
    watch: Callable[[str, int, int], None] = lambda *_: None,
    *,
    brains: Sequence[str] = (),
    works: Sequence[str] = (),
    n_nulls: int = N_NULLS,
    graph: Path | None = None,
    recipe: Recipe = RECIPE,
    repeats: int = 20,
    threads: int = 1,
) -> dict[str, Any]:
    """Compare connectomes with nulls that keep their degrees, and with nulls that keep their boundary too.

    Parameters
    ----------
    out : Path
        Comparisons are kept below it, so that the study goes on where it was stopped.
    watch : callable
        Told which comparison is made, how many wirings of it are trained, and all of them.
    brains : sequence of str
        Of `BRAINS`; all by default, or none where a `graph` is given.
    works : sequence of str
        Of `WORKS`; both by default.
    n_nulls : int
        Nulls of each kind.
    graph : Path, optional
        A connectome of one's own, of one layer, in place of the stand-ins.
    recipe : Recipe
        Of the RNNs.
    repeats : int
        Trainings of each connectome; a null is trained once.
    threads : int

    Returns
    -------
    dict
        What is written to ``connectomes.json``, as JSON types; ``README.md`` and figures follow from it.
    """
    check_study(out, "connectomes")
    chosen = [known("work", own, WORKS) for own in works] or list(WORKS)
    given = {name: stand_in(name) for name in [known("brain", own, BRAINS) for own in brains] or BRAINS}
    if graph is not None:
        given = {graph.name: _own(graph)}
    rows: list[dict[str, Any]] = []
    for work in chosen:
        task = load_task("reber-embedded") if work == "rnn" else load_series("memory")
        found = _compared(out, work, task, given, n_nulls, recipe, repeats, threads, watch)
        plot_nulls(out / f"{work}.png", found)
        rows += [
            {**row, "work": work, "sentence": sentence_of(pair, found)}
            for row, pair in zip(to_json(found)["comparisons"], found.pairs, strict=True)
        ]
    numbers = {
        "comparisons": rows,
        "works": chosen,
        "nulls": n_nulls,
        "repeats": repeats,
        "sizes": {name: [wiring.n_neurons, wiring.n_edges] for name, wiring in given.items()},
        "is_stand_in": graph is None,
        "recipe": recipe.model_dump(mode="json"),
        "machine": describe_machine(),
    }
    return dict(write_results(out, "connectomes.json", numbers, pages))


def _own(path: Path) -> Wiring:
    try:
        wiring = read_wiring(path)
    except ValueError as error:
        raise InputError(str(error)) from None
    if wiring.n_layers != 1 or wiring.is_acyclic or wiring.is_undirected:
        raise InputError(f"{path}: a connectome is needed, a directed graph of one layer with cycles")
    return wiring.replace(weights=None)


def _compared(
    out: Path,
    work: str,
    task: Task | Series,
    graphs: Mapping[str, Wiring],
    n_nulls: int,
    recipe: Recipe,
    repeats: int,
    threads: int,
    watch: Callable[[str, int, int], None],
) -> Found:
    options = ComparisonOptions(
        task=task.name,
        network="reservoir" if work == "reservoir" else "rnn",
        nulls=NULLS,
        n_nulls=n_nulls,
        seeds=1,
        repeats=repeats,
        recipe=recipe,
    )
    units = task.n_inputs, task.n_outputs if isinstance(task, Task) else 1
    wirings = {name: _with_boundary(graph, *units, seed=0) for name, graph in graphs.items()}
    told = lambda _, done, total: watch(work, done, total)  # noqa: E731
    return Comparison(out / "comparisons" / work, task, options, wirings, threads, told).run()


def pages(numbers: Mapping[str, Any]) -> dict[str, str]:
    """Return README.md, from the numbers alone."""
    rows = [
        {
            "work": _WORK_TITLES[own["work"]],
            "wiring": own["graph"],
            "null": own["null"],
            "connectome": _value(own["mean"], own),
            "nulls": _value(own["null_mean"], own),
            "sd between nulls": _value(own["null_std"], own),
            "sd of trainings": _value(own["training_std"], own),
            "lead": f"{_value(own['difference'], own, '+')} "
            f"[{_value(own['low'], own, '+')}, {_value(own['high'], own, '+')}]",
            "rank": f"{own['rank']} of {own['of']}",
            "p corrected": f"{own['p_corrected']:.2g}",
            "verdict": own["verdict"],
        }
        for own in numbers["comparisons"]
    ]
    sizes = "; ".join(
        f"{name} ({BRAINS[name].title if name in BRAINS else 'a graph of its own'}): {neurons} neurons, {edges:,} edges"
        for name, (neurons, edges) in numbers["sizes"].items()
    )
    origin = (
        "They are stand-ins, not the brains themselves: of the published sizes, drawn from a stochastic block model "
        f"with {_MODULES} modules, in which edges are {_WITHIN:g} times as likely; {_MUTUAL:.0%} of edges come with "
        "their reverse. What is said here holds for such wirings; `--graph` takes a connectome."
        if numbers["is_stand_in"]
        else "The connectome is that of the file."
    )
    figures = "\n\n".join(f"![{_WORK_TITLES[work]}]({work}.png)" for work in numbers["works"])
    text = _TEXT.format(
        sizes=sizes,
        origin=origin,
        nulls=numbers["nulls"],
        repeats=numbers["repeats"],
        epochs=numbers["recipe"]["epochs"],
        rate=numbers["recipe"]["learning_rates"][0],
        sensory=_SENSORY,
        motor=_MOTOR,
        table=table_of(rows),
        sentences="\n".join(f"- {_WORK_TITLES[own['work']]}: {own['sentence']}" for own in numbers["comparisons"]),
        figures=figures,
        machine=numbers["machine"],
    )
    return {"README.md": text}


_WORK_TITLES = {"reservoir": "memory of reservoirs", "rnn": "GRUs, embedded Reber grammar"}


def _value(value: float, own: Mapping[str, Any], sign: str = "") -> str:
    return f"{100 * value:{sign}.2f} %" if own["work"] == "rnn" else f"{value:{sign}.2f}"


_TEXT = """\
# Connectomes beside random wirings

Made by `wirenas study connectomes`. {sizes}. {origin}

A share of {sensory:.0%} of the neurons, drawn once, reads every input, and {motor:.0%} are read by every output; these
edges are the boundary. `layers` nulls keep all degrees, and may exchange edges of the boundary, so that other neurons
read and are read; `boundary` nulls keep it as it is. There are {nulls} nulls of each kind, each trained once, and each
connectome is trained {repeats} times. The standard deviation between nulls is without that of trainings, of which each
draws other weights. Reservoirs recall what they read 1 to 40 steps ago (memory capacity, at the best
of four spectral radii by validation); GRUs are trained for {epochs} epochs at rate {rate:g}, which is short.

{table}

{sentences}

The rank among nulls, corrected for all comparisons of one kind of work, alone decides what is called better or worse:
see docs/structure.md. On {machine}.

{figures}
"""
