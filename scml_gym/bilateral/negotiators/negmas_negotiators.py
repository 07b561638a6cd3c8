"""The strategies over tables as ordinary negmas negotiators, for any mechanism of alternating offers."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
from negmas.gb.common import ResponseType
from negmas.outcomes import Outcome
from negmas.sao import SAONegotiator, SAOState

from scml_gym.bilateral.negotiators import NEGOTIATORS
from scml_gym.bilateral.negotiators.agent_k import AGENT_K
from scml_gym.bilateral.negotiators.base import NO_OFFER, Table, TablePlayer, TableStrategy, make_table
from scml_gym.bilateral.negotiators.gahboninho import GAHBONINHO
from scml_gym.bilateral.negotiators.time_dependent import BOULWARE
from scml_gym.bilateral.scenarios.base import MOST_OUTCOMES, check_utilities
from scml_gym.bilateral.scenarios.ufuns import evaluate, is_discounted, layers
from scml_gym.core.errors import InputError
from scml_gym.jit.random import counter_draws


class TableNegotiator(SAONegotiator):
    """A strategy over tables as a negotiator of negmas.

    A mechanism with ``n_steps`` = T has T rounds; one with ``one_offer_per_step`` has T rounds of ``n_steps`` = 2T
    steps. Both are played alike: time is r / (T + 1) in round r.

    Args:
        strategy: What to play, or its name in ``NEGOTIATORS``; by default the class's own.
        parameters: Replacements for the strategy's defaults.
        seed: Of its draws; by default from the operating system. With a seed, its first negotiation is always the same,
            as are its second, third and so on.
        kwargs: Of ``SAONegotiator``: ``ufun``, ``name`` and the like.

    Raises:
        InputError: for an unknown strategy or parameter, or a wrong seed; at the first turn of a negotiation: without
            a number of steps or a utility function, with a space that is continuous or larger than 5 million outcomes,
                or with utilities outside [0, 1] or all the same. Discounts are left behind, with a warning.
    """

    strategy: ClassVar[TableStrategy | None] = None

    def __init__(
        self,
        *args: Any,
        strategy: TableStrategy | str | None = None,
        parameters: Mapping[str, float] | None = None,
        seed: int | None = None,
        **kwargs: Any,
    ):
        super().__init__(*args, **kwargs)
        found = NEGOTIATORS.get(strategy) if isinstance(strategy, str) else strategy or self.strategy
        if not isinstance(found, TableStrategy):
            raise InputError(f"strategy={strategy!r}; valid: a TableStrategy, or a name: {', '.join(NEGOTIATORS)}")
        if seed is not None and not isinstance(seed, int | np.integer):
            raise InputError(f"seed={seed!r}; valid: a whole number, or None")
        self._strategy = found
        self._strategy.parameter_array(parameters)  # refuse a misspelt one now
        self._parameters = parameters
        self._seed = int(np.random.default_rng().integers(2**63)) if seed is None else int(seed)
        self._negotiation = -1

    def on_negotiation_start(self, state: Any) -> None:
        """Forget the last negotiation."""
        super().on_negotiation_start(state)
        self._negotiation += 1
        self._player: TablePlayer | None = None
        self._turn: tuple[int, int, bool] | None = None

    def respond(self, state: SAOState, source: str | None = None) -> ResponseType:
        """Accept or reject the standing offer."""
        return ResponseType.ACCEPT_OFFER if self._take_turn(state)[1] else ResponseType.REJECT_OFFER

    def propose(self, state: SAOState, dest: str | None = None) -> Outcome | None:
        """The bid of this turn."""
        bid, _ = self._take_turn(state)
        return self._outcomes[bid]

    def _take_turn(self, state: SAOState) -> tuple[int, bool]:
        """Bid and decision of this turn: made once, whether negmas asks first for the one or the other."""
        if self._turn is None or self._turn[0] != state.step:
            player = self._player = self._player or self._prepare()
            offer = NO_OFFER if state.current_offer is None else self._index[tuple(state.current_offer)]
            self._turn = (state.step, *player.turn(state.step // self._moves, offer))
        return self._turn[1:]

    def _prepare(self) -> TablePlayer:
        """At the first turn: negmas keeps what is raised at the start of a negotiation to itself."""
        nmi: Any = self.nmi
        if not isinstance(nmi.n_steps, int):
            raise InputError(f"negotiator {self._strategy.name!r} needs a mechanism with n_steps")
        self._moves = nmi.n_negotiators if nmi.one_offer_per_step else 1
        self._outcomes, table = self._tabulate(nmi.outcome_space)
        self._index = {outcome: i for i, outcome in enumerate(self._outcomes)}
        rounds, side, negotiation = -(-nmi.n_steps // self._moves), nmi.negotiator_ids.index(self.id), self._negotiation
        return TablePlayer(
            self._strategy,
            table,
            rounds,
            lambda step: counter_draws(self._seed, side, step, negotiation),
            self._parameters,
        )

    def _tabulate(self, space: Any) -> tuple[list[Outcome], Table]:
        if any(issue.is_continuous() for issue in space.issues) or space.cardinality > MOST_OUTCOMES:
            raise InputError(f"negotiator {self._strategy.name!r} needs at most {MOST_OUTCOMES} discrete outcomes")
        outcomes = list(space.enumerate())
        if self.ufun is None:
            raise InputError(f"negotiator {self._strategy.name!r} needs a utility function (ufun=...)")
        if is_discounted(self.ufun):
            warnings.warn(f"negotiator {self._strategy.name!r}: the discounts are left behind", stacklevel=2)
        name = str(self.ufun.name)
        utilities = evaluate(name, layers(self.ufun)[-1], outcomes)
        if not (utilities.min() >= -1e-9 and utilities.max() <= 1.0 + 1e-9):
            raise InputError(
                f"negotiator {self._strategy.name!r}: utilities from {utilities.min():g} to {utilities.max():g};"
                " valid: from 0 to 1 (scale the utility function first)"
            )
        utilities = np.clip(utilities, 0.0, 1.0)
        check_utilities(name, utilities)
        return outcomes, make_table(utilities, [issue.cardinality for issue in space.issues])


class AgentK(TableNegotiator):
    """AgentK of ANAC 2010; see `scml_gym.bilateral.negotiators.agent_k`, and `TableNegotiator` for the arguments."""

    strategy = AGENT_K


class Gahboninho(TableNegotiator):
    """Gahboninho of ANAC 2011; see `scml_gym.bilateral.negotiators.gahboninho`, and `TableNegotiator` for the
    arguments."""

    strategy = GAHBONINHO


class Boulware(TableNegotiator):
    """Equation (5) of the paper; see `scml_gym.bilateral.negotiators.time_dependent`, and `TableNegotiator` for the
    arguments."""

    strategy = BOULWARE
