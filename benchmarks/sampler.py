"""What the structural sampler finds beside a plain Gaussian process and TPE, and what a proposal costs.

``python -m benchmarks.sampler pools SURVEY... --seeds 200`` replays searches of surveys,
``python -m benchmarks.sampler beside --seeds 20`` searches wirings together with a learning rate and a batch size, and
``python -m benchmarks.sampler cost`` times proposals; each prints one JSON document, or writes it to ``--out``.

Its surveys were made by ``wirenas survey --task digits --network mlp --attachment controlled --wirings 1500 --seeds 5
--epochs 10 --learning-rate 0.005 --threads 1``: `digits-varying`, and with ``--nodes 64 --degree 8`` `digits-fixed`.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import networkx as nx
import numpy as np
import optuna
from numpy.typing import NDArray

from nas import Recipe, Space, StructuralSampler
from nas.networks import NetworkSpec
from nas.space.draws import Uniform
from nas.store.lines import plain
from nas.store.study import quiet_optuna
from nas.store.survey_table import load_survey
from nas.studies.steering.arms import at_random, start_up, steered, tpe
from nas.studies.steering.replay import START, Choice, Pool, Run, read_pool, replay
from nas.studies.tables import paired_difference
from nas.tasks import load_task
from nas.training import train
from priors import Wiring

Floats = NDArray[np.float64]


# A Gaussian process as it is written in an afternoon


def measures(wiring: Wiring) -> list[float]:
    """Return thirty measures of networkx of the graph between hidden neurons."""
    directed = nx.DiGraph(wiring.hidden.to_networkx())
    graph = directed.to_undirected()
    whole = graph.subgraph(max(nx.connected_components(graph), key=len))
    found = [len(graph), graph.size(), nx.density(graph), len(whole), nx.number_connected_components(graph)]
    spread = [
        [degree for _, degree in graph.degree],
        [degree for _, degree in directed.in_degree],
        list(nx.clustering(graph).values()),
        list(nx.betweenness_centrality(graph).values()),
        list(nx.closeness_centrality(graph).values()),
        list(nx.core_number(graph).values()),
        list(nx.eccentricity(whole).values()),
    ]
    for values in spread:
        found += [np.mean(values), np.std(values), np.max(values)]
    found += [nx.transitivity(graph), nx.average_shortest_path_length(whole), nx.global_efficiency(graph)]
    if wiring.is_acyclic:
        found.append(nx.dag_longest_path_length(directed))
    found += [len(wiring.hidden.sources), len(wiring.hidden.sinks)]
    return [float(value) for value in found]


def plain_process(run: Run, X: Floats) -> Iterator[Choice]:
    """Choose by expected improvement of scikit-learn's Gaussian process on standardised columns."""
    from scipy.stats import norm
    from sklearn.gaussian_process import GaussianProcessRegressor
    from sklearn.gaussian_process.kernels import RBF, WhiteKernel
    from sklearn.preprocessing import StandardScaler

    X = StandardScaler().fit_transform(X)
    while True:
        members, values, _ = run.examples()
        kernel = 1.0 * RBF(math.sqrt(X.shape[1]), (0.1, 1e3)) + WhiteKernel(0.1, (1e-5, 1e2))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            process = GaussianProcessRegressor(kernel, normalize_y=True).fit(X[members], values)
            mean, std = process.predict(X[run.free], return_std=True)
        best = process.predict(X[members]).max()
        z = (mean - best) / np.maximum(std, 1e-12)
        yield Choice(int(run.free[((mean - best) * norm.cdf(z) + std * norm.pdf(z)).argmax()]))


def described(pool: Pool, folder: Path) -> Floats:
    """Return the measures of a pool, kept in a file beside its survey."""
    file = folder / f"measures-{pool.fingerprint[:12]}.npy"
    if not file.is_file():
        np.save(file, np.array([measures(wiring) for wiring in pool.wirings]))
    found: Floats = np.load(file, allow_pickle=False)
    return found


def pools(folders: list[Path], seeds: int) -> dict[str, Any]:
    """Search surveys again and again; differences are of the mean truth, in points, and paired by seed."""
    found = {}
    for folder in folders:
        pool = read_pool(folder.name, load_survey(folder))
        X = described(pool, folder)
        arms: dict[str, Callable[[Run], Iterator[Choice]]] = {
            "random": at_random,
            "tpe": tpe,
            "plain": partial(plain_process, X=X),
            "structural": steered,
            "structural-repeats": partial(steered, replicates=3),
        }
        truth, lines = 100 * pool.truth, {name: [] for name in arms}
        for seed in range(seeds):
            start = start_up(pool, seed)
            for name, arm in arms.items():
                run = replay(pool, name, arm, seed, start)
                incumbent, _ = run.incumbents()
                origins = [choice.origin for choice in run.choices]
                looked = [m for m, own in zip(run.members, origins, strict=True) if own not in ("random", "start-up")]
                mean = truth[run.members[START:]].mean()
                print(f"{folder.name}, {name}, seed {seed}: {mean} {truth[incumbent]}", file=sys.stderr, flush=True)
                lines[name].append(
                    {
                        "proposals": mean,
                        "looked": truth[looked].mean(),
                        "incumbent": truth[incumbent],
                        "fallback": origins.count("fallback"),
                        "ms": 1e3 * run.seconds / (len(run.choices) - START),
                    }
                )
        found[folder.name] = {
            "wirings": len(pool),
            "trainings": pool.labels.shape[1],
            "seeds": seeds,
            "arms": {
                name: {key: np.mean([line[key] for line in own]) for key in own[0]} for name, own in lines.items()
            },
            "differences": {
                f"{name} - {other}, {key}": paired_difference(
                    [line[key] for line in lines[name]], [line[key] for line in lines[other]]
                )
                for name in ("structural", "structural-repeats")
                for other in ("plain", "tpe", "random")
                for key in ("proposals", "looked", "incumbent")
            },
        }
    return found


# Parameters beside the wiring


def beside(seeds: int, trials: int = 60) -> dict[str, Any]:
    """Search wirings with a learning rate and a batch size, on digits for few epochs, by several samplers."""
    task, space = load_task("digits"), Space(nodes=(16, 48), degree=(2.0, 8.0))
    units, spec = (task.n_inputs, task.n_outputs), NetworkSpec("mlp")

    def objective(trial: optuna.Trial) -> float:
        rate = trial.suggest_float("lr", 1e-5, 1.0, log=True)
        batch = trial.suggest_categorical("batch", [16, 32, 64, 128])
        wiring = space.wiring(space.suggest_all(trial), *units)
        recipe = Recipe(learning_rates=(rate,), epochs=3, batch_size=batch)
        network = spec.build(wiring, rng=trial.number)
        return float(train(network, task, recipe, rng=trial.number).value)

    samplers: dict[str, Callable[[int], optuna.samplers.BaseSampler]] = {
        "structural": lambda seed: StructuralSampler(space, *units, seed=seed),
        "tpe": lambda seed: optuna.samplers.TPESampler(seed=seed),
        "random": lambda seed: optuna.samplers.RandomSampler(seed=seed),
    }
    return compared(samplers, objective, seeds, trials)


def compared(
    samplers: dict[str, Callable[[int], optuna.samplers.BaseSampler]],
    objective: Callable[[optuna.Trial], float],
    seeds: int,
    trials: int,
) -> dict[str, Any]:
    """Return the best value after all trials, and the mean of the last half, of every sampler."""
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in samplers}
    for seed in range(seeds):
        for name, make in samplers.items():
            with quiet_optuna():
                study = optuna.create_study(direction="maximize", sampler=make(seed))
                study.optimize(objective, n_trials=trials)
            values = [trial.value for trial in study.get_trials(deepcopy=False)]
            found[name].append((max(values), float(np.mean(values[trials // 2 :]))))
            print(f"{name}, seed {seed}: {found[name][-1]}", file=sys.stderr, flush=True)
    kinds = ("best", "second half")
    return {
        "seeds": seeds,
        "trials": trials,
        "means": {name: dict(zip(kinds, np.mean(own, axis=0), strict=True)) for name, own in found.items()},
        "differences": {
            f"structural - {other}, {kind}": paired_difference(
                [own[place] for own in found["structural"]], [own[place] for own in found[other]]
            )
            for other in found
            if other != "structural"
            for place, kind in enumerate(kinds)
        },
    }


# Cost


def cost(counts: tuple[int, ...] = (100, 1000, 5000, 10000), proposals: int = 200) -> dict[str, Any]:
    """Return milliseconds of a proposal in studies of so many trials, in memory; campaigns have a share of a fifth."""
    space, units, rng = Space(), (64, 10), np.random.default_rng(0)
    distributions, made = space.distributions(), []
    for _ in range(max(counts)):
        params = {**space.suggest(Uniform(rng)), **space.seeds(rng), "n_moves": 0, "move_seed": 0}
        used = {name: distributions[name] for name in params}
        value = float(params["degree"]) + rng.normal()
        made.append(
            optuna.create_trial(value=value, params=params, distributions=used, user_attrs={"expected_seconds": 0.05})
        )
    found = {}
    for share in (None, 0.2):
        for count in counts:
            sampler = StructuralSampler(space, *units, share=share)
            with quiet_optuna():
                study = optuna.create_study(direction="maximize", sampler=sampler)
                study.add_trials(made[:count])
                taken = []
                for _ in range(proposals + 1):
                    started = time.perf_counter()
                    trial = study.ask()
                    params = sampler.suggest_all(trial)
                    taken.append(1e3 * (time.perf_counter() - started))
                    study.tell(trial, float(params["degree"]) + rng.normal())
            later = np.array(taken[1:])
            numbers = {"mean": later.mean(), "median": np.median(later), "most": later.max(), "first": taken[0]}
            found[f"{count} trials, share={share}"] = numbers
    return found


def main() -> None:
    """Run one part and print what it found."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("part", choices=("pools", "beside", "cost"))
    parser.add_argument("surveys", nargs="*", type=Path)
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    made = {"pools": lambda: pools(given.surveys, given.seeds), "beside": lambda: beside(given.seeds), "cost": cost}
    text = json.dumps(plain(made[given.part]()), indent=1)
    if given.out is None:
        print(text)
    else:
        given.out.parent.mkdir(parents=True, exist_ok=True)
        given.out.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
