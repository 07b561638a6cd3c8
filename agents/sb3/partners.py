"""What layers over partners cannot compute of an observation of rows, computed for them; and such layers.

`Sets` adds to the observation which sets of standing offers fit the needs best. `PartnerBody` is a network that answers
each partner by the same layers, so that what is learnt of one partner holds for all of them. Equal partners would then
get equal answers, so each row also says what tells it from the others: whether it belongs to the best fitting sets, and
its part where what they leave is divided in the order of the partners. What to make of these facts is learnt.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import torch
from gymnasium import spaces
from stable_baselines3.common.torch_layers import BaseFeaturesExtractor, FlattenExtractor
from torch import nn
from torch.nn.functional import one_hot

from scml_gym.agents.sb3.hyperparameters import EnvSpaces
from scml_gym.core.config import ConfigError
from scml_gym.oneshot.observations.encoding import N_ENTITIES, N_ENTITY, N_FACTORY, N_PARTNER
from scml_gym.oneshot.observations.fitting_sets import FACTORY, MOST, N_CONTEXT, N_ROW, PARTNER, PRICE_WEIGHT
from scml_gym.oneshot.view import MAX_PARTNERS


def fitting_sets(offered: torch.Tensor, gain: torch.Tensor, needs: torch.Tensor, sets: torch.Tensor) -> Any:
    """The sets of standing offers whose totals come nearest to the needs from below and from above.

    Args:
        offered: Items that each partner offers, 0 for none; ``(batch, 8)``.
        gain: Position of its price, 1 for the better one; ``(batch, 8)``.
        needs: ``(batch, 1)``.
        sets: All sets as rows of 0 and 1, ``(256, 8)``.

    Returns:
        Both sets as members, 0 or 1, ``(batch, 8)``, and totals less the needs, ``(batch, 1)``. Where no set comes from
        above, both are those of the empty set.
    """
    gap = offered @ sets.T - needs
    price = PRICE_WEIGHT * ((offered * gain) @ sets.T)
    below = (gap + price).masked_fill(gap > 0.5, -1e3).argmax(dim=1, keepdim=True)
    above = (price - gap).masked_fill(gap < -0.5, -1e3).argmax(dim=1, keepdim=True)
    standing = (offered > 0.5).float()
    return (
        sets[below[:, 0]] * standing,
        gap.gather(1, below),
        sets[above[:, 0]] * standing,
        gap.gather(1, above),
    )


class Sets(nn.Module):
    """The facts: no weights."""

    def __init__(self) -> None:
        super().__init__()
        codes = torch.arange(1 << MAX_PARTNERS)[:, None] >> torch.arange(MAX_PARTNERS)
        self.register_buffer("sets", (codes & 1).float(), persistent=False)
        self.sets: torch.Tensor

    def forward(self, observations: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Rows ``(batch, 8, N_ROW)``, context ``(batch, N_CONTEXT)`` and which partners negotiate ``(batch, 8, 1)``."""
        rows = observations.reshape(-1, N_ENTITIES, N_ENTITY)
        factory, partners = rows[:, 0, 1 : 1 + N_FACTORY], rows[:, 1:, 1 : 1 + N_PARTNER]
        running, price = partners[..., PARTNER["running"]], partners[..., PARTNER["offer_price"]]
        buyer = factory[:, FACTORY["buyer"], None]
        offered = (MOST * partners[..., PARTNER["offer_quantity"]] * partners[..., PARTNER["my_turn"]]).round()
        gain = price + buyer * (1.0 - 2.0 * price)
        needs = (MOST * factory[:, FACTORY["needs"], None]).round()
        below, lacking, above, exceeding = fitting_sets(offered, gain, needs, self.sets)
        asked = running * (1.0 - below)
        n_asked = asked.sum(dim=1, keepdim=True)
        place = asked.cumsum(dim=1)
        share = torch.floor((-lacking + n_asked - place) / n_asked.clamp(min=1.0)).clamp(0, MOST) * asked
        hints = torch.stack([below, above, place / MAX_PARTNERS], dim=2)
        shares = one_hot(share.long(), MOST + 1).float()
        n_running = running.sum(dim=1, keepdim=True)
        time = (partners[..., PARTNER["time"]] * running).amax(dim=1, keepdim=True)
        facts = [lacking / MOST, exceeding / MOST, n_asked / MAX_PARTNERS, n_running / MAX_PARTNERS, time]
        return torch.cat([partners, hints, shares], dim=2), torch.cat([factory, *facts], dim=1), running.unsqueeze(2)


class PartnerBody(nn.Module):
    """Layers from an observation of rows, flattened, to the latents of the policy and of the value function.

    Args:
        units: Of each layer, and of each partner's part of the policy's latent.
    """

    def __init__(self, units: int):
        super().__init__()
        self.latent_dim_pi, self.latent_dim_vf = MAX_PARTNERS * units, units
        self.read = Sets()
        self.row = nn.Linear(N_ROW, units)
        self.context = nn.Linear(N_CONTEXT, units)
        self.second_row = nn.Linear(units, units)
        self.second_context = nn.Linear(units, units)
        self.value = nn.Sequential(nn.Linear(N_CONTEXT + N_ROW, units), nn.Tanh(), nn.Linear(units, units), nn.Tanh())

    def forward(self, features: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Latents of the policy ``(batch, 8 * units)`` and of the value function ``(batch, units)``."""
        rows, context, running = self.read(features)
        return self._actor(rows, context, running), self._critic(rows, context, running)

    def forward_actor(self, features: torch.Tensor) -> torch.Tensor:
        """The policy's latent alone."""
        return self._actor(*self.read(features))

    def forward_critic(self, features: torch.Tensor) -> torch.Tensor:
        """The value function's latent alone."""
        return self._critic(*self.read(features))

    def _actor(self, rows: torch.Tensor, context: torch.Tensor, running: torch.Tensor) -> torch.Tensor:
        first = torch.tanh(self.row(rows) + self.context(context).unsqueeze(1))
        pooled = self.second_context(_mean(first, running))
        return torch.tanh(self.second_row(first) + pooled.unsqueeze(1)).flatten(1)

    def _critic(self, rows: torch.Tensor, context: torch.Tensor, running: torch.Tensor) -> torch.Tensor:
        return self.value(torch.cat([context, _mean(rows, running)], dim=1))


def _mean(values: torch.Tensor, running: torch.Tensor) -> torch.Tensor:
    """Over the partners that negotiate."""
    return (values * running).sum(dim=1) / running.sum(dim=1).clamp(min=1.0)


class SetFeatures(BaseFeaturesExtractor):
    """The context, and the mean row of the partners that negotiate: ``(batch, N_CONTEXT + N_ROW)``."""

    def __init__(self, observation_space: spaces.Space):
        super().__init__(observation_space, N_CONTEXT + N_ROW)
        self.read = Sets()

    def forward(self, observations: torch.Tensor) -> torch.Tensor:
        """The features of observations, float32, shape ``(batch, 9, 16)``."""
        rows, context, running = self.read(observations)
        return torch.cat([context, _mean(rows, running)], dim=1)


def linear_layers(policy: Any) -> tuple[list[nn.Linear], list[nn.Linear], list[nn.Linear]]:
    """The linear layers of a policy of PPO, from what comes first: the actor's, the critic's, and those that are added
    to the first of the actor's where the policy has a `PartnerBody`."""
    body, beside = policy.mlp_extractor, []
    if isinstance(body, PartnerBody):
        actor, critic = [body.row, body.second_row, *policy.action_net], [*body.value, policy.value_net]
        beside = [body.context, body.second_context]
    else:
        actor, critic = [*body.policy_net, policy.action_net], [*body.value_net, policy.value_net]
    actor, critic = ([layer for layer in part if isinstance(layer, nn.Linear)] for part in (actor, critic))
    return actor, critic, beside


def partner_body(features_dim: int, units: int) -> PartnerBody:
    """As `scml_gym.agents.sb3.heads.HeadsPolicy` takes it."""
    return PartnerBody(units)


def partners(hyperparameters: Any, env: EnvSpaces) -> dict[str, Any]:
    """SB3's ``policy_kwargs`` for `PartnerBody`.

    Args:
        hyperparameters: With ``embedding_size``.
        env: The environment's spaces.

    Raises:
        ConfigError: as `check_rows`, or if the action is not one choice for each partner.
    """
    check_rows(env, "partners")
    sizes = getattr(env.action, "nvec", ())
    if len(sizes) != MAX_PARTNERS or len(set(sizes)) != 1:
        raise ConfigError(
            ("agent", "features"), "'partners' takes one choice for each partner; valid: env.action: choice"
        )
    return {
        "features_extractor_class": FlattenExtractor,
        "body": partial(partner_body, units=hyperparameters.embedding_size),
    }


def sets(hyperparameters: Any, env: EnvSpaces) -> dict[str, Any]:
    """SB3's ``policy_kwargs`` for `SetFeatures`.

    Args:
        hyperparameters: Not used.
        env: The environment's spaces.

    Raises:
        ConfigError: as `check_rows`.
    """
    check_rows(env, "sets")
    return {"features_extractor_class": SetFeatures}


def check_rows(env: EnvSpaces, name: str) -> None:
    """Refuse environments whose observations are no rows, or have numbers that networks over rows do not read.

    Raises:
        ConfigError: naming the features.
    """
    if env.timing == "negotiations":
        told = f"{name!r} does not read how often partners were let wait, which env.timing: negotiations shows"
        raise ConfigError(("agent", "features"), f"{told}; valid: flatten")
    if not isinstance(env.observation, spaces.Box) or env.observation.shape != (N_ENTITIES, N_ENTITY):
        raise ConfigError(
            ("agent", "features"), f"{name!r} takes observations of rows; valid with env.observation: entities"
        )
