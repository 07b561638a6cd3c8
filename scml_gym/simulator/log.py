"""Simulations that leave logs: scml's own tables, and what a game tells beside them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol

from negmas import Contract
from negmas.helpers.inout import save_table

from scml_gym.simulator.deterministic_world import DeterministicWorld


class WorldLog(Protocol):
    """What is logged of one world beside scml's tables; the world tells what happens."""

    def begin_day(self) -> None:
        """The first stage of a simulation step is over: all is known, nothing is negotiated yet."""
        ...

    def agree(self, contract: Contract) -> None:
        """A contract was concluded, and not registered with the agents yet."""
        ...

    def stepped(self, mechanism: Any, first: int) -> None:
        """A negotiation was stepped; its offers are the rows of scml's table of offers from ``first`` on."""
        ...

    def save(self, folder: Path, players: Sequence[str], storage_format: Any) -> None:
        """Write the tables into the folder of scml's, in negmas' format, with the names of the factories' players."""
        ...


class LoggedWorld(DeterministicWorld):
    """`DeterministicWorld` with logs; to be put before the class of a track's simulation.

    Args:
        arguments: Of the simulation.
        folder: Of the logs; is made.
        make_log: ``(world) -> WorldLog``: what is logged beside scml's tables.
        parameters: Of the simulation, by name.
    """

    _extra_folder: Any = property(lambda self: self._logs, lambda self, value: None)

    def __init__(self, *arguments: Any, folder: Path, make_log: Callable[[Any], WorldLog], **parameters: Any):
        self._logs = folder
        self._log = make_log(self)
        super().__init__(*arguments, **parameters)
        self.save_negotiations = True

    def simulation_step(self, stage: int = 0) -> None:
        """A day's stages."""
        super().simulation_step(stage)
        if stage == 0:
            self._log.begin_day()

    def on_negotiation_stepped(self, info: Any) -> None:
        """Log the offers of a step."""
        before = len(self._offer_info)
        super().on_negotiation_stepped(info)
        self._log.stepped(info.mechanism, before)

    def on_contract_concluded(self, contract: Contract, to_be_signed_at: int) -> None:
        """Know what is still needed."""
        super().on_contract_concluded(contract, to_be_signed_at)
        self._log.agree(contract)

    def save_logs(self, players: Sequence[str]) -> None:
        """Write all tables; to be called when the world is over.

        Args:
            players: Names of the factories' players.
        """
        super()._save_extra()
        negotiations = list(self._saved_negotiations.values())
        save_table(negotiations, self._logs / "negotiations.csv", storage_format=self._storage_format)
        self._log.save(self._logs, players, self._storage_format)

    def _save_extra(self) -> None:
        """negmas writes all tables anew every day; here they are written once."""

    def _make_negotiation_record(self, negotiation: Any) -> dict[str, Any]:
        """The columns of negmas' record, without copies of all states."""
        state = negotiation.mechanism.state
        return {
            "id": negotiation.mechanism.id,
            "partner_ids": [agent.id for agent in negotiation.partners],
            "requested_at": negotiation.requested_at,
            "ended_at": self.current_step,
            "issues": [str(issue) for issue in negotiation.issues],
            "failed": state.agreement is None,
            "agreement": str(state.agreement),
            "timedout": state.timedout,
            "ended": state.ended,
        }
