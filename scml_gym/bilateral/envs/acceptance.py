"""BilateralAcceptance: when to accept, as an MDP; a strategy makes the learner's offers."""

from __future__ import annotations

import os

from gymnasium.utils import EzPickle

from scml_gym.bilateral.envs.base import NegotiationEnv
from scml_gym.bilateral.envs.codecs import ACCEPTANCE
from scml_gym.bilateral.envs.config import AnyScenario, Opponent, acceptance_config
from scml_gym.bilateral.rewards import RewardPart, make_reward
from scml_gym.core.arguments import named_arguments


@named_arguments()
class BilateralAcceptanceEnv(NegotiationEnv, EzPickle):
    """When to accept in a bilateral negotiation of alternating offers; the learner's own offers are AgentK's.

    ## Description
    The environment of Matsuo and Fujita, *Effective acceptance strategy in automated negotiation using deep
    reinforcement learning*, section 3. An episode is one negotiation of ``rounds`` rounds, one move of each side in
    each. In its turn the learner accepts the opponent's standing offer, or refuses it and offers what its bidding
    strategy (AgentK) has prepared. Utilities are the paper's equation (1); a negotiation without agreement is worth 0
    (the reserved value), and time costs nothing (no discount).

    ## Action Space
    ``Discrete(2)``: 0 offers, 1 accepts. ``info["action_mask"]`` holds the valid ones as
    ``action_space.sample(mask=...)`` takes them, int8, shape ``(2,)``, and ``action_masks()`` as sb3-contrib takes
    them, bool: Accept is invalid only where the learner opens and nothing was offered yet; it then ends the
    negotiation, as in negmas, and is counted.

    ## Observation Space
    ``Box`` of float32 in [0, 1], shape ``(2,)``: the utility of the standing offer to the learner (0 before the first),
    and the time r / (T + 1) in round r of T (equation 2).

    ## Rewards
    The sum of what applies in a step, each a part of its own (equations 3 and 4; see `scml_gym.bilateral.rewards`):
    ``accept_reward`` of the agreed utility u, whoever accepts: ``"a"``: u, ``"b"``: (tanh(5(u - .5)) + 1) / 2,
    ``"c"``: tanh(5(u - .5)); ``offer_reward`` for refusing an offer of utility u: ``"a"``: 0, ``"b"``: (1 - u) / 100,
    ``"c"``: the same of the mean of the last ten offers received, of all where there are fewer; ``failure_penalty`` (0
    or below) at an end without agreement. Parts may be functions ``(utility, mean) -> float`` of one's own.

    So an offer that the opponent accepts pays the agreement and the offer reward of what was refused for it, and the
    last offer of a negotiation that fails pays the offer reward and the penalty. An offer before the opponent's first
    one refuses nothing and earns no offer reward.

    ## Starting State
    ``reset(seed=s)`` draws the negotiation's seed from ``s``. With ``opponent_first=True`` the opponent's first offer
    stands; else nothing was offered yet.

    ## Episode End
    ``terminated`` at an agreement, and after the last move of the last round. ``truncated`` is always False.

    ## Information
    At every step ``action_mask``; with the last step only ``utility`` and ``opponent_utility`` (0 without agreement),
    ``agreement`` (bool), ``outcome`` (its index, -1 for none), ``round`` in which it ended, from 1, ``accepted_by``
    (``"learner"``, ``"opponent"`` or ``"nobody"``) and ``invalid_actions``.

    ## Arguments
    ``scenario``, ``profile``, ``opponent``, ``rounds``, ``opponent_first`` and ``bids`` as in
    `scml_gym.bilateral.envs.config.BilateralConfig`; ``accept_reward``, ``offer_reward`` and ``failure_penalty``;
    ``backend``: ``"compiled"``, tables of utilities in machine code, or ``"reference"``, negmas' own mechanism, equal
    step for step; ``render_mode``: ``"ansi"`` or ``"rgb_array"``; ``recording``: a folder that every negotiation
    is recorded to which is played to its end, see docs/analyzer.md.

    ## Version History
    v0: the first version. A v1 is made when the same seed and actions no longer give the same observations, rewards and
    ends. New arguments whose defaults keep them, further keys of the infos, and changes of speed make no new version.

    ## Example
    ```python
    import gymnasium
    import scml_gym

    env = gymnasium.make("scml_gym/BilateralAcceptance-v0", scenario="Party", opponent="boulware")
    observation, info = env.reset(seed=7)
    terminated = False
    while not terminated:
        observation, reward, terminated, truncated, info = env.step(int(observation[0] > 0.8))
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
        accept_reward: str | RewardPart = "a",
        offer_reward: str | RewardPart = "b",
        failure_penalty: float = 0.0,
        bids: Opponent = "AgentK",
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
            accept_reward,
            offer_reward,
            failure_penalty,
            bids,
            backend,
            render_mode,
            recording,
        )
        config = acceptance_config(scenario, profile, opponent, rounds, opponent_first, bids)
        reward = make_reward(accept_reward, offer_reward, failure_penalty)
        super().__init__(config, ACCEPTANCE, reward, backend, render_mode, recording)
