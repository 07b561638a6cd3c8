"""What environments and worlds of both tracks refuse: what belongs to the other track, and what is nothing at all."""

import dataclasses
import functools
import zipfile

import gymnasium
import numpy as np
import pytest

from scml_gym.core.errors import InputError
from scml_gym.oneshot import players as oneshot_players
from scml_gym.oneshot.envs import oneshot_factories_v0
from scml_gym.oneshot.view import new_actions as oneshot_actions
from scml_gym.oneshot.worlds.compiled.generation import compiled_spec as oneshot_spec
from scml_gym.oneshot.worlds.compiled.world import CompiledWorld as OneShotCompiledWorld
from scml_gym.oneshot.worlds.pool import SpecPool as OneShotPool
from scml_gym.oneshot.worlds.reference import ReferenceWorld as OneShotReferenceWorld
from scml_gym.standard import players as standard_players
from scml_gym.standard.envs import standard_factories_v0, standard_negotiations_v0
from scml_gym.standard.view import new_actions as standard_actions
from scml_gym.standard.worlds.compiled.generation import compiled_spec as standard_spec
from scml_gym.standard.worlds.compiled.world import CompiledWorld as StandardCompiledWorld
from scml_gym.standard.worlds.pool import SpecPool as StandardPool
from scml_gym.standard.worlds.reference import ReferenceWorld as StandardReferenceWorld

RANGES = {"oneshot": (3, (2, 2)), "standard": (5, (2, 2), (3, 3))}
"""Days, factories and levels."""

ENVIRONMENTS = {"oneshot": "scml_gym/OneShotConcurrent-v0", "standard": "scml_gym/StandardConcurrent-v0"}
OTHER = {"oneshot": "standard", "standard": "oneshot"}
AGENTS = {"oneshot": "scml:GreedyOneShotAgent", "standard": "scml:GreedyStdAgent"}
WORLDS = {
    "oneshot": (OneShotCompiledWorld, OneShotReferenceWorld),
    "standard": (StandardCompiledWorld, StandardReferenceWorld),
}
NO_OPS = {"oneshot": oneshot_actions, "standard": standard_actions}


@functools.cache
def spec_of(track):
    """A small world, generated when a test first needs it."""
    return {"oneshot": oneshot_spec, "standard": standard_spec}[track](1, *RANGES[track])


@functools.cache
def pool_of(track):
    """Two small worlds."""
    return {"oneshot": OneShotPool, "standard": StandardPool}[track].generate(range(2), *RANGES[track][:2])


def makers(track):
    """A single environment, a native batch, and the PettingZoo environment of several factories."""
    module = {"oneshot": oneshot_factories_v0, "standard": standard_factories_v0}[track]
    yield lambda **a: gymnasium.make(ENVIRONMENTS[track], **a)
    yield lambda **a: gymnasium.make_vec(ENVIRONMENTS[track], num_envs=2, **a)
    yield module.parallel_env


def refused(pattern, key, call, *args, **kwargs):
    with pytest.raises(InputError, match=pattern) as told:
        call(*args, **kwargs)
    assert "\n" not in str(told.value)
    assert key is None or told.value.key == key


@pytest.mark.parametrize("track", OTHER)
def test_what_belongs_to_the_other_track(track, tmp_path):
    other = OTHER[track]
    spec_of(other).save(tmp_path / "spec.npz")
    for make in makers(track):
        refused("^spec: a spec of .*, not of ", "spec", make, spec=spec_of(other))
        refused(r"spec\.npz: schema", "spec", make, spec=tmp_path / "spec.npz")
        refused("generator: a pool of .*, not of ", "generator", make, generator=pool_of(other))
        refused("^generator: a spec of .*, not of ", "generator", make, generator=lambda *_: spec_of(OTHER[track]))
        refused("is an agent of the .* does not play in the ", "opponents", make, opponents=[AGENTS[other]])
    players = {"oneshot": oneshot_players, "standard": standard_players}[track]
    refused("is an agent of the", None, players.player_maker, AGENTS[other])


@pytest.mark.parametrize("track", OTHER)
def test_what_is_nothing_at_all(track):
    for make in makers(track):
        for wrong in (3, {}, [1]):
            refused("^spec: ", "spec", make, spec=wrong)
        for wrong in (3, None):
            refused(r"^generator=.*; valid: compiled, league", "generator", make, generator=wrong)
            refused(r"^opponents=.*; give a list", "opponents", make, opponents=wrong)
        refused("^generator: None; valid: a spec of ", "generator", make, generator=lambda *_: None)


def test_worlds_that_a_learner_of_the_standard_track_cannot_be_in():
    make = next(makers("standard"))
    refused(r"level='middle' in worlds of n_levels=2", "n_levels", make, level="middle", n_levels=2)
    refused("no middle one", "spec", make, level="middle", spec=standard_spec(1, 5, 2, 2))
    refused(r"^level=\['first'\]; valid: first, middle, last, None", "level", make, level=["first"])
    refused(r"^days=\(2, 2\).* 4 to 10000", "days", make, generator="league", days=2, n_levels=3)
    outside = standard_factories_v0.parallel_env(days=3, factories=(0, 12), n_levels=3, factories_per_level=4)
    refused("factory 12: this world has factories 0 to 11", "factories", outside.reset, seed=1)


@pytest.mark.parametrize("track", OTHER)
@pytest.mark.parametrize(
    ("field", "wrong"),
    [("lines", 0), ("lines", 2**60), ("initial_balance", 0), ("production_cost", -1), ("exogenous_quantity", -1)]
    + [("exogenous_price", 2**62), ("shortfall_penalty", np.nan), ("catalog_prices", -5), ("penalty_profile", np.inf)],
)
def test_specs_that_no_world_can_play(track, field, wrong, tmp_path):
    spec = spec_of(track)
    values = np.full_like(getattr(spec, field), wrong)
    pattern = f"world spec: {field} holds .*; valid: "
    refused(pattern, None, dataclasses.replace, spec, **{field: values})
    spec.save(tmp_path / "spec.npz")
    with np.load(tmp_path / "spec.npz") as data:
        np.savez(tmp_path / "bad.npz", **dict(data) | {field: values})
    refused(rf"bad\.npz: {pattern}", "spec", next(makers(track)), spec=tmp_path / "bad.npz")


@pytest.mark.parametrize("track", OTHER)
def test_rounds_that_no_negotiation_has(track):
    for wrong in (0, -1, 2.5, "20", True, 2**70):
        refused(r"^rounds=", "rounds", dataclasses.replace, spec_of(track), rounds=wrong)


@pytest.mark.parametrize("kind", ["spec", "pool"])
@pytest.mark.parametrize("track", OTHER)
def test_damaged_files(track, kind, tmp_path):
    """Cut off anywhere, changed anywhere, empty, a single array, a file of another kind: one line that names it."""
    thing = {"spec": spec_of, "pool": pool_of}[kind](track)
    thing.save(tmp_path / "good.npz")
    content, path = (tmp_path / "good.npz").read_bytes(), tmp_path / "bad.npz"
    rng = np.random.default_rng(1)
    damaged = [content[:n] for n in (0, 1, 100, len(content) // 2, len(content) - 1)] + [b"hello", b"\x93NUMPY"]
    for _ in range(40):
        changed = bytearray(content)
        for place in rng.integers(len(content), size=5):
            changed[place] ^= int(rng.integers(1, 256))
        damaged.append(bytes(changed))
    for bad in damaged:
        path.write_bytes(bad)
        try:
            type(thing).load(path)
        except InputError as error:
            assert "bad.npz" in str(error) and "\n" not in str(error)
    np.save(tmp_path / "array.npy", np.zeros(3))
    refused(r"array\.npy: cannot be read as .*a single array", None, type(thing).load, tmp_path / "array.npy")
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("schema.npy", "no array")
    refused(r"bad\.npz: ", None, type(thing).load, path)


@pytest.mark.parametrize("kind", [0, 1], ids=["compiled", "reference"])
@pytest.mark.parametrize("track", OTHER)
def test_answers_of_another_form_are_not_read(track, kind):
    spec, no_ops = spec_of(track), NO_OPS[track]
    world = WORLDS[track][kind](spec, [None] * spec.n_factories)
    refused(r"^factories 0, 1, .* are external: play with start and step", None, world.run)
    world.start()
    refused("was started already", None, world.start)
    (factory,) = world.pending
    names = list(no_ops().dtype.names or ())[::-1]
    others = [no_ops()[:3], np.zeros((4, 4), int), None, [0] * 16, NO_OPS[OTHER[track]](), no_ops()[names]]
    others += [np.zeros(99, no_ops().dtype), np.zeros((2, *no_ops().shape), no_ops().dtype)]
    for wrong in others:
        refused(rf"^the action of factory {factory} is .*; valid: ACTION_DTYPE", None, world.step, {factory: wrong})
    refused("^actions: .*; valid: the answers of each factory by its index", None, world.step, [no_ops()])
    world.step({factory: no_ops()})


ACTIONS = {
    "too few": (lambda good: good[:-1], "shape"),
    "not a number": (lambda good: np.full(good.shape, np.nan), "float64|finite"),
    "a fraction": (lambda good: good + 0.5, "float64"),
    "below": (lambda good: np.full(good.shape, -1), "action -1"),
    "above": (lambda good: np.full(good.shape, 99), "action 99"),
    "beyond int64": (lambda good: np.full(good.shape, 2**63, dtype=np.uint64), "action -?9"),
    "a text": (lambda good: "x", "^action 'x'; valid: numbers of the action space"),
    "nothing": (lambda good: None, "^action None; valid: numbers of the action space"),
}


@pytest.mark.parametrize("strict", [False, True])
@pytest.mark.parametrize(("wrong", "pattern"), ACTIONS.values(), ids=ACTIONS)
def test_wrong_actions_of_the_standard_track(strict, wrong, pattern):
    env = gymnasium.make(ENVIRONMENTS["standard"], days=3, strict=strict, disable_env_checker=True)
    env.reset(seed=1)
    good = env.action_space.sample()
    refused(pattern, None, env.step, wrong(good))
    agents = standard_negotiations_v0.parallel_env(days=3, strict=strict)
    agents.reset(seed=1)
    one = agents.action_space(agents.agents[0]).sample()
    refused(pattern, None, agents.step, dict.fromkeys(agents.agents, wrong(one)))
    agents.step({agent: [0, 0, 0, 0] for agent in agents.agents})  # a list is an action
    if not strict:
        env.step(good.tolist())
