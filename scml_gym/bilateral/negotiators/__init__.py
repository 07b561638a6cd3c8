"""Bilateral negotiators, each written once as functions over a table of utilities, so that they play in every world."""

from __future__ import annotations

from typing import Any

from scml_gym.core.registry import Registry, load_object

NEGOTIATORS = Registry("negotiator")
"""Name -> `scml_gym.bilateral.negotiators.base.TableStrategy`."""

ACCEPTANCE_RULES = Registry("acceptance rule")
"""Name -> `scml_gym.bilateral.negotiators.acceptance.AcceptanceRule`."""

_RULES = ("AC_next", "AC_const", "AC_time", "AC_combi", "AC_never")

for _name, _path in {
    "AgentK": "agent_k:AGENT_K",
    "Gahboninho": "gahboninho:GAHBONINHO",
    "boulware": "time_dependent:BOULWARE",
    "linear": "time_dependent:LINEAR",
    "conceder": "time_dependent:CONCEDER",
    "hardliner": "time_dependent:HARDLINER",
    **{f"AgentK+{_rule}": f"baselines:AGENT_K_{_rule.upper()}" for _rule in _RULES},
}.items():
    NEGOTIATORS.register(_name, f"scml_gym.bilateral.negotiators.{_path}")

for _name in _RULES:
    ACCEPTANCE_RULES.register(_name, f"scml_gym.bilateral.negotiators.acceptance:{_name.upper()}")


def __getattr__(name: str) -> Any:
    """The negmas negotiators, which load negmas, when they are asked for."""
    if name in ("AgentK", "Gahboninho", "Boulware", "TableNegotiator"):
        return load_object(f"scml_gym.bilateral.negotiators.negmas_negotiators:{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
