"""Worlds side by side: agents as rows of arrays, whoever comes and goes, and going on elsewhere where they stood."""

import numpy as np
import pytest

from scml_gym.agents.mappo.making import make_worlds
from scml_gym.agents.mappo.native import GameWorlds
from scml_gym.agents.mappo.stepped import SteppedWorlds
from scml_gym.commitment import make_game, parallel_env
from scml_gym.core.errors import InputError
from scml_gym.experiments.make_parallel import make_parallel
from tests.helpers.parallel_envs import Errands

SMALL = {"days": 3, "factories_per_level": 3}
NATIVE = {
    "oneshot_negotiations_v0": {**SMALL, "observation": "flat"},
    "oneshot_factories_v0": {**SMALL, "factories": [0, 4]},
    "standard_negotiations_v0": {"days": 4, "factories_per_level": 3, "n_levels": 2, "shield": "covered"},
    "standard_factories_v0": {"days": 4, "factories_per_level": 3, "n_levels": 2, "factories": [0, 3]},
}


def draw(masks, heads, rng):
    """Valid choices, int64 ``(..., heads)``."""
    parts = np.split(masks, np.cumsum(heads)[:-1], axis=-1)
    return np.stack([(part * rng.random(part.shape)).argmax(axis=-1) for part in parts], axis=-1)


def played(worlds, seen, steps, seed=0):
    """What is seen and what comes of it, step by step."""
    rng, trace = np.random.default_rng(seed), []
    for _ in range(steps):
        seen, outcome = worlds.step(draw(seen.masks, worlds.layout.heads, rng))
        trace += [*seen, *(part for part in outcome[:4]), outcome.over]
    return seen, trace


def same(one, other):
    return all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))


@pytest.mark.slow
@pytest.mark.parametrize("name", NATIVE)
def test_a_native_batch_is_the_environment(name):
    env = {"id": name, **NATIVE[name]}
    worlds, single = make_worlds(env, 2, 1, "index"), make_parallel(env)
    seen, (observations, infos) = worlds.reset(5), single.reset(seed=6)
    rng, agents, spaces = np.random.default_rng(0), single.possible_agents, worlds.layout
    try:
        while single.agents:
            for k, agent in enumerate(agents):
                row = np.zeros(spaces.inputs, np.float32)
                spaces.observe(k, observations[agent], row)
                assert np.array_equal(row, seen.inputs[1, k])
                assert np.array_equal(spaces.mask(k, observations[agent], infos[agent]), seen.masks[1, k])
                assert not seen.active[1, k] or infos[agent].get("my_turn", True)
            choices = draw(seen.masks, spaces.heads, rng)
            actions = {agent: spaces.action(k, choices[1, k]) for k, agent in enumerate(agents)}
            observations, rewards, _, _, infos = single.step(actions)
            seen, outcome = worlds.step(choices)
            assert outcome.rewards[1].tolist() == list(rewards.values())
            changed = [bool(np.any(infos[agent].get("shielded", 0))) for agent in agents]
            assert outcome.changed[1].tolist() == changed
            ended = [not single.agents or infos[agent].get("negotiation_end", False) for agent in agents]
            assert outcome.ended[1].tolist() == ended
        assert outcome.over[1] and outcome.told["score"][-1] == infos[agents[0]]["score"]
    finally:
        worlds.close()
        single.close()


def test_a_batch_of_a_game_is_the_game_stepped_one_by_one():
    batch = GameWorlds(make_game("shared-needs"), 3, "index")
    stepped = SteppedWorlds([parallel_env("shared-needs") for _ in range(3)], "index")
    one, other = batch.reset(1), stepped.reset(1)
    assert same(one, other)
    assert same(played(batch, one, 8)[1], played(stepped, other, 8)[1])


def test_agents_come_go_and_differ():
    worlds = SteppedWorlds([Errands() for _ in range(2)], "index")
    seen = worlds.reset(3)
    assert worlds.layout.inputs == 5 + 3 and worlds.layout.heads.tolist() == [3]
    assert seen.present[:, 0].all() and not seen.present[:, 1:].any()
    rng, there, cut, over = np.random.default_rng(0), [], 0, 0
    for _ in range(24):
        before = seen
        seen, outcome = worlds.step(draw(seen.masks, worlds.layout.heads, rng))
        absent = ~before.present
        assert not (outcome.rewards[absent].any() or outcome.ended[absent].any() or outcome.changed.any())
        assert (outcome.ended | ~outcome.cut).all() and (
            outcome.ended[outcome.over] == before.present[outcome.over]
        ).all()
        if outcome.last is not None:
            assert (outcome.last.present == outcome.cut).all()
            assert (outcome.last.inputs[outcome.cut][:, 5:].argmax(axis=1) == np.nonzero(outcome.cut)[1]).all()
        there.append(seen.present)
        cut, over = cut + outcome.cut.sum(), over + outcome.over.sum()
    assert over == 6 and cut > 3  # 8 steps each
    shares = np.mean(there, axis=(0, 1))
    assert ((shares > 0) & (shares < 1)).all()
    assert not seen.masks[:, 0, 2].any()  # the first has two options


@pytest.mark.parametrize("make", [Errands, lambda: parallel_env("grid")], ids=["errands", "grid"])
def test_worlds_go_on_elsewhere_where_they_stood(make):
    worlds, other = (SteppedWorlds([make() for _ in range(3)], "none") for _ in range(2))
    seen, _ = played(worlds, worlds.reset(7), 11)
    kept = {name: array.copy() for name, array in worlds.arrays().items()}
    whole = played(worlds, seen, 20, seed=1)
    other.restore(kept)
    assert same(whole[1], played(other, seen, 20, seed=1)[1])


def test_seeds_repeat_and_differ():
    runs = [SteppedWorlds([Errands() for _ in range(2)], "none") for _ in range(3)]
    one, again, else_ = (
        played(worlds, worlds.reset(seed), 10)[1] for worlds, seed in zip(runs, (1, 1, 2), strict=True)
    )
    assert same(one, again) and not same(one, else_)
    assert not np.array_equal(*runs[0].reset(1).inputs)  # worlds are not alike


@pytest.mark.parametrize(
    ("env", "told"),
    [
        ({"id": "oneshot_negotiation_v0"}, r"env\.id: there is no .* did you mean 'oneshot_negotiations_v0'"),
        ({"id": "nowhere:Env"}, r"env\.id: .*nowhere"),
        ({"id": "scml_gym.commitment:make_game", "game": "grid"}, r"env\.id: .* no PettingZoo parallel environment"),
        ({"id": "game_v0", "game": "gri"}, r"env\.game: .*did you mean 'grid'"),
        ({"id": "game_v0", "game": "grid", "cell": 3}, r"env\.cell: .*did you mean 'cells'"),
        ({"id": "standard_negotiations_v0", "day": 3}, r"env\.day: .*did you mean 'days'"),
        ({"id": "oneshot_negotiations_v0"}, r"env: observations of Discrete\(4853\); valid: .* 4096 numbers"),
        ({"id": "tests.helpers.parallel_envs:NoDiscrete"}, r"env: actions of Box.*; valid: Discrete or MultiDiscrete"),
        ({"id": "tests.helpers.parallel_envs:Errands", "shields": True}, r"env: .*shields"),
    ],
)
def test_wrong_environments_are_refused_in_one_line(env, told):
    with pytest.raises(InputError, match=told) as error:
        make_worlds(env, 1, 1, "none")
    assert "\n" not in str(error.value)


def test_threads_are_for_native_batches():
    with pytest.raises(InputError, match=r"agent\.workers: 2; .* valid: 1"):
        make_worlds({"id": "tests.helpers.parallel_envs:Errands"}, 4, 2, "none")
