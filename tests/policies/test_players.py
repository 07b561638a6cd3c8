"""Players by name, and the registries behind the names."""

import sys
import types

import pytest
from scml.oneshot.agents import GreedyOneShotAgent

from scml_gym.agents import AGENTS
from scml_gym.core.errors import InputError
from scml_gym.core.registry import Registry, load_object
from scml_gym.game.world import FactoryPolicy
from scml_gym.oneshot.players import player_maker
from scml_gym.oneshot.strategies import STRATEGIES
from scml_gym.oneshot.strategies.base import Strategy, StrategyPolicy


class OwnAgent(GreedyOneShotAgent):
    """An agent of a user's own."""


def own_policy(seed):
    """A policy of a user's own."""
    return StrategyPolicy(STRATEGIES.get("nice"), seed)


MINE = Strategy("mine", STRATEGIES.get("nice").decide, {"accept": 1.0, "end": 0.0})


def no_policy(seed):
    """What makes no player."""
    return seed


@pytest.fixture
def league(monkeypatch):
    """A stand-in for the optional package, which loads an agent only when it is asked for."""
    package, module = types.ModuleType("scml_agents"), types.ModuleType("scml_agents.team")
    vars(module)["Finalist"] = OwnAgent
    names = {2025: ("scml_agents.team.Finalist", "scml_agents.cannot_be_imported.Other")}
    vars(package)["get_agents"] = lambda year, track, as_class: names.get(year, ())
    monkeypatch.setitem(sys.modules, "scml_agents", package)
    monkeypatch.setitem(sys.modules, "scml_agents.team", module)


@pytest.mark.parametrize("name", [*STRATEGIES, "greedy?own_needs=1"])
def test_every_strategy_is_a_player(name):
    assert isinstance(player_maker(name)(3), FactoryPolicy)


def test_own_players_and_built_in_ones():
    assert player_maker("scml:GreedyOneShotAgent")(0) == (GreedyOneShotAgent, {})
    agent_class, parameters = player_maker(f"{__name__}:OwnAgent")(0)
    assert agent_class.__name__ == "OwnAgent"
    assert parameters == {}
    for name in ("own_policy", "MINE"):
        assert isinstance(player_maker(f"{__name__}:{name}")(0), FactoryPolicy)
    with pytest.raises(InputError, match="no_policy"):
        player_maker(f"{__name__}:no_policy")(0)


def test_parameters_of_an_own_strategy():
    player = player_maker(f"{__name__}:MINE?accept=0.5")(3)
    assert (player.seed, player.parameters.tolist()) == (3, [0.5, 0.0])
    for name, told in (
        ("MINE?acept=1", "did you mean 'accept'"),
        ("MINE?accept=x", "parameter=number"),
        ("own_policy?accept=1", "only strategies have parameters"),
        ("OwnAgent?accept=1", "only strategies have parameters"),
        ("MIN?accept=1", "did you mean 'MINE'"),
    ):
        with pytest.raises(InputError, match=told):
            player_maker(f"{__name__}:{name}")


def test_a_module_lists_its_own_public_names():
    with pytest.raises(InputError) as refused:
        load_object(f"{__name__}:zzzzzzzzzz")
    names = set(str(refused.value).partition("valid: ")[2].split(", "))
    assert {"MINE", "OwnAgent", "own_policy"} <= names
    assert not {"pytest", "GreedyOneShotAgent", "load_object", "__name__", "_own_names"} & names


def test_agents_of_the_league(league):
    assert player_maker("scml-agents:2025/Finalist")(0) == (OwnAgent, {})
    for wrong, hint in (("2025/Finalists", "Finalist"), ("2024/Finalist", "2024"), ("Finalist", "YEAR")):
        with pytest.raises(InputError, match=hint):
            player_maker(f"scml-agents:{wrong}")


def test_league_without_its_package(monkeypatch):
    monkeypatch.setitem(sys.modules, "scml_agents", None)
    with pytest.raises(InputError, match="pip install scml-agents"):
        player_maker("scml-agents:2025/Finalist")


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("best-subst", "best-subset"),
        ("scml:GreedyOneShotAgents", "GreedyOneShotAgent"),
        ("greedy?neds=1", "neds"),
        ("greedy?own_needs=yes", "parameter=number"),
        ("nowhere:Agent", "nowhere"),
        (f"{__name__}:OwnAgents", "OwnAgent"),
        (f"{__name__}:__name__", "neither"),
        ("runs/nothing", "runs/nothing"),
    ],
)
def test_unknown_players_are_told_in_one_line_with_the_nearest_name(name, hint):
    with pytest.raises(InputError, match=hint) as error:
        player_maker(name)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("registry", [AGENTS, STRATEGIES], ids=lambda r: r.kind)
def test_what_is_registered_can_be_loaded(registry):
    assert len(registry) == len(list(registry)) > 0
    for name in registry:
        assert name in registry
        assert registry.get(name) is registry.get(name)


def test_registry_takes_each_name_once_and_users_own():
    registry = Registry("thing")
    registry.register("one", 1)
    registry.register("lazy", "scml_gym.oneshot.view:MAX_PARTNERS")
    assert registry.get("lazy") == 8
    assert registry.get("scml_gym.oneshot.view:BUYER") == 1
    with pytest.raises(InputError, match="registered already"):
        registry.register("one", 2)
    with pytest.raises(InputError, match="unknown thing 'two'"):
        registry.get("two")
    with pytest.raises(InputError, match="module:Name"):
        load_object("scml_gym.oneshot.view")
