"""PPO of a hierarchy: the executor, which remembers its negotiations, the coordinator, and a critic.

The executor's probabilities are those of whole negotiations, as it learnt them from recordings: a window holds all
decisions of one. Alpha is what the coordinator does: drawn around what it says, and judged by the same advantages. The
critic is MAPPO's, over the negotiations that ask for an answer together, or IPPO's, of each by itself. Decisions whose
answers the shield has changed leave the losses of executor and coordinator, and stay in the critic's.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from scml_gym.agents.decision_transformer.fitting import CHUNK, PARTS
from scml_gym.agents.decision_transformer.network import DecisionTransformer
from scml_gym.agents.decision_transformer.sequences import Batches, Sequences, windows_of
from scml_gym.agents.hrl_xf.agent_hyperparameters import DaggerStage, LearningHyperparameters
from scml_gym.agents.hrl_xf.coordinator import Coordinator, Sets, sets_of
from scml_gym.agents.hrl_xf.eagerness import OFFER
from scml_gym.agents.hrl_xf.executing import DAY, ORDER, QUANTITY
from scml_gym.agents.hrl_xf.learner import ExecutorLearner
from scml_gym.agents.hrl_xf.observing import SIZE
from scml_gym.agents.hrl_xf.rollouts import Episode, advantages
from scml_gym.agents.mappo.algorithm import Descent, clipped_loss
from scml_gym.agents.mappo.networks import Critic, View
from scml_gym.agents.mappo.value_norms import VALUE_NORMS, Scale
from scml_gym.core.errors import InputError
from scml_gym.standard.view import MAX_PARTNERS

WEIGHTED = ("executor", "critic", "coordinator")
"""What is learnt, each with an optimiser of its own."""


class Judge(nn.Module):
    """The critic, and the scale of what it expects.

    Args:
        hidden: Units of its layers.
    """

    def __init__(self, hidden: int):
        super().__init__()
        self.critic, self.scale = Critic(SIZE, hidden), Scale()


class Rollout(NamedTuple):
    """Worlds that were played, of ``steps`` decisions of factories and ``n`` in negotiations.

    Attributes:
        inputs: What is shown in each negotiation, float32 ``(steps, MAX_PARTNERS, SIZE)``; zeros where none is due.
        due: Where one is, bool ``(steps, MAX_PARTNERS)``; in this order stand the ``n``.
        rewards: Float64 ``(steps,)``.
        last: Last ones of a world, bool ``(steps,)``.
        sequences: The negotiations, each an episode of its decisions.
        order: Which of the ``n`` stands at each place of them, int64 ``(n,)``.
        changed: Whether the shield changed the answer, bool ``(n,)``.
        sets: What the coordinator saw.
        raw: What alpha was the tangent of, float32 ``(n,)``.
        planned: At each place of the sequences, the choices that follow the plan, float32 ``(n, 4)`` in the order of
            `ORDER`, and the valid options of each given those before it, bool ``(n, options)``.
    """

    inputs: Tensor
    due: Tensor
    rewards: np.ndarray
    last: np.ndarray
    sequences: Sequences
    order: np.ndarray
    changed: Tensor
    sets: Sets
    raw: Tensor
    planned: tuple[Tensor, Tensor]


def rollout_of(episodes: Sequence[Episode], learner: ExecutorLearner) -> Rollout:
    """What can be learnt from some worlds.

    Raises:
        InputError: if nothing was decided in them.
    """
    decided = [one for episode in episodes for one in episode.decided]
    if not decided:
        raise InputError("nobody asked for an answer in these worlds; play longer or other ones")
    steps, dues = len(decided), [one.asked.shown.due for one in decided]
    step = np.repeat(np.arange(steps), [len(due) for due in dues])
    partner, rows = np.concatenate(dues), np.concatenate([one.asked.rows for one in decided])
    inputs, due = np.zeros((steps, MAX_PARTNERS, SIZE), np.float32), np.zeros((steps, MAX_PARTNERS), np.bool_)
    inputs[step, partner], due[step, partner] = rows, True
    ends = np.cumsum([len(episode.decided) for episode in episodes]) - 1
    last = np.isin(np.arange(steps), ends)
    days = np.array([day for episode in episodes for day in episode.days])[step]
    world = np.repeat(np.arange(len(episodes)), [len(episode.decided) for episode in episodes])[step]
    order = np.lexsort((step, partner, days, world))
    key = np.stack([world, days, partner], axis=1)[order]
    starts = np.flatnonzero(np.any(np.diff(key, axis=0, prepend=-1), axis=1))
    made, planned = (np.concatenate([getattr(one, name) for one in decided]) for name in ("chosen", "planned"))
    actions, masks = learner.rows_of(made, _masks(decided, learner, made))
    followed = learner.rows_of(planned, _masks(decided, learner, planned))
    none = np.zeros(len(order), np.float32)
    parts = rows[order], actions[order], masks[order], none, starts, np.arange(len(starts)), none > 0
    return Rollout(
        torch.from_numpy(inputs),
        torch.from_numpy(due),
        np.concatenate([episode.rewards for episode in episodes]),
        last,
        Sequences(*parts),
        order,
        torch.from_numpy(np.concatenate([one.changed for one in decided])),
        sets_of([one.situation for one in decided]),
        torch.from_numpy(np.concatenate([one.raw for one in decided])),
        (torch.from_numpy(followed[0][order]), torch.from_numpy(followed[1][order])),
    )


def _masks(decided: Sequence[Any], learner: ExecutorLearner, chosen: np.ndarray) -> np.ndarray:
    """Valid options of each decision, in which quantities are those for the day that was chosen."""
    masks, safe = (np.concatenate([getattr(one.asked, name) for one in decided]) for name in ("masks", "safe"))
    first = learner.choices.sizes[0]
    quantities = slice(first, first + learner.choices.quantity_bins)
    masks[:, quantities] &= safe[np.arange(len(masks)), chosen[:, ORDER[DAY]]]
    assert ORDER[QUANTITY] == 1, "quantities stand after responses"
    return masks


class Improving:
    """Learns from rollouts.

    Args:
        learner: The executor, whose network changes.
        coordinator: Changes where it is given.
        judge: Changes.
        settings: How it learns.
        view: Whom the critic sees beside an agent.
        seed: Of the order of decisions.

    Attributes:
        network: The executor's.
        descents: Optimisers, by the name of what they change.
    """

    def __init__(
        self,
        learner: ExecutorLearner,
        coordinator: Coordinator | None,
        judge: Judge,
        settings: LearningHyperparameters,
        view: View,
        seed: int,
    ):
        assert learner.network is not None, "it has a network"
        self.network: DecisionTransformer = learner.network
        self._context = learner.hyperparameters.context
        self._coordinator, self._judge, self._settings, self._view, self._seed = (
            *(coordinator, judge, settings),
            *(view, seed),
        )
        parts = {"executor": self.network, "critic": judge.critic, "coordinator": coordinator}
        self.descents = {
            name: Descent(part, settings.max_grad_norm) for name, part in parts.items() if part is not None
        }

    def update(self, rollout: Rollout, worlds: int) -> dict[str, float]:
        """Learn from a rollout; what was measured.

        Args:
            rollout: To learn from.
            worlds: That were played before it.

        Raises:
            InputError: if a gradient is not finite.
        """
        gains, learns, targets = self._expect(rollout)
        draws = np.random.default_rng((self._seed, worlds))
        told = means(
            (
                *self._improve_executor(rollout, gains, learns, draws, worlds),
                *self._improve_others(rollout, gains, learns, targets, draws, worlds),
            )
        )
        return told | {"learnt_share": float(learns.float().mean())}

    def follow(self, rollout: Rollout, stage: DaggerStage, rate: float, worlds: int) -> dict[str, float]:
        """Let the executor learn what follows the plan, and the critic what to expect; what was measured.

        Args:
            rollout: To learn from.
            stage: Says how.
            rate: Of Adam, of the executor.
            worlds: That were played before it.

        Raises:
            InputError: if a gradient is not finite.
        """
        gains, learns, targets = self._expect(rollout)
        draws = np.random.default_rng((self._seed, worlds))
        nobody = torch.zeros_like(learns)
        return means(
            (
                *self._improve_following(rollout, stage, rate, draws, worlds),
                *self._improve_others(rollout, gains, nobody, targets, draws, worlds),
            )
        )

    def _expect(self, rollout: Rollout) -> tuple[Tensor, Tensor, Tensor]:
        """Normalised advantages of the ``n`` decisions, which of them the policy learns from, and what the critic is to
        say, ``(steps, MAX_PARTNERS)``."""
        settings, judge = self._settings, self._judge
        values = self._values(rollout)
        due = rollout.due.numpy()
        found = advantages(rollout.rewards, values, due, rollout.last, settings.gamma, settings.gae_lambda)
        returns = torch.from_numpy(found + values).float()
        gains, learns = torch.from_numpy(found[due]).float(), ~rollout.changed
        if learns.any():
            gains = (gains - gains[learns].mean()) / (gains[learns].std(correction=0) + 1e-8)
        heads: list[nn.Linear] = [judge.critic.head]
        VALUE_NORMS[settings.value_norm](judge.scale, heads, returns[rollout.due], settings.value_norm_decay)
        mean, deviation = judge.scale.mean_and_deviation()
        return gains, learns, (returns - mean) / deviation

    @torch.no_grad()
    def _values(self, rollout: Rollout) -> np.ndarray:
        """What is expected at each decision, in rewards, float64 ``(steps, MAX_PARTNERS)``."""
        mean, deviation = self._judge.scale.mean_and_deviation()
        parts = zip(rollout.inputs.split(CHUNK), rollout.due.split(CHUNK), strict=True)
        values = torch.cat([self._judge.critic(inputs, self._view(due)) for inputs, due in parts])
        return (values * deviation + mean).double().numpy()

    def _improve_executor(
        self, rollout: Rollout, gains: Tensor, learns: Tensor, draws: np.random.Generator, worlds: int
    ) -> Iterator[tuple[str, float, float]]:
        """Passes over the negotiations; yields name, number and weight of what is measured."""
        settings, sequences = self._settings, rollout.sequences
        batches = Batches(sequences, self.network.scale.numpy(), self._context)
        episodes = np.arange(len(sequences.starts))
        begin, end = windows_of(sequences, episodes, self._context, np.zeros(len(episodes), np.int64))
        order = torch.from_numpy(rollout.order)
        gains, learns, before = gains[order], learns[order], torch.zeros(len(order))
        with torch.no_grad():
            for chosen in _chunks(begin, end, np.arange(len(begin)), CHUNK * self._context):
                logs, at = self._logs(batches, begin[chosen], end[chosen])
                before[at] = logs
        for _ in range(settings.n_epochs):
            for chosen in _chunks(begin, end, draws.permutation(len(begin)), settings.batch_size):
                loss, kl, clipped, count = torch.zeros(()), 0.0, 0.0, 0
                lengths = (end - begin)[chosen]
                for part in np.array_split(np.argsort(lengths, kind="stable"), min(PARTS, len(lengths))):
                    logs, at = self._logs(batches, begin[chosen[part]], end[chosen[part]])
                    who = learns[at]
                    if who.any():
                        change = logs[who] - before[at][who]
                        lost = clipped_loss(change, gains[at][who], settings.clip_range)
                        n = int(who.sum())
                        loss, count = loss + lost[0] * n, count + n
                        kl, clipped = kl + float(lost[1].detach()) * n, clipped + float(lost[2].detach()) * n
                if count:
                    self.descents["executor"].step(loss / count, settings.learning_rate, worlds)
                    yield "policy_loss", float(loss.detach()) / count, count
                    yield "approx_kl", kl / count, count
                    yield "clip_fraction", clipped / count, count

    def _improve_following(
        self, rollout: Rollout, stage: DaggerStage, rate: float, draws: np.random.Generator, worlds: int
    ) -> Iterator[tuple[str, float, float]]:
        """Passes over the negotiations, as `_improve_executor`; what was done in them is seen, what follows the plan is
        learnt."""
        sequences = rollout.sequences
        batches = Batches(sequences, self.network.scale.numpy(), self._context)
        episodes = np.arange(len(sequences.starts))
        begin, end = windows_of(sequences, episodes, self._context, np.zeros(len(episodes), np.int64))
        for _ in range(stage.n_epochs):
            for chosen in _chunks(begin, end, draws.permutation(len(begin)), stage.batch_size):
                loss, count, lengths = torch.zeros(()), 0, (end - begin)[chosen]
                for part in np.array_split(np.argsort(lengths, kind="stable"), min(PARTS, len(lengths))):
                    logs, at = self._logs(batches, begin[chosen[part]], end[chosen[part]], rollout.planned)
                    loss, count = loss - logs.sum(), count + len(at)
                self.descents["executor"].step(loss / count, rate, worlds)
                yield "follow_loss", float(loss.detach()) / count, count

    def _logs(
        self, batches: Batches, begin: np.ndarray, end: np.ndarray, instead: tuple[Tensor, Tensor] | None = None
    ) -> tuple[Tensor, Tensor]:
        """Logarithms of the probabilities of what was done in some windows, or of other actions, ``(actions, masks)``
        of all decisions; and which decisions they are. Of offers all choices count, else the response."""
        windows, there, places = batches.take(begin, end)
        actions, masks = batches.done(places)[:2] if instead is None else (part[places] for part in instead)
        logs, *_ = self.network.heads.log_likelihood(self.network(windows)[there], actions, masks)
        rest = torch.where(actions[:, :1] == OFFER, logs[:, 1:], 0.0)  # what no offer asks for need not be valid
        return logs[:, 0] + rest.sum(dim=1), torch.from_numpy(places)

    def _improve_others(
        self,
        rollout: Rollout,
        gains: Tensor,
        learns: Tensor,
        targets: Tensor,
        draws: np.random.Generator,
        worlds: int,
    ) -> Iterator[tuple[str, float, float]]:
        """Passes over the factories' decisions, for critic and coordinator."""
        settings, n = self._settings, len(rollout.rewards)
        first = [0, *np.cumsum(rollout.due.sum(dim=1).numpy()).tolist()]
        size = max(1, round(settings.batch_size * n / max(1, len(rollout.raw))))
        before = self._means(rollout, np.arange(n))
        for _ in range(settings.n_epochs):
            for steps in np.array_split(draws.permutation(n), max(1, n // size)):
                due = rollout.due[steps]
                values = self._judge.critic(rollout.inputs[steps], self._view(due))[due]
                loss = nn.functional.huber_loss(values, targets[steps][due], delta=settings.huber_delta)
                self.descents["critic"].step(loss, settings.critic_rate, worlds)
                yield "value_loss", float(loss.detach()), len(values)
                if self._coordinator is None:
                    continue
                at = torch.from_numpy(np.concatenate([np.arange(first[s], first[s + 1]) for s in steps.tolist()]))
                who = learns[at]
                if not who.any():
                    continue
                means, own = self._coordinator(Sets(*(part[steps] for part in rollout.sets)))[who], at[who]
                change = (_away(rollout.raw[own], before[own]) - _away(rollout.raw[own], means)) / (
                    2.0 * settings.alpha_noise**2
                )
                lost = clipped_loss(change, gains[own], settings.clip_range)
                self.descents["coordinator"].step(lost[0], settings.coordinator_rate, worlds)
                yield "alpha_loss", float(lost[0].detach()), len(own)

    @torch.no_grad()
    def _means(self, rollout: Rollout, steps: np.ndarray) -> Tensor:
        """What the coordinator says now, ``(n,)``."""
        if self._coordinator is None:
            return torch.zeros(len(rollout.raw))
        parts = [
            Sets(*(part[chunk] for part in rollout.sets)) for chunk in np.array_split(steps, len(steps) // CHUNK + 1)
        ]
        return torch.cat([self._coordinator(part) for part in parts])

    def arrays(self) -> dict[str, np.ndarray]:
        """Where the optimisers stand."""
        made = {f"{name}_moments": descent.adam.moments for name, descent in self.descents.items()}
        return made | {f"{name}_steps": np.array(descent.adam.steps) for name, descent in self.descents.items()}

    def restore(self, arrays: Mapping[str, np.ndarray]) -> None:
        """Go on where `arrays` were given.

        Raises:
            InputError: if they are of other networks.
        """
        for name, descent in self.descents.items():
            if arrays[f"{name}_moments"].shape != descent.adam.moments.shape:
                raise InputError("a training of other networks: begin a new run")
            descent.adam.moments, descent.adam.steps = arrays[f"{name}_moments"], int(arrays[f"{name}_steps"])


def means(measured: Iterable[tuple[str, float, float]]) -> dict[str, float]:
    """Weighted means by name, of names, numbers and weights."""
    by_name = dict[str, list[tuple[float, float]]]()
    for name, number, weight in measured:
        by_name.setdefault(name, []).append((number, weight))
    parts = {name: zip(*numbers, strict=True) for name, numbers in by_name.items()}
    return {name: float(np.average(numbers, weights=weights)) for name, (numbers, weights) in parts.items()}


def _away(raw: Tensor, means: Tensor) -> Tensor:
    return (raw - means) ** 2


def _chunks(begin: np.ndarray, end: np.ndarray, order: np.ndarray, decisions: int) -> list[np.ndarray]:
    """Windows in an order, in parts of about so many decisions."""
    lengths = (end - begin)[order]
    return np.array_split(order, max(1, math.ceil(lengths.sum() / decisions)))
