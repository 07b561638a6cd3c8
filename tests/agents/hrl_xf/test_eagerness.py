"""Alpha of recorded decisions: who accepts, concedes and does not end is eager; an executor that learns it heeds it."""

import numpy as np
import pytest

from scml_gym.agents import AGENTS
from scml_gym.agents.hrl_xf.eagerness import ACCEPT, END, OFFER, eagerness
from scml_gym.agents.hrl_xf.heeding import heeded
from scml_gym.agents.hrl_xf.monitor import CONSUMER
from scml_gym.agents.hrl_xf.negotiations import write
from scml_gym.agents.hrl_xf.observing import ALPHA, SEEN
from scml_gym.agents.training import start
from scml_gym.core.config import load_experiment
from scml_gym.core.errors import InputError
from scml_gym.policies.run_folders import load_agent
from scml_gym.standard.observations.encoding import N_PARTNER
from tests.helpers.negotiations import SMALL_EXECUTOR, small_recording, untrained


def settings(**changes):
    config = load_experiment("executor", SMALL_EXECUTOR).config
    return AGENTS.get("executor").build(config["agent"], config["env"]).hyperparameters.alpha.model_copy(update=changes)


def test_acceptances_concessions_and_going_on_are_eager():
    table = small_recording()
    known = np.arange(len(table.rewards))
    _, plain = eagerness(table, known, settings(), 0)
    assert (np.abs(plain) <= 1).all() and plain.std() > 0.05
    response, can = table.actions[:, 0], table.masks[:, ACCEPT]
    accepted, not_accepted = plain[can & (response == ACCEPT)], plain[can & (response != ACCEPT)]
    assert accepted.min() >= 0 and accepted.mean() > not_accepted.mean() + 0.3
    assert plain[response == END].mean() < plain[response == OFFER].mean()
    sells = table.observations[:, SEEN - N_PARTNER + CONSUMER] > 0
    for side, sign in ((sells, -1.0), (~sells, 1.0)):
        offers = side & (response == OFFER)
        conceded = sign * table.actions[offers, 3]
        assert plain[offers][conceded == conceded.max()].mean() > plain[offers][conceded == conceded.min()].mean() + 0.1


def test_noise_and_drops_are_drawn_from_the_seed_alone():
    table = small_recording()
    known = np.arange(len(table.rewards))
    noisy, plain = eagerness(table, known, settings(dropped=0.5, noise=0.2), 3)
    again, _ = eagerness(table, known, settings(dropped=0.5, noise=0.2), 3)
    other, _ = eagerness(table, known, settings(dropped=0.5, noise=0.2), 4)
    assert np.array_equal(noisy, again) and not np.array_equal(noisy, other)
    assert abs((noisy == 0).mean() - 0.5) < 0.05
    kept = noisy != 0
    assert 0.1 < np.std((noisy - plain)[kept]) < 0.25
    exact, plain = eagerness(table, known, settings(dropped=0.0, noise=0.0), 3)
    assert np.array_equal(exact, plain)
    assert not table.observations[:, ALPHA].any()  # the recording stays as it is


@pytest.mark.slow
def test_an_executor_that_has_learnt_alpha_accepts_and_concedes_by_it(tmp_path):
    table, data = small_recording(worlds=6), tmp_path / "n.parquet"
    write(table, data, {})
    options = [f"agent.data={data}", "agent.epochs=8", "agent.learning_rate=1e-2"]
    learner = load_agent(start("executor", [*SMALL_EXECUTOR, *options], out=tmp_path / "run").path)
    every = np.arange(len(table.starts))
    shy, neutral, eager = (heeded(learner, table, every, alpha) for alpha in (-1.0, 0.0, 1.0))
    assert shy.accepts.mean() < neutral.accepts.mean() < eager.accepts.mean()
    assert shy.gain.mean() > eager.gain.mean()


def test_others_than_executors_of_such_negotiations_are_refused():
    learner = untrained("env.price_bins=3")
    with pytest.raises(InputError, match="an executor of actions of"):
        heeded(learner, small_recording(), np.arange(2), 0.0)
