"""The contract of the structural sampler, on objectives that are functions of the wiring: nothing is trained here."""

import math
import os
import pickle
import subprocess
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import optuna
import pytest
from optuna.testing.pytest_samplers import BasicSamplerTestCase, MultiObjectiveSamplerTestCase
from optuna.trial import TrialState

from nas.errors import InputError
from nas.networks import NetworkSpec
from nas.samplers import StructuralSampler
from nas.samplers import candidates as candidates_module
from nas.samplers import rounds as rounds_module
from nas.samplers.acquisition import hypervolume
from nas.samplers.candidates import Source
from nas.samplers.history import History
from nas.samplers.rounds import Learner
from nas.search.draws import Uniform
from nas.search.space import Space
from predictors import Predictor, names_of
from priors import ErdosRenyi, GraphPool, WattsStrogatz, attach, layer, orient

ROOT = Path(__file__).resolve().parents[2]
UNITS = (4, 2)
SMALL = {"nodes": (8, 24), "degree": (2.0, 5.0), "attachment": "natural"}


@pytest.fixture(autouse=True)
def quiet():
    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    yield
    optuna.logging.set_verbosity(before)


def sampler_of(space, **options):
    return StructuralSampler(space, *UNITS, **{"seed": 3, "pool": 32, "startup": 6, **options})


def size_of(wiring):
    return NetworkSpec("mlp").n_parameters(wiring)["total"]


def luck(wiring, scale=0.03):
    """A number between 0 and `scale` that structure does not tell."""
    return scale * int(wiring.fingerprint[:8], 16) / 2**32


def sources(wiring):
    """The share of hidden neurons without an edge from other hidden ones, and a little luck."""
    return float(np.mean(wiring.hidden.in_degree == 0)) + luck(wiring)


def asked(space, trial, replicates=1):
    wiring = space.wiring(space.suggest_all(trial), *UNITS)
    if replicates > 1:
        trial.suggest_int("replicate", 0, replicates - 1)
    return wiring


def searched(space, n_trials, value=sources, *, study=None, directions=("maximize",), **options):
    """Run a search; return its study and sampler, and the wirings by the number of their trial."""
    sampler, wirings = sampler_of(space, **options), {}
    study = study or optuna.create_study(directions=directions)
    study.sampler = sampler

    def objective(trial):
        wirings[trial.number] = asked(space, trial, sampler.replicates)
        return value(wirings[trial.number])

    study.optimize(objective, n_trials=n_trials, catch=(ArithmeticError,))
    return study, sampler, wirings


def params_of(study):
    return [trial.params for trial in study.get_trials(deepcopy=False)]


def copied(study, n_trials=None):
    """A study with the same trials and nothing else, such as what was written down of it."""
    copy = optuna.create_study(directions=study.directions)
    copy.add_trials(study.get_trials()[:n_trials])
    return copy


def pairs(study, wirings):
    return Counter(
        (wirings[trial.number].fingerprint, trial.params.get("replicate", 0)) for trial in study.get_trials()
    )


def is_one_line(error):
    return "\n" not in str(error.value)


# The same again


def test_the_same_seed_proposes_the_same_and_another_one_does_not():
    space = Space(**SMALL)
    one, other = (searched(space, 20) for _ in range(2))
    assert params_of(one[0]) == params_of(other[0])
    assert one[1].proposals == other[1].proposals
    different, _, _ = searched(space, 8, seed=4)
    assert all(a != b for a, b in zip(params_of(one[0]), params_of(different), strict=False))


def test_the_same_is_proposed_whatever_the_seed_of_hashes():
    script = f"""
import sys; sys.path[:0] = [{str(Path(__file__).parent)!r}, {str(ROOT)!r}]
from test_structural_sampler import SMALL, Space, params_of, searched
study, sampler, _ = searched(Space(**SMALL), 12)
print(params_of(study), list(sampler.proposals.values()))
"""
    found = set()
    for seed in ("1", "2"):
        environment = {**os.environ, "PYTHONHASHSEED": seed}
        found.add(
            subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, check=True).stdout
        )
    assert len(found) == 1


@pytest.mark.parametrize("stop", [3, 6, 13, 24])
@pytest.mark.parametrize("refit", [1, 4])
def test_a_resumed_study_goes_on_like_one_that_was_never_stopped(refit, stop):
    space = Space(**SMALL)

    def value(wiring):
        if luck(wiring) > 0.025:
            raise ArithmeticError
        return sources(wiring)

    whole, sampler, _ = searched(space, 30, value, refit=refit, replicates=2)
    resumed, again, _ = searched(space, 30 - stop, value, study=copied(whole, stop), refit=refit, replicates=2)
    assert params_of(resumed) == params_of(whole)
    assert {number: sampler.proposals[number] for number in again.proposals} == again.proposals
    assert TrialState.FAIL in {trial.state for trial in whole.get_trials()}


@pytest.mark.parametrize("refit", [1, 3])
@pytest.mark.parametrize("noisy", [False, True])
def test_a_proposal_follows_from_the_trials_alone_in_whatever_order_they_end(refit, noisy):
    """Parallel trials end out of order; a new object that is given the same trials proposes the same."""
    space, rng = Space(**SMALL), np.random.default_rng(5)
    options = {"refit": refit, "startup": 4, "pool": 16}
    study = optuna.create_study(direction="maximize", sampler=sampler_of(space, **options))
    running, origins = [], Counter()
    for number in range(48 if noisy else 24):
        if number % 4 == 3 or number > 36:
            copy = copied(study)
            copy.sampler = sampler_of(space, **options)
            expected = copy.ask()
            asked(space, expected)
        else:
            expected = None
        trial = study.ask()
        wiring = asked(space, trial)
        assert expected is None or trial.params == expected.params
        origins[study.sampler.proposals[number].origin] += 1
        running.append((trial, luck(wiring) if noisy else sources(wiring)))
        while len(running) > 4:
            ended, value = running.pop(int(rng.random() * len(running)))
            if number % 7 == 0:
                study.tell(ended, state=TrialState.FAIL)
            else:
                study.tell(ended, value)
    assert origins["fallback"] >= 3 if noisy else origins["neighbour"] >= 5


def test_what_is_no_part_of_a_wiring_goes_on_too():
    space = Space(**SMALL)

    def run(study, n_trials):
        def objective(trial):
            return sources(asked(space, trial)) + trial.suggest_float("rate", 0, 1) * trial.suggest_int("depth", 1, 9)

        study.sampler = sampler_of(space)
        study.optimize(objective, n_trials=n_trials)
        return study

    whole = run(optuna.create_study(direction="maximize"), 16)
    assert params_of(run(copied(whole, 9), 7)) == params_of(whole)
    assert len({trial.params["rate"] for trial in whole.get_trials()}) == 16


def test_parameters_that_were_fixed_beforehand_are_those_that_count():
    space = Space(**SMALL)
    best = {**space.suggest(Uniform(np.random.default_rng(0))), **space.seeds(np.random.default_rng(0))}
    study = optuna.create_study(direction="maximize")
    study.enqueue_trial({**best, "n_moves": 0, "move_seed": 0})
    study.enqueue_trial({"n": 11, "n_moves": 2})
    whole, sampler, wirings = searched(space, 24, study=study)
    assert wirings[0] == space.wiring(best, *UNITS)
    assert whole.get_trials()[1].params["n"] == 11
    resumed, again, _ = searched(space, 12, study=copied(whole, 12))
    assert params_of(resumed) == params_of(whole)
    assert again.proposals.items() <= sampler.proposals.items()


def test_a_sampler_serves_several_studies_and_can_be_pickled():
    space = Space(**SMALL)
    study, sampler, _ = searched(space, 14)
    other = optuna.create_study(direction="minimize", sampler=sampler)
    other.optimize(lambda trial: sources(asked(space, trial)), n_trials=14)
    assert params_of(other) == params_of(searched(space, 14, directions=("minimize",))[0])
    study.sampler = pickle.loads(pickle.dumps(sampler))
    twin = copied(study)
    twin.sampler = sampler_of(space)
    for each in (study, twin):
        each.optimize(lambda trial: sources(asked(space, trial)), n_trials=3)
    assert params_of(study) == params_of(twin)


def test_less_of_the_opposite_is_more():
    space = Space(**SMALL)
    most, up, _ = searched(space, 24)
    least, down, _ = searched(space, 24, lambda wiring: -sources(wiring), directions=("minimize",))
    assert params_of(most) == params_of(least)
    for number, proposal in up.proposals.items():
        other = down.proposals[number]
        assert (proposal.origin, proposal.tau) == (other.origin, other.tau)
        if proposal.forecast is not None:
            ahead = (proposal.forecast.value, proposal.forecast.low, proposal.forecast.high)
            assert ahead == (-other.forecast.value, -other.forecast.high, -other.forecast.low)


# Nothing twice


@pytest.mark.parametrize("replicates", [1, 3])
def test_no_training_is_proposed_twice(replicates):
    study, sampler, wirings = searched(Space(**SMALL), 200, refit=4, pool=16, replicates=replicates)
    assert max(pairs(study, wirings).values()) == 1
    times = Counter(wiring.fingerprint for wiring in wirings.values())
    assert max(times.values()) == replicates
    origins = Counter(proposal.origin for proposal in sampler.proposals.values())
    assert origins["replicate"] == (0 if replicates == 1 else sum(count - 1 for count in times.values()))
    assert {number % 10 for number, own in sampler.proposals.items() if own.origin == "replicate"} <= {9}
    assert 8 <= origins["random"] <= 32
    # Until there are 5 examples nothing is expected, and here they are counted by fours.
    assert origins["start-up"] == 8
    assert {"prior", "neighbour", "tpe"} <= set(origins)


def test_replicates_that_nobody_asks_for_end_all_the_same():
    space = Space(**SMALL)
    study = optuna.create_study(direction="maximize", sampler=sampler_of(space, replicates=2))
    wirings = []

    def objective(trial):
        wirings.append(asked(space, trial).fingerprint)
        return 1.0 if len(wirings) == 3 else luck(asked(space, trial))

    study.optimize(objective, n_trials=50)
    assert max(Counter(wirings).values()) <= 2


def test_parallel_proposals_differ(monkeypatch):
    space = Space(**SMALL)
    study, sampler, wirings = searched(space, 14)
    gains, pinned = rounds_module.Round.gains, []

    def noting_gains(self, among, unknown, *arguments, **options):
        pinned.append([own.fingerprint for own in unknown])
        return gains(self, among, unknown, *arguments, **options)

    monkeypatch.setattr(rounds_module.Round, "gains", noting_gains)
    trials = [study.ask() for _ in range(8)]
    together = [asked(space, trial).fingerprint for trial in trials]
    assert len({*together, *(wiring.fingerprint for wiring in wirings.values())}) == 22
    # Every proposal takes those before it to become what is expected; not all need expectations.
    assert len(pinned) >= 4
    assert all(unknown == together[: len(unknown)] for unknown in pinned)
    assert max(map(len, pinned)) >= 5
    for trial in trials:
        study.tell(trial, 0.1)
    assert all(number in sampler.proposals for number in range(22))


def test_two_processes_that_choose_at_once_choose_different_wirings():
    space = Space(**SMALL)
    study, _, _ = searched(space, 24)
    study.add_trials([optuna.create_trial(state=TrialState.RUNNING)] * 2)
    chosen, origins = set(), Counter()
    for frozen in study.get_trials()[-2:]:
        # Each sees that the other one's trial runs, and not yet of which wiring.
        copy = copied(study)
        copy.sampler = sampler_of(space, epsilon=0.0)
        trial = optuna.Trial(copy, copy.get_trials(deepcopy=False)[frozen.number]._trial_id)
        chosen.add(asked(space, trial).fingerprint)
        origins[copy.sampler.proposals[frozen.number].origin] += 1
    assert len(chosen) == 2
    assert set(origins) <= {"prior", "neighbour", "tpe"}


def test_two_threads_share_a_sampler():
    space = Space(**SMALL)
    study = optuna.create_study(direction="maximize", sampler=sampler_of(space, replicates=2))
    study.optimize(lambda trial: sources(asked(space, trial, 2)), n_trials=40, n_jobs=2)
    trials = study.get_trials()
    assert all(trial.state == TrialState.COMPLETE for trial in trials)
    wirings = {trial.number: space.wiring(trial.params, *UNITS) for trial in trials}
    assert max(pairs(study, wirings).values()) == 1


def test_what_runs_is_taken_to_become_what_is_expected():
    space = Space(**SMALL)
    source = Source(space, UNITS, size_of, seed=3)
    trials = searched(space, 12)[0].get_trials()
    now = Learner(source, ["maximize"], 3).round(trials, History(source, "maximize").examples(trials), 32)
    everything = np.arange(len(now.candidates))
    alone = now.gains(everything, [], 1.0, by_size=False)
    first = int(alone.argmax())
    beside = now.gains(everything, [now.candidates.tried(first)], 1.0, by_size=False)
    assert (beside <= alone + 1e-9).all()
    assert beside[first] < alone[first]
    np.testing.assert_array_equal(now.gains(everything[3:7], [], 1.0, by_size=False), alone[3:7])


# Parameters


@pytest.mark.parametrize("structure", ["dag", "recurrent", "stack"])
def test_parameters_are_asked_for_where_they_act_and_lie_within_the_space(structure):
    space = Space(
        nodes=(8, 20),
        degree=(2.0, 5.0),
        p=(0.1, 0.9),
        initial=("isolated", "star", "complete"),
        structure=structure,
        orientation=("random", "index", "degree"),
        attachment=("controlled", "natural", "projected", "published"),
        edits=6,
    )
    study, sampler, wirings = searched(space, 40, pool=24)
    distributions = space.distributions()
    for trial in study.get_trials():
        params = trial.params
        assert ("p" in params) == (params["family"] == "watts-strogatz")
        assert ("initial" in params) == (params["family"] == "barabasi-albert")
        assert ("orientation" in params) == ("order_seed" in params) == (structure != "recurrent")
        assert trial.distributions == {name: distributions[name] for name in params}
        assert params["n_moves"] <= 6
        assert space.wiring(params, *UNITS) == wirings[trial.number]
    origins = {own.origin for own in sampler.proposals.values()}
    assert "neighbour" in origins
    found = [trial.params for trial in study.get_trials()]
    assert {params["family"] for params in found} == set(space.priors)
    assert len({params["attachment"] for params in found}) >= 3
    assert any(params["n_moves"] for params in found)


def test_start_up_is_even_over_families_and_sizes():
    space = Space(nodes=(8, 60), degree=(2.0, 5.0))
    study, sampler, wirings = searched(space, 18, startup=18)
    assert {own.origin for own in sampler.proposals.values()} == {"start-up"}
    counts = Counter(trial.params["family"] for trial in study.get_trials())
    assert min(counts.values()) >= 5
    for family in counts:
        sizes = [size_of(wirings[t.number]) for t in study.get_trials() if t.params["family"] == family]
        assert max(sizes) > 2 * min(sizes)


@pytest.mark.parametrize("attachment", ["natural", "projected"])
def test_edits_leave_as_many_neurons_as_the_space_has(attachment):
    space = Space(structure="dag", nodes=(10, 12), degree=(2, 4), attachment=attachment, width=4)
    study, _, wirings = searched(space, 40, pool=64, startup=5)
    edited = [trial.number for trial in study.get_trials() if trial.params["n_moves"]]
    neurons = {wirings[number].n_hidden - (4 if attachment == "projected" else 0) for number in edited}
    assert len(edited) > 5
    assert neurons <= {10, 11, 12}


@pytest.mark.parametrize("limit", ["max_parameters", "max_edges"])
@pytest.mark.parametrize("share", [0.2, 0.004])
def test_limits_are_kept_however_few_keep_to_them(limit, share):
    space, rng = Space(**SMALL), np.random.default_rng(0)
    of = size_of if limit == "max_parameters" else (lambda wiring: wiring.hidden.n_edges)
    drawn = [of(space.wiring({**space.suggest(Uniform(rng)), **space.seeds(rng)}, *UNITS)) for _ in range(1000)]
    most = int(np.quantile(drawn, share))
    small = space.model_copy(update={limit: most})
    _, _, wirings = searched(small, 12, epsilon=0.4, pool=8, startup=4)
    assert max(map(of, wirings.values())) <= most
    assert len({wiring.fingerprint for wiring in wirings.values()}) == 12


@pytest.mark.parametrize("limits", [{"max_parameters": 3}, {"max_edges": 1}, {"max_parameters": 3, "max_edges": 1}])
def test_impossible_limits_are_refused_by_one_line(limits):
    pool = GraphPool(attached_wirings(3))
    for space in (Space(**SMALL, **limits), Space(graphs=pool, **limits)):
        with pytest.raises(InputError, match=r"space\.max_") as caught:
            searched(space, 1)
        assert is_one_line(caught)


# Own graphs


def attached_wirings(n):
    return [
        attach(
            layer(orient(WattsStrogatz(8 + index % 7, 4, 0.5).sample(index), "random", index)), *UNITS, "natural", index
        )
        for index in range(n)
    ]


@pytest.mark.parametrize("replicates", [1, 2])
def test_every_graph_of_a_finite_pool_is_proposed_once_before_any_is_again(replicates):
    space = Space(graphs=GraphPool(attached_wirings(25)))
    study, _, wirings = searched(space, 25 * replicates, replicates=replicates)
    assert max(pairs(study, wirings).values()) == 1
    assert len({wiring.fingerprint for wiring in wirings.values()}) == 25
    # There is nothing left; the study can go on all the same.
    searched(space, 5, study=study, replicates=replicates)
    assert len(study.get_trials()) == 25 * replicates + 5
    good = [wirings[number] for number in range(6, 14)]
    assert np.mean(list(map(sources, good))) > np.mean(list(map(sources, wirings.values())))


def test_a_pool_of_one_graph_and_of_equal_graphs():
    for graphs in (attached_wirings(1), attached_wirings(1) * 4, [ErdosRenyi(5, edges=4).sample(0)]):
        study, _, _ = searched(Space(graphs=GraphPool(graphs), edits=0, structure="recurrent"), 8)
        assert all(trial.state == TrialState.COMPLETE for trial in study.get_trials())


@pytest.mark.parametrize("structure", ["dag", "recurrent"])
def test_bare_graphs_are_edited_and_attached(structure):
    pool = GraphPool([ErdosRenyi(9 + index, edges=2 * (9 + index)).sample(index) for index in range(12)])
    space = Space(graphs=pool, structure=structure, attachment="natural", edits=4)
    study, _, wirings = searched(space, 40, pool=24)
    assert max(pairs(study, wirings).values()) == 1
    assert any(trial.params["n_moves"] for trial in study.get_trials())
    assert all(trial.params.keys() <= space.distributions().keys() for trial in study.get_trials())
    tiers = ("size", "structure") if structure == "dag" else ("size", "structure", "recurrent")
    assert Source(space, UNITS, size_of, 0).described_by.names == names_of(tiers)


# Whatever else a study holds


def test_failed_stopped_running_and_foreign_trials():
    space = Space(**SMALL)
    study = optuna.create_study(direction="maximize")
    rng = np.random.default_rng(1)
    distributions = space.distributions()

    def add(value=None, state=TrialState.COMPLETE, change=(), left_out=()):
        params = {**space.suggest(Uniform(rng)), **space.seeds(rng), "n_moves": 0, "move_seed": 0, **dict(change)}
        params = {name: own for name, own in params.items() if name not in left_out}
        wide = {**distributions, "n": optuna.distributions.IntDistribution(4, 9999)}
        wide["lr"] = optuna.distributions.FloatDistribution(0, 1)
        used = {name: wide[name] for name in params}
        study.add_trial(optuna.create_trial(value=value, state=state, params=params, distributions=used))
        return space.wiring(params, *UNITS).fingerprint if not left_out else None

    taken = set()
    for index in range(8):
        taken |= {add(0.1 * index), add(state=TrialState.FAIL), add(0.3, TrialState.PRUNED)}
        taken.add(add(0.2, change={"lr": 0.5}))
    add(9.0, change={"n": 5000})
    add(math.inf)
    taken.add(add(state=TrialState.RUNNING))
    add(9.0, left_out=("graph_seed",))
    add(9.0, left_out=tuple(distributions))
    study.ask()
    study.add_trial(optuna.create_trial(value=9.0, params={}, distributions={}))
    searched_study, sampler, wirings = searched(space, 40, luck, study=study)
    assert not taken & {wiring.fingerprint for wiring in wirings.values()}
    assert max(trial.params["n"] for trial in searched_study.get_trials()[-40:]) <= 24
    assert {"fallback", "random"} <= {own.origin for own in sampler.proposals.values()}
    assert sampler.proposals[study.get_trials()[-40].number].origin != "start-up"


@pytest.mark.parametrize("values", [[0.5], [math.inf], [-math.inf, math.inf], [0.5, 0.5, 0.5, 0.6]])
def test_values_that_teach_nothing_or_next_to_nothing(values):
    study, sampler, wirings = searched(Space(**SMALL), 25, lambda wiring: values[len(wiring.edges) % len(values)])
    assert max(pairs(study, wirings).values()) == 1
    if len(set(values)) == 1:
        assert {own.origin for own in sampler.proposals.values()} == {"start-up"}
        assert all(own.forecast is None for own in sampler.proposals.values())


def test_one_example_or_none_is_no_reason_to_stop():
    for n_good in (0, 1, 4):
        made = []

        def value(wiring, made=made, n_good=n_good):
            made.append(wiring)
            if len(made) > n_good:
                raise ArithmeticError
            return sources(wiring)

        study, _, wirings = searched(Space(**SMALL), 12, value, startup=2)
        assert len(pairs(study, wirings)) == 12


def test_work_does_not_grow_with_the_study(monkeypatch):
    space = Space(**SMALL)
    study, rng, distributions = (
        optuna.create_study(direction="maximize"),
        np.random.default_rng(0),
        space.distributions(),
    )
    for _ in range(2000):
        params = {**space.suggest(Uniform(rng)), **space.seeds(rng), "n_moves": 0, "move_seed": 0}
        used = {name: distributions[name] for name in params}
        value = sources(space.wiring(params, *UNITS))
        study.add_trial(optuna.create_trial(value=value, params=params, distributions=used))
    work = Counter()
    fit, describe = rounds_module.fit_surrogate, candidates_module.describe

    def counting_fit(X, *arguments):
        work["fits"] += 1
        found = fit(X, *arguments)
        work["rows"] = max(work["rows"], len(found.rows))
        return found

    def counting_describe(wirings, tiers):
        work["described"] += len(wirings)
        return describe(wirings, tiers)

    monkeypatch.setattr(rounds_module, "fit_surrogate", counting_fit)
    monkeypatch.setattr(candidates_module, "describe", counting_describe)
    study, _, _ = searched(space, 2, study=study)
    assert work["rows"] == 400
    work.clear()
    study.optimize(lambda trial: sources(asked(space, trial)), n_trials=20)
    # Longer studies have longer rounds, and no wiring of the history is described again.
    assert work["fits"] <= 2
    assert work["described"] <= 32 * work["fits"] + 20 * 4
    assert len(study.get_trials()) == 2022


# What it is for


def test_proposals_become_better_than_draws():
    gained, found = [], Counter()
    for seed in range(2):
        _, sampler, wirings = searched(Space(**SMALL), 40, seed=seed)
        chosen = [n for n, own in sampler.proposals.items() if own.origin in ("prior", "neighbour", "tpe")]
        population = Source(Space(**SMALL), UNITS, size_of, seed + 100).population
        drawn = np.array([sources(wiring) for wiring in population.wirings])
        gained.append(np.mean([sources(wirings[number]) for number in chosen[10:]]) - np.quantile(drawn, 0.9))
        found["better"] += max(map(sources, wirings.values())) > drawn.max()
    assert min(gained) > 0
    assert found["better"] >= 1


def test_forecasts_are_made_before_and_hold_what_comes_out():
    inside, errors, spread = [], [], []
    for seed in range(2):
        study, sampler, _ = searched(Space(**SMALL), 90, epsilon=0.6, seed=seed, refit=4, pool=16)
        for trial in study.get_trials():
            proposal = sampler.proposals[trial.number]
            forecast = proposal.forecast
            if trial.number < 8:
                assert forecast is None
                assert proposal.tau is None
                continue
            assert forecast.low <= forecast.value <= forecast.high
            assert forecast.std == pytest.approx((forecast.high - forecast.low) / (2 * 1.6449))
            assert -1 <= proposal.tau <= 1
            if proposal.origin == "random":
                inside.append(forecast.low <= trial.value <= forecast.high)
                errors.append(trial.value - forecast.value)
                spread.append(trial.value)
    assert len(inside) > 70
    assert 0.8 <= np.mean(inside) <= 1.0
    assert np.mean(np.square(errors)) < 0.6 * np.var(spread)


def trade_off(wiring):
    """More edges are better, ever more slowly, and so are sources."""
    return 1 - math.exp(-size_of(wiring) / 80) + sources(wiring)


def test_fronts_are_larger_than_those_of_draws():
    space, areas = Space(**SMALL), []
    for seed in range(2):
        found = {}
        for name in ("structural", "random"):
            study = optuna.create_study(directions=("maximize", "minimize"))
            study.sampler = (
                sampler_of(space, seed=seed) if name == "structural" else optuna.samplers.RandomSampler(seed=seed)
            )

            def objective(trial):
                wiring = asked(space, trial)
                return trade_off(wiring), size_of(wiring)

            study.optimize(objective, n_trials=40)
            values, sizes = np.array([trial.values for trial in study.get_trials()]).T
            found[name] = hypervolume(values, sizes, (0.3, 200.0))
        areas.append(found["structural"] / found["random"])
    assert min(areas) > 1.1


def test_pareto_studies_resume_and_never_repeat():
    space = Space(**SMALL)

    def both(wiring):
        return trade_off(wiring), float(size_of(wiring))

    whole, _, wirings = searched(space, 20, both, directions=("maximize", "minimize"))
    resumed, _, _ = searched(space, 6, both, study=copied(whole, 14))
    assert params_of(resumed) == params_of(whole)
    assert max(pairs(whole, wirings).values()) == 1
    down, _, _ = searched(space, 12, lambda w: (-both(w)[0], both(w)[1]), directions=("minimize", "minimize"))
    assert params_of(down) == params_of(whole)[:12]


@pytest.fixture(scope="module")
def fitted():
    """A predictor of what a survey of such wirings would have found."""
    source = Source(Space(**SMALL), UNITS, size_of, seed=77)
    wirings = source.population.wirings[:40]
    return Predictor().fit(wirings, [sources(wiring) for wiring in wirings])


def test_with_a_predictor_the_first_proposals_are_good(fitted):
    space = Space(**SMALL)
    population = [sources(wiring) for wiring in Source(space, UNITS, size_of, 5).population.wirings]
    study, sampler, wirings = searched(space, 14, warm_start=fitted, startup=10)
    first = [sources(wirings[number]) for number in range(6) if sampler.proposals[number].origin != "random"]
    assert np.mean(first) > np.quantile(population, 0.85)
    assert {sampler.proposals[number].origin for number in range(4)} <= {"prior", "random"}
    resumed, _, _ = searched(space, 9, study=copied(study, 5), warm_start=fitted, startup=10)
    assert params_of(resumed) == params_of(study)
    assert max(pairs(study, wirings).values()) == 1


def test_a_predictor_of_a_loss_is_turned_round(fitted):
    wirings = Source(Space(**SMALL), UNITS, size_of, seed=77).population.wirings[:40]
    opposite = Predictor(direction="minimize").fit(wirings, [-sources(wiring) for wiring in wirings])
    one, _, _ = searched(Space(**SMALL), 4, warm_start=fitted)
    other, _, _ = searched(Space(**SMALL), 4, warm_start=opposite)
    assert params_of(one) == params_of(other)


def test_a_predictor_of_other_features_is_refused_by_one_line(fitted):
    with pytest.raises(InputError, match="reads other features") as caught:
        searched(Space(**{**SMALL, "structure": "recurrent"}), 1, warm_start=fitted)
    assert is_one_line(caught)


# Optuna's own cases


class TestAsOptunaExpects(BasicSamplerTestCase, MultiObjectiveSamplerTestCase):
    @pytest.fixture
    def sampler(self):
        return lambda: StructuralSampler(Space(nodes=8, degree=2.0, edits=2), seed=0, startup=2, pool=8)
