"""What tests of D-NB's acceptance models share: hyperparameters, samples with every field in its range, models."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np

from scml_gym.agents.dnb.dataset import Dataset
from scml_gym.agents.dnb.models import MODELS, AcceptanceModel
from scml_gym.agents.dnb.records import SAMPLE_DTYPE
from scml_gym.core.config import validate

SMALL = {
    "base-rate": {"mean": 0.3},
    "logistic": {"penalty": 1.0, "iterations": 100},
    "transformer": {
        "width": 8,
        "layers": 2,
        "heads": 2,
        "feedforward": 12,
        "events": 5,
        "dropout": 0.0,
        "rate": 1e-2,
        "weight_decay": 0.0,
        "correction": 1.0,
        "batch": 128,
        "epochs": 12,
        "patience": 12,
    },
}
"""Hyperparameters of every kind of model, for tests."""

BAR = SimpleNamespace(update=lambda step, note="": None)


def hyperparameters_of(name, **changes):
    return validate(MODELS.get(name).hyperparameters, SMALL[name] | changes)


def invented(n, seed=0):
    """Samples with every field in its range."""
    rng = np.random.default_rng(seed)
    samples = np.zeros(n, dtype=SAMPLE_DTYPE)

    def draw(name, low, high):
        samples[name] = rng.integers(low, high, n)

    for name, low, high in [
        ("quantity", 1, 12),
        ("level", 0, 2),
        ("needs", -3, 11),
        ("min_price", 8, 30),
        ("exogenous_quantity", 0, 11),
        ("n_partners", 1, 9),
        ("n_competitors", 0, 8),
        ("total_supply", 0, 80),
        ("total_demand", 0, 80),
        ("day", 0, 50),
        ("negotiations", 0, 50),
        ("n_responses", 0, 33),
        ("n_offers", 0, 20),
        ("n_events", 0, 17),
    ]:
        draw(name, low, high)
    samples["lines"], samples["n_days"] = 10, 50
    samples["max_price"] = samples["min_price"] + rng.integers(0, 3, n)
    samples["price"] = rng.integers(samples["min_price"], samples["max_price"] + 1)
    samples["agreements"] = rng.integers(0, samples["negotiations"] + 1)
    samples["time"] = rng.integers(1, 22, n) / 21
    for name in ("input_price", "output_price"):
        samples[name] = samples["min_price"] + rng.random(n)
    samples["shortfall_penalty"], samples["disposal_cost"] = rng.random(n), 0.2 * rng.random(n)
    for list_name, fields in (
        ("responses", {"accepted": 2, "quantity": 12, "price_bin": 2, "first": 2}),
        ("events", {"speaker": 2, "action": 3, "counter": 2, "first": 2, "quantity": 12, "price_bin": 2}),
    ):
        for field, high in fields.items():
            samples[list_name][field] = rng.integers(0, high, samples[list_name][field].shape)
    samples["events"]["time"] = rng.random(samples["events"]["time"].shape)
    return samples


def random_model(name, seed=0):
    rng, hyperparameters = np.random.default_rng(seed), hyperparameters_of(name)
    weights = {key: rng.uniform(0.1, 0.6, shape) for key, shape in MODELS.get(name).shapes(hyperparameters).items()}
    if name != "base-rate":
        weights = {key: value - 0.35 for key, value in weights.items()}
    return AcceptanceModel.pack(name, hyperparameters, weights, 8.0)


def dataset_of(samples, accepted, worlds=10):
    """Samples as a dataset: each world one factory's offers to one partner."""
    import pandas as pd

    n = len(samples)
    table = pd.DataFrame(
        {
            "world": np.arange(n) % worlds,
            "day": np.arange(n) // worlds,
            "proposer": 0,
            "partner": 0,
            "offer_index": 0,
            "role": np.where(samples["level"] == 0, "seller", "buyer"),
            "round": 0,
            "proposer_family": "a",
            "responder_family": "b",
        }
    )
    return Dataset(samples, np.asarray(accepted, dtype=np.bool_), table)
