"""Past copies of a hierarchy as opponents of its later self, kept as weights in the run folder."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

from scml_gym.agents.hrl_xf.agent_hyperparameters import CoordinatorStage, OnlineStage
from scml_gym.agents.hrl_xf.distilling import new_coordinator
from scml_gym.agents.hrl_xf.hierarchy import Hierarchy
from scml_gym.agents.hrl_xf.learner import ExecutorLearner
from scml_gym.agents.hrl_xf.rollouts import Past
from scml_gym.agents.sb3.weights import read_weights, write_weights
from scml_gym.core.files import new_folder
from scml_gym.core.leftovers import remove_leftovers

EXECUTOR, COORDINATOR = "executor.npz", "coordinator.npz"


class Copies:
    """The copies of a stage.

    Args:
        folder: Of them, a folder each, named by the worlds played until then.
        stage: Says how many there are.
        shape: Of the coordinator's network.
    """

    def __init__(self, folder: Path, stage: OnlineStage, shape: CoordinatorStage):
        self._folder, self._stage, self._shape = folder, stage, shape
        self._copies: dict[int, Hierarchy] = {}

    def follow(self, hierarchy: Hierarchy, worlds: int, begun: int) -> Past:
        """Who plays beside a hierarchy now; a new copy of it is made where one is due.

        Args:
            hierarchy: As it is now.
            worlds: Played so far.
            begun: Those before this stage.
        """
        if not self._stage.past:
            return Past()
        kept = [n for n in self._numbers() if n <= worlds]
        if not kept or (worlds - begun) // self._stage.every > (kept[-1] - begun) // self._stage.every:
            self._write(hierarchy, worlds)
            kept.append(worlds)
        kept = kept[-self._stage.size :]
        self._copies = {n: self._copies.get(n) or self._read(hierarchy, n) for n in kept}
        return Past(tuple(self._copies.values()), self._stage.past)

    def _numbers(self) -> list[int]:
        return sorted(int(path.name) for path in self._folder.glob("[0-9]*") if path.name.isdigit())

    def _write(self, hierarchy: Hierarchy, worlds: int) -> None:
        final = self._folder / f"{worlds:012d}"
        shutil.rmtree(final, ignore_errors=True)
        self._folder.mkdir(exist_ok=True)
        remove_leftovers(self._folder)
        with new_folder(final) as filling:
            write_weights(hierarchy.executor.network, worlds, filling / EXECUTOR)
            if hierarchy.coordinator is not None:
                write_weights(hierarchy.coordinator, worlds, filling / COORDINATOR)

    def _read(self, hierarchy: Hierarchy, worlds: int) -> Hierarchy:
        folder, now = self._folder / f"{worlds:012d}", hierarchy.executor
        executor = ExecutorLearner(now.hyperparameters, now.env)
        executor.network = executor._new_network(0)
        read_weights(executor.network, folder / EXECUTOR)
        coordinator = None
        if hierarchy.coordinator is not None:
            coordinator = new_coordinator(self._shape, 0)
            read_weights(coordinator, folder / COORDINATOR)
        return replace(hierarchy, executor=executor, coordinator=coordinator)
