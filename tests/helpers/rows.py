"""Rows of native vector environments compared with the single environments that they are."""

import gymnasium
import numpy as np

SUMMARY = ("score", "profit", "agreements", "negotiations", "decisions", "invalid_actions", "bankrupt")


def row_of(observations, i):
    """A row's observation."""
    return {k: v[i] for k, v in observations.items()} if isinstance(observations, dict) else observations[i]


def same(left, right):
    """Whether two observations are equal to the last bit."""
    if isinstance(left, dict):
        return left.keys() == right.keys() and all(same(left[k], right[k]) for k in left)
    return np.array_equal(left, right) and np.asarray(left).dtype == np.asarray(right).dtype


def check_info(infos, i, info):
    """A row's information is that of the single environment."""
    assert infos["_action_mask"][i]
    mask = info["action_mask"]
    assert np.array_equal(infos["action_mask"][i], np.concatenate(mask) if isinstance(mask, tuple) else mask)
    assert infos.get("ideal_profit", [None] * (i + 1))[i] == info.get("ideal_profit")
    assert ("shielded" in infos) == ("shielded" in info)
    if "shielded" in info:
        assert np.array_equal(infos["shielded"][i], info["shielded"])
    for name in SUMMARY:
        assert (name in info) == (f"_{name}" in infos and bool(infos[f"_{name}"][i]))
        if name in info:
            assert infos[name][i] == info[name]


def check_rows(name, options, rows, threads=1, steps=150):
    """Play some rows and as many single environments with random actions, and compare them at every step.

    Returns:
        How many episodes ended.
    """
    envs = gymnasium.make_vec(name, num_envs=rows, threads=threads, **options)
    singles = [gymnasium.make(name, **options).unwrapped for _ in range(rows)]
    envs.action_space.seed(0)
    observations, infos = envs.reset(seed=40)
    for i, env in enumerate(singles):
        observation, info = env.reset(seed=40 + i)
        assert same(row_of(observations, i), observation)
        check_info(infos, i, info)
    ended, episodes = np.zeros(rows, dtype=bool), 0
    for _ in range(steps):
        actions = envs.action_space.sample()
        observations, rewards, terminated, truncated, infos = envs.step(actions)
        assert not truncated.any()
        for i, env in enumerate(singles):
            if ended[i]:
                (observation, info), reward, done = env.reset(), 0.0, False
            else:
                observation, reward, done, _, info = env.step(actions[i])
            assert same(row_of(observations, i), observation), i
            assert rewards[i] == reward
            assert terminated[i] == done
            check_info(infos, i, info)
        ended = terminated
        episodes += int(ended.sum())
    return episodes


def check_agent_rows(module, options, worlds, threads=1, steps=120):
    """The same of a PettingZoo environment's module, each of whose agents is a row.

    Returns:
        How many worlds ended.
    """
    envs = module.vector_env(worlds, threads=threads, **options)
    singles = [module.parallel_env(**options) for _ in range(worlds)]
    agents = singles[0].possible_agents
    assert envs.possible_agents == agents and envs.num_envs == worlds * len(agents)
    envs.action_space.seed(0)
    observations, infos = envs.reset(seed=40)
    resets = [env.reset(seed=40 + i) for i, env in enumerate(singles)]
    rewards, terminated = np.zeros(envs.num_envs), np.zeros(envs.num_envs, dtype=bool)
    ended, count = np.zeros(worlds, dtype=bool), 0
    shown = [(seen, dict.fromkeys(agents, 0.0), dict.fromkeys(agents, False), info) for seen, info in resets]
    for _ in range(steps):
        for i, (seen, paid, ends, information) in enumerate(shown):
            for k, agent in enumerate(agents, i * len(agents)):
                assert same(row_of(observations, k), seen[agent]), (i, agent)
                assert (rewards[k], terminated[k]) == (paid[agent], ends[agent])
                check_info(infos, k, information[agent])
                if "my_turn" in information[agent]:
                    assert infos["active"][k] == information[agent]["my_turn"]
        actions = envs.action_space.sample()
        observations, rewards, terminated, truncated, infos = envs.step(actions)
        assert not truncated.any() and rewards.dtype == np.float64
        for i, env in enumerate(singles):
            if ended[i]:
                seen, information = env.reset()
                shown[i] = seen, dict.fromkeys(agents, 0.0), dict.fromkeys(agents, False), information
            else:
                given = {agent: actions[i * len(agents) + k] for k, agent in enumerate(agents)}
                seen, paid, ends, _, information = env.step(given)
                shown[i] = seen, paid, ends, information
            ended[i] = not env.agents
        count += int(ended.sum())
    return count
