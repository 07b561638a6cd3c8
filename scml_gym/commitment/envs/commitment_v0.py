"""commitment_v0: the Markov commitment game of any parallel environment with discrete actions."""

from __future__ import annotations

from typing import Any

import numpy as np
from gymnasium import spaces
from gymnasium.utils import EzPickle
from pettingzoo import ParallelEnv

from scml_gym.commitment.base import one_hot, whole_actions
from scml_gym.commitment.mega import check_mega_step, nth_action
from scml_gym.core.arguments import brief
from scml_gym.core.errors import InputError

PROPOSE, COMMIT, ACT = range(3)
REJECT, ACCEPT = range(2)


def unanimous(commitments: np.ndarray) -> np.ndarray:
    """Whether an agreement binds: all agents commit. Shape ``(*rows, agents)`` of 0 and 1 -> bool, ``rows``."""
    return (commitments == ACCEPT).all(axis=-1)


class CommitmentEnv(ParallelEnv, EzPickle):
    """Agents of any parallel environment propose actions, commit to each other's proposals or not, and act.

    ## Description
    A step of the underlying environment becomes up to three sub-steps. In *propose* each agent names an action that it
    would play; in *commit* each sees all proposals and accepts or rejects them as a whole. If all accept, the proposals
    are binding: they are played at once, and *act* is skipped. Otherwise each agent chooses its action in *act*. With
    ``mega_step=k`` proposals and actions are sequences of k actions, numbered with the first one counting most.

    ## Action Space
    ``Discrete(n)`` for each agent, n the larger of 2 and its number of actions to the power ``mega_step``. In *propose*
    and *act* actions of the environment (sequences of them), in *commit* 0 rejects and 1 accepts.
    ``info[agent]["action_mask"]``: the valid ones in this phase, int8, shape ``(n,)``. Where the environment has an
    ``action_mask`` in an agent's info, only sequences whose first action it allows may be proposed or played. What it
    will allow in the later steps of a sequence is not known when that is chosen: they are passed on as they are, and
    the environment does with an invalid one what it always does.

    ## Observation Space
    ``Box(float32)``: the environment's observation, flattened; the phase (propose, commit, act), one-hot; the proposal
    of each possible agent, one-hot (zeros while there is none).

    ## Rewards
    The environment's, summed over a mega-step. They come with the sub-step that plays in it, which is *act*, or
    *commit* where an agreement binds; all other sub-steps pay 0.

    ## Starting State
    The environment's, in *propose*.

    ## Episode End
    As in the environment. An agent that is done leaves; the others go on, and an agreement needs those that are left.

    ## Information
    For each agent ``action_mask``, ``phase`` (0 to 2), ``played``: whether this sub-step played a step of the
    environment, ``agreement``: whether an agreement bound it (False where none was played), and the environment's own
    information.

    ## Arguments
    ``env``, a PettingZoo parallel environment whose action spaces are all ``Discrete``; ``mega_step``, from 1 on, with
    which no agent may have more than 65536 sequences.

    ## Version History
    v0: the first version. A v1 is made when the same seed and actions no longer give the same observations, rewards and
    ends. New arguments whose defaults keep them, further keys of the infos, and changes of speed make no new version.

    ## Example
    ```python
    from scml_gym.commitment import commitment_env, parallel_env

    env = commitment_env(parallel_env("purely-conflicting"), mega_step=2)
    observations, infos = env.reset(seed=7)
    while env.agents:
        actions = {agent: env.action_space(agent).sample(infos[agent]["action_mask"]) for agent in env.agents}
        observations, rewards, terminations, truncations, infos = env.step(actions)
    ```

    Source: "Learning to Negotiate via Voluntary Commitment", Markov commitment games.

    Raises:
        InputError: for what is no parallel environment or has other action spaces, a mega-step that is too long or does
            not divide its horizon (where it tells one), or in ``step`` an action that the mask does not have, an agent
            that is not there, or no agent at all (before ``reset`` and after the end).
    """

    metadata = {"name": "commitment_v0", "render_modes": [], "is_parallelizable": True}

    def __init__(self, env: Any, mega_step: int = 1) -> None:
        if not isinstance(env, ParallelEnv):
            raise InputError(
                f"env: {brief(env)} is no PettingZoo parallel environment; "
                "scml_gym.commitment.parallel_env makes one of a game"
            )
        EzPickle.__init__(self, env, mega_step)
        self.env: Any = env
        self.render_mode = None
        self.possible_agents = list(env.possible_agents)
        self.agents: list[str] = []
        self._base_actions = {agent: _discrete(env, agent) for agent in self.possible_agents}
        horizon, most = getattr(env, "horizon", None), max(self._base_actions.values())
        self.mega_step = check_mega_step(mega_step, horizon, most)
        self.sequences = {agent: count**self.mega_step for agent, count in self._base_actions.items()}
        self.action_spaces = {agent: spaces.Discrete(max(2, n)) for agent, n in self.sequences.items()}
        self.observation_spaces = {agent: self._space(agent) for agent in self.possible_agents}
        self.phase = PROPOSE
        self._seen: dict[str, Any] = {}
        self._infos: dict[str, dict] = {}
        self._proposals: dict[str, int] = {}

    def observation_space(self, agent: str) -> spaces.Space:
        """Of one agent."""
        return self.observation_spaces[agent]

    def action_space(self, agent: str) -> spaces.Space:
        """Of one agent."""
        return self.action_spaces[agent]

    def reset(self, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[dict, dict]:
        """Start an episode, in *propose*."""
        self._seen, self._infos = self.env.reset(seed=seed, options=options)
        self.agents = list(self.env.agents)
        self.phase, self._proposals = PROPOSE, {}
        return self._observations(self.agents), self._informed(self.agents)

    def step(self, actions: dict[str, Any]) -> tuple[dict, dict, dict, dict, dict]:
        """One sub-step."""
        chosen = whole_actions(self.agents, actions)
        for agent, action in chosen.items():
            self._check(agent, action)
        if self.phase == PROPOSE:
            self._proposals, self.phase = chosen, COMMIT
        elif self.phase == ACT:
            return self._play(chosen, agreement=False)
        elif unanimous(np.array(list(chosen.values()))):
            return self._play(self._proposals, agreement=True)
        else:
            self.phase = ACT
        nothing = dict.fromkeys(self.agents, False)
        rewards = dict.fromkeys(self.agents, 0.0)
        infos = self._informed(self.agents)
        return self._observations(self.agents), rewards, nothing, dict(nothing), infos

    def close(self) -> None:
        """Close the environment."""
        self.env.close()

    def _play(self, chosen: dict[str, int], agreement: bool) -> tuple[dict, dict, dict, dict, dict]:
        agents = self.agents
        total = dict.fromkeys(agents, 0.0)
        ended, cut = dict.fromkeys(agents, False), dict.fromkeys(agents, False)
        for k in range(self.mega_step):
            base = {
                agent: int(nth_action(chosen[agent], k, self.mega_step, self._base_actions[agent]))
                for agent in self.env.agents
            }
            seen, rewards, terminations, truncations, infos = self.env.step(base)
            self._seen |= seen
            self._infos |= infos
            for agent in base:
                total[agent] += rewards[agent]
                ended[agent], cut[agent] = terminations[agent], truncations[agent]
            if not self.env.agents:
                break
        self.agents = list(self.env.agents)
        self.phase, self._proposals = PROPOSE, {}
        return self._observations(agents), total, ended, cut, self._informed(agents, played=True, agreement=agreement)

    def _check(self, agent: str, action: int) -> None:
        mask = self._mask(agent)
        if not 0 <= action < len(mask) or not mask[action]:
            phase = ("propose", "commit", "act")[self.phase]
            raise InputError(f"{agent}: {action} is not valid in {phase}; valid: {_ranges(mask)}")

    def _mask(self, agent: str) -> np.ndarray:
        count = self.sequences[agent]
        mask = np.zeros(max(2, count), dtype=np.int8)
        if self.phase == COMMIT:
            mask[:2] = 1
        else:
            first = self._infos.get(agent, {}).get("action_mask", np.ones(1))
            mask[:count] = np.repeat(np.asarray(first) != 0, count // len(first))
        return mask

    def _informed(self, agents: list[str], played: bool = False, agreement: bool = False) -> dict[str, dict]:
        more = {"phase": self.phase, "played": played, "agreement": agreement}
        return {agent: self._infos.get(agent, {}) | {"action_mask": self._mask(agent)} | more for agent in agents}

    def _observations(self, agents: list[str]) -> dict[str, np.ndarray]:
        phase = np.eye(3)[self.phase]
        proposals = [one_hot(np.array(self._proposals.get(agent, -1)), n) for agent, n in self.sequences.items()]
        shared = np.concatenate([phase, *proposals])
        return {agent: np.concatenate([self._flat(agent), shared]).astype(np.float32) for agent in agents}

    def _flat(self, agent: str) -> np.ndarray:
        return np.asarray(spaces.flatten(self.env.observation_space(agent), self._seen[agent]))

    def _space(self, agent: str) -> spaces.Box:
        base = spaces.flatten_space(self.env.observation_space(agent))
        if not isinstance(base, spaces.Box):
            raise InputError(f"{agent}: observations of {self.env.observation_space(agent)} have no fixed flat form")
        more = 3 + sum(self.sequences.values())
        low = np.concatenate([base.low, np.zeros(more)]).astype(np.float32)
        high = np.concatenate([base.high, np.ones(more)]).astype(np.float32)
        return spaces.Box(low, high, dtype=np.float32)


def _ranges(mask: np.ndarray) -> str:
    """Where a mask is set, as in ``0 to 3, 5``."""
    valid = np.flatnonzero(mask)
    runs = np.split(valid, np.flatnonzero(np.diff(valid) > 1) + 1)
    return ", ".join(f"{run[0]} to {run[-1]}" if len(run) > 1 else str(run[0]) for run in runs if len(run)) or "none"


def _discrete(env: Any, agent: str) -> int:
    space = env.action_space(agent)
    if not isinstance(space, spaces.Discrete):
        raise InputError(f"{agent}: its actions are {space}; only Discrete ones can be proposed and committed to")
    if space.start != 0:
        raise InputError(f"{agent}: its actions start at {space.start}; 0 is needed")
    return int(space.n)
