"""Configuration: YAML files are the only home of defaults; each is checked against a typed, frozen model before use.

An experiment names a learner and an environment; the defaults of both, in ``configs/agent/<name>.yaml`` and
``configs/env/<name>.yaml``, are merged under what the experiment itself says, and ``--set a.b=c`` over it. Every error
is one line: where the value was set (file or option), its key path, what is wrong and what would be valid.
"""

from __future__ import annotations

import os
from collections.abc import Container, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, TypeVar, Union, get_args, get_origin

import yaml
from pydantic import (
    BaseModel,
    ConfigDict,
    NonNegativeFloat,
    NonNegativeInt,
    PositiveInt,
    ValidationError,
    ValidationInfo,
    field_validator,
)
from pydantic_core import PydanticCustomError

from scml_gym.core.data_files import parse_yaml, read_yaml
from scml_gym.core.errors import InputError, nearest
from scml_gym.core.loggers import LOGGERS

CONFIGS = Path(str(files("scml_gym.configs")))
"""The folder ``configs/`` of the repository, or its copy in an installed package."""


class Config(BaseModel):
    """Base of all configuration models: frozen; unknown keys, infinite numbers and truths as numbers are errors."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    @field_validator("*", mode="before")
    @classmethod
    def _no_truth_as_number(cls, value: Any, info: ValidationInfo) -> Any:
        kinds = set(_kinds(cls.model_fields[str(info.field_name)].annotation))
        if isinstance(value, bool) and kinds & {int, float} and bool not in kinds:
            raise PydanticCustomError("truth_as_number", "Input should be a number")  # pydantic would take 1 or 0
        return value


def _kinds(annotation: Any) -> Iterator[Any]:
    """The types of which a value may be."""
    inner = get_args(annotation) if get_origin(annotation) in (Annotated, Union, UnionType) else ()
    for part in inner:
        yield from _kinds(part)
    yield annotation


DEFAULT_LOGGERS = ["tensorboard"]


class Experiment(Config):
    """What `train.py` runs.

    Attributes:
        seed: The one seed that everything random in the run comes from.
        agent: ``name`` in the registry of learners (or ``module:Class``), and the settings of that learner.
        env: ``name`` in configs/env, ``id`` and keyword arguments of ``gymnasium.make``.
        checkpoint_minutes: Between two checkpoints; 0 for one at every opportunity.
        threads: Of torch, OpenMP and BLAS.
        loggers: Where the numbers of the learning curve go beside its CSV file: `scml_gym.core.loggers.LOGGERS`.
    """

    seed: NonNegativeInt
    agent: dict[str, Any]
    env: dict[str, Any]
    checkpoint_minutes: NonNegativeFloat
    threads: PositiveInt
    loggers: list[str] = DEFAULT_LOGGERS

    @field_validator("loggers")
    @classmethod
    def _known_loggers(cls, names: list[str]) -> list[str]:
        for name in names:
            LOGGERS.get(name)
        return names


class ConfigError(InputError):
    """A wrong value at a key path; `Loaded.naming_sources` adds where it was set.

    Args:
        path: The keys.
        problem: What is wrong, and what would be valid.
    """

    def __init__(self, path: Sequence[str | int], problem: str):
        key = ".".join(str(p) for p in path)
        super().__init__(f"{key}: {problem}" if key else problem, key)
        self.problem = problem

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.key.split("."), self.problem)


@contextmanager
def arguments_of(section: str, keys: Container[str], otherwise: str = "") -> Iterator[None]:
    """Inside, keys of a section are given as arguments: what is refused of an argument is refused of the key.

    Args:
        section: Name of the section.
        keys: Those that are given.
        otherwise: Key for refusals that name none of them; empty for the section as a whole.

    Raises:
        ConfigError: for every `InputError` raised inside.
    """
    try:
        yield
    except ConfigError:
        raise
    except InputError as error:
        key = error.key if error.key in keys else otherwise
        raise ConfigError(tuple(filter(None, (section, key))), str(error)) from error


@dataclass(frozen=True)
class Loaded:
    """A configuration, complete and plain, and where each part of it was set.

    Attributes:
        config: Nested dictionaries, as to be written into a run folder.
        sources: Key path -> the file or the option that set it; ``""`` for the whole.
    """

    config: dict[str, Any]
    sources: Mapping[str, str]

    @contextmanager
    def naming_sources(self) -> Iterator[None]:
        """Put before each `InputError` raised inside where the value of its ``key`` was set."""
        try:
            yield
        except InputError as error:
            path = error.key
            inside = [source for key, source in self.sources.items() if key.startswith(f"{path}.")]
            while path not in self.sources:
                path = path.rpartition(".")[0]
            source = " with ".join([self.sources[path], ", ".join(inside)] if inside else [self.sources[path]])
            raise InputError(f"{source}: {error}", error.key) from error


def find_config(kind: str, name: str | Path) -> Path:
    """The YAML file that a command line means: a path, or a name in configs/<kind>/ (``-`` and ``_`` are the same).

    Raises:
        InputError: if there is none; the message names the nearest one.
    """
    if os.path.isfile(name):  # unlike Path, it takes names that are too long for a file
        return Path(name)
    for stem in (str(name), str(name).replace("-", "_"), str(name).replace("_", "-")):
        if os.path.isfile(CONFIGS / kind / f"{stem}.yaml"):
            return CONFIGS / kind / f"{stem}.yaml"
    what = str(name)
    raise InputError(f"there is no {kind} file {what!r}{nearest(Path(what).stem, known_configs(kind))}")


def known_configs(kind: str) -> list[str]:
    """The names in configs/<kind>/."""
    return sorted(path.stem for path in (CONFIGS / kind).glob("*.yaml"))


def set_options(data: Mapping[str, Any], options: Sequence[str], sources: dict[str, str]) -> dict[str, Any]:
    """A copy of a mapping with ``a.b=c`` options applied, in their order.

    Args:
        data: Nested mappings.
        options: ``key.path=value`` each, the value in YAML.
        sources: Gets ``--set a.b=c`` for each key path set.

    Raises:
        InputError: if an option is not of that form or goes through something that is not a mapping.
    """
    result = dict(data)
    for option in options:
        path, equals, text = option.partition("=")
        keys = path.split(".")
        if not equals or not all(keys):
            raise InputError(f"--set {option}: not of the form key.path=value")
        try:
            value = parse_yaml(text)
        except yaml.YAMLError as error:
            raise InputError(f"--set {option}: {text!r} is not a YAML value") from error
        level = result
        for key in keys[:-1]:
            inner = level.get(key, {})
            if not isinstance(inner, dict):
                raise InputError(f"--set {option}: {key!r} is {inner!r}, which has no keys")
            level[key] = dict(inner)
            level = level[key]
        level[keys[-1]] = value
        sources[path] = f"--set {option}"
    return result


def merge(defaults: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """``over`` laid over ``defaults``, mappings key by key, everything else as a whole."""
    result = dict(defaults)
    for key, value in over.items():
        both = isinstance(value, dict) and isinstance(result.get(key), dict)
        result[key] = merge(result[key], value) if both else value
    return result


def override(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """`merge`, but a key whose value is null in ``over`` is removed, and an empty mapping replaces what was there."""
    result = dict(base)
    for key, value in over.items():
        if value is None:
            result.pop(key, None)
        elif isinstance(value, dict) and value:
            inner = result.get(key)
            result[key] = override(inner if isinstance(inner, dict) else {}, value)
        else:
            result[key] = value
    return result


Model = TypeVar("Model", bound=BaseModel)


def validate(model: type[Model], data: Mapping[str, Any], where: str = "") -> Model:
    """Check a mapping against a model.

    Args:
        model: A `Config`, or another model.
        data: Plain data; a ``name`` (which chose the model) is passed over where the model has no such key.
        where: Key path of ``data`` in its file.

    A validator of a model that raises an `InputError` with a ``key`` names the key of the model that is wrong.

    Raises:
        ConfigError: for the first thing wrong, misspelt keys first; also if the data are no mapping.
    """
    path: list[str | int] = list(filter(None, where.split(".")))
    if not isinstance(data, Mapping):
        raise ConfigError(path, f"{data!r} is not a mapping from keys to values")
    if "name" not in model.model_fields:
        data = {k: v for k, v in data.items() if k != "name"}
    try:
        return model.model_validate(dict(data))
    except ValidationError as error:
        first = min(error.errors(), key=lambda e: e["type"] != "extra_forbidden")
        path = [*path, *_keys(data, first["loc"])]
        told = first.get("ctx", {}).get("error")  # of a model's own validator
        if isinstance(told, InputError) and told.key:
            path.append(told.key)
        raise ConfigError(path, _problem(model, first)) from None


def _keys(data: Any, loc: Sequence[str | int]) -> Iterator[str | int]:
    """The keys of an error's place; pydantic also names there which kind of several a value was taken for."""
    for i, key in enumerate(loc):
        if isinstance(data, Mapping) and (key in data or i == len(loc) - 1):
            data = data.get(key)
        elif isinstance(data, list | tuple) and isinstance(key, int) and key < len(data):
            data = data[key]
        else:
            continue
        yield key


def _problem(model: type[BaseModel], error: Any) -> str:
    if error["type"] == "extra_forbidden":
        owner: Any = model
        for key in error["loc"][:-1]:
            field = getattr(owner, "model_fields", {}).get(key)
            owner = field.annotation if field else None
        valid = getattr(owner, "model_fields", {})
        return "unknown key" + (nearest(error["loc"][-1], valid) if valid else "")
    if error["type"] == "missing":
        return "missing"
    if error["type"] == "value_error":  # of a model's own validator, about several values
        return str(error["ctx"]["error"])
    message = error["msg"][0].lower() + error["msg"][1:]
    return f"{error['input']!r} is not valid: {message}"


def load(model: type[Model], path: str | Path, options: Sequence[str] = ()) -> Model:
    """Read a YAML file, apply ``--set`` options and check it: for tournaments, studies and the like.

    Raises:
        InputError: see the module's head.
    """
    sources = {"": str(path)}
    data = set_options(read_yaml(path), options, sources)
    with Loaded(data, sources).naming_sources():
        return validate(model, data)


def load_experiment(name: str | Path, options: Sequence[str] = (), seed: int | None = None) -> Loaded:
    """Read an experiment, with the defaults of its learner and its environment merged in.

    The sections ``agent`` and ``env`` are complete but not yet checked by those that they configure: build them inside
    ``naming_sources()``.

    Args:
        name: Path of a YAML file, or the name of one in configs/experiment.
        options: ``key.path=value`` each, as given with ``--set``.
        seed: Replaces the experiment's.

    Raises:
        InputError: see the module's head.
    """
    path = find_config("experiment", name)
    sources = {"": str(path)}
    data = set_options(read_yaml(path), options, sources)
    if seed is not None:
        data["seed"] = seed
        sources["seed"] = f"--seed {seed}"
    loaded = Loaded(data, sources)
    with loaded.naming_sources():
        experiment = current_learner(validate(Experiment, data))
        sections = {kind: _with_defaults(kind, getattr(experiment, kind)) for kind in ("agent", "env")}
    return Loaded(experiment.model_dump() | sections, sources)


def learner_now(name: Any, env: Mapping[str, Any]) -> Any:
    """The name that a learner has now, which was once called ``name`` and learnt in an ``env`` section.

    ``ippo`` was the learner of games alone that is ``independent-ppo`` now; the ``ippo`` of today learns in
    environments, which have an ``id``.
    """
    game = env.get("name") == "game" or ("game" in env and "id" not in env)
    return "independent-ppo" if name == "ippo" and game else name


def current_learner(experiment: Experiment) -> Experiment:
    """An experiment by the name that its learner has now, see `learner_now`."""
    agent = experiment.agent
    if "name" not in agent:
        return experiment
    return experiment.model_copy(update={"agent": agent | {"name": learner_now(agent["name"], experiment.env)}})


def _with_defaults(kind: str, section: Mapping[str, Any]) -> dict[str, Any]:
    """A section over the defaults of its ``name``; an own class or environment id stands without a file."""
    name = section.get("name")
    if name is None and kind == "env" and "id" in section:
        return dict(section)
    if name is None:
        raise ConfigError((kind, "name"), "missing")
    if kind == "agent" and ":" in str(name):
        return dict(section)
    try:
        file = find_config(kind, str(name))
    except InputError as error:
        raise ConfigError((kind, "name"), str(error)) from None
    return merge(read_yaml(file), section)
