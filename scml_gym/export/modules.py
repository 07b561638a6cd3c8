"""Torch modules as policies of a submission: an own one, and those of learners."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from gymnasium import spaces

from scml_gym.core.calls import Array, Arrays, Call, Code, call, filled, made
from scml_gym.core.errors import InputError
from scml_gym.experiments.make_env import WRAPPERS, env_arguments, make_env, wrappers_change_play
from scml_gym.export.folder import Trial, check_folder, write_submission
from scml_gym.export.players import Exported
from scml_gym.export.tracing import trace
from scml_gym.games import game_of

if TYPE_CHECKING:
    from torch import nn

SAME = 1e-5
"""Probabilities, and numbers that are actions, may differ from torch's by so much."""

EXAMPLES = 20
"""Observations by which that is checked."""


def export_module(
    module: nn.Module, env: Mapping[str, Any], out: str | Path, name: str = "", masked: bool = True
) -> Trial:
    """Write a torch module that plays in an environment as a submission for scml's league.

    Args:
        module: Takes an observation, a tensor of shape ``(1, *observation shape)`` (of a number, ``(1,)``; of a dict, a
            tensor for each of its parts, in the order of the space) and gives logits of all choices, head after head,
            ``(1, n)``; for continuous actions the action. It may give a tuple, of which the first counts.
        env: The ``id`` and the arguments of the environment, as ``{"id": "scml_gym/OneShotConcurrent-v0", "history":
            2}``.
        out: The new folder.
        name: Of the agent's class; made of the folder's by default.
        masked: Whether the likeliest of the valid choices is made, or of all.

    Returns:
        How it did in a short world.

    Raises:
        InputError: if a part cannot be exported, saying which; as `scml_gym.export.folder.write_submission`.

    Example::

        export_module(network, {"id": "scml_gym/OneShotConcurrent-v0", "action": "planner"}, "my_agent")
    """
    check_folder(Path(out), name)  # before anything is computed
    return write_submission(exported_module(module, env, masked), Path(out), name)


def exported_module(module: nn.Module, env: Mapping[str, Any], masked: bool = True) -> Exported:
    """The player that a torch module is; see `export_module`.

    Raises:
        InputError: if who acts in that environment plays no factory of the league, or the module cannot be exported.
    """
    if wrappers_change_play(env):
        raise InputError(f"cannot be exported: env.wrappers={env[WRAPPERS]} change what it sees or does")
    env_id, arguments = env_arguments(env)
    game = game_of(env_id)
    if game is None or game.forms is None:
        raise InputError(f"cannot be exported: {env_id} has no factories of the league")
    form = filled(game.load("forms")({"id": env_id} | arguments), deterministic=True)
    synchronous = made(form, predict=None).synchronous
    single = make_env(env)
    try:
        predict = network_call(module, single.observation_space, single.action_space, masked)
    finally:
        single.close()
    return Exported(game, filled(form, predict=predict), synchronous, f"a network ({type(module).__name__})")


def network_call(
    module: nn.Module,
    observation: spaces.Space,
    action: spaces.Space,
    masked: bool,
    state_shapes: Sequence[tuple[int, ...]] = (),
) -> Call:
    """How a torch module's policy is made by NumPy alone.

    Args:
        module: See `export_module`; where it has a state, it takes that after the observation and gives it after the
            logits.
        observation: The space of observations.
        action: Of actions.
        masked: Whether invalid choices are never made.
        state_shapes: Of its state.

    Raises:
        InputError: if it cannot be traced, or gives other numbers than torch.
    """
    parts = list(observation.spaces) if isinstance(observation, spaces.Dict) else []
    state = [np.zeros(shape, dtype=np.float32) for shape in state_shapes]
    traced = trace(module, [*_inputs(observation.sample(), parts), *state], type(module).__name__)
    code = Code("network", traced.text, "forward")
    arguments = (code, Arrays(traced.weights), parts, list(state_shapes))
    if isinstance(action, spaces.MultiDiscrete | spaces.Discrete):
        sizes = action.nvec.tolist() if isinstance(action, spaces.MultiDiscrete) else int(action.n)
        predict = call("scml_gym.export.networks:Choices", *arguments, sizes=sizes, masked=masked)
    elif isinstance(action, spaces.Box):
        limits = {"low": Array("action.low", action.low), "high": Array("action.high", action.high)}
        predict = call("scml_gym.export.networks:Means", *arguments, **limits)
    else:
        raise InputError(f"cannot be exported: actions of {action}; valid: Discrete, MultiDiscrete, Box")
    _check(module, made(predict), observation, action, parts, state)
    return predict


def _inputs(observation: Any, parts: Sequence[str]) -> list[np.ndarray]:
    """An observation as a batch of one, in parts."""
    return [np.asarray(part)[None] for part in ([observation[name] for name in parts] if parts else [observation])]


def _in_numpy(predict: Any, name: str, seen: Any, state: Any) -> tuple[np.ndarray, Any]:
    """The numbers for an observation.

    Raises:
        InputError: if an operation, which has many forms in torch, is used in one that has no NumPy code.
    """
    try:
        return predict.numbers(seen, state)
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        told = " ".join(str(error).split())
        raise InputError(f"{name} cannot be exported: its NumPy code does not run ({told})") from error


def _check(
    module: Any,
    predict: Any,
    observation: spaces.Space,
    action: spaces.Space,
    parts: Sequence[str],
    state: Sequence[Any],
) -> None:
    """Compare with torch, observation after observation.

    Raises:
        InputError: if it gives other numbers.
    """
    import torch

    look = getattr(predict, "probabilities", lambda numbers: numbers)
    name, training, needed = type(module).__name__, module.training, spaces.flatdim(action)
    module.eval()
    observation.seed(0)
    ours, theirs = None, list(state)
    try:
        for _ in range(EXAMPLES):
            seen = observation.sample()
            numbers, ours = _in_numpy(predict, name, seen, ours)
            if numbers.size != needed:
                raise InputError(f"{name} cannot be exported: it gives {numbers.size} numbers; valid: {needed}")
            with torch.no_grad():
                given = module(*(torch.as_tensor(value) for value in (*_inputs(seen, parts), *theirs)))
            expected, *theirs = (t.numpy() for t in (given if isinstance(given, tuple) else (given,)))
            theirs = theirs[: len(state)]
            off = float(np.abs(look(numbers) - look(expected[0])).max())
            if not off <= SAME:
                raise InputError(f"{name} cannot be exported: NumPy's numbers are off by {off:.1g}")
    finally:
        module.train(training)
