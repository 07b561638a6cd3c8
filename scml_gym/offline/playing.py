"""Episodes of environments that are played one at a time, single ones and PettingZoo's."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from gymnasium import spaces

from scml_gym.core.errors import InputError
from scml_gym.offline.behaviours import Behaviour
from scml_gym.offline.seats import seat_of

AGENT = "agent"
"""Of a single environment."""

MASK = "action_mask"


class Episode(NamedTuple):
    """An episode of one agent, of ``n`` steps.

    Attributes:
        kind: Of the agent.
        agent: Its name.
        seed: That the environment was reset with; None where it went on from the episode before.
        observations: ``(n + 1, ...)``, or a dict of such arrays.
        actions, rewards, terminations, truncations: ``(n, ...)``.
        infos: ``(n + 1, ...)`` by name; 0 where a step does not tell it.
    """

    kind: str
    agent: str
    seed: int | None
    observations: Any
    actions: np.ndarray
    rewards: np.ndarray
    terminations: np.ndarray
    truncations: np.ndarray
    infos: dict[str, Any]

    @property
    def steps(self) -> int:
        """Decisions in it."""
        return len(self.rewards)


class Track:
    """What one agent has seen and done in a running episode."""

    def __init__(self, kind: str, agent: str, seed: int | None):
        self._named, self._seen, self._infos = (kind, agent, seed), list[Any](), list[Mapping[str, Any]]()
        self._done = tuple[list[Any], ...](([], [], [], []))  # actions, rewards, terminations, truncations

    def see(self, observation: Any, info: Mapping[str, Any]) -> None:
        """A decision is due, or the episode has ended."""
        self._seen.append(observation)
        self._infos.append(info)

    def do(self, *told: Any) -> None:
        """A step: its action, reward, termination and truncation."""
        for numbers, number in zip(self._done, told, strict=True):
            numbers.append(number)

    def episode(self) -> Episode:
        """All of it."""
        actions, rewards, terminations, truncations = self._done
        ends = np.array(terminations, dtype=np.bool_), np.array(truncations, dtype=np.bool_)
        infos = columns(self._infos)
        return Episode(*self._named, stacked(self._seen), np.array(actions), np.array(rewards, float), *ends, infos)


def stacked(observations: Sequence[Any]) -> Any:
    """Observations as one array, or a dict of arrays."""
    if isinstance(observations[0], Mapping):
        return {name: np.stack([seen[name] for seen in observations]) for name in observations[0]}
    return np.stack(observations)


SUMMARY = "summary"
"""Among an episode's infos: a record for each step, with what some steps tell and others do not; 0 where it is not."""

TEXT = "S16"
"""Of texts in it."""


def columns(infos: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Infos of steps as arrays by name; the mask is bool, choice after choice; see `SUMMARY` for the rest."""
    regular, last = dict[str, Any](), dict[str, np.ndarray]()
    infos = [flat_info(info) for info in infos]
    for name in dict.fromkeys(name for info in infos for name in info):
        told = [info.get(name) for info in infos]
        known = next((value for value in told if value is not None), None)
        if name == MASK:
            regular[name] = np.stack([flat_mask(value) for value in told])
        elif known is not None:
            kind = TEXT if isinstance(known, str) else np.asarray(known).dtype
            nothing = "" if isinstance(known, str) else np.zeros_like(known)
            column = np.array([nothing if value is None else value for value in told], dtype=kind)
            (regular if all(name in info for info in infos) else last)[name] = column
    return regular | summarised(last)


def flat_info(info: Mapping[str, Any]) -> dict[str, Any]:
    """An info whose mappings are told number by number: ``end_price`` for the ``price`` in ``end``."""
    flat: dict[str, Any] = {}
    for name, value in info.items():
        flat |= {f"{name}_{key}": part for key, part in value.items()} if isinstance(value, Mapping) else {name: value}
    return flat


def summarised(last: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Columns as one array of records, named `SUMMARY`: HDF5 takes long for many small arrays."""
    if not last:
        return {}
    kinds = [(name, TEXT if c.dtype.kind == "S" else c.dtype, c.shape[1:]) for name, c in sorted(last.items())]
    records = np.zeros(len(next(iter(last.values()))), dtype=kinds)
    for name, column in last.items():
        records[name] = column
    return {SUMMARY: records}


def flat_mask(mask: Any) -> np.ndarray:
    """A mask as an environment's info has it, choice after choice, bool."""
    return np.concatenate([np.atleast_1d(part) for part in mask] if isinstance(mask, tuple) else [mask]).astype(
        np.bool_
    )


def play_single(env: Any, behaviour: Behaviour, seed: int) -> Iterator[Episode]:
    """The episodes of the world of one seed, in a Gymnasium environment; one where an episode is a world."""
    plain, told = env.unwrapped, seed
    world: Any = None
    while True:
        observation, info = env.reset(seed=told)
        if told is None and plain.world is not world:
            return  # that would be the next world of this seed
        behaviour.begin(plain, seed)
        track, over = Track(AGENT, AGENT, told), False
        track.see(observation, info)
        while not over:
            action = behaviour.act(plain, AGENT, observation, flat_mask(info[MASK]))
            observation, reward, terminated, truncated, info = env.step(action)
            over = terminated or truncated
            track.do(action, reward, terminated, truncated)
            track.see(observation, info)
        yield track.episode()
        if not getattr(plain, "goes_on", False):
            return
        world, told = plain.world, None


def play_parallel(env: Any, behaviour: Behaviour, seed: int) -> Iterator[Episode]:
    """The episodes of all agents of one world, in a PettingZoo environment."""
    observations, infos = env.reset(seed=seed)
    behaviour.begin(env, seed)
    tracks = {agent: Track(kind_of(env, agent), agent, seed) for agent in env.agents}
    for agent, track in tracks.items():
        track.see(observations[agent], infos[agent])
    while env.agents:
        due = {a: flat_mask(infos[a][MASK]) for a in env.agents}
        actions = {a: behaviour.act(env, a, observations[a], mask) for a, mask in due.items()}
        observations, rewards, terminations, truncations, infos = env.step(actions)
        for a, action in actions.items():
            tracks[a].do(action, rewards[a], terminations[a], truncations[a])
            tracks[a].see(observations[a], infos[a])
    for track in tracks.values():
        yield track.episode()


def kind_of(env: Any, agent: str) -> str:
    """The kind of an agent of a PettingZoo environment."""
    try:
        return seat_of(env, agent).kind
    except InputError:  # nobody's answers are its actions, but it has a level
        return f"level-{env.view(agent)['level']}"


def agent_spaces(env: Any) -> tuple[spaces.Space, spaces.Space]:
    """Observations and actions of an agent of an environment, whose agents all have the same."""
    agents = getattr(env, "possible_agents", None)
    if agents is None:
        return env.observation_space, env.action_space
    return env.observation_space(agents[0]), env.action_space(agents[0])
