"""Wrong arguments and actions of the bilateral environments are one line."""

from dataclasses import replace

import gymnasium
import numpy as np
import pytest

from scml_gym.bilateral.envs.config import acceptance_config
from scml_gym.bilateral.envs.vector.acceptance_rows import AcceptanceRow, AcceptanceRows
from scml_gym.bilateral.negotiators import AgentK, TableNegotiator
from scml_gym.bilateral.scenarios import AdditiveProfile, Scenario
from scml_gym.core.errors import InputError

ACCEPTANCE, OFFERS = "scml_gym/BilateralAcceptance-v0", "scml_gym/Bilateral-v0"
SIDE = AdditiveProfile("one", (1.0,), ((1.0, 2.0),))
ROW = AcceptanceRow("EnglandZimbabwe", 0, "boulware", 5, True, "a", "b", 0.0)


def scenario_of(sides):
    return Scenario("s", {"i": ("a", "b")}, tuple(replace(SIDE, name=f"side {k}") for k in range(sides)))


@pytest.mark.parametrize("make", [gymnasium.make, gymnasium.make_vec])
@pytest.mark.parametrize(
    ("argument", "value"),
    [
        *(("scenario", value) for value in (None, 3, "", ["random"], {"issues": 3}, {"issues": ["a", 3]}, {3: 1})),
        *(("scenario", scenario_of(sides)) for sides in (1, 3)),
        *(("profile", value) for value in (1.0, True, None)),
        *((name, value) for name in ("accept_reward", "offer_reward") for value in (None, 3, ["a"])),
        *(("action", value) for value in (None, 3)),
        ("backend", None),
        ("opponent", None),
    ],
)
def test_arguments(argument, value, make):
    with pytest.raises(InputError) as error:
        make(OFFERS, **{argument: value})
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("arguments", [{"threads": "x"}, {"threads": 0}, {"num_envs": 1.5}, {"num_envs": True}])
def test_numbers_of_a_batch(arguments):
    with pytest.raises(InputError, match=r"valid: (a whole number, )?1 to (1024|16777216)"):
        gymnasium.make_vec(OFFERS, **{"num_envs": 2} | arguments)


@pytest.mark.parametrize("make", [gymnasium.make, gymnasium.make_vec])
def test_bids_are_needed_to_decide_about_acceptance(make):
    with pytest.raises(InputError, match="bids=None; valid: a strategy"):
        make(ACCEPTANCE, bids=None)
    with pytest.raises(InputError, match="bids=None"):
        acceptance_config("Party", 0, "AgentK", 9, True, None)


@pytest.mark.parametrize("backend", ["compiled", "reference"])
@pytest.mark.parametrize("action", ["x", None, 1.5, 1.0, -1, 3074, [0, 1]])
def test_actions(action, backend):
    env = gymnasium.make(OFFERS, backend=backend).unwrapped
    env.reset(seed=0)
    with pytest.raises(InputError, match=r"valid: (a whole number, 0 to 3073|numbers of the action space)"):
        env.step(action)
    for integer in (5, np.int64(5), np.array(5)):
        env.step(integer)


@pytest.mark.parametrize(
    "actions", [[0.5, 1.5, 0], ["a", "b", "c"], None, "abc", 0, [0, 1], [[0], [1], [0]], [0, 0, 9]]
)
def test_actions_of_batches(actions):
    envs = gymnasium.make_vec(ACCEPTANCE, num_envs=3, rounds=5)
    rows = AcceptanceRows([ROW] * 3)
    envs.reset(seed=0)
    rows.reset([1, 2, 3])
    for batch in (envs, rows):
        with pytest.raises(InputError, match=r"actions? .*; valid: "):
            batch.step(actions)
        batch.step(np.zeros(3))


@pytest.mark.parametrize("seed", [1.5, [1, 2]])
def test_seeds_of_batches(seed):
    for batch in (gymnasium.make_vec(OFFERS, num_envs=1), AcceptanceRows([ROW])):
        with pytest.raises(InputError, match="seed"):
            batch.reset(**{"seeds" if isinstance(batch, AcceptanceRows) else "seed": seed})


@pytest.mark.parametrize(
    "make",
    [
        lambda: gymnasium.make(OFFERS).unwrapped,
        lambda: gymnasium.make_vec(OFFERS, num_envs=1),
        lambda: AcceptanceRows([ROW]),
    ],
)
def test_masks_need_a_reset(make):
    batch = make()
    with pytest.raises(InputError, match="call reset before action_masks"):
        batch.action_masks()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: TableNegotiator(strategy="boulwar"), "unknown negotiator 'boulwar'; did you mean 'boulware'"),
        (lambda: TableNegotiator(strategy=3), "strategy=3; valid: a TableStrategy, or a name: AgentK"),
        (lambda: TableNegotiator(), "strategy=None; valid"),
        (lambda: AgentK(seed="x"), "seed='x'; valid"),
    ],
)
def test_negotiators(make, message):
    with pytest.raises(InputError, match=message):
        make()
    assert isinstance(TableNegotiator(strategy="boulware"), TableNegotiator)
