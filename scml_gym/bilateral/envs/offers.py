"""Bilateral: a whole bilateral negotiation, offers and acceptance, as an MDP."""

from __future__ import annotations

import os

from gymnasium.utils import EzPickle

from scml_gym.bilateral.envs.base import NegotiationEnv
from scml_gym.bilateral.envs.codecs import offers_codec
from scml_gym.bilateral.envs.config import AnyScenario, BilateralConfig, Opponent
from scml_gym.bilateral.rewards import RewardPart, make_reward
from scml_gym.core.arguments import named_arguments


@named_arguments()
class BilateralEnv(NegotiationEnv, EzPickle):
    """A bilateral negotiation of alternating offers; the learner makes the offers too.

    ## Description
    An episode is one negotiation of ``rounds`` rounds, one move of each side in each. In its turn the learner accepts
    the opponent's standing offer, makes one of its own, or ends the negotiation. Utilities are those of equation (1) of
    Matsuo and Fujita; a negotiation without agreement is worth 0 (the reserved value), and time costs nothing (no
    discount).

    ## Action Space
    ``Discrete``: 0 ends the negotiation, 1 accepts the standing offer, the rest offer. ``action="outcome"``: ``2 + i``
    offers outcome ``i`` of the scenario (`Scenario.outcome`), ``n + 2`` actions for ``n`` outcomes.
    ``action="target"``: ``2 + j`` offers the outcome of lowest utility at or above ``j / (targets - 1)``, or the best
    where none is, ``targets + 2`` actions. ``info["action_mask"]`` holds the valid ones as
    ``action_space.sample(mask=...)`` takes them, int8, and ``action_masks()`` as sb3-contrib takes them, bool: to
    accept needs a standing offer, and where scenarios are drawn an outcome may not exist. An invalid action ends the
    negotiation, as in negmas, and is counted.

    ## Observation Space
    ``Box`` of float32 in [0, 1], shape ``(5 + 2 * history,)``: utility of the opponent's standing offer to the learner
    and whether there is one, utility of the learner's last offer and whether there is one, the time r / (T + 1) in
    round r of T; and for each of ``history`` earlier turns, the latest first, the utilities to the learner of the
    opponent's offer and then of its own (0 before the first).

    ## Rewards
    The sum of what applies in a step, each a part of its own (see `scml_gym.bilateral.rewards`):
    ``accept_reward`` of the agreed utility u, whoever accepts: ``"a"``: u, ``"b"``: (tanh(5(u - .5)) + 1) / 2,
    ``"c"``: tanh(5(u - .5)); ``offer_reward`` for refusing an offer of utility u: ``"a"``: 0, ``"b"``: (1 - u) / 100,
    ``"c"``: the same of the mean of the last ten offers received, of all where there are fewer; ``failure_penalty`` (0
    or below) at an end without agreement. Parts may be functions ``(utility, mean) -> float`` of one's own.

    So an offer that the opponent accepts pays the agreement and the offer reward of what was refused for it, and the
    last offer of a negotiation that fails pays the offer reward and the penalty. An offer before the opponent's first
    one refuses nothing and earns no offer reward. To end earns the penalty alone. By default the utility
    of an agreement is all that is paid.

    ## Starting State
    ``reset(seed=s)`` draws the negotiation's seed from ``s``, and from that the scenario where scenarios are random.
    With ``opponent_first=True`` the opponent's first offer stands; else nothing was offered yet.

    ## Episode End
    ``terminated`` at an agreement, where the learner ends, and after the last move of the last round. ``truncated`` is
    always False.

    ## Information
    At every step ``action_mask``; with the last step only ``utility`` and ``opponent_utility`` (0 without agreement),
    ``agreement`` (bool), ``outcome`` (its index, -1 for none), ``round`` in which it ended, from 1, ``accepted_by``
    (``"learner"``, ``"opponent"`` or ``"nobody"``) and ``invalid_actions``.

    ## Arguments
    ``scenario``, ``profile``, ``opponent``, ``rounds`` and ``opponent_first`` as in
    `scml_gym.bilateral.envs.config.BilateralConfig`; ``action``, ``targets`` and ``history``, see above;
    ``accept_reward``, ``offer_reward`` and ``failure_penalty``; ``backend``: ``"compiled"``, tables of utilities in
    machine code, or ``"reference"``, negmas' own mechanism, equal step for step; ``render_mode``: ``"ansi"`` or
    ``"rgb_array"``; ``recording``: a folder that every negotiation is recorded to which is played to its end, see
    docs/analyzer.md.

    ## Version History
    v0: the first version. A v1 is made when the same seed and actions no longer give the same observations, rewards and
    ends. New arguments whose defaults keep them, further keys of the infos, and changes of speed make no new version.

    ## Example
    ```python
    import gymnasium
    import scml_gym

    env = gymnasium.make("scml_gym/Bilateral-v0", scenario="Party", opponent="boulware", action="target", history=3)
    observation, info = env.reset(seed=7)
    terminated = False
    while not terminated:
        action = env.action_space.sample(mask=info["action_mask"])
        observation, reward, terminated, truncated, info = env.step(action)
    print(info["utility"], info["round"], info["accepted_by"])
    ```

    Raises:
        InputError: for an unknown name or a value of the wrong type; for an opponent that the backend cannot play; in
            ``reset`` and ``step``: for an action outside the space, a strategy that fails or offers what is no outcome,
            and a reward that is no finite number.
    """

    def __init__(
        self,
        scenario: AnyScenario = "Party",
        profile: int = 0,
        opponent: Opponent = "AgentK",
        rounds: int = 100,
        opponent_first: bool = True,
        action: str = "outcome",
        targets: int = 21,
        history: int = 0,
        accept_reward: str | RewardPart = "a",
        offer_reward: str | RewardPart = "a",
        failure_penalty: float = 0.0,
        backend: str = "compiled",
        render_mode: str | None = None,
        recording: str | os.PathLike[str] | None = None,
    ):
        EzPickle.__init__(
            self,
            scenario,
            profile,
            opponent,
            rounds,
            opponent_first,
            action,
            targets,
            history,
            accept_reward,
            offer_reward,
            failure_penalty,
            backend,
            render_mode,
            recording,
        )
        config = BilateralConfig(scenario, profile, opponent, rounds, opponent_first)
        codec = offers_codec(action, config.most_outcomes, targets, history)
        reward = make_reward(accept_reward, offer_reward, failure_penalty)
        super().__init__(config, codec, reward, backend, render_mode, recording)
