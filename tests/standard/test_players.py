"""Players of the Standard track by name, and what belongs to another track."""

import sys
import types

import pytest
from scml.oneshot.agents import GreedyOneShotAgent
from scml.std.agents import GreedyStdAgent

from scml_gym.core.errors import InputError
from scml_gym.experiments.run_folder import Run
from scml_gym.game.world import FactoryPolicy
from scml_gym.oneshot.players import player_maker as oneshot_player
from scml_gym.oneshot.strategies import STRATEGIES as ONESHOT_STRATEGIES
from scml_gym.standard.players import player_maker
from scml_gym.standard.strategies import STRATEGIES
from scml_gym.standard.worlds.generation import league_spec
from tests.helpers.standard_worlds import RandomAnswers, play

HERE = __name__


class OwnAgent(GreedyStdAgent):
    """An agent of a user's own."""


class OneShotAgent(GreedyOneShotAgent):
    """One of the other track."""


MINE = STRATEGIES.get("greedy")
OTHERS = ONESHOT_STRATEGIES.get("greedy")


@pytest.fixture
def league(monkeypatch):
    """A stand-in for the optional package."""
    package, module = types.ModuleType("scml_agents"), types.ModuleType("scml_agents.team")
    module.Finalist, module.OneShotFinalist = OwnAgent, OneShotAgent
    names = {"std": ("scml_agents.team.Finalist",), "oneshot": ("scml_agents.team.OneShotFinalist",)}
    package.get_agents = lambda year, track, as_class: names[track] if year == 2025 else ()
    monkeypatch.setitem(sys.modules, "scml_agents", package)
    monkeypatch.setitem(sys.modules, "scml_agents.team", module)


@pytest.mark.parametrize("name", [*STRATEGIES])
def test_every_strategy_plays_the_reference_world(name):
    assert isinstance(player_maker(name)(3), FactoryPolicy)
    spec = league_spec(3, days=5, factories_per_level=2)
    world = play(spec, 3, [name, "sync-random"])
    assert len(world.contracts) > 0
    assert sum(agent.invalid for agent in world.agents) == 0


def test_own_players_and_built_in_ones():
    assert player_maker("scml:GreedyStdAgent")(0) == (GreedyStdAgent, {})
    agent_class, parameters = player_maker(f"{HERE}:OwnAgent")(0)
    assert agent_class.__name__ == "OwnAgent"
    assert parameters == {}
    assert isinstance(player_maker(f"{HERE}:MINE")(0), FactoryPolicy)
    assert isinstance(player_maker(f"{HERE}:RandomAnswers")(0), RandomAnswers)


def test_agents_of_the_league(league):
    assert player_maker("scml-agents:2025/Finalist")(0) == (OwnAgent, {})
    assert oneshot_player("scml-agents:2025/OneShotFinalist")(0) == (OneShotAgent, {})
    for wrong, hint in (("2025/Finalists", "Finalist"), ("2024/Finalist", "no Standard agents of 2024")):
        with pytest.raises(InputError, match=hint):
            player_maker(f"scml-agents:{wrong}")


@pytest.mark.parametrize(
    ("make", "name", "message"),
    [
        (player_maker, "scml:GreedyOneShotAgent", "is an agent of the OneShot track and does not play in the Standard"),
        (player_maker, "scml-agents:2025/OneShotFinalist", "of the OneShot track .* Standard track"),
        (player_maker, f"{HERE}:OneShotAgent", "of the OneShot track .* Standard track; derive it from StdAgent"),
        (player_maker, f"{HERE}:OTHERS", "strategy 'greedy' plays another game"),
        (oneshot_player, "scml:GreedyStdAgent", "is an agent of the Standard track and does not play in the OneShot"),
        (oneshot_player, "scml-agents:2025/Finalist", "of the Standard track .* OneShot track"),
        (oneshot_player, f"{HERE}:OwnAgent", "of the Standard track .* OneShot track"),
        (oneshot_player, f"{HERE}:MINE", "strategy 'greedy' plays another game"),
        (player_maker, "scml:GreedyStdAgents", "scml has no Standard agent .* did you mean 'GreedyStdAgent'"),
        (player_maker, "best-subset", "unknown strategy 'best-subset'"),
        (player_maker, "greedi", "greedy"),
        (player_maker, "clone:2025/CostAverseAgent", "clones play OneShot only"),
        (player_maker, f"{HERE}:HERE", "neither a StdAgent class, a Strategy nor a callable"),
        (player_maker, "runs/nothing", "runs/nothing"),
    ],
)
def test_what_does_not_play_is_told_in_one_line(make, name, message, league):
    with pytest.raises(InputError, match=message) as error:
        make(name)
    assert "\n" not in str(error.value)


def test_a_run_of_another_game_is_refused(tmp_path):
    config = {"agent": {"name": "q-learning"}, "env": {"id": "scml_gym/Bilateral-v0"}, "seed": 0}
    run = Run.create(tmp_path / "run", config, "train.py")
    for make, game in ((player_maker, "standard"), (oneshot_player, "oneshot")):
        with pytest.raises(InputError, match=f"was trained in the game 'bilateral' and does not play '{game}'"):
            make(str(run.path))
