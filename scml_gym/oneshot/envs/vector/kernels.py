"""Action codecs and encoders of OneShot as compiled code takes them; importing this registers them."""

from __future__ import annotations

import functools

import numpy as np

from scml_gym.game.kernels import (
    ActionFunctions,
    ActionKernel,
    EncoderKernel,
    mask_nothing,
    remember_nothing,
)
from scml_gym.jit.compile import jittable
from scml_gym.oneshot.actions.factory import (
    ChoiceActions,
    ContinuousActions,
    choice_mask,
    decode_choices,
    decode_continuous,
)
from scml_gym.oneshot.actions.planner import PlannerActions, decode_planner
from scml_gym.oneshot.observations.encoding import N_ENTITIES, encode_entities, encode_joint
from scml_gym.oneshot.observations.factory import EntityEncoder, JointEncoder
from scml_gym.oneshot.planner import MEMORY_SIZE, remember
from scml_gym.oneshot.view import ActionArray, FactoryView
from scml_gym.vector.kernels import action_kernel, encoder_kernel


@action_kernel.register
def _(codec: ChoiceActions) -> ActionKernel:
    return ActionKernel(_choices(codec.partner.quantity_bins, codec.partner.price_bins), np.int64, 0)


@functools.cache
def _choices(quantity_bins: int, price_bins: int) -> ActionFunctions:
    @jittable
    def decode(action: np.ndarray, view: FactoryView, memory: np.ndarray, actions: ActionArray) -> int:
        return decode_choices(action, view, quantity_bins, price_bins, actions)

    @jittable
    def mask(view: FactoryView, out: np.ndarray) -> None:
        choice_mask(view, quantity_bins, price_bins, out)

    return ActionFunctions(decode, mask, remember_nothing)


@action_kernel.register
def _(codec: ContinuousActions) -> ActionKernel:
    mask = action_kernel(ChoiceActions()).functions.mask
    return ActionKernel(ActionFunctions(decode_numbers, mask, remember_nothing), np.float64, 0)


@action_kernel.register
def _(codec: PlannerActions) -> ActionKernel:
    return ActionKernel(ActionFunctions(decode_plan, mask_nothing, remember), np.int64, MEMORY_SIZE)


@encoder_kernel.register
def _(encoder: JointEncoder) -> EncoderKernel:
    return EncoderKernel(encode_joint, encoder.history_shape)


@encoder_kernel.register
def _(encoder: EntityEncoder) -> EncoderKernel:
    return EncoderKernel(encode_rows, (0, 0, 0))


@jittable
def decode_numbers(action: np.ndarray, view: FactoryView, memory: np.ndarray, actions: ActionArray) -> int:
    """`decode_continuous` for a codec without a memory."""
    return decode_continuous(action, view, actions)


@jittable
def decode_plan(action: np.ndarray, view: FactoryView, memory: np.ndarray, actions: ActionArray) -> int:
    """`decode_planner`, of which every choice is valid."""
    decode_planner(action, view, memory, actions)
    return -1


@jittable
def encode_rows(view: FactoryView, hidden_state: np.ndarray, offer_history: np.ndarray, out: np.ndarray) -> None:
    """`encode_entities` into a flat array."""
    encode_entities(view, out.reshape((N_ENTITIES, len(out) // N_ENTITIES)))
