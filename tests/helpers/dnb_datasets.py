"""Small data sets of answers to offers."""

import numpy as np

from scml_gym.agents.dnb.dataset_config import DatasetConfig
from scml_gym.core.config import validate


def config(**changes):
    return {
        "source": "compiled",
        "worlds": 5,
        "days": (4, 6),
        "factories_per_level": (2, 4),
        "opponents": {"greedy": 1.0, "subset-population": 2.0, "random": 1.0},
        "held_out": ["greedy"],
        "test_worlds": 0.3,
        "share": 1.0,
        "worlds_per_shard": 2,
        "logs": [],
    } | changes


def hyperparameters(**changes) -> DatasetConfig:
    return validate(DatasetConfig, config(**changes))


def in_order(records):
    sample = records["sample"]
    return records[np.lexsort((records["index"], records["partner"], records["factory"], sample["day"]))]
