"""What a trained agent does in one world or game, as its card says: the same on every machine, up to rounding."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from scml_gym.evaluation.exceptions import NOBODY
from scml_gym.evaluation.play import play
from scml_gym.experiments.checkpoints import run_of
from scml_gym.experiments.make_env import make_env
from scml_gym.experiments.make_parallel import GAME_ENVIRONMENTS, make_parallel
from scml_gym.game.definition import Setting
from scml_gym.policies.run_folders import game_of_run, load_agent

SEED = 1
DAYS = 5
OTHER = "best-subset"
"""Who has the other factories."""

BILATERAL = "scml_gym/Bilateral"
"""What the ids of environments of bilateral negotiations begin with."""


class Negotiation(NamedTuple):
    """How a negotiation ended: the learner's utility, whether there is an agreement, and in which round."""

    utility: float
    agreement: bool
    round: int


def one_play(run: str) -> dict[str, Any]:
    """Let what a run folder learnt play a world of `DAYS` days, in one of the two factories of each level.

    Args:
        run: A run folder, or ``zoo:NAME``.

    Returns:
        ``score``, the mean of both; of a learner of bilateral negotiations ``utility``, of one negotiation; of a
        learner of a game without factories ``choices``, what each agent chooses first where it draws nothing; of agents
        of a parallel environment that have no factory ``returns``, of an episode.

    Raises:
        InputError: if the folder holds nothing that can be loaded.
    """
    env = run_of(Path(run)).config["env"]
    if env.get("id") in GAME_ENVIRONMENTS:
        return {"returns": list(play_together(load_agent(run), env, SEED).values())}
    if "game" in env:
        agent = load_agent(run)
        seen = agent.game.observe(agent.game.initial(()))
        seen = np.concatenate([seen, np.zeros(agent.method.inputs - len(seen))])  # nothing is proposed yet
        return {"choices": [int(agent.predict((k, seen))[0]) for k in range(agent.game.agents)]}
    if env["id"].startswith(BILATERAL):
        return {"utility": negotiate(load_agent(run), env, SEED).utility}
    rows = play(game_of_run(run).name, [run, OTHER, run, OTHER], SEED, Setting(DAYS), [NOBODY])
    return {"score": float(np.mean([rows[0]["score"], rows[2]["score"]]))}


def play_together(agent: Any, env: Mapping[str, Any], seed: int, deterministic: bool = True) -> dict[str, float]:
    """Let a learner of many agents play an episode of a parallel environment; the return of each of them.

    Args:
        agent: An `scml_gym.agents.base.Agent` whose observations are pairs of an agent's index and what it sees.
        env: The ``id`` and the arguments of the environment.
        seed: Of the episode.
        deterministic: Whether each does what it thinks best.

    Raises:
        InputError: if there is no such environment.
    """
    together: Any = make_parallel(env)
    index = {name: k for k, name in enumerate(together.possible_agents)}
    returns = dict.fromkeys(index, 0.0)
    try:
        observations, infos = together.reset(seed=seed)
        while together.agents:
            actions = {}
            for name in together.agents:
                seen, mask = (index[name], observations[name]), infos[name].get("action_mask")
                actions[name], _ = agent.predict(seen, None, mask, deterministic)
            observations, rewards, _, _, infos = together.step(actions)
            for name, reward in rewards.items():
                returns[name] += float(reward)
    finally:
        together.close()
    return returns


def negotiate(agent: Any, env: Mapping[str, Any], seed: int) -> Negotiation:
    """Let a learner of bilateral negotiations play one, by what it thinks best.

    Args:
        agent: An `scml_gym.agents.base.Agent`.
        env: The ``id`` and the arguments of the environment.
        seed: Of the negotiation.

    Raises:
        InputError: if there is no such environment.
    """
    single: Any = make_env(env)
    try:
        observation, info = single.reset(seed=seed)
        state, ended = None, False
        while not ended:
            action, state = agent.predict(observation, state, info["action_mask"])
            observation, _, terminated, truncated, info = single.step(int(action))
            ended = terminated or truncated
    finally:
        single.close()
    return Negotiation(float(info["utility"]), bool(info["agreement"]), int(info["round"]))
