"""Seeded episodes of every environment, and their digests; run as a module it prints the digests of all golden ones.

python -m tests.helpers.episodes > tests/golden.json     (only with a new version of an environment)

An episode has two digests: ``play`` of observations, rewards and ends, ``infos`` of masks and information.
"""

import hashlib
import json
from pathlib import Path

import gymnasium
import numpy as np

from scml_gym.oneshot.envs import oneshot_factories_v0, oneshot_negotiations_v0
from scml_gym.registration import ENVIRONMENTS
from scml_gym.standard.envs import standard_factories_v0, standard_negotiations_v0

GOLDEN = Path(__file__).resolve().parents[1] / "golden.json"

OPTIONS = {
    "scml_gym/OneShotConcurrent-v0": [
        {},
        {"timing": "moves", "level": "seller"},
        {"observability": "full", "observation": "dict", "history": 2},
        {"action": "continuous", "level": "buyer"},
        {"reward": "negotiations"},
        {"episode": "day", "reward": "regret", "observation": "entities"},
    ],
    "scml_gym/OneShotBilateral-v0": [
        {},
        {"timing": "moves", "observation": "offer"},
        {"observation": "flat", "episode": "world"},
        {"observation": "needs", "level": "buyer"},
    ],
    "scml_gym/StandardConcurrent-v0": [
        {},
        {"stock": "physical", "level": "last", "horizon": 3},
        {"observability": "full", "observation": "dict", "history": 2},
        {"action": "continuous", "level": "middle"},
        {"action": "goals", "reward": "shaped-profit", "observation": "entities"},
    ],
    "scml_gym/StandardDaily-v0": [
        {},
        {"action": "goals-continuous", "stock": "physical", "level": "first"},
    ],
    "scml_gym/BilateralAcceptance-v0": [
        {},
        {"backend": "reference", "opponent": "AgentK", "bids": "AgentK"},
        {"opponent_first": False, "offer_reward": "c", "accept_reward": "c", "failure_penalty": -0.5},
        {"scenario": "random"},
    ],
    "scml_gym/Bilateral-v0": [
        {},
        {"backend": "reference", "opponent": "Gahboninho", "action": "target"},
        {"scenario": "random", "history": 2, "opponent_first": False},
    ],
}

ONESHOT = [name for name in OPTIONS if "OneShot" in name]
STANDARD = [name for name in OPTIONS if "Standard" in name]

SMALL = {
    **{name: {"days": 3} for name in ONESHOT},
    **{name: {"days": 4, "factories_per_level": (1, 4)} for name in STANDARD},
    "scml_gym/BilateralAcceptance-v0": {"rounds": 8, "opponent": "boulware", "bids": "boulware"},
    "scml_gym/Bilateral-v0": {"rounds": 8, "opponent": "boulware", "scenario": "EnglandZimbabwe"},
}


PARALLEL = (oneshot_factories_v0, oneshot_negotiations_v0, standard_factories_v0, standard_negotiations_v0)
"""Modules of PettingZoo environments over worlds."""


def make(name, options):
    """A small environment."""
    return gymnasium.make(name, **{**SMALL[name], **options})


def play(env, seed, episodes=1):
    """What random valid actions meet: observations, rewards, masks; the return and the last info at the end."""
    env.action_space.seed(seed)
    trace = []
    for episode in range(episodes):
        observation, info = env.reset(seed=seed if episode == 0 else None)
        total, done = 0.0, False
        while not done:
            trace.append({"observation": observation, "mask": info["action_mask"]})
            if isinstance(env.action_space, gymnasium.spaces.MultiDiscrete):
                action = env.action_space.sample(mask=env.unwrapped.sample_mask())
            elif isinstance(env.action_space, gymnasium.spaces.Discrete):
                action = env.action_space.sample(mask=info["action_mask"].astype(np.int8))
            else:
                action = env.action_space.sample()
            observation, reward, terminated, truncated, info = env.step(action)
            trace.append({"reward": reward, "end": (terminated, truncated)})
            total, done = total + reward, terminated or truncated
        trace.append({"observation": observation, "return": total, "info": info})
    return trace


def play_parallel(env, seed):
    """The same of a PettingZoo environment."""
    for agent in env.possible_agents:
        env.action_space(agent).seed(seed)
    observations, infos = env.reset(seed=seed)
    trace = [{"o": observations, "i": infos}]
    while env.agents:
        actions = {a: env.action_space(a).sample(infos[a]["action_mask"]) for a in env.agents}
        observations, rewards, terminations, truncations, infos = env.step(actions)
        trace.append({"o": observations, "r": rewards, "t": terminations, "c": truncations, "i": infos})
    return trace


INFOS = {"mask", "info", "i"}
"""Keys of a trace that hold no play."""


def golden():
    """Both digests of a seeded episode of every environment with each of its options."""
    traces = {
        f"{name} {json.dumps(options)}" if options else name: play(make(name, options), seed=11)
        for name in sorted(ENVIRONMENTS)
        for options in OPTIONS[name]
    }
    for module in PARALLEL:
        env = module.parallel_env(days=3)
        traces[env.metadata["name"]] = play_parallel(env, seed=11)
    return {name: {"play": digest(_parts(t, False)), "infos": digest(_parts(t, True))} for name, t in traces.items()}


def _parts(trace, infos):
    """What a trace tells of infos, or of all else."""
    return [{key: value for key, value in moment.items() if (key in INFOS) == infos} for moment in trace]


def digest(trace):
    """A digest of every bit of a trace."""
    state = hashlib.sha256()

    def feed(value):
        if isinstance(value, dict):
            for key in sorted(value):
                state.update(key.encode())
                feed(value[key])
        elif isinstance(value, list | tuple):
            for item in value:
                feed(item)
        elif isinstance(value, np.ndarray):
            state.update(value.tobytes())
        else:
            state.update(repr(value.item() if isinstance(value, np.generic) else value).encode())

    feed(trace)
    return state.hexdigest()


if __name__ == "__main__":
    print(json.dumps(golden(), indent=1))
