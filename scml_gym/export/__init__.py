"""Agents for scml's league: what was trained or written here, as a folder that needs scml and NumPy alone."""

from __future__ import annotations

from pathlib import Path

from scml_gym.export.folder import Trial, check_folder, write_submission
from scml_gym.export.modules import export_module
from scml_gym.export.players import exported_player

__all__ = ["Trial", "export_module", "export_player"]


def export_player(player: str | Path, out: str | Path, name: str = "", game: str = "") -> Trial:
    """Write a player as a submission for scml's league: a folder that needs scml and NumPy alone.

    Args:
        player: A run folder, a strategy (``best-subset``, ``greedy?own_needs=1``), a policy file, or ``module:Name``
            (an own `Strategy`, or a callable ``(seed) -> FactoryPolicy``).
        out: The new folder; its name is an identifier, as it is a package.
        name: Of the agent's class; made of the folder's by default.
        game: In which a strategy or a callable plays; OneShot by default.

    Returns:
        How it did in a short world, played without this package, torch and Numba.

    Raises:
        InputError: if there is no such player, it cannot be exported (the message says which part), or the folder is
            there and not empty. Nothing is written then.
    """
    check_folder(Path(out), name)  # before anything is computed
    return write_submission(exported_player(str(player), game), Path(out), name)
