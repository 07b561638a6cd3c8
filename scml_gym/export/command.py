"""The command ``export``."""

from __future__ import annotations

from pathlib import Path

from scml_gym.export import export_player


def export_command(player: str, out: Path, name: str, game: str) -> None:
    """Write a submission and say what it is; see `scml_gym.export.export_player`.

    Raises:
        InputError: likewise.
    """
    trial = export_player(player, out, name, game)
    print(f"{out}: class {out.resolve().name}.agent.{trial.name}, needs scml and NumPy alone")
    told = (
        f"{trial.decisions} decisions, {1000 * trial.mean:.1f} ms each on average, {1000 * trial.most:.0f} ms at most"
    )
    print(f"trial in a short world without torch, Numba and scml_gym: {told}")
