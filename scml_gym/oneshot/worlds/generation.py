"""World generators: where WorldSpecs come from."""

from __future__ import annotations

from scml_gym.core.arguments import Range, whole_range
from scml_gym.oneshot.view import MAX_PARTNERS
from scml_gym.oneshot.worlds.spec import WorldSpec
from scml_gym.simulator.world_spec import MOST_DAYS


def league_spec(seed: int, days: Range = (50, 200), factories_per_level: Range = (4, 8)) -> WorldSpec:
    """A world as the league draws it: scml's own generator for the 2024 OneShot world, made a function of the seed.

    Args:
        seed: Any integer; the same one gives the same spec in every process.
        days: Simulated days, at least 3.
        factories_per_level: Drawn for each level of its own; 1 to ``MAX_PARTNERS``.

    Raises:
        InputError: if a range is empty or outside what a world can hold.

    Source: scml/oneshot/world.py, ``SCMLBaseWorld.generate``; daily penalties as in its constructor.
    """
    days = whole_range("days", days, 3, MOST_DAYS)  # scml generates no world of fewer than three days
    factories_per_level = whole_range("factories_per_level", factories_per_level, 1, MAX_PARTNERS)
    from scml.oneshot.world import SCML2024OneShotWorld

    from scml_gym.simulator.scml_parameters import generated_fields

    ranges = {"n_steps": days, "n_agents_per_process": factories_per_level}
    return WorldSpec(**generated_fields(seed, SCML2024OneShotWorld.generate, "disposal_cost", **ranges))
