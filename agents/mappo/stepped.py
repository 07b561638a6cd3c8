"""PettingZoo environments that are stepped one by one as `scml_gym.agents.mappo.worlds.Worlds`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from scml_gym.agents.mappo.layout import Layout
from scml_gym.agents.mappo.worlds import CHANGED, SUMMARY, Outcome, Seen, has_choice


class SteppedWorlds:
    """PettingZoo environments, one after the other, see `Worlds`; agents come and go as they say.

    Args:
        envs: Of one kind, which are alike.
        identity: See `Layout`.
    """

    def __init__(self, envs: Sequence[Any], identity: str):
        self._envs, self._agents = envs, list(envs[0].possible_agents)
        seen, done = ([of(agent) for agent in self._agents] for of in (envs[0].observation_space, envs[0].action_space))
        self.layout = Layout(seen, done, identity)
        self._index = {agent: i for i, agent in enumerate(self._agents)}
        self._seed, self._episodes = 0, np.zeros(len(envs), np.int64)
        self._played: list[list[np.ndarray]] = [[] for _ in envs]
        self._seen = self._nothing()

    def _nothing(self) -> Seen:
        """Nobody is there."""
        n = len(self._envs), len(self._agents)
        inputs = np.zeros((*n, self.layout.inputs), np.float32)
        masks = np.zeros((*n, self.layout.own.shape[1]), np.bool_)
        return Seen(inputs, masks, *(np.zeros(n, np.bool_) for _ in range(2)))

    def reset(self, seed: int) -> Seen:
        """See `Worlds`."""
        self._seed, self._episodes[:] = seed, 0
        for world in range(len(self._envs)):
            self._begin(world)
        return self._copy()

    def _begin(self, world: int) -> None:
        """Begin the next episode of a world; its seed is of the world and of its number of episodes."""
        drawn = np.random.SeedSequence(self._seed, spawn_key=(world, int(self._episodes[world])))
        self._played[world] = []
        self._write(world, *self._envs[world].reset(seed=int(drawn.generate_state(1)[0]) % 2**31))

    def _write(self, world: int, observations: Mapping[str, Any], infos: Mapping[str, Any]) -> None:
        """Write what the agents of a world see now."""
        inputs, masks, present, active = (part[world] for part in self._seen)
        present[:], active[:] = False, False
        for agent in self._envs[world].agents:
            i, info = self._index[agent], infos.get(agent, {})
            self.layout.observe(i, observations[agent], inputs[i])
            masks[i] = self.layout.mask(i, observations[agent], info)
            present[i], active[i] = True, info.get("my_turn", True)
        inputs[~present], masks[~present] = 0.0, self.layout.own[~present]
        active &= has_choice(masks, self.layout.heads)

    def _play(self, world: int, choices: np.ndarray) -> Any:
        env, played = self._envs[world], self._played[world]
        played.append(choices.copy())
        return env.step(
            {agent: self.layout.action(i, choices[i]) for agent in env.agents for i in (self._index[agent],)}
        )

    def step(self, actions: np.ndarray) -> tuple[Seen, Outcome]:
        """See `Worlds`."""
        shape, over = self._seen.present.shape, np.zeros(len(self._envs), np.bool_)
        rewards, (ended, cut, changed) = np.zeros(shape), [np.zeros(shape, np.bool_) for _ in range(3)]
        last, told = None, {}
        for world, env in enumerate(self._envs):
            observations, paid, terminations, truncations, infos = self._play(world, actions[world])
            for agent, reward in paid.items():
                i = self._index[agent]
                rewards[world, i] = reward
                ended[world, i] = terminations[agent] or truncations[agent]
                cut[world, i] = truncations[agent] and not terminations[agent]
                info = infos.get(agent, {})
                changed[world, i] = np.any(info.get(CHANGED, False))
                ended[world, i] |= bool(info.get("negotiation_end", False))
            if cut[world].any():
                last = last or self._nothing()
                self._write_last(world, observations, cut[world], last)
            over[world] = not env.agents
            if over[world]:
                for name in SUMMARY:
                    told.setdefault(name, []).extend([i[name] for i in list(infos.values())[:1] if name in i])
                self._episodes[world] += 1
                self._begin(world)
            else:
                self._write(world, observations, infos)
        summary = {name: np.array(values) for name, values in told.items() if values}
        return self._copy(), Outcome(rewards, ended, cut, changed, last, over, summary)

    def _write_last(self, world: int, observations: Mapping[str, Any], cut: np.ndarray, last: Seen) -> None:
        """Write what those agents saw last that were cut."""
        last.present[world] = cut
        for i in np.flatnonzero(cut).tolist():
            self.layout.observe(i, observations[self._agents[i]], last.inputs[world, i])

    def _copy(self) -> Seen:
        return Seen(*(part.copy() for part in self._seen))

    def arrays(self) -> dict[str, np.ndarray]:
        """See `Worlds`."""
        lengths = np.array([len(played) for played in self._played])
        played = [choices for actions in self._played for choices in actions]
        shape = (-1, len(self._agents), len(self.layout.heads))
        actions = np.array(played, np.int64).reshape(shape)
        return {"seed": np.array(self._seed), "episodes": self._episodes, "lengths": lengths, "actions": actions}

    def restore(self, arrays: Mapping[str, np.ndarray]) -> None:
        """See `Worlds`: the episodes that ran are played again."""
        self._seed, self._episodes[:] = int(arrays["seed"]), arrays["episodes"]
        done = np.concatenate([[0], np.cumsum(arrays["lengths"])])
        for world in range(len(self._envs)):
            self._begin(world)
            for choices in arrays["actions"][done[world] : done[world + 1]]:
                observations, _, _, _, infos = self._play(world, choices)
                self._write(world, observations, infos)

    def close(self) -> None:
        """See `Worlds`."""
        for env in self._envs:
            env.close()
