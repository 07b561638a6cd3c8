"""What a user's own strategies and rewards do wrong is one line, the same in both worlds, and never silent."""

import gymnasium
import numpy as np
import pytest

from scml_gym.bilateral.negotiators import NEGOTIATORS
from scml_gym.bilateral.negotiators.acceptance import accept_never, accept_next
from scml_gym.bilateral.negotiators.base import TableStrategy, receive_nothing
from scml_gym.core.errors import InputError
from scml_gym.core.registry import parse_parameters

ACCEPTANCE, OFFERS = "scml_gym/BilateralAcceptance-v0", "scml_gym/Bilateral-v0"
BACKENDS = ["compiled", "reference", "vector"]
SMALL = {"scenario": "EnglandZimbabwe", "rounds": 6}


def offers_late(table, step, n_steps, state, params, draws):
    return int(table.order[0]) if step < params[0] else int(params[1])


def divides(table, step, n_steps, state, params, draws):
    return int(1.0 / (step - params[0]))


OUTSIDE = {
    bid: TableStrategy(f"outside{bid}", receive_nothing, offers_late, accept_never, {"from": 2.0, "bid": bid})
    for bid in (-1, -5, 576, 10**9)
}
DIVIDES = TableStrategy("divides", receive_nothing, divides, accept_next, {"round": 0.0})


def play(name, backend, **options):
    """Play to the end, offering always; a batch has two rows."""
    options = SMALL | options
    if backend == "vector":
        env = gymnasium.make_vec(name, num_envs=2, vectorization_mode="vector_entry_point", **options)
    else:
        env = gymnasium.make(name, backend=backend, **options).unwrapped
    env.reset(seed=1)
    done = np.False_
    while not np.any(done):
        _, reward, done, *_ = env.step(np.zeros(2, dtype=int) if backend == "vector" else 0)
    return reward


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("side", ["opponent", "bids"])
@pytest.mark.parametrize("bid", OUTSIDE)
def test_an_offer_outside_the_table_is_refused(bid, side, backend):
    options = {"opponent": "hardliner", "bids": "hardliner"} | {side: OUTSIDE[bid]}
    with pytest.raises(InputError, match=rf"negotiator 'outside{bid}' offers outcome {bid}; valid: 0 to 575$"):
        play(ACCEPTANCE, backend, **options)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("side", ["opponent", "bids"])
def test_what_a_strategy_raises_is_told(side, backend):
    options = {"opponent": "hardliner", "bids": "hardliner"} | {side: DIVIDES}
    with pytest.raises(InputError, match=r"negotiator 'divides' fails in round 1: "):
        play(ACCEPTANCE, backend, **options)


def divided(utility, mean):
    return 1.0 / (utility - utility)


def not_a_number(utility, mean):
    return utility * np.nan


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("reward", [divided, not_a_number])
def test_rewards_are_finite(reward, backend):
    line = rf"reward '{reward.__name__}' gives no finite number$"
    with pytest.raises(InputError, match=line):
        play(ACCEPTANCE, backend, offer_reward=reward, opponent="boulware")
    with pytest.raises(InputError, match=line):
        play(ACCEPTANCE, backend, accept_reward=reward, opponent="conceder", bids="conceder")


@pytest.mark.parametrize(
    "name",
    [
        "boulware?exponent=0",
        "boulware?exponent=-1",
        "boulware?exponent=nan",
        "boulware?exponent=inf",
        "AgentK?divisor=0",
        "AgentK?tremor=-1",
        "Gahboninho?choices=2",
        "AgentK+AC_const?constant=-.1",
        "AgentK+AC_time?time=-.1",
        "AgentK+AC_combi?time=nan",
    ],
)
def test_parameters_have_ranges(name):
    base, _, query = name.partition("?")
    with pytest.raises(InputError, match=r"=.*; valid: "):
        NEGOTIATORS.get(base).parameter_array(parse_parameters(name, query))


@pytest.mark.parametrize("name", NEGOTIATORS)
def test_defaults_are_in_their_ranges(name):
    strategy = NEGOTIATORS.get(name)
    assert set(strategy.ranges) == set(strategy.parameters)
    finite = {k: v for k, v in strategy.parameters.items() if np.isfinite(v)}
    np.testing.assert_array_equal(strategy.parameter_array(finite), list(strategy.parameters.values()))


def test_no_parameter_is_given_twice():
    with pytest.raises(InputError, match="parameter 'exponent' is given twice"):
        gymnasium.make(OFFERS, opponent="boulware?exponent=2&exponent=3")
