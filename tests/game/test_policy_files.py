"""Policy files of random networks in both worlds of every game that has them, and files that are none."""

import copy
import pickle

import gymnasium
import numpy as np
import pytest

from scml_gym.core.errors import InputError
from scml_gym.core.trained import ZOO
from scml_gym.game.networks import SIZES
from scml_gym.game.policy_files import SCHEMA, PolicyFile, game_of_policy_file
from scml_gym.game.strategy import StrategyPolicy
from scml_gym.games import GAMES
from tests.helpers.networks import FORMS, networks_of, random_policy

pytestmark = pytest.mark.slow

SEEDS = {("oneshot", "partners"): 3, ("oneshot", "asked choice-offer-first"): 3, ("standard", "daily goals"): 2}
"""Of networks that agree on something, where 1 is none."""

CASES = [(game, form) for game, forms in FORMS.items() for form in forms]


def test_every_game_with_networks_has_cases():
    assert {name for name in GAMES if GAMES.get(name).networks is not None} == set(FORMS)


def play(game, policies, seed=5, **arguments):
    """The same world in each of a game's simulations, with players in turn."""
    of_game = GAMES.get(game)
    levels = () if game == "oneshot" else (3,)
    spec = of_game.registry("generators").get("compiled")(3, (4, 4), (3, 3), *levels)
    for backend in ("reference", "compiled"):
        players = [policies[i % len(policies)].player(seed) for i in range(spec.n_factories)]
        world = of_game.registry("backends").get(backend)(spec, players, seed=seed, **arguments)
        world.run()
        yield world


@pytest.mark.parametrize(("game", "form"), CASES)
def test_policy_files_play_the_same_in_both_worlds(game, form):
    seed = next((seed for (g, part), seed in SEEDS.items() if g == game and part in form), 1)
    likeliest = random_policy(game, form, seed, temperature=0.0)
    policies = [likeliest, random_policy(game, form, seed + 1, masked=False, activation="relu")]
    for rule in GAMES.get(game).competition.stock_rules or (None,):
        reference, compiled = play(game, policies, **({} if rule is None else {"stock": rule}))
        assert len(reference.contracts) > 0
        assert reference.contracts.tolist() == compiled.contracts.tolist()
        assert np.array_equal(reference.scores, compiled.scores)


@pytest.mark.parametrize("game", FORMS)
def test_a_file_holds_all_of_it(game, tmp_path):
    whole, path = random_policy(game, FORMS[game][1]), tmp_path / "a.npz"
    whole.save(path)
    player = GAMES.get(game).player_maker(str(path))(4)
    assert isinstance(player, StrategyPolicy)
    assert player.strategy is networks_of(game).strategy(*FORMS[game][1])
    assert np.array_equal(player.parameters, whole.network)
    assert game_of_policy_file(path) == game


@pytest.mark.parametrize("schema", ["scml-gym-policy-1", "scml-gym-snapshot-1"])
def test_files_of_earlier_versions_play_oneshot(schema, tmp_path):
    whole, path = random_policy("oneshot", FORMS["oneshot"][1]), tmp_path / "former.npz"
    whole.save(path)
    with np.load(path) as data:
        former = {name: array for name, array in data.items() if name not in ("game", "features")}
    np.savez(path, **(former | {"schema": np.array(schema)}))
    assert np.array_equal(PolicyFile.load(path, networks_of("oneshot")).network, whole.network)
    with pytest.raises(InputError, match="plays the game 'oneshot' and does not play 'standard'"):
        PolicyFile.load(path, networks_of("standard"))


ENVIRONMENTS = {"oneshot": "scml_gym/OneShotConcurrent-v0", "standard": "scml_gym/StandardDaily-v0"}


@pytest.mark.parametrize(("game", "other"), [("oneshot", "standard"), ("standard", "oneshot")])
def test_a_file_of_another_game_is_refused(game, other, tmp_path):
    path = str(tmp_path / "policy.npz")
    random_policy(other, FORMS[other][0]).save(tmp_path / "policy.npz")
    told = f"'{path}' plays the game '{other}' and does not play '{game}'"
    with pytest.raises(InputError, match=told):
        GAMES.get(game).player_maker(path)
    for backend in ("compiled", "reference"):
        with pytest.raises(InputError, match=told) as error:
            gymnasium.make(ENVIRONMENTS[game], opponents=[path, "greedy"], backend=backend)
        assert "\n" not in str(error.value)


@pytest.mark.parametrize("game", FORMS)
def test_copies_play_alike(game, tmp_path):
    policy = random_policy(game, FORMS[game][-1], temperature=0.0)
    policy.save(tmp_path / "policy.npz")
    for way in (copy.copy, copy.deepcopy, lambda thing: pickle.loads(pickle.dumps(thing))):
        same = way(policy)
        assert same.strategy is policy.strategy
        assert np.array_equal(same.network, policy.network)
        assert np.array_equal(way(policy.player)(3).parameters, policy.network)
    envs = gymnasium.make_vec(ENVIRONMENTS[game], 3, days=3, opponents=[str(tmp_path / "policy.npz")])
    envs.reset(seed=3)
    clone = pickle.loads(pickle.dumps(envs))
    envs.action_space.seed(1)
    for _ in range(12):
        actions = envs.action_space.sample()
        for one, same in zip(envs.step(actions)[:3], clone.step(actions)[:3], strict=True):
            assert np.array_equal(one, same)


def damaged(path, **changes):
    with np.load(path) as data:
        arrays = dict(data)
    np.savez(path, **(arrays | {name: change(arrays[name]) for name, change in changes.items()}))


def placed(place, value):
    def change(array):
        array = array.copy()
        array[place] = value
        return array

    return change


WRONG = {
    "another schema": ({"schema": lambda _: np.array("policy-9")}, f"the schema 'policy-9'; '{SCHEMA}' is needed"),
    "another game": ({"game": lambda _: np.array("chess")}, "plays the game 'chess' and does not play"),
    "a module": ({"form": placed(1, "os:system")}, "unknown action"),
    "an observation": ({"form": placed(0, "os:s")}, "unknown observation 'os:s'"),
    "features": ({"features": lambda _: np.array("deep")}, "unknown features of a policy file 'deep'"),
    "a history": ({"history": lambda _: np.array(-1)}, "history=-1"),
    "an endless history": ({"history": lambda _: np.array(10**9)}, "history=1000000000"),
    "a missing weight": ({"weights": lambda weights: weights[:-1]}, "numbers; valid"),
    "not a number": ({"weights": placed(3, np.nan)}, "a number of the network is none"),
    "no layers": ({"head": placed(0, -2)}, r"network of \[\] units"),
    "more layers": ({"head": placed(0, 1e15)}, "units; valid"),
    "a layer without units": ({"head": placed(SIZES + 1, -4)}, "units; valid"),
    "another input": ({"head": placed(SIZES, 7)}, "numbers in"),
    "another activation": ({"head": placed(1, 2)}, "valid: an activation"),
    "a negative temperature": ({"head": placed(3, -1)}, "valid: an activation"),
    "texts": ({"weights": lambda _: np.array(["a"])}, "cannot be read as a policy file"),
    "nothing": ({"head": lambda _: np.zeros(0), "weights": lambda _: np.zeros(0)}, "network of 0 numbers"),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_a_file_with_wrong_content_is_told_in_one_line(wrong, tmp_path):
    changes, told = WRONG[wrong]
    path = tmp_path / "policy.npz"
    random_policy("standard", FORMS["standard"][0]).save(path)
    damaged(path, **changes)
    with pytest.raises(InputError, match=told) as error:
        PolicyFile.load(path, networks_of("standard"))
    assert "\n" not in str(error.value)


def test_a_network_of_partners_has_three_layers():
    form = FORMS["oneshot"][-1]
    with pytest.raises(InputError, match=r"network of \[\d+, 12, 7, 5, \d+\] units"):
        random_policy("oneshot", form, units=(12, 7, 5))


def test_what_is_no_file_is_told(tmp_path):
    (tmp_path / "b.npz").write_bytes(b"PK")
    for name, told in (("b.npz", "cannot be read as a policy file"), ("none.npz", "No such file")):
        for game in FORMS:
            with pytest.raises(InputError, match=told):
                GAMES.get(game).player_maker(str(tmp_path / name))


@pytest.mark.parametrize(
    ("game", "form", "told"),
    [
        ("oneshot", ("flat", 0, "continuous"), "'continuous' has no choices; valid: .*choice, planner"),
        (
            "oneshot",
            ("flat", 0, "choice", "sets"),
            "features='sets' reads rows; valid: observation='entities'",
        ),
        ("oneshot", ("entities", 0, "planner", "partners"), "features='partners' answers each partner; valid"),
        ("standard", ("flat", 0, "daily goals-continuous"), "no choices; valid: choice, daily goals, .*daily traits"),
        ("standard", ("dict", 0, "choice"), "observation='dict' is no array"),
        ("standard", ("entities", 1, "choice"), "history=1; valid with observation='entities': 0"),
    ],
)
def test_forms_that_no_network_can_play_are_refused(game, form, told):
    with pytest.raises(InputError, match=told):
        networks_of(game).strategy(*form)


def test_the_files_that_come_with_the_package_are_read():
    """Some were written before files named their game."""
    paths = list(ZOO.rglob("policy.npz"))
    assert len(paths) >= 4
    for path in paths:
        game = game_of_policy_file(path)
        assert PolicyFile.load(path, networks_of(game)).strategy.forms.game == game
