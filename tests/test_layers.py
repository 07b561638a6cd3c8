"""The layers of the package: who may import whom, imports within functions included."""

import ast
import functools
import statistics

import pytest

from tests.helpers.modules import MODULES, ROOT

LOOSE = {"__init__.py", "registration.py", "games.py", "deployed.py"}
GAMES = {"oneshot", "bilateral", "commitment", "standard"}
TABLES = {"core", "game", "tables"}
"""What the tables at the top of the package import; they name everything else by texts."""
BELOW = {
    "core": {"core"},
    "zoo": set(),
    "jit": {"core", "jit"},
    "game": {"core", "jit", "game"},
    "tables": TABLES,
    "experiments": TABLES | {"experiments"},
}
BELOW["vector"] = {"core", "jit", "game"}
BELOW["simulator"] = BELOW["vector"] | {"vector"}
BELOW |= {game: {"core", "jit", "game", "vector", "simulator", "tables"} for game in GAMES}
BELOW["policies"] = BELOW["oneshot"] | GAMES | {"experiments"}
BELOW["deployed"] = BELOW["evaluation"] = BELOW["policies"] | {"policies"}
BELOW["export"] = BELOW["offline"] = BELOW["policies"] | {"policies"}
BELOW["agents"] = BELOW["evaluation"] | {"evaluation", "export", "offline"}
BELOW["analyzer"] = BELOW["evaluation"] | {"evaluation"}
BELOW["commands"] = BELOW["agents"] | {"agents", "analyzer"}
BELOW["train"] = BELOW["evaluate"] = {"core", "commands"}


def imports(name):
    """The modules that a module imports anywhere in it, with the line."""
    found = []
    for node in ast.walk(ast.parse(MODULES[name].read_text())):
        if isinstance(node, ast.Import):
            found += [(alias.name, node.lineno) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{name}: imports are absolute"
            whole = [f"{node.module}.{alias.name}" for alias in node.names]
            found += [(full if full in MODULES else node.module, node.lineno) for full in whole]
    return [(module, line) for module, line in found if module in MODULES and module != name]


def layer(name):
    """The layer of a module."""
    package, *rest = name.split(".")
    if package != "scml_gym":
        return package
    return rest[0] if rest and rest[0] not in ("registration", "games") else "tables"


@functools.cache
def graph():
    """All modules, and what they import."""
    return {name: imports(name) for name in MODULES}


@pytest.mark.parametrize("name", MODULES)
def test_a_module_imports_its_own_layer_and_those_below(name):
    valid = BELOW[layer(name)] | {layer(name)}
    wrong = [f"{name}:{line} imports {module}" for module, line in graph()[name] if layer(module) not in valid]
    assert not wrong


def test_no_modules_import_each_other():
    """Not even within functions or for types."""
    left = {name: {module for module, _ in found} for name, found in graph().items()}
    while free := [name for name, needs in left.items() if not needs & left.keys()]:
        for name in free:
            del left[name]
    while unused := [name for name in left if all(name not in needs for needs in left.values())]:
        for name in unused:  # it imports a cycle without being in it
            del left[name]
    assert not left, f"these import each other: {', '.join(sorted(left))}"


def test_every_module_is_in_a_folder_and_small():
    assert {path.name for path in (ROOT / "scml_gym").glob("*.py")} == LOOSE
    lengths = {name: len(path.read_text().splitlines()) for name, path in MODULES.items()}
    assert statistics.median(lengths.values()) <= 140
    assert not [f"{name}: {length} lines" for name, length in lengths.items() if length > 400]


STARTS = [
    *("scml_gym.commands.train", "scml_gym.agents.fast_ppo.learner", "scml_gym.agents.sb3.learner"),
    *("scml_gym.oneshot.envs.vector.concurrent", "scml_gym.standard.envs.vector.concurrent"),
]


@pytest.mark.parametrize("start", STARTS)
def test_a_training_in_compiled_worlds_starts_without_scml(start):
    """Whose import takes longer than that of torch; what is imported within functions is not looked at."""
    met, left = set(), [start]
    while left:
        name = left.pop()
        if name in met:
            continue
        met.add(name)
        parts = name.split(".")
        left += [".".join(parts[:i]) for i in range(1, len(parts))]
        tops = [
            node for node in ast.parse(MODULES[name].read_text()).body if isinstance(node, ast.Import | ast.ImportFrom)
        ]
        modules = [node.module if isinstance(node, ast.ImportFrom) else node.names[0].name for node in tops]
        assert not {module.split(".")[0] for module in modules} & {"scml", "negmas"}, name
        lines = {node.lineno for node in tops}
        left += [module for module, line in imports(name) if line in lines]
