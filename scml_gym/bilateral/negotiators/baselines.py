"""The bids of AgentK with the acceptance rules of the literature."""

from __future__ import annotations

from scml_gym.bilateral.negotiators.acceptance import AC_COMBI, AC_CONST, AC_NEVER, AC_NEXT, AC_TIME, with_acceptance
from scml_gym.bilateral.negotiators.agent_k import AGENT_K

AGENT_K_AC_NEXT = with_acceptance(AGENT_K, AC_NEXT)
AGENT_K_AC_CONST = with_acceptance(AGENT_K, AC_CONST)
AGENT_K_AC_TIME = with_acceptance(AGENT_K, AC_TIME)
AGENT_K_AC_COMBI = with_acceptance(AGENT_K, AC_COMBI)
AGENT_K_AC_NEVER = with_acceptance(AGENT_K, AC_NEVER)
