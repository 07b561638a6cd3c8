"""Parity of bilateral negotiations: the same episode on negmas' mechanism and in the compiled tables, compared."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import gymnasium
import numpy as np

from scml_gym.bilateral.negotiators import NEGOTIATORS
from scml_gym.bilateral.rewards import ACCEPT_REWARDS, OFFER_REWARDS
from scml_gym.bilateral.scenarios import SCENARIOS
from scml_gym.game.parity import play_both

BACKENDS = ("reference", "compiled")


@dataclass(frozen=True)
class NegotiationCase:
    """An episode to be played twice.

    Attributes:
        env_id: Of the environment.
        arguments: Of the environment, but for its backend.
        seed: Of the episode and of the actions.
        hold: Probability with which the learner makes an offer that it likes, instead of anything.
    """

    env_id: str
    arguments: Mapping[str, Any]
    seed: int
    hold: float


def draw_negotiation(
    seed: int, index: int, scenarios: Sequence[Any], rounds: tuple[int, int] = (2, 100)
) -> NegotiationCase:
    """An episode of one of the bilateral environments against a random negotiator of the registry.

    Args:
        seed: Of the whole comparison.
        index: Of the case in it.
        scenarios: Of which one is drawn.
        rounds: Range of the number of rounds.
    """
    rng = np.random.default_rng([seed, index])
    names = sorted(NEGOTIATORS)
    arguments = {
        "scenario": scenarios[int(rng.integers(len(scenarios)))],
        "profile": int(rng.integers(2)),
        "opponent": str(rng.choice(names)),
        "rounds": int(rng.integers(rounds[0], rounds[1] + 1)),
        "opponent_first": bool(rng.integers(2)),
        "accept_reward": str(rng.choice(sorted(ACCEPT_REWARDS))),
        "offer_reward": str(rng.choice(sorted(OFFER_REWARDS))),
        "failure_penalty": float(rng.choice([-1.0, -0.5, 0.0])),
    }
    kinds = [
        ("scml_gym/BilateralAcceptance-v0", {"bids": str(rng.choice(names))}),
        ("scml_gym/Bilateral-v0", {"action": "outcome", "history": int(rng.integers(3))}),
        ("scml_gym/Bilateral-v0", {"action": "target", "targets": int(rng.integers(2, 30))}),
    ]
    env_id, more = kinds[int(rng.integers(len(kinds)))]
    return NegotiationCase(env_id, arguments | more, int(rng.integers(2**31)), float(rng.choice([0.9, 0.99, 1.0])))


def compare_negotiation(case: NegotiationCase, counts: Counter[str]) -> str | None:
    """Play an episode step for step in both worlds.

    Args:
        case: The episode.
        counts: Receives ``negotiations``, ``steps``, ``agreements`` and the opponent's name.

    Returns:
        The first difference in words, or None where observations, masks, rewards, ends, information and all that the
        learner's side sees are equal to the last bit.
    """
    envs: list[Any] = [gymnasium.make(case.env_id, backend=b, **case.arguments).unwrapped for b in BACKENDS]
    rng = np.random.default_rng(case.seed)
    difference, steps, info = play_both(
        envs, case.seed, lambda: _draw_action(case, rng, envs[0]), lambda env: {"view": view_numbers(env.view)}
    )
    counts.update({"negotiations": 1, str(case.arguments.get("opponent")): 1})
    if difference is None:
        counts.update(steps=steps, agreements=int(info["agreement"]))
    return difference


def compare_case(seed: int, index: int, counts: Counter[str]) -> str | None:
    """A random episode of one of the scenarios by name, or of a random one.

    Args:
        seed: Of the whole comparison.
        index: Of the case in it.
        counts: As `compare_negotiation`.

    Returns:
        The first difference in words, or None where there is none.
    """
    return compare_negotiation(draw_negotiation(seed, index, [*SCENARIOS, "random"]), counts)


def view_numbers(view: Any) -> np.ndarray:
    """All numbers of a view that say something, as float64."""
    received = view["received"][: view["n_received"]]
    return np.array([view[name] for name in view.dtype.names if name != "received"] + list(received), dtype=np.float64)


def _draw_action(case: NegotiationCase, rng: np.random.Generator, env: Any) -> int:
    """Mostly an offer, that is mostly a good one so that negotiations last; now and then any action, valid or not."""
    n = int(env.action_space.n)
    if "Acceptance" in case.env_id:
        return int(rng.random() >= case.hold)
    if rng.random() >= case.hold:
        return int(rng.integers(n))
    if case.arguments["action"] == "outcome":
        return 2 + int(env.table.order[int(len(env.table.order) * 0.1 * rng.random())])
    return 2 + int((n - 2) * (0.7 + 0.3 * rng.random()))
