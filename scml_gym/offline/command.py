"""``scml-gym dataset``: competitors in an environment, recorded."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing
from functools import partial
from itertools import chain, count, islice
from pathlib import Path
from typing import Any, NamedTuple

from scml_gym.core.arguments import whole
from scml_gym.core.config import ConfigError, arguments_of, find_config, known_configs, read_yaml, set_options
from scml_gym.core.engines.base import Engine
from scml_gym.core.engines.each import each
from scml_gym.core.engines.local import Local
from scml_gym.core.errors import InputError, nearest
from scml_gym.core.registry import load_object
from scml_gym.core.reporting import Progress, progress_bar
from scml_gym.experiments.make_env import can_batch, env_arguments, make_env
from scml_gym.game.definition import Game
from scml_gym.games import GAMES, game_of
from scml_gym.offline.batches import make_rows, play_rows, rows_of
from scml_gym.offline.behaviours import Behaviour, behaviour_of
from scml_gym.offline.datasets import About, check_free, datasets_in, datasets_root, write_datasets
from scml_gym.offline.playing import AGENT, MASK, Episode, agent_spaces, flat_mask, play_parallel, play_single
from scml_gym.registration import ENVIRONMENTS, PARALLEL_ENVIRONMENTS

ROWS = 128
"""Worlds that are played side by side, and written together."""

MOST_SEED = 2**63 - 1
"""Seeds are kept as integers of 64 bits."""


class Source(NamedTuple):
    """An environment that data come from.

    Attributes:
        env: Its ``env`` section: id and arguments.
        game: That it belongs to.
        made: The environment.
    """

    env: dict[str, Any]
    game: Game
    made: Any

    @property
    def parallel(self) -> bool:
        """Whether it is PettingZoo's."""
        return self.env["id"] in PARALLEL_ENVIRONMENTS


def open_source(name: str, options: Sequence[str], section: Mapping[str, Any] | None = None) -> Source:
    """An environment of this package by its id, the name of its defaults in configs/env, or PettingZoo's name.

    Args:
        name: See above.
        options: ``argument=value`` each.
        section: A complete ``env`` section, in place of that of the name.

    Raises:
        InputError: if there is none, or an argument is wrong.
    """
    env = set_options(_section(name) if section is None else section, options, {})
    env_id = str(env["id"])
    if env_id not in PARALLEL_ENVIRONMENTS:
        game = game_of(env_id)
        if game is None:
            raise InputError(f"--env {name}: {env_id!r} is none of this package{nearest(env_id, ENVIRONMENTS)}")
        return Source(env, game, make_env(env))
    game = next(game for game in map(GAMES.get, GAMES) if env_id in game.parallel_environments)
    arguments = {key: value for key, value in env.items() if key != "id"}
    with arguments_of("env", arguments):
        made = load_object(f"{PARALLEL_ENVIRONMENTS[env_id]}:parallel_env")(**arguments)
    return Source(env, game, made)


def among_copies(source: Source, competitor: str, copies: int) -> Source:
    """An environment in which a competitor is so many times among the opponents, each drawn with equal chance.

    Args:
        source: The environment, returned as it is where there are no copies.
        competitor: Its name.
        copies: How many times.

    Raises:
        InputError: if the environment names no opponents, or the competitor is no opponent there.
    """
    if not copies:
        return source
    if not isinstance(named := source.env.get("opponents"), list):
        raise InputError(f"--copies {copies}: no list of opponents is given; give one, as --set opponents=[greedy]")
    try:
        return open_source(source.env["id"], (), {**source.env, "opponents": [*named, *[competitor] * copies]})
    except InputError as error:
        raise InputError(f"--copies {copies}: {error}") from error


def _section(name: str) -> dict[str, Any]:
    if name in ENVIRONMENTS or name in PARALLEL_ENVIRONMENTS:
        return {"id": name}
    known = [*ENVIRONMENTS, *PARALLEL_ENVIRONMENTS, *known_configs("env")]
    try:
        section = read_yaml(find_config("env", name))
    except InputError:
        raise InputError(f"--env {name}: there is no such environment{nearest(name, known)}") from None
    if "id" not in section:
        raise ConfigError(("env", "id"), f"missing in {name}")
    return section


def portions(source: Source, behaviour: Behaviour, episodes: int, seed: int, bar: Progress) -> Iterator[list[Episode]]:
    """So many episodes (of PettingZoo, worlds), some at a time; world ``i`` is that of ``seed + i``.

    In native batches where they play the same as single environments, which they do to the last bit.
    """
    if source.parallel:
        worlds = (list(play_parallel(source.made, behaviour, seed + i)) for i in range(episodes))
        for i, world in enumerate(worlds, 1):
            bar.update(i)
            yield world
        return
    played = 0
    for portion in _batched(source, behaviour, seed, episodes):
        portion = portion[: episodes - played]
        played += len(portion)
        bar.update(played)
        yield portion
        if played >= episodes:
            return


def _batched(source: Source, behaviour: Behaviour, seed: int, episodes: int) -> Iterator[list[Episode]]:
    seeds = count(seed) if getattr(source.made.unwrapped, "goes_on", False) else range(seed, seed + episodes)
    played = chain.from_iterable(play_single(source.made, behaviour, s) for s in seeds)
    with ExitStack() as stack:
        if can_batch(source.env):
            envs = stack.enter_context(closing(make_rows(source.env, min(ROWS, episodes))))
            if (together := rows_of(behaviour, envs)) is not None:
                played = play_rows(envs, together, seeds)
        while portion := list(islice(played, ROWS)):
            yield portion


def dataset_name(namespace: str, competitor: str, kind: str) -> str:
    """Name of a competitor's dataset of a kind of agent."""
    parts = [re.sub(r"\W+", "-", part).strip("-") for part in (competitor, *([kind] if kind != AGENT else []))]
    return f"{namespace}/{'-'.join(parts)}-v0"


def default_namespace(env_id: str) -> str:
    """Of an environment: ``scml_gym/`` and its name without a version."""
    return f"scml_gym/{re.sub(r'[-_]v[0-9]+$', '', env_id.rpartition('/')[2])}"


class Job(NamedTuple):
    """A competitor to be recorded.

    Attributes:
        competitor: Its name here.
        there: Its name where it is recorded.
        env: The ``env`` section.
        episodes: How many.
        seed: Of the first world.
        namespace: Of the datasets.
    """

    competitor: str
    there: str
    env: dict[str, Any]
    episodes: int
    seed: int
    namespace: str


def record_there(job: Job, folder: Path | None) -> list[str]:
    """Write the datasets of a competitor into a folder, in any process; their names."""
    source = open_source(job.env["id"], (), job.env)
    observation, action = agent_spaces(source.made)
    plain = source.made if source.parallel else source.made.unwrapped
    behaviour = behaviour_of(job.there, source.game, plain, observation, action)
    with ExitStack() as stack:
        stack.callback(source.made.close)
        if folder is not None:
            stack.enter_context(datasets_in(folder))
        return _record(source, job, behaviour)


def _record(source: Source, job: Job, behaviour: Behaviour) -> list[str]:
    facts = {"env": _plain(source.env), "competitor": job.competitor, "seed": job.seed}
    about = About(None if source.parallel else source.made, *agent_spaces(source.made), facts)
    name = partial(dataset_name, job.namespace, job.competitor)
    with progress_bar(job.episodes, job.competitor) as bar:
        return write_datasets(about, name, portions(source, behaviour, job.episodes, job.seed, bar))


def dataset_command(
    competitors: Sequence[str],
    env: str,
    options: Sequence[str],
    episodes: int,
    seed: int,
    namespace: str | None,
    workers: int | None = 1,
    engine: Engine | None = None,
    copies: int = 0,
) -> list[str]:
    """Write the datasets of competitors; their names.

    Args:
        competitors: See `scml_gym.commands.dataset.dataset`, also for those that are not named here.
        workers: Competitors that are recorded at once; None for as many as the engine has cores.
        engine: Where they are recorded; None for this machine. It changes no episode.
        copies: How often each competitor is among the opponents of its dataset, beside those that are named.

    Raises:
        InputError: before anything is written, for everything that is wrong.
    """
    datasets_root()
    whole("--episodes", episodes)
    whole("--seed", seed, 0, MOST_SEED - episodes)
    workers = None if workers is None else whole("--workers", workers)
    copies = whole("--copies", copies, 0)
    competitors = [str(competitor) for competitor in competitors]
    source = open_source(env, options)
    observation, action = agent_spaces(source.made)
    space = namespace or default_namespace(source.env["id"])
    names: list[Callable[[str], str]] = [partial(dataset_name, space, competitor) for competitor in competitors]
    for competitor, name in zip(competitors, names, strict=True):
        if [other(AGENT) for other in names].count(name(AGENT)) > 1:
            raise InputError(f"{competitor!r}: two datasets would be named {name(AGENT)!r}")
        check_free(name(AGENT))
    plain = source.made if source.parallel else source.made.unwrapped
    behaviours = []
    for competitor in competitors:
        try:
            behaviours.append(behaviour_of(competitor, source.game, plain, observation, action))
        except InputError as error:
            raise InputError(str(error) if repr(competitor) in str(error) else f"{competitor!r}: {error}") from error
    sources = [among_copies(source, competitor, copies) for competitor in competitors]
    for played_in, competitor, behaviour in zip(sources, competitors, behaviours, strict=True):
        _try(played_in, competitor, behaviour, seed)
    try:
        with Local() if engine is None else engine as where:
            there = [where.bring(played_in.env) for played_in in sources]
            jobs = [
                Job(name, where.bring(name), env, episodes, seed, space)
                for name, env in zip(competitors, there, strict=True)
            ]
            workers = where.cores() if workers is None else workers
            if where.here(workers):
                made = list(map(_record, sources, jobs, behaviours))
            else:
                with each(record_there, where, workers, datasets_root()) as execute:
                    made = list(execute(jobs))
    finally:
        for played_in in (source, *sources):
            played_in.made.close()
    return [name for names in made for name in names]


def _try(source: Source, competitor: str, behaviour: Behaviour, seed: int) -> None:
    """Refuse a competitor that cannot act there, by its first action."""
    env = source.made
    observation, info = env.reset(seed=seed)
    plain = env if source.parallel else env.unwrapped
    behaviour.begin(plain, seed)
    agents = list(plain.agents) if source.parallel else [AGENT]
    try:
        for agent in agents:
            shown, told = (observation[agent], info[agent]) if source.parallel else (observation, info)
            behaviour.act(plain, agent, shown, flat_mask(told[MASK]))
    except InputError as error:
        raise InputError(f"{competitor!r} cannot act in {source.env['id']}: {error}") from error


def _plain(env: Mapping[str, Any]) -> dict[str, Any]:
    env_id, arguments = env_arguments(env)
    return {"id": env_id} | arguments
