"""Numbers of NumPy are numbers, wrong ones are refused by name, and nothing misspelt is taken, wherever it is given."""

import gymnasium
import numpy as np
import pytest

from scml_gym.bilateral.envs.vector.acceptance_rows import AcceptanceRow, AcceptanceRows
from scml_gym.bilateral.scenarios import random_scenario
from scml_gym.commitment import make_game
from scml_gym.core.arguments import flag, real, whole, whole_range
from scml_gym.core.errors import InputError
from scml_gym.evaluation.config import TournamentConfig
from scml_gym.oneshot.envs import oneshot_factories_v0, oneshot_negotiations_v0
from scml_gym.oneshot.exported_policies import JointPolicy, PartnerPolicy
from scml_gym.oneshot.rewards.negotiation import NegotiationReward
from scml_gym.oneshot.strategies import STRATEGIES
from scml_gym.oneshot.worlds.compiled.generation import compiled_spec
from scml_gym.oneshot.worlds.generation import league_spec
from scml_gym.policies.run_folders import deploy
from scml_gym.registration import ENVIRONMENTS
from scml_gym.standard.envs import standard_factories_v0, standard_negotiations_v0
from scml_gym.standard.worlds.compiled.generation import compiled_spec as standard_spec
from scml_gym.standard.worlds.generation import league_spec as standard_league_spec


def single(name):
    return lambda **arguments: gymnasium.make(f"scml_gym/{name}-v0", **arguments)


def batch(name):
    return lambda **arguments: gymnasium.make_vec(f"scml_gym/{name}-v0", **{"num_envs": 2, **arguments})


def row(**arguments):
    usual = {"scenario": "Party", "profile": 0, "opponent": "boulware", "rounds": 10, "opponent_first": True}
    usual |= {"accept_reward": "a", "offer_reward": "b", "failure_penalty": 0.0}
    return AcceptanceRows([AcceptanceRow(**{**usual, **arguments})])


PARALLEL = (oneshot_factories_v0, oneshot_negotiations_v0, standard_factories_v0, standard_negotiations_v0)

WHOLE = [
    *[(make, key, 3) for n in ("OneShotConcurrent", "OneShotBilateral") for make in (single(n), batch(n))
      for key in ("days", "factories_per_level")],
    *[(make, key, 3) for n in ("StandardConcurrent", "StandardDaily") for make in (single(n), batch(n))
      for key in ("days", "factories_per_level", "n_levels", "horizon", "history")],
    (single("OneShotConcurrent"), "history", 2),
    (batch("OneShotConcurrent"), "history", 2),
    *[(make, key, 1) for make in (single("OneShotBilateral"), batch("OneShotBilateral"))
      for key in ("partner", "quantity_bins", "price_bins")],
    *[(make, key, 5) for make in (single("Bilateral"), batch("Bilateral")) for key in ("rounds", "targets", "history")],
    *[(make, key, 1) for make in (single("BilateralAcceptance"), batch("BilateralAcceptance"), row)
      for key in ("profile",)],
    (single("BilateralAcceptance"), "rounds", 9),
    (row, "rounds", 9),
    *[(batch(n.split("/")[1].removesuffix("-v0")), key, 2) for n in ENVIRONMENTS for key in ("num_envs", "threads")],
    *[(module.parallel_env, "days", 3) for module in PARALLEL],
    *[(standard_factories_v0.parallel_env, key, 3) for key in ("n_levels", "horizon", "history")],
    *[(standard_negotiations_v0.parallel_env, key, 3) for key in ("n_levels", "quantity_bins", "price_bins")],
    (oneshot_negotiations_v0.parallel_env, "quantity_bins", 3),
    (oneshot_factories_v0.parallel_env, "factories_per_level", 5),
    (lambda **a: make_game("grid", **a), "cells", 4),
    (lambda **a: make_game("grid", **a), "mega_step", 2),
    (lambda **a: make_game("public-goods", **a), "agents", 3),
    (lambda **a: make_game("stag-hunt", **a), "memory", 1),
    (lambda **a: compiled_spec(1, **{"days": 3, **a}), "days", 4),
    (lambda **a: league_spec(1, **{"days": 3, **a}), "factories_per_level", 4),
    *[(lambda make=make, **a: make(1, **{"days": 5, **a}), key, 4) for make in (standard_spec, standard_league_spec)
      for key in ("factories_per_level", "n_levels")],
    (lambda **a: TournamentConfig(competitors=("greedy",), **a), "days", 4),
]  # fmt: skip

REAL = [
    (single("Bilateral"), "failure_penalty", -0.5),
    (batch("BilateralAcceptance"), "failure_penalty", -0.5),
    (row, "failure_penalty", -0.5),
    (lambda **a: make_game("public-goods", **a), "factor", 1.5),
    (NegotiationReward, "deviation", 0.5),
    (lambda **a: STRATEGIES.get("best-subset").parameter_array(a), "tolerance", 0.5),
]


def told(make, key, value):
    """What is said of a wrong value, which names it, in one line."""
    with pytest.raises(ValueError) as refused:
        make(**{key: value})
    line = str(refused.value) if isinstance(refused.value, InputError) else refused.value.errors()[0]["msg"]
    assert f"{key}={value!r}" in line and "\n" not in line, line


@pytest.mark.parametrize(("make", "key", "number"), WHOLE)
def test_whole_numbers(make, key, number):
    make(**{key: np.int64(number)})
    for wrong in (number + 0.5, float(number), True, str(number)):
        told(make, key, wrong)


@pytest.mark.parametrize(("make", "key"), [case[:2] for case in WHOLE if case[1] == "history"])
def test_a_history_that_no_memory_holds(make, key):
    told(make, key, 10**9)


@pytest.mark.parametrize(("make", "key"), [case[:2] for case in WHOLE if case[1] not in ("days", "horizon", "partner")])
def test_a_number_that_nothing_holds(make, key):
    for wrong in (2**62, 2**70):
        told(make, key, wrong)


@pytest.mark.parametrize(("make", "key", "number"), REAL)
def test_numbers(make, key, number):
    make(**{key: np.float32(number)})
    make(**{key: 0 if key == "failure_penalty" else 1})
    for wrong in (True, str(number), float("nan")):
        told(make, key, wrong)


@pytest.mark.parametrize(
    ("make", "key"),
    [
        (single("OneShotConcurrent"), "strict"),
        (single("OneShotBilateral"), "strict"),
        (single("StandardConcurrent"), "strict"),
        *[(module.parallel_env, "strict") for module in PARALLEL],
        (single("Bilateral"), "opponent_first"),
        (batch("Bilateral"), "opponent_first"),
        (NegotiationReward, "relative"),
    ],
)
def test_switches(make, key):
    make(**{key: np.bool_(True)})
    for wrong in (1, "yes"):
        told(make, key, wrong)


def test_pairs_of_numbers():
    assert whole_range("days", (np.int64(3), 5), 1, 9) == whole_range("days", [3, np.int32(5)], 1, 9) == (3, 5)
    for wrong in ((3.0, 5), (True, 5), (5, 3), (1, 2, 3), (0, 3), "35", None):
        with pytest.raises(InputError, match=r"^days=.*: give a number or a pair"):
            whole_range("days", wrong, 1, 9)
    for wrong in ((1.0, 2), (True, 2), ("1", 2)):
        with pytest.raises(InputError, match=r"^issues="):
            random_scenario(np.random.default_rng(1), issues=wrong)


def test_checks_return_plain_numbers():
    assert type(whole("n", np.uint8(3))) is int and type(real("x", np.float32(0.5))) is float
    assert type(flag("f", np.bool_(False))) is bool
    with pytest.raises(InputError, match=r"^n=np.float64|^n=2.0; valid: a whole number, 1 or more$"):
        whole("n", np.float64(2.0))


MISSPELT = {"n_days": "days", "oponents": "opponents", "roundz": "rounds", "opponent_frist": "opponent_first"}


@pytest.mark.parametrize("make", [gymnasium.make, gymnasium.make_vec])
@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_a_misspelt_argument_is_refused_with_the_nearest_name(name, make):
    for wrong in list(MISSPELT)[2:] if "/Bilateral" in name else list(MISSPELT)[:2]:
        with pytest.raises(InputError, match=rf"^{wrong}: .*did you mean '{MISSPELT[wrong]}'") as refused:
            make(name, **{wrong: 5})
        assert "\n" not in str(refused.value)


@pytest.mark.parametrize("module", PARALLEL)
def test_parallel_environments_refuse_misspelt_arguments(module):
    with pytest.raises(InputError, match=r"^n_days: .*did you mean 'days'"):
        module.parallel_env(n_days=5)


RENDERED = [single(name.split("/")[1].removesuffix("-v0")) for name in ENVIRONMENTS]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("make", [*RENDERED, *[module.parallel_env for module in PARALLEL]])
def test_a_misspelt_render_mode_is_refused(make):
    with pytest.raises(InputError, match=r"^render_mode='asni'; did you mean 'ansi'"):
        make(render_mode="asni")


def test_the_factories_say_which_level():
    for module in (oneshot_factories_v0, standard_factories_v0):
        with pytest.raises(InputError, match=r"^level: unexpected keyword argument 'level'"):
            module.parallel_env(level="buyer")
        for wrong in (3, None, (), (0, 0)):
            with pytest.raises(InputError, match=r"^factories=.*; give at least one index"):
                module.parallel_env(factories=wrong)


@pytest.mark.parametrize("name", ENVIRONMENTS)
@pytest.mark.parametrize("argument", [{"render_mode": "ansi"}, {"max_episode_steps": 5}])
def test_native_batches_say_what_only_single_environments_have(name, argument):
    with pytest.raises(InputError, match=rf"^{next(iter(argument))}: only single environments have it: use vectoriz"):
        gymnasium.make_vec(name, num_envs=2, **argument)


@pytest.mark.parametrize("policy", [JointPolicy, PartnerPolicy])
def test_policies_refuse_misspelt_arguments_of_their_environment(policy):
    policy(None, {"id": "scml_gym/...", "name": "mine", "observation": "flat", "days": 3, "opponents": ["greedy"]})
    with pytest.raises(InputError, match=r"^observaton: .*did you mean 'observation'"):
        policy(None, {"observaton": "flat"})


def test_other_names_are_checked_too(tmp_path):
    with pytest.raises(InputError, match=r"^sed: .*did you mean 'seed'"):
        deploy(tmp_path, sed=1)
    envs = gymnasium.make_vec("scml_gym/Bilateral-v0", num_envs=2, rounds=5)
    with pytest.raises(InputError, match=r"^reset_maks: .*did you mean 'reset_mask'"):
        envs.reset(seed=1, options={"reset_maks": [True, False]})
    with pytest.raises(InputError, match=r"scenario: unknown key 'isues'; did you mean 'issues'"):
        gymnasium.make("scml_gym/Bilateral-v0", scenario={"isues": [2, 3]})


ODD = [None, object(), {}, {"a": 1}, np.zeros((2, 2)), "a" * 10_000, 2**70, b"x"]


KEYS = ("days", "factories_per_level", "opponents", "generator", "reward", "level", "timing", "backend", "observation")
KEYS += ("action", "history", "episode", "observability")


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("key", KEYS)
def test_odd_arguments_are_refused_in_one_line_that_can_be_read(key):
    for value in ODD:
        if value is None and key in ("reward",):
            continue
        with pytest.raises(InputError) as refused:
            single("OneShotConcurrent")(**{key: value})
        assert "\n" not in str(refused.value) and len(str(refused.value)) < 2000


@pytest.mark.parametrize("value", ["nan", "inf", "-inf", "1e999", "x", ""])
def test_parameters_in_names_are_finite_numbers(value):
    with pytest.raises(InputError, match="own_needs"):
        single("OneShotConcurrent")(days=3, opponents=[f"greedy?own_needs={value}"])
