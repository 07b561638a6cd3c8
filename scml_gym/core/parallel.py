"""Which agents a step of a parallel environment is given actions of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from scml_gym.core.arguments import brief
from scml_gym.core.errors import InputError, nearest


def check_agents(agents: Sequence[str], actions: Any) -> None:
    """Refuse actions that are no dict, or of agents that are not there.

    Raises:
        InputError: if so, and where no agent is left: before ``reset``, after the end and after ``close``.
    """
    if not agents:
        raise InputError("no agent is left to act: reset the environment first")
    if not isinstance(actions, Mapping):
        raise InputError(f"actions: {brief(actions)} is not valid; a dict from agents to actions is needed")
    for agent in actions:
        if agent not in agents:
            raise InputError(f"{agent}: there is no such agent{nearest(str(agent), agents)}")
