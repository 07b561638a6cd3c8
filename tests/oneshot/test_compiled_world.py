"""The compiled world: equal to the reference world to the last bit, and honest about what it cannot play."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections import Counter

import gymnasium
import numpy as np
import pytest

from scml_gym.core.errors import InputError
from scml_gym.jit.compile import compiled, jittable
from scml_gym.oneshot.conservation import play_random_actions
from scml_gym.oneshot.parity import compare_episode, compare_external, compare_worlds, draw_case
from scml_gym.oneshot.strategies import STRATEGIES
from scml_gym.oneshot.strategies.base import Strategy, StrategyPolicy
from scml_gym.oneshot.strategies.market import accept, end
from scml_gym.oneshot.view import new_actions
from scml_gym.oneshot.worlds.compiled.world import CompiledWorld
from scml_gym.oneshot.worlds.generation import league_spec
from scml_gym.oneshot.worlds.simulation import OneShotSimulation
from scml_gym.simulator.negotiation import DeterministicMechanism
from tests.helpers.scripts import in_forked_process

SEED = 739584
"""Other worlds than these: benchmarks/new_worlds.py."""

TIMINGS = ["rounds", "moves"]


@pytest.mark.parametrize("timing", TIMINGS)
@pytest.mark.parametrize("poor", [False, True], ids=["rich", "poor"])
def test_worlds_are_equal_to_the_last_bit(timing, poor):
    counts = Counter()
    for index in range(4):
        case = draw_case(SEED, index, timing, poor, days=(3, 8))
        difference = compare_worlds(case, counts)
        assert difference is None, f"seed {SEED}, world {index}, {timing}, {poor=}: {difference}"
    assert counts["contracts"] > 0


@pytest.mark.parametrize("timing", TIMINGS)
@pytest.mark.parametrize("observability", ["partial", "full"])
def test_episodes_are_equal_to_the_last_bit(timing, observability):
    difference = compare_episode(SEED, timing, Counter(), days=(3, 6), observability=observability)
    assert difference is None, f"seed {SEED}, {timing}, {observability}: {difference}"


@pytest.mark.parametrize("timing", TIMINGS)
@pytest.mark.parametrize("n_external", [3, 8])
def test_several_external_factories_see_the_same_in_both_worlds(timing, n_external):
    assert compare_external(SEED, timing, n_external) is None


def forget_who_waits(monkeypatch):
    never = property(lambda self: None, lambda self, value: None)
    monkeypatch.setattr(DeterministicMechanism, "_frozen_neg_list", never, raising=False)


def execute_the_last_contract_first(monkeypatch):
    ordered = OneShotSimulation.executable_contracts
    monkeypatch.setattr(OneShotSimulation, "executable_contracts", lambda self: list(ordered(self))[::-1])


def round_prices_to_the_nearest(monkeypatch):
    made = OneShotSimulation._make_issues

    def make(self, product):
        (_, high), time, quantity = made(self, product)
        down = high - self.trading_prices[product] > 0.5
        return (max(1, high - 1 - down), max(1, high - down)), time, quantity

    monkeypatch.setattr(OneShotSimulation, "_make_issues", make)


@pytest.mark.slow
@pytest.mark.parametrize("alter", [forget_who_waits, execute_the_last_contract_first, round_prices_to_the_nearest])
def test_a_rule_that_differs_is_seen(alter, monkeypatch):
    monkeypatch.setattr("scml_gym.oneshot.parity.STRATEGIES", ["best-subset", "greedy-sync", "greedy", "random"])
    cases = [draw_case(1, index, "rounds", False, days=(8, 12)) for index in range(4)]
    assert all(compare_worlds(case, Counter()) is None for case in cases)
    alter(monkeypatch)
    assert any(compare_worlds(case, Counter()) is not None for case in cases)


def test_an_opponent_of_the_real_simulation_is_refused_in_one_line():
    with pytest.raises(InputError, match=r"scml:GreedyOneShotAgent.*use backend='reference'"):
        gymnasium.make("scml_gym/OneShotConcurrent-v0", opponents=["scml:GreedyOneShotAgent"])


def decide_in_python(view, state, params, draws, actions):
    for k, partner in enumerate(view["partners"].tolist()):
        if partner[2]:
            actions[k] = (1, 0, 0)


def test_a_strategy_that_does_not_compile_is_refused_and_plays_in_the_reference_world():
    strategy = Strategy("own", decide_in_python)
    arguments = {"opponents": [lambda seed: StrategyPolicy(strategy, seed)], "days": 3}
    with pytest.raises(InputError, match=r"'own' does not compile.*backend='reference'") as refusal:
        gymnasium.make("scml_gym/OneShotConcurrent-v0", **arguments)
    assert "\n" not in str(refusal.value)
    gymnasium.make("scml_gym/OneShotConcurrent-v0", backend="reference", **arguments).reset(seed=0)


def test_opponents_are_names_strategies_or_callables():
    best_subset = STRATEGIES.get("best-subset")
    same = ["best-subset", best_subset, lambda seed: StrategyPolicy(best_subset, seed)]
    for backend in ("compiled", "reference"):
        envs = [
            gymnasium.make("scml_gym/OneShotConcurrent-v0", opponents=[one], backend=backend, days=2) for one in same
        ]
        first, *others = [[env.reset(seed=1)[0], env.step([0] * 8)[0]] for env in envs]
        assert all(np.array_equal(first, other) for other in others)
    with pytest.raises(InputError, match=r"opponents.*3; valid: a name, a Strategy, or a callable"):
        gymnasium.make("scml_gym/OneShotConcurrent-v0", opponents=[3])


def unmarked(view):
    return view["needs"]


def asks_an_unmarked_helper(view, state, params, draws, actions):
    actions[0]["quantity"] = unmarked(view)


def reads_no_field(view, state, params, draws, actions):
    actions[0]["quantity"] = view["need"]


def reads_no_attribute(view, state, params, draws, actions):
    actions[0]["quantity"] = view.need


@pytest.mark.parametrize(
    ("decide", "reason"),
    [
        (asks_an_unmarked_helper, r"Untyped global name 'unmarked'"),
        (reads_no_field, r"Field 'need' was not found .*test_compiled_world\.py:\d+\)"),
        (reads_no_attribute, r"there is no field 'need'"),
        (lambda view, state: None, r"Cannot bind the arguments to signature '\(view, state\)'"),
    ],
)
def test_it_is_said_why_a_strategy_does_not_compile(decide, reason):
    with pytest.raises(InputError, match=rf"'own' does not compile \(.*{reason}"):
        gymnasium.make(
            "scml_gym/OneShotConcurrent-v0",
            opponents=[Strategy("own", decide)],
            days=3,
        )


def end_all(view, state, params, draws, actions):
    for k in range(view["n_partners"]):
        if view["partners"][k]["my_turn"] != 0:
            actions[k]["response"] = 1


def test_a_users_strategy_that_compiles_plays_in_the_compiled_world():
    strategy = Strategy("mine", end_all)
    env = gymnasium.make("scml_gym/OneShotConcurrent-v0", opponents=[lambda s: StrategyPolicy(strategy, s)], days=3)
    env.reset(seed=0)
    done = False
    while not done:
        _, _, done, _, info = env.step(env.action_space.sample())
    assert info["agreements"] == 0


def test_misuse_is_refused():
    spec = league_spec(0, days=3, factories_per_level=2)
    with pytest.raises(InputError, match="1 players for 4 factories"):
        CompiledWorld(spec, [None])
    with pytest.raises(InputError, match="timing='hours'"):
        CompiledWorld(spec, [None] * 4, timing="hours")
    world = CompiledWorld(spec, [None] * 4)
    world.start()
    with pytest.raises(InputError, match="no action for factory"):
        world.step({})
    world.close()
    with pytest.raises(InputError, match="has ended"):
        world.step({0: new_actions()})


def in_a_process(folder, code, **variables):
    done = in_forked_process(folder, [sys.executable, "-c", code], variables)
    assert done.returncode == 0, done.stderr
    return done


@pytest.mark.slow
def test_without_a_compiler_the_reference_world_plays_and_the_compiled_one_says_so(tmp_path):
    code = """if True:
        import sys
        sys.modules["numba"] = None
        import gymnasium, scml_gym
        from scml_gym.core.errors import InputError
        env = gymnasium.make("scml_gym/OneShotConcurrent-v0", backend="reference", days=3, factories_per_level=2)
        env.reset(seed=0)
        env.step(env.action_space.sample())
        for make in (gymnasium.make, gymnasium.make_vec):
            try:
                make("scml_gym/OneShotConcurrent-v0")
            except InputError as error:
                print(error)
    """
    assert in_a_process(tmp_path, code).stdout.count("backend='compiled' needs Numba") == 2


@pytest.mark.slow
def test_a_cache_folder_that_cannot_be_written_is_named_once(tmp_path):
    (tmp_path / "file").write_text("")
    code = """if True:
        from scml_gym.jit.compile import compiled, jittable
        @compiled
        def twice(x):
            return 2 * x
        print(twice(2), twice(2.5))
    """
    done = in_a_process(tmp_path, code, SCML_GYM_CACHE_DIR=str(tmp_path / "file"))
    assert done.stdout.split() == ["4", "5.0"]
    assert done.stderr.count("cannot be written") == 1
    assert "SCML_GYM_CACHE_DIR" in done.stderr


@pytest.mark.slow
def test_compilation_is_announced_once_and_kept(tmp_path):
    code = """if True:
        import gymnasium, scml_gym
        from scml_gym.oneshot.observations.factory import PartnerEncoder
        from scml_gym.oneshot.view import new_view
        PartnerEncoder().encode(new_view(), 0)
    """
    first = in_a_process(tmp_path, code, SCML_GYM_CACHE_DIR=str(tmp_path))
    assert first.stderr.count("scml_gym: compiling") == 1
    assert "compiling" not in in_a_process(tmp_path, code, SCML_GYM_CACHE_DIR=str(tmp_path)).stderr


@pytest.mark.parametrize("mark", [jittable, compiled])
def test_closures_have_names_that_say_what_they_hold(mark):
    def make(held):
        def add(x):
            return x + held

        function = mark(add)
        return getattr(function, "py_func", function).__qualname__

    one = make(1)
    assert make(1) == one
    assert len({one, make(2), make(1.0), make(np.arange(3)), make(np.arange(4)), make(accept), make(end)}) == 7


@pytest.mark.slow
def test_processes_that_compile_at_once_do_not_mix_up_their_code(tmp_path):
    (tmp_path / "adding.py").write_text(
        """if True:
        from scml_gym.jit.compile import compiled
        def make(k):
            @compiled
            def add(x):
                return x + k
            return add
        def check(numbers):
            for k in numbers:
                assert make(k)(0) == k, (k, make(k)(0))
        """
    )
    paths = {"PYTHONPATH": os.pathsep.join([str(tmp_path), *sys.path]), "SCML_GYM_CACHE_DIR": str(tmp_path / "cache")}
    start = f"import time, adding; time.sleep(max(0, {time.time() + 3} - time.time()));"
    running = [
        subprocess.Popen(
            [sys.executable, "-c", f"{start} adding.check(range({first}, {first + 8}))"],
            env=os.environ | paths,
            stderr=subprocess.PIPE,
            text=True,
        )
        for first in (0, 8, 16)
    ]
    for process in running:
        _, errors = process.communicate(timeout=300)
        assert process.returncode == 0, errors
    kept = in_a_process(tmp_path, "import adding; adding.check(range(24))", **paths)
    assert "compiling" not in kept.stderr


@pytest.mark.parametrize(
    ("action", "options"),
    [("choice", {"observability": "partial"}), ("continuous", {"observability": "full", "reward": "negotiations"})],
)
def test_random_actions_conserve_money_and_goods(action, options):
    """With batches that other tests compile too."""
    assert play_random_actions(4000, 64, action, SEED, **options) >= 4000
