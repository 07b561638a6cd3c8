"""The bilateral environments: what they show, take, pay and tell."""

import itertools

import gymnasium
import numpy as np
import pytest

from scml_gym.bilateral.scenarios import load_scenario
from scml_gym.core.errors import InputError

ACCEPTANCE, OFFERS = "scml_gym/BilateralAcceptance-v0", "scml_gym/Bilateral-v0"
NAMES = [ACCEPTANCE, OFFERS]
BACKENDS = ["compiled", "reference"]
SMALL = {"scenario": "EnglandZimbabwe", "rounds": 6, "opponent": "boulware"}


def make(name, **options):
    return gymnasium.make(name, **SMALL | options).unwrapped


def test_it_is_made_as_the_papers_setting():
    env = gymnasium.make(
        ACCEPTANCE,
        scenario="Party",
        profile=0,
        opponent="AgentK",
        rounds=100,
        opponent_first=True,
        accept_reward="a",
        offer_reward="b",
        failure_penalty=0.0,
    )
    by_default = gymnasium.make(ACCEPTANCE)
    for one in (env, by_default):
        observation, _ = one.reset(seed=0)
        steps = [one.step(0) for _ in range(20)]
    assert observation[1] == np.float32(1 / 101)
    first, second = ([e.reset(seed=1), *(e.step(0) for _ in range(20))] for e in (env, by_default))
    assert all(np.array_equal(a[0], b[0]) for a, b in zip(first, second, strict=True))
    assert steps[-1][0][1] == np.float32(21 / 101)


@pytest.mark.parametrize("backend", BACKENDS)
def test_offers_bring_the_offer_reward_and_an_acceptance_the_utility(backend):
    env = make(ACCEPTANCE, backend=backend, offer_reward="b")
    seen, info = env.reset(seed=0)
    assert info["action_mask"].all()
    assert seen[1] == np.float32(1 / 7)
    utility = float(env.view["offer_utility"])
    assert seen[0] == np.float32(utility)
    seen, reward, done, truncated, info = env.step(0)
    assert (reward, done, truncated) == ((1 - utility) / 100, False, False)
    utility = float(env.view["offer_utility"])
    offer = int(env.view["offer"])
    _, reward, done, _, info = env.step(1)
    assert (reward, done) == (utility, True)
    own, other = (load_scenario("EnglandZimbabwe").utilities(side) for side in (0, 1))
    assert info["utility"] == own[offer] == utility
    assert info["opponent_utility"] == other[offer]
    assert (info["agreement"], info["outcome"], info["round"], info["accepted_by"]) == (True, offer, 2, "learner")
    assert info["invalid_actions"] == 0


@pytest.mark.parametrize("backend", BACKENDS)
def test_never_accepting_fails_after_the_last_round(backend):
    options = {"bids": "hardliner", "opponent": "hardliner", "offer_reward": "c", "failure_penalty": -0.5}
    env = make(ACCEPTANCE, backend=backend, **options)
    env.reset(seed=0)
    mean = float(env.view["offer_utility"])
    steps = [env.step(0) for _ in range(6)]
    assert [s[2] for s in steps] == [False] * 5 + [True]
    assert steps[0][1] == pytest.approx((1 - mean) / 100, abs=1e-15)
    assert steps[-1][1] == pytest.approx((1 - mean) / 100 - 0.5, abs=1e-15)
    info = steps[-1][4]
    assert (info["agreement"], info["outcome"], info["round"], info["accepted_by"]) == (False, -1, 6, "nobody")
    assert (info["utility"], info["opponent_utility"]) == (0.0, 0.0)
    with pytest.raises(gymnasium.error.ResetNeeded):
        env.step(0)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("name", NAMES)
def test_who_opens_sees_nothing_and_cannot_accept(name, backend):
    env = make(name, backend=backend, opponent_first=False, offer_reward="b", failure_penalty=-1.0)
    seen, info = env.reset(seed=0)
    assert seen[0] == 0.0
    assert info["action_mask"].tolist()[:2] == [True, False]
    _, reward, done, _, info = env.step(1)
    assert (reward, done, info["invalid_actions"], info["accepted_by"]) == (-1.0, True, 1, "nobody")
    env.reset(seed=0)
    offer = 0 if name == ACCEPTANCE else 2
    _, reward, _, _, info = env.step(offer)
    assert reward == 0.0  # nothing was refused
    assert info["action_mask"].all()


@pytest.mark.parametrize("backend", BACKENDS)
def test_the_opponent_accepts_what_the_learner_offers(backend):
    env = make(OFFERS, backend=backend, offer_reward="b")
    env.reset(seed=0)
    utility = float(env.view["offer_utility"])
    own, other = (load_scenario("EnglandZimbabwe").utilities(side) for side in (0, 1))
    best = int(np.argmax(other))
    seen, reward, done, _, info = env.step(2 + best)
    assert done
    assert reward == pytest.approx((1 - utility) / 100 + own[best], abs=1e-15)
    assert (info["utility"], info["opponent_utility"], info["accepted_by"]) == (own[best], other[best], "opponent")
    assert (info["outcome"], info["round"]) == (best, 2)
    assert seen[2:4].tolist() == [np.float32(own[best]), 1.0]


@pytest.mark.parametrize("targets", [2, 21])
def test_targets_are_the_lowest_utility_at_or_above(targets):
    env = make(OFFERS, action="target", targets=targets, opponent="hardliner", rounds=100)
    env.reset(seed=0)
    own = load_scenario("EnglandZimbabwe").utilities(0)
    for j in range(1, targets):
        seen, *_ = env.step(2 + j)
        enough = own[own >= j / (targets - 1)]
        assert seen[2] == np.float32(enough.min() if len(enough) else own.max())


def test_history_shows_both_sides_earlier_offers_the_latest_first():
    env = make(OFFERS, action="target", history=3, opponent="hardliner", rounds=20)
    seen, _ = env.reset(seed=0)
    assert not seen[5:].any()
    earlier = []
    for step in range(6):
        earlier.insert(0, (seen[0], seen[2]))
        seen, *_ = env.step(22 - step)
        shown = np.array((earlier + [(0.0, 0.0)] * 3)[:3], dtype=np.float32)
        assert np.array_equal(seen[5:].reshape(3, 2), shown)
    again, _ = env.reset()
    assert not again[5:].any()


def test_random_scenarios_differ_by_episode_and_mask_what_they_lack():
    env = make(OFFERS, scenario={"issues": [1, 2], "values": [2, 3]})
    assert env.action_space.n == 2 + 9
    sizes = set()
    for seed in range(8):
        _, info = env.reset(seed=seed)
        n = int(env.view["n_outcomes"])
        assert info["action_mask"].tolist() == [True, True] + [i < n for i in range(9)]
        if n < 9:
            *_, done, _, info = env.step(2 + n)
            assert (done, info["invalid_actions"]) == (True, 1)
        sizes.add(n)
    assert len(sizes) > 1


@pytest.mark.parametrize("name", NAMES)
def test_pictures_of_one_size_show_each_round(name):
    env = make(name, render_mode="rgb_array")
    env.reset(seed=0)
    frames = [env.render()]
    for action in (0 if name == ACCEPTANCE else 3, 1):
        env.step(action)
        frames.append(env.render())
    assert {(frame.shape, str(frame.dtype)) for frame in frames} == {((320, 640, 3), "uint8")}
    assert all((first != second).any() for first, second in itertools.pairwise(frames))


@pytest.mark.parametrize("name", NAMES)
def test_text_shows_the_standing_offers(name):
    env = make(name, render_mode="ansi")
    env.reset(seed=0)
    env.step(0 if name == ACCEPTANCE else 3)
    text = env.render()
    assert "EnglandZimbabwe, round 2/6" in text
    assert env.config.negotiation(0).scenario.outcome(int(env.view["mine"]))[0] in text
    env.step(1)
    assert "accepted by learner" in env.render()


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"scenario": "Prty"}, "'Prty', and no file or folder; did you mean 'Party'"),
        ({"scenario": {"isues": [1, 2]}}, "'isues'; did you mean 'issues'"),
        ({"scenario": {"issues": [3, 2]}}, r"issues=\(3, 2\)"),
        ({"profile": 2}, "profile=2; valid: 0, 1"),
        ({"opponent": "AgentJ"}, "opponent.*'AgentJ'"),
        ({"opponent": "boulware?exponnt=3"}, "'exponnt'; did you mean 'exponent'"),
        ({"opponent": "builtins:len"}, "builtins:len"),
        ({"rounds": 1}, "rounds=1; valid: 2 to 1000000"),
        ({"rounds": 2.5}, "rounds=2.5"),
        ({"opponent_first": "yes"}, "opponent_first='yes'"),
        ({"accept_reward": "d"}, "accept_reward.*'d'"),
        ({"offer_reward": "aa"}, "offer_reward.*'aa'"),
        ({"failure_penalty": 1.0}, "failure_penalty=1.0"),
        ({"backend": "refrence"}, "'refrence'; did you mean 'reference'"),
    ],
    ids=lambda wrong: "-".join(f"{k}-{v}" for k, v in wrong.items()) if isinstance(wrong, dict) else "",
)
def test_wrong_arguments_are_refused_in_one_line(name, backend, wrong, words):
    with pytest.raises(InputError, match=words) as error:
        make(name, **{"backend": backend} | wrong)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [({"action": "price"}, "'price'"), ({"targets": 1}, "targets=1"), ({"history": -1}, "history=-1")],
)
def test_wrong_forms_are_refused(wrong, words):
    with pytest.raises(InputError, match=words):
        make(OFFERS, **wrong)


@pytest.mark.parametrize("name", NAMES)
def test_actions_outside_the_space_are_refused(name):
    env = make(name)
    env.reset(seed=0)
    for action in (-1, env.action_space.n):
        with pytest.raises(InputError, match=f"action {action}"):
            env.step(action)
    with pytest.raises(InputError, match="no strategy over tables"):
        make(ACCEPTANCE, bids="negmas.sao:BoulwareTBNegotiator")
