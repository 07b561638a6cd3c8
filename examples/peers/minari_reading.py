"""Minari: record a strategy, read its decisions, and make the environment again.

python examples/peers/minari_reading.py
"""

import tempfile

import minari
import numpy as np

from scml_gym.offline.command import dataset_command


def main() -> None:
    namespace = "peers"
    (name,) = dataset_command(["best-subset"], "scml_gym/OneShotConcurrent-v0", ["days=3"], 5, 7, namespace)
    dataset = minari.load_dataset(name)
    returns = [episode.rewards.sum() for episode in dataset.iterate_episodes()]
    env = dataset.recover_environment()
    print(dataset.total_steps, "decisions, mean score", 1 + np.mean(returns), "in", env.spec.id)


if __name__ == "__main__":
    import os

    with tempfile.TemporaryDirectory() as folder:
        os.environ["MINARI_DATASETS_PATH"] = folder
        main()
