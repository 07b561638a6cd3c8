"""Does the batched DQN learn what Stable-Baselines3's does? The same cells with both, judged alike, as a study.

python evaluate.py study benchmarks/dqn_agreement.yaml
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from pydantic import Field

from agents import STUDIES
from agents.dqn_batch.sb3 import sb3_model, stacked
from agents.sb3.batch import make_batch
from agents.sb3.training import global_generators_kept
from agents.studies.acceptance.config import Cell
from agents.studies.acceptance.play import judge
from agents.studies.acceptance.study import AcceptanceStudy
from scml_gym.core.config import Config, ConfigError, validate
from scml_gym.core.errors import nearest
from scml_gym.evaluation.independent import mean_interval, welch
from scml_gym.evaluation.studies.study import load_study

if TYPE_CHECKING:
    import pandas as pd

BATCH, SB3 = "batch", "sb3"


class AgreementSettings(Config):
    """``study`` and ``options`` as `load_study` takes them; ``cells`` of that study."""

    study: str
    options: list[str]
    cells: list[str] = Field(min_length=1)


class Agreement:
    """A `scml_gym.evaluation.studies.study.Study`; its cells are those of another one, once with each trainer."""

    def __init__(self, settings: AgreementSettings):
        study, _ = load_study(STUDIES, settings.study, settings.options)
        assert isinstance(study, AcceptanceStudy)
        self._study = study
        self._settings = settings
        self._cells = {cell.label: cell for cell in study.settings.cells()}
        for k, label in enumerate(settings.cells):
            if label not in self._cells:
                raise ConfigError(("cells", k), f"there is no cell {label!r}{nearest(label, self._cells)}")

    @classmethod
    def build(cls, settings: Mapping[str, Any]) -> Self:
        """See `scml_gym.evaluation.studies.study.Study.build`."""
        return cls(validate(AgreementSettings, settings))

    def cells(self) -> dict[str, int]:
        """See `scml_gym.evaluation.studies.study.Study.cells`; work is in steps, of which those of SB3 take longer."""
        steps = self._study.settings.trainings * self._study.settings.dqn.total_steps
        return {f"{trainer}-{label}": steps for label in self._settings.cells for trainer in (BATCH, SB3)}

    def run(self, cell: str, advance: Callable[[int], None]) -> dict[str, list[dict[str, Any]]]:
        """See `scml_gym.evaluation.studies.study.Study.run`."""
        trainer, _, label = cell.partition("-")
        start = time.process_time()
        if trainer == BATCH:
            rows = self._study.run(label, advance)["trainings"]
            found = [{"utility": row["utility"], "mean_round": row["mean_round"]} for row in rows]
        else:
            found = self._with_sb3(self._cells[label], advance)
        seconds = (time.process_time() - start) / len(found)
        facts = {"trainer": trainer, "label": label}
        rows = [facts | {"training": k} | row | {"cpu_seconds": seconds} for k, row in enumerate(found)]
        return {"trainings": rows}

    def _with_sb3(self, cell: Cell, advance: Callable[[int], None]) -> list[dict[str, Any]]:
        settings = self._study.settings
        row = settings.train_row(cell)
        env = {"id": "scml_gym/BilateralAcceptance-v0"} | {k: v for k, v in vars(row).items() if v is not None}
        models = []
        for training in range(settings.trainings):
            seed = np.random.SeedSequence([settings.seed, training, *f"sb3 {cell.label}".encode()])
            vec = make_batch(env, 1, 1, 1.0)
            with global_generators_kept():
                model = sb3_model(settings.dqn, vec, int(seed.generate_state(1)[0]) >> 1)
                models.append(model.learn(settings.dqn.total_steps).q_net)
            vec.close()
            advance(settings.dqn.total_steps)
        rng = np.random.default_rng([settings.seed, *f"sb3 {cell.label}".encode()])
        seeds = rng.integers(2**62, size=(settings.trainings, settings.negotiations))
        outcomes = judge(stacked(models), settings.test_row(), seeds)
        means = zip(outcomes.utility.mean(1).tolist(), outcomes.round.mean(1).tolist(), strict=True)
        return [{"utility": utility, "mean_round": mean_round} for utility, mean_round in means]

    def report(self, tables: Mapping[str, pd.DataFrame], origin: str) -> dict[str, str]:
        """See `scml_gym.evaluation.studies.study.Study.report`."""
        samples = {key: part for key, part in tables["trainings"].groupby(["trainer", "label"])}
        lines = [
            "| cell | batched: mean utility (interval) | SB3 | difference (interval) | p | each mean in the other's "
            "interval | CPU seconds a training, batched | SB3 |",
            "|---|---|---|---|---|---|---|---|",
        ]
        inside = []
        for label in self._settings.cells:
            ours, theirs = (samples[trainer, label]["utility"].to_numpy(float) for trainer in (BATCH, SB3))
            one, other, difference = mean_interval(ours), mean_interval(theirs), welch(ours, theirs)
            inside.append(one.low <= other.value <= one.high and other.low <= one.value <= other.high)
            cells = [label, *(f"{m.value:.4f} ({m.low:.4f}, {m.high:.4f})" for m in (one, other))]
            cells += [f"{difference.value:+.4f} ({difference.low:+.4f}, {difference.high:+.4f})", f"{difference.p:.3f}"]
            cells += ["yes" if inside[-1] else "no"]
            cells += [f"{samples[trainer, label]['cpu_seconds'].mean():.1f}" for trainer in (BATCH, SB3)]
            lines.append(f"| {' | '.join(cells)} |")
        settings = self._study.settings
        head = (
            f"{settings.trainings} trainings of {settings.dqn.total_steps:,} steps with each trainer, judged by "
            f"{settings.negotiations} negotiations each; intervals of 95 % over trainings. In {sum(inside)} of "
            f"{len(inside)} cells each mean lies in the other's interval."
        )
        title = "# The batched DQN beside Stable-Baselines3's"
        return {"study.md": "\n\n".join([title, head, "\n".join(lines), origin]) + "\n"}
