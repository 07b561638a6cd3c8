"""The state of a vector environment as arrays: another one goes on from it, to the last bit."""

import gymnasium
import numpy as np
import pytest

from scml_gym.core.errors import InputError

ENVIRONMENTS = {
    "day": (
        "scml_gym/OneShotConcurrent-v0",
        {"episode": "day", "observation": "entities", "reward": "regret", "opponents": ["best-subset", "greedy"]},
    ),
    "bilateral": ("scml_gym/OneShotBilateral-v0", {}),
    "standard": ("scml_gym/StandardConcurrent-v0", {}),
    "daily": ("scml_gym/StandardDaily-v0", {}),
}


def made(name, **changes):
    env_id, arguments = ENVIRONMENTS[name]
    return gymnasium.make_vec(env_id, num_envs=3, **{"autoreset_mode": "SameStep", "days": 4} | arguments | changes)


def played(envs, n):
    """What the environment shows of some steps of the first valid choices but one."""
    shown = []
    for _ in range(n):
        masks = envs.sample_mask()
        actions = [envs.single_action_space.sample(mask=mask) for mask in masks]
        observations, rewards, done, _, _ = envs.step(np.array(actions))
        shown.append((observations, rewards, done, envs.action_masks()))
    return shown


def equal(some, others):
    pairs = ((a, b) for one, other in zip(some, others, strict=True) for a, b in zip(one, other, strict=True))
    return all(np.array_equal(a, b) for a, b in pairs)


@pytest.mark.slow
@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_another_environment_goes_on_from_a_saved_state(name, tmp_path):
    envs = made(name)
    envs.reset(seed=5)
    played(envs, 30)
    np.savez(tmp_path / "state.npz", allow_pickle=False, **envs.state())
    envs.single_action_space.seed(1)
    expected = played(envs, 60)
    assert any(done.any() for _, _, done, _ in expected)

    again = made(name)
    again.reset(seed=77)
    played(again, 5)
    with np.load(tmp_path / "state.npz", allow_pickle=False) as state:
        due = again.restore(dict(state))
    again.single_action_space.seed(1)
    assert equal(played(again, 60), expected)
    fresh = made(name)
    with np.load(tmp_path / "state.npz", allow_pickle=False) as state:
        assert np.array_equal(fresh.restore(dict(state)), due)
    fresh.single_action_space.seed(1)
    assert equal(played(fresh, 60), expected)


def test_a_state_that_does_not_fit_is_refused_and_changes_nothing():
    envs, other = made("day"), made("day", days=6)
    envs.reset(seed=1)
    other.reset(seed=2)
    before = other.state()
    for wrong in (envs.state(), {}):
        with pytest.raises(InputError, match="a state") as caught:
            other.restore(wrong)
        assert "\n" not in str(caught.value)
    assert all(np.array_equal(array, before[name]) for name, array in other.state().items())
    with pytest.raises(InputError, match="reset"):
        made("day").state()
    other.set_opponents(["greedy"])
    with pytest.raises(InputError, match="opponents were changed"):
        other.state()
