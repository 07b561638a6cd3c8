"""The study of safety: shielded and unshielded players in the same worlds, under both stock rules."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple, Self

from scml_gym.agents.studies.safety.config import SafetyConfig
from scml_gym.agents.studies.safety.play import playing
from scml_gym.agents.studies.safety.report import report
from scml_gym.core.config import validate
from scml_gym.evaluation.schedule import Match, schedule

if TYPE_CHECKING:
    import pandas as pd

    from scml_gym.evaluation.studies.study import Tables

COLUMNS = (
    *("level", "score", "shortfall", "storage", "initial_balance", "bought", "produced", "missing", "stock"),
    *("agreements", "executed", "negotiations", "bankrupt"),
    *("acts", "unsafe_covered", "unsafe_possible", "other_rule_covered", "other_rule_possible"),
    *("accepted_sales", "unsafe_sales", "other_rule_sales", "sets", "unsafe_sets", "breach_rate"),
)
"""Of those that are measured; see `scml_gym.standard.line_up.play_line_up`."""


class Run(NamedTuple):
    """Some configurations of a part, under a stock rule."""

    part: str
    rule: str
    first: int
    after: int


class SafetyStudy:
    """A `scml_gym.evaluation.studies.study.Study`; a run is some configurations of a part under a stock rule.

    Args:
        config: Of the study file.
    """

    def __init__(self, config: SafetyConfig) -> None:
        self.config = config
        self._runs = {f"{run.part}-{run.rule}-{run.first}": run for run in self._all_runs()}

    def _all_runs(self) -> Iterator[Run]:
        for name, part in self.config.parts.items():
            for rule in part.stock:
                self.config.tournament(name, rule)  # refuses what is no tournament
                for first in range(0, part.worlds, self.config.at_once):
                    yield Run(name, rule, first, min(first + self.config.at_once, part.worlds))

    @classmethod
    def build(cls, config: Mapping[str, Any]) -> Self:
        """A study of the config in its file.

        Raises:
            InputError: if a key is unknown or a value is not valid; if a player does not exist.
        """
        return cls(validate(SafetyConfig, config))

    def runs(self) -> Mapping[str, int]:
        """The worlds of each run."""
        return {name: sum(len(match.plays) for match in self._matches(run)) for name, run in self._runs.items()}

    def _matches(self, run: Run) -> Iterator[Match]:
        for match in schedule(self.config.tournament(run.part, run.rule)):
            if match.configuration >= run.after:
                return
            if match.configuration >= run.first:
                yield match

    def compute(self, run: str, advance: Callable[[int], None]) -> Tables:
        """Play the worlds; a row for each factory of a competitor in each play."""
        about = self._runs[run]
        part = self.config.parts[about.part]
        labels = {name: label for label, name in part.competitors.items()}
        rows: list[dict[str, Any]] = []
        names = [*part.competitors.values(), *part.background]
        with playing(part.world, names, self.config.time_limit) as play:
            for match in self._matches(about):
                for number in match.plays:
                    line_up = match.line_up(number)
                    judged = {
                        factory: labels[occupant.name]
                        for factory, occupant in enumerate(line_up)
                        if occupant.name in labels and not (part.same_seat and occupant.role != "competitor")
                    }
                    played = play([o.name for o in line_up], judged.keys(), match.seed, match.setting)
                    rows += [
                        {
                            **{"part": about.part, "rule": about.rule, "configuration": match.configuration},
                            **{"play": number, "seed": match.seed, "competitor": label},
                            **{"role": "competitor", "factory": factory, "levels": match.setting.levels},
                            **{name: measured[name] for name in COLUMNS},
                        }
                        for (factory, label), measured in zip(judged.items(), played, strict=True)
                    ]
                    advance(1)
        return {"factories": rows}

    def report(self, tables: Mapping[str, pd.DataFrame], origin: str) -> Mapping[str, str | bytes]:
        """The page, its tables and figures."""
        return report(self.config, tables["factories"], origin)
