"""A toy game through the shared code alone: day by day two players demand parts of a pie; too much gets none."""

from __future__ import annotations

import numpy as np
from gymnasium import spaces

from scml_gym.core.errors import InputError
from scml_gym.core.registry import Registry
from scml_gym.game.definition import Column, Competition, EntryPoints, Game
from scml_gym.game.env import EnvParts, WorldEnv
from scml_gym.game.parallel_env import ParallelParts, ParallelWorldEnv
from scml_gym.game.run_folders import RUN_FOLDERS, is_folder
from scml_gym.game.world import Drawn
from scml_gym.registration import register_game

PIE = 4
VIEW_DTYPE = np.dtype([(n, np.int64) for n in ("player", "day", "n_days", "mine", "theirs", "my_turn")])


class Forgetful:
    """What keeps nothing from decision to decision."""

    def reset(self, *view):
        """An episode starts."""

    def begin(self, view):
        """A world starts."""

    def end_day(self, view):
        """A day ends."""


class Demands(Forgetful):
    """Always demands the same."""

    synchronous = True

    def __init__(self, demand):
        self._demand = demand

    def act(self, view):
        return np.array([self._demand])


STRATEGIES = Registry("demand")
STRATEGIES.register("fair", lambda seed: Demands(2))
STRATEGIES.register("greedy", lambda seed: Demands(3))
STRATEGIES.register("modest", lambda seed: Demands(1))


class PieWorld:
    """A `scml_gym.game.world.World` of two players, who decide together on every day."""

    def __init__(self, days, players):
        self.players = players
        self.external = tuple(i for i, player in enumerate(players) if player is None)
        self.views = np.zeros(2, dtype=VIEW_DTYPE)
        self.views["player"], self.views["n_days"], self.views["my_turn"] = (0, 1), days, 1
        self.profits = np.zeros((2, days))
        self.day = 0
        self._closed = {i: [] for i in self.external}

    def start(self):
        for player, view in zip(self.players, self.views, strict=True):
            if player is not None:
                player.begin(view)
        while not self.external and not self.done:
            self.step({})

    def step(self, actions):
        chosen = [actions[i] if p is None else p.act(self.views[i]) for i, p in enumerate(self.players)]
        demands = np.array([int(answer[0]) for answer in chosen])
        self.profits[:, self.day] = demands * (demands.sum() <= PIE) / PIE
        self.views["mine"], self.views["theirs"] = demands, demands[::-1]
        for i, player in enumerate(self.players):
            if player is None:
                self._closed[i].append(self.views[i].copy())
            else:
                player.end_day(self.views[i])
        self.day += 1
        self.views["day"], self.views["my_turn"] = self.day, not self.done

    def close(self):
        """Nothing runs on."""

    @property
    def pending(self):
        return () if self.done else self.external

    @property
    def done(self):
        return self.day == self.profits.shape[1]

    def view(self, player):
        return self.views[player]

    def closed_days(self, player):
        closed, self._closed[player] = self._closed[player], []
        return closed

    def summary(self, player):
        return {"score": float(self.profits[player].mean())}


class Encoder(Forgetful):
    """Time and the last demands, from 0 to 1."""

    full = False

    def __init__(self):
        self.space = spaces.Box(0.0, 1.0, (3,), dtype=np.float32)

    def encode(self, view, hidden_state=None):
        return np.array([view["day"] / view["n_days"], view["mine"] / PIE, view["theirs"] / PIE], dtype=np.float32)

    encode_last = encode


class Codec(Forgetful):
    """A demand; more than the whole pie is not asked for."""

    def __init__(self):
        self.space = spaces.Discrete(PIE + 1)

    def decode(self, action, view):
        return np.array([int(action)])

    def mask(self, view):
        return np.arange(PIE + 1) <= PIE * int(view["my_turn"])


class Gains(Forgetful):
    """The part of the pie of each day."""

    def __call__(self, transition):
        return float(np.sum(transition.profits))


def validate(view, actions):
    """Refuse what the pie does not have."""
    if not 0 <= actions[0] <= PIE:
        raise InputError(f"demand {actions[0]}; valid: 0 to {PIE}")


class ToyEnv(WorldEnv):
    """One player against a strategy."""

    def __init__(self, opponent="fair", days=5, render_mode=None):
        make = TOY.player_maker(opponent)

        def draw(seed):
            side = seed % 2
            players = [None, make(seed)] if side == 0 else [make(seed), None]
            return Drawn(PieWorld(days, players), (side,))

        super().__init__(EnvParts(draw, Encoder(), Codec(), Gains(), lambda: np.zeros(1, dtype=np.int64), validate))


def parallel_env(days=5):
    """Both players as agents."""
    agents = {"first": 0, "second": 1}
    encoders, rewards = {a: Encoder() for a in agents}, {a: Gains() for a in agents}

    def draw(seed, players):
        return Drawn(PieWorld(days, [None if i in players else STRATEGIES.get("fair")(seed) for i in (0, 1)]), players)

    return ParallelWorldEnv(ParallelParts(agents, draw, encoders, Codec(), rewards, validate))


def player_maker(name):
    """Players by name: strategies and run folders."""
    return RUN_FOLDERS.get("learner")(name) if is_folder(name) else STRATEGIES.get(name)


class Learnt(Demands):
    """What a learner demands."""

    def __init__(self, predict, env, deterministic):
        self._predict, self._deterministic, self._encoder, self._codec = predict, deterministic, Encoder(), Codec()

    def act(self, view):
        action, _ = self._predict(self._encoder.encode(view), None, self._codec.mask(view), self._deterministic)
        return self._codec.decode(action, view)


def try_player(player, name):
    """Every player is ready."""


def play(players, seed, days, watch):
    """A world with a named line-up."""
    for index, player in enumerate(players):
        watch(player, index, ("begin", "act", "end_day"))
    world = PieWorld(days, players)
    world.start()
    part = world.profits.mean(axis=1).tolist()
    sums = world.profits.sum(axis=1).tolist()
    return [{"level": ("first", "second")[i], "score": part[i], "gained": sums[i]} for i in (0, 1)]


TOY = Game(
    name="toy",
    summary="two players demand parts of a pie",
    environments={"toy/Pie-v0": EntryPoints("tests.helpers.toy_game:ToyEnv")},
    parallel_environments={"pie_v0": "tests.helpers.toy_game"},
    strategies=STRATEGIES,
    players=player_maker,
    policies=Learnt,
    competition=Competition(
        play=play,
        try_player=try_player,
        background=("fair",),
        substitute="fair",
        most_seats=1,
        seats=1,
        seats_one_on_one=1,
        columns={"gained": Column(float, "pies over the whole world")},
    ),
)

register_game(TOY)
