"""The study of Matsuo and Fujita: which rewards teach a DQN to accept well.

Source: *Effective acceptance strategy in automated negotiation using deep reinforcement learning* (in Japanese). A
network learns on one scenario when to accept an opponent's offers, while a strategy makes its own; it is judged on
another scenario against another opponent. Every combination of training opponent and reward parts is a run, trained
several times. Two baselines: the reward of Razeghi et al. 2020 (assumed: utility at an agreement, 0 else; not all of
their details are public), trained and judged alike; and acceptance rules with the same bids.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from scml_gym.agents.dqn_batch import train
from scml_gym.agents.studies.acceptance.config import AcceptanceConfig, StudyRun
from scml_gym.agents.studies.acceptance.play import LearningRows, Outcomes, judge, judge_rule, record_judged
from scml_gym.bilateral.view import ACCEPTED_BY
from scml_gym.core.config import validate

if TYPE_CHECKING:
    import pandas as pd

RULES = "rules"
"""The run of the acceptance rules."""

_LATE = 0.9
"""Share of a training after which its negotiations are counted as late."""

Tables = dict[str, list[dict[str, Any]]]


class AcceptanceStudy:
    """See the module's head; a `scml_gym.evaluation.studies.study.Study`.

    Tables: ``trainings``, a row for each network, or repetition of a rule; ``negotiations``, a row for each that it was
    judged by, utilities to six decimals; ``training_problem``, what each rule gets where the networks learn.
    """

    def __init__(self, config: AcceptanceConfig):
        config.check()
        self.config = config
        self._runs = {run.label: run for run in config.runs()}
        self._recordings: tuple[Path, int] | None = None

    @classmethod
    def build(cls, config: Mapping[str, Any]) -> Self:
        """See `scml_gym.evaluation.studies.study.Study.build`."""
        return cls(validate(AcceptanceConfig, config))

    def recorded(self, folder: Path, every: int) -> Self:
        """See `scml_gym.evaluation.studies.study.RecordsWorlds.recorded`: of each network's negotiations in the test
        problem so many; not of rules."""
        study = copy.copy(self)
        study._recordings = folder, every
        return study

    def files(self) -> dict[str, Path]:
        """See `scml_gym.evaluation.studies.study.NamesFiles.files`."""
        return self.config.files()

    def runs(self) -> dict[str, int]:
        """See `scml_gym.evaluation.studies.study.Study.runs`; work is counted in steps of training."""
        steps = self.config.trainings * self.config.dqn.total_steps
        return dict.fromkeys(self._runs, steps) | {RULES: steps // 100}

    def compute(self, run: str, advance: Callable[[int], None]) -> Tables:
        """See `scml_gym.evaluation.studies.study.Study.run`."""
        tables: Tables = {"trainings": [], "negotiations": []}
        if run == RULES:
            for label, rule in self.config.rules.items():
                seeds = np.array([self._judge_seeds(seed) for seed in self._seeds(f"{run} {label}")])
                outcomes = judge_rule(self.config.test_row(), rule, seeds)
                self._add(tables, {"label": label, "kind": "rule"}, outcomes, {})
                tables.setdefault("training_problem", []).extend(self._in_training(label, rule))
            advance(self.runs()[RULES])
        else:
            self._train(tables, self._runs[run], advance)
        return tables

    def report(self, tables: Mapping[str, pd.DataFrame], origin: str) -> Mapping[str, str | bytes]:
        """See `scml_gym.evaluation.studies.study.Study.report`."""
        from scml_gym.agents.studies.acceptance.report import write_report

        return write_report(self.config, tables, origin)

    def _in_training(self, label: str, rule: str) -> list[dict[str, Any]]:
        """How a rule does against each training opponent, in as many negotiations as against the other one."""
        rows = []
        for opponent in self.config.train_opponents.values():
            run = StudyRun(label, opponent, self.config.previous, False)
            seeds = np.array([self._judge_seeds(seed) for seed in self._seeds(f"{opponent} {label}")])
            one = judge_rule(self.config.train_row(run), rule, seeds)
            row = {"label": label, "opponent": opponent, "utility": float(one.utility.mean())}
            row |= {"agreement_rate": float(one.agreement.mean()), "mean_round": float(one.round.mean())}
            rows.append(row)
        return rows

    def _train(self, tables: Tables, run: StudyRun, advance: Callable[[int], None]) -> None:
        config = self.config
        seeds = self._seeds(run.label)
        generators = [np.random.default_rng(np.random.SeedSequence(s.entropy, spawn_key=(0,))) for s in seeds]
        late = int(_LATE * config.dqn.total_steps)
        rows = LearningRows(config.train_row(run), [int(s.generate_state(1, np.uint64)[0]) >> 1 for s in seeds], late)
        networks = train(config.dqn, generators, rows, advance)
        judged_by = np.array([self._judge_seeds(seed) for seed in seeds])
        outcomes = judge(networks, config.test_row(), judged_by)
        if self._recordings is not None:
            folder, every = self._recordings
            record_judged(networks, config.test_row(), judged_by[:, ::every], folder / run.label)
        extra = {"late_utility": rows.late_utility(), "late_agreement": rows.late_agreement()}
        facts = {"label": run.label, "kind": "previous" if run.previous else "run", "opponent": run.opponent}
        self._add(tables, facts | run.reward.model_dump(), outcomes, extra)

    def _seeds(self, label: str) -> list[np.random.SeedSequence]:
        """One for each training; they depend on nothing else in the study."""
        name = list(label.encode())
        return [np.random.SeedSequence([self.config.seed, k, *name]) for k in range(self.config.trainings)]

    def _judge_seeds(self, seed: np.random.SeedSequence) -> np.ndarray:
        """Of the negotiations that a training is judged by, int64 ``(negotiations,)``."""
        stream = np.random.default_rng(np.random.SeedSequence(seed.entropy, spawn_key=(1,)))
        return stream.integers(2**62, size=self.config.negotiations)

    def _add(
        self, tables: Tables, facts: Mapping[str, Any], outcomes: Outcomes, extra: Mapping[str, np.ndarray]
    ) -> None:
        """Add the rows of all trainings of a run; every row has all columns."""
        columns = ("label", "kind", "opponent", "accept", "offer", "failure_penalty")
        for k in range(self.config.trainings):
            one = Outcomes(*(array[k] for array in outcomes))
            row: dict[str, Any] = {name: facts.get(name) for name in columns} | {"training": k}
            row |= {"utility": float(one.utility.mean()), "sd": float(one.utility.std(ddof=1))}
            row |= {"agreement_rate": float(one.agreement.mean()), "mean_round": float(one.round.mean())}
            row |= {"accepted_share": float((ACCEPTED_BY[one.accepted_by] == "learner").mean())}
            row |= {"opponent_utility": float(one.opponent_utility.mean())}
            for name in ("late_utility", "late_agreement"):
                number = float(extra[name][k]) if name in extra else np.nan
                row[name] = None if np.isnan(number) else number
            tables["trainings"].append(row)
            tables["negotiations"] += [
                {"label": facts["label"], "training": k, "utility": round(u, 6), "round": r, "accepted_by": a}
                for u, r, a in zip(
                    one.utility.tolist(), one.round.tolist(), ACCEPTED_BY[one.accepted_by].tolist(), strict=True
                )
            ]
