"""What networks read, held to counts by hand and to a plain second implementation."""

import hashlib
import json
import math
import re
import time
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from feature_cases import wirings
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.numpy import load as from_bytes
from safetensors.numpy import save as to_bytes

from predictors import FEATURES, READ_FEATURES, Predictor, Preparation, read_features, read_names
from predictors.explain import families_of
from predictors.features import reads as reads_module
from predictors.storage import FILE, signed
from priors import Inputs, Wiring, attach, draw_reads, spread
from priors.graphs import ErdosRenyi
from priors.transforms import layer, orient


def make_inputs(n: int, seed: int, **left_out: None) -> Inputs:
    """Inputs of which everything is known but what is left out; some never vary."""
    rng = np.random.default_rng(seed)
    live = rng.random(n) > 0.25
    factors = rng.normal(size=(n, n + 2))
    correlation = np.corrcoef(factors) * live * live[:, None] if n > 1 else live * np.ones((1, 1))
    known = {
        "positions": rng.integers(0, 4, (n, 2)),
        "correlation": correlation,
        "relevance": rng.random(n) * live,
    }
    return Inputs(rng.uniform(0.1, 2, n) * live, **(known | left_out))


# In plain Python


def mean(values: list[float]) -> float:
    return sum(values) / len(values) if values else math.nan


def std(values: list[float]) -> float:
    return math.sqrt(mean([(value - mean(values)) ** 2 for value in values])) if values else math.nan


def ratio(part: float, whole: float) -> float:
    return part / whole if whole > 0 else math.nan


def gini(values: list[float]) -> float:
    return ratio(mean([abs(a - b) for a in values for b in values]), 2 * mean(values)) if values else math.nan


def apart(inputs: Inputs, one: int, other: int) -> float:
    return math.dist(inputs.positions[one], inputs.positions[other])


def strengths(wiring: Wiring, edges: list[tuple[int, int]]) -> list[float]:
    """How strongly each input is read, by recursion."""
    after: dict[int, list[int]] = {own: [t for s, t in edges if s == own] for own in range(wiring.n_neurons)}
    fan_in = {own: sum(t == own for _, t in edges) for own in range(wiring.n_neurons)}
    outputs = range(wiring.n_neurons - wiring.n_outputs, wiring.n_neurons)
    if not wiring.outputs:
        return [math.nan] * wiring.n_inputs

    def influence(neuron: int) -> float:
        return 1.0 if neuron in outputs else sum(influence(own) / fan_in[own] for own in after[neuron])

    def reaches(neuron: int, seen: frozenset[int] = frozenset()) -> bool:
        return neuron in outputs or any(reaches(own, seen | {neuron}) for own in after[neuron] if own not in seen)

    def counts(neuron: int) -> float:
        if not wiring.forward.all():
            return float(reaches(neuron))
        own = influence(neuron)
        return own / (own + wiring.n_outputs / wiring.n_hidden)

    read = [[own for own in after[source] if own not in outputs] for source in range(wiring.n_inputs)]
    return [math.log(1 + sum(map(counts, own))) for own in read]


def block(inputs: Inputs, own: int) -> int:
    """The block of an input of at most 64, of places in two dimensions, or of no known place."""
    if inputs.n_inputs <= 64:
        return own
    if inputs.positions is None:
        return next(number for number in range(64) if own < (number + 1) * inputs.n_inputs / 64)
    row, column = (
        next(
            number for number in range(8) if place[own] - min(place) < (number + 1) * (max(place) - min(place) + 1) / 8
        )
        for place in inputs.positions.T.tolist()
    )
    return 8 * row + column


def slowly(wiring: Wiring, inputs: Inputs) -> dict[str, float]:
    edges = [(int(source), int(target)) for source, target in wiring.edges]
    hidden = range(wiring.n_inputs, wiring.n_neurons - wiring.n_outputs)
    outputs = range(wiring.n_neurons - wiring.n_outputs, wiring.n_neurons)
    live = [own for own in range(wiring.n_inputs) if inputs.deviation[own] > 0]
    into = [(source, target) for source, target in edges if source < wiring.n_inputs and target in hidden]
    reads = [(source, target) for source, target in into if source in live]
    readouts = [(source, target) for source, target in edges if source in hidden and target in outputs]
    layers = wiring.n_layers - 1 - int(wiring.outputs)
    depth = {own: (int(wiring.layer_of[own]) - 1) / max(layers - 1, 1) for own in hidden}
    of = {reader: sorted(s for s, t in reads if t == reader) for reader in hidden}
    of = {reader: own for reader, own in of.items() if own}
    readers = {own: sum(own in read for read in of.values()) for own in live}
    pairs = list(combinations(of.values(), 2))
    per_output = [sum(target == own for _, target in readouts) for own in outputs]
    sizes = [len(own) for own in of.values()]
    found = {
        "reads_share": ratio(len(reads), len(edges)),
        "reads_direct": ratio(sum(s in live and t in outputs for s, t in edges), len(edges)),
        "reads_dead": ratio(len(into) - len(reads), len(into)),
        "reads_depth": mean([depth[target] for _, target in reads]),
        "reads_per_neuron_mean": mean(sizes),
        "reads_per_neuron_std": std(sizes),
        "reads_per_neuron_max": max(sizes, default=math.nan),
        "reads_per_input_mean": mean(list(readers.values())),
        "reads_per_input_std": std(list(readers.values())),
        "reads_per_input_gini": gini(list(readers.values())),
        "reads_coverage": mean([float(count > 0) for count in readers.values()]),
        "reads_overlap": mean([len({*one} & {*other}) / len({*one} | {*other}) for one, other in pairs]),
        "readouts_share": ratio(len(readouts), len(edges)),
        "readouts_depth": mean([depth[source] for source, _ in readouts]),
        "readouts_per_output_mean": mean(per_output),
        "readouts_per_output_std": std(per_output),
    }
    read = [own for own in live if readers[own]]
    for name, worth in (("deviation", inputs.deviation), ("relevance", inputs.relevance)):
        if worth is not None:
            typical = mean([float(worth[own]) for own in live])
            compared = [float(worth[source]) / typical for source, _ in reads]
            found |= {f"reads_{name}_mean": mean(compared), f"reads_{name}_std": std(compared)}
    variance = {own: float(inputs.deviation[own]) ** 2 for own in live}
    found["reads_variance_coverage"] = ratio(sum(variance[own] for own in read), sum(variance.values()))
    if inputs.relevance is not None:
        worth = inputs.relevance
        found["reads_relevance_coverage"] = ratio(sum(worth[own] for own in read), sum(worth[own] for own in live))
    strong = strengths(wiring, edges)
    for own in live:
        name = f"reads_strength_{block(inputs, own)}"
        found[name] = found.get(name, 0.0) + strong[own]
    weighted = [(variance[own], strong[own]) for own in live]
    found["reads_variance_strength"] = ratio(sum(w * s for w, s in weighted), sum(w for w, _ in weighted))
    if inputs.relevance is not None:
        weighted = [(variance[own] * float(inputs.relevance[own]), strong[own]) for own in live]
        found["reads_relevance_strength"] = ratio(sum(w * s for w, s in weighted), sum(w for w, _ in weighted))
    several = [own for own in of.values() if len(own) > 1]
    if inputs.positions is not None:
        typical = mean([apart(inputs, *pair) for pair in combinations(live, 2)])
        within = mean([mean([apart(inputs, *pair) for pair in combinations(own, 2)]) for own in several])
        found["reads_distance"] = within / typical if typical > 0 else math.nan
    if inputs.correlation is not None:
        alike = [mean([abs(inputs.correlation[pair]) for pair in combinations(own, 2)]) for own in several]
        found["reads_correlation"] = mean(alike)

        def covariance(one: list[int], other: list[int]) -> float:
            parts = [inputs.correlation[a, b] * inputs.deviation[a] * inputs.deviation[b] for a in one for b in other]
            return float(sum(parts)) / len(one) / len(other)

        def correlation(one: list[int], other: list[int]) -> float:
            return covariance(one, other) / math.sqrt(covariance(one, one) * covariance(other, other))

        found["reads_correlation_between"] = mean([abs(correlation(*pair)) for pair in pairs])
        squares = [correlation(one, other) ** 2 for one in of.values() for other in of.values()]
        found["reads_dimension"] = ratio(len(of) ** 2, sum(squares))
    return found


def check(wiring: Wiring, inputs: Inputs) -> None:
    names, rows = read_features([wiring], inputs)
    assert rows.shape == (1, len(names))
    expected = slowly(wiring, inputs)
    assert set(names) == set(expected)
    found = dict(zip(names, rows[0].tolist(), strict=True))
    assert found == pytest.approx(expected, rel=1e-5, abs=1e-6, nan_ok=True)


@settings(deadline=None, max_examples=120)
@given(
    wiring=wirings().filter(lambda own: own.inputs),
    seed=st.integers(0, 2**32),
    missing=st.sets(st.sampled_from(["positions", "correlation", "relevance"])),
)
def test_small_wirings_are_described_as_in_plain_python(wiring: Wiring, seed: int, missing: set[str]) -> None:
    check(wiring, make_inputs(wiring.n_inputs, seed, **dict.fromkeys(missing)))


@settings(deadline=None, max_examples=25)
@given(
    n_inputs=st.integers(2, 90),
    n=st.integers(1, 12),
    mode=st.sampled_from(["controlled", "natural", "projected", "published"]),
    reads=st.integers(1, 8),
    seed=st.integers(0, 2**32),
)
def test_attached_graphs_are_described_as_in_plain_python(
    n_inputs: int, n: int, mode: str, reads: int, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    graph = layer(orient(ErdosRenyi(n, p=0.3).sample(rng), "random", rng))
    check(attach(graph, n_inputs, 3, mode, rng, reads=reads, readouts=4, width=3), make_inputs(n_inputs, seed))


@pytest.mark.parametrize("few", [0.0, 1.0])
@pytest.mark.parametrize("sparse", [0.0, 1.0])
def test_all_ways_to_a_result_give_it(few: float, sparse: float, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reads_module, "_FEW", few)
    monkeypatch.setattr(reads_module, "_SPARSE", sparse)
    monkeypatch.setattr(reads_module, "_BLOCK", 60)
    check(local_wiring(0, (28, 9, 3)), make_inputs(28, 1))


def local_wiring(seed: int, sizes: tuple[int, int, int], read_in: str = "random", fan_in: int = 4) -> Wiring:
    n_inputs, n, n_outputs = sizes
    inputs = Inputs(np.ones(n_inputs), np.indices((n_inputs // 4, 4)).reshape(2, -1).T)
    read = np.add(draw_reads(inputs, spread(fan_in * n, n, seed), read_in, 0.7, seed), [0, n_inputs])
    out = [(source + n_inputs, target + n_inputs + n) for source in range(n) for target in range(n_outputs)]
    return Wiring(sizes, np.concatenate([read, out]), inputs=True, outputs=True)


# By hand


def test_a_network_that_is_described_by_hand() -> None:
    wiring = Wiring(
        (4, 2, 1, 2),
        [(0, 4), (1, 4), (1, 5), (2, 5), (3, 5), (3, 6), (2, 7), (4, 6), (5, 6), (6, 7), (6, 8), (4, 7)],
        inputs=True,
        outputs=True,
    )
    correlation = np.eye(4, dtype=np.float32)
    correlation[0, 1] = correlation[1, 0] = -0.5
    correlation[3] = 0
    inputs = Inputs([1, 1, 2, 0], [[0], [1], [3], [4]], correlation, [0.1, 0.2, 0.6, 0])
    names, rows = read_features([wiring], inputs)
    found = dict(zip(names, rows[0].tolist(), strict=True))
    # Neuron 4 reads 0 and 1, neuron 5 reads 1 and 2; input 3 is dead.
    expected = {
        **{"reads_share": 4 / 12, "reads_direct": 1 / 12, "reads_dead": 2 / 6, "reads_depth": 0},
        **{"reads_per_neuron_mean": 2, "reads_per_neuron_std": 0, "reads_per_neuron_max": 2},
        **{"reads_per_input_mean": 4 / 3, "reads_per_input_std": math.sqrt(2) / 3, "reads_per_input_gini": 1 / 6},
        **{"reads_coverage": 1, "reads_overlap": 1 / 3},
        **{"readouts_share": 3 / 12, "readouts_depth": 2 / 3},
        **{"readouts_per_output_mean": 1.5, "readouts_per_output_std": 0.5},
        **{"reads_deviation_mean": 1.25 / (4 / 3), "reads_variance_coverage": 1},
        # The sum of inputs 0 and 1 has variance 1, that of 1 and 2 variance 5; their covariance is 1 - 0.5.
        **{"reads_correlation": 0.25, "reads_correlation_between": 0.5 / math.sqrt(5)},
        **{"reads_dimension": 4 / (2 + 2 * 0.05), "reads_distance": 1.5 / 2},
        **{"reads_relevance_mean": 0.275 / 0.3, "reads_relevance_coverage": 1},
        # Neuron 6 has influence 1/3 + 1, neuron 4 then 4/9 + 1/3, neuron 5 4/9; each output's equal share is 2/3.
        **{"reads_variance_strength": (math.log(1 + 7 / 13) + math.log(1.4 + 7 / 13) + 4 * math.log(1.4)) / 6},
        "reads_relevance_strength": (math.log(1 + 7 / 13) + 2 * math.log(1.4 + 7 / 13) + 24 * math.log(1.4)) / 27,
        **{"reads_strength_0": math.log(1 + 7 / 13), "reads_strength_1": math.log(1.4 + 7 / 13)},
        "reads_strength_2": math.log(1.4),
    }
    assert {name: found[name] for name in expected} == pytest.approx(expected)
    assert set(names) - set(expected) == {"reads_deviation_std", "reads_relevance_std"}


def test_local_reads_are_nearer_than_random_ones() -> None:
    inputs = Inputs(np.ones(64), np.indices((16, 4)).reshape(2, -1).T)
    near, far = local_wiring(0, (64, 40, 3), "local"), local_wiring(0, (64, 40, 3))
    names, rows = read_features([near, far], inputs)
    distance = rows[:, names.index("reads_distance")]
    assert distance[0] < 0.7 < 0.85 < distance[1] < 1.15


def test_means_that_cancel_are_left_out() -> None:
    inputs = Inputs([1, 1, 1], None, [[1, -1, 0], [-1, 1, 0], [0, 0, 1]])
    wiring = Wiring((3, 3, 1), [(0, 3), (1, 3), (2, 4), (0, 5), (3, 6)], inputs=True, outputs=True)
    names, rows = read_features([wiring], inputs)
    found = dict(zip(names, rows[0].tolist(), strict=True))
    assert (found["reads_correlation_between"], found["reads_dimension"]) == (0, 2)


@pytest.mark.parametrize("positions", [None, [[own / 2] for own in range(200)], np.indices((2, 100)).reshape(2, -1).T])
def test_many_inputs_are_divided_into_blocks(positions: Any) -> None:
    inputs = Inputs([0.0, *[1.0] * 199], positions)
    edges = [(own, 200 + own % 3) for own in range(200)] + [(200 + own, 203) for own in range(3)]
    names, rows = read_features([Wiring((200, 3, 1), edges, inputs=True, outputs=True)], inputs)
    own = [value for name, value in zip(names, rows[0].tolist(), strict=True) if name.startswith("reads_strength")]
    # All neurons are alike: each input adds ln(1 + 1/2), but for the first one, which never varies.
    assert sum(own) == pytest.approx(199 * math.log(1.5))
    assert len(own) == (16 if positions is not None and len(positions[0]) == 2 else 64)
    assert max(own) - min(own) <= (2 if len(own) == 64 else 3) * math.log(1.5) + 1e-9


# What is not known


def test_what_is_not_known_of_inputs_is_left_out() -> None:
    bare, full = Inputs([1.0, 2.0]), make_inputs(2, 0)
    assert read_names(full) == tuple(name for name in READ_FEATURES if not re.search(r"strength_([2-9]|\d\d)$", name))
    left_out = {name for name in READ_FEATURES if name not in read_names(bare)}
    unknown = {"read correlation", "read locality", "read relevance", "read strength"}
    assert {READ_FEATURES[name].family for name in left_out} == unknown
    assert left_out == {
        *(f"reads_strength_{number}" for number in range(2, 64)),
        *("reads_correlation", "reads_correlation_between", "reads_dimension"),
        *("reads_distance", "reads_relevance_mean", "reads_relevance_std", "reads_relevance_coverage"),
        "reads_relevance_strength",
    }


def test_where_nothing_is_read_nothing_is_said() -> None:
    names, rows = read_features([Wiring((3, 2, 1), [], inputs=True, outputs=True)], make_inputs(3, 1))
    defined = [name for name, value in zip(names, rows[0].tolist(), strict=True) if not math.isnan(value)]
    assert defined == [
        *("reads_per_input_mean", "reads_per_input_std", "reads_coverage"),
        *("readouts_per_output_mean", "readouts_per_output_std", "reads_variance_coverage"),
        *("reads_variance_strength", "reads_relevance_coverage", "reads_relevance_strength"),
        *("reads_strength_0", "reads_strength_1"),
    ]
    check(Wiring((2, 2, 1), [(0, 2), (1, 3)], inputs=True, outputs=True), Inputs([0.0, 0.0], None, None, [0, 0]))
    assert read_features([], make_inputs(3, 1))[1].shape == (0, len(read_names(make_inputs(3, 1))))


def test_wirings_of_other_inputs_are_refused() -> None:
    inputs = Inputs([1.0, 2.0])
    with pytest.raises(ValueError, match=r"^wirings\[1\]: 3 input units, and <Inputs: 2, .*> needs 2$"):
        read_features([local := Wiring((2, 1), [(0, 2)], inputs=True), Wiring((3, 1), [], inputs=True)], inputs)
    with pytest.raises(ValueError, match=r"^wirings\[0\]: 0 input units"):
        read_features([local.hidden], inputs)


# The catalogue, and predictors


def test_the_catalogue_has_no_name_of_the_other_one() -> None:
    assert not READ_FEATURES.keys() & FEATURES.keys()
    for name, feature in READ_FEATURES.items():
        assert (feature.name, feature.tier, feature.kind) == (name, "reads", "attached")
        assert feature.definition
    assert families_of(("n_edges", "reads_distance", "mine")) == ("size", "read locality", "own")


@pytest.mark.usefixtures("small_forests")
def test_a_predictor_reads_them_as_columns(tmp_path: Path) -> None:
    inputs = make_inputs(28, 3)
    several = [local_wiring(seed, (28, 12, 3), ("local", "random")[seed % 2]) for seed in range(40)]
    names, rows = read_features(several, inputs)
    values = -rows[:, names.index("reads_distance")]
    columns = dict(zip(names, rows.T, strict=True))
    predictor = Predictor(tiers=("size",)).fit(several, values, columns=columns)
    plain = Predictor(tiers=("size",)).fit(several, values)
    assert predictor.worth()["r2"]["predictor"] > 0.5 > plain.worth()["r2"]["predictor"]
    predictor.save(tmp_path / "predictor")
    loaded = Predictor.load(tmp_path / "predictor")
    some = {name: column[:5] for name, column in columns.items()}
    assert loaded.predict(several[:5], columns=some).tolist() == predictor.predict(several[:5], columns=some).tolist()
    assert "read locality" in loaded.explain(several[:1], columns={name: own[:1] for name, own in some.items()})
    with pytest.raises(ValueError, match="this predictor was fitted with readouts_depth"):
        loaded.predict(several[:5])


@pytest.mark.usefixtures("small_forests")
def test_a_predictor_that_knows_the_inputs_describes_what_is_read_itself(tmp_path: Path) -> None:
    inputs, own = make_inputs(28, 3, relevance=None), np.linspace(0, 1, 40)
    several = [local_wiring(seed, (28, 12, 3), ("local", "random")[seed % 2]) for seed in range(40)]
    names, rows = read_features(several, inputs)
    values = -rows[:, names.index("reads_distance")] + 0.01 * own
    predictor = Predictor(tiers=("size",), inputs=inputs).fit(several, values, columns={"own": own})
    assert predictor.fitted_.names[-len(names) - 1 :] == (*names, "own")
    np.testing.assert_array_equal(predictor.fitted_.training.X[:, -len(names) - 1 : -1], rows)
    assert predictor.worth()["r2"]["predictor"] > 0.5
    predictor.save(tmp_path)
    loaded = Predictor.load(tmp_path)
    for name in ("deviation", "positions", "correlation"):
        np.testing.assert_array_equal(getattr(loaded.inputs, name), getattr(inputs, name))
    assert loaded.inputs is not None
    assert loaded.inputs.relevance is None
    some = {"own": own[:5]}
    assert loaded.predict(several[:5], columns=some).tolist() == predictor.predict(several[:5], columns=some).tolist()
    assert {"read locality", "own"} <= loaded.explain(several[:1], columns={"own": own[:1]}).keys()
    with pytest.raises(ValueError, match=r"^wirings\[0\]: 7 input units"):
        loaded.predict([Wiring((7, 2), [(0, 7)], inputs=True)], columns={"own": [0]})
    with pytest.raises(ValueError, match="column 'reads_share': a name needs"):
        predictor.fit(several, values, columns={"reads_share": own})


@pytest.mark.usefixtures("small_forests")
def test_without_what_is_read_it_is_the_predictor_that_never_knew() -> None:
    inputs, own = make_inputs(28, 3), np.arange(24.0) % 5
    several = [local_wiring(seed, (28, 12, 3), ("local", "random")[seed % 2]) for seed in range(24)]
    values = np.linspace(0, 1, 24)
    predictor = Predictor(tiers=("size",), inputs=inputs).fit(several, values, columns={"own": own})
    never = Predictor(tiers=("size",)).fit(several, values, columns={"own": own})
    plain = predictor.without_reads()
    assert plain.inputs is None
    assert plain.fitted_.names == never.fitted_.names
    assert np.array_equal(plain.predict(several, columns={"own": own}), never.predict(several, columns={"own": own}))
    assert never.without_reads() is never
    assert predictor.inputs is inputs


@pytest.mark.usefixtures("small_forests")
def test_bare_graphs_are_described_by_what_each_preparation_reads() -> None:
    preparation = Preparation(attachment=("controlled",), n_inputs=28, n_outputs=3, reads=4, draws=3)
    rng, inputs = np.random.default_rng(0), make_inputs(28, 3)
    graphs = [layer(orient(ErdosRenyi(9, p=0.4).sample(rng), "random", rng)) for _ in range(30)]
    several = [attach(graph, 28, 3, "controlled", seed, reads=4) for seed, graph in enumerate(graphs)]
    names, rows = read_features(several, inputs)
    own = Predictor(tiers=("size",), preparation=preparation, inputs=inputs)
    own.fit(several, rows[:, names.index("reads_deviation_mean")])
    draws = preparation.wirings(graphs[0])
    assert len({own.predict([draw])[0] for draw in draws}) > 1
    assert own.predict([graphs[0]])[0] == pytest.approx(own.predict(draws).mean())


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("reading")
    several = [local_wiring(seed, (28, 12, 3)) for seed in range(10)]
    inputs = make_inputs(28, 3, positions=None)
    Predictor(tiers=("size",), inputs=inputs).fit(several, np.arange(10.0)).save(folder)
    return folder


HOSTILE_DOCUMENTS = {
    "reads the feature 'reads_mind', which this version of wirenas does not": lambda d: d["reads"].append("reads_mind"),
    "reads the feature 'reads_distance', which what is known": lambda d: d["reads"].append("reads_distance"),
    "column 'reads_share' is there 2 times": lambda d: d["own_columns"].append("reads_share"),
    "reads: Extra inputs are not permitted": lambda d: d.update(version=2),
    "it must be 'f' of shape (10, 59)": lambda d: d["reads"].pop(),
}

HOSTILE_ARRAYS = {
    "array 'inputs.deviation' is missing": lambda a: a.pop("inputs.deviation"),
    "array 'inputs.correlation' is float32 (2, 2)": lambda a: a.update({"inputs.correlation": np.eye(2, dtype="f4")}),
    "array 'inputs.relevance' holds numbers that are not finite": lambda a: a["inputs.relevance"].fill(np.nan),
    "deviation: a number is -1": lambda a: a["inputs.deviation"].fill(-1),
    "correlation of an input that never varies is not 0": lambda a: a["inputs.correlation"].fill(1),
    "which what is known of its inputs does not tell": lambda a: a.pop("inputs.relevance"),
}


@pytest.mark.parametrize("message", [*HOSTILE_DOCUMENTS, *HOSTILE_ARRAYS])
def test_hostile_files_are_refused(saved: Path, tmp_path: Path, message: str) -> None:
    (path,) = saved.glob("arrays-*.safetensors")
    arrays = dict(from_bytes(path.read_bytes()))
    document = json.loads((saved / FILE).read_text())
    assert document.pop("version") == 3
    document = {"version": 3, **document}
    del document["sha256"]
    HOSTILE_ARRAYS.get(message, lambda _: None)(arrays)
    HOSTILE_DOCUMENTS.get(message, lambda _: None)(document)
    content = to_bytes(arrays)
    document["arrays"] = f"arrays-{hashlib.sha256(content).hexdigest()}.safetensors"
    (tmp_path / document["arrays"]).write_bytes(content)
    (tmp_path / FILE).write_bytes(signed(document))
    with pytest.raises(ValueError, match=r"[^\n]+") as caught:
        Predictor.load(tmp_path)
    assert str(caught.value).startswith(f"{tmp_path}: ")
    assert message in str(caught.value)


def test_many_wirings_are_described_in_seconds() -> None:
    rng = np.random.default_rng(0)
    correlation = np.corrcoef(rng.normal(size=(784, 900)))
    inputs = Inputs(rng.uniform(0.1, 1, 784), np.indices((28, 28)).reshape(2, -1).T, correlation, rng.random(784))
    several = [local_wiring(seed, (784, 100, 10), "local", fan_in=20) for seed in range(20)]
    assert several[0].n_edges == 3000
    read_features(several[:1], inputs)
    begun = time.process_time()
    read_features(several, inputs)
    assert time.process_time() - begun < 1.0  # about 0.1
