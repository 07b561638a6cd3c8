"""The sequence model: it remembers, looks at nothing that comes later, heeds returns and masks, and repeats itself."""

import copy
import pickle

import numpy as np
import pytest
import torch
from gymnasium import spaces

from scml_gym.agents.decision_transformer.fitting import Fitting, fit_scales
from scml_gym.agents.decision_transformer.forms import actions_of, observations_of
from scml_gym.agents.decision_transformer.network import DecisionTransformer
from scml_gym.agents.decision_transformer.playing import beginning, decide
from scml_gym.agents.decision_transformer.sequences import Batches, windows_of
from scml_gym.core.config import ConfigError
from scml_gym.core.errors import InputError
from scml_gym.offline.playing import flat_mask
from tests.helpers.sequence_problems import DONE, SEEN, good_and_bad, settings, sign_shown_once


def network(seed=0, seen=SEEN, done=DONE):
    torch.manual_seed(seed)
    return DecisionTransformer(seen, done, 16, 1, 2)


def fitted(episodes, target=None, **changes):
    given, made = settings(**changes), network()
    fit_scales(made, episodes, given.held_out, target)
    fitting = Fitting(made, episodes, given, 0)
    while fitting.steps < fitting.total:
        fitting.learn()
    return made, fitting


@pytest.mark.slow
def test_it_learns_what_hangs_on_an_earlier_observation_and_without_a_history_cannot():
    episodes = sign_shown_once()
    _, fitting = fitted(episodes)
    assert fitting.measure()["held_out_met"] == 1.0
    _, blind = fitted(episodes, context=1)
    assert 0.4 < blind.measure()["held_out_met"] < 0.75  # the first of five actions is known, the others are guessed


@pytest.mark.slow
def test_it_plays_for_the_return_that_it_is_told():
    for target, action in ((4.0, 1), (0.0, 2)):
        made, _ = fitted(good_and_bad(), target)
        memories, left = [beginning(made, 2, 1)], []
        for _ in range(4):
            rows, memories = decide(made, 5, memories, np.zeros((1, 2), np.float32), np.ones((1, 3), np.bool_))
            assert rows.tolist() == [[action]]
            left.append(memories[0].to_go)
        assert left == pytest.approx([target - (action == 1) * (i + 1) for i in range(4)], abs=0.4)


def test_playing_it_sees_the_last_decisions_of_its_episode_as_they_were():
    episodes, made, context = sign_shown_once(1, 9), network(), 4
    fit_scales(made, episodes, 0.0, 1.0)
    memory, valid, rows, to_go = beginning(made, 2, 1), np.ones((1, 3), np.bool_), [], []
    for step in range(9):
        to_go.append(memory.to_go)
        (row,), (memory,) = decide(made, context, [memory], episodes.observations[step : step + 1], valid)
        rows.append(row)
        assert len(memory.returns) == min(step + 1, context - 1) and memory.step == step + 1
    windows, _, places = Batches(episodes, made.scale.numpy(), context).take(np.array([5]), np.array([9]))
    assert places.tolist() == [5, 6, 7, 8] and windows.steps.tolist() == [[5, 6, 7, 8]]
    returns = (torch.tensor([to_go[5:]]) - made.scale[0]) / made.scale[1]
    told = made(windows._replace(returns=returns, actions=torch.from_numpy(np.stack(rows[5:])[None])))[:, 3]
    picked, known = made.heads.choose(told, torch.from_numpy(valid), None, None)
    assert picked.numpy().tolist() == [rows[8].tolist()]
    expected = made.predicted(known).item() * made.scale[3].item() + made.scale[2].item()
    assert memory.to_go == pytest.approx(to_go[8] - expected, abs=1e-5)


def test_nothing_that_comes_later_is_seen():
    episodes, made = sign_shown_once(2), network()
    windows, _, _ = Batches(episodes, made.scale.numpy(), 5).take(np.array([0]), np.array([5]))
    before = made(windows)
    for name in ("returns", "observations", "actions"):
        part = getattr(windows, name).clone()
        part[:, 3] = 2.0 - part[:, 3]
        after = made(windows._replace(**{name: part}))
        assert torch.equal(after[:, :3], before[:, :3])
        own = torch.equal(after[:, 3], before[:, 3])
        assert own == (name == "actions")  # the action of a decision comes after what is said of it
        assert not torch.equal(after[:, 4], before[:, 4])


def test_what_a_mask_forbids_is_never_chosen_and_a_narrower_mask_may_follow_from_choices():
    done = actions_of(spaces.MultiDiscrete([3, 4]), (1, 0))
    made = network(done=done)
    assert done.rows(np.array([[2, 3]])).tolist() == [[3, 2]]
    assert done.action(np.array([3, 2])).tolist() == [2, 3]
    masks = np.tile(done.masks(np.array([[True, False, True, False, True, True, False]])), (50, 1))
    assert masks[0].tolist() == [False, True, True, False, True, False, True]
    memories, draws = [beginning(made, 2, 2)] * 50, torch.Generator().manual_seed(0)
    seen = np.random.default_rng(0).normal(size=(50, 2)).astype(np.float32)
    rows, _ = decide(made, 5, memories, seen, masks, draws)
    assert set(map(tuple, rows.tolist())) == {(1, 0), (1, 2), (2, 0), (2, 2)}

    def narrow(i, chosen, mask):
        if i == 0:
            return mask
        return mask & ((chosen == 1) | torch.tensor([True, False, False]))

    rows, _ = decide(made, 5, memories, seen, masks, draws, narrow)
    assert set(map(tuple, rows.tolist())) == {(1, 0), (1, 2), (2, 0)}


def test_the_likelihood_is_that_of_drawn_choices():
    done = actions_of(spaces.MultiDiscrete([2, 3]))
    heads, told = network(done=done).heads, torch.randn(1, 16)
    masks = torch.tensor([[True, True, True, True, False]])
    every = torch.cartesian_prod(torch.arange(2), torch.arange(2)).float()
    logs, _, _ = heads.log_likelihood(told.expand(4, -1), every, masks.expand(4, -1))
    assert logs.sum(dim=1).exp().sum().item() == pytest.approx(1.0, abs=1e-6)
    drawn, _ = heads.choose(told.expand(20000, -1), masks.expand(20000, -1), torch.Generator().manual_seed(0), None)
    shares = [(drawn == row).all(dim=1).float().mean().item() for row in every]
    assert shares == pytest.approx(logs.sum(dim=1).exp().tolist(), abs=0.02)


def test_learning_repeats_itself_and_goes_on_where_it_stood():
    episodes, given = sign_shown_once(30), settings(epochs=3, context=4, batch_size=20)
    whole, _ = fitted(episodes, epochs=3, context=4, batch_size=20)
    half = network()
    fit_scales(half, episodes, given.held_out, None)
    fitting = Fitting(half, episodes, given, 0)
    for _ in range(11):
        fitting.learn()
    again = network(1)
    again.load_state_dict(copy.deepcopy(half.state_dict()))
    resumed = Fitting(again, episodes, given, 0)
    resumed.restore(pickle.loads(pickle.dumps(fitting.arrays())))
    assert resumed.steps % resumed.epoch > 0  # within a pass
    while resumed.steps < resumed.total:
        resumed.learn()
    assert all(torch.equal(a, b) for a, b in zip(again.parameters(), whole.parameters(), strict=True))
    with pytest.raises(InputError, match="another network: begin a new run"):
        resumed.restore({"counts": np.zeros(2), "losses": np.zeros(2), "moments": np.zeros((2, 3))})


@pytest.mark.parametrize("begin", range(4))
def test_windows_have_each_decision_once(begin):
    episodes = sign_shown_once(3, 6)
    first, end = windows_of(episodes, np.array([0, 2]), 4, np.full(2, begin))
    places = np.concatenate([np.arange(a, b) for a, b in zip(first, end, strict=True)])
    assert places.tolist() == [*range(6), *range(12, 18)]
    assert (end - first).max() <= 4


def test_returns_are_what_is_still_to_come():
    episodes = good_and_bad(3, 4)
    good = episodes.rewards.reshape(3, 4)
    assert (episodes.returns().reshape(3, 4) == good * [4, 3, 2, 1]).all()
    assert episodes.steps().tolist() == [0, 1, 2, 3] * 3


def test_observations_of_all_forms_become_rows():
    together = spaces.Dict({"a": spaces.Box(0, 1, (2, 2)), "b": spaces.Discrete(3, start=1)})
    form = observations_of(together)
    rows = form.rows({"a": np.arange(8).reshape(2, 2, 2), "b": np.array([1, 3])}, 2)
    assert rows.tolist() == [[0, 1, 2, 3, 1, 0, 0], [4, 5, 6, 7, 0, 0, 1]]
    assert observations_of(spaces.Discrete(5, start=2)).rows(np.array([2, 6]), 2).tolist() == [[0], [4]]
    assert observations_of(spaces.MultiDiscrete([2, 2])).rows(np.array([[1, 0]]), 1).tolist() == [[0, 1, 1, 0]]
    assert flat_mask((np.array([1, 0], np.int8), np.array([1], np.int8))).tolist() == [True, False, True]
    with pytest.raises(InputError, match="observation: none of"):
        form.rows({"a": np.zeros((1, 2, 2))}, 1)
    with pytest.raises(InputError, match=r"observation: 3 numbers; .* has 2"):
        SEEN.rows(np.zeros((1, 3)), 1)
    with pytest.raises(ConfigError, match="valid: such as are at most 8192 numbers"):
        observations_of(spaces.Text(4))
    with pytest.raises(ConfigError, match="valid: Discrete, MultiDiscrete or Box"):
        actions_of(spaces.MultiBinary(2))


def test_numbers_are_chosen_within_their_space():
    done = actions_of(spaces.Box(-1.0, 1.0, (2,)))
    made = network(done=done)
    rows, (memory,) = decide(made, 3, [beginning(made, 2, 2)], np.zeros((1, 2), np.float32), np.ones((1, 0), np.bool_))
    assert memory.actions.shape == (1, 2)
    assert done.space.contains(done.action(10 * rows[0]))
    logs, _, _ = made.heads.log_likelihood(torch.zeros(1, 16), torch.zeros(1, 2), torch.ones(1, 0))
    mean = made.heads.mean(torch.nn.functional.gelu(torch.zeros(1, 16)))
    expected = torch.distributions.Normal(mean, 1.0).log_prob(torch.zeros(1, 2))
    assert torch.allclose(logs, expected, atol=1e-6)
