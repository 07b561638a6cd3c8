"""The whole hierarchy plays: alike in both worlds, safely, quickly; and what it is told to learn is what was done."""

import copy
import pickle
import time

import numpy as np
import pytest
import torch

from scml_gym.agents.decision_transformer.fitting import judge
from scml_gym.agents.hrl_xf.alphas import ALPHAS
from scml_gym.agents.hrl_xf.hierarchy import Exploring
from scml_gym.agents.hrl_xf.improving import Improving, Judge, rollout_of
from scml_gym.agents.hrl_xf.managing import ManagerSeat
from scml_gym.agents.hrl_xf.observing import ALPHA, GOALS, KNOWN, PLANNED
from scml_gym.agents.hrl_xf.rollouts import Past, advantages, play
from scml_gym.agents.mappo.networks import everyone, oneself
from scml_gym.agents.mappo.rollout import generalised_advantages
from scml_gym.core.errors import InputError
from scml_gym.standard.players import player_maker
from scml_gym.standard.safety.answers import judge_answers
from scml_gym.standard.worlds.compiled.world import CompiledWorld
from scml_gym.standard.worlds.generation import league_spec
from scml_gym.standard.worlds.reference import ReferenceWorld
from tests.helpers.hierarchies import LEARNING, Planner, hierarchy, worlds


def contracts(make, policy, seed=5):
    """Of a world in which a policy plays in the middle; and its decisions."""
    spec, told = league_spec(seed, 4, 3, 3), []
    players = [policy if i == 4 else player_maker("stock-planner")(seed) for i in range(9)]
    if make is ReferenceWorld:
        world = make(spec, players, seed, "league")
        world.run()
        return world.contracts, told
    players[4] = None
    world = make(spec, players, seed)
    world.start()
    policy.begin(world.view(4))
    while world.pending:
        for last in world.closed_days(4):
            policy.end_day(last)
        view = world.view(4).copy()
        told.append((view, policy.act(view)))
        world.step({4: told[-1][1]})
    return world.contracts, told


def test_it_plays_alike_in_compiled_and_real_worlds_and_nothing_unsafe():
    made = hierarchy()
    compiled, told = contracts(CompiledWorld, made.seat())
    real, _ = contracts(ReferenceWorld, made.seat())
    assert np.array_equal(compiled, real) and ((compiled["seller"] == 4) | (compiled["buyer"] == 4)).any()
    assert all(judge_answers(view, answers).safe for view, answers in told)
    again, _ = contracts(CompiledWorld, pickle.loads(pickle.dumps(copy.deepcopy(made))).seat())
    assert np.array_equal(again, compiled)


@pytest.mark.parametrize("way", ALPHAS)
def test_every_way_to_alpha_reaches_the_executor_through_alpha_alone(way):
    made, plain = hierarchy(way), hierarchy("zero")
    view = contracts(CompiledWorld, plain.seat())[1][0][0]
    seats = [one.seat() for one in (made, plain)]
    decided = [one.decide([seat], [view])[0] for one, seat in zip((made, plain), seats, strict=True)]
    for one, seat in zip(decided, seats, strict=True):
        assert (one.asked.rows[:, [KNOWN, PLANNED]] == 1).all()
        sides = one.asked.shown.due // 8
        assert np.allclose(one.asked.rows[:, GOALS] * view["lines"], seat.plan.goals[sides])
    rows = [one.asked.rows.copy() for one in decided]
    if way == "zero":
        assert not rows[0][:, ALPHA].any()
    else:
        assert rows[0][:, ALPHA].any() and (np.abs(rows[0][:, ALPHA]) <= 1).all()
    for part in rows:
        part[:, ALPHA] = 0
    assert np.array_equal(*rows)


@pytest.mark.parametrize(
    "env", [{"id": "scml_gym/StandardConcurrent-v0", "action": "goals-by-day"}, {"action": "goals"}]
)
def test_managers_of_other_environments_are_refused(env):
    with pytest.raises(InputError, match="valid: a run of 'scml_gym/StandardDaily-v0'"):
        ManagerSeat(Planner(), env)


def test_what_is_learnt_from_is_what_was_done():
    """Without exploring, each choice is the likeliest given the same history, masks and alpha."""
    made = hierarchy()
    episodes = play(made, worlds(), [1, 2])
    rollout, learner = rollout_of(episodes, made.executor), made.executor
    assert sum(len(one.chosen) for e in episodes for one in e.decided) == len(rollout.order) == int(rollout.due.sum())
    real = play(made, worlds("reference"), [1])[0]  # one world after the other, or side by side: the same
    assert real.told["score"] == episodes[0].told["score"] and np.array_equal(real.rewards, episodes[0].rewards)
    for episode in episodes:
        assert episode.told["score"] == pytest.approx(1.0 + episode.rewards.sum())
    improving = Improving(learner, made.coordinator, Judge(8), LEARNING, everyone, 0)
    judged = judge(learner.network, rollout.sequences, np.arange(len(rollout.sequences.starts)), 20)
    assert len(judged.likeliest) > 50 and judged.likeliest.all()
    assert np.isfinite(judged.logs).all()
    assert improving.arrays().keys() >= {"executor_moments", "coordinator_moments", "critic_moments"}


@pytest.mark.parametrize(("view", "way"), [(oneself, "zero"), (everyone, "learnt")])
def test_a_rollout_changes_what_learns_and_the_same_rollout_changes_it_alike(view, way):
    numbers, weights = [], []
    for _ in range(2):
        made = hierarchy(way)
        critic = Judge(8)
        critic.load_state_dict({name: part * 0 + 0.01 for name, part in critic.state_dict().items()})
        exploring = Exploring(torch.Generator().manual_seed(1), 0.3)
        rollout = rollout_of(play(made, worlds(), [3, 4], exploring), made.executor)
        network = made.coordinator if way == "learnt" else None
        before = [p.detach().clone() for p in (*made.executor.network.parameters(), *made.coordinator.parameters())]
        numbers.append(Improving(made.executor, network, critic, LEARNING, view, 0).update(rollout, 0))
        after = [*made.executor.network.parameters(), *made.coordinator.parameters()]
        weights.append([p.detach().clone() for p in after])
        n = len(list(made.executor.network.parameters()))
        moved = [not torch.equal(a, b) for a, b in zip(before, after, strict=True)]
        assert any(moved[:n]) and any(moved[n:]) == (way == "learnt")
    assert numbers[0] == numbers[1] and all(torch.equal(a, b) for a, b in zip(*weights, strict=True))
    assert np.isfinite(list(numbers[0].values())).all() and 0 <= numbers[0]["approx_kl"] < 0.2


def test_answers_that_the_shield_changed_leave_the_policy_and_stay_with_the_critic():
    made = hierarchy("learnt")
    exploring = Exploring(torch.Generator().manual_seed(1), 0.3)
    rollout = rollout_of(play(made, worlds(), [3, 4], exploring), made.executor)
    assert 0 < rollout.changed.float().mean() < 1
    all_changed = rollout._replace(changed=torch.ones_like(rollout.changed))
    critic = Judge(8)
    parts = (made.executor.network, made.coordinator, critic.critic)
    before = [[p.detach().clone() for p in part.parameters()] for part in parts]
    told = Improving(made.executor, made.coordinator, critic, LEARNING, everyone, 0).update(all_changed, 0)
    moved = [
        any(not torch.equal(a, b) for a, b in zip(old, part.parameters(), strict=True))
        for old, part in zip(before, parts, strict=True)
    ]
    assert moved == [False, False, True] and told["learnt_share"] == 0


def test_advantages_of_agents_that_are_always_due_are_the_usual_ones_and_others_are_paid_until_their_next_decision():
    draws = np.random.default_rng(0)
    rewards, values, last = draws.random(7), draws.random((7, 3)), np.arange(7) == 6
    found = advantages(rewards, values, np.ones((7, 3), bool), last, 0.9, 0.8)
    usual = generalised_advantages(
        *(torch.from_numpy(part) for part in (np.repeat(rewards[:, None], 3, axis=1), values)),
        torch.zeros(3, dtype=torch.float64),
        torch.from_numpy(np.repeat(last[:, None], 3, axis=1)),
        0.9,
        0.8,
    )
    assert np.allclose(found, usual.numpy())
    due = np.zeros((7, 1), bool)
    due[[1, 4]] = True
    found = advantages(rewards, values[:, :1], due, last, 1.0, 1.0)
    assert found[4, 0] == pytest.approx(rewards[4:].sum() - values[4, 0])
    assert found[1, 0] == pytest.approx(rewards[1:].sum() - values[1, 0])
    assert not found[[0, 2, 3, 5, 6]].any()
    two = advantages(np.tile(rewards, 2), np.tile(values, (2, 1)), np.ones((14, 3), bool), np.tile(last, 2), 0.9, 0.8)
    assert np.allclose(two[:7], two[7:])  # worlds end by themselves


def test_past_copies_play_other_factories():
    made, past = hierarchy("zero", False), hierarchy("zero", False)
    asked, inner = [], past.executor.continued
    past.executor.continued = lambda *given: asked.append(len(given[0])) or inner(*given)
    (alone,) = play(made, worlds(), [6])
    assert not asked
    (beside,) = play(made, worlds(), [6], None, Past([past], 0.9))
    assert asked and alone.told != beside.told


def test_twelve_partners_are_answered_within_10_ms():
    made, seed = hierarchy("learnt", True, "agent.width=64"), 7
    players = [None if i == 8 else player_maker("stock-planner")(seed) for i in range(18)]
    world = CompiledWorld(league_spec(seed, 4, 6, 3), players, seed)
    world.start()
    view, seat, taken = world.view(8).copy(), made.seat(), []
    world.close()
    view["partners"]["my_turn"][[*range(6), *range(8, 14)]] = 1
    seat.begin(view)
    for _ in range(20):
        begun = time.process_time()
        seat.act(view)
        taken.append(time.process_time() - begun)
    assert np.median(taken[8:]) < 0.01


def test_what_was_better_than_expected_becomes_likelier_and_alpha_follows():
    made, critic = hierarchy("learnt"), Judge(8)
    exploring = Exploring(torch.Generator().manual_seed(1), 0.3)
    rollout = rollout_of(play(made, worlds(), [3, 4], exploring), made.executor)
    offers = torch.zeros(len(rollout.order), dtype=torch.bool)
    offers[torch.from_numpy(rollout.order)] = torch.from_numpy(rollout.sequences.actions[:, 0] == 2)
    assert 0 < offers.float().mean() < 1
    every, draws = torch.ones(len(offers), dtype=torch.bool), np.random.default_rng(0)
    improving = Improving(made.executor, made.coordinator, critic, LEARNING, everyone, 0)
    before = judge(made.executor.network, rollout.sequences, np.arange(len(rollout.sequences.starts)), 20).logs[:, 0]
    list(improving._improve_executor(rollout, torch.where(offers, 1.0, -1.0), every, draws, 0))
    after = judge(made.executor.network, rollout.sequences, np.arange(len(rollout.sequences.starts)), 20).logs[:, 0]
    offered = rollout.sequences.actions[:, 0] == 2
    assert (after - before)[offered].mean() > 0 > (after - before)[~offered].mean()
    steps, targets = np.arange(len(rollout.rewards)), torch.zeros(rollout.due.shape)
    means = improving._means(rollout, steps)
    list(improving._improve_others(rollout, torch.sign(rollout.raw - means), every, targets, draws, 0))
    assert improving._means(rollout, steps).mean() > means.mean()
