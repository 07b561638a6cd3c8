"""What a trained agent does in one world or game, as its card says: the same on every machine, up to rounding."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from scml_gym.evaluation.exceptions import NOBODY
from scml_gym.evaluation.play import play
from scml_gym.experiments.checkpoints import run_of
from scml_gym.game.definition import Setting
from scml_gym.policies.run_folders import game_of_run, load_agent

SEED = 1
DAYS = 5
OTHER = "best-subset"
"""Who has the other factories."""


def one_play(run: str) -> dict[str, Any]:
    """Let what a run folder learnt play a world of `DAYS` days, in one of the two factories of each level.

    Args:
        run: A run folder, or ``zoo:NAME``.

    Returns:
        ``score``, the mean of both; of a learner of a game without factories ``choices``, what each agent
        chooses first where it draws nothing.

    Raises:
        InputError: if the folder holds nothing that can be loaded.
    """
    if "game" in run_of(Path(run)).config["env"]:
        agent = load_agent(run)
        seen = agent.game.observe(agent.game.initial(()))
        seen = np.concatenate([seen, np.zeros(agent.method.inputs - len(seen))])  # nothing is proposed yet
        return {"choices": [int(agent.predict((k, seen))[0]) for k in range(agent.game.agents)]}
    rows = play(game_of_run(run).name, [run, OTHER, run, OTHER], SEED, Setting(DAYS), [NOBODY])
    return {"score": float(np.mean([rows[0]["score"], rows[2]["score"]]))}
