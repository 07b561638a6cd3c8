"""A torch module as NumPy code: traced by torch, written as calls of `scml_gym.export.operations`."""

from __future__ import annotations

import keyword
import math
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from scml_gym.core.errors import InputError
from scml_gym.export import operations

_NO_OPERATIONS = {"Any", "Array", "Sequence", "_axes"}
OPERATIONS = {
    name.rstrip("_"): name
    for name, value in vars(operations).items()
    if callable(value) and name not in _NO_OPERATIONS and not name.startswith("__")
}
"""ATen's name of an operation -> its name in `scml_gym.export.operations`."""

OPERATIONS |= {"_softmax": "softmax", "_log_softmax": "log_softmax"}

_OF_TENSORS = ("device", "layout", "pin_memory", "memory_format", "non_blocking")
"""Arguments that mean nothing to NumPy."""

HEAD = '''"""A network as torch traced it: each line is one of its operations."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from scml_gym.export import operations as op


def forward({arguments}) -> tuple[np.ndarray, ...]:
    """The network's outputs; its parameters are numbers by name."""
'''


@dataclass(frozen=True, eq=False)
class Traced:
    """A network without torch.

    Attributes:
        text: Of a module with ``forward(weights, *inputs) -> outputs``.
        weights: Parameters, buffers and constants by name.
    """

    text: str
    weights: dict[str, np.ndarray]


def trace(module: Any, inputs: Sequence[np.ndarray], name: str = "the network") -> Traced:
    """Write a torch module as NumPy code.

    Args:
        module: A ``torch.nn.Module`` whose ``forward`` takes tensors and gives a tensor or a tuple of them. The path
            through it must not depend on the numbers. It is traced as in evaluation, without dropout.
        inputs: Examples of its inputs; shapes are fixed to theirs.
        name: Of it, for messages.

    Raises:
        InputError: if torch cannot trace it, or it uses an operation that `scml_gym.export.operations` does not have;
            the message says which.
    """
    import torch

    examples = tuple(torch.as_tensor(value) for value in inputs)
    training = module.training
    try:
        with warnings.catch_warnings(), torch.no_grad():
            warnings.simplefilter("ignore")  # about torch's own parts
            program = torch.export.export(module.eval(), examples).run_decompositions()
            given = module(*examples)
    except Exception as error:  # torch tells of what it cannot trace by many types
        told = " ".join(str(error).split())[:200]
        raise InputError(f"{name} cannot be exported: torch does not trace it ({told})") from error
    finally:
        module.train(training)
    outputs = given if isinstance(given, tuple) else (given,)
    if not outputs or not all(isinstance(output, torch.Tensor) for output in outputs):
        kinds = ", ".join(type(output).__name__ for output in outputs) or "nothing"
        raise InputError(f"{name} cannot be exported: it gives {kinds}; valid: a tensor, or a tuple of tensors")
    return _write(program, name)


def _write(program: Any, name: str) -> Traced:
    """The code of an exported program of torch."""
    graph = program.graph_module.graph
    for node in reversed(list(graph.nodes)):
        if node.op == "call_function" and "_assert" in str(node.target):
            graph.erase_node(node)
    graph.eliminate_dead_code()
    tensors = {**program.state_dict, **program.constants}
    weights, arguments, lines = {}, ["weights: Mapping[str, np.ndarray]"], []
    names: dict[Any, str] = {}
    parts = {spec.arg.name: spec.target for spec in program.graph_signature.input_specs if spec.target is not None}
    for node in graph.nodes:
        names[node] = node.name + "_" * keyword.iskeyword(node.name)
        if node.op == "placeholder" and node.name in parts:
            part = parts[node.name]
            if node.users:
                weights[part] = tensors[part].detach().cpu().numpy()
                names[node] = f'weights["{part}"]'
        elif node.op == "placeholder":
            arguments.append(f"{names[node]}: np.ndarray")
        elif node.op == "call_function":
            lines.append(f"    {names[node]} = {_call(node, names, name)}")
        elif node.op == "output":
            results = [_literal(result, names) for result in node.args[0]]
            lines.append(f"    return {', '.join(results)}{',' * (len(results) == 1)}")
    return Traced(HEAD.format(arguments=", ".join(arguments)) + "\n".join(lines) + "\n", weights)


def _call(node: Any, names: dict[Any, str], name: str) -> str:
    if not hasattr(node.target, "_schema"):
        return f"{_literal(node.args[0], names)}[{node.args[1]}]"  # getitem: one of several results
    operation = node.target._schema.name.partition("::")[2]
    if operation not in OPERATIONS:
        raise InputError(f"{name} cannot be exported: torch's operation {operation!r} has no NumPy code")
    arguments = [_literal(value, names) for value in node.args]
    arguments += [f"{k}={_literal(v, names)}" for k, v in node.kwargs.items() if k not in _OF_TENSORS]
    return f"op.{OPERATIONS[operation]}({', '.join(arguments)})"


def _literal(value: Any, names: dict[Any, str]) -> str:
    """A value as source."""
    if isinstance(value, list | tuple):
        return f"[{', '.join(_literal(part, names) for part in value)}]"
    if type(value).__name__ == "Node":
        return names[value]
    if isinstance(value, float) and not math.isfinite(value):
        return f"float({str(value)!r})"
    if type(value).__module__ == "torch":
        kind = str(value).removeprefix("torch.").replace("bool", "bool_")
        return f"np.{kind}"
    return repr(value)
