"""The first day of each golden episode in words and numbers, beside its digests: what changed can be read in a diff.

A file in tests/playthroughs for each environment and option: decision by decision what is seen by name (all of it at
first, then what has changed), what is answered, and the reward. Numbers are exact.

    python -m tests.helpers.playthroughs            fail where one is not as it was
    python -m tests.helpers.playthroughs --write    write them anew
"""

import functools
import json
import math
import re
import sys
import textwrap
from pathlib import Path

import gymnasium
import numpy as np
from pettingzoo.utils import BaseParallelWrapper

from scml_gym.bilateral.view import ACCEPT as ACCEPT_OFFER
from scml_gym.bilateral.view import END as END_NEGOTIATION
from scml_gym.oneshot.envs.partner_codec import PartnerCodec
from scml_gym.simulator.compiled.answers import RESPONSE_NAMES
from scml_gym.standard.actions import PartnerChoices
from scml_gym.standard.planner import GOALS
from scml_gym.standard.view import new_actions
from tests.helpers.episodes import OPTIONS, PARALLEL, make, play, play_parallel

FOLDER = Path(__file__).resolve().parents[1] / "playthroughs"
SEED = 11
MOST_LINES = 40
"""After which no further decision is told."""


class Story:
    """The text of a playthrough, decision by decision.

    Args:
        env: A single environment, or a parallel one, unwrapped.
        agents: Whose views are told, by name: ``{name: () -> view}``.
        title: The first line.
    """

    def __init__(self, env, agents, title):
        self.env, self.agents = env, agents
        self.lines = wrapped(title)
        self.seen, self.decisions, self.day = {}, 0, None

    @property
    def text(self):
        """All of it."""
        return "\n".join(self.lines) + "\n"

    @property
    def over(self):
        """Whether the first day, or as much of it as is told, has been played."""
        day = [int(view()["day"]) for view in self.agents.values() if "day" in view().dtype.names]
        self.day = self.day or day
        return len(self.lines) > MOST_LINES or day != self.day

    def say(self, name, text, indent=2):
        """Add a line, or more where it is long."""
        self.lines += wrapped(f"{' ' * indent}{name}: {text}", indent)

    def decide(self, observations):
        """What is seen before a decision; observations by whose they are."""
        self.decisions += 1
        self.lines += ["", f"decision {self.decisions}"]
        for name, view in self.agents.items():
            self.see(name, view())
        if hasattr(self.env, "table"):  # outcomes have names
            for line in self.env.render().splitlines():
                self.say(*line.strip().partition(": ")[::2])
        self.say("observation", "; ".join(f"{name}{summary(value)}" for name, value in parts(observations)))

    def see(self, name, view):
        """Tell a view: all of it at first, then what differs from the last time."""
        before, self.seen[name] = self.seen.get(name), view.copy()
        for place, record, last in records(name, view, before):
            told = [
                f"{field}={plain(record[field])}"
                for field in record.dtype.names
                if record.dtype[field].shape == ()  # what arrays hold was told when it came
                and (np.any(record[field]) if last is None else not np.array_equal(record[field], last[field]))
            ]
            if told:
                self.say(place, ", ".join(told), indent=2 if place == name else 4)


def wrapped(text, indent=0):
    """The lines of a text, of which all but the first are indented by four more."""
    return textwrap.wrap(text, 120, subsequent_indent=" " * (indent + 4), break_on_hyphens=False)


def records(name, view, before):
    """A view and the records that it holds, each with its name and itself the last time."""
    yield name, view, before
    for field in view.dtype.names:
        if view[field].dtype.names is not None:
            for k, record in enumerate(view[field]):
                yield f"{field}[{k}]", record, None if before is None else before[field][k]


def plain(value):
    """A number or an array as exact text."""
    return repr(value.tolist() if isinstance(value, np.ndarray | np.generic) else value)


def parts(observations, name=""):
    """The arrays of an observation, by name."""
    if not isinstance(observations, dict):
        yield name and f"{name} ", np.asarray(observations)
        return
    for key, value in observations.items():
        yield from parts(value, f"{name}.{key}".strip("."))


def summary(array):
    """An observation in few words, which differ where any number of it does, but for rare chance."""
    if array.size <= 8:
        return plain(array)
    weighted = math.fsum(place * value for place, value in enumerate(array.ravel().tolist(), 1))
    return f"{array.dtype} {array.shape}, {np.count_nonzero(array)} not 0, weighted sum {weighted!r}"


def answers(actions):
    """An action array, or the goals of a day, in words."""
    if actions.dtype.names is None:
        return ", ".join(f"{name}={value!r}" for name, value in zip(GOALS, actions.tolist(), strict=True) if value)
    told = [f"partner {k}: {in_words(*answer)}" for k, answer in enumerate(actions.tolist()) if answer[0]]
    return "; ".join(told) or "nothing"


def in_words(response, quantity, *rest):
    """An answer: its offer has a delivery day in some games, and a price."""
    offered = f" {quantity}{''.join(f' on day {day}' for day in rest[:-1])} at {rest[-1]}" if quantity else ""
    return RESPONSE_NAMES[response] + offered


def answer(env, action):
    """What an action of a single environment says, in words."""
    if hasattr(env, "table"):
        response = int(env.codec.decode(action, env.view, env.table))
        return {ACCEPT_OFFER: "accept", END_NEGOTIATION: "end"}.get(response, f"offer outcome {response}")
    if not isinstance(env.codec, PartnerCodec):
        return answers(env.codec.decode(np.asarray(action), env.view))
    return f"partner {env.partner}: {in_words(*env.codec.actions.decode(int(action), env.view, env.partner))}"


class Watched(gymnasium.Wrapper):
    """A single environment whose story is told while it is played."""

    def __init__(self, env, title):
        super().__init__(env)
        inner = env.unwrapped
        self.story = Story(inner, {"view": lambda: inner.view}, title)

    def reset(self, **options):
        observation, info = self.env.reset(**options)
        self.story.decide(observation)
        return observation, info

    def step(self, action):
        story, told = self.story, not self.story.over
        if told:
            story.say("answer", answer(story.env, action))
        observation, reward, terminated, truncated, info = self.env.step(action)
        if told:
            story.say("reward", plain(reward))
            if terminated:
                story.say("end", ", ".join(f"{k}={plain(v)}" for k, v in info.items() if k != "action_mask"))
            elif not story.over:
                story.decide(observation)
        return observation, reward, terminated, truncated, info


class WatchedAgents(BaseParallelWrapper):
    """The same of a PettingZoo environment; of many factories, the first and the last one are told."""

    def __init__(self, env, title):
        super().__init__(env)
        ends = env.possible_agents[:: len(env.possible_agents) - 1]
        shared = not callable(getattr(type(env), "view", None))
        views = {"view": lambda: env.view} if shared else {agent: lambda a=agent: env.view(a) for agent in ends}
        self.story = Story(env, views, title)
        self.told = env.possible_agents if shared else ends

    def reset(self, seed=None, options=None):
        observations, infos = self.env.reset(seed=seed, options=options)
        self.story.decide({agent: observations[agent] for agent in self.told})
        return observations, infos

    def step(self, actions):
        story, told = self.story, not self.story.over
        if told:
            words = {agent: self.words(agent, actions[agent]) for agent in self.told}
            story.say("answers", "; ".join(f"{agent} {text}" for agent, text in words.items() if text != "noop"))
        result = self.env.step(actions)
        if told:
            story.say("rewards", ", ".join(f"{a} {plain(r)}" for a, r in result[1].items() if r) or "none")
            if not story.over:
                story.decide({agent: result[0][agent] for agent in self.told})
        return result

    def words(self, agent, action):
        env = self.env
        if isinstance(getattr(env, "choices", None), PartnerChoices):
            k, actions = env.possible_agents.index(agent), new_actions()
            env.choices.decode(action, env.view, k, actions)
            return in_words(*actions[k].item())
        if not isinstance(env.codec, PartnerCodec):
            return answers(env.codec.decode(np.asarray(action), env.view(agent)))
        return in_words(*env.codec.actions.decode(int(action), env.view, env.possible_agents.index(agent)))


def told(name, options):
    """The text of a single environment's playthrough."""
    mode = {"render_mode": "ansi"} if "Bilateral" in name and "OneShot" not in name else {}
    env = Watched(make(name, options | mode), f"{name} {json.dumps(options)}, seed {SEED}")
    play(env, SEED)
    return env.story.text


def told_of_agents(module):
    """The text of a PettingZoo environment's playthrough."""
    env = module.parallel_env(days=3)
    watched = WatchedAgents(env, f"{env.metadata['name']}, seed {SEED}")
    play_parallel(watched, SEED)
    return watched.story.text


def file_name(name, options):
    """Of the playthrough of an environment with these options."""
    values = "-".join(str(value) for value in options.values()) or "default"
    return re.sub(r"[^\w.-]+", "-", f"{name.rpartition('/')[2]}-{values}") + ".txt"


PLAYTHROUGHS = {
    file_name(name, options): functools.partial(told, name, options)
    for name, all_options in OPTIONS.items()
    for options in all_options
}
for _module in PARALLEL:
    PLAYTHROUGHS[f"{_module.__name__.rpartition('.')[2]}.txt"] = functools.partial(told_of_agents, _module)
"""What makes each text, by the name of its file."""


def main():
    """Compare or write."""
    made = {name: make_text() for name, make_text in PLAYTHROUGHS.items()}
    if sys.argv[1:] == ["--write"]:
        FOLDER.mkdir(exist_ok=True)
        for path in FOLDER.glob("*.txt"):
            path.unlink()
        for name, text in made.items():
            (FOLDER / name).write_text(text, encoding="utf-8")
        return 0
    kept = {path.name: path.read_text(encoding="utf-8") for path in FOLDER.glob("*.txt")}
    changed = sorted(name for name in kept.keys() | made.keys() if kept.get(name) != made.get(name))
    print("\n".join(changed) or "as they were")
    return bool(changed)


if __name__ == "__main__":
    sys.exit(main())
