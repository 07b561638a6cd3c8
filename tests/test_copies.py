"""A copy of whatever compiled code works on plays alike and alone; what cannot be copied says so in one line."""

import copy
import gc
import pickle
import sys

import gymnasium
import numpy as np
import pytest

from scml_gym.agents.dnb.recording import Records
from scml_gym.bilateral.envs.config import BilateralConfig
from scml_gym.bilateral.envs.vector.acceptance_rows import AcceptanceRow, AcceptanceRows
from scml_gym.bilateral.worlds.negmas_world import NegmasWorld
from scml_gym.bilateral.worlds.table_world import TableWorld
from scml_gym.oneshot.policy_files import network_strategy
from scml_gym.oneshot.strategies import STRATEGIES
from scml_gym.oneshot.strategies.base import StrategyPolicy
from scml_gym.oneshot.worlds.compiled.generation import compiled_spec
from scml_gym.oneshot.worlds.compiled.world import CompiledWorld
from scml_gym.oneshot.worlds.reference import ReferenceWorld
from scml_gym.standard.strategies import STRATEGIES as STANDARD_STRATEGIES
from scml_gym.standard.worlds.compiled.generation import compiled_spec as standard_spec
from scml_gym.standard.worlds.reference import ReferenceWorld as StandardReferenceWorld
from scml_gym.vector.workers import Workers
from tests.helpers.scripts import in_forked_process

pytestmark = pytest.mark.usefixtures("own_garbage")

WAYS = {
    "copy": copy.copy,
    "deepcopy": copy.deepcopy,
    "pickle": lambda thing: pickle.loads(pickle.dumps(thing)),
}

BATCHES = {
    "OneShotConcurrent": {"days": 3, "opponents": ["best-subset", "adaptive-price", "random"]},
    "OneShotConcurrent by day": {"days": 3, "episode": "day", "observation": "dict", "history": 2, "timing": "moves"}
    | {"action": "planner", "observability": "full", "reward": "shaped-profit"},
    "OneShotBilateral": {"days": 3, "others": "greedy"},
    "StandardConcurrent": {"days": 3, "factories_per_level": (1, 4), "stock": "physical"},
    "StandardDaily": {"days": 3, "factories_per_level": (1, 4)},
    "BilateralAcceptance": {"rounds": 20, "scenario": "random"},
    "Bilateral": {"rounds": 20, "opponent": "Gahboninho", "action": "target", "history": 1},
}
"""In forms that other tests compile too."""

parametrize_ways = pytest.mark.parametrize("way", WAYS.values(), ids=WAYS.keys())


def make_batch(name, threads=1):
    mode = {"autoreset_mode": "SameStep", "threads": threads}
    return gymnasium.make_vec(f"scml_gym/{name.split()[0]}-v0", num_envs=4, **mode, **BATCHES[name])


def actions_of(envs, rng):
    """Random valid answers of all rows."""
    rows = [row if isinstance(row, tuple) else (row,) for row in envs.sample_mask()]
    chosen = [[rng.choice(np.flatnonzero(part)) for part in row] for row in rows]
    return np.array(chosen).reshape(envs.action_space.shape)


def play(envs, steps, seed):
    rng, trace = np.random.default_rng(seed), []
    for _ in range(steps):
        observations, rewards, terminations, _, _ = envs.step(actions_of(envs, rng))
        parts = observations.values() if isinstance(observations, dict) else [observations]
        trace.append(np.concatenate([np.ravel(part) for part in [*parts, rewards, terminations, envs.action_masks()]]))
    return np.array(trace)


@pytest.mark.slow
@parametrize_ways
@pytest.mark.parametrize("name", BATCHES)
def test_a_copied_batch_goes_on_as_the_original_by_itself(name, way):
    envs, expected = make_batch(name), make_batch(name)
    for both in (envs, expected):
        both.reset(seed=3)
        play(both, 7, seed=1)
    clone = way(envs)
    play(envs, 11, seed=2)  # changes nothing in the copy
    first = play(clone, 40, seed=3)
    assert np.array_equal(first, play(expected, 40, seed=3))
    assert np.array_equal(play(way(clone), 40, seed=4), play(expected, 40, seed=4))


@pytest.mark.slow
@pytest.mark.parametrize("name", BATCHES)
def test_a_copied_batch_outlives_the_original(name):
    envs, expected = make_batch(name, threads=2), make_batch(name)
    for both in (envs, expected):
        both.reset(seed=3)
        play(both, 7, seed=1)
    clone = copy.deepcopy(envs)
    envs.close()
    del envs
    gc.collect()
    rubbish = [np.full(size, 7) for size in range(1, 2000)]
    assert np.array_equal(play(clone, 60, seed=3), play(expected, 60, seed=3))
    clone.close()
    clone.close()
    del rubbish


def test_a_copy_keeps_opponents_that_were_set_later():
    both = [make_batch("OneShotConcurrent"), make_batch("OneShotConcurrent")]
    for envs in both:
        envs.reset(seed=3)
        envs.set_opponents(["greedy", "conceder"])
        play(envs, 60, seed=1)
        envs.set_opponents(["best-subset?tolerance=0.5"])
        play(envs, 3, seed=1)
    clone = WAYS["pickle"](both[0])
    del envs
    both[0] = None
    gc.collect()
    assert np.array_equal(play(clone, 80, seed=2), play(both[1], 80, seed=2))
    clone.set_opponents(["greedy"])
    both[1].set_opponents(["greedy"])
    assert np.array_equal(play(clone, 80, seed=2), play(both[1], 80, seed=2))


@pytest.mark.slow
def test_a_pickled_batch_plays_alike_in_another_process(tmp_path):
    envs = make_batch("OneShotConcurrent")
    envs.reset(seed=3)
    play(envs, 5, seed=1)
    (tmp_path / "envs").write_bytes(pickle.dumps(envs))
    program = (
        "import pickle, sys; from tests.test_copies import play; "
        "print(play(pickle.load(open(sys.argv[1], 'rb')), 40, seed=2).sum(axis=1).tolist())"
    )
    done = in_forked_process(tmp_path, [sys.executable, "-c", program, tmp_path / "envs"])
    assert done.stdout.strip() == str(play(envs, 40, seed=2).sum(axis=1).tolist()), done.stderr


@parametrize_ways
def test_copied_rows_of_a_study_go_on_as_the_originals(way):
    made = [AcceptanceRow("Party", 0, name, 30, True, "a", "b", -0.5) for name in ("boulware", "Gahboninho", "AgentK")]
    rows, expected = AcceptanceRows(made), AcceptanceRows(made)

    def steps(of, n, seed):
        rng = np.random.default_rng(seed)
        return [of.step((rng.random(3) < 0.1).astype(np.int64)) for _ in range(n)]

    for both in (rows, expected):
        both.reset([1, 2, 3])
        steps(both, 9, 1)
    clone = way(rows)
    steps(rows, 5, 2)
    del rows
    gc.collect()
    for ours, theirs in zip(steps(clone, 100, 3), steps(expected, 100, 3), strict=True):
        assert np.array_equal(ours.observations, theirs.observations) and np.array_equal(ours.rewards, theirs.rewards)


def new_world(names=("adaptive-price", "greedy", "random"), external=0):
    spec = compiled_spec(5, days=12, factories_per_level=3)
    players = [StrategyPolicy(STRATEGIES.get(names[i % len(names)]), 9) for i in range(spec.n_factories)]
    players[external] = None
    return CompiledWorld(spec, players)


@parametrize_ways
def test_a_copied_world_goes_on_as_the_original_by_itself(way):
    learner = StrategyPolicy(STRATEGIES.get("best-subset"), 4)

    def steps(world, n):
        for _ in range(n):
            if world.pending:
                world.step({0: learner.act(world.view(0))})

    world, expected = new_world(), new_world()
    for both in (world, expected):
        both.start()
        steps(both, 4)
    clone = way(world)
    assert clone.view(0).tobytes() == expected.view(0).tobytes()
    steps(world, 1000)
    assert world.done and not clone.done
    del world
    gc.collect()
    steps(clone, 1000)
    steps(expected, 1000)
    assert np.array_equal(clone.contracts, expected.contracts) and np.array_equal(clone.scores, expected.scores)


@parametrize_ways
def test_a_copied_negotiation_goes_on_as_the_original_by_itself(way):
    negotiation = BilateralConfig("Party", 0, "Gahboninho", 30, True, "AgentK").negotiation(1)
    world, expected = TableWorld(negotiation), TableWorld(negotiation)

    def steps(of, n):
        seen = []
        for _ in range(n):
            if of.view["running"]:
                of.answer(int(of.view["bid"]))
            seen.append(of.view.tobytes())
        return seen

    for both in (world, expected):
        both.start(7)
        steps(both, 5)
    clone = way(world)
    steps(world, 3)
    del world
    gc.collect()
    assert steps(clone, 40) == steps(expected, 40)
    clone.start(8)
    expected.start(8)
    assert steps(clone, 40) == steps(expected, 40)


@pytest.mark.parametrize("registry", [STRATEGIES, STANDARD_STRATEGIES], ids=["oneshot", "standard"])
def test_every_strategy_can_be_pickled(registry):
    for name in registry:
        strategy = registry.get(name)
        assert pickle.loads(pickle.dumps(strategy)) == strategy


def test_strategies_of_networks_are_copied_by_their_form():
    strategy = network_strategy("flat", 1, "choice", "flatten")
    assert copy.deepcopy(strategy) is strategy and pickle.loads(pickle.dumps(strategy)) is strategy


UNCOPIED = ("ReferenceWorld", "ReferenceWorld of the Standard track", "NegmasWorld", "Workers", "Records")
UNCOPIED += ("RecordedPlayer",)


def uncopied():
    """What is refused, made when a test needs it."""
    spec = compiled_spec(5, days=3, factories_per_level=2)
    negotiation = BilateralConfig("Party", 0, "boulware", 10, True).negotiation(1)
    player = StrategyPolicy(STRATEGIES.get("greedy"), 1)
    records = Records(20, 1.0, 1)
    standard = standard_spec(5, days=3, factories_per_level=2)
    return {
        "ReferenceWorld": ReferenceWorld(spec, [player] * spec.n_factories),
        "ReferenceWorld of the Standard track": StandardReferenceWorld(standard, [None] * standard.n_factories),
        "NegmasWorld": NegmasWorld(negotiation),
        "Workers": make_batch("Bilateral")._workers[0],
        "Records": records,
        "RecordedPlayer": records.record(player),
    }


@parametrize_ways
@pytest.mark.parametrize("name", UNCOPIED)
def test_what_cannot_be_copied_says_so_in_one_line(name, way):
    thing = uncopied()[name]
    with pytest.raises(
        TypeError, match=f"^{name.split()[0]} cannot be copied or pickled: .*(anew|make another)"
    ) as told:
        way(thing)
    assert "\n" not in str(told.value)
    assert name != "Workers" or isinstance(thing, Workers)
