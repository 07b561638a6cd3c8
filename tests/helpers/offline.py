"""Small datasets."""

from pathlib import Path

from scml_gym.offline.command import dataset_command

CONCURRENT = "scml_gym/OneShotConcurrent-v0"
SMALL = ("days=3", "factories_per_level=[2, 4]", "opponents=[best-subset, greedy, random]")
"""Of an environment that other tests compile too."""


def small_dataset(monkeypatch, folder: Path, *options: str, competitor="best-subset", episodes=12) -> str:
    """Its name; it is recorded where Minari looks during the test."""
    monkeypatch.setenv("MINARI_DATASETS_PATH", str(folder))
    return dataset_command([competitor], CONCURRENT, [*SMALL, *options], episodes, 0, "tests")[0]
