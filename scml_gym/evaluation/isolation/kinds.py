"""Names and limits that all parts of an evaluation share."""

from __future__ import annotations

from typing import Any

Result = dict[str, Any]
"""What a worker answers, see `scml_gym.evaluation.worker`."""

MISMATCH = "mismatch"
"""The failure of a world that is not what its process says of it."""

TOGETHER, AGENTS = "none", "agents"
ISOLATION = (TOGETHER, AGENTS)
"""How players are kept from each other: all of a world in one process, or each in a process of its own."""

SLOWEST = 10
"""How many times longer than its limit an isolated player may take that the system does not let compute."""
