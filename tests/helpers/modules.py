"""Every module of the program by its name."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def _modules():
    names = {ROOT / name: (Path(name).stem,) for name in ("train.py", "evaluate.py")}
    for folder, package in (("scml_gym", ("scml_gym",)), ("agents", ("scml_gym", "agents"))):
        for path in sorted((ROOT / folder).rglob("*.py")):
            names[path] = (*package, *path.relative_to(ROOT / folder).with_suffix("").parts)
    return {".".join(p[:-1] if p[-1] == "__init__" else p): path for path, p in names.items()}


MODULES = _modules()
