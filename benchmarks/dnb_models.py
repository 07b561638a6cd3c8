"""What D-NB's acceptance models cost in a decision, beside torch with the same network.

A decision prepares 8 partners and asks for 8 offers to each. Samples are of a dataset, so that negotiations and windows
are as long as they are in play; or with as many events and answers as there can be. CPU milliseconds of one thread, the
fastest of several turns.

    python benchmarks/dnb_models.py runs/dnb-logistic runs/dnb-transformer --dataset runs/dnb-logistic/dataset
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from rich.console import Console
from rich.table import Table

from scml_gym.agents.dnb.dataset import read_dataset
from scml_gym.agents.dnb.learner import load_dnb
from scml_gym.agents.dnb.models import AcceptanceModel, Kernel
from scml_gym.agents.dnb.records import MAX_EVENTS, WINDOW
from scml_gym.agents.dnb.transformer_fit import Network, inputs_of
from scml_gym.agents.dnb.transformer_layout import TransformerHyperparameters
from scml_gym.core.cli import run_main
from scml_gym.jit.compile import compiled

PARTNERS, OFFERS, TURNS, DECISIONS = 8, 8, 7, 100


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", nargs="+", type=Path, help="run folders of D-NB")
    parser.add_argument("--dataset", type=Path, required=True)
    options = parser.parse_args()
    torch.set_num_threads(1)
    samples = read_dataset(options.dataset).samples
    chosen = samples[np.random.default_rng(0).integers(len(samples), size=DECISIONS * PARTNERS)]
    full = chosen.copy()
    full["n_events"], full["n_responses"] = MAX_EVENTS, WINDOW
    table = Table("model", "samples", "ms / decision", "torch, ms / decision")
    for run in options.runs:
        model = load_dnb(run).playable()
        for name, of_kind in (("of the dataset", chosen), ("as long as can be", full)):
            ours, theirs = decision(model, of_kind), torch_decision(model, of_kind)
            table.add_row(model.name, name, f"{ours:.3f}", f"{theirs:.3f}" if theirs else "")
    Console(markup=False).print(table)


def fastest(play: Callable[[], object], decisions: int) -> float:
    """CPU milliseconds of a decision."""
    play()
    times = []
    for _ in range(TURNS):
        begin = time.process_time()
        play()
        times.append(time.process_time() - begin)
    return min(times) / decisions * 1e3


def decision(model: AcceptanceModel, samples: np.ndarray) -> float:
    """Of the code that plays."""
    play, scratch, own = decisions_of(model.kernel), np.zeros(model.kernel.scratch_size), samples.copy()
    return fastest(lambda: play(model.numbers, own, scratch), len(samples) // PARTNERS)


def decisions_of(kernel: Kernel) -> Callable[[np.ndarray, np.ndarray, np.ndarray], float]:
    """The compiled loop over partners and offers."""
    _, prepare, mean = kernel

    @compiled
    def play(numbers: np.ndarray, samples: np.ndarray, scratch: np.ndarray) -> float:
        total = 0.0
        for i in range(len(samples)):
            prepare(numbers, samples[i], scratch)
            for quantity in range(1, OFFERS + 1):
                samples[i]["quantity"] = quantity
                total += mean(numbers, samples[i], scratch)
        return total

    return play


def torch_decision(model: AcceptanceModel, samples: np.ndarray) -> float | None:
    """Of torch, all offers of a decision as one batch whose features are there already; None for other models."""
    if not isinstance(model.hyperparameters, TransformerHyperparameters):
        return None
    network, offers = Network(model.hyperparameters).eval(), np.arange(PARTNERS * OFFERS)
    batches = [
        inputs_of(np.repeat(samples[i : i + PARTNERS], OFFERS), model.hyperparameters.events).batch(offers)
        for i in range(0, len(samples), PARTNERS)
    ]

    def play() -> None:
        with torch.no_grad():
            for batch in batches:
                network(batch)

    return fastest(play, len(batches))


if __name__ == "__main__":
    run_main(main)
