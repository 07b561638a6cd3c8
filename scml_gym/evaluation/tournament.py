"""A tournament: play the schedule in worker processes, and go on where a player crashes or hangs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, wait
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from scml_gym.core.engines.base import Engine
from scml_gym.core.engines.local import Local
from scml_gym.core.errors import InputError
from scml_gym.core.reporting import progress_bar
from scml_gym.evaluation.config import TournamentConfig
from scml_gym.evaluation.isolation.kinds import MISMATCH, Result
from scml_gym.evaluation.journal import Journal
from scml_gym.evaluation.pool import WorkerPool
from scml_gym.evaluation.recording import Recorder
from scml_gym.evaluation.schedule import Match, Occupant, occupants, schedule, substitute_of

Play = Callable[..., Future[Result]]
"""``play(names, seed, setting, **record)``: see `WorkerPool.play`."""

MAX_FAILURES = 2
"""Configurations in which a player may fail before it is withdrawn from the rest."""


@dataclass
class Outcome:
    """What a tournament brought.

    Attributes:
        rows: One for each factory of each play, see `scml_gym.evaluation.table.COLUMNS`.
        failures: One for each failed attempt: configuration (empty: before the first), block, play, player (empty where
            nobody knows), role, failure, message, consequence.
    """

    rows: list[dict[str, Any]] = field(default_factory=list)
    failures: list[dict[str, Any]] = field(default_factory=list)


@dataclass
class _Attempt:
    """One try at a match: who is replaced by the substitute, and the plays as far as they are known."""

    match: Match
    without: frozenset[Occupant]
    plays: dict[int, Result] = field(default_factory=dict)

    def line_up(self, play: int, substitute: Occupant) -> list[Occupant]:
        return [substitute if o in self.without else o for o in self.match.line_up(play)]


class Tournament:
    """Plays a schedule; everything is decided in the order of the schedule, so workers change nothing but the time.

    A match in which a player fails is played again with a substitute in its positions, so that the others are judged;
    the player has no score there. Where a world is not what its process says of it, and nobody's guilt is found, all of
    its players are told. After ``MAX_FAILURES`` such matches it is withdrawn. One on one, and where nobody
    knows whose failure it was, the match is left out. Exceptions that ended no world are told, and cost nothing more.
    """

    def __init__(self, config: TournamentConfig, pool: WorkerPool, play: Play, recorder: Recorder | None = None):
        self._recorder = recorder
        self.outcome = Outcome()
        self._config = config
        self._pool = pool
        self._play = play
        self._substitute = substitute_of(config.game)
        self._withdrawn: set[Occupant] = set()
        self._strikes: Counter[Occupant] = Counter()

    def check(self) -> None:
        """Try out every player; those that fail are withdrawn.

        Raises:
            InputError: if a name stands for nothing.
        """
        config = self._config
        remaining = [*occupants(config.competitors, "competitor")]
        if not config.one_on_one:
            remaining += [*occupants(config.background, "background"), self._substitute]
        while remaining:
            result = self._pool.check([o.name for o in remaining], config.seed)
            if "value" in result:
                break
            if result["failure"] == "input" or result["player"] < 0:
                raise InputError(result["message"])
            failed = remaining.pop(result["player"])
            self._withdrawn.add(failed)
            self._fail(None, None, failed, result, "withdrawn")
        self._pool.load([o.name for o in remaining])

    def run(self, ahead: int, advance: Callable[[int], None] = lambda plays: None) -> None:
        """Play all matches.

        Args:
            ahead: Plays that are handed to the workers before the first of them is decided.
            advance: Told how many more plays are decided, for a progress bar.
        """
        matches = schedule(self._config)
        waiting: list[_Attempt] = []  # in the order of the schedule; the first one decides what comes next
        running: dict[Future[Result], tuple[_Attempt, int]] = {}
        while True:
            while len(running) < ahead and (match := next(matches, None)) is not None:
                waiting.append(self._start(match, frozenset(), running))
            while waiting and len(waiting[0].plays) == len(waiting[0].match.plays):
                again = self._judge(waiting[0])
                if again is None:
                    advance(len(waiting.pop(0).match.plays))
                else:
                    waiting[0] = self._start(waiting[0].match, again, running)
            if not waiting:
                return
            if running:
                for future in wait(running, return_when=FIRST_COMPLETED).done:
                    attempt, play = running.pop(future)
                    attempt.plays[play] = future.result()

    def _start(
        self, match: Match, removed: frozenset[Occupant], running: dict[Future[Result], tuple[_Attempt, int]]
    ) -> _Attempt:
        """Hand all plays to the workers, without those removed and those known to be withdrawn."""
        attempt = _Attempt(match, removed | self._withdrawn.intersection(match.positions))
        if self._nobody_left(attempt.without, match):
            attempt.plays = {play: {"value": []} for play in match.plays}
            return attempt
        for play in match.plays:
            line_up = attempt.line_up(play, self._substitute)
            record = self._recorder.of(match, play, line_up) if self._recorder is not None else {}
            names = [occupant.name for occupant in line_up]
            running[self._play(names, match.seed, match.setting, **record)] = (attempt, play)
        return attempt

    def _nobody_left(self, without: frozenset[Occupant], match: Match) -> bool:
        present = {o for o in match.positions if o.role == "competitor"}
        return bool(present & without) if self._config.one_on_one else present <= without

    def _judge(self, attempt: _Attempt) -> frozenset[Occupant] | None:
        """All matches before this one are decided: book it (None), or say without whom it must be played again."""
        match = attempt.match
        withdrawn = frozenset(self._withdrawn.intersection(match.positions))
        if not withdrawn <= attempt.without:
            return attempt.without | withdrawn
        for play in match.plays:
            result = attempt.plays[play]
            if "value" in result:
                continue
            if result["failure"] == "input" and result["player"] < 0:
                raise InputError(result["message"])  # the world itself is refused, so all of them are
            culprit = attempt.line_up(play, self._substitute)[result["player"]] if result["player"] >= 0 else None
            replaceable = culprit is not None and culprit != self._substitute
            if culprit is not None and replaceable:
                self._strikes[culprit] += 1
                if self._strikes[culprit] >= MAX_FAILURES:
                    self._withdrawn.add(culprit)
            if culprit is None or not replaceable or self._config.one_on_one:
                consequence = "left out"
            else:
                consequence = "played again with a substitute"
            if culprit in self._withdrawn:
                consequence += "; withdrawn"
            self._fail(match, play, culprit, result, consequence)
            if consequence.startswith("left out"):
                return None
            assert culprit is not None
            return attempt.without | {culprit}
        for play in match.plays:
            line_up = attempt.line_up(play, self._substitute)
            for factory, measured in enumerate(attempt.plays[play]["value"]):
                if raised := measured.get("raised"):
                    told = {"failure": "exception", "message": raised["first"], "player": factory}
                    self._fail(match, play, line_up[factory], told, f"played on; exceptions: {raised['count']}")
                self.outcome.rows.append(
                    {
                        "configuration": match.configuration,
                        "block": match.block,
                        "play": play,
                        "seed": match.seed,
                        "competitor": line_up[factory].label,
                        "role": line_up[factory].role,
                        "factory": factory,
                        **{name: value for name, value in measured.items() if name != "raised"},
                    }
                )
        return None

    def _fail(
        self, match: Match | None, play: int | None, culprit: Occupant | None, result: Result, consequence: str
    ) -> None:
        among = match.positions if match else ()
        suspects = {o.label: None for o in among if o.role == "competitor" or result["failure"] == MISMATCH}
        self.outcome.failures.append(
            {
                "configuration": "" if match is None else match.configuration,
                "block": "" if match is None else match.block,
                "play": "" if play is None else play,
                "player": culprit.label if culprit else "unknown, one of: " + ", ".join(suspects),
                "role": culprit.role if culprit else "",
                "failure": result["failure"],
                "message": result["message"],
                "consequence": consequence,
            }
        )


def run_tournament(
    config: TournamentConfig,
    begin: Callable[[], None] = lambda: None,
    journal: Journal | None = None,
    recorder: Recorder | None = None,
    engine: Engine | None = None,
) -> Outcome:
    """Play a whole tournament, with a progress bar.

    Args:
        config: What to play.
        journal: Holds the worlds that are played already, and receives the others.
        begin: Called when all players are found.
        recorder: Where worlds are recorded; None where none are.
        engine: Where they are played; None for processes of this machine. It changes no result.

    Raises:
        InputError: if a competitor or a background opponent does not exist, or no such world can be generated.
    """
    plays, done = config.n_plays, 0
    recording = None if recorder is None else recorder.folder
    with ExitStack() as stack:
        engine = stack.enter_context(Local() if engine is None else engine)
        workers = min(config.workers or engine.cores(), plays)
        engine.bring([*config.competitors, *config.background])
        settings = (config.time_limit, config.game, config.errors, config.isolate)
        pool = stack.enter_context(WorkerPool(workers, *settings, recording, engine))
        play = pool.play if journal is None else partial(journal.play, pool)
        tournament = Tournament(config, pool, play, recorder)
        tournament.check()
        begin()
        with progress_bar(plays, "worlds") as bar:

            def advance(more: int) -> None:
                nonlocal done
                done += more
                bar.update(done)

            tournament.run(2 * workers, advance)
    return tournament.outcome
