"""Which agents a step of a parallel environment is given actions of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from scml_gym.core.errors import InputError, nearest


def check_agents(agents: Sequence[str], actions: Mapping[str, Any]) -> None:
    """Refuse actions where no agent is left, before ``reset``, after the end and after ``close``, or of others.

    Raises:
        InputError: if so.
    """
    if not agents:
        raise InputError("no agent is left to act: reset the environment first")
    for agent in actions:
        if agent not in agents:
            raise InputError(f"{agent}: there is no such agent{nearest(str(agent), agents)}")
