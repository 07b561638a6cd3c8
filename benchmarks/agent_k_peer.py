"""AgentK of this package beside that of negmas-genius-agents, in sets that were not measured on the original.

Both are negmas negotiators in the same ``SAOMechanism``, against the same opponents of this package. Needs the optional
package: ``pip install -e ".[genius]"``.

    python benchmarks/agent_k_peer.py --negotiations 60 --seed 1 --out docs/results/negotiators
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from negmas.sao import SAOMechanism
from rich.console import Console
from rich.progress import track

from scml_gym.bilateral.negotiators import NEGOTIATORS, AgentK, TableNegotiator
from scml_gym.bilateral.scenarios import load_scenario
from scml_gym.core.provenance import versions
from scml_gym.core.registry import load_object
from scml_gym.core.warnings import quiet

PEER = "negmas_genius_agents.negotiators.anac.y2010.agent_k:AgentK"
SETS = (
    # scenario, the agent's profile, opponent, rounds, whether the agent opens
    ("EnglandZimbabwe", 1, "boulware", 60, True),
    ("EnglandZimbabwe", 1, "AgentK", 60, False),
    ("EnglandZimbabwe", 0, "Gahboninho", 200, True),
    ("Party", 1, "linear", 60, False),
    ("Party", 1, "boulware", 40, True),
    ("Party", 0, "AgentK", 40, True),
)


def play(make: Any, case: Any, n: int) -> tuple[np.ndarray, float]:
    """Utilities of the agent, ``(n,)``, 0 without agreement, and CPU seconds a negotiation."""
    name, profile, opponent, rounds, opens = case
    scenario = load_scenario(name).to_negmas()
    utilities, start = np.zeros(n), time.process_time()
    for i in range(n):
        mechanism = SAOMechanism(outcome_space=scenario.outcome_space, n_steps=rounds)
        other = TableNegotiator(strategy=NEGOTIATORS.get(opponent), seed=1_000_003 + i)
        sides = [(make(i), scenario.ufuns[profile]), (other, scenario.ufuns[1 - profile])]
        for negotiator, ufun in sides if opens else sides[::-1]:
            mechanism.add(negotiator, ufun=ufun)
        mechanism.run()
        if mechanism.agreement is not None:
            utilities[i] = float(scenario.ufuns[profile](mechanism.agreement))
    return utilities, (time.process_time() - start) / n


def main() -> None:
    """Play all sets with both, print and write the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--negotiations", type=int, default=60, help="in each set, of each")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, help="folder to write the table to")
    options = parser.parse_args()
    peer = load_object(PEER)
    random.seed(options.seed)  # what the peer draws from
    rows = []
    with quiet():
        for case in track(SETS, description="sets"):
            row = dict(zip(("scenario", "profile", "opponent", "rounds", "opens"), case, strict=True))
            for kind, make in (("ours", lambda i: AgentK(seed=options.seed + i)), ("peer", lambda i: peer())):
                utilities, seconds = play(make, case, options.negotiations)
                row |= {
                    f"{kind}_utility": utilities.mean(),
                    f"{kind}_error": utilities.std(ddof=1) / np.sqrt(len(utilities)),
                    f"{kind}_agreement": (utilities > 0).mean(),
                    f"{kind}_milliseconds": 1000 * seconds,
                }
            rows.append(row)
    table = pd.DataFrame(rows).round(4)
    Console(markup=False).print(table.to_string())
    if options.out is not None:
        options.out.mkdir(parents=True, exist_ok=True)
        table.to_csv(options.out / "agent_k_peer.csv", index=False)
        summary = {"command": sys.argv, "seed": options.seed, "versions": versions()}
        (options.out / "agent_k_peer.json").write_text(json.dumps(summary, indent=1) + "\n")


if __name__ == "__main__":
    main()
