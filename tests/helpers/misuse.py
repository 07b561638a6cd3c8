"""Environments used wrongly: what each gives then, by what was done."""

import pickle
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import gymnasium
import numpy as np

from scml_gym.core.errors import InputError
from tests.helpers.episodes import OPTIONS, PARALLEL, SMALL

WRONG = [None, "1", "x", b"1", float("nan"), float("inf"), 0.5, True, [], [[1], [2, 3]], {}, {"a": 1}, object(), 1 + 2j]
WRONG += [
    -1,
    10**9,
    2**70,
    -(2**70),
    [None],
    ["1"],
    np.zeros((3, 3, 3)),
    np.array("x"),
    np.array(None),
    lambda: 0,
    slice(3),
]
"""Actions that no environment has, but for those of single numbers, which some take."""

REFUSALS = (InputError, gymnasium.error.ResetNeeded)


def told(call):
    """What a call is refused with, in one line; else what is wrong with it."""
    try:
        found = call()
    except REFUSALS as error:
        return (not ("\n" in str(error) or len(str(error)) > 500), str(error))
    except BaseException as error:
        return False, f"{type(error).__name__}: {error}"
    return False, f"it was taken: {type(found).__name__}"


def singles(name, options) -> Iterator[tuple[str, bool, str]]:
    """Of a single environment: wrong actions, a step after the end, another thread, a copy before reset."""
    env = gymnasium.make(name, **{**SMALL[name], **options}).unwrapped
    pickle.loads(pickle.dumps(env)).close()
    env.reset(seed=1)
    for action in [*WRONG, np.full(env.action_space.shape or (1,), np.nan), np.full(env.action_space.shape, "x")]:
        if (
            isinstance(env.action_space, gymnasium.spaces.Discrete)
            and type(action) is int
            and env.action_space.contains(action)
        ):
            continue
        yield f"action {action!r}", *told(lambda action=action: env.step(action))
    _, info = env.reset(seed=1)  # what was refused has changed nothing
    done = False
    while not done:
        mask = info["action_mask"]
        sampled = isinstance(env.action_space, gymnasium.spaces.Box)
        action = env.action_space.sample() if sampled else env.action_space.sample(mask=mask)
        _, _, done, _, info = env.step(action)
    for _ in range(2):
        yield "a step after the end", *told(lambda action=action: env.step(action))
    env.reset()
    env.step(env.action_space.sample())
    env.close()
    yield "a step after close", *told(lambda: env.step(action))
    env.close()


def other_thread(name, options) -> Iterator[tuple[str, bool, str]]:
    """A world of the real simulation that another thread goes on with."""
    env = gymnasium.make(name, **{**SMALL[name], **options, "backend": "reference"}).unwrapped
    _, info = env.reset(seed=1)

    def step():
        sampled = isinstance(env.action_space, gymnasium.spaces.Box)
        return env.step(env.action_space.sample() if sampled else env.action_space.sample(mask=info["action_mask"]))

    with ThreadPoolExecutor(1) as pool:
        yield "a step in another thread", *pool.submit(told, step).result()
    step()  # the first one goes on
    yield "a step in the thread that began", True, ""
    env.close()


def batches(name, options) -> Iterator[tuple[str, bool, str]]:
    """Of a vector environment: a pickle before reset, wrong actions, two threads at once."""
    envs = gymnasium.make_vec(name, num_envs=3, **{**SMALL[name], **options})
    yield "a step before reset", *told(lambda: envs.step(envs.action_space.sample()))
    again = pickle.loads(pickle.dumps(envs))
    first, second = (np.asarray(flat(e.reset(seed=3)[0])) for e in (envs, again))
    yield "a pickle before reset", bool(np.array_equal(first, second)), "it plays something else"
    again.close()
    for action in [*WRONG, np.full(envs.action_space.shape, "x"), np.full(envs.action_space.shape, np.nan)]:
        yield f"actions {action!r}", *told(lambda action=action: envs.step(action))
    inside, release, said = threading.Event(), threading.Event(), []
    advance = envs._advance

    def slow(*arguments):
        inside.set()
        release.wait(10)
        return advance(*arguments)

    envs._advance = slow
    actions = envs.action_space.sample()
    valid = isinstance(envs.single_action_space, gymnasium.spaces.Box)
    thread = threading.Thread(target=lambda: said.append(told(lambda: envs.step(actions) and None)))
    thread.start()
    inside.wait(10)
    for what, call in (("step", lambda: envs.step(actions)), ("reset", envs.reset)):
        yield f"a second thread's {what}", *told(call)
    release.set()
    thread.join(10)
    envs._advance = advance
    del valid
    yield "the first thread", said[0][1] == "it was taken: NoneType" or "action" in said[0][1], said[0][1]
    envs.reset(seed=4)
    envs.close()


def flat(observations):
    """All numbers of observations."""
    parts = observations.values() if isinstance(observations, dict) else [observations]
    return np.concatenate([np.ravel(part) for part in parts])


def parallels(module) -> Iterator[tuple[str, bool, str]]:
    """Of a PettingZoo environment: wrong actions, of wrong agents, after the end."""
    env = module.parallel_env(days=3)
    env.reset(seed=1)
    agent = env.agents[0]
    due = {a: env.action_space(a).sample() for a in env.agents}
    for action in WRONG:
        if type(action) is not int:
            yield f"action {action!r}", *told(lambda action=action: env.step(due | dict.fromkeys(env.agents, action)))
    for actions in (None, 3, [1], {"nobody": 1}, {agent: None}):
        yield f"actions {actions!r}", *told(lambda actions=actions: env.step(actions))
    _, infos = env.reset(seed=1)
    while env.agents:
        infos = env.step({a: env.action_space(a).sample(infos[a]["action_mask"]) for a in env.agents})[4]
    yield "a step after the end", *told(lambda: env.step(due))
    yield "an empty step after the end", *told(lambda: env.step({}))
    env.close()


CASES = [("single", name, options) for name in OPTIONS for options in OPTIONS[name]]
CASES += [("other thread", name, {}) for name in OPTIONS]
CASES += [("batch", name, OPTIONS[name][0]) for name in OPTIONS]
CASES += [("parallel", module.__name__.rpartition(".")[2], {}) for module in PARALLEL]
"""What is misused, by kind, name and options."""

QUICK = [CASES[0], CASES[6], CASES[-1], *(case for case in CASES if case[0] == "batch")]
"""Some of them, of each kind."""


def tries(kind, name, options) -> Iterator[tuple[str, bool, str]]:
    """What was done, whether it was answered in one line, and what was said."""
    if kind == "parallel":
        return parallels(next(module for module in PARALLEL if module.__name__.endswith(name)))
    return {"single": singles, "other thread": other_thread, "batch": batches}[kind](name, options)
