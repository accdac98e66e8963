"""Benchmark of the compiled features against networkx; of drawing, describing and scoring candidates; of one query.

Run from the repository's root: ``make bench``, or ``python -m benchmarks.features --quick``. Times are CPU time of the
process, but for the shell; ratios are taken within a round, in which contenders take turns.
"""

from __future__ import annotations

import argparse
import os
import platform
import shlex
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import networkx as nx
import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks.measure import Quartiles, Verdict
from benchmarks.report import cpu_name, write
from predictors import Predictor, Preparation
from predictors.compiled import extension
from predictors.features.describe import DEFAULT_TIERS, describe
from predictors.features.table import TIERS
from priors import write_wiring
from priors.attachment import attach
from priors.graphs import ErdosRenyi, WattsStrogatz
from priors.transforms import layer, orient
from priors.wiring import Wiring

DEFAULT_OUT = Path(__file__).resolve().parents[1] / "build" / "benchmarks" / "features.json"
N_POOL = 10_000
WITHOUT_BETWEENNESS = (*DEFAULT_TIERS, "recurrent")
TIMED_SECONDS = 0.05
"""About how long a turn of the compiled features takes."""


@dataclass(frozen=True)
class Comparison:
    """A wiring that both describe, and how many times as long networkx must take."""

    name: str
    wiring: Wiring
    tiers: tuple[str, ...]
    pivots: int | None
    bound: float


@dataclass(frozen=True)
class Result:
    """CPU seconds of one thing that was measured, and of networkx where it was compared."""

    name: str
    seconds: Quartiles
    networkx: Quartiles | None
    verdict: Verdict | None


def comparisons() -> list[Comparison]:
    small, large = _candidate(200, 0.05), _candidate(1000, 0.02)
    return [
        Comparison("n=200, density .05: all tiers, betweenness exact", small, TIERS, 200, 50),
        Comparison("n=200, density .05: without betweenness", small, WITHOUT_BETWEENNESS, None, 150),
        Comparison("n=1000, density .02: all tiers, 64 pivots; networkx exact", large, TIERS, 64, 500),
        Comparison("n=1000, density .02: without betweenness", large, WITHOUT_BETWEENNESS, None, 150),
    ]


def _candidate(n: int, density: float) -> Wiring:
    rng = np.random.default_rng(0)
    hidden = layer(orient(ErdosRenyi(n, density).sample(rng), "random", rng))
    return attach(hidden, 64, 10, "controlled", rng)


def draw_pool(n_wirings: int = N_POOL) -> list[Wiring]:
    """Draw candidates as a search does, all with one generator."""
    rng, prior = np.random.default_rng(0), WattsStrogatz(64, 8, 0.2)
    return [attach(layer(orient(prior.sample(rng), "random", rng)), 64, 10, "natural", rng) for _ in range(n_wirings)]


def by_networkx(wiring: Wiring, *, betweenness: bool) -> dict[str, Any]:
    """Compute what networkx has of the features, all distances once for all features that rest on them."""
    hidden = wiring.hidden
    directed, whole = hidden.to_networkx(), wiring.to_networkx()
    graph = nx.Graph(directed)
    hops = dict(nx.all_pairs_shortest_path_length(graph))
    lengths = np.array([distance for own in hops.values() for distance in own.values() if distance])
    totals = np.array([sum(own.values()) for own in hops.values()])
    found: dict[str, Any] = {
        "density": nx.density(graph),
        "degree": dict(graph.degree),
        "assortativity": nx.degree_assortativity_coefficient(graph),
        "core": nx.core_number(graph),
        "components": list(nx.connected_components(graph)),
        "eccentricity": [max(own.values()) for own in hops.values()],
        "path_length": (lengths.mean(), lengths.std()),
        "efficiency": (1 / lengths).sum() / (len(graph) * (len(graph) - 1)),
        "closeness": [len(own) - 1 for own in hops.values()] / np.maximum(totals, 1),
        "triangles": nx.triangles(graph),
        "transitivity": nx.transitivity(graph),
        "clustering": nx.clustering(graph),
        "layers": list(nx.topological_generations(directed)),
        "signal_depth": nx.dag_longest_path_length(whole),
        "input_distance": nx.multi_source_dijkstra_path_length(whole, set(wiring.neurons(0))),
        "reciprocity": nx.overall_reciprocity(directed),
        "strong_components": list(nx.strongly_connected_components(directed)),
    }
    if betweenness:
        found["betweenness"] = nx.betweenness_centrality(graph)
        found["edge_betweenness"] = nx.edge_betweenness_centrality(graph)
    return found


def compare(comparison: Comparison, rounds: int) -> Result:
    """Time both in turns."""
    work = partial(describe, [comparison.wiring], comparison.tiers, comparison.pivots)
    work()
    repeats = max(int(TIMED_SECONDS / _seconds(work)), 1)
    ours, theirs = [], []
    for _ in range(rounds):
        ours.append(_seconds(lambda: [work() for _ in range(repeats)]) / repeats)
        theirs.append(_seconds(lambda: by_networkx(comparison.wiring, betweenness="centrality" in comparison.tiers)))
    ratio = Quartiles.of(np.divide(theirs, ours).tolist()).median
    verdict = Verdict("x networkx", comparison.bound, ratio, ratio >= comparison.bound)
    return Result(comparison.name, Quartiles.of(ours), Quartiles.of(theirs), verdict)


def fitted_predictor(n_wirings: int = 500) -> Predictor:
    """Fit a predictor to made-up values; what they are does not change the time of an answer."""
    wirings = draw_pool(n_wirings)
    rng = np.random.default_rng(1)
    values = np.array([0.05 * len(wiring.hidden.sources) for wiring in wirings]) + rng.normal(0, 0.05, n_wirings)
    preparation = Preparation(attachment=("natural",), n_inputs=64, n_outputs=10)
    return Predictor(preparation=preparation).fit(wirings, values)


def time_pool(predictor: Predictor, rounds: int) -> list[Result]:
    """Time drawing, describing and scoring a pool."""
    drawing, describing, scoring = [], [], []
    for _ in range(rounds):
        drawing.append(_seconds(draw_pool))
        wirings = draw_pool()
        describing.append(_seconds(lambda wirings=wirings: describe(wirings)))
        columns = describe(wirings)
        scoring.append(_seconds(lambda columns=columns: predictor.fitted_.predict(columns)))
    all_three = Quartiles.of(np.sum([drawing, describing, scoring], axis=0).tolist())
    what = f"{N_POOL:,} candidates, n=64, k=8, natural"
    return [
        Result(f"{what}: drawn, oriented, layered, attached", Quartiles.of(drawing), None, None),
        Result(f"{what}: described (size + structure)", Quartiles.of(describing), None, None),
        Result(f"{what}: scored", Quartiles.of(scoring), None, None),
        Result(f"{what}: all three", all_three, None, _at_most(1.0, all_three)),
    ]


def time_queries(predictor: Predictor, rounds: int) -> list[Result]:
    """Time one question: in this process, and by wall clock from the shell, where a process has to start."""
    (wiring,) = draw_pool(1)
    graph = WattsStrogatz(64, 8, 0.2).sample(0)
    found = []
    for name, asked in (("one wiring", [wiring]), ("one undirected graph, 16 orientations", [graph])):
        predictor.predict(asked)
        own = Quartiles.of([_seconds(partial(predictor.predict, asked, return_std=True)) for _ in range(20 * rounds)])
        found.append(Result(f"{name}: predicted", own, None, _at_most(0.005, own)))
    with tempfile.TemporaryDirectory() as folder:
        predictor.save(Path(folder) / "predictor")
        write_wiring(graph, Path(folder) / "graph.graphml")
        command = [
            sys.executable,
            "-m",
            "nas.cli.app",
            "predict",
            folder,
            str(Path(folder) / "graph.graphml"),
            "--json",
        ]
        shell = Quartiles.of([_wall(command) for _ in range(rounds + 1)][1:])
    return [*found, Result("wirenas predict, from the shell, wall clock", shell, None, _at_most(1.0, shell))]


def _at_most(bound: float, own: Quartiles) -> Verdict:
    return Verdict("s", bound, own.median, own.median <= bound)


def _wall(command: Sequence[str]) -> float:
    started = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True)
    return time.perf_counter() - started


def _seconds(work: Callable[[], object]) -> float:
    started = time.process_time()
    work()
    return time.process_time() - started


def table(results: Sequence[Result]) -> Table:
    """Return the results as a table."""
    own = Table("what", "compiled", "networkx", "target")
    for result in results:
        own.add_row(
            result.name,
            _spread(result.seconds),
            _spread(result.networkx),
            _phrase(result.verdict) if result.verdict else "",
        )
    return own


def _spread(seconds: Quartiles | None) -> str:
    if seconds is None:
        return ""
    return f"{1e3 * seconds.median:,.3g} ms [{1e3 * seconds.low:,.3g}, {1e3 * seconds.high:,.3g}]"


def _phrase(verdict: Verdict) -> str:
    sign = "<=" if verdict.what == "s" else ">="
    return f"{'met' if verdict.met else 'missed'}: {verdict.value:,.3g} {verdict.what} ({sign} {verdict.bound:,g})"


def document(results: Sequence[Result], command: str, rounds: int) -> dict[str, Any]:
    """Return everything that was measured, in seconds, as JSON's types."""
    machine = {
        "cpu": cpu_name(),
        "cores": os.cpu_count(),
        "system": platform.platform(),
        "python": platform.python_version(),
        "networkx": nx.__version__,
        "instruction_set": extension().feature_instruction_sets()[-1],
    }
    date = datetime.now(UTC).isoformat(timespec="seconds")
    shown = [asdict(result) for result in results]
    return {"machine": machine, "date": date, "command": command, "rounds": rounds, "results": shown}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark and return the exit code: 0, or 2 where the compiled features are missing."""
    parser = argparse.ArgumentParser(
        prog="benchmarks.features", description=__doc__.splitlines()[0] if __doc__ else None
    )
    parser.add_argument("--rounds", type=int, default=5, help="turns of both contenders (default 5)")
    parser.add_argument("--quick", action="store_true", help="one round: to try the benchmark, not to measure")
    parser.add_argument("--out", type=Path, default=DEFAULT_OUT, help="JSON file")
    options = parser.parse_args(arguments)
    if extension() is None:
        print("the compiled features are missing: they could not be built at the installation", file=sys.stderr)
        return 2
    rounds = 1 if options.quick else options.rounds
    predictor = fitted_predictor()
    results = [
        *(compare(comparison, rounds) for comparison in comparisons()),
        *time_pool(predictor, rounds),
        *time_queries(predictor, rounds),
    ]
    Console(width=None if sys.stdout.isatty() else 160).print(table(results))
    command = shlex.join(["python", "-m", "benchmarks.features", *(sys.argv[1:] if arguments is None else arguments)])
    write(options.out, document(results, command, rounds))
    return 0


if __name__ == "__main__":
    sys.exit(main())
