"""Asked negotiation by negotiation, with WAIT: both worlds alike, the view's counts, the limit, clear refusals."""

from __future__ import annotations

import dataclasses
import pickle
from collections import Counter

import gymnasium
import numpy as np
import pytest
from scml.oneshot.agents import EqualDistOneShotAgent, SyncRandomOneShotAgent
from scml.oneshot.world import SCML2024OneShotWorld

from scml_gym.core.errors import InputError
from scml_gym.jit.compile import jittable
from scml_gym.oneshot.actions.asked import AskedActions, offer_first
from scml_gym.oneshot.envs import oneshot_factories_v0, oneshot_negotiations_v0
from scml_gym.oneshot.exported_policies import export_policy
from scml_gym.oneshot.parity import compare_episode, compare_external, compare_worlds, draw_case
from scml_gym.oneshot.players import player_maker
from scml_gym.oneshot.rules import repair, validate
from scml_gym.oneshot.strategies import STRATEGIES
from scml_gym.oneshot.strategies.base import Strategy, StrategyPolicy
from scml_gym.oneshot.view import ACCEPT, END, OFFER, WAIT, new_actions
from scml_gym.oneshot.worlds.adapters import OneShotAsyncAdapter
from scml_gym.oneshot.worlds.compiled.world import CompiledWorld
from scml_gym.oneshot.worlds.generation import league_spec
from scml_gym.oneshot.worlds.reference import ReferenceWorld
from tests.helpers.views import make_view

SEED = 90210
ID = "scml_gym/OneShotConcurrent-v0"


@jittable
def hesitate(view, state, params, draws, actions):
    """Wait by chance, also where it may not; else answer by chance."""
    for k in range(view["n_partners"]):
        partner = view["partners"][k]
        if partner["my_turn"] == 0:
            continue
        if draws[k] < params[0] and (partner["waits"] < view["most_waits"] or draws[8 + k] < params[1]):
            actions[k]["response"] = WAIT
        elif partner["offer_quantity"] > 0 and draws[8 + k] < 0.3:
            actions[k]["response"] = ACCEPT
        elif draws[8 + k] < 0.35:
            actions[k]["response"] = END
        else:
            actions[k]["response"] = OFFER
            actions[k]["quantity"] = view["min_quantity"] + int(draws[16 + k] * view["max_quantity"])
            actions[k]["price"] = view["min_price"] if draws[24 + k] < 0.5 else view["max_price"]


HESITANT = Strategy("hesitant", hesitate, {"wait": 0.8, "beyond": 0.3}, synchronous=False, n_draws=32, partner_draws=4)


@pytest.mark.slow
@pytest.mark.parametrize("timing", ["rounds", "moves", "negotiations"])
@pytest.mark.parametrize("poor", [False, True], ids=["rich", "poor"])
def test_worlds_with_players_that_wait_are_equal_to_the_last_bit(timing, poor):
    counts, rng = Counter(), np.random.default_rng(SEED)
    for index in range(4):
        case = draw_case(SEED, index, timing, poor, days=(3, 6))
        drawn = rng.choice(["sequential", f"{__name__}:HESITANT", ""], size=len(case.strategies))
        names = tuple(str(name or other) for name, other in zip(drawn, case.strategies, strict=True))
        case = dataclasses.replace(case, strategies=names)
        difference = compare_worlds(case, counts)
        assert difference is None, f"seed {SEED}, world {index}, {timing}, {poor=}: {difference}"
    assert counts["contracts"] > 0


@pytest.mark.parametrize("observability", ["partial", "full"])
def test_episodes_are_equal_to_the_last_bit(observability):
    difference = compare_episode(SEED, "negotiations", Counter(), days=(2, 4), observability=observability)
    assert difference is None, difference


@pytest.mark.slow
@pytest.mark.parametrize("n_external", [3, 8])
def test_several_external_factories_see_the_same_in_both_worlds(n_external):
    assert compare_external(SEED, "negotiations", n_external) is None


@pytest.mark.parametrize("kind", [ReferenceWorld, CompiledWorld])
def test_one_negotiation_is_asked_at_a_time_and_waits_are_counted(kind):
    """The buyer waits as often as it may with its first partner, answers the others, and is asked on."""
    spec = league_spec(2, days=3, factories_per_level=2)
    world = kind(
        spec,
        [player_maker("best-subset")(0), player_maker("greedy")(0), None, player_maker("nice")(0)],
        timing="negotiations",
    )
    world.start()
    waits, asked = [], []
    while world.view(2)["day"] == 0:
        (view,), actions = [world.view(f) for f in world.pending], new_actions()
        (k,) = np.flatnonzero(view["partners"]["my_turn"])
        asked.append(k)
        if k == 0:
            waits.append(int(view["partners"][0]["waits"]))
            actions[0]["response"] = WAIT if waits[-1] < view["most_waits"] else END
        else:
            actions[1] = (OFFER, 1, view["max_price"])
        assert view["most_waits"] == 4 and view["partners"][1]["waits"] == 0
        world.step({2: actions})
    assert waits == [0, 1, 2, 3, 4] and set(asked) == {0, 1}
    assert world.summary(2)["invalid_actions"] == 0


def test_to_wait_beyond_the_limit_ends_the_negotiation_and_is_counted():
    spec = league_spec(2, days=3, factories_per_level=1)
    for kind in (ReferenceWorld, CompiledWorld):
        world = kind(spec, [player_maker("nice")(0), None], timing="negotiations")
        world.start()
        waits = []
        while world.pending:
            waits.append(int(world.view(1)["partners"][0]["waits"]))
            actions = new_actions()
            actions[0]["response"] = WAIT
            world.step({1: actions})
        assert waits == [0, 1, 2] * 3 and world.summary(1)["invalid_actions"] == 3
        assert world.summary(1)["agreements"] == 0


def test_wait_is_refused_in_one_line_where_partners_are_answered_together():
    view, actions = make_view(offers=[(3, 14), (2, 15)]), new_actions()
    actions[0]["response"] = WAIT
    with pytest.raises(InputError, match=r'partner 0: wait \(0, 0\); valid: to wait is .* \(timing="negotiations"\)'):
        validate(view, actions)
    view["most_waits"], view["partners"]["waits"][0] = 5, 5
    with pytest.raises(InputError, match="it has waited 5 times, as often as it may"):
        validate(view, actions)
    view["partners"]["waits"][0] = 4
    actions[1]["response"] = END
    validate(view, actions)
    view["most_waits"] = 0
    assert repair(view, actions) == 1 and actions["response"][0] == END


def test_the_mask_lets_wait_until_the_limit():
    codec = AskedActions()
    view = make_view(offers=[(3, 14), (2, 15)], turns=(0, 1))
    view["most_waits"] = 6
    for waits, may in ((0, True), (5, True), (6, False)):
        view["partners"]["waits"][1] = waits
        mask = codec.mask(view)
        assert mask.shape == (23,) and mask[:2].all() and mask[22] == may
    assert codec.decode(np.int64(22), view)["response"].tolist() == [0, WAIT, *[0] * 6]
    assert codec.decode(np.int64(1), view)["response"].tolist() == [0, ACCEPT, *[0] * 6]
    view["partners"]["my_turn"] = 0
    assert codec.mask(view).tolist() == [True] + [False] * 22
    assert (codec.decode(np.int64(22), view)["response"] == 0).all()
    nobody_offered = make_view(offers=[(0, 0), (2, 15)], turns=(1, 0))
    nobody_offered["most_waits"] = 6
    assert codec.mask(nobody_offered)[22] and not offer_first().mask(nobody_offered)[22]
    nobody_offered["partners"]["my_quantity"][0] = 2
    assert offer_first().mask(nobody_offered)[22]
    for wrong in (23, -1, 0.5, [1, 2]):
        with pytest.raises(InputError, match=r"action.*0 to 22"):
            codec.decode(np.asarray(wrong), view)


@pytest.mark.parametrize("observation", ["flat", "dict", "entities"])
def test_who_is_asked_and_how_often_it_was_let_wait_is_observed(observation):
    env = gymnasium.make(ID, timing="negotiations", observation=observation, level="buyer", days=1).unwrapped
    seen, info = env.reset(seed=1)
    features = {f.name: i for i, f in enumerate(env.encoder.features)}
    for step in range(2 * int(env.view["n_partners"])):
        numbers = gymnasium.spaces.flatten(env.observation_space, seen)
        if observation == "dict":
            turns, waits = seen["partners"][:, 2], seen["waits"][:, 0]
        else:
            turns = numbers[[features[f"partners[{k}].my_turn"] for k in range(8)]]
            name = "waits[{}].waits" if observation == "flat" else "partners[{}].waits"
            waits = numbers[[features[name.format(k)] for k in range(8)]]
        (k,) = np.flatnonzero(turns)
        assert k == step % env.view["n_partners"] and seen in env.observation_space
        assert waits[k] == pytest.approx((step // env.view["n_partners"]) / env.view["most_waits"])
        seen, _, _, _, info = env.step(22)
    assert info["action_mask"].shape == (23,)


DAYS = {"episode": "day", "reward": "regret", "observation": "prospects", "action": "choice-offer-first"}
SETTINGS = [{}, DAYS]


@pytest.mark.parametrize("options", SETTINGS, ids=["world", "day"])
def test_a_native_batch_is_the_single_environments(options):
    arguments = {"timing": "negotiations", "days": 3} | options
    batch = gymnasium.make_vec(ID, num_envs=3, threads=2, **arguments)
    singles = [gymnasium.make(ID, **arguments) for _ in range(3)]
    seen, infos = batch.reset(seed=5)
    alone = [env.reset(seed=5 + i) for i, env in enumerate(singles)]
    rng, over, episodes = np.random.default_rng(0), [False] * 3, 0
    for _ in range(120):
        for i in range(3):
            assert np.array_equal(seen[i], alone[i][0])
            assert over[i] or np.array_equal(infos["action_mask"][i], alone[i][1]["action_mask"])
        actions = [int(rng.choice(np.flatnonzero(m))) if m.any() else 0 for m in infos["action_mask"]]
        seen, rewards, ends, _, infos = batch.step(np.array(actions))
        for i, env in enumerate(singles):
            if over[i]:
                alone[i], over[i] = env.reset(), False
                continue
            own, reward, over[i], _, info = env.step(actions[i])
            alone[i] = own, info
            assert (reward, over[i]) == (rewards[i], ends[i])
            episodes += over[i]
    assert episodes > 3
    with pytest.raises(InputError, match=r"row 0: action 23; valid: Discrete\(23\)"):
        batch.step(np.full(3, 23))
    again = pickle.loads(pickle.dumps(singles[0].unwrapped))
    assert again.action_space == gymnasium.spaces.Discrete(23)


def test_what_answers_together_refuses_the_timing():
    for make in (
        lambda: gymnasium.make("scml_gym/OneShotBilateral-v0", timing="negotiations"),
        lambda: gymnasium.make_vec("scml_gym/OneShotBilateral-v0", num_envs=1, timing="negotiations"),
        lambda: oneshot_factories_v0.parallel_env(timing="negotiations"),
        lambda: oneshot_negotiations_v0.parallel_env(timing="negotiations"),
    ):
        with pytest.raises(InputError, match="is played in OneShotConcurrent-v0; valid here: rounds, moves"):
            make()
    with pytest.raises(InputError, match="valid: rounds, moves, negotiations"):
        gymnasium.make(ID, timing="negotiation")
    with pytest.raises(InputError, match="planner"):
        gymnasium.make(ID, timing="negotiations", action="planner")


def first_offers(observation, state=None, mask=None, deterministic=True):
    """Waits once, then takes what stands, else offers two items."""
    if mask[22] and observation[:8].max() == 0.0:
        return np.int64(22), state
    return np.int64(1 if mask[1] else 4), state


def test_a_policy_plays_deployed_as_in_its_environment():
    """Its player is asked in each negotiation by itself, in our worlds and in scml's own."""
    arguments = {"timing": "negotiations", "days": 3, "backend": "reference"}
    env = gymnasium.make(ID, **arguments).unwrapped
    seen, _ = env.reset(seed=4)
    done = False
    while not done:
        action, _ = first_offers(seen, mask=env.action_masks())
        seen, _, done, _, _ = env.step(action)
    sample = env.config.sample(int(gymnasium.utils.seeding.np_random(4)[0].integers(2**62)))
    player = export_policy(first_offers, {"id": ID, **arguments})
    assert not player.synchronous
    sample.players[sample.factories[0]] = player
    world = ReferenceWorld(sample.spec, sample.players, seed=sample.seed)
    world.run()
    assert np.array_equal(world.contracts, env.world.contracts) and len(world.contracts)
    assert np.array_equal(world.scores, env.world.scores)


class Waiting(OneShotAsyncAdapter):
    """An agent for scml's own, unmodified world."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.policy = StrategyPolicy(STRATEGIES.get("sequential"), 0)


def test_it_plays_in_scmls_unmodified_world():
    others = [SyncRandomOneShotAgent, EqualDistOneShotAgent]
    config = SCML2024OneShotWorld.generate([Waiting, *others], n_steps=4, n_agents_per_process=4, no_logs=True)
    world = SCML2024OneShotWorld(**config)
    world.run()
    played = [
        world.agents[agent].adapted_object for agent in world.agents if hasattr(world.agents[agent], "adapted_object")
    ]
    mine = [agent for agent in played if isinstance(agent, Waiting)]
    assert mine and sum(agent.agreements for agent in mine) > 0 and sum(agent.invalid for agent in mine) == 0
