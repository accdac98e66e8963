"""Reports of a benchmark: a table for the terminal, the same in Markdown, and everything as JSON. Imports rich."""

from __future__ import annotations

import json
import math
import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import torch
from rich.console import Console
from rich.table import Table
from rich.text import Text

from benchmarks.measure import NATIVE, Effort, Quartiles, Result, Verdict
from benchmarks.workloads import WORKLOADS
from nas.training.extension import instruction_set
from priors.files import atomic_write

__all__ = ["as_markdown", "cpu_name", "document", "show", "summary", "write"]

HEADER = (
    "workload",
    "edges",
    "native",
    "one at a time",
    "masked",
    "population",
    "x of floor",
    "target",
)
GEOMETRIC_MEAN = 60.0
"""Target of the mean ratio over all DAGs."""


def summary(results: Sequence[Result]) -> list[Verdict]:
    """Return the verdicts over several workloads: none unless all of them were measured."""
    wanted = {name for name, workload in WORKLOADS.items() if workload.group == "DAGs"}
    dags = [result for result in results if result.workload.name in wanted]
    if len(dags) < len(wanted):
        return []
    logarithms = [np.log(result.ratios[best].median) for result in dags if (best := result.best["one at a time"])]
    mean = float(np.exp(np.mean(logarithms)))
    return [
        Verdict(f"x one at a time, geometric mean of {len(dags)} DAGs", GEOMETRIC_MEAN, mean, mean >= GEOMETRIC_MEAN)
    ]


def show(results: Sequence[Result], console: Console) -> None:
    """Print the table and the verdicts over several workloads."""
    table = Table(*HEADER, caption=Text(_caption(results)), caption_justify="left")
    for result in results:
        table.add_row(*map(Text, _cells(result, "\n")))
    console.print(table)
    for verdict in summary(results):
        console.print(Text(_phrase(verdict)))
    for line in _checks(results):
        console.print(Text(line), highlight=False)


def as_markdown(results: Sequence[Result]) -> str:
    """Return the table in Markdown."""
    lines = [f"| {' | '.join(HEADER)} |", f"|{' --- |' * len(HEADER)}"]
    lines += [f"| {' | '.join(_cells(result, '<br>'))} |" for result in results]
    lines += [f"\n{line}" for line in (_caption(results), *map(_phrase, summary(results)), *_checks(results))]
    return "\n".join(lines)


def document(results: Sequence[Result], effort: Effort, command: str) -> dict[str, Any]:
    """Return everything that was measured, in seconds, as JSON's types."""
    return {
        "machine": {
            "cpu": cpu_name(),
            "cores": os.cpu_count(),
            "system": platform.platform(),
            "python": platform.python_version(),
            "torch": torch.__version__,
            "instruction_set": instruction_set(),
            "peak_gflops": _peak(results),
        },
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "command": command,
        **asdict(effort),
        "workloads": [_workload(result) for result in results],
        "summary": [asdict(verdict) for verdict in summary(results)],
    }


def write(path: Path, content: Mapping[str, Any]) -> None:
    """Write JSON, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic_write(path) as temporary:
        temporary.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


def _workload(result: Result) -> dict[str, Any]:
    workload, wiring = result.workload, result.workload.wiring(0)
    return {
        "name": workload.name,
        "group": workload.group,
        "unit": workload.unit,
        "edges": wiring.n_edges,
        "hidden_edges": wiring.hidden.n_edges,
        "layers": wiring.n_layers,
        "operations": workload.floor_operations(),
        "peak_gflops": result.peak / 1e9,
        "floor": result.floor,
        "times_floor": result.times_floor,
        "seconds": _each(result.seconds),
        "ratios": _each(result.ratios),
        "best": result.best,
        "differences": {name: list(values) for name, values in result.differences.items()},
        "accuracies": result.accuracies,
        "targets": [asdict(verdict) for verdict in result.verdicts()],
    }


def _each(values: Mapping[str, Quartiles]) -> dict[str, dict[str, float]]:
    return {name: asdict(quartiles) for name, quartiles in values.items()}


def _cells(result: Result, newline: str) -> list[str]:
    wiring, best = result.workload.wiring(0), result.best
    masked = result.fastest(("masked",))
    return [
        result.workload.name,
        f"{wiring.n_edges:,}",
        _time(result),
        f"{_ratio(result, best['one at a time'])} {best['one at a time']}",
        _ratio(result, masked),
        _ratio(result, best["population"]),
        f"{result.times_floor:.1f}",
        newline.join(map(_phrase, result.verdicts())),
    ]


def _ratio(result: Result, name: str | None) -> str:
    if name is None:
        return ""
    ratio = result.ratios[name]
    return f"{ratio.median:.3g}x [{ratio.low:.3g}, {ratio.high:.3g}]"


def _phrase(verdict: Verdict) -> str:
    met, sign = "met" if verdict.met else "missed", "<=" if verdict.what == "x of floor" else ">="
    return f"{met}: {_number(verdict.value)} {verdict.what} ({sign} {verdict.bound:,g})"


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}"


def _time(result: Result) -> str:
    seconds, each = result.seconds[NATIVE].median, " a candidate" if result.workload.unit == "candidate" else ""
    return (f"{1e6 * seconds:,.0f} us" if seconds < 1e-3 else f"{1e3 * seconds:.2f} ms") + each


def _caption(results: Sequence[Result]) -> str:
    return (
        "native: CPU time of an update or of a candidate, which is drawn, built, trained and evaluated. One at a time, "
        "masked, population: how many times as long the fastest of them takes, median [quartiles] over interleaved "
        "rounds. masked: weight * mask in every forward pass, Adam as it comes; with DataLoader, or with batches cut "
        "from one tensor like all that follow. gradient-masked: the mask on gradients, fused Adam. sparse layers: this "
        "project's torch networks in the same loop; torch engine: in its sessions. population: networks side by side "
        "in batched products, time of each. Floor: the arithmetic of the edges alone, at this core's measured peak of "
        f"{_peak(results):.0f} GFLOP/s."
    )


def _checks(results: Sequence[Result]) -> list[str]:
    """Return how far contenders lie at most from the compiled engine."""
    differences = [values for result in results for values in result.differences.values()]
    first = max(values[0] for values in differences)
    later = max((values[1] for values in differences if len(values) > 1), default=math.nan)
    lines = [f"all train the same network: losses agree to {first:.0e} before the first update, {later:.0e} over four"]
    for result in results:
        if result.accuracies:
            low, high = min(result.accuracies.values()), max(result.accuracies.values())
            lines.append(f"{result.workload.name}: mean test accuracies from {low:.3f} to {high:.3f}")
    return lines


def _peak(results: Sequence[Result]) -> float:
    return float(np.median([result.peak for result in results])) / 1e9


def cpu_name() -> str:
    information = Path("/proc/cpuinfo")
    if information.is_file():
        for line in information.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
