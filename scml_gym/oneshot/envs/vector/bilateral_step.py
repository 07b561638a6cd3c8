"""The compiled step of a batch of learners that each negotiate with one partner."""

from __future__ import annotations

import functools
from functools import singledispatch
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from scml_gym.game.codecs import NotCompiledError
from scml_gym.jit.compile import jittable
from scml_gym.jit.separate import separate
from scml_gym.oneshot.actions.negotiation import decode_choice, partner_mask
from scml_gym.oneshot.envs.partner_codec import draw_partner, open_partners
from scml_gym.oneshot.envs.vector.track import TRACK
from scml_gym.oneshot.observations.encoding import encode_one_partner
from scml_gym.oneshot.observations.factory import PartnerEncoder
from scml_gym.oneshot.observations.negotiation import BINS_DTYPE, PartnerStates, state_index
from scml_gym.oneshot.rewards.negotiation import negotiation_reward_accepted, negotiation_reward_ended
from scml_gym.oneshot.rewards.negotiation_ends import END_DTYPE, TRACKER_DTYPE, collect_ends
from scml_gym.oneshot.view import MAX_PARTNERS, FactoryView
from scml_gym.oneshot.worlds.compiled.negotiation import answer, clear_actions, propose
from scml_gym.simulator.compiled.advance import DAY, DECISION
from scml_gym.simulator.vector.batch import Batch, Source
from scml_gym.simulator.vector.rows import ERROR, Outputs, compile_rows, is_over
from scml_gym.vector.jobs import BatchStep
from scml_gym.vector.loop import make_step
from scml_gym.vector.seeds import Seeds

ROWS = compile_rows(TRACK.functions)
draw_next_world, advance_row, summarise = ROWS.draw_next, ROWS.advance, ROWS.summarise
give_answer, ask = separate(answer), separate(propose)

DRAWN = -1
"""In place of a partner's index: it is drawn."""

NOTHING = -1
"""In place of a choice: the strategy answers the learner's partner too."""

NEGOTIATION_DTYPE = np.dtype(
    [
        ("stream", np.uint64, (1,)),  # of the partners drawn in the world
        ("partner", np.int64),  # index
        ("last_day", np.int64),  # of the last negotiation that was begun; -1 before the first
        ("ended", np.int64),  # the negotiation ended with the last step: how follows
        ("quantity", np.int64),
        ("price", np.int64),
        ("needs", np.int64),
        ("reward", np.float64),
        ("tracker", TRACKER_DTYPE),
        ("ends", END_DTYPE, (MAX_PARTNERS,)),  # scratch
    ],
    align=True,
)
"""What a row follows of its learner's negotiation; see `scml_gym.oneshot.rewards.negotiation_ends.NegotiationEnd`."""


class Learner(NamedTuple):
    """What belongs to the learners: the negotiation of each row, and all else the same for all of them."""

    others: np.ndarray  # PLAYER_DTYPE (1,), the strategy that answers the other partners
    worth: np.ndarray  # float64 (7,), the parameters of the reward
    parameters: np.ndarray  # of the encoder
    negotiations: Any  # NEGOTIATION_DTYPE (n,), of each row
    partner: int  # index, or DRAWN
    per_world: int  # 1 where the world is the episode
    quantity_bins: int
    price_bins: int


Game: TypeAlias = tuple[Batch, Source, Learner]
"""The worlds, where the next ones come from, and their learners."""

STATES_DTYPE = np.dtype([*BINS_DTYPE.descr, ("accept", np.int64), ("end", np.int64)])
"""The parameters of `PartnerStates`: its bins and its terminal states."""


class PartnerKernel(NamedTuple):
    """An encoder: ``encode(view, k, parameters, out)``, its parameters, and the length of an observation."""

    encode: Any
    parameters: np.ndarray
    size: int


@singledispatch
def partner_kernel(encoder: Any) -> PartnerKernel:
    """The kernel of an encoder of one negotiation.

    Raises:
        NotCompiledError: if there is none.
    """
    raise NotCompiledError(
        f"observation: {type(encoder).__name__} is for single environments (vectorization_mode='sync')", "observation"
    )


@partner_kernel.register
def _(encoder: PartnerEncoder) -> PartnerKernel:
    return PartnerKernel(encode_features, np.zeros(0, dtype=np.int64), len(encoder.features))


@partner_kernel.register
def _(encoder: PartnerStates) -> PartnerKernel:
    parameters = np.array([(*encoder.bins[0].item(), encoder.accept, encoder.end)], dtype=STATES_DTYPE)
    return PartnerKernel(encode_state, parameters, 1)


@jittable
def encode_features(view: FactoryView, k: int, parameters: np.ndarray, out: np.ndarray) -> None:
    """`encode_one_partner`."""
    encode_one_partner(view, k, out)


@jittable
def encode_state(view: FactoryView, k: int, parameters: np.ndarray, out: np.ndarray) -> None:
    """`PartnerStates.index`."""
    partner = view["partners"][k]
    if partner["running"] != 0:
        out[0] = state_index(view, k, view["needs"], parameters[0])
    else:
        out[0] = parameters[0]["accept"] if partner["agreed_quantity"] > 0 else parameters[0]["end"]


@separate
def report(batch: Batch, learner: Learner, i: int, day_over: bool) -> None:
    """Note the end of the learner's negotiation where it is new, and the view that shows it."""
    row, negotiation = batch.rows[i], learner.negotiations[i]
    view = batch.worlds[i]["views"][row["factory"]]
    ends = negotiation["ends"]
    for j in range(collect_ends(view, day_over, negotiation["tracker"], ends)):
        end = ends[j]
        k, quantity, price, needs = end["partner"], end["quantity"], end["price"], end["needs"]
        if negotiation["ended"] != 0 or k != negotiation["partner"]:
            continue
        negotiation["ended"] = 1
        negotiation["quantity"], negotiation["price"], negotiation["needs"] = quantity, price, needs
        if quantity > 0:
            negotiation["reward"] = negotiation_reward_accepted(view, learner.worth, quantity, price, needs, end["won"])
        else:
            negotiation["reward"] = negotiation_reward_ended(view, learner.worth, k, needs)
        batch.closing[i] = view


@separate
def run(batch: Batch, learner: Learner, i: int) -> None:
    """On to the factory's next decision, or to the end of the world."""
    status = advance_row(batch, i)
    while status == DAY:
        report(batch, learner, i, True)
        status = advance_row(batch, i)
    batch.rows[i]["status"] = status
    if status == DECISION:
        report(batch, learner, i, False)


@separate
def decide(batch: Batch, learner: Learner, i: int, choice: int) -> None:
    """One decision of the factory: the learner's choice for its partner, the strategy's answers to all others."""
    world, factory, k = batch.worlds[i], batch.rows[i]["factory"], learner.negotiations[i]["partner"]
    view = world["views"][factory]
    turn = view["partners"][k]["my_turn"]
    if choice != NOTHING:
        view["partners"][k]["my_turn"] = 0
    clear_actions(world["actions"])
    for j in range(view["n_partners"]):
        if view["partners"][j]["my_turn"] != 0:
            ask(world, factory)
            break
    view["partners"][k]["my_turn"] = turn
    if choice != NOTHING:
        decode_choice(choice, view, k, learner.quantity_bins, learner.price_bins, world["actions"])
    give_answer(world, factory)
    run(batch, learner, i)


@jittable
def due(batch: Batch, learner: Learner, i: int) -> bool:
    """Whether the learner's partner waits for an answer."""
    row = batch.rows[i]
    view = batch.worlds[i]["views"][row["factory"]]
    return row["status"] == DECISION and view["partners"][learner.negotiations[i]["partner"]]["my_turn"] != 0


@separate
def find(batch: Batch, learner: Learner, i: int) -> bool:
    """Run on to the first decision of a later day's negotiation; False where the world ends before."""
    row, negotiation = batch.rows[i], learner.negotiations[i]
    view = batch.worlds[i]["views"][row["factory"]]
    while row["status"] == DECISION:
        if due(batch, learner, i) and view["day"] > negotiation["last_day"]:
            negotiation["last_day"] = view["day"]
            return True
        decide(batch, learner, i, NOTHING)
    return False


@separate
def draw(batch: Batch, learner: Learner, source: Source, seeds: Seeds, i: int) -> bool:
    """The next world, run to the factory's first decision; False where it has no such partner as the learner's."""
    draw_next_world(batch, source, seeds, i)
    row, negotiation, others = batch.rows[i], learner.negotiations[i], learner.others[0]
    player = batch.worlds[i]["players"][row["factory"]]
    player["decide"], player["learn"] = others["decide"], others["learn"]
    player["n_draws"], player["partner_draws"] = others["n_draws"], others["partner_draws"]
    player["params"], player["n_params"], player["n_state"] = others["params"], others["n_params"], others["n_state"]
    player["seed"] = row["seed"]
    negotiation["last_day"] = negotiation["tracker"]["day"] = -1
    open_partners(negotiation["stream"], row["seed"])
    if not choose_partner(batch, learner, i):
        return False
    run(batch, learner, i)
    return True


@jittable
def choose_partner(batch: Batch, learner: Learner, i: int) -> bool:
    """The partner of the next negotiation; False where it is fixed and the factory has no such partner."""
    n = batch.worlds[i]["views"][batch.rows[i]["factory"]]["n_partners"]
    negotiation = learner.negotiations[i]
    negotiation["partner"] = draw_partner(negotiation["stream"], n) if learner.partner == DRAWN else learner.partner
    return 0 <= negotiation["partner"] < n


@functools.cache
def compile_step(encode: Any) -> BatchStep:
    """Compile the step for an encoder; see `scml_gym.vector.loop.make_step`."""

    @separate
    def observe(batch: Batch, learner: Learner, outputs: Outputs, i: int, closed: bool) -> None:
        row, k = batch.rows[i], learner.negotiations[i]["partner"]
        view = batch.closing[i] if closed else batch.worlds[i]["views"][row["factory"]]
        encode(view, k, learner.parameters, outputs.observations[i])
        partner_mask(view, k, learner.quantity_bins, learner.price_bins, outputs.masks[i])

    def restart(game: Game, seeds: Seeds, outputs: Outputs, i: int) -> None:
        """Start a row's next episode; an error where the learner has no such partner."""
        batch, source, learner = game
        row, negotiation = batch.rows[i], learner.negotiations[i]
        if learner.per_world == 0 and not is_over(row):
            choose_partner(batch, learner, i)
        elif not draw(batch, learner, source, seeds, i):
            outputs.errors[i], row["status"] = 1, DECISION
            return
        find(batch, learner, i)
        negotiation["ended"] = 0
        observe(batch, learner, outputs, i, False)
        summarise(batch, outputs, i, False)

    def act(game: Game, outputs: Outputs, actions: np.ndarray, i: int) -> None:
        """Answer in a row and run on."""
        batch, _, learner = game
        choice = actions[i]
        row, negotiation = batch.rows[i], learner.negotiations[i]
        if not 0 <= choice < 2 + learner.quantity_bins * learner.price_bins:
            outputs.errors[i], outputs.notes[ERROR] = 1, True
            return
        negotiation["ended"] = 0
        decide(batch, learner, i, choice)
        while negotiation["ended"] == 0 and row["status"] == DECISION and not due(batch, learner, i):
            decide(batch, learner, i, NOTHING)
        done = negotiation["ended"] != 0
        if learner.per_world != 0:
            done = done and not find(batch, learner, i)
        if negotiation["ended"] != 0:
            outputs.rewards[i] = negotiation["reward"]
        outputs.done[i] = done
        observe(batch, learner, outputs, i, done and learner.per_world == 0)
        summarise(batch, outputs, i, done)

    return make_step(act, restart)
