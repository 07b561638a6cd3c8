"""Does the batched DQN learn what Stable-Baselines3's does? The same runs with both, judged alike, as a study.

python evaluate.py study benchmarks/dqn_agreement.yaml
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from pydantic import Field

from scml_gym.agents import STUDIES
from scml_gym.agents.dqn_batch.sb3 import sb3_model, stacked
from scml_gym.agents.sb3.batch import make_batch
from scml_gym.agents.sb3.training import global_generators_kept
from scml_gym.agents.studies.acceptance.config import StudyRun
from scml_gym.agents.studies.acceptance.play import judge
from scml_gym.agents.studies.acceptance.study import AcceptanceStudy
from scml_gym.core.config import Config, ConfigError, validate
from scml_gym.core.errors import nearest
from scml_gym.evaluation.independent import mean_interval, welch
from scml_gym.evaluation.studies.study import load_study

if TYPE_CHECKING:
    import pandas as pd

BATCH, SB3 = "batch", "sb3"


class AgreementConfig(Config):
    """``study`` and ``options`` as `load_study` takes them; ``runs`` of that study."""

    study: str
    options: list[str]
    runs: list[str] = Field(min_length=1)


class Agreement:
    """A `scml_gym.evaluation.studies.study.Study`; its runs are those of another one, once with each trainer."""

    def __init__(self, config: AgreementConfig):
        study, _ = load_study(STUDIES, config.study, config.options)
        assert isinstance(study, AcceptanceStudy)
        self._study = study
        self._config = config
        self._runs = {run.label: run for run in study.config.runs()}
        for k, label in enumerate(config.runs):
            if label not in self._runs:
                raise ConfigError(("runs", k), f"there is no run {label!r}{nearest(label, self._runs)}")

    @classmethod
    def build(cls, config: Mapping[str, Any]) -> Self:
        """See `scml_gym.evaluation.studies.study.Study.build`."""
        return cls(validate(AgreementConfig, config))

    def runs(self) -> dict[str, int]:
        """See `scml_gym.evaluation.studies.study.Study.runs`; work is in steps, of which those of SB3 take longer."""
        steps = self._study.config.trainings * self._study.config.dqn.total_steps
        return {f"{trainer}-{label}": steps for label in self._config.runs for trainer in (BATCH, SB3)}

    def compute(self, run: str, advance: Callable[[int], None]) -> dict[str, list[dict[str, Any]]]:
        """See `scml_gym.evaluation.studies.study.Study.run`."""
        trainer, _, label = run.partition("-")
        start = time.process_time()
        if trainer == BATCH:
            rows = self._study.compute(label, advance)["trainings"]
            found = [{"utility": row["utility"], "mean_round": row["mean_round"]} for row in rows]
        else:
            found = self._with_sb3(self._runs[label], advance)
        seconds = (time.process_time() - start) / len(found)
        facts = {"trainer": trainer, "label": label}
        rows = [facts | {"training": k} | row | {"cpu_seconds": seconds} for k, row in enumerate(found)]
        return {"trainings": rows}

    def _with_sb3(self, run: StudyRun, advance: Callable[[int], None]) -> list[dict[str, Any]]:
        config = self._study.config
        row = config.train_row(run)
        env = {"id": "scml_gym/BilateralAcceptance-v0"} | {k: v for k, v in vars(row).items() if v is not None}
        models = []
        for training in range(config.trainings):
            seed = np.random.SeedSequence([config.seed, training, *f"sb3 {run.label}".encode()])
            vec = make_batch(env, 1, 1, 1.0)
            with global_generators_kept():
                model = sb3_model(config.dqn, vec, int(seed.generate_state(1)[0]) >> 1)
                models.append(model.learn(config.dqn.total_steps).q_net)
            vec.close()
            advance(config.dqn.total_steps)
        rng = np.random.default_rng([config.seed, *f"sb3 {run.label}".encode()])
        seeds = rng.integers(2**62, size=(config.trainings, config.negotiations))
        outcomes = judge(stacked(models), config.test_row(), seeds)
        means = zip(outcomes.utility.mean(1).tolist(), outcomes.round.mean(1).tolist(), strict=True)
        return [{"utility": utility, "mean_round": mean_round} for utility, mean_round in means]

    def report(self, tables: Mapping[str, pd.DataFrame], origin: str) -> dict[str, str]:
        """See `scml_gym.evaluation.studies.study.Study.report`."""
        samples = {key: part for key, part in tables["trainings"].groupby(["trainer", "label"])}
        lines = [
            "| run | batched: mean utility (interval) | SB3 | difference (interval) | p | each mean in the other's "
            "interval | CPU seconds a training, batched | SB3 |",
            "|---|---|---|---|---|---|---|---|",
        ]
        inside = []
        for label in self._config.runs:
            ours, theirs = (samples[trainer, label]["utility"].to_numpy(float) for trainer in (BATCH, SB3))
            one, other, difference = mean_interval(ours), mean_interval(theirs), welch(ours, theirs)
            inside.append(one.low <= other.value <= one.high and other.low <= one.value <= other.high)
            line = [label, *(f"{m.value:.4f} ({m.low:.4f}, {m.high:.4f})" for m in (one, other))]
            line += [f"{difference.value:+.4f} ({difference.low:+.4f}, {difference.high:+.4f})", f"{difference.p:.3f}"]
            line += ["yes" if inside[-1] else "no"]
            line += [f"{samples[trainer, label]['cpu_seconds'].mean():.1f}" for trainer in (BATCH, SB3)]
            lines.append(f"| {' | '.join(line)} |")
        config = self._study.config
        head = (
            f"{config.trainings} trainings of {config.dqn.total_steps:,} steps with each trainer, judged by "
            f"{config.negotiations} negotiations each; intervals of 95 % over trainings. In {sum(inside)} of "
            f"{len(inside)} runs each mean lies in the other's interval."
        )
        title = "# The batched DQN beside Stable-Baselines3's"
        return {"study.md": "\n\n".join([title, head, "\n".join(lines), origin]) + "\n"}
