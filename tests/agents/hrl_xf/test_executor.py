"""The executor learns, repeats itself, plays by goals behind a shield and quickly, and refuses what does not fit."""

import copy
import pickle
import time

import numpy as np
import pytest

from scml_gym.agents import AGENTS
from scml_gym.agents.hrl_xf.learner import FILE
from scml_gym.agents.hrl_xf.measuring import CONDITIONS, by_base_rate, by_network, held_out
from scml_gym.agents.hrl_xf.negotiations import write
from scml_gym.agents.hrl_xf.observing import ALPHA
from scml_gym.agents.training import start
from scml_gym.core.config import ConfigError
from scml_gym.core.errors import InputError
from scml_gym.games import GAMES
from scml_gym.policies.run_folders import load_agent
from scml_gym.standard.players import player_maker
from scml_gym.standard.safety.audit import find_unsafe
from scml_gym.standard.view import ACCEPT, OFFER
from scml_gym.standard.worlds.compiled.world import CompiledWorld
from scml_gym.standard.worlds.generation import league_spec
from tests.helpers.negotiations import RECORD, small_recording, untrained

SMALL = ["agent.width=16", "agent.layers=1", "agent.attention_heads=2", "agent.held_out=0.25", "agent.batch_size=320"]


def trained(folder, data, *options):
    given = [f"agent.record={RECORD}", f"agent.data={data}", *SMALL, *options]
    return start("executor", given, out=folder)


@pytest.mark.slow
def test_it_records_learns_and_is_better_than_the_base_rate_in_another_world(tmp_path):
    run = trained(tmp_path / "run", "null", "agent.epochs=12", "agent.learning_rate=1e-2")
    table = small_recording()
    first, *_, last = run.curve()
    assert float(last["held_out_loss"]) < float(first["held_out_loss"])
    learner = load_agent(run.path)
    learnt, episodes = held_out(table, 0.25)
    assert set(table.worlds[learnt].tolist()) == {-1, -2, -3} and set(table.worlds[episodes].tolist()) == {-4}
    base = by_base_rate(table, learnt, episodes)
    told = {name: by_network(learner, table, episodes, name) for name in CONDITIONS}
    assert told["nothing"].loss.sum() < base.loss.sum()
    assert told["goals"].loss.sum() != told["nothing"].loss.sum()
    assert told["return"].loss.sum() != told["nothing"].loss.sum()
    again = trained(tmp_path / "again", run.path / FILE, "agent.epochs=12", "agent.learning_rate=1e-2")
    curves = [(folder.path / "learning_curve.csv").read_bytes() for folder in (run, again)]
    assert curves[0] == curves[1]
    player = GAMES.get("standard").player_maker(str(run.path))(0)
    assert callable(player.act)


def play(learner, goals=None, alpha=None, days=3, seed=4):
    """Its decisions in a compiled world, as (view, answers)."""
    players = [None if i == 2 else player_maker("stock-planner")(seed) for i in range(6)]
    world, executor, made = CompiledWorld(league_spec(seed, days, 3, 2), players, seed), learner.executor(), []
    world.start()
    executor.begin(world.view(2))
    day = 0
    while world.pending:
        view = world.view(2)
        if view["day"] != day:
            executor.end_day(view)
            day = int(view["day"])
        made.append((view.copy(), executor.act(view, goals, alpha)))
        world.step({2: made[-1][1]})
    world.close()
    return made


@pytest.mark.parametrize("bound", ["covered", "possible"])
def test_behind_a_shield_nothing_unsafe_is_done(bound):
    open_acts, acts = play(untrained("env.shield=null")), play(untrained(f"env.shield={bound}"))
    for view, answers in acts:
        assert all(finding.bound != bound for finding in find_unsafe(view, answers))
    assert any(finding.bound == "covered" for made in open_acts for finding in find_unsafe(*made))
    assert OFFER in {int(r) for _, answers in open_acts for r in answers["response"]}


def test_goals_and_alpha_change_what_is_done_and_copies_do_the_same():
    learner = untrained("env.shield=null", "agent.target_return=1.5")
    plain, goals = play(learner), np.full((2, 11), 10.0)
    eager = play(learner, goals, np.ones(16))

    def answers(made):
        return [answer.tolist() for _, answer in made]

    assert answers(plain) != answers(play(learner, goals))
    assert answers(eager) != answers(play(learner, goals, -np.ones(16)))
    assert answers(eager) == answers(play(pickle.loads(pickle.dumps(copy.deepcopy(learner))), goals, np.ones(16)))
    for view, answer in eager:
        assert not ((answer["response"] == ACCEPT) & (view["partners"]["offer_quantity"] == 0)).any()
        assert (answer["response"][view["partners"]["my_turn"] == 0] == 0).all()


def test_twelve_partners_are_answered_within_10_ms():
    learner = untrained("env.shield=covered")
    config = learner.hyperparameters.model_copy(update={"width": 64, "layers": 2})
    learner = type(learner)(config, learner.env)
    learner.network = learner._new_network(0)
    seed = 7
    players = [None if i == 8 else player_maker("stock-planner")(seed) for i in range(18)]
    world = CompiledWorld(league_spec(seed, 4, 6, 3), players, seed)
    world.start()
    view, executor = world.view(8).copy(), learner.executor()
    world.close()
    view["partners"]["my_turn"][[*range(6), *range(8, 14)]] = 1
    executor.begin(view)
    taken = []
    for _ in range(25):
        begun = time.process_time()
        executor.act(view)
        taken.append(time.process_time() - begun)
    assert len(executor._memories) == 12 and all(len(m.returns) == 9 for m in executor._memories.values())
    assert np.median(taken[12:]) < 0.01


def test_what_never_varied_in_what_was_learnt_is_not_blown_up_in_play(tmp_path):
    data = tmp_path / "n.parquet"
    write(small_recording(), data, {})
    network = load_agent(trained(tmp_path / "run", data, "agent.epochs=1").path).network
    constant = small_recording().observations[:, :ALPHA].std(axis=0) == 0  # what follows is hidden at times
    assert constant.any() and (network.deviation.numpy()[:ALPHA][constant] == 1).all()


def test_what_does_not_fit_is_refused(tmp_path):
    data = tmp_path / "n.parquet"
    write(small_recording(), data, {})
    for options, message in (
        (["env.quantity_bins=5"], "has actions of (3, 10, 11, 4), this environment of (3, 5, 11, 4)"),
        (["agent.record.compiled=[]"], "compiled: nobody"),
        (["agent.record.compiled_worlds=0"], "0; valid: 1 world or more"),
        (["env={id: oneshot_negotiations_v0}"], "env.id: 'oneshot_negotiations_v0'; valid: standard_negotiations_v0"),
        (["agent.data=elsewhere.parquet"], "agent.data: elsewhere.parquet: there is no such file of negotiations"),
    ):
        with pytest.raises(InputError) as refused:
            trained(tmp_path / "run", data, *options)
        assert message in str(refused.value) and "\n" not in str(refused.value)
        assert not (tmp_path / "run").exists()
    learner = untrained("env.price_bins=3")
    with pytest.raises(InputError, match="an executor of actions of"):
        by_network(learner, small_recording(), np.arange(2), "nothing")
    learner.network = None
    with pytest.raises(InputError, match="not trained yet"):
        learner.executor()
    with pytest.raises(ConfigError):
        AGENTS.get("executor").build({}, learner.env)
