"""Agents of scml whose answers are looked at, or made safe, before the simulation has them."""

from __future__ import annotations

import copyreg
import functools
from typing import Any

from scml_gym.core.copying import Uncopied
from scml_gym.simulator import looking
from scml_gym.simulator.pending import Look
from scml_gym.standard.safety.answers import restrict_answers
from scml_gym.standard.safety.bounds import BOUNDS
from scml_gym.standard.view import new_actions
from scml_gym.standard.worlds.adapters import StandardObserver

SEEN = looking.Seen(StandardObserver, new_actions)


def look_at(agent: Any, look: Look) -> None:
    """Show a function every decision of an agent of the Standard track; to be called before its first day.

    Args:
        agent: Any scml agent of the Standard track.
        look: ``(view, actions)``: sees what the agent answers to a view; what it changes is what the simulation has.
    """
    looking.look_at(agent, SEEN, look)


class Shielded(Uncopied):
    """What the instances of all shielded classes are."""

    why_not = "a shield looks at the world of this agent; copy or pickle its class, and make another one of it"


@functools.cache
def shielded_class(agent: type, bound: int, chance: float) -> type:
    """The class of agents that are those of another class, whose answers are made safe; see `shield_player`."""

    def make(self: Any, *arguments: Any, **named: Any) -> None:
        super(shielded, self).__init__(*arguments, **named)
        look_at(self, lambda view, actions: restrict_answers(view, actions, BOUNDS[bound], chance))

    shielded = _type_of_shielded(type(agent))(
        f"Shielded{agent.__name__}",
        (Shielded, agent),
        {
            "__init__": make,
            "__doc__": f"{agent.__name__}, shielded.",
            "__module__": __name__,
            "made_of": (agent, bound, chance),
        },
    )
    return shielded


@functools.cache
def _type_of_shielded(kind: type) -> type:
    """The type of shielded classes: pickles find classes by name, and these by what they are made of."""
    made = type(f"Shielded{kind.__name__}", (kind,), {})
    copyreg.pickle(made, lambda shielded: (shielded_class, shielded.made_of))
    return made
