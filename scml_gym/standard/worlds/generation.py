"""World generators: where WorldSpecs come from."""

from __future__ import annotations

from scml_gym.core.arguments import Range, whole_range
from scml_gym.simulator.world_spec import MOST_DAYS
from scml_gym.standard.view import MAX_LEVELS, MAX_PER_LEVEL, MIN_LEVELS
from scml_gym.standard.worlds.spec import WorldSpec, with_all_products


def league_spec(
    seed: int, days: Range = (50, 200), factories_per_level: Range = (4, 8), n_levels: Range = (2, 4)
) -> WorldSpec:
    """A world as the league draws it: scml's own generator for the 2024 Standard world, made a function of the seed.

    Args:
        seed: Any integer; the same one gives the same spec in every process.
        days: Simulated days, more than there are levels.
        factories_per_level: Drawn for each level of its own; 1 to ``MAX_PER_LEVEL``.
        n_levels: Levels of factories, ``MIN_LEVELS`` to ``MAX_LEVELS``; the league's tournaments draw 2 to 4, while the
            class by itself would draw 2 or 3.

    Raises:
        InputError: if a range is empty or outside what a world can hold.

    Source: scml/std/world.py, ``StdWorld.generate``; daily penalties as in the constructor of scml/oneshot/world.py.
    """
    n_levels = whole_range("n_levels", n_levels, MIN_LEVELS, MAX_LEVELS)
    days = whole_range("days", days, n_levels[1] + 1, MOST_DAYS)  # scml generates no world of fewer days
    factories_per_level = whole_range("factories_per_level", factories_per_level, 1, MAX_PER_LEVEL)
    from scml.std.world import SCML2024StdWorld

    from scml_gym.simulator.scml_parameters import generated_fields

    ranges = {"n_steps": days, "n_agents_per_process": factories_per_level, "n_processes": n_levels}
    return WorldSpec(**with_all_products(generated_fields(seed, SCML2024StdWorld.generate, "storage_cost", **ranges)))
